/* SPDX-License-Identifier: GPL-2.0 */
/* X25519 (RFC 7748), as far as deriving public keys needs it. (layer 0) */
#ifndef _WG_CURVE25519_H
#define _WG_CURVE25519_H

#include <stdint.h>

#define CURVE25519_LEN	32

/**
 * curve25519_clamp() - make 32 random bytes a private key
 * @key:	changed in place
 */
void curve25519_clamp(uint8_t key[CURVE25519_LEN]);

/**
 * curve25519_multiply() - X25519(scalar, point)
 * @out:	u-coordinate of the result
 * @scalar:	private key; clamped on the way, not changed
 * @point:	u-coordinate; the top bit is ignored
 *
 * Time and memory accesses do not depend on @scalar or @point.
 */
void curve25519_multiply(uint8_t out[CURVE25519_LEN],
			 const uint8_t scalar[CURVE25519_LEN],
			 const uint8_t point[CURVE25519_LEN]);

/**
 * curve25519_public_key() - the public key of a private key
 * @pub:	result
 * @key:	private key
 */
void curve25519_public_key(uint8_t pub[CURVE25519_LEN],
			   const uint8_t key[CURVE25519_LEN]);

#endif /* _WG_CURVE25519_H */
