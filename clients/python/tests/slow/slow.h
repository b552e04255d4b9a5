/* A library that takes its time, and has names that clash. */
#ifndef SLOW_H
#define SLOW_H

typedef struct slow_node slow_node;
slow_node *slow_node_new(void);
/* Takes a second. */
void slow_node_free(slow_node *node);

/* Calls, and does not come back for ten seconds. */
int slow_each(int (*visit)(int value, void *user), void *user);

/* A structure that stays, with a field and a function of one name. */
struct slow_stream {
    int self;
    int end;
    void *state;
};
int slow_stream_init(struct slow_stream *stream);
int slow_stream_end(struct slow_stream *stream);

struct slow_pair {
    int self;
    int library;
};
int slow_sum(struct slow_pair pair);
int slow_match(int self);

/* Calls with three lists of words, which a NULL ends: two words, none, and no list. */
int slow_words(int (*visit)(const char *const *words, void *user), void *user);
#endif
