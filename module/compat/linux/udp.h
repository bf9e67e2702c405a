/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WG_COMPAT_LINUX_UDP_H
#define _WG_COMPAT_LINUX_UDP_H

#include <linux/version.h>
#include_next <linux/udp.h>

/*
 * Segmenting UDP packets mangled headers in 7.0 up to 7.1.4. Drop, and the
 * question for it, when the floor is > 7.1.
 */
#define WG_COMPAT_UDP_GSO_WORKS \
	(LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0) || \
	 LINUX_VERSION_CODE > KERNEL_VERSION(7, 1, 4))

#endif /* _WG_COMPAT_LINUX_UDP_H */
