/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses with a prefix length. (layer 0) */
#ifndef _WG_CIDR_H
#define _WG_CIDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctx.h"

/* Room for an address, slash and prefix length. */
#define CIDR_TEXT	64

/**
 * struct cidr - a network, or a host in it
 * @family:	AF_INET or AF_INET6; AF_UNSPEC if there is none
 * @len:	prefix length
 * @ip:		address, network order; host bits are kept
 */
struct cidr {
	uint16_t family;
	uint8_t len;
	union {
		struct in_addr in;
		struct in6_addr in6;
	} ip;
};

/**
 * struct cidr_list - some of them, in order
 * @all:	allocated
 * @count:	how many
 */
struct cidr_list {
	struct cidr *all;
	size_t count;
};

/**
 * cidr_parse() - "10.0.0.1/24"; without a length it is that of a single host
 * @ctx:	the run
 * @what:	name of the setting, for errors
 * @text:	value
 * @cidr:	result
 *
 * Return: 0, or -EINVAL with an error text.
 */
int cidr_parse(struct ctx *ctx, const char *what, const char *text,
	       struct cidr *cidr);

/**
 * cidr_text() - "10.0.0.1/24"
 * @text:	result
 * @cidr:	value
 */
void cidr_text(char text[CIDR_TEXT], const struct cidr *cidr);

/**
 * cidr_addr_text() - the address alone
 * @text:	result
 * @cidr:	value
 */
void cidr_addr_text(char text[CIDR_TEXT], const struct cidr *cidr);

/**
 * cidr_max() - the length of a single host
 * @family:	AF_INET or AF_INET6
 */
uint8_t cidr_max(uint16_t family);

/**
 * cidr_network() - the same without host bits
 * @cidr:	value
 */
struct cidr cidr_network(const struct cidr *cidr);

/**
 * cidr_host() - the same address as a single host
 * @cidr:	value
 */
struct cidr cidr_host(const struct cidr *cidr);

/**
 * cidr_equal() - same family, length and address, host bits included
 * @a:		one
 * @b:		other
 */
bool cidr_equal(const struct cidr *a, const struct cidr *b);

/**
 * cidr_contains() - whether every address of @inner is in @outer
 * @outer:	network
 * @inner:	network or host
 */
bool cidr_contains(const struct cidr *outer, const struct cidr *inner);

/**
 * cidr_overlaps() - whether the two have an address in common
 * @a:		one
 * @b:		other
 */
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);

/**
 * cidr_nth() - one address of a network
 * @net:	network
 * @n:		0 is the network's own address
 * @host:	result, a single host
 *
 * Return: whether there are that many; the last address of an IPv4 network
 * wider than a /31 is its broadcast address and not given.
 */
bool cidr_nth(const struct cidr *net, uint64_t n, struct cidr *host);

/**
 * cidr_is_default() - 0.0.0.0/0 or ::/0
 * @cidr:	value
 */
bool cidr_is_default(const struct cidr *cidr);

/**
 * cidr_is_public() - whether the whole internet can route to it
 * @cidr:	a host
 *
 * Return: false for private (RFC 1918), shared (100.64/10), link-local,
 * loopback, unique local and multicast addresses, and what is not given out.
 */
bool cidr_is_public(const struct cidr *cidr);

/**
 * cidr_list_add() - append a copy
 * @list:	list
 * @cidr:	value
 *
 * Return: 0 or -ENOMEM.
 */
int cidr_list_add(struct cidr_list *list, const struct cidr *cidr);

/**
 * cidr_list_parse() - append comma separated values
 * @ctx:	the run
 * @what:	name of the setting, for errors
 * @text:	values; white space around them is skipped
 * @list:	list
 *
 * Return: 0, -EINVAL or -ENOMEM with an error text.
 */
int cidr_list_parse(struct ctx *ctx, const char *what, const char *text,
		    struct cidr_list *list);

/**
 * cidr_list_overlap() - the first entry that overlaps
 * @list:	list
 * @cidr:	value
 *
 * Return: the entry or NULL.
 */
const struct cidr *cidr_list_overlap(const struct cidr_list *list,
				     const struct cidr *cidr);

/**
 * cidr_list_free() - the list is empty then
 * @list:	list
 */
void cidr_list_free(struct cidr_list *list);

#endif /* _WG_CIDR_H */
