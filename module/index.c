// SPDX-License-Identifier: GPL-2.0
/*
 * The table of receiver indices (spec 2.4).
 *
 * Layer 1. Takes no other lock than its own.
 */
#include "index.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>

/* Each failed try waits a jiffy, so that the resize can get on. */
#define WG_INDEX_INSERT_TRIES	32

/* No hash of our own: the keys are our own random numbers, nobody else's. */
static const struct rhashtable_params wg_index_params = {
	.key_len = sizeof_field(struct wg_index_entry, index),
	.key_offset = offsetof(struct wg_index_entry, index),
	.head_offset = offsetof(struct wg_index_entry, node),
	.automatic_shrinking = true,
};

/**
 * wg_index_table_init() - set up an empty index table
 * @table: to be initialised
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int wg_index_table_init(struct wg_index_table *table)
{
	spin_lock_init(&table->lock);
	return rhashtable_init(&table->ht, &wg_index_params);
}

/**
 * wg_index_table_destroy() - free what the table itself uses
 * @table: nobody looks into it any more; entries still in it are left alone
 *
 * Context: process context, may sleep.
 */
void wg_index_table_destroy(struct wg_index_table *table)
{
	rhashtable_destroy(&table->ht);
}

static void wg_index_take_out(struct wg_index_table *table,
			      struct wg_index_entry *entry)
{
	lockdep_assert_held(&table->lock);

	if (!entry->index)
		return;
	rhashtable_remove_fast(&table->ht, &entry->node, wg_index_params);
	WRITE_ONCE(entry->index, 0);
}

static int wg_index_draw(struct wg_index_table *table,
			 struct wg_index_entry *entry)
{
	__le32 index;
	int err;

	lockdep_assert_held(&table->lock);

	wg_index_take_out(table, entry);
	do {
		index = cpu_to_le32(get_random_u32());
	} while (!index);

	/*
	 * A reader may still stand on this entry since it was removed and look
	 * on in the wrong chain: rhashtable notices that by the chain's end
	 * marker and starts again. So no grace period is needed in between.
	 */
	WRITE_ONCE(entry->index, index);
	err = rhashtable_lookup_insert_fast(&table->ht, &entry->node,
					    wg_index_params);
	if (err)
		WRITE_ONCE(entry->index, 0);
	return err;
}

/**
 * wg_index_insert() - give an entry a fresh random index
 * @table: of the device
 * @entry: @type and @owner are set; an older index is removed first
 *
 * The index is not zero and unique among handshakes and keypairs together. May
 * be called for the same entry from several contexts at once: the last one
 * wins, the table's lock covers it (spec 2.4).
 *
 * Context: process context, may sleep.
 * Return: 0, or -ENOMEM, -EBUSY or -E2BIG if the table could not grow in time;
 * then the entry is not in the table.
 */
int wg_index_insert(struct wg_index_table *table, struct wg_index_entry *entry)
{
	int tries = 0;
	int err;

	might_sleep();

	for (;;) {
		spin_lock_bh(&table->lock);
		err = wg_index_draw(table, entry);
		spin_unlock_bh(&table->lock);

		if (err == -EEXIST)
			continue;
		if (err != -EBUSY && err != -ENOMEM)
			return err;
		if (++tries == WG_INDEX_INSERT_TRIES)
			return err;
		/* A work item resizes the table, and needs a CPU for it. */
		schedule_timeout_uninterruptible(1);
	}
}

/**
 * wg_index_remove() - take an entry out of the table, if it is in it
 * @table: of the device
 * @entry: stays readable for those who found it, until a grace period is over
 *
 * May race with itself, wg_index_insert() and wg_index_replace() on the same
 * entry: the table's lock covers it.
 *
 * Context: any but hard interrupt.
 */
void wg_index_remove(struct wg_index_table *table,
		     struct wg_index_entry *entry)
{
	spin_lock_bh(&table->lock);
	wg_index_take_out(table, entry);
	spin_unlock_bh(&table->lock);
}

/**
 * wg_index_withdraw() - take back an index that came to nothing
 * @table: of the device
 * @entry: stays in the table if it has been given another index meanwhile
 * @index: that wg_index_insert() gave it
 *
 * Context: any but hard interrupt.
 */
void wg_index_withdraw(struct wg_index_table *table,
		       struct wg_index_entry *entry, __le32 index)
{
	spin_lock_bh(&table->lock);
	if (entry->index == index)
		wg_index_take_out(table, entry);
	spin_unlock_bh(&table->lock);
}

/**
 * wg_index_replace() - let an entry inherit another one's index
 * @table: of the device
 * @old: loses its index
 * @new_entry: not in the table; gets the index of @old
 * @index: what that has to be; @old may have been given another one meanwhile
 *
 * A lookup that begins afterwards finds @new_entry, one that began before may
 * find @old, or neither if it stood on @old meanwhile: the peer has not been
 * told of the session yet, so only a duplicate can ask then (spec 2.4). May
 * race with wg_index_remove() and wg_index_insert() of @old: the table's lock
 * covers it, and if these came first nothing is inherited.
 *
 * Context: any but hard interrupt.
 * Return: 0, or -ENOENT if @old has not got @index; then nothing changed.
 */
int wg_index_replace(struct wg_index_table *table, struct wg_index_entry *old,
		     struct wg_index_entry *new_entry, __le32 index)
{
	int err = -ENOENT;

	spin_lock_bh(&table->lock);
	if (index && old->index == index) {
		WRITE_ONCE(new_entry->index, index);
		err = rhashtable_replace_fast(&table->ht, &old->node,
					      &new_entry->node,
					      wg_index_params);
		WRITE_ONCE(*(err ? &new_entry->index : &old->index), 0);
	}
	spin_unlock_bh(&table->lock);
	return err;
}

/**
 * wg_index_find() - who has this receiver index?
 * @table: of the device
 * @index: as it came in the message
 *
 * Context: under rcu_read_lock(); disabling softirqs alone is not enough.
 * Return: the entry or NULL. No reference: it is valid in the same RCU section,
 * and may have left the table already. The caller filters by @type.
 */
struct wg_index_entry *wg_index_find(struct wg_index_table *table,
				     __le32 index)
{
	return rhashtable_lookup(&table->ht, &index, wg_index_params);
}
