// SPDX-License-Identifier: GPL-2.0
/* A device as read from, or wanted of, an implementation. (layer 1) */
#include "model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"

struct model_device *model_device_create(const char *name)
{
	struct model_device *dev = calloc(1, sizeof(*dev));

	if (dev)
		snprintf(dev->name, sizeof(dev->name), "%s", name);
	return dev;
}

void model_clear_allowedips(struct model_peer *peer)
{
	struct model_allowedip *aip;

	while ((aip = peer->first)) {
		peer->first = aip->next;
		free(aip);
	}
	peer->last = NULL;
}

static void model_peer_free(struct model_peer *peer)
{
	model_clear_allowedips(peer);
	free(peer->name);
	free(peer->host);
	explicit_bzero(peer, sizeof(*peer));
	free(peer);
}

void model_device_reset(struct model_device *dev)
{
	struct model_peer *peer;
	char name[MODEL_NAME_SIZE];

	while ((peer = dev->first)) {
		dev->first = peer->next;
		model_peer_free(peer);
	}
	memcpy(name, dev->name, sizeof(name));
	explicit_bzero(dev, sizeof(*dev));
	memcpy(dev->name, name, sizeof(name));
}

void model_device_free(struct model_device *dev)
{
	if (!dev)
		return;
	model_device_reset(dev);
	free(dev);
}

struct model_peer *model_add_peer(struct model_device *dev)
{
	struct model_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	if (dev->last)
		dev->last->next = peer;
	else
		dev->first = peer;
	dev->last = peer;
	return peer;
}

struct model_allowedip *model_add_allowedip(struct model_peer *peer)
{
	struct model_allowedip *aip = calloc(1, sizeof(*aip));

	if (!aip)
		return NULL;
	if (peer->last)
		peer->last->next = aip;
	else
		peer->first = aip;
	peer->last = aip;
	return aip;
}

static int model_compare_peers(const void *a, const void *b)
{
	const struct model_peer *const *x = a, *const *y = b;

	return memcmp((*x)->public_key, (*y)->public_key, WG_KEY_LEN);
}

/* The peers of a device, sorted by key; *count is at least one. */
static struct model_peer **model_sorted(const struct model_device *dev,
					size_t *count)
{
	struct model_peer **all, *peer;
	size_t n = 0;

	for (peer = dev->first; peer; peer = peer->next)
		n++;
	all = calloc(n, sizeof(struct model_peer *));
	if (!all)
		return NULL;
	*count = n;
	n = 0;
	for (peer = dev->first; peer; peer = peer->next)
		all[n++] = peer;
	qsort(all, n, sizeof(*all), model_compare_peers);
	return all;
}

static const struct model_peer *model_find(struct model_peer **sorted,
					   size_t n,
					   const struct model_peer *key)
{
	struct model_peer **hit;

	hit = bsearch(&key, sorted, n, sizeof(*sorted), model_compare_peers);
	return hit ? *hit : NULL;
}

/* What runs with @have but is not mentioned in @want is switched off. */
static void model_sync_peer(struct model_peer *want,
			    const struct model_peer *have)
{
	if (!(want->has & MODEL_PEER_PRESHARED_KEY) &&
	    !key_is_zero(have->preshared_key))
		want->has |= MODEL_PEER_PRESHARED_KEY;
	if (!(want->has & MODEL_PEER_KEEPALIVE) && have->keepalive)
		want->has |= MODEL_PEER_KEEPALIVE;
}

static int model_prepend_removal(struct model_device *dev,
				 const struct model_peer *victim)
{
	struct model_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return -ENOMEM;
	peer->has = MODEL_PEER_PUBLIC_KEY | MODEL_PEER_REMOVE;
	memcpy(peer->public_key, victim->public_key, WG_KEY_LEN);
	peer->next = dev->first;
	dev->first = peer;
	return 0;
}

int model_sync(struct model_device *want, const struct model_device *have)
{
	struct model_peer **wanted, **running, *peer;
	size_t n_wanted, n_running;
	int ret = 0;

	if (!want->first || !have->first) {
		want->has |= MODEL_DEVICE_REPLACE_PEERS;
		return 0;
	}
	want->has &= ~(uint32_t)MODEL_DEVICE_REPLACE_PEERS;
	wanted = model_sorted(want, &n_wanted);
	running = model_sorted(have, &n_running);
	if (!wanted || !running) {
		ret = -ENOMEM;
		goto out;
	}
	for (peer = want->first; peer; peer = peer->next) {
		const struct model_peer *old;

		old = model_find(running, n_running, peer);
		if (old)
			model_sync_peer(peer, old);
	}
	for (peer = have->first; peer && !ret; peer = peer->next) {
		if (!model_find(wanted, n_wanted, peer))
			ret = model_prepend_removal(want, peer);
	}
out:
	free(wanted);
	free(running);
	return ret;
}

socklen_t model_endpoint_size(const union model_endpoint *ep)
{
	switch (ep->sa.sa_family) {
	case AF_INET:
		return sizeof(ep->in);
	case AF_INET6:
		return sizeof(ep->in6);
	default:
		return 0;
	}
}

bool model_endpoint_text(char text[MODEL_ENDPOINT_TEXT],
			 const union model_endpoint *ep)
{
	char host[MODEL_ENDPOINT_TEXT - 16], port[8];

	if (!model_endpoint_size(ep) ||
	    getnameinfo(&ep->sa, model_endpoint_size(ep), host, sizeof(host),
			port, sizeof(port),
			NI_DGRAM | NI_NUMERICHOST | NI_NUMERICSERV))
		return false;
	snprintf(text, MODEL_ENDPOINT_TEXT,
		 ep->sa.sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
		 host, port);
	return true;
}

void model_allowedip_addr(char text[MODEL_ALLOWEDIP_TEXT],
			  const struct model_allowedip *aip)
{
	if (!inet_ntop(aip->family, &aip->ip, text, MODEL_ALLOWEDIP_TEXT))
		text[0] = '\0';
}

struct cidr model_allowedip_cidr(const struct model_allowedip *aip)
{
	struct cidr cidr = { .family = aip->family, .len = aip->cidr };

	if (aip->family == AF_INET)
		cidr.ip.in = aip->ip.in;
	else
		cidr.ip.in6 = aip->ip.in6;
	return cidr;
}

int model_add_cidr(struct model_peer *peer, const struct cidr *cidr)
{
	struct model_allowedip *aip = model_add_allowedip(peer);

	if (!aip)
		return -ENOMEM;
	aip->family = cidr->family;
	aip->cidr = cidr->len;
	if (cidr->family == AF_INET)
		aip->ip.in = cidr->ip.in;
	else
		aip->ip.in6 = cidr->ip.in6;
	return 0;
}
