/* SPDX-License-Identifier: MIT */
/* What a cleanup hook includes, and a program that wants to talk to the shim. C99 and C++. */

/*
 * A HOOK is a shared object, named in FLUX_HOOKS=path[=priority]:... or in the array "hooks" of the
 * file FLUX_CONFIG. The least it exports is one function, called once at the end of a shutdown:
 *
 *     int flux_cleanup(void);
 *
 * The full form is one constant. Every callback may be NULL:
 *
 *     FLUX_EXPORT const struct flux_hook flux_hook = {
 *         FLUX_HOOK_ABI, sizeof(struct flux_hook), "cache", FLUX_PRIORITY_DATABASE,
 *         FLUX_SCOPE_FAMILY, open_cache, restore_cache, NULL, flush_cache, save_cache
 *     };
 *
 * Order of calls, for each entry of the configuration (one object may be named several times; each
 * entry is an instance of its own):
 *
 *     init -> restore -> event(FLUX_PHASE_RUNNING)          before the program's first connection
 *     event(phase), event(phase), ...                 while it shuts down
 *     cleanup -> save                                 in FLUX_PHASE_HOOKS, by priority
 *     event(FLUX_PHASE_CHECKPOINT), event(FLUX_PHASE_RELEASE)
 *
 * Lower priorities come first, equal ones in the order given.
 *
 * THREADS. init, restore and event(FLUX_PHASE_RUNNING) run in the program's thread that begins to
 * listen, without a deadline, and make no thread: the program may have one only. What they change of
 * the process (folder, umask, other signals) is changed for the program. All other calls of
 * one instance run one after the other, on a thread that belongs to it (a new one if the program
 * does what only a process with one thread may do), with every signal blocked but those of its own
 * faults, and a stack of 256 KiB; different instances may run at the same time, but for cleanup and
 * save. Each such call has the hook's timeout (FLUX_HOOK_TIMEOUT). An instance whose call doesn't
 * return in time, crashes, throws an exception of C++, calls exit(), abort() or pthread_exit(), is
 * cancelled, or execs is recorded for that, gets no further calls, and never holds up the others. What
 * it has locked stays locked. Its thread has a root, a working folder and a umask of its own. A thread
 * or process that a hook makes is its own business, and inherits its mask.
 *
 * PROCESSES. In a family of processes (prefork servers and the like) a hook of FLUX_SCOPE_FAMILY is
 * called in one process, the family's owner; one of FLUX_SCOPE_PROCESS in each that drains. init and
 * restore come before the forks: each process has its copy of the instance.
 *
 * Strings are UTF-8, valid during the call, and never NULL unless it says so.
 */
#ifndef FLUXSHIM_H
#define FLUXSHIM_H

#include <stdint.h>

#if defined(__GNUC__)
#define FLUX_EXPORT __attribute__((visibility("default")))
#else
#define FLUX_EXPORT
#endif

#define FLUX_PRIORITY_DATABASE 10
#define FLUX_PRIORITY_FILE     50
#define FLUX_PRIORITY_DEFAULT  100
#define FLUX_PRIORITY_MOST     1000000

#define FLUX_HOOK_ABI 1u

