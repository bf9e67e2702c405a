// SPDX-License-Identifier: GPL-2.0
/* Any bytes as an answer of the kernel; what reads must write and read again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../codec.h"

#define ROOM	8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_device *dev = model_device_create("wg0");
	_Alignas(8) char out[ROOM];
	struct codec_cursor cur;
	struct nlmsghdr *nlh;
	bool more = true;

	/* Netlink messages are padded; libmnl reads up to there. */
	size &= ~(size_t)3;
	nlh = malloc(sizeof(*nlh) + size);
	memset(nlh, 0, sizeof(*nlh));
	memcpy(nlh + 1, data, size);
	nlh->nlmsg_len = sizeof(*nlh) + size;
	if (!codec_take_device(dev, nlh)) {
		codec_begin(&cur, dev);
		while (more)
			more = codec_put_set(&cur, mnl_nlmsg_put_header(out),
					     sizeof(out));
	}
	free(nlh);
	model_device_free(dev);
	return 0;
}
