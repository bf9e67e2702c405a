// SPDX-License-Identifier: GPL-2.0
/*
 * open_kunit.c - whatever is merged, what comes out is each datagram decrypted
 * alone, in order, byte by byte.
 */
#include "../open.h"
#include "../seal.h"
#include "packet_kunit.h"

#include <linux/bottom_half.h>
#include <linux/ip.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/unaligned.h>
#include <net/ip.h>
#include <crypto/chacha20poly1305.h>

enum wg_open_kunit_size {
	WG_OPEN_KUNIT_DATAGRAMS = 128,
	WG_OPEN_KUNIT_SLOT = 1600,
	WG_OPEN_KUNIT_WIRE = WG_OPEN_KUNIT_DATAGRAMS * WG_OPEN_KUNIT_SLOT,
	WG_OPEN_KUNIT_ROUNDS = 2000,
	WG_OPEN_KUNIT_FIRST = 1000,	/* counter */
};

/**
 * struct wg_open_kunit_datagram - what went in
 * @counter: nonce
 * @plain: packet and padding
 * @len: of both
 * @packet: of the packet
 * @dropped: must not come out
 */
struct wg_open_kunit_datagram {
	u64 counter;
	u8 *plain;
	u32 len;
	u32 packet;
	bool dropped;
};

struct wg_open_kunit {
	struct wg_open_job job;
	struct wg_keypair *keypair;
	struct net_device *dev;
	struct wg_stats stats;
	u32 slot;		/* plaintext of each datagram but the last */
	u32 n;
	struct wg_open_kunit_datagram datagrams[WG_OPEN_KUNIT_DATAGRAMS];
	u8 *plain;
	u8 *wire;		/* some bytes, then the datagrams */
	u32 before;
	u32 end;
	u64 counter;
	u32 groups[WG_OPEN_KUNIT_DATAGRAMS];	/* datagrams of each packet */
	u32 packets;
};

static int wg_open_kunit_init(struct kunit *test)
{
	struct wg_open_kunit *fix;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	if (!fix)
		return -ENOMEM;
	fix->plain = kunit_kzalloc(test, WG_OPEN_KUNIT_WIRE, GFP_KERNEL);
	fix->wire = kunit_kzalloc(test, WG_OPEN_KUNIT_WIRE, GFP_KERNEL);
	if (!fix->plain || !fix->wire || wg_stats_init(&fix->stats))
		return -ENOMEM;
	test->priv = fix;
	fix->keypair = wg_packet_kunit_keypair(test);
	fix->dev = wg_packet_kunit_dev(test);
	return 0;
}

static void wg_open_kunit_free(struct wg_open_kunit *fix)
{
	kfree_skb(fix->job.src);
	kfree_skb_list(fix->job.out);
	memset(&fix->job, 0, sizeof(fix->job));
}

static void wg_open_kunit_exit(struct kunit *test)
{
	struct wg_open_kunit *fix = test->priv;

	if (!fix)
		return;
	wg_open_kunit_free(fix);
	if (fix->dev)
		free_netdev(fix->dev);
	wg_stats_fini(&fix->stats);
}

/* Forgets everything; datagrams of @slot bytes of plaintext follow. */
static void wg_open_kunit_start(struct kunit *test, u32 slot, bool gro)
{
	struct wg_open_kunit *fix = test->priv;

	wg_open_kunit_free(fix);
	wg_stats_fini(&fix->stats);
	KUNIT_ASSERT_EQ(test, wg_stats_init(&fix->stats), 0);
	memset(&fix->keypair->replay, 0, sizeof(fix->keypair->replay));
	fix->dev->features = gro ? NETIF_F_GRO : 0;
	fix->slot = slot;
	fix->n = 0;
	fix->before = 8;
	fix->end = fix->before;
	fix->counter = WG_OPEN_KUNIT_FIRST;
}

