// SPDX-License-Identifier: GPL-2.0
/*
 * mac1, mac2, cookies, and how much a source may ask of us.
 *
 * Layer 1, see cookie.h.
 */
#include "cookie.h"

#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/string.h>

#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/utils.h>

static_assert((int)WG_COOKIE_NONCE_LEN == (int)XCHACHA20POLY1305_NONCE_SIZE);

enum wg_cookie_label_len { WG_COOKIE_LABEL_LEN = 8 };

static const u8 wg_cookie_mac1_label[WG_COOKIE_LABEL_LEN] __nonstring =
	"mac1----";
static const u8 wg_cookie_seal_label[WG_COOKIE_LABEL_LEN] __nonstring =
	"cookie--";

/* Hash of a label and the public key of who is to be convinced (spec 1.6). */
static void wg_cookie_derive_key(u8 key[WG_KEY_LEN],
				 const u8 label[WG_COOKIE_LABEL_LEN],
				 const u8 public_key[WG_KEY_LEN])
{
	struct blake2s_ctx ctx;

	blake2s_init(&ctx, WG_KEY_LEN);
	blake2s_update(&ctx, label, WG_COOKIE_LABEL_LEN);
	blake2s_update(&ctx, public_key, WG_KEY_LEN);
	blake2s_final(&ctx, key);
}

static void wg_cookie_mac(u8 mac[WG_MAC_LEN], const u8 *key, size_t key_len,
			  const void *data, size_t len)
{
	struct blake2s_ctx ctx;

	blake2s_init_key(&ctx, WG_MAC_LEN, key, key_len);
	blake2s_update(&ctx, data, len);
	blake2s_final(&ctx, mac);
}

static void wg_cookie_mac1(u8 mac[WG_MAC_LEN], const u8 key[WG_KEY_LEN],
			   const void *msg, size_t len)
{
	wg_cookie_mac(mac, key, WG_KEY_LEN, msg,
		      len - sizeof(struct wg_msg_macs));
}

static void wg_cookie_mac2(u8 mac[WG_MAC_LEN], const u8 cookie[WG_COOKIE_LEN],
			   const void *msg, size_t len)
{
	wg_cookie_mac(mac, cookie, WG_COOKIE_LEN, msg, len - WG_MAC_LEN);
}

static const struct wg_msg_macs *wg_cookie_macs(const void *msg, size_t len)
{
	return msg + len - sizeof(struct wg_msg_macs);
}

static bool wg_cookie_is_fresh(u64 birth_ns, u64 max_age_seconds)
{
	return birth_ns && ktime_get_coarse_boottime_ns() <
			   birth_ns + max_age_seconds * NSEC_PER_SEC;
}

/* The cookie that @src has to show: its address and port under our secret. */
static void wg_cookie_for_source(u8 cookie[WG_COOKIE_LEN],
				 const u8 secret[WG_HASH_LEN],
				 const struct wg_cookie_source *src)
{
	struct blake2s_ctx ctx;

	blake2s_init_key(&ctx, WG_COOKIE_LEN, secret, WG_HASH_LEN);
	if (src->family == AF_INET)
		blake2s_update(&ctx, (const u8 *)&src->v4, sizeof(src->v4));
	else
		blake2s_update(&ctx, (const u8 *)&src->v6, sizeof(src->v6));
	blake2s_update(&ctx, (const u8 *)&src->port, sizeof(src->port));
	blake2s_final(&ctx, cookie);
}

/**
 * wg_cookie_checker_init() - prepare a checker that has no key yet
 * @checker: where
 *
 * Context: any; nobody else may use @checker yet.
 */
void wg_cookie_checker_init(struct wg_cookie_checker *checker)
{
	memset(checker, 0, sizeof(*checker));
	spin_lock_init(&checker->lock);
}

/**
 * wg_cookie_checker_set_key() - follow a change of our identity
 * @checker: of the device
 * @public_key: ours; all zero without an identity, then no mac1 is right
 *
 * WireGuard spec section: precomputed values (1.8).
 *
 * Context: any but hard interrupt.
 */
