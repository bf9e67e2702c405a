// SPDX-License-Identifier: GPL-2.0
/* The verb "client": join, new, leave. (layer 8) */
#include "verbs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "dns.h"
#include "file.h"
#include "host.h"
#include "opts.h"
#include "role.h"
#include "tunnel.h"
#include "tunnel_state.h"

#define CLIENT_FILE_MAX	(1UL << 20)
/* So many characters of a line are shown. */
#define CLIENT_SHOWN	100
/* zbarimg writes this in front of what it has read. */
#define CLIENT_QR	"QR-Code:"
/* Editors for Windows begin with this. */
#define CLIENT_BOM	"\xef\xbb\xbf"

/**
 * struct client_wish - what the user says about joining
 * @dir:	where files are
 * @dns:	how name servers are used
 * @keepalive:	seconds
 * @kill_switch: nothing leaves but through the tunnel
 * @no_kill_switch: no longer
 * @except:	networks that the kill switch lets through
 * @allow_hooks: a file's lines for a shell are welcome
 * @no_up:	only write the file
 */
struct client_wish {
	const char *dir;
	const char *dns;
	const char *keepalive;
	const char *except;
	bool kill_switch;
	bool no_kill_switch;
	bool allow_hooks;
	bool no_up;
};

/*
 * The file that was given.
 */

