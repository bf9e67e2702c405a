// SPDX-License-Identifier: GPL-2.0
/*
 * Everything an incoming packet meets, from top to bottom.
 *
 * Layer 3.
 *
 *   wg_rx_receive	walk the datagrams of a UDP packet, each by itself
 *   wg_rx_submit	runs of one session take a place in their lane
 *   wg_rx_open		(in the poll or a worker) authenticate, decrypt, merge
 *   wg_rx_poll		(in order) take opened jobs from the lane
 *   wg_rx_deliver	replays, endpoint, key confirmation, timers
 *   wg_rx_inner	is the packet what it says, may it come from there?
 */
#include "open.h"
#include "packet.h"

#include <linux/slab.h>
#include <linux/unaligned.h>
#include <net/gso.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>

/* Of memory, not of payload: what a burst of small datagrams takes. */
#define WG_RX_LANE_BYTES	(2 * 1024 * 1024)

/**
 * struct wg_rx_job - a run of datagrams of one session
 * @job: its place in the lane
 * @keypair: opens it; a reference; its owner is the peer
 * @open: the datagrams and the packets made of them; its src is a reference
 */
struct wg_rx_job {
	struct wg_job job;
	struct wg_keypair *keypair;
	struct wg_open_job open;
};

static struct kmem_cache *wg_rx_job_cache;

static struct wg_peer *wg_rx_peer(const struct wg_rx_job *job)
{
	return job->keypair->index.owner;
}

static u32 wg_rx_datagrams(const struct wg_rx_job *job)
{
	return DIV_ROUND_UP(job->open.len, job->open.segment);
}

static void wg_rx_free_job(struct wg_rx_job *job)
{
	kfree_skb_list(job->open.out);
	consume_skb(job->open.src);
	wg_keypair_put(job->keypair);
	kmem_cache_free(wg_rx_job_cache, job);
}

/* Lane operation: opens what can be opened of a job. */
static void wg_rx_open(struct wg_job *base)
{
	struct wg_rx_job *job = container_of(base, struct wg_rx_job, job);
	struct wg_keypair *keypair = job->keypair;

	if (wg_keypair_may_receive(keypair, ktime_get_coarse_boottime_ns())) {
		wg_open(&job->open);
		return;
	}
	WRITE_ONCE(keypair->receive_valid, false);
	wg_stats_add(job->open.stats, WG_DROP_EXPIRED, wg_rx_datagrams(job));
}

/*
 * Delivery: the lane's consumer, one at a time, in order.
 */

/* What each authentic datagram that is no replay tells us, whatever is inside;
 * once for a job, as all its datagrams came from the same place (spec 5.4).
 */
static void wg_rx_heard(struct wg_peer *peer, struct wg_rx_job *job)
{
	struct wg_keypair *keypair = job->keypair;
	struct wg_endpoint from;
	u64 age;

	if (!wg_socket_read_endpoint(&from, job->open.src))
		wg_remote_learn(&peer->remote, &from);
	/* Before the flush: what is sent then wants an answer of its own. */
	wg_timers_any_received(&peer->timers);
	wg_timers_any_traversal(&peer->timers);
	if (wg_keyring_confirm(&peer->keyring, keypair)) {
		wg_tx_flush(peer);
		wg_peer_complete_handshake(peer);
	}
	age = ktime_get_coarse_boottime_ns() - keypair->birth_ns;
	if (keypair->initiator && !keypair->rekeyed_late &&
	    age >= (u64)(WG_REJECT_AFTER_TIME - WG_KEEPALIVE_TIMEOUT -
			 WG_REKEY_TIMEOUT) * NSEC_PER_SEC) {
		keypair->rekeyed_late = true;
		wg_peer_want_handshake(peer);
	}
}

/* Says what is wrong with an inner packet in the device's statistics. */
static void wg_rx_refuse(struct wg_device *wg, struct sk_buff *skb,
			 enum wg_stat why, bool length)
{
	u32 packets = wg_open_cb(skb)->datagrams;

