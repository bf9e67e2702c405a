// SPDX-License-Identifier: GPL-2.0
/*
 * Everything an outgoing packet meets, from top to bottom.
 *
 * Layer 3.
 *
 *   wg_tx_xmit		whose is it? may it be sent?
 *   wg_tx_stage	waits here for a session
 *   wg_tx_launch	session, nonces and lane place, all under one lock
 *   wg_tx_seal		(anywhere) into bundles, see seal.c
 *   wg_tx_send		(in order) route and send, timers, statistics
 */
#include "packet.h"
#include "seal.h"
#include "send.h"

#include <linux/icmpv6.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/icmp.h>
#include <net/ip_tunnels.h>

enum wg_tx_limit {
	WG_STAGED_DATAGRAMS = 128,
	WG_STAGED_BYTES = 256 * 1024,
	WG_STAGED_DEVICE_BYTES = 32 * 1024 * 1024,
	/* Jobs made in one hold of the lane's lock. */
	WG_TX_BURST = 8,
	/* Tunnels in tunnels: where the smallest MTU of IPv6 is used up. */
	WG_TX_DEPTH_MAX = 16,
	WG_LANES_MAX = 64,
	/* A lane holds what the CPUs can be busy with, no standing queue. */
	WG_TX_LANE_BYTES = 128 * 1024,
	WG_TX_LANE_BYTES_PER_CPU = 64 * 1024,
	/* What a packet, however short, counts for. */
	WG_TX_PACKET_CHARGE = 256,
};

/**
 * struct wg_tx_job - inner packets with a range of nonces
 * @job: its place in the lane
 * @keypair: seals it; a reference; its owner is the peer
 * @seal: packets, nonces and the bundles made of them
 * @depth: the deepest of the packets has been in so many tunnels already
 * @data: at least one packet is not a keepalive
 */
struct wg_tx_job {
	struct wg_job job;
	struct wg_keypair *keypair;
	struct wg_seal_job seal;
	u8 depth;
	bool data;
};

static struct kmem_cache *wg_tx_job_cache;

/* What this CPU is sending came out of so many tunnels; BH off. A packet that
 * enters the next tunnel takes note. Tunnels that carry each other would go on
 * for ever: what no longer fits becomes two fragments, then four. With
 * PREEMPT_RT another task may send in between: its word does not count.
 */
struct wg_tx_nesting {
	const struct task_struct *task;
	u8 depth;
};

static DEFINE_PER_CPU(struct wg_tx_nesting, wg_tx_nesting);

static u8 wg_tx_get_depth(void)
{
	const struct wg_tx_nesting *nesting = this_cpu_ptr(&wg_tx_nesting);

	return nesting->task == current ? nesting->depth : 0;
}

static void wg_tx_set_depth(u8 depth)
{
	struct wg_tx_nesting *nesting = this_cpu_ptr(&wg_tx_nesting);

	nesting->task = depth ? current : NULL;
	nesting->depth = depth;
}

static struct wg_peer *wg_tx_peer(const struct wg_tx_job *job)
{
	return job->keypair->index.owner;
}

/* Drops a packet that has been accepted from the stack. */
static void wg_tx_drop(struct wg_device *wg, struct sk_buff *skb,
		       enum wg_stat why)
{
	u32 n = wg_seal_cb(skb)->datagrams;

	DEV_STATS_ADD(wg->dev, tx_dropped, n);
	wg_stats_drop(&wg->stats, why, skb, n);
}

/*
 * What the lane does with its jobs.
 */

/* Lane operation: seals a job. */
static void wg_tx_seal(struct wg_job *base)
{
	struct wg_tx_job *job = container_of(base, struct wg_tx_job, job);
	struct wg_device *wg = wg_tx_peer(job)->wg;

	job->seal.gso = READ_ONCE(wg->udp_gso);
	wg_seal(&job->seal);
	if (job->seal.lost) {
		DEV_STATS_ADD(wg->dev, tx_dropped, job->seal.lost);
		wg_stats_add(&wg->stats, WG_DROP_NO_MEMORY, job->seal.lost);
	}
}

static void wg_tx_free_job(struct wg_tx_job *job)
{
	wg_keypair_put(job->keypair);
	kmem_cache_free(wg_tx_job_cache, job);
}

/* After sending (spec 2.5). */
static void wg_tx_rekey_if_due(struct wg_peer *peer,
			       const struct wg_tx_job *job)
{
	if (wg_keypair_rekey_due(job->keypair,
				 job->seal.counter + job->seal.datagrams,
				 ktime_get_coarse_boottime_ns()))
		wg_peer_want_handshake(peer);
}

