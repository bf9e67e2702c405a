// SPDX-License-Identifier: GPL-2.0
/* Clients of a server: list. (layer 8) */
#include "server.h"

#include "opts.h"
#include "role_list.h"

static const char *server_mode(const struct role *role, size_t section)
{
	if (quick_setting(role->quick, section, "previous"))
		return "previous";
	return role_yes(role, section, "exit") ? "exit" : "split";
}

int server_list(struct ctx *ctx, int argc, char **argv)
{
	const char *dir = NULL;
	bool json = false;
	const struct opt opts[] = {
		{ "json", &json, NULL },
		{ "config-dir", NULL, &dir },
		{ NULL, NULL, NULL },
	};
	struct role role;
	int ret;

	ret = opts_parse(ctx, "server list", opts, &argc, argv);
	if (!ret)
		ret = role_words(ctx, "server list", "IF", argc);
	if (ret)
		return ret;
	ret = role_open(ctx, &role, "server", dir, argv[1], false);
	if (!ret)
		ret = role_list(ctx, &role, "clients", json, server_mode);
	role_close(&role);
	return ret;
}
