/* SPDX-License-Identifier: MIT */
/* Tests shim/sigsafe/subscribers: the list, its rows taken again, and many threads at it. */
/* Context: a program that prints TAP; one test has four threads. */
#include "../../shim/sigsafe/subscribers.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 4, TURNS = 20000 };

static char contexts[THREADS][1];

static void callback(void *context, const struct flux_event *event)
{
    (void)context;
    (void)event;
}

static void subscribe(void *context)
{
    struct subscriber *row;

    if (subscribers_reuse(callback, context)) {
        return;
    }
    row = calloc(1, sizeof(*row));
    atomic_store(&row->callback, callback);
    atomic_store(&row->context, context);
    subscribers_add(row);
}

static int rows(bool subscribed)
{
    int count = 0;

    for (struct subscriber *row = subscribers_first(); row; row = row->next) {
        count += !subscribed || subscriber_is_there(atomic_load(&row->word));
    }
    return count;
}

static void *come_and_go(void *context)
{
    long failures = 0;

    for (int i = 0; i < TURNS; i++) {
        subscribe(context);
        failures += !subscribers_remove(callback, context);
    }
    return (void *)failures;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    long failures = 0;

    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, come_and_go, contexts[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        failures += (long)result;
    }
    unit_equal("each found its own row", failures, 0);
    unit_equal("nobody is left", rows(true), 0);
    /* A walk can meet each row while somebody else has it, so there are some more than threads. */
    unit_true("rows were taken again", rows(false) < TURNS / 100);
}

int main(void)
{
    struct subscriber *first;

    unit_true("nobody", subscribers_first() == NULL);
    unit_true("none to take back", !subscribers_remove(callback, contexts[0]));
    subscribe(contexts[0]);
    subscribe(contexts[1]);
    subscribe(contexts[1]);
    unit_equal("three", rows(true), 3);
    first = subscribers_first();
    unit_true("one of two", subscribers_remove(callback, contexts[1]));
    unit_equal("two", rows(true), 2);
    subscribe(contexts[2]);
    unit_equal("its row is taken again", rows(false), 3);
    unit_equal("in another turn", (long long)atomic_load(&first->word),
               SUBSCRIBER_TURN + SUBSCRIBED);
    unit_true("and is another's", atomic_load(&first->context) == contexts[2]);
    unit_true("the other of two", subscribers_remove(callback, contexts[1]));
    unit_true("no third", !subscribers_remove(callback, contexts[1]));
    unit_true("rest", subscribers_remove(callback, contexts[0]) &&
                          subscribers_remove(callback, contexts[2]));
    test_threads();
    return unit_end();
}
