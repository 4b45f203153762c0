/* SPDX-License-Identifier: MIT */
/* Checks a hook's shared object and opens it. */
/* Context: while arming, in the program's thread; may allocate and block. */
#include "engine/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void plugin_refuse(struct plugin *plugin, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(plugin->error, sizeof(plugin->error), format, args);
    va_end(args);
}

static bool is_sticky_folder(mode_t mode)
{
    return S_ISDIR(mode) && (mode & S_ISVTX);
}

/* Whether nobody but root and the effective user can change what is at the path. */
static bool is_ours_alone(struct plugin *plugin, const char *path, const struct stat *st)
{
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        plugin_refuse(plugin, "it belongs to uid %u, neither to root nor to this process: %s",
                      st->st_uid, path);
    } else if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !is_sticky_folder(st->st_mode)) {
        plugin_refuse(plugin, "writable by %s (mode %04o), try chmod go-w: %s",
                      st->st_mode & S_IWOTH ? "everyone" : "its group", st->st_mode & 07777, path);
    } else {
        return true;
    }
    return false;
}

static bool folder_is_safe(struct plugin *plugin, const char *file)
{
    char folder[PATH_MAX];
    struct stat st;
    int n = (int)(strrchr(file, '/') - file);

    snprintf(folder, sizeof(folder), "%.*s", n > 0 ? n : 1, file);
    if (stat(folder, &st) < 0) {
        plugin_refuse(plugin, "%s: %s", strerror(errno), folder);
        return false;
    }
    return is_ours_alone(plugin, folder, &st);
}

static bool file_is_safe(struct plugin *plugin, const char *file)
{
    struct stat st;

    if (stat(file, &st) < 0) {
        plugin_refuse(plugin, "%s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        plugin_refuse(plugin, "not a regular file");
    } else {
        return is_ours_alone(plugin, file, &st) && folder_is_safe(plugin, file);
    }
    return false;
}

/* dlerror() mostly begins with the path, which is told anyway. */
static void refuse_with_dlerror(struct plugin *plugin, const char *file)
{
    const char *text = dlerror();
    size_t n = strlen(file);

    text = text ? text : "cannot be loaded";
    if (strncmp(text, file, n) == 0 && strncmp(text + n, ": ", 2) == 0) {
        text += n + 2;
    }
    plugin_refuse(plugin, "%s", text);
}

static void load(struct plugin *plugin, const char *file)
{
    void *symbol;

    plugin->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!plugin->handle) {
        refuse_with_dlerror(plugin, file);
        return;
    }
    symbol = dlsym(plugin->handle, "flux_cleanup");
    if (symbol) {
        memcpy(&plugin->cleanup, &symbol, sizeof(symbol)); /* dlsym(3): ISO C has no such cast */
    } else {
        plugin_refuse(plugin, "it has no function flux_cleanup");
    }
}

/* The resolved name is what was checked: a link changed since then leads nowhere else. */
void plugin_open(struct plugin *plugin, char *path)
{
    char *file = realpath(path, NULL);

    *plugin = (struct plugin){.path = path};
    if (!file) {
        plugin_refuse(plugin, "%s", strerror(errno));
    } else if (file_is_safe(plugin, file)) {
        load(plugin, file);
    }
    free(file);
}

void plugin_close(struct plugin *plugin)
{
    if (plugin->handle) {
        dlclose(plugin->handle);
    }
    free(plugin->path);
    *plugin = (struct plugin){.path = NULL};
}
