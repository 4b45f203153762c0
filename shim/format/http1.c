/* SPDX-License-Identifier: MIT */
/* Follows the framing of the HTTP/1 responses written on one connection: http1.h tells how. */
/* Context: AS-Safe, MT-Safe race:follower, never blocks. */
/*
 * An automaton by the byte (head_byte) decides everything. Beside it stands a quick reader of the
 * usual head (usual_head), which gives up at whatever is odd and leaves that to the automaton. The
 * two must agree: the tests hold every split of a head against every other.
 */
#include "http1.h"

#include <stdbool.h>
#include <string.h>

/* The high half of state: what the response being written answers. */
enum request {
    REQUEST_NONE = 0x00,
    REQUEST_PLAIN = 0x10,
    REQUEST_HEAD = 0x20,
    REQUEST_CONNECT = 0x30,
    REQUEST_UNSURE = 0x40,
};

enum outcome { OUTCOME_BODY, OUTCOME_NO_BODY, OUTCOME_INTERIM, OUTCOME_SWITCH };
enum coding { CODING_NONE, CODING_CHUNKED, CODING_OTHER };
enum verdict { VERDICT_MORE, VERDICT_END, VERDICT_BAD };

enum {
    VERSION_SIZE = 7,      /* "HTTP/1." */
    LENGTH_NAME_SIZE = 14, /* "content-length" */
    CODING_NAME_SIZE = 17, /* "transfer-encoding" */
    CHUNKED_SIZE = 7,      /* "chunked" */
    LENGTH_DIGITS = 13,    /* decimal digits of LENGTH_MAX */
    HEAD_MAX = 64 * 1024,
    USUAL_HEAD_MIN = 17, /* "HTTP/1.1 200 " and two line ends */
};

/* Within a head `left` is packed: length 42 bits, size 17, has_length 1, coding 2, outcome 2. */
enum { SIZE_SHIFT = 42, HAS_LENGTH_SHIFT = 59, CODING_SHIFT = 60, OUTCOME_SHIFT = 62 };
#define LENGTH_MAX ((UINT64_C(1) << SIZE_SHIFT) - 1)

/* Within a head; a name, number or token has a step for each byte matched so far. */
enum step {
    STEP_MINOR = 0,
    STEP_SPACE,
    STEP_CODE,
    STEP_CODE_END = STEP_CODE + 3,
    STEP_SKIP,  /* the rest of a line says nothing */
    STEP_BLANK, /* CR at the start of a line: LF must follow */
    STEP_LENGTH_NAME,
    STEP_LENGTH_COLON = STEP_LENGTH_NAME + LENGTH_NAME_SIZE,
    STEP_LENGTH_BEFORE,
    STEP_LENGTH_DIGIT, /* + digits that agree with the Content-Length before, if there was one */
    STEP_LENGTH_AFTER = STEP_LENGTH_DIGIT + LENGTH_DIGITS + 1,
    STEP_CODING_NAME,
    STEP_CODING_COLON = STEP_CODING_NAME + CODING_NAME_SIZE,
    STEP_CODING_BETWEEN, /* before a coding */
    STEP_CODING_TOKEN,   /* in what may become "chunked" */
    STEP_CODING_AFTER = STEP_CODING_TOKEN + CHUNKED_SIZE + 1,
    STEP_CODING_OTHER,     /* in another coding, its parameters, or junk */
    STEP_LINE_START = 128, /* + the step that a folded line goes on with */
};
_Static_assert(STEP_CODING_OTHER < STEP_LINE_START, "a flag of its own");

enum { CHUNK_NO_DIGIT, CHUNK_DIGIT, CHUNK_EXTENSION }; /* step within CHUNK_SIZE */
enum { LINE_EMPTY, LINE_CR, LINE_TEXT };               /* step within TRAILER and CHUNK_END */

struct head {
    uint64_t length;
    size_t size;
    uint8_t step;
    uint8_t coding;
    uint8_t outcome;
    uint8_t request;
    bool has_length;
};

typedef unsigned char byte;

static uint8_t phase_of(const struct http1 *follower)
{
    return follower->state & 0x0f;
}

static uint8_t request_of(const struct http1 *follower)
{
    return follower->state & 0xf0;
}

