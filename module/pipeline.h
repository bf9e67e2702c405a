/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ordered parallel work: jobs take places in a lane, are done
 * anywhere, and leave the lane in the order of their places.
 *
 * Layer 1. Knows no skb and no peer.
 */
#ifndef _WG_PIPELINE_H
#define _WG_PIPELINE_H

#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "stats.h"

enum wg_pipeline_limit {
	/* So many CPUs at most work on one lane. */
	WG_PIPELINE_WORKERS = 4,
	/* Jobs a worker does before others of its workqueue have a turn. */
	WG_PIPELINE_WORK_MAX = 32,
	/* A drainer goes on elsewhere after so many jobs. */
	WG_PIPELINE_DRAIN_MAX = 64,
	/* To wake a worker elsewhere, and to move the packets there. */
	WG_PIPELINE_WAKE_NS = 10 * 1000,
};

enum wg_job_state {
	WG_JOB_INLINE,		/* its submitter or the consumer does it */
	WG_JOB_DELEGATED,	/* a worker does it */
	WG_JOB_DONE,		/* may leave when it is the head */
};

/**
 * struct wg_job - embedded in what a lane carries
 * @next: the next place in the lane, then the caller's to link with
 * @next_todo: the next job that waits for a worker
 * @bytes: what it is charged as while it is in the lane
 * @state: written under the lane's lock
 */
struct wg_job {
	struct wg_job *next;
	struct wg_job *next_todo;
	u32 bytes;
	enum wg_job_state state;
};

struct wg_lane;

/**
 * struct wg_lane_ops - what a lane does with its jobs
 * @crypt: do the work; BH off, any CPU, several jobs of a lane at a time
 * @sink: take a finished job over, in order, one at a time; BH off. Never
 *	called with the lane's lock held, so it may submit to any lane
 * @ready: set if a consumer of its own drains the lane by
 *	wg_lane_take_ready(): tells it that there may be something; any context
 * @discard: free a job that nobody will ever finish
 */
struct wg_lane_ops {
	void (*crypt)(struct wg_job *job);
	void (*sink)(struct wg_job *job);
	void (*ready)(struct wg_lane *lane);
	void (*discard)(struct wg_job *job);
};

struct wg_lane_worker {
	struct work_struct work;
	struct wg_lane *lane;
};

/**
 * struct wg_lane - one ordered queue
 * @lock: the producer lock: protects all that follows but the constants.
 *	BH-safe. What must happen in the order of places (taking nonces,
 *	staging) happens under it too
 * @head: oldest job
 * @tail: youngest job
 * @todo_head: oldest job that waits for a worker
 * @todo_tail: youngest such job
 * @bytes: sum over the jobs
 * @busy: bit k: worker k is queued or running
 * @draining: somebody is the drainer; never set if there is ops->ready()
 * @limit: of @bytes; constant
 * @ops: constant
 * @stats: constant
 * @drain_work: the drainer that takes over after WG_PIPELINE_DRAIN_MAX jobs
 * @workers: do the crypto of delegated jobs
 */
struct wg_lane {
	spinlock_t lock; /* protects all but @limit, @ops and @stats */
	bool draining;
	u8 busy;
	u32 bytes;
	struct wg_job *head;
	struct wg_job *tail;
	struct wg_job *todo_head;
	struct wg_job *todo_tail;
	u32 limit;
	const struct wg_lane_ops *ops;
	struct wg_stats *stats;
	struct work_struct drain_work;
	struct wg_lane_worker workers[WG_PIPELINE_WORKERS];
} ____cacheline_aligned_in_smp;

int wg_pipeline_init(void);
void wg_pipeline_fini(void);

void wg_lane_init(struct wg_lane *lane, const struct wg_lane_ops *ops,
		  struct wg_stats *stats, u32 limit);
void wg_lane_drain_sync(struct wg_lane *lane);
void wg_lane_purge(struct wg_lane *lane);
bool wg_lane_has_room(const struct wg_lane *lane);
void wg_lane_append(struct wg_lane *lane, struct wg_job *job, u32 bytes,
		    bool delegate);
void wg_lane_do(struct wg_lane *lane, struct wg_job *job);
void wg_lane_wake_workers(struct wg_lane *lane);
struct wg_job *wg_lane_take_ready(struct wg_lane *lane, unsigned int max);

bool wg_pipeline_prefers_workers(void);
u64 wg_pipeline_clock(void);
void wg_pipeline_account(u64 ns);

#endif /* _WG_PIPELINE_H */