/* Seals the datagram that has been written. */
static void wg_open_kunit_put(struct kunit *test, u32 packet, u32 len)
{
	struct wg_open_kunit *fix = test->priv;
	struct wg_open_kunit_datagram *d = &fix->datagrams[fix->n];
	u8 *to = fix->wire + fix->end;

	KUNIT_ASSERT_LE(test, fix->end + WG_DATA_OVERHEAD + len,
			(u32)WG_OPEN_KUNIT_WIRE);
	d->counter = fix->counter++;
	d->len = len;
	d->packet = packet;
	d->dropped = false;
	memset(d->plain + packet, 0, len - packet);
	put_unaligned_le32(WG_MSG_DATA, to);
	put_unaligned_le32(0x12345678, to + 4);
	put_unaligned_le64(d->counter, to + 8);
	chacha20poly1305_encrypt(to + sizeof(struct wg_msg_data), d->plain,
				 len, NULL, 0, d->counter,
				 fix->keypair->receive_key);
	fix->end += WG_DATA_OVERHEAD + len;
	fix->n++;
}

static u8 *wg_open_kunit_next(struct kunit *test)
{
	struct wg_open_kunit *fix = test->priv;
	struct wg_open_kunit_datagram *d;

	KUNIT_ASSERT_LT(test, fix->n, (u32)WG_OPEN_KUNIT_DATAGRAMS);
	d = &fix->datagrams[fix->n];
	d->plain = fix->plain + fix->n * WG_OPEN_KUNIT_SLOT;
	return d->plain;
}

static void wg_open_kunit_add(struct kunit *test,
			      const struct wg_packet_kunit *p)
{
	struct wg_open_kunit *fix = test->priv;
	u32 len = wg_packet_kunit_write(p, wg_open_kunit_next(test));

	KUNIT_ASSERT_LE(test, len, fix->slot);
	wg_open_kunit_put(test, len, fix->slot);
}

/* Continues a flow by @n segments, the usual way. */
static void wg_open_kunit_add_flow(struct kunit *test,
				   struct wg_packet_kunit *p, u32 n)
{
	while (n--) {
		wg_open_kunit_add(test, p);
		p->seq += p->payload;
		p->id++;
	}
}

/* One datagram that came alone. */
static void wg_open_kunit_check_single(struct kunit *test, struct sk_buff *skb,
				       const struct wg_open_kunit_datagram *d)
{
	KUNIT_ASSERT_EQ(test, skb->len, d->len);
	KUNIT_EXPECT_FALSE(test, skb_is_nonlinear(skb));
	KUNIT_EXPECT_TRUE(test, skb->ip_summed == CHECKSUM_NONE);
	KUNIT_EXPECT_EQ(test, memcmp(skb->data, d->plain, d->len), 0);
}

/* What segmentation makes of a super-packet are the segments it came from. */
static void wg_open_kunit_check_super(struct kunit *test, struct sk_buff *skb,
				      const struct wg_open_kunit_datagram *d)
{
	u32 n = wg_open_cb(skb)->datagrams, i, bad = 0;
	struct sk_buff *list, *seg;

	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->gso_segs, n);
	KUNIT_EXPECT_LE(test, skb->len, 65535u);
	skb->protocol = htons(skb->data[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6);
	skb_reset_mac_header(skb);
	list = wg_packet_kunit_segments(test, skb);
	for (seg = list, i = 0; seg && i < n; seg = seg->next, i++)
		bad += seg->len != d[i].packet ||
		       memcmp(seg->data, d[i].plain, seg->len);
	KUNIT_EXPECT_EQ(test, bad, 0u);
	KUNIT_EXPECT_EQ(test, i, n);
	KUNIT_EXPECT_PTR_EQ(test, seg, NULL);
	kfree_skb_list(list);
}