static void wg_tx_send_bundles(struct wg_peer *peer, struct wg_tx_job *job)
{
	struct wg_device *wg = peer->wg;
	struct wg_send how = { .dev = wg->dev, .mark = READ_ONCE(wg->fwmark) };
	u8 outside = wg_tx_get_depth();
	struct sk_buff *skb, *next;
	bool sent = false;

	wg_tx_set_depth(job->depth + 1);
	skb_list_walk_safe(job->seal.out, skb, next) {
		unsigned int len = skb->len;

		skb_mark_not_on_list(skb);
		wg_stats_inc(&wg->stats, skb_is_gso(skb) ? WG_STAT_TX_BUNDLES :
							   WG_STAT_TX_SINGLES);
		how.tos = wg_seal_cb(skb)->tos;
		if (wg_send_to_peer(&wg->socket, &peer->remote, skb, &how))
			continue;
		atomic64_add(len, &peer->tx_bytes);
		sent = true;
	}
	wg_tx_set_depth(outside);
	if (sent && job->data)
		wg_timers_data_sent(&peer->timers);
}

/* Lane operation: takes over a sealed job. */
static void wg_tx_send(struct wg_job *base)
{
	struct wg_tx_job *job = container_of(base, struct wg_tx_job, job);
	struct wg_peer *peer = wg_tx_peer(job);

	rcu_read_lock();
	if (wg_peer_is_dead(peer)) {
		wg_stats_drop(&peer->wg->stats, WG_DROP_PEER_REMOVED,
			      job->seal.out,
			      job->seal.datagrams - job->seal.lost);
	} else if (job->seal.out) {
		wg_timers_any_traversal(&peer->timers);
		wg_timers_any_sent(&peer->timers);
		wg_tx_send_bundles(peer, job);
		wg_tx_rekey_if_due(peer, job);
	}
	rcu_read_unlock();
	wg_tx_free_job(job);
}

/* Lane operation: frees a job that was never finished. */
static void wg_tx_discard(struct wg_job *base)
{
	struct wg_tx_job *job = container_of(base, struct wg_tx_job, job);

	kfree_skb_list(job->seal.in);
	kfree_skb_list(job->seal.out);
	wg_tx_free_job(job);
}

static const struct wg_lane_ops wg_tx_lane_ops = {
	.crypt = wg_tx_seal,
	.sink = wg_tx_send,
	.discard = wg_tx_discard,
};

/*
 * Staging and launching: all under the lane's lock.
 */

static struct sk_buff *wg_tx_unstage(struct wg_peer *peer)
{
	struct wg_staged *staged = &peer->staged;
	struct sk_buff *skb = __skb_dequeue(&staged->queue);

	lockdep_assert_held(&peer->tx_lane->lock);
	staged->datagrams -= wg_seal_cb(skb)->datagrams;
	staged->bytes -= skb->truesize;
	return skb;
}

static void wg_tx_drop_oldest(struct wg_peer *peer)
{
	wg_tx_drop(peer->wg, wg_tx_unstage(peer), WG_DROP_NO_SESSION);
}

/* Brings the device's account of waiting packets up to date. */
static void wg_tx_charge(struct wg_peer *peer)
{
	struct wg_staged *staged = &peer->staged;

	lockdep_assert_held(&peer->tx_lane->lock);
	if (staged->charged == staged->bytes)
		return;
	atomic_long_add((long)staged->bytes - (long)staged->charged,
			&peer->wg->staged_bytes);
	staged->charged = staged->bytes;
}

/* Puts packets behind those that are there already. If these were found to have
 * to wait, the oldest make room.
 */
static void wg_tx_stage(struct wg_peer *peer, struct sk_buff *list)
{
	struct wg_staged *staged = &peer->staged;
	struct sk_buff *skb, *next;

	lockdep_assert_held(&peer->tx_lane->lock);
	while (staged->charged && (staged->datagrams > WG_STAGED_DATAGRAMS ||
				   staged->bytes > WG_STAGED_BYTES))
		wg_tx_drop_oldest(peer);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		__skb_queue_tail(&staged->queue, skb);
		staged->datagrams += wg_seal_cb(skb)->datagrams;
		staged->bytes += skb->truesize;
	}
}

/* There is no session: packets wait, off their sockets' accounts, or a sender
 * that waits for its buffer would wait for a handshake.
 */
