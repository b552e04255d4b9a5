//! Structures that callers make, which one function begins and another one ends.

use super::library::{check, header, known};
use super::{describe, empty, infer_in, prototype};

const OTHERS: &[&str] = &["int full_flow_init(full_flow *f, int level)", "void full_flow_end(full_flow *f)"];

#[test]
fn what_is_begun_is_used_and_ended() {
    check(
        OTHERS,
        &[
            ("int full_flow_init(full_flow *f, int level)", "begun(full_flow_end) value -> value"),
            ("void full_flow_end(full_flow *f)", "over -> void"),
            (
                "int full_flow_init2(full_flow *f, int level, int flow_size)",
                "begun(full_flow_end) value fixed -> value",
            ),
            ("int full_flow_run(full_flow *f, int mode)", "resident value -> value"),
            ("int full_flow_compare(const full_flow *a, const full_flow *b)", "resident resident -> value"),
            ("void full_flow_swap(full_flow *a, full_flow *b)", "resident resident -> void"),
        ],
    );
}

#[test]
fn what_may_begin_end_or_keep_one_is_asked_for() {
    check(
        OTHERS,
        &[
            // `inflateCopy(dest, source)`, `mpz_roinit_n(x, …)`, `mpz_array_init(x, n, bits)`.
            ("int full_flow_copy(full_flow *dest, full_flow *source)", "? ? -> value"),
            ("int full_flow_reinit(full_flow *f)", "? -> value"),
            ("int full_buffer_run(full_flow *f)", "? -> value"),
            ("int full_flow_array_init(full_flow *f, int n, int level)", "? value value -> value"),
            ("int full_flow_close(full_flow *f, int now)", "? value -> value"),
            ("int full_flow_run_all(full_flow *f, size_t count)", "? value -> value"),
            ("int list_add(list *l, full_flow *f)", "object ? -> value"),
        ],
    );
}

#[test]
fn nothing_is_begun_without_its_mirror() {
    // Of these some are ended twice, made by the library, or not begun at all.
    for others in [
        vec!["void full_flow_end(full_flow *f)"],
        vec![
            "int full_flow_init(full_flow *f)",
            "void full_flow_end(full_flow *f)",
            "void full_flow_free(full_flow *f)",
        ],
        vec!["int full_flow_init(full_flow *f)", "void full_flow_end(full_flow *f, int now)"],
        vec!["int full_flow_init(full_flow *f)", "void full_pipe_end(full_flow *f)"],
        vec!["int full_flow_init(full_flow *f)", "void full_flow_end(full_flow *f)", "int sum(full_flow f)"],
    ] {
        check(&others, &[("int full_flow_run(full_flow *f, int mode)", "? value -> value")]);
    }
}

/// What becomes of a function among these, where the header has an initial value; `%` in a declaration is before its comment.
fn initialised(values: &str, declarations: &[&str], name: &str) -> String {
    among(declarations, name, &[("FULL_FLOW_INIT", values)])
}

/// What becomes of a function among these; `%` in a declaration is before its comment.
fn commented(declarations: &[&str], name: &str) -> String {
    among(declarations, name, &[])
}

fn among(declarations: &[&str], name: &str, initializers: &[(&str, &str)]) -> String {
    let all: Vec<(&str, &str)> =
        declarations.iter().map(|text| text.split_once('%').unwrap_or((text, ""))).collect();
    let mut api = header(&all.iter().map(|(declaration, _)| *declaration).collect::<Vec<_>>());
    for (function, (_, doc)) in api.functions.iter_mut().zip(&all) {
        function.doc = Some((*doc).to_owned()).filter(|doc| !doc.is_empty());
    }
    let own = initializers.iter().map(|(name, values)| ((*name).to_owned(), (*values).to_owned()));
    api.initializers.extend(own);
    let function =
        api.functions.iter().find(|function| function.name == name).expect("it is declared").clone();
    let mut draft = empty(&function);
    let verdict = infer_in(&function, &api, &known(&api), &mut draft);
    describe(&draft, &verdict)
}

