/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.19 renamed the state and reordered the arguments of blake2s(). We call the
 * init, update and final functions only, which are the same on all kernels; the
 * one-shot function would take its pointers in the wrong order silently.
 *
 * Drop when the floor is > 6.18.
 */
#ifndef _WG_COMPAT_CRYPTO_BLAKE2S_H
#define _WG_COMPAT_CRYPTO_BLAKE2S_H

#include <linux/version.h>
#include_next <crypto/blake2s.h>

#if !defined(blake2s_ctx) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define blake2s_ctx blake2s_state
#endif

#endif /* _WG_COMPAT_CRYPTO_BLAKE2S_H */
