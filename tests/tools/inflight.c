/* SPDX-License-Identifier: MIT */
/* Holds slow, idle and stuck connections open, and tells how each of them ended. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/args.h"
#include "lib/exchange.h"

/*
 *   inflight --connect ADDR [--slow N] [--idle N] [--stuck N] [--keep] [--quick TEXT]
 *            [--sip-ms MS] and those of lib/args.h
 *
 *   slow   asks --path (/slow?ms=2000) or --send (slow 2000 hello) and is closed when answered,
 *          or with --keep left open for the server to close
 *   idle   has had one answer and says nothing more; it asked for --quick, a path or a line
 *          (`/`, `echo hello`)
 *   stuck  has sent half a request
 *
 * With --sip-ms the client is a slow one: it reads at most 64 KiB, then pauses for MS.
 *
 * Prints `sent` when all this stands, waits until all have ended or the deadline, then:
 *
 *   slow I ok|cut|reset|open BYTES MS      BYTES received, MS from `sent` to the end of the answer
 *   idle I eof|reset|data|open MS
 *   stuck I eof|reset|data|open MS
 *   slow ok N of N idle eof N of N stuck eof N of N
 *
 * `cut` is an end of file in mid-answer or a wrong answer. Exit status 0 if all that are slow are
 * ok, 1 if not, 2 if the connections could not be made.
 */

enum { OPT_SLOW = ARGS_FIRST_OWN, OPT_IDLE, OPT_STUCK, OPT_KEEP, OPT_QUICK, OPT_SIP };

enum kind { SLOW, IDLE, STUCK, KINDS };
enum outcome { OPEN, OK, CUT, RESET, AT_EOF, DATA };

static const char *const kind_names[KINDS] = {"slow", "idle", "stuck"};
static const char *const outcome_names[] = {"open", "ok", "cut", "reset", "eof", "data"};

struct peer {
    enum kind kind;
    enum outcome outcome;
    int64_t ended_us;
    struct answer answer; /* of a slow one */
};

static struct args args;
static struct question slow_question, quick_question;
static bool keep;
static const char *quick;
static int sip_ms;
static int wanted[KINDS];

static struct peer *peers;
static struct pollfd *fds; /* fds[i] belongs to peers[i]; -1 when there is no more to wait for */
static int peer_count;
static int open_count;

static int connect_peer(void)
{
    int fd = addr_connect(&args.addr, (unsigned)peer_count, args.timeout_ms);

    if (fd < 0) {
        errno = -fd;
        args_die("connect");
    }
    return fd;
}

static void bring_to_kind(struct peer *peer, int fd)
{
    struct exchange exchange;
    const struct question *question = peer->kind == SLOW ? &slow_question : &quick_question;
    size_t len = peer->kind == STUCK ? question->request_len / 2 : question->request_len;

    answer_begin(&peer->answer, question);
    if (peer->kind == IDLE && !exchange_run(&exchange, fd, question))
        args_usage(exchange_reason(&exchange));
    if (peer->kind != IDLE && !exchange_send(fd, question->request, len))
        args_die("send");
}

static void open_peers(enum kind kind)
{
    for (int i = 0; i < wanted[kind]; i++) {
        int fd = connect_peer();
        peers[peer_count].kind = kind;
        fds[peer_count] = (struct pollfd){.fd = fd, .events = POLLIN};
        bring_to_kind(&peers[peer_count++], fd);
        open_count++;
    }
}

static void settle(struct peer *peer, enum outcome outcome)
{
    if (peer->outcome != OPEN)
        return;
    peer->outcome = outcome;
    peer->ended_us = args_now_us();
}

static void finish(int i)
{
    addr_close(&args.addr, fds[i].fd, peers[i].outcome == OK);
    fds[i].fd = -1;
    open_count--;
}

static void on_data(int i, const char *bytes, size_t len)
{
    struct peer *peer = &peers[i];

    if (peer->kind != SLOW) {
        settle(peer, DATA);
        return;
    }
    answer_feed(&peer->answer, bytes, len);
    if (peer->answer.state == ANSWER_WRONG)
        settle(peer, CUT);
    if (peer->answer.state != ANSWER_COMPLETE)
        return;
    settle(peer, OK);
    if (!keep)
        finish(i);
}

