// SPDX-License-Identifier: GPL-2.0
/*
 * packet_kunit.c - packets for the tests of sealing and opening.
 */
#include "packet_kunit.h"

#include <linux/etherdevice.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

static u32 wg_packet_kunit_network(const struct wg_packet_kunit *p)
{
	return (p->tunnel ? sizeof(struct iphdr) : 0) +
	       (p->v6 ? sizeof(struct ipv6hdr) :
			sizeof(struct iphdr) + p->ip_options);
}

/**
 * wg_packet_kunit_header() - length of all headers
 * @p: the packet
 *
 * Return: bytes.
 */
u32 wg_packet_kunit_header(const struct wg_packet_kunit *p)
{
	if (p->udp)
		return wg_packet_kunit_network(p) + sizeof(struct udphdr);
	return wg_packet_kunit_network(p) + sizeof(struct tcphdr) +
	       (p->timestamps ? TCPOLEN_TSTAMP_ALIGNED : 0);
}

static void wg_packet_kunit_write_ip4(const struct wg_packet_kunit *p, u8 *to,
				      u32 header, u32 len, u8 protocol)
{
	struct iphdr *ip4 = (struct iphdr *)to;

	/* Options are NOPs. */
	memset(to, IPOPT_NOP, header);
	ip4->version = 4;
	ip4->ihl = header / 4;
	ip4->tos = p->tos;
	ip4->tot_len = htons(len);
	ip4->id = htons(p->id);
	ip4->frag_off = htons(p->frag_off);
	ip4->ttl = p->ttl;
	ip4->protocol = protocol;
	ip4->saddr = htonl(0x0a000000 | p->host);
	ip4->daddr = htonl(0x0a010002);
	ip_send_check(ip4);
	if (p->bad_ip_sum)
		ip4->check ^= (__force __sum16)htons(0x0100);
}

static void wg_packet_kunit_write_ip6(const struct wg_packet_kunit *p, u8 *to,
				      u32 len, u8 protocol)
{
	struct ipv6hdr *ip6 = (struct ipv6hdr *)to;

	ip6_flow_hdr(ip6, p->tos, htonl(p->label));
	ip6->payload_len = htons(len - sizeof(*ip6));
	ip6->nexthdr = protocol;
	ip6->hop_limit = p->ttl;
	ip6->saddr.s6_addr[0] = 0xfd;
	ip6->saddr.s6_addr[15] = p->host;
	ip6->daddr.s6_addr[0] = 0xfd;
	ip6->daddr.s6_addr[15] = 2;
}

static __sum16 *wg_packet_kunit_write_transport(const struct wg_packet_kunit *p,
						u8 *to, u32 header)
{
	struct tcphdr *th = (struct tcphdr *)to;
	struct udphdr *uh = (struct udphdr *)to;
	__be32 *option = (__be32 *)(th + 1);

	if (p->udp) {
		uh->source = htons(p->source);
		uh->dest = htons(p->dest);
		uh->len = htons(header + p->payload);
		return &uh->check;
	}
	th->source = htons(p->source);
	th->dest = htons(p->dest);
	th->seq = htonl(p->seq);
	th->ack_seq = htonl(p->ack_seq);
	th->doff = (p->bad_doff ?: header) / 4;
	to[13] = p->flags;
	th->window = htons(p->window);
	if (p->timestamps) {
		*option++ = htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 |
				  TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP);
		*option++ = htonl(p->ts);
		*option++ = htonl(~p->ts);
	}
	return &th->check;
}

/**
 * wg_packet_kunit_write() - write a packet
 * @p: what
 * @to: where
 *
 * Return: bytes written.
 */
