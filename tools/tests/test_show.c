// SPDX-License-Identifier: GPL-2.0
/* Printing: the bytes people and scripts get; the file that comes out. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../conf.h"
#include "../show.h"
#include "../userspace.h"
#include "tap.h"

#define A	"gImmJvhkL3DEWeQFqGt53yrBmFs1IXg6NHKQONe88U8="
#define B	"sJcx1ukSJqk/7xzv5LKOjOZrH6wI3QTqwEiPGZ6ZHX4="
#define C	"6Gnfv3xr8yObZR94hBHlKYJNTFNcLckOpXJp9ifhkUA="
#define D	"uCDbEkkInWf4K5qfpmBn/KvDF2q0adQlDR76QBJh6Ws="
#define E	"KK5y8WbTEe6av13oO0GjzikN56B8Vx7hWj5UN5+T8HA="
#define S	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="
#define P	"KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY="

/* Five peers in the text of a userspace implementation; now is 2000000000. */
static const char device_text[] =
	"private_key=b8c3b4dbff396b03fbf66e6d65b6bb68662ac39904a1a157e2fdbec71e65e145\n"
	"listen_port=51820\n"
	"fwmark=4660\n"
	"public_key=8089a626f8642f70c459e405a86b79df2ac1985b3521783a34729038d7bcf14f\n"
	"preshared_key=b09731d6e91226a93fef1cefe4b28e8ce66b1fac08dd04eac0488f199e991d7e\n"
	"protocol_version=1\n"
	"endpoint=192.0.2.1:51820\n"
	"last_handshake_time_sec=1999996339\n"
	"last_handshake_time_nsec=5\n"
	"tx_bytes=1023\n"
	"rx_bytes=1024\n"
	"persistent_keepalive_interval=25\n"
	"allowed_ip=10.0.0.0/8\n"
	"allowed_ip=fd00::/64\n"
	"public_key=b09731d6e91226a93fef1cefe4b28e8ce66b1fac08dd04eac0488f199e991d7e\n"
	"endpoint=[2001:db8::1]:1234\n"
	"last_handshake_time_sec=2000000100\n"
	"tx_bytes=123456789\n"
	"rx_bytes=0\n"
	"persistent_keepalive_interval=0\n"
	"allowed_ip=0.0.0.0/0\n"
	"public_key=e869dfbf7c6bf3239b651f788411e529824d4c535c2dc90ea57269f627e19140\n"
	"public_key=b820db1249089d67f82b9a9fa66067fcabc3176ab469d4250d1efa401261e96b\n"
	"last_handshake_time_sec=2000000000\n"
	"tx_bytes=5\n"
	"rx_bytes=123456789012345\n"
	"persistent_keepalive_interval=1\n"
	"public_key=28ae72f166d311ee9abf5de83b41a3ce290de7a07c571ee15a3e54379f93f070\n"
	"last_handshake_time_sec=1936668738\n"
	"tx_bytes=1099511627776\n"
	"rx_bytes=1073741824\n"
	"persistent_keepalive_interval=65535\n"
	"errno=0\n";

static struct model_device *sample(struct tap *tap)
{
	struct model_device *dev = model_device_create("wg0");
	char *copy = strdup(device_text), *rest = copy, *line;
	int err = 1, ret = 0;

	while (!ret && (line = strsep(&rest, "\n")))
		ret = *line ? userspace_take(dev, line, &err) : 0;
	free(copy);
	tap_ok(tap, !ret && !err, "the text of a userspace implementation");
	memcpy(dev->public_key, "\x28\x2f\xdb\xd2\xef\x1a\x80\xa4\x71\x13\x10"
	       "\x5f\xb2\x99\x90\x9f\x29\xa8\x6a\xa5\xc2\x77\xad\xe8\x86\xc3"
	       "\x8d\x2c\xc1\xcb\x3e\x16", WG_KEY_LEN);
	return dev;
}

