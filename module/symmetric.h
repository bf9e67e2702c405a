/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The symmetric half of Noise: a transcript that keys, ephemerals and sealed
 * fields are mixed into, one function per token of the handshake pattern.
 *
 * Layer 1. Plain memory, no locks; a transcript lives on its user's stack.
 */
#ifndef _WG_SYMMETRIC_H
#define _WG_SYMMETRIC_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "wire.h"

/**
 * struct wg_symmetric - a running transcript
 * @hash: of all that was said
 * @chaining_key: of all keys agreed upon
 * @key: seals the next field
 *
 * Whoever declares one wipes it.
 */
struct wg_symmetric {
	u8 hash[WG_HASH_LEN];
	u8 chaining_key[WG_HASH_LEN];
	u8 key[WG_KEY_LEN];
};

void wg_symmetric_init(void);
void wg_symmetric_kdf(u8 output[][WG_HASH_LEN], unsigned int n,
		      const u8 chaining_key[WG_HASH_LEN], const u8 *input);
void wg_symmetric_start(struct wg_symmetric *sym,
			const u8 responder_static[WG_KEY_LEN]);
void wg_symmetric_mix_hash(struct wg_symmetric *sym, const u8 *data,
			   size_t len);
void wg_symmetric_mix_key(struct wg_symmetric *sym,
			  const u8 input[WG_KEY_LEN]);
void wg_symmetric_mix_psk(struct wg_symmetric *sym, const u8 psk[WG_KEY_LEN]);
void wg_symmetric_mix_ephemeral(struct wg_symmetric *sym,
				const u8 public_key[WG_KEY_LEN]);
int __must_check wg_symmetric_mix_dh(struct wg_symmetric *sym,
				     const u8 private_key[WG_KEY_LEN],
				     const u8 public_key[WG_KEY_LEN]);
void wg_symmetric_seal(struct wg_symmetric *sym, u8 *sealed, const u8 *plain,
		       size_t len);
int __must_check wg_symmetric_unseal(struct wg_symmetric *sym, u8 *plain,
				     const u8 *sealed, size_t len);

#endif /* _WG_SYMMETRIC_H */
