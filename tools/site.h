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

/* The smallest networks of a tunnel have so many bits to choose from. */
#define SITE_BITS_MIN	2
/* A site that cannot be reached from outside says something that often. */
#define SITE_KEEPALIVE	"25"

/**
 * struct site_wish - what the user says about this site
 * @dir:	where files are
 * @share:	networks behind it
 * @endpoint:	where others find it
 * @port:	UDP port
 * @name:	its name
 * @address:	own addresses in the tunnel
 * @peer_share:	networks behind the one other site
 * @peer_name:	its name
 * @hub:	forwards between the others
 * @routed:	for routing daemons
 * @one_paste:	one secret token for the other site
 * @no_up:	only write the file
 */
struct site_wish {
	const char *dir;
	const char *share;
	const char *endpoint;
	const char *port;
	const char *name;
	const char *address;
	const char *peer_share;
	const char *peer_name;
	bool hub;
	bool routed;
	bool one_paste;
	bool no_up;
};

/**
 * site_set_key() - make a private key if there is none
 * @ctx:	the run
 * @role:	setup
 * @token:	its key is taken if it is secret; may be NULL
 *
 * Return: 0, or negative errno with an error text, also if there is another
 * key than that of @token.
 */
int site_set_key(struct ctx *ctx, struct role *role,
		 const struct token *token);

/**
 * site_set_flags() - what kind of site that is
 * @ctx:	the run
 * @role:	setup
 * @hub:	it forwards between the others
 * @routed:	for routing daemons; only of a new setup
 *
 * What is not wanted stays as it is.
 *
 * Return: 0 or negative errno with an error text.
 */
int site_set_flags(struct ctx *ctx, struct role *role, bool hub, bool routed);

/**
 * site_set_address() - write the own addresses
 * @ctx:	the run
 * @role:	setup
 * @key:	the site's public key
 * @own:	addresses with the lengths of their networks; a link-local one
 *		is added where routing daemons need it
 *
 * Return: 0, or negative errno with an error text, also if other sites know
 * different ones.
 */
int site_set_address(struct ctx *ctx, struct role *role,
		     const uint8_t key[WG_KEY_LEN], struct cidr_list *own);

/**
 * site_set_name() - write the site's name
 * @ctx:	the run
 * @role:	setup
 * @name:	NULL: leave it, or take that of the host
 * @other:	name of the other site, which that may not be; or ""
 *
 * Return: 0 or negative errno with an error text.
 */
int site_set_name(struct ctx *ctx, struct role *role, const char *name,
		  const char *other);

/**
 * site_parse_share() - networks behind a site
 * @ctx:	the run
 * @what:	name of the option, for errors
 * @text:	value
 * @shares:	result, without host bits
 *
 * Return: 0 or negative errno with an error text.
 */
int site_parse_share(struct ctx *ctx, const char *what, const char *text,
		     struct cidr_list *shares);

/**
 * site_set_share() - write the networks behind this site
 * @ctx:	the run
 * @role:	setup with addresses
 * @shares:	networks; none: leave them
 *
 * Return: 0, or negative errno with an error text, also if there are none.
 */
int site_set_share(struct ctx *ctx, struct role *role,
		   const struct cidr_list *shares);

/**
 * site_set_port() - write the UDP port
 * @ctx:	the run
 * @role:	setup
 * @given:	NULL: leave it, or take one that is free
 *
 * Return: 0 or negative errno with an error text.
 */
int site_set_port(struct ctx *ctx, struct role *role, const char *given);

/**
 * site_set_endpoint() - write where other sites find this one
 * @ctx:	the run
 * @role:	setup with a port
 * @endpoint:	NULL: leave it, or of a new setup that of this host if it is
 *		public; "none"
 *
 * Return: 0 or negative errno with an error text.
 */
int site_set_endpoint(struct ctx *ctx, struct role *role,
		      const char *endpoint);

/**
 * site_finish() - role_finish(), and hand a token over
 * @ctx:	the run
 * @role:	setup
 * @no_up:	only write the file
 * @token:	token
 *
 * Return: 0 or negative errno with an error text.
 */
int site_finish(struct ctx *ctx, struct role *role, bool no_up,
		const struct token *token);

/**
 * site_say() - tell the user what this site is now
 * @ctx:	the run
 * @role:	setup
 */
void site_say(struct ctx *ctx, const struct role *role);

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

/**
 * site_say_peer() - tell the user what is behind another site
 * @ctx:	the run
 * @role:	setup
 * @section:	the other site
 */
void site_say_peer(struct ctx *ctx, const struct role *role, size_t section);

/**
 * site_read_token() - token_read(), also from standard input
 * @ctx:	the run
 * @word:	"-" for standard input: others see the words of a command
 * @token:	result, to be freed with token_free(), also on failure
 *
 * Return: 0 or negative errno with an error text.
 */
int site_read_token(struct ctx *ctx, const char *word, struct token *token);

/**
 * site_refresh_peers() - keep the way to all sites open, or leave that to them
 * @ctx:	the run
 * @role:	setup whose endpoint has changed
 *
 * Return: 0, or negative errno with an error text if neither side of a pair
 * could be reached.
 */
int site_refresh_peers(struct ctx *ctx, struct role *role);

int site_join(struct ctx *ctx, int argc, char **argv);
int site_add(struct ctx *ctx, int argc, char **argv);
int site_token(struct ctx *ctx, int argc, char **argv);
int site_remove(struct ctx *ctx, int argc, char **argv);
int site_list(struct ctx *ctx, int argc, char **argv);

#endif /* _WG_SITE_H */
