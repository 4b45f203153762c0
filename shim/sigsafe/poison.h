/* SPDX-License-Identifier: MIT */
/* Names that nothing under sigsafe/, wrap/ and format/ may use: compiled in front of every file. */
/* Context: a compile-time check; scripts/check-symbols is the other half. */
#ifndef FLUXSHIM_SIGSAFE_POISON_H
#define FLUXSHIM_SIGSAFE_POISON_H

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strdup strndup asprintf vasprintf
#pragma GCC poison printf fprintf dprintf sprintf snprintf vsnprintf puts fputs perror
#pragma GCC poison getenv secure_getenv setenv putenv strerror syslog openlog
#pragma GCC poison pthread_mutex_lock pthread_mutex_unlock pthread_cond_wait exit abort

#endif
