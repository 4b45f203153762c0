/* SPDX-License-Identifier: MIT */
/* counter.c in C++: objects behind the callbacks, and no exception that leaves one. */

/*
 *     c++ -std=c++17 -shared -fPIC -Wall -I shim -o counter_cpp.so counter.cc
 */
#include "fluxshim.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>

namespace
{

class Counter
{
  public:
    bool restore(const char *state)
    {
        return std::sscanf(state, "{ \"starts\":%u", &starts) == 1;
    }

    void start()
    {
        starts++;
    }

    std::string text() const
    {
        return "{\"starts\":" + std::to_string(starts) + "}";
    }

  private:
    unsigned starts = 0;
};

Counter &counter_of(void *instance)
{
    return *static_cast<Counter *>(instance);
}

int init(const char *, void **ret_instance)
{
    *ret_instance = new (std::nothrow) Counter;
    return *ret_instance ? 0 : ENOMEM;
}

int restore(void *instance, const char *state)
{
    return counter_of(instance).restore(state) ? 0 : EINVAL;
}

void event(void *instance, const flux_event *event)
{
    if (event->phase == FLUX_PHASE_RUNNING) {
        counter_of(instance).start();
    }
}

int cleanup(void *instance)
try {
    flux_log(2, ("at the end " + counter_of(instance).text()).c_str());
    return 0;
} catch (const std::bad_alloc &) {
    return ENOMEM;
}

int64_t save(void *instance, char *buffer, uint64_t size)
try {
    const std::string text = counter_of(instance).text();

    if (text.size() < size) {
        std::memcpy(buffer, text.c_str(), text.size() + 1);
    }
    return static_cast<int64_t>(text.size());
} catch (const std::bad_alloc &) {
    return -1;
}

} // namespace

extern "C" FLUX_EXPORT const struct flux_hook flux_hook = {
    FLUX_HOOK_ABI,     sizeof(struct flux_hook),
    "counter_cpp",     FLUX_PRIORITY_DEFAULT,
    FLUX_SCOPE_FAMILY, init,
    restore,           event,
    cleanup,           save,
};
