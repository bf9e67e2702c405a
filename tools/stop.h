/* SPDX-License-Identifier: GPL-2.0 */
/* Signals that end us, taken when all can be undone. (layer 1) */
#ifndef _WG_STOP_H
#define _WG_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "ctx.h"

#define STOP_SIGNALS	3

/**
 * struct stop - what such signals did before
 * @before:	for each of them
 */
struct stop {
	struct sigaction before[STOP_SIGNALS];
};

/**
 * stop_begin() - from now on SIGINT, SIGTERM and SIGHUP are only noted
 * @stop:	for stop_end()
 *
 * They end waiting all the same.  One that is ignored stays so.  May be nested.
 */
void stop_begin(struct stop *stop);

/**
 * stop_end() - let them do what they did before
 * @ctx:	the run; a signal that nobody asked for is in @stopped then
 * @stop:	from stop_begin()
 */
void stop_end(struct ctx *ctx, const struct stop *stop);

/**
 * stop_wanted() - whether stop_check() would fail
 * @ctx:	the run
 */
bool stop_wanted(const struct ctx *ctx);

/**
 * stop_check() - fail if there was a signal
 * @ctx:	the run; the signal is in @stopped then
 *
 * Only once in a run: what is done afterwards is to undo the rest.
 *
 * Return: 0, or -EINTR with an error text.
 */
int stop_check(struct ctx *ctx);

/**
 * stop_fork() - fork() a child that gets such signals too
 * @ctx:	the run; after @stopped the child is left alone: it undoes the rest
 *
 * Also one that came before and one that comes before exec().
 *
 * Return: as fork(); the parent calls stop_join() then.
 */
pid_t stop_fork(const struct ctx *ctx);

/**
 * stop_join() - wait for the child of stop_fork()
 * @pid:	child
 * @status:	as waitpid()
 *
 * Return: 0 or negative errno.
 */
int stop_join(pid_t pid, int *status);

/**
 * stop_raise() - end as the signal in @stopped would have ended us
 * @ctx:	the run
 *
 * Returns if there was none.
 */
void stop_raise(const struct ctx *ctx);

#endif /* _WG_STOP_H */
