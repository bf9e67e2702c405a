// SPDX-License-Identifier: GPL-2.0
/* A text that grows, and is wiped when it goes. (layer 0) */
#include "text.h"

#include <errno.h>
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

void text_put_json(struct text *text, const char *string)
{
	text_put(text, "\"");
	for (; *string; string++) {
		unsigned char c = *string;

		if (c == '"' || c == '\\')
			text_printf(text, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			text_printf(text, "\\u%04x", c);
		else
			text_add(text, string, 1);
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
