/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How to get a packet to a peer, or to who is none (spec 4.6).
 *
 * Layer 1, above socket. What is sent is ready to leave.
 */
#ifndef _WG_SEND_H
#define _WG_SEND_H

#include <linux/types.h>

struct net_device;
struct sk_buff;
struct wg_endpoint;
struct wg_remote;
struct wg_socket;

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

int wg_send_to_peer(struct wg_socket *socket, struct wg_remote *remote,
		    struct sk_buff *skb, const struct wg_send *how);
int wg_send_to(struct wg_socket *socket, const struct wg_endpoint *endpoint,
	       struct sk_buff *skb, const struct wg_send *how);

#endif /* _WG_SEND_H */
