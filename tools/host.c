// SPDX-License-Identifier: GPL-2.0
/* What there is on this host. (layer 5) */
#include "host.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* Only looked up, never sent to: whatever has no route of its own. */
#define HOST_ANYWHERE4	"192.0.2.1"
#define HOST_ANYWHERE6	"2000::1"

#define HOST_PICK_TRIES	1000

/* Wider routes are a default route in pieces, like 0.0.0.0/1. */
#define HOST_WIDE	8

static struct cidr host_literal(const char *text)
{
	struct ctx no_errors;
	struct cidr cidr;

	cidr_parse(&no_errors, "", text, &cidr);
	return cidr;
}

static bool host_in(const struct cidr *addr, const char *text)
{
	struct cidr net = host_literal(text);

	return cidr_contains(&net, addr);
}

struct host_kind {
	int index;
	bool tunnel;
};

static int host_take_kind(const struct rtnl_link *link, void *data)
{
	struct host_kind *kind = data;

	if (link->index == kind->index)
		kind->tunnel = !strcmp(link->kind, "ip6tnl");
	return 0;
}

enum host_wan host_wan(struct ctx *ctx, struct rtnl *rtnl, uint16_t family,
		       struct cidr *addr)
{
	struct cidr to = host_literal(family == AF_INET ? HOST_ANYWHERE4 :
							  HOST_ANYWHERE6);
	struct host_kind kind = { 0 };
	struct rtnl_route route;

	memset(addr, 0, sizeof(*addr));
	if (rtnl_route_find(rtnl, &to, 0, &route) ||
	    route.source.family == AF_UNSPEC)
		return HOST_WAN_NONE;
	*addr = route.source;
	kind.index = route.index;
	if (cidr_is_public(addr))
		return HOST_WAN_PUBLIC;
	if (rtnl_links(rtnl, host_take_kind, &kind))
		ctx_warn(ctx, "%s", ctx->error);
	if (family == AF_INET && (kind.tunnel ||
				  host_in(addr, "192.0.0.0/29")))
		return HOST_WAN_DSLITE;
	return host_in(addr, "100.64.0.0/10") ? HOST_WAN_SHARED :
						HOST_WAN_PRIVATE;
}

const char *host_wan_words(enum host_wan wan)
{
	switch (wan) {
	case HOST_WAN_NONE:
		return "this host has no default route; it must get one before anybody from outside can reach it";
	case HOST_WAN_PRIVATE:
		return "this host has a private address behind a router: forward the UDP port on the router to it";
	case HOST_WAN_SHARED:
		return "the provider gives this host a shared address (100.64.0.0/10), which nobody outside can reach: use IPv6, or ask the provider for a public IPv4 address";
	case HOST_WAN_DSLITE:
		return "the line is DS-Lite: over IPv4 nobody outside can reach it; use IPv6, or ask the provider for a public IPv4 address";
	default:
		return NULL;
	}
}

struct host_nets {
	host_net_cb cb;
	void *data;
	int except;
};

static int host_take_network(struct host_nets *nets, const struct cidr *cidr,
			     int index)
{
	static const char *const dull[] = {
		"127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4",
		"::1/128", "fe80::/10", "ff00::/8",
	};
	struct cidr net = cidr_network(cidr);
	size_t i;

	if (index == nets->except)
		return 0;
	for (i = 0; i < sizeof(dull) / sizeof(dull[0]); i++) {
		if (host_in(&net, dull[i]))
			return 0;
	}
	return nets->cb(&net, index, nets->data);
}

static int host_take_addr(const struct rtnl_addr *addr, void *data)
{
	return host_take_network(data, &addr->addr, addr->index);
}

static int host_take_route(const struct rtnl_route *route, void *data)
{
	if (route->table != RT_TABLE_MAIN || route->type != RTN_UNICAST ||
	    route->dst.len < HOST_WIDE)
		return 0;
	return host_take_network(data, &route->dst, route->index);
}

