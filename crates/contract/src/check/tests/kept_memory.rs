//! Memory that an object may go on reading: `kept-memory`.

use hotcell_model::Evidence;
use hotcell_model::interface::{Param, Role, Until};

use super::support::{api, contract, record, run};
use crate::check::Selection;

/// What of a function the worker keeps copies of, and whether each ends at a wall; none when it is not bound.
fn kept(declarations: &str, name: &str) -> Option<Vec<(String, Until, bool)>> {
    let all: Vec<&str> = declarations.split("; ").collect();
    let mut api = api(&all);
    let fields = &["int hour", "int minute"][..];
    api.records.insert("time".into(), record("struct time", Some(fields)));
    let checked =
        run(&api, &contract("[handle]\ndb = { release = \"db_close\" }\nstmt = {}\n"), Selection::Only(name));
    let checked = checked.unwrap();
    let function = checked.interface.functions.first()?;
    // A text is kept as one.
    let is_text =
        |param: &Param| matches!(&param.role.evidence, Evidence::Inferred { rule } if rule == "kept-text");
    if function.params.iter().any(is_text) {
        return None;
    }
    let keeps = function.keeps.iter().map(|keeps| {
        assert!(!keeps.replaced);
        (function.params[keeps.param].name.clone(), keeps.until, function.ends_at_wall(keeps.param))
    });
    Some(keeps.collect())
}

const RELEASE: &str = "int db_close(db *d)";

fn check(declaration: &str, expect: Option<&[(&str, Until, bool)]>) {
    let name = declaration.split('(').next().unwrap().rsplit([' ', '*']).next().unwrap();
    let expect = expect
        .map(|kept| kept.iter().map(|(name, until, wall)| ((*name).to_owned(), *until, *wall)).collect());
    assert_eq!(kept(&format!("{declaration}; {RELEASE}"), name), expect, "{declaration}");
}

const FIRST: Until = Until::Param { param: 0 };

#[test]
fn what_an_object_may_note_stays_until_that_goes() {
    check("void db_set_points(db *d, const double *points, int n)", Some(&[("points", FIRST, true)]));
    check(
        "int db_use(db *d, const int *one, const short *other)",
        Some(&[("one", FIRST, true), ("other", FIRST, true)]),
    );
    check(
        "int db_load_dict(db *d, const char *dictionary, int dictSize)",
        Some(&[("dictionary", FIRST, true)]),
    );
    check("void db_numbers(db *d, const int *numbers)", Some(&[("numbers", FIRST, true)]));
    check("db *db_new_of(const float *heights, int n)", Some(&[("heights", Until::Result, true)]));
    // What is done with when the call returns is not kept.
    check("int db_write(db *d, const short *numbers)", Some(&[]));
}

#[test]
fn data_of_which_the_length_is_known_needs_no_wall() {
    check(
        "int db_attach(db *d, const unsigned char *data, unsigned long size)",
        Some(&[("data", FIRST, false)]),
    );
    let all = format!("int db_attach(db *d, const unsigned char *data, unsigned long size); {RELEASE}");
    let all: Vec<&str> = all.split("; ").collect();
    let text = contract("[handle]\ndb = { release = \"db_close\" }\n");
    let checked = run(&api(&all), &text, Selection::Only("db_attach")).unwrap();
    let length = &checked.interface.functions[0].params[2].role.value;
    assert!(matches!(length, Role::LengthOf { param: 1, .. }), "{length:?}");
}

#[test]
fn a_structure_that_is_got_again_is_what_is_in_it() {
    let set = "int db_set_time(db *d, const struct time *time)";
    let get = "int db_get_time(db *d, struct time **time)";
    let of = |declarations: &str| kept(&format!("{declarations}; {RELEASE}"), "db_set_time");
    let found = Some(vec![("time".to_owned(), FIRST, true)]);
    assert_eq!(of(&format!("{set}; {get}")), found);
    // What another function hands out may have more behind it.
    assert_eq!(of(&format!("{set}; int db_find(db *d, struct time **time)")), None);
    assert_eq!(of(&format!("{set}; {get}; int db_set_zone(db *d, int zone)")), found);
    assert_eq!(of(&format!("{set}; int db_get_date(db *d, struct time **time)")), None);
    // So are others of the kind callers'.
    let fill = "void fill_seconds(struct time *time, long seconds)";
    let filled = |more: &str| kept(&format!("{fill}; {more}; {RELEASE}"), "fill_seconds");
    assert_eq!(filled(&format!("{set}; {get}")), Some(Vec::new()));
    assert_eq!(filled(get), None);
    // A name that says of an object that something goes on using it says so of a structure too, whoever that is.
    let given = |declaration: &str, name: &str| {
        let fill = "void fill_seconds(struct time *time, long seconds)";
        kept(&format!("{declaration}; {fill}; int time_show(struct time *time); {RELEASE}"), name)
    };
    assert_eq!(given("int lib_count(const struct time *time)", "lib_count"), Some(Vec::new()));
    for verb in ["configure", "hook", "activate", "select", "share", "publish", "reconfigure_conf"] {
        let declaration = format!("int lib_{verb}(const struct time *time)");
        assert_eq!(given(&declaration, &format!("lib_{verb}")), None, "{verb}");
    }
    // It may be changed where it is.
    assert_eq!(of(&format!("{}; {get}", set.replace("const ", ""))), None);
}

#[test]
fn it_is_asked_for_where_a_copy_would_not_do() {
    for declaration in [
        // What it is fed with, piece by piece.
        "int db_append(db *d, const double *numbers, int n)",
        "int db_process(db *d, const unsigned char *data, unsigned long size)",
        "int db_set_next(db *d, const double *numbers)",
        // What is done again and again.
        "double db_eval(db *d, const double *numbers, double x)",
        "int db_create_cursor(db *d, const double *numbers)",
        // What is written later, and nobody would see.
        "int db_set_room(db *d, double *numbers)",
        // A text, which a NUL ends, or that may be one.
        "int db_set_title(db *d, const char *title)",
        "int db_set_function(db *d, const char *name, int nArg)",
        "int db_set_words(db *d, const char *words, int line)",
        // Nothing ends it.
        "int set_table(const int *table, int n)",
        // Either of them may keep it.
        "int db_set_both(db *d, stmt *s, const double *numbers)",
        "int db_set_request(db *d, const double *numbers, int request)",
        // What it is goes by the command.
        "int db_set_ctl(db *d, const int *what)",
    ] {
        check(declaration, None);
    }
    // An object of which references are counted may be there when its caller's has gone.
    let counted =
        format!("void db_set_points(db *d, const double *points, int n); {RELEASE}; db *db_ref(db *d)");
    assert_eq!(kept(&counted, "db_set_points"), None);
}

#[test]
fn a_line_says_that_the_library_copies() {
    let all = ["void db_set_points(db *d, const double *points, int n)", RELEASE];
    let text = "[handle]\ndb = { release = \"db_close\" }\n[function.db_set_points]\nparams.points = { in = \"buffer\", length = \"n\" }\n";
    let checked = run(&api(&all), &contract(text), Selection::Only("db_set_points")).unwrap();
    assert!(checked.interface.functions[0].keeps.is_empty());
}
