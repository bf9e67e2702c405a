// SPDX-License-Identifier: GPL-2.0
/*
 * The only writer of configuration: devices come and go, keys,
 * ports and peers change here (spec 3.3 to 3.8 and 7.5 to 7.6).
 *
 * Layer 4.
 */
#include "config.h"
#include "packet.h"

#include <linux/capability.h>
#include <linux/minmax.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>
#include <net/net_namespace.h>
#include <crypto/utils.h>

enum wg_config_limit {
	/* More peers than this do not all start at once when going up. */
	WG_CONFIG_BURST = 64,
};

static void wg_config_remove_peer(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;

	lockdep_assert_held(&wg->config_lock);
	wg_allowedips_remove_owner(&wg->allowed, &peer->allowed,
				   &wg->config_lock);
	wg_peer_unpublish(peer);
	list_add_tail(&peer->list, &wg->removed);
}

/* One grace period for all that have been removed. */
static void wg_config_retire_removed(struct wg_device *wg)
{
	struct wg_peer *peer, *next;

	lockdep_assert_held(&wg->config_lock);
	if (list_empty(&wg->removed))
		return;
	synchronize_net();
	list_for_each_entry_safe(peer, next, &wg->removed, list) {
		list_del_init(&peer->list);
		wg_tx_purge_staged(peer);
		wg_peer_retire(peer);
		cond_resched();
	}
}

static void wg_config_forget_sources(struct wg_device *wg)
{
	struct wg_peer *peer;

	lockdep_assert_held(&wg->config_lock);
	list_for_each_entry(peer, &wg->peers, list)
		wg_remote_forget_source(&peer->remote);
}

/* Opens sockets instead of those there are; on failure nothing changes. */
static int wg_config_open_sockets(struct wg_device *wg, u16 port)
{
	struct net *net;
	int err;

	lockdep_assert_held(&wg->config_lock);
	net = rcu_dereference_protected(wg->transit_net,
					lockdep_is_held(&wg->config_lock));
	/* It stays in memory while the pointer is there, but may be dying. */
	if (net)
		net = maybe_get_net(net);
	if (!net)
		return -ENONET;
	err = wg_socket_open(&wg->socket, net, &port, wg->udp_gro);
	if (!err)
		WRITE_ONCE(wg->port, port);
	put_net(net);
	return err;
}

static int wg_config_init_tables(struct wg_device *wg)
{
	int err;

	err = wg_stats_init(&wg->stats);
	if (err)
		return err;
	err = wg_index_table_init(&wg->indices);
	if (err)
		goto err_stats;
	err = wg_peer_table_init(wg);
	if (err)
		goto err_indices;
	return 0;

err_indices:
	wg_index_table_destroy(&wg->indices);
err_stats:
	wg_stats_fini(&wg->stats);
	return err;
}

static void wg_config_destroy_tables(struct wg_device *wg)
{
	wg_peer_table_destroy(wg);
	wg_index_table_destroy(&wg->indices);
}

/**
 * wg_config_init_device() - make a device of zeroed memory (spec 3.3)
 * @wg: zeroed, but for @wg->dev and @wg->transit_net
 *
 * Context: process, rtnl held.
 * Return: 0, or a negative errno with nothing left behind.
 */
int wg_config_init_device(struct wg_device *wg)
{
	int err;

	ASSERT_RTNL();
	mutex_init(&wg->config_lock);
	INIT_LIST_HEAD(&wg->peers);
	INIT_LIST_HEAD(&wg->removed);
	wg->generation = 1;
	wg->udp_gso = WG_COMPAT_UDP_GSO_WORKS;
	wg->udp_gro = WG_COMPAT_UDP_GSO_WORKS;
	wg_identity_init(&wg->identity);
	wg_cookie_checker_init(&wg->checker);
	wg_socket_init(&wg->socket, &wg->stats, wg_rx_receive);

	err = wg_config_init_tables(wg);
	if (err)
		return err;
	err = wg_tx_create_lanes(wg);
	if (err)
		goto err_tables;
	err = wg_rx_create_lanes(wg);
	if (err)
		goto err_tx;
	wg_handshake_create_queue(wg);
	wg_cookie_ratelimit_get();
	return 0;

err_tx:
	wg_tx_destroy_lanes(wg);
err_tables:
	wg_config_destroy_tables(wg);
	wg_stats_fini(&wg->stats);
	return err;
}

/**
 * wg_config_destroy_device() - undo wg_config_init_device()
 * @wg: closed; nobody transmits or configures any more
 *
 * The only one who waits for lanes. Each is drained before what it hands over
 * to: handshakes and the receive lanes send.
 *
 * Context: process, rtnl held.
 */
