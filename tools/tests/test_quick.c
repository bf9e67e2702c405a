// SPDX-License-Identifier: GPL-2.0
/* Files of wg-quick: what is understood, what is refused, what wg gets. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base64.h"
#include "../file.h"
#include "../quick.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define K1	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="
#define K2	"KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY="
#define K3	"//////////////////////////////////////////8="
#define NAME63	"a23456789b123456789c123456789d123456789e123456789f123456789g123"
#define I	"[Interface]\n"
#define P1	"[Peer]\nPublicKey = " K1 "\n"
#define P2	"[Peer]\nPublicKey = " K2 "\n"

static struct quick *test_parse(struct tap_run *run, const char *string,
				size_t len)
{
	struct text text = { 0 };
	struct quick *quick;

	text_add(&text, string, len);
	run->ctx.error[0] = '\0';
	quick_parse(&run->ctx, "wg0", "x.conf", &text, &quick);
	text_free(&text);
	return quick;
}

static void test_digest_words(struct text *out, const char *mark,
			      const struct quick_words *words)
{
	size_t i;

	for (i = 0; i < words->count; i++)
		text_printf(out, "%s<%s> ", mark, words->all[i]);
}

static void test_digest_nets(struct text *out, const char *mark,
			     const struct cidr_list *list)
{
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < list->count; i++) {
		cidr_text(text, &list->all[i]);
		text_printf(out, "%s%s ", mark, text);
	}
}

static void test_digest_peer(struct text *out, const struct model_peer *peer)
{
	const struct model_allowedip *aip;
	char text[CIDR_TEXT];

	text_printf(out, "[%.2s %s %s", peer->public_key[0] == 0xff ? "K3" :
		    peer->public_key[0] == 0xb8 ? "K1" : "K2",
		    peer->name ? peer->name : "-",
		    peer->host ? peer->host : "-");
	for (aip = peer->first; aip; aip = aip->next) {
		struct cidr cidr = model_allowedip_cidr(aip);

		cidr_text(text, &cidr);
		text_printf(out, " %s", text);
	}
	text_printf(out, "%s%s] ", key_is_zero(peer->preshared_key) ? "" :
		    " psk", peer->has & MODEL_PEER_ENDPOINT ? " RESOLVED" : "");
}

/* All that was understood, in one line. */
static void test_digest(const struct quick *quick, struct text *out)
{
	static const char *const hooks[] = {
		"PreUp", "PostUp", "PreDown", "PostDown",
	};
	const struct model_peer *peer;
	size_t i;

	test_digest_nets(out, "A", &quick->addresses);
	test_digest_nets(out, "D", &quick->dns);
	test_digest_words(out, "S", &quick->search);
	for (i = 0; i < QUICK_HOOKS; i++)
		test_digest_words(out, hooks[i], &quick->hooks[i]);
	if (quick->mtu)
		text_printf(out, "M%u ", quick->mtu);
	if (quick->table_mode == QUICK_TABLE_OFF)
		text_put(out, "Toff ");
	if (quick->table_mode == QUICK_TABLE_ID)
		text_printf(out, "T%u ", quick->table);
	if (quick->save)
		text_put(out, "save ");
	if (quick->dev->listen_port)
		text_printf(out, "P%u ", quick->dev->listen_port);
	if (quick->dev->fwmark)
		text_printf(out, "F%u ", quick->dev->fwmark);
	if (!key_is_zero(quick->dev->private_key))
		text_put(out, "key ");
	for (peer = quick->dev->first; peer; peer = peer->next)
		test_digest_peer(out, peer);
}

