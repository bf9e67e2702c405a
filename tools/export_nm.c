// SPDX-License-Identifier: GPL-2.0
/* For NetworkManager: a keyfile. (layer 5) */
#include "export_form.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "curve25519.h"

#define NM_UUID_LEN	16

/* The same key and name give the same UUID: an export that is loaded again
 * replaces the earlier one.
 */
static void nm_put_uuid(const struct export *e)
{
	const struct model_device *dev = e->quick->dev;
	uint8_t key[WG_KEY_LEN] = { 0 }, uuid[NM_UUID_LEN];
	const char *name = e->quick->name;
	size_t i;

	if (!key_is_zero(dev->private_key))
		curve25519_public_key(key, dev->private_key);
	else if (dev->first)
		memcpy(key, dev->first->public_key, sizeof(key));
	for (i = 0; i < NM_UUID_LEN; i++)
		uuid[i] = key[i] ^ key[i + NM_UUID_LEN];
	for (i = 0; name[i]; i++)
		uuid[i] ^= name[i];
	/* RFC 9562: version 8, made in a way of one's own. */
	uuid[6] = 0x80 | (uuid[6] & 0x0f);
	uuid[8] = 0x80 | (uuid[8] & 0x3f);
	text_put(e->text, "uuid=");
	for (i = 0; i < NM_UUID_LEN; i++)
		text_printf(e->text, "%s%02x", i == 4 || i == 6 || i == 8 ||
			    i == 10 ? "-" : "", uuid[i]);
	text_put(e->text, "\n");
}

static void nm_interface(const struct export *e)
{
	const struct quick *quick = e->quick;

	text_printf(e->text, "# /etc/NetworkManager/system-connections/%s.nmconnection\n"
		    "# It holds keys: chown root:root, chmod 0600\n"
		    "[connection]\nid=%s\n", quick->name, quick->name);
	nm_put_uuid(e);
	text_printf(e->text, "type=wireguard\ninterface-name=%s\n\n[wireguard]\n",
		    quick->name);
	export_put_private_key(e, "private-key=", "\n");
	if (quick->dev->listen_port)
		text_printf(e->text, "listen-port=%u\n",
			    quick->dev->listen_port);
	if (quick->dev->fwmark)
		text_printf(e->text, "fwmark=%" PRIu32 "\n",
			    quick->dev->fwmark);
	if (quick->mtu)
		text_printf(e->text, "mtu=%u\n", quick->mtu);
	if (quick->table_mode == QUICK_TABLE_OFF)
		text_put(e->text, "peer-routes=false\n");
	if (quick->table_mode != QUICK_TABLE_AUTO)
		text_put(e->text, "ip4-auto-default-route=0\n"
				  "ip6-auto-default-route=0\n");
}

static int nm_peer(const struct export *e, const struct model_peer *peer)
{
	const char *name = export_name(e, peer);
	const struct model_allowedip *aip;
	char endpoint[EXPORT_ENDPOINT_TEXT];
	char allowed[CIDR_TEXT];
	int ret;

	text_put(e->text, "\n");
	if (name)
		text_printf(e->text, "# %s\n", name);
	export_put_key(e, "[wireguard-peer.", peer->public_key, "]\n");
	if (peer->host) {
		ret = export_endpoint_text(e, peer, endpoint);
		if (ret)
			return ret;
		text_printf(e->text, "endpoint=%s\n", endpoint);
	}
	if (!key_is_zero(peer->preshared_key)) {
		export_put_key(e, "preshared-key=", peer->preshared_key, "\n");
		text_put(e->text, "preshared-key-flags=0\n");
	}
	if (peer->keepalive)
		text_printf(e->text, "persistent-keepalive=%u\n",
			    peer->keepalive);
	if (!peer->first)
		return 0;
	text_put(e->text, "allowed-ips=");
	for (aip = peer->first; aip; aip = aip->next) {
		export_allowed_text(allowed, aip);
		text_printf(e->text, "%s;", allowed);
	}
	text_put(e->text, "\n");
	return 0;
}