/* How errors call it. */
static const char *client_what(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

/* Copies the lines, without what programs put around them. */
static void client_clean(const struct text *from, struct text *to)
{
	const char *at = text_string(from);
	size_t n;

	if (!strncmp(at, CLIENT_BOM, strlen(CLIENT_BOM)))
		at += strlen(CLIENT_BOM);
	for (; *at; at += n + (at[n] == '\n')) {
		if (!strncmp(at, CLIENT_QR, strlen(CLIENT_QR)))
			at += strlen(CLIENT_QR);
		n = strcspn(at, "\n");
		text_add(to, at, n - (n && at[n - 1] == '\r'));
		text_put(to, "\n");
	}
}

/* Our own settings are the user's to make, not those of whoever wrote it: what
 * is one is asked of the parser that will read it again.
 */
static int client_read(struct ctx *ctx, const char *name, const char *path,
		       const char *what, struct quick **quick)
{
	struct text raw = { 0 }, text = { 0 };
	int ret;

	*quick = NULL;
	ret = file_read(ctx, path, CLIENT_FILE_MAX, &raw);
	if (!ret && strlen(text_string(&raw)) != raw.len)
		ret = ctx_fail(ctx, -EINVAL,
			       "%s: holds a NUL byte; the file must be text",
			       what);
	if (!ret)
		client_clean(&raw, &text);
	if (!ret && text.broken)
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (!ret)
		ret = quick_parse(ctx, name, what, &text, quick);
	if (!ret)
		ret = quick_drop_settings(ctx, *quick);
	text_free(&raw);
	text_free(&text);
	return ret;
}

/* What has to be in it, or the other side has to say it again. */
static int client_check(struct ctx *ctx, const struct quick *quick,
			const char *path)
{
	const struct model_peer *peer;
	bool reachable = false;

	if (!quick->addresses.count)
		return ctx_fail(ctx, -EINVAL,
				"%s: [Interface] has no Address; the server's side says which one is this client's",
				path);
	if (!quick->dev->first)
		return ctx_fail(ctx, -EINVAL,
				"%s: has no [Peer]; the server's side says its PublicKey, Endpoint and AllowedIPs",
				path);
	for (peer = quick->dev->first; peer; peer = peer->next) {
		char key[BASE64_KEY_SIZE];

		base64_encode_key(key, peer->public_key);
		if (!peer->first)
			return ctx_fail(ctx, -EINVAL,
					"%s: peer %s has no AllowedIPs; right would be what lies behind it, or 0.0.0.0/0, ::/0 for everything",
					path, key);
		reachable |= peer->host != NULL;
	}
	if (!reachable)
		return ctx_fail(ctx, -EINVAL,
				"%s: no peer has an Endpoint; the server's side says HOST:PORT",
				path);
	return 0;
}

/* The beginning of what a stranger wrote, on a terminal that it must not steer
 * or make show something else.
 */
static void client_show(struct text *text, const char *string)
{
	size_t i;

	for (i = 0; string[i] && i < CLIENT_SHOWN; i++) {
		unsigned char c = string[i];

		text_printf(text, c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
	}
	if (string[i])
		text_put(text, "...");
}

static int client_refuse_hook(struct ctx *ctx, const char *path,
			      const char *key, const char *value, size_t more)
{
	struct text shown = { 0 }, others = { 0 };
	int ret;

	client_show(&shown, value);
	if (more)
		text_printf(&others, ", and so would %zu more line%s", more,
			    more > 1 ? "s" : "");
	ret = ctx_fail(ctx, -EPERM,
		       "%s: %s = %s would be run as root%s; if you trust the file, say --allow-hooks",
		       path, key, text_string(&shown), text_string(&others));
	text_free(&shown);
	text_free(&others);
	return ret;
}

static int client_check_hooks(struct ctx *ctx, const struct quick *quick,
			      const char *path,
			      const struct client_wish *wish)
{
	static const char *const names[QUICK_HOOKS] = {
		"PreUp", "PostUp", "PreDown", "PostDown",
	};
	int i, first = QUICK_HOOKS;
	size_t n = 0;

	for (i = QUICK_HOOKS - 1; i >= 0; i--) {
		n += quick->hooks[i].count;
		if (quick->hooks[i].count)
			first = i;
	}
	if (!n || wish->allow_hooks)
		return 0;
	return client_refuse_hook(ctx, path, names[first],
				  quick->hooks[first].all[0], n - 1);
}

/*
 * The file that is made of it.
 */

static int client_keep_setting(struct ctx *ctx, struct quick *fresh,
			       const struct quick *old, const char *key)
{
	const char *value = quick_setting(old, 0, key);
	char full[64];

	if (!value)
		return 0;
	snprintf(full, sizeof(full), "# wgpeer %s", key);
	return quick_set(ctx, fresh, 0, full, value);
}

/* A file without a private key is for the one that "client new" made. */
static int client_take_key(struct ctx *ctx, struct quick *fresh,
			   const struct quick *old, const char *path)
{
	if (!key_is_zero(fresh->dev->private_key))
		return 0;
	if (key_is_zero(old->dev->private_key))
		return ctx_fail(ctx, -EINVAL,
				"%s: has no PrivateKey, and `%s client new %s' has not made one",
				path, ctx->prog, fresh->name);
	return quick_set_key(ctx, fresh, 0, "PrivateKey",
			     old->dev->private_key);
}

static int client_set_keepalive(struct ctx *ctx, struct quick *quick,
				const char *text)
{
	unsigned long seconds;
	size_t section;
	int ret;

	ret = opts_number(ctx, "--keepalive", text, 1, 65535, &seconds);
	for (section = 1; section <= quick_peers(quick) && !ret; section++) {
		if (quick_peer(quick, section)->host)
			ret = quick_set(ctx, quick, section,
					"PersistentKeepalive", text);
	}
	return ret;
}

/* "none" is the empty list. */
static int client_set_except(struct ctx *ctx, struct quick *quick,
			     const struct client_wish *wish)
{
	struct cidr_list nets = { 0 };
	size_t i;
	int ret = 0;

	if (strcmp(wish->except, "none"))
		ret = cidr_list_parse(ctx, "--kill-switch-except",
				      wish->except, &nets);
	for (i = 0; i < nets.count && !ret; i++) {
		nets.all[i] = cidr_network(&nets.all[i]);
		if (cidr_is_default(&nets.all[i]))
			ret = ctx_fail(ctx, -EINVAL,
				       "--kill-switch-except: `%.100s' has everything in it; right would be --no-kill-switch",
				       wish->except);
	}
	if (!ret)
		ret = role_set_list(ctx, quick, 0,
				    "# wgpeer kill-switch-except", &nets);
	cidr_list_free(&nets);
	return ret;
}

static int client_set_kill_switch(struct ctx *ctx, struct quick *quick,
				  const struct client_wish *wish)
{
	int ret = 0;

	if (wish->no_kill_switch) {
		ret = quick_set(ctx, quick, 0, "# wgpeer kill-switch", NULL);
		if (!ret)
			ret = quick_set(ctx, quick, 0,
					"# wgpeer kill-switch-except", NULL);
	} else if (wish->kill_switch) {
		ret = quick_set(ctx, quick, 0, "# wgpeer kill-switch", "yes");
	}
	if (ret || !wish->except)
		return ret;
	if (!quick_setting(quick, 0, "kill-switch"))
		return ctx_fail(ctx, -EINVAL,
				"--kill-switch-except: there is no kill switch; right would be --kill-switch with it");
	return client_set_except(ctx, quick, wish);
}

static int client_edit(struct ctx *ctx, struct quick *fresh,
		       const struct quick *old, const char *path,
		       const struct client_wish *wish)
{
	enum dns_way way;
	int ret;

	ret = client_take_key(ctx, fresh, old, path);
	if (!ret)
		ret = quick_set(ctx, fresh, 0, "# wgpeer role", "client");
	if (!ret)
		ret = client_keep_setting(ctx, fresh, old, "kill-switch");
	if (!ret)
		ret = client_keep_setting(ctx, fresh, old,
					  "kill-switch-except");
	if (!ret)
		ret = client_keep_setting(ctx, fresh, old, "dns");
	if (!ret)
		ret = client_set_kill_switch(ctx, fresh, wish);
	if (!ret && wish->dns)
		ret = dns_way_parse(ctx, wish->dns, &way);
	if (!ret && wish->dns)
		ret = quick_set(ctx, fresh, 0, "# wgpeer dns", wish->dns);
	if (!ret && wish->keepalive)
		ret = client_set_keepalive(ctx, fresh, wish->keepalive);
	return ret;
}

/* Whether others cannot reach this host by themselves.  Once it is up, the
 * tunnel may be the way out, and what is outside cannot be told.
 */
static bool client_is_hidden(struct ctx *ctx, const struct role *role)
{
	enum host_wan wan;
	struct cidr addr;

	if (tunnel_is_up(ctx, role->name))
		return false;
	wan = host_wan(ctx, role->rtnl, AF_INET, &addr);
	return wan == HOST_WAN_PRIVATE || wan == HOST_WAN_SHARED ||
	       wan == HOST_WAN_DSLITE;
}

static bool client_sends_all(const struct quick *quick)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;

	for (peer = quick->dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			if (aip->family == AF_INET && !aip->cidr)
				return true;
		}
	}
	return false;
}

