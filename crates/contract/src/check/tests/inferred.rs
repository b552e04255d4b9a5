//! Contracts and inference together: short contracts are enough, and what is missing can be pasted.

use super::support::{ZLIB, api, bound, contract, run};
use crate::check::Selection;

/// The name of a role and what it refers to, as in `length-of 2`.
fn roles(function: &serde_json::Value) -> Vec<String> {
    let params = function["params"].as_array().unwrap().iter().map(|param| &param["role"]["value"]);
    let name = |role: &serde_json::Value| {
        let index = role["param"].as_u64().map(|index| format!(" {index}")).unwrap_or_default();
        format!("{}{index}", role["role"].as_str().unwrap())
    };
    params.chain([&function["result"]["value"]]).map(name).collect()
}

#[test]
fn short_contracts_are_enough() {
    let zstd = [
        "size_t ZSTD_compress(void *dst, size_t dstCapacity, const void *src, size_t srcSize, int level)",
        "unsigned ZSTD_isError(size_t code)",
    ];
    let lz4 = ["int LZ4_compress_default(const char *src, char *dst, int srcSize, int dstCapacity)"];
    for (declarations, name, lines, expect) in [
        (
            ZLIB,
            "compress2",
            r#"params.dest = { out = "buffer", capacity = "compressBound(sourceLen)", length = "destLen" }
error = { fails = "nonzero", message = "zError(result)" }"#,
            vec!["buffer-out", "length-pointer-of 0", "buffer-in", "length-of 2", "value", "status"],
        ),
        (
            &zstd,
            "ZSTD_compress",
            r#"params.dst = { out = "buffer", size = "dstCapacity", length = "result" }
error = { fails = "ZSTD_isError(result)" }"#,
            vec!["buffer-out", "capacity-of 0", "buffer-in", "length-of 2", "value", "length-of 0"],
        ),
        (
            &lz4,
            "LZ4_compress_default",
            r#"params.src = { in = "buffer", length = "srcSize" }
params.dst = { out = "buffer", size = "dstCapacity", length = "result" }
error = { fails = "zero" }"#,
            vec!["buffer-in", "buffer-out", "length-of 0", "capacity-of 1", "length-of 1"],
        ),
    ] {
        let function = bound(&api(declarations), &format!("[function.{name}]\n{lines}\n"), name);
        assert_eq!(roles(&function), expect, "{name}");
    }
}

