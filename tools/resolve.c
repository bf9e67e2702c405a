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
	/* The C library would take "70000" for 4464 and " 5" for 5. */
	if (ret == -ERANGE || !strchr("+- \t\n\v\f\r", *text)) {
		if (ret != -ERANGE &&
		    !ctx->getaddrinfo(NULL, text, &hints, &res)) {
			*port = ntohs(((struct sockaddr_in *)res->ai_addr)->sin_port);
			freeaddrinfo(res);
			return 0;
		}
	}
	return ctx_fail(ctx, -EINVAL,
			"port: `%s' is not a port; it must be 0 to 65535 or the name of a UDP service",
			text);
}

/* Retries allowed, -1 for no limit. */
static int resolve_retries(struct ctx *ctx, int *retries)
{
	const char *text = getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
	uint64_t n = RESOLVE_RETRIES;

	if (text && !strcmp(text, "infinity")) {
		*retries = -1;
		return 0;
	}
	if (text && *text && parse_number(text, INT32_MAX, &n))
		return ctx_fail(ctx, -EINVAL,
				"Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: `%s'; it must be a number or infinity",
				text);
	*retries = n;
	return 0;
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
static int resolve_once(struct ctx *ctx, const char *host, const char *port,
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

static int resolve_retry(struct ctx *ctx, const char *text, const char *host,
			 const char *port, union model_endpoint *ep)
{
	unsigned int wait = RESOLVE_FIRST_MS;
	int left = 0, err, ret;

	ret = resolve_retries(ctx, &left);
	if (ret)
		return ret;
	for (;;) {
		err = resolve_once(ctx, host, port, ep);
		if (!err)
			return 0;
		if (resolve_is_permanent(err) || !left)
			return ctx_fail(ctx, -EINVAL, "endpoint: %s: `%s'",
					resolve_strerror(err), text);
		fprintf(ctx->err,
			"%s: `%s'. Trying again in %u.%02u seconds...\n",
			resolve_strerror(err), text, wait / 1000,
			wait % 1000 / 10);
		ctx->pause_ms(wait);
		wait = wait * 6 / 5;
		if (wait > RESOLVE_MAX_MS)
			wait = RESOLVE_MAX_MS;
		if (left > 0)
			left--;
	}
}

int resolve_endpoint(struct ctx *ctx, const char *text,
		     union model_endpoint *ep)
{
	char *host, *port;
	uint64_t n;
	int ret;

	ret = parse_split_endpoint(ctx, text, &host, &port);
	if (ret)
		return ret;
	if (parse_number(port, UINT16_MAX, &n) == -ERANGE)
		ret = ctx_fail(ctx, -EINVAL,
			       "endpoint: port of `%s' is too large; it must be 0 to 65535",
			       text);
	else
		ret = resolve_retry(ctx, text, host, port, ep);
	free(host);
	return ret;
}
