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

static int host_overlap(struct ctx *ctx, const char *what,
			const struct cidr *cidr, const struct cidr *host)
{
	char one[CIDR_TEXT], two[CIDR_TEXT];

	cidr_text(one, cidr);
	cidr_text(two, host);
	return ctx_fail(ctx, -EADDRINUSE,
			"%s %s collides with network %s of this host; one of them has to be another",
			what, one, two);
}

/* Our own addresses, and what shall be routed into the tunnel. */
static int host_check_networks(struct ctx *ctx, const struct quick *quick,
			       const struct cidr_list *taken)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;
	const struct cidr *hit;
	size_t i;

	for (i = 0; i < quick->addresses.count; i++) {
		hit = cidr_list_overlap(taken, &quick->addresses.all[i]);
		if (hit)
			return host_overlap(ctx, "Address",
					    &quick->addresses.all[i], hit);
	}
	if (quick->table_mode != QUICK_TABLE_AUTO)
		return 0;
	for (peer = quick->dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			struct cidr cidr = model_allowedip_cidr(aip);

			for (i = 0; i < taken->count; i++) {
				if (cidr_contains(&taken->all[i], &cidr))
					return host_overlap(ctx, "AllowedIPs",
							    &cidr,
							    &taken->all[i]);
			}
		}
	}
	return 0;
}

/* Other interfaces: two with one key would steal each other's sessions. */
static int host_check_others(struct ctx *ctx, const struct quick *quick)
{
	struct name_list names = { 0 };
	uint8_t own[WG_KEY_LEN];
	size_t i;
	int ret;

	if (key_is_zero(quick->dev->private_key))
		return 0;
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

/* The port is ours already if the interface listens on it. */
static int host_check_port(struct ctx *ctx, const struct quick *quick)
{
	uint16_t port = quick->dev->listen_port;
	struct model_device *dev;
	bool ours = false;

	if (!port)
		return 0;
	if (!ipc_get(ctx, quick->name, &dev)) {
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
	const struct cidr *to;
	int except;
	uint8_t len;
};

/* The longest prefix by which the address leaves through another interface. */
static int host_take_way(const struct rtnl_route *route, void *data)
{
	struct host_way *way = data;

	if (route->table == RT_TABLE_MAIN && route->index != way->except &&
	    cidr_contains(&route->dst, way->to) && route->dst.len > way->len)
		way->len = route->dst.len;
	return 0;
}

static int host_check_endpoint(struct ctx *ctx, struct rtnl *rtnl,
			       const struct quick *quick,
			       const struct model_peer *peer)
{
	char who[HOST_WHO], text[CIDR_TEXT];
	const struct model_allowedip *aip;
	const struct model_peer *owner;
	struct host_way way = { .except = -1 };
	struct rtnl_link link;
	struct cidr addr;

	if (!host_endpoint(ctx, peer, &addr))
		return 0;
	way.to = &addr;
	if (!rtnl_link_find(rtnl, quick->name, &link))
		way.except = link.index;
	if (rtnl_routes(rtnl, addr.family, host_take_way, &way))
		return 0;
	for (owner = quick->dev->first; owner; owner = owner->next) {
		for (aip = owner->first; aip; aip = aip->next) {
			struct cidr net = model_allowedip_cidr(aip);

			/* What is /0 gets policy routing. */
			if (!net.len || net.len <= way.len ||
			    !cidr_contains(&net, &addr))
				continue;
			host_who(who, peer);
			cidr_text(text, &net);
			return ctx_fail(ctx, -ELOOP,
					"endpoint %s of peer `%s' is inside AllowedIPs %s: what goes there would go into the tunnel itself; for everything use 0.0.0.0/0, ::/0",
					peer->host, who, text);
		}
	}
	return 0;
}

int host_check(struct ctx *ctx, struct rtnl *rtnl, const struct quick *quick)
{
	const struct model_peer *peer;
	struct cidr_list taken = { 0 };
	int ret;

	ret = host_check_peers(ctx, quick);
	if (!ret)
		ret = host_networks(ctx, rtnl, quick->name, &taken);
	if (!ret)
		ret = host_check_networks(ctx, quick, &taken);
	cidr_list_free(&taken);
	if (!ret)
		ret = host_check_others(ctx, quick);
	if (!ret)
		ret = host_check_port(ctx, quick);
	for (peer = quick->dev->first; peer && !ret; peer = peer->next) {
		if (quick->table_mode == QUICK_TABLE_AUTO)
			ret = host_check_endpoint(ctx, rtnl, quick, peer);
	}
	return ret;
}
