/* A library of objects that reach each other in many ways: trees, their nodes, cursors over them, marks on nodes,
 * gates, seals, plots, and a pump. */
#ifndef GROVE_H
#define GROVE_H

typedef struct grove_tree grove_tree;
typedef struct grove_node grove_node;
typedef struct grove_cursor grove_cursor;
typedef struct grove_mark grove_mark;
typedef struct grove_gate grove_gate;
typedef struct grove_seal grove_seal;
typedef struct grove_plot grove_plot;

grove_tree *grove_tree_new(int value);
/* Trees count references: the last one ends it. */
grove_tree *grove_tree_share(grove_tree *tree);
void grove_tree_free(grove_tree *tree);
int grove_tree_value(const grove_tree *tree);
/* The tree that was made last. */
grove_tree *grove_tree_last(void);
/* A tree has four nodes. */
grove_node *grove_tree_get(grove_tree *tree, int at);
/* Other nodes take their place. */
int grove_tree_clear(grove_tree *tree);
/* Asks, and has the tree if the answer is 0. */
int grove_tree_plant(grove_tree *tree, int (*ask)(void *user, grove_tree *tree), void *user);
/* Keeps what is called when the tree is touched. */
int grove_tree_watch(grove_tree *tree, int (*seen)(void *user), void *user);
int grove_tree_touch(grove_tree *tree);
/* Visits its nodes; the sum of the answers. */
int grove_tree_each(grove_tree *tree, int (*visit)(void *user, grove_node *node), void *user);
/* Passes the tree itself. */
int grove_tree_show(grove_tree *tree, int (*visit)(void *user, grove_tree *tree), void *user);

int grove_node_value(const grove_node *node);
/* Visits it, and says a thousand times the answer, and its value. */
int grove_node_visit(grove_node *node, int (*visit)(void *user, grove_node *node), void *user);
/* A node that is always there. */
grove_node *grove_spare(void);

grove_cursor *grove_cursor_new(grove_tree *tree);
void grove_cursor_free(grove_cursor *cursor);
grove_node *grove_cursor_node(grove_cursor *cursor, int at);

grove_mark *grove_mark_new(grove_node *node);
void grove_mark_free(grove_mark *mark);
int grove_mark_value(const grove_mark *mark);

/* A gate that takes so many attempts to shut; until then it is there, and the answer is not 0. */
grove_gate *grove_gate_new(int attempts);
int grove_gate_shut(grove_gate *gate);
/* A seal goes when it is broken, though the answer is not 0. */
grove_seal *grove_seal_new(void);
int grove_seal_break(grove_seal *seal);
/* A plot lies where the last one was that went. */
grove_plot *grove_plot_new(int value);
void grove_plot_free(grove_plot *plot);
int grove_plot_value(const grove_plot *plot);
/* The plot goes, and then it asks what the answer is to be. */
int grove_plot_sell(grove_plot *plot, int (*ask)(void *user), void *user);

struct grove_pump {
    const unsigned char *next_in;
    unsigned avail_in;
    unsigned long total;
    struct grove_state *state;
};

int grove_pump_start(struct grove_pump *pump);
/* Asks before it takes what there is. */
int grove_pump_run(struct grove_pump *pump, int (*more)(void *user), void *user);
int grove_pump_end(struct grove_pump *pump);

/* What is alive of trees, cursors, marks, gates, seals and plots. */
int grove_alive(void);

#endif