void wg_config_destroy_device(struct wg_device *wg)
{
	ASSERT_RTNL();
	wg_socket_close(&wg->socket);
	mutex_lock(&wg->config_lock);
	RCU_INIT_POINTER(wg->transit_net, NULL);
	wg_config_remove_peers(wg);
	wg_config_retire_removed(wg);
	mutex_unlock(&wg->config_lock);

	wg_handshake_destroy_queue(wg);
	wg_rx_destroy_lanes(wg);
	wg_tx_destroy_lanes(wg);
	wg_cookie_ratelimit_put();
	wg_config_destroy_tables(wg);
	memzero_explicit(&wg->identity, sizeof(wg->identity));
	memzero_explicit(&wg->checker, sizeof(wg->checker));
}

/* A keepalive starts a handshake if there is no session yet. */
static void wg_config_send_first_keepalive(struct wg_peer *peer)
{
	u32 interval = READ_ONCE(peer->timers.interval);
	u32 seconds;

	if (!interval)
		return;
	if (peer->wg->n_peers <= WG_CONFIG_BURST) {
		/* In case that it cannot be sent. */
		wg_timers_set_interval(&peer->timers, interval);
		wg_tx_keepalive(peer);
		return;
	}
	/* A burst a second, but none later than its interval. */
	seconds = min(interval, peer->wg->n_peers / WG_CONFIG_BURST);
	wg_timers_soon(&peer->timers, seconds * HZ);
}

/**
 * wg_config_up() - open a device (spec 3.4)
 * @wg: closed
 *
 * Context: process, rtnl held, netif_running() is true already.
 * Return: 0, -ENONET if the namespace of the sockets is gone, or what kept us
 *	from binding the port.
 */
int wg_config_up(struct wg_device *wg)
{
	struct wg_peer *peer;
	int err;

	ASSERT_RTNL();
	mutex_lock(&wg->config_lock);
	/* Before the first session can come, for that must be wiped in time. */
	list_for_each_entry(peer, &wg->peers, list)
		wg_timers_start(&peer->timers);
	err = wg_config_open_sockets(wg, wg->port);
	list_for_each_entry(peer, &wg->peers, list) {
		if (err) {
			wg_timers_stop(&peer->timers);
			continue;
		}
		wg_tx_flush(peer);
		wg_config_send_first_keepalive(peer);
	}
	mutex_unlock(&wg->config_lock);
	return err;
}

/**
 * wg_config_down() - close a device and forget all session keys (spec 3.5)
 * @wg: open; the core has stopped transmission
 *
 * First all that starts something is stopped, then what it started is undone.
 *
 * Context: process, rtnl held.
 */
void wg_config_down(struct wg_device *wg)
{
	struct wg_peer *peer;

	ASSERT_RTNL();
	mutex_lock(&wg->config_lock);
	wg_socket_close(&wg->socket);
	wg_handshake_drop_queue(wg);
	list_for_each_entry(peer, &wg->peers, list)
		wg_timers_stop(&peer->timers);
	/* What was still to be initiated must not count for the rate limit of
	 * the next time the device is opened.
	 */
	wg_handshake_finish_mail(wg);
	list_for_each_entry(peer, &wg->peers, list) {
		wg_tx_purge_staged(peer);
		wg_handshake_forget(peer);
		wg_keyring_clear(&peer->keyring);
	}
	mutex_unlock(&wg->config_lock);
}

/**
 * wg_config_forget_keys() - forget sessions before the memory is saved or kept
 *	powered unattended (spec 3.8)
 * @wg: device
 *
 * Context: process, rtnl held. The memory of the keys is wiped after a grace
 *	period.
 */
void wg_config_forget_keys(struct wg_device *wg)
{
	struct wg_peer *peer;

	ASSERT_RTNL();
	mutex_lock(&wg->config_lock);
	list_for_each_entry(peer, &wg->peers, list) {
		wg_timers_cancel_wipe(&peer->timers);
		wg_handshake_forget(peer);
		wg_keyring_clear(&peer->keyring);
	}
	mutex_unlock(&wg->config_lock);
}

/**
 * wg_config_vm_fork() - we may be a copy: never use a nonce twice (spec 3.8)
 * @wg: device
 *
 * Context: process, rtnl held.
 */
void wg_config_vm_fork(struct wg_device *wg)
{
	struct wg_peer *peer;

	ASSERT_RTNL();
	mutex_lock(&wg->config_lock);
	list_for_each_entry(peer, &wg->peers, list) {
		wg_handshake_forget(peer);
		wg_keyring_stop_sending(&peer->keyring);
	}
	mutex_unlock(&wg->config_lock);
}

/**
 * wg_config_lose_net() - the namespace of the sockets goes away (spec 3.7)
 * @wg: device, lives on in another namespace
 *
 * Context: process, rtnl held.
 */
