/* SPDX-License-Identifier: MIT */
/* Slots of the family: taking, finding and giving them back. */
/* Context: AS-Safe, MT-Safe, never blocks; family_found() and family_join() are for arming only. */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sigsafe/direct.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/life.h"
#include "sigsafe/log.h"
#include "sigsafe/process.h"
#include "sigsafe/real.h"
#include "sigsafe/tables.h"

#define TELLING_MOST 10000 /* yields that an exec waits for an owner that is just telling it */

struct family_layout *family;
char family_entry[FAMILY_ENTRY];

static uint32_t state_of(const struct family_member *member)
{
    return atomic_load_explicit(&member->state, memory_order_acquire);
}

static pid_t pid_of(const struct family_member *member)
{
    return (pid_t)atomic_load_explicit(&member->pid, memory_order_relaxed);
}

uint32_t family_high(void)
{
    uint32_t high = family ? atomic_load_explicit(&family->high, memory_order_acquire) : 0;

    return high < FAMILY_MOST ? high : FAMILY_MOST;
}

uint32_t family_index(void)
{
    return life->member - 1;
}

FORK_PATH struct family_member *family_self(void)
{
    return family && life->member != 0 ? &family->members[life->member - 1] : NULL;
}

FORK_PATH static void become(uint32_t index)
{
    life->member = index + 1;
    life->bell = &family->members[index].bell;
}

FORK_PATH static void set_pid(struct family_member *member, pid_t pid)
{
    atomic_store(&member->pid, pid);
    atomic_store(&member->alive_ms, process_now_ms());
}

void family_found(struct family_layout *layout, int signo)
{
    layout->version = FAMILY_VERSION;
    layout->size = sizeof(*layout);
    layout->cookie = (uint64_t)life_now() ^ (uint64_t)(uintptr_t)&layout ^ (uint64_t)getpid() << 40;
    layout->signo = (uint32_t)signo;
    layout->high = 1;
    set_pid(&layout->members[0], getpid());
    layout->members[0].state = FAMILY_ACTIVE;
    layout->members[0].tables = (uintptr_t)&tables;
    layout->magic = FAMILY_MAGIC;
    family = layout;
    become(0);
    atomic_store(&life->owns, 1);
}

/* The owner ------------------------------------------------------------------------------------- */

/* In another pid namespace the others' numbers mean nothing. */
static bool is_apart(const struct family_member *self)
{
    return pid_of(self) != getpid();
}

static bool is_gone(const struct family_member *member)
{
    return process_is_gone(pid_of(member), atomic_load(&member->alive_ms));
}

static bool slot_is_gone(uint32_t index)
{
    const struct family_member *member = &family->members[index % FAMILY_MOST];

    return state_of(member) == FAMILY_FREE || (getppid() != pid_of(member) && is_gone(member));
}

/* The owner's child, or one whose own parent is gone as well: not a grandchild beside its parent. */
static bool is_heir(const struct family_member *self, uint32_t owner)
{
    uint32_t parent = atomic_load(&self->parent);

    return parent == owner || parent == family_index() || slot_is_gone(parent);
}

/* A child that only exits must not touch the mapping: that would cost it a page fault. */
FORK_PATH bool family_is_owner(void)
{
    return !family_self() ||
           (atomic_load(&life->owns) && atomic_load(&family->owner) == family_index());
}

/* Neither an orphan nor the owner's: it is no heir, whoever the owner may be. */
FORK_PATH static bool has_its_parent(void)
{
    return life->parent != 0 && direct_call(SYS_getppid, 0, 0, 0) == life->parent;
}

FORK_PATH bool family_may_lead(void)
{
    if (family_is_owner()) {
        return true;
    }
    if (has_its_parent()) {
        return false;
    }
    const struct family_member *self = family_self();
    uint32_t owner = atomic_load(&family->owner);

    return (slot_is_gone(owner) && !is_apart(self) && is_heir(self, owner) &&
            atomic_load(&family->phase) != FAMILY_RELEASED);
}

