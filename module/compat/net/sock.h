/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.18 moved the count of drops out of some sockets and gave it a reader.
 *
 * Drop when the floor is > 6.17.
 */
#ifndef _WG_COMPAT_NET_SOCK_H
#define _WG_COMPAT_NET_SOCK_H

#include <linux/version.h>
#include_next <net/sock.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define sk_drops_read(sk) atomic_read(&(sk)->sk_drops)
#endif

#endif /* _WG_COMPAT_NET_SOCK_H */
