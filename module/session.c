// SPDX-License-Identifier: GPL-2.0
/*
 * Keypairs, their three slots and the replay window (spec 2.3, 2.5 and 2.8).
 *
 * Layer 1. Lock order: wg_keyring.lock, then wg_index_table.lock.
 */
#include "session.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#define WG_SESSION_REPLAY_WORDS	(WG_REPLAY_BITS / BITS_PER_LONG)

/* A kilobyte of replay window and some: of kmalloc's sizes, two. */
static struct kmem_cache *wg_session_keypair_cache;

/**
 * wg_session_init() - once per module
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_session_init(void)
{
	wg_session_keypair_cache = KMEM_CACHE(wg_keypair, SLAB_HWCACHE_ALIGN);
	return wg_session_keypair_cache ? 0 : -ENOMEM;
}

/**
 * wg_session_fini() - undo wg_session_init()
 *
 * Context: process; all keypairs have been freed (rcu_barrier).
 */
void wg_session_fini(void)
{
	kmem_cache_destroy(wg_session_keypair_cache);
}

/**
 * wg_keypair_create() - allocate a session, valid and born now
 * @owner: the peer, for the index entry; opaque here
 * @release: called with @owner when the last reference goes, in any context but
 *	hard interrupt; may be NULL
 * @gfp: for the allocation
 *
 * The caller fills in the keys, @remote_index and @initiator before it gives
 * the keypair to wg_keyring_install().
 *
 * Context: as @gfp allows.
 * Return: the keypair with one reference, the caller's; or NULL without memory.
 */
struct wg_keypair *wg_keypair_create(void *owner, void (*release)(void *owner),
				     gfp_t gfp)
{
	struct wg_keypair *keypair;

	keypair = kmem_cache_zalloc(wg_session_keypair_cache, gfp);
	if (!keypair)
		return NULL;
	keypair->index.type = WG_INDEX_KEYPAIR;
	keypair->index.owner = owner;
	keypair->release = release;
	refcount_set(&keypair->refs, 1);
	keypair->birth_ns = ktime_get_coarse_boottime_ns();
	keypair->send_valid = true;
	keypair->receive_valid = true;
	return keypair;
}

/**
 * wg_keypair_get() - take a reference on a keypair found under RCU
 * @keypair: from a slot or the index table, or NULL
 *
 * Context: any; under rcu_read_lock() unless the caller has a reference.
 * Return: @keypair, or NULL if it was NULL or its last reference has gone.
 */
struct wg_keypair *wg_keypair_get(struct wg_keypair *keypair)
{
	if (!keypair || !refcount_inc_not_zero(&keypair->refs))
		return NULL;
	return keypair;
}

static void wg_session_keypair_free_rcu(struct rcu_head *rcu)
{
	struct wg_keypair *keypair = container_of(rcu, struct wg_keypair, rcu);

	memzero_explicit(keypair, sizeof(*keypair));
	kmem_cache_free(wg_session_keypair_cache, keypair);
}

/**
 * wg_keypair_put() - let go of a reference
 * @keypair: or NULL; with the last reference it is wiped and freed after a
 *	grace period, so the module's exit needs an rcu_barrier()
 *
 * The last reference never goes before the keypair has left the index table:
 * that is done when it leaves its slot, which holds a reference.
 *
 * Context: any.
 */
void wg_keypair_put(struct wg_keypair *keypair)
{
	if (!keypair || !refcount_dec_and_test(&keypair->refs))
		return;
	if (keypair->release)
		keypair->release(keypair->index.owner);
	call_rcu(&keypair->rcu, wg_session_keypair_free_rcu);
}

/**
 * wg_keypair_find() - the session a datagram belongs to
 * @table: of the device
 * @index: receiver index of the datagram
 *
 * Context: any but hard interrupt.
 * Return: the keypair with a reference for the caller; NULL if the index is
 * unknown or a handshake's.
 */
struct wg_keypair *wg_keypair_find(struct wg_index_table *table, __le32 index)
{
	struct wg_keypair *keypair = NULL;
	struct wg_index_entry *entry;

	rcu_read_lock();
	entry = wg_index_find(table, index);
	if (entry && entry->type == WG_INDEX_KEYPAIR)
		keypair = wg_keypair_get(container_of(entry, struct wg_keypair,
						      index));
	rcu_read_unlock();
	return keypair;
}

