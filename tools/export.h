/* SPDX-License-Identifier: GPL-2.0 */
/* A file in the words of other programs. (layer 5) */
#ifndef _WG_EXPORT_H
#define _WG_EXPORT_H

#include <stdbool.h>

#include "ctx.h"
#include "quick.h"
#include "text.h"

enum export_format {
	EXPORT_WG_QUICK,
	EXPORT_NETWORKD,	/* a .netdev and a .network, one after the other */
	EXPORT_NM,		/* NetworkManager's keyfile */
	EXPORT_UCI,		/* for `uci import` or /etc/config/network */
	EXPORT_JSON,
};

/**
 * export_format_parse() - a word of the user
 * @ctx:	the run
 * @text:	wg-quick, networkd, nm, uci, json
 * @format:	result
 *
 * Return: 0, or -EINVAL with an error text.
 */
int export_format_parse(struct ctx *ctx, const char *text,
			enum export_format *format);

/**
 * export_write() - a file in that form
 * @ctx:	the run
 * @quick:	file
 * @format:	form
 * @text:	appended to
 *
 * Return: 0, or negative errno with an error text if the form has no words for
 * something that the file says; what would be lost without harm is warned of.
 */
int export_write(struct ctx *ctx, const struct quick *quick,
		 enum export_format format, struct text *text);

/**
 * export_qr() - a text as a QR code for a terminal
 * @ctx:	the run
 * @data:	what shall be in it
 * @text:	appended to, UTF-8 half blocks
 *
 * Return: 0, -EOPNOTSUPP if the program was built without libqrencode, -EFBIG
 * if it does not fit, with an error text.
 */
int export_qr(struct ctx *ctx, const char *data, struct text *text);

#endif /* _WG_EXPORT_H */
