//! The draft of a contract: its head, and for every function that is left out why, and the lines that would decide it.

use std::collections::BTreeMap;

use hotcell_model::api::Api;
use hotcell_model::interface::{LeftOut, Status};
use toml::Value;

use crate::check::{Link, Selection, check};
use crate::contract::Contract;
use crate::diagnostic::{Diagnostic, Severity};

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

/// A contract that decides nothing yet, and says of every function that is left out what would decide it. Lines that
/// decide stand behind a `#` without a blank: taking it away makes them a part of the contract.
///
/// # Errors
///
/// When the head itself is wrong.
pub fn draft(head: &Head, api: &Api, link: Link<'_>) -> Result<String, Vec<Diagnostic>> {
    let contract = Contract::parse(&head.text(), "the draft")?;
    let interface = check(&contract, api, link, Selection::Contract)?.interface;
    let tried = Tried::out(head, api, link, &interface.left_out);
    Ok(write(head, interface.functions.len(), &interface.left_out, &tried))
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
    fn out(head: &Head, api: &Api, link: Link<'_>, left_out: &[LeftOut]) -> Tried {
        let mut tried = Tried::default();
        for (function, help) in proposals(left_out) {
            // Advice that is no text of a contract, or has a gap to fill.
            if let Err(errors) = Contract::parse(&format!("{}{help}\n", head.text()), "the draft") {
                tried.refuse(function, &errors[0]);
            }
        }
        loop {
            let mut text = head.text();
            let mut ends = Vec::new();
            for (function, help) in proposals(left_out).filter(|it| !tried.unfit.contains_key(it.0)) {
                text.push_str(&format!("{help}\n"));
                ends.push((text.len(), function));
            }
            let checked = Contract::parse(&text, "the draft")
                .and_then(|contract| check(&contract, api, link, Selection::Contract));
            let errors = match checked {
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

fn write(head: &Head, bound: usize, left_out: &[LeftOut], tried: &Tried) -> String {
    let headers = head.headers.join(", ");
    let mut text = format!("# Contract of {}, drafted from {}.\n#\n", line(&head.library), line(&headers));
    text.push_str(&match bound {
        0 => "# No function can be called without a decision.\n".to_owned(),
        1 => "# One function needs no line: what its header says is enough.\n".to_owned(),
        _ => format!("# {bound} functions need no line: what their header says is enough.\n"),
    });
    let of = |status: Status| left_out.iter().filter(move |function| function.status == status);
    if of(Status::Undecided).next().is_some() {
        text.push_str(
            "# The others follow: why they are undecided, how they are declared, and behind `#` lines that decide them.\n\
             # Take the `#` away where the lines are right; change them where they are not.\n",
        );
    }
    text.push('\n');
    text.push_str(&head.text());
    for function in of(Status::Undecided) {
        text.push_str(&format!(
            "\n# {}: {}\n# {}\n",
            line(&function.name),
            line(&function.reason),
            line(&function.signature)
        ));
        text.push_str(&decision(function, tried));
    }
    let mut group = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("\n# {title}\n{}", lines.concat()));
        }
    };
    let with_reason = |it: &LeftOut| format!("#   {}: {}\n", line(&it.name), line(&it.reason));
    group("No line would make these callable:", of(Status::Unsupported).map(with_reason).collect());
    let name = |it: &LeftOut| format!("#   {}\n", line(&it.name));
    let missing = "The headers declare these, and the library does not export them:";
    group(missing, of(Status::NotExported).map(name).collect());
    text
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

/// A text that stays on its line of comment.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use hotcell_model::api::{Function, Location, Param};
    use hotcell_model::types::{CType, Target, Type};

    use super::*;

    fn head() -> Head {
        Head {
            library: "moon".into(),
            headers: vec!["moon.h".into()],
            link: vec!["libmoon.so.1".into()],
            ..Head::default()
        }
    }

    fn left_out(name: &str, status: Status, reason: &str, help: &str) -> LeftOut {
        let help = (!help.is_empty()).then(|| help.to_owned());
        let signature = format!("int {name}(unsigned int *p, double *q)");
        LeftOut { name: name.into(), signature, status, reason: reason.into(), help }
    }

    fn number(written: &str, kind: Type) -> CType {
        CType { written: written.into(), canonical: written.into(), kind }
    }

    /// Functions with a pointer to a number `p`, and another one `q`.
    fn api(names: &[&str]) -> Api {
        let pointer = |name: &str, to: CType| Param {
            name: Some(name.into()),
            ty: number(
                &format!("{} *", to.written),
                Type::Pointer { pointee: Box::new(to), constant: false },
            ),
            array_length: None,
        };
        let function = |name: &&str| Function {
            name: (*name).into(),
            params: vec![
                pointer("p", number("unsigned int", Type::Int { bits: 32, signed: false })),
                pointer("q", number("double", Type::Float { bits: 64 })),
            ],
            result: number("int", Type::Int { bits: 32, signed: true }),
            variadic: false,
            prototyped: true,
            inline: false,
            attributes: Vec::new(),
            doc: None,
            location: Location { file: "moon.h".into(), line: 1, primary: true },
        };
        Api {
            target: Target { triple: "x86_64-pc-linux-gnu".into(), pointer_bits: 64, char_signed: true },
            functions: names.iter().map(function).collect(),
            records: BTreeMap::new(),
            enums: BTreeMap::new(),
            constants: BTreeMap::new(),
            function_macros: BTreeMap::new(),
        }
    }

    const WHOLE: &str = "[function.whole]\nparams.p = { out = \"value\" } # or { inout = \"value\" }\nparams.q = { out = \"value\" }";
    const PART: &str = "[function.part]\nparams.p = { out = \"value\" }";
    const UNFIT: &str = "[function.unfit]\nparams.p = { out = \"buffer\", size = \"r\" }";
    const ADVICE: &str = "ask whoever wrote it";

    #[test]
    fn a_draft_reads_from_top_to_bottom() {
        let functions = [
            left_out("print", Status::Unsupported, "it takes `...`", ""),
            left_out("whole", Status::Undecided, "nothing says what `p` is", WHOLE),
            left_out("gone", Status::NotExported, "libmoon.so.1 does not export it", ""),
            left_out("open", Status::Undecided, "it returns an object", ""),
        ];
        let expect = "\
# Contract of moon, drafted from moon.h.
#
# 12 functions need no line: what their header says is enough.
# The others follow: why they are undecided, how they are declared, and behind `#` lines that decide them.
# Take the `#` away where the lines are right; change them where they are not.

hotcell = 1
library = \"moon\"
headers = [\"moon.h\"]
link = [\"libmoon.so.1\"]

# whole: nothing says what `p` is
# int whole(unsigned int *p, double *q)
#[function.whole]
#params.p = { out = \"value\" } # or { inout = \"value\" }
#params.q = { out = \"value\" }

# open: it returns an object
# int open(unsigned int *p, double *q)

# No line would make these callable:
#   print: it takes `...`

# The headers declare these, and the library does not export them:
#   gone
";
        assert_eq!(write(&head(), 12, &functions, &Tried::default()), expect);
    }

    #[test]
    fn only_lines_that_were_tried_can_be_uncommented() {
        let names = ["whole", "part", "unfit", "advice"];
        let helps = [WHOLE, PART, UNFIT, ADVICE];
        let functions: Vec<LeftOut> = names
            .iter()
            .zip(helps)
            .map(|(name, help)| left_out(name, Status::Undecided, "why", help))
            .collect();
        let sonames = ["libmoon.so.1".to_owned()];
        let link = Link { sonames: &sonames, exports: None, shadowed: None };
        let tried = Tried::out(&head(), &api(&names), link, &functions);
        let lines = |at: usize| decision(&functions[at], &tried);
        assert!(lines(0).starts_with("#[function.whole]\n#params.p") && lines(0).lines().count() == 3);
        assert!(lines(1).starts_with("#[function.part]\n#params.p"), "{}", lines(1));
        assert!(lines(1).contains("\n# What these lines leave open: ") && lines(1).contains("`q`"));
        for at in [2, 3] {
            assert!(lines(at).starts_with("# A start, to be completed ("), "{}", lines(at));
            assert!(lines(at).lines().skip(1).all(|line| line.starts_with("#   ")), "{}", lines(at));
        }
    }

    #[test]
    fn a_draft_is_a_contract_whatever_is_in_it() {
        let head = Head {
            include_dirs: vec!["a \"quoted\" folder".into(), "back\\slash".into()],
            defines: vec!["NAME=\"x\"".into()],
            prelude: Some("#include <stddef.h>\ntypedef char *text; /* \"\"\" \\ */\n".into()),
            include: vec!["moon_*".into()],
            ..head()
        };
        let contract = Contract::parse(&head.text(), "bind.toml").unwrap();
        assert_eq!(contract.include_dirs(), head.include_dirs);
        assert_eq!(contract.defines(), head.defines);
        assert_eq!(contract.prelude(), head.prelude.as_deref());
        assert_eq!((contract.library(), contract.headers()), ("moon", &head.headers[..]));
        // What headers name stays behind the `#`.
        let odd = left_out("odd", Status::Undecided, "a\nb\r[function.x]", "[function.odd]\nresult = 1");
        let text = write(&head, 1, &[odd], &Tried::default());
        assert_eq!(Contract::parse(&text, "bind.toml").unwrap().defines(), head.defines);
    }
}
