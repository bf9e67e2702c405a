// SPDX-License-Identifier: GPL-2.0
/*
 * Firewall rules: the script that wishes become.
 *
 * With words it is a program for test_fw_net.sh instead:
 *   test_fw up|holds|script IF [port=N] [mark=N] [lans=CIDR,...] [exit] ...
 *   test_fw down IF
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../fw.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))

static int test_list(struct ctx *ctx, const char *word, const char *key,
		     struct cidr_list *list)
{
	size_t n = strlen(key);

	if (strncmp(word, key, n) || word[n] != '=')
		return 0;
	return cidr_list_parse(ctx, key, word + n + 1, list) ?: 1;
}

static bool test_flag(const char *word, const char *key, bool *flag)
{
	*flag |= !strcmp(word, key);
	return !strcmp(word, key);
}

/* One word of the notation above; whether it has a meaning. */
static bool test_word(struct ctx *ctx, const char *word,
		      struct fw_rules *rules)
{
	if (!strncmp(word, "port=", 5)) {
		rules->open_port = strtoul(word + 5, NULL, 0);
		return true;
	}
	if (!strncmp(word, "mark=", 5)) {
		rules->mark = strtoul(word + 5, NULL, 0);
		return true;
	}
	return test_list(ctx, word, "lans", &rules->lans) ||
	       test_list(ctx, word, "tunnel", &rules->tunnel) ||
	       test_list(ctx, word, "own", &rules->own) ||
	       test_list(ctx, word, "kill-lans", &rules->kill_lans) ||
	       test_flag(word, "forward", &rules->forward) ||
	       test_flag(word, "nat-lans", &rules->nat_lans) ||
	       test_flag(word, "exit", &rules->exit) ||
	       test_flag(word, "isolate", &rules->isolate) ||
	       test_flag(word, "no-ipv6", &rules->no_ipv6) ||
	       test_flag(word, "kill-switch", &rules->kill_switch);
}

static int test_program(int argc, char **argv)
{
	struct fw_rules rules = { .name = argv[2] };
	struct text text = { 0 };
	struct ctx ctx;
	int ret = 0, i;
	bool holds;

	ctx_init(&ctx, argv[0]);
	for (i = 3; i < argc; i++) {
		if (!test_word(&ctx, argv[i], &rules))
			return 2;
	}
	if (!strcmp(argv[1], "up")) {
		ret = fw_up(&ctx, &rules);
	} else if (!strcmp(argv[1], "down")) {
		ret = fw_down(&ctx, rules.name);
	} else if (!strcmp(argv[1], "holds")) {
		ret = fw_holds(&ctx, &rules, &holds);
		if (!ret && !holds)
			ret = ctx_fail(&ctx, -ENOENT, "it does not hold");
	} else {
		fw_script(&rules, &text);
		fputs(text_string(&text), stdout);
	}
	if (ret)
		fprintf(stderr, "%s\n", ctx.error);
	text_free(&text);
	fw_rules_free(&rules);
	return !!ret;
}

#define NEW	"table inet wgpeer-wg0 {\n}\ndelete table inet wgpeer-wg0\n" \
		"table inet wgpeer-wg0 {\n"
#define CHAIN(name, what) \
		"\tchain " name " {\n\t\ttype " what "; policy accept;\n"
#define END	"\t}\n"
#define R(rule)	"\t\t" rule "\n"
#define REJECT	" reject with icmpx admin-prohibited"
#define IN	"iifname \"wg0\""
#define OUT	"oifname \"wg0\""
#define INPUT	CHAIN("input", "filter hook input priority filter")
#define CLAMP	CHAIN("clamp", "filter hook forward priority mangle") \
		R(IN " tcp flags syn / syn,rst tcp option maxseg size set rt mtu") \
		R(OUT " tcp flags syn / syn,rst tcp option maxseg size set rt mtu") \
		END
