/* SPDX-License-Identifier: GPL-2.0 */
/* Options of the verbs for whole setups: "--name value". (layer 1) */
#ifndef _WG_OPTS_H
#define _WG_OPTS_H

#include <stdbool.h>

#include "ctx.h"

/**
 * struct opt - one option
 * @name:	without the dashes; NULL ends a table
 * @flag:	set to true where the option has no value
 * @value:	else: gets the value, which stays part of argv
 */
struct opt {
	const char *name;
	bool *flag;
	const char **value;
};

/**
 * opts_parse() - take the options out of the words
 * @ctx:	the run
 * @verb:	for errors, like "server add"
 * @opts:	table
 * @argc:	number of words; then that of those which are no options
 * @argv:	words; then those which are no options
 *
 * "--name value" and "--name=value" are the same; "--" ends the options; "-"
 * is no option.  An option said twice is an error.
 *
 * Return: 0, or -EINVAL with an error text that lists the options.
 */
int opts_parse(struct ctx *ctx, const char *verb, const struct opt *opts,
	       int *argc, char **argv);

/**
 * opts_number() - a decimal number in a range
 * @ctx:	the run
 * @what:	name of the setting, for errors
 * @text:	value
 * @min:	smallest that is right
 * @max:	largest that is right
 * @number:	result
 *
 * Return: 0, or -EINVAL with an error text.
 */
int opts_number(struct ctx *ctx, const char *what, const char *text,
		unsigned long min, unsigned long max, unsigned long *number);

#endif /* _WG_OPTS_H */
