/* SPDX-License-Identifier: GPL-2.0 */
/* What can be done; one function per verb. (layer 6) */
#ifndef _WG_VERBS_H
#define _WG_VERBS_H

#include "ctx.h"

/* The words were wrong: main shows the verb's usage after the error text. */
#define VERB_USAGE	1
/* Not an error: the exit code tells that the interface is not up. */
#define VERB_NOT_UP	3

/*
 * argv[0] is the verb.  Each returns 0, VERB_USAGE, VERB_NOT_UP, or a negative
 * errno with an error text in the context.
 */
int show_main(struct ctx *ctx, int argc, char **argv);
int showconf_main(struct ctx *ctx, int argc, char **argv);
int set_main(struct ctx *ctx, int argc, char **argv);
int setconf_main(struct ctx *ctx, int argc, char **argv);
int addconf_main(struct ctx *ctx, int argc, char **argv);
int syncconf_main(struct ctx *ctx, int argc, char **argv);
int genkey_main(struct ctx *ctx, int argc, char **argv);
int genpsk_main(struct ctx *ctx, int argc, char **argv);
int pubkey_main(struct ctx *ctx, int argc, char **argv);

/* Those for whole setups: their errors are one line, never a usage. */
int up_main(struct ctx *ctx, int argc, char **argv);
int down_main(struct ctx *ctx, int argc, char **argv);
int apply_main(struct ctx *ctx, int argc, char **argv);
int status_main(struct ctx *ctx, int argc, char **argv);
int save_main(struct ctx *ctx, int argc, char **argv);
int strip_main(struct ctx *ctx, int argc, char **argv);
int export_main(struct ctx *ctx, int argc, char **argv);
int server_main(struct ctx *ctx, int argc, char **argv);
int client_main(struct ctx *ctx, int argc, char **argv);
int site_main(struct ctx *ctx, int argc, char **argv);

#endif /* _WG_VERBS_H */
