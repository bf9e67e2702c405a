/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keypairs, the three slots they live in and the replay window (spec 2.3, 2.5
 * and 2.8).
 *
 * Layer 1. Whoever owns a keyring is an opaque pointer.
 */
#ifndef _WG_SESSION_H
#define _WG_SESSION_H

#include <linux/cache.h>
#include <linux/refcount.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "index.h"
#include "wire.h"

/**
 * struct wg_replay - which counters have been delivered (spec 2.8)
 * @highest: largest claimed counter + 1, 0 before the first
 * @bits: ring of words, one bit a counter
 *
 * Peeked at by anybody, claimed by one consumer at a time: who drains the
 * receive lane of the session's peer.
 */
struct wg_replay {
	u64 highest;
	unsigned long bits[WG_REPLAY_BITS / BITS_PER_LONG];
};

/**
 * struct wg_keypair - one session
 * @index: its entry in the index table; owner is the peer
 * @refs: slots hold one, each bundle in flight holds one
 * @birth_ns: boottime (coarse) of derivation
 * @remote_index: goes into each datagram
 * @initiator: did we send the initiation?
 * @send_valid: cleared when we must not send on it any more
 * @receive_valid: cleared when we must not receive on it any more
 * @rekeyed_late: the one rekey request at 165 s has been made
 * @send_key: seals what we send
 * @receive_key: opens what we receive
 * @send_counter: next nonce; protected by the producer lock of the TX lane of
 *	the peer, so that nonces and lane places come in the same order
 * @replay: receive window
 * @release: lets go of the owner with the last reference
 * @rcu: frees it after a grace period
 */
struct wg_keypair {
	struct wg_index_entry index;
	refcount_t refs;
	u64 birth_ns;
	__le32 remote_index;
	bool initiator;
	bool send_valid;
	bool receive_valid;
	bool rekeyed_late;
	u8 send_key[WG_KEY_LEN];
	u8 receive_key[WG_KEY_LEN];
	u64 send_counter;
	struct wg_replay replay ____cacheline_aligned_in_smp;
	void (*release)(void *owner);
	struct rcu_head rcu;
};

/**
 * struct wg_keyring - the three slots of a peer (spec 2.3)
 * @closed: set once when the peer dies; nothing is installed any more
 * @table: where the keypairs' indices are
 * @previous: still receives
 * @current_keypair: sends and receives
 * @next: responder's, until the initiator has proven that it has the key
 */
struct wg_keyring {
	/** @lock: protects the slots and @closed; BH-safe */
	spinlock_t lock;
	bool closed;
	struct wg_index_table *table;
	struct wg_keypair __rcu *previous;
	struct wg_keypair __rcu *current_keypair;
	struct wg_keypair __rcu *next;
};

int wg_session_init(void);
void wg_session_fini(void);

struct wg_keypair *wg_keypair_create(void *owner, void (*release)(void *owner),
				     gfp_t gfp);
struct wg_keypair *wg_keypair_get(struct wg_keypair *keypair);
void wg_keypair_put(struct wg_keypair *keypair);
struct wg_keypair *wg_keypair_find(struct wg_index_table *table, __le32 index);
bool wg_keypair_may_send(const struct wg_keypair *keypair, u64 now_ns);
bool wg_keypair_rekey_due(const struct wg_keypair *keypair, u64 counter,
			  u64 now_ns);
bool wg_keypair_may_receive(const struct wg_keypair *keypair, u64 now_ns);

void wg_keyring_init(struct wg_keyring *ring, struct wg_index_table *table);
int wg_keyring_install(struct wg_keyring *ring, struct wg_keypair *keypair,
		       struct wg_index_entry *handshake, __le32 index);
bool wg_keyring_confirm(struct wg_keyring *ring, struct wg_keypair *keypair);
void wg_keyring_stop_sending(struct wg_keyring *ring);
void wg_keyring_clear(struct wg_keyring *ring);
void wg_keyring_close(struct wg_keyring *ring);

bool wg_replay_peek(const struct wg_replay *replay, u64 counter);
bool wg_replay_claim(struct wg_replay *replay, u64 counter);

#endif /* _WG_SESSION_H */
