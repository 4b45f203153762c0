/* SPDX-License-Identifier: MIT */
/* Writes to stdout and stderr. */
/* Context: a program of one thread. */
#include "lib/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/text.h"

static enum { AUTO, ALWAYS, NEVER } colors;

bool output_color(const char *when)
{
    static const char *const names[] = {[AUTO] = "auto", [ALWAYS] = "always", [NEVER] = "never"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(when, names[i]) == 0) {
            colors = (int)i;
            return true;
        }
    }
    say("--color=%s: allowed are auto, always and never", text_visible(when));
    return false;
}

static bool is_colored(void)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

    if (colors != AUTO) {
        return colors == ALWAYS;
    }
    return isatty(STDOUT_FILENO) && (!no || no[0] == '\0') &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

const char *color(enum color color)
{
    static const char *const sequences[] = {
        [COLOR_PLAIN] = "\033[0m",  [COLOR_BOLD] = "\033[1m",    [COLOR_DIM] = "\033[2m",
        [COLOR_GREEN] = "\033[32m", [COLOR_YELLOW] = "\033[33m", [COLOR_RED] = "\033[31m"};

    return is_colored() ? sequences[color] : "";
}

void say(const char *format, ...)
{
    va_list arguments;

    (void)fflush(stdout);
    va_start(arguments, format);
    (void)fputs("fluxctl: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
}

bool output_is_terminal(void)
{
    return isatty(STDOUT_FILENO) != 0;
}

size_t output_columns(size_t otherwise)
{
    struct winsize window;

    return output_is_terminal() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 &&
                   window.ws_col > 0
               ? window.ws_col
               : otherwise;
}

/*
 * cJSON escapes the control characters of C0, and writes tabs and newlines of its own; what else a
 * terminal must not get can only stand in a string, and \uHHHH is the same there.
 */
static bool print_escaped(const char *text)
{
    while (*text) {
        uint32_t character = 0;
        size_t n = text_harmful(text, &character);

        if (n > 0 && character >= ' ') {
            (void)printf("\\u%04" PRIx32, character);
        } else {
            n = 1;
            (void)putchar(*text);
        }
        text += n;
    }
    return putchar('\n') != EOF && fflush(stdout) == 0 && !ferror(stdout);
}

static bool print_text(char *text)
{
    bool printed = text && print_escaped(text);

    if (!printed && !(text && errno == EPIPE)) { /* whoever read it has heard enough */
        say("can't print the answer: %s", text ? "it can't be written" : "no memory");
    }
    free(text);
    return printed;
}

bool output_json(cJSON *root)
{
    char *text = cJSON_Print(root);

    cJSON_Delete(root);
    return print_text(text);
}

bool output_json_line(cJSON *root)
{
    char *text = cJSON_PrintUnformatted(root);

    cJSON_Delete(root);
    return print_text(text);
}

void json_add_integer(cJSON *object, const char *name, int64_t value)
{
    char digits[32];

    (void)snprintf(digits, sizeof(digits), "%" PRId64, value);
    (void)cJSON_AddRawToObject(object, name, digits);
}

void json_add_count(cJSON *object, const char *name, uint64_t value)
{
    char digits[32];

    (void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
    (void)cJSON_AddRawToObject(object, name, digits);
}

void json_add_ms(cJSON *object, const char *name, int64_t ns)
{
    char digits[32];
    uint64_t us = (ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) / 1000;

    (void)snprintf(digits, sizeof(digits), "%s%" PRIu64 ".%03u", ns <= -1000 ? "-" : "", us / 1000,
                   (unsigned)(us % 1000));
    (void)cJSON_AddRawToObject(object, name, digits);
}

void json_add_text(cJSON *object, const char *name, const char *text)
{
    if (text) {
        (void)cJSON_AddStringToObject(object, name, text_valid(text));
    } else {
        (void)cJSON_AddNullToObject(object, name);
    }
}
