/* SPDX-License-Identifier: MIT */
/* Executes a program of steps in this process. */
/* Context: the program that is compared. */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "allow.h"
#include "calls.h"
#include "facts.h"
#include "guard.h"
#include "handlers.h"
#include "pool.h"
#include "record.h"

enum { SLOW_EVERY = 32, DEPTH_MOST = 2, CHILD_STEPS = 12 };

static struct steps program;
static struct run_arguments now; /* `from` is the step after the one that runs */

static void run_one(size_t i)
{
    const struct step *step = &program.step[i];

    now.from = i + 1;
    record_step(i, calls[step->call].name);
    calls[step->call].run(step);
    handlers_flush();
    allow_wait_with_mask(false);
    facts_record();
    if (i % SLOW_EVERY == 0)
        facts_record_slow();
}

static void prepare(void)
{
    static char stack[65536];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const struct rlimit few = {POOL_END, POOL_END}, no_core = {0, 0};

    setrlimit(RLIMIT_NOFILE, &few);
    setrlimit(RLIMIT_CORE, &no_core);
    sigaltstack(&alternate, NULL);
    guard_install();
}

int run_steps(const struct run_arguments *arguments)
{
    struct record *record = record_map("record");

    now = *arguments;
    if (!record || !steps_read(&program, "steps")) {
        perror("differential");
        return 2;
    }
    prepare();
    record_to(record, now.trace);
    if (now.from == 0)
        signal(SIGPIPE, SIG_IGN);
    if (now.armed)
        allow_after_exec();
    facts_record();
    facts_record_slow();
    size_t end = now.to == 0 || now.to > program.count ? program.count : now.to;

    for (size_t i = now.from; i < end; i++)
        run_one(i);
    record_line("end");
    return 0;
}

/* The arguments, except for the first two, which are the program's and the command. */
static void write_arguments(char texts[5][16], size_t to)
{
    const unsigned long values[5] = {now.from, to, now.trace, allow_is_armed(),
                                     (unsigned long)now.depth};

    for (int i = 0; i < 5; i++)
        snprintf(texts[i], sizeof texts[i], "%lu", values[i]);
}

bool run_parse(char **argv, struct run_arguments *ret_arguments)
{
    unsigned long values[5];

    for (int i = 0; i < 5; i++) {
        if (!argv[i])
            return false;
        values[i] = strtoul(argv[i], NULL, 10);
    }
    *ret_arguments = (struct run_arguments){.from = values[0],
                                            .to = values[1],
                                            .trace = values[2] != 0,
                                            .armed = values[3] != 0,
                                            .depth = (int)values[4]};
    return true;
}

void calls_run_child(size_t most)
{
    size_t end = now.from + most % CHILD_STEPS;

    now.depth++;
    guard_install();
    allow_in_child();
    facts_record();
    for (size_t i = now.from; i < end && i < program.count; i++)
        run_one(i);
    record_line("end of a child");
}

bool calls_may_fork(void)
{
    return now.depth < DEPTH_MOST;
}

char **calls_arguments(size_t most)
{
    static char texts[5][16];
    static char *arguments[] = {"/proc/self/exe", "again",  texts[0], texts[1],
                                texts[2],         texts[3], texts[4], NULL};

    /* A main program goes on to its end, a child no further than it would have. */
    now.depth += most > 0;
    write_arguments(texts, most == 0 ? 0 : now.from + most % CHILD_STEPS);
    now.depth -= most > 0;
    return arguments;
}
