/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the protocol looks like on the wire, and its constants.
 *
 * Layer 0: no code, only formats. Spec 1.2, 1.5 and 2.1.
 */
#ifndef _WG_WIRE_H
#define _WG_WIRE_H

#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/jiffies.h>
#include <linux/types.h>

enum wg_wire_len {
	WG_KEY_LEN = 32,
	WG_HASH_LEN = 32,
	WG_TAG_LEN = 16,
	WG_MAC_LEN = 16,
	WG_COOKIE_LEN = 16,
	WG_COOKIE_NONCE_LEN = 24,
	WG_TIMESTAMP_LEN = 12,
	WG_PADDING = 16,
};

enum wg_msg_type {
	WG_MSG_INITIATION = 1,
	WG_MSG_RESPONSE = 2,
	WG_MSG_COOKIE = 3,
	WG_MSG_DATA = 4,
};

/* Both handshake messages end in these; each covers all bytes before it. */
struct wg_msg_macs {
	u8 mac1[WG_MAC_LEN];
	u8 mac2[WG_MAC_LEN];
};

struct wg_msg_header {
	/* One byte of type and three of zero, read as one word. */
	__le32 type;
};

struct wg_msg_initiation {
	struct wg_msg_header header;
	__le32 sender;
	u8 ephemeral[WG_KEY_LEN];
	u8 sealed_static[WG_KEY_LEN + WG_TAG_LEN];
	u8 sealed_timestamp[WG_TIMESTAMP_LEN + WG_TAG_LEN];
	struct wg_msg_macs macs;
};

struct wg_msg_response {
	struct wg_msg_header header;
	__le32 sender;
	__le32 receiver;
	u8 ephemeral[WG_KEY_LEN];
	u8 sealed_nothing[WG_TAG_LEN];
	struct wg_msg_macs macs;
};

struct wg_msg_cookie {
	struct wg_msg_header header;
	__le32 receiver;
	u8 nonce[WG_COOKIE_NONCE_LEN];
	u8 sealed_cookie[WG_COOKIE_LEN + WG_TAG_LEN];
};

struct wg_msg_data {
	struct wg_msg_header header;
	__le32 receiver;
	__le64 counter;
	u8 sealed[];
};

static_assert(sizeof(struct wg_msg_initiation) == 148);
static_assert(sizeof(struct wg_msg_response) == 92);
static_assert(sizeof(struct wg_msg_cookie) == 64);
static_assert(sizeof(struct wg_msg_data) == 16);

enum wg_wire_size {
	/* What a datagram costs on top of its padded packet. */
	WG_DATA_OVERHEAD = sizeof(struct wg_msg_data) + WG_TAG_LEN,
	WG_DATA_MIN = WG_DATA_OVERHEAD,
};

/* Replay window (spec 2.8): one word of the ring is always being cleared. */
enum wg_replay_size {
	WG_REPLAY_BITS = 8192,
	WG_REPLAY_WINDOW = WG_REPLAY_BITS - BITS_PER_LONG,
};

#define WG_REKEY_AFTER_MESSAGES	BIT_ULL(60)
#define WG_REJECT_AFTER_MESSAGES (U64_MAX - WG_REPLAY_WINDOW - 1)

/* Times, all in seconds unless the name says otherwise (spec 2.1). */
enum wg_wire_time {
	WG_REKEY_TIMEOUT = 5,
	WG_REKEY_AFTER_TIME = 120,
	WG_REJECT_AFTER_TIME = 180,
	WG_KEEPALIVE_TIMEOUT = 10,
	WG_WIPE_AFTER_TIME = 3 * WG_REJECT_AFTER_TIME,
	WG_COOKIE_SECRET_AGE = 120,
	WG_COOKIE_SECRET_LATENCY = 5,
	WG_INITIATIONS_PER_SECOND = 50,
	WG_MAX_RETRIES = 90 / WG_REKEY_TIMEOUT,
};

/* A session that was made with many others is not replaced with them. */
#define WG_REKEY_SPREAD_NS	(3U * NSEC_PER_SEC)

/* Handshake timers are spread by up to a third of a second (spec 2.1). */
#define WG_REKEY_JITTER_MAX	(HZ / 3)

enum wg_wire_limit {
	WG_PEERS_MAX = 1U << 20,
	/* TOS of handshake messages: AF41, not ECN capable (spec 2.9). */
	WG_HANDSHAKE_TOS = 0x88,
};

#endif /* _WG_WIRE_H */
