/* SPDX-License-Identifier: MIT */
/* A library, no hook: its constructor listens, maybe before the shim's has run. */
#include <netinet/in.h>
#include <sys/socket.h>

static void __attribute__((constructor)) early(void)
{
    (void)listen(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1);
}
