// SPDX-License-Identifier: GPL-2.0
/* Clients of a server: list. (layer 8) */
#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base64.h"
#include "ipc.h"
#include "opts.h"
#include "term.h"
#include "tunnel.h"

/**
 * struct server_row - a client as it is shown
 * @name:	of the client, NULL if it has none
 * @ips:	its allowed IPs, with commas
 * @key:	public key
 * @mode:	what it sends here
 * @handshake:	wall clock of the latest one, 0: never, -1: not up
 */
struct server_row {
	const char *name;
	struct text ips;
	char key[BASE64_KEY_SIZE];
	const char *mode;
	int64_t handshake;
};

static int64_t server_handshake(const struct model_device *dev,
				const uint8_t key[WG_KEY_LEN])
{
	const struct model_peer *peer;

	for (peer = dev ? dev->first : NULL; peer; peer = peer->next) {
		if (!memcmp(peer->public_key, key, WG_KEY_LEN))
			return peer->handshake_sec;
	}
	return -1;
}

static void server_row_fill(const struct role *role, size_t section,
			    const struct model_device *dev, bool json,
			    struct server_row *row)
{
	const struct model_peer *peer = quick_peer(role->quick, section);
	const struct model_allowedip *aip;
	struct cidr cidr;
	char text[CIDR_TEXT];

	memset(row, 0, sizeof(*row));
	row->name = peer->name;
	base64_encode_key(row->key, peer->public_key);
	row->handshake = server_handshake(dev, peer->public_key);
	if (quick_setting(role->quick, section, "previous"))
		row->mode = "previous";
	else if (role_yes(role, section, "exit"))
		row->mode = "exit";
	else
		row->mode = "split";
	for (aip = peer->first; aip; aip = aip->next) {
		cidr = model_allowedip_cidr(aip);
		if (cidr.len == cidr_max(cidr.family))
			cidr_addr_text(text, &cidr);
		else
			cidr_text(text, &cidr);
		if (row->ips.len)
			text_put(&row->ips, json ? ", " : ",");
		if (json)
			text_put_json(&row->ips, text);
		else
			text_put(&row->ips, text);
	}
}

static void server_print_json(struct ctx *ctx, const struct server_row *row,
			      bool first)
{
	struct text name = { 0 };

	if (row->name)
		text_put_json(&name, row->name);
	else
		text_put(&name, "null");
	fprintf(ctx->out,
		"%s\n    {\"name\": %s, \"addresses\": [%s], \"public_key\": \"%s\", \"mode\": \"%s\", \"latest_handshake\": ",
		first ? "" : ",", text_string(&name), text_string(&row->ips),
		row->key, row->mode);
	if (row->handshake > 0)
		fprintf(ctx->out, "%" PRId64 "}", row->handshake);
	else
		fputs("null}", ctx->out);
	text_free(&name);
}

static void server_print_row(struct ctx *ctx, const struct server_row *row)
{
	struct term term = { .out = ctx->out };
	int64_t ago = ctx->now() - row->handshake;

	fprintf(ctx->out, "%-20s %-8s %s %s  ", row->name ? row->name : "-",
		row->mode, row->key, text_string(&row->ips));
	if (row->handshake < 0) {
		fputs("not up", ctx->out);
	} else if (!row->handshake) {
		fputs("no handshake", ctx->out);
	} else if (ago <= 0) {
		fputs("now", ctx->out);
	} else {
		term_duration(&term, ago);
		fputs(" ago", ctx->out);
	}
	fputc('\n', ctx->out);
}

static void server_print(struct ctx *ctx, const struct role *role,
			 const struct model_device *dev, bool json)
{
	struct server_row row;
	size_t i;

	if (json)
		fprintf(ctx->out,
			"{\n  \"interface\": \"%s\",\n  \"up\": %s,\n  \"clients\": [",
			role->name, dev ? "true" : "false");
	for (i = 1; i <= quick_peers(role->quick); i++) {
		server_row_fill(role, i, dev, json, &row);
		if (json)
			server_print_json(ctx, &row, i == 1);
		else
			server_print_row(ctx, &row);
		text_free(&row.ips);
	}
	if (json)
		fputs("\n  ]\n}\n", ctx->out);
}

int server_list(struct ctx *ctx, int argc, char **argv)
{
	struct model_device *dev = NULL;
	const char *dir = NULL;
	bool json = false;
	const struct opt opts[] = {
		{ "json", &json, NULL },
		{ "config-dir", NULL, &dir },
		{ NULL, NULL, NULL },
	};
	struct role role;
	int ret;

	ret = opts_parse(ctx, "server list", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "server list", "IF", argc);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "server", dir, argv[1], false);
	if (!ret && tunnel_is_up(ctx, role.name))
		ret = ipc_get(ctx, role.name, &dev);
	if (!ret)
		server_print(ctx, &role, dev, json);
	model_device_free(dev);
	role_close(&role);
	return ret;
}
