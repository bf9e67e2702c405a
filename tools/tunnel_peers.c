// SPDX-License-Identifier: GPL-2.0
/* Peers as a file wants them. (layer 6) */
#include "tunnel_peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "curve25519.h"
#include "resolve.h"
#include "stop.h"
#include "text.h"
#include "tunnel_view.h"

/* --- what is wanted ------------------------------------------------------- */

static int tunnel_peers_copy_string(char **to, const char *from)
{
	if (!from)
		return 0;
	free(*to);
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

/* A later section with the same key adds to what it does not repeat. */
static int tunnel_peers_merge(struct model_peer *to,
			      const struct model_peer *from)
{
	to->has |= from->has & (MODEL_PEER_PUBLIC_KEY |
				MODEL_PEER_PRESHARED_KEY |
				MODEL_PEER_KEEPALIVE);
	memcpy(to->public_key, from->public_key, WG_KEY_LEN);
	if (from->has & MODEL_PEER_PRESHARED_KEY)
		memcpy(to->preshared_key, from->preshared_key, WG_KEY_LEN);
	if (from->has & MODEL_PEER_KEEPALIVE)
		to->keepalive = from->keepalive;
	if (tunnel_peers_copy_string(&to->name, from->name) ||
	    tunnel_peers_copy_string(&to->host, from->host))
		return -ENOMEM;
	return 0;
}

/* Only those that no later section claims. */
static int tunnel_peers_copy_allowedips(struct model_peer *to,
					const struct model_peer *from,
					const struct tunnel_view *view)
{
	const struct model_allowedip *aip;
	struct cidr net;

	/* Each section says all of a peer's allowed IPs. */
	model_clear_allowedips(to);
	for (aip = from->first; aip; aip = aip->next) {
		net = tunnel_view_net(aip);
		if (tunnel_view_owner(view, &net) == from &&
		    model_add_cidr(to, &net))
			return -ENOMEM;
	}
	return 0;
}

static int tunnel_peers_copy(struct ctx *ctx, const struct model_device *file,
			     const struct tunnel_view *view,
			     struct model_device *want)
{
	const struct model_peer *peer;
	struct tunnel_view_pair *pair;

	for (peer = file->first; peer; peer = peer->next) {
		if (!key_is_zero(want->public_key) &&
		    !memcmp(peer->public_key, want->public_key, WG_KEY_LEN)) {
			ctx_warn(ctx, "The interface's own key is that of a peer; the peer is left out");
			continue;
		}
		pair = tunnel_view_find(view, peer);
		if (!pair->made)
			pair->made = model_add_peer(want);
		if (!pair->made || tunnel_peers_merge(pair->made, peer) ||
		    tunnel_peers_copy_allowedips(pair->made, peer, view))
			return -ENOMEM;
	}
	return 0;
}

int tunnel_peers_want(struct ctx *ctx, const struct model_device *file,
		      struct model_device **out)
{
	struct model_device *want = model_device_create(file->name);
	struct tunnel_view view = { 0 };
	int ret = -ENOMEM;

	if (!want)
		goto out;
	want->has = file->has & (MODEL_DEVICE_PRIVATE_KEY |
				 MODEL_DEVICE_LISTEN_PORT |
				 MODEL_DEVICE_FWMARK);
	memcpy(want->private_key, file->private_key, WG_KEY_LEN);
	if (!key_is_zero(want->private_key)) {
		curve25519_clamp(want->private_key);
		curve25519_public_key(want->public_key, want->private_key);
	}
	want->listen_port = file->listen_port;
	want->fwmark = file->fwmark;
	if (!tunnel_view_make(&view, file))
		ret = tunnel_peers_copy(ctx, file, &view, want);
out:
	tunnel_view_free(&view);
	if (!ret) {
		*out = want;
		return 0;
	}
	model_device_free(want);
	return ctx_fail(ctx, ret, "Out of memory");
}

/* --- endpoints ------------------------------------------------------------ */

/* A few: who is asked at a prompt does not wait for minutes. */
#define TUNNEL_PEERS_RETRIES	3

static bool tunnel_peers_asks(const struct model_peer *peer,
			      const struct model_peer *running,
			      const struct tunnel_plan *known)
{
	const char *text = tunnel_plan_host(known, peer->public_key);

	if (!peer->host || peer->has & MODEL_PEER_ENDPOINT)
		return false;
	return !running || !model_endpoint_size(&running->endpoint) || !text ||
	       strcmp(text, peer->host);
}

/* Peers whose names are asked for; NULL when that is settled. */
struct tunnel_peers_names {
	struct model_peer **all;
	size_t count;
};

static int tunnel_peers_names_make(struct tunnel_peers_names *names,
				   struct model_device *want,
				   const struct tunnel_view *have,
				   const struct tunnel_plan *known)
{
	const struct tunnel_view_pair *pair;
	struct model_peer *peer;
	size_t n = 1;

	for (peer = want->first; peer; peer = peer->next)
		n++;
	names->all = calloc(n, sizeof(struct model_peer *));
	if (!names->all)
		return -ENOMEM;
	for (peer = want->first; peer; peer = peer->next) {
		pair = tunnel_view_find(have, peer);
		if (tunnel_peers_asks(peer, pair ? pair->peer : NULL, known))
			names->all[names->count++] = peer;
	}
	return 0;
}

static void tunnel_peers_unresolved(struct ctx *ctx,
				    const struct model_peer *peer,
				    const char *why)
{
	char key[BASE64_KEY_SIZE];

	base64_encode_key(key, peer->public_key);
	ctx_warn(ctx, "peer %s stays without the endpoint `%s' of the file: %s",
		 peer->name ? peer->name : key, peer->host, why);
}

/*
 * One attempt for each name; how many may succeed later, and why not yet.  None
 * where the user has had enough.
 */
static size_t tunnel_peers_ask(struct ctx *ctx,
			       struct tunnel_peers_names *names,
			       char why[sizeof(ctx->error)])
{
	size_t i, left = 0;
	int ret;

	for (i = 0; i < names->count && !stop_wanted(ctx); i++) {
		struct model_peer *peer = names->all[i];

		if (!peer)
			continue;
		ret = resolve_endpoint_once(ctx, peer->host, &peer->endpoint);
		if (ret == -EAGAIN) {
			memcpy(why, ctx->error, sizeof(ctx->error));
			left++;
			continue;
		}
		if (!ret)
			peer->has |= MODEL_PEER_ENDPOINT;
		else
			tunnel_peers_unresolved(ctx, peer, ctx->error);
		names->all[i] = NULL;
	}
	return left;
}

/* Waiting for one name is waiting for all of them. */
static int tunnel_peers_ask_all(struct ctx *ctx,
				struct tunnel_peers_names *names)
{
	struct resolve_pace pace;
	char why[sizeof(ctx->error)];
	size_t i, left;
	int ret;

	ret = resolve_pace_begin(ctx, TUNNEL_PEERS_RETRIES, &pace);
	if (ret)
		return ret;
	do {
		left = tunnel_peers_ask(ctx, names, why);
		ret = stop_check(ctx);
	} while (!ret && left && resolve_pace_wait(ctx, &pace, why));
	for (i = 0; !ret && i < names->count; i++) {
		if (names->all[i])
			tunnel_peers_unresolved(ctx, names->all[i],
						"no answer yet");
	}
	return ret;
}

int tunnel_peers_resolve(struct ctx *ctx, struct model_device *want,
			 const struct model_device *have,
			 const struct tunnel_plan *known,
			 struct tunnel_plan *hosts)
{
	struct tunnel_peers_names names = { 0 };
	struct tunnel_view view = { 0 };
	const struct model_peer *peer;
	const char *text;
	int ret;

	ret = tunnel_view_make(&view, have);
	if (!ret)
		ret = tunnel_peers_names_make(&names, want, &view, known);
	if (ret)
		ctx_fail(ctx, ret, "Out of memory");
	else
		ret = tunnel_peers_ask_all(ctx, &names);
	for (peer = want->first; !ret && peer; peer = peer->next) {
		text = tunnel_plan_host(known, peer->public_key);
		if (!peer->host ||
		    (!(peer->has & MODEL_PEER_ENDPOINT) &&
		     (!text || strcmp(text, peer->host))))
			continue;
		if (tunnel_plan_add_host(hosts, peer->public_key, peer->host))
			ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	tunnel_plan_sort_hosts(hosts);
	free(names.all);
	tunnel_view_free(&view);
	return ret;
}

int tunnel_peers_unasked(const struct model_device *want,
			 const struct model_device *have,
			 const struct tunnel_plan *known,
			 void (*tell)(void *data, const char *line), void *data)
{
	struct tunnel_view view = { 0 };
	const struct tunnel_view_pair *pair;
	const struct model_peer *peer;
	char key[BASE64_KEY_SIZE];
	struct text line = { 0 };

	if (tunnel_view_make(&view, have)) {
		tunnel_view_free(&view);
		return -ENOMEM;
	}
	for (peer = want->first; peer; peer = peer->next) {
		pair = tunnel_view_find(&view, peer);
		if (!pair || !tunnel_peers_asks(peer, pair->peer, known))
			continue;
		base64_encode_key(key, peer->public_key);
		text_printf(&line, "look up the endpoint %s of peer %s",
			    peer->host, peer->name ? peer->name : key);
		tell(data, text_string(&line));
		text_free(&line);
	}
	tunnel_view_free(&view);
	return 0;
}
