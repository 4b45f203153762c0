/* SPDX-License-Identifier: MIT */
/* Tables of names. */
/* Context: a program of one thread. */
#include "program/traits.h"

#include <string.h>

struct name_row {
    const char *name; /* with '*' at its end, the start of one */
    unsigned traits;
};

static const struct name_row imports[] = {
    {"listen", TRAIT_SERVES},        {"accept", TRAIT_SERVES},
    {"accept4", TRAIT_SERVES},       {"sigaction", TRAIT_HANDLER},
    {"signal", TRAIT_HANDLER},       {"sigset", TRAIT_HANDLER},
    {"bsd_signal", TRAIT_HANDLER},   {"__sysv_signal", TRAIT_HANDLER},
    {"sigwait", TRAIT_SIGWAIT},      {"sigwaitinfo", TRAIT_SIGWAIT},
    {"sigtimedwait", TRAIT_SIGWAIT}, {"signalfd", TRAIT_SIGNALFD},
    {"io_uring_*", TRAIT_IO_URING},  {"syscall", TRAIT_SYSCALL},
    {"seccomp_load", TRAIT_SECCOMP}, {"nghttp2_session_server_new*", TRAIT_HTTP2},
    {"dlopen", TRAIT_MODULES},       {"dlmopen", TRAIT_MODULES},
};

static const struct name_row definitions[] = {
    {"accept", TRAIT_OWN_CALLS},    {"accept4", TRAIT_OWN_CALLS}, {"listen", TRAIT_OWN_CALLS},
    {"close", TRAIT_OWN_CALLS},     {"read", TRAIT_OWN_CALLS},    {"write", TRAIT_OWN_CALLS},
    {"sigaction", TRAIT_OWN_CALLS},
};

/* Imported from its runtime or built in: it is there in either case. */
static const struct name_row sanitizers[] = {
    {"__asan_init", TRAIT_SANITIZER}, {"__tsan_init", TRAIT_SANITIZER},
    {"__msan_init", TRAIT_SANITIZER}, {"__hwasan_init", TRAIT_SANITIZER},
    {"__lsan_init", TRAIT_SANITIZER},
};

static const struct name_row libraries[] = {
    {"liburing.*", TRAIT_IO_URING},     {"libnghttp2.*", TRAIT_HTTP2},
    {"libasan.*", TRAIT_SANITIZER},     {"libtsan.*", TRAIT_SANITIZER},
    {"liblsan.*", TRAIT_SANITIZER},     {"libhwasan.*", TRAIT_SANITIZER},
    {"libclang_rt.*", TRAIT_SANITIZER},
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static bool is_like(const char *name, const char *pattern)
{
    size_t n = strlen(pattern);

    return n > 0 && pattern[n - 1] == '*' ? strncmp(name, pattern, n - 1) == 0
                                          : strcmp(name, pattern) == 0;
}

static unsigned look_up(const struct name_row *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (is_like(name, rows[i].name)) {
            return rows[i].traits;
        }
    }
    return 0;
}

static void note_symbol(const char *name, bool is_defined, void *argument)
{
    unsigned *traits = argument;

    *traits |= is_defined ? look_up(definitions, COUNT(definitions), name)
                          : look_up(imports, COUNT(imports), name);
    if (name[0] == '_' && name[1] == '_') {
        *traits |= look_up(sanitizers, COUNT(sanitizers), name);
    }
}

unsigned traits_of(const struct elf_file *elf)
{
    unsigned traits = 0;

    if (!elf_symbols(elf, note_symbol, &traits)) {
        traits |= TRAIT_UNKNOWN;
    }
    return traits;
}

unsigned traits_of_library(const char *name)
{
    return look_up(libraries, COUNT(libraries), name);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *traits_runtime(const char *path)
{
    static const struct {
        const char *pattern, *runtime;
    } rows[] = {
        {"python*", "python"},     {"libpython*", "python"}, {"pypy*", "python"},
        {"node", "node"},          {"nodejs", "node"},       {"libnode.*", "node"},
        {"java", "java"},          {"libjvm.*", "java"},     {"libjli.*", "java"},
        {"ruby*", "ruby"},         {"libruby*", "ruby"},     {"perl*", "perl"},
        {"libperl.*", "perl"},     {"php*", "php"},          {"libuv.*", "libuv"},
        {"libevent*", "libevent"}, {"libev.*", "libev"},
    };
    const char *name = base_name(path);

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (is_like(name, rows[i].pattern)) {
            return rows[i].runtime;
        }
    }
    return NULL;
}

bool traits_is_general(const char *name)
{
    static const char *const general[] = {"libcrypto.*", "libssl.*",  "libsystemd.*", "libcurl*",
                                          "libgio-*",    "libasan.*", "libtsan.*",    "liblsan.*",
                                          "libhwasan.*", "libc.*",    "libanl.*",     "libtirpc.*"};

    for (size_t i = 0; i < COUNT(general); i++) {
        if (is_like(name, general[i])) {
            return true;
        }
    }
    return false;
}
