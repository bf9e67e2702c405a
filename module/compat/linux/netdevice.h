/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WG_COMPAT_LINUX_NETDEVICE_H
#define _WG_COMPAT_LINUX_NETDEVICE_H

#include <linux/ip.h>
#include <linux/version.h>
#include_next <linux/netdevice.h>

/*
 * "We lock our transmission ourselves" was a feature bit and is a flag since
 * 6.12. Drop when the floor is >= 6.12.
 */
static inline void wg_compat_set_lltx(struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

/*
 * How large a packet GRO may make, and never more than fits in an IP header;
 * IPv4 has a limit of its own since 6.3. Drop that when the floor is >= 6.3.
 * @network: length of the network header
 */
static inline u32 wg_compat_gro_max_size(const struct net_device *dev,
					 u32 network)
{
	u32 most = READ_ONCE(dev->gro_max_size);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	if (network == sizeof(struct iphdr))
		most = READ_ONCE(dev->gro_ipv4_max_size);
#endif
	return min_t(u32, most, U16_MAX);
}

#endif /* _WG_COMPAT_LINUX_NETDEVICE_H */
