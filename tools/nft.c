// SPDX-License-Identifier: GPL-2.0
/* What nf_tables holds already. (layer 2) */
#include "nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "nl.h"

#define NFT_TRIES	10
#define NFT_COMMENT	0	/* type of a rule's comment in its user data */

const char *nft_family(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	}
	return NULL;
}

void nft_free(struct nft *nft)
{
	size_t i;

	for (i = 0; i < nft->chain_count; i++) {
		free(nft->chains[i].table);
		free(nft->chains[i].name);
	}
	for (i = 0; i < nft->rule_count; i++) {
		free(nft->rules[i].table);
		free(nft->rules[i].chain);
	}
	free(nft->chains);
	free(nft->rules);
	memset(nft, 0, sizeof(*nft));
}

static uint8_t nft_msg_family(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	return nfg->nfgen_family;
}

/* The attribute of a message, or NULL. */
static const struct nlattr *nft_attr(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static const struct nlattr *nft_inner(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static const char *nft_str(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return "";
	return mnl_attr_get_str(attr);
}

static uint32_t nft_u32(const struct nlattr *attr, uint32_t otherwise)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return otherwise;
	return ntohl(mnl_attr_get_u32(attr));
}

static int nft_take_chain(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *hook = nft_attr(nlh, NFTA_CHAIN_HOOK);
	struct nft *nft = data;
	struct nft_chain *chain;
	uint32_t num;

	/* A chain without a hook is reached from others only. */
	num = nft_u32(nft_inner(hook, NFTA_HOOK_HOOKNUM), UINT32_MAX);
	if (!nft_family(nft_msg_family(nlh)) ||
	    (num != NF_INET_LOCAL_IN && num != NF_INET_FORWARD))
		return 0;
	chain = reallocarray(nft->chains, nft->chain_count + 1, sizeof(*chain));
	if (!chain)
		return -ENOMEM;
	nft->chains = chain;
	chain += nft->chain_count;
	memset(chain, 0, sizeof(*chain));
	chain->family = nft_msg_family(nlh);
	chain->hook = num;
	chain->policy_drop = nft_u32(nft_attr(nlh, NFTA_CHAIN_POLICY),
				     NF_ACCEPT) == NF_DROP;
	chain->table = strdup(nft_str(nft_attr(nlh, NFTA_CHAIN_TABLE)));
	chain->name = strdup(nft_str(nft_attr(nlh, NFTA_CHAIN_NAME)));
	nft->chain_count++;
	return chain->table && chain->name ? 0 : -ENOMEM;
}

static int nft_take_table(const struct nlmsghdr *nlh, void *data)
{
	const char *name = nft_str(nft_attr(nlh, NFTA_TABLE_NAME));
	uint32_t flags = nft_u32(nft_attr(nlh, NFTA_TABLE_FLAGS), 0);
	uint8_t family = nft_msg_family(nlh);
	struct nft *nft = data;
	size_t i;

	if (family == NFPROTO_INET && !strcmp(name, nft->name))
		nft->table = true;
	for (i = 0; flags & NFT_TABLE_F_OWNER && i < nft->chain_count; i++) {
		if (nft->chains[i].family == family &&
		    !strcmp(nft->chains[i].table, name))
			nft->chains[i].owned = true;
	}
	return 0;
}

/* Whether the rule's user data holds this comment. */
static bool nft_has_comment(const struct nlattr *attr, const char *comment)
{
	const uint8_t *pos, *end;

	if (!attr)
		return false;
	pos = mnl_attr_get_payload(attr);
	end = pos + mnl_attr_get_payload_len(attr);
	/* Entries: type, length, that many bytes. */
	for (; end - pos >= 2 && end - pos >= 2 + pos[1]; pos += 2 + pos[1]) {
		if (pos[0] == NFT_COMMENT && pos[1] == strlen(comment) + 1 &&
		    !memcmp(pos + 2, comment, pos[1]))
			return true;
	}
	return false;
}

static bool nft_is_drop(const struct nlattr *expr)
{
	const char *name = nft_str(nft_inner(expr, NFTA_EXPR_NAME));
	const struct nlattr *data = nft_inner(expr, NFTA_EXPR_DATA);

	if (!strcmp(name, "reject"))
		return true;
	/* REJECT of iptables-nft */
	if (!strcmp(name, "target"))
		return !strcmp(nft_str(nft_inner(data, NFTA_TARGET_NAME)),
			       "REJECT");
	if (strcmp(name, "immediate"))
		return false;
	data = nft_inner(data, NFTA_IMMEDIATE_DATA);
	data = nft_inner(data, NFTA_DATA_VERDICT);
	return nft_u32(nft_inner(data, NFTA_VERDICT_CODE), NF_ACCEPT) ==
	       NF_DROP;
}

/* Whether the rule drops every packet: a verdict without a condition. */
static bool nft_drops_all(const struct nlattr *list)
{
	const struct nlattr *expr;
	const char *name;

	if (!list)
		return false;
	mnl_attr_for_each_nested(expr, list) {
		name = nft_str(nft_inner(expr, NFTA_EXPR_NAME));
		if (strcmp(name, "counter") && strcmp(name, "log"))
			return nft_is_drop(expr);
	}
	return false;
}

static int nft_keep_rule(struct nft *nft, uint8_t family, const char *table,
			 const char *chain, const struct nlattr *handle)
{
	struct nft_rule *rule;

	if (!handle || mnl_attr_validate(handle, MNL_TYPE_U64) < 0)
		return 0;
	rule = reallocarray(nft->rules, nft->rule_count + 1, sizeof(*rule));
	if (!rule)
		return -ENOMEM;
	nft->rules = rule;
	rule += nft->rule_count++;
	rule->family = family;
	rule->handle = be64toh(mnl_attr_get_u64(handle));
	rule->table = strdup(table);
	rule->chain = strdup(chain);
	return rule->table && rule->chain ? 0 : -ENOMEM;
}

static int nft_take_rule(const struct nlmsghdr *nlh, void *data)
{
	const char *table = nft_str(nft_attr(nlh, NFTA_RULE_TABLE));
	const char *chain = nft_str(nft_attr(nlh, NFTA_RULE_CHAIN));
	uint8_t family = nft_msg_family(nlh);
	struct nft *nft = data;
	size_t i;

	if (!nft_family(family))
		return 0;
	/* Rules come in order, so that what stays is about the last. */
	for (i = 0; i < nft->chain_count; i++) {
		if (nft->chains[i].family == family &&
		    !strcmp(nft->chains[i].table, table) &&
		    !strcmp(nft->chains[i].name, chain))
			nft->chains[i].ends_drop = nft_drops_all(
				nft_attr(nlh, NFTA_RULE_EXPRESSIONS));
	}
	if (!nft_has_comment(nft_attr(nlh, NFTA_RULE_USERDATA), nft->name))
		return 0;
	return nft_keep_rule(nft, family, table, chain,
			     nft_attr(nlh, NFTA_RULE_HANDLE));
}

static int nft_dump(struct nl *nl, uint8_t what, nl_handler handler,
		    struct nft *nft)
{
	struct nfgenmsg *nfg;
	struct nlmsghdr *nlh;

	nlh = nl_request(nl, NFNL_SUBSYS_NFTABLES << 8 | what, NLM_F_DUMP);
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_UNSPEC;
	nfg->version = NFNETLINK_V0;
	return nl_talk(nl, handler, nft);
}

static int nft_scan_once(struct nl *nl, struct nft *nft)
{
	int ret;

	ret = nft_dump(nl, NFT_MSG_GETCHAIN, nft_take_chain, nft);
	if (!ret)
		ret = nft_dump(nl, NFT_MSG_GETTABLE, nft_take_table, nft);
	if (!ret)
		ret = nft_dump(nl, NFT_MSG_GETRULE, nft_take_rule, nft);
	return ret;
}

int nft_scan(struct ctx *ctx, const char *name, struct nft *nft)
{
	struct nl *nl = NULL;
	int ret, i;

	memset(nft, 0, sizeof(*nft));
	ret = nl_open(&nl, NETLINK_NETFILTER);
	if (!ret)
		ret = -EINTR;
	/* Somebody else may change rules meanwhile: then once more. */
	for (i = 0; ret == -EINTR && i < NFT_TRIES; i++) {
		nft_free(nft);
		nft->name = name;
		ret = nft_scan_once(nl, nft);
	}
	nl_close(nl);
	/* The kernel has no netfilter, or that without nf_tables. */
	if (ret == -EPROTONOSUPPORT || ret == -EINVAL)
		return 0;
	if (ret)
		return ctx_fail(ctx, ret, "Unable to read the firewall rules of this host: %s",
				strerror(-ret));
	return 0;
}
