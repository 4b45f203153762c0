/* SPDX-License-Identifier: MIT */
/* Coming to life: constructor, settings, arming, forks. */
/* Context: the program's threads; may allocate and block. */

/*
 * The constructor resolves the real calls and does nothing else that could be seen (P3). A
 * process arms at its first listen(), or its first accept() on an inherited listener:
 *
 *     settings from the environment -> table -> page -> engine.so -> FLUX_CONFIG, hooks
 *                                   -> handlers in place -> armed
 *
 * Whatever fails on the way is logged once, and the process stays as it is without the shim.
 */
#ifndef FLUXSHIM_BOOT_BOOT_H
#define FLUXSHIM_BOOT_BOOT_H

#include "format/settings.h"
#include "sigsafe/bridge.h"

/* Arm this process if it may. Any thread; idempotent. */
void arm_process(void);

/* The same, as a member of that family. */
void arm_as_guest(struct family_layout *layout);

/* Has this process begun to arm, whatever came of it? It won't do so again. */
bool arm_was_tried(void);

/*
 * This program, which belongs to no family, has been given the descriptor: if it is a connection or a
 * listener of the family of one of its ancestors, it joins that. errno is kept.
 */
void join_for(int fd);

/*
 * A program that its own process has become by exec, while it led a family: its constructor takes the
 * entry out of the environment, and it arms at the first safe point, as the owner that it was.
 */
void join_note_exec(void);
struct family_layout *join_own(void);

/* The settings in force, or NULL before this process has read them. */
const struct settings *arm_settings(void);

/* The program exits by itself: hooks and checkpoint first, within the shutdown timeout. */
void leave_process(int status);

/* Open the log, read every setting; wrong values are logged. Not with AT_SECURE. */
void environment_read(struct settings *settings);

/* FLUX_RUN_DIR alone, "" if it isn't set: before there are settings. */
const char *environment_run_dir(void);

/* Open engine.so beside this object. NULL, with the reason logged, if that fails. */
const struct engine *engine_open(void);

/* What alone_word is to be, or `otherwise`. */
const char *alone_find(const char *otherwise);

/* A child made by fork() is a member of the family; without a slot there, it is as bare. */
void atfork_register(void);
void fork_before(void);
void fork_in_parent(void);
void fork_in_child(void);

#endif
