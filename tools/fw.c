// SPDX-License-Identifier: GPL-2.0
/*
 * Firewall rules of a tunnel, in a table of their own. (layer 2)
 *
 * An "accept" ends one chain only: another table's chain at the same hook may
 * still drop the packet, and what ours rejects is lost whatever others say. So
 * rules here that reject are what counts, and what shall pass is put in front
 * in those other chains too.
 */
#include "fw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "nft.h"
#include "spawn.h"

#define FW_REJECT	"reject with icmpx admin-prohibited"
#define FW_TABLE	"wgpeer-"
#define FW_NAME_SIZE	(sizeof(FW_TABLE) + IFNAMSIZ)
#define FW_PROC_MAX	4096
#define FW_N(a)		(sizeof(a) / sizeof((a)[0]))

void fw_rules_free(struct fw_rules *rules)
{
	cidr_list_free(&rules->lans);
	cidr_list_free(&rules->tunnel);
	cidr_list_free(&rules->own);
	cidr_list_free(&rules->kill_lans);
	memset(rules, 0, sizeof(*rules));
}

/* Whether another entry covers this one: sets must not overlap in old nft. */
static bool fw_covered(const struct cidr_list *nets, size_t i)
{
	const struct cidr *net = &nets->all[i];
	size_t j;

	for (j = 0; j < nets->count; j++) {
		if (j != i && cidr_contains(&nets->all[j], net) &&
		    (j < i || nets->all[j].len < net->len))
			return true;
	}
	return false;
}

/* "10.0.0.0/8, 192.168.0.0/16", or nothing. */
static void fw_put_nets(struct text *set, uint16_t family,
			const struct cidr_list *nets)
{
	char text[CIDR_TEXT];
	struct cidr net;
	size_t i;

	for (i = 0; i < nets->count; i++) {
		if (nets->all[i].family != family || fw_covered(nets, i))
			continue;
		net = cidr_network(&nets->all[i]);
		cidr_text(text, &net);
		text_printf(set, "%s%s", set->len ? ", " : "", text);
	}
}

/* BEFORE ip WAY { NETS } VERDICT, if there are any of that family */
static void fw_put_rule(struct text *text, const char *before,
			uint16_t family, const char *way,
			const struct cidr_list *nets, const char *verdict)
{
	struct text set = { 0 };

	fw_put_nets(&set, family, nets);
	if (set.len)
		text_printf(text, "\t\t%s%s%s %s { %s } %s\n", before,
			    *before ? " " : "",
			    family == AF_INET ? "ip" : "ip6", way,
			    text_string(&set), verdict);
	text->broken |= set.broken;
	text_free(&set);
}

static void fw_put_rules(struct text *text, const char *before, const char *way,
			 const struct cidr_list *nets, const char *verdict)
{
	fw_put_rule(text, before, AF_INET, way, nets, verdict);
	fw_put_rule(text, before, AF_INET6, way, nets, verdict);
}

static void fw_chain(struct text *text, const char *name, const char *type)
{
	text_printf(text, "\tchain %s {\n\t\ttype %s; policy accept;\n", name,
		    type);
}

static void fw_chain_end(struct text *text)
{
	text_put(text, "\t}\n");
}

static bool fw_forwards(const struct fw_rules *rules)
{
	return rules->forward || rules->exit || rules->isolate;
}

static void fw_script_input(const struct fw_rules *rules, struct text *text)
{
	fw_chain(text, "input", "filter hook input priority filter");
	text_printf(text, "\t\tudp dport %u accept\n", rules->open_port);
	fw_chain_end(text);
}

/* A router in the way may swallow "too big": segments that fit need none. */
static void fw_script_clamp(const char *name, struct text *text)
{
	static const char *const ways[] = { "iifname", "oifname" };
	size_t i;

	fw_chain(text, "clamp", "filter hook forward priority mangle");
	for (i = 0; i < FW_N(ways); i++)
		text_printf(text, "\t\t%s \"%s\" tcp flags syn / syn,rst tcp option maxseg size set rt mtu\n",
			    ways[i], name);
	fw_chain_end(text);
}

