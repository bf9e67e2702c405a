/* SPDX-License-Identifier: GPL-2.0 */
/* <asm/unaligned.h> moved here in 6.12; drop when the floor is >= 6.12. */
#ifndef _WG_COMPAT_LINUX_UNALIGNED_H
#define _WG_COMPAT_LINUX_UNALIGNED_H

#include <linux/version.h>

/* By version: sparse does not know __has_include_next. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include_next <linux/unaligned.h>
#endif

#endif /* _WG_COMPAT_LINUX_UNALIGNED_H */
