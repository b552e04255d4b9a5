//! `[recycle]`: when a worker is replaced though it has not failed.

use hotcell_model::interface::RecycleLines;
use toml::de::DeValue;

use crate::contract::{function, keys};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader};

/// Reads the table.
pub(crate) fn recycle<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> RecycleLines {
    let mut lines = RecycleLines::default();
    for entry in &reader.table(entry).unwrap_or_default() {
        match entry.key {
            "calls" => lines.calls = count(reader, entry),
            "age" => lines.age_ms = milliseconds(reader, entry),
            "memory" => lines.memory = bytes(reader, entry),
            "memory_for" => lines.memory_for_ms = milliseconds(reader, entry),
            "descriptors" => lines.descriptors = count(reader, entry),
            "threads" => lines.threads = count(reader, entry),
            "leaked" => lines.leaked = bytes(reader, entry),
            "patience" => lines.patience_ms = milliseconds(reader, entry),
            "probe" => lines.probe_ms = milliseconds(reader, entry),
            _ => reader.unknown(entry, &keys::RECYCLE),
        }
    }
    lines
}

/// How often a call is made at most.
pub(crate) fn tries<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Option<u32> {
    let number = reader.integer(entry)?;
    let tries = u32::try_from(number).ok().filter(|tries| (1..=MOST_TRIES).contains(tries));
    if tries.is_none() {
        let message = format!("`{number}` is no number of tries");
        let diagnostic = Diagnostic::error(message).at(entry.span.clone());
        reader.push(diagnostic.help(format!("write 1 to {MOST_TRIES}; with 1 no call is made again")));
    }
    tries
}

/// As often as a call may be made.
const MOST_TRIES: u32 = 100;

fn milliseconds(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<u64> {
    u64::try_from(function::duration(reader, entry)?.as_millis()).ok()
}

/// A number above 0.
fn count(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<u64> {
    let number = reader.integer(entry)?;
    let above = u64::try_from(number).ok().filter(|number| *number > 0);
    if above.is_none() {
        let diagnostic = Diagnostic::error(format!("`{number}` is not above 0")).at(entry.span.clone());
        reader.push(diagnostic.help("without the key there is no such limit, or the default one".to_owned()));
    }
    above
}

/// Bytes: a number, or a text with a unit.
fn bytes(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<u64> {
    if !matches!(entry.value, DeValue::String(_)) {
        return count(reader, entry);
    }
    let text = reader.text(entry)?;
    let parsed = parse_bytes(&text.value);
    if parsed.is_none() {
        let help = "write a whole number above 0 and its unit: \"64KiB\", \"800MiB\", \"1GiB\"";
        let why = if is_bytes(&text.value) { "is more than any memory has" } else { "is no number of bytes" };
        let diagnostic = Diagnostic::error(format!("`{}` {why}", text.value)).at(text.span);
        reader.push(diagnostic.help(help.to_owned()));
    }
    parsed
}

fn parse_bytes(text: &str) -> Option<u64> {
    let (digits, shift) = unit(text)?;
    let number = digits.parse::<u64>().ok().filter(|number| is_bytes(text) && *number > 0);
    number.and_then(|number| number.checked_mul(1 << shift))
}

/// The digits before a unit, and the unit as a power of two.
fn unit(text: &str) -> Option<(&str, u32)> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    units.into_iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))
}

/// Whether a text is a number above 0 with a unit, however large.
fn is_bytes(text: &str) -> bool {
    let digits = unit(text).map_or("", |(digits, _)| digits);
    digits.bytes().all(|digit| digit.is_ascii_digit()) && digits.bytes().any(|digit| digit != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::top;

    fn of(lines: &str) -> Result<RecycleLines, Vec<String>> {
        let text = format!("hotcell = 1\nlibrary = \"z\"\nheaders = [\"z.h\"]\n[recycle]\n{lines}\n");
        let messages = |wrong: Vec<Diagnostic>| wrong.into_iter().map(|it| it.message).collect();
        top::read(&text).map(|contract| contract.recycle).map_err(messages)
    }

    #[test]
    fn what_is_said_is_read() {
        let lines = "calls = 9\nage = \"60m\"\nmemory = \"800MiB\"\nmemory_for = \"2s\"\ndescriptors = 1\n\
                     threads = 2\nleaked = 77\npatience = \"5ms\"\nprobe = \"1s\"";
        let said: Vec<u64> = of(lines).unwrap().said().map(|(_, value)| value).collect();
        assert_eq!(said, [9, 3_600_000, 800 << 20, 2000, 1, 2, 77, 5, 1000]);
        assert!(of("").unwrap().is_default());
    }

    #[test]
    fn tries_are_from_one_to_a_hundred() {
        let of = |line: &str| {
            let text = format!("hotcell = 1\nlibrary = \"z\"\nheaders = [\"z.h\"]\n{line}\n");
            let messages =
                |wrong: Vec<Diagnostic>| wrong.into_iter().map(|it| it.message).collect::<Vec<_>>();
            top::read(&text).map(|contract| contract.tries).map_err(messages)
        };
        assert_eq!((of(""), of("tries = 1"), of("tries = 100")), (Ok(None), Ok(Some(1)), Ok(Some(100))));
        for number in ["0", "101", "-1", "99999999999"] {
            let message = format!("`{number}` is no number of tries");
            assert_eq!(of(&format!("tries = {number}")), Err(vec![message]));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (line, message) in [
            ("calls = 0", "`0` is not above 0"),
            ("threads = -1", "`-1` is not above 0"),
            ("memory = \"800\"", "`800` is no number of bytes"),
            ("memory = \"-1MiB\"", "`-1MiB` is no number of bytes"),
            ("leaked = \"0KiB\"", "`0KiB` is no number of bytes"),
            ("leaked = \"99999999999GiB\"", "`99999999999GiB` is more than any memory has"),
            ("leaked = \"99999999999999999999KiB\"", "`99999999999999999999KiB` is more than any memory has"),
            ("age = \"old\"", "`old` is no duration"),
        ] {
            assert_eq!(of(line).unwrap_err(), [message], "{line}");
        }
        assert_eq!(of("rss = 1").unwrap_err().len(), 1);
    }
}
