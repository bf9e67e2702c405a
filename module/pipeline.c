// SPDX-License-Identifier: GPL-2.0
/*
 * Ordered parallel work.
 *
 * Layer 1.
 *
 * A job takes a place in a lane (append), is done anywhere (by its submitter,
 * by a worker, or by the lane's consumer), and leaves when all before it have
 * left. Two kinds of lane differ in who takes the finished jobs out:
 *
 *   push	whoever finishes a job becomes the drainer if there is none, and
 *		hands to ops->sink() what is done at the head;
 *   pull	a consumer (a NAPI poll) takes with wg_lane_take_ready(), and is
 *		told by ops->ready() when the head has become takeable.
 *
 * The classic bug is the lost wake-up: the drainer looks at the head, finds it
 * unfinished and leaves, while the one who finishes it still sees a drainer.
 * Here the state of the head and the presence of a drainer change under one
 * lock, in these steps:
 *
 *   finish:	lock; job = done; no drainer and head done? become it; unlock
 *   leave:	lock; head done? take it : drainer = none; unlock
 *
 * Whichever comes second sees the other. There is no window and no barrier to
 * get wrong, at the price of one uncontended lock per bundle, not per packet.
 * A pull lane has the same steps with the NAPI's own missed-wake-up bit in
 * place of the drainer flag: "job = done" comes before ready(), and a ready()
 * during the poll makes it run again.
 */
#include "pipeline.h"

#include <linux/bitops.h>
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>

/**
 * struct wg_pipeline_budget - crypto that this CPU did inline
 * @tick: the jiffy that the others belong to
 * @spent_ns: in that jiffy
 * @worth_ns: of this, what would have been worth a wake-up
 */
struct wg_pipeline_budget {
	unsigned long tick;
	u64 spent_ns;
	u64 worth_ns;
};

static DEFINE_PER_CPU(struct wg_pipeline_budget, wg_pipeline_budget);

/* Runs workers and drain works of all lanes. Unbound: the scheduler knows
 * which CPUs are idle, near and not isolated; we do not.
 */
static struct workqueue_struct *wg_pipeline_wq;

/* Lane lock held: may the head leave, or for a pull lane, be taken? */
static bool wg_lane_head_ready(const struct wg_lane *lane)
{
	lockdep_assert_held(&lane->lock);
	if (!lane->head)
		return false;
	return lane->head->state == WG_JOB_DONE ||
	       (lane->ops->ready && lane->head->state == WG_JOB_INLINE);
}

/* Lane lock held: detach up to @max jobs that may leave, as a linked run. */
static struct wg_job *wg_lane_take(struct wg_lane *lane, unsigned int max)
{
	struct wg_job *run = NULL, **end = &run;

	lockdep_assert_held(&lane->lock);
	while (max-- && wg_lane_head_ready(lane)) {
		struct wg_job *job = lane->head;

		lane->head = job->next;
		lane->bytes -= job->bytes;
		job->next = NULL;
		*end = job;
		end = &job->next;
	}
	if (!lane->head)
		lane->tail = NULL;
	return run;
}

/* The caller is the drainer, and has taken @run; it stops being it before this
 * returns, or hands the role to the drain work, so that one CPU is not kept for
 * ever.
 */
static void wg_lane_drain(struct wg_lane *lane, struct wg_job *run)
{
	unsigned int n = 0;

	for (;;) {
		while (run) {
			struct wg_job *job = run;

			run = job->next;
			lane->ops->sink(job);
			n++;
		}
		spin_lock_bh(&lane->lock);
		run = wg_lane_take(lane, WG_PIPELINE_DRAIN_MAX - n);
		if (!run)
			lane->draining = wg_lane_head_ready(lane);
		if (!run && lane->draining)
			queue_work(wg_pipeline_wq, &lane->drain_work);
		spin_unlock_bh(&lane->lock);
		if (!run)
			return;
	}
}

static void wg_lane_drain_work(struct work_struct *work)
{
	struct wg_lane *lane = container_of(work, struct wg_lane, drain_work);

	local_bh_disable();
	wg_lane_drain(lane, NULL);
	local_bh_enable();
}

/* BH off. Marks @job done and sees to it that it leaves. @job may be gone when
 * the lock is dropped.
 */
static void wg_lane_finish(struct wg_lane *lane, struct wg_job *job)
{
	struct wg_job *run = NULL;
	bool tell;

	spin_lock_bh(&lane->lock);
	job->state = WG_JOB_DONE;
	tell = lane->ops->ready && lane->head == job;
	if (!lane->ops->ready && !lane->draining) {
		run = wg_lane_take(lane, WG_PIPELINE_DRAIN_MAX);
		lane->draining = run;
	}
	spin_unlock_bh(&lane->lock);
	if (tell)
		lane->ops->ready(lane);
	if (run)
		wg_lane_drain(lane, run);
}

