// SPDX-License-Identifier: GPL-2.0
/* Kernel settings that tunnels need, and who else needs them. (layer 6) */
#include "tunnel_sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "tunnel_rules.h"
#include "tunnel_state.h"

#define TUNNEL_SYSCTL_VALID_MARK	"net/ipv4/conf/all/src_valid_mark"
#define TUNNEL_SYSCTL_FORWARD4		"net/ipv4/ip_forward"
#define TUNNEL_SYSCTL_FORWARD6		"net/ipv6/conf/all/forwarding"
#define TUNNEL_SYSCTL_PREFIX		strlen("net/ipv4/")

/* --- who else ------------------------------------------------------------- */

/*
 * Whether two keys are set and restored together: forwarding, and what the
 * kernel changes with it.
 */
static bool tunnel_sysctl_is_kin(const char *key, const char *other)
{
	if (!strcmp(key, other))
		return true;
	return strcmp(key, TUNNEL_SYSCTL_VALID_MARK) &&
	       strcmp(other, TUNNEL_SYSCTL_VALID_MARK) &&
	       !strncmp(key, other, TUNNEL_SYSCTL_PREFIX);
}

struct tunnel_sysctl_search {
	struct rtnl *rtnl;
	const char *key;
	struct tunnel_plan *plan;
};

/* The old values of a tunnel that has set the same, which are the true ones. */
static int tunnel_sysctl_inherit(const struct tunnel_plan *other, void *data)
{
	struct tunnel_sysctl_search *s = data;
	size_t i;

	if (!tunnel_plan_sysctl(other, s->key))
		return 0;
	for (i = 0; i < other->n_sysctls; i++) {
		if (tunnel_sysctl_is_kin(other->sysctls[i].key, s->key) &&
		    tunnel_plan_add_sysctl(s->plan, &other->sysctls[i]))
			return -ENOMEM;
	}
	return 1;
}

/* One that is gone needs nothing any more, whatever its notes say. */
static int tunnel_sysctl_needed(const struct tunnel_plan *other, void *data)
{
	struct tunnel_sysctl_search *s = data;
	struct rtnl_link link;

	return tunnel_plan_sysctl(other, s->key) &&
	       !rtnl_link_find(s->rtnl, other->name, &link);
}

/* --- planning ------------------------------------------------------------- */

static int tunnel_sysctl_add(struct tunnel_plan *plan, const char *key,
			     const char *value, const char *old, bool follows)
{
	struct tunnel_sysctl sysctl = { .follows = follows };

	snprintf(sysctl.key, sizeof(sysctl.key), "%s", key);
	snprintf(sysctl.value, sizeof(sysctl.value), "%s", value);
	snprintf(sysctl.old, sizeof(sysctl.old), "%s", old);
	return tunnel_plan_add_sysctl(plan, &sysctl);
}

/*
 * Forwarding of a family is that of all interfaces: what single ones had would
 * be lost when it is taken back.
 */
static int tunnel_sysctl_single(struct tunnel_plan *plan, const char *directory)
{
	char path[TUNNEL_KEY_SIZE], key[TUNNEL_KEY_SIZE];
	char value[FILE_SYSCTL_SIZE];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/sys/%s", directory);
	dir = opendir(path);
	while (dir && !ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "all") ||
		    !strcmp(entry->d_name, plan->name))
			continue;
		snprintf(key, sizeof(key), "%s/%.32s/forwarding", directory,
			 entry->d_name);
		if (!file_sysctl_get(key, value) && !strcmp(value, "1"))
			ret = tunnel_sysctl_add(plan, key, "1", "1", true);
	}
	if (dir)
		closedir(dir);
	return ret;
}

static int tunnel_sysctl_forward4(struct tunnel_plan *plan)
{
	static const char redirects[] = "net/ipv4/conf/all/accept_redirects";
	char value[FILE_SYSCTL_SIZE];
	int ret;

	ret = tunnel_sysctl_add(plan, TUNNEL_SYSCTL_FORWARD4, "1", "0", false);
	if (!ret)
		ret = tunnel_sysctl_single(plan, "net/ipv4/conf");
	/* Off with forwarding, and on again without, whatever it was. */
	if (!ret && !file_sysctl_get(redirects, value))
		ret = tunnel_sysctl_add(plan, redirects, "0", value, true);
	return ret;
}


/*
 * A host that forwards ignores router advertisements where this is 1, and would
 * lose its own way out; 2 leaves all as it was.  Also where none was seen so
 * far: it may be on its way.
 */
static int tunnel_sysctl_accept_ra(const struct rtnl_link *link, void *data)
{
	char key[TUNNEL_KEY_SIZE], value[FILE_SYSCTL_SIZE];

	if (link->flags & IFF_LOOPBACK || !strcmp(link->kind, "wireguard"))
		return 0;
	snprintf(key, sizeof(key), "net/ipv6/conf/%s/accept_ra", link->name);
	if (file_sysctl_get(key, value) || strcmp(value, "1"))
		return 0;
	return tunnel_sysctl_add(data, key, "2", "1", false);
}

static int tunnel_sysctl_forward6(struct rtnl *rtnl, struct tunnel_plan *plan)
{
	int ret;

	ret = rtnl_links(rtnl, tunnel_sysctl_accept_ra, plan);
	if (!ret)
		ret = tunnel_sysctl_add(plan, TUNNEL_SYSCTL_FORWARD6, "1", "0",
					false);
	return ret ? ret : tunnel_sysctl_single(plan, "net/ipv6/conf");
}

