//! `-o NAME=FILE`: results into files.

use std::path::PathBuf;

use hotcell::dynamic::{Outcome, Value};
use hotcell_model::interface::{Function, ResultRole};

use crate::args::Named;
use crate::fail::Failure;
use crate::target::{Target, unwritable};

/// Files that are ready to be written.
#[derive(Debug)]
pub(super) struct Outputs(Vec<Output>);

#[derive(Debug)]
struct Output {
    name: String,
    path: PathBuf,
    file: Target,
}

/// Opens a temporary file beside each wanted one.
pub(super) fn prepare(function: &Function, wanted: &[Named]) -> Result<Outputs, Failure> {
    let mut names: Vec<&str> =
        function.params.iter().filter(|p| p.role.value.is_result()).map(|p| p.name.as_str()).collect();
    if matches!(
        function.result.value,
        ResultRole::Value | ResultRole::Text { .. } | ResultRole::Texts { .. } | ResultRole::Buffer { .. }
    ) {
        names.push("return");
    }
    let mut outputs = Vec::new();
    for Named { name, value } in wanted {
        if !names.contains(&name.as_str()) {
            let known = if names.is_empty() { "it has none".into() } else { names.join(", ") };
            let message = format!("`{}` has no result `{name}`: {known}", function.name);
            return Err(Failure::Usage(message));
        }
        let path = PathBuf::from(value);
        let file = Target::open(&path).map_err(|error| {
            Failure::Usage(format!("{}; the call was not made", unwritable(&path, &error)))
        })?;
        outputs.push(Output { name: name.clone(), path, file });
    }
    Ok(Outputs(outputs))
}

impl Outputs {
    /// Writes the results; returns which went where, and what the first that could not be written lacks.
    pub(super) fn write(self, outcome: &Outcome) -> (Vec<(String, PathBuf)>, Option<String>) {
        let (mut written, mut wrong) = (Vec::new(), None);
        for Output { name, path, file } in self.0 {
            let value = match name.as_str() {
                "return" => outcome.returned.as_ref(),
                name => outcome.outs.iter().find(|(out, _)| out == name).map(|(_, value)| value),
            };
            let bytes = match value {
                Some(Value::Bytes(bytes)) => bytes.clone(),
                Some(Value::Text(text)) => text.clone().into_bytes(),
                Some(Value::Null) | None => {
                    wrong.get_or_insert(format!("`{name}` is null: {} is not written", path.display()));
                    continue;
                }
                // Numbers as JSON has them: all of them, unlike what is shown on a terminal.
                Some(value) => format!("{}\n", super::results::json_of(value)).into_bytes(),
            };
            match file.write(&bytes) {
                Ok(()) => written.push((name, path)),
                Err(error) => drop(wrong.get_or_insert(unwritable(&path, &error))),
            }
        }
        (written, wrong)
    }
}