/* What peers may reach; who may begin to talk to them. */
static void fw_script_forward(const struct fw_rules *rules, struct text *text)
{
	const char *name = rules->name;
	char in[sizeof("iifname \"\"") + IFNAMSIZ];
	char out[sizeof("oifname \"\"") + IFNAMSIZ];

	snprintf(in, sizeof(in), "iifname \"%s\"", name);
	snprintf(out, sizeof(out), "oifname \"%s\"", name);
	fw_chain(text, "forward", "filter hook forward priority filter");
	text_printf(text, "\t\t%s %s %s\n", in, out,
		    rules->isolate ? FW_REJECT : "accept");
	if (rules->forward) {
		fw_put_rules(text, in, "daddr", &rules->lans, "accept");
		fw_put_rules(text, out, "saddr", &rules->lans, "accept");
	}
	if (rules->exit)
		text_printf(text, "\t\t%s %saccept\n", in,
			    rules->no_ipv6 ? "meta nfproto ipv4 " : "");
	/*
	 * Only towards the peers: what was taken away from them ends at once,
	 * also for connections that exist.
	 */
	text_printf(text, "\t\t%s ct state established,related accept\n", out);
	text_printf(text, "\t\t%s %s\n\t\t%s %s\n", in, FW_REJECT, out,
		    FW_REJECT);
	fw_chain_end(text);
}

/*
 * Here, before routing: a host that does not forward IPv6 drops it silently
 * there, and programs of the peers would wait before they try IPv4.
 */
static void fw_script_no_ipv6(const struct fw_rules *rules, struct text *text)
{
	char in[sizeof("iifname \"\"") + IFNAMSIZ];

	snprintf(in, sizeof(in), "iifname \"%s\"", rules->name);
	fw_chain(text, "no-ipv6", "filter hook prerouting priority filter");
	fw_put_rule(text, in, AF_INET6, "daddr", &rules->tunnel, "accept");
	if (rules->forward)
		fw_put_rule(text, in, AF_INET6, "daddr", &rules->lans,
			    "accept");
	text_printf(text, "\t\t%s ip6 daddr 2000::/3 fib daddr type != local reject with icmpv6 admin-prohibited\n",
		    in);
	fw_chain_end(text);
}

static void fw_script_nat(const struct fw_rules *rules, struct text *text)
{
	char way[sizeof("iifname \"\" oifname != \"\"") + 2 * IFNAMSIZ];

	snprintf(way, sizeof(way), "iifname \"%s\" oifname != \"%s\"",
		 rules->name, rules->name);
	fw_chain(text, "nat", "nat hook postrouting priority srcnat");
	if (rules->forward)
		fw_put_rules(text, way, "daddr", &rules->lans,
			     rules->nat_lans ? "masquerade" : "accept");
	if (rules->exit)
		text_printf(text, "\t\t%s masquerade\n", way);
	fw_chain_end(text);
}

/* Somebody on the LAN could send to our address in the tunnel otherwise. */
static void fw_script_own(const struct fw_rules *rules, struct text *text)
{
	char in[sizeof("iifname != \"\"") + IFNAMSIZ];
	struct cidr_list hosts = { 0 };
	struct cidr host;
	size_t i;

	snprintf(in, sizeof(in), "iifname != \"%s\"", rules->name);
	for (i = 0; i < rules->own.count; i++) {
		host = cidr_host(&rules->own.all[i]);
		if (cidr_list_add(&hosts, &host))
			text->broken = true;
	}
	fw_chain(text, "own", "filter hook prerouting priority raw");
	fw_put_rules(text, in, "daddr", &hosts,
		     "fib saddr type != local drop");
	fw_chain_end(text);
	cidr_list_free(&hosts);
}

/*
 * Answers to the tunnel's own packets get their mark, so that the reverse path
 * filter looks up the route that those took.
 */