static void test_read(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		const char *want;
	} files[] = {
		{ "", "" },
		{ "\n \n", "" },
		{ "[Interface]", "" },
		/* Addresses: lists, repeated, host bits, no length. */
		{ I "Address=10.0.0.1/24,fd00::1/64\naDDress = 10.0.1.1\n",
		  "A10.0.0.1/24 Afd00::1/64 A10.0.1.1/32 " },
		{ I "Address = 10.0.0.1/24 fd00::1,\t,10.0.0.2 # two\n",
		  "A10.0.0.1/24 Afd00::1/128 A10.0.0.2/32 " },
		/* Servers and domains. */
		{ I "DNS = 9.9.9.9, fd00::53,corp.example , lab\nDNS=1.1.1.1\n",
		  "D9.9.9.9/32 Dfd00::53/128 D1.1.1.1/32 S<corp.example> S<lab> " },
		{ I "DNS = ~. , 3com.example\n", "S<~.> S<3com.example> " },
		/* Lines for a shell. */
		{ I "PostUp = echo a # b = c ; x=1\nPreDown =  y  z\t\npreup=p\n"
		  "POSTDOWN=q\nPostUp=\ttwo\n",
		  "PreUp<p> PostUp<echo a # b = c ; x=1> PostUp<two> PreDown<y  z> PostDown<q> " },
		/* What wg-quick takes and generators write. */
		{ I "PreUp = \nPostUp =\nAddress =\nDNS = # none\nMTU=\nTable=\n"
		  "SaveConfig=\nDNS = ,\n", "" },
		{ I "MTU = 576\nSaveConfig = TRUE\n", "M576 save " },
		{ I "MTU = 65535\nSaveConfig = false\n", "M65535 " },
		{ I "Table = off\n", "Toff " },
		{ I "Table = 0x10\n", "T16 " },
		{ I "Table = 4294967295\n", "T4294967295 " },
		{ I "Table = main\n", "T254 " },
		{ I "Table = default\n", "T253 " },
		{ I "Table = LOCAL\n", "T255 " },
		{ I "Table = 7\nTable = auto\nListenPort = 51820\nFwMark=0x5\n",
		  "P51820 F5 " },
		/* A byte order mark, CRLF, no newline at the end. */
		{ "\xef\xbb\xbf[Interface]\r\nAddress = 10.0.0.2/32 # mine\r\n"
		  "PrivateKey = " K3 "\r\nPostUp = a\r\nMTU = 1420\r\n\r\n"
		  "[Peer]\r\nPublicKey = " K1 "\r\n# Name = x\r\n"
		  "Endpoint = vpn.example.org:51820\r\n"
		  "AllowedIPs = 0.0.0.0/0, ::/0",
		  "A10.0.0.2/32 PostUp<a> M1420 key "
		  "[K1 x vpn.example.org:51820 0.0.0.0/0 ::/0] " },
		/* White space anywhere, as wg takes it. */
		{ " [ Inter face ]\v\n\tM T U = 1400\n[Peer]\f # c\n"
		  "Public Key = " K1 "\n End point = vpn . example : 5 # c\n"
		  "[ p e e r ]\nPublicKey=" K2 "\n",
		  "M1400 [K1 - vpn.example:5] [K2 - -] " },
		/* Sections in any order, again and again. */
		{ P1 I "MTU=1280\n[PEER]\nPublicKey=" K2 "\npresharedkey = " K3 "\n"
		  I "Address = 10.0.0.1\n",
		  "A10.0.0.1/32 M1280 [K1 - -] [K2 - - psk] " },
		/* Endpoints are only looked at. */
		{ P1 "Endpoint = [fe80::1%eth0]:5\n", "[K1 - [fe80::1%eth0]:5] " },
		{ P1 "Endpoint = a:1\nEndpoint = b:http\n", "[K1 - b:http] " },
		{ P1 "Endpoint = \xc3\xa4.example:1\n", "[K1 - \xc3\xa4.example:1] " },
	};
	size_t i;

	for (i = 0; i < N(files); i++) {
		struct quick *quick = test_parse(run, files[i].text,
						 strlen(files[i].text));
		struct text text = { 0 };

		if (!tap_ok(tap, quick, "takes file %zu %s", i,
			    run->ctx.error))
			continue;
		test_digest(quick, &text);
		tap_same(tap, text_string(&text), files[i].want, "understood");
		text_free(&text);
		quick_write(quick, &text);
		tap_same(tap, text_string(&text), *files[i].text ?
			 files[i].text : I, "byte for byte");
		text_free(&text);
		quick_free(quick);
	}
}

