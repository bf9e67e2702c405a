// SPDX-License-Identifier: GPL-2.0
/*
 * A page fragment per CPU.
 *
 * Layer 1.
 */
#include "frag.h"

#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <net/sock.h>

/**
 * struct wg_frag_cpu - a CPU's fragment while nobody uses it
 * @page_frag: what is left of a page
 * @taken: somebody uses it
 */
struct wg_frag_cpu {
	struct page_frag page_frag;
	bool taken;
};

static DEFINE_PER_CPU(struct wg_frag_cpu, wg_frag_cpu);

/**
 * wg_frag_take() - get this CPU's fragment
 * @frag: to be filled; given back on the same CPU
 *
 * Where BH off does not keep others from this CPU (PREEMPT_RT) it may be taken
 * already: then the caller gets an empty one of his own.
 *
 * Context: BH off until wg_frag_give().
 */
void wg_frag_take(struct wg_frag *frag)
{
	struct wg_frag_cpu *cpu = this_cpu_ptr(&wg_frag_cpu);

	memset(frag, 0, sizeof(*frag));
	if (this_cpu_xchg(wg_frag_cpu.taken, true))
		return;
	/* On PREEMPT_RT another task may have given it back: read it now. */
	barrier();
	frag->home = cpu;
	frag->page_frag = cpu->page_frag;
}

/**
 * wg_frag_give() - give a fragment back
 * @frag: from wg_frag_take()
 *
 * Context: BH off since then.
 */
void wg_frag_give(struct wg_frag *frag)
{
	struct page *page = frag->page_frag.page;

	/* A reserve for those who free memory: its packets may be dropped. */
	if (page && page_is_pfmemalloc(page)) {
		put_page(page);
		frag->page_frag.page = NULL;
	}
	if (frag->home) {
		frag->home->page_frag = frag->page_frag;
		barrier();
		WRITE_ONCE(frag->home->taken, false);
	} else if (frag->page_frag.page) {
		put_page(frag->page_frag.page);
	}
}

/**
 * wg_frag_room() - see to it that there is room in one piece
 * @frag: taken
 * @len: bytes, a page at most
 *
 * The room is page_frag.offset and what follows; who uses it moves the offset
 * and takes a reference on the page.
 *
 * Context: BH off.
 * Return: where it is, or NULL without memory.
 */
u8 *wg_frag_room(struct wg_frag *frag, u32 len)
{
	struct page_frag *page_frag = &frag->page_frag;

	/* Order 3 without reclaim, or a single page. */
	if (!skb_page_frag_refill(len, page_frag, GFP_ATOMIC))
		return NULL;
	return page_address(page_frag->page) + page_frag->offset;
}

/**
 * wg_frag_fini() - free the fragments of all CPUs
 *
 * Context: process; nobody takes one any more.
 */
void wg_frag_fini(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct page *page = per_cpu(wg_frag_cpu, cpu).page_frag.page;

		if (page)
			put_page(page);
	}
}
