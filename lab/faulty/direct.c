/* What happens today: a program that calls the faulty library directly, one scenario a run.
 *
 * It says `began`, what the call `returned`, and what the next call gave, and ends with LIVES when that was right. Whatever
 * else becomes of it is the library's doing. */
#define _GNU_SOURCE
#include "attacks.h"
#include "direct.h"
#include "faulty.h"
#include "objects.h"
#include "rows.h"
#include "state.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The next call was right, or was not. */
enum { LIVES = 77, WRONG = 78 };

static char **words;

static int number(int at)
{
    return words[at] == NULL ? 0 : atoi(words[at]);
}

const char *word(int at)
{
    for (int before = 0; before < at; before++) {
        if (words[before] == NULL) {
            return NULL;
        }
    }
    return words[at];
}

void returned(const char *what)
{
    printf("returned %s\n", what);
    fflush(stdout);
}

static void returned_number(long what)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", what);
    returned(text);
}

void limit_memory(int mebibytes)
{
    struct rlimit limit = {(rlim_t)mebibytes << 20, (rlim_t)mebibytes << 20};
    setrlimit(RLIMIT_AS, &limit);
}

static void corrupt_heap(void)
{
    faulty_corrupt_heap();
    returned("as if nothing had happened");
    faulty_use_heap();
}

static void write_input(void)
{
    unsigned char mine[] = "the program's own";
    faulty_write_input(mine, 3);
    returned((char *)mine);
}

static void last_secret(void)
{
    /* What the program has given back of this size is taken, all of it: while some is left, glibc may refill the thread's
       cache to the brim as it gives out the secret, which then does not come back to where it is taken from next. */
    for (int i = 0; i < 1 << 16; i++) {
        void *volatile held = malloc(64);
        (void)held;
    }
    char *volatile secret = malloc(64);
    for (volatile int i = 16; i < 34; i++) {
        secret[i] = "of another caller"[i - 16];
    }
    free(secret);
    unsigned char *out = malloc(64);
    size_t length = 64;
    faulty_leave(out, &length);
    returned((char *)out + 16);
}

static void scribble(void)
{
    /* What it shares with its own children, say. */
    char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared != MAP_FAILED) {
        faulty_scribble();
    }
}

static void fill_limited(void)
{
    limit_memory(256);
    returned_number(faulty_fill(number(0)));
}

static void need_limited(void)
{
    limit_memory(256);
    returned_number(faulty_need(number(0), 1));
}

static int visit_row(void *user, int count, char **values, char **names)
{
    (void)user, (void)count, (void)values, (void)names;
    return 0;
}

static void visit_for_ever(void)
{
    faulty_db *db = NULL;
    faulty_open(0, &db);
    for (;;) {
        faulty_visit(db, INT_MAX, visit_row, NULL);
    }
}

static int cleaned;

static int visit_inner(void *user, int number)
{
    (void)user;
    int seen = faulty_inner(number);
    cleaned++;
    return seen;
}

static void jump_out(void)
{
    int sum = faulty_outer(visit_inner, NULL);
    char text[64];
    snprintf(text, sizeof text, "%d, and %d of its callbacks ended", sum, cleaned);
    returned(text);
}

static int visit_again(void *user, int number)
{
    return faulty_outer(visit_again, user) + number;
}

static void recurse(void)
{
    returned_number(faulty_outer(visit_again, NULL));
}

static pthread_t here;

static int visit_where(void *user, int number)
{
    *(int *)user = pthread_equal(here, pthread_self()) ? 0 : number;
    return number;
}

static void call_back_in_thread(void)
{
    int elsewhere = 0;
    here = pthread_self();
    faulty_call_back_in_thread(visit_where, &elsewhere);
    returned(elsewhere != 0 ? "when the program's function had run on a foreign thread" : "in order");
}

static void crash_later(void)
{
    returned_number(faulty_crash_later());
    sleep(60);
}

static void die_idle(void)
{
    returned_number(faulty_die_idle());
    sleep(2);
}

static void *race_there(void *times)
{
    return (void *)(intptr_t)faulty_race(*(int *)times);
}

static void race(void)
{
    int each = 500, expected = 0, counted = 0;
    /* Where threads happen to run one after another, once more. */
    while (counted == expected && expected < 1000000) {
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
            pthread_create(&threads[i], NULL, race_there, &each);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
        }
        expected += 4 * each;
        counted = faulty_race(0);
    }
    returned(counted < expected ? "too few: counts were lost" : "all");
}

static void reap_children(void)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(7);
    }
    siginfo_t seen;
    waitid(P_PID, (id_t)child, &seen, WEXITED | WNOWAIT);
    faulty_reap_children();
    returned(waitpid(child, NULL, 0) < 0 ? "with the program's own child" : "in order");
}

static void change_directory(void)
{
    char before[PATH_MAX] = "", after[PATH_MAX] = "";
    int asked = getcwd(before, sizeof before) != NULL;
    faulty_change_directory("/proc");
    asked = asked && getcwd(after, sizeof after) != NULL;
    returned(asked && strcmp(after, "/proc") == 0 ? "and the program is elsewhere" : "in order");
}

