// SPDX-License-Identifier: GPL-2.0
/* What files make of a host: routes, rules of the firewall; and its notes. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tunnel_peers.h"
#include "../tunnel_route.h"
#include "../tunnel_rules.h"
#include "../tunnel_state.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define K1	"gImmJvhkL3DEWeQFqGt53yrBmFs1IXg6NHKQONe88U8="
#define K2	"sJcx1ukSJqk/7xzv5LKOjOZrH6wI3QTqwEiPGZ6ZHX4="
#define I	"[Interface]\nAddress = 10.0.0.1/24, fd00::1/64\n"
#define P1	"[Peer]\nPublicKey = " K1 "\nAllowedIPs = "
#define P2	"[Peer]\nPublicKey = " K2 "\nAllowedIPs = "

/* A file, and the routes or rules that come of it; the mark is 51820. */
struct row {
	const char *name;
	const char *file;
	const char *want;
};

static const struct row routes[] = {
	{ "no peers", I, "" },
	{ "covered by the address", I P1 "10.0.0.2/32, fd00::2\n", "" },
	{ "the network of the address", I P1 "10.0.0.0/24\n", "" },
	{ "wider than the address", I P1 "10.0.0.0/23\n",
	  "10.0.0.0/23 254\n" },
	{ "host bits go", I P1 "192.168.1.77/24\n", "192.168.1.0/24 254\n" },
	{ "a single address covers nothing in IPv4",
	  "[Interface]\nAddress = 10.0.0.1/32\n" P1 "10.0.0.1/32\n",
	  "10.0.0.1/32 254\n" },
	{ "but itself in IPv6",
	  "[Interface]\nAddress = fd00::1/128\n" P1 "fd00::1/128, fd00::2/128\n",
	  "fd00::2/128 254\n" },
	{ "the longest comes first",
	  I P1 "172.16.0.0/12, 172.16.5.0/24\n" P2 "172.16.5.6\n",
	  "172.16.5.6/32 254\n172.16.5.0/24 254\n172.16.0.0/12 254\n" },
	{ "the same with two peers", I P1 "172.16.0.0/12\n" P2 "172.16.0.0/12\n",
	  "172.16.0.0/12 254\n" },
	{ "everything", I P1 "0.0.0.0/0, ::/0\n",
	  "0.0.0.0/0 51820 rules\n::/0 51820 rules\n" },
	{ "one family", I P1 "0.0.0.0/0, 10.9.0.0/16\n",
	  "10.9.0.0/16 254\n0.0.0.0/0 51820 rules\n" },
	{ "halves are no default", I P1 "0.0.0.0/1, 128.0.0.0/1\n",
	  "0.0.0.0/1 254\n128.0.0.0/1 254\n" },
	{ "a table", I "Table = 77\n" P1 "10.0.0.2/32, 0.0.0.0/0\n",
	  "10.0.0.2/32 77\n0.0.0.0/0 77\n" },
	{ "the main table by number", I "Table = 254\n" P1 "0.0.0.0/0\n",
	  "0.0.0.0/0 254\n" },
	{ "no table", I "Table = off\n" P1 "0.0.0.0/0, 10.9.0.0/16\n", "" },
	{ "no address", "[Interface]\n" P1 "10.0.0.2/32\n", "10.0.0.2/32 254\n" },
};

#define SERVER	I "ListenPort = 7\n# wgpeer role = server\n"
#define SITE	I "ListenPort = 7\n# wgpeer role = site\n"
#define CLIENT	I "# wgpeer role = client\n"
#define NETS	"fw tunnel 10.0.0.0/24\nfw tunnel fd00::/64\n"

