/* SPDX-License-Identifier: MIT */
/* What a checkpoint says, in words. */
/* Context: a program of one thread. */

/*
 * Each function but the last two returns one of the rotating buffers of lib/text.h; what is from
 * outside has been through text_visible().
 */
#ifndef FLUXCTL_DOCUMENT_WORDS_H
#define FLUXCTL_DOCUMENT_WORDS_H

#include <stdbool.h>

#include "document/document.h"

/* "0.1 ms", "850 ms", "2.46 s", "3 min 20 s"; "-" for NAN. */
const char *words_ms(double ms);

/* "78 B", "1.2 kB", "3.4 MB"; "-" for none. */
const char *words_bytes(int64_t bytes);

/* "12", or "-" for none. */
const char *words_number(int64_t number);

/* "2026-11-26 08:41:00 UTC", "-" for NULL. */
const char *words_time(const char *time);

/* "1 connection", "3 connections". */
const char *words_connections(int64_t count);

/* "SIGTERM from process 42 of uid 0", "the program's own end, with status 3". */
const char *words_why(const struct document *document);

/* "all 12 connections finished", "3 of 12 connections were ended". */
const char *words_outcome(const struct document *document);

/* It was written while the server went on. */
bool words_is_serving(const struct document *document);

/* Did it end well: "ok", or has yet to run. */
bool words_hook_is_good(const struct document_hook *hook);

#endif
