// SPDX-License-Identifier: GPL-2.0
/* The lines of a file of wg-quick. (layer 4) */
#include "quick_line.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "quick_key.h"

#define QUICK_BOM	"\xef\xbb\xbf"
#define QUICK_SETTING	"wgpeer"

static char *quick_trim(char *text)
{
	size_t n;

	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	text[n] = '\0';
	return text;
}

static void quick_free_bytes(char *text, size_t n)
{
	explicit_bzero(text, n);
	free(text);
}

static void quick_free_secret(char *text)
{
	if (text)
		quick_free_bytes(text, strlen(text));
}

void quick_free_lines(struct quick *quick)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		quick_free_secret(quick->lines[i].text);
		quick_free_secret(quick->lines[i].key);
		quick_free_secret(quick->lines[i].value);
	}
	free(quick->lines);
	quick->lines = NULL;
	quick->n_lines = 0;
}

static bool quick_is_printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/*
 * One line.  White space is taken as wg's own parser does, or the two would
 * not agree on where a section begins.
 */

static int quick_keep_words(struct quick_line *line, char *key,
			    const char *value)
{
	quick_squeeze(key);
	line->key = strdup(key);
	if (value)
		line->value = strdup(value);
	return !line->key || (value && !line->value) ? -ENOMEM : 0;
}

/* @start is behind the "#". */
static int quick_read_comment(struct quick_line *line, char *start)
{
	size_t n = strlen(QUICK_SETTING);
	char *value = strchr(start, '=');

	line->kind = QUICK_LINE_COMMENT;
	if (!value)
		return 0;
	*value++ = '\0';
	start = quick_trim(start);
	value = quick_trim(value);
	if (!*value || !quick_is_printable(value))
		return 0;
	if (!strcasecmp(start, "Name") || !strcasecmp(start, "friendly_name")) {
		line->kind = QUICK_LINE_NAME;
	} else if (!strncasecmp(start, QUICK_SETTING, n) &&
		   isspace((unsigned char)start[n])) {
		line->kind = QUICK_LINE_SETTING;
		start += n;
	} else {
		return 0;
	}
	return quick_keep_words(line, start, value);
}

static int quick_read_key(struct quick_line *line, char *start)
{
	const struct quick_key *own;
	char *value = strchr(start, '=');

	line->kind = QUICK_LINE_KEY;
	if (value)
		*value++ = '\0';
	quick_squeeze(start);
	own = quick_key_find(start);
	if (value && !(own && own->hook))
		value[strcspn(value, "#")] = '\0';
	return quick_keep_words(line, start, value ? quick_trim(value) : NULL);
}

static int quick_read_section(struct quick_line *line, char *start)
{
	start[strcspn(start, "#")] = '\0';
	quick_squeeze(start);
	if (!strcasecmp(start, "[Interface]"))
		line->kind = QUICK_LINE_INTERFACE;
	else if (!strcasecmp(start, "[Peer]"))
		line->kind = QUICK_LINE_PEER;
	else
		return quick_read_key(line, start);
	return 0;
}

static int quick_read_line(struct quick_line *line)
{
	char *copy = strdup(line->start), *start;
	size_t n = strlen(line->start);
	int ret = 0;

	if (!copy)
		return -ENOMEM;
	start = quick_trim(copy);
	if (*start == '#')
		ret = quick_read_comment(line, start + 1);
	else if (*start == '[')
		ret = quick_read_section(line, start);
	else if (*start)
		ret = quick_read_key(line, start);
	/* By now it has NULs between its words. */
	quick_free_bytes(copy, n);
	return ret;
}

/*
 * Where a line belongs.
 */

static bool quick_is_remark(const struct quick_line *line)
{
	return line->kind == QUICK_LINE_COMMENT ||
	       line->kind == QUICK_LINE_NAME;
}

/* Whether the section of the line @last has a name up to there. */
static bool quick_is_named(const struct quick_line *lines, size_t last)
{
	size_t section = lines[last].section, i;

	for (i = last + 1; i && lines[i - 1].section == section; i--) {
		if (lines[i - 1].kind == QUICK_LINE_NAME)
			return true;
	}
	return false;
}

/* What stands above the line @head, which begins a section, and belongs to it:
 * see quick.h.
 */
static void quick_adopt(struct quick_line *lines, size_t head)
{
	size_t first = head;

	while (first && quick_is_remark(&lines[first - 1]))
		first--;
	if (!first || lines[first - 1].kind == QUICK_LINE_EMPTY) {
		while (first && lines[first - 1].kind == QUICK_LINE_EMPTY)
			first--;
	} else if (!lines[first - 1].section ||
		   quick_is_named(lines, first - 1)) {
		while (first < head && lines[first].kind != QUICK_LINE_NAME)
			first++;
	} else {
		return;
	}
	for (; first < head; first++)
		lines[first].section = lines[head].section;
}

static void quick_number_sections(struct quick *quick)
{
	enum quick_line_kind in = QUICK_LINE_EMPTY;
	size_t peers = 0, i;

	for (i = 0; i < quick->n_lines; i++) {
		struct quick_line *line = &quick->lines[i];
		bool head = line->kind == QUICK_LINE_INTERFACE ||
			    line->kind == QUICK_LINE_PEER;

		if (head)
			in = line->kind;
		if (line->kind == QUICK_LINE_PEER)
			peers++;
		if (in == QUICK_LINE_PEER)
			line->section = peers;
		if (in == QUICK_LINE_INTERFACE && line->kind == QUICK_LINE_KEY)
			line->own = quick_key_find(line->key);
		if (head)
			quick_adopt(quick->lines, i);
	}
}

static int quick_add_line(struct quick *quick, const char *data, size_t len)
{
	struct quick_line *lines, *line;

	lines = reallocarray(quick->lines, quick->n_lines + 1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	quick->lines = lines;
	line = &lines[quick->n_lines++];
	memset(line, 0, sizeof(*line));
	line->text = strndup(data, len);
	if (!line->text)
		return -ENOMEM;
	line->start = line->text;
	if (quick->n_lines == 1 &&
	    !strncmp(line->text, QUICK_BOM, strlen(QUICK_BOM)))
		line->start += strlen(QUICK_BOM);
	return quick_read_line(line);
}

int quick_cut_lines(struct ctx *ctx, struct quick *quick, const char *data)
{
	size_t n;

	for (; *data; data += n) {
		n = strcspn(data, "\n");
		n += data[n] == '\n';
		if (quick_add_line(quick, data, n))
			return ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	quick_number_sections(quick);
	return 0;
}
