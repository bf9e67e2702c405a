// SPDX-License-Identifier: GPL-2.0
/* show: devices for people and for scripts. (layer 6) */
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "ipc.h"
#include "term.h"
#include "verbs.h"

/* --- cells ---------------------------------------------------------------- */

static void show_key(FILE *out, const uint8_t key[WG_KEY_LEN])
{
	char text[BASE64_KEY_SIZE];

	base64_encode_key(text, key);
	fputs(text, out);
	explicit_bzero(text, sizeof(text));
}

static void show_key_or_none(FILE *out, const uint8_t key[WG_KEY_LEN])
{
	if (key_is_zero(key))
		fputs("(none)", out);
	else
		show_key(out, key);
}

static void show_fwmark(FILE *out, const struct model_device *dev)
{
	if (dev->fwmark)
		fprintf(out, "0x%" PRIx32, dev->fwmark);
	else
		fputs("off", out);
}

static void show_endpoint(FILE *out, const struct model_peer *peer)
{
	char text[MODEL_ENDPOINT_TEXT];

	fputs(model_endpoint_text(text, &peer->endpoint) ? text : "(none)",
	      out);
}

static void show_allowedips(FILE *out, const struct model_peer *peer, char sep)
{
	const struct model_allowedip *aip;
	char ip[MODEL_ALLOWEDIP_TEXT];

	if (!peer->first)
		fputs("(none)", out);
	for (aip = peer->first; aip; aip = aip->next) {
		model_allowedip_addr(ip, aip);
		fprintf(out, "%s/%u", ip, aip->cidr);
		if (aip->next)
			fputc(sep, out);
	}
}

static void show_keepalive(FILE *out, const struct model_peer *peer)
{
	if (peer->keepalive)
		fprintf(out, "%u", peer->keepalive);
	else
		fputs("off", out);
}

/* --- for scripts ---------------------------------------------------------- */

static void col_public_key(FILE *out, const struct model_device *dev)
{
	show_key_or_none(out, dev->public_key);
}

static void col_private_key(FILE *out, const struct model_device *dev)
{
	show_key_or_none(out, dev->private_key);
}

static void col_listen_port(FILE *out, const struct model_device *dev)
{
	fprintf(out, "%u", dev->listen_port);
}

static void col_dump_device(FILE *out, const struct model_device *dev)
{
	col_private_key(out, dev);
	fputc('\t', out);
	col_public_key(out, dev);
	fprintf(out, "\t%u\t", dev->listen_port);
	show_fwmark(out, dev);
}

/* The peer's key is printed by the caller. */
static void col_peer(FILE *out, const struct model_peer *peer)
{
	(void)out;
	(void)peer;
}

static void col_preshared_key(FILE *out, const struct model_peer *peer)
{
	fputc('\t', out);
	show_key_or_none(out, peer->preshared_key);
}

static void col_endpoint(FILE *out, const struct model_peer *peer)
{
	fputc('\t', out);
	show_endpoint(out, peer);
}

static void col_allowedips(FILE *out, const struct model_peer *peer)
{
	fputc('\t', out);
	show_allowedips(out, peer, ' ');
}

static void col_handshake(FILE *out, const struct model_peer *peer)
{
	fprintf(out, "\t%" PRId64, peer->handshake_sec);
}

static void col_transfer(FILE *out, const struct model_peer *peer)
{
	fprintf(out, "\t%" PRIu64 "\t%" PRIu64, peer->rx_bytes,
		peer->tx_bytes);
}

static void col_keepalive(FILE *out, const struct model_peer *peer)
{
	fputc('\t', out);
	show_keepalive(out, peer);
}

static void col_dump_peer(FILE *out, const struct model_peer *peer)
{
	col_preshared_key(out, peer);
	col_endpoint(out, peer);
	fputc('\t', out);
	show_allowedips(out, peer, ',');
	col_handshake(out, peer);
	col_transfer(out, peer);
	col_keepalive(out, peer);
}

/* A line for the device, a line for each peer, or both. */
static const struct show_column {
	const char *name;
	void (*device)(FILE *out, const struct model_device *dev);
	void (*peer)(FILE *out, const struct model_peer *peer);
} show_columns[] = {
	{ "public-key", col_public_key, NULL },
	{ "private-key", col_private_key, NULL },
	{ "listen-port", col_listen_port, NULL },
	{ "fwmark", show_fwmark, NULL },
	{ "peers", NULL, col_peer },
	{ "preshared-keys", NULL, col_preshared_key },
	{ "endpoints", NULL, col_endpoint },
	{ "allowed-ips", NULL, col_allowedips },
	{ "latest-handshakes", NULL, col_handshake },
	{ "transfer", NULL, col_transfer },
	{ "persistent-keepalive", NULL, col_keepalive },
	{ "dump", col_dump_device, col_dump_peer },
};

