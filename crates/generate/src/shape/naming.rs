//! What names of C are made of, and how things get names of which none is another's. Case and reserved words are each
//! language's own matter.

use std::collections::BTreeSet;

pub(crate) mod choice;
pub(crate) mod fronts;
pub(crate) mod prefix;

/// Names of one scope, each given once.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    pub(crate) taken: BTreeSet<String>,
}

impl Scope {
    /// A scope in which these names are taken.
    pub(crate) fn with(taken: &[&str]) -> Self {
        Scope { taken: taken.iter().map(|&name| name.to_owned()).collect() }
    }

    /// The name itself, or else the first free one of `name_`, `name_2`, `name_3`…
    pub(crate) fn take(&mut self, name: String) -> String {
        let others = (2..).map(|number| format!("{name}_{number}"));
        let candidates = [name.clone(), format!("{name}_")].into_iter().chain(others);
        let mut free = candidates.filter(|name| !self.taken.contains(name));
        let chosen = free.next().expect("numbers do not end");
        self.taken.insert(chosen.clone());
        chosen
    }

    /// As [`Scope::take`], for types: `Name`, `Name2`, `Name3`…
    pub(crate) fn take_type(&mut self, name: String) -> String {
        let others = (2..).map(|number| format!("{name}{number}"));
        let mut free = [name.clone()].into_iter().chain(others).filter(|name| !self.taken.contains(name));
        let chosen = free.next().expect("numbers do not end");
        self.taken.insert(chosen.clone());
        chosen
    }
}

/// Whether the header has no name for the parameter at a position.
pub(crate) fn is_made_up(name: &str, index: usize) -> bool {
    name == format!("arg{}", index + 1)
}

/// Lower-case words: split at what is neither letter nor digit, before a capital behind a small letter or a
/// digit, and before the last capital of several when a small letter follows (`XMLFile` is `xml`, `file`).
pub(crate) fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (position, &letter) in letters.iter().enumerate() {
        let before = position.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(position + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if (starts || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
