// SPDX-License-Identifier: GPL-2.0
/*
 * Counters per device and CPU.
 *
 * Layer 1.
 */
#include "stats.h"

#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/skbuff.h>
#include <linux/string.h>

static const char *const wg_stats_names[WG_STATS] = {
	[WG_DROP_MALFORMED] = "drop_malformed",
	[WG_DROP_UNKNOWN_INDEX] = "drop_unknown_index",
	[WG_DROP_BAD_MAC1] = "drop_bad_mac1",
	[WG_DROP_RATE_LIMITED] = "drop_rate_limited",
	[WG_DROP_COOKIE_SENT] = "drop_cookie_sent",
	[WG_DROP_HANDSHAKE_FULL] = "drop_handshake_full",
	[WG_DROP_BAD_HANDSHAKE] = "drop_bad_handshake",
	[WG_DROP_OLD_TIMESTAMP] = "drop_old_timestamp",
	[WG_DROP_UNKNOWN_KEY] = "drop_unknown_key",
	[WG_DROP_LOW_ORDER] = "drop_low_order",
	[WG_DROP_BAD_TAG] = "drop_bad_tag",
	[WG_DROP_REPLAY] = "drop_replay",
	[WG_DROP_EXPIRED] = "drop_expired",
	[WG_DROP_SOURCE_NOT_ALLOWED] = "drop_source_not_allowed",
	[WG_DROP_INNER_MALFORMED] = "drop_inner_malformed",
	[WG_DROP_SOCKET] = "drop_socket",
	[WG_DROP_NO_PEER] = "drop_no_peer",
	[WG_DROP_NO_ENDPOINT] = "drop_no_endpoint",
	[WG_DROP_NO_SESSION] = "drop_no_session",
	[WG_DROP_NO_ROUTE] = "drop_no_route",
	[WG_DROP_SEND_ERROR] = "drop_send_error",
	[WG_DROP_LOOP] = "drop_loop",
	[WG_DROP_LANE_FULL] = "drop_lane_full",
	[WG_DROP_NO_MEMORY] = "drop_no_memory",
	[WG_DROP_PEER_REMOVED] = "drop_peer_removed",
	[WG_STAT_TX_BUNDLES] = "tx_bundles",
	[WG_STAT_TX_SINGLES] = "tx_singles",
	[WG_STAT_RX_BUNDLES] = "rx_bundles",
	[WG_STAT_RX_SINGLES] = "rx_singles",
	[WG_STAT_RX_MERGED] = "rx_merged",
	[WG_STAT_CRYPTO_INLINE] = "crypto_inline",
	[WG_STAT_CRYPTO_WORKER] = "crypto_worker",
};

/* Modules outside of the kernel cannot have reasons of their own: these are the
 * nearest that every supported kernel knows. What has none is not specified.
 */
static const enum skb_drop_reason wg_stats_reasons[WG_STATS] = {
	[WG_DROP_MALFORMED] = SKB_DROP_REASON_UNHANDLED_PROTO,
	[WG_DROP_SOURCE_NOT_ALLOWED] = SKB_DROP_REASON_IP_RPFILTER,
	[WG_DROP_INNER_MALFORMED] = SKB_DROP_REASON_IP_INHDR,
	[WG_DROP_NO_PEER] = SKB_DROP_REASON_IP_OUTNOROUTES,
	[WG_DROP_NO_ENDPOINT] = SKB_DROP_REASON_NO_SOCKET,
	[WG_DROP_NO_SESSION] = SKB_DROP_REASON_NEIGH_QUEUEFULL,
	[WG_DROP_NO_ROUTE] = SKB_DROP_REASON_IP_OUTNOROUTES,
	[WG_DROP_LANE_FULL] = SKB_DROP_REASON_FULL_RING,
	[WG_DROP_NO_MEMORY] = SKB_DROP_REASON_NOMEM,
};

/**
 * wg_stats_init() - allocate the counters, all zero
 * @stats: to be filled
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int wg_stats_init(struct wg_stats *stats)
{
	stats->cpu = alloc_percpu(struct wg_stats_cpu);
	return stats->cpu ? 0 : -ENOMEM;
}

/**
 * wg_stats_fini() - free the counters
 * @stats: nobody counts any more; may never have been initialised if zero
 *
 * Context: process.
 */
void wg_stats_fini(struct wg_stats *stats)
{
	free_percpu(stats->cpu);
	stats->cpu = NULL;
}

/**
 * wg_stats_add() - count
 * @stats: of the device
 * @which: counter
 * @n: how many, datagrams if a drop
 *
 * Context: any.
 */
void wg_stats_add(struct wg_stats *stats, enum wg_stat which, unsigned long n)
{
	this_cpu_add(stats->cpu->n[which], n);
}

/**
 * wg_stats_drop() - count and free what is dropped
 * @stats: of the device
 * @why: counter
 * @skb: taken over; one packet or a list
 * @datagrams: in @skb
 *
 * Context: any.
 */
void wg_stats_drop(struct wg_stats *stats, enum wg_stat why,
		   struct sk_buff *skb, unsigned int datagrams)
{
	enum skb_drop_reason reason = wg_stats_reasons[why];

	wg_stats_add(stats, why, datagrams);
	kfree_skb_list_reason(skb, reason ?: SKB_DROP_REASON_NOT_SPECIFIED);
}

/**
 * wg_stats_read() - sum over all CPUs
 * @stats: of the device
 * @sums: one for each counter; while traffic runs they need not fit together
 *
 * Context: process.
 */
void wg_stats_read(const struct wg_stats *stats, u64 sums[WG_STATS])
{
	int cpu, i;

	memset(sums, 0, WG_STATS * sizeof(*sums));
	for_each_possible_cpu(cpu) {
		const struct wg_stats_cpu *one = per_cpu_ptr(stats->cpu, cpu);

		for (i = 0; i < WG_STATS; i++)
			sums[i] += READ_ONCE(one->n[i]);
	}
}

/**
 * wg_stats_name() - the name `ethtool -S` shows
 * @which: counter
 *
 * Context: any.
 * Return: a constant string.
 */
const char *wg_stats_name(enum wg_stat which)
{
	return wg_stats_names[which];
}
