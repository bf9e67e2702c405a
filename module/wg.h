/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map: the two objects everything is about, who protects what, and
 * how a peer is found, held and told to do something.
 *
 * Layer 2. An object is made of leaves; only this layer knows references.
 *
 * Lock order, outer first. Where nothing is indented, nothing is nested. A lock
 * of a leaf is taken by the leaf itself and never held when it returns.
 *
 *	rtnl			configuration and netdev life
 *	 wg_device.config_lock	peers, allowed IPs, configuration
 *	  identity.lock		(identity) rwsem; held while computing
 *	   handshake.lock	(noise, BH) copying in and out of one handshake
 *	  socket.lock		(socket) opening and closing
 *	  and all below
 *	hook.lock		(socket, BH) one UDP socket's receive round
 *	 incoming.lock		(handshake, BH) queue of incoming messages
 *	 lane.lock		(pipeline, BH) places, nonces, staged packets
 *	  timers.lock		(timers, BH)
 *	keyring.lock		(session, BH) the three slots
 *	 indices.lock		(index, BH) writers of the index table
 *	checker.lock		(cookie, BH) copying keys and secret
 *	remote.lock		(remote, BH) endpoint and route
 */
#ifndef _WG_WG_H
#define _WG_WG_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/skbuff.h>
#include <linux/time64.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "allowedips.h"
#include "cookie.h"
#include "identity.h"
#include "noise.h"
#include "pipeline.h"
#include "session.h"
#include "socket.h"
#include "stats.h"
#include "timers.h"
#include "wire.h"

struct wg_device;

/* What a peer can be told to do; bits of wg_peer.mail. */
enum wg_want {
	WG_WANT_HANDSHAKE,	/* traffic needs a session; attempts restart */
	WG_WANT_RETRY,		/* initiate again, forget learned source */
	WG_WANT_GIVE_UP,	/* purge what is staged */
	WG_WANT_KEEPALIVE,	/* send an empty packet */
	WG_WANT_NEW_HANDSHAKE,	/* peer is silent: initiate, forget source */
	WG_WANT_WIPE,		/* forget handshake and sessions */
	WG_WANT_QUEUED,		/* not a wish: the peer is in the list */
};

/**
 * struct wg_staged - packets that wait for a session (spec 2.7)
 * @queue: oldest first; protected, like all here, by the TX lane's lock
 * @datagrams: they will become
 * @bytes: they hold, in truesize
 * @charged: of @bytes, to the device; brought up to date when packets are
 *	found to have to wait, so that passing traffic touches no shared line
 */
struct wg_staged {
	struct sk_buff_head queue;
	u32 datagrams;
	u32 bytes;
	u32 charged;
};

/**
 * struct wg_peer - somebody with a public key
 * @wg: its device; outlives the peer
 * @tx_lane: its packets leave in the order of this lane
 * @rx_lane: ditto, arrive
 * @keyring: sessions
 * @staged: see there
 * @remote: endpoint and route
 * @timers: five of them
 * @handshake: running handshake, static keys
 * @handshake_index: receiver index of the running handshake
 * @cookie: puts macs under handshake messages
 * @allowed: its prefixes; protected by config_lock
 * @rx_bytes: datagrams received, as spec 5.5 counts them
 * @tx_bytes: datagrams sent, as spec 4.9 counts them
 * @last_initiation_ns: boottime of the last initiation attempted or response
 *	sent, 0 if forgotten (spec 2.6)
 * @walltime_ns: of the last completed handshake, shown to users
 * @mail: bits of enum wg_want
 * @mail_node: in wg_device.mailbox while WG_WANT_QUEUED
 * @list: in wg_device.peers; config_lock
 * @key_node: in wg_device.peers_by_key
 * @dead: removed: nothing new may be started for it. Set under config_lock
 *	before a grace period, read under RCU
 * @refs: table and list hold one, each keypair, each mailbox entry
 * @rcu: frees it after a grace period
 */
struct wg_peer {
	struct wg_device *wg;
	struct wg_lane *tx_lane;
	struct wg_lane *rx_lane;
	struct wg_keyring keyring;
	struct wg_staged staged;
	struct wg_remote remote;
	struct wg_timers timers;
	atomic64_t rx_bytes;
	atomic64_t tx_bytes;
	struct wg_noise_handshake handshake;
	struct wg_index_entry handshake_index;
	struct wg_cookie_maker cookie;
	struct wg_allowedips_owner allowed;
	atomic64_t last_initiation_ns;
	atomic64_t walltime_ns;
	unsigned long mail;
	struct llist_node mail_node;
	struct list_head list;
	struct rhash_head key_node;
	bool dead;
	struct kref refs;
	struct rcu_head rcu;
};

/**
 * struct wg_rx_lane - a lane with the NAPI that drains it
 * @lane: see pipeline.h
 * @napi: delivers; bound to no CPU, runs where it was scheduled
 */
struct wg_rx_lane {
	struct wg_lane lane;
	struct napi_struct napi;
};

enum wg_incoming_limit {
	WG_INCOMING_MAX = 4096,
	WG_INCOMING_LOADED = WG_INCOMING_MAX / 8,
	WG_INCOMING_WORKERS = 4,
	/* Messages a worker handles before others of its workqueue. */
	WG_INCOMING_WORK_MAX = 32,
};

