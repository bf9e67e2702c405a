// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a peer, how it is found, and its mailbox.
 *
 * Layer 2.
 *
 * create: memory and leaves, nobody knows it.
 * publish: in the list and the table of public keys; lookups give references.
 * unpublish: out of both, dead, keyring closed, timers shut down. What runs
 *	under RCU may still see it alive.
 * (one grace period for any number of peers)
 * retire: nothing can be started for it any more; drop what waits.
 * put: the last reference frees it after a grace period. Jobs in lanes hold
 *	it through their keypair and are not waited for.
 */
#include "wg.h"

#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/ip_tunnels.h>

static struct kmem_cache *wg_peer_cache;
struct workqueue_struct *wg_mail_wq;

/* Public keys are chosen by attackers, and an rhashtable gives its hash only
 * 32 bits of seed.
 */
static siphash_key_t wg_peer_siphash_key;

static u32 wg_peer_hash_key(const void *key, u32 len, u32 seed)
{
	return (u32)siphash(key, WG_KEY_LEN, &wg_peer_siphash_key) ^ seed;
}

static u32 wg_peer_hash_obj(const void *obj, u32 len, u32 seed)
{
	const struct wg_peer *peer = obj;

	return wg_peer_hash_key(peer->handshake.remote_static, len, seed);
}

static int wg_peer_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct wg_peer *peer = obj;

	return memcmp(arg->key, peer->handshake.remote_static, WG_KEY_LEN);
}

static const struct rhashtable_params wg_peer_params = {
	.head_offset = offsetof(struct wg_peer, key_node),
	.key_len = WG_KEY_LEN,
	.hashfn = wg_peer_hash_key,
	.obj_hashfn = wg_peer_hash_obj,
	.obj_cmpfn = wg_peer_compare,
	.automatic_shrinking = true,
};

/**
 * wg_peer_init() - once per module
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_peer_init(void)
{
	get_random_bytes(&wg_peer_siphash_key, sizeof(wg_peer_siphash_key));
	wg_peer_cache = KMEM_CACHE(wg_peer, SLAB_ACCOUNT);
	if (!wg_peer_cache)
		return -ENOMEM;
	/* Not the queue of incoming handshakes: a flood of those must not
	 * keep live peers from rekeying.
	 */
	wg_mail_wq = alloc_workqueue("wg-mail", WQ_UNBOUND | WQ_FREEZABLE |
						WQ_MEM_RECLAIM, 0);
	if (!wg_mail_wq) {
		kmem_cache_destroy(wg_peer_cache);
		return -ENOMEM;
	}
	return 0;
}

/**
 * wg_peer_fini() - undo wg_peer_init()
 *
 * Context: process; all peers have been freed (rcu_barrier).
 */
void wg_peer_fini(void)
{
	destroy_workqueue(wg_mail_wq);
	kmem_cache_destroy(wg_peer_cache);
}

/* What the timers' softirq callback does with what is due. */
static void wg_peer_timers_fire(struct wg_timers *timers, u32 due)
{
	struct wg_peer *peer = container_of(timers, struct wg_peer, timers);

	if (due & WG_DUE_RETRY)
		wg_peer_want(peer, WG_WANT_RETRY);
	if (due & WG_DUE_GIVE_UP)
		wg_peer_want(peer, WG_WANT_GIVE_UP);
	if (due & WG_DUE_KEEPALIVE)
		wg_peer_want(peer, WG_WANT_KEEPALIVE);
	if (due & WG_DUE_NEW_HANDSHAKE)
		wg_peer_want(peer, WG_WANT_NEW_HANDSHAKE);
	if (due & WG_DUE_WIPE)
		wg_peer_want(peer, WG_WANT_WIPE);
}

/**
 * wg_peer_create() - make a peer that nobody knows yet
 * @wg: its device
 * @public_key: of the peer
 * @preshared_key: all zero if none
 *
 * Context: process, config_lock held.
 * Return: a peer with one reference, the caller's, or NULL without memory.
 */
