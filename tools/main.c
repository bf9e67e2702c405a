// SPDX-License-Identifier: GPL-2.0
/* Verb table and dispatch. (layer 7) */
#include <stdlib.h>
#include <string.h>

#include "ctx.h"
#include "stop.h"
#include "term.h"
#include "verbs.h"

#ifndef WGPEER_VERSION
#define WGPEER_VERSION "unknown"
#endif

/*
 * Scripts that call us as wg compare this with releases of wireguard-tools: it
 * is the release whose behaviour ours follows.
 */
#define MAIN_WG_LEVEL	"1.0.20260223"

#define MAIN_OUT_SIZE	65536

static const struct verb {
	const char *name;
	int (*run)(struct ctx *ctx, int argc, char **argv);
	const char *usage;
	const char *help;
} main_verbs[] = {
	{ "show", show_main,
	  "{ <interface> | all | interfaces } [public-key | private-key | listen-port | fwmark | peers | preshared-keys | endpoints | allowed-ips | latest-handshakes | transfer | persistent-keepalive | dump]",
	  "Shows the current configuration and device information" },
	{ "showconf", showconf_main, "<interface>",
	  "Shows the current configuration of a given WireGuard interface, for use with `setconf'" },
	{ "set", set_main,
	  "<interface> [listen-port <port>] [fwmark <mark>] [private-key <file path>] [peer <base64 public key> [remove] [preshared-key <file path>] [endpoint <ip>:<port>] [persistent-keepalive <interval seconds>] [allowed-ips [+|-]<ip1>/<cidr1>[,[+|-]<ip2>/<cidr2>]...] ]...",
	  "Change the current configuration, add peers, remove peers, or change peers" },
	{ "setconf", setconf_main, "<interface> <configuration filename>",
	  "Applies a configuration file to a WireGuard interface" },
	{ "addconf", addconf_main, "<interface> <configuration filename>",
	  "Appends a configuration file to a WireGuard interface" },
	{ "syncconf", syncconf_main, "<interface> <configuration filename>",
	  "Synchronizes a configuration file to a WireGuard interface" },
	{ "genkey", genkey_main, "",
	  "Generates a new private key and writes it to stdout" },
	{ "genpsk", genpsk_main, "",
	  "Generates a new preshared key and writes it to stdout" },
	{ "pubkey", pubkey_main, "",
	  "Reads a private key from stdin and writes a public key to stdout" },
};

#define MAIN_FILE	"{ <interface> | <file>.conf } [--config-dir <directory>]"

/* For whole tunnels; wg has none of them. */
static const struct verb main_setups[] = {
	{ "up", up_main, MAIN_FILE " [--dry-run]",
	  "Brings a file of wg-quick up" },
	{ "down", down_main, MAIN_FILE " [--dry-run]",
	  "Takes an interface down and undoes all that came with it" },
	{ "apply", apply_main, MAIN_FILE " [--dry-run]",
	  "Makes what runs like the file, changing only what differs" },
	{ "status", status_main, MAIN_FILE " [--json]",
	  "Shows what runs, and where it differs from the file" },
	{ "save", save_main, MAIN_FILE, "Writes what runs into the file" },
	{ "strip", strip_main, MAIN_FILE,
	  "Prints the file without what `setconf' does not know" },
	{ "export", export_main,
	  MAIN_FILE " [--format { wg-quick | networkd | nm | uci | json }] [--qr]",
	  "Prints the file in the words of another program, or as a QR code" },
	{ "server", server_main,
	  "{ init | add | list | export | remove | rename | rotate } <interface> [<name>] [--<option> [<value>]]...",
	  "Sets up a server for clients, and adds, shows and removes them" },
	{ "client", client_main,
	  "{ join | new | leave } <interface> [<file>] [--<option> [<value>]]...",
	  "Joins a server as its client, and leaves it" },
	{ "site", site_main,
	  "{ init | join | add | token | list | remove } <interface> [<token> | <name>] [--<option> [<value>]]...",
	  "Joins the networks of several sites" },
};

#define MAIN_VERBS	(sizeof(main_verbs) / sizeof(main_verbs[0]))
#define MAIN_SETUPS	(sizeof(main_setups) / sizeof(main_setups[0]))

/* Whether a verb is for whole tunnels. */
static bool main_is_setup(const struct verb *verb)
{
	return verb >= main_setups && verb < main_setups + MAIN_SETUPS;
}

static void main_help(const struct ctx *ctx, FILE *out)
{
	size_t i;

	fprintf(out, "Usage: %s <cmd> [<args>]\n\nAvailable subcommands:\n",
		ctx->path);
	for (i = 0; i < MAIN_VERBS; i++)
		fprintf(out, "  %s: %s\n", main_verbs[i].name,
			main_verbs[i].help);
	for (i = 0; i < MAIN_SETUPS && !ctx->compat; i++)
		fprintf(out, "  %s: %s\n", main_setups[i].name,
			main_setups[i].help);
	fputs("You may pass `--help' to any of these subcommands to view usage.\n",
	      out);
}