static const struct show_column *show_find(struct ctx *ctx, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(show_columns) / sizeof(show_columns[0]); i++) {
		if (!strcmp(show_columns[i].name, name))
			return &show_columns[i];
	}
	ctx_fail(ctx, -EINVAL, "Invalid parameter: `%s'", name);
	return NULL;
}

int show_param(struct ctx *ctx, const struct model_device *dev,
	       const char *param, bool prefix)
{
	const struct show_column *col = show_find(ctx, param);
	const struct model_peer *peer;

	if (!col)
		return VERB_USAGE;
	if (col->device) {
		if (prefix)
			fprintf(ctx->out, "%s\t", dev->name);
		col->device(ctx->out, dev);
		fputc('\n', ctx->out);
	}
	for (peer = dev->first; peer && col->peer; peer = peer->next) {
		if (prefix)
			fprintf(ctx->out, "%s\t", dev->name);
		show_key(ctx->out, peer->public_key);
		col->peer(ctx->out, peer);
		fputc('\n', ctx->out);
	}
	return 0;
}

/* --- for people ----------------------------------------------------------- */

struct pretty {
	struct term term;
	time_t now;
	bool show_keys;
};

static void pretty_label(const struct pretty *p, const char *label)
{
	fputs("  ", p->term.out);
	term_paint(&p->term, TERM_LABEL);
	fputs(label, p->term.out);
	term_paint(&p->term, TERM_RESET);
	fputs(": ", p->term.out);
}

static void pretty_secret(const struct pretty *p, const char *label,
			  const uint8_t key[WG_KEY_LEN])
{
	pretty_label(p, label);
	if (p->show_keys)
		show_key(p->term.out, key);
	else
		fputs("(hidden)", p->term.out);
	fputc('\n', p->term.out);
}

static void pretty_device(const struct pretty *p,
			  const struct model_device *dev)
{
	FILE *out = p->term.out;

	term_paint(&p->term, TERM_INTERFACE);
	fputs("interface", out);
	term_paint(&p->term, TERM_RESET);
	fputs(": ", out);
	term_paint(&p->term, TERM_NAME);
	fputs(dev->name, out);
	term_paint(&p->term, TERM_RESET);
	fputc('\n', out);
	if (!key_is_zero(dev->public_key)) {
		pretty_label(p, "public key");
		show_key(out, dev->public_key);
		fputc('\n', out);
	}
	if (!key_is_zero(dev->private_key))
		pretty_secret(p, "private key", dev->private_key);
	if (dev->listen_port) {
		pretty_label(p, "listening port");
		fprintf(out, "%u\n", dev->listen_port);
	}
	if (dev->fwmark) {
		pretty_label(p, "fwmark");
		show_fwmark(out, dev);
		fputc('\n', out);
	}
}

static void pretty_allowedips(const struct pretty *p,
			      const struct model_peer *peer)
{
	const struct model_allowedip *aip;
	char ip[MODEL_ALLOWEDIP_TEXT];
	FILE *out = p->term.out;

	pretty_label(p, "allowed ips");
	if (!peer->first)
		fputs("(none)\n", out);
	for (aip = peer->first; aip; aip = aip->next) {
		model_allowedip_addr(ip, aip);
		fputs(ip, out);
		term_paint(&p->term, TERM_UNIT);
		fputc('/', out);
		term_paint(&p->term, TERM_RESET);
		fprintf(out, "%u%s", aip->cidr, aip->next ? ", " : "\n");
	}
}

static void pretty_handshake(const struct pretty *p,
			     const struct model_peer *peer)
{
	int64_t ago = p->now - peer->handshake_sec;
	FILE *out = p->term.out;

	pretty_label(p, "latest handshake");
	if (ago < 0) {
		fputc('(', out);
		term_paint(&p->term, TERM_ALERT);
		fputs("System clock wound backward; connection problems may ensue.",
		      out);
		term_paint(&p->term, TERM_RESET);
		fputs(")\n", out);
	} else if (!ago) {
		fputs("Now\n", out);
	} else {
		term_duration(&p->term, ago);
		fputs(" ago\n", out);
	}
}

