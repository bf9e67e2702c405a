// SPDX-License-Identifier: GPL-2.0
/*
 * tx.c - everything an outgoing packet meets, from top to bottom.
 *
 * Layer 3.
 *
 *   wg_tx_xmit		whose is it? may it be sent?
 *   wg_tx_prepare	still a super-packet, if we can cut it ourselves
 *   wg_tx_stage	waits here for a session, or for the rest of a burst
 *   wg_tx_launch	session, nonces and lane place, all under one lock
 *   wg_tx_seal		(anywhere) copy, checksum and seal into bundles
 *   wg_tx_send		(in order) route and send, timers, statistics
 */
#include "packet.h"

#include <linux/icmpv6.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/unaligned.h>
#include <net/dst_metadata.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip_tunnels.h>
#include <crypto/chacha20poly1305.h>

enum wg_tx_limit {
	WG_STAGED_DATAGRAMS = 128,
	WG_STAGED_BYTES = 256 * 1024,
	WG_STAGED_DEVICE_BYTES = 32 * 1024 * 1024,
	/* Datagrams of one bundle: what the UDP layer takes in one GSO skb. */
	WG_BUNDLE_DATAGRAMS = 64,
	WG_BUNDLE_BYTES = 65507,
	/* For the outer headers down to the link layer's. */
	WG_TX_HEADROOM = ALIGN(LL_MAX_HEADER + sizeof(struct ipv6hdr) +
			       sizeof(struct udphdr), 16),
	WG_LANES_MAX = 64,
};

/**
 * struct wg_tx_cb - our notes in a packet's control block
 * @mtu: inner packets: of their path, bounds the padding; 0 if there is none
 * @datagrams: inner packets: how many they become
 * @tos: outer packets: goes into the outer header
 */
struct wg_tx_cb {
	u32 mtu;
	u32 datagrams;
	u8 tos;
};

static struct wg_tx_cb *wg_tx_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct wg_tx_cb) > sizeof(skb->cb));
	return (struct wg_tx_cb *)skb->cb;
}

/**
 * struct wg_tx_job - inner packets with a range of nonces
 * @job: its place in the lane
 * @keypair: seals it; a reference; its owner is the peer
 * @counter: first nonce
 * @datagrams: number of nonces
 * @data: at least one packet is not a keepalive
 * @in: packets, linked by next
 * @out: sealed bundles, linked by next
 */
struct wg_tx_job {
	struct wg_job job;
	struct wg_keypair *keypair;
	u64 counter;
	u32 datagrams;
	bool data;
	struct sk_buff *in;
	struct sk_buff *out;
};

static struct kmem_cache *wg_tx_job_cache;

static struct wg_peer *wg_tx_peer(const struct wg_tx_job *job)
{
	return job->keypair->index.owner;
}

/* Drops a packet that has been accepted from the stack. */
static void wg_tx_drop(struct wg_device *wg, struct sk_buff *skb,
		       enum wg_stat why)
{
	u32 n = wg_tx_cb(skb)->datagrams;

	DEV_STATS_ADD(wg->dev, tx_dropped, n);
	wg_stats_add(&wg->stats, why, n);
	kfree_skb(skb);
}

/*
 * Sealing: from inner packets to bundles.
 */

/* A buffer that bundles are cut from. Taken with BH off; who finds it taken,
 * which can only be where BH off does not keep others from this CPU
 * (PREEMPT_RT), uses one of his own.
 */
struct wg_tx_buffer {
	struct page_frag frag;
	bool taken;
};

static DEFINE_PER_CPU(struct wg_tx_buffer, wg_tx_buffer);

/**
 * struct wg_tx_builder - bundles in the making
 * @job: what is being sealed
 * @gso: may there be bundles of more than one datagram?
 * @left: datagrams of the job still to be sealed
 * @most: datagrams the bundle may have
 * @counter: next nonce
 * @skb: the bundle, NULL if none is open
 * @slot: length of its first datagram
 * @n: datagrams it has
 * @closed: its last datagram was shorter, or it can take no more
 * @in: packet whose last datagram was its last, NULL if there are more
 * @end: where the next finished bundle is linked in
 * @frag: cut from here
 */
