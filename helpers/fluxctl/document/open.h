/* SPDX-License-Identifier: MIT */
/* Reads a checkpoint from a file, and says what is wrong with it. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_DOCUMENT_OPEN_H
#define FLUXCTL_DOCUMENT_OPEN_H

#include "command.h"
#include "document/document.h"

/* "-" is stdin. STATUS_OK and a document to be freed; or it is said what is wrong. */
enum status document_open(const char *file, struct document *ret_document);

#endif
