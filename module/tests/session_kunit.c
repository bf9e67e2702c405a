// SPDX-License-Identifier: GPL-2.0
/*
 * Slots against the table of spec 2.3, the index table, the
 * life of a keypair, and the replay window against a naive one.
 */
#include "../session.h"

#include <kunit/test.h>

#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timekeeping.h>

enum wg_session_kunit_size {
	WG_SESSION_KUNIT_HELD = 8,
	WG_SESSION_KUNIT_CHUNKS = 50,
	WG_SESSION_KUNIT_CHUNK = 1000,
	WG_SESSION_KUNIT_ROUNDS = 20000,
	WG_SESSION_KUNIT_MAP = 1 << 20,
};

/* A session that the test looks at after it has left the ring, too. */
struct wg_session_kunit_held {
	struct wg_keypair *keypair;
	__le32 index;
};

struct wg_session_kunit {
	struct wg_index_table table;
	struct wg_keyring ring;
	struct wg_index_entry handshake;
	struct wg_session_kunit_held held[WG_SESSION_KUNIT_HELD];
	int held_count;
};

static int wg_session_kunit_init(struct kunit *test)
{
	struct wg_session_kunit *fix;
	int err;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	if (!fix)
		return -ENOMEM;
	err = wg_index_table_init(&fix->table);
	if (err)
		return err;
	wg_keyring_init(&fix->ring, &fix->table);
	fix->handshake.type = WG_INDEX_HANDSHAKE;
	fix->handshake.owner = fix;
	test->priv = fix;
	return 0;
}

static void wg_session_kunit_exit(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;

	if (!fix)
		return;
	wg_keyring_close(&fix->ring);
	while (fix->held_count)
		wg_keypair_put(fix->held[--fix->held_count].keypair);
	wg_index_table_destroy(&fix->table);
	rcu_barrier();
}

/* One keypair, one reference for the caller, one for the exit of the test. */
static struct wg_keypair *wg_session_kunit_create(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *keypair;

	KUNIT_ASSERT_LT(test, fix->held_count, (int)WG_SESSION_KUNIT_HELD);
	keypair = wg_keypair_create(fix, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, keypair);
	fix->held[fix->held_count++].keypair = wg_keypair_get(keypair);
	return keypair;
}

static struct wg_keypair *wg_session_kunit_derive(struct kunit *test,
						  bool initiator)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *keypair = wg_session_kunit_create(test);
	__le32 index;

	KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table, &fix->handshake), 0);
	index = fix->handshake.index;
	fix->held[fix->held_count - 1].index = index;
	keypair->initiator = initiator;
	KUNIT_ASSERT_EQ(test, wg_keyring_install(&fix->ring, keypair,
						 &fix->handshake, index), 0);
	KUNIT_EXPECT_EQ(test, (__force u32)fix->handshake.index, 0u);
	KUNIT_EXPECT_EQ(test, (__force u32)keypair->index.index,
			(__force u32)index);
	return keypair;
}

static bool wg_session_kunit_finds(struct wg_session_kunit *fix, __le32 index,
				   struct wg_keypair *keypair)
{
	struct wg_keypair *found = wg_keypair_find(&fix->table, index);

	wg_keypair_put(found);
	return found == keypair;
}

/* The slots, and in the index table exactly what is in the slots. */
static void wg_session_kunit_expect(struct kunit *test,
				    struct wg_keypair *previous,
				    struct wg_keypair *current_keypair,
				    struct wg_keypair *next)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_session_kunit_held *held;
	int i, slotted = 0;
	bool in_slot;

	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(fix->ring.previous),
			    previous);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(fix->ring.current_keypair),
			    current_keypair);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(fix->ring.next), next);

	for (i = 0; i < fix->held_count; i++) {
		held = &fix->held[i];
		in_slot = held->keypair == previous ||
			  held->keypair == current_keypair ||
			  held->keypair == next;
		slotted += in_slot;
		KUNIT_EXPECT_EQ(test, refcount_read(&held->keypair->refs),
				in_slot ? 2u : 1u);
		KUNIT_EXPECT_EQ(test, held->keypair->index.index != 0, in_slot);
		KUNIT_EXPECT_TRUE(test, wg_session_kunit_finds(fix, held->index,
							       in_slot ?
							       held->keypair :
							       NULL));
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), slotted);
}

