/* SPDX-License-Identifier: MIT */
/* Runs a command under a process id of one's choice, as if the kernel had used it again. */
#define _GNU_SOURCE 1
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 *   same_pid PID COMMAND ARGUMENT...
 *
 * Prints `made` when the process is there, and waits for its end; it ends with this one. Exit status 77
 * where the kernel doesn't allow it (clone3(2), set_tid: CAP_CHECKPOINT_RESTORE, Linux 5.5).
 */

int main(int argc, char **argv)
{
    pid_t pid = argc > 2 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1};

    if (pid <= 0) {
        fprintf(stderr, "same_pid PID COMMAND ARGUMENT...\n");
        return 64;
    }
    long child = syscall(SYS_clone3, &args, sizeof args);

    if (child < 0) {
        perror("clone3");
        return 77;
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    printf("made\n");
    fflush(stdout);
    return waitpid((pid_t)child, NULL, 0) < 0;
}
