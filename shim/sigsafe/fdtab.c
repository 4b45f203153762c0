/* SPDX-License-Identifier: MIT */
/* The descriptor table: mapping it, and what making, copying and closing a descriptor does. */
/* Context: AS-Safe, MT-Safe, never blocks; fdtab_map() is for arming only. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "sigsafe/fdtab.h"
#include "sigsafe/life.h"
#include "sigsafe/listeners.h"

#define FDTAB_LEAST 1024u
#define FDTAB_MOST  (4u << 20)

struct fdtab fdtab;

static uint32_t wanted_entries(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max > FDTAB_MOST) {
        return FDTAB_MOST;
    }
    return limit.rlim_max < FDTAB_LEAST ? FDTAB_LEAST : (uint32_t)limit.rlim_max;
}

int fdtab_map(void)
{
    if (fdtab.entries) {
        return (int)fdtab.size; /* a child that arms goes on with what it inherited */
    }
    for (uint32_t entries = wanted_entries(); entries >= FDTAB_LEAST; entries /= 2) {
        void *base = mmap(NULL, (size_t)entries * sizeof(struct fd_entry), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (base != MAP_FAILED) {
            fdtab.entries = base;
            atomic_store_explicit(&fdtab.size, entries, memory_order_release);
            return (int)entries;
        }
    }
    return -ENOMEM;
}

void fdtab_unmap(void)
{
    fdtab_shut();
    uint32_t entries = atomic_exchange(&fdtab.size, 0);

    (void)munmap(fdtab.entries, (size_t)entries * sizeof(struct fd_entry));
    fdtab.entries = NULL;
}

void fdtab_shut(void)
{
    atomic_store(&fdtab.gate, 0);
}

static bool must_look(void)
{
    return !atomic_load(&life->armed) || atomic_load(&life->work) || atomic_load(&fdtab.vforks) ||
           atomic_load(&life->draining) || atomic_load(&life->refusing) ||
           atomic_load(&life->told) || atomic_load(&life->sandboxed);
}

/* Whoever shuts it has said why before, so one of the two looks sees that. */
bool fdtab_reopen(void)
{
    uint32_t size = atomic_load(&fdtab.size);

    if (!must_look() && atomic_load(&fdtab.gate) != size) {
        atomic_store_explicit(&fdtab.gate, size, memory_order_release);
        if (must_look()) {
            fdtab_shut();
        }
    }
    return life_in_vfork();
}

void fdtab_vfork_begins(void)
{
    atomic_fetch_add(&fdtab.vforks, 1);
    fdtab_shut();
}

void fdtab_vfork_ends(void)
{
    atomic_fetch_sub(&fdtab.vforks, 1);
}

static uint8_t kind_of(const struct fd_entry *entry)
{
    return atomic_load_explicit(&entry->kind, memory_order_acquire);
}

static uint32_t number_in(const struct fd_entry *entry)
{
    return atomic_load_explicit(&entry->activity, memory_order_relaxed);
}

