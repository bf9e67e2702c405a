// SPDX-License-Identifier: GPL-2.0
/*
 * Longest-prefix match: the facts of spec 6 one by one.
 */
#include "allowedips_kunit.h"

#include <linux/bottom_half.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/socket.h>
#include <linux/string.h>

/**
 * wg_allowedips_kunit_init() - an empty table and owners without prefixes
 * @test: its priv points to them afterwards
 *
 * Context: KUnit's init of a case.
 * Return: 0.
 */
int wg_allowedips_kunit_init(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx;
	int i;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	mutex_init(&ctx->lock);
	for (i = 0; i < WG_ALLOWEDIPS_KUNIT_OWNERS; i++)
		wg_allowedips_owner_init(&ctx->owner[i]);
	test->priv = ctx;
	return 0;
}

/**
 * wg_allowedips_kunit_exit() - empty the table of a case
 * @test: the case
 *
 * Context: KUnit's exit of a case.
 */
void wg_allowedips_kunit_exit(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;

	if (!ctx)
		return;
	mutex_lock(&ctx->lock);
	wg_allowedips_clear(&ctx->table, &ctx->lock);
	mutex_unlock(&ctx->lock);
	/* The owners go with the test, and readers could still have seen one. */
	synchronize_rcu();
}

/* "10.0.0.0/8" or "fd00::/8"; the length may be too long for the family. */
static void wg_allowedips_kunit_parse(struct kunit *test, const char *text,
				      struct wg_allowedips_prefix *prefix)
{
	const char *slash = strchr(text, '/');

	KUNIT_ASSERT_NOT_NULL(test, slash);
	memset(prefix, 0, sizeof(*prefix));
	KUNIT_ASSERT_EQ(test, kstrtou8(slash + 1, 10, &prefix->cidr), 0);
	prefix->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (prefix->family == AF_INET6)
		KUNIT_ASSERT_EQ(test, in6_pton(text, slash - text, prefix->addr,
					       -1, NULL), 1);
	else
		KUNIT_ASSERT_EQ(test, in4_pton(text, slash - text, prefix->addr,
					       -1, NULL), 1);
}

static int wg_allowedips_kunit_insert(struct kunit *test, int owner,
				      const char *text)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_prefix prefix;
	int err;

	wg_allowedips_kunit_parse(test, text, &prefix);
	mutex_lock(&ctx->lock);
	err = wg_allowedips_insert(&ctx->table, &ctx->owner[owner], &prefix,
				   &ctx->lock);
	mutex_unlock(&ctx->lock);
	return err;
}

static void wg_allowedips_kunit_add(struct kunit *test, int owner,
				    const char *text)
{
	KUNIT_ASSERT_EQ_MSG(test, wg_allowedips_kunit_insert(test, owner, text),
			    0, "%s", text);
}

static int wg_allowedips_kunit_remove(struct kunit *test, int owner,
				      const char *text)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_prefix prefix;
	int err;

	wg_allowedips_kunit_parse(test, text, &prefix);
	mutex_lock(&ctx->lock);
	err = wg_allowedips_remove(&ctx->table, &ctx->owner[owner], &prefix,
				   &ctx->lock);
	mutex_unlock(&ctx->lock);
	return err;
}

static void wg_allowedips_kunit_remove_owner(struct kunit *test, int owner)
{
	struct wg_allowedips_kunit *ctx = test->priv;

	mutex_lock(&ctx->lock);
	wg_allowedips_remove_owner(&ctx->table, &ctx->owner[owner], &ctx->lock);
	mutex_unlock(&ctx->lock);
}

static void wg_allowedips_kunit_clear(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;

	mutex_lock(&ctx->lock);
	wg_allowedips_clear(&ctx->table, &ctx->lock);
	mutex_unlock(&ctx->lock);
}

/* Index of an owner, or -1 for none. */
static int wg_allowedips_kunit_index(const struct wg_allowedips_kunit *ctx,
				     const struct wg_allowedips_owner *owner)
{
	return owner ? owner - ctx->owner : -1;
}

