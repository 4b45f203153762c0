/* SPDX-License-Identifier: MIT */
/* One request and its answer on a blocking connection, and why it failed if it did. */
#ifndef TOOLS_EXCHANGE_H
#define TOOLS_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "answer.h"

struct exchange {
    struct answer answer;
    const char *failed_call; /* NULL if the answer came whole and right */
    int error;               /* errno of that call; 0: end of file, or a wrong answer */
};

bool exchange_send(int fd, const char *bytes, size_t len);

/* True if the answer came whole and right. */
bool exchange_run(struct exchange *exchange, int fd, const struct question *question);

/* For messages: strerror, `end of file` or `wrong answer`. */
const char *exchange_reason(const struct exchange *exchange);

enum connect_result { CONNECT_OK, CONNECT_REFUSED, CONNECT_LOST, CONNECT_TIMEOUT };

/* What the result of addr_connect() means. Ends the tool if the fault is on this side. */
enum connect_result exchange_classify(int fd_or_error);

#endif
