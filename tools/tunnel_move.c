// SPDX-License-Identifier: GPL-2.0
/* From what a tunnel made on this host to what it shall make. (layer 6) */
#include "tunnel_move.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dns.h"
#include "fw.h"
#include "ipc.h"
#include "stop.h"
#include "text.h"
#include "tunnel_diff.h"
#include "tunnel_route.h"
#include "tunnel_state.h"
#include "tunnel_sysctl.h"

#define TUNNEL_MOVE_LINE	256

bool tunnel_move_tells(struct tunnel *t, const char *fmt, ...)
{
	char line[TUNNEL_MOVE_LINE];
	va_list args;

	if (!t->tell)
		return false;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	t->tell(t->data, line);
	return true;
}

/* --- rules and routes ----------------------------------------------------- */

static const char *tunnel_move_family(const struct tunnel_route *route)
{
	return route->dst.family == AF_INET ? "IPv4" : "IPv6";
}

static int tunnel_move_rules_out(struct tunnel *t,
				 const struct tunnel_route *route)
{
	if (tunnel_move_tells(t, "remove rules for %s and table %u",
			      tunnel_move_family(route), route->table))
		return 0;
	return tunnel_route_del_rules(t->rtnl, route);
}

static int tunnel_move_rules_in(struct tunnel *t,
				const struct tunnel_route *route)
{
	bool has;
	int ret;

	ret = tunnel_route_has_rules(t->rtnl, route, &has);
	if (ret || has)
		return ret;
	if (tunnel_move_tells(t, "add rules for %s: to table %u what has not mark 0x%x, but for routes of table main that are no default",
			      tunnel_move_family(route), route->table,
			      route->table))
		return 0;
	/* One alone would stand in the wrong order. */
	ret = tunnel_route_del_rules(t->rtnl, route);
	return ret ? ret : tunnel_route_add_rules(t->rtnl, route);
}

static int tunnel_move_one_out(struct tunnel *t,
			       const struct tunnel_plan *have,
			       const struct tunnel_route *route)
{
	const struct tunnel_route *stays = tunnel_plan_route(&t->to, route);
	char dst[CIDR_TEXT];
	int ret = 0;

	if (route->policy && !(stays && stays->policy))
		ret = tunnel_move_rules_out(t, route);
	if ((ret && !t->stubborn) || stays || !tunnel_plan_route(have, route))
		return ret;
	cidr_text(dst, &route->dst);
	if (tunnel_move_tells(t, "remove route %s from table %u", dst,
			      route->table))
		return ret;
	return tunnel_route_del(t->rtnl, t->index, route);
}

static int tunnel_move_one_in(struct tunnel *t, const struct tunnel_plan *have,
			      const struct tunnel_route *route)
{
	char dst[CIDR_TEXT];
	int ret = 0;

	cidr_text(dst, &route->dst);
	if (!tunnel_plan_route(have, route) &&
	    !tunnel_move_tells(t, "add route %s to table %u", dst,
			       route->table))
		ret = tunnel_route_add(t->rtnl, t->index, route);
	if (!ret && route->policy)
		ret = tunnel_move_rules_in(t, route);
	return ret;
}

/* Each of @plan by @move, with what the interface has at the moment. */
static int tunnel_move_routes(struct tunnel *t, const struct tunnel_plan *plan,
			      int (*move)(struct tunnel *t,
					  const struct tunnel_plan *have,
					  const struct tunnel_route *route))
{
	struct tunnel_plan have;
	int first = 0, ret = 0;
	size_t i;

	if (!plan->n_routes)
		return 0;
	tunnel_plan_init(&have, "");
	if (t->index)
		ret = tunnel_route_read(t->ctx, t->rtnl, t->index, &have);
	for (i = 0; i < plan->n_routes && (!ret || t->stubborn); i++) {
		ret = move(t, &have, &plan->routes[i]);
		first = first ? first : ret;
	}
	tunnel_plan_free(&have);
	return first ? first : ret;
}

static int tunnel_move_routes_out(struct tunnel *t)
{
	return tunnel_move_routes(t, &t->from, tunnel_move_one_out);
}

static int tunnel_move_routes_in(struct tunnel *t)
{
	return tunnel_move_routes(t, &t->to, tunnel_move_one_in);
}

/* --- the device ----------------------------------------------------------- */

