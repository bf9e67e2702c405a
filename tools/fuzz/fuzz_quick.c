// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a file of wg-quick, or as lines of one if the first is 1; behind
 * the first NUL: an edit of it. What is written is read back as the same, and
 * an edit changes its own section.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../quick.h"

static void fuzz_expect(bool good)
{
	if (!good)
		abort();
}

static void fuzz_words(struct text *out, const struct quick_words *words)
{
	size_t i;

	for (i = 0; i < words->count; i++)
		text_printf(out, "<%s>", words->all[i]);
	text_put(out, ";");
}

static void fuzz_nets(struct text *out, const struct cidr_list *list)
{
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < list->count; i++) {
		cidr_text(text, &list->all[i]);
		text_printf(out, "%s,", text);
	}
	text_put(out, ";");
}

static void fuzz_peer(struct text *out, const struct model_peer *peer)
{
	const struct model_allowedip *aip;

	text_add(out, peer->public_key, WG_KEY_LEN);
	text_add(out, peer->preshared_key, WG_KEY_LEN);
	text_printf(out, "%x %s %s %u", peer->has,
		    peer->name ? peer->name : "-",
		    peer->host ? peer->host : "-", peer->keepalive);
	for (aip = peer->first; aip; aip = aip->next) {
		struct cidr cidr = model_allowedip_cidr(aip);
		struct cidr_list one = { &cidr, 1 };

		fuzz_nets(out, &one);
	}
	text_put(out, "\n");
}

/* All peers but that of @section. */
static void fuzz_others(struct text *out, const struct quick *quick,
			size_t section)
{
	const struct model_peer *peer;
	size_t i = 0;

	for (peer = quick->dev->first; peer; peer = peer->next) {
		if (++i != section)
			fuzz_peer(out, peer);
	}
}

/* All that wg knows, and names; without the peer of @section. */
static void fuzz_wg(struct text *out, const struct quick *quick,
		    size_t section)
{
	const struct model_device *dev = quick->dev;

	text_add(out, dev->private_key, WG_KEY_LEN);
	text_printf(out, "%x %u %u\n", dev->has, dev->listen_port,
		    dev->fwmark);
	fuzz_others(out, quick, section);
}

static void fuzz_all(struct text *out, const struct quick *quick)
{
	int i;

	fuzz_nets(out, &quick->addresses);
	fuzz_nets(out, &quick->dns);
	fuzz_words(out, &quick->search);
	for (i = 0; i < QUICK_HOOKS; i++)
		fuzz_words(out, &quick->hooks[i]);
	text_printf(out, "%u %u %u %u %zu\n", quick->mtu, quick->table_mode,
		    quick->table, quick->save, quick->n_lines);
	fuzz_wg(out, quick, 0);
}

static void fuzz_same(struct text *a, struct text *b)
{
	fuzz_expect(a->len == b->len && !memcmp(text_string(a), text_string(b),
						 a->len));
	text_free(a);
	text_free(b);
}

/* Names are none of wg's business. */
static void fuzz_stripped(struct text *out, const struct quick *quick)
{
	struct model_peer *peer;

	for (peer = quick->dev->first; peer; peer = peer->next) {
		char *name = peer->name;

		peer->name = NULL;
		fuzz_peer(out, peer);
		peer->name = name;
	}
}

/* Written and read, it is the same; so is what wg gets. */
static void fuzz_again(struct ctx *ctx, const struct quick *quick)
{
	struct text text = { 0 }, want = { 0 }, got = { 0 };
	struct quick *again;

	quick_write(quick, &text);
	fuzz_expect(!quick_parse(ctx, "wg0", "again", &text, &again));
	fuzz_all(&want, quick);
	fuzz_all(&got, again);
	fuzz_same(&want, &got);
	quick_free(again);
	text_free(&text);

	quick_strip(quick, &text);
	fuzz_expect(!quick_parse(ctx, "wg0", "strip", &text, &again));
	fuzz_stripped(&want, quick);
	fuzz_stripped(&got, again);
	fuzz_same(&want, &got);
	fuzz_expect(!again->addresses.count && !again->mtu &&
		    !again->hooks[QUICK_POST_UP].count);
	quick_free(again);
	text_free(&text);
}

