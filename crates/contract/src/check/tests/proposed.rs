//! Lines that are proposed about what may be kept: each is one that can be written.

use super::support::{api, contract, run, said};
use crate::check::Selection;

const OTHERS: &[&str] = &["db *db_open(const char *name)", "void db_free(db *d)", "void stmt_free(stmt *s)"];

const KEPT: &[&str] = &[
    "int db_set_item(db *d, const stmt *s)",
    "int db_use(db *d, const stmt *s, const stmt *other)",
    "int stmt_install(const stmt *s, db *d)",
    "int stmt_append(stmt *s, const stmt *child)",
    "db *db_new_with(const stmt *s)",
    "db *db_new_of(db *d, const stmt *s)",
    "int db_create_in(const stmt *s, db **made)",
    "int db_install(const stmt *s)",
    "int db_set_name(db *d, const char *name)",
    "int db_set_names(db *d, const char *name, const char *other)",
    "int db_set_both(db *d, const char *name, const stmt *s)",
    "int db_set_points(db *d, const double *points)",
    "int db_set_curves(db *d, const double *points, const short *others)",
    "int db_attach(db *d, const unsigned char *data, unsigned long size)",
    // What the function could change as well.
    "int db_attach_stmt(db *d, stmt *s)",
    "int db_watch(db *d, stmt *s)",
    "int db_add(db *d, const stmt *s)",
    "int stmt_append_to(stmt *s, db *d)",
    "int stmt_add_to_db(stmt *s, db *d)",
    "int db_add_two(db *d, stmt *s, stmt *other)",
    "db *db_replace(db *d, stmt *s)",
    "int db_register(db *d)",
    "db *db_new_on(stmt *s)",
    "db *db_find_on(db *d, stmt *s)",
    "int db_open_on(stmt *s, db **made)",
];

/// What an entry of a contract may say of all of them.
const ENTRIES: &[&str] =
    &["", "nullable = [\"*.*\"]\n", "nullable = [\"*.d\"]\n", "threads = \"per-handle\"\n"];

fn lines(entry: &str, more: &str) -> String {
    let handles = "handle.db = { release = \"db_free\" }\nhandle.stmt = { release = \"stmt_free\" }\n";
    format!("{entry}{handles}{more}")
}

/// What is proposed about a function, line by line; none where it is bound.
fn proposed(declaration: &str, entry: &str) -> Vec<String> {
    let all = [OTHERS, &[declaration]].concat();
    let name = name(declaration);
    let checked = run(&api(&all), &contract(&lines(entry, "")), Selection::Only(name)).unwrap();
    let help = checked.interface.left_out.into_iter().find(|out| out.name == name).map(|out| out.help);
    let help = help.map(|help| help.unwrap_or_else(|| panic!("{declaration}: nothing is proposed")));
    help.iter().flat_map(|help| help.lines().skip(1).map(str::to_owned)).collect()
}

fn name(declaration: &str) -> &str {
    declaration.split('(').next().unwrap().rsplit([' ', '*']).next().unwrap()
}

/// What a line says, and what else it may say.
fn answers(line: &str) -> Vec<String> {
    let (says, others) = line.split_once(" # ").unwrap_or((line, ""));
    let (of, _) = says.split_once(" = ").unwrap();
    let mut found = vec![says.to_owned()];
    for other in others.split("; ").filter_map(|clause| clause.strip_prefix("or {")) {
        found.push(format!("{of} = {{{}}}", other.split_once('}').unwrap().0));
    }
    if others.contains("without `until`") {
        let (before, rest) = says.split_once(", until = \"").expect("it says until when");
        found.push(format!("{before}{}", rest.split_once('"').unwrap().1));
    }
    found
}

#[test]
fn each_line_that_is_proposed_is_accepted() {
    let mut asked = 0;
    for (declaration, entry) in KEPT.iter().flat_map(|one| ENTRIES.iter().map(move |entry| (*one, *entry))) {
        let found: Vec<Vec<String>> = proposed(declaration, entry).iter().map(|line| answers(line)).collect();
        let most = found.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..most {
            asked += 1;
            let chosen: Vec<&str> =
                found.iter().map(|answers| answers.get(at).unwrap_or(&answers[0]).as_str()).collect();
            let more = format!("[function.{}]\n{}\n", name(declaration), chosen.join("\n"));
            let text = contract(&lines(entry, &more));
            let all = [OTHERS, &[declaration]].concat();
            match run(&api(&all), &text, Selection::Only(name(declaration))) {
                Ok(checked) => {
                    let out = checked.interface.left_out.iter().find(|out| out.name == name(declaration));
                    // What goes with the call is the parent of nothing.
                    assert!(
                        at > 0 || out.is_none(),
                        "{declaration} {entry}: {chosen:?}: {}",
                        out.unwrap().reason
                    );
                }
                Err(found) => {
                    panic!("{declaration} {entry}: {chosen:?}: {:?}", said(&found, &text))
                }
            }
        }
    }
    assert!(asked > 60, "{asked}");
}

