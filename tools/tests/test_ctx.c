// SPDX-License-Identifier: GPL-2.0
/* What is told cannot command the terminal, whoever wrote it. */
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const struct {
	const char *name;
	const char *text;
	const char *want;
} cases[] = {
	{ "plain", "port 70000 of peer 'a'", "port 70000 of peer 'a'" },
	{ "two lines and a tab", "one\n\ttwo", "one\n\ttwo" },
	{ "escape", "a\033[2Jb", "a?[2Jb" },
	{ "bell and backspace", "\a\b", "??" },
	{ "carriage return", "bad\rgood", "bad?good" },
	{ "delete", "a\177", "a?" },
	{ "UTF-8", "caf\xc3\xa9 \xc2\xab\xe2\x82\xac\xc2\xbb",
	  "caf\xc3\xa9 \xc2\xab\xe2\x82\xac\xc2\xbb" },
	{ "CSI in UTF-8", "a\xc2\x9b" "2J", "a\xc2?2J" },
	{ "lead byte alone", "\xc2" "a\xc2", "\xc2" "a\xc2" },
};

static void test_one(struct tap *tap, const char *name, const char *text,
		     const char *want)
{
	struct tap_run run;
	char *all;

	tap_run_begin(&run);
	tap_ok(tap, ctx_fail(&run.ctx, -1, "%s", text) == -1 &&
	       !strcmp(run.ctx.error, want), "%s as an error", name);
	ctx_say(&run.ctx, "%s", text);
	ctx_warn(&run.ctx, "%s", text);
	ctx_todo(&run.ctx, "%s", text);
	tap_run_text(&run);
	if (asprintf(&all, "%s\nWarning: %s\nTo do: %s\n", want, want, want) < 0)
		abort();
	tap_same(tap, run.err, all, name);
	free(all);
	tap_run_end(&run);
}

int main(void)
{
	struct tap tap = { .suite = "ctx" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		test_one(&tap, cases[i].name, cases[i].text, cases[i].want);
	return tap_end(&tap);
}
