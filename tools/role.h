/* SPDX-License-Identifier: GPL-2.0 */
/* What the verbs for whole setups have in common. (layer 7) */
#ifndef _WG_ROLE_H
#define _WG_ROLE_H

#include <stdbool.h>

#include "cidr.h"
#include "ctx.h"
#include "quick.h"
#include "rtnl.h"
#include "text.h"

/**
 * struct role - a setup in work
 * @name:	interface
 * @path:	its file
 * @quick:	what the file says
 * @is_new:	there was no file
 * @old:	what the file held
 * @was_up:	the interface ran when role_commit() began
 * @rtnl:	the host
 * @made_dir:	directory of the file, if we made it
 * @lock:	directory of the file, held so that two runs at once do not
 *		undo each other's work
 */
struct role {
	char name[MODEL_NAME_SIZE];
	char *path;
	struct quick *quick;
	bool is_new;
	struct text old;
	bool was_up;
	struct rtnl *rtnl;
	const char *made_dir;
	int lock;
};

/**
 * role_open() - read the file of a setup
 * @ctx:	the run
 * @role:	result, to be closed with role_close(), also on failure
 * @kind:	"server", "client", "site"; NULL: any file
 * @dir:	where files are, NULL for /etc/wireguard
 * @name:	interface
 * @create:	a file that is missing is begun, with "role" set to @kind
 *
 * A file that says another role, or none, is refused; so is a new file for an
 * interface that exists already.
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
 * role_public_key() - the setup's own
 * @ctx:	the run
 * @role:	setup
 * @key:	result
 *
 * Return: 0, or -EINVAL with an error text if the file has no private key.
 */
int role_public_key(struct ctx *ctx, const struct role *role,
		    uint8_t key[WG_KEY_LEN]);

/**
 * struct role_verb - what a verb can be asked to do
 * @name:	the word behind the verb; NULL ends a table
 * @run:	does it, that word first
 */
struct role_verb {
	const char *name;
	int (*run)(struct ctx *ctx, int argc, char **argv);
};

/**
 * role_run() - do what the word behind a verb says
 * @ctx:	the run
 * @verbs:	table, two or more
 * @argc:	number of words
 * @argv:	words, the verb's own first
 *
 * Return: what it returns, or -EINVAL with an error text that lists them.
 */
int role_run(struct ctx *ctx, const struct role_verb *verbs, int argc,
	     char **argv);

/**
 * role_words() - whether a verb has the words it needs
 * @ctx:	the run
 * @verb:	for errors, like "server add"
 * @names:	its words, like "IF NAME"
 * @argc:	number of words, the verb's own included, options taken out
 *
 * Return: 0, or -EINVAL with an error text.
 */
int role_words(struct ctx *ctx, const char *verb, const char *names, int argc);

/**
 * role_yes() - whether a setting is "yes"
 * @role:	setup
 * @section:	where
 * @key:	setting
 *
 * Return: true only for that word.
 */
bool role_yes(const struct role *role, size_t section, const char *key);

/**
 * role_get_list() - networks of a setting
 * @ctx:	the run
 * @role:	setup
 * @section:	where
 * @key:	setting
 * @list:	appended to; nothing if there is no such setting
 *
 * Return: 0 or negative errno with an error text.
 */
int role_get_list(struct ctx *ctx, const struct role *role, size_t section,
		  const char *key, struct cidr_list *list);

/**
 * role_set_list() - quick_set() for networks
 * @ctx:	the run
 * @quick:	file
 * @section:	where
 * @key:	as for quick_set()
 * @list:	value; an empty one removes the line
 *
 * Return: 0 or negative errno with an error text.
 */
int role_set_list(struct ctx *ctx, struct quick *quick, size_t section,
		  const char *key, const struct cidr_list *list);

/**
 * role_set_hosts() - the same for single hosts, without their lengths
 * @ctx:	the run
 * @quick:	file
 * @section:	where
 * @key:	as for quick_set()
 * @list:	value; an empty one removes the line
 *
 * Return: 0 or negative errno with an error text.
 */
int role_set_hosts(struct ctx *ctx, struct quick *quick, size_t section,
		   const char *key, const struct cidr_list *list);

/**
 * role_set_endpoint() - write the setting "endpoint" as the user says
 * @ctx:	the run
 * @role:	setup whose listen port is set
 * @text:	"HOST[:PORT]"; IPv6 addresses with or without brackets; without
 *		a port it is the listen port
 *
 * Return: 0 or negative errno with an error text.
 */
int role_set_endpoint(struct ctx *ctx, struct role *role, const char *text);

/**
 * role_find_endpoint() - write the setting "endpoint" from what the host has
 * @ctx:	the run
 * @role:	setup whose listen port is set
 * @inside:	if there is no public address, one behind another router will do
 *
 * Return: 0, -ENOENT with an error text if there is nothing to write, or
 * another negative errno with an error text.
 */
int role_find_endpoint(struct ctx *ctx, struct role *role, bool inside);

/**
 * role_todo_endpoint() - tell what others need to reach the endpoint
 * @ctx:	the run
 * @role:	setup with an endpoint
 *
 * That is what a router in front of this host has to do, or why it cannot.
 */
void role_todo_endpoint(struct ctx *ctx, const struct role *role);

/**
 * role_finish() - check, write the file, make it run
 * @ctx:	the run
 * @role:	setup
 * @no_up:	only write
 *
 * Checked first: a conflict leaves everything as it was.  If it cannot be made
 * to run, role_undo() follows.
 *
 * Return: 0 or negative errno with an error text.
 */
int role_finish(struct ctx *ctx, struct role *role, bool no_up);

/**
 * role_commit() - role_finish() without the checks
 * @ctx:	the run
 * @role:	setup
 * @no_up:	only write
 *
 * For what only takes away or renames: whatever collides on this host did so
 * before, and must not keep a client in that has to go.
 *
 * Return: 0 or negative errno with an error text.
 */
int role_commit(struct ctx *ctx, struct role *role, bool no_up);

/**
 * role_undo() - take role_finish() back
 * @ctx:	the run; the error text stays
 * @role:	setup
 *
 * The previous file comes back, and so does what ran.
 */
void role_undo(struct ctx *ctx, struct role *role);

/**
 * role_print() - write what the user asked for
 * @ctx:	the run
 * @path:	file for its owner only; NULL or "-": standard output
 * @text:	may hold secrets
 *
 * Return: 0 or negative errno with an error text.
 */
int role_print(struct ctx *ctx, const char *path, const struct text *text);

/**
 * role_hand_over() - role_print() what role_finish() was done for
 * @ctx:	the run
 * @role:	setup, finished
 * @path:	as for role_print()
 * @text:	as for role_print()
 *
 * If that fails, role_undo() follows: a key that nobody got is none.
 *
 * Return: 0 or negative errno with an error text.
 */
int role_hand_over(struct ctx *ctx, struct role *role, const char *path,
		   const struct text *text);

#endif /* _WG_ROLE_H */