void wg_cookie_checker_set_key(struct wg_cookie_checker *checker,
			       const u8 public_key[WG_KEY_LEN])
{
	u8 mac1_key[WG_KEY_LEN] = {};
	u8 cookie_key[WG_KEY_LEN] = {};

	if (memchr_inv(public_key, 0, WG_KEY_LEN)) {
		wg_cookie_derive_key(mac1_key, wg_cookie_mac1_label,
				     public_key);
		wg_cookie_derive_key(cookie_key, wg_cookie_seal_label,
				     public_key);
	}
	spin_lock_bh(&checker->lock);
	memcpy(checker->mac1_key, mac1_key, WG_KEY_LEN);
	memcpy(checker->cookie_key, cookie_key, WG_KEY_LEN);
	spin_unlock_bh(&checker->lock);
}

/**
 * wg_cookie_mac1_ok() - does the sender of a handshake message know our key?
 * @checker: of the device
 * @msg: initiation or response
 * @len: of @msg, exactly that of its type
 *
 * WireGuard spec section: macs and cookies (1.6).
 *
 * Context: any but hard interrupt: it decides who gets memory.
 * Return: false if mac1 is wrong, and always without an identity.
 */
bool wg_cookie_mac1_ok(struct wg_cookie_checker *checker, const void *msg,
		       size_t len)
{
	u8 key[WG_KEY_LEN];
	u8 mac[WG_MAC_LEN];

	/* The keys are no secret: who knows our public key has them. */
	spin_lock_bh(&checker->lock);
	memcpy(key, checker->mac1_key, WG_KEY_LEN);
	spin_unlock_bh(&checker->lock);

	/* Anybody can compute a mac1 under the zero key of no identity. */
	if (!memchr_inv(key, 0, WG_KEY_LEN))
		return false;
	wg_cookie_mac1(mac, key, msg, len);
	return !crypto_memneq(mac, wg_cookie_macs(msg, len)->mac1, WG_MAC_LEN);
}

/**
 * wg_cookie_mac2_ok() - does the sender have a cookie of ours for his address?
 * @checker: of the device
 * @msg: initiation or response with a good mac1
 * @len: of @msg, exactly that of its type
 * @src: where it came from
 *
 * An expired secret is not replaced here: no cookie can be right then, and the
 * reply that follows makes a new one. WireGuard spec section: under load (2.9).
 *
 * Context: any but hard interrupt.
 * Return: true if mac2 is right.
 */
bool wg_cookie_mac2_ok(struct wg_cookie_checker *checker, const void *msg,
		       size_t len, const struct wg_cookie_source *src)
{
	u8 secret[WG_HASH_LEN];
	u8 cookie[WG_COOKIE_LEN];
	u8 mac[WG_MAC_LEN];
	bool fresh, ok = false;

	spin_lock_bh(&checker->lock);
	memcpy(secret, checker->secret, WG_HASH_LEN);
	fresh = wg_cookie_is_fresh(checker->secret_birth_ns,
				   WG_COOKIE_SECRET_AGE);
	spin_unlock_bh(&checker->lock);
	if (fresh) {
		wg_cookie_for_source(cookie, secret, src);
		wg_cookie_mac2(mac, cookie, msg, len);
		ok = !crypto_memneq(mac, wg_cookie_macs(msg, len)->mac2,
				    WG_MAC_LEN);
	}
	memzero_explicit(secret, sizeof(secret));
	memzero_explicit(cookie, sizeof(cookie));
	memzero_explicit(mac, sizeof(mac));
	return ok;
}

/**
 * wg_cookie_make_reply() - write message 3, which hands out a cookie
 * @checker: of the device
 * @reply: result, complete
 * @msg: the initiation or response that is refused, its mac1 being right
 * @len: of @msg, exactly that of its type
 * @src: where @msg came from and @reply goes to
 *
 * Replaces our secret if it is older than 120 s. WireGuard spec section: macs
 * and cookies (1.6).
 *
 * Context: process, may sleep.
 */
