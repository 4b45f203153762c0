/* SPDX-License-Identifier: MIT */
/* Draws, and takes the signals of a terminal. */
/* Context: a program of one thread. */
#include "lib/live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "lib/text.h"

#define LINES_MOST 64
#define ENDING_MS  500 /* for the cursor, when a signal ends it */

#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"

struct line {
    char *text;
    enum color color;
};

static struct {
    int terminal, signals;
    sigset_t before;
    bool has_own_flags; /* opened once more: O_NONBLOCK is not the shell's */
    int ended_by;
    struct line lines[LINES_MOST];
    size_t line_count;
    size_t drawn[LINES_MOST], drawn_count; /* columns of each line of the frame that is shown, */
    size_t drawn_width;                    /* and of the terminal then */
    char *bytes;                           /* being written */
    size_t size, at;
} live = {.terminal = -1, .signals = -1};

/* The terminal ----------------------------------------------------------------------------------------- */

bool live_is_possible(void)
{
    const char *terminal = getenv("TERM");

    return output_is_terminal() && terminal && terminal[0] && strcmp(terminal, "dumb") != 0;
}

static struct winsize window(void)
{
    struct winsize size;

    if (ioctl(live.terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    }
    return size;
}

/* One less: behind the last column some terminals wrap at once, and some erase it with what follows. */
size_t live_columns(void)
{
    size_t columns = window().ws_col;

    return columns > 1 ? columns - 1 : 1;
}

/* One less, for the cursor. */
size_t live_rows(void)
{
    size_t rows = window().ws_row;

    rows = rows > 1 ? rows - 1 : 1;
    return rows < LINES_MOST ? rows : LINES_MOST;
}

static bool is_in_background(void)
{
    pid_t group = tcgetpgrp(live.terminal);

    return group > 0 && group != getpgrp();
}

/* Writing ---------------------------------------------------------------------------------------------- */

static bool is_writing(void)
{
    return live.at < live.size;
}

static bool can_write(int timeout_ms)
{
    struct pollfd one = {.fd = live.terminal, .events = POLLOUT};

    return poll(&one, 1, timeout_ms) == 1;
}

/* As much as it takes. False: it is gone. */
static bool write_on(void)
{
    while (is_writing() && can_write(0)) {
        ssize_t n = write(live.terminal, live.bytes + live.at, live.size - live.at);

        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            live.at = live.size;
            return false;
        }
        if (n < 0) {
            break;
        }
        live.at += (size_t)n;
    }
    return true;
}

/* Nothing else is being written. `size` bytes of malloc's. */
static bool write_all(char *bytes, size_t size)
{
    free(live.bytes);
    live.bytes = bytes;
    live.size = bytes ? size : 0;
    live.at = 0;
    return write_on();
}

static bool write_text(const char *text)
{
    return write_all(strdup(text), strlen(text));
}

/* Frames ----------------------------------------------------------------------------------------------- */

void live_line(enum color color, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    if (live.line_count == LINES_MOST) {
        return;
    }
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
    }
    va_end(arguments);
    if (text) {
        text[text_fit(text, live_columns())] = '\0';
        live.lines[live.line_count++] = (struct line){.text = text, .color = color};
    }
}

size_t live_lines(void)
{
    return live.line_count;
}

/* From the line below the frame that is shown to its first one, as the terminal has wrapped it. */
static size_t rows_up(void)
{
    size_t columns = window().ws_col, up = 0;

    for (size_t i = 0; i < live.drawn_count; i++) {
        up += live.drawn[i] > columns ? (live.drawn[i] + columns - 1) / columns : 1;
    }
    return up;
}

static void forget_lines(void)
{
    while (live.line_count > 0) {
        free(live.lines[--live.line_count].text);
    }
}

static void print_line(FILE *out, const struct line *line)
{
    bool colored = line->color != COLOR_PLAIN;

    (void)fprintf(out, "%s%s%s\033[K\r\n", colored ? color(line->color) : "", line->text,
                  colored ? color(COLOR_PLAIN) : "");
}

static void print_frame(FILE *out)
{
    size_t up = rows_up(), columns = window().ws_col;

    (void)fputs(HIDE_CURSOR "\r", out);
    if (up > 0) {
        (void)fprintf(out, "\033[%zuA", up);
    }
    if (live.drawn_width !=
        columns) { /* else lines that were wrapped stay joined: for the next change */
        (void)fputs("\033[J", out);
        live.drawn_width = columns;
    }
    for (size_t i = 0; i < live.line_count; i++) {
        print_line(out, &live.lines[i]);
        live.drawn[i] = text_columns(live.lines[i].text);
    }
    (void)fputs("\033[J", out);
    live.drawn_count = live.line_count;
}

