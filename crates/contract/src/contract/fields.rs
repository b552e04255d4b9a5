//! The fields of a structure that functions are added for: `get`, `set` and `has`.

use crate::document::{Entry, Reader, Text};
use crate::pattern;

/// Names of fields, or patterns of them; a dot leads into a structure inside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldNames {
    /// Those that are read.
    pub(crate) get: Vec<Text>,
    /// Those that are written.
    pub(crate) set: Vec<Text>,
    /// Pointers of which callers learn whether they are there.
    pub(crate) has: Vec<Text>,
}

impl FieldNames {
    /// Reads one of the keys.
    pub(super) fn key<'a>(&mut self, reader: &mut Reader<'a>, entry: &Entry<'a>) {
        let texts = reader.texts(entry).unwrap_or_default();
        for text in &texts {
            // Dots are what patterns of names do not have.
            let plain = Text { value: text.value.replace('.', "_"), span: text.span.clone() };
            let wrong = pattern::wrong(reader.text, &plain, "field");
            reader.diagnostics.extend(wrong);
        }
        match entry.key {
            "get" => self.get = texts,
            "set" => self.set = texts,
            _ => self.has = texts,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.get.is_empty() && self.set.is_empty() && self.has.is_empty()
    }
}
