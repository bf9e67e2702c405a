// SPDX-License-Identifier: GPL-2.0
/* genkey, genpsk, pubkey. (layer 6) */
#include "verbs.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "curve25519.h"
#include "role.h"
#include "text.h"

#define KEY_INPUT_MAX	4096

/* Past stdio, which would keep a copy. */
static int key_print(struct ctx *ctx, const uint8_t key[WG_KEY_LEN])
{
	char text[BASE64_KEY_SIZE];
	size_t done = 0;
	ssize_t n;
	int ret = 0;

	base64_encode_key(text, key);
	text[BASE64_KEY_CHARS] = '\n';
	while (!ret && done < sizeof(text)) {
		n = write(fileno(ctx->out), text + done, sizeof(text) - done);
		if (n > 0)
			done += n;
		else if (n < 0 && errno != EINTR)
			ret = ctx_fail(ctx, -errno,
				       "Unable to write the key: %s",
				       strerror(errno));
	}
	explicit_bzero(text, sizeof(text));
	return ret;
}

static int key_generate(struct ctx *ctx, int argc, bool clamp)
{
	uint8_t key[WG_KEY_LEN];
	int ret;

	if (argc != 1)
		return VERB_USAGE;
	ctx_warn_world_accessible(ctx);
	ret = clamp ? role_new_key(ctx, key) : role_new_psk(ctx, key);
	if (!ret)
		ret = key_print(ctx, key);
	explicit_bzero(key, sizeof(key));
	return ret;
}

int genkey_main(struct ctx *ctx, int argc, char **argv)
{
	(void)argv;
	return key_generate(ctx, argc, true);
}

int genpsk_main(struct ctx *ctx, int argc, char **argv)
{
	(void)argv;
	return key_generate(ctx, argc, false);
}

static int key_take_input(struct ctx *ctx, struct text *blob,
			  uint8_t key[WG_KEY_LEN])
{
	size_t i;

	for (i = BASE64_KEY_CHARS; i < blob->len; i++) {
		if (blob->data[i] && !isspace((unsigned char)blob->data[i]))
			return ctx_fail(ctx, -EINVAL,
					"%s: Trailing characters found after key",
					ctx->prog);
	}
	if (blob->len > BASE64_KEY_CHARS)
		blob->data[BASE64_KEY_CHARS] = '\0';
	if (base64_decode_key(key, blob->data))
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"%s: Key is not the correct length or format; standard input must be 44 characters of base64",
			ctx->prog);
}

int pubkey_main(struct ctx *ctx, int argc, char **argv)
{
	uint8_t key[WG_KEY_LEN];
	struct text blob = { 0 };
	int ret;

	(void)argv;
	if (argc != 1)
		return VERB_USAGE;
	ret = text_slurp(&blob, STDIN_FILENO, KEY_INPUT_MAX);
	if (ret)
		ctx_fail(ctx, ret, "%s: Unable to read standard input: %s",
			 ctx->prog, strerror(-ret));
	else
		ret = key_take_input(ctx, &blob, key);
	text_free(&blob);
	if (!ret) {
		curve25519_public_key(key, key);
		ret = key_print(ctx, key);
	}
	explicit_bzero(key, sizeof(key));
	return ret;
}
