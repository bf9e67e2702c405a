// SPDX-License-Identifier: GPL-2.0
/* For the benchmark: shows the time spent in the cipher, see cipher_clock.h. */
#include "cipher_clock.h"

#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

DEFINE_PER_CPU(u64, wg_cipher_clock_ns);

static int wg_cipher_clock_get(char *buffer, const struct kernel_param *kp)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(wg_cipher_clock_ns, cpu));
	return sysfs_emit(buffer, "%llu\n", sum);
}

static const struct kernel_param_ops wg_cipher_clock_ops = {
	.get = wg_cipher_clock_get,
};

module_param_cb(cipher_ns, &wg_cipher_clock_ops, NULL, 0444);
