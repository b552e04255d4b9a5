//! Unions in structures: what they become, and what is wrong with lines about them.

use hotcell_model::api::{Api, Constant, ConstantValue};
use hotcell_model::interface::{FieldRole, Told};
use hotcell_model::types::Type;

use crate::check::Selection;
use crate::check::tests::support::{api, contract, record, run, said};

/// `struct event { int kind; short low; double ratio; union { … } is; union { … }; struct { int near; int far; }; }`
fn events() -> Api {
    let mut api = api(&["int f(struct event e)", "int g(struct kept *k)"]);
    let members =
        ["int number", "struct point at", "char name[8]", "const char *word", "inbuf data", "void *raw"];
    let union = record("union is", Some(&members));
    let event = [
        "int kind",
        "short low",
        "double ratio",
        "struct is is",
        "struct other",
        "struct names",
        "int bit : 2",
        "unsigned long wide",
    ];
    let far = Constant { value: ConstantValue::Uint(u64::MAX), ..api.constants["LIMIT"].clone() };
    api.constants.insert("FAR".into(), far);
    api.records.insert("is".into(), union);
    api.records.insert("other".into(), record("union other", Some(&["int whole", "float part"])));
    api.records.insert("names".into(), record("struct names", Some(&["int near", "int far"])));
    api.records.insert("event".into(), record("struct event", Some(&event)));
    api.records.insert("kept".into(), record("struct kept", Some(&["int kind", "struct is is"])));
    api
}

const OTHER: &str = "fields.union = { member = \"whole\" }\n";

#[test]
fn unions_have_their_roles() {
    let lines = format!(
        "[struct.event]\n{OTHER}fields.is = {{ union = \"kind\", members = {{ at = [\"E_FULL\", \"LIMIT\"], number = [\"7\"], word = [] }} }}\n\
         fields.\"is.word\" = {{ string = \"utf-8\", nullable = true }}\n"
    );
    let checked = run(&events(), &contract(&lines), Selection::Only("f")).unwrap();
    assert_eq!(checked.interface.left_out, []);
    let structs = &checked.interface.structs;
    let event = &structs["event"];
    let names: Vec<&str> = event.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["kind", "low", "ratio", "is", "union", "near", "far", "bit", "wide"]);
    let told = Told::By { field: 0, values: vec![vec![-2, 16], vec![7], vec![]] };
    let role = FieldRole::Union { record: "event.is".into(), anonymous: false, told };
    assert_eq!(event.fields[3].role.value, role);
    let role = FieldRole::Union { record: "event.union".into(), anonymous: true, told: Told::Always };
    assert_eq!(event.fields[4].role.value, role);
    let members = |key: &str| -> Vec<(String, String)> {
        let union = &structs[key];
        assert!(union.union);
        let role =
            |role: &FieldRole| serde_json::to_value(role).unwrap()["role"].as_str().unwrap().to_owned();
        union.fields.iter().map(|field| (field.name.clone(), role(&field.role.value))).collect()
    };
    let of = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(name, role)| ((*name).to_owned(), (*role).to_owned())).collect()
    };
    assert_eq!(members("event.is"), of(&[("at", "struct"), ("number", "value"), ("word", "text")]));
    assert_eq!(members("event.union"), of(&[("whole", "value")]));
    // The members of one without a name are reached through the structure.
    assert_eq!(
        (structs["event.is"].c_name.as_str(), structs["event.union"].c_name.as_str()),
        ("union is", "struct event")
    );
    assert_eq!((structs["event.is"].size, structs["event.union"].size), (24, 16));
}

#[test]
fn what_says_nothing_about_a_union_leaves_its_functions_out() {
    let reason = |lines: &str| {
        let checked = run(&events(), &contract(lines), Selection::Only("f")).unwrap();
        let out = &checked.interface.left_out[0];
        (out.reason.clone(), out.help.clone().unwrap_or_default())
    };
    let (why, help) = reason("");
    assert_eq!(
        why,
        "parameter `e`: `is` of `event` is a union, and nothing says which of its members is there"
    );
    assert_eq!(help, "[struct.event]\nfields.is = { zero = true }\nfields.union = { zero = true }");
    let told = |members: &str| {
        reason(&format!(
            "[struct.event]\n{OTHER}fields.is = {{ union = \"kind\", members = {{ {members} }} }}\n"
        ))
    };
    let (why, help) = told("number = [\"1\"], raw = [\"2\"]");
    assert_eq!(why, "parameter `e`: nothing says what `is.raw` of `event` (`void *`) is for");
    assert_eq!(help, "[struct.event]\nfields.\"is.raw\" = { zero = true }");
    let (why, _) = told("data = [\"1\"]");
    assert!(why.contains("`is.data` of `event`"), "{why}");
}

