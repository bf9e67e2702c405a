/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why packets were dropped, and how the data path works, counted
 * per device and CPU; shown by `ethtool -S`. Whoever watches the kernel's
 * kfree_skb tracepoint sees the nearest reason that the core has.
 *
 * Layer 1; every other unit may use it.
 */
#ifndef _WG_STATS_H
#define _WG_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

struct sk_buff;

enum wg_stat {
	/* Incoming, before a session is known. */
	WG_DROP_MALFORMED,	/* no message has this type and length */
	WG_DROP_UNKNOWN_INDEX,	/* no session or handshake has this index */
	WG_DROP_BAD_MAC1,	/* sender does not know our public key */
	WG_DROP_RATE_LIMITED,	/* source exceeds its handshakes per second */
	WG_DROP_COOKIE_SENT,	/* under load: told to prove its address */
	WG_DROP_HANDSHAKE_FULL,	/* queue of incoming handshakes is full */
	WG_DROP_BAD_HANDSHAKE,	/* tag is wrong, or answers nothing of ours */
	WG_DROP_OLD_TIMESTAMP,	/* initiation not newer, or too soon */
	WG_DROP_UNKNOWN_KEY,	/* initiation from a key that is no peer */
	WG_DROP_LOW_ORDER,	/* public key of low order */
	/* Incoming, in a session. */
	WG_DROP_BAD_TAG,
	WG_DROP_REPLAY,
	WG_DROP_EXPIRED,	/* session too old to receive */
	WG_DROP_SOURCE_NOT_ALLOWED,
	WG_DROP_INNER_MALFORMED,
	WG_DROP_SOCKET,		/* by UDP: buffer full, checksum, filter */
	/* Outgoing. */
	WG_DROP_NO_PEER,	/* no allowed IP covers the destination */
	WG_DROP_NO_ENDPOINT,
	WG_DROP_NO_SESSION,	/* waited for a handshake in vain */
	WG_DROP_NO_ROUTE,
	WG_DROP_SEND_ERROR,
	WG_DROP_LOOP,		/* tunnels lead into each other */
	/* Either. */
	WG_DROP_LANE_FULL,	/* crypto cannot keep up */
	WG_DROP_NO_MEMORY,
	WG_DROP_PEER_REMOVED,
	/* Not drops: how the data path works. */
	WG_STAT_TX_BUNDLES,	/* outer packets of two datagrams or more */
	WG_STAT_TX_SINGLES,
	WG_STAT_RX_BUNDLES,
	WG_STAT_RX_SINGLES,
	WG_STAT_RX_MERGED,	/* inner super-packets built by ourselves */
	WG_STAT_CRYPTO_INLINE,	/* jobs sealed or opened where they came */
	WG_STAT_CRYPTO_WORKER,	/* jobs given to workers */
	WG_STATS,
};

/**
 * struct wg_stats_cpu - one CPU's counters
 * @n: by enum wg_stat; a machine word each, so that readers never see half
 */
struct wg_stats_cpu {
	unsigned long n[WG_STATS];
};

struct wg_stats {
	struct wg_stats_cpu __percpu *cpu;
};

int wg_stats_init(struct wg_stats *stats);
void wg_stats_fini(struct wg_stats *stats);
void wg_stats_add(struct wg_stats *stats, enum wg_stat which, unsigned long n);
void wg_stats_drop(struct wg_stats *stats, enum wg_stat why,
		   struct sk_buff *skb, unsigned int datagrams);
void wg_stats_read(const struct wg_stats *stats, u64 sums[WG_STATS]);
const char *wg_stats_name(enum wg_stat which);

static inline void wg_stats_inc(struct wg_stats *stats, enum wg_stat which)
{
	wg_stats_add(stats, which, 1);
}

#endif /* _WG_STATS_H */
