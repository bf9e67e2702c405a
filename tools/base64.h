/* SPDX-License-Identifier: GPL-2.0 */
/* Text form of keys and of other secrets, in constant time. (layer 0) */
#ifndef _WG_BASE64_H
#define _WG_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wireguard_uapi.h"

#define BASE64_KEY_CHARS	44	/* without a terminator */
#define BASE64_KEY_SIZE		(BASE64_KEY_CHARS + 1)
#define HEX_KEY_CHARS		(2 * WG_KEY_LEN)
#define HEX_KEY_SIZE		(HEX_KEY_CHARS + 1)

/**
 * base64_encode_key() - write a key as 44 characters and a terminator
 * @text:	result
 * @key:	the key
 *
 * Time and memory accesses do not depend on the key.
 */
void base64_encode_key(char text[BASE64_KEY_SIZE],
		       const uint8_t key[WG_KEY_LEN]);

/**
 * base64_decode_key() - read a key of exactly 44 characters
 * @key:	result; undefined on failure
 * @text:	terminated string
 *
 * Refuses a last character that carries bits beyond the 32 bytes, so that a
 * key has one spelling only.  Time depends on the length alone.
 *
 * Return: whether @text was a key.
 */
bool base64_decode_key(uint8_t key[WG_KEY_LEN], const char *text);

/* Characters of base64url for so many bytes, without padding. */
#define BASE64URL_CHARS(n)	(((n) * 4 + 2) / 3)

/**
 * base64url_encode() - write bytes as letters, digits, "-" and "_"
 * @text:	result, BASE64URL_CHARS(@len) characters, no terminator
 * @data:	the bytes
 * @len:	how many
 *
 * No padding follows: parts of 3 bytes may be written one after the other.
 * Time and memory accesses depend on the length alone.
 */
void base64url_encode(char *text, const uint8_t *data, size_t len);

/**
 * base64url_decode() - the reverse
 * @data:	result, @chars * 3 / 4 bytes; undefined on failure
 * @text:	characters
 * @chars:	how many
 *
 * As for keys, bytes have one spelling only.
 *
 * Return: whether @text was such.
 */
bool base64url_decode(uint8_t *data, const char *text, size_t chars);

/**
 * hex_encode_key() - write a key as 64 lower-case hexadecimal digits
 * @text:	result
 * @key:	the key
 */
void hex_encode_key(char text[HEX_KEY_SIZE], const uint8_t key[WG_KEY_LEN]);

/**
 * hex_decode_key() - read a key of exactly 64 hexadecimal digits
 * @key:	result; undefined on failure
 * @text:	terminated string
 *
 * Return: whether @text was a key.
 */
bool hex_decode_key(uint8_t key[WG_KEY_LEN], const char *text);

/**
 * key_is_zero() - whether a key is all zeros, in constant time
 * @key:	the key
 *
 * Return: true for the value that stands for "no key".
 */
bool key_is_zero(const uint8_t key[WG_KEY_LEN]);

#endif /* _WG_BASE64_H */
