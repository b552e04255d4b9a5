//! Names of error codes, found in the header a second time.

use std::fmt::Write as _;

use hotcell_model::Interface;
use hotcell_model::api::Constant;

/// A function for each set of names: the JSON of the first name that the headers give a code.
pub(super) fn functions(interface: &Interface) -> String {
    let mut text = String::new();
    for (number, pattern) in interface.symbols.keys().enumerate() {
        let choices = alternatives(pattern);
        let mut names: Vec<(&String, &Constant)> = interface.constants.iter().collect();
        names.retain(|(name, _)| {
            choices.iter().any(|choice| {
                let (first, last) = choice.split_once('*').unwrap_or((choice, ""));
                name.len() >= first.len() + last.len() && name.starts_with(first) && name.ends_with(last)
            })
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

/// What a pattern stands for, one for each of its choices in braces.
fn alternatives(pattern: &str) -> Vec<String> {
    let parts = pattern.split_once('{').and_then(|(before, rest)| {
        let (choices, behind) = rest.split_once('}')?;
        Some((before, choices, behind))
    });
    let Some((before, choices, behind)) = parts else { return vec![pattern.to_owned()] };
    let with = |choice: &str| alternatives(&format!("{before}{choice}{behind}"));
    choices.split(',').flat_map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::alternatives;

    #[test]
    fn braces_are_choices() {
        assert_eq!(alternatives("E_*"), ["E_*"]);
        assert_eq!(alternatives("{A,B}_{X,Y}*"), ["A_X*", "A_Y*", "B_X*", "B_Y*"]);
    }
}
