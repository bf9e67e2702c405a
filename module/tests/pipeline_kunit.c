// SPDX-License-Identifier: GPL-2.0
/*
 * pipeline_kunit.c - jobs leave in the order of their places, each once, and
 * none is left behind, whoever does them.
 *
 * Jobs are numbered in the order of their places; the sink (of a push lane) or
 * the emulated poll (of a pull lane) counts what must not be. A wake-up that
 * was lost shows as a wait that ends by its time limit.
 */
#include "../pipeline.h"

#include <kunit/test.h>

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

enum wg_pipeline_kunit_size {
	WG_PIPELINE_KUNIT_FEW = 100,
	WG_PIPELINE_KUNIT_SOME = 1000,
	WG_PIPELINE_KUNIT_MANY = 20000,
	WG_PIPELINE_KUNIT_PRODUCERS = 4,
	WG_PIPELINE_KUNIT_THREADS = WG_PIPELINE_KUNIT_PRODUCERS + 1,
	WG_PIPELINE_KUNIT_BYTES = 100,
	WG_PIPELINE_KUNIT_BYTES_MAX = 3000,
	WG_PIPELINE_KUNIT_DELAY_NS = 2000,
	/* So long nothing at all may happen. */
	WG_PIPELINE_KUNIT_PATIENCE_S = 10,
	/* Rounds: how many places a submitter takes at most, how much of a
	 * round fits into a lane that is to be full, how long they go on, and
	 * how long none may take.
	 */
	WG_PIPELINE_KUNIT_BURST = 4,
	WG_PIPELINE_KUNIT_TIGHT = 2 * WG_PIPELINE_KUNIT_BYTES,
	WG_PIPELINE_KUNIT_ROUNDS_MS = 2000,
	WG_PIPELINE_KUNIT_STALL_S = 4,
};

struct wg_pipeline_kunit;

struct wg_pipeline_kunit_job {
	struct wg_job base;
	struct wg_pipeline_kunit *fix;
	u32 place;
	u32 delay_ns;
	unsigned int crypted;
	unsigned int left;
};

enum wg_pipeline_kunit_chain {
	WG_PIPELINE_KUNIT_NO_CHAIN,
	WG_PIPELINE_KUNIT_INLINE,
	WG_PIPELINE_KUNIT_BY_TURNS,	/* inline, delegated, inline ... */
};

struct wg_pipeline_kunit {
	struct wg_lane lane;
	struct wg_stats stats;
	struct wg_pipeline_kunit_job *jobs;
	u32 count;			/* of @jobs */
	u32 seed;
	u32 appended;			/* protected by the lane's lock */
	enum wg_pipeline_kunit_chain chain;	/* what the sink submits */
	/* Only the one that sinks, or purges, writes these. */
	u32 sunk;
	u32 sunk_by_caller;		/* of them in the task that follows */
	u32 discarded;
	struct task_struct *caller;
	/* What must not be: sinks that are not alone, jobs that leave out of
	 * turn, without having been done once, or twice.
	 */
	atomic_t sinking;
	atomic_t overlaps;
	atomic_t disorders;
	atomic_t undone;
	atomic_t repeats;
	/* The emulated poll: has it been told? */
	atomic_t readies;
	atomic_t kicked;
	wait_queue_head_t kick;
	struct completion all_sunk;
	/* Rounds: the number of the one that goes on, who is still at work in
	 * it, and how often a drained lane was not empty.
	 */
	atomic_t round;
	atomic_t at_work;
	atomic_t undrained;
	int submitters;
	bool given_up;
	struct completion rounds_over;
	atomic_t threads_begun;
	struct task_struct *threads[WG_PIPELINE_KUNIT_THREADS];
	int thread_count;
};

static struct wg_pipeline_kunit_job *wg_pipeline_kunit_job(struct wg_job *base)
{
	return container_of(base, struct wg_pipeline_kunit_job, base);
}

/* Lane lock held. */
static struct wg_job *wg_pipeline_kunit_append(struct wg_pipeline_kunit *fix,
					       u32 bytes, bool delegate)
{
	struct wg_pipeline_kunit_job *job;

	/* Only rounds come past the end; between them the lane is empty. */
	job = &fix->jobs[fix->appended % fix->count];
	job->place = fix->appended++;
	job->crypted = 0;
	job->left = 0;
	wg_lane_append(&fix->lane, &job->base, bytes, delegate);
	return &job->base;
}

static struct wg_job *wg_pipeline_kunit_add(struct wg_pipeline_kunit *fix,
					    bool delegate)
{
	struct wg_job *base;

	spin_lock_bh(&fix->lane.lock);
	base = wg_pipeline_kunit_append(fix, WG_PIPELINE_KUNIT_BYTES, delegate);
	spin_unlock_bh(&fix->lane.lock);
	return base;
}

static void wg_pipeline_kunit_do(struct wg_pipeline_kunit *fix,
				 struct wg_job *base)
{
	local_bh_disable();
	wg_lane_do(&fix->lane, base);
	local_bh_enable();
}

/*
 * Lane operations.
 */

static void wg_pipeline_kunit_crypt(struct wg_job *base)
{
	struct wg_pipeline_kunit_job *job = wg_pipeline_kunit_job(base);

	if (job->delay_ns)
		ndelay(job->delay_ns);
	job->crypted++;
}

