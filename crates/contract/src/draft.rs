//! The draft of a contract: its head, and for every function that is left out why, and the lines that would decide it.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::api::Api;
use hotcell_model::interface::{LeftOut, Status};
use toml::Value;

use crate::check::{Checked, Link, Selection, check};
use crate::contract::Contract;
use crate::diagnostic::{Diagnostic, Severity};
use crate::infer;
use crate::open_types::OpenType;

/// Columns of a comment that is broken.
const COLUMNS: usize = 110;

/// What a draft says before the first function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The library's name.
    pub library: String,
    /// Headers in order, as the contract names them.
    pub headers: Vec<String>,
    /// Libraries to link, the library itself first.
    pub link: Vec<String>,
    /// Directories to look for headers in.
    pub include_dirs: Vec<String>,
    /// Macros to define.
    pub defines: Vec<String>,
    /// C text before the first `#include`.
    pub prelude: Option<String>,
    /// Patterns of the functions to bind; empty for all of the headers.
    pub include: Vec<String>,
}

impl Head {
    /// As a contract without a function.
    pub fn text(&self) -> String {
        let list = |words: &[String]| Value::Array(words.iter().cloned().map(Value::String).collect());
        let mut lines = vec![
            "hotcell = 1".to_owned(),
            format!("library = {}", Value::String(self.library.clone())),
            format!("headers = {}", list(&self.headers)),
            format!("link = {}", list(&self.link)),
        ];
        let lists =
            [("include_dirs", &self.include_dirs), ("defines", &self.defines), ("include", &self.include)];
        let given = lists.into_iter().filter(|(_, words)| !words.is_empty());
        lines.extend(given.map(|(key, words)| format!("{key} = {}", list(words))));
        lines.extend(self.prelude.iter().map(|text| format!("prelude = {}", Value::String(text.clone()))));
        lines.join("\n") + "\n"
    }
}

/// A contract that decides nothing yet, and says of every type and function that is left out what would decide it. Lines
/// that decide stand behind a `#` without a blank: taking it away makes them a part of the contract. Those of functions
/// are what is missing once the lines about types are there.
///
/// # Errors
///
/// When the head itself is wrong.
pub fn draft(head: &Head, api: &Api, link: Link<'_>) -> Result<String, Vec<Diagnostic>> {
    let now = checked(&head.text(), api, link)?;
    Ok(draft_with(head, api, link, (&now.interface, now.open_types), &|text| checked(text, api, link)))
}

/// The same where it is known what becomes of functions and types with the head alone, and `trial` says what becomes of every function with a
/// contract, and what it adds to the headers.
pub fn draft_with(
    head: &Head,
    api: &Api,
    link: Link<'_>,
    (now, open): (&Interface, Vec<OpenType>),
    trial: &dyn Fn(&str) -> Result<Checked, Vec<Diagnostic>>,
) -> String {
    let types = Types::tried(head, api, link, open);
    let then = types.decided.as_ref();
    let functions = Functions {
        bound: now.functions.len(),
        now: &now.left_out,
        then: then.map(|interface| interface.left_out.as_slice()),
    };
    let tried = Tried::out(&types.text, trial, functions.then.unwrap_or(functions.now));
    let variadic = api.functions.iter().filter(|function| function.variadic);
    let forms = variadic.map(|function| (function.name.clone(), variadic::form(function))).collect();
    write(head, functions, &types, &tried, &forms)
}

fn checked(text: &str, api: &Api, link: Link<'_>) -> Result<Checked, Vec<Diagnostic>> {
    check(&Contract::parse(text, "the draft")?, api, link, Selection::Contract)
}

/// Structures of which nothing says what they are, and the lines that make objects of them.
#[derive(Debug, Default)]
struct Types {
    open: Vec<OpenType>,
    /// Lines that are right as they stand, by the type's name.
    lines: BTreeMap<String, String>,
    /// The head with these lines.
    text: String,
    /// What becomes of functions with these lines; none where there are none.
    decided: Option<Interface>,
}

