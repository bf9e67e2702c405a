// SPDX-License-Identifier: GPL-2.0
/* Routes and rules of the host. (layer 2) */
#include "rtnl.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rtnl_msg.h"

/*
 * Routes.
 */

static bool rtnl_read_route(const struct nlmsghdr *nlh,
			    struct rtnl_route *route)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[RTA_MAX + 1];
	const struct nlattr *metrics[RTAX_MAX + 1] = { 0 };

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*msg))
		return false;
	rtnl_attrs(nlh, sizeof(*msg), attrs, RTA_MAX + 1);
	memset(route, 0, sizeof(*route));
	route->table = attrs[RTA_TABLE] ? rtnl_get_u32(attrs[RTA_TABLE]) :
					  msg->rtm_table;
	route->index = rtnl_get_u32(attrs[RTA_OIF]);
	route->metric = rtnl_get_u32(attrs[RTA_PRIORITY]);
	route->protocol = msg->rtm_protocol;
	route->type = msg->rtm_type;
	if (attrs[RTA_GATEWAY])
		rtnl_get_cidr(&route->gateway, msg->rtm_family,
			      cidr_max(msg->rtm_family), attrs[RTA_GATEWAY]);
	if (attrs[RTA_PREFSRC])
		rtnl_get_cidr(&route->source, msg->rtm_family,
			      cidr_max(msg->rtm_family), attrs[RTA_PREFSRC]);
	if (attrs[RTA_METRICS]) {
		metrics[0] = (const struct nlattr *)(uintptr_t)(RTAX_MAX + 1);
		mnl_attr_parse_nested(attrs[RTA_METRICS], rtnl_take_attr,
				      metrics);
		route->mtu = rtnl_get_u32(metrics[RTAX_MTU]);
	}
	return rtnl_get_cidr(&route->dst, msg->rtm_family, msg->rtm_dst_len,
			     attrs[RTA_DST]);
}

static int rtnl_take_route(const struct nlmsghdr *nlh, struct rtnl_dump *dump)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct rtnl_route route;

	/* Asked for a family it has not got, the kernel lists all others. */
	if (!rtnl_read_route(nlh, &route) ||
	    msg->rtm_family != dump->family || msg->rtm_flags & RTM_F_CLONED)
		return 0;
	return dump->cb.route(&route, dump->data);
}

int rtnl_routes(struct rtnl *rtnl, uint16_t family, rtnl_route_cb cb,
		void *data)
{
	struct rtnl_dump dump = {
		.take = rtnl_take_route, .family = family, .cb.route = cb,
		.data = data,
	};
	struct rtmsg msg = { .rtm_family = family };

	return rtnl_dump(rtnl, RTM_GETROUTE, &msg, sizeof(msg), &dump,
			 "routes");
}

