// SPDX-License-Identifier: GPL-2.0
/* What must be sent to make one device like another. */
#include <stdlib.h>
#include <string.h>

#include "../conf.h"
#include "../tunnel_diff.h"
#include "../tunnel_peers.h"
#include "../userspace.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define KEY	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="
#define OWN	"KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY="
#define K1	"gImmJvhkL3DEWeQFqGt53yrBmFs1IXg6NHKQONe88U8="
#define K2	"sJcx1ukSJqk/7xzv5LKOjOZrH6wI3QTqwEiPGZ6ZHX4="
#define H1	"public_key=8089a626f8642f70c459e405a86b79df2ac1985b3521783a34729038d7bcf14f\n"
#define H2	"public_key=b09731d6e91226a93fef1cefe4b28e8ce66b1fac08dd04eac0488f199e991d7e\n"
#define PSK2	"preshared_key=b09731d6e91226a93fef1cefe4b28e8ce66b1fac08dd04eac0488f199e991d7e\n"
#define NO_PSK	"preshared_key=0000000000000000000000000000000000000000000000000000000000000000\n"
#define P1	"[Peer]\nPublicKey=" K1 "\n"
#define P2	"[Peer]\nPublicKey=" K2 "\n"
#define UPD	"update_only=true\n"

/* The file, what runs, and what has to be sent, as userspace says it. */
static const struct row {
	const char *name;
	const char *want;
	const char *have;
	unsigned int flags;
	const char *change;
} rows[] = {
	{ "the same", P1 "AllowedIPs=10.0.0.1/32,fd00::/64\nPersistentKeepalive=5\n" P2,
	  P2 P1 "AllowedIPs=fd00::/64,10.0.0.1/32\nPersistentKeepalive=5\n", 0, "" },
	{ "host bits make no difference", P1 "AllowedIPs=10.0.0.9/24\n",
	  P1 "AllowedIPs=10.0.0.0/24\n", 0, "" },
	{ "a new peer", P1 P2 "AllowedIPs=10.0.0.0/24\nPresharedKey=" K2 "\nPersistentKeepalive=7\n",
	  P1, 0,
	  H2 PSK2 "persistent_keepalive_interval=7\nallowed_ip=10.0.0.0/24\n" },
	{ "a new peer that says nothing", P1, "", 0, H1 },
	{ "a removed peer", P2, P1 P2, 0, H1 "remove=true\n" },
	{ "a removed peer that stays", P2, P1 P2, TUNNEL_DIFF_KEEP, "" },
	{ "one more allowed IP", P1 "AllowedIPs=10.0.0.1,10.0.0.2\n",
	  P1 "AllowedIPs=10.0.0.1\n", 0, H1 UPD "allowed_ip=10.0.0.2/32\n" },
	{ "one less allowed IP", P1 "AllowedIPs=10.0.0.1\n",
	  P1 "AllowedIPs=10.0.0.1,10.0.0.2\n", 0,
	  H1 UPD "allowed_ip=-10.0.0.2/32\n" },
	{ "one less on an old kernel", P1 "AllowedIPs=10.0.0.1\n" P2 "AllowedIPs=10.0.0.3\n",
	  P1 "AllowedIPs=10.0.0.1,10.0.0.2\n" P2 "AllowedIPs=10.0.0.3\n",
	  TUNNEL_DIFF_REPLACE,
	  H1 UPD "replace_allowed_ips=true\nallowed_ip=10.0.0.1/32\n" },
	{ "the last one on an old kernel", P1, P1 "AllowedIPs=10.0.0.1\n",
	  TUNNEL_DIFF_REPLACE, H1 UPD "replace_allowed_ips=true\n" },
	{ "one moves to another peer", P1 P2 "AllowedIPs=10.0.0.1\n",
	  P1 "AllowedIPs=10.0.0.1\n" P2, 0,
	  H2 UPD "allowed_ip=10.0.0.1/32\n" },
	{ "two peers swap", P1 "AllowedIPs=10.0.0.2\n" P2 "AllowedIPs=10.0.0.1\n",
	  P1 "AllowedIPs=10.0.0.1\n" P2 "AllowedIPs=10.0.0.2\n", 0,
	  H1 UPD "allowed_ip=10.0.0.2/32\n" H2 UPD "allowed_ip=10.0.0.1/32\n" },
	{ "from a removed peer", P2 "AllowedIPs=10.0.0.1\n",
	  P1 "AllowedIPs=10.0.0.1\n" P2, 0,
	  H1 "remove=true\n" H2 UPD "allowed_ip=10.0.0.1/32\n" },
	{ "said twice: the last one has it", P1 "AllowedIPs=10.0.0.1\n" P2 "AllowedIPs=10.0.0.1\n",
	  P1 P2 "AllowedIPs=10.0.0.1\n", 0, "" },
	{ "preshared key", P1 "PresharedKey=" K2 "\n", P1, 0, H1 UPD PSK2 },
	{ "no preshared key any more", P1, P1 "PresharedKey=" K2 "\n", 0,
	  H1 UPD NO_PSK },
	{ "no keepalive any more", P1, P1 "PersistentKeepalive=5\n", 0,
	  H1 UPD "persistent_keepalive_interval=0\n" },
	{ "port and mark", "[Interface]\nListenPort=5\nFwMark=0x10\n",
	  "[Interface]\nListenPort=6\n", 0, "listen_port=5\nfwmark=16\n" },
	{ "what the file does not say", "", "[Interface]\nListenPort=6\nFwMark=1\nPrivateKey=" KEY "\n",
	  0, "" },
	{ "the same private key, clamped", "[Interface]\nPrivateKey=" KEY "\n",
	  "[Interface]\nPrivateKey=uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU=\n", 0, "" },
	{ "two sections of one peer", P1 "AllowedIPs=10.0.0.1\nPersistentKeepalive=5\n" P2 P1 "AllowedIPs=10.0.0.2\nPresharedKey=" K2 "\n",
	  P2, 0,
	  H1 PSK2 "persistent_keepalive_interval=5\nallowed_ip=10.0.0.2/32\n" },
	{ "the own key as a peer", "[Interface]\nPrivateKey=" KEY "\n[Peer]\nPublicKey=" OWN "\n" P1,
	  "[Interface]\nPrivateKey=" KEY "\n" P1, 0, "" },
};

