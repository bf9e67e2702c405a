// SPDX-License-Identifier: GPL-2.0
/* Files of wg-quick, edited line by line. (layer 4) */
#include "quick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "quick_line.h"

#define QUICK_NAME_KEY		"# Name"
#define QUICK_SETTING_KEY	"# wgpeer "
#define QUICK_NO_LINE		((size_t)-1)

/* How lines end here. */
static const char *quick_eol(const struct quick *quick)
{
	const char *first = quick->n_lines ? quick->lines[0].text : "";
	size_t n = strlen(first);

	return n > 1 && !strcmp(first + n - 2, "\r\n") ? "\r\n" : "\n";
}

static void quick_put(const struct quick *quick, struct text *text,
		      const char *key, const char *value)
{
	text_printf(text, "%s = %s%s", key, value, quick_eol(quick));
}

/* The last line of a file may have no end yet. */
static void quick_put_eol(const struct quick *quick, struct text *text)
{
	if (text->len && text->data[text->len - 1] != '\n')
		text_put(text, quick_eol(quick));
}

static bool quick_same_name(const struct model_peer *a,
			    const struct model_peer *b)
{
	if (!a->name || !b->name)
		return a->name == b->name;
	return !strcmp(a->name, b->name);
}

/* Whether all peers but that of @section are the same, in the same order; a
 * client must never get another's name, or the wrong one would be revoked.
 */
static bool quick_same_others(const struct quick *old,
			      const struct quick *fresh, size_t section)
{
	bool removed = quick_peers(fresh) < quick_peers(old);
	const struct model_peer *a = old->dev->first, *b = fresh->dev->first;
	size_t i;

	for (i = 1; a; i++, a = a->next) {
		if (i == section && removed)
			continue;
		if (!b || (i != section &&
			   (!quick_same_name(a, b) ||
			    memcmp(a->public_key, b->public_key, WG_KEY_LEN))))
			return false;
		b = b->next;
	}
	return true;
}

/* Reading the file for the first time has given its warnings. */
static int quick_parse_again(struct ctx *ctx, const char *name,
			     struct text *text, struct quick **fresh)
{
	FILE *err = ctx->err, *null;
	int ret;

	if (text->broken)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	null = fopen("/dev/null", "we");
	if (null)
		ctx->err = null;
	ret = quick_parse(ctx, name, name, text, fresh);
	ctx->err = err;
	if (null)
		fclose(null);
	return ret;
}

/* Is this the line that @key, in the words of quick_set(), speaks of? */
static bool quick_is_key(const struct quick_line *line, size_t section,
			 const char *key)
{
	size_t n = strlen(QUICK_SETTING_KEY);

	if (line->section != section)
		return false;
	if (!strncmp(key, QUICK_SETTING_KEY, n))
		return line->kind == QUICK_LINE_SETTING &&
		       !strcasecmp(line->key, key + n);
	if (!strcmp(key, QUICK_NAME_KEY))
		return line->kind == QUICK_LINE_NAME;
	return line->kind == QUICK_LINE_KEY && !strcasecmp(line->key, key);
}

static size_t quick_find_line(const struct quick *quick, size_t section,
			      const char *key)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		if (quick_is_key(&quick->lines[i], section, key))
			return i;
	}
	return QUICK_NO_LINE;
}

/* Whether the file says what was asked for: a "#", or white space at an end,
 * would not come back.
 */
static bool quick_says(const struct quick *quick, size_t section,
		       const char *key, const char *value)
{
	size_t i = quick_find_line(quick, section, key);

	if (i == QUICK_NO_LINE || !value)
		return i == QUICK_NO_LINE && !value;
	return quick->lines[i].value && !strcmp(quick->lines[i].value, value);
}

static void quick_swap(struct quick *a, struct quick *b)
{
	struct quick old = *a;

	*a = *b;
	*b = old;
}

/* Takes the place of the file if it can be read and only @section of it has
 * changed; @key is NULL if the section has come or gone as a whole.
 */
static int quick_replace(struct ctx *ctx, struct quick *quick,
			 struct text *text, size_t section, const char *key,
			 const char *value)
{
	struct quick *fresh;
	int ret;

	ret = quick_parse_again(ctx, quick->name, text, &fresh);
	text_free(text);
	if (ret)
		return ret;
	if (key && !quick_says(fresh, section, key, value))
		ret = ctx_fail(ctx, -EINVAL,
			       "%s: the value cannot be written to a file; right would be one without `#', and without white space at its ends",
			       key);
	else if (!quick_same_others(quick, fresh, section))
		ret = ctx_fail(ctx, -EINVAL,
			       "%s: the comments in the file leave open which peer has which name; right would be an empty line above each",
			       quick->name);
	else
		quick_swap(quick, fresh);
	quick_free(fresh);
	return ret;
}

static bool quick_is_line(const char *text)
{
	for (; *text; text++) {
		if (((unsigned char)*text < 0x20 && *text != '\t') ||
		    *text == 0x7f)
			return false;
	}
	return true;
}

static int quick_check_set(struct ctx *ctx, const struct quick *quick,
			   size_t section, const char *key, const char *value)
{
	if (section > quick_peers(quick))
		return ctx_fail(ctx, -EINVAL, "%s: there is no peer %zu",
				quick->name, section);
	if (!value)
		return 0;
	if (!*value || !quick_is_line(key) || !quick_is_line(value))
		return ctx_fail(ctx, -EINVAL,
				"%.64s: the value is empty or has a control character; right would be one line of text",
				quick_is_line(key) ? key : quick->name);
	if (!strcmp(key, QUICK_NAME_KEY))
		return quick_check_name(ctx, "name", value);
	return 0;
}

