// SPDX-License-Identifier: GPL-2.0
/*
 * Longest-prefix match: a random comparison with a
 * plain list, and lookups during changes.
 */
#include "allowedips_kunit.h"

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/string.h>

static uint wg_allowedips_kunit_seed;
module_param_named(allowedips_kunit_seed, wg_allowedips_kunit_seed, uint, 0444);
MODULE_PARM_DESC(allowedips_kunit_seed, "repeat a random run; 0 draws a seed");

static bool wg_allowedips_kunit_bit(const u8 *addr, unsigned int bit)
{
	return addr[bit / 8] >> (7 - bit % 8) & 1;
}

/**
 * wg_allowedips_kunit_covers() - whether an address lies in a prefix
 * @prefix: masked or not
 * @family: of the address
 * @addr: 4 or 16 bytes
 *
 * Bit by bit, on purpose: nothing in common with the code under test.
 *
 * Context: Any.
 * Return: Whether it does.
 */
bool wg_allowedips_kunit_covers(const struct wg_allowedips_prefix *prefix,
				u16 family, const u8 *addr)
{
	unsigned int i;

	if (prefix->family != family)
		return false;
	for (i = 0; i < prefix->cidr; i++)
		if (wg_allowedips_kunit_bit(prefix->addr, i) !=
		    wg_allowedips_kunit_bit(addr, i))
			return false;
	return true;
}

/*
 * Checks one node against its parent's expectations and returns the number of
 * its children.
 */
static int wg_allowedips_kunit_check_node(struct kunit *test,
					  struct wg_allowedips_node *node,
					  u16 family)
{
	struct wg_allowedips_prefix prefix, below;
	struct wg_allowedips_node *child;
	int i, bit, children = 0;

	wg_allowedips_read(node, &prefix);
	KUNIT_EXPECT_EQ(test, prefix.family, family);
	KUNIT_EXPECT_LE(test, (int)prefix.cidr, family == AF_INET ? 32 : 128);
	for (bit = prefix.cidr; bit < 128; bit++)
		if (wg_allowedips_kunit_bit(prefix.addr, bit))
			KUNIT_FAIL(test, "bit %d is not masked", bit);
	for (i = 0; i < 2; i++) {
		child = rcu_dereference_protected(node->child[i], true);
		if (!child)
			continue;
		children++;
		wg_allowedips_read(child, &below);
		if (below.cidr <= prefix.cidr) {
			KUNIT_FAIL(test, "/%u below /%u", below.cidr,
				   prefix.cidr);
			continue;
		}
		KUNIT_EXPECT_TRUE(test,
				  wg_allowedips_kunit_covers(&prefix, family,
							     below.addr));
		KUNIT_EXPECT_EQ(test, i,
				(int)wg_allowedips_kunit_bit(below.addr,
							     prefix.cidr));
	}
	if (!rcu_access_pointer(node->owner))
		KUNIT_EXPECT_EQ(test, children, 2);
	return children;
}

/* Returns the number of prefixes in a trie, all of whose nodes are checked. */
static int wg_allowedips_kunit_check_trie(struct kunit *test,
					  struct wg_allowedips_node *root,
					  u16 family)
{
	struct wg_allowedips_node *node, *child, **stack;
	int i, depth = 0, owned = 0;

	/* Depth first: at most one waiting sibling per level, and two. */
	stack = kunit_kcalloc(test, 132, sizeof(*stack), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, stack);
	if (root)
		stack[depth++] = root;
	while (depth) {
		node = stack[--depth];
		if (rcu_access_pointer(node->owner))
			owned++;
		wg_allowedips_kunit_check_node(test, node, family);
		for (i = 0; i < 2; i++) {
			child = rcu_dereference_protected(node->child[i], true);
			if (!child)
				continue;
			KUNIT_ASSERT_LT(test, depth, 132);
			stack[depth++] = child;
		}
	}
	kunit_kfree(test, stack);
	return owned;
}

/**
 * wg_allowedips_kunit_check() - check the structure of both tries
 * @test: fails if a node is misplaced, not masked, or a useless branch
 *
 * Context: Process context; no other thread may write.
 * Return: The number of prefixes in both.
 */
int wg_allowedips_kunit_check(struct kunit *test)
{
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_node *root4, *root6;

	root4 = rcu_dereference_protected(ctx->table.root4, true);
	root6 = rcu_dereference_protected(ctx->table.root6, true);
	return wg_allowedips_kunit_check_trie(test, root4, AF_INET) +
	       wg_allowedips_kunit_check_trie(test, root6, AF_INET6);
}

