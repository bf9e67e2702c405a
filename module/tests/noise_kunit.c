// SPDX-License-Identifier: GPL-2.0
/*
 * Both roles against each other, against vectors, and against a hostile peer.
 *
 * The handshake vectors were made by a separate implementation of spec 1.5 in
 * another language; the others are from the RFCs named beside them.
 */
#include "../noise.h"

#include <linux/hex.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/curve25519.h>

#include <kunit/test.h>

enum wg_noise_kunit_index {
	WG_NOISE_KUNIT_INDEX_I = 0x11223344,
	WG_NOISE_KUNIT_INDEX_R = 0x55667788,
};

static const char wg_noise_kunit_si[] =
	"101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e6f";
static const char wg_noise_kunit_sr[] =
	"404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f";
static const char wg_noise_kunit_ei[] =
	"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e5f";
static const char wg_noise_kunit_psk[] =
	"a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf";
static const char wg_noise_kunit_public_i[] =
	"d89e3bad79437dbed9f843418304f460ff05c7fe81fe4a9577a804cb9367ff66";
static const char wg_noise_kunit_public_r[] =
	"79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a";
static const char wg_noise_kunit_timestamp[] = "400000006553f10a07000000";
static const char *const wg_noise_kunit_m1[] = {
	"0100000044332211493e82fc74464a59268817623d2053c5eb8e2cc4a988b4fe",
	"e179ec6b010d531d0f6c31ac7ed4d1199ab6860e4160ff7b484b83363d1c8948",
	"829abc96e59b0cae5217b4555f7e9c6ea9b33ed771be4142215113a5a1978bf7",
	"601ab7c917439e59a6e1d4241bc1d142f78cfdeb1a5943aa621997409d3dd799",
	"5eb8153200000000000000000000000000000000",
	NULL
};

static const char *const wg_noise_kunit_m2[] = {
	"020000008877665544332211dc2cca31e8e43bbd91dff7e475cca3347eb47810",
	"7d5bd765aba4ae4a30c35d4413f5ec41d3c61e2e4cfa238e7e9d77dd016d3955",
	"dfc31a11fbad0d3bfe992bbc00000000000000000000000000000000",
	NULL
};

static const char wg_noise_kunit_send_i[] =
	"7a9ce739fa7f870eda50747609263a4d5bded53408e378566e6740ab4f95b5ec";
static const char wg_noise_kunit_receive_i[] =
	"f15ecf6737fa41040b96d0b60a485e1d90248faa889ef092c8427cf632df668c";

/* Points whose product with any clamped scalar is zero. */
static const char *const wg_noise_kunit_low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

/* An initiator and a responder who know each other. */
struct wg_noise_kunit {
	struct wg_identity id_i;
	struct wg_identity id_r;
	struct wg_identity id_copy;
	struct wg_noise_handshake hs_i;
	struct wg_noise_handshake hs_r;
	struct wg_noise_handshake before;
	struct wg_noise_opened opened;
	struct wg_noise_keys keys_i;
	struct wg_noise_keys keys_r;
	struct wg_msg_initiation m1;
	struct wg_msg_response m2;
	u8 none[WG_KEY_LEN];
};

/* Long vectors are arrays of lines; the last one is NULL. */
static const char *wg_noise_kunit_join(struct kunit *test,
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

static void wg_noise_kunit_hex(struct kunit *test, void *out, const char *hex,
			       size_t len)
{
	KUNIT_ASSERT_EQ(test, strlen(hex), 2 * len);
	KUNIT_ASSERT_EQ(test, hex2bin(out, hex, len), 0);
}

static void wg_noise_kunit_expect(struct kunit *test, const u8 *got,
				  const char *hex, size_t len)
{
	u8 *want = kunit_kzalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, want);
	wg_noise_kunit_hex(test, want, hex, len);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(got, want, len), 0, "want %s", hex);
}

static void wg_noise_kunit_set(struct wg_identity *id, const u8 *key)
{
	down_write(&id->lock);
	wg_identity_set(id, key);
	up_write(&id->lock);
}

static void wg_noise_kunit_load(struct kunit *test,
				struct wg_identity *id, const char *hex)
{
	u8 key[WG_KEY_LEN];

	wg_noise_kunit_hex(test, key, hex, sizeof(key));
	wg_identity_init(id);
	wg_noise_kunit_set(id, key);
	KUNIT_ASSERT_TRUE(test, id->present);
}

static int wg_noise_kunit_init(struct kunit *test)
{
	struct wg_noise_kunit *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);
	u8 psk[WG_KEY_LEN];

	KUNIT_ASSERT_NOT_NULL(test, k);
	wg_noise_kunit_load(test, &k->id_i, wg_noise_kunit_si);
	wg_noise_kunit_load(test, &k->id_r, wg_noise_kunit_sr);
	wg_noise_kunit_hex(test, psk, wg_noise_kunit_psk, sizeof(psk));
	wg_noise_handshake_init(&k->hs_i, k->id_r.public_key, psk);
	wg_noise_handshake_init(&k->hs_r, k->id_i.public_key, psk);
	test->priv = k;
	return 0;
}

