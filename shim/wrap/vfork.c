/* SPDX-License-Identifier: MIT */
/* vfork: the child shares our memory, so its thread is marked until it execs or exits. */
/* Context: AS-Safe, MT-Safe. */
#include <unistd.h>

#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "wrap/inherit.h"
#include "wrap/wrap.h"

#if defined(__x86_64__)

/*
 * A function that returns twice can't keep anything on the stack in between: the child's calls
 * overwrite it. So the return address waits in thread-local storage, as libc's own vfork keeps it
 * in a register. Only the calling thread is suspended, hence the mark is the thread's.
 */
static _Thread_local void *return_address __attribute__((used));

_Static_assert(offsetof(struct life_thread, in_vfork) == 8, "the assembly below stores there");

__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        "    endbr64\n"
        "    subq $8, %rsp\n"
        "    call fdtab_vfork_begins\n"
        "    addq $8, %rsp\n"
        "    movq return_address@gottpoff(%rip), %rcx\n"
        "    popq %fs:(%rcx)\n"
        "    movq life_thread@gottpoff(%rip), %rcx\n"
        "    movb $1, %fs:8(%rcx)\n"
        "    movb $0, %fs:9(%rcx)\n"
        "    movq real_vfork_slot(%rip), %rdx\n"
        "    call *(%rdx)\n"
        "    testl %eax, %eax\n"
        "    je 1f\n"
        "    movq life_thread@gottpoff(%rip), %rcx\n"
        "    movb $0, %fs:8(%rcx)\n"
        "    movb $0, %fs:9(%rcx)\n"
        "    subq $16, %rsp\n"
        "    movq %rax, (%rsp)\n"
        "    movl %eax, %edi\n"
        "    call vfork_in_parent\n"
        "    movq (%rsp), %rax\n"
        "    addq $16, %rsp\n"
        "1:  movq return_address@gottpoff(%rip), %rcx\n"
        "    pushq %fs:(%rcx)\n"
        "    ret\n"
        ".size vfork, .-vfork\n");

/* pid may be -1: there was no child. */
static __attribute__((used)) void vfork_in_parent(pid_t pid)
{
    fdtab_vfork_ends();
    if (pid > 0) {
        inherit_note_child(pid);
    }
}

static void *const real_vfork_slot __attribute__((used)) = &real.vfork;

#else

/* Slower, and correct: a fork is a vfork that shares nothing. */
WRAP pid_t vfork(void)
{
    pid_t pid = real.fork();

    if (pid != 0) {
        family_after_fork(pid);
    }
    return pid;
}

#endif
