/* SPDX-License-Identifier: MIT */
/* Lays the picture out from top to bottom: each part says how high it is. */
/* Context: a program of one thread. */
#include "document/picture.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "document/scale.h"
#include "document/words.h"
#include "lib/text.h"
#include "lib/xml.h"

#define WIDTH        960
#define MARGIN       24
#define LABEL_X      (SCALE_LEFT - 12) /* names end here */
#define LABEL_MOST   21
#define ROW_HEIGHT   24
#define BAR_HEIGHT   14
#define BAR_LEAST    3.0
#define CHAR_WIDTH   6.6 /* at 12 px, of most fonts a little less */
#define HEAD_HEIGHT  146
#define TITLE_HEIGHT 34
#define EVENT_HEIGHT 18
#define AXIS_HEIGHT  26
#define CURVE_HEIGHT 130.0
#define FOOT_HEIGHT  40
#define HOOKS_MOST   60 /* a picture of 256 would be no picture */
#define TILES        5
#define TILE_GAP     12
#define TILE_HEIGHT  54
#define TILE_BIG     12 /* characters of the large kind */
#define TILE_MOST    20
#define LINE_MOST    130 /* characters in a line of the head */

struct drawing {
    FILE *out;
    const struct document *document;
    struct scale scale;
    double y;
};

/* Style ---------------------------------------------------------------------------------------- */

/* No variables and one rule a class: renderers that aren't browsers know no more. */
static const char light[] =
    ".bg{fill:#fff}.tile{fill:#f6f8fa;stroke:#d0d7de}.ink{fill:#1f2328}.dim{fill:#57606a}"
    ".grid{stroke:#d0d7de}.base{stroke:#8c959f}.event{stroke:#57606a}.bad{fill:#cf222e}"
    ".bad-line{stroke:#cf222e}.area{fill:#0969da;fill-opacity:.16}.line{stroke:#0969da}"
    ".plain{fill:#8c959f}.blue{fill:#0969da}.red{fill:#cf222e}.green{fill:#1a7f37}"
    ".amber{fill:#bf8700}.violet{fill:#8250df}.orange{fill:#bc4c00}";
static const char dark[] =
    ".bg{fill:#0d1117}.tile{fill:#161b22;stroke:#30363d}.ink{fill:#e6edf3}.dim{fill:#9da7b3}"
    ".grid{stroke:#30363d}.base{stroke:#6e7681}.event{stroke:#9da7b3}.bad{fill:#ff7b72}"
    ".bad-line{stroke:#ff7b72}.area{fill:#58a6ff;fill-opacity:.22}.line{stroke:#58a6ff}"
    ".plain{fill:#6e7681}.blue{fill:#58a6ff}.red{fill:#ff7b72}.green{fill:#3fb950}"
    ".amber{fill:#d29922}.violet{fill:#bc8cff}.orange{fill:#f0883e}";

static void draw_style(FILE *out)
{
    (void)fprintf(out,
                  "<style>\ntext{font:12px system-ui,'Segoe UI','DejaVu Sans',sans-serif}"
                  ".big{font-size:20px;font-weight:600}.head{font-size:13px;font-weight:600}"
                  ".small{font-size:11px}.thin{stroke-width:1;fill:none}"
                  ".thick{stroke-width:2;fill:none}.dash{stroke-dasharray:3 3}\n%s\n"
                  "@media screen and (prefers-color-scheme:dark){%s}\n</style>\n",
                  light, dark);
}

/* Texts ---------------------------------------------------------------------------------------- */

static void draw_text(const struct drawing *drawing, double x, double y, const char *style,
                      const char *anchor, size_t most, const char *text)
{
    (void)fprintf(drawing->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x,
                  y, style, anchor);
    xml_cut(drawing->out, text, most);
    (void)fputs("</text>\n", drawing->out);
}

static void draw_line(const struct drawing *drawing, const char *style, double x1, double y1,
                      double x2, double y2)
{
    (void)fprintf(drawing->out,
                  "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", style,
                  x1, y1, x2, y2);
}

