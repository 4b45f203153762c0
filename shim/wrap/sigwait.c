/* SPDX-License-Identifier: MIT */
/* sigwait, sigwaitinfo, sigtimedwait: a managed signal taken here is held, not returned. */
/* Context: MT-Safe, cancellation points. */
#include <signal.h>
#include <stdbool.h>

#include "sigsafe/hold.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"
#include "sigsafe/tell.h"
#include "wrap/patience.h"
#include "wrap/wrap.h"

/* The sets stay whole: whoever takes the signal, the handler or this, holds it. */
static bool is_for_program(int signo, const siginfo_t *info)
{
    if (signo > 0 && signo == atomic_load_explicit(&sigdisp_tell, memory_order_relaxed)) {
        return tell_taken(info);
    }
    return signo <= 0 || !sigdisp_is_managed(signo) || hold_taken(info);
}

WRAP int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict ret_info,
                      const struct timespec *restrict timeout)
{
    struct patience patience = patience_timespec(timeout);
    struct timespec room;
    struct wait wait = wait_begin();
    siginfo_t info;
    int signo = real.sigtimedwait(set, &info, timeout);

    while (wait_again(&wait, signo) || !is_for_program(signo, &info)) {
        signo = real.sigtimedwait(set, &info, patience_left(&patience, &room));
    }
    if (signo > 0 && ret_info) {
        *ret_info = info;
    }
    return signo;
}

WRAP int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict ret_info)
{
    return sigtimedwait(set, ret_info, NULL);
}

/* Returns an error number, and never EINTR: POSIX lists none for it. */
WRAP int sigwait(const sigset_t *restrict set, int *restrict ret_signo)
{
    int saved = errno, signo;

    do {
        signo = sigtimedwait(set, NULL, NULL);
    } while (signo == -1 && errno == EINTR);
    int error = signo == -1 ? errno : 0;

    errno = saved;
    if (error == 0) {
        *ret_signo = signo;
    }
    return error;
}
