/* SPDX-License-Identifier: GPL-2.0 */
/* Devices of userspace implementations, by text over a socket. (layer 4) */
#ifndef _WG_USERSPACE_H
#define _WG_USERSPACE_H

#include <stdbool.h>
#include <stddef.h>

#include "ctx.h"
#include "kernel.h"
#include "model.h"
#include "text.h"

/**
 * userspace_list() - append the names of all devices that answer
 * @ctx:	the run
 * @list:	list
 *
 * Return: 0 or -ENOMEM.
 */
int userspace_list(struct ctx *ctx, struct name_list *list);

/**
 * userspace_has() - whether a process serves this interface
 * @ctx:	the run
 * @name:	interface
 *
 * A socket nobody listens on any more is removed.
 *
 * Return: true if so.
 */
bool userspace_has(struct ctx *ctx, const char *name);

/**
 * userspace_get() - read a device
 * @ctx:	the run
 * @name:	interface
 * @dev:	result, to be freed with model_device_free()
 *
 * Return: 0 or negative errno.
 */
int userspace_get(struct ctx *ctx, const char *name,
		  struct model_device **dev);

/**
 * userspace_set() - apply changes
 * @ctx:	the run
 * @dev:	changes
 *
 * Return: 0 or negative errno.
 */
int userspace_set(struct ctx *ctx, const struct model_device *dev);

/**
 * userspace_take() - add one "key=value" line of an answer to a device
 * @dev:	device read so far
 * @line:	line; changed
 * @err:	result of a line "errno="
 *
 * Keys we do not know are ignored.
 *
 * Return: 0, -ENOMEM, or -EPROTO for a value that cannot be.
 */
int userspace_take(struct model_device *dev, char *line, int *err);

/**
 * userspace_write() - write a request to set a device
 * @out:	appended to
 * @dev:	changes
 */
void userspace_write(struct text *out, const struct model_device *dev);

#endif /* _WG_USERSPACE_H */
