//! `hotcell decide` from the outside: a walk through what is undecided, with what the header says.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use hotcell_e2e::cli::{Folder, program};

const HEADER: &str = "\
struct well;
/** Digs a well.
 * It is the caller's. */
struct well *well_dig(int depth);
void well_fill_in(struct well *it);
/* How deep the water stands. */
int well_level(struct well *it, int *metres);
int well_lock(int *strokes);
void well_log(const char *text, ...);
";

const CODE: &str = "\
#include <stdlib.h>
struct well { int depth; };
/* A call by a pointer shows nothing of what is passed. */
static void write_to(int *to, int number) { *to = number; }
static void (*volatile put)(int *, int) = write_to;
struct well *well_dig(int depth)
{
    struct well *it = malloc(sizeof *it);
    put(&it->depth, depth);
    return it;
}
void well_fill_in(struct well *it) { free(it); }
int well_level(struct well *it, int *metres) { put(metres, it->depth / 2); return 0; }
int well_lock(int *strokes) { put(strokes, *strokes + 1); return 0; }
void well_log(const char *text, ...) { (void)text; }
";

/// A folder with the draft of a contract.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.library("well", HEADER, CODE);
    folder.hotcell(["init", "well.h", "--lib", "./libwell.so"]).succeeds();
    folder
}

fn contract(folder: &Folder) -> String {
    String::from_utf8(folder.read("bind.toml")).expect("a contract is text")
}

