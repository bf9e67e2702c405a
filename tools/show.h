/* SPDX-License-Identifier: GPL-2.0 */
/* Printing of devices, apart from reading them. (layer 6) */
#ifndef _WG_SHOW_H
#define _WG_SHOW_H

#include <stdbool.h>

#include "ctx.h"
#include "model.h"

/**
 * show_pretty() - a device for people
 * @ctx:	the run
 * @dev:	device
 *
 * Peers come by latest handshake, newest first; ties keep their order.
 *
 * Return: 0 or -ENOMEM.
 */
int show_pretty(struct ctx *ctx, const struct model_device *dev);

/**
 * show_param() - a device for scripts
 * @ctx:	the run
 * @dev:	device
 * @param:	"dump" or one of the columns
 * @prefix:	begin each line with the interface's name
 *
 * Return: 0, or VERB_USAGE if there is no such parameter.
 */
int show_param(struct ctx *ctx, const struct model_device *dev,
	       const char *param, bool prefix);

#endif /* _WG_SHOW_H */
