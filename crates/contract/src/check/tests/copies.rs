//! Texts of which nobody says who keeps or owns them: `kept-text` and `copied-text`.

use hotcell_model::evidence::Evidence;
use hotcell_model::interface::{Role, Until};

use super::support::{api, contract, run};
use crate::check::{Link, Selection};
use crate::contract::Contract;

/// What a function named `f` or `f_…` is, declared last: each text that may be kept with what ends it, and the result where it is a text
/// that is copied; `None` when it is not bound.
fn see(declarations: &str, lines: &str, doc: Option<&str>) -> Option<String> {
    let all: Vec<&str> = declarations.split("; ").collect();
    let mut api = api(&all);
    let name = api.functions.last().unwrap().name.clone();
    api.functions.last_mut().unwrap().doc = doc.map(str::to_owned);
    let checked = run(&api, &contract(lines), Selection::Only(&name)).unwrap();
    let function = checked.interface.functions.iter().find(|function| function.name == name)?;
    let by =
        |evidence: &Evidence, name: &str| matches!(evidence, Evidence::Inferred { rule } if rule == name);
    // What is kept as memory is no text, whatever there is in it.
    if function.params.iter().any(|param| by(&param.role.evidence, "kept-memory")) {
        return None;
    }
    let mut found = Vec::new();
    for (index, param) in function.params.iter().enumerate() {
        let keeps = function.keeps.iter().find(|keeps| keeps.param == index).map(|keeps| keeps.until);
        assert_eq!(keeps.is_some(), by(&param.role.evidence, "kept-text"), "{declarations}");
        let Some(until) = keeps else { continue };
        found.push(match until {
            Until::Param { param: keeper } => {
                format!("{} until {}", param.name, function.params[keeper].name)
            }
            Until::Result => format!("{} until result", param.name),
            Until::Worker => format!("{} for good", param.name),
        });
    }
    found.extend(by(&function.result.evidence, "copied-text").then(|| "copied".to_owned()));
    Some(found.join(", "))
}

fn check(declarations: &str, expect: Option<&str>) {
    assert_eq!(see(declarations, "", None).as_deref(), expect, "{declarations}");
}

#[test]
fn a_text_that_may_be_kept_is_copied_until_its_object_goes() {
    check("void db_free(db *d); int db_set_name(db *d, const char *name)", Some("name until d"));
    let both = "void db_free(db *d); int db_add(db *d, const char *word, const char *note)";
    check(both, Some("word until d, note until d"));
    check("void db_free(db *d); int db_add(db *d, int level, const char *word)", Some("word until d"));
    check("void db_free(db *d); db *db_create_reference(const char *text)", Some("text until result"));
    check("void db_free(db *d); int db_exec(db *d, const char *sql)", Some(""));
    // Two may have it, and go each in its own time.
    let both = "void db_free(db *d); void stmt_free(stmt *s); int f_add(db *d, stmt *s, const char *word)";
    check(both, None);
    let said = "function.f_add.params = { d = { in = \"handle\" }, s = { in = \"handle\" } }\n";
    assert_eq!(see(both, said, None).as_deref(), Some("word for good"));
    // An object of which references are counted may be there when its caller's has gone, and what is taken over is released.
    check("void db_unref(db *d); int db_set_name(db *d, const char *name)", None);
    check("void db_free(db *d); db *db_ref(db *d); int db_set_name(db *d, const char *name)", None);
    check("void db_free(db *d); int db_set_own(db *d, const char *name)", None);
    check("void db_free(db *d); int db_add_owned(db *d, const char *word)", None);
    check("void db_free(db *d); int db_append(db *d, const char *word)", None);
    // Nothing goes that could have it.
    check("void set_program(const char *name)", Some("name for good"));
    check("int f_register(const char *symbol)", Some("symbol for good"));
    // That no object is there says by itself nothing of what is kept.
    check("void f_use(const char *title)", None);
    // What goes through texts would have a copy of all that it ever read.
    check("void db_free(db *d); int db_parse(db *d, const char *text)", None);
    check("void db_free(db *d); int db_load(db *d, const char *text)", None);
}

#[test]
fn what_may_be_no_text_is_none_when_it_is_kept_either() {
    for declaration in [
        "void db_free(db *d); int db_set_key(db *d, const char *key, int n)",
        "void db_free(db *d); int db_add(db *d, const char *, int)",
        "void db_free(db *d); int db_append(db *d, const char *text, int len)",
        "void db_free(db *d); db *db_create_reference(const char *text, int)",
        "void db_free(db *d); int db_set_data(db *d, const char *data)",
        "void db_free(db *d); int db_set_range(db *d, const char *begin, const char *end)",
        "void db_free(db *d); int db_add(db *d, const char *name, void *more)",
        "void db_free(db *d); int db_add(db *d, char *name)",
    ] {
        check(declaration, None);
    }
}

