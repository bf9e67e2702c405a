/* SPDX-License-Identifier: GPL-2.0 */
/*
 * crypto_memneq() moved from crypto/algapi.h to crypto/utils.h in 6.4.
 *
 * Drop when the floor is > 6.3.
 */
#ifndef _WG_COMPAT_CRYPTO_UTILS_H
#define _WG_COMPAT_CRYPTO_UTILS_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#include <crypto/algapi.h>
#else
#include_next <crypto/utils.h>
#endif

#endif /* _WG_COMPAT_CRYPTO_UTILS_H */
