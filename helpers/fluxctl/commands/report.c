/* SPDX-License-Identifier: MIT */
/* fluxctl report: a picture of a stop. */
/* Context: a program of one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "document/open.h"
#include "document/page.h"
#include "document/picture.h"
#include "document/words.h"
#include "lib/file_out.h"
#include "lib/output.h"
#include "lib/text.h"

enum { OPTION_OUTPUT, OPTION_FORMAT, OPTION_TITLE };

static const struct option_row options[] = {
    [OPTION_OUTPUT] = {.name = "output",
                       .letter = 'o',
                       .argument = "FILE",
                       .text = "where to, such as report.svg or report.html; '-' is stdout",
                       .completes = COMPLETES_FILE},
    [OPTION_FORMAT] = {.name = "format",
                       .argument = "F",
                       .text = "svg or html; as FILE is called, and svg if that doesn't say"},
    [OPTION_TITLE] = {.name = "title", .argument = "TEXT", .text = "instead of the outcome"},
};

typedef void (*writer)(FILE *, const struct document *, const char *);

static bool ends_in(const char *text, const char *end)
{
    size_t size = strlen(text), least = strlen(end);

    return size >= least && strcasecmp(text + size - least, end) == 0;
}

static writer writer_of(const char *format, const char *path)
{
    if (format) {
        return strcmp(format, "svg") == 0    ? picture_write
               : strcmp(format, "html") == 0 ? page_write
                                             : NULL;
    }
    return ends_in(path, ".html") || ends_in(path, ".htm") ? page_write : picture_write;
}

static enum status report(const struct document *document, writer write, const char *title,
                          const char *path)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);

    if (out) {
        write(out, document, title);
    }
    bool good = out && !ferror(out);

    if ((out && fclose(out) != 0) || !good) {
        say("no memory");
        free(bytes);
        return STATUS_NO;
    }
    enum status status = file_out(path, bytes, size);

    free(bytes);
    return status;
}

/* "nginx: 3 of 43 connections were ended". */
static enum status report_with_title(const struct document *document, writer write,
                                     const char *title, const char *path)
{
    char text[1024];

    (void)snprintf(text, sizeof(text), "%.64s: %s", text_valid(document->process.name),
                   words_outcome(document));
    return report(document, write, title ? title : text, path);
}

static enum status run(struct call *call)
{
    const char *path = call->values[OPTION_OUTPUT];
    struct document document;

    if (!path || path[0] == '\0') {
        say("where to? -o report.svg or -o report.html");
        return STATUS_USAGE;
    }
    writer write = writer_of(call->values[OPTION_FORMAT], path);

    if (!write) {
        say("--format=%s: allowed are svg and html", text_visible(call->values[OPTION_FORMAT]));
        return STATUS_USAGE;
    }
    enum status status = document_open(call->arguments[0], &document);

    if (status == STATUS_OK) {
        status = report_with_title(&document, write, call->values[OPTION_TITLE], path);
        document_free(&document);
    }
    return status;
}

const struct command command_report = {
    .name = "report",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .completes = COMPLETES_FILE,
    .summary = "a picture of a stop: phases, connections and hooks over time",
    .details =
        "FILE is what FLUX_CHECKPOINT names, '-' is stdin. The report is one file that needs\n"
        "nothing else: a picture, or a page with the picture and all figures.",
    COMMAND_OPTIONS(options),
    .run = run,
};
