/* SPDX-License-Identifier: MIT */
/* Walks what a program needs, breadth first. */
/* Context: a program of one thread. */
#include "program/libraries.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_FILE  "/etc/ld.so.cache"
#define CACHE_MAGIC "glibc-ld.so.cache1.1"

enum { LIBRARIES_MOST = 256, CACHE_MOST = 16 << 20 };

/* What ldconfig(8) writes: sysdeps/generic/dl-cache.h of glibc. Offsets of strings are from the start. */
struct cache_header {
    char magic[20];
    uint32_t count;
    uint32_t strings_size;
    uint32_t unused[5];
};

struct cache_entry {
    int32_t flags;
    uint32_t name, path;
    uint32_t os_version;
    uint64_t hwcap;
};

struct library {
    char *name;
    char path[PATH_MAX];
    int fd; /* -1: not found */
    struct elf_file elf;
};

struct walk {
    struct library *libraries;
    size_t count;
    char *cache;
    size_t cache_size;
    const struct elf_file *program;
    const char *program_path;
    char loader_folder[PATH_MAX];
};

/* ---- the cache ---- */

static void read_cache(struct walk *walk)
{
    int fd = open(CACHE_FILE, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= CACHE_MOST) {
        char *cache = malloc((size_t)st.st_size + 1);

        if (cache && pread(fd, cache, (size_t)st.st_size, 0) == st.st_size) {
            walk->cache_size = (size_t)st.st_size;
            cache[walk->cache_size] = '\0';
            walk->cache = cache;
        } else {
            free(cache);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
}

static size_t cache_count(const struct walk *walk, struct cache_header *header)
{
    if (walk->cache_size < sizeof(*header)) {
        return 0;
    }
    memcpy(header, walk->cache, sizeof(*header));
    size_t most = (walk->cache_size - sizeof(*header)) / sizeof(struct cache_entry);

    if (memcmp(header->magic, CACHE_MAGIC, sizeof(header->magic)) != 0) {
        return 0;
    }
    return header->count < most ? header->count : most;
}

/* ---- one library ---- */

static bool fits(const struct elf_file *elf, const struct elf_file *program)
{
    return elf->type == ET_DYN && !elf->is_foreign &&
           (!program || elf->machine == program->machine);
}

/* O_NONBLOCK: a FIFO of that name must not hold us. */
static bool try_path(const struct walk *walk, struct library *library)
{
    int fd = open(library->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        return false;
    }
    if (elf_read(fd, &library->elf) == 0) {
        if (fits(&library->elf, walk->program)) {
            library->fd = fd;
            return true;
        }
        elf_free(&library->elf);
    }
    close(fd);
    return false;
}

static bool try_cache(const struct walk *walk, struct library *library)
{
    struct cache_header header;
    size_t count = cache_count(walk, &header);

    for (size_t i = 0; i < count; i++) {
        struct cache_entry entry;

        memcpy(&entry, walk->cache + sizeof(header) + i * sizeof(entry), sizeof(entry));
        if (entry.name < walk->cache_size && entry.path < walk->cache_size &&
            strcmp(walk->cache + entry.name, library->name) == 0 &&
            snprintf(library->path, PATH_MAX, "%s", walk->cache + entry.path) < PATH_MAX &&
            try_path(walk, library)) {
            return true;
        }
    }
    return false;
}

/* The length of $NAME or ${NAME} at `at`, 0 if it isn't that. */
static size_t token_size(const char *at, const char *name)
{
    size_t n = strlen(name);

    if (at[0] != '$') {
        return 0;
    }
    if (at[1] == '{') {
        return strncmp(at + 2, name, n) == 0 && at[2 + n] == '}' ? n + 3 : 0;
    }
    return strncmp(at + 1, name, n) == 0 ? n + 1 : 0;
}

/* A folder of a path with $ORIGIN and $LIB in it. False: too long. */
static bool expand(const char *folder, size_t size, const char *owner, char *to)
{
    const char *slash = strrchr(owner, '/');
    size_t used = 0;

    for (size_t i = 0; i < size;) {
        size_t origin = token_size(folder + i, "ORIGIN"), lib = token_size(folder + i, "LIB");
        int n = origin ? snprintf(to + used, PATH_MAX - used, "%.*s",
                                  slash ? (int)(slash - owner) : 1, slash ? owner : ".")
                : lib  ? snprintf(to + used, PATH_MAX - used, "%s",
                                 sizeof(void *) == 8 ? "lib64" : "lib")
                       : snprintf(to + used, PATH_MAX - used, "%c", folder[i]);

        used += (size_t)n;
        if (used >= PATH_MAX) {
            return false;
        }
        i += origin ? origin : lib ? lib : 1;
    }
    to[used] = '\0';
    return true;
}

static bool try_folders(const struct walk *walk, struct library *library, const char *folders,
                        const char *owner)
{
    char folder[PATH_MAX];

    while (folders && *folders) {
        size_t size = strcspn(folders, ":;");

        if (size > 0 && expand(folders, size, owner, folder) &&
            snprintf(library->path, PATH_MAX, "%s/%s", folder, library->name) < PATH_MAX &&
            try_path(walk, library)) {
            return true;
        }
        folders += size;
        folders += *folders != '\0';
    }
    return false;
}

static void find(const struct walk *walk, struct library *library, const struct elf_file *owner,
                 const char *owner_path)
{
    library->fd = -1;
    if (strchr(library->name, '/')) {
        (void)(snprintf(library->path, PATH_MAX, "%s", library->name) < PATH_MAX &&
               try_path(walk, library));
        return;
    }
    if (owner && !owner->runpath &&
        (try_folders(walk, library, owner->rpath, owner_path) ||
         (!walk->program->runpath &&
          try_folders(walk, library, walk->program->rpath, walk->program_path)))) {
        return;
    }
    (void)(try_folders(walk, library, getenv("LD_LIBRARY_PATH"), walk->program_path) ||
           (owner && try_folders(walk, library, owner->runpath, owner_path)) ||
           try_cache(walk, library) ||
           try_folders(walk, library, walk->loader_folder, walk->program_path) ||
           try_folders(walk, library, "/lib64:/usr/lib64:/lib:/usr/lib", walk->program_path));
}

/* ---- all of them ---- */

static bool is_known(const struct walk *walk, const char *name)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (strcmp(walk->libraries[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_needed(struct walk *walk, const struct elf_file *owner, const char *owner_path,
                       libraries_visit *visit, void *argument)
{
    for (size_t i = 0; i < owner->needed_count && walk->count < LIBRARIES_MOST; i++) {
        struct library *library = &walk->libraries[walk->count];

        if (owner->needed[i][0] == '\0' || is_known(walk, owner->needed[i]) ||
            !(library->name = strdup(owner->needed[i]))) {
            continue;
        }
        walk->count++;
        find(walk, library, owner, owner_path);
        visit(library->name, library->fd < 0 ? NULL : &library->elf, argument);
    }
}

/* Where the loader really is, the libraries of its architecture are: /lib/x86_64-linux-gnu on Debian. */
static void note_loader_folder(struct walk *walk, const char *loader)
{
    char path[PATH_MAX];

    if (loader && realpath(loader, path)) {
        char *slash = strrchr(path, '/');

        *slash = '\0';
        memcpy(walk->loader_folder, path, (size_t)(slash - path) + 1);
    }
}

static void walk_free(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->libraries[i].fd >= 0) {
            elf_free(&walk->libraries[i].elf);
            close(walk->libraries[i].fd);
        }
        free(walk->libraries[i].name);
    }
    free(walk->libraries);
    free(walk->cache);
}

void libraries_walk(const struct elf_file *program, const char *path, libraries_visit *visit,
                    void *argument)
{
    char origin[PATH_MAX]; /* of a program $ORIGIN is where it really is, by /proc/self/exe */
    struct walk walk = {.program = program,
                        .program_path = realpath(path, origin) ? origin : path,
                        .libraries = calloc(LIBRARIES_MOST, sizeof(*walk.libraries))};

    if (!walk.libraries) {
        return;
    }
    read_cache(&walk);
    note_loader_folder(&walk, program->interpreter);
    add_needed(&walk, program, walk.program_path, visit, argument);
    for (size_t i = 0; i < walk.count; i++) {
        if (walk.libraries[i].fd >= 0) {
            add_needed(&walk, &walk.libraries[i].elf, walk.libraries[i].path, visit, argument);
        }
    }
    walk_free(&walk);
}

bool libraries_has(const char *name)
{
    struct walk walk = {.program_path = "/"};
    struct library *library = calloc(1, sizeof(*library));
    bool found = false;

    if (library && (library->name = strdup(name)) != NULL) {
        read_cache(&walk);
        find(&walk, library, NULL, NULL);
        found = library->fd >= 0;
        if (found) {
            elf_free(&library->elf);
            close(library->fd);
        }
        free(library->name);
        free(walk.cache);
    }
    free(library);
    return found;
}
