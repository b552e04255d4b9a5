//! Declarations that look like what they are not.

mod counts;
mod owners;

use super::check;

#[test]
fn called_like_stdio() {
    check(&[
        ("char *get_widgets(struct list *l, char *text, int n)", "? ? value -> ?"),
        ("char *list_gets(struct list *l, char *text, int n)", "? line cap(1) -> text"),
        ("char *mc_gets(struct list *l, char *key, int flags)", "? ? value -> ?"),
        ("char *mc_gets(struct list *l, char *text, int flags)", "? ? value -> ?"),
        ("int BIO_gets(struct bio *b, char *buf, int size)", "? changed len(1) -> value"),
        ("char *gets(char *s)", "? -> ?"),
        // Another order, other kinds, nothing to read from.
        ("size_t fwrite(const void *p, size_t n, size_t size, struct file *f)", "? value value ? -> value"),
        ("size_t fwrite(const void *p, size_t size, size_t n, int fd)", "? value value ? -> value"),
        ("size_t fread(const void *p, size_t size, size_t n, struct file *f)", "? value value ? -> value"),
        ("void fread(void *p, size_t size, size_t n, struct file *f)", "? value value ? -> void"),
        ("size_t my_proofread(void *p, size_t size, size_t n, struct file *f)", "? value value ? -> value"),
    ]);
}

#[test]
fn lengths_of_something_else() {
    check(&[
        ("uint32_t checksum(const uint8_t *p, uint32_t init, size_t len)", "? value value -> value"),
        ("int repeat(const char *s, int n)", "? value -> value"),
        ("int pad(const char *s, int length)", "? value -> value"),
        ("int puts_n(const char *s, int n)", "? value -> value"),
        ("int random_word(const char *alphabet, int length)", "? value -> value"),
        ("int shm_create(const char *name, size_t size)", "? value -> value"),
        ("int draw(const char *text, int text_size)", "? value -> value"),
        ("int render(const char *utf8, int max_width)", "text value -> value"),
        ("int bitmap(const char *bits, int width, int height)", "? value value -> value"),
        ("int icon(const char *s, int width, int height)", "? value value -> value"),
        ("int blur(const uint8_t *img, int size)", "? value -> value"),
        ("int solve(const unsigned char *board, int size)", "? value -> value"),
        ("int average(const unsigned char *pixels, int count)", "? value -> value"),
        ("int popcount(const uint8_t *bitmap, size_t len)", "? value -> value"),
        ("int hash_bits(const uint8_t *data, size_t databitlen)", "? value -> value"),
        ("int ctr(uint8_t *data, const uint8_t *iv, size_t len)", "? ? value -> value"),
        ("int init(const uint8_t *iv, size_t data_len)", "? value -> value"),
        ("int each(const uint8_t *data, int len, int stride)", "? value value -> value"),
        ("int two(const uint8_t *src, size_t n, size_t src_len)", "? value value -> value"),
        ("int both(const uint8_t *src, size_t src_len, size_t srcSize)", "? value value -> value"),
        ("int wait_on(HANDLE object, size_t len)", "? value -> value"),
        ("int equal(const char *expected, const char *actual, size_t actual_len)", "? bytes len(1) -> value"),
        ("int mlock(const void *__addr, size_t __len)", "? value -> value"),
        ("void chunk_start(const uint8_t *chunk_name, uint32_t length)", "? value -> void"),
        ("void glObjectPtrLabel(const void *ptr, int length, const char *label)", "? value ? -> void"),
        ("int xcb_put_image_sizeof(const void *_buffer, uint32_t data_len)", "? value -> value"),
        ("int cmp(const char *a, const void *b, size_t n)", "? ? value -> value"),
        // Bits.
        (
            "int der_encode_raw_bit_string(const uint8_t *in, size_t inlen, uint8_t *out, size_t *outlen)",
            "? value ? ? -> value",
        ),
        (
            "int der_encode_ia5_string(const uint8_t *in, size_t inlen, uint8_t *out, size_t *outlen)",
            "bytes len(0) out lenptr(2) -> value",
        ),
        // Filled, whatever the header says.
        (
            "int smbc_getxattr(const char *url, const char *name, const void *value, size_t size)",
            "text text ? value -> value",
        ),
        ("unsigned int lzo_align_gap(const void *p, size_t size)", "? value -> value"),
        // Of some kinds the bits, of others nothing.
        (
            "int asn1_write_value(int node, const char *name, const void *ivalue, int len)",
            "value text ? value -> value",
        ),
        ("int xor_into(uint8_t *out, const uint8_t *in, size_t len)", "? ? value -> value"),
        (
            "int image_write(const char *name, int w, int h, const void *data, int stride_in_bytes)",
            "? value value ? value -> value",
        ),
    ]);
}

