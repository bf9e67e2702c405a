/* SPDX-License-Identifier: GPL-2.0 */
/* A file made real: link, peers, addresses, routes, rules. (layer 6) */
#ifndef _WG_TUNNEL_H
#define _WG_TUNNEL_H

#include <stdbool.h>

#include "ctx.h"
#include "quick.h"

/**
 * tunnel_up() - bring a file up
 * @ctx:	the run
 * @quick:	file
 * @dry:	only say what would be done
 *
 * A step that fails undoes those before it.  A host name that does not resolve
 * is told and leaves its peer without an endpoint; name servers that cannot be
 * set are told; neither stops the rest.  SIGINT, SIGTERM and SIGHUP are like a
 * failure of the next step.
 *
 * Names take their time: if the file was changed meanwhile that is a failure,
 * too, and the right thing is to read it and start over.
 *
 * Return: 0, -EINTR after a signal, -ESTALE if the file was changed, -EEXIST if
 * there is such an interface, or negative errno, with an error text.
 */
int tunnel_up(struct ctx *ctx, const struct quick *quick, bool dry);

/**
 * tunnel_down() - take it down
 * @ctx:	the run
 * @quick:	file; NULL if there is none: hooks are left out
 * @name:	interface
 * @dry:	only say what would be done
 *
 * Undoes what tunnel_up() noted in the run directory, goes on if a part fails.
 * The notes stay then, also without the interface, for the next attempt.
 *
 * Return: 0, -ENODEV if it is not up, or negative errno, with an error text.
 */
int tunnel_down(struct ctx *ctx, const struct quick *quick, const char *name,
		bool dry);

/**
 * tunnel_down_file() - the same, and write what ran into the file if it says
 *			SaveConfig
 * @ctx:	the run
 * @quick:	file
 * @path:	its place
 * @dry:	only say what would be done
 *
 * Return: as tunnel_down().
 */
int tunnel_down_file(struct ctx *ctx, const struct quick *quick,
		     const char *path, bool dry);

/**
 * tunnel_apply() - make what runs like the file, changing only what differs
 * @ctx:	the run
 * @quick:	file
 * @dry:	only say what would be done
 *
 * Peers that did not change are not touched: sessions, counters and learned
 * endpoints stay.  An interface that is not up is brought up.
 *
 * Return: 0, -EINTR after a signal, -ESTALE if the file was changed meanwhile,
 * or negative errno, with an error text.
 */
int tunnel_apply(struct ctx *ctx, const struct quick *quick, bool dry);

/**
 * tunnel_differences() - what tunnel_apply() would do
 * @ctx:	the run
 * @quick:	file
 * @tell:	called for each step
 * @data:	for @tell
 *
 * Host names are not asked for.
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_differences(struct ctx *ctx, const struct quick *quick,
		       void (*tell)(void *data, const char *line), void *data);

/**
 * tunnel_is_up() - whether there is a WireGuard interface of this name
 * @ctx:	the run
 * @name:	interface
 */
bool tunnel_is_up(struct ctx *ctx, const char *name);

#endif /* _WG_TUNNEL_H */
