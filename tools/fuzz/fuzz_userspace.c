// SPDX-License-Identifier: GPL-2.0
/* Any lines as the answer of a userspace implementation. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../show.h"
#include "../userspace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text, *line;
	struct model_device *dev = model_device_create("wg0");
	struct text request = { 0 };
	int err = 0, ret = 0;
	struct ctx ctx;

	fuzz_begin(&ctx);
	while (!ret && (line = strsep(&rest, "\n")))
		ret = userspace_take(dev, line, &err);
	if (!ret) {
		show_pretty(&ctx, dev);
		show_param(&ctx, dev, "dump", true);
		userspace_write(&request, dev);
		text_free(&request);
	}
	fuzz_end(&ctx);
	model_device_free(dev);
	free(text);
	return 0;
}
