//! What objects may keep, what comments say, and lines about objects.

use super::library::{check, header, known};
use super::{described, empty, infer_in, prototype};

#[test]
fn objects_may_keep_data() {
    let others = ["void ctx_free(ctx *c)", "void mem_free(mem *m)"];
    check(
        &others,
        &[
            ("int gzwrite(ctx *c, const void *buf, unsigned len)", "object bytes len(1) -> value"),
            ("int SHA256_Update(ctx *c, const void *data, size_t len)", "object bytes len(1) -> value"),
            ("size_t ctx_count(const ctx *c, const void *data, size_t len)", "object bytes len(1) -> value"),
            ("mem *mem_new(const void *buf, size_t len)", "? value -> owned"),
            (
                "size_t ctx_refPrefix(ctx *c, const void *prefix, size_t prefixSize)",
                "object ? value -> value",
            ),
            ("int ctx_loadDict(ctx *c, const char *dict, int dictSize)", "object ? value -> value"),
            (
                "int input_string(struct open_parser *p, const unsigned char *input, size_t size)",
                "? ? value -> value",
            ),
            ("int zmq_send_const(ctx *c, const void *buf, size_t len)", "object ? value -> value"),
            ("size_t compressBegin(ctx *c, const void *dict, size_t dictSize)", "object ? value -> value"),
            ("void uring_prep_write(ctx *c, const void *buf, unsigned nbytes)", "object ? value -> void"),
            ("int set_key(ctx *c, const unsigned char key[32])", "object ? -> value"),
            ("int set_weights(ctx *c, const double *values, size_t count)", "object ? value -> value"),
        ],
    );
}

/// What a text is called, or the function after it, may be how it is had from then on.
#[test]
fn objects_may_keep_what_they_are_called() {
    for word in "alias banner caption feed hold input keep label prompt record remember rename retain rewind source stash tag title".split(' ') {
        let declaration = format!("int ctx_{word}(ctx *c, const char *text)");
        check(&["void ctx_free(ctx *c)"], &[(&declaration, "object ? -> value")]);
    }
    for word in "alias banner caption label locale prompt title".split(' ') {
        let declaration = format!("int lib_{word}(const char *text)");
        check(&["void ctx_free(ctx *c)"], &[(&declaration, "? -> value")]);
    }
    // What is called like data need not end with a NUL, and each of several may be several numbers.
    for word in "body chunk ciphertext fourcc plaintext records samples secret signature utf16".split(' ') {
        let declaration = format!("const char *ctx_{word}(const ctx *c)");
        check(&["void ctx_free(ctx *c)"], &[(&declaration, "object -> ?")]);
    }
    for word in "pair pairs quads ranges segments triples intervals".split(' ') {
        let declaration = format!("int lib_{word}(const int *ids, int count)");
        check(&["void ctx_free(ctx *c)"], &[(&declaration, "? value -> value")]);
    }
}

#[test]
fn texts_that_may_be_the_callers_are_asked_for() {
    for name in ["ctx_alloc_name", "ctx_make_text", "ctx_create_label", "ctx_new_name", "ctx_dup_name"] {
        let declaration = format!("const char *{name}(const ctx *c)");
        check(&["void ctx_free(ctx *c)"], &[(&declaration, "object -> ?")]);
    }
    let see = |doc: &str| described(&["const char *ctx_text(const ctx *c)", "void ctx_free(ctx *c)"], doc);
    for doc in [
        "Returns a string to be released with ctx_release().",
        "Returns a string; free it.",
        "A string, which has to be freed.",
        "Release it when done.",
        "Free this when it is no use any more.\nFree it.",
        "Four bytes without terminator.",
        "Four bytes, no terminator.",
        "Bytes without a terminating zero.",
    ] {
        assert_eq!(see(doc), "object -> ?", "{doc}");
    }
    for doc in ["The text must not be freed.", "Do not free it.", "Never to be released.", "The text."] {
        assert!(see(doc).ends_with(" -> text"), "{doc}");
    }
}

