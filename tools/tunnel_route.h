/* SPDX-License-Identifier: GPL-2.0 */
/* Routes into a tunnel, their rules, and the MTU. (layer 6) */
#ifndef _WG_TUNNEL_ROUTE_H
#define _WG_TUNNEL_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "ctx.h"
#include "model.h"
#include "quick.h"
#include "rtnl.h"
#include "tunnel_plan.h"

/**
 * tunnel_route_policy() - whether all of a family goes into the tunnel by rules
 * @quick:	file
 * @family:	AF_INET or AF_INET6
 */
bool tunnel_route_policy(const struct quick *quick, uint16_t family);

/**
 * tunnel_route_plan() - the routes of a file
 * @quick:	file
 * @want:	its peers, see tunnel_peers_want()
 * @plan:	has addresses and mark; gets the routes
 *
 * Return: 0 or -ENOMEM.
 */
int tunnel_route_plan(const struct quick *quick,
		      const struct model_device *want,
		      struct tunnel_plan *plan);

/**
 * tunnel_route_mtu() - what fits into the paths to all endpoints
 * @ctx:	the run
 * @rtnl:	socket
 * @want:	peers; of those without an endpoint that of @have counts
 * @have:	what runs
 * @mark:	firewall mark of the tunnel's own packets
 * @index:	of the tunnel, 0 if it is not made yet
 * @mtu:	result
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_route_mtu(struct ctx *ctx, struct rtnl *rtnl,
		     const struct model_device *want,
		     const struct model_device *have, uint32_t mark, int index,
		     unsigned int *mtu);

/**
 * tunnel_route_free_table() - a routing table that nobody uses
 * @ctx:	the run
 * @rtnl:	socket
 * @table:	result, from TUNNEL_FIRST_TABLE on
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_route_free_table(struct ctx *ctx, struct rtnl *rtnl,
			    uint32_t *table);

/**
 * tunnel_route_read() - the routes that an interface has
 * @ctx:	the run
 * @rtnl:	socket
 * @index:	interface
 * @have:	gets them, sorted
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_route_read(struct ctx *ctx, struct rtnl *rtnl, int index,
		      struct tunnel_plan *have);

/**
 * tunnel_route_has_rules() - whether the rules of a route are in place
 * @rtnl:	socket
 * @route:	with @policy
 * @has:	result
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_route_has_rules(struct rtnl *rtnl, const struct tunnel_route *route,
			   bool *has);

/**
 * tunnel_route_add_rules() - send to the table of a route what is not the
 *			      tunnel's own
 * @rtnl:	socket
 * @route:	with @policy
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_route_add_rules(struct rtnl *rtnl, const struct tunnel_route *route);

/**
 * tunnel_route_del_rules() - the reverse; what is not there is none
 * @rtnl:	socket
 * @route:	with @policy
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_route_del_rules(struct rtnl *rtnl, const struct tunnel_route *route);

/**
 * tunnel_route_add() - make a route
 * @rtnl:	socket
 * @index:	interface
 * @route:	route
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_route_add(struct rtnl *rtnl, int index,
		     const struct tunnel_route *route);

/**
 * tunnel_route_del() - remove a route
 * @rtnl:	socket
 * @index:	interface
 * @route:	route
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_route_del(struct rtnl *rtnl, int index,
		     const struct tunnel_route *route);

#endif /* _WG_TUNNEL_ROUTE_H */