static int rtnl_route_change(struct rtnl *rtnl, uint16_t type, uint16_t flags,
			     const struct rtnl_route *route)
{
	struct nlmsghdr *nlh = nl_request(rtnl->nl, type, NLM_F_ACK | flags);
	uint32_t table = route->table ? route->table : RT_TABLE_MAIN;
	struct nlattr *nest;
	struct rtmsg *msg;
	char text[CIDR_TEXT];
	int ret;

	msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	msg->rtm_family = route->dst.family;
	msg->rtm_dst_len = route->dst.len;
	msg->rtm_protocol = route->protocol ? route->protocol : RTPROT_BOOT;
	msg->rtm_type = route->type ? route->type : RTN_UNICAST;
	msg->rtm_scope = route->gateway.family != AF_UNSPEC ||
			 route->dst.family == AF_INET6 ? RT_SCOPE_UNIVERSE :
							 RT_SCOPE_LINK;
	if (type == RTM_DELROUTE)
		msg->rtm_scope = RT_SCOPE_NOWHERE;
	msg->rtm_table = table < 256 ? table : RT_TABLE_UNSPEC;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	if (route->dst.len)
		rtnl_put_cidr(nlh, RTA_DST, &route->dst);
	if (route->gateway.family != AF_UNSPEC)
		rtnl_put_cidr(nlh, RTA_GATEWAY, &route->gateway);
	if (route->source.family != AF_UNSPEC)
		rtnl_put_cidr(nlh, RTA_PREFSRC, &route->source);
	if (route->index)
		mnl_attr_put_u32(nlh, RTA_OIF, route->index);
	if (route->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	if (route->mtu) {
		nest = mnl_attr_nest_start(nlh, RTA_METRICS);
		mnl_attr_put_u32(nlh, RTAX_MTU, route->mtu);
		mnl_attr_nest_end(nlh, nest);
	}
	ret = nl_talk(rtnl->nl, NULL, NULL);
	if (!ret)
		return 0;
	cidr_text(text, &route->dst);
	return rtnl_fail(rtnl, ret, "Unable to %s route to %s in table %u",
			 type == RTM_NEWROUTE ? "add a" : "remove the", text,
			 table);
}

int rtnl_route_add(struct rtnl *rtnl, const struct rtnl_route *route)
{
	return rtnl_route_change(rtnl, RTM_NEWROUTE,
				 NLM_F_CREATE | NLM_F_EXCL, route);
}

int rtnl_route_del(struct rtnl *rtnl, const struct rtnl_route *route)
{
	return rtnl_route_change(rtnl, RTM_DELROUTE, 0, route);
}

static int rtnl_take_one_route(const struct nlmsghdr *nlh, void *data)
{
	rtnl_read_route(nlh, data);
	return 0;
}

int rtnl_route_find(struct rtnl *rtnl, const struct cidr *to, uint32_t mark,
		    struct rtnl_route *route)
{
	struct nlmsghdr *nlh = nl_request(rtnl->nl, RTM_GETROUTE, NLM_F_ACK);
	struct cidr host = cidr_host(to);
	struct rtmsg *msg;
	char text[CIDR_TEXT];
	int ret;

	memset(route, 0, sizeof(*route));
	msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	msg->rtm_family = host.family;
	msg->rtm_dst_len = host.len;
	/* Without it IPv4 says "main" whichever table it was. */
	msg->rtm_flags = RTM_F_LOOKUP_TABLE;
	rtnl_put_cidr(nlh, RTA_DST, &host);
	if (mark)
		mnl_attr_put_u32(nlh, RTA_MARK, mark);
	ret = nl_talk(rtnl->nl, rtnl_take_one_route, route);
	route->dst = host;
	switch (ret) {
	case 0:
		return route->type == RTN_UNICAST || route->type == RTN_LOCAL ?
		       0 : -ENETUNREACH;
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -EACCES:
	case -EINVAL:
	case -ENETDOWN:
	case -EAFNOSUPPORT:
	case -EOPNOTSUPP:
		return -ENETUNREACH;
	default:
		cidr_addr_text(text, &host);
		return rtnl_fail(rtnl, ret, "Unable to find the route to %s",
				 text);
	}
}

/*
 * Rules.
 */

/* Returns whether @rule says all there is to say. */
static bool rtnl_read_rule(const struct nlmsghdr *nlh, struct rtnl_rule *rule)
{
	const struct fib_rule_hdr *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[FRA_MAX + 1];

	rtnl_attrs(nlh, sizeof(*msg), attrs, FRA_MAX + 1);
	memset(rule, 0, sizeof(*rule));
	rule->family = msg->family;
	rule->table = attrs[FRA_TABLE] ? rtnl_get_u32(attrs[FRA_TABLE]) :
					 msg->table;
	rule->priority = rtnl_get_u32(attrs[FRA_PRIORITY]);
	rule->has_mark = attrs[FRA_FWMARK];
	rule->mark = rtnl_get_u32(attrs[FRA_FWMARK]);
	rule->invert = msg->flags & FIB_RULE_INVERT;
	rule->suppress = attrs[FRA_SUPPRESS_PREFIXLEN] ?
		(int)rtnl_get_u32(attrs[FRA_SUPPRESS_PREFIXLEN]) : -1;
	return msg->action == FR_ACT_TO_TBL && !msg->src_len &&
	       !msg->dst_len && !msg->tos && !attrs[FRA_IIFNAME] &&
	       !attrs[FRA_OIFNAME];
}

static bool rtnl_is_rule(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type == RTM_NEWRULE &&
	       mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct fib_rule_hdr);
}

