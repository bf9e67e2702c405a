// SPDX-License-Identifier: GPL-2.0
/* What one site tells another, as one word to paste. (layer 2) */
#include "token.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "curve25519.h"

/*
 * A word is a prefix and, in base64url without padding, fields and a checksum.
 * A field is its type, the length of its value and the value, a byte, a byte
 * and that many.  The checksum is CRC-32 (as in zlib) of the prefix and the
 * fields, big-endian: it is against slips, not against enemies.
 *
 * Fields of a type not known here are skipped if TOKEN_OPTIONAL is set in it,
 * else the token is refused: it says what we would do wrong without.
 */
#define TOKEN_PUBLIC	"wgsite1-"
#define TOKEN_SECRET	"wgsecret1-"

#define TOKEN_OPTIONAL	0x80
#define TOKEN_CRC_LEN	4
#define TOKEN_HUB	0x01
#define TOKEN_ROUTED	0x02

/* A program takes at most 128 KiB as one word of its command line. */
#define TOKEN_CHARS_MAX	65536
#define TOKEN_LIST_MAX	1024
#define TOKEN_HOST_MAX	253	/* RFC 1035, as text */
#define TOKEN_LABEL_MAX	63
#define TOKEN_PORT_LEN	2
#define TOKEN_BITS_MIN	2	/* of a tunnel network, for its hosts */
#define TOKEN_PART	48	/* bytes that become whole characters */

enum token_kind {
	TOKEN_NAME,
	TOKEN_KEY,
	TOKEN_ENDPOINT,	/* port, big-endian; host without brackets */
	TOKEN_FLAGS,
	TOKEN_NET,	/* length; address in full, which tells the family */
	TOKEN_HOST,	/* the same, the length that of a single host */
};

static const struct token_field {
	uint8_t type;
	enum token_kind kind;
	bool secret;
	size_t offset;
	const char *what;
} token_fields[] = {
	{ 1, TOKEN_NAME, false, offsetof(struct token, name), "name" },
	{ 2, TOKEN_KEY, false, offsetof(struct token, public_key),
	  "public key" },
	{ 3, TOKEN_ENDPOINT, false, offsetof(struct token, endpoint),
	  "endpoint" },
	{ 4, TOKEN_FLAGS, false, 0, "flags" },
	{ 5, TOKEN_NET, false, offsetof(struct token, tunnel),
	  "tunnel network" },
	{ 6, TOKEN_HOST, false, offsetof(struct token, addresses), "address" },
	{ 7, TOKEN_NET, false, offsetof(struct token, shares), "share" },
	{ 8, TOKEN_KEY, true, offsetof(struct token, private_key),
	  "private key" },
	{ 9, TOKEN_KEY, true, offsetof(struct token, preshared_key),
	  "preshared key" },
	{ 10, TOKEN_HOST, true, offsetof(struct token, receiver),
	  "receiver's address" },
	{ 11, TOKEN_NET, true, offsetof(struct token, receiver_shares),
	  "receiver's share" },
};

#define TOKEN_FIELDS	(sizeof(token_fields) / sizeof(token_fields[0]))

static uint32_t token_crc(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *byte = data;
	int bit;

	crc = ~crc;
	for (; len; len--) {
		crc ^= *byte++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
	}
	return ~crc;
}

static uint32_t token_checksum(const char *prefix, const char *data, size_t len)
{
	return token_crc(token_crc(0, prefix, strlen(prefix)), data, len);
}

/*
 * Writing.
 */

static void token_put(struct text *body, uint8_t type, const void *value,
		      size_t len)
{
	uint8_t head[2] = { type, len };

	text_add(body, head, sizeof(head));
	text_add(body, value, len);
}

static void token_put_key(struct text *body, uint8_t type,
			  const uint8_t key[WG_KEY_LEN])
{
	if (!key_is_zero(key))
		token_put(body, type, key, WG_KEY_LEN);
}

