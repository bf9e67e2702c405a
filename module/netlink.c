// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "wireguard" (spec 7): attributes become calls of
 * config.c, and state becomes attributes by dump.c.
 *
 * Layer 5. One dialect on all kernels.
 */
#include "netlink.h"
#include "config.h"
#include "dump.h"
#include "uapi.h"

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

static struct genl_family wg_netlink_family;

static const struct nla_policy wg_netlink_allowed_policy[] = {
	[WGALLOWEDIP_A_FAMILY] = { .type = NLA_U16 },
	[WGALLOWEDIP_A_IPADDR] = NLA_POLICY_MIN_LEN(sizeof(struct in_addr)),
	[WGALLOWEDIP_A_CIDR_MASK] = { .type = NLA_U8 },
	[WGALLOWEDIP_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, WGALLOWEDIP_F_MASK),
};

static const struct nla_policy wg_netlink_peer_policy[] = {
	[WGPEER_A_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(WG_KEY_LEN),
	[WGPEER_A_PRESHARED_KEY] = NLA_POLICY_EXACT_LEN(WG_KEY_LEN),
	[WGPEER_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, WGPEER_F_MASK),
	[WGPEER_A_ENDPOINT] = NLA_POLICY_MIN_LEN(sizeof(struct sockaddr)),
	[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = { .type = NLA_U16 },
	[WGPEER_A_LAST_HANDSHAKE_TIME] =
		NLA_POLICY_EXACT_LEN(sizeof(struct __kernel_timespec)),
	[WGPEER_A_RX_BYTES] = { .type = NLA_U64 },
	[WGPEER_A_TX_BYTES] = { .type = NLA_U64 },
	[WGPEER_A_ALLOWEDIPS] =
		NLA_POLICY_NESTED_ARRAY(wg_netlink_allowed_policy),
	[WGPEER_A_PROTOCOL_VERSION] = { .type = NLA_U32 },
};

static const struct nla_policy wg_netlink_device_policy[] = {
	[WGDEVICE_A_IFINDEX] = { .type = NLA_U32 },
	[WGDEVICE_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[WGDEVICE_A_PRIVATE_KEY] = NLA_POLICY_EXACT_LEN(WG_KEY_LEN),
	[WGDEVICE_A_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(WG_KEY_LEN),
	[WGDEVICE_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, WGDEVICE_F_MASK),
	[WGDEVICE_A_LISTEN_PORT] = { .type = NLA_U16 },
	[WGDEVICE_A_FWMARK] = { .type = NLA_U32 },
	[WGDEVICE_A_PEERS] = NLA_POLICY_NESTED_ARRAY(wg_netlink_peer_policy),
};

static bool wg_netlink_is_ours(const struct net_device *dev)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;

	return ops && ops->kind && !strcmp(ops->kind, WG_GENL_NAME);
}

/* Returns the device with a reference to its netdevice, or an ERR_PTR(). */
static struct wg_device *wg_netlink_get_device(struct net *net,
					       struct nlattr **attrs,
					       struct netlink_ext_ack *extack)
{
	const struct nlattr *index = attrs[WGDEVICE_A_IFINDEX];
	const struct nlattr *name = attrs[WGDEVICE_A_IFNAME];
	struct net_device *dev;

	if (!index == !name) {
		NL_SET_ERR_MSG(extack, "Give either an interface index or a name");
		return ERR_PTR(-EBADR);
	}
	if (index)
		dev = dev_get_by_index(net, nla_get_u32(index));
	else
		dev = dev_get_by_name(net, nla_data(name));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, index ?: name,
				    "No such interface");
		return ERR_PTR(-ENODEV);
	}
	if (!wg_netlink_is_ours(dev)) {
		dev_put(dev);
		NL_SET_ERR_MSG_ATTR(extack, index ?: name,
				    "Not a WireGuard interface");
		return ERR_PTR(-EOPNOTSUPP);
	}
	return netdev_priv(dev);
}

/* We hold the device, but it may have been deleted meanwhile. */
static bool wg_netlink_is_registered(const struct wg_device *wg)
{
	ASSERT_RTNL();
	return wg->dev->reg_state == NETREG_REGISTERED;
}

static_assert(sizeof(struct wg_dump) <=
	      sizeof_field(struct netlink_callback, ctx));

static struct wg_dump *wg_netlink_dump_of(struct netlink_callback *cb)
{
	return (struct wg_dump *)cb->ctx;
}

static int wg_netlink_put_message(struct sk_buff *skb,
				  struct netlink_callback *cb,
				  struct wg_device *wg)
{
	struct wg_dump *dump = wg_netlink_dump_of(cb);
	bool more;
	void *hdr;

	lockdep_assert_held(&wg->config_lock);
	cb->seq = wg->generation;
	/* The end of the dump then tells that it was interrupted. */
	if (dump->peer && wg_peer_is_dead(dump->peer))
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &wg_netlink_family, NLM_F_MULTI, WG_CMD_GET_DEVICE);
	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (!dump->beyond_first && wg_dump_device(skb, wg)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	more = wg_dump_peers(skb, dump, wg);
	genlmsg_end(skb, hdr);
	return more ? skb->len : 0;
}

static int wg_netlink_get_start(struct netlink_callback *cb)
{
	struct wg_device *wg;

	wg = wg_netlink_get_device(sock_net(cb->skb->sk),
				   genl_info_dump(cb)->attrs, cb->extack);
	if (IS_ERR(wg))
		return PTR_ERR(wg);
	wg_netlink_dump_of(cb)->ifindex = wg->dev->ifindex;
	dev_put(wg->dev);
	return 0;
}

/* The device is looked up each time: a reader that pauses for ever must not
 * hold up who wants to delete it.
 */
static struct wg_device *wg_netlink_find_device(struct netlink_callback *cb)
{
	const struct wg_dump *dump = wg_netlink_dump_of(cb);
	struct net_device *dev;
	struct wg_device *wg;

	dev = __dev_get_by_index(sock_net(cb->skb->sk), dump->ifindex);
	if (!dev || !wg_netlink_is_ours(dev))
		return NULL;
	wg = netdev_priv(dev);
	/* Another one by the same number? */
	return dump->peer && dump->peer->wg != wg ? NULL : wg;
}

static int wg_netlink_get_dump(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	struct wg_device *wg;
	int ret = -ENODEV;

	rtnl_lock();
	wg = wg_netlink_find_device(cb);
	if (wg) {
		mutex_lock(&wg->config_lock);
		ret = wg_netlink_put_message(skb, cb, wg);
		mutex_unlock(&wg->config_lock);
	}
	rtnl_unlock();
	return ret;
}

static int wg_netlink_get_done(struct netlink_callback *cb)
{
	wg_peer_put(wg_netlink_dump_of(cb)->peer);
	return 0;
}

/* Checks one allowed IP and turns it into a prefix. */
static int wg_netlink_parse_prefix(struct wg_allowedips_prefix *prefix,
				   struct nlattr **attrs,
				   const struct nlattr *nest,
				   struct netlink_ext_ack *extack)
{
	const struct nlattr *addr = attrs[WGALLOWEDIP_A_IPADDR];
	size_t len;

	if (!attrs[WGALLOWEDIP_A_FAMILY] || !addr ||
	    !attrs[WGALLOWEDIP_A_CIDR_MASK]) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "Allowed IP needs family, address and prefix length");
		return -EINVAL;
	}
	prefix->family = nla_get_u16(attrs[WGALLOWEDIP_A_FAMILY]);
	prefix->cidr = nla_get_u8(attrs[WGALLOWEDIP_A_CIDR_MASK]);
	if (prefix->family == AF_INET) {
		len = sizeof(struct in_addr);
	} else if (prefix->family == AF_INET6) {
		len = sizeof(struct in6_addr);
	} else {
		NL_SET_ERR_MSG_ATTR(extack, attrs[WGALLOWEDIP_A_FAMILY],
				    "Allowed IP must be IPv4 or IPv6");
		return -EINVAL;
	}
	if (nla_len(addr) != len) {
		NL_SET_ERR_MSG_ATTR(extack, addr,
				    "Address of allowed IP has wrong length for its family");
		return -EINVAL;
	}
	if (prefix->cidr > len * BITS_PER_BYTE) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[WGALLOWEDIP_A_CIDR_MASK],
				    "Prefix length exceeds 32 for IPv4 or 128 for IPv6");
		return -EINVAL;
	}
	memcpy(prefix->addr, nla_data(addr), len);
	return 0;
}

