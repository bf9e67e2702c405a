// SPDX-License-Identifier: GPL-2.0
/* A file made real: link, peers, addresses, routes, rules. (layer 6) */
#include "tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc.h"
#include "spawn.h"
#include "stop.h"
#include "tunnel_build.h"
#include "tunnel_diff.h"
#include "tunnel_move.h"
#include "tunnel_peers.h"
#include "tunnel_save.h"
#include "tunnel_state.h"
#include "userspace.h"

static void tunnel_print(void *data, const char *line)
{
	struct ctx *ctx = data;

	fprintf(ctx->out, "%s\n", line);
}

/* --- beginning and end ---------------------------------------------------- */

static int tunnel_open(struct tunnel *t, struct ctx *ctx, const char *name,
		       bool dry)
{
	memset(t, 0, sizeof(*t));
	t->ctx = ctx;
	t->tell = dry ? tunnel_print : NULL;
	t->data = ctx;
	tunnel_plan_init(&t->from, name);
	tunnel_plan_init(&t->to, name);
	return rtnl_open(ctx, &t->rtnl);
}

static void tunnel_close(struct tunnel *t)
{
	rtnl_close(t->rtnl);
	tunnel_plan_free(&t->from);
	tunnel_plan_free(&t->to);
	model_device_free(t->want);
	model_device_free(t->have);
}

/* Finds the interface; @t->index stays 0 if there is none. */
static int tunnel_find(struct tunnel *t)
{
	const char *name = t->to.name;
	struct rtnl_link link;
	int ret;

	ret = rtnl_link_find(t->rtnl, name, &link);
	if (ret)
		return ret == -ENODEV ? 0 : ret;
	if (strcmp(link.kind, WG_LINK_KIND) && !userspace_has(t->ctx, name))
		return ctx_fail(t->ctx, -EEXIST,
				"`%s' is there already and is no WireGuard interface; right would be another name",
				name);
	t->index = link.index;
	return 0;
}

bool tunnel_is_up(struct ctx *ctx, const char *name)
{
	struct tunnel t;
	bool up;

	up = !tunnel_open(&t, ctx, name, false) && !tunnel_find(&t) && t.index;
	tunnel_close(&t);
	return up;
}

static int tunnel_hooks(struct tunnel *t, const struct quick *quick,
			enum quick_hook hook)
{
	static const char *const names[] = {
		[QUICK_PRE_UP] = "PreUp", [QUICK_POST_UP] = "PostUp",
		[QUICK_PRE_DOWN] = "PreDown", [QUICK_POST_DOWN] = "PostDown",
	};
	const struct quick_words *words = &quick->hooks[hook];
	int ret = 0;
	size_t i;

	for (i = 0; i < words->count && !ret; i++) {
		if (tunnel_move_tells(t, "run %s: %s", names[hook],
				      words->all[i]))
			continue;
		ret = stop_check(t->ctx);
		if (!ret)
			ret = spawn_shell(t->ctx, words->all[i], quick->name);
	}
	return ret;
}

/* --- planning and moving -------------------------------------------------- */

/* What runs and what shall run, as far as no lock is needed: names may take
 * their time.
 */
static int tunnel_prepare(struct tunnel *t, const struct quick *quick,
			  bool names)
{
	int ret = 0;

	if (t->index) {
		ret = ipc_get(t->ctx, t->to.name, &t->have);
	} else {
		t->have = model_device_create(t->to.name);
		if (!t->have)
			ret = ctx_fail(t->ctx, -ENOMEM, "Out of memory");
	}
	if (!ret)
		ret = tunnel_peers_want(t->ctx, quick->dev, &t->want);
	if (!ret && names)
		ret = tunnel_peers_resolve(t->ctx, t->want, t->have, &t->from,
					   &t->to);
	return ret;
}

