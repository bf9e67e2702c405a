// SPDX-License-Identifier: GPL-2.0
/*
 * X25519 (RFC 7748). (layer 0)
 *
 * A field element is ten limbs of 26 bits, value = sum of limb[i] * 2^(26 i).
 * 260 bits are more than 255, so the top wraps as 2^260 = 2^5 * 19 = 608
 * (mod 2^255 - 19).  Only 64-bit products of 32-bit numbers are needed, so the
 * same code serves every word size; one key per run does not need to be fast.
 *
 * "Tight" below means every limb < 2^26 + 2^11; every function takes and
 * returns tight elements.  No branch and no index depends on a value.
 */
#include "curve25519.h"

#include <string.h>

#define FE_LIMBS	10
#define FE_BITS		26
#define FE_MASK		((1U << FE_BITS) - 1)
#define FE_WRAP		608

struct fe {
	uint64_t limb[FE_LIMBS];
};

/* Make limbs tight that are each below 2^62. */
static void fe_carry(struct fe *x)
{
	unsigned int round, i;
	uint64_t c = 0;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < FE_LIMBS; i++) {
			x->limb[i] += c;
			c = x->limb[i] >> FE_BITS;
			x->limb[i] &= FE_MASK;
		}
		c *= FE_WRAP;
	}
	x->limb[0] += c;
}

static void fe_add(struct fe *out, const struct fe *a, const struct fe *b)
{
	unsigned int i;

	for (i = 0; i < FE_LIMBS; i++)
		out->limb[i] = a->limb[i] + b->limb[i];
	fe_carry(out);
}

static void fe_sub(struct fe *out, const struct fe *a, const struct fe *b)
{
	unsigned int i;

	/*
	 * 64 p = 2^261 - 1216 spelled with limbs that are all larger than a
	 * tight limb, so that no difference goes below zero.
	 */
	for (i = 0; i < FE_LIMBS; i++) {
		uint64_t bias = (1U << 27) - (i ? 2 : 1216);

		out->limb[i] = a->limb[i] + bias - b->limb[i];
	}
	fe_carry(out);
}

static void fe_mul(struct fe *out, const struct fe *a, const struct fe *b)
{
	uint64_t col[2 * FE_LIMBS] = { 0 };
	unsigned int i, j;
	uint64_t c = 0;

	for (i = 0; i < FE_LIMBS; i++)
		for (j = 0; j < FE_LIMBS; j++)
			col[i + j] += a->limb[i] * b->limb[j];
	/* The upper half must be 26-bit limbs before it can take * 608. */
	for (i = FE_LIMBS; i < 2 * FE_LIMBS; i++) {
		col[i] += c;
		c = col[i] >> FE_BITS;
		col[i] &= FE_MASK;
	}
	col[FE_LIMBS] += c * FE_WRAP;
	for (i = 0; i < FE_LIMBS; i++)
		out->limb[i] = col[i] + FE_WRAP * col[i + FE_LIMBS];
	fe_carry(out);
	explicit_bzero(col, sizeof(col));
}

static void fe_mul_small(struct fe *out, const struct fe *a, uint32_t k)
{
	unsigned int i;

	for (i = 0; i < FE_LIMBS; i++)
		out->limb[i] = a->limb[i] * k;
	fe_carry(out);
}

/* a^(p - 2); the exponent 2^255 - 21 is all ones but for bits 2 and 4. */
static void fe_invert(struct fe *out, const struct fe *a)
{
	struct fe r = *a;
	int bit;

	for (bit = 253; bit >= 0; bit--) {
		fe_mul(&r, &r, &r);
		if (bit != 2 && bit != 4)
			fe_mul(&r, &r, a);
	}
	*out = r;
	explicit_bzero(&r, sizeof(r));
}

/* Exchange a and b if swap is 1. */
static void fe_cswap(struct fe *a, struct fe *b, uint64_t swap)
{
	uint64_t mask = -swap;
	unsigned int i;

	for (i = 0; i < FE_LIMBS; i++) {
		uint64_t x = mask & (a->limb[i] ^ b->limb[i]);

		a->limb[i] ^= x;
		b->limb[i] ^= x;
	}
}

static void fe_from_bytes(struct fe *x, const uint8_t in[CURVE25519_LEN])
{
	unsigned int i;

	memset(x, 0, sizeof(*x));
	for (i = 0; i < 255; i++)
		x->limb[i / FE_BITS] |= (uint64_t)(in[i / 8] >> i % 8 & 1)
					<< i % FE_BITS;
}

