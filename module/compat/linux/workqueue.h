/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Per-CPU workqueues had to be asked for from 6.17 on, were the default before.
 * Some stable releases know the name, as an enum that #ifdef cannot see.
 *
 * Drop when the floor is >= 6.17.
 */
#ifndef _WG_COMPAT_LINUX_WORKQUEUE_H
#define _WG_COMPAT_LINUX_WORKQUEUE_H

#include <linux/version.h>
#include_next <linux/workqueue.h>

#if !defined(WQ_PERCPU) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define WQ_PERCPU 0
#endif

#endif /* _WG_COMPAT_LINUX_WORKQUEUE_H */
