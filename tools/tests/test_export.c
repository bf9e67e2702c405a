// SPDX-License-Identifier: GPL-2.0
/* Exports: whole texts, single lines, what has no words, QR codes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../export.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define K1	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="
#define K2	"KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY="
#define K3	"//////////////////////////////////////////8="

/* A client as the server's verbs make it. */
static const char test_client[] =
	"[Interface]\nPrivateKey = " K1 "\n"
	"Address = 10.8.0.2/32, fd08::2/128\n"
	"DNS = 9.9.9.9, 2620:fe::fe, corp.example\nMTU = 1380\n\n"
	"[Peer]\n# Name = it's \"home\"\nPublicKey = " K2 "\n"
	"PresharedKey = " K3 "\nEndpoint = vpn.example.org:51820\n"
	"AllowedIPs = 0.0.0.0/0, ::/0\nPersistentKeepalive = 25\n";

/* Several peers, a part of the networks. */
static const char test_split[] =
	"[Interface]\nPrivateKey = " K1 "\nListenPort = 51000\nFwMark = 0x51\n"
	"Address = 10.8.0.1/24\n"
	"[Peer]\nPublicKey = " K2 "\nAllowedIPs = 10.8.0.2/32\n"
	"AllowedIPs = 192.168.7.9/24, fd07::/64\n"
	"[Peer]\nPublicKey = " K3 "\nEndpoint = [2001:db8::1]:1\n";

