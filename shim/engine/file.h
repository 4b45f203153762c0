/* SPDX-License-Identifier: MIT */
/* Reads a whole file that nobody vouches for. */
/* Context: arming and coordinator thread; may allocate and block. */
#ifndef FLUXSHIM_ENGINE_FILE_H
#define FLUXSHIM_ENGINE_FILE_H

#include <stddef.h>

/*
 * The file `name` in `folder` (a descriptor, or AT_FDCWD), opened with `flags` beside O_RDONLY, as
 * a string with a NUL behind it, to be freed. It is never waited for: a FIFO opens at once and is
 * refused. 0, or -errno; -EINVAL: no regular file; -EISDIR: a folder; -EFBIG: more than `most`
 * bytes.
 */
int file_read(int folder, const char *name, int flags, size_t most, char **ret_text);

#endif