static void keyring_install_as_initiator_with_next_empty(struct kunit *test)
{
	struct wg_keypair *a, *b, *c;

	wg_session_kunit_expect(test, NULL, NULL, NULL);
	a = wg_session_kunit_derive(test, true);
	wg_session_kunit_expect(test, NULL, a, NULL);
	b = wg_session_kunit_derive(test, true);
	wg_session_kunit_expect(test, a, b, NULL);
	c = wg_session_kunit_derive(test, true);
	wg_session_kunit_expect(test, b, c, NULL);
}

static void keyring_install_as_initiator_with_next_occupied(struct kunit *test)
{
	struct wg_keypair *b, *next, *new;

	wg_session_kunit_derive(test, true);
	b = wg_session_kunit_derive(test, true);
	next = wg_session_kunit_derive(test, false);
	wg_session_kunit_expect(test, NULL, b, next);
	new = wg_session_kunit_derive(test, true);
	wg_session_kunit_expect(test, next, new, NULL);
}

static void keyring_install_as_responder(struct kunit *test)
{
	struct wg_keypair *a, *b, *first, *second;

	a = wg_session_kunit_derive(test, true);
	b = wg_session_kunit_derive(test, true);
	wg_session_kunit_expect(test, a, b, NULL);
	first = wg_session_kunit_derive(test, false);
	wg_session_kunit_expect(test, NULL, b, first);
	second = wg_session_kunit_derive(test, false);
	wg_session_kunit_expect(test, NULL, b, second);
}

static void keyring_install_when_closed(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *keypair;
	__le32 index;

	wg_session_kunit_derive(test, true);
	wg_session_kunit_derive(test, false);
	wg_keyring_close(&fix->ring);
	wg_session_kunit_expect(test, NULL, NULL, NULL);

	keypair = wg_session_kunit_create(test);
	KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table, &fix->handshake), 0);
	index = fix->handshake.index;
	KUNIT_EXPECT_EQ(test, wg_keyring_install(&fix->ring, keypair,
						 &fix->handshake, index),
			-ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, refcount_read(&keypair->refs), 2u);
	KUNIT_EXPECT_EQ(test, (__force u32)keypair->index.index, 0u);
	/* The handshake is left to the caller. */
	KUNIT_EXPECT_EQ(test, (__force u32)fix->handshake.index,
			(__force u32)index);
	wg_index_remove(&fix->table, &fix->handshake);
	wg_keypair_put(keypair);
	wg_session_kunit_expect(test, NULL, NULL, NULL);
}

static void keyring_install_without_handshake_index(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *a, *b, *keypair;
	__le32 index;

	a = wg_session_kunit_derive(test, true);
	b = wg_session_kunit_derive(test, false);

	keypair = wg_session_kunit_create(test);
	keypair->initiator = true;
	KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table, &fix->handshake), 0);
	index = fix->handshake.index;
	fix->held[fix->held_count - 1].index = index;
	wg_index_remove(&fix->table, &fix->handshake);
	KUNIT_EXPECT_EQ(test, wg_keyring_install(&fix->ring, keypair,
						 &fix->handshake, index),
			-EAGAIN);
	/* Nor does it get the index of a handshake that came after its own. */
	KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table, &fix->handshake), 0);
	KUNIT_EXPECT_EQ(test, wg_keyring_install(&fix->ring, keypair,
						 &fix->handshake, index),
			-EAGAIN);
	wg_index_remove(&fix->table, &fix->handshake);
	wg_keypair_put(keypair);
	wg_session_kunit_expect(test, NULL, a, b);
}

static void keyring_confirm_next(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *a, *b, *next;

	a = wg_session_kunit_derive(test, false);
	wg_session_kunit_expect(test, NULL, NULL, a);
	KUNIT_EXPECT_TRUE(test, wg_keyring_confirm(&fix->ring, a));
	wg_session_kunit_expect(test, NULL, a, NULL);

	b = wg_session_kunit_derive(test, true);
	next = wg_session_kunit_derive(test, false);
	wg_session_kunit_expect(test, NULL, b, next);
	KUNIT_EXPECT_TRUE(test, wg_keyring_confirm(&fix->ring, next));
	wg_session_kunit_expect(test, b, next, NULL);
	KUNIT_EXPECT_FALSE(test, wg_keyring_confirm(&fix->ring, next));
	wg_session_kunit_expect(test, b, next, NULL);
}

