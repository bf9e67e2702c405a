// SPDX-License-Identifier: GPL-2.0
/*
 * Name servers: what the programs of others are told.  They are stubs here;
 * /etc, /run and /tmp are empty ones of a mount namespace.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../dns.h"
#include "../file.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define LOG	"/tmp/log"
#define INIT	"/etc/init.d/dnsmasq"
#define CONF	"/tmp/dnsmasq.cfg01.d/wgpeer-wg0.conf"
#define ORDER	"/etc/resolvconf/interface-order"

static void test_file(struct tap_run *run, const char *path,
		      unsigned int mode, const char *what)
{
	struct text text = { 0 };

	text_put(&text, what);
	if (file_write(&run->ctx, path, mode, &text))
		fprintf(stderr, "%s\n", run->ctx.error);
	text_free(&text);
}

/* A program that notes each of its words, and what it is told with -a. */
static void test_stub(struct tap_run *run, const char *path)
{
	test_file(run, path, 0755,
		  "#!/bin/sh\n"
		  "{ printf '%s' \"${0##*/}\"; printf ' <%s>' \"$@\"; echo; } >> " LOG "\n"
		  "case $1 in -a) cat >> " LOG " ;; esac\n"
		  "! [ -e /tmp/fail-\"$1\" ] || { echo \"too bad: $1\" >&2; exit 3; }\n");
}

static void test_holds(struct tap *tap, struct tap_run *run, const char *path,
		       const char *want, const char *name)
{
	struct text text = { 0 };

	if (file_exists(path))
		file_read(&run->ctx, path, 10000, &text);
	tap_same(tap, text_string(&text), want, name);
	text_free(&text);
}

static void test_log(struct tap *tap, struct tap_run *run, const char *want,
		     const char *name)
{
	test_holds(tap, run, LOG, want, name);
	remove(LOG);
}

static void test_ways(struct tap *tap, struct tap_run *run)
{
	static const char *const words[] = {
		"none", "resolved", "resolvconf", "dnsmasq", "auto"
	};
	enum dns_way way;
	size_t i;

	for (i = 0; i < N(words); i++)
		tap_ok(tap, !dns_way_parse(&run->ctx, words[i], &way) &&
		       !strcmp(dns_way_name(way), words[i]), "%s", words[i]);
	tap_ok(tap, dns_way_parse(&run->ctx, "bind", &way) == -EINVAL &&
	       strstr(run->ctx.error, "resolvconf"), "refuses: %s",
	       run->ctx.error);
}

struct call {
	enum dns_way way;
	const char *servers;
	const char *search[4];
	bool all;
	const char *log;
};

static int test_up(struct tap_run *run, enum dns_way *way, const char *name,
		   const char *servers, const char *const search[4], bool all)
{
	struct cidr_list list = { 0 };
	char *words[4] = { NULL };
	size_t n;
	int ret;

	if (servers)
		cidr_list_parse(&run->ctx, "dns", servers, &list);
	for (n = 0; n < 4 && search[n]; n++)
		words[n] = strdup(search[n]);
	ret = dns_up(&run->ctx, way, name, &list, words, n, all);
	while (n)
		free(words[--n]);
	cidr_list_free(&list);
	return ret;
}

