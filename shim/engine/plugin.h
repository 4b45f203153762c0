/* SPDX-License-Identifier: MIT */
/* One hook's shared object: may it be trusted, and where is its function? */
/* Context: while arming, in the program's thread; may allocate and block. */

/*
 * A plugin runs with all that its server may do, so nobody else may be able to change it: the file
 * behind the path (symlinks resolved) and its folder belong to root or to the effective user, and
 * neither is writable by its group or by others. One exception: a folder with the sticky bit, such
 * as /tmp, may be writable by all, since only its owner can replace a file there (unlink(2)).
 *
 * plugin_open() never fails: what is wrong is in `error`, ready to be shown, and `cleanup` is NULL.
 */
#ifndef FLUXSHIM_ENGINE_PLUGIN_H
#define FLUXSHIM_ENGINE_PLUGIN_H

#define PLUGIN_ERROR 256

struct plugin {
    char *path;               /* absolute, as it was given; belongs to the plugin */
    void *handle;             /* of dlopen(3), or NULL */
    int (*cleanup)(void);     /* flux_cleanup, or NULL */
    char error[PLUGIN_ERROR]; /* why it will not run; "" if it will */
};

/* `path` is the plugin's from here on. */
void plugin_open(struct plugin *plugin, char *path);

/* As plugin_open would leave it: it will not run, for this reason. */
void plugin_refuse(struct plugin *plugin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drop what plugin_open acquired. Never while a thread may still be in it. */
void plugin_close(struct plugin *plugin);

#endif
