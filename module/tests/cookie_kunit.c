// SPDX-License-Identifier: GPL-2.0
/*
 * Macs and cookies between a maker and a checker, and the rate limiter.
 *
 * The vectors of macs and cookies were computed with another implementation of
 * BLAKE2s from the formulas of spec 1.6.
 */
#include "../cookie.h"

#include <linux/hex.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/socket.h>
#include <linux/string.h>

#include <crypto/chacha20poly1305.h>

#include <kunit/test.h>

static const char wg_cookie_kunit_public[] =
	"79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a";
static const char wg_cookie_kunit_mac1_key[] =
	"800501dc9ca555ecfb8225337aa9eec589101c941a9ffa28e85e2bbb586eacbe";
static const char wg_cookie_kunit_cookie_key[] =
	"ee8d30ab43585e5d27713eb4488a5f275a6a7e26d5ccf3bbbd6f4b8b53a21975";
/* Of the message that wg_cookie_kunit_init() makes. */
static const char wg_cookie_kunit_mac1[] = "d6a0ee7104f274dfd35c7a41068cfd16";
/* Under the cookie that 192.0.2.1 port 0x1234 has with secret 20 21 .. 3f. */
static const char wg_cookie_kunit_mac2[] = "33e1c9db87600bcd90fa9703e78dd952";
static const char wg_cookie_kunit_cookie_v4[] =
	"eba7af688ba6f33f4669a36211b5888c";
static const char wg_cookie_kunit_cookie_v6[] =
	"dd45d52b5570b344d3cb5ddeadb0c02f";

/* A peer that sends, and a device that it sends to from @src. */
struct wg_cookie_kunit {
	struct wg_cookie_maker maker;
	struct wg_cookie_checker checker;
	struct wg_cookie_source src;
	struct wg_msg_initiation msg;
	struct wg_msg_cookie reply;
	u8 none[WG_KEY_LEN];
};

/* Long vectors are arrays of lines; the last one is NULL. */
static const char *wg_cookie_kunit_join(struct kunit *test,
					const char *const *line)
{
	const size_t size = 1024;
	char *joined = kunit_kzalloc(test, size, GFP_KERNEL);
	size_t len = 0;

	KUNIT_ASSERT_NOT_NULL(test, joined);
	for (; *line; line++)
		len += scnprintf(joined + len, size - len, "%s", *line);
	return joined;
}

static void wg_cookie_kunit_hex(struct kunit *test, void *out, const char *hex,
				size_t len)
{
	KUNIT_ASSERT_EQ(test, strlen(hex), 2 * len);
	KUNIT_ASSERT_EQ(test, hex2bin(out, hex, len), 0);
}

static void wg_cookie_kunit_expect(struct kunit *test, const u8 *got,
				   const char *hex, size_t len)
{
	u8 want[WG_KEY_LEN];

	KUNIT_ASSERT_LE(test, len, sizeof(want));
	wg_cookie_kunit_hex(test, want, hex, len);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(got, want, len), 0, "want %s", hex);
}

static void wg_cookie_kunit_source_v4(struct wg_cookie_source *src, u32 addr)
{
	memset(src, 0, sizeof(*src));
	src->family = AF_INET;
	src->port = cpu_to_be16(0x1234);
	src->v4 = cpu_to_be32(addr);
}

static void wg_cookie_kunit_source_v6(struct wg_cookie_source *src, u64 prefix,
				      u64 host)
{
	__be64 half[2] = { cpu_to_be64(prefix), cpu_to_be64(host) };

	memset(src, 0, sizeof(*src));
	src->family = AF_INET6;
	src->port = cpu_to_be16(0x1234);
	memcpy(&src->v6, half, sizeof(half));
}

