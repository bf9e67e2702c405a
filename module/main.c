// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel finds us: network device and link operations,
 * ethtool, notifiers, loading and unloading (spec 3.1 to 3.4, 3.7 and 3.8).
 *
 * Layer 5.
 */
#include "config.h"
#include "frag.h"
#include "netlink.h"
#include "packet.h"
#include "symmetric.h"

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/suspend.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/genetlink.h>
#include <net/ip_tunnels.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>

#define WG_MAIN_KIND	"wireguard"

enum wg_main_size {
	/* UDP and the larger of the two IP headers. */
	WG_MAIN_OUTER = sizeof(struct ipv6hdr) + sizeof(struct udphdr),
	WG_MAIN_MTU = ETH_DATA_LEN - WG_DATA_OVERHEAD - WG_MAIN_OUTER,
	WG_MAIN_MTU_MAX = round_down(INT_MAX, WG_PADDING) - WG_DATA_OVERHEAD -
			  WG_MAIN_OUTER,
};

/* All devices there are, for the notifiers; protected by rtnl. */
static LIST_HEAD(wg_main_devices);

static int wg_main_init_dev(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	int err;

	err = wg_config_init_device(wg);
	if (!err)
		list_add_tail(&wg->list, &wg_main_devices);
	return err;
}

/*
 * Not in a destructor: when that runs the core has freed the statistics, which
 * a lane that is not empty yet would count in.
 */
static void wg_main_uninit_dev(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);

	list_del(&wg->list);
	wg_config_destroy_device(wg);
}

/*
 * Who sends past the queue discipline (PACKET_QDISC_BYPASS) may come as late as
 * this, and is counted.
 */
static void wg_main_free_dev(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);

	wg_stats_fini(&wg->stats);
}

static int wg_main_open(struct net_device *dev)
{
	struct inet6_dev *in6_dev = __in6_dev_get(dev);
	struct in_device *in_dev = __in_dev_get_rtnl(dev);

	/*
	 * Packets between two peers leave by the device they came in by, and
	 * neither end would know what to do with a redirect. The one who says
	 * yes wins, so "all" has to say no, too.
	 */
	if (in_dev) {
		IN_DEV_CONF_SET(in_dev, SEND_REDIRECTS, false);
		IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	}
	/* A link-local address would be no peer's allowed IP. */
	if (in6_dev)
		in6_dev->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	return wg_config_up(netdev_priv(dev));
}

static int wg_main_stop(struct net_device *dev)
{
	wg_config_down(netdev_priv(dev));
	return 0;
}

static const struct net_device_ops wg_main_netdev_ops = {
	.ndo_init = wg_main_init_dev,
	.ndo_uninit = wg_main_uninit_dev,
	.ndo_open = wg_main_open,
	.ndo_stop = wg_main_stop,
	.ndo_start_xmit = wg_tx_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

enum wg_main_flag {
	WG_MAIN_FLAG_UDP_GSO,
	WG_MAIN_FLAG_UDP_GRO,
	WG_MAIN_FLAGS,
};

static const char wg_main_flag_names[WG_MAIN_FLAGS][ETH_GSTRING_LEN] = {
	[WG_MAIN_FLAG_UDP_GSO] = "udp-gso",
	[WG_MAIN_FLAG_UDP_GRO] = "udp-gro",
};

static void wg_main_get_drvinfo(struct net_device *dev,
				struct ethtool_drvinfo *info)
{
	strscpy(info->driver, WG_MAIN_KIND, sizeof(info->driver));
}

static int wg_main_get_sset_count(struct net_device *dev, int set)
{
	switch (set) {
	case ETH_SS_STATS:
		return WG_STATS;
	case ETH_SS_PRIV_FLAGS:
		return WG_MAIN_FLAGS;
	default:
		return -EOPNOTSUPP;
	}
}

static void wg_main_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	int i;

	if (set == ETH_SS_PRIV_FLAGS) {
		memcpy(data, wg_main_flag_names, sizeof(wg_main_flag_names));
		return;
	}
	if (set != ETH_SS_STATS)
		return;
	for (i = 0; i < WG_STATS; i++)
		strscpy(data + i * ETH_GSTRING_LEN, wg_stats_name(i),
			ETH_GSTRING_LEN);
}

