// SPDX-License-Identifier: GPL-2.0
/* The words of "set". (layer 3) */
#include "args.h"

#include <errno.h>
#include <string.h>

#include "parse.h"
#include "resolve.h"

/* What a word sets; @peer is NULL before the first "peer". */
struct args {
	struct ctx *ctx;
	struct model_device *dev;
	struct model_peer *peer;
};

static int args_listen_port(struct args *a, const char *value)
{
	a->dev->has |= MODEL_DEVICE_LISTEN_PORT;
	return resolve_port(a->ctx, value, &a->dev->listen_port);
}

static int args_fwmark(struct args *a, const char *value)
{
	a->dev->has |= MODEL_DEVICE_FWMARK;
	return parse_fwmark(a->ctx, value, &a->dev->fwmark);
}

static int args_private_key(struct args *a, const char *value)
{
	a->dev->has |= MODEL_DEVICE_PRIVATE_KEY;
	return parse_key_file(a->ctx, "private-key", value,
			      a->dev->private_key);
}

static int args_peer(struct args *a, const char *value)
{
	a->peer = model_add_peer(a->dev);
	if (!a->peer)
		return ctx_fail(a->ctx, -ENOMEM, "Out of memory");
	a->peer->has |= MODEL_PEER_PUBLIC_KEY;
	return parse_public_key(a->ctx, "peer", value, a->peer->public_key);
}

static int args_remove(struct args *a, const char *value)
{
	(void)value;
	a->peer->has |= MODEL_PEER_REMOVE;
	return 0;
}

static int args_preshared_key(struct args *a, const char *value)
{
	a->peer->has |= MODEL_PEER_PRESHARED_KEY;
	return parse_key_file(a->ctx, "preshared-key", value,
			      a->peer->preshared_key);
}

static int args_endpoint(struct args *a, const char *value)
{
	a->peer->has |= MODEL_PEER_ENDPOINT;
	return resolve_endpoint(a->ctx, value, &a->peer->endpoint);
}

static int args_keepalive(struct args *a, const char *value)
{
	a->peer->has |= MODEL_PEER_KEEPALIVE;
	return parse_keepalive(a->ctx, value, &a->peer->keepalive);
}

static int args_allowedips(struct args *a, const char *value)
{
	return parse_allowedips(a->ctx, a->peer, value, true);
}

enum args_place {
	ARGS_DEVICE,
	ARGS_PEER,
	ARGS_ANYWHERE,
};

static const struct args_word {
	const char *name;
	enum args_place place;
	bool bare;		/* takes no value */
	int (*take)(struct args *a, const char *value);
} args_words[] = {
	{ "listen-port", ARGS_DEVICE, false, args_listen_port },
	{ "fwmark", ARGS_DEVICE, false, args_fwmark },
	{ "private-key", ARGS_DEVICE, false, args_private_key },
	{ "peer", ARGS_ANYWHERE, false, args_peer },
	{ "remove", ARGS_PEER, true, args_remove },
	{ "preshared-key", ARGS_PEER, false, args_preshared_key },
	{ "endpoint", ARGS_PEER, false, args_endpoint },
	{ "persistent-keepalive", ARGS_PEER, false, args_keepalive },
	{ "allowed-ips", ARGS_PEER, false, args_allowedips },
};

static const struct args_word *args_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(args_words) / sizeof(args_words[0]); i++) {
		if (!strcmp(args_words[i].name, name))
			return &args_words[i];
	}
	return NULL;
}

int args_parse(struct ctx *ctx, struct model_device *dev, int argc,
	       char **argv)
{
	struct args a = { .ctx = ctx, .dev = dev };
	const struct args_word *word;
	int ret = 0;

	while (!ret && argc) {
		word = args_find(*argv);
		if (!word)
			return ctx_fail(ctx, -EINVAL,
					"Invalid argument: %s; see `%s set --help'",
					*argv, ctx->prog);
		if (word->place == ARGS_DEVICE && a.peer)
			return ctx_fail(ctx, -EINVAL,
					"Invalid argument: %s; it belongs before the first `peer'",
					*argv);
		if (word->place == ARGS_PEER && !a.peer)
			return ctx_fail(ctx, -EINVAL,
					"Invalid argument: %s; it belongs behind `peer KEY'",
					*argv);
		argc--;
		argv++;
		if (!word->bare && !argc)
			return ctx_fail(ctx, -EINVAL,
					"Invalid argument: %s; it needs a value",
					word->name);
		ret = word->take(&a, word->bare ? NULL : *argv);
		argc -= !word->bare;
		argv += !word->bare;
	}
	return ret;
}