bool family_leads(void)
{
    uint32_t owner = family ? atomic_load(&family->owner) : 0;

    if (family_is_owner()) {
        return true;
    }
    if (!family_may_lead() ||
        !atomic_compare_exchange_strong(&family->owner, &owner, family_index())) {
        return false;
    }
    atomic_store(&life->owns, 1);
    return true;
}

bool family_owner_is(pid_t pid)
{
    return family_self() &&
           pid_of(&family->members[atomic_load(&family->owner) % FAMILY_MOST]) == pid;
}

enum family_phase family_phase(void)
{
    if (family_is_owner()) {
        return FAMILY_RUNNING;
    }
    return (enum family_phase)atomic_load(&family->phase);
}

/* Slots ------------------------------------------------------------------------------------------- */

static struct family_member *find_in(struct family_layout *layout, pid_t pid)
{
    uint32_t high = atomic_load_explicit(&layout->high, memory_order_acquire);

    for (uint32_t i = 0; pid > 0 && i < high && i < FAMILY_MOST; i++) {
        struct family_member *member = &layout->members[i];

        if (state_of(member) != FAMILY_FREE && pid_of(member) == pid) {
            return member;
        }
    }
    return NULL;
}

static struct family_member *find(pid_t pid)
{
    return find_in(family, pid);
}

bool family_knows(struct family_layout *layout, pid_t pid)
{
    const struct family_member *member = find_in(layout, pid);

    return member && !is_gone(member);
}

bool family_is_clean(void)
{
    const struct family_member *self = family_self();

    return self && state_of(self) == FAMILY_CLEAN;
}

/* One that is just being forked has its pid from its parent, unless libc itself forks. */
static bool may_go_on(const struct family_member *member)
{
    uint32_t state = state_of(member);

    return state >= FAMILY_RESERVED && state <= FAMILY_ACTIVE && pid_of(member) > 0 &&
           !is_gone(member);
}

bool family_is_alone(void)
{
    for (uint32_t i = 0; i < family_high(); i++) {
        if (i != family_index() && may_go_on(&family->members[i])) {
            return false;
        }
    }
    return true;
}

static bool goes_on_by_exec(void)
{
    return family_self() && !life_thread.in_vfork && family_entry[0] != '\0' && family_is_owner() &&
           atomic_load(&family->phase) == FAMILY_RUNNING && !family_is_alone();
}

static size_t count_strings(char *const strings[])
{
    size_t count = 0;

    while (strings && strings[count]) {
        count++;
    }
    return count;
}

/*
 * The entry comes last: what a program takes for the room of its title begins behind its arguments. And
 * not on the stack, which may be a handler's.
 */
static struct family_environment with_entry(char *const env[])
{
    size_t count = count_strings(env), size = (count + 2) * sizeof(char *);
    char **room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (room == MAP_FAILED) {
        return (struct family_environment){.entries = env};
    }
    for (size_t i = 0; i < count; i++) {
        room[i] = env[i];
    }
    room[count] = family_entry;
    return (struct family_environment){.entries = room, .size = size};
}

struct family_environment family_environment_of(char *const env[])
{
    int saved = errno;
    struct family_environment environment = {.entries = env};

    if (goes_on_by_exec()) {
        environment = with_entry(env);
    }
    errno = saved;
    return environment;
}

void family_environment_free(const struct family_environment *environment)
{
    if (environment->size != 0) {
        (void)munmap((void *)environment->entries, environment->size);
    }
}

bool family_has(pid_t pid)
{
    const struct family_member *self = family_self();

    return self && ((pid == 0 && is_apart(self)) || find(pid) != NULL);
}

void family_ring(uint32_t index)
{
    if (index < FAMILY_MOST) {
        atomic_fetch_add(&family->members[index].bell, 1);
        life_wake(&family->members[index].bell);
    }
}