static void keyring_confirm_other_than_next(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *replaced, *current_keypair, *next;

	current_keypair = wg_session_kunit_derive(test, true);
	KUNIT_EXPECT_FALSE(test, wg_keyring_confirm(&fix->ring,
						    current_keypair));
	replaced = wg_session_kunit_derive(test, false);
	next = wg_session_kunit_derive(test, false);
	KUNIT_EXPECT_FALSE(test, wg_keyring_confirm(&fix->ring, replaced));
	KUNIT_EXPECT_FALSE(test, wg_keyring_confirm(&fix->ring,
						    current_keypair));
	wg_session_kunit_expect(test, NULL, current_keypair, next);
}

static void keyring_clear_and_use_again(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *a, *b;

	wg_session_kunit_derive(test, true);
	wg_session_kunit_derive(test, true);
	wg_keyring_clear(&fix->ring);
	wg_session_kunit_expect(test, NULL, NULL, NULL);
	a = wg_session_kunit_derive(test, true);
	b = wg_session_kunit_derive(test, false);
	wg_session_kunit_expect(test, NULL, a, b);
	wg_keyring_clear(&fix->ring);
	wg_session_kunit_expect(test, NULL, NULL, NULL);
	wg_keyring_clear(&fix->ring);
}

static void keyring_stop_sending_spares_receiving(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	u64 now = ktime_get_coarse_boottime_ns();
	struct wg_keypair *a, *b, *c;

	wg_keyring_stop_sending(&fix->ring);

	a = wg_session_kunit_derive(test, false);
	KUNIT_ASSERT_TRUE(test, wg_keyring_confirm(&fix->ring, a));
	b = wg_session_kunit_derive(test, true);
	wg_keyring_stop_sending(&fix->ring);
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_send(a, now));
	KUNIT_EXPECT_FALSE(test, wg_keypair_may_send(b, now));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_receive(b, now));

	c = wg_session_kunit_derive(test, false);
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_send(c, now));
	wg_keyring_stop_sending(&fix->ring);
	KUNIT_EXPECT_FALSE(test, wg_keypair_may_send(c, now));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_receive(c, now));
	wg_session_kunit_expect(test, NULL, b, c);
}

static void keypair_may_send_within_limits(struct kunit *test)
{
	struct wg_keypair *keypair = wg_session_kunit_create(test);
	u64 age = 180ULL * NSEC_PER_SEC;
	u64 birth = keypair->birth_ns;

	KUNIT_EXPECT_LE(test, birth, ktime_get_coarse_boottime_ns());
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_send(keypair, birth));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_send(keypair, birth - 1));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_send(keypair, birth + age - 1));
	KUNIT_EXPECT_FALSE(test, wg_keypair_may_send(keypair, birth + age));

	keypair->send_counter = WG_REJECT_AFTER_MESSAGES - 1;
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_send(keypair, birth));
	keypair->send_counter = WG_REJECT_AFTER_MESSAGES;
	KUNIT_EXPECT_FALSE(test, wg_keypair_may_send(keypair, birth));

	keypair->send_counter = 0;
	keypair->send_valid = false;
	KUNIT_EXPECT_FALSE(test, wg_keypair_may_send(keypair, birth));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_receive(keypair, birth));
	wg_keypair_put(keypair);
}