struct wg_peer *wg_peer_create(struct wg_device *wg,
			       const u8 public_key[WG_KEY_LEN],
			       const u8 preshared_key[WG_KEY_LEN])
{
	unsigned int lane = wg->next_lane;
	struct wg_peer *peer;

	lockdep_assert_held(&wg->config_lock);
	peer = kmem_cache_zalloc(wg_peer_cache, GFP_KERNEL);
	if (!peer)
		return NULL;
	wg->next_lane = (lane + 1) & (wg->lanes - 1);
	peer->wg = wg;
	peer->tx_lane = &wg->tx_lanes[lane];
	peer->rx_lane = &wg->rx_lanes[lane].lane;
	peer->handshake_index.type = WG_INDEX_HANDSHAKE;
	peer->handshake_index.owner = peer;
	wg_noise_handshake_init(&peer->handshake, public_key, preshared_key);
	wg_cookie_maker_init(&peer->cookie, public_key);
	wg_keyring_init(&peer->keyring, &wg->indices);
	wg_timers_init(&peer->timers, wg_peer_timers_fire);
	wg_remote_init(&peer->remote);
	wg_allowedips_owner_init(&peer->allowed);
	__skb_queue_head_init(&peer->staged.queue);
	INIT_LIST_HEAD(&peer->list);
	kref_init(&peer->refs);
	return peer;
}

static void wg_peer_free_rcu(struct rcu_head *rcu)
{
	struct wg_peer *peer = container_of(rcu, struct wg_peer, rcu);

	memzero_explicit(peer, sizeof(*peer));
	kmem_cache_free(wg_peer_cache, peer);
}

/* Must not touch the device: a dump that pauses may be the last to let go, when
 * the device has gone.
 */
static void wg_peer_release(struct kref *refs)
{
	struct wg_peer *peer = container_of(refs, struct wg_peer, refs);

	WARN_ON_ONCE(!skb_queue_empty(&peer->staged.queue));
	WARN_ON_ONCE(peer->remote.dst);
	call_rcu(&peer->rcu, wg_peer_free_rcu);
}

/**
 * wg_peer_get() - take a reference
 * @peer: may be on its way out
 *
 * Context: any, with a reference or under RCU.
 * Return: @peer, or NULL if it has no references any more.
 */
struct wg_peer *wg_peer_get(struct wg_peer *peer)
{
	return kref_get_unless_zero(&peer->refs) ? peer : NULL;
}

/**
 * wg_peer_put() - drop a reference
 * @peer: NULL is fine
 *
 * Context: any but hardirq.
 */
void wg_peer_put(struct wg_peer *peer)
{
	if (peer)
		kref_put(&peer->refs, wg_peer_release);
}

/**
 * wg_peer_publish() - let a peer be found
 * @peer: from wg_peer_create(); the caller's reference now belongs to the list
 *
 * Context: process, config_lock held.
 * Return: 0, -EEXIST if the key is taken, -ENOMEM.
 */
int wg_peer_publish(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;
	const u8 *key = peer->handshake.remote_static;
	int err;

	lockdep_assert_held(&wg->config_lock);
	/* The table says -EBUSY while it is being resized too slowly. */
	do {
		err = rhashtable_lookup_insert_key(&wg->peers_by_key, key,
						   &peer->key_node,
						   wg_peer_params);
		if (err == -EBUSY)
			synchronize_rcu_expedited();
	} while (err == -EBUSY);
	if (err)
		return err == -EEXIST ? err : -ENOMEM;
	list_add_tail(&peer->list, &wg->peers);
	wg->n_peers++;
	return 0;
}

/**
 * wg_peer_unpublish() - let a peer not be found any more, and die
 * @peer: published, owns no allowed IPs any more
 *
 * Afterwards, after one grace period, comes wg_peer_retire(). Sessions are
 * revoked at once.
 *
 * Context: process, config_lock held, sleeps.
 */
void wg_peer_unpublish(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;

	lockdep_assert_held(&wg->config_lock);
	WRITE_ONCE(peer->dead, true);
	rhashtable_remove_fast(&wg->peers_by_key, &peer->key_node,
			       wg_peer_params);
	list_del_init(&peer->list);
	wg->n_peers--;
	wg_index_remove(&wg->indices, &peer->handshake_index);
	wg_keyring_close(&peer->keyring);
	wg_timers_shutdown(&peer->timers);
}

