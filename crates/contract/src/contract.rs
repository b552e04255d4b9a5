//! A contract as its file says it: typed and placed, not yet compared with a header.

use std::ops::Range;
use std::time::Duration;

use hotcell_model::api::Api;
use hotcell_model::interface::{GuardWord, RecycleLines, SandboxLines, StatePart, Threads};
use hotcell_model::types::Type;

use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::expression::{Kind, Node};
use crate::forms::Form;
use crate::pattern;
use crate::typed;

mod families;
mod fields;
mod form;
mod function;
mod handle;
mod index;
mod item;
pub(crate) mod keys;
mod recycle;
mod restore;
mod sandbox;
pub(crate) mod state;
mod structure;
mod top;

pub(crate) use fields::FieldNames;
pub(crate) use form::{
    Each, FormLine, GiveLine, RETURNED, Stream, StreamLine, TellLine, WithLine, after_of, read_of, size_of,
};
pub use function::parse_duration;
pub(crate) use item::{Item, OnFailure, Starts, What};

/// The decisions about a library.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contract {
    pub(crate) file: Option<String>,
    pub(crate) text: String,
    library: String,
    headers: Vec<String>,
    link: Vec<String>,
    pub(crate) include: Vec<Text>,
    pub(crate) exclude: Vec<Text>,
    include_dirs: Vec<String>,
    defines: Vec<String>,
    prelude: Option<String>,
    /// Variables that are read and written.
    pub(crate) globals: Vec<Text>,
    /// What is added behind the headers: what the functions need, then one entry for each function.
    added: Vec<String>,
    /// How many of these are what the functions need.
    needs: usize,
    forms: Vec<Form>,
    threads: Threads,
    /// Where it says so.
    pub(crate) threads_at: Option<Range<usize>>,
    deadline: Option<Duration>,
    pub(crate) init: Vec<LifeLine>,
    pub(crate) shutdown: Vec<LifeLine>,
    pub(crate) health: Vec<LifeLine>,
    pub(crate) abi: Vec<LifeLine>,
    /// Whether a library is taken whatever its debug information says of structures.
    pub(crate) any_layout: bool,
    /// What may be NULL.
    pub(crate) nullable: Vec<Nullable>,
    pub(crate) sandbox: SandboxLines,
    pub(crate) guard: GuardWord,
    pub(crate) recycle: RecycleLines,
    pub(crate) tries: Option<u32>,
    /// What the library may leave changed of its process, each part once.
    pub(crate) leaves: Vec<StatePart>,
    pub(crate) handles: Vec<HandleLine>,
    pub(crate) structs: Vec<StructLines>,
    pub(crate) errors: Vec<TypeErrorLine>,
    pub(crate) functions: Vec<FunctionLines>,
    index: index::Index,
    /// Who calls decides about each value, NULL included, where the header does not forbid it.
    pub(crate) any_null: bool,
}

/// A line of `[handle]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandleLine {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) release: Option<Text>,
    pub(crate) parent: Option<Text>,
    pub(crate) taken_by: Option<Selectors>,
    /// Whether they take it over only when the call did not fail.
    pub(crate) on_success: bool,
    pub(crate) made_by: Option<Selectors>,
    pub(crate) lends_until: Option<Selectors>,
    /// What gives the `jmp_buf` that errors of an object jump to.
    pub(crate) jumps: Option<Text>,
    /// The text about the last failure of an object.
    pub(crate) message: Option<Node>,
    /// How one is made anew when its worker has ended.
    pub(crate) restore: Option<RestoreLine>,
    /// Whether an object is used by the thread that made it only.
    pub(crate) affine: bool,
    /// Fields that functions are added for.
    pub(crate) access: FieldNames,
}

/// `restore` in a line of `[handle]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RestoreLine {
    /// Of the key.
    pub(crate) span: Range<usize>,
    /// The functions that make one, names or patterns.
    pub(crate) by: Vec<Text>,
    pub(crate) configure: Vec<Configure>,
    pub(crate) times: Option<u32>,
}

/// `FUNCTION` or `FUNCTION(PARAM, …)`: a function that configures an object, a name or a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Configure {
    pub(crate) function: Text,
    /// What says what it sets.
    pub(crate) key: Vec<Text>,
}

/// A list of functions, or of their parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selectors {
    /// Of the key.
    pub(crate) span: Range<usize>,
    pub(crate) all: Vec<Selector>,
}

/// `FUNCTION` or `FUNCTION.PARAM`, each a name or a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) function: Text,
    pub(crate) param: Option<Text>,
}

/// An entry of `nullable`: `FUNCTION.PARAM`, or `FUNCTION.CALLBACK.PARAM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nullable {
    pub(crate) function: Text,
    pub(crate) param: Text,
    /// What is meant of that callback.
    pub(crate) inside: Option<Text>,
}