#[test]
fn lengths_that_hold() {
    check(&[
        ("int put(const char *key, const void *value, size_t value_len)", "text ? value -> value"),
        ("int save(const char *path, const void *data, size_t size)", "text bytes len(1) -> value"),
        ("int find(const char *text, const void *data, size_t len)", "? ? value -> value"),
        (
            "int encode(const char *in, int in_len, char *out, int out_len)",
            "bytes len(0) changed len(2) -> value",
        ),
        ("int parse(const char *buf, size_t size)", "bytes len(0) -> value"),
        ("int parse(const char *str, size_t len)", "bytes len(0) -> value"),
        ("int utf8_valid(const char *s, size_t nbytes)", "bytes len(0) -> value"),
        ("int feed(const unsigned char *pData, unsigned long cbData)", "bytes len(0) -> value"),
        ("int feed(size_t src_len, const uint8_t *src)", "len(1) bytes -> value"),
        ("int feed(size_t len, const uint8_t *src)", "value ? -> value"),
        (
            "int sign(const uint8_t *msg, size_t msg_len, const uint8_t key[32])",
            "bytes len(0) data[32] -> value",
        ),
    ]);
}

#[test]
fn texts() {
    check(&[
        ("int set_option(const char *name, int value)", "text value -> value"),
        ("int names_add(const char *name, int type, const char *data)", "? value ? -> value"),
        ("int server_init(const char *name)", "? -> value"),
        ("const char *thr_indent_string(const char *v)", "? -> ?"),
        ("void use(const char *title)", "? -> void"),
        ("void log_line(const char *line)", "text -> void"),
        ("const char *find(const char *name)", "text -> text"),
        ("const char *faulty_environment(const char *name)", "text -> text"),
        ("void setprogname(const char *name)", "? -> void"),
        ("void log_set_prefix(int level, const char *prefix)", "value ? -> void"),
        ("int tune(const char *preset, int knob)", "? value -> value"),
        ("int search(const char *haystack, int start, const char *needle)", "text value text -> value"),
        ("int parse(const char *begin, const char *end)", "? ? -> value"),
        ("int parse(const char *p, const char *pe)", "? ? -> value"),
        ("int parse(const char *str, const char *strend)", "? ? -> value"),
        ("int parse(const char *p, const char *q)", "? ? -> value"),
        ("int parse(const unsigned char *begin, const char *end)", "? ? -> value"),
        ("long g_utf8_pointer_to_offset(const char *str, const char *pos)", "? ? -> value"),
        ("long offset(const char *text, const char *cursor)", "? ? -> value"),
        ("long offset(const char *base, const char *ptr)", "? ? -> value"),
        ("long span(const char *lo, const char *hi)", "? ? -> value"),
        ("long span(const char *from, const char *to)", "? ? -> value"),
        ("int convert(const char *to, const char *name)", "text text -> value"),
        ("int ask(const char *table, const char *where)", "text text -> value"),
        ("int parse(const char *s, int)", "? value -> value"),
        ("int at(const char *s, size_t index)", "? value -> value"),
        ("int digest(const char *data)", "? -> value"),
        ("uint32_t decode_fixed32(const char *ptr)", "? -> value"),
        ("int64_t str_to_int64(const char *s)", "text -> value"),
        ("int eat(const octet_t *s)", "? -> value"),
        ("int eat(LPCSTR s)", "text -> value"),
        ("int eat(token_t s)", "? -> value"),
        ("int style(const char *fmt) format", "? -> value"),
        ("int iso(const char *in, int *inlen)", "? ? -> value"),
        ("int logmsg(enum level level, const char *text, bool loud)", "value text value -> value"),
        ("int head(const char s[1])", "? -> value"),
        ("int parse(const unsigned char *text)", "? -> value"),
        ("int parse(const xmlChar *text)", "text -> value"),
        ("int parse(const xmlChar *text, int len)", "bytes len(0) -> value"),
        ("int parse(const guchar *text)", "? -> value"),
    ]);
}