static void fuzz_set(struct ctx *ctx, struct quick *quick, size_t section,
		     unsigned int which, const char *value)
{
	static const char *const keys[] = {
		"MTU", "PostUp", "# wgpeer role", "Address", "DNS", "Table",
		"# Name", "Endpoint", "AllowedIPs", "ListenPort", "PublicKey",
	};
	struct text was = { 0 }, is = { 0 }, others = { 0 };
	const char *key = keys[which % (sizeof(keys) / sizeof(*keys))];
	size_t peers = quick_peers(quick);
	int ret;

	quick_write(quick, &was);
	fuzz_others(&others, quick, section);
	ret = quick_set(ctx, quick, section, key, value);
	if (ret) {
		quick_write(quick, &is);
		fuzz_same(&was, &is);
		text_free(&others);
		return;
	}
	text_free(&was);
	fuzz_others(&is, quick, section);
	fuzz_same(&others, &is);
	fuzz_expect(quick_peers(quick) == peers);
	if (!strcmp(key, "# wgpeer role")) {
		const char *now = quick_setting(quick, section, "role");

		fuzz_expect(value ? !strcmp(now, value) : !now);
	}
	if (!strcmp(key, "# Name") && value && section)
		fuzz_expect(!strcmp(quick_peer(quick, section)->name, value));
	fuzz_again(ctx, quick);
}

/* A peer's coming and going changes no other. */
static void fuzz_peers(struct ctx *ctx, struct quick *quick, size_t section)
{
	static const uint8_t key[WG_KEY_LEN] = { 1 };
	struct text was = { 0 }, is = { 0 };
	size_t peers = quick_peers(quick);

	fuzz_wg(&was, quick, 0);
	fuzz_expect(!quick_add_peer(ctx, quick, "new", key));
	fuzz_wg(&is, quick, peers + 1);
	fuzz_same(&was, &is);
	fuzz_expect(!strcmp(quick_peer(quick, peers + 1)->name, "new") &&
		    !memcmp(quick_peer(quick, peers + 1)->public_key, key,
			    WG_KEY_LEN));
	fuzz_again(ctx, quick);
	fuzz_wg(&was, quick, section);
	fuzz_expect(!quick_remove_peer(ctx, quick, section));
	fuzz_wg(&is, quick, 0);
	fuzz_same(&was, &is);
	fuzz_again(ctx, quick);
}

/* A file without its settings is the same to wg, and has none. */
static void fuzz_drop(struct ctx *ctx, struct quick *quick)
{
	struct text was = { 0 }, is = { 0 };
	size_t i;

	fuzz_stripped(&was, quick);
	fuzz_expect(!quick_drop_settings(ctx, quick));
	fuzz_stripped(&is, quick);
	fuzz_same(&was, &is);
	for (i = 0; i <= quick_peers(quick); i++)
		fuzz_expect(!quick_setting(quick, i, "role"));
	fuzz_again(ctx, quick);
}

/* Each byte is a line: what belongs where is a matter of their order. */
static void fuzz_lines(struct text *text, const uint8_t *data, size_t size)
{
	static const char *const lines[] = {
		"\n", "# c\n", "# Name = a\n", "# Name = b\n",
		"# friendly_name = a b\n", "# wgpeer role = x\n",
		"[Interface]\n", "MTU = 1400\n", "PostUp = a # b\n",
		"[Peer]\nPublicKey = uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU=\n",
		"[Peer]\nPublicKey = KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY=\n",
		"Endpoint = a:1\n", " \r\n", "# Name = c",
		"# Name = a23456789012345678901234567890123456789012345678901234567890123\n",
	};
	size_t i;

	for (i = 0; i < size; i++)
		text_put(text, lines[data[i] %
				     (sizeof(lines) / sizeof(*lines))]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	size_t len = nul ? (size_t)(nul - data) : size, left = size - len;
	char *value = left > 3 ? fuzz_string(nul + 3, left - 3) : NULL;
	struct text text = { 0 };
	struct quick *quick;
	struct ctx ctx;
	size_t section;

	fuzz_begin(&ctx);
	if (len && data[0] == 1)
		fuzz_lines(&text, data + 1, len - 1);
	else
		text_add(&text, data, len);
	if (!quick_parse(&ctx, "wg0", "file", &text, &quick)) {
		fuzz_again(&ctx, quick);
		section = left > 1 ? nul[1] % (quick_peers(quick) + 2) : 0;
		fuzz_set(&ctx, quick, section, left > 2 ? nul[2] : 0, value);
		fuzz_peers(&ctx, quick, section &&
			   section <= quick_peers(quick) ? section : 1);
		fuzz_drop(&ctx, quick);
		quick_free(quick);
	}
	text_free(&text);
	free(value);
	fuzz_end(&ctx);
	return 0;
}
