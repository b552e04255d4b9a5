//! What processes say of themselves, on its way to a terminal. They may say anything, so nothing of it steers the terminal, makes a line of its
//! own, or is without end.

use std::fs;
use std::os::unix::fs::MetadataExt;

use hotcell::watch::Host;
use serde_json::Value;

/// Characters of a name, and of a message.
const LONGEST: usize = 64;
const LONGEST_MESSAGE: usize = 1000;

/// Sessions of a process, functions of a session and the like that are shown.
const MOST: usize = 4096;

/// What a process answers, or why it does not.
pub(super) type Answer = Result<Value, String>;

/// A text on one line, of at most so many characters: what steers a terminal, ends a line, turns the direction of what follows or has no
/// width is escaped.
fn line(text: &str, longest: usize) -> String {
    let mut safe = String::new();
    let mut characters = text.chars();
    for character in characters.by_ref().take(longest) {
        match character {
            c if c.is_control() || is_unseen(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    if characters.next().is_some() {
        safe.push('…');
    }
    safe
}

/// Whether it separates lines, turns the direction of text, or has no width.
fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| "-".into(), name)
}

/// A name that a process says.
pub(super) fn name(text: &str) -> String {
    line(text, LONGEST)
}

/// A sentence that a process says.
pub(super) fn message(text: &str) -> String {
    line(text, LONGEST_MESSAGE)
}

/// The name of a process's program, as it says itself or else the kernel. It is not escaped, and may be cut.
pub(super) fn raw_program(host: &Host) -> String {
    let said = host.answer.as_ref().ok().and_then(|answer| answer["host"]["program"].as_str());
    // Another process may have its number by now.
    let is_of_user = || fs::metadata(format!("/proc/{}", host.pid)).is_ok_and(|of| of.uid() == host.uid);
    let kernel = || fs::read_to_string(format!("/proc/{}/comm", host.pid)).ok().filter(|_| is_of_user());
    let text = said.map(str::to_owned).or_else(kernel).unwrap_or_default();
    text.trim().chars().take(LONGEST + 1).collect()
}

pub(super) fn program(host: &Host) -> String {
    name(&raw_program(host))
}

/// The sessions of a process, as many as are shown.
pub(super) fn sessions(host: &Host) -> Vec<&Value> {
    all_sessions(&host.answer).take(MOST).collect()
}

fn all_sessions(answer: &Answer) -> impl Iterator<Item = &Value> {
    let sessions = answer.as_ref().ok().and_then(|answer| answer["sessions"].as_array());
    sessions.into_iter().flatten().filter(|session| session.is_object())
}

/// How many sessions and pools it has besides.
pub(super) fn left_out(answer: &Answer) -> u64 {
    let said = answer.as_ref().ok().and_then(|answer| answer["left_out"].as_u64()).unwrap_or(0);
    said.saturating_add(all_sessions(answer).skip(MOST).count() as u64)
}

/// Why there is nothing of a process, by its own word or by that of who asked it.
pub(super) fn refusal(answer: &Answer) -> Option<&str> {
    match answer {
        Ok(answer) if answer["error"].is_null() => None,
        Ok(answer) => Some(answer["error"].as_str().unwrap_or("it refuses, and does not say why")),
        Err(why) => Some(why),
    }
}

/// The elements of a list, as many as are shown.
pub(super) fn list(value: Option<&Value>) -> &[Value] {
    let all = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    &all[..all.len().min(MOST)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_of_others_do_not_steer_a_terminal() {
        assert_eq!(text(&json!("a\u{1b}[2J")), "a\\u{1b}[2J");
        assert_eq!(text(&json!(["a"])), "-");
        assert_eq!(text(&json!("a\u{202e}b\u{200b}c\u{9b}é")), "a\\u{202e}b\\u{200b}c\\u{9b}é");
    }

    #[test]
    fn texts_of_others_are_no_lines_of_their_own() {
        let forged = "x\n4711  sshd\r\topenssl\u{2028}4714\u{85}";
        assert_eq!(text(&json!(forged)), "x\\n4711  sshd\\r\\topenssl\\u{2028}4714\\u{85}");
        assert_eq!(message(forged).lines().count(), 1);
    }

    #[test]
    fn texts_of_others_have_an_end() {
        let long = "é".repeat(100_000);
        assert_eq!(name(&long), format!("{}…", "é".repeat(LONGEST)));
        assert_eq!(message(&long).chars().count(), LONGEST_MESSAGE + 1);
        assert_eq!(name("short"), "short");
        assert_eq!(list(Some(&json!(vec![0; MOST + 5]))).len(), MOST);
    }
}
