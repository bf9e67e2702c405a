// SPDX-License-Identifier: GPL-2.0
/*
 * seal_kunit.c - what is sealed is what the kernel's own segmentation makes of
 * the same packets, byte by byte, in bundles that UDP GSO takes.
 */
#include "../seal.h"
#include "packet_kunit.h"

#include <linux/bottom_half.h>
#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <crypto/chacha20poly1305.h>

enum wg_seal_kunit_size {
	WG_SEAL_KUNIT_BUNDLES = 512,
	WG_SEAL_KUNIT_ROUNDS = 300,
	WG_SEAL_KUNIT_HUGE_PARTS = 10,
	WG_SEAL_KUNIT_HUGE_ORDER = 3,
	WG_SEAL_KUNIT_HUGE_FRAG = PAGE_SIZE << WG_SEAL_KUNIT_HUGE_ORDER,
};

/* What is to be sealed, and what must come of it. */
struct wg_seal_kunit {
	struct wg_seal_job job;
	struct sk_buff **in_end;
	struct sk_buff *expected;
	struct sk_buff **expected_end;
	u64 counter;			/* of the next datagram */
	u32 bundles;
	u32 datagrams[WG_SEAL_KUNIT_BUNDLES];
	u8 *sealed;
	struct net_device *dev;
	struct socket *socket;
};

static int wg_seal_kunit_init(struct kunit *test)
{
	struct wg_seal_kunit *fix;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	if (!fix)
		return -ENOMEM;
	fix->sealed = kunit_kzalloc(test, WG_BUNDLE_BYTES + 1, GFP_KERNEL);
	if (!fix->sealed)
		return -ENOMEM;
	test->priv = fix;
	fix->job.keypair = wg_packet_kunit_keypair(test);
	return 0;
}

static void wg_seal_kunit_free(struct wg_seal_kunit *fix)
{
	kfree_skb_list(fix->job.in);
	kfree_skb_list(fix->job.out);
	kfree_skb_list(fix->expected);
	fix->job.in = NULL;
	fix->job.out = NULL;
	fix->expected = NULL;
}

static void wg_seal_kunit_exit(struct kunit *test)
{
	struct wg_seal_kunit *fix = test->priv;

	if (!fix)
		return;
	wg_seal_kunit_free(fix);
	if (fix->dev)
		free_netdev(fix->dev);
	if (fix->socket)
		sock_release(fix->socket);
}

static void wg_seal_kunit_start(struct kunit *test, u64 counter, bool gso)
{
	struct wg_seal_kunit *fix = test->priv;

	wg_seal_kunit_free(fix);
	fix->in_end = &fix->job.in;
	fix->expected_end = &fix->expected;
	fix->job.counter = counter;
	fix->job.datagrams = 0;
	fix->job.lost = 0;
	fix->job.gso = gso;
}

static u8 wg_seal_kunit_tos(const struct sk_buff *skb)
{
	u8 tos;

	if (!skb->len)
		return 0;
	tos = skb->data[0] >> 4 == 4 ? ip_hdr(skb)->tos :
	      (skb->data[0] << 4 | skb->data[1] >> 4);
	tos &= INET_ECN_MASK;
	return tos == INET_ECN_CE ? INET_ECN_ECT_0 : tos;
}

/* Gives a packet to the job; true if it is cut by ourselves, or not at all. */
static bool wg_seal_kunit_add(struct kunit *test, struct sk_buff *skb, u32 mtu)
{
	struct sk_buff *list = skb, *seg;
	struct wg_seal_kunit *fix = test->priv;
	u32 segments = 0, datagrams = 0;
	bool whole;

	if (skb->len)
		list = wg_packet_kunit_segments(test, skb);
	else
		list = skb_copy(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	for (*fix->expected_end = list; list; list = list->next) {
		wg_seal_cb(list)->mtu = mtu;
		wg_seal_cb(list)->tos = wg_seal_kunit_tos(list);
		fix->expected_end = &list->next;
		segments++;
	}
	local_bh_disable();
	list = wg_seal_prepare(skb, mtu);
	local_bh_enable();
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(list));
	whole = list == skb;
	*fix->in_end = list;
	for (seg = list; seg; seg = seg->next) {
		KUNIT_EXPECT_EQ(test, wg_seal_cb(seg)->mtu, mtu);
		KUNIT_EXPECT_TRUE(test, whole || !skb_is_gso(seg));
		datagrams += wg_seal_cb(seg)->datagrams;
		fix->in_end = &seg->next;
	}
	KUNIT_EXPECT_EQ(test, datagrams, segments);
	fix->job.datagrams += datagrams;
	return whole;
}

