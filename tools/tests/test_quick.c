// SPDX-License-Identifier: GPL-2.0
/* Files of wg-quick: reading, editing, writing. */
#include <stdlib.h>
#include <string.h>

#include "../base64.h"
#include "../quick.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define K1	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="
#define K2	"KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY="
#define K3	"//////////////////////////////////////////8="

static struct quick *test_parse(struct tap_run *run, const char *string)
{
	struct text text = { 0 };
	struct quick *quick;

	text_put(&text, string);
	run->ctx.error[0] = '\0';
	quick_parse(&run->ctx, "wg0", "x.conf", &text, &quick);
	text_free(&text);
	return quick;
}

/* All that was understood, in one line. */
static void test_digest(const struct quick *quick, char *out)
{
	const struct model_peer *peer;
	char text[CIDR_TEXT];
	size_t i, h;

	for (i = 0; i < quick->addresses.count; i++) {
		cidr_text(text, &quick->addresses.all[i]);
		out += sprintf(out, "A%s ", text);
	}
	for (i = 0; i < quick->dns.count; i++) {
		cidr_addr_text(text, &quick->dns.all[i]);
		out += sprintf(out, "D%s ", text);
	}
	for (i = 0; i < quick->search.count; i++)
		out += sprintf(out, "S%s ", quick->search.all[i]);
	for (h = 0; h < QUICK_HOOKS; h++) {
		for (i = 0; i < quick->hooks[h].count; i++)
			out += sprintf(out, "H%zu<%s> ", h,
				       quick->hooks[h].all[i]);
	}
	if (quick->mtu)
		out += sprintf(out, "M%u ", quick->mtu);
	if (quick->table_mode != QUICK_TABLE_AUTO)
		out += sprintf(out, "T%u:%u ", quick->table_mode, quick->table);
	if (quick->save)
		out += sprintf(out, "save ");
	if (quick->dev->listen_port)
		out += sprintf(out, "P%u ", quick->dev->listen_port);
	for (peer = quick->dev->first; peer; peer = peer->next) {
		const struct model_allowedip *aip;

		out += sprintf(out, "[%s %s",
			       peer->name ? peer->name : "-",
			       peer->host ? peer->host : "-");
		for (aip = peer->first; aip; aip = aip->next) {
			struct cidr cidr = model_allowedip_cidr(aip);

			cidr_text(text, &cidr);
			out += sprintf(out, " %s", text);
		}
		out += sprintf(out, "] ");
	}
	*out = '\0';
}