/* As many characters as fit into so many pixels. */
static size_t fitting(double pixels)
{
    return pixels > 0 ? (size_t)(pixels / CHAR_WIDTH) : 0;
}

static void draw_title(struct drawing *drawing, const char *text)
{
    draw_text(drawing, MARGIN, drawing->y + TITLE_HEIGHT - 12, "ink head", "start", LINE_MOST,
              text);
    drawing->y += TITLE_HEIGHT;
}

/* Head ----------------------------------------------------------------------------------------- */

static void draw_tile(const struct drawing *drawing, int place, const char *value, const char *what,
                      bool is_bad)
{
    double width = (WIDTH - 2.0 * MARGIN - (TILES - 1) * TILE_GAP) / TILES;
    double x = MARGIN + place * (width + TILE_GAP), y = drawing->y;

    (void)fprintf(drawing->out,
                  "<rect class=\"tile\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
                  "rx=\"6\"/>\n",
                  x, y, width, TILE_HEIGHT);
    const char *size = text_columns(value) > TILE_BIG ? "head" : "big";
    char style[32];

    (void)snprintf(style, sizeof(style), "%s %s", is_bad ? "bad" : "ink", size);
    draw_text(drawing, x + 12, y + 26, style, "start", TILE_MOST, value);
    draw_text(drawing, x + 12, y + 44, "dim small", "start", 28, what);
}

static size_t good_hooks(const struct document *document)
{
    size_t count = 0;

    for (size_t i = 0; i < document->hook_count; i++) {
        count += words_hook_is_good(&document->hooks[i]);
    }
    return count;
}

static void draw_hooks_tile(const struct drawing *drawing, int place)
{
    const struct document *document = drawing->document;
    size_t good = good_hooks(document), all = document->hook_count;
    char text[64];

    (void)snprintf(text, sizeof(text), all > 0 ? "%zu of %zu" : "0", good, all);
    draw_tile(drawing, place, text, all > 0 ? "hooks succeeded" : "hooks", good < all);
}

static void draw_tiles_of_stop(struct drawing *drawing)
{
    const struct document *document = drawing->document;
    const struct document_connections *connections = &document->connections;
    int64_t all = connections->drained + connections->forced;
    char text[64];

    (void)snprintf(text, sizeof(text), "%" PRId64 " of %" PRId64, connections->drained, all);
    draw_tile(drawing, 0, words_ms(document->duration_ms), "signal to checkpoint", false);
    draw_tile(drawing, 1, all > 0 ? text : "0", all > 0 ? "connections finished" : "connections",
              false);
    draw_tile(drawing, 2, words_number(connections->forced), "ended by force",
              connections->forced > 0);
    draw_hooks_tile(drawing, 3);
    draw_tile(drawing, 4, words_ms(document->refused_ms), "signal to refusal", false);
}

static void draw_tiles_of_serving(struct drawing *drawing)
{
    const struct document *document = drawing->document;

    draw_tile(drawing, 0, words_number(document->connections.open), "connections open", false);
    draw_tile(drawing, 1, words_number(document->connections.accepted), "accepted", false);
    draw_tile(drawing, 2, words_number(document->lifetime.starts), "starts so far", false);
    draw_hooks_tile(drawing, 3);
    draw_tile(drawing, 4, words_number(document->generation), "generation", false);
}

static void draw_head(struct drawing *drawing, const char *title)
{
    const struct document *document = drawing->document;
    bool serving = words_is_serving(document);
    char line[1024];

    draw_text(drawing, MARGIN, 36, "ink big", "start", 76, title);
    (void)snprintf(line, sizeof(line), "%s%s%s",
                   serving ? "written while it served" : "stopped by ",
                   serving ? "" : words_why(document),
                   document->second_signal ? "; a second signal ended the drain" : "");
    draw_text(drawing, MARGIN, 58, "dim", "start", 88, line);
    draw_text(
        drawing, WIDTH - MARGIN, 58, "dim", "end", 30,
        words_time(serving || !document->began_at ? document->written_at : document->began_at));
    drawing->y = 74;
    if (serving) {
        draw_tiles_of_serving(drawing);
    } else {
        draw_tiles_of_stop(drawing);
    }
    drawing->y = HEAD_HEIGHT;
}

