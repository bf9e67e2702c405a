/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.17 gave the transmit helpers one more argument, flags for the control
 * block. The source passes it always, and 0.
 *
 * Drop when the floor is > 6.16.
 */
#ifndef _WG_COMPAT_NET_UDP_TUNNEL_H
#define _WG_COMPAT_NET_UDP_TUNNEL_H

#include <linux/version.h>
#include_next <net/udp_tunnel.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, sport, dport, \
			    xnet, nocheck, flags)			       \
	udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, sport, dport, \
			    xnet, nocheck)
#define udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl,       \
			     label, sport, dport, nocheck, flags)	       \
	udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl,       \
			     label, sport, dport, nocheck)
#endif

#endif /* _WG_COMPAT_NET_UDP_TUNNEL_H */
