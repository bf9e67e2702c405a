/* SPDX-License-Identifier: GPL-2.0 */
/* Files of wg-quick, read and edited line by line. (layer 4) */
#ifndef _WG_QUICK_H
#define _WG_QUICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cidr.h"
#include "ctx.h"
#include "model.h"
#include "text.h"

/*
 * What wg-quick ignores as a comment carries what only we know:
 *
 *	# Name = laptop			in [Peer]: who that is
 *	# wgpeer KEY = VALUE		in [Interface] or [Peer]: a setting
 *
 * "# friendly_name =" is a name, too; case and spaces do not matter; the first
 * name of a peer counts.
 *
 * Sections are counted: 0 is [Interface], all of them if there are several, and
 * what is above the first section; 1 is the first [Peer] of the file.  What
 * stands between two sections belongs to the upper one, except right above the
 * lower one's head:
 *
 *	- empty lines, and comments that an empty line or the beginning of the
 *	  file cuts off from what is above, with these empty lines;
 *	- names, if what is above is [Interface] or a peer that has one already.
 *
 * Settings always stay where they are.
 *
 * Lines that an edit does not name stay byte for byte, in their order; new ones
 * end like the first line of the file.  No edit changes the name of a peer it
 * does not speak of: it fails rather.
 *
 * Beyond what wg-quick takes: a byte order mark, and CRLF.  As it does:
 * "Address" and "DNS" take spaces for commas, and a key of its own without a
 * value says nothing.
 */

enum quick_hook {
	QUICK_PRE_UP,
	QUICK_POST_UP,
	QUICK_PRE_DOWN,
	QUICK_POST_DOWN,
	QUICK_HOOKS,
};

enum quick_table {
	QUICK_TABLE_AUTO,	/* as wg-quick: main, or policy routing for /0 */
	QUICK_TABLE_OFF,
	QUICK_TABLE_ID,
};

/**
 * struct quick_words - some strings in order
 * @all:	allocated, as are the strings
 * @count:	how many
 */
struct quick_words {
	char **all;
	size_t count;
};

struct quick_line;

/**
 * struct quick - a file
 * @name:	interface
 * @path:	file of quick_read() that said just this, NULL for none
 * @lines:	what is written, line by line; see quick_line.h
 * @n_lines:	how many
 * @dev:	keys, port, mark, peers with &model_peer.name and
 *		&model_peer.host; endpoints are not resolved
 * @addresses:	"Address", host bits included
 * @dns:	servers of "DNS", single hosts
 * @search:	its other words
 * @hooks:	lines for a shell, by &enum quick_hook
 * @mtu:	576 to 65535; 0 if not said
 * @table_mode:	"Table"
 * @table:	for QUICK_TABLE_ID
 * @save:	"SaveConfig"
 */
struct quick {
	char name[MODEL_NAME_SIZE];
	char *path;
	struct quick_line *lines;
	size_t n_lines;
	struct model_device *dev;
	struct cidr_list addresses;
	struct cidr_list dns;
	struct quick_words search;
	struct quick_words hooks[QUICK_HOOKS];
	unsigned int mtu;
	enum quick_table table_mode;
	uint32_t table;
	bool save;
};

/**
 * quick_parse() - a text into a file
 * @ctx:	the run
 * @name:	interface
 * @path:	for errors
 * @text:	what the file holds; an empty one is a new file
 * @quick:	result, to be freed with quick_free()
 *
 * Return: 0 or negative errno with an error text that begins "PATH:LINE: ".
 */
int quick_parse(struct ctx *ctx, const char *name, const char *path,
		const struct text *text, struct quick **quick);

/**
 * quick_read() - read a file
 * @ctx:	the run
 * @name:	interface
 * @path:	file, "-" for standard input
 * @quick:	result, to be freed with quick_free()
 *
 * Return: 0 or negative errno with an error text.
 */
int quick_read(struct ctx *ctx, const char *name, const char *path,
	       struct quick **quick);

/**
 * quick_changed() - whether the file says something else by now
 * @ctx:	the run; its error text may change
 * @quick:	file
 *
 * Return: true also if it cannot be read any more; false without a @path.
 */
bool quick_changed(struct ctx *ctx, const struct quick *quick);

/**
 * quick_free() - wipe and free
 * @quick:	may be NULL
 */
void quick_free(struct quick *quick);

/**
 * quick_peer() - a peer by its section
 * @quick:	file
 * @section:	1 or more
 *
 * Return: the peer or NULL; good until the next edit.
 */
