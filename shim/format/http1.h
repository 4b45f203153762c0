/* SPDX-License-Identifier: MIT */
/* Follows the framing of the HTTP/1 responses written on one connection, to know their end. */
/* Context: AS-Safe, MT-Safe race:follower, never blocks. */
/*
 * Purpose. A drain may close an idle connection only when no response is half sent. For plain
 * HTTP/1 that is no guess: the bytes say where a response ends (RFC 9112 sections 2 to 7, RFC 9110
 * section 15).
 *
 * Order of calls, for a connection that came from accept():
 *
 *     struct http1 follower = {0};                    a fresh connection is all zero
 *     http1_request(&follower, buf, n);               after each read: what the kernel gave
 *     http1_write(&follower, buf, n);                 after each write: what the kernel accepted
 *     http1_skip(&follower, n);                       after sendfile, splice: bytes nobody saw
 *     http1_answer(&follower);                        at any time
 *
 * n is in bytes and may be any part of what the program passed: every split, down to a byte a call,
 * gives the same answer. Nothing fails: what cannot be followed becomes HTTP1_OFF for good; the
 * answer is then HTTP1_UNKNOWN and each call costs one compare. The fields may hold garbage (two
 * threads raced on one connection): the answer is then worthless, but no byte outside buf is
 * touched. Only the three fields are stored to, so they may live in a larger struct.
 *
 * What is recognised. A response begins with exactly "HTTP/1." where the one before ended; anything
 * else there is OFF. Content-Length (again with an equal value: fine; differing, invalid, 4 TiB and
 * more: OFF). Transfer-Encoding with chunked as the last coding, which wins over a length (another
 * last coding: OFF). Chunk extensions, trailers, folded lines, bare LF, names in any case. 1xx is
 * followed by the final response; 101 and a 2xx to CONNECT turn OFF after their head; 204, 304 and
 * answers to HEAD have no body; without length and coding the response lasts until the close. A
 * head of more than 64 KiB is OFF.
 *
 * HEAD and CONNECT are seen only where a read between two responses begins with them. The request
 * is *unsure* when no read fell between two responses (it was pipelined), when the read was too
 * short to tell or did not begin with a usual method (the rest of an earlier body?), and when it
 * began with HEAD or CONNECT behind another read that had begun a request (its body?) or behind a
 * blank line. The answer to an unsure request is HTTP1_UNKNOWN from the end of its head to the
 * first byte of its body; an 'H' there, or no framing at all, is OFF. So a pipelined HEAD is never
 * INCOMPLETE for ever.
 * Limits: the rest of a body, read after an early response, that begins with a method looks like a
 * request; COMPLETE says nothing of a request that was read and is not yet answered.
 */
#ifndef FLUXSHIM_FORMAT_HTTP1_H
#define FLUXSHIM_FORMAT_HTTP1_H

#include <stddef.h>
#include <stdint.h>

struct http1 {
    uint64_t left; /* bytes of the body or chunk to come; within a head, what it said so far */
    uint8_t state; /* low half: enum http1_phase; high half: the kind of request being answered */
    uint8_t step;  /* how far into a line or a word */
};

_Static_assert(offsetof(struct http1, left) == 0, "embedded in a table entry");
_Static_assert(offsetof(struct http1, state) == 8, "embedded in a table entry");
_Static_assert(offsetof(struct http1, step) == 9, "embedded in a table entry");

/*
 *  FRESH ──"HTTP/1."──► HEAD ──┬─ nothing to come ─────────────────────────────────► DONE
 *  DONE  ──"HTTP/1."──►  ▲     ├─ length ───► BODY ────────────────────────────────► DONE
 *                        │     ├─ chunked ──► CHUNK_SIZE ─► CHUNK_DATA ─► CHUNK_END ─► CHUNK_SIZE
 *  OWED ───"HTTP/1."─────┘     │                   └─ size 0 ─► TRAILER ───────────► DONE
 *    ▲                         ├─ neither ──► UNTIL_CLOSE
 *    └───────── 1xx ───────────┘              anything unexpected, anywhere ─────► OFF
 */
enum http1_phase {
    HTTP1_FRESH = 0, /* nothing written */
    HTTP1_DONE,      /* a response has ended */
    HTTP1_OWED,      /* an interim one has: the final one is owed */
    HTTP1_HEAD,
    HTTP1_BODY,
    HTTP1_UNTIL_CLOSE,
    HTTP1_CHUNK_SIZE,
    HTTP1_CHUNK_DATA,
    HTTP1_CHUNK_END, /* the line end behind a chunk's data */
    HTTP1_TRAILER,
    HTTP1_OFF = 15, /* not followed, for good */
};

enum http1_answer {
    HTTP1_UNKNOWN,    /* not HTTP/1, not certain, or nothing written yet */
    HTTP1_INCOMPLETE, /* a response has begun and has certainly not ended */
    HTTP1_COMPLETE,   /* the last response ended exactly where the writes did */
};

/* Use the inline functions below; these are their rarer paths. */
void http1_look(struct http1 *follower, const void *buf, size_t n);
void http1_follow(struct http1 *follower, const void *buf, size_t n);

/* The program has read n bytes, buf holds at least the first of them; only the first 8 matter. */
static inline void http1_request(struct http1 *follower, const void *buf, size_t n)
{
    if ((follower->state & 15) <= HTTP1_DONE && n > 0)
        http1_look(follower, buf, n);
}

/* The kernel has accepted the n bytes at buf. */
static inline void http1_write(struct http1 *follower, const void *buf, size_t n)
{
    if (follower->state == HTTP1_OFF)
        return;
    if (follower->state == HTTP1_BODY && n < follower->left)
        follower->left -= n;
    else
        http1_follow(follower, buf, n);
}

/* The kernel has accepted n bytes that were not seen: they can only be the inside of a body. */
void http1_skip(struct http1 *follower, size_t n);

enum http1_answer http1_answer(const struct http1 *follower);

/* No more following on this connection (FLUX_HTTP=off, or output went round the wrappers). */
static inline void http1_off(struct http1 *follower)
{
    follower->state = HTTP1_OFF;
}

#endif
