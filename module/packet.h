/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The three paths: what goes out (tx.c), handshakes (handshake.c)
 * and what comes in (rx.c). Each calls only those before it.
 *
 * Layer 3.
 */
#ifndef _WG_PACKET_H
#define _WG_PACKET_H

#include "wg.h"

/* tx.c */
int wg_tx_init(void);
void wg_tx_fini(void);
int wg_tx_create_lanes(struct wg_device *wg);
void wg_tx_destroy_lanes(struct wg_device *wg);
netdev_tx_t wg_tx_xmit(struct sk_buff *skb, struct net_device *dev);
void wg_tx_flush(struct wg_peer *peer);
void wg_tx_keepalive(struct wg_peer *peer);
void wg_tx_purge_staged(struct wg_peer *peer);

/* handshake.c */
int wg_handshake_init(void);
void wg_handshake_fini(void);
void wg_handshake_create_queue(struct wg_device *wg);
void wg_handshake_drop_queue(struct wg_device *wg);
void wg_handshake_finish_mail(struct wg_device *wg);
void wg_handshake_destroy_queue(struct wg_device *wg);
void wg_handshake_receive(struct wg_device *wg, const void *msg, size_t len,
			  const struct wg_endpoint *from);
void wg_handshake_forget(struct wg_peer *peer);

/* rx.c */
int wg_rx_init(void);
void wg_rx_fini(void);
int wg_rx_create_lanes(struct wg_device *wg);
void wg_rx_destroy_lanes(struct wg_device *wg);
void wg_rx_receive(struct wg_socket *socket, struct sk_buff *skb);

#endif /* _WG_PACKET_H */