#[test]
fn returned_texts() {
    check(&[
        ("const char *next(const char *cursor)", "text -> text"),
        ("const char *skip(const char *str, size_t len)", "bytes len(0) -> ?"),
        ("const char *get(int id, size_t *len)", "value ? -> ?"),
        ("const char *slice(int id, size_t len)", "value value -> ?"),
        ("const char *section_data(int id)", "value -> ?"),
        ("const xmlChar *title(int id)", "value -> text"),
        ("const guchar *title(int id)", "value -> ?"),
        ("const char *strdup_of(int id)", "value -> ?"),
        ("const char *fresh(int id) malloc", "value -> ?"),
        ("token_t issue(int id)", "value -> ?"),
        ("const unsigned char *text(int id)", "value -> ?"),
        ("char *join(const char *a, const char *b)", "text text -> ?"),
    ]);
}

#[test]
fn memory_that_is_filled_or_counts_letters() {
    check(&[
        (
            "int lgetxattr(const char *path, const char *name, const void *value, size_t size)",
            "text text ? value -> value",
        ),
        ("int attr_query(int fd, const void *value, size_t size)", "? ? value -> value"),
        ("int UTF8Strsize(const unsigned char *utf, int len)", "? value -> value"),
        ("int text_width(const unsigned char *data, size_t len)", "? value -> value"),
        ("int check(const unsigned char *utf8, size_t nbytes)", "bytes len(0) -> value"),
    ]);
}

#[test]
fn counted_numbers() {
    check(&[
        ("int sum(const int *v, int n)", "? value -> value"),
        ("int sum(const int *values, int count)", "bytes count(0) -> value"),
        ("double mean(const double *values, size_t num_values)", "bytes count(0) -> value"),
        ("int index_of(const int *items, size_t count, int value)", "bytes count(0) value -> value"),
        ("int sum(const int *values, size_t len)", "? value -> value"),
        ("double area(const double *points, int count)", "? value -> value"),
        ("double det(const double *a, int n)", "? value -> value"),
        ("double polyval(const double *values, int count)", "? value -> value"),
        ("double dot(const double *a, const double *b, size_t count)", "? ? value -> value"),
        ("double mean(const double *values, size_t count, size_t stride)", "? value value -> value"),
        ("double mix(const float *values, int count, int taps)", "? value value -> value"),
        ("double mean(const double values[8])", "data[8] -> value"),
        ("double mean(const double values[8], int count)", "? value -> value"),
        ("double weigh(const bool *items, size_t nitems)", "bytes count(0) -> value"),
    ]);
}

#[test]
fn out_buffers() {
    check(&[
        ("int export_print(unsigned char *out, size_t *out_len)", "out lenptr(0) -> value"),
        ("int get(const char *name, char *dest, size_t *dest_size)", "text ? ? -> value"),
        (
            "int compress(const char *input, size_t input_length, char *compressed, size_t *compressed_length)",
            "bytes len(0) out lenptr(2) -> value",
        ),
        ("int flip(unsigned char *data, size_t *data_len)", "? ? -> value"),
        ("int make(void *out, size_t *out_len)", "? ? -> value"),
        ("int make(char *out, size_t *written)", "? changing -> value"),
        ("int make(char *out, size_t *out_len, size_t out_size)", "? ? value -> value"),
        ("int make(char *out, size_t *out_len, size_t max)", "? ? value -> value"),
        ("int make(size_t *out_len, char *out)", "? ? -> value"),
        ("int make(char *out, const size_t *out_len)", "? ? -> value"),
    ]);
}

#[test]
fn descriptors_are_no_numbers() {
    check(&[
        ("int fsync(int fd)", "? -> value"),
        ("int isatty(int __fd)", "? -> value"),
        ("int aio_use(int fildes, int filedes)", "? ? -> value"),
        ("int listen(int socket, int backlog)", "? value -> value"),
        ("int bind(int sockfd, int in_fd, int file_descriptor)", "? ? ? -> value"),
        // Of bytes, numbers with a fraction, and what counts or describes descriptors.
        ("int f(uint8_t descriptor)", "value -> value"),
        ("int f(double fd)", "value -> value"),
        ("int f(int nfds, int fd_flags, int socket_count)", "value value value -> value"),
        ("int f(int)", "value -> value"),
    ]);
}
