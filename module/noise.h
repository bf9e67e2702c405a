/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Noise_IKpsk2 on plain memory: make, open and accept the two handshake
 * messages, split the result into transport keys.
 *
 * Layer 1. Knows no peer, no index table and no skb. Every operation copies
 * what it needs out of the handshake, computes without its lock, and commits
 * under the lock only if the handshake is still the one it computed against.
 */
#ifndef _WG_NOISE_H
#define _WG_NOISE_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "identity.h"
#include "wire.h"

enum wg_noise_state {
	WG_NOISE_ZEROED,
	WG_NOISE_CREATED_INITIATION,
	WG_NOISE_CONSUMED_INITIATION,
	WG_NOISE_CREATED_RESPONSE,
	WG_NOISE_CONSUMED_RESPONSE,
};

/**
 * struct wg_noise_handshake - one per peer, shared by both roles (spec 2.2)
 * @lock: protects everything below but @remote_static; held for copying and
 *	comparing only, never while computing
 * @state: see spec 2.2
 * @local_index: our index in the running handshake
 * @remote_index: the peer's index in the running handshake
 * @ephemeral_private: ours
 * @remote_ephemeral: the peer's
 * @hash: running transcript hash
 * @chaining_key: running chaining key
 * @remote_static: the peer's public key; never changes
 * @preshared_key: zero if none
 * @static_static: DH of both static keys, computed when first needed
 * @static_generation: identity generation @static_static belongs to, 0 never
 * @latest_timestamp: of the last accepted initiation; outlives clear
 * @last_accept_ns: boottime of the last accepted initiation
 */
struct wg_noise_handshake {
	spinlock_t lock; /* protects all but @remote_static */
	enum wg_noise_state state;
	__le32 local_index;
	__le32 remote_index;
	u8 ephemeral_private[WG_KEY_LEN];
	u8 remote_ephemeral[WG_KEY_LEN];
	u8 hash[WG_HASH_LEN];
	u8 chaining_key[WG_HASH_LEN];
	u8 remote_static[WG_KEY_LEN];
	u8 preshared_key[WG_KEY_LEN];
	u8 static_static[WG_KEY_LEN];
	u32 static_generation;
	u8 latest_timestamp[WG_TIMESTAMP_LEN];
	u64 last_accept_ns;
};

/**
 * struct wg_noise_opened - an initiation that decrypted, not yet accepted
 * @remote_static: who sent it; look the peer up by this
 * @remote_ephemeral: from the message
 * @hash: transcript up to and including the static key
 * @chaining_key: ditto
 * @sealed_timestamp: opened by wg_noise_accept_initiation(), which needs the
 *	static-static secret of the peer
 * @remote_index: sender index of the message
 *
 * The holder wipes it.
 */
struct wg_noise_opened {
	u8 remote_static[WG_KEY_LEN];
	u8 remote_ephemeral[WG_KEY_LEN];
	u8 hash[WG_HASH_LEN];
	u8 chaining_key[WG_HASH_LEN];
	u8 sealed_timestamp[WG_TIMESTAMP_LEN + WG_TAG_LEN];
	__le32 remote_index;
};

/**
 * struct wg_noise_keys - what a finished handshake yields
 * @send: key for what we send
 * @receive: key for what we receive
 * @local_index: ours, to be inherited by the session
 * @remote_index: the peer's, put into each datagram
 * @initiator: did we send the initiation?
 *
 * The holder wipes it.
 */
struct wg_noise_keys {
	u8 send[WG_KEY_LEN];
	u8 receive[WG_KEY_LEN];
	__le32 local_index;
	__le32 remote_index;
	bool initiator;
};

void wg_noise_handshake_init(struct wg_noise_handshake *hs,
			     const u8 remote_static[WG_KEY_LEN],
			     const u8 preshared_key[WG_KEY_LEN]);
void wg_noise_handshake_clear(struct wg_noise_handshake *hs);
void wg_noise_handshake_drop_static(struct wg_noise_handshake *hs);
void wg_noise_handshake_set_psk(struct wg_noise_handshake *hs,
				const u8 preshared_key[WG_KEY_LEN]);

int wg_noise_make_initiation(struct wg_noise_handshake *hs,
			     struct wg_identity *id, __le32 local_index,
			     struct wg_msg_initiation *msg);
int wg_noise_open_initiation(struct wg_noise_opened *opened,
			     struct wg_identity *id,
			     const struct wg_msg_initiation *msg);
int wg_noise_accept_initiation(struct wg_noise_handshake *hs,
			       struct wg_identity *id,
			       const struct wg_noise_opened *opened);
int wg_noise_make_response(struct wg_noise_handshake *hs,
			   __le32 local_index, struct wg_msg_response *msg);
int wg_noise_accept_response(struct wg_noise_handshake *hs,
			     struct wg_identity *id,
			     const struct wg_msg_response *msg);
int wg_noise_split(struct wg_noise_handshake *hs, struct wg_noise_keys *keys);

#endif /* _WG_NOISE_H */
