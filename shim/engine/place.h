/* SPDX-License-Identifier: MIT */
/* Where the checkpoint is: its path, its folder, and what is in the way. */
/* Context: arming and coordinator thread; makes system calls. */

/*
 *     place_set("state-%n.json");       while arming: %p is the pid, %n the program's name, %% a %
 *     folder = place_open();            each time: no descriptor is held in between
 *
 * The folder is known by its device and inode. A program that has entered a chroot since finds it by
 * the part of the path that is left within its new root: /srv/root/state becomes /state. Only where no
 * such part leads to the folder, the whole path is tried as it is.
 */
#ifndef FLUXSHIM_ENGINE_PLACE_H
#define FLUXSHIM_ENGINE_PLACE_H

/* 0, or -errno: there is none then. NULL or "": none is wanted. */
int place_set(const char *given);

/* Absolute, "" if there is none; and its last part. */
const char *place_path(void);
const char *place_name(void);

/* A descriptor, O_PATH where the folder may be written and not listed; or -errno. */
int place_open(void);

/* What is in the way at this name: neither a file nor absent. NULL: nothing. */
const char *place_obstacle(int folder, const char *name);

#endif
