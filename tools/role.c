// SPDX-License-Identifier: GPL-2.0
/* What the verbs for whole setups have in common. (layer 7) */
#include "role.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "curve25519.h"
#include "file.h"
#include "host.h"
#include "opts.h"
#include "tunnel.h"

#define ROLE_DIR	"/etc/wireguard"
#define ROLE_FILE_MAX	(1UL << 30)
#define ROLE_HOST_SIZE	254	/* RFC 1035, as text */

static int role_check_name(struct ctx *ctx, const char *name)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=+.-";
	size_t len = strlen(name);

	if (len && len < MODEL_NAME_SIZE && name[strspn(name, good)] == '\0' &&
	    strcmp(name, ".") && strcmp(name, "..") && *name != '-')
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"interface: `%.100s' is wrong; right would be 1 to %d letters, digits, `_', `=', `+', `.', `-'",
			name, MODEL_NAME_SIZE - 1);
}

static int role_lock(struct ctx *ctx, struct role *role, const char *dir,
		     bool create)
{
	if (create && !mkdir(dir, 0700))
		role->made_dir = dir;
	else if (create && errno != EEXIST)
		return ctx_fail(ctx, -errno, "Unable to make `%s': %s", dir,
				strerror(errno));
	role->lock = file_lock_dir(ctx, dir);
	return role->lock < 0 ? role->lock : 0;
}

static int role_begin(struct ctx *ctx, struct role *role, const char *kind)
{
	struct text nothing = { 0 };
	struct rtnl_link link;
	int ret;

	ret = rtnl_link_find(role->rtnl, role->name, &link);
	if (!ret)
		return ctx_fail(ctx, -EEXIST,
				"%s: there is an interface of this name, but no file `%s'; right would be another name",
				role->name, role->path);
	if (ret != -ENODEV)
		return ret;
	role->is_new = true;
	ret = quick_parse(ctx, role->name, role->path, &nothing, &role->quick);
	if (!ret && kind)
		ret = quick_set(ctx, role->quick, 0, "# wgpeer role", kind);
	return ret;
}

static int role_check_kind(struct ctx *ctx, struct role *role,
			   const char *kind)
{
	const char *is = quick_setting(role->quick, 0, "role");

	if (!kind || (is && !strcmp(is, kind)))
		return 0;
	if (is)
		return ctx_fail(ctx, -EINVAL,
				"%s: its role is `%.100s', not `%s'; right would be another interface, or `%s %.100s'",
				role->path, is, kind, ctx->prog, is);
	return ctx_fail(ctx, -EINVAL,
			"%s: was not made by `%s %s'; right would be another interface, or the line `# wgpeer role = %s' in its [Interface]",
			role->path, ctx->prog, kind, kind);
}

