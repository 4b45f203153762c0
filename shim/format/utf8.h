/* SPDX-License-Identifier: MIT */
/* Characters of UTF-8 in text that may be anything. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#ifndef FLUXSHIM_FORMAT_UTF8_H
#define FLUXSHIM_FORMAT_UTF8_H

#include <stddef.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, for what is no character */

/*
 * Bytes of the character at `text`, which ends with a NUL: 1 to 4, or 0 if it is none (RFC 3629: nothing
 * overlong, no surrogates).
 */
size_t utf8_length(const char *text);

#endif
