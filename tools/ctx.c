// SPDX-License-Identifier: GPL-2.0
/* One run of the program: streams, hooks, the pending error text. (layer 0) */
#include "ctx.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void ctx_pause_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = (ms % 1000) * 1000000L,
	};

	nanosleep(&ts, NULL);
}

static time_t ctx_now(void)
{
	return time(NULL);
}

void ctx_init(struct ctx *ctx, const char *argv0)
{
	const char *slash;

	memset(ctx, 0, sizeof(*ctx));
	ctx->path = argv0 ? argv0 : "wgpeer";
	slash = strrchr(ctx->path, '/');
	ctx->prog = slash ? slash + 1 : ctx->path;
	ctx->compat = !strcmp(ctx->prog, "wg");
	ctx->out = stdout;
	ctx->err = stderr;
	ctx->rundir = "/var/run/wireguard";
	ctx->statedir = "/run/wgpeer";
	ctx->getaddrinfo = getaddrinfo;
	ctx->pause_ms = ctx_pause_ms;
	ctx->now = ctx_now;
}

/*
 * Parts of it may come from a stranger's file or token, which must not command
 * the terminal.  U+0080 to U+009F, two bytes of UTF-8, are controls as well.
 */
static void ctx_disarm(char *text)
{
	unsigned char before = 0, c;

	for (; (c = *text); text++) {
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
		    (before == 0xc2 && c >= 0x80 && c < 0xa0))
			*text = '?';
		before = c;
	}
}

int ctx_fail(struct ctx *ctx, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ctx->error, sizeof(ctx->error), fmt, args);
	va_end(args);
	ctx_disarm(ctx->error);
	return err;
}

static void ctx_tell(struct ctx *ctx, const char *what, const char *fmt,
		     va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	ctx_disarm(text);
	fprintf(ctx->err, "%s%s\n", what, text);
	free(text);
}

void ctx_warn(struct ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ctx_tell(ctx, "Warning: ", fmt, args);
	va_end(args);
}

void ctx_warn_world_accessible(struct ctx *ctx)
{
	struct stat st;

	if (!fstat(fileno(ctx->out), &st) && S_ISREG(st.st_mode) &&
	    st.st_mode & S_IRWXO)
		ctx_warn(ctx, "writing to world accessible file.\nConsider setting the umask to 077 and trying again.");
}

void ctx_say(struct ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ctx_tell(ctx, "", fmt, args);
	va_end(args);
}

void ctx_todo(struct ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ctx_tell(ctx, "To do: ", fmt, args);
	va_end(args);
}
