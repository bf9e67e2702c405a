// SPDX-License-Identifier: GPL-2.0
/* Files of wg-quick, edited line by line. (layer 4) */
#include "quick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "quick_line.h"

#define QUICK_SETTING_KEY	"# wgpeer "

/* Takes the place of the file if it can be read; it is written by us. */
static int quick_replace(struct ctx *ctx, struct quick *quick,
			 struct text *text)
{
	struct quick *fresh, old;
	int ret;

	if (text->broken)
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	else
		ret = quick_parse(ctx, quick->name, quick->name, text, &fresh);
	text_free(text);
	if (ret)
		return ret;
	old = *quick;
	*quick = *fresh;
	*fresh = old;
	quick_free(fresh);
	return 0;
}

/* Is this the line that @key, in the words of quick_set(), speaks of? */
static bool quick_is_key(const struct quick_line *line, const char *key)
{
	size_t n = strlen(QUICK_SETTING_KEY);

	if (!strncmp(key, QUICK_SETTING_KEY, n))
		return line->kind == QUICK_LINE_SETTING &&
		       !strcasecmp(line->key, key + n);
	if (!strcmp(key, "# Name"))
		return line->kind == QUICK_LINE_NAME;
	return line->kind == QUICK_LINE_KEY && !strcasecmp(line->key, key);
}

/* Behind this line a new one of the section is put; (size_t)-1 if the section
 * is not there.
 */
static size_t quick_last_line(const struct quick *quick, size_t section)
{
	size_t last = (size_t)-1, i;

	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (line->section == section &&
		    line->kind != QUICK_LINE_EMPTY)
			last = i;
	}
	return last;
}

static void quick_put(struct text *text, const char *key, const char *value)
{
	text_printf(text, "%s = %s\n", key, value);
}

static int quick_check_value(struct ctx *ctx, const char *key,
			     const char *value)
{
	const char *c;

	for (c = value; c && *c; c++) {
		if ((unsigned char)*c < 0x20 && *c != '\t')
			return ctx_fail(ctx, -EINVAL,
					"%s: the value has a control character; a value is one line",
					key);
	}
	return 0;
}

int quick_set(struct ctx *ctx, struct quick *quick, size_t section,
	      const char *key, const char *value)
{
	size_t last = quick_last_line(quick, section), i;
	struct text text = { 0 };
	bool replaces = false;
	int ret;

	ret = quick_check_value(ctx, key, value);
	if (ret)
		return ret;
	for (i = 0; i < quick->n_lines && !replaces; i++)
		replaces = quick->lines[i].section == section &&
			   quick_is_key(&quick->lines[i], key);
	if (last == (size_t)-1)
		text_put(&text, "[Interface]\n");
	if (value && last == (size_t)-1)
		quick_put(&text, key, value);
	for (i = 0; i < quick->n_lines; i++) {
		const struct quick_line *line = &quick->lines[i];

		if (line->section != section || !quick_is_key(line, key)) {
			text_put(&text, line->text);
			text_put(&text, "\n");
		} else if (value && replaces) {
			quick_put(&text, key, value);
			value = NULL;
		}
		if (i == last && value && !replaces)
			quick_put(&text, key, value);
	}
	return quick_replace(ctx, quick, &text);
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
	if (quick->n_lines &&
	    quick->lines[quick->n_lines - 1].kind != QUICK_LINE_EMPTY)
		text_put(&text, "\n");
	text_put(&text, "[Peer]\n");
	if (name)
		quick_put(&text, "# Name", name);
	base64_encode_key(key_text, key);
	quick_put(&text, "PublicKey", key_text);
	return quick_replace(ctx, quick, &text);
}

int quick_remove_peer(struct ctx *ctx, struct quick *quick, size_t section)
{
	struct text text = { 0 };
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		if (quick->lines[i].section == section)
			continue;
		text_put(&text, quick->lines[i].text);
		text_put(&text, "\n");
	}
	return quick_replace(ctx, quick, &text);
}
