//! `hotcell diff` from the outside: what an upgrade of a library brings.

use hotcell_e2e::cli::Folder;
use serde_json::{Value, json};

const HEADER: &str = "\
#define TIDE_VERSION \"1.0\"
#define TIDE_LIMIT 4
#define TIDE_OLD 1
enum tide_phase { TIDE_LOW, TIDE_HIGH = 5 };
struct tide_place { int harbour; int pier; };
int tide_height(struct tide_place at, int hour);
int tide_next(enum tide_phase phase);
int tide_stop(int now);
unsigned tide_sum(const unsigned char *data, unsigned data_len);
int tide_lock(int *where);
";

const CODE: &str = "\
int tide_height(struct tide_place at, int hour) { return at.harbour + hour; }
int tide_next(enum tide_phase phase) { return (int)phase; }
int tide_stop(int now) { return now; }
unsigned tide_sum(const unsigned char *data, unsigned n) { return n ? data[0] : 0; }
int tide_lock(int *where) { return *where; }
";

const CONTRACT: &str = "hotcell = 1\nlibrary = \"tide\"\nheaders = [\"tide.h\"]\nlink = [\"./libtide.so\"]\n";

/// A folder with a package of the first state, and the contract.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.library("tide", HEADER, CODE);
    folder.write("bind.toml", CONTRACT);
    folder.hotcell(["gen", "bind.toml", "--out", "package"]).succeeds();
    folder
}

fn changed(folder: &Folder, status: i32) -> Vec<(String, String, bool, Vec<String>)> {
    let ended = folder.hotcell(["diff", "package", "bind.toml", "--format", "json"]).fails(status);
    let report = ended.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let changes = list(&report["changes"]).into_iter().map(|change| {
        let details = list(&change["details"]).iter().map(text).collect();
        let what = format!("{} {}", text(&change["kind"]), text(&change["subject"]));
        (what, text(&change["name"]), change["breaks"] == true, details)
    });
    changes.collect()
}

#[test]
fn nothing_has_changed() {
    let folder = folder();
    folder.hotcell(["diff", "package", "bind.toml"]).succeeds().prints("nothing changed");
    // Comments and names of files are no change.
    folder.library("tide", &HEADER.replace("int tide_stop", "/* Stops. */\nint tide_stop"), CODE);
    folder.hotcell(["diff", "package/interface.json", "bind.toml"]).succeeds().prints("nothing changed");
}

#[test]
fn what_is_new_breaks_nothing() {
    let folder = folder();
    let header = HEADER.replace("\"1.0\"", "\"1.1\"").replace("TIDE_HIGH = 5", "TIDE_HIGH = 5, TIDE_STORM");
    folder.library(
        "tide",
        &format!("{header}#define TIDE_NEW 2\nint tide_now(void);\n"),
        &format!("{CODE}int tide_now(void) {{ return 7; }}\n"),
    );
    let found = changed(&folder, 0);
    let expect = json!([
        ["added function", "tide_now", false, ["int tide_now(void)"]],
        ["changed enumeration", "enum tide_phase", false, ["`TIDE_STORM` is new: 6"]],
        ["changed constant", "TIDE_VERSION", false, ["\"1.0\" became \"1.1\""]],
        ["added constant", "TIDE_NEW", false, ["2"]],
    ]);
    let mut found = json!(found).as_array().unwrap().clone();
    // Enumerators are constants, too.
    found.retain(|change| change[1] != "TIDE_STORM");
    assert_eq!(json!(found), expect);
    folder
        .hotcell(["diff", "package", "bind.toml"])
        .succeeds()
        .mentions("breaks none\n")
        .mentions("0 changes that break programs, 5 that do not\n");
}

