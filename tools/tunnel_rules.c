// SPDX-License-Identifier: GPL-2.0
/* The role of a file as firewall rules and kernel settings. (layer 6) */
#include "tunnel_rules.h"

#include <errno.h>
#include <string.h>

#include "tunnel_route.h"

enum tunnel_rules_role {
	TUNNEL_RULES_PLAIN,
	TUNNEL_RULES_SERVER,
	TUNNEL_RULES_CLIENT,
	TUNNEL_RULES_SITE,
};

static int tunnel_rules_word(struct ctx *ctx, const struct quick *quick,
			     const char *key, const char *const *words,
			     const char *right, int *number)
{
	const char *value = quick_setting(quick, 0, key);
	int i;

	for (i = 0; value && words[i]; i++) {
		if (!strcmp(words[i], value)) {
			*number = i;
			return 0;
		}
	}
	if (!value)
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"%s: `# wgpeer %s = %.100s' is wrong; right would be %s",
			quick->name, key, value, right);
}

static int tunnel_rules_flag(struct ctx *ctx, const struct quick *quick,
			     const char *key, bool *flag)
{
	static const char *const words[] = { "no", "yes", NULL };
	int n = 0, ret;

	ret = tunnel_rules_word(ctx, quick, key, words, "yes or no", &n);
	*flag = n;
	return ret;
}

static int tunnel_rules_list(struct ctx *ctx, const struct quick *quick,
			     const char *key, struct cidr_list *list)
{
	const char *value = quick_setting(quick, 0, key);

	return value ? cidr_list_parse(ctx, key, value, list) : 0;
}

static int tunnel_rules_role(struct ctx *ctx, const struct quick *quick,
			     enum tunnel_rules_role *role)
{
	static const char *const words[] = {
		"", "server", "client", "site", NULL
	};
	int n = TUNNEL_RULES_PLAIN, ret;

	ret = tunnel_rules_word(ctx, quick, "role", words,
				"server, client or site", &n);
	*role = n;
	return ret;
}

int tunnel_rules_needs_mark(struct ctx *ctx, const struct quick *quick,
			    bool *needs)
{
	int ret = tunnel_rules_flag(ctx, quick, "kill-switch", needs);

	if (tunnel_route_policy(quick, AF_INET) ||
	    tunnel_route_policy(quick, AF_INET6))
		*needs = true;
	return ret;
}

/* --- roles ---------------------------------------------------------------- */

/* What of the other sides' packets passes this host. */
static int tunnel_rules_server(struct ctx *ctx, const struct quick *quick,
			       bool no_ipv6, struct fw_rules *fw)
{
	static const char *const words[] = { "yes", "no", NULL };
	int routed = 0, ret;

	ret = tunnel_rules_flag(ctx, quick, "exit", &fw->exit);
	if (!ret)
		ret = tunnel_rules_flag(ctx, quick, "isolate", &fw->isolate);
	if (!ret)
		ret = tunnel_rules_list(ctx, quick, "share", &fw->lans);
	/* Hosts of the LAN seldom have a route back to the clients. */
	if (!ret)
		ret = tunnel_rules_word(ctx, quick, "share-nat", words,
					"yes or no", &routed);
	fw->nat_lans = fw->lans.count && !routed;
	fw->forward = fw->lans.count || !fw->isolate;
	fw->no_ipv6 = fw->exit && no_ipv6;
	return ret;
}

static int tunnel_rules_site(struct ctx *ctx, const struct quick *quick,
			     struct fw_rules *fw)
{
	bool hub, routed = false;
	int ret;

	ret = tunnel_rules_flag(ctx, quick, "hub", &hub);
	if (!ret)
		ret = tunnel_rules_flag(ctx, quick, "routed", &routed);
	/* What a routing daemon will send where is not for us to know. */
	if (!ret && routed)
		ret = cidr_list_parse(ctx, "share", "0.0.0.0/0, ::/0",
				      &fw->lans);
	else if (!ret)
		ret = tunnel_rules_list(ctx, quick, "share", &fw->lans);
	fw->isolate = !hub && !routed;
	fw->forward = fw->lans.count || hub;
	return ret;
}

