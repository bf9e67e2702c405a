// SPDX-License-Identifier: GPL-2.0
/*
 * Tells the kernel that its machine has been cloned, as the driver of the
 * generation ID does. Kernels with that driver built in do not export how; a
 * probe finds out. Loading fails on purpose, so that nothing stays.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/random.h>

static int __init vmfork_init(void)
{
	void (*fork)(const void *unique_vm_id, size_t len);
	struct kprobe probe = { .symbol_name = "add_vmfork_randomness" };
	u8 id[16];
	int err;

	err = register_kprobe(&probe);
	if (err)
		return err;
	fork = (void *)probe.addr;
	unregister_kprobe(&probe);
	get_random_bytes(id, sizeof(id));
	fork(id, sizeof(id));
	return -EAGAIN;
}

module_init(vmfork_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The machine has been cloned");
