/* SPDX-License-Identifier: GPL-2.0 */
/* Name servers of a tunnel, handed to whatever resolves names here. (layer 2) */
#ifndef _WG_DNS_H
#define _WG_DNS_H

#include <stddef.h>

#include "cidr.h"
#include "ctx.h"

enum dns_way {
	DNS_NONE,	/* leave name resolution alone */
	DNS_RESOLVED,	/* systemd-resolved, by resolvectl */
	DNS_RESOLVCONF,
	DNS_DNSMASQ,	/* OpenWrt's dnsmasq */
	DNS_AUTO,	/* what is there, in this order */
};

/**
 * dns_way_parse() - a word of the user
 * @ctx:	the run
 * @text:	auto, resolved, resolvconf, dnsmasq, none
 * @way:	result
 *
 * Return: 0, or -EINVAL with an error text.
 */
int dns_way_parse(struct ctx *ctx, const char *text, enum dns_way *way);

/**
 * dns_way_name() - the word for it
 * @way:	way
 */
const char *dns_way_name(enum dns_way way);

/**
 * dns_up() - use name servers
 * @ctx:	the run
 * @way:	how; DNS_AUTO is replaced by what was found
 * @name:	interface
 * @servers:	their addresses
 * @search:	domains; "~" before one: only ask there for its names
 * @n_search:	how many
 * @all:	also names of other domains go there
 *
 * Return: 0, also for DNS_NONE, or negative errno with an error text, nothing
 * being set then; the caller goes on without.
 */
int dns_up(struct ctx *ctx, enum dns_way *way, const char *name,
	   const struct cidr_list *servers, char *const *search,
	   size_t n_search, bool all);

/**
 * dns_down() - undo dns_up()
 * @ctx:	the run
 * @way:	as dns_up() left it
 * @name:	interface, may be gone already
 *
 * Return: 0 or negative errno with an error text.
 */
int dns_down(struct ctx *ctx, enum dns_way way, const char *name);

#endif /* _WG_DNS_H */
