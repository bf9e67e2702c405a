// SPDX-License-Identifier: GPL-2.0
/* Texts, files that are replaced in one step, programs, options. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../file.h"
#include "../opts.h"
#include "../spawn.h"
#include "../text.h"
#include "tap.h"

static void test_text(struct tap *tap)
{
	struct text text = { 0 };
	int i, fds[2];

	tap_same(tap, text_string(&text), "", "an empty text is a string");
	for (i = 0; i < 3000; i++)
		text_printf(&text, "%d,", i % 10);
	tap_ok(tap, text.len == 6000 && !strncmp(text.data + 5994, "7,8,9,", 7),
	       "grows");
	text_free(&text);
	text_put_json(&text, "a\"b\\c\n\x01\xc3\xa4\x7f");
	tap_same(tap, text_string(&text),
		 "\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa4\\u007f\"", "JSON");
	text_free(&text);
	text_put_json(&text, "J\xfcrgen\xed\xa0\x80\xf0\x9f\x90\xa7\xc3");
	tap_same(tap, text_string(&text),
		 "\"J\\ufffdrgen\\ufffd\\ufffd\\ufffd\xf0\x9f\x90\xa7\\ufffd\"",
		 "JSON of what is not UTF-8");
	text_free(&text);
	if (pipe(fds) || write(fds[1], "0123456789", 10) != 10)
		abort();
	close(fds[1]);
	tap_ok(tap, text_slurp(&text, fds[0], 9) == -EFBIG,
	       "too much is refused");
	text_free(&text);
	close(fds[0]);
	fds[0] = open("/dev/null", O_RDONLY);
	tap_ok(tap, !text_slurp(&text, fds[0], 9) && text.data && !text.len,
	       "nothing is an empty text");
	close(fds[0]);
	text_free(&text);
}

static unsigned int test_mode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_mode & 07777;
}

static void test_file(struct tap *tap, struct tap_run *run, const char *dir)
{
	struct text text = { 0 }, got = { 0 };
	char path[256], backup[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/conf", dir);
	snprintf(backup, sizeof(backup), "%s/conf.bak", dir);
	umask(0);
	text_put(&text, "one");
	tap_ok(tap, !file_backup(&run->ctx, path) && !file_exists(backup),
	       "nothing to keep");
	tap_ok(tap, !file_write(&run->ctx, path, 0600, &text) &&
	       test_mode(path) == 0600, "writes, for its owner only");
	tap_ok(tap, !file_backup(&run->ctx, path) &&
	       test_mode(backup) == 0600, "keeps, for its owner only");
	text_put(&text, "two");
	tap_ok(tap, !file_write(&run->ctx, path, 0640, &text) &&
	       test_mode(path) == 0640, "replaces");
	file_read(&run->ctx, path, 100, &got);
	tap_same(tap, text_string(&got), "onetwo", "new");
	text_free(&got);
	file_read(&run->ctx, backup, 100, &got);
	tap_same(tap, text_string(&got), "one", "old");
	text_free(&got);
	snprintf(backup, sizeof(backup), "%s/link", dir);
	if (symlink("conf", backup) || chown(path, getuid() ? -1 : 1, -1))
		abort();
	text_put(&text, "three");
	tap_ok(tap, !file_write(&run->ctx, backup, 0600, &text),
	       "writes through a link");
	text_free(&got);
	file_read(&run->ctx, path, 100, &got);
	tap_same(tap, text_string(&got), "onetwothree", "into what it is to");
	text_free(&got);
	tap_ok(tap, !lstat(backup, &st) && S_ISLNK(st.st_mode),
	       "the link stays");
	tap_ok(tap, !stat(path, &st) && st.st_uid == (getuid() ? getuid() : 1),
	       "and the owner");
	snprintf(backup, sizeof(backup), "%s/none/conf", dir);
	tap_ok(tap, file_write(&run->ctx, backup, 0600, &text) == -ENOENT &&
	       strstr(run->ctx.error, backup), "no directory: %s",
	       run->ctx.error);
	tap_ok(tap, file_read(&run->ctx, backup, 100, &got) == -ENOENT,
	       "no file: %s", run->ctx.error);
	text_free(&text);
}

static void test_spawn(struct tap *tap, struct tap_run *run, const char *dir)
{
	static const char *const cat[] = { "cat", NULL };
	static const char *const bad[] = {
		"sh", "-c", "echo one >&2; echo two >&2; exit 3", NULL
	};
	static const char *const odd[] = { "printf", "%s", "$HOME;`id`", NULL };
	static const char *const none[] = { "no-such-program", NULL };
	struct text in = { 0 }, out = { 0 };
	char line[300], path[280];
	int i;

	for (i = 0; i < 100000; i++)
		text_put(&in, "x");
	tap_ok(tap, !spawn_run(&run->ctx, cat, &in, &out) &&
	       out.len == 100000, "more than a pipe holds");
	text_free(&out);
	tap_ok(tap, spawn_run(&run->ctx, bad, NULL, &out) == -EIO &&
	       strstr(run->ctx.error, "status 3: one") &&
	       !strchr(run->ctx.error, '\n'), "tells: %s", run->ctx.error);
	text_free(&out);
	spawn_run(&run->ctx, odd, NULL, &out);
	tap_same(tap, text_string(&out), "$HOME;`id`", "no shell");
	text_free(&out);
	tap_ok(tap, spawn_run(&run->ctx, none, NULL, NULL) == -ENOENT &&
	       strstr(run->ctx.error, none[0]), "none: %s", run->ctx.error);
	snprintf(path, sizeof(path), "%s/hook", dir);
	snprintf(line, sizeof(line), "echo %%i > %s # %%i", path);
	tap_ok(tap, !spawn_shell(&run->ctx, line, "wg0"), "a hook");
	file_read(&run->ctx, path, 100, &out);
	tap_same(tap, text_string(&out), "wg0\n", "knows its interface");
	tap_ok(tap, spawn_shell(&run->ctx, "exit 7", "wg0") == -EIO &&
	       strstr(run->ctx.error, "7"), "fails: %s", run->ctx.error);
	text_free(&in);
	text_free(&out);
}

static void test_opts(struct tap *tap, struct tap_run *run)
{
	static const struct {
		const char *words;
		const char *want;	/* flag, value, words; or an error */
	} table[] = {
		{ "a b", "0 - a b" },
		{ "--flag a --value x", "1 x a" },
		{ "a --value=x=y b", "0 x=y a b" },
		{ "--value=", "0 " },
		{ "- --flag", "1 - -" },
		{ "-- --flag", "0 - --flag" },
		{ "--flag -- --value x", "1 - --value x" },
		{ "--frob", "right would be: --flag, --value" },
		{ "-x", "no option `-x'" },
		{ "--flag --flag", "said twice" },
		{ "--flag=1", "takes no value" },
		{ "--value", "needs a value" },
		{ "--value a --value b", "said twice" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char copy[100], got[200], *argv[10];
		const char *value = NULL;
		bool flag = false;
		const struct opt opts[] = {
			{ .name = "flag", .flag = &flag },
			{ .name = "value", .value = &value },
			{ 0 },
		};
		int argc = 0, j, n, ret;

		snprintf(copy, sizeof(copy), "%s", table[i].words);
		for (argv[0] = strtok(copy, " "); argv[argc];)
			argv[++argc] = strtok(NULL, " ");
		ret = opts_parse(&run->ctx, "verb", opts, &argc, argv);
		if (ret) {
			tap_ok(tap, strstr(run->ctx.error, table[i].want),
			       "`%s': %s", table[i].words, run->ctx.error);
			continue;
		}
		n = snprintf(got, sizeof(got), "%d %s", flag,
			     value ? value : "-");
		for (j = 0; j < argc; j++)
			n += snprintf(got + n, sizeof(got) - n, " %s", argv[j]);
		tap_same(tap, got, table[i].want, table[i].words);
	}
}

static void test_number(struct tap *tap, struct tap_run *run)
{
	static const char *const wrong[] = {
		"", "0", "65536", "-1", "+1", " 1", "1 ", "0x1",
		"99999999999999999999999",
	};
	unsigned long n = 0;
	size_t i;

	tap_ok(tap, !opts_number(&run->ctx, "port", "65535", 1, 65535, &n) &&
	       n == 65535, "the largest number");
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		tap_ok(tap, opts_number(&run->ctx, "port", wrong[i], 1, 65535,
					&n) == -EINVAL && n == 65535,
		       "refuses `%s': %s", wrong[i], run->ctx.error);
}

int main(void)
{
	char dir[] = "/tmp/wgpeer-test.XXXXXX";
	struct tap tap = { .suite = "files" };
	struct tap_run run;
	char *rm;

	if (!mkdtemp(dir))
		return 1;
	tap_run_begin(&run);
	test_text(&tap);
	test_file(&tap, &run, dir);
	test_spawn(&tap, &run, dir);
	test_opts(&tap, &run);
	test_number(&tap, &run);
	tap_run_end(&run);
	if (asprintf(&rm, "rm -r %s", dir) < 0 || system(rm))
		return 1;
	free(rm);
	return tap_end(&tap);
}
