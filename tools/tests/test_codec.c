// SPDX-License-Identifier: GPL-2.0
/* Netlink: what is written reads back, split or not; malformed is refused. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../codec.h"
#include "tap.h"

#define ROOM	8192

static struct model_peer *new_peer(struct model_device *dev, unsigned int id)
{
	struct model_peer *peer = model_add_peer(dev);

	memset(peer->public_key, 0x11, WG_KEY_LEN);
	memcpy(peer->public_key, &id, sizeof(id));
	peer->has = MODEL_PEER_PUBLIC_KEY | MODEL_PEER_PRESHARED_KEY |
		    MODEL_PEER_KEEPALIVE | MODEL_PEER_REPLACE_ALLOWEDIPS |
		    MODEL_PEER_ENDPOINT;
	memset(peer->preshared_key, id + 1, WG_KEY_LEN);
	peer->keepalive = id;
	if (id % 2) {
		peer->endpoint.in6.sin6_family = AF_INET6;
		peer->endpoint.in6.sin6_port = htons(id);
		peer->endpoint.in6.sin6_scope_id = id;
	} else {
		peer->endpoint.in.sin_family = AF_INET;
		peer->endpoint.in.sin_port = htons(id);
	}
	return peer;
}

static void new_allowedips(struct model_peer *peer, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct model_allowedip *aip = model_add_allowedip(peer);

		aip->family = i % 3 ? AF_INET : AF_INET6;
		aip->cidr = i % 3 ? 32 : 128;
		memcpy(&aip->ip, &i, sizeof(i));
	}
}

static struct model_device *sample(unsigned int peers, unsigned int ips)
{
	struct model_device *dev = model_device_create("wg0");
	unsigned int i;

	dev->has = MODEL_DEVICE_PRIVATE_KEY | MODEL_DEVICE_LISTEN_PORT |
		   MODEL_DEVICE_FWMARK | MODEL_DEVICE_REPLACE_PEERS;
	memset(dev->private_key, 0x42, WG_KEY_LEN);
	dev->listen_port = 51820;
	dev->fwmark = 0x1234;
	for (i = 0; i < peers; i++)
		new_allowedips(new_peer(dev, i), ips);
	return dev;
}

static bool same_peer(const struct model_peer *a, const struct model_peer *b)
{
	const struct model_allowedip *x = a->first, *y = b->first;

	for (; x && y; x = x->next, y = y->next) {
		if (x->family != y->family || x->cidr != y->cidr ||
		    memcmp(&x->ip, &y->ip, sizeof(x->ip)))
			return false;
	}
	return !x && !y && a->keepalive == b->keepalive &&
	       !memcmp(a->public_key, b->public_key, WG_KEY_LEN) &&
	       !memcmp(a->preshared_key, b->preshared_key, WG_KEY_LEN) &&
	       !memcmp(&a->endpoint, &b->endpoint, sizeof(a->endpoint));
}

static bool same_device(const struct model_device *a,
			const struct model_device *b)
{
	const struct model_peer *x = a->first, *y = b->first;

	for (; x && y; x = x->next, y = y->next) {
		if (!same_peer(x, y))
			return false;
	}
	return !x && !y && a->listen_port == b->listen_port &&
	       a->fwmark == b->fwmark && !strcmp(a->name, b->name) &&
	       !memcmp(a->private_key, b->private_key, WG_KEY_LEN);
}

/* How often each kind of flag stands in all messages. */
struct seen {
	unsigned int messages;
	unsigned int replace_peers;
	unsigned int replace_ips;
	unsigned int update_only;
	unsigned int private_keys;
	unsigned int longest;
};

static void look_peer(const struct nlattr *peer, struct seen *seen)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, peer) {
		if (mnl_attr_get_type(attr) != WGPEER_A_FLAGS)
			continue;
		seen->replace_ips += !!(mnl_attr_get_u32(attr) &
					WGPEER_F_REPLACE_ALLOWEDIPS);
		seen->update_only += !!(mnl_attr_get_u32(attr) &
					WGPEER_F_UPDATE_ONLY);
	}
}

