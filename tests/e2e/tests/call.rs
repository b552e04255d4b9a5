//! `hotcell call` from the outside: every form of argument, every result, every error with its status.

use std::path::Path;

use hotcell_direct::zlib as direct;
use hotcell_e2e::cli::{Folder, Hotcell, committed};
use serde_json::json;

/// A call of zlib, as its header describes it.
fn zlib(folder: &Folder, words: &[&str]) -> Hotcell {
    folder.hotcell(["call", "zlib.h", "--lib", "z"]).and(words)
}

/// A call of zlib, as the contract of the example describes it.
fn contract(folder: &Folder, words: &[&str]) -> Hotcell {
    folder.hotcell(["call", &committed("examples/zlib/bind.toml")]).and(words)
}

/// A call of the C library.
fn libc(folder: &Folder, header: &str, words: &[&str]) -> Hotcell {
    folder.hotcell(["call", header, "--lib", "c"]).and(words)
}

/// A call of the mathematical library.
fn libm(folder: &Folder, words: &[&str]) -> Hotcell {
    folder.hotcell(["call", "math.h", "--lib", "m"]).and(words)
}

/// A folder with the tiny library and its contract.
fn tiny_library() -> Folder {
    let folder = Folder::new();
    for (from, to) in [("tiny.h", "tiny.h"), ("tiny.c", "tiny.c"), ("tiny.toml", "bind.toml")] {
        let text = std::fs::read(committed(&format!("tests/e2e/tests/cli/{from}"))).expect(from);
        folder.write(to, text);
    }
    folder.compile("tiny");
    folder
}

fn tiny(folder: &Folder, words: &[&str]) -> Hotcell {
    folder.hotcell(["call", "bind.toml"]).and(words)
}

/// An error as people and as programs see it.
fn check(call: impl Fn() -> Hotcell, status: i32, kind: &str, says: &str) -> serde_json::Value {
    call().fails(status).prints_nothing().says(says);
    call().error(status, kind)
}

// Arguments.

#[test]
fn integers() {
    let folder = tiny_library();
    for (word, expect) in [("42", "42 (0x2a)"), ("0x1F", "31 (0x1f)"), ("-7", "-7")] {
        tiny(&folder, &["tiny_signed", word]).succeeds().prints(&format!("return  {expect}"));
    }
    tiny(&folder, &["tiny_signed", "--", "-0x10"]).succeeds().prints("return  -16");
    tiny(&folder, &["tiny_same", "0xffffffffffffffff"])
        .succeeds()
        .prints("return  18446744073709551615 (0xffffffffffffffff)");
    libc(&folder, "stdlib.h", &["abs", "-7"]).succeeds().prints("return  7");
    libc(&folder, "stdlib.h", &["atoi", "-12"]).succeeds().prints("return  -12");
}

#[test]
fn floating_point_numbers() {
    let folder = tiny_library();
    for (word, expect) in [("0.5", "0.25"), (".5", "0.25"), ("-1e3", "-500"), ("3", "1.5"), ("inf", "inf")] {
        tiny(&folder, &["tiny_half", word]).succeeds().prints(&format!("return  {expect}"));
    }
    // Declared or known to have no side effect, which compilers make a part of the type.
    libm(&folder, &["fabs", "-2.5"]).succeeds().prints("return  2.5");
    libm(&folder, &["pow", "-2", "3"]).succeeds().prints("return  -8");
    libm(&folder, &["sqrt", "M_PI"]).succeeds().prints("return  1.7724538509055159");
}

#[test]
fn constants_and_enumerators() {
    let folder = tiny_library();
    tiny(&folder, &["tiny_colour_of", "TINY_BLUE"]).succeeds().prints("return  7");
    tiny(&folder, &["tiny_signed", "TINY_LIMIT"]).succeeds().prints("return  300 (0x12c)");
    zlib(&folder, &["zError", "Z_DATA_ERROR"]).succeeds().prints("return  \"data error\"");
    let best = contract(&folder, &["compress2", "hello", "Z_BEST_COMPRESSION"]).json();
    assert_eq!(best["out"]["dest"]["hex"], hex(&direct::compress(b"hello", 9).expect("zlib works")));
}

#[test]
fn truth_values() {
    let folder = tiny_library();
    tiny(&folder, &["tiny_not", "true"]).succeeds().prints("return  false");
    tiny(&folder, &["tiny_not", "false"]).succeeds().prints("return  true");
    tiny(&folder, &["tiny_not", "2"]).fails(113).says("`value` is 2");
    tiny(&folder, &["tiny_not", "yes"]).fails(113).says("`yes`");
}