static const struct {
	enum export_format format;
	const char *file;
	const char *want;
} test_whole_table[] = {
	{ EXPORT_WG_QUICK, test_client, test_client },
	{ EXPORT_NETWORKD, test_client,
	  "# /etc/systemd/network/50-wg0.netdev\n"
	  "# It holds keys: chown root:systemd-network, chmod 0640\n"
	  "[NetDev]\nName=wg0\nKind=wireguard\nMTUBytes=1380\n\n"
	  "[WireGuard]\nPrivateKey=" K1 "\nFirewallMark=51820\n\n"
	  "[WireGuardPeer]\n# it's \"home\"\nPublicKey=" K2 "\n"
	  "PresharedKey=" K3 "\nEndpoint=vpn.example.org:51820\n"
	  "AllowedIPs=0.0.0.0/0\nAllowedIPs=::/0\nPersistentKeepalive=25\n\n"
	  "# /etc/systemd/network/50-wg0.network\n"
	  "[Match]\nName=wg0\n\n"
	  "[Network]\nAddress=10.8.0.2/32\nAddress=fd08::2/128\n"
	  "DNS=9.9.9.9\nDNS=2620:fe::fe\nDomains=corp.example ~.\n\n"
	  "[Route]\nDestination=0.0.0.0/0\nTable=51820\n\n"
	  "[Route]\nDestination=::/0\nTable=51820\n\n"
	  "# With net.ipv4.conf.all.rp_filter=1 answers of peers would be dropped: 2 will do.\n"
	  "[RoutingPolicyRule]\nFamily=both\nTable=254\n"
	  "SuppressPrefixLength=0\nPriority=32764\n\n"
	  "[RoutingPolicyRule]\nFamily=both\nFirewallMark=51820\n"
	  "InvertRule=yes\nTable=51820\nPriority=32765\n" },
	{ EXPORT_NETWORKD, test_split,
	  "# /etc/systemd/network/50-wg0.netdev\n"
	  "# It holds keys: chown root:systemd-network, chmod 0640\n"
	  "[NetDev]\nName=wg0\nKind=wireguard\n\n"
	  "[WireGuard]\nPrivateKey=" K1 "\nListenPort=51000\nFirewallMark=81\n\n"
	  "[WireGuardPeer]\nPublicKey=" K2 "\nAllowedIPs=10.8.0.2/32\n"
	  "AllowedIPs=192.168.7.0/24\nAllowedIPs=fd07::/64\n\n"
	  "[WireGuardPeer]\nPublicKey=" K3 "\nEndpoint=[2001:db8::1]:1\n\n"
	  "# /etc/systemd/network/50-wg0.network\n"
	  "[Match]\nName=wg0\n\n[Network]\nAddress=10.8.0.1/24\n\n"
	  "[Route]\nDestination=192.168.7.0/24\n\n"
	  "[Route]\nDestination=fd07::/64\n" },
	{ EXPORT_NM, test_client,
	  "# /etc/NetworkManager/system-connections/wg0.nmconnection\n"
	  "# It holds keys: chown root:root, chmod 0600\n"
	  "[connection]\nid=wg0\nuuid=76e08177-2d6d-8d4c-b7d0-9d737352ae89\n"
	  "type=wireguard\ninterface-name=wg0\n\n"
	  "[wireguard]\nprivate-key=" K1 "\nmtu=1380\n\n"
	  "# it's \"home\"\n[wireguard-peer." K2 "]\n"
	  "endpoint=vpn.example.org:51820\npreshared-key=" K3 "\n"
	  "preshared-key-flags=0\npersistent-keepalive=25\n"
	  "allowed-ips=0.0.0.0/0;::/0;\n\n"
	  "[ipv4]\nmethod=manual\naddress1=10.8.0.2/32\ndns=9.9.9.9;\n"
	  "dns-priority=-50\ndns-search=corp.example;~.;\n\n"
	  "[ipv6]\nmethod=manual\naddress1=fd08::2/128\ndns=2620:fe::fe;\n"
	  "dns-priority=-50\ndns-search=corp.example;~.;\n" },
	{ EXPORT_NM, test_split,
	  "# /etc/NetworkManager/system-connections/wg0.nmconnection\n"
	  "# It holds keys: chown root:root, chmod 0600\n"
	  "[connection]\nid=wg0\nuuid=76e08177-2d6d-8d4c-b7d0-9d737352ae89\n"
	  "type=wireguard\ninterface-name=wg0\n\n"
	  "[wireguard]\nprivate-key=" K1 "\nlisten-port=51000\nfwmark=81\n\n"
	  "[wireguard-peer." K2 "]\n"
	  "allowed-ips=10.8.0.2/32;192.168.7.0/24;fd07::/64;\n\n"
	  "[wireguard-peer." K3 "]\nendpoint=[2001:db8::1]:1\n\n"
	  "[ipv4]\nmethod=manual\naddress1=10.8.0.1/24\nnever-default=true\n\n"
	  "[ipv6]\nmethod=link-local\nnever-default=true\n" },
	{ EXPORT_UCI, test_client,
	  "# /etc/config/network\n"
	  "# In /etc/config/firewall, `wg0' has to be in the networks of a zone.\n"
	  "config interface 'wg0'\n\toption proto 'wireguard'\n"
	  "\toption private_key '" K1 "'\n\toption mtu '1380'\n"
	  "\tlist addresses '10.8.0.2/32'\n\tlist addresses 'fd08::2/128'\n"
	  "\tlist dns '9.9.9.9'\n\tlist dns '2620:fe::fe'\n"
	  "\tlist dns_search 'corp.example'\n\n"
	  "config wireguard_wg0\n\toption description 'it'\\''s \"home\"'\n"
	  "\toption public_key '" K2 "'\n\toption preshared_key '" K3 "'\n"
	  "\toption endpoint_host 'vpn.example.org'\n"
	  "\toption endpoint_port '51820'\n"
	  "\tlist allowed_ips '0.0.0.0/0'\n\tlist allowed_ips '::/0'\n"
	  "\toption route_allowed_ips '1'\n"
	  "\toption persistent_keepalive '25'\n" },
	{ EXPORT_UCI, test_split,
	  "# /etc/config/network\n"
	  "# In /etc/config/firewall, `wg0' has to be in the networks of a zone.\n"
	  "config interface 'wg0'\n\toption proto 'wireguard'\n"
	  "\toption private_key '" K1 "'\n\toption listen_port '51000'\n"
	  "\toption fwmark '0x51'\n\tlist addresses '10.8.0.1/24'\n\n"
	  "config wireguard_wg0\n\toption public_key '" K2 "'\n"
	  "\tlist allowed_ips '10.8.0.2/32'\n"
	  "\tlist allowed_ips '192.168.7.0/24'\n"
	  "\tlist allowed_ips 'fd07::/64'\n\toption route_allowed_ips '1'\n\n"
	  "config wireguard_wg0\n\toption public_key '" K3 "'\n"
	  "\toption endpoint_host '2001:db8::1'\n\toption endpoint_port '1'\n"
	  "\toption route_allowed_ips '1'\n" },
	{ EXPORT_JSON, test_client,
	  "{\"name\": \"wg0\", \"private_key\": \"" K1 "\", \"listen_port\": 0, "
	  "\"fwmark\": 0, \"mtu\": 1380, "
	  "\"addresses\": [\"10.8.0.2/32\", \"fd08::2/128\"], "
	  "\"dns\": [\"9.9.9.9\", \"2620:fe::fe\"], "
	  "\"dns_search\": [\"corp.example\"], \"table\": \"auto\", "
	  "\"pre_up\": [], \"post_up\": [], \"pre_down\": [], "
	  "\"post_down\": [], \"save_config\": false, "
	  "\"kill_switch\": false, \"peers\": [{\"public_key\": \"" K2 "\", "
	  "\"name\": \"it's \\\"home\\\"\", \"preshared_key\": \"" K3 "\", "
	  "\"endpoint\": \"vpn.example.org:51820\", "
	  "\"allowed_ips\": [\"0.0.0.0/0\", \"::/0\"], "
	  "\"persistent_keepalive\": 25}]}\n" },
};