	DEV_STATS_ADD(wg->dev, rx_errors, packets);
	if (length)
		DEV_STATS_ADD(wg->dev, rx_length_errors, packets);
	else
		DEV_STATS_ADD(wg->dev, rx_frame_errors, packets);
	wg_stats_drop(&wg->stats, why, skb, packets);
}

/* Reads version and length of an inner packet and applies what the outer ECN
 * says. Returns the stated length, 0 if it cannot be right, or -EPROTO if it
 * is no IP packet.
 */
static int wg_rx_stated_len(struct sk_buff *skb, u8 outer_tos)
{
	if (skb->len >= sizeof(struct iphdr) && ip_hdr(skb)->version == 4) {
		u32 len = ntohs(ip_hdr(skb)->tot_len);

		skb->protocol = htons(ETH_P_IP);
		INET_ECN_decapsulate(skb, outer_tos, ip_hdr(skb)->tos);
		return len < sizeof(struct iphdr) ? 0 : len;
	}
	if (skb->len >= sizeof(struct ipv6hdr) && ip_hdr(skb)->version == 6) {
		skb->protocol = htons(ETH_P_IPV6);
		INET_ECN_decapsulate(skb, outer_tos,
				     ipv6_get_dsfield(ipv6_hdr(skb)));
		return ntohs(ipv6_hdr(skb)->payload_len) +
		       sizeof(struct ipv6hdr);
	}
	return -EPROTO;
}

/* The inner packet: what it is, how long it is, and whether it may come from
 * this peer (spec 5.5). Takes it over.
 */
static void wg_rx_inner(struct wg_rx_lane *lane, struct wg_peer *peer,
			struct sk_buff *skb, u8 outer_tos)
{
	u32 packets = wg_open_cb(skb)->datagrams;
	u32 bytes = wg_open_cb(skb)->bytes;
	struct wg_device *wg = peer->wg;
	int len;

	skb->dev = wg->dev;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	len = wg_rx_stated_len(skb, outer_tos);
	if (len < 0)
		return wg_rx_refuse(wg, skb, WG_DROP_INNER_MALFORMED, false);
	if (!len || len > skb->len)
		return wg_rx_refuse(wg, skb, WG_DROP_INNER_MALFORMED, true);
	skb_trim(skb, len);
	if (wg_peer_find_by_src(wg, skb) != peer)
		return wg_rx_refuse(wg, skb, WG_DROP_SOURCE_NOT_ALLOWED, false);
	if (!skb_is_gso(skb)) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		skb->csum_level = ~0;
	}
	napi_gro_receive(&lane->napi, skb);
	wg_peer_count_rx(peer, packets, bytes);
}

/* Claims the counters of a packet. Bit k of the answer: datagram k is news. */
static u64 wg_rx_claim(struct wg_rx_job *job, struct sk_buff *skb)
{
	const struct wg_open_cb *cb = wg_open_cb(skb);
	u64 news = 0;
	u32 k;

	for (k = 0; k < cb->datagrams; k++) {
		if (wg_replay_claim(&job->keypair->replay, cb->counter + k))
			news |= BIT_ULL(k);
		else
			wg_stats_inc(job->open.stats, WG_DROP_REPLAY);
	}
	return news;
}

/* Some datagrams of a super-packet were replays that another job delivered
 * since they were opened: takes it apart and leaves these out.
 */
static struct sk_buff *wg_rx_split(struct wg_stats *stats,
				   struct sk_buff *skb, u64 news)
{
	u32 bytes = wg_open_cb(skb)->bytes / wg_open_cb(skb)->datagrams;
	struct sk_buff *list, *seg, *next, *kept = NULL, **end = &kept;
	u32 k = 0;