#define WG_ALLOWEDIPS_KUNIT_STEPS	6000
#define WG_ALLOWEDIPS_KUNIT_ENTRIES	256

/* The reference: an array in order of insertion, searched from end to end. */
struct wg_allowedips_kunit_model {
	struct rnd_state rnd;
	u32 seed;
	int step;
	int count;
	struct {
		struct wg_allowedips_prefix prefix;
		int owner;
	} entry[WG_ALLOWEDIPS_KUNIT_ENTRIES + 1];
};

static u32 wg_allowedips_kunit_below(struct wg_allowedips_kunit_model *model,
				     u32 limit)
{
	return prandom_u32_state(&model->rnd) % limit;
}

static void wg_allowedips_kunit_mask(struct wg_allowedips_prefix *prefix)
{
	int bit;

	for (bit = prefix->cidr; bit < 128; bit++)
		prefix->addr[bit / 8] &= ~(0x80 >> bit % 8);
}

/*
 * A prefix with host bits. Most are relatives of one that exists, since
 * independent random addresses never nest and hardly ever share a branch.
 */
static void wg_allowedips_kunit_draw(struct wg_allowedips_kunit_model *model,
				     struct wg_allowedips_prefix *prefix)
{
	int bits, flips, bit, i;

	prandom_bytes_state(&model->rnd, prefix->addr, sizeof(prefix->addr));
	prefix->family = wg_allowedips_kunit_below(model, 2) ? AF_INET6 : AF_INET;
	bits = prefix->family == AF_INET ? 32 : 128;
	prefix->cidr = wg_allowedips_kunit_below(model, bits + 1);
	if (!model->count || !wg_allowedips_kunit_below(model, 5))
		return;

	i = wg_allowedips_kunit_below(model, model->count);
	bits = model->entry[i].prefix.family == AF_INET ? 32 : 128;
	prefix->family = model->entry[i].prefix.family;
	if (wg_allowedips_kunit_below(model, 2))
		prefix->cidr = model->entry[i].prefix.cidr;
	else
		prefix->cidr = wg_allowedips_kunit_below(model, bits + 1);
	for (bit = 0; bit < model->entry[i].prefix.cidr; bit++) {
		prefix->addr[bit / 8] &= ~(0x80 >> bit % 8);
		prefix->addr[bit / 8] |= model->entry[i].prefix.addr[bit / 8] &
					 0x80 >> bit % 8;
	}
	for (flips = wg_allowedips_kunit_below(model, 3); flips; flips--) {
		bit = wg_allowedips_kunit_below(model, bits);
		prefix->addr[bit / 8] ^= 0x80 >> bit % 8;
	}
}

static void wg_allowedips_kunit_model_erase(struct wg_allowedips_kunit_model *model,
					    int at)
{
	model->count--;
	memmove(&model->entry[at], &model->entry[at + 1],
		(model->count - at) * sizeof(model->entry[0]));
}

/* Erases an exact prefix, if it is the owner's or @owner is negative. */
static void wg_allowedips_kunit_model_remove(struct wg_allowedips_kunit_model *model,
					     int owner,
					     struct wg_allowedips_prefix prefix)
{
	int i;

	wg_allowedips_kunit_mask(&prefix);
	for (i = 0; i < model->count; i++) {
		if (!wg_allowedips_kunit_equal(&model->entry[i].prefix, &prefix))
			continue;
		if (owner < 0 || model->entry[i].owner == owner)
			wg_allowedips_kunit_model_erase(model, i);
		return;
	}
}

static void wg_allowedips_kunit_model_remove_owner(struct wg_allowedips_kunit_model *model,
						   int owner)
{
	int i;

	for (i = model->count - 1; i >= 0; i--)
		if (model->entry[i].owner == owner)
			wg_allowedips_kunit_model_erase(model, i);
}

static void wg_allowedips_kunit_model_insert(struct wg_allowedips_kunit_model *model,
					     int owner,
					     struct wg_allowedips_prefix prefix)
{
	wg_allowedips_kunit_model_remove(model, -1, prefix);
	wg_allowedips_kunit_mask(&prefix);
	model->entry[model->count].prefix = prefix;
	model->entry[model->count++].owner = owner;
}

static int wg_allowedips_kunit_model_find(const struct wg_allowedips_kunit_model *model,
					  u16 family, const u8 *addr)
{
	int i, cidr = -1, owner = -1;

	for (i = 0; i < model->count; i++) {
		if (model->entry[i].prefix.cidr <= cidr ||
		    !wg_allowedips_kunit_covers(&model->entry[i].prefix, family,
						addr))
			continue;
		cidr = model->entry[i].prefix.cidr;
		owner = model->entry[i].owner;
	}
	return owner;
}

