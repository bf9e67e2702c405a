// SPDX-License-Identifier: GPL-2.0
/* The lines of a file of wg-quick. (layer 3) */
#include "quick_line.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUICK_BOM	"\xef\xbb\xbf"
#define QUICK_SETTING	"wgpeer "

char *quick_trim(char *text)
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

static void quick_free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void quick_free_lines(struct quick *quick)
{
	size_t i;

	for (i = 0; i < quick->n_lines; i++) {
		quick_free_secret(quick->lines[i].text);
		quick_free_secret(quick->lines[i].value);
		free(quick->lines[i].key);
	}
	free(quick->lines);
	quick->lines = NULL;
	quick->n_lines = 0;
}

static bool quick_printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/* What stands behind "#". */
static enum quick_line_kind quick_comment_kind(const char **key,
					       const char *value)
{
	size_t n = strlen(QUICK_SETTING);

	if (!value || !*value || !quick_printable(value))
		return QUICK_LINE_COMMENT;
	if (!strcasecmp(*key, "Name") || !strcasecmp(*key, "friendly_name"))
		return QUICK_LINE_NAME;
	if (!strncasecmp(*key, QUICK_SETTING, n) && (*key)[n]) {
		*key += n + strspn(*key + n, " \t");
		return QUICK_LINE_SETTING;
	}
	return QUICK_LINE_COMMENT;
}

/* Cuts key and value out of @copy, which is the line. */
static int quick_take_words(struct quick_line *line, char *copy,
			    bool (*is_hook)(const char *key))
{
	bool comment = *copy == '#';
	const char *key;
	char *value;

	value = strchr(copy, '=');
	if (value)
		*value++ = '\0';
	key = quick_trim(copy + comment);
	if (value && !comment && !is_hook(key))
		value[strcspn(value, "#")] = '\0';
	if (value)
		value = quick_trim(value);
	line->kind = comment ? quick_comment_kind(&key, value) : QUICK_LINE_KEY;
	if (line->kind == QUICK_LINE_COMMENT)
		return 0;
	line->key = strdup(key);
	line->value = strdup(value ? value : "");
	return line->key && line->value ? 0 : -ENOMEM;
}

/* A section's name, without what may stand behind it. */
static bool quick_is_section(const char *start, const char *name)
{
	size_t n = strlen(name);

	return !strncasecmp(start, name, n) &&
	       !start[n + strspn(start + n, " \t\r")];
}

static int quick_read_line(struct quick_line *line,
			   bool (*is_hook)(const char *key))
{
	char *copy = strdup(line->start), *start;
	int ret = 0;

	if (!copy)
		return -ENOMEM;
	start = quick_trim(copy);
	if (*start == '[') {
		start[strcspn(start, "#")] = '\0';
		line->kind = QUICK_LINE_SECTION;
	} else if (*start) {
		ret = quick_take_words(line, start, is_hook);
	}
	quick_free_secret(copy);
	return ret;
}

static bool quick_line_is_section(const struct quick_line *line,
				  const char *name)
{
	char text[32];

	if (line->kind != QUICK_LINE_SECTION)
		return false;
	snprintf(text, sizeof(text), "%s", line->start +
		 strspn(line->start, " \t"));
	text[strcspn(text, "#")] = '\0';
	return quick_is_section(text, name);
}

static bool quick_is_remark(const struct quick_line *line)
{
	return line->kind == QUICK_LINE_COMMENT ||
	       line->kind == QUICK_LINE_NAME;
}

/* Comments right above a section's name belong to it if an empty line cuts
 * them off from what is above, and so do these empty lines; a name always
 * does.
 */
static void quick_adopt_comments(struct quick *quick, size_t head)
{
	struct quick_line *lines = quick->lines;
	size_t first = head;

	while (first && quick_is_remark(&lines[first - 1]))
		first--;
	if (first && lines[first - 1].kind != QUICK_LINE_EMPTY) {
		while (first < head && lines[first].kind != QUICK_LINE_NAME)
			first++;
	} else {
		while (first && lines[first - 1].kind == QUICK_LINE_EMPTY)
			first--;
	}
	for (; first < head; first++)
		lines[first].section = lines[head].section;
}

static void quick_number_sections(struct quick *quick)
{
	size_t section = 0, peers = 0, i;

	for (i = 0; i < quick->n_lines; i++) {
		struct quick_line *line = &quick->lines[i];

		if (quick_line_is_section(line, "[Interface]"))
			section = 0;
		else if (quick_line_is_section(line, "[Peer]"))
			section = ++peers;
		line->section = section;
		if (line->kind == QUICK_LINE_SECTION && section)
			quick_adopt_comments(quick, i);
	}
}

int quick_cut_lines(struct ctx *ctx, struct quick *quick, const char *data,
		    bool (*is_hook)(const char *key))
{
	bool first = true;
	size_t n;

	for (; *data; data += n + (data[n] == '\n')) {
		struct quick_line *lines, *line;

		n = strcspn(data, "\n");
		lines = reallocarray(quick->lines, quick->n_lines + 1,
				     sizeof(*lines));
		if (!lines)
			goto no_memory;
		quick->lines = lines;
		line = &lines[quick->n_lines++];
		memset(line, 0, sizeof(*line));
		line->text = strndup(data, n);
		if (!line->text)
			goto no_memory;
		line->start = line->text;
		if (first && !strncmp(line->text, QUICK_BOM, 3))
			line->start += 3;
		first = false;
		if (quick_read_line(line, is_hook))
			goto no_memory;
	}
	quick_number_sections(quick);
	return 0;

no_memory:
	return ctx_fail(ctx, -ENOMEM, "Out of memory");
}