void wg_cookie_make_reply(struct wg_cookie_checker *checker,
			  struct wg_msg_cookie *reply, const void *msg,
			  size_t len, const struct wg_cookie_source *src)
{
	/* Both messages begin with their type and the index of the sender. */
	const struct wg_msg_initiation *head = msg;
	u8 cookie_key[WG_KEY_LEN];
	u8 secret[WG_HASH_LEN];
	u8 cookie[WG_COOKIE_LEN];

	reply->header.type = cpu_to_le32(WG_MSG_COOKIE);
	reply->receiver = head->sender;
	get_random_bytes_wait(reply->nonce, WG_COOKIE_NONCE_LEN);

	spin_lock_bh(&checker->lock);
	if (!wg_cookie_is_fresh(checker->secret_birth_ns,
				WG_COOKIE_SECRET_AGE)) {
		get_random_bytes(checker->secret, WG_HASH_LEN);
		checker->secret_birth_ns = ktime_get_coarse_boottime_ns();
	}
	memcpy(secret, checker->secret, WG_HASH_LEN);
	memcpy(cookie_key, checker->cookie_key, WG_KEY_LEN);
	spin_unlock_bh(&checker->lock);

	wg_cookie_for_source(cookie, secret, src);
	xchacha20poly1305_encrypt(reply->sealed_cookie, cookie, WG_COOKIE_LEN,
				  wg_cookie_macs(msg, len)->mac1, WG_MAC_LEN,
				  reply->nonce, cookie_key);
	memzero_explicit(secret, sizeof(secret));
	memzero_explicit(cookie, sizeof(cookie));
}

/**
 * wg_cookie_maker_init() - prepare the maker of a new peer
 * @maker: where
 * @remote_static: public key of the peer
 *
 * Context: any; nobody else may use @maker yet.
 */
void wg_cookie_maker_init(struct wg_cookie_maker *maker,
			  const u8 remote_static[WG_KEY_LEN])
{
	memset(maker, 0, sizeof(*maker));
	spin_lock_init(&maker->lock);
	wg_cookie_derive_key(maker->mac1_key, wg_cookie_mac1_label,
			     remote_static);
	wg_cookie_derive_key(maker->cookie_key, wg_cookie_seal_label,
			     remote_static);
}

/**
 * wg_cookie_add_macs() - fill both macs of a message about to be sent
 * @maker: of the peer it goes to
 * @msg: initiation or response, complete but for its macs
 * @len: of @msg
 *
 * mac2 stays zero unless the peer gave us a cookie less than 115 s ago.
 * WireGuard spec section: macs and cookies (1.6).
 *
 * Context: process or softirq.
 */
void wg_cookie_add_macs(struct wg_cookie_maker *maker, void *msg, size_t len)
{
	struct wg_msg_macs *macs = msg + len - sizeof(*macs);
	u8 cookie[WG_COOKIE_LEN];
	bool fresh;

	wg_cookie_mac1(macs->mac1, maker->mac1_key, msg, len);

	spin_lock_bh(&maker->lock);
	memcpy(maker->last_mac1, macs->mac1, WG_MAC_LEN);
	maker->sent_mac1 = true;
	fresh = wg_cookie_is_fresh(maker->cookie_birth_ns,
				   WG_COOKIE_SECRET_AGE -
				   WG_COOKIE_SECRET_LATENCY);
	if (!fresh) {
		memzero_explicit(maker->cookie, WG_COOKIE_LEN);
		maker->cookie_birth_ns = 0;
	}
	memcpy(cookie, maker->cookie, WG_COOKIE_LEN);
	spin_unlock_bh(&maker->lock);

	if (fresh)
		wg_cookie_mac2(macs->mac2, cookie, msg, len);
	else
		memset(macs->mac2, 0, WG_MAC_LEN);
	memzero_explicit(cookie, sizeof(cookie));
}

/**
 * wg_cookie_accept_reply() - take over a cookie that the peer gave us
 * @maker: of the peer whose handshake or keypair the receiver index names
 * @reply: as received
 *
 * Accepted once for each message we sent, and only as an answer to the last
 * one. WireGuard spec section: macs and cookies (1.6).
 *
 * Context: process or softirq.
 * Return: 0; -EAGAIN if we sent nothing since the last accepted cookie, or
 * something else meanwhile; -EBADMSG if the cookie does not verify.
 */