#[test]
fn comments_say_that_memory_is_used_on() {
    let see = |declaration: &str, doc: &str| described(&[declaration, "void ctx_free(ctx *c)"], doc);
    let (read, write) = (
        "int ctx_read(ctx *c, unsigned char *buf, size_t len)",
        "int ctx_write(ctx *c, const void *buf, size_t len)",
    );
    for doc in [
        "Reads in the background.",
        "Works asynchronously; completion is told by ctx_poll().",
        "The buffer is used from now on.",
        "The memory is mapped.",
        "Non-blocking.",
        "The library references the buffer.",
        "From then on the buffer is that of the device.",
        "The buffer is in use behind it.",
        "It is polled.",
        "It is used in place.",
        "It must remain valid.",
    ] {
        assert_eq!(see(read, doc), "object ? value -> value", "{doc}");
        assert_eq!(see(write, doc), "object ? value -> value", "{doc}");
    }
    let number = "int adc_go(int ch, int *value)";
    for doc in [
        "@param[out] value receives the value once adc_done() is true",
        "Starts in the background.\n\n@param[out] value the value",
        "@param[out] value incremented for each packet",
        "@param[out] value counts while the transfer runs",
        "@param[out] value is there until the next call",
        "@param[out] value the value, later",
    ] {
        assert_eq!(see(number, doc), "value ? -> value", "{doc}");
    }
    assert_eq!(see(number, "@param[out] value the value"), "value number -> value");
    assert_eq!(see(read, "Reads at once."), "object changed len(1) -> value");
}

/// What nothing comes of is copied, or kept, and what memory is used as may be what a function is called after.
#[test]
fn the_library_may_keep_data() {
    check(
        &["void ctx_free(ctx *c)"],
        &[
            ("void lib_source(const unsigned char *buf, size_t len)", "? value -> void"),
            ("void lib_input(const unsigned char *data, size_t len)", "? value -> void"),
            ("void lib_font(const unsigned char *data, int length)", "? value -> void"),
            ("void lib_icon(const void *data, size_t len, int kind)", "? value value -> void"),
            ("void lib_rules(const char *text, size_t text_len)", "? value -> void"),
            ("void lib_matrix(const float m[16])", "? -> void"),
            ("int ctx_write_source(ctx *c, const void *buf, size_t len)", "object ? value -> value"),
            ("int ctx_print_template(ctx *c, const void *buf, size_t len)", "object ? value -> value"),
            ("int ctx_lookup_table(ctx *c, const void *data, size_t len)", "object ? value -> value"),
            ("int ctx_verify_list(ctx *c, const void *data, size_t len)", "object ? value -> value"),
            ("int lib_send_queue(const void *data, size_t len)", "? value -> value"),
            ("int lib_register_rom(const unsigned char *data, size_t length)", "? value -> value"),
            ("int lib_use_font(const unsigned char *data, size_t length)", "? value -> value"),
            ("int lib_set_dictionary(const unsigned char *dict, size_t dict_len)", "? value -> value"),
            ("int lib_load(const unsigned char *data, size_t length)", "? value -> value"),
            ("int mod_key(const unsigned char key[16])", "? -> value"),
            ("int mod_palette(const unsigned char palette[48])", "? -> value"),
            ("int lib_attach_all(const void *data, size_t len)", "? value -> value"),
            ("unsigned lib_crc(const unsigned char *buf, size_t len)", "bytes len(0) -> value"),
            ("void lib_write(const unsigned char *buf, size_t len)", "bytes len(0) -> void"),
            ("int ctx_write(ctx *c, const void *buf, size_t len)", "object bytes len(1) -> value"),
        ],
    );
}

