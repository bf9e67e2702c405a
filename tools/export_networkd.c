// SPDX-License-Identifier: GPL-2.0
/* For systemd-networkd: a .netdev and a .network. (layer 5) */
#include "export_form.h"

#include <inttypes.h>

#include "base64.h"

/* Mark of the tunnel's own packets, and number of the table for the others. */
#define NETWORKD_MARK		51820
/* In front of the rule for the main table, in this order. */
#define NETWORKD_PRIORITY	32764

static uint32_t networkd_mark(const struct quick *quick)
{
	if (quick->dev->fwmark)
		return quick->dev->fwmark;
	return export_takes_all(quick, AF_INET) ||
	       export_takes_all(quick, AF_INET6) ? NETWORKD_MARK : 0;
}

static int networkd_peer(const struct export *e, const struct model_peer *peer)
{
	const char *name = export_name(e, peer);
	const struct model_allowedip *aip;
	char endpoint[EXPORT_ENDPOINT_TEXT];
	char allowed[CIDR_TEXT];
	int ret;

	text_put(e->text, "\n[WireGuardPeer]\n");
	if (name)
		text_printf(e->text, "# %s\n", name);
	export_put_key(e, "PublicKey=", peer->public_key, "\n");
	if (!key_is_zero(peer->preshared_key))
		export_put_key(e, "PresharedKey=", peer->preshared_key, "\n");
	if (peer->host) {
		ret = export_endpoint_text(e, peer, endpoint);
		if (ret)
			return ret;
		text_printf(e->text, "Endpoint=%s\n", endpoint);
	}
	for (aip = peer->first; aip; aip = aip->next) {
		export_allowed_text(allowed, aip);
		text_printf(e->text, "AllowedIPs=%s\n", allowed);
	}
	if (peer->keepalive)
		text_printf(e->text, "PersistentKeepalive=%u\n",
			    peer->keepalive);
	return 0;
}

static int networkd_netdev(const struct export *e)
{
	const struct quick *quick = e->quick;
	uint32_t mark = networkd_mark(quick);
	const struct model_peer *peer;
	int ret = 0;

	text_printf(e->text, "# /etc/systemd/network/50-%s.netdev\n"
		    "# It holds keys: chown root:systemd-network, chmod 0640\n"
		    "[NetDev]\nName=%s\nKind=wireguard\n", quick->name,
		    quick->name);
	if (quick->mtu)
		text_printf(e->text, "MTUBytes=%u\n", quick->mtu);
	text_put(e->text, "\n[WireGuard]\n");
	export_put_private_key(e, "PrivateKey=", "\n");
	if (quick->dev->listen_port)
		text_printf(e->text, "ListenPort=%u\n",
			    quick->dev->listen_port);
	if (mark)
		text_printf(e->text, "FirewallMark=%" PRIu32 "\n", mark);
	for (peer = quick->dev->first; peer && !ret; peer = peer->next)
		ret = networkd_peer(e, peer);
	return ret;
}

static void networkd_dns(const struct export *e)
{
	const struct quick *quick = e->quick;
	char text[CIDR_TEXT];
	size_t i;

	for (i = 0; i < quick->dns.count; i++) {
		cidr_addr_text(text, &quick->dns.all[i]);
		text_printf(e->text, "DNS=%s\n", text);
	}
	if (quick->search.count || quick->dns.count)
		text_put(e->text, "Domains=");
	for (i = 0; i < quick->search.count; i++)
		text_printf(e->text, "%s ", quick->search.all[i]);
	/* As with wg-quick, the servers are asked for every name. */
	if (quick->dns.count)
		text_put(e->text, "~.");
	if (quick->search.count || quick->dns.count)
		text_put(e->text, "\n");
}

/* A network that an address of the interface brings along already. */
static bool networkd_is_there(const struct quick *quick,
			      const struct cidr *cidr)
{
	size_t i;

	for (i = 0; i < quick->addresses.count; i++) {
		if (cidr_contains(&quick->addresses.all[i], cidr))
			return true;
	}
	return false;
}

static void networkd_route(const struct export *e,
			   const struct model_allowedip *aip)
{
	const struct quick *quick = e->quick;
	struct cidr cidr = model_allowedip_cidr(aip);
	uint32_t table = quick->table;
	char text[CIDR_TEXT];

	if (quick->table_mode == QUICK_TABLE_AUTO) {
		table = aip->cidr ? 0 : networkd_mark(quick);
		if (!table && networkd_is_there(quick, &cidr))
			return;
	}
	export_allowed_text(text, aip);
	text_printf(e->text, "\n[Route]\nDestination=%s\n", text);
	if (table)
		text_printf(e->text, "Table=%" PRIu32 "\n", table);
}

/* Packets that are not the tunnel's own look into the main table for anything
 * but a default route, then take that of the tunnel.
 */
static void networkd_rules(const struct export *e)
{
	bool v4 = export_takes_all(e->quick, AF_INET);
	bool v6 = export_takes_all(e->quick, AF_INET6);
	const char *family = v4 && v6 ? "both" : v4 ? "ipv4" : "ipv6";
	uint32_t mark = networkd_mark(e->quick);

	if (!v4 && !v6)
		return;
	text_printf(e->text, "\n# With net.ipv4.conf.all.rp_filter=1 answers of peers would be dropped: 2 will do.\n"
		    "[RoutingPolicyRule]\nFamily=%s\nTable=254\n"
		    "SuppressPrefixLength=0\nPriority=%u\n", family,
		    NETWORKD_PRIORITY);
	text_printf(e->text, "\n[RoutingPolicyRule]\nFamily=%s\n"
		    "FirewallMark=%" PRIu32 "\nInvertRule=yes\nTable=%" PRIu32
		    "\nPriority=%u\n", family, mark, mark,
		    NETWORKD_PRIORITY + 1);
}

int export_networkd(const struct export *e)
{
	const struct quick *quick = e->quick;
	const struct model_allowedip *aip;
	const struct model_peer *peer;
	char text[CIDR_TEXT];
	size_t i;
	int ret;

	ret = networkd_netdev(e);
	if (ret)
		return ret;
	text_printf(e->text, "\n# /etc/systemd/network/50-%s.network\n"
		    "[Match]\nName=%s\n\n[Network]\n", quick->name,
		    quick->name);
	for (i = 0; i < quick->addresses.count; i++) {
		cidr_text(text, &quick->addresses.all[i]);
		text_printf(e->text, "Address=%s\n", text);
	}
	networkd_dns(e);
	for (peer = quick->dev->first; peer; peer = peer->next) {
		if (quick->table_mode == QUICK_TABLE_OFF)
			break;
		for (aip = peer->first; aip; aip = aip->next)
			networkd_route(e, aip);
	}
	networkd_rules(e);
	return 0;
}
