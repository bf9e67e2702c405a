// SPDX-License-Identifier: GPL-2.0
/* Single values as people write them. (layer 2) */
#include "parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base64.h"
#include "text.h"

#define PARSE_CHUNK	4096

int parse_public_key(struct ctx *ctx, const char *what, const char *text,
		     uint8_t key[WG_KEY_LEN])
{
	if (base64_decode_key(key, text))
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"%s: Key is not the correct length or format: `%s'; a key is 44 characters of base64",
			what, text);
}

int parse_secret_key(struct ctx *ctx, const char *what, const char *text,
		     uint8_t key[WG_KEY_LEN])
{
	if (base64_decode_key(key, text))
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"%s: Key is not the correct length or format (%zu characters); a key is 44 characters of base64",
			what, strlen(text));
}

static int parse_key_blob(struct ctx *ctx, const char *what, const char *path,
			  struct text *blob, uint8_t key[WG_KEY_LEN])
{
	size_t i;

	memset(key, 0, WG_KEY_LEN);
	if (!blob->len)
		return 0;
	for (i = BASE64_KEY_CHARS; i < blob->len; i++) {
		if (!isspace((unsigned char)blob->data[i]))
			return ctx_fail(ctx, -EINVAL,
					"%s: file `%s' goes on behind the key; it must hold one key of 44 characters",
					what, path);
	}
	if (blob->len > BASE64_KEY_CHARS)
		blob->data[BASE64_KEY_CHARS] = '\0';
	if (base64_decode_key(key, blob->data))
		return 0;
	return ctx_fail(ctx, -EINVAL,
			"%s: file `%s' does not hold a key; it must hold 44 characters of base64, or nothing for no key",
			what, path);
}

int parse_key_file(struct ctx *ctx, const char *what, const char *path,
		   uint8_t key[WG_KEY_LEN])
{
	struct text blob = { 0 };
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(ctx, -errno, "%s: cannot open file `%s': %s",
				what, path, strerror(errno));
	ret = text_slurp(&blob, fd, PARSE_CHUNK);
	close(fd);
	if (ret)
		ret = ctx_fail(ctx, ret, "%s: cannot read file `%s': %s",
			       what, path, strerror(-ret));
	else
		ret = parse_key_blob(ctx, what, path, &blob, key);
	text_free(&blob);
	return ret;
}

int parse_number(const char *text, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (!*text)
		return -EINVAL;
	if (text[strspn(text, "0123456789")])
		return -EINVAL;
	for (; *text; text++) {
		n = 10 * n + (*text - '0');
		if (n > max)
			return -ERANGE;
	}
	*number = n;
	return 0;
}

static int parse_hex(const char *text, uint32_t *number)
{
	size_t len = strlen(text);

	if (!len || text[strspn(text, "0123456789abcdefABCDEF")])
		return -EINVAL;
	while (len > 1 && *text == '0') {
		text++;
		len--;
	}
	if (len > 8)
		return -ERANGE;
	*number = strtoul(text, NULL, 16);
	return 0;
}

int parse_fwmark(struct ctx *ctx, const char *text, uint32_t *fwmark)
{
	uint64_t n = 0;
	int ret;

	if (!strcasecmp(text, "off")) {
		*fwmark = 0;
		return 0;
	}
	if (!strncmp(text, "0x", 2)) {
		ret = parse_hex(text + 2, fwmark);
	} else {
		ret = parse_number(text, UINT32_MAX, &n);
		if (!ret)
			*fwmark = n;
	}
	if (!ret)
		return 0;
	return ctx_fail(ctx, ret,
			"fwmark: `%s' is not a mark; it must be off, 0 to 4294967295, or 0x0 to 0xffffffff",
			text);
}

int parse_keepalive(struct ctx *ctx, const char *text, uint16_t *keepalive)
{
	uint64_t n = 0;
	int ret = 0;

	if (strcasecmp(text, "off"))
		ret = parse_number(text, UINT16_MAX, &n);
	if (ret)
		return ctx_fail(ctx, ret,
				"persistent-keepalive: `%s' is not an interval; it must be off or 0 to 65535 seconds",
				text);
	*keepalive = n;
	return 0;
}