static void wg_open_kunit_check_packet(struct kunit *test, struct sk_buff *skb,
				       const struct wg_open_kunit_datagram *d,
				       u32 left)
{
	struct wg_open_cb *cb = wg_open_cb(skb);
	u32 i, bytes = 0, bad = 0;

	KUNIT_ASSERT_GE(test, cb->datagrams, 1u);
	KUNIT_ASSERT_LE(test, cb->datagrams, 64u);
	KUNIT_ASSERT_LE(test, cb->datagrams, left);
	KUNIT_ASSERT_EQ(test, cb->counter, d->counter);
	KUNIT_EXPECT_EQ(test, skb_is_gso(skb), cb->datagrams > 1);
	for (i = 0; i < cb->datagrams; i++) {
		bytes += WG_DATA_OVERHEAD + d[i].len;
		bad += d[i].counter != d->counter + i || d[i].dropped;
	}
	KUNIT_EXPECT_EQ(test, bad, 0u);
	KUNIT_EXPECT_EQ(test, cb->bytes, bytes);
	if (cb->datagrams == 1)
		wg_open_kunit_check_single(test, skb, d);
	else
		wg_open_kunit_check_super(test, skb, d);
}

static u64 wg_open_kunit_stat(struct wg_open_kunit *fix, enum wg_stat which)
{
	u64 sums[WG_STATS];

	wg_stats_read(&fix->stats, sums);
	return sums[which];
}

/* Opens, and compares with each datagram opened alone. */
static void wg_open_kunit_open(struct kunit *test,
			       const struct wg_packet_kunit_shape *shape)
{
	struct wg_open_kunit *fix = test->priv;
	struct sk_buff *skb;
	u64 merged = 0;
	u32 i = 0;

	fix->job = (struct wg_open_job) {
		.keypair = fix->keypair, .dev = fix->dev,
		.stats = &fix->stats,
		.src = wg_packet_kunit_skb(test, fix->wire, fix->end, shape),
		.offset = fix->before, .len = fix->end - fix->before,
		.segment = fix->slot + WG_DATA_OVERHEAD,
	};
	local_bh_disable();
	wg_open(&fix->job);
	local_bh_enable();
	fix->packets = 0;
	for (skb = fix->job.out; skb; skb = skb->next) {
		while (i < fix->n && fix->datagrams[i].dropped)
			i++;
		KUNIT_ASSERT_LT(test, i, fix->n);
		wg_open_kunit_check_packet(test, skb, &fix->datagrams[i],
					   fix->n - i);
		fix->groups[fix->packets++] = wg_open_cb(skb)->datagrams;
		merged += wg_open_cb(skb)->datagrams > 1;
		i += wg_open_cb(skb)->datagrams;
	}
	while (i < fix->n && fix->datagrams[i].dropped)
		i++;
	KUNIT_EXPECT_EQ(test, i, fix->n);
	KUNIT_EXPECT_EQ(test, wg_open_kunit_stat(fix, WG_STAT_RX_MERGED),
			merged);
}

/* The packets have so many datagrams; the list ends with 0. */
static void wg_open_kunit_expect(struct kunit *test, const u32 *groups,
				 const char *what)
{
	struct wg_open_kunit *fix = test->priv;
	u32 i;

	for (i = 0; groups[i]; i++)
		KUNIT_EXPECT_EQ_MSG(test, fix->groups[i], groups[i],
				    "%s: packet %u of %u", what, i,
				    fix->packets);
	KUNIT_EXPECT_EQ_MSG(test, fix->packets, i, "%s", what);
}

static const struct wg_packet_kunit_shape wg_open_kunit_shapes[] = {
	{},
	{ .linear = 8, .frag = 65536 },
	{ .linear = 0, .frag = 16384, .list = 4000 },	/* datagrams straddle */
	{ .linear = 2000, .list = 3001 },
	{ .linear = 8, .list = 1472 },		/* one for each */
	{ .linear = 8, .frag = 1472, .list = 2944 },
};

static void flow_in_all_shapes(struct kunit *test)
{
	static const u32 one[] = { 40, 0 };
	struct wg_open_kunit *fix = test->priv;
	int kind, shape, i;

	for (kind = 0; kind < 8; kind++) {
		for (shape = 0; shape < ARRAY_SIZE(wg_open_kunit_shapes);
		     shape++) {
			struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP };

			p.v6 = kind & 1;
			p.timestamps = kind & 2;
			p.payload = 1367;
			wg_open_kunit_start(test, 1440, !(kind & 4));
			wg_open_kunit_add_flow(test, &p, 39);
			p.payload = 1000;
			p.flags |= WG_PACKET_KUNIT_PSH;
			wg_open_kunit_add(test, &p);
			wg_open_kunit_open(test, &wg_open_kunit_shapes[shape]);
			if (kind & 4)
				for (i = 0; i < fix->packets; i++)
					KUNIT_EXPECT_EQ(test, fix->groups[i],
							1u);
			else if (shape < 2 || shape > 3)
				wg_open_kunit_expect(test, one, "all");
		}
	}
}