/* The error of what failed stays, whatever undoing it says. */
static void tunnel_undo(struct tunnel *t, int (*undo)(struct tunnel *t))
{
	char text[sizeof(t->ctx->error)];

	memcpy(text, t->ctx->error, sizeof(text));
	/* A signal that ended a hook is not for what undoes the rest. */
	stop_check(t->ctx);
	if (undo(t))
		ctx_warn(t->ctx, "%s: could not undo all: %s", t->to.name,
			 t->ctx->error);
	memcpy(t->ctx->error, text, sizeof(text));
}

static int tunnel_back(struct tunnel *t)
{
	int ret, state;

	ret = tunnel_move_back(t);
	state = t->to.noted ? tunnel_state_write(t->ctx, NULL, &t->to) : 0;
	if (!t->to.noted)
		tunnel_state_remove(t->ctx, t->to.name);
	return ret ? ret : state;
}

/*
 * Also without the lock, if that cannot be had.  What could not be undone stays
 * noted: another attempt may succeed.
 */
static int tunnel_down_noted(struct tunnel *t)
{
	int lock = t->tell ? -1 : tunnel_state_lock(t->ctx), ret;

	ret = tunnel_move_down(t);
	if (!ret && !t->tell)
		tunnel_state_remove(t->ctx, t->from.name);
	if (lock >= 0)
		close(lock);
	return ret;
}

/* While names were looked up others may have been at work. */
static int tunnel_refresh(struct tunnel *t, const struct quick *quick)
{
	struct rtnl_link link;
	int ret;

	ret = rtnl_link_find(t->rtnl, t->to.name, &link);
	if (ret == -ENODEV)
		return ctx_fail(t->ctx, ret, "`%s' was taken down meanwhile",
				t->to.name);
	if (!ret && link.index != t->index)
		return ctx_fail(t->ctx, -ECANCELED,
				"`%s' was taken down and brought up meanwhile",
				t->to.name);
	if (!ret && quick_changed(t->ctx, quick))
		return ctx_fail(t->ctx, -ESTALE, "`%s' was changed meanwhile",
				quick->path);
	model_device_free(t->have);
	t->have = NULL;
	if (!ret)
		ret = ipc_get(t->ctx, t->to.name, &t->have);
	/* Of an interface that is new there is nothing that counts. */
	if (ret || t->flags & TUNNEL_DIFF_KEEP)
		return ret;
	tunnel_plan_free(&t->from);
	return tunnel_state_read(t->ctx, &t->from);
}

/* From what was made before to what the file wants, and nothing in between. */
static int tunnel_change(struct tunnel *t, const struct quick *quick)
{
	int lock = -1, ret = 0;

	if (!t->tell) {
		lock = tunnel_state_lock(t->ctx);
		if (lock < 0)
			return lock;
		ret = tunnel_refresh(t, quick);
	}
	if (!ret)
		ret = tunnel_build(t, quick);
	if (!ret && !t->tell)
		ret = tunnel_state_write(t->ctx, &t->from, &t->to);
	if (!ret) {
		ret = tunnel_move(t);
		if (!ret && !t->tell)
			ret = tunnel_state_write(t->ctx, NULL, &t->to);
		/* An interface that is new goes as a whole. */
		if (ret && !t->tell && !(t->flags & TUNNEL_DIFF_KEEP))
			tunnel_undo(t, tunnel_back);
	}
	if (lock >= 0)
		close(lock);
	return ret;
}

/* --- up ------------------------------------------------------------------- */

/* Kernels without WireGuard: a program that does the same, if there is one. */
static int tunnel_add_userspace(struct tunnel *t)
{
	const char *program = getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");
	const char *argv[3];

	argv[0] = program && *program ? program : "wireguard-go";
	argv[1] = t->to.name;
	argv[2] = NULL;
	if (!spawn_find(argv[0]))
		return -EOPNOTSUPP;
	ctx_say(t->ctx, "The kernel has no WireGuard; `%s' takes its place",
		argv[0]);
	return spawn_run(t->ctx, argv, NULL, NULL);
}