struct wg_tx_builder {
	struct wg_tx_job *job;
	bool gso;
	u32 left;
	u32 most;
	u64 counter;
	struct sk_buff *skb;
	u32 slot;
	u32 n;
	bool closed;
	struct sk_buff *in;
	struct sk_buff **end;
	struct page_frag *frag;
};

/* The bundle takes the place of the inner packet in its socket's accounts, so
 * that TCP small queues and SO_SNDBUF push back until it has really left. Only
 * for destructors known to look at nothing but sk and truesize.
 */
static void wg_tx_inherit_socket(struct sk_buff *out, struct sk_buff *in)
{
	if (!in->sk || !in->destructor || !sk_fullsock(in->sk))
		return;
	if (in->destructor != sock_wfree && !sk_is_tcp(in->sk))
		return;
	swap(out->truesize, in->truesize);
	swap(out->destructor, in->destructor);
	swap(out->sk, in->sk);
}

/* The open bundle is complete. */
static void wg_tx_close(struct wg_tx_builder *b)
{
	struct sk_buff *skb = b->skb;

	if (b->n > 1) {
		skb_shinfo(skb)->gso_size = b->slot;
		skb_shinfo(skb)->gso_segs = b->n;
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	}
	if (b->in)
		wg_tx_inherit_socket(skb, b->in);
	*b->end = skb;
	b->end = &skb->next;
	b->skb = NULL;
	b->in = NULL;
}

/* Makes room for a datagram of @len bytes at the end of the open bundle, in
 * one piece.
 */
static u8 *wg_tx_append(struct wg_tx_builder *b, u32 len)
{
	struct page_frag *frag = b->frag;
	struct sk_buff *skb = b->skb;
	int i = skb_shinfo(skb)->nr_frags;
	u8 *room;

	if (!skb_page_frag_refill(len, frag, GFP_ATOMIC))
		return NULL;
	if (skb_can_coalesce(skb, i, frag->page, frag->offset)) {
		skb_coalesce_rx_frag(skb, i - 1, len, len);
	} else if (i < MAX_SKB_FRAGS) {
		get_page(frag->page);
		skb_add_rx_frag(skb, i, frag->page, frag->offset, len, len);
	} else {
		return NULL;
	}
	room = page_address(frag->page) + frag->offset;
	frag->offset += len;
	return room;
}

/* Opens a bundle for a first datagram of @len bytes. One that will stay alone
 * or does not fit into a page is linear.
 */
static bool wg_tx_open(struct wg_tx_builder *b, u32 len, bool linear)
{
	struct sk_buff *skb;

	skb = alloc_skb(WG_TX_HEADROOM + (linear ? len : 0), GFP_ATOMIC);
	if (!skb)
		return false;
	skb_reserve(skb, WG_TX_HEADROOM);
	skb_mark_not_on_list(skb);
	b->skb = skb;
	b->slot = len;
	b->n = 0;
	b->closed = linear;
	return true;
}

/* Where the next datagram, @len bytes when sealed, is to be written: at the
 * end of the open bundle if the rules of UDP GSO allow, else in a new one.
 */
static u8 *wg_tx_slot(struct wg_tx_builder *b, struct sk_buff *in, u32 len,
		      u8 tos)
{
	bool linear = !b->gso || b->most == 1 || b->left == 1 ||
		      len > PAGE_SIZE;
	u8 *room = NULL;

	if (b->skb && (b->closed || len > b->slot || b->n >= b->most ||
		       b->skb->len + len > WG_BUNDLE_BYTES ||
		       wg_tx_cb(b->skb)->tos != tos))
		wg_tx_close(b);
	if (b->skb) {
		room = wg_tx_append(b, len);
		if (!room)
			wg_tx_close(b);
	}
	if (!b->skb) {
		if (!wg_tx_open(b, len, linear))
			return NULL;
		room = linear ? skb_put(b->skb, len) : wg_tx_append(b, len);
		if (!room) {
			kfree_skb(b->skb);
			b->skb = NULL;
			return NULL;
		}
		wg_tx_cb(b->skb)->tos = tos;
		__skb_set_sw_hash(b->skb, in->hash, in->l4_hash);
	}
	b->closed |= len < b->slot;
	b->n++;
	return room;
}

