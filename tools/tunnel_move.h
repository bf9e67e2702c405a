/* SPDX-License-Identifier: GPL-2.0 */
/* From what a tunnel made on this host to what it shall make. (layer 6) */
#ifndef _WG_TUNNEL_MOVE_H
#define _WG_TUNNEL_MOVE_H

#include <stdbool.h>

#include "ctx.h"
#include "model.h"
#include "rtnl.h"
#include "tunnel_plan.h"

/**
 * struct tunnel - one tunnel in work
 * @ctx:	the run
 * @rtnl:	socket
 * @index:	of the interface, 0 while there is none
 * @tell:	called for each step instead of doing it; NULL: do them
 * @data:	for @tell
 * @stubborn:	go on behind a failure
 * @flags:	&enum tunnel_diff_flags
 * @from:	what is made
 * @to:		what shall be made; tells in the end what could be
 * @want:	device as it shall run
 * @have:	device as it ran before
 */
struct tunnel {
	struct ctx *ctx;
	struct rtnl *rtnl;
	int index;
	void (*tell)(void *data, const char *line);
	void *data;
	bool stubborn;
	unsigned int flags;
	struct tunnel_plan from;
	struct tunnel_plan to;
	struct model_device *want;
	struct model_device *have;
};

/**
 * tunnel_move_tells() - tell a step if that is all that is to be done with it
 * @t:		tunnel
 * @fmt:	one line
 *
 * Return: whether the step is left out.
 */
bool tunnel_move_tells(struct tunnel *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * tunnel_move() - change what differs
 * @t:		tunnel whose interface exists, unless steps are only told
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_move(struct tunnel *t);

/**
 * tunnel_move_back() - make it what it was before tunnel_move() failed
 * @t:		tunnel
 *
 * Return: 0 or negative errno with an error text; goes on behind a failure.
 */
int tunnel_move_back(struct tunnel *t);

/**
 * tunnel_move_down() - undo @from, and remove the interface
 * @t:		tunnel
 *
 * Return: 0 or negative errno with an error text; goes on behind a failure.
 */
int tunnel_move_down(struct tunnel *t);

#endif /* _WG_TUNNEL_MOVE_H */
