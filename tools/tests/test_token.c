// SPDX-License-Identifier: GPL-2.0
/* Tokens: there and back, slips of the pen, and what strangers may send. */
#include <stdlib.h>
#include <string.h>

#include "../base64.h"
#include "../curve25519.h"
#include "../token.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define KEY	"\xa1""22222222222222222222222222222\x01\x02"

static void test_list(struct tap_run *run, struct cidr_list *list,
		      const char *text)
{
	if (*text && cidr_list_parse(&run->ctx, "test", text, list))
		abort();
}

static void test_site(struct tap_run *run, struct token *token)
{
	memset(token, 0, sizeof(*token));
	strcpy(token->name, "berlin");
	memcpy(token->public_key, KEY, WG_KEY_LEN);
	strcpy(token->endpoint, "vpn.example.org:51820");
	test_list(run, &token->tunnel, "10.77.0.0/20,fd77::/64");
	test_list(run, &token->addresses, "10.77.3.4,fd77::304");
	test_list(run, &token->shares, "192.168.7.0/24,2001:db8:7::/48");
}

static void test_secret(struct tap_run *run, struct token *token)
{
	test_site(run, token);
	token->secret = true;
	memset(token->private_key, 0x42, WG_KEY_LEN);
	memset(token->preshared_key, 0x43, WG_KEY_LEN);
	test_list(run, &token->receiver, "10.77.9.9,fd77::909");
	test_list(run, &token->receiver_shares, "192.168.8.0/24");
}

static bool test_same_list(const struct cidr_list *a, const struct cidr_list *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++) {
		if (!cidr_equal(&a->all[i], &b->all[i]))
			return false;
	}
	return a->count == b->count;
}

static bool test_same(const struct token *a, const struct token *b)
{
	return !strcmp(a->name, b->name) &&
	       !strcmp(a->endpoint, b->endpoint) &&
	       !memcmp(a->public_key, b->public_key, WG_KEY_LEN) &&
	       !memcmp(a->private_key, b->private_key, WG_KEY_LEN) &&
	       !memcmp(a->preshared_key, b->preshared_key, WG_KEY_LEN) &&
	       a->hub == b->hub && a->routed == b->routed &&
	       a->secret == b->secret &&
	       test_same_list(&a->tunnel, &b->tunnel) &&
	       test_same_list(&a->addresses, &b->addresses) &&
	       test_same_list(&a->shares, &b->shares) &&
	       test_same_list(&a->receiver, &b->receiver) &&
	       test_same_list(&a->receiver_shares, &b->receiver_shares);
}

static void test_there_and_back(struct tap *tap, struct tap_run *run,
				struct token *token, const char *what)
{
	const char *prefix = token->secret ? "wgsecret1-" : "wgsite1-";
	struct text word = { 0 };
	struct token again;
	const char *c;

	token_write(token, &word);
	for (c = text_string(&word); *c; c++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_",
			    *c))
			break;
	}
	tap_ok(tap, !*c && !strncmp(text_string(&word), prefix, strlen(prefix)),
	       "%s: %s", what, text_string(&word));
	run->ctx.error[0] = '\0';
	tap_ok(tap, !token_read(&run->ctx, text_string(&word), &again) &&
	       test_same(token, &again), "%s comes back%s%s", what,
	       *run->ctx.error ? ": " : "", run->ctx.error);
	token_free(&again);
	text_free(&word);
}

static void test_all(struct tap *tap, struct tap_run *run)
{
	static const char *const endpoints[] = {
		"", "h:1", "192.0.2.1:65535", "[2001:db8::1]:51820",
		"xn--bcher-kva.example:1194", "Host_1.Example.:80",
		"a.b.c.d.e.f.g:65535",
	};
	struct token token;
	size_t i;

	test_site(run, &token);
	test_there_and_back(tap, run, &token, "a site");
	for (i = 0; i < N(endpoints); i++) {
		strcpy(token.endpoint, endpoints[i]);
		test_there_and_back(tap, run, &token, "an endpoint");
	}
	memset(token.endpoint, 0, sizeof(token.endpoint));
	for (i = 0; i < 253; i++)
		token.endpoint[i] = i % 64 == 63 ? '.' : 'a';
	strcat(token.endpoint, ":65535");
	test_there_and_back(tap, run, &token, "the longest endpoint");
	token.hub = true;
	memset(token.name, 'n', 63);
	test_there_and_back(tap, run, &token, "a hub");
	token.hub = false;
	token.routed = true;
	cidr_list_free(&token.addresses);
	test_list(run, &token.addresses, "fe80::7:1");
	test_there_and_back(tap, run, &token, "a routed site");
	token_free(&token);
	test_secret(run, &token);
	test_there_and_back(tap, run, &token, "a secret one");
	token_free(&token);
}

