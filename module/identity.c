// SPDX-License-Identifier: GPL-2.0
/*
 * The static key pair of a device.
 *
 * Layer 1, see identity.h.
 */
#include "identity.h"

#include <linux/lockdep.h>
#include <linux/string.h>

#include <crypto/curve25519.h>
#include <crypto/utils.h>

/**
 * wg_identity_init() - prepare an identity that has no key yet
 * @id: where
 *
 * Context: any; nobody else may use @id yet.
 */
void wg_identity_init(struct wg_identity *id)
{
	memset(id, 0, sizeof(*id));
	init_rwsem(&id->lock);
	/* Handshakes start with 0, "never computed". */
	id->generation = 1;
}

/**
 * wg_identity_set() - change our key pair
 * @id: of the device
 * @private_key: clamped here; all zero means no identity
 *
 * Makes the static-static secret of each peer stale (spec 1.8). Running
 * handshakes will fail to verify; sessions are the caller's business.
 *
 * Context: process, @id->lock held for writing.
 */
void wg_identity_set(struct wg_identity *id, const u8 private_key[WG_KEY_LEN])
{
	lockdep_assert_held_write(&id->lock);

	id->present = wg_identity_public_key(id->public_key, private_key);
	if (id->present) {
		memcpy(id->private_key, private_key, WG_KEY_LEN);
		curve25519_clamp_secret(id->private_key);
	} else {
		memzero_explicit(id->private_key, WG_KEY_LEN);
	}
	if (!++id->generation)
		id->generation = 1;
}

/**
 * wg_identity_public_key() - what belongs to a private key
 * @public_key: result; all zero if there is none
 * @private_key: need not be clamped
 *
 * Context: any in which X25519 may take its time.
 * Return: false if @private_key is all zero, which means no key.
 */
bool wg_identity_public_key(u8 public_key[WG_KEY_LEN],
			    const u8 private_key[WG_KEY_LEN])
{
	static const u8 none[WG_KEY_LEN];
	u8 clamped[WG_KEY_LEN];
	bool ok = false;

	if (crypto_memneq(private_key, none, WG_KEY_LEN)) {
		memcpy(clamped, private_key, WG_KEY_LEN);
		curve25519_clamp_secret(clamped);
		ok = curve25519_generate_public(public_key, clamped);
		memzero_explicit(clamped, sizeof(clamped));
	}
	if (!ok)
		memset(public_key, 0, WG_KEY_LEN);
	return ok;
}