/* What the sink submits, it submits to the lane that it sinks for. */
static void wg_pipeline_kunit_continue(struct wg_pipeline_kunit *fix)
{
	bool delegate = fix->chain == WG_PIPELINE_KUNIT_BY_TURNS &&
			fix->sunk % 2;
	struct wg_job *base;

	if (fix->chain == WG_PIPELINE_KUNIT_NO_CHAIN ||
	    fix->appended == fix->count)
		return;
	base = wg_pipeline_kunit_add(fix, delegate);
	if (delegate)
		wg_lane_wake_workers(&fix->lane);
	else
		wg_lane_do(&fix->lane, base);
}

static void wg_pipeline_kunit_sink(struct wg_job *base)
{
	struct wg_pipeline_kunit_job *job = wg_pipeline_kunit_job(base);
	struct wg_pipeline_kunit *fix = job->fix;
	bool last;

	if (atomic_inc_return(&fix->sinking) != 1)
		atomic_inc(&fix->overlaps);
	if (job->place != fix->sunk + fix->discarded)
		atomic_inc(&fix->disorders);
	if (job->crypted != 1)
		atomic_inc(&fix->undone);
	if (job->left++)
		atomic_inc(&fix->repeats);
	WRITE_ONCE(fix->sunk, fix->sunk + 1);
	fix->sunk_by_caller += current == fix->caller;
	last = fix->sunk == fix->count;
	wg_pipeline_kunit_continue(fix);
	atomic_dec(&fix->sinking);
	if (last)
		complete(&fix->all_sunk);
}

static void wg_pipeline_kunit_ready(struct wg_lane *lane)
{
	struct wg_pipeline_kunit *fix =
		container_of(lane, struct wg_pipeline_kunit, lane);

	atomic_inc(&fix->readies);
	atomic_set(&fix->kicked, 1);
	wake_up(&fix->kick);
}

static void wg_pipeline_kunit_discard(struct wg_job *base)
{
	struct wg_pipeline_kunit_job *job = wg_pipeline_kunit_job(base);
	struct wg_pipeline_kunit *fix = job->fix;

	if (job->place != fix->sunk + fix->discarded)
		atomic_inc(&fix->disorders);
	if (job->left++)
		atomic_inc(&fix->repeats);
	fix->discarded++;
}

static const struct wg_lane_ops wg_pipeline_kunit_push = {
	.crypt = wg_pipeline_kunit_crypt,
	.sink = wg_pipeline_kunit_sink,
	.discard = wg_pipeline_kunit_discard,
};

static const struct wg_lane_ops wg_pipeline_kunit_pull = {
	.crypt = wg_pipeline_kunit_crypt,
	.ready = wg_pipeline_kunit_ready,
	.discard = wg_pipeline_kunit_discard,
};

/*
 * The fixture.
 */

static int wg_pipeline_kunit_init(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	if (!fix)
		return -ENOMEM;
	init_completion(&fix->all_sunk);
	init_completion(&fix->rounds_over);
	init_waitqueue_head(&fix->kick);
	fix->seed = get_random_u32();
	test->priv = fix;
	return wg_stats_init(&fix->stats);
}

/* Waits until what the threads were doing for the lane is over. */
static void wg_pipeline_kunit_stop(struct wg_pipeline_kunit *fix)
{
	while (fix->thread_count)
		kthread_stop(fix->threads[--fix->thread_count]);
}

/* Not wg_lane_drain_sync(): a lane that has failed would hold it for ever. */
static void wg_pipeline_kunit_exit(struct kunit *test)
{
	struct wg_pipeline_kunit *fix = test->priv;
	int i;

	if (!fix)
		return;
	wg_pipeline_kunit_stop(fix);
	if (fix->lane.ops) {
		for (i = 0; i < WG_PIPELINE_WORKERS; i++)
			cancel_work_sync(&fix->lane.workers[i].work);
		cancel_work_sync(&fix->lane.drain_work);
	}
	wg_stats_fini(&fix->stats);
	kvfree(fix->jobs);
}