int role_open(struct ctx *ctx, struct role *role, const char *kind,
	      const char *dir, const char *name, bool create)
{
	int ret;

	memset(role, 0, sizeof(*role));
	role->lock = -1;
	if (!dir)
		dir = ROLE_DIR;
	ret = role_check_name(ctx, name);
	if (ret)
		return ret;
	snprintf(role->name, sizeof(role->name), "%s", name);
	if (asprintf(&role->path, "%s/%s.conf", dir, name) < 0) {
		role->path = NULL;
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	if (!create && !file_exists(role->path))
		return ctx_fail(ctx, -ENOENT,
				"%s: there is no such file; right would be first `%s %s %s %s'",
				role->path, ctx->prog, kind ? kind : "server",
				kind && !strcmp(kind, "client") ? "join" :
								  "init",
				name);
	ret = role_lock(ctx, role, dir, create);
	if (!ret)
		ret = rtnl_open(ctx, &role->rtnl);
	if (ret)
		return ret;
	if (!file_exists(role->path))
		return role_begin(ctx, role, kind);
	ret = file_read(ctx, role->path, ROLE_FILE_MAX, &role->old);
	if (!ret)
		ret = quick_parse(ctx, name, role->path, &role->old,
				  &role->quick);
	return ret ? ret : role_check_kind(ctx, role, kind);
}

void role_close(struct role *role)
{
	quick_free(role->quick);
	text_free(&role->old);
	rtnl_close(role->rtnl);
	free(role->path);
	if (role->lock >= 0)
		close(role->lock);
	/* Stays if there is something in it. */
	if (role->made_dir)
		rmdir(role->made_dir);
	memset(role, 0, sizeof(*role));
	role->lock = -1;
}

int role_new_psk(struct ctx *ctx, uint8_t key[WG_KEY_LEN])
{
	ssize_t n;

	do {
		n = getrandom(key, WG_KEY_LEN, 0);
	} while (n < 0 && errno == EINTR);
	if (n == WG_KEY_LEN)
		return 0;
	return ctx_fail(ctx, -EIO, "Unable to get random bytes: %s",
			n < 0 ? strerror(errno) : "too few");
}

int role_new_key(struct ctx *ctx, uint8_t key[WG_KEY_LEN])
{
	int ret = role_new_psk(ctx, key);

	if (!ret)
		curve25519_clamp(key);
	return ret;
}

int role_public_key(struct ctx *ctx, const struct role *role,
		    uint8_t key[WG_KEY_LEN])
{
	const uint8_t *private_key = role->quick->dev->private_key;

	if (key_is_zero(private_key))
		return ctx_fail(ctx, -EINVAL,
				"%s: has no PrivateKey in its [Interface]; right would be the one of `%s genkey'",
				role->path, ctx->prog);
	curve25519_public_key(key, private_key);
	return 0;
}

/* "one, two or three" */
static void role_list_verbs(const struct role_verb *verbs, struct text *list)
{
	for (; verbs->name; verbs++) {
		if (list->len)
			text_put(list, verbs[1].name ? ", " : " or ");
		text_put(list, verbs->name);
	}
}

int role_run(struct ctx *ctx, const struct role_verb *verbs, int argc,
	     char **argv)
{
	const struct role_verb *verb;
	struct text list = { 0 };
	int ret;

	for (verb = verbs; argc > 1 && verb->name; verb++) {
		if (!strcmp(verb->name, argv[1]))
			return verb->run(ctx, argc - 1, argv + 1);
	}
	role_list_verbs(verbs, &list);
	if (argc > 1)
		ret = ctx_fail(ctx, -EINVAL,
			       "%s: `%.100s' is wrong; right would be %s",
			       argv[0], argv[1], text_string(&list));
	else
		ret = ctx_fail(ctx, -EINVAL,
			       "%s: too few words; right would be %s",
			       argv[0], text_string(&list));
	text_free(&list);
	return ret;
}

int role_words(struct ctx *ctx, const char *verb, const char *names, int argc)
{
	const char *at = names;
	int need = 2;

	while ((at = strchr(at, ' '))) {
		at++;
		need++;
	}
	if (argc == need)
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"%s: too %s words; right would be `%s %s %s [OPTION]...'",
			verb, argc < need ? "few" : "many", ctx->prog, verb,
			names);
}

bool role_yes(const struct role *role, size_t section, const char *key)
{
	const char *value = quick_setting(role->quick, section, key);

	return value && !strcmp(value, "yes");
}

int role_get_list(struct ctx *ctx, const struct role *role, size_t section,
		  const char *key, struct cidr_list *list)
{
	const char *value = quick_setting(role->quick, section, key);
	char *what;
	int ret;

	if (!value)
		return 0;
	if (asprintf(&what, "%s: %s", role->path, key) < 0)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	ret = cidr_list_parse(ctx, what, value, list);
	free(what);
	return ret;
}

static int role_set_text(struct ctx *ctx, struct quick *quick, size_t section,
			 const char *key, const struct cidr_list *list,
			 void (*word)(char text[CIDR_TEXT],
				      const struct cidr *cidr))
{
	struct text value = { 0 };
	char text[CIDR_TEXT];
	size_t i;
	int ret;

	for (i = 0; i < list->count; i++) {
		word(text, &list->all[i]);
		text_printf(&value, "%s%s", i ? ", " : "", text);
	}
	if (value.broken)
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	else
		ret = quick_set(ctx, quick, section, key, value.data);
	text_free(&value);
	return ret;
}

