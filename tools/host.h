/* SPDX-License-Identifier: GPL-2.0 */
/* What there is on this host, and what would collide with it. (layer 5) */
#ifndef _WG_HOST_H
#define _WG_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "cidr.h"
#include "ctx.h"
#include "quick.h"
#include "rtnl.h"

enum host_wan {
	HOST_WAN_NONE,		/* no default route */
	HOST_WAN_PUBLIC,
	HOST_WAN_PRIVATE,	/* RFC 1918: behind another router */
	HOST_WAN_SHARED,	/* 100.64/10: the provider translates */
	HOST_WAN_DSLITE,	/* IPv4 only through the provider, 192.0.0/29 */
};

/**
 * host_wan() - the address under which this host goes to the internet
 * @ctx:	the run
 * @rtnl:	socket
 * @family:	AF_INET or AF_INET6
 * @addr:	result, a single host
 *
 * Return: what kind of address that is.
 */
enum host_wan host_wan(struct ctx *ctx, struct rtnl *rtnl, uint16_t family,
		       struct cidr *addr);

/**
 * host_wan_words() - what a kind of address means for who wants to reach us
 * @wan:	kind
 *
 * Return: a sentence that says what has to be done, NULL if nothing.
 */
const char *host_wan_words(enum host_wan wan);

/* Takes a network without host bits; must not use the rtnetlink socket. */
typedef int (*host_net_cb)(const struct cidr *net, int index, void *data);

/**
 * host_each_network() - every network this host has an address or a route in
 * @rtnl:	socket
 * @except:	interface that is left out, may be NULL
 * @cb:		called with the network and its interface, 0 for a route with
 *		several; maybe more than once for the same.  Left out are
 *		default routes, whole or in pieces, loopback, link-local,
 *		multicast
 * @data:	for @cb
 *
 * Return: 0 or negative errno with an error text.
 */
int host_each_network(struct rtnl *rtnl, const char *except, host_net_cb cb,
		      void *data);

/**
 * host_networks() - the same as a list
 * @ctx:	the run
 * @rtnl:	socket
 * @except:	interface that is left out, may be NULL
 * @list:	appended to, each once
 *
 * Return: 0 or negative errno with an error text.
 */
int host_networks(struct ctx *ctx, struct rtnl *rtnl, const char *except,
		  struct cidr_list *list);

/**
 * host_pick_tunnel() - networks for a tunnel that collide with nothing here
 * @ctx:	the run
 * @rtnl:	socket
 * @except:	interface that is left out, may be NULL
 * @avoid:	further networks to stay away from, may be NULL
 * @v4:		result, a /24 of 10/8, host bits zero
 * @v6:		result, a /64 of a random unique local prefix (RFC 4193)
 *
 * Return: 0 or negative errno with an error text.
 */
int host_pick_tunnel(struct ctx *ctx, struct rtnl *rtnl, const char *except,
		     const struct cidr_list *avoid, struct cidr *v4,
		     struct cidr *v6);

/**
 * host_port_free() - whether nobody listens on a UDP port
 * @port:	port
 */
bool host_port_free(uint16_t port);

/**
 * host_pick_port() - a UDP port nobody uses
 * @first:	tried first, then the following ones
 *
 * Return: the port, 0 if none of a hundred is free.
 */
uint16_t host_pick_port(uint16_t first);

/**
 * host_check() - what is wrong with a file on this host
 * @ctx:	the run
 * @rtnl:	socket
 * @quick:	file
 *
 * Refuses: own public key as peer, the same key twice, the same allowed IPs
 * with two peers, an own address that overlaps a network of this host, an
 * allowed network that is one of them or inside one (not what this interface
 * has already; nor a larger one, whose smaller part simply stays where it
 * is), two interfaces with the same private key, a listen port that somebody
 * else holds, an endpoint that would be routed into the tunnel although no
 * policy routing takes it out.
 *
 * Return: 0, or negative errno with an error text that names both sides.
 */
int host_check(struct ctx *ctx, struct rtnl *rtnl, const struct quick *quick);

#endif /* _WG_HOST_H */
