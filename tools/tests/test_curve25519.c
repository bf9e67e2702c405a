// SPDX-License-Identifier: GPL-2.0
/* X25519: the vectors of RFC 7748 and the edges of the field. */
#include <string.h>

#include "../base64.h"
#include "../curve25519.h"
#include "tap.h"

/* RFC 7748, sections 5.2 and 6.1; then u = 0, 1, p - 1, p, p + 1, 2^255 - 1. */
static const struct {
	const char *name;
	const char *scalar;
	const char *point;
	const char *result;
} curve_vectors[] = {
	{ "5.2 first",
	  "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
	  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
	  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
	{ "5.2 second",
	  "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
	  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
	  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	{ "6.1 Alice",
	  "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
	  "0900000000000000000000000000000000000000000000000000000000000000",
	  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a" },
	{ "6.1 Bob",
	  "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	  "0900000000000000000000000000000000000000000000000000000000000000",
	  "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f" },
	{ "6.1 shared",
	  "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
	  "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" },
	{ "point 0",
	  "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
	  "0000000000000000000000000000000000000000000000000000000000000000",
	  "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "point 1",
	  "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
	  "0100000000000000000000000000000000000000000000000000000000000000",
	  "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "point p - 1",
	  "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
	  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	  "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "point p",
	  "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
	  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	  "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "point p + 1",
	  "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
	  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	  "0000000000000000000000000000000000000000000000000000000000000000" },
};

static void test_vectors(struct tap *tap)
{
	uint8_t scalar[32], point[32], out[32];
	char hex[HEX_KEY_SIZE];
	size_t i;

	for (i = 0; i < sizeof(curve_vectors) / sizeof(*curve_vectors); i++) {
		if (!hex_decode_key(scalar, curve_vectors[i].scalar) ||
		    !hex_decode_key(point, curve_vectors[i].point)) {
			tap_ok(tap, false, "%s reads", curve_vectors[i].name);
			continue;
		}
		curve25519_multiply(out, scalar, point);
		hex_encode_key(hex, out);
		tap_same(tap, hex, curve_vectors[i].result,
			 curve_vectors[i].name);
	}
}

/* The same point spelled p + 9 and with the top bit set. */
static void test_spellings(struct tap *tap)
{
	uint8_t key[32], want[32], got[32], nine[32] = { 9 };
	uint8_t big[32];

	memset(key, 0x42, sizeof(key));
	curve25519_public_key(want, key);
	nine[31] = 0x80;
	curve25519_multiply(got, key, nine);
	tap_ok(tap, !memcmp(got, want, 32), "the top bit is ignored");
	memset(big, 0xff, sizeof(big));
	big[0] = 0xed + 9;
	big[31] = 0x7f;
	curve25519_multiply(got, key, big);
	tap_ok(tap, !memcmp(got, want, 32), "p + 9 is 9");
	curve25519_clamp(key);
	curve25519_multiply(got, key, (const uint8_t[32]){ 9 });
	tap_ok(tap, !memcmp(got, want, 32), "clamping changes nothing");
	tap_ok(tap, key[0] == 0x40 && key[31] == 0x42, "clamped key");
}

static void test_agreement(struct tap *tap)
{
	uint8_t a[32], b[32], pa[32], pb[32], ab[32], ba[32];
	unsigned int i, round, wrong = 0;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 32; i++) {
			a[i] = i * 7 + round * 31;
			b[i] = i * 13 + round * 17 + 1;
		}
		curve25519_public_key(pa, a);
		curve25519_public_key(pb, b);
		curve25519_multiply(ab, a, pb);
		curve25519_multiply(ba, b, pa);
		wrong += memcmp(ab, ba, 32) != 0;
	}
	tap_ok(tap, !wrong, "both sides agree, 20 pairs");
}

static void test_iterated(struct tap *tap)
{
	uint8_t k[32] = { 9 }, u[32] = { 9 }, r[32];
	char hex[HEX_KEY_SIZE];
	unsigned int i;

	for (i = 1; i <= 1000; i++) {
		curve25519_multiply(r, k, u);
		memcpy(u, k, 32);
		memcpy(k, r, 32);
		if (i != 1 && i != 1000)
			continue;
		hex_encode_key(hex, k);
		tap_same(tap, hex, i == 1 ?
			 "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079" :
			 "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
			 i == 1 ? "iterated once" : "iterated 1000 times");
	}
}

int main(void)
{
	struct tap tap = { .suite = "curve25519" };

	test_vectors(&tap);
	test_spellings(&tap);
	test_agreement(&tap);
	test_iterated(&tap);
	return tap_end(&tap);
}
