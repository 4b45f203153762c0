/* SPDX-License-Identifier: MIT */
/* Tests helpers/fluxctl/program/script: first lines, env(1), and what a shell script becomes. */
/* Context: a program that prints TAP; single-threaded. */
#include "program/script.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

/* In memory of just its size, for AddressSanitizer. */
static const char *interpreter_of(const char *head)
{
    static struct script script;
    size_t size = strlen(head);
    char *copy = malloc(size + 1);

    memcpy(copy, head, size);
    char *exact = realloc(copy, size > 0 ? size : 1);
    bool read = script_read(exact, size, &script);

    free(exact);
    return read ? script.interpreter : "none";
}

static bool clears(const char *head)
{
    struct script script;

    return script_read(head, strlen(head), &script) && script.clears;
}

static void test_first_lines(void)
{
    char filled[SCRIPT_HEAD + 44];

    unit_text("a path", interpreter_of("#!/bin/sh\n"), "/bin/sh");
    unit_text("blanks and an argument", interpreter_of("#! \t/bin/sh  -e \nexit\n"), "/bin/sh");
    unit_text("without an end", interpreter_of("#!/bin/sh"), "/bin/sh");
    unit_text("nothing", interpreter_of("#!"), "none");
    unit_text("an empty line", interpreter_of("#!   \n/bin/sh"), "none");
    unit_text("no such line", interpreter_of("/bin/sh\n"), "none");
    unit_text("too short", interpreter_of("#"), "none");
    memset(filled, 'a', sizeof(filled) - 1);
    filled[sizeof(filled) - 1] = '\0';
    memcpy(filled, "#!", 2);
    unit_equal("cut off where the kernel does", (long long)strlen(interpreter_of(filled)),
               SCRIPT_HEAD - 2);
}

static void test_env(void)
{
    unit_text("env", interpreter_of("#!/usr/bin/env python3\n"), "python3");
    unit_text("is given one argument", interpreter_of("#!/usr/bin/env python3 -u\n"), "python3 -u");
    unit_text("-S", interpreter_of("#!/usr/bin/env -S python3 -u\n"), "python3");
    unit_text("-S and its word", interpreter_of("#!/usr/bin/env -Spython3 -u\n"), "python3");
    unit_text("its options and variables",
              interpreter_of("#!/usr/bin/env -S -u A -C /tmp A=1 B='2 3' node\n"), "node");
    unit_text("with quotes", interpreter_of("#!/usr/bin/env -S \"node\" x\n"), "node");
    unit_text("without a program", interpreter_of("#!/usr/bin/env -S A=1\n"), "none");
    unit_text("without anything", interpreter_of("#!/usr/bin/env\n"), "/usr/bin/env");
    unit_true("-i clears", clears("#!/usr/bin/env -S -i node\n"));
    unit_true("-u LD_PRELOAD clears", clears("#!/usr/bin/env -S -u LD_PRELOAD node\n"));
    unit_true("-u of another does not", !clears("#!/usr/bin/env -S -u A node\n"));
}

static const char *execed(const char *text)
{
    static char name[64];

    return script_execs(text, name, sizeof(name)) ? name : "none";
}

static void test_shells(void)
{
    unit_text("exec", execed("#!/bin/sh\nset -e\n  exec /usr/sbin/nginx -g 'x'\n"),
              "/usr/sbin/nginx");
    unit_text("the last", execed("exec a\nexec b\n"), "b");
    unit_text("quotes", execed("exec \"/opt/a b\" c"), "/opt/a b");
    unit_text("a variable", execed("exec \"$@\"\n"), "none");
    unit_text("redirections alone", execed("exec >/dev/null\n"), "none");
    unit_text("options", execed("exec -a name server\n"), "none");
    unit_text("a word that begins so", execed("execute x\n"), "none");
    unit_text("nothing behind it", execed("exec "), "none");
    unit_true("a shell", script_is_shell("/bin/dash") && script_is_shell("sh"));
    unit_true("none", !script_is_shell("/usr/bin/shell"));
}

static void test_lookup(void)
{
    char path[PATH_MAX];

    setenv("PATH", "/nowhere:/bin", 1);
    unit_equal("along PATH", script_find_program("sh", path), 0);
    unit_text("path", path, "/bin/sh");
    unit_equal("not there", script_find_program("no-such-program", path), -ENOENT);
    unit_equal("no name", script_find_program("", path), -ENOENT);
    unit_equal("a folder isn't one", script_find_program("..", path), -EACCES);
    unit_equal("a path", script_find_program("/nowhere/sh", path), -ENOENT);
}

int main(void)
{
    test_first_lines();
    test_env();
    test_shells();
    test_lookup();
    return unit_end();
}
