/* SPDX-License-Identifier: GPL-2.0 */
/* Until 6.5 this stood in linux/netdevice.h. Drop when the floor is > 6.4. */
#ifndef _WG_COMPAT_NET_GSO_H
#define _WG_COMPAT_NET_GSO_H

#include <linux/version.h>

/* By version: sparse does not know __has_include_next. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#include <linux/netdevice.h>
#else
#include_next <net/gso.h>
#endif

#endif /* _WG_COMPAT_NET_GSO_H */
