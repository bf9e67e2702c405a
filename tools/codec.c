// SPDX-License-Identifier: GPL-2.0
/* The model as netlink attributes and back. (layer 3) */
#include "codec.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

/* --- to the kernel -------------------------------------------------------- */

/* A message under construction; attributes must leave @size alone. */
struct codec_out {
	struct nlmsghdr *nlh;
	size_t size;
};

static bool codec_put(struct codec_out *out, uint16_t type, const void *data,
		      size_t len)
{
	return mnl_attr_put_check(out->nlh, out->size, type, len, data);
}

static bool codec_put_u16(struct codec_out *out, uint16_t type, uint16_t value)
{
	return codec_put(out, type, &value, sizeof(value));
}

static bool codec_put_u32(struct codec_out *out, uint16_t type, uint32_t value)
{
	return codec_put(out, type, &value, sizeof(value));
}

static struct nlattr *codec_nest(struct codec_out *out, uint16_t type)
{
	return mnl_attr_nest_start_check(out->nlh, out->size, type);
}

static void codec_put_genl(struct nlmsghdr *nlh, uint8_t cmd)
{
	struct genlmsghdr *genl;

	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = WG_GENL_VERSION;
}

void codec_put_get(struct nlmsghdr *nlh, const char *name)
{
	codec_put_genl(nlh, WG_CMD_GET_DEVICE);
	mnl_attr_put_strz(nlh, WGDEVICE_A_IFNAME, name);
}

void codec_begin(struct codec_cursor *cur, const struct model_device *dev)
{
	memset(cur, 0, sizeof(*cur));
	cur->dev = dev;
	cur->peer = dev->first;
	cur->aip = dev->first ? dev->first->first : NULL;
}

/* Fits into any message. */
static void codec_put_device(struct codec_out *out,
			     const struct model_device *dev)
{
	if (dev->has & MODEL_DEVICE_PRIVATE_KEY)
		codec_put(out, WGDEVICE_A_PRIVATE_KEY, dev->private_key,
			  WG_KEY_LEN);
	if (dev->has & MODEL_DEVICE_LISTEN_PORT)
		codec_put_u16(out, WGDEVICE_A_LISTEN_PORT, dev->listen_port);
	if (dev->has & MODEL_DEVICE_FWMARK)
		codec_put_u32(out, WGDEVICE_A_FWMARK, dev->fwmark);
	if (dev->has & MODEL_DEVICE_REPLACE_PEERS)
		codec_put_u32(out, WGDEVICE_A_FLAGS,
			      WGDEVICE_F_REPLACE_PEERS);
}

static bool codec_put_allowedip(struct codec_out *out,
				const struct model_allowedip *aip)
{
	struct nlattr *nest = codec_nest(out, 0);
	size_t len = aip->family == AF_INET ? sizeof(aip->ip.in) :
					      sizeof(aip->ip.in6);

	if (!nest)
		return false;
	if (!codec_put_u16(out, WGALLOWEDIP_A_FAMILY, aip->family) ||
	    !codec_put(out, WGALLOWEDIP_A_IPADDR, &aip->ip, len) ||
	    !codec_put(out, WGALLOWEDIP_A_CIDR_MASK, &aip->cidr, 1) ||
	    (aip->remove && !codec_put_u32(out, WGALLOWEDIP_A_FLAGS,
					   WGALLOWEDIP_F_REMOVE_ME))) {
		mnl_attr_nest_cancel(out->nlh, nest);
		return false;
	}
	mnl_attr_nest_end(out->nlh, nest);
	return true;
}

static uint32_t codec_peer_flags(const struct codec_cursor *cur)
{
	uint32_t has = cur->peer->has, flags = 0;

	if (has & MODEL_PEER_REMOVE)
		flags |= WGPEER_F_REMOVE_ME;
	/* Only the first part may replace, or it would undo what came before. */
	if (has & MODEL_PEER_REPLACE_ALLOWEDIPS && !cur->split)
		flags |= WGPEER_F_REPLACE_ALLOWEDIPS;
	/* Every part: else a later one would create the peer. */
	if (has & MODEL_PEER_UPDATE_ONLY)
		flags |= WGPEER_F_UPDATE_ONLY;
	return flags;
}

static bool codec_put_peer_settings(struct codec_out *out,
				    const struct model_peer *peer)
{
	if (peer->has & MODEL_PEER_PRESHARED_KEY &&
	    !codec_put(out, WGPEER_A_PRESHARED_KEY, peer->preshared_key,
		       WG_KEY_LEN))
		return false;
	if (peer->has & MODEL_PEER_ENDPOINT &&
	    !codec_put(out, WGPEER_A_ENDPOINT, &peer->endpoint,
		       model_endpoint_size(&peer->endpoint)))
		return false;
	return !(peer->has & MODEL_PEER_KEEPALIVE) ||
	       codec_put_u16(out, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
			     peer->keepalive);
}

