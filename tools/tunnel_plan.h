/* SPDX-License-Identifier: GPL-2.0 */
/* What a tunnel makes on this host. (layer 6) */
#ifndef _WG_TUNNEL_PLAN_H
#define _WG_TUNNEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cidr.h"
#include "ctx.h"
#include "dns.h"
#include "file.h"
#include "fw.h"
#include "quick.h"
#include "rtnl.h"

#define TUNNEL_KEY_SIZE		96
#define TUNNEL_TABLE_MAIN	254
#define TUNNEL_FIRST_TABLE	51820

/**
 * struct tunnel_route - a route into the tunnel
 * @dst:	network, no host bits
 * @table:	routing table
 * @policy:	with the two rules that take every packet without the tunnel's
 *		mark to @table, after more specific routes of the main table
 */
struct tunnel_route {
	struct cidr dst;
	uint32_t table;
	bool policy;
};

/**
 * struct tunnel_sysctl - a kernel setting
 * @key:	like "net/ipv4/ip_forward"
 * @value:	what the tunnel needs
 * @old:	what it was before the first tunnel that needs it
 * @follows:	not set by us: the kernel changes it together with another one,
 *		but does not restore it
 */
struct tunnel_sysctl {
	char key[TUNNEL_KEY_SIZE];
	char value[FILE_SYSCTL_SIZE];
	char old[FILE_SYSCTL_SIZE];
	bool follows;
};

/**
 * struct tunnel_host - a peer's endpoint as a file named it
 * @key:	peer
 * @text:	"host:port", allocated
 */
struct tunnel_host {
	uint8_t key[WG_KEY_LEN];
	char *text;
};

enum tunnel_firewall {
	TUNNEL_FW_NONE,
	TUNNEL_FW_NFT,
	TUNNEL_FW_PRINT,
};

/**
 * struct tunnel_plan - what a tunnel makes on this host
 * @name:	interface
 * @noted:	read from the state file
 * @mtu:	of the interface, 0 leaves it
 * @multicast:	IFF_MULTICAST
 * @mark:	of the tunnel's own packets, 0 for none
 * @mark_chosen: by us, the file does not say it
 * @addresses:	of the interface
 * @routes:	allocated, sorted
 * @n_routes:	how many
 * @sysctls:	allocated, in the order in which they are set and restored
 * @n_sysctls:	how many
 * @firewall:	what becomes of @fw
 * @fw_asked:	a role wants @fw: without it the tunnel is not brought up
 * @fw:		rules; its name is @name
 * @dns:	how name servers are told
 * @servers:	name servers
 * @search:	domains
 * @hosts:	allocated, sorted by key
 * @n_hosts:	how many
 */
struct tunnel_plan {
	char name[MODEL_NAME_SIZE];
	bool noted;
	unsigned int mtu;
	bool multicast;
	uint32_t mark;
	bool mark_chosen;
	struct cidr_list addresses;
	struct tunnel_route *routes;
	size_t n_routes;
	struct tunnel_sysctl *sysctls;
	size_t n_sysctls;
	enum tunnel_firewall firewall;
	bool fw_asked;
	struct fw_rules fw;
	enum dns_way dns;
	struct cidr_list servers;
	struct quick_words search;
	struct tunnel_host *hosts;
	size_t n_hosts;
};

/**
 * tunnel_plan_init() - an empty plan
 * @plan:	result
 * @name:	interface
 */
void tunnel_plan_init(struct tunnel_plan *plan, const char *name);

/**
 * tunnel_plan_free() - free what it has
 * @plan:	empty then, but for its name
 */
void tunnel_plan_free(struct tunnel_plan *plan);

/**
 * tunnel_plan_add_route() - append a route; sort them afterwards
 * @plan:	plan
 * @route:	route
 *
 * Return: 0 or -ENOMEM.
 */
int tunnel_plan_add_route(struct tunnel_plan *plan,
			  const struct tunnel_route *route);

/**
 * tunnel_plan_sort_routes() - make tunnel_plan_route() find them; what is there
 *			       twice goes
 * @plan:	plan
 */
void tunnel_plan_sort_routes(struct tunnel_plan *plan);

/**
 * tunnel_plan_route() - find a route
 * @plan:	plan
 * @route:	one with its table and destination
 *
 * Return: the route or NULL.
 */
const struct tunnel_route *tunnel_plan_route(const struct tunnel_plan *plan,
					     const struct tunnel_route *route);

/**
 * tunnel_plan_add_sysctl() - append a setting, unless there is one of that key
 * @plan:	plan
 * @sysctl:	setting
 *
 * Return: 0 or -ENOMEM.
 */
int tunnel_plan_add_sysctl(struct tunnel_plan *plan,
			   const struct tunnel_sysctl *sysctl);

/**
 * tunnel_plan_add_host() - append a peer's endpoint; sort them afterwards
 * @plan:	plan
 * @key:	peer
 * @text:	"host:port"
 *
 * Return: 0 or -ENOMEM.
 */
int tunnel_plan_add_host(struct tunnel_plan *plan,
			 const uint8_t key[WG_KEY_LEN], const char *text);

/**
 * tunnel_plan_sort_hosts() - make tunnel_plan_host() find them
 * @plan:	plan
 */
void tunnel_plan_sort_hosts(struct tunnel_plan *plan);

/**
 * tunnel_plan_host() - a peer's endpoint
 * @plan:	plan
 * @key:	peer
 *
 * Return: "host:port" or NULL.
 */
const char *tunnel_plan_host(const struct tunnel_plan *plan,
			     const uint8_t key[WG_KEY_LEN]);

/**
 * tunnel_plan_sysctl() - a setting by its key
 * @plan:	plan
 * @key:	like "net/ipv4/ip_forward"
 *
 * Return: the setting or NULL.
 */
const struct tunnel_sysctl *tunnel_plan_sysctl(const struct tunnel_plan *plan,
					       const char *key);

#endif /* _WG_TUNNEL_PLAN_H */
