/* SPDX-License-Identifier: MIT */
/* Tests shim/engine/hook_thread: order, results, time, state, and an end of its own. */
/* Context: a program that prints TAP; each case has one thread more. */
#include "../../shim/engine/hook_thread.h"
#include "unit.h"

#include <linux/futex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/shim.h"

#define MS   1000000ll
#define LONG (20000 * MS)

/* ---- what the engine gives it ---- */

static __thread struct crash_mark *mark;

static void note_log(enum settings_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

static void sleep_on(_Atomic uint32_t *word, uint32_t seen, int64_t ns)
{
    struct timespec limit = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    (void)syscall(SYS_futex, word, FUTEX_WAIT, seen, ns < 0 ? NULL : &limit, NULL, 0);
}

static void wake(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, 1 << 30, NULL, NULL, 0);
}

static void ignore_guard(bool on)
{
    (void)on;
}

static void note_mark(struct crash_mark *entered)
{
    mark = entered;
}

static void ignore_count(bool in)
{
    (void)in;
}

static struct life page;
static const struct bridge stub = {
    .life = &page,
    .log = note_log,
    .sleep = sleep_on,
    .wake = wake,
    .crash_guard = ignore_guard,
    .crash_enter = note_mark,
    .count_in_libc = ignore_count,
};
const struct bridge *shim = &stub;

int64_t shim_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- a hook ---- */

static char notes[256];
static _Atomic int goes_on; /* what a call that hangs waits for */
static const char *state;
static int saves;

static void event(void *instance, const struct flux_event *told)
{
    char note[16];

    (void)snprintf(note, sizeof(note), "%u ", told->phase);
    strcat(notes, note);
    while (told->phase == FLUX_PHASE_FORCE && !goes_on) {
        (void)usleep(1000);
    }
    (void)instance;
}

static int cleanup(void *instance)
{
    strcat(notes, "cleanup ");
    if (strcmp(instance, "ends") == 0) { /* as sigsafe/crash.c would */
        mark->call = "exit";
        mark->detail = 3;
        atomic_store(&mark->how, CRASH_CALL);
        atomic_fetch_add(&mark->news, 1);
        wake(&mark->news);
        mark->leave(mark);
    }
    return 7;
}

static int64_t save(void *instance, char *buffer, uint64_t size)
{
    (void)instance;
    saves++;
    return state ? snprintf(buffer, size, "%s", state) : -1;
}

static struct hook_thread *start(const char *instance)
{
    struct hook_work work = {.name = "hook",
                             .instance = (void *)instance,
                             .event = event,
                             .cleanup = cleanup,
                             .save = save};

    notes[0] = '\0';
    goes_on = 0;
    saves = 0;
    return hook_thread_start(&work);
}

static void tell(struct hook_thread *thread, uint32_t phase, bool repeated)
{
    struct flux_event told = {.size = sizeof(told), .phase = phase};

    hook_thread_post_event(thread, &told, repeated);
}

static enum hook_outcome run(struct hook_thread *thread, enum hook_call call)
{
    uint32_t number = hook_thread_post(thread, call);

    return hook_thread_wait(thread, number, LONG, shim_now() + LONG);
}

/* ---- cases ---- */

static void test_order(void)
{
    struct hook_thread *thread = start("good");

    tell(thread, FLUX_PHASE_REFUSE, false);
    tell(thread, FLUX_PHASE_DRAIN, false);
    unit_equal("cleanup", run(thread, HOOK_CLEANUP), HOOK_RETURNED);
    unit_text("in their order", notes, "2 3 cleanup ");
    unit_equal("result", thread->result, 7);
    unit_true("it ends", hook_thread_end(thread, shim_now() + LONG));
}

static void save_is(const char *given, const char *kept, int calls)
{
    struct hook_thread *thread = start("good");

    state = given;
    unit_equal("save", run(thread, HOOK_SAVE), HOOK_RETURNED);
    unit_equal("length", thread->state ? (long long)strlen(thread->state) : -1,
               kept ? (long long)strlen(kept) : -1);
    unit_equal("calls", saves, calls);
    unit_true("it ends", hook_thread_end(thread, shim_now() + LONG));
}

static void test_save(void)
{
    char *text = malloc(HOOK_STATE_MOST + 1);

    save_is("1", "1", 1);
    save_is(NULL, NULL, 1);
    for (int length = 4095; length <= 4096; length++) {
        sprintf(text, "%0*d", length, 0);
        save_is(text, text, length - 4094);
    }
    sprintf(text, "%0*d", HOOK_STATE_MOST - 1, 0);
    save_is(text, text, 2);
    sprintf(text, "%0*d", HOOK_STATE_MOST, 0);
    save_is(text, NULL, 1);
    free(text);
}

static void test_late(void)
{
    struct hook_thread *thread = start("good");
    int64_t began = shim_now();

    tell(thread, FLUX_PHASE_FORCE, false);
    uint32_t number = hook_thread_post(thread, HOOK_CLEANUP);

    unit_equal("late", hook_thread_wait(thread, number, 50 * MS, began + LONG), HOOK_LATE);
    unit_true("not before its time", shim_now() - began >= 50 * MS);
    unit_text("what it is in", hook_thread_call(thread), "event");
    unit_equal("late by the deadline", hook_thread_wait(thread, number, LONG, shim_now() + 5 * MS),
               HOOK_LATE);
    tell(thread, FLUX_PHASE_DRAIN, true);
    goes_on = 1;
    unit_equal("later", hook_thread_wait(thread, number, LONG, shim_now() + LONG), HOOK_RETURNED);
    unit_true("it ends", hook_thread_end(thread, shim_now() + LONG));
    unit_text("a repeated event was left out", notes, "4 cleanup ");
}

static void test_full(void)
{
    struct hook_thread *thread = start("good");
    uint32_t number = 1;

    tell(thread, FLUX_PHASE_FORCE, false);
    for (int i = 0; i < HOOK_QUEUE; i++) {
        number = hook_thread_post(thread, HOOK_CLEANUP);
    }
    unit_equal("no room", number, 0);
    unit_equal("which is late", hook_thread_wait(thread, number, MS, shim_now() + LONG), HOOK_LATE);
    goes_on = 1;
    while ((number = hook_thread_post(thread, HOOK_CLEANUP)) == 0) {
        (void)usleep(1000);
    }
    unit_equal("room again", hook_thread_wait(thread, number, LONG, shim_now() + LONG),
               HOOK_RETURNED);
    unit_true("it ends", hook_thread_end(thread, shim_now() + LONG));
}

/* Its thread is parked, so this one's memory is in use up to the end of the process. */
static void test_ended(void)
{
    static struct hook_thread *thread;

    thread = start("ends");
    unit_equal("ended", run(thread, HOOK_CLEANUP), HOOK_ENDED);
    unit_true("is known", hook_thread_has_ended(thread));
    unit_text("in", hook_thread_call(thread), "cleanup");
    unit_text("by", thread->mark.call, "exit");
    unit_equal("with", thread->mark.detail, 3);
    unit_true("it is left behind", !hook_thread_end(thread, shim_now() + 5 * MS));
}

int main(void)
{
    test_order();
    test_save();
    test_late();
    test_full();
    test_ended();
    return unit_end();
}
