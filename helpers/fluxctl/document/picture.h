/* SPDX-License-Identifier: MIT */
/* Draws a stop over time, as SVG. */
/* Context: a program of one thread. */

/*
 * From top to bottom: what stopped it, the figures that count, and on one axis of time the phases,
 * the connections that were left and the hooks. Nothing is loaded from elsewhere. Its style is for
 * light and dark screens, by what the reader's system prefers, and light on paper.
 */
#ifndef FLUXCTL_DOCUMENT_PICTURE_H
#define FLUXCTL_DOCUMENT_PICTURE_H

#include <stdio.h>

#include "document/document.h"

void picture_write(FILE *out, const struct document *document, const char *title);

#endif
