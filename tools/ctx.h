/* SPDX-License-Identifier: GPL-2.0 */
/* What every function of one run may need; there are no globals. (layer 0) */
#ifndef _WG_CTX_H
#define _WG_CTX_H

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/**
 * struct ctx - one run of the program
 * @path:	how we were called
 * @prog:	the same without directories
 * @compat:	called as "wg": be exactly that program on standard output
 * @out:	standard output
 * @err:	standard error
 * @color:	escape sequences wanted on @out
 * @rundir:	where userspace implementations keep their sockets
 * @statedir:	where is noted what tunnels changed on this host
 * @stopped:	signal that asked us to end, 0 for none
 * @getaddrinfo: the resolver; replaced by tests
 * @pause_ms:	waits; replaced by tests
 * @now:	wall clock; replaced by tests
 * @error:	text of the last failure, printed once by main
 */
struct ctx {
	const char *path;
	const char *prog;
	bool compat;
	FILE *out;
	FILE *err;
	bool color;
	const char *rundir;
	const char *statedir;
	int stopped;
	int (*getaddrinfo)(const char *host, const char *service,
			   const struct addrinfo *hints,
			   struct addrinfo **res);
	void (*pause_ms)(unsigned int ms);
	time_t (*now)(void);
	char error[1024];
};

/**
 * ctx_init() - a context bound to the process's own standard streams
 * @ctx:	to fill in
 * @argv0:	how the program was called
 */
void ctx_init(struct ctx *ctx, const char *argv0);

/**
 * ctx_fail() - remember why something failed
 * @ctx:	the run
 * @err:	negative errno to hand back
 * @fmt:	one line naming the thing, its value and what would be right
 *
 * Never pass secret values.  Control characters are replaced, here and in
 * all that is told: a stranger's file or token may have brought them.
 *
 * Return: @err.
 */
int ctx_fail(struct ctx *ctx, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * ctx_warn() - tell the user something without failing
 * @ctx:	the run
 * @fmt:	one line
 */
void ctx_warn(struct ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * ctx_warn_world_accessible() - warn if the output is a file that all can read
 * @ctx:	the run; a key is about to be printed
 */
void ctx_warn_world_accessible(struct ctx *ctx);

/**
 * ctx_say() - tell the user what was done
 * @ctx:	the run
 * @fmt:	one line
 */
void ctx_say(struct ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * ctx_todo() - tell the user what is left to do, and only the user can do
 * @ctx:	the run
 * @fmt:	one line
 */
void ctx_todo(struct ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* _WG_CTX_H */