/* Spec 1.3 and 4.4, said in another way. */
static u32 wg_seal_kunit_padded(u32 len, u32 mtu)
{
	u32 whole = mtu && len > mtu ? len / mtu * mtu : 0;
	u32 rest = roundup(len - whole, 16);

	return min_t(u32, whole + (mtu && rest > mtu ? mtu : rest),
		     65507 - 32);
}

static void wg_seal_kunit_check_datagram(struct kunit *test, u8 *data, u32 len,
					 u8 tos)
{
	struct wg_seal_kunit *fix = test->priv;
	struct sk_buff *expected = fix->expected;
	u32 padded, sealed = len - sizeof(struct wg_msg_data);
	u8 *plain = data + sizeof(struct wg_msg_data);

	KUNIT_ASSERT_NOT_NULL(test, expected);
	fix->expected = expected->next;
	skb_mark_not_on_list(expected);
	padded = wg_seal_kunit_padded(expected->len, wg_seal_cb(expected)->mtu);
	KUNIT_EXPECT_EQ(test, tos, wg_seal_cb(expected)->tos);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(data), 4u);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(data + 4), 0x12345678u);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(data + 8), fix->counter);
	KUNIT_ASSERT_EQ(test, len, padded + 32);
	KUNIT_ASSERT_TRUE(test,
			  chacha20poly1305_decrypt(plain, plain, sealed, NULL,
						   0, fix->counter,
						   fix->job.keypair->send_key));
	KUNIT_ASSERT_EQ(test, memcmp(plain, expected->data, expected->len), 0);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(plain + expected->len, 0,
					     padded - expected->len), NULL);
	fix->counter++;
	kfree_skb(expected);
}

static void wg_seal_kunit_check_bundle(struct kunit *test, struct sk_buff *skb)
{
	struct wg_seal_kunit *fix = test->priv;
	u32 slot = skb_shinfo(skb)->gso_size ?: skb->len;
	u32 n = DIV_ROUND_UP(skb->len, slot), off;
	bool super = skb_is_gso(skb);

	KUNIT_ASSERT_LE(test, skb->len, 65507u);
	KUNIT_EXPECT_LE(test, n, fix->job.gso ? 64u : 1u);
	KUNIT_EXPECT_EQ(test, super, n > 1);
	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->gso_segs, super ? n : 0);
	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->gso_type,
			super ? (unsigned int)SKB_GSO_UDP_L4 : 0);
	KUNIT_EXPECT_GE(test, skb_headroom(skb),
			(unsigned int)WG_SEAL_HEADROOM);
	KUNIT_ASSERT_EQ(test, skb_copy_bits(skb, 0, fix->sealed, skb->len), 0);
	for (off = 0; off < skb->len; off += slot)
		wg_seal_kunit_check_datagram(test, fix->sealed + off,
					     min(slot, skb->len - off),
					     wg_seal_cb(skb)->tos);
	KUNIT_ASSERT_LT(test, fix->bundles, (u32)WG_SEAL_KUNIT_BUNDLES);
	fix->datagrams[fix->bundles++] = n;
}

static void wg_seal_kunit_seal(struct kunit *test)
{
	struct wg_seal_kunit *fix = test->priv;

	local_bh_disable();
	wg_seal(&fix->job);
	local_bh_enable();
	KUNIT_EXPECT_PTR_EQ(test, fix->job.in, NULL);
}

static void wg_seal_kunit_check(struct kunit *test)
{
	struct wg_seal_kunit *fix = test->priv;
	struct sk_buff *skb;

	fix->counter = fix->job.counter;
	fix->bundles = 0;
	for (skb = fix->job.out; skb; skb = skb->next)
		wg_seal_kunit_check_bundle(test, skb);
	KUNIT_EXPECT_PTR_EQ(test, fix->expected, NULL);
	KUNIT_EXPECT_EQ(test, fix->counter,
			fix->job.counter + fix->job.datagrams);
	KUNIT_EXPECT_EQ(test, fix->job.lost, 0u);
}

static void wg_seal_kunit_seal_check(struct kunit *test)
{
	wg_seal_kunit_seal(test);
	wg_seal_kunit_check(test);
}