static void on_eof(struct peer *peer)
{
    answer_eof(&peer->answer);
    if (peer->kind != SLOW)
        settle(peer, AT_EOF);
    else
        settle(peer, peer->answer.state == ANSWER_COMPLETE ? OK : CUT);
}

static void on_ready(int i)
{
    static char bytes[64 * 1024];
    ssize_t got = read(fds[i].fd, bytes, sizeof bytes);

    poll(NULL, 0, sip_ms);
    if (got > 0) {
        on_data(i, bytes, (size_t)got);
        return;
    }
    if (got == 0)
        on_eof(&peers[i]);
    else
        settle(&peers[i], RESET);
    finish(i);
}

static void wait_for_all(void)
{
    int64_t left_us;

    while (open_count > 0 && (left_us = args.deadline_us - args_now_us()) > 0) {
        if (poll(fds, (nfds_t)peer_count, (int)(left_us / 1000) + 1) < 0)
            args_die("poll");
        for (int i = 0; i < peer_count; i++)
            if (fds[i].fd >= 0 && fds[i].revents)
                on_ready(i);
    }
}

static int count(enum kind kind, enum outcome outcome)
{
    int found = 0;

    for (int i = 0; i < peer_count; i++)
        found += peers[i].kind == kind && peers[i].outcome == outcome;
    return found;
}

static void print_peers(enum kind kind, int64_t start_us)
{
    int number = 0;

    for (int i = 0; i < peer_count; i++) {
        const struct peer *peer = &peers[i];
        if (peer->kind != kind)
            continue;
        int64_t end_us = peer->outcome == OPEN ? args_now_us() : peer->ended_us;
        printf("%s %d %s", kind_names[kind], number++, outcome_names[peer->outcome]);
        if (kind == SLOW)
            printf(" %zu", peer->answer.received);
        printf(" %lld\n", (long long)(end_us - start_us) / 1000);
    }
}

static void print_all(int64_t start_us)
{
    for (enum kind kind = SLOW; kind < KINDS; kind++)
        print_peers(kind, start_us);
    printf("slow ok %d of %d idle eof %d of %d stuck eof %d of %d\n", count(SLOW, OK), wanted[SLOW],
           count(IDLE, AT_EOF), wanted[IDLE], count(STUCK, AT_EOF), wanted[STUCK]);
}

static void prepare(void)
{
    struct rlimit limit;
    size_t total = (size_t)wanted[SLOW] + (size_t)wanted[IDLE] + (size_t)wanted[STUCK];

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    peers = calloc(total + 1, sizeof *peers);
    fds = calloc(total + 1, sizeof *fds);
    if (!peers || !fds)
        args_die("calloc");
    args_question(&args, "slow 2000 hello", "hello", &slow_question);
    args.path = quick ? quick : "/";
    args.send = quick;
    args.expect = NULL;
    args_question(&args, "echo hello", "hello", &quick_question);
}

static void take(int option, const char *value)
{
    if (option >= OPT_SLOW && option <= OPT_STUCK)
        wanted[option - OPT_SLOW] = atoi(value);
    else if (option == OPT_KEEP)
        keep = true;
    else if (option == OPT_QUICK)
        quick = value;
    else if (option == OPT_SIP)
        sip_ms = atoi(value);
    else
        args_take(&args, option, value);
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        ARGS_COMMON,
        {"slow", required_argument, NULL, OPT_SLOW},
        {"idle", required_argument, NULL, OPT_IDLE},
        {"stuck", required_argument, NULL, OPT_STUCK},
        {"keep", no_argument, NULL, OPT_KEEP},
        {"quick", required_argument, NULL, OPT_QUICK},
        {"sip-ms", required_argument, NULL, OPT_SIP},
        {NULL, 0, NULL, 0},
    };
    int option;

    args_init(&args);
    args.path = "/slow?ms=2000";
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        take(option, optarg);
    args_finish(&args);
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    prepare();
    open_peers(IDLE);
    open_peers(STUCK);
    open_peers(SLOW);
    printf("sent\n");
    fflush(stdout);
    int64_t start_us = args_now_us();
    wait_for_all();
    print_all(start_us);
    return count(SLOW, OK) == wanted[SLOW] ? EXIT_SUCCESS : EXIT_FAILURE;
}