static bool write_frame(void)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);

    if (!out) {
        return true;
    }
    print_frame(out);
    return fclose(out) == 0 && write_all(bytes, size);
}

bool live_draw(void)
{
    bool there = write_on();

    if (there && !is_writing() && !is_in_background()) {
        there = write_frame();
    }
    forget_lines();
    return there;
}

/* Signals ---------------------------------------------------------------------------------------------- */

static void let_come(int signo)
{
    sigset_t one;

    (void)sigemptyset(&one);
    (void)sigaddset(&one, signo);
    (void)raise(signo);
    (void)sigprocmask(SIG_UNBLOCK, &one, NULL);
    (void)sigprocmask(SIG_BLOCK, &one, NULL); /* it has been stopped, and goes on */
}

static void give_cursor_back(void)
{
    if (write_on() && !is_writing()) {
        (void)write_text(SHOW_CURSOR);
    }
}

static void take_signal(int signo)
{
    switch (signo) {
    case SIGTSTP:
        give_cursor_back();
        let_come(SIGTSTP);
        break;
    case SIGCONT:
        live.drawn_count = 0;
        break;
    case SIGINT:
    case SIGTERM:
        live.ended_by = signo;
        break;
    default: /* SIGWINCH: reason enough to draw */
        break;
    }
}

static bool take_signals(void)
{
    struct signalfd_siginfo info;
    bool any = false;

    while (read(live.signals, &info, sizeof(info)) == sizeof(info)) {
        take_signal((int)info.ssi_signo);
        any = true;
    }
    return any;
}

bool live_poll(int fd, int timeout_ms)
{
    struct pollfd all[] = {{.fd = fd, .events = POLLIN},
                           {.fd = live.signals, .events = POLLIN},
                           {.fd = is_writing() ? live.terminal : -1, .events = POLLOUT}};

    if (poll(all, sizeof(all) / sizeof(all[0]), timeout_ms) <= 0) {
        return false;
    }
    bool asked = take_signals();

    (void)write_on();
    return asked || all[0].revents != 0;
}

int live_ended_by(void)
{
    return live.ended_by;
}

/* Begin and end ---------------------------------------------------------------------------------------- */

/* A terminal that can't be opened (su gives none) is written to as it is: poll(2) says when. */
static int open_terminal(void)
{
    int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    live.has_own_flags = fd >= 0;
    return fd >= 0 ? fd : STDOUT_FILENO;
}

static bool is_ignored(int signo)
{
    struct sigaction action;

    return sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* What whoever started it has ignored (a shell without job control, nohup) stays so. */
static int open_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGTSTP, SIGCONT, SIGWINCH};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (!is_ignored(signals[i])) {
            (void)sigaddset(&set, signals[i]);
        }
    }
    (void)sigprocmask(SIG_BLOCK, &set, &live.before);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void close_all(void)
{
    if (live.has_own_flags) {
        (void)close(live.terminal);
    }
    if (live.signals >= 0) {
        (void)close(live.signals);
    }
    (void)sigprocmask(SIG_SETMASK, &live.before, NULL);
    free(live.bytes);
    live.bytes = NULL;
    live.size = live.at = 0;
}

bool live_begin(void)
{
    (void)fflush(stdout);
    live.terminal = open_terminal();
    live.signals = open_signals();
    if (live.signals < 0) {
        close_all();
        return false;
    }
    return true;
}

/* Until the last frame is there, however long the terminal takes, or a signal ends it. */
static void finish_writing(void)
{
    while (is_writing() && live.ended_by == 0 && write_on() && is_writing()) {
        (void)live_poll(-1, -1);
    }
}

/* A terminal that Ctrl-S has stopped goes on: the cursor is worth more than what it hides. */
static void finish_at_once(void)
{
    if (!is_in_background()) {
        (void)tcflow(live.terminal, TCOON);
    }
    while (is_writing() && can_write(ENDING_MS) && write_on()) {
    }
}

static void finish(void)
{
    finish_writing();
    if (live.ended_by != 0) {
        finish_at_once();
    }
}

void live_end(void)
{
    finish();
    if (live.line_count > 0) {
        (void)write_frame();
        finish();
    }
    forget_lines();
    give_cursor_back();
    finish();
    close_all();
    if (live.ended_by != 0) {
        let_come(live.ended_by);
    }
}