/* Who has which name. */
static void test_names(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		const char *want;
	} files[] = {
		{ I "[Peer]\n# Name = Bob's phone\nPublicKey=" K1 "\n", "Bob's phone" },
		{ I "[Peer]\n#nAmE=\xc3\xa4\nPublicKey=" K1 "\n", "\xc3\xa4" },
		{ I P1 "  #  friendly_name =  a b  \n", "a b" },
		{ I P1 "# Name = a\n# Name = b\n", "a" },
		{ I P1 "# Names = a\n# The Name = a\n## Name = b\n# Name\n# Name =\n", "-" },
		{ I P1 "# Name = a\x1b[1m\n", "-" },
		{ I P1 "# Name = " NAME63 "\n", NAME63 },
		{ I P1 "# Name = " NAME63 "x\n", "-" },
		{ I "# Name = x\n\n" P1, "-" },
		/* Above the section: in the file, in [Interface], cut off. */
		{ "# Name = a\n" P1, "a" },
		{ I "# Name = a\n" P1, "a" },
		{ I "MTU=1400\n\n# Name = a\n# more\n" P1, "a" },
		{ P1 "\n# Name = b\n" P2, "- b" },
		{ P1 "\r\n# c\r\n# Name = b\r\n" P2, "- b" },
		{ "# Name = a\n" P1 "\n# Name = b\n" P2, "a b" },
		{ "# Name = a\n" P1 "# Name = b\n" P2, "a b" },
		{ P1 "# Name = a\n\n# Name = b\n" P2, "a b" },
		{ P1 "# Name = a\n# c\n# Name = b\n# d\n" P2, "a -" },
		/* Not above: at the end of its section. */
		{ P1 "# Name = a\n" P2 "# Name = b\n", "a b" },
		{ P1 "# Name = a\n\n" P2 "# Name = b\n", "a b" },
		{ P1 "\n# Name = a\n\n" P2, "a -" },
		{ P1 "\n# Name = a\n# wgpeer exit = yes\n" P2, "a -" },
		{ P1 "# Name = a\n" I P2, "a -" },
		{ P1 "\n# Name = a\n" I P2, "- -" },
		{ "[Peer]\n# Name = a\nPublicKey=" K1 "\n# Name = b\n" P2, "a b" },
	};
	size_t i;

	for (i = 0; i < N(files); i++) {
		struct quick *quick = test_parse(run, files[i].text,
						 strlen(files[i].text));
		const struct model_peer *peer;
		struct text text = { 0 };

		for (peer = quick->dev->first; peer; peer = peer->next)
			text_printf(&text, "%s%s", peer->name ? peer->name :
				    "-", peer->next ? " " : "");
		if (!tap_same(tap, text_string(&text), files[i].want, "names"))
			printf("# of file %zu\n", i);
		text_free(&text);
		quick_free(quick);
	}
}

