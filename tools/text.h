/* SPDX-License-Identifier: GPL-2.0 */
/* A text that grows, and is wiped when it goes. (layer 0) */
#ifndef _WG_TEXT_H
#define _WG_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct text - bytes that may be secret
 * @data:	allocated, a NUL behind the last byte; NULL while empty
 * @len:	without that NUL
 * @size:	allocated
 * @broken:	memory ran out once: later additions do nothing
 *
 * All zeros is an empty text.
 */
struct text {
	char *data;
	size_t len;
	size_t size;
	bool broken;
};

/**
 * text_add() - append bytes
 * @text:	the text
 * @data:	may have NULs
 * @len:	how many
 */
void text_add(struct text *text, const void *data, size_t len);

/**
 * text_put() - append a string
 * @text:	the text
 * @string:	string
 */
void text_put(struct text *text, const char *string);

/**
 * text_printf() - append formatted words
 * @text:	the text
 * @fmt:	as for printf()
 */
void text_printf(struct text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * text_is_utf8() - whether a text is in the encoding that all others want
 * @text:	text
 */
bool text_is_utf8(const char *text);

/**
 * text_put_json() - append a string as JSON writes it, quotes included
 * @text:	the text
 * @string:	what in it is not UTF-8 becomes U+FFFD
 */
void text_put_json(struct text *text, const char *string);

/**
 * text_string() - what has been gathered so far
 * @text:	the text
 *
 * Return: a string, empty if nothing was added.
 */
const char *text_string(const struct text *text);

/**
 * text_free() - wipe and free; the text is empty then
 * @text:	may be empty
 */
void text_free(struct text *text);

/**
 * text_slurp() - read a file descriptor to its end
 * @text:	empty; to be freed with text_free(), also on failure
 * @fd:		source
 * @limit:	more bytes than this are -EFBIG
 *
 * Return: 0 or negative errno; on success @text->data is not NULL.
 */
int text_slurp(struct text *text, int fd, size_t limit);

#endif /* _WG_TEXT_H */
