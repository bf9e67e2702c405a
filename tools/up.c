// SPDX-License-Identifier: GPL-2.0
/* up, down, apply, save, strip: files of wg-quick. (layer 8) */
#include "up.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "opts.h"
#include "quick.h"
#include "text.h"
#include "tunnel.h"
#include "tunnel_save.h"
#include "verbs.h"

#define UP_DIRECTORY	"/etc/wireguard"
#define UP_SUFFIX	".conf"
#define UP_AGAIN	10

static int up_take_name(struct ctx *ctx, struct up *up, const char *name,
			size_t len)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=+.-";

	if (!len || len >= sizeof(up->name) || strspn(name, good) < len ||
	    (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))))
		return ctx_fail(ctx, -EINVAL,
				"interface: `%.*s' is wrong; right would be 1 to %zu letters, digits, `_', `=', `+', `.', `-', or a path that ends so and in %s",
				(int)len, name, sizeof(up->name) - 1,
				UP_SUFFIX);
	memcpy(up->name, name, len);
	return 0;
}

/* "wg0", or a path to wg0.conf */
static int up_take_word(struct ctx *ctx, struct up *up, const char *dir,
			const char *word)
{
	size_t len = strlen(word), tail = strlen(UP_SUFFIX);
	const char *slash;
	int ret;

	if (len > tail && !strcmp(word + len - tail, UP_SUFFIX)) {
		slash = strrchr(word, '/');
		slash = slash ? slash + 1 : word;
		up->path = strdup(word);
		ret = up_take_name(ctx, up, slash, strlen(slash) - tail);
	} else {
		ret = up_take_name(ctx, up, word, len);
		if (asprintf(&up->path, "%s/%s%s", dir ? dir : UP_DIRECTORY,
			     word, UP_SUFFIX) < 0)
			up->path = NULL;
	}
	if (!ret && !up->path)
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	return ret;
}

int up_parse(struct ctx *ctx, int argc, char **argv, unsigned int options,
	     struct up *up)
{
	const char *dir = NULL;
	struct opt opts[6] = { { "config-dir", NULL, &dir } };
	size_t n = 1;
	int ret;

	memset(up, 0, sizeof(*up));
	if (options & UP_DRY)
		opts[n++] = (struct opt){ "dry-run", &up->dry, NULL };
	if (options & UP_JSON)
		opts[n++] = (struct opt){ "json", &up->json, NULL };
	if (options & UP_EXPORT) {
		opts[n++] = (struct opt){ "format", NULL, &up->format };
		opts[n++] = (struct opt){ "qr", &up->qr, NULL };
	}
	ret = opts_parse(ctx, argv[0], opts, &argc, argv);
	if (ret)
		return ret;
	if (argc != 2)
		return ctx_fail(ctx, -EINVAL,
				"%s: one interface, or one file that ends in %s, is needed; here are %d words",
				argv[0], UP_SUFFIX, argc - 1);
	return up_take_word(ctx, up, dir, argv[1]);
}

/* As wg-quick: only if others can get at it. */
static void up_check_mode(struct ctx *ctx, const char *path)
{
	struct stat file, dir;
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	if (!stat(path, &file) && !stat(dirname(copy), &dir) &&
	    file.st_mode & dir.st_mode & 0007)
		ctx_warn(ctx, "`%s' is world accessible; right would be mode 0600",
			 path);
}

int up_read(struct ctx *ctx, int argc, char **argv, unsigned int options,
	    struct up *up, struct quick **quick)
{
	int ret;

	*quick = NULL;
	ret = up_parse(ctx, argc, argv, options, up);
	if (ret)
		return ret;
	up_check_mode(ctx, up->path);
	return quick_read(ctx, up->name, up->path, quick);
}

static int up_end(struct up *up, struct quick *quick, int ret)
{
	quick_free(quick);
	free(up->path);
	return ret;
}

/* Again while somebody else edits the file. */
static int up_run(struct ctx *ctx, int argc, char **argv,
		  int (*run)(struct ctx *ctx, const struct quick *quick,
			     bool dry))
{
	struct quick *quick;
	struct up up;
	int ret, i;

	ret = up_read(ctx, argc, argv, UP_DRY, &up, &quick);
	if (!ret)
		ret = run(ctx, quick, up.dry);
	for (i = 0; ret == -ESTALE && i < UP_AGAIN; i++) {
		ctx_say(ctx, "%s; starting over", ctx->error);
		quick_free(quick);
		ret = quick_read(ctx, up.name, up.path, &quick);
		if (!ret)
			ret = run(ctx, quick, up.dry);
	}
	return up_end(&up, quick, ret);
}

int up_main(struct ctx *ctx, int argc, char **argv)
{
	return up_run(ctx, argc, argv, tunnel_up);
}

int apply_main(struct ctx *ctx, int argc, char **argv)
{
	return up_run(ctx, argc, argv, tunnel_apply);
}

int down_main(struct ctx *ctx, int argc, char **argv)
{
	struct quick *quick = NULL;
	struct up up;
	int ret;

	ret = up_parse(ctx, argc, argv, UP_DRY, &up);
	/* Without a file that can be read the notes are enough. */
	if (!ret && file_exists(up.path) &&
	    quick_read(ctx, up.name, up.path, &quick))
		ctx_warn(ctx, "%s; hooks and SaveConfig are left out",
			 ctx->error);
	if (!ret && quick)
		ret = tunnel_down_file(ctx, quick, up.path, up.dry);
	else if (!ret)
		ret = tunnel_down(ctx, NULL, up.name, up.dry);
	return up_end(&up, quick, ret);
}

int save_main(struct ctx *ctx, int argc, char **argv)
{
	struct up up;
	int ret;

	ret = up_parse(ctx, argc, argv, 0, &up);
	if (!ret)
		ret = tunnel_save(ctx, up.name, up.path);
	return up_end(&up, NULL, ret);
}

int strip_main(struct ctx *ctx, int argc, char **argv)
{
	struct text text = { 0 };
	struct quick *quick;
	struct up up;
	int ret;

	ret = up_read(ctx, argc, argv, 0, &up, &quick);
	if (!ret) {
		quick_strip(quick, &text);
		if (text.broken)
			ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
		else
			fputs(text_string(&text), ctx->out);
		text_free(&text);
	}
	return up_end(&up, quick, ret);
}
