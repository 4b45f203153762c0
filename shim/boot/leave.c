/* SPDX-License-Identifier: MIT */
/* The program exits by itself: hooks and checkpoint run first. */
/* Context: the exiting thread; blocks for the shutdown timeout at most. */
#include "boot/boot.h"
#include "boot/family_file.h"
#include "sigsafe/family.h"
#include "sigsafe/log.h"
#include "sigsafe/safepoint.h"

/* What _exit() may wait for a thread to be made: a handler in the middle of malloc may have called it. */
#define THREAD_NS 1000000000

static bool has_something_to_do(const struct settings *settings)
{
    if (!life_armed() || life_released() || atomic_load(&life->finished)) {
        return false;
    }
    return settings->on_exit || hold_current() != NULL;
}

/*
 * Hooks and checkpoint are the family's: once, by its owner, when nobody is left that could go on. (A
 * parent that exits after daemon(3) is no end.)
 */
static bool is_the_familys_end(void)
{
    if (!family_self()) {
        return true;
    }
    if (!family_may_lead()) {
        return false; /* nearly every child, at once */
    }
    if (hold_current()) {
        return family_leads();
    }
    return family_is_alone() && family_leads() && atomic_exchange(&family->cleaned, 1) == 0;
}

static void clean_up(int status)
{
    const struct settings *settings = arm_settings();

    if (!settings || !has_something_to_do(settings) || !is_the_familys_end()) {
        return;
    }
    int64_t deadline = life_now() + settings->shutdown_timeout;

    atomic_store(&life->cleans, hold_current() == NULL);
    atomic_store(&life->exit_status, (uint32_t)status);
    life_post(LIFE_EXIT);
    if (hold_current() == NULL) {
        hold_guard_exit(status, THREAD_NS);
    }
    int error = safepoint_start();

    if (hold_current() == NULL) {
        hold_unguard_exit();
    }
    if (error != 0) {
        log_error("no thread for the hooks and the checkpoint: exiting without them");
        return;
    }
    while (!atomic_load(&life->finished) && life_now() < deadline) {
        life_sleep(&life->finished, 0, deadline - life_now());
    }
    if (atomic_load(&life->left_behind) && hold_current() == NULL) {
        hold_guard_exit(status, deadline - life_now()); /* the rest may wait for a hook's lock */
    }
}

void leave_process(int status)
{
    clean_up(status);
    if (life_armed() && family_self() && family_is_owner() && family_is_alone()) {
        family_file_remove();
    }
}