static void keypair_rekey_due_by_messages_and_age(struct kunit *test)
{
	struct wg_keypair *keypair = wg_session_kunit_create(test);
	u64 birth = keypair->birth_ns, age = birth + 120ULL * NSEC_PER_SEC;

	/* By messages both ask, by time the initiator alone. */
	keypair->index.index = cpu_to_le32(1);
	for (keypair->initiator = true;; keypair->initiator = false) {
		bool by_time = keypair->initiator;

		KUNIT_EXPECT_FALSE(test, wg_keypair_rekey_due(keypair, 1, birth));
		KUNIT_EXPECT_FALSE(test, wg_keypair_rekey_due(keypair, 1, birth - 1));
		KUNIT_EXPECT_FALSE(test, wg_keypair_rekey_due(keypair, 1, age - 1));
		KUNIT_EXPECT_EQ(test, wg_keypair_rekey_due(keypair, 1, age), by_time);
		KUNIT_EXPECT_FALSE(test, wg_keypair_rekey_due(keypair, BIT_ULL(60), birth));
		KUNIT_EXPECT_TRUE(test, wg_keypair_rekey_due(keypair, BIT_ULL(60) + 1, birth));
		KUNIT_EXPECT_TRUE(test, wg_keypair_rekey_due(keypair, U64_MAX, birth));
		if (!by_time)
			break;
	}
	/* The index spreads sessions over three seconds. */
	keypair->initiator = true;
	keypair->index.index = cpu_to_le32(U32_MAX);
	KUNIT_EXPECT_FALSE(test, wg_keypair_rekey_due(keypair, 1,
						      age + 3ULL * NSEC_PER_SEC - 2));
	KUNIT_EXPECT_TRUE(test, wg_keypair_rekey_due(keypair, 1, age + 3ULL * NSEC_PER_SEC));
	/* Replaced by another one */
	keypair->index.index = 0;
	KUNIT_EXPECT_FALSE(test, wg_keypair_rekey_due(keypair, 1, age + 3ULL * NSEC_PER_SEC));
	wg_keypair_put(keypair);
}

static void keypair_may_receive_within_limits(struct kunit *test)
{
	struct wg_keypair *keypair = wg_session_kunit_create(test);
	u64 age = 180ULL * NSEC_PER_SEC;
	u64 birth = keypair->birth_ns;

	KUNIT_EXPECT_TRUE(test, wg_keypair_may_receive(keypair, birth));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_receive(keypair, birth - 1));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_receive(keypair,
						       birth + age - 1));
	KUNIT_EXPECT_FALSE(test, wg_keypair_may_receive(keypair, birth + age));

	keypair->receive_valid = false;
	KUNIT_EXPECT_FALSE(test, wg_keypair_may_receive(keypair, birth));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_send(keypair, birth));
	keypair->receive_valid = true;

	KUNIT_ASSERT_TRUE(test, wg_replay_claim(&keypair->replay,
						WG_REJECT_AFTER_MESSAGES - 2));
	KUNIT_EXPECT_TRUE(test, wg_keypair_may_receive(keypair, birth));
	KUNIT_ASSERT_TRUE(test, wg_replay_claim(&keypair->replay,
						WG_REJECT_AFTER_MESSAGES - 1));
	KUNIT_EXPECT_FALSE(test, wg_keypair_may_receive(keypair, birth));
	wg_keypair_put(keypair);
}

static void keypair_outlives_its_slot_while_referenced(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *keypair = wg_session_kunit_derive(test, true);
	__le32 index = keypair->index.index;
	struct wg_keypair *bundle;

	keypair->send_key[WG_KEY_LEN - 1] = 0x5a;
	bundle = wg_keypair_find(&fix->table, index);
	KUNIT_ASSERT_PTR_EQ(test, bundle, keypair);
	KUNIT_EXPECT_EQ(test, refcount_read(&bundle->refs), 3u);

	wg_keyring_clear(&fix->ring);
	synchronize_rcu();
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, refcount_read(&bundle->refs), 2u);
	KUNIT_EXPECT_EQ(test, bundle->send_key[WG_KEY_LEN - 1], 0x5a);
	KUNIT_EXPECT_NULL(test, wg_keypair_find(&fix->table, index));
	wg_keypair_put(bundle);
}

static void keypair_get_after_last_put(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_keypair *keypair = wg_keypair_create(fix, NULL, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, keypair);
	KUNIT_EXPECT_NULL(test, wg_keypair_get(NULL));
	wg_keypair_put(NULL);

	rcu_read_lock();
	wg_keypair_put(keypair);
	KUNIT_EXPECT_NULL(test, wg_keypair_get(keypair));
	rcu_read_unlock();
}

static void keypair_find_skips_handshakes(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	/* Whole, so that nothing but its type keeps it from being found. */
	struct wg_keypair *keypair = wg_session_kunit_create(test);
	struct wg_index_entry *entry = &keypair->index, *found;

	entry->type = WG_INDEX_HANDSHAKE;
	KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table, entry), 0);
	rcu_read_lock();
	found = wg_index_find(&fix->table, entry->index);
	rcu_read_unlock();
	KUNIT_EXPECT_PTR_EQ(test, found, entry);
	KUNIT_EXPECT_NULL(test, wg_keypair_find(&fix->table, entry->index));
	entry->type = WG_INDEX_KEYPAIR;
	KUNIT_EXPECT_TRUE(test, wg_session_kunit_finds(fix, entry->index,
						       keypair));
	wg_index_remove(&fix->table, entry);
	wg_keypair_put(keypair);
}

