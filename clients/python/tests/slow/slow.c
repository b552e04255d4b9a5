#include "slow.h"
#include <stdlib.h>
#include <unistd.h>

struct slow_node {
    int unused;
};

slow_node *slow_node_new(void) { return calloc(1, sizeof(slow_node)); }

void slow_node_free(slow_node *node) {
    sleep(1);
    free(node);
}

int slow_each(int (*visit)(int value, void *user), void *user) {
    visit(1, user);
    sleep(10);
    return 0;
}

int slow_stream_init(struct slow_stream *stream) {
    stream->state = malloc(4);
    stream->end = 5;
    return stream->state == NULL;
}

int slow_stream_end(struct slow_stream *stream) {
    free(stream->state);
    stream->state = NULL;
    return 0;
}

int slow_sum(struct slow_pair pair) { return pair.self + pair.library; }

int slow_match(int self) { return self; }

int slow_words(int (*visit)(const char *const *words, void *user), void *user) {
    const char *const words[] = {"one", "zw\xc3\xb6lf", NULL};
    return visit(words, user) + visit(words + 2, user) + visit(NULL, user);
}
