// SPDX-License-Identifier: GPL-2.0
/* Colours, amounts and durations for people. (layer 0) */
#include "term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool term_wants_color(FILE *out)
{
	const char *mode = getenv("WG_COLOR_MODE");

	if (mode && !strcmp(mode, "always"))
		return true;
	if (mode && !strcmp(mode, "never"))
		return false;
	return isatty(fileno(out)) == 1;
}

void term_paint(const struct term *term, enum term_style style)
{
	static const char *const codes[] = {
		[TERM_RESET]	 = "\x1b[0m",
		[TERM_INTERFACE] = "\x1b[0m\x1b[32m\x1b[1m",
		[TERM_PEER]	 = "\x1b[33m\x1b[1m",
		[TERM_LABEL]	 = "\x1b[1m",
		[TERM_NAME]	 = "\x1b[32m",
		[TERM_KEY]	 = "\x1b[33m",
		[TERM_UNIT]	 = "\x1b[36m",
		[TERM_ALERT]	 = "\x1b[31m",
	};

	if (term->color)
		fputs(codes[style], term->out);
}

static void term_unit(const struct term *term, const char *unit)
{
	term_paint(term, TERM_UNIT);
	fputs(unit, term->out);
	term_paint(term, TERM_RESET);
}

void term_bytes(const struct term *term, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	unsigned int i = 0;
	uint64_t one = 1024;

	if (bytes < one) {
		fprintf(term->out, "%" PRIu64 " ", bytes);
		term_unit(term, "B");
		return;
	}
	for (; i < 3 && bytes >= one * 1024; i++)
		one *= 1024;
	fprintf(term->out, "%.2f ", (double)bytes / one);
	term_unit(term, units[i]);
}

void term_duration(const struct term *term, uint64_t seconds)
{
	static const struct {
		uint32_t seconds;
		const char *one;
		const char *many;
	} units[] = {
		{ 365 * 86400, "year", "years" },
		{ 86400, "day", "days" },
		{ 3600, "hour", "hours" },
		{ 60, "minute", "minutes" },
		{ 1, "second", "seconds" },
	};
	const char *sep = "";
	unsigned int i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t n = seconds / units[i].seconds;

		seconds %= units[i].seconds;
		if (!n)
			continue;
		fprintf(term->out, "%s%" PRIu64 " ", sep, n);
		term_unit(term, n == 1 ? units[i].one : units[i].many);
		sep = ", ";
	}
}
