// SPDX-License-Identifier: GPL-2.0
/* What would collide on this host. (layer 5) */
#include "host.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "curve25519.h"
#include "ipc.h"
#include "parse.h"

#define HOST_WHO	80

/* How a peer is called in an error: by its name, else by its key. */
static void host_who(char text[HOST_WHO], const struct model_peer *peer)
{
	char key[BASE64_KEY_SIZE];

	base64_encode_key(key, peer->public_key);
	snprintf(text, HOST_WHO, "%s", peer->name ? peer->name : key);
}

static int host_compare_keys(const void *a, const void *b)
{
	const struct model_peer *const *x = a, *const *y = b;

	return memcmp((*x)->public_key, (*y)->public_key, WG_KEY_LEN);
}

static int host_check_keys(struct ctx *ctx, const struct model_device *dev,
			   size_t n, const struct model_peer **sorted)
{
	char one[HOST_WHO], two[HOST_WHO];
	uint8_t own[WG_KEY_LEN];
	size_t i;

	curve25519_public_key(own, dev->private_key);
	for (i = 0; i < n; i++) {
		host_who(one, sorted[i]);
		if (!memcmp(sorted[i]->public_key, own, WG_KEY_LEN) &&
		    !key_is_zero(dev->private_key))
			return ctx_fail(ctx, -EINVAL,
					"peer `%s' has this host's own public key; it needs that of the other side",
					one);
		if (!i || host_compare_keys(&sorted[i - 1], &sorted[i]))
			continue;
		host_who(two, sorted[i - 1]);
		return ctx_fail(ctx, -EEXIST,
				"peers `%s' and `%s' have the same public key; each needs its own",
				two, one);
	}
	return 0;
}

struct host_prefix {
	struct cidr net;
	const struct model_peer *peer;
};

static int host_compare_prefixes(const void *a, const void *b)
{
	const struct host_prefix *x = a, *y = b;

	if (x->net.family != y->net.family)
		return x->net.family - y->net.family;
	if (x->net.len != y->net.len)
		return x->net.len - y->net.len;
	return memcmp(&x->net.ip, &y->net.ip, sizeof(x->net.ip));
}

/* One prefix has one owner: with two the kernel would give it to the last. */
static int host_check_owners(struct ctx *ctx, const struct host_prefix *all,
			     size_t n)
{
	char one[HOST_WHO], two[HOST_WHO], text[CIDR_TEXT];
	size_t i;

	for (i = 1; i < n; i++) {
		if (all[i].peer == all[i - 1].peer ||
		    host_compare_prefixes(&all[i - 1], &all[i]))
			continue;
		host_who(one, all[i - 1].peer);
		host_who(two, all[i].peer);
		cidr_text(text, &all[i].net);
		return ctx_fail(ctx, -EEXIST,
				"peers `%s' and `%s' have the same AllowedIPs %s; only one of them can get it",
				one, two, text);
	}
	return 0;
}

static int host_check_allowed(struct ctx *ctx, const struct model_device *dev)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;
	struct host_prefix *all;
	size_t n = 0;
	int ret;

	for (peer = dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next)
			n++;
	}
	all = calloc(n + 1, sizeof(*all));
	if (!all)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	n = 0;
	for (peer = dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			struct cidr cidr = model_allowedip_cidr(aip);

			all[n].net = cidr_network(&cidr);
			all[n++].peer = peer;
		}
	}
	qsort(all, n, sizeof(*all), host_compare_prefixes);
	ret = host_check_owners(ctx, all, n);
	free(all);
	return ret;
}

static int host_check_peers(struct ctx *ctx, const struct quick *quick)
{
	const struct model_peer **sorted, *peer;
	size_t n = 0;
	int ret;

	sorted = calloc(quick_peers(quick) + 1, sizeof(*sorted));
	if (!sorted)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	for (peer = quick->dev->first; peer; peer = peer->next)
		sorted[n++] = peer;
	qsort(sorted, n, sizeof(*sorted), host_compare_keys);
	ret = host_check_keys(ctx, quick->dev, n, sorted);
	free(sorted);
	return ret ? ret : host_check_allowed(ctx, quick->dev);
}

/* A network of the file that collides, and with what. */
struct host_hit {
	struct cidr own;
	struct cidr host;
	int index;
	const struct model_peer *peer;
};

struct host_overlaps {
	const struct quick *quick;
	struct host_hit address;
	struct host_hit allowed;
};

/* Whether routes to AllowedIPs come before those of the host, unasked. */
static bool host_routes_main(const struct quick *quick)
{
	return quick->table_mode == QUICK_TABLE_AUTO ||
	       (quick->table_mode == QUICK_TABLE_ID &&
		quick->table == RT_TABLE_MAIN);
}

