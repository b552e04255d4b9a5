//! What of `sandbox` lets a system call pass that was stopped, as texts and data have it: for clients in other languages.

use std::path::PathBuf;

use hotcell_sandbox::Remedy;
use serde_json::{Value, json};

/// The table `sandbox` that lets a call pass, by its keys: what is not known is null in its list. Nothing where none does.
pub fn table(remedy: &Remedy) -> Option<Vec<(&'static str, Value)>> {
    let (said, open) = match remedy {
        Remedy::With(sandbox) => (sandbox, &[][..]),
        Remedy::Naming(sandbox, open) => (sandbox, &open[..]),
        Remedy::Never => return None,
    };
    let paths = |paths: &[PathBuf]| paths.iter().map(|path| json!(path.to_string_lossy())).collect();
    let ports = |ports: &[u16]| ports.iter().map(|port| json!(port)).collect();
    let texts = |texts: &[String]| texts.iter().map(|text| json!(text)).collect();
    let lists: [(&str, Vec<Value>); 7] = [
        ("read", paths(&said.read)),
        ("write", paths(&said.write)),
        ("connect", ports(&said.connect)),
        ("bind", ports(&said.bind)),
        ("allow", texts(&said.allow)),
        ("refuse", texts(&said.refuse)),
        ("load", paths(&said.load)),
    ];
    let mut table = vec![("profile", json!(said.profile.name()))];
    for (key, mut list) in lists {
        list.extend(open.contains(&key).then_some(Value::Null));
        table.extend((!list.is_empty()).then_some((key, Value::Array(list))));
    }
    table.extend(said.write_xor_execute.then_some(("write_xor_execute", json!(true))));
    table.extend(said.require.name().map(|name| ("require", json!(name))));
    Some(table)
}

/// What stands for a value of this key that is not known.
pub fn unknown(key: &str) -> &'static str {
    if matches!(key, "connect" | "bind") { "PORT" } else { "PATH" }
}

/// The same as texts, for a language that has so what is neither a list nor unknown: `PATH` and `PORT` stand for that.
pub fn entries(remedy: &Remedy, literal: impl Fn(&Value) -> String) -> Option<Vec<(&'static str, String)>> {
    let item = |key: &str, value: &Value| match value {
        Value::Null => unknown(key).to_owned(),
        value => literal(value),
    };
    let entry = |(key, value)| match &value {
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(|value| item(key, value)).collect();
            (key, format!("[{}]", list.join(", ")))
        }
        value => (key, item(key, value)),
    };
    Some(table(remedy)?.into_iter().map(entry).collect())
}

/// That something lets a call pass, in the words of a contract.
pub fn in_contract(remedy: &Remedy) -> String {
    let Some(entries) = entries(remedy, Value::to_string) else { return NEVER.to_owned() };
    let lines: Vec<String> = entries.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("`sandbox = {{ {} }}` would allow it", lines.join(", "))
}

/// That nothing does.
pub const NEVER: &str = "no profile allows that";

pub(crate) fn to_json(remedy: &Remedy) -> Value {
    table(remedy).map_or(Value::Bool(false), |table| {
        Value::Object(table.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotcell_sandbox::{Profile, Require, Sandbox};

    #[test]
    fn a_remedy_is_said_as_a_contract_has_it() {
        let files = Sandbox {
            read: vec!["/etc/\"a\"".into()],
            require: Require::Strict,
            write_xor_execute: true,
            ..Sandbox::of(Profile::Files)
        };
        let with = Remedy::With(files);
        let line = r#"sandbox = { profile = "files", read = ["/etc/\"a\""], write_xor_execute = true, require = "strict" }"#;
        assert_eq!(in_contract(&with), format!("`{line}` would allow it"));
        let json = json!({
            "profile": "files", "read": ["/etc/\"a\""], "write_xor_execute": true, "require": "strict",
        });
        assert_eq!(to_json(&with), json);
        let network = Sandbox { connect: vec![443], ..Sandbox::of(Profile::Network) };
        let naming = Remedy::Naming(network, vec!["connect"]);
        let line = r#"sandbox = { profile = "network", connect = [443, PORT] }"#;
        assert_eq!(in_contract(&naming), format!("`{line}` would allow it"));
        assert_eq!(to_json(&naming), json!({ "profile": "network", "connect": [443, null] }));
        assert_eq!((in_contract(&Remedy::Never), to_json(&Remedy::Never)), (NEVER.into(), json!(false)));
    }
}