static void wg_tx_keep_waiting(struct wg_peer *peer)
{
	struct wg_staged *staged = &peer->staged;
	long most = min_t(unsigned long, WG_STAGED_DEVICE_BYTES,
			  totalram_pages() << (PAGE_SHIFT - 6));
	struct sk_buff *skb;

	skb_queue_walk(&staged->queue, skb)
		skb_orphan(skb);
	wg_tx_charge(peer);
	while (!skb_queue_empty(&staged->queue) &&
	       atomic_long_read(&peer->wg->staged_bytes) > most) {
		wg_tx_drop_oldest(peer);
		wg_tx_charge(peer);
	}
	wg_peer_want_handshake(peer);
	/* It may be too early for one, or fail, and nobody may ask again. */
	wg_timers_handshake_awaited(&peer->timers);
}

static void wg_tx_drop_staged(struct wg_peer *peer, enum wg_stat why)
{
	lockdep_assert_held(&peer->tx_lane->lock);
	while (!skb_queue_empty(&peer->staged.queue))
		wg_tx_drop(peer->wg, wg_tx_unstage(peer), why);
}

/* The session to send the next job with, a reference; NULL if there is none
 * or it has come to its limits (spec 2.5).
 */
static struct wg_keypair *wg_tx_get_session(struct wg_peer *peer)
{
	u32 n = wg_seal_cb(skb_peek(&peer->staged.queue))->datagrams;
	struct wg_keypair *keypair =
		rcu_dereference(peer->keyring.current_keypair);

	lockdep_assert_held(&peer->tx_lane->lock);
	if (!keypair || !READ_ONCE(keypair->send_valid))
		return NULL;
	n = max_t(u32, n, WG_BUNDLE_DATAGRAMS);
	if (!wg_keypair_may_send(keypair, ktime_get_coarse_boottime_ns()) ||
	    WG_REJECT_AFTER_MESSAGES - keypair->send_counter < n) {
		WRITE_ONCE(keypair->send_valid, false);
		return NULL;
	}
	return wg_keypair_get(keypair);
}

/* Moves waiting packets into @job: as many as make a full bundle, but at least
 * one.
 */
static void wg_tx_load_job(struct wg_peer *peer, struct wg_tx_job *job)
{
	struct sk_buff **end = &job->seal.in;
	struct sk_buff *skb;

	while ((skb = skb_peek(&peer->staged.queue))) {
		u32 n = job->seal.datagrams + wg_seal_cb(skb)->datagrams;

		if (job->seal.in && n > WG_BUNDLE_DATAGRAMS)
			break;
		wg_tx_unstage(peer);
		skb_mark_not_on_list(skb);
		*end = skb;
		end = &skb->next;
		job->seal.datagrams = n;
		/* With their memory small packets are larger than they say. */
		job->job.bytes += max_t(u32, skb->len, WG_TX_PACKET_CHARGE);
		job->depth = max(job->depth, wg_seal_cb(skb)->depth);
		job->data |= skb->len != 0;
	}
}

/* Makes a job of waiting packets and gives it nonces and a place in the lane,
 * both under one lock hold: otherwise nonces would leave out of order. NULL if
 * nothing can be sent now.
 */
static struct wg_tx_job *wg_tx_make_job(struct wg_peer *peer, bool delegate)
{
	struct wg_lane *lane = peer->tx_lane;
	struct wg_keypair *keypair;
	struct wg_tx_job *job;

	lockdep_assert_held(&lane->lock);
	/* First: what others have put into the lane must not keep this peer
	 * from a session, nor an empty packet from confirming it.
	 */
	keypair = wg_tx_get_session(peer);
	if (!keypair) {
		wg_tx_keep_waiting(peer);
		return NULL;
	}
	if (!wg_lane_has_room(lane) && skb_peek(&peer->staged.queue)->len) {
		wg_keypair_put(keypair);
		wg_tx_drop_staged(peer, WG_DROP_LANE_FULL);
		return NULL;
	}
	job = kmem_cache_zalloc(wg_tx_job_cache, GFP_ATOMIC);
	if (!job) {
		wg_keypair_put(keypair);
		wg_tx_drop_staged(peer, WG_DROP_NO_MEMORY);
		return NULL;
	}
	wg_tx_load_job(peer, job);
	job->keypair = keypair;
	job->seal.keypair = keypair;
	job->seal.counter = keypair->send_counter;
	keypair->send_counter += job->seal.datagrams;
	wg_lane_append(lane, &job->job, job->job.bytes, delegate);
	return job;
}

