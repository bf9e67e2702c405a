// SPDX-License-Identifier: GPL-2.0
/* Links and addresses of the host. (layer 2) */
#include "rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl_msg.h"

/* A dump that changes while it is read is read again, so many times. */
#define RTNL_TRIES	10

int rtnl_open(struct ctx *ctx, struct rtnl **out)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int ret;

	*out = NULL;
	if (!rtnl)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	rtnl->ctx = ctx;
	ret = nl_open(&rtnl->nl, NETLINK_ROUTE);
	if (ret) {
		free(rtnl);
		return ctx_fail(ctx, ret, "Unable to open a netlink socket: %s",
				strerror(-ret));
	}
	*out = rtnl;
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	nl_close(rtnl->nl);
	free(rtnl);
}

int rtnl_fail(struct rtnl *rtnl, int err, const char *fmt, ...)
{
	const char *words = nl_text(rtnl->nl);
	char what[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return ctx_fail(rtnl->ctx, err, "%s: %s%s%s%s", what, strerror(-err),
			*words ? " (" : "", words, *words ? ")" : "");
}

/* What people call a link; its number once it is gone. */
static const char *rtnl_name(char name[IF_NAMESIZE], int index)
{
	if (!if_indextoname(index, name))
		snprintf(name, IF_NAMESIZE, "link %d", index);
	return name;
}

/*
 * Attributes.
 */

int rtnl_take_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **table = data;
	uint16_t type = mnl_attr_get_type(attr);

	/* The first slot, which no attribute has, holds the table's size. */
	if (type && type < (uintptr_t)table[0])
		table[type] = attr;
	return MNL_CB_OK;
}

void rtnl_attrs(const struct nlmsghdr *nlh, size_t size,
		const struct nlattr **table, size_t n)
{
	memset(table, 0, n * sizeof(*table));
	table[0] = (const struct nlattr *)(uintptr_t)n;
	if (mnl_nlmsg_get_payload_len(nlh) >= size)
		mnl_attr_parse(nlh, size, rtnl_take_attr, table);
}

uint32_t rtnl_get_u32(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= 4 ?
	       mnl_attr_get_u32(attr) : 0;
}

static void rtnl_get_text(char *to, size_t size, const struct nlattr *attr)
{
	*to = '\0';
	if (attr)
		snprintf(to, size, "%.*s",
			 (int)mnl_attr_get_payload_len(attr),
			 mnl_attr_get_str(attr));
}

bool rtnl_get_cidr(struct cidr *cidr, uint8_t family, uint8_t len,
		   const struct nlattr *attr)
{
	size_t size = family == AF_INET ? 4 : 16;

	memset(cidr, 0, sizeof(*cidr));
	if (family != AF_INET && family != AF_INET6)
		return false;
	if (attr && mnl_attr_get_payload_len(attr) < size)
		return false;
	cidr->family = family;
	cidr->len = len;
	if (attr)
		memcpy(&cidr->ip, mnl_attr_get_payload(attr), size);
	return true;
}

void rtnl_put_cidr(struct nlmsghdr *nlh, uint16_t type,
		   const struct cidr *cidr)
{
	mnl_attr_put(nlh, type, cidr_max(cidr->family) / 8, &cidr->ip);
}

/*
 * Dumps.
 */

static int rtnl_take(const struct nlmsghdr *nlh, void *data)
{
	struct rtnl_dump *dump = data;

	return dump->take(nlh, dump);
}

int rtnl_dump(struct rtnl *rtnl, uint16_t type, const void *header,
	      size_t size, struct rtnl_dump *dump, const char *what)
{
	struct nlmsghdr *nlh;
	int ret, tries = 0;

	do {
		nlh = nl_request(rtnl->nl, type, NLM_F_DUMP);
		memcpy(mnl_nlmsg_put_extra_header(nlh, size), header, size);
		ret = nl_talk(rtnl->nl, rtnl_take, dump);
	} while (ret == -EINTR && ++tries < RTNL_TRIES);
	if (ret == -EOPNOTSUPP || ret == -EAFNOSUPPORT)
		return 0;
	return ret ? rtnl_fail(rtnl, ret, "Unable to list %s", what) : 0;
}

/*
 * Links.
 */

static void rtnl_read_link(const struct nlmsghdr *nlh, struct rtnl_link *link)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[IFLA_MAX + 1];
	const struct nlattr *nested[IFLA_INFO_MAX + 1] = { 0 };

	rtnl_attrs(nlh, sizeof(*info), attrs, IFLA_MAX + 1);
	memset(link, 0, sizeof(*link));
	link->index = info->ifi_index;
	link->flags = info->ifi_flags;
	link->mtu = rtnl_get_u32(attrs[IFLA_MTU]);
	rtnl_get_text(link->name, sizeof(link->name), attrs[IFLA_IFNAME]);
	if (!attrs[IFLA_LINKINFO])
		return;
	nested[0] = (const struct nlattr *)(uintptr_t)(IFLA_INFO_MAX + 1);
	mnl_attr_parse_nested(attrs[IFLA_LINKINFO], rtnl_take_attr, nested);
	rtnl_get_text(link->kind, sizeof(link->kind), nested[IFLA_INFO_KIND]);
}

static int rtnl_take_link(const struct nlmsghdr *nlh, struct rtnl_dump *dump)
{
	struct rtnl_link link;

	if (nlh->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ifinfomsg))
		return 0;
	rtnl_read_link(nlh, &link);
	return dump->cb.link(&link, dump->data);
}

