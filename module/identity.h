/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The static key pair of a device.
 *
 * Layer 1. Plain memory and one lock.
 */
#ifndef _WG_IDENTITY_H
#define _WG_IDENTITY_H

#include <linux/rwsem.h>
#include <linux/types.h>

#include "wire.h"

/**
 * struct wg_identity - our static key pair, one per device
 * @lock: protects everything below; readers hold it while they compute with
 *	the private key, config holds it for writing to change the key
 * @private_key: clamped; all zero without an identity
 * @public_key: belongs to @private_key; all zero without an identity
 * @present: is there an identity?
 * @generation: bumped with each change, tells peers that their precomputed
 *	static-static secret is stale
 */
struct wg_identity {
	struct rw_semaphore lock;
	u8 private_key[WG_KEY_LEN];
	u8 public_key[WG_KEY_LEN];
	bool present;
	u32 generation;
};

void wg_identity_init(struct wg_identity *id);
void wg_identity_set(struct wg_identity *id, const u8 private_key[WG_KEY_LEN]);
bool wg_identity_public_key(u8 public_key[WG_KEY_LEN],
			    const u8 private_key[WG_KEY_LEN]);

#endif /* _WG_IDENTITY_H */