	skb->protocol = ip_tunnel_parse_protocol(skb);
	skb_reset_mac_header(skb);
	list = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(list)) {
		wg_stats_drop(stats, WG_DROP_NO_MEMORY, skb,
			      wg_open_cb(skb)->datagrams);
		return NULL;
	}
	consume_skb(skb);
	skb_list_walk_safe(list, seg, next) {
		skb_mark_not_on_list(seg);
		if (!(news & BIT_ULL(k++))) {
			kfree_skb(seg);
			continue;
		}
		wg_open_cb(seg)->datagrams = 1;
		wg_open_cb(seg)->bytes = bytes;
		*end = seg;
		end = &seg->next;
	}
	return kept;
}

/* Delivers an opened packet: keepalive, or one or more inner packets. */
static void wg_rx_packet(struct wg_rx_lane *lane, struct wg_rx_job *job,
			 struct sk_buff *skb, u64 news)
{
	struct wg_peer *peer = wg_rx_peer(job);
	u8 outer_tos = wg_socket_read_tos(job->open.src);
	struct sk_buff *next;

	if (!skb->len) {
		wg_peer_count_rx(peer, 1, WG_DATA_OVERHEAD);
		consume_skb(skb);
		return;
	}
	if (unlikely(news != GENMASK_ULL(wg_open_cb(skb)->datagrams - 1, 0)))
		skb = wg_rx_split(job->open.stats, skb, news);
	skb_list_walk_safe(skb, skb, next) {
		skb_mark_not_on_list(skb);
		wg_rx_inner(lane, peer, skb, outer_tos);
	}
}

/* Delivers an opened job and frees it. */
static void wg_rx_deliver(struct wg_rx_lane *lane, struct wg_rx_job *job)
{
	struct wg_peer *peer = wg_rx_peer(job);
	struct sk_buff *skb, *next;
	bool heard = false;
	u64 news;

	rcu_read_lock();
	skb_list_walk_safe(job->open.out, skb, next) {
		skb_mark_not_on_list(skb);
		if (wg_peer_is_dead(peer)) {
			wg_stats_drop(job->open.stats, WG_DROP_PEER_REMOVED,
				      skb, wg_open_cb(skb)->datagrams);
			continue;
		}
		news = wg_rx_claim(job, skb);
		if (!news) {
			kfree_skb(skb);
			continue;
		}
		/* First: what the session has waiting answers it already. */
		if (skb->len)
			wg_timers_data_received(&peer->timers);
		if (!heard)
			wg_rx_heard(peer, job);
		heard = true;
		wg_rx_packet(lane, job, skb, news);
	}
	rcu_read_unlock();
	job->open.out = NULL;
	wg_rx_free_job(job);
}

/* A job of many datagrams is not one packet's work. */
static int wg_rx_work(const struct wg_rx_job *job)
{
	return DIV_ROUND_UP(wg_rx_datagrams(job), 8);
}

static int wg_rx_poll(struct napi_struct *napi, int budget)
{
	struct wg_rx_lane *lane = container_of(napi, struct wg_rx_lane, napi);
	struct wg_job *run;
	int done = 0;

	while (done < budget && (run = wg_lane_take_ready(&lane->lane, 1))) {
		struct wg_rx_job *job = container_of(run, struct wg_rx_job,
						     job);

		done += wg_rx_work(job);
		if (run->state == WG_JOB_INLINE) {
			u64 since = wg_pipeline_clock();

			wg_rx_open(run);
			wg_pipeline_account(wg_pipeline_clock() - since);
		}
		wg_rx_deliver(lane, job);
	}
	if (done >= budget)
		return budget;
	/* A job that was finished since we looked has set the "missed" bit,
	 * and the poll comes again.
	 */
	napi_complete_done(napi, done);
	return done;
}

/* Lane operation: the head can be taken. */
static void wg_rx_ready(struct wg_lane *lane)
{
	napi_schedule(&container_of(lane, struct wg_rx_lane, lane)->napi);
}

/* Lane operation: frees a job that was never delivered. */
static void wg_rx_discard(struct wg_job *base)
{
	wg_rx_free_job(container_of(base, struct wg_rx_job, job));
}

static const struct wg_lane_ops wg_rx_lane_ops = {
	.crypt = wg_rx_open,
	.ready = wg_rx_ready,
	.discard = wg_rx_discard,
};

