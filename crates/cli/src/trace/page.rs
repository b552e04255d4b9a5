//! A profile as it is written: the lines of a contract, with what is to be known of it as comments, or JSON.

use std::fmt::Write as _;
use std::io;

use hotcell::Sandbox;
use hotcell_sandbox::trace::{Proposal, Refused};
use serde_json::{Value, json};

/// The lines of a contract.
pub(crate) fn text(proposal: &Proposal) -> String {
    let Proposal { sandbox, wide, refused, unnamed, hidden } = proposal;
    let mut text = String::new();
    for (call, reach) in wide {
        let _ = writeln!(text, "# `{call}` reaches {reach}: no rule limits which.");
    }
    if !refused.is_empty() {
        text.push_str(
            "# Refused, as under this profile; name or allow it if the library cannot do without:\n",
        );
        refused.iter().for_each(|refused| _ = writeln!(text, "#   {}", refusal(refused)));
    }
    for it in unnamed {
        let _ = writeln!(
            text,
            "# `{}` used {}, which no profile can name: it is not allowed by this one.",
            it.name, it.path
        );
    }
    for call in hidden {
        let _ = writeln!(
            text,
            "# `{call}` was given what this machine does not let the program read: nothing of that is named."
        );
    }
    text.push_str("[sandbox]\n");
    let _ = writeln!(text, "profile = \"{}\"", sandbox.profile.name());
    for (key, values) in lists(sandbox) {
        list(&mut text, key, &values);
    }
    if sandbox.write_xor_execute {
        text.push_str("write_xor_execute = true\n");
    }
    if let Some(require) = sandbox.require.name() {
        let _ = writeln!(text, "require = \"{require}\"");
    }
    text
}

/// The same for programs.
pub(crate) fn json(proposal: &Proposal) -> Value {
    let Proposal { sandbox, wide, refused, unnamed, hidden } = proposal;
    let mut table = json!({ "profile": sandbox.profile.name() });
    for (key, values) in lists(sandbox).into_iter().filter(|(_, values)| !values.is_empty()) {
        table[key] = values.into();
    }
    if sandbox.write_xor_execute {
        table["write_xor_execute"] = json!(true);
    }
    if let Some(require) = sandbox.require.name() {
        table["require"] = json!(require);
    }
    let refused: Vec<Value> = refused
        .iter()
        .map(|it| {
            let path = it.path.as_ref().map(|path| path.display().to_string());
            json!({ "call": it.name, "arguments": it.arguments, "path": path, "errno": it.errno })
        })
        .collect();
    let wide: Vec<Value> =
        wide.iter().map(|(call, reach)| json!({ "call": call, "reaches": reach })).collect();
    let unnamed: Vec<Value> = unnamed.iter().map(|it| json!({ "call": it.name, "path": it.path })).collect();
    json!({ "sandbox": table, "wide": wide, "refused": refused, "unnamed": unnamed, "hidden": hidden })
}

/// The keys that have lists, in the order in which contracts have them.
fn lists(sandbox: &Sandbox) -> [(&'static str, Vec<Value>); 7] {
    let paths =
        |paths: &[std::path::PathBuf]| paths.iter().map(|path| json!(path.display().to_string())).collect();
    let texts = |texts: &[String]| texts.iter().map(|text| json!(text)).collect();
    let ports = |ports: &[u16]| ports.iter().map(|port| json!(port)).collect();
    [
        ("read", paths(&sandbox.read)),
        ("write", paths(&sandbox.write)),
        ("connect", ports(&sandbox.connect)),
        ("bind", ports(&sandbox.bind)),
        ("allow", texts(&sandbox.allow)),
        ("refuse", texts(&sandbox.refuse)),
        ("load", paths(&sandbox.load)),
    ]
}

/// A list as TOML, which writes texts without control characters as JSON does.
fn list(text: &mut String, key: &str, values: &[Value]) {
    match values {
        [] => {}
        [value] => _ = writeln!(text, "{key} = [{value}]"),
        values => {
            let _ = writeln!(text, "{key} = [");
            values.iter().for_each(|value| _ = writeln!(text, "    {value},"));
            text.push_str("]\n");
        }
    }
}

fn refusal(refused: &Refused) -> String {
    let error = io::Error::from_raw_os_error(refused.errno);
    let Refused { name, arguments: [first, second, ..], path, .. } = refused;
    match path {
        Some(path) => format!("{name}(\"{}\"): {error}", path.display()),
        None => format!("{name}({first:#x}, {second:#x}, …): {error}"),
    }
}

#[cfg(test)]
mod tests {
    use hotcell::{Profile, Require};
    use hotcell_sandbox::trace::Needs;

    use super::*;

    fn proposal(lines: &[&str]) -> Proposal {
        let base =
            Sandbox { refuse: vec!["/etc/xml/*".into()], require: Require::Strict, ..Sandbox::default() };
        Needs::read(&lines.join("\n")).0.proposal(&base)
    }

    #[test]
    fn a_profile_is_written_as_contracts_have_it() {
        let lines = [
            "worker",
            "call\topenat\t0 0 0 0 0 0",
            "read\t/etc/a \"quoted\" name",
            "read\t/etc/hosts",
            "call\tsocket\t1 2 0 0 0 0",
            "refused\tioctl\t3 5302 0 0 0 0\t25\t",
            "refused\topenat\t0 0 0 0 0 0\t13\t/proc/stat",
            "unnamed\topenat\t/",
            "hidden\tconnect",
        ];
        let expect = r#"# `socket` reaches any address that is not TCP's: no rule limits which.
# Refused, as under this profile; name or allow it if the library cannot do without:
#   ioctl(0x3, 0x5302, …): Inappropriate ioctl for device (os error 25)
#   openat("/proc/stat"): Permission denied (os error 13)
# `openat` used /, which no profile can name: it is not allowed by this one.
# `connect` was given what this machine does not let the program read: nothing of that is named.
[sandbox]
profile = "custom"
read = [
    "/etc/a \"quoted\" name",
    "/etc/hosts",
]
allow = ["socket(arg0 == 1 && arg1 == 2 && arg2 == 0)"]
refuse = ["/etc/xml/*"]
require = "strict"
"#;
        let proposal = proposal(&lines);
        assert_eq!(text(&proposal), expect);
        // What a contract reads of it is the profile.
        let table: toml::Table = text(&proposal).parse().unwrap();
        assert_eq!(table["sandbox"]["read"][0].as_str(), Some("/etc/a \"quoted\" name"));
        assert_eq!(json(&proposal)["sandbox"], serde_json::to_value(&table["sandbox"]).unwrap());
        assert_eq!(proposal.sandbox.profile, Profile::Custom);
    }
}