/* Zero bytes behind a packet up to a multiple of 16, but never beyond what its
 * path carries (spec 1.3, 4.4).
 */
static u32 wg_tx_padding(u32 len, u32 mtu)
{
	u32 last = len;

	if (!mtu)
		return ALIGN(len, WG_PADDING) - len;
	if (len > mtu)
		last = len % mtu;
	return min(mtu, ALIGN(last, WG_PADDING)) - last;
}

/* Seals @len bytes of packet that stand behind the header's place in @room. */
static void wg_tx_seal_slot(struct wg_tx_builder *b, u8 *room, u32 len,
			    u32 padding)
{
	const struct wg_keypair *keypair = b->job->keypair;
	struct wg_msg_data *msg = (struct wg_msg_data *)room;
	u8 *packet = room + sizeof(*msg);

	memset(packet + len, 0, padding);
	put_unaligned(cpu_to_le32(WG_MSG_DATA), &msg->header.type);
	put_unaligned(keypair->remote_index, &msg->receiver);
	put_unaligned_le64(b->counter, &msg->counter);
	chacha20poly1305_encrypt(packet, packet, len + padding, NULL, 0,
				 b->counter, keypair->send_key);
}

/* A datagram has been sealed, or could not be: its nonce is used up. */
static void wg_tx_next(struct wg_tx_builder *b)
{
	b->counter++;
	b->left--;
}

static u8 wg_tx_outer_tos(const struct sk_buff *skb)
{
	if (!skb->len)
		return 0;
	/* ECN only: what the DSCP would tell is nobody's business. */
	return ip_tunnel_ecn_encap(0, ip_hdr(skb), skb);
}

static void wg_tx_count_loss(struct wg_tx_builder *b, u32 n)
{
	struct wg_device *wg = wg_tx_peer(b->job)->wg;

	DEV_STATS_ADD(wg->dev, tx_dropped, n);
	wg_stats_add(&wg->stats, WG_DROP_NO_MEMORY, n);
}

/* Copies a whole packet, finishing its checksum on the way. */
static bool wg_tx_copy(struct sk_buff *skb, u8 *to)
{
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return !skb_copy_bits(skb, 0, to, skb->len);
	if (skb_checksum_start_offset(skb) <= skb_headlen(skb)) {
		skb_copy_and_csum_dev(skb, to);
		return true;
	}
	return !skb_checksum_help(skb) && !skb_copy_bits(skb, 0, to, skb->len);
}

static void wg_tx_seal_single(struct wg_tx_builder *b, struct sk_buff *skb)
{
	u32 len = skb->len;
	u32 padding = wg_tx_padding(len, wg_tx_cb(skb)->mtu);
	u8 *room;

	b->most = WG_BUNDLE_DATAGRAMS;
	room = wg_tx_slot(b, skb, WG_DATA_OVERHEAD + len + padding,
			  wg_tx_outer_tos(skb));
	if (!room) {
		wg_tx_count_loss(b, 1);
	} else {
		/* What cannot be copied is sent as zeroes: there is no way to
		 * take the slot back, and the receiver drops it.
		 */
		if (!wg_tx_copy(skb, room + sizeof(struct wg_msg_data)))
			memset(room + sizeof(struct wg_msg_data), 0, len);
		wg_tx_seal_slot(b, room, len, padding);
		b->in = skb;
	}
	wg_tx_next(b);
}

/**
 * struct wg_tx_header - the headers of a super-packet's segments
 * @raw: network and transport header, patched for each segment
 * @len: of both
 * @network_len: of the network header
 * @v4: is it IPv4?
 * @tcp: is it TCP?
 * @psh: the last segment has PSH
 * @fin: the last segment has FIN
 */
struct wg_tx_header {
	u8 raw[sizeof(struct ipv6hdr) + 60] __aligned(8);
	u32 len;
	u32 network_len;
	bool v4;
	bool tcp;
	bool psh;
	bool fin;
};