/**
 * wg_allowedips_kunit_lookup() - find an address of either family
 * @ctx: of the case
 * @family: AF_INET or AF_INET6
 * @addr: 4 or 16 bytes
 *
 * Context: Any.
 * Return: Index of the owner, or -1 for none.
 */
int wg_allowedips_kunit_lookup(const struct wg_allowedips_kunit *ctx,
			       u16 family, const u8 *addr)
{
	struct wg_allowedips_owner *owner;
	struct in6_addr addr6;
	__be32 addr4;

	rcu_read_lock();
	if (family == AF_INET) {
		memcpy(&addr4, addr, sizeof(addr4));
		owner = wg_allowedips_find4(&ctx->table, addr4);
	} else {
		memcpy(&addr6, addr, sizeof(addr6));
		owner = wg_allowedips_find6(&ctx->table, &addr6);
	}
	rcu_read_unlock();
	return wg_allowedips_kunit_index(ctx, owner);
}

static int wg_allowedips_kunit_find(struct kunit *test, const char *text)
{
	u8 addr[16];

	if (!strchr(text, ':')) {
		KUNIT_ASSERT_EQ(test, in4_pton(text, -1, addr, -1, NULL), 1);
		return wg_allowedips_kunit_lookup(test->priv, AF_INET, addr);
	}
	KUNIT_ASSERT_EQ(test, in6_pton(text, -1, addr, -1, NULL), 1);
	return wg_allowedips_kunit_lookup(test->priv, AF_INET6, addr);
}

/**
 * wg_allowedips_kunit_equal() - compare two prefixes
 * @a: one, masked
 * @b: the other one, masked
 *
 * Context: Any.
 * Return: Whether they are the same.
 */
bool wg_allowedips_kunit_equal(const struct wg_allowedips_prefix *a,
			       const struct wg_allowedips_prefix *b)
{
	return a->family == b->family && a->cidr == b->cidr &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* The owner's prefixes are exactly these, in this order; ends with NULL. */
static void wg_allowedips_kunit_expect_list(struct kunit *test, int owner,
					    const char *const *texts)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_prefix want, got;
	struct wg_allowedips_node *node = NULL;

	for (; *texts; texts++) {
		wg_allowedips_kunit_parse(test, *texts, &want);
		memset(&got, 0xff, sizeof(got));
		mutex_lock(&ctx->lock);
		node = wg_allowedips_next(&ctx->owner[owner], node);
		if (node)
			wg_allowedips_read(node, &got);
		mutex_unlock(&ctx->lock);
		KUNIT_EXPECT_TRUE_MSG(test,
				      wg_allowedips_kunit_equal(&want, &got),
				      "not %s but %16ph /%u", *texts, got.addr,
				      got.cidr);
		if (!node)
			return;
	}
	mutex_lock(&ctx->lock);
	KUNIT_EXPECT_NULL(test, wg_allowedips_next(&ctx->owner[owner], node));
	mutex_unlock(&ctx->lock);
}

#define WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, owner, ...)		\
	wg_allowedips_kunit_expect_list(test, owner,			\
		&((const char *const []){ NULL, ##__VA_ARGS__, NULL })[1])

static bool wg_allowedips_kunit_is_empty(const struct wg_allowedips_kunit *ctx)
{
	return !rcu_access_pointer(ctx->table.root4) &&
	       !rcu_access_pointer(ctx->table.root6);
}

static void wg_allowedips_find_prefers_more_specific(struct kunit *test)
{
	wg_allowedips_kunit_add(test, 0, "10.0.0.0/8");
	wg_allowedips_kunit_add(test, 1, "10.1.0.0/16");
	wg_allowedips_kunit_add(test, 2, "10.1.2.3/32");
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.0.255.255"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.1.0.0"), 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.1.255.255"), 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.2.0.0"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.1.2.3"), 2);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.1.2.2"), 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "11.0.0.0"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "9.255.255.255"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "::a00:1"), -1);

	/* Inserted the other way round, and on both sides of bit 64. */
	wg_allowedips_kunit_add(test, 2, "fd00::1:2:3:4/128");
	wg_allowedips_kunit_add(test, 1, "fd00::1:0:0:0/80");
	wg_allowedips_kunit_add(test, 3, "fd00::/64");
	wg_allowedips_kunit_add(test, 0, "fd00::/8");
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "fd00::1:2:3:4"), 2);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "fd00::1:2:3:5"), 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "fd00::2:0:0:0"), 3);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "fd00:0:0:1::"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "fe00::"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "253.0.0.0"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 7);
}

