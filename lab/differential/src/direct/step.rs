//! One call as C: arguments, the call itself, what came of it as a line of JSON.

use std::collections::BTreeMap;
use std::io;

use hotcell_model::Interface;
use hotcell_model::interface::{Function, Param, Role};
use hotcell_model::types::Type;

use super::literal::{Pool, text};
use super::types::spell;
use crate::plan::{Input, Step};

mod arguments;
mod callbacks;
mod results;
mod structures;

/// A step in C.
pub(super) struct StepText {
    /// Functions that stand before it.
    pub(super) before: String,
    /// The statements of its body.
    pub(super) body: Vec<String>,
}

/// Writes a step. `name` is the beginning of names that no other step uses.
pub(super) fn write(interface: &Interface, step: &Step, name: &str, pool: &mut Pool) -> io::Result<StepText> {
    let function = &interface.functions[usize::from(step.function)];
    let mut args = step.args.iter();
    let inputs = function.params.iter().map(|it| it.role.value.is_argument().then(|| args.next()).flatten());
    let inputs = inputs.collect();
    let done = vec![false; function.params.len()];
    let gives = step.gives.iter().copied().collect();
    let before = String::new();
    let mut body = Body { interface, function, inputs, gives, name, before, lines: Vec::new(), done, pool };
    body.arguments()?;
    body.call();
    body.results();
    Ok(StepText { before: body.before, body: body.lines })
}

struct Body<'a> {
    interface: &'a Interface,
    function: &'a Function,
    /// What callers pass for each parameter.
    inputs: Vec<Option<&'a Input>>,
    /// Numbers of the objects that are handed out.
    gives: BTreeMap<Option<usize>, usize>,
    name: &'a str,
    before: String,
    lines: Vec<String>,
    /// Parameters that are written.
    done: Vec<bool>,
    pool: &'a mut Pool,
}

impl<'a> Body<'a> {
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Writes this JSON.
    fn put(&mut self, json: &str) {
        self.line(format!("dt_put({});", text(json)));
    }

    fn param(&self, index: usize) -> &'a Param {
        &self.function.params[index]
    }

    fn input(&self, index: usize) -> &'a Input {
        self.inputs[index].unwrap_or(&Input::Null)
    }

    /// The object that is passed for a parameter.
    fn object(&self, index: usize) -> Option<usize> {
        match self.input(index) {
            Input::Object(number) | Input::Resident(number, _) => Some(*number),
            _ => None,
        }
    }

    fn is_void(&self) -> bool {
        self.function.result_type.kind == Type::Void
    }

    fn call(&mut self) {
        self.takes(false);
        let args: Vec<String> = (0..self.function.params.len())
            .map(|index| match &self.param(index).role.value {
                Role::Fixed { c } => c.clone(),
                Role::ValueOut { .. }
                | Role::ValueInOut { .. }
                | Role::LengthPointerOf { .. }
                | Role::TextOut { .. }
                | Role::TextsOut { .. }
                | Role::DataOut { .. }
                | Role::OffsetOut { .. }
                | Role::HandleOut { .. } => format!("&dt_o{index}"),
                Role::Struct { .. } if self.param(index).ty.pointee().is_none() => format!("dt_s{index}"),
                Role::UserData { .. } => "&dt_user".into(),
                Role::Callback { .. } if self.input(index) != &Input::Null => self.callback(index),
                Role::Callback { .. } => "NULL".into(),
                _ => format!("dt_a{index}"),
            })
            .collect();
        let call = format!("({})({})", self.function.name, args.join(", "));
        let jumps = self.function.jumps(&self.interface.handles);
        if self.interface.source.tells {
            self.line("hotcell_forget();");
        }
        self.line("errno = 0;");
        if !jumps.is_empty() {
            self.line("volatile int dt_jumped = 0;");
        }
        let ty = spell(&self.function.result_type);
        match (self.is_void(), jumps.is_empty()) {
            (true, true) => self.line(format!("{call};")),
            (false, true) => self.line(format!("{ty} dt_r = {call};")),
            (void, false) => {
                if !void {
                    self.line(format!("static {ty} dt_r; memset(&dt_r, 0, sizeof dt_r);"));
                }
                let object = |index: usize, jump: &str| {
                    format!("dt_a{index} != NULL && setjmp({jump}(dt_a{index})) != 0")
                };
                let before = |index: usize, jump: &str, save: bool| {
                    let (saved, set) = (format!("&dt_j{index}"), format!("&{jump}(dt_a{index})"));
                    let (to, from) = if save { (saved, set) } else { (set, saved) };
                    format!("if (dt_a{index} != NULL) memcpy({to}, {from}, sizeof(jmp_buf));")
                };
                let stays = |index: usize| {
                    !matches!(self.param(index).role.value, Role::Handle { consumed: true, .. })
                };
                let stay: Vec<(usize, &str)> = jumps.iter().copied().filter(|it| stays(it.0)).collect();
                for (index, jump) in &stay {
                    self.line(format!("jmp_buf dt_j{index}; {}", before(*index, jump, true)));
                }
                let tests: Vec<String> = jumps.iter().map(|(index, jump)| object(*index, jump)).collect();
                for test in tests {
                    self.line(format!("if ({test}) dt_jumped = 1; else"));
                }
                self.line(if void { format!("{call};") } else { format!("dt_r = {call};") });
                for (index, jump) in &stay {
                    self.line(before(*index, jump, false));
                }
            }
        }
        self.line("int dt_e = errno;");
        self.line("dt_told_all();");
    }

    /// Ends objects that the call takes over: before it, or after it where only success does.
    fn takes(&mut self, on_success: bool) {
        for index in 0..self.function.params.len() {
            let now = match self.param(index).role.value {
                Role::Handle { consumed: true, on_success: late, .. } => late == on_success,
                _ => false,
            };
            if let (true, Some(number)) = (now, self.object(index)) {
                self.line(format!("dt_end({number});"));
            }
        }
    }
}
