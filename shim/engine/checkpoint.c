/* SPDX-License-Identifier: MIT */
/* Puts the document of a shutdown in the place of the one before, whole at every instant. */
/* Context: coordinator thread only; may allocate and block. */
#include "engine/checkpoint.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/apart.h"
#include "engine/document.h"
#include "engine/file.h"
#include "engine/leftovers.h"
#include "engine/past.h"
#include "engine/place.h"
#include "engine/shim.h"

#define CORRUPT_KEPT 3
#define NAME_SIZE    (NAME_MAX + 1)
#define NS_PER_S     1000000000

static struct past before;      /* what the last start has left, until the hooks have it */
static struct lifetime earlier; /* of the starts before this one */
static uint64_t last;           /* the highest generation seen */
static bool has_looked;         /* what is there was read when this process began */
static int64_t began_ns;

/* ---- the one before ---- */

/* -ENOENT: there is none. -EBADMSG: what is there is no checkpoint. Else it can't be read. */
static int read_past(int folder, const char *name, struct past *ret_past)
{
    char *text = NULL;
    int result = file_read(folder, name, O_NOFOLLOW, PAST_SIZE_MOST, &text);

    if (result == 0) {
        result = past_parse(text, strlen(text), ret_past);
    }
    free(text);
    return result == -EINVAL || result == -EISDIR || result == -EFBIG ? -EBADMSG : result;
}

static void with_suffix(const char *name, const char *suffix, char kept[NAME_SIZE])
{
    (void)snprintf(kept, NAME_SIZE, "%s%s", name, suffix);
}

/* The newest is .corrupt-1, and the oldest of three is given up for it. */
static void set_aside(int folder, const char *name)
{
    char from[NAME_SIZE], to[NAME_SIZE];

    for (int n = CORRUPT_KEPT - 1; n > 0; n--) {
        (void)snprintf(from, sizeof(from), "%s.corrupt-%d", place_name(), n);
        (void)snprintf(to, sizeof(to), "%s.corrupt-%d", place_name(), n + 1);
        (void)renameat(folder, from, folder, to);
    }
    (void)snprintf(to, sizeof(to), "%s.corrupt-1", place_name());
    if (renameat(folder, name, folder, to) < 0) {
        log_warn("checkpoint %s: %s is no checkpoint and cannot be set aside: %s", place_path(),
                 name, strerror(errno));
    } else {
        log_warn("checkpoint %s: %s is no checkpoint, set aside as %s", place_path(), name, to);
    }
}

/* One of the two, if it is there and valid; what is no checkpoint is set aside. */
static bool take_past(int folder, const char *name, bool told, struct past *ret_past)
{
    int result = place_obstacle(folder, name) ? -ENOENT : read_past(folder, name, ret_past);

    if (result == -EBADMSG) {
        set_aside(folder, name);
    } else if (result < 0 && result != -ENOENT && !told) {
        log_warn("checkpoint %s: %s cannot be read: %s", place_path(), name, strerror(-result));
    }
    return result == 0;
}

/* By generation and not by time: clocks jump. */
static void read_newest(int folder, bool told, struct past *ret_past)
{
    struct past kept = {0};
    char name[NAME_SIZE];

    with_suffix(place_name(), ".prev", name);
    (void)take_past(folder, place_name(), told, ret_past);
    if (take_past(folder, name, told, &kept) && kept.generation > ret_past->generation) {
        past_free(ret_past);
        *ret_past = kept;
    } else {
        past_free(&kept);
    }
}

/* ---- another server with the same path ---- */

static bool is_alive(const struct past *past)
{
    return past->pid > 0 && past->start_ticks != 0 &&
           (uint64_t)document_start_ticks(past->pid) == past->start_ticks;
}

/* Each keeps writing whole documents; what they say of themselves alternates. */
static void tell_of_another(const struct past *past)
{
    static pid_t told;

    if (past->pid > 0 && past->pid != getpid() && past->pid != told) {
        told = past->pid;
        log_warn("checkpoint %s: process %d writes to it as well, and it %s: each needs a path of "
                 "its own (%%p, %%n)",
                 place_path(), (int)past->pid, is_alive(past) ? "is alive" : "has ended");
    }
}