static struct wg_pipeline_kunit *
wg_pipeline_kunit_setup(struct kunit *test, const struct wg_lane_ops *ops,
			u32 count)
{
	struct wg_pipeline_kunit *fix = test->priv;
	struct rnd_state rnd;
	u32 i;

	fix->jobs = kvcalloc(count, sizeof(*fix->jobs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->jobs);
	fix->count = count;
	kunit_info(test, "seed %u\n", fix->seed);
	prandom_seed_state(&rnd, fix->seed);
	for (i = 0; i < count; i++) {
		fix->jobs[i].fix = fix;
		if (prandom_u32_state(&rnd) % 4 == 0)
			fix->jobs[i].delay_ns = prandom_u32_state(&rnd) %
						WG_PIPELINE_KUNIT_DELAY_NS;
	}
	fix->caller = current;
	wg_lane_init(&fix->lane, ops, &fix->stats, 192 * 1024);
	return fix;
}

static void wg_pipeline_kunit_start(struct kunit *test, int (*fn)(void *data),
				    int count)
{
	struct wg_pipeline_kunit *fix = test->priv;
	struct task_struct *thread;

	while (count--) {
		thread = kthread_run(fn, fix, "wg-kunit-lane");
		KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
		fix->threads[fix->thread_count++] = thread;
	}
}

static void wg_pipeline_kunit_until_stopped(void)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* Returns false if there is nothing left to submit. */
static bool wg_pipeline_kunit_submit(struct wg_pipeline_kunit *fix,
				     struct rnd_state *rnd)
{
	u32 bytes = 1 + prandom_u32_state(rnd) % WG_PIPELINE_KUNIT_BYTES_MAX;
	bool delegate = prandom_u32_state(rnd) & 1;
	struct wg_lane *lane = &fix->lane;
	struct wg_job *base = NULL;
	bool more;

	spin_lock_bh(&lane->lock);
	more = fix->appended < fix->count;
	if (more && wg_lane_has_room(lane))
		base = wg_pipeline_kunit_append(fix, bytes, delegate);
	spin_unlock_bh(&lane->lock);
	/* On one CPU, too, others shall get between append and do. */
	if (!base || prandom_u32_state(rnd) % 4 == 0)
		schedule();
	if (!base)
		return more;
	if (delegate)
		wg_lane_wake_workers(lane);
	else if (lane->ops->ready)
		lane->ops->ready(lane);
	else
		wg_pipeline_kunit_do(fix, base);
	return true;
}

static int wg_pipeline_kunit_produce(void *data)
{
	struct wg_pipeline_kunit *fix = data;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, fix->seed +
				 atomic_inc_return(&fix->threads_begun));
	while (!kthread_should_stop() && wg_pipeline_kunit_submit(fix, &rnd))
		cond_resched();
	wg_pipeline_kunit_until_stopped();
	return 0;
}

/* Takes like a poll, and returns how many jobs. BH off. */
static u32 wg_pipeline_kunit_poll(struct wg_pipeline_kunit *fix,
				  unsigned int max)
{
	struct wg_job *run = wg_lane_take_ready(&fix->lane, max);
	struct wg_job *base;
	u32 taken = 0;

	while ((base = run)) {
		run = base->next;
		if (base->state == WG_JOB_INLINE)
			wg_pipeline_kunit_crypt(base);
		wg_pipeline_kunit_sink(base);
		taken++;
	}
	return taken;
}

static bool wg_pipeline_kunit_called(struct wg_pipeline_kunit *fix)
{
	return atomic_read(&fix->kicked) || kthread_should_stop();
}

static int wg_pipeline_kunit_consume(void *data)
{
	struct wg_pipeline_kunit *fix = data;
	unsigned int max = 0;

	for (;;) {
		wait_event_idle(fix->kick, wg_pipeline_kunit_called(fix));
		if (kthread_should_stop())
			return 0;
		atomic_xchg(&fix->kicked, 0);
		local_bh_disable();
		while (wg_pipeline_kunit_poll(fix, 1 + max++ % 8))
			;
		local_bh_enable();
	}
}

static void wg_pipeline_kunit_show(struct kunit *test)
{
	struct wg_pipeline_kunit *fix = test->priv;
	struct wg_lane *lane = &fix->lane;

	spin_lock_bh(&lane->lock);
	kunit_info(test,
		   "%u of %u appended, %u left, busy %#x, draining %d, %u bytes, head %d in state %d, todo %d\n",
		   fix->appended, fix->count, fix->sunk, lane->busy,
		   lane->draining, lane->bytes,
		   lane->head ? (int)wg_pipeline_kunit_job(lane->head)->place : -1,
		   lane->head ? (int)lane->head->state : -1,
		   lane->todo_head ?
		   (int)wg_pipeline_kunit_job(lane->todo_head)->place : -1);
	spin_unlock_bh(&lane->lock);
}

/* Waits until the workers have left, or nothing has been heard for long. */
static bool wg_pipeline_kunit_workers_left(struct kunit *test)
{
	unsigned long until = jiffies + WG_PIPELINE_KUNIT_PATIENCE_S * HZ;
	struct wg_pipeline_kunit *fix = test->priv;
	bool left;

	do {
		spin_lock_bh(&fix->lane.lock);
		left = !fix->lane.busy;
		spin_unlock_bh(&fix->lane.lock);
		if (!left)
			schedule_timeout_uninterruptible(1);
	} while (!left && time_before(jiffies, until));
	if (!left)
		wg_pipeline_kunit_show(test);
	return left;
}

/* What must be true of every lane at rest. */
static void wg_pipeline_kunit_expect_rest(struct kunit *test)
{
	struct wg_pipeline_kunit *fix = test->priv;
	struct wg_lane *lane = &fix->lane;

	KUNIT_EXPECT_EQ(test, atomic_read(&fix->overlaps), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->disorders), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->undone), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->repeats), 0);
	KUNIT_EXPECT_EQ(test, fix->sunk + fix->discarded, fix->appended);
	KUNIT_EXPECT_NULL(test, lane->head);
	KUNIT_EXPECT_NULL(test, lane->tail);
	KUNIT_EXPECT_NULL(test, lane->todo_head);
	KUNIT_EXPECT_NULL(test, lane->todo_tail);
	KUNIT_EXPECT_EQ(test, lane->bytes, 0U);
	KUNIT_EXPECT_EQ(test, (unsigned int)lane->busy, 0U);
	KUNIT_EXPECT_FALSE(test, lane->draining);
}

