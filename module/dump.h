/* SPDX-License-Identifier: GPL-2.0 */
/*
 * State of devices and peers as netlink attributes (spec 7.4), a message full
 * at a time.
 *
 * Layer 5.
 */
#ifndef _WG_DUMP_H
#define _WG_DUMP_H

#include "wg.h"

/**
 * struct wg_dump - how far a dump has got, in netlink_callback.ctx
 * @peer: the next to be shown, or to be continued; held; NULL at the beginning
 * @after: if @peer is to be continued: its last prefix shown. Points into its
 *	list, so is valid only if @allowed_generation still fits
 * @allowed_generation: of @peer's list
 * @ifindex: of the device
 * @partial: @peer is to be continued
 * @beyond_first: a peer has been shown completely
 */
struct wg_dump {
	struct wg_peer *peer;
	struct wg_allowedips_node *after;
	u64 allowed_generation;
	int ifindex;
	bool partial;
	bool beyond_first;
};

int wg_dump_device(struct sk_buff *skb, const struct wg_device *wg);
bool wg_dump_peers(struct sk_buff *skb, struct wg_dump *dump,
		   struct wg_device *wg);

#endif /* _WG_DUMP_H */
