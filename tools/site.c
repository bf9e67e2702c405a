// SPDX-License-Identifier: GPL-2.0
/* The verb "site": init, join, and the way to the others. (layer 8) */
#include "site.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "curve25519.h"
#include "host.h"
#include "opts.h"
#include "verbs.h"

#define SITE_PORT	51820
/* Room for the addresses of some sites, chosen by chance. */
#define SITE_LEN4	20
#define SITE_PICK_TRIES	100
/* The largest networks of a tunnel that leave something to choose from. */
#define SITE_BITS_MIN	2

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

/*
 * Parts of both init and join.
 */

static int site_set_key(struct ctx *ctx, struct role *role,
			const struct token *token)
{
	uint8_t key[WG_KEY_LEN];
	int ret = 0;

	if (!key_is_zero(role->quick->dev->private_key))
		return 0;
	if (token && token->secret)
		memcpy(key, token->private_key, WG_KEY_LEN);
	else
		ret = role_new_key(ctx, key);
	if (!ret)
		ret = quick_set_key(ctx, role->quick, 0, "PrivateKey", key);
	explicit_bzero(key, sizeof(key));
	return ret;
}

static int site_set_port(struct ctx *ctx, struct role *role,
			 const struct site_wish *wish)
{
	unsigned long port = role->quick->dev->listen_port;
	char text[8];
	int ret;

	if (wish->port) {
		ret = opts_number(ctx, "--port", wish->port, 1, 65535, &port);
		if (ret)
			return ret;
	} else if (!port) {
		port = host_pick_port(SITE_PORT);
	}
	if (!port)
		return ctx_fail(ctx, -EADDRINUSE,
				"no UDP port from %u on is free; choose one with --port",
				SITE_PORT);
	snprintf(text, sizeof(text), "%lu", port);
	return quick_set(ctx, role->quick, 0, "ListenPort", text);
}

/* The host's name as far as it can be one here. */
static void site_host_name(char *name, size_t size)
{
	size_t i;

	if (gethostname(name, size))
		snprintf(name, size, "site");
	name[size - 1] = '\0';
	for (i = 0; name[i]; i++) {
		if (!isalnum((unsigned char)name[i]))
			name[i] = '-';
	}
	if (!isalnum((unsigned char)*name))
		snprintf(name, size, "site");
}

static int site_set_name(struct ctx *ctx, struct role *role,
			 const struct site_wish *wish)
{
	const char *name = wish->name;
	char host[32];
	int ret;

	if (!name && quick_setting(role->quick, 0, "site-name"))
		return 0;
	if (!name) {
		site_host_name(host, sizeof(host));
		name = host;
	}
	ret = quick_check_name(ctx, "--name", name);
	return ret ? ret : quick_set(ctx, role->quick, 0,
				     "# wgpeer site-name", name);
}

static int site_set_share(struct ctx *ctx, struct role *role,
			  const struct site_wish *wish,
			  const struct cidr_list *given)
{
	struct cidr_list shares = { 0 };
	size_t i;
	int ret = 0;

	if (wish->share)
		ret = cidr_list_parse(ctx, "--share", wish->share, &shares);
	for (i = 0; given && !wish->share && i < given->count && !ret; i++)
		ret = cidr_list_add(&shares, &given->all[i]);
	for (i = 0; i < shares.count && !ret; i++) {
		shares.all[i] = cidr_network(&shares.all[i]);
		ret = site_check_share(ctx, role, &shares.all[i]);
	}
	if (!ret && shares.count)
		ret = role_set_list(ctx, role->quick, 0, "# wgpeer share",
				    &shares);
	cidr_list_free(&shares);
	if (!ret && !quick_setting(role->quick, 0, "share") &&
	    !role_yes(role, 0, "routed"))
		ret = ctx_fail(ctx, -EINVAL,
			       "site: --share is missing; right would be the networks behind this site, like 192.168.1.0/24");
	return ret;
}

