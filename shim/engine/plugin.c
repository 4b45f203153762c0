/* SPDX-License-Identifier: MIT */
/* Checks a hook's shared object and opens it. */
/* Context: while arming, in the program's thread; may allocate and block. */
#include "engine/plugin.h"

#include <bsd/string.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/elf_whole.h"

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

/* In a user namespace root has another number outside of what is mapped: whose the root folder is. */
static uid_t owner_of_root(void)
{
    struct stat st;

    return stat("/", &st) == 0 ? st.st_uid : 0;
}

/* Cuts `path` back to the folder that it lies in. */
static bool folder_is_safe(struct plugin *plugin, char *path, bool is_nearest)
{
    char *slash = strrchr(path, '/');
    struct stat st;

    slash[slash == path] = '\0';
    if (stat(path, &st) < 0) {
        plugin_refuse(plugin, "%s: %s", strerror(errno), path);
        return false;
    }
    if (!is_nearest && st.st_uid == owner_of_root()) {
        st.st_uid = 0;
    }
    return is_ours_alone(plugin, path, &st);
}

/* Whoever may write to a folder further up can rename those below, also between check and use. */
static bool folders_are_safe(struct plugin *plugin, const char *file)
{
    char path[PATH_MAX];
    bool are_safe;

    strlcpy(path, file, sizeof(path));
    are_safe = folder_is_safe(plugin, path, true);
    while (are_safe && path[1] != '\0') {
        are_safe = folder_is_safe(plugin, path, false);
    }
    return are_safe;
}

static bool file_is_safe(struct plugin *plugin, const char *file)
{
    struct stat st;

    if (stat(file, &st) < 0) {
        plugin_refuse(plugin, "%s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        plugin_refuse(plugin, "not a regular file");
    } else {
        return is_ours_alone(plugin, file, &st) && folders_are_safe(plugin, file);
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

/* ---- what it exports ---- */

#define SMALLEST offsetof(struct flux_hook, init) /* without a single callback */

static int call_small(void *function)
{
    int (*cleanup)(void);

    memcpy(&cleanup, &function, sizeof(cleanup)); /* dlsym(3): ISO C has no such cast */
    return cleanup();
}

static void take_small(struct plugin *plugin, void *function)
{
    plugin->is_small = true;
    plugin->instance = function;
    plugin->hook = (struct flux_hook){.abi = FLUX_HOOK_ABI,
                                      .size = sizeof(struct flux_hook),
                                      .name = plugin->name,
                                      .priority = FLUX_PRIORITY_DEFAULT,
                                      .scope = FLUX_SCOPE_FAMILY,
                                      .cleanup = call_small};
}

static void take_full(struct plugin *plugin, const struct flux_hook *hook)
{
    size_t size = hook->size < sizeof(*hook) ? hook->size : sizeof(*hook);

    if (hook->abi != FLUX_HOOK_ABI) {
        plugin_refuse(plugin,
                      "it is built for version %u of the hooks' ABI, and this is version %u",
                      hook->abi, FLUX_HOOK_ABI);
    } else if (size < SMALLEST) {
        plugin_refuse(plugin, "the size of its flux_hook is %u, and must be at least %zu",
                      hook->size, SMALLEST);
    } else if (!hook->name || hook->name[0] == '\0') {
        plugin_refuse(plugin, "its flux_hook has no name");
    } else if (hook->priority < 0 || hook->priority > FLUX_PRIORITY_MOST) {
        plugin_refuse(plugin, "the priority of its flux_hook is %d, allowed is 0 to %d",
                      hook->priority, FLUX_PRIORITY_MOST);
    } else if (hook->scope > FLUX_SCOPE_PROCESS) {
        plugin_refuse(plugin,
                      "the scope of its flux_hook is %u, allowed is 0 (family) or 1 (process)",
                      hook->scope);
    } else {
        memcpy(&plugin->hook, hook, size);
        strlcpy(plugin->name, hook->name, sizeof(plugin->name));
    }
}

static void take_symbol(struct plugin *plugin)
{
    const void *hook = dlsym(plugin->handle, "flux_hook");
    void *cleanup = hook ? NULL : dlsym(plugin->handle, "flux_cleanup");

    if (hook) {
        take_full(plugin, hook);
    } else if (cleanup) {
        take_small(plugin, cleanup);
    } else {
        plugin_refuse(plugin, "it has neither flux_hook nor a function flux_cleanup");
    }
}

/* ---- opening ---- */

static bool has_suffix(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);

    return n > m && strcmp(text + n - m, suffix) == 0;
}

/* Those that are built in lie beside this object. */
static char *builtin_path(const char *name)
{
    static const char here;
    Dl_info engine;
    char *path;

    if (dladdr(&here, &engine) == 0 || !strrchr(engine.dli_fname, '/')) {
        return NULL;
    }
    int folder = (int)(strrchr(engine.dli_fname, '/') - engine.dli_fname);

    return asprintf(&path, "%.*s/hooks/%s.so", folder, engine.dli_fname, name) < 0 ? NULL : path;
}

/* Without a working folder (deleted, say) the path stays as it is, and isn't found. */
char *plugin_path(const char *object)
{
    char folder[PATH_MAX], *whole;

    if (!strchr(object, '/') && !has_suffix(object, ".so")) {
        return builtin_path(object);
    }
    if (object[0] == '/' || !getcwd(folder, sizeof(folder))) {
        return strdup(object);
    }
    return asprintf(&whole, "%s/%s", folder, object) < 0 ? NULL : whole;
}

static void name_after_file(struct plugin *plugin)
{
    const char *slash = strrchr(plugin->path, '/');

    strlcpy(plugin->name, slash ? slash + 1 : plugin->path, sizeof(plugin->name));
    if (has_suffix(plugin->name, ".so")) {
        plugin->name[strlen(plugin->name) - 3] = '\0';
    }
}

static void load(struct plugin *plugin, const char *file)
{
    if (!elf_is_whole(file)) {
        plugin_refuse(plugin, "it is cut off: its segments go past the end of the file");
        return;
    }
    plugin->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (plugin->handle) {
        take_symbol(plugin);
    } else {
        refuse_with_dlerror(plugin, file);
    }
}

/* The resolved name is what was checked: a link changed since then leads nowhere else. */
void plugin_open(struct plugin *plugin, char *path)
{
    char *file = realpath(path, NULL);

    *plugin = (struct plugin){.path = path};
    name_after_file(plugin);
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