/*
 * The way in.
 */

/* The memory that a job holds: all of the packet it came in, though others may
 * hold that as well. With only its share, one datagram of ours and 63 of nobody
 * would keep 64 times what they are charged for.
 */
static u32 wg_rx_charge(const struct wg_open_job *run)
{
	return sizeof(struct wg_rx_job) + run->src->truesize;
}

/* Gives a run of datagrams for one receiver index a place in the lane of its
 * peer. Called for one socket by one CPU at a time, so the order of arrival
 * becomes the order of places.
 */
static void wg_rx_submit(struct wg_device *wg, __le32 receiver,
			 const struct wg_open_job *run)
{
	u32 n = DIV_ROUND_UP(run->len, run->segment);
	struct wg_keypair *keypair;
	struct wg_rx_job *job;
	struct wg_lane *lane;
	bool delegate, room;

	keypair = wg_keypair_find(&wg->indices, receiver);
	if (!keypair) {
		wg_stats_add(&wg->stats, WG_DROP_UNKNOWN_INDEX, n);
		return;
	}
	job = kmem_cache_alloc(wg_rx_job_cache, GFP_ATOMIC);
	if (!job) {
		wg_keypair_put(keypair);
		wg_stats_add(&wg->stats, WG_DROP_NO_MEMORY, n);
		return;
	}
	job->open = *run;
	job->open.src = skb_get(run->src);
	job->open.keypair = keypair;
	job->keypair = keypair;
	wg_stats_inc(&wg->stats, n > 1 ? WG_STAT_RX_BUNDLES :
					 WG_STAT_RX_SINGLES);
	lane = wg_rx_peer(job)->rx_lane;
	delegate = wg_pipeline_prefers_workers();
	spin_lock_bh(&lane->lock);
	room = wg_lane_has_room(lane);
	if (room)
		wg_lane_append(lane, &job->job, wg_rx_charge(run), delegate);
	spin_unlock_bh(&lane->lock);
	if (!room) {
		wg_stats_add(&wg->stats, WG_DROP_LANE_FULL, n);
		wg_rx_free_job(job);
	} else if (delegate) {
		wg_lane_wake_workers(lane);
	} else {
		/* The poll comes after that of the NIC, which may have more. */
		wg_rx_ready(lane);
	}
}

/* A datagram that belongs to no session. */
static void wg_rx_control(struct wg_device *wg, struct sk_buff *skb,
			  u32 offset, u32 len)
{
	u8 msg[sizeof(struct wg_msg_initiation)] __aligned(sizeof(__le32));
	struct wg_endpoint from;
	__le32 type;

	if (len < sizeof(type) || len > sizeof(msg) ||
	    skb_copy_bits(skb, offset, msg, len))
		goto malformed;
	type = ((struct wg_msg_header *)msg)->type;
	if (!(type == cpu_to_le32(WG_MSG_INITIATION) &&
	      len == sizeof(struct wg_msg_initiation)) &&
	    !(type == cpu_to_le32(WG_MSG_RESPONSE) &&
	      len == sizeof(struct wg_msg_response)) &&
	    !(type == cpu_to_le32(WG_MSG_COOKIE) &&
	      len == sizeof(struct wg_msg_cookie)))
		goto malformed;
	/* Nobody has looked at the checksum yet. Data have a tag, and so has
	 * what GRO merged: it is not verified there, but mac1 and AEAD are.
	 */
	if (!wg_socket_is_bundle(skb) && !wg_socket_checksum_ok(skb))
		goto malformed;
	if (wg_socket_read_endpoint(&from, skb))
		goto malformed;
	wg_handshake_receive(wg, msg, len, &from);
	return;
malformed:
	wg_stats_inc(&wg->stats, WG_DROP_MALFORMED);
}

/**
 * wg_rx_receive() - take a UDP packet with one or more datagrams
 * @socket: it came by
 * @skb: taken over; see wg_socket_receive_t
 *
 * Each datagram is judged by itself: GRO merges by addresses and ports, and
 * two peers, handshakes and forgeries may share these.
 *
 * Context: BH off, one call at a time per socket.
 */
