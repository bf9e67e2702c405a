// SPDX-License-Identifier: GPL-2.0
/*
 * The control path: handshake messages that come in, and what
 * peers are told to do by their timers and by traffic.
 *
 * Layer 3.
 *
 *   wg_handshake_receive	mac1 is right? then it may wait in the queue
 *   wg_handshake_incoming_work	under load? then a cookie, or a ticket
 *   wg_handshake_initiation	open, whose is it, accept, answer
 *   wg_handshake_response	whose is it, accept, session
 *   wg_handshake_mail_work	initiate, retry, give up, keepalive, wipe
 */
#include "packet.h"
#include "send.h"

#include <linux/list.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

/* Not the queue of the mailboxes: a flood of incoming messages must not keep
 * live peers from rekeying.
 */
static struct workqueue_struct *wg_handshake_wq;

/* The same headroom as data: for outer headers down to the link layer's. */
#define WG_HANDSHAKE_HEADROOM	ALIGN(LL_MAX_HEADER + 40 + 8, 16)

/**
 * struct wg_handshake_msg - a handshake message that waits for a worker
 * @list: in wg_incoming.queue
 * @from: where it came from and to
 * @len: of the message
 * @header: of it
 * @initiation: it, if it is one
 * @response: it, if it is one
 * @cookie: it, if it is one
 * @bytes: it, whatever it is
 */
struct wg_handshake_msg {
	struct list_head list;
	struct wg_endpoint from;
	size_t len;
	union {
		struct wg_msg_header header;
		struct wg_msg_initiation initiation;
		struct wg_msg_response response;
		struct wg_msg_cookie cookie;
		u8 bytes[sizeof(struct wg_msg_initiation)];
	};
};

/*
 * Sending.
 */

static struct sk_buff *wg_handshake_make_skb(struct wg_device *wg,
					     const void *msg, size_t len)
{
	const unsigned int size = WG_HANDSHAKE_HEADROOM + len;
	struct sk_buff *skb = alloc_skb(size, GFP_KERNEL);

	if (!skb) {
		wg_stats_inc(&wg->stats, WG_DROP_NO_MEMORY);
		return NULL;
	}
	skb_reserve(skb, WG_HANDSHAKE_HEADROOM);
	skb_put_data(skb, msg, len);
	return skb;
}

static void wg_handshake_send(struct wg_peer *peer, const void *msg,
			      size_t len)
{
	struct wg_device *wg = peer->wg;
	struct wg_send how = {
		.dev = wg->dev,
		.mark = READ_ONCE(wg->fwmark),
		.tos = WG_HANDSHAKE_TOS,
	};
	struct sk_buff *skb = wg_handshake_make_skb(wg, msg, len);

	if (skb && !wg_send_to_peer(&wg->socket, &peer->remote, skb, &how))
		atomic64_add(len, &peer->tx_bytes);
}

/* Gives the handshake of a peer a new index. A peer that died meanwhile may
 * have been taken out of the table before; then it is up to us to do it again.
 * The table's lock orders both: either removal saw our entry, or we see it.
 */
static int wg_handshake_new_index(struct wg_peer *peer, __le32 *index)
{
	struct wg_device *wg = peer->wg;
	int err = wg_index_insert(&wg->indices, &peer->handshake_index);

	if (err)
		return err;
	*index = READ_ONCE(peer->handshake_index.index);
	if (!*index || wg_peer_is_dead(peer)) {
		wg_index_remove(&wg->indices, &peer->handshake_index);
		return -ESHUTDOWN;
	}
	return 0;
}

static void wg_handshake_initiate(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;
	struct wg_msg_initiation msg;
	__le32 index;

	if (!wg_peer_may_initiate(peer) || wg_peer_is_dead(peer))
		return;
	/* Before trying: what cannot be built is not tried all the time. */
	atomic64_set(&peer->last_initiation_ns, ktime_get_coarse_boottime_ns());
	if (wg_handshake_new_index(peer, &index))
		return;
	if (wg_noise_make_initiation(&peer->handshake, &wg->identity, index,
				     &msg)) {
		wg_index_withdraw(&wg->indices, &peer->handshake_index, index);
		return;
	}
	wg_cookie_add_macs(&peer->cookie, &msg, sizeof(msg));
	wg_timers_any_traversal(&peer->timers);
	wg_timers_any_sent(&peer->timers);
	/* Before it leaves: the answer can be here before we are back. */
	wg_timers_initiation_sent(&peer->timers);
	wg_handshake_send(peer, &msg, sizeof(msg));
}

