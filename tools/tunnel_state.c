// SPDX-License-Identifier: GPL-2.0
/* Notes about what tunnels made on this host, to undo it. (layer 6) */
#include "tunnel_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "stop.h"

#define TUNNEL_STATE_MAX	(1UL << 30)
#define TUNNEL_STATE_SUFFIX	40
#define TUNNEL_STATE_WORDS	4
#define TUNNEL_STATE_N(a)	(sizeof(a) / sizeof((a)[0]))

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE		71
#endif

/* --- where ---------------------------------------------------------------- */

/*
 * "" in the namespace of process 1, "@NUMBER" elsewhere: /run is seen from
 * all of them.  A cookie is never used twice, a number of an inode may be.
 */
static void tunnel_state_suffix(char suffix[TUNNEL_STATE_SUFFIX])
{
	struct stat own, first;
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie;
	int fd;

	suffix[0] = '\0';
	if (stat("/proc/self/ns/net", &own) ||
	    stat("/proc/1/ns/net", &first) ||
	    (own.st_ino == first.st_ino && own.st_dev == first.st_dev))
		return;
	cookie = own.st_ino;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len);
		close(fd);
	}
	snprintf(suffix, TUNNEL_STATE_SUFFIX, "@%" PRIu64, cookie);
}

static void tunnel_state_path(struct ctx *ctx, const char *name,
			      char path[PATH_MAX])
{
	char suffix[TUNNEL_STATE_SUFFIX];

	tunnel_state_suffix(suffix);
	snprintf(path, PATH_MAX, "%s/%s%s.state", ctx->statedir, name, suffix);
}

static int tunnel_state_make_directory(struct ctx *ctx)
{
	if (mkdir(ctx->statedir, 0700) && errno != EEXIST)
		return ctx_fail(ctx, -errno, "Unable to make `%s': %s",
				ctx->statedir, strerror(errno));
	return 0;
}

int tunnel_state_lock(struct ctx *ctx)
{
	char path[PATH_MAX];
	int fd, ret;

	ret = tunnel_state_make_directory(ctx);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/lock", ctx->statedir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return ctx_fail(ctx, -errno, "Unable to open `%s': %s", path,
				strerror(errno));
	while (flock(fd, LOCK_EX)) {
		if (errno == EINTR)
			ret = !stop_wanted(ctx) ? 0 :
			      ctx_fail(ctx, -EINTR,
				       "Ended by a signal while waiting for `%s'",
				       path);
		else
			ret = ctx_fail(ctx, -errno, "Unable to lock `%s': %s",
				       path, strerror(errno));
		if (!ret)
			continue;
		close(fd);
		return ret;
	}
	return fd;
}

/* --- firewall rules ------------------------------------------------------- */

static const struct tunnel_state_flag {
	const char *name;
	size_t at;
} tunnel_state_flags[] = {
	{ "forward", offsetof(struct fw_rules, forward) },
	{ "nat-lans", offsetof(struct fw_rules, nat_lans) },
	{ "exit", offsetof(struct fw_rules, exit) },
	{ "isolate", offsetof(struct fw_rules, isolate) },
	{ "no-ipv6", offsetof(struct fw_rules, no_ipv6) },
	{ "kill-switch", offsetof(struct fw_rules, kill_switch) },
};

static const struct tunnel_state_flag tunnel_state_lists[] = {
	{ "lans", offsetof(struct fw_rules, lans) },
	{ "tunnel", offsetof(struct fw_rules, tunnel) },
	{ "own", offsetof(struct fw_rules, own) },
	{ "kill-lans", offsetof(struct fw_rules, kill_lans) },
};

static void *tunnel_state_member(const struct fw_rules *fw,
				 const struct tunnel_state_flag *flag)
{
	return (char *)fw + flag->at;
}

static void tunnel_state_put_list(struct text *text, const char *key,
				  const char *word,
				  const struct cidr_list *list)
{
	char cidr[CIDR_TEXT];
	size_t i;

	for (i = 0; i < list->count; i++) {
		cidr_text(cidr, &list->all[i]);
		text_printf(text, "%s %s%s%s\n", key, word, *word ? " " : "",
			    cidr);
	}
}

