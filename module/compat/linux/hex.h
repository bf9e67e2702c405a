/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.4 moved hex2bin() from linux/kernel.h to linux/hex.h.
 *
 * By version, as sparse does not know __has_include_next().
 * Drop when the floor is > 6.3.
 */
#ifndef _WG_COMPAT_LINUX_HEX_H
#define _WG_COMPAT_LINUX_HEX_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include_next <linux/hex.h>
#else
#include <linux/kernel.h>
#endif

#endif /* _WG_COMPAT_LINUX_HEX_H */
