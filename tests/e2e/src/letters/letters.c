#include <string.h>
#include "letters.h"
int wide_length(const wchar_t *text, int n) { return (int)wcslen(text) * 100 + n; }
int latin_length(const char *text) { return (int)strlen(text); }
int latin_maybe(const char *text) { return text == NULL ? -1 : latin_length(text); }
const wchar_t *wide_name(int number) { return number < 0 ? NULL : L"Gr\u00f6\u00dfe \U0001f980"; }
const char *latin_name(int number) { return number < 0 ? NULL : "Gr\xf6\xdf" "e"; }
int wide_find(const wchar_t *text, wchar_t letter, const wchar_t **at) { *at = wcschr(text, letter); return *at != NULL; }
int latin_list(const char *const *texts) { int n = 0; for (; *texts; texts++) n = 7 * n + latin_length(*texts); return n; }
int wide_list(const wchar_t *const *texts, int n) { return n > 0 ? (int)texts[n - 1][0] : 0; }
int wide_tell(const wchar_t *text, int (*told)(void *user, const wchar_t *text, const char *latin, int n, wchar_t **list), void *user)
{
    wchar_t one[] = L"\u20ac";
    wchar_t *list[] = {one, one};
    return told(user, text, "\xe9", 2, list);
}
int latin_fail(const char *text, char **said) { static char kept[8]; strncpy(kept, text, 7); *said = kept; return 3; }
struct named named_swap(struct named named)
{
    return (struct named){named.latin[0] == '\xe9' ? L"\u20ac" : L"", wcslen(named.wide) == 2 ? "\xff" : NULL};
}
int key_get(int of, unsigned char *out, size_t *length)
{
    size_t room = *length;
    *length = (size_t)(of & 7);
    if (room < *length) return 1;
    memset(out, of, *length);
    return 0;
}
