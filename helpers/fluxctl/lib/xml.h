/* SPDX-License-Identifier: MIT */
/* Text within XML and HTML. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_LIB_XML_H
#define FLUXCTL_LIB_XML_H

#include <stddef.h>
#include <stdio.h>

/* Any text, in an element or in an attribute: what it may not hold is shown as text_visible() does. */
void xml_text(FILE *out, const char *text);

/* At most so many characters; what is longer ends in an ellipsis. */
void xml_cut(FILE *out, const char *text, size_t most);

#endif
