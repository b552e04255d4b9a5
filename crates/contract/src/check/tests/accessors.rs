//! Functions of fields and variables, and what must hold before a call.

use hotcell_model::api::{CONTRACT, Location, Variable};
use serde_json::{Value, json};

use super::support::{api, ctype, function, record, said};
use crate::check::{self, Checked, Link, Selection};
use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::forms::{Exports, add_forms};

/// What becomes of a contract, in which these functions are added.
fn run(lines: &str, added: &[&str]) -> Result<Checked, Vec<Diagnostic>> {
    let text = super::support::contract(lines);
    let mut api =
        api(&["int half(int n, double ratio, int *out)", "void end(db *base)", "void look(db *base)"]);
    let fields: &[&str] = &[
        "int id",
        "unsigned gears : 3",
        "int lean : 4",
        "const char *name",
        "stmt *motor",
        "callback report",
        "int rides[3]",
    ];
    api.records.insert("db".into(), record("struct db", Some(fields)));
    let location = Location { file: "test.h".into(), line: 1, primary: true };
    api.variables.push(Variable {
        name: "label".into(),
        ty: ctype("const char *"),
        constant: false,
        doc: None,
        location,
    });
    let mut contract = Contract::parse(&text, "bind.toml")?;
    add_forms(&mut contract, &api, Exports { functions: None, variables: None })?;
    for declaration in added {
        let mut function = function(declaration);
        function.inline = true;
        function.location.file = CONTRACT.into();
        api.functions.push(function);
    }
    let link = Link { sonames: &[], exports: None, shadowed: None, code: &[] };
    check::check(&contract, &api, link, Selection::Contract)
}

fn bound(lines: &str, added: &str) -> Value {
    let checked = run(lines, &[added]).unwrap_or_else(|found| panic!("{lines}: {found:?}"));
    let (_, params) = added.split_once(' ').unwrap();
    let name = params.trim_start_matches('*').split('(').next().unwrap();
    let found = checked.interface.functions.iter().find(|function| function.name == name);
    serde_json::to_value(found.unwrap_or_else(|| panic!("{:?}", checked.interface.left_out))).unwrap()
}

#[test]
fn what_is_plain_needs_no_line() {
    let roles = |function: &Value| {
        let params = function["params"].as_array().unwrap().clone();
        params.into_iter().map(|mut param| param["role"]["value"].take()).collect::<Vec<_>>()
    };
    let object = json!({"role": "handle", "handle": "db", "consumed": false, "on_success": false, "nullable": false, "invalidates": false});
    let read = bound("handle.db = { get = [\"id\"] }", "int db_get_id(db *object)");
    assert_eq!((roles(&read), &read["result"]["value"]), (vec![object.clone()], &json!({"role": "value"})));
    assert_eq!(read["requires"], Value::Null);
    let set = bound("handle.db = { set = [\"id\"] }", "void db_set_id(db *object, int value)");
    assert_eq!(roles(&set), [object.clone(), json!({"role": "value"})]);
    let motor =
        bound("handle.db = { get = [\"motor\"] }\nhandle.stmt = {}", "stmt *db_get_motor(db *object)");
    let lent = &motor["result"]["value"];
    assert_eq!((&lent["parent"], &lent["nullable"]), (&json!(0), &json!(true)), "{lent}");
    let rides = bound("handle.db = { get = [\"rides\"] }", "void db_get_rides(db *object, int values[3])");
    assert_eq!(roles(&rides)[1]["role"], "buffer-out", "{rides}");
}

#[test]
fn what_must_hold_is_checked() {
    let requires = |lines: &str, added: &str| bound(lines, added)["requires"]["text"].clone();
    let set = "handle.db = { set = [\"{gears,lean}\"] }";
    assert_eq!(requires(set, "void db_set_gears(db *object, unsigned value)"), "value <= 7");
    assert_eq!(requires(set, "void db_set_lean(db *object, int value)"), "value >= -8 && value <= 7");
    let more = format!("{set}\nfunction.db_set_gears.requires = \"db_set_gears(object, value) == 0\"");
    let both = run(&more, &["void db_set_gears(db *object, unsigned value)"]).unwrap_err();
    assert_eq!(both[0].message, "`==` does not go with nothing");
    let more = format!("{set}\nfunction.db_set_gears.requires = \"value != LIMIT\"");
    assert_eq!(
        requires(&more, "void db_set_gears(db *object, unsigned value)"),
        "value != LIMIT && value <= 7"
    );
    let half = |condition: &str| {
        let lines =
            format!("[function.half]\nparams.out = {{ out = \"value\" }}\nrequires = \"{condition}\"\n");
        let found = run(&lines, &[]).map(|checked| checked.interface.functions[0].requires.clone());
        found.map_err(|found| said(&found, &super::support::contract(&lines))[0].clone())
    };
    assert_eq!(half("n >= 0 && ratio < 1").unwrap().unwrap().text, "n >= 0 && ratio < 1");
    for (condition, expect) in [
        ("m > 0", "`m` is neither a parameter of `half` nor a constant"),
        ("result == 0", "`result` is not known before the call"),
        ("out > 0", "`out` is not known before the call"),
        ("end(NULL)", "`end(NULL)` is nothing, and must be a condition"),
    ] {
        let said = half(condition).unwrap_err();
        assert!(said.contains(expect), "{condition}: {said}");
    }
}