u32 wg_packet_kunit_write(const struct wg_packet_kunit *p, u8 *to)
{
	u32 outer = p->tunnel ? sizeof(struct iphdr) : 0;
	u32 network = wg_packet_kunit_network(p);
	u32 header = wg_packet_kunit_header(p);
	u8 protocol = p->udp ? IPPROTO_UDP : IPPROTO_TCP;
	struct ipv6hdr *ip6 = (struct ipv6hdr *)(to + outer);
	struct iphdr *ip4 = (struct iphdr *)(to + outer);
	u32 i, len = header + p->payload;
	__sum16 *check, pseudo;
	__wsum csum = 0;

	memset(to, 0, header);
	if (outer)
		wg_packet_kunit_write_ip4(p, to, outer, len, IPPROTO_IPIP);
	if (p->v6)
		wg_packet_kunit_write_ip6(p, to + outer, len - outer, protocol);
	else
		wg_packet_kunit_write_ip4(p, to + outer, network - outer,
					  len - outer, protocol);
	check = wg_packet_kunit_write_transport(p, to + network,
						header - network);
	/* Bytes that tell where in the stream they belong. */
	for (i = 0; i < p->payload; i++)
		to[header + i] = (p->seq + i) * 2654435761u >> 24;
	if (!p->partial)
		csum = csum_partial(to + network, len - network, 0);
	if (p->v6)
		pseudo = csum_ipv6_magic(&ip6->saddr, &ip6->daddr,
					 len - network, protocol, csum);
	else
		pseudo = csum_tcpudp_magic(ip4->saddr, ip4->daddr,
					   len - network, protocol, csum);
	if (p->partial)
		*check = ~pseudo;
	else
		*check = pseudo || !p->udp ? pseudo : CSUM_MANGLED_0;
	return len;
}

static u32 wg_packet_kunit_add_frags(struct kunit *test, struct sk_buff *skb,
				     const u8 *data, u32 len, u32 size)
{
	u32 done = 0, piece;
	struct page *page;
	int i;

	for (i = 0; size && i < MAX_SKB_FRAGS && done < len; i++) {
		piece = min(size, len - done);
		page = alloc_pages(GFP_KERNEL | __GFP_COMP, get_order(size));
		KUNIT_ASSERT_NOT_NULL(test, page);
		memcpy(page_address(page), data + done, piece);
		skb_add_rx_frag(skb, i, page, 0, piece, piece);
		done += piece;
	}
	return done;
}

static void wg_packet_kunit_add_list(struct kunit *test, struct sk_buff *skb,
				     const u8 *data, u32 len, u32 size)
{
	struct sk_buff **end = &skb_shinfo(skb)->frag_list, *part;
	u32 piece;

	for (; len; len -= piece, data += piece) {
		piece = min(size, len);
		part = alloc_skb(piece, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, part);
		skb_put_data(part, data, piece);
		*end = part;
		end = &part->next;
		skb->len += piece;
		skb->data_len += piece;
		skb->truesize += part->truesize;
	}
}

/**
 * wg_packet_kunit_skb() - put bytes into an skb
 * @test: fails without memory
 * @data: what
 * @len: bytes
 * @shape: how
 *
 * Return: skb of the caller.
 */
struct sk_buff *wg_packet_kunit_skb(struct kunit *test, const u8 *data,
				    u32 len,
				    const struct wg_packet_kunit_shape *shape)
{
	u32 linear = min(shape->linear, len);
	struct sk_buff *skb;

	if (!shape->frag && !shape->list)
		linear = len;
	skb = alloc_skb(WG_PACKET_KUNIT_HEADER_MAX + linear, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	/* Hashing asks for the namespace. */
	skb->dev = init_net.loopback_dev;
	skb_reserve(skb, WG_PACKET_KUNIT_HEADER_MAX);
	skb_put_data(skb, data, linear);
	data += linear;
	len -= linear;
	linear = wg_packet_kunit_add_frags(test, skb, data, len, shape->frag);
	if (shape->list)
		wg_packet_kunit_add_list(test, skb, data + linear,
					 len - linear, shape->list);
	else
		KUNIT_ASSERT_EQ(test, linear, len);
	return skb;
}

static void wg_packet_kunit_offload(struct sk_buff *skb,
				    const struct wg_packet_kunit *p)
{
	u32 network = wg_packet_kunit_network(p);

	if (p->partial) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + network;
		skb->csum_offset = p->udp ? offsetof(struct udphdr, check) :
					    offsetof(struct tcphdr, check);
	}
	if (p->tunnel) {
		skb->encapsulation = 1;
		skb_set_inner_network_header(skb, sizeof(struct iphdr));
		skb_set_inner_transport_header(skb, network);
		skb_set_transport_header(skb, sizeof(struct iphdr));
	}
	if (!p->mss)
		return;
	skb_shinfo(skb)->gso_size = p->mss;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(p->payload, p->mss);
	skb_shinfo(skb)->gso_type = p->gso_type |
				    (p->udp ? SKB_GSO_UDP_L4 :
				     p->v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4);
}

