/* SPDX-License-Identifier: GPL-2.0 */
/* Single values as people write them. (layer 2) */
#ifndef _WG_PARSE_H
#define _WG_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "ctx.h"
#include "model.h"

/*
 * Every function returns 0, or a negative errno after ctx_fail() was told what
 * is wrong and what would be right.  "what" names the setting in that text.
 */

/**
 * parse_public_key() - a key that may be shown in errors
 * @ctx:	the run
 * @what:	name of the setting
 * @text:	44 characters
 * @key:	result
 */
int parse_public_key(struct ctx *ctx, const char *what, const char *text,
		     uint8_t key[WG_KEY_LEN]);

/**
 * parse_secret_key() - a key that may not be shown in errors
 * @ctx:	the run
 * @what:	name of the setting
 * @text:	44 characters
 * @key:	result
 */
int parse_secret_key(struct ctx *ctx, const char *what, const char *text,
		     uint8_t key[WG_KEY_LEN]);

/**
 * parse_key_file() - a key in a file; an empty file means zeros
 * @ctx:	the run
 * @what:	name of the setting
 * @path:	file of 44 characters and white space
 * @key:	result
 */
int parse_key_file(struct ctx *ctx, const char *what, const char *path,
		   uint8_t key[WG_KEY_LEN]);

/**
 * parse_fwmark() - "off", decimal, or 0x and hexadecimal
 * @ctx:	the run
 * @text:	value
 * @fwmark:	result
 */
int parse_fwmark(struct ctx *ctx, const char *text, uint32_t *fwmark);

/**
 * parse_keepalive() - "off" or 0 to 65535 seconds
 * @ctx:	the run
 * @text:	value
 * @keepalive:	result
 */
int parse_keepalive(struct ctx *ctx, const char *text, uint16_t *keepalive);

/**
 * parse_number() - decimal digits and nothing else
 * @text:	value
 * @max:	largest number allowed
 * @number:	result
 *
 * Return: 0, -EINVAL if @text is not all digits, -ERANGE if it is too large;
 * does not set an error text.
 */
int parse_number(const char *text, uint64_t max, uint64_t *number);

/**
 * parse_allowedips() - comma separated prefixes, appended to a peer
 * @ctx:	the run
 * @peer:	owner of the entries
 * @text:	list; an empty one adds nothing
 * @signs:	"+" and "-" before an entry are allowed
 *
 * With signs: the list replaces the running one unless an entry has a sign.
 */
int parse_allowedips(struct ctx *ctx, struct model_peer *peer,
		     const char *text, bool signs);

/**
 * parse_split_endpoint() - cut "host:port" or "[v6]:port" in two
 * @ctx:	the run
 * @text:	value
 * @host:	result, allocated; also holds the port
 * @port:	points into @host's allocation
 */
int parse_split_endpoint(struct ctx *ctx, const char *text, char **host,
			 char **port);

#endif /* _WG_PARSE_H */
