/* SPDX-License-Identifier: MIT */
/* Remembers and changes the masks of signalfds. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "sigsafe/signalfds.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "sigsafe/process.h"
#include "sigsafe/real.h"
#include "sigsafe/sigdisp.h"

#define SIGNALFDS 32
#define INFO      512 /* pos, flags, mnt_id, ino, sigmask */

static struct {
    _Atomic int fd; /* plus one, 0: free; never given back */
    sigset_t mask;
} signalfds[SIGNALFDS];

void signalfds_note(int fd, const sigset_t *mask)
{
    for (int i = 0; i < SIGNALFDS; i++) {
        int unused = 0;

        if (atomic_load(&signalfds[i].fd) == fd + 1 ||
            atomic_compare_exchange_strong(&signalfds[i].fd, &unused, fd + 1)) {
            signalfds[i].mask = *mask;
            return;
        }
    }
}

const sigset_t *signalfds_mask(const sigset_t *mask, sigset_t *room)
{
    if (!life_armed() || life_released()) {
        return mask;
    }
    *room = *mask;
    sigdisp_remove_from_set(room, sigdisp_kept_open());
    return room;
}

static uint64_t hexadecimal(const char *text)
{
    uint64_t number = 0;

    for (;; text++) {
        if (*text >= '0' && *text <= '9') {
            number = number * 16 + (uint64_t)(*text - '0');
        } else if (*text >= 'a' && *text <= 'f') {
            number = number * 16 + (uint64_t)(*text - 'a' + 10);
        } else {
            return number;
        }
    }
}

static const char *behind_label(const char *text, const char *label)
{
    size_t size = strlen(label);

    while (*text && strncmp(text, label, size) != 0) {
        text++;
    }
    return *text ? text + size : NULL;
}

/* Still the one that was noted: but for signals that the shim strips, its mask is as the program wanted. */
static bool is_still(int fd, const sigset_t *wanted)
{
    char info[INFO];
    uint64_t stripped = sigdisp_kept_open() | sigdisp_bit(SIGKILL) | sigdisp_bit(SIGSTOP);

    if (process_fd_info(fd, info, sizeof(info) - 1) < 0) {
        return true;
    }
    const char *mask = behind_label(info, "sigmask:\t");

    return mask && (hexadecimal(mask) & ~stripped) == (sigdisp_from_set(wanted) & ~stripped);
}

static void set_all(uint64_t without)
{
    for (int i = 0; i < SIGNALFDS; i++) {
        int fd = atomic_load(&signalfds[i].fd) - 1;
        sigset_t mask = signalfds[i].mask;

        if (fd < 0 || !(sigdisp_from_set(&mask) & atomic_load(&life->managed)) ||
            !is_still(fd, &mask)) {
            continue;
        }
        sigdisp_remove_from_set(&mask, without);
        (void)real.signalfd(fd, &mask, 0);
    }
}

void signalfds_strip(void)
{
    set_all(atomic_load(&life->managed));
}

void signalfds_make_real(void)
{
    set_all(0);
}