int role_set_list(struct ctx *ctx, struct quick *quick, size_t section,
		  const char *key, const struct cidr_list *list)
{
	return role_set_text(ctx, quick, section, key, list, cidr_text);
}

int role_set_hosts(struct ctx *ctx, struct quick *quick, size_t section,
		   const char *key, const struct cidr_list *list)
{
	return role_set_text(ctx, quick, section, key, list, cidr_addr_text);
}

static int role_write_endpoint(struct ctx *ctx, struct role *role,
			       const char *host, unsigned long port)
{
	bool brackets = strchr(host, ':');
	char text[ROLE_HOST_SIZE + 16];

	snprintf(text, sizeof(text), "%s%s%s:%lu", brackets ? "[" : "", host,
		 brackets ? "]" : "", port);
	return quick_set(ctx, role->quick, 0, "# wgpeer endpoint", text);
}

/* A name of DNS, or an address. */
static bool role_is_host(const char *host, bool in_brackets)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	struct in6_addr ip;

	if (in_brackets || strchr(host, ':'))
		return inet_pton(AF_INET6, host, &ip) == 1;
	/* No domain is all digits: that would be an address with a typo. */
	if (!host[strspn(host, "0123456789.")])
		return inet_pton(AF_INET, host, &ip) == 1;
	return !host[strspn(host, good)] && *host != '-' && *host != '.' &&
	       !strstr(host, "..");
}

int role_set_endpoint(struct ctx *ctx, struct role *role, const char *text)
{
	unsigned long port = role->quick->dev->listen_port;
	bool brackets = *text == '[';
	const char *host = text + brackets;
	char copy[ROLE_HOST_SIZE];
	const char *colon;
	size_t len;
	int ret;

	/* Two colons without brackets: all of it is an IPv6 address. */
	colon = brackets ? strchr(text, ']') : strchr(text, ':');
	if (!brackets && colon && strchr(colon + 1, ':'))
		colon = NULL;
	len = colon ? (size_t)(colon - host) : strlen(host);
	if (brackets && colon)
		colon++;
	if (len >= sizeof(copy) || (brackets && !colon))
		goto wrong;
	memcpy(copy, host, len);
	copy[len] = '\0';
	if (!len || !role_is_host(copy, brackets) ||
	    (colon && *colon && *colon != ':'))
		goto wrong;
	if (colon && *colon) {
		ret = opts_number(ctx, "--endpoint: port", colon + 1, 1, 65535,
				  &port);
		if (ret)
			return ret;
	}
	return role_write_endpoint(ctx, role, copy, port);
wrong:
	return ctx_fail(ctx, -EINVAL,
			"--endpoint: `%.100s' is wrong; right would be HOST, HOST:PORT or [IPv6]:PORT, where HOST is a name or an address",
			text);
}

int role_find_endpoint(struct ctx *ctx, struct role *role, bool inside)
{
	enum host_wan wan4, wan6;
	struct cidr addr4, addr6;
	char text[CIDR_TEXT];

	wan4 = host_wan(ctx, role->rtnl, AF_INET, &addr4);
	wan6 = host_wan(ctx, role->rtnl, AF_INET6, &addr6);
	if (wan4 == HOST_WAN_PUBLIC)
		cidr_addr_text(text, &addr4);
	else if (wan6 == HOST_WAN_PUBLIC)
		cidr_addr_text(text, &addr6);
	else if (wan4 != HOST_WAN_NONE && inside)
		cidr_addr_text(text, &addr4);
	else if (wan6 != HOST_WAN_NONE && inside)
		cidr_addr_text(text, &addr6);
	else
		return ctx_fail(ctx, -ENOENT,
				"%s: no address of this host can be reached from the internet; right would be --endpoint HOST[:PORT]",
				role->name);
	return role_write_endpoint(ctx, role, text,
				   role->quick->dev->listen_port);
}