/* Waits until all jobs have left; false if none has for long. */
static bool wg_pipeline_kunit_all_leave(struct wg_pipeline_kunit *fix)
{
	u32 seen;

	do {
		seen = READ_ONCE(fix->sunk);
		if (wait_for_completion_timeout(&fix->all_sunk,
						WG_PIPELINE_KUNIT_PATIENCE_S *
						HZ))
			return true;
	} while (READ_ONCE(fix->sunk) != seen);
	return false;
}

/* wg_lane_drain_sync(), which a lane that has lost a job would hold for ever:
 * that ends the case.
 */
static void wg_pipeline_kunit_drain(struct kunit *test)
{
	struct wg_pipeline_kunit *fix = test->priv;
	struct wg_lane *lane = &fix->lane;
	unsigned long end = jiffies + WG_PIPELINE_KUNIT_PATIENCE_S * HZ;
	bool rest;

	do {
		usleep_range(100, 200);
		spin_lock_bh(&lane->lock);
		rest = !lane->busy && (lane->ops->ready ||
				       (!lane->head && !lane->draining));
		spin_unlock_bh(&lane->lock);
	} while (!rest && time_before(jiffies, end));
	if (!rest)
		wg_pipeline_kunit_show(test);
	KUNIT_ASSERT_TRUE(test, rest);
	wg_lane_drain_sync(lane);
}

/* Waits until all jobs have left, and judges how they did. */
static void wg_pipeline_kunit_expect_all(struct kunit *test)
{
	struct wg_pipeline_kunit *fix = test->priv;
	u64 sums[WG_STATS];

	if (!wg_pipeline_kunit_all_leave(fix)) {
		wg_pipeline_kunit_show(test);
		KUNIT_FAIL(test, "%u of %u jobs have left the lane\n",
			   READ_ONCE(fix->sunk), fix->count);
		return;
	}
	wg_pipeline_kunit_stop(fix);
	wg_pipeline_kunit_drain(test);
	KUNIT_EXPECT_EQ(test, fix->sunk, fix->count);
	wg_pipeline_kunit_expect_rest(test);
	wg_stats_read(&fix->stats, sums);
	KUNIT_EXPECT_EQ(test, sums[WG_STAT_CRYPTO_INLINE] +
			      sums[WG_STAT_CRYPTO_WORKER], (u64)fix->count);
}

/*
 * Push lanes.
 */

static void do_in_any_order_sinks_in_places(struct kunit *test)
{
	u32 order[WG_PIPELINE_DRAIN_MAX], i, k, prefix = 0;
	struct wg_pipeline_kunit *fix;
	struct rnd_state rnd;

	/* No more than one drainer may take. */
	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				      WG_PIPELINE_DRAIN_MAX);
	prandom_seed_state(&rnd, fix->seed);
	for (i = 0; i < fix->count; i++) {
		wg_pipeline_kunit_add(fix, false);
		k = prandom_u32_state(&rnd) % (i + 1);
		order[i] = order[k];
		order[k] = i;
	}
	for (i = 0; i < fix->count; i++) {
		wg_pipeline_kunit_do(fix, &fix->jobs[order[i]].base);
		while (prefix < fix->count && fix->jobs[prefix].crypted)
			prefix++;
		KUNIT_EXPECT_EQ(test, fix->sunk, prefix);
	}
	wg_pipeline_kunit_expect_all(test);
}

static void do_sinks_before_it_returns(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;
	u32 i;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				      WG_PIPELINE_KUNIT_FEW);
	for (i = 1; i <= fix->count; i++) {
		wg_pipeline_kunit_do(fix, wg_pipeline_kunit_add(fix, false));
		KUNIT_EXPECT_EQ(test, fix->sunk_by_caller, i);
	}
	wg_pipeline_kunit_expect_all(test);
}

static void inline_head_holds_back_delegated(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;
	struct wg_job *head;
	u32 i;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				      WG_PIPELINE_DRAIN_MAX);
	head = wg_pipeline_kunit_add(fix, false);
	for (i = 1; i < fix->count; i++) {
		wg_pipeline_kunit_add(fix, true);
		wg_lane_wake_workers(&fix->lane);
	}
	KUNIT_ASSERT_TRUE(test, wg_pipeline_kunit_workers_left(test));
	for (i = 1; i < fix->count; i++)
		KUNIT_EXPECT_EQ(test, (int)fix->jobs[i].base.state,
				(int)WG_JOB_DONE);
	KUNIT_EXPECT_EQ(test, fix->sunk, 0U);
	wg_pipeline_kunit_do(fix, head);
	KUNIT_EXPECT_EQ(test, fix->sunk_by_caller, fix->count);
	wg_pipeline_kunit_expect_all(test);
}

static void delegated_jobs_all_leave(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;
	unsigned int most, busy;
	u32 i;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				      WG_PIPELINE_KUNIT_SOME);
	most = min_t(unsigned int, num_online_cpus(), WG_PIPELINE_WORKERS);
	for (i = 0; i < fix->count; i++) {
		wg_pipeline_kunit_add(fix, true);
		wg_lane_wake_workers(&fix->lane);
		busy = READ_ONCE(fix->lane.busy);
		KUNIT_EXPECT_LT(test, busy, (unsigned int)BIT(most));
	}
	wg_pipeline_kunit_drain(test);
	KUNIT_EXPECT_EQ(test, fix->sunk, fix->count);
	wg_pipeline_kunit_expect_all(test);
}

