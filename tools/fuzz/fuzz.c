// SPDX-License-Identifier: GPL-2.0
/* What the fuzz targets share. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static int fuzz_getaddrinfo(const char *host, const char *service,
			    const struct addrinfo *hints,
			    struct addrinfo **res)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	return getaddrinfo(host, service, &numeric, res);
}

static void fuzz_pause(unsigned int ms)
{
	(void)ms;
}

void fuzz_begin(struct ctx *ctx)
{
	ctx_init(ctx, "wg");
	ctx->out = fopen("/dev/null", "w");
	ctx->err = fopen("/dev/null", "w");
	if (!ctx->out || !ctx->err)
		abort();
	ctx->getaddrinfo = fuzz_getaddrinfo;
	ctx->pause_ms = fuzz_pause;
}

void fuzz_end(struct ctx *ctx)
{
	fclose(ctx->out);
	fclose(ctx->err);
}

char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