static int wg_noise_kunit_initiate(struct wg_noise_kunit *k)
{
	return wg_noise_make_initiation(&k->hs_i, &k->id_i,
					cpu_to_le32(WG_NOISE_KUNIT_INDEX_I),
					&k->m1);
}

static int wg_noise_kunit_receive(struct wg_noise_kunit *k)
{
	int err = wg_noise_open_initiation(&k->opened, &k->id_r, &k->m1);

	if (err)
		return err;
	return wg_noise_accept_initiation(&k->hs_r, &k->id_r, &k->opened);
}

static int wg_noise_kunit_respond(struct wg_noise_kunit *k)
{
	return wg_noise_make_response(&k->hs_r,
				      cpu_to_le32(WG_NOISE_KUNIT_INDEX_R),
				      &k->m2);
}

static int wg_noise_kunit_finish(struct wg_noise_kunit *k)
{
	return wg_noise_accept_response(&k->hs_i, &k->id_i, &k->m2);
}

/* Up to where message 2 is on its way. */
static void wg_noise_kunit_half(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_receive(k), 0);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_respond(k), 0);
}

/* What may not change if a message is refused: everything but the lock. */
static void wg_noise_kunit_remember(struct wg_noise_kunit *k,
				    const struct wg_noise_handshake *hs)
{
	memcpy(&k->before, hs, sizeof(*hs));
}

static void wg_noise_kunit_same(struct kunit *test,
				const struct wg_noise_handshake *hs)
{
	const size_t from = offsetof(struct wg_noise_handshake, state);
	struct wg_noise_kunit *k = test->priv;

	KUNIT_EXPECT_EQ(test, memcmp((u8 *)&k->before + from, (u8 *)hs + from,
				     sizeof(*hs) - from), 0);
}

static void wg_noise_kunit_x25519_rfc7748(struct kunit *test)
{
	static const char *const vector[][3] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	};
	u8 scalar[WG_KEY_LEN], point[WG_KEY_LEN], product[WG_KEY_LEN];
	int i;

	for (i = 0; i < ARRAY_SIZE(vector); i++) {
		wg_noise_kunit_hex(test, scalar, vector[i][0], WG_KEY_LEN);
		wg_noise_kunit_hex(test, point, vector[i][1], WG_KEY_LEN);
		KUNIT_EXPECT_TRUE(test, curve25519(product, scalar, point));
		wg_noise_kunit_expect(test, product, vector[i][2], WG_KEY_LEN);
	}
}

/* Section A.5: the one vector whose nonce begins with 32 zero bits. */
static void wg_noise_kunit_aead_rfc8439(struct kunit *test)
{
	static const char *const plain_lines[] = {
		"Internet-Drafts are draft documents valid for a maximum of ",
		"six months and may be updated, replaced, or obsoleted by ",
		"other documents at any time. It is inappropriate to use ",
		"Internet-Drafts as reference material or to cite them other ",
		"than as /\xe2\x80\x9cwork in progress./\xe2\x80\x9d",
		NULL
	};
	static const char *const sealed[] = {
		"64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2",
		"4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf",
		"332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855",
		"9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4",
		"b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e",
		"af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a",
		"0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10",
		"49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29",
		"a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38",
		NULL
	};
	const char *plain = wg_noise_kunit_join(test, plain_lines);
	const u64 nonce = 0x0807060504030201ULL;
	const size_t len = strlen(plain);
	u8 key[WG_KEY_LEN], ad[12];
	u8 *out;

	out = kunit_kzalloc(test, len + WG_TAG_LEN, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, out);
	wg_noise_kunit_hex(test, key,
			   "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
			   sizeof(key));
	wg_noise_kunit_hex(test, ad, "f33388860000000000004e91", sizeof(ad));

	chacha20poly1305_encrypt(out, (const u8 *)plain, len, ad, sizeof(ad),
				 nonce, key);
	wg_noise_kunit_expect(test, out, wg_noise_kunit_join(test, sealed),
			      len + WG_TAG_LEN);
	KUNIT_EXPECT_TRUE(test, chacha20poly1305_decrypt(out, out,
							 len + WG_TAG_LEN, ad,
							 sizeof(ad), nonce,
							 key));
	KUNIT_EXPECT_EQ(test, memcmp(out, plain, len), 0);
}

static void wg_noise_kunit_blake2s_rfc7693(struct kunit *test)
{
	struct blake2s_ctx ctx;
	u8 hash[WG_HASH_LEN];

	blake2s_init(&ctx, sizeof(hash));
	blake2s_update(&ctx, (const u8 *)"abc", 3);
	blake2s_final(&ctx, hash);
	wg_noise_kunit_expect(test, hash,
			      "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
			      sizeof(hash));
}

