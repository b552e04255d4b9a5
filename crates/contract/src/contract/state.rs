//! `leaves = […]`: what the library may leave changed of the state of its process.

use hotcell_model::interface::StatePart;

use crate::contract::keys;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader};

/// Reads the list, each part once and in the order of all parts.
pub(crate) fn leaves<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<StatePart> {
    let mut named = Vec::new();
    for text in reader.texts(entry).unwrap_or_default() {
        match StatePart::ALL.into_iter().find(|part| part.name() == text.value) {
            Some(part) => named.push(part),
            None => {
                let known = keys::STATE.map(|word| format!("`{word}`")).join(", ");
                let message = format!("`{}` is no part of a process's state", text.value);
                let help = format!("this version knows {known}");
                reader.push(Diagnostic::error(message).at(text.span).help(help));
            }
        }
    }
    StatePart::ALL.into_iter().filter(|part| named.contains(part)).collect()
}

/// Warns of parts by which signals come whose handlers are put back.
pub(crate) fn check(leaves: &[StatePart], findings: &mut Vec<Diagnostic>) {
    if leaves.contains(&StatePart::Handlers) {
        return;
    }
    for part in [StatePart::Timers, StatePart::Mask].into_iter().filter(|part| leaves.contains(part)) {
        let name = part.name();
        let message =
            format!("`{name}` may stay changed, and the handlers that signals come to are put back");
        let help =
            "a signal without a handler ends the worker: write `\"handlers\"` in `leaves`, too".to_owned();
        findings.push(Diagnostic::warning(message).help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::top;

    fn of(line: &str) -> Result<Vec<StatePart>, Vec<String>> {
        let text = format!("hotcell = 1\nlibrary = \"z\"\nheaders = [\"z.h\"]\n{line}\n");
        let messages = |wrong: Vec<Diagnostic>| wrong.into_iter().map(|it| it.message).collect();
        top::read(&text).map(|contract| contract.leaves).map_err(messages)
    }

    #[test]
    fn parts_are_read_by_their_names_and_each_once() {
        let all = StatePart::ALL.map(|part| format!("{:?}", part.name())).join(", ");
        assert_eq!(of(&format!("leaves = [{all}]")).unwrap(), StatePart::ALL);
        let twice = of("leaves = [\"mask\", \"locale\", \"mask\"]").unwrap();
        assert_eq!(twice, [StatePart::Locale, StatePart::Mask]);
        assert_eq!(of("").unwrap(), []);
        assert_eq!(StatePart::ALL.map(StatePart::name), keys::STATE);
    }

    #[test]
    fn what_may_stay_without_its_handler_is_warned_of() {
        let of = |parts: &[StatePart]| {
            let mut findings = Vec::new();
            check(parts, &mut findings);
            findings.into_iter().map(|it| it.message).collect::<Vec<_>>()
        };
        let warnings = of(&[StatePart::Mask, StatePart::Timers]);
        assert!(warnings.len() == 2 && warnings[0].starts_with("`timers` may stay"), "{warnings:?}");
        assert_eq!(of(&[StatePart::Locale]).len(), 0);
        assert_eq!(of(&StatePart::ALL).len(), 0);
    }

    #[test]
    fn other_words_are_refused() {
        assert_eq!(of("leaves = [\"signals\"]").unwrap_err(), ["`signals` is no part of a process's state"]);
        assert_eq!(of("leaves = \"locale\"").unwrap_err().len(), 1);
        assert_eq!(of("leaves = [1]").unwrap_err().len(), 1);
    }
}
