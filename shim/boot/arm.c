/* SPDX-License-Identifier: MIT */
/* Arms a process: from here on its managed signals are held. */
/* Context: the program's thread inside listen or accept; may allocate and block. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "boot/boot.h"
#include "boot/family_file.h"
#include "sigsafe/alone.h"
#include "sigsafe/crash.h"
#include "sigsafe/decoy.h"
#include "sigsafe/log.h"
#include "sigsafe/process.h"
#include "sigsafe/real.h"
#include "sigsafe/refuse.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/saving.h"
#include "sigsafe/sigdisp.h"
#include "sigsafe/signalfds.h"
#include "sigsafe/tables.h"
#include "sigsafe/tell.h"

extern char __libc_single_threaded __attribute__((weak));

#define ARMING_LOOK_NS 10000000  /* a missed wake-up costs no more */
#define ROOT_NS        200000000 /* a thread that doesn't run by then has other troubles */

/* The process that has begun to arm, and the one that has ended it (or failed to): once each. */
static struct {
    _Atomic pid_t tried;
    _Atomic uint32_t done_by;
    pid_t by_tid;
} arming;

static struct bridge bridge = {
    .abi = BRIDGE_ABI,
    .size = sizeof(struct bridge),
    .fdtab = &fdtab,
    .listeners = listeners,
    .malloc = malloc,
    .calloc = calloc,
    .realloc = realloc,
    .free = free,
    .log = log_line,
    .stderr_is_ours = log_stderr_is_ours,
    .listeners_high = listeners_high,
    .is_served = listeners_serve,
    .listener_accepted = listeners_accepted,
    .connection = fdtab_connection,
    .raise_high = fdtab_raise_high,
    .http_answer = evidence_http_answer,
    .refuse_all = refuse_all,
    .decoy_is_ready = decoy_is_ready,
    .note_family_refusal = decoy_note_family,
    .refuse_own = refuse_own,
    .leave_listeners = decoy_leave_all,
    .leave_listener = decoy_leave,
    .hush_listener = refuse_hush,
    .refuse_the_last = refuse_the_last,
    .sockdiag_each = sockdiag_each,
    .move_threads = tell_move_threads,
    .held = hold_current,
    .release = hold_release,
    .give_up = hold_give_up,
    .hold_sigpipe = hold_sigpipe,
    .family = &family,
    .tell_signo = &sigdisp_tell,
    .family_leads = family_leads,
    .family_self = family_self,
    .family_index = family_index,
    .family_high = family_high,
    .process_is_gone = process_is_gone,
    .cookie = listeners_cookie,
    .port_of = listeners_port_of,
    .family_file_remove = family_file_remove,
    .family_ring = family_ring,
    .tell = tell_send,
    .bell = life_bell,
    .sleep = life_sleep,
    .wake = life_wake,
    .crash_guard = crash_guard,
    .crash_enter = crash_enter,
    .count_in_libc = safepoint_count_in_libc,
    .subscribers_first = subscribers_first,
};

/*
 * One copy, in pages of its own: only what is used of it becomes memory. With the flags of the
 * descriptor table, which comes next, the two are one mapping, and a fork copies one less.
 */
static struct settings *settings_room(void)
{
    static struct settings *room;

    if (!room) {
        void *page = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        room = page == MAP_FAILED ? NULL : page;
    }
    return room;
}

FORK_PATH const struct settings *arm_settings(void)
{
    return bridge.settings;
}

static int map_tables(void)
{
    int entries = fdtab_map();

    if (entries < 0) {
        log_error("no memory for the descriptor table: running without fluxshim");
        return entries;
    }
    if ((long)entries < sysconf(_SC_OPEN_MAX)) {
        log_warn("memory for %d descriptors only: connections above are not tracked", entries);
    }
    tables_describe();
    int error = life_map_page();

    if (error != 0) {
        log_error("madvise(MADV_WIPEONFORK) failed (errno %d): running without fluxshim", -error);
    }
    return error;
}