static void look(const struct nlmsghdr *nlh, struct seen *seen)
{
	const struct nlattr *attr, *peer;

	seen->messages++;
	if (nlh->nlmsg_len > seen->longest)
		seen->longest = nlh->nlmsg_len;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == WGDEVICE_A_FLAGS)
			seen->replace_peers++;
		if (mnl_attr_get_type(attr) == WGDEVICE_A_PRIVATE_KEY)
			seen->private_keys++;
		if (mnl_attr_get_type(attr) != WGDEVICE_A_PEERS)
			continue;
		mnl_attr_for_each_nested(peer, attr)
			look_peer(peer, seen);
	}
}

/* Write with this much room per message and read it all back. */
static struct model_device *through(const struct model_device *dev,
				    size_t room, struct seen *seen)
{
	struct model_device *back = model_device_create("");
	struct codec_cursor cur;
	char *buf = malloc(room);
	bool more = true;
	int ret = 0;

	memset(seen, 0, sizeof(*seen));
	codec_begin(&cur, dev);
	while (more && !ret) {
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

		more = codec_put_set(&cur, nlh, room);
		look(nlh, seen);
		ret = codec_take_device(back, nlh);
		if (seen->messages > 100000)
			abort();
	}
	free(buf);
	if (!ret)
		return back;
	model_device_free(back);
	return NULL;
}

static void test_roundtrip(struct tap *tap)
{
	static const struct {
		unsigned int peers, ips, room;
		bool split;
	} shapes[] = {
		{ 0, 0, ROOM, false }, { 1, 0, ROOM, false },
		{ 1, 1, ROOM, false }, { 3, 50, ROOM, false },
		{ 1, 5000, ROOM, true }, { 500, 2, ROOM, true },
		{ 40, 300, ROOM, true }, { 20, 7, 512, true },
		{ 20, 7, 400, true }, { 9, 31, 1000, true },
	};
	struct model_device *dev, *back;
	struct seen seen;
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		dev = sample(shapes[i].peers, shapes[i].ips);
		back = through(dev, shapes[i].room, &seen);
		tap_ok(tap, back && same_device(dev, back),
		       "%u peers of %u prefixes, %u bytes: the same in %u messages",
		       shapes[i].peers, shapes[i].ips, shapes[i].room,
		       seen.messages);
		tap_ok(tap, (seen.messages > 1) == shapes[i].split,
		       "split only if needed");
		tap_ok(tap, seen.longest <= shapes[i].room, "no longer than allowed");
		tap_ok(tap, seen.replace_peers == 1 && seen.private_keys == 1 &&
		       seen.replace_ips == shapes[i].peers,
		       "each replace flag once");
		model_device_free(dev);
		model_device_free(back);
	}
}

static void test_every_room(struct tap *tap)
{
	struct model_device *dev = sample(4, 5), *back;
	unsigned int room, wrong = 0;
	struct seen seen;

	for (room = 300; room < 1200; room += 4) {
		back = through(dev, room, &seen);
		wrong += !back || !same_device(dev, back) ||
			 seen.longest > room || seen.replace_ips != 4;
		model_device_free(back);
	}
	tap_ok(tap, !wrong, "every message size gives the same device");
	model_device_free(dev);
}

static void test_update_only(struct tap *tap)
{
	struct model_device *dev = sample(1, 2000), *back;
	struct seen seen;

	dev->first->has |= MODEL_PEER_UPDATE_ONLY;
	back = through(dev, ROOM, &seen);
	tap_ok(tap, seen.messages > 2 && seen.update_only == seen.messages,
	       "UPDATE_ONLY in every part");
	model_device_free(back);
	dev->first->has |= MODEL_PEER_REMOVE;
	back = through(dev, ROOM, &seen);
	tap_ok(tap, seen.messages == 1 && back && !back->first->first &&
	       !back->first->keepalive, "a removal says nothing else");
	model_device_free(back);
	model_device_free(dev);
}