static void wg_handshake_release_peer(void *owner)
{
	wg_peer_put(owner);
}

/* Derives the session of a finished handshake and installs it. */
static bool wg_handshake_begin_session(struct wg_peer *peer)
{
	struct wg_noise_keys keys;
	struct wg_keypair *keypair;
	int err;

	if (wg_noise_split(&peer->handshake, &keys))
		return false;
	keypair = wg_keypair_create(peer, wg_handshake_release_peer,
				    GFP_KERNEL);
	if (!keypair) {
		memzero_explicit(&keys, sizeof(keys));
		wg_stats_inc(&peer->wg->stats, WG_DROP_NO_MEMORY);
		return false;
	}
	kref_get(&peer->refs);
	keypair->initiator = keys.initiator;
	keypair->remote_index = keys.remote_index;
	memcpy(keypair->send_key, keys.send, WG_KEY_LEN);
	memcpy(keypair->receive_key, keys.receive, WG_KEY_LEN);
	err = wg_keyring_install(&peer->keyring, keypair,
				 &peer->handshake_index, keys.local_index);
	memzero_explicit(&keys, sizeof(keys));
	if (err) {
		wg_keypair_put(keypair);
		return false;
	}
	wg_timers_session_derived(&peer->timers);
	/* What has expired until now is about the keys before. */
	clear_bit(WG_WANT_WIPE, &peer->mail);
	return true;
}

static void wg_handshake_respond(struct wg_peer *peer)
{
	struct wg_msg_response msg;
	__le32 index;

	atomic64_set(&peer->last_initiation_ns, ktime_get_coarse_boottime_ns());
	if (wg_handshake_new_index(peer, &index))
		return;
	if (wg_noise_make_response(&peer->handshake, index, &msg)) {
		wg_index_withdraw(&peer->wg->indices, &peer->handshake_index,
				  index);
		return;
	}
	wg_cookie_add_macs(&peer->cookie, &msg, sizeof(msg));
	if (!wg_handshake_begin_session(peer))
		return;
	wg_timers_any_traversal(&peer->timers);
	wg_timers_any_sent(&peer->timers);
	wg_handshake_send(peer, &msg, sizeof(msg));
}

static void wg_handshake_send_cookie(struct wg_device *wg,
				     const struct wg_handshake_msg *msg,
				     const struct wg_cookie_source *source)
{
	struct wg_send how = { .dev = wg->dev,
			       .mark = READ_ONCE(wg->fwmark) };
	struct wg_msg_cookie reply;
	struct sk_buff *skb;

	wg_cookie_make_reply(&wg->checker, &reply, &msg->header, msg->len,
			     source);
	skb = wg_handshake_make_skb(wg, &reply, sizeof(reply));
	if (skb)
		wg_send_to(&wg->socket, &msg->from, skb, &how);
}

/*
 * Receiving, in process context.
 */

/* Why noise refused a message, as a counter. */
static enum wg_stat wg_handshake_reason(int err)
{
	switch (err) {
	case -EKEYREJECTED:
		return WG_DROP_LOW_ORDER;
	case -ESTALE:
	case -EBUSY:
		return WG_DROP_OLD_TIMESTAMP;
	default:
		return WG_DROP_BAD_HANDSHAKE;
	}
}

/* A handshake message that was accepted counts, and the peer is alive. */
static void wg_handshake_heard(struct wg_peer *peer, size_t len)
{
	local_bh_disable();
	wg_peer_count_rx(peer, 1, len);
	local_bh_enable();
	wg_timers_any_received(&peer->timers);
	wg_timers_any_traversal(&peer->timers);
}

static void wg_handshake_initiation(struct wg_device *wg,
				    const struct wg_handshake_msg *msg)
{
	struct wg_noise_opened opened;
	struct wg_peer *peer = NULL;
	int err;

	err = wg_noise_open_initiation(&opened, &wg->identity,
				       &msg->initiation);
	if (err)
		goto out;
	peer = wg_peer_get_by_key(wg, opened.remote_static);
	if (!peer) {
		wg_stats_inc(&wg->stats, WG_DROP_UNKNOWN_KEY);
		goto out;
	}
	err = wg_noise_accept_initiation(&peer->handshake, &wg->identity,
					 &opened);
	if (err)
		goto out;
	wg_remote_learn(&peer->remote, &msg->from);
	wg_handshake_heard(peer, msg->len);
	wg_handshake_respond(peer);
out:
	if (err)
		wg_stats_inc(&wg->stats, wg_handshake_reason(err));
	memzero_explicit(&opened, sizeof(opened));
	wg_peer_put(peer);
}

