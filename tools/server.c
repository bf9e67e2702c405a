// SPDX-License-Identifier: GPL-2.0
/* The verb "server": init, and the way to the others. (layer 8) */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "host.h"
#include "opts.h"
#include "verbs.h"

#define SERVER_PORT		51820

/**
 * struct server_setup - what the user says about the server
 * @dir:	where files are
 * @address:	own addresses with their networks
 * @port:	UDP port
 * @endpoint:	where clients connect to
 * @share:	networks that clients may reach
 * @dns:	name servers of clients
 * @firewall:	who makes the rules
 * @exit:	clients may send everything here
 * @no_exit:	no longer
 * @isolate:	clients may not reach each other
 * @no_isolate:	no longer
 * @no_up:	only write the file
 */
struct server_setup {
	const char *dir;
	const char *address;
	const char *port;
	const char *endpoint;
	const char *share;
	const char *dns;
	const char *firewall;
	bool exit;
	bool no_exit;
	bool isolate;
	bool no_isolate;
	bool no_up;
};

static int server_check_setup(struct ctx *ctx,
			      const struct server_setup *setup)
{
	const char *way = setup->firewall;

	if (setup->exit && setup->no_exit)
		return ctx_fail(ctx, -EINVAL,
				"server init: --exit and --no-exit exclude each other; right would be one of them");
	if (setup->isolate && setup->no_isolate)
		return ctx_fail(ctx, -EINVAL,
				"server init: --isolate and --no-isolate exclude each other; right would be one of them");
	if (way && strcmp(way, "nft") && strcmp(way, "print") &&
	    strcmp(way, "none"))
		return ctx_fail(ctx, -EINVAL,
				"--firewall: `%.100s' is wrong; right would be nft, print or none",
				way);
	return 0;
}

/* The network itself stands for its first address. */
static int server_own_address(struct ctx *ctx, const struct cidr *given,
			      struct cidr *own)
{
	struct cidr net = cidr_network(given), host;
	char text[CIDR_TEXT];

	cidr_text(text, given);
	if (given->len > cidr_max(given->family) - 2 || !given->len)
		return ctx_fail(ctx, -EINVAL,
				"--address: `%s' has no room for clients; right would be an address with its network, like 10.1.2.1/24",
				text);
	*own = *given;
	if (cidr_equal(given, &net)) {
		cidr_nth(&net, 1, own);
		own->len = net.len;
	}
	host = cidr_host(own);
	if (server_is_reserved(&net, &host))
		return ctx_fail(ctx, -EINVAL,
				"--address: `%s' is the broadcast address of its network; right would be another one in it",
				text);
	return 0;
}

static int server_own_addresses(struct ctx *ctx, const char *text,
				struct cidr_list *own)
{
	struct cidr_list given = { 0 };
	struct cidr address;
	size_t i;
	int ret;

	ret = cidr_list_parse(ctx, "--address", text, &given);
	for (i = 0; !ret && i < given.count; i++) {
		ret = server_own_address(ctx, &given.all[i], &address);
		if (!ret && cidr_list_overlap(own, &address))
			ret = ctx_fail(ctx, -EINVAL,
				       "--address: `%.100s' has two addresses in one network; right would be one",
				       text);
		if (!ret && cidr_list_add(own, &address))
			ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	cidr_list_free(&given);
	return ret;
}

/* Clients keep the addresses they have: they must fit into the new networks. */
static int server_check_clients(struct ctx *ctx, const struct role *role,
				const struct cidr_list *own)
{
	const struct quick *quick = role->quick;
	const struct model_allowedip *aip;
	const struct model_peer *peer;
	const struct cidr *net;
	char text[CIDR_TEXT];
	struct cidr have, host;

	for (peer = quick->dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			have = model_allowedip_cidr(aip);
			if (!cidr_list_overlap(&quick->addresses, &have))
				continue;
			net = cidr_list_overlap(own, &have);
			if (net) {
				host = cidr_host(net);
				if (!cidr_equal(&host, &have))
					continue;
			}
			cidr_addr_text(text, &have);
			return ctx_fail(ctx, -EINVAL,
					"--address: client `%s' has %s, which %s; right would be to remove it first, or other addresses",
					peer->name ? peer->name : "", text,
					net ? "would be the server's" :
					      "is not in the new networks");
		}
	}
	return 0;
}

