// SPDX-License-Identifier: GPL-2.0
/* Name servers of a tunnel, handed to whatever resolves names here. (layer 2) */
#include "dns.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "spawn.h"
#include "text.h"

/* Where systemd-resolved lives while it runs. */
#define DNS_RESOLVED_RUN	"/run/systemd/resolve"
#define DNS_OPENWRT		"/etc/openwrt_release"
#define DNS_DNSMASQ_INIT	"/etc/init.d/dnsmasq"
/* Debian's resolvconf sorts by these names of interfaces. */
#define DNS_ORDER		"/etc/resolvconf/interface-order"
#define DNS_ORDER_MAX		65536

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

static int dns_resolved_servers(struct ctx *ctx, const char *name,
				const struct cidr_list *servers)
{
	char (*texts)[CIDR_TEXT], **words;
	size_t i;
	int ret;

	texts = calloc(servers->count + 1, sizeof(*texts));
	words = calloc(servers->count + 1, sizeof(*words));
	if (!texts || !words) {
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	} else {
		for (i = 0; i < servers->count; i++) {
			cidr_addr_text(texts[i], &servers->all[i]);
			words[i] = texts[i];
		}
		ret = dns_resolvectl(ctx, "dns", name, words, servers->count);
	}
	free(texts);
	free(words);
	return ret;
}

static int dns_resolved_up(struct ctx *ctx, const char *name,
			   const struct cidr_list *servers,
			   char *const *search, size_t n_search, bool all)
{
	char everything[] = "~.", yes[] = "yes", no[] = "no";
	char **domains = calloc(n_search + 1, sizeof(*domains));
	char *word = all ? yes : no;
	size_t n = n_search;
	int ret;

	if (!domains)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (n_search)
		memcpy(domains, search, n_search * sizeof(*domains));
	if (all)
		domains[n++] = everything;
	ret = dns_resolved_servers(ctx, name, servers);
	if (!ret && n)
		ret = dns_resolvectl(ctx, "domain", name, domains, n);
	/* Unknown to old ones; the domain "~." does the same for most names. */
	if (!ret)
		dns_resolvectl(ctx, "default-route", name, &word, 1);
	free(domains);
	return ret;
}

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

static int dns_resolvconf_up(struct ctx *ctx, const char *name,
			     const struct cidr_list *servers,
			     char *const *search, size_t n_search)
{
	char full[64], addr[CIDR_TEXT];
	const char *const argv[] = {
		"resolvconf", "-a", full, "-m", "0", "-x", NULL
	};
	struct text text = { 0 };
	size_t i;
	int ret;

	dns_resolvconf_name(full, sizeof(full), name);
	for (i = 0; i < servers->count; i++) {
		cidr_addr_text(addr, &servers->all[i]);
		text_printf(&text, "nameserver %s\n", addr);
	}
	for (i = 0; i < n_search; i++)
		text_printf(&text, "%s%s%s", i ? " " : "search ", search[i],
			    i + 1 == n_search ? "\n" : "");
	ret = spawn_run(ctx, argv, &text, NULL);
	text_free(&text);
	return ret;
}

/* Its name differs between releases of OpenWrt. */
static bool dns_dnsmasq_file(char *path, size_t size, const char *name)
{
	glob_t dirs;
	bool found;

	found = !glob("/tmp/dnsmasq*.d", 0, NULL, &dirs) && dirs.gl_pathc;
	if (found)
		snprintf(path, size, "%s/wgpeer-%s.conf", dirs.gl_pathv[0],
			 name);
	globfree(&dirs);
	return found;
}

static int dns_dnsmasq_restart(struct ctx *ctx)
{
	static const char *const argv[] = { DNS_DNSMASQ_INIT, "restart", NULL };

	return spawn_run(ctx, argv, NULL, NULL);
}

static int dns_dnsmasq_up(struct ctx *ctx, const char *name,
			  const struct cidr_list *servers,
			  char *const *search, size_t n_search, bool all)
{
	char path[PATH_MAX], addr[CIDR_TEXT];
	struct text text = { 0 };
	size_t i, k;
	int ret;

	if (!dns_dnsmasq_file(path, sizeof(path), name))
		return ctx_fail(ctx, -ENOENT,
				"dnsmasq has no directory /tmp/dnsmasq*.d for its settings");
	if (all)
		text_put(&text, "no-resolv\n");
	for (i = 0; i < servers->count; i++) {
		cidr_addr_text(addr, &servers->all[i]);
		if (all || !n_search)
			text_printf(&text, "server=%s@%s\n", addr, name);
		for (k = 0; k < n_search; k++)
			text_printf(&text, "server=/%s/%s@%s\n", search[k],
				    addr, name);
	}
	ret = file_write(ctx, path, 0644, &text);
	text_free(&text);
	return ret ? ret : dns_dnsmasq_restart(ctx);
}

int dns_up(struct ctx *ctx, enum dns_way *way, const char *name,
	   const struct cidr_list *servers, char *const *search,
	   size_t n_search, bool all)
{
	if (*way == DNS_AUTO)
		*way = dns_detect();
	switch (*way) {
	case DNS_RESOLVED:
		return dns_resolved_up(ctx, name, servers, search, n_search,
				       all);
	case DNS_RESOLVCONF:
		return dns_resolvconf_up(ctx, name, servers, search, n_search);
	case DNS_DNSMASQ:
		return dns_dnsmasq_up(ctx, name, servers, search, n_search,
				      all);
	default:
		*way = DNS_NONE;
		return ctx_fail(ctx, -EOPNOTSUPP,
				"the name servers of `%s' were left alone: there is neither systemd-resolved nor resolvconf here",
				name);
	}
}

int dns_down(struct ctx *ctx, enum dns_way way, const char *name)
{
	const char *const revert[] = { "resolvectl", "revert", name, NULL };
	char full[64], path[PATH_MAX];
	const char *const del[] = { "resolvconf", "-d", full, "-f", NULL };

	switch (way) {
	case DNS_RESOLVED:
		/* With the interface its servers are gone as well. */
		spawn_run(ctx, revert, NULL, NULL);
		return 0;
	case DNS_RESOLVCONF:
		dns_resolvconf_name(full, sizeof(full), name);
		return spawn_run(ctx, del, NULL, NULL);
	case DNS_DNSMASQ:
		if (!dns_dnsmasq_file(path, sizeof(path), name) ||
		    unlink(path))
			return 0;
		return dns_dnsmasq_restart(ctx);
	default:
		return 0;
	}
}