int host_each_network(struct rtnl *rtnl, const char *except, host_net_cb cb,
		      void *data)
{
	struct host_nets nets = { .cb = cb, .data = data, .except = -1 };
	struct rtnl_link link;
	int ret = -ENODEV;

	if (except)
		ret = rtnl_link_find(rtnl, except, &link);
	if (ret && ret != -ENODEV)
		return ret;
	if (!ret)
		nets.except = link.index;
	ret = rtnl_addrs(rtnl, 0, host_take_addr, &nets);
	if (!ret)
		ret = rtnl_routes(rtnl, AF_INET, host_take_route, &nets);
	if (!ret)
		ret = rtnl_routes(rtnl, AF_INET6, host_take_route, &nets);
	return ret;
}

static int host_add_network(const struct cidr *net, int index, void *data)
{
	struct cidr_list *list = data;
	size_t i;

	(void)index;
	for (i = 0; i < list->count; i++) {
		if (cidr_equal(&list->all[i], net))
			return 0;
	}
	return cidr_list_add(list, net);
}

int host_networks(struct ctx *ctx, struct rtnl *rtnl, const char *except,
		  struct cidr_list *list)
{
	(void)ctx;
	return host_each_network(rtnl, except, host_add_network, list);
}

static int host_random(struct ctx *ctx, void *to, size_t n)
{
	if (getrandom(to, n, 0) == (ssize_t)n)
		return 0;
	return ctx_fail(ctx, -EIO, "Unable to get random bytes: %s",
			strerror(errno));
}

/* One try; whether it collides with nothing. */
static int host_try_tunnel(struct ctx *ctx, const struct cidr_list *taken,
			   const struct cidr_list *avoid, struct cidr *v4,
			   struct cidr *v6, bool *good)
{
	uint8_t *ip4 = (uint8_t *)&v4->ip, *ip6 = (uint8_t *)&v6->ip;
	int ret;

	*v4 = host_literal("10.0.0.0/24");
	*v6 = host_literal("fd00::/64");
	ret = host_random(ctx, ip4 + 1, 2);
	/* The 40 bits of RFC 4193. */
	if (!ret)
		ret = host_random(ctx, ip6 + 1, 5);
	*good = !ret && !cidr_list_overlap(taken, v4) &&
		!cidr_list_overlap(taken, v6) &&
		(!avoid || (!cidr_list_overlap(avoid, v4) &&
			    !cidr_list_overlap(avoid, v6)));
	return ret;
}

int host_pick_tunnel(struct ctx *ctx, struct rtnl *rtnl, const char *except,
		     const struct cidr_list *avoid, struct cidr *v4,
		     struct cidr *v6)
{
	struct cidr_list taken = { 0 };
	bool good = false;
	int ret, i;

	ret = host_networks(ctx, rtnl, except, &taken);
	for (i = 0; i < HOST_PICK_TRIES && !ret && !good; i++)
		ret = host_try_tunnel(ctx, &taken, avoid, v4, v6, &good);
	cidr_list_free(&taken);
	if (!ret && !good)
		return ctx_fail(ctx, -EADDRNOTAVAIL,
				"no network of 10.0.0.0/8 is free on this host; choose one with --address");
	return ret;
}

/* Can @port be bound in @family?  Without the family nobody else has it. */
static bool host_port_is_free(int family, uint16_t port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return true;
	ret = family == AF_INET ?
	      bind(fd, (struct sockaddr *)&in, sizeof(in)) :
	      bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	if (ret)
		ret = -errno;
	close(fd);
	return ret != -EADDRINUSE;
}

bool host_port_free(uint16_t port)
{
	return host_port_is_free(AF_INET, port) &&
	       host_port_is_free(AF_INET6, port);
}

uint16_t host_pick_port(uint16_t first)
{
	unsigned int port;

	for (port = first; port < first + 100U && port <= 65535; port++) {
		if (host_port_free(port))
			return port;
	}
	return 0;
}