/* Axis and events ------------------------------------------------------------------------------ */

static void draw_axis(struct drawing *drawing, double bottom)
{
    const struct scale *scale = &drawing->scale;
    char label[32];

    for (int i = 0; i * scale->step_ms <= scale->end_ms * 1.0001; i++) {
        double x = scale_x(scale, i * scale->step_ms);

        scale_label(scale, i * scale->step_ms, label, sizeof(label));
        draw_line(drawing, "grid thin", x, drawing->y + AXIS_HEIGHT - 6, x, bottom);
        draw_text(drawing, x, drawing->y + AXIS_HEIGHT - 12, "dim small",
                  x > SCALE_RIGHT - 12 ? "end" : "middle", 16, label);
    }
    drawing->y += AXIS_HEIGHT;
}

/* Each on a line of its own: they are often microseconds apart. */
static void draw_event(struct drawing *drawing, double ms, const char *text, double bottom)
{
    double x = scale_x(&drawing->scale, ms);
    bool is_right = x > (SCALE_LEFT + SCALE_RIGHT) / 2;

    draw_line(drawing, "event thin dash", x, drawing->y + 6, x, bottom);
    (void)fprintf(drawing->out, "<circle class=\"dim\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>\n", x,
                  drawing->y + 6);
    draw_text(drawing, is_right ? x - 9 : x + 9, drawing->y + 10, "dim", is_right ? "end" : "start",
              60, text);
    drawing->y += EVENT_HEIGHT;
}

static void draw_events(struct drawing *drawing, double bottom)
{
    const struct document *document = drawing->document;
    char text[256];

    draw_text(drawing, LABEL_X, drawing->y + 10, "dim", "end", LABEL_MOST, "events");
    (void)snprintf(text, sizeof(text), "%s%s", document->signal.name ? "SIG" : "",
                   document->signal.name ? document->signal.name : "the stop begins");
    draw_event(drawing, 0, text, bottom);
    if (!isnan(document->refused_ms)) {
        (void)snprintf(text, sizeof(text), "new connections are refused after %s",
                       words_ms(document->refused_ms));
        draw_event(drawing, document->refused_ms, text, bottom);
    }
}

/* Bars ----------------------------------------------------------------------------------------- */

struct bar {
    const char *name, *color, *label;
    double from_ms, to_ms;
    const char *tip;
    bool is_bad;
};

/* Behind the bar, else before it, else on it; cut where none of these is wide enough. */
static void draw_bar_label(const struct drawing *drawing, const struct bar *bar, double x1,
                           double x2)
{
    double wanted = ((double)text_columns(bar->label) + 0.5) * CHAR_WIDTH;
    double behind = WIDTH - 12 - x2, before = x1 - SCALE_LEFT - 12;
    const char *style = bar->is_bad ? "bad" : "ink";

    if (behind < wanted && before < wanted && x2 - x1 - 12 >= wanted) {
        draw_text(drawing, x2 - 6, drawing->y + 16, "bg small", "end", fitting(wanted), bar->label);
    } else if (behind >= wanted || behind >= before) {
        draw_text(drawing, x2 + 6, drawing->y + 16, style, "start", fitting(behind), bar->label);
    } else {
        draw_text(drawing, x1 - 6, drawing->y + 16, style, "end", fitting(before), bar->label);
    }
}

static void draw_bar(struct drawing *drawing, const struct bar *bar, const char *kind)
{
    double x1 = scale_x(&drawing->scale, bar->from_ms), x2 = scale_x(&drawing->scale, bar->to_ms);

    if (x2 - x1 < BAR_LEAST) {
        x1 = x1 > SCALE_RIGHT - BAR_LEAST ? SCALE_RIGHT - BAR_LEAST : x1;
        x2 = x1 + BAR_LEAST;
    }
    draw_text(drawing, LABEL_X, drawing->y + 16, "ink", "end", LABEL_MOST, bar->name);
    if (bar->color) {
        (void)fprintf(drawing->out,
                      "<rect class=\"%s\" data-kind=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                      "height=\"%d\" rx=\"1.5\"><title>",
                      bar->color, kind, x1, drawing->y + 5, x2 - x1, BAR_HEIGHT);
        xml_text(drawing->out, bar->tip);
        (void)fputs("</title></rect>\n", drawing->out);
    }
    draw_bar_label(drawing, bar, bar->color ? x1 : SCALE_LEFT, bar->color ? x2 : SCALE_LEFT);
    drawing->y += ROW_HEIGHT;
}