void role_todo_endpoint(struct ctx *ctx, const struct role *role)
{
	const char *endpoint = quick_setting(role->quick, 0, "endpoint");
	enum host_wan wan4, wan6;
	struct cidr addr4, addr6;
	char text[CIDR_TEXT];

	wan4 = host_wan(ctx, role->rtnl, AF_INET, &addr4);
	wan6 = host_wan(ctx, role->rtnl, AF_INET6, &addr6);
	if (wan4 == HOST_WAN_NONE && wan6 == HOST_WAN_NONE)
		ctx_todo(ctx, "%s", host_wan_words(wan4));
	if (wan4 == HOST_WAN_NONE || wan4 == HOST_WAN_PUBLIC)
		return;
	cidr_addr_text(text, &addr4);
	ctx_todo(ctx, "%s (UDP port %u, address %s)", host_wan_words(wan4),
		 role->quick->dev->listen_port, text);
	if (wan4 == HOST_WAN_PRIVATE && endpoint &&
	    !strncmp(endpoint, text, strlen(text)) &&
	    endpoint[strlen(text)] == ':')
		ctx_todo(ctx, "say the public name or address of that router: `%s %s init %s --endpoint HOST'",
			 ctx->prog, quick_setting(role->quick, 0, "role"),
			 role->name);
}

static void role_undo_run(struct ctx *ctx, struct role *role)
{
	struct quick *quick = NULL;
	int ret;

	if (role->is_new) {
		ret = tunnel_down(ctx, role->quick, role->name, false);
	} else {
		ret = quick_parse(ctx, role->name, role->path, &role->old,
				  &quick);
		if (!ret && role->was_up)
			ret = tunnel_apply(ctx, quick, false);
		else if (!ret)
			ret = tunnel_down(ctx, quick, role->name, false);
	}
	if (ret)
		ctx_warn(ctx, "%s: does not run as before: %s", role->name,
			 ctx->error);
	quick_free(quick);
}

void role_undo(struct ctx *ctx, struct role *role)
{
	char error[sizeof(ctx->error)];
	int ret;

	memcpy(error, ctx->error, sizeof(error));
	if (role->was_up || tunnel_is_up(ctx, role->name))
		role_undo_run(ctx, role);
	if (role->is_new)
		ret = unlink(role->path) ? -errno : 0;
	else
		ret = file_write(ctx, role->path, 0600, &role->old);
	if (ret)
		ctx_warn(ctx, "%s: could not be put back as it was: %s",
			 role->path, strerror(-ret));
	memcpy(ctx->error, error, sizeof(error));
}

int role_commit(struct ctx *ctx, struct role *role, bool no_up)
{
	int ret;

	role->was_up = tunnel_is_up(ctx, role->name);
	ret = quick_save(ctx, role->quick, role->path);
	if (ret || no_up)
		return ret;
	ret = tunnel_apply(ctx, role->quick, false);
	if (ret)
		role_undo(ctx, role);
	return ret;
}

int role_finish(struct ctx *ctx, struct role *role, bool no_up)
{
	int ret = host_check(ctx, role->rtnl, role->quick);

	return ret ? ret : role_commit(ctx, role, no_up);
}

/* Past stdio, which would keep a copy and tell of errors too late. */
static int role_to_stdout(struct ctx *ctx, const struct text *text)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	size_t done = 0;
	ssize_t n;
	int ret = 0;

	/* A reader that went away must not end us: there is work to undo. */
	sigaction(SIGPIPE, &ignore, &before);
	while (!ret && done < text->len) {
		n = write(fileno(ctx->out), text->data + done,
			  text->len - done);
		if (n > 0)
			done += n;
		else if (n < 0 && errno != EINTR)
			ret = ctx_fail(ctx, -errno,
				       "Unable to write to standard output: %s",
				       strerror(errno));
	}
	sigaction(SIGPIPE, &before, NULL);
	return ret;
}

int role_print(struct ctx *ctx, const char *path, const struct text *text)
{
	if (text->broken)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (path && strcmp(path, "-"))
		return file_write(ctx, path, 0600, text);
	return role_to_stdout(ctx, text);
}

int role_hand_over(struct ctx *ctx, struct role *role, const char *path,
		   const struct text *text)
{
	int ret = role_print(ctx, path, text);

	if (ret)
		role_undo(ctx, role);
	return ret;
}