/* The bundles have so many datagrams; the list ends with 0. */
static void wg_seal_kunit_expect(struct kunit *test, const u32 *datagrams)
{
	struct wg_seal_kunit *fix = test->priv;
	u32 i;

	for (i = 0; datagrams[i]; i++)
		KUNIT_EXPECT_EQ_MSG(test, fix->datagrams[i], datagrams[i],
				    "bundle %u of %u", i, fix->bundles);
	KUNIT_EXPECT_EQ(test, fix->bundles, i);
}

static const struct wg_packet_kunit_shape wg_seal_kunit_shapes[] = {
	{},
	{ .linear = 700, .frag = 4096 },
	{ .linear = 0, .frag = 4096 },
	{ .linear = 33, .frag = 1001, .list = 1500 },
	{ .linear = 0, .list = 1449 },
};

/* Each kind of super-packet, in each shape and for each MTU. */
static void wg_seal_kunit_supers(struct kunit *test, struct wg_packet_kunit p)
{
	static const u32 mtus[] = { 1420, 1419, 1280, 100, 0 };
	int kind, shape, mtu;
	struct sk_buff *skb;

	p.partial = true;
	for (kind = 0; kind < 8; kind++) {
		p.v6 = kind & 1;
		p.udp = kind & 2;
		p.timestamps = kind & 4;
		if (p.udp && p.timestamps)
			continue;
		for (shape = 0; shape < ARRAY_SIZE(wg_seal_kunit_shapes);
		     shape++) {
			for (mtu = 0; mtu < ARRAY_SIZE(mtus); mtu++) {
				wg_seal_kunit_start(test, 7, true);
				skb = wg_packet_kunit_make(test, &p,
							   &wg_seal_kunit_shapes[shape]);
				KUNIT_EXPECT_TRUE(test,
						  wg_seal_kunit_add(test, skb,
								    mtus[mtu]));
				wg_seal_kunit_seal_check(test);
			}
		}
	}
}

static void super_of_some(struct kunit *test)
{
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .mss = 1368 };

	p.payload = 10 * 1368;
	wg_seal_kunit_supers(test, p);
	p.payload = 9 * 1368 + 1;
	p.flags |= WG_PACKET_KUNIT_PSH;
	wg_seal_kunit_supers(test, p);
	p.payload = 1368 + 1367;
	p.flags |= WG_PACKET_KUNIT_FIN;
	wg_seal_kunit_supers(test, p);
	/* Odd sizes; an ID and a sequence number that wrap. */
	p.mss = 771;
	p.payload = 5 * 771 + 13;
	p.flags |= WG_PACKET_KUNIT_ECE | WG_PACKET_KUNIT_CWR;
	p.gso_type = SKB_GSO_TCP_ECN;
	p.tos = INET_ECN_ECT_0;
	wg_seal_kunit_supers(test, p);
	/* One segment. */
	p.payload = 700;
	wg_seal_kunit_supers(test, p);
	p.payload = 771;
	wg_seal_kunit_supers(test, p);
}

static void super_split_evenly(struct kunit *test)
{
	static const struct {
		u32 mss, segments, bundles[8];
	} rows[] = {
		{ 1380, 1, { 1 } }, { 1380, 2, { 2 } }, { 1380, 45, { 45 } },
		{ 1380, 46, { 23, 23 } }, { 1380, 47, { 24, 23 } },
		{ 100, 64, { 64 } }, { 100, 65, { 33, 32 } },
		{ 100, 128, { 64, 64 } }, { 100, 129, { 43, 43, 43 } },
		{ 300, 200, { 50, 50, 50, 50 } },
		{ 5000, 5, { 1, 1, 1, 1, 1 } },
	};
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .partial = true };
	int i, last_short;

	for (i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		last_short = i & 1;
		p.mss = rows[i / 2].mss;
		p.payload = p.mss * rows[i / 2].segments - 50 * last_short;
		wg_seal_kunit_start(test, i, true);
		wg_seal_kunit_add(test, wg_packet_kunit_make(test, &p, NULL),
				  1420);
		wg_seal_kunit_seal_check(test);
		wg_seal_kunit_expect(test, rows[i / 2].bundles);
	}
}

static void wg_seal_kunit_add_tcp(struct kunit *test, u32 payload, u8 tos)
{
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .tos = tos,
				     .payload = payload };

	/* Half of them have their checksum already. */
	p.partial = payload & 1;
	wg_seal_kunit_add(test, wg_packet_kunit_make(test, &p, NULL), 1420);
}

