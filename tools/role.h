/* SPDX-License-Identifier: GPL-2.0 */
/* What the verbs for whole setups have in common. (layer 7) */
#ifndef _WG_ROLE_H
#define _WG_ROLE_H

#include <stdbool.h>

#include "ctx.h"
#include "quick.h"
#include "rtnl.h"

/**
 * struct role - a setup in work
 * @name:	interface
 * @path:	its file
 * @quick:	what the file says
 * @is_new:	there was no file
 * @rtnl:	the host
 */
struct role {
	char name[MODEL_NAME_SIZE];
	char *path;
	struct quick *quick;
	bool is_new;
	struct rtnl *rtnl;
};

/**
 * role_open() - read the file of a setup
 * @ctx:	the run
 * @role:	result, to be closed with role_close(), also on failure
 * @kind:	"server", "client", "site"; NULL: any file
 * @dir:	where files are, NULL for /etc/wireguard
 * @name:	interface
 * @create:	a file that is missing is begun
 *
 * A file that says another role, or none, is refused.
 *
 * Return: 0 or negative errno with an error text.
 */
int role_open(struct ctx *ctx, struct role *role, const char *kind,
	      const char *dir, const char *name, bool create);

/**
 * role_close() - wipe and free
 * @role:	setup
 */
void role_close(struct role *role);

/**
 * role_new_key() - a private key
 * @ctx:	the run
 * @key:	result, clamped
 *
 * Return: 0 or negative errno with an error text.
 */
int role_new_key(struct ctx *ctx, uint8_t key[WG_KEY_LEN]);

/**
 * role_new_psk() - a preshared key
 * @ctx:	the run
 * @key:	result
 *
 * Return: 0 or negative errno with an error text.
 */
int role_new_psk(struct ctx *ctx, uint8_t key[WG_KEY_LEN]);

/**
 * role_finish() - check, write the file, make it run
 * @ctx:	the run
 * @role:	setup
 * @no_up:	only write
 *
 * Checked first: a conflict leaves everything as it was.  If it cannot be made
 * to run, the previous file comes back.
 *
 * Return: 0 or negative errno with an error text.
 */
int role_finish(struct ctx *ctx, struct role *role, bool no_up);

#endif /* _WG_ROLE_H */
