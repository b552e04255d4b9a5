//! `hotcell check` from the outside: what it says of every function, and of contracts that are wrong.

use hotcell_e2e::cli::{Folder, committed};
use serde_json::{Value, json};

const REPORT: &str = "\
bound         moon_add    proven
undecided     moon_split  nothing says whether `whole` is read or written, and how many numbers it points to
                            [function.moon_split]
                            params.whole = { out = \"value\" } # or { inout = \"value\" }
unsupported   moon_print  it takes a variable number of arguments (`...`)
not exported  moon_gone   libmoon.so does not export it
bound         moon_sum    inferred
bound         moon_lock   decided

6 functions: 3 bound, 1 undecided, 1 unsupported, 1 not exported; 3 lines decide";

#[test]
fn every_function_in_the_order_of_the_header() {
    let folder = Folder::with_moon();
    folder.hotcell(["check", "bind.toml"]).succeeds().prints(REPORT);
}

#[test]
fn the_same_for_programs() {
    let folder = Folder::with_moon();
    let help = "[function.moon_split]\nparams.whole = { out = \"value\" } # or { inout = \"value\" }";
    let reason = "nothing says whether `whole` is read or written, and how many numbers it points to";
    let function = |name: &str, status: &str, evidence: Value, reason: Value, signature: &str| json!({ "name": name, "status": status, "evidence": evidence, "reason": reason, "signature": signature });
    let bound =
        |name, evidence: &str, signature| function(name, "bound", json!(evidence), Value::Null, signature);
    let out =
        |name, status, reason: &str, signature| function(name, status, Value::Null, json!(reason), signature);
    let mut undecided = out("moon_split", "undecided", reason, "double moon_split(double x, int *whole)");
    undecided["help"] = json!(help);
    let variadic = "it takes a variable number of arguments (`...`)";
    let mut sum =
        bound("moon_sum", "inferred", "unsigned int moon_sum(const unsigned char *data, size_t data_len)");
    sum["rules"] = json!(["bytes-then-length"]);
    let functions = [
        bound("moon_add", "proven", "int moon_add(int a, int b)"),
        undecided,
        out("moon_print", "unsupported", variadic, "int moon_print(const char *format, ...)"),
        out("moon_gone", "not_exported", "libmoon.so does not export it", "int moon_gone(void)"),
        sum,
        bound("moon_lock", "decided", "int moon_lock(unsigned int *where)"),
    ];
    let summary = json!({
        "bound": 3, "undecided": 1, "unsupported": 1, "not_exported": 1, "total": 6, "decided_lines": 3,
    });
    let expect = json!({ "functions": functions, "summary": summary });
    let mut report = folder.hotcell(["check", "bind.toml"]).json();
    let libraries = report.as_object_mut().and_then(|report| report.remove("libraries"));
    assert_eq!(libraries.map(|libraries| libraries[0]["name"].clone()), Some(json!("libmoon.so")));
    assert_eq!(report, expect);
}

#[test]
fn texts_of_nobody_are_told() {
    let folder = Folder::new();
    let header = "char *plate_name(int number);\nchar *plate_label(int number);\n";
    let code = "#include \"plate.h\"\nchar *plate_name(int number) { return number ? \"a\" : \"b\"; }\nchar *plate_label(int number) { return number ? \"red\" : 0; }\n";
    folder.library("plate", header, code);
    let contract = "hotcell = 1\nlibrary = \"plate\"\nheaders = [\"plate.h\"]\nlink = [\"plate\"]\n";
    let check = |lines: &str| {
        folder.write("bind.toml", format!("{contract}{lines}"));
        folder.hotcell(["check", "bind.toml"]).succeeds()
    };
    check("").mentions(
        "2 functions return texts of which nothing says who owns them: copied, and never released, which is a leak where they are the caller's: \
         plate_name, plate_label\n  function.plate_name.result = { string = \"utf-8\", release = \"…\" } # or without `release` when it stays the library's",
    );
    check("function.plate_name.result = { string = \"utf-8\" }\n")
        .mentions("1 function returns a text of which nothing says who owns it: ")
        .mentions("plate_label\n");
    let all = "function.\"plate_*\".result = { string = \"utf-8\" }\n";
    let said = check(all);
    assert!(!said.stdout().contains("nothing says who owns"), "{}", said.stdout());
}

/// The library and what it needs, each with the identity of its build.
#[test]
fn what_a_worker_will_load_is_told_to_programs() {
    let report = Folder::new().hotcell(["check", &committed("examples/zlib/bind.toml")]).json();
    let libraries = report["libraries"].as_array().cloned().unwrap_or_default();
    let names: Vec<_> =
        libraries.iter().map(|library| library["name"].as_str().unwrap_or_default()).collect();
    assert!(names[0] == "libz.so.1" && names.contains(&"libc.so.6"), "{names:?}");
    for library in libraries {
        assert!(library["path"].is_string() && library["build_id"].is_string(), "{library}");
    }
}

#[test]
fn undecided_functions_fail_only_when_asked_to() {
    let folder = Folder::with_moon();
    folder.hotcell(["check", "bind.toml", "--strict"]).fails(125).says("error: 1 function is undecided");
    let strict = folder.hotcell(["check", "bind.toml", "--strict", "--format", "json"]).fails(125);
    strict.mentions("\"undecided\": 1");
    folder.hotcell(["check", &committed("examples/zlib/bind.toml"), "--strict"]).succeeds();
}

#[test]
fn headers_without_a_contract() {
    let folder = Folder::with_moon();
    let check = folder.hotcell(["check", "moon.h", "--lib", "./libmoon.so"]).succeeds();
    check.mentions("undecided     moon_lock ").mentions("0 lines decide");
    let check = folder.hotcell(["check", "moon.h", "--lib", "moon", "-L", "."]).succeeds();
    check.mentions("bound         moon_sum    inferred\n");
    folder.hotcell(["check", "moon.h"]).fails(113).says("needs `--lib NAME`");
}

#[test]
fn headers_that_declare_nothing_name_those_that_do() {
    let folder = Folder::with_moon();
    folder.write("other/all.h", "#include <moon.h>\n");
    let run = |command: &str| folder.hotcell([command, "other/all.h", "--lib", "moon", "-L", ".", "-I", "."]);
    for run in [run("check"), run("init").and(["--force"])] {
        let ended = run.succeeds();
        ended.says("the headers declare none themselves; name these").says("moon.h (");
    }
}

#[test]
fn an_include_that_selects_nothing_is_told() {
    let folder = Folder::with_moon();
    folder.write(
        "none.toml",
        "hotcell = 1\nlibrary = \"moon\"\nheaders = [\"moon.h\"]\nlink = [\"libmoon.so\"]\ninclude = [\"sun_*\"]\n",
    );
    let check = folder.hotcell(["check", "none.toml"]).succeeds();
    check.says("`include` and `exclude` select none").says("the headers declare ");
}

#[test]
fn what_is_wrong_with_a_contract_is_shown_in_its_line() {
    let folder = Folder::with_moon();
    let head = "hotcell = 1\nlibrary = \"moon\"\nheaders = [\"moon.h\"]\n";
    let refused = |text: &str, place: &str, says: &str| {
        folder.write("wrong.toml", text);
        let check = || folder.hotcell(["check", "wrong.toml"]);
        check().fails(113).prints_nothing().says(&format!("--> wrong.toml:{place}\n")).says(says);
        let message = check().error(113, "InvalidArgument")["message"].to_string();
        assert!(message.contains(&format!("wrong.toml:{place}")), "{message}");
    };
    let split = |line: &str| format!("{head}[function.moon_split]\n{line}\n");
    refused("library = \"moon\"\n", "1:1", "begin the file with `hotcell = 1`");
    refused("hotcell = 2\n", "1:11", "reads contracts of version 1, not 2");
    refused("hotcell = 0\n", "1:11", "reads contracts of version 1, not 0");
    refused("hotcell = \"1\"\n", "1:11", "must be an integer");
    refused(&format!("{head}libary = 1\n"), "4:1", "did you mean `library`?");
    refused(&format!("{head}[function.moon_spilt]\n"), "4:11", "did you mean `moon_split`?");
    refused(&split("params.whle = { out = \"value\" }"), "5:8", "did you mean `whole`?");
    refused(&split("parms.whole = { out = \"value\" }"), "5:1", "did you mean `params`?");
    refused(&split("params.whole = { out = \"valu\" }"), "5:24", "did you mean `value`?");
    refused(&split("params.whole = \"value\""), "5:16", "must be a table");
    refused(
        &split("params.x = { out = \"value\" }"),
        "5:14",
        "`x` cannot be `out = \"value\"`: it is `double`",
    );
    refused(&split("deadline = \"soon\""), "5:12", "\"500ms\", \"2s\", \"1m\"");
    refused("hotcell = 1\nlibrary = \"moon\nheaders = []\n", "2:16", "library = \"moon");
}

/// Who has thousands of faults has one cause for most: the first are shown, and programs are told all.
#[test]
fn of_very_many_faults_the_first_are_shown() {
    const FAULTS: usize = 1_000;
    let folder = Folder::with_moon();
    let head = "hotcell = 1\nlibrary = \"moon\"\nheaders = [\"moon.h\"]\nlink = [\"./libmoon.so\"]\n";
    let wrong: String = (0..FAULTS).map(|number| format!("[function.moon_none_{number}]\n")).collect();
    folder.write("wrong.toml", format!("{head}{wrong}"));
    let commands: [&[&str]; 4] = [
        &["check", "wrong.toml"],
        &["explain", "wrong.toml", "moon_add"],
        &["gen", "wrong.toml", "--out", "package"],
        &["diff", "wrong.toml", "wrong.toml"],
    ];
    for command in commands {
        let ended = folder.hotcell(command).fails(113);
        let said = ended.stderr();
        let shown = said.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(shown, 100, "{command:?}: {said}");
        let last = "… and 900 more; `hotcell check --format json` tells all of them";
        assert_eq!(said.lines().last(), Some(last), "{command:?}");
    }
    let all = folder.hotcell(["check", "wrong.toml"]).error(113, "InvalidArgument")["message"].clone();
    let all = all.as_str().unwrap_or_default();
    let told = (0..FAULTS).filter(|number| all.contains(&format!("[function.moon_none_{number}]\n")));
    assert_eq!(told.count(), FAULTS);
    // Remarks, too.
    let patterns: Vec<String> = (0..FAULTS).map(|number| format!("\"sun_{number}_*\"")).collect();
    let include = format!("include = [\"moon_a*\", {}]\n", patterns.join(", "));
    folder.write("remark.toml", format!("{head}{include}"));
    let ended = folder.hotcell(["check", "remark.toml"]).succeeds();
    let said = ended.stderr();
    assert_eq!(said.lines().filter(|line| line.starts_with("warning")).count(), 100);
    let last = "… and 900 more remarks; `hotcell check --format json` tells all of them\n";
    assert!(said.ends_with(last), "{said}");
    let report = folder.hotcell(["check", "remark.toml"]).json();
    let all: Vec<&str> = report["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(all.len() == FAULTS && all[999].starts_with("warning: `sun_999_*`"), "{}", all.len());
}

#[test]
fn remarks_do_not_make_a_contract_invalid() {
    let folder = Folder::with_moon();
    folder.write(
        "remark.toml",
        "hotcell = 1\nlibrary = \"moon\"\nheaders = [\"moon.h\"]\ninclude = [\"moon_a*\", \"sun_*\"]\n",
    );
    let check = folder.hotcell(["check", "remark.toml"]).succeeds();
    check.says("warning: `sun_*` matches no function").prints(
        "bound  moon_add  proven\n\n\
         1 function: 1 bound, 0 undecided, 0 unsupported, 0 not exported; 0 lines decide",
    );
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = Folder::with_moon();
    let library = folder.read("libmoon.so");
    folder.write("half.so", &library[..library.len() / 2]);
    let mut foreign = library;
    foreign[18] = if foreign[18] == 62 { 183 } else { 62 };
    folder.write("foreign.so", foreign);
    folder.write("broken.h", "int one(void);\nint two(int;\n");
    let check = |header: &str, library: &str| folder.hotcell(["check", header, "--lib", library]);
    check("moon.h", "./half.so").fails(117).says("half.so is damaged");
    check("moon.h", "./foreign.so").fails(117).says("and this machine is");
    check("moon.h", "mooon").fails(117).says("library `mooon` was not found");
    check("zlib.h", "libz.so.99").fails(117).says("did you mean `z`?");
    check("mooon.h", "z").fails(113).says("header `mooon.h` was not found");
    check("broken.h", "z").fails(113).says("broken.h:2: ");
    folder.hotcell(["check", "none.toml"]).fails(113).says("cannot read the contract none.toml");
    folder.write("latin.toml", b"hotcell = 1\n# caf\xe9\n");
    folder.hotcell(["check", "latin.toml"]).fails(113).says("latin.toml: line 2 is not UTF-8");
    let error = check("moon.h", "./half.so").error(117, "LoadFailed");
    assert!(error["help"].is_string(), "{error}");
}

#[test]
fn without_a_parser_its_package_is_named() {
    let folder = Folder::with_moon();
    let check = || folder.hotcell(["check", "bind.toml"]).env("LIBCLANG_PATH", "nowhere");
    check().fails(117).says("libclang cannot be loaded").says("apt install libclang");
    check().error(117, "LoadFailed");
}

#[test]
fn colours_are_for_terminals() {
    let folder = Folder::with_moon();
    // What is no terminal gets none, unless it is asked for; and never against NO_COLOR.
    folder.hotcell(["check", "bind.toml"]).succeeds().prints(REPORT);
    let forced = folder.hotcell(["check", "bind.toml"]).env("CLICOLOR_FORCE", "1").succeeds();
    forced.mentions("\u{1b}[32mbound\u{1b}[0m");
    let refused = folder.hotcell(["check", "bind.toml"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    refused.succeeds().prints(REPORT);
}

#[test]
fn what_is_kept_is_told_and_until_when() {
    let folder = Folder::new();
    let header = "typedef struct shed shed;\ntypedef struct tool tool;\nshed *shed_new(void);\nvoid shed_free(shed *s);\ntool *tool_new(void);\nvoid tool_free(tool *t);\n\
                  int shed_add_label(shed *s, const char *label);\nint shed_put_tool(shed *s, tool *t);\nvoid use_tool(const tool *t);\nvoid set_owner(const char *name);\n";
    let code = "#include \"shed.h\"\nshed *shed_new(void) { return 0; }\nvoid shed_free(shed *s) { (void)s; }\ntool *tool_new(void) { return 0; }\nvoid tool_free(tool *t) { (void)t; }\n\
                int shed_add_label(shed *s, const char *label) { return !s || !label; }\nint shed_put_tool(shed *s, tool *t) { return !s || !t; }\nvoid use_tool(const tool *t) { (void)t; }\nvoid set_owner(const char *name) { (void)name; }\n";
    folder.library("shed", header, code);
    let contract = "hotcell = 1\nlibrary = \"shed\"\nheaders = [\"shed.h\"]\nlink = [\"shed\"]\n\
                    function.shed_put_tool.params = { s = { in = \"handle\" }, t = { in = \"handle\", until = \"s\", replaced = true } }\n\
                    function.use_tool.params.t = { in = \"handle\", until = \"none\" }\n";
    folder.write("bind.toml", contract);
    folder
        .hotcell(["check", "bind.toml"])
        .succeeds()
        .mentions("shed_add_label  inferred\n                         a copy of `label` is kept until `s` goes\n")
        .mentions("shed_put_tool   decided\n                         `t` is kept until `s` goes, or the next takes its place\n")
        .mentions("a copy of `name` is kept for as long as the worker lives\n")
        .mentions("1 function leaves a copy with each call for as long as the worker lives, so that its memory grows: set_owner\n")
        .mentions("1 function has an object stay with each call for as long as the worker lives: use_tool\n");
    let report = folder.hotcell(["check", "bind.toml"]).json();
    let keeps = |name: &str| {
        let all = report["functions"].as_array().unwrap();
        all.iter().find(|function| function["name"] == name).map(|function| function["keeps"].clone())
    };
    assert_eq!(keeps("shed_add_label"), Some(json!([{ "param": "label", "until": "s", "copy": true }])));
    let tool = json!([{ "param": "t", "until": "s", "copy": false, "replaced": true }]);
    assert_eq!(keeps("shed_put_tool"), Some(tool));
    assert_eq!(keeps("set_owner"), Some(json!([{ "param": "name", "until": "none", "copy": true }])));
    assert_eq!(keeps("shed_new"), Some(Value::Null));
    // A line that says that the library has its own ends that.
    folder
        .write("bind.toml", format!("{contract}function.set_owner.params.name = {{ string = \"utf-8\" }}\n"));
    let said = folder.hotcell(["check", "bind.toml"]).succeeds();
    assert!(!said.stdout().contains("a copy with each call"), "{}", said.stdout());
}
