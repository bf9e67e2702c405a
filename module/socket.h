/* SPDX-License-Identifier: GPL-2.0 */
/*
 * socket.h - the UDP sockets of a device, where a peer is, and how to get a
 * packet there (spec 3.6, 4.6 and 4.7).
 *
 * Layer 1. What comes in goes to a callback given at open; what is sent is
 * ready to leave.
 */
#ifndef _WG_SOCKET_H
#define _WG_SOCKET_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "stats.h"

/**
 * struct wg_endpoint - where a peer was last heard, and where we heard it
 * @addr: family 0 if there is none
 * @addr4: if AF_INET
 * @addr6: if AF_INET6; the scope id only of link-local addresses
 * @src4: our address that the peer sent to, 0 if not learned
 * @src_if4: the interface it came in by, 0 if not learned
 * @src6: our address that the peer sent to, any if not learned
 */
struct wg_endpoint {
	union {
		struct sockaddr addr;
		struct sockaddr_in addr4;
		struct sockaddr_in6 addr6;
	};
	union {
		struct {
			struct in_addr src4;
			int src_if4;
		};
		struct in6_addr src6;
	};
};

/**
 * struct wg_remote - an endpoint and the cached way there, one per peer
 * @lock: protects all of it; BH-safe; held for copying, never while sending
 * @endpoint: see there
 * @dst: cached route, NULL if none; a reference
 * @dst_cookie: tells whether @dst is still valid
 * @dst_mark: fwmark that @dst was looked up with
 * @saddr4: source address of @dst if AF_INET
 * @saddr6: source address of @dst if AF_INET6
 * @generation: bumped by each change of @endpoint, so that a route looked up
 *	meanwhile is not stored for the wrong endpoint
 */
struct wg_remote {
	spinlock_t lock;
	u32 generation;
	struct wg_endpoint endpoint;
	struct dst_entry *dst;
	u32 dst_cookie;
	u32 dst_mark;
	union {
		__be32 saddr4;
		struct in6_addr saddr6;
	};
};

struct wg_socket;

/*
 * Takes over @skb: one datagram, or several merged by UDP GRO; the data start
 * behind the UDP header, the outer headers are still in front of them,
 * skb->dev is NULL. Called with BH off, one call at a time per UDP socket: IPv4
 * and IPv6 may come at the same time, as may old and new while they are swapped.
 */
typedef void (*wg_socket_receive_t)(struct wg_socket *socket,
				    struct sk_buff *skb);
/*
 * What this CPU's calls of @receive have taken may be scheduled now; ends a
 * round of them, under the same lock.
 */
typedef void (*wg_socket_received_t)(struct wg_socket *socket);

/**
 * struct wg_socket - the sockets of a device
 * @lock: protects opening and closing
 * @sk4: IPv4, NULL while closed; RCU readers
 * @sk6: IPv6, NULL while closed or without IPv6; RCU readers
 * @stats: of the device
 * @receive: see above
 * @received: see above
 */
struct wg_socket {
	struct mutex lock;
	struct sock __rcu *sk4;
	struct sock __rcu *sk6;
	struct wg_stats *stats;
	wg_socket_receive_t receive;
	wg_socket_received_t received;
};

/**
 * struct wg_send - how to send
 * @dev: the tunnel device, whose statistics count it
 * @mark: fwmark
 * @tos: outer TOS or traffic class
 */
struct wg_send {
	struct net_device *dev;
	u32 mark;
	u8 tos;
};

void wg_socket_init(struct wg_socket *socket, struct wg_stats *stats,
		    wg_socket_receive_t receive, wg_socket_received_t received);
int wg_socket_open(struct wg_socket *socket, struct net *net, u16 *port,
		   bool gro);
void wg_socket_close(struct wg_socket *socket);
void wg_socket_set_gro(struct wg_socket *socket, bool gro);

int wg_socket_send(struct wg_socket *socket, struct wg_remote *remote,
		   struct sk_buff *skb, const struct wg_send *how);
int wg_socket_send_to(struct wg_socket *socket,
		      const struct wg_endpoint *endpoint, struct sk_buff *skb,
		      const struct wg_send *how);

bool wg_socket_checksum_ok(struct sk_buff *skb);
int wg_socket_read_endpoint(struct wg_endpoint *endpoint,
			    const struct sk_buff *skb);
u8 wg_socket_read_tos(const struct sk_buff *skb);

void wg_remote_init(struct wg_remote *remote);
void wg_remote_fini(struct wg_remote *remote);
bool wg_remote_known(const struct wg_remote *remote);
void wg_remote_get(struct wg_remote *remote, struct wg_endpoint *endpoint);
void wg_remote_set(struct wg_remote *remote,
		   const struct wg_endpoint *endpoint);
void wg_remote_learn(struct wg_remote *remote,
		     const struct wg_endpoint *endpoint);
void wg_remote_forget_source(struct wg_remote *remote);

#endif /* _WG_SOCKET_H */
