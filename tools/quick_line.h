/* SPDX-License-Identifier: GPL-2.0 */
/* The lines of a file of wg-quick. (layer 3, used by quick only) */
#ifndef _WG_QUICK_LINE_H
#define _WG_QUICK_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "ctx.h"
#include "quick.h"

enum quick_line_kind {
	QUICK_LINE_EMPTY,
	QUICK_LINE_COMMENT,
	QUICK_LINE_NAME,	/* # Name = VALUE, # friendly_name = VALUE */
	QUICK_LINE_SETTING,	/* # wgpeer KEY = VALUE */
	QUICK_LINE_SECTION,	/* [Interface], [Peer] */
	QUICK_LINE_KEY,		/* KEY = VALUE */
};

/**
 * struct quick_line - a line
 * @text:	all of it, without the newline
 * @start:	the same without a byte order mark
 * @kind:	what it is
 * @section:	where it belongs
 * @key:	allocated, NULL if it has none
 * @value:	allocated, NULL if it has none
 */
struct quick_line {
	char *text;
	const char *start;
	enum quick_line_kind kind;
	size_t section;
	char *key;
	char *value;
};

/**
 * quick_trim() - cut white space off both ends
 * @text:	changed
 *
 * Return: where it begins.
 */
char *quick_trim(char *text);

/**
 * quick_cut_lines() - a text into lines
 * @ctx:	the run
 * @quick:	gets them
 * @data:	text
 * @is_hook:	says whether a key's value may have a "#"
 *
 * Return: 0 or -ENOMEM with an error text.
 */
int quick_cut_lines(struct ctx *ctx, struct quick *quick, const char *data,
		    bool (*is_hook)(const char *key));

/**
 * quick_free_lines() - wipe and free
 * @quick:	their owner
 */
void quick_free_lines(struct quick *quick);

#endif /* _WG_QUICK_LINE_H */
