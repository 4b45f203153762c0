/* SPDX-License-Identifier: MIT */
/* Looks at the children of each thread. */
/* Context: coordinator thread only; reads /proc, never waits. */
#include "engine/children.h"

#include <dirent.h>
#include <stdio.h>

#include "engine/members.h"
#include "engine/shim.h"

/* A forked child that has exec'd nothing is a member of the family, with a count of its own. */
static bool is_a_program(pid_t pid)
{
    return !members_include(pid) && !shim->process_is_gone(pid, 0);
}

static bool one_is_a_program(const char *task)
{
    char path[64];
    int pid;
    bool found = false;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/children", task);
    FILE *children = fopen(path, "re");

    while (children && !found && fscanf(children, "%d", &pid) == 1) {
        found = is_a_program(pid);
    }
    if (children) {
        (void)fclose(children);
    }
    return found;
}

bool children_run_a_program(void)
{
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *entry;
    bool found = false;

    while (tasks && !found && (entry = readdir(tasks)) != NULL) {
        found = entry->d_name[0] != '.' && one_is_a_program(entry->d_name);
    }
    if (tasks) {
        (void)closedir(tasks);
    }
    return found;
}
