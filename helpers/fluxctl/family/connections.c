/* SPDX-License-Identifier: MIT */
/* Joins what the kernel and the shim know of a family's sockets. */
/* Context: a program of one thread. */
#include "family/connections.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "family/memory.h"
#include "format/quiet.h"

#define MS             1000000
#define STATE_CLOSED   7 /* TCP_CLOSE */
#define HOLDINGS_FIRST 256

/* One descriptor of one member that is a socket. */
struct holding {
    uint64_t inode;
    uint32_t member; /* index in the view */
    int fd;
};

struct gathering {
    const struct family_view *view;
    struct sockets sockets;
    struct holding *holdings;
    size_t count, room;
    uint32_t member; /* whose descriptors are being read */
    bool lacks_memory;
    struct process_tables *tables; /* by member; magic 0: not to be read */
    struct connections result;
};

/* Gathering ------------------------------------------------------------------------------------------- */

static void note(int fd, uint64_t inode, void *argument)
{
    struct gathering *g = argument;

    if (g->count == g->room) {
        size_t room = g->room ? 2 * g->room : HOLDINGS_FIRST;
        struct holding *larger = realloc(g->holdings, room * sizeof(*larger));

        if (!larger) {
            g->lacks_memory = true;
            return;
        }
        g->holdings = larger;
        g->room = room;
    }
    g->holdings[g->count++] = (struct holding){.inode = inode, .member = g->member, .fd = fd};
}

static bool may_hold(const struct member_view *member)
{
    return member->lives && (member->state == FAMILY_ACTIVE || member->state == FAMILY_PROGRAM);
}

static void read_tables(struct gathering *g, const struct member_view *member)
{
    struct process_tables *tables = &g->tables[g->member];
    uint64_t address = g->view->layout->members[member->slot].tables, accepted;

    if (memory_tables(member->pid, address, tables) != 0) {
        tables->magic = 0;
        g->result.blind += member->state == FAMILY_ACTIVE;
    } else if (memory_accepted(member->pid, tables, &accepted) == 0) {
        g->result.accepted += accepted;
    }
}

/* The error of the last one that couldn't be read, if none could. */
static int gather(struct gathering *g)
{
    int error = 0;
    size_t readable = 0;

    for (uint32_t i = 0; i < g->view->member_count; i++) {
        const struct member_view *member = &g->view->members[i];

        g->member = i;
        if (!may_hold(member)) {
            continue;
        }
        int one = process_each_socket(member->pid, note, g);

        if (one == 0) {
            readable++;
            read_tables(g, member);
        } else if (one != -ESRCH) {
            g->result.unreadable++;
            error = one;
        }
    }
    return g->lacks_memory ? -ENOMEM : readable > 0 ? 0 : error;
}

static int by_inode(const void *a, const void *b)
{
    const struct holding *x = a, *y = b;

    return x->inode != y->inode     ? (x->inode > y->inode) - (x->inode < y->inode)
           : x->member != y->member ? (x->member > y->member) - (x->member < y->member)
                                    : (x->fd > y->fd) - (x->fd < y->fd);
}

static int same_inode(const void *a, const void *b)
{
    const struct holding *x = a, *y = b;

    return (x->inode > y->inode) - (x->inode < y->inode);
}

/* Whose is it? ----------------------------------------------------------------------------------------- */

static uint16_t port_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET
               ? ((const struct sockaddr_in *)(const void *)address)->sin_port
           : address->ss_family == AF_INET6
               ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_port
               : 0;
}

static bool has_path(const struct sockaddr_storage *address, socklen_t size)
{
    return address->ss_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path);
}

/* An accepted socket has its listener's port, or its listener's path (unix(7)). */
static bool comes_from(const struct socket_row *socket, const struct sockaddr_storage *listener,
                       socklen_t size)
{
    if (port_of(listener) != 0) {
        return port_of(&socket->local) == port_of(listener);
    }
    return has_path(&socket->local, socket->local_size) && has_path(listener, size) &&
           socket->local_size == size && memcmp(&socket->local, listener, size) == 0;
}

