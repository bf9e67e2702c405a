// SPDX-License-Identifier: GPL-2.0
/* Files of wg-quick: edits, and how they are kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base64.h"
#include "../file.h"
#include "../quick.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define K1	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="
#define K2	"KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY="
#define K3	"//////////////////////////////////////////8="
#define NAME64	"a234567890b234567890c234567890d234567890e234567890f234567890g234"
#define I	"[Interface]\n"
#define P1	"[Peer]\nPublicKey = " K1 "\n"
#define P2	"[Peer]\nPublicKey = " K2 "\n"
#define P3	"[Peer]\nPublicKey = " K3 "\n"

static struct quick *test_parse(struct tap_run *run, const char *string)
{
	struct text text = { 0 };
	struct quick *quick;

	text_put(&text, string);
	if (quick_parse(&run->ctx, "wg0", "x.conf", &text, &quick))
		printf("# %s\n", run->ctx.error);
	text_free(&text);
	return quick;
}

/* Whether the file is @want now; if that is NULL, the edit must have failed
 * and left @file.
 */
static void test_result(struct tap *tap, struct tap_run *run,
			struct quick *quick, int ret, const char *file,
			const char *want, const char *name)
{
	struct text text = { 0 };

	quick_write(quick, &text);
	if (!want)
		tap_ok(tap, ret < 0 && *run->ctx.error &&
		       !strchr(run->ctx.error, '\n'), "refuses: %s",
		       run->ctx.error);
	else if (!tap_ok(tap, !ret, "%s", name))
		printf("# %s\n", run->ctx.error);
	tap_same(tap, text_string(&text), want ? want : file, "the file");
	text_free(&text);
	quick_free(quick);
}

struct test_edit {
	const char *file;
	size_t section;
	const char *key;
	const char *value;
	const char *want;	/* NULL: refused */
};

static void test_set(struct tap *tap, struct tap_run *run,
		     const struct test_edit *edits, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct test_edit *edit = &edits[i];
		struct quick *quick = test_parse(run, edit->file);
		int ret;

		run->ctx.error[0] = '\0';
		ret = quick_set(&run->ctx, quick, edit->section, edit->key,
				edit->value);
		test_result(tap, run, quick, ret, edit->file, edit->want,
			    edit->key);
	}
}

