/* SPDX-License-Identifier: MIT */
/* A page of HTML with the picture of a stop, and its figures in tables. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_DOCUMENT_PAGE_H
#define FLUXCTL_DOCUMENT_PAGE_H

#include <stdio.h>

#include "document/document.h"

void page_write(FILE *out, const struct document *document, const char *title);

#endif
