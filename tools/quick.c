// SPDX-License-Identifier: GPL-2.0
/* Files of wg-quick, read line by line. (layer 4) */
#include "quick.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "conf.h"
#include "file.h"
#include "opts.h"
#include "parse.h"
#include "quick_line.h"

#define QUICK_SIZE_MAX	(16UL << 20)
#define QUICK_NAME_MAX	63
#define QUICK_MTU_MIN	576
#define QUICK_MTU_MAX	65535

static int quick_no_memory(struct ctx *ctx)
{
	return ctx_fail(ctx, -ENOMEM, "Out of memory");
}

/*
 * Values.
 */

static int quick_add_word(struct ctx *ctx, struct quick_words *words,
			  const char *word)
{
	char **all, *copy = strdup(word);

	all = copy ? reallocarray(words->all, words->count + 1, sizeof(*all)) :
		     NULL;
	if (!all) {
		free(copy);
		return quick_no_memory(ctx);
	}
	words->all = all;
	all[words->count++] = copy;
	return 0;
}

static void quick_free_words(struct quick_words *words)
{
	while (words->count)
		free(words->all[--words->count]);
	free(words->all);
	words->all = NULL;
}

static int quick_take_address(struct ctx *ctx, struct quick *quick,
			      const char *value)
{
	return cidr_list_parse(ctx, "Address", value, &quick->addresses);
}

/* One word of DNS: an address is a server, anything else a domain. */
static int quick_take_dns_word(struct ctx *ctx, struct quick *quick,
			       const char *word)
{
	struct ctx no_errors;
	struct cidr server;
	const char *c;

	if (!strchr(word, '/') && !cidr_parse(&no_errors, "", word, &server))
		return cidr_list_add(&quick->dns, &server) ?
			       quick_no_memory(ctx) : 0;
	for (c = word; isalnum((unsigned char)*c) || (*c && strchr("-._~", *c));)
		c++;
	if (!*word || *c || *word == '-')
		return ctx_fail(ctx, -EINVAL,
				"DNS: `%.100s' is neither an address nor a domain",
				word);
	return quick_add_word(ctx, &quick->search, word);
}

static int quick_take_dns(struct ctx *ctx, struct quick *quick,
			  const char *value)
{
	char *copy = strdup(value), *at = copy, *word;
	int ret = 0;

	if (!copy)
		return quick_no_memory(ctx);
	while (!ret && (word = strsep(&at, ",")))
		ret = quick_take_dns_word(ctx, quick, quick_trim(word));
	free(copy);
	return ret;
}

static int quick_take_mtu(struct ctx *ctx, struct quick *quick,
			  const char *value)
{
	unsigned long n;
	int ret;

	ret = opts_number(ctx, "MTU", value, QUICK_MTU_MIN, QUICK_MTU_MAX, &n);
	if (!ret)
		quick->mtu = n;
	return ret;
}

static int quick_take_table(struct ctx *ctx, struct quick *quick,
			    const char *value)
{
	static const struct {
		const char *name;
		uint32_t id;
	} known[] = { { "default", 253 }, { "main", 254 }, { "local", 255 } };
	unsigned long id;
	char *end;
	size_t i;

	quick->table_mode = QUICK_TABLE_ID;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcasecmp(value, known[i].name)) {
			quick->table = known[i].id;
			return 0;
		}
	}
	if (!strcasecmp(value, "auto") || !strcasecmp(value, "off")) {
		quick->table_mode = strcasecmp(value, "off") ?
				    QUICK_TABLE_AUTO : QUICK_TABLE_OFF;
		return 0;
	}
	errno = 0;
	id = strtoul(value, &end, 0);
	if (!isdigit((unsigned char)*value) || *end || errno || !id ||
	    id > UINT32_MAX)
		return ctx_fail(ctx, -EINVAL,
				"Table: `%.100s' is wrong; right would be auto, off, or a table's number",
				value);
	quick->table = id;
	return 0;
}

static int quick_take_save(struct ctx *ctx, struct quick *quick,
			   const char *value)
{
	if (strcasecmp(value, "true") && strcasecmp(value, "false"))
		return ctx_fail(ctx, -EINVAL,
				"SaveConfig: `%.100s' is wrong; right would be true or false",
				value);
	quick->save = !strcasecmp(value, "true");
	return 0;
}

static int quick_take_pre_up(struct ctx *ctx, struct quick *quick,
			     const char *value)
{
	return quick_add_word(ctx, &quick->hooks[QUICK_PRE_UP], value);
}

static int quick_take_post_up(struct ctx *ctx, struct quick *quick,
			      const char *value)
{
	return quick_add_word(ctx, &quick->hooks[QUICK_POST_UP], value);
}

static int quick_take_pre_down(struct ctx *ctx, struct quick *quick,
			       const char *value)
{
	return quick_add_word(ctx, &quick->hooks[QUICK_PRE_DOWN], value);
}

static int quick_take_post_down(struct ctx *ctx, struct quick *quick,
				const char *value)
{
	return quick_add_word(ctx, &quick->hooks[QUICK_POST_DOWN], value);
}

static const struct quick_key {
	const char *name;
	int (*take)(struct ctx *ctx, struct quick *quick, const char *value);
	bool hook;
} quick_keys[] = {
	{ "Address", quick_take_address, false },
	{ "DNS", quick_take_dns, false },
	{ "MTU", quick_take_mtu, false },
	{ "Table", quick_take_table, false },
	{ "SaveConfig", quick_take_save, false },
	{ "PreUp", quick_take_pre_up, true },
	{ "PostUp", quick_take_post_up, true },
	{ "PreDown", quick_take_pre_down, true },
	{ "PostDown", quick_take_post_down, true },
};

