/* SPDX-License-Identifier: GPL-2.0 */
/* What one site tells another, as one word to paste. (layer 2) */
#ifndef _WG_TOKEN_H
#define _WG_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "cidr.h"
#include "ctx.h"
#include "text.h"
#include "wireguard_uapi.h"

/**
 * struct token - a site as it shows itself to others
 * @name:	of the site
 * @public_key:	its key
 * @endpoint:	"host:port", the port a number, IPv6 addresses in brackets;
 *		empty if it cannot be reached from outside
 * @tunnel:	the networks all sites of the tunnel share, v4 and v6
 * @addresses:	its own addresses in them or link-local, single hosts
 * @shares:	networks behind it
 * @hub:	it forwards between the others
 * @routed:	routing daemons decide what goes where
 * @secret:	the token is secret: the following are for its receiver
 * @private_key: the receiver's private key
 * @preshared_key: for both, zeros if none
 * @receiver:	the receiver's addresses
 * @receiver_shares: networks behind the receiver
 */
struct token {
	char name[64];
	uint8_t public_key[WG_KEY_LEN];
	char endpoint[272];
	struct cidr_list tunnel;
	struct cidr_list addresses;
	struct cidr_list shares;
	bool hub;
	bool routed;
	bool secret;
	uint8_t private_key[WG_KEY_LEN];
	uint8_t preshared_key[WG_KEY_LEN];
	struct cidr_list receiver;
	struct cidr_list receiver_shares;
};

/**
 * token_write() - one word of letters, digits, "-", "_"
 * @token:	what it says; what token_read() refuses is written all the same
 * @text:	appended to
 */
void token_write(const struct token *token, struct text *text);

/**
 * token_read() - the reverse
 * @ctx:	the run
 * @word:	white space inside is skipped: mail programs fold lines
 * @token:	result, to be freed with token_free(), also on failure
 *
 * A checksum finds what was cut off or mistyped.  What has been read holds:
 * a name that quick_check_name() likes, a public key, an address at least; an
 * endpoint one may try to resolve; networks without host bits that are not
 * everything, local or multicast; nothing twice; with @token->secret a private
 * key and an address for the receiver.  Whether two networks overlap is not
 * looked at.
 *
 * Return: 0, or negative errno with an error text that does not show the word.
 */
int token_read(struct ctx *ctx, const char *word, struct token *token);

/**
 * token_free() - wipe it
 * @token:	all zeros then
 */
void token_free(struct token *token);

#endif /* _WG_TOKEN_H */
