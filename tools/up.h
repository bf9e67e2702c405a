/* SPDX-License-Identifier: GPL-2.0 */
/* The words that all verbs for files of wg-quick take. (layer 8) */
#ifndef _WG_UP_H
#define _WG_UP_H

#include <stdbool.h>

#include "ctx.h"
#include "model.h"
#include "quick.h"

/**
 * struct up - which file
 * @name:	interface
 * @path:	file, allocated
 * @dry:	--dry-run
 * @json:	--json
 * @format:	--format, NULL if not said
 * @qr:		--qr
 */
struct up {
	char name[MODEL_NAME_SIZE];
	char *path;
	bool dry;
	bool json;
	const char *format;
	bool qr;
};

enum up_options {
	UP_DRY		= 1U << 0,
	UP_JSON		= 1U << 1,
	UP_EXPORT	= 1U << 2,	/* --format, --qr */
};

/**
 * up_parse() - the words of a verb
 * @ctx:	the run
 * @argc:	number of words
 * @argv:	words, changed
 * @options:	&enum up_options that are taken
 * @up:		result; its @path is to be freed, also on failure
 *
 * Return: 0 or negative errno with an error text.
 */
int up_parse(struct ctx *ctx, int argc, char **argv, unsigned int options,
	     struct up *up);

/**
 * up_read() - the same, and the file
 * @ctx:	the run
 * @argc:	number of words
 * @argv:	words, changed
 * @options:	&enum up_options that are taken
 * @up:		result; its @path is to be freed, also on failure
 * @quick:	result, to be freed with quick_free()
 *
 * Return: 0 or negative errno with an error text.
 */
int up_read(struct ctx *ctx, int argc, char **argv, unsigned int options,
	    struct up *up, struct quick **quick);

#endif /* _WG_UP_H */
