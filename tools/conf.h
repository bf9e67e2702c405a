/* SPDX-License-Identifier: GPL-2.0 */
/* Configuration files. (layer 3) */
#ifndef _WG_CONF_H
#define _WG_CONF_H

#include <stddef.h>

#include "ctx.h"
#include "model.h"

/**
 * conf_parse() - the text of a file into changes
 * @ctx:	the run
 * @dev:	empty device, filled in
 * @name:	of the file, for errors
 * @text:	@len bytes and a NUL; changed
 * @len:	length
 *
 * Return: 0 or negative errno with an error text.
 */
int conf_parse(struct ctx *ctx, struct model_device *dev, const char *name,
	       char *text, size_t len);

/**
 * conf_read() - a file into changes
 * @ctx:	the run
 * @dev:	empty device, filled in
 * @path:	file; may be a pipe
 *
 * Return: 0 or negative errno with an error text.
 */
int conf_read(struct ctx *ctx, struct model_device *dev, const char *path);

/**
 * conf_replace_all() - let the file say everything
 * @dev:	what conf_read() read
 *
 * Peers are replaced; an absent private key, port or mark becomes none.
 */
void conf_replace_all(struct model_device *dev);

/**
 * conf_write() - write a file that makes the same device
 * @ctx:	the run; written to its standard output
 * @dev:	device
 */
void conf_write(struct ctx *ctx, const struct model_device *dev);

#endif /* _WG_CONF_H */