static void singles_of_all_sizes(struct kunit *test)
{
	static const u32 sizes[] = { 100, 101, 104, 50, 50, 200, 200, 60, 1380,
				     1379, 1380, 0 };
	static const u32 gso[] = { 4, 1, 3, 4, 0 };
	static const u32 no_gso[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 };
	int i, on;

	for (on = 0; on < 2; on++) {
		wg_seal_kunit_start(test, 1, on);
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			wg_seal_kunit_add_tcp(test, sizes[i], 0);
		wg_seal_kunit_seal_check(test);
		wg_seal_kunit_expect(test, on ? gso : no_gso);
	}
}

static void singles_of_many(struct kunit *test)
{
	static const u32 small[] = { 64, 64, 2, 0 };
	/* 46 times 1452 are more than 65507. */
	static const u32 large[] = { 45, 45, 40, 0 };
	int i;

	wg_seal_kunit_start(test, (1ULL << 60) - 64, true);
	for (i = 0; i < 130; i++)
		wg_seal_kunit_add_tcp(test, 10, 0);
	wg_seal_kunit_seal_check(test);
	wg_seal_kunit_expect(test, small);
	wg_seal_kunit_start(test, 0, true);
	for (i = 0; i < 130; i++)
		wg_seal_kunit_add_tcp(test, 1380, 0);
	wg_seal_kunit_seal_check(test);
	wg_seal_kunit_expect(test, large);
}

/* Super-packets and single ones share bundles, where they fit. */
static void super_and_singles_mixed(struct kunit *test)
{
	struct wg_packet_kunit super = { WG_PACKET_KUNIT_TCP, .partial = true,
					 .mss = 1000, .payload = 3500 };
	/* The super-packet may make bundles of 4. */
	static const u32 gso[] = { 4, 2, 3, 0 };
	static const u32 no_gso[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 };
	int on;

	for (on = 0; on < 2; on++) {
		wg_seal_kunit_start(test, 9, on);
		wg_seal_kunit_add_tcp(test, 1000, 0);
		wg_seal_kunit_add_tcp(test, 1000, 0);
		wg_seal_kunit_add(test, wg_packet_kunit_make(test, &super,
							     NULL), 1420);
		wg_seal_kunit_add_tcp(test, 1000, 0);
		wg_seal_kunit_add_tcp(test, 1000, 0);
		wg_seal_kunit_add(test, alloc_skb(0, GFP_KERNEL), 0);
		wg_seal_kunit_seal_check(test);
		wg_seal_kunit_expect(test, on ? gso : no_gso);
	}
}

static void keepalive_alone(struct kunit *test)
{
	struct wg_seal_kunit *fix = test->priv;

	wg_seal_kunit_start(test, 3, true);
	wg_seal_kunit_add(test, alloc_skb(0, GFP_KERNEL), 1420);
	wg_seal_kunit_seal_check(test);
	KUNIT_ASSERT_EQ(test, fix->bundles, 1u);
	KUNIT_EXPECT_EQ(test, fix->job.out->len, 32u);
	KUNIT_EXPECT_EQ(test, wg_seal_cb(fix->job.out)->tos, 0);
}

/* What is not plain is cut by the kernel, and nothing is lost by that. */
static void not_plain(struct kunit *test)
{
	struct wg_packet_kunit plain = { WG_PACKET_KUNIT_TCP, .partial = true,
					 .mss = 500, .payload = 1777 };
	struct wg_packet_kunit rows[] = { plain, plain, plain, plain, plain };
	struct wg_seal_kunit *fix = test->priv;
	struct sk_buff *skb;
	int i;

	fix->dev = wg_packet_kunit_dev(test);

	rows[0].ip_options = 4;
	rows[1].tunnel = true;
	rows[1].gso_type = SKB_GSO_IPXIP4;
	rows[2].gso_type = SKB_GSO_DODGY;
	rows[3].gso_type = SKB_GSO_TCP_FIXEDID;
	rows[4].frag_off = IP_MF;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		skb = wg_packet_kunit_make(test, &rows[i], NULL);
		skb->dev = fix->dev;
		wg_seal_kunit_start(test, 7, true);
		KUNIT_EXPECT_FALSE_MSG(test, wg_seal_kunit_add(test, skb, 1420),
				       "row %d", i);
		wg_seal_kunit_seal_check(test);
	}
}

/* A super-packet of nothing is refused, as the kernel does. */
static void super_without_payload(struct kunit *test)
{
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .partial = true,
				     .mss = 500 };
	struct sk_buff *skb;
	int i;

	for (i = 0; i < 4; i++) {
		p.v6 = i & 1;
		p.udp = i & 2;
		skb = wg_packet_kunit_make(test, &p, NULL);
		local_bh_disable();
		KUNIT_EXPECT_TRUE(test, IS_ERR(wg_seal_prepare(skb, 1420)));
		local_bh_enable();
		kfree_skb(skb);
	}
}