/* Find the old values of a setting that shall be 1, and of its kin. */
static int tunnel_sysctl_want(struct ctx *ctx, struct rtnl *rtnl,
			      const struct tunnel_plan *from,
			      struct tunnel_plan *plan, const char *key)
{
	struct tunnel_sysctl_search s = { .key = key, .plan = plan };
	char value[FILE_SYSCTL_SIZE];
	int ret;

	ret = tunnel_sysctl_inherit(from, &s);
	if (!ret)
		ret = tunnel_state_others(ctx, plan->name,
					  tunnel_sysctl_inherit, &s);
	if (ret)
		return ret < 0 ? ret : 0;
	ret = file_sysctl_get(key, value);
	if (ret)
		return ctx_fail(ctx, ret, "Unable to read `/proc/sys/%s': %s",
				key, strerror(-ret));
	if (!strcmp(value, "0") && !strcmp(key, TUNNEL_SYSCTL_FORWARD4))
		return tunnel_sysctl_forward4(plan);
	if (!strcmp(value, "0") && !strcmp(key, TUNNEL_SYSCTL_FORWARD6))
		return tunnel_sysctl_forward6(rtnl, plan);
	return tunnel_sysctl_add(plan, key, "1", value, false);
}

static bool tunnel_sysctl_family(const struct tunnel_plan *plan,
				 uint16_t family)
{
	size_t i;

	for (i = 0; i < plan->addresses.count; i++) {
		if (plan->addresses.all[i].family == family)
			return true;
	}
	return false;
}

int tunnel_sysctl_plan(struct ctx *ctx, struct rtnl *rtnl,
		       const struct tunnel_plan *from, struct tunnel_plan *plan)
{
	bool forward = tunnel_rules_forwards(plan), mark = false;
	int ret = 0;
	size_t i;

	for (i = 0; i < plan->n_routes; i++)
		mark |= plan->routes[i].policy &&
			plan->routes[i].dst.family == AF_INET;
	if (mark)
		ret = tunnel_sysctl_want(ctx, rtnl, from, plan,
					 TUNNEL_SYSCTL_VALID_MARK);
	if (!ret && forward && tunnel_sysctl_family(plan, AF_INET))
		ret = tunnel_sysctl_want(ctx, rtnl, from, plan,
					 TUNNEL_SYSCTL_FORWARD4);
	if (!ret && forward && tunnel_sysctl_family(plan, AF_INET6))
		ret = tunnel_sysctl_want(ctx, rtnl, from, plan,
					 TUNNEL_SYSCTL_FORWARD6);
	return ret == -ENOMEM ? ctx_fail(ctx, ret, "Out of memory") : ret;
}

bool tunnel_sysctl_differs(const struct tunnel_sysctl *sysctl,
			   char now[FILE_SYSCTL_SIZE])
{
	if (file_sysctl_get(sysctl->key, now))
		snprintf(now, FILE_SYSCTL_SIZE, "none");
	return strcmp(now, sysctl->value);
}

/* --- restoring ------------------------------------------------------------ */

/* What nobody needs any more and nobody changed since. */
static int tunnel_sysctl_is_due(struct ctx *ctx, struct rtnl *rtnl,
				const struct tunnel_sysctl *sysctl,
				const struct tunnel_plan *from,
				const struct tunnel_plan *to)
{
	struct tunnel_sysctl_search s = { .rtnl = rtnl, .key = sysctl->key };
	char now[FILE_SYSCTL_SIZE];
	int ret;

	if (tunnel_plan_sysctl(to, sysctl->key) ||
	    tunnel_sysctl_differs(sysctl, now))
		return 0;
	ret = tunnel_state_others(ctx, from->name, tunnel_sysctl_needed, &s);
	return ret ? ret < 0 ? ret : 0 : 1;
}

static int tunnel_sysctl_restore_one(struct ctx *ctx,
				     const struct tunnel_sysctl *sysctl,
				     void (*tell)(void *data, const char *line),
				     void *data)
{
	char now[FILE_SYSCTL_SIZE];
	struct text line = { 0 };

	if (tell) {
		/* What follows may well be as it was by then. */
		if (!strcmp(sysctl->value, sysctl->old))
			return 0;
		text_printf(&line, "set %s = %s", sysctl->key, sysctl->old);
		tell(data, text_string(&line));
		text_free(&line);
		return 0;
	}
	if (!file_sysctl_get(sysctl->key, now) && !strcmp(now, sysctl->old))
		return 0;
	return file_sysctl_set(ctx, sysctl->key, sysctl->old);
}

int tunnel_sysctl_restore(struct ctx *ctx, struct rtnl *rtnl,
			  const struct tunnel_plan *from,
			  const struct tunnel_plan *to,
			  void (*tell)(void *data, const char *line),
			  void *data)
{
	int first = 0, ret, *due;
	size_t i, n = from->n_sysctls, pass;

	due = calloc(n + 1, sizeof(*due));
	if (!due)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	for (i = 0; i < n; i++) {
		due[i] = tunnel_sysctl_is_due(ctx, rtnl, &from->sysctls[i],
					      from, to);
		first = due[i] < 0 ? due[i] : first;
	}
	/* What follows comes last: the kernel changes it with the others. */
	for (pass = 0; pass < 2; pass++) {
		for (i = n; i-- > 0;) {
			if (due[i] <= 0 || from->sysctls[i].follows != pass)
				continue;
			ret = tunnel_sysctl_restore_one(ctx, &from->sysctls[i],
							tell, data);
			first = first ? first : ret;
		}
	}
	free(due);
	return first;
}
