//! Facts in words. They are read in their serialised form, by the tag of each: what has no words of its own here is
//! told by its tag and its fields, so that a new kind of fact is explained from its first day.

use hotcell_model::expr::Op;
use hotcell_model::interface::{Function, Keeps, Until};
use serde_json::Value;

/// The names behind positions.
pub(crate) struct Names(Vec<String>);

impl Names {
    pub(crate) fn of(function: &Function) -> Names {
        Names(function.params.iter().map(|param| param.name.clone()).collect())
    }

    /// The parameter at the position that a field holds.
    fn at(&self, position: &Value) -> &str {
        let index = position.as_u64().and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.0.get(index)).map_or("another parameter", String::as_str)
    }
}

/// How long the library keeps what went in.
pub(super) fn kept(keeps: &Keeps, is_object: bool, names: &Names) -> String {
    let end = match keeps.until {
        Until::Param { param } => format!("until `{}` goes", names.at(&param.into())),
        Until::Result => "until the object goes that the call returns".into(),
        Until::Worker => "for as long as the worker lives".into(),
    };
    match (is_object, keeps.replaced) {
        (false, _) => format!("; the library keeps it, and the worker a copy for it, {end}"),
        (true, false) => format!("; the library keeps it, and it cannot go, {end}"),
        (true, true) => format!("; the library keeps it, and it cannot go, {end}, or this is called again"),
    }
}

/// What a parameter is for.
pub(crate) fn role(role: &Value, names: &Names) -> String {
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
        "texts" => format!("texts the caller passes, {}{null}", encoding(&role["encoding"])),
        "text-out" => {
            let owner = ownership(&role["ownership"], names);
            format!("a text the function hands out, {}; {owner}{failed}", encoding(&role["encoding"]))
        }
        "texts-out" => {
            let (owner, many) = (ownership(&role["ownership"], names), expression(&role["length"], names));
            let encoding = encoding(&role["encoding"]);
            format!("`{many}` texts the function hands out, {encoding}; {owner}{failed}")
        }
        "data-out" => {
            let owner = ownership(&role["ownership"], names);
            format!("data the function hands out{length}; {owner}{failed}")
        }
        "offset-out" => format!("a place in `{param}` that the function hands out, as an offset{failed}"),
        "handle" => {
            let end = match (&role["consumed"], &role["on_success"], &role["invalidates"]) {
                (Value::Bool(true), Value::Bool(true), _) => "; it ends with this call, unless that fails",
                (Value::Bool(true), ..) => "; it ends with this call",
                (_, _, Value::Bool(true)) => "; what was borrowed from it is stale afterwards",
                _ => "",
            };
            format!("an object of the library, `{}`{end}{null}", text(&role["handle"]))
        }
        "handle-out" => format!("an object the function hands out, {}{failed}", object(role, names)),
        "callback" => {
            let scope = &role["callback"]["scope"];
            let until = match tag(scope, "scope") {
                "handle" => format!(", which the library keeps until `{}` goes", names.at(&scope["param"])),
                _ => String::new(),
            };
            let threads = match &role["callback"]["threads"] {
                Value::String(threads) if threads == "any" => " and may call on threads of its own",
                _ => "",
            };
            format!("a function of the application{until}{threads}{null}")
        }
        "user-data" => format!("hidden: what the library hands back to `{}`", names.at(&role["callback"])),
        _ => other(role, "role", names),
    }
}

/// What the returned value means.
pub(crate) fn returned(role: &Value, names: &Names) -> String {
    let null = if role["nullable"] == true { ", or NULL" } else { "" };
    let owner = || ownership(&role["ownership"], names);
    match tag(role, "role") {
        "void" => "nothing".into(),
        "value" => "a number".into(),
        "status" => "a number that only says whether the call failed".into(),
        "length-of" => format!("hidden: how much of `{}` is filled", names.at(&role["param"])),
        "text" => format!("a text, {}{null}; {}", encoding(&role["encoding"]), owner()),
        "texts" => {
            let many = match role["length"].is_null() {
                true => "texts that a NULL ends".to_owned(),
                false => format!("`{}` texts", expression(&role["length"], names)),
            };
            format!("{many}, {}{null}; {}", encoding(&role["encoding"]), owner())
        }
        "buffer" => format!("`{}` elements of data; {}", expression(&role["length"], names), owner()),
        "handle" => format!("an object of the library, {}{null}", object(role, names)),
        _ => other(role, "role", names),
    }
}

/// What means failure; null for no rule.
pub(crate) fn error(rule: &Value, names: &Names) -> String {
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
    let own = match &rule["told_by"] {
        Value::Null => String::new(),
        param => format!("; `{}` says why where it is there", names.at(param)),
    };
    let more =
        [("message", "says why"), ("code", "is the code")].into_iter().filter(|it| !rule[it.0].is_null());
    let more = more.map(|(field, says)| format!("; `{}` {says}", expression(&rule[field], names)));
    more.fold(fails + &own, |text, more| text + &more)
}

/// An object that comes out: its type, who releases it, and what must outlive it.
fn object(role: &Value, names: &Names) -> String {
    let owner = match tag(&role["ownership"], "ownership") {
        "owned" => format!("; `{}` releases it", text(&role["ownership"]["release"])),
        "static" | "library" => "; the library keeps it".into(),
        _ => format!("; {}", other(&role["ownership"], "ownership", names)),
    };
    let parent = match &role["parent"] {
        Value::Null => String::new(),
        parent => format!("; `{}` must outlive it", names.at(parent)),
    };
    format!("`{}`{owner}{parent}", text(&role["handle"]))
}

