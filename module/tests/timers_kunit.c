// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlines after each event, what expiry reports, and both
 * under concurrency (spec 2.6).
 *
 * No test waits for a real deadline: it is moved into the past, and the test
 * waits for the callback.
 */
#include "../timers.h"

#include <kunit/test.h>

#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/math.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/string.h>

enum wg_timers_kunit_size {
	WG_TIMERS_KUNIT_DRAWS = 500,
	WG_TIMERS_KUNIT_THREADS = 4,
};

struct wg_timers_kunit {
	struct wg_timers timers;
	struct completion fired;
	atomic_t fires;
	u32 due;
};

static void wg_timers_kunit_fire(struct wg_timers *timers, u32 due)
{
	struct wg_timers_kunit *fix =
		container_of(timers, struct wg_timers_kunit, timers);

	WRITE_ONCE(fix->due, due);
	atomic_inc(&fix->fires);
	complete(&fix->fired);
}

static int wg_timers_kunit_init(struct kunit *test)
{
	struct wg_timers_kunit *fix;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	if (!fix)
		return -ENOMEM;
	/* What was there before does not matter. */
	memset(&fix->timers, 0xff, sizeof(fix->timers));
	init_completion(&fix->fired);
	wg_timers_init(&fix->timers, wg_timers_kunit_fire);
	wg_timers_start(&fix->timers);
	test->priv = fix;
	return 0;
}

static void wg_timers_kunit_exit(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;

	if (fix)
		wg_timers_shutdown(&fix->timers);
}

static u32 wg_timers_kunit_on(const struct wg_timers *timers)
{
	u32 on = 0;
	int which;

	for (which = 0; which < WG_TIMERS; which++)
		if (READ_ONCE(timers->deadline[which]))
			on |= BIT(which);
	return on;
}

/* Makes the deadlines in @mask expire together; returns what was due. */
static u32 wg_timers_kunit_expire(struct kunit *test, u32 mask)
{
	struct wg_timers_kunit *fix = test->priv;
	struct wg_timers *timers = &fix->timers;
	int which;

	reinit_completion(&fix->fired);
	spin_lock_bh(&timers->lock);
	for (which = 0; which < WG_TIMERS; which++)
		if (mask & BIT(which))
			WRITE_ONCE(timers->deadline[which], (jiffies - 1) ?: 1);
	mod_timer(&timers->timer, jiffies);
	spin_unlock_bh(&timers->lock);
	if (!wait_for_completion_timeout(&fix->fired, 10 * HZ)) {
		KUNIT_FAIL(test, "nothing was due for %#x", mask);
		return 0;
	}
	return READ_ONCE(fix->due);
}

/* Is it on, and between these delays after @from or now? The kernel timer too? */
static void wg_timers_kunit_expect(struct kunit *test, enum wg_timer which,
				   unsigned long from, unsigned long delay[2])
{
	struct wg_timers_kunit *fix = test->priv;
	struct wg_timers *timers = &fix->timers;
	unsigned long deadline = READ_ONCE(timers->deadline[which]);

	KUNIT_EXPECT_NE(test, deadline, 0ul);
	KUNIT_EXPECT_TRUE(test, time_after_eq(deadline, from + delay[0]));
	KUNIT_EXPECT_TRUE(test, time_before_eq(deadline, jiffies + delay[1]));
	KUNIT_EXPECT_TRUE(test, timer_pending(&timers->timer));
	KUNIT_EXPECT_TRUE(test, time_before_eq(timers->timer.expires,
					       deadline));
}

#define WG_TIMERS_KUNIT_BETWEEN(which, from, least, most)		\
	wg_timers_kunit_expect(test, which, from,			\
			       (unsigned long[]){ least, most })

