/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of receiver indices, which handshakes and keypairs share
 * (spec 2.4).
 *
 * Layer 1, below session. Whoever owns an entry is an opaque pointer.
 */
#ifndef _WG_INDEX_H
#define _WG_INDEX_H

#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/types.h>

enum wg_index_type {
	WG_INDEX_HANDSHAKE = 1,
	WG_INDEX_KEYPAIR = 2,
};

/**
 * struct wg_index_entry - one receiver index in use
 * @node: in the device's table, while @index is not zero
 * @index: the random number; written under the table's own locking
 * @type: handshake or keypair; what the entry is embedded in
 * @owner: opaque; valid as long as the entry is in the table, a grace period
 *	longer, and as long as what it is embedded in holds a reference
 */
struct wg_index_entry {
	struct rhash_head node;
	__le32 index;
	enum wg_index_type type;
	void *owner;
};

/**
 * struct wg_index_table - one per device, handshakes and keypairs together
 * @ht: keyed by index; grows and shrinks by itself
 */
struct wg_index_table {
	/**
	 * @lock: protects @index and @node of all entries, and their moves in
	 * and out of @ht as one step; lookups do not take it; BH-safe
	 */
	spinlock_t lock;
	struct rhashtable ht;
};

int wg_index_table_init(struct wg_index_table *table);
void wg_index_table_destroy(struct wg_index_table *table);
int wg_index_insert(struct wg_index_table *table, struct wg_index_entry *entry);
void wg_index_remove(struct wg_index_table *table,
		     struct wg_index_entry *entry);
void wg_index_withdraw(struct wg_index_table *table,
		       struct wg_index_entry *entry, __le32 index);
int wg_index_replace(struct wg_index_table *table, struct wg_index_entry *old,
		     struct wg_index_entry *new_entry, __le32 index);
struct wg_index_entry *wg_index_find(struct wg_index_table *table,
				     __le32 index);

#endif /* _WG_INDEX_H */