static void client_say(struct ctx *ctx, const struct role *role, bool hidden)
{
	const struct quick *quick = role->quick;
	const struct model_peer *peer;
	char text[CIDR_TEXT];
	bool silent = false;
	size_t i;

	for (i = 0; i < quick->addresses.count; i++) {
		cidr_text(text, &quick->addresses.all[i]);
		ctx_say(ctx, "%s: address %s", role->name, text);
	}
	for (peer = quick->dev->first; peer; peer = peer->next) {
		if (!peer->host)
			continue;
		ctx_say(ctx, "%s: connects to %s", role->name, peer->host);
		silent |= !peer->keepalive;
	}
	if (hidden && silent)
		ctx_say(ctx, "%s: after some minutes of silence the other side cannot reach this host behind NAT; --keepalive 25 keeps the way open",
			role->name);
	if (role_yes(role, 0, "kill-switch") && !client_sends_all(quick))
		ctx_say(ctx, "%s: the kill switch cuts off what the file does not send through the tunnel",
			role->name);
}

/* All that is known without the directory, which others may want while this
 * waits for the end of standard input.
 */
static int client_take_file(struct ctx *ctx, const char *name,
			    const char *path, const struct client_wish *wish,
			    struct quick **fresh)
{
	const char *what = client_what(path);
	int ret;

	ret = client_read(ctx, name, path, what, fresh);
	if (!ret)
		ret = client_check(ctx, *fresh, what);
	if (!ret)
		ret = client_check_hooks(ctx, *fresh, what, wish);
	return ret;
}

/* Takes @fresh. */
static int client_join_file(struct ctx *ctx, struct role *role,
			    struct quick *fresh, const char *path,
			    const struct client_wish *wish)
{
	bool hidden = client_is_hidden(ctx, role);
	int ret;

	ret = client_edit(ctx, fresh, role->quick, client_what(path), wish);
	quick_free(ret ? fresh : role->quick);
	if (ret)
		return ret;
	role->quick = fresh;
	ret = role_finish(ctx, role, wish->no_up);
	if (!ret)
		client_say(ctx, role, hidden);
	return ret;
}