static void wake_workers_again_and_again(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				      WG_PIPELINE_KUNIT_FEW);
	while (fix->appended < fix->count) {
		wg_lane_wake_workers(&fix->lane);
		KUNIT_EXPECT_EQ(test, (unsigned int)fix->lane.busy, 0U);
		wg_pipeline_kunit_add(fix, true);
		wg_lane_wake_workers(&fix->lane);
		KUNIT_ASSERT_TRUE(test, wg_pipeline_kunit_workers_left(test));
		KUNIT_ASSERT_EQ(test, fix->sunk, fix->appended);
	}
	wg_pipeline_kunit_expect_all(test);
}

static void drain_hands_over_after_max(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;
	u32 i;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				      3 * WG_PIPELINE_DRAIN_MAX + 1);
	for (i = 0; i < fix->count; i++)
		wg_pipeline_kunit_add(fix, false);
	for (i = fix->count - 1; i; i--)
		wg_pipeline_kunit_do(fix, &fix->jobs[i].base);
	KUNIT_EXPECT_EQ(test, fix->sunk, 0U);
	wg_pipeline_kunit_do(fix, &fix->jobs[0].base);
	wg_pipeline_kunit_expect_all(test);
	KUNIT_EXPECT_EQ(test, fix->sunk_by_caller, (u32)WG_PIPELINE_DRAIN_MAX);
}

static void sink_that_submits_inline(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				      WG_PIPELINE_KUNIT_SOME);
	fix->chain = WG_PIPELINE_KUNIT_INLINE;
	wg_pipeline_kunit_do(fix, wg_pipeline_kunit_add(fix, false));
	wg_pipeline_kunit_expect_all(test);
	KUNIT_EXPECT_EQ(test, fix->sunk_by_caller, (u32)WG_PIPELINE_DRAIN_MAX);
}

static void sink_that_submits_and_delegates(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				      WG_PIPELINE_KUNIT_SOME);
	fix->chain = WG_PIPELINE_KUNIT_BY_TURNS;
	wg_pipeline_kunit_do(fix, wg_pipeline_kunit_add(fix, false));
	wg_pipeline_kunit_expect_all(test);
}

static void push_from_many_threads(struct kunit *test)
{
	wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push,
				WG_PIPELINE_KUNIT_MANY);
	wg_pipeline_kunit_start(test, wg_pipeline_kunit_produce,
				WG_PIPELINE_KUNIT_PRODUCERS);
	wg_pipeline_kunit_expect_all(test);
}

static void has_room_up_to_the_limit(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;
	struct wg_lane *lane;
	bool room[4];
	u32 bytes;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push, 3);
	lane = &fix->lane;
	spin_lock_bh(&lane->lock);
	room[0] = wg_lane_has_room(lane);
	wg_pipeline_kunit_append(fix, lane->limit - 1, false);
	room[1] = wg_lane_has_room(lane);
	wg_pipeline_kunit_append(fix, 1, false);
	room[2] = wg_lane_has_room(lane);
	/* Places are the caller's to refuse. */
	wg_pipeline_kunit_append(fix, U16_MAX, false);
	room[3] = wg_lane_has_room(lane);
	bytes = lane->bytes;
	spin_unlock_bh(&lane->lock);
	KUNIT_EXPECT_TRUE(test, room[0] && room[1]);
	KUNIT_EXPECT_FALSE(test, room[2] || room[3]);
	KUNIT_EXPECT_EQ(test, bytes, lane->limit + U16_MAX);

	wg_pipeline_kunit_do(fix, &fix->jobs[1].base);
	KUNIT_EXPECT_EQ(test, lane->bytes, bytes);
	wg_pipeline_kunit_do(fix, &fix->jobs[0].base);
	KUNIT_EXPECT_EQ(test, lane->bytes, (u32)U16_MAX);
	wg_pipeline_kunit_do(fix, &fix->jobs[2].base);
	wg_pipeline_kunit_expect_all(test);
}

static void purge_discards_and_leaves_the_lane_usable(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;
	u32 i;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_push, 6);
	for (i = 0; i < 5; i++)
		wg_pipeline_kunit_add(fix, false);
	wg_pipeline_kunit_do(fix, &fix->jobs[0].base);
	wg_pipeline_kunit_do(fix, &fix->jobs[3].base);
	wg_lane_purge(&fix->lane);
	KUNIT_EXPECT_EQ(test, fix->sunk, 1U);
	KUNIT_EXPECT_EQ(test, fix->discarded, 4U);
	wg_pipeline_kunit_expect_rest(test);
	wg_pipeline_kunit_do(fix, wg_pipeline_kunit_add(fix, false));
	KUNIT_EXPECT_EQ(test, fix->sunk, 2U);
	wg_pipeline_kunit_expect_rest(test);
}

/*
 * Pull lanes.
 */

