// SPDX-License-Identifier: GPL-2.0
/* This site: what both ways to begin have in common. (layer 8) */
#include "site.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "host.h"
#include "opts.h"

#define SITE_PORT	51820

/* A token with a key is for a site that has none: nobody would know another. */
int site_set_key(struct ctx *ctx, struct role *role,
		 const struct token *token)
{
	const uint8_t *have = role->quick->dev->private_key;
	bool given = token && token->secret;
	uint8_t key[WG_KEY_LEN];
	int ret = 0;

	if (!key_is_zero(have) && given &&
	    memcmp(have, token->private_key, WG_KEY_LEN))
		return ctx_fail(ctx, -EEXIST,
				"%s: has a key already, and the token says another; right would be another interface, or a token made without --one-paste",
				role->name);
	if (!key_is_zero(have))
		return 0;
	if (given)
		memcpy(key, token->private_key, WG_KEY_LEN);
	else
		ret = role_new_key(ctx, key);
	if (!ret)
		ret = quick_set_key(ctx, role->quick, 0, "PrivateKey", key);
	explicit_bzero(key, sizeof(key));
	return ret;
}

int site_set_port(struct ctx *ctx, struct role *role, const char *given)
{
	unsigned long port = role->quick->dev->listen_port;
	char text[24];
	int ret;

	if (given) {
		ret = opts_number(ctx, "--port", given, 1, 65535, &port);
		if (ret)
			return ret;
	} else if (!port) {
		port = host_pick_port(SITE_PORT);
	}
	if (!port)
		return ctx_fail(ctx, -EADDRINUSE,
				"no UDP port from %u on is free; choose one with --port",
				SITE_PORT);
	snprintf(text, sizeof(text), "%lu", port);
	return quick_set(ctx, role->quick, 0, "ListenPort", text);
}

/* The host's name as far as it can be one here. */
static void site_host_name(char *name, size_t size)
{
	size_t i;

	if (gethostname(name, size))
		snprintf(name, size, "site");
	name[size - 1] = '\0';
	for (i = 0; name[i]; i++) {
		if (!isalnum((unsigned char)name[i]))
			name[i] = '-';
	}
	if (!isalnum((unsigned char)*name))
		snprintf(name, size, "site");
}

int site_set_name(struct ctx *ctx, struct role *role, const char *name,
		  const char *other)
{
	char host[32];
	int ret;

	if (!name && quick_setting(role->quick, 0, "site-name"))
		return 0;
	if (!name) {
		site_host_name(host, sizeof(host) - 2);
		/* Many routers are called what their system is called. */
		if (!strcmp(host, other))
			strcat(host, "-2");
		name = host;
	}
	ret = quick_check_name(ctx, "--name", name);
	if (!ret && quick_find_name(role->quick, name))
		ret = ctx_fail(ctx, -EEXIST,
			       "--name: there is another site `%s'; right would be another name",
			       name);
	return ret ? ret : quick_set(ctx, role->quick, 0,
				     "# wgpeer site-name", name);
}

int site_parse_share(struct ctx *ctx, const char *what, const char *text,
		     struct cidr_list *shares)
{
	char one[CIDR_TEXT], two[CIDR_TEXT];
	size_t i, k;
	int ret;

	ret = cidr_list_parse(ctx, what, text, shares);
	for (i = 0; i < shares->count && !ret; i++) {
		shares->all[i] = cidr_network(&shares->all[i]);
		cidr_text(two, &shares->all[i]);
		if (!shares->all[i].len)
			return ctx_fail(ctx, -EINVAL,
					"%s: `%s' is everything; right would be networks behind the site",
					what, two);
		for (k = 0; k < i; k++) {
			if (!cidr_overlaps(&shares->all[i], &shares->all[k]))
				continue;
			cidr_text(one, &shares->all[k]);
			return ctx_fail(ctx, -EINVAL,
					"%s: %s and %s overlap; right would be the larger one alone",
					what, one, two);
		}
	}
	return ret;
}

