// SPDX-License-Identifier: GPL-2.0
/* Signals: noted, told once, and what waits for names ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../spawn.h"
#include "../stop.h"
#include "../text.h"
#include "../tunnel_peers.h"
#include "tap.h"

#define K1	"gImmJvhkL3DEWeQFqGt53yrBmFs1IXg6NHKQONe88U8="
#define K2	"sJcx1ukSJqk/7xzv5LKOjOZrH6wI3QTqwEiPGZ6ZHX4="

static const int signals[STOP_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

static void test_once(struct tap *tap, int sig)
{
	struct stop outer, inner;
	struct tap_run run;

	tap_run_begin(&run);
	signal(sig, SIG_DFL);
	stop_begin(&outer);
	stop_begin(&inner);
	tap_ok(tap, !raise(sig) && stop_wanted(&run.ctx), "%d is noted", sig);
	tap_ok(tap, stop_check(&run.ctx) == -EINTR && run.ctx.stopped == sig &&
	       *run.ctx.error, "%d is told", sig);
	tap_ok(tap, !raise(sig) && !stop_wanted(&run.ctx) &&
	       !stop_check(&run.ctx), "%d once", sig);
	stop_end(&run.ctx, &inner);
	stop_end(&run.ctx, &outer);
	tap_ok(tap, signal(sig, SIG_DFL) == SIG_DFL, "%d ends us again", sig);
	tap_run_end(&run);
}

/* As under nohup, or in the background of a shell. */
static void test_ignored(struct tap *tap)
{
	struct tap_run run;
	struct stop stop;

	tap_run_begin(&run);
	signal(SIGHUP, SIG_IGN);
	stop_begin(&stop);
	tap_ok(tap, signal(SIGHUP, SIG_IGN) == SIG_IGN, "ignored as before");
	stop_end(&run.ctx, &stop);
	tap_ok(tap, signal(SIGHUP, SIG_DFL) == SIG_IGN, "and afterwards");
	tap_run_end(&run);
}

/* A child that would sleep for long; its own child tells us to end. */
static void test_child(struct tap *tap)
{
	struct tap_run run;
	struct stop stop;
	char line[64];

	tap_run_begin(&run);
	snprintf(line, sizeof(line), "(sleep 0.2; kill -TERM %d)& exec sleep 1000",
		 (int)getpid());
	stop_begin(&stop);
	tap_ok(tap, spawn_shell(&run.ctx, line, "wg0") == -EINTR,
	       "a child ends with us");
	tap_ok(tap, stop_check(&run.ctx) == -EINTR, "and we know why");
	stop_end(&run.ctx, &stop);
	tap_run_end(&run);
}

/* Before the child is there, before its exec() and while it sleeps. */
static void test_child_any_time(struct tap *tap)
{
	unsigned int us, ended = 0;
	struct tap_run run;
	struct stop stop;
	pid_t sender;

	for (us = 0; us < 4000; us += 50) {
		tap_run_begin(&run);
		stop_begin(&stop);
		sender = fork();
		if (!sender) {
			usleep(us);
			kill(getppid(), SIGTERM);
			_exit(0);
		}
		ended += spawn_shell(&run.ctx, "exec sleep 5", "wg0") == -EINTR;
		waitpid(sender, NULL, 0);
		stop_end(&run.ctx, &stop);
		tap_run_end(&run);
	}
	tap_ok(tap, ended == 80, "whenever the signal comes: %u of 80", ended);
}

static unsigned int asked;

static int busy_getaddrinfo(const char *host, const char *service,
			    const struct addrinfo *hints, struct addrinfo **res)
{
	(void)host;
	(void)service;
	(void)hints;
	(void)res;
	asked++;
	return EAI_AGAIN;
}

static void pause_with_signal(unsigned int ms)
{
	(void)ms;
	raise(SIGINT);
}

static void test_names(struct tap *tap)
{
	static const char file[] =
		"[Interface]\n"
		"[Peer]\nPublicKey = " K1 "\nEndpoint = one.example:1\n"
		"[Peer]\nPublicKey = " K2 "\nEndpoint = two.example:1\n";
	struct tunnel_plan known, hosts;
	struct model_device *want, *have;
	struct text text = { 0 };
	struct tap_run run;
	struct quick *quick;
	struct stop stop;

	tap_run_begin(&run);
	run.ctx.getaddrinfo = busy_getaddrinfo;
	run.ctx.pause_ms = pause_with_signal;
	text_put(&text, file);
	if (quick_parse(&run.ctx, "wg0", "wg0.conf", &text, &quick) ||
	    tunnel_peers_want(&run.ctx, quick->dev, &want))
		abort();
	have = model_device_create("wg0");
	tunnel_plan_init(&known, "wg0");
	tunnel_plan_init(&hosts, "wg0");
	stop_begin(&stop);
	tap_ok(tap, tunnel_peers_resolve(&run.ctx, want, have, &known,
					 &hosts) == -EINTR &&
	       run.ctx.stopped == SIGINT, "waiting for names ends");
	tap_ok(tap, asked == 2, "each was asked for once, not %u", asked);
	stop_end(&run.ctx, &stop);
	text_free(&text);
	quick_free(quick);
	model_device_free(want);
	model_device_free(have);
	tunnel_plan_free(&known);
	tunnel_plan_free(&hosts);
	tap_run_end(&run);
}

int main(void)
{
	struct tap tap = { .suite = "stop" };
	size_t i;

	for (i = 0; i < STOP_SIGNALS; i++)
		test_once(&tap, signals[i]);
	test_ignored(&tap);
	test_names(&tap);
	test_child(&tap);
	test_child_any_time(&tap);
	return tap_end(&tap);
}