static const char *phase_color(const char *name)
{
    static const char *const colors[][2] = {{"lame-duck", "plain"}, {"refuse", "orange"},
                                            {"drain", "blue"},      {"force", "red"},
                                            {"hooks", "violet"},    {"checkpoint", "green"}};

    for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
        if (strcmp(colors[i][0], name) == 0) {
            return colors[i][1];
        }
    }
    return "plain";
}

static void draw_phases(struct drawing *drawing)
{
    const struct document *document = drawing->document;

    draw_title(drawing, "Phases");
    for (size_t i = 0; i < document->phase_count; i++) {
        const struct document_phase *phase = &document->phases[i];
        bool lasts = isnan(phase->duration_ms);
        struct bar bar = {.name = phase->name,
                          .color = phase_color(phase->name),
                          .label = lasts ? "written here" : words_ms(phase->duration_ms),
                          .from_ms = phase->start_ms,
                          .to_ms =
                              lasts ? drawing->scale.end_ms : phase->start_ms + phase->duration_ms,
                          .tip = phase->name};

        draw_bar(drawing, &bar, "phase");
    }
}

/* Hooks ---------------------------------------------------------------------------------------- */

static const char *hook_color(const struct document_hook *hook)
{
    return words_hook_is_good(hook)               ? "green"
           : strcmp(hook->status, "timeout") == 0 ? "amber"
           : strcmp(hook->status, "not run") == 0 ? NULL
                                                  : "red";
}

static void draw_hook(struct drawing *drawing, const struct document_hook *hook, double from_ms)
{
    char label[512];
    bool was_run = strcmp(hook->status, "not run") != 0;

    (void)snprintf(label, sizeof(label), "%.32s%s%s%s%.300s", hook->status, was_run ? ", " : "",
                   was_run ? words_ms(hook->ms) : "", hook->error ? ": " : "",
                   hook->error ? hook->error : "");
    struct bar bar = {.name = hook->name,
                      .color = hook_color(hook),
                      .label = text_valid(label),
                      .from_ms = from_ms,
                      .to_ms = from_ms + hook->ms,
                      .tip = hook->path,
                      .is_bad = !words_hook_is_good(hook)};

    draw_bar(drawing, &bar, "hook");
}

static double hooks_began(const struct document *document)
{
    for (size_t i = 0; i < document->phase_count; i++) {
        if (strcmp(document->phases[i].name, "hooks") == 0) {
            return document->phases[i].start_ms;
        }
    }
    return 0;
}

/* Older documents don't say when: one after the other, as they are called. */
static void draw_hooks(struct drawing *drawing)
{
    const struct document *document = drawing->document;
    double at_ms = hooks_began(document);

    draw_title(drawing, "Hooks");
    for (size_t i = 0; i < document->hook_count && i < HOOKS_MOST; i++) {
        const struct document_hook *hook = &document->hooks[i];

        at_ms = isnan(hook->start_ms) ? at_ms : hook->start_ms;
        draw_hook(drawing, hook, at_ms);
        at_ms += hook->ms;
    }
    if (document->hook_count > HOOKS_MOST) {
        char text[64];

        (void)snprintf(text, sizeof(text), "and %zu more", document->hook_count - HOOKS_MOST);
        draw_text(drawing, SCALE_LEFT, drawing->y + 16, "dim", "start", LINE_MOST, text);
        drawing->y += ROW_HEIGHT;
    }
}

/* Connections ---------------------------------------------------------------------------------- */

static int64_t most_left(const struct document_connections *connections)
{
    int64_t most = 0;

    for (size_t i = 0; i < connections->curve_count; i++) {
        most = connections->curve[i].left > most ? connections->curve[i].left : most;
    }
    return most;
}

