// SPDX-License-Identifier: GPL-2.0
/* export: a file in the words of another program. (layer 8) */
#include "export.h"

#include <errno.h>
#include <stdlib.h>

#include "up.h"
#include "verbs.h"

static int export_print(struct ctx *ctx, const struct quick *quick,
			enum export_format format, bool qr)
{
	struct text plain = { 0 }, picture = { 0 };
	const struct text *text = qr ? &picture : &plain;
	int ret;

	ret = export_write(ctx, quick, format, &plain);
	if (!ret && qr)
		ret = export_qr(ctx, text_string(&plain), &picture);
	if (!ret)
		ctx_warn_world_accessible(ctx);
	if (!ret)
		fwrite(text_string(text), 1, text->len, ctx->out);
	text_free(&plain);
	text_free(&picture);
	return ret;
}

int export_main(struct ctx *ctx, int argc, char **argv)
{
	enum export_format format = EXPORT_WG_QUICK;
	struct quick *quick;
	struct up up;
	int ret;

	ret = up_read(ctx, argc, argv, UP_EXPORT, &up, &quick);
	if (!ret && up.format)
		ret = export_format_parse(ctx, up.format, &format);
	if (!ret && up.qr && format != EXPORT_WG_QUICK)
		ret = ctx_fail(ctx, -EINVAL,
			       "export: --qr is for wg-quick's format only; right would be without --format");
	if (!ret)
		ret = export_print(ctx, quick, format, up.qr);
	quick_free(quick);
	free(up.path);
	return ret;
}
