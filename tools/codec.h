/* SPDX-License-Identifier: GPL-2.0 */
/* The model as netlink attributes and back. (layer 3) */
#ifndef _WG_CODEC_H
#define _WG_CODEC_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "model.h"

/**
 * struct codec_cursor - how much of a device has been sent
 * @dev:	what to send
 * @peer:	next peer to send, or to go on with
 * @aip:	next allowed IP of @peer
 * @started:	the device's own attributes are out
 * @split:	@peer began in an earlier message
 */
struct codec_cursor {
	const struct model_device *dev;
	const struct model_peer *peer;
	const struct model_allowedip *aip;
	bool started;
	bool split;
};

/**
 * codec_begin() - prepare to send a device
 * @cur:	cursor
 * @dev:	device, stays unchanged while @cur is used
 */
void codec_begin(struct codec_cursor *cur, const struct model_device *dev);

/**
 * codec_put_set() - fill one SET message
 * @cur:	cursor, moved on
 * @nlh:	message with nothing but its netlink header
 * @size:	room for the whole message
 *
 * Flags that replace something are in the first part only; who goes on with
 * a peer repeats its key (spec 7.7).
 *
 * Return: whether more messages are needed.
 */
bool codec_put_set(struct codec_cursor *cur, struct nlmsghdr *nlh,
		   size_t size);

/**
 * codec_put_get() - fill a GET message
 * @nlh:	message with nothing but its netlink header
 * @name:	interface; a longer name than the kernel allows is refused there
 */
void codec_put_get(struct nlmsghdr *nlh, const char *name);

/**
 * codec_take_device() - add one message of a GET dump to a device
 * @dev:	device read so far
 * @nlh:	message
 *
 * A peer with the key of the last one goes on with it; device attributes may
 * be repeated (spec 7.4).
 *
 * Return: 0, -ENOMEM, or -EBADMSG for malformed attributes.
 */
int codec_take_device(struct model_device *dev, const struct nlmsghdr *nlh);

#endif /* _WG_CODEC_H */