static void change_mask(void)
{
    faulty_change_mask(0);
    returned(umask(022) == 0 ? "and new files are everybody's" : "in order");
}

static void clear_environment(void)
{
    setenv("THE_PROGRAMS_OWN", "1", 1);
    faulty_clear_environment();
    returned(getenv("THE_PROGRAMS_OWN") == NULL ? "and the program's environment is empty" : "in order");
}

static void count_twice(void)
{
    faulty_count();
    returned_number(faulty_count());
}

static void wrong_length(void)
{
    static _Bool truths[4];
    returned_number(faulty_true(truths, (size_t)1 << 40));
}

static void false_claim(void)
{
    unsigned char *out = malloc(16);
    size_t length = 16, sum = 0;
    faulty_claim(out, &length, (size_t)1 << 40);
    for (size_t i = 0; i < length; i++) {
        sum += ((volatile unsigned char *)out)[i];
    }
    returned_number((long)sum);
}

/* A handle that was kept from an earlier run, or made up. */
static void made_up_handle(void)
{
    returned(faulty_message((faulty_db *)(uintptr_t)0x51a1e0000));
}

static void handle_of_other_type(void)
{
    faulty_db *db = NULL;
    faulty_open(0, &db);
    faulty_row *row = faulty_step((faulty_query *)db);
    returned(faulty_message(faulty_db_of((faulty_query *)row)));
}

static void close_twice(void)
{
    faulty_db *db = NULL;
    faulty_open(0, &db);
    faulty_close(db);
    faulty_close(db);
}

static void *close_there(void *db)
{
    faulty_close(db);
    return NULL;
}

static void use_what_another_closed(void)
{
    faulty_db *db = NULL;
    pthread_t thread;
    faulty_open(0, &db);
    pthread_create(&thread, NULL, close_there, db);
    pthread_join(thread, NULL);
    returned(faulty_message(db));
}

static void leak_handles(void)
{
    faulty_db *db = NULL;
    for (int i = 0; i < 100000; i++) {
        faulty_open(0, &db);
    }
    returned("with 100000 objects that nobody frees");
}

static void cut_number(void)
{
    long long wanted = (1LL << 32) + 5;
    returned_number(faulty_add((int)wanted, 1));
}

static void null_text(void)
{
    const char *texts[] = {"a", NULL};
    returned_number((long)faulty_total(2, texts));
}

static void borrowed_row(void)
{
    faulty_db *db = NULL;
    faulty_open(0, &db);
    faulty_query *query = faulty_prepare(db, "query");
    faulty_row *row = faulty_step(query);
    faulty_finish(query);
    int was = faulty_number(row);
    returned(was == 1 ? "the row that is gone" : "nonsense");
}

static void wrong_varargs(void)
{
    returned_number(faulty_format("%s\n", (char *)(uintptr_t)42));
}

static void bad_text(void)
{
    returned(faulty_bad_text());
}

static void cut_text(void)
{
    const char *texts[] = {"a\0b"};
    returned_number((long)faulty_total(1, texts));
}

static void wide_text(void)
{
    unsigned short text[] = {'a', 'b', 'c', 0}, *turned = NULL;
    const void *blank = NULL;
    faulty_turn(text, 6, &turned, &blank);
    returned((char *)turned);
}

static void lone_surrogate(void)
{
    unsigned short text[] = {0xd800, 'b', 0}, *turned = NULL;
    const void *blank = NULL;
    faulty_turn(text, 4, &turned, &blank);
    returned(turned[1] == 0xd800 ? "half a character" : "in order");
}

static void endless_text(void)
{
    returned_number((long)strlen(faulty_endless_text()));
}

static void print_twice(void)
{
    returned_number(faulty_say("a line of the library among the program's own"));
}

static void environment_secret(void)
{
    returned_number(attack_now("proc_environ"));
}

static void *loaded(const char *path)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return library;
}

static void load(void)
{
    int (*add)(int, int) = (int (*)(int, int))(uintptr_t)dlsym(loaded(words[0]), "faulty_add");
    returned_number(add(2, 3));
}

static void other_layout(void)
{
    int (*measure)(struct faulty_shape *) =
        (int (*)(struct faulty_shape *))(uintptr_t)dlsym(loaded(words[0]), "faulty_measure");
    static const int values[] = {1, 2, 3};
    struct faulty_shape shape = {.values = values, .count = 3};
    measure(&shape);
    returned(shape.sum == 6 ? "the sum"
             : shape.reserved == NULL ? "another sum"
                                      : "another sum, and the caller's data is overwritten");
}

static void written_code(void)
{
    loaded(words[0]);
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int found = 0;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        found |= strstr(line, " rwxp ") != NULL;
    }
    returned(found ? "with memory that is both written and executed" : "as before");
}

static void load_two(void)
{
    loaded(words[0]);
    int (*version)(void) = (int (*)(void))(uintptr_t)dlsym(loaded(words[1]), "faulty_version");
    returned_number(version());
}

