/* SPDX-License-Identifier: GPL-2.0 */
/* Links, addresses, routes and rules of the host. (layer 2) */
#ifndef _WG_RTNL_H
#define _WG_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "cidr.h"
#include "ctx.h"

struct rtnl;

/*
 * Every function that talks to the kernel returns 0 or a negative errno with
 * an error text, unless it says otherwise.
 */

/**
 * struct rtnl_link - a network interface
 * @index:	its number
 * @name:	its name
 * @kind:	like "wireguard"; empty for hardware
 * @flags:	IFF_*
 * @mtu:	bytes
 */
struct rtnl_link {
	int index;
	char name[IF_NAMESIZE];
	char kind[16];
	unsigned int flags;
	unsigned int mtu;
};

/**
 * struct rtnl_addr - an address of an interface
 * @index:	interface
 * @addr:	address with the length of its network
 * @scope:	RT_SCOPE_*
 */
struct rtnl_addr {
	int index;
	struct cidr addr;
	uint8_t scope;
};

/**
 * struct rtnl_route - a route
 * @dst:	destination
 * @table:	routing table
 * @index:	outgoing interface, 0 if none
 * @gateway:	family AF_UNSPEC if none
 * @source:	preferred source, family AF_UNSPEC if none
 * @metric:	priority
 * @mtu:	of the route, 0 if it has none of its own
 * @protocol:	RTPROT_*
 * @type:	RTN_*
 */
struct rtnl_route {
	struct cidr dst;
	uint32_t table;
	int index;
	struct cidr gateway;
	struct cidr source;
	uint32_t metric;
	uint32_t mtu;
	uint8_t protocol;
	uint8_t type;
};

/**
 * struct rtnl_rule - a rule of policy routing
 * @family:	AF_INET or AF_INET6
 * @table:	where to look
 * @priority:	0: the kernel chooses
 * @has_mark:	@mark counts
 * @mark:	firewall mark
 * @invert:	"not"
 * @suppress:	longest prefix that is ignored, -1 if none is
 */
struct rtnl_rule {
	uint16_t family;
	uint32_t table;
	uint32_t priority;
	bool has_mark;
	uint32_t mark;
	bool invert;
	int suppress;
};

/*
 * The callbacks return 0 or a negative errno, which ends up in the result.
 * They must not use the socket, and may see an entry twice: what changes while
 * it is listed is listed again.
 */
typedef int (*rtnl_link_cb)(const struct rtnl_link *link, void *data);
typedef int (*rtnl_addr_cb)(const struct rtnl_addr *addr, void *data);
typedef int (*rtnl_route_cb)(const struct rtnl_route *route, void *data);
typedef int (*rtnl_rule_cb)(const struct rtnl_rule *rule, void *data);

/**
 * rtnl_open() - a socket
 * @ctx:	the run, stays with the result
 * @rtnl:	result, to be closed with rtnl_close()
 */
int rtnl_open(struct ctx *ctx, struct rtnl **rtnl);

/**
 * rtnl_close() - close it
 * @rtnl:	may be NULL
 */
void rtnl_close(struct rtnl *rtnl);

/**
 * rtnl_links() - all links
 * @rtnl:	socket
 * @cb:		called for each
 * @data:	for @cb
 */
int rtnl_links(struct rtnl *rtnl, rtnl_link_cb cb, void *data);

/**
 * rtnl_link_find() - one link
 * @rtnl:	socket
 * @name:	its name
 * @link:	result
 *
 * Return: -ENODEV without an error text if there is none.
 */
int rtnl_link_find(struct rtnl *rtnl, const char *name,
		   struct rtnl_link *link);

/**
 * rtnl_link_add() - make a link of kind "wireguard", down
 * @rtnl:	socket
 * @name:	its name
 *
 * The error text says what to do if the kernel knows no such kind.
 */
int rtnl_link_add(struct rtnl *rtnl, const char *name);

/**
 * rtnl_link_del() - remove a link
 * @rtnl:	socket
 * @index:	its number
 */
int rtnl_link_del(struct rtnl *rtnl, int index);

/**
 * rtnl_link_set() - change flags and MTU
 * @rtnl:	socket
 * @index:	its number
 * @flags:	IFF_UP, IFF_MULTICAST
 * @mask:	which of them to change
 * @mtu:	0 leaves it
 */
int rtnl_link_set(struct rtnl *rtnl, int index, unsigned int flags,
		  unsigned int mask, unsigned int mtu);

/**
 * rtnl_addrs() - all addresses
 * @rtnl:	socket
 * @index:	of this interface, 0 for all
 * @cb:		called for each
 * @data:	for @cb
 */
int rtnl_addrs(struct rtnl *rtnl, int index, rtnl_addr_cb cb, void *data);

/**
 * rtnl_addr_add() - give an interface an address
 * @rtnl:	socket
 * @index:	interface
 * @addr:	address with the length of its network
 */
int rtnl_addr_add(struct rtnl *rtnl, int index, const struct cidr *addr);

/**
 * rtnl_addr_del() - take it away
 * @rtnl:	socket
 * @index:	interface
 * @addr:	address with the length of its network
 */
int rtnl_addr_del(struct rtnl *rtnl, int index, const struct cidr *addr);

/**
 * rtnl_routes() - all routes of all tables
 * @rtnl:	socket
 * @family:	AF_INET or AF_INET6
 * @cb:		called for each; "cache" entries are left out
 * @data:	for @cb
 */
int rtnl_routes(struct rtnl *rtnl, uint16_t family, rtnl_route_cb cb,
		void *data);

/**
 * rtnl_route_add() - make a route
 * @rtnl:	socket
 * @route:	@table 0 is the main table; -EEXIST if it is there already
 */
int rtnl_route_add(struct rtnl *rtnl, const struct rtnl_route *route);

/**
 * rtnl_route_del() - remove a route
 * @rtnl:	socket
 * @route:	as for rtnl_route_add()
 */
int rtnl_route_del(struct rtnl *rtnl, const struct rtnl_route *route);

/**
 * rtnl_route_find() - how the kernel would send to an address
 * @rtnl:	socket
 * @to:		a host
 * @mark:	firewall mark of the packet
 * @route:	result; its @dst is @to
 *
 * Return: -ENETUNREACH without an error text if there is no way, also where
 * the family is switched off.
 */
int rtnl_route_find(struct rtnl *rtnl, const struct cidr *to, uint32_t mark,
		    struct rtnl_route *route);

/**
 * rtnl_rules() - all rules
 * @rtnl:	socket
 * @family:	AF_INET or AF_INET6
 * @cb:		called for each
 * @data:	for @cb
 */
int rtnl_rules(struct rtnl *rtnl, uint16_t family, rtnl_rule_cb cb,
	       void *data);

/**
 * rtnl_rule_add() - make a rule
 * @rtnl:	socket
 * @rule:	rule
 */
int rtnl_rule_add(struct rtnl *rtnl, const struct rtnl_rule *rule);

/**
 * rtnl_rule_del() - remove one rule that is like this
 * @rtnl:	socket
 * @rule:	rule; @priority 0 fits any, all else must be the same
 *
 * Return: -ENOENT if there is none.
 */
int rtnl_rule_del(struct rtnl *rtnl, const struct rtnl_rule *rule);

#endif /* _WG_RTNL_H */