#[test]
fn a_returned_text_of_nobody_is_copied() {
    let more = "int db_n(db *d); int db_exec(db *d, const char *sql); int db_level(db *d)";
    check(&format!("void db_free(db *d); {more}; char *db_get_encoding(db *d)"), Some("copied"));
    // It may be all that is left of its object.
    check("void db_free(db *d); char *db_get_message(db *d)", None);
    check(&format!("void db_free(db *d); {more}; char *db_take_name(db *d)"), None);
    check("char *f_name(const db *d)", Some("copied"));
    check("char *f_print(const db *d, int level)", Some("copied"));
    // It is known to be the caller's, so that it would be lost with every call.
    check("char *f_dup(const char *text)", None);
    for (doc, expect) in [
        ("The name. It must be freed.", None),
        ("A newly allocated name.", None),
        ("The name, not NUL terminated.", None),
        ("The name. Do not free it.", Some("copied")),
    ] {
        assert_eq!(see("char *f_name(const db *d)", "", Some(doc)).as_deref(), expect, "{doc}");
    }
    // No NUL need be there.
    for declaration in [
        "char *f_data(const db *d)",
        "char *f_get_row(const db *d, int y)",
        "char *f_reserve(const db *d, int level)",
        "char *f_content(const db *d)",
        "char *f_callback_arg(const db *d)",
        "char *f_permalloc(const db *d)",
        // Nothing says that it is a text.
        "char *f_fetch(const db *d)",
        "char *f_screen(const db *d)",
        "char *f_userdata(const db *d)",
        "char *tigetstr(const char *capname)",
        "char *f_name(const db *d, size_t *length)",
        "char *f_name(const db *d, int length)",
        "char *f_find(char *memory, int c)",
        "unsigned char *f_name(const db *d)",
        "int db_text_bytes(const db *d); char *db_text(const db *d, char *more)",
    ] {
        check(declaration, None);
    }
}

#[test]
fn data_that_an_object_may_keep_goes_with_the_one_that_comes_out() {
    let keeps = |declarations: &str| {
        let all: Vec<&str> = declarations.split("; ").collect();
        let (api, name) = (api(&all), all.last().unwrap().split_once('(').unwrap().0);
        let name = name.rsplit(['*', ' ']).next().unwrap();
        let checked = run(&api, &contract(""), Selection::Only(name)).unwrap();
        let function = checked.interface.functions.iter().find(|function| function.name == name)?;
        Some(function.keeps.iter().map(|keeps| (keeps.param, keeps.until)).collect::<Vec<_>>())
    };
    let made = Some(vec![(0, Until::Result)]);
    assert_eq!(keeps("void db_free(db *d); db *db_new(const unsigned char *data, size_t size)"), made);
    assert_eq!(keeps("void db_free(db *d); db *db_new_array(const double *values, size_t count)"), made);
    // An object that goes on would have a copy of all that it ever read, and memory that is written to would change unseen.
    for declaration in [
        "void db_free(db *d); db *db_new(const void *data)",
        "void db_free(db *d); int db_process(db *d, const unsigned char *data, size_t size)",
        "void db_free(db *d); db *db_new(unsigned char *data, size_t size)",
        // The other one may keep it, too.
        "void db_free(db *d); db *db_add_part(db *whole, const unsigned char *data, size_t size)",
    ] {
        assert_eq!(keeps(declaration), None, "{declaration}");
    }
}

#[test]
fn a_line_says_who_owns_it() {
    let owned = see(
        "char *db_text(const db *d)",
        "function.db_text.result = { string = \"utf-8\", release = \"free\" }\n",
        None,
    );
    assert_eq!(owned.as_deref(), Some(""));
    let kept = see(
        "void db_free(db *d); int db_add(db *d, const char *word)",
        "function.db_add.params.word = { string = \"utf-8\" }\n",
        None,
    );
    assert_eq!(kept.as_deref(), Some(""), "the library has its own");
}

/// Why a function is left out, and the lines that would decide it.
fn open(declarations: &str, lines: &str) -> (String, String) {
    let all: Vec<&str> = declarations.split("; ").collect();
    let api = api(&all);
    let name = api.functions.last().unwrap().name.clone();
    let checked = run(&api, &contract(lines), Selection::Only(&name)).unwrap();
    let out = checked.interface.left_out.into_iter().find(|out| out.name == name).expect("it is left out");
    (out.reason, out.help.unwrap_or_default())
}