static const struct test_edit test_lines[] = {
	/* New lines. */
	{ "", 0, "ListenPort", "5", I "ListenPort = 5\n" },
	{ I "MTU=1300\n\n\n" P1 "\n", 0, "# wgpeer role", "server",
	  I "MTU=1300\n# wgpeer role = server\n\n\n" P1 "\n" },
	{ I P1 "\n" P2, 1, "# Name", "al", I P1 "# Name = al\n\n" P2 },
	{ I P1 P2, 1, "# Name", "al", I P1 "# Name = al\n" P2 },
	{ P1 "# c\n" P2, 1, "# Name", "al", P1 "# c\n# Name = al\n" P2 },
	{ P1 "\n# c\n" P2, 1, "# Name", "al", P1 "# Name = al\n\n# c\n" P2 },
	{ I P1 "\n# Name = x\n" P2, 1, "Endpoint", "a:5",
	  I P1 "Endpoint = a:5\n\n# Name = x\n" P2 },
	{ I P1 "\n\n", 1, "AllowedIPs", "10.0.0.2/32, fd00::2/128",
	  I P1 "AllowedIPs = 10.0.0.2/32, fd00::2/128\n\n\n" },
	{ I P1 I "# second\n" P2, 0, "MTU", "1400",
	  I P1 I "# second\nMTU = 1400\n" P2 },
	{ I, 0, "PostUp", "a # b\t=c", I "PostUp = a # b\t=c\n" },
	/* No [Interface] yet. */
	{ P1, 0, "MTU", "1400", I "MTU = 1400\n\n" P1 },
	{ "# pre\n\n" P1, 0, "MTU", "1400", "# pre\n" I "MTU = 1400\n\n" P1 },
	{ "\xef\xbb\xbf" P1, 0, "MTU", "1400", I "MTU = 1400\n\n" P1 },
	{ "# pre", 0, "MTU", "1400", "# pre\n" I "MTU = 1400\n" },
	{ "# wgpeer role = site\n", 0, "# wgpeer role", "x", "# wgpeer role = x\n" },
	/* In place. */
	{ I "mtu=1300 # x\nListenPort=1\n", 0, "MTU", "1400",
	  I "MTU = 1400\nListenPort=1\n" },
	{ I "Address=10.0.0.1\nMTU=1300\nAddress=10.0.0.2\n", 0, "Address",
	  "10.0.0.3/8", I "Address = 10.0.0.3/8\nMTU=1300\n" },
	{ I "#wgpeer  Role=site\n# wgpeer roles = x\n", 0, "# wgpeer role",
	  "server", I "# wgpeer role = server\n# wgpeer roles = x\n" },
	{ I "# wgpeer dns = auto\n", 0, "DNS", "9.9.9.9",
	  I "# wgpeer dns = auto\nDNS = 9.9.9.9\n" },
	{ I "DNS=9.9.9.9\n", 0, "# wgpeer dns", "auto",
	  I "DNS=9.9.9.9\n# wgpeer dns = auto\n" },
	{ P1 "#friendly_name=x\n# c\n# Name=y\n", 1, "# Name", "z",
	  P1 "# Name = z\n# c\n" },
	{ "# Name = a\n" P1 "# Name = b\n" P2, 2, "# Name", "z",
	  "# Name = a\n" P1 "# Name = z\n" P2 },
	{ P1 "Endpoint = a:1\n" P2 "Endpoint = b:1\n", 2, "Endpoint", "c:1",
	  P1 "Endpoint = a:1\n" P2 "Endpoint = c:1\n" },
	/* Taken away. */
	{ I "MTU=1300\n# c\nMTU=1310\n\n" P1, 0, "MTU", NULL, I "# c\n\n" P1 },
	{ I "MTU=1300\n", 0, "Table", NULL, I "MTU=1300\n" },
	{ I "PostUp = a\nPostDown = b\nPostUp = c\n", 0, "PostUp", NULL,
	  I "PostDown = b\n" },
	{ P1 "# Name = a\n" P2 "# Name = b\n", 2, "# Name", NULL,
	  P1 "# Name = a\n" P2 },
	{ P1, 0, "MTU", NULL, P1 },
	/* Ends of lines. */
	{ "[Interface]", 0, "MTU", "1400", I "MTU = 1400\n" },
	{ "[Interface]\nMTU=1300", 0, "MTU", "1400", I "MTU = 1400\n" },
	{ "[Interface]\r\nMTU=1300\r\nDNS=a\r\n", 0, "MTU", "1400",
	  "[Interface]\r\nMTU = 1400\r\nDNS=a\r\n" },
	{ "\xef\xbb\xbf[Interface]\r\nDNS=a", 0, "MTU", "1400",
	  "\xef\xbb\xbf[Interface]\r\nDNS=a\r\nMTU = 1400\r\n" },
	{ "[Interface]\nDNS=a\r\nTable=off", 0, "DNS", "b",
	  "[Interface]\nDNS = b\nTable=off" },
};

static const struct test_edit test_refused[] = {
	/* Two lines, or what is like them. */
	{ I, 0, "MTU", "1400\nPostUp = id", NULL },
	{ I, 0, "# wgpeer role", "a\nPostUp = id", NULL },
	{ I, 0, "# wgpeer role", "a\r", NULL },
	{ I, 0, "# wgpeer a\nPostUp", "id", NULL },
	{ I, 0, "# wgpeer role", "\x1b[2J", NULL },
	{ I, 0, "# wgpeer role", "a\x7f", NULL },
	{ I, 0, "# wgpeer role", "a\tb", NULL },
	{ I, 0, "PostUp", "a\x1b[2J", NULL },
	{ I, 0, "PostUp", "a\x7f" "b", NULL },
	{ P1, 1, "# Name", "a\n[Peer]", NULL },
	{ P1, 1, "# Name", "a b", NULL },
	{ P1, 1, "# Name", NAME64, NULL },
	/* What would be read back as something else. */
	{ I, 0, "# wgpeer role", "", NULL },
	{ I, 0, "# wgpeer role", " a", NULL },
	{ I, 0, "# wgpeer", "a", NULL },
	{ I, 0, "# comment", "a", NULL },
	{ I, 0, "MTU", "", NULL },
	{ I, 0, "MTU", "1400 # mine", NULL },
	{ I "MTU = 1300\n", 0, "# MTU", "1400", NULL },
	{ I, 0, "PostUp", "a ", NULL },
	{ I, 0, "[Peer]", "x", NULL },
	/* What is wrong as such. */
	{ I, 0, "Address", "nonsense", NULL },
	{ I "PrivateKey = " K1 "\n", 0, "PrivateKey", "x", NULL },
	{ I, 0, "Frob", "1", NULL },
	{ I P1, 1, "MTU", "1400", NULL },
	{ I P1, 1, "PublicKey", NULL, NULL },
	{ I P1, 2, "# Name", "a", NULL },
	{ I P1, 2, "# Name", NULL, NULL },
	/* The second peer's name would become that of the first. */
	{ "# Name = a\n" P1 "# Name = b\n" P2, 1, "# Name", NULL, NULL },
	/* A comment without a peer would become one's name. */
	{ I "# Name = x\nMTU=1300\n" P1, 0, "MTU", NULL, NULL },
	{ I "# Name = x\nMTU=1300\n[Peer]\n# Name = a\nPublicKey=" K1 "\n", 0,
	  "MTU", NULL, NULL },
};

