/* SPDX-License-Identifier: GPL-2.0 */
/* Peers as a file wants them. (layer 6) */
#ifndef _WG_TUNNEL_PEERS_H
#define _WG_TUNNEL_PEERS_H

#include "ctx.h"
#include "model.h"
#include "tunnel_plan.h"

/**
 * tunnel_peers_want() - a device as a file says it, as the kernel would show it
 * @ctx:	the run; told of what the kernel would ignore
 * @file:	from the file
 * @want:	result, to be freed with model_device_free(); endpoints are not
 *		resolved
 *
 * A key that is said twice is one peer; an allowed IP that is said twice
 * belongs to the last who says it.
 *
 * Return: 0 or -ENOMEM with an error text.
 */
int tunnel_peers_want(struct ctx *ctx, const struct model_device *file,
		      struct model_device **want);

/**
 * tunnel_peers_resolve() - find the endpoints that have to be sent
 * @ctx:	the run; told of names that do not resolve
 * @want:	as tunnel_peers_want() made it; gets the endpoints
 * @have:	what runs
 * @known:	endpoints as the file said them when they were last sent;
 *		unknown if it is not noted
 * @hosts:	gets what is now said, but for names that did not resolve
 *
 * Endpoints that the kernel learned since stay: a peer is asked for only if
 * its line changed, or if it has none.
 *
 * Return: 0 or negative errno with an error text.
 */
int tunnel_peers_resolve(struct ctx *ctx, struct model_device *want,
			 const struct model_device *have,
			 const struct tunnel_plan *known,
			 struct tunnel_plan *hosts);

/**
 * tunnel_peers_unasked() - what tunnel_peers_resolve() would ask for
 * @want:	as tunnel_peers_want() made it
 * @have:	what runs
 * @known:	as for tunnel_peers_resolve()
 * @tell:	called with a line for each
 * @data:	for @tell
 *
 * Return: 0 or -ENOMEM.
 */
int tunnel_peers_unasked(const struct model_device *want,
			 const struct model_device *have,
			 const struct tunnel_plan *known,
			 void (*tell)(void *data, const char *line),
			 void *data);

#endif /* _WG_TUNNEL_PEERS_H */