/* ---- the folder ---- */

/* Told once, by whoever finds it: the number alone would mislead. */
static int check_place(int folder, const char *name)
{
    const char *in_the_way = place_obstacle(folder, name);

    if (!in_the_way) {
        return 0;
    }
    log_error("checkpoint %s: there is %s at that path, it is left alone", place_path(),
              in_the_way);
    return -EEXIST;
}

/* Some file systems can't sync a folder (EINVAL), nor can O_PATH (EBADF): the rename must do. */
static int sync_folder(int folder)
{
    return fsync(folder) < 0 && errno != EINVAL && errno != EBADF ? -errno : 0;
}

/* ---- writing ---- */

static int write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        text += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int write_new(int folder, const char *temporary, const char *text)
{
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result;

    if (fd < 0) {
        return -errno;
    }
    result = write_all(fd, text, strlen(text));
    if (result == 0) {
        result = write_all(fd, "\n", 1);
    }
    if (result == 0 && fsync(fd) < 0) {
        result = -errno;
    }
    close(fd);
    return result;
}

/*
 * A second link to what is there, made beside it and moved over the one kept before: the path
 * itself is never without its file.
 */
static int keep_as(int folder, const char *name, const char *kept)
{
    char temporary[NAME_SIZE];
    int result = 0;

    if (place_obstacle(folder, kept)) {
        return -EEXIST;
    }
    leftovers_name(name, temporary);
    if (linkat(folder, name, folder, temporary, 0) < 0) {
        return -errno;
    }
    if (renameat(folder, temporary, folder, kept) < 0) {
        result = -errno;
    }
    (void)unlinkat(folder, temporary, 0); /* rename(2) leaves it where both are one file */
    return result;
}

static void keep(int folder, const char *name)
{
    char kept[NAME_SIZE];
    int result;

    with_suffix(name, ".prev", kept);
    result = keep_as(folder, name, kept);
    if (result < 0) {
        log_warn("checkpoint %s: the one before cannot be kept as %s: %s", place_path(), kept,
                 strerror(-result));
    }
}

static int replace(int folder, const char *name, const char *text, bool has_before)
{
    char temporary[NAME_SIZE];
    int result;

    leftovers_name(name, temporary);
    result = write_new(folder, temporary, text);
    if (result == 0 && has_before) {
        keep(folder, name);
    }
    if (result == 0 && renameat(folder, temporary, folder, name) < 0) {
        result = -errno;
    }
    if (result < 0) {
        (void)unlinkat(folder, temporary, 0);
        return result;
    }
    return sync_folder(folder);
}

static void note_generation(uint64_t generation)
{
    last = generation > last ? generation : last;
}

static uint64_t kept_generation(int folder)
{
    struct past kept = {0};
    char name[NAME_SIZE];
    uint64_t generation;

    with_suffix(place_name(), ".prev", name);
    (void)read_past(folder, name, &kept);
    generation = kept.generation;
    past_free(&kept);
    return generation;
}

/* What is there now: it may be another's, or damaged since. True: it is one to be kept. */
static bool look_at_present(int folder)
{
    struct past there = {0};
    int found = read_past(folder, place_name(), &there);

    if (found == -EBADMSG) {
        set_aside(folder, place_name());
    }
    if (found == 0 && has_looked && there.generation > last) {
        tell_of_another(&there);
    }
    note_generation(found == 0 ? there.generation : kept_generation(folder));
    past_free(&there);
    return found != -EBADMSG && found != -ENOENT;
}

static void add_up(const struct record *record, struct lifetime *ret_lifetime)
{
    *ret_lifetime = earlier;
    ret_lifetime->starts++;
    ret_lifetime->stops += !record->is_serving;
    ret_lifetime->accepted += record->connections.accepted;
    ret_lifetime->drained += record->connections.drained;
    ret_lifetime->forced += record->connections.forced;
    ret_lifetime->seconds += (uint64_t)((shim_now() - began_ns) / NS_PER_S);
}

