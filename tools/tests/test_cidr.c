// SPDX-License-Identifier: GPL-2.0
/* Networks: reading, writing, which is inside which, counting addresses. */
#include <string.h>

#include "../cidr.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))

static struct cidr test_make(struct tap_run *run, const char *text)
{
	struct cidr cidr;

	cidr_parse(&run->ctx, "test", text, &cidr);
	return cidr;
}

static void test_read(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		const char *want;
		const char *network;
	} right[] = {
		{ "10.1.2.3/24", "10.1.2.3/24", "10.1.2.0/24" },
		{ "10.1.2.3", "10.1.2.3/32", "10.1.2.3/32" },
		{ "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0" },
		{ "255.255.255.255/1", "255.255.255.255/1", "128.0.0.0/1" },
		{ "10.1.2.3/023", "10.1.2.3/23", "10.1.2.0/23" },
		{ "fd00::1/64", "fd00::1/64", "fd00::/64" },
		{ "FD00:0:0::1", "fd00::1/128", "fd00::1/128" },
		{ "ffff:ffff::/17", "ffff:ffff::/17", "ffff:8000::/17" },
		{ "::/0", "::/0", "::/0" },
	};
	static const char *const wrong[] = {
		"", "/", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "::/129",
		"10.0.0/8", "10.0.0.1/8/8", "10.0.0.1/ 8", " 10.0.0.1",
		"example.org", "fe80::1%eth0", "10.0.0.1/0008", "10.0.0.1/4294967296",
		"1111111111111111111111111111111111111111111111111111111111111111111",
	};
	char text[CIDR_TEXT];
	struct cidr cidr;
	size_t i;

	for (i = 0; i < N(right); i++) {
		tap_ok(tap, !cidr_parse(&run->ctx, "x", right[i].text, &cidr),
		       "takes `%s'", right[i].text);
		cidr_text(text, &cidr);
		tap_same(tap, text, right[i].want, "writes");
		cidr = cidr_network(&cidr);
		cidr_text(text, &cidr);
		tap_same(tap, text, right[i].network, "network");
	}
	for (i = 0; i < N(wrong); i++) {
		run->ctx.error[0] = '\0';
		tap_ok(tap, cidr_parse(&run->ctx, "x", wrong[i], &cidr) < 0 &&
		       strstr(run->ctx.error, "right"), "refuses `%s': %s",
		       wrong[i], run->ctx.error);
	}
}

static void test_inside(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *a, *b;
		bool contains, overlaps;
	} pairs[] = {
		{ "10.0.0.0/8", "10.1.2.3", true, true },
		{ "10.1.2.3", "10.0.0.0/8", false, true },
		{ "10.0.0.0/24", "10.0.1.0/24", false, false },
		{ "10.0.0.1/24", "10.0.0.2/24", true, true },
		{ "0.0.0.0/0", "192.0.2.1", true, true },
		{ "0.0.0.0/0", "::1", false, false },
		{ "::/0", "0.0.0.0/0", false, false },
		{ "fd00::/63", "fd00:0:0:1::/64", true, true },
		{ "fd00::/64", "fd00:0:0:1::/64", false, false },
	};
	struct cidr a, b;
	size_t i;

	for (i = 0; i < N(pairs); i++) {
		a = test_make(run, pairs[i].a);
		b = test_make(run, pairs[i].b);
		tap_ok(tap, cidr_contains(&a, &b) == pairs[i].contains,
		       "%s contains %s: %d", pairs[i].a, pairs[i].b,
		       pairs[i].contains);
		tap_ok(tap, cidr_overlaps(&a, &b) == pairs[i].overlaps &&
		       cidr_overlaps(&b, &a) == pairs[i].overlaps,
		       "%s overlaps %s: %d", pairs[i].a, pairs[i].b,
		       pairs[i].overlaps);
	}
}

