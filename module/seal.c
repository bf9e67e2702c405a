// SPDX-License-Identifier: GPL-2.0
/*
 * From inner packets to bundles.
 *
 * Layer 2.
 */
#include "seal.h"
#include "frag.h"

#include <linux/mm.h>
#include <linux/tcp.h>
#include <linux/unaligned.h>
#include <net/dst_metadata.h>
#include <net/gso.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip_tunnels.h>
#include <net/sock.h>
#include <crypto/chacha20poly1305.h>

/* Can we cut it ourselves? A plain TCP or UDP super-packet without options,
 * extension headers, encapsulation or anything untrusted. All else goes
 * through skb_gso_segment().
 */
static bool wg_seal_is_plain(struct sk_buff *skb)
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
	/* Without payload there would be no segment at all. */
	if (udp)
		return protocol == IPPROTO_UDP &&
		       skb->len > network_len + sizeof(struct udphdr);
	return protocol == IPPROTO_TCP &&
	       tcp_hdrlen(skb) >= sizeof(struct tcphdr) &&
	       skb->len > network_len + tcp_hdrlen(skb) &&
	       pskb_may_pull(skb, network_len + tcp_hdrlen(skb));
}

/**
 * wg_seal_note() - note what must be known of a packet when it is sealed
 * @skb: packet
 * @mtu: of its path, 0 if it has none
 * @datagrams: it will become
 *
 * Context: any.
 */
void wg_seal_note(struct sk_buff *skb, u32 mtu, u32 datagrams)
{
	struct wg_seal_cb *cb = wg_seal_cb(skb);

	cb->mtu = mtu;
	cb->datagrams = datagrams;
	cb->depth = 0;
	/* Of the inner packet: outer ones look alike, keepalives have none. */
	if (skb->len)
		skb_get_hash(skb);
}

/* Is there a UDP datagram that carries a packet of @len bytes? */
static bool wg_seal_fits(u32 len)
{
	return ALIGN(len, WG_PADDING) + WG_DATA_OVERHEAD <= WG_BUNDLE_BYTES;
}

/* Has the kernel cut a packet that we cannot cut. Takes it over unless this
 * fails.
 */
static struct sk_buff *wg_seal_segment(struct sk_buff *skb, u32 mtu)
{
	const __be16 protocol = skb->protocol;
	/* As for a device that takes pieces and sums up by itself: copying does
	 * both, once.
	 */
	struct sk_buff *list = skb_gso_segment(skb, NETIF_F_SG |
						    NETIF_F_HW_CSUM);
	struct sk_buff *seg, *next;
	int err = -EMSGSIZE;

	if (IS_ERR_OR_NULL(list)) {
		err = list ? PTR_ERR(list) : -EINVAL;
		goto refused;
	}
	skb_list_walk_safe(list, seg, next) {
		if (!wg_seal_fits(seg->len)) {
			kfree_skb_list(list);
			goto refused;
		}
		skb_dst_drop(seg);
		wg_seal_note(seg, mtu, 1);
	}
	consume_skb(skb);
	return list;

refused:
	/* Cutting a tunnel's packet has led to the inner one, and its sender
	 * is to hear of the outer one.
	 */
	skb_reset_network_header(skb);
	skb->protocol = protocol;
	return ERR_PTR(err);
}

/**
 * wg_seal_prepare() - make packets of an inner packet that can be sealed
 * @skb: IPv4 or IPv6, maybe a super-packet; taken over unless this fails
 * @dev_mtu: bounds the padding if the packet has no route
 *
 * A plain super-packet stays one, all others are segmented. The route is needed
 * for its MTU only and not kept: it could pin a namespace while the packet
 * waits.
 *
 * Context: BH off.
 * Return: packets, noted, linked by next; or an ERR_PTR.
 */
struct sk_buff *wg_seal_prepare(struct sk_buff *skb, u32 dev_mtu)
{
	u32 mtu = skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) : dev_mtu;
	u32 header, payload, most, datagrams = 1;

	if (!skb_is_gso(skb)) {
		most = skb->len;
	} else if (wg_seal_is_plain(skb)) {
		header = skb_transport_offset(skb) +
			 (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4 ?
			  sizeof(struct udphdr) : tcp_hdrlen(skb));
		payload = skb->len - header;
		most = header + min_t(u32, payload, skb_shinfo(skb)->gso_size);
		datagrams = DIV_ROUND_UP(payload, skb_shinfo(skb)->gso_size);
	} else {
		return wg_seal_segment(skb, mtu);
	}
	if (!wg_seal_fits(most))
		return ERR_PTR(-EMSGSIZE);
	skb_dst_drop(skb);
	wg_seal_note(skb, mtu, datagrams);
	skb_mark_not_on_list(skb);
	return skb;
}

