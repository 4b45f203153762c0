/* SPDX-License-Identifier: MIT */
/* Reads a family's file and puts the copy in order. */
/* Context: a program of one thread. */
#include "family/view.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/text.h"

#define HEIR_LOOKS    10
#define HEIR_LOOK_MS  20
#define DURATION_MOST (INT64_C(366) * 86400 * 1000000000) /* as settings have it */

/* Putting in order --------------------------------------------------------------------------------- */

static void end_text(char *text, size_t size)
{
    text[size - 1] = '\0';
}

/* A bool that is neither 0 nor 1 must not be read as one. */
static void mend_bool(bool *value)
{
    unsigned char byte;

    memcpy(&byte, value, 1);
    *value = byte != 0;
}

/* Times are compared and subtracted: none may be before the clock began, or after it ends. */
static void mend_time(_Atomic int64_t *ns)
{
    if (*ns < 0) {
        *ns = 0;
    }
}

static void mend_durations(struct settings *settings)
{
    for (size_t i = 0; i < settings_row_count(); i++) {
        const struct settings_row *row = &settings_rows()[i];
        int64_t *ns = (void *)((char *)settings + row->offset);

        if ((row->kind == SETTINGS_DURATION || row->kind == SETTINGS_DURATION_OR_OFF) &&
            (*ns < 0 || *ns > DURATION_MOST)) {
            *ns = *ns < 0 ? 0 : DURATION_MOST;
        }
    }
}

static void mend_settings(struct settings *settings)
{
    mend_durations(settings);
    mend_bool(&settings->http);
    mend_bool(&settings->on_exit);
    mend_bool(&settings->disable);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        if (settings->origins[i] > SETTINGS_ENVIRONMENT) {
            settings->origins[i] = SETTINGS_DEFAULT;
        }
    }
    if ((unsigned)settings->log.level > SETTINGS_LOG_DEBUG) {
        settings->log.level = SETTINGS_LOG_WARN;
    }
    if ((unsigned)settings->log.target > SETTINGS_LOG_FILE) {
        settings->log.target = SETTINGS_LOG_STDERR;
    }
    end_text(settings->log.path, sizeof(settings->log.path));
    end_text(settings->checkpoint, sizeof(settings->checkpoint));
    end_text(settings->run_dir, sizeof(settings->run_dir));
    end_text(settings->config, sizeof(settings->config));
    end_text(settings->hooks, sizeof(settings->hooks));
    end_text(settings->state_files, sizeof(settings->state_files));
}

static void mend_stop(struct family_stop *stop)
{
    if (stop->phase >= FAMILY_PHASES) {
        stop->phase = 0;
    }
    if (stop->reason > FAMILY_EXIT) {
        stop->reason = FAMILY_NO_REASON;
    }
    if (stop->signo < 0 || stop->signo > 64) {
        stop->signo = 0;
    }
    for (uint32_t i = 0; i < FAMILY_PHASES; i++) {
        mend_time(&stop->entered_ns[i]);
    }
    mend_time(&stop->deadline_ns);
    mend_time(&stop->end_ns);
    end_text((char *)stop->hook_name, sizeof(stop->hook_name));
}

static void mend(struct family_layout *layout)
{
    layout->high = layout->high < FAMILY_MOST ? layout->high : FAMILY_MOST;
    layout->owner %= FAMILY_MOST;
    for (uint32_t i = 0; i < FAMILY_MOST; i++) {
        struct family_member *member = &layout->members[i];

        member->state = member->state <= FAMILY_OTHER ? member->state : FAMILY_FREE;
        member->parent %= FAMILY_MOST;
        member->phase = member->phase < FAMILY_PHASES ? member->phase : 0;
    }
    for (uint32_t i = 0; i < FAMILY_LISTENERS; i++) {
        if (layout->listeners[i].address_size > FAMILY_ADDRESS) {
            layout->listeners[i].address_size = 0;
        }
    }
    mend_stop(&layout->stop);
    mend_settings(&layout->settings);
}

static int read_whole(int fd, void *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = pread(fd, (char *)bytes + at, size - at, (off_t)at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : -EBADMSG;
        }
        at += (size_t)n;
    }
    return 0;
}

static bool is_a_family(const struct family_layout *layout)
{
    return layout->magic == FAMILY_MAGIC && layout->version == FAMILY_VERSION &&
           layout->size == sizeof(*layout);
}

/* Members -------------------------------------------------------------------------------------------- */

static void add_member(struct family_view *view, uint32_t slot)
{
    const struct family_member *member = &view->layout->members[slot];
    pid_t pid = (pid_t)atomic_load(&member->pid);

    if (member->state == FAMILY_FREE || member->state == FAMILY_RESERVED || pid <= 0) {
        return;
    }
    struct member_view *one = &view->members[view->member_count++];

    *one = (struct member_view){
        .pid = pid, .slot = slot, .state = (enum family_state)atomic_load(&member->state)};
    one->lives = view_is_here(view) && process_lives(pid, atomic_load(&member->alive_ms)) &&
                 process_read(pid, &one->process) == 0;
}

static void list_members(struct family_view *view)
{
    uint32_t owner = atomic_load(&view->layout->owner);

    view->member_count = 0;
    add_member(view, owner);
    for (uint32_t i = 0; i < view->layout->high; i++) {
        if (i != owner) {
            add_member(view, i);
        }
    }
}

bool view_is_here(const struct family_view *view)
{
    uint32_t its = view->layout->pid_namespace;

    return its == 0 || its == (uint32_t)process_namespace(getpid(), "pid");
}

const struct member_view *view_owner(const struct family_view *view)
{
    const struct member_view *first = view->member_count > 0 ? &view->members[0] : NULL;

    return first && first->lives && first->slot == view->layout->owner ? first : NULL;
}