/* Who has failed takes nobody else's index out of the table. */
static void index_withdrawn_only_by_its_owner(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	__le32 old, now;

	KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table, &fix->handshake), 0);
	old = fix->handshake.index;
	do {
		KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table,
						      &fix->handshake), 0);
		now = fix->handshake.index;
	} while (now == old);
	wg_index_withdraw(&fix->table, &fix->handshake, old);
	KUNIT_EXPECT_EQ(test, (__force u32)fix->handshake.index,
			(__force u32)now);
	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, wg_index_find(&fix->table, now),
			    &fix->handshake);
	rcu_read_unlock();
	wg_index_withdraw(&fix->table, &fix->handshake, now);
	KUNIT_EXPECT_EQ(test, (__force u32)fix->handshake.index, 0u);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), 0);
}

static void index_insert_removes_the_older_one(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	__le32 old;
	int i;

	for (i = 0; i < 100; i++) {
		old = fix->handshake.index;
		KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table,
						      &fix->handshake), 0);
		KUNIT_ASSERT_NE(test, (__force u32)fix->handshake.index, 0u);
		rcu_read_lock();
		KUNIT_EXPECT_PTR_EQ(test,
				    wg_index_find(&fix->table,
						  fix->handshake.index),
				    &fix->handshake);
		if (old != fix->handshake.index)
			KUNIT_EXPECT_NULL(test,
					  wg_index_find(&fix->table, old));
		rcu_read_unlock();
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), 1);
	wg_index_remove(&fix->table, &fix->handshake);
	KUNIT_EXPECT_EQ(test, (__force u32)fix->handshake.index, 0u);
	wg_index_remove(&fix->table, &fix->handshake);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), 0);
}

static void index_replace_inherits_the_number(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_index_entry heir = { .type = WG_INDEX_HANDSHAKE };
	struct wg_index_entry *found;
	__le32 index;

	KUNIT_EXPECT_EQ(test, wg_index_replace(&fix->table, &fix->handshake,
					       &heir, fix->handshake.index),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, (__force u32)heir.index, 0u);

	KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table, &fix->handshake), 0);
	index = fix->handshake.index;
	KUNIT_EXPECT_EQ(test, wg_index_replace(&fix->table, &fix->handshake,
					       &heir, index), 0);
	KUNIT_EXPECT_EQ(test, (__force u32)heir.index, (__force u32)index);
	KUNIT_EXPECT_EQ(test, (__force u32)fix->handshake.index, 0u);
	rcu_read_lock();
	found = wg_index_find(&fix->table, index);
	rcu_read_unlock();
	KUNIT_EXPECT_PTR_EQ(test, found, &heir);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), 1);

	/* The old one is out: removing it does not hurt its heir. */
	wg_index_remove(&fix->table, &fix->handshake);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), 1);
	wg_index_remove(&fix->table, &heir);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), 0);
}

static int wg_session_kunit_compare(const void *a, const void *b)
{
	u32 left = *(const u32 *)a, right = *(const u32 *)b;

	return left < right ? -1 : left > right;
}

