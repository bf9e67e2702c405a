// SPDX-License-Identifier: GPL-2.0
/* setconf, addconf, syncconf: change a device by a file. (layer 6) */
#include "verbs.h"

#include <errno.h>

#include "conf.h"
#include "ipc.h"

enum setconf_mode {
	SETCONF_REPLACE,
	SETCONF_ADD,
	SETCONF_SYNC,
};

static int setconf_sync(struct ctx *ctx, struct model_device *want,
			const char *name)
{
	struct model_device *have;
	int ret;

	ret = ipc_get(ctx, name, &have);
	if (ret)
		return ret;
	ret = model_sync(want, have);
	model_device_free(have);
	return ret ? ctx_fail(ctx, ret, "Out of memory") : 0;
}

static int setconf_run(struct ctx *ctx, int argc, char **argv,
		       enum setconf_mode mode)
{
	struct model_device *dev;
	int ret;

	if (argc != 3)
		return VERB_USAGE;
	ret = ipc_fit_name(ctx, argv[1]);
	if (ret)
		return ret;
	dev = model_device_create(argv[1]);
	if (!dev)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	ret = conf_read(ctx, dev, argv[2]);
	if (!ret && mode != SETCONF_ADD)
		conf_replace_all(dev);
	if (!ret && mode == SETCONF_SYNC)
		ret = setconf_sync(ctx, dev, argv[1]);
	if (!ret)
		ret = ipc_set(ctx, dev);
	model_device_free(dev);
	return ret;
}

int setconf_main(struct ctx *ctx, int argc, char **argv)
{
	return setconf_run(ctx, argc, argv, SETCONF_REPLACE);
}

int addconf_main(struct ctx *ctx, int argc, char **argv)
{
	return setconf_run(ctx, argc, argv, SETCONF_ADD);
}

int syncconf_main(struct ctx *ctx, int argc, char **argv)
{
	return setconf_run(ctx, argc, argv, SETCONF_SYNC);
}
