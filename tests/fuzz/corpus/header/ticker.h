typedef unsigned long size_t;
/* Threads that call back. */
#ifndef TICKER_H
#define TICKER_H


typedef struct ticker ticker;

ticker *ticker_new(void);

/* Waits for the threads, unless it was left to them. */
void ticker_free(ticker *t);
void ticker_leave(ticker *t);

/* What the threads call: with the number of the tick, from 0, and the thread's, from 0. */
void ticker_on_tick(ticker *t, long (*tick)(void *user, long number, int thread), void *user);

/* What ticker_send calls. */
void ticker_on_data(ticker *t, int (*got)(void *user, const char *text, const unsigned char *data, size_t size), void *user);

/* What ticker_poke calls, and ticker_stray, which should not. */
void ticker_on_poke(ticker *t, int (*poke)(void *user, int number), void *user);

/* Starts threads, each of which ticks so often, with so many microseconds in between. With `signals`, each is interrupted
 * so often a second. */
void ticker_start(ticker *t, int threads, long count, long period, int signals);

/* As ticker_start without signals and pauses, and waits for the threads. */
void ticker_run(ticker *t, int threads, long count);

/* Waits for the threads that were started. */
void ticker_wait(ticker *t);

/* The ticks that were answered, and the sum of the answers. */
long ticker_ticks(const ticker *t);
long ticker_sum(const ticker *t);

/* The interruptions so far. */
long ticker_interruptions(void);

/* Ticks on the thread that calls this. */
long ticker_tick_here(ticker *t, long number);

/* Has a thread pass so many bytes, so often, and waits for it. Comes with the sum of the answers. */
int ticker_send(ticker *t, size_t size, int times);

/* As ticker_send, without waiting. */
void ticker_begin_send(ticker *t, size_t size, int times);

int ticker_poke(ticker *t, int number);

/* As ticker_poke, by a thread of its own. */
int ticker_stray(ticker *t, int number);

void ticker_crash(void);

/* Waits for all threads, and says so in the file that TICKER_END names. */
void ticker_finish(void);

#endif
