// SPDX-License-Identifier: GPL-2.0
/*
 * socket.c - UDP in and out of the kernel, sticky source addresses and the
 * cached route of a peer (spec 3.6, 4.6, 4.7 and 5.1).
 *
 * Layer 1.
 *
 * The sockets have no encapsulation hook: the UDP layer would take every
 * merged datagram apart before calling it. They are plain sockets with UDP_GRO
 * on and a sk_data_ready of our own, which empties the receive queue at once.
 */
#include "socket.h"

#include <linux/err.h>
#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <linux/minmax.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/u64_stats_sync.h>
#include <linux/udp.h>

#include <net/addrconf.h>
#include <net/dsfield.h>
#include <net/dst.h>
#include <net/inet_sock.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

enum {
	/* Holds a few bundles of 64 KiB, whose truesize may be double. */
	WG_SOCKET_RCVBUF = 4 << 20,
	/* So often a free IPv4 port is tried that is taken in IPv6. */
	WG_SOCKET_PORT_TRIES = 100,
};

/**
 * struct wg_socket_hook - what one UDP socket needs to receive
 * @socket: to which it belongs
 * @lock: makes taking a datagram and handing it over one step, or two CPUs
 *	would swap packets; protects @drops; BH-safe
 * @data_ready: the callback to put back
 * @drops: of the UDP socket that are in the statistics already
 */
struct wg_socket_hook {
	struct wg_socket *socket;
	spinlock_t lock;
	void (*data_ready)(struct sock *sk);
	u32 drops;
};

/**
 * struct wg_socket_path - how one packet goes
 * @remote: whose cache it came from or goes to, NULL if nobody's
 * @to: where; the source is cleared when it turns out to be stale
 * @generation: of @remote when @to was read
 * @forgot: the source of @to was cleared
 * @dst: the route; a reference; NULL if to be looked up
 * @cookie: tells later whether @dst is still valid
 * @saddr4: source address if AF_INET
 * @saddr6: source address if AF_INET6
 */
struct wg_socket_path {
	struct wg_remote *remote;
	struct wg_endpoint to;
	u32 generation;
	bool forgot;
	struct dst_entry *dst;
	u32 cookie;
	union {
		__be32 saddr4;
		struct in6_addr saddr6;
	};
};

/* Endpoints */

static void wg_endpoint_forget_source(struct wg_endpoint *endpoint)
{
	/* Covers the IPv4 source and its interface too. */
	endpoint->src6 = in6addr_any;
}

static bool wg_endpoint_equal(const struct wg_endpoint *a,
			      const struct wg_endpoint *b)
{
	if (a->addr.sa_family != b->addr.sa_family)
		return false;
	if (a->addr.sa_family == AF_INET)
		return a->addr4.sin_port == b->addr4.sin_port &&
		       a->addr4.sin_addr.s_addr == b->addr4.sin_addr.s_addr &&
		       a->src4.s_addr == b->src4.s_addr &&
		       a->src_if4 == b->src_if4;
	return a->addr6.sin6_port == b->addr6.sin6_port &&
	       a->addr6.sin6_scope_id == b->addr6.sin6_scope_id &&
	       ipv6_addr_equal(&a->addr6.sin6_addr, &b->addr6.sin6_addr) &&
	       ipv6_addr_equal(&a->src6, &b->src6);
}

/* Returns the cached route for the caller to release outside the lock. */
static struct dst_entry *wg_remote_change(struct wg_remote *remote)
{
	struct dst_entry *dst = remote->dst;

	lockdep_assert_held(&remote->lock);

	remote->generation++;
	remote->dst = NULL;
	return dst;
}

/**
 * wg_remote_init() - know nothing yet
 * @remote: to be filled
 *
 * Context: any.
 */
void wg_remote_init(struct wg_remote *remote)
{
	memset(remote, 0, sizeof(*remote));
	spin_lock_init(&remote->lock);
}

/**
 * wg_remote_fini() - release the cached route
 * @remote: nobody uses it any more
 *
 * Context: any but hardirq.
 */
void wg_remote_fini(struct wg_remote *remote)
{
	dst_release(remote->dst);
	remote->dst = NULL;
}

