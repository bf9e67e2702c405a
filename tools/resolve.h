/* SPDX-License-Identifier: GPL-2.0 */
/* Names of hosts and services into numbers. (layer 2) */
#ifndef _WG_RESOLVE_H
#define _WG_RESOLVE_H

#include "ctx.h"
#include "model.h"

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

#endif /* _WG_RESOLVE_H */
