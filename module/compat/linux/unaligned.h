/* SPDX-License-Identifier: GPL-2.0 */
/* <asm/unaligned.h> moved here in 6.12; drop when the floor is >= 6.12. */
#ifndef _WG_COMPAT_LINUX_UNALIGNED_H
#define _WG_COMPAT_LINUX_UNALIGNED_H

#if __has_include_next(<linux/unaligned.h>)
#include_next <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#endif /* _WG_COMPAT_LINUX_UNALIGNED_H */