static int wg_netlink_set_allowed(struct wg_peer *peer,
				  const struct nlattr *nest,
				  struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[WGALLOWEDIP_A_MAX + 1];
	struct wg_allowedips_prefix prefix = {};
	u32 flags = 0;
	int err;

	err = nla_parse_nested(attrs, WGALLOWEDIP_A_MAX, nest,
			       wg_netlink_allowed_policy, extack);
	if (err)
		return err;
	err = wg_netlink_parse_prefix(&prefix, attrs, nest, extack);
	if (err)
		return err;
	if (attrs[WGALLOWEDIP_A_FLAGS])
		flags = nla_get_u32(attrs[WGALLOWEDIP_A_FLAGS]);
	err = wg_config_allow(peer, &prefix, flags & WGALLOWEDIP_F_REMOVE_ME);
	if (err)
		NL_SET_ERR_MSG_ATTR(extack, nest, "Cannot store allowed IP");
	return err;
}

/* What does not look like an address is ignored, but not in silence. */
static bool wg_netlink_parse_endpoint(struct wg_endpoint *endpoint,
				      const struct nlattr *attr,
				      struct netlink_ext_ack *extack)
{
	const struct sockaddr *addr = nla_data(attr);
	size_t len = nla_len(attr);

	memset(endpoint, 0, sizeof(*endpoint));
	if (len == sizeof(struct sockaddr_in) && addr->sa_family == AF_INET) {
		memcpy(&endpoint->addr4, addr, sizeof(endpoint->addr4));
		return true;
	}
	if (len == sizeof(struct sockaddr_in6) && addr->sa_family == AF_INET6) {
		memcpy(&endpoint->addr6, addr, sizeof(endpoint->addr6));
		return true;
	}
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "Endpoint ignored: neither an IPv4 nor an IPv6 socket address");
	return false;
}