static void wg_handshake_response(struct wg_device *wg,
				  const struct wg_handshake_msg *msg)
{
	struct wg_peer *peer = wg_peer_get_by_handshake(wg,
							msg->response.receiver);
	int err;

	if (!peer) {
		wg_stats_inc(&wg->stats, WG_DROP_UNKNOWN_INDEX);
		return;
	}
	err = wg_noise_accept_response(&peer->handshake, &wg->identity,
				       &msg->response);
	if (err) {
		wg_stats_inc(&wg->stats, wg_handshake_reason(err));
		goto out;
	}
	wg_remote_learn(&peer->remote, &msg->from);
	/* Before the flush: what is sent then wants an answer of its own. */
	wg_handshake_heard(peer, msg->len);
	if (wg_handshake_begin_session(peer)) {
		/* The responder may not send before it hears from us. */
		wg_tx_keepalive(peer);
		wg_peer_complete_handshake(peer);
	}
out:
	wg_peer_put(peer);
}

static void wg_handshake_cookie(struct wg_device *wg,
				const struct wg_handshake_msg *msg)
{
	struct wg_peer *peer = wg_peer_get_by_index(wg, msg->cookie.receiver);

	if (!peer)
		wg_stats_inc(&wg->stats, WG_DROP_UNKNOWN_INDEX);
	else if (wg_cookie_accept_reply(&peer->cookie, &msg->cookie))
		wg_stats_inc(&wg->stats, WG_DROP_BAD_HANDSHAKE);
	wg_peer_put(peer);
}

static void wg_handshake_source(struct wg_device *wg,
				const struct wg_endpoint *from,
				struct wg_cookie_source *source)
{
	memset(source, 0, sizeof(*source));
	rcu_read_lock();
	source->netns = dev_net(wg->dev)->ns.inum;
	rcu_read_unlock();
	source->family = from->addr.sa_family;
	if (source->family == AF_INET) {
		source->v4 = from->addr4.sin_addr.s_addr;
		source->port = from->addr4.sin_port;
	} else {
		source->v6 = from->addr6.sin6_addr;
		source->port = from->addr6.sin6_port;
	}
}

/* Does the sender deserve the price of X25519? Under load only who receives
 * at the address he sends from, and not too often (spec 2.9).
 */
static bool wg_handshake_deserves(struct wg_device *wg,
				  const struct wg_handshake_msg *msg)
{
	struct wg_cookie_source source;

	if (ktime_get_coarse_boottime_ns() >=
	    atomic64_read(&wg->incoming.loaded_until_ns))
		return true;
	wg_handshake_source(wg, &msg->from, &source);
	if (!wg_cookie_mac2_ok(&wg->checker, &msg->header, msg->len,
			       &source)) {
		wg_stats_inc(&wg->stats, WG_DROP_COOKIE_SENT);
		wg_handshake_send_cookie(wg, msg, &source);
		return false;
	}
	if (!wg_cookie_ratelimit_allow(&source)) {
		wg_stats_inc(&wg->stats, WG_DROP_RATE_LIMITED);
		return false;
	}
	return true;
}

static void wg_handshake_handle(struct wg_device *wg,
				const struct wg_handshake_msg *msg)
{
	switch (le32_to_cpu(msg->header.type)) {
	case WG_MSG_COOKIE:
		wg_handshake_cookie(wg, msg);
		break;
	case WG_MSG_INITIATION:
		if (wg_handshake_deserves(wg, msg))
			wg_handshake_initiation(wg, msg);
		break;
	case WG_MSG_RESPONSE:
		if (wg_handshake_deserves(wg, msg))
			wg_handshake_response(wg, msg);
		break;
	}
}

/*
 * The queue in between.
 */

static struct wg_handshake_msg *
wg_handshake_next(struct wg_incoming_worker *worker)
{
	struct wg_incoming *incoming = &worker->wg->incoming;
	struct wg_handshake_msg *msg;

	spin_lock_bh(&incoming->lock);
	msg = list_first_entry_or_null(&incoming->queue,
				       struct wg_handshake_msg, list);
	if (incoming->len >= WG_INCOMING_LOADED) {
		/* The newest: who has waited for long has begun anew. */
		msg = list_last_entry(&incoming->queue,
				      struct wg_handshake_msg, list);
		atomic64_set(&incoming->loaded_until_ns,
			     ktime_get_coarse_boottime_ns() + NSEC_PER_SEC);
	}
	if (msg) {
		list_del(&msg->list);
		incoming->len--;
	} else {
		/* Under the lock: no message still counts on this worker. */
		incoming->busy &= ~BIT(worker - incoming->works);
	}
	spin_unlock_bh(&incoming->lock);
	return msg;
}