static int server_init_address(struct ctx *ctx, struct role *role,
			       const struct server_setup *setup,
			       const struct cidr_list *shares)
{
	struct cidr_list own = { 0 };
	struct cidr v4, v6;
	int ret;

	if (setup->address) {
		ret = server_own_addresses(ctx, setup->address, &own);
	} else if (!role->quick->addresses.count) {
		ret = host_pick_tunnel(ctx, role->rtnl, role->name, shares,
				       &v4, &v6);
		if (!ret && (server_own_address(ctx, &v4, &v4) ||
			     server_own_address(ctx, &v6, &v6) ||
			     cidr_list_add(&own, &v4) ||
			     cidr_list_add(&own, &v6)))
			ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	} else {
		return 0;
	}
	if (!ret)
		ret = server_check_clients(ctx, role, &own);
	if (!ret)
		ret = role_set_list(ctx, role->quick, 0, "Address", &own);
	cidr_list_free(&own);
	return ret;
}

static int server_init_key(struct ctx *ctx, struct role *role)
{
	uint8_t key[WG_KEY_LEN];
	int ret;

	if (!key_is_zero(role->quick->dev->private_key))
		return 0;
	ret = role_new_key(ctx, key);
	if (!ret)
		ret = quick_set_key(ctx, role->quick, 0, "PrivateKey", key);
	explicit_bzero(key, sizeof(key));
	return ret;
}

static int server_init_port(struct ctx *ctx, struct role *role,
			    const struct server_setup *setup)
{
	unsigned long port = role->quick->dev->listen_port;
	char text[8];
	int ret;

	if (setup->port) {
		ret = opts_number(ctx, "--port", setup->port, 1, 65535, &port);
		if (ret)
			return ret;
	} else if (port) {
		return 0;
	} else {
		port = host_pick_port(SERVER_PORT);
		if (!port)
			return ctx_fail(ctx, -EADDRINUSE,
					"%s: no UDP port from %d on is free; right would be --port N",
					role->name, SERVER_PORT);
	}
	snprintf(text, sizeof(text), "%lu", port);
	return quick_set(ctx, role->quick, 0, "ListenPort", text);
}

/* An endpoint that had our port follows it; one with another port is that of a
 * router in front, which stays.
 */
static int server_init_endpoint(struct ctx *ctx, struct role *role,
				const struct server_setup *setup,
				unsigned int old_port)
{
	const char *now = quick_setting(role->quick, 0, "endpoint");
	const char *colon;
	char *host;
	int ret;

	if (setup->endpoint)
		return role_set_endpoint(ctx, role, setup->endpoint);
	if (!now)
		return role_find_endpoint(ctx, role, true);
	colon = strrchr(now, ':');
	if (!colon || strtoul(colon + 1, NULL, 10) != old_port)
		return 0;
	host = strndup(now, colon - now);
	if (!host)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	ret = role_set_endpoint(ctx, role, host);
	free(host);
	return ret;
}

static int server_check_share(struct ctx *ctx, const struct role *role,
			      const struct cidr *share)
{
	const struct cidr *own;
	char text[CIDR_TEXT], other[CIDR_TEXT];

	own = cidr_list_overlap(&role->quick->addresses, share);
	if (!own)
		return 0;
	cidr_text(text, share);
	cidr_text(other, own);
	return ctx_fail(ctx, -EINVAL,
			"--share: `%s' overlaps %s, the tunnel's own network; right would be a network behind this host, or another --address",
			text, other);
}

/* "none" is the empty list. */
static int server_init_lists(struct ctx *ctx, struct role *role,
			     const struct server_setup *setup,
			     const struct cidr_list *shares)
{
	struct cidr_list dns = { 0 };
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < shares->count; i++)
		ret = server_check_share(ctx, role, &shares->all[i]);
	if (!ret && setup->share)
		ret = role_set_list(ctx, role->quick, 0, "# wgpeer share",
				    shares);
	if (ret || !setup->dns)
		return ret;
	if (strcmp(setup->dns, "none"))
		ret = server_parse_dns(ctx, setup->dns, &dns);
	if (!ret)
		ret = role_set_hosts(ctx, role->quick, 0,
				     "# wgpeer client-dns", &dns);
	cidr_list_free(&dns);
	return ret;
}

static int server_init_flags(struct ctx *ctx, struct role *role,
			     const struct server_setup *setup)
{
	const struct {
		bool on, off;
		const char *key;
	} flags[] = {
		{ setup->exit, setup->no_exit, "# wgpeer exit" },
		{ setup->isolate, setup->no_isolate, "# wgpeer isolate" },
	};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < sizeof(flags) / sizeof(*flags); i++) {
		if (flags[i].on || flags[i].off)
			ret = quick_set(ctx, role->quick, 0, flags[i].key,
					flags[i].on ? "yes" : NULL);
	}
	if (!ret && setup->firewall)
		ret = quick_set(ctx, role->quick, 0, "# wgpeer firewall",
				setup->firewall);
	return ret;
}

