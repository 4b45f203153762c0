/* SPDX-License-Identifier: MIT */
/* Tests shim/engine/curve: bounded, in order, and true to what it was told. */
/* Context: a program that prints TAP. */
#include "../../shim/engine/curve.h"
#include "unit.h"

#define MS INT64_C(1000000)

static struct curve curve;

static void begin(void)
{
    memset(&curve, 0, sizeof(curve));
}

static bool is_in_order(void)
{
    for (size_t i = 1; i < curve.count; i++) {
        if (curve.points[i].at_ns < curve.points[i - 1].at_ns) {
            return false;
        }
    }
    return true;
}

static void test_few(void)
{
    begin();
    curve_add(&curve, 0, 3);
    curve_add(&curve, MS / 2, 2);
    curve_add(&curve, 5 * MS, 2);
    curve_add(&curve, 9 * MS, 1);
    curve_add(&curve, 9 * MS + 1, 0);
    curve_end(&curve, 12 * MS, 0);
    unit_equal("only what changes is a point, and the end", (long long)curve.count, 4);
    unit_equal("the first is the signal", curve.points[0].at_ns, 0);
    unit_equal("  with what there was", (long long)curve.points[0].left, 3);
    unit_equal("one right behind the first stays", curve.points[1].at_ns, MS / 2);
    unit_equal("one right behind another takes its place", (long long)curve.points[2].left, 0);
    unit_equal("the last is the end", curve.points[3].at_ns, 12 * MS);
}

/* 100,000 connections that end one by one, 10 ms apart. */
static void test_many(void)
{
    const long long many = 100000;

    begin();
    for (long long i = 0; i <= many; i++) {
        curve_add(&curve, i * 10 * MS, (uint64_t)(many - i));
    }
    curve_end(&curve, many * 10 * MS + MS, 0);
    unit_true("there is a bound", curve.count <= CURVE_POINTS);
    unit_true("  and it is used", curve.count > CURVE_POINTS / 4);
    unit_true("in order", is_in_order());
    unit_equal("the first stays", (long long)curve.points[0].left, many);
    unit_equal("the last is the end", curve.points[curve.count - 1].at_ns, many * 10 * MS + MS);
    unit_equal("  and nothing is left", (long long)curve.points[curve.count - 1].left, 0);
    long long worst = 0;

    for (size_t i = 1; i < curve.count; i++) {
        long long late =
            curve.points[i].at_ns / (10 * MS) - (many - (long long)curve.points[i].left);

        worst = late < -worst ? -late : late > worst ? late : worst;
    }
    unit_true("no point is wrong by more than twice the distance of two",
              worst * 10 * MS <= 2 * curve.apart_ns);
}

static void test_clock(void)
{
    begin();
    curve_add(&curve, 0, 5);
    curve_add(&curve, 10 * MS, 4);
    curve_add(&curve, -7 * MS, 3);
    curve_end(&curve, 2 * MS, 0);
    unit_true("it never goes back in time", is_in_order());
}

int main(void)
{
    test_few();
    test_many();
    test_clock();
    return unit_end();
}
