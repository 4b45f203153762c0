/* SPDX-License-Identifier: MIT */
/* The account of a shutdown as a JSON file that is whole at every instant. */
/* Context: coordinator thread only; may allocate and block. */

/*
 *     checkpoint_prepare("state.json");    at arming: before a chdir, chroot or setuid
 *     checkpoint_write(&record);           at the end, on demand, or every so often
 *
 * Writing: a new file beside the path (O_EXCL, 0600), fsync(2), the one before kept by a second
 * link as `.prev`, rename(2), fsync of the folder. Whoever opens the path, and whoever finds it
 * after a crash, has either the old file or the new one, whole. What is there and is no checkpoint
 * (cut off, larger than 32 MiB, another program's file) is set aside as `.corrupt-1`, the ones
 * before it as -2 and -3, so that it never takes the place of a good `.prev`. Where the file system has no hard links the one before is
 * lost, with a warning. What is neither a file nor absent (a symlink, FIFO, folder, device) is
 * left alone, and nothing is written.
 *
 * Times in the document are milliseconds with microsecond decimals since the shutdown began; text
 * from outside is made valid UTF-8, each bad byte becoming U+FFFD.
 *
 * A file size limit (RLIMIT_FSIZE) raises SIGXFSZ: the calling thread must have it blocked.
 *
 * Errors: 0 or -errno, told once in the log with the path and the reason.
 */
#ifndef FLUXSHIM_ENGINE_CHECKPOINT_H
#define FLUXSHIM_ENGINE_CHECKPOINT_H

#include "engine/past.h"
#include "engine/record.h"

/*
 * Remember the path, made absolute, and warn if it can't be written as things are now; it is tried
 * again at the end all the same. "" or NULL: no checkpoint is wanted, and writing does nothing.
 */
int checkpoint_prepare(const char *path);

int checkpoint_write(const struct record *record);

/* Of the last one that was read or written, 0: none. */
uint64_t checkpoint_generation(void);

/*
 * What the last start has left: the newest valid one of the file and .prev, as checkpoint_prepare()
 * has read it; generation 0 if there is none. It is kept until the hooks have what is theirs.
 */
const struct past *checkpoint_before(void);
void checkpoint_forget_before(void);

#endif