/**
 * wg_remote_known() - is there an endpoint?
 * @remote: of a peer
 *
 * Context: any. Takes no lock, for the answer may be old anyway.
 * Return: whether a packet can be sent there.
 */
bool wg_remote_known(const struct wg_remote *remote)
{
	sa_family_t family = READ_ONCE(remote->endpoint.addr.sa_family);

	return family == AF_INET || family == AF_INET6;
}

/**
 * wg_remote_get() - read the endpoint
 * @remote: of a peer
 * @endpoint: the copy, family 0 if there is none
 *
 * Context: any but hardirq.
 */
void wg_remote_get(struct wg_remote *remote, struct wg_endpoint *endpoint)
{
	spin_lock_bh(&remote->lock);
	*endpoint = remote->endpoint;
	spin_unlock_bh(&remote->lock);
}

/**
 * wg_remote_set() - an endpoint comes from configuration
 * @remote: of a peer
 * @endpoint: new one; its source is not taken, the old one is forgotten
 *
 * Context: any but hardirq.
 */
void wg_remote_set(struct wg_remote *remote,
		   const struct wg_endpoint *endpoint)
{
	struct dst_entry *dst;

	spin_lock_bh(&remote->lock);
	remote->endpoint = *endpoint;
	wg_endpoint_forget_source(&remote->endpoint);
	dst = wg_remote_change(remote);
	spin_unlock_bh(&remote->lock);
	dst_release(dst);
}

/**
 * wg_remote_learn() - an authentic packet came from there
 * @remote: of the peer that sent it
 * @endpoint: by wg_socket_read_endpoint()
 *
 * Costs nothing while the peer stays where it is.
 *
 * Context: any but hardirq.
 */
void wg_remote_learn(struct wg_remote *remote,
		     const struct wg_endpoint *endpoint)
{
	struct dst_entry *dst;

	/*
	 * A writer at work may be seen half. That can take the lock for
	 * nothing, or make this packet teach nothing; the next one will.
	 */
	if (data_race(wg_endpoint_equal(&remote->endpoint, endpoint)))
		return;

	spin_lock_bh(&remote->lock);
	remote->endpoint = *endpoint;
	dst = wg_remote_change(remote);
	spin_unlock_bh(&remote->lock);
	dst_release(dst);
}

/**
 * wg_remote_forget_source() - the way there may have changed
 * @remote: of a peer
 *
 * Forgets the address it was last heard at and drops the cached route. When a
 * network namespace goes away, call it after wg_socket_close(), which no
 * sender survives: a route must not outlive its namespace.
 *
 * Context: any but hardirq.
 */
void wg_remote_forget_source(struct wg_remote *remote)
{
	struct dst_entry *dst;

	spin_lock_bh(&remote->lock);
	wg_endpoint_forget_source(&remote->endpoint);
	dst = wg_remote_change(remote);
	spin_unlock_bh(&remote->lock);
	dst_release(dst);
}

/* Copies the endpoint, and takes the cached route if it is still valid. */
static void wg_remote_read(struct wg_remote *remote, u32 mark,
			   struct wg_socket_path *path)
{
	path->remote = remote;
	spin_lock_bh(&remote->lock);
	path->to = remote->endpoint;
	path->generation = remote->generation;
	if (remote->dst && remote->dst_mark == mark &&
	    dst_check(remote->dst, remote->dst_cookie)) {
		dst_hold(remote->dst);
		path->dst = remote->dst;
		path->saddr6 = remote->saddr6;
	}
	spin_unlock_bh(&remote->lock);
}

/* Keeps what the lookup found, unless the endpoint has changed meanwhile. */
static void wg_remote_store(struct wg_remote *remote, u32 mark,
			    const struct wg_socket_path *path)
{
	struct dst_entry *dst = NULL;

	spin_lock_bh(&remote->lock);
	if (remote->generation == path->generation) {
		if (path->forgot)
			wg_endpoint_forget_source(&remote->endpoint);
		dst = wg_remote_change(remote);
		if (path->dst) {
			dst_hold(path->dst);
			remote->dst = path->dst;
			remote->dst_cookie = path->cookie;
			remote->dst_mark = mark;
			remote->saddr6 = path->saddr6;
		}
	}
	spin_unlock_bh(&remote->lock);
	dst_release(dst);
}