static void take_returns_inline_jobs_to_be_done(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;
	struct wg_job *run, *base;
	u32 n = 0, i;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_pull, 10);
	KUNIT_EXPECT_NULL(test, wg_lane_take_ready(&fix->lane, 4));
	for (i = 0; i < fix->count; i++)
		wg_pipeline_kunit_add(fix, false);
	KUNIT_EXPECT_NULL(test, wg_lane_take_ready(&fix->lane, 0));
	run = wg_lane_take_ready(&fix->lane, 4);
	for (base = run; base; base = base->next, n++) {
		KUNIT_EXPECT_EQ(test, (int)base->state, (int)WG_JOB_INLINE);
		KUNIT_EXPECT_PTR_EQ(test, base, &fix->jobs[n].base);
		wg_pipeline_kunit_crypt(base);
		wg_pipeline_kunit_sink(base);
	}
	KUNIT_EXPECT_EQ(test, n, 4U);
	KUNIT_EXPECT_EQ(test, fix->lane.bytes, 6U * WG_PIPELINE_KUNIT_BYTES);
	KUNIT_EXPECT_EQ(test, wg_pipeline_kunit_poll(fix, fix->count), 6U);
	wg_pipeline_kunit_expect_all(test);
}

static void delegated_head_blocks_until_done(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_pull, 4);
	wg_pipeline_kunit_add(fix, false);
	wg_pipeline_kunit_add(fix, true);
	wg_pipeline_kunit_add(fix, false);
	wg_pipeline_kunit_add(fix, true);
	KUNIT_EXPECT_EQ(test, wg_pipeline_kunit_poll(fix, fix->count), 1U);
	KUNIT_EXPECT_EQ(test, wg_pipeline_kunit_poll(fix, fix->count), 0U);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->readies), 0);

	wg_lane_wake_workers(&fix->lane);
	wg_pipeline_kunit_drain(test);
	/* The last one was not the head, and needs no second call. */
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->readies), 1);
	KUNIT_EXPECT_EQ(test, (int)fix->jobs[2].base.state, (int)WG_JOB_INLINE);
	KUNIT_EXPECT_EQ(test, wg_pipeline_kunit_poll(fix, fix->count), 3U);
	wg_pipeline_kunit_expect_all(test);
}

static void ready_tells_of_each_delegated_head(struct kunit *test)
{
	const long patience = WG_PIPELINE_KUNIT_PATIENCE_S * HZ;
	struct wg_pipeline_kunit *fix;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_pull,
				      WG_PIPELINE_KUNIT_FEW);
	while (fix->appended < fix->count) {
		wg_pipeline_kunit_add(fix, true);
		wg_lane_wake_workers(&fix->lane);
		if (!wait_event_timeout(fix->kick,
					atomic_xchg(&fix->kicked, 0),
					patience)) {
			wg_pipeline_kunit_show(test);
			KUNIT_FAIL(test, "ready() was not called\n");
			return;
		}
		KUNIT_ASSERT_EQ(test, wg_pipeline_kunit_poll(fix, 2), 1U);
	}
	wg_pipeline_kunit_expect_all(test);
}

static void pull_from_many_threads(struct kunit *test)
{
	wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_pull,
				WG_PIPELINE_KUNIT_MANY);
	wg_pipeline_kunit_start(test, wg_pipeline_kunit_consume, 1);
	wg_pipeline_kunit_start(test, wg_pipeline_kunit_produce,
				WG_PIPELINE_KUNIT_PRODUCERS);
	wg_pipeline_kunit_expect_all(test);
}

static void purge_discards_what_was_not_taken(struct kunit *test)
{
	struct wg_pipeline_kunit *fix;

	fix = wg_pipeline_kunit_setup(test, &wg_pipeline_kunit_pull, 3);
	wg_pipeline_kunit_add(fix, true);
	wg_pipeline_kunit_add(fix, false);
	wg_pipeline_kunit_add(fix, true);
	wg_lane_wake_workers(&fix->lane);
	wg_pipeline_kunit_drain(test);
	wg_lane_purge(&fix->lane);
	KUNIT_EXPECT_EQ(test, fix->discarded, 3U);
	KUNIT_EXPECT_EQ(test, wg_pipeline_kunit_poll(fix, fix->count), 0U);
	wg_pipeline_kunit_expect_rest(test);
}

/*
 * Rounds. The next job that is finished mends a wake-up that was lost, so
 * under steady load none is ever missed. Here everybody submits a few jobs at
 * once, and then the lane has to come to rest without any help.
 */

/* A short while on the CPU, so that both go on at the same time; then others
 * get it, who may be those waited for.
 */
static void wg_pipeline_kunit_relax(u32 *tries)
{
	if (num_online_cpus() > 1 && ++*tries % 256)
		cpu_relax();
	else
		usleep_range(1, 2);
}

/* Nothing in the lane, nobody at it. */
static bool wg_pipeline_kunit_is_at_rest(struct wg_pipeline_kunit *fix)
{
	struct wg_lane *lane = &fix->lane;
	bool rest;

	spin_lock_bh(&lane->lock);
	rest = !lane->head && !lane->todo_head && !lane->busy &&
	       !lane->draining && READ_ONCE(fix->sunk) == fix->appended;
	spin_unlock_bh(&lane->lock);
	return rest;
}

/* In an order that is not that of the places. */
static void wg_pipeline_kunit_do_all(struct wg_pipeline_kunit *fix,
				     struct wg_job **mine, u32 *count,
				     struct rnd_state *rnd)
{
	while (*count) {
		u32 k = prandom_u32_state(rnd) % *count;
		struct wg_job *base = mine[k];

		mine[k] = mine[--*count];
		wg_pipeline_kunit_do(fix, base);
	}
}