/* What is for the receiver alone stays here unless that is asked for. */
static void test_no_secret(struct tap *tap, struct tap_run *run)
{
	struct text word = { 0 };
	struct token token, again;

	test_secret(run, &token);
	token.secret = false;
	token_write(&token, &word);
	tap_ok(tap, !token_read(&run->ctx, text_string(&word), &again) &&
	       !again.secret && key_is_zero(again.private_key) &&
	       key_is_zero(again.preshared_key) && !again.receiver.count &&
	       !again.receiver_shares.count, "nothing secret in a public one");
	text_free(&word);
	token_free(&again);
	token_free(&token);
}

/* What another program must read: the format is a promise. */
static void test_format(struct tap *tap, struct tap_run *run)
{
	static const char want[] =
		"wgsite1-AQZiZXJsaW4CIKEyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMgECAxHKbHZwbi5leGFtcGxlLm9yZwUFFApNAAAFEUD9dwAAAAAAAAAAAAAAAAAABgUgCk0DBAYRgP13AAAAAAAAAAAAAAAAAwQHBRjAqAcABxEwIAENuAAHAAAAAAAAAAAAANSdEDU";
	struct text word = { 0 };
	struct token token;

	test_site(run, &token);
	token_write(&token, &word);
	tap_same(tap, text_string(&word), want, "the same as ever");
	text_free(&word);
	token_free(&token);
}

static void test_spaces(struct tap *tap, struct tap_run *run)
{
	struct text word = { 0 }, folded = { 0 };
	struct token token, again;
	size_t i;

	test_secret(run, &token);
	token_write(&token, &word);
	text_put(&folded, " \n");
	for (i = 0; i < word.len; i++) {
		text_add(&folded, word.data + i, 1);
		text_put(&folded, i % 3 ? "" : i % 2 ? "\r\n" : " \t");
	}
	tap_ok(tap, !token_read(&run->ctx, text_string(&folded), &again) &&
	       test_same(&token, &again), "white space anywhere is skipped");
	text_free(&word);
	text_free(&folded);
	token_free(&token);
	token_free(&again);
}

/* Whether a word is refused, and that without telling what it is. */
static bool test_refused(struct tap_run *run, const char *word)
{
	struct token token;
	bool good;
	int ret;

	run->ctx.error[0] = '\0';
	ret = token_read(&run->ctx, word, &token);
	token_free(&token);
	good = ret < 0 && strstr(run->ctx.error, "right would be") &&
	       !strchr(run->ctx.error, '\n');
	if (strlen(word) > 12 && strstr(run->ctx.error, word + 9))
		good = false;
	return good;
}

/* One wrong character anywhere, and every shorter word. */
static void test_slips(struct tap *tap, struct tap_run *run)
{
	unsigned int taken = 0, cut = 0, swapped = 0;
	struct text word = { 0 };
	struct token token;
	size_t i;
	char c;

	test_secret(run, &token);
	token_write(&token, &word);
	for (i = 0; i < word.len; i++) {
		c = word.data[i];
		word.data[i] = c == 'A' ? 'B' : 'A';
		taken += !test_refused(run, word.data);
		word.data[i] = c;
		if (i + 1 < word.len && word.data[i + 1] != c) {
			word.data[i] = word.data[i + 1];
			word.data[i + 1] = c;
			swapped += !test_refused(run, word.data);
			word.data[i + 1] = word.data[i];
			word.data[i] = c;
		}
	}
	tap_ok(tap, !taken, "one wrong character is found everywhere");
	tap_ok(tap, !swapped, "so are two in the wrong order");
	for (i = word.len; i--;) {
		word.data[i] = '\0';
		cut += !test_refused(run, word.data);
	}
	tap_ok(tap, !cut, "so is a missing end");
	text_free(&word);
	token_free(&token);
}

static void test_no_token(struct tap *tap, struct tap_run *run)
{
	static const char *const wrong[] = {
		"", " ", "wgsite1-", "wgsecret1-", "wgsite", "wgsite2-AAAA",
		"wgsite1-AAAAAAAA", "wgsite1-AAAAA", "wgsite1-\xff\xff\xff\xff",
		"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU=",
		"WGSITE1-AAAAAAAA",
	};
	char *word = malloc(70001);
	size_t i;

	for (i = 0; i < N(wrong); i++)
		tap_ok(tap, test_refused(run, wrong[i]), "refuses %zu: %s", i,
		       run->ctx.error);
	memset(word, 'A', 70000);
	word[70000] = '\0';
	memcpy(word, "wgsite1-", 8);
	tap_ok(tap, test_refused(run, word) &&
	       strstr(run->ctx.error, "longer than"), "refuses a huge one: %s",
	       run->ctx.error);
	free(word);
}

