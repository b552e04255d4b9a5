/* Texts in each encoding, and memory that is measured, as a package has them. */
#include <stddef.h>
#include <wchar.h>
struct named { const wchar_t *wide; const char *latin; };
int wide_length(const wchar_t *text, int n);
int latin_length(const char *text);
int latin_maybe(const char *text);
const wchar_t *wide_name(int number);
const char *latin_name(int number);
int wide_find(const wchar_t *text, wchar_t letter, const wchar_t **at);
int latin_list(const char *const *texts);
int wide_list(const wchar_t *const *texts, int n);
int wide_tell(const wchar_t *text, int (*told)(void *user, const wchar_t *text, const char *latin, int n, wchar_t **list), void *user);
int latin_fail(const char *text, char **said);
struct named named_swap(struct named named);
int key_get(int of, unsigned char *out, size_t *length);
