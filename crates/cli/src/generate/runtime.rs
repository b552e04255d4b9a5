//! `--runtime`: where a package finds the runtime, checked before it is written into it.

use toml::{Table, Value};

use crate::fail::Failure;

/// Keys that say where cargo finds a package.
const PLACES: [&str; 5] = ["version", "path", "git", "registry", "workspace"];

/// A dependency as Cargo.toml has it, if it is one.
pub(super) fn dependency(text: &str) -> Result<String, Failure> {
    check(text).map(|()| text.trim().to_owned()).map_err(|why| {
        Failure::Usage(format!(
            "`--runtime {text}` is no dependency, because {why}\n\
             help: write what stands behind `hotcell =` in Cargo.toml: '\"0.1\"', or '{{ path = \"../hotcell\" }}'"
        ))
    })
}

/// Whether it is a version of a Go module, or a folder as go.mod has it.
pub(super) fn of_module(text: &str) -> Result<(), Failure> {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let version = |text: &str| {
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        let behind = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        plain.split('.').count() == 3 && plain.split('.').all(number) && text.chars().all(behind)
    };
    // What go.mod would take for something else is no folder of it.
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"'`()".contains(c);
    let is_one = match is_folder(text) {
        true => text.chars().all(plain) && !text.contains("//"),
        false => text.strip_prefix('v').is_some_and(version),
    };
    match is_one {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "`--runtime {text}` is neither a version nor a folder\n\
             help: write what go.mod has for the module `hotcell`: `v0.1.0`, or a folder such as `../hotcell/clients/go`"
        ))),
    }
}

/// Whether Go takes it for a folder.
pub(super) fn is_folder(text: &str) -> bool {
    ["./", "../", "/"].iter().any(|start| text.starts_with(start))
}

fn check(text: &str) -> Result<(), String> {
    // A line of its own could be another key, or another table.
    if text.trim().contains('\n') {
        return Err("it has more than one line".into());
    }
    let document: Table = format!("hotcell = {text}\n").parse().map_err(|error: toml::de::Error| {
        format!("it is no TOML ({})", error.message().trim_end().replace('\n', "; "))
    })?;
    match document.get("hotcell") {
        Some(Value::String(version)) => version_of(version),
        Some(Value::Table(table)) => match table.get("version") {
            Some(Value::String(version)) => version_of(version),
            Some(_) => Err("its `version` is no text".into()),
            None if PLACES.iter().any(|key| table.contains_key(*key)) => Ok(()),
            None => Err("it has neither `version` nor `path` nor `git`".into()),
        },
        _ => Err("it is neither a version in quotes nor a table in braces".into()),
    }
}

/// Whether cargo takes it: comparisons of versions, with commas between them.
fn version_of(text: &str) -> Result<(), String> {
    let number = |part: &str| part == "*" || !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let one = |text: &str| {
        let text = text.trim().trim_start_matches(['<', '>', '=', '^', '~']).trim_start();
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        let behind = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        plain.split('.').count() <= 3
            && plain.split('.').all(number)
            && text[plain.len()..].chars().all(behind)
    };
    match text.split(',').all(one) {
        true => Ok(()),
        false => Err(format!("`{text}` is no version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_told_from_what_cargo_would_refuse() {
        for text in [
            "\"0.1\"",
            "'*'",
            "\">=0.1, <0.3\"",
            "\"=1.2.3-rc.1+x\"",
            "{ path = \"../hotcell\" }",
            "{ path = \"x\", version = \"0.1.0\" }",
            "{ workspace = true }",
            " \"0.1\" ",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in [
            "not toml [",
            "0.1",
            "",
            "\"newest\"",
            "\"1.2.3.4\"",
            "{ }",
            "{ version = 1 }",
            "{ features = [] }",
            "\"0.1\"\nother = \"1\"",
            "[\"0.1\"]",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn versions_and_folders_of_modules_are_told_from_what_go_would_refuse() {
        for text in ["v0.1.0", "v1.2.3-rc.1", "v1.2.3+x", "./go", "../clients/go", "/usr/lib/hotcell"] {
            assert!(of_module(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "0.1.0",
            "v1",
            "v1.2",
            "v1.2.x",
            "go",
            "./a b",
            "./a\nrequire x",
            "../a//b",
            "v1.2.3 v",
            "./\"a",
        ] {
            assert!(of_module(text).is_err(), "{text}");
        }
    }
}
