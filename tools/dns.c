// SPDX-License-Identifier: GPL-2.0
/* Name servers of a tunnel, handed to whatever resolves names here. (layer 2) */
#include "dns.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "spawn.h"
#include "text.h"

/* Where systemd-resolved lives while it runs. */
#define DNS_RESOLVED_RUN	"/run/systemd/resolve"
#define DNS_OPENWRT		"/etc/openwrt_release"
#define DNS_DNSMASQ_INIT	"/etc/init.d/dnsmasq"
/* Where it looks for more settings; the name differs between releases. */
#define DNS_DNSMASQ_DIRS	"/tmp/dnsmasq*.d"
/* Debian's resolvconf sorts by these names of interfaces. */
#define DNS_ORDER		"/etc/resolvconf/interface-order"
#define DNS_ORDER_MAX		65536

/* What dns_up() was asked for. */
struct dns_want {
	const char *name;
	const struct cidr_list *servers;
	char *const *search;
	size_t n_search;
	bool all;
};

static const char *const dns_names[] = {
	[DNS_NONE] = "none",
	[DNS_RESOLVED] = "resolved",
	[DNS_RESOLVCONF] = "resolvconf",
	[DNS_DNSMASQ] = "dnsmasq",
	[DNS_AUTO] = "auto",
};

int dns_way_parse(struct ctx *ctx, const char *text, enum dns_way *way)
{
	size_t i;

	for (i = 0; i < sizeof(dns_names) / sizeof(dns_names[0]); i++) {
		if (!strcmp(text, dns_names[i])) {
			*way = i;
			return 0;
		}
	}
	return ctx_fail(ctx, -EINVAL,
			"dns: `%.100s' is wrong; right would be auto, resolved, resolvconf, dnsmasq or none",
			text);
}

const char *dns_way_name(enum dns_way way)
{
	return dns_names[way];
}

/* Words of a file must not become options, lines or fields elsewhere. */
static int dns_check(struct ctx *ctx, const struct dns_want *want)
{
	const char *c;
	size_t i;

	if (*want->name == '-')
		return ctx_fail(ctx, -EINVAL,
				"dns: interface `%s' looks like an option of other programs; right would be a name without the first `-'",
				want->name);
	for (i = 0; i < want->n_search; i++) {
		c = want->search[i];
		if (!strcmp(c, "~."))
			continue;
		/* "~" before a domain: only its names, no search in it. */
		c += *c == '~';
		if (isalnum((unsigned char)*c) || *c == '_') {
			while (isalnum((unsigned char)*c) ||
			       (*c && strchr("-_.", *c)))
				c++;
			if (!*c)
				continue;
		}
		return ctx_fail(ctx, -EINVAL,
				"dns: `%.100s' is no domain; right would be letters, digits, \"-\" and \".\", the first a letter or digit",
				want->search[i]);
	}
	return 0;
}

static enum dns_way dns_detect(void)
{
	if (spawn_find("resolvectl") && file_exists(DNS_RESOLVED_RUN))
		return DNS_RESOLVED;
	if (spawn_find("resolvconf"))
		return DNS_RESOLVCONF;
	if (file_exists(DNS_OPENWRT) && file_exists(DNS_DNSMASQ_INIT))
		return DNS_DNSMASQ;
	return DNS_NONE;
}

/*
 * systemd-resolved.
 */

/* One call of resolvectl: a verb, the interface, words. */
static int dns_resolvectl(struct ctx *ctx, const char *verb, const char *name,
			  char *const *words, size_t n)
{
	const char **argv = calloc(n + 4, sizeof(*argv));
	size_t i;
	int ret;

	if (!argv)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	argv[0] = "resolvectl";
	argv[1] = verb;
	argv[2] = name;
	for (i = 0; i < n; i++)
		argv[3 + i] = words[i];
	ret = spawn_run(ctx, argv, NULL, NULL);
	free(argv);
	return ret;
}

static int dns_resolved_servers(struct ctx *ctx, const struct dns_want *want)
{
	size_t i, n = want->servers->count;
	char (*texts)[CIDR_TEXT], **words;
	int ret;

	texts = calloc(n + 1, sizeof(*texts));
	words = calloc(n + 1, sizeof(*words));
	if (!texts || !words) {
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	} else {
		for (i = 0; i < n; i++) {
			cidr_addr_text(texts[i], &want->servers->all[i]);
			words[i] = texts[i];
		}
		ret = dns_resolvectl(ctx, "dns", want->name, words, n);
	}
	free(texts);
	free(words);
	return ret;
}

