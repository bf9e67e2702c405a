// SPDX-License-Identifier: GPL-2.0
/* Text form of keys and of other secrets, in constant time. (layer 0) */
#include "base64.h"

#include <string.h>

/* One run of consecutive characters and the values they stand for. */
struct base64_run {
	uint8_t first;
	uint8_t last;
	uint8_t value;
};

static const struct base64_run base64_runs[] = {
	{ 'A', 'Z', 0 },
	{ 'a', 'z', 26 },
	{ '0', '9', 52 },
	{ '+', '+', 62 },
	{ '/', '/', 63 },
};

#define BASE64_RUNS	(sizeof(base64_runs) / sizeof(base64_runs[0]))

static const struct base64_run base64url_runs[] = {
	{ 'A', 'Z', 0 },
	{ 'a', 'z', 26 },
	{ '0', '9', 52 },
	{ '-', '-', 62 },
	{ '_', '_', 63 },
};

static const struct base64_run hex_runs[] = {
	{ '0', '9', 0 },
	{ 'a', 'f', 10 },
	{ 'A', 'F', 10 },
};

#define HEX_RUNS	(sizeof(hex_runs) / sizeof(hex_runs[0]))

/* All ones if lo <= x <= hi, else zero; x, lo, hi < 2^16. */
static uint32_t ct_between(uint32_t x, uint32_t lo, uint32_t hi)
{
	uint32_t outside = (x - lo) | (hi - x);

	return (outside >> 31) - 1;
}

/* Every run is visited for every character: no branch, no secret index. */
static uint32_t runs_encode(const struct base64_run *runs, size_t n,
			    uint32_t value)
{
	uint32_t c = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t lo = runs[i].value;
		uint32_t hi = lo + runs[i].last - runs[i].first;

		c |= ct_between(value, lo, hi) & (value - lo + runs[i].first);
	}
	return c;
}

/* The value of a character; a stranger sets *bad to all ones. */
static uint32_t runs_decode(const struct base64_run *runs, size_t n,
			    uint8_t c, uint32_t *bad)
{
	uint32_t value = 0, known = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t hit = ct_between(c, runs[i].first, runs[i].last);

		known |= hit;
		value |= hit & (c - runs[i].first + runs[i].value);
	}
	*bad |= ~known;
	return value;
}

void base64_encode_key(char text[BASE64_KEY_SIZE],
		       const uint8_t key[WG_KEY_LEN])
{
	unsigned int i, o = 0, bits = 0;
	uint32_t acc = 0;

	for (i = 0; i < WG_KEY_LEN; i++) {
		acc = acc << 8 | key[i];
		for (bits += 8; bits >= 6; bits -= 6)
			text[o++] = runs_encode(base64_runs, BASE64_RUNS,
						acc >> (bits - 6) & 63);
	}
	text[o++] = runs_encode(base64_runs, BASE64_RUNS,
				acc << (6 - bits) & 63);
	text[o++] = '=';
	text[o] = '\0';
}

bool base64_decode_key(uint8_t key[WG_KEY_LEN], const char *text)
{
	unsigned int i, o = 0, bits = 0;
	uint32_t acc = 0, bad = 0;

	if (strlen(text) != BASE64_KEY_CHARS ||
	    text[BASE64_KEY_CHARS - 1] != '=')
		return false;
	for (i = 0; i < BASE64_KEY_CHARS - 1; i++) {
		acc = acc << 6 | runs_decode(base64_runs, BASE64_RUNS,
					     (uint8_t)text[i], &bad);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			key[o++] = acc >> bits;
		}
	}
	/* 43 characters are 258 bits: the last two must not say anything. */
	bad |= acc & ((1U << bits) - 1);
	return !bad;
}

void base64url_encode(char *text, const uint8_t *data, size_t len)
{
	unsigned int bits = 0;
	uint32_t acc = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		acc = acc << 8 | data[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*text++ = runs_encode(base64url_runs, BASE64_RUNS,
					      acc >> (bits - 6) & 63);
	}
	if (bits)
		*text = runs_encode(base64url_runs, BASE64_RUNS,
				    acc << (6 - bits) & 63);
}

bool base64url_decode(uint8_t *data, const char *text, size_t chars)
{
	uint32_t acc = 0, bad = 0;
	unsigned int bits = 0;
	size_t i;

	if (chars % 4 == 1)
		return false;
	for (i = 0; i < chars; i++) {
		acc = acc << 6 | runs_decode(base64url_runs, BASE64_RUNS,
					     (uint8_t)text[i], &bad);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*data++ = acc >> bits;
		}
	}
	bad |= acc & ((1U << bits) - 1);
	return !bad;
}

void hex_encode_key(char text[HEX_KEY_SIZE], const uint8_t key[WG_KEY_LEN])
{
	unsigned int i;

	/* Two runs only: encoding uses lower case. */
	for (i = 0; i < WG_KEY_LEN; i++) {
		text[2 * i] = runs_encode(hex_runs, 2, key[i] >> 4);
		text[2 * i + 1] = runs_encode(hex_runs, 2, key[i] & 15);
	}
	text[HEX_KEY_CHARS] = '\0';
}

bool hex_decode_key(uint8_t key[WG_KEY_LEN], const char *text)
{
	uint32_t bad = 0;
	unsigned int i;

	if (strlen(text) != HEX_KEY_CHARS)
		return false;
	for (i = 0; i < WG_KEY_LEN; i++) {
		uint32_t high = runs_decode(hex_runs, HEX_RUNS,
					    (uint8_t)text[2 * i], &bad);
		uint32_t low = runs_decode(hex_runs, HEX_RUNS,
					   (uint8_t)text[2 * i + 1], &bad);

		key[i] = high << 4 | low;
	}
	return !bad;
}

bool key_is_zero(const uint8_t key[WG_KEY_LEN])
{
	volatile uint8_t acc = 0;
	unsigned int i;

	for (i = 0; i < WG_KEY_LEN; i++)
		acc |= key[i];
	return !acc;
}
