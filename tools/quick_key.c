// SPDX-License-Identifier: GPL-2.0
/* The keys that wg-quick adds to wg's. (layer 4) */
#include "quick_key.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "opts.h"
#include "parse.h"

#define QUICK_N(a)		(sizeof(a) / sizeof((a)[0]))
#define QUICK_MTU_MIN		576	/* every IPv4 host takes that much */
#define QUICK_MTU_MAX		65535
#define QUICK_DOMAIN_MAX	253
#define QUICK_LETTERS		"abcdefghijklmnopqrstuvwxyz" \
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define QUICK_DIGITS		"0123456789"

static int quick_key_no_memory(struct ctx *ctx)
{
	return ctx_fail(ctx, -ENOMEM, "Out of memory");
}

void quick_squeeze(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (!isspace((unsigned char)*text))
			*to++ = *text;
	}
	*to = '\0';
}

static int quick_add_word(struct ctx *ctx, struct quick_words *words,
			  const char *word)
{
	char **all, *copy = strdup(word);

	all = copy ? reallocarray(words->all, words->count + 1, sizeof(*all)) :
		     NULL;
	if (!all) {
		free(copy);
		return quick_key_no_memory(ctx);
	}
	words->all = all;
	all[words->count++] = copy;
	return 0;
}

static void quick_free_words(struct quick_words *words)
{
	while (words->count)
		free(words->all[--words->count]);
	free(words->all);
	words->all = NULL;
}

/* As for wg-quick, any number of commas and spaces is between two words. */
static int quick_each_word(struct ctx *ctx, struct quick *quick,
			   const char *value,
			   int (*take)(struct ctx *ctx, struct quick *quick,
				       const char *word))
{
	char *copy = strdup(value), *rest = copy, *word;
	int ret = 0;

	if (!copy)
		return quick_key_no_memory(ctx);
	while (!ret && (word = strsep(&rest, ", \t\v\f\r"))) {
		if (*word)
			ret = take(ctx, quick, word);
	}
	free(copy);
	return ret;
}

static int quick_address_word(struct ctx *ctx, struct quick *quick,
			      const char *word)
{
	struct cidr cidr;
	int ret = cidr_parse(ctx, "Address", word, &cidr);

	if (!ret && cidr_list_add(&quick->addresses, &cidr))
		ret = quick_key_no_memory(ctx);
	return ret;
}

static int quick_take_address(struct ctx *ctx, struct quick *quick,
			      const char *value)
{
	return quick_each_word(ctx, quick, value, quick_address_word);
}

/* "10.0.0.256" is a bad address and no domain. */
static bool quick_is_domain(const char *word)
{
	return strlen(word) <= QUICK_DOMAIN_MAX && *word != '-' &&
	       !word[strspn(word, QUICK_LETTERS QUICK_DIGITS "-._~")] &&
	       word[strspn(word, QUICK_DIGITS ".")];
}

static int quick_dns_word(struct ctx *ctx, struct quick *quick,
			  const char *word)
{
	struct ctx no_errors;
	struct cidr server;

	if (!strchr(word, '/') && !cidr_parse(&no_errors, "", word, &server))
		return cidr_list_add(&quick->dns, &server) ?
			       quick_key_no_memory(ctx) : 0;
	if (!quick_is_domain(word))
		return ctx_fail(ctx, -EINVAL,
				"DNS: `%.100s' is neither an address nor a domain; right would be 9.9.9.9, fd00::53 or example.org",
				word);
	return quick_add_word(ctx, &quick->search, word);
}

static int quick_take_dns(struct ctx *ctx, struct quick *quick,
			  const char *value)
{
	return quick_each_word(ctx, quick, value, quick_dns_word);
}

static int quick_take_mtu(struct ctx *ctx, struct quick *quick,
			  const char *value)
{
	unsigned long n;
	int ret;

	ret = opts_number(ctx, "MTU", value, QUICK_MTU_MIN, QUICK_MTU_MAX, &n);
	if (!ret)
		quick->mtu = n;
	return ret;
}

/* 010 would be 8 for ip and 10 for people. */
static bool quick_table_id(const char *value, uint32_t *id)
{
	static const struct {
		const char *name;
		uint32_t id;
	} known[] = { { "default", 253 }, { "main", 254 }, { "local", 255 } };
	struct ctx no_errors;
	size_t i;

	for (i = 0; i < QUICK_N(known); i++) {
		if (!strcasecmp(value, known[i].name)) {
			*id = known[i].id;
			return true;
		}
	}
	if (!strncmp(value, "0x", 2) || (*value >= '1' && *value <= '9'))
		return !parse_fwmark(&no_errors, value, id) && *id;
	return false;
}

