// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a file of wg-quick; what it says survives an edit. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../quick.h"

static void fuzz_again(struct ctx *ctx, const struct quick *quick)
{
	struct text text = { 0 };
	struct quick *again;

	quick_write(quick, &text);
	if (quick_parse(ctx, "wg0", "again", &text, &again))
		abort();
	if (quick_peers(again) != quick_peers(quick) ||
	    again->n_lines != quick->n_lines ||
	    again->addresses.count != quick->addresses.count)
		abort();
	quick_free(again);
	text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[WG_KEY_LEN] = { 1 };
	struct text text = { 0 };
	struct quick *quick;
	struct ctx ctx;

	fuzz_begin(&ctx);
	text_add(&text, data, size);
	if (!quick_parse(&ctx, "wg0", "file", &text, &quick)) {
		size_t peers = quick_peers(quick);

		fuzz_again(&ctx, quick);
		if (!quick_set(&ctx, quick, 0, "MTU", "1400") &&
		    quick->mtu != 1400)
			abort();
		if (!quick_add_peer(&ctx, quick, "new", key) &&
		    (quick_peers(quick) != peers + 1 ||
		     quick_remove_peer(&ctx, quick, peers + 1) ||
		     quick_peers(quick) != peers))
			abort();
		fuzz_again(&ctx, quick);
		text_free(&text);
		quick_strip(quick, &text);
		quick_free(quick);
	}
	text_free(&text);
	fuzz_end(&ctx);
	return 0;
}