static void pretty_peer(const struct pretty *p, const struct model_peer *peer)
{
	FILE *out = p->term.out;

	fputc('\n', out);
	term_paint(&p->term, TERM_PEER);
	fputs("peer", out);
	term_paint(&p->term, TERM_RESET);
	fputs(": ", out);
	term_paint(&p->term, TERM_KEY);
	show_key(out, peer->public_key);
	term_paint(&p->term, TERM_RESET);
	fputc('\n', out);
	if (!key_is_zero(peer->preshared_key))
		pretty_secret(p, "preshared key", peer->preshared_key);
	if (model_endpoint_size(&peer->endpoint)) {
		pretty_label(p, "endpoint");
		show_endpoint(out, peer);
		fputc('\n', out);
	}
	pretty_allowedips(p, peer);
	if (peer->handshake_sec)
		pretty_handshake(p, peer);
	if (peer->rx_bytes || peer->tx_bytes) {
		pretty_label(p, "transfer");
		term_bytes(&p->term, peer->rx_bytes);
		fputs(" received, ", out);
		term_bytes(&p->term, peer->tx_bytes);
		fputs(" sent\n", out);
	}
	if (peer->keepalive) {
		pretty_label(p, "persistent keepalive");
		fputs("every ", out);
		term_duration(&p->term, peer->keepalive);
		fputc('\n', out);
	}
}

/* A peer and its place, which makes the order stable. */
struct pretty_slot {
	const struct model_peer *peer;
	size_t place;
};

static int pretty_compare(const void *a, const void *b)
{
	const struct pretty_slot *x = a, *y = b;

	if (x->peer->handshake_sec != y->peer->handshake_sec)
		return x->peer->handshake_sec < y->peer->handshake_sec ? 1 : -1;
	if (x->peer->handshake_nsec != y->peer->handshake_nsec)
		return x->peer->handshake_nsec < y->peer->handshake_nsec ? 1 :
									   -1;
	return x->place < y->place ? -1 : 1;
}

static int pretty_peers(const struct pretty *p,
			const struct model_device *dev)
{
	const struct model_peer *peer;
	struct pretty_slot *slots;
	size_t n = 0, i = 0;

	for (peer = dev->first; peer; peer = peer->next)
		n++;
	if (!n)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (peer = dev->first; peer; peer = peer->next, i++)
		slots[i] = (struct pretty_slot){ peer, i };
	qsort(slots, n, sizeof(*slots), pretty_compare);
	for (i = 0; i < n; i++)
		pretty_peer(p, slots[i].peer);
	free(slots);
	return 0;
}

int show_pretty(struct ctx *ctx, const struct model_device *dev)
{
	const char *hide = getenv("WG_HIDE_KEYS");
	const struct pretty p = {
		.term = { .out = ctx->out, .color = ctx->color },
		.now = ctx->now(),
		.show_keys = hide && !strcmp(hide, "never"),
	};

	pretty_device(&p, dev);
	return pretty_peers(&p, dev);
}

/* --- the verb ------------------------------------------------------------- */

static int show_one(struct ctx *ctx, const char *name, const char *param,
		    bool prefix)
{
	struct model_device *dev;
	int ret;

	ret = ipc_get(ctx, name, &dev);
	if (ret)
		return ret;
	if (param)
		ret = show_param(ctx, dev, param, prefix);
	else
		ret = show_pretty(ctx, dev);
	model_device_free(dev);
	return ret;
}

static int show_interfaces(struct ctx *ctx)
{
	struct name_list list;
	size_t i;
	int ret;

	ret = ipc_list(ctx, &list);
	for (i = 0; !ret && i < list.count; i++)
		fprintf(ctx->out, "%s%c", list.names[i],
			i + 1 < list.count ? ' ' : '\n');
	name_list_free(&list);
	return ret;
}

/* Fails only if no interface could be shown. */
static int show_all(struct ctx *ctx, const char *param)
{
	struct name_list list;
	size_t i, shown = 0;
	int ret, err;

	ret = ipc_list(ctx, &list);
	for (i = 0; !ret && i < list.count; i++) {
		err = show_one(ctx, list.names[i], param, true);
		if (err == VERB_USAGE) {
			ret = err;
		} else if (err) {
			fprintf(ctx->err, "%s: %s\n", list.names[i],
				ctx->error);
			ctx->error[0] = '\0';
			continue;
		}
		shown++;
		if (!param && i + 1 < list.count)
			fputc('\n', ctx->out);
	}
	if (!ret && !shown && list.count)
		ret = -EIO;
	name_list_free(&list);
	return ret;
}

int show_main(struct ctx *ctx, int argc, char **argv)
{
	const char *param = argc == 3 ? argv[2] : NULL;

	if (argc > 3)
		return VERB_USAGE;
	if (argc == 1 || !strcmp(argv[1], "all"))
		return show_all(ctx, param);
	if (!strcmp(argv[1], "interfaces")) {
		if (param)
			return VERB_USAGE;
		return show_interfaces(ctx);
	}
	return show_one(ctx, argv[1], param, false);
}