/* What reading tells is not looked at here. */
static struct quick *test_parse(const char *name, const char *string)
{
	struct text text = { 0 };
	struct quick *quick;
	struct tap_run run;

	tap_run_begin(&run);
	text_put(&text, string);
	if (quick_parse(&run.ctx, name, "x.conf", &text, &quick)) {
		printf("# %s\n", run.ctx.error);
		abort();
	}
	text_free(&text);
	tap_run_end(&run);
	return quick;
}

static int test_export(struct tap_run *run, const char *name, const char *file,
		       enum export_format format, struct text *text)
{
	struct quick *quick = test_parse(name, file);
	int ret;

	run->ctx.error[0] = '\0';
	ret = export_write(&run->ctx, quick, format, text);
	quick_free(quick);
	return ret;
}

static void test_whole(struct tap *tap)
{
	struct text text = { 0 };
	struct tap_run run;
	char name[32];
	size_t i;

	for (i = 0; i < N(test_whole_table); i++) {
		snprintf(name, sizeof(name), "whole text %zu", i);
		tap_run_begin(&run);
		tap_ok(tap, !test_export(&run, "wg0", test_whole_table[i].file,
					 test_whole_table[i].format, &text),
		       "%s is written", name);
		tap_same(tap, text_string(&text), test_whole_table[i].want,
			 name);
		tap_run_text(&run);
		tap_same(tap, run.err, "", "without a warning");
		text_free(&text);
		tap_run_end(&run);
	}
}

#define IF	"[Interface]\nPrivateKey=" K1 "\nAddress=10.8.0.2/32\n"
#define PEER	"[Peer]\nPublicKey=" K2 "\n"
#define ALL	PEER "AllowedIPs=0.0.0.0/0\n"