/* HMAC-BLAKE2s three times; the result is from another HMAC. */
static void wg_noise_kunit_split_known_chaining_key(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	int i;

	for (i = 0; i < WG_HASH_LEN; i++)
		k->hs_i.chaining_key[i] = i;
	k->hs_i.state = WG_NOISE_CONSUMED_RESPONSE;
	KUNIT_EXPECT_EQ(test, wg_noise_split(&k->hs_i, &k->keys_i), 0);
	wg_noise_kunit_expect(test, k->keys_i.send,
			      "7a38c34bf2b8738d7374ca77c44ecb309a11d2b2528304fa86052c365e722624",
			      WG_KEY_LEN);
	wg_noise_kunit_expect(test, k->keys_i.receive,
			      "1a17621f346abdc520746a9fb64d8eb03231d674fc15687537b0780fd9c060fd",
			      WG_KEY_LEN);
}

static void wg_noise_kunit_public_key_vectors(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	u8 private_key[WG_KEY_LEN], public_key[WG_KEY_LEN];

	wg_noise_kunit_hex(test, private_key, wg_noise_kunit_si, WG_KEY_LEN);
	KUNIT_EXPECT_TRUE(test, wg_identity_public_key(public_key, private_key));
	wg_noise_kunit_expect(test, public_key, wg_noise_kunit_public_i,
			      WG_KEY_LEN);

	/* Bits that clamping overrides make no difference. */
	private_key[0] ^= 7;
	private_key[31] ^= 0xc0;
	KUNIT_EXPECT_TRUE(test, wg_identity_public_key(public_key, private_key));
	wg_noise_kunit_expect(test, public_key, wg_noise_kunit_public_i,
			      WG_KEY_LEN);

	KUNIT_EXPECT_FALSE(test, wg_identity_public_key(public_key, k->none));
	KUNIT_EXPECT_EQ(test, memcmp(public_key, k->none, WG_KEY_LEN), 0);
}

static void wg_noise_kunit_identity_set(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	struct wg_identity *id = &k->id_i;
	u8 key[WG_KEY_LEN];

	KUNIT_EXPECT_EQ(test, id->generation, 2);
	wg_noise_kunit_hex(test, key, wg_noise_kunit_sr, WG_KEY_LEN);
	key[0] |= 7;
	wg_noise_kunit_set(id, key);
	KUNIT_EXPECT_EQ(test, id->generation, 3);
	wg_noise_kunit_expect(test, id->private_key, wg_noise_kunit_sr,
			      WG_KEY_LEN);
	wg_noise_kunit_expect(test, id->public_key, wg_noise_kunit_public_r,
			      WG_KEY_LEN);

	/* 0 is what a handshake has that never computed its secret. */
	id->generation = U32_MAX;
	wg_noise_kunit_set(id, k->none);
	KUNIT_EXPECT_EQ(test, id->generation, 1);
	KUNIT_EXPECT_FALSE(test, id->present);
	KUNIT_EXPECT_EQ(test, memcmp(id->private_key, k->none, WG_KEY_LEN), 0);
	KUNIT_EXPECT_EQ(test, memcmp(id->public_key, k->none, WG_KEY_LEN), 0);
}

static void wg_noise_kunit_accept_initiation_vector(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	wg_noise_kunit_hex(test, &k->m1,
			   wg_noise_kunit_join(test, wg_noise_kunit_m1),
			   sizeof(k->m1));
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_receive(k), 0);
	wg_noise_kunit_expect(test, k->opened.remote_static,
			      wg_noise_kunit_public_i, WG_KEY_LEN);
	wg_noise_kunit_expect(test, k->hs_r.latest_timestamp,
			      wg_noise_kunit_timestamp, WG_TIMESTAMP_LEN);
	KUNIT_EXPECT_EQ(test, k->hs_r.state, WG_NOISE_CONSUMED_INITIATION);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->hs_r.remote_index),
			WG_NOISE_KUNIT_INDEX_I);
	KUNIT_EXPECT_EQ(test, memcmp(k->hs_r.remote_ephemeral,
				     k->m1.ephemeral, WG_KEY_LEN), 0);
	KUNIT_EXPECT_NE(test, k->hs_r.last_accept_ns, 0);
}

/*
 * Message 1 of the vector cannot be made, as its ephemeral key is our choice.
 * But both sides have the same transcript after it: take the responder's.
 */
