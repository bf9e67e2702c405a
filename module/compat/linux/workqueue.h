/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WG_COMPAT_LINUX_WORKQUEUE_H
#define _WG_COMPAT_LINUX_WORKQUEUE_H

#include <linux/version.h>
#include_next <linux/workqueue.h>

/*
 * The unbound one got this name in 6.18. Drop when the floor is >= 6.18.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define system_dfl_wq system_unbound_wq
#endif

#endif /* _WG_COMPAT_LINUX_WORKQUEUE_H */
