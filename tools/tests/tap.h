/* SPDX-License-Identifier: GPL-2.0 */
/* The Test Anything Protocol, and what several tests need. */
#ifndef _WG_TAP_H
#define _WG_TAP_H

#include <stdbool.h>
#include <stdio.h>

#include "../ctx.h"

/**
 * struct tap - one test program
 * @suite:	prefix of all names
 * @count:	subtests so far
 * @failed:	how many of them failed
 */
struct tap {
	const char *suite;
	unsigned int count;
	unsigned int failed;
};

/**
 * struct tap_run - a context whose output can be looked at
 * @ctx:	the run
 * @out:	what was printed on standard output
 * @err:	what was printed on standard error
 */
struct tap_run {
	struct ctx ctx;
	char *out;
	char *err;
	size_t out_len;
	size_t err_len;
};

/* Report one subtest; returns @good. */
bool tap_ok(struct tap *tap, bool good, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Compare two texts, showing both when they differ. */
bool tap_same(struct tap *tap, const char *got, const char *want,
	      const char *name);

/* Print the plan; the program's exit code. */
int tap_end(const struct tap *tap);

/*
 * Go into namespaces of our own, as their root.  @flags: CLONE_NEWNET,
 * CLONE_NEWNS.  Whether that worked; programs we start are in them, too.
 */
bool tap_namespace(int flags);

/* Report that nothing could be tested; the program's exit code. */
int tap_skip(const struct tap *tap, const char *why);

/* Begin and end a run; tap_text() flushes, then both texts may be read. */
void tap_run_begin(struct tap_run *run);
void tap_run_text(struct tap_run *run);
void tap_run_end(struct tap_run *run);

#endif /* _WG_TAP_H */
