/* SPDX-License-Identifier: MIT */
/* The listening sockets of a test server. */
#define _GNU_SOURCE 1
#include "listeners.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "options.h"
#include "util.h"

enum { LISTEN_FDS_START = 3 }; /* sd_listen_fds(3) */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static int bind_and_listen(const union address *address, socklen_t len)
{
    int on = 1;
    bool reuseport = opt.reuseport && address->any.sa_family != AF_UNIX;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        die("SO_REUSEPORT");
    if (bind(fd, &address->any, len) < 0)
        die("bind");
    if (listen(fd, opt.backlog) < 0)
        die("listen");
    return fd;
}

static int open_tcp4(const char *port)
{
    union address address = {.in = {.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)atoi(port)),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};

    return bind_and_listen(&address, sizeof address.in);
}

static int open_tcp6(const char *port)
{
    union address address = {.in6 = {.sin6_family = AF_INET6,
                                     .sin6_port = htons((uint16_t)atoi(port)),
                                     .sin6_addr = IN6ADDR_LOOPBACK_INIT}};

    return bind_and_listen(&address, sizeof address.in6);
}

static int open_unix(const char *path)
{
    union address address = {.un = {.sun_family = AF_UNIX}};

    if (strlen(path) >= sizeof address.un.sun_path)
        die_usage("path too long: %s", path);
    strcpy(address.un.sun_path, path);
    unlink(path);
    return bind_and_listen(&address, sizeof address.un);
}

static int open_spec(const char *spec)
{
    const char *colon = strchr(spec, ':');
    const char *value = colon ? colon + 1 : "0";

    if (strncmp(spec, "tcp4", 4) == 0)
        return open_tcp4(value);
    if (strncmp(spec, "tcp6", 4) == 0)
        return open_tcp6(value);
    if (strncmp(spec, "unix:", 5) == 0)
        return open_unix(value);
    if (strncmp(spec, "fd:", 3) == 0)
        return atoi(value);
    die_usage("--listen %s: allowed are tcp4[:PORT], tcp6[:PORT], unix:PATH and fd:N", spec);
}

static void add(struct listeners *listeners, int fd, bool nonblocking)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        die("listener");
    fcntl(fd, F_SETFL, nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    listeners->fd[listeners->count++] = fd;
}

/* As sd_listen_fds(3) has it: LISTEN_PID says for which process LISTEN_FDS is meant. */
static int inherited_count(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");

    if (!pid || !fds || atoi(pid) != getpid() || atoi(fds) < 1 || atoi(fds) > LISTENERS_MAX)
        die_usage("--listen-fds: LISTEN_PID and LISTEN_FDS name no listener of this process");
    return atoi(fds);
}

void listeners_open(struct listeners *listeners, bool nonblocking)
{
    int inherited = opt.listen_fds ? inherited_count() : 0;

    for (int i = 0; i < inherited; i++)
        add(listeners, LISTEN_FDS_START + i, nonblocking);
    for (int i = 0; i < opt.listen_count; i++)
        add(listeners, open_spec(opt.listen[i]), nonblocking);
}

static void print_one(int fd)
{
    char text[INET6_ADDRSTRLEN];
    union address address = {0};
    socklen_t len = sizeof address;

    if (getsockname(fd, &address.any, &len) < 0)
        die("getsockname");
    if (address.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address.in.sin_addr, text, sizeof text);
        say("listening tcp4 %s:%d", text, ntohs(address.in.sin_port));
    } else if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.in6.sin6_addr, text, sizeof text);
        say("listening tcp6 [%s]:%d", text, ntohs(address.in6.sin6_port));
    } else {
        say("listening unix %s", address.un.sun_path);
    }
}

void listeners_print(const struct listeners *listeners)
{
    for (int i = 0; i < listeners->count; i++)
        print_one(listeners->fd[i]);
}