static int tunnel_add_link(struct tunnel *t)
{
	int ret;

	if (tunnel_move_tells(t, "add interface %s", t->to.name))
		return 0;
	/* So that it is known as ours if we are ended while a hook runs. */
	ret = tunnel_state_write(t->ctx, NULL, &t->to);
	if (ret)
		return ret;
	ret = rtnl_link_add(t->rtnl, t->to.name);
	if (ret == -EOPNOTSUPP)
		ret = tunnel_add_userspace(t);
	if (ret)
		tunnel_state_remove(t->ctx, t->to.name);
	return ret ? ret : tunnel_find(t);
}

/* What an earlier run left behind when the interface went without it. */
static int tunnel_clear_old(struct tunnel *t)
{
	int ret;

	ret = tunnel_state_read(t->ctx, &t->from);
	if (ret || !t->from.noted)
		return ret;
	ret = tunnel_down_noted(t);
	tunnel_plan_free(&t->from);
	t->stubborn = false;
	return ret;
}

static int tunnel_up_link(struct tunnel *t, const struct quick *quick)
{
	int ret;

	ret = tunnel_hooks(t, quick, QUICK_PRE_UP);
	if (!ret)
		ret = tunnel_prepare(t, quick, true);
	/* What a hook has made stays. */
	t->flags = TUNNEL_DIFF_KEEP;
	if (!ret)
		ret = tunnel_change(t, quick);
	if (!ret)
		ret = tunnel_hooks(t, quick, QUICK_POST_UP);
	return ret ? ret : stop_check(t->ctx);
}

/* Whatever was made so far: only the notes know. */
static int tunnel_up_undo(struct tunnel *t)
{
	int ret;

	tunnel_plan_free(&t->from);
	ret = tunnel_state_read(t->ctx, &t->from);
	return ret ? ret : tunnel_down_noted(t);
}

static int tunnel_up_all(struct ctx *ctx, const struct quick *quick, bool dry)
{
	struct tunnel t;
	int ret;

	ret = tunnel_open(&t, ctx, quick->name, dry);
	if (!ret)
		ret = tunnel_find(&t);
	if (!ret && t.index)
		ret = ctx_fail(ctx, -EEXIST,
			       "`%s' is up already; right would be `%s apply' or `%s down' first",
			       quick->name, ctx->prog, ctx->prog);
	if (!ret)
		ret = tunnel_clear_old(&t);
	if (!ret)
		ret = tunnel_add_link(&t);
	if (!ret) {
		ret = tunnel_up_link(&t, quick);
		/* Not if it is another one that is there now. */
		if (ret && ret != -ECANCELED && !dry)
			tunnel_undo(&t, tunnel_up_undo);
	}
	tunnel_close(&t);
	return ret;
}

/* A signal ends it, and what it has done so far is undone. */
static int tunnel_stoppable(struct ctx *ctx, const struct quick *quick,
			    bool dry,
			    int (*run)(struct ctx *ctx,
				       const struct quick *quick, bool dry))
{
	struct stop stop;
	int ret;

	stop_begin(&stop);
	ret = run(ctx, quick, dry);
	stop_end(ctx, &stop);
	return ret;
}

int tunnel_up(struct ctx *ctx, const struct quick *quick, bool dry)
{
	return tunnel_stoppable(ctx, quick, dry, tunnel_up_all);
}

/* --- apply ---------------------------------------------------------------- */

static int tunnel_apply_link(struct tunnel *t, const struct quick *quick,
			     bool names)
{
	int ret;

	ret = tunnel_state_read(t->ctx, &t->from);
	if (!ret)
		ret = tunnel_prepare(t, quick, names);
	if (!ret && !names &&
	    tunnel_peers_unasked(t->want, t->have, &t->from, t->tell, t->data))
		ret = ctx_fail(t->ctx, -ENOMEM, "Out of memory");
	return ret ? ret : tunnel_change(t, quick);
}