static bool wg_session_keypair_expired(const struct wg_keypair *keypair,
				       u64 now_ns)
{
	/* A sum, as now_ns may have been read before the keypair was born. */
	return now_ns >= keypair->birth_ns +
			 WG_REJECT_AFTER_TIME * (u64)NSEC_PER_SEC;
}

/**
 * wg_keypair_may_send() - may datagrams be sent in this session?
 * @keypair: the caller has a reference or is under RCU
 * @now_ns: ktime_get_coarse_boottime_ns()
 *
 * An answer for now; the counter is checked again where nonces are assigned
 * (spec 2.5).
 *
 * Context: any.
 * Return: true if it is valid, young enough and has counters left.
 */
bool wg_keypair_may_send(const struct wg_keypair *keypair, u64 now_ns)
{
	return READ_ONCE(keypair->send_valid) &&
	       !wg_session_keypair_expired(keypair, now_ns) &&
	       READ_ONCE(keypair->send_counter) < WG_REJECT_AFTER_MESSAGES;
}

/* At an age of each session's own; without an index it has been replaced. */
static bool wg_keypair_is_old(const struct wg_keypair *keypair, u64 now_ns)
{
	u32 index = le32_to_cpu(READ_ONCE(keypair->index.index));
	u64 age = WG_REKEY_AFTER_TIME * (u64)NSEC_PER_SEC +
		  reciprocal_scale(index, WG_REKEY_SPREAD_NS);

	return index && now_ns >= keypair->birth_ns + age;
}

/**
 * wg_keypair_rekey_due() - is it time to ask for the next session?
 * @keypair: the caller has a reference or is under RCU
 * @counter: the next one to be sent
 * @now_ns: ktime_get_coarse_boottime_ns()
 *
 * Of the two ends only the initiator looks at the time, or both would ask at
 * once (spec 2.5).
 *
 * Context: any.
 * Return: true after so many messages, or so much time.
 */
bool wg_keypair_rekey_due(const struct wg_keypair *keypair, u64 counter,
			  u64 now_ns)
{
	return counter > WG_REKEY_AFTER_MESSAGES ||
	       (keypair->initiator && wg_keypair_is_old(keypair, now_ns));
}

/**
 * wg_keypair_may_receive() - may datagrams of this session be opened?
 * @keypair: the caller has a reference or is under RCU
 * @now_ns: ktime_get_coarse_boottime_ns()
 *
 * Context: any.
 * Return: true if it is valid, young enough and has counters left (spec 2.5).
 */
bool wg_keypair_may_receive(const struct wg_keypair *keypair, u64 now_ns)
{
	return READ_ONCE(keypair->receive_valid) &&
	       !wg_session_keypair_expired(keypair, now_ns) &&
	       READ_ONCE(keypair->replay.highest) < WG_REJECT_AFTER_MESSAGES;
}

/**
 * wg_keyring_init() - set up three empty slots
 * @ring: to be initialised
 * @table: where indices of keypairs in @ring are; outlives it
 *
 * Context: any.
 */
void wg_keyring_init(struct wg_keyring *ring, struct wg_index_table *table)
{
	spin_lock_init(&ring->lock);
	ring->table = table;
	ring->closed = false;
	RCU_INIT_POINTER(ring->previous, NULL);
	RCU_INIT_POINTER(ring->current_keypair, NULL);
	RCU_INIT_POINTER(ring->next, NULL);
}

/* What leaves the slots leaves the index table at once (spec 2.3). */
static void wg_session_keyring_drop(struct wg_keyring *ring,
				    struct wg_keypair *keypair)
{
	lockdep_assert_held(&ring->lock);

	if (!keypair)
		return;
	wg_index_remove(ring->table, &keypair->index);
	wg_keypair_put(keypair);
}

static struct wg_keypair *
wg_session_keyring_swap(struct wg_keyring *ring,
			struct wg_keypair __rcu **slot,
			struct wg_keypair *keypair)
{
	return rcu_replace_pointer(*slot, keypair,
				   lockdep_is_held(&ring->lock));
}

/* The initiator may use the session at once: the response has proven it. */
static void wg_session_keyring_initiated(struct wg_keyring *ring,
					 struct wg_keypair *keypair)
{
	struct wg_keypair *current_keypair, *next;

	lockdep_assert_held(&ring->lock);

