/* SPDX-License-Identifier: MIT */
/* Tests shim/engine/checkpoint: what it says, what is beside it, that it is never torn. */
/* Context: a program that prints TAP; one test has a second thread. Needs a folder in /tmp. */
#include "../../shim/engine/checkpoint.h"
#include "unit.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "engine/place.h"
#include "engine/shim.h"

#define MS INT64_C(1000000)

static char folder[PATH_MAX];
static struct record record;

/* ---- what the engine gives it ---- */

static int logged;
static char last_line[1024];

__attribute__((format(printf, 2, 3))) static void note_log(enum settings_level level,
                                                           const char *format, ...)
{
    va_list args;

    if (level > SETTINGS_LOG_WARN) {
        return;
    }
    va_start(args, format);
    vsnprintf(last_line, sizeof(last_line), format, args);
    va_end(args);
    logged++;
}

static const struct bridge stub = {.log = note_log};
const struct bridge *shim = &stub;

int64_t shim_now(void)
{
    return 5000 * MS;
}

/* ---- helpers ---- */

static void be_silent(void)
{
    logged = 0;
    last_line[0] = '\0';
}

/* One of a few buffers: several may be in use in one call. */
static const char *in_folder(const char *name)
{
    static char paths[4][PATH_MAX + 256];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void remove_entry(const char *name)
{
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && unlink(in_folder(name)) < 0) {
        (void)rmdir(in_folder(name));
    }
}

static void clear_folder(void)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;

    while (entries && (entry = readdir(entries))) {
        remove_entry(entry->d_name);
    }
    if (entries) {
        closedir(entries);
    }
    be_silent();
}

static int entries_in_folder(void)
{
    DIR *entries = opendir(folder);
    int count = -2; /* . and .. */

    while (readdir(entries)) {
        count++;
    }
    closedir(entries);
    return count;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");

    fputs(text, file);
    fclose(file);
}

