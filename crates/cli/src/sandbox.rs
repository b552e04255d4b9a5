//! The sandbox of a call, from the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotcell::{Profile, Remedy, Require, Sandbox, remedy};
use serde_json::{Value, json};

/// What the library may do.
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// What the library may do, instead of what its contract says [default of contracts: compute]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) sandbox: Option<ProfileName>,
    /// Let it read this file or directory
    #[arg(long, value_name = "PATH", requires = "sandbox")]
    pub(crate) read: Vec<PathBuf>,
    /// Let it read and change this file or directory
    #[arg(long, value_name = "PATH", requires = "sandbox")]
    pub(crate) write: Vec<PathBuf>,
    /// Let it connect to this TCP port
    #[arg(long, value_name = "PORT", requires = "sandbox")]
    pub(crate) connect: Vec<u16>,
    /// Let it listen at this TCP port
    #[arg(long, value_name = "PORT", requires = "sandbox")]
    pub(crate) bind: Vec<u16>,
    /// Let it make this system call: `CALL`, or `CALL(arg0 == 1 && arg1 & 0xf == 2)`
    #[arg(long, value_name = "CALL", requires = "sandbox")]
    pub(crate) allow: Vec<String>,
    /// Refuse it this path, instead of ending the call that names it; `*` at the end stands for anything
    #[arg(long, value_name = "PATH", requires = "sandbox")]
    pub(crate) refuse: Vec<String>,
    /// Let it read this file or directory while it loads, besides the system's libraries
    #[arg(long, value_name = "PATH", requires = "sandbox")]
    pub(crate) load: Vec<PathBuf>,
    /// Let it execute no memory that it can write
    #[arg(long, requires = "sandbox")]
    pub(crate) write_xor_execute: bool,
    /// Do not load it unless every restriction is in force
    #[arg(long, requires = "sandbox")]
    pub(crate) strict: bool,
    /// Nor unless it has namespaces of its own besides
    #[arg(long, requires = "sandbox")]
    pub(crate) namespaces: bool,
}

/// A profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileName {
    /// Memory, threads and time
    Compute,
    /// Besides, what --read and --write name
    Files,
    /// Besides, what --connect and --bind name
    Network,
    /// All that is named, --allow too
    Custom,
    /// No wall: for libraries that are trusted
    Basic,
}

impl SandboxArgs {
    /// The sandbox that was asked for; none where the contract's is to hold.
    pub(crate) fn sandbox(&self) -> Result<Option<Sandbox>, String> {
        let Some(profile) = self.sandbox else { return Ok(None) };
        let profile = match profile {
            ProfileName::Compute => Profile::Compute,
            ProfileName::Files => Profile::Files,
            ProfileName::Network => Profile::Network,
            ProfileName::Custom => Profile::Custom,
            ProfileName::Basic => Profile::Basic,
        };
        let absolute = |paths: &[PathBuf]| {
            let absolute = |path: &PathBuf| {
                std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
            };
            paths.iter().map(absolute).collect::<Result<Vec<_>, _>>()
        };
        Ok(Some(Sandbox {
            read: absolute(&self.read)?,
            write: absolute(&self.write)?,
            connect: self.connect.clone(),
            bind: self.bind.clone(),
            allow: self.allow.clone(),
            refuse: self.refuse.clone(),
            load: absolute(&self.load)?,
            write_xor_execute: self.write_xor_execute,
            require: match (self.namespaces, self.strict) {
                (true, _) => Require::Namespaces,
                (false, true) => Require::Strict,
                (false, false) => Require::Offered,
            },
            ..Sandbox::of(profile)
        }))
    }
}

/// What lets a system call pass that was denied, as options of the command and, where that has one, as a line of the contract; `note` is what is
/// said behind it.
pub(crate) fn in_words(remedy: &Remedy, note: &str, contract: bool) -> String {
    // What a contract says by a key is an option here.
    let refused = match remedy {
        Remedy::With(sandbox) => sandbox.read.last(),
        Remedy::Naming(..) | Remedy::Never => None,
    };
    // It stands with a profile.
    let option = |path: &PathBuf| {
        format!("`--sandbox compute --refuse {}`", word(&json!(path.to_string_lossy()), "refuse"))
    };
    let note = refused
        .map_or_else(|| note.to_owned(), |path| note.replace("`refuse` with this path", &option(path)));
    let line = match (contract, remedy) {
        (false, _) | (true, Remedy::Never) => String::new(),
        (true, _) => format!("; in the contract, {}", remedy::in_contract(remedy)),
    };
    in_options(remedy) + &note + &line
}

/// The same as options alone.
fn in_options(remedy: &Remedy) -> String {
    let Some(table) = remedy::table(remedy) else { return remedy::NEVER.to_owned() };
    let mut words = Vec::new();
    for (key, value) in table {
        match (key, value) {
            ("profile", value) => words.extend(["--sandbox".to_owned(), word(&value, key)]),
            // The word is the option.
            ("require", Value::String(word)) => words.push(format!("--{word}")),
            (key, Value::Array(list)) => {
                words.extend(list.iter().flat_map(|value| [format!("--{key}"), word(value, key)]));
            }
            (key, _) => words.push(format!("--{}", key.replace('_', "-"))),
        }
    }
    format!("`{}` would allow it", words.join(" "))
}

/// A value as a shell takes it for one word.
fn word(value: &Value, key: &str) -> String {
    let text = match value {
        Value::Null => return remedy::unknown(key).to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_said_as_options() {
        let check = |remedy: &Remedy, expect: &str| assert_eq!(in_options(remedy), expect);
        let files = Sandbox { read: vec!["/etc/it's a".into()], ..Sandbox::of(Profile::Files) };
        check(&Remedy::With(files.clone()), r"`--sandbox files --read '/etc/it'\''s a'` would allow it");
        let all = Sandbox {
            write: vec!["/srv/a".into()],
            connect: vec![443],
            allow: vec!["flock(arg1 == 2)".into()],
            refuse: vec!["/etc/xml/*".into()],
            load: vec!["/opt/data".into()],
            write_xor_execute: true,
            require: Require::Strict,
            ..Sandbox::of(Profile::Custom)
        };
        check(
            &Remedy::Naming(all, vec!["connect"]),
            "`--sandbox custom --write /srv/a --connect 443 --connect PORT --allow 'flock(arg1 == 2)' --refuse '/etc/xml/*' \
             --load /opt/data --write-xor-execute --strict` would allow it",
        );
        check(
            &Remedy::Naming(files, vec!["write"]),
            r"`--sandbox files --read '/etc/it'\''s a' --write PATH` would allow it",
        );
        check(&Remedy::Never, remedy::NEVER);
        let hosts = Remedy::With(Sandbox { read: vec!["/etc/hosts".into()], ..Sandbox::of(Profile::Files) });
        let said = in_words(&hosts, ", or `refuse` with this path where it is missing", true);
        let options = "`--sandbox files --read /etc/hosts` would allow it, or `--sandbox compute --refuse /etc/hosts` where it is missing";
        let line =
            "in the contract, `sandbox = { profile = \"files\", read = [\"/etc/hosts\"] }` would allow it";
        assert_eq!(said, format!("{options}; {line}"));
        assert_eq!(in_words(&Remedy::Never, "", true), remedy::NEVER);
    }
}
