// SPDX-License-Identifier: GPL-2.0
/*
 * Longest-prefix match from addresses to owners (spec 6).
 *
 * Layer 1. A path-compressed binary trie per family. A node is never changed
 * where readers could mistake it: address and length are fixed for life, only
 * the owner and the two children are replaced, one pointer at a time. So each
 * change takes effect for readers at one store, and they need no retry.
 *
 * Nothing recurses: a path has at most 129 nodes, but a kernel stack is small.
 */
#include "allowedips.h"

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/unaligned.h>

static_assert(sizeof(struct wg_allowedips_node) <= 64);

/* A prefix checked and in host order; its host bits are never looked at. */
struct wg_allowedips_key {
	u64 bits[2];
	u8 cidr;
	u8 family;
};

/* A place in a trie: @node is what @slot holds, @parent holds @slot. */
struct wg_allowedips_place {
	struct wg_allowedips_node __rcu **slot;
	struct wg_allowedips_node *node;
	struct wg_allowedips_node __rcu **parent_slot;
	struct wg_allowedips_node *parent;
};

static struct kmem_cache *wg_allowedips_cache __ro_after_init;

static __always_inline unsigned int
wg_allowedips_common(const u64 a[2], const u64 b[2])
{
	u64 differ = a[0] ^ b[0];

	if (differ)
		return 64 - fls64(differ);
	return 128 - fls64(a[1] ^ b[1]);
}

/*
 * The bit behind the first @cidr ones. There is none behind 128: the answer is
 * then some bit of the address, never a read beyond it, and such a node has no
 * children. The same holds for IPv4 behind 32.
 */
static __always_inline unsigned int
wg_allowedips_bit(const u64 bits[2], unsigned int cidr)
{
	return (bits[(cidr >> 6) & 1] >> (~cidr & 63)) & 1;
}

static u64 wg_allowedips_mask(int ones)
{
	if (ones <= 0)
		return 0;
	return ones >= 64 ? U64_MAX : ~(U64_MAX >> ones);
}

static void wg_allowedips_load6(u64 bits[2], const u8 addr[16])
{
	/* Addresses in packets are aligned to two bytes on some routers. */
	bits[0] = get_unaligned_be64(addr);
	bits[1] = get_unaligned_be64(addr + 8);
}

static int wg_allowedips_parse(struct wg_allowedips_key *key,
			       const struct wg_allowedips_prefix *prefix)
{
	switch (prefix->family) {
	case AF_INET:
		if (prefix->cidr > 32)
			return -EINVAL;
		key->bits[0] = (u64)get_unaligned_be32(prefix->addr) << 32;
		key->bits[1] = 0;
		break;
	case AF_INET6:
		if (prefix->cidr > 128)
			return -EINVAL;
		wg_allowedips_load6(key->bits, prefix->addr);
		break;
	default:
		return -EINVAL;
	}
	key->cidr = prefix->cidr;
	key->family = prefix->family;
	return 0;
}

static struct wg_allowedips_node *
wg_allowedips_create(const struct wg_allowedips_key *key, unsigned int cidr)
{
	struct wg_allowedips_node *node;

	node = kmem_cache_zalloc(wg_allowedips_cache, GFP_KERNEL);
	if (!node)
		return NULL;
	node->bits[0] = key->bits[0] & wg_allowedips_mask(cidr);
	node->bits[1] = key->bits[1] & wg_allowedips_mask((int)cidr - 64);
	node->cidr = cidr;
	node->family = key->family;
	return node;
}

static void wg_allowedips_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(wg_allowedips_cache,
			container_of(rcu, struct wg_allowedips_node, rcu));
}

/*
 * Stops at the node of exactly @key (then returns true) or where it would have
 * to be inserted: at an empty slot, or at a node that @key does not lie below.
 */
static bool wg_allowedips_seek(struct wg_allowedips_place *at,
			       struct wg_allowedips *table,
			       const struct wg_allowedips_key *key,
			       struct mutex *lock)
{
	struct wg_allowedips_node *node;

	lockdep_assert_held(lock);
	*at = (struct wg_allowedips_place){
		.slot = key->family == AF_INET ? &table->root4 : &table->root6,
	};
	for (;;) {
		node = rcu_dereference_protected(*at->slot,
						 lockdep_is_held(lock));
		at->node = node;
		if (!node || node->cidr > key->cidr ||
		    wg_allowedips_common(node->bits, key->bits) < node->cidr)
			return false;
		if (node->cidr == key->cidr)
			return true;
		at->parent_slot = at->slot;
		at->parent = node;
		at->slot = &node->child[wg_allowedips_bit(key->bits,
							  node->cidr)];
	}
}

