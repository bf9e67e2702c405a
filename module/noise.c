// SPDX-License-Identifier: GPL-2.0
/*
 * Noise_IKpsk2 on plain memory.
 *
 * Layer 1, see noise.h. Reads like spec 1.5: one function per message and
 * role, tokens are in symmetric.c.
 *
 * What the functions that can fail return, all of them without having changed
 * the handshake (but for the cached static-static secret):
 *
 *   -ENOKEY        the device has no identity
 *   -EBADMSG       a tag does not verify
 *   -EKEYREJECTED  a low-order point, so a Diffie-Hellman result is zero
 *   -ESTALE        the timestamp is not newer than the last accepted one
 *   -EBUSY         less than 20 ms since the last accepted initiation
 *   -EAGAIN        wrong state, or the handshake changed while we computed
 */
#include "noise.h"
#include "symmetric.h"

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include <crypto/curve25519.h>
#include <crypto/utils.h>

/* TAI64 label of the Unix epoch: 2^62 and ten leap seconds. */
#define WG_NOISE_TAI64_EPOCH 0x400000000000000aULL

/*
 * Nanoseconds in timestamps are a multiple of the largest power of two that
 * still lets all permitted initiations of a second differ: no precise clock
 * leaks (spec 1.7).
 */
#define WG_NOISE_TIMESTAMP_STEP BIT(24)
#define WG_NOISE_ACCEPT_INTERVAL_NS (NSEC_PER_SEC / WG_INITIATIONS_PER_SECOND)

static_assert(WG_NOISE_TIMESTAMP_STEP <= WG_NOISE_ACCEPT_INTERVAL_NS);
static_assert(WG_NOISE_TIMESTAMP_STEP * 2 > WG_NOISE_ACCEPT_INTERVAL_NS);

/* Token "e" of the sender: a new key pair, its public half into the message. */
static int wg_noise_new_ephemeral(struct wg_symmetric *sym,
				  u8 private_key[WG_KEY_LEN],
				  u8 public_key[WG_KEY_LEN])
{
	/* Waits for the random number generator if it is not seeded yet. */
	curve25519_generate_secret(private_key);
	if (!curve25519_generate_public(public_key, private_key))
		return -EKEYREJECTED;
	wg_symmetric_mix_ephemeral(sym, public_key);
	return 0;
}

static void wg_noise_timestamp(u8 timestamp[WG_TIMESTAMP_LEN])
{
	struct timespec64 now;
	__be64 seconds;
	__be32 nanoseconds;

	ktime_get_real_ts64(&now);
	seconds = cpu_to_be64(WG_NOISE_TAI64_EPOCH + now.tv_sec);
	nanoseconds = cpu_to_be32(ALIGN_DOWN((u32)now.tv_nsec,
					     WG_NOISE_TIMESTAMP_STEP));
	memcpy(timestamp, &seconds, sizeof(seconds));
	memcpy(timestamp + sizeof(seconds), &nanoseconds, sizeof(nanoseconds));
}

/*
 * Token "ss". The secret is computed when it is first needed and kept until
 * the identity changes, so that changing the identity of a device with many
 * peers costs nothing. A zero secret is kept as well: no second multiplication
 * for a peer with a low-order key.
 */
static int wg_noise_mix_static_static(struct wg_symmetric *sym,
				      struct wg_noise_handshake *hs,
				      const struct wg_identity *id)
{
	u8 shared[WG_KEY_LEN];
	int err = -EKEYREJECTED;
	bool fresh;

	lockdep_assert_held(&id->lock);

	spin_lock_bh(&hs->lock);
	fresh = hs->static_generation == id->generation;
	memcpy(shared, hs->static_static, WG_KEY_LEN);
	spin_unlock_bh(&hs->lock);

	if (!fresh) {
		if (!curve25519(shared, id->private_key, hs->remote_static))
			memset(shared, 0, WG_KEY_LEN);
		/* The identity is locked: whoever else stores, stores this. */
		spin_lock_bh(&hs->lock);
		memcpy(hs->static_static, shared, WG_KEY_LEN);
		hs->static_generation = id->generation;
		spin_unlock_bh(&hs->lock);
	}
	if (memchr_inv(shared, 0, WG_KEY_LEN)) {
		wg_symmetric_mix_key(sym, shared);
		err = 0;
	}
	memzero_explicit(shared, sizeof(shared));
	return err;
}

