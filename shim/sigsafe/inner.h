/* SPDX-License-Identifier: MIT */
/* How the wrappers' fast path reaches the shim's own variables. */
/* Context: declarations only. */
#ifndef FLUXSHIM_SIGSAFE_INNER_H
#define FLUXSHIM_SIGSAFE_INNER_H

/*
 * For variables: -fvisibility=hidden is for definitions alone, and the compiler takes the address of what is
 * only declared from the GOT, an instruction more for each access.
 */
#define INNER __attribute__((visibility("hidden")))

/*
 * An _Atomic object as a plain one: a relaxed access that can be an operand of the instruction that wants it. GCC
 * and clang give each atomic access an instruction of its own. For naturally aligned words.
 */
#define INNER_PEEK(type, object) (*(type *)&(object))

#endif