static void host_note(struct host_hit *hit, const struct cidr *own,
		      const struct cidr *host, int index,
		      const struct model_peer *peer)
{
	if (hit->own.family != AF_UNSPEC)
		return;
	hit->own = *own;
	hit->host = *host;
	hit->index = index;
	hit->peer = peer;
}

static int host_take_overlap(const struct cidr *net, int index, void *data)
{
	struct host_overlaps *over = data;
	const struct quick *quick = over->quick;
	const struct model_allowedip *aip;
	const struct model_peer *peer;
	size_t i;

	for (i = 0; i < quick->addresses.count; i++) {
		if (cidr_overlaps(net, &quick->addresses.all[i]))
			host_note(&over->address, &quick->addresses.all[i],
				  net, index, NULL);
	}
	if (!host_routes_main(quick))
		return 0;
	for (peer = quick->dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			struct cidr cidr = model_allowedip_cidr(aip);

			if (cidr_contains(net, &cidr))
				host_note(&over->allowed, &cidr, net, index,
					  peer);
		}
	}
	return 0;
}

static int host_overlap(struct ctx *ctx, const struct host_hit *hit)
{
	char own[CIDR_TEXT], host[CIDR_TEXT], who[HOST_WHO];
	char name[IF_NAMESIZE];

	cidr_text(own, &hit->own);
	cidr_text(host, &hit->host);
	if (!if_indextoname(hit->index, name))
		snprintf(name, sizeof(name), "several");
	if (!hit->peer)
		return ctx_fail(ctx, -EADDRINUSE,
				"own address %s overlaps %s on %s; right would be an address in a network that is not used here",
				own, host, name);
	host_who(who, hit->peer);
	return ctx_fail(ctx, -EADDRINUSE,
			"AllowedIPs %s of peer `%s' overlaps %s on %s; one of the two networks has to be another",
			own, who, host, name);
}

/* Our own addresses, and what shall be routed into the tunnel. */
static int host_check_networks(struct ctx *ctx, struct rtnl *rtnl,
			       const struct quick *quick)
{
	struct host_overlaps over = { .quick = quick };
	int ret;

	ret = host_each_network(rtnl, quick->name, host_take_overlap, &over);
	if (ret)
		return ret;
	if (over.address.own.family != AF_UNSPEC)
		return host_overlap(ctx, &over.address);
	if (over.allowed.own.family != AF_UNSPEC)
		return host_overlap(ctx, &over.allowed);
	return 0;
}

/* Other interfaces: two with one key would steal each other's sessions. */
static int host_check_others(struct ctx *ctx, const struct quick *quick)
{
	struct name_list names = { 0 };
	uint8_t own[WG_KEY_LEN];
	size_t i;
	int ret;

	curve25519_public_key(own, quick->dev->private_key);
	ret = ipc_list(ctx, &names);
	for (i = 0; i < names.count && !ret; i++) {
		struct model_device *dev;

		if (!strcmp(names.names[i], quick->name) ||
		    ipc_get(ctx, names.names[i], &dev))
			continue;
		if (!memcmp(dev->public_key, own, WG_KEY_LEN))
			ret = ctx_fail(ctx, -EEXIST,
				       "interface `%s' has the same private key; each interface needs its own",
				       names.names[i]);
		model_device_free(dev);
	}
	name_list_free(&names);
	return ret;
}

/* The port is ours already if the interface listens on it; down, none does. */
static int host_check_port(struct ctx *ctx, struct rtnl *rtnl,
			   const struct quick *quick)
{
	uint16_t port = quick->dev->listen_port;
	struct model_device *dev;
	struct rtnl_link link;
	bool ours = false;

	if (!port)
		return 0;
	if (!rtnl_link_find(rtnl, quick->name, &link) &&
	    link.flags & IFF_UP && !ipc_get(ctx, quick->name, &dev)) {
		ours = dev->listen_port == port;
		model_device_free(dev);
	}
	if (ours || host_port_free(port))
		return 0;
	return ctx_fail(ctx, -EADDRINUSE,
			"ListenPort: %u is in use by another program or interface; choose another",
			port);
}

/* A numeric endpoint; names are not asked for here. */
static bool host_endpoint(struct ctx *ctx, const struct model_peer *peer,
			  struct cidr *addr)
{
	char *host, *port;
	bool numeric;

	if (!peer->host || parse_split_endpoint(ctx, peer->host, &host, &port))
		return false;
	numeric = !strchr(host, '/') && !cidr_parse(ctx, "", host, addr);
	free(host);
	return numeric;
}