/* What a file makes of a line, or does not. */
static const struct {
	const char *file;
	enum export_format format;
	const char *has;
	const char *lacks;
	const char *told;
} test_lines[] = {
	{ IF "Table=off\n" ALL, EXPORT_NETWORKD, "AllowedIPs=0.0.0.0/0\n",
	  "[Route", NULL },
	{ IF "Table=off\n" ALL, EXPORT_NETWORKD, "", "FirewallMark", NULL },
	{ IF "Table=77\n" ALL, EXPORT_NETWORKD,
	  "Destination=0.0.0.0/0\nTable=77\n", "[RoutingPolicyRule]", NULL },
	{ IF "FwMark=7\n" ALL, EXPORT_NETWORKD,
	  "Destination=0.0.0.0/0\nTable=7\n", "51820", NULL },
	{ IF "FwMark=7\n" ALL, EXPORT_NETWORKD,
	  "Family=ipv4\nFirewallMark=7\nInvertRule=yes\nTable=7\n", "both",
	  NULL },
	{ IF PEER "AllowedIPs=::/0\n", EXPORT_NETWORKD, "Family=ipv6\n",
	  "Family=ipv4", NULL },
	{ IF "DNS=corp.example\n" ALL, EXPORT_NETWORKD,
	  "Domains=corp.example \n", "~.", NULL },
	{ IF "Table=off\n" ALL, EXPORT_NM,
	  "peer-routes=false\nip4-auto-default-route=0\nip6-auto-default-route=0\n",
	  "route-table", NULL },
	{ IF "Table=off\n" ALL, EXPORT_NM, "never-default=true\n", "fwmark",
	  NULL },
	{ IF "Table=77\n" ALL, EXPORT_NM, "route-table=77\n", "never-default",
	  NULL },
	{ IF ALL, EXPORT_NM, "[ipv6]\nmethod=disabled\n", "link-local", NULL },
	{ IF ALL "AllowedIPs=::/0\n", EXPORT_NM, "[ipv6]\nmethod=link-local\n",
	  "never-default", NULL },
	{ IF "DNS=2620:fe::fe\n" ALL, EXPORT_NM,
	  "[ipv6]\nmethod=link-local\ndns=2620:fe::fe;\n", "disabled", NULL },
	{ IF "Table=off\n" ALL, EXPORT_UCI, "list allowed_ips '0.0.0.0/0'",
	  "route_allowed_ips", NULL },
	{ IF "Table=77\n" ALL, EXPORT_UCI,
	  "option ip4table '77'\n\toption ip6table '77'\n", "fwmark", NULL },
	{ IF "Table=off\nPostUp = echo \"%i\"\n", EXPORT_JSON,
	  "\"table\": \"off\", \"pre_up\": [], \"post_up\": [\"echo \\\"%i\\\"\"]",
	  "\"auto\"", NULL },
	{ IF "Table=77\nSaveConfig=true\n# wgpeer kill-switch = yes\n",
	  EXPORT_JSON, "\"table\": 77,", "false", NULL },
	{ IF "[Peer]\n# Name = M\xfcller\nPublicKey=" K2 "\n", EXPORT_JSON,
	  "\"name\": null", "ller", "not UTF-8" },
	{ IF "[Peer]\n# Name = M\xc3\xbcller\nPublicKey=" K2 "\n", EXPORT_UCI,
	  "description 'M\xc3\xbcller'", "name", NULL },
	{ IF "SaveConfig=true\n", EXPORT_UCI, "", "ave", "SaveConfig" },
	{ IF "# wgpeer role = server\n", EXPORT_JSON, "", "role", "firewall" },
	{ IF "# wgpeer role = server\n", EXPORT_WG_QUICK, "role = server", "wg0",
	  NULL },
	{ "[Interface]\n", EXPORT_NETWORKD, "\n#PrivateKey=\n", "AAAA",
	  "To do: write the private key into the line `#PrivateKey='" },
	{ "[Interface]\n", EXPORT_NM, "\n#private-key=\n", "AAAA",
	  "`#private-key='" },
	{ "[Interface]\n", EXPORT_UCI, "\n#\toption private_key ''\n", "AAAA",
	  "private_key ''" },
	{ "[Interface]\n", EXPORT_JSON, "\"private_key\": null", "AAAA", NULL },
	{ IF PEER "Endpoint=h:domain\n", EXPORT_NETWORKD, "Endpoint=h:53\n",
	  "domain", NULL },
};

static void test_line(struct tap *tap, size_t i)
{
	struct text text = { 0 };
	struct tap_run run;
	bool good;

	tap_run_begin(&run);
	good = !test_export(&run, "wg0", test_lines[i].file,
			    test_lines[i].format, &text);
	tap_run_text(&run);
	good = good && strstr(text_string(&text), test_lines[i].has) &&
	       !strstr(text_string(&text), test_lines[i].lacks);
	if (test_lines[i].told)
		good = good && strstr(run.err, test_lines[i].told);
	else
		good = good && !*run.err;
	tap_ok(tap, good, "line %zu, form %u", i, test_lines[i].format);
	if (!good)
		printf("# %s\n# %s\n# %s\n", run.ctx.error, run.err,
		       text_string(&text));
	text_free(&text);
	tap_run_end(&run);
}