/* Sends what waits, if it can be sent. Called with the lane locked, returns
 * with it unlocked: the crypto is done outside.
 */
static void wg_tx_launch(struct wg_peer *peer)
	__releases(&peer->tx_lane->lock)
{
	struct wg_lane *lane = peer->tx_lane;
	struct wg_tx_job *jobs[WG_TX_BURST];
	bool delegate, more;
	unsigned int n, i;

	lockdep_assert_held(&lane->lock);
	do {
		/* Deep in a stack of tunnels a worker seals, for its
		 * transmission starts at depth 0. The stack refuses more than
		 * five of these levels, and every tunnel takes two.
		 */
		delegate = wg_pipeline_prefers_workers() ||
			   dev_recursion_level() > 3;
		for (n = 0; n < ARRAY_SIZE(jobs); n++) {
			if (skb_queue_empty(&peer->staged.queue))
				break;
			/* What is done here makes room before there is more. */
			if (n && !delegate && !wg_lane_has_room(lane))
				break;
			jobs[n] = wg_tx_make_job(peer, delegate);
			if (!jobs[n])
				break;
		}
		more = n && !skb_queue_empty(&peer->staged.queue);
		if (skb_queue_empty(&peer->staged.queue))
			wg_tx_charge(peer);
		spin_unlock_bh(&lane->lock);
		for (i = 0; i < n; i++) {
			if (delegate)
				wg_lane_wake_workers(lane);
			else
				wg_lane_do(lane, &jobs[i]->job);
		}
		if (!more)
			return;
		spin_lock_bh(&lane->lock);
	} while (1);
}

/*
 * The ways in.
 */

/* The packet cannot be sent: tell its sender, by the address it had before any
 * NAT.
 */
static netdev_tx_t wg_tx_refuse(struct wg_device *wg, struct sk_buff *skb,
				enum wg_stat why, int err)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else if (skb->protocol == htons(ETH_P_IPV6))
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH,
				0);
	DEV_STATS_INC(wg->dev, tx_errors);
	wg_stats_drop(&wg->stats, why, skb,
		      max_t(u32, skb_shinfo(skb)->gso_segs, 1));
	return err;
}

/* That is nobody's fault: no ICMP, which would tell the owner of a tunnel
 * inside this one that its other end is gone.
 */
static void wg_tx_no_memory(struct wg_device *wg, struct sk_buff *skb)
{
	DEV_STATS_INC(wg->dev, tx_dropped);
	wg_stats_inc(&wg->stats, WG_DROP_NO_MEMORY);
	kfree_skb(skb);
}

/**
 * wg_tx_xmit() - send a packet through the tunnel (spec 4.1)
 * @skb: taken over
 * @dev: the interface
 *
 * Context: ndo_start_xmit: BH off, no lock of the stack.
 * Return: NETDEV_TX_OK or the negative errno that the sender gets to see.
 */
netdev_tx_t wg_tx_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	u8 depth = wg_tx_get_depth();
	struct sk_buff *list, *part;
	struct wg_peer *peer;
	__be16 protocol;

	protocol = ip_tunnel_parse_protocol(skb);
	if (!protocol || protocol != skb->protocol) {
		DEV_STATS_INC(dev, tx_errors);
		wg_stats_drop(&wg->stats, WG_DROP_INNER_MALFORMED, skb, 1);
		return -EPROTONOSUPPORT;
	}
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb) {
		wg_tx_no_memory(wg, NULL);
		return NETDEV_TX_OK;
	}
	/* For its sender; what leaves is another packet. */
	skb_tx_timestamp(skb);

	rcu_read_lock();
	peer = wg_peer_find_by_dst(wg, skb);
	if (!peer || wg_peer_is_dead(peer)) {
		rcu_read_unlock();
		return wg_tx_refuse(wg, skb, WG_DROP_NO_PEER, -ENOKEY);
	}
	if (!wg_remote_known(&peer->remote)) {
		rcu_read_unlock();
		return wg_tx_refuse(wg, skb, WG_DROP_NO_ENDPOINT,
				    -EDESTADDRREQ);
	}
	if (depth > WG_TX_DEPTH_MAX) {
		rcu_read_unlock();
		return wg_tx_refuse(wg, skb, WG_DROP_LOOP, -ELOOP);
	}
	list = wg_seal_prepare(skb, READ_ONCE(dev->mtu));
	if (IS_ERR(list)) {
		rcu_read_unlock();
		if (PTR_ERR(list) == -ENOMEM) {
			wg_tx_no_memory(wg, skb);
			return NETDEV_TX_OK;
		}
		return wg_tx_refuse(wg, skb, WG_DROP_INNER_MALFORMED,
				    PTR_ERR(list));
	}
	for (part = list; part; part = part->next)
		wg_seal_cb(part)->depth = depth;
	spin_lock_bh(&peer->tx_lane->lock);
	wg_tx_stage(peer, list);
	wg_tx_launch(peer);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/**
 * wg_tx_flush() - send what waits for a session, if there is one now
 * @peer: held, or under RCU
 *
 * Context: any but hardirq.
 */