struct host_way {
	struct cidr to;
	int except;
	uint8_t len;
};

/* The longest prefix by which the address leaves through another interface. */
static int host_take_way(const struct rtnl_route *route, void *data)
{
	struct host_way *way = data;

	if (route->table == RT_TABLE_MAIN && route->type == RTN_UNICAST &&
	    route->index != way->except && route->dst.len > way->len &&
	    cidr_contains(&route->dst, &way->to))
		way->len = route->dst.len;
	return 0;
}

struct host_order {
	uint32_t table;
	uint32_t mark;
	uint32_t its;
	uint32_t main;
};

static int host_take_order(const struct rtnl_rule *rule, void *data)
{
	struct host_order *order = data;

	/* Rules for other packets. */
	if (rule->has_mark && (rule->mark == order->mark) == rule->invert)
		return 0;
	if (rule->table == order->table && rule->priority < order->its)
		order->its = rule->priority;
	if (rule->table == RT_TABLE_MAIN && rule->priority < order->main)
		order->main = rule->priority;
	return 0;
}

/* Whether rules send it elsewhere before they look where our routes will be. */
static bool host_goes_around(struct rtnl *rtnl, const struct host_way *way,
			     uint32_t mark)
{
	struct host_order order = {
		.mark = mark, .its = UINT32_MAX, .main = UINT32_MAX,
	};
	struct rtnl_route route;

	if (rtnl_route_find(rtnl, &way->to, mark, &route) ||
	    route.index == way->except)
		return false;
	order.table = route.table;
	return !rtnl_rules(rtnl, way->to.family, host_take_order, &order) &&
	       order.its < order.main;
}

/* Whether a route of ours to @net would catch it; equal ones cannot both be. */
static bool host_catches(const struct cidr *net, const struct host_way *way)
{
	return cidr_contains(net, &way->to) && net->len >= way->len;
}

static int host_loop(struct ctx *ctx, const struct model_peer *peer,
		     const char *what, const struct cidr *net)
{
	char who[HOST_WHO], text[CIDR_TEXT];

	host_who(who, peer);
	cidr_text(text, net);
	return ctx_fail(ctx, -ELOOP,
			"endpoint %s of peer `%s' is inside %s %s, it would be sent into the tunnel itself; right would be AllowedIPs without it, 0.0.0.0/0, ::/0 with Table = auto for everything, or a route to it by its gateway",
			peer->host, who, what, text);
}

static int host_check_caught(struct ctx *ctx, const struct quick *quick,
			     const struct model_peer *peer,
			     const struct host_way *way)
{
	/* Table = auto makes policy routing for /0, but for nothing else. */
	const bool policy = quick->table_mode == QUICK_TABLE_AUTO;
	const struct model_allowedip *aip;
	const struct model_peer *owner;
	struct cidr net;
	size_t i;

	for (i = 0; i < quick->addresses.count; i++) {
		net = cidr_network(&quick->addresses.all[i]);
		if (host_catches(&net, way))
			return host_loop(ctx, peer, "own network", &net);
	}
	if (!host_routes_main(quick))
		return 0;
	for (owner = quick->dev->first; owner; owner = owner->next) {
		for (aip = owner->first; aip; aip = aip->next) {
			net = model_allowedip_cidr(aip);
			if (!(policy && cidr_is_default(&net)) &&
			    host_catches(&net, way))
				return host_loop(ctx, peer, "AllowedIPs",
						 &net);
		}
	}
	return 0;
}

static int host_check_endpoint(struct ctx *ctx, struct rtnl *rtnl,
			       const struct quick *quick,
			       const struct model_peer *peer)
{
	struct host_way way = { .except = -1 };
	struct rtnl_link link;
	int ret;

	if (!host_endpoint(ctx, peer, &way.to))
		return 0;
	if (!rtnl_link_find(rtnl, quick->name, &link))
		way.except = link.index;
	ret = rtnl_routes(rtnl, way.to.family, host_take_way, &way);
	if (ret || host_goes_around(rtnl, &way, quick->dev->fwmark))
		return ret;
	return host_check_caught(ctx, quick, peer, &way);
}

int host_check(struct ctx *ctx, struct rtnl *rtnl, const struct quick *quick)
{
	const struct model_peer *peer;
	int ret;

	ret = host_check_peers(ctx, quick);
	if (!ret)
		ret = host_check_networks(ctx, rtnl, quick);
	if (!ret)
		ret = host_check_others(ctx, quick);
	if (!ret)
		ret = host_check_port(ctx, rtnl, quick);
	for (peer = quick->dev->first; peer && !ret; peer = peer->next)
		ret = host_check_endpoint(ctx, rtnl, quick, peer);
	return ret;
}
