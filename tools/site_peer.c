// SPDX-License-Identifier: GPL-2.0
/* Other sites: add, token, remove, list. (layer 8) */
#include "site.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "host.h"
#include "opts.h"
#include "role_list.h"
#include "tunnel.h"

/* Longer than any token, with room for folded lines. */
#define SITE_TOKEN_MAX	(1UL << 18)

static int site_no_memory(struct ctx *ctx)
{
	return ctx_fail(ctx, -ENOMEM, "Out of memory");
}

/* Files are edited by hand, too. */
static int site_check_room(struct ctx *ctx, const struct cidr *net)
{
	char text[CIDR_TEXT];

	if (net->len + SITE_BITS_MIN <= cidr_max(net->family))
		return 0;
	cidr_text(text, net);
	return ctx_fail(ctx, -EINVAL,
			"the tunnel's network %s has no room for other sites; right would be an Address with a /%d at most",
			text, cidr_max(net->family) - SITE_BITS_MIN);
}

int site_addresses(struct ctx *ctx, const struct cidr_list *tunnel,
		   const uint8_t key[WG_KEY_LEN], struct cidr_list *list)
{
	struct cidr addr;
	uint64_t n;
	size_t i;
	int ret;

	memcpy(&n, key, sizeof(n));
	n = le64toh(n);
	for (i = 0; i < tunnel->count; i++) {
		const struct cidr *net = &tunnel->all[i];
		unsigned int bits = cidr_max(net->family) - net->len;
		uint64_t size = bits < 64 ? 1ULL << bits : 0;

		ret = site_check_room(ctx, net);
		if (ret)
			return ret;
		/* Neither the network's own address nor broadcast. */
		if (!cidr_nth(net, 1 + n % (size - 2), &addr))
			continue;
		addr.len = net->len;
		if (cidr_list_add(list, &addr))
			return site_no_memory(ctx);
	}
	return 0;
}

int site_tunnel(struct ctx *ctx, const struct role *role,
		struct cidr_list *list)
{
	const struct cidr_list *own = &role->quick->addresses;
	size_t i;
	int ret;

	for (i = 0; i < own->count; i++) {
		struct cidr net = cidr_network(&own->all[i]);

		if (net.family == AF_INET6 && net.ip.in6.s6_addr[0] == 0xfe)
			continue;
		ret = site_check_room(ctx, &net);
		if (ret)
			return ret;
		if (cidr_list_add(list, &net))
			return site_no_memory(ctx);
	}
	return 0;
}

/* One that was written by hand may have no name. */
static const char *site_name(const struct role *role, size_t section)
{
	const char *name = quick_peer(role->quick, section)->name;

	return name ? name : "another site";
}

static int site_overlap(struct ctx *ctx, const struct cidr *share,
			const char *whose, const struct cidr *other,
			const char *of)
{
	char one[CIDR_TEXT], two[CIDR_TEXT];

	cidr_text(one, share);
	cidr_text(two, other);
	return ctx_fail(ctx, -EADDRINUSE,
			"network %s of %s overlaps %s of %s: hosts in both could not be told apart; one of the networks has to be renumbered",
			one, whose, two, of);
}

int site_check_share(struct ctx *ctx, const struct role *role,
		     const struct cidr *share)
{
	struct cidr_list theirs = { 0 };
	const struct cidr *hit;
	char text[CIDR_TEXT];
	size_t i;
	int ret = 0;

	cidr_text(text, share);
	if (!share->len)
		return ctx_fail(ctx, -EINVAL,
				"--share: `%s' is everything; right would be networks behind this site",
				text);
	hit = cidr_list_overlap(&role->quick->addresses, share);
	if (hit)
		return site_overlap(ctx, share, "this site", hit, "the tunnel");
	for (i = 1; i <= quick_peers(role->quick) && !ret; i++) {
		ret = role_get_list(ctx, role, i, "shares", &theirs);
		hit = ret ? NULL : cidr_list_overlap(&theirs, share);
		if (hit)
			ret = site_overlap(ctx, share, "this site", hit,
					   site_name(role, i));
		cidr_list_free(&theirs);
	}
	return ret;
}

/*
 * This site as a token.
 */