#[test]
fn what_a_macro_initialises_is_begun_by_what_says_so() {
    const FLOW: &[&str] = &[
        "int full_encoder(full_flow *f, int level)%Takes one that is at least initialized with FULL_FLOW_INIT.",
        "int full_decoder(full_flow *f)%A properly prepared flow.",
        "int full_code(full_flow *f, int action)%Codes.",
        "int full_index_encoder(full_flow *f, const index *i)%A properly prepared flow.",
        "int full_index_check(full_flow *f, const index *i)%Checks.",
        "void full_end(full_flow *f)%Ends one that is at least FULL_FLOW_INIT.",
    ];
    let zero = "{ NULL, 0, { 0.0, 0L }, .next = 0 }";
    for (name, expect) in [
        ("full_encoder", "begun(full_end) value -> value"),
        ("full_decoder", "begun(full_end) -> value"),
        ("full_code", "resident value -> value"),
        ("full_end", "over -> void"),
        // What begins may go on reading the index.
        ("full_index_encoder", "begun(full_end) ? -> value"),
        ("full_index_check", "resident object -> value"),
    ] {
        assert_eq!(initialised(zero, FLOW, name), expect, "{name}");
    }
    // It is not zero, nothing says what begins one, or two may end it.
    assert_eq!(initialised("{ NULL, 1 }", FLOW, "full_code"), "? value -> value");
    assert_eq!(initialised("{ NULL, here }", FLOW, "full_code"), "? value -> value");
    assert_eq!(initialised(zero, &[FLOW[2], FLOW[4], FLOW[5]], "full_code"), "? value -> value");
    assert_eq!(initialised(zero, &FLOW[..5], "full_code"), "? value -> value");
    let two = [FLOW, &["void full_close(full_flow *f)"]].concat();
    assert_eq!(initialised(zero, &two, "full_code"), "? value -> value");
}

#[test]
fn what_goes_on_with_anothers_memory_is_asked_for() {
    check(
        OTHERS,
        &[("int full_flow_view(const full_flow *src, int x, full_flow *dst)", "? value ? -> value")],
    );
}

#[test]
fn what_closes_something_of_a_structure_is_not_its_end() {
    const INIT: &str = "int full_flow_init(full_flow *f)";
    const CLOSE: &str = "int full_flow_close(full_flow *f)";
    const DELETE: &str = "void full_flow_delete(full_flow *f)";
    const OPEN: &str = "int full_flow_open(full_flow *f)";
    let of = |declarations: &[&str], expect: [&str; 3]| {
        let names = ["full_flow_init", "full_flow_close", "full_flow_delete"];
        for (name, expect) in names.into_iter().zip(expect).filter(|(_, expect)| !expect.is_empty()) {
            assert_eq!(commented(declarations, name), expect, "{name} of {declarations:?}");
        }
    };
    // It is deleted, and closed before.
    let deleted = ["begun(full_flow_delete) -> value", "resident -> value", "over -> void"];
    of(&[INIT, OPEN, CLOSE, DELETE], deleted);
    of(&[INIT, "int full_flow_close(full_flow *f)%Closes it. This does not free it.", DELETE], deleted);
    of(&[INIT, "int full_flow_close(full_flow *f)%Then call full_flow_delete().", DELETE], deleted);
    // What is closed is the end where nothing says otherwise.
    of(&[INIT, CLOSE], ["begun(full_flow_close) -> value", "over -> value", ""]);
    // Nothing is called like the end, or the comments say different things.
    of(&[INIT, OPEN, CLOSE], ["? -> value", "? -> value", ""]);
    of(&[INIT, CLOSE, DELETE], ["? -> value", "? -> value", "? -> void"]);
    let elsewhere = "int full_flow_init(full_flow *f)%To be destroyed by full_flows_free().";
    of(&[elsewhere, CLOSE, "void full_flows_free(full_flow *f)"], ["? -> value", "? -> value", ""]);
}

#[test]
fn what_comes_out_of_a_function_may_begin_with_it() {
    let loads = "int full_flow_load(full_flow *f, int from)";
    for (doc, expect) in [
        ("Loads. @param[in,out] f A flow.", "resident value -> value"),
        ("Loads. @param[out] f An empty flow.", "? value -> value"),
    ] {
        let loads = format!("{loads}%{doc}");
        assert_eq!(commented(&[OTHERS, &[&loads]].concat(), "full_flow_load"), expect, "{doc}");
    }
}