/* No UDP datagram carries more than 65507 bytes: what would become longer is
 * refused, be it a packet or a segment, cut by us or by the kernel.
 */
static void datagrams_too_long(struct kunit *test)
{
	static const struct {
		u32 payload, mss;
		u8 ip_options;
		bool fits, tunnel;
	} rows[] = {
		{ 65432, 0, 0, true }, { 65433, 0, 0, false },
		{ 65432, 65432, 0, true }, { 65433, 65433, 0, false },
		{ 65490, 65432, 0, true }, { 65490, 65433, 0, false },
		{ 65440, 65428, 4, true }, { 65440, 65429, 4, false },
		{ 65440, 65412, 0, true, true },
		{ 65440, 65413, 0, false, true },
	};
	struct wg_seal_kunit *fix = test->priv;
	int i;

	fix->dev = wg_packet_kunit_dev(test);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP,
					     .partial = true };
		struct sk_buff *skb, *list;

		p.payload = rows[i].payload;
		p.mss = rows[i].mss;
		p.ip_options = rows[i].ip_options;
		p.tunnel = rows[i].tunnel;
		p.gso_type = p.tunnel ? SKB_GSO_IPXIP4 : 0;
		skb = wg_packet_kunit_make(test, &p, NULL);
		skb->dev = fix->dev;
		local_bh_disable();
		list = wg_seal_prepare(skb, 1420);
		local_bh_enable();
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(list),
				    rows[i].fits ? 0 : -EMSGSIZE, "row %d", i);
		/* ICMP is about what was refused. */
		if (IS_ERR(list)) {
			KUNIT_EXPECT_EQ_MSG(test, skb_network_offset(skb), 0,
					    "row %d", i);
			KUNIT_EXPECT_EQ_MSG(test, skb->protocol,
					    htons(ETH_P_IP), "row %d", i);
		}
		kfree_skb_list(IS_ERR(list) ? skb : list);
	}
}

static void padding_of_lengths(struct kunit *test)
{
	static const struct {
		u32 len, mtu, padded;
	} rows[] = {
		{ 1420, 1420, 1420 }, { 1419, 1420, 1420 },
		{ 1410, 1420, 1420 }, { 1408, 1420, 1408 },
		{ 1401, 1420, 1408 }, { 1410, 1419, 1419 },
		{ 1280, 1280, 1280 }, { 1275, 1280, 1280 },
		{ 97, 100, 100 }, { 100, 100, 100 }, { 81, 100, 96 },
		{ 200, 100, 200 }, { 201, 100, 216 }, { 299, 100, 300 },
		{ 1440, 1420, 1452 }, { 1421, 1420, 1436 },
		{ 45, 0, 48 }, { 48, 0, 48 }, { 1411, 0, 1424 },
		/* No datagram carries more. */
		{ 65472, 1421, 65475 },
	};
	struct wg_seal_kunit *fix = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP };

		p.payload = rows[i].len - 40;
		wg_seal_kunit_start(test, 7, true);
		wg_seal_kunit_add(test, wg_packet_kunit_make(test, &p, NULL),
				  rows[i].mtu);
		wg_seal_kunit_seal_check(test);
		KUNIT_ASSERT_NOT_NULL(test, fix->job.out);
		KUNIT_EXPECT_EQ_MSG(test, fix->job.out->len,
				    rows[i].padded + 32, "row %d", i);
	}
}

static void tos_and_hash(struct kunit *test)
{
	static const u8 outer[] = { 0, 1, 2, 2 };
	struct wg_seal_kunit *fix = test->priv;
	int i;

	for (i = 0; i < 256; i++) {
		struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .tos = i,
					     .partial = true, .payload = 200 };
		struct sk_buff *skb;
		u32 hash;

		p.v6 = i & 4;
		p.mss = i & 8 ? 100 : 0;
		p.source = i;
		skb = wg_packet_kunit_make(test, &p, NULL);
		hash = skb_get_hash(skb);
		wg_seal_kunit_start(test, 7, true);
		wg_seal_kunit_add(test, skb, 1420);
		wg_seal_kunit_seal_check(test);
		KUNIT_ASSERT_NOT_NULL(test, fix->job.out);
		KUNIT_EXPECT_EQ(test, wg_seal_cb(fix->job.out)->tos,
				outer[i & 3]);
		KUNIT_EXPECT_NE(test, hash, 0u);
		KUNIT_EXPECT_EQ(test, skb_get_hash(fix->job.out), hash);
		KUNIT_EXPECT_TRUE(test, fix->job.out->l4_hash);
	}
}

