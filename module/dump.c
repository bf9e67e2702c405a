// SPDX-License-Identifier: GPL-2.0
/*
 * State of devices and peers as netlink attributes (spec 7.4), a message full
 * at a time.
 *
 * Layer 5.
 */
#include "dump.h"
#include "uapi.h"

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/prefetch.h>
#include <linux/time64.h>
#include <net/netlink.h>

static int wg_dump_prefix(struct sk_buff *skb,
			  const struct wg_allowedips_prefix *prefix)
{
	size_t len = prefix->family == AF_INET ? sizeof(struct in_addr) :
						 sizeof(struct in6_addr);
	struct nlattr *nest;

	nest = nla_nest_start(skb, 0);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u8(skb, WGALLOWEDIP_A_CIDR_MASK, prefix->cidr) ||
	    nla_put_u16(skb, WGALLOWEDIP_A_FAMILY, prefix->family) ||
	    nla_put(skb, WGALLOWEDIP_A_IPADDR, len, prefix->addr)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * Puts what fits. If that is not all, remembers where to go on and returns
 * -EMSGSIZE with the nest closed.
 */
static int wg_dump_allowed(struct sk_buff *skb, const struct wg_peer *peer,
			   struct wg_dump *dump)
{
	struct wg_allowedips_node *node, *after = NULL;
	struct wg_allowedips_prefix prefix;
	struct nlattr *nest;
	int err = 0;

	if (dump->partial) {
		/* Cut short: @after may be gone, and the reader is told. */
		if (dump->allowed_generation != peer->allowed.generation)
			return 0;
		after = dump->after;
	}
	node = wg_allowedips_next(&peer->allowed, after);
	if (!node)
		return 0;
	nest = nla_nest_start(skb, WGPEER_A_ALLOWEDIPS);
	if (!nest)
		return -EMSGSIZE;
	for (; node; node = wg_allowedips_next(&peer->allowed, node)) {
		wg_allowedips_read(node, &prefix);
		err = wg_dump_prefix(skb, &prefix);
		if (err)
			break;
		after = node;
	}
	nla_nest_end(skb, nest);
	if (err) {
		dump->partial = true;
		dump->after = after;
		dump->allowed_generation = peer->allowed.generation;
	}
	return err;
}

static int wg_dump_endpoint(struct sk_buff *skb, struct wg_peer *peer)
{
	struct wg_endpoint endpoint;

	wg_remote_get(&peer->remote, &endpoint);
	if (endpoint.addr.sa_family == AF_INET)
		return nla_put(skb, WGPEER_A_ENDPOINT, sizeof(endpoint.addr4),
			       &endpoint.addr4);
	if (endpoint.addr.sa_family == AF_INET6)
		return nla_put(skb, WGPEER_A_ENDPOINT, sizeof(endpoint.addr6),
			       &endpoint.addr6);
	return 0;
}

static int wg_dump_state(struct sk_buff *skb, struct wg_peer *peer)
{
	struct timespec64 time;
	struct __kernel_timespec last;

	time = ns_to_timespec64(atomic64_read(&peer->walltime_ns));
	last.tv_sec = time.tv_sec;
	last.tv_nsec = time.tv_nsec;
	/* The key is written under config_lock only, which we hold. */
	if (nla_put(skb, WGPEER_A_PRESHARED_KEY, WG_KEY_LEN,
		    peer->handshake.preshared_key) ||
	    nla_put(skb, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof(last), &last) ||
	    nla_put_u16(skb, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
			READ_ONCE(peer->timers.interval)) ||
	    nla_put_u64_64bit(skb, WGPEER_A_TX_BYTES,
			      atomic64_read(&peer->tx_bytes),
			      WGPEER_A_UNSPEC) ||
	    nla_put_u64_64bit(skb, WGPEER_A_RX_BYTES,
			      atomic64_read(&peer->rx_bytes),
			      WGPEER_A_UNSPEC) ||
	    nla_put_u32(skb, WGPEER_A_PROTOCOL_VERSION, 1))
		return -EMSGSIZE;
	return wg_dump_endpoint(skb, peer);
}

/*
 * Of many peers none is in a cache. Has what will be read of the next one
 * fetched while this one is put; @next may be the head of the list.
 */
static void wg_dump_prefetch(const struct wg_peer *peer,
			     const struct wg_peer *next)
{
	prefetch(peer->allowed.prefixes.next);
	prefetch(&next->remote.endpoint);
	prefetch(&next->timers.interval);
	prefetch(&next->tx_bytes);
	prefetch(next->handshake.remote_static);
	prefetch(next->handshake.preshared_key);
	prefetch(&next->allowed);
	prefetch(&next->list);
}

/* Returns -EMSGSIZE if this peer has to be shown, or continued, next time. */
static int wg_dump_peer(struct sk_buff *skb, struct wg_peer *peer,
			struct wg_dump *dump)
{
	struct nlattr *nest;
	int err;

	nest = nla_nest_start(skb, 0);
	if (!nest)
		return -EMSGSIZE;
	err = nla_put(skb, WGPEER_A_PUBLIC_KEY, WG_KEY_LEN,
		      peer->handshake.remote_static);
	if (!err && !dump->partial)
		err = wg_dump_state(skb, peer);
	if (err) {
		nla_nest_cancel(skb, nest);
		return err;
	}
	err = wg_dump_allowed(skb, peer, dump);
	nla_nest_end(skb, nest);
	return err;
}

/**
 * wg_dump_peers() - put as many peers into a message as fit (spec 7.4)
 * @skb: message
 * @dump: where to begin; then, where to go on
 * @wg: device
 *
 * Context: process, config_lock held.
 * Return: whether there is more to come.
 */
bool wg_dump_peers(struct sk_buff *skb, struct wg_dump *dump,
		   struct wg_device *wg)
{
	struct wg_peer *last = dump->peer, *peer = last;
	struct nlattr *nest;
	bool more = false;

	lockdep_assert_held(&wg->config_lock);
	if (list_empty(&wg->peers))
		return false;
	nest = nla_nest_start(skb, WGDEVICE_A_PEERS);
	if (!nest)
		return true;
	if (!peer)
		peer = list_first_entry(&wg->peers, struct wg_peer, list);
	list_for_each_entry_from(peer, &wg->peers, list) {
		wg_dump_prefetch(peer, list_next_entry(peer, list));
		more = wg_dump_peer(skb, peer, dump);
		if (more)
			break;
		dump->partial = false;
		dump->beyond_first = true;
	}
	nla_nest_end(skb, nest);

	/* Never a pointer without a reference from one chunk to the next. */
	dump->peer = more ? wg_peer_get(peer) : NULL;
	wg_peer_put(last);
	return more;
}

/**
 * wg_dump_device() - put what is not of a peer into a message (spec 7.4)
 * @skb: message
 * @wg: device
 *
 * Context: process, config_lock held.
 * Return: 0 or -EMSGSIZE.
 */
int wg_dump_device(struct sk_buff *skb, const struct wg_device *wg)
{
	lockdep_assert_held(&wg->config_lock);
	if (nla_put_u16(skb, WGDEVICE_A_LISTEN_PORT, wg->port) ||
	    nla_put_u32(skb, WGDEVICE_A_FWMARK, wg->fwmark) ||
	    nla_put_u32(skb, WGDEVICE_A_IFINDEX, wg->dev->ifindex) ||
	    nla_put_string(skb, WGDEVICE_A_IFNAME, wg->dev->name))
		return -EMSGSIZE;
	/* Written under config_lock, which we hold. */
	if (!wg->identity.present)
		return 0;
	if (nla_put(skb, WGDEVICE_A_PRIVATE_KEY, WG_KEY_LEN,
		    wg->identity.private_key) ||
	    nla_put(skb, WGDEVICE_A_PUBLIC_KEY, WG_KEY_LEN,
		    wg->identity.public_key))
		return -EMSGSIZE;
	return 0;
}