impl Types {
    fn tried(head: &Head, api: &Api, link: Link<'_>, open: Vec<OpenType>) -> Types {
        let mut types = Types { open, text: head.text(), ..Types::default() };
        let handles = |ty: &OpenType| {
            let handle = ty.handle.clone().filter(|_| ty.given || ty.answers().len() == 1);
            handle.map(|handle| (ty.name.clone(), handle))
        };
        let lines: BTreeMap<String, String> = types.open.iter().filter_map(handles).collect();
        if lines.is_empty() {
            return types;
        }
        let each = types.open.iter().filter_map(handles).map(|(_, handle)| format!("{handle}\n"));
        let all = types.text.clone() + &each.collect::<String>();
        if let Ok(checked) = checked(&all, api, link) {
            return Types { lines, text: all, decided: Some(checked.interface), ..types };
        }
        // One of them is wrong: each by itself.
        for (name, handle) in types.open.iter().filter_map(handles) {
            let text = format!("{}{handle}\n", types.text);
            if let Ok(checked) = checked(&text, api, link) {
                types.text = text;
                types.decided = Some(checked.interface);
                types.lines.insert(name, handle);
            }
        }
        types
    }
}

/// What becomes of functions.
#[derive(Clone, Copy)]
struct Functions<'a> {
    /// How many can be called without a decision.
    bound: usize,
    /// Those that are left out without a decision.
    now: &'a [LeftOut],
    /// Those that are left out with the lines about types; none when there are no such lines.
    then: Option<&'a [LeftOut]>,
}

impl<'a> Functions<'a> {
    /// A function that is left out now, with what is missing besides the types; `None` when nothing is.
    fn missing(self, function: &'a LeftOut) -> Option<&'a LeftOut> {
        match self.then {
            Some(then) if !function.open_types.is_empty() => {
                then.iter().find(|other| other.name == function.name)
            }
            _ => Some(function),
        }
    }
}

/// What comes of the lines that are proposed, by the name of their function.
#[derive(Debug, Default)]
struct Tried {
    /// What is wrong with lines that are not a part of a valid contract.
    unfit: BTreeMap<String, String>,
    /// What is still open about functions with their lines.
    open: BTreeMap<String, String>,
}

impl Tried {
    /// Tries the lines of all functions at once, without those that turn out to be wrong.
    fn out(
        head: &str,
        trial: &dyn Fn(&str) -> Result<Checked, Vec<Diagnostic>>,
        left_out: &[LeftOut],
    ) -> Tried {
        let mut tried = Tried::default();
        for (function, help) in proposals(left_out) {
            // Advice that is no text of a contract, or has a gap to fill.
            if let Err(errors) = Contract::parse(&format!("{head}{help}\n"), "the draft") {
                tried.refuse(function, &errors[0]);
            }
        }
        loop {
            let mut text = head.to_owned();
            let mut ends = Vec::new();
            for (function, help) in proposals(left_out).filter(|it| !tried.unfit.contains_key(it.0)) {
                text.push_str(&format!("{help}\n"));
                ends.push((text.len(), function));
            }
            let errors = match trial(&text) {
                Ok(checked) => {
                    let open = checked.interface.left_out.into_iter();
                    tried.open = open.map(|function| (function.name, function.reason)).collect();
                    return tried;
                }
                Err(errors) => errors,
            };
            let before = tried.unfit.len();
            for error in errors.iter().filter(|error| error.severity == Severity::Error) {
                let place = error.span.as_ref().map_or(0, |span| span.start);
                if let Some((_, function)) = ends.iter().find(|(end, _)| place < *end) {
                    tried.refuse(function, error);
                }
            }
            if tried.unfit.len() == before {
                return tried;
            }
        }
    }