static int dns_resolved_domains(struct ctx *ctx, const struct dns_want *want)
{
	char **words = calloc(want->n_search + 1, sizeof(*words));
	char everything[] = "~.";
	size_t n = want->n_search;
	int ret;

	if (!words)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (n)
		memcpy(words, want->search, n * sizeof(*words));
	if (want->all && want->servers->count)
		words[n++] = everything;
	/* Without words these calls would show, not set. */
	ret = n ? dns_resolvectl(ctx, "domain", want->name, words, n) : 0;
	free(words);
	return ret;
}

static int dns_resolved_up(struct ctx *ctx, const struct dns_want *want)
{
	char yes[] = "yes", no[] = "no";
	char *word = want->all ? yes : no;
	int ret = 0;

	if (want->servers->count)
		ret = dns_resolved_servers(ctx, want);
	if (!ret)
		ret = dns_resolved_domains(ctx, want);
	/* Unknown to old ones; the domain "~." does the same for most names. */
	if (!ret && want->servers->count)
		dns_resolvectl(ctx, "default-route", want->name, &word, 1);
	return ret;
}

/*
 * resolvconf, that of Debian, openresolv, or a link to resolvectl.
 */

/* "tun.wg0" where Debian's resolvconf sorts by such names. */
static void dns_resolvconf_name(char *to, size_t size, const char *name)
{
	struct text text = { 0 };
	struct ctx no_errors;
	char *at, *line;
	size_t n;

	snprintf(to, size, "%s", name);
	if (!file_exists(DNS_ORDER) ||
	    file_read(&no_errors, DNS_ORDER, DNS_ORDER_MAX, &text))
		goto out;
	for (at = text.data; (line = strsep(&at, "\n"));) {
		n = strspn(line, "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
		if (n && n < 16 && !strcmp(line + n, "*")) {
			snprintf(to, size, "%.*s.%s", (int)n, line, name);
			break;
		}
	}
out:
	text_free(&text);
}

static int dns_resolvconf_up(struct ctx *ctx, const struct dns_want *want)
{
	char full[64], addr[CIDR_TEXT];
	const char *const argv[] = {
		"resolvconf", "-a", full, "-m", "0", "-x", NULL
	};
	const char *before = "search ";
	struct text text = { 0 };
	size_t i;
	int ret;

	dns_resolvconf_name(full, sizeof(full), want->name);
	for (i = 0; i < want->servers->count; i++) {
		cidr_addr_text(addr, &want->servers->all[i]);
		text_printf(&text, "nameserver %s\n", addr);
	}
	for (i = 0; i < want->n_search; i++) {
		/* With -x names of "~" domains are asked for there anyway. */
		if (*want->search[i] == '~')
			continue;
		text_printf(&text, "%s%s", before, want->search[i]);
		before = " ";
	}
	if (*before == ' ')
		text_put(&text, "\n");
	ret = spawn_run(ctx, argv, &text, NULL);
	text_free(&text);
	return ret;
}

static int dns_resolvconf_down(struct ctx *ctx, const char *name)
{
	char full[64];
	const char *const argv[] = { "resolvconf", "-d", full, "-f", NULL };

	dns_resolvconf_name(full, sizeof(full), name);
	return spawn_run(ctx, argv, NULL, NULL);
}

/*
 * OpenWrt's dnsmasq.
 */

/* Anybody may make a directory in /tmp: only one of our own will do. */
static bool dns_dnsmasq_is_dir(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid();
}

static bool dns_dnsmasq_file(char *path, size_t size, const char *name)
{
	bool found = false;
	glob_t dirs;
	size_t i;

	if (glob(DNS_DNSMASQ_DIRS, 0, NULL, &dirs))
		return false;
	for (i = 0; i < dirs.gl_pathc && !found; i++) {
		found = dns_dnsmasq_is_dir(dirs.gl_pathv[i]);
		snprintf(path, size, "%s/wgpeer-%s.conf", dirs.gl_pathv[i],
			 name);
	}
	globfree(&dirs);
	return found;
}

static int dns_dnsmasq_restart(struct ctx *ctx)
{
	static const char *const argv[] = { DNS_DNSMASQ_INIT, "restart", NULL };

	return spawn_run(ctx, argv, NULL, NULL);
}

static void dns_dnsmasq_words(const struct dns_want *want, struct text *text)
{
	const bool all = want->all || !want->n_search;
	const char *domain;
	char addr[CIDR_TEXT];
	size_t i, k;

	if (want->all)
		text_put(text, "no-resolv\n");
	for (i = 0; i < want->n_search; i++) {
		domain = want->search[i] + (*want->search[i] == '~');
		/* Their addresses are private ones, which it would drop. */
		if (strcmp(domain, "."))
			text_printf(text, "rebind-domain-ok=/%s/\n", domain);
	}
	for (i = 0; i < want->servers->count; i++) {
		cidr_addr_text(addr, &want->servers->all[i]);
		if (all)
			text_printf(text, "server=%s\n", addr);
		for (k = 0; k < want->n_search && !all; k++) {
			domain = want->search[k] + (*want->search[k] == '~');
			if (strcmp(domain, "."))
				text_printf(text, "server=/%s/%s\n", domain,
					    addr);
			else
				text_printf(text, "server=%s\n", addr);
		}
	}
}

static int dns_dnsmasq_up(struct ctx *ctx, const struct dns_want *want)
{
	struct text text = { 0 };
	char path[PATH_MAX];
	int ret;

	/* It has no list of domains to search. */
	if (!want->servers->count)
		return 0;
	if (!dns_dnsmasq_file(path, sizeof(path), want->name))
		return ctx_fail(ctx, -ENOENT,
				"dnsmasq has no directory " DNS_DNSMASQ_DIRS " for its settings; right would be one that belongs to root");
	dns_dnsmasq_words(want, &text);
	ret = file_write(ctx, path, 0644, &text);
	text_free(&text);
	return ret ? ret : dns_dnsmasq_restart(ctx);
}

static int dns_dnsmasq_down(struct ctx *ctx, const char *name)
{
	char path[PATH_MAX];

	if (!dns_dnsmasq_file(path, sizeof(path), name) || unlink(path))
		return 0;
	return dns_dnsmasq_restart(ctx);
}

/*
 * All of them.
 */

static int dns_use(struct ctx *ctx, enum dns_way way,
		   const struct dns_want *want)
{
	switch (way) {
	case DNS_RESOLVED:
		return dns_resolved_up(ctx, want);
	case DNS_RESOLVCONF:
		return dns_resolvconf_up(ctx, want);
	case DNS_DNSMASQ:
		return dns_dnsmasq_up(ctx, want);
	default:
		return ctx_fail(ctx, -EOPNOTSUPP,
				"dns: the name servers were left alone: there is no systemd-resolved, resolvconf or OpenWrt's dnsmasq here; right would be one of them, or `none'");
	}
}

int dns_up(struct ctx *ctx, enum dns_way *way, const char *name,
	   const struct cidr_list *servers, char *const *search,
	   size_t n_search, bool all)
{
	const struct dns_want want = { name, servers, search, n_search, all };
	char error[sizeof(ctx->error)];
	int ret;

	if (*way == DNS_NONE)
		return 0;
	ret = dns_check(ctx, &want);
	if (ret)
		return ret;
	if (*way == DNS_AUTO)
		*way = dns_detect();
	ret = dns_use(ctx, *way, &want);
	if (!ret)
		return 0;
	/* No half of it may stay; the first error is what is told. */
	memcpy(error, ctx->error, sizeof(error));
	dns_down(ctx, *way, name);
	memcpy(ctx->error, error, sizeof(error));
	return ret;
}

int dns_down(struct ctx *ctx, enum dns_way way, const char *name)
{
	/* dns_up() refuses such a name. */
	if (*name == '-')
		return 0;
	switch (way) {
	case DNS_RESOLVED:
		/* With the interface its servers are gone as well. */
		dns_resolvectl(ctx, "revert", name, NULL, 0);
		return 0;
	case DNS_RESOLVCONF:
		return dns_resolvconf_down(ctx, name);
	case DNS_DNSMASQ:
		return dns_dnsmasq_down(ctx, name);
	default:
		return 0;
	}
}