/* A site without an address that can be reached is one that starts. */
static int site_set_endpoint(struct ctx *ctx, struct role *role,
			     const struct site_wish *wish)
{
	int ret;

	if (wish->endpoint)
		return role_set_endpoint(ctx, role, wish->endpoint);
	if (quick_setting(role->quick, 0, "endpoint"))
		return 0;
	ret = role_find_endpoint(ctx, role, false);
	return ret == -ENOENT ? 0 : ret;
}

static void site_say(struct ctx *ctx, const struct role *role)
{
	const char *endpoint = quick_setting(role->quick, 0, "endpoint");
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < role->quick->addresses.count; i++) {
		cidr_text(text, &role->quick->addresses.all[i]);
		ctx_say(ctx, "%s: address %s", role->name, text);
	}
	if (endpoint)
		ctx_say(ctx, "%s: other sites find this one at %s", role->name,
			endpoint);
	else
		ctx_say(ctx, "%s: nobody outside can reach this site: it starts, and keeps the way open (--endpoint if it can be reached after all)",
			role->name);
	if (endpoint)
		role_todo_endpoint(ctx, role);
}

/*
 * init
 */

static int site_add_link_local(struct ctx *ctx, const uint8_t key[WG_KEY_LEN],
			       struct cidr_list *own)
{
	struct cidr_list net = { 0 };
	int ret;

	ret = cidr_list_parse(ctx, "address", "fe80::/64", &net);
	if (!ret)
		ret = site_addresses(ctx, &net, key, own);
	cidr_list_free(&net);
	return ret;
}

/* Networks that are free here and are not shared. */
static int site_pick_tunnel(struct ctx *ctx, struct role *role,
			    const char *share, struct cidr_list *tunnel)
{
	struct cidr_list avoid = { 0 };
	struct cidr v4, v6;
	int ret = 0, tries;

	if (share)
		ret = cidr_list_parse(ctx, "--share", share, &avoid);
	if (!ret)
		ret = host_networks(ctx, role->rtnl, role->name, &avoid);
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
	cidr_list_free(&avoid);
	return ret;
}

static int site_given_address(struct ctx *ctx, const char *text,
			      struct cidr_list *own)
{
	size_t i;
	int ret;

	ret = cidr_list_parse(ctx, "--address", text, own);
	for (i = 0; i < own->count && !ret; i++) {
		if (own->all[i].len + SITE_BITS_MIN >
		    cidr_max(own->all[i].family))
			ret = ctx_fail(ctx, -EINVAL,
				       "--address: `%.100s' has no room for other sites; right would be this site's address with the length of the tunnel's network, like 10.9.0.1/24",
				       text);
	}
	return ret;
}

static int site_init_address(struct ctx *ctx, struct role *role,
			     const struct site_wish *wish)
{
	struct cidr_list tunnel = { 0 }, own = { 0 };
	uint8_t key[WG_KEY_LEN];
	int ret;

	if (!wish->address && role->quick->addresses.count)
		return 0;
	if (wish->address && quick_peers(role->quick))
		return ctx_fail(ctx, -EBUSY,
				"--address: other sites know this one by its address already; remove them first");
	ret = role_public_key(ctx, role, key);
	if (!ret && wish->address)
		ret = site_given_address(ctx, wish->address, &own);
	else if (!ret)
		ret = site_pick_tunnel(ctx, role, wish->share, &tunnel);
	if (!ret)
		ret = site_addresses(ctx, &tunnel, key, &own);
	if (!ret && role_yes(role, 0, "routed"))
		ret = site_add_link_local(ctx, key, &own);
	if (!ret)
		ret = role_set_list(ctx, role->quick, 0, "Address", &own);
	cidr_list_free(&tunnel);
	cidr_list_free(&own);
	return ret;
}

static int site_init_flags(struct ctx *ctx, struct role *role,
			   const struct site_wish *wish)
{
	int ret = 0;

	if (wish->hub)
		ret = quick_set(ctx, role->quick, 0, "# wgpeer hub", "yes");
	if (!ret && wish->routed && quick_peers(role->quick) > 1)
		ret = ctx_fail(ctx, -EEXIST,
			       "--routed: %s has %zu peers; with --routed each interface has one",
			       role->name, quick_peers(role->quick));
	if (!ret && wish->routed)
		ret = quick_set(ctx, role->quick, 0, "# wgpeer routed", "yes");
	if (!ret && wish->routed)
		ret = quick_set(ctx, role->quick, 0, "Table", "off");
	return ret;
}

