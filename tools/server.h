/* SPDX-License-Identifier: GPL-2.0 */
/* The verb "server": what its parts have in common. (layer 8) */
#ifndef _WG_SERVER_H
#define _WG_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "cidr.h"
#include "ctx.h"
#include "export.h"
#include "role.h"
#include "text.h"

/**
 * struct server_wish - what the user says about one client
 * @dir:	where files are
 * @address:	instead of the next free ones
 * @public_key:	the client made its key itself
 * @dns:	its name servers
 * @format:	form of its file
 * @output:	place of its file
 * @exit:	it sends everything here
 * @split:	it does not
 * @psk:	it gets a preshared key
 * @keep_key:	its private key stays in the server's file
 * @qr:		its file as a QR code
 * @now:	its old key ends at once
 * @finish:	its old key ends
 */
struct server_wish {
	const char *dir;
	const char *address;
	const char *public_key;
	const char *dns;
	const char *format;
	const char *output;
	bool exit;
	bool split;
	bool psk;
	bool keep_key;
	bool qr;
	bool now;
	bool finish;
};

/**
 * struct server_client - a client in work
 * @wish:	what the user says
 * @name:	of the client
 * @format:	form of its file
 * @dns:	its name servers
 * @has_key:	we know @private_key
 * @private_key: its key
 * @public_key:	the same
 * @nets:	networks of the tunnel
 * @addresses:	its addresses
 */
struct server_client {
	const struct server_wish *wish;
	const char *name;
	enum export_format format;
	struct cidr_list dns;
	bool has_key;
	uint8_t private_key[WG_KEY_LEN];
	uint8_t public_key[WG_KEY_LEN];
	struct cidr_list nets;
	struct cidr_list addresses;
};

/*
 * argv[0] is the word behind "server".  Each returns 0 or a negative errno
 * with an error text.
 */
int server_add(struct ctx *ctx, int argc, char **argv);
int server_list(struct ctx *ctx, int argc, char **argv);
int server_export(struct ctx *ctx, int argc, char **argv);
int server_remove(struct ctx *ctx, int argc, char **argv);
int server_rename(struct ctx *ctx, int argc, char **argv);
int server_rotate(struct ctx *ctx, int argc, char **argv);

/**
 * server_parse_dns() - addresses of name servers
 * @ctx:	the run
 * @text:	what the user said
 * @list:	appended to, single hosts
 *
 * Return: 0 or negative errno with an error text.
 */
int server_parse_dns(struct ctx *ctx, const char *text,
		     struct cidr_list *list);

/**
 * server_networks() - networks of the tunnel
 * @ctx:	the run
 * @addresses:	the server's own, like "10.1.2.1/24"
 * @list:	appended to
 *
 * Return: 0 or -ENOMEM with an error text.
 */
int server_networks(struct ctx *ctx, const struct cidr_list *addresses,
		    struct cidr_list *list);

/**
 * server_is_reserved() - whether no host can have an address
 * @net:	network
 * @host:	a host in it
 *
 * Return: true for the network's own address, and IPv4's for broadcast.
 */
bool server_is_reserved(const struct cidr *net, const struct cidr *host);

/**
 * server_find() - a client by its name
 * @quick:	file
 * @name:	of the client
 * @previous:	its old key during a rotation, not the one it has now
 *
 * Return: the section, 0 if there is none.
 */
size_t server_find(const struct quick *quick, const char *name,
		   bool previous);

/**
 * server_finish() - role_finish(), live only if the interface is up
 * @ctx:	the run
 * @role:	setup
 *
 * Return: 0 or negative errno with an error text.
 */
int server_finish(struct ctx *ctx, struct role *role);

/**
 * server_commit() - role_commit(), live only if the interface is up
 * @ctx:	the run
 * @role:	setup
 *
 * Return: 0 or negative errno with an error text.
 */
int server_commit(struct ctx *ctx, struct role *role);

/**
 * server_check_wish() - what can be said before the file is read
 * @ctx:	the run
 * @verb:	for errors, like "server add"
 * @client:	with its wish; gets @format and @dns
 *
 * Return: 0 or negative errno with an error text.
 */
int server_check_wish(struct ctx *ctx, const char *verb,
		      struct server_client *client);

/**
 * server_open() - file, networks, name servers: all before the first change
 * @ctx:	the run
 * @role:	result, to be closed with role_close(), also on failure
 * @iface:	interface
 * @client:	gets @nets, and @dns if the user said none
 *
 * Return: 0 or negative errno with an error text.
 */
int server_open(struct ctx *ctx, struct role *role, const char *iface,
		struct server_client *client);

/**
 * server_client_free() - wipe and free
 * @client:	all zeros then
 */
void server_client_free(struct server_client *client);

/**
 * server_take_key() - a new key, or the one the user says
 * @ctx:	the run
 * @role:	setup
 * @client:	gets it
 *
 * Return: 0 or negative errno with an error text.
 */
int server_take_key(struct ctx *ctx, const struct role *role,
		    struct server_client *client);

/**
 * server_next_addresses() - the first free one of each network
 * @ctx:	the run
 * @role:	setup
 * @client:	gets them
 *
 * Return: 0 or negative errno with an error text.
 */
int server_next_addresses(struct ctx *ctx, const struct role *role,
			  struct server_client *client);

/**
 * server_given_addresses() - those the user says, if they are free
 * @ctx:	the run
 * @role:	setup
 * @client:	gets them
 *
 * Return: 0 or negative errno with an error text.
 */
int server_given_addresses(struct ctx *ctx, const struct role *role,
			   struct server_client *client);

/**
 * server_split_ips() - a client's own addresses, and its other allowed IPs
 * @ctx:	the run
 * @role:	setup
 * @section:	the client
 * @nets:	networks of the tunnel
 * @inside:	single hosts in them are appended here; may be NULL
 * @others:	and all others here; may be NULL
 *
 * Return: 0 or -ENOMEM with an error text.
 */
int server_split_ips(struct ctx *ctx, const struct role *role, size_t section,
		     const struct cidr_list *nets, struct cidr_list *inside,
		     struct cidr_list *others);

/**
 * server_client_text() - what the user gets for a client
 * @ctx:	the run
 * @role:	setup, with the client in it
 * @section:	the client
 * @client:	the client
 * @text:	appended to; to be wiped
 *
 * Return: 0 or negative errno with an error text.
 */
int server_client_text(struct ctx *ctx, const struct role *role,
		       size_t section, const struct server_client *client,
		       struct text *text);

#endif /* _WG_SERVER_H */
