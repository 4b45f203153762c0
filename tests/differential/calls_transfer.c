/* SPDX-License-Identifier: MIT */
/* Steps that move bytes and descriptors. */
/* Context: the program that is compared. */
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "calls.h"
#include "guard.h"
#include "pool.h"

/* Written over by each call that reads. */
static char room[8192];

static size_t size_of(uint32_t random)
{
    return (size_t)ONE_OF(random, 10, 1, 100, 0, 3, 4096, 10, 500);
}

/* Where to read to or write from: now and then no memory at all. */
static char *memory(uint32_t random)
{
    return random % 24 == 5 ? calls_nowhere : room;
}

static void fill(uint32_t random)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "0\r\n\r\n",
        "hello",
        "\r\n"};
    const char *text = texts[random % 6];

    memset(room, 'a' + (int)(random % 26), sizeof room);
    memcpy(room, text, strlen(text));
}

/* What a signalfd tells has a pid in it. */
static void record_got(int fd, long n, size_t most)
{
    if (n > 0 && !(pool_kind(fd) & POOL_SIGNALFD))
        record_bytes("bytes", room, (size_t)n < most ? (size_t)n : most);
}

static int receive_flags(uint32_t random)
{
    return ONE_OF(random, 0, MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT | MSG_PEEK,
                  MSG_TRUNC, MSG_OOB, MSG_DONTWAIT | MSG_WAITALL, MSG_ERRQUEUE, 0);
}

/* TCP would keep MSG_MORE back for 200 ms. */
static int send_flags(int fd, uint32_t random)
{
    int flags = ONE_OF(random, 0, MSG_NOSIGNAL, MSG_DONTWAIT, MSG_NOSIGNAL | MSG_DONTWAIT,
                       MSG_MORE | MSG_NOSIGNAL, 0, MSG_OOB | MSG_NOSIGNAL, MSG_EOR | MSG_NOSIGNAL);

    return pool_kind(fd) & POOL_TCP ? flags & ~MSG_MORE : flags;
}

enum { SOCKETS = POOL_CONNECTION | POOL_DATAGRAM };

void call_read(const struct step *s)
{
    int fd = pool_of(POOL_READABLE, s->a);
    size_t size = size_of(s->b);
    char *to = memory(s->c);

    record_got(fd, GUARDED(read(fd, to, size)), size);
}

static int vectors(struct iovec *vector, const struct step *s)
{
    vector[0] = (struct iovec){room, size_of(s->b) % 64};
    vector[1] = (struct iovec){memory(s->c) == room ? room + 64 : calls_nowhere, size_of(s->d)};
    return ONE_OF(s->d, 2, 2, 1, 0, -1, 2000);
}

void call_readv(const struct step *s)
{
    struct iovec vector[2];
    int fd = pool_of(POOL_READABLE, s->a), count = vectors(vector, s);

    memset(room, 0, 200);
    record_got(fd, GUARDED(readv(fd, vector, count)), 200);
}

void call_recv(const struct step *s)
{
    int fd = pool_of(SOCKETS, s->a), flags = receive_flags(s->c);
    size_t size = size_of(s->b);
    char *to = flags & MSG_TRUNC ? room : memory(s->d); /* TCP doesn't look at it, but counts */

    record_got(fd, GUARDED(recv(fd, to, size, flags)), size);
}

void call_recvfrom(const struct step *s)
{
    struct sockaddr_storage name = {0};
    socklen_t name_size = (socklen_t)ONE_OF(s->d, 128, 0, 4, -1);
    int fd = pool_of(SOCKETS, s->a), flags = receive_flags(s->c);
    size_t size = size_of(s->b);

    record_got(fd, GUARDED(recvfrom(fd, room, size, flags, (struct sockaddr *)&name, &name_size)),
               size);
    record_value("size of the name", (long)name_size);
    record_value("family", name.ss_family);
}