static void token_put_endpoint(struct text *body, uint8_t type,
			       const char *endpoint)
{
	uint8_t value[TOKEN_PORT_LEN + TOKEN_HOST_MAX];
	const char *colon = strrchr(endpoint, ':');
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;
	size_t len = colon ? (size_t)(colon - endpoint) : strlen(endpoint);

	if (!*endpoint)
		return;
	if (len > 1 && *endpoint == '[' && endpoint[len - 1] == ']') {
		endpoint++;
		len -= 2;
	}
	if (len > TOKEN_HOST_MAX)
		len = 0;
	value[0] = port >> 8;
	value[1] = port;
	memcpy(value + TOKEN_PORT_LEN, endpoint, len);
	token_put(body, type, value, TOKEN_PORT_LEN + len);
}

static void token_put_list(struct text *body, uint8_t type,
			   const struct cidr_list *list)
{
	uint8_t value[1 + sizeof(struct in6_addr)];
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct cidr *cidr = &list->all[i];
		size_t len = cidr_max(cidr->family) / 8;

		value[0] = cidr->len;
		memcpy(value + 1, &cidr->ip, len);
		token_put(body, type, value, 1 + len);
	}
}

static void token_put_field(struct text *body, const struct token_field *field,
			    const struct token *token)
{
	const void *member = (const char *)token + field->offset;
	uint8_t flags = (token->hub ? TOKEN_HUB : 0) |
			(token->routed ? TOKEN_ROUTED : 0);

	switch (field->kind) {
	case TOKEN_NAME:
		token_put(body, field->type, member, strlen(member));
		break;
	case TOKEN_KEY:
		token_put_key(body, field->type, member);
		break;
	case TOKEN_ENDPOINT:
		token_put_endpoint(body, field->type, member);
		break;
	case TOKEN_FLAGS:
		if (flags)
			token_put(body, field->type, &flags, sizeof(flags));
		break;
	case TOKEN_NET:
	case TOKEN_HOST:
		token_put_list(body, field->type, member);
		break;
	}
}

void token_write(const struct token *token, struct text *text)
{
	const char *prefix = token->secret ? TOKEN_SECRET : TOKEN_PUBLIC;
	char part[BASE64URL_CHARS(TOKEN_PART)];
	struct text body = { 0 };
	uint32_t crc;
	size_t i, n;

	for (i = 0; i < TOKEN_FIELDS; i++) {
		if (token->secret || !token_fields[i].secret)
			token_put_field(&body, &token_fields[i], token);
	}
	crc = htonl(token_checksum(prefix, text_string(&body), body.len));
	text_add(&body, &crc, TOKEN_CRC_LEN);
	text_put(text, prefix);
	for (i = 0; i < body.len; i += n) {
		n = body.len - i < TOKEN_PART ? body.len - i : TOKEN_PART;
		base64url_encode(part, (const uint8_t *)body.data + i, n);
		text_add(text, part, BASE64URL_CHARS(n));
	}
	text->broken |= body.broken;
	explicit_bzero(part, sizeof(part));
	text_free(&body);
}

/*
 * Reading: every byte may come from somebody who means ill.
 */

static int token_no_memory(struct ctx *ctx)
{
	return ctx_fail(ctx, -ENOMEM, "Out of memory");
}

static int token_take_name(struct ctx *ctx, char name[64],
			   const uint8_t *value, size_t len)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@";
	size_t i = 0;

	while (i < len && value[i] && strchr(good, value[i]))
		i++;
	if (!len || i < len || len > 63 || strchr("_-.@", value[0]))
		return ctx_fail(ctx, -EINVAL,
				"token: its name of %zu bytes is wrong; right would be 1 to 63 letters, digits, `_', `-', `.', `@', the first a letter or digit",
				len);
	memcpy(name, value, len);
	name[len] = '\0';
	return 0;
}

static int token_take_key(struct ctx *ctx, const char *what,
			  uint8_t key[WG_KEY_LEN], const uint8_t *value,
			  size_t len)
{
	if (len != WG_KEY_LEN || key_is_zero(value))
		return ctx_fail(ctx, -EINVAL,
				"token: its %s is wrong; right would be %d bytes that are not all zero",
				what, WG_KEY_LEN);
	memcpy(key, value, len);
	return 0;
}

/* Labels of letters, digits, "-", "_"; the last not a number, or the resolver
 * would take it for an address.
 */
static bool token_is_hostname(const char *host)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	const char *label;
	size_t n;

	do {
		label = host;
		n = strspn(label, good);
		if (!n || n > TOKEN_LABEL_MAX || *label == '-' ||
		    label[n - 1] == '-')
			return false;
		host += n;
	} while (*host == '.' && *++host);
	return !*host && strspn(label, "0123456789") < n &&
	       strncasecmp(label, "0x", 2);
}

