/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel settings that tunnels need, and who else needs them. (layer 6) */
#ifndef _WG_TUNNEL_SYSCTL_H
#define _WG_TUNNEL_SYSCTL_H

#include "ctx.h"
#include "rtnl.h"
#include "tunnel_plan.h"

/**
 * tunnel_sysctl_plan() - the settings that a plan needs, with their old values
 * @ctx:	the run
 * @rtnl:	socket
 * @from:	what is made already; its old values count
 * @plan:	has routes and rules; gets the settings
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_sysctl_plan(struct ctx *ctx, struct rtnl *rtnl,
		       const struct tunnel_plan *from,
		       struct tunnel_plan *plan);

/**
 * tunnel_sysctl_differs() - whether a setting has to be made
 * @sysctl:	setting
 * @now:	result: what it is; "none" if it cannot be read
 */
bool tunnel_sysctl_differs(const struct tunnel_sysctl *sysctl,
			   char now[FILE_SYSCTL_SIZE]);

/**
 * tunnel_sysctl_restore() - bring old values back
 * @ctx:	the run
 * @rtnl:	socket
 * @from:	what was made
 * @to:		what stays: its settings are left alone
 * @tell:	called for each instead of changing it, may be NULL
 * @data:	for @tell
 *
 * What another tunnel needs stays as well, and what somebody else changed since.
 *
 * Return: 0 or negative errno with an error text; goes on behind a failure.
 */
int tunnel_sysctl_restore(struct ctx *ctx, struct rtnl *rtnl,
			  const struct tunnel_plan *from,
			  const struct tunnel_plan *to,
			  void (*tell)(void *data, const char *line),
			  void *data);

#endif /* _WG_TUNNEL_SYSCTL_H */
