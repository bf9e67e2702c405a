/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WG_COMPAT_LINUX_TIMER_H
#define _WG_COMPAT_LINUX_TIMER_H

#include_next <linux/timer.h>

#include <linux/container_of.h>
#include <linux/version.h>

/* Was from_timer(); drop when the floor is > 6.15. */
#ifndef timer_container_of
#define timer_container_of(var, callback_timer, timer_fieldname) \
	container_of(callback_timer, typeof(*(var)), timer_fieldname)
#endif

/*
 * The early releases of 6.1 have only the old name and nothing that shuts a
 * timer down for good; the old name means the same in the later ones. Drop when
 * the floor is > 6.1.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 158)
#define timer_delete_sync(timer)	del_timer_sync(timer)
#define timer_shutdown_sync(timer)	del_timer_sync(timer)
#endif

#endif /* _WG_COMPAT_LINUX_TIMER_H */
