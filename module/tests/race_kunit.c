// SPDX-License-Identifier: GPL-2.0
/*
 * race_kunit.c - one handshake, one session, whatever the CPUs do at once.
 *
 * An initiator and a responder on plain memory. In each round the initiation
 * comes to the responder twice at the same time, and every response to the
 * initiator several times, in time and too late, while that one already makes
 * the next initiation. What was derived is written down on both sides and
 * compared.
 */
#include "../noise.h"
#include "../session.h"

#include <kunit/test.h>

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/wait.h>

#include <crypto/curve25519.h>

enum wg_race_kunit_size {
	WG_RACE_KUNIT_ROUNDS = 20000,
	WG_RACE_KUNIT_MS = 3000,
	WG_RACE_KUNIT_STALL_S = 10,
	/* Threads that take the same message. */
	WG_RACE_KUNIT_RESPONDERS = 2,
	WG_RACE_KUNIT_CONSUMERS = 2,
	/* How late responses come, in rounds. */
	WG_RACE_KUNIT_LATE = 4,
};

/* One end. */
struct wg_race_kunit_end {
	struct wg_identity id;
	struct wg_noise_handshake hs;
	struct wg_index_table table;
	struct wg_index_entry index;
	struct wg_keyring ring;
};

/* What the responder derived in a round, and who had the same keys. */
struct wg_race_kunit_record {
	struct wg_noise_keys keys;
	struct wg_msg_response m2;
	int accepted;		/* initiations; one is right */
	int derived;		/* by the initiator; none or one is right */
};

struct wg_race_kunit {
	struct wg_race_kunit_end i;
	struct wg_race_kunit_end r;
	struct wg_race_kunit_record *records;
	spinlock_t lock;	/* protects what is in the records */
	struct wg_msg_initiation m1;
	u32 seed;
	atomic_t begun;
	/* Rounds whose initiation, and whose response, may be taken. */
	int asked;
	int answered;
	atomic_t at_work;
	u64 cost_ns;		/* of a response */
	wait_queue_head_t wait;
	struct completion over;
	atomic_t sessions;
	atomic_t confirmed;
	atomic_t twice;
	atomic_t strange;
	atomic_t failed;
	struct task_struct *threads[1 + WG_RACE_KUNIT_RESPONDERS +
				    WG_RACE_KUNIT_CONSUMERS];
	int thread_count;
};

static int wg_race_kunit_init_end(struct wg_race_kunit_end *end)
{
	u8 key[WG_KEY_LEN];

	wg_identity_init(&end->id);
	curve25519_generate_secret(key);
	down_write(&end->id.lock);
	wg_identity_set(&end->id, key);
	up_write(&end->id.lock);
	end->index.type = WG_INDEX_HANDSHAKE;
	end->index.owner = end;
	wg_keyring_init(&end->ring, &end->table);
	return wg_index_table_init(&end->table);
}

static int wg_race_kunit_init(struct kunit *test)
{
	static const u8 none[WG_KEY_LEN];
	struct wg_race_kunit *fix;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix);
	KUNIT_ASSERT_EQ(test, wg_race_kunit_init_end(&fix->i), 0);
	KUNIT_ASSERT_EQ(test, wg_race_kunit_init_end(&fix->r), 0);
	wg_noise_handshake_init(&fix->i.hs, fix->r.id.public_key, none);
	wg_noise_handshake_init(&fix->r.hs, fix->i.id.public_key, none);
	spin_lock_init(&fix->lock);
	init_waitqueue_head(&fix->wait);
	init_completion(&fix->over);
	fix->seed = get_random_u32();
	fix->records = kvcalloc(WG_RACE_KUNIT_ROUNDS + 2,
				sizeof(*fix->records), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->records);
	test->priv = fix;
	return 0;
}

static void wg_race_kunit_stop(struct wg_race_kunit *fix)
{
	while (fix->thread_count)
		kthread_stop(fix->threads[--fix->thread_count]);
}

static void wg_race_kunit_exit(struct kunit *test)
{
	struct wg_race_kunit *fix = test->priv;

	if (!fix)
		return;
	wg_race_kunit_stop(fix);
	wg_keyring_close(&fix->i.ring);
	wg_keyring_close(&fix->r.ring);
	rcu_barrier();
	wg_index_table_destroy(&fix->i.table);
	wg_index_table_destroy(&fix->r.table);
	kvfree(fix->records);
}