FORK_PATH static void give_back(struct family_member *member)
{
    atomic_store(&member->pid, 0);
    atomic_store(&member->state, FAMILY_FREE);
    if (atomic_load(&family->phase) != FAMILY_RUNNING) {
        family_ring(atomic_load(&family->owner));
    }
}

/* Members that were killed and that nobody has waited for. */
static void sweep(void)
{
    for (uint32_t i = 0; i < family_high(); i++) {
        struct family_member *member = &family->members[i];

        if (state_of(member) > FAMILY_RESERVED && is_gone(member)) {
            give_back(member);
        }
    }
}

static void raise_high(uint32_t above)
{
    uint32_t high = family_high();

    while (high < above && !atomic_compare_exchange_weak(&family->high, &high, above)) {
    }
}

FORK_PATH static uint32_t take(void)
{
    for (uint32_t i = 1; i < FAMILY_MOST; i++) {
        uint32_t is_free = FAMILY_FREE;

        if (i != atomic_load(&family->owner) && state_of(&family->members[i]) == FAMILY_FREE &&
            atomic_compare_exchange_strong(&family->members[i].state, &is_free, FAMILY_RESERVED)) {
            raise_high(i + 1);
            return i;
        }
    }
    return 0;
}

FORK_PATH static void clear(struct family_member *member)
{
    atomic_store(&member->pid, 0);
    atomic_store(&member->alive_ms, 0);
    atomic_store(&member->told, 0);
    atomic_store(&member->round, 0);
    atomic_store(&member->left, 0);
    atomic_store(&member->forced_all, 0);
    atomic_store(&member->hooks_done, 0);
    atomic_store(&member->passive, 0);
    atomic_store(&member->telling, 0);
    atomic_store(&member->accepted, 0);
    atomic_store(&member->at_signal, 0);
    atomic_store(&member->drained, 0);
    atomic_store(&member->nudged, 0);
    atomic_store(&member->forced, 0);
    atomic_store(&member->tables, (uintptr_t)&tables);
    atomic_store(&member->phase, 0);
}

static void tell_once_full(void)
{
    static bool told;

    if (!told) {
        told = true;
        log_warn("more than %u processes: those beyond drain alone", FAMILY_MOST);
    }
}

static pid_t own_pid(void)
{
    return life->pid != 0 ? life->pid : getpid();
}

/* Where the parent learns the child's pid, the child has nothing to write: a fault less. */
FORK_PATH static void prepare(struct family_member *member, bool with_connections)
{
    clear(member);
    atomic_store(&member->parent, family_index());
    life_thread.fork_parent = own_pid();
    life_thread.reserved_active = with_connections;
    if (life_thread.reserved_told) {
        atomic_store(&member->state, with_connections ? FAMILY_ACTIVE : FAMILY_CLEAN);
    }
}

FORK_PATH void family_before_fork(bool with_connections)
{
    life_thread.reserved = 0;
    life_thread.reserved_told = life_thread.fork_wrapped;
    life_thread.fork_wrapped = 0;
    if (!family_self()) {
        return;
    }
    uint32_t index = take();

    atomic_fetch_add(&family->forks, 1);
    if (index == 0) {
        sweep();
        index = take();
    }
    if (index == 0) {
        tell_once_full();
        return;
    }
    prepare(&family->members[index], with_connections);
    life_thread.reserved = index;
}

/* A child of ours has this number now: whoever had it before is gone. */
FORK_PATH static void forget_pid(pid_t pid)
{
    for (uint32_t i = 0; i < family_high(); i++) {
        if (i != life_thread.reserved && pid_of(&family->members[i]) == pid) {
            give_back(&family->members[i]);
        }
    }
}

FORK_PATH void family_after_fork(pid_t pid)
{
    uint32_t index = life_thread.reserved;

    if (index == 0 || !family) {
        return;
    }
    if (pid < 0) {
        give_back(&family->members[index]);
    } else if (state_of(&family->members[index]) != FAMILY_FREE) {
        forget_pid(pid);
        set_pid(&family->members[index], pid);
    }
}

