/* SPDX-License-Identifier: MIT */
/* What one shutdown was like: filled in as it goes, written out by the checkpoint. */
/* Context: coordinator thread only; may allocate and block. */

/*
 * All times are CLOCK_MONOTONIC nanoseconds but for `started_at`. Rows are kept in fixed arrays:
 * what doesn't fit is counted (`remaining_count` can exceed the rows kept).
 */
#ifndef FLUXSHIM_ENGINE_RECORD_H
#define FLUXSHIM_ENGINE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "engine/curve.h"
#include "engine/fsm.h"

#define RECORD_HOOKS     256
#define RECORD_LISTENERS 256
#define RECORD_REMAINING 1000
#define RECORD_MEMBERS   1024
#define RECORD_PHASES    16
#define RECORD_FILES     64
#define RECORD_NAME      128

struct record_phase {
    enum fsm_state state;
    int64_t began_ns; /* CLOCK_MONOTONIC */
    int64_t ended_ns; /* 0 while it lasts */
};

struct record_listener {
    char address[RECORD_NAME]; /* "127.0.0.1:8080", "[::1]:8080", "unix:/path", "unix:@abstract" */
    const char *refusal;       /* "blackhole", "filter", "backlog", "shutdown", "none" */
    uint64_t accepted;
    uint64_t rescued; /* accepted after the refusal, out of the queue */
};

struct record_connection {
    int fd;
    char peer[RECORD_NAME];
    const char *state; /* "in flight", "idle" */
    const char *why;   /* "request not answered", "response incomplete", ... */
    bool forced;
    int64_t
        age_ns; /* at least: since the shutdown began, or since its last data if that is longer */
    int64_t quiet_ns; /* since its last data, -1: unknown */
    bool has_bytes;   /* TCP has counted them */
    uint64_t received, sent;
};

struct record_hook {
    char name[64];
    char path[256];
    int priority;
    const char *scope;  /* "family", "process" */
    const char *status; /* "ok", "failed", "timeout", "crashed", "exited", "not run", "serving" */
    int result;         /* what cleanup returned */
    int64_t began_ns;   /* when cleanup was called, 0: it was not */
    int64_t ns;
    char error[256];   /* "" if there is none */
    const char *state; /* JSON text as the hook saved it, NULL: none; the hook's */
};

struct record_member {
    pid_t pid;
    const char *role;   /* "owner", "member" */
    const char *status; /* "drained", "forced", "gone", "not told", "program", "passive" */
    uint64_t accepted, at_signal, drained, nudged, forced;
};

struct record_file {
    const char *path;
    const char *since_start; /* "new", "same", "changed", "lost" */
    bool is_there;
    int64_t size;
    struct timespec mtime;
    const char *sha256; /* NULL: there is none */
};

struct record {
    const char
        *reason; /* "signal", "exit", "demand", "family"; while serving: "periodic", "request" */
    int signo;   /* 0 unless a signal is the reason */
    int si_code;
    pid_t sender_pid;
    uid_t sender_uid;
    int exit_status;            /* with reason "exit" */
    struct timespec started_at; /* CLOCK_REALTIME */
    int64_t began_ns;
    int64_t refused_ns;
    bool second_signal;
    bool is_serving; /* nothing stops: the program goes on after this */
    struct {
        uint64_t accepted, at_signal, drained, nudged, forced, rescued, open;
    } connections;
    struct curve curve; /* of the connections left, since began_ns */
    struct record_phase phases[RECORD_PHASES];
    size_t phase_count;
    struct record_listener listeners[RECORD_LISTENERS];
    size_t listener_count;
    struct record_connection remaining[RECORD_REMAINING];
    size_t remaining_count;
    struct record_member members[RECORD_MEMBERS]; /* the owner first; those that were clean: not */
    size_t member_count;
    struct record_hook hooks[RECORD_HOOKS];
    size_t hook_count;
    struct record_file files[RECORD_FILES];
    size_t file_count;
};

#endif
