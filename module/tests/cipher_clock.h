/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the benchmark: adds up the time spent in the cipher. Included before the
 * units that use it (CLOCK=y), which know nothing of it; never part of a module
 * that is shipped.
 */
#ifndef _WG_CIPHER_CLOCK_H
#define _WG_CIPHER_CLOCK_H

#include <linux/percpu.h>
#include <linux/timekeeping.h>
#include <crypto/chacha20poly1305.h>

DECLARE_PER_CPU(u64, wg_cipher_clock_ns);

static inline void
wg_cipher_clock_encrypt(u8 *dst, const u8 *src, size_t len, const u8 *ad,
			size_t ad_len, u64 nonce, const u8 *key)
{
	u64 start = ktime_get_ns();

	chacha20poly1305_encrypt(dst, src, len, ad, ad_len, nonce, key);
	this_cpu_add(wg_cipher_clock_ns, ktime_get_ns() - start);
}

static inline bool __must_check
wg_cipher_clock_decrypt(u8 *dst, const u8 *src, size_t len, const u8 *ad,
			size_t ad_len, u64 nonce, const u8 *key)
{
	u64 start = ktime_get_ns();
	bool ok;

	ok = chacha20poly1305_decrypt(dst, src, len, ad, ad_len, nonce, key);
	this_cpu_add(wg_cipher_clock_ns, ktime_get_ns() - start);
	return ok;
}

#define chacha20poly1305_encrypt wg_cipher_clock_encrypt
#define chacha20poly1305_decrypt wg_cipher_clock_decrypt

#endif /* _WG_CIPHER_CLOCK_H */
