// SPDX-License-Identifier: GPL-2.0
/*
 * The symmetric half of Noise (spec 1.1, 1.4 and 1.5).
 *
 * Layer 1, see symmetric.h.
 */
#include "symmetric.h"

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/curve25519.h>

static_assert((int)WG_KEY_LEN == (int)CURVE25519_KEY_SIZE);
static_assert((int)WG_KEY_LEN == (int)CHACHA20POLY1305_KEY_SIZE);
static_assert((int)WG_HASH_LEN == (int)BLAKE2S_HASH_SIZE);
static_assert((int)WG_TAG_LEN == (int)CHACHA20POLY1305_AUTHTAG_SIZE);

#define WG_SYMMETRIC_CONSTRUCTION "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
#define WG_SYMMETRIC_IDENTIFIER "WireGuard v1 zx2c4 Jason@zx2c4.com"

/* Where each transcript starts: C0 and H0 of spec 1.5. */
static u8 wg_symmetric_first_key[WG_HASH_LEN] __ro_after_init;
static u8 wg_symmetric_first_hash[WG_HASH_LEN] __ro_after_init;

/**
 * wg_symmetric_init() - compute what all handshakes start from
 *
 * To be called once when the module is loaded, before anything else here.
 *
 * Context: module init.
 */
void __init wg_symmetric_init(void)
{
	struct wg_symmetric sym;
	struct blake2s_ctx ctx;

	blake2s_init(&ctx, WG_HASH_LEN);
	blake2s_update(&ctx, (const u8 *)WG_SYMMETRIC_CONSTRUCTION,
		       strlen(WG_SYMMETRIC_CONSTRUCTION));
	blake2s_final(&ctx, sym.hash);
	memcpy(wg_symmetric_first_key, sym.hash, WG_HASH_LEN);

	wg_symmetric_mix_hash(&sym, (const u8 *)WG_SYMMETRIC_IDENTIFIER,
			      strlen(WG_SYMMETRIC_IDENTIFIER));
	memcpy(wg_symmetric_first_hash, sym.hash, WG_HASH_LEN);
}