/* Forget the running handshake, keep what belongs to the peer (spec 1.8). */
static void wg_noise_zero(struct wg_noise_handshake *hs)
{
	lockdep_assert_held(&hs->lock);

	hs->state = WG_NOISE_ZEROED;
	hs->local_index = 0;
	hs->remote_index = 0;
	memzero_explicit(hs->ephemeral_private, WG_KEY_LEN);
	memzero_explicit(hs->remote_ephemeral, WG_KEY_LEN);
	memzero_explicit(hs->hash, WG_HASH_LEN);
	memzero_explicit(hs->chaining_key, WG_HASH_LEN);
}

/*
 * Is @hs still the handshake that @hash was copied from? The state alone does
 * not tell: a retry, or a second copy of the same message that won the race,
 * brings it back to the same state. The hash covers a fresh ephemeral key, so
 * it never repeats, and one handshake cannot yield two sessions.
 */
static bool wg_noise_is_unchanged(const struct wg_noise_handshake *hs,
				  enum wg_noise_state state,
				  const u8 hash[WG_HASH_LEN])
{
	lockdep_assert_held(&hs->lock);

	return hs->state == state &&
	       !crypto_memneq(hs->hash, hash, WG_HASH_LEN);
}

/* Where both roles keep the transcript between two messages. */
static void wg_noise_store(struct wg_noise_handshake *hs,
			   enum wg_noise_state state,
			   const struct wg_symmetric *sym)
{
	lockdep_assert_held(&hs->lock);

	memcpy(hs->hash, sym->hash, WG_HASH_LEN);
	memcpy(hs->chaining_key, sym->chaining_key, WG_HASH_LEN);
	hs->state = state;
}

/**
 * wg_noise_handshake_init() - prepare the handshake state of a new peer
 * @hs: where
 * @remote_static: public key of the peer, for good
 * @preshared_key: all zero if there is none
 *
 * Context: any; nobody else may use @hs yet.
 */
void wg_noise_handshake_init(struct wg_noise_handshake *hs,
			     const u8 remote_static[WG_KEY_LEN],
			     const u8 preshared_key[WG_KEY_LEN])
{
	memset(hs, 0, sizeof(*hs));
	spin_lock_init(&hs->lock);
	memcpy(hs->remote_static, remote_static, WG_KEY_LEN);
	memcpy(hs->preshared_key, preshared_key, WG_KEY_LEN);
}

/**
 * wg_noise_handshake_clear() - forget the running handshake
 * @hs: of the peer
 *
 * Both indices go as well: taking ours out of the index table is the caller's
 * business. The peer's keys stay, and so does the timestamp of the last
 * accepted initiation, without which old ones could be replayed (spec 1.7).
 *
 * Context: process or softirq.
 */
void wg_noise_handshake_clear(struct wg_noise_handshake *hs)
{
	spin_lock_bh(&hs->lock);
	wg_noise_zero(hs);
	spin_unlock_bh(&hs->lock);
}

/**
 * wg_noise_handshake_drop_static() - forget what depends on our static key
 * @hs: of the peer
 *
 * Context: process or softirq; nobody computes with the old key any more.
 */
void wg_noise_handshake_drop_static(struct wg_noise_handshake *hs)
{
	spin_lock_bh(&hs->lock);
	memzero_explicit(hs->static_static, WG_KEY_LEN);
	hs->static_generation = 0;
	spin_unlock_bh(&hs->lock);
}

/**
 * wg_noise_handshake_set_psk() - change the preshared key
 * @hs: of the peer
 * @preshared_key: all zero for none
 *
 * Takes effect with the next response made or accepted.
 *
 * Context: process or softirq.
 */
void wg_noise_handshake_set_psk(struct wg_noise_handshake *hs,
				const u8 preshared_key[WG_KEY_LEN])
{
	spin_lock_bh(&hs->lock);
	memcpy(hs->preshared_key, preshared_key, WG_KEY_LEN);
	spin_unlock_bh(&hs->lock);
}

