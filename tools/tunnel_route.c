// SPDX-License-Identifier: GPL-2.0
/* Routes into a tunnel, their rules, and the MTU. (layer 6) */
#include "tunnel_route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "tunnel_view.h"

/* IPv6, UDP, and our header with its tag. */
#define TUNNEL_ROUTE_OVERHEAD	80
#define TUNNEL_ROUTE_MTU	1500

/* --- routes --------------------------------------------------------------- */

bool tunnel_route_policy(const struct quick *quick, uint16_t family)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;

	if (quick->table_mode != QUICK_TABLE_AUTO)
		return false;
	for (peer = quick->dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			if (aip->family == family && !aip->cidr)
				return true;
		}
	}
	return false;
}

/* Whether the kernel makes a route of its own for an address that leads there.
 * For a single address of IPv4 there is none in the main table.
 */
static bool tunnel_route_connected(const struct tunnel_plan *plan,
				   const struct cidr *dst)
{
	size_t i;

	for (i = 0; i < plan->addresses.count; i++) {
		const struct cidr *addr = &plan->addresses.all[i];

		if (addr->family == AF_INET &&
		    addr->len == cidr_max(AF_INET))
			continue;
		if (cidr_contains(addr, dst))
			return true;
	}
	return false;
}

static int tunnel_route_plan_one(const struct quick *quick,
				 const struct cidr *dst,
				 struct tunnel_plan *plan)
{
	struct tunnel_route route = { .dst = *dst };

	if (quick->table_mode == QUICK_TABLE_ID) {
		route.table = quick->table;
	} else if (cidr_is_default(dst)) {
		route.table = plan->mark;
		route.policy = true;
	} else {
		route.table = TUNNEL_TABLE_MAIN;
		if (tunnel_route_connected(plan, dst))
			return 0;
	}
	return tunnel_plan_add_route(plan, &route);
}

int tunnel_route_plan(const struct quick *quick,
		      const struct model_device *want,
		      struct tunnel_plan *plan)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;
	struct cidr net;

	if (quick->table_mode == QUICK_TABLE_OFF)
		return 0;
	for (peer = want->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			net = tunnel_view_net(aip);
			if (tunnel_route_plan_one(quick, &net, plan))
				return -ENOMEM;
		}
	}
	tunnel_plan_sort_routes(plan);
	return 0;
}

struct tunnel_route_reading {
	int index;
	struct tunnel_plan *have;
};

static int tunnel_route_take(const struct rtnl_route *route, void *data)
{
	struct tunnel_route_reading *r = data;
	struct tunnel_route own = { .dst = route->dst, .table = route->table };

	if (route->index != r->index || route->type != RTN_UNICAST)
		return 0;
	return tunnel_plan_add_route(r->have, &own);
}

int tunnel_route_read(struct ctx *ctx, struct rtnl *rtnl, int index,
		      struct tunnel_plan *have)
{
	struct tunnel_route_reading r = { .index = index, .have = have };
	int ret;

	ret = rtnl_routes(rtnl, AF_INET, tunnel_route_take, &r);
	if (!ret)
		ret = rtnl_routes(rtnl, AF_INET6, tunnel_route_take, &r);
	tunnel_plan_sort_routes(have);
	return ret == -ENOMEM ? ctx_fail(ctx, ret, "Out of memory") : ret;
}

static void tunnel_route_fill(struct rtnl_route *to, int index,
			      const struct tunnel_route *route)
{
	memset(to, 0, sizeof(*to));
	to->dst = route->dst;
	to->table = route->table;
	to->index = index;
	to->protocol = RTPROT_BOOT;
	to->type = RTN_UNICAST;
}

int tunnel_route_add(struct rtnl *rtnl, int index,
		     const struct tunnel_route *route)
{
	struct rtnl_route to;

	tunnel_route_fill(&to, index, route);
	return rtnl_route_add(rtnl, &to);
}

int tunnel_route_del(struct rtnl *rtnl, int index,
		     const struct tunnel_route *route)
{
	struct rtnl_route to;

	tunnel_route_fill(&to, index, route);
	return rtnl_route_del(rtnl, &to);
}

/* --- rules ---------------------------------------------------------------- */

/*
 * What is not the tunnel's own goes to the tunnel's table, but for what the
 * main table knows better than by a default route.  Each rule comes in front
 * of those before it, so that the second one is asked first.
 */
