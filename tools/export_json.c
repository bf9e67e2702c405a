// SPDX-License-Identifier: GPL-2.0
/* For programs: JSON; its keys are in wgpeer-up(8) and stay. (layer 5) */
#include "export_form.h"

#include <inttypes.h>

#include "base64.h"

static void json_string(const struct export *e, const char *key,
			const char *value)
{
	text_printf(e->text, ", \"%s\": ", key);
	if (value)
		text_put_json(e->text, value);
	else
		text_put(e->text, "null");
}

static void json_key(const struct export *e, const char *name,
		     const uint8_t key[WG_KEY_LEN])
{
	text_printf(e->text, ", \"%s\": ", name);
	if (key_is_zero(key))
		text_put(e->text, "null");
	else
		export_put_key(e, "\"", key, "\"");
}

static void json_words(const struct export *e, const char *key,
		       const struct quick_words *words)
{
	size_t i;

	text_printf(e->text, ", \"%s\": [", key);
	for (i = 0; i < words->count; i++) {
		text_put(e->text, i ? ", " : "");
		text_put_json(e->text, words->all[i]);
	}
	text_put(e->text, "]");
}

static void json_cidrs(const struct export *e, const char *key,
		       const struct cidr_list *list,
		       void (*write)(char text[CIDR_TEXT],
				     const struct cidr *cidr))
{
	char text[CIDR_TEXT];
	size_t i;

	text_printf(e->text, ", \"%s\": [", key);
	for (i = 0; i < list->count; i++) {
		write(text, &list->all[i]);
		text_printf(e->text, "%s\"%s\"", i ? ", " : "", text);
	}
	text_put(e->text, "]");
}

static int json_peer(const struct export *e, const struct model_peer *peer)
{
	const struct model_allowedip *aip;
	char endpoint[EXPORT_ENDPOINT_TEXT];
	char allowed[CIDR_TEXT];
	int ret = 0;

	export_put_key(e, "{\"public_key\": \"", peer->public_key, "\"");
	json_string(e, "name", export_name(e, peer));
	json_key(e, "preshared_key", peer->preshared_key);
	if (peer->host)
		ret = export_endpoint_text(e, peer, endpoint);
	if (ret)
		return ret;
	json_string(e, "endpoint", peer->host ? endpoint : NULL);
	text_put(e->text, ", \"allowed_ips\": [");
	for (aip = peer->first; aip; aip = aip->next) {
		export_allowed_text(allowed, aip);
		text_printf(e->text, "\"%s\"%s", allowed,
			    aip->next ? ", " : "");
	}
	text_printf(e->text, "], \"persistent_keepalive\": %u}",
		    peer->keepalive);
	return 0;
}

static void json_table(const struct export *e)
{
	const struct quick *quick = e->quick;

	if (quick->table_mode == QUICK_TABLE_ID)
		text_printf(e->text, ", \"table\": %" PRIu32, quick->table);
	else
		json_string(e, "table", quick->table_mode == QUICK_TABLE_OFF ?
			    "off" : "auto");
}

static int json_hooks(const struct export *e)
{
	static const char *const keys[QUICK_HOOKS] = {
		[QUICK_PRE_UP] = "pre_up",
		[QUICK_POST_UP] = "post_up",
		[QUICK_PRE_DOWN] = "pre_down",
		[QUICK_POST_DOWN] = "post_down",
	};
	const struct quick_words *words;
	size_t i;
	int hook;

	for (hook = 0; hook < QUICK_HOOKS; hook++) {
		words = &e->quick->hooks[hook];
		for (i = 0; i < words->count; i++) {
			if (!text_is_utf8(words->all[i]))
				return export_no_words(e, "a hook that is not UTF-8");
		}
		json_words(e, keys[hook], words);
	}
	return 0;
}

int export_json(const struct export *e)
{
	const struct quick *quick = e->quick;
	const struct model_peer *peer;
	int ret;

	text_put(e->text, "{\"name\": ");
	text_put_json(e->text, quick->name);
	json_key(e, "private_key", quick->dev->private_key);
	text_printf(e->text, ", \"listen_port\": %u, \"fwmark\": %" PRIu32
		    ", \"mtu\": %u", quick->dev->listen_port,
		    quick->dev->fwmark, quick->mtu);
	json_cidrs(e, "addresses", &quick->addresses, cidr_text);
	json_cidrs(e, "dns", &quick->dns, cidr_addr_text);
	json_words(e, "dns_search", &quick->search);
	json_table(e);
	ret = json_hooks(e);
	text_printf(e->text, ", \"save_config\": %s, \"kill_switch\": %s, \"peers\": [",
		    quick->save ? "true" : "false",
		    export_kill_switch(quick) ? "true" : "false");
	for (peer = quick->dev->first; peer && !ret; peer = peer->next) {
		ret = json_peer(e, peer);
		text_put(e->text, peer->next ? ", " : "");
	}
	text_put(e->text, "]}\n");
	return ret;
}
