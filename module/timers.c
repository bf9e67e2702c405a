// SPDX-License-Identifier: GPL-2.0
/*
 * The five timers of a peer and its attempt count as one state
 * machine on one kernel timer (spec 2.6).
 *
 * Layer 1.
 *
 * One rule makes it work: while a deadline is on, the kernel timer is pending
 * at or before it, or its callback is still to take the lock and will see it.
 * So a deadline may be turned off or moved later by a plain store: the kernel
 * timer then runs for nothing, looks at all five and sleeps until the next.
 * Turning one on or moving it earlier may need an earlier kernel timer and
 * takes the lock.
 */
#include "timers.h"

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/string.h>

/* 0 .. max, both included. */
static unsigned long wg_timers_random(u32 max)
{
	return reciprocal_scale(get_random_u32(), max + 1);
}

static unsigned long wg_timers_after(unsigned long delay)
{
	/* 0 is off; a tick more does not matter. */
	return (jiffies + delay) ?: 1;
}

static unsigned long wg_timers_after_spread(unsigned long delay)
{
	return wg_timers_after(delay + wg_timers_random(WG_REKEY_JITTER_MAX));
}

static bool wg_timers_is_on(const struct wg_timers *timers,
			    enum wg_timer which)
{
	return READ_ONCE(timers->deadline[which]);
}

static void wg_timers_turn_off(struct wg_timers *timers, enum wg_timer which)
{
	/*
	 * Without the lock. An expiry at the same time claims the deadline by
	 * cmpxchg(): either it fails because of this store, or it was first and
	 * the event came just after expiry. Somebody who turns the deadline on
	 * between our load and store did so at the same time as this event, so
	 * that "on, then off" is as good an order as the other.
	 */
	if (wg_timers_is_on(timers, which))
		WRITE_ONCE(timers->deadline[which], 0);
}

/*
 * When to have the kernel timer run for a deadline. It comes late by up to
 * 8/63 of its delay, the more the further away it is. A NAT may have forgotten
 * us by then, so the persistent keepalive is approached in steps, each of which
 * ends before the deadline; within 63 ticks it is exact.
 */
static unsigned long wg_timers_wake_at(enum wg_timer which,
				       unsigned long deadline)
{
	long left = deadline - jiffies;

	if (which == WG_TIMER_PERSISTENT && left >= 63)
		deadline -= left / 7;
	return deadline;
}

static void wg_timers_set(struct wg_timers *timers, enum wg_timer which,
			  unsigned long deadline)
{
	lockdep_assert_held(&timers->lock);

	if (!timers->running)
		return;
	WRITE_ONCE(timers->deadline[which], deadline);
	/*
	 * Brings the kernel timer forward or starts it, never moves it later.
	 * If its callback runs meanwhile, it waits for the lock and looks at
	 * this deadline, too.
	 */
	timer_reduce(&timers->timer, wg_timers_wake_at(which, deadline));
}

static void wg_timers_arm(struct wg_timers *timers, enum wg_timer which,
			  unsigned long deadline)
{
	spin_lock_bh(&timers->lock);
	wg_timers_set(timers, which, deadline);
	spin_unlock_bh(&timers->lock);
}

static void wg_timers_reset_attempts(struct wg_timers *timers)
{
	if (!READ_ONCE(timers->attempts))
		return;
	/* With the lock, or an expiry could write back its count plus one. */
	spin_lock_bh(&timers->lock);
	WRITE_ONCE(timers->attempts, 0);
	spin_unlock_bh(&timers->lock);
}

static u32 wg_timers_retransmit(struct wg_timers *timers)
{
	lockdep_assert_held(&timers->lock);

	if (timers->attempts <= WG_MAX_RETRIES) {
		WRITE_ONCE(timers->attempts, timers->attempts + 1);
		/* What is sent now will say so and set this again. But who has
		 * answered the peer just now may not initiate yet, and it may
		 * never confirm that session: then this try is lost, no other.
		 */
		wg_timers_set(timers, WG_TIMER_RETRANSMIT,
			      wg_timers_after_spread(WG_REKEY_TIMEOUT * HZ));
		return WG_DUE_RETRY;
	}
	/* To a peer that does not answer, keepalives only go on trying. */
	wg_timers_turn_off(timers, WG_TIMER_KEEPALIVE);
	if (!wg_timers_is_on(timers, WG_TIMER_WIPE))
		wg_timers_set(timers, WG_TIMER_WIPE,
			      wg_timers_after(WG_WIPE_AFTER_TIME * HZ));
	return WG_DUE_GIVE_UP;
}

/* What is sent now will move the next one. But it may not be sent: there may be
 * no session and none may be asked for yet, no memory, no room in the lane.
 * Nobody else would ever turn this on again.
 */