#[test]
fn texts() {
    let folder = Folder::new();
    let length = |word: &str| libc(&folder, "string.h", &["strlen", word]).succeeds();
    length("hello").prints("return  5");
    length("h\u{e9}").prints("return  3");
    length("").prints("return  0");
    for word in ["=null", "=@file", "=hex:00", "==", "=1,2"] {
        length(word).prints(&format!("return  {}", word.len() - 1));
    }
}

/// A pointer to 16-bit units counts units. A library that says it has fewer than none is to blame, not the caller.
#[test]
fn texts_in_utf_16() {
    let folder = Folder::new();
    folder.write("wide.h", "int wide_units(const unsigned short *text, int units);\nconst unsigned short *wide_start(int n, int *units);\n");
    folder.write(
        "wide.c",
        "#include \"wide.h\"\n\
         int wide_units(const unsigned short *text, int units) { return text[units] == 0 ? units : -1; }\n\
         const unsigned short *wide_start(int n, int *units)\n\
         { static const unsigned short text[] = {'a', 0xfc, 'c', 'd', 0}; *units = n; return text; }\n",
    );
    folder.write(
        "bind.toml",
        "hotcell = 1\nlibrary = \"wide\"\nheaders = [\"wide.h\"]\n\
         [function.wide_units]\nparams.text = { string = \"utf-16\", length = \"units\" }\n\
         [function.wide_start]\nresult = { string = \"utf-16\", length = \"units\" }\n",
    );
    folder.compile("wide");
    tiny(&folder, &["wide_units", "Grüße 🦀"]).succeeds().prints("return  8");
    assert_eq!(tiny(&folder, &["wide_start", "2"]).json()["return"], json!("aü"));
    let error = check(|| tiny(&folder, &["wide_start", "-1"]), 108, "InvalidReply", "InvalidReply");
    assert_eq!(error["executed"], json!("yes"));
}

#[test]
fn bytes_of_every_source() {
    let folder = Folder::new();
    folder.write("hello.txt", "hello");
    let expect = format!("return  {0} ({0:#x})", direct::checksum(0, b"hello"));
    for word in ["hello", "=hello", "@hello.txt", "hex:68656c6C6f", "@-"] {
        zlib(&folder, &["crc32", "0", word]).input("hello").succeeds().prints(&expect);
    }
    zlib(&folder, &["crc32", "0", "@missing.txt"]).fails(113).says("cannot read missing.txt");
    zlib(&folder, &["crc32", "0", "hex:0g"]).fails(113).says("`buf`").says("`hex:`");
}

#[test]
fn null_where_it_is_allowed() {
    let folder = Folder::new();
    // zlib starts anew for NULL, and goes on from 5 for no bytes.
    zlib(&folder, &["crc32", "5", "null"]).succeeds().prints("return  0");
    zlib(&folder, &["crc32", "5", "hex:"]).succeeds().prints("return  5");
    let error =
        check(|| libc(&folder, "string.h", &["strlen", "null"]), 113, "InvalidArgument", "must not be null");
    assert_eq!((&error["executed"], &error["cause"]["argument"]), (&json!("no"), &json!("s")));
    contract(&folder, &["compress2", "null", "9"]).fails(113).says("`source` must not be null");
}

#[test]
fn lists_of_numbers() {
    let folder = tiny_library();
    tiny(&folder, &["tiny_total", "1,TINY_LIMIT,0x10"]).succeeds().prints("return  317 (0x13d)");
    tiny(&folder, &["tiny_total", "hex:0100000002000000"]).succeeds().prints("return  3");
    tiny(&folder, &["tiny_total", "1,two"]).fails(113).says("`values`").says("`two`");
    tiny(&folder, &["tiny_double", "1,-2,3"]).succeeds().prints("return  0\nitems   [2, -4, 6]");
    assert_eq!(tiny(&folder, &["tiny_double", "1,-2,3"]).json()["out"], json!({ "items": [2, -4, 6] }));
}

// Results.

#[test]
fn results_as_text() {
    let folder = tiny_library();
    let version = format!("return  {:?}", direct::version());
    zlib(&folder, &["zlibVersion"]).succeeds().prints(&version);
    folder.faulty("no_text", &[]).succeeds().prints("return  null");
    tiny(&folder, &["tiny_divide", "17", "5"]).succeeds().prints("return     0\nquotient   3\nremainder  2");
    let many = folder.faulty("claim", &["16"]).succeeds();
    many.mentions(&format!("out     16 bytes: {}", ["78"; 16].join(" ")));
}