/* As many allowed IPs as fit; false if some are left. */
static bool codec_put_allowedips(struct codec_cursor *cur,
				 struct codec_out *out)
{
	const struct model_allowedip *first = cur->aip;
	struct nlattr *nest;

	if (!cur->aip)
		return true;
	nest = codec_nest(out, WGPEER_A_ALLOWEDIPS);
	if (!nest)
		return false;
	while (cur->aip && codec_put_allowedip(out, cur->aip))
		cur->aip = cur->aip->next;
	if (cur->aip == first)
		mnl_attr_nest_cancel(out->nlh, nest);
	else
		mnl_attr_nest_end(out->nlh, nest);
	return !cur->aip;
}

/* One peer, or its next part; false if the message is full. */
static bool codec_put_peer(struct codec_cursor *cur, struct codec_out *out)
{
	const struct model_peer *peer = cur->peer;
	uint32_t flags = codec_peer_flags(cur);
	bool remove = peer->has & MODEL_PEER_REMOVE, whole = true;
	struct nlattr *nest = codec_nest(out, 0);

	if (!nest)
		return false;
	if (!codec_put(out, WGPEER_A_PUBLIC_KEY, peer->public_key,
		       WG_KEY_LEN) ||
	    (flags && !codec_put_u32(out, WGPEER_A_FLAGS, flags)) ||
	    (!remove && !cur->split && !codec_put_peer_settings(out, peer))) {
		mnl_attr_nest_cancel(out->nlh, nest);
		return false;
	}
	if (!remove)
		whole = codec_put_allowedips(cur, out);
	mnl_attr_nest_end(out->nlh, nest);
	cur->split = !whole;
	if (whole) {
		cur->peer = peer->next;
		cur->aip = cur->peer ? cur->peer->first : NULL;
	}
	return whole;
}

bool codec_put_set(struct codec_cursor *cur, struct nlmsghdr *nlh,
		   size_t size)
{
	struct codec_out out = { .nlh = nlh, .size = size };
	struct nlattr *nest;

	codec_put_genl(nlh, WG_CMD_SET_DEVICE);
	mnl_attr_put_strz(nlh, WGDEVICE_A_IFNAME, cur->dev->name);
	if (!cur->started)
		codec_put_device(&out, cur->dev);
	cur->started = true;
	if (!cur->peer)
		return false;
	nest = codec_nest(&out, WGDEVICE_A_PEERS);
	while (cur->peer && codec_put_peer(cur, &out))
		;
	mnl_attr_nest_end(nlh, nest);
	return cur->peer;
}

/* --- from the kernel ------------------------------------------------------ */

static bool codec_get(const struct nlattr *attr, void *to, size_t len)
{
	if (mnl_attr_get_payload_len(attr) != len)
		return false;
	memcpy(to, mnl_attr_get_payload(attr), len);
	return true;
}

static bool codec_get_ip(const struct nlattr *attr,
			 struct model_allowedip *aip)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (len != sizeof(aip->ip.in) && len != sizeof(aip->ip.in6))
		return false;
	memcpy(&aip->ip, mnl_attr_get_payload(attr), len);
	return true;
}

static int codec_take_allowedip(struct model_peer *peer,
				const struct nlattr *nest)
{
	struct model_allowedip *aip = model_add_allowedip(peer);
	const struct nlattr *attr;
	bool ok = true;

	if (!aip)
		return -ENOMEM;
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case WGALLOWEDIP_A_FAMILY:
			ok &= codec_get(attr, &aip->family, 2);
			break;
		case WGALLOWEDIP_A_IPADDR:
			ok &= codec_get_ip(attr, aip);
			break;
		case WGALLOWEDIP_A_CIDR_MASK:
			ok &= codec_get(attr, &aip->cidr, 1);
			break;
		}
	}
	ok &= (aip->family == AF_INET && aip->cidr <= 32) ||
	      (aip->family == AF_INET6 && aip->cidr <= 128);
	return ok ? 0 : -EBADMSG;
}

static int codec_take_allowedips(struct model_peer *peer,
				 const struct nlattr *nest)
{
	const struct nlattr *attr;
	int ret = 0;

	mnl_attr_for_each_nested(attr, nest) {
		ret = codec_take_allowedip(peer, attr);
		if (ret)
			break;
	}
	return ret;
}

static bool codec_get_endpoint(const struct nlattr *attr,
			       union model_endpoint *ep)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (len > sizeof(*ep) || len < sizeof(ep->in))
		return false;
	memset(ep, 0, sizeof(*ep));
	memcpy(ep, mnl_attr_get_payload(attr), len);
	return model_endpoint_size(ep) == len;
}

static bool codec_get_time(const struct nlattr *attr, struct model_peer *peer)
{
	int64_t time[2];

	if (!codec_get(attr, time, sizeof(time)))
		return false;
	peer->handshake_sec = time[0];
	peer->handshake_nsec = time[1];
	return true;
}

