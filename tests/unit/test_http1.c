/* SPDX-License-Identifier: MIT */
/* Tests shim/format/http1: cases, every split, a reference on random input, bounds, speed. */
/* Context: a program that prints TAP. An argument replaces the random seed. */
#include "../../shim/format/http1.h"
#include "unit.h"

#include <stdlib.h>
#include <time.h>

enum { UNKNOWN = HTTP1_UNKNOWN, INCOMPLETE = HTTP1_INCOMPLETE, COMPLETE = HTTP1_COMPLETE };

#define GET      "GET / HTTP/1.1\r\n\r\n"
#define HEAD     "HEAD / HTTP/1.1\r\n\r\n"
#define CONNECT  "CONNECT a.example:443 HTTP/1.1\r\n\r\n"
#define OK_      "HTTP/1.1 200 OK\r\n"
#define SIZED(n) OK_ "Content-Length: " n "\r\n\r\n"
#define CHUNKED  OK_ "Transfer-Encoding: chunked\r\n\r\n"

static struct http1 asked(const char *request)
{
    struct http1 follower = {0};
    http1_request(&follower, request, strlen(request));
    return follower;
}

static void put(struct http1 *follower, const char *text)
{
    http1_write(follower, text, strlen(text));
}

/* ---- one request, then output: in one write, and in every two and three ---- */

struct sample {
    const char *name;
    const char *request;
    const char *output;
    int want;
};

