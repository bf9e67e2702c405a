// SPDX-License-Identifier: GPL-2.0
/* set: change a device by words on the command line. (layer 6) */
#include "verbs.h"

#include <errno.h>

#include "args.h"
#include "ipc.h"

int set_main(struct ctx *ctx, int argc, char **argv)
{
	struct model_device *dev;
	int ret;

	if (argc < 3)
		return VERB_USAGE;
	ret = ipc_fit_name(ctx, argv[1]);
	if (ret)
		return ret;
	dev = model_device_create(argv[1]);
	if (!dev)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	ret = args_parse(ctx, dev, argc - 2, argv + 2);
	if (!ret)
		ret = ipc_set(ctx, dev);
	model_device_free(dev);
	return ret;
}
