/* SPDX-License-Identifier: GPL-2.0 */
/* What must be sent to make one device like another. (layer 3) */
#ifndef _WG_TUNNEL_DIFF_H
#define _WG_TUNNEL_DIFF_H

#include <stdbool.h>

#include "model.h"

enum tunnel_diff_flags {
	/* Peers that run but are not wanted stay. */
	TUNNEL_DIFF_KEEP	= 1U << 0,
	/* Single allowed IPs cannot be taken away: send the others again. */
	TUNNEL_DIFF_REPLACE	= 1U << 1,
};

/**
 * tunnel_diff_make() - what must be sent
 * @want:	device; what its @has does not mention may be anything
 * @have:	what runs
 * @flags:	&enum tunnel_diff_flags
 * @change:	result, to be freed with model_device_free()
 *
 * Return: 0 or -ENOMEM.
 */
int tunnel_diff_make(const struct model_device *want,
		     const struct model_device *have, unsigned int flags,
		     struct model_device **change);

/**
 * tunnel_diff_removes() - whether single allowed IPs are taken away
 * @change:	of tunnel_diff_make()
 */
bool tunnel_diff_removes(const struct model_device *change);

/**
 * tunnel_diff_tell() - changes as lines for people
 * @change:	of tunnel_diff_make()
 * @want:	names of peers
 * @tell:	called for each line
 * @data:	for @tell
 *
 * Return: whether there is any change.
 */
bool tunnel_diff_tell(const struct model_device *change,
		      const struct model_device *want,
		      void (*tell)(void *data, const char *line), void *data);

#endif /* _WG_TUNNEL_DIFF_H */