int wg_cookie_accept_reply(struct wg_cookie_maker *maker,
			   const struct wg_msg_cookie *reply)
{
	u8 cookie[WG_COOKIE_LEN];
	u8 mac1[WG_MAC_LEN];
	bool expected;
	int err = 0;

	spin_lock_bh(&maker->lock);
	expected = maker->sent_mac1;
	memcpy(mac1, maker->last_mac1, WG_MAC_LEN);
	spin_unlock_bh(&maker->lock);

	if (!expected)
		return -EAGAIN;
	if (!xchacha20poly1305_decrypt(cookie, reply->sealed_cookie,
				       sizeof(reply->sealed_cookie), mac1,
				       WG_MAC_LEN, reply->nonce,
				       maker->cookie_key))
		return -EBADMSG;

	spin_lock_bh(&maker->lock);
	/* Another copy of the reply may have been faster. */
	if (maker->sent_mac1 &&
	    !crypto_memneq(maker->last_mac1, mac1, WG_MAC_LEN)) {
		memcpy(maker->cookie, cookie, WG_COOKIE_LEN);
		maker->cookie_birth_ns = ktime_get_coarse_boottime_ns();
		maker->sent_mac1 = false;
	} else {
		err = -EAGAIN;
	}
	spin_unlock_bh(&maker->lock);
	memzero_explicit(cookie, sizeof(cookie));
	return err;
}

/*
 * The rate limiter: 20 messages a second and source, five at once (spec 2.9).
 *
 * Instead of tokens each source has one time, GCRA's theoretical arrival time:
 * when its bucket will be full again. Once that has passed, the source is no
 * different from one never seen and its place is free for anybody: nothing has
 * to be collected, and nothing is allocated for a source.
 */
#define WG_COOKIE_COST_NS (NSEC_PER_SEC / 20)
#define WG_COOKIE_BURST 5

enum wg_cookie_table_size {
	WG_COOKIE_WAYS = 8,
	WG_COOKIE_BUCKETS_MIN = 16,
	WG_COOKIE_BUCKETS_MAX = 8192,
	/* The most from 1 GiB of RAM on; the table takes about 1/1000 of it. */
	WG_COOKIE_RAM_PER_BUCKET = (1 << 30) / WG_COOKIE_BUCKETS_MAX,
};

/**
 * struct wg_cookie_entry - one source
 * @key: hash of the source
 * @full_ns: when it may burst again; the entry is free from then on
 */
struct wg_cookie_entry {
	u64 key;
	u64 full_ns;
};

/**
 * struct wg_cookie_bucket - where the sources of one hash value are
 * @lock: protects @entry
 * @entry: unordered
 */
struct wg_cookie_bucket {
	spinlock_t lock; /* protects @entry */
	struct wg_cookie_entry entry[WG_COOKIE_WAYS];
};

/**
 * struct wg_cookie_table - all sources of all devices
 * @hash_key: random, so that nobody can aim at one bucket
 * @mask: number of buckets - 1
 * @bucket: a power of two of them
 */
struct wg_cookie_table {
	siphash_key_t hash_key;
	unsigned long mask;
	struct wg_cookie_bucket bucket[];
};

/*
 * The mutex protects the count of devices and the life of the table. Readers
 * need no lock: they act for a device, so the count is not zero.
 */
static DEFINE_MUTEX(wg_cookie_table_mutex);
static unsigned int wg_cookie_table_users;
static struct wg_cookie_table *wg_cookie_table;

static struct wg_cookie_table *wg_cookie_table_create(void)
{
	u64 ram = (u64)totalram_pages() << PAGE_SHIFT;
	struct wg_cookie_table *table;
	unsigned long buckets, i;

	buckets = clamp_t(u64, ram / WG_COOKIE_RAM_PER_BUCKET,
			  WG_COOKIE_BUCKETS_MIN, WG_COOKIE_BUCKETS_MAX);
	buckets = rounddown_pow_of_two(buckets);
	table = kvzalloc(struct_size(table, bucket, buckets),
			 GFP_KERNEL | __GFP_NOWARN);
	if (!table)
		return NULL;
	get_random_bytes(&table->hash_key, sizeof(table->hash_key));
	table->mask = buckets - 1;
	for (i = 0; i < buckets; i++)
		spin_lock_init(&table->bucket[i].lock);
	return table;
}

/* The table, made now if this is the first time that somebody needs it. */
static struct wg_cookie_table *wg_cookie_table_find(void)
{
	struct wg_cookie_table *table;

	/* Pairs with the release below: the table is seen initialised. */
	table = smp_load_acquire(&wg_cookie_table);
	if (table)
		return table;

	mutex_lock(&wg_cookie_table_mutex);
	table = wg_cookie_table;
	if (!table && !WARN_ON_ONCE(!wg_cookie_table_users)) {
		table = wg_cookie_table_create();
		/* Pairs with the acquire above, which takes no lock. */
		smp_store_release(&wg_cookie_table, table);
	}
	mutex_unlock(&wg_cookie_table_mutex);
	return table;
}

