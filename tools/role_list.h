/* SPDX-License-Identifier: GPL-2.0 */
/* The peers of a setup as they are shown. (layer 7) */
#ifndef _WG_ROLE_LIST_H
#define _WG_ROLE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "ctx.h"
#include "role.h"

/* One word: what kind of peer that is. */
typedef const char *(*role_mode)(const struct role *role, size_t section);

/**
 * role_list() - print the peers of a setup
 * @ctx:	the run
 * @role:	setup
 * @what:	what they are called in JSON
 * @json:	for programs instead of for people
 * @mode:	says what kind each is
 *
 * Return: 0 or negative errno with an error text.
 */
int role_list(struct ctx *ctx, const struct role *role, const char *what,
	      bool json, role_mode mode);

#endif /* _WG_ROLE_LIST_H */
