/* SPDX-License-Identifier: GPL-2.0 */
/* The peers and allowed IPs of a device, sorted. (layer 2) */
#ifndef _WG_TUNNEL_VIEW_H
#define _WG_TUNNEL_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "cidr.h"
#include "model.h"

/**
 * struct tunnel_view_pair - a peer of a device
 * @peer:	peer
 * @made:	one with the same key that is being written, or NULL
 * @replace:	all its allowed IPs are sent
 */
struct tunnel_view_pair {
	const struct model_peer *peer;
	struct model_peer *made;
	bool replace;
};

/**
 * struct tunnel_view_prefix - an allowed IP
 * @net:	without host bits
 * @order:	its place in the device
 * @peer:	whose it is
 */
struct tunnel_view_prefix {
	struct cidr net;
	size_t order;
	const struct model_peer *peer;
};

/**
 * struct tunnel_view - a device, sorted
 * @pairs:	by key
 * @n_pairs:	how many
 * @prefixes:	by network; of those that are said twice only the last
 * @n_prefixes:	how many
 */
struct tunnel_view {
	struct tunnel_view_pair *pairs;
	size_t n_pairs;
	struct tunnel_view_prefix *prefixes;
	size_t n_prefixes;
};

/**
 * tunnel_view_make() - sort a device
 * @view:	result, to be freed with tunnel_view_free(), also on failure
 * @dev:	device, stays as it is while @view is in use
 *
 * Return: 0 or -ENOMEM.
 */
int tunnel_view_make(struct tunnel_view *view, const struct model_device *dev);

/**
 * tunnel_view_free() - free it
 * @view:	may be all zeros
 */
void tunnel_view_free(struct tunnel_view *view);

/**
 * tunnel_view_find() - a peer by its key
 * @view:	view
 * @peer:	one with that key
 *
 * Return: the peer or NULL; always the same one of several with that key.
 */
struct tunnel_view_pair *tunnel_view_find(const struct tunnel_view *view,
					  const struct model_peer *peer);

/**
 * tunnel_view_owner() - whose an allowed IP is
 * @view:	view
 * @net:	network without host bits
 *
 * Return: a peer or NULL.
 */
const struct model_peer *tunnel_view_owner(const struct tunnel_view *view,
					   const struct cidr *net);

/**
 * tunnel_view_net() - an allowed IP without host bits
 * @aip:	entry
 */
struct cidr tunnel_view_net(const struct model_allowedip *aip);

#endif /* _WG_TUNNEL_VIEW_H */
