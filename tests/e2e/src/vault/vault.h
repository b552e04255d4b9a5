/* Objects that hold something, and settings: what a library forgets when its process ends. */
#ifndef VAULT_H
#define VAULT_H

#include <stddef.h>

/* A vault has a name, settings, and a sum. */
typedef struct vault vault;

/* A shelf stands in a vault. */
typedef struct shelf shelf;

/* An item lies in a vault. */
typedef struct item item;

/* Opens a vault; NULL for a name that begins with "none". */
vault *vault_open(const char *name, int size);

/* The same, of some bytes. */
vault *vault_of(const void *seal, size_t length);

/* Closes it. */
void vault_close(vault *v);

/* Its name, its size, and how it is sealed. */
const char *vault_name(const vault *v);
int vault_size(const vault *v);
long vault_seal(const vault *v);

/* How many settings it was given, each as often as it came. */
int vault_settings(const vault *v);

/* Sets how much it holds. Fails with what is less than 0. */
int vault_limit(vault *v, int most);
int vault_most(const vault *v);

/* Sets the word of a number from 0 to 9: not more than 15 letters are kept. */
int vault_word(vault *v, int number, const char *word);
const char *vault_told(const vault *v, int number);

/* Gives it a title, and returns that; no title with one that begins with "lies". */
const char *vault_title(vault *v, const char *title);

/* Has `asked` told each new limit of any vault, until this vault is closed; NULL for none. */
void vault_on_limit(vault *v, int (*asked)(void *user, int most), void *user);

/* Puts something in, which nothing says again. The sum of all. */
int vault_fill(vault *v, int worth);

/* What `look` makes of the sum. */
int vault_look(vault *v, int (*look)(void *user, int sum), void *user);

/* Adds what another one has. */
int vault_add(vault *v, const vault *other);

shelf *shelf_open(vault *v, const char *name);
void shelf_close(shelf *s);
const char *shelf_name(const shelf *s);
int shelf_size(const shelf *s);

item *item_new(vault *v);
void item_free(item *i);
int item_size(const item *i);

/* What it lies in. */
vault *item_in(const item *i);

/* Vaults and shelves that are there. */
int vaults_open(void);

/* Ends the process. */
void vault_break(vault *v);
void vaults_break(void);

/* Sends its own process a signal. */
void vaults_kill(int signal);

/* Waits. */
void vaults_wait(int milliseconds);

#endif
