/* SPDX-License-Identifier: MIT */
/* Keeps the rows until the widths are known. */
/* Context: a program of one thread. */
#include "lib/table.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define GAP 2 /* between columns */

struct row {
    enum color color;
    char **texts;
};

struct table {
    const struct table_column *columns;
    size_t count;
    enum color color; /* of the next row */
    struct row *rows;
    size_t row_count, room;
};

static void *need(void *memory)
{
    if (!memory) {
        err(1, "no memory");
    }
    return memory;
}

void table_color(struct table *table, enum color color)
{
    table->color = color;
}

static struct row *new_row(struct table *table)
{
    if (table->row_count == table->room) {
        table->room = table->room ? 2 * table->room : 16;
        table->rows = need(realloc(table->rows, table->room * sizeof(*table->rows)));
    }
    struct row *row = &table->rows[table->row_count++];

    *row = (struct row){.color = table->color,
                        .texts = need(calloc(table->count, sizeof(*row->texts)))};
    return row;
}

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = need(calloc(1, sizeof(*table)));

    table->columns = columns;
    table->count = count;
    table_color(table, COLOR_BOLD);
    struct row *headings = new_row(table);

    for (size_t i = 0; i < count; i++) {
        headings->texts[i] = need(strdup(columns[i].heading));
    }
    table_color(table, COLOR_PLAIN);
    return table;
}

void table_row(struct table *table, ...)
{
    struct row *row = new_row(table);
    va_list texts;

    va_start(texts, table);
    for (size_t i = 0; i < table->count; i++) {
        row->texts[i] = need(strdup(va_arg(texts, const char *)));
    }
    va_end(texts);
}

static size_t width_of(const struct table *table, size_t column)
{
    size_t width = 0;

    for (size_t i = 0; i < table->row_count; i++) {
        size_t columns = text_columns(table->rows[i].texts[column]);

        width = columns > width ? columns : width;
    }
    return width;
}

static void append(char **line, size_t *size, size_t spaces, const char *text)
{
    size_t more = spaces + strlen(text);

    *line = need(realloc(*line, *size + more + 1));
    memset(*line + *size, ' ', spaces);
    memcpy(*line + *size + spaces, text, more - spaces + 1);
    *size += more;
}

static void print_line(const struct table *table, const size_t *widths, size_t indent,
                       const struct row *row)
{
    char *line = NULL;
    size_t size = 0, spaces = indent;

    for (size_t i = 0; i < table->count; i++) {
        const char *text = row->texts[i];
        size_t rest = widths[i] - text_columns(text);
        bool right = table->columns[i].side == TABLE_RIGHT;

        append(&line, &size, spaces + (right ? rest : 0), text);
        spaces = GAP + (right ? 0 : rest);
    }
    (void)printf("%s%.*s%s\n", row->color == COLOR_PLAIN ? "" : color(row->color),
                 (int)text_fit(line, output_columns(SIZE_MAX)), line,
                 row->color == COLOR_PLAIN ? "" : color(COLOR_PLAIN));
    free(line);
}

static void table_free(struct table *table)
{
    for (size_t i = 0; i < table->row_count; i++) {
        for (size_t j = 0; j < table->count; j++) {
            free(table->rows[i].texts[j]);
        }
        free(table->rows[i].texts);
    }
    free(table->rows);
    free(table);
}

void table_print(struct table *table, size_t indent)
{
    size_t *widths = need(calloc(table->count, sizeof(*widths)));

    for (size_t i = 0; i < table->count; i++) {
        widths[i] = width_of(table, i);
    }
    for (size_t i = 0; i < table->row_count; i++) {
        print_line(table, widths, indent, &table->rows[i]);
    }
    free(widths);
    table_free(table);
}
