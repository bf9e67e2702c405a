/* SPDX-License-Identifier: GPL-2.0 */
/* The role of a file as firewall rules and kernel settings. (layer 6) */
#ifndef _WG_TUNNEL_RULES_H
#define _WG_TUNNEL_RULES_H

#include <stdbool.h>

#include "ctx.h"
#include "quick.h"
#include "tunnel_plan.h"

/**
 * tunnel_rules_needs_mark() - whether the tunnel's own packets must be known
 * @ctx:	the run
 * @quick:	file
 * @needs:	result
 *
 * Return: 0, or -EINVAL with an error text.
 */
int tunnel_rules_needs_mark(struct ctx *ctx, const struct quick *quick,
			    bool *needs);

/**
 * tunnel_rules_plan() - what the firewall shall do
 * @ctx:	the run
 * @quick:	file
 * @no_ipv6:	this host has no way to the IPv6 internet
 * @plan:	has addresses, routes and mark; gets the rules
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_rules_plan(struct ctx *ctx, const struct quick *quick, bool no_ipv6,
		      struct tunnel_plan *plan);

/**
 * tunnel_rules_forwards() - whether this host forwards packets of the tunnel
 * @plan:	has rules
 */
bool tunnel_rules_forwards(const struct tunnel_plan *plan);

#endif /* _WG_TUNNEL_RULES_H */