static void wg_allowedips_insert_ignores_host_bits(struct kunit *test)
{
	wg_allowedips_kunit_add(test, 0, "192.168.4.1/24");
	wg_allowedips_kunit_add(test, 0, "fd12::1/40");
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "192.168.4.77"), 0);

	wg_allowedips_kunit_add(test, 1, "192.168.4.254/24");
	wg_allowedips_kunit_add(test, 1, "fd12:0:ff::9/40");
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "192.168.4.1"), 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "fd12::1"), 1);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 1, "192.168.4.0/24", "fd12::/40");
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 2);
}

static void wg_allowedips_find_falls_back_to_default_routes(struct kunit *test)
{
	wg_allowedips_kunit_add(test, 1, "192.0.2.0/24");
	wg_allowedips_kunit_add(test, 0, "0.0.0.0/0");
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "0.0.0.0"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "255.255.255.255"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "192.0.2.1"), 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "::"), -1);

	wg_allowedips_kunit_add(test, 2, "::/0");
	wg_allowedips_kunit_add(test, 3, "8000::/1");
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "::"), 2);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "7fff::1"), 2);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "ffff::1"), 3);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "1.2.3.4"), 0);

	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "0.0.0.0/0"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "1.2.3.4"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "192.0.2.1"), 1);
}

static void wg_allowedips_remove_owner_leaves_no_host(struct kunit *test)
{
	static const char *const hosts[] = {
		"1.0.0.0", "64.0.0.0", "128.0.0.0", "192.0.0.0", "255.0.0.0",
	};
	char text[24];
	int i;

	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		snprintf(text, sizeof(text), "%s/32", hosts[i]);
		wg_allowedips_kunit_add(test, 0, text);
		KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, hosts[i]), 0);
	}
	wg_allowedips_kunit_add(test, 1, "64.0.0.1/32");
	wg_allowedips_kunit_remove_owner(test, 0);
	for (i = 0; i < ARRAY_SIZE(hosts); i++)
		KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, hosts[i]), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "64.0.0.1"), 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 1);
	wg_allowedips_kunit_remove_owner(test, 1);
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_is_empty(test->priv));
}

static void wg_allowedips_remove_owner_removes_nested(struct kunit *test)
{
	wg_allowedips_kunit_add(test, 0, "192.168.0.0/16");
	wg_allowedips_kunit_add(test, 0, "192.168.0.0/24");
	wg_allowedips_kunit_remove_owner(test, 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "192.168.0.1"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "192.168.1.1"), -1);
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_is_empty(test->priv));
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0);
}

static void wg_allowedips_remove_keeps_forking_branches(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_node *root;

	/* An owned node that forks loses its owner only. */
	wg_allowedips_kunit_add(test, 0, "10.0.0.0/8");
	wg_allowedips_kunit_add(test, 1, "10.0.0.0/16");
	wg_allowedips_kunit_add(test, 2, "10.128.0.0/16");
	root = rcu_dereference_protected(ctx->table.root4, true);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "10.0.0.0/8"), 0);
	KUNIT_EXPECT_PTR_EQ(test, rcu_dereference_protected(ctx->table.root4, true), root);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.64.0.0"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.128.0.0"), 2);

	/* It can get one again, in place. */
	wg_allowedips_kunit_add(test, 3, "10.0.0.0/8");
	KUNIT_EXPECT_PTR_EQ(test, rcu_dereference_protected(ctx->table.root4, true), root);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.64.0.0"), 3);
	wg_allowedips_kunit_remove_owner(test, 3);

	/* When it forks no longer its last child takes its place. */
	wg_allowedips_kunit_remove_owner(test, 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 1);
	root = rcu_dereference_protected(ctx->table.root4, true);
	KUNIT_ASSERT_NOT_NULL(test, root);
	KUNIT_EXPECT_EQ(test, (int)root->cidr, 16);
	wg_allowedips_kunit_remove_owner(test, 2);
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_is_empty(ctx));
}