/* Room for three descriptors, or for none, or too little for all. */
static struct msghdr message(struct iovec *vector, void *control, uint32_t random)
{
    size_t size = (size_t)ONE_OF(random, (int)CMSG_SPACE(3 * sizeof(int)), 0,
                                 (int)CMSG_SPACE(sizeof(int)), 8);

    return (struct msghdr){.msg_iov = vector,
                           .msg_iovlen = 1,
                           .msg_control = size == 0 ? NULL : control,
                           .msg_controllen = size};
}

static void record_control(struct msghdr *header)
{
    record_value("flags", header->msg_flags);
    record_value("control", (long)header->msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        record_value("type", c->cmsg_type);
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            record_bytes("descriptors", CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    }
}

void call_recvmsg(const struct step *s)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {0};
    struct iovec vector = {room, size_of(s->b)};
    struct msghdr header = message(&vector, control, s->d);
    int fd = pool_of(s->d % 3 ? POOL_UNIX : SOCKETS, s->a);
    int flags = receive_flags(s->c) | (s->d % 5 == 0 ? MSG_CMSG_CLOEXEC : 0);
    struct msghdr *to = s->c % 32 == 7 ? (struct msghdr *)calls_nowhere : &header;

    allow_arming();
    long n = GUARDED(recvmsg(fd, to, flags));

    record_got(fd, n, vector.iov_len);
    if (n >= 0)
        record_control(&header);
}

void call_recvmmsg(const struct step *s)
{
    struct iovec vector[2] = {{room, 64}, {room + 64, size_of(s->b)}};
    struct mmsghdr headers[2] = {{.msg_hdr = {.msg_iov = vector, .msg_iovlen = 1}},
                                 {.msg_hdr = {.msg_iov = vector + 1, .msg_iovlen = 1}}};
    int fd = pool_of(SOCKETS, s->a),
        flags = ONE_OF(s->c, MSG_DONTWAIT, MSG_WAITFORONE, 0, MSG_DONTWAIT | MSG_PEEK);

    memset(room, 0, 200);
    GUARDED(recvmmsg(fd, headers, 2, (unsigned)flags, NULL));
    record_bytes("bytes", room, 200);
    record_value("length", headers[0].msg_len);
}

void call_write(const struct step *s)
{
    int fd = pool_of(POOL_READABLE, s->a);
    size_t size =
        (pool_kind(fd) & POOL_TCP) ? size_of(s->b) % 600 : size_of(s->b) * (s->d % 4 ? 1 : 2);
    char *from = memory(s->c);

    fill(s->d);
    GUARDED(write(fd, from, size));
    address_settle(fd);
}

void call_writev(const struct step *s)
{
    struct iovec vector[2];
    int fd = pool_of(POOL_READABLE, s->a), count = vectors(vector, s);

    fill(s->d);
    if (pool_kind(fd) & POOL_TCP)
        vector[1].iov_len %= 600;
    GUARDED(writev(fd, vector, count));
    address_settle(fd);
}

void call_send(const struct step *s)
{
    int fd = pool_of(SOCKETS, s->a), flags = send_flags(fd, s->c);
    size_t size = size_of(s->b) % 600;
    char *from = memory(s->d);

    fill(s->d);
    GUARDED(send(fd, from, size, flags));
    address_settle(fd);
}

void call_sendto(const struct step *s)
{
    int fd = pool_of(s->d % 2 ? POOL_DATAGRAM : SOCKETS, s->a),
        flags = send_flags(fd, s->c) & ~MSG_MORE;
    size_t size = size_of(s->b) % 600;
    struct address address = address_of(pool_of(POOL_DATAGRAM, s->d), s->d / 2);

    fill(s->d);
    GUARDED(sendto(fd, room, size, flags, (struct sockaddr *)&address.name, address.size));
    address_settle(fd);
}