static int wg_cookie_kunit_init(struct kunit *test)
{
	struct wg_cookie_kunit *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);
	u8 public_key[WG_KEY_LEN];
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, k);
	wg_cookie_kunit_hex(test, public_key, wg_cookie_kunit_public,
			    sizeof(public_key));
	wg_cookie_maker_init(&k->maker, public_key);
	wg_cookie_checker_init(&k->checker);
	wg_cookie_checker_set_key(&k->checker, public_key);
	wg_cookie_kunit_source_v4(&k->src, 0xc0000201);
	for (i = 0; i < offsetof(struct wg_msg_initiation, macs); i++)
		((u8 *)&k->msg)[i] = i;
	k->msg.header.type = cpu_to_le32(WG_MSG_INITIATION);
	k->msg.sender = cpu_to_le32(0x11223344);
	wg_cookie_kunit_hex(test, k->msg.macs.mac1, wg_cookie_kunit_mac1,
			    WG_MAC_LEN);
	test->priv = k;
	wg_cookie_ratelimit_get();
	return 0;
}

static void wg_cookie_kunit_exit(struct kunit *test)
{
	wg_cookie_ratelimit_put();
}

static void wg_cookie_kunit_send(struct wg_cookie_kunit *k)
{
	wg_cookie_add_macs(&k->maker, &k->msg, sizeof(k->msg));
}

enum wg_cookie_verdict {
	WG_COOKIE_BAD_MAC1,
	WG_COOKIE_VALID_MAC1,
	WG_COOKIE_VALID_MAC2,
};

/* What the receive path does: mac1 first, and mac2 only under load. */
static enum wg_cookie_verdict
wg_cookie_kunit_judge(struct wg_cookie_kunit *k, const void *msg, size_t len,
		      bool under_load)
{
	if (!wg_cookie_mac1_ok(&k->checker, msg, len))
		return WG_COOKIE_BAD_MAC1;
	if (under_load && wg_cookie_mac2_ok(&k->checker, msg, len, &k->src))
		return WG_COOKIE_VALID_MAC2;
	return WG_COOKIE_VALID_MAC1;
}

static enum wg_cookie_verdict wg_cookie_kunit_check(struct wg_cookie_kunit *k,
						    bool under_load)
{
	return wg_cookie_kunit_judge(k, &k->msg, sizeof(k->msg), under_load);
}

static void wg_cookie_kunit_reply(struct wg_cookie_kunit *k)
{
	wg_cookie_make_reply(&k->checker, &k->reply, &k->msg, sizeof(k->msg),
			     &k->src);
}

static int wg_cookie_kunit_accept(struct wg_cookie_kunit *k)
{
	return wg_cookie_accept_reply(&k->maker, &k->reply);
}

/* Up to where the maker has a cookie and has used it for @k->msg. */
static void wg_cookie_kunit_exchange(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	wg_cookie_kunit_send(k);
	wg_cookie_kunit_reply(k);
	KUNIT_ASSERT_EQ(test, wg_cookie_kunit_accept(k), 0);
	wg_cookie_kunit_send(k);
}

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
static void wg_cookie_kunit_xchacha_draft(struct kunit *test)
{
	static const char *const plain_lines[] = {
		"Ladies and Gentlemen of the class of '99: If I could offer ",
		"you only one tip for the future, sunscreen would be it.",
		NULL
	};
	static const char *const sealed[] = {
		"bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb",
		"731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452",
		"2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9",
		"21f9664c97637da9768812f615c68b13b52e",
		"c0875924c1c7987947deafd8780acf49",
		NULL
	};
	const char *plain = wg_cookie_kunit_join(test, plain_lines);
	const size_t len = strlen(plain);
	u8 key[32], nonce[24], ad[12];
	u8 *want, *out;

	want = kunit_kzalloc(test, len + WG_TAG_LEN, GFP_KERNEL);
	out = kunit_kzalloc(test, len + WG_TAG_LEN, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, want);
	KUNIT_ASSERT_NOT_NULL(test, out);
	wg_cookie_kunit_hex(test, want, wg_cookie_kunit_join(test, sealed),
			    len + WG_TAG_LEN);
	wg_cookie_kunit_hex(test, key,
			    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
			    sizeof(key));
	wg_cookie_kunit_hex(test, nonce,
			    "404142434445464748494a4b4c4d4e4f5051525354555657",
			    sizeof(nonce));
	wg_cookie_kunit_hex(test, ad, "50515253c0c1c2c3c4c5c6c7", sizeof(ad));

	xchacha20poly1305_encrypt(out, (const u8 *)plain, len, ad, sizeof(ad),
				  nonce, key);
	KUNIT_EXPECT_EQ(test, memcmp(out, want, len + WG_TAG_LEN), 0);
	KUNIT_EXPECT_TRUE(test, xchacha20poly1305_decrypt(out, want,
							  len + WG_TAG_LEN, ad,
							  sizeof(ad), nonce,
							  key));
	KUNIT_EXPECT_EQ(test, memcmp(out, plain, len), 0);
}

