// SPDX-License-Identifier: GPL-2.0
/* Other programs. (layer 1) */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stop.h"

#define SPAWN_OUTPUT_MAX	(16UL << 20)
#define SPAWN_NO_PROGRAM	127

/* Where `su' without `-' does not look: nft is there. */
#define SPAWN_SYSTEM		"/usr/sbin:/sbin"

static bool spawn_look(const char *dirs, const char *program,
		       char path[PATH_MAX])
{
	while (*dirs) {
		size_t n = strcspn(dirs, ":");

		snprintf(path, PATH_MAX, "%.*s/%s", (int)n, dirs, program);
		if (n && !access(path, X_OK))
			return true;
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

static bool spawn_search(const char *program, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH");

	if (strchr(program, '/')) {
		snprintf(path, PATH_MAX, "%s", program);
		return !access(path, X_OK);
	}
	return spawn_look(dirs ? dirs : "/usr/bin:/bin", program, path) ||
	       spawn_look(SPAWN_SYSTEM, program, path);
}

bool spawn_find(const char *program)
{
	char path[PATH_MAX];

	return spawn_search(program, path);
}

/* A file without a name: no pipe can fill up, nothing touches a disk. */
static int spawn_scratch(const struct text *text)
{
	int fd = memfd_create("wgpeer", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (text && text->len &&
	    (write(fd, text->data, text->len) != (ssize_t)text->len ||
	     lseek(fd, 0, SEEK_SET))) {
		close(fd);
		return -ENOSPC;
	}
	return fd;
}

/* Where the words of others go; a stream of a test has no descriptor. */
static int spawn_err_fd(const struct ctx *ctx)
{
	int fd = fileno(ctx->err);

	fflush(ctx->err);
	return fd < 0 ? STDERR_FILENO : fd;
}

static int spawn_wait(struct ctx *ctx, const char *const argv[],
		      const int fds[3])
{
	char path[PATH_MAX];
	int status, ret, i;
	pid_t pid;

	pid = stop_fork(ctx);
	if (pid < 0)
		return -errno;
	if (!pid) {
		for (i = 0; i < 3; i++)
			dup2(fds[i], i);
		if (spawn_search(argv[0], path))
			execvp(path, (char *const *)argv);
		_exit(SPAWN_NO_PROGRAM);
	}
	ret = stop_join(pid, &status);
	if (ret)
		return ret;
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status);
}

/* The first line that a failed program said, without its newline. */
static int spawn_fail(struct ctx *ctx, const char *program, int status,
		      int err_fd)
{
	struct text said = { 0 };
	int ret;

	lseek(err_fd, 0, SEEK_SET);
	text_slurp(&said, err_fd, SPAWN_OUTPUT_MAX);
	if (status < 0)
		ret = ctx_fail(ctx, status, "`%s' failed: %s", program,
			       strerror(-status));
	else
		ret = ctx_fail(ctx, -EIO, "`%s' failed with status %d: %.*s",
			       program, status,
			       (int)strcspn(text_string(&said), "\n"),
			       text_string(&said));
	text_free(&said);
	return ret;
}

static int spawn_with(struct ctx *ctx, const char *const argv[],
		      const int fds[3], struct text *output)
{
	int status = spawn_wait(ctx, argv, fds);

	if (status)
		return spawn_fail(ctx, argv[0], status, fds[2]);
	if (!output)
		return 0;
	lseek(fds[1], 0, SEEK_SET);
	if (text_slurp(output, fds[1], SPAWN_OUTPUT_MAX))
		return ctx_fail(ctx, -EIO, "`%s' said too much", argv[0]);
	return 0;
}

int spawn_run(struct ctx *ctx, const char *const argv[],
	      const struct text *input, struct text *output)
{
	int fds[3] = { -1, -1, -1 }, i, ret;

	if (!spawn_find(argv[0]))
		return ctx_fail(ctx, -ENOENT, "There is no program `%s'",
				argv[0]);
	fds[0] = spawn_scratch(input);
	fds[1] = output ? spawn_scratch(NULL) :
			  fcntl(spawn_err_fd(ctx), F_DUPFD_CLOEXEC, 3);
	fds[2] = spawn_scratch(NULL);
	if (fds[0] < 0 || fds[1] < 0 || fds[2] < 0)
		ret = ctx_fail(ctx, -EIO, "Unable to start `%s': %s", argv[0],
			       strerror(errno));
	else
		ret = spawn_with(ctx, argv, fds, output);
	for (i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	return ret;
}

int spawn_shell(struct ctx *ctx, const char *line, const char *name)
{
	const char *shell = spawn_find("bash") ? "bash" : "sh";
	struct text command = { 0 };
	int fds[3], status, ret = 0;
	const char *argv[4];

	for (; *line; line++) {
		if (line[0] == '%' && line[1] == 'i') {
			text_put(&command, name);
			line++;
		} else {
			text_add(&command, line, 1);
		}
	}
	argv[0] = shell;
	argv[1] = "-c";
	argv[2] = text_string(&command);
	argv[3] = NULL;
	fds[0] = STDIN_FILENO;
	fds[1] = spawn_err_fd(ctx);
	fds[2] = fds[1];
	status = command.broken ? -ENOMEM : spawn_wait(ctx, argv, fds);
	if (status)
		ret = ctx_fail(ctx, status < 0 ? status : -EIO,
			       "`%s' ended with status %d", argv[2], status);
	text_free(&command);
	return ret;
}