/* NULL if the lane is full. */
static struct wg_job *wg_pipeline_kunit_try_add(struct wg_pipeline_kunit *fix,
						bool delegate)
{
	struct wg_job *base = NULL;

	spin_lock_bh(&fix->lane.lock);
	if (wg_lane_has_room(&fix->lane))
		base = wg_pipeline_kunit_append(fix, WG_PIPELINE_KUNIT_BYTES,
						delegate);
	spin_unlock_bh(&fix->lane.lock);
	return base;
}

static void wg_pipeline_kunit_burst(struct wg_pipeline_kunit *fix,
				    struct rnd_state *rnd)
{
	u32 left = 1 + prandom_u32_state(rnd) % WG_PIPELINE_KUNIT_BURST;
	struct wg_job *mine[WG_PIPELINE_KUNIT_BURST], *base;
	bool pull = fix->lane.ops->ready;
	u32 count = 0, tries = 0;

	while (left && !READ_ONCE(fix->given_up)) {
		bool delegate = prandom_u32_state(rnd) % 4 < (pull ? 2 : 1);

		base = wg_pipeline_kunit_try_add(fix, delegate);
		if (!base) {
			/* It may be these that everybody waits for. */
			wg_pipeline_kunit_do_all(fix, mine, &count, rnd);
			wg_pipeline_kunit_relax(&tries);
			continue;
		}
		left--;
		if (delegate)
			wg_lane_wake_workers(&fix->lane);
		else if (pull)
			fix->lane.ops->ready(&fix->lane);
		else
			mine[count++] = base;
	}
	wg_pipeline_kunit_do_all(fix, mine, &count, rnd);
}

static int wg_pipeline_kunit_follow(void *data)
{
	struct wg_pipeline_kunit *fix = data;
	struct rnd_state rnd;
	u32 tries = 0;
	int seen = 0;

	prandom_seed_state(&rnd, fix->seed +
				 atomic_inc_return(&fix->threads_begun));
	while (!kthread_should_stop()) {
		if (atomic_read(&fix->round) == seen) {
			wg_pipeline_kunit_relax(&tries);
			continue;
		}
		seen++;
		ndelay(prandom_u32_state(&rnd) % 512);
		wg_pipeline_kunit_burst(fix, &rnd);
		atomic_dec(&fix->at_work);
	}
	return 0;
}

/* Every other round the lane is drained as a device that goes would do it. */
static void wg_pipeline_kunit_settle(struct wg_pipeline_kunit *fix)
{
	struct wg_lane *lane = &fix->lane;
	u32 tries = 0;

	while (atomic_read(&fix->at_work) && !READ_ONCE(fix->given_up))
		wg_pipeline_kunit_relax(&tries);
	if (atomic_read(&fix->round) % 2) {
		wg_lane_drain_sync(lane);
		if (lane->ops->ready ? READ_ONCE(lane->busy) :
				       !wg_pipeline_kunit_is_at_rest(fix))
			atomic_inc(&fix->undrained);
	}
	while (!wg_pipeline_kunit_is_at_rest(fix) && !READ_ONCE(fix->given_up))
		wg_pipeline_kunit_relax(&tries);
}

static int wg_pipeline_kunit_lead(void *data)
{
	unsigned long ms = num_online_cpus() > 1 ? WG_PIPELINE_KUNIT_ROUNDS_MS :
						   WG_PIPELINE_KUNIT_ROUNDS_MS / 8;
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	struct wg_pipeline_kunit *fix = data;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, fix->seed);
	while (time_before(jiffies, end) && !READ_ONCE(fix->given_up)) {
		atomic_set(&fix->at_work, fix->submitters - 1);
		atomic_inc(&fix->round);
		wg_pipeline_kunit_burst(fix, &rnd);
		wg_pipeline_kunit_settle(fix);
	}
	complete(&fix->rounds_over);
	wg_pipeline_kunit_until_stopped();
	return 0;
}

/* Frees those who wait for a lane that has stalled. */
static void wg_pipeline_kunit_give_up(struct kunit *test)
{
	struct wg_pipeline_kunit *fix = test->priv;

	wg_pipeline_kunit_show(test);
	KUNIT_FAIL(test, "stalled in round %d\n", atomic_read(&fix->round));
	WRITE_ONCE(fix->given_up, true);
	wg_lane_purge(&fix->lane);
	spin_lock_bh(&fix->lane.lock);
	fix->lane.draining = false;
	fix->lane.busy = 0;
	spin_unlock_bh(&fix->lane.lock);
	wait_for_completion(&fix->rounds_over);
}

static void wg_pipeline_kunit_rounds(struct kunit *test,
				     const struct wg_lane_ops *ops, u32 limit)
{
	struct wg_pipeline_kunit *fix;
	int seen = 0;

	fix = wg_pipeline_kunit_setup(test, ops, WG_PIPELINE_KUNIT_SOME);
	fix->lane.limit = limit;
	fix->submitters = clamp_t(int, num_online_cpus(), 2,
				  WG_PIPELINE_KUNIT_PRODUCERS);
	if (ops->ready)
		wg_pipeline_kunit_start(test, wg_pipeline_kunit_consume, 1);
	wg_pipeline_kunit_start(test, wg_pipeline_kunit_follow,
				fix->submitters - 1);
	wg_pipeline_kunit_start(test, wg_pipeline_kunit_lead, 1);
	while (!wait_for_completion_timeout(&fix->rounds_over,
					    WG_PIPELINE_KUNIT_STALL_S * HZ)) {
		if (atomic_read(&fix->round) == seen) {
			wg_pipeline_kunit_give_up(test);
			break;
		}
		seen = atomic_read(&fix->round);
	}
	wg_pipeline_kunit_stop(fix);
	kunit_info(test, "%d rounds, %u jobs\n", atomic_read(&fix->round),
		   fix->appended);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->undrained), 0);
	wg_pipeline_kunit_expect_rest(test);
}