static void wg_noise_kunit_accept_response_vector(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	wg_noise_kunit_hex(test, &k->m1,
			   wg_noise_kunit_join(test, wg_noise_kunit_m1),
			   sizeof(k->m1));
	wg_noise_kunit_hex(test, &k->m2,
			   wg_noise_kunit_join(test, wg_noise_kunit_m2),
			   sizeof(k->m2));
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_receive(k), 0);
	memcpy(k->hs_i.hash, k->hs_r.hash, WG_HASH_LEN);
	memcpy(k->hs_i.chaining_key, k->hs_r.chaining_key, WG_HASH_LEN);
	wg_noise_kunit_hex(test, k->hs_i.ephemeral_private, wg_noise_kunit_ei,
			   WG_KEY_LEN);
	k->hs_i.local_index = cpu_to_le32(WG_NOISE_KUNIT_INDEX_I);
	k->hs_i.state = WG_NOISE_CREATED_INITIATION;

	KUNIT_ASSERT_EQ(test, wg_noise_kunit_finish(k), 0);
	KUNIT_EXPECT_EQ(test, k->hs_i.state, WG_NOISE_CONSUMED_RESPONSE);
	KUNIT_ASSERT_EQ(test, wg_noise_split(&k->hs_i, &k->keys_i), 0);
	wg_noise_kunit_expect(test, k->keys_i.send, wg_noise_kunit_send_i,
			      WG_KEY_LEN);
	wg_noise_kunit_expect(test, k->keys_i.receive,
			      wg_noise_kunit_receive_i, WG_KEY_LEN);
	KUNIT_EXPECT_TRUE(test, k->keys_i.initiator);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->keys_i.local_index),
			WG_NOISE_KUNIT_INDEX_I);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->keys_i.remote_index),
			WG_NOISE_KUNIT_INDEX_R);
}

/* Nothing of a handshake that yielded a session is left (spec 1.8). */
static void wg_noise_kunit_expect_zeroed(struct kunit *test,
					 const struct wg_noise_handshake *hs)
{
	KUNIT_EXPECT_EQ(test, hs->state, WG_NOISE_ZEROED);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(hs->local_index), 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(hs->remote_index), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(hs->ephemeral_private, 0,
					   WG_KEY_LEN));
	KUNIT_EXPECT_NULL(test, memchr_inv(hs->remote_ephemeral, 0,
					   WG_KEY_LEN));
	KUNIT_EXPECT_NULL(test, memchr_inv(hs->hash, 0, WG_HASH_LEN));
	KUNIT_EXPECT_NULL(test, memchr_inv(hs->chaining_key, 0, WG_HASH_LEN));
}

static void wg_noise_kunit_expect_session(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	KUNIT_ASSERT_EQ(test, wg_noise_split(&k->hs_i, &k->keys_i), 0);
	KUNIT_ASSERT_EQ(test, wg_noise_split(&k->hs_r, &k->keys_r), 0);
	KUNIT_EXPECT_EQ(test, memcmp(k->keys_i.send, k->keys_r.receive,
				     WG_KEY_LEN), 0);
	KUNIT_EXPECT_EQ(test, memcmp(k->keys_i.receive, k->keys_r.send,
				     WG_KEY_LEN), 0);
	KUNIT_EXPECT_NE(test, memcmp(k->keys_i.send, k->keys_i.receive,
				     WG_KEY_LEN), 0);
	KUNIT_EXPECT_TRUE(test, k->keys_i.initiator);
	KUNIT_EXPECT_FALSE(test, k->keys_r.initiator);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->keys_r.local_index),
			WG_NOISE_KUNIT_INDEX_R);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->keys_r.remote_index),
			WG_NOISE_KUNIT_INDEX_I);
	wg_noise_kunit_expect_zeroed(test, &k->hs_i);
	wg_noise_kunit_expect_zeroed(test, &k->hs_r);
}

static void wg_noise_kunit_round_trip(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	wg_noise_kunit_half(test);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->m1.header.type),
			WG_MSG_INITIATION);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->m2.header.type), WG_MSG_RESPONSE);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(k->m2.receiver),
			WG_NOISE_KUNIT_INDEX_I);
	KUNIT_EXPECT_EQ(test, k->hs_i.state, WG_NOISE_CREATED_INITIATION);
	KUNIT_EXPECT_EQ(test, k->hs_r.state, WG_NOISE_CREATED_RESPONSE);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_finish(k), 0);
	wg_noise_kunit_expect_session(test);
}

static void wg_noise_kunit_round_trip_without_psk(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	wg_noise_handshake_set_psk(&k->hs_i, k->none);
	wg_noise_handshake_set_psk(&k->hs_r, k->none);
	wg_noise_kunit_half(test);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_finish(k), 0);
	wg_noise_kunit_expect_session(test);
}

/* The cached static-static secret must follow the identity. */
static void wg_noise_kunit_round_trip_new_identity(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	u8 key[WG_KEY_LEN];

	wg_noise_kunit_half(test);
	wg_noise_kunit_hex(test, key, wg_noise_kunit_ei, WG_KEY_LEN);
	wg_noise_kunit_set(&k->id_i, key);
	/* The response is for a key that we no longer have. */
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k), -EBADMSG);

	wg_noise_handshake_init(&k->hs_r, k->id_i.public_key,
				k->hs_i.preshared_key);
	wg_noise_kunit_half(test);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_finish(k), 0);
	wg_noise_kunit_expect_session(test);
}

