// SPDX-License-Identifier: GPL-2.0
/* Files of wg-quick, read line by line. (layer 4) */
#include "quick.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "conf.h"
#include "file.h"
#include "quick_key.h"
#include "quick_line.h"

#define QUICK_SIZE_MAX	(1UL << 30)
#define QUICK_NAME_MAX	63

static int quick_no_memory(struct ctx *ctx)
{
	return ctx_fail(ctx, -ENOMEM, "Out of memory");
}

static bool quick_is_endpoint(const struct quick_line *line)
{
	return line->section && line->kind == QUICK_LINE_KEY &&
	       !strcasecmp(line->key, "Endpoint");
}

/* The text for wg's own parser: lines that are ours are empty there, so that
 * the numbers of the others stay right.
 */
static void quick_text_for_wg(const struct quick *quick, struct text *text)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (line->own || quick_is_endpoint(line))
			text_put(text, "\n");
		else
			text_put(text, line->start);
	}
}

static int quick_load_wg(struct ctx *ctx, struct quick *quick,
			 const char *path)
{
	struct text text = { 0 };
	int ret;

	quick_text_for_wg(quick, &text);
	if (text.broken)
		ret = quick_no_memory(ctx);
	else
		ret = conf_parse(ctx, quick->dev, path, text.data, text.len);
	text_free(&text);
	return ret;
}

/* An empty value says nothing; makers of files write such lines. */
static int quick_take_own(struct ctx *ctx, struct quick *quick,
			  const struct quick_line *line)
{
	if (!line->value)
		return ctx_fail(ctx, -EINVAL,
				"`%s' has no value; right would be `%s = VALUE'",
				line->own->name, line->own->name);
	return *line->value ? line->own->take(ctx, quick, line->value) : 0;
}

static int quick_take_endpoint(struct ctx *ctx, struct model_peer *peer,
			       const struct quick_line *line)
{
	if (!line->value || !*line->value)
		return ctx_fail(ctx, -EINVAL,
				"`Endpoint' has no value; right would be `Endpoint = HOST:PORT'");
	return quick_key_endpoint(ctx, peer, line->value);
}

/* The first one counts; a comment that is too long is no name. */
static int quick_take_name(struct ctx *ctx, struct model_peer *peer,
			   const struct quick_line *line)
{
	if (peer->name || strlen(line->value) > QUICK_NAME_MAX)
		return 0;
	peer->name = strdup(line->value);
	return peer->name ? 0 : quick_no_memory(ctx);
}

/* @peer is that of the line's section. */
static int quick_take_line(struct ctx *ctx, struct quick *quick,
			   struct model_peer *peer,
			   const struct quick_line *line)
{
	if (line->own)
		return quick_take_own(ctx, quick, line);
	if (quick_is_endpoint(line))
		return quick_take_endpoint(ctx, peer, line);
	if (line->kind == QUICK_LINE_NAME && line->section)
		return quick_take_name(ctx, peer, line);
	return 0;
}

/* The place of an error goes in front of its text. */
static int quick_fail_here(struct ctx *ctx, const char *path, size_t line,
			   int err)
{
	char text[sizeof(ctx->error)];

	memcpy(text, ctx->error, sizeof(text));
	return ctx_fail(ctx, err, "%.256s:%zu: %.700s", path, line, text);
}

static int quick_load(struct ctx *ctx, struct quick *quick, const char *path)
{
	struct model_peer *peer = NULL;
	size_t section = 0, i;
	int ret;

	ret = quick_load_wg(ctx, quick, path);
	for (i = 0; i < quick->n_lines && !ret; i++) {
		const struct quick_line *line = &quick->lines[i];

		/* Peers only ever follow each other. */
		for (; section < line->section; section++)
			peer = peer ? peer->next : quick->dev->first;
		ret = quick_take_line(ctx, quick, peer, line);
		if (ret)
			ret = quick_fail_here(ctx, path, i + 1, ret);
	}
	return ret;
}

static int quick_check_text(struct ctx *ctx, const char *path,
			    const struct text *text)
{
	const char *data = text_string(text);
	size_t len = strlen(data), line = 1, i;

	if (len == text->len)
		return 0;
	for (i = 0; i < len; i++)
		line += data[i] == '\n';
	return ctx_fail(ctx, -EINVAL,
			"%.256s:%zu: line has a NUL byte; the file must be text",
			path, line);
}

int quick_parse(struct ctx *ctx, const char *name, const char *path,
		const struct text *text, struct quick **out)
{
	struct quick *quick = calloc(1, sizeof(*quick));
	int ret;

	*out = NULL;
	if (quick) {
		snprintf(quick->name, sizeof(quick->name), "%s", name);
		quick->dev = model_device_create(name);
	}
	if (!quick || !quick->dev)
		ret = quick_no_memory(ctx);
	else
		ret = quick_check_text(ctx, path, text);
	if (!ret)
		ret = quick_cut_lines(ctx, quick, text->len ? text->data :
				      "[Interface]\n");
	if (!ret)
		ret = quick_load(ctx, quick, path);
	if (ret)
		quick_free(quick);
	else
		*out = quick;
	return ret;
}

