/* SPDX-License-Identifier: MIT */
/* A checkpoint as fluxctl has it: checked, in structs. */
/* Context: a program of one thread. */

/*
 *     struct document document;
 *     enum status status = document_open("state.json", &document);    what is wrong is said
 *     ... document.connections.forced ...
 *     document_free(&document);
 *
 * Anybody may have written the file. Its size, depth and number of values are bounded before
 * anything is allocated, each member is checked for its type and range, and one that is wrong or
 * missing makes the whole file no checkpoint. Members that this version doesn't know are passed
 * over; connections.curve and hooks[].start_ms may be missing. Texts are as they are in the file:
 * to be shown through text_visible(), and escaped for XML.
 */
#ifndef FLUXCTL_DOCUMENT_DOCUMENT_H
#define FLUXCTL_DOCUMENT_DOCUMENT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "document/fields.h"

#define DOCUMENT_SCHEMA     "fluxshim/1"
#define DOCUMENT_SIZE_MOST  33554432u
#define DOCUMENT_DEPTH_MOST 80
#define DOCUMENT_ITEMS_MOST 400000u

struct document_process {
    int64_t pid, ppid, uid, gid;
    const char *name, *exe, *started_at;
    int64_t start_ticks;
};

struct document_sender {
    int64_t pid, uid;
};

struct document_signal {
    int64_t number; /* 0: there was none, and the rest is nothing */
    const char *name;
    int64_t code;
    struct document_sender sender; /* pid FIELD_NONE: the kernel, or nobody knows */
};

struct document_phase {
    const char *name;
    double start_ms, duration_ms;
};

struct document_listener {
    const char *address, *refusal;
    int64_t accepted, rescued;
};

struct document_connection {
    int64_t fd;
    const char *peer, *state, *why;
    bool forced;
    double age_ms, quiet_ms;
    int64_t received, sent;
};

struct document_point {
    double at_ms;
    int64_t left;
};

struct document_connections {
    int64_t open, accepted, at_signal, drained, nudged, forced, rescued, omitted;
    struct document_point *curve; /* in the order of time */
    size_t curve_count;
    struct document_connection *remaining;
    size_t remaining_count;
};

struct document_member {
    int64_t pid;
    const char *role, *status;
    int64_t accepted, at_signal, drained, nudged, forced;
};

struct document_hook {
    const char *name, *path;
    int64_t priority;
    const char *scope, *status;
    int64_t result;
    double start_ms, ms;
    const char *error;
    const cJSON *state;
};

struct document_file {
    const char *path, *since_start;
    int64_t size;
    const char *mtime, *sha256;
};

struct document_lifetime {
    int64_t starts, stops, accepted, drained, forced, seconds;
};

struct document {
    int64_t generation;
    const char *written_at, *reason;
    int64_t exit_status;
    struct document_process process;
    struct document_signal signal;
    bool second_signal;
    const char *began_at;
    double duration_ms, refused_ms;
    struct document_phase *phases;
    size_t phase_count;
    struct document_listener *listeners;
    size_t listener_count;
    struct document_connections connections;
    struct document_member *members;
    size_t member_count;
    struct document_hook *hooks;
    size_t hook_count;
    struct document_file *files;
    size_t file_count;
    struct document_lifetime lifetime;
    cJSON *root; /* what the texts are in */
};

/* `text` has a NUL behind its `size` bytes. 0, or -EBADMSG with fault->text. Free it in either case. */
int document_parse(const char *text, size_t size, struct document *ret_document,
                   struct fault *fault);
void document_free(struct document *document);

/* The whole of it again, with all that this version has; NULL without memory. */
cJSON *document_json(const struct document *document);

#endif
