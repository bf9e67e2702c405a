// SPDX-License-Identifier: GPL-2.0
/* A client of a server: its key, its addresses, its file. (layer 8) */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "curve25519.h"
#include "export.h"
#include "file.h"
#include "host.h"
#include "opts.h"
#include "tunnel.h"

#define SERVER_KEEPALIVE	"25"

int server_parse_dns(struct ctx *ctx, const char *text,
		     struct cidr_list *list)
{
	size_t i;
	int ret;

	ret = cidr_list_parse(ctx, "--dns", text, list);
	for (i = 0; !ret && i < list->count; i++) {
		if (list->all[i].len != cidr_max(list->all[i].family))
			ret = ctx_fail(ctx, -EINVAL,
				       "--dns: `%.100s' has a network in it; right would be addresses of name servers",
				       text);
	}
	return ret;
}

int server_networks(struct ctx *ctx, const struct cidr_list *addresses,
		    struct cidr_list *list)
{
	struct cidr net;
	size_t i;

	for (i = 0; i < addresses->count; i++) {
		net = cidr_network(&addresses->all[i]);
		if (cidr_list_add(list, &net))
			return ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	return 0;
}

size_t server_find(const struct quick *quick, const char *name,
		   bool previous)
{
	const struct model_peer *peer;
	size_t i;

	for (i = 1; i <= quick_peers(quick); i++) {
		peer = quick_peer(quick, i);
		if (peer->name && !strcmp(peer->name, name) &&
		    !quick_setting(quick, i, "previous") != previous)
			return i;
	}
	return 0;
}

int server_commit(struct ctx *ctx, struct role *role)
{
	bool up = tunnel_is_up(ctx, role->name);
	int ret;

	ret = role_commit(ctx, role, !up);
	if (!ret && !up)
		ctx_say(ctx, "%s: is not up; `%s up %s' brings it up",
			role->name, ctx->prog, role->name);
	return ret;
}

int server_finish(struct ctx *ctx, struct role *role)
{
	int ret = host_check(ctx, role->rtnl, role->quick);

	return ret ? ret : server_commit(ctx, role);
}

/* What can be said about the wish before the file is read. */
int server_check_wish(struct ctx *ctx, const char *verb,
		      struct server_client *client)
{
	const struct server_wish *wish = client->wish;
	const struct {
		bool wrong;
		const char *words;
	} pairs[] = {
		{ wish->exit && wish->split,
		  "--exit and --split exclude each other; right would be one of them" },
		{ wish->now && wish->finish,
		  "--now and --finish exclude each other; right would be one of them" },
		{ wish->keep_key && wish->public_key,
		  "--keep-key has no key to keep with --public-key; right would be one of them" },
		{ wish->qr && wish->output,
		  "--qr is for the terminal, --output for a file; right would be one of them" },
		{ wish->qr && wish->format && strcmp(wish->format, "wg-quick"),
		  "--qr is for wg-quick's format only; right would be without --format" },
		{ wish->finish && (wish->public_key || wish->dns || wish->qr ||
				   wish->format || wish->output ||
				   wish->keep_key),
		  "--finish makes no file; right would be without other options" },
	};
	size_t i;
	int ret = 0;

	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if (pairs[i].wrong)
			return ctx_fail(ctx, -EINVAL, "%s: %s", verb,
					pairs[i].words);
	}
	if (wish->format)
		ret = export_format_parse(ctx, wish->format, &client->format);
	if (!ret && wish->dns)
		ret = server_parse_dns(ctx, wish->dns, &client->dns);
	if (!ret && wish->output && file_exists(wish->output))
		ret = ctx_fail(ctx, -EEXIST,
			       "--output: `%s' exists already; right would be a new file",
			       wish->output);
	return ret;
}

/* Everything before the first change: file, networks, name servers. */
int server_open(struct ctx *ctx, struct role *role, const char *iface,
		struct server_client *client)
{
	int ret;

	ret = role_open(ctx, role, "server", client->wish->dir, iface, false);
	if (!ret)
		ret = server_networks(ctx, &role->quick->addresses,
				      &client->nets);
	if (!ret && !client->dns.count)
		ret = role_get_list(ctx, role, 0, "client-dns", &client->dns);
	return ret;
}

void server_client_free(struct server_client *client)
{
	cidr_list_free(&client->dns);
	cidr_list_free(&client->nets);
	cidr_list_free(&client->addresses);
	explicit_bzero(client, sizeof(*client));
}