static void wg_tx_read_header(struct wg_tx_header *h,
			      const struct sk_buff *skb)
{
	h->v4 = skb->protocol == htons(ETH_P_IP);
	h->tcp = !(skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4);
	h->network_len = skb_network_header_len(skb);
	h->len = h->network_len +
		 (h->tcp ? tcp_hdrlen(skb) : sizeof(struct udphdr));
	memcpy(h->raw, skb->data, h->len);
	if (h->tcp) {
		struct tcphdr *th = (struct tcphdr *)(h->raw + h->network_len);

		h->psh = th->psh;
		h->fin = th->fin;
		th->psh = 0;
		th->fin = 0;
	}
}

static __sum16 wg_tx_transport_csum(const struct wg_tx_header *h, u32 len,
				    __wsum csum)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)h->raw;
	const struct iphdr *ip4 = (const struct iphdr *)h->raw;
	u8 protocol = h->tcp ? IPPROTO_TCP : IPPROTO_UDP;

	if (h->v4)
		return csum_tcpudp_magic(ip4->saddr, ip4->daddr, len, protocol,
					 csum);
	return csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len, protocol, csum);
}

/* Patches the headers for a segment with @len bytes of payload, whose checksum
 * is @csum.
 */
static void wg_tx_patch_header(struct wg_tx_header *h, u32 len, bool last,
			       __wsum csum)
{
	struct tcphdr *th = (struct tcphdr *)(h->raw + h->network_len);
	struct udphdr *uh = (struct udphdr *)th;
	u32 transport_len = h->len - h->network_len;

	if (h->v4) {
		struct iphdr *ip4 = (struct iphdr *)h->raw;

		ip4->tot_len = htons(h->len + len);
		ip_send_check(ip4);
	} else {
		struct ipv6hdr *ip6 = (struct ipv6hdr *)h->raw;

		ip6->payload_len = htons(transport_len + len);
	}
	if (h->tcp) {
		th->psh = last && h->psh;
		th->fin = last && h->fin;
		th->check = 0;
		csum = csum_partial(th, transport_len, csum);
		th->check = wg_tx_transport_csum(h, transport_len + len, csum);
	} else {
		uh->len = htons(transport_len + len);
		uh->check = 0;
		csum = csum_partial(uh, transport_len, csum);
		uh->check = wg_tx_transport_csum(h, transport_len + len, csum);
		if (!uh->check)
			uh->check = CSUM_MANGLED_0;
	}
}

/* Moves the headers on to the segment behind one with @len bytes of payload. */
static void wg_tx_advance_header(struct wg_tx_header *h, u32 len)
{
	if (h->v4) {
		struct iphdr *ip4 = (struct iphdr *)h->raw;

		ip4->id = htons(ntohs(ip4->id) + 1);
	}
	if (h->tcp) {
		struct tcphdr *th = (struct tcphdr *)(h->raw + h->network_len);

		th->seq = htonl(ntohl(th->seq) + len);
		th->cwr = 0;
	}
}

/* Cuts a plain super-packet: each segment is copied, checksummed and sealed in
 * its slot while it is hot in the cache.
 */
static void wg_tx_seal_super(struct wg_tx_builder *b, struct sk_buff *skb)
{
	u32 mss = skb_shinfo(skb)->gso_size, mtu = wg_tx_cb(skb)->mtu;
	u32 n = wg_tx_cb(skb)->datagrams, fit, off, len;
	u8 tos = wg_tx_outer_tos(skb);
	struct wg_tx_header h;
	u8 *room;

	wg_tx_read_header(&h, skb);
	/* 47 segments become 24 and 23, not 44 and a runt. */
	len = h.len + mss;
	fit = WG_BUNDLE_BYTES / (WG_DATA_OVERHEAD + len +
				 wg_tx_padding(len, mtu));
	fit = clamp_t(u32, fit, 1, WG_BUNDLE_DATAGRAMS);
	b->most = DIV_ROUND_UP(n, DIV_ROUND_UP(n, fit));

	for (off = h.len; off < skb->len; off += len) {
		u32 padding;

		len = min(mss, skb->len - off);
		padding = wg_tx_padding(h.len + len, mtu);
		room = wg_tx_slot(b, skb, WG_DATA_OVERHEAD + h.len + len +
				  padding, tos);
		if (room) {
			u8 *packet = room + sizeof(struct wg_msg_data);
			__wsum csum;

			csum = skb_copy_and_csum_bits(skb, off, packet + h.len,
						      len);
			wg_tx_patch_header(&h, len, off + len == skb->len,
					   csum);
			memcpy(packet, h.raw, h.len);
			wg_tx_seal_slot(b, room, h.len + len, padding);
		} else {
			wg_tx_count_loss(b, 1);
		}
		wg_tx_advance_header(&h, len);
		wg_tx_next(b);
	}
	if (b->skb)
		b->in = skb;
}

