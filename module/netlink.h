/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink family "wireguard" (spec 7).
 *
 * Layer 5.
 */
#ifndef _WG_NETLINK_H
#define _WG_NETLINK_H

int wg_netlink_init(void);
void wg_netlink_fini(void);

#endif /* _WG_NETLINK_H */
