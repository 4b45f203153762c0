/* SPDX-License-Identifier: MIT */
/* The few things every file of the test servers needs: printing, failing, clocks and memory. */
#ifndef SERVERS_UTIL_H
#define SERVERS_UTIL_H

#include <stddef.h>
#include <stdint.h>

enum { EXIT_USAGE = 64 };

/* One line on stdout with a single write(2), so lines of several threads never mix and nothing is
 * left in a stdio buffer. Signal handlers may call it: glibc formats numbers and strings without
 * locking or allocating. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A message on stderr, then exit. `die` adds strerror(errno) and exits with 1. */
void die(const char *what) __attribute__((noreturn));
void die_usage(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

int64_t now_us(void);
void *must_alloc(size_t size);

#endif
