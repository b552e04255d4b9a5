//! What contracts make of functions.

use serde_json::{Value, json};

use super::support::{ZLIB, api, bound, check, contract, roles, run};
use crate::check::Selection;

fn param(index: usize) -> Value {
    json!({"expr": "param", "index": index})
}

fn call(function: &str, arg: Value) -> Value {
    json!({"expr": "call", "function": function, "args": [arg]})
}

#[test]
fn compress2_computes_its_capacity() {
    let lines = r#"
[function.compress2]
params.dest = { out = "buffer", capacity = "compressBound(sourceLen)", length = "destLen" }
params.source = { in = "buffer", length = "sourceLen" }
params.level = { in = "value" }
error = { fails = "nonzero", message = "zError(result)" }
deadline = "2s"
idempotent = true
"#;
    let params = json!([
        {"role": "buffer-out", "capacity": {"capacity": "elements", "size": call("compressBound", param(3))},
         "result": {"result": "pointer", "param": 1}, "valid_on_error": false},
        {"role": "length-pointer-of", "param": 0, "unit": "bytes"},
        {"role": "buffer-in", "nullable": false, "length": null},
        {"role": "length-of", "param": 2, "unit": "bytes"},
        {"role": "value"},
    ]);
    let function = check(ZLIB, lines, "compress2", params, json!({"role": "status"}));
    let rule = json!({"fails": {"fails": "nonzero"}, "message": call("zError", json!({"expr": "result"})),
        "code": null, "symbols": null});
    assert_eq!(function["error"]["value"], rule);
    assert_eq!(function["error"]["line"], 9);
    assert_eq!(function["params"][0]["role"]["evidence"], "decided");
    assert_eq!(function["params"][0]["role"]["line"], 6);
    assert_eq!((&function["deadline_ms"], &function["idempotent"]), (&json!(2000), &json!(true)));
    assert_eq!(function["layout"]["args"]["size"], 24);
    assert_ne!(function["fingerprint"], "0".repeat(64));
}

#[test]
fn uncompress_is_given_its_capacity() {
    let lines = r#"
[function.uncompress]
params.dest = { out = "buffer", length = "destLen" }
params.source = { in = "buffer", length = "sourceLen" }
error = { fails = "result != 0" }
result = { out = "status" }
"#;
    let params = json!([
        {"role": "buffer-out", "capacity": {"capacity": "caller"},
         "result": {"result": "pointer", "param": 1}, "valid_on_error": false},
        {"role": "length-pointer-of", "param": 0, "unit": "bytes"},
        {"role": "buffer-in", "nullable": false, "length": null},
        {"role": "length-of", "param": 2, "unit": "bytes"},
    ]);
    check(ZLIB, lines, "uncompress", params, json!({"role": "status"}));
}