static void test_read(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		const char *want;	/* a digest, or "!" and a part of the error */
	} files[] = {
		{ "", "" },
		{ "[Interface]\nAddress=10.0.0.1/24,fd00::1/64\naddress = 10.0.1.1\n",
		  "A10.0.0.1/24 Afd00::1/64 A10.0.1.1/32 " },
		{ "\xef\xbb\xbf[Interface]\r\nAddress = 10.0.0.2/32 # mine\r\nMTU = 1420\r\n"
		  "[Peer]\r\nPublicKey = " K1 "\r\nEndpoint = vpn.example.org:51820\r\n"
		  "AllowedIPs = 0.0.0.0/0, ::/0\r\n",
		  "A10.0.0.2/32 M1420 [- vpn.example.org:51820 0.0.0.0/0 ::/0] " },
		{ "[interface]\nDNS = 9.9.9.9, fd00::53,corp.example , lab\nDNS=1.1.1.1\n",
		  "D9.9.9.9 Dfd00::53 D1.1.1.1 Scorp.example Slab " },
		{ "[Interface]\nPostUp = echo a # b = c ; x=1\nPreDown =  y\npreup=p\nPostDown=q\n",
		  "H0<p> H1<echo a # b = c ; x=1> H2<y> H3<q> " },
		{ "[Interface]\nTable = off\nSaveConfig = true\n", "T1:0 save " },
		{ "[Interface]\nTable = 0x10\n", "T2:16 " },
		{ "[Interface]\nTable = main\nSaveConfig = false\n", "T2:254 " },
		{ "[Interface]\nTable = auto\nListenPort = 51820\n", "P51820 " },
		{ "[Interface]\n[Peer]\n# Name = Bob's phone\nPublicKey=" K1 "\n"
		  "[Peer]\n#friendly_name=b\nPublicKey=" K2 "\n# Name = not this\n",
		  "[Bob's phone -] [b -] " },
		{ "[Interface]\n\n# Name = above\n[Peer]\nPublicKey=" K1 "\n# Name = next\n[Peer]\n"
		  "PublicKey = " K2 "\nEndpoint = [::1]:5\n",
		  "[above -] [next [::1]:5] " },
		{ "[Peer] # first\nPublicKey=" K1 "\n[Interface]\nMTU=1280\n", "M1280 [- -] " },
		{ "[Interface]\nAddress = 10.0.0.1/33\n", "!x.conf:2: Address: `10.0.0.1/33'" },
		{ "[Interface]\n\nMTU = 575\n", "!x.conf:3: MTU: `575'" },
		{ "[Interface]\nMTU = 1420x\n", "!x.conf:2: MTU" },
		{ "[Interface]\nTable = 0\n", "!x.conf:2: Table: `0'" },
		{ "[Interface]\nTable = 4294967296\n", "!x.conf:2: Table" },
		{ "[Interface]\nTable = fast\n", "!x.conf:2: Table: `fast'" },
		{ "[Interface]\nSaveConfig = yes\n", "!x.conf:2: SaveConfig: `yes'" },
		{ "[Interface]\nDNS = -x\n", "!x.conf:2: DNS: `-x'" },
		{ "[Interface]\nDNS = a b\n", "!x.conf:2: DNS: `a b'" },
		{ "[Interface]\nDNS = 1.1.1.1,,2.2.2.2\n", "!x.conf:2: DNS: `'" },
		{ "[Interface]\nAddress =\n", "!x.conf:2: `Address' has no value" },
		{ "[Interface]\nFrob = 1\n", "!x.conf:2: Line unrecognized: `Frob'" },
		{ "[Interface]\n[Peer]\nPublicKey = " K1 "\nAddress = 10.0.0.1\n",
		  "!x.conf:4: Line unrecognized: `Address'" },
		{ "[Interface]\n[Peer]\nPublicKey = " K1 "\nEndpoint = host\n", "!x.conf:4: " },
		{ "[Interface]\n[Peer]\nMTU = 5\n", "!x.conf:3: Line unrecognized" },
		{ "[Interface]\n[Peer]\nAllowedIPs = 10.0.0.0/8\n", "!x.conf:2: A peer is missing a public key" },
		{ "[Interface]\nPrivateKey = short\n", "!x.conf:2: PrivateKey" },
	};
	char digest[2000];
	size_t i;

	for (i = 0; i < N(files); i++) {
		struct quick *quick = test_parse(run, files[i].text);
		struct text text = { 0 };

		if (*files[i].want == '!') {
			tap_ok(tap, !quick && strstr(run->ctx.error,
						     files[i].want + 1),
			       "refuses file %zu: %s", i, run->ctx.error);
			quick_free(quick);
			continue;
		}
		if (!tap_ok(tap, quick, "takes file %zu: %s", i,
			    run->ctx.error))
			continue;
		test_digest(quick, digest);
		tap_same(tap, digest, files[i].want, "understood");
		quick_write(quick, &text);
		tap_same(tap, text_string(&text), *files[i].text ?
			 files[i].text : "[Interface]\n", "byte for byte");
		text_free(&text);
		quick_free(quick);
	}
}

#define BASE	"# preamble\n[Interface]\nPrivateKey = " K3 " # keep\n\n" \
		"# about bob\n[Peer]\n# Name = bob\nPublicKey = " K1 "\n" \
		"AllowedIPs = 10.0.0.2/32\n\n[Peer]\n# Name = eve\n" \
		"PublicKey = " K2 "\n"

static void test_set(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *file;
		size_t section;
		const char *key;
		const char *value;
		const char *want;	/* NULL: refused */
	} edits[] = {
		{ "", 0, "ListenPort", "5", "[Interface]\nListenPort = 5\n" },
		{ "[Peer]\nPublicKey = " K1 "\n", 0, "MTU", "1400",
		  "[Interface]\nMTU = 1400\n[Peer]\nPublicKey = " K1 "\n" },
		{ "[Interface]\nmtu=1\n", 0, "MTU", "1400", NULL },
		{ "[Interface]\nmtu=1300 # x\n", 0, "MTU", "1400",
		  "[Interface]\nMTU = 1400\n" },
		{ "[Interface]\nMTU=1300\n# c\nMTU=1310\n\n", 0, "MTU", NULL,
		  "[Interface]\n# c\n\n" },
		{ "[Interface]\nAddress=10.0.0.1\nMTU=1300\nAddress=10.0.0.2\n",
		  0, "Address", "10.0.0.3/8",
		  "[Interface]\nAddress = 10.0.0.3/8\nMTU=1300\n" },
		{ "[Interface]\nMTU=1300\n\n\n[Peer]\nPublicKey=" K1 "\n\n", 0,
		  "# wgpeer role", "server",
		  "[Interface]\nMTU=1300\n# wgpeer role = server\n\n\n[Peer]\nPublicKey=" K1 "\n\n" },
		{ "[Interface]\n#wgpeer  role=site\n", 0, "# wgpeer role", "server",
		  "[Interface]\n# wgpeer role = server\n" },
		{ "[Interface]\n[Peer]\nPublicKey=" K1 "\n\n[Peer]\nPublicKey=" K2 "\n", 1,
		  "# Name", "al",
		  "[Interface]\n[Peer]\nPublicKey=" K1 "\n# Name = al\n\n[Peer]\nPublicKey=" K2 "\n" },
		{ "[Interface]\n[Peer]\nPublicKey=" K1 "\n", 1, "PublicKey", NULL, NULL },
		{ "[Interface]\n", 0, "MTU", "1400\nPostUp = id", NULL },
		{ "[Interface]\n", 0, "# wgpeer role", "a\r", NULL },
		{ "[Interface]\n", 0, "Address", "nonsense", NULL },
	};
	size_t i;

	for (i = 0; i < N(edits); i++) {
		struct quick *quick = test_parse(run, edits[i].file);
		struct text text = { 0 };
		int ret;

		/* What cannot be read cannot be edited. */
		if (!quick) {
			tap_ok(tap, !edits[i].want, "no file %zu", i);
			continue;
		}
		ret = quick_set(&run->ctx, quick, edits[i].section,
				edits[i].key, edits[i].value);
		quick_write(quick, &text);
		if (edits[i].want)
			tap_same(tap, text_string(&text), edits[i].want,
				 edits[i].key);
		else
			tap_ok(tap, ret < 0 && !strcmp(text_string(&text),
						       edits[i].file),
			       "refuses: %s", run->ctx.error);
		text_free(&text);
		quick_free(quick);
	}
}