static void test_no_words(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *file;
		const char *error;
		unsigned int forms;	/* bits: those without words for it */
	} table[] = {
		{ IF "PreUp = secret\n", "`PreUp'", 0xe },
		{ IF "PostUp = secret\n", "`PostUp'", 0xe },
		{ IF "PreDown = secret\n", "`PreDown'", 0xe },
		{ IF "PostDown = secret\n", "`PostDown'", 0xe },
		{ IF "# wgpeer kill-switch = yes\n", "kill-switch", 0xe },
		{ IF "# wgpeer kill-switch = no\n", "", 0 },
		{ IF PEER "[Peer]\nPublicKey=" K3 "\n" PEER, "twice", 0x4 },
		{ IF PEER "[Peer]\nPublicKey=" K3 "\n", "", 0 },
		{ "[Interface]\nAddress=fd08::2/64\n" ALL, "`Address'", 0x4 },
		{ "[Interface]\nAddress=fd08::2/64\nTable=off\n" ALL, "", 0 },
		{ "[Interface]\nAddress=fd08::2/64\nDNS=9.9.9.9\n", "`Address'",
		  0x4 },
		{ IF PEER "Endpoint=h:70000\n", "70000", 0x1e },
		{ IF PEER "Endpoint=h:nonesuch\n", "nonesuch", 0x1e },
		{ IF PEER "Endpoint=it's h:1\n", "no host", 0x1e },
		{ IF PEER "Endpoint=h\\n:1\n", "no host", 0x1e },
		{ IF PEER "Endpoint=h\xfc:1\n", "no host", 0x1e },
		{ IF PEER "Endpoint=:1\n", "no host", 0x1e },
		{ IF "PostUp = \xfc\n", "", 0x1e },
		{ IF "PostUp = \xed\xa0\x80\n", "", 0x1e },
		{ IF "PostUp = \xc0\x80\n", "", 0x1e },
		{ IF "PostUp = \xf4\x90\x80\x80\n", "", 0x1e },
		{ IF "PostUp = \xf4\x8f\xbf\xbf\xe2\x82\xac\n", "", 0xe },
	};
	struct text text = { 0 };
	unsigned int format;
	bool refused;
	size_t i;

	for (i = 0; i < N(table); i++) {
		for (format = 0; format <= EXPORT_JSON; format++) {
			refused = test_export(run, "wg0", table[i].file, format,
					      &text) < 0;
			tap_ok(tap, refused == (table[i].forms >> format & 1) &&
			       (!refused ||
				(strstr(run->ctx.error, table[i].error) &&
				 !strstr(run->ctx.error, "secret") &&
				 !text.len)), "no words %zu, form %u: %s", i,
			       format, run->ctx.error);
			text_free(&text);
		}
	}
}

static void test_names(struct tap *tap, struct tap_run *run)
{
	struct text text = { 0 };

	test_export(run, "wg-a=b+c.d", IF PEER, EXPORT_UCI, &text);
	tap_run_text(run);
	tap_ok(tap, strstr(text_string(&text), "interface 'wg_a_b_c_d'") &&
	       strstr(text_string(&text), "config wireguard_wg_a_b_c_d\n") &&
	       strstr(run->err, "its name is `wg_a_b_c_d' there"),
	       "a section's name in UCI");
	text_free(&text);
}