/* Inserts a node without an owner where seek stopped; NULL if out of memory. */
static struct wg_allowedips_node *
wg_allowedips_grow(const struct wg_allowedips_place *at,
		   const struct wg_allowedips_key *key)
{
	struct wg_allowedips_node *node, *top;
	unsigned int common;

	node = wg_allowedips_create(key, key->cidr);
	if (!node)
		return NULL;
	if (!at->node) {
		rcu_assign_pointer(*at->slot, node);
		return node;
	}

	top = node;
	common = wg_allowedips_common(at->node->bits, key->bits);
	common = min_t(unsigned int, common, key->cidr);
	if (common < key->cidr) {
		top = wg_allowedips_create(key, common);
		if (!top) {
			kmem_cache_free(wg_allowedips_cache, node);
			return NULL;
		}
		RCU_INIT_POINTER(top->child[wg_allowedips_bit(key->bits,
							      common)], node);
	}
	RCU_INIT_POINTER(top->child[wg_allowedips_bit(at->node->bits, common)],
			 at->node);
	/* The subtrie stays reachable: by the old slot, then via top. */
	rcu_assign_pointer(*at->slot, top);
	return node;
}

/* Takes the node off its owner's list, if it has an owner. */
static void wg_allowedips_disown(struct wg_allowedips_node *node,
				 struct mutex *lock)
{
	struct wg_allowedips_owner *owner;

	lockdep_assert_held(lock);
	owner = rcu_dereference_protected(node->owner, lockdep_is_held(lock));
	if (!owner)
		return;
	list_del(&node->owned);
	owner->generation++;
}

/* Removes the owned node at @at and keeps the rule that branches fork. */
static void wg_allowedips_unlink(struct wg_allowedips_place *at,
				 struct mutex *lock)
{
	struct wg_allowedips_node *node = at->node, *parent = at->parent;
	struct wg_allowedips_node *left, *right;

	lockdep_assert_held(lock);
	wg_allowedips_disown(node, lock);
	/* Also for readers that stand on a node which is about to be freed. */
	RCU_INIT_POINTER(node->owner, NULL);
	left = rcu_dereference_protected(node->child[0], lockdep_is_held(lock));
	right = rcu_dereference_protected(node->child[1],
					  lockdep_is_held(lock));
	if (left && right)
		return;
	rcu_assign_pointer(*at->slot, left ?: right);
	call_rcu(&node->rcu, wg_allowedips_free_rcu);
	if (left || right || !parent || rcu_access_pointer(parent->owner))
		return;

	/* The parent forked only for this node: its other child replaces it. */
	left = rcu_dereference_protected(parent->child[0],
					 lockdep_is_held(lock));
	right = rcu_dereference_protected(parent->child[1],
					  lockdep_is_held(lock));
	rcu_assign_pointer(*at->parent_slot, left ?: right);
	call_rcu(&parent->rcu, wg_allowedips_free_rcu);
}

/**
 * wg_allowedips_init() - create the cache that all tables take nodes from
 *
 * Context: Process context, once per module load.
 * Return: 0 or -ENOMEM.
 */