static char *text_of(const struct model_device *dev)
{
	struct text text = { 0 };

	userspace_write(&text, dev);
	return text.data;
}

static struct model_device *device_of(struct ctx *ctx, const char *conf)
{
	struct model_device *dev = model_device_create("wg0");
	char *copy = strdup(conf);

	if (conf_parse(ctx, dev, "conf", copy, strlen(copy)))
		printf("# %s\n", ctx->error);
	free(copy);
	return dev;
}

/* As the kernel would have it: that is what "want" makes of a file. */
static struct model_device *kernel_of(struct ctx *ctx, const char *conf)
{
	struct model_device *file = device_of(ctx, conf), *dev;

	tunnel_peers_want(ctx, file, &dev);
	model_device_free(file);
	return dev;
}

static void test_diff(struct tap *tap, const struct row *row)
{
	struct model_device *want, *have, *change = NULL;
	struct tap_run run;
	char *text, all[2048];

	tap_run_begin(&run);
	want = kernel_of(&run.ctx, row->want);
	have = kernel_of(&run.ctx, row->have);
	tap_ok(tap, !tunnel_diff_make(want, have, row->flags, &change),
	       "%s", row->name);
	text = text_of(change);
	snprintf(all, sizeof(all), "set=1\n%s\n", row->change);
	tap_same(tap, text, all, row->name);
	free(text);
	tap_ok(tap, tunnel_diff_removes(change) ==
	       !!strstr(row->change, "allowed_ip=-"), "%s: removes", row->name);
	model_device_free(want);
	model_device_free(have);
	model_device_free(change);
	tap_run_end(&run);
}

static void note(void *data, const char *line)
{
	FILE *out = data;

	fprintf(out, "%s\n", line);
}

static void test_words(struct tap *tap)
{
	struct model_device *want, *have, *change = NULL;
	struct tap_run run;

	tap_run_begin(&run);
	want = kernel_of(&run.ctx, "[Interface]\nListenPort=5\nPrivateKey=" KEY "\n"
			 P1 "AllowedIPs=10.0.0.2,fd00::/64\nPresharedKey=" K2 "\nPersistentKeepalive=5\n");
	have = kernel_of(&run.ctx, P1 "AllowedIPs=10.0.0.1\n" P2);
	want->first->name = strdup("laptop");
	tunnel_diff_make(want, have, 0, &change);
	tap_ok(tap, tunnel_diff_tell(change, want, note, run.ctx.out), "told");
	tap_run_text(&run);
	tap_same(tap, run.out, "set private key\nset listen port 5\n"
		 "remove peer " K2 "\n"
		 "change peer laptop (" K1 "), preshared key, keepalive 5, allowed IPs -10.0.0.1/32 +10.0.0.2/32 +fd00::/64\n",
		 "words without secrets");
	model_device_free(want);
	model_device_free(have);
	model_device_free(change);
	tap_run_end(&run);
}

/* --- endpoints ------------------------------------------------------------ */

/* Names that begin with "later" do not resolve at once, "never" never. */
static struct {
	unsigned int asked;
	unsigned int waits;
} fake;

static int fake_getaddrinfo(const char *host, const char *service,
			    const struct addrinfo *hints, struct addrinfo **res)
{
	struct addrinfo numeric = *hints;

	fake.asked++;
	if (!strncmp(host, "never", 5))
		return EAI_NONAME;
	if (!strncmp(host, "down", 4) ||
	    (!strncmp(host, "later", 5) && fake.waits < 2))
		return EAI_AGAIN;
	numeric.ai_flags |= AI_NUMERICHOST;
	return getaddrinfo("192.0.2.1", service, &numeric, res);
}

