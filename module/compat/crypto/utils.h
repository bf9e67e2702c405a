/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.4 moved crypto_memneq() from crypto/algapi.h to crypto/utils.h.
 *
 * By version, as sparse does not know __has_include_next().
 * Drop when the floor is > 6.3.
 */
#ifndef _WG_COMPAT_CRYPTO_UTILS_H
#define _WG_COMPAT_CRYPTO_UTILS_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include_next <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif

#endif /* _WG_COMPAT_CRYPTO_UTILS_H */