static void index_insert_of_many_is_unique(struct kunit *test)
{
	const int count = WG_SESSION_KUNIT_CHUNKS * WG_SESSION_KUNIT_CHUNK;
	struct wg_index_entry *chunks[WG_SESSION_KUNIT_CHUNKS], *entry, *found;
	struct wg_session_kunit *fix = test->priv;
	int i, lost = 0, twice = 0;
	u32 *indices;

	indices = kunit_kzalloc(test, count * sizeof(*indices), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, indices);
	for (i = 0; i < WG_SESSION_KUNIT_CHUNKS; i++) {
		chunks[i] = kunit_kzalloc(test, WG_SESSION_KUNIT_CHUNK *
					  sizeof(**chunks), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, chunks[i]);
	}
	for (i = 0; i < count; i++) {
		entry = &chunks[i / WG_SESSION_KUNIT_CHUNK]
			       [i % WG_SESSION_KUNIT_CHUNK];
		KUNIT_ASSERT_EQ(test, wg_index_insert(&fix->table, entry), 0);
		indices[i] = (__force u32)entry->index;
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), count);

	for (i = 0; i < count; i++) {
		entry = &chunks[i / WG_SESSION_KUNIT_CHUNK]
			       [i % WG_SESSION_KUNIT_CHUNK];
		rcu_read_lock();
		found = wg_index_find(&fix->table, entry->index);
		rcu_read_unlock();
		lost += found != entry;
		wg_index_remove(&fix->table, entry);
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), 0);

	sort(indices, count, sizeof(*indices), wg_session_kunit_compare, NULL);
	KUNIT_EXPECT_NE(test, indices[0], 0u);
	for (i = 1; i < count; i++)
		twice += indices[i] == indices[i - 1];
	KUNIT_EXPECT_EQ(test, twice, 0);
}

static int wg_session_kunit_rival_thread(void *data)
{
	struct wg_session_kunit *fix = data;

	while (!kthread_should_stop()) {
		wg_index_remove(&fix->table, &fix->handshake);
		cond_resched();
	}
	return 0;
}

static void index_remove_races_replace(struct kunit *test)
{
	struct wg_session_kunit *fix = test->priv;
	struct wg_index_entry heir = { .type = WG_INDEX_HANDSHAKE };
	/* Where the CPUs are few and shared, threads wait long for a lock. */
	unsigned long until = jiffies + 3 * HZ;
	struct task_struct *task;
	int i, err, wrong = 0;

	task = kthread_run(wg_session_kunit_rival_thread, fix,
			   "wg-session-rival");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < WG_SESSION_KUNIT_ROUNDS && time_before(jiffies, until);
	     i++) {
		err = wg_index_insert(&fix->table, &fix->handshake);
		wrong += err != 0;
		err = wg_index_replace(&fix->table, &fix->handshake, &heir,
				       READ_ONCE(fix->handshake.index));
		/* Either the removal came first or the heir has the number. */
		wrong += err != -ENOENT && err != 0;
		wrong += (err == 0) != (heir.index != 0);
		wrong += atomic_read(&fix->table.ht.nelems) != (err == 0);
		wg_index_remove(&fix->table, &heir);
		if (i % 64 == 0)
			cond_resched();
	}
	kthread_stop(task);
	wg_index_remove(&fix->table, &fix->handshake);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->table.ht.nelems), 0);
}

/* A claim, after a peek that must say the same and write nothing. */
static bool wg_session_kunit_claim(struct kunit *test,
				   struct wg_replay *replay, u64 counter)
{
	u64 highest = replay->highest;
	bool peeked = wg_replay_peek(replay, counter);
	bool again = wg_replay_peek(replay, counter);
	bool claimed;

	KUNIT_EXPECT_EQ(test, replay->highest, highest);
	claimed = wg_replay_claim(replay, counter);
	KUNIT_EXPECT_EQ(test, peeked, claimed);
	KUNIT_EXPECT_EQ(test, again, claimed);
	return claimed;
}

#define WG_SESSION_KUNIT_TAKES(counter) \
	KUNIT_EXPECT_TRUE(test, wg_session_kunit_claim(test, replay, counter))
#define WG_SESSION_KUNIT_REFUSES(counter) \
	KUNIT_EXPECT_FALSE(test, wg_session_kunit_claim(test, replay, counter))

static struct wg_replay *wg_session_kunit_replay(struct kunit *test)
{
	struct wg_replay *replay;

	replay = kunit_kzalloc(test, sizeof(*replay), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, replay);
	return replay;
}

