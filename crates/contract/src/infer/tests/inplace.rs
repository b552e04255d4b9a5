//! Memory that may be written: data, arrays, numbers and structures that go in and come out.

use hotcell_model::types::{CType, Type};

use super::library::{check as check_in, header, known};
use super::{Verdict, check, describe, empty, infer_in, prototype};

#[test]
fn data_with_its_length_is_changed_in_place() {
    check(&[
        ("int random_bytes(unsigned char *buf, size_t len)", "changed len(0) -> value"),
        (
            "int decode(const char *src, char *dst, int srcSize, int dstCapacity)",
            "bytes changed len(0) len(1) -> value",
        ),
        ("long read(int fd, void *buf, size_t count)", "? ? value -> value"),
        ("long read(int fd, void *buf, size_t n)", "? changed len(1) -> value"),
        ("int cipher_decrypt(unsigned char *data, size_t len)", "changed len(0) -> value"),
        // Nothing says that the library is done with it, that it is read piece by piece, or that there is no more room than is used.
        ("void bpool(void *buffer, long len)", "? value -> void"),
        ("int trace_ring(void *buf, size_t size)", "? value -> value"),
        ("int pkcs_pad(unsigned char *buf, size_t len)", "? value -> value"),
        ("int url_encode(char *str, size_t len)", "? value -> value"),
        // Two share the length, or the length has another name.
        ("int cipher(const unsigned char *in, unsigned char *out, size_t len)", "? ? value -> value"),
        ("int decode(const char *src, char *dst, int originalSize)", "? ? value -> value"),
        // Elements of several bytes, bits, an address, what is named.
        ("int fill(unsigned char *pixels, int count)", "? value -> value"),
        ("int get_bits(unsigned char *buf, size_t len, int bits)", "? value value -> value"),
        ("int unmap(void *addr, size_t len)", "? value -> value"),
        // The library may keep it, or take it.
        ("int set_buffer(char *buf, size_t size)", "? value -> value"),
        ("int pool_add(void *mem, size_t size)", "? value -> value"),
        ("void free_sized(void *ptr, size_t size)", "? value -> void"),
        ("int heap_create(void *mem, size_t size)", "? value -> value"),
    ]);
    let others = ["stream *stream_new(void)", "void stream_free(stream *s)"];
    check_in(
        &others,
        &[
            ("int stream_read(stream *s, void *buf, size_t len)", "object changed len(1) -> value"),
            ("int stream_attach(stream *s, void *buf, size_t len)", "object ? value -> value"),
            ("int stream_read_dma(stream *s, void *buf, size_t len)", "object ? value -> value"),
            ("int stream_read_ahead(stream *s, void *buf, size_t len)", "object ? value -> value"),
            (
                "int compress_fast_continue(stream *s, const char *src, char *dst, int srcSize, int dstCapacity)",
                "object ? ? value value -> value",
            ),
            ("int stream_turn(stream *s, void *buf, size_t len)", "object ? value -> value"),
            ("stream *stream_open_memory(void *buf, size_t len)", "? value -> ?"),
        ],
    );
}

#[test]
fn an_array_with_a_length_in_brackets_is_changed_in_place() {
    check(&[
        ("void generate(unsigned char out[16])", "changed[16] -> void"),
        ("void uuid_clear(uuid_t uu)", "changed[16] -> void"),
        ("int pipe_ends(int fds[2])", "? -> value"),
        ("void shared_state(unsigned state[64])", "? -> void"),
        ("void generate(unsigned char out[1])", "? -> void"),
        ("void generate(unsigned char out[16], size_t out_len)", "? value -> void"),
        ("void set_table(unsigned char table[256])", "? -> void"),
    ]);
}