static void test_calls(struct tap *tap, struct tap_run *run)
{
	static const struct call calls[] = {
		{ DNS_RESOLVED, "9.9.9.9,fd00::53", { "lab", "corp.example" }, true,
		  "resolvectl <dns> <wg0> <9.9.9.9> <fd00::53>\n"
		  "resolvectl <domain> <wg0> <lab> <corp.example> <~.>\n"
		  "resolvectl <default-route> <wg0> <yes>\n" },
		{ DNS_RESOLVED, "9.9.9.9", { "~lab" }, false,
		  "resolvectl <dns> <wg0> <9.9.9.9>\n"
		  "resolvectl <domain> <wg0> <~lab>\n"
		  "resolvectl <default-route> <wg0> <no>\n" },
		{ DNS_RESOLVED, "9.9.9.9", { NULL }, false,
		  "resolvectl <dns> <wg0> <9.9.9.9>\n"
		  "resolvectl <default-route> <wg0> <no>\n" },
		{ DNS_RESOLVED, NULL, { "lab" }, true,
		  "resolvectl <domain> <wg0> <lab>\n" },
		{ DNS_RESOLVCONF, "9.9.9.9,fd00::53", { "lab", "corp.example" }, true,
		  "resolvconf <-a> <wg0> <-m> <0> <-x>\n"
		  "nameserver 9.9.9.9\nnameserver fd00::53\n"
		  "search lab corp.example\n" },
		{ DNS_RESOLVCONF, "9.9.9.9", { "~.", "~lab" }, true,
		  "resolvconf <-a> <wg0> <-m> <0> <-x>\nnameserver 9.9.9.9\n" },
		{ DNS_RESOLVCONF, NULL, { "~x", "_a.b-c" }, true,
		  "resolvconf <-a> <wg0> <-m> <0> <-x>\nsearch _a.b-c\n" },
		{ DNS_NONE, "9.9.9.9", { "lab" }, true, "" },
	};
	size_t i;

	for (i = 0; i < N(calls); i++) {
		enum dns_way way = calls[i].way;
		int ret = test_up(run, &way, "wg0", calls[i].servers,
				  calls[i].search, calls[i].all);

		tap_ok(tap, !ret && way == calls[i].way, "%s %zu: %s",
		       dns_way_name(way), i, ret ? run->ctx.error : "");
		test_log(tap, run, calls[i].log, "its words");
	}
	tap_ok(tap, !dns_down(&run->ctx, DNS_RESOLVED, "wg0"), "down");
	test_log(tap, run, "resolvectl <revert> <wg0>\n", "resolvectl");
	tap_ok(tap, !dns_down(&run->ctx, DNS_RESOLVCONF, "wg0"), "down");
	test_log(tap, run, "resolvconf <-d> <wg0> <-f>\n", "resolvconf");
	tap_ok(tap, !dns_down(&run->ctx, DNS_NONE, "wg0"), "down");
	test_log(tap, run, "", "nobody");
}

/* None of these may get as far as a program. */
static void test_odd(struct tap *tap, struct tap_run *run)
{
	static const char *const odd[] = {
		"-h", "--help", "~-h", "~", "", ".", "..", "a b", "a\nnameserver 1.1.1.1",
		"a/b", "a#", "~~.", "~.x", "$(reboot)", "a,b", "\xc3\xa4", "a%0",
	};
	static const enum dns_way ways[] = {
		DNS_RESOLVED, DNS_RESOLVCONF, DNS_DNSMASQ, DNS_AUTO,
	};
	const char *const good[4] = { "lab" };
	enum dns_way way;
	size_t i, k;

	for (i = 0; i < N(odd); i++) {
		const char *const search[4] = { "lab", odd[i] };
		unsigned int refused = 0;

		for (k = 0; k < N(ways); k++) {
			way = ways[k];
			refused += test_up(run, &way, "wg0", "9.9.9.9", search,
					   true) == -EINVAL;
		}
		tap_ok(tap, refused == N(ways), "odd domain %zu", i);
	}
	for (k = 0; k < N(ways); k++) {
		way = ways[k];
		tap_ok(tap, test_up(run, &way, "-h", "9.9.9.9", good, true) ==
		       -EINVAL, "odd interface: %s", run->ctx.error);
		tap_ok(tap, !dns_down(&run->ctx, ways[k], "-h"), "and down");
	}
	test_log(tap, run, "", "nobody was called");
}

