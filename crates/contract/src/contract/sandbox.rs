//! `sandbox = …`: what the library may do once it serves.

use hotcell_model::interface::{SandboxLines, SandboxProfile, SandboxRequire};

use crate::contract::keys;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader};

/// Reads a profile's name, or a table with what it names.
pub(crate) fn sandbox<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> SandboxLines {
    let mut lines = SandboxLines::default();
    if !reader.is_table(entry) {
        if let Some(word) = reader.word_of(entry, keys::PROFILES) {
            lines.profile = profile(word);
        }
        return lines;
    }
    let entries = reader.table(entry).unwrap_or_default();
    for entry in &entries {
        match entry.key {
            "profile" => {
                lines.profile = reader.word_of(entry, keys::PROFILES).map(profile).unwrap_or_default();
            }
            "read" => lines.read = paths(reader, entry),
            "write" => lines.write = paths(reader, entry),
            "load" => lines.load = paths(reader, entry),
            "refuse" => lines.refuse = paths(reader, entry),
            "connect" => lines.connect = reader.ports(entry),
            "bind" => lines.bind = reader.ports(entry),
            "allow" => lines.allow = texts(reader, entry),
            "write_xor_execute" => lines.write_xor_execute = reader.boolean(entry).unwrap_or_default(),
            "require" => {
                lines.require = match reader.word_of(entry, keys::SANDBOX.shape("require")) {
                    Some("strict") => SandboxRequire::Strict,
                    Some("namespaces") => SandboxRequire::Namespaces,
                    _ => SandboxRequire::Offered,
                }
            }
            _ => reader.unknown(entry, &keys::SANDBOX),
        }
    }
    if !entries.iter().any(|entry| entry.key == "profile") {
        let diagnostic = Diagnostic::error("this sandbox does not say its `profile`").at(entry.span.clone());
        let help =
            "add `profile = \"files\"`, or another of `compute`, `files`, `network`, `custom` and `basic`"
                .to_owned();
        reader.push(diagnostic.help(help));
        return lines;
    }
    let opens = match lines.profile {
        SandboxProfile::Basic => false,
        SandboxProfile::Files => true,
        SandboxProfile::Compute | SandboxProfile::Network => !lines.load.is_empty(),
        SandboxProfile::Custom => {
            [&lines.read, &lines.write, &lines.load, &lines.allow].iter().any(|it| !it.is_empty())
        }
    };
    if lines.require == SandboxRequire::Namespaces && opens {
        let asked = entries.iter().find(|entry| entry.key == "require");
        let message =
            "a sandbox with files, while it loads too, or with calls in `allow` has no namespaces of its own";
        let diagnostic =
            Diagnostic::error(message).help("write `require = \"strict\"`: that is the most".to_owned());
        reader.push(match asked {
            Some(entry) => diagnostic.at(entry.span.clone()),
            None => diagnostic,
        });
    }
    for entry in entries.iter().filter(|entry| !fits(lines.profile, entry.key)) {
        let word = lines.profile.word();
        let diagnostic = Diagnostic::error(format!("the profile `{word}` has no `{}`", entry.key));
        let help = match entry.key {
            "read" | "write" => "it belongs to the profiles `files` and `custom`",
            "connect" | "bind" => "it belongs to the profiles `network` and `custom`",
            "allow" => "it belongs to the profile `custom`",
            _ => "without a wall there is nothing of the kind",
        };
        reader.push(diagnostic.at(entry.key_span.clone()).help(help.to_owned()));
    }
    lines
}

/// The words of [`keys::PROFILES`].
fn profile(word: &str) -> SandboxProfile {
    match word {
        "basic" => SandboxProfile::Basic,
        "files" => SandboxProfile::Files,
        "network" => SandboxProfile::Network,
        "custom" => SandboxProfile::Custom,
        _ => SandboxProfile::Compute,
    }
}

fn fits(profile: SandboxProfile, key: &str) -> bool {
    let custom = profile == SandboxProfile::Custom;
    match key {
        "read" | "write" => profile == SandboxProfile::Files || custom,
        "connect" | "bind" => profile == SandboxProfile::Network || custom,
        "allow" => custom,
        "load" | "refuse" | "write_xor_execute" | "require" => profile != SandboxProfile::Basic,
        _ => true,
    }
}

fn texts<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<String> {
    reader.texts(entry).unwrap_or_default().into_iter().map(|text| text.value).collect()
}

/// A worker has a directory of its own: only absolute paths mean the same there.
fn paths<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<String> {
    let texts = reader.texts(entry).unwrap_or_default();
    for text in &texts {
        if !text.value.starts_with('/') {
            let diagnostic =
                Diagnostic::error(format!("`{}` is not absolute", text.value)).at(text.span.clone());
            let help =
                "write the path from `/` on; one that is known at run time goes into `Options::sandbox`";
            reader.push(diagnostic.help(help.to_owned()));
        }
        if text.value.split('/').any(|part| part == "..") {
            let diagnostic =
                Diagnostic::error(format!("`{}` goes up by `..`", text.value)).at(text.span.clone());
            let help = "write where it comes to: behind a link that is another place than it looks";
            reader.push(diagnostic.help(help.to_owned()));
        }
    }
    texts.into_iter().map(|text| text.value).collect()
}
