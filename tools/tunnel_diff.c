// SPDX-License-Identifier: GPL-2.0
/* What must be sent to make one device like another. (layer 3) */
#include "tunnel_diff.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base64.h"
#include "text.h"
#include "tunnel_view.h"

/* One comparison: both sides, and what comes out of it. */
struct tunnel_diff {
	const struct model_device *want;
	const struct model_device *have;
	struct tunnel_view wanted;
	struct tunnel_view running;
	struct model_device *change;
	unsigned int flags;
};

static bool tunnel_diff_same(const struct model_peer *a,
			     const struct model_peer *b)
{
	return a && b && !memcmp(a->public_key, b->public_key, WG_KEY_LEN);
}

static bool tunnel_diff_same_endpoint(const union model_endpoint *a,
				      const union model_endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->in6.sin6_port == b->in6.sin6_port &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	       !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
		       sizeof(a->in6.sin6_addr));
}

static void tunnel_diff_device(struct tunnel_diff *d)
{
	const struct model_device *want = d->want, *have = d->have;
	struct model_device *to = d->change;

	if (want->has & MODEL_DEVICE_PRIVATE_KEY &&
	    memcmp(want->private_key, have->private_key, WG_KEY_LEN)) {
		to->has |= MODEL_DEVICE_PRIVATE_KEY;
		memcpy(to->private_key, want->private_key, WG_KEY_LEN);
	}
	if (want->has & MODEL_DEVICE_LISTEN_PORT &&
	    want->listen_port != have->listen_port) {
		to->has |= MODEL_DEVICE_LISTEN_PORT;
		to->listen_port = want->listen_port;
	}
	if (want->has & MODEL_DEVICE_FWMARK && want->fwmark != have->fwmark) {
		to->has |= MODEL_DEVICE_FWMARK;
		to->fwmark = want->fwmark;
	}
}

static int tunnel_diff_removed(struct tunnel_diff *d)
{
	const struct model_peer *peer;
	struct model_peer *gone;

	for (peer = d->have->first; peer; peer = peer->next) {
		if (d->flags & TUNNEL_DIFF_KEEP ||
		    tunnel_view_find(&d->wanted, peer))
			continue;
		gone = model_add_peer(d->change);
		if (!gone)
			return -ENOMEM;
		gone->has = MODEL_PEER_PUBLIC_KEY | MODEL_PEER_REMOVE;
		memcpy(gone->public_key, peer->public_key, WG_KEY_LEN);
	}
	return 0;
}

/* The change of a peer, begun when first needed. */
static struct model_peer *tunnel_diff_change(struct tunnel_diff *d,
					     const struct model_peer *want)
{
	struct tunnel_view_pair *pair = tunnel_view_find(&d->wanted, want);

	if (pair->made)
		return pair->made;
	pair->made = model_add_peer(d->change);
	if (!pair->made)
		return NULL;
	pair->made->has = MODEL_PEER_PUBLIC_KEY;
	/* Who vanished meanwhile is not made anew with half of its settings. */
	if (tunnel_view_find(&d->running, want))
		pair->made->has |= MODEL_PEER_UPDATE_ONLY;
	memcpy(pair->made->public_key, want->public_key, WG_KEY_LEN);
	return pair->made;
}

static bool tunnel_diff_setting_differs(const struct model_peer *want,
					const struct model_peer *have,
					uint32_t what)
{
	if (what == MODEL_PEER_PRESHARED_KEY)
		return memcmp(want->preshared_key, have->preshared_key,
			      WG_KEY_LEN);
	if (what == MODEL_PEER_KEEPALIVE)
		return want->keepalive != have->keepalive;
	return want->has & MODEL_PEER_ENDPOINT &&
	       !tunnel_diff_same_endpoint(&want->endpoint, &have->endpoint);
}

static int tunnel_diff_settings(struct tunnel_diff *d,
				const struct model_peer *want,
				const struct model_peer *have)
{
	static const uint32_t settings[] = {
		MODEL_PEER_PRESHARED_KEY, MODEL_PEER_KEEPALIVE,
		MODEL_PEER_ENDPOINT,
	};
	static const struct model_peer none;
	struct model_peer *to;
	size_t i;

	/* A new peer has to be sent even if it says nothing. */
	if (!have && !tunnel_diff_change(d, want))
		return -ENOMEM;
	if (!have)
		have = &none;
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (!tunnel_diff_setting_differs(want, have, settings[i]))
			continue;
		to = tunnel_diff_change(d, want);
		if (!to)
			return -ENOMEM;
		to->has |= settings[i];
		memcpy(to->preshared_key, want->preshared_key, WG_KEY_LEN);
		to->keepalive = want->keepalive;
		to->endpoint = want->endpoint;
	}
	return 0;
}

/* What a running peer has and nobody wants; what moves to another peer goes
 * by itself.
 */
static int tunnel_diff_taken(struct tunnel_diff *d,
			     const struct model_peer *have,
			     struct tunnel_view_pair *pair)
{
	const struct model_allowedip *aip;
	struct model_peer *to;
	struct cidr net;

	for (aip = have->first; aip; aip = aip->next) {
		net = tunnel_view_net(aip);
		if (tunnel_view_owner(&d->wanted, &net))
			continue;
		to = tunnel_diff_change(d, pair->peer);
		if (!to)
			return -ENOMEM;
		if (d->flags & TUNNEL_DIFF_REPLACE) {
			to->has |= MODEL_PEER_REPLACE_ALLOWEDIPS;
			pair->replace = true;
			return 0;
		}
		if (model_add_cidr(to, &net))
			return -ENOMEM;
		to->last->remove = true;
	}
	return 0;
}