/* The shares as they will be: those given now, or those of the file. */
static int server_init_shares(struct ctx *ctx, const struct role *role,
			      const struct server_setup *setup,
			      struct cidr_list *shares)
{
	struct cidr_list given = { 0 };
	size_t i;
	int ret;

	if (!setup->share)
		ret = role_get_list(ctx, role, 0, "share", &given);
	else if (!strcmp(setup->share, "none"))
		ret = 0;
	else
		ret = cidr_list_parse(ctx, "--share", setup->share, &given);
	for (i = 0; !ret && i < given.count; i++) {
		if (!given.all[i].len)
			ret = ctx_fail(ctx, -EINVAL,
				       "--share: `%.100s' has the whole internet in it; right would be --exit",
				       setup->share);
	}
	if (!ret)
		ret = server_networks(ctx, &given, shares);
	cidr_list_free(&given);
	return ret;
}

static void server_say_setup(struct ctx *ctx, const struct role *role,
			     const struct server_setup *setup)
{
	char text[BASE64_KEY_SIZE];
	uint8_t key[WG_KEY_LEN];
	size_t i;

	if (!role_public_key(ctx, role, key)) {
		base64_encode_key(text, key);
		ctx_say(ctx, "%s: public key %s", role->name, text);
	}
	for (i = 0; i < role->quick->addresses.count; i++) {
		char address[CIDR_TEXT];

		cidr_text(address, &role->quick->addresses.all[i]);
		ctx_say(ctx, "%s: address %s", role->name, address);
	}
	ctx_say(ctx, "%s: clients connect to %s", role->name,
		quick_setting(role->quick, 0, "endpoint"));
	role_todo_endpoint(ctx, role);
	if (quick_peers(role->quick) &&
	    (setup->address || setup->port || setup->endpoint ||
	     setup->share || setup->dns || setup->no_exit))
		ctx_todo(ctx, "clients made before do not know what has changed; `%s server export %s NAME' makes their files again",
			 ctx->prog, role->name);
}

static int server_init_edit(struct ctx *ctx, struct role *role,
			    const struct server_setup *setup)
{
	unsigned int old_port = role->quick->dev->listen_port;
	struct cidr_list shares = { 0 };
	int ret;

	ret = server_init_shares(ctx, role, setup, &shares);
	if (!ret)
		ret = server_init_key(ctx, role);
	if (!ret)
		ret = server_init_address(ctx, role, setup, &shares);
	if (!ret)
		ret = server_init_lists(ctx, role, setup, &shares);
	if (!ret)
		ret = server_init_port(ctx, role, setup);
	if (!ret)
		ret = server_init_endpoint(ctx, role, setup, old_port);
	if (!ret)
		ret = server_init_flags(ctx, role, setup);
	cidr_list_free(&shares);
	return ret;
}

static int server_init(struct ctx *ctx, int argc, char **argv)
{
	struct server_setup setup = { 0 };
	const struct opt opts[] = {
		{ "address", NULL, &setup.address },
		{ "port", NULL, &setup.port },
		{ "endpoint", NULL, &setup.endpoint },
		{ "share", NULL, &setup.share },
		{ "exit", &setup.exit, NULL },
		{ "no-exit", &setup.no_exit, NULL },
		{ "isolate", &setup.isolate, NULL },
		{ "no-isolate", &setup.no_isolate, NULL },
		{ "dns", NULL, &setup.dns },
		{ "firewall", NULL, &setup.firewall },
		{ "no-up", &setup.no_up, NULL },
		{ "config-dir", NULL, &setup.dir },
		{ NULL, NULL, NULL },
	};
	struct role role;
	int ret;

	ret = opts_parse(ctx, "server init", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "server init", "IF", argc);
	if (!ret)
		ret = server_check_setup(ctx, &setup);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "server", setup.dir, argv[1], true);
	if (!ret)
		ret = server_init_edit(ctx, &role, &setup);
	if (!ret)
		ret = role_finish(ctx, &role, setup.no_up);
	if (!ret)
		server_say_setup(ctx, &role, &setup);
	role_close(&role);
	return ret;
}

int server_main(struct ctx *ctx, int argc, char **argv)
{
	static const struct role_verb verbs[] = {
		{ "init", server_init },
		{ "add", server_add },
		{ "list", server_list },
		{ "export", server_export },
		{ "remove", server_remove },
		{ "rename", server_rename },
		{ "rotate", server_rotate },
		{ NULL, NULL },
	};

	return role_run(ctx, verbs, argc, argv);
}
