//! `hotcell init` from the outside: drafts that are valid, complete, and never in the way of what is there.

use std::fs;

use hotcell_e2e::cli::Folder;

/// A draft with every line that would decide something.
fn uncommented(draft: &[u8]) -> String {
    let text = String::from_utf8(draft.to_vec()).expect("a draft is text");
    let decides =
        |line: &str| line.strip_prefix('#').is_some_and(|rest| rest.starts_with(['[', 'h', 'p', 'r']));
    let lines = text.lines().map(|line| if decides(line) { &line[1..] } else { line });
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_draft_has_a_block_for_each_decision() {
    let folder = Folder::with_moon();
    let init = folder.hotcell(["init", "moon.h", "--lib", "moon", "-L", ".", "-o", "new.toml"]).succeeds();
    let init = init.prints_nothing().says("undecided     moon_split  nothing says whether `whole`");
    init.says("\n6 functions: 2 bound, 2 undecided, 1 unsupported, 1 not exported; new.toml is written\n");
    let expect = "\
# Contract of moon, drafted from moon.h.
#
# 2 functions need no line: what their header says is enough.
# The others follow: why they are undecided, how they are declared, and behind `#` lines that decide them.
# Take the `#` away where the lines are right; change them where they are not.

hotcell = 1
library = \"moon\"
headers = [\"moon.h\"]
link = [\"libmoon.so\"]

# moon_split: nothing says whether `whole` is read or written, and how many numbers it points to
# double moon_split(double x, int *whole)
#[function.moon_split]
#params.whole = { out = \"value\" } # or { inout = \"value\" }

# moon_lock: nothing says whether `where` is read or written, and how many numbers it points to
# int moon_lock(unsigned int *where)
#[function.moon_lock]
#params.where = { out = \"value\" } # or { inout = \"value\" }

# Of functions with `...` a form is called, of which these are a start, to be completed:

# int moon_print(const char *format, ...)
#   [function.moon_print_text]
#   of = \"moon_print\"
#   further = \"const char *text\" # what stands for `...`, as C declares it
#   params.format = { fixed = \"\\\"%s\\\"\" }
#   params.text = { string = \"utf-8\" }

# The headers declare these, and the library does not export them:
#   moon_gone
";
    assert_eq!(String::from_utf8_lossy(&folder.read("new.toml")), expect);
    let check = folder.hotcell(["check", "new.toml"]).succeeds();
    check.mentions("2 bound, 2 undecided, 1 unsupported, 1 not exported; 0 lines decide");
    folder.write("all.toml", uncommented(&folder.read("new.toml")));
    let check = folder.hotcell(["check", "all.toml"]).succeeds();
    check.mentions("4 bound, 0 undecided, 1 unsupported, 1 not exported; 4 lines decide");
    folder.hotcell(["call", "all.toml", "moon_split", "2.5"]).succeeds().prints("return  0.5\nwhole   2");
}

#[test]
fn drafts_of_system_headers_stay_valid_when_all_is_decided() {
    for (header, library) in [("zlib.h", "z"), ("string.h", "c"), ("stdlib.h", "c")] {
        let folder = Folder::new();
        folder.hotcell(["init", header, "--lib", library]).succeeds();
        folder.hotcell(["check", "bind.toml"]).succeeds().mentions("0 lines decide");
        folder.write("all.toml", uncommented(&folder.read("bind.toml")));
        let before = folder.hotcell(["check", "bind.toml"]).json()["summary"]["bound"].take();
        let after = folder.hotcell(["check", "all.toml"]).json()["summary"]["bound"].take();
        assert!(after.as_u64() > before.as_u64(), "{header}: {before} bound, then {after}");
    }
}

#[test]
fn a_structure_is_asked_about_once() {
    let folder = Folder::new();
    let header = "\
struct orbit { int day; struct body *bodies; int count; };
int orbit_mark(struct orbit *it);
int orbit_move(struct orbit *it, int days);
struct ring { struct body *bodies; int count; };
int ring_mark(const struct ring *it);
int ring_count(const struct ring *it, int days);
struct probe { void *inner; };
struct ring *ring_of(struct probe *it);
struct probe *probe_open(int flags);
int probe_close(struct probe *it);
int probe_eof(struct probe *it);
";
    let code = "\
int orbit_mark(struct orbit *it) { return it->day; }
int orbit_move(struct orbit *it, int days) { return it->day += days; }
int ring_mark(const struct ring *it) { return it->count; }
int ring_count(const struct ring *it, int days) { return it->count + days; }
struct ring *ring_of(struct probe *it) { return it->inner; }
struct probe *probe_open(int flags) { return flags ? 0 : 0; }
int probe_close(struct probe *it) { return it == 0; }
int probe_eof(struct probe *it) { return it != 0; }
";
    folder.library("orbit", header, code);
    let init = folder.hotcell(["init", "orbit.h", "--lib", "./liborbit.so"]).succeeds();
    // What the library makes and ends needs no line, what it gives may be either, and what callers make is no object of anybody's.
    init.says("open type  orbit")
        .says("[struct.orbit]")
        .does_not_say("handle.orbit")
        .says("open type  ring")
        .says("handle.ring = {} # when callers hold it")
        .says("[struct.ring]")
        .does_not_say("open type  probe");
    let draft = String::from_utf8(folder.read("bind.toml")).expect("a draft is text");
    assert_eq!(draft.matches("\n#handle.ring = {}\n").count(), 1, "{draft}");
    assert!(!draft.contains("handle.orbit"), "{draft}");
    // Nothing but the type is missing: no block asks again.
    assert!(!draft.contains("\n# ring_mark") && draft.contains("ring_mark, "), "{draft}");
    assert!(!draft.contains("\n# orbit_mark") && draft.contains("orbit_mark, "), "{draft}");
    assert!(!draft.contains("probe_eof"), "{draft}");
    folder.write(
        "held.toml",
        draft.replace("#handle.ring", "handle.ring").replace("#   [struct.orbit]\n#   ", "[struct.orbit]\n"),
    );
    let held = folder.hotcell(["check", "held.toml"]).json();
    assert_eq!(held["open_types"], serde_json::Value::Null, "{held}");
    let functions = held["functions"].as_array().unwrap();
    for name in ["ring_mark", "probe_eof"] {
        let function = functions.iter().find(|function| function["name"] == name).unwrap();
        assert_eq!(function["status"], "bound", "{name}");
    }
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_asked_to() {
    let folder = Folder::with_moon();
    let before = folder.files();
    let init = || folder.hotcell(["init", "moon.h", "--lib", "./libmoon.so"]);
    init()
        .fails(113)
        .prints_nothing()
        .says("bind.toml exists already\nhelp: name another file with `-o FILE`");
    assert_eq!(folder.files(), before);
    init().and(["--force"]).succeeds().says("bind.toml is written");
    assert!(folder.read("bind.toml").starts_with(b"# Contract of moon, drafted from moon.h."));
    assert_eq!(folder.files().len(), before.len());
}

#[test]
fn nothing_is_written_when_something_is_wrong() {
    let folder = Folder::with_moon();
    folder.write("broken.h", "int one(void);\nint two(int;\n");
    let before = folder.files();
    let init = |header: &str, library: &str, out: &str| {
        folder.hotcell(["init", header, "--lib", library, "--force", "-o", out])
    };
    init("broken.h", "./libmoon.so", "bind.toml").fails(113).says("does not compile").says("broken.h:2: ");
    init("none.h", "./libmoon.so", "bind.toml").fails(113).says("header `none.h` was not found");
    init("moon.h", "no-such-library", "bind.toml").fails(117).says("`no-such-library` was not found");
    init("moon.h", "./moon.h", "new.toml").fails(117).says("is not an ELF file");
    fs::create_dir(folder.path().join("folder")).expect("it is new");
    for force in [&["--force"][..], &[]] {
        let init = folder.hotcell(["init", "moon.h", "--lib", "./libmoon.so", "-o", "folder"]).and(force);
        init.fails(113).says("it is a folder").says("-o folder/bind.toml");
    }
    let here = folder.hotcell(["init", "moon.h", "--lib", "libmoon.so", "-o", "new.toml"]);
    here.fails(117).says("`./libmoon.so`");
    for define in ["", "A B", "=1"] {
        let init = folder.hotcell(["init", "moon.h", "--lib", "./libmoon.so", "-o", "-", "-D", define]);
        init.fails(2).says("write NAME or NAME=VALUE");
    }
    for prelude in ["int x = ", "#include <no-such-header.h>"] {
        let init = folder.hotcell(["init", "moon.h", "--lib", "./libmoon.so", "-o", "-"]);
        init.and(["--prelude", prelude]).fails(113).says("prelude").does_not_say("moon.h`");
    }
    init("moon.h", "./libmoon.so", "missing/new.toml").fails(113).says("there is no folder missing\nhelp: ");
    for out in ["moon.h/new.toml", "missing/new.toml"] {
        init("moon.h", "./libmoon.so", out).fails(113).says(&format!("cannot write {out}: "));
    }
    assert_eq!(folder.files(), before);
    folder.hotcell(["init", "moon.h"]).fails(2).says("--lib");
    folder.hotcell(["init", "--lib", "z"]).fails(2).says("HEADER");
}

#[test]
fn a_draft_can_be_printed() {
    let folder = Folder::with_moon();
    let before = folder.files();
    let init = folder.hotcell(["init", "moon.h", "--lib", "./libmoon.so", "-o", "-"]).succeeds();
    init.mentions("\nhotcell = 1\n").mentions("#[function.moon_split]\n").says("6 functions: 2 bound");
    assert_eq!(folder.files(), before);
}

#[test]
fn paths_start_at_the_contract() {
    let folder = Folder::with_moon();
    folder.write(
        "include/deep/stars.h",
        "#include \"sky.h\"\n#ifdef NIGHT\nint moon_add(int a, int b);\n#endif\n",
    );
    folder.write("sky/sky.h", "typedef int sky;\n");
    folder.write("contracts/here.txt", "");
    let words =
        ["init", "deep/stars.h", "--lib", "moon", "-I", "include", "-I", "sky", "-L", ".", "-D", "NIGHT"];
    folder.hotcell(words).and(["-o", "contracts/stars.toml"]).succeeds().says("1 bound");
    let draft = String::from_utf8(folder.read("contracts/stars.toml")).expect("a draft is text");
    for line in [
        "headers = [\"deep/stars.h\"]\n",
        "link = [\"../libmoon.so\"]\n",
        "include_dirs = [\"../include\", \"../sky\"]\n",
        "defines = [\"NIGHT\"]\n",
    ] {
        assert!(draft.contains(line), "{line}{draft}");
    }
    folder.hotcell(["check", "contracts/stars.toml"]).succeeds().mentions("bound  moon_add  proven");
    folder.hotcell(["call", "contracts/stars.toml", "moon_add", "1", "2"]).succeeds().prints("return  3");
    folder.hotcell(["init", "moon.h", "--lib", "./libmoon.so", "-o", "contracts/moon.toml"]).succeeds();
    let draft = String::from_utf8(folder.read("contracts/moon.toml")).expect("a draft is text");
    assert!(draft.contains("headers = [\"../moon.h\"]\nlink = [\"../libmoon.so\"]\n"), "{draft}");
    folder.hotcell(["call", "contracts/moon.toml", "moon_add", "1", "2"]).succeeds().prints("return  3");
}

#[test]
fn what_a_header_expects_becomes_the_prelude() {
    let folder = Folder::new();
    folder.write("sum.c", "#include <stdint.h>\nuint32_t sum(uint32_t a, uint32_t b) { return a + b; }\n");
    folder.compile("sum");
    let check = |header: &str, prelude: &str, names: &str| {
        folder.write("sum.h", header);
        let init = folder.hotcell(["init", "sum.h", "--lib", "./libsum.so", "--force"]).succeeds();
        let note = format!("note: sum.h does not compile by itself; the draft includes {names} before it");
        init.says(&note).says("1 bound");
        let draft = String::from_utf8(folder.read("bind.toml")).expect("a draft is text");
        assert!(draft.contains(prelude), "{draft}");
        // Nothing of the standard headers becomes a function of the library.
        folder.hotcell(["check", "bind.toml"]).succeeds().mentions("bound").mentions("; 0 lines decide");
        folder.hotcell(["call", "bind.toml", "sum", "1", "2"]).succeeds().prints("return  3");
        let alone = ["call", "sum.h", "--lib", "./libsum.so", "sum", "1", "2"];
        folder.hotcell(alone).succeeds().prints("return  3");
    };
    let sum = "uint32_t sum(uint32_t a, uint32_t b);\n";
    check(sum, "prelude = \"#include <stdint.h>\"\n", "<stdint.h>");
    check(
        &format!("{sum}void list(FILE *f, va_list all, size_t n);\n"),
        "prelude = \"\"\"\n#include <stdint.h>\n#include <stdio.h>\"\"\"\n",
        "<stdint.h>, <stdio.h>",
    );
    // A header of its own accord needs none, and what no standard header has is shown as the parser says it.
    folder.write("sum.h", format!("#include <stdint.h>\n{sum}"));
    let init = folder.hotcell(["init", "sum.h", "--lib", "./libsum.so", "--force"]).succeeds();
    init.does_not_say("note:");
    let before = folder.read("bind.toml");
    folder.write("sum.h", format!("{sum}int other(uint99_t a);\n"));
    let init = || folder.hotcell(["init", "sum.h", "--lib", "./libsum.so", "--force"]);
    init().fails(113).says("sum.h:1: unknown type name 'uint32_t'").says("unknown type name 'uint99_t'");
    assert_eq!(folder.read("bind.toml"), before);
    let prelude = "#include <stdint.h>\ntypedef int uint99_t;";
    init().and(["--prelude", prelude]).succeeds().does_not_say("note:").says("not exported  other");
    folder.hotcell(["call", "bind.toml", "sum", "1", "2"]).succeeds().prints("return  3");
}

#[test]
fn functions_of_other_libraries_are_not_selected() {
    let folder = Folder::with_moon();
    folder.write(
        "universe.h",
        "int moon_add(int a, int b);\nint moon_lock(unsigned *where);\n\
         int sun_one(void);\nint sun_two(void);\nint sun_three(void);\n",
    );
    let init = folder.hotcell(["init", "universe.h", "--lib", "./libmoon.so", "--force"]).succeeds();
    init.says("note: most of what the headers declare is not in the library").says("2 functions: 1 bound");
    let draft = String::from_utf8(folder.read("bind.toml")).expect("a draft is text");
    assert!(draft.contains("include = [\"moon_*\"]\n") && !draft.contains("sun_"), "{draft}");
}

#[test]
fn lines_that_make_forms_are_tried() {
    let folder = Folder::new();
    folder.hotcell(["init", "uuid/uuid.h", "--lib", "uuid", "-o", "new.toml"]).succeeds();
    let draft = String::from_utf8(folder.read("new.toml")).expect("a draft is text");
    let line = "#[function.uuid_parse_range]\n#params.in_start = { in = \"range\", end = \"in_end\" }\n";
    assert!(draft.contains(line), "{draft}");
    folder.write("all.toml", draft.replace(line, &line.replace('#', "")));
    let uuid = "01234567-89ab-cdef-0123-456789abcdef";
    // As much memory as there is room for.
    let arguments = ["call", "all.toml", "uuid_parse_range", uuid, "0000000000000000", "--format", "json"];
    let call = folder.hotcell(arguments).succeeds();
    call.mentions("0123456789abcdef0123456789abcdef");
}
