/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of allowedips.c have in common.
 */
#ifndef _WG_ALLOWEDIPS_KUNIT_H
#define _WG_ALLOWEDIPS_KUNIT_H

#include "../allowedips.h"

#include <kunit/test.h>

#define WG_ALLOWEDIPS_KUNIT_OWNERS 4

/**
 * struct wg_allowedips_kunit - what a case works on
 * @table: the tries
 * @owner: their owners
 * @lock: protects @table and the owners' lists
 */
struct wg_allowedips_kunit {
	struct wg_allowedips table;
	struct wg_allowedips_owner owner[WG_ALLOWEDIPS_KUNIT_OWNERS];
	struct mutex lock;	/* protects table and the owners' lists */
};

int wg_allowedips_kunit_init(struct kunit *test);
void wg_allowedips_kunit_exit(struct kunit *test);
int wg_allowedips_kunit_lookup(const struct wg_allowedips_kunit *ctx,
			       u16 family, const u8 *addr);
bool wg_allowedips_kunit_equal(const struct wg_allowedips_prefix *a,
			       const struct wg_allowedips_prefix *b);
bool wg_allowedips_kunit_covers(const struct wg_allowedips_prefix *prefix,
				u16 family, const u8 *addr);
int wg_allowedips_kunit_check(struct kunit *test);

#endif /* _WG_ALLOWEDIPS_KUNIT_H */