/* One random change, to the table and to the reference. */
static void wg_allowedips_kunit_model_step(struct kunit *test,
					   struct wg_allowedips_kunit_model *model)
{
	int owner = wg_allowedips_kunit_below(model, WG_ALLOWEDIPS_KUNIT_OWNERS);
	u32 dice = wg_allowedips_kunit_below(model, 1000);
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_prefix prefix;
	int err = 0, i;

	wg_allowedips_kunit_draw(model, &prefix);
	if (model->count == WG_ALLOWEDIPS_KUNIT_ENTRIES)
		dice = wg_allowedips_kunit_below(model, 2);
	mutex_lock(&ctx->lock);
	if (dice < 1) {
		wg_allowedips_clear(&ctx->table, &ctx->lock);
		model->count = 0;
	} else if (dice < 4) {
		wg_allowedips_remove_owner(&ctx->table, &ctx->owner[owner],
					   &ctx->lock);
		wg_allowedips_kunit_model_remove_owner(model, owner);
	} else if (dice < 400) {
		if (model->count && dice < 250) {
			i = wg_allowedips_kunit_below(model, model->count);
			prefix = model->entry[i].prefix;
			if (dice < 150)
				owner = model->entry[i].owner;
		}
		err = wg_allowedips_remove(&ctx->table, &ctx->owner[owner],
					   &prefix, &ctx->lock);
		wg_allowedips_kunit_model_remove(model, owner, prefix);
	} else {
		err = wg_allowedips_insert(&ctx->table, &ctx->owner[owner],
					   &prefix, &ctx->lock);
		wg_allowedips_kunit_model_insert(model, owner, prefix);
	}
	mutex_unlock(&ctx->lock);
	KUNIT_ASSERT_EQ(test, err, 0);
}

static void wg_allowedips_kunit_model_compare_finds(struct kunit *test,
						    struct wg_allowedips_kunit_model *model)
{
	struct wg_allowedips_prefix prefix;
	int i, want, got;

	for (i = 0; i < 6; i++) {
		wg_allowedips_kunit_draw(model, &prefix);
		want = wg_allowedips_kunit_model_find(model, prefix.family,
						      prefix.addr);
		got = wg_allowedips_kunit_lookup(test->priv, prefix.family,
						 prefix.addr);
		KUNIT_ASSERT_EQ_MSG(test, got, want,
				    "seed %u step %d family %u address %16ph",
				    model->seed, model->step, prefix.family,
				    prefix.addr);
	}
}

static void wg_allowedips_kunit_model_compare_lists(struct kunit *test,
						    struct wg_allowedips_kunit_model *model)
{
	struct wg_allowedips_node *node[WG_ALLOWEDIPS_KUNIT_OWNERS] = { };
	struct wg_allowedips_kunit *ctx = test->priv;
	struct wg_allowedips_prefix got;
	int i, owner;

	/* No other thread writes: the lock would only hinder the asserts. */
	for (i = 0; i < model->count; i++) {
		owner = model->entry[i].owner;
		node[owner] = wg_allowedips_next(&ctx->owner[owner], node[owner]);
		KUNIT_ASSERT_NOT_NULL_MSG(test, node[owner], "seed %u step %d",
					  model->seed, model->step);
		wg_allowedips_read(node[owner], &got);
		KUNIT_ASSERT_TRUE_MSG(test,
				      wg_allowedips_kunit_equal(&model->entry[i].prefix,
								&got),
				      "seed %u step %d", model->seed,
				      model->step);
	}
	for (i = 0; i < WG_ALLOWEDIPS_KUNIT_OWNERS; i++)
		KUNIT_ASSERT_NULL_MSG(test,
				      wg_allowedips_next(&ctx->owner[i], node[i]),
				      "seed %u step %d", model->seed,
				      model->step);
	KUNIT_ASSERT_EQ_MSG(test, wg_allowedips_kunit_check(test), model->count,
			    "seed %u step %d", model->seed, model->step);
}

