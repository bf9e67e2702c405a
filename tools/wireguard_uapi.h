/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink dialect of the family "wireguard", version 1, as this
 * tool needs it.  Our own copy, so that the build does not depend on how old
 * the system's kernel headers are (spec 7.2).
 */
#ifndef _WG_WIREGUARD_UAPI_H
#define _WG_WIREGUARD_UAPI_H

#define WG_GENL_NAME		"wireguard"
#define WG_GENL_VERSION		1
#define WG_LINK_KIND		"wireguard"
#define WG_KEY_LEN		32

enum wg_cmd {
	WG_CMD_GET_DEVICE	= 0,
	WG_CMD_SET_DEVICE	= 1,
};

enum wgdevice_attribute {
	WGDEVICE_A_IFINDEX	= 1,	/* u32 */
	WGDEVICE_A_IFNAME	= 2,	/* string, at most 15 characters */
	WGDEVICE_A_PRIVATE_KEY	= 3,	/* 32 bytes; zeros remove it */
	WGDEVICE_A_PUBLIC_KEY	= 4,	/* 32 bytes; ignored in SET */
	WGDEVICE_A_FLAGS	= 5,	/* u32, WGDEVICE_F_* */
	WGDEVICE_A_LISTEN_PORT	= 6,	/* u16; 0 picks one */
	WGDEVICE_A_FWMARK	= 7,	/* u32; 0 switches it off */
	WGDEVICE_A_PEERS	= 8,	/* nest of nests */
};

#define WGDEVICE_F_REPLACE_PEERS	(1U << 0)

enum wgpeer_attribute {
	WGPEER_A_PUBLIC_KEY			= 1,	/* 32 bytes */
	WGPEER_A_PRESHARED_KEY			= 2,	/* 32 bytes */
	WGPEER_A_FLAGS				= 3,	/* u32, WGPEER_F_* */
	WGPEER_A_ENDPOINT			= 4,	/* sockaddr_in(6) */
	WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL	= 5,	/* u16, seconds */
	WGPEER_A_LAST_HANDSHAKE_TIME		= 6,	/* two s64 */
	WGPEER_A_RX_BYTES			= 7,	/* u64 */
	WGPEER_A_TX_BYTES			= 8,	/* u64 */
	WGPEER_A_ALLOWEDIPS			= 9,	/* nest of nests */
	WGPEER_A_PROTOCOL_VERSION		= 10,	/* u32 */
};

#define WGPEER_F_REMOVE_ME		(1U << 0)
#define WGPEER_F_REPLACE_ALLOWEDIPS	(1U << 1)
#define WGPEER_F_UPDATE_ONLY		(1U << 2)

enum wgallowedip_attribute {
	WGALLOWEDIP_A_FAMILY	= 1,	/* u16 */
	WGALLOWEDIP_A_IPADDR	= 2,	/* 4 or 16 bytes, network order */
	WGALLOWEDIP_A_CIDR_MASK	= 3,	/* u8 */
	WGALLOWEDIP_A_FLAGS	= 4,	/* u32, WGALLOWEDIP_F_*; new kernels */
};

#define WGALLOWEDIP_F_REMOVE_ME		(1U << 0)

#endif /* _WG_WIREGUARD_UAPI_H */