/* Each address has another single bit: 127 branches, one below the other. */
static void wg_allowedips_kunit_chain(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_prefix prefix;
	int i, err = 0;

	mutex_lock(&ctx->lock);
	for (i = 0; i < 128 && !err; i++) {
		prefix = (struct wg_allowedips_prefix){
			.family = AF_INET6, .cidr = 128,
		};
		prefix.addr[i / 8] = 0x80 >> i % 8;
		err = wg_allowedips_insert(&ctx->table, &ctx->owner[i % 2],
					   &prefix, &ctx->lock);
	}
	mutex_unlock(&ctx->lock);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 128);
	for (i = 0; i < 128; i++) {
		memset(prefix.addr, 0, sizeof(prefix.addr));
		prefix.addr[i / 8] = 0x80 >> i % 8;
		KUNIT_EXPECT_EQ(test,
				wg_allowedips_kunit_lookup(ctx, AF_INET6,
							   prefix.addr), i % 2);
	}
}

static void wg_allowedips_clear_deep_chain(struct kunit *test)
{
	wg_allowedips_kunit_chain(test);
	wg_allowedips_kunit_clear(test);
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_is_empty(test->priv));
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 1);
}

static void wg_allowedips_remove_owner_deep_chain(struct kunit *test)
{
	wg_allowedips_kunit_chain(test);
	wg_allowedips_kunit_remove_owner(test, 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 64);
	wg_allowedips_kunit_remove_owner(test, 1);
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_is_empty(test->priv));
}

/* The deepest trie there is: each length of one address, 129 owned nodes. */
static void wg_allowedips_insert_all_lengths(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	char text[16];
	u8 addr[16];
	int i;

	for (i = 0; i <= 128; i++) {
		snprintf(text, sizeof(text), "::/%d", i);
		wg_allowedips_kunit_add(test, i % 3, text);
	}
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 129);
	for (i = 0; i < 128; i++) {
		memset(addr, 0, sizeof(addr));
		addr[i / 8] = 0x80 >> i % 8;
		KUNIT_EXPECT_EQ(test,
				wg_allowedips_kunit_lookup(ctx, AF_INET6, addr),
				i % 3);
	}
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "::"), 128 % 3);
	wg_allowedips_kunit_remove_owner(test, 0);
	wg_allowedips_kunit_remove_owner(test, 1);
	wg_allowedips_kunit_remove_owner(test, 2);
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_is_empty(ctx));
}

static void wg_allowedips_remove_exact_and_own_only(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	u32 generation[2];

	wg_allowedips_kunit_add(test, 0, "10.0.0.0/16");
	wg_allowedips_kunit_add(test, 1, "10.1.0.0/16");
	wg_allowedips_kunit_add(test, 0, "fd00::/64");
	generation[0] = ctx->owner[0].generation;
	generation[1] = ctx->owner[1].generation;

	/* Another owner's, longer, shorter, absent, a branch, other family. */
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 1, "10.0.0.0/16"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "10.0.0.0/17"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "10.0.0.0/8"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "10.2.0.0/16"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "10.0.0.0/15"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 2, "10.0.0.0/15"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "a00::/16"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "fd00::/65"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 1, "fd00::/64"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 3);
	KUNIT_EXPECT_EQ(test, ctx->owner[0].generation, generation[0]);
	KUNIT_EXPECT_EQ(test, ctx->owner[1].generation, generation[1]);

	/* Host bits do not matter, and once is enough. */
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "10.0.3.4/16"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "10.0.0.0/16"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.0.0.1"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.1.0.1"), 1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "fd00::1/64"), 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "fd00::1"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_check(test), 1);
}