/* What comes out of a pipe is gone. */
static bool quick_is_regular(const char *path)
{
	struct stat st;

	return strcmp(path, "-") && !stat(path, &st) && S_ISREG(st.st_mode);
}

int quick_read(struct ctx *ctx, const char *name, const char *path,
	       struct quick **quick)
{
	struct text text = { 0 };
	int ret;

	*quick = NULL;
	ret = file_read(ctx, path, QUICK_SIZE_MAX, &text);
	if (!ret)
		ret = quick_parse(ctx, name,
				  strcmp(path, "-") ? path : "standard input",
				  &text, quick);
	text_free(&text);
	if (!ret && quick_is_regular(path)) {
		(*quick)->path = strdup(path);
		if (!(*quick)->path)
			ret = quick_no_memory(ctx);
	}
	if (ret) {
		quick_free(*quick);
		*quick = NULL;
	}
	return ret;
}

static bool quick_same(const struct quick *a, const struct quick *b)
{
	struct text x = { 0 }, y = { 0 };
	bool same;

	quick_write(a, &x);
	quick_write(b, &y);
	same = !x.broken && !y.broken && x.len == y.len &&
	       !memcmp(text_string(&x), text_string(&y), x.len);
	text_free(&x);
	text_free(&y);
	return same;
}

bool quick_changed(struct ctx *ctx, const struct quick *quick)
{
	struct quick *now;
	bool same;

	if (!quick->path)
		return false;
	if (quick_read(ctx, quick->name, quick->path, &now))
		return true;
	same = quick_same(quick, now);
	quick_free(now);
	return !same;
}

void quick_free(struct quick *quick)
{
	if (!quick)
		return;
	quick_free_lines(quick);
	quick_key_free(quick);
	model_device_free(quick->dev);
	free(quick->path);
	free(quick);
}

size_t quick_peers(const struct quick *quick)
{
	const struct model_peer *peer;
	size_t n = 0;

	for (peer = quick->dev->first; peer; peer = peer->next)
		n++;
	return n;
}

struct model_peer *quick_peer(const struct quick *quick, size_t section)
{
	struct model_peer *peer = quick->dev->first;

	if (!section)
		return NULL;
	while (peer && --section)
		peer = peer->next;
	return peer;
}

size_t quick_find_name(const struct quick *quick, const char *name)
{
	const struct model_peer *peer;
	size_t n = 0;

	for (peer = quick->dev->first; peer; peer = peer->next) {
		n++;
		if (peer->name && !strcmp(peer->name, name))
			return n;
	}
	return 0;
}

size_t quick_find_key(const struct quick *quick,
		      const uint8_t key[WG_KEY_LEN])
{
	const struct model_peer *peer;
	size_t n = 0;

	for (peer = quick->dev->first; peer; peer = peer->next) {
		n++;
		if (!memcmp(peer->public_key, key, WG_KEY_LEN))
			return n;
	}
	return 0;
}

const char *quick_setting(const struct quick *quick, size_t section,
			  const char *key)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (line->kind == QUICK_LINE_SETTING &&
		    line->section == section && !strcasecmp(line->key, key))
			return line->value;
	}
	return NULL;
}

void quick_write(const struct quick *quick, struct text *text)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++)
		text_put(text, quick->lines[i].text);
}

/* Settings may be secrets and are none of wg's business. */
void quick_strip(const struct quick *quick, struct text *text)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (!line->own && line->kind != QUICK_LINE_SETTING)
			text_put(text, line->start);
	}
	if (text->len && text->data[text->len - 1] != '\n')
		text_put(text, "\n");
}

/* How much of a bad name is fit to be shown. */
static int quick_name_shown(const char *name)
{
	int n = 0;

	while (n < QUICK_NAME_MAX && (unsigned char)name[n] >= 0x20 &&
	       name[n] != 0x7f)
		n++;
	return n;
}

int quick_check_name(struct ctx *ctx, const char *what, const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@");

	if (n && n <= QUICK_NAME_MAX && !name[n] &&
	    isalnum((unsigned char)*name))
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"%s: `%.*s' is no name; right would be up to %u letters, digits, `_', `-', `.', `@', the first a letter or digit",
			what, quick_name_shown(name), name, QUICK_NAME_MAX);
}

int quick_save(struct ctx *ctx, const struct quick *quick, const char *path)
{
	struct text now = { 0 }, want = { 0 };
	bool same;
	int ret = 0;

	quick_write(quick, &want);
	same = file_exists(path) &&
	       !file_read(ctx, path, QUICK_SIZE_MAX, &now) &&
	       now.len == want.len &&
	       !memcmp(text_string(&now), text_string(&want), now.len);
	text_free(&now);
	if (!same)
		ret = file_backup(ctx, path);
	if (!same && !ret)
		ret = file_write(ctx, path, 0600, &want);
	text_free(&want);
	return ret;
}