struct model_peer *quick_peer(const struct quick *quick, size_t section);

/**
 * quick_find_name() - a peer's section by its name
 * @quick:	file
 * @name:	as in "# Name ="
 *
 * Return: the section, 0 if there is none.
 */
size_t quick_find_name(const struct quick *quick, const char *name);

/**
 * quick_find_key() - a peer's section by its key
 * @quick:	file
 * @key:	public key
 *
 * Return: the section, 0 if there is none.
 */
size_t quick_find_key(const struct quick *quick,
		      const uint8_t key[WG_KEY_LEN]);

/**
 * quick_setting() - the value of "# wgpeer KEY = VALUE"
 * @quick:	file
 * @section:	where
 * @key:	setting
 *
 * Return: the value, good until the next edit, or NULL.
 */
const char *quick_setting(const struct quick *quick, size_t section,
			  const char *key);

/**
 * quick_set() - write, replace or remove a line
 * @ctx:	the run
 * @quick:	file
 * @section:	where
 * @key:	like "ListenPort"; "# Name"; "# wgpeer port" for a setting
 * @value:	one line, not empty; NULL removes every line with this key in
 *		the section
 *
 * The first line with the key gets the value, others with it go; a new line
 * comes behind the last of its section.  The file is read again then: pointers
 * into it are stale.  What would not be read back as it was given is refused.
 *
 * Return: 0 or negative errno with an error text; the file is as before then.
 */
int quick_set(struct ctx *ctx, struct quick *quick, size_t section,
	      const char *key, const char *value);

/**
 * quick_set_key() - the same for a key's bytes
 * @ctx:	the run
 * @quick:	file
 * @section:	where
 * @key:	like "PrivateKey"
 * @bytes:	value
 *
 * Return: 0 or negative errno with an error text.
 */
int quick_set_key(struct ctx *ctx, struct quick *quick, size_t section,
		  const char *key, const uint8_t bytes[WG_KEY_LEN]);

/**
 * quick_add_peer() - append a section
 * @ctx:	the run
 * @quick:	file
 * @name:	for "# Name =", NULL for none
 * @key:	public key
 *
 * Return: 0 or negative errno with an error text; the section is the last,
 * see quick_peers().
 */
int quick_add_peer(struct ctx *ctx, struct quick *quick, const char *name,
		   const uint8_t key[WG_KEY_LEN]);

/**
 * quick_remove_peer() - remove a section, with the comments that belong to it
 * @ctx:	the run
 * @quick:	file
 * @section:	1 or more
 *
 * An empty line takes its place where comments would go to another peer.
 *
 * Return: 0 or negative errno with an error text.
 */
int quick_remove_peer(struct ctx *ctx, struct quick *quick, size_t section);

/**
 * quick_drop_settings() - remove each "# wgpeer KEY = VALUE" of all sections
 * @ctx:	the run
 * @quick:	file, as somebody else made it
 *
 * A byte order mark goes with them.  What is left has no setting, however often
 * it is written and read.
 *
 * Return: 0 or negative errno with an error text.
 */
int quick_drop_settings(struct ctx *ctx, struct quick *quick);

/**
 * quick_peers() - how many peers, which is the last section
 * @quick:	file
 */
size_t quick_peers(const struct quick *quick);

/**
 * quick_check_name() - whether a peer's name can be written
 * @ctx:	the run
 * @what:	name of the setting, for errors
 * @name:	1 to 63 letters, digits, "_", "-", ".", "@", the first a letter
 *		or digit
 *
 * Return: 0, or -EINVAL with an error text.
 */
int quick_check_name(struct ctx *ctx, const char *what, const char *name);

/**
 * quick_write() - the file as it is now
 * @quick:	file
 * @text:	appended to
 */
void quick_write(const struct quick *quick, struct text *text);

/**
 * quick_strip() - only what wg itself knows, with comments, without settings
 * @quick:	file
 * @text:	appended to
 */
void quick_strip(const struct quick *quick, struct text *text);

/**
 * quick_save() - write it to its place, keeping the previous one as PATH.bak
 * @ctx:	the run
 * @quick:	file
 * @path:	its place
 *
 * Nothing is touched if the place holds the same already.
 *
 * Return: 0 or negative errno with an error text.
 */
int quick_save(struct ctx *ctx, const struct quick *quick, const char *path);

#endif /* _WG_QUICK_H */
