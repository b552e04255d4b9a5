//! `hotcell decide`: walks through what is undecided, with what the header says beside it, and writes what is answered.

mod contract;
mod draft;
mod ends;
mod file;
mod lines;
mod page;

use std::collections::BTreeSet;
use std::io::{BufRead, StdinLock, stdin};
use std::process::ExitCode;

use hotcell_bind::{Checked, Job, Reader, Source};
use hotcell_contract::OpenType;
use hotcell_model::interface::{LeftOut, Status};

use crate::args::{DecideArgs, Format};
use crate::decide::ends::Ends;
use crate::fail::Failure;
use crate::print::{complain, out};
use crate::report;

pub(crate) fn run(args: &DecideArgs) -> ExitCode {
    match decide(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(Format::Text),
    }
}

fn decide(args: &DecideArgs) -> Result<(), Failure> {
    let mut walk = Walk::begin(args)?;
    while let Some(question) = walk.next() {
        let went_on = match &question {
            Question::Type(ty) => walk.ask_about_type(ty)?,
            Question::Function(function) => walk.ask_about_function(function)?,
        };
        if !went_on {
            break;
        }
    }
    walk.tell_the_end()
}

/// What is asked next.
#[derive(Debug)]
enum Question {
    /// One line about a structure decides for many functions.
    Type(OpenType),
    Function(LeftOut),
}

/// The way through a contract.
struct Walk<'a> {
    args: &'a DecideArgs,
    /// Reads the headers once more for each answer.
    reader: Reader,
    /// The contract as it is in its file, but for how its lines end.
    text: String,
    ends: Ends,
    checked: Checked,
    /// What was left open on purpose, by name.
    skipped: BTreeSet<String>,
    decided: usize,
    answers: StdinLock<'static>,
}

/// What became of lines that somebody wants to write.
enum Taken {
    Written,
    /// Nothing was written, for this reason.
    Refused(String),
}