static int rtnl_take_rule(const struct nlmsghdr *nlh, struct rtnl_dump *dump)
{
	struct rtnl_rule rule;

	if (!rtnl_is_rule(nlh))
		return 0;
	rtnl_read_rule(nlh, &rule);
	return dump->cb.rule(&rule, dump->data);
}

int rtnl_rules(struct rtnl *rtnl, uint16_t family, rtnl_rule_cb cb,
	       void *data)
{
	struct rtnl_dump dump = {
		.take = rtnl_take_rule, .cb.rule = cb, .data = data,
	};
	struct fib_rule_hdr msg = { .family = family };

	return rtnl_dump(rtnl, RTM_GETRULE, &msg, sizeof(msg), &dump, "rules");
}

static int rtnl_rule_change(struct rtnl *rtnl, uint16_t type, uint16_t flags,
			    const struct rtnl_rule *rule)
{
	struct nlmsghdr *nlh = nl_request(rtnl->nl, type, NLM_F_ACK | flags);
	struct fib_rule_hdr *msg;
	int ret;

	msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	msg->family = rule->family;
	msg->action = FR_ACT_TO_TBL;
	msg->flags = rule->invert ? FIB_RULE_INVERT : 0;
	msg->table = rule->table < 256 ? rule->table : RT_TABLE_UNSPEC;
	mnl_attr_put_u32(nlh, FRA_TABLE, rule->table);
	if (rule->priority)
		mnl_attr_put_u32(nlh, FRA_PRIORITY, rule->priority);
	if (rule->has_mark)
		mnl_attr_put_u32(nlh, FRA_FWMARK, rule->mark);
	if (rule->suppress >= 0)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, rule->suppress);
	ret = nl_talk(rtnl->nl, NULL, NULL);
	if (!ret)
		return 0;
	return rtnl_fail(rtnl, ret, "Unable to %s rule for table %u",
			 type == RTM_NEWRULE ? "add a" : "remove the",
			 rule->table);
}

int rtnl_rule_add(struct rtnl *rtnl, const struct rtnl_rule *rule)
{
	return rtnl_rule_change(rtnl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL,
				rule);
}

struct rtnl_same_rule {
	const struct rtnl_rule *like;
	struct rtnl_rule found;
};

static int rtnl_take_same_rule(const struct nlmsghdr *nlh,
			       struct rtnl_dump *dump)
{
	struct rtnl_same_rule *same = dump->data;
	const struct rtnl_rule *like = same->like;
	struct rtnl_rule rule;

	if (rtnl_is_rule(nlh) && rtnl_read_rule(nlh, &rule) &&
	    rule.family == like->family && rule.table == like->table &&
	    (!like->priority || rule.priority == like->priority) &&
	    rule.has_mark == like->has_mark &&
	    (!rule.has_mark || rule.mark == like->mark) &&
	    rule.invert == like->invert && rule.suppress == like->suppress)
		same->found = rule;
	return 0;
}

/*
 * Left to search on its own the kernel takes what is not said for "any", and
 * "not" for nothing: it would remove rules of others.
 */
int rtnl_rule_del(struct rtnl *rtnl, const struct rtnl_rule *rule)
{
	struct rtnl_same_rule same = { .like = rule };
	struct rtnl_dump dump = {
		.take = rtnl_take_same_rule, .data = &same,
	};
	struct fib_rule_hdr msg = { .family = rule->family };
	int ret;

	ret = rtnl_dump(rtnl, RTM_GETRULE, &msg, sizeof(msg), &dump, "rules");
	if (ret)
		return ret;
	if (!same.found.priority)
		return ctx_fail(rtnl->ctx, -ENOENT,
				"There is no such rule for table %u to remove",
				rule->table);
	return rtnl_rule_change(rtnl, RTM_DELRULE, 0, &same.found);
}
