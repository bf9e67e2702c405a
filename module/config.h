/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only writer of configuration: devices come and go, keys,
 * ports and peers change here (spec 3.3 to 3.8 and 7.5 to 7.6).
 *
 * Layer 4. Sees no netlink attribute. All is called under rtnl; what stands
 * between wg_config_begin() and wg_config_end() under config_lock too.
 */
#ifndef _WG_CONFIG_H
#define _WG_CONFIG_H

#include "wg.h"

/**
 * struct wg_config_peer - what is to change with one peer
 * @public_key: which
 * @preshared_key: new one, NULL if not to change
 * @endpoint: new one, NULL if not to change
 * @remove: remove it
 * @update_only: do not create it
 * @replace_allowed: remove its allowed IPs first
 * @set_interval: @interval is to change
 * @interval: of persistent keepalive in seconds
 */
struct wg_config_peer {
	const u8 *public_key;
	const u8 *preshared_key;
	const struct wg_endpoint *endpoint;
	bool remove;
	bool update_only;
	bool replace_allowed;
	bool set_interval;
	u16 interval;
};

int wg_config_init_device(struct wg_device *wg);
void wg_config_destroy_device(struct wg_device *wg);
int wg_config_up(struct wg_device *wg);
void wg_config_down(struct wg_device *wg);
void wg_config_forget_keys(struct wg_device *wg);
void wg_config_vm_fork(struct wg_device *wg);
void wg_config_lose_net(struct wg_device *wg);
void wg_config_set_flags(struct wg_device *wg, bool udp_gso, bool udp_gro);

int wg_config_begin(struct wg_device *wg, bool uses_net);
void wg_config_end(struct wg_device *wg);
void wg_config_set_fwmark(struct wg_device *wg, u32 fwmark);
int wg_config_set_port(struct wg_device *wg, u16 port);
void wg_config_set_key(struct wg_device *wg, const u8 key[WG_KEY_LEN]);
void wg_config_remove_peers(struct wg_device *wg);
int wg_config_begin_peer(struct wg_device *wg,
			 const struct wg_config_peer *change,
			 struct wg_peer **peer);
int wg_config_allow(struct wg_peer *peer,
		    const struct wg_allowedips_prefix *prefix, bool remove);
void wg_config_end_peer(struct wg_peer *peer,
			const struct wg_config_peer *change);

#endif /* _WG_CONFIG_H */