/* The other site, as it will be: the token back, before it was sent. */
static int site_invent_peer(struct ctx *ctx, const struct role *role,
			    const struct site_wish *wish, struct token *peer)
{
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
	if (!ret && wish->peer_share)
		ret = cidr_list_parse(ctx, "--peer-share", wish->peer_share,
				      &peer->shares);
	return ret;
}

/* What the other site is handed: this site, and what is the other's. */
static int site_secret_token(struct ctx *ctx, const struct role *role,
			     struct token *peer, struct token *token)
{
	struct cidr_list none = { 0 };
	int ret;

	ret = site_describe(ctx, role, token);
	token->secret = true;
	memcpy(token->private_key, peer->private_key, WG_KEY_LEN);
	memcpy(token->preshared_key, peer->preshared_key, WG_KEY_LEN);
	token->receiver = peer->addresses;
	token->receiver_shares = peer->shares;
	peer->addresses = none;
	peer->shares = none;
	return ret;
}

static int site_one_paste(struct ctx *ctx, struct role *role,
			  const struct site_wish *wish, struct token *token)
{
	struct token peer = { 0 };
	size_t i;
	int ret;

	ret = site_invent_peer(ctx, role, wish, &peer);
	for (i = 0; i < peer.addresses.count && !ret; i++)
		peer.addresses.all[i] = cidr_host(&peer.addresses.all[i]);
	for (i = 0; i < peer.shares.count && !ret; i++)
		peer.shares.all[i] = cidr_network(&peer.shares.all[i]);
	if (!ret)
		ret = site_put_peer(ctx, role, &peer);
	if (!ret)
		ret = site_secret_token(ctx, role, &peer, token);
	token_free(&peer);
	return ret;
}

