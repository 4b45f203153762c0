/* SPDX-License-Identifier: MIT */
/* What can stand against a preload: one table of what is found, how much it matters, and what helps. */
/* Context: a program of one thread. */

/*
 * The ids are a part of the interface (--json): none is ever used for something else. A finding may have a
 * detail, such as the name of the library that it is about; that comes from the file, and may hold anything.
 */
#ifndef FLUXCTL_PROGRAM_FINDINGS_H
#define FLUXCTL_PROGRAM_FINDINGS_H

#include <stddef.h>

enum finding_level {
    FINDING_NOTE,  /* worth to know; the verdict stays */
    FINDING_LIMIT, /* works with limits */
    FINDING_STOP   /* does not work */
};

/* X(ID, id, level, text, remedy) */
#define FINDING_ROWS(X)                                                                            \
    X(NOT_A_PROGRAM, not_a_program, FINDING_STOP, "It is neither an ELF program nor a script.",    \
      "Name the program that the service starts.")                                                 \
    X(DAMAGED, damaged, FINDING_STOP, "The file is cut off, or contradicts itself.",               \
      "Install it again.")                                                                         \
    X(NOT_EXECUTABLE, not_executable, FINDING_STOP, "It may not be executed by this user.",        \
      "chmod +x, or start it as another user.")                                                    \
    X(OTHER_MACHINE, other_machine, FINDING_STOP,                                                  \
      "It is for another machine than libfluxshim.so.",                                            \
      "Use a fluxshim that was built for that machine.")                                           \
    X(STATIC, static, FINDING_STOP, "It is linked statically: nothing can be preloaded into it.",  \
      "Link it dynamically, or take the dynamic build of it.")                                     \
    X(STATIC_PIE, static_pie, FINDING_STOP,                                                        \
      "It is a static PIE: nothing can be preloaded into it.",                                     \
      "Link it without -static-pie, or take the dynamic build of it.")                             \
    X(GO, go, FINDING_STOP, "It is a Go program without cgo: it has no libc to preload before.",   \
      "Let it stop by itself: http.Server.Shutdown and signal.NotifyContext do it.")               \
    X(GO_CGO, go_cgo, FINDING_LIMIT,                                                               \
      "It is a Go program: Go's own sockets pass libc by, only those of C code in it are "         \
      "drained.",                                                                                  \
      "Let it stop by itself: http.Server.Shutdown and signal.NotifyContext do it.")               \
    X(OTHER_LIBC, other_libc, FINDING_STOP, "Its loader is not glibc's, and so is not its libc.",  \
      "Take a build of it for glibc.")                                                             \
    X(LOADER_MISSING, loader_missing, FINDING_STOP,                                                \
      "Its loader, or its interpreter, isn't there.",                                              \
      "Install what has it: without it the program can't be started at all.")                      \
    X(SETUID, setuid, FINDING_STOP,                                                                \
      "It changes its user or group when it starts: ld.so ignores LD_PRELOAD then.",               \
      "Start it as that user (User= of systemd), without the bit; or name the library in "         \
      "/etc/ld.so.preload.")                                                                       \
    X(CAPABILITIES, capabilities, FINDING_STOP,                                                    \
      "The file gives capabilities: ld.so ignores LD_PRELOAD then.",                               \
      "Give them to the process: AmbientCapabilities= of systemd, and setcap -r for the file.")    \
    X(SCRIPTS_TOO_DEEP, scripts_too_deep, FINDING_STOP,                                            \
      "Scripts are each other's interpreters, deeper than the kernel follows.",                    \
      "Name a program in the first line.")                                                         \
    X(PRELOAD_CLEARED, preload_cleared, FINDING_STOP,                                              \
      "Its first line clears the environment, LD_PRELOAD included.",                               \
      "Leave -i or -u LD_PRELOAD out of the line with env.")                                       \
    X(NO_FIRST_LINE, no_first_line, FINDING_LIMIT,                                                 \
      "It is text without a line '#!': a shell runs it, and a service manager does not.",          \
      "Begin it with #!/bin/sh.")                                                                  \
    X(SHELL_SCRIPT, shell_script, FINDING_LIMIT,                                                   \
      "It is a shell script: what it starts can't be told from here, and the shell takes the "     \
      "signal unless it ends with exec.",                                                          \
      "Start the server with exec as its last line, and check that program.")                      \
    X(IO_URING, io_uring, FINDING_LIMIT, "It uses io_uring: what is done that way is not seen.",   \
      "Turn io_uring off in its configuration, where it has such a switch.")                       \
    X(SANITIZER, sanitizer, FINDING_LIMIT,                                                         \
      "It is built with a sanitizer, whose runtime wants to be first.",                            \
      "Preload both: LD_PRELOAD='RUNTIME libfluxshim.so', or verify_asan_link_order=0 in "         \
      "ASAN_OPTIONS.")                                                                             \
    X(SECCOMP, seccomp, FINDING_LIMIT,                                                             \
      "It uses seccomp: a worker in a sandbox is waited for, but its idle connections stay.",      \
      "Keep FLUX_DRAIN_TIMEOUT short, or its sandbox off.")                                        \
    X(HTTP2, http2, FINDING_LIMIT,                                                                 \
      "It speaks HTTP/2: a connection counts as idle between its streams, and is closed without "  \
      "GOAWAY.",                                                                                   \
      "Clients have to retry; or speak HTTP/1 behind a proxy.")                                    \
    X(NO_SERVER, no_server, FINDING_LIMIT,                                                         \
      "Neither it nor its libraries call listen or accept: fluxshim would have nothing to do.",    \
      "Check the program that serves, not the one that starts it.")                                \
    X(SYMBOLS_UNREADABLE, symbols_unreadable, FINDING_LIMIT,                                       \
      "Its table of symbols can't be read: what it calls is not known.",                           \
      "Try it: 'fluxctl list' shows whether it is armed.")                                         \
    X(MODULES, modules, FINDING_NOTE,                                                              \
      "It calls neither listen nor accept by itself; what it loads may.",                          \
      "Try it: 'fluxctl list' shows whether it is armed.")                                         \
    X(SHELL_EXECS, shell_execs, FINDING_NOTE,                                                      \
      "The shell script ends in another program, checked here.", "")                               \
    X(HTTP2_LIBRARY, http2_library, FINDING_NOTE,                                                  \
      "One of its libraries can speak HTTP/2, perhaps as a client only.",                          \
      "If it serves HTTP/2: clients have to retry what is closed between streams.")                \
    X(SYSCALL, syscall, FINDING_NOTE,                                                              \
      "It makes system calls by number through libc's syscall(), which is seen.", "")              \
    X(RAW_SYSCALLS, raw_syscalls, FINDING_NOTE,                                                    \
      "Its code seems to make system calls of sockets without libc: those would not be seen.",     \
      "Try it: 'fluxctl status' shows the connections that are known.")                            \
    X(OWN_CALLS, own_calls, FINDING_NOTE, "It defines a call itself that the library would take.", \
      "Try it: 'fluxctl status' shows the connections that are known.")                            \
    X(LIBRARY_MISSING, library_missing, FINDING_NOTE,                                              \
      "A library that it needs was not found, and not looked into.",                               \
      "If the program starts all the same, its start sets LD_LIBRARY_PATH.")

#define FINDING_ID(ID, id, level, text, remedy) FINDING_##ID,
enum finding { FINDING_ROWS(FINDING_ID) FINDING_COUNT };
#undef FINDING_ID

struct finding_row {
    const char *id;
    enum finding_level level;
    const char *text;
    const char *remedy; /* "": there is nothing to be done */
};

const struct finding_row *finding_row(enum finding finding);
const char *finding_level_name(enum finding_level level);

#endif