/* Routing */

static int wg_socket_lookup4(struct sock *sk, u32 mark,
			     struct wg_socket_path *path)
{
	/* Made anew for each lookup, which writes its answers into it. */
	struct flowi4 flow = {
		.saddr = path->to.src4.s_addr,
		.daddr = path->to.addr4.sin_addr.s_addr,
		.fl4_sport = inet_sk(sk)->inet_sport,
		.fl4_dport = path->to.addr4.sin_port,
		.flowi4_mark = mark,
		.flowi4_proto = IPPROTO_UDP,
	};
	struct rtable *rt;

	security_sk_classify_flow(sk, flowi4_to_flowi_common(&flow));
	rt = ip_route_output_flow(sock_net(sk), &flow, sk);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	path->dst = &rt->dst;
	path->cookie = 0;
	path->saddr4 = flow.saddr;
	return 0;
}

static void wg_socket_forget_source(struct wg_socket_path *path)
{
	wg_endpoint_forget_source(&path->to);
	path->forgot = true;
}

static int wg_socket_route4(struct sock *sk, u32 mark,
			    struct wg_socket_path *path)
{
	struct wg_endpoint *to = &path->to;
	int err;

	if (to->src4.s_addr &&
	    !inet_confirm_addr(sock_net(sk), NULL, 0, to->src4.s_addr,
			       RT_SCOPE_HOST))
		wg_socket_forget_source(path);

	err = wg_socket_lookup4(sk, mark, path);
	if (!to->src4.s_addr)
		return err;
	if (err == -EINVAL) {
		wg_socket_forget_source(path);
		return wg_socket_lookup4(sk, mark, path);
	}
	if (!err && to->src_if4 &&
	    READ_ONCE(path->dst->dev)->ifindex != to->src_if4) {
		dst_release(path->dst);
		path->dst = NULL;
		wg_socket_forget_source(path);
		return wg_socket_lookup4(sk, mark, path);
	}
	return err;
}

static int wg_socket_route6(struct sock *sk, u32 mark,
			    struct wg_socket_path *path)
{
	struct wg_endpoint *to = &path->to;
	struct flowi6 flow = {
		.daddr = to->addr6.sin6_addr,
		.fl6_sport = inet_sk(sk)->inet_sport,
		.fl6_dport = to->addr6.sin6_port,
		.flowi6_mark = mark,
		.flowi6_oif = to->addr6.sin6_scope_id,
		.flowi6_proto = IPPROTO_UDP,
	};
	struct dst_entry *dst;

	if (!ipv6_addr_any(&to->src6) &&
	    !ipv6_chk_addr(sock_net(sk), &to->src6, NULL, 0))
		wg_socket_forget_source(path);
	flow.saddr = to->src6;

	security_sk_classify_flow(sk, flowi6_to_flowi_common(&flow));
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, &flow, NULL);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	path->dst = dst;
	path->cookie = rt6_get_cookie(container_of(dst, struct rt6_info, dst));
	path->saddr6 = flow.saddr;
	return 0;
}

static int wg_socket_route(struct sock *sk, u32 mark,
			   struct wg_socket_path *path)
{
	int err;

	if (path->to.addr.sa_family == AF_INET)
		err = wg_socket_route4(sk, mark, path);
	else if (IS_ENABLED(CONFIG_IPV6))
		err = wg_socket_route6(sk, mark, path);
	else
		err = -EAFNOSUPPORT;

	if (path->remote && (!err || path->forgot))
		wg_remote_store(path->remote, mark, path);
	return err;
}

/* Sending */