/* Everything of message 1 but the indices and macs, @id being locked. */
static int wg_noise_write_initiation(struct wg_symmetric *sym,
				     struct wg_noise_handshake *hs,
				     const struct wg_identity *id,
				     struct wg_msg_initiation *msg,
				     u8 ephemeral[WG_KEY_LEN])
{
	u8 timestamp[WG_TIMESTAMP_LEN];
	int err;

	lockdep_assert_held(&id->lock);

	if (!id->present)
		return -ENOKEY;
	wg_symmetric_start(sym, hs->remote_static);
	err = wg_noise_new_ephemeral(sym, ephemeral, msg->ephemeral);
	if (err)
		return err;
	err = wg_symmetric_mix_dh(sym, ephemeral, hs->remote_static);
	if (err)
		return err;
	wg_symmetric_seal(sym, msg->sealed_static, id->public_key, WG_KEY_LEN);
	err = wg_noise_mix_static_static(sym, hs, id);
	if (err)
		return err;
	wg_noise_timestamp(timestamp);
	wg_symmetric_seal(sym, msg->sealed_timestamp, timestamp,
			  WG_TIMESTAMP_LEN);
	return 0;
}

/**
 * wg_noise_make_initiation() - write message 1, initiator
 * @hs: of the peer; whatever handshake was running is overridden
 * @id: ours; locked for reading here
 * @local_index: our index, already in the index table
 * @msg: result, all but the macs; not to be used on error
 *
 * WireGuard spec section: handshake state (2.2), transcript (1.5).
 *
 * Context: process, may sleep.
 * Return: 0, and the state is CREATED_INITIATION; -ENOKEY without an identity;
 * -EKEYREJECTED if the peer's key is a low-order point.
 */
int wg_noise_make_initiation(struct wg_noise_handshake *hs,
			     struct wg_identity *id, __le32 local_index,
			     struct wg_msg_initiation *msg)
{
	struct wg_symmetric sym;
	u8 ephemeral[WG_KEY_LEN];
	int err;

	down_read(&id->lock);
	err = wg_noise_write_initiation(&sym, hs, id, msg, ephemeral);
	if (err)
		goto out;
	msg->header.type = cpu_to_le32(WG_MSG_INITIATION);
	msg->sender = local_index;

	/* Needs no check: it was computed against nothing that changes. */
	spin_lock_bh(&hs->lock);
	wg_noise_zero(hs);
	hs->local_index = local_index;
	memcpy(hs->ephemeral_private, ephemeral, WG_KEY_LEN);
	wg_noise_store(hs, WG_NOISE_CREATED_INITIATION, &sym);
	spin_unlock_bh(&hs->lock);
out:
	up_read(&id->lock);
	memzero_explicit(ephemeral, sizeof(ephemeral));
	memzero_explicit(&sym, sizeof(sym));
	return err;
}

/* Message 1 up to the static key, @id being locked. */
static int wg_noise_read_initiation(struct wg_symmetric *sym,
				    u8 remote_static[WG_KEY_LEN],
				    const struct wg_identity *id,
				    const struct wg_msg_initiation *msg)
{
	int err;

	lockdep_assert_held(&id->lock);

	if (!id->present)
		return -ENOKEY;
	wg_symmetric_start(sym, id->public_key);
	wg_symmetric_mix_ephemeral(sym, msg->ephemeral);
	err = wg_symmetric_mix_dh(sym, id->private_key, msg->ephemeral);
	if (err)
		return err;
	return wg_symmetric_unseal(sym, remote_static, msg->sealed_static,
			       WG_KEY_LEN);
}

/**
 * wg_noise_open_initiation() - find out who sent message 1, responder
 * @opened: result, to be wiped by the caller; zero on error
 * @id: ours; locked for reading here
 * @msg: as received, its macs already checked
 *
 * WireGuard spec section: transcript (1.5). Proves nothing about the sender
 * yet: anybody who knows our public key can name a static key here.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOKEY without an identity; -EKEYREJECTED if the ephemeral key
 * is a low-order point; -EBADMSG if the static key does not verify.
 */
