// SPDX-License-Identifier: GPL-2.0
/* Devices, whoever implements them. (layer 5) */
#include "ipc.h"

#include <errno.h>
#include <string.h>

#include "userspace.h"

int ipc_list(struct ctx *ctx, struct name_list *list)
{
	int ret;

	list->names = NULL;
	list->count = 0;
	ret = kernel_list(list);
	if (!ret)
		ret = userspace_list(ctx, list);
	return ret ? ctx_fail(ctx, ret, "Unable to list interfaces: %s",
			      strerror(-ret)) : 0;
}

/* "Unable to ...: errno text", then a line with what is known beyond that. */
static int ipc_explain(struct ctx *ctx, int err, const char *doing)
{
	char more[sizeof(ctx->error)];

	memcpy(more, ctx->error, sizeof(more));
	return ctx_fail(ctx, err, "Unable to %s interface: %s%s%.512s", doing,
			strerror(-err), *more ? "\n" : "", more);
}

int ipc_get(struct ctx *ctx, const char *name, struct model_device **dev)
{
	int ret;

	ctx->error[0] = '\0';
	if (userspace_has(ctx, name))
		ret = userspace_get(ctx, name, dev);
	else
		ret = kernel_get(ctx, name, dev);
	return ret ? ipc_explain(ctx, ret, "access") : 0;
}

int ipc_set(struct ctx *ctx, const struct model_device *dev)
{
	int ret;

	ctx->error[0] = '\0';
	if (userspace_has(ctx, dev->name))
		ret = userspace_set(ctx, dev);
	else
		ret = kernel_set(ctx, dev);
	return ret ? ipc_explain(ctx, ret, "modify") : 0;
}

int ipc_fit_name(struct ctx *ctx, const char *name)
{
	if (ctx->compat || strlen(name) < MODEL_NAME_SIZE)
		return 0;
	return ctx_fail(ctx, -ENAMETOOLONG,
			"interface: `%s' is too long for a name; it must have 1 to %d characters",
			name, MODEL_NAME_SIZE - 1);
}