/* From one of the members', or one that has been closed since: the mapping remembers those. */
static bool is_served(const struct gathering *g, const struct socket_row *socket)
{
    for (size_t i = 0; i < g->result.listener_count; i++) {
        const struct socket_row *listener = &g->result.listeners[i].socket;

        if (comes_from(socket, &listener->local, listener->local_size)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < FAMILY_LISTENERS; i++) {
        const struct family_listener *known = &g->view->layout->listeners[i];
        struct sockaddr_storage address;

        memset(&address, 0, sizeof(address));
        memcpy(&address, known->address, sizeof(known->address));
        if (known->address_size > 0 && comes_from(socket, &address, known->address_size)) {
            return true;
        }
    }
    return false;
}

/* In flight or idle ------------------------------------------------------------------------------------ */

/* A connection's entry in the table of a member that has it; the home entry, where fd is a copy. */
static bool entry_of(const struct gathering *g, const struct holding *holding,
                     struct fd_entry *ret_entry)
{
    const struct process_tables *tables = &g->tables[holding->member];
    pid_t pid = g->view->members[holding->member].pid;

    if (tables->magic == 0 || memory_entry(pid, tables, holding->fd, ret_entry) != 0) {
        return false;
    }
    if ((ret_entry->kind & FD_CONNECTION) && (ret_entry->kind & FD_ALIAS)) {
        return memory_entry(pid, tables, (int)ret_entry->activity, ret_entry) == 0 &&
               (ret_entry->kind & FD_CONNECTION);
    }
    return (ret_entry->kind & FD_CONNECTION) != 0;
}

static int64_t quiet_of(const struct socket_row *socket)
{
    return !socket->has_info                                   ? -1
           : socket->since_received_ms < socket->since_sent_ms ? socket->since_received_ms * MS
                                                               : socket->since_sent_ms * MS;
}

static void judge_by_queues(struct connection *one)
{
    if (one->socket.unread > 0) {
        one->state = CONNECTION_IN_FLIGHT;
        one->why = "request not read";
    } else if (one->socket.unsent > 0) {
        one->state = CONNECTION_IN_FLIGHT;
        one->why = "response not delivered";
    }
}

static void judge_by_evidence(struct connection *one, const struct fd_entry *entry,
                              const struct settings *settings)
{
    struct http1 http = {.left = atomic_load(&entry->http_left),
                         .state = atomic_load(&entry->http_state),
                         .step = atomic_load(&entry->http_step)};
    struct quiet_facts facts = {
        .evidence = (enum evidence_state)atomic_load(&entry->evidence),
        .answer = settings->http ? http1_answer(&http) : HTTP1_UNKNOWN,
        .has_received = one->socket.received > 0,
        .sent_last =
            one->socket.sent > 0 && one->socket.since_sent_ms <= one->socket.since_received_ms,
    };
    int64_t needed = quiet_needed(&facts, settings->idle, &one->why);

    /* Before it has been quiet for so long, nobody can say that it is idle. */
    one->state = needed == QUIET_NEVER || (one->quiet_ns >= 0 && one->quiet_ns < needed)
                     ? CONNECTION_IN_FLIGHT
                     : CONNECTION_IDLE;
    if (one->state == CONNECTION_IN_FLIGHT && needed != QUIET_NEVER) {
        one->why = "not quiet for long enough";
    }
    one->forced = (atomic_load(&entry->kind) & FD_FORCED) != 0;
}

/* `many` holdings from `first` on are of one socket. */
static void judge(const struct gathering *g, struct connection *one, const struct holding *first,
                  size_t many)
{
    struct fd_entry entry;

    one->state = CONNECTION_UNKNOWN;
    one->why = "its process's tables can't be read";
    one->is_blind = true;
    one->age_ns = one->quiet_ns = quiet_of(&one->socket);
    for (size_t i = 0; i < many && !one->is_tracked; i++) {
        one->is_blind &= g->tables[first[i].member].magic == 0;
        if (entry_of(g, &first[i], &entry)) {
            one->is_tracked = true;
            one->pid = g->view->members[first[i].member].pid;
            one->fd = first[i].fd;
            judge_by_evidence(one, &entry, &g->view->layout->settings);
        }
    }
    if (!one->is_tracked && !one->is_blind) {
        one->why = "not in the table";
    }
    judge_by_queues(one);
}

/* The result ------------------------------------------------------------------------------------------- */

/* Holdings of the same inode as `from`. */
static size_t run_of(const struct gathering *g, size_t from)
{
    size_t end = from;

    while (end < g->count && g->holdings[end].inode == g->holdings[from].inode) {
        end++;
    }
    return end - from;
}

static bool holds(const struct gathering *g, uint64_t inode)
{
    struct holding first = {.inode = inode};
    const struct holding *at = bsearch(&first, g->holdings, g->count, sizeof(first), same_inode);

    return at != NULL;
}

/* Refused alone, one of a group that share a port makes its part of all connects hang. */
static bool has_strangers(const struct gathering *g, const struct socket_row *socket)
{
    for (size_t i = 0; i < g->sockets.count; i++) {
        const struct socket_row *other = &g->sockets.rows[i];

        if (other->listens && other->domain == socket->domain && port_of(&socket->local) != 0 &&
            other->local_size == socket->local_size &&
            memcmp(&other->local, &socket->local, socket->local_size) == 0 &&
            !holds(g, other->inode)) {
            return true;
        }
    }
    return false;
}

static void add_listeners(struct gathering *g)
{
    for (size_t i = 0, many; i < g->count; i += many) {
        const struct socket_row *socket = sockets_find(&g->sockets, g->holdings[i].inode);

        many = run_of(g, i);
        if (socket && socket->listens) {
            g->result.listeners[g->result.listener_count++] =
                (struct listener){.socket = *socket,
                                  .pid = g->view->members[g->holdings[i].member].pid,
                                  .fd = g->holdings[i].fd,
                                  .holders = many,
                                  .has_strangers = has_strangers(g, socket)};
        }
    }
}

static void add_connections(struct gathering *g)
{
    for (size_t i = 0, many; i < g->count; i += many) {
        const struct socket_row *socket = sockets_find(&g->sockets, g->holdings[i].inode);

        many = run_of(g, i);
        if (!socket || socket->listens || socket->state == STATE_CLOSED || !is_served(g, socket)) {
            continue;
        }
        struct connection *one = &g->result.rows[g->result.count++];

        *one = (struct connection){.pid = g->view->members[g->holdings[i].member].pid,
                                   .fd = g->holdings[i].fd,
                                   .holders = many,
                                   .socket = *socket};
        judge(g, one, &g->holdings[i], many);
    }
}

static int by_age(const void *a, const void *b)
{
    const struct connection *x = a, *y = b;

    return x->age_ns != y->age_ns
               ? (x->age_ns < y->age_ns) - (x->age_ns > y->age_ns)
               : (x->socket.inode > y->socket.inode) - (x->socket.inode < y->socket.inode);
}

static int join(struct gathering *g)
{
    g->result.rows = calloc(g->count + 1, sizeof(*g->result.rows));
    g->result.listeners = calloc(g->count + 1, sizeof(*g->result.listeners));
    if (!g->result.rows || !g->result.listeners) {
        return -ENOMEM;
    }
    if (g->count > 0) {
        qsort(g->holdings, g->count, sizeof(*g->holdings), by_inode);
    }
    add_listeners(g);
    add_connections(g);
    qsort(g->result.rows, g->result.count, sizeof(*g->result.rows), by_age);
    return 0;
}

int connections_read(const struct family_view *view, struct connections *ret_connections)
{
    struct gathering g = {.view = view,
                          .tables = calloc(view->member_count + 1, sizeof(*g.tables))};
    int error = g.tables ? gather(&g) : -ENOMEM;

    if (error == 0 && g.count > 0) {
        error = sockets_read(view->members[g.holdings[0].member].pid, &g.sockets);
    }
    if (error == 0) {
        error = join(&g);
    }
    if (error == 0) {
        *ret_connections = g.result;
    } else {
        connections_free(&g.result);
    }
    sockets_free(&g.sockets);
    free(g.holdings);
    free(g.tables);
    return error;
}

void connections_free(struct connections *connections)
{
    free(connections->rows);
    free(connections->listeners);
    *connections = (struct connections){.rows = NULL};
}

const char *connection_state_name(enum connection_state state)
{
    static const char *const names[] = {"in flight", "idle", "unknown"};

    return names[state];
}

size_t connections_count(const struct connections *connections, enum connection_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < connections->count; i++) {
        count += connections->rows[i].state == state;
    }
    return count;
}