static void wg_cookie_kunit_key_vectors(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	wg_cookie_kunit_expect(test, k->maker.mac1_key,
			       wg_cookie_kunit_mac1_key, WG_KEY_LEN);
	wg_cookie_kunit_expect(test, k->maker.cookie_key,
			       wg_cookie_kunit_cookie_key, WG_KEY_LEN);
	wg_cookie_kunit_expect(test, k->checker.mac1_key,
			       wg_cookie_kunit_mac1_key, WG_KEY_LEN);
	wg_cookie_kunit_expect(test, k->checker.cookie_key,
			       wg_cookie_kunit_cookie_key, WG_KEY_LEN);
}

static void wg_cookie_kunit_add_macs_vector(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;
	u8 want[sizeof(k->msg)];

	memcpy(want, &k->msg, sizeof(want));
	memset(&k->msg.macs, 0xff, sizeof(k->msg.macs));
	wg_cookie_kunit_send(k);
	KUNIT_EXPECT_EQ(test, memcmp(&k->msg, want, sizeof(want)), 0);

	wg_cookie_kunit_hex(test, k->maker.cookie, wg_cookie_kunit_cookie_v4,
			    WG_COOKIE_LEN);
	k->maker.cookie_birth_ns = ktime_get_coarse_boottime_ns();
	wg_cookie_kunit_send(k);
	wg_cookie_kunit_expect(test, k->msg.macs.mac2, wg_cookie_kunit_mac2,
			       WG_MAC_LEN);
	KUNIT_EXPECT_EQ(test, memcmp(&k->msg, want,
				     sizeof(want) - WG_MAC_LEN), 0);
}

static void wg_cookie_kunit_set_secret(struct wg_cookie_checker *checker)
{
	int i;

	for (i = 0; i < WG_HASH_LEN; i++)
		checker->secret[i] = 0x20 + i;
	checker->secret_birth_ns = ktime_get_coarse_boottime_ns();
}

static void wg_cookie_kunit_check_vector(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	wg_cookie_kunit_set_secret(&k->checker);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC1);
	wg_cookie_kunit_hex(test, k->msg.macs.mac2, wg_cookie_kunit_mac2,
			    WG_MAC_LEN);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC2);
	/* Nobody looks at mac2 without load. */
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, false),
			WG_COOKIE_VALID_MAC1);
}

static void wg_cookie_kunit_make_reply_vector(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	wg_cookie_kunit_set_secret(&k->checker);
	wg_cookie_kunit_exchange(test);
	wg_cookie_kunit_expect(test, k->maker.cookie,
			       wg_cookie_kunit_cookie_v4, WG_COOKIE_LEN);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->reply.header.type), WG_MSG_COOKIE);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->reply.receiver), 0x11223344);

	wg_cookie_kunit_source_v6(&k->src, 0x20010db800000000ULL, 1);
	wg_cookie_kunit_exchange(test);
	wg_cookie_kunit_expect(test, k->maker.cookie,
			       wg_cookie_kunit_cookie_v6, WG_COOKIE_LEN);
}

static void wg_cookie_kunit_check_flipped(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;
	size_t i;

	wg_cookie_kunit_exchange(test);
	for (i = 0; i < sizeof(k->msg); i++) {
		bool mac2 = i >= sizeof(k->msg) - WG_MAC_LEN;

		((u8 *)&k->msg)[i] ^= 1 << i % 8;
		KUNIT_EXPECT_EQ_MSG(test, wg_cookie_kunit_check(k, true),
				    mac2 ? WG_COOKIE_VALID_MAC1 :
					   WG_COOKIE_BAD_MAC1, "byte %zu", i);
		((u8 *)&k->msg)[i] ^= 1 << i % 8;
	}
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC2);
}

