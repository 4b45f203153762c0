/* SPDX-License-Identifier: MIT */
/* One hook's shared object: may it be trusted, and what does it export? */
/* Context: while arming, in the program's thread; may allocate and block. */

/*
 * A plugin runs with all that its server may do, so nobody else may be able to change it: the file
 * behind the path (symlinks resolved) and the folders up to the root belong to root or to the
 * effective user, and none is writable by its group or by others. One exception: a folder with the
 * sticky bit, such as /tmp, may be writable by all, since only its owner can replace a file there
 * (unlink(2)).
 *
 * Either form of a hook becomes `hook`: what an older header doesn't know is NULL, what a newer one
 * adds is left out, and flux_cleanup() is a `cleanup` whose instance is the function itself.
 *
 * plugin_open() never fails: what is wrong is in `error`, ready to be shown, and `hook` is empty.
 */
#ifndef FLUXSHIM_ENGINE_PLUGIN_H
#define FLUXSHIM_ENGINE_PLUGIN_H

#include <stdbool.h>

#include "fluxshim.h"

#define PLUGIN_ERROR 256
#define PLUGIN_NAME  64

struct plugin {
    char *path;             /* absolute, as it was given; belongs to the plugin */
    void *handle;           /* of dlopen(3), or NULL */
    char name[PLUGIN_NAME]; /* the hook's own, or its file's without folder and suffix */
    struct flux_hook hook;
    void *instance; /* before init */
    bool is_small;
    char error[PLUGIN_ERROR]; /* why it will not run; "" if it will */
};

/*
 * Where that object lies, allocated, or NULL without memory: a name without a folder and without
 * ".so" is built in, any other is a path.
 */
char *plugin_path(const char *object);

/* `path` is the plugin's from here on. */
void plugin_open(struct plugin *plugin, char *path);

/* As plugin_open would leave it: it will not run, for this reason. */
void plugin_refuse(struct plugin *plugin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drop what plugin_open acquired. Never while a thread may still be in it. */
void plugin_close(struct plugin *plugin);

#endif