static void initiation_sent_arms_retransmit(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long from, delay, least = ULONG_MAX, most = 0;
	int i;

	for (i = 0; i < WG_TIMERS_KUNIT_DRAWS; i++) {
		from = jiffies;
		wg_timers_initiation_sent(&fix->timers);
		WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_RETRANSMIT, from, 5 * HZ,
					5 * HZ + HZ / 3);
		delay = fix->timers.deadline[WG_TIMER_RETRANSMIT] - from;
		least = min(least, delay);
		most = max(most, delay);
	}
	/* The jitter is there: a quarter of its range in 500 draws. */
	KUNIT_EXPECT_GE(test, most - least, (unsigned long)HZ / 12);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers),
			(u32)BIT(WG_TIMER_RETRANSMIT));
	KUNIT_EXPECT_EQ(test, fix->timers.attempts, 0u);
}

static void retransmit_expiry_until_give_up(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long from = jiffies;
	int sent = 0;
	u32 due;

	do {
		wg_timers_initiation_sent(&fix->timers);
		sent++;
		due = wg_timers_kunit_expire(test, BIT(WG_TIMER_RETRANSMIT));
		/* A try that is not sent does not end it. */
		KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers) &
				BIT(WG_TIMER_RETRANSMIT),
				due == WG_DUE_RETRY ?
				BIT(WG_TIMER_RETRANSMIT) : 0ul);
	} while (due == WG_DUE_RETRY && sent < 100);
	KUNIT_EXPECT_EQ(test, due, (u32)WG_DUE_GIVE_UP);
	KUNIT_EXPECT_EQ(test, sent, 20);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_WIPE, from, 540 * HZ, 540 * HZ);

	/* Traffic asks again: twenty more. An older wipe deadline stays. */
	from = fix->timers.deadline[WG_TIMER_WIPE] - 100;
	fix->timers.deadline[WG_TIMER_WIPE] = from;
	wg_timers_initiation_wanted(&fix->timers);
	KUNIT_EXPECT_EQ(test, fix->timers.attempts, 0u);
	wg_timers_data_received(&fix->timers);
	for (sent = 1; sent <= 20; sent++) {
		wg_timers_initiation_sent(&fix->timers);
		due = wg_timers_kunit_expire(test, BIT(WG_TIMER_RETRANSMIT));
		KUNIT_EXPECT_EQ(test, due, sent < 20 ? (u32)WG_DUE_RETRY :
						       (u32)WG_DUE_GIVE_UP);
		/* Giving up turns the passive keepalive off. */
		KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers),
				(u32)(BIT(WG_TIMER_WIPE) |
				      (sent < 20 ? BIT(WG_TIMER_KEEPALIVE) |
						   BIT(WG_TIMER_RETRANSMIT) :
						   0)));
	}
	KUNIT_EXPECT_EQ(test, fix->timers.deadline[WG_TIMER_WIPE], from);
}

static void give_up_with_keepalive_due_at_once(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;

	fix->timers.attempts = 19;
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_expire(test,
						     BIT(WG_TIMER_RETRANSMIT) |
						     BIT(WG_TIMER_KEEPALIVE)),
			(u32)WG_DUE_GIVE_UP);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers),
			(u32)BIT(WG_TIMER_WIPE));
}

static void handshake_complete_resets(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test,
				wg_timers_kunit_expire(test,
						       BIT(WG_TIMER_RETRANSMIT)),
				(u32)WG_DUE_RETRY);
	KUNIT_EXPECT_EQ(test, fix->timers.attempts, 3u);
	wg_timers_initiation_sent(&fix->timers);
	wg_timers_data_sent(&fix->timers);
	wg_timers_handshake_complete(&fix->timers);
	KUNIT_EXPECT_EQ(test, fix->timers.attempts, 0u);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers),
			(u32)BIT(WG_TIMER_NEW_HANDSHAKE));
	/* What was turned off is not due when the kernel timer comes. */
	KUNIT_EXPECT_EQ(test,
			wg_timers_kunit_expire(test,
					       BIT(WG_TIMER_NEW_HANDSHAKE)),
			(u32)WG_DUE_NEW_HANDSHAKE);
}