static int quick_take_table(struct ctx *ctx, struct quick *quick,
			    const char *value)
{
	quick->table = 0;
	if (!strcasecmp(value, "auto")) {
		quick->table_mode = QUICK_TABLE_AUTO;
		return 0;
	}
	if (!strcasecmp(value, "off")) {
		quick->table_mode = QUICK_TABLE_OFF;
		return 0;
	}
	quick->table_mode = QUICK_TABLE_ID;
	if (quick_table_id(value, &quick->table))
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"Table: `%.100s' is no table; right would be auto, off, main, default, local, 1 to 4294967295, or 0x1 to 0xffffffff",
			value);
}

static int quick_take_save(struct ctx *ctx, struct quick *quick,
			   const char *value)
{
	if (strcasecmp(value, "true") && strcasecmp(value, "false"))
		return ctx_fail(ctx, -EINVAL,
				"SaveConfig: `%.100s' is neither true nor false",
				value);
	quick->save = !strcasecmp(value, "true");
	return 0;
}

static int quick_take_pre_up(struct ctx *ctx, struct quick *quick,
			     const char *value)
{
	return quick_add_word(ctx, &quick->hooks[QUICK_PRE_UP], value);
}

static int quick_take_post_up(struct ctx *ctx, struct quick *quick,
			      const char *value)
{
	return quick_add_word(ctx, &quick->hooks[QUICK_POST_UP], value);
}

static int quick_take_pre_down(struct ctx *ctx, struct quick *quick,
			       const char *value)
{
	return quick_add_word(ctx, &quick->hooks[QUICK_PRE_DOWN], value);
}

static int quick_take_post_down(struct ctx *ctx, struct quick *quick,
				const char *value)
{
	return quick_add_word(ctx, &quick->hooks[QUICK_POST_DOWN], value);
}

const struct quick_key *quick_key_find(const char *name)
{
	static const struct quick_key keys[] = {
		{ "Address", quick_take_address, false },
		{ "DNS", quick_take_dns, false },
		{ "MTU", quick_take_mtu, false },
		{ "Table", quick_take_table, false },
		{ "SaveConfig", quick_take_save, false },
		{ "PreUp", quick_take_pre_up, true },
		{ "PostUp", quick_take_post_up, true },
		{ "PreDown", quick_take_pre_down, true },
		{ "PostDown", quick_take_post_down, true },
	};
	size_t i;

	for (i = 0; i < QUICK_N(keys); i++) {
		if (!strcasecmp(name, keys[i].name))
			return &keys[i];
	}
	return NULL;
}

/* What a host's name, an address with a scope and a port are made of, so that
 * it can go into any other file as it is; names in UTF-8 may be known to
 * somebody.
 */
static bool quick_is_endpoint(const char *value)
{
	for (; *value; value++) {
		if ((unsigned char)*value < 0x80 &&
		    !isalnum((unsigned char)*value) &&
		    !strchr("-._:%[]", *value))
			return false;
	}
	return true;
}

static int quick_check_endpoint(struct ctx *ctx, const char *value)
{
	char *host, *port;
	uint64_t n;
	bool good;
	int ret;

	ret = parse_split_endpoint(ctx, value, &host, &port);
	if (ret)
		return ret;
	good = *host && quick_is_endpoint(value) &&
	       parse_number(port, UINT16_MAX, &n) != -ERANGE;
	free(host);
	if (good)
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"Endpoint: `%.100s' is wrong; right would be HOST:PORT or [IPv6]:PORT, the port at most 65535",
			value);
}

int quick_key_endpoint(struct ctx *ctx, struct model_peer *peer,
		       const char *value)
{
	char *copy = strdup(value);
	int ret;

	if (!copy)
		return quick_key_no_memory(ctx);
	quick_squeeze(copy);
	ret = quick_check_endpoint(ctx, copy);
	if (ret) {
		free(copy);
		return ret;
	}
	free(peer->host);
	peer->host = copy;
	return 0;
}

void quick_key_free(struct quick *quick)
{
	int i;

	cidr_list_free(&quick->addresses);
	cidr_list_free(&quick->dns);
	quick_free_words(&quick->search);
	for (i = 0; i < QUICK_HOOKS; i++)
		quick_free_words(&quick->hooks[i]);
}
