/* SPDX-License-Identifier: MIT */
/* Runs one program of steps bare and under the shim. */
/* Context: the comparing program, which is never under the shim itself. */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record.h"

enum { LIMIT_S = 20 };

struct side {
    const char *folder;
    const char *preload; /* "": bare */
    struct record *record;
    pid_t pid;
};

static struct side sides[2] = {{.folder = "bare"}, {.folder = "shimmed"}};
static sigset_t child_ended;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void make_record(struct side *side)
{
    char path[64];

    snprintf(path, sizeof path, "%s/record", side->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, sizeof(struct record)) != 0 || !(side->record = record_map(path)))
        die(path);
    close(fd);
}

void pair_prepare(const char *shim)
{
    for (int i = 0; i < 2; i++) {
        if (mkdir(sides[i].folder, 0700) != 0 && errno != EEXIST)
            die(sides[i].folder);
        sides[i].preload = i == 0 ? "" : shim;
        make_record(&sides[i]);
    }
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, NULL);
}

/* What the run before has made there. */
static void clean(const struct side *side)
{
    static const char *const names[] = {"f0", "f1", "f2", "s0", "s1", "s2",
                                        "s3", "s4", "s5", "s",  "n"};
    char path[64];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", side->folder, names[i]);
        unlink(path);
    }
}

static void become(const struct side *side, bool trace)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    if (side->preload[0])
        setenv("LD_PRELOAD", side->preload, 1);
    else
        unsetenv("LD_PRELOAD");
    closefrom(STDERR_FILENO + 1);
    close(STDIN_FILENO);
    (void)open("/dev/null", O_RDWR);
    if (chdir(side->folder) == 0)
        execl("/proc/self/exe", "differential", "again", "0", "0", trace ? "1" : "0", "0", "0",
              (char *)NULL);
    _exit(2);
}

static void start(struct side *side, const struct steps *steps, bool trace)
{
    char path[64];

    clean(side);
    snprintf(path, sizeof path, "%s/steps", side->folder);
    if (!steps_write(steps, path))
        die(path);
    *side->record = (struct record){.hash = UINT64_C(0xcbf29ce484222325)};
    fflush(stdout);
    side->pid = fork();
    if (side->pid == 0)
        become(side, trace);
    if (side->pid < 0)
        die("fork");
}

static struct pair_side finish(const struct side *side)
{
    const struct timespec limit = {.tv_sec = LIMIT_S};
    int status = -1;
    pid_t got;

    while ((got = waitpid(side->pid, &status, WNOHANG)) == 0 &&
           sigtimedwait(&child_ended, NULL, &limit) > 0) {
    }
    if (got != side->pid) {
        kill(-side->pid, SIGKILL);
        waitpid(side->pid, NULL, 0);
        status = -1;
    }
    return (struct pair_side){side->record->hash, side->record->steps, status};
}

struct pair pair_run(const struct steps *steps)
{
    struct pair pair;

    start(&sides[0], steps, false);
    start(&sides[1], steps, false);
    pair.bare = finish(&sides[0]);
    pair.shimmed = finish(&sides[1]);
    return pair;
}

bool pair_differs(const struct pair *pair)
{
    return pair->bare.hash != pair->shimmed.hash || pair->bare.steps != pair->shimmed.steps ||
           pair->bare.status != pair->shimmed.status || pair->bare.status == -1;
}

bool pair_differs_surely(const struct steps *steps, int times)
{
    bool differs = true;

    for (int i = 0; i < times && differs; i++) {
        struct pair pair = pair_run(steps);

        differs = pair_differs(&pair);
    }
    return differs;
}

bool pair_is_chance(const struct steps *steps, int times)
{
    struct pair pair;

    start(&sides[0], steps, false);
    pair.bare = finish(&sides[0]);
    for (int i = 0; i < times; i++) {
        start(&sides[0], steps, false);
        pair.shimmed = finish(&sides[0]);
        if (pair_differs(&pair))
            return true;
    }
    return false;
}

void pair_trace(const struct steps *steps, bool shimmed)
{
    start(&sides[shimmed], steps, true);
    struct pair_side side = finish(&sides[shimmed]);

    printf("status %d, %lu steps\n", side.status, (unsigned long)side.steps);
}
