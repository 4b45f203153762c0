/* SPDX-License-Identifier: MIT */
/* Takes the place of engine.so, and is of a version that does not exist. */
#include <stdint.h>

struct other_engine {
    uint32_t abi;
    uint32_t size;
};

extern const struct other_engine flux_engine;
const struct other_engine flux_engine = {.abi = 0xffff, .size = sizeof(struct other_engine)};