impl<'a> Walk<'a> {
    fn begin(args: &'a DecideArgs) -> Result<Walk<'a>, Failure> {
        let place = &args.contract;
        if place.extension().is_none_or(|ending| ending != "toml") {
            let text =
                "only a contract (`bind.toml`) can be decided; `hotcell init` drafts one from a header";
            return Err(Failure::Usage(text.into()));
        }
        let reader = Reader::new();
        let checked = hotcell_bind::check_by(&reader, &job(args, Source::Contract(place.clone())))?;
        for warning in hotcell_bind::shown(&checked.warnings) {
            complain(&warning);
        }
        let interface = &checked.interface;
        for name in &args.functions {
            let open = interface.left_out.iter().find(|it| it.name == *name);
            let problem = match open {
                Some(it) if it.status == Status::Undecided => continue,
                Some(it) => format!("no line would decide `{name}`: {}", it.reason),
                None if interface.function(name).is_some() => {
                    format!("`{name}` is bound; `hotcell explain` tells why")
                }
                None => format!("`{name}` is not among the functions that the contract selects"),
            };
            return Err(Failure::Usage(problem));
        }
        let (ends, text) = Ends::of(&checked.text)
            .map_err(|why| Failure::Usage(format!("cannot write {}: {why}", place.display())))?;
        let answers = stdin().lock();
        Ok(Walk { args, reader, text, ends, checked, skipped: BTreeSet::new(), decided: 0, answers })
    }

    fn next(&self) -> Option<Question> {
        let wanted = |name: &String| self.args.functions.is_empty() || self.args.functions.contains(name);
        let open = |name: &String| !self.skipped.contains(name);
        let mut types = self.checked.open_types.iter();
        if let Some(ty) = types.find(|ty| open(&ty.name) && ty.functions.iter().any(wanted)) {
            return Some(Question::Type(ty.clone()));
        }
        let left_out = &self.checked.interface.left_out;
        let undecided = left_out.iter().filter(|it| it.status == Status::Undecided);
        let asked = undecided.filter(|it| wanted(&it.name) && open(&it.name));
        let place = |it: &&LeftOut| self.checked.api.functions.iter().position(|other| other.name == it.name);
        asked.min_by_key(place).cloned().map(Question::Function)
    }

    /// How many functions are undecided and were not left open on purpose.
    fn left(&self) -> usize {
        let left_out = self.checked.interface.left_out.iter();
        left_out.filter(|it| it.status == Status::Undecided && !self.skipped.contains(&it.name)).count()
    }

    /// Whether to go on.
    fn ask_about_type(&mut self, ty: &OpenType) -> Result<bool, Failure> {
        self.show(&page::of_type(ty))?;
        let answers = ty.answers();
        let keys = page::type_keys(answers.len());
        loop {
            let answer = self.answer(&keys)?;
            let chosen = |answer: &str| answers.get(answer.parse::<usize>().ok()?.checked_sub(1)?);
            let lines = match (answer.as_deref(), answer.as_deref().and_then(chosen)) {
                (None | Some("q"), _) => return Ok(false),
                (Some("s"), _) => break,
                (Some(_), Some(answer)) => answer.lines,
                (Some("?"), _) => {
                    self.show(page::TYPE_HELP)?;
                    continue;
                }
                (Some(_), None) => {
                    self.show("Not understood; `?` tells what can be answered.\n")?;
                    continue;
                }
            };
            let still_open = |checked: &Checked| {
                let open = checked.open_types.iter().any(|it| it.name == ty.name);
                open.then(|| format!("nothing says yet what `{}` is", ty.name))
            };
            match self.take(contract::with(&self.text, lines, None), still_open)? {
                Taken::Written => return Ok(true),
                Taken::Refused(why) => self.show(&page::refused(&why))?,
            }
        }
        self.skipped.insert(ty.name.clone());
        Ok(true)
    }

    /// Whether to go on.
    fn ask_about_function(&mut self, function: &LeftOut) -> Result<bool, Failure> {
        let name = &function.name;
        let declared = self.checked.api.functions.iter().find(|it| it.name == *name).cloned();
        let head = page::of_function(function, declared.as_ref(), Some(page::DOC_LINES));
        self.show(&page::progress(self.left()))?;
        let mut lines = lines::of(function.help.as_deref().unwrap_or_default(), &function.reason);
        self.show(&(head + &page::lines(&lines)))?;
        loop {
            let answer = self.answer(page::FUNCTION_KEYS)?;
            let still_open = |checked: &Checked| {
                let left_out = checked.interface.left_out.iter().find(|it| it.name == *name);
                left_out.map(|it| it.reason.clone())
            };
            let taken = match answer.as_deref() {
                None | Some("q") => return Ok(false),
                Some("s") => break,
                Some("y") if lines.is_empty() => Taken::Refused("there is no line yet; type some".into()),
                Some("y") => {
                    let text = lines::text(name, &lines)
                        .and_then(|lines| contract::with(&self.text, &lines, Some(&function.signature)));
                    self.take(text, still_open)?
                }
                Some("x") => match self.answer(page::REASON)? {
                    Some(reason) => self.exclude(name, &reason)?,
                    None => return Ok(false),
                },
                Some(answer) if answer.starts_with("x because ") => {
                    self.exclude(name, &answer["x because ".len()..])?
                }
                Some("?") => {
                    self.show(page::FUNCTION_HELP)?;
                    continue;
                }
                Some("m") => {
                    self.show(&page::of_function(function, declared.as_ref(), None))?;
                    continue;
                }
                Some(answer) if answer.starts_with("handle.") || answer.starts_with("error.") => {
                    let lines = format!("{answer}\n");
                    // The function is asked for again, with what is still open then.
                    self.take(contract::with(&self.text, &lines, None), |_| None)?
                }
                Some(answer) => {
                    let shown = match lines::change(&mut lines, answer) {
                        true => page::lines(&lines),
                        false => "Not understood; `?` tells what can be answered.\n".to_owned(),
                    };
                    self.show(&shown)?;
                    continue;
                }
            };
            match taken {
                Taken::Written => return Ok(true),
                Taken::Refused(why) => self.show(&page::refused(&why))?,
            }
        }
        self.skipped.insert(name.clone());
        Ok(true)
    }

    /// Writes a contract that never binds a function, and why.
    fn exclude(&mut self, function: &str, reason: &str) -> Result<Taken, Failure> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Ok(Taken::Refused("without a reason nobody knows later why it is excluded".into()));
        }
        self.take(contract::excluding(&self.text, function, reason), |_| None)
    }

    /// Writes a contract that is right and leaves nothing open of what was asked.
    fn take(
        &mut self,
        text: Result<String, String>,
        still_open: impl Fn(&Checked) -> Option<String>,
    ) -> Result<Taken, Failure> {
        let text = match text {
            Ok(text) => text,
            Err(why) => return Ok(Taken::Refused(why)),
        };
        let checked = match self.check(&text) {
            Ok(checked) => checked,
            Err(error) => return Ok(Taken::Refused(error.to_string())),
        };
        if let Some(open) = still_open(&checked) {
            return Ok(Taken::Refused(open));
        }
        let (text, checked) = match self.without_drafts(&text, &checked) {
            Some(text) => match self.check(&text) {
                Ok(checked) => (text, checked),
                Err(error) => return Ok(Taken::Refused(error.to_string())),
            },
            None => (text, checked),
        };
        let (known, new) = (self.ends.restored(&self.text), self.ends.restored(&text));
        file::replace(&self.args.contract, known.as_bytes(), new.as_bytes())?;
        let known: BTreeSet<&String> = self.checked.warnings.iter().collect();
        let fresh: Vec<String> =
            checked.warnings.iter().filter(|warning| !known.contains(warning)).cloned().collect();
        for warning in hotcell_bind::shown(&fresh) {
            complain(&warning);
        }
        let bound = |checked: &Checked| checked.interface.functions.len();
        self.show(&page::written(bound(&self.checked), bound(&checked)))?;
        (self.text, self.checked) = (text, checked);
        self.decided += 1;
        Ok(Taken::Written)
    }

    /// The contract as it would be written, against the headers and the library.
    fn check(&self, text: &str) -> Result<Checked, hotcell_bind::Error> {
        let path = self.args.contract.clone();
        let job = job(self.args, Source::Text { text: self.ends.restored(text), path });
        hotcell_bind::check_by(&self.reader, &job)
    }

    /// The contract without what its draft says about functions that are bound or excluded now and types that are not open
    /// any more; `None` when it says nothing.
    fn without_drafts(&self, text: &str, checked: &Checked) -> Option<String> {
        let left_out = |name: &str| checked.interface.left_out.iter().any(|it| it.name == name);
        let functions = self.checked.interface.left_out.iter();
        let functions = functions.filter(|it| it.status == Status::Undecided && !left_out(&it.name));
        let without = functions.fold(text.to_owned(), |text, it| draft::without_function(&text, it));
        let types = self.checked.open_types.iter();
        let types = types.filter(|ty| !checked.open_types.iter().any(|it| it.name == ty.name));
        let without = types.fold(without, |text, ty| draft::without_type(&text, ty));
        (without != text).then_some(without)
    }

    /// The next answer, without blanks around it; `None` at the end of the input.
    fn answer(&mut self, keys: &str) -> Result<Option<String>, Failure> {
        self.show(&format!("{keys} > "))?;
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        let read = read.map_err(|error| Failure::Usage(format!("cannot read an answer: {error}")))?;
        if read == 0 {
            self.show("\n")?;
            return Ok(None);
        }
        Ok(Some(line.trim().to_owned()))
    }

    fn show(&self, text: &str) -> Result<(), Failure> {
        out(text).map_err(|error| Failure::Usage(format!("cannot print: {error}")))
    }

    fn tell_the_end(&self) -> Result<(), Failure> {
        let decided =
            if self.decided == 1 { "1 decision is" } else { &format!("{} decisions are", self.decided) };
        let entries = report::entries(&self.checked);
        self.show(&format!(
            "\n{decided} written to {}\n{}\n",
            self.args.contract.display(),
            report::summary(&entries)
        ))
    }
}

fn job(args: &DecideArgs, source: Source) -> Job {
    Job {
        source,
        only: None,
        include_dirs: args.include_dirs.clone(),
        defines: Vec::new(),
        library_dirs: args.library_dirs.clone(),
    }
}
