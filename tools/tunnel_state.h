/* SPDX-License-Identifier: GPL-2.0 */
/* Notes about what tunnels made on this host, to undo it. (layer 6) */
#ifndef _WG_TUNNEL_STATE_H
#define _WG_TUNNEL_STATE_H

#include <stdbool.h>

#include "ctx.h"
#include "fw.h"
#include "text.h"
#include "tunnel_plan.h"

/*
 * One file per tunnel, IF.state, a line per thing, written before anything is
 * changed.  Tunnels of other network namespaces than that of process 1 have
 * the number of theirs in the name, IF@NUMBER.state.
 */

/**
 * tunnel_state_read() - what is noted
 * @ctx:	the run
 * @plan:	as tunnel_plan_init() left it; @noted is false if there is
 *		nothing
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_state_read(struct ctx *ctx, struct tunnel_plan *plan);

/**
 * tunnel_state_exists() - whether anything is noted
 * @ctx:	the run
 * @name:	interface
 */
bool tunnel_state_exists(struct ctx *ctx, const char *name);

/**
 * tunnel_state_write() - note it
 * @ctx:	the run
 * @from:	what is made already and may have to be undone, NULL for nothing
 * @to:		what is going to be made
 *
 * What both have is taken from @from where old values matter.
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_state_write(struct ctx *ctx, const struct tunnel_plan *from,
		       const struct tunnel_plan *to);

/**
 * tunnel_state_remove() - forget it
 * @ctx:	the run
 * @name:	interface
 */
void tunnel_state_remove(struct ctx *ctx, const char *name);

/**
 * tunnel_state_others() - what is noted about other tunnels here
 * @ctx:	the run
 * @name:	interface that is left out
 * @cb:		called for each; not 0 ends it
 * @data:	for @cb
 *
 * Return: 0, what @cb returned, or negative errno with an error text.
 */
int tunnel_state_others(struct ctx *ctx, const char *name,
			int (*cb)(const struct tunnel_plan *plan, void *data),
			void *data);

/**
 * tunnel_state_lock() - let no other run of the program change this host
 * @ctx:	the run
 *
 * Return: a descriptor to be closed, or negative errno with an error text.
 */
int tunnel_state_lock(struct ctx *ctx);

/**
 * tunnel_state_put_fw() - rules as lines, the same for the same rules
 * @fw:		rules
 * @text:	appended to
 */
void tunnel_state_put_fw(const struct fw_rules *fw, struct text *text);

/**
 * tunnel_state_put_dns() - name servers as lines
 * @plan:	plan
 * @text:	appended to
 */
void tunnel_state_put_dns(const struct tunnel_plan *plan, struct text *text);

#endif /* _WG_TUNNEL_STATE_H */
