// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of a machine that has nothing but a kernel and modules: loads
 * /modules/00, /modules/01 and so on, takes the last one out again and turns
 * the machine off. What the unit tests say goes to the console by itself.
 *
 * Built with the kernel's own nolibc: no C library of that architecture.
 */
#include <linux/reboot.h>

static int load(const char *path)
{
	int fd, err;

	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	err = my_syscall3(__NR_finit_module, fd, "", 0);
	close(fd);
	if (err)
		printf("init: %s: error %d\n", path, -err);
	return 0;
}

int main(void)
{
	char path[] = "/modules/00";
	int i, err;

	for (i = 0; i < 100; i++) {
		path[9] = '0' + i / 10;
		path[10] = '0' + i % 10;
		if (load(path))
			break;
	}
	err = my_syscall2(__NR_delete_module, "wireguard", O_NONBLOCK);
	printf("init: %d modules, unloading: %d\ninit: end\n", i, -err);
	reboot(LINUX_REBOOT_CMD_RESTART);
	return 0;
}