static void test_add(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *file;
		const char *name;
		const char *want;
	} adds[] = {
		{ "", "joe", I "\n[Peer]\n# Name = joe\nPublicKey = " K3 "\n" },
		{ I P1, NULL, I P1 "\n" P3 },
		{ I P1 "\n", NULL, I P1 "\n" P3 },
		{ I P1 "# Name = a", NULL, I P1 "# Name = a\n\n" P3 },
		{ I P1 "\n# Name = a\n", "joe", I P1 "\n# Name = a\n\n[Peer]\n"
		  "# Name = joe\nPublicKey = " K3 "\n" },
		{ "[Interface]\r\nMTU=1400", "joe", "[Interface]\r\nMTU=1400\r\n\r\n"
		  "[Peer]\r\n# Name = joe\r\nPublicKey = " K3 "\r\n" },
		{ I, "a\nb", NULL },
		{ I, "", NULL },
		{ I, NAME64, NULL },
	};
	uint8_t key[WG_KEY_LEN];
	size_t i;

	base64_decode_key(key, K3);
	for (i = 0; i < N(adds); i++) {
		struct quick *quick = test_parse(run, adds[i].file);
		size_t peers = quick_peers(quick);
		int ret;

		ret = quick_add_peer(&run->ctx, quick, adds[i].name, key);
		if (!ret)
			tap_ok(tap, quick_find_key(quick, key) == peers + 1 &&
			       quick_peers(quick) == peers + 1 &&
			       (!adds[i].name ||
				quick_find_name(quick, adds[i].name) ==
				peers + 1), "is the last");
		test_result(tap, run, quick, ret, adds[i].file, adds[i].want,
			    "add");
	}
}

static void test_remove(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *file;
		size_t section;
		const char *want;
	} removals[] = {
		{ I P1, 1, I },
		{ I P1 "\n" P2 "\n" P3, 1, I "\n" P2 "\n" P3 },
		{ I P1 "\n" P2 "\n" P3, 2, I P1 "\n" P3 },
		{ I P1 "\n" P2 "\n" P3, 3, I P1 "\n" P2 },
		{ I "\n# about\n# Name = a\n" P1 "# in\n\n# Name = b\n" P2, 1,
		  I "\n# Name = b\n" P2 },
		{ I "\n# about\n# Name = a\n" P1 "# in\n\n# Name = b\n" P2, 2,
		  I "\n# about\n# Name = a\n" P1 "# in\n" },
		{ I "# Name = a\n" P1 "# Name = b\n" P2 "# Name = c\n" P3, 1,
		  I "# Name = b\n" P2 "# Name = c\n" P3 },
		{ I "# Name = a\n" P1 "# Name = b\n" P2 "# Name = c\n" P3, 2,
		  I "# Name = a\n" P1 "# Name = c\n" P3 },
		{ I P1 "# wgpeer exit = yes\n" P2 "# wgpeer exit = no\n", 1,
		  I P2 "# wgpeer exit = no\n" },
		/* The third one's name must not become that of the first. */
		{ P1 "\n# Name = b\n" P2 "# Name = c\n" P3, 2,
		  P1 "\n# Name = c\n" P3 },
		/* A comment above must not become the second one's. */
		{ I "# Name = x\n# c\n\n# Name = a\n" P1 P2, 1,
		  I "# Name = x\n# c\n\n" P2 },
		{ P1 "# in\n" P2 "\n" P3, 2, P1 "# in\n\n" P3 },
		{ P1 P2 P3, 2, P1 P3 },
		{ P1 "\n# c\n\n" P2 P3, 2, P1 "\n# c\n\n" P3 },
		{ P1 I "MTU=1400\n" P2, 1, I "MTU=1400\n" P2 },
		{ P1, 1, I },
		{ I P1, 0, NULL },
		{ I P1, 2, NULL },
	};
	size_t i;

	for (i = 0; i < N(removals); i++) {
		struct quick *quick = test_parse(run, removals[i].file);
		int ret;

		ret = quick_remove_peer(&run->ctx, quick, removals[i].section);
		test_result(tap, run, quick, ret, removals[i].file,
			    removals[i].want, "remove");
	}
}