/* Datagrams of other ECN do not share a bundle. */
static void tos_changes(struct kunit *test)
{
	static const u32 bundles[] = { 2, 1, 3, 1, 0 };
	static const u8 tos[] = { 0, 0xb8, 1, 2, 3, 0xbb, 0 };
	int i;

	wg_seal_kunit_start(test, 7, true);
	for (i = 0; i < ARRAY_SIZE(tos); i++)
		wg_seal_kunit_add_tcp(test, 301, tos[i]);
	wg_seal_kunit_seal_check(test);
	wg_seal_kunit_expect(test, bundles);
}

/* A UDP checksum that comes out as zero must not be sent as "none". */
static void udp_checksum_of_zero(struct kunit *test)
{
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .udp = true,
				     .payload = 500 };
	u8 data[WG_PACKET_KUNIT_HEADER_MAX + 500];
	struct wg_seal_kunit *fix = test->priv;
	u32 header;
	int i;

	for (i = 0; i < 4; i++) {
		p.v6 = i & 1;
		p.payload = 500;
		p.partial = false;
		p.mss = 0;
		p.source = 0;
		header = wg_packet_kunit_header(&p);
		wg_packet_kunit_write(&p, data);
		/* This adds what is missing to a sum of zero. */
		p.source = get_unaligned_be16(data + header - 2);
		p.partial = true;
		if (i & 2) {
			p.mss = 500;
			p.payload = 600;
		}
		wg_seal_kunit_start(test, 7, true);
		wg_seal_kunit_add(test, wg_packet_kunit_make(test, &p, NULL),
				  1420);
		KUNIT_EXPECT_EQ(test, get_unaligned_be16(fix->expected->data +
							 header - 2), 0xffff);
		wg_seal_kunit_seal_check(test);
	}
}

static struct sk_buff *wg_seal_kunit_owned(struct kunit *test, u32 payload,
					   u32 mss, u8 ip_options)
{
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .udp = true,
				     .partial = true, .payload = payload,
				     .mss = mss, .ip_options = ip_options };
	struct wg_seal_kunit *fix = test->priv;
	struct sk_buff *skb = wg_packet_kunit_make(test, &p, NULL);

	skb_set_owner_w(skb, fix->socket->sk);
	return skb;
}

/* Seals what has been added: @bundles have been made, and only those of the
 * mask @owned are in the socket's accounts, in place of @truesize bytes. In
 * the end nothing is.
 */
static void wg_seal_kunit_check_socket(struct kunit *test, u32 bundles,
				       u32 owned, u32 truesize)
{
	struct wg_seal_kunit *fix = test->priv;
	struct sock *sk = fix->socket->sk;
	struct sk_buff *skb;
	u32 i = 0, sum = 0;

	wg_seal_kunit_seal_check(test);
	KUNIT_EXPECT_EQ(test, fix->bundles, bundles);
	for (skb = fix->job.out; skb; skb = skb->next, i++) {
		KUNIT_EXPECT_PTR_EQ(test, skb->sk, owned >> i & 1 ? sk : NULL);
		sum += skb->sk ? skb->truesize : 0;
	}
	KUNIT_EXPECT_EQ(test, sk_wmem_alloc_get(sk), (int)sum);
	KUNIT_EXPECT_EQ(test, sum, truesize);
	kfree_skb_list(fix->job.out);
	fix->job.out = NULL;
	KUNIT_EXPECT_EQ(test, sk_wmem_alloc_get(sk), 0);
}