static int tunnel_move_send(struct tunnel *t, unsigned int flags, bool *again)
{
	struct model_device *have = NULL, *change = NULL;
	int ret = 0;

	*again = false;
	if (t->index)
		ret = ipc_get(t->ctx, t->to.name, &have);
	if (ret)
		return ret;
	ret = tunnel_diff_make(t->want, have ? have : t->have, flags, &change);
	if (ret) {
		ctx_fail(t->ctx, ret, "Out of memory");
	} else if (t->tell) {
		tunnel_diff_tell(change, t->want, t->tell, t->data);
	} else if (change->has || change->first) {
		ret = ipc_set(t->ctx, change);
		*again = ret && tunnel_diff_removes(change);
	}
	model_device_free(change);
	model_device_free(have);
	return ret;
}

static int tunnel_move_device(struct tunnel *t)
{
	bool again;
	int ret;

	ret = tunnel_move_send(t, t->flags, &again);
	/* Kernels before 6.16 cannot take a single allowed IP away. */
	if (again)
		ret = tunnel_move_send(t, t->flags | TUNNEL_DIFF_REPLACE,
				       &again);
	return ret;
}

/* --- addresses and link --------------------------------------------------- */

static int tunnel_move_take_addr(const struct rtnl_addr *addr, void *data)
{
	return cidr_list_add(data, &addr->addr);
}

static bool tunnel_move_has(const struct cidr_list *list,
			    const struct cidr *cidr)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (cidr_equal(&list->all[i], cidr))
			return true;
	}
	return false;
}

static int tunnel_move_read_addrs(struct tunnel *t, struct cidr_list *have)
{
	int ret;

	cidr_list_free(have);
	if (!t->index)
		return 0;
	ret = rtnl_addrs(t->rtnl, t->index, tunnel_move_take_addr, have);
	return ret == -ENOMEM ? ctx_fail(t->ctx, ret, "Out of memory") : ret;
}

/* Those of @want that are not in @have. */
static int tunnel_move_add_addrs(struct tunnel *t, const struct cidr_list *want,
				 const struct cidr_list *have)
{
	char text[CIDR_TEXT];
	int first = 0, ret;
	size_t i;

	for (i = 0; i < want->count && (!first || t->stubborn); i++) {
		cidr_text(text, &want->all[i]);
		if (tunnel_move_has(have, &want->all[i]) ||
		    tunnel_move_tells(t, "add address %s", text))
			continue;
		ret = rtnl_addr_add(t->rtnl, t->index, &want->all[i]);
		first = first ? first : ret;
	}
	return first;
}

static int tunnel_move_del_addrs(struct tunnel *t, const struct cidr_list *have,
				 bool *any)
{
	const struct cidr_list *from = &t->from.addresses;
	char text[CIDR_TEXT];
	int first = 0, ret;
	size_t i;

	for (i = 0; i < from->count && (!first || t->stubborn); i++) {
		cidr_text(text, &from->all[i]);
		if (tunnel_move_has(&t->to.addresses, &from->all[i]) ||
		    !tunnel_move_has(have, &from->all[i]) ||
		    tunnel_move_tells(t, "remove address %s", text))
			continue;
		*any = true;
		ret = rtnl_addr_del(t->rtnl, t->index, &from->all[i]);
		first = first ? first : ret;
	}
	return first;
}

static int tunnel_move_addrs(struct tunnel *t)
{
	struct cidr_list have = { 0 };
	bool any = false;
	int ret;

	ret = tunnel_move_read_addrs(t, &have);
	if (!ret)
		ret = tunnel_move_add_addrs(t, &t->to.addresses, &have);
	if (!ret)
		ret = tunnel_move_del_addrs(t, &have, &any);
	/* With the first address of a network the kernel takes the others. */
	if (!ret && any)
		ret = tunnel_move_read_addrs(t, &have);
	if (!ret && any)
		ret = tunnel_move_add_addrs(t, &t->to.addresses, &have);
	cidr_list_free(&have);
	return ret;
}

static int tunnel_move_link(struct tunnel *t)
{
	struct rtnl_link link = { .flags = 0 };
	unsigned int flags = IFF_UP, mask = IFF_UP, mtu = 0;
	int ret = 0;

	if (t->index)
		ret = rtnl_link_find(t->rtnl, t->to.name, &link);
	if (ret)
		return ctx_fail(t->ctx, ret, "`%s' vanished meanwhile",
				t->to.name);
	if (t->to.multicast)
		flags |= IFF_MULTICAST;
	if (t->to.multicast || t->from.multicast)
		mask |= IFF_MULTICAST;
	/* Who changed it since, a hook for instance, had a reason. */
	if (t->to.mtu != link.mtu &&
	    (!t->from.noted || t->to.mtu != t->from.mtu))
		mtu = t->to.mtu;
	if (!mtu && (link.flags & mask) == flags)
		return 0;
	if (mtu)
		tunnel_move_tells(t, "set MTU %u", mtu);
	if ((link.flags ^ flags) & mask & IFF_MULTICAST)
		tunnel_move_tells(t, "switch multicast %s",
				  t->to.multicast ? "on" : "off");
	if (!(link.flags & IFF_UP))
		tunnel_move_tells(t, "set interface up");
	if (t->tell)
		return 0;
	return rtnl_link_set(t->rtnl, t->index, flags, mask, mtu);
}

