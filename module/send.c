// SPDX-License-Identifier: GPL-2.0
/*
 * UDP out of the kernel (spec 4.6).
 *
 * Layer 1.
 */
#include "send.h"

#include <linux/err.h>
#include <linux/ipv6.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/udp.h>

#include <net/dst.h>
#include <net/inet_sock.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp_tunnel.h>

#include "remote.h"
#include "socket.h"
#include "stats.h"
static struct sock *wg_send_pick(const struct wg_socket *socket,
				 sa_family_t family)
{
	struct sock *sk;

	switch (family) {
	case AF_INET:
		sk = rcu_dereference(socket->sk4);
		break;
	case AF_INET6:
		if (!IS_ENABLED(CONFIG_IPV6))
			return ERR_PTR(-EAFNOSUPPORT);
		sk = rcu_dereference(socket->sk6);
		break;
	default:
		return ERR_PTR(-EDESTADDRREQ);
	}
	return sk ?: ERR_PTR(-ENONET);
}

static void wg_send_dress(struct sk_buff *skb, const struct wg_send *how)
{
	skb->dev = how->dev;
	skb->mark = how->mark;
	skb->priority = 0;
	skb->ignore_df = 1;
	/* The tunnel helpers count from here: the WireGuard message. */
	skb_set_inner_network_header(skb, 0);
	if (skb_is_gso(skb)) {
		/* They fill in the UDP checksum of a bundle, but not these. */
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) - sizeof(struct udphdr);
		skb->csum_offset = offsetof(struct udphdr, check);
	} else {
		skb->ip_summed = CHECKSUM_NONE;
	}
}

static u64 wg_send_tx_packets(const struct net_device *dev)
{
	return u64_stats_read(&this_cpu_ptr(dev->tstats)->tx_packets);
}

/* The helpers have counted one packet, whatever it was: count the others, in
 * the same place.
 */
static void wg_send_count(struct wg_socket *socket, struct net_device *dev,
			  sa_family_t family, unsigned int datagrams,
			  bool sent)
{
	if (!sent)
		wg_stats_add(socket->stats, WG_DROP_SEND_ERROR, datagrams);
	if (!--datagrams)
		return;
	if (sent) {
		dev_sw_netstats_tx_add(dev, datagrams, 0);
	} else if (family == AF_INET) {
		DEV_STATS_ADD(dev, tx_dropped, datagrams);
	} else {
		DEV_STATS_ADD(dev, tx_errors, datagrams);
		DEV_STATS_ADD(dev, tx_aborted_errors, datagrams);
	}
}

/* Consumes @skb and the route. */
static void wg_send_emit(struct wg_socket *socket, struct sock *sk,
			 struct wg_path *path, struct sk_buff *skb,
			 const struct wg_send *how)
{
	unsigned int datagrams = max_t(u16, skb_shinfo(skb)->gso_segs, 1);
	__be16 sport = inet_sk(sk)->inet_sport;
	struct dst_entry *dst = path->dst;
	u64 before;

	wg_send_dress(skb, how);
	/*
	 * The helpers keep what became of the packet to themselves; this CPU's
	 * counter betrays it. BH is off, so only a tunnel inside this very
	 * tunnel can count in between, and then just a statistic is wrong.
	 */
	before = wg_send_tx_packets(how->dev);
	if (path->to.addr.sa_family == AF_INET)
		udp_tunnel_xmit_skb(container_of(dst, struct rtable, dst), sk,
				    skb, path->saddr4,
				    path->to.addr4.sin_addr.s_addr, how->tos,
				    ip4_dst_hoplimit(dst), 0, sport,
				    path->to.addr4.sin_port, false, false, 0);
	else if (IS_ENABLED(CONFIG_IPV6))
		udp_tunnel6_xmit_skb(dst, sk, skb, how->dev, &path->saddr6,
				     &path->to.addr6.sin6_addr, how->tos,
				     ip6_dst_hoplimit(dst), 0, sport,
				     path->to.addr6.sin6_port, false, 0);
	wg_send_count(socket, how->dev, path->to.addr.sa_family, datagrams,
		      wg_send_tx_packets(how->dev) != before);
}

/* Consumes @skb and the route, if any. */
static int wg_send_by_path(struct wg_socket *socket, struct wg_path *path,
			   struct sk_buff *skb, const struct wg_send *how)
{
	enum wg_stat why = WG_DROP_NO_ENDPOINT;
	struct sock *sk;
	int err;

	sk = wg_send_pick(socket, path->to.addr.sa_family);
	if (IS_ERR(sk)) {
		err = PTR_ERR(sk);
		goto drop;
	}
	if (!path->dst) {
		err = wg_remote_route(sk, how->mark, path);
		if (err) {
			why = WG_DROP_NO_ROUTE;
			goto drop;
		}
	}
	wg_send_emit(socket, sk, path, skb, how);
	return 0;

drop:
	dst_release(path->dst);
	wg_stats_drop(socket->stats, why, skb,
		      max_t(u16, skb_shinfo(skb)->gso_segs, 1));
	return err;
}

/**
 * wg_send_to_peer() - send to a peer
 * @socket: of the device
 * @remote: of the peer; a stale source is forgotten, a new route is kept
 * @skb: consumed. Its data are the message, with room in front for UDP and
 *	IPv6 headers; a bundle has gso_size, gso_segs and SKB_GSO_UDP_L4 set
 * @how: see there
 *
 * The statistics of @how->dev count all datagrams; what is not sent is counted
 * by its reason.
 *
 * Context: any but hardirq. Takes @remote->lock, but does not hold it while
 * routing or sending.
 * Return: 0 if the packet went to the IP layer, else -EDESTADDRREQ without an
 * endpoint, -ENONET without a socket, -EAFNOSUPPORT without IPv6, or what
 * routing said.
 */
int wg_send_to_peer(struct wg_socket *socket, struct wg_remote *remote,
		    struct sk_buff *skb, const struct wg_send *how)
{
	struct wg_path path = {};
	int err;

	/*
	 * Until the route is stored and the packet is gone: closing the sockets
	 * waits for this, and then nobody brings a route back.
	 */
	rcu_read_lock();
	local_bh_disable();
	wg_remote_read_path(remote, how->mark, &path);
	err = wg_send_by_path(socket, &path, skb, how);
	local_bh_enable();
	rcu_read_unlock();
	return err;
}

/**
 * wg_send_to() - send to who is no peer
 * @socket: of the device
 * @endpoint: whom to answer, and by which source address
 * @skb: consumed; as for wg_send_to_peer()
 * @how: see there
 *
 * Context: any but hardirq.
 * Return: as wg_send_to_peer().
 */
int wg_send_to(struct wg_socket *socket, const struct wg_endpoint *endpoint,
	       struct sk_buff *skb, const struct wg_send *how)
{
	struct wg_path path = { .to = *endpoint };
	int err;

	rcu_read_lock();
	local_bh_disable();
	err = wg_send_by_path(socket, &path, skb, how);
	local_bh_enable();
	rcu_read_unlock();
	return err;
}