/* A dump as the kernel splits it; device attributes come twice. */
static void test_coalesce(struct tap *tap)
{
	struct model_device *dev = model_device_create("wg0");
	struct model_device *part = sample(2, 3);
	struct codec_cursor cur;
	char buf[ROOM];
	unsigned int i, n = 0;
	const struct model_allowedip *aip;

	for (i = 0; i < 3; i++) {
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

		/* The first peer alone, three times. */
		codec_begin(&cur, part);
		part->first->next = NULL;
		codec_put_set(&cur, nlh, sizeof(buf));
		tap_ok(tap, !codec_take_device(dev, nlh), "part %u reads", i);
		part->first->next = part->last;
	}
	for (aip = dev->first->first; aip; aip = aip->next)
		n++;
	tap_ok(tap, dev->first == dev->last && n == 9,
	       "adjacent parts of one peer become one");
	tap_ok(tap, dev->listen_port == 51820, "repeated attributes are fine");
	model_device_free(dev);
	model_device_free(part);
}

static int take_attr(uint16_t type, const void *data, size_t len)
{
	struct model_device *dev = model_device_create("wg0");
	char buf[ROOM];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int ret;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	mnl_attr_put(nlh, type, len, data);
	ret = codec_take_device(dev, nlh);
	model_device_free(dev);
	return ret;
}

static int take_peer_attr(uint16_t type, const void *data, size_t len,
			  bool keyed)
{
	struct model_device *dev = model_device_create("wg0");
	char buf[ROOM];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nlattr *peers, *peer;
	uint8_t key[WG_KEY_LEN] = { 1 };
	int ret;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	peers = mnl_attr_nest_start(nlh, WGDEVICE_A_PEERS);
	peer = mnl_attr_nest_start(nlh, 0);
	if (keyed)
		mnl_attr_put(nlh, WGPEER_A_PUBLIC_KEY, sizeof(key), key);
	mnl_attr_put(nlh, type, len, data);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, peers);
	ret = codec_take_device(dev, nlh);
	model_device_free(dev);
	return ret;
}

static void test_malformed(struct tap *tap)
{
	static const char zeros[64];
	static const uint16_t device[] = {
		WGDEVICE_A_IFINDEX, WGDEVICE_A_PRIVATE_KEY,
		WGDEVICE_A_PUBLIC_KEY, WGDEVICE_A_LISTEN_PORT,
		WGDEVICE_A_FWMARK,
	};
	static const uint16_t peer[] = {
		WGPEER_A_PUBLIC_KEY, WGPEER_A_PRESHARED_KEY,
		WGPEER_A_ENDPOINT, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
		WGPEER_A_LAST_HANDSHAKE_TIME, WGPEER_A_RX_BYTES,
		WGPEER_A_TX_BYTES,
	};
	struct nlmsghdr bare = { .nlmsg_len = sizeof(bare) };
	struct model_device *dev = model_device_create("wg0");
	size_t i;

	for (i = 0; i < sizeof(device) / sizeof(*device); i++)
		tap_ok(tap, take_attr(device[i], zeros, 5) == -EBADMSG,
		       "device attribute %u of a wrong length", device[i]);
	for (i = 0; i < sizeof(peer) / sizeof(*peer); i++)
		tap_ok(tap, take_peer_attr(peer[i], zeros, 5, true) == -EBADMSG,
		       "peer attribute %u of a wrong length", peer[i]);
	tap_ok(tap, take_attr(WGDEVICE_A_IFNAME, "abc", 3) == -EBADMSG,
	       "name without an end");
	tap_ok(tap, !take_attr(99, zeros, 5), "unknown attribute is ignored");
	tap_ok(tap, !take_peer_attr(99, zeros, 5, true),
	       "unknown attribute of a peer is ignored");
	tap_ok(tap, take_peer_attr(99, zeros, 5, false) == -EBADMSG,
	       "peer without a key");
	tap_ok(tap, take_peer_attr(WGPEER_A_ENDPOINT, zeros, 16, true) ==
	       -EBADMSG, "endpoint of no family");
	tap_ok(tap, take_peer_attr(WGPEER_A_ENDPOINT, zeros, 64, true) ==
	       -EBADMSG, "endpoint too long");
	tap_ok(tap, codec_take_device(dev, &bare) == -EBADMSG,
	       "message without a header");
	model_device_free(dev);
}

int main(void)
{
	struct tap tap = { .suite = "codec" };

	test_roundtrip(&tap);
	test_every_room(&tap);
	test_update_only(&tap);
	test_coalesce(&tap);
	test_malformed(&tap);
	return tap_end(&tap);
}