fn ownership(value: &Value, names: &Names) -> String {
    match tag(value, "ownership") {
        "owned" => format!("copied, then `{}` takes it back", text(&value["release"])),
        "static" | "library" => "copied; the library keeps it".into(),
        "unknown" => "copied; nobody releases it, and a line says who should".into(),
        _ => other(value, "ownership", names),
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
        "utf16" => "UTF-16",
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
    fn what_is_handed_out_has_words() {
        let check = |value: Value, expect: &str| assert_eq!(role(&value, &names()), expect);
        let owned = json!({ "ownership": "owned", "release": "free" });
        let text =
            json!({ "role": "text-out", "encoding": "bytes", "ownership": owned, "valid_on_error": true });
        let expect = "a text the function hands out, of no known encoding; copied, then `free` takes it back; \
                      it means something on failure too";
        check(text, expect);
        let texts = json!({ "role": "texts", "encoding": "utf8", "nullable": false });
        check(texts, "texts the caller passes, UTF-8");
        let count = json!({ "expr": "param", "index": 2 });
        let list = json!({
            "role": "texts-out", "length": count, "encoding": "utf16",
            "ownership": { "ownership": "owned", "release": "free" }, "valid_on_error": false,
        });
        check(list, "`n` texts the function hands out, UTF-16; copied, then `free` takes it back");
        let offset = json!({ "role": "offset-out", "param": 0, "valid_on_error": false });
        check(offset, "a place in `dest` that the function hands out, as an offset");
    }

    #[test]
    fn objects_have_words() {
        let check = |value: Value, expect: &str| assert_eq!(role(&value, &names()), expect);
        let out = json!({
            "role": "handle-out", "handle": "db", "ownership": { "ownership": "owned", "release": "close" },
            "parent": 2, "valid_on_error": false,
        });
        check(out, "an object the function hands out, `db`; `close` releases it; `n` must outlive it");
        let taken = json!({ "role": "handle", "handle": "db", "consumed": true, "nullable": true });
        check(taken, "an object of the library, `db`; it ends with this call; NULL may be passed");
        let given = json!({ "role": "handle", "handle": "db", "consumed": true, "on_success": true });
        check(given, "an object of the library, `db`; it ends with this call, unless that fails");
        let emptied = json!({ "role": "handle", "handle": "db", "consumed": false, "invalidates": true });
        check(emptied, "an object of the library, `db`; what was borrowed from it is stale afterwards");
        check(json!({ "role": "user-data", "callback": 2 }), "hidden: what the library hands back to `n`");
        let called =
            |scope: Value| json!({ "role": "callback", "nullable": true, "callback": { "scope": scope } });
        check(called(json!({ "scope": "call" })), "a function of the application; NULL may be passed");
        check(
            called(json!({ "scope": "handle", "param": 2 })),
            "a function of the application, which the library keeps until `n` goes; NULL may be passed",
        );
        let kept = json!({ "scope": { "scope": "handle", "param": 2 }, "threads": "any" });
        check(
            json!({ "role": "callback", "nullable": false, "callback": kept }),
            "a function of the application, which the library keeps until `n` goes and may call on threads of its own",
        );
        let returned = returned(
            &json!({ "role": "handle", "handle": "db", "ownership": { "ownership": "library" }, "nullable": true }),
            &names(),
        );
        assert_eq!(returned, "an object of the library, `db`; the library keeps it, or NULL");
    }

    #[test]
    fn what_has_no_words_is_told_by_its_fields() {
        let check = |value: Value, expect: &str| assert_eq!(role(&value, &names()), expect);
        let new = json!({ "role": "brand-new", "size": 4, "by": { "expr": "int", "value": 3 } });
        check(new, "brand new, size 4, by `3`");
        let moved =
            json!({ "role": "moved", "to": { "to": "far-away", "param": 1 }, "quickly": true, "x": null });
        check(moved, "moved, far away, param `destLen`, quickly");
    }

    #[test]
    fn results_and_rules_have_words() {
        let check = |value: Value, expect: &str| assert_eq!(returned(&value, &names()), expect);
        check(json!(ResultRole::Void), "nothing");
        check(json!(ResultRole::LengthOf { param: 0 }), "hidden: how much of `dest` is filled");
        for keeper in ["static", "library"] {
            let ownership = json!({ "ownership": keeper });
            let text =
                json!({ "role": "text", "encoding": "bytes", "nullable": true, "ownership": ownership });
            check(text, "a text, of no known encoding, or NULL; copied; the library keeps it");
        }
        let nobodys = json!({ "role": "text", "encoding": "utf8", "nullable": false, "ownership": { "ownership": "unknown" } });
        check(nobodys, "a text, UTF-8; copied; nobody releases it, and a line says who should");
        let ownership = json!(Ownership::Owned { release: "free".into() });
        let length = json!(Expr::SizeOf { ctype: "int".into() });
        let data = json!({ "role": "buffer", "length": length, "ownership": ownership });
        check(data, "`sizeof(int)` elements of data; copied, then `free` takes it back");
        let library = json!({ "ownership": "library" });
        let ended = json!({ "role": "texts", "length": null, "encoding": "utf8", "nullable": true, "ownership": library });
        check(ended, "texts that a NULL ends, UTF-8, or NULL; copied; the library keeps it");
        let check = |value: Value, expect: &str| assert_eq!(error(&value, &names()), expect);
        check(Value::Null, "no rule: nothing the function returns is taken for a failure");
        check(
            json!({ "fails": Fails::Negative, "message": bound(), "code": Expr::Errno }),
            "the call failed when the result is below 0; `bound(n + (1 + result))` says why; `errno` is the code",
        );
        let when = Fails::When { condition: Expr::Errno };
        check(json!({ "fails": when, "message": null }), "the call failed when `errno`");
    }
}
