//! Facts in words. They are read in their serialised form, by the tag of each: what has no words of its own here is
//! told by its tag and its fields, so that a new kind of fact is explained from its first day.

use hotcell_model::expr::Op;
use hotcell_model::interface::Function;
use serde_json::Value;

/// The names behind positions.
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn of(function: &Function) -> Names {
        Names(function.params.iter().map(|param| param.name.clone()).collect())
    }

    /// The parameter at the position that a field holds.
    fn at(&self, position: &Value) -> &str {
        let index = position.as_u64().and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.0.get(index)).map_or("another parameter", String::as_str)
    }
}

/// What a parameter is for.
pub(super) fn role(role: &Value, names: &Names) -> String {
    let null = if role["nullable"] == true { "; NULL may be passed" } else { "" };
    let failed = if role["valid_on_error"] == true { "; it means something on failure too" } else { "" };
    let length = match &role["length"] {
        Value::Null => String::new(),
        length => format!(", `{}` elements of it", expression(length, names)),
    };
    let param = names.at(&role["param"]);
    let unit = text(&role["unit"]);
    match tag(role, "role") {
        "value" => "a number the caller passes".into(),
        "fixed" => format!("hidden: always `{}`", text(&role["c"])),
        "text" => format!("a text the caller passes, {}{null}", encoding(&role["encoding"])),
        "buffer-in" => format!("data the function reads{length}{null}"),
        "buffer-in-out" => {
            let filled = filled(&role["result"], names);
            format!("data the function changes in place{length}; afterwards {filled}{null}{failed}")
        }
        "buffer-out" => {
            let capacity = match tag(&role["capacity"], "capacity") {
                "caller" => "the caller says how big it is".to_owned(),
                "elements" => format!("`{}` elements big", expression(&role["capacity"]["size"], names)),
                _ => other(&role["capacity"], "capacity", names),
            };
            format!("memory the function fills; {capacity}; {}{failed}", filled(&role["result"], names))
        }
        "length-of" => format!("hidden: the length of `{param}` in {unit}"),
        "capacity-of" => format!("hidden: the capacity of `{param}` in {unit}"),
        "length-pointer-of" => format!(
            "hidden: points to the capacity of `{param}` before the call and to its length after it, in {unit}"
        ),
        "value-out" => format!("a number the function writes{failed}"),
        "value-in-out" => format!("a number the function reads and changes{failed}"),
        _ => other(role, "role", names),
    }
}

/// What the returned value means.
pub(super) fn returned(role: &Value, names: &Names) -> String {
    let null = if role["nullable"] == true { ", or NULL" } else { "" };
    let ownership = || match tag(&role["ownership"], "ownership") {
        "owned" => format!("copied, then `{}` takes it back", text(&role["ownership"]["release"])),
        "static" => "copied; the library keeps it".into(),
        _ => other(&role["ownership"], "ownership", names),
    };
    match tag(role, "role") {
        "void" => "nothing".into(),
        "value" => "a number".into(),
        "status" => "a number that only says whether the call failed".into(),
        "length-of" => format!("hidden: how much of `{}` is filled", names.at(&role["param"])),
        "text" => format!("a text, {}{null}; {}", encoding(&role["encoding"]), ownership()),
        "buffer" => format!("`{}` elements of data; {}", expression(&role["length"], names), ownership()),
        _ => other(role, "role", names),
    }
}

/// What means failure; null for no rule.
pub(super) fn error(rule: &Value, names: &Names) -> String {
    if rule.is_null() {
        return "no rule: nothing the function returns is taken for a failure".into();
    }
    let fails = match tag(&rule["fails"], "fails") {
        "nonzero" => "the call failed when the result is not 0".to_owned(),
        "zero" => "the call failed when the result is 0".to_owned(),
        "negative" => "the call failed when the result is below 0".to_owned(),
        "null" => "the call failed when the result is NULL".to_owned(),
        "when" => format!("the call failed when `{}`", expression(&rule["fails"]["condition"], names)),
        _ => other(&rule["fails"], "fails", names),
    };
    match &rule["message"] {
        Value::Null => fails,
        message => format!("{fails}; `{}` says why", expression(message, names)),
    }
}

fn filled(result: &Value, names: &Names) -> String {
    match tag(result, "result") {
        "full" => "all of it is valid".into(),
        "pointer" => format!("`{}` says how much is valid", names.at(&result["param"])),
        "returned" => "the returned value says how much is valid".into(),
        "text" => "it is valid up to the first NUL".into(),
        "elements" => format!("`{}` elements are valid", expression(&result["size"], names)),
        _ => other(result, "result", names),
    }
}

fn encoding(value: &Value) -> &str {
    match text(value) {
        "utf8" => "UTF-8",
        "bytes" => "of no known encoding",
        other => other,
    }
}

/// An expression as the contract writes it.
fn expression(expr: &Value, names: &Names) -> String {
    match tag(expr, "expr") {
        "int" => expr["value"].to_string(),
        "constant" => text(&expr["name"]).to_owned(),
        "param" => names.at(&expr["index"]).to_owned(),
        "size-of" => format!("sizeof({})", text(&expr["ctype"])),
        "call" => {
            let args = expr["args"].as_array().into_iter().flatten();
            let args: Vec<String> = args.map(|arg| expression(arg, names)).collect();
            format!("{}({})", text(&expr["function"]), args.join(", "))
        }
        "binary" => {
            let side = |side: &Value| match tag(side, "expr") {
                "binary" => format!("({})", expression(side, names)),
                _ => expression(side, names),
            };
            let op = serde_json::from_value::<Op>(expr["op"].clone());
            let op = op.map_or_else(|_| text(&expr["op"]), |op| op.symbol());
            format!("{} {op} {}", side(&expr["left"]), side(&expr["right"]))
        }
        name => name.to_owned(),
    }
}