static struct sock *wg_socket_pick(const struct wg_socket *socket,
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

static void wg_socket_dress(struct sk_buff *skb, const struct wg_send *how)
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

static u64 wg_socket_tx_packets(const struct net_device *dev)
{
	return u64_stats_read(&this_cpu_ptr(dev->tstats)->tx_packets);
}

/* The helpers have counted one packet, whatever it was: count the others. */
static void wg_socket_count(struct wg_socket *socket, struct net_device *dev,
			    unsigned int datagrams, bool sent)
{
	if (!sent) {
		wg_stats_add(socket->stats, WG_DROP_SEND_ERROR, datagrams);
		if (datagrams > 1)
			DEV_STATS_ADD(dev, tx_dropped, datagrams - 1);
	} else if (datagrams > 1) {
		dev_sw_netstats_tx_add(dev, datagrams - 1, 0);
	}
}

/* Consumes @skb and the route. */
static void wg_socket_emit(struct wg_socket *socket, struct sock *sk,
			   struct wg_socket_path *path, struct sk_buff *skb,
			   const struct wg_send *how)
{
	unsigned int datagrams = max_t(u16, skb_shinfo(skb)->gso_segs, 1);
	__be16 sport = inet_sk(sk)->inet_sport;
	struct dst_entry *dst = path->dst;
	u64 before;

	wg_socket_dress(skb, how);
	/*
	 * The helpers keep what became of the packet to themselves; this CPU's
	 * counter betrays it. BH is off, so only a tunnel inside this very
	 * tunnel can count in between, and then just a statistic is wrong.
	 */
	before = wg_socket_tx_packets(how->dev);
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
	wg_socket_count(socket, how->dev, datagrams,
			wg_socket_tx_packets(how->dev) != before);
}

/* Consumes @skb and the route, if any. */
static int wg_socket_send_path(struct wg_socket *socket,
			       struct wg_socket_path *path,
			       struct sk_buff *skb, const struct wg_send *how)
{
	enum skb_drop_reason reason = SKB_DROP_REASON_NO_SOCKET;
	enum wg_stat stat = WG_DROP_NO_ENDPOINT;
	struct sock *sk;
	int err;

	sk = wg_socket_pick(socket, path->to.addr.sa_family);
	if (IS_ERR(sk)) {
		err = PTR_ERR(sk);
		goto drop;
	}
	if (!path->dst) {
		err = wg_socket_route(sk, how->mark, path);
		if (err) {
			reason = SKB_DROP_REASON_IP_OUTNOROUTES;
			stat = WG_DROP_NO_ROUTE;
			goto drop;
		}
	}
	wg_socket_emit(socket, sk, path, skb, how);
	return 0;

drop:
	dst_release(path->dst);
	wg_stats_add(socket->stats, stat,
		     max_t(u16, skb_shinfo(skb)->gso_segs, 1));
	kfree_skb_reason(skb, reason);
	return err;
}

/**
 * wg_socket_send() - send to a peer
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
int wg_socket_send(struct wg_socket *socket, struct wg_remote *remote,
		   struct sk_buff *skb, const struct wg_send *how)
{
	struct wg_socket_path path = {};
	int err;

	/*
	 * Until the route is stored and the packet is gone: closing the sockets
	 * waits for this, and then nobody brings a route back.
	 */
	rcu_read_lock();
	local_bh_disable();
	wg_remote_read(remote, how->mark, &path);
	err = wg_socket_send_path(socket, &path, skb, how);
	local_bh_enable();
	rcu_read_unlock();
	return err;
}

/**
 * wg_socket_send_to() - send to who is no peer
 * @socket: of the device
 * @endpoint: whom to answer, and by which source address
 * @skb: consumed; as for wg_socket_send()
 * @how: see there
 *
 * Context: any but hardirq.
 * Return: as wg_socket_send().
 */
int wg_socket_send_to(struct wg_socket *socket,
		      const struct wg_endpoint *endpoint, struct sk_buff *skb,
		      const struct wg_send *how)
{
	struct wg_socket_path path = { .to = *endpoint };
	int err;

	rcu_read_lock();
	local_bh_disable();
	err = wg_socket_send_path(socket, &path, skb, how);
	local_bh_enable();
	rcu_read_unlock();
	return err;
}

/* Receiving */