static void wg_main_get_stats(struct net_device *dev,
			      struct ethtool_stats *stats, u64 *data)
{
	struct wg_device *wg = netdev_priv(dev);

	wg_socket_update_drops(&wg->socket);
	wg_stats_read(&wg->stats, data);
}

static u32 wg_main_get_priv_flags(struct net_device *dev)
{
	const struct wg_device *wg = netdev_priv(dev);

	return (READ_ONCE(wg->udp_gso) ? BIT(WG_MAIN_FLAG_UDP_GSO) : 0) |
	       (READ_ONCE(wg->udp_gro) ? BIT(WG_MAIN_FLAG_UDP_GRO) : 0);
}

static int wg_main_set_priv_flags(struct net_device *dev, u32 flags)
{
	wg_config_set_flags(netdev_priv(dev),
			    flags & BIT(WG_MAIN_FLAG_UDP_GSO),
			    flags & BIT(WG_MAIN_FLAG_UDP_GRO));
	return 0;
}

static const struct ethtool_ops wg_main_ethtool_ops = {
	.get_drvinfo = wg_main_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_sset_count = wg_main_get_sset_count,
	.get_strings = wg_main_get_strings,
	.get_ethtool_stats = wg_main_get_stats,
	.get_priv_flags = wg_main_get_priv_flags,
	.set_priv_flags = wg_main_set_priv_flags,
};

static const struct device_type wg_main_device_type = {
	.name = WG_MAIN_KIND,
};

static void wg_main_setup(struct net_device *dev)
{
	const netdev_features_t features = NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
					   NETIF_F_SG | NETIF_F_GSO |
					   NETIF_F_GSO_SOFTWARE |
					   NETIF_F_GSO_ENCAP_ALL |
					   NETIF_F_HIGHDMA;

	dev->netdev_ops = &wg_main_netdev_ops;
	dev->ethtool_ops = &wg_main_ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	SET_NETDEV_DEVTYPE(dev, &wg_main_device_type);
	dev->needs_free_netdev = true;
	dev->priv_destructor = wg_main_free_dev;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;

	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	wg_compat_set_lltx(dev);
	netif_set_tso_max_size(dev, GSO_MAX_SIZE);
	/* The outer route is looked up by the inner one's rules. */
	netif_keep_dst(dev);

	/* No head- or tailroom: packets are copied when they are sealed. */
	dev->mtu = WG_MAIN_MTU;
	dev->max_mtu = WG_MAIN_MTU_MAX;
}

static int wg_main_create(struct net_device *dev, struct net *transit_net)
{
	struct wg_device *wg = netdev_priv(dev);

	wg->dev = dev;
	rcu_assign_pointer(wg->transit_net, transit_net);
	return register_netdevice(dev);
}

/* COMPAT: the arguments have been moved into a struct in 6.15. */
#ifdef WG_COMPAT_FLAT_NEWLINK
static int wg_main_newlink(struct net *net, struct net_device *dev,
			   struct nlattr *tb[], struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	return wg_main_create(dev, net);
}
#else
static int wg_main_newlink(struct net_device *dev,
			   struct rtnl_newlink_params *params,
			   struct netlink_ext_ack *extack)
{
	return wg_main_create(dev, rtnl_newlink_link_net(params));
}
#endif

static struct rtnl_link_ops wg_main_link_ops __read_mostly = {
	.kind = WG_MAIN_KIND,
	.priv_size = sizeof(struct wg_device),
	.setup = wg_main_setup,
	.newlink = wg_main_newlink,
};

/*
 * A device whose sockets live here may itself live elsewhere. It holds no
 * reference to this namespace, or two devices could keep two alive.
 */
static void __net_exit wg_main_net_pre_exit(struct net *net)
{
	struct wg_device *wg;

	rtnl_lock();
	list_for_each_entry(wg, &wg_main_devices, list) {
		if (rcu_access_pointer(wg->transit_net) == net)
			wg_config_lose_net(wg);
	}
	rtnl_unlock();
}

static struct pernet_operations wg_main_net_ops = {
	.pre_exit = wg_main_net_pre_exit,
};