int wg_noise_open_initiation(struct wg_noise_opened *opened,
			     struct wg_identity *id,
			     const struct wg_msg_initiation *msg)
{
	struct wg_symmetric sym;
	int err;

	down_read(&id->lock);
	err = wg_noise_read_initiation(&sym, opened->remote_static, id, msg);
	up_read(&id->lock);

	if (!err) {
		memcpy(opened->remote_ephemeral, msg->ephemeral, WG_KEY_LEN);
		memcpy(opened->hash, sym.hash, WG_HASH_LEN);
		memcpy(opened->chaining_key, sym.chaining_key, WG_HASH_LEN);
		memcpy(opened->sealed_timestamp, msg->sealed_timestamp,
		       sizeof(opened->sealed_timestamp));
		opened->remote_index = msg->sender;
	} else {
		memzero_explicit(opened, sizeof(*opened));
	}
	memzero_explicit(&sym, sizeof(sym));
	return err;
}

/* The two checks of spec 2.2 that need the last accepted initiation. */
static int wg_noise_commit_initiation(struct wg_noise_handshake *hs,
				      const struct wg_symmetric *sym,
				      const struct wg_noise_opened *opened,
				      const u8 timestamp[WG_TIMESTAMP_LEN])
{
	u64 now = ktime_get_coarse_boottime_ns();

	lockdep_assert_held(&hs->lock);

	if (memcmp(timestamp, hs->latest_timestamp, WG_TIMESTAMP_LEN) <= 0)
		return -ESTALE;
	if (hs->last_accept_ns &&
	    now < hs->last_accept_ns + WG_NOISE_ACCEPT_INTERVAL_NS)
		return -EBUSY;

	wg_noise_zero(hs);
	hs->remote_index = opened->remote_index;
	memcpy(hs->remote_ephemeral, opened->remote_ephemeral, WG_KEY_LEN);
	memcpy(hs->latest_timestamp, timestamp, WG_TIMESTAMP_LEN);
	hs->last_accept_ns = now;
	wg_noise_store(hs, WG_NOISE_CONSUMED_INITIATION, sym);
	return 0;
}

/**
 * wg_noise_accept_initiation() - authenticate message 1, responder
 * @hs: of the peer that @opened names; a handshake of ours is overridden
 * @id: ours; locked for reading here
 * @opened: from wg_noise_open_initiation()
 *
 * WireGuard spec section: handshake state (2.2), transcript (1.5).
 *
 * Context: process, may sleep.
 * Return: 0, and the state is CONSUMED_INITIATION; -ENOKEY without an
 * identity; -EKEYREJECTED if the peer's key is a low-order point; -EBADMSG if
 * the timestamp does not verify; -ESTALE if it is not newer than the last one
 * accepted; -EBUSY if that is less than 20 ms ago.
 */
int wg_noise_accept_initiation(struct wg_noise_handshake *hs,
			       struct wg_identity *id,
			       const struct wg_noise_opened *opened)
{
	struct wg_symmetric sym;
	u8 timestamp[WG_TIMESTAMP_LEN];
	int err = -ENOKEY;

	memcpy(sym.hash, opened->hash, WG_HASH_LEN);
	memcpy(sym.chaining_key, opened->chaining_key, WG_HASH_LEN);

	down_read(&id->lock);
	if (id->present)
		err = wg_noise_mix_static_static(&sym, hs, id);
	if (err)
		goto out;
	err = wg_symmetric_unseal(&sym, timestamp, opened->sealed_timestamp,
				  WG_TIMESTAMP_LEN);
	if (err)
		goto out;

	spin_lock_bh(&hs->lock);
	err = wg_noise_commit_initiation(hs, &sym, opened, timestamp);
	spin_unlock_bh(&hs->lock);
out:
	/* Not before: who changes the key then finds, and forgets, all that
	 * was agreed on with the old one.
	 */
	up_read(&id->lock);
	memzero_explicit(&sym, sizeof(sym));
	return err;
}