static void fw_script_mark(uint32_t mark, struct text *text)
{
	fw_chain(text, "mark-save", "filter hook postrouting priority mangle");
	text_printf(text, "\t\tmeta l4proto udp meta mark 0x%x ct mark set meta mark\n",
		    mark);
	fw_chain_end(text);
	fw_chain(text, "mark-restore",
		 "filter hook prerouting priority mangle");
	text_printf(text, "\t\tmeta l4proto udp ct mark 0x%x meta mark set ct mark\n",
		    mark);
	fw_chain_end(text);
}

/*
 * No exception for established connections: those that began beside the tunnel
 * would go on there.  Ports of DHCP below 1024 and marks are root's.
 */
static void fw_script_kill(const struct fw_rules *rules, struct text *text)
{
	fw_chain(text, "kill-output", "filter hook output priority filter");
	text_printf(text, "\t\toifname { \"lo\", \"%s\" } accept\n",
		    rules->name);
	if (rules->mark)
		text_printf(text, "\t\tmeta l4proto udp meta mark 0x%x accept\n",
			    rules->mark);
	text_put(text, "\t\tudp sport { 67, 68 } udp dport { 67, 68 } accept\n"
		 "\t\tudp sport { 546, 547 } udp dport { 546, 547 } accept\n"
		 "\t\ticmpv6 type { nd-router-solicit, nd-router-advert, "
		 "nd-neighbor-solicit, nd-neighbor-advert, "
		 "mld2-listener-report } accept\n");
	fw_put_rules(text, "", "daddr", &rules->kill_lans, "accept");
	text_put(text, "\t\t" FW_REJECT "\n");
	fw_chain_end(text);

	/* Hosts that this one is the router of must not leak either. */
	fw_chain(text, "kill-forward", "filter hook forward priority filter");
	text_printf(text, "\t\tiifname \"%s\" accept\n\t\toifname \"%s\" accept\n",
		    rules->name, rules->name);
	fw_put_rules(text, "", "daddr", &rules->kill_lans, "accept");
	text_put(text, "\t\t" FW_REJECT "\n");
	fw_chain_end(text);
}

/* An empty table first: what shall be deleted has to exist. */
static void fw_script_remove(const char *name, struct text *text)
{
	text_printf(text, "table inet " FW_TABLE "%s {\n}\n"
		    "delete table inet " FW_TABLE "%s\n", name, name);
}

void fw_script(const struct fw_rules *rules, struct text *text)
{
	fw_script_remove(rules->name, text);
	text_printf(text, "table inet " FW_TABLE "%s {\n", rules->name);
	if (rules->open_port)
		fw_script_input(rules, text);
	if (fw_forwards(rules) || rules->kill_switch)
		fw_script_clamp(rules->name, text);
	if (fw_forwards(rules))
		fw_script_forward(rules, text);
	if (rules->exit && rules->no_ipv6)
		fw_script_no_ipv6(rules, text);
	if (rules->exit || (rules->forward && rules->nat_lans))
		fw_script_nat(rules, text);
	if (rules->own.count)
		fw_script_own(rules, text);
	if (rules->own.count && rules->mark)
		fw_script_mark(rules->mark, text);
	if (rules->kill_switch)
		fw_script_kill(rules, text);
	text_put(text, "}\n");
}

static bool fw_empty(const struct fw_rules *rules)
{
	return !rules->open_port && !fw_forwards(rules) && !rules->own.count &&
	       !rules->kill_switch;
}

/* Whether nft reads a word as one name and nothing else. */
static bool fw_is_name(const char *word)
{
	const char *c;

	for (c = word; *c; c++) {
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      *c == '_' ||
		      (c > word && ((*c >= '0' && *c <= '9') ||
				    *c == '-' || *c == '.'))))
			return false;
	}
	return c > word;
}