static void wg_allowedips_random_like_plain_list(struct kunit *test)
{
	struct wg_allowedips_kunit_model *model;
	int most = 0;

	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	model->seed = wg_allowedips_kunit_seed ?: get_random_u32();
	kunit_info(test, "allowedips_kunit_seed=%u", model->seed);
	prandom_seed_state(&model->rnd, model->seed);
	for (; model->step < WG_ALLOWEDIPS_KUNIT_STEPS; model->step++) {
		wg_allowedips_kunit_model_step(test, model);
		wg_allowedips_kunit_model_compare_finds(test, model);
		if (model->step % 32 == 0)
			wg_allowedips_kunit_model_compare_lists(test, model);
		most = max(most, model->count);
		cond_resched();
	}
	wg_allowedips_kunit_model_compare_lists(test, model);
	/* A run that hardly ever held anything would prove nothing. */
	KUNIT_EXPECT_GT(test, most, WG_ALLOWEDIPS_KUNIT_ENTRIES / 8);
}

#define WG_ALLOWEDIPS_KUNIT_READERS	3

/* An owner that is destroyed as the callers of the unit have to do it. */
struct wg_allowedips_kunit_mortal {
	struct wg_allowedips_owner owner;
	bool alive;
	struct rcu_head rcu;
};

struct wg_allowedips_kunit_stress {
	struct wg_allowedips table;
	struct mutex lock;	/* protects table and the owners' lists */
	struct wg_allowedips_kunit_mortal fixed[3];
	atomic_t wrong;
	atomic_t dead;
	atomic_t lookups[WG_ALLOWEDIPS_KUNIT_READERS];
	atomic_t next_reader;
};

static void wg_allowedips_kunit_mortal_free_rcu(struct rcu_head *rcu)
{
	struct wg_allowedips_kunit_mortal *mortal;

	mortal = container_of(rcu, struct wg_allowedips_kunit_mortal, rcu);
	WRITE_ONCE(mortal->alive, false);
	kfree(mortal);
}

/* 0..2 for the fixed owners, 3 for a mortal one, -1 for none. */
static int wg_allowedips_kunit_stress_find(struct wg_allowedips_kunit_stress *stress,
					   u32 addr)
{
	struct wg_allowedips_kunit_mortal *mortal;
	struct wg_allowedips_owner *owner;
	int i;

	rcu_read_lock();
	owner = wg_allowedips_find4(&stress->table, cpu_to_be32(addr));
	if (!owner) {
		rcu_read_unlock();
		return -1;
	}
	mortal = container_of(owner, struct wg_allowedips_kunit_mortal, owner);
	if (!READ_ONCE(mortal->alive))
		atomic_inc(&stress->dead);
	rcu_read_unlock();
	for (i = 0; i < ARRAY_SIZE(stress->fixed); i++)
		if (owner == &stress->fixed[i].owner)
			return i;
	return ARRAY_SIZE(stress->fixed);
}

/*
 * While the writer works: 172.16.0.0/12 always belongs to 0, 10.0.0.0/24 goes
 * back and forth between 1 and 2, the rest of 10.0.0.0/8 comes and goes with
 * mortal owners in front of the default route of 0.
 */
static int wg_allowedips_kunit_stress_reader(void *data)
{
	struct wg_allowedips_kunit_stress *stress = data;
	int owner, index = atomic_inc_return(&stress->next_reader) - 1;
	struct rnd_state rnd;
	u32 random;

	prandom_seed_state(&rnd, index);
	while (!kthread_should_stop()) {
		random = prandom_u32_state(&rnd);
		owner = wg_allowedips_kunit_stress_find(stress, 0xac100001);
		if (owner != 0)
			atomic_inc(&stress->wrong);
		owner = wg_allowedips_kunit_stress_find(stress, 0x0a000000 | (random & 0xff));
		if (owner != 1 && owner != 2)
			atomic_inc(&stress->wrong);
		owner = wg_allowedips_kunit_stress_find(stress, 0x0a010000 | (random & 0x3ffff));
		if (owner != 0 && owner != 3)
			atomic_inc(&stress->wrong);
		atomic_inc(&stress->lookups[index]);
		/* User-Mode Linux preempts nothing, though it says it would. */
		if (need_resched())
			schedule();
	}
	return 0;
}

static int wg_allowedips_kunit_stress_insert(struct wg_allowedips_kunit_stress *stress,
					     struct wg_allowedips_owner *owner,
					     u32 addr, u8 cidr)
{
	struct wg_allowedips_prefix prefix = {
		.family = AF_INET, .cidr = cidr,
	};
	__be32 addr4 = cpu_to_be32(addr);
	int err;

	memcpy(prefix.addr, &addr4, sizeof(addr4));
	mutex_lock(&stress->lock);
	err = wg_allowedips_insert(&stress->table, owner, &prefix,
				   &stress->lock);
	mutex_unlock(&stress->lock);
	return err;
}