void tunnel_state_put_fw(const struct fw_rules *fw, struct text *text)
{
	size_t i;

	if (fw->open_port)
		text_printf(text, "fw open-port %u\n", fw->open_port);
	if (fw->mark)
		text_printf(text, "fw mark %" PRIu32 "\n", fw->mark);
	for (i = 0; i < TUNNEL_STATE_N(tunnel_state_flags); i++) {
		if (*(bool *)tunnel_state_member(fw, &tunnel_state_flags[i]))
			text_printf(text, "fw %s\n",
				    tunnel_state_flags[i].name);
	}
	for (i = 0; i < TUNNEL_STATE_N(tunnel_state_lists); i++)
		tunnel_state_put_list(text, "fw", tunnel_state_lists[i].name,
				      tunnel_state_member(fw,
						&tunnel_state_lists[i]));
}

/* --- writing -------------------------------------------------------------- */

void tunnel_state_put_dns(const struct tunnel_plan *plan, struct text *text)
{
	size_t i;

	tunnel_state_put_list(text, "server", "", &plan->servers);
	for (i = 0; i < plan->search.count; i++)
		text_printf(text, "search %s\n", plan->search.all[i]);
}

static void tunnel_state_put_hosts(const struct tunnel_plan *plan,
				   struct text *text)
{
	char key[BASE64_KEY_SIZE];
	size_t i;

	for (i = 0; i < plan->n_hosts; i++) {
		base64_encode_key(key, plan->hosts[i].key);
		text_printf(text, "host %s %s\n", key, plan->hosts[i].text);
	}
}

static const char *const tunnel_state_firewalls[] = {
	[TUNNEL_FW_NONE] = "none",
	[TUNNEL_FW_NFT] = "nft",
	[TUNNEL_FW_PRINT] = "print",
};

static void tunnel_state_put(const struct tunnel_plan *plan, struct text *text)
{
	char cidr[CIDR_TEXT];
	size_t i;

	text_printf(text, "mtu %u\nmulticast %u\nmark %" PRIu32 " %u\n",
		    plan->mtu, plan->multicast, plan->mark, plan->mark_chosen);
	tunnel_state_put_list(text, "address", "", &plan->addresses);
	for (i = 0; i < plan->n_routes; i++) {
		cidr_text(cidr, &plan->routes[i].dst);
		text_printf(text, "route %s %" PRIu32 " %u\n", cidr,
			    plan->routes[i].table, plan->routes[i].policy);
	}
	for (i = 0; i < plan->n_sysctls; i++)
		text_printf(text, "sysctl %s %s %s %u\n", plan->sysctls[i].key,
			    plan->sysctls[i].value, plan->sysctls[i].old,
			    plan->sysctls[i].follows);
	text_printf(text, "firewall %s\n",
		    tunnel_state_firewalls[plan->firewall]);
	tunnel_state_put_fw(&plan->fw, text);
	text_printf(text, "dns %s\n", dns_way_name(plan->dns));
	tunnel_state_put_dns(plan, text);
}

int tunnel_state_write(struct ctx *ctx, const struct tunnel_plan *from,
		       const struct tunnel_plan *to)
{
	struct text text = { 0 };
	char path[PATH_MAX];
	int ret;

	ret = tunnel_state_make_directory(ctx);
	if (ret)
		return ret;
	tunnel_state_path(ctx, to->name, path);
	text_printf(&text, "# What `wgpeer down %s' has to undo.\n", to->name);
	if (from)
		tunnel_state_put(from, &text);
	tunnel_state_put(to, &text);
	/* Those of @to are not in use until all is done. */
	tunnel_state_put_hosts(from ? from : to, &text);
	ret = file_write(ctx, path, 0600, &text);
	text_free(&text);
	return ret;
}

void tunnel_state_remove(struct ctx *ctx, const char *name)
{
	char path[PATH_MAX];

	tunnel_state_path(ctx, name, path);
	unlink(path);
}

/* --- reading -------------------------------------------------------------- */

