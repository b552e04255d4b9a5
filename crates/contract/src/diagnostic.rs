//! What is wrong with a contract, where, and what to write instead.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be generated.
    Error,
    /// The user should know.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The contract's file; absent when there is none.
    pub file: Option<String>,
    /// Bytes of the contract it is about.
    pub span: Option<Range<usize>>,
    /// What to say below those bytes; may be empty.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Self {
        let message = shortened(message.into());
        Diagnostic {
            severity: Severity::Error,
            message,
            file: None,
            span: None,
            label: String::new(),
            help: None,
        }
    }

    /// A warning without a place.
    pub fn warning(message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(message) }
    }

    pub(crate) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// 1-based line in the contract's text.
    pub fn line(&self, source: &str) -> Option<u32> {
        self.span.as_ref().map(|span| line_of(source, span.start))
    }

    /// 1-based column in the contract's text, in characters.
    pub fn column(&self, source: &str) -> Option<u32> {
        let span = self.span.as_ref()?;
        let before = source.get(..span.start)?;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Some(u32::try_from(column).unwrap_or(u32::MAX))
    }
}

/// Bytes of the beginning and of the end of a message that are kept of a longer one: it may say again what somebody wrote, whatever that is.
const KEPT: (usize, usize) = (800, 200);

fn shortened(message: String) -> String {
    if message.len() <= 2 * (KEPT.0 + KEPT.1) {
        return message;
    }
    let (begin, end) =
        (message.floor_char_boundary(KEPT.0), message.ceil_char_boundary(message.len() - KEPT.1));
    format!("{} … {}", &message[..begin], &message[end..])
}

/// 1-based line of a byte.
pub(crate) fn line_of(source: &str, byte: usize) -> u32 {
    let before = &source.as_bytes()[..byte.min(source.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// The findings as a compiler would print them. `source` is the text of the contract.
pub fn render(diagnostics: &[Diagnostic], source: &str, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    let mut lines = Lines { source, at: 0, line: 1 };
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&[group(diagnostic, &mut lines)]));
        out.push('\n');
    }
    out
}

/// The same of each by itself.
pub fn render_each<'d>(diagnostics: impl Iterator<Item = &'d Diagnostic>, source: &str) -> Vec<String> {
    let renderer = Renderer::plain().decor_style(DecorStyle::Ascii);
    let mut lines = Lines { source, at: 0, line: 1 };
    diagnostics.map(|diagnostic| renderer.render(&[group(diagnostic, &mut lines)]) + "\n").collect()
}

/// Numbers of lines, counted on from the one that was asked for last: findings mostly follow each other.
struct Lines<'a> {
    source: &'a str,
    /// Where a line begins, and its number.
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The number of the line that begins here.
    fn number(&mut self, start: usize) -> usize {
        if start < self.at {
            (self.at, self.line) = (0, 1);
        }
        let between = &self.source.as_bytes()[self.at..start];
        self.line += between.iter().filter(|byte| **byte == b'\n').count();
        self.at = start;
        self.line
    }
}

fn group<'a>(diagnostic: &'a Diagnostic, lines: &mut Lines<'a>) -> annotate_snippets::Group<'a> {
    let source = lines.source;
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = annotate_snippets::Group::with_title(level.primary_title(&*diagnostic.message));
    if let Some(span) = diagnostic.span.as_ref().filter(|span| source.get((*span).clone()).is_some()) {
        // Its lines only: each finding in a long contract would have all of it looked through.
        let start = source[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = source[span.end..].find('\n').map_or(source.len(), |at| span.end + at + 1);
        // Below all of what is long there would be as many marks.
        let marked = source.floor_char_boundary(span.end.min(span.start + KEPT.0)).max(span.start);
        let annotation = AnnotationKind::Primary.span(span.start - start..marked - start);
        let label = (!diagnostic.label.is_empty()).then_some(&*diagnostic.label);
        let snippet = Snippet::source(&source[start..end]).path(diagnostic.file.as_deref());
        let snippet = snippet.line_start(lines.number(start));
        group = group.element(snippet.annotation(annotation.label(label)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(&**help));
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "hotcell = 1\nlibrary = \"złib\"\n";

    fn sample() -> Diagnostic {
        let diagnostic = Diagnostic::error("no such library").at(26..28).label("here");
        Diagnostic { file: Some("bind.toml".into()), ..diagnostic.help("write `z`".to_owned()) }
    }

    #[test]
    fn it_looks_like_a_compiler() {
        let expect = "\
error: no such library
 --> bind.toml:2:14
  |
2 | library = \"złib\"
  |              ^^ here
  |
  = help: write `z`
";
        let at = SOURCE.find("ib\"").unwrap();
        let diagnostic = Diagnostic { span: Some(at..at + 2), ..sample() };
        assert_eq!(render(std::slice::from_ref(&diagnostic), SOURCE, false), expect);
        assert_eq!((diagnostic.line(SOURCE), diagnostic.column(SOURCE)), (Some(2), Some(14)));
    }

    #[test]
    fn what_is_said_of_a_long_text_is_short() {
        let long = "ł(".repeat(100_000);
        let source = format!("hotcell = 1\nsize = \"{long}\"\nnext = 1\n");
        let at = source.find('ł').unwrap();
        let diagnostic = Diagnostic::error(format!("`{long}` is no number")).at(at..at + long.len());
        assert!(diagnostic.message.starts_with("`ł(ł(") && diagnostic.message.ends_with("ł(` is no number"));
        let rendered = render(&[diagnostic], &source, false);
        assert!(rendered.contains("\n2 | ") && rendered.len() < 5000, "{rendered}");
        // What is read is as it was written.
        let message = "x".repeat(2000);
        assert_eq!(Diagnostic::error(message.clone()).message, message);
    }

    #[test]
    fn colour_is_a_choice_and_places_are_optional() {
        assert!(render(&[sample()], SOURCE, true).contains("\u{1b}["));
        let two = [Diagnostic::warning("a"), Diagnostic::error("b").help("c".to_owned())];
        assert_eq!(render(&two, "", false), "warning: a\n\nerror: b\n |\n = help: c\n");
    }

    /// All of the text was looked through for each.
    #[test]
    fn findings_in_a_long_contract_are_shown_soon() {
        const LINES: usize = 40_000;
        let source = "key = 1\n".repeat(LINES);
        let at = |line: usize| {
            let start = (line - 1) * 8;
            Diagnostic { file: Some("c".into()), ..Diagnostic::error("no").at(start..start + 3) }
        };
        // And one that lies before another.
        let all: Vec<_> = (LINES - 4000..=LINES).chain([2]).map(at).collect();
        let begun = std::time::Instant::now();
        let text = render(&all, &source, false);
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
        for line in [LINES - 4000, LINES, 2] {
            assert!(text.contains(&format!("--> c:{line}:1\n")), "{line}");
            assert!(text.contains(&format!("\n{line} | key = 1\n")), "{line}");
        }
    }

    #[test]
    fn a_span_outside_the_source_does_no_harm() {
        let diagnostic = Diagnostic::error("b").at(90..99);
        assert_eq!(render(&[diagnostic], SOURCE, false), "error: b\n");
    }
}