static void awaited_handshake_is_tried_later(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long *deadline = &fix->timers.deadline[WG_TIMER_RETRANSMIT];
	unsigned long from = jiffies, old;

	wg_timers_handshake_awaited(&fix->timers);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_RETRANSMIT, from, 5 * HZ,
				5 * HZ + HZ / 3);
	/* Asking all the time does not put it off. */
	old = *deadline - HZ;
	*deadline = old;
	wg_timers_handshake_awaited(&fix->timers);
	KUNIT_EXPECT_EQ(test, *deadline, old);
	wg_timers_handshake_complete(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
}

static void data_received_arms_passive_keepalive(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long from = jiffies, deadline;

	wg_timers_data_received(&fix->timers);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_KEEPALIVE, from, 10 * HZ, 10 * HZ);
	KUNIT_EXPECT_FALSE(test, fix->timers.need_another);

	/* More data leaves the deadline alone. */
	deadline = --fix->timers.deadline[WG_TIMER_KEEPALIVE];
	wg_timers_data_received(&fix->timers);
	KUNIT_EXPECT_EQ(test, fix->timers.deadline[WG_TIMER_KEEPALIVE],
			deadline);
	KUNIT_EXPECT_TRUE(test, fix->timers.need_another);

	wg_timers_any_sent(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	KUNIT_EXPECT_TRUE(test, fix->timers.need_another);
	wg_timers_any_sent(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
}

static void keepalive_expiry_once_and_twice(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long from;

	wg_timers_data_received(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_expire(test,
						     BIT(WG_TIMER_KEEPALIVE)),
			(u32)WG_DUE_KEEPALIVE);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);

	wg_timers_data_received(&fix->timers);
	wg_timers_data_received(&fix->timers);
	from = jiffies;
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_expire(test,
						     BIT(WG_TIMER_KEEPALIVE)),
			(u32)WG_DUE_KEEPALIVE);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_KEEPALIVE, from, 10 * HZ, 10 * HZ);
	KUNIT_EXPECT_FALSE(test, fix->timers.need_another);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_expire(test,
						     BIT(WG_TIMER_KEEPALIVE)),
			(u32)WG_DUE_KEEPALIVE);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
}

static void data_sent_arms_new_handshake(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long from = jiffies, deadline;
	int i;

	for (i = 0; i < WG_TIMERS_KUNIT_DRAWS; i++) {
		from = jiffies;
		wg_timers_data_sent(&fix->timers);
		WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_NEW_HANDSHAKE, from, 15 * HZ,
					15 * HZ + HZ / 3);
		deadline = --fix->timers.deadline[WG_TIMER_NEW_HANDSHAKE];
		wg_timers_data_sent(&fix->timers);
		KUNIT_EXPECT_EQ(test,
				fix->timers.deadline[WG_TIMER_NEW_HANDSHAKE],
				deadline);
		wg_timers_any_received(&fix->timers);
		KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	}

	wg_timers_data_sent(&fix->timers);
	fix->timers.attempts = 7;
	KUNIT_EXPECT_EQ(test,
			wg_timers_kunit_expire(test,
					       BIT(WG_TIMER_NEW_HANDSHAKE)),
			(u32)WG_DUE_NEW_HANDSHAKE);
	KUNIT_EXPECT_EQ(test, fix->timers.attempts, 0u);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
}

static void session_derived_rearms_wipe(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long from = jiffies;

	wg_timers_session_derived(&fix->timers);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_WIPE, from, 540 * HZ, 540 * HZ);

	fix->timers.deadline[WG_TIMER_WIPE] = from + 7;
	wg_timers_session_derived(&fix->timers);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_WIPE, from, 540 * HZ, 540 * HZ);

	wg_timers_cancel_wipe(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	wg_timers_session_derived(&fix->timers);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_WIPE, from, 540 * HZ, 540 * HZ);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_expire(test, BIT(WG_TIMER_WIPE)),
			(u32)WG_DUE_WIPE);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
}

