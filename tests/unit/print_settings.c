/* SPDX-License-Identifier: MIT */
/* Prints the table of the settings as the README shows it. */
/* Context: a program; single-threaded. */
#include "../../shim/format/settings.h"

#include <stdio.h>

static void print_row(const struct settings_row *row)
{
    printf("| `%s` | %s | %s | %s |\n", row->name, row->shown, row->allowed, row->description);
}

int main(void)
{
    printf("| variable | default | allowed | what it is |\n|---|---|---|---|\n");
    for (size_t i = 0; i < settings_row_count(); i++)
        print_row(settings_rows() + i);
    return 0;
}