/* A hub is the way to all that its sites share. */
static int site_describe_shares(struct ctx *ctx, const struct role *role,
				struct token *token)
{
	size_t i;
	int ret;

	ret = role_get_list(ctx, role, 0, "share", &token->shares);
	for (i = 1; token->hub && i <= quick_peers(role->quick) && !ret; i++)
		ret = role_get_list(ctx, role, i, "shares", &token->shares);
	return ret;
}

int site_describe(struct ctx *ctx, const struct role *role,
		  struct token *token)
{
	const char *name = quick_setting(role->quick, 0, "site-name");
	const char *endpoint = quick_setting(role->quick, 0, "endpoint");
	const struct cidr_list *own = &role->quick->addresses;
	struct cidr addr;
	size_t i;
	int ret;

	memset(token, 0, sizeof(*token));
	snprintf(token->name, sizeof(token->name), "%s", name ? name : "site");
	snprintf(token->endpoint, sizeof(token->endpoint), "%s",
		 endpoint ? endpoint : "");
	token->hub = role_yes(role, 0, "hub");
	token->routed = role_yes(role, 0, "routed");
	ret = role_public_key(ctx, role, token->public_key);
	if (!ret)
		ret = site_tunnel(ctx, role, &token->tunnel);
	for (i = 0; i < own->count && !ret; i++) {
		addr = cidr_host(&own->all[i]);
		if (!cidr_list_overlap(&token->tunnel, &addr))
			continue;
		if (cidr_list_add(&token->addresses, &addr))
			ret = site_no_memory(ctx);
	}
	return ret ? ret : site_describe_shares(ctx, role, token);
}

int site_print(struct ctx *ctx, const struct token *token)
{
	struct text text = { 0 };
	int ret;

	token_write(token, &text);
	text_put(&text, "\n");
	if (token->secret)
		ctx_warn_world_accessible(ctx);
	ret = role_print(ctx, NULL, &text);
	text_free(&text);
	return ret;
}

/*
 * Another site's token.
 */

static int site_same_networks(struct ctx *ctx, const struct role *role,
			      const struct token *token)
{
	char one[CIDR_TEXT] = "", two[CIDR_TEXT] = "";
	struct cidr_list own = { 0 };
	bool same;
	size_t i;
	int ret;

	ret = site_tunnel(ctx, role, &own);
	same = own.count == token->tunnel.count;
	for (i = 0; i < own.count && same; i++)
		same = cidr_equal(&own.all[i], &token->tunnel.all[i]);
	if (own.count)
		cidr_text(one, &own.all[0]);
	if (token->tunnel.count)
		cidr_text(two, &token->tunnel.all[0]);
	cidr_list_free(&own);
	if (ret || same)
		return ret;
	return ctx_fail(ctx, -EINVAL,
			"token: site `%s' is in another tunnel (%s) than %s (%s); right would be another interface",
			token->name, two, role->name, one);
}

/* Nothing of the other site may be ours. */
static int site_check_own(struct ctx *ctx, const struct role *role,
			  const struct token *token, bool known)
{
	struct cidr_list own = { 0 };
	const struct cidr *hit;
	size_t i;
	int ret;

	ret = role_get_list(ctx, role, 0, "share", &own);
	for (i = 0; i < token->shares.count && !ret; i++) {
		const struct cidr *share = &token->shares.all[i];

		hit = cidr_list_overlap(&token->tunnel, share);
		if (hit)
			ret = site_overlap(ctx, share, token->name, hit,
					   "the tunnel");
		if (ret)
			break;
		hit = cidr_list_overlap(&own, share);
		/* A hub that knows us says what we have told it. */
		if (hit && !(known && token->hub && cidr_equal(hit, share)))
			ret = site_overlap(ctx, share, token->name, hit,
					   "this site");
	}
	cidr_list_free(&own);
	return ret;
}

/* Nor a third site's; behind a hub there are others, see host_check(). */
static int site_check_third(struct ctx *ctx, const struct role *role,
			    const struct token *token, size_t known)
{
	struct cidr_list theirs = { 0 };
	const struct cidr *hit;
	size_t i, k;
	int ret = 0;

	for (k = 1; k <= quick_peers(role->quick) && !ret; k++) {
		if (k == known || token->hub || role_yes(role, k, "hub"))
			continue;
		ret = role_get_list(ctx, role, k, "shares", &theirs);
		for (i = 0; i < token->shares.count && !ret; i++) {
			hit = cidr_list_overlap(&theirs,
						&token->shares.all[i]);
			if (hit)
				ret = site_overlap(ctx, &token->shares.all[i],
						   token->name, hit,
						   site_name(role, k));
		}
		cidr_list_free(&theirs);
	}
	return ret;
}

