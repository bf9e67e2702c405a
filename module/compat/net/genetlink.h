/* SPDX-License-Identifier: GPL-2.0 */
/* genl_dumpit_info() was renamed in 6.6; drop when the floor is >= 6.6. */
#ifndef _WG_COMPAT_NET_GENETLINK_H
#define _WG_COMPAT_NET_GENETLINK_H

#include <linux/version.h>
#include_next <net/genetlink.h>

#if !defined(genl_info_dump) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define genl_info_dump(cb) genl_dumpit_info(cb)
#endif

#endif /* _WG_COMPAT_NET_GENETLINK_H */
