/* SPDX-License-Identifier: GPL-2.0 */
/*
 * packet_kunit.h - packets for the tests of sealing and opening.
 */
#ifndef _WG_PACKET_KUNIT_H
#define _WG_PACKET_KUNIT_H

#include "../session.h"

#include <kunit/test.h>

#include <linux/netdevice.h>
#include <linux/skbuff.h>

enum wg_packet_kunit_size {
	WG_PACKET_KUNIT_HEADER_MAX = 128,
	WG_PACKET_KUNIT_MAX = 65535,
};

/* TCP flags as they stand in their byte. */
enum wg_packet_kunit_flag {
	WG_PACKET_KUNIT_FIN = 0x01,
	WG_PACKET_KUNIT_SYN = 0x02,
	WG_PACKET_KUNIT_RST = 0x04,
	WG_PACKET_KUNIT_PSH = 0x08,
	WG_PACKET_KUNIT_ACK = 0x10,
	WG_PACKET_KUNIT_URG = 0x20,
	WG_PACKET_KUNIT_ECE = 0x40,
	WG_PACKET_KUNIT_CWR = 0x80,
};

/**
 * struct wg_packet_kunit - a packet to be made, all in host byte order
 * @v6: IPv6
 * @udp: UDP, not TCP
 * @partial: its checksum is left to others (CHECKSUM_PARTIAL)
 * @timestamps: TCP has that option
 * @tunnel: goes into another IPv4 header, which offloads know of
 * @bad_ip_sum: the IPv4 header's checksum is wrong
 * @tos: or traffic class
 * @ttl: or hop limit
 * @flags: TCP flags
 * @ip_options: bytes of IPv4 options
 * @bad_doff: TCP header length to be claimed, 0 for the right one
 * @id: IPv4
 * @frag_off: IPv4
 * @source: port
 * @dest: port
 * @window: TCP
 * @host: last byte of the source address
 * @label: IPv6 flow label
 * @seq: TCP; the payload depends on it, too
 * @ack_seq: TCP
 * @ts: TCP timestamp
 * @payload: bytes
 * @mss: of a super-packet's segments; 0 if it is none
 * @gso_type: further bits of that
 */
struct wg_packet_kunit {
	bool v6;
	bool udp;
	bool partial;
	bool timestamps;
	bool tunnel;
	bool bad_ip_sum;
	u8 tos;
	u8 ttl;
	u8 flags;
	u8 ip_options;
	u8 bad_doff;
	u16 id;
	u16 frag_off;
	u16 source;
	u16 dest;
	u16 window;
	u8 host;
	u32 label;
	u32 seq;
	u32 ack_seq;
	u32 ts;
	u32 payload;
	u32 mss;
	u32 gso_type;
};

/* The usual packet, to be modified. */
#define WG_PACKET_KUNIT_TCP \
	.ttl = 64, .flags = WG_PACKET_KUNIT_ACK, .id = 0xfffd, \
	.frag_off = IP_DF, .source = 40000, .dest = 443, .window = 501, \
	.host = 1, .seq = 0xffffff00, .ack_seq = 77, .ts = 5000

/**
 * struct wg_packet_kunit_shape - where the bytes of an skb are
 * @linear: so many in the linear part
 * @frag: so many in each fragment, as long as there is room for them
 * @list: so many in each skb of the fragment list
 *
 * Without @frag and @list all are in the linear part.
 */
struct wg_packet_kunit_shape {
	u32 linear;
	u32 frag;
	u32 list;
};

u32 wg_packet_kunit_header(const struct wg_packet_kunit *p);
u32 wg_packet_kunit_write(const struct wg_packet_kunit *p, u8 *to);
struct sk_buff *wg_packet_kunit_skb(struct kunit *test, const u8 *data,
				    u32 len,
				    const struct wg_packet_kunit_shape *shape);
struct sk_buff *wg_packet_kunit_make(struct kunit *test,
				     const struct wg_packet_kunit *p,
				     const struct wg_packet_kunit_shape *shape);
struct sk_buff *wg_packet_kunit_segments(struct kunit *test,
					 const struct sk_buff *skb);
struct net_device *wg_packet_kunit_dev(struct kunit *test);
struct wg_keypair *wg_packet_kunit_keypair(struct kunit *test);

#endif /* _WG_PACKET_KUNIT_H */