/* What does not continue a flow, and how it is told from what does. Segment 5
 * of 10 is changed, and those behind it, too, if the change lasts.
 */
struct wg_open_kunit_change {
	const char *what;
	struct wg_packet_kunit xor;	/* in these */
	bool lasts;
	bool v6;
	u32 groups[12];
};

static const struct wg_open_kunit_change wg_open_kunit_changes[] = {
	{ "nothing", {}, true, false, { 10 } },
	{ "nothing", {}, true, true, { 10 } },
	{ "source", { .source = 1 }, true, false, { 5, 5 } },
	{ "source", { .source = 1 }, false, true, { 5, 1, 4 } },
	{ "dest", { .dest = 1 }, true, true, { 5, 5 } },
	{ "seq", { .seq = 1U << 31 }, true, false, { 5, 5 } },
	{ "seq", { .seq = 0x8000 }, false, true, { 5, 1, 4 } },
	{ "ack", { .ack_seq = 1 }, true, false, { 5, 5 } },
	{ "window", { .window = 1 }, true, true, { 5, 5 } },
	{ "option", { .ts = 1 }, true, false, { 5, 5 } },
	{ "option", { .ts = 1 }, false, true, { 5, 1, 4 } },
	{ "options", { .timestamps = true }, true, false, { 5, 5 } },
	{ "host", { .host = 2 }, true, false, { 5, 5 } },
	{ "host", { .host = 2 }, true, true, { 5, 5 } },
	{ "ttl", { .ttl = 1 }, true, false, { 5, 5 } },
	{ "hop limit", { .ttl = 1 }, true, true, { 5, 5 } },
	{ "tos", { .tos = 1 }, true, false, { 5, 5 } },
	{ "traffic class", { .tos = 1 }, true, true, { 5, 5 } },
	{ "flow label", { .label = 1 }, true, true, { 5, 5 } },
	{ "DF", { .frag_off = IP_DF }, true, false, { 5, 5 } },
	{ "MF", { .frag_off = IP_MF }, false, false, { 5, 1, 4 } },
	{ "ID", { .id = 0x4000 }, true, false, { 5, 5 } },
	{ "ID", { .id = 0x4000 }, false, false, { 5, 1, 4 } },
	{ "IP checksum", { .bad_ip_sum = true }, false, false, { 5, 1, 4 } },
	{ "IP options", { .ip_options = 4 }, false, false, { 5, 1, 4 } },
	{ "UDP", { .udp = true }, false, false, { 5, 1, 4 } },
	{ "UDP", { .udp = true }, false, true, { 5, 1, 4 } },
	{ "other version", { .v6 = true }, false, false, { 5, 1, 4 } },
	{ "TCP length", { .bad_doff = 16 }, false, false, { 5, 1, 4 } },
	{ "TCP length", { .bad_doff = 60 }, false, true, { 5, 1, 4 } },
	{ "SYN", { .flags = WG_PACKET_KUNIT_SYN }, false, false, { 5, 1, 4 } },
	{ "RST", { .flags = WG_PACKET_KUNIT_RST }, false, true, { 5, 1, 4 } },
	{ "URG", { .flags = WG_PACKET_KUNIT_URG }, false, false, { 5, 1, 4 } },
	{ "ACK", { .flags = WG_PACKET_KUNIT_ACK }, true, true, { 5, 5 } },
	{ "ECE", { .flags = WG_PACKET_KUNIT_ECE }, true, false, { 5, 5 } },
	{ "CWR", { .flags = WG_PACKET_KUNIT_CWR }, false, false, { 5, 5 } },
	{ "PSH", { .flags = WG_PACKET_KUNIT_PSH }, false, false, { 6, 4 } },
	{ "FIN", { .flags = WG_PACKET_KUNIT_FIN }, false, true, { 6, 4 } },
};