static u32 wg_timers_persist(struct wg_timers *timers)
{
	u32 interval = READ_ONCE(timers->interval) * HZ;

	lockdep_assert_held(&timers->lock);

	if (!interval)
		return 0;
	interval -= wg_timers_random(min_t(u32, interval / 16, HZ));
	wg_timers_set(timers, WG_TIMER_PERSISTENT, wg_timers_after(interval));
	return WG_DUE_KEEPALIVE;
}

static u32 wg_timers_expire(struct wg_timers *timers, enum wg_timer which)
{
	lockdep_assert_held(&timers->lock);

	switch (which) {
	case WG_TIMER_RETRANSMIT:
		return wg_timers_retransmit(timers);
	case WG_TIMER_KEEPALIVE:
		/*
		 * Data that comes right now and finds the deadline still on may
		 * leave its note after this: one keepalive too many, ever.
		 */
		if (READ_ONCE(timers->need_another)) {
			WRITE_ONCE(timers->need_another, false);
			wg_timers_set(timers, WG_TIMER_KEEPALIVE,
				      wg_timers_after(WG_KEEPALIVE_TIMEOUT *
						      HZ));
		}
		return WG_DUE_KEEPALIVE;
	case WG_TIMER_NEW_HANDSHAKE:
		WRITE_ONCE(timers->attempts, 0);
		return WG_DUE_NEW_HANDSHAKE;
	case WG_TIMER_WIPE:
		return WG_DUE_WIPE;
	case WG_TIMER_PERSISTENT:
		return wg_timers_persist(timers);
	default:
		return 0;
	}
}

static bool wg_timers_claim_expired(struct wg_timers *timers,
				    enum wg_timer which)
{
	unsigned long deadline = READ_ONCE(timers->deadline[which]);

	lockdep_assert_held(&timers->lock);

	if (!deadline || time_before(jiffies, deadline))
		return false;
	/* Fails if the deadline was turned off or moved later meanwhile. */
	return cmpxchg(&timers->deadline[which], deadline, 0) == deadline;
}

static void wg_timers_sleep(struct wg_timers *timers)
{
	unsigned long deadline, earliest = 0;
	int which;

	lockdep_assert_held(&timers->lock);

	for (which = 0; which < WG_TIMERS; which++) {
		/*
		 * Without the lock it can only become later or 0 from here on,
		 * and then the kernel timer runs too early, which is allowed.
		 */
		deadline = READ_ONCE(timers->deadline[which]);
		if (!deadline)
			continue;
		deadline = wg_timers_wake_at(which, deadline) ?: 1;
		if (!earliest || time_before(deadline, earliest))
			earliest = deadline;
	}
	if (earliest)
		mod_timer(&timers->timer, earliest);
}

static void wg_timers_timer_fire(struct timer_list *timer)
{
	struct wg_timers *timers = timer_container_of(timers, timer, timer);
	u32 due = 0;
	int which;

	spin_lock(&timers->lock);
	/* In order: giving up turns the passive keepalive off first. */
	for (which = 0; which < WG_TIMERS; which++)
		if (wg_timers_claim_expired(timers, which))
			due |= wg_timers_expire(timers, which);
	wg_timers_sleep(timers);
	spin_unlock(&timers->lock);

	if (due)
		timers->fire(timers, due);
}

/**
 * wg_timers_init() - set up timers, all off and not running
 * @timers: to be initialised; wg_timers_shutdown() before it is freed
 * @fire: told what is due, once for all that is due at the same time, in
 *	softirq context without locks
 *
 * Context: any.
 */
void wg_timers_init(struct wg_timers *timers, wg_timers_fire_t fire)
{
	memset(timers, 0, sizeof(*timers));
	spin_lock_init(&timers->lock);
	timer_setup(&timers->timer, wg_timers_timer_fire, 0);
	timers->fire = fire;
}

/**
 * wg_timers_start() - the interface is up: events arm timers from now on
 * @timers: of the peer; stay as they are if they were shut down
 *
 * Context: any but hard interrupt; the caller serialises it with
 * wg_timers_stop() and wg_timers_shutdown().
 */
void wg_timers_start(struct wg_timers *timers)
{
	spin_lock_bh(&timers->lock);
	timers->running = !timers->dead;
	spin_unlock_bh(&timers->lock);
}

static void wg_timers_halt(struct wg_timers *timers, bool for_good)
{
	int which;

	spin_lock_bh(&timers->lock);
	timers->running = false;
	timers->dead |= for_good;
	WRITE_ONCE(timers->attempts, 0);
	WRITE_ONCE(timers->need_another, false);
	/*
	 * A persistent keepalive being moved later at the same time finds 0 and
	 * fails, or is overwritten here; turning on needs @running. So after
	 * this nothing is on and the callback starts the kernel timer no more.
	 */
	for (which = 0; which < WG_TIMERS; which++)
		WRITE_ONCE(timers->deadline[which], 0);
	spin_unlock_bh(&timers->lock);
}