int server_take_key(struct ctx *ctx, const struct role *role,
		    struct server_client *client)
{
	const char *text = client->wish->public_key;
	int ret;

	if (!text) {
		ret = role_new_key(ctx, client->private_key);
		curve25519_public_key(client->public_key, client->private_key);
		client->has_key = !ret;
		return ret;
	}
	if (!base64_decode_key(client->public_key, text) ||
	    key_is_zero(client->public_key))
		return ctx_fail(ctx, -EINVAL,
				"--public-key: `%.100s' is no key; right would be 44 characters of base64",
				text);
	if (quick_find_key(role->quick, client->public_key))
		return ctx_fail(ctx, -EEXIST,
				"--public-key: %s has a client with the key `%s' already; right would be a key of its own",
				role->name, text);
	return 0;
}

/* Who has an address, own ones included; networks of handwritten peers that
 * are wider than the tunnel's do not count.
 */
static bool server_is_used(const struct role *role,
			   const struct server_client *client,
			   const struct cidr *net, const struct cidr *host)
{
	const struct quick *quick = role->quick;
	const struct model_allowedip *aip;
	const struct model_peer *peer;
	struct cidr have;
	size_t i;

	for (i = 0; i < quick->addresses.count; i++) {
		have = cidr_host(&quick->addresses.all[i]);
		if (cidr_equal(&have, host))
			return true;
	}
	for (i = 0; i < client->addresses.count; i++) {
		if (cidr_equal(&client->addresses.all[i], host))
			return true;
	}
	for (peer = quick->dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			have = model_allowedip_cidr(aip);
			if (cidr_contains(net, &have) &&
			    cidr_contains(&have, host))
				return true;
		}
	}
	return false;
}

int server_next_addresses(struct ctx *ctx, const struct role *role,
			  struct server_client *client)
{
	char text[CIDR_TEXT];
	struct cidr host;
	uint64_t n;
	size_t i;

	for (i = 0; i < client->nets.count; i++) {
		const struct cidr *net = &client->nets.all[i];

		for (n = 1; cidr_nth(net, n, &host); n++) {
			if (!server_is_used(role, client, net, &host))
				break;
		}
		if (!cidr_nth(net, n, &host)) {
			cidr_text(text, net);
			return ctx_fail(ctx, -ENOSPC,
					"%s: no address is free in %s; right would be a client less, or a wider network by `%s server init %s --address'",
					role->name, text, ctx->prog,
					role->name);
		}
		if (cidr_list_add(&client->addresses, &host))
			return ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	return 0;
}

bool server_is_reserved(const struct cidr *net, const struct cidr *host)
{
	struct cidr first = cidr_network(net);
	uint32_t host_bits;

	if (net->len == cidr_max(net->family) ||
	    net->len == cidr_max(net->family) - 1)
		return false;
	first.len = host->len;
	if (cidr_equal(&first, host))
		return true;
	host_bits = 0xffffffffU >> (net->len & 31);
	return net->family == AF_INET &&
	       (ntohl(host->ip.in.s_addr) & host_bits) == host_bits;
}

static const struct cidr *server_find_net(const struct cidr_list *nets,
					  const struct cidr *host)
{
	size_t i;

	for (i = 0; i < nets->count; i++) {
		if (cidr_contains(&nets->all[i], host))
			return &nets->all[i];
	}
	return NULL;
}

static int server_give_address(struct ctx *ctx, const struct role *role,
			       struct server_client *client,
			       const struct cidr *address)
{
	struct cidr host = cidr_host(address);
	const struct cidr *net = server_find_net(&client->nets, &host);
	char text[CIDR_TEXT];

	cidr_text(text, address);
	if (!net || (address->len != net->len &&
		     address->len != cidr_max(host.family)))
		return ctx_fail(ctx, -EINVAL,
				"--address: `%s' is no address in a network of %s; right would be one of those `%s server list %s' shows",
				text, role->name, ctx->prog, role->name);
	if (server_is_reserved(net, &host))
		return ctx_fail(ctx, -EINVAL,
				"--address: `%s' stands for the network as a whole; right would be another one in it",
				text);
	if (server_is_used(role, client, net, &host))
		return ctx_fail(ctx, -EADDRINUSE,
				"--address: `%s' is used already in %s; right would be another one, or none for the next that is free",
				text, role->name);
	if (cidr_list_add(&client->addresses, &host))
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	return 0;
}

int server_given_addresses(struct ctx *ctx, const struct role *role,
			   struct server_client *client)
{
	struct cidr_list given = { 0 };
	size_t i;
	int ret;