int wg_allowedips_init(void)
{
	/*
	 * Whoever has CAP_NET_ADMIN in a user namespace of his own may insert
	 * without limit (spec 6): charge it to his memory cgroup.
	 */
	wg_allowedips_cache = KMEM_CACHE(wg_allowedips_node,
					 SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	return wg_allowedips_cache ? 0 : -ENOMEM;
}

/**
 * wg_allowedips_fini() - destroy the cache
 *
 * All tables must have been cleared.
 *
 * Context: Process context; waits for the nodes still to be freed by RCU.
 */
void wg_allowedips_fini(void)
{
	/* Nodes on their way back into the cache, which must not be gone. */
	rcu_barrier();
	kmem_cache_destroy(wg_allowedips_cache);
}

/**
 * wg_allowedips_owner_init() - prepare an owner without prefixes
 * @owner: embedded in the object that a lookup shall find; its memory must
 *	outlive its prefixes by an RCU grace period
 *
 * Context: Any.
 */
void wg_allowedips_owner_init(struct wg_allowedips_owner *owner)
{
	INIT_LIST_HEAD(&owner->prefixes);
	owner->generation = 0;
}

/**
 * wg_allowedips_insert() - give a prefix to an owner (spec 6)
 * @table: the device's tries
 * @owner: new owner; no reference is taken
 * @prefix: host bits are ignored
 * @lock: protects @table and all owners' lists; held
 *
 * A prefix has one owner: if exactly this one exists it moves to the end of
 * @owner's list, whoever had it before.
 *
 * Context: Process context, may sleep for memory. Readers see the old or the
 *	new owner, nothing else.
 * Return: 0, -EINVAL for a length or family that does not exist, or -ENOMEM
 *	with nothing changed.
 */
int wg_allowedips_insert(struct wg_allowedips *table,
			 struct wg_allowedips_owner *owner,
			 const struct wg_allowedips_prefix *prefix,
			 struct mutex *lock)
{
	struct wg_allowedips_place at;
	struct wg_allowedips_node *node;
	struct wg_allowedips_key key;
	int err;

	lockdep_assert_held(lock);
	err = wg_allowedips_parse(&key, prefix);
	if (err)
		return err;

	if (wg_allowedips_seek(&at, table, &key, lock))
		node = at.node;
	else
		node = wg_allowedips_grow(&at, &key);
	if (!node)
		return -ENOMEM;

	wg_allowedips_disown(node, lock);
	list_add_tail(&node->owned, &owner->prefixes);
	owner->generation++;
	rcu_assign_pointer(node->owner, owner);
	return 0;
}

/**
 * wg_allowedips_remove() - take a prefix from an owner (spec 6)
 * @table: the device's tries
 * @owner: only its own prefix is removed
 * @prefix: only exactly this one is removed; host bits are ignored
 * @lock: protects @table and all owners' lists; held
 *
 * Context: Process context.
 * Return: 0, also if there is nothing to remove; -EINVAL for a length or
 *	family that does not exist.
 */
int wg_allowedips_remove(struct wg_allowedips *table,
			 struct wg_allowedips_owner *owner,
			 const struct wg_allowedips_prefix *prefix,
			 struct mutex *lock)
{
	struct wg_allowedips_place at;
	struct wg_allowedips_key key;
	int err;

	lockdep_assert_held(lock);
	err = wg_allowedips_parse(&key, prefix);
	if (err)
		return err;

	if (wg_allowedips_seek(&at, table, &key, lock) &&
	    rcu_access_pointer(at.node->owner) == owner)
		wg_allowedips_unlink(&at, lock);
	return 0;
}

/**
 * wg_allowedips_remove_owner() - take all prefixes from an owner (spec 6)
 * @table: the device's tries
 * @owner: has no prefix afterwards; may still be found until an RCU grace
 *	period has passed
 * @lock: protects @table and all owners' lists; held
 *
 * Context: Process context, may sleep.
 */
void wg_allowedips_remove_owner(struct wg_allowedips *table,
				struct wg_allowedips_owner *owner,
				struct mutex *lock)
{
	struct wg_allowedips_node *node, *next;
	struct wg_allowedips_place at;
	struct wg_allowedips_key key;

	lockdep_assert_held(lock);
	/* Never frees @next: an unlinked parent is on nobody's list. */
	list_for_each_entry_safe(node, next, &owner->prefixes, owned) {
		key.bits[0] = node->bits[0];
		key.bits[1] = node->bits[1];
		key.cidr = node->cidr;
		key.family = node->family;
		if (!WARN_ON_ONCE(!wg_allowedips_seek(&at, table, &key, lock)))
			wg_allowedips_unlink(&at, lock);
		cond_resched();
	}
}

/* Moves the node of a slot, if there is one, from its owner's list to @dead. */
static void wg_allowedips_collect(struct wg_allowedips_node __rcu **slot,
				  struct list_head *dead, struct mutex *lock)
{
	struct wg_allowedips_node *node;

	lockdep_assert_held(lock);
	node = rcu_dereference_protected(*slot, lockdep_is_held(lock));
	if (!node)
		return;
	wg_allowedips_disown(node, lock);
	list_add_tail(&node->owned, dead);
}

/**
 * wg_allowedips_clear() - take all prefixes from all owners
 * @table: empty afterwards
 * @lock: protects @table and all owners' lists; held
 *
 * Lookups that begin later find nothing; one that has begun may still find an
 * owner until an RCU grace period has passed. Waits for none.
 *
 * Context: Process context, may sleep.
 */
void wg_allowedips_clear(struct wg_allowedips *table, struct mutex *lock)
{
	struct wg_allowedips_node *node, *next;
	LIST_HEAD(dead);

	lockdep_assert_held(lock);
	/*
	 * Readers may still walk the detached nodes, but never by their list
	 * links. So these become the queue of a breadth-first walk, which
	 * grows at its tail while it is walked and needs no stack.
	 */
	wg_allowedips_collect(&table->root4, &dead, lock);
	wg_allowedips_collect(&table->root6, &dead, lock);
	RCU_INIT_POINTER(table->root4, NULL);
	RCU_INIT_POINTER(table->root6, NULL);
	list_for_each_entry(node, &dead, owned) {
		wg_allowedips_collect(&node->child[0], &dead, lock);
		wg_allowedips_collect(&node->child[1], &dead, lock);
		cond_resched();
	}

	/* From here on the links are overwritten by their RCU heads. */
	list_for_each_entry_safe(node, next, &dead, owned)
		call_rcu(&node->rcu, wg_allowedips_free_rcu);
}

static __always_inline struct wg_allowedips_owner *
wg_allowedips_walk(const struct wg_allowedips_node *node, const u64 bits[2])
{
	struct wg_allowedips_owner *owner, *found = NULL;
	unsigned int bit;

	while (node && wg_allowedips_common(node->bits, bits) >= node->cidr) {
		owner = rcu_dereference_check(node->owner,
					      rcu_read_lock_bh_held());
		if (owner)
			found = owner;
		bit = wg_allowedips_bit(bits, node->cidr);
		node = rcu_dereference_check(node->child[bit],
					     rcu_read_lock_bh_held());
	}
	return found;
}

/**
 * wg_allowedips_find4() - owner of the longest prefix that covers an address
 * @table: the device's tries
 * @addr: IPv4 address
 *
 * Context: rcu_read_lock() or BH disabled. The owner is valid inside the same
 *	critical section only, it may already be on its way to destruction, and
 *	no reference is taken.
 * Return: The owner, or NULL if no prefix covers @addr.
 */
struct wg_allowedips_owner *
wg_allowedips_find4(const struct wg_allowedips *table, __be32 addr)
{
	const struct wg_allowedips_node *root;
	const u64 bits[2] = { (u64)be32_to_cpu(addr) << 32 };

	root = rcu_dereference_check(table->root4, rcu_read_lock_bh_held());
	return wg_allowedips_walk(root, bits);
}

/**
 * wg_allowedips_find6() - owner of the longest prefix that covers an address
 * @table: the device's tries
 * @addr: IPv6 address, of any alignment
 *
 * Context: rcu_read_lock() or BH disabled. The owner is valid inside the same
 *	critical section only, it may already be on its way to destruction, and
 *	no reference is taken.
 * Return: The owner, or NULL if no prefix covers @addr.
 */
struct wg_allowedips_owner *
wg_allowedips_find6(const struct wg_allowedips *table,
		    const struct in6_addr *addr)
{
	const struct wg_allowedips_node *root;
	u64 bits[2];

	/* Not by a member: that would promise the alignment of the struct. */
	wg_allowedips_load6(bits, (const u8 *)addr);
	root = rcu_dereference_check(table->root6, rcu_read_lock_bh_held());
	return wg_allowedips_walk(root, bits);
}

/**
 * wg_allowedips_next() - walk an owner's prefixes in order of insertion
 * @owner: whose prefixes
 * @after: the last one seen, or NULL for the first one; it is void as soon as
 *	@owner's generation has changed
 *
 * Context: The lock given to the writers must be held.
 * Return: The next prefix, or NULL at the end.
 */
struct wg_allowedips_node *
wg_allowedips_next(const struct wg_allowedips_owner *owner,
		   const struct wg_allowedips_node *after)
{
	const struct list_head *at = after ? &after->owned : &owner->prefixes;

	if (list_is_last(at, &owner->prefixes))
		return NULL;
	return list_entry(at->next, struct wg_allowedips_node, owned);
}

/**
 * wg_allowedips_read() - copy out the prefix of a node
 * @node: from wg_allowedips_next()
 * @prefix: filled in, masked; address bytes the family does not have are zero
 *
 * Context: The lock given to the writers must be held.
 */
void wg_allowedips_read(const struct wg_allowedips_node *node,
			struct wg_allowedips_prefix *prefix)
{
	prefix->family = node->family;
	prefix->cidr = node->cidr;
	put_unaligned_be64(node->bits[0], prefix->addr);
	put_unaligned_be64(node->bits[1], prefix->addr + 8);
}