#[test]
fn what_is_left_behind_is_said() {
    let wrong = |lines: &str, added: &str| {
        let found = run(lines, &[added]).expect_err(lines);
        said(&found, &super::support::contract(lines)).join("\n")
    };
    for (lines, added, expect) in [
        (
            "handle.db = { set = [\"name\"] }",
            "void db_set_name(db *object, const char *value)",
            "params.value = { string = \"utf-8\", until = \"object\" }",
        ),
        (
            "handle.db = { set = [\"name\"] }\nfunction.db_set_name.params.value = { string = \"utf-8\" }",
            "void db_set_name(db *object, const char *value)",
            "`db_set_name` leaves a pointer behind, and nothing says how long it is good for",
        ),
        (
            "handle.db = { set = [\"report\"] }",
            "void db_set_report(db *object, callback value)",
            "params.value = { callback = \"kept\", until = \"object\", … }",
        ),
        (
            "handle.db = { set = [\"motor\"] }\nhandle.stmt = {}\nfunction.db_set_motor.params.value = { in = \"handle\" }",
            "void db_set_motor(db *object, stmt *value)",
            "leave it out of `set`: nothing keeps what it points to alive",
        ),
        (
            "globals = [\"label\"]",
            "void label_set(const char *value)",
            "params.value = { string = \"utf-8\", until = \"none\" }",
        ),
    ] {
        let said = wrong(lines, added);
        assert!(said.contains(expect), "{lines}\n{said}");
    }
    for (lines, added) in [
        (
            "handle.db = { set = [\"name\"] }\nfunction.db_set_name.params.value = { string = \"utf-8\", until = \"object\" }",
            "void db_set_name(db *object, const char *value)",
        ),
        (
            "handle.db = { set = [\"motor\"] }\nfunction.db_set_motor.params.value = { fixed = \"NULL\" }",
            "void db_set_motor(db *object, stmt *value)",
        ),
        (
            "globals = [\"label\"]\nfunction.label_set.params.value = { string = \"utf-8\", until = \"none\" }",
            "void label_set(const char *value)",
        ),
    ] {
        bound(lines, added);
    }
}

#[test]
fn a_field_of_an_object_is_the_function_that_reads_it() {
    let get = "handle.db = { release = \"end\", get = [\"id\"], has = [\"motor\"] }\n";
    let added = ["int db_get_id(db *object)", "_Bool db_has_motor(db *object)"];
    let of = |requires: &str| {
        let lines = format!("{get}function.end.requires = \"{requires}\"");
        let checked = run(&lines, &added).map_err(|found| found[0].message.clone())?;
        let function = checked.interface.functions.iter().find(|it| it.name == "end").unwrap().clone();
        Ok(serde_json::to_value(function.requires).unwrap())
    };
    let found: Result<Value, String> = of("base.id > 1 && base.motor");
    let found = found.unwrap();
    let call = |function: &str| json!({"expr": "call", "function": function, "args": [{"expr": "param", "index": 0}]});
    assert_eq!(found["condition"]["left"]["left"], call("db_get_id"), "{found}");
    assert_eq!(found["condition"]["right"], call("db_has_motor"), "{found}");
    assert_eq!(found["text"], "base.id > 1 && base.motor");
    for (requires, expect) in [
        ("base.gears > 1", "`base` is `db *`, and no function reads `gears` of it"),
        ("bass.id > 1", "`bass` is no parameter: only what is passed has fields"),
    ] {
        assert_eq!(of(requires).unwrap_err(), expect);
    }
    // One that may be NULL has none, whichever way they are asked for.
    for requires in ["base.id > 1", "base == 0 || db_get_id(base) > 1", "base.motor"] {
        let lines = format!(
            "{get}[function.look]\nparams.base = {{ in = \"handle\", nullable = true }}\nrequires = \"{requires}\""
        );
        let found = run(&lines, &added).unwrap_err();
        assert_eq!(found[0].message, "`base` may be NULL, which has no fields", "{found:?}");
    }
}
