// SPDX-License-Identifier: GPL-2.0
/* Names of hosts and services into numbers. (layer 2) */
#include "resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

#define RESOLVE_RETRIES		15
#define RESOLVE_FIRST_MS	1000
#define RESOLVE_MAX_MS		20000

/* The C library would take "70000" for 4464 and " 5" for 5. */
static bool resolve_is_odd_number(const char *port)
{
	uint64_t n;

	return parse_number(port, UINT16_MAX, &n) == -ERANGE ||
	       (*port && strchr("+- \t\n\v\f\r", *port));
}

int resolve_port(struct ctx *ctx, const char *text, uint16_t *port)
{
	struct addrinfo hints = {
		.ai_family = AF_INET,
		.ai_socktype = SOCK_DGRAM,
		.ai_protocol = IPPROTO_UDP,
		.ai_flags = AI_PASSIVE,
	};
	struct addrinfo *res = NULL;
	uint64_t n;
	int ret;

	ret = parse_number(text, UINT16_MAX, &n);
	if (!ret) {
		*port = n;
		return 0;
	}
	if (*text && !resolve_is_odd_number(text) &&
	    !ctx->getaddrinfo(NULL, text, &hints, &res)) {
		*port = ntohs(((struct sockaddr_in *)res->ai_addr)->sin_port);
		freeaddrinfo(res);
		return 0;
	}
	return ctx_fail(ctx, -EINVAL,
			"port: `%s' is not a port; it must be 0 to 65535 or the name of a UDP service",
			text);
}

int resolve_pace_begin(struct ctx *ctx, int retries, struct resolve_pace *pace)
{
	const char *text = getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
	uint64_t n = retries;

	pace->left = -1;
	pace->ms = RESOLVE_FIRST_MS;
	if (text && !strcmp(text, "infinity"))
		return 0;
	if (text && *text && parse_number(text, INT32_MAX, &n))
		return ctx_fail(ctx, -EINVAL,
				"Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: `%s'; it must be a number or infinity",
				text);
	pace->left = n;
	return 0;
}

bool resolve_pace_wait(struct ctx *ctx, struct resolve_pace *pace,
		       const char *why)
{
	if (!pace->left)
		return false;
	fprintf(ctx->err, "%s. Trying again in %u.%02u seconds...\n", why,
		pace->ms / 1000, pace->ms % 1000 / 10);
	ctx->pause_ms(pace->ms);
	pace->ms = pace->ms * 6 / 5;
	if (pace->ms > RESOLVE_MAX_MS)
		pace->ms = RESOLVE_MAX_MS;
	if (pace->left > 0)
		pace->left--;
	return true;
}

/* Failures that asking again cannot change. */
static bool resolve_is_permanent(int err)
{
	switch (err) {
	case EAI_NONAME:
	case EAI_FAIL:
	case EAI_SERVICE:
	case EAI_FAMILY:
	case EAI_SOCKTYPE:
	case EAI_BADFLAGS:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
		return true;
	default:
		return false;
	}
}

static const char *resolve_strerror(int err)
{
	return err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err);
}

/* The first usable address; 0 or an EAI_ code. */
static int resolve_ask(struct ctx *ctx, const char *host, const char *port,
		       union model_endpoint *ep)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_protocol = IPPROTO_UDP,
	};
	struct addrinfo *res = NULL, *ai;
	int err;

	err = ctx->getaddrinfo(host, port, &hints, &res);
	if (err)
		return err;
	err = EAI_FAMILY;
	for (ai = res; ai; ai = ai->ai_next) {
		if ((ai->ai_family == AF_INET || ai->ai_family == AF_INET6) &&
		    ai->ai_addrlen <= sizeof(*ep)) {
			memset(ep, 0, sizeof(*ep));
			memcpy(ep, ai->ai_addr, ai->ai_addrlen);
			err = 0;
			break;
		}
	}
	freeaddrinfo(res);
	return err;
}

int resolve_endpoint_once(struct ctx *ctx, const char *text,
			  union model_endpoint *ep)
{
	char *host, *port;
	int ret, err;

	ret = parse_split_endpoint(ctx, text, &host, &port);
	if (ret)
		return ret;
	if (resolve_is_odd_number(port)) {
		ret = ctx_fail(ctx, -EINVAL,
			       "endpoint: port of `%s' is no port; it must be 0 to 65535 or the name of a UDP service",
			       text);
	} else {
		err = resolve_ask(ctx, host, port, ep);
		if (err)
			ret = ctx_fail(ctx, resolve_is_permanent(err) ?
				       -EINVAL : -EAGAIN, "endpoint: %s: `%s'",
				       resolve_strerror(err), text);
	}
	free(host);
	return ret;
}

int resolve_endpoint(struct ctx *ctx, const char *text,
		     union model_endpoint *ep)
{
	struct resolve_pace pace;
	int ret;

	ret = resolve_pace_begin(ctx, RESOLVE_RETRIES, &pace);
	if (ret)
		return ret;
	do {
		ret = resolve_endpoint_once(ctx, text, ep);
	} while (ret == -EAGAIN && resolve_pace_wait(ctx, &pace, ctx->error));
	return ret == -EAGAIN ? -EINVAL : ret;
}
