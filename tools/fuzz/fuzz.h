/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets share. */
#ifndef _WG_FUZZ_H
#define _WG_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "../ctx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A quiet context that asks no name server and never waits. */
void fuzz_begin(struct ctx *ctx);
void fuzz_end(struct ctx *ctx);

/* The input as a string that ends at its first NUL; to be freed. */
char *fuzz_string(const uint8_t *data, size_t size);

#endif /* _WG_FUZZ_H */
