// SPDX-License-Identifier: GPL-2.0
/*
 * All lanes of all devices share one workqueue, which runs so many works at a
 * time. Lanes that always have something to do must not keep these places.
 */
#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../pipeline.h"
#include "../stats.h"

struct wg_turns_kunit;

/**
 * struct wg_turns_kunit_lane - a lane with one job
 * @lane: push lane
 * @job: is appended again each time it leaves
 * @fix: see there
 */
struct wg_turns_kunit_lane {
	struct wg_lane lane;
	struct wg_job job;
	struct wg_turns_kunit *fix;
};

/**
 * struct wg_turns_kunit - what the case shares with its jobs
 * @stats: of all lanes
 * @stop: jobs are appended no more
 * @done: the last lane's job has been done
 */
struct wg_turns_kunit {
	struct wg_stats stats;
	bool stop;
	struct completion done;
};

static void wg_turns_kunit_crypt(struct wg_job *job)
{
}

static void wg_turns_kunit_append(struct wg_turns_kunit_lane *one)
{
	spin_lock_bh(&one->lane.lock);
	wg_lane_append(&one->lane, &one->job, 1, true);
	spin_unlock_bh(&one->lane.lock);
	wg_lane_wake_workers(&one->lane);
}

static void wg_turns_kunit_again(struct wg_job *job)
{
	struct wg_turns_kunit_lane *one =
		container_of(job, struct wg_turns_kunit_lane, job);

	if (!READ_ONCE(one->fix->stop))
		wg_turns_kunit_append(one);
}

static void wg_turns_kunit_once(struct wg_job *job)
{
	struct wg_turns_kunit_lane *one =
		container_of(job, struct wg_turns_kunit_lane, job);

	complete(&one->fix->done);
}

static const struct wg_lane_ops wg_turns_kunit_busy_ops = {
	.crypt = wg_turns_kunit_crypt,
	.sink = wg_turns_kunit_again,
};

static const struct wg_lane_ops wg_turns_kunit_once_ops = {
	.crypt = wg_turns_kunit_crypt,
	.sink = wg_turns_kunit_once,
};

/* Not wg_lane_drain_sync(): a lane that has lost its job would hold it for ever.
 * Nobody is at the lane afterwards; is it empty?
 */
static bool wg_turns_kunit_ends(struct wg_lane *lane, unsigned long end)
{
	bool rest;
	int i;

	do {
		for (i = 0; i < WG_PIPELINE_WORKERS; i++)
			flush_work(&lane->workers[i].work);
		flush_work(&lane->drain_work);
		spin_lock_bh(&lane->lock);
		rest = !lane->head && !lane->busy && !lane->draining;
		spin_unlock_bh(&lane->lock);
	} while (!rest && time_before(jiffies, end));
	for (i = 0; i < WG_PIPELINE_WORKERS; i++)
		cancel_work_sync(&lane->workers[i].work);
	cancel_work_sync(&lane->drain_work);
	return rest;
}

static void wg_turns_kunit_everybody(struct kunit *test)
{
	/* More than any workqueue may run at a time by default. */
	const int busy = max(2 * 256, 2 * WQ_DFL_ACTIVE);
	struct wg_turns_kunit fix = {};
	struct wg_turns_kunit_lane *all;
	unsigned long end;
	int i, lost = 0;

	init_completion(&fix.done);
	KUNIT_ASSERT_EQ(test, wg_stats_init(&fix.stats), 0);
	all = kvcalloc(busy + 1, sizeof(*all), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, all);
	for (i = 0; i <= busy; i++) {
		all[i].fix = &fix;
		wg_lane_init(&all[i].lane, i < busy ? &wg_turns_kunit_busy_ops :
						      &wg_turns_kunit_once_ops,
			     &fix.stats, 1000);
		wg_turns_kunit_append(&all[i]);
	}
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&fix.done, 10 * HZ),
			0);
	WRITE_ONCE(fix.stop, true);
	end = jiffies + 10 * HZ;
	for (i = 0; i <= busy; i++)
		lost += !wg_turns_kunit_ends(&all[i].lane, end);
	KUNIT_EXPECT_EQ(test, lost, 0);
	kvfree(all);
	wg_stats_fini(&fix.stats);
}

static struct kunit_case wg_turns_kunit_cases[] = {
	KUNIT_CASE_SLOW(wg_turns_kunit_everybody),
	{},
};

static struct kunit_suite wg_turns_kunit_suite = {
	.name = "wireguard_turns",
	.test_cases = wg_turns_kunit_cases,
};

kunit_test_suite(wg_turns_kunit_suite);