/**
 * wg_peer_retire() - drop what an unpublished peer still holds
 * @peer: unpublished, and a grace period has passed
 *
 * Drops the reference of the list. A handshake worker that got @peer before it
 * died may have put a new index into the table; it goes here. One that puts it
 * there later finds @peer dead and takes it out again.
 *
 * Context: process.
 */
void wg_peer_retire(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;

	wg_index_remove(&wg->indices, &peer->handshake_index);
	wg_noise_handshake_clear(&peer->handshake);
	/* Who still holds the peer must not hold a namespace by its route. */
	wg_remote_close(&peer->remote);
	wg_peer_put(peer);
}

/**
 * wg_peer_table_init() - make the table of public keys
 * @wg: device
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_peer_table_init(struct wg_device *wg)
{
	return rhashtable_init(&wg->peers_by_key, &wg_peer_params);
}

/**
 * wg_peer_table_destroy() - undo wg_peer_table_init()
 * @wg: device without peers
 *
 * Context: process.
 */
void wg_peer_table_destroy(struct wg_device *wg)
{
	rhashtable_destroy(&wg->peers_by_key);
}

/**
 * wg_peer_get_by_key() - find a peer by its public key
 * @wg: device
 * @public_key: of the peer
 *
 * Context: any but hardirq.
 * Return: a reference, or NULL.
 */
struct wg_peer *wg_peer_get_by_key(struct wg_device *wg,
				   const u8 public_key[WG_KEY_LEN])
{
	struct wg_peer *peer;

	rcu_read_lock();
	peer = rhashtable_lookup_fast(&wg->peers_by_key, public_key,
				      wg_peer_params);
	if (peer)
		peer = wg_peer_get(peer);
	rcu_read_unlock();
	return peer;
}

/**
 * wg_peer_get_by_index() - find who uses a receiver index
 * @wg: device
 * @index: from a cookie reply, of a handshake or a session
 *
 * Context: any but hardirq.
 * Return: a reference, or NULL.
 */
struct wg_peer *wg_peer_get_by_index(struct wg_device *wg, __le32 index)
{
	const struct wg_index_entry *entry;
	struct wg_peer *peer = NULL;

	rcu_read_lock();
	entry = wg_index_find(&wg->indices, index);
	if (entry)
		peer = wg_peer_get(entry->owner);
	rcu_read_unlock();
	return peer;
}

/**
 * wg_peer_knows_index() - is a receiver index in use?
 * @wg: device
 * @index: from a cookie reply
 *
 * Context: any but hardirq.
 * Return: whether it is one of ours.
 */
bool wg_peer_knows_index(struct wg_device *wg, __le32 index)
{
	bool known;

	rcu_read_lock();
	known = wg_index_find(&wg->indices, index);
	rcu_read_unlock();
	return known;
}

/**
 * wg_peer_get_by_handshake() - find whose running handshake has an index
 * @wg: device
 * @index: from a response
 *
 * Context: any but hardirq.
 * Return: a reference, or NULL.
 */
struct wg_peer *wg_peer_get_by_handshake(struct wg_device *wg, __le32 index)
{
	const struct wg_index_entry *entry;
	struct wg_peer *peer = NULL;

	rcu_read_lock();
	entry = wg_index_find(&wg->indices, index);
	if (entry && entry->type == WG_INDEX_HANDSHAKE)
		peer = wg_peer_get(entry->owner);
	rcu_read_unlock();
	return peer;
}

static struct wg_peer *wg_peer_of(struct wg_allowedips_owner *owner)
{
	return owner ? container_of(owner, struct wg_peer, allowed) : NULL;
}

/**
 * wg_peer_find_by_dst() - who gets a packet
 * @wg: device
 * @skb: its network header is in the linear part and is IPv4 or IPv6
 *
 * Context: under RCU.
 * Return: a peer without a reference, or NULL.
 */
