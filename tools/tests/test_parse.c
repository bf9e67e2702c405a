// SPDX-License-Identifier: GPL-2.0
/* Single values: what is right reads, what is wrong says why. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../model.h"
#include "../parse.h"
#include "../resolve.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))

/* @want < 0: refused, with @error somewhere in the text. */
struct value {
	const char *text;
	int64_t want;
	const char *error;
};

static void check(struct tap *tap, struct tap_run *run, const struct value *v,
		  int ret, int64_t got)
{
	if (v->want < 0) {
		bool told = v->error && strstr(run->ctx.error, v->error) &&
			    strstr(run->ctx.error, v->text) &&
			    !strchr(run->ctx.error, '\n');

		tap_ok(tap, ret < 0 && told, "refuses `%s': %s", v->text,
		       run->ctx.error);
	} else {
		tap_ok(tap, !ret && got == v->want, "takes `%s'", v->text);
	}
	run->ctx.error[0] = '\0';
}

static void test_fwmark(struct tap *tap, struct tap_run *run)
{
	static const struct value values[] = {
		{ "off", 0, NULL }, { "OFF", 0, NULL }, { "0", 0, NULL },
		{ "010", 10, NULL }, { "4294967295", 4294967295, NULL },
		{ "0x10", 16, NULL }, { "0xFFffFFff", 4294967295, NULL },
		{ "0x0000000000001", 1, NULL },
		{ "", -1, "fwmark" }, { "4294967296", -1, "4294967295" },
		{ "0x100000000", -1, "0xffffffff" }, { "0X1f", -1, "fwmark" },
		{ "0x", -1, "fwmark" }, { " 5", -1, "fwmark" },
		{ "-1", -1, "fwmark" }, { "+1", -1, "fwmark" },
		{ "1x", -1, "fwmark" }, { "0xg", -1, "fwmark" },
		{ "99999999999999999999999", -1, "fwmark" },
	};
	size_t i;

	for (i = 0; i < N(values); i++) {
		uint32_t mark = 77;
		int ret = parse_fwmark(&run->ctx, values[i].text, &mark);

		check(tap, run, &values[i], ret, mark);
	}
}

static void test_keepalive(struct tap *tap, struct tap_run *run)
{
	static const struct value values[] = {
		{ "off", 0, NULL }, { "Off", 0, NULL }, { "0", 0, NULL },
		{ "25", 25, NULL }, { "65535", 65535, NULL },
		{ "007", 7, NULL },
		{ "65536", -1, "65535 seconds" }, { "-1", -1, "keepalive" },
		{ "", -1, "keepalive" }, { "0x10", -1, "keepalive" },
		{ "5 ", -1, "keepalive" }, { "on", -1, "keepalive" },
	};
	size_t i;

	for (i = 0; i < N(values); i++) {
		uint16_t secs = 77;
		int ret = parse_keepalive(&run->ctx, values[i].text, &secs);

		check(tap, run, &values[i], ret, secs);
	}
}

static void test_port(struct tap *tap, struct tap_run *run)
{
	static const struct value values[] = {
		{ "0", 0, NULL }, { "51820", 51820, NULL },
		{ "65535", 65535, NULL }, { "00005", 5, NULL },
		{ "65536", -1, "0 to 65535" }, { "70000", -1, "0 to 65535" },
		{ "", -1, "port" }, { "-1", -1, "port" }, { "+5", -1, "port" },
		{ " 5", -1, "port" }, { "0x50", -1, "port" },
		{ "no-such-service", -1, "UDP service" },
		{ "99999999999999999999", -1, "port" },
	};
	size_t i;

	for (i = 0; i < N(values); i++) {
		uint16_t port = 77;
		int ret = resolve_port(&run->ctx, values[i].text, &port);

		check(tap, run, &values[i], ret, port);
	}
}

static void list_text(const struct model_peer *peer, char *out)
{
	const struct model_allowedip *aip;
	char ip[MODEL_ALLOWEDIP_TEXT];

	*out = '\0';
	for (aip = peer->first; aip; aip = aip->next) {
		model_allowedip_addr(ip, aip);
		out += sprintf(out, "%s%s/%u ", aip->remove ? "-" : "", ip,
			       aip->cidr);
	}
}