/* Checks one peer and turns it into a change; @endpoint is its memory. */
static int wg_netlink_parse_peer(struct wg_config_peer *change,
				 struct wg_endpoint *endpoint,
				 struct nlattr **attrs,
				 struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	u32 flags = 0;

	if (attrs[WGPEER_A_FLAGS])
		flags = nla_get_u32(attrs[WGPEER_A_FLAGS]);
	attr = attrs[WGPEER_A_PROTOCOL_VERSION];
	if (attr && nla_get_u32(attr) != 1) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "Protocol version must be 1");
		return -EPFNOSUPPORT;
	}
	change->public_key = nla_data(attrs[WGPEER_A_PUBLIC_KEY]);
	change->remove = flags & WGPEER_F_REMOVE_ME;
	change->update_only = flags & WGPEER_F_UPDATE_ONLY;
	change->replace_allowed = flags & WGPEER_F_REPLACE_ALLOWEDIPS;
	attr = attrs[WGPEER_A_PRESHARED_KEY];
	if (attr)
		change->preshared_key = nla_data(attr);
	attr = attrs[WGPEER_A_ENDPOINT];
	if (attr && wg_netlink_parse_endpoint(endpoint, attr, extack))
		change->endpoint = endpoint;
	attr = attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL];
	if (attr) {
		change->set_interval = true;
		change->interval = nla_get_u16(attr);
	}
	return 0;
}

static int wg_netlink_apply_peer(struct wg_device *wg, struct nlattr **attrs,
				 const struct wg_config_peer *change,
				 struct netlink_ext_ack *extack)
{
	const struct nlattr *nest = attrs[WGPEER_A_ALLOWEDIPS], *entry;
	struct wg_peer *peer;
	int err, rem;

	err = wg_config_begin_peer(wg, change, &peer);
	if (err) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[WGPEER_A_PUBLIC_KEY],
				    "Cannot create peer: no memory, or too many peers");
		return err;
	}
	if (!peer)
		return 0;
	if (nest) {
		nla_for_each_nested(entry, nest, rem) {
			err = wg_netlink_set_allowed(peer, entry, extack);
			if (err) {
				wg_peer_put(peer);
				return err;
			}
		}
	}
	wg_config_end_peer(peer, change);
	return 0;
}

static int wg_netlink_set_peer(struct wg_device *wg, const struct nlattr *nest,
			       struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[WGPEER_A_MAX + 1];
	struct wg_config_peer change = {};
	struct wg_endpoint endpoint;
	int err;

	err = nla_parse_nested(attrs, WGPEER_A_MAX, nest,
			       wg_netlink_peer_policy, extack);
	if (err)
		return err;
	if (!attrs[WGPEER_A_PUBLIC_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "Peer needs a public key");
		return -EINVAL;
	}
	err = wg_netlink_parse_peer(&change, &endpoint, attrs, extack);
	if (err)
		return err;
	return wg_netlink_apply_peer(wg, attrs, &change, extack);
}

static int wg_netlink_set_port(struct wg_device *wg, const struct nlattr *attr,
			       struct netlink_ext_ack *extack)
{
	int err = wg_config_set_port(wg, nla_get_u16(attr));

	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG_ATTR(extack, attr, "UDP port is in use");
	else if (err == -ENONET)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "Network namespace of the sockets is gone");
	else if (err)
		NL_SET_ERR_MSG_ATTR(extack, attr, "Cannot open UDP port");
	return err;
}