#define FORWARD	CHAIN("forward", "filter hook forward priority filter")
#define LAST	R(OUT " ct state established,related accept") \
		R(IN REJECT) R(OUT REJECT) END
#define NAT	CHAIN("nat", "nat hook postrouting priority srcnat")
#define BEYOND	"iifname \"wg0\" oifname != \"wg0\""
#define OWN	CHAIN("own", "filter hook prerouting priority raw")
#define KILL_HEAD \
		R("udp sport { 67, 68 } udp dport { 67, 68 } accept") \
		R("udp sport { 546, 547 } udp dport { 546, 547 } accept") \
		R("icmpv6 type { nd-router-solicit, nd-router-advert, " \
		  "nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept")

static const struct {
	const char *words;
	const char *want;
} scripts[] = {
	{ "", NEW "}\n" },
	{ "port=51820", NEW INPUT R("udp dport 51820 accept") END "}\n" },
	/* A mark, networks, masquerading alone are no wish. */
	{ "mark=1 lans=10.0.0.0/8 nat-lans tunnel=10.9.0.0/24 no-ipv6 kill-lans=10.0.0.0/8",
	  NEW "}\n" },
	{ "forward",
	  NEW CLAMP FORWARD R(IN " " OUT " accept") LAST "}\n" },
	{ "isolate",
	  NEW CLAMP FORWARD R(IN " " OUT REJECT) LAST "}\n" },
	/* Host bits go, and what another entry covers. */
	{ "forward lans=192.168.5.1/24,10.0.0.0/8,fd00:5::1/64,10.1.0.0/16,192.168.5.0/24",
	  NEW CLAMP FORWARD R(IN " " OUT " accept")
	  R(IN " ip daddr { 192.168.5.0/24, 10.0.0.0/8 } accept")
	  R(IN " ip6 daddr { fd00:5::/64 } accept")
	  R(OUT " ip saddr { 192.168.5.0/24, 10.0.0.0/8 } accept")
	  R(OUT " ip6 saddr { fd00:5::/64 } accept")
	  LAST "}\n" },
	{ "forward lans=192.168.5.0/24 nat-lans",
	  NEW CLAMP FORWARD R(IN " " OUT " accept")
	  R(IN " ip daddr { 192.168.5.0/24 } accept")
	  R(OUT " ip saddr { 192.168.5.0/24 } accept") LAST
	  NAT R(BEYOND " ip daddr { 192.168.5.0/24 } masquerade") END "}\n" },
	{ "exit isolate",
	  NEW CLAMP FORWARD R(IN " " OUT REJECT) R(IN " accept") LAST
	  NAT R(BEYOND " masquerade") END "}\n" },
	{ "exit forward lans=fd00:5::/64 no-ipv6 tunnel=10.9.0.0/24,fd09::/64",
	  NEW CLAMP FORWARD R(IN " " OUT " accept")
	  R(IN " ip6 daddr { fd00:5::/64 } accept")
	  R(OUT " ip6 saddr { fd00:5::/64 } accept")
	  R(IN " meta nfproto ipv4 accept") LAST
	  CHAIN("no-ipv6", "filter hook prerouting priority filter")
	  R(IN " ip6 daddr { fd09::/64 } accept")
	  R(IN " ip6 daddr { fd00:5::/64 } accept")
	  R(IN " ip6 daddr 2000::/3 fib daddr type != local reject with icmpv6 admin-prohibited")
	  END
	  NAT R(BEYOND " ip6 daddr { fd00:5::/64 } accept")
	  R(BEYOND " masquerade") END "}\n" },
	{ "own=10.9.0.1/24,fd09::1/64",
	  NEW OWN
	  R("iifname != \"wg0\" ip daddr { 10.9.0.1/32 } fib saddr type != local drop")
	  R("iifname != \"wg0\" ip6 daddr { fd09::1/128 } fib saddr type != local drop")
	  END "}\n" },
	{ "own=10.9.0.1 mark=0xca6c",
	  NEW OWN
	  R("iifname != \"wg0\" ip daddr { 10.9.0.1/32 } fib saddr type != local drop")
	  END
	  CHAIN("mark-save", "filter hook postrouting priority mangle")
	  R("meta l4proto udp meta mark 0xca6c ct mark set meta mark") END
	  CHAIN("mark-restore", "filter hook prerouting priority mangle")
	  R("meta l4proto udp ct mark 0xca6c meta mark set ct mark") END
	  "}\n" },
	{ "kill-switch mark=0xca6c kill-lans=192.168.1.0/24,fd01::/64",
	  NEW CLAMP CHAIN("kill-output", "filter hook output priority filter")
	  R("oifname { \"lo\", \"wg0\" } accept")
	  R("meta l4proto udp meta mark 0xca6c accept") KILL_HEAD
	  R("ip daddr { 192.168.1.0/24 } accept")
	  R("ip6 daddr { fd01::/64 } accept")
	  R("reject with icmpx admin-prohibited") END
	  CHAIN("kill-forward", "filter hook forward priority filter")
	  R(IN " accept") R(OUT " accept")
	  R("ip daddr { 192.168.1.0/24 } accept")
	  R("ip6 daddr { fd01::/64 } accept")
	  R("reject with icmpx admin-prohibited") END "}\n" },
};