static void replace(void)
{
    void *library = loaded(words[0]);
    int (*use)(void) = (int (*)(void))(uintptr_t)dlsym(library, "faulty_use_heap");
    if (truncate(words[0], 0) == 0) {
        returned_number(use());
    }
}

static void attack(void)
{
    /* Of what is done to the parent, this program is to have the parent's part. */
    pid_t child = fork();
    if (child == 0) {
        int failed = attack_now(words[0]);
        _exit(failed < 0 || failed > 200 ? 200 : failed);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        returned("when it had succeeded");
    } else if (WIFEXITED(status)) {
        returned(strerror(WEXITSTATUS(status)));
    } else {
        returned("when a signal had ended it");
    }
}

static void write_outside(void)
{
    int failed = attack_open(words[0], 1);
    returned(failed == 0 ? "when it had written there" : strerror(failed));
}

static void read_file(void)
{
    returned(faulty_read_file(words[0]) >= 0 ? "what is in it" : "nothing");
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"attack", attack},
    {"bad_text", bad_text},
    {"borrowed_row", borrowed_row},
    {"call_back_in_thread", call_back_in_thread},
    {"change_directory", change_directory},
    {"change_locale", change_locale},
    {"change_mask", change_mask},
    {"change_signals", change_signals},
    {"clear_environment", clear_environment},
    {"close_twice", close_twice},
    {"corrupt_heap", corrupt_heap},
    {"count_twice", count_twice},
    {"crash_later", crash_later},
    {"cut_number", cut_number},
    {"cut_text", cut_text},
    {"die_idle", die_idle},
    {"endless_text", endless_text},
    {"environment_secret", environment_secret},
    {"false_claim", false_claim},
    {"fill_limited", fill_limited},
    {"handle_of_other_type", handle_of_other_type},
    {"jump_out", jump_out},
    {"last_secret", last_secret},
    {"leak_handles", leak_handles},
    {"leave_timer", leave_timer},
    {"load", load},
    {"load_two", load_two},
    {"other_layout", other_layout},
    {"written_code", written_code},
    {"lone_surrogate", lone_surrogate},
    {"lose_descriptors", lose_descriptors},
    {"lose_memory", lose_memory},
    {"lose_threads", lose_threads},
    {"made_up_handle", made_up_handle},
    {"need_limited", need_limited},
    {"null_text", null_text},
    {"print", print_twice},
    {"race", race},
    {"read_file", read_file},
    {"reap_children", reap_children},
    {"recurse", recurse},
    {"replace", replace},
    {"round_up", round_up},
    {"scribble", scribble},
    {"throw_through", throw_through},
    {"use_what_another_closed", use_what_another_closed},
    {"visit_for_ever", visit_for_ever},
    {"wide_text", wide_text},
    {"write_input", write_input},
    {"write_outside", write_outside},
    {"wrong_length", wrong_length},
    {"wrong_varargs", wrong_varargs},
};

/* Functions that take integers, at most two, and return one. */
#define FUNCTION(name) {#name, (int (*)(int, int))(uintptr_t)faulty_##name}
static const struct {
    const char *name;
    int (*call)(int, int);
} functions[] = {
    FUNCTION(abort),
    FUNCTION(add),
    FUNCTION(assert),
    FUNCTION(become_daemon),
    FUNCTION(broken_pipe),
    FUNCTION(burn),
    FUNCTION(close_descriptors),
    FUNCTION(deadlock),
    FUNCTION(divide),
    FUNCTION(double_free),
    FUNCTION(execute_data),
    FUNCTION(exit),
    FUNCTION(exit_in_thread),
    FUNCTION(exit_thread),
    FUNCTION(fill_disk),
    FUNCTION(flood),
    FUNCTION(fork_and_stay),
    FUNCTION(give_up),
    FUNCTION(hold_lock),
    FUNCTION(ignore_signals),
    FUNCTION(illegal_instruction),
    FUNCTION(jump_within),
    FUNCTION(loop),
    FUNCTION(new_without_memory),
    FUNCTION(null_dereference),
    FUNCTION(odd_colour),
    FUNCTION(overflow_block),
    FUNCTION(overflow_without_altstack),
    FUNCTION(pure_virtual),
    FUNCTION(raise),
    FUNCTION(replace_descriptors),
    FUNCTION(sleep),
    FUNCTION(smash_stack),
    FUNCTION(stack_overflow),
    FUNCTION(swallow_crash),
    FUNCTION(throw),
    FUNCTION(truncated_map),
    FUNCTION(use_after_free),
    FUNCTION(write_block),
};

int is_scenario(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int run(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            scenarios[i].run();
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            int second = words[0] == NULL ? 0 : number(1);
            returned_number(functions[i].call(number(0), second));
            return 1;
        }
    }
    return 0;
}

int direct(int count, char **arguments)
{
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (count < 2) {
        return 2;
    }
    words = arguments + 2;
    printf("began\n");
    fflush(stdout);
    if (!run(arguments[1])) {
        return 2;
    }
    return faulty_add(2, 3) == 5 ? LIVES : WRONG;
}

int main(int count, char **arguments)
{
    exit(direct(count, arguments));
}
