/* SPDX-License-Identifier: GPL-2.0 */
/* A file as a plan for this host. (layer 6) */
#ifndef _WG_TUNNEL_BUILD_H
#define _WG_TUNNEL_BUILD_H

#include "quick.h"
#include "tunnel_move.h"

/**
 * tunnel_build() - decide what a file makes here
 * @t:		tunnel with @from, @want, @have; gets @to, and @want the mark
 * @quick:	file
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_build(struct tunnel *t, const struct quick *quick);

#endif /* _WG_TUNNEL_BUILD_H */
