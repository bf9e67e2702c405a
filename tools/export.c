// SPDX-License-Identifier: GPL-2.0
/* A file in the words of other programs. (layer 5) */
#include "export.h"

#include <errno.h>
#include <string.h>
#ifdef WGPEER_QR
#include <qrencode.h>
#endif

#include "export_form.h"

static int export_wg_quick(const struct export *e)
{
	quick_write(e->quick, e->text);
	return 0;
}

static const struct export_form {
	const char *name;
	int (*write)(const struct export *e);
} export_forms[] = {
	[EXPORT_WG_QUICK] = { "wg-quick", export_wg_quick },
	[EXPORT_NETWORKD] = { "networkd", export_networkd },
	[EXPORT_NM] = { "nm", export_nm },
	[EXPORT_UCI] = { "uci", export_uci },
	[EXPORT_JSON] = { "json", export_json },
};

#define EXPORT_FORMS	(sizeof(export_forms) / sizeof(export_forms[0]))

int export_format_parse(struct ctx *ctx, const char *text,
			enum export_format *format)
{
	size_t i;

	for (i = 0; i < EXPORT_FORMS; i++) {
		if (!strcmp(text, export_forms[i].name)) {
			*format = i;
			return 0;
		}
	}
	return ctx_fail(ctx, -EINVAL,
			"--format: `%.100s' is wrong; right would be wg-quick, networkd, nm, uci or json",
			text);
}

/* What would be missed in the form of another program. */
static int export_check_words(const struct export *e)
{
	static const char *const hooks[QUICK_HOOKS] = {
		[QUICK_PRE_UP] = "PreUp",
		[QUICK_POST_UP] = "PostUp",
		[QUICK_PRE_DOWN] = "PreDown",
		[QUICK_POST_DOWN] = "PostDown",
	};
	int i;

	for (i = 0; i < QUICK_HOOKS; i++) {
		if (e->quick->hooks[i].count)
			return export_no_words(e, hooks[i]);
	}
	if (export_kill_switch(e->quick))
		return export_no_words(e, "# wgpeer kill-switch");
	if (e->quick->save)
		ctx_warn(e->ctx, "%s: `SaveConfig' is left out: %s has no words for it",
			 e->quick->name, e->form);
	return 0;
}

static int export_check(const struct export *e, enum export_format format)
{
	int ret = 0;

	if (format == EXPORT_WG_QUICK)
		return 0;
	if (format != EXPORT_JSON)
		ret = export_check_words(e);
	if (!ret && quick_setting(e->quick, 0, "role"))
		ctx_warn(e->ctx, "%s: firewall, forwarding and other settings of %s itself are left out",
			 e->quick->name, e->ctx->prog);
	return ret;
}

int export_write(struct ctx *ctx, const struct quick *quick,
		 enum export_format format, struct text *text)
{
	struct text result = { 0 };
	const struct export e = {
		.ctx = ctx,
		.quick = quick,
		.text = &result,
		.form = export_forms[format].name,
	};
	int ret;

	ret = export_check(&e, format);
	if (!ret)
		ret = export_forms[format].write(&e);
	if (!ret && result.broken)
		ret = ctx_fail(ctx, -ENOMEM, "Out of memory");
	if (!ret)
		text_add(text, text_string(&result), result.len);
	text_free(&result);
	return ret;
}

#ifdef WGPEER_QR

#define EXPORT_QUIET	4	/* modules of margin that readers rely on */
#define EXPORT_QR_MAX	2953	/* bytes, version 40 */
/* Whatever the colours of the terminal are: white on black. */
#define EXPORT_COLOR	"\033[38;5;231;48;5;16m"
#define EXPORT_NO_COLOR	"\033[0m"

/* Whether a module is light, also outside. */
static bool export_is_light(const QRcode *qr, int x, int y)
{
	return x < 0 || y < 0 || x >= qr->width || y >= qr->width ||
	       !(qr->data[y * qr->width + x] & 1);
}

/* Light is what a block fills: terminals are dark more often than not. */
static void export_draw(const QRcode *qr, bool color, struct text *text)
{
	static const char *const blocks[] = { " ", "▄", "▀", "█" };
	int x, y;

	for (y = -EXPORT_QUIET; y < qr->width + EXPORT_QUIET; y += 2) {
		text_put(text, color ? EXPORT_COLOR : "");
		for (x = -EXPORT_QUIET; x < qr->width + EXPORT_QUIET; x++)
			text_put(text, blocks[2 * export_is_light(qr, x, y) +
					      export_is_light(qr, x, y + 1)]);
		text_put(text, color ? EXPORT_NO_COLOR "\n" : "\n");
	}
}

int export_qr(struct ctx *ctx, const char *data, struct text *text)
{
	size_t len = strlen(data);
	QRcode *qr = NULL;

	if (len && len <= EXPORT_QR_MAX)
		qr = QRcode_encodeData(len, (const unsigned char *)data, 0,
				       QR_ECLEVEL_L);
	if (!qr)
		return ctx_fail(ctx, -EFBIG,
				"%zu bytes do not fit into a QR code; right would be 1 to %d",
				len, EXPORT_QR_MAX);
	export_draw(qr, ctx->color, text);
	explicit_bzero(qr->data, (size_t)qr->width * qr->width);
	QRcode_free(qr);
	return text->broken ? ctx_fail(ctx, -ENOMEM, "Out of memory") : 0;
}

#else

int export_qr(struct ctx *ctx, const char *data, struct text *text)
{
	(void)data;
	(void)text;
	return ctx_fail(ctx, -EOPNOTSUPP,
			"--qr: this program was built without libqrencode; right would be to build it where `pkg-config libqrencode' succeeds");
}

#endif
