// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a configuration file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_device *dev = model_device_create("wg0");
	char *text = malloc(size + 1);
	struct ctx ctx;

	fuzz_begin(&ctx);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!conf_parse(&ctx, dev, "file", text, size))
		conf_write(&ctx, dev);
	fuzz_end(&ctx);
	free(text);
	model_device_free(dev);
	return 0;
}
