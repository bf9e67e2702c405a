// SPDX-License-Identifier: GPL-2.0
/*
 * The limit of peers (spec 7.6 step 4): a million real ones would need more
 * memory than test machines have, so the device only believes to have them.
 */
#include "../config.h"
#include "../packet.h"

#include <kunit/test.h>

#include <linux/rtnetlink.h>
#include <linux/sizes.h>
#include <linux/string.h>

struct wg_config_kunit {
	struct net_device dev;
	struct wg_device wg;
};

static int wg_config_kunit_init(struct kunit *test)
{
	struct wg_config_kunit *fix;
	struct wg_device *wg;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	if (!fix)
		return -ENOMEM;
	test->priv = fix;
	wg = &fix->wg;
	wg->dev = &fix->dev;
	mutex_init(&wg->config_lock);
	INIT_LIST_HEAD(&wg->peers);
	INIT_LIST_HEAD(&wg->removed);
	wg_identity_init(&wg->identity);
	KUNIT_ASSERT_EQ(test, wg_stats_init(&wg->stats), 0);
	KUNIT_ASSERT_EQ(test, wg_index_table_init(&wg->indices), 0);
	KUNIT_ASSERT_EQ(test, wg_peer_table_init(wg), 0);
	KUNIT_ASSERT_EQ(test, wg_tx_create_lanes(wg), 0);
	/* Nothing is ever received. */
	wg->rx_lanes = kunit_kcalloc(test, wg->lanes, sizeof(*wg->rx_lanes),
				     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, wg->rx_lanes);
	return 0;
}

static void wg_config_kunit_exit(struct kunit *test)
{
	struct wg_config_kunit *fix = test->priv;
	struct wg_device *wg = &fix->wg;

	KUNIT_EXPECT_TRUE(test, list_empty(&wg->peers));
	wg_tx_destroy_lanes(wg);
	wg_peer_table_destroy(wg);
	wg_index_table_destroy(&wg->indices);
	wg_stats_fini(&wg->stats);
}

/* One request about one peer; returns its error. */
static int wg_config_kunit_ask(struct wg_device *wg, u8 name, bool remove,
			       bool update_only)
{
	u8 key[WG_KEY_LEN] = { name };
	struct wg_config_peer change = {
		.public_key = key,
		.remove = remove,
		.update_only = update_only,
	};
	struct wg_peer *peer;
	int err;

	rtnl_lock();
	err = wg_config_begin(wg, false);
	if (!err) {
		err = wg_config_begin_peer(wg, &change, &peer);
		if (peer)
			wg_config_end_peer(peer, &change);
		wg_config_end(wg);
	}
	rtnl_unlock();
	return err;
}

static void peers_up_to_the_limit(struct kunit *test)
{
	struct wg_config_kunit *fix = test->priv;
	struct wg_device *wg = &fix->wg;

	KUNIT_EXPECT_EQ(test, (u32)WG_PEERS_MAX, (u32)SZ_1M);
	wg->n_peers = SZ_1M - 2;
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 1, false, false), 0);
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 2, false, false), 0);
	KUNIT_EXPECT_EQ(test, wg->n_peers, (u32)SZ_1M);
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 3, false, false),
			-ENOMEM);

	/* What creates none is as good as ever. */
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 2, false, false), 0);
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 3, false, true), 0);
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 3, true, false), 0);
	KUNIT_EXPECT_EQ(test, wg->n_peers, (u32)SZ_1M);

	/* One place, one peer. */
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 1, true, false), 0);
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 3, false, false), 0);
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 1, false, false),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 2, true, false), 0);
	KUNIT_EXPECT_EQ(test, wg_config_kunit_ask(wg, 3, true, false), 0);
	KUNIT_EXPECT_EQ(test, wg->n_peers, (u32)SZ_1M - 2);
}

static struct kunit_case wg_config_kunit_cases[] = {
	KUNIT_CASE(peers_up_to_the_limit),
	{}
};

static struct kunit_suite wg_config_kunit_suite = {
	.name = "wireguard_config",
	.init = wg_config_kunit_init,
	.exit = wg_config_kunit_exit,
	.test_cases = wg_config_kunit_cases,
};

kunit_test_suite(wg_config_kunit_suite);