/* Bring the bits from 255 up down to where they count. */
static void fe_fold(struct fe *x)
{
	uint64_t c = 19 * (x->limb[9] >> 21);
	unsigned int i;

	x->limb[9] &= (1U << 21) - 1;
	for (i = 0; i < FE_LIMBS; i++) {
		x->limb[i] += c;
		c = i < FE_LIMBS - 1 ? x->limb[i] >> FE_BITS : 0;
		x->limb[i] -= c << FE_BITS;
	}
}

static void fe_to_bytes(uint8_t out[CURVE25519_LEN], struct fe *x)
{
	struct fe t;
	unsigned int i;
	uint64_t mask;

	fe_fold(x);
	fe_fold(x);
	/* Now x < 2^255; x >= p if and only if x + 19 reaches bit 255. */
	t = *x;
	t.limb[0] += 19;
	for (i = 0; i < FE_LIMBS - 1; i++) {
		t.limb[i + 1] += t.limb[i] >> FE_BITS;
		t.limb[i] &= FE_MASK;
	}
	mask = -(t.limb[9] >> 21);
	t.limb[9] &= (1U << 21) - 1;
	memset(out, 0, CURVE25519_LEN);
	for (i = 0; i < FE_LIMBS; i++)
		x->limb[i] ^= mask & (x->limb[i] ^ t.limb[i]);
	for (i = 0; i < 255; i++)
		out[i / 8] |= (x->limb[i / FE_BITS] >> i % FE_BITS & 1)
			      << i % 8;
	explicit_bzero(&t, sizeof(t));
}

/* The Montgomery ladder's two points and scratch, wiped as one. */
struct ladder {
	struct fe x1, x2, z2, x3, z3;
	struct fe a, b, c, d, e;
};

/* One step as in RFC 7748, section 5. */
static void ladder_step(struct ladder *l)
{
	fe_add(&l->a, &l->x2, &l->z2);
	fe_sub(&l->b, &l->x2, &l->z2);
	fe_add(&l->c, &l->x3, &l->z3);
	fe_sub(&l->d, &l->x3, &l->z3);
	fe_mul(&l->d, &l->d, &l->a);
	fe_mul(&l->c, &l->c, &l->b);
	fe_add(&l->x3, &l->d, &l->c);
	fe_mul(&l->x3, &l->x3, &l->x3);
	fe_sub(&l->z3, &l->d, &l->c);
	fe_mul(&l->z3, &l->z3, &l->z3);
	fe_mul(&l->z3, &l->z3, &l->x1);
	fe_mul(&l->a, &l->a, &l->a);
	fe_mul(&l->b, &l->b, &l->b);
	fe_mul(&l->x2, &l->a, &l->b);
	fe_sub(&l->e, &l->a, &l->b);
	fe_mul_small(&l->z2, &l->e, 121665);
	fe_add(&l->z2, &l->z2, &l->a);
	fe_mul(&l->z2, &l->z2, &l->e);
}

void curve25519_clamp(uint8_t key[CURVE25519_LEN])
{
	key[0] &= 248;
	key[31] &= 127;
	key[31] |= 64;
}

void curve25519_multiply(uint8_t out[CURVE25519_LEN],
			 const uint8_t scalar[CURVE25519_LEN],
			 const uint8_t point[CURVE25519_LEN])
{
	uint8_t k[CURVE25519_LEN];
	uint64_t bit, swap = 0;
	struct ladder l;
	int i;

	memcpy(k, scalar, sizeof(k));
	curve25519_clamp(k);
	memset(&l, 0, sizeof(l));
	fe_from_bytes(&l.x1, point);
	l.x2.limb[0] = 1;
	l.x3 = l.x1;
	l.z3.limb[0] = 1;
	for (i = 254; i >= 0; i--) {
		bit = k[i / 8] >> i % 8 & 1;
		fe_cswap(&l.x2, &l.x3, swap ^ bit);
		fe_cswap(&l.z2, &l.z3, swap ^ bit);
		swap = bit;
		ladder_step(&l);
	}
	fe_cswap(&l.x2, &l.x3, swap);
	fe_cswap(&l.z2, &l.z3, swap);
	fe_invert(&l.a, &l.z2);
	fe_mul(&l.x2, &l.x2, &l.a);
	fe_to_bytes(out, &l.x2);
	explicit_bzero(&l, sizeof(l));
	explicit_bzero(k, sizeof(k));
}

void curve25519_public_key(uint8_t pub[CURVE25519_LEN],
			   const uint8_t key[CURVE25519_LEN])
{
	static const uint8_t base[CURVE25519_LEN] = { 9 };

	curve25519_multiply(pub, key, base);
}
