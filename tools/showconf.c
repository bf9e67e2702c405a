// SPDX-License-Identifier: GPL-2.0
/* showconf: a device as a configuration file. (layer 6) */
#include "verbs.h"

#include "conf.h"
#include "ipc.h"

int showconf_main(struct ctx *ctx, int argc, char **argv)
{
	struct model_device *dev;
	int ret;

	if (argc != 2)
		return VERB_USAGE;
	ret = ipc_get(ctx, argv[1], &dev);
	if (ret)
		return ret;
	conf_write(ctx, dev);
	model_device_free(dev);
	return 0;
}