void wg_config_lose_net(struct wg_device *wg)
{
	ASSERT_RTNL();
	mutex_lock(&wg->config_lock);
	netif_carrier_off(wg->dev);
	RCU_INIT_POINTER(wg->transit_net, NULL);
	wg_socket_close(&wg->socket);
	wg_config_forget_sources(wg);
	mutex_unlock(&wg->config_lock);
}

/**
 * wg_config_set_flags() - switch bundles on and off
 * @wg: device
 * @udp_gso: send them
 * @udp_gro: receive them
 *
 * Context: process, rtnl held.
 */
void wg_config_set_flags(struct wg_device *wg, bool udp_gso, bool udp_gro)
{
	ASSERT_RTNL();
	mutex_lock(&wg->config_lock);
	WRITE_ONCE(wg->udp_gso, udp_gso);
	WRITE_ONCE(wg->udp_gro, udp_gro);
	wg_socket_set_gro(&wg->socket, udp_gro);
	mutex_unlock(&wg->config_lock);
}

/* May the caller do something in the namespace of the sockets? */
static bool wg_config_may_use_net(struct wg_device *wg)
{
	struct net *net;

	net = rcu_dereference_protected(wg->transit_net,
					lockdep_is_held(&wg->config_lock));
	return net && ns_capable(net->user_ns, CAP_NET_ADMIN);
}

/**
 * wg_config_begin() - begin to change a device
 * @wg: device
 * @uses_net: port or fwmark are to change, for which the caller must be
 *	privileged where the sockets are, too
 *
 * Context: process, the caller holds rtnl; config_lock is held from here until
 *	wg_config_end().
 * Return: 0, or -EPERM without the lock.
 */
int wg_config_begin(struct wg_device *wg, bool uses_net)
{
	ASSERT_RTNL();
	mutex_lock(&wg->config_lock);
	if (uses_net && !wg_config_may_use_net(wg)) {
		mutex_unlock(&wg->config_lock);
		return -EPERM;
	}
	wg->generation++;
	return 0;
}

/**
 * wg_config_end() - end to change a device
 * @wg: device, after wg_config_begin() returned 0
 *
 * Waits one grace period if peers have been removed, however many.
 *
 * Context: process.
 */
void wg_config_end(struct wg_device *wg)
{
	wg_config_retire_removed(wg);
	mutex_unlock(&wg->config_lock);
}

/**
 * wg_config_set_fwmark() - mark what we send from now on
 * @wg: device, config_lock held
 * @fwmark: 0 is off
 *
 * Context: process.
 */
void wg_config_set_fwmark(struct wg_device *wg, u32 fwmark)
{
	lockdep_assert_held(&wg->config_lock);
	WRITE_ONCE(wg->fwmark, fwmark);
	wg_config_forget_sources(wg);
}

/**
 * wg_config_set_port() - listen on another port
 * @wg: device, config_lock held
 * @port: 0 is any
 *
 * Context: process.
 * Return: 0; if the device is up also -EADDRINUSE, -ENONET and the like, and
 *	the old port stays.
 */
int wg_config_set_port(struct wg_device *wg, u16 port)
{
	lockdep_assert_held(&wg->config_lock);
	if (port == wg->port)
		return 0;
	wg_config_forget_sources(wg);
	if (netif_running(wg->dev))
		return wg_config_open_sockets(wg, port);
	WRITE_ONCE(wg->port, port);
	return 0;
}

/* Nobody is a peer of itself. */
static void wg_config_remove_own_key(struct wg_device *wg,
				     const u8 private_key[WG_KEY_LEN])
{
	u8 public_key[WG_KEY_LEN];
	struct wg_peer *peer;

	if (!wg_identity_public_key(public_key, private_key))
		return;
	peer = wg_peer_get_by_key(wg, public_key);
	if (!peer)
		return;
	wg_config_remove_peer(peer);
	wg_peer_put(peer);
}

/**
 * wg_config_set_key() - change our identity (spec 7.5)
 * @wg: device, config_lock held
 * @key: private key; all zero removes the identity
 *
 * Context: process. Costs no X25519 per peer: the static-static secrets are
 *	computed when next needed.
 */
void wg_config_set_key(struct wg_device *wg, const u8 key[WG_KEY_LEN])
{
	struct wg_identity *id = &wg->identity;
	struct wg_peer *peer;
	bool flush;

	lockdep_assert_held(&wg->config_lock);
	if (!crypto_memneq(id->private_key, key, WG_KEY_LEN))
		return;
	wg_config_remove_own_key(wg, key);

	flush = !id->present;
	down_write(&id->lock);
	wg_identity_set(id, key);
	wg_cookie_checker_set_key(&wg->checker, id->public_key);
	up_write(&id->lock);
	/* Keepalives may have waited for an identity. */
	flush = flush && id->present && netif_running(wg->dev);

	list_for_each_entry(peer, &wg->peers, list) {
		wg_noise_handshake_drop_static(&peer->handshake);
		wg_handshake_forget(peer);
		wg_keyring_stop_sending(&peer->keyring);
		if (flush)
			wg_tx_flush(peer);
		cond_resched();
	}
}

