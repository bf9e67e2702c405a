// SPDX-License-Identifier: GPL-2.0
/* What a tunnel makes on this host. (layer 6) */
#include "tunnel_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tunnel_plan_init(struct tunnel_plan *plan, const char *name)
{
	memset(plan, 0, sizeof(*plan));
	snprintf(plan->name, sizeof(plan->name), "%s", name);
	plan->fw.name = plan->name;
}

void tunnel_plan_free(struct tunnel_plan *plan)
{
	char name[MODEL_NAME_SIZE];

	cidr_list_free(&plan->addresses);
	cidr_list_free(&plan->servers);
	fw_rules_free(&plan->fw);
	free(plan->routes);
	free(plan->sysctls);
	while (plan->search.count)
		free(plan->search.all[--plan->search.count]);
	free(plan->search.all);
	while (plan->n_hosts)
		free(plan->hosts[--plan->n_hosts].text);
	free(plan->hosts);
	memcpy(name, plan->name, sizeof(name));
	tunnel_plan_init(plan, name);
}

int tunnel_plan_add_route(struct tunnel_plan *plan,
			  const struct tunnel_route *route)
{
	struct tunnel_route *all;

	all = reallocarray(plan->routes, plan->n_routes + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	plan->routes = all;
	all[plan->n_routes++] = *route;
	return 0;
}

static int tunnel_plan_compare_routes(const void *a, const void *b)
{
	const struct tunnel_route *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->dst.family != y->dst.family)
		return x->dst.family < y->dst.family ? -1 : 1;
	/* The more specific first. */
	if (x->dst.len != y->dst.len)
		return x->dst.len > y->dst.len ? -1 : 1;
	return memcmp(&x->dst.ip, &y->dst.ip, cidr_max(x->dst.family) / 8);
}

void tunnel_plan_sort_routes(struct tunnel_plan *plan)
{
	struct tunnel_route *all = plan->routes;
	size_t i, n = 0;

	if (!plan->n_routes)
		return;
	qsort(all, plan->n_routes, sizeof(*all), tunnel_plan_compare_routes);
	for (i = 0; i < plan->n_routes; i++) {
		if (n && !tunnel_plan_compare_routes(&all[n - 1], &all[i]))
			all[n - 1].policy |= all[i].policy;
		else
			all[n++] = all[i];
	}
	plan->n_routes = n;
}

const struct tunnel_route *tunnel_plan_route(const struct tunnel_plan *plan,
					     const struct tunnel_route *route)
{
	if (!plan->n_routes)
		return NULL;
	return bsearch(route, plan->routes, plan->n_routes, sizeof(*route),
		       tunnel_plan_compare_routes);
}

int tunnel_plan_add_sysctl(struct tunnel_plan *plan,
			   const struct tunnel_sysctl *sysctl)
{
	struct tunnel_sysctl *all;

	if (tunnel_plan_sysctl(plan, sysctl->key))
		return 0;
	all = reallocarray(plan->sysctls, plan->n_sysctls + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	plan->sysctls = all;
	all[plan->n_sysctls++] = *sysctl;
	return 0;
}

const struct tunnel_sysctl *tunnel_plan_sysctl(const struct tunnel_plan *plan,
					       const char *key)
{
	size_t i;

	for (i = 0; i < plan->n_sysctls; i++) {
		if (!strcmp(plan->sysctls[i].key, key))
			return &plan->sysctls[i];
	}
	return NULL;
}

int tunnel_plan_add_host(struct tunnel_plan *plan,
			 const uint8_t key[WG_KEY_LEN], const char *text)
{
	struct tunnel_host *all;
	char *copy = strdup(text);

	all = reallocarray(plan->hosts, plan->n_hosts + 1, sizeof(*all));
	if (all)
		plan->hosts = all;
	if (!all || !copy) {
		free(copy);
		return -ENOMEM;
	}
	memcpy(all[plan->n_hosts].key, key, WG_KEY_LEN);
	all[plan->n_hosts++].text = copy;
	return 0;
}

static int tunnel_plan_compare_hosts(const void *a, const void *b)
{
	const struct tunnel_host *x = a, *y = b;

	return memcmp(x->key, y->key, WG_KEY_LEN);
}

void tunnel_plan_sort_hosts(struct tunnel_plan *plan)
{
	if (plan->n_hosts)
		qsort(plan->hosts, plan->n_hosts, sizeof(*plan->hosts),
		      tunnel_plan_compare_hosts);
}

const char *tunnel_plan_host(const struct tunnel_plan *plan,
			     const uint8_t key[WG_KEY_LEN])
{
	const struct tunnel_host *hit;
	struct tunnel_host want;

	if (!plan->n_hosts)
		return NULL;
	memcpy(want.key, key, WG_KEY_LEN);
	hit = bsearch(&want, plan->hosts, plan->n_hosts, sizeof(want),
		      tunnel_plan_compare_hosts);
	return hit ? hit->text : NULL;
}