/* The interface's table, which is also the comment of its rules elsewhere. */
static int fw_table(struct ctx *ctx, const char *name, char table[FW_NAME_SIZE])
{
	snprintf(table, FW_NAME_SIZE, FW_TABLE "%s", name);
	if (strlen(name) >= IFNAMSIZ || !*name || !fw_is_name(table))
		return ctx_fail(ctx, -EINVAL, "interface: `%.100s' cannot be written in firewall rules; right would be up to %d letters, digits, \"_\", \"-\", \".\"",
				name, IFNAMSIZ - 1);
	return 0;
}

/*
 * Whether a chain would drop what we let through there.  The kill switch of
 * another tunnel may, and shall.
 */
static bool fw_blocks(const struct nft_chain *chain,
		      const struct fw_rules *rules)
{
	if (!chain->policy_drop && !chain->ends_drop)
		return false;
	if (!strncmp(chain->table, FW_TABLE, strlen(FW_TABLE)))
		return false;
	if (chain->hook == NF_INET_LOCAL_IN)
		return rules->open_port;
	return rules->forward || rules->exit;
}

static bool fw_can_open(const struct nft_chain *chain)
{
	return !chain->owned && fw_is_name(chain->table) &&
	       fw_is_name(chain->name);
}

/* How many rules have to stand in front there. */
static size_t fw_openings(const struct nft_chain *chain,
			  const struct fw_rules *rules)
{
	if (!fw_blocks(chain, rules) || !fw_can_open(chain))
		return 0;
	return chain->hook == NF_INET_LOCAL_IN ? 1 : 2;
}

static void fw_open_others(const struct nft *nft, const struct fw_rules *rules,
			   struct text *text)
{
	static const char *const ways[] = { "iifname", "oifname" };
	size_t i, j;

	for (i = 0; i < nft->chain_count; i++) {
		const struct nft_chain *chain = &nft->chains[i];

		if (!fw_openings(chain, rules))
			continue;
		if (chain->hook == NF_INET_LOCAL_IN)
			text_printf(text, "insert rule %s %s %s udp dport %u accept comment \"%s\"\n",
				    nft_family(chain->family), chain->table,
				    chain->name, rules->open_port, nft->name);
		for (j = 0; chain->hook == NF_INET_FORWARD && j < 2; j++)
			text_printf(text, "insert rule %s %s %s %s \"%s\" accept comment \"%s\"\n",
				    nft_family(chain->family), chain->table,
				    chain->name, ways[j], rules->name,
				    nft->name);
	}
}

/* What is left to do at the one whose chain it is. */
static void fw_tell_other(struct ctx *ctx, const struct nft_chain *chain,
			  const struct fw_rules *rules)
{
	bool firewalld = !strcmp(chain->table, "firewalld");
	bool input = chain->hook == NF_INET_LOCAL_IN;

	if (firewalld && input)
		ctx_todo(ctx, "so that firewalld keeps the port open: firewall-cmd --permanent --add-port=%u/udp",
			 rules->open_port);
	else if (firewalld)
		ctx_todo(ctx, "so that firewalld keeps forwarding: firewall-cmd --permanent --zone=trusted --add-interface=%s",
			 rules->name);
	else if (input)
		ctx_todo(ctx, "let UDP port %u in where the firewall table `%s' comes from",
			 rules->open_port, chain->table);
	else
		ctx_todo(ctx, "let packets of `%s' be forwarded where the firewall table `%s' comes from",
			 rules->name, chain->table);
}

static void fw_tell_others(struct ctx *ctx, const struct nft *nft,
			   const struct fw_rules *rules)
{
	const struct nft_chain *chain = nft->chains;
	size_t i;

	for (i = 0; i < nft->chain_count; i++, chain++) {
		/* These two make their table anew now and then. */
		if (fw_blocks(chain, rules) &&
		    (!fw_can_open(chain) || !strcmp(chain->table, "firewalld") ||
		     !strcmp(chain->table, "fw4")))
			fw_tell_other(ctx, chain, rules);
	}
}

static void fw_close_others(const struct nft *nft, struct text *text)
{
	size_t i;

	for (i = 0; i < nft->rule_count; i++)
		text_printf(text, "delete rule %s %s %s handle %llu\n",
			    nft_family(nft->rules[i].family),
			    nft->rules[i].table, nft->rules[i].chain,
			    (unsigned long long)nft->rules[i].handle);
}