#[test]
fn results_as_json() {
    let folder = tiny_library();
    assert_eq!(
        tiny(&folder, &["tiny_divide", "-17", "5"]).json(),
        json!({ "function": "tiny_divide", "return": 0, "out": { "quotient": -3, "remainder": -2 } })
    );
    assert_eq!(
        folder.faulty("claim", &["3"]).json()["out"],
        json!({ "out": { "bytes": 3, "hex": "787878" } })
    );
    assert_eq!(zlib(&folder, &["zlibVersion"]).json()["return"], json!(direct::version()));
    let nothing = folder.faulty("no_text", &[]).json();
    assert!(nothing.as_object().expect("an object").contains_key("return"), "{nothing}");
    assert_eq!(nothing["return"], json!(null));
}

#[test]
fn numbers_in_json() {
    let folder = tiny_library();
    let returned = |words: &[&str]| tiny(&folder, words).json()["return"].take();
    assert_eq!(returned(&["tiny_same", "18446744073709551615"]).as_u64(), Some(u64::MAX));
    assert_eq!(returned(&["tiny_same", "9223372036854775809"]).as_u64(), Some((1 << 63) + 1));
    assert_eq!(returned(&["tiny_signed", "-9223372036854775808"]).as_i64(), Some(i64::MIN));
    assert_eq!(returned(&["tiny_half", "0.5"]), json!(0.25));
    assert_eq!(returned(&["tiny_not", "false"]), json!(true));
    let bound = zlib(&folder, &["compressBound", "0xf000000000000000"]).json()["return"].take();
    assert_eq!(bound.as_u64(), Some(direct::bound(0xf000_0000_0000_0000)));
    // JSON has no word for these.
    assert_eq!(libm(&folder, &["sqrt", "-1"]).json()["return"], json!("NaN"));
    assert_eq!(libm(&folder, &["exp", "1000"]).json()["return"], json!("inf"));
}

// `-o` and `--capacity`.

#[test]
fn results_in_files() {
    let folder = Folder::new();
    let packed = direct::compress(b"hello", 9).expect("zlib works");
    let call = || contract(&folder, &["compress2", "hello", "9", "-o", "dest=hello.z"]);
    call().succeeds().prints(&format!("dest  {} bytes, written to hello.z", packed.len()));
    assert_eq!(folder.read("hello.z"), packed);
    let entry = call().json()["out"]["dest"].take();
    assert_eq!(entry, json!({ "bytes": packed.len(), "hex": hex(&packed), "file": "hello.z" }));
    contract(&folder, &["zlibVersion", "-o", "return=version"]).succeeds();
    assert_eq!(folder.read("version"), direct::version().into_bytes());
}

#[test]
fn a_failed_call_leaves_files_as_they_were() {
    let folder = tiny_library();
    folder.write("kept", "old");
    let before = folder.files();
    contract(&folder, &["uncompress", "garbage", "-o", "dest=kept"]).fails(124);
    tiny(&folder, &["tiny_divide", "1", "0", "-o", "quotient=kept", "-o", "remainder=new"]).fails(101);
    folder.faulty("no_text", &["-o", "return=kept"]).fails(1).says("null");
    assert_eq!(folder.files(), before);
}