/// A length that would be dropped when it is negative: what it means is asked for, and can be said.
#[test]
fn a_negative_length_means_something() {
    let read = ["int f(unsigned char *buf, size_t n)"];
    let dst = |more: &str| {
        format!(
            "[function.f]\nparams.buf = {{ out = \"buffer\", size = \"n\", length = \"result\" }}\n{more}\n"
        )
    };
    let open = |declarations: &[&str], lines: &str| {
        let checked = run(&api(declarations), &contract(lines), Selection::Only("f")).unwrap();
        checked
            .interface
            .left_out
            .first()
            .map(|out| (out.reason.clone(), out.help.clone().unwrap_or_default()))
    };
    let rule = r#"error = { fails = "negative" } # or "never", when it cannot be negative"#;
    for lines in [dst(""), dst(r#"result = { out = "ignored" }"#)] {
        let (reason, help) = open(&read, &lines).expect("must be open");
        assert!(reason.contains("what a negative result means"), "{reason}");
        assert_eq!(help, format!("[function.f]\n{rule}"));
    }
    // Both lines are proposed together, and the second one only where there is no such line.
    let read = ["int f(void *pixels, size_t n)"];
    let (_, help) = open(&read, "").expect("must be open");
    assert!(help.contains(r#"length = "result" }"#) && help.ends_with(&format!("\n{rule}")), "{help}");
    let (_, help) = open(&read, "[function.f]\nerror = { fails = \"zero\" }\n").expect("must be open");
    assert!(help.contains(r#"length = "result" }"#) && !help.contains("error"), "{help}");
    let read = ["int f(unsigned char *buf, size_t n)"];
    for said in [
        r#"error = { fails = "negative" }"#,
        r#"error = { fails = "never" }"#,
        r#"error = { fails = "result == -1" }"#,
        r#"result = { out = "value" }"#,
    ] {
        assert_eq!(open(&read, &dst(said)), None, "{said}");
    }
    // The same where bytes of wide elements are counted, or the number is computed with.
    let wide = ["int f(short *buf, int n)"];
    for length in [r#"length = "result", unit = "bytes""#, r#"length = "result * 2""#] {
        let lines = |more: &str| {
            format!("[function.f]\nparams.buf = {{ out = \"buffer\", size = \"n\", {length} }}\n{more}\n")
        };
        for more in ["", r#"result = { out = "ignored" }"#] {
            let (reason, help) = open(&wide, &lines(more)).expect("must be open");
            assert!(reason.contains("what a negative result means"), "{reason}");
            assert_eq!(help, format!("[function.f]\n{rule}"));
        }
        for said in [r#"error = { fails = "never" }"#, r#"result = { out = "value" }"#] {
            assert_eq!(open(&wide, &lines(said)), None, "{said}");
        }
    }
    let unsigned = ["size_t f(unsigned char *buf, size_t n)"];
    assert_eq!(open(&unsigned, &dst("")), None);
    let unsigned = ["size_t f(void *pixels, size_t n)"];
    let (_, help) = open(&unsigned, "").expect("must be open");
    assert!(!help.contains("error"), "{help}");
}

/// What is left out as undecided is bound with the help in the contract.
#[test]
fn help_can_be_pasted() {
    let declarations = [
        "int f1(unsigned char *dest, unsigned long *destLen, const unsigned char *source, unsigned long sourceLen)",
        "int f2(void *a)",
        "char *f3(void)",
        "int f4(unsigned char digest[32])",
        "int f5(char *buf, int size)",
        "int f6(const char *a, const char *b, int n)",
        "int f7(char **out)",
        "int f8(struct point *p, callback c)",
        "void *f9(size_t n)",
        "int f10(int *value)",
        "int f11(double *x, size_t n)",
        "size_t f12(void *dst, size_t dstCapacity, const void *src, size_t srcSize)",
        "int f13(const void *a)",
        "struct point *f14(int n)",
        "int f15(const char *data)",
        "int f16(short *a, int *n)",
        "int f17(const short *a)",
        "int f18(char **out, char **more)",
        "char *f19_dup(int n)",
    ];
    let api = api(&declarations);
    let mut pasted = 0;
    for function in &api.functions {
        let open = run(&api, &contract(""), Selection::Only(&function.name)).unwrap();
        let Some(help) = open.interface.left_out.first().and_then(|out| out.help.clone()) else {
            continue;
        };
        let text = contract(&format!("{}\n", help.replace('…', "4")));
        let closed = run(&api, &text, Selection::Only(&function.name));
        let closed = closed.unwrap_or_else(|found| panic!("{}", crate::render(&found, &text, false)));
        let left: Vec<_> = closed.interface.left_out.iter().map(|out| &out.reason).collect();
        assert!(left.is_empty(), "{}: {left:?}\n{text}", function.signature());
        pasted += 1;
    }
    assert!(pasted > 5, "{pasted}");
}

#[test]
fn what_may_be_a_place_in_a_text_is_not_suggested_to_be_one() {
    let declarations = [
        "const char *tag_get_start(db *d, int n)",
        "const char *tag_get_end(db *d, int n)",
        "const char *tag_get_data(db *d, int n)",
    ];
    let help = |name: &str| {
        let checked =
            run(&api(&declarations), &contract("[handle]\ndb = {}\n"), Selection::Only(name)).unwrap();
        checked.interface.left_out.first().unwrap().help.clone()
    };
    assert_eq!(help("tag_get_start"), None);
    assert_eq!(help("tag_get_end"), None);
    assert!(help("tag_get_data").is_some());
}

#[test]
fn a_function_that_the_library_calls_is_suggested_with_what_it_is_given() {
    let declarations = [
        "int db_scan(db *d, flagged each, void *user)",
        "void db_set_scan(db *d, flagged each, void *user)",
        "int db_scan_named(db *d, gathers each, void *user)",
        "int db_compare(db *d, row each, void *user)",
        "int db_release(db *d, none each, void *user)",
    ];
    let help = |name: &str, lines: &str| {
        let text = contract(&format!("[handle]\ndb = {{}}\n{lines}"));
        let checked = run(&api(&declarations), &text, Selection::Only(name)).unwrap();
        checked.interface.left_out.first().map(|out| out.help.clone().unwrap())
    };
    let flagged =
        r#"user_data = "user", on_failure = -1, params = { data = { in = "buffer", length = "n" } } }"#;
    for (name, line) in [
        ("db_scan", format!("{{ callback = \"call\", {flagged} # or {{ fixed = \"NULL\" }}")),
        (
            "db_set_scan",
            format!(
                "{{ callback = \"kept\", {flagged} # or \"call\" when it is over with the call, or {{ fixed = \"NULL\" }}"
            ),
        ),
        (
            "db_scan_named",
            "{ callback = \"call\", user_data = \"user\", params = { data = { in = \"buffer\", length = \"n\" }, \
             more = { string = \"utf-8\" } } } # or { fixed = \"NULL\" }"
                .to_owned(),
        ),
    ] {
        let lines = format!("[function.{name}]\nparams.each = {line}");
        let proposed = help(name, "").unwrap();
        assert!(proposed.contains(&lines), "{name}: {proposed}");
        assert_eq!(help(name, &format!("{proposed}\n")), None, "{name}");
    }
    // Lists, and what releases what the library kept.
    for name in ["db_compare", "db_release"] {
        let proposed = help(name, "").unwrap();
        assert!(proposed.contains("params.each = { fixed = \"NULL\" }"), "{name}: {proposed}");
    }
}