static bool has_threads(void)
{
    if (&__libc_single_threaded && !__libc_single_threaded) {
        atomic_store(&life->threads, 1);
    }
    return atomic_load(&life->threads) != 0;
}

/*
 * Take over what the program believes blocked, and open it in the kernel: nobody else could take
 * the signal. A threaded program has the coordinator for that.
 */
static void take_masks(void)
{
    if (!has_threads()) {
        sigdisp_take_mask();
    }
}

/* Listeners passed by socket activation: descriptors 3 and up. */
static void record_inherited(void)
{
    const char *pid = secure_getenv("LISTEN_PID"), *count = secure_getenv("LISTEN_FDS");

    if (!pid || !count || strtol(pid, NULL, 10) != life->pid) {
        return;
    }
    for (long fd = 3; fd < 3 + strtol(count, NULL, 10) && fd < (long)fdtab.size; fd++) {
        int listens = 0;
        socklen_t size = sizeof(listens);

        if (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens) {
            listeners_record((int)fd, -1);
        }
    }
}

/* A chroot that follows at once must not take the coordinator along: its checkpoint is outside. */
static void wait_for_root(void)
{
    int64_t until = life_now() + ROOT_NS;

    while (!atomic_load(&life->rooted) && life_now() < until) {
        life_sleep(&life->rooted, 0, ARMING_LOOK_NS);
    }
}

static void hold_signals(const struct settings *settings)
{
    struct hold_limits limits = {.lame_duck_ns = settings->lame_duck,
                                 .drain_ns = settings->drain_timeout,
                                 .shutdown_ns = settings->shutdown_timeout};

    life->pid = getpid();
    life->tid = (pid_t)real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
    hold_install(settings->signals, &limits);
    signalfds_strip();
    atomic_store_explicit(&life->armed, 1, memory_order_release);
    take_masks();
    saving_install(settings->checkpoint[0] != '\0' ? settings->checkpoint_interval : 0);
    if (!has_threads()) {
        return;
    }
    if (safepoint_start() != 0) {
        log_error("running without fluxshim"); /* every thread may block the signal */
        hold_abandon();
    } else {
        wait_for_root();
    }
}

/*
 * err(3), error(3) and the like come to exit() inside libc, in a hook too: here its call is known for
 * what it is, also while the program is exiting. A registration is good for one call (exit(3)), so
 * each makes the next, in the place that it leaves.
 */
static void on_exit_of_program(int status, void *unused)
{
    static _Atomic pid_t exiting;
    pid_t pid = getpid();

    (void)unused;
    if (crash_mark() || atomic_exchange(&exiting, pid) != pid) {
        (void)on_exit(on_exit_of_program, NULL);
        crash_called("exit", status);
        leave_process(status);
    }
}

static void register_once(void)
{
    static bool registered; /* a child inherits both registrations */

    if (!registered) {
        atfork_register();
        (void)on_exit(on_exit_of_program, NULL);
        registered = true;
    }
}

static void warn_of_rules(const struct settings *settings)
{
    for (enum settings_rule rule = settings_check(settings, SETTINGS_RULE_NONE);
         rule != SETTINGS_RULE_NONE; rule = settings_check(settings, rule)) {
        log_warn("%s", settings_rule_text(rule));
    }
}

/* What can't be shared is done without: then each process drains alone. */
static void found_family(const struct settings *settings)
{
    int signo = tell_install(0);
    struct family_layout *layout = signo > 0 ? family_file_create(settings->run_dir) : NULL;

    if (layout) {
        layout->settings = *settings;
        family_found(layout, signo);
    } else {
        log_warn("no family of processes (errno %d): each of them drains alone",
                 signo < 0 ? -signo : errno);
    }
}

/* The family that this process has been invited to: whoever takes it out has to unmap it. */
static struct family_layout *_Atomic invitation;