#[test]
fn a_number_under_the_name_of_one_is_changed_in_place() {
    check(&[
        ("int get_size(int id, int *width, int *height)", "value changing changing -> value"),
        ("int last_error(int *errnum)", "changing -> value"),
        ("void split(double *ri, double *ii)", "? ? -> void"),
        ("unsigned xoshiro_next(unsigned *state)", "? -> value"),
        ("void bounds(float *min, float *max)", "? ? -> void"),
        ("int read_line(int y, unsigned short *line)", "value ? -> value"),
        ("void row_widths(int *width)", "? -> void"),
        ("void version(int *major, int *minor)", "changing changing -> void"),
        ("void enable_counter(int *status)", "? -> void"),
        ("int get_widths(int *widths)", "? -> value"),
        ("int get(int *width, int n)", "? value -> value"),
        ("int watch(int *status)", "? -> value"),
        ("int take(char *buf, size_t *len)", "? ? -> value"),
    ]);
}

#[test]
fn a_structure_of_numbers_that_callers_have_one_of_goes_in_and_out() {
    let one = &["int config_init(plain_config *config)"];
    check_in(
        one,
        &[
            ("int sf_get_airy(double x, plain_result *result)", "value structure(InOut) -> value"),
            ("int config_check(const plain_config *config)", "structure(In) -> value"),
            ("int points(plain_point *points)", "? -> value"),
            ("double poly_get(unsigned corners, const plain_point *pt)", "value ? -> value"),
            ("void palette_get(plain_point *palette)", "? -> void"),
            ("int sum(const plain_point *p, int n)", "? value -> value"),
            ("int set_delta(plain_point *delta)", "? -> value"),
            ("int sum(plain_point p[3])", "? -> value"),
        ],
    );
    // The library makes them, hands them out, or has arrays of them.
    for other in ["plain_point *first(void)", "int first(plain_point **p)", "int all(plain_point p[3])"] {
        check_in(&[other], &[("int use_point(int id, const plain_point *p)", "value ? -> value")]);
    }
}

#[test]
fn a_place_in_memory_is_one_number() {
    check(&[
        (
            "int decode(const unsigned char *in, size_t *in_pos, size_t in_size, unsigned char *out, size_t *out_pos, size_t out_size)",
            "bytes changing len(0) changed changing len(3) -> value",
        ),
        // There is no such memory, nothing says how much there is, or it is counted in rows.
        ("int decode(const unsigned char *in, size_t *vli_pos, size_t in_size)", "bytes ? len(0) -> value"),
        ("int decode(const unsigned char *in, size_t *in_pos)", "? ? -> value"),
        ("int decode(const int *rows, size_t *rows_pos, size_t n_rows)", "? ? value -> value"),
    ]);
}

#[test]
fn an_array_that_a_function_is_called_after_is_changed_in_place() {
    check(&[
        ("void swab_array_of_short(uint16_t *wp, size_t n)", "changed count(0) -> void"),
        ("void SwabArrayOfLong(uint32_t *lp, size_t n)", "changed count(0) -> void"),
        // Bytes and their like, more numbers, those that are kept, and those of which each is several.
        ("void swab_array(unsigned char *cp, size_t n)", "? value -> void"),
        ("void swab_array(uint16_t *wp, size_t size)", "? value -> void"),
        ("void swab_array(uint16_t *wp, size_t n, int step)", "? value value -> void"),
        ("void set_array(uint16_t *wp, size_t n)", "? value -> void"),
        ("void fft_array(double *wp, size_t n)", "? value -> void"),
        ("void draw_array(uint16_t *points, size_t n)", "? value -> void"),
        ("void swab(uint16_t *wp, size_t n)", "? value -> void"),
    ]);
}

#[test]
fn settings_that_a_function_is_called_after_are_not_kept() {
    check_in(
        &[],
        &[
            ("int plain_config_init(plain_config *config)", "structure(InOut) -> value"),
            ("int plain_config_preset(plain_config *config, int level)", "structure(InOut) value -> value"),
            ("int plain_validate_config(const plain_config *config)", "structure(In) -> value"),
            // What others wait for is known by where it is, and what a function is not called after may be kept.
            ("int plain_lock_init(plain_lock *lock)", "? -> value"),
            ("int set_defaults(plain_config *config)", "? -> value"),
            ("int plain_config_init(plain_config *config, list *l)", "? ? -> value"),
        ],
    );
}