static const struct row rules[] = {
	{ "a plain file", I P1 "10.0.0.0/24\n", "none\nfw mark 51820\n" },
	{ "everything through the tunnel", I P1 "0.0.0.0/0\n",
	  "nft\nfw mark 51820\nfw own 10.0.0.1/24\n" },
	{ "everything of both", I P1 "0.0.0.0/0, ::/0\n",
	  "nft\nfw mark 51820\nfw own 10.0.0.1/24\nfw own fd00::1/64\n" },
	{ "no wish for rules", I "# wgpeer firewall = none\n" P1 "0.0.0.0/0\n",
	  "none\nfw mark 51820\nfw own 10.0.0.1/24\n" },
	{ "a server", SERVER,
	  "nft asked forwards\nfw open-port 7\nfw mark 51820\nfw forward\n" NETS },
	{ "isolated clients", SERVER "# wgpeer isolate = yes\n",
	  "nft asked\nfw open-port 7\nfw mark 51820\nfw isolate\n" },
	{ "shared networks", SERVER "# wgpeer share = 192.168.1.0/24\n# wgpeer isolate = yes\n",
	  "nft asked forwards\nfw open-port 7\nfw mark 51820\nfw forward\nfw nat-lans\nfw isolate\nfw lans 192.168.1.0/24\n" NETS },
	{ "exit", SERVER "# wgpeer exit = yes\n# wgpeer firewall = print\n",
	  "print asked forwards\nfw open-port 7\nfw mark 51820\nfw forward\nfw exit\nfw no-ipv6\n" NETS },
	{ "exit, isolated", SERVER "# wgpeer exit = yes\n# wgpeer isolate = yes\n",
	  "nft asked forwards\nfw open-port 7\nfw mark 51820\nfw exit\nfw isolate\nfw no-ipv6\n" NETS },
	{ "a client", CLIENT P1 "10.0.0.0/24\n", "none\nfw mark 51820\n" },
	{ "a kill switch", CLIENT "# wgpeer kill-switch = yes\n" P1 "0.0.0.0/0\n",
	  "nft asked\nfw mark 51820\nfw kill-switch\nfw own 10.0.0.1/24\n" },
	{ "a kill switch with exceptions", CLIENT "# wgpeer kill-switch = yes\n# wgpeer kill-switch-except = 192.168.1.0/24, fd01::/64\n" P1 "0.0.0.0/0\n",
	  "nft asked\nfw mark 51820\nfw kill-switch\nfw own 10.0.0.1/24\nfw kill-lans 192.168.1.0/24\nfw kill-lans fd01::/64\n" },
	{ "exceptions from nothing", CLIENT "# wgpeer kill-switch-except = 192.168.1.0/24\n" P1 "10.0.0.0/24\n",
	  "none\nfw mark 51820\nfw kill-lans 192.168.1.0/24\n" },
	{ "a site", SITE "# wgpeer share = 192.168.1.0/24, fd01::/64\n",
	  "nft asked forwards\nfw open-port 7\nfw mark 51820\nfw forward\nfw isolate\nfw lans 192.168.1.0/24\nfw lans fd01::/64\n" NETS },
	{ "a site that shares nothing", SITE,
	  "nft asked\nfw open-port 7\nfw mark 51820\nfw isolate\n" },
	{ "a hub", SITE "# wgpeer hub = yes\n",
	  "nft asked forwards\nfw open-port 7\nfw mark 51820\nfw forward\n" NETS },
	{ "routed", SITE "# wgpeer routed = yes\nTable = off\n" P1 "0.0.0.0/0\n",
	  "nft asked forwards multicast\nfw open-port 7\nfw mark 51820\nfw forward\nfw lans 0.0.0.0/0\nfw lans ::/0\n" NETS },
	{ "a role nobody knows", I "# wgpeer role = router\n", "!router" },
	{ "neither yes nor no", SERVER "# wgpeer exit = maybe\n", "!maybe" },
	{ "no network", SERVER "# wgpeer share = here\n", "!here" },
	{ "no firewall", SERVER "# wgpeer firewall = iptables\n", "!iptables" },
	{ "a kill switch without", CLIENT "# wgpeer kill-switch = yes\n# wgpeer firewall = none\n",
	  "!kill switch" },
};

/* A file as a plan, as far as nothing of the host is needed. */
static struct quick *plan_of(struct ctx *ctx, const char *file,
			     struct tunnel_plan *plan)
{
	struct text text = { 0 };
	struct model_device *want;
	struct quick *quick;
	size_t i;

	text_put(&text, file);
	if (quick_parse(ctx, "wg0", "wg0.conf", &text, &quick)) {
		printf("Bail out! %s\n", ctx->error);
		exit(1);
	}
	text_free(&text);
	tunnel_plan_init(plan, "wg0");
	plan->mark = 51820;
	for (i = 0; i < quick->addresses.count; i++)
		cidr_list_add(&plan->addresses, &quick->addresses.all[i]);
	tunnel_peers_want(ctx, quick->dev, &want);
	tunnel_route_plan(quick, want, plan);
	model_device_free(want);
	return quick;
}

static void test_routes(struct tap *tap, const struct row *row)
{
	struct text got = { 0 };
	struct tunnel_plan plan;
	char cidr[CIDR_TEXT];
	struct tap_run run;
	size_t i;

	tap_run_begin(&run);
	quick_free(plan_of(&run.ctx, row->file, &plan));
	for (i = 0; i < plan.n_routes; i++) {
		cidr_text(cidr, &plan.routes[i].dst);
		text_printf(&got, "%s %u%s\n", cidr, plan.routes[i].table,
			    plan.routes[i].policy ? " rules" : "");
		tap_ok(tap, tunnel_plan_route(&plan, &plan.routes[i]) ==
		       &plan.routes[i], "%s: found", row->name);
	}
	tap_same(tap, text_string(&got), row->want, row->name);
	text_free(&got);
	tunnel_plan_free(&plan);
	tap_run_end(&run);
}

