// SPDX-License-Identifier: GPL-2.0
/* The words of "set", the lines of files, and what "syncconf" makes of both. */
#include <stdlib.h>
#include <string.h>

#include "../args.h"
#include "../conf.h"
#include "../userspace.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define K1	"gImmJvhkL3DEWeQFqGt53yrBmFs1IXg6NHKQONe88U8="
#define K2	"sJcx1ukSJqk/7xzv5LKOjOZrH6wI3QTqwEiPGZ6ZHX4="
#define H1	"public_key=8089a626f8642f70c459e405a86b79df2ac1985b3521783a34729038d7bcf14f\n"
#define H2	"public_key=b09731d6e91226a93fef1cefe4b28e8ce66b1fac08dd04eac0488f199e991d7e\n"
#define PSK2	"preshared_key=b09731d6e91226a93fef1cefe4b28e8ce66b1fac08dd04eac0488f199e991d7e\n"
#define ZERO	"0000000000000000000000000000000000000000000000000000000000000000\n"

/* Words or a file; what they mean as text, or which error they are. */
struct row {
	const char *in;
	const char *want;
	const char *error;
};

/* What a device says, in the notation of userspace implementations. */
static char *text_of(const struct model_device *dev)
{
	struct text text = { 0 };

	userspace_write(&text, dev);
	return text.data;
}

static void judge(struct tap *tap, const struct row *row, int ret,
		  const struct model_device *dev, const struct tap_run *run)
{
	char *text, want[2048];

	if (row->error) {
		tap_ok(tap, ret < 0 && strstr(run->ctx.error, row->error),
		       "refused: %s", run->ctx.error);
		return;
	}
	if (!tap_ok(tap, !ret, "accepted")) {
		printf("# %s\n# %s\n", row->in, run->ctx.error);
		return;
	}
	text = text_of(dev);
	snprintf(want, sizeof(want), "set=1\n%s\n", row->want);
	tap_same(tap, text, want, "meaning");
	free(text);
}

static const struct row words[] = {
	{ "listen-port 5", "listen_port=5\n", NULL },
	{ "listen-port 5 listen-port 6 fwmark 0x10 fwmark off",
	  "listen_port=6\nfwmark=0\n", NULL },
	{ "private-key /dev/null", "private_key=" ZERO, NULL },
	{ "peer " K1, H1, NULL },
	{ "peer " K1 " remove", H1 "remove=true\n", NULL },
	{ "peer " K1 " allowed-ips 1.1.1.1 remove", H1 "remove=true\n", NULL },
	{ "peer " K1 " allowed-ips 1.0.0.0/8,::/0 persistent-keepalive 5 endpoint [::1]:6 preshared-key /dev/null",
	  H1 "preshared_key=" ZERO "endpoint=[::1]:6\n"
	  "persistent_keepalive_interval=5\nreplace_allowed_ips=true\n"
	  "allowed_ip=1.0.0.0/8\nallowed_ip=::/0\n", NULL },
	{ "peer " K1 " allowed-ips +1.0.0.0/8,-2.0.0.0/8",
	  H1 "allowed_ip=1.0.0.0/8\nallowed_ip=-2.0.0.0/8\n", NULL },
	{ "peer " K1 " peer " K2 " persistent-keepalive off peer " K1,
	  H1 H2 "persistent_keepalive_interval=0\n" H1, NULL },
	{ "fwmark 1 peer " K1, "fwmark=1\n" H1, NULL },
	{ "frob", NULL, "Invalid argument: frob" },
	{ "listen-port", NULL, "needs a value" },
	{ "peer", NULL, "needs a value" },
	{ "peer " K1 " allowed-ips", NULL, "needs a value" },
	{ "remove", NULL, "behind `peer KEY'" },
	{ "endpoint 1.2.3.4:5", NULL, "behind `peer KEY'" },
	{ "peer " K1 " listen-port 5", NULL, "before the first `peer'" },
	{ "peer abc", NULL, "`abc'" },
	{ "PEER " K1, NULL, "Invalid argument: PEER" },
	{ "listen-port 65536", NULL, "`65536'" },
	{ "private-key /nonexistent/key", NULL, "/nonexistent/key" },
	{ "peer " K1 " endpoint 1.2.3.4", NULL, "find port" },
};