/**
 * struct wg_seal_builder - bundles in the making
 * @job: what is being sealed
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
struct wg_seal_builder {
	struct wg_seal_job *job;
	u32 left;
	u32 most;
	u64 counter;
	struct sk_buff *skb;
	u32 slot;
	u32 n;
	bool closed;
	struct sk_buff *in;
	struct sk_buff **end;
	struct wg_frag frag;
};

/* Does the packet push back at its socket? Only with a destructor that looks at
 * nothing but sk and truesize: not with one that gives a reference back, as
 * received packets have, and sent ones that a queue discipline kept for a while
 * (skb_orphan_partial()). TCP's own are not exported and cannot be named.
 */
static bool wg_seal_pushes_back(const struct sk_buff *skb)
{
	if (!skb->sk || !skb->destructor || !sk_fullsock(skb->sk))
		return false;
	return skb->destructor == sock_wfree ||
	       (sk_is_tcp(skb->sk) && skb->destructor != sock_edemux &&
		skb->destructor != sock_efree && skb->destructor != sock_pfree);
}

/* The bundle takes the place of the inner packet in its socket's accounts, so
 * that TCP small queues and SO_SNDBUF push back until it has really left.
 */
static void wg_seal_inherit_socket(struct sk_buff *out, struct sk_buff *in)
{
	if (!wg_seal_pushes_back(in))
		return;
	/* When it is to leave, for a queue discipline that paces. */
	wg_compat_copy_delivery_time(out, in);
	swap(out->truesize, in->truesize);
	swap(out->destructor, in->destructor);
	swap(out->sk, in->sk);
}

/* The open bundle has the end of @skb. If that of an older packet of the same
 * socket is in it too, the younger one answers for both.
 */
static void wg_seal_note_end(struct wg_seal_builder *b, struct sk_buff *skb)
{
	struct sk_buff *older = b->in;

	b->in = skb;
	if (!older || older->sk != skb->sk ||
	    older->destructor != skb->destructor || !wg_seal_pushes_back(skb))
		return;
	skb->truesize += older->truesize;
	older->sk = NULL;
	older->destructor = NULL;
}

/* The open bundle is complete. */
static void wg_seal_close(struct wg_seal_builder *b)
{
	struct sk_buff *skb = b->skb;

	if (b->n > 1) {
		skb_shinfo(skb)->gso_size = b->slot;
		skb_shinfo(skb)->gso_segs = b->n;
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	}
	if (b->in)
		wg_seal_inherit_socket(skb, b->in);
	*b->end = skb;
	b->end = &skb->next;
	b->skb = NULL;
	b->in = NULL;
}

/* Makes room for a datagram of @len bytes at the end of the open bundle, in
 * one piece.
 */
static u8 *wg_seal_append(struct wg_seal_builder *b, u32 len)
{
	struct page_frag *frag = &b->frag.page_frag;
	u8 *room = wg_frag_room(&b->frag, len);
	struct sk_buff *skb = b->skb;
	int i = skb_shinfo(skb)->nr_frags;

	if (!room)
		return NULL;
	if (skb_can_coalesce(skb, i, frag->page, frag->offset)) {
		skb_coalesce_rx_frag(skb, i - 1, len, len);
	} else if (i < MAX_SKB_FRAGS) {
		get_page(frag->page);
		skb_add_rx_frag(skb, i, frag->page, frag->offset, len, len);
	} else {
		return NULL;
	}
	frag->offset += len;
	return room;
}

/* Opens a bundle for a first datagram of @len bytes. One that will stay alone
 * or does not fit into a page is linear.
 */
