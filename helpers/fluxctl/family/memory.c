/* SPDX-License-Identifier: MIT */
/* Reads another process's memory. */
/* Context: a program of one thread. */
#include "family/memory.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define LISTENERS_MOST 4096 /* of whatever the tables say */
#define LISTENER_MOST  65536
#define STRIPE         64

static int read_at(pid_t pid, uint64_t address, void *bytes, size_t size)
{
    struct iovec here = {.iov_base = bytes, .iov_len = size};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
    ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);

    if (n < 0) {
        return -errno;
    }
    return (size_t)n == size ? 0 : -EFAULT;
}

int memory_tables(pid_t pid, uint64_t address, struct process_tables *ret_tables)
{
    struct process_tables tables;
    int error = address != 0 ? read_at(pid, address, &tables, sizeof(tables)) : -EFAULT;

    if (error == 0 && (tables.magic != PROCESS_TABLES_MAGIC || tables.size != sizeof(tables))) {
        error = -EFAULT;
    }
    if (error == 0) {
        *ret_tables = tables;
    }
    return error;
}

int memory_entry(pid_t pid, const struct process_tables *tables, int fd, struct fd_entry *ret_entry)
{
    if (fd < 0 || (uint64_t)fd >= tables->entry_count) {
        return -ENOENT;
    }
    return read_at(pid, tables->entries + (uint64_t)fd * sizeof(*ret_entry), ret_entry,
                   sizeof(*ret_entry));
}

/* Within one listener: true if the counters lie in it. */
static int is_whole(const struct process_tables *tables)
{
    return tables->listener_count <= LISTENERS_MOST && tables->listener_size <= LISTENER_MOST &&
           tables->stripes <= LISTENER_MOST / STRIPE &&
           tables->accepted_offset <= tables->listener_size &&
           tables->accepted_offset + tables->stripes * STRIPE <= tables->listener_size;
}

static uint64_t sum_of(const char *listener, const struct process_tables *tables)
{
    uint64_t sum = 0, count;

    for (uint32_t i = 0; i < tables->stripes; i++) {
        memcpy(&count, listener + tables->accepted_offset + (size_t)i * STRIPE, sizeof(count));
        sum += count;
    }
    return sum;
}

int memory_accepted(pid_t pid, const struct process_tables *tables, uint64_t *ret_accepted)
{
    size_t size = (size_t)tables->listener_count * tables->listener_size;
    char *listeners = is_whole(tables) && size > 0 ? malloc(size) : NULL;
    int error = listeners ? read_at(pid, tables->listeners, listeners, size) : -EFAULT;

    if (error == 0) {
        *ret_accepted = 0;
        for (uint32_t i = 0; i < tables->listener_count; i++) {
            *ret_accepted += sum_of(listeners + (size_t)i * tables->listener_size, tables);
        }
    }
    free(listeners);
    return error;
}
