// SPDX-License-Identifier: GPL-2.0
/*
 * From bundles to inner packets.
 *
 * Layer 2.
 *
 * A super-packet grows like this: its first segment is a linear skb. Another
 * one is decrypted so that its payload lands right behind what the page
 * fragment holds of the packet already; its headers cover the end of that,
 * which is saved and put back. If the headers say that it does not belong
 * there, it is copied out into a packet of its own. So the usual case costs no
 * copy, and the unusual one costs one.
 */
#include "open.h"
#include "frag.h"

#include <linux/tcp.h>
#include <linux/unaligned.h>
#include <net/ip6_checksum.h>
#include <net/ip.h>
#include <net/tcp.h>
#include <crypto/chacha20poly1305.h>

enum wg_open_limit {
	/* Network and transport header of what we merge. */
	WG_OPEN_HEADER_MAX = sizeof(struct ipv6hdr) + 60,
	WG_OPEN_MERGED_MAX = 64,
	/* What a packet's piece of a page, however short, counts for. */
	WG_OPEN_FRAG_CHARGE = 2048,
};

/**
 * struct wg_open_header - headers of a TCP segment, in one piece and aligned
 * @ip4: if it is IPv4
 * @ip6: if it is IPv6
 * @raw: both headers
 * @network: length of the network header
 * @len: of both headers
 * @payload: length of what follows
 */
struct wg_open_header {
	union {
		struct iphdr ip4;
		struct ipv6hdr ip6;
		u8 raw[WG_OPEN_HEADER_MAX];
	};
	u32 network;
	u32 len;
	u32 payload;
};

/**
 * struct wg_open_builder - packets in the making
 * @job: what is being opened
 * @seq: reads the source
 * @end: where the next packet is linked in
 * @frag: segments are decrypted into this
 * @merge: may segments be merged?
 * @skb: packet that may grow, already linked in; NULL if there is none
 * @head: headers of its first segment
 * @tail: end of its payload in @frag, NULL if it has none there
 * @next_seq: sequence number that follows it
 * @id_step: by which its IPv4 IDs grow, negative if not known yet
 */
struct wg_open_builder {
	struct wg_open_job *job;
	struct skb_seq_state seq;
	struct sk_buff **end;
	struct wg_frag frag;
	bool merge;
	struct sk_buff *skb;
	struct wg_open_header head;
	u8 *tail;
	u32 next_seq;
	int id_step;
};

static struct tcphdr *wg_open_tcp(struct wg_open_header *h)
{
	return (struct tcphdr *)(h->raw + h->network);
}

/* Reads network header and stated length. False if it is not plain. */
static bool wg_open_read_network(struct wg_open_header *h, const u8 *packet,
				 u32 len, u32 *stated)
{
	if (len >= sizeof(h->ip4) && packet[0] == 0x45) {
		memcpy(&h->ip4, packet, sizeof(h->ip4));
		h->network = sizeof(h->ip4);
		*stated = ntohs(h->ip4.tot_len);
		return h->ip4.protocol == IPPROTO_TCP &&
		       !(h->ip4.frag_off & ~htons(IP_DF)) &&
		       !ip_fast_csum(&h->ip4, sizeof(h->ip4) / 4);
	}
	if (len >= sizeof(h->ip6) && packet[0] >> 4 == 6) {
		memcpy(&h->ip6, packet, sizeof(h->ip6));
		h->network = sizeof(h->ip6);
		*stated = sizeof(h->ip6) + ntohs(h->ip6.payload_len);
		return h->ip6.nexthdr == IPPROTO_TCP;
	}
	return false;
}

/* Reads the headers of a packet of @len bytes, padding included. False if it
 * is no TCP segment with data that could be part of a super-packet.
 */
static bool wg_open_read_header(struct wg_open_header *h, const u8 *packet,
				u32 len)
{
	const struct tcphdr *th;
	u32 stated;

	if (!wg_open_read_network(h, packet, len, &stated))
		return false;
	th = wg_open_tcp(h);
	if (stated > len || stated < h->network + sizeof(*th))
		return false;
	memcpy(h->raw + h->network, packet + h->network, sizeof(*th));
	h->len = h->network + th->doff * 4;
	if (th->doff * 4 < sizeof(*th) || h->len >= stated)
		return false;
	memcpy(h->raw + h->network + sizeof(*th),
	       packet + h->network + sizeof(*th),
	       h->len - h->network - sizeof(*th));
	h->payload = stated - h->len;
	return !(tcp_flag_word(th) &
		 (TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_URG));
}

