/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WG_COMPAT_LINUX_SKBUFF_H
#define _WG_COMPAT_LINUX_SKBUFF_H

#include <linux/version.h>
#include_next <linux/skbuff.h>

/*
 * Which clock a departure time is of became a field with more than two values
 * in 6.11. Drop when the floor is >= 6.11.
 */
static inline void wg_compat_copy_delivery_time(struct sk_buff *to,
						const struct sk_buff *from)
{
	to->tstamp = from->tstamp;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	to->mono_delivery_time = from->mono_delivery_time;
#else
	to->tstamp_type = from->tstamp_type;
#endif
}

#endif /* _WG_COMPAT_LINUX_SKBUFF_H */
