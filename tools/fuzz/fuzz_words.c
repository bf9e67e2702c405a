// SPDX-License-Identifier: GPL-2.0
/* Any bytes as the words of "set", one per line. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text, *word;
	struct model_device *dev = model_device_create("wg0");
	char *argv[64];
	struct ctx ctx;
	int argc = 0;

	while (argc < 64 && (word = strsep(&rest, "\n"))) {
		/* Files are not what is tested here. */
		if (strchr(word, '/') && strspn(word, "./") == strlen(word))
			continue;
		argv[argc++] = word;
	}
	fuzz_begin(&ctx);
	args_parse(&ctx, dev, argc, argv);
	fuzz_end(&ctx);
	model_device_free(dev);
	free(text);
	return 0;
}