/* Is the network header of @next what segmentation would have made of that of
 * the packet in the making?
 */
static bool wg_open_same_network(struct wg_open_builder *b,
				 const struct wg_open_header *next)
{
	const struct wg_open_header *head = &b->head;
	u32 n = wg_open_cb(b->skb)->datagrams;
	u16 step;

	if (next->network != head->network)
		return false;
	if (head->network == sizeof(head->ip6))
		return *(__be32 *)&head->ip6 == *(__be32 *)&next->ip6 &&
		       head->ip6.hop_limit == next->ip6.hop_limit &&
		       ipv6_addr_equal(&head->ip6.saddr, &next->ip6.saddr) &&
		       ipv6_addr_equal(&head->ip6.daddr, &next->ip6.daddr);
	if (head->ip4.tos != next->ip4.tos || head->ip4.ttl != next->ip4.ttl ||
	    head->ip4.frag_off != next->ip4.frag_off ||
	    head->ip4.saddr != next->ip4.saddr ||
	    head->ip4.daddr != next->ip4.daddr)
		return false;
	step = ntohs(next->ip4.id) - ntohs(head->ip4.id);
	if (b->id_step < 0)
		/* A constant ID is for packets that may not be fragmented. */
		b->id_step = step || !(head->ip4.frag_off & htons(IP_DF));
	return step == (u16)(n * b->id_step);
}

/* Is the segment @next the continuation of the packet in the making? The rules
 * are those of the stack's own GRO.
 */
static bool wg_open_continues(struct wg_open_builder *b,
			      struct wg_open_header *next)
{
	const struct tcphdr *th = wg_open_tcp(&b->head);
	const struct tcphdr *nth = wg_open_tcp(next);
	__be32 differ = tcp_flag_word(th) ^ tcp_flag_word(nth);

	return next->len == b->head.len && next->payload <= b->head.payload &&
	       b->skb->len + next->payload <=
	       wg_compat_gro_max_size(b->job->dev, b->head.network) &&
	       th->source == nth->source && th->dest == nth->dest &&
	       ntohl(nth->seq) == b->next_seq && th->ack_seq == nth->ack_seq &&
	       !(tcp_flag_word(nth) & TCP_FLAG_CWR) &&
	       !(differ & ~(TCP_FLAG_CWR | TCP_FLAG_PSH | TCP_FLAG_FIN)) &&
	       !memcmp(th + 1, nth + 1, next->len - next->network -
					sizeof(*th)) &&
	       wg_open_same_network(b, next);
}

/* The packet in the making, if there is one, is complete. */
static void wg_open_finish(struct wg_open_builder *b)
{
	struct sk_buff *skb = b->skb;
	bool v4 = b->head.network == sizeof(struct iphdr);
	struct tcphdr *th;
	u32 len;

	b->skb = NULL;
	b->tail = NULL;
	if (!skb || wg_open_cb(skb)->datagrams == 1)
		return;
	wg_stats_inc(b->job->stats, WG_STAT_RX_MERGED);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, b->head.network);
	th = tcp_hdr(skb);
	len = skb->len - b->head.network;
	if (v4) {
		ip_hdr(skb)->tot_len = htons(skb->len);
		ip_send_check(ip_hdr(skb));
		th->check = ~tcp_v4_check(len, ip_hdr(skb)->saddr,
					  ip_hdr(skb)->daddr, 0);
	} else {
		ipv6_hdr(skb)->payload_len = htons(len);
		th->check = ~tcp_v6_check(len, &ipv6_hdr(skb)->saddr,
					  &ipv6_hdr(skb)->daddr, 0);
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	skb_shinfo(skb)->gso_size = b->head.payload;
	skb_shinfo(skb)->gso_segs = wg_open_cb(skb)->datagrams;
	skb_shinfo(skb)->gso_type = v4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	if (th->cwr)
		skb_shinfo(skb)->gso_type |= SKB_GSO_TCP_ECN;
	if (v4 && !b->id_step)
		skb_shinfo(skb)->gso_type |= SKB_GSO_TCP_FIXEDID;
}