/* What a response is computed from, copied out of the handshake. */
struct wg_noise_snapshot {
	struct wg_symmetric sym;
	u8 origin[WG_HASH_LEN];
	u8 ephemeral_private[WG_KEY_LEN];
	u8 remote_ephemeral[WG_KEY_LEN];
	u8 preshared_key[WG_KEY_LEN];
	__le32 local_index;
	__le32 remote_index;
};

static int wg_noise_take_snapshot(struct wg_noise_snapshot *snap,
				  struct wg_noise_handshake *hs,
				  enum wg_noise_state state)
{
	int err = -EAGAIN;

	spin_lock_bh(&hs->lock);
	if (hs->state == state) {
		memcpy(snap->sym.hash, hs->hash, WG_HASH_LEN);
		memcpy(snap->sym.chaining_key, hs->chaining_key, WG_HASH_LEN);
		memcpy(snap->origin, hs->hash, WG_HASH_LEN);
		memcpy(snap->ephemeral_private, hs->ephemeral_private,
		       WG_KEY_LEN);
		memcpy(snap->remote_ephemeral, hs->remote_ephemeral,
		       WG_KEY_LEN);
		memcpy(snap->preshared_key, hs->preshared_key, WG_KEY_LEN);
		snap->local_index = hs->local_index;
		snap->remote_index = hs->remote_index;
		err = 0;
	}
	spin_unlock_bh(&hs->lock);
	return err;
}

/* The tokens of message 2 from the responder's side. */
static int wg_noise_write_response(struct wg_noise_snapshot *snap,
				   const u8 remote_static[WG_KEY_LEN],
				   struct wg_msg_response *msg)
{
	struct wg_symmetric *sym = &snap->sym;
	int err;

	err = wg_noise_new_ephemeral(sym, snap->ephemeral_private,
				     msg->ephemeral);
	if (err)
		return err;
	err = wg_symmetric_mix_dh(sym, snap->ephemeral_private,
				  snap->remote_ephemeral);
	if (err)
		return err;
	err = wg_symmetric_mix_dh(sym, snap->ephemeral_private, remote_static);
	if (err)
		return err;
	wg_symmetric_mix_psk(sym, snap->preshared_key);
	wg_symmetric_seal(sym, msg->sealed_nothing, NULL, 0);
	return 0;
}

/**
 * wg_noise_make_response() - write message 2, responder
 * @hs: of the peer whose initiation was accepted
 * @local_index: our index, already in the index table
 * @msg: result, all but the macs; not to be used on error
 *
 * WireGuard spec section: handshake state (2.2), transcript (1.5). Our
 * ephemeral private key is done with afterwards and not kept.
 *
 * Context: process, may sleep.
 * Return: 0, and the state is CREATED_RESPONSE; -EAGAIN if there is no
 * accepted initiation or another took its place; -EKEYREJECTED if a key of the
 * peer is a low-order point.
 */
int wg_noise_make_response(struct wg_noise_handshake *hs,
			   __le32 local_index, struct wg_msg_response *msg)
{
	const enum wg_noise_state from = WG_NOISE_CONSUMED_INITIATION;
	struct wg_noise_snapshot snap;
	int err;

	err = wg_noise_take_snapshot(&snap, hs, from);
	if (err)
		return err;
	err = wg_noise_write_response(&snap, hs->remote_static, msg);
	if (err)
		goto out;
	msg->header.type = cpu_to_le32(WG_MSG_RESPONSE);
	msg->sender = local_index;
	msg->receiver = snap.remote_index;

	spin_lock_bh(&hs->lock);
	if (wg_noise_is_unchanged(hs, from, snap.origin)) {
		hs->local_index = local_index;
		wg_noise_store(hs, WG_NOISE_CREATED_RESPONSE, &snap.sym);
	} else {
		err = -EAGAIN;
	}
	spin_unlock_bh(&hs->lock);
out:
	memzero_explicit(&snap, sizeof(snap));
	return err;
}