static void socket_accounts(struct kunit *test)
{
	struct wg_seal_kunit *fix = test->priv;
	struct sk_buff *skb;
	u32 truesize = 0;
	int i;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, AF_INET, SOCK_DGRAM,
					       IPPROTO_UDP, &fix->socket), 0);
	KUNIT_ASSERT_EQ(test, sk_wmem_alloc_get(fix->socket->sk), 0);
	/* One, in one bundle and in two: the last one inherits. */
	for (i = 1; i < 3; i++) {
		wg_seal_kunit_start(test, 7, true);
		skb = wg_seal_kunit_owned(test, i * 30000, 1000, 0);
		truesize = skb->truesize;
		wg_seal_kunit_add(test, skb, 1420);
		wg_seal_kunit_check_socket(test, 1, 1, truesize);
		wg_seal_kunit_start(test, 7, true);
		skb = wg_seal_kunit_owned(test, i * 15000, 200, 0);
		truesize = skb->truesize;
		wg_seal_kunit_add(test, skb, 1420);
		wg_seal_kunit_check_socket(test, i + 1, 1 << i, truesize);
	}
	/* Three in a bundle, and one that has it for itself. */
	wg_seal_kunit_start(test, 7, true);
	for (i = 0, truesize = 0; i < 4; i++) {
		skb = wg_seal_kunit_owned(test, i < 3 ? 500 : 900, 0, 0);
		truesize += skb->truesize;
		wg_seal_kunit_add(test, skb, 1420);
	}
	wg_seal_kunit_check_socket(test, 2, 3, truesize);
	/* One datagram a bundle. */
	wg_seal_kunit_start(test, 7, false);
	skb = wg_seal_kunit_owned(test, 3000, 1000, 0);
	truesize = skb->truesize;
	wg_seal_kunit_add(test, skb, 1420);
	wg_seal_kunit_check_socket(test, 3, 4, truesize);
	/* Cut by the kernel: each segment has its part. */
	wg_seal_kunit_start(test, 7, true);
	skb = wg_seal_kunit_owned(test, 3000, 1000, 4);
	KUNIT_EXPECT_FALSE(test, wg_seal_kunit_add(test, skb, 1420));
	for (skb = fix->job.in, truesize = 0; skb; skb = skb->next)
		truesize += skb->truesize;
	wg_seal_kunit_check_socket(test, 1, 1, truesize);
}

/* A socket that packets were received for: each has a reference to give back. */
static void socket_references(struct kunit *test)
{
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP, .payload = 500 };
	struct wg_seal_kunit *fix = test->priv;
	struct sk_buff *skb;
	struct sock *sk;
	int before, i;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, AF_INET, SOCK_STREAM,
					       IPPROTO_TCP, &fix->socket), 0);
	sk = fix->socket->sk;
	before = refcount_read(&sk->sk_refcnt);
	wg_seal_kunit_start(test, 7, true);
	for (i = 0; i < 6; i++) {
		skb = wg_packet_kunit_make(test, &p, NULL);
		sock_hold(sk);
		skb->sk = sk;
		skb->destructor = i < 2 ? sock_edemux :
				  i < 4 ? sock_efree : sock_pfree;
		wg_seal_kunit_add(test, skb, 1420);
	}
	KUNIT_EXPECT_EQ(test, (int)refcount_read(&sk->sk_refcnt), before + 6);
	wg_seal_kunit_seal_check(test);
	KUNIT_EXPECT_EQ(test, fix->bundles, 1U);
	KUNIT_EXPECT_NULL(test, fix->job.out->sk);
	KUNIT_EXPECT_EQ(test, (int)refcount_read(&sk->sk_refcnt), before);
}

/* More than any allocation gives, but only a few pages. */
static struct sk_buff *wg_seal_kunit_huge(struct kunit *test)
{
	struct sk_buff *skb = alloc_skb(100, GFP_KERNEL), *part;
	struct sk_buff **end = &skb_shinfo(skb)->frag_list;
	struct page *page;
	int i, j;

	skb->dev = init_net.loopback_dev;
	page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO,
			   WG_SEAL_KUNIT_HUGE_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < WG_SEAL_KUNIT_HUGE_PARTS; i++) {
		part = alloc_skb(0, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, part);
		for (j = 0; j < MAX_SKB_FRAGS; j++) {
			get_page(page);
			skb_add_rx_frag(part, j, page, 0,
					WG_SEAL_KUNIT_HUGE_FRAG,
					WG_SEAL_KUNIT_HUGE_FRAG);
		}
		skb->len += part->len;
		skb->data_len += part->len;
		*end = part;
		end = &part->next;
	}
	put_page(page);
	KUNIT_ASSERT_GT(test, (u64)skb->len, (u64)KMALLOC_MAX_SIZE);
	return skb;
}