#[test]
fn an_unwritable_folder_is_refused_before_the_call() {
    let folder = Folder::new();
    folder.write("file", "");
    // If it were called, the status would be that of a crash.
    for place in ["return=file/below", "return=missing/folder"] {
        let error = folder.faulty("raise", &["11", "-o", place]).error(113, "InvalidArgument");
        assert!(error["message"].as_str().is_some_and(|it| it.starts_with("cannot write ")), "{error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.ends_with("; the call was not made") && error["executed"] == "no", "{error}");
    }
    folder.faulty("raise", &["11", "-o", "return=file"]).fails(101);
}

#[test]
fn a_result_that_a_file_does_not_take_is_printed() {
    let folder = Folder::new();
    let call = || zlib(&folder, &["zError", "-3", "-o", "return=/dev/full"]);
    let ended = call().fails(1);
    ended.says("error: the call returned, but cannot write /dev/full: ").prints("return  \"data error\"");
    let ended = call().and(["--format", "json"]).fails(1);
    assert_eq!(ended.json()["return"], "data error");
    assert_eq!(ended.json()["error"]["executed"], "yes");
}

#[test]
fn unknown_names_of_results() {
    let folder = Folder::new();
    let call = |out: &str| contract(&folder, &["compress2", "hello", "9", "-o", out]);
    call("dst=x").fails(113).says("no result `dst`").says("dest");
    call("dest").fails(2).says("NAME=VALUE");
    folder.faulty("abort", &["-o", "return=x"]).fails(113).says("no result `return`");
    assert_eq!(folder.files().len(), 0);
}

#[test]
fn capacities() {
    let folder = Folder::new();
    folder.write("hello.z", direct::compress(b"hello", 9).expect("zlib works"));
    let call = |capacity: &str| contract(&folder, &["uncompress", "@hello.z", "--capacity", capacity]);
    assert_eq!(call("dest=5").json()["out"]["dest"]["hex"], hex(b"hello"));
    assert_eq!(call("dest=4").error(124, "LibraryError")["cause"]["code"], -5);
    let error = call("dest=99999999999999").error(105, "LimitExceeded");
    assert_eq!(error["executed"], "no", "{error}");
    call("dst=5").fails(113).says("`dst`");
    call("dest=many").fails(113).says("many");
    contract(&folder, &["uncompress", "@hello.z"]).succeeds().prints("dest  5 bytes: 68 65 6c 6c 6f");
}

#[test]
fn megabytes_through_files_and_back() {
    let folder = Folder::new();
    let book: Vec<u8> =
        (0..1_200_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 20).to_le_bytes()).collect();
    folder.write("book", &book);
    contract(&folder, &["compress2", "@book", "1", "-o", "dest=book.z"]).succeeds();
    assert!(folder.read("book.z") == direct::compress(&book, 1).expect("zlib works"), "other bytes");
    let capacity = format!("dest={}", book.len());
    contract(&folder, &["uncompress", "@book.z", "--capacity", &capacity, "-o", "dest=copy"])
        .succeeds()
        .prints(&format!("dest  {} bytes, written to copy", book.len()));
    assert!(folder.read("copy") == book, "the copy differs");
}

// Errors.

#[test]
fn crashed() {
    let folder = Folder::new();
    let abort = check(|| libc(&folder, "stdlib.h", &["abort"]), 101, "Crashed", "c: abort: Crashed: SIGABRT");
    assert_eq!((&abort["fault"], &abort["executed"]), (&json!(true), &json!("maybe")));
    let raise = check(|| libc(&folder, "signal.h", &["raise", "11"]), 101, "Crashed", "Crashed: SIGSEGV");
    assert_eq!((&raise["cause"]["signal"], &raise["cause"]["number"]), (&json!("SIGSEGV"), &json!(11)));
    let null = check(|| folder.faulty("null_dereference", &[]), 101, "Crashed", "address 0x0");
    assert_eq!(null["cause"]["address"], "0x0");
    let overflow = check(|| folder.faulty("stack_overflow", &["0"]), 101, "Crashed", "SIGSEGV");
    assert_eq!(overflow["cause"]["stack_overflow"], true);
    let words = check(|| folder.faulty("assert", &["1"]), 101, "Crashed", "the value must be 42");
    assert!(words["output"].as_str().is_some_and(|it| it.contains("the value must be 42")), "{words}");
}

#[test]
fn exited() {
    let folder = Folder::new();
    for (status, says) in [("0", "Exited: the library ended its process with exit(0)"), ("3", "exit(3)")] {
        let error = check(|| libc(&folder, "stdlib.h", &["exit", status]), 102, "Exited", says);
        assert_eq!(error["cause"]["status"].to_string(), status);
        assert_eq!(error["fault"], true);
    }
}

#[test]
fn hung() {
    let folder = Folder::new();
    let sleep = || libc(&folder, "unistd.h", &["sleep", "60", "--deadline", "200ms"]);
    let error = check(sleep, 103, "Hung", "200ms");
    assert_eq!((&error["cause"]["deadline_ms"], &error["fault"]), (&json!(200.0), &json!(true)));
    folder.faulty("sleep", &["20", "--deadline", "1m"]).succeeds().prints("return  20 (0x14)");
    folder.faulty("loop", &["--deadline", "soon"]).fails(2).says("--deadline");
}

#[test]
fn invalid_reply() {
    let folder = Folder::new();
    let error = check(|| folder.faulty("claim", &["17"]), 108, "InvalidReply", "InvalidReply");
    assert_eq!(error["fault"], true);
}