struct wg_peer *wg_peer_find_by_dst(struct wg_device *wg,
				    const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return wg_peer_of(wg_allowedips_find4(&wg->allowed,
						      ip_hdr(skb)->daddr));
	return wg_peer_of(wg_allowedips_find6(&wg->allowed,
					      &ipv6_hdr(skb)->daddr));
}

/**
 * wg_peer_find_by_src() - who may send a packet
 * @wg: device
 * @skb: its network header is in the linear part and is IPv4 or IPv6
 *
 * Context: under RCU.
 * Return: a peer without a reference, or NULL.
 */
struct wg_peer *wg_peer_find_by_src(struct wg_device *wg,
				    const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return wg_peer_of(wg_allowedips_find4(&wg->allowed,
						      ip_hdr(skb)->saddr));
	return wg_peer_of(wg_allowedips_find6(&wg->allowed,
					      &ipv6_hdr(skb)->saddr));
}

/**
 * wg_peer_want() - tell a peer to do something, soon and in process context
 * @peer: held, or found under RCU; nothing happens if it is dead
 * @want: what; telling twice before it is done is telling once
 *
 * Context: any but hardirq.
 */
void wg_peer_want(struct wg_peer *peer, enum wg_want want)
{
	struct wg_device *wg = peer->wg;

	/* Under RCU, so that nothing is queued after the grace period that
	 * follows dying: then the device may go away.
	 */
	rcu_read_lock();
	/* Nor after the one that closing the device waits for. */
	if (wg_peer_is_dead(peer) || !netif_running(wg->dev))
		goto out;
	set_bit(want, &peer->mail);
	if (test_and_set_bit(WG_WANT_QUEUED, &peer->mail))
		goto out;
	if (!wg_peer_get(peer))
		goto out;
	llist_add(&peer->mail_node, &wg->mailbox);
	queue_work(wg_mail_wq, &wg->mail_work);
out:
	rcu_read_unlock();
}

/**
 * wg_peer_want_handshake() - traffic wants a session, or a younger one
 * @peer: held, or found under RCU
 *
 * Restarts the count of attempts, even if an initiation is under way (spec
 * 2.6); tells the peer only if one may be sent, for this is called for each
 * bundle while a session is missing or old.
 *
 * Context: any but hardirq.
 */
void wg_peer_want_handshake(struct wg_peer *peer)
{
	wg_timers_initiation_wanted(&peer->timers);
	if (wg_peer_may_initiate(peer))
		wg_peer_want(peer, WG_WANT_HANDSHAKE);
}

/**
 * wg_peer_may_initiate() - is the last initiation or response long enough ago?
 * @peer: held, or found under RCU
 *
 * Context: any.
 * Return: false within 5 s of it.
 */
bool wg_peer_may_initiate(const struct wg_peer *peer)
{
	u64 last = atomic64_read(&peer->last_initiation_ns);

	return !last || ktime_get_coarse_boottime_ns() - last >=
				(u64)WG_REKEY_TIMEOUT * NSEC_PER_SEC;
}

/**
 * wg_peer_complete_handshake() - both sides have the session
 * @peer: held, or under RCU; what waited for the session has been sent
 *
 * In this order: who found no session and turned the retry on did so under the
 * lane's lock, so before what waits was sent, and it is turned off here.
 *
 * Context: any but hardirq.
 */
void wg_peer_complete_handshake(struct wg_peer *peer)
{
	wg_timers_handshake_complete(&peer->timers);
	atomic64_set(&peer->walltime_ns, ktime_get_real_ns());
}

/**
 * wg_peer_count_rx() - count what a peer sent us, for it and its device
 * @peer: held, or under RCU
 * @packets: datagrams
 * @bytes: of these, from the header of the message to its tag (spec 5.5)
 *
 * Context: BH off.
 */
void wg_peer_count_rx(struct wg_peer *peer, u32 packets, u64 bytes)
{
	struct pcpu_sw_netstats *stats = this_cpu_ptr(peer->wg->dev->tstats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->rx_packets, packets);
	u64_stats_add(&stats->rx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
	atomic64_add(bytes, &peer->rx_bytes);
}