#[test]
fn what_says_that_it_initializes_may_begin() {
    let cases = [
        ("\\brief       Initialize raw decoder", "? value -> value"),
        ("Initialises the flow anew.", "? value -> value"),
        ("Initialized the flow for decoding.", "? value -> value"),
        ("(Re-)initialise a flow.", "? value -> value"),
        ("This function re-initializes the flow.", "? value -> value"),
        ("Allocates and initializes a flow. It runs.", "? value -> value"),
        ("Runs a flow. Nothing initializes it.", "resident value -> value"),
        ("Initialized and ready flows run.", "resident value -> value"),
        ("Must not be called before you initialize the flow.", "resident value -> value"),
        ("Doesn't initialize the flow, and runs it.", "resident value -> value"),
        ("Runs what was initialized.", "resident value -> value"),
        ("Initialized by full_flow_init(), and run.", "resident value -> value"),
    ];
    let declaration = "int full_flow_raw(full_flow *f, int mode)";
    let api = header(&[OTHERS, &[declaration]].concat());
    for (doc, expect) in cases {
        let mut function = prototype::parse(declaration);
        function.doc = Some(doc.into());
        let mut draft = empty(&function);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        assert_eq!(describe(&draft, &verdict), expect, "{doc}");
    }
}

#[test]
fn memory_behind_pointers_is_the_librarys_where_its_functions_do_everything() {
    let cmp = "int digits_cmp(const digits_t *a, const digits_t *b)";
    let begun = ["int digits_init(digits_t *a)", "void digits_clear(digits_t *a)", cmp];
    let used: Vec<String> =
        ["mul", "neg"].map(|verb| format!("int digits_{verb}(digits_t *c, const digits_t *a)")).into();
    let used: Vec<String> =
        used.into_iter().chain((0..6).map(|n| format!("int digits_use{n}(digits_t *a, int n)"))).collect();
    let all = |count: usize| -> Vec<&str> {
        begun.into_iter().chain(used[..count].iter().map(String::as_str)).collect()
    };
    let add = "int digits_add(const digits_t *a, const digits_t *b, digits_t *c)";
    check(
        &all(8),
        &[
            ("int digits_init(digits_t *a)", "begun(digits_clear) -> value"),
            ("void digits_clear(digits_t *a)", "over -> void"),
            (add, "resident resident resident -> value"),
        ],
    );
    // Of a structure that few functions take, callers may have to fill the memory.
    check(&all(3), &[(add, "? ? ? -> value")]);
}

#[test]
fn an_end_frees_what_a_begin_of_its_name_begins_in_the_same_words() {
    let ended = |init: &str, clear: &str| {
        let (init, clear) =
            (format!("int full_init(full_flow *f)%{init}"), format!("void full_clear(full_flow *f)%{clear}"));
        let all = [
            init.as_str(),
            "int full_init_size(full_flow *f, int size)",
            clear.as_str(),
            "int full_add(full_flow *f, int by)%Adds.",
        ];
        ["full_clear", "full_add"].map(|name| commented(&all, name))
    };
    let end = ["over -> void", "resident value -> value"];
    assert_eq!(ended("init a bignum", "free a bignum"), end);
    assert_eq!(ended("Initializes the big number.", "Frees a big number."), end);
    let none = |init: &str, clear: &str| {
        let [cleared, added] = ended(init, clear);
        assert!(cleared != end[0] && added != end[1], "{init:?}, {clear:?}: {cleared}, {added}");
    };
    // Another thing, one of several, a part, or what is no memory.
    none("Initializes a heap.", "Frees a bignum.");
    none("Initializes a spare bignum.", "Frees a spare bignum.");
    none("Initializes the lock.", "Frees the lock.");
    none("Initializes the digits of a bignum.", "Frees the digits of a bignum.");
    none("init bignums, all of them", "free bignums, all of them");
    none("Initializes a bignum.", "Frees a bignum. It can be used again.");
    none("Initializes a bignum.", "Clears a bignum.");
    none("Reads a bignum.", "Frees a bignum.");
    none("", "Frees a bignum.");
}