static int site_check_address(struct ctx *ctx, const struct role *role,
			      const struct token *token, size_t known)
{
	const struct model_allowedip *aip;
	struct cidr have, addr;
	char text[CIDR_TEXT];
	size_t i, k;

	for (i = 0; i < token->addresses.count; i++) {
		addr = token->addresses.all[i];
		cidr_addr_text(text, &addr);
		for (k = 0; k < role->quick->addresses.count; k++) {
			have = cidr_host(&role->quick->addresses.all[k]);
			if (cidr_equal(&have, &addr))
				return ctx_fail(ctx, -EADDRINUSE,
						"token: site `%s' has address %s, which is this site's; one of them needs another (--address)",
						token->name, text);
		}
		for (k = 1; k <= quick_peers(role->quick); k++) {
			if (k == known)
				continue;
			aip = quick_peer(role->quick, k)->first;
			for (; aip; aip = aip->next) {
				have = model_allowedip_cidr(aip);
				if (cidr_equal(&have, &addr))
					return ctx_fail(ctx, -EADDRINUSE,
							"token: site `%s' has address %s, as site `%s'; one of them needs another (--address)",
							token->name, text,
							site_name(role, k));
			}
		}
	}
	return 0;
}

static int site_check_token(struct ctx *ctx, const struct role *role,
			    const struct token *token, size_t known)
{
	bool routed = role_yes(role, 0, "routed");
	size_t same = quick_find_name(role->quick, token->name);
	uint8_t own[WG_KEY_LEN];
	const char *name;
	int ret;

	ret = role_public_key(ctx, role, own);
	if (ret)
		return ret;
	if (!memcmp(own, token->public_key, WG_KEY_LEN))
		return ctx_fail(ctx, -EINVAL,
				"token: it is this site's own; right would be the one that the other site prints");
	name = quick_setting(role->quick, 0, "site-name");
	if (name && !strcmp(name, token->name))
		return ctx_fail(ctx, -EEXIST,
				"token: its site is called `%s' like this one; right would be another --name for one of them",
				token->name);
	if (same && same != known)
		return ctx_fail(ctx, -EEXIST,
				"token: there is another site `%s' with another key; remove it first, or give one of them another --name",
				token->name);
	if (routed != token->routed)
		return ctx_fail(ctx, -EINVAL,
				"token: site `%s' is %sfor routing daemons (--routed), %s is %s; both sides have to be the same",
				token->name, token->routed ? "" : "not ",
				role->name, routed ? "so" : "not");
	if (routed && !known && quick_peers(role->quick))
		return ctx_fail(ctx, -EEXIST,
				"%s: with --routed each interface has one peer, here `%s'; right would be another interface",
				role->name, site_name(role, 1));
	ret = site_same_networks(ctx, role, token);
	if (!ret)
		ret = site_check_own(ctx, role, token, known);
	if (!ret)
		ret = site_check_third(ctx, role, token, known);
	return ret ? ret : site_check_address(ctx, role, token, known);
}

/* What is behind the other site: of a hub's that is not what is behind us. */
static int site_theirs(struct ctx *ctx, const struct role *role,
		       const struct token *token, struct cidr_list *theirs)
{
	struct cidr_list own = { 0 };
	size_t i;
	int ret;

	ret = role_get_list(ctx, role, 0, "share", &own);
	for (i = 0; i < token->shares.count && !ret; i++) {
		if (cidr_list_overlap(&own, &token->shares.all[i]))
			continue;
		if (cidr_list_add(theirs, &token->shares.all[i]))
			ret = site_no_memory(ctx);
	}
	cidr_list_free(&own);
	return ret;
}