/* Ordinary HMAC, not keyed BLAKE2s (spec 1.1). @mac may be @key. */
static void wg_symmetric_hmac(u8 mac[WG_HASH_LEN], const u8 key[WG_HASH_LEN],
			      const u8 *data, size_t len)
{
	u8 pad[BLAKE2S_BLOCK_SIZE] = {};
	struct blake2s_ctx ctx;
	u8 inner[WG_HASH_LEN];
	size_t i;

	memcpy(pad, key, WG_HASH_LEN);
	for (i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	blake2s_init(&ctx, WG_HASH_LEN);
	blake2s_update(&ctx, pad, sizeof(pad));
	blake2s_update(&ctx, data, len);
	blake2s_final(&ctx, inner);

	for (i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	blake2s_init(&ctx, WG_HASH_LEN);
	blake2s_update(&ctx, pad, sizeof(pad));
	blake2s_update(&ctx, inner, sizeof(inner));
	blake2s_final(&ctx, mac);

	memzero_explicit(&ctx, sizeof(ctx));
	memzero_explicit(pad, sizeof(pad));
	memzero_explicit(inner, sizeof(inner));
}

/**
 * wg_symmetric_kdf() - KDFn of spec 1.4
 * @output: @n keys; the caller wipes them
 * @n: 1 to 3
 * @chaining_key: to derive from
 * @input: a key, or NULL for no input
 *
 * Context: any.
 */
void wg_symmetric_kdf(u8 output[][WG_HASH_LEN], unsigned int n,
		      const u8 chaining_key[WG_HASH_LEN], const u8 *input)
{
	u8 block[WG_HASH_LEN + 1];
	u8 secret[WG_HASH_LEN];
	size_t len = 0;
	unsigned int i;

	wg_symmetric_hmac(secret, chaining_key, input, input ? WG_KEY_LEN : 0);
	for (i = 0; i < n; i++) {
		block[len++] = i + 1;
		wg_symmetric_hmac(output[i], secret, block, len);
		len = WG_HASH_LEN;
		memcpy(block, output[i], len);
	}

	memzero_explicit(block, sizeof(block));
	memzero_explicit(secret, sizeof(secret));
}

/**
 * wg_symmetric_start() - begin a transcript
 * @sym: where
 * @responder_static: public key of the one who will respond
 *
 * Context: any.
 */
void wg_symmetric_start(struct wg_symmetric *sym,
			const u8 responder_static[WG_KEY_LEN])
{
	memcpy(sym->chaining_key, wg_symmetric_first_key, WG_HASH_LEN);
	memcpy(sym->hash, wg_symmetric_first_hash, WG_HASH_LEN);
	wg_symmetric_mix_hash(sym, responder_static, WG_KEY_LEN);
}

/**
 * wg_symmetric_mix_hash() - note what was said
 * @sym: transcript
 * @data: bytes as on the wire, or a public key
 * @len: of @data
 *
 * Context: any.
 */
void wg_symmetric_mix_hash(struct wg_symmetric *sym, const u8 *data,
			   size_t len)
{
	struct blake2s_ctx ctx;

	blake2s_init(&ctx, WG_HASH_LEN);
	blake2s_update(&ctx, sym->hash, WG_HASH_LEN);
	blake2s_update(&ctx, data, len);
	blake2s_final(&ctx, sym->hash);
}

/**
 * wg_symmetric_mix_key() - agree on a key
 * @sym: transcript
 * @input: the key
 *
 * KDF2. Serves as KDF1 too, whose one output is the first of KDF2.
 *
 * Context: any.
 */
void wg_symmetric_mix_key(struct wg_symmetric *sym,
			  const u8 input[WG_KEY_LEN])
{
	u8 output[2][WG_HASH_LEN];

	wg_symmetric_kdf(output, ARRAY_SIZE(output), sym->chaining_key, input);
	memcpy(sym->chaining_key, output[0], WG_HASH_LEN);
	memcpy(sym->key, output[1], WG_KEY_LEN);
	memzero_explicit(output, sizeof(output));
}

/**
 * wg_symmetric_mix_psk() - token "psk"
 * @sym: transcript
 * @psk: preshared key, all zero if there is none
 *
 * Context: any.
 */
void wg_symmetric_mix_psk(struct wg_symmetric *sym, const u8 psk[WG_KEY_LEN])
{
	u8 output[3][WG_HASH_LEN];

	wg_symmetric_kdf(output, ARRAY_SIZE(output), sym->chaining_key, psk);
	memcpy(sym->chaining_key, output[0], WG_HASH_LEN);
	wg_symmetric_mix_hash(sym, output[1], WG_HASH_LEN);
	memcpy(sym->key, output[2], WG_KEY_LEN);
	memzero_explicit(output, sizeof(output));
}

/**
 * wg_symmetric_mix_dh() - tokens "es", "se" and "ee"
 * @sym: transcript
 * @private_key: ours
 * @public_key: the peer's
 *
 * Context: any in which X25519 may take its time.
 * Return: 0, -EKEYREJECTED if @public_key is a low-order point.
 */
int wg_symmetric_mix_dh(struct wg_symmetric *sym,
			const u8 private_key[WG_KEY_LEN],
			const u8 public_key[WG_KEY_LEN])
{
	u8 shared[WG_KEY_LEN];
	int err = -EKEYREJECTED;

	if (curve25519(shared, private_key, public_key)) {
		wg_symmetric_mix_key(sym, shared);
		err = 0;
	}
	memzero_explicit(shared, sizeof(shared));
	return err;
}

/**
 * wg_symmetric_mix_ephemeral() - token "e"
 * @sym: transcript
 * @public_key: of the sender
 *
 * The rule of the psk variants: into the hash and into the key (spec 1.5).
 *
 * Context: any.
 */
void wg_symmetric_mix_ephemeral(struct wg_symmetric *sym,
				const u8 public_key[WG_KEY_LEN])
{
	wg_symmetric_mix_hash(sym, public_key, WG_KEY_LEN);
	wg_symmetric_mix_key(sym, public_key);
}

/**
 * wg_symmetric_seal() - encrypt a field of a message
 * @sym: transcript; takes in what was sealed
 * @sealed: result, @len and a tag
 * @plain: field
 * @len: of @plain
 *
 * Each key seals one field only, so the nonce is always 0 (spec 1.1).
 *
 * Context: any.
 */
void wg_symmetric_seal(struct wg_symmetric *sym, u8 *sealed, const u8 *plain,
		       size_t len)
{
	chacha20poly1305_encrypt(sealed, plain, len, sym->hash, WG_HASH_LEN, 0,
				 sym->key);
	wg_symmetric_mix_hash(sym, sealed, len + WG_TAG_LEN);
}

/**
 * wg_symmetric_unseal() - decrypt a field of a message
 * @sym: transcript; takes in @sealed if that is genuine
 * @plain: result
 * @sealed: @len and a tag
 * @len: of @plain
 *
 * Context: any.
 * Return: 0, -EBADMSG if the tag does not verify.
 */
int wg_symmetric_unseal(struct wg_symmetric *sym, u8 *plain, const u8 *sealed,
			size_t len)
{
	if (!chacha20poly1305_decrypt(plain, sealed, len + WG_TAG_LEN,
				      sym->hash, WG_HASH_LEN, 0, sym->key))
		return -EBADMSG;
	wg_symmetric_mix_hash(sym, sealed, len + WG_TAG_LEN);
	return 0;
}