/**
 * wg_socket_checksum_ok() - verify the outer UDP checksum
 * @skb: one datagram as it was received, data behind the UDP header, not
 *	merged. Does not look at the control block
 *
 * Nobody else verifies it: data do not need it, for they are authentic or not.
 *
 * Context: any.
 * Return: whether it is right, or there is none.
 */
bool wg_socket_checksum_ok(struct sk_buff *skb)
{
	return !skb_checksum_complete(skb);
}

/**
 * wg_socket_read_endpoint() - who sent this, and where did it arrive?
 * @endpoint: to be filled
 * @skb: as it was received
 *
 * Context: any.
 * Return: 0, or -EINVAL if it is neither IPv4 nor IPv6.
 */
int wg_socket_read_endpoint(struct wg_endpoint *endpoint,
			    const struct sk_buff *skb)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (skb->protocol == htons(ETH_P_IP)) {
		endpoint->addr4.sin_family = AF_INET;
		endpoint->addr4.sin_port = udp_hdr(skb)->source;
		endpoint->addr4.sin_addr.s_addr = ip_hdr(skb)->saddr;
		endpoint->src4.s_addr = ip_hdr(skb)->daddr;
		endpoint->src_if4 = skb->skb_iif;
		return 0;
	}
	if (IS_ENABLED(CONFIG_IPV6) && skb->protocol == htons(ETH_P_IPV6)) {
		endpoint->addr6.sin6_family = AF_INET6;
		endpoint->addr6.sin6_port = udp_hdr(skb)->source;
		endpoint->addr6.sin6_addr = ipv6_hdr(skb)->saddr;
		endpoint->addr6.sin6_scope_id =
			ipv6_iface_scope_id(&ipv6_hdr(skb)->saddr,
					    skb->skb_iif);
		endpoint->src6 = ipv6_hdr(skb)->daddr;
		return 0;
	}
	return -EINVAL;
}

/**
 * wg_socket_read_tos() - the outer TOS or traffic class
 * @skb: as it was received
 *
 * Context: any.
 * Return: the whole byte, ECN included.
 */
u8 wg_socket_read_tos(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return ip_hdr(skb)->tos;
	return ipv6_get_dsfield(ipv6_hdr(skb));
}

static void wg_socket_count_drops(struct sock *sk, struct wg_socket_hook *hook)
{
	u32 drops = sk_drops_read(sk);

	lockdep_assert_held(&hook->lock);

	if (drops == hook->drops)
		return;
	wg_stats_add(hook->socket->stats, WG_DROP_RCVBUF_FULL,
		     drops - hook->drops);
	hook->drops = drops;
}

static bool wg_socket_take(struct wg_socket *socket, struct sk_buff *skb)
{
	/* The UDP layer has kept its own things in the same place. */
	skb->dev = NULL;

	if (ip_tunnel_parse_protocol(skb) != skb->protocol) {
		wg_stats_inc(socket->stats, WG_DROP_MALFORMED);
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_INHDR);
		return false;
	}
	socket->receive(socket, skb);
	return true;
}

static void wg_socket_drain(struct sock *sk, struct wg_socket_hook *hook)
{
	struct wg_socket *socket = hook->socket;
	struct sk_buff *skb;
	bool any = false;
	int err;

	/*
	 * Who finds this taken must wait, not leave: its datagram may have come
	 * after the other has seen the queue empty.
	 */
	spin_lock_bh(&hook->lock);
	do {
		/* An error of the socket is reported once, and cleared. */
		skb = skb_recv_udp(sk, MSG_DONTWAIT, &err);
		if (skb && wg_socket_take(socket, skb))
			any = true;
	} while (skb || err != -EAGAIN);
	if (any)
		socket->received(socket);
	wg_socket_count_drops(sk, hook);
	spin_unlock_bh(&hook->lock);
}

static void wg_socket_data_ready(struct sock *sk)
{
	struct wg_socket_hook *hook;

	rcu_read_lock();
	hook = rcu_dereference_sk_user_data(sk);
	if (hook)
		wg_socket_drain(sk, hook);
	rcu_read_unlock();
}

/* Opening and closing */

static struct wg_socket_hook *wg_socket_hook_of(struct sock *sk)
{
	return rcu_dereference_raw(__sk_user_data(sk));
}