static void test_refuse(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		const char *want;
	} files[] = {
		{ I "Address = 10.0.0.1/33\n", "x.conf:2: Address: `10.0.0.1/33'" },
		{ I "Address = 10.0.0.1/24,vpn\n", "x.conf:2: Address: `vpn'" },
		{ I "Address\n", "x.conf:2: `Address' has no value" },
		{ I "\nMTU = 575\n", "x.conf:3: MTU: `575'" },
		{ I "MTU = 65536\n", "x.conf:2: MTU: `65536'" },
		{ I "MTU = 0\n", "x.conf:2: MTU: `0'" },
		{ I "MTU = 1420x\n", "x.conf:2: MTU" },
		{ I "Table = 0\n", "x.conf:2: Table: `0'" },
		{ I "Table = 0x0\n", "x.conf:2: Table: `0x0'" },
		{ I "Table = 010\n", "x.conf:2: Table: `010'" },
		{ I "Table = -1\n", "x.conf:2: Table: `-1'" },
		{ I "Table = 4294967296\n", "x.conf:2: Table" },
		{ I "Table = 0x100000000\n", "x.conf:2: Table" },
		{ I "Table = 5 6\n", "x.conf:2: Table: `5 6'" },
		{ I "Table = fast\n", "x.conf:2: Table: `fast'" },
		{ I "SaveConfig = yes\n", "x.conf:2: SaveConfig: `yes'" },
		{ I "DNS = -x\n", "x.conf:2: DNS: `-x'" },
		{ I "DNS = 9.9.9.256\n", "x.conf:2: DNS: `9.9.9.256'" },
		{ I "DNS = 9.9.9.9/24\n", "x.conf:2: DNS: `9.9.9.9/24'" },
		{ I "DNS = a;b\n", "x.conf:2: DNS: `a;b'" },
		{ I "DNS = $(id)\n", "x.conf:2: DNS: `$(id)'" },
		{ I "PostUp # = a\n", "x.conf:2: Line unrecognized: `PostUp'" },
		{ I "Frob = 1\n", "x.conf:2: Line unrecognized: `Frob'" },
		{ I "[Frob]\n", "x.conf:2: Line unrecognized: `[Frob]'" },
		{ I "[Peer] x\n", "x.conf:2: Line unrecognized: `[Peer]x'" },
		{ I "[Peer] = x\n", "x.conf:2: Line unrecognized: `[Peer]=x'" },
		{ "MTU = 1400\n" I, "x.conf:1: Line unrecognized: `MTU'" },
		{ "Endpoint = a:1\n", "x.conf:1: Line unrecognized: `Endpoint'" },
		{ I "Endpoint = a:1\n", "x.conf:2: Line unrecognized: `Endpoint'" },
		{ I P1 "Address = 10.0.0.1\n", "x.conf:4: Line unrecognized: `Address'" },
		{ I P1 "PostUp = x\n", "x.conf:4: Line unrecognized: `PostUp'" },
		{ I "[Peer]\nMTU = 5\n", "x.conf:3: Line unrecognized" },
		{ I P1 "Endpoint = host\n", "x.conf:4: endpoint: " },
		{ I P1 "Endpoint =\n", "x.conf:4: `Endpoint' has no value" },
		{ I P1 "Endpoint = :5\n", "x.conf:4: Endpoint: `:5'" },
		{ I P1 "Endpoint = a:65536\n", "x.conf:4: Endpoint: `a:65536'" },
		{ I P1 "Endpoint = a';:5\n", "x.conf:4: Endpoint: `a';:5'" },
		{ I "[Peer]\nAllowedIPs = 10.0.0.0/8\n", "x.conf:2: A peer is missing a public key" },
		{ I "PrivateKey = short\n", "x.conf:2: PrivateKey" },
		{ I "PostUp = a\n# c\nPrivateKey = " K1 "x\n", "x.conf:4: PrivateKey" },
		{ I K1 "\n", "x.conf:2: Line unrecognized" },
		{ I P1 "PresharedKey = " K1 K1 "\n", "x.conf:4: PresharedKey" },
	};
	struct quick *quick;
	size_t i;

	for (i = 0; i < N(files); i++) {
		quick = test_parse(run, files[i].text, strlen(files[i].text));
		tap_ok(tap, !quick && !strncmp(run->ctx.error, files[i].want,
					       strlen(files[i].want)) &&
		       !strstr(run->ctx.error, "uMO02/85") &&
		       !strchr(run->ctx.error, '\n'),
		       "refuses: %s", run->ctx.error);
		quick_free(quick);
	}
	quick = test_parse(run, I "\0MTU = 1400\n", sizeof(I "\0MTU = 1400\n"));
	tap_ok(tap, !quick && strstr(run->ctx.error, "x.conf:2: line has a NUL"),
	       "refuses: %s", run->ctx.error);
	quick_free(quick);
}

static void test_find(struct tap *tap, struct tap_run *run)
{
	static const char file[] =
		"# wgpeer role = server\n" I "#wgpeer\tshare=10.0.0.0/8, fd00::/8\n"
		"# wgpeer bad\n# wgpeerx = y\n# wgpeer tab = a\tb\n" P1
		"# Name = bob\n# WGPEER Exit = yes # no\n# wgpeer exit = no\n\n"
		"# wgpeer late = 1\n" P2 "# Name = eve\n";
	struct quick *quick = test_parse(run, file, strlen(file));
	static const struct {
		size_t section;
		const char *key;
		const char *want;
	} settings[] = {
		{ 0, "role", "server" },
		{ 0, "share", "10.0.0.0/8, fd00::/8" },
		{ 0, "bad", NULL },
		{ 0, "x", NULL },
		{ 0, "tab", NULL },
		{ 0, "exit", NULL },
		{ 1, "exit", "yes # no" },
		{ 1, "late", "1" },
		{ 2, "late", NULL },
		{ 2, "exit", NULL },
		{ 3, "exit", NULL },
	};
	uint8_t key[WG_KEY_LEN];
	size_t i;

	for (i = 0; i < N(settings); i++) {
		const char *got = quick_setting(quick, settings[i].section,
						settings[i].key);

		tap_same(tap, got ? got : "(none)", settings[i].want ?
			 settings[i].want : "(none)", settings[i].key);
	}
	base64_decode_key(key, K2);
	tap_ok(tap, quick_peers(quick) == 2 && quick_peer(quick, 2) &&
	       !memcmp(quick_peer(quick, 2)->public_key, key, WG_KEY_LEN) &&
	       !quick_peer(quick, 0) && !quick_peer(quick, 3), "by section");
	tap_ok(tap, quick_find_key(quick, key) == 2 &&
	       quick_find_name(quick, "bob") == 1 &&
	       quick_find_name(quick, "eve") == 2 &&
	       !quick_find_name(quick, "Eve"), "by key and name");
	base64_decode_key(key, K3);
	tap_ok(tap, !quick_find_key(quick, key), "no such key");
	quick_free(quick);
}