#[test]
fn lines_about_unions_are_checked() {
    for (lines, expect) in [
        (
            "fields.is = { union = \"kind\" }",
            "5:15: `union` needs `members` = add `members = \"…\"`: the members that can be there, each with what that field is then",
        ),
        (
            "fields.is = { union = \"kin\", members = { number = [\"1\"] } }",
            "5:15: `kin` is no field of `event` = did you mean `kind`?",
        ),
        (
            "fields.is = { union = \"ratio\", members = { number = [\"1\"] } }",
            "5:15: `ratio` is no integer: it is `double` = `union` names the field that says which member is there",
        ),
        (
            "fields.is = { union = \"kind\", members = { numbr = [\"1\"] } }",
            "5:43: the union has no member `numbr` [unknown member] = did you mean `number`?",
        ),
        (
            "fields.is = { union = \"kind\", members = { number = [\"E_FUL\"] } }",
            "5:53: `E_FUL` is no integer constant of the headers = did you mean `E_FULL`?",
        ),
        (
            "fields.is = { union = \"kind\", members = { number = [\"RATIO\"] } }",
            "5:53: `RATIO` is no integer constant of the headers",
        ),
        (
            "fields.is = { union = \"kind\", members = { number = [\"1\"], at = [\"2\", \"1\"] } }",
            "5:70: `1` says two members: `number` and `at`",
        ),
        (
            "fields.is = { union = \"kind\", members = {} }",
            "5:15: `members` names no member that can be there = write `members = { number = [\"…\"] }`",
        ),
        (
            "fields.is = { union = \"low\", members = { number = [\"40000\"] } }",
            "5:52: `low` never is 40000: it holds -32768 to 32767",
        ),
        (
            "fields.is = { union = \"bit\", members = { number = [\"2\"] } }",
            "5:52: `bit` never is 2: it holds -2 to 1",
        ),
        (
            "fields.\"*\" = { zero = true }\nfields.is = { union = \"kind\", members = { number = [\"1\"] } }",
            "6:15: `kind` already is something else = callers see what says which member is there: no other line is about `kind`",
        ),
        (
            "fields.is = { union = \"low\", members = { number = [\"0x8000\"] } }",
            "5:52: `low` never is 32768: it holds -32768 to 32767",
        ),
        (
            "fields.is = { union = \"wide\", members = { number = [\"FAR\"] } }",
            "5:53: `FAR`, which is 18446744073709551615, is too large: what tells members apart is at most 9223372036854775807",
        ),
        (
            "fields.is = { union = \"wide\", members = { number = [\"0x8000000000000000\"] } }",
            "5:53: `0x8000000000000000`, which is 9223372036854775808, is too large",
        ),
        (
            "fields.is = { union = \"kind\", members = { number = [\"FAR\"] } }",
            "5:53: `kind` never is 18446744073709551615: it holds -2147483648 to 2147483647",
        ),
        (
            "fields.is = { member = \"numbr\" }",
            "5:15: the union has no member `numbr` [unknown member] = did you mean `number`?",
        ),
        (
            "fields.low = { member = \"number\" }",
            "5:16: `low` cannot be `member`: it is `short` [no union] = leave the line out",
        ),
        (
            "fields.is = { zero = true }\nfields.\"is.word\" = { string = \"utf-8\" }",
            "6:8: `is.word` of `event` is no member that travels = say first which members of the union there are: `{ union = \"FIELD\", members = … }`",
        ),
    ] {
        let text = contract(&format!("[struct.event]\n{lines}\n{OTHER}"));
        let found = run(&events(), &text, Selection::Contract).expect_err("must be refused");
        let said = said(&found, &text);
        assert!(said[0].starts_with(expect), "{lines}\n{said:?}\n{expect}");
    }
    let text = contract(
        "[struct.kept]\nresident = true\nfields.is = { union = \"kind\", members = { number = [\"1\"] } }\n",
    );
    let found = run(&events(), &text, Selection::Contract).expect_err("must be refused");
    assert!(
        said(&found, &text)[0].contains("a structure that the library keeps has no unions that travel"),
        "{found:?}"
    );
}

#[test]
fn a_tag_is_any_integer_field() {
    let mut api = events();
    let kind = &mut api.records.get_mut("event").unwrap().layout.as_mut().unwrap().fields[0].ty;
    kind.kind = Type::Enum { name: "level".into(), bits: 8, signed: false };
    let lines = |value: &str| {
        contract(&format!(
            "[struct.event]\n{OTHER}fields.is = {{ union = \"kind\", members = {{ number = [\"{value}\"] }} }}\n"
        ))
    };
    for value in ["255", "0xff", "0"] {
        assert_eq!(run(&api, &lines(value), Selection::Only("f")).unwrap().interface.left_out, []);
    }
    assert!(run(&api, &lines("256"), Selection::Only("f")).is_err());
}
