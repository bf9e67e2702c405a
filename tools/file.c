// SPDX-License-Identifier: GPL-2.0
/* Files that are there whole or not at all, and those of /proc. (layer 1) */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long somebody else's work is waited for. */
#define FILE_LOCK_MS	30000
#define FILE_LOCK_STEP	50

int file_read(struct ctx *ctx, const char *path, size_t limit,
	      struct text *text)
{
	int fd = STDIN_FILENO, ret;

	if (strcmp(path, "-")) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return ctx_fail(ctx, -errno, "Unable to open `%s': %s",
					path, strerror(errno));
	}
	ret = text_slurp(text, fd, limit);
	if (fd != STDIN_FILENO)
		close(fd);
	if (ret)
		return ctx_fail(ctx, ret, "Unable to read `%s': %s",
				strcmp(path, "-") ? path : "standard input",
				strerror(-ret));
	return 0;
}

static int file_put(int fd, const struct text *text, unsigned int mode)
{
	size_t done = 0;
	ssize_t n;

	/* Whatever the umask says. */
	if (fchmod(fd, mode))
		return -errno;
	while (done < text->len) {
		n = write(fd, text->data + done, text->len - done);
		if (n > 0)
			done += n;
		else if (n < 0 && errno != EINTR)
			return -errno;
	}
	return fsync(fd) ? -errno : 0;
}

/* The new name itself must be on disk, too. */
static void file_sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* Beside @path, which is replaced when all of it has been written. */
static int file_put_beside(const char *path, unsigned int mode,
			   const struct text *text)
{
	char temp[PATH_MAX];
	struct stat old;
	int fd, ret;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >=
	    sizeof(temp))
		return -ENAMETOOLONG;
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Only root can give it to somebody else, and then it was theirs. */
	if (!stat(path, &old) && fchown(fd, old.st_uid, old.st_gid))
		errno = 0;
	ret = file_put(fd, text, mode);
	close(fd);
	if (!ret && rename(temp, path))
		ret = -errno;
	if (ret)
		unlink(temp);
	else
		file_sync_directory(path);
	return ret;
}

int file_write(struct ctx *ctx, const char *path, unsigned int mode,
	       const struct text *text)
{
	char real[PATH_MAX];
	int ret;

	if (text->broken)
		return ctx_fail(ctx, -ENOMEM, "Out of memory");
	/* What a link points to is replaced, not the link. */
	ret = file_put_beside(realpath(path, real) ? real : path, mode, text);
	if (ret)
		return ctx_fail(ctx, ret, "Unable to write `%s': %s", path,
				strerror(-ret));
	return 0;
}

#define FILE_BACKUP_MAX	(1UL << 30)

int file_backup(struct ctx *ctx, const char *path)
{
	struct text text = { 0 };
	char backup[PATH_MAX];
	int ret;

	if (!file_exists(path))
		return 0;
	if ((size_t)snprintf(backup, sizeof(backup), "%s.bak", path) >=
	    sizeof(backup))
		return ctx_fail(ctx, -ENAMETOOLONG, "`%s': name too long",
				path);
	ret = file_read(ctx, path, FILE_BACKUP_MAX, &text);
	if (!ret)
		ret = file_write(ctx, backup, 0600, &text);
	text_free(&text);
	return ret;
}

int file_lock_dir(struct ctx *ctx, const char *dir)
{
	unsigned int waited;
	int fd, ret;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(ctx, -errno, "Unable to open `%s': %s", dir,
				strerror(errno));
	for (waited = 0; flock(fd, LOCK_EX | LOCK_NB);
	     waited += FILE_LOCK_STEP) {
		if (errno == EWOULDBLOCK && waited < FILE_LOCK_MS) {
			ctx->pause_ms(FILE_LOCK_STEP);
			continue;
		}
		if (errno == EWOULDBLOCK)
			ret = ctx_fail(ctx, -EBUSY,
				       "`%s' is being changed by somebody else; right would be to try again later",
				       dir);
		else
			ret = ctx_fail(ctx, -errno, "Unable to lock `%s': %s",
				       dir, strerror(errno));
		close(fd);
		return ret;
	}
	return fd;
}

bool file_exists(const char *path)
{
	return !access(path, F_OK);
}

int file_sysctl_get(const char *key, char value[FILE_SYSCTL_SIZE])
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, value, FILE_SYSCTL_SIZE - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

int file_sysctl_set(struct ctx *ctx, const char *key, const char *value)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/proc/sys/%s", key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
	} else {
		n = write(fd, value, strlen(value));
		if (n < 0)
			ret = -errno;
		close(fd);
	}
	if (ret)
		return ctx_fail(ctx, ret, "Unable to set `%s' to %s: %s", path,
				value, strerror(-ret));
	return 0;
}