static int site_init_edit(struct ctx *ctx, struct role *role,
			  const struct site_wish *wish, struct token *token)
{
	int ret;

	ret = site_set_key(ctx, role, NULL);
	if (!ret)
		ret = site_init_flags(ctx, role, wish);
	if (!ret)
		ret = site_init_address(ctx, role, wish);
	if (!ret)
		ret = site_set_name(ctx, role, wish);
	if (!ret)
		ret = site_set_share(ctx, role, wish, NULL);
	if (!ret)
		ret = site_set_port(ctx, role, wish);
	if (!ret)
		ret = site_set_endpoint(ctx, role, wish);
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

/* The file is right and runs: hand the token over. */
static int site_finish(struct ctx *ctx, struct role *role, bool no_up,
		       const struct token *token)
{
	int ret;

	ret = role_finish(ctx, role, no_up);
	if (ret)
		return ret;
	ret = site_print(ctx, token);
	if (ret)
		role_undo(ctx, role);
	return ret;
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
		site_say(ctx, &role);
	if (!ret && wish.one_paste)
		ctx_todo(ctx, "the token holds the other site's private key: hand it over as carefully as that, for `%s site join IF TOKEN' there",
			 ctx->prog);
	else if (!ret)
		ctx_todo(ctx, "on the other site: `%s site join IF TOKEN --share NETWORKS'; then here: `%s site add %s' with the token that comes back",
			 ctx->prog, ctx->prog, role.name);
	token_free(&token);
	role_close(&role);
	return ret;
}

/*
 * join
 */

static int site_join_address(struct ctx *ctx, struct role *role,
			     const struct site_wish *wish,
			     const struct token *token)
{
	struct cidr_list own = { 0 }, given = { 0 };
	const struct cidr_list *hosts = &given;
	uint8_t key[WG_KEY_LEN];
	const struct cidr *net;
	struct cidr addr;
	size_t i;
	int ret;

	if (role->quick->addresses.count)
		return 0;
	ret = role_public_key(ctx, role, key);
	if (!ret && wish->address)
		ret = cidr_list_parse(ctx, "--address", wish->address, &given);
	else if (!ret && token->secret)
		hosts = &token->receiver;
	else if (!ret)
		ret = site_addresses(ctx, &token->tunnel, key, &given);
	for (i = 0; i < hosts->count && !ret; i++) {
		addr = cidr_host(&hosts->all[i]);
		net = cidr_list_overlap(&token->tunnel, &addr);
		if (!net)
			ret = ctx_fail(ctx, -EINVAL,
				       "--address: `%.100s' is not in the tunnel's networks, which the token says",
				       wish->address ? wish->address : "");
		else
			addr.len = net->len;
		if (!ret && cidr_list_add(&own, &addr))
			ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	if (!ret && token->routed)
		ret = site_add_link_local(ctx, key, &own);
	if (!ret)
		ret = role_set_list(ctx, role->quick, 0, "Address", &own);
	cidr_list_free(&own);
	cidr_list_free(&given);
	return ret;
}

static int site_join_edit(struct ctx *ctx, struct role *role,
			  struct site_wish *wish, const struct token *token)
{
	int ret;

	wish->routed = token->routed;
	ret = site_set_key(ctx, role, token);
	if (!ret)
		ret = site_init_flags(ctx, role, wish);
	if (!ret)
		ret = site_join_address(ctx, role, wish, token);
	if (!ret)
		ret = site_set_name(ctx, role, wish);
	if (!ret)
		ret = site_set_share(ctx, role, wish, token->secret ?
				     &token->receiver_shares : NULL);
	if (!ret)
		ret = site_set_port(ctx, role, wish);
	if (!ret)
		ret = site_set_endpoint(ctx, role, wish);
	return ret ? ret : site_put_peer(ctx, role, token);
}

/* With a secret token the other side knows all; without, it gets one back. */
static int site_join_finish(struct ctx *ctx, struct role *role,
			    const struct site_wish *wish,
			    const struct token *token)
{
	struct token back = { 0 };
	int ret;

	if (token->secret)
		return role_finish(ctx, role, wish->no_up);
	ret = site_describe(ctx, role, &back);
	if (!ret)
		ret = site_finish(ctx, role, wish->no_up, &back);
	if (!ret)
		ctx_todo(ctx, "on site `%s': `%s site add IF' with this token",
			 token->name, ctx->prog);
	token_free(&back);
	return ret;
}

static int site_join(struct ctx *ctx, int argc, char **argv)
{
	struct site_wish wish = { 0 };
	const struct opt opts[] = {
		{ "share", NULL, &wish.share },
		{ "endpoint", NULL, &wish.endpoint },
		{ "port", NULL, &wish.port },
		{ "name", NULL, &wish.name },
		{ "address", NULL, &wish.address },
		{ "no-up", &wish.no_up, NULL },
		{ "config-dir", NULL, &wish.dir },
		{ NULL, NULL, NULL },
	};
	struct token token = { 0 };
	struct role role;
	int ret;

	ret = opts_parse(ctx, "site join", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "site join", "IF TOKEN", argc);
	if (!ret)
		ret = token_read(ctx, argv[2], &token);
	if (ret) {
		token_free(&token);
		return ret;
	}
	ret = role_open(ctx, &role, "site", wish.dir, argv[1], true);
	if (!ret)
		ret = site_join_edit(ctx, &role, &wish, &token);
	if (!ret)
		ret = site_join_finish(ctx, &role, &wish, &token);
	if (!ret)
		site_say(ctx, &role);
	token_free(&token);
	role_close(&role);
	return ret;
}

int site_main(struct ctx *ctx, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct ctx *ctx, int argc, char **argv);
	} verbs[] = {
		{ "init", site_init },
		{ "join", site_join },
		{ "add", site_add },
		{ "token", site_token },
		{ "list", site_list },
		{ "remove", site_remove },
	};
	size_t i;

	if (argc < 2)
		return VERB_USAGE;
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (!strcmp(verbs[i].name, argv[1]))
			return verbs[i].run(ctx, argc - 1, argv + 1);
	}
	return ctx_fail(ctx, -EINVAL,
			"site: `%.100s' is wrong; right would be init, join, add, token, list or remove",
			argv[1]);
}
