//! The C library's own declarations.

use super::check;

#[test]
fn memory_functions_share_their_lengths() {
    check(&[
        ("void *memcpy(void *__dest, const void *__src, size_t __n)", "? ? value -> ?"),
        ("void *memmove(void *__dest, const void *__src, size_t __n)", "? ? value -> ?"),
        ("void *memset(void *s, int c, size_t n)", "? value value -> ?"),
        ("int memcmp(const void *__s1, const void *__s2, size_t __n)", "? ? value -> value"),
        ("void *memchr(const void *s, int c, size_t n)", "? value value -> ?"),
        (
            "void *memmem(const void *haystack, size_t haystacklen, const void *needle, size_t needlelen)",
            "bytes len(0) bytes len(2) -> ?",
        ),
        ("int bcmp(const void *, const void *, size_t)", "? ? value -> value"),
    ]);
}

#[test]
fn string_functions() {
    check(&[
        ("size_t strlen(const char *__s)", "text -> value"),
        ("size_t strnlen(const char *s, size_t maxlen)", "? value -> value"),
        ("char *strcpy(char *dest, const char *src)", "? text -> ?"),
        ("char *strncpy(char *dest, const char *src, size_t n)", "? ? value -> ?"),
        ("int strcmp(const char *__s1, const char *__s2)", "text text -> value"),
        ("int strcmp(const char *, const char *)", "text text -> value"),
        ("int strspan(const char *, const char *)", "? ? -> value"),
        ("int strncmp(const char *__s1, const char *__s2, size_t __n)", "? ? value -> value"),
        ("char *strchr(const char *s, int c)", "text value -> ?"),
        ("int atoi(const char *nptr)", "text -> value"),
        ("long strtol(const char *nptr, char **endptr, int base)", "text ? value -> value"),
        ("size_t strspn(const char *s, const char *accept)", "text text -> value"),
        ("size_t strxfrm(char *dest, const char *src, size_t n)", "? ? value -> value"),
        ("size_t mbstowcs(wchar_t *pwcs, const char *s, size_t n)", "? ? value -> value"),
        ("size_t wcslen(const wchar_t *s)", "? -> value"),
        ("int wmemcmp(const wchar_t *s1, const wchar_t *s2, size_t n)", "? ? value -> value"),
        ("char *strerror(int errnum)", "value -> ?"),
        ("size_t argz_count(const char *argz, size_t len)", "? value -> value"),
    ]);
}

#[test]
fn input_and_output() {
    check(&[
        ("ssize_t write(int __fd, const void *__buf, size_t __n)", "? bytes len(1) -> value"),
        ("ssize_t read(int fd, void *buf, size_t nbytes)", "? changed len(1) -> value"),
        ("ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)", "? bytes len(1) value -> value"),
        (
            "ssize_t pread(int fd, void *buf, size_t nbytes, __off_t offset)",
            "? changed len(1) value -> value",
        ),
        (
            "size_t fwrite(const void *ptr, size_t size, size_t nmemb, FILE *stream)",
            "product value value ? -> value",
        ),
        (
            "size_t fread_unlocked(void *ptr, size_t size, size_t n, FILE *stream)",
            "filled value value ? -> value",
        ),
        ("char *fgets(char *s, int n, FILE *stream)", "line cap(0) ? -> text"),
        ("int fputs(const char *s, FILE *stream)", "text ? -> value"),
        ("int open(const char *file, int oflag, ...)", "unsupported"),
        ("int printf(const char *format, ...)", "unsupported"),
        ("int snprintf(char *s, size_t maxlen, const char *format, ...)", "unsupported"),
        ("int vprintf(const char *format, va_list ap)", "unsupported"),
        ("int truncate(const char *__file, __off_t __length)", "? value -> value"),
        ("int access(const char *name, int type)", "text value -> value"),
        ("int chmod(const char *file, mode_t mode)", "text value -> value"),
        ("int rename(const char *oldpath, const char *newpath)", "text text -> value"),
        ("void perror(const char *s)", "text -> void"),
        ("void openlog(const char *ident, int option, int facility)", "? value value -> void"),
        ("int inet_aton(const char *cp, struct in_addr *inp)", "? ? -> value"),
        (
            "ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr, socklen_t addr_len)",
            "? bytes len(1) value ? value -> value",
        ),
    ]);
}

#[test]
fn the_rest_of_the_standard_library() {
    check(&[
        (
            "void qsort(void *base, size_t nmemb, size_t size, int (*compar)(const void *, const void *))",
            "? value value ? -> void",
        ),
        (
            "void *bsearch(const void *key, const void *base, size_t nmemb, size_t size, int (*compar)(void))",
            "? ? value value ? -> ?",
        ),
        ("char *getenv(const char *name)", "text -> ?"),
        ("int setenv(const char *name, const char *value, int replace)", "text text value -> value"),
        ("int putenv(char *string)", "? -> value"),
        ("void setkey(const char *__key)", "? -> void"),
        ("double frexp(double x, int *exponent)", "value changing -> value"),
        ("double modf(double x, double *iptr)", "value ? -> value"),
        ("double pow(double x, double y)", "value value -> value"),
        ("double hypot(double, double)", "value value -> value"),
        ("long double sqrtl(long double x)", "unsupported"),
        ("int abs(int x)", "value -> value"),
        ("int toupper(int c)", "value -> value"),
        ("void abort(void) noreturn", "-> void"),
        ("void exit(int status) noreturn", "value -> void"),
        ("int raise(int sig)", "value -> value"),
        ("unsigned int sleep(unsigned int seconds)", "value -> value"),
        ("pid_t getpid(void)", "-> value"),
        ("pid_t fork(void)", "-> value"),
        ("int rand()", "unsupported"),
        ("time_t time(time_t *timer)", "? -> value"),
        ("int nanosleep(const struct timespec *req, struct timespec *rem)", "? ? -> value"),
        (
            "size_t strftime(char *s, size_t maxsize, const char *format, const struct tm *tp)",
            "? value ? ? -> value",
        ),
        ("struct div_t div(int numer, int denom)", "unsupported"),
        ("int uuid_parse(const char *in, uuid_t uu)", "text changed[16] -> value"),
        ("void uuid_unparse(const uuid_t uu, char *out)", "data[16] ? -> void"),
    ]);
}
