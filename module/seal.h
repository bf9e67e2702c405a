/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From inner packets to bundles: outer UDP packets of 1..64 sealed
 * datagrams, in the order of their nonces, all of one size but the last.
 *
 * Layer 2. Knows skbs and sessions, but no peer.
 */
#ifndef _WG_SEAL_H
#define _WG_SEAL_H

#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/udp.h>

#include "session.h"

enum wg_seal_limit {
	/* Datagrams of one bundle: what UDP GSO takes in one skb. */
	WG_BUNDLE_DATAGRAMS = 64,
	WG_BUNDLE_BYTES = 65507,
	/* For the outer headers down to the link layer's. */
	WG_SEAL_HEADROOM = ALIGN(LL_MAX_HEADER + sizeof(struct ipv6hdr) +
				 sizeof(struct udphdr), 16),
};

/**
 * struct wg_seal_cb - our notes in a packet's control block
 * @mtu: inner packets: of their path, bounds the padding; 0 if there is none
 * @datagrams: inner packets: how many they become
 * @tos: outer packets: goes into the outer header
 * @depth: inner packets: of how many tunnels of ours they came out already
 */
struct wg_seal_cb {
	u32 mtu;
	u32 datagrams;
	u8 tos;
	u8 depth;
};

static inline struct wg_seal_cb *wg_seal_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct wg_seal_cb) > sizeof(skb->cb));
	return (struct wg_seal_cb *)skb->cb;
}

/**
 * struct wg_seal_job - what is to be sealed, and the result
 * @keypair: with this
 * @counter: first nonce
 * @datagrams: number of nonces
 * @gso: may there be bundles of more than one datagram?
 * @in: inner packets, linked by next; noted by wg_seal_note()
 * @out: bundles, linked by next
 * @lost: datagrams that there was no memory for
 */
struct wg_seal_job {
	const struct wg_keypair *keypair;
	u64 counter;
	u32 datagrams;
	u32 lost;
	bool gso;
	struct sk_buff *in;
	struct sk_buff *out;
};

struct sk_buff *wg_seal_prepare(struct sk_buff *skb, u32 dev_mtu);
void wg_seal_note(struct sk_buff *skb, u32 mtu, u32 datagrams);
void wg_seal(struct wg_seal_job *job);

#endif /* _WG_SEAL_H */
