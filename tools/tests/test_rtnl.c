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

/* With WireGuard in the kernel, or without. */
static void test_wireguard(struct tap *tap, struct tap_run *run,
			   struct rtnl *rtnl)
{
	struct rtnl_link link;
	int ret = rtnl_link_add(rtnl, "w0");

	if (ret) {
		tap_ok(tap, ret == -EOPNOTSUPP &&
		       strstr(run->ctx.error, "`modprobe wireguard'"),
		       "none: %s", run->ctx.error);
		return;
	}
	tap_ok(tap, !rtnl_link_find(rtnl, "w0", &link) &&
	       !strcmp(link.kind, "wireguard") && !(link.flags & IFF_UP),
	       "makes a link");
	tap_ok(tap, rtnl_link_add(rtnl, "w0") == -EEXIST &&
	       strstr(run->ctx.error, "`w0'"), "twice: %s", run->ctx.error);
	tap_ok(tap, !rtnl_link_set(rtnl, link.index, IFF_UP | IFF_MULTICAST,
				   IFF_UP | IFF_MULTICAST, 0) &&
	       !rtnl_link_find(rtnl, "w0", &link) && link.flags & IFF_UP &&
	       link.flags & IFF_MULTICAST, "up, with multicast");
	tap_ok(tap, !rtnl_link_del(rtnl, link.index), "removes it");
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

static int take_family(const struct rtnl_route *route, void *data)
{
	struct found *found = data;

	(void)route;
	found->count++;
	return 0;
}

static int take_badly(const struct rtnl_route *route, void *data)
{
	(void)route;
	(void)data;
	return -ENOSPC;
}

static void test_route(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		       int index, const char *dst, uint32_t table)
{
	struct rtnl_route route = {
		.dst = test_cidr(run, dst), .table = table, .index = index,
		.mtu = 1300, .metric = 77,
	};
	struct found found = { .dst = route.dst, .table = table };

	tap_ok(tap, !rtnl_route_add(rtnl, &route), "route to %s in %u: %s",
	       dst, table, run->ctx.error);
	tap_ok(tap, rtnl_route_add(rtnl, &route) == -EEXIST, "twice: %s",
	       run->ctx.error);
	rtnl_routes(rtnl, route.dst.family, take_route, &found);
	tap_ok(tap, found.count == 1 && found.route.index == index &&
	       found.route.type == RTN_UNICAST && found.route.mtu == 1300 &&
	       found.route.metric == 77, "lists");
	tap_ok(tap, rtnl_routes(rtnl, route.dst.family, take_badly, NULL) ==
	       -ENOSPC, "hands on what a callback fails with");
	tap_ok(tap, !rtnl_route_del(rtnl, &route), "removes: %s",
	       run->ctx.error);
	found.count = 0;
	rtnl_routes(rtnl, route.dst.family, take_route, &found);
	tap_ok(tap, !found.count, "gone");
}

/*
 * Of a family that the kernel does not route, as IPv6 where it is switched
 * off, it lists the routes of all others.
 */
static void test_family(struct tap *tap, struct rtnl *rtnl)
{
	struct found found = { 0 };

	tap_ok(tap, !rtnl_routes(rtnl, AF_APPLETALK, take_family, &found) &&
	       !found.count, "no routes of a family that is not there");
	tap_ok(tap, !rtnl_routes(rtnl, AF_INET, take_family, &found) &&
	       found.count, "some of IPv4");
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

/* What a mark finds, and where. */
static void test_mark(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		      int index)
{
	struct rtnl_rule rule = {
		.family = AF_INET, .table = 4711, .has_mark = true,
		.mark = 5, .suppress = -1,
	};
	struct rtnl_route way = {
		.dst = test_cidr(run, "0.0.0.0/0"), .index = index,
		.gateway = test_cidr(run, "10.1.2.9"), .table = 4711,
	}, route;
	struct cidr to = test_cidr(run, "198.51.100.1");
	char text[CIDR_TEXT];

	tap_ok(tap, !rtnl_route_add(rtnl, &way) &&
	       !rtnl_rule_add(rtnl, &rule), "a way for a mark: %s",
	       run->ctx.error);
	tap_ok(tap, !rtnl_route_find(rtnl, &to, 5, &route) &&
	       route.table == 4711, "its table");
	cidr_addr_text(text, &route.gateway);
	tap_same(tap, text, "10.1.2.9", "its gateway");
	tap_ok(tap, !rtnl_route_find(rtnl, &to, 6, &route) &&
	       route.table == RT_TABLE_MAIN, "another mark");
	tap_ok(tap, !rtnl_rule_del(rtnl, &rule), "removes the rule");
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

/* Only that one goes which is the same in every way. */
static void test_exact(struct tap *tap, struct tap_run *run, struct rtnl *rtnl)
{
	struct rtnl_rule want = {
		.family = AF_INET, .table = 999, .has_mark = true, .mark = 9,
		.suppress = -1,
	}, other = want;
	struct found found = { .table = 999 };

	other.invert = true;
	rtnl_rule_add(rtnl, &want);
	rtnl_rule_add(rtnl, &other);
	tap_ok(tap, !rtnl_rule_del(rtnl, &want) &&
	       rtnl_rule_del(rtnl, &want) == -ENOENT, "not the inverse: %s",
	       run->ctx.error);
	rtnl_rules(rtnl, AF_INET, take_rule, &found);
	tap_ok(tap, found.rule.table == 999 && found.rule.invert,
	       "which is still there");
	want = other;
	want.has_mark = false;
	want.mark = 0;
	want.invert = false;
	tap_ok(tap, rtnl_rule_del(rtnl, &want) == -ENOENT,
	       "none without a mark");
	want = other;
	want.priority = found.rule.priority + 1;
	tap_ok(tap, rtnl_rule_del(rtnl, &want) == -ENOENT,
	       "none of another priority");
	want.priority--;
	tap_ok(tap, !rtnl_rule_del(rtnl, &want), "by its priority");
	if (system("ip rule add from 10.0.0.0/8 lookup 999"))
		return;
	want = (struct rtnl_rule){
		.family = AF_INET, .table = 999, .suppress = -1,
	};
	tap_ok(tap, rtnl_rule_del(rtnl, &want) == -ENOENT,
	       "none that asks for a source: %s", run->ctx.error);
}

int main(void)
{
	struct tap tap = { .suite = "rtnl" };
	struct tap_run run;
	struct rtnl *rtnl;
	int index = 0;

	if (!tap_namespace(CLONE_NEWNET))
		return tap_skip(&tap, "no network namespace");
	tap_run_begin(&run);
	if (!tap_ok(&tap, !rtnl_open(&run.ctx, &rtnl), "a socket"))
		return tap_end(&tap);
	test_links(&tap, rtnl, &index);
	test_wireguard(&tap, &run, rtnl);
	test_addrs(&tap, &run, rtnl, index);
	test_route(&tap, &run, rtnl, index, "172.16.0.0/12", RT_TABLE_MAIN);
	test_route(&tap, &run, rtnl, index, "0.0.0.0/0", 51820);
	test_route(&tap, &run, rtnl, index, "fd99::/16", RT_TABLE_MAIN);
	test_route(&tap, &run, rtnl, index, "::/0", 1000000);
	test_family(&tap, rtnl);
	test_find(&tap, &run, rtnl, index);
	test_mark(&tap, &run, rtnl, index);
	test_rules(&tap, &run, rtnl, AF_INET);
	test_rules(&tap, &run, rtnl, AF_INET6);
	test_exact(&tap, &run, rtnl);
	tap_ok(&tap, !rtnl_link_del(rtnl, index), "removes the link");
	tap_ok(&tap, rtnl_link_del(rtnl, index) == -ENODEV,
	       "which is gone then: %s", run.ctx.error);
	rtnl_close(rtnl);
	tap_run_end(&run);
	return tap_end(&tap);
}