static void wg_handshake_incoming_work(struct work_struct *work)
{
	struct wg_incoming_worker *worker =
		container_of(work, struct wg_incoming_worker, work);
	struct wg_handshake_msg *msg;
	int n;

	for (n = 0; n < WG_INCOMING_WORK_MAX; n++) {
		msg = wg_handshake_next(worker);
		if (!msg)
			return;
		wg_handshake_handle(worker->wg, msg);
		kfree(msg);
		cond_resched();
	}
	/* Somebody else's flood must not keep our handshakes waiting. */
	queue_work(wg_handshake_wq, work);
}

/**
 * wg_handshake_receive() - take a handshake message
 * @wg: it came to
 * @msg: borrowed; type and length fit together
 * @len: of it
 * @from: where it came from and to
 *
 * Who does not know our public key, or for a cookie an index of ours, gets no
 * memory and no place in the queue. A full queue drops its oldest.
 *
 * Context: BH off.
 */
void wg_handshake_receive(struct wg_device *wg, const void *msg, size_t len,
			  const struct wg_endpoint *from)
{
	struct wg_handshake_msg *queued, *oldest = NULL;
	struct wg_incoming *incoming = &wg->incoming;
	const struct wg_msg_cookie *cookie = msg;
	enum wg_stat why = WG_STATS;
	unsigned int i;

	if (cookie->header.type == cpu_to_le32(WG_MSG_COOKIE)) {
		/* Has no mac1, but an index that nobody off the path knows. */
		if (!wg_peer_knows_index(wg, cookie->receiver))
			why = WG_DROP_UNKNOWN_INDEX;
	} else if (!wg_cookie_mac1_ok(&wg->checker, msg, len)) {
		why = WG_DROP_BAD_MAC1;
	}
	if (why != WG_STATS) {
		wg_stats_inc(&wg->stats, why);
		return;
	}
	queued = kmalloc(sizeof(*queued), GFP_ATOMIC | __GFP_NOWARN);
	if (!queued || !rng_is_initialized()) {
		wg_stats_inc(&wg->stats, WG_DROP_NO_MEMORY);
		kfree(queued);
		return;
	}
	memcpy(queued->bytes, msg, len);
	queued->len = len;
	queued->from = *from;

	spin_lock_bh(&incoming->lock);
	list_add_tail(&queued->list, &incoming->queue);
	if (++incoming->len > WG_INCOMING_MAX) {
		oldest = list_first_entry(&incoming->queue,
					  struct wg_handshake_msg, list);
		list_del(&oldest->list);
		incoming->len--;
	}
	i = ffz(incoming->busy);
	if (i < min_t(unsigned int, WG_INCOMING_WORKERS, num_online_cpus())) {
		incoming->busy |= BIT(i);
		queue_work(wg_handshake_wq, &incoming->works[i].work);
	}
	spin_unlock_bh(&incoming->lock);
	if (oldest) {
		wg_stats_inc(&wg->stats, WG_DROP_HANDSHAKE_FULL);
		kfree(oldest);
	}
}

/*
 * What peers are told to do.
 */

/* The index last: a worker derives the keys with the index in the table, and
 * cannot install them without it. If it derived them before they were cleared,
 * it either has installed them by now or is kept from it here.
 */
static void wg_handshake_abandon(struct wg_peer *peer)
{
	wg_noise_handshake_clear(&peer->handshake);
	wg_index_remove(&peer->wg->indices, &peer->handshake_index);
}

/**
 * wg_handshake_forget() - forget the running handshake and the rate limit
 * @peer: held
 *
 * Who forgets, and then stops or clears the sessions, has got them all.
 *
 * Context: process.
 */
void wg_handshake_forget(struct wg_peer *peer)
{
	wg_handshake_abandon(peer);
	atomic64_set(&peer->last_initiation_ns, 0);
}