static double curve_y(const struct drawing *drawing, int64_t left, int64_t most)
{
    return drawing->y + CURVE_HEIGHT * (1 - (double)left / (double)most);
}

/* From point to point, first along and then down. */
static void draw_steps(const struct drawing *drawing, const struct document_connections *of,
                       int64_t most)
{
    for (size_t i = 1; i < of->curve_count; i++) {
        (void)fprintf(drawing->out, "H%.1fV%.1f", scale_x(&drawing->scale, of->curve[i].at_ms),
                      curve_y(drawing, of->curve[i].left, most));
    }
}

static void draw_path(const struct drawing *drawing, const struct document_connections *of,
                      int64_t most, bool filled)
{
    double x = scale_x(&drawing->scale, of->curve[0].at_ms);
    double y = curve_y(drawing, of->curve[0].left, most);

    (void)fprintf(drawing->out, "<path class=\"%s\" d=\"M%.1f %.1f", filled ? "area" : "line thick",
                  x, y);
    draw_steps(drawing, of, most);
    if (filled) {
        (void)fprintf(drawing->out, "V%.1fH%.1fZ", drawing->y + CURVE_HEIGHT, x);
    }
    (void)fputs("\"/>\n", drawing->out);
}

static double force_began(const struct document *document)
{
    for (size_t i = 0; i < document->phase_count; i++) {
        if (strcmp(document->phases[i].name, "force") == 0) {
            return document->phases[i].start_ms;
        }
    }
    return NAN;
}

/* Where those fell that did not finish. */
static void draw_forced(const struct drawing *drawing, int64_t most)
{
    int64_t forced = drawing->document->connections.forced;
    double at_ms = force_began(drawing->document);
    char text[64];

    if (forced <= 0 || isnan(at_ms)) {
        return;
    }
    double x = scale_x(&drawing->scale, at_ms);
    double y = curve_y(drawing, forced < most ? forced : most, most);

    (void)snprintf(text, sizeof(text), "%" PRId64 " ended by force", forced);
    draw_line(drawing, "bad-line thick", x, y, x, drawing->y + CURVE_HEIGHT);
    (void)fprintf(
        drawing->out,
        "<circle class=\"bad\" data-kind=\"forced\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>\n", x, y);
    if (x + 17 + (double)text_columns(text) * CHAR_WIDTH < WIDTH) {
        double above = y - 8 > drawing->y + 10 ? y - 8 : drawing->y + 10;

        draw_text(drawing, x + 9, above, "bad", "start", 40, text);
    } else { /* on the other side the curve is in the way, but for its top */
        draw_line(drawing, "bad-line thin dash", x, drawing->y + 4, x, y);
        draw_text(drawing, x - 9, drawing->y + 14, "bad", "end", 40, text);
    }
}

static void draw_curve_scale(const struct drawing *drawing, int64_t most)
{
    double bottom = drawing->y + CURVE_HEIGHT;

    draw_line(drawing, "base thin", SCALE_LEFT, bottom, SCALE_RIGHT, bottom);
    draw_line(drawing, "grid thin", SCALE_LEFT, drawing->y, SCALE_RIGHT, drawing->y);
    draw_text(drawing, LABEL_X, drawing->y + 4, "dim", "end", LABEL_MOST, words_number(most));
    draw_text(drawing, LABEL_X, bottom + 4, "dim", "end", LABEL_MOST, "0");
    if (most >= 10) {
        draw_line(drawing, "grid thin", SCALE_LEFT, curve_y(drawing, most / 2, most), SCALE_RIGHT,
                  curve_y(drawing, most / 2, most));
        draw_text(drawing, LABEL_X, curve_y(drawing, most / 2, most) + 4, "dim", "end", LABEL_MOST,
                  words_number(most / 2));
    }
}

static bool has_curve(const struct document *document)
{
    return document->connections.curve_count > 1 && most_left(&document->connections) > 0;
}