/* A list has each network once: two plans may have been written. */
static int tunnel_state_take_cidr(struct ctx *ctx, struct cidr_list *list,
				  const char *word)
{
	struct cidr cidr;
	size_t i;

	if (cidr_parse(ctx, "state", word, &cidr))
		return -EINVAL;
	for (i = 0; i < list->count; i++) {
		if (cidr_equal(&list->all[i], &cidr))
			return 0;
	}
	return cidr_list_add(list, &cidr);
}

static int tunnel_state_take_fw(struct ctx *ctx, struct tunnel_plan *plan,
				char *const word[TUNNEL_STATE_WORDS])
{
	size_t i;

	if (!strcmp(word[0], "open-port"))
		plan->fw.open_port = strtoul(word[1], NULL, 10);
	if (!strcmp(word[0], "mark"))
		plan->fw.mark = strtoul(word[1], NULL, 10);
	for (i = 0; i < TUNNEL_STATE_N(tunnel_state_flags); i++) {
		if (!strcmp(word[0], tunnel_state_flags[i].name))
			*(bool *)tunnel_state_member(&plan->fw,
					&tunnel_state_flags[i]) = true;
	}
	for (i = 0; i < TUNNEL_STATE_N(tunnel_state_lists); i++) {
		if (!strcmp(word[0], tunnel_state_lists[i].name))
			return tunnel_state_take_cidr(ctx,
				tunnel_state_member(&plan->fw,
						    &tunnel_state_lists[i]),
				word[1]);
	}
	return 0;
}

static int tunnel_state_take_route(struct ctx *ctx, struct tunnel_plan *plan,
				   char *const word[TUNNEL_STATE_WORDS])
{
	struct tunnel_route route = {
		.table = strtoul(word[1], NULL, 10),
		.policy = !strcmp(word[2], "1"),
	};

	if (cidr_parse(ctx, "state", word[0], &route.dst))
		return -EINVAL;
	return tunnel_plan_add_route(plan, &route);
}

static int tunnel_state_take_sysctl(struct tunnel_plan *plan,
				    char *const word[TUNNEL_STATE_WORDS])
{
	struct tunnel_sysctl sysctl = { .follows = !strcmp(word[3], "1") };

	snprintf(sysctl.key, sizeof(sysctl.key), "%s", word[0]);
	snprintf(sysctl.value, sizeof(sysctl.value), "%s", word[1]);
	snprintf(sysctl.old, sizeof(sysctl.old), "%s", word[2]);
	return tunnel_plan_add_sysctl(plan, &sysctl);
}

static int tunnel_state_take_search(struct tunnel_plan *plan, const char *word)
{
	char **all, *copy = strdup(word);
	size_t i;

	for (i = 0; i < plan->search.count; i++) {
		if (!strcmp(plan->search.all[i], word)) {
			free(copy);
			return 0;
		}
	}
	all = reallocarray(plan->search.all, i + 1, sizeof(*all));
	if (all)
		plan->search.all = all;
	if (!all || !copy) {
		free(copy);
		return -ENOMEM;
	}
	all[plan->search.count++] = copy;
	return 0;
}

static int tunnel_state_take_host(struct tunnel_plan *plan,
				  char *const word[TUNNEL_STATE_WORDS])
{
	uint8_t key[WG_KEY_LEN];

	if (!base64_decode_key(key, word[0]))
		return -EINVAL;
	return tunnel_plan_add_host(plan, key, word[1]);
}

static enum tunnel_firewall
tunnel_state_firewall(const struct tunnel_plan *plan, const char *word)
{
	/* Of two plans that were written, one made rules. */
	if (!strcmp(word, "nft") || plan->firewall == TUNNEL_FW_NFT)
		return TUNNEL_FW_NFT;
	return strcmp(word, "print") ? TUNNEL_FW_NONE : TUNNEL_FW_PRINT;
}