static void wg_open_kunit_xor(struct wg_packet_kunit *p,
			      const struct wg_packet_kunit *by)
{
	u8 *to = (u8 *)p;
	const u8 *from = (const u8 *)by;
	u32 i;

	for (i = 0; i < sizeof(*p); i++)
		to[i] ^= from[i];
}

static void merge_stops_at_changed_header(struct kunit *test)
{
	const struct wg_open_kunit_change *c;
	struct wg_packet_kunit p, changed;
	int i, row, shape;

	for (row = 0; row < 2 * ARRAY_SIZE(wg_open_kunit_changes); row++) {
		c = &wg_open_kunit_changes[row / 2];
		shape = row & 1;
		p = (struct wg_packet_kunit) { WG_PACKET_KUNIT_TCP };
		p.v6 = c->v6;
		/* The payload is long enough for a wrong header length. */
		p.payload = 301;
		p.timestamps = !c->xor.timestamps;
		wg_open_kunit_start(test, 400, true);
		for (i = 0; i < 10; i++) {
			changed = p;
			if (i == 5 || (i > 5 && c->lasts))
				wg_open_kunit_xor(&changed, &c->xor);
			wg_open_kunit_add(test, &changed);
			p.seq += p.payload;
			p.id++;
		}
		wg_open_kunit_open(test, &wg_open_kunit_shapes[shape]);
		wg_open_kunit_expect(test, c->groups, c->what);
	}
}

static void merge_by_ip_id(struct kunit *test)
{
	static const struct {
		u32 step;
		bool df;
		u32 groups[8];
	} rows[] = {
		{ 1, true, { 6 } }, { 1, false, { 6 } },
		{ 0, true, { 6 } }, { 0, false, { 1, 1, 1, 1, 1, 1 } },
		{ 2, true, { 1, 1, 1, 1, 1, 1 } },
		{ 0xffff, true, { 1, 1, 1, 1, 1, 1 } },
	};
	struct wg_packet_kunit p;
	int i, row;

	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		p = (struct wg_packet_kunit) { WG_PACKET_KUNIT_TCP };
		p.frag_off = rows[row].df ? IP_DF : 0;
		p.payload = 100;
		wg_open_kunit_start(test, 144, true);
		for (i = 0; i < 6; i++) {
			wg_open_kunit_add(test, &p);
			p.seq += p.payload;
			p.id += rows[row].step;
		}
		wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
		wg_open_kunit_expect(test, rows[row].groups, "ID");
	}
}

/* A segment that is shorter is the last; one that is longer begins anew. */
static void merge_by_lengths(struct kunit *test)
{
	static const struct {
		u32 payloads[8];
		u32 groups[8];
	} rows[] = {
		{ { 100, 100, 99, 100, 100 }, { 3, 2 } },
		{ { 100, 101, 101 }, { 1, 2 } },
		{ { 100, 1, 1, 1 }, { 2, 2 } },
		/* No payload: 1000 stands for that. */
		{ { 100, 100, 1000, 100, 100 }, { 2, 1, 2 } },
		{ { 1000, 1000, 1000 }, { 1, 1, 1 } },
	};
	struct wg_packet_kunit p;
	int i, row;

	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		p = (struct wg_packet_kunit) { WG_PACKET_KUNIT_TCP };
		wg_open_kunit_start(test, 160, true);
		for (i = 0; rows[row].payloads[i]; i++) {
			p.payload = rows[row].payloads[i] % 1000;
			wg_open_kunit_add_flow(test, &p, 1);
		}
		wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
		wg_open_kunit_expect(test, rows[row].groups, "lengths");
	}
}