/* A response is shorter: the macs are where its length says. */
static void wg_cookie_kunit_check_response(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;
	struct wg_msg_response msg = {
		.header.type = cpu_to_le32(WG_MSG_RESPONSE),
		.sender = cpu_to_le32(7),
	};

	wg_cookie_add_macs(&k->maker, &msg, sizeof(msg));
	wg_cookie_make_reply(&k->checker, &k->reply, &msg, sizeof(msg),
			     &k->src);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->reply.receiver), 7);
	KUNIT_ASSERT_EQ(test, wg_cookie_kunit_accept(k), 0);
	wg_cookie_add_macs(&k->maker, &msg, sizeof(msg));
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_judge(k, &msg, sizeof(msg), true),
			WG_COOKIE_VALID_MAC2);
}

static void wg_cookie_kunit_check_other_source(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	wg_cookie_kunit_exchange(test);
	k->src.port ^= cpu_to_be16(1);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC1);
	k->src.port ^= cpu_to_be16(1);
	k->src.v4 ^= cpu_to_be32(1);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC1);

	wg_cookie_kunit_source_v6(&k->src, 0x20010db800000000ULL, 1);
	wg_cookie_kunit_exchange(test);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC2);
	wg_cookie_kunit_source_v6(&k->src, 0x20010db800000000ULL, 2);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC1);
}

static void wg_cookie_kunit_check_no_identity(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	wg_cookie_checker_set_key(&k->checker, k->none);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, false),
			WG_COOKIE_BAD_MAC1);
	/* A mac1 under the key that is there when there is none. */
	memset(k->maker.mac1_key, 0, WG_KEY_LEN);
	wg_cookie_kunit_send(k);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, false),
			WG_COOKIE_BAD_MAC1);
}

/*
 * How long ago something was born is set here, with a minute for the test to
 * run in. Early after boot the time of birth wraps below zero, and so does the
 * sum that it is compared by.
 */
static u64 wg_cookie_kunit_ago(u64 seconds)
{
	return ktime_get_coarse_boottime_ns() - seconds * NSEC_PER_SEC;
}

static void wg_cookie_kunit_make_reply_secret_expired(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;
	struct wg_cookie_checker *checker = &k->checker;
	u8 secret[WG_HASH_LEN];

	wg_cookie_kunit_exchange(test);
	memcpy(secret, checker->secret, sizeof(secret));
	KUNIT_EXPECT_NOT_NULL(test, memchr_inv(secret, 0, sizeof(secret)));

	checker->secret_birth_ns = wg_cookie_kunit_ago(120 - 60);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC2);
	wg_cookie_kunit_reply(k);
	KUNIT_EXPECT_EQ(test, memcmp(secret, checker->secret, sizeof(secret)),
			0);

	checker->secret_birth_ns = wg_cookie_kunit_ago(120);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC1);
	wg_cookie_kunit_reply(k);
	KUNIT_EXPECT_NE(test, memcmp(secret, checker->secret, sizeof(secret)),
			0);
	/* The new secret is young, and the old cookie is worth nothing. */
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC1);
	KUNIT_ASSERT_EQ(test, wg_cookie_kunit_accept(k), 0);
	wg_cookie_kunit_send(k);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC2);
}

static void wg_cookie_kunit_add_macs_cookie_expired(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	wg_cookie_kunit_exchange(test);
	k->maker.cookie_birth_ns = wg_cookie_kunit_ago(115 - 60);
	wg_cookie_kunit_send(k);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC2);

	k->maker.cookie_birth_ns = wg_cookie_kunit_ago(115);
	wg_cookie_kunit_send(k);
	KUNIT_EXPECT_NULL(test, memchr_inv(k->msg.macs.mac2, 0, WG_MAC_LEN));
	KUNIT_EXPECT_NULL(test, memchr_inv(k->maker.cookie, 0, WG_COOKIE_LEN));
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_check(k, true),
			WG_COOKIE_VALID_MAC1);
}

static void wg_cookie_kunit_accept_reply_once(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	/* Made for the vector's message, which this maker did not send. */
	wg_cookie_kunit_reply(k);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_accept(k), -EAGAIN);

	wg_cookie_kunit_send(k);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_accept(k), 0);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_accept(k), -EAGAIN);
}

