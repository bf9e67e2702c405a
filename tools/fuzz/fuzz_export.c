// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a file of wg-quick, in the words of every other program. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../export.h"

/* All or nothing, and nothing that a line of text cannot hold. */
static void fuzz_form(struct ctx *ctx, const struct quick *quick,
		      enum export_format format)
{
	struct text out = { 0 };
	const char *c;

	if (!export_write(ctx, quick, format, &out)) {
		for (c = text_string(&out); *c; c++) {
			if (format != EXPORT_WG_QUICK && *c != '\n' &&
			    *c != '\t' && (unsigned char)*c < 0x20)
				abort();
		}
		if (strlen(text_string(&out)) != out.len)
			abort();
	} else if (out.len) {
		abort();
	}
	text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = { 0 };
	enum export_format format;
	struct quick *quick;
	struct ctx ctx;

	fuzz_begin(&ctx);
	text_add(&text, data, size);
	if (!quick_parse(&ctx, "wg0", "file", &text, &quick)) {
		for (format = 0; format <= EXPORT_JSON; format++)
			fuzz_form(&ctx, quick, format);
		quick_free(quick);
	}
	text_free(&text);
	fuzz_end(&ctx);
	return 0;
}