/* Both initiate at once: who receives an initiation becomes responder. */
static void wg_noise_kunit_accept_initiation_overrides_ours(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	struct wg_msg_initiation other;

	KUNIT_ASSERT_EQ(test, wg_noise_make_initiation(&k->hs_r, &k->id_r, 0,
						       &other), 0);
	wg_noise_kunit_half(test);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_finish(k), 0);
	wg_noise_kunit_expect_session(test);
}

static void wg_noise_kunit_open_initiation_flipped(struct kunit *test)
{
	const size_t end = offsetof(struct wg_msg_initiation,
				    sealed_timestamp);
	struct wg_noise_kunit *k = test->priv;
	size_t i;

	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	for (i = offsetof(struct wg_msg_initiation, ephemeral); i < end; i++) {
		((u8 *)&k->m1)[i] ^= 1 << i % 8;
		KUNIT_EXPECT_EQ_MSG(test, wg_noise_kunit_receive(k), -EBADMSG,
				    "byte %zu", i);
		KUNIT_EXPECT_NULL(test, memchr_inv(&k->opened, 0,
						   sizeof(k->opened)));
		((u8 *)&k->m1)[i] ^= 1 << i % 8;
	}
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_receive(k), 0);
}

static void wg_noise_kunit_accept_initiation_flipped(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	size_t i;

	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	k->m1.sealed_timestamp[0] ^= 1;
	/* Makes the secret that the handshake keeps. */
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_receive(k), -EBADMSG);
	k->m1.sealed_timestamp[0] ^= 1;
	wg_noise_kunit_remember(k, &k->hs_r);

	for (i = 0; i < sizeof(k->m1.sealed_timestamp); i++) {
		k->m1.sealed_timestamp[i] ^= 1 << i % 8;
		KUNIT_EXPECT_EQ_MSG(test, wg_noise_kunit_receive(k), -EBADMSG,
				    "byte %zu", i);
		k->m1.sealed_timestamp[i] ^= 1 << i % 8;
		wg_noise_kunit_same(test, &k->hs_r);
	}
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_receive(k), 0);
}

/* All that comes before the macs but the sender index, which nothing covers. */
static void wg_noise_kunit_accept_response_flipped(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	size_t i;

	wg_noise_kunit_half(test);
	wg_noise_kunit_remember(k, &k->hs_i);
	for (i = offsetof(struct wg_msg_response, receiver);
	     i < offsetof(struct wg_msg_response, macs); i++) {
		bool index = i < offsetof(struct wg_msg_response, ephemeral);

		((u8 *)&k->m2)[i] ^= 1 << i % 8;
		KUNIT_EXPECT_EQ_MSG(test, wg_noise_kunit_finish(k),
				    index ? -EAGAIN : -EBADMSG, "byte %zu", i);
		((u8 *)&k->m2)[i] ^= 1 << i % 8;
		wg_noise_kunit_same(test, &k->hs_i);
	}
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k), 0);
}

static void wg_noise_kunit_accept_response_wrong_psk(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	wg_noise_handshake_set_psk(&k->hs_i, k->none);
	wg_noise_kunit_half(test);
	wg_noise_kunit_remember(k, &k->hs_i);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k), -EBADMSG);
	wg_noise_kunit_same(test, &k->hs_i);
}

static void wg_noise_kunit_accept_initiation_replayed(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_receive(k), 0);
	/* The stamp is to decide here, not how fast we are. */
	k->hs_r.last_accept_ns = 0;
	wg_noise_kunit_remember(k, &k->hs_r);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_receive(k), -ESTALE);
	wg_noise_kunit_same(test, &k->hs_r);

	/* The interface going down and up does not forget the stamp. */
	wg_noise_handshake_clear(&k->hs_r);
	wg_noise_kunit_remember(k, &k->hs_r);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_receive(k), -ESTALE);
	wg_noise_kunit_same(test, &k->hs_r);

	/* An older one, though its last bytes are greater. */
	k->hs_r.latest_timestamp[7]++;
	memset(k->hs_r.latest_timestamp + 8, 0, 4);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_receive(k), -ESTALE);
	k->hs_r.latest_timestamp[7] -= 2;
	memset(k->hs_r.latest_timestamp + 8, 0xff, 4);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_receive(k), 0);
}

static void wg_noise_kunit_accept_initiation_flood(struct kunit *test)
{
	const u64 interval = NSEC_PER_SEC / WG_INITIATIONS_PER_SECOND;
	struct wg_noise_kunit *k = test->priv;
	u64 now;

	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_receive(k), 0);
	memset(k->hs_r.latest_timestamp, 0, WG_TIMESTAMP_LEN);

	/* However long this test takes, too early for a minute. */
	now = ktime_get_coarse_boottime_ns();
	k->hs_r.last_accept_ns = now + 60ULL * NSEC_PER_SEC - interval;
	wg_noise_kunit_remember(k, &k->hs_r);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_receive(k), -EBUSY);
	wg_noise_kunit_same(test, &k->hs_r);

	KUNIT_ASSERT_GT(test, now, interval);
	k->hs_r.last_accept_ns = now - interval;
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_receive(k), 0);
	KUNIT_EXPECT_GE(test, k->hs_r.last_accept_ns, now);
}