void wg_rx_receive(struct wg_socket *socket, struct sk_buff *skb)
{
	struct wg_device *wg = container_of(socket, struct wg_device, socket);
	struct wg_open_job run = {
		.dev = wg->dev,
		.stats = &wg->stats,
		.src = skb,
	};
	__le32 receiver = 0;
	u32 offset, len;

	run.segment = wg_socket_is_bundle(skb) ? skb_shinfo(skb)->gso_size :
						 skb->len;
	for (offset = 0; offset < skb->len; offset += len) {
		struct wg_msg_data *head, buffer;

		len = min(run.segment, skb->len - offset);
		head = len < WG_DATA_MIN ? NULL :
		       skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
		if (head && get_unaligned(&head->header.type) ==
			    cpu_to_le32(WG_MSG_DATA)) {
			__le32 index = get_unaligned(&head->receiver);

			if (run.len && index != receiver) {
				wg_rx_submit(wg, receiver, &run);
				run.len = 0;
			}
			if (!run.len)
				run.offset = offset;
			receiver = index;
			run.len += len;
			continue;
		}
		if (run.len)
			wg_rx_submit(wg, receiver, &run);
		run.len = 0;
		wg_rx_control(wg, skb, offset, len);
	}
	if (!skb->len)
		wg_stats_inc(&wg->stats, WG_DROP_MALFORMED);
	if (run.len)
		wg_rx_submit(wg, receiver, &run);
	consume_skb(skb);
}

/*
 * Life.
 */

/**
 * wg_rx_create_lanes() - make the lanes of a device and their NAPIs
 * @wg: with stats; wg_tx_create_lanes() has said how many
 *
 * Context: process, before the netdevice is registered.
 * Return: 0 or -ENOMEM.
 */
int wg_rx_create_lanes(struct wg_device *wg)
{
	unsigned int i;

	wg->rx_lanes = kvcalloc(wg->lanes, sizeof(*wg->rx_lanes),
				GFP_KERNEL_ACCOUNT);
	if (!wg->rx_lanes)
		return -ENOMEM;
	for (i = 0; i < wg->lanes; i++) {
		struct wg_rx_lane *lane = &wg->rx_lanes[i];

		wg_lane_init(&lane->lane, &wg_rx_lane_ops, &wg->stats,
			     WG_RX_LANE_BYTES);
		/* An application that polled it would find no hardware. */
		set_bit(NAPI_STATE_NO_BUSY_POLL, &lane->napi.state);
		netif_napi_add(wg->dev, &lane->napi, wg_rx_poll);
		napi_enable(&lane->napi);
	}
	return 0;
}

/**
 * wg_rx_destroy_lanes() - wait for workers and polls, and free the lanes
 * @wg: its sockets are closed
 *
 * Context: process, sleeps.
 */
void wg_rx_destroy_lanes(struct wg_device *wg)
{
	unsigned int i;

	for (i = 0; i < wg->lanes; i++) {
		struct wg_rx_lane *lane = &wg->rx_lanes[i];

		wg_lane_drain_sync(&lane->lane);
		napi_disable(&lane->napi);
		__netif_napi_del(&lane->napi);
		wg_lane_purge(&lane->lane);
	}
	/* Once for all lanes: whoever looks up a NAPI is under RCU. */
	synchronize_net();
	kvfree(wg->rx_lanes);
	wg->rx_lanes = NULL;
}

/**
 * wg_rx_init() - once per module
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_rx_init(void)
{
	wg_rx_job_cache = KMEM_CACHE(wg_rx_job, SLAB_HWCACHE_ALIGN);
	return wg_rx_job_cache ? 0 : -ENOMEM;
}

/**
 * wg_rx_fini() - undo wg_rx_init()
 *
 * Context: process; no device is left.
 */
void wg_rx_fini(void)
{
	kmem_cache_destroy(wg_rx_job_cache);
}