static int wg_socket_create(struct wg_socket *socket, struct net *net,
			    struct udp_port_cfg *config, struct sock **sk)
{
	struct wg_socket_hook *hook;
	struct socket *sock;
	int err;

	hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	if (!hook)
		return -ENOMEM;
	hook->socket = socket;
	spin_lock_init(&hook->lock);

	err = udp_sock_create(net, config, &sock);
	if (err) {
		kfree(hook);
		return err;
	}
	rcu_assign_sk_user_data(sock->sk, hook);
	*sk = sock->sk;
	return 0;
}

/* Nobody has ever used @sk. */
static void wg_socket_discard(struct sock *sk)
{
	struct wg_socket_hook *hook = wg_socket_hook_of(sk);
	struct socket *sock = sk->sk_socket;

	rcu_assign_sk_user_data(sk, NULL);
	kernel_sock_shutdown(sock, SHUT_RDWR);
	sock_release(sock);
	kfree(hook);
}

static int wg_socket_create_both(struct wg_socket *socket, struct net *net,
				 u16 port, struct sock *sk[2])
{
	struct udp_port_cfg config4 = {
		.family = AF_INET,
		.local_udp_port = htons(port),
		.use_udp_checksums = true,
	};
	struct udp_port_cfg config6 = {
		.family = AF_INET6,
		.ipv6_v6only = true,
		.use_udp6_tx_checksums = true,
		.use_udp6_rx_checksums = true,
	};
	int err;

	err = wg_socket_create(socket, net, &config4, &sk[0]);
	if (err || !ipv6_mod_enabled())
		return err;

	config6.local_udp_port = inet_sk(sk[0])->inet_sport;
	err = wg_socket_create(socket, net, &config6, &sk[1]);
	if (err)
		wg_socket_discard(sk[0]);
	return err;
}

static void wg_socket_assign_gro(struct sock *sk, bool gro)
{
	struct socket *sock = sk->sk_socket;
	int value = gro;

	/* Not supported is as good as off. */
	sock->ops->setsockopt(sock, SOL_UDP, UDP_GRO, KERNEL_SOCKPTR(&value),
			      sizeof(value));
}

static void wg_socket_configure(struct sock *sk, bool gro)
{
	int off = 0;

	sk->sk_allocation = GFP_ATOMIC;
	sk->sk_sndbuf = INT_MAX;
	sk_set_memalloc(sk);
	/* Doubles its argument. */
	sock_set_rcvbuf(sk, max(sk->sk_rcvbuf, (int)WG_SOCKET_RCVBUF) / 2);
	/*
	 * Emptying the queue in a softirq must not poll a NIC. A kernel that
	 * cannot poll does not know the option.
	 */
	sock_setsockopt(sk->sk_socket, SOL_SOCKET, SO_BUSY_POLL,
			KERNEL_SOCKPTR(&off), sizeof(off));
	wg_socket_assign_gro(sk, gro);
}

static void wg_socket_start(struct sock *sk)
{
	wg_socket_hook_of(sk)->data_ready = sk->sk_data_ready;
	WRITE_ONCE(sk->sk_data_ready, wg_socket_data_ready);
	/* What came since the socket was bound has called somebody else. */
	wg_socket_data_ready(sk);
}

/* First half of closing: nothing comes in by @sk any more. */
static void wg_socket_stop(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;

	WRITE_ONCE(sk->sk_data_ready, wg_socket_hook_of(sk)->data_ready);
	rcu_assign_sk_user_data(sk, NULL);
	sock_hold(sk);
	kernel_sock_shutdown(sock, SHUT_RDWR);
	sock_release(sock);
}

/* Second half, after a grace period: nobody sends or receives by @sk. */
static void wg_socket_release(struct sock *sk, struct wg_socket_hook *hook)
{
	spin_lock_bh(&hook->lock);
	wg_socket_count_drops(sk, hook);
	spin_unlock_bh(&hook->lock);
	/* Accounts memory without the lock that incoming datagrams do it by. */
	sk_clear_memalloc(sk);
	kfree(hook);
	sock_put(sk);
}