/* Behind this line a new one of the section is put. */
static size_t quick_last_line(const struct quick *quick, size_t section)
{
	size_t last = QUICK_NO_LINE, i;
	bool begun = section;

	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		/* What is above it is not in [Interface], as others see it. */
		if (line->kind == QUICK_LINE_INTERFACE)
			begun = true;
		if (begun && line->section == section &&
		    line->kind != QUICK_LINE_EMPTY)
			last = i;
	}
	return last;
}

/* In front of the peers; a byte order mark goes, it must come first. */
static void quick_add_interface(const struct quick *quick, struct text *text,
				const char *key, const char *value)
{
	bool done = false;
	size_t i;

	for (i = 0; i <= quick->n_lines; i++) {
		bool end = i == quick->n_lines;

		if (!done && (end || quick->lines[i].section)) {
			quick_put_eol(quick, text);
			text_printf(text, "[Interface]%s", quick_eol(quick));
			quick_put(quick, text, key, value);
			if (!end && quick->lines[i].kind != QUICK_LINE_EMPTY)
				text_put(text, quick_eol(quick));
			done = true;
		}
		if (!end)
			text_put(text, quick->lines[i].start);
	}
}

static void quick_set_lines(const struct quick *quick, struct text *text,
			    size_t section, const char *key, const char *value)
{
	size_t at = quick_find_line(quick, section, key), i;
	bool replaces = at != QUICK_NO_LINE;

	if (!replaces)
		at = quick_last_line(quick, section);
	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (!quick_is_key(line, section, key))
			text_put(text, line->text);
		if (i != at || !value)
			continue;
		quick_put_eol(quick, text);
		quick_put(quick, text, key, value);
	}
}

int quick_set(struct ctx *ctx, struct quick *quick, size_t section,
	      const char *key, const char *value)
{
	struct text text = { 0 };
	int ret;

	ret = quick_check_set(ctx, quick, section, key, value);
	if (ret)
		return ret;
	if (value && quick_last_line(quick, section) == QUICK_NO_LINE &&
	    quick_find_line(quick, section, key) == QUICK_NO_LINE)
		quick_add_interface(quick, &text, key, value);
	else
		quick_set_lines(quick, &text, section, key, value);
	return quick_replace(ctx, quick, &text, section, key, value);
}

int quick_set_key(struct ctx *ctx, struct quick *quick, size_t section,
		  const char *key, const uint8_t bytes[WG_KEY_LEN])
{
	char text[BASE64_KEY_SIZE];
	int ret;

	base64_encode_key(text, bytes);
	ret = quick_set(ctx, quick, section, key, text);
	explicit_bzero(text, sizeof(text));
	return ret;
}

int quick_add_peer(struct ctx *ctx, struct quick *quick, const char *name,
		   const uint8_t key[WG_KEY_LEN])
{
	char key_text[BASE64_KEY_SIZE];
	struct text text = { 0 };
	int ret = 0;

	if (name)
		ret = quick_check_name(ctx, "name", name);
	if (ret)
		return ret;
	quick_write(quick, &text);
	quick_put_eol(quick, &text);
	if (quick->n_lines &&
	    quick->lines[quick->n_lines - 1].kind != QUICK_LINE_EMPTY)
		text_put(&text, quick_eol(quick));
	text_printf(&text, "[Peer]%s", quick_eol(quick));
	if (name)
		quick_put(quick, &text, QUICK_NAME_KEY, name);
	base64_encode_key(key_text, key);
	quick_put(quick, &text, "PublicKey", key_text);
	return quick_replace(ctx, quick, &text, quick_peers(quick) + 1, NULL,
			     NULL);
}

/* Whether comments would go to another peer if the two lines met: those above
 * to the one below, or a name below to the one above.
 */
static bool quick_would_move(const struct quick *quick,
			     const struct quick_line *above,
			     const struct quick_line *below)
{
	if (below->kind == QUICK_LINE_EMPTY)
		return false;
	if (above->kind == QUICK_LINE_COMMENT ||
	    above->kind == QUICK_LINE_NAME)
		return true;
	return above->kind != QUICK_LINE_EMPTY && above->section &&
	       below->kind == QUICK_LINE_NAME &&
	       !quick_peer(quick, above->section)->name;
}

int quick_remove_peer(struct ctx *ctx, struct quick *quick, size_t section)
{
	const struct quick_line *above = NULL;
	struct text text = { 0 };
	bool cut = false;
	size_t i;

	if (!section || section > quick_peers(quick))
		return ctx_fail(ctx, -EINVAL, "%s: there is no peer %zu",
				quick->name, section);
	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (line->section == section) {
			cut = true;
			continue;
		}
		if (cut && above && quick_would_move(quick, above, line))
			text_put(&text, quick_eol(quick));
		cut = false;
		above = line;
		text_put(&text, line->text);
	}
	return quick_replace(ctx, quick, &text, section, NULL, NULL);
}

static bool quick_has_settings(const struct quick *quick)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		if (quick->lines[i].kind == QUICK_LINE_SETTING)
			return true;
	}
	return false;
}

int quick_drop_settings(struct ctx *ctx, struct quick *quick)
{
	struct text text = { 0 };
	struct quick *fresh;
	size_t i;
	int ret;

	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (line->kind != QUICK_LINE_SETTING)
			text_put(&text, line->start);
	}
	ret = quick_parse_again(ctx, quick->name, &text, &fresh);
	text_free(&text);
	if (ret)
		return ret;
	if (quick_has_settings(fresh))
		ret = ctx_fail(ctx, -EINVAL,
			       "%s: the file begins with more than one byte order mark; right would be one or none",
			       quick->name);
	else
		quick_swap(quick, fresh);
	quick_free(fresh);
	return ret;
}
