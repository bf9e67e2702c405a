// SPDX-License-Identifier: GPL-2.0
/* Name servers: what the programs of others are told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../dns.h"
#include "../file.h"
#include "tap.h"

/* A program that writes down its words and its input. */
static void test_stub(struct tap_run *run, const char *dir, const char *name)
{
	struct text text = { 0 };
	char path[300];

	text_printf(&text, "#!/bin/sh\necho %s \"$@\" >> %s/log\n", name, dir);
	text_printf(&text, "case $1 in -a) cat >> %s/log ;; esac\n", dir);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file_write(&run->ctx, path, 0755, &text);
	text_free(&text);
}

static void test_log(struct tap *tap, struct tap_run *run, const char *dir,
		     const char *want, const char *name)
{
	struct text text = { 0 };
	char path[300];

	snprintf(path, sizeof(path), "%s/log", dir);
	file_read(&run->ctx, path, 10000, &text);
	tap_same(tap, text_string(&text), want, name);
	text_free(&text);
	remove(path);
}

static void test_ways(struct tap *tap, struct tap_run *run)
{
	static const char *const words[] = {
		"none", "resolved", "resolvconf", "dnsmasq", "auto"
	};
	enum dns_way way;
	size_t i;

	for (i = 0; i < 5; i++)
		tap_ok(tap, !dns_way_parse(&run->ctx, words[i], &way) &&
		       !strcmp(dns_way_name(way), words[i]), "%s", words[i]);
	tap_ok(tap, dns_way_parse(&run->ctx, "bind", &way) == -EINVAL,
	       "refuses: %s", run->ctx.error);
}

static void test_programs(struct tap *tap, struct tap_run *run,
			  const char *dir)
{
	static char lab[] = "lab", corp[] = "corp.example";
	static char *const search[] = { lab, corp };
	struct cidr_list servers = { 0 };
	enum dns_way way = DNS_RESOLVCONF;

	cidr_list_parse(&run->ctx, "dns", "9.9.9.9,fd00::53", &servers);
	tap_ok(tap, !dns_up(&run->ctx, &way, "wg0", &servers, search, 2, true),
	       "resolvconf: %s", run->ctx.error);
	test_log(tap, run, dir, "resolvconf -a wg0 -m 0 -x\n"
		 "nameserver 9.9.9.9\nnameserver fd00::53\n"
		 "search lab corp.example\n", "its words and input");
	tap_ok(tap, !dns_down(&run->ctx, way, "wg0"), "resolvconf, down");
	test_log(tap, run, dir, "resolvconf -d wg0 -f\n", "its words");
	way = DNS_RESOLVED;
	tap_ok(tap, !dns_up(&run->ctx, &way, "wg0", &servers, search, 2, true),
	       "resolvectl: %s", run->ctx.error);
	test_log(tap, run, dir, "resolvectl dns wg0 9.9.9.9 fd00::53\n"
		 "resolvectl domain wg0 lab corp.example ~.\n"
		 "resolvectl default-route wg0 yes\n", "its words");
	tap_ok(tap, !dns_up(&run->ctx, &way, "wg0", &servers, NULL, 0, false),
	       "resolvectl, not for everything");
	test_log(tap, run, dir, "resolvectl dns wg0 9.9.9.9 fd00::53\n"
		 "resolvectl default-route wg0 no\n", "its words");
	tap_ok(tap, !dns_down(&run->ctx, way, "wg0"), "resolvectl, down");
	test_log(tap, run, dir, "resolvectl revert wg0\n", "its words");
	way = DNS_NONE;
	tap_ok(tap, dns_up(&run->ctx, &way, "wg0", &servers, NULL, 0, true) ==
	       -EOPNOTSUPP && strstr(run->ctx.error, "left alone"),
	       "nobody: %s", run->ctx.error);
	tap_ok(tap, !dns_down(&run->ctx, DNS_NONE, "wg0"), "nobody, down");
	cidr_list_free(&servers);
}

int main(void)
{
	char dir[] = "/tmp/wgpeer-test.XXXXXX", path[200], *rm;
	struct tap tap = { .suite = "dns" };
	struct tap_run run;

	if (!mkdtemp(dir))
		return 1;
	tap_run_begin(&run);
	test_stub(&run, dir, "resolvconf");
	test_stub(&run, dir, "resolvectl");
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", dir);
	setenv("PATH", path, 1);
	test_ways(&tap, &run);
	test_programs(&tap, &run, dir);
	tap_run_end(&run);
	if (asprintf(&rm, "rm -r %s", dir) < 0 || system(rm))
		return 1;
	free(rm);
	return tap_end(&tap);
}