#[test]
fn what_breaks_programs_is_told_first_and_by_the_status() {
    let folder = folder();
    let header = HEADER
        .replace("#define TIDE_OLD 1\n", "")
        .replace("TIDE_HIGH = 5", "TIDE_HIGH = 6")
        .replace("{ int harbour; int pier; }", "{ long harbour; int pier; int depth; }")
        .replace("int tide_next(enum tide_phase phase)", "long tide_next(enum tide_phase phase)")
        .replace("int tide_stop(int now);\n", "")
        .replace("const unsigned char *data, unsigned data_len)", "const void *data, unsigned hour)");
    let code = CODE
        .replace("int tide_next", "long tide_next")
        .replace("int tide_stop(int now) { return now; }\n", "")
        .replace(
            "const unsigned char *data, unsigned n) { return n ? data[0] : 0; }",
            "const void *data, unsigned n) { return n; }",
        )
        .replace("at.harbour +", "(int)at.harbour +");
    folder.library("tide", &header, &code);
    let found = changed(&folder, 1);
    let of = |what: &str, name: &str| {
        let found = found.iter().find(|change| change.0 == what && change.1 == name);
        found.unwrap_or_else(|| panic!("{what} {name}: {found:?}")).clone()
    };
    let place = of("changed structure", "struct tide_place");
    let expect = [
        "it was 8 bytes large and is 16",
        "`harbour` was `int` and is `long`",
        "`pier` moved from byte 4 to byte 8",
        "`depth` is new",
    ];
    assert_eq!((place.2, &place.3[..4]), (true, &expect.map(str::to_owned)[..]));
    let next = of("changed function", "tide_next");
    assert!(
        next.2 && next.3[0].starts_with("`int tide_next(") && next.3[0].contains("` became `long tide_next("),
        "{next:?}"
    );
    assert!(of("removed function", "tide_stop").2);
    // It can be called no more: nothing says what the data are.
    let sum = of("changed function", "tide_sum");
    assert!(sum.2 && sum.3[0].starts_with("it cannot be called any more: "), "{sum:?}");
    assert!(of("removed constant", "TIDE_OLD").2);
    assert!(
        of("changed enumeration", "enum tide_phase").3.contains(&"`TIDE_HIGH` was 5 and is 6".to_owned())
    );
    let text = folder.hotcell(["diff", "package", "bind.toml"]).fails(1);
    text.mentions("breaks programs\n").mentions("  function     tide_stop  ").mentions("break programs, ");
}

#[test]
fn a_contract_that_decides_more_adds_functions() {
    let folder = folder();
    folder
        .write("bind.toml", format!("{CONTRACT}function.tide_lock.params.where = {{ inout = \"value\" }}\n"));
    assert_eq!(
        changed(&folder, 0),
        [(
            "changed function".to_owned(),
            "tide_lock".to_owned(),
            false,
            vec!["it can be called now".to_owned()]
        )]
    );
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = folder();
    folder
        .hotcell(["diff", "nothing", "bind.toml"])
        .fails(113)
        .says("cannot read nothing")
        .says("help: name a contract");
    folder.write("half.json", "{}");
    folder.hotcell(["diff", "half.json", "bind.toml"]).fails(113).says("half.json: not an interface");
    folder.library("moon", "int moon(void);\n", "int moon(void) { return 1; }\n");
    folder.write(
        "moon.toml",
        "hotcell = 1\nlibrary = \"moon\"\nheaders = [\"moon.h\"]\nlink = [\"./libmoon.so\"]\n",
    );
    folder.hotcell(["diff", "package", "moon.toml"]).fails(113).says("`tide` and `moon` are two libraries");
    let error = folder.hotcell(["diff", "nothing", "bind.toml"]).error(113, "InvalidArgument");
    assert!(error["message"].as_str().unwrap().contains("cannot read"), "{error}");
}

#[test]
fn a_library_that_is_contained_less_is_told_by_itself() {
    let folder = folder();
    let with = |lines: &str| folder.write("bind.toml", format!("{CONTRACT}{lines}"));
    with("sandbox = { profile = \"network\", connect = [80], require = \"strict\" }\nguard = \"sampled\"\n");
    let found = changed(&folder, 0);
    let kinds: Vec<_> =
        found.iter().map(|(what, name, breaks, _)| (what.as_str(), name.as_str(), *breaks)).collect();
    let expect =
        ["weakened sandbox", "tightened sandbox", "tightened guard"].map(|what| (what, "tide", false));
    assert_eq!(kinds, expect);
    let weaker = ["the profile was `compute` and is `network`", "`connect` has more: `80`"];
    assert_eq!(found[0].3, weaker);
    folder
        .hotcell(["diff", "package", "bind.toml"])
        .succeeds()
        .mentions("contains the library less\n    sandbox  tide  weakened\n")
        .mentions("0 changes that break programs, 2 that do not, 1 that contains the library less\n");
    folder.hotcell(["gen", "bind.toml", "--out", "package", "--force"]).succeeds();
    folder.hotcell(["diff", "package", "bind.toml"]).succeeds().prints("nothing changed");
    with("sandbox = { profile = \"network\", connect = [80, 443] }\n");
    let found = changed(&folder, 0);
    let details: Vec<_> = found.iter().flat_map(|(.., details)| details).map(String::as_str).collect();
    let expect = [
        "`require` was \"strict\" and is \"offered\"",
        "`connect` has more: `443`",
        "`guard` was \"sampled\" and is \"none\"",
    ];
    assert_eq!(details, expect);
    assert!(found.iter().all(|(what, ..)| what.starts_with("weakened ")), "{found:?}");
}