/* What is sent to the other site, and taken from it. */
static int site_allowed(struct ctx *ctx, const struct token *token,
			const struct cidr_list *theirs,
			struct cidr_list *allowed)
{
	const struct cidr_list *parts[] = {
		&token->addresses, theirs, token->hub ? &token->tunnel : NULL,
	};
	size_t i, k;

	if (token->routed)
		return cidr_list_parse(ctx, "AllowedIPs", "0.0.0.0/0, ::/0",
				       allowed);
	for (k = 0; k < 3; k++) {
		for (i = 0; parts[k] && i < parts[k]->count; i++) {
			if (cidr_list_add(allowed, &parts[k]->all[i]))
				return site_no_memory(ctx);
		}
	}
	return 0;
}

/* Whoever cannot be reached keeps the way open, and no one else has to. */
static int site_set_keepalive(struct ctx *ctx, struct role *role,
			      size_t section)
{
	const struct model_peer *peer = quick_peer(role->quick, section);
	bool hidden = !quick_setting(role->quick, 0, "endpoint");

	if (hidden && !peer->host)
		return ctx_fail(ctx, -EINVAL,
				"neither `%s' nor this site can be reached from outside; one of them needs --endpoint",
				site_name(role, section));
	if (hidden && !peer->keepalive)
		return quick_set(ctx, role->quick, section,
				 "PersistentKeepalive", SITE_KEEPALIVE);
	if (!hidden && peer->keepalive == atoi(SITE_KEEPALIVE))
		return quick_set(ctx, role->quick, section,
				 "PersistentKeepalive", NULL);
	return 0;
}

int site_refresh_peers(struct ctx *ctx, struct role *role)
{
	size_t i;
	int ret = 0;

	for (i = 1; i <= quick_peers(role->quick) && !ret; i++)
		ret = site_set_keepalive(ctx, role, i);
	return ret;
}

static int site_write_peer(struct ctx *ctx, struct role *role, size_t section,
			   const struct token *token)
{
	struct cidr_list allowed = { 0 }, theirs = { 0 };
	struct quick *quick = role->quick;
	int ret;

	ret = site_theirs(ctx, role, token, &theirs);
	if (!ret)
		ret = site_allowed(ctx, token, &theirs, &allowed);
	if (!ret)
		ret = quick_set(ctx, quick, section, "# Name", token->name);
	if (!ret)
		ret = role_set_list(ctx, quick, section, "# wgpeer shares",
				    &theirs);
	if (!ret)
		ret = quick_set(ctx, quick, section, "# wgpeer hub",
				token->hub ? "yes" : NULL);
	if (!ret && token->secret)
		ret = quick_set_key(ctx, quick, section, "PresharedKey",
				    token->preshared_key);
	if (!ret)
		ret = role_set_list(ctx, quick, section, "AllowedIPs",
				    &allowed);
	if (!ret)
		ret = quick_set(ctx, quick, section, "Endpoint",
				*token->endpoint ? token->endpoint : NULL);
	if (!ret)
		ret = site_set_keepalive(ctx, role, section);
	cidr_list_free(&allowed);
	cidr_list_free(&theirs);
	return ret;
}

int site_put_peer(struct ctx *ctx, struct role *role,
		  const struct token *token)
{
	size_t section = quick_find_key(role->quick, token->public_key);
	int ret;

	ret = site_check_token(ctx, role, token, section);
	if (ret)
		return ret;
	if (!section) {
		ret = quick_add_peer(ctx, role->quick, token->name,
				     token->public_key);
		section = quick_peers(role->quick);
	}
	return ret ? ret : site_write_peer(ctx, role, section, token);
}

/*
 * Verbs.
 */

/* Opens the setup for a verb whose only option says where files are. */
static int site_open(struct ctx *ctx, struct role *role, const char *verb,
		     const char *names, int *argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = {
		{ "config-dir", NULL, &dir },
		{ NULL, NULL, NULL },
	};
	int ret;

	memset(role, 0, sizeof(*role));
	role->lock = -1;
	ret = opts_parse(ctx, verb, opts, argc, argv);
	if (!ret)
		ret = role_words(ctx, verb, names, *argc);
	return ret ? ret : role_open(ctx, role, "site", dir, argv[1], false);
}