#[test]
fn what_is_answered_is_written_and_can_be_called() {
    let folder = folder();
    let answers = "\
?
handle.well = { release = \"well_fill_in\" }
1b
result = { out = \"owned\" }
y
1a
y
1b
y
";
    let ended = folder.hotcell(["decide", "bind.toml"]).input(answers).succeeds();
    let ended = ended.mentions("Digs a well.").mentions("struct well *well_dig(int depth);");
    let ended = ended.mentions("How deep the water stands.").mentions("int well_lock(int *strokes);");
    ended.mentions("0 undecided");
    let text = contract(&folder);
    assert!(text.contains("handle.well = { release = \"well_fill_in\" }\n"), "{text}");
    assert!(text.contains("\n# int well_lock(int *strokes)\n[function.well_lock]\n"), "{text}");
    assert!(!text.contains("#[function."), "{text}");
    assert!(text.contains("\n#   [function.well_log_number]\n#   of = \"well_log\"\n"), "{text}");
    folder.hotcell(["call", "bind.toml", "well_lock", "41"]).succeeds().mentions("42");
    folder.hotcell(["decide", "bind.toml"]).succeeds().mentions("0 decisions are written");
}

#[test]
fn a_walk_can_be_stopped_and_gone_on_with() {
    let folder = folder();
    let draft = contract(&folder);
    for answers in ["", "q\n", "s\nq\n"] {
        folder.hotcell(["decide", "bind.toml"]).input(answers).succeeds();
        assert_eq!(contract(&folder), draft);
    }
    let ended = folder.hotcell(["decide", "bind.toml", "well_lock"]).input("1b\ny\n").succeeds();
    ended.mentions("one function more is bound");
    let text = contract(&folder);
    assert!(text.contains("\n[function.well_lock]\nparams.strokes = { inout = \"value\" }\n"), "{text}");
    assert!(text.contains("#[function.well_dig]") && !text.contains("#[function.well_lock]"), "{text}");
}

#[test]
fn nothing_is_guessed_where_there_are_several_readings() {
    let folder = folder();
    let draft = contract(&folder);
    let ended = folder.hotcell(["decide", "bind.toml", "well_level"]).input("y\nq\n").succeeds();
    ended.mentions("line 1 has 3 readings: answer 1a, 1b or 1c");
    assert_eq!(contract(&folder), draft);
    for (answer, line) in [
        ("1a", "{ out = \"value\" }"),
        ("1b", "{ inout = \"value\" }"),
        ("1c", "{ in = \"buffer\", length = \"1\" }"),
        ("1a\n1b", "{ inout = \"value\" }"),
    ] {
        folder.write("bind.toml", &draft);
        let answers = format!("{answer}\ny\n");
        folder.hotcell(["decide", "bind.toml", "well_level"]).input(answers).succeeds();
        let text = contract(&folder);
        assert!(text.contains(&format!("\n[function.well_level]\nparams.metres = {line}\n")), "{text}");
    }
}

#[test]
fn an_excluded_function_has_its_reason_above_it() {
    let folder = folder();
    let draft = contract(&folder);
    for empty in ["x\n\nq\n", "x\n", "x because \nq\n"] {
        folder.hotcell(["decide", "bind.toml", "well_level"]).input(empty).succeeds();
        assert_eq!(contract(&folder), draft);
    }
    folder.hotcell(["decide", "bind.toml", "well_level"]).input("x because it is dry.\n").succeeds();
    folder.hotcell(["decide", "bind.toml", "well_lock"]).input("x\nNobody pumps.\n").succeeds();
    let text = contract(&folder);
    let list =
        "exclude = [\n    # it is dry.\n    \"well_level\",\n    # Nobody pumps.\n    \"well_lock\",\n]\n";
    assert!(text.contains(list) && !text.contains("well_level:") && !text.contains("well_lock:"), "{text}");
}

#[test]
fn what_others_wrote_stays_as_it_was() {
    let folder = folder();
    let draft = contract(&folder);
    let noted =
        draft.replace("#[function.well_lock]", "# well_lock: Ann says it counts.\n#[function.well_lock]");
    let noted = noted.replace("#params.strokes", "# Ask Ann about result = 1.\n#params.strokes");
    folder.write("bind.toml", &noted);
    folder.hotcell(["decide", "bind.toml", "well_lock"]).input("1b\ny\n").succeeds();
    let text = contract(&folder);
    assert!(text.contains("\n# well_lock: Ann says it counts.\n# Ask Ann about result = 1.\n"), "{text}");
    let typed = "handle.well = {}\nq\n";
    let known = draft.replacen(
        "\n\n# well_dig",
        "\nhandle.well = { release = \"well_fill_in\" } # Ann\n\n# well_dig",
        1,
    );
    folder.write("bind.toml", &known);
    let ended = folder.hotcell(["decide", "bind.toml", "well_level"]).input(typed).succeeds();
    ended.mentions(
        "`handle.well = { release = \"well_fill_in\" }` is there already; edit the file to change it",
    );
    assert_eq!(contract(&folder), known);
}

#[test]
fn lines_end_as_they_ended() {
    let folder = folder();
    let draft = contract(&folder);
    folder.hotcell(["decide", "bind.toml", "well_lock"]).input("1b\ny\n").succeeds();
    let plain = contract(&folder);
    let as_another_editor = |text: &str| format!("\u{feff}{}", text.trim_end().replace('\n', "\r\n"));
    folder.write("bind.toml", as_another_editor(&draft));
    folder.hotcell(["decide", "bind.toml", "well_lock"]).input("1b\ny\n").succeeds();
    assert_eq!(contract(&folder), as_another_editor(&plain));
    folder.write("bind.toml", draft.replacen('\n', "\r\n", 1));
    folder.hotcell(["decide", "bind.toml", "well_lock"]).fails(113).says("let all of them end alike");
}

#[test]
fn nothing_is_written_over_what_somebody_else_wrote() {
    let folder = folder();
    let draft = folder.read("bind.toml");
    let file = folder.path().join("bind.toml");
    let mut foreign = draft.clone();
    foreign.extend(b"# \xe9t\xe9\n");
    for (meanwhile, says) in [(None, "cannot read bind.toml again"), (Some(foreign), "has changed meanwhile")]
    {
        folder.write("bind.toml", &draft);
        let said = decided_after(&folder, || match &meanwhile {
            Some(bytes) => folder.write("bind.toml", bytes),
            None => fs::remove_file(&file).expect("the contract is there"),
        });
        assert!(said.contains(says), "{said}");
        assert_eq!(fs::read(&file).ok(), meanwhile);
    }
    folder.write("bind.toml", &draft);
    fs::set_permissions(&file, Permissions::from_mode(0o444)).expect("the file is this test's");
    let ended = folder.hotcell(["decide", "bind.toml", "well_lock"]).input("1b\ny\n").fails(113);
    ended.says("cannot write bind.toml: it is read-only");
    assert_eq!(folder.read("bind.toml"), draft);
}

/// What `hotcell decide` says on standard error when this happens between its question and the answer; it must fail.
fn decided_after(folder: &Folder, happens: impl FnOnce()) -> String {
    let mut command = Command::new(program("hotcell"));
    command.args(["decide", "bind.toml", "well_lock"]).current_dir(folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut output = child.stdout.take().expect("it is a pipe");
    let mut shown = Vec::new();
    while !shown.ends_with(b"[?] > ") {
        let mut byte = [0];
        output.read_exact(&mut byte).expect("it asks");
        shown.extend(byte);
    }
    happens();
    let mut input = child.stdin.take().expect("it is a pipe");
    input.write_all(b"1b\ny\n").expect("it reads");
    drop(input);
    output.read_to_end(&mut shown).expect("it ends");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(113));
    String::from_utf8(ended.stderr).expect("it says text")
}

#[test]
fn what_is_wrong_or_leaves_something_open_is_not_written() {
    let folder = folder();
    let draft = contract(&folder);
    let answers = "params.nothing = { in = \"value\" }\n1a\ny\nwhat\n9\nq\n";
    let ended = folder.hotcell(["decide", "bind.toml", "well_lock"]).input(answers).succeeds();
    ended.mentions("`well_lock` has no parameter `nothing`").mentions("Not understood");
    let answers = "params.it = { in = \"handle\" }\nparams.metres = { in = \"handle\" }\ny\nq\n";
    folder.hotcell(["decide", "bind.toml", "well_level"]).input(answers).succeeds().mentions("not written");
    assert_eq!(contract(&folder), draft);
}

#[test]
fn what_cannot_be_decided_is_said() {
    let folder = folder();
    let wrong = |words: &[&str], says: &str| {
        folder.hotcell(["decide"]).and(words).fails(113).says(says);
    };
    wrong(&["well.h"], "`hotcell init` drafts one from a header");
    wrong(&["bind.toml", "well_log"], "no line would decide `well_log`");
    wrong(&["bind.toml", "well_pmp"], "`well_pmp` is not among the functions that the contract selects");
    folder.hotcell(["decide", "bind.toml", "well_lock"]).input("1b\ny\n").succeeds();
    wrong(&["bind.toml", "well_lock"], "`well_lock` is bound; `hotcell explain` tells why");
}