/* Lane operation: seals a job. */
static void wg_tx_seal(struct wg_job *base)
{
	struct wg_tx_buffer *cpu = this_cpu_ptr(&wg_tx_buffer);
	struct wg_tx_job *job = container_of(base, struct wg_tx_job, job);
	struct page_frag own = {};
	struct sk_buff *skb, *next;
	bool taken = this_cpu_xchg(wg_tx_buffer.taken, true);
	struct wg_tx_builder b = {
		.job = job,
		.gso = READ_ONCE(wg_tx_peer(job)->wg->udp_gso),
		.left = job->datagrams,
		.counter = job->counter,
		.end = &job->out,
		.frag = taken ? &own : &cpu->frag,
	};

	skb_list_walk_safe(job->in, skb, next) {
		if (skb_is_gso(skb))
			wg_tx_seal_super(&b, skb);
		else
			wg_tx_seal_single(&b, skb);
	}
	if (b.skb)
		wg_tx_close(&b);
	if (own.page)
		put_page(own.page);
	if (!taken)
		WRITE_ONCE(cpu->taken, false);
	skb_list_walk_safe(job->in, skb, next) {
		skb_mark_not_on_list(skb);
		consume_skb(skb);
	}
	job->in = NULL;
}

/*
 * Sending: what the drainer of the lane does with sealed jobs.
 */

static void wg_tx_free_job(struct wg_tx_job *job)
{
	wg_keypair_put(job->keypair);
	kmem_cache_free(wg_tx_job_cache, job);
}

/* After sending (spec 2.5). */
static void wg_tx_rekey_if_due(struct wg_peer *peer,
			       const struct wg_tx_job *job)
{
	const struct wg_keypair *keypair = job->keypair;
	u64 age = ktime_get_coarse_boottime_ns() - keypair->birth_ns;

	if (job->counter + job->datagrams > WG_REKEY_AFTER_MESSAGES ||
	    (keypair->initiator &&
	     age >= (u64)WG_REKEY_AFTER_TIME * NSEC_PER_SEC))
		wg_peer_want_handshake(peer);
}

