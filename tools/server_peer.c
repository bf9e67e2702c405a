// SPDX-License-Identifier: GPL-2.0
/* Clients of a server: add, export, remove, rename, rotate. (layer 8) */
#include "server.h"

#include <errno.h>
#include <string.h>

#include "base64.h"
#include "curve25519.h"
#include "opts.h"

static int server_need(struct ctx *ctx, const struct role *role,
		       const char *name, size_t *section)
{
	*section = server_find(role->quick, name, false);
	if (*section)
		return 0;
	return ctx_fail(ctx, -ENOENT,
			"%s: has no client `%.100s'; right would be one that `%s server list %s' shows",
			role->name, name, ctx->prog, role->name);
}

static int server_need_free(struct ctx *ctx, const struct role *role,
			    const char *name)
{
	int ret = quick_check_name(ctx, "name", name);

	if (!ret && server_find(role->quick, name, false))
		ret = ctx_fail(ctx, -EEXIST,
			       "%s: has a client `%s' already; right would be another name",
			       role->name, name);
	return ret;
}

/* What add, export and rotate have in common. */
static int server_run(struct ctx *ctx, const char *verb,
		      const struct opt *opts, int argc, char **argv,
		      const struct server_wish *wish,
		      int (*work)(struct ctx *ctx, struct role *role,
				  struct server_client *client))
{
	struct server_client client = { .wish = wish };
	struct role role;
	int ret;

	ret = opts_parse(ctx, verb, opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, verb, "IF NAME", argc);
	if (!ret)
		ret = server_check_wish(ctx, verb, &client);
	if (!ret) {
		client.name = argv[2];
		ret = server_open(ctx, &role, argv[1], &client);
		if (!ret)
			ret = work(ctx, &role, &client);
		role_close(&role);
	}
	server_client_free(&client);
	return ret;
}

static void server_say_client(struct ctx *ctx, const struct role *role,
			      const struct server_client *client)
{
	struct text all = { 0 };
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < client->addresses.count; i++) {
		cidr_addr_text(text, &client->addresses.all[i]);
		text_printf(&all, "%s%s", i ? ", " : "", text);
	}
	ctx_say(ctx, "%s: client `%s' has %s", role->name, client->name,
		text_string(&all));
	text_free(&all);
	if (!client->has_key)
		ctx_todo(ctx, "put the private key of `%s' into its file; `%s client join' does so after `%s client new'",
			 client->name, ctx->prog, ctx->prog);
}

/* The peer goes live before its file goes out; without the file it goes. */
static int server_deliver(struct ctx *ctx, struct role *role, size_t section,
			  struct server_client *client)
{
	struct text text = { 0 };
	int ret;

	ret = server_client_text(ctx, role, section, client, &text);
	if (!ret)
		ret = server_finish(ctx, role);
	if (!ret)
		ret = role_hand_over(ctx, role, client->wish->output, &text);
	if (!ret)
		server_say_client(ctx, role, client);
	text_free(&text);
	return ret;
}

/* Key, addresses and kept private key of a client's section. */
static int server_write_client(struct ctx *ctx, struct quick *quick,
			       size_t section,
			       const struct server_client *client,
			       const struct cidr_list *others)
{
	struct cidr_list ips = { 0 };
	size_t i, n = client->addresses.count;
	int ret = 0;

	for (i = 0; !ret && i < n + others->count; i++)
		ret = cidr_list_add(&ips, i < n ? &client->addresses.all[i] :
						  &others->all[i - n]);
	if (ret)
		ret = ctx_fail(ctx, ret, "Out of memory");
	else
		ret = role_set_list(ctx, quick, section, "AllowedIPs", &ips);
	cidr_list_free(&ips);
	if (!ret)
		ret = quick_set_key(ctx, quick, section, "PublicKey",
				    client->public_key);
	if (!ret && client->wish->keep_key)
		ret = quick_set_key(ctx, quick, section,
				    "# wgpeer private-key",
				    client->private_key);
	else if (!ret)
		ret = quick_set(ctx, quick, section, "# wgpeer private-key",
				NULL);
	return ret;
}

static int server_new_psk(struct ctx *ctx, struct quick *quick, size_t section)
{
	uint8_t key[WG_KEY_LEN];
	int ret;

	ret = role_new_psk(ctx, key);
	if (!ret)
		ret = quick_set_key(ctx, quick, section, "PresharedKey", key);
	explicit_bzero(key, sizeof(key));
	return ret;
}

static int server_add_peer(struct ctx *ctx, struct role *role,
			   struct server_client *client)
{
	const struct server_wish *wish = client->wish;
	static const struct cidr_list none;
	bool all = role_yes(role, 0, "exit");
	size_t section;
	int ret;

