/* SPDX-License-Identifier: MIT */
/* Follows scripts to the program that would run, and looks into that and its libraries. */
/* Context: a program of one thread. */
#include "program/check.h"

#include <bsd/string.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/elf_file.h"
#include "program/libraries.h"
#include "program/privileges.h"
#include "program/script.h"
#include "program/traits.h"

/* Linux gives up behind the fifth (exec_binprm); the text of a script is looked at so far. */
enum { SCRIPTS_MOST = 5, TEXT_MOST_READ = 1 << 16 };

/* ---- the program and its libraries ---- */

struct look {
    struct report *report;
    unsigned own;     /* traits of the program itself */
    unsigned serving; /* of libraries that serve */
    const char *runtime;
};

static void look_at_library(const char *name, const struct elf_file *elf, void *argument)
{
    struct look *look = argument;
    unsigned traits = elf ? traits_of(elf) : 0;

    if (!elf) {
        report_add(look->report, FINDING_LIBRARY_MISSING, name);
    }
    if (!look->runtime) {
        look->runtime = traits_runtime(name);
    }
    if (traits_of_library(name) & TRAIT_IO_URING) {
        report_add(look->report, FINDING_IO_URING, name);
    }
    if ((traits_of_library(name) & TRAIT_HTTP2) && !report_has(look->report, FINDING_HTTP2)) {
        report_add(look->report, FINDING_HTTP2_LIBRARY, name);
    }
    if ((traits & TRAIT_SERVES) && !traits_is_general(name)) {
        look->serving |= traits;
    }
}

/* What it is linked with itself says more than what its libraries are. */
static unsigned traits_of_needed(const struct elf_file *elf, const char **ret_sanitizer)
{
    unsigned traits = 0;

    for (size_t i = 0; i < elf->needed_count; i++) {
        unsigned more = traits_of_library(elf->needed[i]);

        if (more & TRAIT_SANITIZER) {
            *ret_sanitizer = elf->needed[i];
        }
        traits |= more;
    }
    return traits;
}

static void add_traits(struct report *report, unsigned traits, const char *sanitizer)
{
    static const struct {
        unsigned trait;
        enum finding finding;
    } rows[] = {{TRAIT_IO_URING, FINDING_IO_URING},   {TRAIT_SECCOMP, FINDING_SECCOMP},
                {TRAIT_HTTP2, FINDING_HTTP2},         {TRAIT_SYSCALL, FINDING_SYSCALL},
                {TRAIT_OWN_CALLS, FINDING_OWN_CALLS}, {TRAIT_UNKNOWN, FINDING_SYMBOLS_UNREADABLE}};

    if (traits & TRAIT_SANITIZER) {
        report_add(report, FINDING_SANITIZER, sanitizer);
        traits &= ~(unsigned)TRAIT_OWN_CALLS; /* its interceptors, which go on to the library's */
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (traits & rows[i].trait) {
            report_add(report, rows[i].finding, NULL);
        }
    }
}

static unsigned styles_of(unsigned traits)
{
    return (traits & TRAIT_HANDLER ? STYLE_HANDLER : 0) |
           (traits & TRAIT_SIGWAIT ? STYLE_SIGWAIT : 0) |
           (traits & TRAIT_SIGNALFD ? STYLE_SIGNALFD : 0);
}

static void look_at_dynamic(struct report *report, const struct elf_file *elf)
{
    struct look look = {
        .report = report, .own = traits_of(elf), .runtime = traits_runtime(report->path)};
    const char *sanitizer = NULL;
    bool told = report_has(report, FINDING_SHELL_SCRIPT); /* of a shell, which serves nothing */

    add_traits(report, look.own | traits_of_needed(elf, &sanitizer), sanitizer);
    libraries_walk(elf, report->path, look_at_library, &look);
    report->runtime = look.runtime;
    report->serves = ((look.own | look.serving) & TRAIT_SERVES) != 0;
    report->styles = styles_of(look.own | look.serving);
    if (elf_calls_kernel(elf)) {
        report_add(report, FINDING_RAW_SYSCALLS, NULL);
    }
    if (!report->serves && !told && !(look.own & TRAIT_UNKNOWN)) {
        report_add(report,
                   look.runtime || (look.own & TRAIT_MODULES) ? FINDING_MODULES : FINDING_NO_SERVER,
                   NULL);
    }
}

/* ---- the ELF file ---- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The names of glibc's loaders: ld-linux-x86-64.so.2, ld-linux.so.2, ld64.so.2, ld.so.1. */
static bool is_glibc_loader(const char *loader)
{
    const char *slash = strrchr(loader, '/'), *name = slash ? slash + 1 : loader;

    return starts_with(name, "ld-linux") || starts_with(name, "ld64.so") ||
           starts_with(name, "ld.so");
}

static void look_at_loader(struct report *report, const struct elf_file *elf)
{
    report->loader = strdup(elf->interpreter);
    if (!is_glibc_loader(elf->interpreter)) {
        report_add(report, FINDING_OTHER_LIBC, elf->interpreter);
    } else if (access(elf->interpreter, F_OK) != 0) {
        report_add(report, FINDING_LOADER_MISSING, elf->interpreter);
    }
}

static void add_machine(struct report *report, const struct elf_file *elf)
{
    char detail[64];

    (void)snprintf(detail, sizeof(detail), "%s, %u bits", elf_machine_name(elf->machine),
                   elf->bits);
    report_add(report, FINDING_OTHER_MACHINE, detail);
}

