// SPDX-License-Identifier: GPL-2.0
/* The Test Anything Protocol, and what several tests need. */
#include "tap.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

bool tap_ok(struct tap *tap, bool good, const char *fmt, ...)
{
	va_list args;

	tap->count++;
	tap->failed += !good;
	printf("%sok %u - %s: ", good ? "" : "not ", tap->count, tap->suite);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	return good;
}

bool tap_same(struct tap *tap, const char *got, const char *want,
	      const char *name)
{
	bool good = !strcmp(got, want);

	tap_ok(tap, good, "%s", name);
	if (!good)
		printf("# got:  <<%s>>\n# want: <<%s>>\n", got, want);
	return good;
}

int tap_end(const struct tap *tap)
{
	printf("1..%u\n", tap->count);
	return tap->failed || !tap->count;
}

int tap_skip(const struct tap *tap, const char *why)
{
	printf("ok 1 - %s # SKIP %s\n1..1\n", tap->suite, why);
	return 0;
}

static bool tap_write(const char *path, const char *words)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = write(fd, words, strlen(words)) > 0;
	close(fd);
	return good;
}

/* Without a mapping the programs we start would have no rights. */
static bool tap_become_root(int flags)
{
	unsigned int uid = geteuid(), gid = getegid();
	char user[32], group[32];

	snprintf(user, sizeof(user), "0 %u 1\n", uid);
	snprintf(group, sizeof(group), "0 %u 1\n", gid);
	return !unshare(flags | CLONE_NEWUSER) &&
	       tap_write("/proc/self/uid_map", user) &&
	       tap_write("/proc/self/setgroups", "deny") &&
	       tap_write("/proc/self/gid_map", group);
}

bool tap_namespace(int flags)
{
	if (unshare(flags) && !tap_become_root(flags))
		return false;
	/* What is mounted here must not be seen outside. */
	return !(flags & CLONE_NEWNS) ||
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int tap_no_resolver(const char *host, const char *service,
			   const struct addrinfo *hints,
			   struct addrinfo **res)
{
	struct addrinfo numeric = *hints;

	/* Tests must not ask the network. */
	if (host)
		numeric.ai_flags |= AI_NUMERICHOST;
	return getaddrinfo(host, service, &numeric, res);
}

static void tap_no_pause(unsigned int ms)
{
	(void)ms;
}

static time_t tap_now(void)
{
	return 2000000000;
}

void tap_run_begin(struct tap_run *run)
{
	memset(run, 0, sizeof(*run));
	ctx_init(&run->ctx, "wg");
	run->ctx.out = open_memstream(&run->out, &run->out_len);
	run->ctx.err = open_memstream(&run->err, &run->err_len);
	run->ctx.getaddrinfo = tap_no_resolver;
	run->ctx.pause_ms = tap_no_pause;
	run->ctx.now = tap_now;
	if (!run->ctx.out || !run->ctx.err)
		abort();
}

void tap_run_text(struct tap_run *run)
{
	fflush(run->ctx.out);
	fflush(run->ctx.err);
}

void tap_run_end(struct tap_run *run)
{
	fclose(run->ctx.out);
	fclose(run->ctx.err);
	free(run->out);
	free(run->err);
}