/* As wg_handshake_begin_session() does it, the keys being split already. */
static bool wg_race_kunit_install(struct wg_race_kunit_end *end,
				  const struct wg_noise_keys *keys)
{
	struct wg_keypair *keypair = wg_keypair_create(end, NULL, GFP_KERNEL);

	if (!keypair)
		return false;
	keypair->initiator = keys->initiator;
	keypair->remote_index = keys->remote_index;
	memcpy(keypair->send_key, keys->send, WG_KEY_LEN);
	memcpy(keypair->receive_key, keys->receive, WG_KEY_LEN);
	if (!wg_keyring_install(&end->ring, keypair, &end->index,
				keys->local_index))
		return true;
	wg_keypair_put(keypair);
	return false;
}

static bool wg_race_kunit_match(const u8 *send, const u8 *receive,
				const u8 *their_send, const u8 *their_receive)
{
	return !memcmp(send, their_receive, WG_KEY_LEN) &&
	       !memcmp(receive, their_send, WG_KEY_LEN);
}

/* The initiator has keys: whose are they, and has it had them before? */
static void wg_race_kunit_judge(struct wg_race_kunit *fix,
				const struct wg_noise_keys *keys)
{
	struct wg_race_kunit_record *record = NULL;
	int round = READ_ONCE(fix->asked);

	spin_lock(&fix->lock);
	for (; round > 0 && !record; round--) {
		struct wg_race_kunit_record *it = &fix->records[round];

		if (wg_race_kunit_match(keys->send, keys->receive,
					it->keys.send, it->keys.receive))
			record = it;
	}
	if (!record || record->keys.local_index != keys->remote_index)
		atomic_inc(&fix->strange);
	else if (record->derived++)
		atomic_inc(&fix->twice);
	spin_unlock(&fix->lock);
}

/* The first data of the initiator reach the responder. */
static void wg_race_kunit_confirm(struct wg_race_kunit *fix,
				  const struct wg_noise_keys *keys)
{
	struct wg_keypair *theirs;

	theirs = wg_keypair_find(&fix->r.table, keys->remote_index);
	if (!theirs)
		return;
	if (!wg_race_kunit_match(keys->send, keys->receive, theirs->send_key,
				 theirs->receive_key))
		atomic_inc(&fix->strange);
	if (wg_keyring_confirm(&fix->r.ring, theirs))
		atomic_inc(&fix->confirmed);
	wg_keypair_put(theirs);
}

static void wg_race_kunit_consume_one(struct wg_race_kunit *fix, int round)
{
	struct wg_noise_keys keys;

	if (wg_noise_accept_response(&fix->i.hs, &fix->i.id,
				     &fix->records[round].m2) ||
	    wg_noise_split(&fix->i.hs, &keys))
		return;
	wg_race_kunit_judge(fix, &keys);
	if (!wg_race_kunit_install(&fix->i, &keys))
		return;
	atomic_inc(&fix->sessions);
	wg_race_kunit_confirm(fix, &keys);
}

static bool wg_race_kunit_has_news(struct wg_race_kunit *fix, int *which,
				   int seen)
{
	return READ_ONCE(*which) != seen || kthread_should_stop();
}

static int wg_race_kunit_consume(void *data)
{
	struct wg_race_kunit *fix = data;
	struct rnd_state rnd;
	int seen = 0;

	prandom_seed_state(&rnd, fix->seed + atomic_inc_return(&fix->begun));
	for (;;) {
		wait_event_idle(fix->wait,
				wg_race_kunit_has_news(fix, &fix->answered,
						       seen));
		if (kthread_should_stop())
			return 0;
		/* Pairs with the release in wg_race_kunit_respond_one(). */
		seen = smp_load_acquire(&fix->answered);
		wg_race_kunit_consume_one(fix, seen);
		wg_race_kunit_consume_one(fix, max_t(int, 1, seen -
				(int)(prandom_u32_state(&rnd) %
				      WG_RACE_KUNIT_LATE)));
		wake_up_all(&fix->wait);
		if (need_resched())
			schedule();
	}
}

