// SPDX-License-Identifier: GPL-2.0
/* What runs, written into its file. (layer 6) */
#include "tunnel_save.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "curve25519.h"
#include "file.h"
#include "ipc.h"
#include "parse.h"
#include "quick.h"
#include "rtnl.h"
#include "text.h"
#include "tunnel_plan.h"
#include "tunnel_state.h"
#include "tunnel_view.h"

/* The file being edited, and what it is edited to. */
struct tunnel_save {
	struct ctx *ctx;
	struct quick *quick;
	struct model_device *dev;
	struct tunnel_view running;
	struct tunnel_plan noted;
};

/* Sets a number; 0 is none. */
static int tunnel_save_number(struct tunnel_save *s, size_t section,
			      const char *key, const char *format,
			      uint32_t now, uint32_t file)
{
	char text[16];

	if (now == file)
		return 0;
	snprintf(text, sizeof(text), format, now);
	return quick_set(s->ctx, s->quick, section, key, now ? text : NULL);
}

/* Sets a key; zeros are none. */
static int tunnel_save_key(struct tunnel_save *s, size_t section,
			   const char *key, const uint8_t now[WG_KEY_LEN],
			   const uint8_t file[WG_KEY_LEN])
{
	if (!memcmp(now, file, WG_KEY_LEN))
		return 0;
	if (key_is_zero(now))
		return quick_set(s->ctx, s->quick, section, key, NULL);
	return quick_set_key(s->ctx, s->quick, section, key, now);
}

static bool tunnel_save_has(const struct cidr_list *list,
			    const struct cidr *cidr)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (cidr_equal(&list->all[i], cidr))
			return true;
	}
	return false;
}

/* Sets a list, unless both have the same, in whatever order. */
static int tunnel_save_list(struct tunnel_save *s, size_t section,
			    const char *key, const struct cidr_list *now,
			    const struct cidr_list *file)
{
	struct text value = { 0 };
	char text[CIDR_TEXT];
	bool same = true;
	size_t i;
	int ret;

	for (i = 0; i < file->count; i++)
		same &= tunnel_save_has(now, &file->all[i]);
	for (i = 0; i < now->count; i++) {
		same &= tunnel_save_has(file, &now->all[i]);
		cidr_text(text, &now->all[i]);
		text_printf(&value, "%s%s", i ? ", " : "", text);
	}
	if (same)
		ret = 0;
	else if (value.broken)
		ret = ctx_fail(s->ctx, -ENOMEM, "Out of memory");
	else
		ret = quick_set(s->ctx, s->quick, section, key,
				now->count ? value.data : NULL);
	text_free(&value);
	return ret;
}

/* --- the interface -------------------------------------------------------- */

static int tunnel_save_take_addr(const struct rtnl_addr *addr, void *data)
{
	return cidr_list_add(data, &addr->addr);
}

static int tunnel_save_addresses(struct tunnel_save *s, struct rtnl *rtnl,
				 int index)
{
	struct cidr_list now = { 0 };
	int ret;

	ret = rtnl_addrs(rtnl, index, tunnel_save_take_addr, &now);
	if (ret == -ENOMEM)
		ctx_fail(s->ctx, ret, "Out of memory");
	if (!ret)
		ret = tunnel_save_list(s, 0, "Address", &now,
				       &s->quick->addresses);
	cidr_list_free(&now);
	return ret;
}

static int tunnel_save_link(struct tunnel_save *s)
{
	const char *name = s->quick->name;
	struct rtnl_link link;
	struct rtnl *rtnl;
	int ret;

	ret = rtnl_open(s->ctx, &rtnl);
	if (ret)
		return ret;
	ret = rtnl_link_find(rtnl, name, &link);
	if (ret == -ENODEV)
		ctx_fail(s->ctx, ret, "`%s' is not up", name);
	if (!ret)
		ret = tunnel_save_addresses(s, rtnl, link.index);
	/* Where the file says none it is found out each time. */
	if (!ret && s->quick->mtu)
		ret = tunnel_save_number(s, 0, "MTU", "%" PRIu32, link.mtu,
					 s->quick->mtu);
	rtnl_close(rtnl);
	return ret;
}

static int tunnel_save_interface(struct tunnel_save *s)
{
	const struct model_device *dev = s->dev, *file = s->quick->dev;
	uint32_t mark = dev->fwmark;
	uint8_t key[WG_KEY_LEN];
	int ret;

	/* A file may hold a key whose unused bits are set. */
	memcpy(key, file->private_key, sizeof(key));
	if (!key_is_zero(key))
		curve25519_clamp(key);
	ret = tunnel_save_key(s, 0, "PrivateKey", dev->private_key, key);
	explicit_bzero(key, sizeof(key));
	if (!ret)
		ret = tunnel_save_number(s, 0, "ListenPort", "%" PRIu32,
					 dev->listen_port,
					 s->quick->dev->listen_port);
	if (s->noted.mark_chosen && mark == s->noted.mark)
		mark = 0;
	return ret ? ret : tunnel_save_number(s, 0, "FwMark", "0x%" PRIx32,
					      mark, s->quick->dev->fwmark);
}