#[test]
fn library_error() {
    let folder = Folder::new();
    let call = || contract(&folder, &["uncompress", "this was never compressed"]);
    let error = check(call, 124, "LibraryError", "zlib: uncompress: LibraryError: data error (code -3)");
    assert_eq!((&error["cause"]["code"], &error["cause"]["message"]), (&json!(-3), &json!("data error")));
    assert_eq!((&error["fault"], &error["executed"]), (&json!(false), &json!("yes")));
    let error = check(|| folder.faulty("errno", &["2"]), 124, "LibraryError", "code -1");
    assert_eq!(error["cause"], json!({ "code": -1, "symbol": null, "message": null, "errno": 2 }));
}

#[test]
fn invalid_argument() {
    let folder = Folder::new();
    let kind = "InvalidArgument";
    check(|| folder.faulty("add", &["1"]), 113, kind, "`faulty_add` takes 2 arguments: a (int), b (int); 1");
    check(|| folder.faulty("add", &["1", "2", "3"]), 113, kind, "; 3 given");
    check(|| folder.faulty("abort", &["1"]), 113, kind, "takes no argument");
    let error = check(|| folder.faulty("add", &["1", "2147483648"]), 113, kind, "-2147483648 to 2147483647");
    assert_eq!((&error["cause"]["argument"], &error["executed"]), (&json!("b"), &json!("no")));
    check(|| zlib(&folder, &["crc32", "-1", "hello"]), 113, kind, "`crc` is -1");
    check(|| zlib(&folder, &["crc32", "1.5", "hello"]), 113, kind, "`1.5` is no number");
    let large = "18446744073709551616";
    check(
        || zlib(&folder, &["crc32", large, "hello"]),
        113,
        kind,
        "is 18446744073709551616; uLong holds 0 to",
    );
    let larger = "9".repeat(50);
    let text = format!("`{larger}` is larger than any type of C holds");
    check(|| zlib(&folder, &["crc32", &larger, "hello"]), 113, kind, &text);
    check(|| zlib(&folder, &["crc32", "Z_NO_SUCH", "hello"]), 113, kind, "no constant");
    check(|| zlib(&folder, &["crc33", "0", "hello"]), 113, kind, "did you mean `crc32`?");
}

#[test]
fn bad_encoding() {
    let folder = Folder::new();
    let error = check(|| folder.faulty("bad_text", &[]), 114, "BadEncoding", "not UTF-8");
    assert_eq!((&error["fault"], &error["executed"]), (&json!(false), &json!("yes")));
}

#[test]
fn abi_mismatch() {
    let folder = Folder::new();
    // The parser does not optimise, the compiler of the shim does: they see different functions.
    folder.write(
        "two.h",
        "#ifdef __OPTIMIZE__\nint faulty_add(int a, long b);\n#else\nint faulty_add(int a, int b);\n#endif\n",
    );
    let library = library_path();
    let call = || folder.hotcell(["call", "two.h", "--lib", &library, "faulty_add", "1", "2"]);
    check(call, 115, "AbiMismatch", "faulty_add");
}

#[test]
fn symbol_missing() {
    let folder = Folder::new();
    folder.write("moon.h", "unsigned long crc32_of_moon(unsigned long start);\n");
    let call = || folder.hotcell(["call", "moon.h", "--lib", "z", "crc32_of_moon", "0"]);
    check(call, 116, "SymbolMissing", "`crc32_of_moon` is not exported");
}

#[test]
fn load_failed() {
    let folder = Folder::new();
    folder.write("text.so", "this is a text, whatever its name says\n");
    let library = std::fs::read(library_path()).expect("the faulty library is built");
    folder.write("half.so", &library[..library.len() / 2]);
    let mut foreign = library;
    // e_machine of the ELF header: aarch64, or x86_64 where that is the machine's own.
    foreign[18] = if foreign[18] == 62 { 183 } else { 62 };
    folder.write("foreign.so", foreign);
    let load = |name: &str| folder.hotcell(["call", "zlib.h", "--lib", name, "crc32", "0", "hello"]);
    check(|| load("libz.so.99"), 117, "LoadFailed", "`libz.so.99` was not found\nhelp: did you mean `z`?");
    check(|| load("./text.so"), 117, "LoadFailed", "is not an ELF file");
    check(|| load("./half.so"), 117, "LoadFailed", "is damaged");
    check(|| load("./foreign.so"), 117, "LoadFailed", "and this machine is");
}

