/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From bundles to inner packets: each datagram is authenticated and
 * decrypted from source to destination, and consecutive TCP segments of one
 * flow are decrypted right behind each other, into one super-packet.
 *
 * Layer 2. Knows skbs and sessions, but no peer.
 */
#ifndef _WG_OPEN_H
#define _WG_OPEN_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "session.h"
#include "stats.h"

/**
 * struct wg_open_cb - our notes in an opened packet's control block
 * @counter: of its first datagram; the others follow without a gap
 * @datagrams: it was made of, 64 at most
 * @bytes: these had, as they are counted (spec 5.5)
 */
struct wg_open_cb {
	u64 counter;
	u32 datagrams;
	u32 bytes;
};

static inline struct wg_open_cb *wg_open_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct wg_open_cb) > sizeof(skb->cb));
	return (struct wg_open_cb *)skb->cb;
}

/**
 * struct wg_open_job - what is to be opened, and the result
 * @keypair: with this
 * @dev: the packets are for; segments are merged if its GRO is on
 * @stats: where drops are counted
 * @src: the UDP packet; only read
 * @offset: of the first datagram in @src
 * @len: of all datagrams
 * @segment: length of each but the last
 * @out: opened packets, linked by next
 */
struct wg_open_job {
	const struct wg_keypair *keypair;
	struct net_device *dev;
	struct wg_stats *stats;
	struct sk_buff *src;
	u32 offset;
	u32 len;
	u32 segment;
	struct sk_buff *out;
};

void wg_open(struct wg_open_job *job);

#endif /* _WG_OPEN_H */