    fn refuse(&mut self, function: &str, error: &Diagnostic) {
        self.unfit.entry(function.to_owned()).or_insert_with(|| error.message.clone());
    }
}

/// Undecided functions with the lines that are proposed for them.
fn proposals(left_out: &[LeftOut]) -> impl Iterator<Item = (&str, &str)> {
    let undecided = left_out.iter().filter(|function| function.status == Status::Undecided);
    undecided.filter_map(|function| Some((function.name.as_str(), function.help.as_deref()?)))
}

fn write(
    head: &Head,
    functions: Functions<'_>,
    types: &Types,
    tried: &Tried,
    forms: &BTreeMap<String, String>,
) -> String {
    let headers = head.headers.join(", ");
    let mut text = format!("# Contract of {}, drafted from {}.\n#\n", line(&head.library), line(&headers));
    text.push_str(&match functions.bound {
        0 => "# No function can be called without a decision.\n".to_owned(),
        1 => "# One function needs no line: what its header says is enough.\n".to_owned(),
        bound => format!("# {bound} functions need no line: what their header says is enough.\n"),
    });
    let of = |status: Status| functions.now.iter().filter(move |function| function.status == status);
    if of(Status::Undecided).next().is_some() {
        text.push_str(
            "# The others follow: why they are undecided, how they are declared, and behind `#` lines that decide them.\n\
             # Take the `#` away where the lines are right; change them where they are not.\n",
        );
    }
    text.push('\n');
    text.push_str(&head.text());
    for ty in &types.open {
        text.push_str(&type_block(ty, types));
    }
    for (function, missing) in
        of(Status::Undecided).filter_map(|function| Some((function, functions.missing(function)?)))
    {
        // What decides the type decides it.
        if !missing.open_types.is_empty() && infer::only_waits(&missing.reason) {
            continue;
        }
        let assumed = function.open_types.len() > missing.open_types.len();
        let assumed = if assumed { ", its types being objects" } else { "" };
        text.push_str(&format!(
            "\n# {}{assumed}: {}\n# {}\n",
            line(&function.name),
            line(&missing.reason),
            line(&function.signature)
        ));
        text.push_str(&decision(missing, tried));
    }
    let unsupported = || of(Status::Unsupported);
    let with_form: Vec<String> = unsupported()
        .filter_map(|function| Some((function, forms.get(&function.name)?)))
        .map(|(function, form)| format!("\n# {}\n{form}", line(&function.signature)))
        .collect();
    if !with_form.is_empty() {
        text.push_str(
            "\n# Of functions with `...` a form is called, of which these are a start, to be completed:\n",
        );
        text.extend(with_form);
    }
    let mut group = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("\n# {title}\n{}", lines.concat()));
        }
    };
    let with_reason = |it: &LeftOut| format!("#   {}: {}\n", line(&it.name), line(&it.reason));
    group(
        "No line would make these callable:",
        unsupported().filter(|it| !forms.contains_key(&it.name)).map(with_reason).collect(),
    );
    let name = |it: &LeftOut| format!("#   {}\n", line(&it.name));
    let missing = "The headers declare these, and the library does not export them:";
    group(missing, of(Status::NotExported).map(name).collect());
    text
}

/// What waits for a type, and what it may be.
fn type_block(ty: &OpenType, types: &Types) -> String {
    let waiting = match &ty.functions[..] {
        [one] => format!("{one} waits for it"),
        many => format!("{} functions wait for it: {}", many.len(), many.join(", ")),
    };
    let mut text = String::from("\n");
    text.push_str(&comment(&format!("{}: nothing says what it is to callers. {waiting}.", line(&ty.name))));
    let fits = types.lines.contains_key(&ty.name);
    let is_handle = |lines: &str| ty.handle.as_deref() == Some(lines);
    let answers = ty.answers().into_iter();
    let answers = answers.filter(|answer| !is_handle(answer.lines) || fits || !ty.given);
    for (number, answer) in answers.enumerate() {
        let what = if number == 0 { upper(answer.what) } else { format!("Or {}", answer.what) };
        let mark = if is_handle(answer.lines) && fits { "#" } else { "#   " };
        text.push_str(&format!("# {what}:\n"));
        text.extend(answer.lines.lines().map(|line| format!("{mark}{line}\n")));
    }
    text
}

/// A text that begins a sentence.
fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The lines to uncomment, or a start where they are none yet.
fn decision(function: &LeftOut, tried: &Tried) -> String {
    let Some(help) = &function.help else { return String::new() };
    let lines = |mark: &str| help.lines().map(|line| format!("{mark}{line}\n")).collect::<String>();
    if let Some(wrong) = tried.unfit.get(&function.name) {
        return format!("# A start, to be completed ({}):\n{}", line(wrong), lines("#   "));
    }
    match tried.open.get(&function.name) {
        Some(open) => format!("{}# What these lines leave open: {}\n", lines("#"), line(open)),
        None => lines("#"),
    }
}

/// A text as lines of comment, broken between words.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count() + 1;
        if column == 0 || column + length > COLUMNS {
            lines.push_str(if column == 0 { "#" } else { "\n#" });
            column = 1;
        }
        lines.push(' ');
        lines.push_str(word);
        column += length;
    }
    lines.push('\n');
    lines
}

/// A text that stays on its line of comment.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
mod variadic;