/**
 * wg_config_remove_peers() - remove all peers
 * @wg: device, config_lock held
 *
 * Context: process.
 */
void wg_config_remove_peers(struct wg_device *wg)
{
	struct wg_peer *peer, *next;

	lockdep_assert_held(&wg->config_lock);
	wg_allowedips_clear(&wg->allowed, &wg->config_lock);
	list_for_each_entry_safe(peer, next, &wg->peers, list) {
		wg_config_remove_peer(peer);
		cond_resched();
	}
}

/* Returns the new peer with a reference for the caller, or an ERR_PTR(). */
static struct wg_peer *
wg_config_create_peer(struct wg_device *wg, const struct wg_config_peer *change)
{
	static const u8 none[WG_KEY_LEN];
	struct wg_peer *peer;
	int err;

	lockdep_assert_held(&wg->config_lock);
	if (wg->n_peers >= WG_PEERS_MAX)
		return ERR_PTR(-ENOMEM);
	peer = wg_peer_create(wg, change->public_key,
			      change->preshared_key ?: none);
	if (!peer)
		return ERR_PTR(-ENOMEM);
	if (netif_running(wg->dev))
		wg_timers_start(&peer->timers);
	err = wg_peer_publish(peer);
	if (err) {
		wg_peer_put(peer);
		return ERR_PTR(err);
	}
	return wg_peer_get(peer);
}

/**
 * wg_config_begin_peer() - create, remove or begin to change a peer
 * @wg: device, config_lock held
 * @change: what is to be done, spec 7.6 steps 4 to 8
 * @peer: result: a reference, to be given to wg_config_end_peer() or, to stop
 *	half way, wg_peer_put(). NULL if there is nothing more to do or on error
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_config_begin_peer(struct wg_device *wg,
			 const struct wg_config_peer *change,
			 struct wg_peer **peer)
{
	struct wg_peer *found;

	lockdep_assert_held(&wg->config_lock);
	*peer = NULL;
	found = wg_peer_get_by_key(wg, change->public_key);
	if (change->remove) {
		if (found)
			wg_config_remove_peer(found);
		wg_peer_put(found);
		return 0;
	}
	if (found) {
		if (change->preshared_key)
			wg_noise_handshake_set_psk(&found->handshake,
						   change->preshared_key);
	} else {
		if (change->update_only)
			return 0;
		if (wg->identity.present &&
		    !memcmp(change->public_key, wg->identity.public_key,
			    WG_KEY_LEN))
			return 0;
		found = wg_config_create_peer(wg, change);
		if (IS_ERR(found))
			return PTR_ERR(found);
	}
	if (change->endpoint)
		wg_remote_set(&found->remote, change->endpoint);
	if (change->replace_allowed)
		wg_allowedips_remove_owner(&wg->allowed, &found->allowed,
					   &wg->config_lock);
	*peer = found;
	return 0;
}

/**
 * wg_config_allow() - give an allowed IP to a peer, or take it away
 * @peer: from wg_config_begin_peer()
 * @prefix: moves here if another peer has it
 * @remove: take it away, if this peer has exactly this one
 *
 * Context: process, config_lock held.
 * Return: 0, -EINVAL for a length or family that does not exist, -ENOMEM.
 */
int wg_config_allow(struct wg_peer *peer,
		    const struct wg_allowedips_prefix *prefix, bool remove)
{
	struct wg_device *wg = peer->wg;

	lockdep_assert_held(&wg->config_lock);
	if (remove)
		return wg_allowedips_remove(&wg->allowed, &peer->allowed,
					    prefix, &wg->config_lock);
	return wg_allowedips_insert(&wg->allowed, &peer->allowed, prefix,
				    &wg->config_lock);
}

/**
 * wg_config_end_peer() - end to change a peer: spec 7.6 steps 10 and 11
 * @peer: from wg_config_begin_peer(); the reference is dropped
 * @change: what was given there
 *
 * Context: process, config_lock held.
 */
void wg_config_end_peer(struct wg_peer *peer,
			const struct wg_config_peer *change)
{
	bool up = netif_running(peer->wg->dev);
	bool was_off;

	lockdep_assert_held(&peer->wg->config_lock);
	if (change->set_interval) {
		was_off = !READ_ONCE(peer->timers.interval);
		wg_timers_set_interval(&peer->timers, change->interval);
		if (up && was_off && change->interval)
			wg_tx_keepalive(peer);
	}
	if (up)
		wg_tx_flush(peer);
	wg_peer_put(peer);
}
