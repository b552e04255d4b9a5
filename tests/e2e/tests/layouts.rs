//! Structures that are others in the library than in the header that it is bound by: told by its debug information, or by what
//! its contract says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Value};
use hotcell::{ErrorKind, Options, Reload, Session};
use hotcell_bind::{Bound, Job, Source};
use hotcell_e2e::cli::Folder;

const HEADER: &str = "\
typedef struct { short kind; ITEM number; } moon_item;
struct moon_orbit {
    FIRST
    double radius;
    unsigned closed : 1;
    unsigned turns : 7;
    moon_item item;
    COUNT count;
    LAST
};
double moon_length(const struct moon_orbit *orbit);
int moon_size(void);
int moon_version(void);
";

const CODE: &str = "\
#include \"moon.h\"
double moon_length(const struct moon_orbit *orbit)
{
    return orbit->radius * 2 + orbit->turns + orbit->item.number + (double)orbit->count;
}
int moon_size(void) { return sizeof(struct moon_orbit); }
int moon_version(void) { return 7; }
";

/// What stands for the words in capitals.
const AS_BOUND: [&str; 4] = ["FIRST=", "ITEM=int", "COUNT=int", "LAST="];

fn compile(folder: &Folder, file: &str, defines: &[&str], options: &[&str]) {
    if file != "moon" {
        folder.write(&format!("{file}.c"), CODE);
    }
    let defines: Vec<String> = defines.iter().map(|define| format!("-D{define}")).collect();
    let mut words: Vec<&str> = defines.iter().map(String::as_str).collect();
    words.extend(["-Wl,-soname,libmoon.so"].iter().chain(options));
    folder.compile_with(file, &words);
}

/// Binds the library by its header and these lines.
fn bind(folder: &Folder, lines: &str) -> Result<Bound, hotcell_bind::Error> {
    folder.write("moon.h", HEADER);
    folder.write("moon.c", CODE);
    compile(folder, "moon", &AS_BOUND, &[]);
    folder.write(
        "bind.toml",
        format!(
            "hotcell = 1\nlibrary = \"moon\"\nheaders = [\"moon.h\"]\nlink = [\"moon\"]\ndefines = {AS_BOUND:?}\n{lines}\n\
             [function.moon_length]\nparams.orbit = {{ in = \"struct\" }}\n"
        ),
    );
    hotcell_bind::bind(&Job {
        source: Source::Contract(folder.path().join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![folder.path().to_owned()],
    })
}

fn open(folder: &Folder, bound: &Bound, file: &str) -> hotcell::Result<Session> {
    let libraries = vec![folder.path().join(format!("lib{file}.so"))];
    Session::open(bound.package, Options { libraries, ..Options::default() })
}

/// 2 * 10 + 3 + 4 + 100.
const LENGTH: f64 = 127.0;

fn length(bound: &Bound, session: &Session) -> Option<Value> {
    let int = |name: &str, value| (name.to_owned(), Value::Int(value));
    let item = Value::Struct(vec![int("kind", 1), int("number", 4)]);
    let radius = ("radius".to_owned(), Value::Float(10.0));
    let orbit = vec![radius, int("closed", 1), int("turns", 3), ("item".to_owned(), item), int("count", 100)];
    let function = bound.interface.function("moon_length").unwrap();
    dynamic::call(session, &bound.interface, function, &[Value::Struct(orbit)]).unwrap().returned
}

/// What is said of a library of these definitions, compiled with these options; nothing where it is taken, and right.
fn said_of(defines: &[&str], options: &[&str]) -> Option<String> {
    let folder = Folder::new();
    let bound = bind(&folder, "").unwrap();
    compile(&folder, "other", defines, options);
    match open(&folder, &bound, "other") {
        Ok(session) => {
            assert_eq!(length(&bound, &session), Some(Value::Float(LENGTH)));
            None
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::AbiMismatch, "{error}");
            let (path, text) = error.message().split_once(": ").unwrap();
            assert!(path.ends_with("libother.so"), "{error}");
            Some(text.to_owned())
        }
    }
}

const ORBIT: &str = "`struct moon_orbit` is another in the library than in the header: ";

#[test]
fn a_library_of_the_same_layouts_is_taken() {
    for options in [&["-g"][..], &["-gdwarf-4"], &["-gdwarf-5", "-O2"], &["-gdwarf-3"], &["-g", "-gz"], &[]] {
        assert_eq!(said_of(&AS_BOUND, options), None, "{options:?}");
    }
}