static void test_rules(struct tap *tap, const struct row *row)
{
	static const char *const ways[] = { "none", "nft", "print" };
	struct text got = { 0 };
	struct tunnel_plan plan;
	struct tap_run run;
	struct quick *quick;
	int ret;

	tap_run_begin(&run);
	quick = plan_of(&run.ctx, row->file, &plan);
	ret = tunnel_rules_plan(&run.ctx, quick, true, &plan);
	if (*row->want == '!') {
		tap_ok(tap, ret == -EINVAL &&
		       strstr(run.ctx.error, row->want + 1), "%s: %s",
		       row->name, run.ctx.error);
	} else {
		text_printf(&got, "%s%s%s%s\n", ways[plan.firewall],
			    plan.fw_asked ? " asked" : "",
			    tunnel_rules_forwards(&plan) ? " forwards" : "",
			    plan.multicast ? " multicast" : "");
		tunnel_state_put_fw(&plan.fw, &got);
		tap_same(tap, text_string(&got), row->want, row->name);
	}
	text_free(&got);
	quick_free(quick);
	tunnel_plan_free(&plan);
	tap_run_end(&run);
}

static void test_mark(struct tap *tap)
{
	static const struct {
		const char *file;
		bool needs;
	} files[] = {
		{ I P1 "10.0.0.0/8\n", false },
		{ I P1 "0.0.0.0/0\n", true },
		{ I P1 "::/0\n", true },
		{ I "Table = off\n" P1 "::/0\n", false },
		{ I "Table = 5\n" P1 "::/0\n", false },
		{ I "Table = off\n# wgpeer kill-switch = yes\n", true },
		{ I "# wgpeer kill-switch = no\n", false },
	};
	struct tunnel_plan plan;
	struct tap_run run;
	struct quick *quick;
	bool needs;
	size_t i;

	for (i = 0; i < N(files); i++) {
		tap_run_begin(&run);
		quick = plan_of(&run.ctx, files[i].file, &plan);
		tap_ok(tap, !tunnel_rules_needs_mark(&run.ctx, quick, &needs) &&
		       needs == files[i].needs, "mark of file %zu", i);
		quick_free(quick);
		tunnel_plan_free(&plan);
		tap_run_end(&run);
	}
}

/* --- notes ---------------------------------------------------------------- */

/* The one file of the directory: its name has the namespace, where that is not
 * the one of process 1.
 */
static void state_file(const char *dir, char path[PATH_MAX])
{
	struct dirent *entry;
	DIR *all = opendir(dir);

	snprintf(path, PATH_MAX, "%s/none", dir);
	while (all && (entry = readdir(all))) {
		if (strstr(entry->d_name, ".state"))
			snprintf(path, PATH_MAX, "%s/%s", dir, entry->d_name);
	}
	if (all)
		closedir(all);
}

static char *slurp(const char *path)
{
	struct text text = { 0 };
	struct ctx ctx;

	ctx_init(&ctx, "test");
	file_read(&ctx, path, 1 << 20, &text);
	return text.data;
}

static void fill(struct ctx *ctx, struct tunnel_plan *plan)
{
	struct tunnel_sysctl sysctl = { "net/ipv4/ip_forward", "1", "0", false };
	struct quick *quick;

	quick = plan_of(ctx, SERVER "# wgpeer exit = yes\n# wgpeer share = 192.168.1.0/24\n"
			P1 "0.0.0.0/0, 10.9.0.0/16, ::/0\n", plan);
	tunnel_rules_plan(ctx, quick, true, plan);
	plan->mtu = 1380;
	plan->multicast = true;
	plan->mark_chosen = true;
	tunnel_plan_add_sysctl(plan, &sysctl);
	sysctl = (struct tunnel_sysctl){
		"net/ipv6/conf/eth0.5/forwarding", "1", "1", true
	};
	tunnel_plan_add_sysctl(plan, &sysctl);
	plan->dns = DNS_RESOLVED;
	cidr_list_parse(ctx, "", "10.0.0.53, fd00::53", &plan->servers);
	plan->search.all = calloc(1, sizeof(char *));
	plan->search.all[plan->search.count++] = strdup("corp.test");
	tunnel_plan_add_host(plan, quick->dev->first->public_key,
			     "vpn.example.com:51820");
	tunnel_plan_sort_hosts(plan);
	quick_free(quick);
}

static int count_others(const struct tunnel_plan *plan, void *data)
{
	struct text *text = data;

	text_printf(text, "%s %zu\n", plan->name, plan->n_sysctls);
	return 0;
}