static void test_rules(struct ctx *ctx, const char *words,
		       struct fw_rules *rules)
{
	char *copy = strdup(words), *rest = copy, *word;

	memset(rules, 0, sizeof(*rules));
	rules->name = "wg0";
	while ((word = strsep(&rest, " "))) {
		if (*word)
			test_word(ctx, word, rules);
	}
	free(copy);
}

static void test_scripts(struct tap *tap)
{
	struct text text = { 0 };
	struct fw_rules rules;
	struct tap_run run;
	size_t i;

	for (i = 0; i < N(scripts); i++) {
		tap_run_begin(&run);
		test_rules(&run.ctx, scripts[i].words, &rules);
		fw_script(&rules, &text);
		tap_same(tap, text_string(&text), scripts[i].want,
			 scripts[i].words);
		text_free(&text);
		fw_rules_free(&rules);
		tap_run_end(&run);
	}
}

/* Refused before anything is asked or changed, so that any user can try. */
static void test_refused(struct tap *tap)
{
	static const struct {
		const char *name;
		const char *words;
		const char *error;
	} rows[] = {
		{ "wg0", "kill-switch", "right would be a FwMark" },
		{ "", "port=1", "cannot be written" },
		{ "wg*", "port=1", "`wg*' cannot be written" },
		{ "wg+0", "port=1", "right would be up to 15 letters" },
		{ "wg=0", "port=1", "cannot be written" },
		{ "a\"; drop; \"", "port=1", "cannot be written" },
		{ "a b", "port=1", "cannot be written" },
		{ "a\nb", "port=1", "cannot be written" },
		{ "w\xc3\xa4", "port=1", "cannot be written" },
		{ "abcdefghijklmnop", "port=1", "cannot be written" },
	};
	struct fw_rules rules;
	struct tap_run run;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		tap_run_begin(&run);
		test_rules(&run.ctx, rows[i].words, &rules);
		rules.name = rows[i].name;
		tap_ok(tap, fw_up(&run.ctx, &rules) < 0 &&
		       strstr(run.ctx.error, rows[i].error),
		       "refused: row %zu", i);
		if (i)
			tap_ok(tap, !fw_down(&run.ctx, rows[i].name),
			       "nothing to remove: row %zu", i);
		fw_rules_free(&rules);
		tap_ok(tap, !rules.name && !rules.lans.all, "empty again");
		tap_run_end(&run);
	}
}

int main(int argc, char **argv)
{
	struct tap tap = { .suite = "fw" };

	if (argc > 2)
		return test_program(argc, argv);
	test_scripts(&tap);
	test_refused(&tap);
	return tap_end(&tap);
}