/* Links a packet of one datagram in. It may grow if it is such a segment. */
static void wg_open_add(struct wg_open_builder *b, struct sk_buff *skb,
			u64 counter)
{
	const struct tcphdr *th;

	wg_open_finish(b);
	skb_mark_not_on_list(skb);
	*b->end = skb;
	b->end = &skb->next;
	wg_open_cb(skb)->counter = counter;
	wg_open_cb(skb)->datagrams = 1;
	wg_open_cb(skb)->bytes = WG_DATA_OVERHEAD + skb->len;
	if (!b->merge || !wg_open_read_header(&b->head, skb->data, skb->len))
		return;
	th = wg_open_tcp(&b->head);
	if (th->psh || th->fin)
		return;
	b->skb = skb;
	b->next_seq = ntohl(th->seq) + b->head.payload;
	b->id_step = -1;
}

/* Nobody else can write to what stands there: pages of a packet can be mapped
 * by the process that sent it. A NIC's own pages are not, but a datagram whose
 * fragments IP has put together may have come by different ways.
 */
static bool wg_open_is_private(const struct sk_buff *src, const u8 *from)
{
	if (from >= src->head && from < skb_tail_pointer(src))
		return true;
	return src->pp_recycle && (skb_is_gso(src) || !skb_has_frag_list(src));
}

/* Decrypts, with room for @sealed bytes at @to, what is at @from. The cipher
 * reads twice, once for the tag and once to decrypt. In between nobody may
 * write.
 */
static bool wg_open_decrypt(struct wg_open_builder *b, u8 *to, const u8 *from,
			    u32 sealed, u64 counter)
{
	if (from != to && !wg_open_is_private(b->job->src, from)) {
		memcpy(to, from, sealed);
		from = to;
	}
	if (chacha20poly1305_decrypt(to, from, sealed, NULL, 0, counter,
				     b->job->keypair->receive_key))
		return true;
	wg_stats_inc(b->job->stats, WG_DROP_BAD_TAG);
	return false;
}

/* Decrypts a datagram into a packet of its own. Without @from, which is where
 * its sealed part stands in one piece, it is copied together from @offset.
 */
static void wg_open_alone(struct wg_open_builder *b, const u8 *from,
			  u32 offset, u32 sealed, u64 counter)
{
	struct sk_buff *skb = netdev_alloc_skb(b->job->dev, sealed);

	if (!skb) {
		wg_stats_inc(b->job->stats, WG_DROP_NO_MEMORY);
		return;
	}
	if (!from && !skb_copy_bits(b->job->src, offset, skb->data, sealed))
		from = skb->data;
	if (!from || !wg_open_decrypt(b, skb->data, from, sealed, counter)) {
		kfree_skb(skb);
		return;
	}
	__skb_put(skb, sealed - WG_TAG_LEN);
	wg_open_add(b, skb, counter);
}

/* The segment @next stands at @room, its payload where it belongs. */
static void wg_open_grow(struct wg_open_builder *b,
			 struct wg_open_header *next, u8 *room, u32 bytes)
{
	struct page_frag *frag = &b->frag.page_frag;
	const struct tcphdr *nth = wg_open_tcp(next);
	struct sk_buff *skb = b->skb;
	struct tcphdr *th;

	/* The first segment may have had padding. */
	if (wg_open_cb(skb)->datagrams == 1)
		skb_trim(skb, b->head.len + b->head.payload);
	frag->offset = room + next->len + next->payload -
		       (u8 *)page_address(frag->page);
	if (b->tail) {
		skb_coalesce_rx_frag(skb, skb_shinfo(skb)->nr_frags - 1,
				     next->payload, next->payload);
	} else {
		/* A few bytes can hold back a page that many others fill. */
		u32 charge = max_t(u32, next->len + next->payload,
				   WG_OPEN_FRAG_CHARGE);

		get_page(frag->page);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, frag->page,
				frag->offset - next->payload, next->payload,
				charge);
	}
	b->tail = room + next->len + next->payload;
	b->next_seq += next->payload;
	wg_open_cb(skb)->datagrams++;
	wg_open_cb(skb)->bytes += bytes;
	th = (struct tcphdr *)(skb->data + b->head.network);
	th->psh |= nth->psh;
	th->fin |= nth->fin;
	if (next->payload < b->head.payload || nth->psh || nth->fin)
		wg_open_finish(b);
}