/// A fact without words of its own: its tag, then its fields.
fn other(fact: &Value, tag_name: &str, names: &Names) -> String {
    const POSITIONS: [&str; 5] = ["param", "parent", "callback", "index", "user_data"];
    let mut parts = vec![tag(fact, tag_name).replace('-', " ")];
    for (key, value) in fact.as_object().into_iter().flatten().filter(|(key, _)| *key != tag_name) {
        let name = key.replace('_', " ");
        match value {
            Value::Bool(true) => parts.push(name),
            Value::String(word) => parts.push(format!("{name} `{word}`")),
            Value::Number(_) if POSITIONS.contains(&key.as_str()) => {
                parts.push(format!("{name} `{}`", names.at(value)));
            }
            Value::Number(number) => parts.push(format!("{name} {number}")),
            Value::Object(fields) if fields.contains_key("expr") => {
                parts.push(format!("{name} `{}`", expression(value, names)));
            }
            Value::Object(fields) if fields.contains_key(key) => parts.push(other(value, key, names)),
            Value::Null | Value::Bool(false) | Value::Object(_) | Value::Array(_) => {}
        }
    }
    parts.join(", ")
}

fn tag<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("unknown")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hotcell_model::expr::Expr;
    use hotcell_model::interface::*;
    use serde_json::json;

    use super::*;

    fn names() -> Names {
        Names(["dest", "destLen", "n"].map(str::to_owned).to_vec())
    }

    fn bound() -> Expr {
        let sum = |left, right| Expr::Binary { op: Op::Add, left: Box::new(left), right: Box::new(right) };
        let args = vec![sum(Expr::Param { index: 2 }, sum(Expr::Int { value: 1 }, Expr::Result))];
        Expr::Call { function: "bound".into(), args }
    }

    #[test]
    fn roles_have_words() {
        let check = |value: Role, expect: &str| assert_eq!(role(&json!(value), &names()), expect);
        check(Role::Value, "a number the caller passes");
        check(Role::Fixed { c: "NULL".into() }, "hidden: always `NULL`");
        let text = Role::Text { encoding: Encoding::Utf8, nullable: true };
        check(text, "a text the caller passes, UTF-8; NULL may be passed");
        let data = Role::BufferIn { nullable: false, length: Some(bound()) };
        check(data, "data the function reads, `bound(n + (1 + result))` elements of it");
        let result = ResultLength::Full;
        let both = Role::BufferInOut { nullable: false, length: None, result, valid_on_error: false };
        check(both, "data the function changes in place; afterwards all of it is valid");
        let result = ResultLength::Pointer { param: 1 };
        check(
            Role::BufferOut { capacity: Capacity::Caller, result, valid_on_error: true },
            "memory the function fills; the caller says how big it is; `destLen` says how much is valid; \
             it means something on failure too",
        );
        check(Role::LengthOf { param: 0, unit: Unit::Bytes }, "hidden: the length of `dest` in bytes");
        let capacity = Role::CapacityOf { param: 0, unit: Unit::Elements };
        check(capacity, "hidden: the capacity of `dest` in elements");
        check(Role::ValueOut { valid_on_error: false }, "a number the function writes");
    }

    #[test]
    fn what_has_no_words_is_told_by_its_fields() {
        let ownership = Ownership::Owned { release: "close".into() };
        let handle = Role::HandleOut { handle: "db".into(), ownership, valid_on_error: true };
        let expect = "handle out, handle `db`, owned, release `close`, valid on error";
        assert_eq!(role(&json!(handle), &names()), expect);
        assert_eq!(role(&json!(Role::UserData { callback: 2 }), &names()), "user data, callback `n`");
        let new = json!({ "role": "brand-new", "size": 4, "by": { "expr": "int", "value": 3 } });
        assert_eq!(role(&new, &names()), "brand new, size 4, by `3`");
    }

    #[test]
    fn results_and_rules_have_words() {
        let check = |value: ResultRole, expect: &str| assert_eq!(returned(&json!(value), &names()), expect);
        check(ResultRole::Void, "nothing");
        check(ResultRole::LengthOf { param: 0 }, "hidden: how much of `dest` is filled");
        let ownership = Ownership::Static;
        let text = ResultRole::Text { encoding: Encoding::Bytes, nullable: true, ownership };
        check(text, "a text, of no known encoding, or NULL; copied; the library keeps it");
        let ownership = Ownership::Owned { release: "free".into() };
        let data = ResultRole::Buffer { length: Expr::SizeOf { ctype: "int".into() }, ownership };
        check(data, "`sizeof(int)` elements of data; copied, then `free` takes it back");
        let check = |value: Option<ErrorRule>, expect: &str| {
            assert_eq!(error(&json!(value), &names()), expect);
        };
        check(None, "no rule: nothing the function returns is taken for a failure");
        let message = Some(bound());
        check(
            Some(ErrorRule { fails: Fails::Negative, message }),
            "the call failed when the result is below 0; `bound(n + (1 + result))` says why",
        );
        let fails = Fails::When { condition: Expr::Errno };
        check(Some(ErrorRule { fails, message: None }), "the call failed when `errno`");
    }
}