/* What does not fit is skipped: the rest shall be undone all the same. */
static int tunnel_state_take(struct ctx *ctx, struct tunnel_plan *plan,
			     const char *key,
			     char *const word[TUNNEL_STATE_WORDS])
{
	if (!strcmp(key, "mtu"))
		plan->mtu = strtoul(word[0], NULL, 10);
	else if (!strcmp(key, "multicast"))
		plan->multicast = !strcmp(word[0], "1");
	else if (!strcmp(key, "mark")) {
		plan->mark = strtoul(word[0], NULL, 10);
		plan->mark_chosen = !strcmp(word[1], "1");
	} else if (!strcmp(key, "address"))
		return tunnel_state_take_cidr(ctx, &plan->addresses, word[0]);
	else if (!strcmp(key, "route"))
		return tunnel_state_take_route(ctx, plan, word);
	else if (!strcmp(key, "sysctl"))
		return tunnel_state_take_sysctl(plan, word);
	else if (!strcmp(key, "firewall"))
		plan->firewall = tunnel_state_firewall(plan, word[0]);
	else if (!strcmp(key, "fw"))
		return tunnel_state_take_fw(ctx, plan, word);
	else if (!strcmp(key, "dns"))
		return dns_way_parse(ctx, word[0], &plan->dns);
	else if (!strcmp(key, "server"))
		return tunnel_state_take_cidr(ctx, &plan->servers, word[0]);
	else if (!strcmp(key, "search"))
		return tunnel_state_take_search(plan, word[0]);
	else if (!strcmp(key, "host"))
		return tunnel_state_take_host(plan, word);
	return 0;
}

static int tunnel_state_take_line(struct ctx *ctx, struct tunnel_plan *plan,
				  char *line)
{
	char *word[TUNNEL_STATE_WORDS], *key;
	size_t i;

	key = strsep(&line, " ");
	for (i = 0; i < TUNNEL_STATE_WORDS; i++) {
		word[i] = strsep(&line, " ");
		if (!word[i])
			word[i] = "";
	}
	return tunnel_state_take(ctx, plan, key, word);
}

static int tunnel_state_load(struct ctx *ctx, const char *path,
			     struct tunnel_plan *plan)
{
	struct text text = { 0 };
	char *rest, *line;
	int ret;

	ret = file_read(ctx, path, TUNNEL_STATE_MAX, &text);
	rest = text.data;
	while (!ret && (line = strsep(&rest, "\n"))) {
		if (tunnel_state_take_line(ctx, plan, line) == -ENOMEM)
			ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	text_free(&text);
	tunnel_plan_sort_hosts(plan);
	tunnel_plan_sort_routes(plan);
	plan->noted = true;
	return ret;
}

bool tunnel_state_exists(struct ctx *ctx, const char *name)
{
	char path[PATH_MAX];

	tunnel_state_path(ctx, name, path);
	return file_exists(path);
}

int tunnel_state_read(struct ctx *ctx, struct tunnel_plan *plan)
{
	char path[PATH_MAX];

	tunnel_state_path(ctx, plan->name, path);
	if (!file_exists(path))
		return 0;
	return tunnel_state_load(ctx, path, plan);
}

/* Whether a file is the state of another tunnel; its name is cut to that. */
static bool tunnel_state_is_other(char *file, const char *suffix,
				  const char *name)
{
	size_t len = strlen(file), tail = strlen(".state");
	char *at = strchr(file, '@');

	if (len <= tail || strcmp(file + len - tail, ".state"))
		return false;
	file[len - tail] = '\0';
	if (*suffix ? !at || strcmp(at, suffix) : !!at)
		return false;
	if (at)
		*at = '\0';
	return strcmp(file, name) && strlen(file) < MODEL_NAME_SIZE;
}

int tunnel_state_others(struct ctx *ctx, const char *name,
			int (*cb)(const struct tunnel_plan *plan, void *data),
			void *data)
{
	char suffix[TUNNEL_STATE_SUFFIX];
	struct tunnel_plan plan;
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	dir = opendir(ctx->statedir);
	if (!dir)
		return 0;
	tunnel_state_suffix(suffix);
	while (!ret && (entry = readdir(dir))) {
		if (!tunnel_state_is_other(entry->d_name, suffix, name))
			continue;
		tunnel_plan_init(&plan, entry->d_name);
		ret = tunnel_state_read(ctx, &plan);
		if (!ret && plan.noted)
			ret = cb(&plan, data);
		tunnel_plan_free(&plan);
	}
	closedir(dir);
	return ret;
}
