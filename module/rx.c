// SPDX-License-Identifier: GPL-2.0
/*
 * rx.c - everything an incoming packet meets, from top to bottom.
 *
 * Layer 3.
 *
 *   wg_rx_receive	walk the datagrams of a UDP packet, each by itself
 *   wg_rx_submit	runs of one session take a place in their lane
 *   wg_rx_open		(in the poll or a worker) authenticate and decrypt
 *   wg_rx_poll		(in order) take opened jobs from the lane
 *   wg_rx_deliver	replay, endpoint, key confirmation, timers
 *   wg_rx_inner	is the packet what it says, may it come from there?
 */
#include "packet.h"

#include <linux/slab.h>
#include <linux/unaligned.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <crypto/chacha20poly1305.h>

/**
 * struct wg_rx_cb - our notes in an opened packet's control block
 * @counter: of its first datagram; the others follow without a gap
 * @datagrams: it was made of
 * @bytes: these had, as they are counted (spec 5.5)
 */
struct wg_rx_cb {
	u64 counter;
	u32 datagrams;
	u32 bytes;
};

static struct wg_rx_cb *wg_rx_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct wg_rx_cb) > sizeof(skb->cb));
	return (struct wg_rx_cb *)skb->cb;
}

/**
 * struct wg_rx_job - a run of datagrams of one session
 * @job: its place in the lane
 * @keypair: opens it; a reference; its owner is the peer
 * @src: the UDP packet they are in; a reference, never written to
 * @offset: of the first datagram in @src
 * @len: of the run
 * @segment: length of each datagram but the last
 * @out: opened packets, linked by next
 */
struct wg_rx_job {
	struct wg_job job;
	struct wg_keypair *keypair;
	struct sk_buff *src;
	u32 offset;
	u32 len;
	u32 segment;
	struct sk_buff *out;
};

static struct kmem_cache *wg_rx_job_cache;

static struct wg_peer *wg_rx_peer(const struct wg_rx_job *job)
{
	return job->keypair->index.owner;
}

static u32 wg_rx_datagrams(const struct wg_rx_job *job)
{
	return DIV_ROUND_UP(job->len, job->segment);
}

static void wg_rx_free_job(struct wg_rx_job *job)
{
	kfree_skb_list(job->out);
	consume_skb(job->src);
	wg_keypair_put(job->keypair);
	kmem_cache_free(wg_rx_job_cache, job);
}

/*
 * Opening.
 */

/* Where a datagram stands in one piece, or NULL if it does not. */
static const u8 *wg_rx_map(struct skb_seq_state *seq, u32 offset, u32 len)
{
	const u8 *data;

	if (skb_seq_read(offset, &data, seq) < len)
		return NULL;
	return data;
}

/* Opens the datagram of @len bytes at @offset into a packet of its own, from
 * source to destination: the source may be shared.
 */
static struct sk_buff *wg_rx_open_one(struct wg_rx_job *job,
				      struct skb_seq_state *seq, u32 offset,
				      u32 len)
{
	struct wg_device *wg = wg_rx_peer(job)->wg;
	const u32 sealed = len - sizeof(struct wg_msg_data);
	const u8 *src = wg_rx_map(seq, offset, len);
	struct wg_msg_data head;
	struct sk_buff *skb;
	u64 counter;

	if (src)
		memcpy(&head, src, sizeof(head));
	else if (skb_copy_bits(job->src, offset, &head, sizeof(head)))
		return NULL;
	counter = le64_to_cpu(head.counter);
	if (!wg_replay_peek(&job->keypair->replay, counter)) {
		wg_stats_inc(&wg->stats, WG_DROP_REPLAY);
		return NULL;
	}
	skb = netdev_alloc_skb(wg->dev, sealed);
	if (!skb) {
		wg_stats_inc(&wg->stats, WG_DROP_NO_MEMORY);
		return NULL;
	}
	if (src)
		src += sizeof(head);
	else if (skb_copy_bits(job->src, offset + sizeof(head), skb->data,
			       sealed))
		goto bad;
	else
		src = skb->data;
	if (!chacha20poly1305_decrypt(skb->data, src, sealed, NULL, 0, counter,
				      job->keypair->receive_key))
		goto bad;
	__skb_put(skb, sealed - WG_TAG_LEN);
	wg_rx_cb(skb)->counter = counter;
	wg_rx_cb(skb)->datagrams = 1;
	wg_rx_cb(skb)->bytes = WG_DATA_OVERHEAD + skb->len;
	return skb;
bad:
	wg_stats_inc(&wg->stats, WG_DROP_BAD_TAG);
	kfree_skb(skb);
	return NULL;
}