#[test]
fn zstd_returns_the_length_or_an_error() {
    let declarations = [
        "size_t ZSTD_compress(void *dst, size_t dstCapacity, const void *src, size_t srcSize, int level)",
        "size_t ZSTD_compressBound(size_t srcSize)",
        "unsigned ZSTD_isError(size_t code)",
        "const char *ZSTD_getErrorName(size_t code)",
    ];
    let result = json!({"expr": "result"});
    for (capacity, expect) in [
        (
            r#"capacity = "ZSTD_compressBound(srcSize)", size = "dstCapacity""#,
            json!({"capacity": "elements", "size": call("ZSTD_compressBound", param(3))}),
        ),
        (r#"capacity = "dstCapacity""#, json!({"capacity": "caller"})),
        (r#"size = "dstCapacity""#, json!({"capacity": "caller"})),
    ] {
        let lines = format!(
            r#"
[function.ZSTD_compress]
params.src = {{ in = "buffer", length = "srcSize" }}
params.dst = {{ out = "buffer", {capacity}, length = "result" }}
params.level = {{ in = "value" }}
error = {{ fails = "ZSTD_isError(result)", message = "ZSTD_getErrorName(result)" }}
"#
        );
        let params = json!([
            {"role": "buffer-out", "capacity": expect, "result": {"result": "returned"}, "valid_on_error": false},
            {"role": "capacity-of", "param": 0, "unit": "bytes"},
            {"role": "buffer-in", "nullable": false, "length": null},
            {"role": "length-of", "param": 2, "unit": "bytes"},
            {"role": "value"},
        ]);
        let function =
            check(&declarations, &lines, "ZSTD_compress", params, json!({"role": "length-of", "param": 0}));
        let condition = call("ZSTD_isError", result.clone());
        assert_eq!(function["error"]["value"]["fails"], json!({"fails": "when", "condition": condition}));
    }
}

#[test]
fn lz4_and_bzip2() {
    let lz4 = "int LZ4_compress_default(const char *src, char *dst, int srcSize, int dstCapacity)";
    let lines = r#"
[function.LZ4_compress_default]
params.src = { in = "buffer", length = "srcSize" }
params.dst = { out = "buffer", capacity = "LZ4_compressBound(srcSize)", size = "dstCapacity", length = "result" }
error = { fails = "zero" }
"#;
    let bound_by = json!({"capacity": "elements", "size": call("LZ4_compressBound", param(2))});
    let params = json!([
        {"role": "buffer-in", "nullable": false, "length": null},
        {"role": "buffer-out", "capacity": bound_by, "result": {"result": "returned"}, "valid_on_error": false},
        {"role": "length-of", "param": 0, "unit": "bytes"},
        {"role": "capacity-of", "param": 1, "unit": "bytes"},
    ]);
    let declarations = [lz4, "int LZ4_compressBound(int inputSize)"];
    check(&declarations, lines, "LZ4_compress_default", params, json!({"role": "length-of", "param": 1}));

    let bzip2 = "int BZ2_bzBuffToBuffCompress(char *dest, unsigned *destLen, char *source, unsigned sourceLen, int level)";
    let lines = r#"
[function.BZ2_bzBuffToBuffCompress]
params.dest = { out = "buffer", capacity = "sourceLen + sourceLen / 100 + 600", length = "destLen" }
params.source = { in = "buffer", length = "sourceLen" }
params.level = { in = "value" }
error = { fails = "nonzero" }
"#;
    let function = bound(&api(&[bzip2]), lines, "BZ2_bzBuffToBuffCompress");
    let (params, result) = roles(&function);
    assert_eq!(params[2], json!({"role": "buffer-in", "nullable": false, "length": null}));
    assert_eq!(params[0]["capacity"]["size"]["op"], "add");
    assert_eq!(result, json!({"role": "status"}));
}

#[test]
fn every_item_has_its_role() {
    let value_out = json!({"role": "value-out", "valid_on_error": false});
    for (declaration, lines, params, result) in [
        (
            "void f(const char *text, int n)",
            r#"params.text = { string = "bytes", length = "n", nullable = true }"#,
            json!([{"role": "text", "encoding": "bytes", "nullable": true},
                   {"role": "length-of", "param": 0, "unit": "bytes"}]),
            json!({"role": "void"}),
        ),
        (
            "void f(struct point *p, callback c)",
            "params.p = { fixed = \"NULL\" }\nparams.c = { fixed = \"(callback)0\" }",
            json!([{"role": "fixed", "c": "NULL"}, {"role": "fixed", "c": "(callback)0"}]),
            json!({"role": "void"}),
        ),
        (
            "int f(int *a, double *b)",
            "params.a = { out = \"value\", valid_on_error = true }\nparams.b = { inout = \"value\" }\nresult = { out = \"value\" }",
            json!([{"role": "value-out", "valid_on_error": true},
                   {"role": "value-in-out", "valid_on_error": false}]),
            json!({"role": "value"}),
        ),
        (
            "void f(const float *a, const float *b, int n)",
            "params.a = { in = \"buffer\", length = \"n\" }\nparams.b = { in = \"buffer\", length = \"n\" }",
            json!([{"role": "buffer-in", "nullable": false, "length": null},
                   {"role": "buffer-in", "nullable": false, "length": param(2)},
                   {"role": "length-of", "param": 0, "unit": "elements"}]),
            json!({"role": "void"}),
        ),
        (
            "void f(const short *a, int n)",
            r#"params.a = { in = "buffer", length = "n", unit = "bytes", nullable = true }"#,
            json!([{"role": "buffer-in", "nullable": true, "length": null},
                   {"role": "length-of", "param": 0, "unit": "bytes"}]),
            json!({"role": "void"}),
        ),
        (
            "void f(const int *a)",
            r#"params.a = { in = "buffer", length = 4 }"#,
            json!([{"role": "buffer-in", "nullable": false, "length": {"expr": "int", "value": 4}}]),
            json!({"role": "void"}),
        ),
        (
            "void f(const int *in, unsigned char *out, int n)",
            "params.out = { out = \"buffer\", capacity = \"n\" }\nparams.in = { in = \"buffer\", length = \"n\" }",
            json!([{"role": "buffer-in", "nullable": false, "length": null},
                   {"role": "buffer-out", "capacity": {"capacity": "elements", "size": param(2)},
                    "result": {"result": "full"}, "valid_on_error": false},
                   {"role": "length-of", "param": 0, "unit": "elements"}]),
            json!({"role": "void"}),
        ),
        (
            "void f(unsigned char *out, int n)",
            r#"params.out = { out = "buffer", length = "n" }"#,
            json!([{"role": "buffer-out", "capacity": {"capacity": "caller"},
                    "result": {"result": "full"}, "valid_on_error": false},
                   {"role": "capacity-of", "param": 0, "unit": "bytes"}]),
            json!({"role": "void"}),
        ),
        (
            "void f(unsigned char digest[32])",
            r#"params.digest = { out = "buffer", valid_on_error = true }"#,
            json!([{"role": "buffer-out", "capacity": {"capacity": "elements", "size": {"expr": "int", "value": 32}},
                    "result": {"result": "full"}, "valid_on_error": true}]),
            json!({"role": "void"}),
        ),
        (
            "void f(char *out, int *n)",
            "params.out = { out = \"buffer\", capacity = \"LIMIT * 2\", length = \"n\" }\nparams.n = { out = \"value\" }",
            json!([{"role": "buffer-out",
                    "capacity": {"capacity": "elements", "size": {"expr": "binary", "op": "mul",
                        "left": {"expr": "constant", "name": "LIMIT"}, "right": {"expr": "int", "value": 2}}},
                    "result": {"result": "elements", "size": param(1)}, "valid_on_error": false},
                   value_out.clone()]),
            json!({"role": "void"}),
        ),
        (
            "void f(char *out)",
            r#"params.out = { out = "buffer", capacity = "sizeof(struct  point)", length = "text" }"#,
            json!([{"role": "buffer-out",
                    "capacity": {"capacity": "elements", "size": {"expr": "size-of", "ctype": "struct point"}},
                    "result": {"result": "text"}, "valid_on_error": false}]),
            json!({"role": "void"}),
        ),
        (
            "void f(short *data, size_t *n)",
            r#"params.data = { inout = "buffer", length = "n" }"#,
            json!([{"role": "buffer-in-out", "nullable": false, "length": null,
                    "result": {"result": "pointer", "param": 1}, "valid_on_error": false},
                   {"role": "length-pointer-of", "param": 0, "unit": "elements"}]),
            json!({"role": "void"}),
        ),
        (
            "int f(char *data, int n)",
            r#"params.data = { inout = "buffer", length = "n", result = "result", nullable = true, valid_on_error = true }
error = { fails = "negative" }"#,
            json!([{"role": "buffer-in-out", "nullable": true, "length": null,
                    "result": {"result": "returned"}, "valid_on_error": true},
                   {"role": "length-of", "param": 0, "unit": "bytes"}]),
            json!({"role": "length-of", "param": 0}),
        ),
        (
            "char *f(void)",
            r#"result = { string = "utf-8", nullable = true, release = "free" }"#,
            json!([]),
            json!({"role": "text", "encoding": "utf8", "length": null, "nullable": true,
                   "ownership": {"ownership": "owned", "release": "free"}}),
        ),
        (
            "const float *f(int *n)",
            "params.n = { out = \"value\" }\nresult = { out = \"buffer\", length = \"n\" }",
            json!([value_out.clone()]),
            json!({"role": "buffer", "length": param(0), "nullable": false, "ownership": {"ownership": "library"}}),
        ),
        (
            "const float *f(int *n)",
            "params.n = { out = \"value\" }\nresult = { out = \"buffer\", length = \"n\", nullable = true }",
            json!([value_out]),
            json!({"role": "buffer", "length": param(0), "nullable": true, "ownership": {"ownership": "library"}}),
        ),
    ] {
        check(&[declaration], &format!("[function.f]\n{lines}\n"), "f", params, result);
    }
}

#[test]
fn bytes_of_wide_elements_become_elements() {
    let lines = r#"
[function.f]
params.a = { out = "buffer", capacity = "LIMIT", length = "result", unit = "bytes" }
result = { out = "value" }
"#;
    let function = bound(&api(&["int f(short *a)"]), lines, "f");
    let (params, _) = roles(&function);
    let div = |left: Value| json!({"expr": "binary", "op": "div", "left": left, "right": {"expr": "int", "value": 2}});
    let limit = json!({"expr": "constant", "name": "LIMIT"});
    let up = json!({"expr": "binary", "op": "add", "left": limit, "right": {"expr": "int", "value": 1}});
    assert_eq!(params[0]["capacity"]["size"], div(up));
    assert_eq!(params[0]["result"]["size"], div(json!({"expr": "result"})));
}

#[test]
fn failure_is_said_in_five_ways() {
    for (declaration, fails, expect) in [
        ("int f(void)", "nonzero", json!({"fails": "nonzero"})),
        ("int f(void)", "zero", json!({"fails": "zero"})),
        ("int f(void)", "negative", json!({"fails": "negative"})),
        ("char *f(void)", "null", json!({"fails": "null"})),
        ("char *f(void)", "zero", json!({"fails": "null"})),
        ("int f(void)", "errno", json!({"fails": "when", "condition": {"expr": "errno"}})),
    ] {
        let result = if declaration.starts_with("int") { "out = \"value\"" } else { "string = \"utf-8\"" };
        let lines = format!("[function.f]\nresult = {{ {result} }}\nerror = {{ fails = \"{fails}\" }}\n");
        assert_eq!(bound(&api(&[declaration]), &lines, "f")["error"]["value"]["fails"], expect);
    }
}

#[test]
fn an_interface_holds_what_its_functions_use() {
    let api = api(&["int f(enum level x, struct point *unused)", "int g(void)"]);
    let lines = contract(
        "include = [\"f\"]\nlink = [\"./libz.so\"]\n[function.f]\nparams.x = { in = \"value\" }\n\
         params.unused = { fixed = \"NULL\" }\nresult = { out = \"value\" }\n",
    );
    let interface = run(&api, &lines, Selection::Contract).unwrap().interface;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let json: Value = serde_json::from_str(&interface.to_json()).unwrap();
    assert_eq!(keys(&json["enums"]), ["level"]);
    assert_eq!(keys(&json["records"]), Vec::<String>::new());
    assert_eq!(keys(&json["constants"]), ["E_FULL", "E_LOST", "E_OTHER", "LIMIT", "RATIO", "VERSION"]);
    assert_eq!(json["link"], json!(["libz.so.1"]));
    assert_eq!(json["source"]["headers"], json!(["test.h"]));
    assert_eq!(json["functions"].as_array().unwrap().len(), 1);
    assert_eq!(hotcell_model::Interface::from_json(&interface.to_json()).unwrap(), interface);
}

#[test]
fn a_pointer_that_callers_fill_counts_what_goes_in() {
    let lines = r#"
[function.uncompress2]
params.source = { in = "buffer", length = "sourceLen" }
params.sourceLen = { inout = "value" }
error = { fails = "nonzero" }
"#;
    let params = json!([
        {"role": "buffer-out", "capacity": {"capacity": "caller"},
         "result": {"result": "pointer", "param": 1}, "valid_on_error": false},
        {"role": "length-pointer-of", "param": 0, "unit": "bytes"},
        {"role": "buffer-in", "nullable": false, "length": param(3)},
        {"role": "value-in-out", "valid_on_error": false},
    ]);
    let declaration = "int uncompress2(unsigned char *dest, unsigned long *destLen, const unsigned char *source, unsigned long *sourceLen)";
    check(&[declaration], lines, "uncompress2", params, json!({"role": "status"}));
}