static void test_allowedips(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		const char *want;
		bool replace;
		const char *error;
	} lists[] = {
		{ "", "", true, NULL },
		{ "  ", "", true, NULL },
		{ "10.0.0.0/8", "10.0.0.0/8 ", true, NULL },
		{ "10.1.2.3", "10.1.2.3/32 ", true, NULL },
		{ "::1", "::1/128 ", true, NULL },
		{ " 10.0.0.0 / 8 ,\tfd00:: / 8 ", "10.0.0.0/8 fd00::/8 ", true, NULL },
		{ "0.0.0.0/0,::/0", "0.0.0.0/0 ::/0 ", true, NULL },
		{ "10.0.0.0/08", "10.0.0.0/8 ", true, NULL },
		{ "+10.0.0.0/8", "10.0.0.0/8 ", false, NULL },
		{ "10.0.0.0/8,-fd00::/64", "10.0.0.0/8 -fd00::/64 ", false, NULL },
		{ "::ffff:1.2.3.4", "::ffff:1.2.3.4/128 ", true, NULL },
		{ ",", NULL, false, "Unable to parse IP address: `'" },
		{ "10.0.0.0/8,", NULL, false, "Unable to parse IP address: `'" },
		{ "10.0.0.0/33", NULL, false, "0 to 32" },
		{ "::/129", NULL, false, "0 to 128" },
		{ "10.0.0.0/", NULL, false, "0 to 32" },
		{ "10.0.0.0/-1", NULL, false, "0 to 32" },
		{ "10.0.0.0/8/8", NULL, false, "0 to 32" },
		{ "10.0.0/8", NULL, false, "`10.0.0'" },
		{ "host.example/8", NULL, false, "`host.example'" },
		{ "fe80::1%lo", NULL, false, "`fe80::1%lo'" },
		{ "++1.2.3.4", NULL, false, "`+1.2.3.4'" },
	};
	char text[512];
	size_t i;

	for (i = 0; i < N(lists); i++) {
		struct model_device *dev = model_device_create("x");
		struct model_peer *peer = model_add_peer(dev);
		int ret = parse_allowedips(&run->ctx, peer, lists[i].text,
					   true);
		bool replace = peer->has & MODEL_PEER_REPLACE_ALLOWEDIPS;

		list_text(peer, text);
		if (lists[i].want)
			tap_ok(tap, !ret && !strcmp(text, lists[i].want) &&
			       replace == lists[i].replace, "takes `%s'",
			       lists[i].text);
		else
			tap_ok(tap, ret < 0 && strstr(run->ctx.error,
						      lists[i].error),
			       "refuses `%s': %s", lists[i].text,
			       run->ctx.error);
		model_device_free(dev);
	}
	tap_run_text(run);
	tap_ok(tap, !*run->err, "no warning so far");
}

static void test_signs(struct tap *tap, struct tap_run *run)
{
	struct model_device *dev = model_device_create("x");
	struct model_peer *peer = model_add_peer(dev);

	parse_allowedips(&run->ctx, peer, "+10.0.0.0/8", true);
	parse_allowedips(&run->ctx, peer, "10.2.0.0/16", true);
	tap_ok(tap, !(peer->has & MODEL_PEER_REPLACE_ALLOWEDIPS),
	       "a later list without signs stays incremental");
	tap_ok(tap, parse_allowedips(&run->ctx, peer, "+1.2.3.4", false) < 0,
	       "signs are refused where they make no sense");
	parse_allowedips(&run->ctx, peer, "10.0.0.1/8,fd00::1/64", true);
	tap_run_text(run);
	tap_same(tap, run->err,
		 "Warning: AllowedIP has nonzero host part: 10.0.0.1/8\n"
		 "Warning: AllowedIP has nonzero host part: fd00::1/64\n",
		 "host bits warn");
	model_device_free(dev);
}

