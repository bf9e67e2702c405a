/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Longest-prefix match from addresses to owners (spec 6).
 *
 * Layer 1. An owner is an opaque pointer with a list of its prefixes; finding
 * one takes no reference.
 */
#ifndef _WG_ALLOWEDIPS_H
#define _WG_ALLOWEDIPS_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct wg_allowedips_owner;

/**
 * struct wg_allowedips_node - one prefix, or a branch point without an owner
 * @child: subtries whose next bit is 0 and 1
 * @owner: who configured this prefix; NULL only if there are two children
 * @owned: link in the owner's list; unused without an owner
 * @rcu: replaces @owned while readers may still stand on an unlinked node
 * @bits: masked address, most significant bits first; IPv4 in the upper half
 *	of bits[0]; never changes
 * @cidr: number of bits that count; never changes
 * @family: AF_INET or AF_INET6; never changes
 *
 * Only allowedips.c and its unit test look inside. One cache line on 64 bits,
 * because a lookup reads one node per branch point on its path.
 */
struct wg_allowedips_node {
	struct wg_allowedips_node __rcu *child[2];
	struct wg_allowedips_owner __rcu *owner;
	union {
		struct list_head owned;
		struct rcu_head rcu;
	};
	u64 bits[2];
	u8 cidr;
	u8 family;
};

/**
 * struct wg_allowedips - two tries, one per device
 * @root4: IPv4; RCU readers, written under the lock given at each call
 * @root6: IPv6; ditto
 */
struct wg_allowedips {
	struct wg_allowedips_node __rcu *root4;
	struct wg_allowedips_node __rcu *root6;
};

/**
 * struct wg_allowedips_owner - embedded in whoever owns prefixes
 * @prefixes: in order of insertion, which is the order of a dump
 * @generation: bumped by each change, so that a paused dump notices
 */
struct wg_allowedips_owner {
	struct list_head prefixes;
	u64 generation;
};

/**
 * struct wg_allowedips_prefix - one prefix as configured, for dumps
 * @family: AF_INET or AF_INET6
 * @cidr: prefix length
 * @addr: masked; the first four bytes if AF_INET
 */
struct wg_allowedips_prefix {
	u16 family;
	u8 cidr;
	u8 addr[16] __aligned(8);
};

int wg_allowedips_init(void);
void wg_allowedips_fini(void);

void wg_allowedips_owner_init(struct wg_allowedips_owner *owner);
int wg_allowedips_insert(struct wg_allowedips *table,
			 struct wg_allowedips_owner *owner,
			 const struct wg_allowedips_prefix *prefix,
			 struct mutex *lock /* held */);
int wg_allowedips_remove(struct wg_allowedips *table,
			 struct wg_allowedips_owner *owner,
			 const struct wg_allowedips_prefix *prefix,
			 struct mutex *lock /* held */);
void wg_allowedips_remove_owner(struct wg_allowedips *table,
				struct wg_allowedips_owner *owner,
				struct mutex *lock /* held */);
void wg_allowedips_clear(struct wg_allowedips *table, struct mutex *lock);

struct wg_allowedips_owner *
wg_allowedips_find4(const struct wg_allowedips *table, __be32 addr);
struct wg_allowedips_owner *
wg_allowedips_find6(const struct wg_allowedips *table,
		    const struct in6_addr *addr);

struct wg_allowedips_node *
wg_allowedips_next(const struct wg_allowedips_owner *owner,
		   const struct wg_allowedips_node *after);
void wg_allowedips_read(const struct wg_allowedips_node *node,
			struct wg_allowedips_prefix *prefix);

#endif /* _WG_ALLOWEDIPS_H */