/* --- firewall, settings, name servers ------------------------------------- */

static bool tunnel_move_same_fw(struct tunnel *t)
{
	struct text from = { 0 }, to = { 0 };
	bool same;

	tunnel_state_put_fw(&t->from.fw, &from);
	tunnel_state_put_fw(&t->to.fw, &to);
	same = t->from.firewall == t->to.firewall && !from.broken &&
	       !to.broken && !strcmp(text_string(&from), text_string(&to));
	text_free(&from);
	text_free(&to);
	return same;
}

static int tunnel_move_print_fw(struct tunnel *t)
{
	struct text script = { 0 };

	fw_script(&t->to.fw, &script);
	ctx_todo(t->ctx, "put these rules into the firewall:");
	fputs(text_string(&script), t->ctx->err);
	text_free(&script);
	return 0;
}

/* Notes do not know who flushed the rules since. */
static bool tunnel_move_fw_holds(struct tunnel *t)
{
	bool holds;

	if (!tunnel_move_same_fw(t))
		return false;
	return t->to.firewall != TUNNEL_FW_NFT ||
	       (!fw_holds(t->ctx, &t->to.fw, &holds) && holds);
}

static int tunnel_move_fw(struct tunnel *t)
{
	int ret = 0;

	if (tunnel_move_fw_holds(t))
		return 0;
	if (t->from.firewall == TUNNEL_FW_NFT &&
	    t->to.firewall != TUNNEL_FW_NFT &&
	    !tunnel_move_tells(t, "remove firewall rules"))
		ret = fw_down(t->ctx, t->to.name);
	if (ret || t->to.firewall == TUNNEL_FW_NONE)
		return ret;
	if (tunnel_move_tells(t, "%s firewall rules",
			      t->to.firewall == TUNNEL_FW_PRINT ? "print" :
								  "set"))
		return 0;
	if (t->to.firewall == TUNNEL_FW_PRINT)
		return tunnel_move_print_fw(t);
	ret = fw_up(t->ctx, &t->to.fw);
	if (!ret || t->to.fw_asked)
		return ret;
	/* Those of a plain file only guard against forged packets. */
	ctx_warn(t->ctx, "%s: no firewall rules against packets to the tunnel's addresses from outside of it: %s",
		 t->to.name, t->ctx->error);
	t->to.firewall = TUNNEL_FW_NONE;
	return 0;
}

static int tunnel_move_sysctls(struct tunnel *t)
{
	char now[FILE_SYSCTL_SIZE];
	int first, ret;
	size_t i;

	first = tunnel_sysctl_restore(t->ctx, t->rtnl, &t->from, &t->to,
				      t->tell, t->data);
	for (i = 0; i < t->to.n_sysctls && (!first || t->stubborn); i++) {
		const struct tunnel_sysctl *sysctl = &t->to.sysctls[i];

		if (sysctl->follows || !tunnel_sysctl_differs(sysctl, now) ||
		    tunnel_move_tells(t, "set %s = %s", sysctl->key,
				      sysctl->value))
			continue;
		ret = file_sysctl_set(t->ctx, sysctl->key, sysctl->value);
		first = first ? first : ret;
	}
	return first;
}

static bool tunnel_move_same_dns(struct tunnel *t)
{
	struct text from = { 0 }, to = { 0 };
	bool same;

	tunnel_state_put_dns(&t->from, &from);
	tunnel_state_put_dns(&t->to, &to);
	same = !from.broken && !to.broken &&
	       !strcmp(text_string(&from), text_string(&to)) &&
	       (t->to.dns == DNS_AUTO || t->to.dns == t->from.dns);
	text_free(&from);
	text_free(&to);
	return same;
}

static void tunnel_move_dns_out(struct tunnel *t)
{
	static const enum dns_way ways[] = {
		DNS_RESOLVED, DNS_RESOLVCONF, DNS_DNSMASQ,
	};
	size_t i;

	if (t->from.dns == DNS_NONE ||
	    tunnel_move_tells(t, "remove name servers"))
		return;
	/* AUTO: we ended before it was noted which way was found. */
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (t->from.dns == DNS_AUTO)
			dns_down(t->ctx, ways[i], t->from.name);
	}
	if (t->from.dns != DNS_AUTO &&
	    dns_down(t->ctx, t->from.dns, t->from.name))
		ctx_warn(t->ctx, "%s: name servers may still be in use: %s",
			 t->from.name, t->ctx->error);
}