static int tunnel_diff_given(struct tunnel_diff *d,
			     const struct model_peer *want, bool replace)
{
	const struct model_allowedip *aip;
	struct model_peer *to;
	struct cidr net;

	for (aip = want->first; aip; aip = aip->next) {
		net = tunnel_view_net(aip);
		if (!replace &&
		    tunnel_diff_same(tunnel_view_owner(&d->running, &net),
				      want))
			continue;
		to = tunnel_diff_change(d, want);
		if (!to || model_add_cidr(to, &net))
			return -ENOMEM;
	}
	return 0;
}

static int tunnel_diff_all(struct tunnel_diff *d)
{
	struct tunnel_view_pair *pair, *running;
	const struct model_peer *peer, *have;
	int ret;

	tunnel_diff_device(d);
	ret = tunnel_diff_removed(d);
	for (peer = d->want->first; peer && !ret; peer = peer->next) {
		pair = tunnel_view_find(&d->wanted, peer);
		running = tunnel_view_find(&d->running, peer);
		have = running ? running->peer : NULL;
		ret = tunnel_diff_settings(d, peer, have);
		if (!ret && have)
			ret = tunnel_diff_taken(d, have, pair);
		if (!ret)
			ret = tunnel_diff_given(d, peer, pair->replace);
	}
	return ret;
}

int tunnel_diff_make(const struct model_device *want,
		     const struct model_device *have, unsigned int flags,
		     struct model_device **change)
{
	struct tunnel_diff d = {
		.want = want,
		.have = have,
		.change = model_device_create(want->name),
		.flags = flags,
	};
	int ret = -ENOMEM;

	if (d.change && !tunnel_view_make(&d.wanted, want) &&
	    !tunnel_view_make(&d.running, have))
		ret = tunnel_diff_all(&d);
	tunnel_view_free(&d.wanted);
	tunnel_view_free(&d.running);
	if (ret)
		model_device_free(d.change);
	else
		*change = d.change;
	return ret;
}

bool tunnel_diff_removes(const struct model_device *change)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;

	for (peer = change->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			if (aip->remove)
				return true;
		}
	}
	return false;
}

/* --- words ---------------------------------------------------------------- */

static void tunnel_diff_tell_settings(struct text *line,
				      const struct model_peer *peer)
{
	char text[MODEL_ENDPOINT_TEXT];

	if (peer->has & MODEL_PEER_PRESHARED_KEY)
		text_put(line, ", preshared key");
	if (peer->has & MODEL_PEER_ENDPOINT &&
	    model_endpoint_text(text, &peer->endpoint))
		text_printf(line, ", endpoint %s", text);
	if (peer->has & MODEL_PEER_KEEPALIVE)
		text_printf(line, ", keepalive %u", peer->keepalive);
}

static void tunnel_diff_tell_peer(struct text *line,
				  const struct model_peer *peer,
				  const char *name)
{
	const struct model_allowedip *aip;
	char text[MODEL_ALLOWEDIP_TEXT], key[BASE64_KEY_SIZE];

	base64_encode_key(key, peer->public_key);
	text_put(line, peer->has & MODEL_PEER_REMOVE ? "remove peer " :
		 peer->has & MODEL_PEER_UPDATE_ONLY ? "change peer " :
		 "add peer ");
	if (name)
		text_printf(line, "%s (%s)", name, key);
	else
		text_put(line, key);
	tunnel_diff_tell_settings(line, peer);
	if (peer->first || peer->has & MODEL_PEER_REPLACE_ALLOWEDIPS)
		text_put(line, ", allowed IPs");
	if (peer->has & MODEL_PEER_REPLACE_ALLOWEDIPS)
		text_put(line, " only");
	for (aip = peer->first; aip; aip = aip->next) {
		model_allowedip_addr(text, aip);
		text_printf(line, " %s%s/%u", aip->remove ? "-" : "+", text,
			    aip->cidr);
	}
}

bool tunnel_diff_tell(const struct model_device *change,
		      const struct model_device *want,
		      void (*tell)(void *data, const char *line), void *data)
{
	struct tunnel_view view = { 0 };
	const struct model_peer *peer;
	struct tunnel_view_pair *pair;
	struct text line = { 0 };

	if (change->has & MODEL_DEVICE_PRIVATE_KEY)
		tell(data, "set private key");
	if (change->has & MODEL_DEVICE_LISTEN_PORT) {
		text_printf(&line, "set listen port %u", change->listen_port);
		tell(data, text_string(&line));
		text_free(&line);
	}
	if (change->has & MODEL_DEVICE_FWMARK) {
		if (change->fwmark)
			text_printf(&line, "set mark 0x%" PRIx32,
				    change->fwmark);
		else
			text_put(&line, "set mark off");
		tell(data, text_string(&line));
		text_free(&line);
	}
	/* Without memory there are no names. */
	if (tunnel_view_make(&view, want))
		view.n_pairs = 0;
	for (peer = change->first; peer; peer = peer->next) {
		pair = tunnel_view_find(&view, peer);
		tunnel_diff_tell_peer(&line, peer,
				       pair ? pair->peer->name : NULL);
		tell(data, text_string(&line));
		text_free(&line);
	}
	tunnel_view_free(&view);
	return change->has || change->first;
}
