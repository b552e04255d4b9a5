//! What a library prints: read at once so that it never blocks, kept up to a bound.

use std::collections::VecDeque;

/// Bytes of standard output and error that are kept: the last ones.
const KEPT: usize = 8 * 1024;

/// The end of a stream.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: VecDeque<u8>,
    total: u64,
}

impl Tail {
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        self.bytes.extend(&bytes[bytes.len().saturating_sub(KEPT)..]);
        let excess = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..excess);
    }

    /// The text for reports.
    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let mut text = String::new();
        let dropped = self.total - bytes.len() as u64;
        if dropped > 0 {
            text = format!("[{dropped} bytes before]\n");
        }
        text + &escape(&String::from_utf8_lossy(&bytes))
    }
}

/// A text of a worker for reports: control characters escaped, so that nothing in it can steer a terminal.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => safe.push(character),
            c if c.is_control() => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end_and_counts_the_rest() {
        let mut tail = Tail::default();
        tail.append(&vec![b'a'; 3 * KEPT]);
        tail.append(b"end");
        assert_eq!(tail.bytes.len(), KEPT);
        assert!(tail.text().starts_with(&format!("[{} bytes before]\na", 2 * KEPT + 3)));
        assert!(tail.text().ends_with("aend"));
    }

    #[test]
    fn escapes_what_could_steer_a_terminal() {
        let mut tail = Tail::default();
        tail.append(b"a\x1b[2Jb\xff\n");
        assert_eq!(tail.text(), "a\\u{1b}[2Jb\u{fffd}\n");
    }
}