static void push_comes_to_rest(struct kunit *test)
{
	wg_pipeline_kunit_rounds(test, &wg_pipeline_kunit_push, U32_MAX);
}

static void push_comes_to_rest_when_full(struct kunit *test)
{
	wg_pipeline_kunit_rounds(test, &wg_pipeline_kunit_push,
				 WG_PIPELINE_KUNIT_TIGHT);
}

static void pull_comes_to_rest(struct kunit *test)
{
	wg_pipeline_kunit_rounds(test, &wg_pipeline_kunit_pull, U32_MAX);
}

static void pull_comes_to_rest_when_full(struct kunit *test)
{
	wg_pipeline_kunit_rounds(test, &wg_pipeline_kunit_pull,
				 WG_PIPELINE_KUNIT_TIGHT);
}

/*
 * The budget.
 */

static void wg_pipeline_kunit_next_tick(void)
{
	unsigned long tick = jiffies;

	while (!time_after(jiffies, tick))
		cpu_relax();
}

/* BH off. So many jobs in one tick, each of @ns: have workers been preferred
 * afterwards? The tick may end meanwhile: several tries.
 */
static int wg_pipeline_kunit_prefers(u32 jobs, u64 ns)
{
	unsigned long tick;
	bool preferred;
	int tries;
	u32 i;

	for (tries = 0; tries < 100; tries++) {
		wg_pipeline_kunit_next_tick();
		tick = jiffies;
		for (i = 0; i < jobs; i++)
			wg_pipeline_account(ns);
		preferred = wg_pipeline_prefers_workers();
		if (!time_after(jiffies, tick))
			return preferred;
	}
	return -ETIME;
}

static void prefers_workers_when_the_tick_is_spent(struct kunit *test)
{
	const u64 eighth = TICK_NSEC / 8;
	const u32 small = WG_PIPELINE_WAKE_NS, large = small + small / 4;
	int quarter, worth, half, more, again;

	if (num_online_cpus() == 1 || IS_ENABLED(CONFIG_PREEMPT_RT)) {
		KUNIT_EXPECT_EQ(test, wg_pipeline_prefers_workers(),
				num_online_cpus() > 1);
		return;
	}
	local_bh_disable();
	quarter = wg_pipeline_kunit_prefers(1, 2 * eighth - small);
	worth = wg_pipeline_kunit_prefers(div_u64(3 * eighth, large), large);
	half = wg_pipeline_kunit_prefers(div_u64(3 * eighth, small), small);
	more = wg_pipeline_kunit_prefers(div_u64(5 * eighth, small), small);
	wg_pipeline_kunit_next_tick();
	again = wg_pipeline_prefers_workers();
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, quarter, 0);
	KUNIT_EXPECT_EQ(test, worth, 1);
	KUNIT_EXPECT_EQ(test, half, 0);
	KUNIT_EXPECT_EQ(test, more, 1);
	KUNIT_EXPECT_EQ(test, again, 0);
}

static struct kunit_case wg_pipeline_kunit_cases[] = {
	KUNIT_CASE(do_sinks_before_it_returns),
	KUNIT_CASE(do_in_any_order_sinks_in_places),
	KUNIT_CASE(inline_head_holds_back_delegated),
	KUNIT_CASE(delegated_jobs_all_leave),
	KUNIT_CASE(wake_workers_again_and_again),
	KUNIT_CASE(drain_hands_over_after_max),
	KUNIT_CASE(sink_that_submits_inline),
	KUNIT_CASE(sink_that_submits_and_delegates),
	KUNIT_CASE(push_from_many_threads),
	KUNIT_CASE(has_room_up_to_the_limit),
	KUNIT_CASE(purge_discards_and_leaves_the_lane_usable),
	KUNIT_CASE(take_returns_inline_jobs_to_be_done),
	KUNIT_CASE(delegated_head_blocks_until_done),
	KUNIT_CASE(ready_tells_of_each_delegated_head),
	KUNIT_CASE(pull_from_many_threads),
	KUNIT_CASE(purge_discards_what_was_not_taken),
	KUNIT_CASE(push_comes_to_rest),
	KUNIT_CASE(push_comes_to_rest_when_full),
	KUNIT_CASE(pull_comes_to_rest),
	KUNIT_CASE(pull_comes_to_rest_when_full),
	KUNIT_CASE(prefers_workers_when_the_tick_is_spent),
	{}
};

static struct kunit_suite wg_pipeline_kunit_suite = {
	.name = "wireguard_pipeline",
	.init = wg_pipeline_kunit_init,
	.exit = wg_pipeline_kunit_exit,
	.test_cases = wg_pipeline_kunit_cases,
};

kunit_test_suite(wg_pipeline_kunit_suite);