/* Whether rules of the old interface are in use; nft does not see them. */
static bool fw_has_legacy(struct ctx *ctx, const char *path)
{
	struct text names = { 0 };
	bool found = false;

	if (file_exists(path) && !file_read(ctx, path, FW_PROC_MAX, &names))
		found = strstr(text_string(&names), "filter");
	text_free(&names);
	return found;
}

static void fw_tell_legacy(struct ctx *ctx, const struct fw_rules *rules)
{
	static const char *const all[][2] = {
		{ "/proc/net/ip_tables_names", "iptables-legacy" },
		{ "/proc/net/ip6_tables_names", "ip6tables-legacy" },
	};
	size_t i;

	for (i = 0; i < FW_N(all); i++) {
		if (!fw_has_legacy(ctx, all[i][0]))
			continue;
		if (rules->open_port)
			ctx_todo(ctx, "if %s drops what comes in: %s -I INPUT -p udp --dport %u -j ACCEPT",
				 all[i][1], all[i][1], rules->open_port);
		if (rules->forward || rules->exit)
			ctx_todo(ctx, "if %s drops what is forwarded: %s -I FORWARD -i %s -j ACCEPT; %s -I FORWARD -o %s -j ACCEPT",
				 all[i][1], all[i][1], rules->name, all[i][1],
				 rules->name);
	}
}

static int fw_run(struct ctx *ctx, const struct text *text)
{
	static const char *const argv[] = { "nft", "-f", "-", NULL };

	if (text->broken)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	return spawn_run(ctx, argv, text, NULL);
}

int fw_up(struct ctx *ctx, const struct fw_rules *rules)
{
	char table[FW_NAME_SIZE];
	struct text text = { 0 };
	struct nft nft;
	int ret;

	if (fw_empty(rules))
		return fw_down(ctx, rules->name);
	ret = fw_table(ctx, rules->name, table);
	if (ret)
		return ret;
	if (rules->kill_switch && !rules->mark)
		return ctx_fail(ctx, -EINVAL, "kill-switch: `%s' has no firewall mark to know its own packets by; right would be a FwMark",
				rules->name);
	ret = nft_scan(ctx, table, &nft);
	if (!ret) {
		fw_close_others(&nft, &text);
		fw_script(rules, &text);
		fw_open_others(&nft, rules, &text);
		ret = fw_run(ctx, &text);
	}
	if (!ret) {
		fw_tell_others(ctx, &nft, rules);
		fw_tell_legacy(ctx, rules);
	}
	nft_free(&nft);
	text_free(&text);
	return ret;
}

int fw_down(struct ctx *ctx, const char *name)
{
	char table[FW_NAME_SIZE];
	struct text text = { 0 };
	struct nft nft;
	int ret;

	/* Such a name never got any rules. */
	if (fw_table(ctx, name, table))
		return 0;
	ret = nft_scan(ctx, table, &nft);
	if (!ret && (nft.table || nft.rule_count)) {
		fw_close_others(&nft, &text);
		if (nft.table)
			fw_script_remove(name, &text);
		ret = fw_run(ctx, &text);
	}
	nft_free(&nft);
	text_free(&text);
	return ret;
}

int fw_holds(struct ctx *ctx, const struct fw_rules *rules, bool *holds)
{
	char table[FW_NAME_SIZE];
	size_t i, openings = 0;
	struct nft nft;
	int ret;

	*holds = fw_empty(rules);
	ret = *holds ? 0 : fw_table(ctx, rules->name, table);
	if (ret || *holds)
		return ret;
	ret = nft_scan(ctx, table, &nft);
	for (i = 0; i < nft.chain_count; i++)
		openings += fw_openings(&nft.chains[i], rules);
	*holds = !ret && nft.table && nft.rule_count == openings;
	nft_free(&nft);
	return ret;
}
