/* SPDX-License-Identifier: GPL-2.0 */
/* What the forms of an export have in common. (layer 5, used by export only) */
#ifndef _WG_EXPORT_FORM_H
#define _WG_EXPORT_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "ctx.h"
#include "model.h"
#include "quick.h"
#include "text.h"

/* Room for a host's name, brackets, colon, port. */
#define EXPORT_ENDPOINT_TEXT	320

/**
 * struct export - a file on its way into another form
 * @ctx:	the run
 * @quick:	file
 * @text:	result, appended to
 * @form:	its word, for errors
 */
struct export {
	struct ctx *ctx;
	const struct quick *quick;
	struct text *text;
	const char *form;
};

/**
 * export_no_words() - the form cannot say it
 * @e:		export
 * @what:	line of the file
 *
 * Return: -EOPNOTSUPP with an error text.
 */
int export_no_words(const struct export *e, const char *what);

/**
 * export_takes_all() - whether everything goes through the tunnel
 * @quick:	file
 * @family:	AF_INET, AF_INET6
 *
 * Return: true if a peer is allowed the default route and it is for us to find
 * a way for it that leaves one for the endpoint.
 */
bool export_takes_all(const struct quick *quick, uint16_t family);

/**
 * export_has() - whether there are addresses of a family
 * @list:	addresses
 * @family:	AF_INET, AF_INET6
 */
bool export_has(const struct cidr_list *list, uint16_t family);

/**
 * export_allows() - whether a peer is allowed addresses of a family
 * @quick:	file
 * @family:	AF_INET, AF_INET6
 */
bool export_allows(const struct quick *quick, uint16_t family);

/**
 * export_kill_switch() - whether nothing may go around the tunnel
 * @quick:	file
 */
bool export_kill_switch(const struct quick *quick);

/**
 * export_put_key() - a line with a key
 * @e:		export
 * @head:	what stands in front
 * @key:	key
 * @tail:	what stands behind, with the newline
 */
void export_put_key(const struct export *e, const char *head,
		    const uint8_t key[WG_KEY_LEN], const char *tail);

/**
 * export_put_private_key() - the same for the own one
 * @e:		export
 * @head:	what stands in front
 * @tail:	what stands behind, with the newline
 *
 * If the file has none, the line becomes a comment that the user is told of.
 */
void export_put_private_key(const struct export *e, const char *head,
			    const char *tail);

/**
 * export_endpoint() - where a peer is
 * @e:		export
 * @peer:	has a host
 * @host:	result, allocated, without brackets
 * @port:	result
 *
 * Return: 0 or negative errno with an error text.
 */
int export_endpoint(const struct export *e, const struct model_peer *peer,
		    char **host, uint16_t *port);

/**
 * export_endpoint_text() - the same as "host:port", "[host]:port"
 * @e:		export
 * @peer:	has a host
 * @text:	result
 *
 * Return: 0 or negative errno with an error text.
 */
int export_endpoint_text(const struct export *e, const struct model_peer *peer,
			 char text[EXPORT_ENDPOINT_TEXT]);

/**
 * export_name() - what a peer is called
 * @e:		export
 * @peer:	peer
 *
 * Return: the name; NULL if there is none or, with a warning, if it is not
 * UTF-8.
 */
const char *export_name(const struct export *e, const struct model_peer *peer);

/**
 * export_allowed_text() - an allowed IP, without host bits
 * @text:	result
 * @aip:	entry
 */
void export_allowed_text(char text[CIDR_TEXT],
			 const struct model_allowedip *aip);

/*
 * The forms.  Each returns 0 or negative errno with an error text.
 */
int export_networkd(const struct export *e);
int export_nm(const struct export *e);
int export_uci(const struct export *e);
int export_json(const struct export *e);

#endif /* _WG_EXPORT_FORM_H */
