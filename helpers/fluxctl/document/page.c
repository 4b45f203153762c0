/* SPDX-License-Identifier: MIT */
/* Writes the tables of a page. */
/* Context: a program of one thread. */
#include "document/page.h"

#include <inttypes.h>
#include <stdarg.h>

#include "document/picture.h"
#include "document/words.h"
#include "lib/xml.h"

static const char style[] =
    "body{font:15px/1.5 system-ui,'Segoe UI','DejaVu Sans',sans-serif;max-width:1000px;"
    "margin:2em auto;padding:0 1em;color:#1f2328;background:#fff}"
    "svg{max-width:100%;height:auto}h1{font-size:1.4em}h2{font-size:1.1em;margin:1.6em 0 .4em}"
    "div{overflow-x:auto}table{border-collapse:collapse;font-size:.9em}"
    "th,td{text-align:left;padding:.25em .9em .25em 0;border-bottom:1px solid #d0d7de;"
    "overflow-wrap:anywhere}.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".bad{color:#cf222e}"
    "@media screen and (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}"
    "th,td{border-color:#30363d}.bad{color:#ff7b72}}";

/* Tables --------------------------------------------------------------------------------------- */

/* `headings` are separated by '|', those with a '#' before them are of numbers. */
static void begin_table(FILE *out, const char *title, const char *headings)
{
    (void)fprintf(out, "<h2>%s</h2>\n<div><table>\n<tr><th%s>", title,
                  *headings == '#' ? " class=\"n\"" : "");
    for (const char *at = headings + (*headings == '#'); *at; at++) {
        if (*at == '|') {
            (void)fprintf(out, "</th><th%s>", at[1] == '#' ? " class=\"n\"" : "");
            at += at[1] == '#';
        } else {
            (void)fputc(*at, out);
        }
    }
    (void)fputs("</th></tr>\n", out);
}

static void end_table(FILE *out)
{
    (void)fputs("</table></div>\n", out);
}

static void begin_row(FILE *out, bool is_bad)
{
    (void)fputs(is_bad ? "<tr class=\"bad\">" : "<tr>", out);
}

static void end_row(FILE *out)
{
    (void)fputs("</tr>\n", out);
}

static void cell(FILE *out, const char *text)
{
    (void)fputs("<td>", out);
    xml_text(out, text ? text : "");
    (void)fputs("</td>", out);
}

static void number(FILE *out, const char *text)
{
    (void)fputs("<td class=\"n\">", out);
    xml_text(out, text);
    (void)fputs("</td>", out);
}

/* The parts ------------------------------------------------------------------------------------ */

static void write_phases(FILE *out, const struct document *document)
{
    begin_table(out, "Phases", "Phase|#At|#Took");
    for (size_t i = 0; i < document->phase_count; i++) {
        begin_row(out, false);
        cell(out, document->phases[i].name);
        number(out, words_ms(document->phases[i].start_ms));
        number(out, words_ms(document->phases[i].duration_ms));
        end_row(out);
    }
    end_table(out);
}

static void write_listeners(FILE *out, const struct document *document)
{
    begin_table(out, "Listeners", "Address|#Accepted|#Rescued|Refused by");
    for (size_t i = 0; i < document->listener_count; i++) {
        const struct document_listener *listener = &document->listeners[i];

        begin_row(out, false);
        cell(out, listener->address);
        number(out, words_number(listener->accepted));
        number(out, words_number(listener->rescued));
        cell(out, listener->refusal);
        end_row(out);
    }
    end_table(out);
}

static void write_counts(FILE *out, const struct document_connections *connections)
{
    begin_table(out, "Connections",
                "#At the signal|#Rescued|#Finished|#Ended|#Nudged|#Open|#Accepted");
    begin_row(out, false);
    number(out, words_number(connections->at_signal));
    number(out, words_number(connections->rescued));
    number(out, words_number(connections->drained));
    number(out, words_number(connections->forced));
    number(out, words_number(connections->nudged));
    number(out, words_number(connections->open));
    number(out, words_number(connections->accepted));
    end_row(out);
    end_table(out);
}

static void write_remaining(FILE *out, const struct document_connections *connections)
{
    begin_table(out, "Connections that were left", "Peer|State|Why|#Age|#Quiet|#In|#Out|");
    for (size_t i = 0; i < connections->remaining_count; i++) {
        const struct document_connection *one = &connections->remaining[i];

        begin_row(out, one->forced);
        cell(out, one->peer);
        cell(out, one->state);
        cell(out, one->why);
        number(out, words_ms(one->age_ms));
        number(out, words_ms(one->quiet_ms));
        number(out, words_bytes(one->received));
        number(out, words_bytes(one->sent));
        cell(out, one->forced ? "ended" : "");
        end_row(out);
    }
    end_table(out);
    if (connections->omitted > 0) {
        (void)fprintf(out, "<p>And %" PRId64 " that the checkpoint had no room for.</p>\n",
                      connections->omitted);
    }
}

static void write_members(FILE *out, const struct document *document)
{
    begin_table(out, "Processes", "#Pid|Role|Status|#At the signal|#Finished|#Ended|#Accepted");
    for (size_t i = 0; i < document->member_count; i++) {
        const struct document_member *member = &document->members[i];

        begin_row(out, member->forced > 0);
        number(out, words_number(member->pid));
        cell(out, member->role);
        cell(out, member->status);
        number(out, words_number(member->at_signal));
        number(out, words_number(member->drained));
        number(out, words_number(member->forced));
        number(out, words_number(member->accepted));
        end_row(out);
    }
    end_table(out);
}

static void write_hooks(FILE *out, const struct document *document)
{
    begin_table(out, "Hooks", "Hook|Status|#Took|#Priority|Error|Path");
    for (size_t i = 0; i < document->hook_count; i++) {
        const struct document_hook *hook = &document->hooks[i];

        begin_row(out, !words_hook_is_good(hook));
        cell(out, hook->name);
        cell(out, hook->status);
        number(out, words_ms(hook->ms));
        number(out, words_number(hook->priority));
        cell(out, hook->error);
        cell(out, hook->path);
        end_row(out);
    }
    end_table(out);
}

static void write_files(FILE *out, const struct document *document)
{
    begin_table(out, "State files", "Path|Since start|#Size|Changed|SHA-256");
    for (size_t i = 0; i < document->file_count; i++) {
        const struct document_file *file = &document->files[i];

        begin_row(out, false);
        cell(out, file->path);
        cell(out, file->since_start);
        number(out, words_bytes(file->size));
        cell(out, words_time(file->mtime));
        cell(out, file->sha256);
        end_row(out);
    }
    end_table(out);
}

static void write_lifetime(FILE *out, const struct document_lifetime *lifetime)
{
    begin_table(out, "Over all starts",
                "#Starts|#Stops|#Accepted|#Finished at a stop|#Ended|#Seconds of service");
    begin_row(out, false);
    number(out, words_number(lifetime->starts));
    number(out, words_number(lifetime->stops));
    number(out, words_number(lifetime->accepted));
    number(out, words_number(lifetime->drained));
    number(out, words_number(lifetime->forced));
    number(out, words_number(lifetime->seconds));
    end_row(out);
    end_table(out);
}

static void write_tables(FILE *out, const struct document *document)
{
    static const struct {
        size_t count_offset;
        void (*write)(FILE *, const struct document *);
    } parts[] = {{offsetof(struct document, phase_count), write_phases},
                 {offsetof(struct document, listener_count), write_listeners},
                 {offsetof(struct document, member_count), write_members},
                 {offsetof(struct document, hook_count), write_hooks},
                 {offsetof(struct document, file_count), write_files}};

    write_counts(out, &document->connections);
    if (document->connections.remaining_count > 0) {
        write_remaining(out, &document->connections);
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (*(const size_t *)((const char *)document + parts[i].count_offset) > 0) {
            parts[i].write(out, document);
        }
    }
    write_lifetime(out, &document->lifetime);
}

void page_write(FILE *out, const struct document *document, const char *title)
{
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                "<meta name=\"viewport\" content=\"width=device-width\"/>\n"
                "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>",
                out);
    xml_text(out, title);
    (void)fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
    picture_write(out, document, title);
    write_tables(out, document);
    (void)fputs("</body>\n</html>\n", out);
}