#[test]
fn of_what_is_put_into_another_each_may_go_on_using_the_other() {
    let line = |declaration: &str, entry: &str, param: &str| {
        let lines = proposed(declaration, entry);
        let found = lines.iter().find(|line| line.starts_with(&format!("params.{param} = "))).cloned();
        found.unwrap_or_else(|| panic!("{declaration}: {lines:?}"))
    };
    let put = "int stmt_add_to_db(stmt *s, db *d)";
    let used =
        "{ in = \"handle\" } when nothing goes on using it; or { in = \"consumed\" } when it is taken over";
    assert_eq!(line(put, "", "s"), format!("params.s = {{ in = \"handle\", until = \"d\" }} # or {used}"));
    let target =
        "params.d = { in = \"handle\" } # or { in = \"handle\", until = \"s\" } when `s` goes on using it";
    assert_eq!(line(put, "", "d"), target);
    // Whatever stands behind what it is put into.
    for put in [
        "int stmt_add_to_db_ex(stmt *s, db *d)",
        "int stmt_add_to_db2(stmt *s, db *d)",
        "int stmt_insert_into_db_at(stmt *s, db *d)",
        "int stmt_append_to_big_db_now(stmt *s, db *d)",
        "int stmt_link_onto_db_first(stmt *s, db *d)",
    ] {
        assert_eq!(line(put, "", "d"), target, "{put}");
        assert!(line(put, "", "s").starts_with("params.s = { in = \"handle\", until = \"d\" }"), "{put}");
    }
    // Where nothing says which of two is put into the other, neither is taken over first.
    for put in [
        "int stmt_add_to(stmt *s, db *d)",
        "int stmt_append(stmt *s, db *d)",
        "int stmt_link(stmt *s, db *d)",
        "int stmt_insert(stmt *s, db *d)",
        "int stmt_register(stmt *s, db *d)",
        "int stmt_enqueue(stmt *s, db *d)",
        "int stmt_attach_at(stmt *s, db *d)",
        "int stmt_push_with(stmt *s, db *d)",
        "int stmt_store(stmt *s, db *d)",
        "int stmt_link_stmt(stmt *s, db *d)",
    ] {
        assert!(line(put, "", "d").starts_with("params.d = { in = \"handle\""), "{put}");
    }
    assert!(
        line("int db_attach_stmt(db *d, stmt *s)", "", "s").starts_with("params.s = { in = \"consumed\" }")
    );
    // Of two whose lines would name each other the second is put into the first.
    let each = "int lib_set_stmt(const char *name, stmt *s, db *d)";
    assert_eq!(
        line(each, "", "s"),
        "params.s = { in = \"handle\" } # or { in = \"consumed\" } when it is taken over"
    );
    assert!(line(each, "", "d").contains("until = \"s\""));
    let both = "int db_bind(db *d, stmt *s, const stmt *other)";
    assert!(line(both, "", "s").contains("until = \"d\""), "{:?}", proposed(both, ""));
    let both = "db *db_replace(db *d, stmt *s)";
    assert!(line(both, "", "s").contains("until = \"d\""), "{:?}", proposed(both, ""));
    // Without lines that say what keeps, what is used stands first, and what is taken over says when.
    let used = "params.s = { in = \"handle\" } # or { in = \"consumed\" } when it is taken over; objects keep no others";
    assert!(line("int db_watch(db *d, stmt *s)", ENTRIES[3], "s").starts_with(used));
    assert!(line("int db_attach_stmt(db *d, stmt *s)", ENTRIES[3], "s").starts_with(used));
}

#[test]
fn what_nothing_ends_is_proposed_to_stay() {
    let optional = ENTRIES[2];
    let none = |declaration: &str, params: &[&str]| {
        let lines = proposed(declaration, optional);
        for param in params {
            let line = lines.iter().find(|line| line.starts_with(&format!("params.{param} = ")));
            let line = line.unwrap_or_else(|| panic!("{declaration}: {lines:?}"));
            assert!(line.contains("until = \"none\""), "{declaration}: {line}");
        }
    };
    // An object, each of several texts, and memory.
    none("int db_set_item(db *d, const stmt *s)", &["s"]);
    none("int db_set_names(db *d, const char *name, const char *other)", &["name", "other"]);
    none("int db_set_both(db *d, const char *name, const stmt *s)", &["name", "s"]);
    none("int db_set_points(db *d, const double *points)", &["points"]);
    none("int db_set_curves(db *d, const double *points, const short *others)", &["points", "others"]);
    // What comes out is there.
    let made = proposed("int db_create_in(const stmt *s, db **made)", ENTRIES[1]);
    assert!(made.iter().any(|line| line.contains("until = \"made\"")), "{made:?}");
}
