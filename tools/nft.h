/* SPDX-License-Identifier: GPL-2.0 */
/* What nf_tables holds already. (layer 2) */
#ifndef _WG_NFT_H
#define _WG_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctx.h"

/**
 * struct nft_chain - a chain where incoming or forwarded packets pass
 * @family:	NFPROTO_IPV4, NFPROTO_IPV6 or NFPROTO_INET
 * @hook:	NF_INET_LOCAL_IN or NF_INET_FORWARD
 * @table:	its table
 * @name:	its name
 * @policy_drop: what no rule decided about is dropped
 * @ends_drop:	the last rule drops or rejects whatever reaches it
 * @owned:	the table is another process's, and only it may change it
 */
struct nft_chain {
	uint8_t family;
	uint32_t hook;
	char *table;
	char *name;
	bool policy_drop;
	bool ends_drop;
	bool owned;
};

/**
 * struct nft_rule - a rule with the comment that was looked for
 * @family:	as in &struct nft_chain
 * @table:	its table
 * @chain:	its chain
 * @handle:	its number in the table
 */
struct nft_rule {
	uint8_t family;
	char *table;
	char *chain;
	uint64_t handle;
};

/**
 * struct nft - what was found
 * @chains:	all chains where packets come in or are forwarded
 * @chain_count: how many
 * @rules:	rules with the comment, of all families
 * @rule_count:	how many
 * @table:	whether there is a table "inet NAME"
 * @name:	that name, which is the comment too
 */
struct nft {
	struct nft_chain *chains;
	size_t chain_count;
	struct nft_rule *rules;
	size_t rule_count;
	bool table;
	const char *name;
};

/**
 * nft_scan() - look around
 * @ctx:	the run
 * @name:	table of family inet, and comment of rules elsewhere
 * @nft:	result, to be freed with nft_free(), also on failure; everything
 *		is empty on a kernel without nf_tables
 *
 * Return: 0 or negative errno with an error text.
 */
int nft_scan(struct ctx *ctx, const char *name, struct nft *nft);

/**
 * nft_free() - free the lists
 * @nft:	all zeros then
 */
void nft_free(struct nft *nft);

/**
 * nft_family() - "ip", "ip6" or "inet"; NULL for others
 * @family:	NFPROTO_*
 */
const char *nft_family(uint8_t family);

#endif /* _WG_NFT_H */