/* Whatever is a setting now, or would be one when it is read again. */
static void test_drop_settings(struct tap *tap, struct tap_run *run)
{
#define BOM	"\xef\xbb\xbf"
#define S	"# wgpeer role = x\n"
	static const char *const files[][2] = {
		{ I P1, I P1 },
		{ I S "MTU = 1400\n" P1 S P2 S, I "MTU = 1400\n" P1 P2 },
		{ S I " \v#\tWGPEER\tA=b\r\n", I },
		{ BOM I S, I },
		{ BOM S I, I },
		{ S BOM "#\n" I, NULL },
		{ I "# wgpeer\n# wgpeerx = y\n# Name = a\n",
		  I "# wgpeer\n# wgpeerx = y\n# Name = a\n" },
		{ I "PostUp = a # wgpeer a = b\n",
		  I "PostUp = a # wgpeer a = b\n" },
		{ S, I },
		{ I S P1 "# wgpeer a = b", I P1 },
	};
	size_t i;

	for (i = 0; i < N(files); i++) {
		struct quick *quick = test_parse(run, files[i][0]);
		int ret;

		if (!files[i][1]) {
			tap_ok(tap, !quick, "refused at once");
			continue;
		}
		ret = quick_drop_settings(&run->ctx, quick);
		test_result(tap, run, quick, ret, files[i][0], files[i][1],
			    "without settings");
	}
}

/* Keys go in as bytes, never into errors, and warnings come once. */
static void test_keys(struct tap *tap, struct tap_run *run)
{
	struct quick *quick = test_parse(run, I P1 "AllowedIPs = 10.0.0.1/8\n");
	struct text text = { 0 };
	uint8_t key[WG_KEY_LEN];
	int ret;

	base64_decode_key(key, K2);
	quick_set_key(&run->ctx, quick, 0, "PrivateKey", key);
	quick_set_key(&run->ctx, quick, 1, "PresharedKey", key);
	ret = quick_set_key(&run->ctx, quick, 1, "# wgpeer private-key", key);
	tap_ok(tap, !memcmp(quick->dev->private_key, key, WG_KEY_LEN) &&
	       !memcmp(quick_peer(quick, 1)->preshared_key, key, WG_KEY_LEN),
	       "keys");
	tap_run_text(run);
	tap_same(tap, run->err,
		 "Warning: AllowedIP has nonzero host part: 10.0.0.1/8\n",
		 "one warning");
	quick_strip(quick, &text);
	tap_ok(tap, !strstr(text_string(&text), "private-key") &&
	       strstr(text_string(&text), "PrivateKey"), "not for wg");
	text_free(&text);
	test_result(tap, run, quick, ret, NULL, I "PrivateKey = " K2 "\n" P1
		    "AllowedIPs = 10.0.0.1/8\nPresharedKey = " K2
		    "\n# wgpeer private-key = " K2 "\n", "secrets");
	quick = test_parse(run, I "PrivateKey = " K2 "\n");
	ret = quick_set(&run->ctx, quick, 0, "PrivateKey", K2 "x");
	tap_ok(tap, ret && !strstr(run->ctx.error, "KC/b"), "secret: %s",
	       run->ctx.error);
	ret = quick_set(&run->ctx, quick, 0, "# wgpeer private-key", K2 "\n");
	tap_ok(tap, ret && !strstr(run->ctx.error, "KC/b"), "secret: %s",
	       run->ctx.error);
	quick_free(quick);
}

