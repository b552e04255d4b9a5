//! What the library keeps of what it is given, and until when.

use hotcell_model::interface::{Function, Until};
use serde_json::{Value, json};

use crate::report::{Entry, SHOWN};

/// Something that is kept.
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    param: &'a str,
    /// Whether it is an object; else the worker has a copy of it.
    object: bool,
    until: End<'a>,
    /// Whether a later call takes its place.
    replaced: bool,
}

/// What ends that.
#[derive(Debug)]
enum End<'a> {
    Param(&'a str),
    Result,
    Worker,
}

/// What a function leaves with the library.
pub(super) fn of(function: &Function) -> Vec<Kept<'_>> {
    let name = |param: usize| function.params.get(param).map_or("", |param| param.name.as_str());
    let kept = function.keeps.iter().map(|keeps| Kept {
        param: name(keeps.param),
        object: function.keeps_object(keeps),
        until: match keeps.until {
            Until::Param { param } => End::Param(name(param)),
            Until::Result => End::Result,
            Until::Worker => End::Worker,
        },
        replaced: keeps.replaced,
    });
    kept.collect()
}

impl Kept<'_> {
    /// For people.
    pub(super) fn text(&self) -> String {
        let end = match self.until {
            End::Param(keeper) => format!("until `{keeper}` goes"),
            End::Result => "until what is returned goes".to_owned(),
            End::Worker => "for as long as the worker lives".to_owned(),
        };
        let again = if self.replaced { ", or the next takes its place" } else { "" };
        match self.object {
            true => format!("`{}` is kept {end}{again}", self.param),
            false => format!("a copy of `{}` is kept {end}{again}", self.param),
        }
    }

    /// For programs, in the words of a contract.
    pub(super) fn to_json(&self) -> Value {
        let until = match self.until {
            End::Param(keeper) => keeper,
            End::Result => "result",
            End::Worker => "none",
        };
        let mut kept = json!({ "param": self.param, "until": until, "copy": !self.object });
        if self.replaced {
            kept["replaced"] = json!(true);
        }
        kept
    }
}

/// Which functions leave copies, and which have objects stay, that nothing ends but the worker.
pub(super) fn growing(entries: &[Entry<'_>]) -> Vec<String> {
    let lives = "for as long as the worker lives";
    let told = |object: bool, one: &str, several: &str, rest: &str| {
        let grows = |kept: &Kept<'_>| kept.object == object && matches!(kept.until, End::Worker);
        let found: Vec<&str> =
            entries.iter().filter(|entry| entry.keeps.iter().any(grows)).map(|entry| entry.name).collect();
        let many = found.len();
        found.first()?;
        let shown = found.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        let more = if many > SHOWN { ", …" } else { "" };
        let functions =
            if many == 1 { format!("1 function {one}") } else { format!("{many} functions {several}") };
        Some(format!("{functions} with each call {lives}{rest}: {shown}{more}"))
    };
    let copies = told(false, "leaves a copy", "leave a copy", ", so that its memory grows");
    let objects = told(true, "has an object stay", "have an object stay", "");
    copies.into_iter().chain(objects).collect()
}
