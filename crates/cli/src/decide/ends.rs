//! How the lines of a file end: what is edited has plain ends, and what is written has those that were there.

/// What a file has besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// A byte order mark begins it.
    mark: bool,
    /// Its lines end with CR LF.
    crlf: bool,
    /// Its last line has an end.
    last: bool,
}

const MARK: char = '\u{feff}';

impl Ends {
    /// The text with LF behind every line, and what its file has instead.
    pub(super) fn of(text: &str) -> Result<(Ends, String), String> {
        let (mark, plain) = match text.strip_prefix(MARK) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (all, pairs) = (plain.matches('\n').count(), plain.matches("\r\n").count());
        if pairs != 0 && pairs != all {
            return Err("some of its lines end with CR LF and some with LF; let all of them end alike".into());
        }
        let last = plain.is_empty() || plain.ends_with('\n');
        let mut plain = plain.replace("\r\n", "\n");
        if !last {
            plain.push('\n');
        }
        Ok((Ends { mark, crlf: pairs != 0, last }, plain))
    }

    /// The text as it is written.
    pub(super) fn restored(self, plain: &str) -> String {
        let plain = if self.last { plain } else { plain.strip_suffix('\n').unwrap_or(plain) };
        let lines = if self.crlf { plain.replace('\n', "\r\n") } else { plain.to_owned() };
        if self.mark { format!("{MARK}{lines}") } else { lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_ends_as_what_was_there() {
        for text in ["", "a\n", "a", "a\nb", "\u{feff}a\n", "a\r\nb\r\n", "\u{feff}a\r\n\r\nb"] {
            let (ends, plain) = Ends::of(text).unwrap();
            assert!(!plain.contains('\r') && (plain.is_empty() || plain.ends_with('\n')), "{text:?}");
            assert_eq!(ends.restored(&plain), text);
        }
        let (ends, plain) = Ends::of("\u{feff}a\r\nb").unwrap();
        assert_eq!(ends.restored(&format!("{plain}c\n")), "\u{feff}a\r\nb\r\nc");
        assert!(Ends::of("a\r\nb\n").unwrap_err().contains("CR LF"));
    }
}
