/* SPDX-License-Identifier: GPL-2.0 */
/* Devices, whoever implements them. (layer 5) */
#ifndef _WG_IPC_H
#define _WG_IPC_H

#include "ctx.h"
#include "kernel.h"
#include "model.h"

/**
 * ipc_list() - names of all devices
 * @ctx:	the run
 * @list:	result, to be freed with name_list_free(), also on failure
 *
 * Return: 0 or negative errno.
 */
int ipc_list(struct ctx *ctx, struct name_list *list);

/**
 * ipc_get() - read a device
 * @ctx:	the run; on failure @ctx->error is one line to show
 * @name:	interface
 * @dev:	result, to be freed with model_device_free()
 *
 * Return: 0 or negative errno.
 */
int ipc_get(struct ctx *ctx, const char *name, struct model_device **dev);

/**
 * ipc_set() - apply changes
 * @ctx:	the run; on failure @ctx->error is one line to show
 * @dev:	changes
 *
 * Return: 0 or negative errno.
 */
int ipc_set(struct ctx *ctx, const struct model_device *dev);

/**
 * ipc_fit_name() - whether a name can be one of an interface
 * @ctx:	the run
 * @name:	interface
 *
 * Called as wg every name passes, as there: what is too long is cut off.
 *
 * Return: 0, or -ENAMETOOLONG with an error text.
 */
int ipc_fit_name(struct ctx *ctx, const char *name);

#endif /* _WG_IPC_H */
