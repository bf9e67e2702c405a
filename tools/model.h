/* SPDX-License-Identifier: GPL-2.0 */
/* A device as read from, or wanted of, an implementation. (layer 1) */
#ifndef _WG_MODEL_H
#define _WG_MODEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "cidr.h"
#include "wireguard_uapi.h"

#define MODEL_NAME_SIZE		16	/* IFNAMSIZ */

enum model_device_has {
	MODEL_DEVICE_PRIVATE_KEY	= 1U << 0,
	MODEL_DEVICE_PUBLIC_KEY		= 1U << 1,
	MODEL_DEVICE_LISTEN_PORT	= 1U << 2,
	MODEL_DEVICE_FWMARK		= 1U << 3,
	MODEL_DEVICE_REPLACE_PEERS	= 1U << 4,
};

enum model_peer_has {
	MODEL_PEER_PUBLIC_KEY		= 1U << 0,
	MODEL_PEER_PRESHARED_KEY	= 1U << 1,
	MODEL_PEER_ENDPOINT		= 1U << 2,
	MODEL_PEER_KEEPALIVE		= 1U << 3,
	MODEL_PEER_REMOVE		= 1U << 4,
	MODEL_PEER_REPLACE_ALLOWEDIPS	= 1U << 5,
	MODEL_PEER_UPDATE_ONLY		= 1U << 6,
};

/* Room for an address with a scope, brackets, colon and port. */
#define MODEL_ENDPOINT_TEXT	128
/* Room for an address, slash and prefix length. */
#define MODEL_ALLOWEDIP_TEXT	64

union model_endpoint {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/**
 * struct model_allowedip - one prefix
 * @next:	list
 * @family:	AF_INET or AF_INET6
 * @cidr:	prefix length
 * @remove:	take this prefix away from the peer instead of adding it
 * @ip:		address, network order
 */
struct model_allowedip {
	struct model_allowedip *next;
	uint16_t family;
	uint8_t cidr;
	bool remove;
	union {
		struct in_addr in;
		struct in6_addr in6;
	} ip;
};

/**
 * struct model_peer - one peer
 * @next:	list
 * @has:	&enum model_peer_has: which members say something, what to do
 * @name:	from a comment of a file, allocated, or NULL
 * @host:	endpoint as a file names it, allocated, or NULL
 * @public_key:	identity
 * @preshared_key: zeros if none
 * @endpoint:	family AF_UNSPEC if none
 * @keepalive:	seconds, 0 = off
 * @handshake_sec: wall clock of the latest handshake, 0 = never
 * @handshake_nsec: its fraction
 * @rx_bytes:	received
 * @tx_bytes:	sent
 * @first:	allowed IPs in order
 * @last:	the last of them
 */
struct model_peer {
	struct model_peer *next;
	uint32_t has;
	char *name;
	char *host;
	uint8_t public_key[WG_KEY_LEN];
	uint8_t preshared_key[WG_KEY_LEN];
	union model_endpoint endpoint;
	uint16_t keepalive;
	int64_t handshake_sec;
	int64_t handshake_nsec;
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	struct model_allowedip *first;
	struct model_allowedip *last;
};

/**
 * struct model_device - one device
 * @name:	interface name
 * @has:	&enum model_device_has: which members say something, what to do
 * @ifindex:	as the kernel told it
 * @private_key: zeros if none
 * @public_key:	zeros if none
 * @fwmark:	0 = off
 * @listen_port: 0 = none or any
 * @first:	peers in order
 * @last:	the last of them
 */
struct model_device {
	char name[MODEL_NAME_SIZE];
	uint32_t has;
	uint32_t ifindex;
	uint8_t private_key[WG_KEY_LEN];
	uint8_t public_key[WG_KEY_LEN];
	uint32_t fwmark;
	uint16_t listen_port;
	struct model_peer *first;
	struct model_peer *last;
};

/**
 * model_device_create() - an empty device
 * @name:	interface; what does not fit is cut off
 *
 * Return: a device to be freed with model_device_free(), or NULL.
 */
struct model_device *model_device_create(const char *name);

/**
 * model_device_free() - free a device, its peers and their allowed IPs
 * @dev:	may be NULL
 *
 * Everything is wiped first.
 */
void model_device_free(struct model_device *dev);

/**
 * model_device_reset() - make a device empty again, wiping what it held
 * @dev:	keeps its name only
 */
void model_device_reset(struct model_device *dev);

/**
 * model_add_peer() - append a peer
 * @dev:	owner of the result
 *
 * Return: an empty peer, or NULL.
 */
struct model_peer *model_add_peer(struct model_device *dev);

/**
 * model_add_allowedip() - append an allowed IP
 * @peer:	owner of the result
 *
 * Return: an empty entry, or NULL.
 */
struct model_allowedip *model_add_allowedip(struct model_peer *peer);

/**
 * model_clear_allowedips() - forget a peer's allowed IPs
 * @peer:	the peer
 */
void model_clear_allowedips(struct model_peer *peer);

/**
 * model_sync() - turn "this is all there shall be" into changes
 * @want:	from a file; changed in place
 * @have:	the running state
 *
 * Peers that run but are not wanted are put in front, marked for removal;
 * a preshared key or keepalive that runs but is not wanted is set to none.
 * If either side has no peers, all are replaced.
 *
 * Return: 0 or -ENOMEM.
 */
int model_sync(struct model_device *want, const struct model_device *have);

/**
 * model_endpoint_size() - length of the socket address
 * @ep:		endpoint
 *
 * Return: bytes, 0 if there is no endpoint.
 */
socklen_t model_endpoint_size(const union model_endpoint *ep);

/**
 * model_endpoint_text() - "host:port", "[host]:port"
 * @text:	result
 * @ep:		endpoint
 *
 * Return: whether @ep could be written.
 */
bool model_endpoint_text(char text[MODEL_ENDPOINT_TEXT],
			 const union model_endpoint *ep);

/**
 * model_allowedip_addr() - the address alone
 * @text:	result
 * @aip:	entry
 */
void model_allowedip_addr(char text[MODEL_ALLOWEDIP_TEXT],
			  const struct model_allowedip *aip);

/**
 * model_allowedip_cidr() - the same as a network
 * @aip:	entry
 */
struct cidr model_allowedip_cidr(const struct model_allowedip *aip);

/**
 * model_add_cidr() - append an allowed IP
 * @peer:	owner of the entry
 * @cidr:	network
 *
 * Return: 0 or -ENOMEM.
 */
int model_add_cidr(struct model_peer *peer, const struct cidr *cidr);

#endif /* _WG_MODEL_H */