/* Only the mac1 sent last is answered by a cookie. */
static void wg_cookie_kunit_accept_reply_late(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;

	wg_cookie_kunit_send(k);
	wg_cookie_kunit_reply(k);
	k->msg.sender ^= cpu_to_le32(1);
	wg_cookie_kunit_send(k);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_accept(k), -EBADMSG);
	KUNIT_EXPECT_EQ(test, k->maker.cookie_birth_ns, 0);
	wg_cookie_kunit_reply(k);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_accept(k), 0);
}

static void wg_cookie_kunit_accept_reply_flipped(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;
	size_t i;

	wg_cookie_kunit_send(k);
	wg_cookie_kunit_reply(k);
	for (i = offsetof(struct wg_msg_cookie, nonce); i < sizeof(k->reply);
	     i++) {
		((u8 *)&k->reply)[i] ^= 1 << i % 8;
		KUNIT_EXPECT_EQ_MSG(test, wg_cookie_kunit_accept(k), -EBADMSG,
				    "byte %zu", i);
		((u8 *)&k->reply)[i] ^= 1 << i % 8;
	}
	KUNIT_EXPECT_NULL(test, memchr_inv(k->maker.cookie, 0, WG_COOKIE_LEN));
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_accept(k), 0);
}

/* How many of @n messages from @src at @now_ns are allowed? */
static unsigned int wg_cookie_kunit_burst(const struct wg_cookie_source *src,
					  unsigned int n, u64 now_ns)
{
	unsigned int allowed = 0;

	while (n--)
		allowed += wg_cookie_ratelimit_allow_at(src, now_ns);
	return allowed;
}

static void wg_cookie_kunit_ratelimit_burst(struct kunit *test)
{
	const u64 now = ktime_get_coarse_boottime_ns();
	struct wg_cookie_kunit *k = test->priv;

	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(&k->src, 5, now), 5);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(&k->src, 9, now), 0);
}

static void wg_cookie_kunit_ratelimit_refill(struct kunit *test)
{
	const u64 ms = NSEC_PER_MSEC, now = ktime_get_coarse_boottime_ns();
	struct wg_cookie_kunit *k = test->priv;
	struct wg_cookie_source *src = &k->src;

	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 5);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now + 50 * ms - 1),
			0);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now + 50 * ms), 1);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now + 150 * ms), 2);
	/* Full after 250 ms without a message, and never more than that. */
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now + 399 * ms), 4);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now + 700 * ms), 5);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now + 3600000 * ms),
			5);
}

/* In the long run 20 a second, however they are spread. */
static void wg_cookie_kunit_ratelimit_rate(struct kunit *test)
{
	const u64 now = ktime_get_coarse_boottime_ns();
	struct wg_cookie_kunit *k = test->priv;
	unsigned int allowed = 0;
	u64 ms;

	for (ms = 0; ms < 60000; ms += 7)
		allowed += wg_cookie_ratelimit_allow_at(&k->src, now +
							ms * NSEC_PER_MSEC);
	KUNIT_EXPECT_EQ(test, allowed, 5 + 60 * 20 - 1);
}

static void wg_cookie_kunit_ratelimit_sources(struct kunit *test)
{
	const u64 now = ktime_get_coarse_boottime_ns();
	struct wg_cookie_kunit *k = test->priv;
	struct wg_cookie_source *src = &k->src;

	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 5);
	/* The port is easy to change, so it makes no difference. */
	src->port = 0;
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 0);
	src->v4 ^= cpu_to_be32(1);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 5);
	src->netns++;
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 5);

	/* All hosts of a /64 share what there is. */
	wg_cookie_kunit_source_v6(src, 0x20010db800000000ULL, 1);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 3, now), 3);
	wg_cookie_kunit_source_v6(src, 0x20010db800000000ULL, 1ULL << 63);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 2);
	wg_cookie_kunit_source_v6(src, 0x20010db800000001ULL, 1);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 5);
	src->netns++;
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 5);

	/* The same bits as an IPv4 and as an IPv6 address. */
	wg_cookie_kunit_source_v4(src, 0x20010db8);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(src, 9, now), 5);
}