/* --- peers ---------------------------------------------------------------- */

static int tunnel_save_removed(struct tunnel_save *s)
{
	size_t i;
	int ret;

	for (i = quick_peers(s->quick); i > 0; i--) {
		if (tunnel_view_find(&s->running, quick_peer(s->quick, i)))
			continue;
		ret = quick_remove_peer(s->ctx, s->quick, i);
		if (ret)
			return ret;
	}
	return 0;
}

static int tunnel_save_nets(const struct model_peer *peer,
			    struct cidr_list *list)
{
	const struct model_allowedip *aip;
	struct cidr net;

	for (aip = peer->first; aip; aip = aip->next) {
		net = model_allowedip_cidr(aip);
		net = cidr_network(&net);
		if (cidr_list_add(list, &net))
			return -ENOMEM;
	}
	return 0;
}

static int tunnel_save_allowedips(struct tunnel_save *s, size_t section,
				  const struct model_peer *peer)
{
	struct cidr_list now = { 0 }, file = { 0 };
	int ret;

	if (tunnel_save_nets(peer, &now) ||
	    tunnel_save_nets(quick_peer(s->quick, section), &file))
		ret = ctx_fail(s->ctx, -ENOMEM, "Out of memory");
	else
		ret = tunnel_save_list(s, section, "AllowedIPs", &now, &file);
	cidr_list_free(&now);
	cidr_list_free(&file);
	return ret;
}

/* Whether it is an address: a name says more than what it was last. */
static bool tunnel_save_is_numeric(struct ctx *ctx, const char *text)
{
	char *host, *port;
	struct in6_addr ip;
	bool numeric;

	if (parse_split_endpoint(ctx, text, &host, &port))
		return true;
	host[strcspn(host, "%")] = '\0';
	numeric = inet_pton(AF_INET, host, &ip) == 1 ||
		  inet_pton(AF_INET6, host, &ip) == 1;
	free(host);
	return numeric;
}

static int tunnel_save_endpoint(struct tunnel_save *s, size_t section,
				const struct model_peer *peer)
{
	const char *file = quick_peer(s->quick, section)->host;
	char text[MODEL_ENDPOINT_TEXT];

	if (!model_endpoint_text(text, &peer->endpoint) ||
	    (file && (!strcmp(file, text) ||
		      !tunnel_save_is_numeric(s->ctx, file))))
		return 0;
	return quick_set(s->ctx, s->quick, section, "Endpoint", text);
}

static int tunnel_save_peer(struct tunnel_save *s,
			    const struct model_peer *peer)
{
	size_t section = quick_find_key(s->quick, peer->public_key);
	int ret = 0;

	if (!section) {
		ret = quick_add_peer(s->ctx, s->quick, NULL, peer->public_key);
		section = quick_peers(s->quick);
	}
	if (!ret)
		ret = tunnel_save_key(s, section, "PresharedKey",
				      peer->preshared_key,
				      quick_peer(s->quick,
						 section)->preshared_key);
	if (!ret)
		ret = tunnel_save_allowedips(s, section, peer);
	if (!ret)
		ret = tunnel_save_endpoint(s, section, peer);
	if (!ret)
		ret = tunnel_save_number(s, section, "PersistentKeepalive",
					 "%" PRIu32, peer->keepalive,
					 quick_peer(s->quick,
						    section)->keepalive);
	return ret;
}

static int tunnel_save_all(struct tunnel_save *s)
{
	const struct model_peer *peer;
	int ret;

	ret = tunnel_save_link(s);
	if (!ret)
		ret = tunnel_save_interface(s);
	if (!ret)
		ret = tunnel_save_removed(s);
	for (peer = s->dev->first; peer && !ret; peer = peer->next)
		ret = tunnel_save_peer(s, peer);
	return ret;
}

static int tunnel_save_file(struct ctx *ctx, const char *name,
			    const char *path)
{
	struct tunnel_save s = { .ctx = ctx };
	int ret;

	tunnel_plan_init(&s.noted, name);
	ret = quick_read(ctx, name, path, &s.quick);
	if (!ret)
		ret = ipc_get(ctx, name, &s.dev);
	if (!ret && tunnel_view_make(&s.running, s.dev))
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (!ret)
		ret = tunnel_state_read(ctx, &s.noted);
	if (!ret)
		ret = tunnel_save_all(&s);
	if (!ret)
		ret = quick_save(ctx, s.quick, path);
	tunnel_view_free(&s.running);
	quick_free(s.quick);
	model_device_free(s.dev);
	tunnel_plan_free(&s.noted);
	return ret;
}

int tunnel_save(struct ctx *ctx, const char *name, const char *path)
{
	char copy[PATH_MAX];
	int lock, ret;

	/* Who else edits the file is not to be overwritten. */
	snprintf(copy, sizeof(copy), "%s", path);
	lock = file_lock_dir(ctx, dirname(copy));
	if (lock < 0)
		return lock;
	ret = tunnel_save_file(ctx, name, path);
	close(lock);
	return ret;
}