static void tunnel_route_rule(struct rtnl_rule *rule,
			      const struct tunnel_route *route, bool second)
{
	memset(rule, 0, sizeof(*rule));
	rule->family = route->dst.family;
	rule->table = second ? TUNNEL_TABLE_MAIN : route->table;
	rule->has_mark = !second;
	rule->mark = second ? 0 : route->table;
	rule->invert = !second;
	rule->suppress = second ? 0 : -1;
}

/*
 * Where the two rules are, 0 for nowhere.  Other tunnels have a second one
 * as well: ours is the last in front of the first one.
 */
struct tunnel_route_rules {
	uint32_t table;
	uint32_t latest;
	uint32_t first;
	uint32_t second;
};

static int tunnel_route_take_rule(const struct rtnl_rule *rule, void *data)
{
	struct tunnel_route_rules *r = data;

	if (rule->table == TUNNEL_TABLE_MAIN && !rule->suppress &&
	    !rule->has_mark && !rule->invert) {
		r->latest = rule->priority;
	} else if (rule->table == r->table && rule->has_mark &&
		   rule->mark == r->table && rule->invert && !r->first) {
		r->first = rule->priority;
		r->second = r->latest;
	}
	return 0;
}

static int tunnel_route_find_rules(struct rtnl *rtnl,
				   const struct tunnel_route *route,
				   struct tunnel_route_rules *rules)
{
	memset(rules, 0, sizeof(*rules));
	rules->table = route->table;
	return rtnl_rules(rtnl, route->dst.family, tunnel_route_take_rule,
			  rules);
}

int tunnel_route_has_rules(struct rtnl *rtnl, const struct tunnel_route *route,
			   bool *has)
{
	struct tunnel_route_rules rules;
	int ret = tunnel_route_find_rules(rtnl, route, &rules);

	*has = !ret && rules.first && rules.second;
	return ret;
}

int tunnel_route_add_rules(struct rtnl *rtnl, const struct tunnel_route *route)
{
	struct rtnl_rule rule;
	int ret;

	tunnel_route_rule(&rule, route, false);
	ret = rtnl_rule_add(rtnl, &rule);
	if (ret)
		return ret;
	tunnel_route_rule(&rule, route, true);
	return rtnl_rule_add(rtnl, &rule);
}

static int tunnel_route_del_rule(struct rtnl *rtnl,
				 const struct tunnel_route *route, bool second,
				 uint32_t priority)
{
	struct rtnl_rule rule;
	int ret;

	if (!priority)
		return 0;
	tunnel_route_rule(&rule, route, second);
	rule.priority = priority;
	ret = rtnl_rule_del(rtnl, &rule);
	return ret == -ENOENT ? 0 : ret;
}

int tunnel_route_del_rules(struct rtnl *rtnl, const struct tunnel_route *route)
{
	struct tunnel_route_rules rules;
	int ret, second;

	ret = tunnel_route_find_rules(rtnl, route, &rules);
	if (ret)
		return ret;
	ret = tunnel_route_del_rule(rtnl, route, false, rules.first);
	second = tunnel_route_del_rule(rtnl, route, true, rules.second);
	return ret ? ret : second;
}

/* --- a free table --------------------------------------------------------- */

struct tunnel_route_tables {
	uint32_t *all;
	size_t count;
};

static int tunnel_route_note_table(struct tunnel_route_tables *t,
				   uint32_t table)
{
	uint32_t *all;

	/* Routes of a table come one after the other. */
	if (table < TUNNEL_FIRST_TABLE ||
	    (t->count && t->all[t->count - 1] == table))
		return 0;
	all = reallocarray(t->all, t->count + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	t->all = all;
	all[t->count++] = table;
	return 0;
}

static int tunnel_route_table_of_route(const struct rtnl_route *route,
				       void *data)
{
	return tunnel_route_note_table(data, route->table);
}

static int tunnel_route_table_of_rule(const struct rtnl_rule *rule, void *data)
{
	return tunnel_route_note_table(data, rule->table);
}

static int tunnel_route_compare_tables(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int tunnel_route_free_table(struct ctx *ctx, struct rtnl *rtnl,
			    uint32_t *table)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	struct tunnel_route_tables t = { 0 };
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < 2; i++) {
		ret = rtnl_routes(rtnl, families[i],
				  tunnel_route_table_of_route, &t);
		if (!ret)
			ret = rtnl_rules(rtnl, families[i],
					 tunnel_route_table_of_rule, &t);
	}
	if (t.count)
		qsort(t.all, t.count, sizeof(*t.all),
		      tunnel_route_compare_tables);
	*table = TUNNEL_FIRST_TABLE;
	for (i = 0; i < t.count; i++)
		*table += t.all[i] == *table;
	free(t.all);
	return ret == -ENOMEM ? ctx_fail(ctx, ret, "Out of memory") : ret;
}