static int codec_take_peer_attr(struct model_peer *peer,
				const struct nlattr *attr)
{
	bool ok = true;

	switch (mnl_attr_get_type(attr)) {
	case WGPEER_A_PRESHARED_KEY:
		ok = codec_get(attr, peer->preshared_key, WG_KEY_LEN);
		if (ok)
			peer->has |= MODEL_PEER_PRESHARED_KEY;
		break;
	case WGPEER_A_ENDPOINT:
		ok = codec_get_endpoint(attr, &peer->endpoint);
		if (ok)
			peer->has |= MODEL_PEER_ENDPOINT;
		break;
	case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
		ok = codec_get(attr, &peer->keepalive, 2);
		if (ok)
			peer->has |= MODEL_PEER_KEEPALIVE;
		break;
	case WGPEER_A_LAST_HANDSHAKE_TIME:
		ok = codec_get_time(attr, peer);
		break;
	case WGPEER_A_RX_BYTES:
		ok = codec_get(attr, &peer->rx_bytes, 8);
		break;
	case WGPEER_A_TX_BYTES:
		ok = codec_get(attr, &peer->tx_bytes, 8);
		break;
	case WGPEER_A_ALLOWEDIPS:
		return codec_take_allowedips(peer, attr);
	}
	return ok ? 0 : -EBADMSG;
}

/* The peer with this key if it is the last one, else a new one. */
static struct model_peer *codec_continue_peer(struct model_device *dev,
					      const uint8_t key[WG_KEY_LEN])
{
	struct model_peer *peer = dev->last;

	if (peer && !memcmp(peer->public_key, key, WG_KEY_LEN))
		return peer;
	peer = model_add_peer(dev);
	if (!peer)
		return NULL;
	memcpy(peer->public_key, key, WG_KEY_LEN);
	peer->has |= MODEL_PEER_PUBLIC_KEY;
	return peer;
}

static int codec_take_peer(struct model_device *dev, const struct nlattr *nest)
{
	uint8_t key[WG_KEY_LEN];
	const struct nlattr *attr;
	struct model_peer *peer;
	bool keyed = false;
	int ret = 0;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == WGPEER_A_PUBLIC_KEY)
			keyed = codec_get(attr, key, sizeof(key));
	}
	if (!keyed)
		return -EBADMSG;
	peer = codec_continue_peer(dev, key);
	if (!peer)
		return -ENOMEM;
	mnl_attr_for_each_nested(attr, nest) {
		ret = codec_take_peer_attr(peer, attr);
		if (ret)
			break;
	}
	return ret;
}

static int codec_take_peers(struct model_device *dev,
			    const struct nlattr *nest)
{
	const struct nlattr *attr;
	int ret = 0;

	mnl_attr_for_each_nested(attr, nest) {
		ret = codec_take_peer(dev, attr);
		if (ret)
			break;
	}
	return ret;
}

/* Copy an attribute of the device and note that it was there. */
static bool codec_get_device(const struct nlattr *attr,
			     struct model_device *dev, void *to, size_t len)
{
	static const uint32_t has[] = {
		[WGDEVICE_A_IFINDEX]	 = 0,
		[WGDEVICE_A_PRIVATE_KEY] = MODEL_DEVICE_PRIVATE_KEY,
		[WGDEVICE_A_PUBLIC_KEY]	 = MODEL_DEVICE_PUBLIC_KEY,
		[WGDEVICE_A_LISTEN_PORT] = MODEL_DEVICE_LISTEN_PORT,
		[WGDEVICE_A_FWMARK]	 = MODEL_DEVICE_FWMARK,
	};

	if (!codec_get(attr, to, len))
		return false;
	dev->has |= has[mnl_attr_get_type(attr)];
	return true;
}

static int codec_take_device_attr(struct model_device *dev,
				  const struct nlattr *attr)
{
	bool ok = true;

	switch (mnl_attr_get_type(attr)) {
	case WGDEVICE_A_IFINDEX:
		ok = codec_get_device(attr, dev, &dev->ifindex, 4);
		break;
	case WGDEVICE_A_IFNAME:
		ok = !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING);
		if (ok)
			snprintf(dev->name, sizeof(dev->name), "%s",
				 mnl_attr_get_str(attr));
		break;
	case WGDEVICE_A_PRIVATE_KEY:
		ok = codec_get_device(attr, dev, dev->private_key, WG_KEY_LEN);
		break;
	case WGDEVICE_A_PUBLIC_KEY:
		ok = codec_get_device(attr, dev, dev->public_key, WG_KEY_LEN);
		break;
	case WGDEVICE_A_LISTEN_PORT:
		ok = codec_get_device(attr, dev, &dev->listen_port, 2);
		break;
	case WGDEVICE_A_FWMARK:
		ok = codec_get_device(attr, dev, &dev->fwmark, 4);
		break;
	case WGDEVICE_A_PEERS:
		return codec_take_peers(dev, attr);
	}
	return ok ? 0 : -EBADMSG;
}

int codec_take_device(struct model_device *dev, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	int ret = 0;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		ret = codec_take_device_attr(dev, attr);
		if (ret)
			break;
	}
	return ret;
}