#[test]
fn objects_may_keep_texts() {
    let others = ["void item_free(item *i)", "void ctx_free(ctx *c)"];
    check(
        &others,
        &[
            ("item *item_get(const ctx *c, const char *key)", "object text -> ?"),
            ("int ctx_exec(ctx *c, const char *sql)", "object text -> value"),
            ("item *item_open(const char *path, const char *mode)", "text text -> owned"),
            ("int ctx_load_file(ctx *c, const char *filename)", "object text -> value"),
            ("item *item_create_string_reference(const char *string)", "? -> owned"),
            ("int bind_pointer(ctx *c, const char *type)", "object ? -> value"),
            ("int parse_uri(struct open_uri *u, const char *text)", "? ? -> value"),
            (
                "void uring_prep_rename(ctx *c, const char *oldpath, const char *newpath)",
                "object ? ? -> void",
            ),
            ("int table_enter(ctx *c, const char *key)", "object ? -> value"),
            ("int ctx_reader_new_doc(ctx *c, const char *doc, const char *url)", "object ? text -> value"),
            ("item *item_for_text(const char *text)", "? -> ?"),
            ("void source_set_static_name(ctx *c, const char *name)", "object ? -> void"),
            ("void js_pushliteral(ctx *c, const char *v)", "object ? -> void"),
            ("void js_pushstring(ctx *c, const char *v)", "object ? -> void"),
            ("void tim_start(const char *name)", "? -> void"),
            ("void log_to(const char *ident, int level)", "? value -> void"),
            ("void prs_register(const char *symbol, const char *concrete)", "? ? -> void"),
            ("void free_slstring(const char *s)", "? -> void"),
            ("item *item_new_static(const char *name)", "? -> ?"),
            ("const char *TIFFSetFileName(ctx *c, const char *name)", "object ? -> ?"),
            ("int req_error(ctx *c, unsigned long error, const char *location)", "object value ? -> value"),
            ("item *item_new_reference(const char *name, int mode)", "? value -> owned"),
        ],
    );
}

#[test]
fn comments_say_what_comes_out() {
    let see = |declaration: &str, doc: &str| described(&[declaration], doc);
    for (declaration, doc, expect) in [
        (
            "int env_get_fd(const env *e, int *fd)",
            "@param[in] e x\n@param[out] fd The descriptor.",
            "object number -> value",
        ),
        (
            "int f(int *major, int *minor)",
            "\\param[out] major Major.\n\\param[out]  minor Minor.",
            "number number -> value",
        ),
        (
            "int get_x(const env *g, double *x)",
            "@param [out] x Place for the result",
            "object number -> value",
        ),
        ("int f(int *n)", "@param n [out] the number", "? -> value"),
        ("int f(int *n)", "@param[in,out] n the number", "changing -> value"),
        ("int f(int *n)", "param[out] n the number", "? -> value"),
        ("int f(int *m)", "@param[out] n the number", "? -> value"),
        ("int f(short *pcm, int frame_size)", "@param[out] pcm Output signal", "? value -> value"),
        ("int f(int *n)", "@param[out] n an array of four", "? -> value"),
        ("int f(int *n)", "@param[out] n The 3 numbers", "? -> value"),
        ("int f(double *values)", "@param[out] values What was found", "? -> value"),
        ("int f(short size[48])", "@param[out] size The size", "changed[48] -> value"),
        ("int f(const int *n)", "@param[out] n the number", "? -> value"),
        ("int f(unsigned char *n)", "@param[out] n the number", "? -> value"),
        ("int f(char *buf, size_t *size)", "@param[out] buf x\n@param[out] size the size", "? ? -> value"),
    ] {
        assert_eq!(see(declaration, doc), expect, "{declaration} {doc}");
    }
}

