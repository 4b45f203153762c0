/* SPDX-License-Identifier: MIT */
/* Connects, sends and receives without blocking, and waits in poll. */
/* Context: any thread; blocks until the deadline at most. */
#include "redis/connection.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

static int finish_connect(int fd, int64_t deadline)
{
    int error = 0, result = clock_poll(fd, POLLOUT, deadline);
    socklen_t length = sizeof(error);

    if (result == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        error = errno;
    }
    return result ? result : -error;
}

/* The descriptor or -errno. */
static int connect_to(const struct sockaddr *address, socklen_t length, int64_t deadline)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = 0;

    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, address, length) != 0) {
        result = errno == EINPROGRESS ? finish_connect(fd, deadline) : -errno;
    }
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}

static int connect_to_path(const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        return -ENAMETOOLONG;
    }
    strcpy(address.sun_path, path);
    return connect_to((struct sockaddr *)&address, sizeof(address), deadline);
}

/* Each of the host's addresses in turn. A name is asked for outside of the deadline. */
static int connect_to_host(const char *host, int port, int64_t deadline)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list, *at;
    char service[16];
    int fd = -EHOSTUNREACH;

    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(host, service, &hints, &list) != 0) {
        return -EHOSTUNREACH;
    }
    for (at = list; at && fd < 0; at = at->ai_next) {
        fd = connect_to(at->ai_addr, at->ai_addrlen, deadline);
    }
    freeaddrinfo(list);
    return fd;
}

int connection_open(struct connection *connection, const char *socket_path, const char *host,
                    int port, int64_t timeout_ms)
{
    connection->deadline = clock_after(timeout_ms);
    connection->reader = redisReaderCreate();
    if (!connection->reader) {
        return -ENOMEM;
    }
    connection->fd = socket_path ? connect_to_path(socket_path, connection->deadline)
                                 : connect_to_host(host, port, connection->deadline);
    if (connection->fd < 0) {
        redisReaderFree(connection->reader);
        return connection->fd;
    }
    return 0;
}

void connection_close(struct connection *connection)
{
    redisReaderFree(connection->reader);
    close(connection->fd);
}

static int send_all(struct connection *connection, const char *data, size_t n)
{
    while (n > 0) {
        int result = clock_poll(connection->fd, POLLOUT, connection->deadline);
        ssize_t sent = result == 0 ? send(connection->fd, data, n, MSG_NOSIGNAL) : -1;

        if (result < 0) {
            return result;
        }
        if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            return -errno;
        }
        data += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    return 0;
}

static int receive_some(struct connection *connection)
{
    char buffer[4096];
    int result = clock_poll(connection->fd, POLLIN, connection->deadline);
    ssize_t n = result == 0 ? recv(connection->fd, buffer, sizeof(buffer), 0) : 0;

    if (result < 0) {
        return result;
    }
    if (n <= 0) {
        return n == 0 ? -ECONNRESET : errno == EINTR || errno == EAGAIN ? 0 : -errno;
    }
    return redisReaderFeed(connection->reader, buffer, (size_t)n) == REDIS_OK ? 0 : -EPROTO;
}

static int receive_reply(struct connection *connection, struct redisReply **ret_reply)
{
    void *reply = NULL;

    for (;;) {
        int result = 0;

        if (redisReaderGetReply(connection->reader, &reply) != REDIS_OK) {
            return -EPROTO;
        }
        if (reply) {
            *ret_reply = reply;
            return 0;
        }
        if ((result = receive_some(connection)) < 0) {
            return result;
        }
    }
}

int connection_ask(struct connection *connection, const char *const *words, size_t count,
                   struct redisReply **ret_reply)
{
    char *command = NULL;
    int n = redisFormatCommandArgv(&command, (int)count, (const char **)(uintptr_t)words, NULL);
    int result;

    if (n < 0) {
        return -ENOMEM;
    }
    result = send_all(connection, command, (size_t)n);
    redisFreeCommand(command);
    return result < 0 ? result : receive_reply(connection, ret_reply);
}