/* An address one can send to, or a host's name. */
static bool token_is_host(const char *host)
{
	struct in6_addr in6;
	struct in_addr in;

	if (inet_pton(AF_INET, host, &in) == 1)
		return ntohl(in.s_addr) >> 24 && ntohl(in.s_addr) >> 29 != 7;
	if (inet_pton(AF_INET6, host, &in6) == 1)
		return !IN6_IS_ADDR_UNSPECIFIED(&in6) &&
		       !IN6_IS_ADDR_MULTICAST(&in6);
	return token_is_hostname(host);
}

static int token_take_endpoint(struct ctx *ctx, struct token *token,
			       const uint8_t *value, size_t len)
{
	char host[TOKEN_HOST_MAX + 1] = "";
	unsigned int port = 0;

	if (len > TOKEN_PORT_LEN && len - TOKEN_PORT_LEN < sizeof(host)) {
		port = value[0] << 8 | value[1];
		value += TOKEN_PORT_LEN;
		len -= TOKEN_PORT_LEN;
		memcpy(host, value, len);
	}
	if (!port || strlen(host) != len || !token_is_host(host))
		return ctx_fail(ctx, -EINVAL,
				"token: its endpoint is wrong; right would be the name or address of a host and a port from 1 to 65535");
	snprintf(token->endpoint, sizeof(token->endpoint),
		 strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	return 0;
}

static int token_take_flags(struct ctx *ctx, struct token *token,
			    const uint8_t *value, size_t len)
{
	if (len != 1 || value[0] & ~(TOKEN_HUB | TOKEN_ROUTED))
		return ctx_fail(ctx, -EINVAL,
				"token: it says something that this version does not know; right would be a newer %s",
				ctx->prog);
	token->hub = value[0] & TOKEN_HUB;
	token->routed = value[0] & TOKEN_ROUTED;
	return 0;
}

/* What is never behind a tunnel: a site could take it away from others. */
static bool token_is_special(const struct cidr *cidr, bool is_host)
{
	static const char *const special[] = {
		"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/32", "ff00::/8",
		/* Single hosts of routed tunnels are link-local. */
		"fe80::/10", "169.254.0.0/16",
	};
	struct ctx no_errors;
	struct cidr net;
	size_t i;

	for (i = 0; i < (is_host ? 5 : 7); i++) {
		cidr_parse(&no_errors, "", special[i], &net);
		if (cidr_overlaps(&net, cidr))
			return true;
	}
	return false;
}

static bool token_is_cidr(const struct cidr *cidr, bool is_host)
{
	struct cidr net = cidr_network(cidr);

	return cidr->len <= cidr_max(cidr->family) &&
	       (!is_host || cidr->len == cidr_max(cidr->family)) &&
	       cidr_equal(&net, cidr) && !token_is_special(cidr, is_host);
}

static int token_take_cidr(struct ctx *ctx, const struct token_field *field,
			   struct cidr_list *list, const uint8_t *value,
			   size_t len)
{
	bool is_host = field->kind == TOKEN_HOST;
	struct cidr cidr = { .family = AF_UNSPEC };
	char text[CIDR_TEXT];
	size_t i;

	snprintf(text, sizeof(text), "of %zu bytes", len);
	if (len == 1 + sizeof(cidr.ip.in) || len == 1 + sizeof(cidr.ip.in6)) {
		cidr.family = len == 1 + sizeof(cidr.ip.in) ? AF_INET :
							      AF_INET6;
		cidr.len = value[0];
		memcpy(&cidr.ip, value + 1, len - 1);
		cidr_text(text, &cidr);
	}
	if (cidr.family == AF_UNSPEC || !token_is_cidr(&cidr, is_host))
		return ctx_fail(ctx, -EINVAL,
				"token: its %s %s is wrong; right would be %s",
				field->what, text, is_host ?
				"the address of one host" :
				"a network without host bits that is not local, multicast or everything");
	for (i = 0; i < list->count; i++) {
		if (cidr_equal(&list->all[i], &cidr))
			return ctx_fail(ctx, -EINVAL,
					"token: it says the %s %s twice; right would be once",
					field->what, text);
	}
	if (list->count >= TOKEN_LIST_MAX)
		return ctx_fail(ctx, -E2BIG,
				"token: it has more than %d of the kind %s; right would be fewer",
				TOKEN_LIST_MAX, field->what);
	return cidr_list_add(list, &cidr) ? token_no_memory(ctx) : 0;
}

static int token_take_value(struct ctx *ctx, const struct token_field *field,
			    struct token *token, const uint8_t *value,
			    size_t len)
{
	void *member = (char *)token + field->offset;

	switch (field->kind) {
	case TOKEN_NAME:
		return token_take_name(ctx, member, value, len);
	case TOKEN_KEY:
		return token_take_key(ctx, field->what, member, value, len);
	case TOKEN_ENDPOINT:
		return token_take_endpoint(ctx, token, value, len);
	case TOKEN_FLAGS:
		return token_take_flags(ctx, token, value, len);
	case TOKEN_NET:
	case TOKEN_HOST:
		break;
	}
	return token_take_cidr(ctx, field, member, value, len);
}

/* *seen has a bit for each type that may come once. */
static int token_take_field(struct ctx *ctx, struct token *token,
			    uint8_t type, const uint8_t *value, size_t len,
			    uint32_t *seen)
{
	const struct token_field *field = token_fields;

	while (field < token_fields + TOKEN_FIELDS && field->type != type)
		field++;
	if (field == token_fields + TOKEN_FIELDS) {
		if (type & TOKEN_OPTIONAL)
			return 0;
		return ctx_fail(ctx, -EINVAL,
				"token: it says something of type %u that this version does not know; right would be a newer %s",
				type, ctx->prog);
	}
	if (field->secret && !token->secret)
		return ctx_fail(ctx, -EINVAL,
				"token: it has a %s although it is not marked as secret; right would be one that begins `%s'",
				field->what, TOKEN_SECRET);
	if (field->kind < TOKEN_NET && *seen & 1U << type)
		return ctx_fail(ctx, -EINVAL,
				"token: it says its %s twice; right would be once",
				field->what);
	*seen |= 1U << type;
	return token_take_value(ctx, field, token, value, len);
}

static bool token_is_link_local(const struct cidr *cidr)
{
	return cidr->family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&cidr->ip.in6);
}