static void test_peers(struct tap *tap, struct tap_run *run)
{
	struct quick *quick = test_parse(run, BASE);
	struct text text = { 0 };
	uint8_t key[WG_KEY_LEN];

	base64_decode_key(key, K2);
	tap_ok(tap, quick_peers(quick) == 2 &&
	       quick_find_name(quick, "eve") == 2 &&
	       quick_find_key(quick, key) == 2 &&
	       !quick_find_name(quick, "mallory"), "finds peers");
	base64_decode_key(key, K3);
	tap_ok(tap, !quick_add_peer(&run->ctx, quick, "joe", key) &&
	       quick_peers(quick) == 3 && quick_find_name(quick, "joe") == 3,
	       "adds");
	tap_ok(tap, quick_add_peer(&run->ctx, quick, "a\nb", key) < 0 &&
	       quick_peers(quick) == 3, "refuses: %s", run->ctx.error);
	tap_ok(tap, !quick_set(&run->ctx, quick, 3, "# wgpeer exit", "yes") &&
	       quick_setting(quick, 3, "exit") &&
	       !quick_setting(quick, 2, "exit"), "a peer's setting");
	tap_ok(tap, !quick_remove_peer(&run->ctx, quick, 3), "removes");
	quick_write(quick, &text);
	tap_same(tap, text_string(&text), BASE, "as before");
	text_free(&text);
	quick_remove_peer(&run->ctx, quick, 1);
	quick_write(quick, &text);
	tap_same(tap, text_string(&text),
		 "# preamble\n[Interface]\nPrivateKey = " K3 " # keep\n"
		 "\n[Peer]\n# Name = eve\nPublicKey = " K2 "\n", "the rest");
	text_free(&text);
	quick_free(quick);
}

static void test_strip(struct tap *tap, struct tap_run *run)
{
	struct quick *quick = test_parse(run,
		"[Interface]\nAddress = 10.0.0.1\n# wgpeer role = server\n"
		"ListenPort = 5\nPostUp = x\n[Peer]\nPublicKey = " K1 "\n"
		"Endpoint = example.org:5\n");
	struct text text = { 0 };

	quick_strip(quick, &text);
	tap_same(tap, text_string(&text), "[Interface]\nListenPort = 5\n[Peer]\n"
		 "PublicKey = " K1 "\nEndpoint = example.org:5\n", "strip");
	text_free(&text);
	quick_free(quick);
}

static void test_names(struct tap *tap, struct tap_run *run)
{
	static const char *const wrong[] = {
		"", "-a", ".a", "a b", "a/b", "a=b", "a#b", "\xc3\xa4",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	size_t i;

	tap_ok(tap, !quick_check_name(&run->ctx, "n", "9a_-.@Z"), "a name");
	for (i = 0; i < N(wrong); i++)
		tap_ok(tap, quick_check_name(&run->ctx, "n", wrong[i]) < 0,
		       "no name: %s", run->ctx.error);
}

int main(void)
{
	struct tap tap = { .suite = "quick" };
	struct tap_run run;

	tap_run_begin(&run);
	test_read(&tap, &run);
	test_set(&tap, &run);
	test_peers(&tap, &run);
	test_strip(&tap, &run);
	test_names(&tap, &run);
	tap_run_end(&run);
	return tap_end(&tap);
}