/// The help for the first gap of the first function.
fn help(declarations: &[&str]) -> String {
    let api = header(declarations);
    let function = api.functions[0].clone();
    let mut draft = empty(&function);
    match infer_in(&function, &api, &known(&api), &mut draft) {
        Verdict::Open(gaps) => gaps[0].help.clone().unwrap_or_default(),
        Verdict::Unsupported(reason) => panic!("{reason}"),
    }
}

#[test]
fn texts_that_come_out_are_given_back_by_what_takes_them() {
    let suggest = "int spell_suggest(spell *s, char ***list, const char *word)";
    let others = ["spell *spell_new(int a, int b)", "void spell_end(spell *s)"];
    let with = |more: &[&'static str]| help(&[&[suggest], &others[..], more].concat());
    assert_eq!(
        with(&["void spell_free_list(spell *s, char ***list, int n)"]),
        r#"params.list = { out = "texts", length = "result", release = "spell_free_list(s, list, result)" }"#
    );
    assert_eq!(
        with(&["void free_list(char **list, int n)"]),
        r#"params.list = { out = "texts", length = "result", release = "free_list(list, result)" }"#
    );
    // Two may be meant, or none takes the number, or one needs what this function is not given.
    let null = r#"params.list = { fixed = "NULL" }"#;
    assert_eq!(with(&["void free_list(char **l, int n)", "void free_all(char ***l, int n)"]), null);
    assert_eq!(with(&["void free_list(char **list)"]), null);
    assert_eq!(with(&["void other_free_list(other *o, char **list, int n)"]), null);
}

#[test]
fn a_returned_array_of_bytes_is_as_long_as_its_type_says() {
    let returned = |declaration: &str, element: &str, length: u64| {
        let mut function = prototype::parse(declaration);
        let array = Type::Array {
            element: Box::new(prototype::parse(&format!("{element} f(void)")).result),
            length: Some(length),
        };
        let pointee = CType { written: "seal".into(), canonical: "seal".into(), kind: array };
        let kind = Type::Pointer { pointee: Box::new(pointee), constant: true };
        function.result = CType { kind, ..function.result };
        let mut draft = empty(&function);
        let api = prototype::api(&[&function]);
        infer_in(&function, &api, &known(&api), &mut draft);
        describe(&draft, &Verdict::Open(Vec::new()))
    };
    assert_eq!(returned("int find_seal(int code)", "uint8_t", 16), "value -> array");
    // There may be many of numbers, of what is called so, and one may be a place in what goes in.
    assert_eq!(returned("int find_seal(int code)", "float", 3), "value -> ?");
    assert_eq!(returned("int find_seals(int code)", "uint8_t", 16), "value -> ?");
    assert_eq!(returned("int find_seal(const uint8_t key[16])", "uint8_t", 16), "data[16] -> ?");
}

#[test]
fn one_number_goes_beside_a_function_for_an_array_of_them() {
    check_in(
        &["void swab_array_of_short(uint16_t *wp, size_t n)"],
        &[
            ("void swab_short(uint16_t *wp)", "changing -> void"),
            ("void swab_short(short *wp)", "? -> void"),
            ("void swab_long(uint16_t *wp)", "? -> void"),
            ("void swab_short(uint16_t *wp, int flags)", "? value -> void"),
        ],
    );
    // Of what is several numbers there are arrays too, and not every integer counts.
    check_in(
        &[
            "void quat_normalize_array(float *q, int n)",
            "void swab_array_of_float(float *fp, int n)",
            "void swab_array_of_short(uint16_t *wp, int stride)",
            "void set_array_of_long(uint32_t *wp, int n)",
        ],
        &[
            ("void quat_normalize(float *q)", "? -> void"),
            ("void swab_float(float *fp)", "changing -> void"),
            ("void swab_short(uint16_t *wp)", "? -> void"),
            ("void set_long(uint32_t *wp)", "? -> void"),
        ],
    );
}
