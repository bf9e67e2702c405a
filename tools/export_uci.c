// SPDX-License-Identifier: GPL-2.0
/* For OpenWrt: sections of /etc/config/network. (layer 5) */
#include "export_form.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"

/* The name of a section has letters, digits and "_" only; netifd calls the
 * device the same.
 */
static void uci_name(const struct export *e, char name[MODEL_NAME_SIZE])
{
	size_t i;

	snprintf(name, MODEL_NAME_SIZE, "%s", e->quick->name);
	for (i = 0; name[i]; i++) {
		if (!isalnum((unsigned char)name[i]))
			name[i] = '_';
	}
	if (strcmp(name, e->quick->name))
		ctx_warn(e->ctx, "%s: its name is `%s' there", e->quick->name,
			 name);
}

/* In single quotes; one inside ends them, stands for itself, begins others. */
static void uci_put(const struct export *e, const char *kind, const char *key,
		    const char *value)
{
	text_printf(e->text, "\t%s %s '", kind, key);
	for (; *value; value++) {
		if (*value == '\'')
			text_put(e->text, "'\\''");
		else
			text_add(e->text, value, 1);
	}
	text_put(e->text, "'\n");
}

static void uci_put_number(const struct export *e, const char *key,
			   uint32_t value)
{
	if (value)
		text_printf(e->text, "\toption %s '%" PRIu32 "'\n", key,
			    value);
}

static void uci_put_addresses(const struct export *e)
{
	const struct quick *quick = e->quick;
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < quick->addresses.count; i++) {
		cidr_text(text, &quick->addresses.all[i]);
		uci_put(e, "list", "addresses", text);
	}
	for (i = 0; i < quick->dns.count; i++) {
		cidr_addr_text(text, &quick->dns.all[i]);
		uci_put(e, "list", "dns", text);
	}
	for (i = 0; i < quick->search.count; i++)
		uci_put(e, "list", "dns_search", quick->search.all[i]);
}

static void uci_interface(const struct export *e, const char *name)
{
	const struct quick *quick = e->quick;

	text_printf(e->text, "# /etc/config/network\n"
		    "# In /etc/config/firewall, `%s' has to be in the networks of a zone.\n"
		    "config interface '%s'\n", name, name);
	uci_put(e, "option", "proto", "wireguard");
	export_put_private_key(e, "\toption private_key '", "'\n");
	uci_put_number(e, "listen_port", quick->dev->listen_port);
	if (quick->dev->fwmark)
		text_printf(e->text, "\toption fwmark '0x%" PRIx32 "'\n",
			    quick->dev->fwmark);
	uci_put_number(e, "mtu", quick->mtu);
	uci_put_addresses(e);
	if (quick->table_mode == QUICK_TABLE_ID) {
		uci_put_number(e, "ip4table", quick->table);
		uci_put_number(e, "ip6table", quick->table);
	}
}

static int uci_put_endpoint(const struct export *e,
			    const struct model_peer *peer)
{
	uint16_t port;
	char *host;
	int ret;

	ret = export_endpoint(e, peer, &host, &port);
	if (ret)
		return ret;
	uci_put(e, "option", "endpoint_host", host);
	uci_put_number(e, "endpoint_port", port);
	free(host);
	return 0;
}

static int uci_peer(const struct export *e, const char *iface,
		    const struct model_peer *peer)
{
	const char *name = export_name(e, peer);
	const struct model_allowedip *aip;
	char allowed[CIDR_TEXT];
	int ret;

	text_printf(e->text, "\nconfig wireguard_%s\n", iface);
	if (name)
		uci_put(e, "option", "description", name);
	export_put_key(e, "\toption public_key '", peer->public_key, "'\n");
	if (!key_is_zero(peer->preshared_key))
		export_put_key(e, "\toption preshared_key '",
			       peer->preshared_key, "'\n");
	if (peer->host) {
		ret = uci_put_endpoint(e, peer);
		if (ret)
			return ret;
	}
	for (aip = peer->first; aip; aip = aip->next) {
		export_allowed_text(allowed, aip);
		uci_put(e, "list", "allowed_ips", allowed);
	}
	if (e->quick->table_mode != QUICK_TABLE_OFF)
		uci_put(e, "option", "route_allowed_ips", "1");
	uci_put_number(e, "persistent_keepalive", peer->keepalive);
	return 0;
}

int export_uci(const struct export *e)
{
	const struct model_peer *peer;
	char name[MODEL_NAME_SIZE];
	int ret = 0;

	uci_name(e, name);
	uci_interface(e, name);
	for (peer = e->quick->dev->first; peer && !ret; peer = peer->next)
		ret = uci_peer(e, name, peer);
	return ret;
}