static void test_words(struct tap *tap)
{
	struct model_device *dev;
	struct tap_run run;
	size_t i;

	for (i = 0; i < N(words); i++) {
		char *copy = strdup(words[i].in), *rest = copy, *word;
		char *argv[32];
		int argc = 0, ret;

		while ((word = strsep(&rest, " ")))
			argv[argc++] = word;
		tap_run_begin(&run);
		dev = model_device_create("wg0");
		ret = args_parse(&run.ctx, dev, argc, argv);
		judge(tap, &words[i], ret, dev, &run);
		model_device_free(dev);
		tap_run_end(&run);
		free(copy);
	}
}

static const struct row files[] = {
	{ "", "", NULL },
	{ "# only\n\n \t\n#", "", NULL },
	{ "[Interface]\nListenPort = 5\nFwMark=0x10\nPrivateKey=" K1 "\n",
	  "private_key=8089a626f8642f70c459e405a86b79df2ac1985b3521783a34729038d7bcf14f\n"
	  "listen_port=5\nfwmark=16\n", NULL },
	{ "[INTERFACE]\r\nlistenport\t=\t5 # x\r\n", "listen_port=5\n", NULL },
	{ "[Inter face]\nListen Port = 1 2", "listen_port=12\n", NULL },
	{ "[Peer]\nPublicKey=" K1, H1 "replace_allowed_ips=true\n", NULL },
	{ "[Peer]\nAllowedIPs=1.0.0.0/8, 2.0.0.0/8\nPublicKey=" K1 "\nAllowedIPs=::/0\n",
	  H1 "replace_allowed_ips=true\nallowed_ip=1.0.0.0/8\n"
	  "allowed_ip=2.0.0.0/8\nallowed_ip=::/0\n", NULL },
	{ "[Peer]\nPublicKey=" K1 "\nPresharedKey=" K2 "\nPersistentKeepalive=off\nEndpoint=1.2.3.4:5\n[Interface]\nListenPort=1\n",
	  "listen_port=1\n" H1 PSK2 "endpoint=1.2.3.4:5\n"
	  "persistent_keepalive_interval=0\nreplace_allowed_ips=true\n", NULL },
	{ "ListenPort=5\n", NULL, "file:1: Line unrecognized: `ListenPort'" },
	{ "\n\n[Foo]\n", NULL, "file:3: Line unrecognized: `[Foo]'" },
	{ "[Interface]x\n", NULL, "file:1: Line unrecognized" },
	{ "[Interface\n", NULL, "file:1: Line unrecognized" },
	{ "[Interface]\nAddress = 10.0.0.1/8\n", NULL, "wg-quick strip" },
	{ "[Interface]\nPublicKey=" K1 "\n", NULL, "`PublicKey'" },
	{ "[Interface]\n" K1 "\n", NULL, "(a long word)" },
	{ "[Peer]\nListenPort=5\n", NULL, "`ListenPort'" },
	{ "[Interface]\nListenPort\n", NULL, "no value" },
	{ "[Interface]\nPrivateKey=\n", NULL, "no value" },
	{ "[Interface]\nListenPort=65536\n", NULL, "file:2: port: `65536'" },
	{ "[Interface]\nFwMark=x\n", NULL, "file:2: fwmark: `x'" },
	{ "[Interface]\nPrivateKey=secret\n", NULL, "(6 characters)" },
	{ "[Peer]\nEndpoint=1.1.1.1:1\n", NULL, "file:1: A peer is missing" },
	{ "[Peer]\nPublicKey=" K1 "\n\n[Peer]\n[Interface]\n", NULL,
	  "file:4: A peer is missing" },
	{ "[Peer]\nPublicKey=abc\n", NULL, "file:2: PublicKey: Key is not" },
	{ "[Peer]\nPublicKey=" K1 "\nAllowedIPs=1.1.1.1/99\n", NULL, "0 to 32" },
	{ "[Peer]\nPublicKey=" K1 "\nAllowedIPs=-1.1.1.1\n", NULL, "`-1.1.1.1'" },
	{ "[Peer]\nPublicKey=" K1 "\nEndpoint=x\n", NULL, "find port" },
	{ "[Peer]\nPublicKey=" K1 "\nPersistentKeepalive=65536\n", NULL, "65535" },
};

