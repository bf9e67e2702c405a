/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The UDP sockets of a device, and what comes in by them (spec 3.6 and 5.1).
 *
 * Layer 1. What comes in goes to a callback given at init.
 */
#ifndef _WG_SOCKET_H
#define _WG_SOCKET_H

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "remote.h"
#include "stats.h"

struct wg_socket;

/*
 * Takes over @skb: one datagram, or several merged by UDP GRO; the data start
 * behind the UDP header, the outer headers are still in front of them,
 * skb->dev is NULL. Called with BH off, one call at a time per UDP socket: IPv4
 * and IPv6 may come at the same time, as may old and new while being swapped.
 */
typedef void (*wg_socket_receive_t)(struct wg_socket *socket,
				    struct sk_buff *skb);

/**
 * struct wg_socket - the sockets of a device
 * @lock: see there
 * @sk4: IPv4, NULL while closed; RCU readers
 * @sk6: IPv6, NULL while closed or without IPv6; RCU readers
 * @stats: of the device
 * @receive: see above
 */
struct wg_socket {
	/* Protects opening and closing. */
	struct mutex lock;
	struct sock __rcu *sk4;
	struct sock __rcu *sk6;
	struct wg_stats *stats;
	wg_socket_receive_t receive;
};

void wg_socket_init(struct wg_socket *socket, struct wg_stats *stats,
		    wg_socket_receive_t receive);
int wg_socket_open(struct wg_socket *socket, struct net *net, u16 *port,
		   bool gro);
void wg_socket_close(struct wg_socket *socket);
void wg_socket_update_drops(struct wg_socket *socket);
void wg_socket_set_gro(struct wg_socket *socket, bool gro);

bool wg_socket_checksum_ok(struct sk_buff *skb);
int wg_socket_read_endpoint(struct wg_endpoint *endpoint,
			    const struct sk_buff *skb);
u8 wg_socket_read_tos(const struct sk_buff *skb);

/* Did GRO make this of several datagrams? UFO is GSO, too, but of one. */
static inline bool wg_socket_is_bundle(const struct sk_buff *skb)
{
	return skb_is_gso(skb) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;
}

#endif /* _WG_SOCKET_H */
