#include "grove.h"

#include <stdlib.h>
#include <string.h>

struct grove_node {
    int value;
    char rest[60];
};

struct grove_tree {
    int references, value;
    grove_node *nodes[4];
    int (*seen)(void *user);
    void *user;
};

struct grove_cursor {
    grove_tree *tree;
};

struct grove_mark {
    int value;
};

struct grove_gate {
    int attempts;
};

struct grove_seal {
    int value;
};

struct grove_plot {
    int taken, value;
};

static int alive;
static grove_tree *planted, *last;

/* Memory that others will use: what is freed shows. */
static void drop(void *memory, size_t size)
{
    memset(memory, 0x41, size);
    free(memory);
}

static void grow(grove_tree *tree, int value)
{
    for (int at = 0; at < 4; at++) {
        tree->nodes[at] = calloc(1, sizeof(grove_node));
        tree->nodes[at]->value = value + at;
    }
}

grove_tree *grove_tree_new(int value)
{
    grove_tree *tree = calloc(1, sizeof *tree);
    tree->references = 1;
    tree->value = value;
    grow(tree, value);
    alive++;
    last = tree;
    return tree;
}

grove_tree *grove_tree_last(void) { return last; }

grove_tree *grove_tree_share(grove_tree *tree)
{
    tree->references++;
    return tree;
}

void grove_tree_free(grove_tree *tree)
{
    if (--tree->references > 0) {
        return;
    }
    for (int at = 0; at < 4; at++) {
        drop(tree->nodes[at], sizeof(grove_node));
    }
    drop(tree, sizeof *tree);
    alive--;
}

int grove_tree_value(const grove_tree *tree) { return tree->value; }
grove_node *grove_tree_get(grove_tree *tree, int at) { return tree->nodes[at & 3]; }

int grove_tree_clear(grove_tree *tree)
{
    grove_node *old[4];
    memcpy(old, tree->nodes, sizeof old);
    grow(tree, tree->value + 100);
    for (int at = 0; at < 4; at++) {
        drop(old[at], sizeof(grove_node));
    }
    return 0;
}

int grove_tree_plant(grove_tree *tree, int (*ask)(void *user, grove_tree *tree), void *user)
{
    if (ask(user, tree) != 0) {
        return 1;
    }
    if (planted != NULL) {
        grove_tree_free(planted);
    }
    planted = tree;
    return 0;
}

int grove_tree_watch(grove_tree *tree, int (*seen)(void *user), void *user)
{
    tree->seen = seen;
    tree->user = user;
    return 0;
}

int grove_tree_touch(grove_tree *tree) { return tree->seen == NULL ? -2 : tree->seen(tree->user); }

int grove_tree_each(grove_tree *tree, int (*visit)(void *user, grove_node *node), void *user)
{
    int sum = 0;
    for (int at = 0; at < 4; at++) {
        sum += visit(user, tree->nodes[at]);
    }
    return sum;
}

int grove_tree_show(grove_tree *tree, int (*visit)(void *user, grove_tree *tree), void *user)
{
    int answer = visit(user, tree);
    return answer * 1000 + tree->value;
}

int grove_node_value(const grove_node *node) { return node->value; }

int grove_node_visit(grove_node *node, int (*visit)(void *user, grove_node *node), void *user)
{
    int answer = visit(user, node);
    return answer * 1000 + node->value;
}

grove_node *grove_spare(void)
{
    static grove_node spare = {7, {0}};
    return &spare;
}

grove_cursor *grove_cursor_new(grove_tree *tree)
{
    grove_cursor *cursor = calloc(1, sizeof *cursor);
    cursor->tree = tree;
    alive++;
    return cursor;
}

void grove_cursor_free(grove_cursor *cursor)
{
    drop(cursor, sizeof *cursor);
    alive--;
}

grove_node *grove_cursor_node(grove_cursor *cursor, int at) { return grove_tree_get(cursor->tree, at); }

grove_mark *grove_mark_new(grove_node *node)
{
    grove_mark *mark = calloc(1, sizeof *mark);
    mark->value = node->value;
    alive++;
    return mark;
}

void grove_mark_free(grove_mark *mark)
{
    drop(mark, sizeof *mark);
    alive--;
}

int grove_mark_value(const grove_mark *mark) { return mark->value; }

grove_gate *grove_gate_new(int attempts)
{
    grove_gate *gate = calloc(1, sizeof *gate);
    gate->attempts = attempts;
    alive++;
    return gate;
}

int grove_gate_shut(grove_gate *gate)
{
    if (--gate->attempts > 0) {
        return 1;
    }
    drop(gate, sizeof *gate);
    alive--;
    return 0;
}

grove_seal *grove_seal_new(void)
{
    alive++;
    return calloc(1, sizeof(grove_seal));
}

int grove_seal_break(grove_seal *seal)
{
    drop(seal, sizeof *seal);
    alive--;
    return 1;
}

grove_plot *grove_plot_new(int value)
{
    static grove_plot land[4];
    grove_plot *plot = land;
    while (plot->taken) {
        plot++;
    }
    plot->taken = 1;
    plot->value = value;
    alive++;
    return plot;
}

void grove_plot_free(grove_plot *plot)
{
    plot->taken = 0;
    alive--;
}

int grove_plot_value(const grove_plot *plot) { return plot->value; }

int grove_plot_sell(grove_plot *plot, int (*ask)(void *user), void *user)
{
    grove_plot_free(plot);
    return ask(user);
}

int grove_pump_start(struct grove_pump *pump)
{
    pump->state = (struct grove_state *)calloc(1, 16);
    return 0;
}

int grove_pump_run(struct grove_pump *pump, int (*more)(void *user), void *user)
{
    int answer = more(user);
    while (pump->avail_in > 0) {
        pump->total += *pump->next_in;
        pump->next_in++;
        pump->avail_in--;
    }
    return answer;
}

int grove_pump_end(struct grove_pump *pump)
{
    free(pump->state);
    return 0;
}

int grove_alive(void) { return alive; }