/* --- MTU ------------------------------------------------------------------ */

/* The smallest MTU so far; of interfaces by their number. */
struct tunnel_route_paths {
	struct rtnl *rtnl;
	uint32_t mark;
	int index;
	unsigned int best;
	int link;
	unsigned int link_mtu;
	struct rtnl_route standard;
};

static int tunnel_route_take_link(const struct rtnl_link *link, void *data)
{
	struct tunnel_route_paths *p = data;

	if (link->index == p->link)
		p->link_mtu = link->mtu;
	return 0;
}

static int tunnel_route_count_path(struct tunnel_route_paths *p,
				   const struct rtnl_route *route)
{
	unsigned int mtu = route->mtu;
	int ret;

	if (!route->index || route->index == p->index)
		return 0;
	if (!mtu) {
		/* Most paths go by the same interface. */
		if (p->link != route->index) {
			p->link = route->index;
			p->link_mtu = 0;
			ret = rtnl_links(p->rtnl, tunnel_route_take_link, p);
			if (ret)
				return ret;
		}
		mtu = p->link_mtu;
	}
	if (mtu > TUNNEL_ROUTE_OVERHEAD && (!p->best || mtu < p->best))
		p->best = mtu;
	return 0;
}

static bool tunnel_route_endpoint(const struct model_peer *peer,
				  struct cidr *host)
{
	const union model_endpoint *ep = &peer->endpoint;

	memset(host, 0, sizeof(*host));
	host->family = ep->sa.sa_family;
	if (ep->sa.sa_family == AF_INET)
		host->ip.in = ep->in.sin_addr;
	else if (ep->sa.sa_family == AF_INET6)
		host->ip.in6 = ep->in6.sin6_addr;
	else
		return false;
	host->len = cidr_max(host->family);
	return true;
}

static int tunnel_route_paths(struct tunnel_route_paths *p,
			      const struct model_device *want,
			      const struct tunnel_view *running)
{
	const struct tunnel_view_pair *pair;
	const struct model_peer *peer;
	struct rtnl_route route;
	struct cidr host;
	int ret = 0;

	for (peer = want->first; peer && !ret; peer = peer->next) {
		pair = tunnel_view_find(running, peer);
		/* Who calls from anywhere says nothing about a path. */
		if (!peer->host ||
		    (!tunnel_route_endpoint(peer, &host) &&
		     (!pair || !tunnel_route_endpoint(pair->peer, &host))))
			continue;
		/* No way there now is no reason to fail. */
		if (!rtnl_route_find(p->rtnl, &host, p->mark, &route))
			ret = tunnel_route_count_path(p, &route);
	}
	return ret;
}

static int tunnel_route_take_default(const struct rtnl_route *route,
				     void *data)
{
	struct tunnel_route_paths *p = data;

	if (route->table == TUNNEL_TABLE_MAIN && route->index &&
	    route->index != p->index && cidr_is_default(&route->dst) &&
	    (!p->standard.index || route->metric < p->standard.metric))
		p->standard = *route;
	return 0;
}

static int tunnel_route_default_path(struct tunnel_route_paths *p)
{
	int ret;

	ret = rtnl_routes(p->rtnl, AF_INET, tunnel_route_take_default, p);
	if (!ret && !p->standard.index)
		ret = rtnl_routes(p->rtnl, AF_INET6, tunnel_route_take_default,
				  p);
	return ret ? ret : tunnel_route_count_path(p, &p->standard);
}

int tunnel_route_mtu(struct ctx *ctx, struct rtnl *rtnl,
		     const struct model_device *want,
		     const struct model_device *have, uint32_t mark, int index,
		     unsigned int *mtu)
{
	struct tunnel_route_paths p = {
		.rtnl = rtnl, .mark = mark, .index = index,
	};
	struct tunnel_view running;
	int ret;

	ret = tunnel_view_make(&running, have);
	if (ret)
		ctx_fail(ctx, ret, "Out of memory");
	else
		ret = tunnel_route_paths(&p, want, &running);
	tunnel_view_free(&running);
	if (!ret && !p.best)
		ret = tunnel_route_default_path(&p);
	if (ret)
		return ret;
	if (!p.best)
		p.best = TUNNEL_ROUTE_MTU;
	*mtu = p.best - TUNNEL_ROUTE_OVERHEAD;
	return 0;
}