static struct wg_job *wg_lane_next_todo(struct wg_lane_worker *worker)
{
	struct wg_lane *lane = worker->lane;
	struct wg_job *job;

	spin_lock_bh(&lane->lock);
	job = lane->todo_head;
	if (job) {
		lane->todo_head = job->next_todo;
		if (!lane->todo_head)
			lane->todo_tail = NULL;
	} else {
		/* Under the lock that appending holds: nobody can add a job
		 * and still believe that this worker will see it.
		 */
		lane->busy &= ~BIT(worker - lane->workers);
	}
	spin_unlock_bh(&lane->lock);
	return job;
}

static void wg_lane_work(struct work_struct *work)
{
	struct wg_lane_worker *worker =
		container_of(work, struct wg_lane_worker, work);
	struct wg_lane *lane = worker->lane;
	struct wg_job *job;
	int n;

	for (n = 0; n < WG_PIPELINE_WORK_MAX; n++) {
		job = wg_lane_next_todo(worker);
		if (!job)
			return;
		local_bh_disable();
		lane->ops->crypt(job);
		wg_lane_finish(lane, job);
		local_bh_enable();
		cond_resched();
	}
	/* All devices share the workqueue, and it runs so many works at a time:
	 * the others first. This one is still busy.
	 */
	queue_work(wg_pipeline_wq, work);
}

/**
 * wg_pipeline_init() - once per module
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_pipeline_init(void)
{
	wg_pipeline_wq = alloc_workqueue("wg-crypt", WQ_UNBOUND |
					 WQ_MEM_RECLAIM, 0);
	return wg_pipeline_wq ? 0 : -ENOMEM;
}

/**
 * wg_pipeline_fini() - undo wg_pipeline_init()
 *
 * Context: process; all lanes have been purged.
 */
void wg_pipeline_fini(void)
{
	destroy_workqueue(wg_pipeline_wq);
}

/**
 * wg_lane_init() - make an empty lane
 * @lane: zeroed memory
 * @ops: what to do with its jobs
 * @stats: where jobs are counted
 * @limit: of the bytes that its jobs are charged for
 *
 * Context: process.
 */
void wg_lane_init(struct wg_lane *lane, const struct wg_lane_ops *ops,
		  struct wg_stats *stats, u32 limit)
{
	int i;

	spin_lock_init(&lane->lock);
	lane->limit = limit;
	lane->ops = ops;
	lane->stats = stats;
	INIT_WORK(&lane->drain_work, wg_lane_drain_work);
	for (i = 0; i < WG_PIPELINE_WORKERS; i++) {
		INIT_WORK(&lane->workers[i].work, wg_lane_work);
		lane->workers[i].lane = lane;
	}
}

static void wg_lane_flush(struct wg_lane *lane)
{
	int i;

	for (i = 0; i < WG_PIPELINE_WORKERS; i++)
		flush_work(&lane->workers[i].work);
	flush_work(&lane->drain_work);
}

/**
 * wg_lane_drain_sync() - wait until workers and drainer have nothing to do
 * @lane: nobody appends to it any more, and no submitter is still at work
 *
 * A push lane is empty afterwards; a pull lane has no job in work.
 *
 * Context: process, sleeps.
 */
void wg_lane_drain_sync(struct wg_lane *lane)
{
	bool more;

	do {
		wg_lane_flush(lane);
		/* They may have queued themselves again behind the flush. */
		spin_lock_bh(&lane->lock);
		more = lane->busy || (!lane->ops->ready &&
				      (lane->head || lane->draining));
		spin_unlock_bh(&lane->lock);
	} while (more);
	/* They have said that they are done, but may not have returned yet. */
	wg_lane_flush(lane);
}

/**
 * wg_lane_purge() - discard what is left in a lane
 * @lane: after wg_lane_drain_sync(), its consumer has stopped
 *
 * Context: process.
 */
void wg_lane_purge(struct wg_lane *lane)
{
	struct wg_job *job, *next;

	spin_lock_bh(&lane->lock);
	job = lane->head;
	lane->head = NULL;
	lane->tail = NULL;
	lane->todo_head = NULL;
	lane->todo_tail = NULL;
	lane->bytes = 0;
	spin_unlock_bh(&lane->lock);
	for (; job; job = next) {
		next = job->next;
		lane->ops->discard(job);
	}
}

/**
 * wg_lane_has_room() - may another job be appended?
 * @lane: locked
 *
 * The bound is soft by one job, so that none is too large for a lane.
 *
 * Context: lane lock held.
 * Return: false if the lane holds all that it should.
 */
bool wg_lane_has_room(const struct wg_lane *lane)
{
	lockdep_assert_held(&lane->lock);
	return lane->bytes < lane->limit;
}

/**
 * wg_lane_append() - take the next place
 * @lane: locked, with room
 * @job: to be done by wg_lane_do() or the consumer; or by a worker, if
 * @delegate: is set; the caller then calls wg_lane_wake_workers()
 * @bytes: charge for it
 *
 * Context: lane lock held.
 */
