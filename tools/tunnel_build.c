// SPDX-License-Identifier: GPL-2.0
/* A file as a plan for this host. (layer 6) */
#include "tunnel_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tunnel_route.h"
#include "tunnel_rules.h"
#include "tunnel_sysctl.h"

#define TUNNEL_BUILD_IPV6_MTU	1280	/* RFC 8200, section 5 */

/* --- IPv6 ----------------------------------------------------------------- */

static bool tunnel_build_has_family(const struct tunnel_plan *plan,
				    uint16_t family)
{
	size_t i;

	for (i = 0; i < plan->addresses.count; i++) {
		if (plan->addresses.all[i].family == family)
			return true;
	}
	for (i = 0; i < plan->n_routes; i++) {
		if (plan->routes[i].dst.family == family)
			return true;
	}
	return false;
}

/* Whether packets to the IPv6 internet have a way beside the tunnel. */
static bool tunnel_build_no_ipv6(struct tunnel *t)
{
	struct rtnl_route route;
	struct cidr host;

	cidr_parse(t->ctx, "", "2000::", &host);
	return rtnl_route_find(t->rtnl, &host, t->to.mark, &route) ||
	       (t->index && route.index == t->index);
}

static void tunnel_build_drop_ipv6(struct tunnel_plan *plan)
{
	size_t i, n = 0;

	for (i = 0; i < plan->addresses.count; i++) {
		if (plan->addresses.all[i].family == AF_INET)
			plan->addresses.all[n++] = plan->addresses.all[i];
	}
	plan->addresses.count = n;
	n = 0;
	for (i = 0; i < plan->n_routes; i++) {
		if (plan->routes[i].dst.family == AF_INET)
			plan->routes[n++] = plan->routes[i];
	}
	plan->n_routes = n;
}

/*
 * Where the whole host is without IPv6 a file that has both families is of use
 * for IPv4.  Where only new interfaces are without, ours is switched on: what
 * others have would go past the tunnel.
 */
static int tunnel_build_ipv6(struct tunnel *t, bool no_ipv6)
{
	char key[TUNNEL_KEY_SIZE], value[FILE_SYSCTL_SIZE];

	if (!tunnel_build_has_family(&t->to, AF_INET6))
		return 0;
	if (file_sysctl_get("net/ipv6/conf/all/disable_ipv6", value) ||
	    (!strcmp(value, "1") && no_ipv6)) {
		ctx_warn(t->ctx, "%s: this host is without IPv6; its addresses and routes are left out",
			 t->to.name);
		tunnel_build_drop_ipv6(&t->to);
		return 0;
	}
	snprintf(key, sizeof(key), "net/ipv6/conf/%s/disable_ipv6",
		 t->to.name);
	if (t->tell || !t->index || file_sysctl_get(key, value) ||
	    strcmp(value, "1"))
		return 0;
	return file_sysctl_set(t->ctx, key, "0");
}

/* --- parts ---------------------------------------------------------------- */

static int tunnel_build_addresses(const struct quick *quick,
				  struct tunnel_plan *plan)
{
	size_t i, j;

	for (i = 0; i < quick->addresses.count; i++) {
		const struct cidr *addr = &quick->addresses.all[i];

		for (j = 0; j < plan->addresses.count; j++) {
			if (cidr_equal(&plan->addresses.all[j], addr))
				break;
		}
		if (j == plan->addresses.count &&
		    cidr_list_add(&plan->addresses, addr))
			return -ENOMEM;
	}
	return 0;
}

/* A path may be narrower than what IPv6 needs: packets are cut in pieces then,
 * but the kernel takes IPv6 away from a link with less.
 */
static int tunnel_build_mtu(struct tunnel *t, const struct quick *quick)
{
	struct tunnel_plan *plan = &t->to;
	int ret;

	plan->mtu = quick->mtu;
	if (quick->mtu)
		return 0;
	ret = tunnel_route_mtu(t->ctx, t->rtnl, t->want, t->have, plan->mark,
			       t->index, &plan->mtu);
	if (!ret && plan->mtu < TUNNEL_BUILD_IPV6_MTU &&
	    tunnel_build_has_family(plan, AF_INET6))
		plan->mtu = TUNNEL_BUILD_IPV6_MTU;
	return ret;
}

/* The mark of the file, that of last time, or one that is also a free table. */
static int tunnel_build_mark(struct tunnel *t, const struct quick *quick)
{
	bool needs;
	int ret;

	ret = tunnel_rules_needs_mark(t->ctx, quick, &needs);
	if (ret)
		return ret;
	if (quick->dev->has & MODEL_DEVICE_FWMARK && quick->dev->fwmark) {
		t->to.mark = quick->dev->fwmark;
	} else if (needs) {
		t->to.mark_chosen = true;
		/* Not noted: another program's choice. */
		if (!t->from.noted)
			t->to.mark = t->have->fwmark;
		else if (t->from.mark_chosen)
			t->to.mark = t->from.mark;
		if (!t->to.mark)
			ret = tunnel_route_free_table(t->ctx, t->rtnl,
						      &t->to.mark);
	}
	t->want->fwmark = t->to.mark;
	/* One that a hook has set is none of our business. */
	if (t->to.mark || t->from.mark)
		t->want->has |= MODEL_DEVICE_FWMARK;
	return ret;
}

static int tunnel_build_dns(struct tunnel *t, const struct quick *quick)
{
	const char *way = quick_setting(quick, 0, "dns");
	struct tunnel_plan *plan = &t->to;
	size_t i;
	int ret;

	if (!quick->dns.count && !quick->search.count)
		return 0;
	plan->dns = DNS_AUTO;
	ret = way ? dns_way_parse(t->ctx, way, &plan->dns) : 0;
	if (ret || plan->dns == DNS_NONE)
		return ret;
	for (i = 0; i < quick->dns.count; i++) {
		if (cidr_list_add(&plan->servers, &quick->dns.all[i]))
			goto no_memory;
	}
	plan->search.all = calloc(quick->search.count + 1, sizeof(char *));
	if (!plan->search.all)
		goto no_memory;
	for (i = 0; i < quick->search.count; i++) {
		plan->search.all[i] = strdup(quick->search.all[i]);
		if (!plan->search.all[i])
			goto no_memory;
		plan->search.count++;
	}
	return 0;
no_memory:
	return ctx_fail(t->ctx, -ENOMEM, "Out of memory");
}

int tunnel_build(struct tunnel *t, const struct quick *quick)
{
	bool no_ipv6;
	int ret;

	ret = tunnel_build_mark(t, quick);
	if (ret)
		return ret;
	if (tunnel_build_addresses(quick, &t->to) ||
	    tunnel_route_plan(quick, t->want, &t->to))
		return ctx_fail(t->ctx, -ENOMEM, "Out of memory");
	no_ipv6 = tunnel_build_no_ipv6(t);
	ret = tunnel_build_ipv6(t, no_ipv6);
	if (!ret)
		ret = tunnel_rules_plan(t->ctx, quick, no_ipv6, &t->to);
	if (!ret)
		ret = tunnel_sysctl_plan(t->ctx, t->rtnl, &t->from, &t->to);
	if (!ret)
		ret = tunnel_build_dns(t, quick);
	return ret ? ret : tunnel_build_mtu(t, quick);
}