static void wg_allowedips_lengths_beyond_family(struct kunit *test)
{
	struct wg_allowedips_prefix prefix = { .family = AF_UNSPEC };
	struct wg_allowedips_kunit *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_insert(test, 0, "10.0.0.0/33"), -EINVAL);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_insert(test, 0, "10.0.0.0/255"), -EINVAL);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_insert(test, 0, "fd00::/129"), -EINVAL);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "10.0.0.0/33"), -EINVAL);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_remove(test, 0, "fd00::/129"), -EINVAL);
	mutex_lock(&ctx->lock);
	KUNIT_EXPECT_EQ(test, wg_allowedips_insert(&ctx->table, &ctx->owner[0],
						   &prefix, &ctx->lock), -EINVAL);
	KUNIT_EXPECT_EQ(test, wg_allowedips_remove(&ctx->table, &ctx->owner[0],
						   &prefix, &ctx->lock), -EINVAL);
	mutex_unlock(&ctx->lock);
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_is_empty(ctx));
	KUNIT_EXPECT_EQ(test, ctx->owner[0].generation, 0U);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0);
}

static void wg_allowedips_read_is_masked(struct kunit *test)
{
	wg_allowedips_kunit_add(test, 0, "192.95.5.93/27");
	wg_allowedips_kunit_add(test, 0, "2607:5300:60:6b0::c05f:543/128");
	wg_allowedips_kunit_add(test, 0, "10.1.0.20/29");
	wg_allowedips_kunit_add(test, 0, "2607:5300:6d8a:6bf8:dab1:f1df:c05f:1523/83");
	wg_allowedips_kunit_add(test, 0, "2607:5300:6d8a:6bf8:dab1:f1df:c05f:1523/21");
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0, "192.95.5.64/27",
					"2607:5300:60:6b0::c05f:543/128",
					"10.1.0.16/29",
					"2607:5300:6d8a:6bf8:dab1:e000::/83",
					"2607:5000::/21");
}

static void wg_allowedips_next_in_order_of_insertion(struct kunit *test)
{
	wg_allowedips_kunit_add(test, 0, "10.3.0.0/16");
	wg_allowedips_kunit_add(test, 0, "fd03::/16");
	wg_allowedips_kunit_add(test, 0, "10.1.0.0/16");
	wg_allowedips_kunit_add(test, 1, "10.9.0.0/16");
	wg_allowedips_kunit_add(test, 0, "fd01::/16");
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0, "10.3.0.0/16", "fd03::/16",
					"10.1.0.0/16", "fd01::/16");

	/* Once more by the same owner: to the end. */
	wg_allowedips_kunit_add(test, 0, "fd03::/16");
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0, "10.3.0.0/16", "10.1.0.0/16",
					"fd01::/16", "fd03::/16");

	/* Taken from another owner: off its list, to the end of this one. */
	wg_allowedips_kunit_add(test, 1, "10.3.0.0/16");
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0, "10.1.0.0/16", "fd01::/16",
					"fd03::/16");
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 1, "10.9.0.0/16", "10.3.0.0/16");
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.3.0.0"), 1);

	/* The former owner takes nothing along that it has no more. */
	wg_allowedips_kunit_remove_owner(test, 0);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.3.0.0"), 1);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 1, "10.9.0.0/16", "10.3.0.0/16");
}

static void wg_allowedips_generation_tells_each_change(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	u32 before[2];
	int i;

	/* 0: insert, 1: again, 2: move, 3: remove, 4: remove_owner, 5: clear. */
	for (i = 0; i < 6; i++) {
		before[0] = ctx->owner[0].generation;
		before[1] = ctx->owner[1].generation;
		if (i == 3)
			wg_allowedips_kunit_remove(test, 1, "10.0.0.0/8");
		else if (i == 4)
			wg_allowedips_kunit_remove_owner(test, 1);
		else if (i == 5)
			wg_allowedips_kunit_clear(test);
		else
			wg_allowedips_kunit_insert(test, i == 2, "10.0.0.0/8");
		KUNIT_EXPECT_EQ_MSG(test, ctx->owner[0].generation == before[0],
				    i == 3 || i == 4 || i == 5, "step %d", i);
		KUNIT_EXPECT_EQ_MSG(test, ctx->owner[1].generation == before[1],
				    i == 0 || i == 1 || i == 4 || i == 5,
				    "step %d", i);
	}

	/* And with something to remove. */
	wg_allowedips_kunit_insert(test, 0, "10.0.0.0/8");
	wg_allowedips_kunit_insert(test, 1, "11.0.0.0/8");
	before[0] = ctx->owner[0].generation;
	before[1] = ctx->owner[1].generation;
	wg_allowedips_kunit_remove_owner(test, 0);
	KUNIT_EXPECT_NE(test, ctx->owner[0].generation, before[0]);
	KUNIT_EXPECT_EQ(test, ctx->owner[1].generation, before[1]);
	wg_allowedips_kunit_clear(test);
	KUNIT_EXPECT_NE(test, ctx->owner[1].generation, before[1]);
}