#define PRETTY(secret, psk)						\
	"interface: wg0\n"						\
	"  public key: " P "\n"						\
	"  private key: " secret "\n"					\
	"  listening port: 51820\n"					\
	"  fwmark: 0x1234\n"						\
	"\n"								\
	"peer: " B "\n"							\
	"  endpoint: [2001:db8::1]:1234\n"				\
	"  allowed ips: 0.0.0.0/0\n"					\
	"  latest handshake: (System clock wound backward; connection problems may ensue.)\n" \
	"  transfer: 0 B received, 117.74 MiB sent\n"			\
	"\n"								\
	"peer: " D "\n"							\
	"  allowed ips: (none)\n"					\
	"  latest handshake: Now\n"					\
	"  transfer: 112.28 TiB received, 5 B sent\n"			\
	"  persistent keepalive: every 1 second\n"			\
	"\n"								\
	"peer: " A "\n"							\
	"  preshared key: " psk "\n"					\
	"  endpoint: 192.0.2.1:51820\n"					\
	"  allowed ips: 10.0.0.0/8, fd00::/64\n"			\
	"  latest handshake: 1 hour, 1 minute, 1 second ago\n"		\
	"  transfer: 1.00 KiB received, 1023 B sent\n"			\
	"  persistent keepalive: every 25 seconds\n"			\
	"\n"								\
	"peer: " E "\n"							\
	"  allowed ips: (none)\n"					\
	"  latest handshake: 2 years, 3 days, 1 minute, 2 seconds ago\n" \
	"  transfer: 1.00 GiB received, 1.00 TiB sent\n"		\
	"  persistent keepalive: every 18 hours, 12 minutes, 15 seconds\n" \
	"\n"								\
	"peer: " C "\n"							\
	"  allowed ips: (none)\n"

