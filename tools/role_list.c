// SPDX-License-Identifier: GPL-2.0
/* The peers of a setup as they are shown. (layer 7) */
#include "role_list.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base64.h"
#include "ipc.h"
#include "term.h"
#include "tunnel.h"

/**
 * struct role_row - a peer as it is shown
 * @name:	of the peer, NULL if it has none
 * @ips:	its allowed IPs, with commas
 * @key:	public key
 * @mode:	what kind of peer that is
 * @handshake:	wall clock of the latest one, 0: never, -1: not up
 */
struct role_row {
	const char *name;
	struct text ips;
	char key[BASE64_KEY_SIZE];
	const char *mode;
	int64_t handshake;
};

static int64_t role_handshake(const struct model_device *dev,
				const uint8_t key[WG_KEY_LEN])
{
	const struct model_peer *peer;

	for (peer = dev ? dev->first : NULL; peer; peer = peer->next) {
		if (!memcmp(peer->public_key, key, WG_KEY_LEN))
			return peer->handshake_sec;
	}
	return -1;
}

static void role_row_fill(const struct role *role, size_t section,
			  const struct model_device *dev, bool json,
			  role_mode mode, struct role_row *row)
{
	const struct model_peer *peer = quick_peer(role->quick, section);
	const struct model_allowedip *aip;
	struct cidr cidr;
	char text[CIDR_TEXT];

	memset(row, 0, sizeof(*row));
	row->name = peer->name;
	base64_encode_key(row->key, peer->public_key);
	row->handshake = role_handshake(dev, peer->public_key);
	row->mode = mode(role, section);
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

static void role_print_json(struct ctx *ctx, const struct role_row *row,
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

static void role_print_row(struct ctx *ctx, const struct role_row *row)
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

int role_list(struct ctx *ctx, const struct role *role, const char *what,
	      bool json, role_mode mode)
{
	struct model_device *dev = NULL;
	struct role_row row;
	size_t i;
	int ret;

	if (tunnel_is_up(ctx, role->name)) {
		ret = ipc_get(ctx, role->name, &dev);
		if (ret)
			return ret;
	}
	if (json)
		fprintf(ctx->out,
			"{\n  \"interface\": \"%s\",\n  \"up\": %s,\n  \"%s\": [",
			role->name, dev ? "true" : "false", what);
	for (i = 1; i <= quick_peers(role->quick); i++) {
		role_row_fill(role, i, dev, json, mode, &row);
		if (json)
			role_print_json(ctx, &row, i == 1);
		else
			role_print_row(ctx, &row);
		text_free(&row.ips);
	}
	if (json)
		fputs("\n  ]\n}\n", ctx->out);
	model_device_free(dev);
	return 0;
}