/* As wg-quick: every name is asked for there, unless domains are said for which
 * alone that is wanted.
 */
static bool tunnel_move_dns_all(const struct tunnel_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->search.count; i++) {
		if (plan->search.all[i][0] == '~' &&
		    strcmp(plan->search.all[i], "~."))
			return false;
	}
	return true;
}

/* A tunnel is of use without name servers, too. */
static int tunnel_move_dns(struct tunnel *t)
{
	if (tunnel_move_same_dns(t)) {
		t->to.dns = t->from.dns;
		return 0;
	}
	if (t->to.dns != t->from.dns)
		tunnel_move_dns_out(t);
	if (t->to.dns == DNS_NONE ||
	    tunnel_move_tells(t, "use name servers, by way `%s'",
			      dns_way_name(t->to.dns)))
		return 0;
	if (dns_up(t->ctx, &t->to.dns, t->to.name, &t->to.servers,
		   t->to.search.all, t->to.search.count,
		   tunnel_move_dns_all(&t->to))) {
		ctx_warn(t->ctx, "%s: name servers of the file are not used: %s",
			 t->to.name, t->ctx->error);
		/* So that the next time differs. */
		cidr_list_free(&t->to.servers);
		t->to.dns = DNS_NONE;
	}
	return 0;
}

/* --- all of it ------------------------------------------------------------ */

/* Runs the steps; the first error is what is told. */
static int tunnel_move_steps(struct tunnel *t,
			     int (*const steps[])(struct tunnel *t))
{
	char text[sizeof(t->ctx->error)];
	int first = 0, ret;
	size_t i;

	for (i = 0; steps[i] && (!first || t->stubborn); i++) {
		ret = t->stubborn ? 0 : stop_check(t->ctx);
		if (!ret)
			ret = steps[i](t);
		if (!ret || first)
			continue;
		first = ret;
		memcpy(text, t->ctx->error, sizeof(text));
	}
	if (first)
		memcpy(t->ctx->error, text, sizeof(text));
	return first;
}

int tunnel_move(struct tunnel *t)
{
	/*
	 * No rule without the mark that keeps the tunnel's own packets out, no
	 * forwarding without the rules that bound it.
	 */
	static int (*const steps[])(struct tunnel *t) = {
		tunnel_move_routes_out, tunnel_move_device, tunnel_move_addrs,
		tunnel_move_link, tunnel_move_fw, tunnel_move_sysctls,
		tunnel_move_routes_in, tunnel_move_dns, NULL
	};

	return tunnel_move_steps(t, steps);
}

int tunnel_move_back(struct tunnel *t)
{
	struct tunnel_plan plan = t->to;
	struct model_device *want = t->want;

	t->to = t->from;
	t->from = plan;
	t->to.fw.name = t->to.name;
	t->from.fw.name = t->from.name;
	t->want = t->have;
	t->have = want;
	/* All of it counts, also what is off. */
	t->want->has |= MODEL_DEVICE_PRIVATE_KEY | MODEL_DEVICE_LISTEN_PORT |
			MODEL_DEVICE_FWMARK;
	t->flags = 0;
	t->stubborn = true;
	return tunnel_move(t);
}

static int tunnel_move_link_out(struct tunnel *t)
{
	int ret;

	if (!t->index || tunnel_move_tells(t, "remove interface %s",
					   t->from.name))
		return 0;
	ret = rtnl_link_del(t->rtnl, t->index);
	return ret == -ENODEV ? 0 : ret;
}

static int tunnel_move_rules_all_out(struct tunnel *t)
{
	int first = 0, ret;
	size_t i;

	for (i = 0; i < t->from.n_routes; i++) {
		if (!t->from.routes[i].policy)
			continue;
		ret = tunnel_move_rules_out(t, &t->from.routes[i]);
		first = first ? first : ret;
	}
	return first;
}

int tunnel_move_down(struct tunnel *t)
{
	/* Routes and addresses go with the interface. */
	static int (*const steps[])(struct tunnel *t) = {
		tunnel_move_rules_all_out, tunnel_move_link_out,
		tunnel_move_dns, tunnel_move_sysctls, tunnel_move_fw, NULL
	};

	tunnel_plan_free(&t->to);
	t->stubborn = true;
	return tunnel_move_steps(t, steps);
}