static void draw_connections(struct drawing *drawing)
{
    const struct document_connections *connections = &drawing->document->connections;
    int64_t most = most_left(connections);

    draw_title(drawing, "Connections left");
    if (!has_curve(drawing->document)) {
        bool none = connections->drained + connections->forced == 0;

        draw_text(drawing, SCALE_LEFT + 6, drawing->y + 12, "dim", "start", LINE_MOST,
                  none ? "there were none" : "their course was not recorded");
        drawing->y += ROW_HEIGHT;
        return;
    }
    drawing->y += 8;
    draw_curve_scale(drawing, most);
    draw_path(drawing, connections, most, true);
    draw_path(drawing, connections, most, false);
    draw_forced(drawing, most);
    drawing->y += CURVE_HEIGHT + 8;
}

/* The whole ------------------------------------------------------------------------------------ */

static double later(double a, double b)
{
    return isnan(b) || a > b ? a : b;
}

static double end_of(const struct document *document)
{
    double end = later(0, document->duration_ms);

    for (size_t i = 0; i < document->phase_count; i++) {
        end = later(end, document->phases[i].start_ms);
        end = later(end, document->phases[i].start_ms + document->phases[i].duration_ms);
    }
    for (size_t i = 0; i < document->hook_count; i++) {
        end = later(end, document->hooks[i].start_ms + document->hooks[i].ms);
    }
    if (document->connections.curve_count > 0) {
        end = later(end, document->connections.curve[document->connections.curve_count - 1].at_ms);
    }
    return end;
}

static size_t hook_rows(const struct document *document)
{
    return document->hook_count > HOOKS_MOST ? HOOKS_MOST + 1 : document->hook_count;
}

static double height_of(const struct document *document)
{
    double height = HEAD_HEIGHT + FOOT_HEIGHT;

    if (words_is_serving(document)) {
        return height;
    }
    height += (isnan(document->refused_ms) ? 1 : 2) * EVENT_HEIGHT + AXIS_HEIGHT;
    height += TITLE_HEIGHT + (double)document->phase_count * ROW_HEIGHT + TITLE_HEIGHT +
              (has_curve(document) ? CURVE_HEIGHT + 16 : ROW_HEIGHT);
    if (document->hook_count > 0) {
        height += TITLE_HEIGHT + (double)hook_rows(document) * ROW_HEIGHT;
    }
    return height;
}

static void draw_stop(struct drawing *drawing, double height)
{
    double bottom = height - FOOT_HEIGHT + 8;
    double events = drawing->y + AXIS_HEIGHT;

    draw_axis(drawing, bottom);
    drawing->y = events;
    draw_events(drawing, bottom);
    draw_phases(drawing);
    draw_connections(drawing);
    if (drawing->document->hook_count > 0) {
        draw_hooks(drawing);
    }
}

static void draw_foot(const struct drawing *drawing, double height)
{
    const struct document *document = drawing->document;
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "%.64s (pid %" PRId64 "), generation %" PRId64 ", written %s by fluxshim",
                   document->process.name, document->process.pid, document->generation,
                   words_time(document->written_at));
    draw_text(drawing, MARGIN, height - 12, "dim small", "start", LINE_MOST, text_valid(text));
}

static void begin(FILE *out, double height, const char *title, const char *description)
{
    (void)fprintf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
                  "height=\"%.0f\" role=\"img\">\n<title>",
                  WIDTH, height, WIDTH, height);
    xml_text(out, title);
    (void)fputs("</title>\n<desc>", out);
    xml_text(out, description);
    (void)fputs("</desc>\n", out);
    draw_style(out);
    (void)fprintf(out, "<rect class=\"bg\" width=\"%d\" height=\"%.0f\"/>\n", WIDTH, height);
}

void picture_write(FILE *out, const struct document *document, const char *title)
{
    struct drawing drawing = {
        .out = out, .document = document, .scale = scale_of(end_of(document))};
    double height = height_of(document);

    begin(out, height, title, words_outcome(document));
    draw_head(&drawing, title);
    if (!words_is_serving(document)) {
        draw_stop(&drawing, height);
    }
    draw_foot(&drawing, height);
    (void)fputs("</svg>\n", out);
}