const struct member_view *view_member(const struct family_view *view, pid_t pid)
{
    for (size_t i = 0; i < view->member_count; i++) {
        if (view->members[i].pid == pid && view->members[i].lives) {
            return &view->members[i];
        }
    }
    return NULL;
}

bool view_lives(const struct family_view *view)
{
    bool lives = !view_is_here(view);

    for (size_t i = 0; i < view->member_count; i++) {
        lives |= view->members[i].lives;
    }
    return lives;
}

static bool is_reserved(const struct family_view *view)
{
    bool any = false;

    for (uint32_t i = 0; i < view->layout->high; i++) {
        any |= view->layout->members[i].state == FAMILY_RESERVED;
    }
    return any;
}

/* Opening -------------------------------------------------------------------------------------------- */

int view_refresh(struct family_view *view)
{
    struct family_layout *fresh = view->spare;
    int error = read_whole(view->fd, fresh, sizeof(*fresh));

    if (error == 0 && !is_a_family(fresh)) {
        error = -EBADMSG;
    }
    if (error == 0) {
        mend(fresh);
        memcpy(view->layout, fresh, sizeof(*fresh));
        list_members(view);
    }
    return error;
}

bool view_awaits_heir(struct family_view *view)
{
    bool lives = view_lives(view);

    for (int i = 0; i < HEIR_LOOKS && !lives; i++) {
        if (i > 0 && is_reserved(view)) {
            (void)poll(NULL, 0, HEIR_LOOK_MS);
        }
        lives = view_refresh(view) == 0 && view_lives(view);
        if (!lives && !is_reserved(view)) {
            break;
        }
    }
    return lives;
}

/* Never blocks on what is no file (a FIFO). */
static int open_file(int folder, const char *name, int follow, bool *ret_can_write)
{
    int flags = follow | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(folder, name, O_RDWR | flags);
    struct stat st;

    *ret_can_write = fd >= 0;
    if (fd < 0 && (errno == EACCES || errno == EROFS)) {
        fd = openat(folder, name, O_RDONLY | flags);
    }
    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size == (off_t)sizeof(struct family_layout)) {
        return fd;
    }
    (void)close(fd);
    return -EBADMSG;
}

static int open_as(int folder, const char *name, int follow, const char *path,
                   struct family_view *ret_view)
{
    struct family_view view = {.member_count = 0};

    view.fd = open_file(folder, name, follow, &view.can_write);
    if (view.fd < 0) {
        return view.fd;
    }
    (void)strlcpy(view.path, path, sizeof(view.path));
    view.layout = calloc(1, sizeof(*view.layout));
    view.spare = calloc(1, sizeof(*view.spare));
    view.members = calloc(FAMILY_MOST, sizeof(*view.members));
    int error = view.layout && view.spare && view.members ? view_refresh(&view) : -ENOMEM;

    if (error != 0) {
        view_close(&view);
        return error;
    }
    *ret_view = view;
    return 0;
}

int view_open(int folder, const char *name, const char *path, struct family_view *ret_view)
{
    return open_as(folder, name, O_NOFOLLOW, path, ret_view);
}

int view_open_followed(const char *link, const char *path, struct family_view *ret_view)
{
    return open_as(AT_FDCWD, link, 0, path, ret_view);
}

void view_close(struct family_view *view)
{
    (void)close(view->fd);
    free(view->layout);
    free(view->spare);
    free(view->members);
    *view = (struct family_view){.fd = -1};
}

/* Words ---------------------------------------------------------------------------------------------- */

const char *view_phase(uint32_t phase)
{
    static const char *const names[FAMILY_PHASES] = {"running",    "lame duck", "refusing",
                                                     "draining",   "forcing",   "hooks",
                                                     "checkpoint", "released"};

    return phase < FAMILY_PHASES ? names[phase] : "unknown";
}

const char *view_role(const struct family_view *view, const struct member_view *member)
{
    if (member->slot == view->layout->owner) {
        return "owner";
    }
    switch (member->state) {
    case FAMILY_CLEAN:
        return "clean";
    case FAMILY_PROGRAM:
        return "program";
    case FAMILY_OTHER:
        return "other";
    default:
        return "member";
    }
}

static void format_unix(const struct sockaddr_un *address, size_t size, char *text, size_t room)
{
    int length = size > sizeof(sa_family_t) ? (int)(size - sizeof(sa_family_t)) : 0;
    bool abstract = length > 0 && address->sun_path[0] == '\0';

    if (abstract) {
        (void)snprintf(text, room, "unix:@%.*s", length - 1, address->sun_path + 1);
    } else {
        (void)snprintf(text, room, "unix:%.*s", length, address->sun_path);
    }
}

const char *view_address(const void *bytes, size_t size)
{
    struct sockaddr_storage address;
    char text[sizeof(address) + 16], host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *four = (const void *)&address;
    const struct sockaddr_in6 *six = (const void *)&address;

    memset(&address, 0, sizeof(address));
    memcpy(&address, bytes, size < sizeof(address) ? size : sizeof(address));
    switch (address.ss_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
        (void)snprintf(text, sizeof(text), "%s:%u", host, ntohs(four->sin_port));
        break;
    case AF_INET6:
        (void)inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
        (void)snprintf(text, sizeof(text), "[%s]:%u", host, ntohs(six->sin6_port));
        break;
    case AF_UNIX:
        format_unix((const void *)&address, size < sizeof(address) ? size : sizeof(address), text,
                    sizeof(text));
        break;
    default:
        (void)snprintf(text, sizeof(text), "family %d", address.ss_family);
    }
    return text_visible(text);
}