/* In the order of spec 7.5; an error leaves what was done before it. */
static int wg_netlink_apply(struct wg_device *wg, struct nlattr **attrs,
			    struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int err, rem;

	attr = attrs[WGDEVICE_A_FWMARK];
	if (attr)
		wg_config_set_fwmark(wg, nla_get_u32(attr));
	attr = attrs[WGDEVICE_A_LISTEN_PORT];
	if (attr) {
		err = wg_netlink_set_port(wg, attr, extack);
		if (err)
			return err;
	}
	attr = attrs[WGDEVICE_A_FLAGS];
	if (attr && nla_get_u32(attr) & WGDEVICE_F_REPLACE_PEERS)
		wg_config_remove_peers(wg);
	attr = attrs[WGDEVICE_A_PRIVATE_KEY];
	if (attr)
		wg_config_set_key(wg, nla_data(attr));
	if (!attrs[WGDEVICE_A_PEERS])
		return 0;
	nla_for_each_nested(attr, attrs[WGDEVICE_A_PEERS], rem) {
		err = wg_netlink_set_peer(wg, attr, extack);
		if (err)
			return err;
	}
	return 0;
}

static int wg_netlink_change(struct wg_device *wg, struct nlattr **attrs,
			     struct netlink_ext_ack *extack)
{
	bool uses_net = attrs[WGDEVICE_A_LISTEN_PORT] ||
			attrs[WGDEVICE_A_FWMARK];
	int err;

	if (!wg_netlink_is_registered(wg)) {
		NL_SET_ERR_MSG(extack, "Interface has been deleted");
		return -ENODEV;
	}
	err = wg_config_begin(wg, uses_net);
	if (err) {
		NL_SET_ERR_MSG(extack,
			       "Port and fwmark need CAP_NET_ADMIN where the interface was created");
		return err;
	}
	err = wg_netlink_apply(wg, attrs, extack);
	wg_config_end(wg);
	return err;
}

/* Secrets must not stay in the buffer of the request. */
static void wg_netlink_wipe(struct nlattr **attrs)
{
	struct nlattr *peer, *attr;
	int rem, rem_attr;

	if (attrs[WGDEVICE_A_PRIVATE_KEY])
		memzero_explicit(nla_data(attrs[WGDEVICE_A_PRIVATE_KEY]),
				 nla_len(attrs[WGDEVICE_A_PRIVATE_KEY]));
	if (!attrs[WGDEVICE_A_PEERS])
		return;
	nla_for_each_nested(peer, attrs[WGDEVICE_A_PEERS], rem) {
		nla_for_each_nested(attr, peer, rem_attr) {
			if (nla_type(attr) == WGPEER_A_PRESHARED_KEY)
				memzero_explicit(nla_data(attr),
						 nla_len(attr));
		}
	}
}

static int wg_netlink_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct wg_device *wg;
	int err;

	wg = wg_netlink_get_device(genl_info_net(info), info->attrs,
				   info->extack);
	if (IS_ERR(wg)) {
		err = PTR_ERR(wg);
		goto out;
	}
	rtnl_lock();
	/* It may have been moved since it was found. */
	err = -ENODEV;
	if (net_eq(dev_net(wg->dev), genl_info_net(info)))
		err = wg_netlink_change(wg, info->attrs, info->extack);
	rtnl_unlock();
	dev_put(wg->dev);
out:
	wg_netlink_wipe(info->attrs);
	return err;
}

static const struct genl_ops wg_netlink_ops[] = {
	{
		.cmd = WG_CMD_GET_DEVICE,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = wg_netlink_get_start,
		.dumpit = wg_netlink_get_dump,
		.done = wg_netlink_get_done,
	},
	{
		.cmd = WG_CMD_SET_DEVICE,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = wg_netlink_set_doit,
	},
};

static struct genl_family wg_netlink_family __ro_after_init = {
	.name = WG_GENL_NAME,
	.version = WG_GENL_VERSION,
	.maxattr = WGDEVICE_A_MAX,
	.policy = wg_netlink_device_policy,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = wg_netlink_ops,
	.n_ops = ARRAY_SIZE(wg_netlink_ops),
	/* Programs may leave rubbish in the reserved bytes of the header. */
	.resv_start_op = WG_CMD_SET_DEVICE + 1,
};

/**
 * wg_netlink_init() - register the family
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init wg_netlink_init(void)
{
	return genl_register_family(&wg_netlink_family);
}

/**
 * wg_netlink_fini() - undo wg_netlink_init()
 *
 * Context: process.
 */
void wg_netlink_fini(void)
{
	genl_unregister_family(&wg_netlink_family);
}