static void wg_tx_send_bundles(struct wg_peer *peer, struct wg_tx_job *job)
{
	struct wg_device *wg = peer->wg;
	struct wg_send how = { .dev = wg->dev, .mark = READ_ONCE(wg->fwmark) };
	struct sk_buff *skb, *next;
	bool sent = false;

	skb_list_walk_safe(job->out, skb, next) {
		unsigned int len = skb->len;

		skb_mark_not_on_list(skb);
		wg_stats_inc(&wg->stats, skb_is_gso(skb) ? WG_STAT_TX_BUNDLES :
							   WG_STAT_TX_SINGLES);
		how.tos = wg_tx_cb(skb)->tos;
		if (wg_socket_send(&wg->socket, &peer->remote, skb, &how))
			continue;
		atomic64_add(len, &peer->tx_bytes);
		sent = true;
	}
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
		wg_stats_add(&peer->wg->stats, WG_DROP_PEER_REMOVED,
			     job->datagrams);
		kfree_skb_list(job->out);
	} else {
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

	kfree_skb_list(job->in);
	kfree_skb_list(job->out);
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
	staged->datagrams -= wg_tx_cb(skb)->datagrams;
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

/* Puts packets behind those that wait already; the oldest make room. */
static void wg_tx_stage(struct wg_peer *peer, struct sk_buff *list)
{
	struct wg_staged *staged = &peer->staged;
	struct sk_buff *skb, *next;

	lockdep_assert_held(&peer->tx_lane->lock);
	while (staged->datagrams > WG_STAGED_DATAGRAMS ||
	       staged->bytes > WG_STAGED_BYTES)
		wg_tx_drop_oldest(peer);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		__skb_queue_tail(&staged->queue, skb);
		staged->datagrams += wg_tx_cb(skb)->datagrams;
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
	while (skb_queue_len(&staged->queue) > 1 &&
	       atomic_long_read(&peer->wg->staged_bytes) > most) {
		wg_tx_drop_oldest(peer);
		wg_tx_charge(peer);
	}
	wg_peer_want_handshake(peer);
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
	u32 n = wg_tx_cb(skb_peek(&peer->staged.queue))->datagrams;
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
	struct sk_buff **end = &job->in;
	struct sk_buff *skb;

	while ((skb = skb_peek(&peer->staged.queue))) {
		u32 n = wg_tx_cb(skb)->datagrams;

		if (job->in && job->datagrams + n > WG_BUNDLE_DATAGRAMS)
			break;
		wg_tx_unstage(peer);
		skb_mark_not_on_list(skb);
		*end = skb;
		end = &skb->next;
		job->datagrams += n;
		job->job.bytes += skb->len;
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
	if (!wg_lane_has_room(lane)) {
		wg_tx_drop_staged(peer, WG_DROP_LANE_FULL);
		return NULL;
	}
	keypair = wg_tx_get_session(peer);
	if (!keypair) {
		wg_tx_keep_waiting(peer);
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
	job->counter = keypair->send_counter;
	keypair->send_counter += job->datagrams;
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
	/* Deep in a stack of tunnels a worker seals, for its transmission
	 * starts at depth 0; the stack refuses to go much deeper than this.
	 */
	bool delegate = wg_pipeline_prefers_workers() ||
			dev_recursion_level() > 1;
	struct wg_tx_job *jobs[WG_STAGED_DATAGRAMS / 16];
	unsigned int n, i;

	lockdep_assert_held(&lane->lock);
	do {
		for (n = 0; n < ARRAY_SIZE(jobs) &&
			    !skb_queue_empty(&peer->staged.queue); n++) {
			jobs[n] = wg_tx_make_job(peer, delegate);
			if (!jobs[n])
				break;
		}
		if (skb_queue_empty(&peer->staged.queue))
			wg_tx_charge(peer);
		spin_unlock_bh(&lane->lock);
		for (i = 0; i < n; i++) {
			if (delegate)
				wg_lane_wake_workers(lane);
			else
				wg_lane_do(lane, &jobs[i]->job);
		}
		if (n < ARRAY_SIZE(jobs))
			return;
		spin_lock_bh(&lane->lock);
	} while (1);
}

/*
 * The ways in.
 */

/* Can we cut it ourselves? A plain TCP or UDP super-packet without options,
 * extension headers, encapsulation or anything untrusted. All else goes
 * through skb_gso_segment().
 */
static bool wg_tx_is_plain(struct sk_buff *skb)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	u32 network_len = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	u32 type = skb_shinfo(skb)->gso_type & ~SKB_GSO_TCP_ECN;
	bool udp = type == SKB_GSO_UDP_L4;
	u8 protocol;

	if (!udp && type != (v4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6))
		return false;
	if (skb->ip_summed != CHECKSUM_PARTIAL || skb->encapsulation ||
	    skb_network_offset(skb) ||
	    skb_transport_offset(skb) != network_len)
		return false;
	if (!pskb_may_pull(skb, network_len + (udp ? sizeof(struct udphdr) :
						     sizeof(struct tcphdr))))
		return false;
	if (v4 && (ip_hdr(skb)->ihl != 5 || ip_is_fragment(ip_hdr(skb))))
		return false;
	protocol = v4 ? ip_hdr(skb)->protocol : ipv6_hdr(skb)->nexthdr;
	if (udp)
		return protocol == IPPROTO_UDP;
	return protocol == IPPROTO_TCP &&
	       tcp_hdrlen(skb) >= sizeof(struct tcphdr) &&
	       pskb_may_pull(skb, network_len + tcp_hdrlen(skb));
}

/* Notes what must be known of a packet when it is sealed. */
static void wg_tx_note(struct sk_buff *skb, u32 mtu, u32 datagrams)
{
	struct wg_tx_cb *cb = wg_tx_cb(skb);

	cb->mtu = mtu;
	cb->datagrams = datagrams;
	/* Of the inner packet: all outer ones look alike. */
	skb_get_hash(skb);
}

/* Turns a packet into a list that can be staged; if that fails the packet is
 * still the caller's. The route is needed for its MTU only and not kept: it
 * could pin a namespace while the packet waits.
 */
static struct sk_buff *wg_tx_prepare(struct sk_buff *skb, u32 dev_mtu)
{
	u32 mtu = skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) : dev_mtu;
	struct sk_buff *list, *next;
	u32 header, payload;

	if (!skb_is_gso(skb)) {
		skb_dst_drop(skb);
		wg_tx_note(skb, mtu, 1);
		skb_mark_not_on_list(skb);
		return skb;
	}
	if (wg_tx_is_plain(skb)) {
		header = skb_transport_offset(skb) +
			 (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4 ?
			  sizeof(struct udphdr) : tcp_hdrlen(skb));
		payload = skb->len - header;
		skb_dst_drop(skb);
		wg_tx_note(skb, mtu, DIV_ROUND_UP(payload,
						  skb_shinfo(skb)->gso_size));
		skb_mark_not_on_list(skb);
		return skb;
	}
	list = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(list))
		return list ?: ERR_PTR(-EINVAL);
	consume_skb(skb);
	skb_list_walk_safe(list, skb, next) {
		skb_dst_drop(skb);
		wg_tx_note(skb, mtu, 1);
	}
	return list;
}

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
	wg_stats_inc(&wg->stats, why);
	kfree_skb(skb);
	return err;
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
	bool more = netdev_xmit_more();
	struct wg_peer *peer;
	struct sk_buff *list;
	__be16 protocol;

	protocol = ip_tunnel_parse_protocol(skb);
	if (!protocol || protocol != skb->protocol) {
		DEV_STATS_INC(dev, tx_errors);
		wg_stats_inc(&wg->stats, WG_DROP_INNER_MALFORMED);
		kfree_skb(skb);
		return -EPROTONOSUPPORT;
	}
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return NETDEV_TX_OK;

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
	list = wg_tx_prepare(skb, READ_ONCE(dev->mtu));
	if (IS_ERR(list)) {
		rcu_read_unlock();
		return wg_tx_refuse(wg, skb, WG_DROP_INNER_MALFORMED,
				    PTR_ERR(list));
	}
	spin_lock_bh(&peer->tx_lane->lock);
	wg_tx_stage(peer, list);
	if (more)
		spin_unlock_bh(&peer->tx_lane->lock);
	else
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
	struct sk_buff *skb = NULL;

	/* A look without the lock: at worst an empty packet too many. */
	if (skb_queue_empty_lockless(&peer->staged.queue)) {
		skb = alloc_skb(0, GFP_ATOMIC);
		if (!skb)
			return;
		wg_tx_note(skb, 0, 1);
		spin_lock_bh(&peer->tx_lane->lock);
		wg_tx_stage(peer, skb);
		spin_unlock_bh(&peer->tx_lane->lock);
	}
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
	unsigned int i;

	wg->lanes = min_t(unsigned int, WG_LANES_MAX,
			  roundup_pow_of_two(2 * nr_cpu_ids));
	wg->tx_lanes = kvcalloc(wg->lanes, sizeof(*wg->tx_lanes), GFP_KERNEL);
	if (!wg->tx_lanes)
		return -ENOMEM;
	for (i = 0; i < wg->lanes; i++)
		wg_lane_init(&wg->tx_lanes[i], &wg_tx_lane_ops, &wg->stats);
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
	int cpu;

	for_each_possible_cpu(cpu) {
		struct page *page = per_cpu(wg_tx_buffer, cpu).frag.page;

		if (page)
			put_page(page);
	}
	kmem_cache_destroy(wg_tx_job_cache);
}