/* The tokens of message 2 from the initiator's side, @id being locked. */
static int wg_noise_read_response(struct wg_noise_snapshot *snap,
				  const struct wg_identity *id,
				  const struct wg_msg_response *msg)
{
	struct wg_symmetric *sym = &snap->sym;
	int err;

	lockdep_assert_held(&id->lock);

	if (!id->present)
		return -ENOKEY;
	wg_symmetric_mix_ephemeral(sym, msg->ephemeral);
	err = wg_symmetric_mix_dh(sym, snap->ephemeral_private, msg->ephemeral);
	if (err)
		return err;
	err = wg_symmetric_mix_dh(sym, id->private_key, msg->ephemeral);
	if (err)
		return err;
	wg_symmetric_mix_psk(sym, snap->preshared_key);
	return wg_symmetric_unseal(sym, NULL, msg->sealed_nothing, 0);
}

/**
 * wg_noise_accept_response() - authenticate message 2, initiator
 * @hs: of the peer to whom the message's receiver index belongs
 * @id: ours; locked for reading here
 * @msg: as received, its macs already checked
 *
 * WireGuard spec section: handshake state (2.2), transcript (1.5).
 *
 * Context: process, may sleep.
 * Return: 0, and the state is CONSUMED_RESPONSE; -EAGAIN if the message
 * answers no initiation of ours, or one that was replaced or answered while we
 * computed; -ENOKEY without an identity; -EKEYREJECTED if the ephemeral key is
 * a low-order point; -EBADMSG if the tag does not verify.
 */
int wg_noise_accept_response(struct wg_noise_handshake *hs,
			     struct wg_identity *id,
			     const struct wg_msg_response *msg)
{
	const enum wg_noise_state from = WG_NOISE_CREATED_INITIATION;
	struct wg_noise_snapshot snap;
	int err;

	err = wg_noise_take_snapshot(&snap, hs, from);
	if (err)
		return err;
	if (snap.local_index != msg->receiver) {
		err = -EAGAIN;
		goto out;
	}
	down_read(&id->lock);
	err = wg_noise_read_response(&snap, id, msg);
	if (err)
		goto unlock;

	spin_lock_bh(&hs->lock);
	if (wg_noise_is_unchanged(hs, from, snap.origin)) {
		hs->remote_index = msg->sender;
		memzero_explicit(hs->ephemeral_private, WG_KEY_LEN);
		wg_noise_store(hs, WG_NOISE_CONSUMED_RESPONSE, &snap.sym);
	} else {
		err = -EAGAIN;
	}
	spin_unlock_bh(&hs->lock);
unlock:
	up_read(&id->lock);
out:
	memzero_explicit(&snap, sizeof(snap));
	return err;
}

/**
 * wg_noise_split() - turn a finished handshake into transport keys
 * @hs: of the peer; forgotten by this (spec 1.8)
 * @keys: result, to be wiped by the caller; untouched on error
 *
 * Takes the secret out of the handshake, so a second caller finds nothing: one
 * handshake yields one session.
 *
 * WireGuard spec section: transcript (1.5).
 *
 * Context: process or softirq.
 * Return: 0; -EAGAIN if no handshake is finished.
 */
int wg_noise_split(struct wg_noise_handshake *hs, struct wg_noise_keys *keys)
{
	u8 chaining_key[WG_HASH_LEN];
	u8 output[2][WG_HASH_LEN];
	bool initiator;

	spin_lock_bh(&hs->lock);
	initiator = hs->state == WG_NOISE_CONSUMED_RESPONSE;
	if (!initiator && hs->state != WG_NOISE_CREATED_RESPONSE) {
		spin_unlock_bh(&hs->lock);
		return -EAGAIN;
	}
	memcpy(chaining_key, hs->chaining_key, WG_HASH_LEN);
	keys->local_index = hs->local_index;
	keys->remote_index = hs->remote_index;
	wg_noise_zero(hs);
	spin_unlock_bh(&hs->lock);

	wg_symmetric_kdf(output, ARRAY_SIZE(output), chaining_key, NULL);
	keys->initiator = initiator;
	/* The first key is for what the initiator sends. */
	memcpy(initiator ? keys->send : keys->receive, output[0], WG_KEY_LEN);
	memcpy(initiator ? keys->receive : keys->send, output[1], WG_KEY_LEN);
	memzero_explicit(chaining_key, sizeof(chaining_key));
	memzero_explicit(output, sizeof(output));
	return 0;
}
