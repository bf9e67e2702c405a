/* SPDX-License-Identifier: GPL-2.0 */
/* What runs, written into its file. (layer 6) */
#ifndef _WG_TUNNEL_SAVE_H
#define _WG_TUNNEL_SAVE_H

#include "ctx.h"

/**
 * tunnel_save() - write what runs into its file
 * @ctx:	the run
 * @name:	interface
 * @path:	file
 *
 * Lines that say what runs already stay as they are, and so do host names of
 * endpoints, a mark that was not in the file but chosen by tunnel_up(), and
 * all that has nothing to do with the interface.
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_save(struct ctx *ctx, const char *name, const char *path);

#endif /* _WG_TUNNEL_SAVE_H */
