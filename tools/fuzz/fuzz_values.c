// SPDX-License-Identifier: GPL-2.0
/* Any string as each of the single values; keys must come back as they were. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../base64.h"
#include "../parse.h"
#include "../resolve.h"

static void fuzz_key(const char *text)
{
	char again[BASE64_KEY_SIZE];
	uint8_t key[WG_KEY_LEN];

	if (!base64_decode_key(key, text))
		return;
	base64_encode_key(again, key);
	if (strcmp(again, text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_device *dev = model_device_create("wg0");
	char *text = fuzz_string(data, size);
	union model_endpoint ep;
	uint32_t mark;
	uint16_t n;
	struct ctx ctx;

	fuzz_begin(&ctx);
	fuzz_key(text);
	parse_fwmark(&ctx, text, &mark);
	parse_keepalive(&ctx, text, &n);
	resolve_port(&ctx, text, &n);
	resolve_endpoint(&ctx, text, &ep);
	parse_allowedips(&ctx, model_add_peer(dev), text, true);
	fuzz_end(&ctx);
	model_device_free(dev);
	free(text);
	return 0;
}
