/* SPDX-License-Identifier: GPL-2.0 */
/* Firewall rules of a tunnel, in a table of their own. (layer 2) */
#ifndef _WG_FW_H
#define _WG_FW_H

#include <stdbool.h>
#include <stdint.h>

#include "cidr.h"
#include "ctx.h"
#include "text.h"

/**
 * struct fw_rules - what shall hold
 * @name:	interface, need not be there yet; letters, digits, "_", "-", "."
 * @open_port:	UDP port that is let in, 0 for none
 * @forward:	packets may be forwarded between the tunnel and @lans, and back
 * @lans:	networks behind this host that peers may reach
 * @nat_lans:	peers reach @lans under this host's address (LAN hosts then
 *		need no route back)
 * @exit:	peers may reach everything through this host, under its address
 * @isolate:	peers may not reach each other
 * @no_ipv6:	with @exit: refuse IPv6 of peers at once instead of losing it;
 *		not what goes to @tunnel and @lans
 * @tunnel:	networks of the tunnel
 * @own:	our addresses in the tunnel: packets to them from outside the
 *		tunnel are dropped (as wg-quick does), unless from this host
 * @mark:	firewall mark of the tunnel's own packets, 0 for none; saved to
 *		and restored from conntrack where @own is used
 * @kill_switch: nothing leaves the host but through the tunnel, the tunnel's
 *		own packets, loopback, DHCP, neighbour discovery; not even on
 *		connections that exist.  Needs @mark, which is how those own
 *		packets are known; holds without the link, until fw_down()
 * @kill_lans:	with @kill_switch: networks that stay reachable
 *
 * With @forward, @exit or @isolate whatever else comes from the tunnel to be
 * forwarded is refused, and towards it only answers pass, and @lans.  What
 * peers send to this host itself is left to the host's own firewall, and so
 * is everything that neither comes from nor goes to the tunnel.
 */
struct fw_rules {
	const char *name;
	uint16_t open_port;
	bool forward;
	struct cidr_list lans;
	bool nat_lans;
	bool exit;
	bool isolate;
	bool no_ipv6;
	struct cidr_list tunnel;
	struct cidr_list own;
	uint32_t mark;
	bool kill_switch;
	struct cidr_list kill_lans;
};

/**
 * fw_rules_free() - free the lists
 * @rules:	all zeros then
 */
void fw_rules_free(struct fw_rules *rules);

/**
 * fw_script() - the rules in the language of nft
 * @rules:	rules
 * @text:	appended to; replaces a table of the same name in one step;
 *		nothing of what fw_up() does to other tables
 */
void fw_script(const struct fw_rules *rules, struct text *text);

/**
 * fw_up() - make the rules hold, instead of earlier ones of this interface
 * @ctx:	the run
 * @rules:	rules; without any wish nothing is left
 *
 * Where another table of the host would drop what these rules let through
 * (a base chain with policy drop, or whose last rule drops everything), a rule
 * is put in front there, marked with our name so that fw_down() finds it. Not
 * where the kill switch of another tunnel drops it.  What that cannot do, or
 * not for good, is told as left to do.  All or nothing is done.
 *
 * Return: 0 or negative errno with an error text, -ENOENT without nft.
 */
int fw_up(struct ctx *ctx, const struct fw_rules *rules);

/**
 * fw_down() - remove everything fw_up() made
 * @ctx:	the run
 * @name:	interface
 *
 * Return: 0 also if there was nothing, or negative errno with an error text.
 */
int fw_down(struct ctx *ctx, const char *name);

/**
 * fw_holds() - whether what fw_up() made is still there
 * @ctx:	the run
 * @rules:	as they were given to fw_up()
 * @holds:	result: the table is there, and as many rules in tables of
 *		others as fw_up() would put there now
 *
 * Whoever loads other rules may well begin with "flush ruleset".
 *
 * Return: 0 or negative errno with an error text.
 */
int fw_holds(struct ctx *ctx, const struct fw_rules *rules, bool *holds);

#endif /* _WG_FW_H */
