/* SPDX-License-Identifier: GPL-2.0 */
/* Messages to and from rtnetlink, for rtnl*.c alone. (layer 2) */
#ifndef _WG_RTNL_MSG_H
#define _WG_RTNL_MSG_H

#include <libmnl/libmnl.h>
#include <stddef.h>

#include "nl.h"
#include "rtnl.h"

struct rtnl {
	struct ctx *ctx;
	struct nl *nl;
};

/**
 * struct rtnl_dump - a listing
 * @take:	called for each message
 * @family:	for @take
 * @index:	for @take
 * @cb:		the caller's
 * @data:	for @cb
 */
struct rtnl_dump {
	int (*take)(const struct nlmsghdr *nlh, struct rtnl_dump *dump);
	uint16_t family;
	int index;
	union {
		rtnl_link_cb link;
		rtnl_addr_cb addr;
		rtnl_route_cb route;
		rtnl_rule_cb rule;
	} cb;
	void *data;
};

/**
 * rtnl_fail() - an error of the kernel as one line, its own words behind
 * @rtnl:	socket
 * @err:	negative errno
 * @fmt:	what could not be done
 *
 * Return: @err.
 */
int rtnl_fail(struct rtnl *rtnl, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * rtnl_take_attr() - put an attribute into a table, for mnl_attr_parse*()
 * @attr:	attribute
 * @data:	table by type; the first slot, which no attribute has, holds
 *		the number of slots
 */
int rtnl_take_attr(const struct nlattr *attr, void *data);

/**
 * rtnl_attrs() - the attributes of a message, by type
 * @nlh:	message
 * @size:	of the header before them
 * @table:	result; NULL where there is none
 * @n:		slots of @table
 */
void rtnl_attrs(const struct nlmsghdr *nlh, size_t size,
		const struct nlattr **table, size_t n);

/**
 * rtnl_get_u32() - a number
 * @attr:	attribute or NULL
 *
 * Return: 0 if there is none.
 */
uint32_t rtnl_get_u32(const struct nlattr *attr);

/**
 * rtnl_get_cidr() - an address
 * @cidr:	result
 * @family:	AF_INET or AF_INET6
 * @len:	prefix length
 * @attr:	address; NULL is 0.0.0.0 or ::
 *
 * Return: false for another family and for what is too short.
 */
bool rtnl_get_cidr(struct cidr *cidr, uint8_t family, uint8_t len,
		   const struct nlattr *attr);

/**
 * rtnl_put_cidr() - the reverse
 * @nlh:	message
 * @type:	of the attribute
 * @cidr:	address
 */
void rtnl_put_cidr(struct nlmsghdr *nlh, uint16_t type,
		   const struct cidr *cidr);

/**
 * rtnl_dump() - run a listing
 * @rtnl:	socket
 * @type:	RTM_GET*
 * @header:	of the request
 * @size:	of @header
 * @dump:	what to do with the answers
 * @what:	is listed, for errors
 *
 * Return: 0, also if the kernel has none of that, or negative errno with an
 * error text.
 */
int rtnl_dump(struct rtnl *rtnl, uint16_t type, const void *header,
	      size_t size, struct rtnl_dump *dump, const char *what);

#endif /* _WG_RTNL_MSG_H */