static void main_version(const struct ctx *ctx)
{
	if (ctx->compat)
		fputs("wireguard-tools v" MAIN_WG_LEVEL
		      " - wgpeer v" WGPEER_VERSION
		      ", an independent implementation\n", ctx->out);
	else
		fputs("wgpeer v" WGPEER_VERSION "\n", ctx->out);
}

static bool main_is_one_of(const char *word, const char *const *set)
{
	for (; *set; set++) {
		if (!strcmp(word, *set))
			return true;
	}
	return false;
}

static void main_verb_usage(const struct ctx *ctx, const struct verb *verb,
			    FILE *out)
{
	fprintf(out, "Usage: %s %s%s%s\n", ctx->prog, verb->name,
		*verb->usage ? " " : "", verb->usage);
}

/* What the kernel said stands on a second line: wg shows both. */
static void main_show_error(const struct ctx *ctx, bool one_line)
{
	int n = strcspn(ctx->error, "\n");

	if (one_line && ctx->error[n])
		fprintf(ctx->err, "%.*s; %s\n", n, ctx->error,
			ctx->error + n + 1);
	else
		fprintf(ctx->err, "%s\n", ctx->error);
}

static int main_run(struct ctx *ctx, const struct verb *verb, int argc,
		    char **argv)
{
	static const char *const help[] = { "-h", "--help", "help", NULL };
	static const char *const options[] = { "-h", "--help", NULL };
	bool asked = argc == 2 && main_is_one_of(argv[1], help);
	int ret;

	/* "help" may be the name of an interface there. */
	if (main_is_setup(verb))
		asked = argc > 1 && main_is_one_of(argv[argc - 1], options);

	/* As wg, only show ends well when asked for help. */
	if (asked && (!ctx->compat || verb->run == show_main)) {
		main_verb_usage(ctx, verb, ctx->err);
		return 0;
	}
	ret = verb->run(ctx, argc, argv);
	if (ret == VERB_NOT_UP)
		return ret;
	if (ret && *ctx->error)
		main_show_error(ctx, main_is_setup(verb));
	if (ret == VERB_USAGE)
		main_verb_usage(ctx, verb, ctx->err);
	return !!ret;
}

static const struct verb *main_find(const struct ctx *ctx, const char *name)
{
	size_t i;

	for (i = 0; i < MAIN_VERBS; i++) {
		if (!strcmp(main_verbs[i].name, name))
			return &main_verbs[i];
	}
	for (i = 0; i < MAIN_SETUPS && !ctx->compat; i++) {
		if (!strcmp(main_setups[i].name, name))
			return &main_setups[i];
	}
	return NULL;
}

static int main_unknown(const struct ctx *ctx, const char *name)
{
	fprintf(ctx->err, "Invalid subcommand: `%s'\n", name);
	main_help(ctx, ctx->err);
	return 1;
}

/* What wg has no "help" for: one verb, and what it does. */
static int main_verb_help(const struct ctx *ctx, const char *name)
{
	const struct verb *verb = main_find(ctx, name);

	if (!verb)
		return main_unknown(ctx, name);
	main_verb_usage(ctx, verb, ctx->out);
	fprintf(ctx->out, "%s\n", verb->help);
	return 0;
}

static int main_dispatch(struct ctx *ctx, int argc, char **argv)
{
	static const char *const version[] = {
		"-v", "--version", "version", NULL
	};
	static const char *const help[] = { "-h", "--help", "help", NULL };
	char *show[] = { "show", NULL };
	const struct verb *verb;

	if (argc < 2)
		return main_run(ctx, &main_verbs[0], 1, show);
	if (argc == 2 && main_is_one_of(argv[1], version)) {
		main_version(ctx);
		return 0;
	}
	if (argc == 2 && main_is_one_of(argv[1], help)) {
		main_help(ctx, ctx->out);
		return 0;
	}
	if (argc == 3 && !ctx->compat && main_is_one_of(argv[1], help))
		return main_verb_help(ctx, argv[2]);
	verb = main_find(ctx, argv[1]);
	return verb ? main_run(ctx, verb, argc - 1, argv + 1) :
		      main_unknown(ctx, argv[1]);
}

int main(int argc, char **argv)
{
	static char buffer[MAIN_OUT_SIZE];
	struct ctx ctx;
	int ret;

	ctx_init(&ctx, argc ? argv[0] : NULL);
	ctx.color = term_wants_color(ctx.out);
	/* Our own buffer, because keys pass through it. */
	setvbuf(ctx.out, buffer, _IOFBF, sizeof(buffer));
	ret = main_dispatch(&ctx, argc, argv);
	if (fflush(ctx.out) || ferror(ctx.out)) {
		fprintf(ctx.err, "%s: Unable to write to standard output\n",
			ctx.prog);
		ret = 1;
	}
	explicit_bzero(buffer, sizeof(buffer));
	stop_raise(&ctx);
	return ret;
}