/* Parsed, or NULL if it isn't there or isn't JSON. */
static cJSON *get(const char *name)
{
    static char text[1 << 20];
    int fd = open(in_folder(name), O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? cJSON_ParseWithOpts(text, NULL, 1) : NULL;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const cJSON *row(const cJSON *object, const char *name, int index)
{
    return cJSON_GetArrayItem(member(object, name), index);
}

static void is_number(const cJSON *object, const char *name, double want)
{
    const cJSON *item = member(object, name);
    double got = cJSON_IsNumber(item) ? item->valuedouble : -4711;

    if (!unit_true(name, got == want)) {
        printf("#   got  %.3f\n#   want %.3f\n", got, want);
    }
}

static void is_text(const cJSON *object, const char *name, const char *want)
{
    const char *got = cJSON_GetStringValue(member(object, name));

    unit_text(name, got ? got : "(none)", want);
}

static void is_null(const cJSON *object, const char *name)
{
    unit_true(name, cJSON_IsNull(member(object, name)));
}

static void is_true(const cJSON *object, const char *name)
{
    unit_true(name, cJSON_IsTrue(member(object, name)));
}

static int generation_of(const char *name)
{
    cJSON *root = get(name);
    const cJSON *generation = member(root, "generation");
    int value = cJSON_IsNumber(generation) ? generation->valueint : -1;

    cJSON_Delete(root);
    return value;
}

static void begin(void)
{
    clear_folder();
    checkpoint_prepare(in_folder("state.json"));
}

/* ---- a record with something in each place ---- */

static void fill_rows(void)
{
    record.phases[0] = (struct record_phase){FSM_REFUSE, 1000 * MS, 1000 * MS + 1234567};
    record.phases[1] = (struct record_phase){FSM_CHECKPOINT, 4000 * MS + 999, 0};
    record.phase_count = 2;
    record.listeners[0] = (struct record_listener){"127.0.0.1:8080", "blackhole", 120, 3};
    record.listener_count = 1;
    record.remaining[0] = (struct record_connection){.fd = 7,
                                                     .peer = "10.0.0.1:5",
                                                     .state = "in flight",
                                                     .why = "request not answered",
                                                     .forced = true,
                                                     .age_ns = 1500 * MS,
                                                     .quiet_ns = 1500 * MS,
                                                     .has_bytes = true,
                                                     .received = 78,
                                                     .sent = 3};
    record.remaining_count = 1;
    record.hooks[0] = (struct record_hook){.name = "a",
                                           .path = "/lib/a.so",
                                           .status = "ok",
                                           .result = 0,
                                           .began_ns = 1500 * MS,
                                           .ns = 20 * MS,
                                           .error = ""};
    record.hooks[1] = (struct record_hook){.name = "b",
                                           .path = "/lib/b.so",
                                           .status = "failed",
                                           .result = 3,
                                           .ns = 1 * MS,
                                           .error = "no luck"};
    record.hooks[2] = (struct record_hook){.name = "c",
                                           .path = "/lib/c.so",
                                           .status = "timeout",
                                           .result = 0,
                                           .ns = 5000 * MS,
                                           .error = "left behind"};
    record.hook_count = 3;
    curve_add(&record.curve, 0, 8);
    curve_add(&record.curve, 2 * MS + 345678, 1);
    curve_end(&record.curve, 9 * MS, 0);
}

static void fill_record(void)
{
    memset(&record, 0, sizeof(record));
    record.reason = "signal";
    record.signo = SIGTERM;
    record.si_code = SI_USER;
    record.sender_pid = 4242;
    record.sender_uid = 33;
    record.started_at = (struct timespec){1700000000, 7 * MS};
    record.began_ns = 1000 * MS;
    record.refused_ns = 1000 * MS + 12000;
    record.second_signal = true;
    record.connections.accepted = 1000;
    record.connections.at_signal = 8;
    record.connections.drained = 7;
    record.connections.nudged = 5;
    record.connections.forced = 1;
    record.connections.rescued = 3;
    fill_rows();
}

/* ---- the document ---- */

static void test_head(const cJSON *root)
{
    is_text(root, "schema", "fluxshim/1");
    is_number(root, "generation", 1);
    is_text(root, "reason", "signal");
    is_null(root, "exit_status");
    is_true(root, "second_signal");
    is_text(root, "began_at", "2023-11-14T22:13:20.007Z");
    is_number(root, "duration_ms", 4000);
    is_number(root, "refused_ms", 0.012);
    const char *at = cJSON_GetStringValue(member(root, "written_at"));
    unit_true("written_at", at && strlen(at) == 24 && at[10] == 'T' && at[23] == 'Z');
}

static void test_process(const cJSON *process)
{
    char exe[PATH_MAX] = "";
    const char *start = cJSON_GetStringValue(member(process, "started_at"));

    (void)!readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    is_number(process, "pid", getpid());
    is_number(process, "ppid", getppid());
    is_number(process, "uid", getuid());
    is_number(process, "gid", getgid());
    is_text(process, "name", program_invocation_short_name);
    is_text(process, "exe", exe);
    unit_true("started_at", start && strncmp(start, "20", 2) == 0);
}

/* When it started and when it was written are seconds apart at most: RFC 3339 sorts as text. */
static void test_start_is_recent(const cJSON *root)
{
    const char *start = cJSON_GetStringValue(member(member(root, "process"), "started_at"));
    const char *written = cJSON_GetStringValue(member(root, "written_at"));
    struct tm a = {0}, b = {0};

    (void)strptime(start, "%Y-%m-%dT%H:%M:%S", &a);
    (void)strptime(written, "%Y-%m-%dT%H:%M:%S", &b);
    double age = difftime(timegm(&b), timegm(&a));
    unit_true("the process started less than a minute before", age >= -1 && age < 60);
}

static void test_signal(const cJSON *signal)
{
    is_number(signal, "number", SIGTERM);
    is_text(signal, "name", "TERM");
    is_number(signal, "code", SI_USER);
    is_number(member(signal, "sender"), "pid", 4242);
    is_number(member(signal, "sender"), "uid", 33);
}

static void test_rows(const cJSON *root)
{
    is_text(row(root, "phases", 0), "name", "refuse");
    is_number(row(root, "phases", 0), "start_ms", 0);
    is_number(row(root, "phases", 0), "duration_ms", 1.234);
    is_text(row(root, "phases", 1), "name", "checkpoint");
    is_number(row(root, "phases", 1), "start_ms", 3000);
    is_null(row(root, "phases", 1), "duration_ms");
    is_text(row(root, "listeners", 0), "address", "127.0.0.1:8080");
    is_text(row(root, "listeners", 0), "refusal", "blackhole");
    is_number(row(root, "listeners", 0), "accepted", 120);
    is_number(row(root, "listeners", 0), "rescued", 3);
    is_text(row(root, "hooks", 0), "path", "/lib/a.so");
    is_text(row(root, "hooks", 0), "status", "ok");
    is_number(row(root, "hooks", 0), "ms", 20);
    is_number(row(root, "hooks", 0), "start_ms", 500);
    is_null(row(root, "hooks", 1), "start_ms");
    is_null(row(root, "hooks", 0), "error");
    is_number(row(root, "hooks", 0), "result", 0);
    is_number(row(root, "hooks", 1), "result", 3);
    is_null(row(root, "hooks", 2), "result");
    is_text(row(root, "hooks", 1), "error", "no luck");
}

static void test_connections(const cJSON *connections)
{
    is_number(connections, "accepted", 1000);
    is_number(connections, "at_signal", 8);
    is_number(connections, "drained", 7);
    is_number(connections, "nudged", 5);
    is_number(connections, "forced", 1);
    is_number(connections, "rescued", 3);
    is_number(connections, "remaining_omitted", 0);
    is_number(row(connections, "remaining", 0), "fd", 7);
    is_text(row(connections, "remaining", 0), "peer", "10.0.0.1:5");
    is_text(row(connections, "remaining", 0), "state", "in flight");
    is_text(row(connections, "remaining", 0), "why", "request not answered");
    is_true(row(connections, "remaining", 0), "forced");
    is_number(row(connections, "remaining", 0), "age_at_least_ms", 1500);
    is_number(row(connections, "remaining", 0), "quiet_ms", 1500);
    is_number(row(connections, "remaining", 0), "bytes_received", 78);
    is_number(row(connections, "remaining", 0), "bytes_sent", 3);
}

static void test_curve(const cJSON *connections)
{
    char *text = cJSON_PrintUnformatted(member(connections, "curve"));

    unit_text("the curve", text ? text : "(none)", "[[0,8],[2.345,1],[9,0]]");
    cJSON_free(text);
}

static void test_document(void)
{
    struct stat st = {0};
    cJSON *root;

    begin();
    unit_equal("a checkpoint is written", checkpoint_write(&record), 0);
    unit_equal("  without a word", logged, 0);
    root = get("state.json");
    if (unit_true("  as valid JSON", root != NULL)) {
        test_head(root);
        test_process(member(root, "process"));
        test_start_is_recent(root);
        test_signal(member(root, "signal"));
        test_rows(root);
        test_connections(member(root, "connections"));
        test_curve(member(root, "connections"));
    }
    cJSON_Delete(root);
    (void)stat(in_folder("state.json"), &st);
    unit_equal("only its owner may read it", st.st_mode & 07777, 0600);
    unit_equal("nothing else is in the folder", entries_in_folder(), 1);
}

static void test_other_reasons(void)
{
    cJSON *root;

    begin();
    record.si_code = SI_KERNEL;
    checkpoint_write(&record);
    root = get("state.json");
    is_null(member(root, "signal"), "sender");
    cJSON_Delete(root);
    record.reason = "exit";
    record.signo = 0;
    record.exit_status = 3;
    record.began_ns = record.refused_ns = 0;
    checkpoint_write(&record);
    root = get("state.json");
    is_text(root, "reason", "exit");
    is_number(root, "exit_status", 3);
    is_null(root, "signal");
    is_null(root, "duration_ms");
    is_null(root, "refused_ms");
    cJSON_Delete(root);
    fill_record();
}

/* More connections than there are rows, and a counter above 2^53. */
static void test_large(void)
{
    static char text[1 << 20];
    cJSON *root;
    FILE *file;

    begin();
    record.remaining_count = RECORD_REMAINING + 500;
    record.connections.accepted = 18446744073709551615u;
    checkpoint_write(&record);
    root = get("state.json");
    is_number(member(root, "connections"), "remaining_omitted", 500);
    unit_equal("as many rows as there are",
               cJSON_GetArraySize(member(member(root, "connections"), "remaining")),
               RECORD_REMAINING);
    cJSON_Delete(root);
    file = fopen(in_folder("state.json"), "r");
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    unit_true("a count is exact", strstr(text, "18446744073709551615") != NULL);
    fill_record();
}

/* ---- text from outside ---- */

static void test_peer(const char *given, const char *want)
{
    cJSON *root;

    begin();
    snprintf(record.remaining[0].peer, RECORD_NAME, "%s", given);
    checkpoint_write(&record);
    root = get("state.json");
    is_text(row(member(root, "connections"), "remaining", 0), "peer", want);
    cJSON_Delete(root);
}

#define BAD "\xef\xbf\xbd"

static void test_text(void)
{
    test_peer("unix:/tmp/\xc3\xa4", "unix:/tmp/\xc3\xa4");
    test_peer("\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80");
    test_peer("\xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf",
              "\xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf");
    test_peer("a\xff.", "a" BAD ".");
    test_peer("cut \xe2\x82", "cut " BAD BAD);
    test_peer("lone \x80", "lone " BAD);
    test_peer("overlong \xc0\xaf", "overlong " BAD BAD);
    test_peer("overlong \xe0\x80\xaf", "overlong " BAD BAD BAD);
    test_peer("overlong \xf0\x80\x80\xaf", "overlong " BAD BAD BAD BAD);
    test_peer("surrogate \xed\xa0\x80", "surrogate " BAD BAD BAD);
    test_peer("too large \xf4\x90\x80\x80", "too large " BAD BAD BAD BAD);
    test_peer("\xf5 \xfe", BAD " " BAD);
    test_peer("quote \" \\ \n \x1b[0m", "quote \" \\ \n \x1b[0m");
    fill_record();
}

/* ---- the one before ---- */

static void test_previous(void)
{
    begin();
    checkpoint_write(&record);
    checkpoint_write(&record);
    unit_equal("the second one is generation 2", generation_of("state.json"), 2);
    unit_equal("  and the first is kept", generation_of("state.json.prev"), 1);
    checkpoint_write(&record);
    unit_equal("the third one is generation 3", generation_of("state.json"), 3);
    unit_equal("  and the second is kept", generation_of("state.json.prev"), 2);
    unit_equal("  and no more", entries_in_folder(), 2);
    unit_equal("  without a word", logged, 0);
}

/* A crash between the two renames leaves both names for one file. */
static void test_previous_is_same(void)
{
    begin();
    checkpoint_write(&record);
    (void)!link(in_folder("state.json"), in_folder("state.json.prev"));
    unit_equal("after a crash halfway", checkpoint_write(&record), 0);
    unit_equal("  it goes on", generation_of("state.json"), 2);
    unit_equal("  the one before is kept", generation_of("state.json.prev"), 1);
    unit_equal("  nothing is left over", entries_in_folder(), 2);
}

/* What is there isn't a checkpoint: it doesn't take the place of a good `.prev`. */
static void test_corrupt(const char *name, const char *text)
{
    begin();
    checkpoint_write(&record);
    checkpoint_write(&record);
    put("state.json", text);
    unit_equal(name, checkpoint_write(&record), 0);
    unit_equal("  a new one takes its place", generation_of("state.json"), 3);
    unit_equal("  the good one before is kept", generation_of("state.json.prev"), 1);
    unit_equal("  and the other set aside", access(in_folder("state.json.corrupt-1"), F_OK), 0);
    unit_equal("  nothing is left over", entries_in_folder(), 3);
}

static void test_corrupt_ones(void)
{
    test_corrupt("an empty file", "");
    test_corrupt("a torn one", "{\"schema\": \"fluxshim/1\", \"generation\": 7");
    test_corrupt("text behind it", "{\"schema\": \"fluxshim/1\", \"generation\": 7} x");
    test_corrupt("another schema", "{\"schema\": \"other\", \"generation\": 7}");
    test_corrupt("no generation", "{\"schema\": \"fluxshim/1\"}");
    test_corrupt("a bad generation", "{\"schema\": \"fluxshim/1\", \"generation\": 1e300}");
    test_corrupt("a negative one", "{\"schema\": \"fluxshim/1\", \"generation\": -3}");
    test_corrupt("a list", "[1, 2]");
}

static void test_huge(void)
{
    begin();
    put("state.json", "{\"schema\": \"fluxshim/1\", \"generation\": 7}");
    (void)!truncate(in_folder("state.json"), 33554433);
    unit_equal("a file of more than 32 MiB", checkpoint_write(&record), 0);
    unit_equal("  isn't read", generation_of("state.json"), 1);
    unit_equal("  and is set aside", access(in_folder("state.json.corrupt-1"), F_OK), 0);
}

static void test_prev_in_the_way(void)
{
    begin();
    checkpoint_write(&record);
    (void)mkdir(in_folder("state.json.prev"), 0700);
    unit_equal("a folder in the place of .prev", checkpoint_write(&record), 0);
    unit_equal("  is told", logged, 1);
    unit_true("  by its name", strstr(last_line, "state.json.prev") != NULL);
    unit_equal("  and the new one is written", generation_of("state.json"), 2);
    unit_equal("  nothing is left over", entries_in_folder(), 2);
}

/* ---- the next start ---- */

static void restart(void)
{
    be_silent();
    (void)checkpoint_prepare(in_folder("state.json"));
}

static void test_lifetime(void)
{
    cJSON *root;

    begin();
    checkpoint_write(&record);
    restart();
    unit_equal("the next start reads it", (long)checkpoint_before()->generation, 1);
    record.is_serving = true;
    checkpoint_write(&record);
    record.is_serving = false;
    restart();
    checkpoint_write(&record);
    root = get("state.json");
    is_number(member(root, "lifetime"), "starts", 3);
    is_number(member(root, "lifetime"), "stops", 2);
    is_number(member(root, "lifetime"), "accepted", 3000);
    is_number(member(root, "lifetime"), "drained", 21);
    is_number(member(root, "lifetime"), "forced", 3);
    is_number(root, "generation", 3);
    cJSON_Delete(root);
}

/* Whatever the times of the two say. */
static void test_newest_by_generation(void)
{
    begin();
    put("state.json", "{\"schema\":\"fluxshim/1\",\"generation\":7}");
    put("state.json.prev", "{\"schema\":\"fluxshim/1\",\"generation\":9}");
    restart();
    unit_equal("the newest of the two is read", (long)checkpoint_before()->generation, 9);
    (void)unlink(in_folder("state.json"));
    restart();
    unit_equal("  also if it is alone", (long)checkpoint_before()->generation, 9);
    checkpoint_write(&record);
    unit_equal("  and goes on", generation_of("state.json"), 10);
}

static void test_corrupt_at_start(void)
{
    static const char *const names[] = {"state.json.corrupt-1", "state.json.corrupt-2",
                                        "state.json.corrupt-3"};
    char text[32];

    begin();
    put("state.json.prev", "{\"schema\":\"fluxshim/1\",\"generation\":5}");
    for (int n = 1; n <= 5; n++) {
        snprintf(text, sizeof(text), "junk %d", n);
        put("state.json", text);
        restart();
        unit_equal("the one before it is read", (long)checkpoint_before()->generation, 5);
        unit_true("  and it is told", strstr(last_line, "set aside") != NULL);
    }
    for (int n = 0; n < 3; n++) {
        FILE *file = fopen(in_folder(names[n]), "r");

        text[file ? fread(text, 1, sizeof(text) - 1, file) : 0] = '\0';
        unit_equal(names[n], text[5] - '0', 5 - n);
        (void)fclose(file);
    }
    unit_equal("no more than three are kept", entries_in_folder(), 4);
}

static void test_leftovers(void)
{
    struct utimbuf old = {1000000000, 1000000000};

    begin();
    put("state.json.4194303.0123456789abcdef.tmp", "");
    put("state.json.4194302.0123456789abcdef.tmp", "");
    put("state.json.notes.tmp", "");
    (void)utime(in_folder("state.json.4194303.0123456789abcdef.tmp"), &old);
    (void)utime(in_folder("state.json.notes.tmp"), &old);
    restart();
    unit_equal("an old temporary of a process that is gone is removed",
               access(in_folder("state.json.4194303.0123456789abcdef.tmp"), F_OK), -1);
    unit_equal("  and no other file", entries_in_folder(), 2);
}

static void test_another_writer(void)
{
    begin();
    checkpoint_write(&record);
    put("state.json", "{\"schema\":\"fluxshim/1\",\"generation\":7,\"process\":{\"pid\":1}}");
    checkpoint_write(&record);
    unit_true("another writer is told", strstr(last_line, "process 1 writes to it") != NULL);
    unit_equal("  and its generation counts", generation_of("state.json"), 8);
}

static void test_expanded(const char *given, const char *want)
{
    be_silent();
    (void)checkpoint_prepare(in_folder(given));
    unit_text(given, place_name(), want);
}

static void test_percent(void)
{
    char pids[64];

    clear_folder();
    snprintf(pids, sizeof(pids), "%d-%d.json", (int)getpid(), (int)getpid());
    test_expanded("%n.json", "test_checkpoint.json");
    test_expanded("a%%b.json", "a%b.json");
    test_expanded("%p-%p.json", pids);
    unit_equal("another letter", checkpoint_prepare(in_folder("%x.json")), -EINVAL);
    unit_true("  is told", strstr(last_line, "%p, %n") != NULL);
    unit_equal("  at the end as well", checkpoint_prepare(in_folder("x%")), -EINVAL);
}

/* A program that enters a chroot: its folder is within the new root, at another path. */
static void test_chroot(void)
{
    int status = -1;

    if (geteuid() != 0) {
        printf("ok %d - chroot # SKIP needs root\n", ++unit_checks);
        return;
    }
    clear_folder();
    (void)mkdir(in_folder("in"), 0700);
    (void)checkpoint_prepare(in_folder("in/state.json"));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        bool entered = chroot(folder) == 0 && chdir("/") == 0;

        _exit(entered ? -checkpoint_write(&record) : 99);
    }
    (void)waitpid(child, &status, 0);
    unit_equal("a checkpoint is written within a chroot", status, 0);
    unit_equal("  where it was meant to be", generation_of("in/state.json"), 1);
    (void)unlink(in_folder("in/state.json"));
}

/* ---- what can't be written ---- */

static void test_refused(const char *what)
{
    char name[128];

    unit_equal("preparing warns", checkpoint_prepare(in_folder("state.json")), -EEXIST);
    unit_equal("  once", logged, 1);
    unit_true("  and says what is there", strstr(last_line, what) != NULL);
    be_silent();
    snprintf(name, sizeof(name), "%s is refused", what);
    unit_equal(name, checkpoint_write(&record), -EEXIST);
    unit_equal("  told once", logged, 1);
    unit_true("  with the path", strstr(last_line, in_folder("state.json")) != NULL);
    unit_true("  and what it is", strstr(last_line, what) != NULL);
}

static void test_other_kinds(void)
{
    struct stat st = {0};

    clear_folder();
    put("target", "precious");
    (void)!symlink("target", in_folder("state.json"));
    test_refused("symbolic link");
    unit_true("  its target is untouched", stat(in_folder("target"), &st) == 0 && st.st_size == 8);
    unit_equal("  nothing is left over", entries_in_folder(), 2);
    clear_folder();
    (void)mkfifo(in_folder("state.json"), 0600);
    test_refused("FIFO");
    unit_equal("  nothing is left over", entries_in_folder(), 1);
    clear_folder();
    (void)mkdir(in_folder("state.json"), 0700);
    test_refused("folder");
    unit_equal("  nothing is left over", entries_in_folder(), 1);
}

static void test_bad_folder(const char *path, int want)
{
    be_silent();
    unit_equal(path, checkpoint_prepare(path), want);
    unit_equal("  is told", logged, 1);
    unit_true("  with the path", strstr(last_line, path) != NULL);
    unit_true("  and the reason", strstr(last_line, strerror(-want)) != NULL);
    be_silent();
    unit_equal("  writing fails the same way", checkpoint_write(&record), want);
    unit_equal("  told once", logged, 1);
    unit_true("  with the path", strstr(last_line, path) != NULL);
    unit_true("  and the reason", strstr(last_line, strerror(-want)) != NULL);
}

static void test_bad_folders(void)
{
    clear_folder();
    put("file", "");
    test_bad_folder("/proc/nonexistent/state.json", -ENOENT);
    test_bad_folder(in_folder("file/state.json"), -ENOTDIR);
    be_silent();
    unit_equal("a path that ends as a folder", checkpoint_prepare("/tmp/"), -EISDIR);
    unit_equal("  is told", logged, 1);
    unit_text("  and not used", place_path(), "");
}

/* Root may write everywhere: another user's view, in a child of its own. */
static int view_of_nobody(void)
{
    if (seteuid(65534) < 0) {
        return 1;
    }
    be_silent();
    if (checkpoint_prepare(in_folder("state.json")) != -EACCES || logged != 1) {
        return 2;
    }
    return checkpoint_write(&record) == -EACCES && logged == 2 ? 0 : 3;
}

static void test_no_permission(void)
{
    int status = -1;

    clear_folder();
    if (geteuid() != 0) {
        printf("ok %d - folder of another # SKIP needs root\n", ++unit_checks);
        return;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        _exit(view_of_nobody());
    }
    (void)waitpid(child, &status, 0);
    unit_equal("a folder of another user", status, 0);
    unit_equal("  nothing is left over", entries_in_folder(), 0);
}

/* The limit ends the write halfway, as a full disk does. Nothing may be printed meanwhile. */
static void test_no_space(void)
{
    struct rlimit before, small;
    int result;

    begin();
    checkpoint_write(&record);
    fflush(stdout);
    (void)getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 100, .rlim_max = before.rlim_max};
    (void)setrlimit(RLIMIT_FSIZE, &small);
    result = checkpoint_write(&record);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    unit_equal("a write that fails halfway", result, -EFBIG);
    unit_equal("  is told once", logged, 1);
    unit_true("  with the reason", strstr(last_line, strerror(EFBIG)) != NULL);
    unit_equal("  leaves the one before", generation_of("state.json"), 1);
    unit_equal("  and nothing else", entries_in_folder(), 1);
}