/* libc itself forks (daemon, forkpty), or clone(2) does: nobody else may do it. */
static void introduce_itself(struct family_member *self)
{
    uint32_t reserved = FAMILY_RESERVED;
    int32_t none = 0;
    pid_t pid = getpid();

    if (pid != 1 && atomic_compare_exchange_strong(&self->pid, &none, pid)) {
        atomic_store(&self->alive_ms, process_now_ms());
    } /* 1: in a pid namespace of its own, and only the parent knows */
    (void)atomic_compare_exchange_strong(
        &self->state, &reserved, life_thread.reserved_active ? FAMILY_ACTIVE : FAMILY_CLEAN);
}

FORK_PATH void family_in_child(void)
{
    uint32_t index = life_thread.reserved;

    if (index == 0 || !family) {
        family = NULL; /* a family of its own, from its first accept on */
        return;
    }
    become(index);
    life->parent = life_thread.fork_parent;
    if (!life_thread.reserved_told) {
        introduce_itself(&family->members[index]);
    }
}

void family_activate(void)
{
    struct family_member *self = family_self();
    uint32_t clean = FAMILY_CLEAN;

    if (self) {
        (void)atomic_compare_exchange_strong(&self->state, &clean, FAMILY_ACTIVE);
    }
}

void family_count(void)
{
    struct family_member *self = family_self();

    if (self && atomic_load(&self->passive)) {
        atomic_store(&self->left, fdtab_count_connections());
    }
}

void family_become_passive(void)
{
    struct family_member *self = family_self();

    if (self) {
        atomic_store(&self->left, fdtab_count_connections());
        atomic_store(&self->passive, 1);
        family_activate();
        family_count();
    }
}

void family_passed(void)
{
    if (family_self()) {
        atomic_fetch_add(&family->passed, 1);
    }
}

void family_received(void)
{
    if (family_self()) {
        atomic_fetch_add(&family->received, 1);
    }
}

void family_reaped(pid_t pid)
{
    struct family_member *member = family_self() ? find(pid) : NULL;

    if (member) {
        give_back(member);
    }
}

void family_spawned(pid_t pid)
{
    uint32_t index = family_self() ? take() : 0;

    if (index != 0) {
        clear(&family->members[index]);
        atomic_store(&family->members[index].parent, family_index());
        set_pid(&family->members[index], pid);
        atomic_store(&family->members[index].state, FAMILY_PROGRAM);
    }
}

/* The slot that it had before its exec, or a new one. */
int family_join(struct family_layout *layout)
{
    struct family_member *mine = find_in(layout, getpid());

    family = layout;
    uint32_t index = mine ? (uint32_t)(mine - layout->members) : take();

    uint32_t owner = atomic_load(&layout->owner) % FAMILY_MOST;

    if (!mine && index == 0) {
        family = NULL;
        return -ENOSPC;
    }
    struct family_member *member = &layout->members[index];

    clear(member);
    atomic_store(&member->parent, index == owner ? 0 : owner);
    set_pid(member, getpid());
    atomic_store(&member->state, FAMILY_ACTIVE);
    become(index);
    atomic_store(&life->owns, index == owner);
    return 0;
}

void family_before_exec(bool takes_connection)
{
    struct family_member *self = family_self();

    if (self) {
        life_thread.before_exec = state_of(self);
        atomic_store(&self->state, takes_connection ? FAMILY_PROGRAM : FAMILY_OTHER);
        for (int i = 0; atomic_load(&self->telling) && i < TELLING_MOST; i++) {
            (void)real.syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
        }
    }
}

void family_exec_failed(void)
{
    struct family_member *self = family_self();

    if (self) {
        atomic_store(&self->state, life_thread.before_exec);
    }
}