/* Keeps the rule that the kernel timer comes at or before the deadline. */
static void wg_timers_kunit_move(struct wg_timers *timers, enum wg_timer which,
				 unsigned long deadline)
{
	spin_lock_bh(&timers->lock);
	WRITE_ONCE(timers->deadline[which], deadline);
	if (deadline)
		timer_reduce(&timers->timer, deadline);
	spin_unlock_bh(&timers->lock);
}

static void any_traversal_without_interval(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;

	wg_timers_any_traversal(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	KUNIT_EXPECT_FALSE(test, timer_pending(&fix->timers.timer));
}

static void any_traversal_arms_persistent_keepalive(struct kunit *test)
{
	static const u16 intervals[] = { 5, 16, 25, 65535 };
	struct wg_timers_kunit *fix = test->priv;
	unsigned long from, next, early, interval;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(intervals); i++) {
		interval = (unsigned long)intervals[i] * HZ;
		early = min_t(unsigned long, interval / 16, HZ);
		wg_timers_set_interval(&fix->timers, intervals[i]);
		/* First from off. */
		wg_timers_kunit_move(&fix->timers, WG_TIMER_PERSISTENT, 0);
		for (j = 0; j < WG_TIMERS_KUNIT_DRAWS; j++) {
			from = jiffies;
			wg_timers_any_traversal(&fix->timers);
			WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_PERSISTENT, from,
						interval - early, interval);
			/* Next from off, too early and too late. */
			next = j % 3 ? from + j % 3 * 3 * interval / 4 : 0;
			wg_timers_kunit_move(&fix->timers, WG_TIMER_PERSISTENT,
					     next);
		}
		wg_timers_set_interval(&fix->timers, 0);
	}
}

static void any_traversal_leaves_good_deadlines(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long *deadline = &fix->timers.deadline[WG_TIMER_PERSISTENT];
	unsigned long expires, good;

	wg_timers_set_interval(&fix->timers, 25);
	wg_timers_any_traversal(&fix->timers);
	good = jiffies + 25 * HZ - HZ / 2;
	*deadline = good;
	wg_timers_any_traversal(&fix->timers);
	KUNIT_EXPECT_EQ(test, *deadline, good);

	/* Moving later does not touch the kernel timer. */
	wg_timers_kunit_move(&fix->timers, WG_TIMER_PERSISTENT,
			     jiffies + 20 * HZ);
	expires = fix->timers.timer.expires;
	wg_timers_any_traversal(&fix->timers);
	KUNIT_EXPECT_TRUE(test, time_after_eq(*deadline, jiffies + 23 * HZ));
	KUNIT_EXPECT_EQ(test, fix->timers.timer.expires, expires);
}

static void set_interval_with_keepalive_pending(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long *deadline = &fix->timers.deadline[WG_TIMER_PERSISTENT];
	unsigned long from = jiffies, old;

	wg_timers_set_interval(&fix->timers, 100);
	wg_timers_any_traversal(&fix->timers);
	wg_timers_set_interval(&fix->timers, 10);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_PERSISTENT, from, 10 * HZ, 10 * HZ);
	old = *deadline;
	wg_timers_set_interval(&fix->timers, 100);
	KUNIT_EXPECT_EQ(test, *deadline, old);
	wg_timers_set_interval(&fix->timers, 0);
	KUNIT_EXPECT_EQ(test, *deadline, 0ul);
	/* The keepalive that its caller sends may come to nothing. */
	from = jiffies;
	wg_timers_set_interval(&fix->timers, 100);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_PERSISTENT, from, 100 * HZ, 100 * HZ);
}

/* It goes on, whether that keepalive is sent or not. */
static void persistent_expiry_reads_the_interval_again(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;
	unsigned long from;

	wg_timers_set_interval(&fix->timers, 25);
	wg_timers_any_traversal(&fix->timers);
	from = jiffies;
	KUNIT_EXPECT_EQ(test,
			wg_timers_kunit_expire(test, BIT(WG_TIMER_PERSISTENT)),
			(u32)WG_DUE_KEEPALIVE);
	WG_TIMERS_KUNIT_BETWEEN(WG_TIMER_PERSISTENT, from, 24 * HZ, 25 * HZ);

	wg_timers_set_interval(&fix->timers, 0);
	KUNIT_EXPECT_EQ(test,
			wg_timers_kunit_expire(test, BIT(WG_TIMER_PERSISTENT) |
						     BIT(WG_TIMER_WIPE)),
			(u32)WG_DUE_WIPE);
}