static void test_check_name(struct tap *tap, struct tap_run *run)
{
	static const char *const wrong[] = {
		"", "-a", ".a", "_a", "a b", "a/b", "a=b", "a#b", "a\n", "\xc3\xa4",
		"a\x1b[2J", NAME64,
	};
	size_t i;

	tap_ok(tap, !quick_check_name(&run->ctx, "n", "9a_-.@Z") &&
	       !quick_check_name(&run->ctx, "n", NAME64 + 1), "a name");
	for (i = 0; i < N(wrong); i++)
		tap_ok(tap, quick_check_name(&run->ctx, "n", wrong[i]) ==
		       -EINVAL && !strncmp(run->ctx.error, "n: `", 4) &&
		       !strpbrk(run->ctx.error, "\n\x1b"), "no name: %s",
		       run->ctx.error);
}

static bool test_holds(struct tap_run *run, const char *path,
		       const char *want, unsigned int mode)
{
	struct text text = { 0 };
	struct stat st;
	bool good;

	good = !file_read(&run->ctx, path, 10000, &text) &&
	       !strcmp(text_string(&text), want) && !stat(path, &st) &&
	       (st.st_mode & 07777) == mode;
	text_free(&text);
	return good;
}

static void test_save(struct tap *tap, struct tap_run *run, const char *dir)
{
	struct quick *quick = test_parse(run, I P1 "AllowedIPs=10.0.0.2/32");
	char path[256], backup[270];
	struct stat one, two;

	snprintf(path, sizeof(path), "%s/wg0.conf", dir);
	snprintf(backup, sizeof(backup), "%s.bak", path);
	umask(0);
	tap_ok(tap, !quick_save(&run->ctx, quick, path) &&
	       test_holds(run, path, I P1 "AllowedIPs=10.0.0.2/32", 0600) &&
	       !file_exists(backup), "a new file");
	chmod(path, 0640);
	stat(path, &one);
	tap_ok(tap, !quick_save(&run->ctx, quick, path) &&
	       !stat(path, &two) && one.st_ino == two.st_ino &&
	       test_holds(run, path, I P1 "AllowedIPs=10.0.0.2/32", 0640) &&
	       !file_exists(backup), "the same is not touched");
	quick_remove_peer(&run->ctx, quick, 1);
	tap_ok(tap, !quick_save(&run->ctx, quick, path) &&
	       test_holds(run, path, I, 0600) &&
	       test_holds(run, backup, I P1 "AllowedIPs=10.0.0.2/32", 0600),
	       "the old one is kept, both are for the owner only");
	quick_set(&run->ctx, quick, 0, "MTU", "1400");
	tap_ok(tap, !quick_save(&run->ctx, quick, path) &&
	       test_holds(run, path, I "MTU = 1400\n", 0600) &&
	       test_holds(run, backup, I, 0600), "more than before");
	quick_set(&run->ctx, quick, 0, "MTU", NULL);
	tap_ok(tap, !quick_save(&run->ctx, quick, path) &&
	       test_holds(run, path, I, 0600), "less than before");
	quick_free(quick);
	quick = test_parse(run, I P1 "AllowedIPs=10.0.0.2/32");
	quick_save(&run->ctx, quick, path);
	quick_free(quick);
	quick = test_parse(run, I);
	quick_save(&run->ctx, quick, path);
	quick_free(quick);
	tap_ok(tap, !quick_read(&run->ctx, "wg0", backup, &quick) &&
	       quick_peers(quick) == 1 && !strcmp(quick->name, "wg0"),
	       "reads what it wrote");
	snprintf(path, sizeof(path), "%s/none/wg0.conf", dir);
	tap_ok(tap, quick_save(&run->ctx, quick, path) == -ENOENT &&
	       strstr(run->ctx.error, path), "no directory: %s",
	       run->ctx.error);
	quick_free(quick);
	tap_ok(tap, quick_read(&run->ctx, "wg0", path, &quick) == -ENOENT &&
	       !quick && strstr(run->ctx.error, path), "no file: %s",
	       run->ctx.error);
}

int main(void)
{
	char dir[] = "/tmp/wgpeer-test.XXXXXX", *rm;
	struct tap tap = { .suite = "quick_edit" };
	struct tap_run run;

	if (!mkdtemp(dir))
		return 1;
	tap_run_begin(&run);
	test_set(&tap, &run, test_lines, N(test_lines));
	test_set(&tap, &run, test_refused, N(test_refused));
	test_add(&tap, &run);
	test_remove(&tap, &run);
	test_drop_settings(&tap, &run);
	test_keys(&tap, &run);
	test_check_name(&tap, &run);
	test_save(&tap, &run, dir);
	tap_run_end(&run);
	if (asprintf(&rm, "rm -r %s", dir) < 0 || system(rm))
		return 1;
	free(rm);
	return tap_end(&tap);
}