static void replay_claim_edges_of_the_window(struct kunit *test)
{
	struct wg_replay *replay = wg_session_kunit_replay(test);
	const u64 window = WG_REPLAY_WINDOW;

	WG_SESSION_KUNIT_TAKES(0);
	WG_SESSION_KUNIT_TAKES(1);
	WG_SESSION_KUNIT_REFUSES(1);
	WG_SESSION_KUNIT_REFUSES(0);
	WG_SESSION_KUNIT_TAKES(9);
	WG_SESSION_KUNIT_TAKES(8);
	WG_SESSION_KUNIT_TAKES(7);
	WG_SESSION_KUNIT_REFUSES(7);
	WG_SESSION_KUNIT_TAKES(window);
	WG_SESSION_KUNIT_TAKES(window - 1);
	WG_SESSION_KUNIT_REFUSES(window - 1);
	WG_SESSION_KUNIT_TAKES(2);
	WG_SESSION_KUNIT_REFUSES(2);
	/* Now the window goes back to 17. */
	WG_SESSION_KUNIT_TAKES(window + 17);
	WG_SESSION_KUNIT_REFUSES(3);
	WG_SESSION_KUNIT_REFUSES(16);
	WG_SESSION_KUNIT_TAKES(17);
	WG_SESSION_KUNIT_TAKES(18);
	WG_SESSION_KUNIT_REFUSES(17);
	KUNIT_EXPECT_EQ(test, replay->highest, window + 18);
}

static void replay_claim_first_counter_is_high(struct kunit *test)
{
	struct wg_replay *replay = wg_session_kunit_replay(test);
	const u64 window = WG_REPLAY_WINDOW;

	WG_SESSION_KUNIT_TAKES(10 * window);
	WG_SESSION_KUNIT_REFUSES(9 * window - 1);
	WG_SESSION_KUNIT_TAKES(9 * window);
	WG_SESSION_KUNIT_REFUSES(0);
}

static void replay_claim_up_to_the_message_limit(struct kunit *test)
{
	struct wg_replay *replay = wg_session_kunit_replay(test);
	const u64 limit = WG_REJECT_AFTER_MESSAGES;

	WG_SESSION_KUNIT_REFUSES(limit);
	WG_SESSION_KUNIT_REFUSES(limit + 1);
	WG_SESSION_KUNIT_REFUSES(U64_MAX);
	KUNIT_EXPECT_EQ(test, replay->highest, 0);
	WG_SESSION_KUNIT_TAKES(limit - 1);
	WG_SESSION_KUNIT_REFUSES(limit - 1);
	WG_SESSION_KUNIT_REFUSES(limit);
	WG_SESSION_KUNIT_REFUSES(U64_MAX);
	WG_SESSION_KUNIT_TAKES(limit - 2);
	WG_SESSION_KUNIT_REFUSES(limit - 2 - WG_REPLAY_WINDOW);
	WG_SESSION_KUNIT_TAKES(limit - 1 - WG_REPLAY_WINDOW);
}

static void replay_claim_in_either_order(struct kunit *test)
{
	struct wg_replay *replay = wg_session_kunit_replay(test);
	u64 i;

	for (i = 0; i <= WG_REPLAY_WINDOW; i++)
		WG_SESSION_KUNIT_TAKES(i);
	for (i = 0; i <= WG_REPLAY_WINDOW; i++)
		WG_SESSION_KUNIT_REFUSES(i);

	memset(replay, 0, sizeof(*replay));
	for (i = WG_REPLAY_WINDOW + 1; i-- > 0;)
		WG_SESSION_KUNIT_TAKES(i);
	for (i = WG_REPLAY_WINDOW + 1; i-- > 0;)
		WG_SESSION_KUNIT_REFUSES(i);
}

/* Every bit of the ring is set, then passed: none may be left behind. */
static void replay_claim_jumps_over_the_ring(struct kunit *test)
{
	static const u64 jumps[] = {
		1, BITS_PER_LONG - 1, BITS_PER_LONG, BITS_PER_LONG + 1,
		WG_REPLAY_WINDOW, WG_REPLAY_BITS - 1, WG_REPLAY_BITS,
		WG_REPLAY_BITS + 1, 2 * WG_REPLAY_BITS, 1ULL << 32, 1ULL << 60,
	};
	struct wg_replay *replay = wg_session_kunit_replay(test);
	u64 counter, back, fresh;
	int i;

	for (i = 0; i < ARRAY_SIZE(jumps); i++) {
		memset(replay->bits, 0xff, sizeof(replay->bits));
		replay->highest = 3 * WG_REPLAY_BITS + 8;
		counter = replay->highest - 1 + jumps[i];
		WG_SESSION_KUNIT_TAKES(counter);
		/*
		 * Words are cleared whole: what is new is free, what was old
		 * in the same word as the old top is not.
		 */
		fresh = round_up(3 * WG_REPLAY_BITS + 8, BITS_PER_LONG);
		for (back = 1; back <= WG_REPLAY_WINDOW; back++)
			KUNIT_EXPECT_EQ(test,
					wg_replay_peek(replay, counter - back),
					counter - back >= fresh);
		WG_SESSION_KUNIT_REFUSES(counter - WG_REPLAY_WINDOW - 1);
	}
}