static void expiry_reports_all_at_once(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;

	wg_timers_set_interval(&fix->timers, 25);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_expire(test,
						     GENMASK(WG_TIMERS - 1, 0)),
			(u32)(WG_DUE_RETRY | WG_DUE_KEEPALIVE |
			      WG_DUE_NEW_HANDSHAKE | WG_DUE_WIPE));
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->fires), 1);
	/* Those that go on by themselves. */
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers),
			(u32)(BIT(WG_TIMER_RETRANSMIT) |
			      BIT(WG_TIMER_PERSISTENT)));
}

static void expiry_sleeps_until_the_next_deadline(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;

	wg_timers_session_derived(&fix->timers);
	wg_timers_data_sent(&fix->timers);
	wg_timers_data_received(&fix->timers);
	KUNIT_EXPECT_EQ(test, fix->timers.timer.expires,
			fix->timers.deadline[WG_TIMER_KEEPALIVE]);
	wg_timers_kunit_expire(test, BIT(WG_TIMER_KEEPALIVE));
	KUNIT_EXPECT_EQ(test, fix->timers.timer.expires,
			fix->timers.deadline[WG_TIMER_NEW_HANDSHAKE]);
	wg_timers_kunit_expire(test, BIT(WG_TIMER_NEW_HANDSHAKE));
	KUNIT_EXPECT_EQ(test, fix->timers.timer.expires,
			fix->timers.deadline[WG_TIMER_WIPE]);
	KUNIT_EXPECT_TRUE(test, timer_pending(&fix->timers.timer));
}

static void wg_timers_kunit_all_events(struct wg_timers *timers)
{
	wg_timers_initiation_sent(timers);
	wg_timers_initiation_wanted(timers);
	wg_timers_data_received(timers);
	wg_timers_data_sent(timers);
	wg_timers_session_derived(timers);
	wg_timers_any_traversal(timers);
}

