// SPDX-License-Identifier: MIT
// A hook in C++, whose config says which of its calls throws an exception.
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "fluxshim.h"

namespace
{

struct Thrower {
    char where[32];
};

void throw_at(const Thrower *thrower, const char *where)
{
    if (std::strstr(thrower->where, where) != nullptr) {
        throw std::runtime_error(where);
    }
}

int init(const char *config, void **ret_instance)
{
    auto *thrower = new Thrower();

    std::strncpy(thrower->where, config, sizeof(thrower->where) - 1);
    *ret_instance = thrower;
    throw_at(thrower, "init");
    return 0;
}

void event(void *instance, const flux_event *event)
{
    if (event->phase != FLUX_PHASE_RUNNING) {
        throw_at(static_cast<Thrower *>(instance), "event");
    }
}

int cleanup(void *instance)
{
    throw_at(static_cast<Thrower *>(instance), "cleanup");
    return 0;
}

} // namespace

extern "C" const struct flux_hook flux_hook = {FLUX_HOOK_ABI,     sizeof(struct flux_hook),
                                               "throws",          FLUX_PRIORITY_DEFAULT,
                                               FLUX_SCOPE_FAMILY, init,
                                               nullptr,           event,
                                               cleanup,           nullptr};