static u64 wg_noise_kunit_seconds(const u8 timestamp[WG_TIMESTAMP_LEN])
{
	__be64 seconds;

	memcpy(&seconds, timestamp, sizeof(seconds));
	return be64_to_cpu(seconds) - 0x400000000000000aULL;
}

static void wg_noise_kunit_make_initiation_timestamp(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	__be32 nanoseconds;
	u64 from, seconds;

	from = ktime_get_real_seconds();
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_receive(k), 0);
	seconds = wg_noise_kunit_seconds(k->hs_r.latest_timestamp);
	KUNIT_EXPECT_GE(test, seconds, from);
	/* Not ktime_get_real_seconds(), which is up to a tick behind. */
	KUNIT_EXPECT_LE(test, seconds,
			div_u64(ktime_get_real_ns(), NSEC_PER_SEC));

	memcpy(&nanoseconds, k->hs_r.latest_timestamp + 8, 4);
	KUNIT_EXPECT_LT(test, be32_to_cpu(nanoseconds), (u32)NSEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, be32_to_cpu(nanoseconds) & (BIT(24) - 1), 0);
}

static int wg_noise_kunit_compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, WG_KEY_LEN);
}

/* A key that is drawn twice would give two sessions the same keys. */
static void wg_noise_kunit_ephemerals_never_repeat(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	const int most = 3000;
	u8 (*seen)[WG_KEY_LEN];
	int i, made = 0, same = 0;

	seen = kvmalloc_array(most, sizeof(*seen), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (i = 0; i < most && !wg_noise_kunit_initiate(k); i++) {
		memcpy(seen[made++], k->m1.ephemeral, WG_KEY_LEN);
		if (need_resched())
			schedule();
	}
	KUNIT_EXPECT_EQ(test, made, most);
	sort(seen, made, sizeof(*seen), wg_noise_kunit_compare_keys, NULL);
	for (i = 1; i < made; i++)
		same += !memcmp(seen[i - 1], seen[i], WG_KEY_LEN);
	KUNIT_EXPECT_EQ(test, same, 0);
	kvfree(seen);
}

static void wg_noise_kunit_low_order_ephemeral(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	int i;

	wg_noise_kunit_half(test);
	wg_noise_kunit_remember(k, &k->hs_i);
	for (i = 0; i < ARRAY_SIZE(wg_noise_kunit_low_order); i++) {
		const char *hex = wg_noise_kunit_low_order[i];

		wg_noise_kunit_hex(test, k->m1.ephemeral, hex, WG_KEY_LEN);
		wg_noise_kunit_hex(test, k->m2.ephemeral, hex, WG_KEY_LEN);
		KUNIT_EXPECT_EQ_MSG(test, wg_noise_kunit_receive(k),
				    -EKEYREJECTED, "%s", hex);
		KUNIT_EXPECT_EQ_MSG(test, wg_noise_kunit_finish(k),
				    -EKEYREJECTED, "%s", hex);
		wg_noise_kunit_same(test, &k->hs_i);
	}
}

static void wg_noise_kunit_low_order_static(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	u8 point[WG_KEY_LEN];
	int i;

	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	KUNIT_ASSERT_EQ(test, wg_noise_open_initiation(&k->opened, &k->id_r,
						       &k->m1), 0);
	for (i = 0; i < ARRAY_SIZE(wg_noise_kunit_low_order); i++) {
		const char *hex = wg_noise_kunit_low_order[i];

		wg_noise_kunit_hex(test, point, hex, WG_KEY_LEN);
		wg_noise_handshake_init(&k->hs_r, point, k->none);
		KUNIT_EXPECT_EQ_MSG(test,
				    wg_noise_make_initiation(&k->hs_r,
							     &k->id_r, 0,
							     &k->m1),
				    -EKEYREJECTED, "%s", hex);
		KUNIT_EXPECT_EQ(test, k->hs_r.state, WG_NOISE_ZEROED);

		/* Twice: the secret is computed once and kept. */
		KUNIT_EXPECT_EQ(test,
				wg_noise_accept_initiation(&k->hs_r, &k->id_r,
							   &k->opened),
				-EKEYREJECTED);
		KUNIT_EXPECT_EQ(test, k->hs_r.static_generation,
				k->id_r.generation);
		KUNIT_EXPECT_EQ(test,
				wg_noise_accept_initiation(&k->hs_r, &k->id_r,
							   &k->opened),
				-EKEYREJECTED);
		KUNIT_EXPECT_EQ(test, k->hs_r.state, WG_NOISE_ZEROED);
	}
}

static void wg_noise_kunit_make_response_low_order(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_receive(k), 0);
	memset(k->hs_r.remote_ephemeral, 0, WG_KEY_LEN);
	wg_noise_kunit_remember(k, &k->hs_r);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_respond(k), -EKEYREJECTED);
	wg_noise_kunit_same(test, &k->hs_r);
}