/* As wg_handshake_initiation() does it. */
static void wg_race_kunit_respond_one(struct wg_race_kunit *fix, int round)
{
	struct wg_race_kunit_record *record = &fix->records[round];
	struct wg_noise_opened opened;
	u64 since = local_clock();
	struct wg_msg_response m2;
	struct wg_noise_keys keys;

	if (wg_noise_open_initiation(&opened, &fix->r.id, &fix->m1)) {
		atomic_inc(&fix->failed);
		return;
	}
	if (wg_noise_accept_initiation(&fix->r.hs, &fix->r.id, &opened))
		return;
	spin_lock(&fix->lock);
	record->accepted++;
	spin_unlock(&fix->lock);
	if (wg_index_insert(&fix->r.table, &fix->r.index) ||
	    wg_noise_make_response(&fix->r.hs,
				   READ_ONCE(fix->r.index.index), &m2) ||
	    wg_noise_split(&fix->r.hs, &keys) ||
	    !wg_race_kunit_install(&fix->r, &keys)) {
		atomic_inc(&fix->failed);
		return;
	}
	spin_lock(&fix->lock);
	record->keys = keys;
	record->m2 = m2;
	fix->cost_ns = local_clock() - since;
	spin_unlock(&fix->lock);
	/* Pairs with the acquire in wg_race_kunit_consume(), which need not
	 * wait for the other responder.
	 */
	smp_store_release(&fix->answered, round);
	wake_up_all(&fix->wait);
}

static int wg_race_kunit_respond(void *data)
{
	struct wg_race_kunit *fix = data;
	int seen = 0;

	for (;;) {
		wait_event_idle(fix->wait,
				wg_race_kunit_has_news(fix, &fix->asked, seen));
		if (kthread_should_stop())
			return 0;
		/* Pairs with the release in wg_race_kunit_round(). */
		seen = smp_load_acquire(&fix->asked);
		wg_race_kunit_respond_one(fix, seen);
		if (atomic_dec_and_test(&fix->at_work))
			wake_up_all(&fix->wait);
	}
}

/* Timestamps have steps of 16 ms, and initiations are taken 50 times a second:
 * too few for us. No responder is at work.
 */
static void wg_race_kunit_forget_time(struct wg_noise_handshake *hs)
{
	spin_lock_bh(&hs->lock);
	memset(hs->latest_timestamp, 0, WG_TIMESTAMP_LEN);
	hs->last_accept_ns = 0;
	spin_unlock_bh(&hs->lock);
}

static void wg_race_kunit_round(struct wg_race_kunit *fix, int round)
{
	wg_race_kunit_forget_time(&fix->r.hs);
	if (wg_index_insert(&fix->i.table, &fix->i.index) ||
	    wg_noise_make_initiation(&fix->i.hs, &fix->i.id,
				     READ_ONCE(fix->i.index.index), &fix->m1))
		atomic_inc(&fix->failed);
	atomic_set(&fix->at_work, WG_RACE_KUNIT_RESPONDERS);
	/* Pairs with the acquire in wg_race_kunit_respond(). */
	smp_store_release(&fix->asked, round);
	wake_up_all(&fix->wait);
	wait_event_idle(fix->wait, !atomic_read(&fix->at_work));
}

static void wg_race_kunit_pause(u32 ns)
{
	u64 until = local_clock() + ns;

	while (local_clock() < until) {
		if (need_resched())
			schedule();
		cpu_relax();
	}
}

static int wg_race_kunit_initiate(void *data)
{
	unsigned long ms = num_online_cpus() > 1 ? WG_RACE_KUNIT_MS :
						   WG_RACE_KUNIT_MS / 8;
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	struct wg_race_kunit *fix = data;
	struct rnd_state rnd;
	int round = 0;

	prandom_seed_state(&rnd, fix->seed);
	while (round < WG_RACE_KUNIT_ROUNDS && time_before(jiffies, end)) {
		wg_race_kunit_round(fix, ++round);
		/* The next one shall come while responses are computed. */
		wg_race_kunit_pause(prandom_u32_state(&rnd) %
				    max_t(u32, fix->cost_ns, 1));
	}
	complete(&fix->over);
	wait_event_idle(fix->wait, kthread_should_stop());
	return 0;
}

static void wg_race_kunit_start(struct kunit *test, int (*fn)(void *data),
				int count)
{
	struct wg_race_kunit *fix = test->priv;
	struct task_struct *thread;

	while (count--) {
		thread = kthread_run(fn, fix, "wg-kunit-race");
		KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
		fix->threads[fix->thread_count++] = thread;
	}
}

