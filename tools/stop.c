// SPDX-License-Identifier: GPL-2.0
/* Signals that end us, taken when all can be undone. (layer 1) */
#include "stop.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int stop_signals[STOP_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

/* What a handler can reach. */
static volatile sig_atomic_t stop_came;
static volatile sig_atomic_t stop_child;

static void stop_note(int signal)
{
	int saved = errno;

	stop_came = signal;
	if (stop_child)
		kill(stop_child, signal);
	errno = saved;
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

/* In a child: what a handler takes before exec() would be lost. */
static void stop_forget(void)
{
	struct sigaction now;
	size_t i;

	for (i = 0; i < STOP_SIGNALS; i++) {
		sigaction(stop_signals[i], NULL, &now);
		if (now.sa_handler == stop_note)
			signal(stop_signals[i], SIG_DFL);
	}
}

pid_t stop_fork(const struct ctx *ctx)
{
	sigset_t ours, before;
	pid_t pid;
	size_t i;

	sigemptyset(&ours);
	for (i = 0; i < STOP_SIGNALS; i++)
		sigaddset(&ours, stop_signals[i]);
	sigprocmask(SIG_BLOCK, &ours, &before);
	pid = fork();
	if (!pid) {
		stop_forget();
	} else if (pid > 0 && !ctx->stopped) {
		stop_child = pid;
		if (stop_came)
			kill(pid, stop_came);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int stop_join(pid_t pid, int *status)
{
	siginfo_t info;

	/* It stays a zombie: until we look away its number is nobody else's. */
	while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT)) {
		if (errno != EINTR)
			break;
	}
	stop_child = 0;
	return waitpid(pid, status, 0) < 0 ? -errno : 0;
}

void stop_raise(const struct ctx *ctx)
{
	if (!ctx->stopped)
		return;
	signal(ctx->stopped, SIG_DFL);
	raise(ctx->stopped);
}
