/* SPDX-License-Identifier: MIT */
/* One request and its answer on a blocking connection, and why it failed if it did. */
#define _GNU_SOURCE 1
#include "exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "args.h"

enum { READ_SIZE = 64 * 1024 };

bool exchange_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool fail(struct exchange *exchange, const char *call, int error)
{
    exchange->failed_call = call;
    exchange->error = error;
    return false;
}

bool exchange_run(struct exchange *exchange, int fd, const struct question *question)
{
    char bytes[READ_SIZE];
    struct answer *answer = &exchange->answer;

    exchange->failed_call = NULL;
    answer_begin(answer, question);
    if (!exchange_send(fd, question->request, question->request_len))
        return fail(exchange, "send", errno);
    while (answer->state != ANSWER_COMPLETE) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got < 0)
            return fail(exchange, "read", errno);
        if (got == 0)
            answer_eof(answer);
        else
            answer_feed(answer, bytes, (size_t)got);
        if (answer->state == ANSWER_WRONG || (got == 0 && answer->state != ANSWER_COMPLETE))
            return fail(exchange, "read", 0);
    }
    return true;
}

const char *exchange_reason(const struct exchange *exchange)
{
    if (exchange->error == EAGAIN)
        return "no answer in time";
    if (exchange->error != 0)
        return strerror(exchange->error);
    return exchange->answer.state == ANSWER_WRONG ? "wrong answer" : "end of file";
}

enum connect_result exchange_classify(int fd_or_error)
{
    switch (fd_or_error < 0 ? -fd_or_error : 0) {
    case 0:
        return CONNECT_OK;
    case ECONNREFUSED:
    case ENOENT: /* a unix socket that was removed */
        return CONNECT_REFUSED;
    case ECONNRESET: /* the handshake was complete, and the reset came before connect() returned */
    case ECONNABORTED:
    case EPIPE:
        return CONNECT_LOST;
    case ETIMEDOUT:
    case EINPROGRESS: /* SO_SNDTIMEO, over TCP and over unix sockets */
    case EAGAIN:
        return CONNECT_TIMEOUT;
    default:
        errno = -fd_or_error;
        args_die("connect");
    }
}