/* Whether bits behind the prefix are set. */
static bool parse_has_host_bits(const struct model_allowedip *aip)
{
	const uint8_t *ip = (const uint8_t *)&aip->ip;
	unsigned int bits = aip->family == AF_INET ? 32 : 128, i;

	for (i = aip->cidr; i < bits; i++) {
		if (ip[i / 8] & 0x80 >> i % 8)
			return true;
	}
	return false;
}

/* @text is changed: the slash goes. */
static int parse_allowedip(struct ctx *ctx, char *text,
			   struct model_allowedip *aip)
{
	char *slash = strchr(text, '/');
	uint64_t cidr;

	if (slash)
		*slash = '\0';
	aip->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(aip->family, text, &aip->ip) != 1)
		return ctx_fail(ctx, -EINVAL,
				"allowed-ips: Unable to parse IP address: `%s'; an entry is like 192.0.2.0/24 or 2001:db8::/64",
				text);
	cidr = aip->family == AF_INET ? 32 : 128;
	if (slash && parse_number(slash + 1, cidr, &cidr))
		return ctx_fail(ctx, -EINVAL,
				"allowed-ips: `%s/%s' has no valid prefix length; it must be 0 to %u",
				text, slash + 1,
				aip->family == AF_INET ? 32 : 128);
	aip->cidr = cidr;
	if (parse_has_host_bits(aip))
		ctx_warn(ctx, "AllowedIP has nonzero host part: %s/%u",
			 text, aip->cidr);
	return 0;
}

static int parse_allowedip_entry(struct ctx *ctx, struct model_peer *peer,
				 char *entry, bool signs)
{
	struct model_allowedip *aip = model_add_allowedip(peer);

	if (!aip)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (signs && (*entry == '+' || *entry == '-')) {
		peer->has &= ~(uint32_t)MODEL_PEER_REPLACE_ALLOWEDIPS;
		aip->remove = *entry == '-';
		entry++;
	}
	return parse_allowedip(ctx, entry, aip);
}

static void parse_squeeze(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (!isspace((unsigned char)*text))
			*to++ = *text;
	}
	*to = '\0';
}

int parse_allowedips(struct ctx *ctx, struct model_peer *peer,
		     const char *text, bool signs)
{
	char *copy = strdup(text), *rest, *entry;
	int ret = 0;

	if (!copy)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	parse_squeeze(copy);
	/* Once incremental, always incremental. */
	if (!peer->first)
		peer->has |= MODEL_PEER_REPLACE_ALLOWEDIPS;
	rest = *copy ? copy : NULL;
	while (!ret && (entry = strsep(&rest, ",")))
		ret = parse_allowedip_entry(ctx, peer, entry, signs);
	free(copy);
	return ret;
}

int parse_split_endpoint(struct ctx *ctx, const char *text, char **host,
			 char **port)
{
	char *copy, *colon;

	if (!*text)
		return ctx_fail(ctx, -EINVAL,
				"endpoint: Unable to parse empty endpoint; it must be HOST:PORT or [IPv6]:PORT");
	copy = strdup(text);
	if (!copy)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (*copy == '[') {
		colon = strchr(copy, ']');
		if (!colon) {
			free(copy);
			return ctx_fail(ctx, -EINVAL,
					"endpoint: Unable to find matching brace of endpoint: `%s'; it must be [IPv6]:PORT",
					text);
		}
		*colon++ = '\0';
		*host = copy;
		memmove(copy, copy + 1, strlen(copy + 1) + 1);
		if (*colon != ':')
			colon = NULL;
	} else {
		*host = copy;
		colon = strrchr(copy, ':');
	}
	if (!colon || !colon[1]) {
		free(copy);
		return ctx_fail(ctx, -EINVAL,
				"endpoint: Unable to find port of endpoint: `%s'; it must be HOST:PORT or [IPv6]:PORT",
				text);
	}
	*colon = '\0';
	*port = colon + 1;
	return 0;
}