static void test_order(struct tap *tap, struct tap_run *run)
{
	static const char *const none[4];
	enum dns_way way = DNS_RESOLVCONF;

	mkdir("/etc/resolvconf", 0755);
	test_file(run, ORDER, 0644,
		  "# interface-order\nlo.inet6\nlo.inet\nlo.@(dhclient)\nlo\ntun*\ntap*\nem+([0-9])*\n");
	tap_ok(tap, !test_up(run, &way, "wg0", "9.9.9.9", none, true),
	       "resolvconf of Debian");
	test_log(tap, run, "resolvconf <-a> <tun.wg0> <-m> <0> <-x>\n"
		 "nameserver 9.9.9.9\n", "a name that it sorts");
	dns_down(&run->ctx, way, "wg0");
	test_log(tap, run, "resolvconf <-d> <tun.wg0> <-f>\n", "and down");
	test_file(run, ORDER, 0644, "lo\neth*.x\n");
	test_up(run, &way, "wg0", "9.9.9.9", none, true);
	test_log(tap, run, "resolvconf <-a> <wg0> <-m> <0> <-x>\n"
		 "nameserver 9.9.9.9\n", "nothing to sort by");
	test_file(run, ORDER, 0644, "");
	test_up(run, &way, "wg0", "9.9.9.9", none, true);
	test_log(tap, run, "resolvconf <-a> <wg0> <-m> <0> <-x>\n"
		 "nameserver 9.9.9.9\n", "an empty file");
	remove(ORDER);
}

static void test_dnsmasq(struct tap *tap, struct tap_run *run)
{
	const char *const lab[4] = { "lab", "~corp.example" };
	static const char *const none[4];
	enum dns_way way = DNS_DNSMASQ;

	tap_ok(tap, test_up(run, &way, "wg0", "9.9.9.9", none, true) ==
	       -ENOENT, "no directory: %s", run->ctx.error);
	mkdir("/tmp/elsewhere", 0755);
	if (symlink("/tmp/elsewhere", "/tmp/dnsmasq.a.d"))
		return;
	tap_ok(tap, test_up(run, &way, "wg0", "9.9.9.9", none, true) ==
	       -ENOENT, "not where a link leads");
	mkdir("/tmp/dnsmasq.cfg01.d", 0755);
	test_log(tap, run, "", "nobody was called");
	tap_ok(tap, !test_up(run, &way, "wg0", "9.9.9.9,fd00::53", lab, true),
	       "dnsmasq: %s", run->ctx.error);
	test_log(tap, run, "dnsmasq <restart>\n", "is started again");
	test_holds(tap, run, CONF, "no-resolv\n"
		   "rebind-domain-ok=/lab/\nrebind-domain-ok=/corp.example/\n"
		   "server=9.9.9.9\nserver=fd00::53\n", "for everything");
	test_up(run, &way, "wg0", "9.9.9.9", lab, false);
	test_holds(tap, run, CONF,
		   "rebind-domain-ok=/lab/\nrebind-domain-ok=/corp.example/\n"
		   "server=/lab/9.9.9.9\nserver=/corp.example/9.9.9.9\n",
		   "for two domains");
	test_up(run, &way, "wg0", "9.9.9.9", none, false);
	test_holds(tap, run, CONF, "server=9.9.9.9\n", "one more");
	remove(LOG);
	tap_ok(tap, !dns_down(&run->ctx, way, "wg0") && !file_exists(CONF),
	       "down");
	test_log(tap, run, "dnsmasq <restart>\n", "is started again");
	tap_ok(tap, !dns_down(&run->ctx, way, "wg0"), "down twice");
	test_log(tap, run, "", "is left alone");
	test_file(run, "/tmp/fail-restart", 0644, "");
	tap_ok(tap, test_up(run, &way, "wg0", "9.9.9.9", none, true) == -EIO &&
	       strstr(run->ctx.error, "too bad"), "does not start: %s",
	       run->ctx.error);
	tap_ok(tap, !file_exists(CONF), "nothing stays");
	remove("/tmp/fail-restart");
	remove(LOG);
}

