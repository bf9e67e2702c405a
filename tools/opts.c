// SPDX-License-Identifier: GPL-2.0
/* Options of the verbs for whole setups: "--name value". (layer 1) */
#include "opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static const struct opt *opts_find(const struct opt *opts, const char *name,
				   size_t len)
{
	for (; opts->name; opts++) {
		if (strlen(opts->name) == len && !memcmp(opts->name, name, len))
			return opts;
	}
	return NULL;
}

static int opts_unknown(struct ctx *ctx, const char *verb,
			const struct opt *opts, const char *word)
{
	struct text all = { 0 };
	int ret;

	for (; opts->name; opts++)
		text_printf(&all, "%s--%s", all.len ? ", " : "", opts->name);
	ret = ctx_fail(ctx, -EINVAL, "%s: no option `%.100s'; right would be: %s",
		       verb, word, all.len ? all.data : "none");
	text_free(&all);
	return ret;
}

/* One option; @value is what stands behind "=", or NULL.  *used says whether
 * the next word was taken.
 */
static int opts_take(struct ctx *ctx, const char *verb, const struct opt *opt,
		     const char *value, const char *next, bool *used)
{
	*used = false;
	if (opt->flag) {
		if (value)
			return ctx_fail(ctx, -EINVAL,
					"%s: --%s takes no value, here `%.100s'",
					verb, opt->name, value);
		if (*opt->flag)
			return ctx_fail(ctx, -EINVAL, "%s: --%s is said twice",
					verb, opt->name);
		*opt->flag = true;
		return 0;
	}
	if (*opt->value)
		return ctx_fail(ctx, -EINVAL,
				"%s: --%s is said twice; several values are written with commas",
				verb, opt->name);
	if (!value) {
		value = next;
		*used = true;
	}
	if (!value)
		return ctx_fail(ctx, -EINVAL, "%s: --%s needs a value", verb,
				opt->name);
	*opt->value = value;
	return 0;
}

int opts_parse(struct ctx *ctx, const char *verb, const struct opt *opts,
	       int *argc, char **argv)
{
	int from = 0, to = 0, n = *argc, ret;
	const struct opt *opt;
	bool used;

	while (from < n) {
		char *word = argv[from++];
		size_t len;

		if (word[0] != '-' || !word[1]) {
			argv[to++] = word;
			continue;
		}
		if (!strcmp(word, "--"))
			break;
		len = strcspn(word, "=");
		opt = word[1] == '-' ? opts_find(opts, word + 2, len - 2) :
				       NULL;
		if (!opt)
			return opts_unknown(ctx, verb, opts, word);
		ret = opts_take(ctx, verb, opt,
				word[len] ? word + len + 1 : NULL,
				from < n ? argv[from] : NULL, &used);
		if (ret)
			return ret;
		from += used;
	}
	while (from < n)
		argv[to++] = argv[from++];
	argv[to] = NULL;
	*argc = to;
	return 0;
}

int opts_number(struct ctx *ctx, const char *what, const char *text,
		unsigned long min, unsigned long max, unsigned long *number)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		return ctx_fail(ctx, -EINVAL,
				"%s: `%.100s' is wrong; right would be %lu to %lu",
				what, text, min, max);
	*number = n;
	return 0;
}
