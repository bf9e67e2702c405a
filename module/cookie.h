/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who deserves our CPU: mac1, mac2, cookies and the token bucket per source
 * (spec 1.6 and 2.9).
 *
 * Layer 1. Takes bytes and addresses, never skbs.
 */
#ifndef _WG_COOKIE_H
#define _WG_COOKIE_H

#include <linux/in6.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "wire.h"

/**
 * struct wg_cookie_source - where a message came from
 * @netns: number that names the network namespace of the device
 * @family: AF_INET or AF_INET6
 * @v4: address if AF_INET
 * @v6: address if AF_INET6
 * @port: UDP source port
 */
struct wg_cookie_source {
	u64 netns;
	u16 family;
	__be16 port;
	union {
		__be32 v4;
		struct in6_addr v6;
	};
};

/**
 * struct wg_cookie_checker - judges incoming messages, one per device
 * @lock: protects everything below; BH-safe; held for copying only
 * @secret: of our cookies, replaced when first used after its age
 * @secret_birth_ns: boottime of @secret, 0 if there is none yet
 * @mac1_key: messages to us carry a mac1 under this key
 * @cookie_key: seals the cookies we hand out
 */
struct wg_cookie_checker {
	spinlock_t lock; /* protects all of this */
	u8 secret[WG_HASH_LEN];
	u64 secret_birth_ns;
	u8 mac1_key[WG_KEY_LEN];
	u8 cookie_key[WG_KEY_LEN];
};

/**
 * struct wg_cookie_maker - puts macs under outgoing messages, one per peer
 * @lock: protects what follows but the two keys, which never change
 * @sent_mac1: a mac1 has been sent since the last accepted cookie
 * @cookie_birth_ns: boottime of @cookie, 0 if there is none
 * @cookie: the peer's, valid for 115 s
 * @last_mac1: of the last message sent
 * @mac1_key: derived from the peer's public key
 * @cookie_key: ditto
 */
struct wg_cookie_maker {
	spinlock_t lock; /* protects all but the keys */
	bool sent_mac1;
	u64 cookie_birth_ns;
	u8 cookie[WG_COOKIE_LEN];
	u8 last_mac1[WG_MAC_LEN];
	u8 mac1_key[WG_KEY_LEN];
	u8 cookie_key[WG_KEY_LEN];
};

void wg_cookie_checker_init(struct wg_cookie_checker *checker);
void wg_cookie_checker_set_key(struct wg_cookie_checker *checker,
			       const u8 public_key[WG_KEY_LEN]);
bool wg_cookie_mac1_ok(struct wg_cookie_checker *checker, const void *msg,
		       size_t len);
bool wg_cookie_mac2_ok(struct wg_cookie_checker *checker, const void *msg,
		       size_t len, const struct wg_cookie_source *src);
void wg_cookie_make_reply(struct wg_cookie_checker *checker,
			  struct wg_msg_cookie *reply, const void *msg,
			  size_t len, const struct wg_cookie_source *src);

void wg_cookie_maker_init(struct wg_cookie_maker *maker,
			  const u8 remote_static[WG_KEY_LEN]);
void wg_cookie_add_macs(struct wg_cookie_maker *maker, void *msg, size_t len);
int wg_cookie_accept_reply(struct wg_cookie_maker *maker,
			   const struct wg_msg_cookie *reply);

bool wg_cookie_ratelimit_allow(const struct wg_cookie_source *src);
bool wg_cookie_ratelimit_allow_at(const struct wg_cookie_source *src,
				  u64 now_ns);
void wg_cookie_ratelimit_get(void);
void wg_cookie_ratelimit_put(void);

#endif /* _WG_COOKIE_H */