void wg_tx_flush(struct wg_peer *peer)
{
	rcu_read_lock();
	spin_lock_bh(&peer->tx_lane->lock);
	if (skb_queue_empty(&peer->staged.queue) || wg_peer_is_dead(peer)) {
		spin_unlock_bh(&peer->tx_lane->lock);
	} else {
		/* BH stays off while jobs are done here and now. */
		local_bh_disable();
		wg_tx_launch(peer);
		local_bh_enable();
	}
	rcu_read_unlock();
}

/**
 * wg_tx_keepalive() - send what waits, or an empty packet if nothing does
 * @peer: held, or under RCU
 *
 * Context: any but hardirq.
 */
void wg_tx_keepalive(struct wg_peer *peer)
{
	struct sk_buff *skb;

	spin_lock_bh(&peer->tx_lane->lock);
	/* A dead peer has been purged, or will be after this. */
	if (skb_queue_empty(&peer->staged.queue) && !wg_peer_is_dead(peer)) {
		skb = alloc_skb(0, GFP_ATOMIC);
		if (skb) {
			wg_seal_note(skb, 0, 1);
			wg_tx_stage(peer, skb);
		}
	}
	spin_unlock_bh(&peer->tx_lane->lock);
	wg_tx_flush(peer);
}

/**
 * wg_tx_purge_staged() - drop what waits for a session
 * @peer: held
 *
 * Context: any but hardirq.
 */
void wg_tx_purge_staged(struct wg_peer *peer)
{
	spin_lock_bh(&peer->tx_lane->lock);
	wg_tx_drop_staged(peer, WG_DROP_NO_SESSION);
	wg_tx_charge(peer);
	spin_unlock_bh(&peer->tx_lane->lock);
}

/*
 * Life.
 */

/**
 * wg_tx_create_lanes() - make the lanes of a device, and say how many
 * @wg: with stats
 *
 * A few per CPU: enough that CPUs rarely meet in one, few enough to be cheap.
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_tx_create_lanes(struct wg_device *wg)
{
	u32 limit = WG_TX_LANE_BYTES +
		    WG_TX_LANE_BYTES_PER_CPU * num_online_cpus();
	unsigned int i;

	wg->lanes = min_t(unsigned int, WG_LANES_MAX,
			  roundup_pow_of_two(2 * nr_cpu_ids));
	wg->tx_lanes = kvcalloc(wg->lanes, sizeof(*wg->tx_lanes),
				GFP_KERNEL_ACCOUNT);
	if (!wg->tx_lanes)
		return -ENOMEM;
	for (i = 0; i < wg->lanes; i++)
		wg_lane_init(&wg->tx_lanes[i], &wg_tx_lane_ops, &wg->stats,
			     limit);
	return 0;
}

/**
 * wg_tx_destroy_lanes() - wait for the lanes to run empty, and free them
 * @wg: sends nothing any more; a grace period has passed since it did
 *
 * Context: process, sleeps.
 */
void wg_tx_destroy_lanes(struct wg_device *wg)
{
	unsigned int i;

	for (i = 0; i < wg->lanes; i++) {
		wg_lane_drain_sync(&wg->tx_lanes[i]);
		wg_lane_purge(&wg->tx_lanes[i]);
	}
	kvfree(wg->tx_lanes);
	wg->tx_lanes = NULL;
}

/**
 * wg_tx_init() - once per module
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_tx_init(void)
{
	wg_tx_job_cache = KMEM_CACHE(wg_tx_job, SLAB_HWCACHE_ALIGN);
	return wg_tx_job_cache ? 0 : -ENOMEM;
}

/**
 * wg_tx_fini() - undo wg_tx_init()
 *
 * Context: process; no device is left.
 */
void wg_tx_fini(void)
{
	kmem_cache_destroy(wg_tx_job_cache);
}