static void test_state(struct tap *tap, struct tap_run *run, const char *dir)
{
	struct tunnel_plan plan, back, other;
	struct text others = { 0 };
	char path[PATH_MAX], *one, *two;
	struct stat st;

	fill(&run->ctx, &plan);
	tunnel_plan_init(&back, "wg0");
	tap_ok(tap, !tunnel_state_read(&run->ctx, &back) && !back.noted,
	       "nothing is noted at first");
	tap_ok(tap, !tunnel_state_write(&run->ctx, NULL, &plan), "written");
	state_file(dir, path);
	tap_ok(tap, !stat(dir, &st) && (st.st_mode & 0777) == 0700,
	       "the directory is for its owner");
	tap_ok(tap, !stat(path, &st) && (st.st_mode & 0777) == 0600,
	       "and so is the file");
	one = slurp(path);
	tap_ok(tap, !tunnel_state_read(&run->ctx, &back) && back.noted, "read");
	tap_ok(tap, !tunnel_state_write(&run->ctx, NULL, &back), "again");
	two = slurp(path);
	tap_same(tap, two, one, "what is read is what was written");
	tap_ok(tap, back.dns == DNS_RESOLVED && back.n_sysctls == 2 &&
	       back.sysctls[1].follows && back.n_routes == 3 &&
	       back.mark == 51820 && back.mark_chosen && back.fw.exit,
	       "all of it");
	/* Both at once, as before a change: nothing twice, nothing missing. */
	tunnel_plan_init(&other, "wg0");
	other.firewall = TUNNEL_FW_PRINT;
	tap_ok(tap, !tunnel_state_write(&run->ctx, &back, &other), "both");
	tunnel_plan_free(&back);
	tap_ok(tap, !tunnel_state_read(&run->ctx, &back) &&
	       back.n_sysctls == 2 && back.n_routes == 3 &&
	       back.firewall == TUNNEL_FW_NFT && back.n_hosts == 1,
	       "both are undone");
	tap_ok(tap, !tunnel_state_write(&run->ctx, &plan, &plan), "twice");
	tunnel_plan_free(&back);
	tap_ok(tap, !tunnel_state_read(&run->ctx, &back) &&
	       back.n_sysctls == 2 && back.n_routes == 3 &&
	       back.addresses.count == 2 && back.search.count == 1 &&
	       back.servers.count == 2 && back.fw.lans.count == 1,
	       "nothing is there twice");
	tap_ok(tap, !tunnel_state_others(&run->ctx, "wg1", count_others,
					 &others), "others");
	tap_same(tap, text_string(&others), "wg0 2\n", "are seen");
	tap_ok(tap, !tunnel_state_others(&run->ctx, "wg0", count_others,
					 &others) && others.len == 6,
	       "the own one is not");
	tunnel_state_remove(&run->ctx, "wg0");
	tap_ok(tap, stat(path, &st) && errno == ENOENT, "removed");
	free(one);
	free(two);
	text_free(&others);
	tunnel_plan_free(&plan);
	tunnel_plan_free(&back);
	tunnel_plan_free(&other);
}

/* What a crash or a later version left there does not keep us from the rest. */
static void test_broken_state(struct tap *tap, struct tap_run *run,
			      const char *dir)
{
	static const char junk[] =
		"\n\nfrobnicate yes\naddress here\naddress 10.0.0.1/24\nroute\n"
		"route 10.0.0.0/33 254 0\nsysctl\nhost x y\nmtu\nfw\nfw own\n"
		"route 10.9.0.0/16 254 1\ndns frob\nsearch";
	struct text text = { 0 };
	struct tunnel_plan plan;
	char path[PATH_MAX];

	tunnel_plan_init(&plan, "wg0");
	tunnel_state_write(&run->ctx, NULL, &plan);
	state_file(dir, path);
	text_put(&text, junk);
	file_write(&run->ctx, path, 0600, &text);
	tap_ok(tap, !tunnel_state_read(&run->ctx, &plan) && plan.noted &&
	       plan.addresses.count == 1 && plan.n_routes == 1 &&
	       plan.routes[0].policy, "broken lines are skipped");
	tunnel_plan_free(&plan);
	text_free(&text);
	unlink(path);
}

int main(void)
{
	struct tap tap = { .suite = "tunnel_plan" };
	char dir[] = "/tmp/wgpeer-test-XXXXXX", state[64];
	struct tap_run run;
	size_t i;

	for (i = 0; i < N(routes); i++)
		test_routes(&tap, &routes[i]);
	for (i = 0; i < N(rules); i++)
		test_rules(&tap, &rules[i]);
	test_mark(&tap);
	if (!mkdtemp(dir))
		return 1;
	snprintf(state, sizeof(state), "%s/run", dir);
	tap_run_begin(&run);
	run.ctx.statedir = state;
	test_state(&tap, &run, state);
	test_broken_state(&tap, &run, state);
	tap_run_end(&run);
	rmdir(state);
	rmdir(dir);
	return tap_end(&tap);
}
