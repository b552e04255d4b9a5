//! Callbacks that move the next bytes of a stream.

use serde_json::json;

use super::support::{api, bound, line, refused};

/// What is said of a callback of type `ty` with these keys, and these of its parameters.
#[track_caller]
fn said(ty: &str, keys: &str, params: &str, expect: &str) {
    let text = format!(
        "params.cb = {{ callback = \"call\", user_data = \"user\", {keys}, params = {{ {params} }} }}"
    );
    line(&[&format!("void f({ty} cb, void *user)")], &text, expect);
}

const INTO: &str = r#"into = { out = "buffer", capacity = "room", length = "result" }"#;

#[test]
fn a_stream_has_its_bytes_in_one_place_and_nothing_besides() {
    said(
        "reads",
        "stream = \"read\", on_failure = -1",
        "into = { in = \"buffer\", length = \"room\" }",
        "5:54: `cb` has no memory to be filled = add `params.… = { out = \"buffer\", capacity = \"…\", length = \"result\" }` \
         inside of the item",
    );
    said(
        "reads",
        "stream = \"write\", on_failure = -1",
        INTO,
        "5:54: `cb` has no data = add `params.… = { in = \"buffer\", length = \"…\" }` inside of the item",
    );
    let data = "data = { in = \"buffer\", length = \"n\" }";
    said(
        "shorts",
        "stream = \"write\", on_failure = -1",
        data,
        "5:54: `data` (`const short *`) is not bytes, and a stream is = leave `stream` out",
    );
    said(
        "flagged",
        "stream = \"write\", on_failure = -1",
        data,
        "5:54: `cb` gets `flags` besides, which a stream knows nothing of = leave `stream` out",
    );
    said(
        "gathers",
        "stream = \"write\"",
        &format!("{data}, more = {{ in = \"buffer\", length = \"m\" }}"),
        "5:54: `cb` has data twice: `more` too = leave `stream` out",
    );
    said(
        "reads",
        "stream = \"both\", on_failure = -1",
        INTO,
        "5:63: `stream` cannot be \"both\" [unknown word] = `stream` is one of `read` and `write`",
    );
}

#[test]
fn what_counts_bytes_is_an_integer() {
    let data = "data = { in = \"buffer\", length = \"n\" }";
    let into = "into = { out = \"buffer\", capacity = \"n\", length = \"result\" }";
    for (ty, result) in [("agrees", "_Bool"), ("grades", "enum level")] {
        said(
            ty,
            "stream = \"write\", on_failure = 0",
            data,
            &format!("5:54: `cb` returns `{result}`, which is no number of bytes = leave `stream` out"),
        );
        said(
            &format!("{ty}_into"),
            "stream = \"read\", on_failure = 0",
            into,
            &format!("5:107: the callback returns `{result}`, which is no number of elements"),
        );
    }
    // Of one that returns a number that is none more is wrong.
    let contract = format!(
        "[function.f]\nparams.cb = {{ callback = \"call\", user_data = \"user\", stream = \"write\", params = {{ {data} }} }}\n"
    );
    let found = refused(&api(&["void f(measures cb, void *user)"]), &contract);
    assert!(found.contains("`cb` returns `double`, which is no number of bytes"), "{found}");
}

#[test]
fn a_stream_is_in_the_interface() {
    let contract = format!(
        "[function.f]\nparams.cb = {{ callback = \"call\", user_data = \"user\", on_failure = -1, stream = \"read\", params = {{ {INTO} }} }}\n"
    );
    let function = bound(&api(&["void f(reads cb, void *user)"]), &contract, "f");
    assert_eq!(function["params"][0]["role"]["value"]["callback"]["stream"], json!("read"));
    // Where nothing is said nothing is there.
    let function =
        bound(&api(&["void f(reads cb, void *user)"]), &contract.replace(", stream = \"read\"", ""), "f");
    assert_eq!(function["params"][0]["role"]["value"]["callback"].get("stream"), None);
}