#[test]
fn help_names_both_ways() {
    let help = |others: &[&str], declaration: &str| {
        let all: Vec<&str> = others.iter().copied().chain([declaration]).collect();
        let api = header(&all);
        let function = prototype::parse(declaration);
        let verdict = infer_in(&function, &api, &known(&api), &mut empty(&function));
        match verdict {
            crate::infer::Verdict::Open(gaps) => {
                gaps.iter().map(|gap| gap.help.clone().unwrap_or_default()).collect::<Vec<_>>().join("\n")
            }
            other => panic!("{declaration}: {other:?}"),
        }
    };
    let free = ["void item_free(item *i)"];
    let without = "without `until` when the library copies it";
    for (declaration, expect) in [
        (
            "item *item_map(const void *buf, size_t len)",
            r#"{ in = "buffer", length = "len", until = "result" } #"#,
        ),
        (
            "int item_map(const char *buf, size_t len, item **made)",
            r#"{ in = "buffer", length = "len", until = "made" } # or { string = "utf-8" };"#,
        ),
        ("void item_set_name(item *i, const char *name)", r#"{ string = "utf-8", until = "i" } #"#),
    ] {
        let said = help(&free, declaration);
        assert!(said.contains(&format!("{expect} {without}")), "{declaration}: {said}");
    }
    // No object ends it.
    let said = help(&free, "void tim_start(const char *name)");
    assert!(said.contains(r#"{ string = "utf-8", until = "none" } #"#), "{said}");
    // What an object fills later has no line, and what a structure keeps goes with it.
    let flow = ["int full_flow_init(full_flow *f)", "void full_flow_delete(full_flow *f)"];
    let said = help(&flow, "void full_flow_set_output(full_flow *f, unsigned char *output, size_t size)");
    assert!(!said.contains("params.output"), "{said}");
    let said = help(&flow, "void full_flow_set_input(full_flow *f, const unsigned char *input, size_t size)");
    assert!(said.contains(r#"{ in = "buffer", length = "size", until = "f" } #"#), "{said}");
    // The end of a range is no text, and a range that is kept has no line.
    let said = help(&free, "item *item_new(const char *begin, const char *end)");
    assert!(!said.contains("params.begin") && !said.contains("params.end"), "{said}");
    for (others, declaration, expect) in [
        (
            &free[..],
            "int db_add(db *d, item *i)",
            r#"params.i = { in = "handle", until = "d" } # or { in = "consumed" }"#,
        ),
        (&free, "int db_link_to(db *d, item *i)", r#"params.i = { in = "handle", until = "d" } # or"#),
        (&free, "int db_use(int n, item *i)", r#"params.i = { in = "consumed" } # or"#),
        (&free, "int db_visit(db *d, item *i)", r#"params.i = { in = "handle" } # or { in = "consumed" }"#),
        (&free, "int box_delete(db *d)", r#"params.d = { in = "consumed" } # or { in = "handle" }"#),
        (&free, "int txn_commit(db *d)", r#"params.d = { in = "handle" } # or { in = "consumed" }"#),
        (
            &free,
            "int fetch(item **out)",
            r#"params.out = { out = "owned" } # or { out = "borrowed", parent = "none" }"#,
        ),
        (
            &[],
            "int make(db **out)",
            r#"params.out = { out = "borrowed", parent = "none" } # or { out = "owned" } with"#,
        ),
        (
            &free,
            "item *find_item(void)",
            r#"result = { out = "owned" } # or { out = "borrowed", parent = "none" }"#,
        ),
        (
            &[],
            "int parse(const char *text, const char **end)",
            r#"params.end = { out = "offset", of = "text" }"#,
        ),
        (
            &["void lib_free(void *p)"],
            "int f(char **message)",
            r#"params.message = { out = "text" } # or { out = "text", release = "lib_free" }"#,
        ),
        (
            &["void lib_free(void *p)"],
            "char *dump(int n)",
            r#"result = { string = "utf-8" } # or { string = "utf-8", release = "lib_free" }"#,
        ),
        (
            &[],
            "int f(unsigned char **data, size_t *data_len)",
            r#"params.data = { out = "data", length = "data_len" }"#,
        ),
        (&[], "int f(void (*done)(void *), void *user)", r#"params.done = { fixed = "NULL" }"#),
    ] {
        let found = help(others, declaration);
        assert!(found.contains(expect), "{declaration}\n  expected {expect}\n  found    {found}");
    }
}