	ret = server_need_free(ctx, role, client->name);
	if (!ret && wish->exit && !all)
		ret = ctx_fail(ctx, -EINVAL,
			       "--exit: %s lets nobody out to the internet; right would be first `%s server init %s --exit'",
			       role->name, ctx->prog, role->name);
	if (!ret)
		ret = server_take_key(ctx, role, client);
	if (!ret)
		ret = wish->address ?
		      server_given_addresses(ctx, role, client) :
		      server_next_addresses(ctx, role, client);
	if (!ret)
		ret = quick_add_peer(ctx, role->quick, client->name,
				     client->public_key);
	if (ret)
		return ret;
	section = quick_peers(role->quick);
	ret = server_write_client(ctx, role->quick, section, client, &none);
	if (!ret && wish->psk)
		ret = server_new_psk(ctx, role->quick, section);
	if (!ret && all && !wish->split)
		ret = quick_set(ctx, role->quick, section, "# wgpeer exit",
				"yes");
	return ret ? ret : server_deliver(ctx, role, section, client);
}

int server_add(struct ctx *ctx, int argc, char **argv)
{
	struct server_wish wish = { 0 };
	const struct opt opts[] = {
		{ "exit", &wish.exit, NULL },
		{ "split", &wish.split, NULL },
		{ "address", NULL, &wish.address },
		{ "psk", &wish.psk, NULL },
		{ "public-key", NULL, &wish.public_key },
		{ "dns", NULL, &wish.dns },
		{ "keep-key", &wish.keep_key, NULL },
		{ "format", NULL, &wish.format },
		{ "output", NULL, &wish.output },
		{ "qr", &wish.qr, NULL },
		{ "config-dir", NULL, &wish.dir },
		{ NULL, NULL, NULL },
	};

	return server_run(ctx, "server add", opts, argc, argv, &wish,
			  server_add_peer);
}

/* The file once more, with the private key only if it was kept. */
static int server_export_peer(struct ctx *ctx, struct role *role,
			      struct server_client *client)
{
	struct text text = { 0 };
	const char *kept;
	size_t section;
	int ret;

	ret = server_need(ctx, role, client->name, &section);
	if (!ret)
		ret = server_split_ips(ctx, role, section, &client->nets,
				       &client->addresses, NULL);
	if (ret)
		return ret;
	kept = quick_setting(role->quick, section, "private-key");
	client->has_key = kept && base64_decode_key(client->private_key, kept);
	ret = server_client_text(ctx, role, section, client, &text);
	if (!ret)
		ret = role_print(ctx, client->wish->output, &text);
	if (!ret)
		server_say_client(ctx, role, client);
	text_free(&text);
	return ret;
}

int server_export(struct ctx *ctx, int argc, char **argv)
{
	struct server_wish wish = { 0 };
	const struct opt opts[] = {
		{ "dns", NULL, &wish.dns },
		{ "format", NULL, &wish.format },
		{ "output", NULL, &wish.output },
		{ "qr", &wish.qr, NULL },
		{ "config-dir", NULL, &wish.dir },
		{ NULL, NULL, NULL },
	};

	return server_run(ctx, "server export", opts, argc, argv, &wish,
			  server_export_peer);
}

/* The old key of a rotation, if there is one. */
static int server_drop_previous(struct ctx *ctx, struct role *role,
				const char *name)
{
	size_t section = server_find(role->quick, name, true);

	return section ? quick_remove_peer(ctx, role->quick, section) : 0;
}

int server_remove(struct ctx *ctx, int argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = {
		{ "config-dir", NULL, &dir },
		{ NULL, NULL, NULL },
	};
	struct role role;
	size_t section;
	int ret;

	ret = opts_parse(ctx, "server remove", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "server remove", "IF NAME", argc);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "server", dir, argv[1], false);
	if (!ret)
		ret = server_need(ctx, &role, argv[2], &section);
	if (!ret)
		ret = quick_remove_peer(ctx, role.quick, section);
	if (!ret)
		ret = server_drop_previous(ctx, &role, argv[2]);
	if (!ret)
		ret = server_commit(ctx, &role);
	if (!ret)
		ctx_say(ctx, "%s: client `%s' is removed", role.name, argv[2]);
	role_close(&role);
	return ret;
}

static int server_rename_peer(struct ctx *ctx, struct role *role,
			      const char *from, const char *to)
{
	size_t section, old = server_find(role->quick, from, true);
	int ret;

	ret = server_need(ctx, role, from, &section);
	if (!ret)
		ret = server_need_free(ctx, role, to);
	if (!ret)
		ret = quick_set(ctx, role->quick, section, "# Name", to);
	if (!ret && old)
		ret = quick_set(ctx, role->quick, old, "# Name", to);
	if (!ret)
		ret = server_commit(ctx, role);
	if (!ret)
		ctx_say(ctx, "%s: client `%s' is called `%s' now", role->name,
			from, to);
	return ret;
}

int server_rename(struct ctx *ctx, int argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = {
		{ "config-dir", NULL, &dir },
		{ NULL, NULL, NULL },
	};
	struct role role;
	int ret;

	ret = opts_parse(ctx, "server rename", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "server rename", "IF OLD NEW",
				   argc);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "server", dir, argv[1], false);
	if (!ret)
		ret = server_rename_peer(ctx, &role, argv[2], argv[3]);
	role_close(&role);
	return ret;
}

