/* SPDX-License-Identifier: MIT */
/* Writes a file as a whole, or not at all. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_LIB_FILE_OUT_H
#define FLUXCTL_LIB_FILE_OUT_H

#include <stddef.h>

#include "command.h"

/*
 * "-" is stdout. Another file is written beside its place and then renamed: one that was there is
 * whole until the new one is. What is there and no regular file (a device, a link) is left alone.
 */
enum status file_out(const char *path, const char *bytes, size_t size);

#endif