static void wg_noise_kunit_no_identity(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	wg_noise_kunit_half(test);
	wg_noise_kunit_set(&k->id_i, k->none);
	wg_noise_kunit_set(&k->id_r, k->none);
	wg_noise_kunit_remember(k, &k->hs_i);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_initiate(k), -ENOKEY);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k), -ENOKEY);
	wg_noise_kunit_same(test, &k->hs_i);
	wg_noise_kunit_remember(k, &k->hs_r);
	KUNIT_EXPECT_EQ(test,
			wg_noise_accept_initiation(&k->hs_r, &k->id_r,
						   &k->opened), -ENOKEY);
	KUNIT_EXPECT_EQ(test, wg_noise_open_initiation(&k->opened, &k->id_r,
						       &k->m1), -ENOKEY);
	wg_noise_kunit_same(test, &k->hs_r);
}

static void wg_noise_kunit_wrong_state(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	enum wg_noise_state state;

	for (state = WG_NOISE_ZEROED; state <= WG_NOISE_CONSUMED_RESPONSE;
	     state++) {
		k->hs_i.state = state;
		wg_noise_kunit_remember(k, &k->hs_i);
		if (state != WG_NOISE_CREATED_INITIATION)
			KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k),
					-EAGAIN);
		if (state != WG_NOISE_CONSUMED_INITIATION)
			KUNIT_EXPECT_EQ(test,
					wg_noise_make_response(&k->hs_i, 0,
							       &k->m2),
					-EAGAIN);
		if (state != WG_NOISE_CREATED_RESPONSE &&
		    state != WG_NOISE_CONSUMED_RESPONSE)
			KUNIT_EXPECT_EQ(test,
					wg_noise_split(&k->hs_i, &k->keys_i),
					-EAGAIN);
		wg_noise_kunit_same(test, &k->hs_i);
	}
	KUNIT_EXPECT_NULL(test, memchr_inv(&k->keys_i, 0, sizeof(k->keys_i)));
}

static void wg_noise_kunit_handshake_clear_keeps_peer(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;
	struct wg_noise_handshake *hs = &k->hs_r;

	wg_noise_kunit_half(test);
	memset(hs->ephemeral_private, 1, WG_KEY_LEN);
	wg_noise_kunit_remember(k, hs);
	wg_noise_handshake_clear(hs);
	wg_noise_kunit_expect_zeroed(test, hs);
	KUNIT_EXPECT_EQ(test, memcmp(k->before.remote_static,
				     hs->remote_static,
				     sizeof(*hs) -
				     offsetof(struct wg_noise_handshake,
					      remote_static)), 0);
	KUNIT_EXPECT_NE(test, hs->static_generation, 0);
}

static void wg_noise_kunit_make_response_twice(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	wg_noise_kunit_half(test);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_respond(k), -EAGAIN);
	KUNIT_EXPECT_EQ(test, wg_noise_split(&k->hs_r, &k->keys_r), 0);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_respond(k), -EAGAIN);
	KUNIT_EXPECT_EQ(test, wg_noise_split(&k->hs_r, &k->keys_r), -EAGAIN);
}

static void wg_noise_kunit_accept_response_twice(struct kunit *test)
{
	struct wg_noise_kunit *k = test->priv;

	wg_noise_kunit_half(test);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k), 0);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k), -EAGAIN);
	KUNIT_EXPECT_EQ(test, wg_noise_split(&k->hs_i, &k->keys_i), 0);
	KUNIT_EXPECT_EQ(test, wg_noise_split(&k->hs_i, &k->keys_i), -EAGAIN);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k), -EAGAIN);

	/* Not even if the retry was given the same index. */
	KUNIT_ASSERT_EQ(test, wg_noise_kunit_initiate(k), 0);
	wg_noise_kunit_remember(k, &k->hs_i);
	KUNIT_EXPECT_EQ(test, wg_noise_kunit_finish(k), -EBADMSG);
	wg_noise_kunit_same(test, &k->hs_i);
}

/* Accepts the response in a thread that the lock of the identity holds up. */
struct wg_noise_kunit_racer {
	struct work_struct work;
	struct wg_noise_kunit *k;
	int err;
};

static void wg_noise_kunit_racer_work(struct work_struct *work)
{
	struct wg_noise_kunit_racer *racer =
		container_of(work, struct wg_noise_kunit_racer, work);

	racer->err = wg_noise_kunit_finish(racer->k);
}

static bool wg_noise_kunit_wait_contended(struct wg_identity *id)
{
	const unsigned long end = jiffies + 10 * HZ;

	while (!rwsem_is_contended(&id->lock)) {
		if (time_after(jiffies, end))
			return false;
		schedule_timeout_uninterruptible(1);
	}
	return true;
}

/*
 * One thread has looked at the handshake and waits for the identity. Here the
 * same response is accepted meanwhile, with a copy of the identity that nobody
 * has locked; then, if @retry, its session is made and the next initiation
 * brings the handshake back to the same state and even index. The thread must
 * notice either, or one response would make two sessions.
 */