static void enter(struct http1 *follower, enum http1_phase phase, uint64_t left)
{
    follower->left = left;
    follower->state = (uint8_t)phase;
    follower->step = 0;
}

static const byte *give_up(struct http1 *follower, const byte *end)
{
    enter(follower, HTTP1_OFF, 0);
    return end;
}

static bool is_digit(byte c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(byte c)
{
    return c == ' ' || c == '\t';
}

/* A CR that no LF follows counts as white space, as RFC 9112 section 2.2 allows. */
static bool is_space(byte c)
{
    return is_blank(c) || c == '\r';
}

/* want is a lower case letter, or a '-' which has no case. */
static bool is_letter(byte c, char want)
{
    return want == '-' ? c == '-' : (c | 0x20) == want;
}

/* ---- the head ---- */

static struct head unpack(const struct http1 *follower)
{
    uint64_t left = follower->left;
    return (struct head){
        .length = left & LENGTH_MAX,
        .size = (size_t)(left >> SIZE_SHIFT) & ((1U << (HAS_LENGTH_SHIFT - SIZE_SHIFT)) - 1),
        .has_length = (left >> HAS_LENGTH_SHIFT & 1) != 0,
        .coding = (uint8_t)(left >> CODING_SHIFT & 3),
        .outcome = (uint8_t)(left >> OUTCOME_SHIFT & 3),
        .request = request_of(follower),
        .step = follower->step,
    };
}

static void pack(struct http1 *follower, const struct head *head)
{
    follower->left = head->length | (uint64_t)head->size << SIZE_SHIFT |
                     (uint64_t)head->has_length << HAS_LENGTH_SHIFT |
                     (uint64_t)head->coding << CODING_SHIFT |
                     (uint64_t)head->outcome << OUTCOME_SHIFT;
    follower->step = head->step;
}

static enum outcome outcome_of(unsigned code, uint8_t request)
{
    if (code == 101 || (request == REQUEST_CONNECT && code / 100 == 2))
        return OUTCOME_SWITCH;
    if (code < 200)
        return OUTCOME_INTERIM;
    if (code == 204 || code == 304 || request == REQUEST_HEAD)
        return OUTCOME_NO_BODY;
    return OUTCOME_BODY;
}

static enum verdict status_known(struct head *head, unsigned code)
{
    head->outcome = (uint8_t)outcome_of(code, head->request);
    head->length = 0;
    head->step = STEP_CODE_END;
    return code < 100 ? VERDICT_BAD : VERDICT_MORE;
}

/* "HTTP/1." DIGIT SP 3DIGIT; the length holds the code until it is whole. */
static enum verdict status_byte(struct head *head, byte c)
{
    if (head->step == STEP_SPACE || head->step == STEP_CODE_END) {
        head->step = head->step == STEP_SPACE ? STEP_CODE : STEP_SKIP;
        return c == ' ' || (head->step == STEP_SKIP && c == '\r') ? VERDICT_MORE : VERDICT_BAD;
    }
    if (!is_digit(c))
        return VERDICT_BAD;
    if (head->step >= STEP_CODE)
        head->length = (head->length * 10 + c - '0') & LENGTH_MAX;
    if (++head->step == STEP_CODE_END)
        return status_known(head, (unsigned)head->length);
    return VERDICT_MORE;
}

/* first is the step of the name's first byte; its colon's comes size later, its value's then. */
static enum verdict name_byte(struct head *head, byte c, uint8_t first, const char *name,
                              uint8_t size)
{
    uint8_t place = (uint8_t)(head->step - first);
    bool next = place < size ? is_letter(c, name[place]) : c == ':';
    if (next)
        head->step++;
    else if (place < size || !is_blank(c))
        head->step = STEP_SKIP;
    return VERDICT_MORE;
}

static unsigned digits_in(uint64_t number)
{
    unsigned digits = 0;
    for (; number > 0; number /= 10)
        digits++;
    return digits;
}

static bool has_digit(uint64_t number, unsigned place, unsigned digit)
{
    unsigned digits = digits_in(number);
    if (place >= digits)
        return false;
    for (unsigned behind = digits - 1 - place; behind > 0; behind--)
        number /= 10;
    return number % 10 == digit;
}

/* A second Content-Length has no room of its own: its digits are held against the first's. */
static enum verdict repeated_digit(struct head *head, unsigned digit)
{
    unsigned place = head->step - STEP_LENGTH_DIGIT;
    if (place == 0 && digit == 0)
        return VERDICT_MORE; /* a leading zero */
    if (place >= LENGTH_DIGITS || !has_digit(head->length, place, digit))
        return VERDICT_BAD;
    head->step++;
    return VERDICT_MORE;
}

static enum verdict number_digit(struct head *head, unsigned digit)
{
    if (head->step == STEP_LENGTH_BEFORE)
        head->step = STEP_LENGTH_DIGIT;
    if (head->has_length)
        return repeated_digit(head, digit);
    uint64_t length = head->length * 10 + digit; /* at most 46 bits: no overflow */
    if (length > LENGTH_MAX)
        return VERDICT_BAD;
    head->length = length;
    return VERDICT_MORE;
}

static enum verdict number_end(struct head *head)
{
    unsigned repeated = head->step - STEP_LENGTH_DIGIT;
    if (head->has_length && repeated != digits_in(head->length))
        return VERDICT_BAD;
    head->has_length = true;
    head->step = STEP_LENGTH_AFTER;
    return VERDICT_MORE;
}

static enum verdict length_byte(struct head *head, byte c)
{
    bool in_number = head->step != STEP_LENGTH_BEFORE && head->step != STEP_LENGTH_AFTER;
    if (is_digit(c) && head->step != STEP_LENGTH_AFTER)
        return number_digit(head, c - (unsigned)'0');
    if (!is_space(c))
        return VERDICT_BAD;
    return in_number ? number_end(head) : VERDICT_MORE;
}

/* The coding is right after every byte: "other" from a token's first, "chunked" at its seventh. */
static void token_byte(struct head *head, byte c)
{
    static const char chunked[] = "chunked";
    uint8_t place =
        head->step == STEP_CODING_BETWEEN ? 0 : (uint8_t)(head->step - STEP_CODING_TOKEN);
    bool matches = place < CHUNKED_SIZE && is_letter(c, chunked[place]);
    bool whole = matches && place + 1 == CHUNKED_SIZE;
    head->step = matches ? (uint8_t)(STEP_CODING_TOKEN + place + 1) : STEP_CODING_OTHER;
    head->coding = whole ? CODING_CHUNKED : CODING_OTHER;
}

static enum verdict coding_byte(struct head *head, byte c)
{
    bool whole = head->step == STEP_CODING_TOKEN + CHUNKED_SIZE || head->step == STEP_CODING_AFTER;
    if (c == '"')
        return VERDICT_BAD; /* a quoted parameter can hide a comma */
    if (c == ',')
        head->step = STEP_CODING_BETWEEN;
    else if (!is_space(c))
        token_byte(head, c);
    else if (head->step != STEP_CODING_BETWEEN)
        head->step = whole ? STEP_CODING_AFTER : STEP_CODING_OTHER;
    return VERDICT_MORE;
}

static enum verdict line_start(struct head *head, byte c)
{
    uint8_t folded = head->step & (STEP_LINE_START - 1);
    head->step = folded;
    if (is_blank(c))
        return VERDICT_MORE;
    if (folded == STEP_LENGTH_BEFORE)
        return VERDICT_BAD; /* no value */
    if (c == '\n')
        return VERDICT_END;
    if (c == '\r')
        head->step = STEP_BLANK;
    else if (is_letter(c, 'c'))
        head->step = STEP_LENGTH_NAME + 1;
    else if (is_letter(c, 't'))
        head->step = STEP_CODING_NAME + 1;
    else
        head->step = STEP_SKIP;
    return VERDICT_MORE;
}

/* The line has ended: if the next one is folded, the value goes on as behind white space. */
static enum verdict line_end(struct head *head)
{
    enum verdict verdict = VERDICT_MORE;
    if (head->step == STEP_BLANK)
        return VERDICT_END;
    if (head->step < STEP_CODE_END)
        return VERDICT_BAD;
    if (head->step >= STEP_LENGTH_BEFORE && head->step <= STEP_LENGTH_AFTER)
        verdict = length_byte(head, '\r');
    else if (head->step >= STEP_CODING_BETWEEN)
        verdict = coding_byte(head, '\r');
    else
        head->step = STEP_SKIP;
    head->step |= STEP_LINE_START;
    return verdict;
}

static enum verdict head_byte(struct head *head, byte c)
{
    if (head->step & STEP_LINE_START)
        return line_start(head, c);
    if (c == '\n')
        return line_end(head);
    if (head->step <= STEP_CODE_END)
        return status_byte(head, c);
    if (head->step <= STEP_BLANK)
        return head->step == STEP_SKIP ? VERDICT_MORE : VERDICT_BAD;
    if (head->step <= STEP_LENGTH_COLON)
        return name_byte(head, c, STEP_LENGTH_NAME, "content-length", LENGTH_NAME_SIZE);
    if (head->step <= STEP_LENGTH_AFTER)
        return length_byte(head, c);
    if (head->step <= STEP_CODING_COLON)
        return name_byte(head, c, STEP_CODING_NAME, "transfer-encoding", CODING_NAME_SIZE);
    return coding_byte(head, c);
}

static void body_begins(struct http1 *follower, const struct head *head)
{
    uint8_t unsure = head->request == REQUEST_UNSURE ? REQUEST_UNSURE : 0;
    if (head->coding == CODING_CHUNKED)
        enter(follower, HTTP1_CHUNK_SIZE, 0);
    else if (head->coding != CODING_NONE)
        enter(follower, HTTP1_OFF, 0); /* by the RFC until the close, but "identity" is seen too */
    else if (head->has_length)
        enter(follower, head->length > 0 ? HTTP1_BODY : HTTP1_DONE, head->length);
    else
        enter(follower, unsure ? HTTP1_OFF : HTTP1_UNTIL_CLOSE, 0);
    if (phase_of(follower) == HTTP1_BODY || phase_of(follower) == HTTP1_CHUNK_SIZE)
        follower->state |= unsure;
}

static void head_ends(struct http1 *follower, const struct head *head)
{
    switch ((enum outcome)head->outcome) {
    case OUTCOME_BODY:
        body_begins(follower, head);
        break;
    case OUTCOME_NO_BODY:
        enter(follower, HTTP1_DONE, 0);
        break;
    case OUTCOME_INTERIM:
        enter(follower, HTTP1_OWED, 0);
        follower->state |= head->request;
        break;
    case OUTCOME_SWITCH:
        enter(follower, HTTP1_OFF, 0);
        break;
    }
}

/* Nearly every line says nothing here: its end is found without a look at each byte. */
static const byte *skip_line(struct head *head, const byte *p, const byte *end)
{
    const byte *feed = memchr(p, '\n', (size_t)(end - p));
    if (feed == NULL)
        return end;
    head->step = STEP_LINE_START | STEP_SKIP;
    return feed + 1;
}

/* Never a look further than one byte behind the largest head. */
static const byte *head_limit(const byte *p, const byte *end, size_t size)
{
    size_t room = size > HEAD_MAX ? 1 : HEAD_MAX + 1 - size;
    return (size_t)(end - p) > room ? p + room : end;
}

static const byte *follow_head(struct http1 *follower, const byte *p, const byte *end)
{
    const byte *begin = p;
    struct head head = unpack(follower);
    enum verdict verdict = VERDICT_MORE;
    end = head_limit(p, end, head.size);
    while (p < end && verdict == VERDICT_MORE) {
        if (head.step == STEP_SKIP)
            p = skip_line(&head, p, end);
        else
            verdict = head_byte(&head, *p++);
    }
    head.size += (size_t)(p - begin);
    if (verdict == VERDICT_BAD || head.size > HEAD_MAX)
        return give_up(follower, end);
    if (verdict == VERDICT_END)
        head_ends(follower, &head);
    else
        pack(follower, &head);
    return p;
}

/* ---- the usual head: whole, in one write, nothing odd ---- */

/* Eight bytes equal word; cases has ' ' where either case of a letter will do, 0 elsewhere. */
static bool is_word(const byte *p, const char word[8], const char cases[8])
{
    uint64_t have, want, fold;
    memcpy(&have, p, 8);
    memcpy(&want, word, 8);
    memcpy(&fold, cases, 8);
    return (have | fold) == want;
}

static bool is_length_name(const byte *p, const byte *end)
{
    return end - p >= LENGTH_NAME_SIZE && is_word(p, "content-", "       \0") &&
           is_word(p + 6, "t-length", " \0      ");
}

static bool is_coding_name(const byte *p, const byte *end)
{
    return end - p >= CODING_NAME_SIZE && is_word(p, "transfer", "        ") &&
           is_word(p + 8, "-encodin", "\0       ") && is_letter(p[16], 'g');
}

/* ":" or ": ". Returns the value behind it, or NULL. */
static const byte *usual_colon(const byte *p, const byte *end)
{
    if (end - p < 2 || *p != ':')
        return NULL;
    return p[1] == ' ' ? p + 2 : p + 1;
}

/* Up to 9 digits and CR LF. Returns the line behind it, or NULL. */
static const byte *usual_length(struct head *head, const byte *p, const byte *end)
{
    uint32_t length = 0;
    const byte *digit = p = usual_colon(p, end);
    if (p == NULL || head->has_length)
        return NULL;
    for (; p < end && is_digit(*p) && p - digit < 9; p++)
        length = length * 10 + *p - '0';
    if (p == digit || end - p < 2 || p[0] != '\r' || p[1] != '\n')
        return NULL;
    head->has_length = true;
    head->length = length;
    return p + 2;
}

static const byte *usual_coding(struct head *head, const byte *p, const byte *end)
{
    p = usual_colon(p, end);
    if (p == NULL || end - p < 9 || !is_word(p, "chunked\r", "       \0") || p[8] != '\n')
        return NULL;
    head->coding = CODING_CHUNKED;
    return p + 9;
}

/* Returns the line behind the one at p, or NULL where the line is odd or has no end here. */
static const byte *usual_line(struct head *head, const byte *p, const byte *end)
{
    if (is_letter(*p, 'c') && is_length_name(p, end))
        return usual_length(head, p + LENGTH_NAME_SIZE, end);
    if (is_letter(*p, 't') && is_coding_name(p, end))
        return usual_coding(head, p + CODING_NAME_SIZE, end);
    const byte *feed = memchr(p, '\n', (size_t)(end - p));
    return feed == NULL ? NULL : feed + 1;
}

/* "HTTP/1.1 200 ", or 1.0, which differs in one bit. */
static bool usual_status(struct head *head, const byte *p)
{
    if (!is_word(p, "HTTP/1.1", "\0\0\0\0\0\0\0\1") || p[8] != ' ' || p[12] != ' ')
        return false;
    if (p[9] < '2' || p[9] > '5' || !is_digit(p[10]) || !is_digit(p[11]))
        return false;
    unsigned code = (unsigned)(p[9] * 100 + p[10] * 10 + p[11] - '0' * 111);
    head->outcome = (uint8_t)outcome_of(code, head->request);
    return true;
}

/* Ends as head_byte would for each byte of the head, or returns NULL with nothing changed. */
static const byte *usual_head(struct http1 *follower, const byte *p, const byte *end,
                              uint8_t request)
{
    const byte *begin = p;
    struct head head = {.request = request};
    end = head_limit(p, end, 0);
    if (end - p < USUAL_HEAD_MIN || !usual_status(&head, p))
        return NULL;
    do {
        p = usual_line(&head, p, end);
        if (p == NULL || end - p < 2 || is_blank(*p) || *p == '\n')
            return NULL;
    } while (*p != '\r');
    if (p[1] != '\n' || p + 2 - begin > HEAD_MAX)
        return NULL;
    head_ends(follower, &head);
    return p + 2;
}

/* Where no read came before the response, it answers a request that came behind another: unsure. */
static const byte *begin_response(struct http1 *follower, const byte *p, const byte *end)
{
    static const char version[] = "HTTP/1.";
    uint8_t asked = request_of(follower);
    uint8_t request = asked == REQUEST_NONE ? REQUEST_UNSURE : asked;
    const byte *body = follower->step == 0 ? usual_head(follower, p, end, request) : NULL;
    if (body != NULL)
        return body;
    for (; p < end && follower->step < VERSION_SIZE; p++)
        if (*p != (byte)version[follower->step++])
            return give_up(follower, end);
    if (follower->step < VERSION_SIZE)
        return p;
    enter(follower, HTTP1_HEAD, (uint64_t)VERSION_SIZE << SIZE_SHIFT);
    follower->state |= request;
    return p;
}

/* ---- the body ---- */

static const byte *follow_body(struct http1 *follower, const byte *p, const byte *end)
{
    uint64_t here = (uint64_t)(end - p);
    if (here < follower->left) {
        follower->left -= here;
        return end;
    }
    p += follower->left;
    enter(follower, phase_of(follower) == HTTP1_BODY ? HTTP1_DONE : HTTP1_CHUNK_END, 0);
    return p;
}

static int hex_digit(byte c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Also at the end of a line without an extension. */
static const byte *chunk_extension(struct http1 *follower, const byte *p, const byte *end)
{
    const byte *feed = memchr(p, '\n', (size_t)(end - p));
    follower->step = CHUNK_EXTENSION;
    if (feed == NULL)
        return end;
    if (follower->left == 0)
        enter(follower, HTTP1_TRAILER, 0);
    else
        enter(follower, HTTP1_CHUNK_DATA, follower->left);
    return feed + 1;
}

static const byte *follow_chunk_size(struct http1 *follower, const byte *p, const byte *end)
{
    if (follower->step >= CHUNK_EXTENSION)
        return chunk_extension(follower, p, end);
    int digit = hex_digit(*p);
    if (digit >= 0) {
        if (follower->left >> 60 != 0)
            return give_up(follower, end);
        follower->left = follower->left << 4 | (unsigned)digit;
        follower->step = CHUNK_DIGIT;
        return p + 1;
    }
    if (follower->step == CHUNK_NO_DIGIT || !(is_space(*p) || *p == ';' || *p == '\n'))
        return give_up(follower, end);
    return chunk_extension(follower, p, end);
}

/* An empty line: LF, or CR LF. Returns false where it is something else. */
static bool empty_line(struct http1 *follower, byte c, enum http1_phase next)
{
    if (c == '\n')
        enter(follower, next, 0);
    else if (c == '\r' && follower->step == LINE_EMPTY)
        follower->step = LINE_CR;
    else
        return false;
    return true;
}

static const byte *follow_chunk_end(struct http1 *follower, const byte *p, const byte *end)
{
    if (empty_line(follower, *p, HTTP1_CHUNK_SIZE))
        return p + 1;
    return give_up(follower, end);
}

static const byte *follow_trailer(struct http1 *follower, const byte *p, const byte *end)
{
    if (follower->step < LINE_TEXT && empty_line(follower, *p, HTTP1_DONE))
        return p + 1;
    if (follower->step == LINE_CR)
        return give_up(follower, end);
    const byte *feed = memchr(p, '\n', (size_t)(end - p));
    follower->step = feed == NULL ? LINE_TEXT : LINE_EMPTY;
    return feed == NULL ? end : feed + 1;
}

/* The first byte behind the answer to an unsure request: a body, or the next response? */
static bool settle(struct http1 *follower, byte c)
{
    if (c == 'H')
        return false;
    follower->state = phase_of(follower);
    return true;
}

static const byte *follow_some(struct http1 *follower, const byte *p, const byte *end)
{
    enum http1_phase phase = (enum http1_phase)phase_of(follower);
    if (phase > HTTP1_HEAD && request_of(follower) != REQUEST_NONE && !settle(follower, *p))
        return give_up(follower, end);
    switch (phase) {
    case HTTP1_FRESH:
    case HTTP1_DONE:
    case HTTP1_OWED:
        return begin_response(follower, p, end);
    case HTTP1_HEAD:
        return follow_head(follower, p, end);
    case HTTP1_BODY:
    case HTTP1_CHUNK_DATA:
        return follow_body(follower, p, end);
    case HTTP1_CHUNK_SIZE:
        return follow_chunk_size(follower, p, end);
    case HTTP1_CHUNK_END:
        return follow_chunk_end(follower, p, end);
    case HTTP1_TRAILER:
        return follow_trailer(follower, p, end);
    case HTTP1_UNTIL_CLOSE:
        return end;
    case HTTP1_OFF:
        break;
    }
    return give_up(follower, end);
}

/* Works on a copy, so that another thread's writes cannot lead it out of the buffer. */
void http1_follow(struct http1 *follower, const void *buf, size_t n)
{
    struct http1 now = {follower->left, follower->state, follower->step};
    const byte *p = buf;
    const byte *end = p + n;
    while (p < end)
        p = follow_some(&now, p, end);
    follower->left = now.left;
    follower->state = now.state;
    follower->step = now.step;
}

void http1_skip(struct http1 *follower, size_t n)
{
    struct http1 now = {follower->left, phase_of(follower), 0};
    bool counted = now.state == HTTP1_BODY || now.state == HTTP1_CHUNK_DATA;
    if (n == 0 || now.state == HTTP1_UNTIL_CLOSE)
        return;
    if (!counted || n > now.left)
        enter(&now, HTTP1_OFF, 0);
    else if (n == now.left)
        enter(&now, now.state == HTTP1_BODY ? HTTP1_DONE : HTTP1_CHUNK_END, 0);
    else
        now.left -= n;
    follower->left = now.left;
    follower->state = now.state;
    follower->step = now.step;
}

enum http1_answer http1_answer(const struct http1 *follower)
{
    switch ((enum http1_phase)phase_of(follower)) {
    case HTTP1_DONE:
        return follower->step == 0 ? HTTP1_COMPLETE : HTTP1_UNKNOWN;
    case HTTP1_BODY:
    case HTTP1_CHUNK_SIZE:
        return request_of(follower) == REQUEST_NONE ? HTTP1_INCOMPLETE : HTTP1_UNKNOWN;
    case HTTP1_OWED:
    case HTTP1_HEAD:
    case HTTP1_UNTIL_CLOSE:
    case HTTP1_CHUNK_DATA:
    case HTTP1_CHUNK_END:
    case HTTP1_TRAILER:
        return HTTP1_INCOMPLETE;
    case HTTP1_FRESH:
    case HTTP1_OFF:
        break;
    }
    return HTTP1_UNKNOWN;
}

/* ---- the request ---- */

/* A read that ends within the method's name may or may not be that method. */
static uint8_t method_if(const byte *p, size_t n, const char *name, size_t size, uint8_t request)
{
    if (memcmp(p, name, n < size ? n : size) != 0)
        return REQUEST_PLAIN;
    return n < size ? REQUEST_UNSURE : request;
}

/* Behind an earlier response a read may also begin in the middle of a request. */
static bool is_usual_method(const byte *p, size_t n)
{
    static const char usual[][4] = {
        {'G', 'E', 'T', ' '}, {'P', 'O', 'S', 'T'}, {'P', 'U', 'T', ' '},
        {'D', 'E', 'L', 'E'}, {'O', 'P', 'T', 'I'}, {'P', 'A', 'T', 'C'},
    };
    for (size_t i = 0; n >= 4 && i < sizeof(usual) / sizeof(usual[0]); i++)
        if (memcmp(p, usual[i], 4) == 0)
            return true;
    return false;
}

/* HEAD or CONNECT, or neither. */
static uint8_t special_method(const byte *p, size_t n)
{
    if (*p == 'H')
        return method_if(p, n, "HEAD ", 5, REQUEST_HEAD);
    if (*p == 'C')
        return method_if(p, n, "CONNECT ", 8, REQUEST_CONNECT);
    return REQUEST_PLAIN;
}

static uint8_t first_read(const byte *p, size_t n, bool fresh)
{
    if (*p == '\r' || *p == '\n')
        return REQUEST_NONE; /* RFC 9112 section 2.2: empty lines before a request are ignored */
    uint8_t request = special_method(p, n);
    if (request == REQUEST_PLAIN && !fresh && !is_usual_method(p, n))
        return REQUEST_UNSURE;
    return request;
}

static bool is_doubtful(const byte *p, size_t n)
{
    uint8_t request = special_method(p, n);
    return request == REQUEST_HEAD || request == REQUEST_CONNECT;
}

/* Changes nothing once a response has begun, or where a read before this one said enough. */
void http1_look(struct http1 *follower, const void *buf, size_t n)
{
    uint8_t phase = phase_of(follower);
    uint8_t before = request_of(follower);
    if (follower->step != 0)
        return;
    if (before == REQUEST_NONE)
        follower->state = phase | first_read(buf, n, phase == HTTP1_FRESH);
    else if (before == REQUEST_PLAIN && is_doubtful(buf, n))
        follower->state = phase | REQUEST_UNSURE;
}
