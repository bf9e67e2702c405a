// SPDX-License-Identifier: GPL-2.0
/* Signals that end us, taken when all can be undone. (layer 1) */
#include "stop.h"

#include <errno.h>
#include <string.h>

static const int stop_signals[STOP_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

/* The one thing that a handler can reach. */
static volatile sig_atomic_t stop_came;

static void stop_note(int signal)
{
	stop_came = signal;
}

void stop_begin(struct stop *stop)
{
	/* No SA_RESTART: whoever waits shall look. */
	struct sigaction note = { .sa_handler = stop_note };
	size_t i;

	for (i = 0; i < STOP_SIGNALS; i++) {
		sigaction(stop_signals[i], NULL, &stop->before[i]);
		if (stop->before[i].sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &note, NULL);
	}
}

void stop_end(struct ctx *ctx, const struct stop *stop)
{
	size_t i;

	for (i = 0; i < STOP_SIGNALS; i++)
		sigaction(stop_signals[i], &stop->before[i], NULL);
	if (!ctx->stopped)
		ctx->stopped = stop_came;
	stop_came = 0;
}

bool stop_wanted(const struct ctx *ctx)
{
	return stop_came && !ctx->stopped;
}

int stop_check(struct ctx *ctx)
{
	if (!stop_wanted(ctx))
		return 0;
	ctx->stopped = stop_came;
	return ctx_fail(ctx, -EINTR, "Ended by signal %d (%s)", ctx->stopped,
			strsignal(ctx->stopped));
}

void stop_pass(const struct ctx *ctx, pid_t pid)
{
	if (stop_wanted(ctx))
		kill(pid, stop_came);
}

void stop_raise(const struct ctx *ctx)
{
	if (!ctx->stopped)
		return;
	signal(ctx->stopped, SIG_DFL);
	raise(ctx->stopped);
}
