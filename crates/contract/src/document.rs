//! TOML with places: typed access to the values of a document, with an error at the value otherwise.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::contract::keys::{Keys, Shape};
use crate::diagnostic::Diagnostic;
use crate::expression::{self, Node};
use crate::suggest::did_you_mean;

/// Collects what is wrong with a document.
pub(crate) struct Reader<'a> {
    pub(crate) text: &'a str,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// A key and its value.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a str,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: &'a DeValue<'a>,
    pub(crate) span: Range<usize>,
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) value: String,
    /// With its quotes, where it has any.
    pub(crate) span: Range<usize>,
}

/// The entries of a table in the order of the file.
pub(crate) fn entries<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = table.iter().map(|(key, value)| entry(key, value)).collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

fn entry<'a>(key: &'a Spanned<std::borrow::Cow<'a, str>>, value: &'a Spanned<DeValue<'a>>) -> Entry<'a> {
    Entry { key: key.get_ref().as_ref(), key_span: key.span(), value: value.get_ref(), span: value.span() }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Reader { text, diagnostics: Vec::new() }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn expected(&mut self, entry: &Entry<'_>, what: &str) {
        let found = match entry.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{}` is {what}, not {found}", entry.key);
        self.push(Diagnostic::error(message).at(entry.span.clone()).label(format!("must be {what}")));
    }

    pub(crate) fn text(&mut self, entry: &Entry<'_>) -> Option<Text> {
        match entry.value {
            DeValue::String(value) => Some(Text { value: value.to_string(), span: entry.span.clone() }),
            _ => {
                self.expected(entry, "a text");
                None
            }
        }
    }

    pub(crate) fn integer(&mut self, entry: &Entry<'_>) -> Option<i64> {
        match entry.value {
            DeValue::Integer(value) => {
                let number = i64::from_str_radix(value.as_str(), value.radix()).ok();
                if number.is_none() {
                    let message = format!("`{}` does not fit an integer of a contract", entry.key);
                    let label = format!("must lie between {} and {}", i64::MIN, i64::MAX);
                    self.push(Diagnostic::error(message).at(entry.span.clone()).label(label));
                }
                number
            }
            _ => {
                self.expected(entry, "an integer");
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, entry: &Entry<'_>) -> Option<bool> {
        match entry.value {
            DeValue::Boolean(value) => Some(*value),
            _ => {
                self.expected(entry, "true or false");
                None
            }
        }
    }

    pub(crate) fn table(&mut self, entry: &Entry<'a>) -> Option<Vec<Entry<'a>>> {
        match entry.value {
            DeValue::Table(table) => Some(entries(table)),
            _ => {
                self.expected(entry, "a table");
                None
            }
        }
    }

    pub(crate) fn is_table(&self, entry: &Entry<'_>) -> bool {
        matches!(entry.value, DeValue::Table(_))
    }

    /// A list of TCP ports.
    pub(crate) fn ports(&mut self, entry: &Entry<'a>) -> Vec<u16> {
        let DeValue::Array(array) = entry.value else {
            self.expected(entry, "a list of ports");
            return Vec::new();
        };
        let mut ports = Vec::new();
        for item in array.iter() {
            let item = Entry { value: item.get_ref(), span: item.span(), ..entry.clone() };
            match self.integer(&item).map(u16::try_from) {
                Some(Ok(port)) => ports.push(port),
                Some(Err(_)) => {
                    let message = "a port is a number from 0 to 65535";
                    self.push(Diagnostic::error(message).at(item.span.clone()));
                }
                None => {}
            }
        }
        ports
    }

    pub(crate) fn texts(&mut self, entry: &Entry<'a>) -> Option<Vec<Text>> {
        let DeValue::Array(array) = entry.value else {
            self.expected(entry, "a list of texts");
            return None;
        };
        let key = Spanned::new(entry.key_span.clone(), entry.key);
        let mut texts = Vec::new();
        for item in array.iter() {
            let item =
                Entry { key: key.get_ref(), key_span: key.span(), value: item.get_ref(), span: item.span() };
            match item.value {
                DeValue::String(value) => texts.push(Text { value: value.to_string(), span: item.span }),
                _ => self.expected(&item, "a list of texts"),
            }
        }
        Some(texts)
    }

    /// A text that is an expression; its nodes point into the document.
    pub(crate) fn expression(&mut self, text: &Text) -> Option<Node> {
        match expression::parse(&text.value) {
            Ok(mut node) => {
                node.relocate(&|inner| text.place(self.text, inner));
                Some(node)
            }
            Err(wrong) => {
                let span = text.place(self.text, wrong.span);
                self.push(Diagnostic::error(wrong.message).at(span).help(wrong.help));
                None
            }
        }
    }

    /// Says that a key is not known here, or not yet.
    pub(crate) fn unknown(&mut self, entry: &Entry<'_>, keys: &Keys) {
        let at = entry.key_span.clone();
        if keys.later.contains(&entry.key) {
            let message = format!("`{}` is not supported by this version", entry.key);
            let help =
                "it is part of the planned vocabulary; leave the functions out that need it".to_owned();
            return self.push(Diagnostic::error(message).at(at).label("not yet").help(help));
        }
        let help = did_you_mean(entry.key, keys.names().into_iter().chain(keys.later.iter().copied()));
        let help = help.unwrap_or_else(|| format!("{} has the keys {}", keys.of, list(&keys.names())));
        let message = format!("{} has no key `{}`", keys.of, entry.key);
        self.push(Diagnostic::error(message).at(at).label("unknown key").help(help));
    }

    /// One of the words that a shape has.
    pub(crate) fn word_of(&mut self, entry: &Entry<'_>, shape: Shape) -> Option<&'static str> {
        match shape {
            Shape::Word { now, later } => self.word(entry, now, later),
            _ => None,
        }
    }

    /// One of the words a key knows now; words of later versions are refused as such.
    pub(crate) fn word(
        &mut self,
        entry: &Entry<'_>,
        now: &[&'static str],
        later: &[&str],
    ) -> Option<&'static str> {
        let text = self.text(entry)?;
        let word = text.value.as_str();
        if let Some(word) = now.iter().find(|known| **known == word) {
            return Some(word);
        }
        let diagnostic = if later.contains(&word) {
            let message = format!("`{} = \"{word}\"` is not available yet", entry.key);
            Diagnostic::error(message).label("not yet").help(format!("this version knows {}", list(now)))
        } else {
            let help = did_you_mean(word, now.iter().chain(later).copied());
            let help = help.unwrap_or_else(|| format!("`{}` is one of {}", entry.key, list(now)));
            Diagnostic::error(format!("`{}` cannot be \"{word}\"", entry.key))
                .label("unknown word")
                .help(help)
        };
        self.push(diagnostic.at(text.span));
        None
    }
}

impl Text {
    /// Where a part of the text stands in the document: exactly, unless the text has escapes.
    pub(crate) fn place(&self, document: &str, inner: Range<usize>) -> Range<usize> {
        let literal = document.get(self.span.clone()).unwrap_or("");
        let quotes = if literal.len() >= 6 && (literal.starts_with("\"\"\"") || literal.starts_with("'''")) {
            3
        } else {
            1
        };
        if literal == self.value {
            return self.span.start + inner.start..self.span.start + inner.end;
        }
        let verbatim = literal.get(quotes..literal.len().saturating_sub(quotes)) == Some(&*self.value);
        if verbatim {
            let start = self.span.start + quotes;
            start + inner.start..start + inner.end
        } else {
            self.span.clone()
        }
    }
}

/// "`a`, `b` and `c`".
pub(crate) fn list<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