#[test]
fn libraries_that_need_what_is_not_here() {
    let folder = Folder::new();
    folder.library("base", "int base(void);\n", "int base(void) { return 1; }\n");
    let needs = |name: &str, library: &str| {
        folder.write("top.h", "int top(void);\n");
        folder.write("top.c", "int base(void);\nint top(void) { return base(); }\n");
        folder.compile_with("top", &[library]);
        folder.move_file("libtop.so", &format!("{name}.so"));
    };
    needs("needy", "libbase.so");
    folder.move_file("libbase.so", "gone/libbase.so");
    let call = |library: &str| folder.hotcell(["call", "top.h", "--lib", library, "top"]);
    check(|| call("./needy.so"), 117, "LoadFailed", "libbase.so: cannot open shared object file");
    // As a library of Alpine is linked.
    folder.compile_with("base", &["-Wl,-soname,libc.musl-x86_64.so.1"]);
    needs("alpine", "libbase.so");
    let error = check(|| call("./alpine.so"), 117, "LoadFailed", "alpine.so is built for musl");
    assert!(error["help"].as_str().is_some_and(|help| help.contains("glibc")), "{error}");
}

#[test]
fn a_constructor_that_fails() {
    let folder = Folder::new();
    folder.write(
        "stillborn.c",
        "#include <stdlib.h>\nint one(void);\n__attribute__((constructor)) static void start(void) { abort(); }\n\
         int one(void) { return 1; }\n",
    );
    folder.write("stillborn.h", "int one(void);\n");
    folder.compile("stillborn");
    let call = || folder.hotcell(["call", "stillborn.h", "--lib", "./libstillborn.so", "one"]);
    let error = check(call, 117, "LoadFailed", "SIGABRT");
    assert_eq!(error["executed"], "no");
}

#[test]
fn missing_tools() {
    let folder = Folder::new();
    let call = || zlib(&folder, &["crc32", "0", "hello"]);
    check(|| call().env("CC", "no-such-compiler"), 117, "LoadFailed", "`no-such-compiler` did not start");
    check(|| call().env("HOTCELL_WORKER", "nowhere"), 117, "LoadFailed", "HOTCELL_WORKER names nowhere");
}

#[test]
fn unsupported() {
    let folder = Folder::new();
    let printf = || libc(&folder, "stdio.h", &["printf", "hello"]);
    check(printf, 125, "Unsupported", "variable number of arguments");
    let qsort = || libc(&folder, "stdlib.h", &["qsort", "1", "1", "1"]);
    check(qsort, 125, "Unsupported", "`compar` is a function that the library calls");
}

#[test]
fn the_help_for_an_undecided_function_works_when_pasted() {
    let folder = Folder::with_moon();
    let undecided = || folder.hotcell(["call", "moon.h", "--lib", "./libmoon.so", "moon_split", "8.5"]);
    check(undecided, 125, "Unsupported", "`moon_split` is undecided");
    let help = undecided().fails(125).says("params.whole = { out = \"value\" }");
    let lines = help.after("help: write into the contract:\n");
    let head = "hotcell = 1\nlibrary = \"moon\"\nheaders = [\"moon.h\"]\nlink = [\"./libmoon.so\"]\n";
    folder.write("split.toml", format!("{head}{lines}"));
    let call = || folder.hotcell(["call", "split.toml", "moon_split", "8.5"]);
    call().succeeds().prints("return  0.5\nwhole   8");
    assert_eq!(call().json()["out"], json!({ "whole": 8 }));
}

// Contracts and headers.

#[test]
fn mistakes_in_contracts_are_shown_in_their_line() {
    let head = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n";
    let refused = |text: &str, place: &str, says: &str| {
        let folder = Folder::new();
        folder.write("bind.toml", text);
        let call = || folder.hotcell(["call", "bind.toml", "compress2", "hello", "9"]);
        call().fails(113).says(&format!("--> bind.toml:{place}\n")).says(says);
        let message = call().error(113, "InvalidArgument")["message"].to_string();
        assert!(message.contains(&format!("bind.toml:{place}")), "{message}");
    };
    refused("hotcell = 1\nlibrary = \"z\"\nheders = [\"zlib.h\"]\n", "3:1", "did you mean `headers`?");
    refused("hotcell = 1\nlibrary = \"z\nheaders = [\"zlib.h\"]\n", "2:13", "library = \"z");
    let dest = |item: &str| format!("{head}[function.compress2]\nparams.{item}\n");
    refused(&dest("dest = { out = \"bufer\", length = \"destLen\" }"), "5:23", "did you mean `buffer`?");
    refused(&dest("dst = { out = \"buffer\", length = \"destLen\" }"), "5:8", "did you mean `dest`?");
}

