/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a peer is and the way there (spec 4.7).
 *
 * Layer 1, below socket.
 */
#ifndef _WG_REMOTE_H
#define _WG_REMOTE_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dst_entry;
struct sock;

/**
 * struct wg_endpoint - where a peer was last heard, and where we heard it
 * @addr: family 0 if there is none
 * @addr4: if AF_INET
 * @addr6: if AF_INET6; the scope id only of link-local addresses
 * @src4: our address that the peer sent to, 0 if not learned
 * @src_if4: the interface it came in by, 0 if not learned
 * @src6: our address that the peer sent to, any if not learned
 */
struct wg_endpoint {
	union {
		struct sockaddr addr;
		struct sockaddr_in addr4;
		struct sockaddr_in6 addr6;
	};
	union {
		struct {
			struct in_addr src4;
			int src_if4;
		};
		struct in6_addr src6;
	};
};

/**
 * struct wg_remote - an endpoint and the cached way there, one per peer
 * @lock: BH-safe; held for copying, never while sending
 * @endpoint: see there
 * @dst: cached route, NULL if none; a reference
 * @dst_cookie: tells whether @dst is still valid
 * @dst_mark: fwmark that @dst was looked up with
 * @saddr4: source address of @dst if AF_INET
 * @saddr6: source address of @dst if AF_INET6
 * @generation: bumped by each change of @endpoint, so that a route looked up
 *	meanwhile is not stored for the wrong endpoint
 * @closed: no route is stored any more: it could outlive its namespace
 */
struct wg_remote {
	/* Protects all of it. */
	spinlock_t lock;
	u32 generation;
	bool closed;
	struct wg_endpoint endpoint;
	struct dst_entry *dst;
	u32 dst_cookie;
	u32 dst_mark;
	union {
		__be32 saddr4;
		struct in6_addr saddr6;
	};
};

/**
 * struct wg_path - how one packet goes
 * @remote: whose cache it came from or goes to, NULL if nobody's
 * @to: where; the source is cleared when it turns out to be stale
 * @generation: of @remote when @to was read
 * @forgot: the source of @to was cleared
 * @dst: the route; a reference; NULL if to be looked up
 * @cookie: tells later whether @dst is still valid
 * @saddr4: source address if AF_INET
 * @saddr6: source address if AF_INET6
 */
struct wg_path {
	struct wg_remote *remote;
	struct wg_endpoint to;
	u32 generation;
	bool forgot;
	struct dst_entry *dst;
	u32 cookie;
	union {
		__be32 saddr4;
		struct in6_addr saddr6;
	};
};

void wg_remote_init(struct wg_remote *remote);
void wg_remote_close(struct wg_remote *remote);
bool wg_remote_known(const struct wg_remote *remote);
void wg_remote_get(struct wg_remote *remote, struct wg_endpoint *endpoint);
void wg_remote_set(struct wg_remote *remote,
		   const struct wg_endpoint *endpoint);
void wg_remote_learn(struct wg_remote *remote,
		     const struct wg_endpoint *endpoint);
void wg_remote_forget_source(struct wg_remote *remote);

void wg_remote_read_path(struct wg_remote *remote, u32 mark,
			 struct wg_path *path);
int wg_remote_route(struct sock *sk, u32 mark, struct wg_path *path);

#endif /* _WG_REMOTE_H */
