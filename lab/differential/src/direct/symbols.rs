//! Names of error codes, found in the header a second time.

use std::fmt::Write as _;

use hotcell_model::Interface;
use hotcell_model::api::Constant;

/// A function for each set of names: the JSON of the first name that the headers give a code.
pub(super) fn functions(interface: &Interface) -> String {
    let mut text = String::new();
    for (number, pattern) in interface.symbols.keys().enumerate() {
        let (first, last) = pattern.split_once('*').unwrap_or((pattern, ""));
        let mut names: Vec<(&String, &Constant)> = interface.constants.iter().collect();
        names.retain(|(name, _)| {
            name.len() >= first.len() + last.len() && name.starts_with(first) && name.ends_with(last)
        });
        names.sort_by_key(|(_, it)| (!it.location.primary, &it.location.file, it.location.line));
        let lines: String = names
            .iter()
            .map(|(name, _)| format!("    if (code == DT_CODE({name})) return \"\\\"{name}\\\"\";\n"))
            .collect();
        // A String takes everything.
        let _ = write!(
            text,
            "static const char *dt_symbols_{number}(int64_t code)\n{{\n{lines}    return \"null\";\n}}\n\n"
        );
    }
    text
}
