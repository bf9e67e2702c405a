/* SPDX-License-Identifier: GPL-2.0 */
/* Colours, amounts and durations for people. (layer 0) */
#ifndef _WG_TERM_H
#define _WG_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum term_style {
	TERM_RESET,
	TERM_INTERFACE,		/* its label; the reset before it included */
	TERM_PEER,
	TERM_LABEL,
	TERM_NAME,		/* value of "interface:" */
	TERM_KEY,		/* value of "peer:" */
	TERM_UNIT,
	TERM_ALERT,
};

/**
 * struct term - where and how to print
 * @out:	stream
 * @color:	escape sequences wanted
 */
struct term {
	FILE *out;
	bool color;
};

/**
 * term_wants_color() - apply WG_COLOR_MODE (always, never, else: a terminal)
 * @out:	stream to print to
 *
 * Return: whether to send escape sequences.
 */
bool term_wants_color(FILE *out);

/**
 * term_paint() - switch the style
 * @term:	output
 * @style:	what comes next
 */
void term_paint(const struct term *term, enum term_style style);

/**
 * term_bytes() - print an amount, like "1.50 KiB"
 * @term:	output
 * @bytes:	amount
 */
void term_bytes(const struct term *term, uint64_t bytes);

/**
 * term_duration() - print a duration, like "1 hour, 2 seconds"
 * @term:	output
 * @seconds:	duration; nothing is printed for zero
 */
void term_duration(const struct term *term, uint64_t seconds);

#endif /* _WG_TERM_H */