/**
 * wg_timers_stop() - the interface is down: all off, until started again
 * @timers: of the peer
 *
 * When it returns, fire() is not running and will not.
 *
 * Context: process context, may wait for fire(): hold no lock that it takes.
 * The caller serialises it with wg_timers_start() and wg_timers_shutdown().
 */
void wg_timers_stop(struct wg_timers *timers)
{
	wg_timers_halt(timers, false);
	timer_delete_sync(&timers->timer);
}

/**
 * wg_timers_shutdown() - the peer is dead: all off, for ever
 * @timers: of the peer; may be freed afterwards, when nobody reports events
 *
 * When it returns, fire() is not running and will not.
 *
 * Context: process context, may wait for fire(): hold no lock that it takes.
 * The caller serialises it with wg_timers_start() and wg_timers_stop().
 */
void wg_timers_shutdown(struct wg_timers *timers)
{
	wg_timers_halt(timers, true);
	timer_shutdown_sync(&timers->timer);
}

/**
 * wg_timers_data_sent() - non-empty data has been sent
 * @timers: of the peer
 *
 * If nothing comes back for 15 s plus jitter, WG_DUE_NEW_HANDSHAKE.
 *
 * Context: any but hard interrupt; one load if that is pending already.
 */
void wg_timers_data_sent(struct wg_timers *timers)
{
	if (!wg_timers_is_on(timers, WG_TIMER_NEW_HANDSHAKE))
		wg_timers_arm(timers, WG_TIMER_NEW_HANDSHAKE,
			      wg_timers_after_spread((WG_KEEPALIVE_TIMEOUT +
						      WG_REKEY_TIMEOUT) * HZ));
}

/**
 * wg_timers_data_received() - authentic non-empty data has been received
 * @timers: of the peer
 *
 * If nothing is sent for 10 s, WG_DUE_KEEPALIVE; and once more 10 s later if
 * there was more data while the first was pending.
 *
 * Context: any but hard interrupt; two loads if both have been noted already.
 */
void wg_timers_data_received(struct wg_timers *timers)
{
	if (!wg_timers_is_on(timers, WG_TIMER_KEEPALIVE))
		wg_timers_arm(timers, WG_TIMER_KEEPALIVE,
			      wg_timers_after(WG_KEEPALIVE_TIMEOUT * HZ));
	else if (!READ_ONCE(timers->need_another))
		WRITE_ONCE(timers->need_another, true);
}

/**
 * wg_timers_any_sent() - any authentic packet has been sent, a keepalive too
 * @timers: of the peer
 *
 * The passive keepalive is not needed then. Its note that there was more data
 * stays: at worst a later keepalive is followed by another.
 *
 * Context: any; one load if it is off.
 */
void wg_timers_any_sent(struct wg_timers *timers)
{
	wg_timers_turn_off(timers, WG_TIMER_KEEPALIVE);
}

/**
 * wg_timers_any_received() - any authentic packet has been received
 * @timers: of the peer
 *
 * The peer is alive: no new handshake is due.
 *
 * Context: any; one load if it is off.
 */
void wg_timers_any_received(struct wg_timers *timers)
{
	wg_timers_turn_off(timers, WG_TIMER_NEW_HANDSHAKE);
}

/**
 * wg_timers_any_traversal() - any authentic packet went either way
 * @timers: of the peer
 *
 * With a persistent keepalive interval the next keepalive is due that long
 * after this, or up to 1/16 of it and at most a second earlier, so that many
 * peers spread and the deadline is not written for each packet.
 *
 * Context: any but hard interrupt; two loads while the deadline is good enough.
 */
void wg_timers_any_traversal(struct wg_timers *timers)
{
	u32 interval = READ_ONCE(timers->interval) * HZ;
	unsigned long earliest, latest, old, new;
	u32 spread;

	if (!interval)
		return;
	spread = min_t(u32, interval / 16, HZ);
	latest = jiffies + interval;
	earliest = latest - spread;

	old = READ_ONCE(timers->deadline[WG_TIMER_PERSISTENT]);
	if (old && time_in_range(old, earliest, latest))
		return;
	new = (earliest + wg_timers_random(spread)) ?: 1;

	/*
	 * Moved later without the lock: the kernel timer comes at or before the
	 * old deadline, and will then see the new one. If the old one expires
	 * at the same time, just one of the two cmpxchg() wins: either the
	 * expiry leaves it alone, or it is off now and has to be turned on.
	 */
	if (old && time_before(old, earliest) &&
	    cmpxchg(&timers->deadline[WG_TIMER_PERSISTENT], old, new) == old)
		return;
	wg_timers_arm(timers, WG_TIMER_PERSISTENT, new);
}

