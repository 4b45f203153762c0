/* SPDX-License-Identifier: MIT */
/* The names of libcjson that the engine calls, each one a jump through a table. */
/* Context: json_open() while arming, may allocate and block; then as cJSON. */
#include "engine/json.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

#include "engine/shim.h"

#define TEXT(number)     #number
#define SONAME_OF(major) "libcjson.so." TEXT(major)

/* Each row gives return type, name, parameters and arguments, as in sigsafe/real.h. */
#define TESTS(R)                                                                                   \
    R(cJSON_bool, IsArray, (const cJSON *const item), (item))                                      \
    R(cJSON_bool, IsBool, (const cJSON *const item), (item))                                       \
    R(cJSON_bool, IsNull, (const cJSON *const item), (item))                                       \
    R(cJSON_bool, IsNumber, (const cJSON *const item), (item))                                     \
    R(cJSON_bool, IsObject, (const cJSON *const item), (item))                                     \
    R(cJSON_bool, IsString, (const cJSON *const item), (item))                                     \
    R(cJSON_bool, IsTrue, (const cJSON *const item), (item))

#define READERS(R)                                                                                 \
    R(cJSON *, ParseWithOpts, (const char *text, const char **end, cJSON_bool whole),              \
      (text, end, whole))                                                                          \
    R(cJSON *, ParseWithLengthOpts,                                                                \
      (const char *text, size_t size, const char **end, cJSON_bool whole),                         \
      (text, size, end, whole))                                                                    \
    R(int, GetArraySize, (const cJSON *array), (array))                                            \
    R(char *, GetStringValue, (const cJSON *const item), (item))                                   \
    R(cJSON *, GetObjectItemCaseSensitive, (const cJSON *const object, const char *const name),    \
      (object, name))

#define WRITERS(R)                                                                                 \
    R(cJSON *, CreateObject, (void), ())                                                           \
    R(cJSON *, CreateArray, (void), ())                                                            \
    R(cJSON *, CreateRaw, (const char *raw), (raw))                                                \
    R(cJSON_bool, AddItemToArray, (cJSON * array, cJSON * item), (array, item))                    \
    R(cJSON *, AddArrayToObject, (cJSON *const object, const char *const name), (object, name))    \
    R(cJSON *, AddObjectToObject, (cJSON *const object, const char *const name), (object, name))   \
    R(cJSON *, AddNullToObject, (cJSON *const object, const char *const name), (object, name))     \
    R(cJSON *, AddBoolToObject,                                                                    \
      (cJSON *const object, const char *const name, const cJSON_bool value),                       \
      (object, name, value))                                                                       \
    R(cJSON *, AddStringToObject,                                                                  \
      (cJSON *const object, const char *const name, const char *const text), (object, name, text)) \
    R(cJSON *, AddRawToObject,                                                                     \
      (cJSON *const object, const char *const name, const char *const raw), (object, name, raw))   \
    R(char *, Print, (const cJSON *item), (item))                                                  \
    R(char *, PrintUnformatted, (const cJSON *item), (item))                                       \
    R(cJSON_bool, PrintPreallocated,                                                               \
      (cJSON * item, char *buffer, const int size, const cJSON_bool pretty),                       \
      (item, buffer, size, pretty))

#define CALLS(R) TESTS(R) READERS(R) WRITERS(R)

/* Those that return nothing. */
#define VOID_CALLS(R)                                                                              \
    R(void, Delete, (cJSON * item), (item))                                                        \
    R(void, InitHooks, (cJSON_Hooks * hooks), (hooks))                                             \
    R(void, free, (void *block), (block))

static struct {
#define R(ret, name, params, args) ret(*name) params;
    CALLS(R) VOID_CALLS(R)
#undef R
} calls;

#define R(ret, name, params, args)                                                                 \
    ret cJSON_##name params                                                                        \
    {                                                                                              \
        return calls.name args;                                                                    \
    }
CALLS(R)
#undef R

#define R(ret, name, params, args)                                                                 \
    ret cJSON_##name params                                                                        \
    {                                                                                              \
        calls.name args;                                                                           \
    }
VOID_CALLS(R)
#undef R

static const struct row {
    const char *name;
    size_t offset;
} rows[] = {
#define R(ret, call, params, args) {"cJSON_" #call, offsetof(__typeof__(calls), call)},
    CALLS(R) VOID_CALLS(R)
#undef R
};

static bool find_all(void *object)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *found = dlsym(object, rows[i].name);

        if (!found) {
            return false;
        }
        *(void **)((char *)&calls + rows[i].offset) = found;
    }
    return true;
}

bool json_open(void)
{
    static bool opened;

    if (opened) {
        return true;
    }
    void *object = dlopen(SONAME_OF(CJSON_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

    opened = object && find_all(object);
    if (!opened) {
        log_error("can't load what reads and writes JSON: %s: running without fluxshim", dlerror());
        return false;
    }
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = malloc, .free_fn = free}); /* memory.c */
    return true;
}
