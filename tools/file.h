/* SPDX-License-Identifier: GPL-2.0 */
/* Files that are there whole or not at all, and those of /proc. (layer 1) */
#ifndef _WG_FILE_H
#define _WG_FILE_H

#include <stdbool.h>

#include "ctx.h"
#include "text.h"

/**
 * file_read() - a whole file, "-" for standard input
 * @ctx:	the run
 * @path:	file, may be a pipe
 * @limit:	more bytes than this are refused
 * @text:	empty; to be freed with text_free(), also on failure
 *
 * Return: 0 or negative errno with an error text.
 */
int file_read(struct ctx *ctx, const char *path, size_t limit,
	      struct text *text);

/**
 * file_write() - replace a file in one step
 * @ctx:	the run
 * @path:	file; its directory must exist
 * @mode:	permissions
 * @text:	what shall be in it
 *
 * Whoever reads sees all of the old or all of the new, also after a crash. If
 * @path is a link, the file that it points to is replaced. The owner stays.
 *
 * Return: 0 or negative errno with an error text.
 */
int file_write(struct ctx *ctx, const char *path, unsigned int mode,
	       const struct text *text);

/**
 * file_backup() - keep what a file holds as PATH.bak, readable by its owner
 * @ctx:	the run
 * @path:	file; nothing happens if there is none
 *
 * Return: 0 or negative errno with an error text.
 */
int file_backup(struct ctx *ctx, const char *path);

/**
 * file_lock_dir() - let nobody else who asks edit files of a directory
 * @ctx:	the run
 * @dir:	directory; a file itself will not do, writing replaces it
 *
 * Waits a while for somebody else to be done.
 *
 * Return: a descriptor to be closed, -EBUSY, or another negative errno; with
 * an error text.
 */
int file_lock_dir(struct ctx *ctx, const char *dir);

/**
 * file_exists() - whether there is something
 * @path:	file
 */
bool file_exists(const char *path);

/* Longest value of a sysctl that is read. */
#define FILE_SYSCTL_SIZE	64

/**
 * file_sysctl_get() - read a kernel setting
 * @key:	like "net/ipv4/ip_forward"
 * @value:	result, without the newline
 *
 * Return: 0 or negative errno; does not set an error text.
 */
int file_sysctl_get(const char *key, char value[FILE_SYSCTL_SIZE]);

/**
 * file_sysctl_set() - change a kernel setting
 * @ctx:	the run
 * @key:	like "net/ipv4/ip_forward"
 * @value:	without a newline
 *
 * Return: 0 or negative errno with an error text.
 */
int file_sysctl_set(struct ctx *ctx, const char *key, const char *value);

#endif /* _WG_FILE_H */
