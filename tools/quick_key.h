/* SPDX-License-Identifier: GPL-2.0 */
/* The keys that wg-quick adds to wg's. (layer 4, used by quick only) */
#ifndef _WG_QUICK_KEY_H
#define _WG_QUICK_KEY_H

#include <stdbool.h>

#include "ctx.h"
#include "quick.h"

/**
 * struct quick_key - a key of [Interface] that wg does not know
 * @name:	as people write it
 * @take:	puts a value, which is not empty, into the file
 * @hook:	a line for a shell: it may have a "#"
 */
struct quick_key {
	const char *name;
	int (*take)(struct ctx *ctx, struct quick *quick, const char *value);
	bool hook;
};

/**
 * quick_key_find() - look one up
 * @name:	in any case
 *
 * Return: the key or NULL.
 */
const struct quick_key *quick_key_find(const char *name);

/**
 * quick_key_endpoint() - keep "Endpoint" as it is written
 * @ctx:	the run
 * @peer:	gets it; a name is looked up when it is needed
 * @value:	HOST:PORT
 *
 * Return: 0 or negative errno with an error text.
 */
int quick_key_endpoint(struct ctx *ctx, struct model_peer *peer,
		       const char *value);

/**
 * quick_key_free() - free what the keys have put into a file
 * @quick:	file
 */
void quick_key_free(struct quick *quick);

/**
 * quick_squeeze() - remove all white space
 * @text:	changed
 */
void quick_squeeze(char *text);

#endif /* _WG_QUICK_KEY_H */
