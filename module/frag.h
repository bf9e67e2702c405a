/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that datagrams are sealed and opened into, right behind each
 * other: a page fragment per CPU.
 *
 * Layer 1.
 */
#ifndef _WG_FRAG_H
#define _WG_FRAG_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct wg_frag - a page fragment in use
 * @page_frag: cut pieces off this, and take a page reference for each
 * @home: where it goes back to, NULL if it is a private one
 */
struct wg_frag {
	struct page_frag page_frag;
	struct wg_frag_cpu *home;
};

void wg_frag_take(struct wg_frag *frag);
void wg_frag_give(struct wg_frag *frag);
u8 *wg_frag_room(struct wg_frag *frag, u32 len);
void wg_frag_fini(void);

#endif /* _WG_FRAG_H */