#[test]
fn contracts_and_headers_that_are_not_there() {
    let folder = Folder::new();
    folder.hotcell(["call", "none.toml", "f"]).fails(113).says("cannot read the contract none.toml");
    folder.hotcell(["call", "zlibb.h", "--lib", "z", "f"]).fails(113).says("header `zlibb.h` was not found");
    folder.hotcell(["call", "zlib.h", "zlibVersion"]).fails(113).says("needs `--lib NAME`");
    folder.hotcell(["call", ".", "zlibVersion"]).fails(113).says("is a folder\nhelp: name a contract");
    folder.write("bind.toml", "hotcell = 2\n");
    folder.hotcell(["call", ".", "zlibVersion"]).fails(113).says("did you mean `./bind.toml`?");
    folder
        .hotcell(["call", "bind.toml", "f"])
        .fails(113)
        .says("not 2")
        .says("help: use the version of hotcell");
    contract(&folder, &["--lib", "z", "zlibVersion"]).fails(113).says("leave `--lib` away");
}

#[test]
fn a_header_that_does_not_compile() {
    let folder = Folder::new();
    folder.write("broken.h", "int one(void);\nint two(int;\n");
    let call = || folder.hotcell(["call", "broken.h", "--lib", "c", "one"]);
    call().fails(113).says("does not compile").says("broken.h:2: ");
    assert!(call().error(113, "InvalidArgument")["help"].is_string());
}

#[test]
fn headers_take_directories_and_macros() {
    let folder = Folder::new();
    folder.write("deep/switch.h", "#ifdef WANTED\nint atoi(const char *text);\n#endif\n");
    let call = || folder.hotcell(["call", "switch.h", "--lib", "c", "-I", "deep", "atoi", "12"]);
    call().and(["-D", "WANTED"]).succeeds().prints("return  12 (0xc)");
    call().fails(113).says("no function `atoi`");
}

#[test]
fn several_headers() {
    let folder = Folder::new();
    folder.write("first.h", "typedef int number;\nint abs(int);\n");
    folder.write("second.h", "number atoi(const char *text);\n");
    let call = |words: &[&str]| folder.hotcell(["call", "second.h", "--lib", "c"]).and(words);
    call(&["--header", "first.h", "atoi", "12"]).succeeds().prints("return  12 (0xc)");
    call(&["--header", "first.h", "abs", "-1"]).succeeds().prints("return  1");
    call(&["atoi", "12"]).fails(113).says("does not compile");
    contract(&folder, &["--header", "first.h", "zlibVersion"]).fails(113).says("leave `--header` away");
}

// The command line itself.

