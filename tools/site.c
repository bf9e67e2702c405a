// SPDX-License-Identifier: GPL-2.0
/* The verb "site": init, and the way to the others. (layer 8) */
#include "site.h"

#include <errno.h>
#include <string.h>

#include "curve25519.h"
#include "host.h"
#include "opts.h"
#include "verbs.h"

/* Room for the addresses of some sites, chosen by chance. */
#define SITE_LEN4	20
#define SITE_PICK_TRIES	100

static int site_avoid(struct ctx *ctx, struct cidr_list *avoid,
		      const struct cidr_list *nets)
{
	size_t i;

	for (i = 0; i < nets->count; i++) {
		if (cidr_list_add(avoid, &nets->all[i]))
			return ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	return 0;
}

/* Networks that are free here and are not shared, by neither site. */
static int site_pick_tunnel(struct ctx *ctx, struct role *role,
			    const struct site_wish *wish,
			    const struct cidr_list *shares,
			    struct cidr_list *tunnel)
{
	struct cidr_list avoid = { 0 }, others = { 0 };
	struct cidr v4, v6;
	int ret, tries;

	ret = host_networks(ctx, role->rtnl, role->name, &avoid);
	if (!ret && wish->peer_share)
		ret = site_parse_share(ctx, "--peer-share", wish->peer_share,
				       &others);
	if (!ret)
		ret = site_avoid(ctx, &avoid, shares);
	if (!ret)
		ret = site_avoid(ctx, &avoid, &others);
	for (tries = 0; tries < SITE_PICK_TRIES && !ret; tries++) {
		ret = host_pick_tunnel(ctx, role->rtnl, role->name, &avoid,
				       &v4, &v6);
		v4.len = SITE_LEN4;
		v4 = cidr_network(&v4);
		if (!ret && !cidr_list_overlap(&avoid, &v4))
			break;
	}
	if (!ret && tries == SITE_PICK_TRIES)
		ret = ctx_fail(ctx, -EADDRNOTAVAIL,
			       "no network of 10.0.0.0/8 is free for the tunnel; choose one with --address");
	if (!ret && (cidr_list_add(tunnel, &v4) || cidr_list_add(tunnel, &v6)))
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	cidr_list_free(&others);
	cidr_list_free(&avoid);
	return ret;
}

/* The network itself stands for the address that the key chooses in it. */
static int site_given_address(struct ctx *ctx, const struct cidr *given,
			      const uint8_t key[WG_KEY_LEN],
			      struct cidr_list *own)
{
	struct cidr net = cidr_network(given);
	struct cidr_list tunnel = { .all = &net, .count = 1 };
	char text[CIDR_TEXT];

	cidr_text(text, given);
	if (given->len + SITE_BITS_MIN > cidr_max(given->family) ||
	    !given->len)
		return ctx_fail(ctx, -EINVAL,
				"--address: `%s' has no room for other sites; right would be this site's address with the length of the tunnel's network, like 10.9.0.1/24",
				text);
	if (cidr_list_overlap(own, given))
		return ctx_fail(ctx, -EINVAL,
				"--address: `%s' is in a network that has an address already; right would be one in each",
				text);
	if (cidr_equal(given, &net))
		return site_addresses(ctx, &tunnel, key, own);
	return cidr_list_add(own, given) ?
	       ctx_fail(ctx, -ENOMEM, "Out of memory") : 0;
}

static int site_given_addresses(struct ctx *ctx, const char *text,
				const uint8_t key[WG_KEY_LEN],
				struct cidr_list *own)
{
	struct cidr_list given = { 0 };
	size_t i;
	int ret;

	ret = cidr_list_parse(ctx, "--address", text, &given);
	for (i = 0; i < given.count && !ret; i++)
		ret = site_given_address(ctx, &given.all[i], key, own);
	cidr_list_free(&given);
	return ret;
}

static int site_init_address(struct ctx *ctx, struct role *role,
			     const struct site_wish *wish,
			     const struct cidr_list *shares)
{
	struct cidr_list tunnel = { 0 }, own = { 0 };
	uint8_t key[WG_KEY_LEN];
	int ret;

	if (!wish->address && role->quick->addresses.count)
		return 0;
	ret = role_public_key(ctx, role, key);
	if (!ret && wish->address)
		ret = site_given_addresses(ctx, wish->address, key, &own);
	else if (!ret)
		ret = site_pick_tunnel(ctx, role, wish, shares, &tunnel);
	if (!ret)
		ret = site_addresses(ctx, &tunnel, key, &own);
	if (!ret)
		ret = site_set_address(ctx, role, key, &own);
	cidr_list_free(&tunnel);
	cidr_list_free(&own);
	return ret;
}

/* The other site, as it will be: the token back, before it was sent. */
static int site_invent_peer(struct ctx *ctx, const struct role *role,
			    const struct site_wish *wish, struct token *peer)
{
	size_t i;
	int ret;

	snprintf(peer->name, sizeof(peer->name), "%s",
		 wish->peer_name ? wish->peer_name : "peer");
	peer->secret = true;
	peer->routed = role_yes(role, 0, "routed");
	ret = quick_check_name(ctx, "--peer-name", peer->name);
	if (!ret && quick_find_name(role->quick, peer->name))
		ret = ctx_fail(ctx, -EEXIST,
			       "%s: there is a site `%s' already; remove it first, or say --peer-name",
			       role->name, peer->name);
	if (!ret && !quick_setting(role->quick, 0, "endpoint"))
		ret = ctx_fail(ctx, -EINVAL,
			       "--one-paste: this site has to be reached from the other; right would be --endpoint HOST[:PORT]");
	if (!ret)
		ret = role_new_key(ctx, peer->private_key);
	if (!ret)
		ret = role_new_psk(ctx, peer->preshared_key);
	if (!ret)
		curve25519_public_key(peer->public_key, peer->private_key);
	if (!ret)
		ret = site_tunnel(ctx, role, &peer->tunnel);
	if (!ret)
		ret = site_addresses(ctx, &peer->tunnel, peer->public_key,
				     &peer->addresses);
	for (i = 0; i < peer->addresses.count; i++)
		peer->addresses.all[i] = cidr_host(&peer->addresses.all[i]);
	if (!ret && wish->peer_share)
		ret = site_parse_share(ctx, "--peer-share", wish->peer_share,
				       &peer->shares);
	return ret;
}

/* This site as it is before it knows the other, and what is the other's. */
static int site_one_paste(struct ctx *ctx, struct role *role,
			  const struct site_wish *wish, struct token *token)
{
	struct token peer = { 0 };
	int ret;

	ret = site_describe(ctx, role, token);
	if (!ret)
		ret = site_invent_peer(ctx, role, wish, &peer);
	if (!ret)
		ret = site_put_peer(ctx, role, &peer);
	token->secret = true;
	memcpy(token->private_key, peer.private_key, WG_KEY_LEN);
	memcpy(token->preshared_key, peer.preshared_key, WG_KEY_LEN);
	token->receiver = peer.addresses;
	token->receiver_shares = peer.shares;
	memset(&peer.addresses, 0, sizeof(peer.addresses));
	memset(&peer.shares, 0, sizeof(peer.shares));
	token_free(&peer);
	return ret;
}

static int site_init_edit(struct ctx *ctx, struct role *role,
			  const struct site_wish *wish, struct token *token)
{
	struct cidr_list shares = { 0 };
	int ret = 0;

	if (wish->share)
		ret = site_parse_share(ctx, "--share", wish->share, &shares);
	if (!ret)
		ret = site_set_key(ctx, role, NULL);
	if (!ret)
		ret = site_set_flags(ctx, role, wish->hub, wish->routed);
	if (!ret)
		ret = site_init_address(ctx, role, wish, &shares);
	if (!ret)
		ret = site_set_name(ctx, role, wish->name, "");
	if (!ret)
		ret = site_set_share(ctx, role, &shares);
	if (!ret)
		ret = site_set_port(ctx, role, wish->port);
	if (!ret)
		ret = site_set_endpoint(ctx, role, wish->endpoint);
	if (!ret)
		ret = site_refresh_peers(ctx, role);
	cidr_list_free(&shares);
	if (ret)
		return ret;
	return wish->one_paste ? site_one_paste(ctx, role, wish, token) :
				 site_describe(ctx, role, token);
}

static int site_check_wish(struct ctx *ctx, const struct site_wish *wish)
{
	if (wish->one_paste && !wish->peer_share && !wish->routed)
		return ctx_fail(ctx, -EINVAL,
				"--one-paste: --peer-share is missing; right would be the networks behind the other site");
	if (!wish->one_paste && (wish->peer_share || wish->peer_name))
		return ctx_fail(ctx, -EINVAL,
				"--peer-share and --peer-name belong to --one-paste; without it the other site says that itself");
	if (wish->hub && wish->routed)
		return ctx_fail(ctx, -EINVAL,
				"--hub and --routed exclude each other: a routing daemon forwards by itself");
	return 0;
}

static void site_init_say(struct ctx *ctx, const struct role *role,
			  const struct site_wish *wish)
{
	size_t last = quick_peers(role->quick);

	site_say(ctx, role);
	if (wish->one_paste) {
		site_say_peer(ctx, role, last);
		ctx_todo(ctx, "the token holds the other site's private key: hand it over as carefully as that, to the standard input of `%s site join IF -' there",
			 ctx->prog);
	} else if (last) {
		ctx_todo(ctx, "the other sites do not know what has changed here; this token tells them, by `%s site add'",
			 ctx->prog);
	} else {
		ctx_todo(ctx, "on the other site: `%s site join IF TOKEN --share NETWORKS'; then here: `%s site add %s' with the token that comes back",
			 ctx->prog, ctx->prog, role->name);
	}
}

static int site_init(struct ctx *ctx, int argc, char **argv)
{
	struct site_wish wish = { 0 };
	const struct opt opts[] = {
		{ "share", NULL, &wish.share },
		{ "endpoint", NULL, &wish.endpoint },
		{ "port", NULL, &wish.port },
		{ "name", NULL, &wish.name },
		{ "address", NULL, &wish.address },
		{ "hub", &wish.hub, NULL },
		{ "routed", &wish.routed, NULL },
		{ "one-paste", &wish.one_paste, NULL },
		{ "peer-share", NULL, &wish.peer_share },
		{ "peer-name", NULL, &wish.peer_name },
		{ "no-up", &wish.no_up, NULL },
		{ "config-dir", NULL, &wish.dir },
		{ NULL, NULL, NULL },
	};
	struct token token = { 0 };
	struct role role;
	int ret;

	ret = opts_parse(ctx, "site init", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "site init", "IF", argc);
	if (!ret)
		ret = site_check_wish(ctx, &wish);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "site", wish.dir, argv[1], true);
	if (!ret)
		ret = site_init_edit(ctx, &role, &wish, &token);
	if (!ret)
		ret = site_finish(ctx, &role, wish.no_up, &token);
	if (!ret)
		site_init_say(ctx, &role, &wish);
	token_free(&token);
	role_close(&role);
	return ret;
}

int site_main(struct ctx *ctx, int argc, char **argv)
{
	static const struct role_verb verbs[] = {
		{ "init", site_init },
		{ "join", site_join },
		{ "add", site_add },
		{ "token", site_token },
		{ "list", site_list },
		{ "remove", site_remove },
		{ NULL, NULL },
	};

	return role_run(ctx, verbs, argc, argv);
}