int rtnl_links(struct rtnl *rtnl, rtnl_link_cb cb, void *data)
{
	struct rtnl_dump dump = {
		.take = rtnl_take_link, .cb.link = cb, .data = data,
	};
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };

	return rtnl_dump(rtnl, RTM_GETLINK, &info, sizeof(info), &dump,
			 "links");
}

static int rtnl_take_one_link(const struct nlmsghdr *nlh, void *data)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		rtnl_read_link(nlh, data);
	return 0;
}

int rtnl_link_find(struct rtnl *rtnl, const char *name,
		   struct rtnl_link *link)
{
	struct nlmsghdr *nlh = nl_request(rtnl->nl, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *info;
	int ret;

	memset(link, 0, sizeof(*link));
	if (strlen(name) >= IF_NAMESIZE)
		return -ENODEV;
	info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	ret = nl_talk(rtnl->nl, rtnl_take_one_link, link);
	if (ret == -ENODEV || (!ret && !link->index))
		return -ENODEV;
	return ret ? rtnl_fail(rtnl, ret, "Unable to look for `%s'", name) : 0;
}

int rtnl_link_add(struct rtnl *rtnl, const char *name)
{
	struct nlmsghdr *nlh = nl_request(rtnl->nl, RTM_NEWLINK, NLM_F_ACK |
					  NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *nest;
	int ret;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	nest = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "wireguard");
	mnl_attr_nest_end(nlh, nest);
	ret = nl_talk(rtnl->nl, NULL, NULL);
	if (ret == -EOPNOTSUPP)
		return ctx_fail(rtnl->ctx, ret,
				"Unable to make `%s': this kernel has no WireGuard; `modprobe wireguard' loads it, or says why it cannot",
				name);
	return ret ? rtnl_fail(rtnl, ret, "Unable to make `%s'", name) : 0;
}

int rtnl_link_del(struct rtnl *rtnl, int index)
{
	struct nlmsghdr *nlh = nl_request(rtnl->nl, RTM_DELLINK, NLM_F_ACK);
	struct ifinfomsg *info;
	char name[IF_NAMESIZE];
	int ret;

	info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	info->ifi_index = index;
	ret = nl_talk(rtnl->nl, NULL, NULL);
	return ret ? rtnl_fail(rtnl, ret, "Unable to remove `%s'",
			       rtnl_name(name, index)) : 0;
}

int rtnl_link_set(struct rtnl *rtnl, int index, unsigned int flags,
		  unsigned int mask, unsigned int mtu)
{
	struct nlmsghdr *nlh = nl_request(rtnl->nl, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *info;
	char name[IF_NAMESIZE];
	int ret;

	info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	info->ifi_index = index;
	info->ifi_flags = flags & mask;
	info->ifi_change = mask;
	if (mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	ret = nl_talk(rtnl->nl, NULL, NULL);
	if (ret == -EADDRINUSE)
		return ctx_fail(rtnl->ctx, ret,
				"Unable to bring `%s' up: its listen port is in use by somebody else; choose another",
				rtnl_name(name, index));
	return ret ? rtnl_fail(rtnl, ret, "Unable to change `%s'",
			       rtnl_name(name, index)) : 0;
}

/*
 * Addresses.
 */

static int rtnl_take_addr(const struct nlmsghdr *nlh, struct rtnl_dump *dump)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[IFA_MAX + 1], *own;
	struct rtnl_addr addr;

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*msg) ||
	    (dump->index && msg->ifa_index != (unsigned int)dump->index))
		return 0;
	rtnl_attrs(nlh, sizeof(*msg), attrs, IFA_MAX + 1);
	/* With a peer at the other end, IFA_ADDRESS is the peer's. */
	own = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	addr.index = msg->ifa_index;
	addr.scope = msg->ifa_scope;
	if (!own || !rtnl_get_cidr(&addr.addr, msg->ifa_family,
				   msg->ifa_prefixlen, own))
		return 0;
	return dump->cb.addr(&addr, dump->data);
}

int rtnl_addrs(struct rtnl *rtnl, int index, rtnl_addr_cb cb, void *data)
{
	struct rtnl_dump dump = {
		.take = rtnl_take_addr, .index = index, .cb.addr = cb,
		.data = data,
	};
	struct ifaddrmsg msg = { .ifa_family = AF_UNSPEC };

	return rtnl_dump(rtnl, RTM_GETADDR, &msg, sizeof(msg), &dump,
			 "addresses");
}

static int rtnl_addr_change(struct rtnl *rtnl, uint16_t type, uint16_t flags,
			    int index, const struct cidr *addr)
{
	struct nlmsghdr *nlh = nl_request(rtnl->nl, type, NLM_F_ACK | flags);
	struct ifaddrmsg *msg;
	char text[CIDR_TEXT];
	int ret;

	msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	msg->ifa_family = addr->family;
	msg->ifa_prefixlen = addr->len;
	msg->ifa_index = index;
	rtnl_put_cidr(nlh, IFA_LOCAL, addr);
	rtnl_put_cidr(nlh, IFA_ADDRESS, addr);
	ret = nl_talk(rtnl->nl, NULL, NULL);
	if (!ret)
		return 0;
	cidr_text(text, addr);
	return rtnl_fail(rtnl, ret, "Unable to %s address %s",
			 type == RTM_NEWADDR ? "add" : "remove", text);
}

int rtnl_addr_add(struct rtnl *rtnl, int index, const struct cidr *addr)
{
	return rtnl_addr_change(rtnl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
				index, addr);
}

int rtnl_addr_del(struct rtnl *rtnl, int index, const struct cidr *addr)
{
	return rtnl_addr_change(rtnl, RTM_DELADDR, 0, index, addr);
}
