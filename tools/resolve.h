/* SPDX-License-Identifier: GPL-2.0 */
/* Names of hosts and services into numbers. (layer 2) */
#ifndef _WG_RESOLVE_H
#define _WG_RESOLVE_H

#include <stdbool.h>

#include "ctx.h"
#include "model.h"

/**
 * struct resolve_pace - how often and how fast to ask again
 * @left:	attempts left, -1 for no limit
 * @ms:		to wait before the next
 */
struct resolve_pace {
	int left;
	unsigned int ms;
};

/**
 * resolve_port() - a UDP port by number or service name
 * @ctx:	the run
 * @text:	value
 * @port:	result
 *
 * Return: 0 or negative errno with an error text.
 */
int resolve_port(struct ctx *ctx, const char *text, uint16_t *port);

/**
 * resolve_endpoint() - "host:port" into a socket address
 * @ctx:	the run
 * @text:	value
 * @ep:		result
 *
 * Failures that time may mend are tried again WG_ENDPOINT_RESOLUTION_RETRIES
 * times (15 if unset, "infinity" for ever), after one second first, then
 * always 1.2 times longer up to 20 seconds (spec 8.4).
 *
 * Return: 0 or negative errno with an error text.
 */
int resolve_endpoint(struct ctx *ctx, const char *text,
		     union model_endpoint *ep);

/**
 * resolve_endpoint_once() - the same with one attempt
 * @ctx:	the run
 * @text:	value
 * @ep:		result
 *
 * Return: 0, -EAGAIN if time may mend it, or another negative errno; with an
 * error text.
 */
int resolve_endpoint_once(struct ctx *ctx, const char *text,
			  union model_endpoint *ep);

/**
 * resolve_pace_begin() - how often to ask, by WG_ENDPOINT_RESOLUTION_RETRIES
 * @ctx:	the run
 * @retries:	if that is not set
 * @pace:	result
 *
 * Return: 0, or -EINVAL with an error text.
 */
int resolve_pace_begin(struct ctx *ctx, int retries, struct resolve_pace *pace);

/**
 * resolve_pace_wait() - tell why, and wait until the next attempt
 * @ctx:	the run
 * @pace:	pace
 * @why:	what failed
 *
 * Return: whether there is a next attempt.
 */
bool resolve_pace_wait(struct ctx *ctx, struct resolve_pace *pace,
		       const char *why);

#endif /* _WG_RESOLVE_H */