static int tunnel_apply_all(struct ctx *ctx, const struct quick *quick,
			    bool dry)
{
	struct tunnel t;
	bool up;
	int ret;

	ret = tunnel_open(&t, ctx, quick->name, dry);
	if (!ret)
		ret = tunnel_find(&t);
	up = !ret && t.index;
	if (up)
		ret = tunnel_apply_link(&t, quick, true);
	tunnel_close(&t);
	return ret || up ? ret : tunnel_up_all(ctx, quick, dry);
}

int tunnel_apply(struct ctx *ctx, const struct quick *quick, bool dry)
{
	return tunnel_stoppable(ctx, quick, dry, tunnel_apply_all);
}

int tunnel_differences(struct ctx *ctx, const struct quick *quick,
		       void (*tell)(void *data, const char *line), void *data)
{
	struct tunnel t;
	int ret;

	ret = tunnel_open(&t, ctx, quick->name, true);
	t.tell = tell;
	t.data = data;
	if (!ret)
		ret = tunnel_find(&t);
	if (!ret)
		ret = tunnel_apply_link(&t, quick, false);
	tunnel_close(&t);
	return ret;
}

/* --- down ----------------------------------------------------------------- */

/* What another program made is known from the file, as far as it can be. */
static void tunnel_down_guess(struct tunnel *t, const struct quick *quick)
{
	ctx_warn(t->ctx, "%s was not brought up by this program: its name servers and firewall rules are left alone",
		 t->to.name);
	if (!quick || tunnel_prepare(t, quick, false) ||
	    tunnel_build(t, quick))
		return;
	/* Only its routes, for their rules. */
	t->from.routes = t->to.routes;
	t->from.n_routes = t->to.n_routes;
	t->to.routes = NULL;
	t->to.n_routes = 0;
}

/* The first error is what is told; nothing keeps the rest from being undone. */
static void tunnel_note(struct ctx *ctx, int ret, int *first,
			char text[sizeof(ctx->error)])
{
	if (!ret)
		return;
	if (*first)
		ctx_warn(ctx, "%s", ctx->error);
	else
		memcpy(text, ctx->error, sizeof(ctx->error));
	*first = *first ? *first : ret;
}

static int tunnel_down_all(struct tunnel *t, const struct quick *quick,
			   const char *path)
{
	char text[sizeof(t->ctx->error)];
	int first = 0;

	if (quick && t->index)
		tunnel_note(t->ctx, tunnel_hooks(t, quick, QUICK_PRE_DOWN),
			    &first, text);
	if (quick && quick->save && path && t->index &&
	    !tunnel_move_tells(t, "save to %s", path))
		tunnel_note(t->ctx, tunnel_save(t->ctx, quick->name, path),
			    &first, text);
	tunnel_note(t->ctx, tunnel_down_noted(t), &first, text);
	if (quick)
		tunnel_note(t->ctx, tunnel_hooks(t, quick, QUICK_POST_DOWN),
			    &first, text);
	if (first)
		memcpy(t->ctx->error, text, sizeof(text));
	return first;
}

static int tunnel_down_with(struct ctx *ctx, const struct quick *quick,
			    const char *name, const char *path, bool dry)
{
	struct tunnel t;
	int ret;

	ret = tunnel_open(&t, ctx, name, dry);
	if (!ret)
		ret = tunnel_find(&t);
	if (!ret)
		ret = tunnel_state_read(ctx, &t.from);
	if (!ret && !t.index && !t.from.noted)
		ret = ctx_fail(ctx, -ENODEV, "`%s' is not up", name);
	if (!ret && !t.from.noted)
		tunnel_down_guess(&t, quick);
	if (!ret)
		ret = tunnel_down_all(&t, quick, path);
	tunnel_close(&t);
	return ret;
}

int tunnel_down(struct ctx *ctx, const struct quick *quick, const char *name,
		bool dry)
{
	return tunnel_down_with(ctx, quick, name, NULL, dry);
}

int tunnel_down_file(struct ctx *ctx, const struct quick *quick,
		     const char *path, bool dry)
{
	return tunnel_down_with(ctx, quick, quick->name, path, dry);
}