static int read_text(struct tap_run *run, struct model_device *dev,
		     const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	int ret;

	memcpy(copy, text, len);
	copy[len] = '\0';
	ret = conf_parse(&run->ctx, dev, "file", copy, len);
	free(copy);
	return ret;
}

static void test_files(struct tap *tap)
{
	static const char nul[] = "[Interface]\nListenPort=5\0" "6\n";
	struct model_device *dev;
	struct tap_run run;
	size_t i;
	int ret;

	for (i = 0; i < N(files); i++) {
		tap_run_begin(&run);
		dev = model_device_create("wg0");
		ret = read_text(&run, dev, files[i].in, strlen(files[i].in));
		judge(tap, &files[i], ret, dev, &run);
		tap_ok(tap, !strstr(run.ctx.error, "secret") &&
		       !strstr(run.ctx.error, K1), "nothing secret is shown");
		model_device_free(dev);
		tap_run_end(&run);
	}
	tap_run_begin(&run);
	dev = model_device_create("wg0");
	ret = read_text(&run, dev, nul, sizeof(nul) - 1);
	tap_ok(tap, ret < 0 && strstr(run.ctx.error, "file:2: line has a NUL"),
	       "a NUL byte is refused");
	model_device_free(dev);
	tap_run_end(&run);
}

/* want, have (both files), and the request that leads from one to the other. */
static const struct {
	const char *want;
	const char *have;
	const char *request;
} syncs[] = {
	{ "", "[Peer]\nPublicKey=" K1,
	  "private_key=" ZERO "listen_port=0\nfwmark=0\nreplace_peers=true\n" },
	{ "[Peer]\nPublicKey=" K1, "",
	  "private_key=" ZERO "listen_port=0\nfwmark=0\nreplace_peers=true\n"
	  H1 "replace_allowed_ips=true\n" },
	{ "[Peer]\nPublicKey=" K1, "[Peer]\nPublicKey=" K1,
	  "private_key=" ZERO "listen_port=0\nfwmark=0\n"
	  H1 "replace_allowed_ips=true\n" },
	{ "[Peer]\nPublicKey=" K1,
	  "[Peer]\nPublicKey=" K2 "\n[Peer]\nPublicKey=" K1
	  "\nPresharedKey=" K2 "\nPersistentKeepalive=5",
	  "private_key=" ZERO "listen_port=0\nfwmark=0\n"
	  H2 "remove=true\n" H1 "preshared_key=" ZERO
	  "persistent_keepalive_interval=0\nreplace_allowed_ips=true\n" },
	{ "[Peer]\nPublicKey=" K1 "\nPresharedKey=" K2 "\nPersistentKeepalive=7",
	  "[Peer]\nPublicKey=" K1 "\nPresharedKey=" K1 "\nPersistentKeepalive=5",
	  "private_key=" ZERO "listen_port=0\nfwmark=0\n"
	  H1 PSK2 "persistent_keepalive_interval=7\nreplace_allowed_ips=true\n" },
};

static void test_sync(struct tap *tap)
{
	struct model_device *want, *have;
	struct tap_run run;
	struct row row = { 0 };
	size_t i;
	int ret;

	for (i = 0; i < N(syncs); i++) {
		tap_run_begin(&run);
		want = model_device_create("wg0");
		have = model_device_create("wg0");
		ret = read_text(&run, want, syncs[i].want,
				strlen(syncs[i].want)) ?:
		      read_text(&run, have, syncs[i].have,
				strlen(syncs[i].have));
		conf_replace_all(want);
		if (!ret)
			ret = model_sync(want, have);
		row.in = syncs[i].want;
		row.want = syncs[i].request;
		judge(tap, &row, ret, want, &run);
		model_device_free(want);
		model_device_free(have);
		tap_run_end(&run);
	}
}

int main(void)
{
	struct tap tap = { .suite = "words" };

	test_words(&tap);
	test_files(&tap);
	test_sync(&tap);
	return tap_end(&tap);
}