/* Another key or another name is another connection. */
static void test_uuid(struct tap *tap, struct tap_run *run)
{
	static const char *const files[][2] = {
		{ "wg0", IF }, { "wg1", IF },
		{ "wg0", "[Interface]\nPrivateKey=" K2 "\n" },
		{ "wg0", "[Interface]\n[Peer]\nPublicKey=" K3 "\n" },
		{ "wg-with-15-chars", IF },
	};
	char seen[N(files)][37];
	struct text text = { 0 };
	bool same = false;
	size_t i, j;

	for (i = 0; i < N(files); i++) {
		test_export(run, files[i][0], files[i][1], EXPORT_NM, &text);
		snprintf(seen[i], sizeof(seen[i]), "%s",
			 strstr(text_string(&text), "uuid=") + 5);
		tap_ok(tap, strspn(seen[i], "0123456789abcdef-") == 36 &&
		       seen[i][14] == '8' && strchr("89ab", seen[i][19]),
		       "a UUID: %s", seen[i]);
		for (j = 0; j < i; j++)
			same |= !strcmp(seen[i], seen[j]);
		text_free(&text);
	}
	tap_ok(tap, !same, "all differ");
}

static void test_formats(struct tap *tap, struct tap_run *run)
{
	static const char *const words[] = {
		"wg-quick", "networkd", "nm", "uci", "json",
	};
	static const char *const wrong[] = { "", "NM", "n", "wg-quick " };
	enum export_format format;
	size_t i;

	for (i = 0; i < N(words); i++)
		tap_ok(tap, !export_format_parse(&run->ctx, words[i],
						 &format) && format == i,
		       "%s", words[i]);
	for (i = 0; i < N(wrong); i++)
		tap_ok(tap, export_format_parse(&run->ctx, wrong[i], &format) ==
		       -EINVAL && strstr(run->ctx.error, "networkd"),
		       "not `%s'", wrong[i]);
}

#ifdef WGPEER_QR

static size_t test_lines_of(const struct text *text, size_t *width)
{
	const char *c = text_string(text);
	size_t lines = 0, columns = 0;

	for (*width = 0; *c; c++) {
		if (*c == '\n') {
			lines++;
			if (lines > 1 && columns != *width)
				return 0;
			*width = columns;
			columns = 0;
		} else if ((*c & 0xc0) != 0x80) {
			columns++;
		}
	}
	return lines;
}

static void test_qr(struct tap *tap, struct tap_run *run)
{
	struct text text = { 0 };
	size_t width, lines;
	char big[2955];

	/* 17 bytes are what the smallest code holds, 21 modules wide. */
	tap_ok(tap, !export_qr(&run->ctx, "12345678901234567", &text),
	       "a small one");
	lines = test_lines_of(&text, &width);
	tap_ok(tap, width == 21 + 8 && lines == (21 + 8 + 1) / 2,
	       "%zu by %zu", width, lines);
	tap_ok(tap, !strncmp(text_string(&text), "██████", 12),
	       "with a light margin");
	text_free(&text);
	run->ctx.color = true;
	export_qr(&run->ctx, "x", &text);
	tap_ok(tap, strstr(text_string(&text), "\033[38;5;231;48;5;16m█") &&
	       strstr(text_string(&text), "█\033[0m\n"), "in colours");
	run->ctx.color = false;
	text_free(&text);
	memset(big, 'a', sizeof(big));
	big[2953] = '\0';
	tap_ok(tap, !export_qr(&run->ctx, big, &text), "the largest");
	text_free(&text);
	big[2953] = 'a';
	big[2954] = '\0';
	tap_ok(tap, export_qr(&run->ctx, big, &text) == -EFBIG && !text.len,
	       "one larger: %s", run->ctx.error);
	tap_ok(tap, export_qr(&run->ctx, "", &text) == -EFBIG, "nothing");
	text_free(&text);
}

#else

static void test_qr(struct tap *tap, struct tap_run *run)
{
	struct text text = { 0 };

	tap_ok(tap, export_qr(&run->ctx, "x", &text) == -EOPNOTSUPP &&
	       !text.len && strstr(run->ctx.error, "libqrencode"),
	       "none: %s", run->ctx.error);
}

#endif

int main(void)
{
	struct tap tap = { .suite = "export" };
	struct tap_run run;
	size_t i;

	test_whole(&tap);
	for (i = 0; i < N(test_lines); i++)
		test_line(&tap, i);
	tap_run_begin(&run);
	test_no_words(&tap, &run);
	test_names(&tap, &run);
	test_uuid(&tap, &run);
	test_formats(&tap, &run);
	test_qr(&tap, &run);
	tap_run_end(&run);
	return tap_end(&tap);
}