static void test_nth(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *net;
		uint64_t n;
		const char *want;
	} table[] = {
		{ "10.0.0.0/24", 0, "10.0.0.0" },
		{ "10.0.0.77/24", 1, "10.0.0.1" },
		{ "10.0.0.0/24", 254, "10.0.0.254" },
		{ "10.0.0.0/24", 255, NULL },
		{ "10.0.0.0/24", 256, NULL },
		{ "10.0.16.0/20", 0xfff - 1, "10.0.31.254" },
		{ "10.0.16.0/20", 0xfff, NULL },
		{ "10.0.0.4/31", 1, "10.0.0.5" },
		{ "10.0.0.4/32", 0, "10.0.0.4" },
		{ "10.0.0.4/32", 1, NULL },
		{ "0.0.0.0/0", 0xffffffff, NULL },
		{ "0.0.0.0/0", 0xfffffffe, "255.255.255.254" },
		{ "fd00::/64", 0x123456789abcdef0, "fd00::1234:5678:9abc:def0" },
		{ "fd00::/64", ~0ULL, "fd00::ffff:ffff:ffff:ffff" },
		{ "fd00::/120", 255, "fd00::ff" },
		{ "fd00::/120", 256, NULL },
		{ "::/0", 7, "::7" },
	};
	struct cidr net, host;
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < N(table); i++) {
		bool got;

		net = test_make(run, table[i].net);
		got = cidr_nth(&net, table[i].n, &host);
		snprintf(text, sizeof(text), "(none)");
		if (got)
			cidr_addr_text(text, &host);
		tap_same(tap, text, table[i].want ? table[i].want : "(none)",
			 table[i].net);
	}
}

static void test_public(struct tap *tap, struct tap_run *run)
{
	static const char *const private[] = {
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"100.64.0.1", "100.127.255.255", "169.254.1.1", "127.0.0.1",
		"192.0.0.2", "0.1.2.3", "224.0.0.1", "255.255.255.255",
		"::1", "fe80::1", "fd00::1", "fc00::1", "ff02::1",
	};
	static const char *const public[] = {
		"9.9.9.9", "172.15.0.1", "172.32.0.1", "100.63.0.1",
		"100.128.0.1", "192.167.0.1", "11.0.0.1", "223.255.255.255",
		"203.0.113.1", "2001:db8::1", "2a00::1", "3fff::1",
	};
	struct cidr cidr;
	size_t i;

	for (i = 0; i < N(private); i++) {
		cidr = test_make(run, private[i]);
		tap_ok(tap, !cidr_is_public(&cidr), "%s is private",
		       private[i]);
	}
	for (i = 0; i < N(public); i++) {
		cidr = test_make(run, public[i]);
		tap_ok(tap, cidr_is_public(&cidr), "%s is public", public[i]);
	}
}

static void test_list(struct tap *tap, struct tap_run *run)
{
	struct cidr_list list = { 0 };
	struct cidr cidr = test_make(run, "10.9.8.7/32");

	tap_ok(tap, !cidr_list_parse(&run->ctx, "x", " 10.0.0.0/8 ,\tfd00::/8",
				     &list) && list.count == 2, "a list");
	tap_ok(tap, cidr_list_overlap(&list, &cidr) == &list.all[0],
	       "the first that overlaps");
	cidr = test_make(run, "11.0.0.0/8");
	tap_ok(tap, !cidr_list_overlap(&list, &cidr), "none overlaps");
	tap_ok(tap, cidr_list_parse(&run->ctx, "x", "10.0.0.0/8,,", &list) < 0,
	       "refuses an empty entry");
	tap_ok(tap, cidr_list_parse(&run->ctx, "x", "", &list) < 0,
	       "refuses an empty list");
	cidr_list_free(&list);
	tap_ok(tap, !list.count && !list.all, "empty again");
}

int main(void)
{
	struct tap tap = { .suite = "cidr" };
	struct tap_run run;

	tap_run_begin(&run);
	test_read(&tap, &run);
	test_inside(&tap, &run);
	test_nth(&tap, &run);
	test_public(&tap, &run);
	test_list(&tap, &run);
	tap_run_end(&run);
	return tap_end(&tap);
}