static void test_split(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		const char *host;
		const char *port;
	} splits[] = {
		{ "1.2.3.4:5", "1.2.3.4", "5" },
		{ "host.example:http", "host.example", "http" },
		{ "[::1]:5", "::1", "5" },
		{ "::1:5", "::1", "5" },
		{ "[fe80::1%lo]:5", "fe80::1%lo", "5" },
		{ ":5", "", "5" },
		{ "[]:5", "", "5" },
		{ "", NULL, "empty endpoint" },
		{ "1.2.3.4", NULL, "find port" },
		{ "1.2.3.4:", NULL, "find port" },
		{ "[::1]", NULL, "find port" },
		{ "[::1]:", NULL, "find port" },
		{ "[::1]5", NULL, "find port" },
		{ "[::1:5", NULL, "matching brace" },
		{ "[", NULL, "matching brace" },
		{ "]", NULL, "find port" },
	};
	size_t i;

	for (i = 0; i < N(splits); i++) {
		char *host = NULL, *port = NULL;
		int ret = parse_split_endpoint(&run->ctx, splits[i].text,
					       &host, &port);

		if (splits[i].host)
			tap_ok(tap, !ret && !strcmp(host, splits[i].host) &&
			       !strcmp(port, splits[i].port), "splits `%s'",
			       splits[i].text);
		else
			tap_ok(tap, ret < 0 && strstr(run->ctx.error,
						      splits[i].port),
			       "refuses `%s': %s", splits[i].text,
			       run->ctx.error);
		if (!ret)
			free(host);
	}
}

#define KEY	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="

static void test_key_file(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *text;
		int first;		/* byte of the key, or -1 */
		const char *error;
	} files[] = {
		{ KEY, 0xb8, NULL },
		{ KEY "\n", 0xb8, NULL },
		{ KEY "\n \t\r\n", 0xb8, NULL },
		{ "", 0, NULL },
		{ KEY "x", -1, "goes on" },
		{ KEY "\n" KEY, -1, "goes on" },
		{ "abc", -1, "does not hold a key" },
		{ "\n", -1, "does not hold a key" },
		{ " " KEY, -1, "goes on" },
		{ "uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UV=", -1,
		  "does not hold a key" },
	};
	char path[] = "/tmp/wgpeer-test.XXXXXX";
	int fd = mkstemp(path);
	uint8_t key[WG_KEY_LEN];
	size_t i;
	int ret;

	for (i = 0; i < N(files); i++) {
		ssize_t len = strlen(files[i].text);

		if (ftruncate(fd, 0) || pwrite(fd, files[i].text, len, 0) != len)
			abort();
		memset(key, 0x55, sizeof(key));
		ret = parse_key_file(&run->ctx, "private-key", path, key);
		if (files[i].first >= 0)
			tap_ok(tap, !ret && key[0] == files[i].first,
			       "key file %zu reads", i);
		else
			tap_ok(tap, ret < 0 &&
			       strstr(run->ctx.error, files[i].error) &&
			       strstr(run->ctx.error, path) &&
			       !strstr(run->ctx.error, "uMO02"),
			       "key file %zu is refused, unseen", i);
	}
	close(fd);
	unlink(path);
	ret = parse_key_file(&run->ctx, "private-key", path, key);
	tap_ok(tap, ret == -ENOENT && strstr(run->ctx.error, path),
	       "no such key file");
	ret = parse_key_file(&run->ctx, "private-key", "/", key);
	tap_ok(tap, ret == -EISDIR, "a directory is no key file");
	tap_ok(tap, !parse_key_file(&run->ctx, "x", "/dev/null", key) &&
	       !key[0], "/dev/null is no key");
	ret = parse_key_file(&run->ctx, "x", "/dev/zero", key);
	tap_ok(tap, ret == -EFBIG, "an endless file is refused");
}

int main(void)
{
	struct tap tap = { .suite = "parse" };
	struct tap_run run;

	tap_run_begin(&run);
	test_fwmark(&tap, &run);
	test_keepalive(&tap, &run);
	test_port(&tap, &run);
	test_allowedips(&tap, &run);
	test_signs(&tap, &run);
	test_split(&tap, &run);
	test_key_file(&tap, &run);
	tap_run_end(&run);
	return tap_end(&tap);
}