/*
 * Never a socket of AF_UNIX: one that is on its way through another keeps the kernel's collector busy, which
 * closes what nobody holds any more at a time of its own.
 */
static int to_pass(int wanted, int instead)
{
    return pool_kind(wanted) & POOL_UNIX ? instead : wanted;
}

/* With descriptors, if it is a message for AF_UNIX; now and then of one that isn't open. */
static void put_rights(struct msghdr *header, const struct step *s)
{
    int one = to_pass(pool_of(s->d % 2 ? POOL_TCP : POOL_FILE, s->b / 8), STDIN_FILENO);
    int sent[2] = {one, to_pass(pool_any(s->d / 8), one)};
    size_t size = (1 + s->d % 2) * sizeof(int);
    struct cmsghdr *c = header->msg_control;

    *c = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(size)};
    memcpy(CMSG_DATA(c), sent, size);
    header->msg_controllen = s->d % 16 == 1 ? 8 : CMSG_SPACE(size);
}

void call_sendmsg(const struct step *s)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {0};
    struct iovec vector = {room, size_of(s->b) % 600};
    struct msghdr header = message(&vector, control, 0);
    int fd = pool_of(s->d % 3 ? POOL_UNIX : SOCKETS, s->a), flags = send_flags(fd, s->c);
    struct msghdr *from = s->c % 32 == 7 ? (struct msghdr *)calls_nowhere : &header;

    header.msg_control = NULL;
    header.msg_controllen = 0;
    if (s->c % 3 && (pool_kind(fd) & POOL_UNIX)) {
        header.msg_control = control;
        put_rights(&header, s);
        allow_arming();
    }
    fill(s->d);
    GUARDED(sendmsg(fd, from, flags));
    address_settle(fd);
}

void call_sendmmsg(const struct step *s)
{
    struct iovec vector[2] = {{room, 20}, {room + 20, size_of(s->b) % 600}};
    struct mmsghdr headers[2] = {{.msg_hdr = {.msg_iov = vector, .msg_iovlen = 1}},
                                 {.msg_hdr = {.msg_iov = vector + 1, .msg_iovlen = 1}}};
    int fd = pool_of(SOCKETS, s->a), flags = send_flags(fd, s->c);

    fill(s->d);
    GUARDED(sendmmsg(fd, headers, (unsigned)ONE_OF(s->d, 2, 1, 0), flags));
    record_value("length", headers[0].msg_len);
    address_settle(fd);
}

void call_sendfile(const struct step *s)
{
    int to = pool_of(POOL_CONNECTION | POOL_PIPE, s->a), from = pool_of(POOL_FILE, s->b);
    off_t offset = ONE_OF(s->c, 0, 5, 5000, -1);
    size_t size = size_of(s->d) % 600;

    if (pool_kind(to) & POOL_FILE)
        return; /* a file that is copied to its own end reads what it writes, or doesn't */
    if (s->c % 2)
        GUARDED(sendfile(to, from, NULL, size));
    else
        GUARDED(sendfile64(to, from, &offset, size));
    record_value("offset", offset);
    address_settle(to);
}

void call_splice(const struct step *s)
{
    int from = pool_of(s->c % 2 ? POOL_PIPE : POOL_CONNECTION, s->a);
    int to = pool_of(s->c % 2 ? POOL_CONNECTION : POOL_PIPE, s->b);
    size_t size = size_of(s->d) % 600;

    GUARDED(splice(from, NULL, to, NULL, size, SPLICE_F_NONBLOCK));
    address_settle(to);
}

/* What is asked is read and answered, on one connection. */
void call_answer(const struct step *s)
{
    int fd = pool_of(POOL_CONNECTION, s->a);
    size_t size = 100;

    record_got(fd, GUARDED(recv(fd, room, size, MSG_DONTWAIT)), size);
    fill(s->b);
    GUARDED(send(fd, room, size, MSG_NOSIGNAL));
    address_settle(fd);
}