/* Lane operation: opens what can be opened of a job. */
static void wg_rx_open(struct wg_job *base)
{
	struct wg_rx_job *job = container_of(base, struct wg_rx_job, job);
	struct wg_keypair *keypair = job->keypair;
	struct wg_device *wg = wg_rx_peer(job)->wg;
	u32 offset = job->offset, end = offset + job->len;
	struct sk_buff **tail = &job->out;
	struct skb_seq_state seq;

	if (!wg_keypair_may_receive(keypair, ktime_get_coarse_boottime_ns())) {
		WRITE_ONCE(keypair->receive_valid, false);
		wg_stats_add(&wg->stats, WG_DROP_EXPIRED, wg_rx_datagrams(job));
		return;
	}
	skb_prepare_seq_read(job->src, 0, job->src->len, &seq);
	for (; offset < end; offset += job->segment) {
		u32 len = min(job->segment, end - offset);
		struct sk_buff *skb = wg_rx_open_one(job, &seq, offset, len);

		if (!skb)
			continue;
		*tail = skb;
		tail = &skb->next;
	}
	skb_abort_seq_read(&seq);
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

	if (!wg_socket_read_endpoint(&from, job->src))
		wg_remote_learn(&peer->remote, &from);
	if (wg_keyring_confirm(&peer->keyring, keypair)) {
		wg_handshake_complete(peer);
		wg_tx_flush(peer);
	}
	age = ktime_get_coarse_boottime_ns() - keypair->birth_ns;
	if (keypair->initiator && !keypair->rekeyed_late &&
	    age >= (u64)(WG_REJECT_AFTER_TIME - WG_KEEPALIVE_TIMEOUT -
			 WG_REKEY_TIMEOUT) * NSEC_PER_SEC) {
		keypair->rekeyed_late = true;
		wg_peer_want_handshake(peer);
	}
	wg_timers_any_received(&peer->timers);
	wg_timers_any_traversal(&peer->timers);
}

/* Says what is wrong with an inner packet in the device's statistics. */
static void wg_rx_refuse(struct wg_device *wg, struct sk_buff *skb,
			 enum wg_stat why, bool length)
{
	DEV_STATS_INC(wg->dev, rx_errors);
	if (length)
		DEV_STATS_INC(wg->dev, rx_length_errors);
	else
		DEV_STATS_INC(wg->dev, rx_frame_errors);
	wg_stats_add(&wg->stats, why, wg_rx_cb(skb)->datagrams);
	kfree_skb(skb);
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
	u32 packets = wg_rx_cb(skb)->datagrams, bytes = wg_rx_cb(skb)->bytes;
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
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = ~0;
	napi_gro_receive(&lane->napi, skb);
	wg_peer_count_rx(peer, packets, bytes);
}

/* Takes over one opened packet. True if it was news. */
static bool wg_rx_accept(struct wg_rx_job *job, const struct sk_buff *skb)
{
	struct wg_device *wg = wg_rx_peer(job)->wg;
	const struct wg_rx_cb *cb = wg_rx_cb((struct sk_buff *)skb);

	if (wg_replay_claim(&job->keypair->replay, cb->counter))
		return true;
	wg_stats_inc(&wg->stats, WG_DROP_REPLAY);
	return false;
}

/* Delivers an opened job and frees it. */
static void wg_rx_deliver(struct wg_rx_lane *lane, struct wg_rx_job *job)
{
	struct wg_peer *peer = wg_rx_peer(job);
	u8 outer_tos = wg_socket_read_tos(job->src);
	bool heard = false, data = false;
	struct sk_buff *skb, *next;

	rcu_read_lock();
	skb_list_walk_safe(job->out, skb, next) {
		skb_mark_not_on_list(skb);
		if (wg_peer_is_dead(peer)) {
			wg_stats_inc(&peer->wg->stats, WG_DROP_PEER_REMOVED);
			kfree_skb(skb);
			continue;
		}
		if (!wg_rx_accept(job, skb)) {
			kfree_skb(skb);
			continue;
		}
		if (!heard)
			wg_rx_heard(peer, job);
		heard = true;
		if (!skb->len) {
			wg_peer_count_rx(peer, 1, WG_DATA_OVERHEAD);
			consume_skb(skb);
			continue;
		}
		if (!data)
			wg_timers_data_received(&peer->timers);
		data = true;
		wg_rx_inner(lane, peer, skb, outer_tos);
	}
	rcu_read_unlock();
	job->out = NULL;
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
			wg_pipeline_account(since);
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

/* Gives a run of datagrams for one receiver index a place in the lane of its
 * peer. Called for one socket by one CPU at a time, so the order of arrival
 * becomes the order of places.
 */
static void wg_rx_submit(struct wg_device *wg, __le32 receiver,
			 const struct wg_rx_job *run)
{
	u32 n = wg_rx_datagrams(run);
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
	*job = *run;
	job->src = skb_get(run->src);
	job->keypair = keypair;
	wg_stats_inc(&wg->stats, n > 1 ? WG_STAT_RX_BUNDLES :
					 WG_STAT_RX_SINGLES);
	lane = wg_rx_peer(job)->rx_lane;
	delegate = wg_pipeline_prefers_workers();
	spin_lock_bh(&lane->lock);
	room = wg_lane_has_room(lane);
	if (room)
		wg_lane_append(lane, &job->job, run->len, delegate);
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
	u8 msg[sizeof(struct wg_msg_initiation)];
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
	if (!skb_is_gso(skb) && !wg_socket_checksum_ok(skb))
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
	struct wg_rx_job run = { .src = skb };
	__le32 receiver = 0;
	u32 offset, len;

	run.segment = skb_is_gso(skb) ? skb_shinfo(skb)->gso_size : skb->len;
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

	wg->rx_lanes = kvcalloc(wg->lanes, sizeof(*wg->rx_lanes), GFP_KERNEL);
	if (!wg->rx_lanes)
		return -ENOMEM;
	for (i = 0; i < wg->lanes; i++) {
		struct wg_rx_lane *lane = &wg->rx_lanes[i];

		wg_lane_init(&lane->lane, &wg_rx_lane_ops, &wg->stats);
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
		netif_napi_del(&lane->napi);
		wg_lane_purge(&lane->lane);
	}
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
