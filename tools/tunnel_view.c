// SPDX-License-Identifier: GPL-2.0
/* The peers and allowed IPs of a device, sorted. (layer 2) */
#include "tunnel_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int tunnel_view_compare_pairs(const void *a, const void *b)
{
	const struct tunnel_view_pair *x = a, *y = b;

	return memcmp(x->peer->public_key, y->peer->public_key, WG_KEY_LEN);
}

static int tunnel_view_compare_nets(const struct cidr *a, const struct cidr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(&a->ip, &b->ip, cidr_max(a->family) / 8);
}

static int tunnel_view_compare_prefixes(const void *a, const void *b)
{
	const struct tunnel_view_prefix *x = a, *y = b;
	int ret = tunnel_view_compare_nets(&x->net, &y->net);

	if (ret)
		return ret;
	return x->order < y->order ? -1 : x->order > y->order;
}

struct cidr tunnel_view_net(const struct model_allowedip *aip)
{
	struct cidr cidr = model_allowedip_cidr(aip);

	return cidr_network(&cidr);
}

void tunnel_view_free(struct tunnel_view *view)
{
	free(view->pairs);
	free(view->prefixes);
}

/* Of equal prefixes, which come in their order, the last one stays. */
static void tunnel_view_unique(struct tunnel_view *view)
{
	struct tunnel_view_prefix *all = view->prefixes;
	size_t i, n = 0;

	for (i = 0; i < view->n_prefixes; i++) {
		if (n && !tunnel_view_compare_nets(&all[n - 1].net,
						    &all[i].net))
			n--;
		all[n++] = all[i];
	}
	view->n_prefixes = n;
}

int tunnel_view_make(struct tunnel_view *view, const struct model_device *dev)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;
	size_t peers = 0, prefixes = 0;

	memset(view, 0, sizeof(*view));
	for (peer = dev->first; peer; peer = peer->next) {
		peers++;
		for (aip = peer->first; aip; aip = aip->next)
			prefixes++;
	}
	view->pairs = calloc(peers + 1, sizeof(*view->pairs));
	view->prefixes = calloc(prefixes + 1, sizeof(*view->prefixes));
	if (!view->pairs || !view->prefixes)
		return -ENOMEM;
	for (peer = dev->first; peer; peer = peer->next) {
		view->pairs[view->n_pairs++].peer = peer;
		for (aip = peer->first; aip; aip = aip->next) {
			size_t n = view->n_prefixes++;

			view->prefixes[n].net = tunnel_view_net(aip);
			view->prefixes[n].order = n;
			view->prefixes[n].peer = peer;
		}
	}
	qsort(view->pairs, peers, sizeof(*view->pairs),
	      tunnel_view_compare_pairs);
	qsort(view->prefixes, prefixes, sizeof(*view->prefixes),
	      tunnel_view_compare_prefixes);
	tunnel_view_unique(view);
	return 0;
}

struct tunnel_view_pair *tunnel_view_find(const struct tunnel_view *view,
					  const struct model_peer *peer)
{
	struct tunnel_view_pair want = { .peer = peer }, *hit;

	hit = bsearch(&want, view->pairs, view->n_pairs, sizeof(want),
		      tunnel_view_compare_pairs);
	/* Of several sections with one key it is always the same one. */
	while (hit && hit > view->pairs &&
	       !tunnel_view_compare_pairs(hit - 1, hit))
		hit--;
	return hit;
}

static int tunnel_view_match_prefix(const void *net, const void *prefix)
{
	const struct tunnel_view_prefix *p = prefix;

	return tunnel_view_compare_nets(net, &p->net);
}

const struct model_peer *tunnel_view_owner(const struct tunnel_view *view,
					   const struct cidr *net)
{
	const struct tunnel_view_prefix *hit;

	hit = bsearch(net, view->prefixes, view->n_prefixes, sizeof(*hit),
		      tunnel_view_match_prefix);
	return hit ? hit->peer : NULL;
}