static void wg_handshake_do_wanted(struct wg_peer *peer, unsigned long wants)
{
	/* Not what has asked for a handshake since. */
	if (wants & BIT(WG_WANT_GIVE_UP) && !(wants & BIT(WG_WANT_HANDSHAKE)))
		wg_tx_purge_staged(peer);
	if (wants & BIT(WG_WANT_WIPE)) {
		wg_handshake_abandon(peer);
		wg_keyring_clear(&peer->keyring);
	}
	if (wants & BIT(WG_WANT_NEW_HANDSHAKE))
		wg_timers_initiation_wanted(&peer->timers);
	if (wants & (BIT(WG_WANT_RETRY) | BIT(WG_WANT_NEW_HANDSHAKE)))
		wg_remote_forget_source(&peer->remote);
	if (wants & (BIT(WG_WANT_HANDSHAKE) | BIT(WG_WANT_RETRY) |
		     BIT(WG_WANT_NEW_HANDSHAKE)))
		wg_handshake_initiate(peer);
	if (wants & BIT(WG_WANT_KEEPALIVE))
		wg_tx_keepalive(peer);
}

/* Waits for work being done and does here what has not begun: freezable work
 * would wait for a wake-up. Who queued it meanwhile was refused.
 */
static void wg_handshake_finish_work(struct work_struct *work)
{
	cancel_work_sync(work);
	work->func(work);
}

static void wg_handshake_mail_work(struct work_struct *work)
{
	struct wg_device *wg = container_of(work, struct wg_device, mail_work);
	struct wg_peer *peer, *next;
	struct llist_node *list;

	list = llist_reverse_order(llist_del_all(&wg->mailbox));
	llist_for_each_entry_safe(peer, next, list, mail_node) {
		/* From here on the peer may be put into the list again. */
		unsigned long wants = xchg(&peer->mail, 0);

		/* Going down forgets everything, and would wait for this. */
		if (!wg_peer_is_dead(peer) && netif_running(wg->dev))
			wg_handshake_do_wanted(peer, wants);
		wg_peer_put(peer);
		cond_resched();
	}
}

/*
 * Life.
 */

/**
 * wg_handshake_create_queue() - make the queues of a device
 * @wg: zeroed
 *
 * Context: process.
 */
void wg_handshake_create_queue(struct wg_device *wg)
{
	struct wg_incoming *incoming = &wg->incoming;
	int i;

	spin_lock_init(&incoming->lock);
	INIT_LIST_HEAD(&incoming->queue);
	for (i = 0; i < WG_INCOMING_WORKERS; i++) {
		INIT_WORK(&incoming->works[i].work, wg_handshake_incoming_work);
		incoming->works[i].wg = wg;
	}
	init_llist_head(&wg->mailbox);
	INIT_WORK(&wg->mail_work, wg_handshake_mail_work);
}

/**
 * wg_handshake_drop_queue() - forget messages that wait, and what is in work
 * @wg: its sockets are closed
 *
 * Context: process, sleeps.
 */
void wg_handshake_drop_queue(struct wg_device *wg)
{
	struct wg_incoming *incoming = &wg->incoming;
	struct wg_handshake_msg *msg, *next;
	LIST_HEAD(dropped);
	int i;

	spin_lock_bh(&incoming->lock);
	list_splice_init(&incoming->queue, &dropped);
	incoming->len = 0;
	spin_unlock_bh(&incoming->lock);
	list_for_each_entry_safe(msg, next, &dropped, list)
		kfree(msg);
	for (i = 0; i < WG_INCOMING_WORKERS; i++)
		wg_handshake_finish_work(&incoming->works[i].work);
}

/**
 * wg_handshake_finish_mail() - let go of what peers have been told to do
 * @wg: device, down; what is being done is waited for
 *
 * Context: process, sleeps.
 */
void wg_handshake_finish_mail(struct wg_device *wg)
{
	/* Not only cancelled: each peer in the mailbox is a reference. */
	wg_handshake_finish_work(&wg->mail_work);
}

/**
 * wg_handshake_destroy_queue() - undo wg_handshake_create_queue()
 * @wg: its sockets are closed and it has no peers; a grace period has passed
 *	since
 *
 * Context: process, sleeps.
 */
void wg_handshake_destroy_queue(struct wg_device *wg)
{
	wg_handshake_drop_queue(wg);
	wg_handshake_finish_mail(wg);
}

/**
 * wg_handshake_init() - once per module
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_handshake_init(void)
{
	wg_handshake_wq = alloc_workqueue("wg-handshake",
					  WQ_UNBOUND | WQ_FREEZABLE, 0);
	return wg_handshake_wq ? 0 : -ENOMEM;
}

/**
 * wg_handshake_fini() - undo wg_handshake_init()
 *
 * Context: process; no device is left.
 */
void wg_handshake_fini(void)
{
	destroy_workqueue(wg_handshake_wq);
}