/* ---- without memory ---- */

static int allocations_left; /* until the one that fails */

static void *scarce(size_t size)
{
    return allocations_left-- != 0 ? malloc(size) : NULL;
}

/* Each allocation of the document fails once, alone, until all have. */
static void test_no_memory(void)
{
    cJSON_Hooks hooks = {scarce, free};
    int tries = 0, wrong = 0, result = -ENOMEM;

    begin();
    cJSON_InitHooks(&hooks);
    while (result != 0 && tries < 2000) {
        allocations_left = tries++;
        result = checkpoint_write(&record);
        wrong += result != 0 && (result != -ENOMEM || entries_in_folder() != 0);
    }
    cJSON_InitHooks(NULL);
    unit_equal("without memory nothing is written", wrong, 0);
    unit_true("  and each of many allocations was tried", tries > 100);
    unit_equal("  each failure is told once", logged, tries - 1);
    unit_equal("  with memory it is whole", generation_of("state.json"), 1);
}

/* ---- the path ---- */

static void test_path(void)
{
    clear_folder();
    unit_equal("no path", checkpoint_prepare(""), 0);
    unit_equal("  nothing is written", checkpoint_write(&record), 0);
    unit_text("  none is told", place_path(), "");
    unit_equal("nor with NULL", checkpoint_prepare(NULL), 0);
    (void)!chdir(folder);
    unit_equal("a relative path", checkpoint_prepare("state.json"), 0);
    (void)!chdir("/");
    unit_text("  is made absolute", place_path(), in_folder("state.json"));
    unit_equal("  and outlives a chdir", checkpoint_write(&record), 0);
    unit_equal("  in the folder of then", generation_of("state.json"), 1);
}