static int wg_main_pm_notify(struct notifier_block *nb, unsigned long action,
			     void *data)
{
	struct wg_device *wg;

	/* Where machines nap all the time, tunnels must outlive that. */
	if (IS_ENABLED(CONFIG_PM_AUTOSLEEP) ||
	    IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP))
		return NOTIFY_DONE;
	if (action != PM_HIBERNATION_PREPARE && action != PM_SUSPEND_PREPARE)
		return NOTIFY_DONE;
	rtnl_lock();
	list_for_each_entry(wg, &wg_main_devices, list)
		wg_config_forget_keys(wg);
	rtnl_unlock();
	/* The keys are wiped when RCU readers have let go of them. */
	rcu_barrier();
	return NOTIFY_DONE;
}

static struct notifier_block wg_main_pm_notifier = {
	.notifier_call = wg_main_pm_notify,
};

static int wg_main_vmfork_notify(struct notifier_block *nb,
				 unsigned long action, void *data)
{
	struct wg_device *wg;

	rtnl_lock();
	list_for_each_entry(wg, &wg_main_devices, list)
		wg_config_vm_fork(wg);
	rtnl_unlock();
	return NOTIFY_DONE;
}

static struct notifier_block wg_main_vmfork_notifier = {
	.notifier_call = wg_main_vmfork_notify,
};

static int __init wg_main_register(void)
{
	int err;

	err = register_pm_notifier(&wg_main_pm_notifier);
	if (err)
		return err;
	err = register_random_vmfork_notifier(&wg_main_vmfork_notifier);
	if (err)
		goto err_pm;
	err = register_pernet_device(&wg_main_net_ops);
	if (err)
		goto err_vmfork;
	err = rtnl_link_register(&wg_main_link_ops);
	if (err)
		goto err_net;
	err = wg_netlink_init();
	if (err)
		goto err_link;
	return 0;

err_link:
	rtnl_link_unregister(&wg_main_link_ops);
err_net:
	unregister_pernet_device(&wg_main_net_ops);
err_vmfork:
	unregister_random_vmfork_notifier(&wg_main_vmfork_notifier);
err_pm:
	unregister_pm_notifier(&wg_main_pm_notifier);
	return err;
}

static void wg_main_unregister(void)
{
	wg_netlink_fini();
	rtnl_link_unregister(&wg_main_link_ops);
	unregister_pernet_device(&wg_main_net_ops);
	unregister_random_vmfork_notifier(&wg_main_vmfork_notifier);
	unregister_pm_notifier(&wg_main_pm_notifier);
}

static int __init wg_main_init(void)
{
	int err;

	wg_symmetric_init();
	err = wg_allowedips_init();
	if (err)
		return err;
	err = wg_session_init();
	if (err)
		goto err_allowedips;
	err = wg_pipeline_init();
	if (err)
		goto err_session;
	err = wg_peer_init();
	if (err)
		goto err_pipeline;
	err = wg_tx_init();
	if (err)
		goto err_peer;
	err = wg_handshake_init();
	if (err)
		goto err_tx;
	err = wg_rx_init();
	if (err)
		goto err_handshake;
	err = wg_main_register();
	if (err)
		goto err_rx;
	pr_info("WireGuard tunnels by wgpeer\n");
	return 0;

err_rx:
	wg_rx_fini();
err_handshake:
	wg_handshake_fini();
err_tx:
	wg_tx_fini();
err_peer:
	wg_peer_fini();
err_pipeline:
	wg_pipeline_fini();
err_session:
	wg_session_fini();
err_allowedips:
	wg_allowedips_fini();
	return err;
}

static void __exit wg_main_exit(void)
{
	wg_main_unregister();
	/* RCU callbacks of ours free sessions and peers. */
	rcu_barrier();
	wg_rx_fini();
	wg_handshake_fini();
	wg_tx_fini();
	wg_peer_fini();
	wg_pipeline_fini();
	wg_frag_fini();
	wg_session_fini();
	wg_allowedips_fini();
}

module_init(wg_main_init);
module_exit(wg_main_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("WireGuard tunnels by wgpeer");
MODULE_ALIAS_RTNL_LINK("wireguard");
MODULE_ALIAS_GENL_FAMILY("wireguard");
