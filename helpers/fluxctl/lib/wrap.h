/* SPDX-License-Identifier: MIT */
/* Lines of prose, broken between words where the terminal ends. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_LIB_WRAP_H
#define FLUXCTL_LIB_WRAP_H

#include <stddef.h>

#include "lib/output.h"

/* `text` is safe to show. In a pipe it is one line. Words longer than a line are broken. */
void wrap_print(const char *text, size_t indent, enum color shade);

/* The same of a format. */
void wrap_printf(size_t indent, enum color shade, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

#endif