/* One life of an owner, and one move of the prefix that is never without. */
static int wg_allowedips_kunit_stress_change(struct wg_allowedips_kunit_stress *stress,
					     struct rnd_state *rnd)
{
	struct wg_allowedips_kunit_mortal *mortal;
	u32 random;
	int i, err;

	mortal = kzalloc(sizeof(*mortal), GFP_KERNEL);
	if (!mortal)
		return -ENOMEM;
	wg_allowedips_owner_init(&mortal->owner);
	mortal->alive = true;
	random = prandom_u32_state(rnd);
	err = wg_allowedips_kunit_stress_insert(stress,
						&stress->fixed[1 + random % 2].owner,
						0x0a000000, 24);
	for (i = 0; i < 8 && !err; i++) {
		random = prandom_u32_state(rnd);
		err = wg_allowedips_kunit_stress_insert(stress, &mortal->owner,
							0x0a010000 | (random & 0x3ffff),
							17 + random % 16);
	}
	mutex_lock(&stress->lock);
	wg_allowedips_remove_owner(&stress->table, &mortal->owner,
				   &stress->lock);
	mutex_unlock(&stress->lock);
	call_rcu(&mortal->rcu, wg_allowedips_kunit_mortal_free_rcu);
	return err;
}

static bool wg_allowedips_kunit_stress_is_enough(struct wg_allowedips_kunit_stress *stress,
						 unsigned long start, int changes)
{
	int i;

	if (time_before(jiffies, start + HZ) || changes < 1000)
		return false;
	for (i = 0; i < WG_ALLOWEDIPS_KUNIT_READERS; i++)
		if (atomic_read(&stress->lookups[i]) < 1000)
			return false;
	return true;
}

static void wg_allowedips_find_during_changes(struct kunit *test)
{
	struct task_struct *reader[WG_ALLOWEDIPS_KUNIT_READERS];
	struct wg_allowedips_kunit_stress *stress;
	unsigned long start = jiffies;
	int i, err, wrong, changes = 0, started = 0;
	struct rnd_state rnd;

	stress = kunit_kzalloc(test, sizeof(*stress), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, stress);
	mutex_init(&stress->lock);
	for (i = 0; i < ARRAY_SIZE(stress->fixed); i++) {
		wg_allowedips_owner_init(&stress->fixed[i].owner);
		stress->fixed[i].alive = true;
	}
	prandom_seed_state(&rnd, 99);
	err = wg_allowedips_kunit_stress_insert(stress, &stress->fixed[0].owner, 0, 0);
	err = err ?: wg_allowedips_kunit_stress_insert(stress, &stress->fixed[0].owner,
						       0xac100000, 12);
	err = err ?: wg_allowedips_kunit_stress_insert(stress, &stress->fixed[1].owner,
						       0x0a000000, 24);

	/* No assert while the threads run: they use memory of the test. */
	for (; !err && started < WG_ALLOWEDIPS_KUNIT_READERS; started++) {
		reader[started] = kthread_run(wg_allowedips_kunit_stress_reader,
					      stress, "wg_aips_%d", started);
		if (IS_ERR(reader[started])) {
			err = PTR_ERR(reader[started]);
			break;
		}
	}
	while (!err && time_before(jiffies, start + 30 * HZ) &&
	       !wg_allowedips_kunit_stress_is_enough(stress, start, changes)) {
		err = wg_allowedips_kunit_stress_change(stress, &rnd);
		changes++;
		cond_resched();
	}
	KUNIT_EXPECT_TRUE(test, wg_allowedips_kunit_stress_is_enough(stress, start, changes));

	/* The last lookups meet a table that is being cleared: none is wrong. */
	wrong = atomic_read(&stress->wrong);
	mutex_lock(&stress->lock);
	wg_allowedips_clear(&stress->table, &stress->lock);
	mutex_unlock(&stress->lock);
	while (started--)
		kthread_stop(reader[started]);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&stress->dead), 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	kunit_info(test, "%d changes, %d lookups", 10 * changes,
		   3 * atomic_read(&stress->lookups[0]));
}

static struct kunit_case wg_allowedips_kunit_random_cases[] = {
	KUNIT_CASE(wg_allowedips_random_like_plain_list),
	KUNIT_CASE(wg_allowedips_find_during_changes),
	{ }
};

static struct kunit_suite wg_allowedips_kunit_random_suite = {
	.name = "wireguard_allowedips_random",
	.init = wg_allowedips_kunit_init,
	.exit = wg_allowedips_kunit_exit,
	.test_cases = wg_allowedips_kunit_random_cases,
};

kunit_test_suites(&wg_allowedips_kunit_random_suite);