/**
 * struct server_old - what a client had before its rotation
 * @key:	public key
 * @psk:	preshared key, zeros if none
 * @ips:	its addresses in the tunnel
 * @others:	its other allowed IPs
 */
struct server_old {
	uint8_t key[WG_KEY_LEN];
	uint8_t psk[WG_KEY_LEN];
	struct cidr_list ips;
	struct cidr_list others;
};

/* The old key goes on under the old addresses, in a section of its own. */
static int server_keep_old(struct ctx *ctx, struct quick *quick,
			   const char *name, const struct server_old *old)
{
	size_t section;
	int ret;

	ret = quick_add_peer(ctx, quick, name, old->key);
	if (ret)
		return ret;
	section = quick_peers(quick);
	if (!key_is_zero(old->psk))
		ret = quick_set_key(ctx, quick, section, "PresharedKey",
				    old->psk);
	if (!ret)
		ret = role_set_list(ctx, quick, section, "AllowedIPs",
				    &old->ips);
	if (!ret)
		ret = quick_set(ctx, quick, section, "# wgpeer previous",
				"yes");
	return ret;
}

static int server_rotate_edit(struct ctx *ctx, struct role *role,
			      size_t section, struct server_client *client,
			      const struct server_old *old)
{
	bool now = client->wish->now;
	size_t i;
	int ret = 0;

	for (i = 0; now && !ret && i < old->ips.count; i++) {
		if (cidr_list_add(&client->addresses, &old->ips.all[i]))
			ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	if (!now)
		ret = server_next_addresses(ctx, role, client);
	if (!ret)
		ret = server_write_client(ctx, role->quick, section, client,
					  &old->others);
	if (!ret && !key_is_zero(old->psk))
		ret = server_new_psk(ctx, role->quick, section);
	if (!ret)
		ret = now ? server_drop_previous(ctx, role, client->name) :
			    server_keep_old(ctx, role->quick, client->name,
					    old);
	return ret;
}

static int server_rotate_peer(struct ctx *ctx, struct role *role,
			      size_t section, struct server_client *client)
{
	const struct model_peer *peer = quick_peer(role->quick, section);
	struct server_old old = { 0 };
	int ret;

	memcpy(old.key, peer->public_key, WG_KEY_LEN);
	memcpy(old.psk, peer->preshared_key, WG_KEY_LEN);
	ret = server_split_ips(ctx, role, section, &client->nets, &old.ips,
			       &old.others);
	if (!ret)
		ret = server_take_key(ctx, role, client);
	if (!ret)
		ret = server_rotate_edit(ctx, role, section, client, &old);
	/* The section's number may have changed with the old key's. */
	if (!ret)
		ret = server_need(ctx, role, client->name, &section);
	if (!ret)
		ret = server_deliver(ctx, role, section, client);
	if (!ret && !client->wish->now)
		ctx_todo(ctx, "when `%s' runs with its new file: `%s server rotate %s %s --finish'; its old key works until then",
			 client->name, ctx->prog, role->name, client->name);
	cidr_list_free(&old.ips);
	cidr_list_free(&old.others);
	explicit_bzero(&old, sizeof(old));
	return ret;
}

static int server_rotate_finish(struct ctx *ctx, struct role *role,
				const char *name)
{
	int ret;

	ret = server_drop_previous(ctx, role, name);
	if (!ret)
		ret = server_commit(ctx, role);
	if (!ret)
		ctx_say(ctx, "%s: the old key of `%s' is removed", role->name,
			name);
	return ret;
}

static int server_rotate_any(struct ctx *ctx, struct role *role,
			     struct server_client *client)
{
	const struct server_wish *wish = client->wish;
	size_t section;
	bool under_way;
	int ret;

	ret = server_need(ctx, role, client->name, &section);
	if (ret)
		return ret;
	under_way = server_find(role->quick, client->name, true);
	if (under_way && !wish->now && !wish->finish)
		return ctx_fail(ctx, -EALREADY,
				"%s: `%s' has an old key already; right would be --finish first, or --now",
				role->name, client->name);
	if (!under_way && wish->finish)
		return ctx_fail(ctx, -EINVAL,
				"--finish: `%s' has no old key in %s; right would be first `%s server rotate %s %s'",
				client->name, role->name, ctx->prog,
				role->name, client->name);
	return wish->finish ? server_rotate_finish(ctx, role, client->name) :
			      server_rotate_peer(ctx, role, section, client);
}

int server_rotate(struct ctx *ctx, int argc, char **argv)
{
	struct server_wish wish = { 0 };
	const struct opt opts[] = {
		{ "now", &wish.now, NULL },
		{ "finish", &wish.finish, NULL },
		{ "public-key", NULL, &wish.public_key },
		{ "dns", NULL, &wish.dns },
		{ "keep-key", &wish.keep_key, NULL },
		{ "format", NULL, &wish.format },
		{ "output", NULL, &wish.output },
		{ "qr", &wish.qr, NULL },
		{ "config-dir", NULL, &wish.dir },
		{ NULL, NULL, NULL },
	};

	return server_run(ctx, "server rotate", opts, argc, argv, &wish,
			  server_rotate_any);
}