static void test_failure(struct tap *tap, struct tap_run *run)
{
	const char *const lab[4] = { "lab" };
	enum dns_way way = DNS_RESOLVED;

	test_file(run, "/tmp/fail-domain", 0644, "");
	test_file(run, "/tmp/fail-revert", 0644, "");
	tap_ok(tap, test_up(run, &way, "wg0", "9.9.9.9", lab, true) == -EIO &&
	       strstr(run->ctx.error, "too bad: domain"), "half of it fails: %s",
	       run->ctx.error);
	test_log(tap, run, "resolvectl <dns> <wg0> <9.9.9.9>\n"
		 "resolvectl <domain> <wg0> <lab> <~.>\n"
		 "resolvectl <revert> <wg0>\n", "and the other is undone");
	tap_ok(tap, !dns_down(&run->ctx, way, "wg0"),
	       "the interface may be gone");
	test_file(run, "/tmp/fail-default-route", 0644, "");
	remove("/tmp/fail-domain");
	tap_ok(tap, !test_up(run, &way, "wg0", "9.9.9.9", lab, true),
	       "an old one that has no default-route");
	way = DNS_RESOLVCONF;
	test_file(run, "/tmp/fail--a", 0644, "");
	tap_ok(tap, test_up(run, &way, "wg0", "9.9.9.9", lab, true) == -EIO,
	       "resolvconf fails: %s", run->ctx.error);
	remove(LOG);
}

/* What is there decides, in this order; each step takes one away. */
static void test_auto(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *without;
		enum dns_way way;
	} steps[] = {
		{ "/tmp/fail--a", DNS_RESOLVED },
		{ "/run/systemd/resolve", DNS_RESOLVCONF },
		{ "/tmp/bin/resolvconf", DNS_DNSMASQ },
		{ "/etc/openwrt_release", DNS_NONE },
	};
	static const char *const none[4];
	enum dns_way way;
	size_t i;

	mkdir("/run/systemd", 0755);
	mkdir("/run/systemd/resolve", 0755);
	test_file(run, "/etc/openwrt_release", 0644, "");
	for (i = 0; i < N(steps); i++) {
		int ret;

		remove(steps[i].without);
		way = DNS_AUTO;
		ret = test_up(run, &way, "wg0", "9.9.9.9", none, true);
		tap_ok(tap, way == steps[i].way &&
		       ret == (way == DNS_NONE ? -EOPNOTSUPP : 0),
		       "without %s: %s", steps[i].without, dns_way_name(way));
	}
	tap_ok(tap, strstr(run->ctx.error, "left alone") &&
	       !strchr(run->ctx.error, '\n'), "says: %s", run->ctx.error);
	way = DNS_RESOLVCONF;
	tap_ok(tap, test_up(run, &way, "wg0", "9.9.9.9", none, true) ==
	       -ENOENT, "asked for: %s", run->ctx.error);
}

int main(void)
{
	static const char *const empty[] = {
		"/etc", "/run", "/tmp", "/sbin", "/usr/sbin"
	};
	struct tap tap = { .suite = "dns" };
	struct tap_run run;
	size_t i;

	if (!tap_namespace(CLONE_NEWNS))
		return tap_skip(&tap, "no mount namespace");
	for (i = 0; i < N(empty); i++) {
		if (mount("none", empty[i], "tmpfs", 0, NULL))
			return tap_skip(&tap, "nothing can be mounted");
	}
	tap_run_begin(&run);
	mkdir("/tmp/bin", 0755);
	mkdir("/etc/init.d", 0755);
	test_stub(&run, "/tmp/bin/resolvconf");
	test_stub(&run, "/tmp/bin/resolvectl");
	test_stub(&run, INIT);
	setenv("PATH", "/tmp/bin:/usr/bin:/bin", 1);
	test_ways(&tap, &run);
	test_calls(&tap, &run);
	test_odd(&tap, &run);
	test_order(&tap, &run);
	test_dnsmasq(&tap, &run);
	test_failure(&tap, &run);
	test_auto(&tap, &run);
	tap_run_end(&run);
	return tap_end(&tap);
}