static void stop_turns_all_off_until_start(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;

	wg_timers_set_interval(&fix->timers, 25);
	wg_timers_kunit_all_events(&fix->timers);
	wg_timers_data_received(&fix->timers);
	fix->timers.attempts = 3;
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers),
			(u32)GENMASK(WG_TIMERS - 1, 0));

	wg_timers_stop(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	KUNIT_EXPECT_FALSE(test, timer_pending(&fix->timers.timer));
	KUNIT_EXPECT_EQ(test, fix->timers.attempts, 0u);
	KUNIT_EXPECT_FALSE(test, fix->timers.need_another);
	KUNIT_EXPECT_EQ(test, fix->timers.interval, (u16)25);

	wg_timers_kunit_all_events(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	KUNIT_EXPECT_FALSE(test, timer_pending(&fix->timers.timer));

	wg_timers_start(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	wg_timers_kunit_all_events(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers),
			(u32)GENMASK(WG_TIMERS - 1, 0));
	KUNIT_EXPECT_TRUE(test, timer_pending(&fix->timers.timer));
}

static void init_leaves_timers_stopped(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;

	wg_timers_shutdown(&fix->timers);
	wg_timers_init(&fix->timers, wg_timers_kunit_fire);
	wg_timers_set_interval(&fix->timers, 25);
	wg_timers_kunit_all_events(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	KUNIT_EXPECT_FALSE(test, timer_pending(&fix->timers.timer));
}

static void shutdown_is_for_good(struct kunit *test)
{
	struct wg_timers_kunit *fix = test->priv;

	wg_timers_set_interval(&fix->timers, 25);
	wg_timers_kunit_all_events(&fix->timers);
	wg_timers_shutdown(&fix->timers);
	wg_timers_kunit_all_events(&fix->timers);
	wg_timers_start(&fix->timers);
	wg_timers_kunit_all_events(&fix->timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(&fix->timers), 0u);
	KUNIT_EXPECT_FALSE(test, timer_pending(&fix->timers.timer));
}

struct wg_timers_kunit_stress {
	struct wg_timers *timers;
	struct task_struct *task;
	struct rnd_state rnd;
};

static void wg_timers_kunit_event(struct wg_timers *timers, u32 number)
{
	switch (number % 10) {
	case 0: return wg_timers_data_sent(timers);
	case 1: return wg_timers_data_received(timers);
	case 2: return wg_timers_any_sent(timers);
	case 3: return wg_timers_any_received(timers);
	case 4: return wg_timers_initiation_sent(timers);
	case 5: return wg_timers_initiation_wanted(timers);
	case 6: return wg_timers_handshake_complete(timers);
	case 7: return wg_timers_session_derived(timers);
	case 8: return wg_timers_set_interval(timers, number / 10 % 3);
	default: return wg_timers_any_traversal(timers);
	}
}

/* An event, or time that passes: what is on may turn out to be due by now. */
static void wg_timers_kunit_stir(struct wg_timers_kunit_stress *stress)
{
	struct wg_timers *timers = stress->timers;
	u32 number = prandom_u32_state(&stress->rnd);
	unsigned long old;

	wg_timers_kunit_event(timers, number);
	if (number % 16 == 0) {
		spin_lock_bh(&timers->lock);
		number = prandom_u32_state(&stress->rnd) % WG_TIMERS;
		old = READ_ONCE(timers->deadline[number]);
		if (old && cmpxchg(&timers->deadline[number], old,
				   jiffies ?: 1) == old)
			timer_reduce(&timers->timer, jiffies);
		spin_unlock_bh(&timers->lock);
	}
	cond_resched();
}

static int wg_timers_kunit_stress_thread(void *data)
{
	while (!kthread_should_stop())
		wg_timers_kunit_stir(data);
	return 0;
}

static void wg_timers_kunit_stress_start(struct kunit *test,
					 struct wg_timers_kunit_stress *stress)
{
	struct wg_timers_kunit *fix = test->priv;
	u32 seed = get_random_u32();

	kunit_info(test, "seed %u\n", seed);
	prandom_seed_state(&stress->rnd, seed);
	stress->timers = &fix->timers;
	stress->task = kthread_run(wg_timers_kunit_stress_thread, stress,
				   "wg-timers-stress");
	if (IS_ERR(stress->task)) {
		KUNIT_FAIL(test, "no thread");
		stress->task = NULL;
	}
}

static void wg_timers_kunit_stress_stop(struct wg_timers_kunit_stress *stress)
{
	if (stress->task)
		kthread_stop(stress->task);
}

/* The rule of timers.c: nothing that is on waits for no kernel timer. */
static bool wg_timers_kunit_settled(struct wg_timers *timers)
{
	bool settled = true;
	int which;

	spin_lock_bh(&timers->lock);
	for (which = 0; which < WG_TIMERS; which++)
		if (timers->deadline[which])
			settled &= timer_pending(&timers->timer) &&
				   time_before_eq(timers->timer.expires,
						  timers->deadline[which]);
	spin_unlock_bh(&timers->lock);
	return settled;
}

static void events_race_expiry(struct kunit *test)
{
	struct wg_timers_kunit_stress stress[WG_TIMERS_KUNIT_THREADS];
	struct wg_timers_kunit *fix = test->priv;
	struct wg_timers *timers = &fix->timers;
	unsigned long until = jiffies + HZ;
	int i;

	for (i = 0; i < WG_TIMERS_KUNIT_THREADS; i++)
		wg_timers_kunit_stress_start(test, &stress[i]);
	while (time_before(jiffies, until)) {
		wg_timers_any_traversal(timers);
		cond_resched();
	}
	for (i = 0; i < WG_TIMERS_KUNIT_THREADS; i++)
		wg_timers_kunit_stress_stop(&stress[i]);
	KUNIT_EXPECT_GT(test, atomic_read(&fix->fires), 0);

	/* A callback may be on its way: it has ten seconds. */
	for (i = 0; i < 10 * HZ && !wg_timers_kunit_settled(timers); i++)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_TRUE(test, wg_timers_kunit_settled(timers));
	KUNIT_EXPECT_LE(test, timers->attempts, 19u);

	wg_timers_stop(timers);
	KUNIT_EXPECT_EQ(test, wg_timers_kunit_on(timers), 0u);
	KUNIT_EXPECT_FALSE(test, timer_pending(&timers->timer));

	/* And it still works. */
	wg_timers_start(timers);
	wg_timers_kunit_expire(test, BIT(WG_TIMER_WIPE));
	KUNIT_EXPECT_EQ(test, fix->due, (u32)WG_DUE_WIPE);
}

static void stop_races_events_and_expiry(struct kunit *test)
{
	struct wg_timers_kunit_stress stress;
	struct wg_timers_kunit *fix = test->priv;
	struct wg_timers *timers = &fix->timers;
	unsigned long until = jiffies + HZ;
	int fires, late = 0, rounds = 0;

	wg_timers_kunit_stress_start(test, &stress);
	/* A busy machine may need longer until a tick comes between the two. */
	while (time_before(jiffies, until) ||
	       (!atomic_read(&fix->fires) &&
		time_before(jiffies, until + 9 * HZ))) {
		/* On a CPU of its own it would stop them before any is due. */
		if (++rounds % 8 == 0)
			schedule_timeout_uninterruptible(2);
		wg_timers_stop(timers);
		fires = atomic_read(&fix->fires);
		cond_resched();
		late += wg_timers_kunit_on(timers) != 0;
		late += timer_pending(&timers->timer);
		late += atomic_read(&fix->fires) != fires;
		wg_timers_start(timers);
		cond_resched();
	}
	wg_timers_kunit_stress_stop(&stress);
	KUNIT_EXPECT_GT(test, atomic_read(&fix->fires), 0);
	KUNIT_EXPECT_EQ(test, late, 0);
}

static struct kunit_case wg_timers_kunit_cases[] = {
	KUNIT_CASE(initiation_sent_arms_retransmit),
	KUNIT_CASE(retransmit_expiry_until_give_up),
	KUNIT_CASE(give_up_with_keepalive_due_at_once),
	KUNIT_CASE(handshake_complete_resets),
	KUNIT_CASE(awaited_handshake_is_tried_later),
	KUNIT_CASE(data_received_arms_passive_keepalive),
	KUNIT_CASE(keepalive_expiry_once_and_twice),
	KUNIT_CASE(data_sent_arms_new_handshake),
	KUNIT_CASE(session_derived_rearms_wipe),
	KUNIT_CASE(any_traversal_without_interval),
	KUNIT_CASE(any_traversal_arms_persistent_keepalive),
	KUNIT_CASE(any_traversal_leaves_good_deadlines),
	KUNIT_CASE(set_interval_with_keepalive_pending),
	KUNIT_CASE(persistent_expiry_reads_the_interval_again),
	KUNIT_CASE(expiry_reports_all_at_once),
	KUNIT_CASE(expiry_sleeps_until_the_next_deadline),
	KUNIT_CASE(stop_turns_all_off_until_start),
	KUNIT_CASE(init_leaves_timers_stopped),
	KUNIT_CASE(shutdown_is_for_good),
	KUNIT_CASE(events_race_expiry),
	KUNIT_CASE(stop_races_events_and_expiry),
	{}
};

static struct kunit_suite wg_timers_kunit_suite = {
	.name = "wireguard_timers",
	.init = wg_timers_kunit_init,
	.exit = wg_timers_kunit_exit,
	.test_cases = wg_timers_kunit_cases,
};

kunit_test_suite(wg_timers_kunit_suite);
