//! Texts of which nobody says who keeps or owns them: `kept-text` and `copied-text`.

use hotcell_model::evidence::Evidence;
use hotcell_model::interface::Until;

use super::support::{api, contract, run};
use crate::check::Selection;

/// What a function named `f` or `f_…` is, declared last: each text that may be kept with what ends it, and the result where it is a text
/// that is copied; `None` when it is not bound.
fn see(declarations: &str, lines: &str, doc: Option<&str>) -> Option<String> {
    let all: Vec<&str> = declarations.split("; ").collect();
    let mut api = api(&all);
    let name = api.functions.last().unwrap().name.clone();
    api.functions.last_mut().unwrap().doc = doc.map(str::to_owned);
    let checked = run(&api, &contract(lines), Selection::Only(&name)).unwrap();
    let function = checked.interface.functions.first()?;
    let by =
        |evidence: &Evidence, name: &str| matches!(evidence, Evidence::Inferred { rule } if rule == name);
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
    check("void db_free(db *d); int db_add(db *d, const char *, const char *note)", None);
    check("void db_free(db *d); int db_add(db *d, int level, const char *word)", Some("word until d"));
    check("void db_free(db *d); db *db_create_reference(const char *text)", Some("text until result"));
    check("void db_free(db *d); int db_exec(db *d, const char *sql)", Some(""));
    // Two may have it, and go each in its own time.
    check("int f_add(db *d, stmt *s, const char *word)", None);
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
    check("void db_free(db *d); char *db_get_encoding(db *d)", Some("copied"));
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
        assert_eq!(see("char *f(const db *d)", "", Some(doc)).as_deref(), expect, "{doc}");
    }
    // No NUL need be there.
    for declaration in [
        "char *f_data(const db *d)",
        "char *f_get_row(const db *d, int y)",
        "char *f_reserve(const db *d, int level)",
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
fn a_line_says_who_owns_it() {
    let owned =
        see("char *f(const db *d)", "function.f.result = { string = \"utf-8\", release = \"free\" }\n", None);
    assert_eq!(owned.as_deref(), Some(""));
    let kept = see(
        "void db_free(db *d); int db_add(db *d, const char *word)",
        "function.db_add.params.word = { string = \"utf-8\" }\n",
        None,
    );
    assert_eq!(kept.as_deref(), Some(""), "the library has its own");
}