int site_set_share(struct ctx *ctx, struct role *role,
		   const struct cidr_list *shares)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < shares->count && !ret; i++)
		ret = site_check_share(ctx, role, &shares->all[i]);
	if (!ret && shares->count)
		ret = role_set_list(ctx, role->quick, 0, "# wgpeer share",
				    shares);
	if (!ret && !quick_setting(role->quick, 0, "share") &&
	    !role_yes(role, 0, "routed"))
		ret = ctx_fail(ctx, -EINVAL,
			       "site: --share is missing; right would be the networks behind this site, like 192.168.1.0/24");
	return ret;
}

/* A site that cannot be reached is one that starts. */
int site_set_endpoint(struct ctx *ctx, struct role *role,
		      const char *endpoint)
{
	int ret;

	if (endpoint && !strcmp(endpoint, "none"))
		return quick_set(ctx, role->quick, 0, "# wgpeer endpoint",
				 NULL);
	if (endpoint)
		return role_set_endpoint(ctx, role, endpoint);
	if (!role->is_new)
		return 0;
	ret = role_find_endpoint(ctx, role, false);
	return ret == -ENOENT ? 0 : ret;
}

int site_set_flags(struct ctx *ctx, struct role *role, bool hub, bool routed)
{
	bool has_routed = role_yes(role, 0, "routed");
	int ret = 0;

	if (hub && has_routed)
		return ctx_fail(ctx, -EINVAL,
				"--hub: %s is for routing daemons (--routed), which forward by themselves; right would be another interface",
				role->name);
	if (hub)
		ret = quick_set(ctx, role->quick, 0, "# wgpeer hub", "yes");
	if (ret || !routed || has_routed)
		return ret;
	if (!role->is_new)
		return ctx_fail(ctx, -EEXIST,
				"--routed: %s makes its routes itself; right would be another interface",
				role->name);
	ret = quick_set(ctx, role->quick, 0, "# wgpeer routed", "yes");
	return ret ? ret : quick_set(ctx, role->quick, 0, "Table", "off");
}

static int site_add_link_local(struct ctx *ctx, const uint8_t key[WG_KEY_LEN],
			       struct cidr_list *own)
{
	struct cidr_list net = { 0 };
	int ret;

	ret = cidr_list_parse(ctx, "address", "fe80::/64", &net);
	if (!ret)
		ret = site_addresses(ctx, &net, key, own);
	cidr_list_free(&net);
	return ret;
}

int site_set_address(struct ctx *ctx, struct role *role,
		     const uint8_t key[WG_KEY_LEN], struct cidr_list *own)
{
	const struct cidr_list *have = &role->quick->addresses;
	bool same;
	size_t i;
	int ret = 0;

	if (role_yes(role, 0, "routed"))
		ret = site_add_link_local(ctx, key, own);
	same = have->count == own->count;
	for (i = 0; i < have->count && same; i++)
		same = cidr_equal(&have->all[i], &own->all[i]);
	if (!ret && !same && quick_peers(role->quick))
		ret = ctx_fail(ctx, -EBUSY,
			       "--address: other sites know this one by its address already; remove them first");
	return ret ? ret : role_set_list(ctx, role->quick, 0, "Address", own);
}

/* The file is right and runs: hand the token over. */
int site_finish(struct ctx *ctx, struct role *role, bool no_up,
		const struct token *token)
{
	int ret;

	ret = role_finish(ctx, role, no_up);
	if (ret)
		return ret;
	ret = site_print(ctx, token);
	if (ret)
		role_undo(ctx, role);
	return ret;
}

void site_say(struct ctx *ctx, const struct role *role)
{
	const char *endpoint = quick_setting(role->quick, 0, "endpoint");
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < role->quick->addresses.count; i++) {
		cidr_text(text, &role->quick->addresses.all[i]);
		ctx_say(ctx, "%s: address %s", role->name, text);
	}
	if (endpoint)
		ctx_say(ctx, "%s: other sites find this one at %s", role->name,
			endpoint);
	else
		ctx_say(ctx, "%s: nobody outside can reach this site: it starts, and keeps the way open (--endpoint if it can be reached after all)",
			role->name);
	if (endpoint)
		role_todo_endpoint(ctx, role);
}