/* Publishes @sk and closes what was there. */
static void wg_socket_replace(struct wg_socket *socket, struct sock *sk[2])
{
	struct wg_socket_hook *hook[2] = {};
	struct sock *old[2];
	int i;

	lockdep_assert_held(&socket->lock);

	old[0] = rcu_replace_pointer(socket->sk4, sk[0],
				     lockdep_is_held(&socket->lock));
	old[1] = rcu_replace_pointer(socket->sk6, sk[1],
				     lockdep_is_held(&socket->lock));
	for (i = 0; i < 2; i++)
		if (sk[i])
			wg_socket_start(sk[i]);
	if (!old[0] && !old[1])
		return;

	for (i = 0; i < 2; i++) {
		if (!old[i])
			continue;
		hook[i] = wg_socket_hook_of(old[i]);
		wg_socket_stop(old[i]);
	}
	synchronize_net();
	for (i = 0; i < 2; i++)
		if (old[i])
			wg_socket_release(old[i], hook[i]);
}

/**
 * wg_socket_init() - prepare, closed
 * @socket: to be filled
 * @stats: of the device
 * @receive: takes over what comes in
 * @received: is told after a round of it
 *
 * Context: process.
 */
void wg_socket_init(struct wg_socket *socket, struct wg_stats *stats,
		    wg_socket_receive_t receive, wg_socket_received_t received)
{
	mutex_init(&socket->lock);
	RCU_INIT_POINTER(socket->sk4, NULL);
	RCU_INIT_POINTER(socket->sk6, NULL);
	socket->stats = stats;
	socket->receive = receive;
	socket->received = received;
}

/**
 * wg_socket_open() - bind to a port, in IPv4 and, if the kernel has it, IPv6
 * @socket: may be open already: the old sockets are closed when the new ones
 *	receive. On the same port that cannot succeed
 * @net: where to; held by the caller until this returns
 * @port: to bind to, 0 for any free one; receives the one that was bound
 * @gro: let the UDP layer merge datagrams
 *
 * Context: process, may sleep, waits for a grace period if it was open.
 * Return: 0 or an error, for example -EADDRINUSE; then nothing has changed.
 */
int wg_socket_open(struct wg_socket *socket, struct net *net, u16 *port,
		   bool gro)
{
	int tries = *port ? 1 : WG_SOCKET_PORT_TRIES;
	struct sock *sk[2] = {};
	int i, err;

	do {
		err = wg_socket_create_both(socket, net, *port, sk);
	} while (err == -EADDRINUSE && --tries);
	if (err)
		return err;

	for (i = 0; i < 2; i++)
		if (sk[i])
			wg_socket_configure(sk[i], gro);
	*port = ntohs(inet_sk(sk[0])->inet_sport);

	mutex_lock(&socket->lock);
	wg_socket_replace(socket, sk);
	mutex_unlock(&socket->lock);
	return 0;
}

/**
 * wg_socket_close() - neither receive nor send any more
 * @socket: may be closed already
 *
 * When it returns, no callback and no sender runs.
 *
 * Context: process, may sleep, waits for a grace period if it was open.
 */
void wg_socket_close(struct wg_socket *socket)
{
	struct sock *none[2] = {};

	mutex_lock(&socket->lock);
	wg_socket_replace(socket, none);
	mutex_unlock(&socket->lock);
}

/**
 * wg_socket_set_gro() - switch merging of incoming datagrams
 * @socket: open or not; opening it anew does not remember this
 * @gro: on or off
 *
 * Context: process, may sleep.
 */
void wg_socket_set_gro(struct wg_socket *socket, bool gro)
{
	struct sock *sk[2];
	int i;

	mutex_lock(&socket->lock);
	sk[0] = rcu_dereference_protected(socket->sk4,
					  lockdep_is_held(&socket->lock));
	sk[1] = rcu_dereference_protected(socket->sk6,
					  lockdep_is_held(&socket->lock));
	for (i = 0; i < 2; i++)
		if (sk[i])
			wg_socket_assign_gro(sk[i], gro);
	mutex_unlock(&socket->lock);
}