static void merge_by_flags(struct kunit *test)
{
	static const u32 one[] = { 10, 0 }, ten[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1,
						      1, 0 };
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .payload = 100 };
	struct wg_open_kunit *fix = test->priv;

	/* CWR on the first. */
	wg_open_kunit_start(test, 144, true);
	p.flags |= WG_PACKET_KUNIT_CWR | WG_PACKET_KUNIT_ECE;
	wg_open_kunit_add_flow(test, &p, 1);
	p.flags &= ~WG_PACKET_KUNIT_CWR;
	wg_open_kunit_add_flow(test, &p, 9);
	wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
	wg_open_kunit_expect(test, one, "CWR");
	KUNIT_ASSERT_NOT_NULL(test, fix->job.out);
	KUNIT_EXPECT_TRUE(test, skb_shinfo(fix->job.out)->gso_type &
				SKB_GSO_TCP_ECN);
	/* PSH on all. */
	wg_open_kunit_start(test, 144, true);
	p.flags |= WG_PACKET_KUNIT_PSH;
	wg_open_kunit_add_flow(test, &p, 10);
	wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
	wg_open_kunit_expect(test, ten, "PSH");
}

static void merge_up_to_limits(struct kunit *test)
{
	static const u32 most[] = { 64, 36, 0 }, longest[] = { 46, 34, 0 };
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .payload = 100 };

	wg_open_kunit_start(test, 144, true);
	wg_open_kunit_add_flow(test, &p, 100);
	wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
	wg_open_kunit_expect(test, most, "64 datagrams");
	/* 40 bytes of headers and 47 times 1400 are more than 65535. */
	p.payload = 1400;
	wg_open_kunit_start(test, 1440, true);
	wg_open_kunit_add_flow(test, &p, 80);
	wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
	wg_open_kunit_expect(test, longest, "64 KiB");
}

/* A page is not held back for nothing. */
static void merged_bytes_are_charged(struct kunit *test)
{
	static const u32 two[] = { 2, 0 };
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .payload = 1 };
	struct wg_open_kunit *fix = test->priv;

	wg_open_kunit_start(test, 48, true);
	wg_open_kunit_add_flow(test, &p, 2);
	wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
	KUNIT_EXPECT_GE(test, fix->job.out->truesize, 2048u);
	wg_open_kunit_expect(test, two, "charge");
}

static void merge_stops_at_counter_gap(struct kunit *test)
{
	static const u32 groups[] = { 5, 3, 2, 0 };
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .payload = 100 };
	struct wg_open_kunit *fix = test->priv;

	wg_open_kunit_start(test, 144, true);
	wg_open_kunit_add_flow(test, &p, 5);
	fix->counter++;
	wg_open_kunit_add_flow(test, &p, 3);
	fix->counter -= 100;
	wg_open_kunit_add_flow(test, &p, 2);
	wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
	wg_open_kunit_expect(test, groups, "gap");
}

/* Padding of each length, none on the last. */
static void padding_removed(struct kunit *test)
{
	static const u32 one[] = { 10, 0 };
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .payload = 100 };
	u32 slot, len;

	for (slot = 140; slot < 160; slot++) {
		wg_open_kunit_start(test, slot, true);
		wg_open_kunit_add_flow(test, &p, 9);
		len = wg_packet_kunit_write(&p, wg_open_kunit_next(test));
		wg_open_kunit_put(test, len, len);
		wg_open_kunit_open(test, &wg_open_kunit_shapes[slot % 2]);
		wg_open_kunit_expect(test, one, "padding");
	}
}

/* One bit of datagram k is flipped, in turn in its counter, packet and tag. */
static void flipped_bit_drops_one(struct kunit *test)
{
	struct wg_open_kunit *fix = test->priv;
	struct wg_packet_kunit p;
	u32 at[] = { 8, 16, 16 + 20, 16 + 100, 16 + 143, 160, 175 };
	u32 row, k, groups[3];

	for (row = 0; row < 10 * ARRAY_SIZE(at); row++) {
		p = (struct wg_packet_kunit) { WG_PACKET_KUNIT_TCP };
		p.payload = 100;
		k = row % 10;
		wg_open_kunit_start(test, 144, true);
		wg_open_kunit_add_flow(test, &p, 10);
		fix->datagrams[k].dropped = true;
		fix->wire[fix->before + k * 176 + at[row / 10]] ^= 1 << k % 8;
		wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
		KUNIT_EXPECT_EQ(test,
				wg_open_kunit_stat(fix, WG_DROP_BAD_TAG), 1ULL);
		groups[0] = k ?: 9;
		groups[1] = k ? 9 - k : 0;
		groups[2] = 0;
		wg_open_kunit_expect(test, groups, "flipped");
	}
}