static void test_long_path(void)
{
    char *path = malloc(PATH_MAX + 10);

    be_silent();
    memset(path, 'x', PATH_MAX + 9);
    path[0] = '/';
    path[PATH_MAX + 9] = '\0';
    unit_equal("a path that is too long", checkpoint_prepare(path), -ENAMETOOLONG);
    unit_equal("  is told", logged, 1);
    unit_text("  and not used", place_path(), "");
    path[300] = '\0';
    memcpy(path, "/tmp/", 5);
    checkpoint_prepare(path);
    unit_equal("a name that is too long", checkpoint_write(&record), -ENAMETOOLONG);
    free(path);
}

/* ---- a reader at the same time ---- */

struct reader {
    _Atomic bool stop;
    int looks;
    int missing;
    int torn;
};

/* Only this thread uses the text; get() is the main thread's. */
static void look(struct reader *reader)
{
    static char text[1 << 16];
    int fd = open(in_folder("state.json"), O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    cJSON *root;

    reader->looks++;
    reader->missing += fd < 0;
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    root = fd < 0 ? NULL : cJSON_ParseWithOpts(text, NULL, 1);
    reader->torn += fd >= 0 && !cJSON_IsArray(member(root, "hooks"));
    cJSON_Delete(root);
}

static void *reader_main(void *argument)
{
    struct reader *reader = argument;

    while (!reader->stop) {
        look(reader);
    }
    return NULL;
}

static void test_reader(void)
{
    struct reader reader = {.stop = false};
    pthread_t thread;
    int failed = 0;

    begin();
    checkpoint_write(&record);
    pthread_create(&thread, NULL, reader_main, &reader);
    for (int i = 0; i < 300; i++) {
        failed += checkpoint_write(&record) != 0;
    }
    reader.stop = true;
    pthread_join(thread, NULL);
    printf("# %d looks during 300 writes\n", reader.looks);
    unit_equal("300 writes with a reader", failed, 0);
    unit_true("  that looked", reader.looks > 100);
    unit_equal("  and always found one", reader.missing, 0);
    unit_equal("  that was whole", reader.torn, 0);
}

int main(void)
{
    sigset_t too_large;

    sigemptyset(&too_large);
    sigaddset(&too_large, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &too_large, NULL);
    snprintf(folder, sizeof(folder), "/tmp/test_checkpoint.XXXXXX");
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    fill_record();
    test_document();
    test_other_reasons();
    test_large();
    test_text();
    test_previous();
    test_previous_is_same();
    test_corrupt_ones();
    test_lifetime();
    test_newest_by_generation();
    test_corrupt_at_start();
    test_leftovers();
    test_another_writer();
    test_percent();
    test_chroot();
    test_huge();
    test_prev_in_the_way();
    test_other_kinds();
    test_bad_folders();
    test_no_permission();
    test_no_space();
    test_no_memory();
    test_path();
    test_long_path();
    test_reader();
    clear_folder();
    (void)rmdir(folder);
    return unit_end();
}
