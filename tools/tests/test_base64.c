// SPDX-License-Identifier: GPL-2.0
/* Key text: known answers, every last character, wrong input. */
#include <string.h>

#include "../base64.h"
#include "tap.h"

static const struct {
	const char *hex;
	const char *text;
} base64_vectors[] = {
	{ "0000000000000000000000000000000000000000000000000000000000000000",
	  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
	{ "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	  "//////////////////////////////////////////8=" },
	{ "fbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbef",
	  "++++++++++++++++++++++++++++++++++++++++++8=" },
	{ "00108310518720928b30d38f41149351559761969b71d79f8218a39259a7a29a",
	  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopo=" },
	{ "b8c3b4dbff396b03fbf66e6d65b6bb68662ac39904a1a157e2fdbec71e65e145",
	  "uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU=" },
};

static void test_vectors(struct tap *tap)
{
	uint8_t key[WG_KEY_LEN];
	char text[BASE64_KEY_SIZE], hex[HEX_KEY_SIZE];
	size_t i;

	for (i = 0; i < sizeof(base64_vectors) / sizeof(*base64_vectors); i++) {
		tap_ok(tap, hex_decode_key(key, base64_vectors[i].hex),
		       "hex %zu reads", i);
		base64_encode_key(text, key);
		tap_same(tap, text, base64_vectors[i].text, "encodes");
		memset(key, 0x55, sizeof(key));
		tap_ok(tap, base64_decode_key(key, text), "%s reads", text);
		hex_encode_key(hex, key);
		tap_same(tap, hex, base64_vectors[i].hex, "decodes");
	}
}

/* Of 256 last characters exactly 16 are canonical. */
static void test_last_character(struct tap *tap)
{
	char text[BASE64_KEY_SIZE], again[BASE64_KEY_SIZE];
	uint8_t key[WG_KEY_LEN];
	unsigned int accepted = 0, c;
	bool roundtrip = true;

	for (c = 1; c < 256; c++) {
		strcpy(text, base64_vectors[4].text);
		text[BASE64_KEY_CHARS - 2] = c;
		if (!base64_decode_key(key, text))
			continue;
		accepted++;
		base64_encode_key(again, key);
		roundtrip &= !strcmp(text, again);
	}
	tap_ok(tap, accepted == 16, "16 last characters are accepted");
	tap_ok(tap, roundtrip, "and each comes back as it was");
}

static void test_every_character(struct tap *tap)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[BASE64_KEY_SIZE];
	uint8_t key[WG_KEY_LEN];
	unsigned int wrong = 0, c;

	for (c = 1; c < 256; c++) {
		strcpy(text, base64_vectors[4].text);
		text[7] = c;
		wrong += base64_decode_key(key, text) != !!strchr(alphabet, c);
	}
	tap_ok(tap, !wrong, "exactly the 64 characters are accepted");
}

static void test_wrong(struct tap *tap)
{
	static const char *const wrong[] = {
		"", "=", "abc",
		"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU",
		"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UUU",
		"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4U==",
		"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UV=",
		"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU==",
		" MO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU=",
	};
	uint8_t key[WG_KEY_LEN];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		tap_ok(tap, !base64_decode_key(key, wrong[i]), "refuses `%s'",
		       wrong[i]);
	tap_ok(tap, !hex_decode_key(key, "00"), "refuses short hex");
	tap_ok(tap, !hex_decode_key(key,
		"g000000000000000000000000000000000000000000000000000000000000000"),
	       "refuses a strange hex digit");
	tap_ok(tap, hex_decode_key(key,
		"ABCDEFabcdef0123456789000000000000000000000000000000000000000000"),
	       "upper case hex reads");
	tap_ok(tap, key[0] == 0xab && key[3] == 0xab && key[5] == 0xef,
	       "as the same value");
	tap_ok(tap, !key_is_zero(key), "is not zero");
	memset(key, 0, sizeof(key));
	tap_ok(tap, key_is_zero(key), "zero is zero");
	key[31] = 0x80;
	tap_ok(tap, !key_is_zero(key), "the last bit counts");
}

/* Any number of bytes, in the letters that names of files may have. */
static void test_url(struct tap *tap)
{
	static const struct {
		const char *text;
		const char *bytes;
		size_t len;
	} right[] = {
		{ "", "", 0 }, { "AA", "\0", 1 }, { "_w", "\xff", 1 },
		{ "-_A", "\xfb\xf0", 2 }, { "AQID", "\1\2\3", 3 },
		{ "-_-_-_-_", "\xfb\xff\xbf\xfb\xff\xbf", 6 },
		{ "Zm9vYmE", "fooba", 5 },
	};
	static const char *const wrong[] = {
		"A", "AB", "AAB", "AAAAA", "A=", "AA==", "+/AA", "AA A", "A\nAA",
	};
	char text[BASE64URL_CHARS(8) + 1];
	uint8_t data[8];
	size_t i, n;

	for (i = 0; i < sizeof(right) / sizeof(*right); i++) {
		n = strlen(right[i].text);
		memset(data, 0x55, sizeof(data));
		tap_ok(tap, base64url_decode(data, right[i].text, n) &&
		       n * 3 / 4 == right[i].len &&
		       !memcmp(data, right[i].bytes, right[i].len) &&
		       data[right[i].len] == 0x55, "`%s' decodes",
		       right[i].text);
		memset(text, 0, sizeof(text));
		base64url_encode(text, data, right[i].len);
		tap_same(tap, text, right[i].text, "encodes");
	}
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		tap_ok(tap, !base64url_decode(data, wrong[i], strlen(wrong[i])),
		       "refuses %zu", i);
}

int main(void)
{
	struct tap tap = { .suite = "base64" };

	test_vectors(&tap);
	test_last_character(&tap);
	test_every_character(&tap);
	test_wrong(&tap);
	test_url(&tap);
	return tap_end(&tap);
}
