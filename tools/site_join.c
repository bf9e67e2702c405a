// SPDX-License-Identifier: GPL-2.0
/* The verb "site": join. (layer 8) */
#include "site.h"

#include <errno.h>

#include "opts.h"

/* One address for each network: that of @given, or the one the key chooses. */
static int site_fill_addresses(struct ctx *ctx, const struct token *token,
			       const struct cidr_list *given,
			       const uint8_t key[WG_KEY_LEN],
			       struct cidr_list *own)
{
	struct cidr_list net = { .count = 1 };
	struct cidr addr;
	size_t i, k;
	int ret = 0;

	for (i = 0; i < token->tunnel.count && !ret; i++) {
		net.all = &token->tunnel.all[i];
		for (k = 0; k < given->count; k++) {
			addr = cidr_host(&given->all[k]);
			if (cidr_contains(net.all, &addr))
				break;
		}
		addr.len = net.all->len;
		if (k == given->count)
			ret = site_addresses(ctx, &net, key, own);
		else if (cidr_list_add(own, &addr))
			ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	}
	return ret;
}

static int site_join_given(struct ctx *ctx, const char *text,
			   const struct token *token, struct cidr_list *given)
{
	char one[CIDR_TEXT], two[CIDR_TEXT];
	struct cidr host;
	size_t i;
	int ret;

	ret = cidr_list_parse(ctx, "--address", text, given);
	for (i = 0; i < given->count && !ret; i++) {
		host = cidr_host(&given->all[i]);
		if (cidr_list_overlap(&token->tunnel, &host))
			continue;
		cidr_addr_text(one, &host);
		cidr_text(two, &token->tunnel.all[0]);
		ret = ctx_fail(ctx, -EINVAL,
			       "--address: `%s' is not in a network of the token's tunnel; right would be one in %s",
			       one, two);
	}
	return ret;
}

static int site_join_address(struct ctx *ctx, struct role *role,
			     const struct site_wish *wish,
			     const struct token *token)
{
	struct cidr_list own = { 0 }, given = { 0 };
	uint8_t key[WG_KEY_LEN];
	int ret;

	if (!wish->address && role->quick->addresses.count)
		return 0;
	ret = role_public_key(ctx, role, key);
	if (!ret && wish->address)
		ret = site_join_given(ctx, wish->address, token, &given);
	if (!ret)
		ret = site_fill_addresses(ctx, token, token->secret ?
					  &token->receiver : &given, key,
					  &own);
	if (!ret)
		ret = site_set_address(ctx, role, key, &own);
	cidr_list_free(&own);
	cidr_list_free(&given);
	return ret;
}

/* What the first side has decided for both. */
static int site_check_secret(struct ctx *ctx, const struct site_wish *wish)
{
	const char *wrong = wish->share ? "--share" :
			    wish->address ? "--address" :
			    wish->endpoint ? "--endpoint" : NULL;

	if (!wrong)
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"%s: the token says all of this site, and the other one would not learn of a change; right would be without, or a token made without --one-paste",
			wrong);
}

static int site_join_share(struct ctx *ctx, struct role *role,
			   const struct site_wish *wish,
			   const struct token *token)
{
	struct cidr_list shares = { 0 };
	int ret = 0;

	if (token->secret)
		return site_set_share(ctx, role, &token->receiver_shares);
	if (wish->share)
		ret = site_parse_share(ctx, "--share", wish->share, &shares);
	if (!ret)
		ret = site_set_share(ctx, role, &shares);
	cidr_list_free(&shares);
	return ret;
}

static int site_join_edit(struct ctx *ctx, struct role *role,
			  const struct site_wish *wish,
			  const struct token *token)
{
	int ret = 0;

	if (token->secret)
		ret = site_check_secret(ctx, wish);
	if (!ret)
		ret = site_set_key(ctx, role, token);
	if (!ret)
		ret = site_set_flags(ctx, role, false, token->routed);
	if (!ret)
		ret = site_join_address(ctx, role, wish, token);
	if (!ret)
		ret = site_set_name(ctx, role, wish->name, token->name);
	if (!ret)
		ret = site_join_share(ctx, role, wish, token);
	if (!ret)
		ret = site_set_port(ctx, role, wish->port);
	/* With a secret token nobody would be told where it is. */
	if (!ret && !token->secret)
		ret = site_set_endpoint(ctx, role, wish->endpoint);
	if (!ret)
		ret = site_refresh_peers(ctx, role);
	return ret ? ret : site_put_peer(ctx, role, token);
}

/* With a secret token the other side knows all; without, it gets one back. */
static int site_join_finish(struct ctx *ctx, struct role *role,
			    const struct site_wish *wish,
			    const struct token *token)
{
	struct token back = { 0 };
	int ret;

	if (token->secret)
		return role_finish(ctx, role, wish->no_up);
	ret = site_describe(ctx, role, &back);
	if (!ret)
		ret = site_finish(ctx, role, wish->no_up, &back);
	if (!ret)
		ctx_todo(ctx, "on site `%s': `%s site add IF' with this token",
			 token->name, ctx->prog);
	token_free(&back);
	return ret;
}

int site_join(struct ctx *ctx, int argc, char **argv)
{
	struct site_wish wish = { 0 };
	const struct opt opts[] = {
		{ "share", NULL, &wish.share },
		{ "endpoint", NULL, &wish.endpoint },
		{ "port", NULL, &wish.port },
		{ "name", NULL, &wish.name },
		{ "address", NULL, &wish.address },
		{ "no-up", &wish.no_up, NULL },
		{ "config-dir", NULL, &wish.dir },
		{ NULL, NULL, NULL },
	};
	struct token token = { 0 };
	struct role role;
	int ret;

	ret = opts_parse(ctx, "site join", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "site join", "IF TOKEN", argc);
	if (!ret)
		ret = site_read_token(ctx, argv[2], &token);
	if (ret) {
		token_free(&token);
		return ret;
	}
	ret = role_open(ctx, &role, "site", wish.dir, argv[1], true);
	if (!ret)
		ret = site_join_edit(ctx, &role, &wish, &token);
	if (!ret)
		ret = site_join_finish(ctx, &role, &wish, &token);
	if (!ret) {
		site_say(ctx, &role);
		site_say_peer(ctx, &role, quick_find_key(role.quick,
							 token.public_key));
	}
	token_free(&token);
	role_close(&role);
	return ret;
}