static void nm_dns(const struct export *e, uint16_t family)
{
	const struct quick *quick = e->quick;
	bool servers = export_has(&quick->dns, family);
	char text[CIDR_TEXT];
	size_t i;

	if (servers)
		text_put(e->text, "dns=");
	for (i = 0; i < quick->dns.count; i++) {
		cidr_addr_text(text, &quick->dns.all[i]);
		if (quick->dns.all[i].family == family)
			text_printf(e->text, "%s;", text);
	}
	/* As with wg-quick, they and nobody else are asked for every name. */
	if (servers)
		text_put(e->text, "\ndns-priority=-50\n");
	if (servers || quick->search.count)
		text_put(e->text, "dns-search=");
	for (i = 0; i < quick->search.count; i++)
		text_printf(e->text, "%s;", quick->search.all[i]);
	if (servers)
		text_put(e->text, "~.;");
	if (servers || quick->search.count)
		text_put(e->text, "\n");
}

static void nm_addresses(const struct export *e, uint16_t family)
{
	const struct cidr_list *list = &e->quick->addresses;
	char text[CIDR_TEXT];
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->all[i].family != family)
			continue;
		cidr_text(text, &list->all[i]);
		text_printf(e->text, "address%u=%s\n", ++n, text);
	}
}

static int nm_family(const struct export *e, uint16_t family)
{
	const struct quick *quick = e->quick;
	bool v4 = family == AF_INET;
	bool has = export_has(&quick->addresses, family);
	bool needs = export_has(&quick->dns, family) ||
		     (quick->table_mode != QUICK_TABLE_OFF &&
		      export_allows(quick, family));

	/* There is no method without addresses that makes routes. */
	if (v4 && needs && !has)
		return ctx_fail(e->ctx, -EOPNOTSUPP,
				"%s: IPv4 in `AllowedIPs' or `DNS' needs, for %s, an IPv4 `Address'; right would be to add one, or another format",
				quick->name, e->form);
	text_printf(e->text, "\n[%s]\nmethod=%s\n", v4 ? "ipv4" : "ipv6",
		    has ? "manual" : needs ? "link-local" : "disabled");
	if (!has && !needs)
		return 0;
	nm_addresses(e, family);
	nm_dns(e, family);
	if (quick->table_mode == QUICK_TABLE_ID)
		text_printf(e->text, "route-table=%" PRIu32 "\n",
			    quick->table);
	else if (!export_takes_all(quick, family))
		text_put(e->text, "never-default=true\n");
	return 0;
}

static int nm_compare(const void *a, const void *b)
{
	const struct model_peer *const *x = a, *const *y = b;

	return memcmp((*x)->public_key, (*y)->public_key, WG_KEY_LEN);
}

/* Two sections of one name would be one. */
static int nm_check_twice(const struct export *e)
{
	size_t n = quick_peers(e->quick), i;
	const struct model_peer **all, *peer;
	int ret = 0;

	if (n < 2)
		return 0;
	all = calloc(n, sizeof(const struct model_peer *));
	if (!all)
		return ctx_fail(e->ctx, -ENOMEM, "Out of memory");
	for (peer = e->quick->dev->first, i = 0; peer; peer = peer->next)
		all[i++] = peer;
	qsort(all, n, sizeof(*all), nm_compare);
	for (i = 1; i < n && !ret; i++) {
		if (!nm_compare(&all[i - 1], &all[i]))
			ret = export_no_words(e, "PublicKey, twice the same");
	}
	free(all);
	return ret;
}

int export_nm(const struct export *e)
{
	const struct model_peer *peer;
	int ret;

	ret = nm_check_twice(e);
	if (ret)
		return ret;
	nm_interface(e);
	for (peer = e->quick->dev->first; peer && !ret; peer = peer->next)
		ret = nm_peer(e, peer);
	if (!ret)
		ret = nm_family(e, AF_INET);
	if (!ret)
		ret = nm_family(e, AF_INET6);
	return ret;
}