static const struct sample samples[] = {
    {"nothing yet", GET, "", UNKNOWN},
    {"not HTTP", GET, "+OK ready\r\n", UNKNOWN},
    {"HTTP/2", GET, "HTTP/2 200\r\n\r\n", UNKNOWN},
    {"a beginning that may be HTTP", GET, "HTTP/1", UNKNOWN},
    {"a beginning that is", GET, "HTTP/1.", INCOMPLETE},
    {"no minor version", GET, "HTTP/1.x 200 OK\r\n", UNKNOWN},
    {"no space behind the version", GET, "HTTP/1.1200 OK\r\n", UNKNOWN},
    {"two digits of status", GET, "HTTP/1.1 20 OK\r\n", UNKNOWN},
    {"four digits of status", GET, "HTTP/1.1 2000 OK\r\n", UNKNOWN},
    {"status below 100", GET, "HTTP/1.1 099 OK\r\n", UNKNOWN},
    {"an empty status line", GET, "HTTP/1.1\r\n\r\n", UNKNOWN},
    {"no reason", GET, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", COMPLETE},
    {"no reason, bare LF", GET, "HTTP/1.0 200\nContent-Length: 0\n\n", COMPLETE},
    {"half a head", GET, OK_ "Content-Le", INCOMPLETE},
    {"a head without its empty line", GET, OK_ "Content-Length: 0\r\n", INCOMPLETE},
    {"length 0", GET, SIZED("0"), COMPLETE},
    {"length 5", GET, SIZED("5") "hello", COMPLETE},
    {"length 5, four there", GET, SIZED("5") "hell", INCOMPLETE},
    {"length 5, none there", GET, SIZED("5"), INCOMPLETE},
    {"length 5, six there", GET, SIZED("5") "hello!", UNKNOWN},
    {"HTTP/1.0", GET, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", COMPLETE},
    {"names in any case", GET, OK_ "cOnTeNt-LENGTH: 2\r\n\r\nok", COMPLETE},
    {"no space behind the colon", GET, OK_ "Content-Length:2\r\n\r\nok", COMPLETE},
    {"white space round the colon", GET, OK_ "Content-Length \t:\t 2 \r\n\r\nok", COMPLETE},
    {"bare LF", GET, "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", COMPLETE},
    {"LF behind CR LF lines", GET, OK_ "Content-Length: 2\r\n\nok", COMPLETE},
    {"a folded value", GET, OK_ "Content-Length:\r\n 2\r\n\r\nok", COMPLETE},
    {"a folded blank", GET, OK_ "Content-Length: 2\r\n \r\n\r\nok", COMPLETE},
    {"a folded second number", GET, OK_ "Content-Length: 2\r\n 2\r\n\r\n", UNKNOWN},
    {"a folded line of another name", GET,
     OK_ "X: y\r\n Content-Length: 9\r\nContent-Length: 2\r\n\r\nok", COMPLETE},
    {"a longer name", GET, OK_ "Content-Length-X: 9\r\nContent-Length: 2\r\n\r\nok", COMPLETE},
    {"a shorter name", GET, OK_ "Content-Lengt: 9\r\nContent-Length: 2\r\n\r\nok", COMPLETE},
    {"the name in a value", GET, OK_ "X: Content-Length: 9\r\nContent-Length: 2\r\n\r\nok",
     COMPLETE},
    {"equal lengths", GET,
     OK_ "Content-Length: 12\r\nX: y\r\nContent-Length: 012\r\n\r\nhello, world", COMPLETE},
    {"equal lengths of 0", GET, OK_ "Content-Length: 0\r\nContent-Length: 00\r\n\r\n", COMPLETE},
    {"lengths that differ", GET, OK_ "Content-Length: 12\r\nContent-Length: 13\r\n\r\n", UNKNOWN},
    {"lengths that differ in size", GET, OK_ "Content-Length: 12\r\nContent-Length: 120\r\n\r\n",
     UNKNOWN},
    {"the second length shorter", GET, OK_ "Content-Length: 12\r\nContent-Length: 1\r\n\r\n",
     UNKNOWN},
    {"a length and 0", GET, OK_ "Content-Length: 12\r\nContent-Length: 0\r\n\r\n", UNKNOWN},
    {"an empty length", GET, OK_ "Content-Length:\r\n\r\n", UNKNOWN},
    {"a negative length", GET, OK_ "Content-Length: -1\r\n\r\n", UNKNOWN},
    {"a signed length", GET, OK_ "Content-Length: +1\r\n\r\n", UNKNOWN},
    {"a hexadecimal length", GET, OK_ "Content-Length: 0x5\r\n\r\n", UNKNOWN},
    {"a list of lengths", GET, OK_ "Content-Length: 5, 5\r\n\r\n", UNKNOWN},
    {"a length over 32 bits", GET, SIZED("4294967297") "x", INCOMPLETE},
    {"the greatest length", GET, SIZED("4398046511103"), INCOMPLETE},
    {"the greatest length twice", GET,
     OK_ "Content-Length: 4398046511103\r\nContent-Length: 4398046511103\r\n\r\n", INCOMPLETE},
    {"one more", GET, SIZED("4398046511104"), UNKNOWN},
    {"a length over 64 bits", GET, SIZED("18446744073709551621") "hello", UNKNOWN},
    {"leading zeros", GET, SIZED("0000000000000000000000000002") "ok", COMPLETE},
    {"chunked", GET, CHUNKED "5\r\nhello\r\n0\r\n\r\n", COMPLETE},
    {"chunked, no byte of it there", GET, CHUNKED, INCOMPLETE},
    {"chunked, last chunk missing", GET, CHUNKED "5\r\nhello\r\n", INCOMPLETE},
    {"chunked, last line end missing", GET, CHUNKED "5\r\nhello\r\n0\r\n", INCOMPLETE},
    {"chunked, half a chunk", GET, CHUNKED "5\r\nhel", INCOMPLETE},
    {"chunked, two chunks, hexadecimal", GET,
     CHUNKED "A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n", COMPLETE},
    {"chunk extensions", GET, CHUNKED "5;a=b;c=\"d\"\r\nhello\r\n0 ; x\r\n\r\n", COMPLETE},
    {"trailers", GET, CHUNKED "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 7\r\n\r\n", COMPLETE},
    {"trailers without their end", GET, CHUNKED "0\r\nA: b\r\n", INCOMPLETE},
    {"chunked with bare LF", GET, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\nx\n0\n\n",
     COMPLETE},
    {"no chunk size", GET, CHUNKED "\r\n", UNKNOWN},
    {"no hexadecimal chunk size", GET, CHUNKED "5g\r\n", UNKNOWN},
    {"a chunk longer than it said", GET, CHUNKED "1\r\nxy\r\n", UNKNOWN},
    {"the greatest chunk", GET, CHUNKED "00ffffffffffffffff\r\nx", INCOMPLETE},
    {"a chunk over 64 bits", GET, CHUNKED "10000000000000000\r\n", UNKNOWN},
    {"a CR alone behind a chunk", GET, CHUNKED "1\r\nx\rx", UNKNOWN},
    {"a CR alone in a trailer", GET, CHUNKED "0\r\n\rx", UNKNOWN},
    {"a CR alone in a head", GET, OK_ "\rx", UNKNOWN},
    {"chunked wins over a length", GET,
     OK_ "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", COMPLETE},
    {"chunked before a length", GET,
     OK_ "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", COMPLETE},
    {"chunked as the last coding", GET, OK_ "Transfer-Encoding: gzip , CHUNKED,\r\n\r\n0\r\n\r\n",
     COMPLETE},
    {"chunked in a second field", GET,
     OK_ "Transfer-Encoding: gzip;q=1\r\nTransfer-Encoding:chunked \r\n\r\n0\r\n\r\n", COMPLETE},
    {"codings on folded lines", GET,
     OK_ "Transfer-Encoding:\r\n gzip,\r\n\tchunked\r\n\r\n0\r\n\r\n", COMPLETE},
    {"a coding broken by a fold", GET, OK_ "Transfer-Encoding: chun\r\n ked\r\n\r\n", UNKNOWN},
    {"an empty coding", GET, OK_ "Transfer-Encoding: \r\nContent-Length: 0\r\n\r\n", COMPLETE},
    {"another last coding", GET, OK_ "Transfer-Encoding: chunked, gzip\r\n\r\n", UNKNOWN},
    {"identity", GET, OK_ "Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", UNKNOWN},
    {"a longer coding", GET, OK_ "Transfer-Encoding: chunkedx\r\n\r\n", UNKNOWN},
    {"chunked with a parameter", GET, OK_ "Transfer-Encoding: chunked;x\r\n\r\n", UNKNOWN},
    {"a quoted comma", GET, OK_ "Transfer-Encoding: x;y=\"a, chunked\"\r\n\r\n", UNKNOWN},
    {"no framing", GET, OK_ "Content-Type: text/plain\r\n\r\n", INCOMPLETE},
    {"no framing, some text", GET, OK_ "\r\nHTTP/1.1 200 OK\r\n\r\n", INCOMPLETE},
    {"204", GET, "HTTP/1.1 204 No Content\r\n\r\n", COMPLETE},
    {"304 with a length", GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", COMPLETE},
    {"205 with a length", GET, "HTTP/1.1 205 Reset\r\nContent-Length: 1\r\n\r\n", INCOMPLETE},
    {"100 alone", GET, "HTTP/1.1 100 Continue\r\n\r\n", INCOMPLETE},
    {"100 and a final one", GET, "HTTP/1.1 100 Continue\r\n\r\n" SIZED("2") "ok", COMPLETE},
    {"103 twice and a final one", GET,
     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" CHUNKED
     "0\r\n\r\n",
     COMPLETE},
    {"100 with a length", GET, "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" SIZED("0"),
     COMPLETE},
    {"100 and what is no response", GET, "HTTP/1.1 100 Continue\r\n\r\nx", UNKNOWN},
    {"101 within its head", GET, "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n", INCOMPLETE},
    {"101", GET, "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", UNKNOWN},
    {"HEAD with a length", HEAD, SIZED("5"), COMPLETE},
    {"HEAD with chunked", HEAD, CHUNKED, COMPLETE},
    {"HEAD without framing", HEAD, OK_ "\r\n", COMPLETE},
    {"HEAD answered with a body", HEAD, SIZED("5") "hello", UNKNOWN},
    {"HEAD behind 100", HEAD, "HTTP/1.1 100 Continue\r\n\r\n" SIZED("5"), COMPLETE},
    {"CONNECT", CONNECT, "HTTP/1.1 200 Connection established\r\n\r\n", UNKNOWN},
    {"CONNECT refused", CONNECT, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", COMPLETE},
    {"CONNECT behind 100, with a length", CONNECT,
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 299 Connected\r\nContent-Length: 5\r\n\r\n", UNKNOWN},
    {"a method that begins like HEAD", "HEADER / HTTP/1.1\r\n", SIZED("5"), INCOMPLETE},
    {"a method that begins like CONNECT", "COPY / HTTP/1.1\r\n", SIZED("5"), INCOMPLETE},
    {"two responses in one", GET, SIZED("2") "ok" SIZED("3") "yes", COMPLETE},
    {"two, the second within its body", GET, SIZED("2") "ok" CHUNKED "3\r\nye", INCOMPLETE},
    {"two, the second within its head", GET, SIZED("2") "ok" OK_, INCOMPLETE},
    {"two, the second hardly begun", GET, SIZED("2") "okHTTP/", UNKNOWN},
    {"two, the second pipelined and maybe HEAD's", GET, SIZED("2") "ok" SIZED("3"), UNKNOWN},
    {"two, the second chunked and maybe HEAD's", GET, SIZED("2") "ok" CHUNKED, UNKNOWN},
    {"two, the second without framing", GET, SIZED("2") "ok" OK_ "\r\nabc", UNKNOWN},
    {"three, the second as if HEAD's", GET, SIZED("2") "ok" SIZED("3") SIZED("3"), UNKNOWN},
    {"no request seen, length", "", SIZED("3"), UNKNOWN},
    {"no request seen, some of the body", "", SIZED("3") "y", INCOMPLETE},
    {"no request seen, the body", "", SIZED("3") "yes", COMPLETE},
    {"no request seen, an H", "", SIZED("3") "Hey", UNKNOWN},
    {"no request seen, 204", "", "HTTP/1.1 204 No Content\r\n\r\n", COMPLETE},
    {"no request seen, 100 and a final one", "", "HTTP/1.1 100 Continue\r\n\r\n" SIZED("3"),
     UNKNOWN},
    {"a read too short to tell", "H", SIZED("3"), UNKNOWN},
    {"a read too short, but telling", "G", SIZED("3"), INCOMPLETE},
};
enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static int cut_twice(const struct sample *sample, size_t first, size_t second)
{
    struct http1 follower = asked(sample->request);
    http1_write(&follower, sample->output, first);
    http1_write(&follower, sample->output + first, second - first);
    put(&follower, sample->output + second);
    return (int)http1_answer(&follower);
}

static int by_the_byte(const struct sample *sample)
{
    struct http1 follower = asked(sample->request);
    for (const char *p = sample->output; *p != '\0'; p++)
        http1_write(&follower, p, 1);
    return (int)http1_answer(&follower);
}

static bool all_cuts_agree(const struct sample *sample)
{
    size_t n = strlen(sample->output);
    for (size_t second = 0; second <= n; second++)
        for (size_t first = 0; first <= second; first++)
            if (cut_twice(sample, first, second) != sample->want) {
                printf("# '%s' cut at %zu and %zu gives %d, not %d\n", sample->name, first, second,
                       cut_twice(sample, first, second), sample->want);
                return false;
            }
    return true;
}

static void test_samples(void)
{
    for (size_t i = 0; i < SAMPLES; i++)
        unit_equal(samples[i].name, cut_twice(&samples[i], 0, 0), samples[i].want);
    int failed = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        failed += by_the_byte(&samples[i]) != samples[i].want;
    unit_equal("each case by the byte: cases that differ", failed, 0);
    failed = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        failed += !all_cuts_agree(&samples[i]);
    unit_equal("each case at every one and two cuts: cases that differ", failed, 0);
}

/* ---- several requests ---- */

static int next_answer(struct http1 *follower, const char *request, const char *output)
{
    http1_request(follower, request, strlen(request));
    put(follower, output);
    return (int)http1_answer(follower);
}

static void test_keep_alive(void)
{
    struct http1 follower = asked(GET);
    put(&follower, SIZED("2") "ok");
    http1_request(&follower, GET, strlen(GET));
    unit_equal("a new request leaves the last answer", http1_answer(&follower), COMPLETE);
    put(&follower, SIZED("2"));
    unit_equal("the second response is certain", http1_answer(&follower), INCOMPLETE);
    put(&follower, "ok");
    unit_equal("HEAD behind GET", next_answer(&follower, HEAD, SIZED("5")), COMPLETE);
    unit_equal("GET behind HEAD", next_answer(&follower, GET, SIZED("5")), INCOMPLETE);
    put(&follower, "hello");
    unit_equal("a rare method is unsure", next_answer(&follower, "PROPFIND /", SIZED("1")),
               UNKNOWN);
    put(&follower, "x");
    unit_equal("and its body settles it", http1_answer(&follower), COMPLETE);
    put(&follower, "x");
    http1_request(&follower, GET, strlen(GET));
    unit_equal("off is for good", next_answer(&follower, GET, SIZED("0")), UNKNOWN);
    unit_equal("the state of off", follower.state, HTTP1_OFF);
}

static void test_request_reads(void)
{
    struct http1 follower = asked("POST / HTTP/1.1\r\n\r\n");
    int got = next_answer(&follower, "HEAD in a body", SIZED("5"));
    unit_equal("HEAD behind another read is unsure", got, UNKNOWN);
    follower = asked("POST / HTTP/1.1\r\n");
    got = next_answer(&follower, "Host", SIZED("5"));
    unit_equal("a second read that begins with H says nothing", got, INCOMPLETE);
    follower = asked(HEAD);
    got = next_answer(&follower, GET, SIZED("5"));
    unit_equal("a read behind HEAD says nothing", got, COMPLETE);
    follower = asked("\r\n");
    got = next_answer(&follower, HEAD, SIZED("5"));
    unit_equal("HEAD behind a blank line read apart", got, COMPLETE);
    follower = asked("\r\n" HEAD);
    put(&follower, SIZED("5"));
    unit_equal("HEAD behind a blank line is unsure", http1_answer(&follower), UNKNOWN);
    follower = asked(GET);
    put(&follower, SIZED("5"));
    http1_request(&follower, HEAD, strlen(HEAD));
    put(&follower, "hello");
    unit_equal("a read within a response is not looked at", http1_answer(&follower), COMPLETE);
    put(&follower, SIZED("5"));
    unit_equal("so the next response is unsure", http1_answer(&follower), UNKNOWN);
    follower = asked("POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n");
    put(&follower, "HTTP/1.1 100 Continue\r\n\r\n");
    got = next_answer(&follower, "HEAD in a body", SIZED("5"));
    unit_equal("a body read behind 100 is not looked at", got, INCOMPLETE);
    http1_request(&follower, "", 0);
    http1_write(&follower, "", 0);
    unit_equal("no bytes say nothing", http1_answer(&follower), INCOMPLETE);
}

static int after_skip(const char *output, size_t skipped, const char *more)
{
    struct http1 follower = asked(GET);
    put(&follower, output);
    http1_skip(&follower, skipped);
    put(&follower, more);
    return (int)http1_answer(&follower);
}

static void test_skip(void)
{
    unit_equal("sendfile of a body", after_skip(SIZED("5"), 5, ""), COMPLETE);
    unit_equal("of some of it", after_skip(SIZED("5"), 4, ""), INCOMPLETE);
    unit_equal("and the rest written", after_skip(SIZED("5"), 4, "x"), COMPLETE);
    unit_equal("of more than there is", after_skip(SIZED("5"), 6, ""), UNKNOWN);
    unit_equal("of a chunk", after_skip(CHUNKED "5\r\n", 5, "\r\n0\r\n\r\n"), COMPLETE);
    unit_equal("of some of a chunk", after_skip(CHUNKED "5\r\n", 2, "abc\r\n0\r\n\r\n"), COMPLETE);
    unit_equal("of a chunk and more", after_skip(CHUNKED "5\r\n", 7, "0\r\n\r\n"), UNKNOWN);
    unit_equal("until the close", after_skip(OK_ "\r\n", 500, ""), INCOMPLETE);
    unit_equal("within a head", after_skip(OK_, 5, SIZED("0")), UNKNOWN);
    unit_equal("behind a response", after_skip(SIZED("0"), 5, SIZED("0")), UNKNOWN);
    unit_equal("behind a chunk", after_skip(CHUNKED "1\r\nx", 2, "0\r\n\r\n"), UNKNOWN);
    unit_equal("of nothing", after_skip(OK_, 0, "Content-Length: 0\r\n\r\n"), COMPLETE);
    unit_equal("at the very start", after_skip("", 5, ""), UNKNOWN);
}

static int with_head_of(size_t size, size_t piece)
{
    static const char begin[] = OK_ "Content-Length: 0\r\nX: ";
    char *head = malloc(size);
    struct http1 follower = asked(GET);
    memset(head, 'x', size);
    memcpy(head, begin, sizeof(begin) - 1);
    memcpy(head + size - 4, "\r\n\r\n", 4);
    for (size_t at = 0; at < size; at += piece)
        http1_write(&follower, head + at, size - at < piece ? size - at : piece);
    free(head);
    return (int)http1_answer(&follower);
}

static void test_head_size(void)
{
    unit_equal("a head of 64 KiB", with_head_of(65536, 65536), COMPLETE);
    unit_equal("one of a byte more", with_head_of(65537, 65537), UNKNOWN);
    unit_equal("64 KiB by the byte", with_head_of(65536, 1), COMPLETE);
    unit_equal("a byte more by the byte", with_head_of(65537, 1), UNKNOWN);
    unit_equal("64 KiB in pieces", with_head_of(65536, 1000), COMPLETE);
    unit_equal("a byte more in pieces", with_head_of(65537, 65536), UNKNOWN);
    unit_equal("16 MiB", with_head_of(16 << 20, 16 << 20), UNKNOWN);
}

/* ---- random numbers: the same from the same seed ---- */

static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % bound);
}

static bool chance(uint32_t percent)
{
    return random_below(100) < percent;
}

/* ---- the reference: the whole output at once, a line at a time, from the RFC ---- */

enum { MAYBE = 99, OUTPUT_MAX = 4096, READS_MAX = 8 }; /* MAYBE: an error is seen now or soon */

struct text {
    const char *at;
    size_t n;
};

struct talk {
    char output[OUTPUT_MAX];
    size_t n;
    size_t read_at[READS_MAX]; /* offsets in the output where a request was read */
    char kind[READS_MAX];      /* G, H, C, or ? */
    size_t reads;
};

static bool spacey(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct text strip(struct text text)
{
    while (text.n > 0 && spacey(text.at[0]))
        text = (struct text){text.at + 1, text.n - 1};
    while (text.n > 0 && spacey(text.at[text.n - 1]))
        text.n--;
    return text;
}

static bool same(struct text text, const char *lower)
{
    if (text.n != strlen(lower))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != lower[i])
            return false;
    }
    return true;
}

struct framing {
    bool bad;
    bool sized;
    uint64_t length;
    int coding; /* 0 none, 1 chunked, 2 another */
};

static void reference_length(struct framing *framing, struct text value)
{
    uint64_t number = 0;
    bool bad = value.n == 0;
    for (size_t i = 0; i < value.n && !bad; i++) {
        bad = value.at[i] < '0' || value.at[i] > '9';
        number = number * 10 + (uint64_t)(value.at[i] - '0');
        bad |= number >= UINT64_C(1) << 42;
    }
    framing->bad |= bad || (framing->sized && framing->length != number);
    framing->sized = true;
    framing->length = number;
}

static void reference_coding(struct framing *framing, struct text value)
{
    framing->bad |= memchr(value.at, '"', value.n) != NULL;
    while (value.n > 0) {
        const char *comma = memchr(value.at, ',', value.n);
        size_t n = comma == NULL ? value.n : (size_t)(comma - value.at);
        struct text item = strip((struct text){value.at, n});
        if (item.n > 0)
            framing->coding = same(item, "chunked") ? 1 : 2;
        value = (struct text){value.at + n, value.n - n};
        if (value.n > 0)
            value = (struct text){value.at + 1, value.n - 1};
    }
}

/* A field with its folded lines; each LF in it is made a space. */
static void reference_field(struct framing *framing, const char *at, size_t n)
{
    char copy[OUTPUT_MAX];
    const char *first_end = memchr(at, '\n', n);
    const char *colon = memchr(at, ':', (size_t)(first_end - at));
    if (colon == NULL)
        return;
    size_t name = (size_t)(colon - at);
    while (name > 0 && (at[name - 1] == ' ' || at[name - 1] == '\t'))
        name--;
    for (size_t i = 0; i < n; i++)
        copy[i] = at[i] == '\n' ? ' ' : at[i];
    size_t behind = (size_t)(colon + 1 - at);
    struct text value = strip((struct text){copy + behind, n - behind});
    if (same((struct text){at, name}, "content-length"))
        reference_length(framing, value);
    if (same((struct text){at, name}, "transfer-encoding"))
        reference_coding(framing, value);
}

/* The end of the field at `at`: behind its last line, where the next one is not folded. */
static size_t field_end(const char *out, size_t at, size_t n, bool *ret_open)
{
    do {
        const char *feed = memchr(out + at, '\n', n - at);
        if (feed == NULL) {
            *ret_open = true;
            return n;
        }
        at = (size_t)(feed + 1 - out);
    } while (at < n && (out[at] == ' ' || out[at] == '\t'));
    *ret_open = at == n; /* the next byte may fold it */
    return at;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static int reference_status(const char *line, size_t n)
{
    if (n < 12 || !digit(line[7]) || line[8] != ' ' || !digit(line[9]) || !digit(line[10]) ||
        !digit(line[11]) || line[9] == '0')
        return -1;
    if (n > 12 && line[12] != ' ' && line[12] != '\r')
        return -1;
    return (line[9] - '0') * 100 + (line[10] - '0') * 10 + line[11] - '0';
}

/* A field that more bytes may still change: certain only where no byte of it can matter. */
static int open_field(struct framing framing, const char *out, size_t at, size_t n)
{
    char first = out[at];
    if (out[n - 1] != '\n')
        return first != '\0' && strchr("cCtT\r", first) != NULL ? MAYBE : INCOMPLETE;
    reference_field(&framing, out + at, n - at);
    return framing.bad ? MAYBE : INCOMPLETE;
}

/* Reads the fields from *at to behind the empty line. Returns -1, or a verdict if it ends first. */
static int reference_fields(const char *out, size_t *at, size_t n, struct framing *framing)
{
    bool open;
    while (*at < n) {
        if (out[*at] == '\r' && *at + 1 < n && out[*at + 1] != '\n')
            return UNKNOWN;
        if (out[*at] == '\n' || (out[*at] == '\r' && *at + 1 < n)) {
            *at += out[*at] == '\n' ? 1 : 2;
            return -1;
        }
        size_t end = field_end(out, *at, n, &open);
        if (open)
            return open_field(*framing, out, *at, n);
        reference_field(framing, out + *at, end - *at);
        if (framing->bad)
            return UNKNOWN;
        *at = end;
    }
    return INCOMPLETE;
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)((found - digits) % 16);
}

/* CR LF or LF. Returns -1 and moves on, or a verdict. */
static int reference_line_end(const char *out, size_t *at, size_t n)
{
    if (*at < n && out[*at] == '\r')
        ++*at;
    if (*at == n)
        return INCOMPLETE;
    return out[(*at)++] == '\n' ? -1 : UNKNOWN;
}

static int reference_chunk_size(const char *out, size_t *at, size_t n, uint64_t *ret_size)
{
    uint64_t size = 0;
    size_t begin = *at;
    for (; *at < n && hex(out[*at]) >= 0; ++*at) {
        if (size >= UINT64_C(1) << 60)
            return UNKNOWN;
        size = size * 16 + (uint64_t)hex(out[*at]);
    }
    if (*at == n)
        return INCOMPLETE;
    if (*at == begin || out[*at] == '\0' || strchr(" \t\r;\n", out[*at]) == NULL)
        return UNKNOWN;
    const char *feed = memchr(out + *at, '\n', n - *at);
    if (feed == NULL)
        return INCOMPLETE;
    *at = (size_t)(feed + 1 - out);
    *ret_size = size;
    return -1;
}

static int reference_trailer(const char *out, size_t *at, size_t n)
{
    while (*at < n && out[*at] != '\n' && out[*at] != '\r') {
        const char *feed = memchr(out + *at, '\n', n - *at);
        *at = feed == NULL ? n : (size_t)(feed + 1 - out);
    }
    return reference_line_end(out, at, n);
}

static int reference_chunks(const char *out, size_t *at, size_t n)
{
    for (;;) {
        uint64_t size = 0;
        int verdict = reference_chunk_size(out, at, n, &size);
        if (verdict >= 0)
            return verdict;
        if (size == 0)
            return reference_trailer(out, at, n);
        if (size > n - *at)
            return INCOMPLETE;
        *at += size;
        verdict = reference_line_end(out, at, n);
        if (verdict >= 0)
            return verdict;
    }
}

static int reference_body(const char *out, size_t *at, size_t n, const struct framing *framing,
                          char kind)
{
    bool body = framing->coding == 1 || (framing->coding == 0 && framing->length > 0);
    if (framing->coding == 2 || (kind == '?' && framing->coding == 0 && !framing->sized))
        return UNKNOWN;
    if (kind == '?' && body && (*at == n || out[*at] == 'H'))
        return UNKNOWN;
    if (framing->coding == 1)
        return reference_chunks(out, at, n);
    if (!framing->sized || framing->length > n - *at)
        return INCOMPLETE;
    *at += framing->length;
    return -1;
}

/* One response, interim ones included. Returns -1 and moves *at behind it, or a verdict. */
static int reference_response(const char *out, size_t *at, size_t n, char kind)
{
    for (bool owed = false;; owed = true) {
        struct framing framing = {0};
        size_t here = n - *at < 7 ? n - *at : 7;
        if (memcmp(out + *at, "HTTP/1.", here) != 0)
            return UNKNOWN;
        if (here < 7)
            return owed ? INCOMPLETE : UNKNOWN;
        const char *feed = memchr(out + *at, '\n', n - *at);
        if (feed == NULL)
            return here + *at == n ? INCOMPLETE : MAYBE;
        int status = reference_status(out + *at, (size_t)(feed - out) - *at);
        if (status < 0)
            return UNKNOWN;
        bool open;
        *at = field_end(out, *at, n, &open);
        if (open)
            return INCOMPLETE;
        int verdict = reference_fields(out, at, n, &framing);
        if (verdict >= 0)
            return verdict;
        if (status == 101 || (kind == 'C' && status / 100 == 2))
            return UNKNOWN;
        if (status == 204 || status == 304 || (status >= 200 && kind == 'H'))
            return -1;
        if (status >= 200)
            return reference_body(out, at, n, &framing, kind);
    }
}

static char kind_at(const struct talk *talk, size_t at)
{
    for (size_t i = 0; i < talk->reads; i++)
        if (talk->read_at[i] == at)
            return talk->kind[i];
    return '?';
}

static int reference(const struct talk *talk, size_t n)
{
    size_t at = 0;
    if (n == 0)
        return UNKNOWN;
    while (at < n) {
        int verdict = reference_response(talk->output, &at, n, kind_at(talk, at));
        if (verdict >= 0)
            return verdict;
    }
    return COMPLETE;
}

/* ---- random talks: mostly right, some odd, some broken ---- */

static void add(struct talk *talk, const char *text)
{
    size_t n = strlen(text);
    if (talk->n + n > OUTPUT_MAX - 16)
        return;
    memcpy(talk->output + talk->n, text, n);
    talk->n += n;
}

static const char *one_of(const char *const *choices, uint32_t count)
{
    return choices[random_below(count)];
}
#define ONE_OF(...)                                                                                \
    one_of((const char *const[]){__VA_ARGS__},                                                     \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* What is usual, and once in a while one of the rest. */
#define MOSTLY(usual, ...) (chance(92) ? (usual) : ONE_OF(__VA_ARGS__))

static void add_end(struct talk *talk)
{
    add(talk, chance(85) ? "\r\n" : "\n");
}

static void add_other_field(struct talk *talk)
{
    add(talk, ONE_OF("Date: Mon, 01 Jan 2024 00:00:00 GMT", "Content-Type: text/html", "X:", "c: d",
                     "Connection: close", "TE: chunked", "Content-Lengthy: 3", "no colon", "t",
                     "Transfer-Encodin: gzip", "X-Content-Length: 7", "A: b\r\n c", "A: b\n\tc"));
    add_end(talk);
}

static void add_length(struct talk *talk, unsigned length)
{
    char number[32];
    add(talk, ONE_OF("Content-Length: ", "content-length:", "CONTENT-LENGTH:\t",
                     "Content-length : ", "Content-Length:\r\n  ",
                     "Content-Length: ", "Content-Length: 0"));
    snprintf(number, sizeof(number), "%u", chance(98) ? length : random_below(30));
    add(talk, number);
    add(talk, MOSTLY("", " ", "\t ", "\r\n ", "x", ","));
    add_end(talk);
}

static void add_coding(struct talk *talk)
{
    add(talk, ONE_OF("Transfer-Encoding: ", "transfer-encoding:", "Transfer-Encoding \t: ",
                     "TRANSFER-ENCODING:\n "));
    add(talk, MOSTLY("chunked", "Chunked", "gzip, chunked", "gzip,\r\n chunked", "chunked,",
                     "chunked, gzip", "", ",", "chunk\r\n ed", "a;b=\"c\", chunked"));
    add_end(talk);
}

static void add_bytes(struct talk *talk, unsigned n)
{
    while (n-- > 0)
        add(talk, MOSTLY("z", "H", "\r", "\n", "0", ":"));
}

static void add_chunks(struct talk *talk)
{
    char size[32];
    for (uint32_t chunks = random_below(3); chunks > 0; chunks--) {
        unsigned n = random_below(20) + 1;
        snprintf(size, sizeof(size), chance(50) ? "%x" : "%03X", n);
        add(talk, size);
        add(talk, MOSTLY("", ";a=b", " ", "\t;", "\r"));
        add_end(talk);
        add_bytes(talk, n);
        add_end(talk);
    }
    add(talk, MOSTLY("0", "00", "0;x", ""));
    add_end(talk);
    for (uint32_t trailers = random_below(8); trailers > 6; trailers--)
        add_other_field(talk);
    add_end(talk);
}

static void add_status(struct talk *talk)
{
    const char *plain = ONE_OF("HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 404 Not Found");
    const char *bare = ONE_OF("HTTP/1.1 204 None", "HTTP/1.1 304 Same", "HTTP/1.1 100 Continue");
    add(talk, chance(80)   ? plain
              : chance(80) ? bare
                           : ONE_OF("HTTP/1.1 200", "HTTP/1.1 500 ", "HTTP/1.1 103 Hints",
                                    "HTTP/1.1 101 Up", "HTTP/2 200 OK", "HTTP/1.1 099 x"));
    add_end(talk);
}

static void add_response(struct talk *talk)
{
    unsigned length = random_below(24);
    uint32_t framing = random_below(30); /* 0 none, 1-15 length, 16-29 chunked */
    add_status(talk);
    for (uint32_t fields = random_below(5); fields > 0; fields--)
        add_other_field(talk);
    if ((framing > 0 && framing < 16) || chance(5))
        add_length(talk, length);
    if (framing >= 16 || chance(2))
        add_coding(talk);
    if (chance(3))
        add_length(talk, length);
    for (uint32_t fields = random_below(3); fields > 0; fields--)
        add_other_field(talk);
    add_end(talk);
    if (framing >= 16)
        add_chunks(talk);
    else if (framing > 0 && chance(90))
        add_bytes(talk, length);
}

static void break_it(struct talk *talk)
{
    static const char bytes[] = "\r\n \t,;:\"059afcCtTHhx-";
    size_t at = random_below((uint32_t)talk->n);
    char c = bytes[random_below(sizeof(bytes))]; /* the last one is NUL */
    switch (random_below(3)) {
    case 0:
        talk->output[at] = c;
        break;
    case 1:
        memmove(talk->output + at, talk->output + at + 1, --talk->n - at);
        break;
    default:
        memmove(talk->output + at + 1, talk->output + at, talk->n++ - at);
        talk->output[at] = c;
    }
}

static void note_read(struct talk *talk, size_t at)
{
    talk->read_at[talk->reads] = at;
    talk->kind[talk->reads++] = "GGGGGGGGHC"[random_below(10)];
}

static void make_talk(struct talk *talk)
{
    talk->n = 0;
    talk->reads = 0;
    for (uint32_t responses = random_below(4) + 1; responses > 0; responses--) {
        if (chance(80))
            note_read(talk, talk->n);
        add_response(talk);
    }
    for (uint32_t breaks = random_below(8); breaks > 6 && talk->n > 0; breaks--)
        break_it(talk);
}

static const char *request_of_kind(char kind)
{
    return kind == 'H' ? HEAD : kind == 'C' ? CONNECT : GET;
}

/* The next place to stop: at a read, or at random before it. */
static size_t next_stop(const struct talk *talk, size_t at)
{
    size_t stop = talk->n;
    for (size_t i = 0; i < talk->reads; i++)
        if (talk->read_at[i] > at && talk->read_at[i] < stop)
            stop = talk->read_at[i];
    if (chance(50))
        stop = at + 1 + random_below((uint32_t)(stop - at));
    return stop;
}

static void show(const struct talk *talk, size_t n)
{
    printf("#   output: \"");
    for (size_t i = 0; i < n; i++)
        printf(talk->output[i] < ' ' || talk->output[i] == '"' ? "\\%03o" : "%c", talk->output[i]);
    printf("\"\n#   reads:");
    for (size_t i = 0; i < talk->reads; i++)
        printf(" %c@%zu", talk->kind[i], talk->read_at[i]);
    printf("\n");
}

static bool follow_talk(const struct talk *talk, unsigned count[MAYBE + 1])
{
    struct http1 follower = {0};
    size_t at = 0;
    while (at < talk->n) {
        char kind = kind_at(talk, at);
        const char *request = request_of_kind(kind);
        if (kind != '?')
            http1_request(&follower, request, strlen(request));
        size_t stop = next_stop(talk, at);
        http1_write(&follower, talk->output + at, stop - at);
        at = stop;
        int want = reference(talk, at);
        int got = (int)http1_answer(&follower);
        count[want]++;
        if (want != got && (want != MAYBE || got == COMPLETE)) {
            printf("#   got %d, want %d\n", got, want);
            show(talk, at);
            return false;
        }
    }
    return true;
}

static void test_reference(uint64_t seed)
{
    static unsigned count[MAYBE + 1];
    static struct talk talk;
    int failed = 0;
    random_state = seed;
    printf("# seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 200000 && failed < 5; i++) {
        make_talk(&talk);
        failed += !follow_talk(&talk, count);
    }
    printf("# verdicts: %u unknown, %u incomplete, %u complete, %u either\n", count[UNKNOWN],
           count[INCOMPLETE], count[COMPLETE], count[MAYBE]);
    unit_equal("200000 random talks: those where the reference differs", failed, 0);
    unit_true("each verdict is common among them",
              count[UNKNOWN] > 50000 && count[INCOMPLETE] > 50000 && count[COMPLETE] > 50000);
}

/* ---- garbage in the fields, and what is stored to ---- */

static void test_garbage(void)
{
    for (int i = 0; i < 200000; i++) {
        size_t n = random_below(64);
        char *exact = malloc(n + 1); /* its own block: a sanitizer sees a byte too many */
        struct http1 follower = {(uint64_t)random_below(1U << 31) << random_below(40),
                                 (uint8_t)random_below(256), (uint8_t)random_below(256)};
        for (size_t k = 0; k < n; k++)
            exact[k] = "HTTP/1. 200\r\n:cCtT5afx"[random_below(22)];
        http1_write(&follower, exact, n);
        http1_request(&follower, exact, n);
        http1_skip(&follower, n);
        (void)http1_answer(&follower);
        free(exact);
    }
    unit_true("garbage in the fields ends", true);
}

static void test_neighbours(void)
{
    union {
        struct http1 follower;
        unsigned char bytes[sizeof(struct http1)];
    } entry;
    memset(&entry, 0, sizeof(entry));
    memset(entry.bytes + 10, 0x5a, sizeof(entry) - 10);
    for (size_t i = 0; i < SAMPLES; i++) {
        put(&entry.follower, samples[i].output);
        http1_skip(&entry.follower, 1);
        http1_request(&entry.follower, GET, 4);
        entry.follower.state = 0;
    }
    bool kept = true;
    for (size_t i = 10; i < sizeof(entry); i++)
        kept = kept && entry.bytes[i] == 0x5a;
    unit_true("the bytes behind the fields are left alone", kept);
}

/* ---- speed: for the eye, not a check ---- */

static double nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

enum { ROUNDS = 20000, TRIES = 20 };

static double time_writes(struct http1 start, const char *request, const char *output)
{
    double best = 1e9;
    size_t n = strlen(output), m = strlen(request);
    for (int try = 0; try < TRIES; try++) {
        double begin = nanoseconds();
        for (int i = 0; i < ROUNDS; i++) {
            struct http1 follower = start;
            __asm__ volatile("" : : "r"(&follower) : "memory");
            if (m > 0)
                http1_request(&follower, request, m);
            if (n > 0)
                http1_write(&follower, output, n);
            __asm__ volatile("" : : "r"(&follower) : "memory");
        }
        double each = (nanoseconds() - begin) / ROUNDS;
        best = each < best ? each : best;
    }
    return best;
}

static void show_speed(void)
{
    static const char sized[] =
        OK_ "Server: nginx/1.24.0\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
            "Content-Type: text/html\r\nContent-Length: 615\r\n"
            "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
            "Connection: keep-alive\r\nETag: \"65a\"\r\n\r\n";
    static const char chunked[] = OK_ "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
                                      "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
                                      "Connection: keep-alive\r\nCache-Control: no-cache\r\n"
                                      "Server: something-or-other/1.0 of a kind\r\n\r\n";
    struct http1 fresh = asked(GET), body = {1000, HTTP1_BODY, 0}, off = {0, HTTP1_OFF, 0};
    struct http1 done = {0, HTTP1_DONE, 0};
    printf("# best of %d, ns each:\n", TRIES);
    printf("#   head of %zu bytes  %.1f\n", strlen(sized), time_writes(fresh, "", sized));
    printf("#   chunked, %zu bytes %.1f\n", strlen(chunked), time_writes(fresh, "", chunked));
    printf("#   body bytes        %.1f\n", time_writes(body, "", "0123456789"));
    printf("#   off               %.1f\n", time_writes(off, "", "0123456789"));
    printf("#   a request         %.1f\n", time_writes(done, GET, ""));
    printf("#   a second read     %.1f\n", time_writes(fresh, "name=value", ""));
    printf("#   a read elsewhere  %.1f\n", time_writes(body, GET, ""));
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    test_samples();
    test_keep_alive();
    test_request_reads();
    test_skip();
    test_head_size();
    test_reference(seed);
    test_garbage();
    test_neighbours();
    show_speed();
    return unit_end();
}
