// SPDX-License-Identifier: GPL-2.0
/* A text that grows, and is wiped when it goes. (layer 0) */
#include "text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_CHUNK	4096

/* realloc() would leave a copy of the secrets behind. */
static bool text_reserve(struct text *text, size_t more)
{
	size_t size = text->size ? text->size : TEXT_CHUNK;
	char *data;

	if (text->broken)
		return false;
	while (size - text->len <= more)
		size *= 2;
	if (size == text->size)
		return true;
	data = malloc(size);
	if (!data) {
		text->broken = true;
		return false;
	}
	if (text->data) {
		memcpy(data, text->data, text->len);
		explicit_bzero(text->data, text->len);
		free(text->data);
	}
	data[text->len] = '\0';
	text->data = data;
	text->size = size;
	return true;
}

void text_add(struct text *text, const void *data, size_t len)
{
	if (!text_reserve(text, len))
		return;
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void text_put(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_printf(struct text *text, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0 || !text_reserve(text, len))
		return;
	va_start(args, fmt);
	vsnprintf(text->data + text->len, len + 1, fmt, args);
	va_end(args);
	text->len += len;
}

/* Length of the character that begins there, 0 if none does. */
static size_t text_utf8_length(const unsigned char *c)
{
	uint32_t value;
	size_t n, i;

	if (c[0] < 0x80)
		return 1;
	n = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	value = c[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (c[i] & 0x3f);
	}
	/* Longer than need be, half of a pair, or behind the last. */
	if ((n == 3 && value < 0x800) || (n == 4 && value < 0x10000) ||
	    value >> 11 == 0x1b || value > 0x10ffff)
		return 0;
	return n;
}

bool text_is_utf8(const char *text)
{
	size_t n;

	for (; *text; text += n) {
		n = text_utf8_length((const unsigned char *)text);
		if (!n)
			return false;
	}
	return true;
}

void text_put_json(struct text *text, const char *string)
{
	size_t n;

	text_put(text, "\"");
	for (; *string; string += n ? n : 1) {
		unsigned char c = *string;

		n = text_utf8_length((const unsigned char *)string);
		if (!n)
			text_put(text, "\\ufffd");
		else if (c == '"' || c == '\\')
			text_printf(text, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			text_printf(text, "\\u%04x", c);
		else
			text_add(text, string, n);
	}
	text_put(text, "\"");
}

const char *text_string(const struct text *text)
{
	return text->data ? text->data : "";
}

void text_free(struct text *text)
{
	if (text->data)
		explicit_bzero(text->data, text->size);
	free(text->data);
	memset(text, 0, sizeof(*text));
}

int text_slurp(struct text *text, int fd, size_t limit)
{
	ssize_t n;

	do {
		if (!text_reserve(text, TEXT_CHUNK / 2))
			return -ENOMEM;
		n = read(fd, text->data + text->len,
			 text->size - text->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text->len += n;
		if (text->len > limit)
			return -EFBIG;
	} while (n);
	text->data[text->len] = '\0';
	return 0;
}
