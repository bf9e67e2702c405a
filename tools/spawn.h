/* SPDX-License-Identifier: GPL-2.0 */
/* Other programs. (layer 1) */
#ifndef _WG_SPAWN_H
#define _WG_SPAWN_H

#include <stdbool.h>

#include "ctx.h"
#include "text.h"

/**
 * spawn_find() - whether a program is in the search path, or where those of the
 *		  system are
 * @program:	its name
 */
bool spawn_find(const char *program);

/**
 * spawn_run() - run a program without a shell and wait for it
 * @ctx:	the run
 * @argv:	program and words, NULL behind the last
 * @input:	its standard input, NULL for none
 * @output:	gets its standard output; NULL: what it prints goes to our
 *		standard error
 *
 * What it says on standard error is kept, and its first line becomes part of
 * the error text.
 *
 * Return: 0 if it ended with status 0; -ENOENT if there is no such program,
 * -EIO if it ended badly, or another negative errno; with an error text.
 */
int spawn_run(struct ctx *ctx, const char *const argv[],
	      const struct text *input, struct text *output);

/**
 * spawn_shell() - run a line of a file as its author expects: by a shell
 * @ctx:	the run
 * @line:	command line; "%i" stands for the interface
 * @name:	interface
 *
 * bash if there is one, else sh.  What it prints goes to our standard error.
 *
 * Return: 0 if it ended with status 0, else negative errno with an error text.
 */
int spawn_shell(struct ctx *ctx, const char *line, const char *name);

#endif /* _WG_SPAWN_H */