	current_keypair = wg_session_keyring_swap(ring, &ring->current_keypair,
						  keypair);
	next = wg_session_keyring_swap(ring, &ring->next, NULL);
	if (next) {
		/* The peer may be sending on it without our knowing yet. */
		wg_session_keyring_drop(ring, current_keypair);
		current_keypair = next;
	}
	wg_session_keyring_drop(ring, wg_session_keyring_swap(ring,
							      &ring->previous,
							      current_keypair));
}

/* The responder waits until the initiator has used the session. */
static void wg_session_keyring_responded(struct wg_keyring *ring,
					 struct wg_keypair *keypair)
{
	lockdep_assert_held(&ring->lock);

	wg_session_keyring_drop(ring, wg_session_keyring_swap(ring, &ring->next,
							      keypair));
	wg_session_keyring_drop(ring, wg_session_keyring_swap(ring,
							      &ring->previous,
							      NULL));
}

/**
 * wg_keyring_install() - put a fresh session into its slot
 * @ring: of the peer
 * @keypair: complete, not in the index table; @keypair->initiator says where
 *	it goes (spec 2.3)
 * @handshake: entry of the handshake it was derived from; the keypair inherits
 *	its index (spec 2.4)
 * @index: the one that the peer was told in that handshake
 *
 * On success the ring takes over the caller's reference and @handshake is out
 * of the index table. On failure the ring, the table and both entries are as
 * they were: the caller still owns its reference to @keypair, which has no
 * index, and drops it with wg_keypair_put(). @handshake may have the index of a
 * newer handshake then and is left alone.
 *
 * Context: any but hard interrupt.
 * Return: 0; -ESHUTDOWN if the ring is closed; -EAGAIN if @handshake has lost
 * @index meanwhile, so that nobody could have addressed the session.
 */
int wg_keyring_install(struct wg_keyring *ring, struct wg_keypair *keypair,
		       struct wg_index_entry *handshake, __le32 index)
{
	int err = -ESHUTDOWN;

	spin_lock_bh(&ring->lock);
	if (ring->closed)
		goto unlock;

	/*
	 * The index comes first, for it is the step that can fail. No authentic
	 * datagram can find the keypair before it is in its slot: a responder
	 * has not sent the response yet, and an initiator's peer waits for the
	 * first datagram.
	 */
	err = wg_index_replace(ring->table, handshake, &keypair->index,
			       index);
	if (err) {
		err = -EAGAIN;
		goto unlock;
	}
	if (keypair->initiator)
		wg_session_keyring_initiated(ring, keypair);
	else
		wg_session_keyring_responded(ring, keypair);
unlock:
	spin_unlock_bh(&ring->lock);
	return err;
}

/**
 * wg_keyring_confirm() - authentic data has come on a keypair
 * @ring: of the peer
 * @keypair: the one that data was opened with; the caller has a reference
 *
 * The first data on the responder's next session proves that the initiator
 * has it: next becomes current (spec 2.3).
 *
 * Context: any but hard interrupt; one load unless it is the next session.
 * Return: true exactly if @keypair was next and is current now.
 */
bool wg_keyring_confirm(struct wg_keyring *ring, struct wg_keypair *keypair)
{
	struct wg_keypair *old;
	bool confirmed = false;

	if (likely(rcu_access_pointer(ring->next) != keypair))
		return false;

	spin_lock_bh(&ring->lock);
	/* Somebody else may have confirmed, replaced or cleared it by now. */
	if (rcu_access_pointer(ring->next) == keypair) {
		old = wg_session_keyring_swap(ring, &ring->current_keypair,
					      keypair);
		RCU_INIT_POINTER(ring->next, NULL);
		old = wg_session_keyring_swap(ring, &ring->previous, old);
		wg_session_keyring_drop(ring, old);
		confirmed = true;
	}
	spin_unlock_bh(&ring->lock);
	return confirmed;
}

/**
 * wg_keyring_stop_sending() - send nothing more on the sessions there are
 * @ring: of the peer
 *
 * Late datagrams can still be received; the next one to send needs a new
 * handshake (spec 3.8 and 7.5).
 *
 * Context: any but hard interrupt.
 */