static void wg_allowedips_clear_resets_all_owners(struct kunit *test)
{
	wg_allowedips_kunit_add(test, 0, "10.0.0.0/8");
	wg_allowedips_kunit_add(test, 1, "10.1.0.0/16");
	wg_allowedips_kunit_add(test, 0, "10.2.0.0/16");
	wg_allowedips_kunit_add(test, 2, "::/0");
	wg_allowedips_kunit_clear(test);
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_is_empty(test->priv));
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "10.1.0.1"), -1);
	KUNIT_EXPECT_EQ(test, wg_allowedips_kunit_find(test, "::1"), -1);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 1);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 2);

	/* The lists are usable again, and once more is no harm. */
	wg_allowedips_kunit_add(test, 0, "10.3.0.0/16");
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0, "10.3.0.0/16");
	wg_allowedips_kunit_clear(test);
	wg_allowedips_kunit_clear(test);
	WG_ALLOWEDIPS_KUNIT_EXPECT_LIST(test, 0);
}

/* MIPS traps on a plain load; an address in a packet is at any place. */
static void wg_allowedips_find6_unaligned(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_owner *owner;
	u8 *buffer;
	int shift;

	buffer = kunit_kzalloc(test, 32, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buffer);
	wg_allowedips_kunit_add(test, 0, "2001:db8::1:2/128");
	for (shift = 0; shift < 8; shift++) {
		memset(buffer, 0xff, 32);
		KUNIT_ASSERT_EQ(test, in6_pton("2001:db8::1:2", -1,
					       buffer + shift, -1, NULL), 1);
		local_bh_disable();
		owner = wg_allowedips_find6(&ctx->table,
					    (const struct in6_addr *)(buffer + shift));
		local_bh_enable();
		KUNIT_EXPECT_PTR_EQ(test, owner, &ctx->owner[0]);
	}
}

static struct kunit_case wg_allowedips_kunit_cases[] = {
	KUNIT_CASE(wg_allowedips_find_prefers_more_specific),
	KUNIT_CASE(wg_allowedips_insert_ignores_host_bits),
	KUNIT_CASE(wg_allowedips_find_falls_back_to_default_routes),
	KUNIT_CASE(wg_allowedips_remove_owner_leaves_no_host),
	KUNIT_CASE(wg_allowedips_remove_owner_removes_nested),
	KUNIT_CASE(wg_allowedips_remove_keeps_forking_branches),
	KUNIT_CASE(wg_allowedips_clear_deep_chain),
	KUNIT_CASE(wg_allowedips_remove_owner_deep_chain),
	KUNIT_CASE(wg_allowedips_insert_all_lengths),
	KUNIT_CASE(wg_allowedips_remove_exact_and_own_only),
	KUNIT_CASE(wg_allowedips_lengths_beyond_family),
	KUNIT_CASE(wg_allowedips_read_is_masked),
	KUNIT_CASE(wg_allowedips_next_in_order_of_insertion),
	KUNIT_CASE(wg_allowedips_generation_tells_each_change),
	KUNIT_CASE(wg_allowedips_clear_resets_all_owners),
	KUNIT_CASE(wg_allowedips_find6_unaligned),
	{ }
};

static struct kunit_suite wg_allowedips_kunit_suite = {
	.name = "wireguard_allowedips",
	.init = wg_allowedips_kunit_init,
	.exit = wg_allowedips_kunit_exit,
	.test_cases = wg_allowedips_kunit_cases,
};

kunit_test_suites(&wg_allowedips_kunit_suite);