static void replayed_dropped(struct kunit *test)
{
	static const u32 groups[] = { 2, 4, 1, 0 };
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .payload = 100 };
	struct wg_open_kunit *fix = test->priv;
	static const u32 claimed[] = { 2, 7, 9 };
	int i;

	wg_open_kunit_start(test, 144, true);
	wg_open_kunit_add_flow(test, &p, 10);
	for (i = 0; i < ARRAY_SIZE(claimed); i++) {
		fix->datagrams[claimed[i]].dropped = true;
		KUNIT_ASSERT_TRUE(test,
				  wg_replay_claim(&fix->keypair->replay,
						  WG_OPEN_KUNIT_FIRST +
						  claimed[i]));
	}
	wg_open_kunit_open(test, &wg_open_kunit_shapes[0]);
	wg_open_kunit_expect(test, groups, "replayed");
	KUNIT_EXPECT_EQ(test, wg_open_kunit_stat(fix, WG_DROP_REPLAY), 3ULL);
	KUNIT_EXPECT_EQ(test, wg_open_kunit_stat(fix, WG_DROP_BAD_TAG), 0ULL);
}

/* What we have sealed ourselves. */
static void sealed_by_ourselves(struct kunit *test)
{
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .partial = true,
				     .mss = 1368, .payload = 40 * 1368 + 5 };
	struct wg_open_kunit *fix = test->priv;
	struct sk_buff *skb = wg_packet_kunit_make(test, &p, NULL), *list, *seg;
	struct wg_seal_job job = { .keypair = fix->keypair,
				   .counter = WG_OPEN_KUNIT_FIRST,
				   .gso = true };
	static const u32 one[] = { 41, 0 };
	u32 padded;

	wg_open_kunit_start(test, 1408, true);
	list = wg_packet_kunit_segments(test, skb);
	for (seg = list; seg; seg = seg->next) {
		padded = ALIGN(seg->len, WG_PADDING);
		memcpy(wg_open_kunit_next(test), seg->data, seg->len);
		wg_open_kunit_put(test, seg->len, padded);
	}
	kfree_skb_list(list);
	local_bh_disable();
	job.in = wg_seal_prepare(skb, 1420);
	job.datagrams = wg_seal_cb(job.in)->datagrams;
	wg_seal(&job);
	local_bh_enable();
	KUNIT_ASSERT_NOT_NULL(test, job.out);
	KUNIT_EXPECT_PTR_EQ(test, job.out->next, NULL);
	KUNIT_ASSERT_EQ(test, job.out->len, fix->end - fix->before);
	/* In place of those bytes that the test has sealed. */
	memset(fix->wire, 0, fix->end);
	KUNIT_EXPECT_EQ(test, skb_copy_bits(job.out, 0,
					    fix->wire + fix->before,
					    job.out->len), 0);
	kfree_skb_list(job.out);
	wg_open_kunit_open(test, &wg_open_kunit_shapes[1]);
	wg_open_kunit_expect(test, one, "sealed by us");
}

/* One of three flows goes on, often the usual way; or there is garbage. */
static void wg_open_kunit_random_packet(struct kunit *test,
					struct rnd_state *rnd,
					struct wg_packet_kunit *flows)
{
	struct wg_open_kunit *fix = test->priv;
	u32 r = prandom_u32_state(rnd), most;
	struct wg_packet_kunit *p = &flows[r % 32 < 24 ? 0 : r % 3];
	u8 *plain = wg_open_kunit_next(test);
	u32 packet, at;