/* The nonce of what there was no memory for is left out. */
static void no_memory(struct kunit *test)
{
	struct wg_seal_kunit *fix = test->priv;
	struct sk_buff *skb;

	wg_seal_kunit_start(test, 7, true);
	wg_seal_kunit_add_tcp(test, 301, 0);
	skb = wg_seal_kunit_huge(test);
	wg_seal_note(skb, 0, 1);
	*fix->in_end = skb;
	fix->in_end = &skb->next;
	fix->job.datagrams++;
	wg_seal_kunit_add_tcp(test, 301, 0);
	wg_seal_kunit_add_tcp(test, 301, 0);
	wg_seal_kunit_seal(test);
	KUNIT_EXPECT_EQ(test, fix->job.lost, 1u);
	KUNIT_ASSERT_NOT_NULL(test, fix->job.out);
	fix->bundles = 0;
	fix->counter = 7;
	wg_seal_kunit_check_bundle(test, fix->job.out);
	fix->counter = 9;
	KUNIT_ASSERT_NOT_NULL(test, fix->job.out->next);
	wg_seal_kunit_check_bundle(test, fix->job.out->next);
	KUNIT_EXPECT_EQ(test, fix->counter, 11ULL);
	KUNIT_EXPECT_PTR_EQ(test, fix->expected, NULL);
}

static void wg_seal_kunit_random_packet(struct kunit *test,
					struct rnd_state *rnd)
{
	static const u32 mtus[] = { 0, 100, 576, 1280, 1419, 1420, 9000 };
	struct wg_packet_kunit p = { WG_PACKET_KUNIT_TCP };
	u32 r = prandom_u32_state(rnd), max;
	int shape = prandom_u32_state(rnd) %
		    ARRAY_SIZE(wg_seal_kunit_shapes);

	if (r % 16 == 0) {
		wg_seal_kunit_add(test, alloc_skb(0, GFP_KERNEL), 0);
		return;
	}
	p.v6 = r & BIT(8);
	p.udp = r & BIT(9);
	p.timestamps = r & BIT(10);
	p.partial = r & BIT(11);
	p.tos = r & BIT(12) ? 0 : r >> 24;
	p.seq = prandom_u32_state(rnd);
	p.id = p.seq >> 3;
	if (r & BIT(13)) {
		p.partial = true;
		p.mss = 1 + prandom_u32_state(rnd) % (r & BIT(14) ? 1400 : 90);
		max = min(p.mss * 100, 65000u);
		p.payload = 1 + prandom_u32_state(rnd) % max;
		p.flags |= r >> 16;
		p.flags &= ~(WG_PACKET_KUNIT_SYN | WG_PACKET_KUNIT_RST);
	} else {
		p.payload = prandom_u32_state(rnd) %
			    (r & BIT(14) ? 200 : 5000);
	}
	wg_seal_kunit_add(test,
			  wg_packet_kunit_make(test, &p,
					       &wg_seal_kunit_shapes[shape]),
			  mtus[prandom_u32_state(rnd) % ARRAY_SIZE(mtus)]);
}

static void random_against_kernel(struct kunit *test)
{
	u32 seed = get_random_u32(), round, i;
	struct rnd_state rnd;

	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&rnd, seed);
	for (round = 0; round < WG_SEAL_KUNIT_ROUNDS; round++) {
		wg_seal_kunit_start(test, prandom_u32_state(&rnd), round % 8);
		for (i = prandom_u32_state(&rnd) % 4; i < 4; i++)
			wg_seal_kunit_random_packet(test, &rnd);
		wg_seal_kunit_seal_check(test);
	}
}

static struct kunit_case wg_seal_kunit_cases[] = {
	KUNIT_CASE(super_of_some),
	KUNIT_CASE(super_split_evenly),
	KUNIT_CASE(singles_of_all_sizes),
	KUNIT_CASE(singles_of_many),
	KUNIT_CASE(super_and_singles_mixed),
	KUNIT_CASE(keepalive_alone),
	KUNIT_CASE(not_plain),
	KUNIT_CASE(super_without_payload),
	KUNIT_CASE(datagrams_too_long),
	KUNIT_CASE(padding_of_lengths),
	KUNIT_CASE(tos_and_hash),
	KUNIT_CASE(tos_changes),
	KUNIT_CASE(udp_checksum_of_zero),
	KUNIT_CASE(socket_accounts),
	KUNIT_CASE(socket_references),
	KUNIT_CASE(no_memory),
	KUNIT_CASE(random_against_kernel),
	{}
};

static struct kunit_suite wg_seal_kunit_suite = {
	.name = "wireguard_seal",
	.init = wg_seal_kunit_init,
	.exit = wg_seal_kunit_exit,
	.test_cases = wg_seal_kunit_cases,
};

kunit_test_suite(wg_seal_kunit_suite);
