/* SPDX-License-Identifier: MIT */
/* Takes first lines apart as the kernel does, and env(1)'s command line as env does. */
/* Context: a program of one thread. */
#include "program/script.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANK        " \t"
#define DEFAULT_PATH "/bin:/usr/bin" /* execvp(3), without PATH */

enum { SHELL_WORD_MOST = 256 };

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static int find_along(const char *folders, const char *name, char *path)
{
    int error = -ENOENT;

    for (;; folders++) {
        size_t size = strcspn(folders, ":");
        int length = snprintf(path, PATH_MAX, "%.*s%s%s", (int)(size < PATH_MAX ? size : PATH_MAX),
                              folders, size > 0 ? "/" : "", name);

        if (length < PATH_MAX && is_program(path)) {
            return 0;
        }
        error = length < PATH_MAX && access(path, F_OK) == 0 ? -EACCES : error;
        folders += size;
        if (*folders == '\0') {
            return error;
        }
    }
}

int script_find_program(const char *name, char ret_path[PATH_MAX])
{
    const char *folders = getenv("PATH");

    if (name[0] == '\0') {
        return -ENOENT;
    }
    if (!strchr(name, '/')) {
        return find_along(folders ? folders : DEFAULT_PATH, name, ret_path);
    }
    if (strlcpy(ret_path, name, PATH_MAX) >= PATH_MAX) {
        return -ENAMETOOLONG;
    }
    return access(ret_path, F_OK) == 0 ? 0 : -errno;
}

/* ---- env(1) ---- */

static bool is_env(const char *path)
{
    const char *name = strrchr(path, '/');

    return strcmp(name ? name + 1 : path, "env") == 0;
}

/* Cut off in place, its quotes left out; NULL: there is no more. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, BLANK), *to = word, *from = word, quote = '\0';

    if (*word == '\0') {
        return NULL;
    }
    for (; *from != '\0' && (quote || !strchr(BLANK, *from)); from++) {
        if (*from == quote) {
            quote = '\0';
        } else if (!quote && strchr("\"'", *from)) {
            quote = *from;
        } else {
            *to++ = *from;
        }
    }
    *rest = *from != '\0' ? from + 1 : from;
    *to = '\0';
    return word;
}

/* One option of env, of which -u and -C take another word. True if it takes a preload away. */
static bool env_option_clears(const char *word, char **rest)
{
    if (strcmp(word, "-u") == 0 || strcmp(word, "--unset") == 0) {
        char *name = next_word(rest);

        return name && strcmp(name, "LD_PRELOAD") == 0;
    }
    if (strcmp(word, "-C") == 0 || strcmp(word, "--chdir") == 0) {
        (void)next_word(rest);
    }
    return strcmp(word, "-i") == 0 || strcmp(word, "-") == 0 ||
           strcmp(word, "--ignore-environment") == 0 || strcmp(word, "-uLD_PRELOAD") == 0 ||
           strcmp(word, "--unset=LD_PRELOAD") == 0;
}

/*
 * The kernel hands over all behind the interpreter as one argument. Without -S that is the name of the
 * program, blanks included; with it env takes it apart, here without its escapes and variables.
 */
static bool read_env(char *argument, struct script *script)
{
    char *rest = argument, *word;

    if (strncmp(argument, "-S", 2) == 0) {
        rest = argument + 2;
    } else if (strncmp(argument, "-vS", 3) == 0) {
        rest = argument + 3;
    } else if (strncmp(argument, "--split-string=", 15) == 0) {
        rest = argument + 15;
    } else {
        return strlcpy(script->interpreter, argument, PATH_MAX) < PATH_MAX;
    }
    while ((word = next_word(&rest)) != NULL) {
        if (word[0] == '-') {
            script->clears |= env_option_clears(word, &rest);
        } else if (!strchr(word, '=')) {
            return strlcpy(script->interpreter, word, PATH_MAX) < PATH_MAX;
        }
    }
    return false;
}

/* ---- the first line ---- */

bool script_read(const char *head, size_t size, struct script *ret_script)
{
    struct script script = {.clears = false};
    char line[SCRIPT_HEAD + 1];

    size = size < SCRIPT_HEAD ? size : SCRIPT_HEAD;
    if (size < 2 || head[0] != '#' || head[1] != '!') {
        return false;
    }
    memcpy(line, head + 2, size - 2);
    line[size - 2] = '\0';
    line[strcspn(line, "\n")] = '\0';
    char *path = line + strspn(line, BLANK), *argument = path + strcspn(path, BLANK);

    if (*argument != '\0') {
        *argument++ = '\0';
        argument += strspn(argument, BLANK);
        for (size_t n = strlen(argument); n > 0 && strchr(BLANK, argument[n - 1]); n--) {
            argument[n - 1] = '\0';
        }
    }
    if (path[0] == '\0') {
        return false;
    }
    if (is_env(path) && argument[0] != '\0') {
        if (!read_env(argument, &script)) {
            return false;
        }
    } else {
        (void)strlcpy(script.interpreter, path, sizeof(script.interpreter));
    }
    *ret_script = script;
    return true;
}

/* ---- shells ---- */

bool script_is_shell(const char *interpreter)
{
    static const char *const shells[] = {"sh",  "bash", "dash", "ash",
                                         "ksh", "mksh", "zsh",  "busybox"};
    const char *slash = strrchr(interpreter, '/'), *name = slash ? slash + 1 : interpreter;

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(name, shells[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A word that means itself in a shell, quotes around all of it left out. */
static bool plain_word(const char *at, char *ret_word, size_t size)
{
    const char *ends = at[0] == '"' ? "\"" : at[0] == '\'' ? "'" : " \t;&|\n";

    at += at[0] == '"' || at[0] == '\'';
    size_t n = strcspn(at, ends);

    if (n == 0 || n >= size || n >= SHELL_WORD_MOST) {
        return false;
    }
    memcpy(ret_word, at, n);
    ret_word[n] = '\0';
    return strpbrk(ret_word, "$`*?[\\<>(){}\n\"'") == NULL && ret_word[0] != '-' &&
           !strchr(ret_word, '=');
}

bool script_execs(const char *text, char *ret_name, size_t size)
{
    bool found = false;

    while (text) {
        const char *line = text + strspn(text, BLANK);
        char word[SHELL_WORD_MOST];

        if (strncmp(line, "exec", 4) == 0 && (line[4] == ' ' || line[4] == '\t') &&
            plain_word(line + 4 + strspn(line + 4, BLANK), word, sizeof(word))) {
            found = strlcpy(ret_name, word, size) < size;
        }
        text = strchr(text, '\n');
        text += text ? 1 : 0;
    }
    return found;
}