	most = fix->slot - wg_packet_kunit_header(p);
	p->payload = min(most, 300u);
	if (r >> 8 & 7) {
		p->payload -= r >> 5 & 1;
	} else {
		p->payload = prandom_u32_state(rnd) % (most + 1);
		p->flags ^= r >> 16 & 1 ? WG_PACKET_KUNIT_PSH : 0;
		p->ack_seq += r >> 17 & 1;
		p->id += r >> 18 & 1;
	}
	packet = wg_packet_kunit_write(p, plain);
	p->seq += p->payload;
	p->id++;
	/* Some headers are damaged. What only the TCP checksum would tell is
	 * left out: the tag has vouched for that.
	 */
	if (r >> 24 < 8) {
		at = prandom_u32_state(rnd) % (p->v6 ? 4 : 20);
		plain[at] ^= 1 << (r >> 19 & 7);
	}
	wg_open_kunit_put(test, packet, fix->slot);
}

static void wg_open_kunit_random_fault(struct wg_open_kunit *fix,
				       struct rnd_state *rnd)
{
	u32 k = prandom_u32_state(rnd) % fix->n;
	u32 full = fix->slot + WG_DATA_OVERHEAD;
	struct wg_open_kunit_datagram *d = &fix->datagrams[k];
	u32 at = 16 + prandom_u32_state(rnd) % (d->len + WG_TAG_LEN);

	if (d->dropped)
		return;
	d->dropped = true;
	if (prandom_u32_state(rnd) & 1)
		wg_replay_claim(&fix->keypair->replay, d->counter);
	else
		fix->wire[fix->before + k * full + at] ^= 0x10;
}

static void random_against_each_alone(struct kunit *test)
{
	u32 seed = get_random_u32(), round, n, i, grouped = 0, shape;
	struct wg_open_kunit *fix = test->priv;
	struct wg_packet_kunit flows[3];
	struct rnd_state rnd;

	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&rnd, seed);
	for (round = 0; round < WG_OPEN_KUNIT_ROUNDS; round++) {
		for (i = 0; i < ARRAY_SIZE(flows); i++) {
			flows[i] = (struct wg_packet_kunit) {
				WG_PACKET_KUNIT_TCP };
			flows[i].source = i;
			flows[i].v6 = prandom_u32_state(&rnd) & 1;
			flows[i].timestamps = prandom_u32_state(&rnd) & 1;
			flows[i].seq = prandom_u32_state(&rnd);
		}
		flows[2].udp = true;
		wg_open_kunit_start(test, 100 + prandom_u32_state(&rnd) % 400,
				    round % 8);
		n = 2 + prandom_u32_state(&rnd) % 62;
		for (i = 0; i < n; i++) {
			wg_open_kunit_random_packet(test, &rnd, flows);
			fix->counter += !(prandom_u32_state(&rnd) % 32);
		}
		for (i = prandom_u32_state(&rnd) % 4; i; i--)
			wg_open_kunit_random_fault(fix, &rnd);
		shape = prandom_u32_state(&rnd) %
			ARRAY_SIZE(wg_open_kunit_shapes);
		wg_open_kunit_open(test, &wg_open_kunit_shapes[shape]);
		for (i = 0; i < fix->packets; i++)
			grouped += fix->groups[i] > 1;
	}
	KUNIT_EXPECT_GT(test, grouped, (u32)WG_OPEN_KUNIT_ROUNDS);
}

static struct kunit_case wg_open_kunit_cases[] = {
	KUNIT_CASE(flow_in_all_shapes),
	KUNIT_CASE(merge_stops_at_changed_header),
	KUNIT_CASE(merge_by_ip_id),
	KUNIT_CASE(merge_by_lengths),
	KUNIT_CASE(merge_by_flags),
	KUNIT_CASE(merge_up_to_limits),
	KUNIT_CASE(merged_bytes_are_charged),
	KUNIT_CASE(merge_stops_at_counter_gap),
	KUNIT_CASE(padding_removed),
	KUNIT_CASE(flipped_bit_drops_one),
	KUNIT_CASE(replayed_dropped),
	KUNIT_CASE(sealed_by_ourselves),
	KUNIT_CASE(random_against_each_alone),
	{}
};

static struct kunit_suite wg_open_kunit_suite = {
	.name = "wireguard_open",
	.init = wg_open_kunit_init,
	.exit = wg_open_kunit_exit,
	.test_cases = wg_open_kunit_cases,
};

kunit_test_suite(wg_open_kunit_suite);