void wg_keyring_stop_sending(struct wg_keyring *ring)
{
	struct wg_keypair *keypair;

	spin_lock_bh(&ring->lock);
	keypair = rcu_dereference_protected(ring->current_keypair,
					    lockdep_is_held(&ring->lock));
	if (keypair)
		WRITE_ONCE(keypair->send_valid, false);
	keypair = rcu_dereference_protected(ring->next,
					    lockdep_is_held(&ring->lock));
	if (keypair)
		WRITE_ONCE(keypair->send_valid, false);
	spin_unlock_bh(&ring->lock);
}

static void wg_session_keyring_empty(struct wg_keyring *ring)
{
	lockdep_assert_held(&ring->lock);

	wg_session_keyring_drop(ring, wg_session_keyring_swap(ring,
							      &ring->previous,
							      NULL));
	wg_session_keyring_drop(ring,
				wg_session_keyring_swap(ring,
							&ring->current_keypair,
							NULL));
	wg_session_keyring_drop(ring, wg_session_keyring_swap(ring, &ring->next,
							      NULL));
}

/**
 * wg_keyring_clear() - forget all sessions
 * @ring: of the peer; a new session may be installed afterwards
 *
 * Context: any but hard interrupt.
 */
void wg_keyring_clear(struct wg_keyring *ring)
{
	spin_lock_bh(&ring->lock);
	wg_session_keyring_empty(ring);
	spin_unlock_bh(&ring->lock);
}

/**
 * wg_keyring_close() - forget all sessions for good
 * @ring: of the peer; nothing can be installed any more
 *
 * Context: any but hard interrupt.
 */
void wg_keyring_close(struct wg_keyring *ring)
{
	spin_lock_bh(&ring->lock);
	ring->closed = true;
	wg_session_keyring_empty(ring);
	spin_unlock_bh(&ring->lock);
}

/**
 * wg_replay_peek() - would this counter be accepted?
 * @replay: window of the session
 * @counter: of a datagram
 *
 * Writes nothing and takes no lock. While another CPU claims, the answer is the
 * one from before or after that claim; only wg_replay_claim() decides. (Where a
 * u64 is read in halves it may be wrong once in 2^32 datagrams.)
 *
 * Context: any.
 * Return: true if the counter is in the window or ahead of it, below the limit
 * and not claimed yet (spec 2.8).
 */
bool wg_replay_peek(const struct wg_replay *replay, u64 counter)
{
	u64 highest = READ_ONCE(replay->highest);
	unsigned long word;

	/* This comparison comes first: the next sum must not overflow. */
	if (counter >= WG_REJECT_AFTER_MESSAGES)
		return false;
	if (counter >= highest)
		return true;
	if (counter + 1 + WG_REPLAY_WINDOW < highest)
		return false;

	/* Pairs with smp_wmb() in wg_replay_claim(). */
	smp_rmb();
	word = READ_ONCE(replay->bits[counter / BITS_PER_LONG %
				      WG_SESSION_REPLAY_WORDS]);
	return !(word & BIT(counter % BITS_PER_LONG));
}

/**
 * wg_replay_claim() - take a counter, once
 * @replay: window of the session
 * @counter: of an authenticated datagram, at its delivery
 *
 * Only after authentication, so that forged datagrams never move the window.
 *
 * Context: any, but one caller at a time for each @replay: the lane's
 * drainer.
 * Return: true if the counter is the caller's; false if it is to be dropped
 * (spec 2.8).
 */
bool wg_replay_claim(struct wg_replay *replay, u64 counter)
{
	u64 word = counter / BITS_PER_LONG;
	unsigned long *bits;
	u64 top, clear;

	if (!wg_replay_peek(replay, counter))
		return false;

	if (counter >= replay->highest) {
		top = replay->highest ?
		      (replay->highest - 1) / BITS_PER_LONG : 0;
		clear = min_t(u64, word - top, WG_SESSION_REPLAY_WORDS);
		while (clear--)
			WRITE_ONCE(replay->bits[(word - clear) %
						WG_SESSION_REPLAY_WORDS], 0);
		/*
		 * Who peeks with the new top must see the words it passed
		 * cleared, or it takes a fresh counter for a replay because of
		 * a bit that is one round of the ring old.
		 */
		smp_wmb();
		WRITE_ONCE(replay->highest, counter + 1);
	}
	bits = &replay->bits[word % WG_SESSION_REPLAY_WORDS];
	WRITE_ONCE(*bits, *bits | BIT(counter % BITS_PER_LONG));
	return true;
}