void wg_lane_append(struct wg_lane *lane, struct wg_job *job, u32 bytes,
		    bool delegate)
{
	lockdep_assert_held(&lane->lock);
	job->next = NULL;
	job->next_todo = NULL;
	job->bytes = bytes;
	job->state = delegate ? WG_JOB_DELEGATED : WG_JOB_INLINE;
	lane->bytes += bytes;
	if (lane->tail)
		lane->tail->next = job;
	else
		lane->head = job;
	lane->tail = job;
	wg_stats_inc(lane->stats, delegate ? WG_STAT_CRYPTO_WORKER :
					     WG_STAT_CRYPTO_INLINE);
	if (!delegate)
		return;
	if (lane->todo_tail)
		lane->todo_tail->next_todo = job;
	else
		lane->todo_head = job;
	lane->todo_tail = job;
}

/**
 * wg_lane_do() - do an appended job here and now
 * @lane: push lane, not locked
 * @job: appended without delegation; gone afterwards
 *
 * Context: BH off.
 */
void wg_lane_do(struct wg_lane *lane, struct wg_job *job)
{
	u64 since = wg_pipeline_clock();

	lane->ops->crypt(job);
	wg_pipeline_account(wg_pipeline_clock() - since);
	wg_lane_finish(lane, job);
}

/**
 * wg_lane_wake_workers() - see to it that delegated jobs get done
 * @lane: not locked
 *
 * Wakes one more worker, if there is one to spare and something to do; called
 * once per delegated job this adds workers as long as jobs pile up.
 *
 * Context: any but hardirq.
 */
void wg_lane_wake_workers(struct wg_lane *lane)
{
	unsigned int most = min_t(unsigned int, WG_PIPELINE_WORKERS,
				  num_online_cpus());
	unsigned int i;

	spin_lock_bh(&lane->lock);
	i = ffz(lane->busy);
	if (lane->todo_head && i < most) {
		lane->busy |= BIT(i);
		queue_work(wg_pipeline_wq, &lane->workers[i].work);
	}
	spin_unlock_bh(&lane->lock);
}

/**
 * wg_lane_take_ready() - take finished jobs, and those left to the consumer
 * @lane: pull lane, not locked
 * @max: how many at most
 *
 * A taken job whose state is WG_JOB_INLINE is still to be done.
 *
 * Context: the lane's one consumer, BH off.
 * Return: jobs in the order of their places, linked by next; NULL if the head
 * is not ready, and ops->ready() will tell when it is.
 */
struct wg_job *wg_lane_take_ready(struct wg_lane *lane, unsigned int max)
{
	struct wg_job *run;

	spin_lock_bh(&lane->lock);
	run = wg_lane_take(lane, max);
	spin_unlock_bh(&lane->lock);
	return run;
}

/**
 * wg_pipeline_prefers_workers() - has this CPU done its share inline?
 *
 * Inline crypto has no wake-up and a warm cache, and slows a sender down by
 * its own work. But it keeps the CPU from everything else, so beyond a quarter
 * of each tick jobs go to workers. What was spent on jobs so small that waking
 * somebody costs more counts only when it was half the tick. On PREEMPT_RT they
 * always go: there, long stretches with BH off are what users want to be rid
 * of.
 *
 * Context: BH off.
 * Return: true if the next job should be delegated.
 */
bool wg_pipeline_prefers_workers(void)
{
	const struct wg_pipeline_budget *budget;
	unsigned long tick = jiffies;

	if (num_online_cpus() == 1)
		return false;
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return true;
	budget = this_cpu_ptr(&wg_pipeline_budget);
	return budget->tick == tick && (budget->worth_ns > TICK_NSEC / 4 ||
					budget->spent_ns > TICK_NSEC / 2);
}

/**
 * wg_pipeline_clock() - the time, for wg_pipeline_account()
 *
 * Context: BH off.
 * Return: nanoseconds, always 0 if time need not be accounted.
 */
u64 wg_pipeline_clock(void)
{
	return num_online_cpus() == 1 ? 0 : local_clock();
}

/**
 * wg_pipeline_account() - charge an inline job's crypto to this CPU
 * @ns: by wg_pipeline_clock(), how long it took; too long if a second CPU came
 *	online meanwhile, which costs a tick of preferring workers
 *
 * Context: BH off since the job began.
 */
void wg_pipeline_account(u64 ns)
{
	struct wg_pipeline_budget *budget;
	unsigned long tick = jiffies;

	if (!ns)
		return;
	budget = this_cpu_ptr(&wg_pipeline_budget);
	if (budget->tick != tick) {
		budget->tick = tick;
		budget->spent_ns = 0;
		budget->worth_ns = 0;
	}
	budget->spent_ns += ns;
	if (ns > WG_PIPELINE_WAKE_NS)
		budget->worth_ns += ns;
}
