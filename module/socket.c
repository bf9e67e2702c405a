// SPDX-License-Identifier: GPL-2.0
/*
 * The UDP sockets of a device, and what comes in by them (spec 3.6 and 5.1).
 *
 * Layer 1.
 *
 * The sockets have no encapsulation hook: the UDP layer would take every
 * merged datagram apart before calling it. They are plain sockets with UDP_GRO
 * on and a sk_data_ready of our own, which empties the receive queue at once.
 */
#include "socket.h"

#include <linux/err.h>
#include <linux/ipv6.h>
#include <linux/minmax.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/u64_stats_sync.h>
#include <linux/udp.h>
#include <linux/workqueue.h>

#include <net/dsfield.h>
#include <net/dst.h>
#include <net/inet_sock.h>
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
 * @lock: BH-safe
 * @data_ready: the callback to put back
 * @drops: of the UDP socket that are in the statistics already
 */
struct wg_socket_hook {
	struct wg_socket *socket;
	/*
	 * Makes taking a datagram and handing it over one step, or two CPUs
	 * would swap packets; protects @drops.
	 */
	spinlock_t lock;
	void (*data_ready)(struct sock *sk);
	u32 drops;
};

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
	wg_stats_add(hook->socket->stats, WG_DROP_SOCKET,
		     drops - hook->drops);
	hook->drops = drops;
}

static void wg_socket_take(struct wg_socket *socket, struct sk_buff *skb)
{
	/* The UDP layer has kept its own things in the same place. */
	skb->dev = NULL;

	if (ip_tunnel_parse_protocol(skb) != skb->protocol) {
		wg_stats_drop(socket->stats, WG_DROP_MALFORMED, skb, 1);
		return;
	}
	socket->receive(socket, skb);
}

/* Without the queues' locks: what comes after this look has a call of its own,
 * which waits for the end of this one.
 */
static bool wg_socket_has_more(struct sock *sk)
{
	return !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue) ||
	       !skb_queue_empty_lockless(&sk->sk_receive_queue);
}

static void wg_socket_drain(struct sock *sk, struct wg_socket_hook *hook)
{
	struct wg_socket *socket = hook->socket;
	struct sk_buff *skb;
	int err;

	/*
	 * Who finds this taken must wait, not leave: its datagram may have come
	 * after the other has seen the queue empty.
	 */
	spin_lock_bh(&hook->lock);
	do {
		/* An error of the socket is reported once, and cleared. */
		skb = skb_recv_udp(sk, MSG_DONTWAIT, &err);
		if (skb)
			wg_socket_take(socket, skb);
	} while (skb ? wg_socket_has_more(sk) : err != -EAGAIN);
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

/**
 * struct wg_socket_making - sockets being made by a worker
 * @work: does it
 * @socket: for which
 * @net: where
 * @port: to bind to, 0 for any free one
 * @sk: the result
 * @err: or why there is none
 */
struct wg_socket_making {
	struct work_struct work;
	struct wg_socket *socket;
	struct net *net;
	u16 port;
	struct sock *sk[2];
	int err;
};

/* A socket belongs to the control group of the task that makes it: that one's
 * programs would judge what everybody sends through the tunnel, and it would
 * pay for the memory. A worker is of the root group.
 */
static void wg_socket_make(struct work_struct *work)
{
	struct wg_socket_making *m =
		container_of(work, struct wg_socket_making, work);
	int tries = m->port ? 1 : WG_SOCKET_PORT_TRIES;

	do {
		m->err = wg_socket_create_both(m->socket, m->net, m->port,
					       m->sk);
	} while (m->err == -EADDRINUSE && --tries);
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
	sock_set_rcvbuf(sk, max_t(int, sk->sk_rcvbuf, WG_SOCKET_RCVBUF) / 2);
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
	/* With the lock that a datagram is queued under before it asks whom to
	 * call: it is in the queue by now, or it calls us.
	 */
	spin_lock_bh(&sk->sk_receive_queue.lock);
	WRITE_ONCE(sk->sk_data_ready, wg_socket_data_ready);
	spin_unlock_bh(&sk->sk_receive_queue.lock);
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
 *
 * Context: process.
 */
void wg_socket_init(struct wg_socket *socket, struct wg_stats *stats,
		    wg_socket_receive_t receive)
{
	mutex_init(&socket->lock);
	RCU_INIT_POINTER(socket->sk4, NULL);
	RCU_INIT_POINTER(socket->sk6, NULL);
	socket->stats = stats;
	socket->receive = receive;
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
	struct wg_socket_making m = {
		.socket = socket,
		.net = net,
		.port = *port,
	};
	int i;

	INIT_WORK_ONSTACK(&m.work, wg_socket_make);
	queue_work(system_dfl_wq, &m.work);
	flush_work(&m.work);
	destroy_work_on_stack(&m.work);
	if (m.err)
		return m.err;

	for (i = 0; i < 2; i++)
		if (m.sk[i])
			wg_socket_configure(m.sk[i], gro);
	*port = ntohs(inet_sk(m.sk[0])->inet_sport);

	mutex_lock(&socket->lock);
	wg_socket_replace(socket, m.sk);
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

static void wg_socket_get_both(const struct wg_socket *socket,
			       struct sock *sk[2])
{
	sk[0] = rcu_dereference_protected(socket->sk4,
					  lockdep_is_held(&socket->lock));
	sk[1] = rcu_dereference_protected(socket->sk6,
					  lockdep_is_held(&socket->lock));
}

/**
 * wg_socket_update_drops() - count what the UDP sockets have dropped by now
 * @socket: open or not
 *
 * Context: process, may sleep.
 */
void wg_socket_update_drops(struct wg_socket *socket)
{
	struct wg_socket_hook *hook;
	struct sock *sk[2];
	int i;

	mutex_lock(&socket->lock);
	wg_socket_get_both(socket, sk);
	for (i = 0; i < 2; i++) {
		if (!sk[i])
			continue;
		hook = wg_socket_hook_of(sk[i]);
		spin_lock_bh(&hook->lock);
		wg_socket_count_drops(sk[i], hook);
		spin_unlock_bh(&hook->lock);
	}
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
	wg_socket_get_both(socket, sk);
	for (i = 0; i < 2; i++)
		if (sk[i])
			wg_socket_assign_gro(sk[i], gro);
	mutex_unlock(&socket->lock);
}
