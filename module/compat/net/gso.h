/* SPDX-License-Identifier: GPL-2.0 */
/* Until 6.5 this stood in linux/netdevice.h. Drop when the floor is > 6.4. */
#ifndef _WG_COMPAT_NET_GSO_H
#define _WG_COMPAT_NET_GSO_H

#if __has_include_next(<net/gso.h>)
#include_next <net/gso.h>
#else
#include <linux/netdevice.h>
#endif

#endif /* _WG_COMPAT_NET_GSO_H */