/**
 * struct wg_incoming - handshake messages that wait for a worker
 * @lock: protects @queue, @len and @busy; BH-safe
 * @queue: of struct wg_handshake_msg, at most WG_INCOMING_MAX
 * @len: of @queue
 * @busy: bit k: worker k is queued or running
 * @loaded_until_ns: coarse boottime; under load as long as this lies ahead
 * @works: several messages are worked on at a time
 */
struct wg_incoming {
	spinlock_t lock; /* protects @queue, @len, @busy */
	struct list_head queue;
	unsigned int len;
	unsigned long busy;
	atomic64_t loaded_until_ns;
	struct wg_incoming_worker {
		struct work_struct work;
		struct wg_device *wg;
	} works[WG_INCOMING_WORKERS];
};

/**
 * struct wg_device - one interface
 * @dev: its netdevice, which embeds this as private data
 * @stats: counters by reason
 * @socket: UDP
 * @indices: receiver indices of handshakes and sessions
 * @allowed: prefixes; written under @config_lock
 * @tx_lanes: @lanes of them
 * @rx_lanes: @lanes of them
 * @lanes: a power of two
 * @next_lane: of the next peer; config_lock
 * @fwmark: of what we send
 * @udp_gso: private flag: send bundles
 * @udp_gro: private flag: receive bundles
 * @staged_bytes: over all peers
 * @identity: static key pair
 * @checker: of macs and cookies
 * @incoming: handshake messages
 * @mailbox: peers that were told to do something
 * @mail_work: empties @mailbox
 * @config_lock: protects @peers, @n_peers, @allowed, @port, @generation,
 *	@transit_net and serialises configuration
 * @peers: in order of creation, which is the order of a dump
 * @peers_by_key: by public key
 * @removed: peers that left @peers in the change that is being made, waiting
 *	for its one grace period; config_lock
 * @n_peers: at most WG_PEERS_MAX
 * @generation: of the configuration, so that a paused dump notices a change
 * @port: to listen on; a random one is remembered here
 * @transit_net: where the sockets live: the namespace the link was created
 *	in. Not a reference; NULL when that namespace is gone
 * @list: in the list of all devices; rtnl
 */
struct wg_device {
	struct net_device *dev;
	struct wg_stats stats;
	struct wg_socket socket;
	struct wg_index_table indices;
	struct wg_allowedips allowed;
	struct wg_lane *tx_lanes;
	struct wg_rx_lane *rx_lanes;
	unsigned int lanes;
	unsigned int next_lane;
	u32 fwmark;
	bool udp_gso;
	bool udp_gro;
	atomic_long_t staged_bytes;
	struct wg_identity identity;
	struct wg_cookie_checker checker;
	struct wg_incoming incoming;
	struct llist_head mailbox;
	struct work_struct mail_work;
	struct mutex config_lock; /* protects what says so above */
	struct list_head peers;
	struct list_head removed;
	struct rhashtable peers_by_key;
	unsigned int n_peers;
	u32 generation;
	u16 port;
	struct net __rcu *transit_net;
	struct list_head list;
};

/* Shared by all devices, see wg_peer_init(). */
extern struct workqueue_struct *wg_mail_wq;

int wg_peer_init(void);
void wg_peer_fini(void);

struct wg_peer *wg_peer_create(struct wg_device *wg,
			       const u8 public_key[WG_KEY_LEN],
			       const u8 preshared_key[WG_KEY_LEN]);
int wg_peer_publish(struct wg_peer *peer);
void wg_peer_unpublish(struct wg_peer *peer);
void wg_peer_retire(struct wg_peer *peer);
struct wg_peer *wg_peer_get(struct wg_peer *peer);
void wg_peer_put(struct wg_peer *peer);

int wg_peer_table_init(struct wg_device *wg);
void wg_peer_table_destroy(struct wg_device *wg);
struct wg_peer *wg_peer_get_by_key(struct wg_device *wg,
				   const u8 public_key[WG_KEY_LEN]);
struct wg_peer *wg_peer_get_by_handshake(struct wg_device *wg, __le32 index);
struct wg_peer *wg_peer_get_by_index(struct wg_device *wg, __le32 index);
bool wg_peer_knows_index(struct wg_device *wg, __le32 index);
struct wg_peer *wg_peer_find_by_dst(struct wg_device *wg,
				    const struct sk_buff *skb);
struct wg_peer *wg_peer_find_by_src(struct wg_device *wg,
				    const struct sk_buff *skb);

void wg_peer_want(struct wg_peer *peer, enum wg_want want);
void wg_peer_want_handshake(struct wg_peer *peer);
bool wg_peer_may_initiate(const struct wg_peer *peer);
void wg_peer_complete_handshake(struct wg_peer *peer);
void wg_peer_count_rx(struct wg_peer *peer, u32 packets, u64 bytes);

static inline bool wg_peer_is_dead(const struct wg_peer *peer)
{
	return READ_ONCE(peer->dead);
}

#endif /* _WG_WG_H */