static int client_join(struct ctx *ctx, int argc, char **argv)
{
	struct client_wish wish = { 0 };
	const struct opt opts[] = {
		{ "kill-switch", &wish.kill_switch, NULL },
		{ "no-kill-switch", &wish.no_kill_switch, NULL },
		{ "kill-switch-except", NULL, &wish.except },
		{ "dns", NULL, &wish.dns },
		{ "keepalive", NULL, &wish.keepalive },
		{ "allow-hooks", &wish.allow_hooks, NULL },
		{ "no-up", &wish.no_up, NULL },
		{ "config-dir", NULL, &wish.dir },
		{ NULL, NULL, NULL },
	};
	struct quick *fresh = NULL;
	struct role role;
	int ret;

	ret = opts_parse(ctx, "client join", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "client join", "IF FILE", argc);
	if (!ret && wish.kill_switch && wish.no_kill_switch)
		ret = ctx_fail(ctx, -EINVAL,
			       "client join: --kill-switch and --no-kill-switch exclude each other; right would be one of them");
	if (!ret)
		ret = client_take_file(ctx, argv[1], argv[2], &wish, &fresh);
	if (ret) {
		quick_free(fresh);
		return ret;
	}
	ret = role_open(ctx, &role, "client", wish.dir, argv[1], true);
	if (!ret)
		ret = client_join_file(ctx, &role, fresh, argv[2], &wish);
	else
		quick_free(fresh);
	role_close(&role);
	return ret;
}

/*
 * The others.
 */

static int client_new_key(struct ctx *ctx, struct role *role)
{
	uint8_t key[WG_KEY_LEN];
	int ret;

	ret = role_new_key(ctx, key);
	if (!ret)
		ret = quick_set_key(ctx, role->quick, 0, "PrivateKey", key);
	explicit_bzero(key, sizeof(key));
	return ret ? ret : quick_save(ctx, role->quick, role->path);
}

static int client_print_key(struct ctx *ctx, const struct role *role)
{
	char key_text[BASE64_KEY_SIZE];
	struct text text = { 0 };
	uint8_t key[WG_KEY_LEN];
	int ret;

	ret = role_public_key(ctx, role, key);
	if (ret)
		return ret;
	base64_encode_key(key_text, key);
	text_printf(&text, "%s\n", key_text);
	ret = role_print(ctx, NULL, &text);
	text_free(&text);
	return ret;
}

static int client_new(struct ctx *ctx, int argc, char **argv)
{
	const char *dir = NULL;
	bool no_up = false;	/* Never is: for scripts that always say it. */
	const struct opt opts[] = {
		{ "no-up", &no_up, NULL },
		{ "config-dir", NULL, &dir },
		{ NULL, NULL, NULL },
	};
	struct role role;
	int ret;

	ret = opts_parse(ctx, "client new", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "client new", "IF", argc);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "client", dir, argv[1], true);
	/* Run again, it tells the same key. */
	if (!ret && key_is_zero(role.quick->dev->private_key))
		ret = client_new_key(ctx, &role);
	if (!ret)
		ret = client_print_key(ctx, &role);
	if (!ret && !role.quick->dev->first)
		ctx_todo(ctx, "give this key to the server's side (`%s server add IF NAME --public-key KEY'), then join with the file that comes back",
			 ctx->prog);
	role_close(&role);
	return ret;
}

static int client_leave(struct ctx *ctx, int argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = {
		{ "config-dir", NULL, &dir },
		{ NULL, NULL, NULL },
	};
	struct role role;
	int ret;

	ret = opts_parse(ctx, "client leave", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "client leave", "IF", argc);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "client", dir, argv[1], false);
	if (!ret)
		ret = file_backup(ctx, role.path);
	/* Also what is left of one that is not up: a kill switch, say. */
	if (!ret && (tunnel_is_up(ctx, role.name) ||
		     tunnel_state_exists(ctx, role.name)))
		ret = tunnel_down(ctx, role.quick, role.name, false);
	if (!ret && unlink(role.path))
		ret = ctx_fail(ctx, -errno, "Unable to remove `%s': %s",
			       role.path, strerror(errno));
	if (!ret)
		ctx_say(ctx, "%s: gone; what the file held is in %s.bak",
			role.name, role.path);
	role_close(&role);
	return ret;
}

int client_main(struct ctx *ctx, int argc, char **argv)
{
	static const struct role_verb verbs[] = {
		{ "join", client_join },
		{ "new", client_new },
		{ "leave", client_leave },
		{ NULL, NULL },
	};

	return role_run(ctx, verbs, argc, argv);
}
