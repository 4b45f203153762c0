/* SPDX-License-Identifier: MIT */
/* What a program has seen: a hash of everything, and on demand a line for each thing. */
/* Context: the program that is compared, and its children; one at a time writes. */

/*
 * The record lies in a file that the comparing process maps too, so that it outlives a program that
 * ends by a signal, and goes on in a forked child (whose parent waits for it) and over an exec.
 *
 * Only what must be the same in both runs may be recorded: no pid, port, address or time.
 */
#ifndef DIFFERENTIAL_RECORD_H
#define DIFFERENTIAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record {
    uint64_t hash;
    uint64_t steps; /* executed, in all processes */
};

/* Map the file, which has the size of a struct record. NULL with errno if that fails. */
struct record *record_map(const char *path);

/* Everything goes to this one; with `trace` also as lines to standard output. */
void record_to(struct record *record, bool trace);

void record_step(size_t number, const char *name);

/* The result and errno of a call, errno having been RECORD_ERRNO before it. */
enum { RECORD_ERRNO = 99 };
void record_call(const char *call, long result, int error);

void record_value(const char *what, long value);
void record_bytes(const char *what, const void *bytes, size_t size);

/* For facts of which only changes are worth a line. */
void record_quietly(const void *bytes, size_t size);
void record_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
