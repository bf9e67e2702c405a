// SPDX-License-Identifier: GPL-2.0
/* What the forms of an export have in common. (layer 5) */
#include "export_form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "parse.h"
#include "resolve.h"

int export_no_words(const struct export *e, const char *what)
{
	return ctx_fail(e->ctx, -EOPNOTSUPP,
			"%s: %s has no words for `%s'; right would be a file without it, or another format",
			e->quick->name, e->form, what);
}

bool export_takes_all(const struct quick *quick, uint16_t family)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;

	if (quick->table_mode != QUICK_TABLE_AUTO)
		return false;
	for (peer = quick->dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			if (aip->family == family && !aip->cidr)
				return true;
		}
	}
	return false;
}

bool export_has(const struct cidr_list *list, uint16_t family)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->all[i].family == family)
			return true;
	}
	return false;
}

bool export_allows(const struct quick *quick, uint16_t family)
{
	const struct model_allowedip *aip;
	const struct model_peer *peer;

	for (peer = quick->dev->first; peer; peer = peer->next) {
		for (aip = peer->first; aip; aip = aip->next) {
			if (aip->family == family)
				return true;
		}
	}
	return false;
}

bool export_kill_switch(const struct quick *quick)
{
	const char *value = quick_setting(quick, 0, "kill-switch");

	return value && !strcasecmp(value, "yes");
}

void export_put_key(const struct export *e, const char *head,
		    const uint8_t key[WG_KEY_LEN], const char *tail)
{
	char text[BASE64_KEY_SIZE];

	base64_encode_key(text, key);
	text_put(e->text, head);
	text_put(e->text, text);
	text_put(e->text, tail);
	explicit_bzero(text, sizeof(text));
}

void export_put_private_key(const struct export *e, const char *head,
			    const char *tail)
{
	if (!key_is_zero(e->quick->dev->private_key)) {
		export_put_key(e, head, e->quick->dev->private_key, tail);
		return;
	}
	text_printf(e->text, "#%s%s", head, tail);
	ctx_todo(e->ctx, "write the private key into the line `#%s%.*s', and remove its `#'",
		 head, (int)strcspn(tail, "\n"), tail);
}

int export_endpoint(const struct export *e, const struct model_peer *peer,
		    char **host, uint16_t *port)
{
	char *service;
	int ret;

	ret = parse_split_endpoint(e->ctx, peer->host, host, &service);
	if (ret)
		return ret;
	if (text_is_utf8(*host))
		ret = resolve_port(e->ctx, service, port);
	else
		ret = ctx_fail(e->ctx, -EINVAL,
			       "Endpoint: its host's name is not UTF-8; right would be one that is");
	if (ret)
		free(*host);
	return ret;
}

int export_endpoint_text(const struct export *e, const struct model_peer *peer,
			 char text[EXPORT_ENDPOINT_TEXT])
{
	uint16_t port;
	char *host;
	int ret, n;

	ret = export_endpoint(e, peer, &host, &port);
	if (ret)
		return ret;
	n = snprintf(text, EXPORT_ENDPOINT_TEXT,
		     strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	if (n >= EXPORT_ENDPOINT_TEXT)
		ret = ctx_fail(e->ctx, -EINVAL,
			       "Endpoint: `%.100s...' is too long; right would be a host's name of at most 253 letters",
			       host);
	free(host);
	return ret;
}

const char *export_name(const struct export *e, const struct model_peer *peer)
{
	if (!peer->name || text_is_utf8(peer->name))
		return peer->name;
	ctx_warn(e->ctx, "%s: the name of a peer is not UTF-8 and is left out",
		 e->quick->name);
	return NULL;
}

void export_allowed_text(char text[CIDR_TEXT],
			 const struct model_allowedip *aip)
{
	struct cidr cidr = model_allowedip_cidr(aip);

	cidr = cidr_network(&cidr);
	cidr_text(text, &cidr);
}
