// SPDX-License-Identifier: GPL-2.0
/* Addresses with a prefix length. (layer 0) */
#include "cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CIDR_N(a)	(sizeof(a) / sizeof((a)[0]))

static const uint8_t *cidr_bytes(const struct cidr *cidr)
{
	return (const uint8_t *)&cidr->ip;
}

uint8_t cidr_max(uint16_t family)
{
	return family == AF_INET ? 32 : 128;
}

static int cidr_parse_length(const char *text, uint8_t max, uint8_t *len)
{
	unsigned int n = 0;

	if (!*text || strlen(text) > 3)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = 10 * n + (*text - '0');
	}
	if (n > max)
		return -EINVAL;
	*len = n;
	return 0;
}

int cidr_parse(struct ctx *ctx, const char *what, const char *text,
	       struct cidr *cidr)
{
	char addr[CIDR_TEXT];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);

	memset(cidr, 0, sizeof(*cidr));
	if (n < sizeof(addr)) {
		memcpy(addr, text, n);
		addr[n] = '\0';
		if (inet_pton(AF_INET, addr, &cidr->ip.in) == 1)
			cidr->family = AF_INET;
		else if (inet_pton(AF_INET6, addr, &cidr->ip.in6) == 1)
			cidr->family = AF_INET6;
	}
	if (cidr->family == AF_UNSPEC)
		return ctx_fail(ctx, -EINVAL,
				"%s: `%.100s' is no network; right would be 10.0.0.1/24 or fd00::1/64",
				what, text);
	cidr->len = cidr_max(cidr->family);
	if (slash && cidr_parse_length(slash + 1, cidr->len, &cidr->len))
		return ctx_fail(ctx, -EINVAL,
				"%s: `%.100s' has no prefix length; right behind the slash would be 0 to %u",
				what, text, cidr_max(cidr->family));
	return 0;
}

void cidr_addr_text(char text[CIDR_TEXT], const struct cidr *cidr)
{
	if (!inet_ntop(cidr->family, &cidr->ip, text, CIDR_TEXT))
		snprintf(text, CIDR_TEXT, "(none)");
}

void cidr_text(char text[CIDR_TEXT], const struct cidr *cidr)
{
	size_t n;

	cidr_addr_text(text, cidr);
	n = strlen(text);
	snprintf(text + n, CIDR_TEXT - n, "/%u", cidr->len);
}

struct cidr cidr_network(const struct cidr *cidr)
{
	struct cidr net = *cidr;
	uint8_t *bytes = (uint8_t *)&net.ip;
	unsigned int i, max = cidr_max(net.family) / 8;

	for (i = 0; i < max; i++) {
		if (8 * i >= net.len)
			bytes[i] = 0;
		else if (8 * (i + 1) > net.len)
			bytes[i] &= 0xff << (8 * (i + 1) - net.len);
	}
	return net;
}

struct cidr cidr_host(const struct cidr *cidr)
{
	struct cidr host = *cidr;

	host.len = cidr_max(host.family);
	return host;
}

bool cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return a->family == b->family && a->len == b->len &&
	       !memcmp(cidr_bytes(a), cidr_bytes(b), cidr_max(a->family) / 8);
}

bool cidr_contains(const struct cidr *outer, const struct cidr *inner)
{
	struct cidr a = cidr_network(outer), b = *inner;

	if (a.family != b.family || a.len > b.len)
		return false;
	b.len = a.len;
	b = cidr_network(&b);
	return cidr_equal(&a, &b);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return cidr_contains(a, b) || cidr_contains(b, a);
}

bool cidr_nth(const struct cidr *net, uint64_t n, struct cidr *host)
{
	unsigned int bits = cidr_max(net->family) - net->len;
	uint8_t *bytes = (uint8_t *)&host->ip;
	int i;

	if (bits < 64 && n >> bits)
		return false;
	if (net->family == AF_INET && bits > 1 && n == (1ULL << bits) - 1)
		return false;
	*host = cidr_network(net);
	host->len = cidr_max(net->family);
	/* Network bits are above all bits of n: nothing can carry over. */
	for (i = host->len / 8 - 1; n; i--, n >>= 8)
		bytes[i] |= n & 0xff;
	return true;
}

bool cidr_is_default(const struct cidr *cidr)
{
	return !cidr->len && cidr->family != AF_UNSPEC;
}

bool cidr_is_public(const struct cidr *cidr)
{
	static const char *const special[] = {
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
		"169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
		"::/3", "fc00::/7", "fe80::/10", "ff00::/8",
	};
	struct ctx no_errors;
	struct cidr net;
	size_t i;

	for (i = 0; i < CIDR_N(special); i++) {
		cidr_parse(&no_errors, "", special[i], &net);
		if (cidr_contains(&net, cidr))
			return false;
	}
	return true;
}

int cidr_list_add(struct cidr_list *list, const struct cidr *cidr)
{
	struct cidr *all;

	all = reallocarray(list->all, list->count + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	list->all = all;
	all[list->count++] = *cidr;
	return 0;
}

static int cidr_list_take(struct ctx *ctx, const char *what, const char *word,
			  size_t n, struct cidr_list *list)
{
	char text[2 * CIDR_TEXT];
	struct cidr cidr;
	int ret;

	while (n && strchr(" \t", *word)) {
		word++;
		n--;
	}
	while (n && strchr(" \t", word[n - 1]))
		n--;
	snprintf(text, sizeof(text), "%.*s", (int)n, word);
	ret = cidr_parse(ctx, what, text, &cidr);
	if (ret)
		return ret;
	if (cidr_list_add(list, &cidr))
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	return 0;
}

int cidr_list_parse(struct ctx *ctx, const char *what, const char *text,
		    struct cidr_list *list)
{
	size_t n;
	int ret;

	for (;;) {
		n = strcspn(text, ",");
		ret = cidr_list_take(ctx, what, text, n, list);
		if (ret || !text[n])
			return ret;
		text += n + 1;
	}
}

const struct cidr *cidr_list_overlap(const struct cidr_list *list,
				     const struct cidr *cidr)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (cidr_overlaps(&list->all[i], cidr))
			return &list->all[i];
	}
	return NULL;
}

void cidr_list_free(struct cidr_list *list)
{
	free(list->all);
	memset(list, 0, sizeof(*list));
}
