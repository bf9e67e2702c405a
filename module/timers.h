/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The five timers of a peer and its attempt count as one state
 * machine on one kernel timer (spec 2.6).
 *
 * Layer 1. Reports what is due by one callback, knows nothing of packets.
 */
#ifndef _WG_TIMERS_H
#define _WG_TIMERS_H

#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>

#include "wire.h"

enum wg_timer {
	WG_TIMER_RETRANSMIT,	/* initiation unanswered for 5 s + jitter */
	WG_TIMER_KEEPALIVE,	/* received data, sent nothing for 10 s */
	WG_TIMER_NEW_HANDSHAKE,	/* sent data, heard nothing for 15 s + jitter */
	WG_TIMER_WIPE,		/* no new session for 540 s */
	WG_TIMER_PERSISTENT,	/* nothing sent or received for the interval */
	WG_TIMERS,
};

/* What wg_timers.fire() is told, as a bit mask. */
enum wg_timers_due {
	WG_DUE_RETRY		= 1 << 0, /* forget source, initiate again */
	WG_DUE_GIVE_UP		= 1 << 1, /* purge what is staged */
	WG_DUE_KEEPALIVE	= 1 << 2, /* send an empty packet */
	WG_DUE_NEW_HANDSHAKE	= 1 << 3, /* forget source, initiate */
	WG_DUE_WIPE		= 1 << 4, /* forget handshake and keypairs */
};

struct wg_timers;

typedef void (*wg_timers_fire_t)(struct wg_timers *timers, u32 due);

/**
 * struct wg_timers - one per peer
 * @attempts: initiations sent by the retransmit timer
 * @timer: fires at or before the earliest deadline
 * @deadline: in jiffies, 0 is off
 * @fire: called in softirq context without @lock
 * @interval: of persistent keepalive in seconds, 0 is off
 * @need_another: data came while the passive keepalive was pending
 * @running: armed only while the interface is up and the peer is alive
 * @dead: shut down, never runs again
 */
struct wg_timers {
	/**
	 * @lock: protects @timer's expiry, @attempts, @running, @dead and every
	 * move of a deadline from "off" to "on" or to an earlier time; BH-safe.
	 * A deadline that is on may be moved later or turned off without it
	 */
	spinlock_t lock;
	u32 attempts;
	struct timer_list timer;
	unsigned long deadline[WG_TIMERS];
	wg_timers_fire_t fire;
	u16 interval;
	bool need_another;
	bool running;
	bool dead;
};

void wg_timers_init(struct wg_timers *timers, wg_timers_fire_t fire);
void wg_timers_start(struct wg_timers *timers);
void wg_timers_stop(struct wg_timers *timers);
void wg_timers_shutdown(struct wg_timers *timers);

void wg_timers_data_sent(struct wg_timers *timers);
void wg_timers_data_received(struct wg_timers *timers);
void wg_timers_any_sent(struct wg_timers *timers);
void wg_timers_any_received(struct wg_timers *timers);
void wg_timers_any_traversal(struct wg_timers *timers);
void wg_timers_initiation_sent(struct wg_timers *timers);
void wg_timers_handshake_awaited(struct wg_timers *timers);
void wg_timers_initiation_wanted(struct wg_timers *timers);
void wg_timers_handshake_complete(struct wg_timers *timers);
void wg_timers_session_derived(struct wg_timers *timers);
void wg_timers_cancel_wipe(struct wg_timers *timers);
void wg_timers_set_interval(struct wg_timers *timers, u16 seconds);
void wg_timers_soon(struct wg_timers *timers, u32 within);

#endif /* _WG_TIMERS_H */