static int tunnel_rules_tunnel(const struct tunnel_plan *plan,
			       struct cidr_list *list)
{
	struct cidr net;
	size_t i;

	for (i = 0; i < plan->addresses.count; i++) {
		net = cidr_network(&plan->addresses.all[i]);
		if (cidr_list_add(list, &net))
			return -ENOMEM;
	}
	return 0;
}

/* Our addresses of the families whose traffic all goes into the tunnel. */
static int tunnel_rules_own(const struct tunnel_plan *plan,
			    struct cidr_list *list)
{
	bool v4 = false, v6 = false;
	size_t i;

	for (i = 0; i < plan->n_routes; i++) {
		if (!plan->routes[i].policy)
			continue;
		v4 |= plan->routes[i].dst.family == AF_INET;
		v6 |= plan->routes[i].dst.family == AF_INET6;
	}
	for (i = 0; i < plan->addresses.count; i++) {
		const struct cidr *addr = &plan->addresses.all[i];

		if ((addr->family == AF_INET ? v4 : v6) &&
		    cidr_list_add(list, addr))
			return -ENOMEM;
	}
	return 0;
}

static int tunnel_rules_by_role(struct ctx *ctx, const struct quick *quick,
				bool no_ipv6, struct tunnel_plan *plan)
{
	struct fw_rules *fw = &plan->fw;
	enum tunnel_rules_role role;
	int ret;

	ret = tunnel_rules_role(ctx, quick, &role);
	if (!ret)
		ret = tunnel_rules_flag(ctx, quick, "kill-switch",
					&fw->kill_switch);
	if (!ret)
		ret = tunnel_rules_list(ctx, quick, "kill-switch-except",
					&fw->kill_lans);
	if (!ret && role == TUNNEL_RULES_SERVER)
		ret = tunnel_rules_server(ctx, quick, no_ipv6, fw);
	if (!ret && role == TUNNEL_RULES_SITE)
		ret = tunnel_rules_site(ctx, quick, fw);
	if (ret)
		return ret;
	if (role == TUNNEL_RULES_SERVER || role == TUNNEL_RULES_SITE) {
		fw->open_port = quick->dev->listen_port;
		plan->fw_asked = true;
	}
	plan->fw_asked |= fw->kill_switch;
	return 0;
}

int tunnel_rules_plan(struct ctx *ctx, const struct quick *quick, bool no_ipv6,
		      struct tunnel_plan *plan)
{
	static const char *const words[] = { "none", "nft", "print", NULL };
	int way = TUNNEL_FW_NFT, ret;

	ret = tunnel_rules_word(ctx, quick, "firewall", words,
				"nft, print or none", &way);
	if (!ret)
		ret = tunnel_rules_by_role(ctx, quick, no_ipv6, plan);
	if (!ret && tunnel_rules_flag(ctx, quick, "routed", &plan->multicast))
		ret = -EINVAL;
	if (ret)
		return ret;
	if (plan->fw.kill_switch && way == TUNNEL_FW_NONE)
		return ctx_fail(ctx, -EINVAL,
				"%s: `# wgpeer firewall = none' and a kill switch exclude each other; right would be nft",
				quick->name);
	plan->fw.mark = plan->mark;
	if (tunnel_rules_own(plan, &plan->fw.own) ||
	    (tunnel_rules_forwards(plan) &&
	     tunnel_rules_tunnel(plan, &plan->fw.tunnel)))
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (plan->fw.open_port || plan->fw.own.count || plan->fw.isolate ||
	    plan->fw.kill_switch || tunnel_rules_forwards(plan))
		plan->firewall = way;
	return 0;
}

bool tunnel_rules_forwards(const struct tunnel_plan *plan)
{
	return plan->fw.forward || plan->fw.exit;
}