void site_say_peer(struct ctx *ctx, const struct role *role, size_t section)
{
	const char *theirs = quick_setting(role->quick, section, "shares");

	ctx_say(ctx, "%s: site `%s' has %s", role->name,
		site_name(role, section),
		theirs ? theirs : "no networks that it says");
	if (theirs && !role_yes(role, 0, "routed"))
		ctx_todo(ctx, "where this host is not the router of its networks, their router needs a route to %s by this host",
			 theirs);
}

int site_read_token(struct ctx *ctx, const char *word, struct token *token)
{
	struct text text = { 0 };
	int ret;

	memset(token, 0, sizeof(*token));
	if (strcmp(word, "-"))
		return token_read(ctx, word, token);
	ret = file_read(ctx, word, SITE_TOKEN_MAX, &text);
	if (!ret)
		ret = token_read(ctx, text_string(&text), token);
	text_free(&text);
	return ret;
}

/* Only what runs is changed: who wrote files only has a reason. */
static int site_update(struct ctx *ctx, struct role *role)
{
	bool up = tunnel_is_up(ctx, role->name);
	int ret;

	ret = role_commit(ctx, role, !up);
	if (!ret && !up)
		ctx_say(ctx, "%s: is not up; `%s up %s' brings it up",
			role->name, ctx->prog, role->name);
	if (!ret && role_yes(role, 0, "hub") && quick_peers(role->quick) > 1)
		ctx_todo(ctx, "give the new token of this hub (`%s site token %s') to its other sites, for `%s site add'",
			 ctx->prog, role->name, ctx->prog);
	return ret;
}

int site_add(struct ctx *ctx, int argc, char **argv)
{
	struct token token = { 0 };
	struct role role;
	int ret;

	ret = site_open(ctx, &role, "site add", "IF TOKEN", &argc, argv);
	if (!ret)
		ret = site_read_token(ctx, argv[2], &token);
	if (!ret && token.secret)
		ret = ctx_fail(ctx, -EINVAL,
			       "token: it holds the private key of the site that is to join with it; right there would be `%s site join'",
			       ctx->prog);
	if (!ret)
		ret = site_put_peer(ctx, &role, &token);
	if (!ret)
		ret = host_check(ctx, role.rtnl, role.quick);
	if (!ret)
		ret = site_update(ctx, &role);
	if (!ret)
		site_say_peer(ctx, &role, quick_find_key(role.quick,
							 token.public_key));
	token_free(&token);
	role_close(&role);
	return ret;
}

int site_token(struct ctx *ctx, int argc, char **argv)
{
	struct token token = { 0 };
	struct role role;
	int ret;

	ret = site_open(ctx, &role, "site token", "IF", &argc, argv);
	if (!ret)
		ret = site_describe(ctx, &role, &token);
	if (!ret)
		ret = site_print(ctx, &token);
	token_free(&token);
	role_close(&role);
	return ret;
}

int site_remove(struct ctx *ctx, int argc, char **argv)
{
	struct role role;
	size_t section;
	int ret;

	ret = site_open(ctx, &role, "site remove", "IF NAME", &argc, argv);
	if (!ret) {
		section = quick_find_name(role.quick, argv[2]);
		if (!section)
			ret = ctx_fail(ctx, -ENOENT,
				       "%s: there is no site `%.100s'; `%s site list %s' shows them",
				       role.name, argv[2], ctx->prog,
				       role.name);
		else
			ret = quick_remove_peer(ctx, role.quick, section);
	}
	if (!ret)
		ret = site_update(ctx, &role);
	if (!ret)
		ctx_say(ctx, "%s: site `%s' is removed", role.name, argv[2]);
	role_close(&role);
	return ret;
}

static const char *site_mode(const struct role *role, size_t section)
{
	return role_yes(role, section, "hub") ? "hub" : "site";
}

int site_list(struct ctx *ctx, int argc, char **argv)
{
	const char *dir = NULL;
	bool json = false;
	const struct opt opts[] = {
		{ "json", &json, NULL },
		{ "config-dir", NULL, &dir },
		{ NULL, NULL, NULL },
	};
	struct role role;
	int ret;

	ret = opts_parse(ctx, "site list", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "site list", "IF", argc);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "site", dir, argv[1], false);
	if (!ret)
		ret = role_list(ctx, &role, "sites", json, site_mode);
	role_close(&role);
	return ret;
}
