// SPDX-License-Identifier: GPL-2.0
/* One run of the program: streams, hooks, the pending error text. (layer 0) */
#include "ctx.h"

#include <stdarg.h>
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

int ctx_fail(struct ctx *ctx, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ctx->error, sizeof(ctx->error), fmt, args);
	va_end(args);
	return err;
}

void ctx_warn(struct ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("Warning: ", ctx->err);
	vfprintf(ctx->err, fmt, args);
	fputc('\n', ctx->err);
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
	vfprintf(ctx->err, fmt, args);
	fputc('\n', ctx->err);
	va_end(args);
}

void ctx_todo(struct ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("To do: ", ctx->err);
	vfprintf(ctx->err, fmt, args);
	fputc('\n', ctx->err);
	va_end(args);
}
