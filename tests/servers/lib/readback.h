/* SPDX-License-Identifier: MIT */
/* What the program is told about its own signals, printed so that two runs can be compared. */
#ifndef SERVERS_READBACK_H
#define SERVERS_READBACK_H

/*
 * With --readback each call of readback_print() gives a line for SIGTERM and one for SIGINT:
 *
 *   disposition at=WHEN sig=N handler=own|other|dfl|ign flags=0x.. sa_mask=.. blocked=..
 *
 * from sigaction(sig, NULL, &old) and pthread_sigmask of the calling thread; bit n-1 of a mask is
 * signal n. A handler captures the same of itself, and it is printed when the server ends:
 *
 *   disposition at=handler sig=N ... thread=main|other
 */

void readback_print(const char *when);
void readback_capture_in_handler(int signo);
void readback_print_captured(void);

#endif