static void look_at_static(struct report *report, const struct elf_file *elf, bool go)
{
    if (elf->type == ET_DYN && !elf->is_pie) {
        report_add(report, FINDING_NOT_A_PROGRAM, "a shared library");
        return;
    }
    report->kind = PROGRAM_STATIC;
    report_add(report,
               go                    ? FINDING_GO
               : elf->type == ET_DYN ? FINDING_STATIC_PIE
                                     : FINDING_STATIC,
               NULL);
}

static void look_at_elf(struct report *report, int fd, const struct elf_file *elf)
{
    uint16_t native = elf_native_machine();

    if (elf->type != ET_EXEC && elf->type != ET_DYN) {
        report_add(report, FINDING_NOT_A_PROGRAM, "an ELF file of another kind");
        return;
    }
    if (elf->is_foreign || (native != 0 && elf->machine != native)) {
        add_machine(report, elf);
        return;
    }
    bool go = elf_is_go(elf);

    if (!elf->interpreter) {
        look_at_static(report, elf, go);
        return;
    }
    report->kind = PROGRAM_DYNAMIC;
    if (go) {
        report_add(report, FINDING_GO_CGO, NULL);
    }
    privileges_look(report, fd);
    look_at_loader(report, elf);
    look_at_dynamic(report, elf);
}

/* ---- scripts, and what leads to the program ---- */

static void keep_script(struct report *report)
{
    char *copy = strdup(report->path);

    if (copy && report->script_count < REPORT_SCRIPTS) {
        report->scripts[report->script_count++] = copy;
    } else {
        free(copy);
    }
}

static void find_execed(int fd, char *ret_name, size_t size)
{
    char *text = malloc(TEXT_MOST_READ + 1);
    ssize_t n = text ? pread(fd, text, TEXT_MOST_READ, 0) : -1;

    ret_name[0] = '\0';
    if (n > 0) {
        text[n] = '\0';
        if (!script_execs(text, ret_name, size)) {
            ret_name[0] = '\0';
        }
    }
    free(text);
}

/* What the shell becomes, where its script says so; else the shell itself. */
static void follow_shell(struct report *report, int fd, char *next)
{
    char name[PATH_MAX], path[PATH_MAX];

    find_execed(fd, name, sizeof(name));
    if (name[0] != '\0' && script_find_program(name, path) == 0) {
        (void)strlcpy(next, path, PATH_MAX);
        report_add(report, FINDING_SHELL_EXECS, path);
    } else {
        report_add(report, FINDING_SHELL_SCRIPT, NULL);
    }
}

/* Text is what a shell takes it for: no NUL in its first line (POSIX, sh). */
static bool is_text(const char *head, size_t size)
{
    return size > 0 && !memchr(head, '\0', size);
}

/* True: `next` is what runs this one. */
static bool follow(struct report *report, int fd, char *next)
{
    char head[SCRIPT_HEAD];
    struct script script = {.clears = false};
    ssize_t n = pread(fd, head, sizeof(head), 0);

    if (n >= 2 && memcmp(head, "#!", 2) == 0) {
        if (!script_read(head, (size_t)n, &script)) {
            report_add(report, FINDING_LOADER_MISSING, "an empty line #!");
            return false;
        }
    } else if (n > 0 && is_text(head, (size_t)n)) {
        report_add(report, FINDING_NO_FIRST_LINE, NULL);
        (void)strlcpy(script.interpreter, "/bin/sh", PATH_MAX);
    } else {
        report_add(report, FINDING_NOT_A_PROGRAM, NULL);
        return false;
    }
    if (script.clears) {
        report_add(report, FINDING_PRELOAD_CLEARED, NULL);
    }
    keep_script(report);
    if (script_find_program(script.interpreter, next) != 0) {
        report_add(report, FINDING_LOADER_MISSING, script.interpreter);
        return false;
    }
    if (script_is_shell(script.interpreter)) {
        follow_shell(report, fd, next);
    }
    return true;
}

/* True: `next` is to be looked at. */
static bool look_at(struct report *report, int fd, char *next)
{
    struct elf_file elf;

    if (access(report->path, X_OK) != 0) {
        report_add(report, FINDING_NOT_EXECUTABLE, NULL);
        return false;
    }
    int error = elf_read(fd, &elf);

    if (error == -ENOEXEC) {
        return follow(report, fd, next);
    }
    if (error != 0) {
        report_add(report, FINDING_DAMAGED, error == -EBADMSG ? NULL : strerror(-error));
        return false;
    }
    look_at_elf(report, fd, &elf);
    elf_free(&elf);
    return false;
}

/* To open a device can do something by itself. O_NONBLOCK: a FIFO in its place by now must not hold us. */
static int look_into(struct report *report, const char *path, char *next)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        return -errno;
    }
    (void)strlcpy(report->path, path, sizeof(report->path));
    if (!S_ISREG(st.st_mode)) {
        report_add(report, FINDING_NOT_A_PROGRAM, "no regular file");
        return 0;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        return -errno;
    }
    bool more = look_at(report, fd, next);

    close(fd);
    return more;
}

int check_program(const char *name, struct report *ret_report)
{
    char path[PATH_MAX], next[PATH_MAX];

    report_init(ret_report, name);
    int more = script_find_program(name, path);

    if (more != 0) {
        return more;
    }
    for (unsigned depth = 0; (more = look_into(ret_report, path, next)) > 0; depth++) {
        if (depth == SCRIPTS_MOST) {
            report_add(ret_report, FINDING_SCRIPTS_TOO_DEEP, next);
            return 0;
        }
        memcpy(path, next, sizeof(path));
    }
    return more;
}
