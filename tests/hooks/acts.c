/* SPDX-License-Identifier: MIT */
/* A hook that does something wrong: its config says where and what, "cleanup segv" for instance. */
#include <dlfcn.h>
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "fluxshim.h"

static void segv(void)
{
    volatile uintptr_t nowhere = 8;

    *(volatile int *)nowhere = 1;
}

static void bus(void)
{
    char name[] = "/tmp/acts.XXXXXX";
    int fd = mkstemp(name);
    volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

    (void)unlink(name);
    (void)*page; /* behind the end of the file */
}

static void fpe(void)
{
    volatile int many = 100, zero = 0;

    many = many / zero;
}

static int deeper(volatile int *left)
{
    volatile char here[4096];

    here[0] = 1;
    return *left > 0 ? (--*left, deeper(left) + here[0]) : 0;
}

static void overflow(void)
{
    volatile int left = 100000;

    (void)deeper(&left);
}

static void block_all(void)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void blocked_segv(void)
{
    block_all();
    segv();
}

static void hang(void)
{
    block_all();
    for (;;) {
        (void)pause();
    }
}

static void ill(void)
{
    (void)raise(SIGILL);
}

static void become_another(void)
{
    (void)execl("/bin/true", "true", (char *)NULL);
}

/* As a crash within printf() does. */
static void segv_in_stdio(void)
{
    flockfile(stdout);
    segv();
}

static void hang_in_stdio(void)
{
    flockfile(stdout);
    hang();
}

/* With the loader's lock. */
static void hang_in_dlopen(void)
{
    char path[4096];
    Dl_info own;

    if (dladdr((const void *)&flux_hook, &own) != 0) {
        (void)snprintf(path, sizeof(path), "%.*s/hangs_to_load.so",
                       (int)(strrchr(own.dli_fname, '/') - own.dli_fname), own.dli_fname);
        (void)dlopen(path, RTLD_NOW);
    }
}

static void be_cancelled(void)
{
    (void)pthread_cancel(pthread_self());
    pthread_testcancel();
}

/* The last can't be done by everybody. */
static void move_elsewhere(void)
{
    (void)umask(0777);
    (void)!chdir("/proc");
    (void)!chroot("/proc");
}

static void fault_at_end(void *value)
{
    (void)value;
    segv();
}

static void keep_for_thread(void)
{
    pthread_key_t key;

    (void)pthread_key_create(&key, fault_at_end);
    (void)pthread_setspecific(key, "value");
}

static void exit_late(void)
{
    (void)usleep(600000);
    exit(3);
}

static void nap(void)
{
    (void)usleep(400000);
}

/* When it is no echo of the first any more. */
static void send_second(void)
{
    (void)usleep(100000);
    (void)kill(getpid(), SIGTERM);
}

static void ignore_all(void)
{
    for (int signo = 1; signo < 32; signo++) {
        if (signo != SIGCHLD && signo != SIGPIPE) {
            (void)signal(signo, SIG_IGN);
        }
    }
}

/* The child's faults and exits are its own. */
static void make_child(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        segv();
    }
    (void)waitpid(pid, NULL, 0);
}

static const struct {
    const char *name;
    void (*act)(void);
} deeds[] = {
    {"segv", segv},
    {"bus", bus},
    {"fpe", fpe},
    {"overflow", overflow},
    {"abort", abort},
    {"blocked-segv", blocked_segv},
    {"hang", hang},
    {"ignore-all", ignore_all},
    {"fork", make_child},
    {"nap", nap},
    {"second", send_second},
    {"ill", ill},
    {"exec", become_another},
    {"segv-in-stdio", segv_in_stdio},
    {"exit-late", exit_late},
    {"hang-in-stdio", hang_in_stdio},
    {"hang-in-dlopen", hang_in_dlopen},
    {"cancel", be_cancelled},
    {"move", move_elsewhere},
    {"key", keep_for_thread},
};

static int act(const char *what)
{
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        if (strcmp(what, deeds[i].name) == 0) {
            deeds[i].act();
            return 0;
        }
    }
    if (strcmp(what, "exit") == 0) {
        exit(3);
    } else if (strcmp(what, "_exit") == 0) {
        _exit(4);
    } else if (strcmp(what, "quick_exit") == 0) {
        quick_exit(5);
    } else if (strcmp(what, "pthread_exit") == 0) {
        pthread_exit(NULL);
    } else if (strcmp(what, "thrd_exit") == 0) {
        thrd_exit(6);
    } else if (strcmp(what, "errx") == 0) {
        errx(3, "no more");
    } else if (strcmp(what, "raise") == 0) {
        (void)raise(SIGABRT);
    } else if (strcmp(what, "error") == 0) {
        return 7;
    }
    return 0;
}

/* "cleanup segv" */
static int act_at(const char *where, const char *config)
{
    size_t n = strlen(where);

    return strncmp(config, where, n) == 0 && config[n] == ' ' ? act(config + n + 1) : 0;
}

static int init(const char *config, void **ret_instance)
{
    char *text = strdup(config + (config[0] == '"'));

    text[strcspn(text, "\"")] = '\0';
    *ret_instance = text;
    return act_at("init", text);
}

static int restore(void *instance, const char *state)
{
    (void)state;
    return act_at("restore", instance);
}

static void event(void *instance, const struct flux_event *event)
{
    (void)act_at(event->phase == FLUX_PHASE_RUNNING ? "running" : "event", instance);
    if (event->phase == FLUX_PHASE_RELEASE) {
        (void)act_at("release", instance);
    }
}

static int cleanup(void *instance)
{
    return act_at("cleanup", instance);
}

static int64_t save(void *instance, char *buffer, uint64_t size)
{
    if (strcmp(instance, "save text") == 0) {
        return snprintf(buffer, size, "not JSON");
    }
    if (strcmp(instance, "save much") == 0) {
        return snprintf(buffer, size, "\"%070000d\"", 0);
    }
    if (strcmp(instance, "save endless") == 0) {
        return INT64_MAX;
    }
    if (strcmp(instance, "save most") == 0) {
        return snprintf(buffer, size, "\"%065533d\"", 0);
    }
    if (strcmp(instance, "save some") == 0) {
        return snprintf(buffer, size, "\"%060000d\"", 0);
    }
    return act_at("save", instance) != 0 ? -1 : snprintf(buffer, size, "1");
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    FLUX_HOOK_ABI,
    sizeof(struct flux_hook),
    "acts",
    FLUX_PRIORITY_DEFAULT,
    FLUX_SCOPE_FAMILY,
    init,
    restore,
    event,
    cleanup,
    save,
};