static void fake_pause(unsigned int ms)
{
	(void)ms;
	fake.waits++;
}

/*
 * The name of the file, what was said last (NULL: nothing noted), whether an
 * endpoint runs; whether it is asked for, and whether that is new.
 */
static const struct endpoint_row {
	const char *name;
	const char *file;
	const char *known;
	const char *running;
	unsigned int asked;
	unsigned int waits;
	const char *change;
	const char *noted;
} endpoint_rows[] = {
	{ "a new peer's", "ok:5", "", NULL, 1, 0, "192.0.2.1:5", "ok:5" },
	{ "nothing is noted: it is sent", "ok:5", NULL, "192.0.2.9:9", 1, 0,
	  "192.0.2.1:5", "ok:5" },
	{ "the same runs already", "ok:5", NULL, "192.0.2.1:5", 1, 0, NULL, "ok:5" },
	{ "a learned one stays", "ok:5", "ok:5", "192.0.2.9:9", 0, 0, NULL, "ok:5" },
	{ "the line changed", "ok:6", "ok:5", "192.0.2.9:9", 1, 0,
	  "192.0.2.1:6", "ok:6" },
	{ "there is none yet", "ok:5", "ok:5", "none", 1, 0, "192.0.2.1:5", "ok:5" },
	{ "no such name", "never:5", "", NULL, 1, 0, NULL, NULL },
	{ "no such name now", "never:5", "ok:5", "192.0.2.9:9", 1, 0, NULL, NULL },
	{ "a name that comes", "later:5", "", NULL, 3, 2, "192.0.2.1:5", "later:5" },
	{ "a name that does not", "down:5", "", NULL, 4, 3, NULL, NULL },
	{ "no line any more", NULL, "ok:5", "192.0.2.9:9", 0, 0, NULL, NULL },
};

static void test_endpoint(struct tap *tap, const struct endpoint_row *row)
{
	struct model_device *want, *have, *change = NULL;
	struct tunnel_plan known, hosts;
	char text[MODEL_ENDPOINT_TEXT];
	const char *noted;
	struct tap_run run;

	memset(&fake, 0, sizeof(fake));
	tap_run_begin(&run);
	run.ctx.getaddrinfo = fake_getaddrinfo;
	run.ctx.pause_ms = fake_pause;
	tunnel_plan_init(&known, "wg0");
	tunnel_plan_init(&hosts, "wg0");
	want = kernel_of(&run.ctx, P1);
	want->first->host = row->file ? strdup(row->file) : NULL;
	have = kernel_of(&run.ctx, row->running ? P1 : "");
	if (row->running && strcmp(row->running, "none")) {
		have->first->endpoint.in.sin_family = AF_INET;
		have->first->endpoint.in.sin_port = htons(9);
		have->first->endpoint.in.sin_addr.s_addr = htonl(0xc0000209);
		if (!strcmp(row->running, "192.0.2.1:5")) {
			have->first->endpoint.in.sin_port = htons(5);
			have->first->endpoint.in.sin_addr.s_addr =
				htonl(0xc0000201);
		}
	}
	known.noted = row->known;
	if (row->known && *row->known)
		tunnel_plan_add_host(&known, want->first->public_key,
				     row->known);
	tap_ok(tap, !tunnel_peers_resolve(&run.ctx, want, have, &known,
					  &hosts), "%s", row->name);
	tap_ok(tap, fake.asked == row->asked && fake.waits == row->waits,
	       "%s: asked %u times, waited %u times", row->name, fake.asked,
	       fake.waits);
	tunnel_diff_make(want, have, 0, &change);
	text[0] = '\0';
	if (change->first && change->first->has & MODEL_PEER_ENDPOINT)
		model_endpoint_text(text, &change->first->endpoint);
	tap_same(tap, text, row->change ? row->change : "", row->name);
	noted = tunnel_plan_host(&hosts, want->first->public_key);
	tap_same(tap, noted ? noted : "", row->noted ? row->noted : "",
		 "what is noted");
	tap_run_text(&run);
	tap_ok(tap, !!strstr(run.err, "stays without") ==
	       (row->asked && !row->noted), "%s: told", row->name);
	model_device_free(want);
	model_device_free(have);
	model_device_free(change);
	tunnel_plan_free(&known);
	tunnel_plan_free(&hosts);
	tap_run_end(&run);
}

int main(void)
{
	struct tap tap = { .suite = "tunnel_diff" };
	size_t i;

	unsetenv("WG_ENDPOINT_RESOLUTION_RETRIES");
	for (i = 0; i < N(rows); i++)
		test_diff(&tap, &rows[i]);
	test_words(&tap);
	for (i = 0; i < N(endpoint_rows); i++)
		test_endpoint(&tap, &endpoint_rows[i]);
	return tap_end(&tap);
}
