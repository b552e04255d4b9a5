//! Objects that others may keep: `kept-object`.

use hotcell_model::evidence::Evidence;
use hotcell_model::interface::{Role, Until};

use super::support::{api, contract, run};
use crate::check::Selection;

/// What the function declared last keeps by this rule; `None` when it is not bound.
fn see(declarations: &str) -> Option<String> {
    let all: Vec<&str> = declarations.split("; ").collect();
    let api = api(&all);
    let name = api.functions.last().unwrap().name.clone();
    let checked = run(&api, &contract(""), Selection::Only(&name)).unwrap();
    let function = checked.interface.functions.iter().find(|function| function.name == name)?;
    let mut found = Vec::new();
    for (index, param) in function.params.iter().enumerate() {
        let Evidence::Inferred { rule } = &param.role.evidence else { continue };
        let keeper = function.keeps.iter().find(|keeps| keeps.param == index).map(|keeps| keeps.until);
        match (rule.as_str(), &param.role.value, keeper) {
            ("kept-object", Role::Handle { consumed: false, .. }, Some(Until::Param { param: keeper })) => {
                found.push(format!("{} until {}", param.name, function.params[keeper].name));
            }
            ("kept-object", role, _) => panic!("{role:?}"),
            _ => {}
        }
    }
    Some(found.join(", "))
}

fn check(declarations: &str, expect: Option<&str>) {
    assert_eq!(see(declarations).as_deref(), expect, "{declarations}");
}

#[test]
fn an_object_that_another_may_go_on_reading_goes_behind_it() {
    const OTHERS: &str = "void pack_free(db *p); void dict_free(stmt *d)";
    let of = |declaration: &str, expect| check(&format!("{OTHERS}; {declaration}"), expect);
    of("int pack_ref_dict(db *p, const stmt *d)", Some("d until p"));
    of("int pack_use_dict(db *p, int level, const stmt *d)", Some("d until p"));
    // Nor is what is collected, whatever it is.
    of("int pack_attach(db *p, const stmt *d)", None);
    // What is only read needs nobody.
    of("int pack_apply(db *p, const stmt *d)", Some(""));
    // What is not `const` may be taken over, as what says so may.
    of("int pack_ref_dict(db *p, stmt *d)", None);
    of("int pack_ref_owned(db *p, const stmt *d)", None);
    of("int pack_ref_dict(db *p, const stmt *own_dict)", None);
    of("int pack_ref_append(db *p, const stmt *d)", None);
    // Two may keep it, one of its own type, or what comes out.
    of("int pack_share(db *p, db *q, const stmt *d)", None);
    of("int pack_share(db *p, const db *other)", None);
    of("db *pack_share_new(db *p, const stmt *d)", None);
    // An object of which references are counted is there when its caller's handle has gone.
    check("void pack_unref(db *p); void dict_free(stmt *d); int pack_use_dict(db *p, const stmt *d)", None);
    // Something else is open.
    of("int pack_ref_dict(db *p, const stmt *d, void *more)", None);
}