/* What wg knows nothing of, or NULL. */
static const struct quick_key *quick_own_key(const struct quick_line *line)
{
	size_t i;

	for (i = 0; i < sizeof(quick_keys) / sizeof(quick_keys[0]); i++) {
		if (!line->section && line->kind == QUICK_LINE_KEY &&
		    !strcasecmp(line->key, quick_keys[i].name))
			return &quick_keys[i];
	}
	return NULL;
}

static bool quick_is_endpoint(const struct quick_line *line)
{
	return line->section && line->kind == QUICK_LINE_KEY &&
	       !strcasecmp(line->key, "Endpoint");
}

/*
 * The whole file.
 */

/* The text for wg's own parser: lines that are ours are empty there, so that
 * the numbers of the others stay right.
 */
static void quick_text_for_wg(const struct quick *quick, struct text *text)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (!quick_own_key(line) && !quick_is_endpoint(line) &&
		    line->kind != QUICK_LINE_EMPTY)
			text_put(text, line->start);
		text_put(text, "\n");
	}
}

/* The name of a host stays as it is written: it is resolved when needed. */
static int quick_take_endpoint(struct ctx *ctx, struct quick *quick,
			       const struct quick_line *line)
{
	struct model_peer *peer = quick_peer(quick, line->section);
	char *host, *port;
	int ret;

	ret = parse_split_endpoint(ctx, line->value, &host, &port);
	if (ret)
		return ret;
	free(host);
	free(peer->host);
	peer->host = strdup(line->value);
	return peer->host ? 0 : quick_no_memory(ctx);
}

static int quick_take_name(struct ctx *ctx, struct quick *quick,
			   const struct quick_line *line)
{
	struct model_peer *peer = quick_peer(quick, line->section);

	if (peer->name || strlen(line->value) > QUICK_NAME_MAX)
		return 0;
	peer->name = strdup(line->value);
	return peer->name ? 0 : quick_no_memory(ctx);
}

static int quick_take_line(struct ctx *ctx, struct quick *quick,
			   const struct quick_line *line)
{
	const struct quick_key *key = quick_own_key(line);

	if (key && !*line->value)
		return ctx_fail(ctx, -EINVAL, "`%s' has no value", key->name);
	if (key)
		return key->take(ctx, quick, line->value);
	if (quick_is_endpoint(line))
		return quick_take_endpoint(ctx, quick, line);
	if (line->kind == QUICK_LINE_NAME && line->section)
		return quick_take_name(ctx, quick, line);
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
	struct text text = { 0 };
	size_t i;
	int ret;

	quick_text_for_wg(quick, &text);
	if (text.broken)
		ret = quick_no_memory(ctx);
	else if (!text.data)
		ret = 0;
	else
		ret = conf_parse(ctx, quick->dev, path, text.data, text.len);
	text_free(&text);
	for (i = 0; i < quick->n_lines && !ret; i++) {
		ret = quick_take_line(ctx, quick, &quick->lines[i]);
		if (ret)
			ret = quick_fail_here(ctx, path, i + 1, ret);
	}
	return ret;
}

static bool quick_is_hook(const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(quick_keys) / sizeof(quick_keys[0]); i++) {
		if (quick_keys[i].hook && !strcasecmp(key, quick_keys[i].name))
			return true;
	}
	return false;
}

int quick_parse(struct ctx *ctx, const char *name, const char *path,
		const struct text *text, struct quick **out)
{
	struct quick *quick = calloc(1, sizeof(*quick));
	const char *data = text_string(text);
	int ret = 0;

	*out = NULL;
	if (quick) {
		snprintf(quick->name, sizeof(quick->name), "%s", name);
		quick->dev = model_device_create(name);
	}
	if (!quick || !quick->dev)
		ret = quick_no_memory(ctx);
	else if (memchr(data, '\0', text->len))
		ret = ctx_fail(ctx, -EINVAL,
			       "%s: holds a NUL byte; the file must be text",
			       path);
	else
		ret = quick_cut_lines(ctx, quick, text->len ? data :
				      "[Interface]\n", quick_is_hook);
	if (!ret)
		ret = quick_load(ctx, quick, path);
	if (ret)
		quick_free(quick);
	else
		*out = quick;
	return ret;
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
	return ret;
}

void quick_free(struct quick *quick)
{
	int i;

	if (!quick)
		return;
	quick_free_lines(quick);
	model_device_free(quick->dev);
	cidr_list_free(&quick->addresses);
	cidr_list_free(&quick->dns);
	quick_free_words(&quick->search);
	for (i = 0; i < QUICK_HOOKS; i++)
		quick_free_words(&quick->hooks[i]);
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

	for (i = 0; i < quick->n_lines; i++) {
		text_put(text, quick->lines[i].text);
		text_put(text, "\n");
	}
}

void quick_strip(const struct quick *quick, struct text *text)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (quick_own_key(line) || line->kind == QUICK_LINE_SETTING)
			continue;
		text_put(text, line->start);
		text_put(text, "\n");
	}
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
			what, (int)strcspn(name, "\n"), name, QUICK_NAME_MAX);
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