/* Four times as many sources as the largest table has places. */
static void wg_cookie_kunit_ratelimit_full(struct kunit *test)
{
	const u64 now = ktime_get_coarse_boottime_ns();
	const unsigned int places = 8 * 8192, sources = 4 * places;
	struct wg_cookie_source src, refused = {};
	unsigned int i, allowed = 0;

	for (i = 0; i < sources; i++) {
		wg_cookie_kunit_source_v4(&src, i);
		if (wg_cookie_ratelimit_allow_at(&src, now))
			allowed++;
		else
			refused = src;
		if (!(i % 1024))
			cond_resched();
	}
	KUNIT_EXPECT_LE(test, allowed, places);
	KUNIT_EXPECT_GE(test, allowed, 8 * 16);
	KUNIT_ASSERT_EQ(test, refused.family, AF_INET);

	/* Who is in keeps what it has; who is not comes in with the next turn. */
	wg_cookie_kunit_source_v4(&src, 0);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(&src, 9, now), 4);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(&refused, 9, now), 0);
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(&refused, 9,
						    now + 50 * NSEC_PER_MSEC),
			5);
}

/* The table lives as long as anybody uses it, and not longer. */
static void wg_cookie_kunit_ratelimit_put(struct kunit *test)
{
	const u64 now = ktime_get_coarse_boottime_ns();
	struct wg_cookie_kunit *k = test->priv;

	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(&k->src, 9, now), 5);
	wg_cookie_ratelimit_get();
	wg_cookie_ratelimit_put();
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(&k->src, 9, now), 0);
	wg_cookie_ratelimit_put();
	wg_cookie_ratelimit_get();
	KUNIT_EXPECT_EQ(test, wg_cookie_kunit_burst(&k->src, 9, now), 5);
}

static void wg_cookie_kunit_ratelimit_allow_by_clock(struct kunit *test)
{
	struct wg_cookie_kunit *k = test->priv;
	u64 from = ktime_get_coarse_boottime_ns(), elapsed;
	unsigned int i, allowed = 0;

	for (i = 0; i < 1000; i++)
		allowed += wg_cookie_ratelimit_allow(&k->src);
	elapsed = ktime_get_coarse_boottime_ns() - from;
	KUNIT_EXPECT_GE(test, allowed, 5);
	KUNIT_EXPECT_LE(test, allowed,
			5 + div_u64(elapsed, 50 * NSEC_PER_MSEC));
}

static struct kunit_case wg_cookie_kunit_cases[] = {
	KUNIT_CASE(wg_cookie_kunit_xchacha_draft),
	KUNIT_CASE(wg_cookie_kunit_key_vectors),
	KUNIT_CASE(wg_cookie_kunit_add_macs_vector),
	KUNIT_CASE(wg_cookie_kunit_check_vector),
	KUNIT_CASE(wg_cookie_kunit_make_reply_vector),
	KUNIT_CASE(wg_cookie_kunit_check_flipped),
	KUNIT_CASE(wg_cookie_kunit_check_response),
	KUNIT_CASE(wg_cookie_kunit_check_other_source),
	KUNIT_CASE(wg_cookie_kunit_check_no_identity),
	KUNIT_CASE(wg_cookie_kunit_make_reply_secret_expired),
	KUNIT_CASE(wg_cookie_kunit_add_macs_cookie_expired),
	KUNIT_CASE(wg_cookie_kunit_accept_reply_once),
	KUNIT_CASE(wg_cookie_kunit_accept_reply_late),
	KUNIT_CASE(wg_cookie_kunit_accept_reply_flipped),
	KUNIT_CASE(wg_cookie_kunit_ratelimit_burst),
	KUNIT_CASE(wg_cookie_kunit_ratelimit_refill),
	KUNIT_CASE(wg_cookie_kunit_ratelimit_rate),
	KUNIT_CASE(wg_cookie_kunit_ratelimit_sources),
	KUNIT_CASE(wg_cookie_kunit_ratelimit_full),
	KUNIT_CASE(wg_cookie_kunit_ratelimit_put),
	KUNIT_CASE(wg_cookie_kunit_ratelimit_allow_by_clock),
	{}
};

static struct kunit_suite wg_cookie_kunit_suite = {
	.name = "wireguard_cookie",
	.init = wg_cookie_kunit_init,
	.exit = wg_cookie_kunit_exit,
	.test_cases = wg_cookie_kunit_cases,
};

kunit_test_suite(wg_cookie_kunit_suite);