static bool wg_seal_open(struct wg_seal_builder *b, u32 len, bool linear)
{
	struct sk_buff *skb;

	skb = alloc_skb(WG_SEAL_HEADROOM + (linear ? len : 0), GFP_ATOMIC);
	if (!skb)
		return false;
	skb_reserve(skb, WG_SEAL_HEADROOM);
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
static u8 *wg_seal_slot(struct wg_seal_builder *b, struct sk_buff *in, u32 len,
			u8 tos)
{
	bool linear = !b->job->gso || b->most == 1 || b->left == 1 ||
		      len > PAGE_SIZE;
	u8 *room = NULL;

	if (b->skb && (b->closed || len > b->slot || b->n >= b->most ||
		       b->skb->len + len > WG_BUNDLE_BYTES ||
		       wg_seal_cb(b->skb)->tos != tos))
		wg_seal_close(b);
	if (b->skb) {
		room = wg_seal_append(b, len);
		if (!room)
			wg_seal_close(b);
	}
	if (!b->skb) {
		if (!wg_seal_open(b, len, linear))
			return NULL;
		room = linear ? skb_put(b->skb, len) : wg_seal_append(b, len);
		if (!room) {
			kfree_skb(b->skb);
			b->skb = NULL;
			return NULL;
		}
		wg_seal_cb(b->skb)->tos = tos;
		__skb_set_sw_hash(b->skb, in->hash, in->l4_hash);
	}
	b->closed |= len < b->slot;
	b->n++;
	return room;
}

/* Zero bytes behind a packet up to a multiple of 16, but never beyond what its
 * path or a datagram carries (spec 1.3, 4.4). It counts from the last multiple
 * of the MTU.
 */
static u32 wg_seal_padding(u32 len, u32 mtu)
{
	u32 most = WG_BUNDLE_BYTES - WG_DATA_OVERHEAD - len;
	u32 last = len;

	if (!mtu)
		return ALIGN(len, WG_PADDING) - len;
	if (len > mtu)
		last = len % mtu;
	return min(most, min(mtu, ALIGN(last, WG_PADDING)) - last);
}

/* Seals @len bytes of packet that stand behind the header's place in @room. */
static void wg_seal_datagram(struct wg_seal_builder *b, u8 *room, u32 len,
			     u32 padding)
{
	const struct wg_keypair *keypair = b->job->keypair;
	const struct wg_msg_data msg = {
		.header.type = cpu_to_le32(WG_MSG_DATA),
		.receiver = keypair->remote_index,
		.counter = cpu_to_le64(b->counter),
	};
	u8 *packet = room + sizeof(msg);

	memcpy(room, &msg, sizeof(msg));
	memset(packet + len, 0, padding);
	chacha20poly1305_encrypt(packet, packet, len + padding, NULL, 0,
				 b->counter, keypair->send_key);
}

/* A datagram has been sealed, or could not be: its nonce is used up. */
static void wg_seal_next(struct wg_seal_builder *b)
{
	b->counter++;
	b->left--;
}

static u8 wg_seal_outer_tos(const struct sk_buff *skb)
{
	if (!skb->len)
		return 0;
	/* ECN only: what the DSCP would tell is nobody's business. */
	return ip_tunnel_ecn_encap(0, ip_hdr(skb), skb);
}

/* Copies a whole packet, finishing its checksum on the way. */
static bool wg_seal_copy(struct sk_buff *skb, u8 *to)
{
	int start, field;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return !skb_copy_bits(skb, 0, to, skb->len);
	start = skb_checksum_start_offset(skb);
	field = start + skb->csum_offset;
	/* skb_copy_and_csum_dev() does not look whether the field is in it. */
	if (start < 0 || field + sizeof(__sum16) > skb_headlen(skb))
		return !skb_checksum_help(skb) &&
		       !skb_copy_bits(skb, 0, to, skb->len);
	skb_copy_and_csum_dev(skb, to);
	/* For UDP a zero would say that there is no checksum. */
	if (!get_unaligned((__sum16 *)(to + field)))
		put_unaligned(CSUM_MANGLED_0, (__sum16 *)(to + field));
	return true;
}

static void wg_seal_single(struct wg_seal_builder *b, struct sk_buff *skb)
{
	u32 len = skb->len;
	u32 padding = wg_seal_padding(len, wg_seal_cb(skb)->mtu);
	u8 *room;

	b->most = WG_BUNDLE_DATAGRAMS;
	room = wg_seal_slot(b, skb, WG_DATA_OVERHEAD + len + padding,
			    wg_seal_outer_tos(skb));
	if (!room) {
		b->job->lost++;
	} else {
		/* What cannot be copied is sent as zeroes: there is no way to
		 * take the slot back, and the receiver drops it.
		 */
		if (!wg_seal_copy(skb, room + sizeof(struct wg_msg_data)))
			memset(room + sizeof(struct wg_msg_data), 0, len);
		wg_seal_datagram(b, room, len, padding);
		wg_seal_note_end(b, skb);
	}
	wg_seal_next(b);
}

/**
 * struct wg_seal_header - the headers of a super-packet's segments
 * @raw: network and transport header, patched for each segment
 * @len: of both
 * @network_len: of the network header
 * @v4: is it IPv4?
 * @tcp: is it TCP?
 * @psh: the last segment has PSH
 * @fin: the last segment has FIN
 */
struct wg_seal_header {
	u8 raw[sizeof(struct ipv6hdr) + 60] __aligned(8);
	u32 len;
	u32 network_len;
	bool v4;
	bool tcp;
	bool psh;
	bool fin;
};

static void wg_seal_read_header(struct wg_seal_header *h,
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

static __sum16 wg_seal_csum(const struct wg_seal_header *h, u32 len,
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
static void wg_seal_patch_header(struct wg_seal_header *h, u32 len, bool last,
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
		th->check = wg_seal_csum(h, transport_len + len, csum);
	} else {
		uh->len = htons(transport_len + len);
		uh->check = 0;
		csum = csum_partial(uh, transport_len, csum);
		uh->check = wg_seal_csum(h, transport_len + len, csum);
		if (!uh->check)
			uh->check = CSUM_MANGLED_0;
	}
}

/* Moves the headers on to the segment behind one with @len bytes of payload. */
static void wg_seal_advance_header(struct wg_seal_header *h, u32 len)
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
static void wg_seal_super(struct wg_seal_builder *b, struct sk_buff *skb)
{
	u32 mss = skb_shinfo(skb)->gso_size, mtu = wg_seal_cb(skb)->mtu;
	u32 n = wg_seal_cb(skb)->datagrams, fit, off, len;
	u8 tos = wg_seal_outer_tos(skb);
	struct wg_seal_header h;
	u8 *room;

	wg_seal_read_header(&h, skb);
	/* 47 segments become 24 and 23, not 44 and a runt. */
	len = h.len + mss;
	fit = WG_BUNDLE_BYTES / (WG_DATA_OVERHEAD + len +
				 wg_seal_padding(len, mtu));
	fit = clamp_t(u32, fit, 1, WG_BUNDLE_DATAGRAMS);
	b->most = DIV_ROUND_UP(n, DIV_ROUND_UP(n, fit));

	for (off = h.len; off < skb->len; off += len) {
		u32 padding;

		len = min(mss, skb->len - off);
		padding = wg_seal_padding(h.len + len, mtu);
		room = wg_seal_slot(b, skb, WG_DATA_OVERHEAD + h.len + len +
				    padding, tos);
		if (room) {
			u8 *packet = room + sizeof(struct wg_msg_data);
			__wsum csum;

			csum = skb_copy_and_csum_bits(skb, off, packet + h.len,
						      len);
			wg_seal_patch_header(&h, len, off + len == skb->len,
					     csum);
			memcpy(packet, h.raw, h.len);
			wg_seal_datagram(b, room, h.len + len, padding);
		} else {
			b->job->lost++;
		}
		wg_seal_advance_header(&h, len);
		wg_seal_next(b);
	}
	if (b->skb)
		wg_seal_note_end(b, skb);
}

/**
 * wg_seal() - seal inner packets into bundles
 * @job: what, and the result; takes over @job->in, the caller gets @job->out
 *
 * Each segment of a super-packet is copied into its slot, checksummed on the
 * way, and sealed there while it is hot. Spec 1.3, 4.4 and 4.6.
 *
 * Context: BH off.
 */
void wg_seal(struct wg_seal_job *job)
{
	struct sk_buff *skb, *next;
	struct wg_seal_builder b = {
		.job = job,
		.left = job->datagrams,
		.counter = job->counter,
		.end = &job->out,
	};

	wg_frag_take(&b.frag);
	skb_list_walk_safe(job->in, skb, next) {
		if (skb_is_gso(skb))
			wg_seal_super(&b, skb);
		else
			wg_seal_single(&b, skb);
	}
	if (b.skb)
		wg_seal_close(&b);
	wg_frag_give(&b.frag);
	/* Not before: the last bundle may have to inherit a socket. */
	skb_list_walk_safe(job->in, skb, next) {
		skb_mark_not_on_list(skb);
		consume_skb(skb);
	}
	job->in = NULL;
}
