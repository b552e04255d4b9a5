//! What is shown about a question, and how an answer is taken.

use std::fs;

use hotcell_contract::OpenType;
use hotcell_model::api::{Function, Location};
use hotcell_model::interface::LeftOut;

use crate::decide::lines::Line;
use crate::print::out_width;
use crate::table::{BAD, Cell, FAINT, GOOD, OPEN, STRONG, columns, styled, wrapped};

/// Lines of the header's comment that are shown at first.
pub(super) const DOC_LINES: usize = 16;

/// Lines of a declaration that are shown.
const DECLARATION_LINES: usize = 12;

pub(super) const FUNCTION_KEYS: &str = "[y] write  [1a] choose  [s]kip  e[x]clude  [q]uit  [?]";
pub(super) const REASON: &str = "why is it never bound?";

pub(super) const TYPE_HELP: &str = "\
  1, 2, …  write these lines into the contract
  s        leave it open: its functions are asked for one by one
  q        stop; what was written so far stays
";

pub(super) const FUNCTION_HELP: &str = "\
  y             write these lines into the contract; they are checked first
  1a, 2b, …     take this reading of this line; several go together: `1a 2b`
  params.NAME = { … }, result = { … }, error = { … }
                what this line is to be instead, or one more
  handle.TYPE = { … }, error.TYPE = { … }
                write this line about a type, and ask again
  m             the whole comment of the header
  s             leave it open
  x because …   never bind it: it goes to `exclude`, with the reason above it; `x` alone asks for the reason
  q             stop; what was written so far stays
";

/// What can be answered where there are so many answers.
pub(super) fn type_keys(answers: usize) -> String {
    let numbers: Vec<String> = (1..=answers.max(1)).map(|number| number.to_string()).collect();
    format!("[{}] write  [s]kip  [q]uit  [?]", numbers.join("/"))
}

pub(super) fn of_type(ty: &OpenType) -> String {
    let width = out_width();
    let waiting = match &ty.functions[..] {
        [one] => format!("{one} waits for it."),
        many => format!("{} functions wait for it: {}.", many.len(), many.join(", ")),
    };
    let text = format!("Nothing says what this structure is to callers. {waiting}");
    let mut page = format!("\n{}\n", styled(&ty.name, STRONG));
    page.extend(wrapped(&text, width).iter().map(|line| format!("{line}\n")));
    page.push('\n');
    for (number, answer) in ty.answers().iter().enumerate() {
        page.push_str(&format!("{}  {}:\n", number + 1, answer.what));
        page.extend(answer.lines.lines().map(|line| format!("     {line}\n")));
    }
    page + "\n"
}

/// How far it is to the end.
pub(super) fn progress(left: usize) -> String {
    let functions = if left == 1 { "1 function is" } else { &format!("{left} functions are") };
    format!("\n{}", styled(&format!("{functions} undecided"), FAINT))
}

/// A function with its declaration, the comment of its header, so many lines of it, and what is open.
pub(super) fn of_function(function: &LeftOut, declared: Option<&Function>, doc: Option<usize>) -> String {
    let width = out_width();
    let mut page = format!("\n{}\n", styled(&function.name, STRONG));
    if let Some(declared) = declared {
        let place = &declared.location;
        page.push_str(&format!("{}\n", styled(&format!("{}:{}", place.file, place.line), FAINT)));
        let comment: Vec<&str> = declared.doc.as_deref().unwrap_or_default().trim().lines().collect();
        let shown = doc.unwrap_or(comment.len()).min(comment.len());
        for line in &comment[..shown] {
            let lines = wrapped(&format!("  {}", line.trim_end()), width);
            page.extend(lines.iter().map(|line| format!("{}\n", styled(line.trim_end(), FAINT))));
        }
        if shown < comment.len() {
            page.push_str(&format!("  … ([m]: {} lines more)\n", comment.len() - shown));
        }
    }
    let header = declared.and_then(|it| declaration(&it.location, &function.name));
    let header = header.unwrap_or_else(|| function.signature.clone());
    page.extend(header.lines().map(|line| format!("  {line}\n")));
    page.push('\n');
    let rows: Vec<_> =
        function.reason.split("; ").map(|why| vec![Cell::new("?", OPEN), Cell::plain(why)]).collect();
    page + &columns(&rows, width) + "\n"
}

/// The declaration as it stands in the header.
fn declaration(place: &Location, function: &str) -> Option<String> {
    let bytes = fs::read(&place.file).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let from = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let mut lines = Vec::new();
    for line in text.lines().skip(from).take(DECLARATION_LINES) {
        let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        lines.push(plain.trim_end().to_owned());
        if line.contains([';', '{']) {
            let text = lines.join("\n");
            return text.contains(function).then_some(text);
        }
    }
    None
}

/// The lines that would be written, numbered, with the readings that can be chosen.
pub(super) fn lines(lines: &[Line]) -> String {
    let row = |(at, line): (usize, &Line)| {
        let mut text = format!("{} = {}", line.key, line.value().unwrap_or("?"));
        text.extend(line.choices().iter().map(|choice| format!("\n  {choice}")));
        vec![Cell::new(format!("{}", at + 1), STRONG), Cell::plain(text)]
    };
    let rows: Vec<_> = lines.iter().enumerate().map(row).collect();
    let none = "No line is proposed; type one: `params.NAME = { … }`, `result = { … }`.\n";
    if rows.is_empty() { none.to_owned() } else { columns(&rows, out_width()) }
}

pub(super) fn refused(why: &str) -> String {
    format!("{}: {why}\n", styled("not written", BAD))
}

/// What a decision has done, by the number of functions that are bound before and after it.
pub(super) fn written(before: usize, after: usize) -> String {
    let more = match after.checked_sub(before) {
        Some(0) | None => String::new(),
        Some(1) => ": one function more is bound".into(),
        Some(more) => format!(": {more} functions more are bound"),
    };
    format!("{}{more}\n", styled("written", GOOD))
}