/* Where two sites have no room nobody could choose an address. */
static int token_check_tunnel(struct ctx *ctx, const struct token *token)
{
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < token->tunnel.count; i++) {
		const struct cidr *net = &token->tunnel.all[i];

		if (net->len + TOKEN_BITS_MIN <= cidr_max(net->family))
			continue;
		cidr_text(text, net);
		return ctx_fail(ctx, -EINVAL,
				"token: its tunnel network %s has no room for two sites; right would be a /%d at most",
				text, cidr_max(net->family) - TOKEN_BITS_MIN);
	}
	return 0;
}

/* Addresses belong to the tunnel, so that one site cannot claim another's. */
static int token_check_addresses(struct ctx *ctx, const struct token *token,
				 const struct cidr_list *list, const char *what)
{
	char text[CIDR_TEXT];
	size_t i;

	if (!list->count)
		return ctx_fail(ctx, -EINVAL,
				"token: it has no %s; right would be at least one",
				what);
	for (i = 0; i < list->count; i++) {
		const struct cidr *cidr = &list->all[i];

		if (token_is_link_local(cidr) ||
		    cidr_list_overlap(&token->tunnel, cidr))
			continue;
		cidr_text(text, cidr);
		return ctx_fail(ctx, -EINVAL,
				"token: its %s %s is in none of its tunnel's networks; right would be one that is",
				what, text);
	}
	return 0;
}

static int token_check_secret(struct ctx *ctx, const struct token *token)
{
	uint8_t key[WG_KEY_LEN];
	bool same;

	if (key_is_zero(token->private_key))
		return ctx_fail(ctx, -EINVAL,
				"token: it has no private key although it is marked as secret; right would be one that begins `%s'",
				TOKEN_PUBLIC);
	curve25519_public_key(key, token->private_key);
	same = !memcmp(key, token->public_key, WG_KEY_LEN);
	if (same)
		return ctx_fail(ctx, -EINVAL,
				"token: both ends have the same key; right would be two");
	return token_check_addresses(ctx, token, &token->receiver,
				     "receiver's address");
}