#[test]
fn what_a_line_could_not_say_is_not_concluded() {
    let text = "void db_free(db *d); int db_set_name(db *d, const char *name)";
    let memory = "void db_free(db *d); int db_set_points(db *d, const double *points)";
    for declarations in [text, memory] {
        let (reason, _) = open(declarations, "nullable = [\"db_set_*.d\"]\n");
        assert!(reason.ends_with("; `d` may be NULL, and then nothing ends what it keeps"), "{reason}");
    }
    let nullable = "nullable = [\"db_set_name.d\"]\n";
    let (_, help) = open(text, nullable);
    let line =
        "params.name = { string = \"utf-8\", until = \"none\" } # without `until` when the library copies it";
    assert_eq!(help, format!("[function.db_set_name]\n{line}"));
    // Such a line is accepted, and one of the text alone.
    let said =
        |line: &str| see(text, &format!("{nullable}function.db_set_name.params.name = {line}\n"), None);
    assert_eq!(said("{ string = \"utf-8\" }").as_deref(), Some(""));
    // That the text may be NULL is another matter.
    assert_eq!(see(text, "nullable = [\"db_set_name.name\"]\n", None).as_deref(), Some("name until d"));
}

#[test]
fn an_object_that_what_is_made_may_keep_is_asked_for() {
    let all = "void db_free(db *d); void stmt_free(stmt *s); db *db_new_with(const stmt *s)";
    let owned = "function.db_new_with.result = { out = \"owned\" }\n";
    let (reason, help) = open(all, owned);
    assert_eq!(reason, "the object that comes out may keep `s`, although it is `const`");
    let kept = "params.s = { in = \"handle\", until = \"result\" }";
    let either = " # or { in = \"handle\" } when nothing goes on using it";
    assert_eq!(help, format!("[function.db_new_with]\n{kept}{either}"));
    let text = contract(&format!("{owned}function.db_new_with.{kept}\n"));
    let checked =
        run(&api(&all.split("; ").collect::<Vec<_>>()), &text, Selection::Only("db_new_with")).unwrap();
    let function =
        checked.interface.functions.iter().find(|function| function.name == "db_new_with").unwrap();
    assert_eq!(function.keeps.iter().map(|keeps| keeps.until).collect::<Vec<_>>(), [Until::Result]);
    // Whoever says of a type who makes it has said the same.
    let made = "handle.db = { release = \"db_free\", made_by = [\"db_new_with\"] }\n";
    assert_eq!(open(all, made).0, reason);
    // What tells of a failure has nothing of it, whoever owns that.
    let sets = "void db_free(db *d); void stmt_free(stmt *s); void inbuf_free(inbuf *b); \
                int db_set_stmt(db *d, const stmt *s, inbuf **error)";
    let owned = "function.db_set_stmt.params.error = { out = \"owned\" }\n";
    let made = "handle.inbuf = { release = \"inbuf_free\", made_by = [\"db_set_stmt.error\"] }\n";
    for lines in ["", owned, made] {
        let (_, help) = open(sets, lines);
        assert!(help.contains("params.s = { in = \"handle\", until = \"d\" }"), "{lines}: {help}");
    }
    // What is lent by the object it is made of lives no longer than that.
    let lent = "function.db_new_with.result = { out = \"borrowed\", parent = \"s\" }\n";
    assert_eq!(see(all, lent, None).as_deref(), Some(""));
}

#[test]
fn objects_keep_no_others_where_each_has_its_calls() {
    let all = "void db_free(db *d); void stmt_free(stmt *s); int db_set_stmt(db *d, const stmt *s)";
    let (reason, help) = open(all, "threads = \"per-handle\"\n");
    assert_eq!(reason, "`d` may keep `s` after the call, although it is `const`");
    assert_eq!(
        help,
        "[function.db_set_stmt]\nparams.s = { in = \"handle\" } # when nothing goes on using it: objects keep no others with \
         `threads = \"per-handle\"`"
    );
}

#[test]
fn without_a_contract_an_object_that_has_copies_is_there() {
    let api = api(&[
        "void db_free(db *d)",
        "int db_set_name(db *d, const char *name)",
        "int db_count(const db *d)",
        "int db_exec(db *d, const char *sql)",
    ]);
    let sonames = ["libz.so.1".to_owned()];
    let link = Link { sonames: &sonames, exports: None, shadowed: None, code: &[] };
    let bare = Contract::bare(&["test.h".into()], "z");
    let nulls = |contract: &Contract| {
        let interface = crate::check::check(contract, &api, link, Selection::Contract).unwrap().interface;
        let null = |name: &str| {
            let function = interface.functions.iter().find(|function| function.name == name).unwrap();
            matches!(function.params[0].role.value, Role::Handle { nullable: true, .. })
        };
        ["db_set_name", "db_count", "db_exec"].map(null)
    };
    // That nobody wrote a contract is no word about NULL.
    assert_eq!(nulls(&bare), [false; 3]);
    assert_eq!(nulls(&bare.taking_null()), [false, true, true]);
}
