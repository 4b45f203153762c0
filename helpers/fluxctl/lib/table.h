/* SPDX-License-Identifier: MIT */
/* Tables as ss(8) and systemctl(1) print them: columns, no lines. */
/* Context: a program of one thread. */

/*
 *     static const struct table_column columns[] = {{"PID", TABLE_RIGHT}, {"NAME", TABLE_LEFT}};
 *     struct table *table = table_new(columns, 2);
 *     table_row(table, text_of_pid, text_visible(name));       as many texts as columns
 *     table_print(table, indent);                              and frees it
 *
 * Columns are as wide as their widest text. At a terminal a row that is too long is cut; in a pipe
 * nothing is. Texts are copied. A row's colour is that of table_color() before it.
 */
#ifndef FLUXCTL_LIB_TABLE_H
#define FLUXCTL_LIB_TABLE_H

#include <stddef.h>

#include "lib/output.h"

enum table_side { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *heading;
    enum table_side side;
};

struct table;

struct table *table_new(const struct table_column *columns, size_t count);
void table_color(struct table *table, enum color color);
void table_row(struct table *table, ...);
void table_print(struct table *table, size_t indent);

#endif