static void replay_claim_against_naive_reference(struct kunit *test)
{
	struct wg_replay *replay = wg_session_kunit_replay(test);
	u32 seed = get_random_u32();
	u64 counter, top = 0;
	struct rnd_state rnd;
	int i, taken = 0;
	bool expected;
	u8 *seen;

	seen = kunit_kzalloc(test, WG_SESSION_KUNIT_MAP, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	prandom_seed_state(&rnd, seed);
	kunit_info(test, "seed %u\n", seed);

	for (i = 0; i < 10 * WG_SESSION_KUNIT_ROUNDS; i++) {
		/* Around the top; now and then far back or far ahead. */
		counter = top + prandom_u32_state(&rnd) % 40;
		if (prandom_u32_state(&rnd) % 8 == 0)
			counter -= prandom_u32_state(&rnd) %
				   (WG_REPLAY_WINDOW + 200);
		else
			counter -= prandom_u32_state(&rnd) % 80;
		if (prandom_u32_state(&rnd) % 20000 == 0)
			counter += prandom_u32_state(&rnd) %
				   (2 * WG_REPLAY_BITS);
		if (counter >= WG_SESSION_KUNIT_MAP)
			continue;
		expected = !seen[counter] &&
			   (!taken || counter + WG_REPLAY_WINDOW >= top);
		if (wg_session_kunit_claim(test, replay, counter) != expected) {
			KUNIT_FAIL(test, "seed %u, round %d, counter %llu",
				   seed, i, counter);
			return;
		}
		if (!expected)
			continue;
		seen[counter] = 1;
		taken++;
		top = max(top, counter);
	}
	KUNIT_EXPECT_GT(test, taken, (int)WG_SESSION_KUNIT_ROUNDS);
}

static struct kunit_case wg_session_kunit_cases[] = {
	KUNIT_CASE(keyring_install_as_initiator_with_next_empty),
	KUNIT_CASE(keyring_install_as_initiator_with_next_occupied),
	KUNIT_CASE(keyring_install_as_responder),
	KUNIT_CASE(keyring_install_when_closed),
	KUNIT_CASE(keyring_install_without_handshake_index),
	KUNIT_CASE(keyring_confirm_next),
	KUNIT_CASE(keyring_confirm_other_than_next),
	KUNIT_CASE(keyring_clear_and_use_again),
	KUNIT_CASE(keyring_stop_sending_spares_receiving),
	KUNIT_CASE(keypair_may_send_within_limits),
	KUNIT_CASE(keypair_rekey_due_by_messages_and_age),
	KUNIT_CASE(keypair_may_receive_within_limits),
	KUNIT_CASE(keypair_outlives_its_slot_while_referenced),
	KUNIT_CASE(keypair_get_after_last_put),
	KUNIT_CASE(keypair_find_skips_handshakes),
	KUNIT_CASE(index_insert_removes_the_older_one),
	KUNIT_CASE(index_withdrawn_only_by_its_owner),
	KUNIT_CASE(index_replace_inherits_the_number),
	KUNIT_CASE(index_insert_of_many_is_unique),
	KUNIT_CASE(index_remove_races_replace),
	KUNIT_CASE(replay_claim_edges_of_the_window),
	KUNIT_CASE(replay_claim_first_counter_is_high),
	KUNIT_CASE(replay_claim_up_to_the_message_limit),
	KUNIT_CASE(replay_claim_in_either_order),
	KUNIT_CASE(replay_claim_jumps_over_the_ring),
	KUNIT_CASE(replay_claim_against_naive_reference),
	{}
};

static struct kunit_suite wg_session_kunit_suite = {
	.name = "wireguard_session",
	.init = wg_session_kunit_init,
	.exit = wg_session_kunit_exit,
	.test_cases = wg_session_kunit_cases,
};

kunit_test_suite(wg_session_kunit_suite);
