/* SPDX-License-Identifier: MIT */
/* Writes and erases the one line that a drain shows at a terminal. */
/* Context: coordinator thread only; never blocks. */
#include "engine/live.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/shim.h"

#define LINE_START  "\r\033[K" /* back to the left edge, erase to the right one (ECMA-48 CR, EL) */
#define LINE_MOST   160
#define INTERVAL_NS 100000000

/* Coordinator thread only. */
static char shown[LINE_MOST]; /* "" if the line is empty */
static int64_t shown_at;

/* A stopped terminal would block the write for as long as its user likes. */
static bool terminal_is_ready(void)
{
    struct pollfd terminal = {.fd = STDERR_FILENO, .events = POLLOUT};

    return shim->stderr_is_ours() && isatty(STDERR_FILENO) && poll(&terminal, 1, 0) == 1 &&
           (terminal.revents & POLLOUT);
}

/* A line that reaches the last column would wrap, and only its last row could be erased. */
static void cut_to_width(char *line)
{
    struct winsize window;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 &&
        strlen(line) >= window.ws_col) {
        line[window.ws_col - 1] = '\0';
    }
}

/* A short write garbles one line for a tenth of a second: not worth waiting for. */
static void draw(const char *line)
{
    char buffer[sizeof(LINE_START) + LINE_MOST];
    int n = snprintf(buffer, sizeof(buffer), LINE_START "%s", line);

    (void)!write(STDERR_FILENO, buffer, (size_t)n);
}

void live_show(const char *phase, uint64_t left, int64_t seconds_left)
{
    char line[LINE_MOST];
    int64_t now = shim_now();

    if (shown_at != 0 && now - shown_at < INTERVAL_NS) {
        return;
    }
    snprintf(line, sizeof(line), "fluxshim: %s, %llu connection%s left, %lld s", phase,
             (unsigned long long)left, left == 1 ? "" : "s", (long long)seconds_left);
    shown_at = now;
    if (!terminal_is_ready()) {
        return;
    }
    cut_to_width(line);
    if (strcmp(line, shown) != 0) {
        memcpy(shown, line, sizeof(shown));
        draw(shown);
    }
}

void live_clear(void)
{
    if (shown[0] != '\0' && terminal_is_ready()) {
        draw("");
    }
    shown[0] = '\0';
    shown_at = 0; /* after a line of the log the next one may come at once */
}
