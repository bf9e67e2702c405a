/* SPDX-License-Identifier: GPL-2.0 */
/* The lines of a file of wg-quick. (layer 4, used by quick only) */
#ifndef _WG_QUICK_LINE_H
#define _WG_QUICK_LINE_H

#include <stddef.h>

#include "ctx.h"
#include "quick.h"

struct quick_key;

enum quick_line_kind {
	QUICK_LINE_EMPTY,
	QUICK_LINE_COMMENT,
	QUICK_LINE_NAME,	/* # Name = VALUE, # friendly_name = VALUE */
	QUICK_LINE_SETTING,	/* # wgpeer KEY = VALUE */
	QUICK_LINE_INTERFACE,	/* [Interface] */
	QUICK_LINE_PEER,	/* [Peer] */
	QUICK_LINE_KEY,		/* KEY = VALUE, and all that is wrong */
};

/**
 * struct quick_line - a line
 * @text:	all of it, with its end, which the last of a file may lack
 * @start:	the same without a byte order mark
 * @kind:	what it is
 * @section:	where it belongs
 * @own:	of a KEY line: wg does not know the key; or NULL
 * @key:	of a NAME, SETTING or KEY line, allocated, without white space
 * @value:	of a NAME, SETTING or KEY line, allocated, without white space
 *		at its ends; NULL if there is no "="
 */
struct quick_line {
	char *text;
	const char *start;
	enum quick_line_kind kind;
	size_t section;
	const struct quick_key *own;
	char *key;
	char *value;
};

/**
 * quick_cut_lines() - a text into lines
 * @ctx:	the run
 * @quick:	gets them
 * @data:	text
 *
 * Return: 0 or -ENOMEM with an error text.
 */
int quick_cut_lines(struct ctx *ctx, struct quick *quick, const char *data);

/**
 * quick_free_lines() - wipe and free
 * @quick:	their owner
 */
void quick_free_lines(struct quick *quick);

#endif /* _WG_QUICK_LINE_H */