static int token_check(struct ctx *ctx, const struct token *token)
{
	int ret;

	if (!*token->name)
		return ctx_fail(ctx, -EINVAL,
				"token: it has no name; right would be one with the site's");
	if (key_is_zero(token->public_key))
		return ctx_fail(ctx, -EINVAL,
				"token: it has no public key; right would be one with the site's");
	ret = token_check_tunnel(ctx, token);
	if (!ret)
		ret = token_check_addresses(ctx, token, &token->addresses,
					    "address");
	if (!ret && token->secret)
		ret = token_check_secret(ctx, token);
	return ret;
}

static int token_take_fields(struct ctx *ctx, struct token *token,
			     const uint8_t *data, size_t len)
{
	uint32_t seen = 0;
	int ret = 0;

	while (len && !ret) {
		if (len < 2 || len - 2 < data[1])
			return ctx_fail(ctx, -EINVAL,
					"token: a part of it is longer than the rest; right would be one as it was printed");
		ret = token_take_field(ctx, token, data[0], data + 2, data[1],
				       &seen);
		len -= 2 + data[1];
		data += 2 + data[1];
	}
	return ret ? ret : token_check(ctx, token);
}

/* The characters of a word. */
static int token_squeeze(struct ctx *ctx, const char *word, struct text *text)
{
	size_t n;

	while (*(word += strspn(word, " \t\r\n\v\f"))) {
		n = strcspn(word, " \t\r\n\v\f");
		if (n > TOKEN_CHARS_MAX - text->len)
			return ctx_fail(ctx, -E2BIG,
					"token: it is longer than %d characters; right would be one as it was printed",
					TOKEN_CHARS_MAX);
		text_add(text, word, n);
		word += n;
	}
	return text->broken ? token_no_memory(ctx) : 0;
}

static int token_take_body(struct ctx *ctx, struct token *token,
			   const char *prefix, const char *chars)
{
	size_t n = strlen(chars), len = n * 3 / 4;
	uint8_t *data = malloc(len + 1);
	uint32_t crc;
	int ret;

	if (!data)
		return token_no_memory(ctx);
	if (base64url_decode(data, chars, n) && len > TOKEN_CRC_LEN) {
		len -= TOKEN_CRC_LEN;
		crc = token_checksum(prefix, (const char *)data, len);
		crc ^= (uint32_t)data[len] << 24 | data[len + 1] << 16 |
		       data[len + 2] << 8 | data[len + 3];
	} else {
		crc = 1;
	}
	if (crc)
		ret = ctx_fail(ctx, -EINVAL,
			       "token: it was cut off or mistyped, its checksum is wrong; right would be all of the word as it was printed");
	else
		ret = token_take_fields(ctx, token, data, len);
	explicit_bzero(data, n * 3 / 4);
	free(data);
	return ret;
}

int token_read(struct ctx *ctx, const char *word, struct token *token)
{
	struct text chars = { 0 };
	const char *prefix = NULL;
	int ret;

	memset(token, 0, sizeof(*token));
	ret = token_squeeze(ctx, word, &chars);
	if (!ret && !strncmp(text_string(&chars), TOKEN_SECRET,
			     strlen(TOKEN_SECRET)))
		prefix = TOKEN_SECRET;
	else if (!ret && !strncmp(text_string(&chars), TOKEN_PUBLIC,
				  strlen(TOKEN_PUBLIC)))
		prefix = TOKEN_PUBLIC;
	if (!ret && !prefix)
		ret = ctx_fail(ctx, -EINVAL,
			       "token: this is no token; right would be a word that begins `%s' or `%s'",
			       TOKEN_PUBLIC, TOKEN_SECRET);
	if (!ret) {
		token->secret = !strcmp(prefix, TOKEN_SECRET);
		ret = token_take_body(ctx, token, prefix,
				      chars.data + strlen(prefix));
	}
	text_free(&chars);
	return ret;
}

void token_free(struct token *token)
{
	cidr_list_free(&token->tunnel);
	cidr_list_free(&token->addresses);
	cidr_list_free(&token->shares);
	cidr_list_free(&token->receiver);
	cidr_list_free(&token->receiver_shares);
	explicit_bzero(token, sizeof(*token));
}