	ret = cidr_list_parse(ctx, "--address", client->wish->address, &given);
	for (i = 0; !ret && i < given.count; i++)
		ret = server_give_address(ctx, role, client, &given.all[i]);
	cidr_list_free(&given);
	return ret;
}

int server_split_ips(struct ctx *ctx, const struct role *role, size_t section,
		     const struct cidr_list *nets, struct cidr_list *inside,
		     struct cidr_list *others)
{
	const struct model_peer *peer = quick_peer(role->quick, section);
	const struct model_allowedip *aip;
	struct cidr_list *to;
	struct cidr cidr;

	for (aip = peer->first; aip; aip = aip->next) {
		cidr = model_allowedip_cidr(aip);
		to = cidr.len == cidr_max(cidr.family) &&
		     server_find_net(nets, &cidr) ? inside : others;
		if (to && cidr_list_add(to, &cidr))
			return ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	return 0;
}

/* What a client sends into the tunnel. */
static int server_client_routes(struct ctx *ctx, const struct role *role,
				size_t section,
				const struct server_client *client,
				struct cidr_list *list)
{
	int ret;

	/* The server may have stopped being an exit since. */
	if (role_yes(role, section, "exit") && role_yes(role, 0, "exit"))
		return cidr_list_parse(ctx, "exit", "0.0.0.0/0, ::/0", list);
	ret = server_networks(ctx, &client->nets, list);
	return ret ? ret : role_get_list(ctx, role, 0, "share", list);
}

static int server_client_interface(struct ctx *ctx, struct quick *quick,
				   const struct server_client *client)
{
	int ret = 0;

	/* Other programs have no words for it, and would warn. */
	if (client->format == EXPORT_WG_QUICK)
		ret = quick_set(ctx, quick, 0, "# wgpeer role", "client");
	if (!ret && client->has_key)
		ret = quick_set_key(ctx, quick, 0, "PrivateKey",
				    client->private_key);
	if (!ret)
		ret = role_set_list(ctx, quick, 0, "Address",
				    &client->addresses);
	if (!ret && client->dns.count)
		ret = role_set_hosts(ctx, quick, 0, "DNS", &client->dns);
	return ret;
}

static int server_client_peer(struct ctx *ctx, struct quick *quick,
			      const struct role *role, size_t section,
			      const struct server_client *client)
{
	const struct model_peer *peer = quick_peer(role->quick, section);
	const char *endpoint = quick_setting(role->quick, 0, "endpoint");
	struct cidr_list routes = { 0 };
	uint8_t key[WG_KEY_LEN];
	int ret;

	if (!endpoint)
		return ctx_fail(ctx, -EINVAL,
				"%s: says no `# wgpeer endpoint'; right would be first `%s server init %s --endpoint HOST[:PORT]'",
				role->path, ctx->prog, role->name);
	ret = role_public_key(ctx, role, key);
	if (!ret)
		ret = quick_add_peer(ctx, quick, NULL, key);
	if (!ret && !key_is_zero(peer->preshared_key))
		ret = quick_set_key(ctx, quick, 1, "PresharedKey",
				    peer->preshared_key);
	if (!ret)
		ret = quick_set(ctx, quick, 1, "Endpoint", endpoint);
	if (!ret)
		ret = server_client_routes(ctx, role, section, client,
					   &routes);
	if (!ret)
		ret = role_set_list(ctx, quick, 1, "AllowedIPs", &routes);
	if (!ret)
		ret = quick_set(ctx, quick, 1, "PersistentKeepalive",
				SERVER_KEEPALIVE);
	cidr_list_free(&routes);
	return ret;
}

int server_client_text(struct ctx *ctx, const struct role *role,
		       size_t section, const struct server_client *client,
		       struct text *text)
{
	struct text plain = { 0 };
	struct quick *quick;
	int ret;

	ret = quick_parse(ctx, role->name, "client", &plain, &quick);
	if (ret)
		return ret;
	ret = server_client_interface(ctx, quick, client);
	if (!ret)
		ret = server_client_peer(ctx, quick, role, section, client);
	if (!ret)
		ret = export_write(ctx, quick, client->format,
				   client->wish->qr ? &plain : text);
	if (!ret && client->wish->qr)
		ret = export_qr(ctx, text_string(&plain), text);
	if (!ret && client->has_key && !client->wish->output)
		ctx_warn_world_accessible(ctx);
	text_free(&plain);
	quick_free(quick);
	return ret;
}
