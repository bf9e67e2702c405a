/* SPDX-License-Identifier: GPL-2.0 */
/* The words of "set". (layer 3) */
#ifndef _WG_ARGS_H
#define _WG_ARGS_H

#include "ctx.h"
#include "model.h"

/**
 * args_parse() - words behind "set IFACE" into changes
 * @ctx:	the run
 * @dev:	empty device, filled in
 * @argc:	number of words
 * @argv:	words
 *
 * Return: 0 or negative errno with an error text.
 */
int args_parse(struct ctx *ctx, struct model_device *dev, int argc,
	       char **argv);

#endif /* _WG_ARGS_H */
