/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's devices, by netlink. (layer 4) */
#ifndef _WG_KERNEL_H
#define _WG_KERNEL_H

#include <stddef.h>

#include "ctx.h"
#include "model.h"

/**
 * struct name_list - interface names in order
 * @names:	allocated strings
 * @count:	how many
 */
struct name_list {
	char **names;
	size_t count;
};

/**
 * name_list_add() - append a copy of a name, unless it is there already
 * @list:	list
 * @name:	name
 *
 * Return: 0 or -ENOMEM.
 */
int name_list_add(struct name_list *list, const char *name);

/**
 * name_list_free() - free the names
 * @list:	list
 */
void name_list_free(struct name_list *list);

/**
 * kernel_list() - append the names of all links of kind "wireguard"
 * @list:	list
 *
 * Return: 0 or negative errno.
 */
int kernel_list(struct name_list *list);

/**
 * kernel_get() - read a device
 * @ctx:	the run; @ctx->error gets the kernel's words on failure
 * @name:	interface
 * @dev:	result, to be freed with model_device_free()
 *
 * A dump that changes while it is read is read again, a bounded number of
 * times.
 *
 * Return: 0 or negative errno.
 */
int kernel_get(struct ctx *ctx, const char *name, struct model_device **dev);

/**
 * kernel_set() - apply changes
 * @ctx:	the run; @ctx->error gets the kernel's words on failure
 * @dev:	changes
 *
 * Sent in parts, each acknowledged before the next; what came before a part
 * that fails stays in effect.
 *
 * Return: 0 or negative errno.
 */
int kernel_set(struct ctx *ctx, const struct model_device *dev);

#endif /* _WG_KERNEL_H */
