//! `hotcell decide` from the outside: a walk through what is undecided, with what the header says.

use hotcell_e2e::cli::Folder;

const HEADER: &str = "\
struct well;
/** Digs a well.
 * It is the caller's. */
struct well *well_dig(int depth);
void well_fill_in(struct well *it);
/* How deep the water stands. */
int well_level(struct well *it, int *metres);
int well_next(int *state);
void well_log(const char *text, ...);
";

const CODE: &str = "\
#include <stdlib.h>
struct well { int depth; };
struct well *well_dig(int depth)
{
    struct well *it = malloc(sizeof *it);
    it->depth = depth;
    return it;
}
void well_fill_in(struct well *it) { free(it); }
int well_level(struct well *it, int *metres) { *metres = it->depth / 2; return 0; }
int well_next(int *state) { *state += 1; return 0; }
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
2
result = { out = \"owned\" }
y
y
y
";
    let ended = folder.hotcell(["decide", "bind.toml"]).input(answers).succeeds();
    let ended = ended.mentions("Digs a well.").mentions("struct well *well_dig(int depth);");
    let ended = ended.mentions("How deep the water stands.").mentions("int well_next(int *state);");
    ended.mentions("0 undecided");
    let text = contract(&folder);
    assert!(text.contains("handle.well = { release = \"well_fill_in\" }\n"), "{text}");
    assert!(text.contains("\n# int well_next(int *state)\n[function.well_next]\n"), "{text}");
    assert!(!text.contains("#[function."), "{text}");
    assert!(text.contains("# No line would make these callable:\n#   well_log"), "{text}");
    folder.hotcell(["call", "bind.toml", "well_next"]).succeeds();
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
    folder
        .hotcell(["decide", "bind.toml", "well_next"])
        .input("y\n")
        .succeeds()
        .mentions("one function more is bound");
    let text = contract(&folder);
    assert!(text.contains("\n[function.well_next]\n") && text.contains("#[function.well_dig]"), "{text}");
    folder.hotcell(["decide", "bind.toml", "well_level"]).input("x\n").succeeds();
    let text = contract(&folder);
    assert!(text.contains("exclude = [\"well_level\"]\n") && !text.contains("well_level:"), "{text}");
}

#[test]
fn what_is_wrong_or_leaves_something_open_is_not_written() {
    let folder = folder();
    let draft = contract(&folder);
    let answers = "params.nothing = { in = \"value\" }\ny\nwhat\n9\nq\n";
    let ended = folder.hotcell(["decide", "bind.toml", "well_next"]).input(answers).succeeds();
    ended.mentions("`well_next` has no parameter `nothing`").mentions("Not understood");
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
    wrong(&["bind.toml", "well_nxt"], "`well_nxt` is not among the functions that the contract selects");
    folder.hotcell(["decide", "bind.toml", "well_next"]).input("y\n").succeeds();
    wrong(&["bind.toml", "well_next"], "`well_next` is bound; `hotcell explain` tells why");
}