static bool join_family(void)
{
    struct family_layout *host = atomic_exchange(&invitation, NULL);

    host = host ? host : join_own();
    if (!host) {
        return false;
    }
    bool joined = tell_install((int)host->signo) > 0 && family_join(host) == 0;

    log_info(joined ? family_is_owner() ? "leads the family of process %d again"
                                        : "joined the family of process %d"
                    : "can't join the family of process %d: this one drains alone",
             (int)atomic_load(&host->members[0].pid));
    if (!joined) {
        (void)munmap(host, sizeof(*host));
    }
    return joined;
}

static void enter_family(const struct settings *settings)
{
    if (family_self()) {
        family_activate();
    } else if (!join_family()) {
        found_family(settings);
    }
}

/* A child has inherited all but the page, the handlers and the thread. */
static void arm_as_member(const struct settings *settings)
{
    if (life_map_page() != 0) {
        return;
    }
    enter_family(settings);
    hold_signals(settings);
}

static void arm_with(struct settings *settings)
{
    environment_read(settings);
    if (settings->disable || map_tables() != 0) {
        return;
    }
    const struct engine *engine = engine_open();

    bridge.settings = settings;
    bridge.life = life;
    if (!engine || engine->load(&bridge) != 0) {
        if (!has_threads()) { /* another thread may be looking into it */
            fdtab_unmap();
        }
        return;
    }
    log_open(&settings->log); /* FLUX_CONFIG may have another */
    warn_of_rules(settings);
    fdtab.fresh_http = settings->http ? HTTP1_FRESH : HTTP1_OFF;
    alone_word = alone_find(alone_word);
    safepoint_body = engine->run;
    safepoint_libc_threads = dlvsym(RTLD_DEFAULT, "__nptl_nthreads", "GLIBC_PRIVATE");
    register_once();
    enter_family(settings);
    engine->load_hooks();
    hold_signals(settings);
    record_inherited();
    log_info("armed: signals are held from here on");
}

static void arm_once(void)
{
    struct settings *settings = settings_room();

    arming.by_tid = (pid_t)real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
    if (settings && bridge.settings && family_self()) {
        arm_as_member(settings);
    } else if (settings) {
        arm_with(settings);
    } else {
        log_error("no memory for the settings: running without fluxshim");
    }
    atomic_store(&arming.done_by, (uint32_t)getpid());
    life_wake(&arming.done_by);
}

/* Another thread is at it: its listener and ours are to be known when both go on. */
static void wait_for_arming(pid_t pid)
{
    if (arming.by_tid == (pid_t)real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0)) {
        return;
    }
    for (uint32_t done = atomic_load(&arming.done_by); done != (uint32_t)pid;
         done = atomic_load(&arming.done_by)) {
        life_sleep(&arming.done_by, done, ARMING_LOOK_NS);
    }
}

void arm_process(void)
{
    pid_t pid = getpid();
    pid_t before = atomic_load(&arming.tried);
    int saved = errno, cancels;

    if (life_armed() || life_thread.in_vfork || getauxval(AT_SECURE) ||
        atomic_load(&life->sandboxed) || atomic_load(&arming.done_by) == (uint32_t)pid) {
        return;
    }
    /* listen() is no cancellation point (pthreads(7)), and nobody else would end what we began. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
    if (before != pid && atomic_compare_exchange_strong(&arming.tried, &before, pid)) {
        arm_once();
    } else {
        wait_for_arming(pid);
    }
    (void)pthread_setcancelstate(cancels, NULL);
    errno = saved;
}

void arm_as_guest(struct family_layout *layout)
{
    struct family_layout *none = NULL;
    bool invited = atomic_compare_exchange_strong(&invitation, &none, layout);

    arm_process();
    if (!invited || atomic_compare_exchange_strong(&invitation, &layout, NULL)) {
        (void)munmap(layout, sizeof(*layout)); /* another thread has armed, or nobody may */
    }
}

bool arm_was_tried(void)
{
    return atomic_load(&arming.tried) == getpid();
}