/* An IPv6 host has a /64 to itself, so that is one source (spec 2.9). */
static u64 wg_cookie_source_key(const struct wg_cookie_table *table,
				const struct wg_cookie_source *src)
{
	u64 prefix = 0;

	if (src->family == AF_INET)
		memcpy(&prefix, &src->v4, sizeof(src->v4));
	else
		memcpy(&prefix, &src->v6, sizeof(prefix));
	return siphash_3u64(src->netns, src->family, prefix, &table->hash_key);
}

/* One step of GCRA. A bucket holds a burst, and each message costs 50 ms. */
static bool wg_cookie_spend(struct wg_cookie_entry *entry, u64 now_ns)
{
	u64 start = max(entry->full_ns, now_ns);

	if (start - now_ns > (WG_COOKIE_BURST - 1) * WG_COOKIE_COST_NS)
		return false;
	entry->full_ns = start + WG_COOKIE_COST_NS;
	return true;
}

/* The entry of @key, else one to take over, else NULL: the bucket is full. */
static struct wg_cookie_entry *
wg_cookie_entry_find(struct wg_cookie_bucket *bucket, u64 key, u64 now_ns)
{
	struct wg_cookie_entry *entry, *free = NULL;

	lockdep_assert_held(&bucket->lock);

	for (entry = bucket->entry; entry < bucket->entry + WG_COOKIE_WAYS;
	     entry++) {
		if (entry->full_ns <= now_ns)
			free = entry;
		else if (entry->key == key)
			return entry;
	}
	if (free)
		free->key = key;
	return free;
}

/**
 * wg_cookie_ratelimit_allow_at() - may this source use our CPU at that time?
 * @src: who asks, its cookie being right
 * @now_ns: boottime; wg_cookie_ratelimit_allow() is for everybody but tests
 *
 * The caller acts for a device that holds wg_cookie_ratelimit_get(). Sources
 * that find all places of their bucket taken are refused, and so is everybody
 * if there is no memory for the table.
 *
 * Context: process, may sleep.
 * Return: true, and the source has paid for it; false if it may not.
 */
bool wg_cookie_ratelimit_allow_at(const struct wg_cookie_source *src,
				  u64 now_ns)
{
	struct wg_cookie_table *table = wg_cookie_table_find();
	struct wg_cookie_bucket *bucket;
	struct wg_cookie_entry *entry;
	bool allowed;
	u64 key;

	if (!table)
		return false;
	key = wg_cookie_source_key(table, src);
	bucket = &table->bucket[key & table->mask];

	spin_lock_bh(&bucket->lock);
	entry = wg_cookie_entry_find(bucket, key, now_ns);
	allowed = entry && wg_cookie_spend(entry, now_ns);
	spin_unlock_bh(&bucket->lock);
	return allowed;
}

/**
 * wg_cookie_ratelimit_allow() - may this source use our CPU now?
 * @src: who asks, its cookie being right
 *
 * WireGuard spec section: under load (2.9). 20 messages a second and source,
 * five of them at once; see wg_cookie_ratelimit_allow_at().
 *
 * Context: process, may sleep.
 * Return: true, and the source has paid for it; false if it may not.
 */
bool wg_cookie_ratelimit_allow(const struct wg_cookie_source *src)
{
	return wg_cookie_ratelimit_allow_at(src,
					    ktime_get_coarse_boottime_ns());
}

/**
 * wg_cookie_ratelimit_get() - a device is going to use the rate limiter
 *
 * Allocates nothing: the table is made when it is first needed.
 *
 * Context: process, may sleep.
 */
void wg_cookie_ratelimit_get(void)
{
	mutex_lock(&wg_cookie_table_mutex);
	wg_cookie_table_users++;
	mutex_unlock(&wg_cookie_table_mutex);
}

/**
 * wg_cookie_ratelimit_put() - a device has stopped to use the rate limiter
 *
 * The last one frees the table.
 *
 * Context: process, may sleep.
 */
void wg_cookie_ratelimit_put(void)
{
	mutex_lock(&wg_cookie_table_mutex);
	if (!--wg_cookie_table_users) {
		kvfree(wg_cookie_table);
		wg_cookie_table = NULL;
	}
	mutex_unlock(&wg_cookie_table_mutex);
}
