// SPDX-License-Identifier: GPL-2.0
/*
 * Where a peer is, sticky source addresses and the cached route
 * there (spec 4.7).
 *
 * Layer 1.
 */
#include "remote.h"

#include <linux/err.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/security.h>
#include <linux/string.h>

#include <net/addrconf.h>
#include <net/dst.h>
#include <net/flow.h>
#include <net/inet_sock.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>

static void wg_remote_clear_source(struct wg_endpoint *endpoint)
{
	/* Covers the IPv4 source and its interface too. */
	endpoint->src6 = in6addr_any;
}

static bool wg_remote_same(const struct wg_endpoint *a,
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
 * wg_remote_close() - release the cached route, and keep no other
 * @remote: of a peer that nobody can find any more, but some may still hold
 *
 * Context: any but hardirq.
 */
void wg_remote_close(struct wg_remote *remote)
{
	struct dst_entry *dst;

	spin_lock_bh(&remote->lock);
	remote->closed = true;
	dst = wg_remote_change(remote);
	spin_unlock_bh(&remote->lock);
	dst_release(dst);
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
	wg_remote_clear_source(&remote->endpoint);
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
	if (data_race(wg_remote_same(&remote->endpoint, endpoint)))
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
	wg_remote_clear_source(&remote->endpoint);
	dst = wg_remote_change(remote);
	spin_unlock_bh(&remote->lock);
	dst_release(dst);
}

/**
 * wg_remote_read_path() - read the endpoint, and the cached route if valid
 * @remote: of a peer
 * @mark: fwmark to send with
 * @path: all zero; gets a reference to the route if there is one
 *
 * Context: any but hardirq.
 */
void wg_remote_read_path(struct wg_remote *remote, u32 mark,
			 struct wg_path *path)
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
			    const struct wg_path *path)
{
	struct dst_entry *dst = NULL;

	spin_lock_bh(&remote->lock);
	if (!remote->closed && remote->generation == path->generation) {
		if (path->forgot)
			wg_remote_clear_source(&remote->endpoint);
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

static int wg_remote_lookup4(struct sock *sk, u32 mark,
			     struct wg_path *path)
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

static void wg_remote_forget_stale(struct wg_path *path)
{
	wg_remote_clear_source(&path->to);
	path->forgot = true;
}

static int wg_remote_route4(struct sock *sk, u32 mark,
			    struct wg_path *path)
{
	struct wg_endpoint *to = &path->to;
	int err;

	if (to->src4.s_addr &&
	    !inet_confirm_addr(sock_net(sk), NULL, 0, to->src4.s_addr,
			       RT_SCOPE_HOST))
		wg_remote_forget_stale(path);

	err = wg_remote_lookup4(sk, mark, path);
	if (!to->src4.s_addr)
		return err;
	if (err == -EINVAL) {
		wg_remote_forget_stale(path);
		return wg_remote_lookup4(sk, mark, path);
	}
	if (!err && to->src_if4 &&
	    READ_ONCE(path->dst->dev)->ifindex != to->src_if4) {
		dst_release(path->dst);
		path->dst = NULL;
		wg_remote_forget_stale(path);
		return wg_remote_lookup4(sk, mark, path);
	}
	return err;
}

static int wg_remote_route6(struct sock *sk, u32 mark,
			    struct wg_path *path)
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
		wg_remote_forget_stale(path);
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

/**
 * wg_remote_route() - look a route up, and keep it if it is a peer's
 * @sk: of the family of the endpoint
 * @mark: fwmark to send with
 * @path: without a route; gets a reference to one. A source that is not ours
 *	any more, or does not fit the route, is forgotten
 *
 * Context: RCU and BH off. The route is stored before the caller leaves, so
 * who unpublishes @sk, waits for a grace period and then forgets is sure that
 * no route is left.
 * Return: 0 or what routing said.
 */
int wg_remote_route(struct sock *sk, u32 mark, struct wg_path *path)
{
	int err;

	if (path->to.addr.sa_family == AF_INET)
		err = wg_remote_route4(sk, mark, path);
	else if (IS_ENABLED(CONFIG_IPV6))
		err = wg_remote_route6(sk, mark, path);
	else
		err = -EAFNOSUPPORT;

	if (path->remote && (!err || path->forgot))
		wg_remote_store(path->remote, mark, path);
	return err;
}