#ifdef __cplusplus
extern "C" {
#endif

/* The phases of a shutdown, in their order; some may be left out. */
enum flux_phases {
    FLUX_PHASE_RUNNING = 0,    /* serving */
    FLUX_PHASE_LAME_DUCK = 1,  /* serving, while load balancers learn of the stop */
    FLUX_PHASE_REFUSE = 2,     /* new connections are refused from here on */
    FLUX_PHASE_DRAIN = 3,      /* those that exist finish; this event comes again each second */
    FLUX_PHASE_FORCE = 4,      /* what remains is ended */
    FLUX_PHASE_HOOKS = 5,      /* cleanup */
    FLUX_PHASE_CHECKPOINT = 6, /* the account is written */
    FLUX_PHASE_RELEASE = 7     /* the program has its signal, or goes on exiting */
};

/* Where a hook of the full form runs. */
enum flux_scopes {
    FLUX_SCOPE_FAMILY = 0, /* once for all processes of a server */
    FLUX_SCOPE_PROCESS = 1 /* in each of them */
};

/* What an event tells. New members come last, and `size` says which are there. */
struct flux_event {
    uint32_t size;             /* sizeof(struct flux_event) of the shim */
    uint32_t phase;            /* enum flux_phases */
    uint64_t connections_left; /* open connections, of the whole family where that is known */
    uint64_t elapsed_ms;       /* since the stop began; 0 while running */
    uint64_t remaining_ms;     /* until the present phase ends by itself, UINT64_MAX: it doesn't */
    uint64_t shutdown_ms; /* until FLUX_SHUTDOWN_TIMEOUT ends the process, UINT64_MAX as above */
};

/*
 * A hook of the full form. `size` is sizeof(struct flux_hook) of the header that it was built with:
 * an older shim ignores members that it doesn't know, a newer one takes missing ones for NULL.
 */
struct flux_hook {
    uint32_t abi;  /* FLUX_HOOK_ABI */
    uint32_t size; /* sizeof(struct flux_hook) */
    const char *name;
    int32_t priority; /* 0 to FLUX_PRIORITY_MOST; the configuration may say otherwise */
    uint32_t scope;   /* enum flux_scopes; the configuration may say otherwise */

    /*
     * `config` is the entry's "config" as JSON text, "null" if it has none. What is stored in
     * *ret_instance (NULL before) is passed to all other calls. 0, or an errno value; a hook that
     * fails here is told of at once and will not run. flux_log() says why.
     */
    int (*init)(const char *config, void **ret_instance);

    /* `state` is the JSON that save gave at the last stop. Not called without one. 0 or an errno value. */
    int (*restore)(void *instance, const char *state);

    void (*event)(void *instance, const struct flux_event *event);

    /* 0: done; anything else is a failure, noted in the checkpoint. */
    int (*cleanup)(void *instance);

    /*
     * Write JSON text with its final NUL, at most `size` bytes, into `buffer`, and return its length
     * without the NUL (as snprintf does: if that is `size` or more, it is called again with more
     * room, 64 KiB at most). Negative: there is nothing to save.
     */
    int64_t (*save)(void *instance, char *buffer, uint64_t size);
};

/* A hook defines one of these. */
extern FLUX_EXPORT const struct flux_hook flux_hook;
FLUX_EXPORT int flux_cleanup(void);

/*
 * FOR PROGRAMS: four functions of libfluxshim.so. They are there only if the shim is preloaded, so a
 * program looks them up, and does without if it must:
 *
 *     flux_phase_function *phase = (flux_phase_function *)dlsym(RTLD_DEFAULT, "flux_phase");
 *     if (phase && phase() != FLUX_PHASE_RUNNING) ...
 *
 * Hooks may call them directly. All are thread-safe; flux_phase, flux_log and flux_trigger may also be
 * called in a signal handler.
 */

/*
 * Stop: the same as a SIGTERM from outside, with the reason "demand". In a family it stops the whole
 * if called in its owner or in a child of the owner, else this process alone. Returns at once: 0,
 * -ENOTCONN if this process doesn't listen (nothing is drained then, exit as usual), -EALREADY, or
 * -EPERM in a child that may not send the owner a signal (kill(2)): one that runs as another user.
 */
int flux_trigger(void);

/* enum flux_phases of this process. */
int flux_phase(void);

/*
 * Call `callback` for each event from now on, on a thread of the subscriber's own that begins with the
 * first event of a shutdown. Any number may subscribe. 0, -EINVAL or -ENOMEM.
 */
int flux_subscribe(void (*callback)(void *context, const struct flux_event *event), void *context);

/* Take that back. A call that is under way goes on. 0, or -ENOENT. */
int flux_unsubscribe(void (*callback)(void *context, const struct flux_event *event),
                     void *context);

/* A line in the log (FLUX_LOG). Levels: 0 error, 1 warning, 2 info, 3 debug. */
void flux_log(int level, const char *text);

typedef int flux_trigger_function(void);
typedef int flux_phase_function(void);
typedef int flux_subscribe_function(void (*)(void *, const struct flux_event *), void *);
typedef void flux_log_function(int, const char *);

#ifdef __cplusplus
}
#endif

#endif