static struct wg_keypair *wg_race_kunit_slot(struct wg_keypair __rcu **slot)
{
	return rcu_dereference_protected(*slot, true);
}

/* A session of a slot is in the table, under its own index, and no other. */
static void wg_race_kunit_expect_tables(struct kunit *test,
					struct wg_race_kunit_end *end)
{
	struct wg_keypair *slots[3] = {
		wg_race_kunit_slot(&end->ring.previous),
		wg_race_kunit_slot(&end->ring.current_keypair),
		wg_race_kunit_slot(&end->ring.next),
	};
	struct wg_keypair *found;
	int i, k, entries = 0;

	for (i = 0; i < 3; i++) {
		if (!slots[i])
			continue;
		entries++;
		found = wg_keypair_find(&end->table, slots[i]->index.index);
		KUNIT_EXPECT_PTR_EQ(test, found, slots[i]);
		wg_keypair_put(found);
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_TRUE(test, !slots[k] ||
					  memcmp(slots[i]->send_key,
						 slots[k]->send_key,
						 WG_KEY_LEN));
	}
	entries += !!end->index.index;
	KUNIT_EXPECT_EQ(test, atomic_read(&end->table.ht.nelems), entries);
}

/* After all that, an undisturbed handshake: both ends have the same session. */
static void wg_race_kunit_expect_agreement(struct kunit *test)
{
	struct wg_race_kunit *fix = test->priv;
	struct wg_keypair *ours, *theirs;
	int round = fix->asked + 1;

	wg_race_kunit_round(fix, round);
	wait_event_timeout(fix->wait, READ_ONCE(fix->records[round].derived),
			   WG_RACE_KUNIT_STALL_S * HZ);
	wg_race_kunit_stop(fix);
	ours = wg_race_kunit_slot(&fix->i.ring.current_keypair);
	theirs = wg_race_kunit_slot(&fix->r.ring.current_keypair);
	KUNIT_ASSERT_NOT_NULL(test, ours);
	KUNIT_ASSERT_NOT_NULL(test, theirs);
	KUNIT_EXPECT_TRUE(test, wg_race_kunit_match(ours->send_key,
						    ours->receive_key,
						    theirs->send_key,
						    theirs->receive_key));
	KUNIT_EXPECT_EQ(test, (__force u32)ours->remote_index,
			(__force u32)theirs->index.index);
	KUNIT_EXPECT_EQ(test, (__force u32)theirs->remote_index,
			(__force u32)ours->index.index);
	KUNIT_EXPECT_NULL(test, wg_race_kunit_slot(&fix->r.ring.next));
}

static void one_handshake_gives_one_session(struct kunit *test)
{
	struct wg_race_kunit *fix = test->priv;
	int round, asked, derived = 0;

	kunit_info(test, "seed %u\n", fix->seed);
	wg_race_kunit_start(test, wg_race_kunit_respond,
			    WG_RACE_KUNIT_RESPONDERS);
	wg_race_kunit_start(test, wg_race_kunit_consume,
			    WG_RACE_KUNIT_CONSUMERS);
	wg_race_kunit_start(test, wg_race_kunit_initiate, 1);
	wait_for_completion(&fix->over);
	asked = fix->asked;
	for (round = 1; round <= asked; round++) {
		KUNIT_EXPECT_EQ_MSG(test, fix->records[round].accepted, 1,
				    "initiation %d", round);
		derived += fix->records[round].derived;
	}
	kunit_info(test, "%d initiations, %d derived, %d sessions, %d confirmed\n",
		   asked, derived, atomic_read(&fix->sessions),
		   atomic_read(&fix->confirmed));
	wg_race_kunit_expect_agreement(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->twice), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->strange), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->failed), 0);
	wg_race_kunit_expect_tables(test, &fix->i);
	wg_race_kunit_expect_tables(test, &fix->r);
	KUNIT_EXPECT_GT(test, derived, 0);
}

static struct kunit_case wg_race_kunit_cases[] = {
	KUNIT_CASE(one_handshake_gives_one_session),
	{}
};

static struct kunit_suite wg_race_kunit_suite = {
	.name = "wireguard_race",
	.init = wg_race_kunit_init,
	.exit = wg_race_kunit_exit,
	.test_cases = wg_race_kunit_cases,
};

kunit_test_suite(wg_race_kunit_suite);
