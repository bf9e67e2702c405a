/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WG_COMPAT_LINUX_NETDEVICE_H
#define _WG_COMPAT_LINUX_NETDEVICE_H

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

#endif /* _WG_COMPAT_LINUX_NETDEVICE_H */