static void wg_noise_kunit_race(struct kunit *test, bool retry)
{
	struct wg_noise_kunit *k = test->priv;
	struct wg_noise_kunit_racer *racer;
	struct workqueue_struct *wq;

	racer = kunit_kzalloc(test, sizeof(*racer), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, racer);
	INIT_WORK(&racer->work, wg_noise_kunit_racer_work);
	racer->k = k;
	wg_noise_kunit_load(test, &k->id_copy, wg_noise_kunit_si);
	wg_noise_kunit_half(test);
	wq = alloc_workqueue("wg-noise-kunit", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, wq);

	/* That of the copy is taken inside, another of the same class. */
	down_write_nested(&k->id_i.lock, SINGLE_DEPTH_NESTING);
	queue_work(wq, &racer->work);
	KUNIT_EXPECT_TRUE(test, wg_noise_kunit_wait_contended(&k->id_i));
	KUNIT_EXPECT_EQ(test, wg_noise_accept_response(&k->hs_i, &k->id_copy,
						       &k->m2), 0);
	if (retry) {
		KUNIT_EXPECT_EQ(test, wg_noise_split(&k->hs_i, &k->keys_i), 0);
		KUNIT_EXPECT_EQ(test, wg_noise_make_initiation(&k->hs_i,
							       &k->id_copy,
							       k->m2.receiver,
							       &k->m1), 0);
	}
	wg_noise_kunit_remember(k, &k->hs_i);
	up_write(&k->id_i.lock);
	destroy_workqueue(wq);

	KUNIT_EXPECT_EQ(test, racer->err, -EAGAIN);
	wg_noise_kunit_same(test, &k->hs_i);
	KUNIT_EXPECT_EQ(test, wg_noise_split(&k->hs_i, &k->keys_i),
			retry ? -EAGAIN : 0);
	KUNIT_EXPECT_EQ(test, wg_noise_split(&k->hs_i, &k->keys_i), -EAGAIN);
}

static void wg_noise_kunit_accept_response_race(struct kunit *test)
{
	wg_noise_kunit_race(test, false);
}

static void wg_noise_kunit_accept_response_race_and_retry(struct kunit *test)
{
	wg_noise_kunit_race(test, true);
}

static struct kunit_case wg_noise_kunit_cases[] = {
	KUNIT_CASE(wg_noise_kunit_x25519_rfc7748),
	KUNIT_CASE(wg_noise_kunit_aead_rfc8439),
	KUNIT_CASE(wg_noise_kunit_blake2s_rfc7693),
	KUNIT_CASE(wg_noise_kunit_split_known_chaining_key),
	KUNIT_CASE(wg_noise_kunit_public_key_vectors),
	KUNIT_CASE(wg_noise_kunit_identity_set),
	KUNIT_CASE(wg_noise_kunit_accept_initiation_vector),
	KUNIT_CASE(wg_noise_kunit_accept_response_vector),
	KUNIT_CASE(wg_noise_kunit_round_trip),
	KUNIT_CASE(wg_noise_kunit_round_trip_without_psk),
	KUNIT_CASE(wg_noise_kunit_round_trip_new_identity),
	KUNIT_CASE(wg_noise_kunit_accept_initiation_overrides_ours),
	KUNIT_CASE(wg_noise_kunit_open_initiation_flipped),
	KUNIT_CASE(wg_noise_kunit_accept_initiation_flipped),
	KUNIT_CASE(wg_noise_kunit_accept_response_flipped),
	KUNIT_CASE(wg_noise_kunit_accept_response_wrong_psk),
	KUNIT_CASE(wg_noise_kunit_accept_initiation_replayed),
	KUNIT_CASE(wg_noise_kunit_accept_initiation_flood),
	KUNIT_CASE(wg_noise_kunit_make_initiation_timestamp),
	KUNIT_CASE(wg_noise_kunit_ephemerals_never_repeat),
	KUNIT_CASE(wg_noise_kunit_low_order_ephemeral),
	KUNIT_CASE(wg_noise_kunit_low_order_static),
	KUNIT_CASE(wg_noise_kunit_make_response_low_order),
	KUNIT_CASE(wg_noise_kunit_no_identity),
	KUNIT_CASE(wg_noise_kunit_wrong_state),
	KUNIT_CASE(wg_noise_kunit_handshake_clear_keeps_peer),
	KUNIT_CASE(wg_noise_kunit_make_response_twice),
	KUNIT_CASE(wg_noise_kunit_accept_response_twice),
	KUNIT_CASE(wg_noise_kunit_accept_response_race),
	KUNIT_CASE(wg_noise_kunit_accept_response_race_and_retry),
	{}
};

static struct kunit_suite wg_noise_kunit_suite = {
	.name = "wireguard_noise",
	.init = wg_noise_kunit_init,
	.test_cases = wg_noise_kunit_cases,
};

kunit_test_suite(wg_noise_kunit_suite);