#[test]
fn help() {
    let folder = Folder::new();
    let mut help = folder.hotcell(["call", "--help"]).succeeds();
    for form in ["0x1f", "true  false", "@FILE", "@-", "hex:", "1,2,3", "null", "=TEXT", "Exit status"] {
        help = help.mentions(form);
    }
    let mut help = folder.hotcell(["--help"]).succeeds().mentions("completions");
    for command in ["init", "call", "check", "diff", "explain", "gen", "build", "doctor", "schema"] {
        help = help.mentions(command);
        let long = folder.hotcell([command, "--help"]).succeeds();
        long.mentions("Exit status: 0 when ")
            .mentions("\nExamples:\n  ")
            .mentions(&format!("hotcell {command} "));
    }
    folder.hotcell(["--version"]).succeeds().prints(concat!("hotcell ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions() {
    let folder = Folder::new();
    folder
        .hotcell(["completions", "bash"])
        .succeeds()
        .mentions("complete -F _hotcell")
        .mentions("--capacity");
    folder.hotcell(["completions", "cobol"]).fails(2).says("cobol");
}

#[test]
fn a_result_that_is_ignored() {
    let folder = Folder::new();
    let contract = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n[function.zlibVersion]\n\
                    result = { out = \"ignored\" }\nerror = { fails = \"null\" }\n";
    folder.write("bind.toml", contract);
    folder.hotcell(["call", "bind.toml", "zlibVersion"]).succeeds().prints("return  nothing");
}

#[test]
fn what_a_call_leaves_is_told() {
    let folder = Folder::new();
    let words = ["setenv", "A_NAME", "a value", "1", "--heap", "--guard", "all"];
    let told = libc(&folder, "stdlib.h", &words).succeeds();
    told.mentions("allocated and not freed: ").mentions("\n  setenv: ").mentions("\nguarded: ");
    let report = libc(&folder, "stdlib.h", &words).and(["--format", "json"]).succeeds().json();
    assert!(
        report["heap"]["functions"]["setenv"]["bytes"].as_u64().is_some_and(|bytes| bytes > 8),
        "{report}"
    );
    assert_eq!(report["heap"]["coverage"]["guarded"], report["heap"]["coverage"]["chosen"], "{report}");
    // Only where it is asked for.
    let report = libc(&folder, "stdlib.h", &words[..4]).and(["--format", "json"]).succeeds().json();
    assert_eq!(report["heap"], json!(null));
    // A contract may ask for a guard.
    let contract = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\nguard = \"sampled\"\n";
    folder.write("bind.toml", contract);
    let call = ["call", "bind.toml", "zlibVersion", "--heap", "--format", "json"];
    assert!(folder.hotcell(call).succeeds().json()["heap"]["coverage"].is_object());
    let none = folder.hotcell(call).and(["--guard", "none"]).succeeds().json();
    assert_eq!(none["heap"]["coverage"], json!(null));
    // What is too little for loading is said, and what is no size.
    libc(&folder, "stdlib.h", &words).and(["--memory", "16"]).fails(117).says("LoadFailed");
    libc(&folder, "stdlib.h", &words).and(["--memory", "1MB"]).fails(2).says("64MiB");
}

#[test]
fn the_schema_of_contracts() {
    let folder = Folder::new();
    let schema = folder.hotcell(["schema"]).succeeds().json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["required"], serde_json::json!(["hotcell", "library", "headers"]));
    assert!(schema["properties"]["function"]["description"].is_string());
    folder.hotcell(["schema", "bind.toml"]).fails(2).says("bind.toml");
}

#[test]
fn wrong_command_lines() {
    let folder = Folder::new();
    folder.hotcell::<&str>([]).fails(2).says("Usage: hotcell");
    folder.hotcell(["cal"]).fails(2).says("cal");
    folder.hotcell(["call", "zlib.h", "--lib", "z"]).fails(2).says("FUNCTION");
    zlib(&folder, &["zlibVersion", "--format", "yaml"]).fails(2).says("yaml");
}

fn library_path() -> String {
    let path = hotcell_faulty::library();
    assert!(Path::new(&path).is_file(), "{} is not built", path.display());
    path.to_str().expect("paths of the build are UTF-8").to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_sandbox_on_the_command_line() {
    let folder = Folder::new();
    let code =
        "#include <fcntl.h>\nint peek_open(const char *path) { return open(path, O_RDONLY) < 0 ? -1 : 0; }\n";
    folder.library("peek", "int peek_open(const char *path);\n", code);
    let contract = "hotcell = 1\nlibrary = \"peek\"\nheaders = [\"peek.h\"]\nlink = [\"./libpeek.so\"]\n\
                    [function.peek_open]\nparams.path = { string = \"utf-8\" }\n";
    folder.write("bind.toml", contract);
    folder.write("named", "text");
    let path = folder.path().join("named").display().to_string();
    let call = |words: &[&str]| folder.hotcell(["call", "bind.toml", "peek_open", &path]).and(words);
    let error = call(&[]).error(106, "SandboxDenied");
    assert_eq!((&error["cause"]["syscall"], &error["cause"]["path"]), (&json!("openat"), &json!(path)));
    // What would allow it is said in the words of the command, for a shell; the lines behind it stay.
    let options = format!(
        "`--sandbox files --read {path}` would allow it, or `--sandbox compute --refuse {path}` where it is missing; in the contract, `sandbox = "
    );
    call(&[]).fails(106).says(&options).says("advice: ");
    call(&["--sandbox", "files", "--read", &path]).succeeds().prints("return  0");
    call(&["--sandbox", "compute", "--refuse", &path]).succeeds().prints("return  -1");
    call(&["--sandbox", "files", "--read", "named", "--strict"]).succeeds().prints("return  0");
    call(&["--sandbox", "files", "--read", "bind.toml"]).succeeds().prints("return  -1");
    call(&["--sandbox", "basic"]).succeeds().prints("return  0");
    call(&["--sandbox", "compute", "--read", "named"]).fails(113).says("the profile `compute` has no `read`");
    call(&["--read", "named"]).fails(2);
    call(&["--sandbox", "custom", "--allow", "ptrace"])
        .fails(113)
        .says("`ptrace` is denied in every profile");
}