/**
 * wg_timers_handshake_awaited() - a packet waits for a session
 * @timers: of the peer
 *
 * Whatever comes of the handshake it asks for: WG_DUE_RETRY after 5 s plus
 * jitter, unless that is due already or a handshake completes first.
 *
 * Context: any but hard interrupt; one load if it is due already.
 */
void wg_timers_handshake_awaited(struct wg_timers *timers)
{
	if (!wg_timers_is_on(timers, WG_TIMER_RETRANSMIT))
		wg_timers_initiation_sent(timers);
}

/**
 * wg_timers_initiation_sent() - a handshake initiation is about to be sent
 * @timers: of the peer
 *
 * Not has been: an answer that is quicker than we are would find nothing to
 * turn off, and be followed by another handshake.
 *
 * If no handshake completes for 5 s plus jitter, WG_DUE_RETRY; after 20
 * initiations in all WG_DUE_GIVE_UP.
 *
 * Context: any but hard interrupt.
 */
void wg_timers_initiation_sent(struct wg_timers *timers)
{
	wg_timers_arm(timers, WG_TIMER_RETRANSMIT,
		      wg_timers_after_spread(WG_REKEY_TIMEOUT * HZ));
}

/**
 * wg_timers_initiation_wanted() - traffic, not a retry, asks for a handshake
 * @timers: of the peer; its attempts start from 0 again
 *
 * Context: any but hard interrupt.
 */
void wg_timers_initiation_wanted(struct wg_timers *timers)
{
	wg_timers_reset_attempts(timers);
}

/**
 * wg_timers_handshake_complete() - both sides have the session
 * @timers: of the peer; nothing to retransmit, attempts start from 0 again
 *
 * Initiator: the response was accepted. Responder: first data on the session.
 *
 * Context: any but hard interrupt.
 */
void wg_timers_handshake_complete(struct wg_timers *timers)
{
	wg_timers_turn_off(timers, WG_TIMER_RETRANSMIT);
	wg_timers_reset_attempts(timers);
}

/**
 * wg_timers_session_derived() - there are new keys
 * @timers: of the peer; WG_DUE_WIPE 540 s after the last of these
 *
 * Context: any but hard interrupt.
 */
void wg_timers_session_derived(struct wg_timers *timers)
{
	wg_timers_arm(timers, WG_TIMER_WIPE,
		      wg_timers_after(WG_WIPE_AFTER_TIME * HZ));
}

/**
 * wg_timers_cancel_wipe() - the keys are being wiped right now
 * @timers: of the peer
 *
 * Context: any.
 */
void wg_timers_cancel_wipe(struct wg_timers *timers)
{
	wg_timers_turn_off(timers, WG_TIMER_WIPE);
}

/**
 * wg_timers_set_interval() - configure the persistent keepalive
 * @timers: of the peer
 * @seconds: 0 is off
 *
 * A pending keepalive is turned off or brought forward as needed; a longer
 * interval counts from the next packet. If none is pending, one is from now on:
 * the caller sends the first at once, but that may come to nothing.
 *
 * Context: any but hard interrupt; the caller serialises it with itself.
 */
void wg_timers_set_interval(struct wg_timers *timers, u16 seconds)
{
	unsigned long latest = wg_timers_after((unsigned long)seconds * HZ);
	unsigned long deadline;

	WRITE_ONCE(timers->interval, seconds);
	/*
	 * A packet that has read the old interval may set its deadline after
	 * this: at expiry the interval is read again, and the next packet puts
	 * a deadline that is too late right.
	 */
	if (!seconds) {
		wg_timers_turn_off(timers, WG_TIMER_PERSISTENT);
		return;
	}
	deadline = READ_ONCE(timers->deadline[WG_TIMER_PERSISTENT]);
	if (!deadline || time_after(deadline, latest))
		wg_timers_arm(timers, WG_TIMER_PERSISTENT, latest);
}

/**
 * wg_timers_soon() - have the first persistent keepalive sent soon
 * @timers: of the peer, started
 * @within: so many jiffies; the moment is random, so that many peers whose
 *	interface goes up do not all start at once
 *
 * Nothing happens without an interval.
 *
 * Context: any but hard interrupt.
 */
void wg_timers_soon(struct wg_timers *timers, u32 within)
{
	if (READ_ONCE(timers->interval))
		wg_timers_arm(timers, WG_TIMER_PERSISTENT,
			      wg_timers_after(wg_timers_random(within)));
}
