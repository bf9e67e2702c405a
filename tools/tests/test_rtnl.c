// SPDX-License-Identifier: GPL-2.0
/* Links, addresses, routes, rules: real ones in a namespace of our own. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "../rtnl.h"
#include "tap.h"

struct found {
	unsigned int count;
	struct rtnl_link link;
	struct rtnl_addr addr;
	struct rtnl_route route;
	struct rtnl_rule rule;
	struct cidr dst;
	uint32_t table;
};

static struct cidr test_cidr(struct tap_run *run, const char *text)
{
	struct cidr cidr;

	cidr_parse(&run->ctx, "test", text, &cidr);
	return cidr;
}

static int take_link(const struct rtnl_link *link, void *data)
{
	struct found *found = data;

	found->count++;
	if (!strcmp(link->name, "d0"))
		found->link = *link;
	return 0;
}

static void test_links(struct tap *tap, struct rtnl *rtnl, int *index)
{
	struct found found = { 0 };
	struct rtnl_link link;

	tap_ok(tap, rtnl_link_find(rtnl, "d0", &link) == -ENODEV,
	       "no such link");
	tap_ok(tap, rtnl_link_find(rtnl, "a-name-that-is-too-long", &link) ==
	       -ENODEV, "no link has such a name");
	if (system("ip link add d0 type veth peer name d1 && ip link set d1 up"))
		return;
	tap_ok(tap, !rtnl_link_find(rtnl, "d0", &link) && link.index > 1 &&
	       !strcmp(link.kind, "veth") && link.mtu == 1500 &&
	       !(link.flags & IFF_UP), "finds a link");
	*index = link.index;
	tap_ok(tap, !rtnl_link_set(rtnl, link.index, IFF_UP, IFF_UP, 1400) &&
	       !rtnl_link_find(rtnl, "d0", &link) && link.mtu == 1400 &&
	       link.flags & IFF_UP, "up, with another MTU");
	tap_ok(tap, !rtnl_links(rtnl, take_link, &found) &&
	       found.count >= 2 && found.link.index == link.index, "lists");
}

static int take_addr(const struct rtnl_addr *addr, void *data)
{
	struct found *found = data;

	if (addr->scope == RT_SCOPE_LINK)
		return 0;
	found->count++;
	found->addr = *addr;
	return 0;
}

static void test_addrs(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		       int index)
{
	static const char *const texts[] = { "10.1.2.3/24", "fd00:1::3/64" };
	struct found found = { 0 };
	size_t i;

	for (i = 0; i < 2; i++) {
		struct cidr addr = test_cidr(run, texts[i]);

		memset(&found, 0, sizeof(found));
		tap_ok(tap, !rtnl_addr_add(rtnl, index, &addr),
		       "adds %s: %s", texts[i], run->ctx.error);
		tap_ok(tap, rtnl_addr_add(rtnl, index, &addr) == -EEXIST &&
		       strstr(run->ctx.error, texts[i]), "twice: %s",
		       run->ctx.error);
		rtnl_addrs(rtnl, index, take_addr, &found);
		tap_ok(tap, found.count == i + 1, "lists");
		rtnl_addrs(rtnl, index + 1, take_addr, &found);
		tap_ok(tap, found.count == i + 1, "not of another link");
		if (!i)
			tap_ok(tap, cidr_equal(&found.addr.addr, &addr),
			       "the same");
	}
}

static int take_route(const struct rtnl_route *route, void *data)
{
	struct found *found = data;

	if (route->table != found->table ||
	    !cidr_equal(&route->dst, &found->dst))
		return 0;
	found->count++;
	found->route = *route;
	return 0;
}

static void test_route(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		       int index, const char *dst, uint32_t table)
{
	struct rtnl_route route = {
		.dst = test_cidr(run, dst), .table = table, .index = index,
	};
	struct found found = { .dst = route.dst, .table = table };

	tap_ok(tap, !rtnl_route_add(rtnl, &route), "route to %s in %u: %s",
	       dst, table, run->ctx.error);
	tap_ok(tap, rtnl_route_add(rtnl, &route) == -EEXIST, "twice: %s",
	       run->ctx.error);
	rtnl_routes(rtnl, route.dst.family, take_route, &found);
	tap_ok(tap, found.count == 1 && found.route.index == index &&
	       found.route.type == RTN_UNICAST, "lists");
	tap_ok(tap, !rtnl_route_del(rtnl, &route), "removes: %s",
	       run->ctx.error);
	found.count = 0;
	rtnl_routes(rtnl, route.dst.family, take_route, &found);
	tap_ok(tap, !found.count, "gone");
}

static void test_find(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		      int index)
{
	struct cidr to = test_cidr(run, "192.0.2.1"), v6 = test_cidr(run, "::2");
	struct rtnl_route way = {
		.dst = test_cidr(run, "0.0.0.0/0"), .index = index,
		.gateway = test_cidr(run, "10.1.2.1"),
	}, route;
	char text[CIDR_TEXT];

	tap_ok(tap, rtnl_route_find(rtnl, &to, 0, &route) == -ENETUNREACH,
	       "no way");
	tap_ok(tap, rtnl_route_find(rtnl, &v6, 0, &route) == -ENETUNREACH,
	       "no IPv6 way");
	rtnl_route_add(rtnl, &way);
	tap_ok(tap, !rtnl_route_find(rtnl, &to, 0, &route) &&
	       route.index == index, "a way");
	cidr_addr_text(text, &route.source);
	tap_same(tap, text, "10.1.2.3", "its source");
	cidr_addr_text(text, &route.gateway);
	tap_same(tap, text, "10.1.2.1", "its gateway");
	way.type = RTN_BLACKHOLE;
	way.dst = test_cidr(run, "192.0.2.0/24");
	way.index = 0;
	way.gateway.family = AF_UNSPEC;
	rtnl_route_add(rtnl, &way);
	tap_ok(tap, rtnl_route_find(rtnl, &to, 0, &route) == -ENETUNREACH,
	       "a black hole");
}

static int take_rule(const struct rtnl_rule *rule, void *data)
{
	struct found *found = data;

	found->count++;
	if (rule->table == found->table)
		found->rule = *rule;
	return 0;
}

static void test_rules(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		       uint16_t family)
{
	struct rtnl_rule mark = {
		.family = family, .table = 51820, .has_mark = true,
		.mark = 51820, .invert = true, .suppress = -1,
	}, main_rule = {
		.family = family, .table = RT_TABLE_MAIN, .suppress = 0,
	};
	struct found found = { .table = 51820 };
	unsigned int before;

	rtnl_rules(rtnl, family, take_rule, &found);
	before = found.count;
	tap_ok(tap, before >= 2 && !rtnl_rule_add(rtnl, &mark) &&
	       !rtnl_rule_add(rtnl, &main_rule), "rules: %s", run->ctx.error);
	found.count = 0;
	rtnl_rules(rtnl, family, take_rule, &found);
	tap_ok(tap, found.count == before + 2 && found.rule.invert &&
	       found.rule.has_mark && found.rule.mark == 51820 &&
	       found.rule.suppress == -1, "as it was made");
	found.table = RT_TABLE_MAIN;
	rtnl_rules(rtnl, family, take_rule, &found);
	tap_ok(tap, rtnl_rule_del(rtnl, &mark) == 0 &&
	       rtnl_rule_del(rtnl, &main_rule) == 0, "removes: %s",
	       run->ctx.error);
	tap_ok(tap, rtnl_rule_del(rtnl, &mark) == -ENOENT, "gone: %s",
	       run->ctx.error);
	found.count = 0;
	rtnl_rules(rtnl, family, take_rule, &found);
	tap_ok(tap, found.count == before, "as before");
}

int main(void)
{
	struct tap tap = { .suite = "rtnl" };
	struct tap_run run;
	struct rtnl *rtnl;
	int index = 0;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		printf("ok 1 - rtnl # SKIP no network namespace\n1..1\n");
		return 0;
	}
	tap_run_begin(&run);
	if (!tap_ok(&tap, !rtnl_open(&run.ctx, &rtnl), "a socket"))
		return tap_end(&tap);
	test_links(&tap, rtnl, &index);
	test_addrs(&tap, &run, rtnl, index);
	test_route(&tap, &run, rtnl, index, "172.16.0.0/12", RT_TABLE_MAIN);
	test_route(&tap, &run, rtnl, index, "0.0.0.0/0", 51820);
	test_route(&tap, &run, rtnl, index, "fd99::/16", RT_TABLE_MAIN);
	test_route(&tap, &run, rtnl, index, "::/0", 1000000);
	test_find(&tap, &run, rtnl, index);
	test_rules(&tap, &run, rtnl, AF_INET);
	test_rules(&tap, &run, rtnl, AF_INET6);
	tap_ok(&tap, !rtnl_link_del(rtnl, index), "removes the link");
	rtnl_close(rtnl);
	tap_run_end(&run);
	return tap_end(&tap);
}
