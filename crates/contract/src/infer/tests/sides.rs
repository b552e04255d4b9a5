//! Lengths that say which way what they count goes, and codes that nothing counts.

use super::check;

#[test]
fn a_length_is_of_the_only_memory_that_goes_its_way() {
    check(&[
        (
            "int pack_compress(const char *source, char *dest, int inputSize, int maxOutputSize)",
            "bytes changed len(0) len(1) -> value",
        ),
        (
            "int pack_compress(const void *src, void *dst, int srcSize, int maxDstSize)",
            "bytes changed len(0) len(1) -> value",
        ),
        (
            "size_t decompress(void *dst, size_t dstCapacity, const void *src, size_t compressedSize)",
            "changed len(0) bytes len(2) -> value",
        ),
        // Two go in, or what is compressed comes out.
        (
            "int compress(const char *source, const char *in, char *dest, int inputSize)",
            "? ? ? value -> value",
        ),
        ("int compress(const void *src, void *dst, size_t compressedSize)", "? ? value -> value"),
        // What is unpacked is no text, though nothing says how long it is.
        ("int uncompress(const char *source, char *dest, int outputSize)", "? changed len(1) -> value"),
        // What stands before the memory is read, too.
        (
            "int decompress_withPrefix64k(const char *src, char *dst, int srcSize, int maxDstSize)",
            "bytes ? len(0) value -> value",
        ),
    ]);
}

#[test]
fn a_length_may_stand_before_what_comes_out() {
    check(&[
        ("int encode(size_t *encoded_size, unsigned char *encoded_buffer)", "lenptr(1) out -> value"),
        // `data` is changed in place as often, and a name says whose length it is.
        ("int f(size_t *data_size, unsigned char *data)", "? ? -> value"),
        ("int f(size_t *size, unsigned char *encoded_buffer)", "? ? -> value"),
    ]);
}

#[test]
fn a_length_may_be_called_by_the_first_letter() {
    check(&[
        ("int f(const void *data, int dlen)", "bytes len(0) -> value"),
        ("int f(const void *data, int klen)", "? value -> value"),
        ("int f(const void *data, const void *dict, int dlen)", "? ? value -> value"),
        ("int digest_update(const void *d, size_t cnt)", "bytes len(0) -> value"),
        ("int list_update(const void *d, size_t cnt)", "? value -> value"),
        ("int f_puts(const char *buf)", "text -> value"),
    ]);
}

#[test]
fn a_number_is_got_by_its_type() {
    check(&[
        ("int value_get_int64(int64_t *out)", "changing -> value"),
        ("int value_get_int64(int64_t *out, int64_t *other)", "? ? -> value"),
        ("int value_get_int64(int *out)", "? -> value"),
        ("int color_get_float(float *out)", "? -> value"),
        ("int value_get_int64(int64_t *values)", "? -> value"),
        ("int value_get_int64s(int64_t *out)", "? -> value"),
    ]);
}

#[test]
fn nothing_counts_the_code_of_an_error() {
    check(&[
        ("int f_read(int *errnum, void *buf, int len)", "changing changed len(1) -> value"),
        ("int f_read(int *errors, void *buf, int len)", "? ? value -> value"),
        ("const char *f_error(int *errnum)", "changing -> text"),
    ]);
}

#[test]
fn names_are_digested_by_their_bytes() {
    check(&[
        (
            "void id_generate_md5(unsigned char out[16], const char *name, size_t len)",
            "changed[16] bytes len(1) -> void",
        ),
        ("int id_truncate(const char *name, size_t len)", "? value -> value"),
    ]);
}

#[test]
fn of_a_name_no_part_is_asked_for() {
    check(&[
        ("const char *column_name(int N)", "value -> text"),
        ("const char *column_text(int N)", "value -> ?"),
        ("const char *nid2sn(int n)", "value -> text"),
        ("const char *b2sn(int n)", "value -> ?"),
        ("const char *column_name(int len)", "value -> ?"),
    ]);
}