/// `[struct.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StructLines {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) resident: bool,
    pub(crate) started_by: Option<StartedBy>,
    pub(crate) fields: Vec<ParamLine>,
    /// Fields that functions are added for.
    pub(crate) access: FieldNames,
}

/// `started_by` of a structure that the library keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StartedBy {
    pub(crate) selectors: Selectors,
    /// What ends an object that begins there, for each of them.
    pub(crate) ends: Vec<Starts>,
}

/// A call of `init` or `shutdown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LifeLine {
    pub(crate) text: String,
    pub(crate) node: Node,
}

/// `[function.NAME]`, where the name may be a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FunctionLines {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) params: Vec<ParamLine>,
    pub(crate) result: Option<Item>,
    /// What returned values are, by their type; only of patterns.
    pub(crate) results: Vec<ParamLine>,
    pub(crate) error: Option<ErrorLine>,
    /// What must hold before a call.
    pub(crate) requires: Option<Node>,
    /// The call that stops one that is under way.
    pub(crate) cancel: Option<Node>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) idempotent: Option<bool>,
    /// What makes it a function that the headers do not have.
    pub(crate) form: FormLine,
    /// The name of its table, where that is a family's: its own is that of one of them.
    pub(crate) family: Option<String>,
    /// Functions of the headers that this one, of the prelude, calls for its callers.
    pub(crate) stands_for: Vec<Text>,
}

/// `params.NAME = …`, `fields.NAME = …` or `results."(TYPE)" = …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParamLine {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) item: Item,
}

/// `error = …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorLine {
    pub(crate) span: Range<usize>,
    pub(crate) fails: FailsLine,
    pub(crate) message: Option<Node>,
    pub(crate) code: Option<Node>,
    pub(crate) symbols: Option<Text>,
}

/// A line of `[error]`: the rule of every function that returns the type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeErrorLine {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) rule: ErrorLine,
}

/// `fails = …` and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FailsLine {
    Word(&'static str, Range<usize>),
    When(Node),
}

impl FunctionLines {
    /// Whether it is about every function that its name matches.
    pub(crate) fn is_pattern(&self) -> bool {
        pattern::is_pattern(&self.name) || self.family.is_some() && !self.form.is_one()
    }
}

/// How closely a line about parameters says which are meant. In one table the closer one stands before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closeness {
    /// All of a type.
    Type,
    /// All that a pattern of names matches, perhaps of a type.
    Pattern,
    /// One.
    Name,
}

impl ParamLine {
    /// Whether it is about every parameter or field that its name matches.
    pub(crate) fn is_pattern(&self) -> bool {
        pattern::is_pattern(&self.name)
    }

    pub(crate) fn closeness(&self) -> Closeness {
        let typed = typed::is_typed(&self.name).then(|| typed::read(&self.name));
        match typed {
            Some(Ok(typed)) if typed.name.is_some() => Closeness::Pattern,
            Some(_) => Closeness::Type,
            None if self.is_pattern() => Closeness::Pattern,
            None => Closeness::Name,
        }
    }
}