/* Where a segment with @len bytes of packet, and a tag, is to be decrypted, so
 * that its payload continues the packet in the making; NULL if that cannot
 * grow.
 */
static u8 *wg_open_room(struct wg_open_builder *b, u32 len)
{
	const u32 size = len + WG_TAG_LEN;
	const struct page_frag *frag = &b->frag.page_frag;
	const u32 header = b->head.len;

	if (len <= header || size > PAGE_SIZE ||
	    wg_open_cb(b->skb)->datagrams >= WG_OPEN_MERGED_MAX)
		return NULL;
	if (b->tail && frag->size - frag->offset >= size - header)
		return b->tail - header;
	b->tail = NULL;
	if (skb_shinfo(b->skb)->nr_frags == MAX_SKB_FRAGS)
		return NULL;
	return wg_frag_room(&b->frag, size);
}

/* Decrypts a datagram right behind the packet in the making, if it turns out
 * to belong there; else into a packet of its own. False if nothing was tried.
 */
static bool wg_open_behind(struct wg_open_builder *b, const u8 *from,
			   u32 sealed, u64 counter)
{
	const u32 len = sealed - WG_TAG_LEN;
	u8 *room = wg_open_room(b, len);
	u8 saved[WG_OPEN_HEADER_MAX];
	struct wg_open_header next;
	struct sk_buff *skb;
	bool covers;

	if (!room)
		return false;
	covers = b->tail;
	if (covers)
		memcpy(saved, room, b->head.len);
	if (!wg_open_decrypt(b, room, from, sealed, counter)) {
		if (covers)
			memcpy(room, saved, b->head.len);
		return true;
	}
	if (wg_open_read_header(&next, room, len) &&
	    wg_open_continues(b, &next)) {
		if (covers)
			memcpy(room, saved, b->head.len);
		wg_open_grow(b, &next, room, WG_DATA_OVERHEAD + len);
		return true;
	}
	skb = netdev_alloc_skb(b->job->dev, len);
	if (skb)
		skb_put_data(skb, room, len);
	else
		wg_stats_inc(b->job->stats, WG_DROP_NO_MEMORY);
	if (covers)
		memcpy(room, saved, b->head.len);
	if (skb)
		wg_open_add(b, skb, counter);
	return true;
}

/* Opens the datagram of @len bytes at @offset. */
static void wg_open_datagram(struct wg_open_builder *b, u32 offset, u32 len)
{
	const u32 sealed = len - sizeof(struct wg_msg_data);
	const struct wg_keypair *keypair = b->job->keypair;
	struct wg_msg_data head;
	const u8 *from;
	u64 counter;

	if (skb_seq_read(offset, &from, &b->seq) < len)
		from = NULL;
	if (from)
		memcpy(&head, from, sizeof(head));
	else if (skb_copy_bits(b->job->src, offset, &head, sizeof(head)))
		return;
	if (from)
		from += sizeof(head);
	counter = le64_to_cpu(head.counter);
	/* Only a look: it is claimed in the order of delivery. */
	if (!wg_replay_peek(&keypair->replay, counter)) {
		wg_stats_inc(b->job->stats, WG_DROP_REPLAY);
		return;
	}
	if (b->skb && from &&
	    counter == wg_open_cb(b->skb)->counter +
		       wg_open_cb(b->skb)->datagrams &&
	    wg_open_behind(b, from, sealed, counter))
		return;
	wg_open_alone(b, from, offset + sizeof(head), sealed, counter);
}

/**
 * wg_open() - open datagrams into inner packets
 * @job: what, and the result: the caller gets @job->out
 *
 * The packets are authentic, may still be replays, and have not been looked
 * into beyond what merging needs. Drops are counted. Spec 5.3.
 *
 * Context: BH off.
 */
void wg_open(struct wg_open_job *job)
{
	u32 offset = job->offset, end = offset + job->len;
	struct wg_open_builder b = {
		.job = job,
		.end = &job->out,
		.merge = job->len > job->segment && !netif_elide_gro(job->dev),
	};

	wg_frag_take(&b.frag);
	skb_prepare_seq_read(job->src, 0, job->src->len, &b.seq);
	for (; offset < end; offset += job->segment)
		wg_open_datagram(&b, offset, min(job->segment, end - offset));
	wg_open_finish(&b);
	skb_abort_seq_read(&b.seq);
	wg_frag_give(&b.frag);
}
