/* SPDX-License-Identifier: GPL-2.0 */
/* The verb "site": what its parts have in common. (layer 8) */
#ifndef _WG_SITE_H
#define _WG_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "cidr.h"
#include "ctx.h"
#include "role.h"
#include "token.h"

/* A site that cannot be reached from outside says something that often. */
#define SITE_KEEPALIVE	"25"

/**
 * site_addresses() - a site's own addresses in the networks of the tunnel
 * @ctx:	the run
 * @tunnel:	networks
 * @key:	the site's public key, from whose first bytes they are taken:
 *		as good as a hash, and sites need not agree on anything
 * @list:	appended to, with the lengths of the networks
 *
 * Return: 0 or -ENOMEM with an error text.
 */
int site_addresses(struct ctx *ctx, const struct cidr_list *tunnel,
		   const uint8_t key[WG_KEY_LEN], struct cidr_list *list);

/**
 * site_tunnel() - the networks of the tunnel
 * @ctx:	the run
 * @role:	setup; they are those of its addresses
 * @list:	appended to; link-local ones are left out
 *
 * Return: 0 or negative errno with an error text.
 */
int site_tunnel(struct ctx *ctx, const struct role *role,
		struct cidr_list *list);

/**
 * site_check_share() - whether a network can be shared here
 * @ctx:	the run
 * @role:	setup
 * @share:	network behind this site
 *
 * Return: 0, or negative errno with an error text that names both sides.
 */
int site_check_share(struct ctx *ctx, const struct role *role,
		     const struct cidr *share);

/**
 * site_describe() - this site as it shows itself to others
 * @ctx:	the run
 * @role:	setup
 * @token:	result, to be freed with token_free(), also on failure
 *
 * Return: 0 or negative errno with an error text.
 */
int site_describe(struct ctx *ctx, const struct role *role,
		  struct token *token);

/**
 * site_print() - a token on standard output
 * @ctx:	the run
 * @token:	token
 *
 * Return: 0 or negative errno with an error text.
 */
int site_print(struct ctx *ctx, const struct token *token);

/**
 * site_put_peer() - write another site into the file, or bring it up to date
 * @ctx:	the run
 * @role:	setup
 * @token:	the other site
 *
 * Return: 0, or negative errno with an error text that says what collides.
 */
int site_put_peer(struct ctx *ctx, struct role *role,
		  const struct token *token);

int site_add(struct ctx *ctx, int argc, char **argv);
int site_token(struct ctx *ctx, int argc, char **argv);
int site_remove(struct ctx *ctx, int argc, char **argv);
int site_list(struct ctx *ctx, int argc, char **argv);

#endif /* _WG_SITE_H */