impl Contract {
    /// Reads a contract. `file` is how diagnostics name it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of the file.
    pub fn parse(text: &str, file: &str) -> Result<Contract, Vec<Diagnostic>> {
        let mut found = top::read(text);
        match found.as_mut() {
            Ok(contract) => contract.file = Some(file.to_owned()),
            Err(diagnostics) => {
                diagnostics.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| span.start));
                diagnostics.iter_mut().for_each(|diagnostic| diagnostic.file = Some(file.to_owned()));
            }
        }
        found
    }

    /// The contract of a library nothing is decided about. `library` is a name or a path.
    pub fn bare(headers: &[String], library: &str) -> Contract {
        let file = library.rsplit('/').next().unwrap_or(library);
        let stem = file.split(".so").next().filter(|stem| *stem != file);
        let name = stem.map_or(file, |stem| stem.strip_prefix("lib").unwrap_or(stem));
        Contract {
            library: name.to_owned(),
            headers: headers.to_vec(),
            link: vec![library.to_owned()],
            ..Contract::default()
        }
    }

    /// The same contract, for callers that mean it when they pass NULL: whatever the header does not forbid may be NULL.
    pub fn taking_null(self) -> Contract {
        Contract { any_null: true, ..self }
    }

    /// The library's name.
    pub fn library(&self) -> &str {
        &self.library
    }

    /// Headers in order, as `#include` names them.
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// Names or paths of the libraries to link, first the library itself.
    pub fn link(&self) -> &[String] {
        &self.link
    }

    /// Directories to look for headers in, as the file writes them.
    pub fn include_dirs(&self) -> &[String] {
        &self.include_dirs
    }

    /// `-D` options, without the `-D`.
    pub fn defines(&self) -> &[String] {
        &self.defines
    }

    /// C text before the first `#include`.
    pub fn prelude(&self) -> Option<&str> {
        self.prelude.as_deref()
    }

    /// C text behind the headers, as [`crate::add_forms`] has worked it out: entries of one line.
    pub fn added(&self) -> &[String] {
        &self.added
    }

    /// Says of what functions return that hand out something else in their place: a number comes out.
    pub(crate) fn say_returned(&mut self, api: &Api) {
        for lines in &mut self.functions {
            let Some(returns) = &lines.form.returns else { continue };
            let of = lines.form.of.as_ref().map_or(lines.name.as_str(), |of| of.value.as_str());
            let mut functions = api.functions.iter().filter(|function| pattern::matches(of, &function.name));
            let something = functions.any(|function| function.result.kind != Type::Void);
            if something && !lines.params.iter().any(|line| line.name == RETURNED) {
                lines.params.push(form::returned(returns));
            }
        }
    }

    pub(crate) fn set_forms(&mut self, needs: Vec<String>, forms: Vec<Form>) {
        self.needs = needs.len();
        let called = forms.iter().filter(|form| form.is_own());
        // From here on the name means the form of it, wherever the shim has it.
        let called = called.flat_map(|form| {
            [format!("#undef {}", form.name), format!("#define {} {}", form.name, form.c_name)]
        });
        let functions = forms.iter().map(|form| form.c.clone());
        self.added = needs.into_iter().chain(functions).chain(called).collect();
        self.forms = forms;
    }

    /// Puts functions that are called in another form in place of those of the headers, in an API that was read with
    /// [`Contract::added`] behind the headers.
    pub fn adopt(&self, api: &mut Api) {
        for form in self.forms.iter().filter(|form| form.is_own()) {
            let position = |name: &str| api.functions.iter().position(|function| function.name == name);
            let (Some(old), Some(new)) = (position(&form.name), position(&form.c_name)) else { continue };
            let mut function = api.functions[new].clone();
            function.name.clone_from(&form.name);
            // What is added has no comment.
            function.doc = api.functions[old].doc.take();
            api.functions[old] = function;
            // It need not stand behind the other: who read the headers is another process.
            api.functions.remove(new);
        }
    }

    /// The function that a line behind the headers adds, counted from 1.
    pub(crate) fn form_of_line(&self, line: u32) -> Option<&Form> {
        self.forms.get((line as usize).checked_sub(self.needs + 1)?)
    }

    /// Whether something notes what the library tells about failures.
    pub(crate) fn tells(&self) -> bool {
        self.functions.iter().any(|lines| !lines.form.tells.is_empty())
    }

    /// Whether the contract adds a function of this name.
    pub(crate) fn adds(&self, name: &str) -> bool {
        self.forms.iter().any(|form| form.name == name)
    }

    /// What the contract adds under this name.
    pub(crate) fn added_function(&self, name: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.name == name)
    }

    /// Whether a function of the headers is called by one that the contract adds.
    pub(crate) fn has_form_of(&self, name: &str) -> bool {
        self.forms.iter().any(|form| form.of.as_deref() == Some(name)) || self.is_stood_for(name)
    }

    /// Whether a function of the prelude calls this one for its callers.
    pub(crate) fn is_stood_for(&self, name: &str) -> bool {
        let entries = self.functions.iter().flat_map(|lines| &lines.stands_for);
        { entries }.any(|text| pattern::matches(&text.value, name))
    }

    /// The functions of the headers that a worker calls for these, which are bound: those of forms, those that functions of the
    /// prelude stand for, and those that give back memory. Some are patterns.
    pub fn called_for(&self, bound: &[&str]) -> Vec<String> {
        let is_bound = |lines: &&FunctionLines| bound.iter().any(|name| pattern::matches(&lines.name, name));
        let mut found = Vec::new();
        for lines in self.functions.iter().filter(is_bound) {
            let FormLine { of, gives, .. } = &lines.form;
            found.extend(of.iter().chain(&lines.stands_for).map(|text| text.value.clone()));
            found.extend(gives.iter().filter_map(|give| match &give.call.kind {
                Kind::Call(name, _) => Some(name.clone()),
                _ => None,
            }));
            let params = lines.params.iter().chain(&lines.results).map(|line| &line.item);
            let releases = params.chain(&lines.result).filter_map(|item| item.release.as_ref());
            let plain = releases.filter(|text| !gives.iter().any(|give| give.c == text.value));
            found.extend(plain.map(|text| text.value.clone()));
        }
        found
    }

    /// How many threads may be inside the library at once.
    pub fn threads(&self) -> Threads {
        self.threads
    }

    /// How long a call may take unless its function says otherwise.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }
}

#[cfg(test)]
mod tests;