/* The end that strangers make: any fields with a right checksum. */
static void test_word(struct text *word, const char *prefix, const void *data,
		      size_t len)
{
	struct text body = { 0 };
	uint32_t crc = ~0U;
	size_t i;
	int bit;

	text_put(&body, prefix);
	text_add(&body, data, len);
	for (i = 0; i < body.len; i++) {
		crc ^= (uint8_t)body.data[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	crc = __builtin_bswap32(~crc);
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		crc = __builtin_bswap32(crc);
	text_add(&body, &crc, 4);
	len += 4;
	text_put(word, prefix);
	for (i = 0; i < BASE64URL_CHARS(len); i++)
		text_put(word, "A");
	base64url_encode(word->data + strlen(prefix),
			 (const uint8_t *)body.data + strlen(prefix), len);
	text_free(&body);
}

struct test_fields {
	const char *what;
	const char *data;
	size_t len;
	const char *error;	/* NULL if it is right */
};

#define F(string)	string, sizeof(string) - 1
#define NAME		"\x01\x01n"
#define PUB		"\x02\x20" KEY
#define NET		"\x05\x05\x14\x0a\x4d\x00\x00"
#define NET30		"\x05\x05\x1e\x0a\x4d\x03\x04"
#define NET31		"\x05\x05\x1f\x0a\x4d\x03\x04"
#define NET32		"\x05\x05\x20\x0a\x4d\x03\x04"
#define NET6(len)	"\x05\x11" len "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ADDR		"\x06\x05\x20\x0a\x4d\x03\x04"
#define GOOD		NAME PUB NET ADDR
#define ZERO		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define PRIV		"\x08\x20""BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define LONG		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define THEM		"\x0a\x05\x20\x0a\x4d\x03\x05"

static void test_table(struct tap *tap, struct tap_run *run,
		       const char *prefix, const struct test_fields *table,
		       size_t n)
{
	struct text word = { 0 };
	struct token token;
	size_t i;

	for (i = 0; i < n; i++, text_free(&word)) {
		test_word(&word, prefix, table[i].data, table[i].len);
		if (table[i].error) {
			tap_ok(tap, test_refused(run, word.data) &&
			       strstr(run->ctx.error, table[i].error),
			       "refuses %s: %s", table[i].what, run->ctx.error);
			continue;
		}
		run->ctx.error[0] = '\0';
		tap_ok(tap, !token_read(&run->ctx, word.data, &token),
		       "takes %s%s%s", table[i].what,
		       *run->ctx.error ? ": " : "", run->ctx.error);
		token_free(&token);
	}
}

static void test_strangers(struct tap *tap, struct tap_run *run)
{
	static const struct test_fields table[] = {
		{ "the least there is", F(GOOD), NULL },
		{ "what it may skip", F("\xc5\x03" "abc" GOOD "\xff\0"), NULL },
		{ "what it must not skip", F(GOOD "\x0c\x03" "abc"), "type 12" },
		{ "type 0", F(GOOD "\0\0"), "type 0" },
		{ "flags", F(GOOD "\x04\x01\x03"), NULL },
		{ "unknown flags", F(GOOD "\x04\x01\x04"), "newer" },
		{ "long flags", F(GOOD "\x04\x02\x01\x00"), "newer" },
		{ "a long last field", F(GOOD "\x07\x05\x18\x0a\x4d"), "longer" },
		{ "half a head", F(GOOD "\x07"), "longer" },
		{ "no name", F(PUB NET ADDR), "no name" },
		{ "an empty name", F("\x01\x00" PUB NET ADDR), "name of 0" },
		{ "a name with a newline", F("\x01\x02" "a\n" PUB NET ADDR),
		  "name of 2" },
		{ "a name with a NUL", F("\x01\x03" "a\0b" PUB NET ADDR),
		  "name of 3" },
		{ "a name with a blank", F("\x01\x03" "a b" PUB NET ADDR),
		  "name of 3" },
		{ "a name with a slash", F("\x01\x03" "a/b" PUB NET ADDR),
		  "name of 3" },
		{ "a name like an option", F("\x01\x02-a" PUB NET ADDR),
		  "name of 2" },
		{ "a name of 64", F("\x01\x40" LONG PUB NET ADDR),
		  "name of 64" },
		{ "two names", F(GOOD NAME), "name twice" },
		{ "no key", F(NAME NET ADDR), "no public key" },
		{ "a key of zeros", F(NAME "\x02\x20" ZERO NET ADDR),
		  "public key" },
		{ "a short key", F(NAME "\x02\x01x" NET ADDR), "public key" },
		{ "two keys", F(GOOD PUB), "public key twice" },
		{ "a /30", F(NAME PUB NET30 ADDR), NULL },
		{ "a /31", F(NAME PUB NET31 ADDR), "10.77.3.4/31 has no room" },
		{ "a /32", F(NAME PUB NET32 ADDR), "10.77.3.4/32 has no room" },
		{ "a /31 beside another", F(GOOD NET31), "right would be a /30" },
		{ "a /126", F(GOOD NET6("\x7e")), NULL },
		{ "a /127", F(GOOD NET6("\x7f")), "fd00::/127 has no room" },
		{ "a /128", F(GOOD NET6("\x80")), "right would be a /126" },
		{ "no address", F(NAME PUB NET), "no address" },
		{ "an address elsewhere", F(NAME PUB NET
		  "\x06\x05\x20\x0a\x4e\x03\x04"), "10.78.3.4/32" },
		{ "a network as address", F(NAME PUB NET
		  "\x06\x05\x18\x0a\x4d\x03\x00"), "one host" },
		{ "the same address twice", F(GOOD ADDR), "10.77.3.4/32 twice" },
		{ "a private key", F(GOOD PRIV), "not marked as secret" },
		{ "a receiver", F(GOOD THEM), "not marked as secret" },
	};

	test_table(tap, run, "wgsite1-", table, N(table));
}

static void test_strange_networks(struct tap *tap, struct tap_run *run)
{
#define V4(bytes)	F(GOOD "\x07\x05" bytes)
#define V6(bytes)	F(GOOD "\x07\x11" bytes)
	static const struct test_fields table[] = {
		{ "10/8", V4("\x08\x0a\0\0\0"), NULL },
		{ "2000::/3", V6("\x03\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		  NULL },
		{ "host bits", V4("\x08\x0a\0\0\x01"), "10.0.0.1/8" },
		{ "/33", V4("\x21\x0a\0\0\0"), "10.0.0.0/33" },
		{ "/255", V4("\xff\x0a\0\0\0"), "10.0.0.0/255" },
		{ "/129", V6("\x81\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		  "fd00::/129" },
		{ "everything", V4("\x00\0\0\0\0"), "0.0.0.0/0" },
		{ "half of everything", V4("\x01\0\0\0\0"), "0.0.0.0/1" },
		{ "the other half", V4("\x01\x80\0\0\0"), "128.0.0.0/1" },
		{ "loopback", V4("\x20\x7f\0\0\x01"), "127.0.0.1" },
		{ "multicast", V4("\x20\xe0\0\0\x01"), "224.0.0.1" },
		{ "link-local", V4("\x10\xa9\xfe\0\0"), "169.254.0.0" },
		{ "::/0", V6("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "::/0" },
		{ "::1", V6("\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"), "::1" },
		{ "fe80::/64", V6("\x40\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		  "fe80::/64" },
		{ "ff02::1", V6("\x80\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"),
		  "ff02::1" },
		{ "3 bytes", F(GOOD "\x07\x03\x08\x0a\0"), "share" },
		{ "no bytes", F(GOOD "\x07\x00"), "share" },
		{ "the same twice", F(GOOD "\x07\x05\x08\x0a\0\0\0"
		  "\x07\x05\x08\x0a\0\0\0"), "10.0.0.0/8 twice" },
	};

	test_table(tap, run, "wgsite1-", table, N(table));
}

static void test_strange_endpoints(struct tap *tap, struct tap_run *run)
{
#define E(length, bytes)	F(GOOD "\x03" length bytes)
	static const struct test_fields table[] = {
		{ "a name", E("\x05", "\0\x01" "a-b"), NULL },
		{ "an address", E("\x09", "\xff\xff" "9.9.9.9"), NULL },
		{ "IPv6", E("\x05", "\0\x01" "::1"), NULL },
		{ "port 0", E("\x03", "\0\0a"), "endpoint" },
		{ "no host", E("\x02", "\0\x01"), "endpoint" },
		{ "half a port", E("\x01", "\x01"), "endpoint" },
		{ "nothing", E("\x00", ""), "endpoint" },
		{ "a NUL", E("\x05", "\0\x01" "a\0b"), "endpoint" },
		{ "a newline", E("\x05", "\0\x01" "a\nb"), "endpoint" },
		{ "a blank", E("\x05", "\0\x01" "a b"), "endpoint" },
		{ "a comment", E("\x05", "\0\x01" "a#b"), "endpoint" },
		{ "a port of its own", E("\x05", "\0\x01" "a:b"), "endpoint" },
		{ "brackets", E("\x07", "\0\x01" "[::1]"), "endpoint" },
		{ "a scope", E("\x0b", "\0\x01" "fe80::1%l"), "endpoint" },
		{ "an empty label", E("\x06", "\0\x01" "a..b"), "endpoint" },
		{ "a first dot", E("\x04", "\0\x01" ".a"), "endpoint" },
		{ "a first dash", E("\x04", "\0\x01" "-a"), "endpoint" },
		{ "a last dash", E("\x04", "\0\x01" "a-"), "endpoint" },
		{ "half an address", E("\x07", "\0\x01" "1.2.3"), "endpoint" },
		{ "a number", E("\x0c", "\0\x01" "2130706433"), "endpoint" },
		{ "hexadecimal", E("\x06", "\0\x01" "0x7f"), "endpoint" },
		{ "0.0.0.0", E("\x09", "\0\x01" "0.0.0.0"), "endpoint" },
		{ "multicast", E("\x0b", "\0\x01" "224.0.0.1"), "endpoint" },
		{ "::", E("\x04", "\0\x01" "::"), "endpoint" },
		{ "ff02::1", E("\x09", "\0\x01" "ff02::1"), "endpoint" },
		{ "a label of 64", E("\x42", "\0\x01"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		  "endpoint" },
		{ "two", E("\x03", "\0\x01" "a" "\x03\x03\0\x01" "b"), "twice" },
	};

	test_table(tap, run, "wgsite1-", table, N(table));
}

static void test_strange_secrets(struct tap *tap, struct tap_run *run)
{
	static const struct test_fields table[] = {
		{ "the least there is", F(GOOD PRIV THEM), NULL },
		{ "no private key", F(GOOD THEM), "no private key" },
		{ "no receiver", F(GOOD PRIV), "no receiver's address" },
		{ "a receiver elsewhere", F(GOOD PRIV
		  "\x0a\x05\x20\x0b\x4d\x03\x05"), "11.77.3.5" },
		{ "a PSK of zeros", F(GOOD PRIV THEM "\x09\x20" ZERO),
		  "preshared key" },
		{ "two private keys", F(GOOD PRIV PRIV THEM), "twice" },
	};
	uint8_t fields[] = NAME "\x02\x20" ZERO NET ADDR PRIV THEM;
	struct test_fields own = { "the receiver's own key",
		(const char *)fields, sizeof(fields) - 1, "same key" };

	test_table(tap, run, "wgsecret1-", table, N(table));
	curve25519_public_key(fields + 5, (const uint8_t *)PRIV + 2);
	test_table(tap, run, "wgsecret1-", &own, 1);
}

static void test_too_many(struct tap *tap, struct tap_run *run)
{
	struct text fields = { 0 };
	struct test_fields table;
	unsigned int i;

	text_add(&fields, F(GOOD));
	for (i = 0; i < 1024; i++) {
		char share[] = { 7, 5, 32, 10, 1, i >> 8, i };

		text_add(&fields, share, sizeof(share));
	}
	table = (struct test_fields){ "1024 shares", fields.data, fields.len,
				      NULL };
	test_table(tap, run, "wgsite1-", &table, 1);
	text_add(&fields, "\x07\x05\x20\x0a\x02\x00\x00", 7);
	table = (struct test_fields){ "1025", fields.data, fields.len,
				      "more than 1024" };
	test_table(tap, run, "wgsite1-", &table, 1);
	text_free(&fields);
}

int main(void)
{
	struct tap tap = { .suite = "token" };
	struct tap_run run;

	tap_run_begin(&run);
	test_all(&tap, &run);
	test_no_secret(&tap, &run);
	test_format(&tap, &run);
	test_spaces(&tap, &run);
	test_slips(&tap, &run);
	test_no_token(&tap, &run);
	test_strangers(&tap, &run);
	test_strange_networks(&tap, &run);
	test_strange_endpoints(&tap, &run);
	test_strange_secrets(&tap, &run);
	test_too_many(&tap, &run);
	tap_run_end(&run);
	return tap_end(&tap);
}
