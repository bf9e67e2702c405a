// SPDX-License-Identifier: GPL-2.0
/* Any string as a token, and any fields with a right checksum; what reads must
 * write and read again as it was.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../base64.h"
#include "../token.h"

static void fuzz_again(struct ctx *ctx, const struct token *token)
{
	struct text once = { 0 }, twice = { 0 };
	struct token again;

	token_write(token, &once);
	if (token_read(ctx, text_string(&once), &again))
		abort();
	token_write(&again, &twice);
	if (strcmp(text_string(&once), text_string(&twice)))
		abort();
	token_free(&again);
	text_free(&once);
	text_free(&twice);
}

static void fuzz_word(struct ctx *ctx, const char *word)
{
	struct token token;

	if (!token_read(ctx, word, &token))
		fuzz_again(ctx, &token);
	token_free(&token);
}

/* Without the right checksum nothing would get far. */
static void fuzz_fields(struct ctx *ctx, const char *prefix,
			const uint8_t *data, size_t size)
{
	size_t before = strlen(prefix), i, n = size + 4;
	char *word = malloc(before + BASE64URL_CHARS(n) + 1);
	uint8_t *body = malloc(before + n);
	uint32_t crc = ~0U;
	int bit;

	memcpy(body, prefix, before);
	memcpy(body + before, data, size);
	for (i = 0; i < before + size; i++) {
		crc ^= body[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
	}
	crc = htonl(~crc);
	memcpy(body + before + size, &crc, 4);
	memcpy(word, prefix, before);
	base64url_encode(word + before, body + before, n);
	word[before + BASE64URL_CHARS(n)] = '\0';
	fuzz_word(ctx, word);
	free(word);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct ctx ctx;

	fuzz_begin(&ctx);
	fuzz_word(&ctx, text);
	fuzz_fields(&ctx, "wgsite1-", data, size);
	fuzz_fields(&ctx, "wgsecret1-", data, size);
	fuzz_end(&ctx);
	free(text);
	return 0;
}