static void test_strip(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		const char *want;
	} files[] = {
		{ "# c\n[Interface]\nAddress = 10.0.0.1\nDNS=1.1.1.1\nMTU=1400\n"
		  "Table=off\nSaveConfig=true\nPreUp=a\nPostUp = x\nPreDown=b\nPostDown=c\n"
		  "# wgpeer role = server\nListenPort = 5 # p\n\n" P1 "# Name = bob\n"
		  "# wgpeer private-key = " K3 "\nEndpoint = example.org:5\n",
		  "# c\n[Interface]\nListenPort = 5 # p\n\n" P1 "# Name = bob\n"
		  "Endpoint = example.org:5\n" },
		{ "\xef\xbb\xbf[Interface]\r\nMTU=1400\r\nListenPort = 5",
		  "[Interface]\r\nListenPort = 5\n" },
		{ I "MTU=1400", I },
	};
	size_t i;

	for (i = 0; i < N(files); i++) {
		struct quick *quick = test_parse(run, files[i].text,
						 strlen(files[i].text));
		struct text text = { 0 };

		quick_strip(quick, &text);
		tap_same(tap, text_string(&text), files[i].want, "strip");
		text_free(&text);
		quick_free(quick);
	}
}

static void put_file(struct tap_run *run, const char *path, const char *what)
{
	struct text text = { 0 };

	text_put(&text, what);
	file_write(&run->ctx, path, 0600, &text);
	text_free(&text);
}

/* Whether a file that was read is still the same. */
static void test_changed(struct tap *tap)
{
	static const char *const files[] = {
		"", "[Interface]\n", "\xef\xbb\xbf[Interface]\r\nMTU = 1400",
		"# x\n[Interface]\n\n[Peer]\nPublicKey = " K1 "\n",
	};
	char dir[] = "/tmp/wgpeer-test-XXXXXX", path[64];
	struct quick *quick;
	struct tap_run run;
	size_t i;

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/wg0.conf", dir);
	tap_run_begin(&run);
	for (i = 0; i < N(files); i++) {
		put_file(&run, path, files[i]);
		if (quick_read(&run.ctx, "wg0", path, &quick))
			abort();
		tap_ok(tap, !quick_changed(&run.ctx, quick), "same %zu", i);
		put_file(&run, path, files[i]);
		tap_ok(tap, !quick_changed(&run.ctx, quick), "anew %zu", i);
		put_file(&run, path, "[Interface]\nMTU = 1401\n");
		tap_ok(tap, quick_changed(&run.ctx, quick), "other %zu", i);
		put_file(&run, path, "[Interfaces]\n");
		tap_ok(tap, quick_changed(&run.ctx, quick), "broken %zu", i);
		unlink(path);
		tap_ok(tap, quick_changed(&run.ctx, quick), "gone %zu", i);
		quick_free(quick);
	}
	tap_run_end(&run);
	rmdir(dir);
}

int main(void)
{
	struct tap tap = { .suite = "quick" };
	struct tap_run run;

	tap_run_begin(&run);
	test_read(&tap, &run);
	test_names(&tap, &run);
	test_refuse(&tap, &run);
	test_find(&tap, &run);
	test_strip(&tap, &run);
	test_changed(&tap);
	tap_run_end(&run);
	return tap_end(&tap);
}