/**
 * wg_packet_kunit_make() - make a packet as a device is given it
 * @test: fails without memory
 * @p: what
 * @shape: the linear part is that of the payload; NULL if all of it is
 *
 * Return: skb of the caller.
 */
struct sk_buff *wg_packet_kunit_make(struct kunit *test,
				     const struct wg_packet_kunit *p,
				     const struct wg_packet_kunit_shape *shape)
{
	struct wg_packet_kunit_shape whole = {};
	struct sk_buff *skb;
	u32 len;
	u8 *data;

	if (shape)
		whole = *shape;
	whole.linear += wg_packet_kunit_header(p);
	data = kunit_kzalloc(test, wg_packet_kunit_header(p) + p->payload,
			     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	len = wg_packet_kunit_write(p, data);
	skb = wg_packet_kunit_skb(test, data, len, &whole);
	kunit_kfree(test, data);
	skb->protocol = htons(p->v6 ? ETH_P_IPV6 : ETH_P_IP);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, wg_packet_kunit_network(p));
	wg_packet_kunit_offload(skb, p);
	return skb;
}

/**
 * wg_packet_kunit_segments() - what the kernel makes of a packet
 * @test: fails if it does not
 * @skb: only read; IP packet, maybe a super-packet
 *
 * Return: linear packets with complete checksums, linked by next, of the
 * caller.
 */
struct sk_buff *wg_packet_kunit_segments(struct kunit *test,
					 const struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_KERNEL), *list, *seg;
	u32 header;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	skb_mark_not_on_list(copy);
	header = skb_transport_offset(copy);
	if (skb_is_gso(copy) && !copy->encapsulation) {
		header += skb_shinfo(copy)->gso_type & SKB_GSO_UDP_L4 ?
			  sizeof(struct udphdr) : tcp_hdrlen(copy);
		/* The kernel refuses to cut what is short enough already. */
		if (copy->len <= header + skb_shinfo(copy)->gso_size)
			skb_gso_reset(copy);
	}
	list = copy;
	if (skb_is_gso(copy)) {
		list = skb_gso_segment(copy, 0);
		consume_skb(copy);
		KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(list));
	}
	for (seg = list; seg; seg = seg->next) {
		if (seg->ip_summed == CHECKSUM_PARTIAL)
			KUNIT_ASSERT_EQ(test, skb_checksum_help(seg), 0);
		KUNIT_ASSERT_EQ(test, skb_linearize(seg), 0);
	}
	return list;
}

/**
 * wg_packet_kunit_keypair() - a session with oneself
 * @test: owns it
 *
 * Return: keypair whose keys are random and equal.
 */
struct wg_keypair *wg_packet_kunit_keypair(struct kunit *test)
{
	struct wg_keypair *keypair;

	keypair = kunit_kzalloc(test, sizeof(*keypair), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, keypair);
	get_random_bytes(keypair->send_key, WG_KEY_LEN);
	memcpy(keypair->receive_key, keypair->send_key, WG_KEY_LEN);
	keypair->remote_index = cpu_to_le32(0x12345678);
	return keypair;
}

/**
 * wg_packet_kunit_dev() - a device to be named in packets
 * @test: fails without memory
 *
 * Return: device, not registered; freed by the caller with free_netdev().
 */
struct net_device *wg_packet_kunit_dev(struct kunit *test)
{
	struct net_device *dev;

	dev = alloc_netdev(0, "wgkunit", NET_NAME_UNKNOWN, ether_setup);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	return dev;
}
