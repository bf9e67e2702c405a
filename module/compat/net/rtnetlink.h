/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rtnl_link_ops.newlink() got its arguments one by one before 6.15, and in a
 * struct since then.
 *
 * Drop when the floor is >= 6.15.
 */
#ifndef _WG_COMPAT_NET_RTNETLINK_H
#define _WG_COMPAT_NET_RTNETLINK_H

#include <linux/version.h>
#include_next <net/rtnetlink.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define WG_COMPAT_FLAT_NEWLINK
#endif

#endif /* _WG_COMPAT_NET_RTNETLINK_H */
