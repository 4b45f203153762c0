/* SPDX-License-Identifier: MIT */
/* The two tables through which the shim and its engine know each other. */
/* Context: each function's own. */

/*
 * engine.so is opened with RTLD_LOCAL | RTLD_DEEPBIND: its libc calls are libc's own, never the
 * wrappers, and nothing of the shim is exported for it. It gets `struct bridge` instead, and
 * exports one symbol, `flux_engine`. Both come from one build; `abi` and `size` say so.
 */
#ifndef FLUXSHIM_SIGSAFE_BRIDGE_H
#define FLUXSHIM_SIGSAFE_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "format/settings.h"
#include "sigsafe/crash.h"
#include "sigsafe/evidence.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/hold.h"
#include "sigsafe/life.h"
#include "sigsafe/listeners.h"
#include "sigsafe/sockdiag.h"
#include "sigsafe/subscribers.h"

#define BRIDGE_ABI 5u

struct bridge {
    uint32_t abi;
    uint32_t size;
    struct settings *settings; /* from the environment; the engine adds the file's */
    struct life *life;
    struct fdtab *fdtab;
    struct listener *listeners;
    struct family_layout **family; /* NULL in it: none */
    _Atomic int *tell_signo;

    void *(*malloc)(size_t size); /* the program's allocator, see engine/memory.c */
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);

    void (*log)(enum settings_level level, const char *format, ...)
        __attribute__((__format__(__printf__, 2, 3)));
    int (*stderr_is_ours)(void);
    uint32_t (*listeners_high)(void);
    bool (*is_served)(int fd);
    uint64_t (*cookie)(int fd);
    uint16_t (*port_of)(const struct sockaddr_storage *address);
    uint64_t (*listener_accepted)(const struct listener *listener);
    struct fd_entry *(*connection)(int fd, int *ret_home);
    void (*raise_high)(uint32_t above);
    enum http1_answer (*http_answer)(const struct fd_entry *entry);
    void (*refuse_all)(void);
    bool (*decoy_is_ready)(int fd);
    void (*note_family_refusal)(void);
    void (*refuse_own)(bool alone);
    void (*leave_listeners)(void);
    void (*leave_listener)(struct listener *listener);
    void (*hush_listener)(struct listener *listener);
    bool (*refuse_the_last)(struct listener *listener);
    int (*sockdiag_each)(int domain, uint32_t states, uint16_t port,
                         void (*visit)(const struct inet_diag_msg *socket, void *argument),
                         void *argument);
    void (*move_threads)(void);
    const struct held_signal *(*held)(void);
    void (*release)(void);
    void (*give_up)(int signo);
    void (*hold_sigpipe)(void);
    bool (*family_leads)(void);
    struct family_member *(*family_self)(void);
    uint32_t (*family_index)(void);
    uint32_t (*family_high)(void);
    void (*family_file_remove)(void);
    bool (*process_is_gone)(pid_t pid, int64_t alive_ms);
    void (*family_ring)(uint32_t index);
    bool (*tell)(pid_t pid);
    _Atomic uint32_t *(*bell)(void);
    void (*sleep)(_Atomic uint32_t *word, uint32_t seen, int64_t ns);
    void (*wake)(_Atomic uint32_t *word);
    void (*crash_guard)(bool on);
    void (*crash_enter)(struct crash_mark *mark);
    void (*count_in_libc)(bool in);
    struct subscriber *(*subscribers_first)(void);
};

struct engine {
    uint32_t abi;
    uint32_t size;

    /*
     * While arming, in the program's thread: read FLUX_CONFIG; and, when this process is in its
     * family, open the hooks and begin with them. Not in forked members.
     */
    int (*load)(const struct bridge *bridge);
    void (*load_hooks)(void);

    /* The coordinator's thread. Returns when all is done, or for LIFE_PAUSE. */
    void *(*run)(void *unused);
};

#endif