#[test]
fn what_lies_elsewhere_is_told() {
    for options in [&["-g"][..], &["-gdwarf-4"], &["-gdwarf-3"]] {
        for (first, count, last, how) in [
            ("int more;", "int", "", "its field `radius` lies at 0, and at 8 in the library"),
            ("", "int", "int more;", "the library's has a field `more` more"),
            ("", "long", "", "its field `count` lies at 20, and at 24 in the library"),
            ("", "short", "", "its field `count` has 4 bytes, and 2 in the library"),
            (
                "",
                "union { int old; } replaced; char",
                "",
                "its field `count` lies at 20, and at 24 in the library",
            ),
        ] {
            let defines = [
                format!("FIRST={first}"),
                "ITEM=int".into(),
                format!("COUNT={count}"),
                format!("LAST={last}"),
            ];
            let said = said_of(&defines.each_ref().map(String::as_str), options);
            assert_eq!(said, Some(format!("{ORBIT}{how}")), "{options:?} {defines:?}");
        }
        // A structure in a structure, which has its name by `typedef`.
        let said = said_of(&["FIRST=", "ITEM=short", "COUNT=int", "LAST="], options);
        let expect = "`moon_item` is another in the library than in the header: its field `number` lies at 4, and at 2 in the \
                      library";
        assert_eq!(said.as_deref(), Some(expect), "{options:?}");
    }
}

/// Reserved fields get a use, and libraries hide fields from callers: the places are the same.
#[test]
fn another_name_of_a_field_is_no_other_layout() {
    assert_eq!(said_of(&["FIRST=", "ITEM=int", "COUNT=int", "LAST=", "radius=radius_"], &["-g"]), None);
    assert_eq!(said_of(&["FIRST=", "ITEM=int", "COUNT=int", "LAST=", "count=reserved"], &["-g"]), None);
}

#[test]
fn a_contract_may_say_that_a_library_of_another_layout_is_taken() {
    let folder = Folder::new();
    let bound = bind(&folder, "layouts = false").unwrap();
    compile(&folder, "other", &["FIRST=", "ITEM=int", "COUNT=int", "LAST=int more;"], &["-g"]);
    assert_eq!(length(&bound, &open(&folder, &bound, "other").unwrap()), Some(Value::Float(LENGTH)));
    let aware = bind(&folder, "layouts = true").unwrap();
    let error = open(&folder, &aware, "other").map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbiMismatch, "{error}");
}

#[test]
fn a_part_of_the_library_may_have_a_structure_of_the_same_name_for_itself() {
    let folder = Folder::new();
    let bound = bind(&folder, "").unwrap();
    folder.write("private.h", "struct moon_orbit { void *all; };\nstruct moon_orbit moon_hidden;\n");
    folder.write("private.c", "#include \"private.h\"\n");
    folder.write("other.c", CODE);
    let defines = AS_BOUND.map(|define| format!("-D{define}"));
    let mut words: Vec<&str> = vec!["-g", "private.c", "-Wl,-soname,libmoon.so"];
    words.extend(defines.iter().map(String::as_str));
    folder.compile_with("other", &words);
    let session = open(&folder, &bound, "other").unwrap();
    assert_eq!(length(&bound, &session), Some(Value::Float(LENGTH)));
}

/// Without debug information: what the contract compares, each worker does.
#[test]
fn a_contract_compares_what_the_library_says_of_itself() {
    let folder = Folder::new();
    let lines = "abi = [\"moon_size() == sizeof(struct moon_orbit)\", \"moon_version() == 7\"]";
    let bound = bind(&folder, lines).unwrap();
    assert_eq!(length(&bound, &open(&folder, &bound, "moon").unwrap()), Some(Value::Float(LENGTH)));
    compile(&folder, "other", &["FIRST=int more;", "ITEM=int", "COUNT=int", "LAST="], &[]);
    let error = open(&folder, &bound, "other").map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbiMismatch, "{error}");
    let expect = "this is not the library of the headers: this does not hold: moon_size() == sizeof(struct moon_orbit)";
    assert!(error.message().contains(expect), "{error}");
    // Without the line nobody notices: that is what it is for.
    let unaware = bind(&folder, "").unwrap();
    assert_ne!(length(&unaware, &open(&folder, &unaware, "other").unwrap()), Some(Value::Float(LENGTH)));
}

#[test]
fn a_library_of_another_layout_is_not_loaded_anew() {
    let folder = Folder::new();
    let bound = bind(&folder, "").unwrap();
    compile(&folder, "other", &["FIRST=int more;", "ITEM=int", "COUNT=int", "LAST="], &["-g"]);
    let session = open(&folder, &bound, "moon").unwrap();
    let libraries = Some(vec![folder.path().join("libother.so")]);
    let error = session.reload(&Reload { libraries, ..Reload::default() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbiMismatch, "{error}");
    assert!(error.message().contains(ORBIT), "{error}");
    assert_eq!(length(&bound, &session), Some(Value::Float(LENGTH)));
}

#[test]
fn what_cannot_be_compared_is_an_error_at_its_line() {
    for (line, expect) in [
        ("abi = [\"moon_age() == 1\"]", "moon_age"),
        ("abi = [\"moon_size()\"]", "`moon_size()` compares nothing"),
        ("abi = \"moon_size() == 1\"", "abi"),
        ("layouts = \"no\"", "`layouts` is true or false, not a text"),
    ] {
        let folder = Folder::new();
        let said = bind(&folder, line).map(drop).map_err(|error| error.to_string());
        assert!(said.as_ref().is_err_and(|said| said.contains(expect)), "{line}: {said:?}");
    }
}