static const char colored[] =
	"\x1b[0m\x1b[32m\x1b[1minterface\x1b[0m: \x1b[32mwg0\x1b[0m\n"
	"  \x1b[1mlistening port\x1b[0m: 7\n"
	"\n"
	"\x1b[33m\x1b[1mpeer\x1b[0m: \x1b[33m"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\x1b[0m\n"
	"  \x1b[1mallowed ips\x1b[0m: 10.0.0.0\x1b[36m/\x1b[0m8\n"
	"  \x1b[1mtransfer\x1b[0m: 1 \x1b[36mB\x1b[0m received, "
	"2.00 \x1b[36mKiB\x1b[0m sent\n";

static void same_pretty(struct tap *tap, const struct model_device *dev,
			const char *want, bool color, const char *name)
{
	struct tap_run run;

	tap_run_begin(&run);
	run.ctx.color = color;
	show_pretty(&run.ctx, dev);
	tap_run_text(&run);
	tap_same(tap, run.out, want, name);
	tap_run_end(&run);
}

static void test_pretty(struct tap *tap, const struct model_device *dev)
{
	struct model_device *small = model_device_create("wg0");
	struct model_allowedip *aip;
	struct model_peer *peer;

	same_pretty(tap, dev, PRETTY("(hidden)", "(hidden)"), false, "pretty");
	setenv("WG_HIDE_KEYS", "never", 1);
	same_pretty(tap, dev, PRETTY(S, B), false, "pretty with secrets");
	setenv("WG_HIDE_KEYS", "always", 1);
	same_pretty(tap, dev, PRETTY("(hidden)", "(hidden)"), false,
		    "any other word hides");
	unsetenv("WG_HIDE_KEYS");
	same_pretty(tap, small, "interface: wg0\n", false, "empty device");
	small->listen_port = 7;
	peer = model_add_peer(small);
	peer->rx_bytes = 1;
	peer->tx_bytes = 2048;
	aip = model_add_allowedip(peer);
	aip->family = AF_INET;
	aip->cidr = 8;
	inet_pton(AF_INET, "10.0.0.0", &aip->ip);
	same_pretty(tap, small, colored, true, "colours");
	model_device_free(small);
}

static const struct {
	const char *param;
	const char *want;
} params[] = {
	{ "public-key", P "\n" },
	{ "private-key", S "\n" },
	{ "listen-port", "51820\n" },
	{ "fwmark", "0x1234\n" },
	{ "peers", A "\n" B "\n" C "\n" D "\n" E "\n" },
	{ "preshared-keys", A "\t" B "\n" B "\t(none)\n" C "\t(none)\n"
	  D "\t(none)\n" E "\t(none)\n" },
	{ "endpoints", A "\t192.0.2.1:51820\n" B "\t[2001:db8::1]:1234\n"
	  C "\t(none)\n" D "\t(none)\n" E "\t(none)\n" },
	{ "allowed-ips", A "\t10.0.0.0/8 fd00::/64\n" B "\t0.0.0.0/0\n"
	  C "\t(none)\n" D "\t(none)\n" E "\t(none)\n" },
	{ "latest-handshakes", A "\t1999996339\n" B "\t2000000100\n" C "\t0\n"
	  D "\t2000000000\n" E "\t1936668738\n" },
	{ "transfer", A "\t1024\t1023\n" B "\t0\t123456789\n" C "\t0\t0\n"
	  D "\t123456789012345\t5\n" E "\t1073741824\t1099511627776\n" },
	{ "persistent-keepalive", A "\t25\n" B "\toff\n" C "\toff\n" D "\t1\n"
	  E "\t65535\n" },
	{ "dump", S "\t" P "\t51820\t0x1234\n"
	  A "\t" B "\t192.0.2.1:51820\t10.0.0.0/8,fd00::/64\t1999996339\t1024\t1023\t25\n"
	  B "\t(none)\t[2001:db8::1]:1234\t0.0.0.0/0\t2000000100\t0\t123456789\toff\n"
	  C "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n"
	  D "\t(none)\t(none)\t(none)\t2000000000\t123456789012345\t5\t1\n"
	  E "\t(none)\t(none)\t(none)\t1936668738\t1073741824\t1099511627776\t65535\n" },
};

static void test_params(struct tap *tap, const struct model_device *dev)
{
	struct model_device *empty = model_device_create("wg1");
	struct tap_run run;
	size_t i;

	for (i = 0; i < sizeof(params) / sizeof(*params); i++) {
		tap_run_begin(&run);
		tap_ok(tap, !show_param(&run.ctx, dev, params[i].param, false),
		       "%s succeeds", params[i].param);
		tap_run_text(&run);
		tap_same(tap, run.out, params[i].want, params[i].param);
		tap_run_end(&run);
	}
	tap_run_begin(&run);
	show_param(&run.ctx, empty, "dump", true);
	show_param(&run.ctx, empty, "endpoints", true);
	show_param(&run.ctx, empty, "private-key", true);
	tap_ok(tap, show_param(&run.ctx, empty, "dum", false),
	       "no abbreviations");
	tap_run_text(&run);
	tap_same(tap, run.out, "wg1\t(none)\t(none)\t0\toff\nwg1\t(none)\n",
		 "all, an empty device");
	tap_run_end(&run);
	model_device_free(empty);
}

static const char file_text[] =
	"[Interface]\n"
	"ListenPort = 51820\n"
	"FwMark = 0x1234\n"
	"PrivateKey = " S "\n"
	"\n[Peer]\nPublicKey = " A "\nPresharedKey = " B "\n"
	"AllowedIPs = 10.0.0.0/8, fd00::/64\nEndpoint = 192.0.2.1:51820\n"
	"PersistentKeepalive = 25\n"
	"\n[Peer]\nPublicKey = " B "\nAllowedIPs = 0.0.0.0/0\n"
	"Endpoint = [2001:db8::1]:1234\n"
	"\n[Peer]\nPublicKey = " C "\n"
	"\n[Peer]\nPublicKey = " D "\nPersistentKeepalive = 1\n"
	"\n[Peer]\nPublicKey = " E "\nPersistentKeepalive = 65535\n";

static void test_file(struct tap *tap, const struct model_device *dev)
{
	struct model_device *back = model_device_create("wg0");
	struct tap_run run, again;
	char *copy;

	tap_run_begin(&run);
	conf_write(&run.ctx, dev);
	tap_run_text(&run);
	tap_same(tap, run.out, file_text, "showconf");
	copy = strdup(run.out);
	tap_ok(tap, !conf_parse(&run.ctx, back, "x", copy, strlen(copy)),
	       "it reads back");
	tap_run_begin(&again);
	conf_write(&again.ctx, back);
	tap_run_text(&again);
	tap_same(tap, again.out, file_text, "and is the same file again");
	free(copy);
	tap_run_end(&again);
	tap_run_end(&run);
	model_device_free(back);
}

int main(void)
{
	struct tap tap = { .suite = "show" };
	struct model_device *dev = sample(&tap);

	test_pretty(&tap, dev);
	test_params(&tap, dev);
	test_file(&tap, dev);
	model_device_free(dev);
	return tap_end(&tap);
}