static int write_in(int folder, const struct record *record)
{
    bool has_before = look_at_present(folder);
    struct lifetime lifetime;
    char *text;
    int result;

    add_up(record, &lifetime);
    text = document_text(record, last + 1, &lifetime);
    result = text ? replace(folder, place_name(), text, has_before) : -ENOMEM;
    last += result == 0;
    cJSON_free(text);
    return result;
}

static int write_it(const struct record *record)
{
    int folder = place_open();
    int result = folder < 0 ? folder : check_place(folder, place_name());
    if (result != -EEXIST) {
        result = result < 0 ? result : write_in(folder, record);
        if (result < 0) {
            log_error("checkpoint %s cannot be written: %s", place_path(), strerror(-result));
        }
    }
    if (folder >= 0) {
        close(folder);
    }
    return result;
}

/* Files are opened apart from the program's descriptors (apart.h). */
struct work {
    const struct record *record;
    int result;
};

static void write_apart(void *argument)
{
    struct work *work = argument;

    work->result = write_it(work->record);
}

/* Where a sandbox forbids that, a number that is taken for a moment is the lesser evil. */
static int run(void (*function)(void *argument), struct work *work)
{
    if (apart_run(function, work) < 0) {
        function(work);
    }
    return work->result;
}

int checkpoint_write(const struct record *record)
{
    struct work work = {.record = record};

    return place_path()[0] != '\0' ? run(write_apart, &work) : 0;
}

uint64_t checkpoint_generation(void)
{
    return last;
}

/* ---- preparing ---- */

/* `folder` may be an error number. */
static int check_folder(int folder, const char **ret_reason)
{
    int result = folder < 0 ? folder : 0;
    const char *in_the_way = NULL;

    if (result == 0 && faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        result = -errno;
    }
    if (result == 0) {
        in_the_way = place_obstacle(folder, place_name());
        result = in_the_way ? -EEXIST : 0;
    }
    *ret_reason = in_the_way ? in_the_way : strerror(-result);
    return result;
}

static int check(int folder)
{
    const char *reason = "";
    int result = check_folder(folder, &reason);

    if (result == -EEXIST) {
        log_warn("checkpoint %s: cannot be written, there is %s at that path", place_path(),
                 reason);
    } else if (result < 0) {
        log_warn("checkpoint %s: its folder cannot be written to as it is now: %s", place_path(),
                 reason);
    }
    return result;
}

/* `told`: that this folder is of no use has been said. */
static void begin_with(int folder, bool told)
{
    past_free(&before);
    read_newest(folder, told, &before);
    has_looked = !told;
    earlier = before.lifetime;
    last = before.generation;
    if (before.while_serving && is_alive(&before)) {
        tell_of_another(&before);
    }
    leftovers_remove(folder, place_name());
    log_info("checkpoint %s: %s, generation %llu", place_path(),
             before.root ? "read" : "there is none yet", (unsigned long long)last);
}

static void prepare_apart(void *argument)
{
    struct work *work = argument;
    int folder = place_open();

    work->result = check(folder);
    if (folder >= 0) {
        begin_with(folder, work->result < 0);
        close(folder);
    }
}

int checkpoint_prepare(const char *given)
{
    int result = place_set(given);
    struct work work = {.result = 0};

    began_ns = shim_now();
    if (result < 0) {
        log_warn("checkpoint %s: none will be written: %s", given,
                 result == -EINVAL ? "only %p, %n and %% may stand in a path" : strerror(-result));
    }
    if (result < 0 || place_path()[0] == '\0') {
        return result;
    }
    return run(prepare_apart, &work);
}

const struct past *checkpoint_before(void)
{
    return &before;
}

void checkpoint_forget_before(void)
{
    past_free(&before);
}