void fdtab_raise_high(uint32_t above)
{
    uint32_t high = atomic_load_explicit(&fdtab.high, memory_order_relaxed);

    while (high < above &&
           !atomic_compare_exchange_weak_explicit(&fdtab.high, &high, above, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

struct fd_entry *fdtab_connection(int fd, int *ret_home)
{
    struct fd_entry *entry = fdtab_find(fd);
    uint8_t kind = entry ? kind_of(entry) : 0;

    if (!(kind & FD_CONNECTION)) {
        return NULL;
    }
    if (kind & FD_ALIAS) {
        fd = (int)number_in(entry);
        entry = fdtab_find(fd);
        if (!entry || !(kind_of(entry) & FD_CONNECTION)) {
            return NULL;
        }
    }
    if (ret_home) {
        *ret_home = fd;
    }
    return entry;
}

void fdtab_record(int fd, uint8_t kind, uint32_t index)
{
    struct fd_entry *entry = fdtab_find(fd);

    if (!entry) {
        return;
    }
    bool fresh = (kind & FD_CONNECTION) && !(kind & FD_ALIAS);

    fdtab_renew(entry, kind, fresh ? number_in(entry) + 1 : index);
    fdtab_raise_high((uint32_t)fd + 1);
}

/* The home of a shared connection is closed: the first of its aliases takes the state over. */
static void move_home(int fd, const struct fd_entry *old)
{
    uint32_t high = atomic_load_explicit(&fdtab.high, memory_order_relaxed);
    struct fd_entry *home = NULL;
    uint32_t home_fd = 0;

    for (uint32_t i = 0; i < high; i++) {
        struct fd_entry *entry = &fdtab.entries[i];

        if (!(kind_of(entry) & FD_ALIAS) || number_in(entry) != (uint32_t)fd) {
            continue;
        }
        if (home) {
            atomic_store_explicit(&entry->activity, home_fd, memory_order_relaxed);
            continue;
        }
        home = entry;
        home_fd = i;
        atomic_store_explicit(&home->evidence, old->evidence, memory_order_relaxed);
        atomic_store_explicit(&home->http_state, old->http_state, memory_order_relaxed);
        atomic_store_explicit(&home->http_step, old->http_step, memory_order_relaxed);
        atomic_store_explicit(&home->http_left, old->http_left, memory_order_relaxed);
        atomic_store_explicit(&home->activity, number_in(old) + 1, memory_order_relaxed);
        atomic_store_explicit(&home->kind, kind_of(old), memory_order_release);
    }
}

uint8_t fdtab_forget(int fd)
{
    struct fd_entry *entry = fdtab_find(fd);
    uint8_t kind = entry ? kind_of(entry) : 0;

    if (kind == 0) {
        return 0;
    }
    if (kind & FD_LISTENER) {
        listeners_forget(fd, number_in(entry));
    } else if ((kind & FD_SHARED) && !(kind & FD_ALIAS)) {
        move_home(fd, entry);
    }
    atomic_store_explicit(&entry->kind, 0, memory_order_release);
    return kind;
}

void fdtab_copy(int from, int to)
{
    struct fd_entry *entry = fdtab_find(from);
    uint8_t kind = entry ? kind_of(entry) : 0;
    int home;

    if (kind == 0 || from == to) {
        return;
    }
    if (!(kind & FD_CONNECTION)) {
        fdtab_record(to, kind, number_in(entry));
        return;
    }
    entry = fdtab_connection(from, &home);
    if (entry) {
        atomic_fetch_or_explicit(&entry->kind, FD_SHARED, memory_order_relaxed);
        fdtab_record(to, FD_CONNECTION | FD_ALIAS, (uint32_t)home);
    }
}

bool fdtab_forget_range(unsigned first, unsigned last)
{
    uint32_t high = atomic_load_explicit(&fdtab.high, memory_order_relaxed);
    bool connection = false;

    for (uint32_t fd = first; fd < high && fd <= last; fd++) {
        connection |= (fdtab_forget((int)fd) & FD_CONNECTION) != 0;
    }
    return connection;
}

FORK_PATH bool fdtab_lend(void)
{
    uint32_t high = atomic_load_explicit(&fdtab.high, memory_order_relaxed);
    bool any = false;

    for (uint32_t fd = 0; fd < high; fd++) {
        uint8_t kind = kind_of(&fdtab.entries[fd]);

        if ((kind & (FD_CONNECTION | FD_LENT)) == FD_CONNECTION) { /* a write may copy the page */
            atomic_fetch_or_explicit(&fdtab.entries[fd].kind, FD_LENT, memory_order_relaxed);
        }
        any |= (kind & FD_CONNECTION) != 0;
    }
    return any;
}

uint32_t fdtab_count_connections(void)
{
    uint32_t high = atomic_load_explicit(&fdtab.high, memory_order_relaxed), count = 0;

    for (uint32_t fd = 0; fd < high; fd++) {
        count += (kind_of(&fdtab.entries[fd]) & (FD_CONNECTION | FD_ALIAS)) == FD_CONNECTION;
    }
    return count;
}

bool fdtab_has_connections(void)
{
    uint32_t high = atomic_load_explicit(&fdtab.high, memory_order_relaxed);

    for (uint32_t fd = 0; fd < high; fd++) {
        if (kind_of(&fdtab.entries[fd]) & FD_CONNECTION) {
            return true;
        }
    }
    return false;
}
