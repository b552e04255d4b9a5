//! One call as C: arguments, the call itself, what came of it as a line of JSON.

use std::io;

use hotcell_model::Interface;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{
    Capacity, Encoding, Fails, Function, Ownership, Param, ResultLength, ResultRole, Role, Unit,
};
use hotcell_model::types::{CType, Type};

use super::expression::{number, parameters, plain};
use super::literal::{self, Pool, text};
use crate::plan::{Input, Step};

/// The body of a step's function.
pub(super) fn write(interface: &Interface, step: &Step, pool: &mut Pool) -> io::Result<Vec<String>> {
    let function = &interface.functions[usize::from(step.function)];
    let mut args = step.args.iter();
    let inputs = function.params.iter().map(|it| it.role.value.is_argument().then(|| args.next()).flatten());
    let inputs = inputs.collect();
    let done = vec![false; function.params.len()];
    let mut text = Text { function, inputs, lines: Vec::new(), done, pool };
    (0..function.params.len()).try_for_each(|index| text.argument(index))?;
    text.short_buffers();
    text.call();
    Ok(text.lines)
}

struct Text<'a> {
    function: &'a Function,
    /// What callers pass for each parameter.
    inputs: Vec<Option<&'a Input>>,
    lines: Vec<String>,
    done: Vec<bool>,
    pool: &'a mut Pool,
}

impl Text<'_> {
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn param(&self, index: usize) -> &Param {
        &self.function.params[index]
    }

    /// Writes what a parameter needs, what it stands on first.
    fn argument(&mut self, index: usize) -> io::Result<()> {
        if std::mem::replace(&mut self.done[index], true) {
            return Ok(());
        }
        let role = self.param(index).role.value.clone();
        let ty = spell(&self.param(index).ty);
        let input = self.inputs[index].unwrap_or(&Input::Null);
        match role {
            Role::Value => self.line(format!("{ty} dt_a{index} = {};", literal::number(input))),
            Role::Text { .. } | Role::BufferIn { .. } | Role::BufferInOut { .. } => {
                let tail = matches!(role, Role::Text { .. });
                let memory = match input.bytes() {
                    Some(data) => self.pool.memory(data, tail)?,
                    None => "NULL".into(),
                };
                self.line(format!("void *dt_a{index} = {memory};"));
                self.line(format!("size_t dt_n{index} = {};", input.bytes().map_or(0, |data| data.len())));
            }
            Role::LengthOf { param, unit } | Role::CapacityOf { param, unit } => {
                self.argument(param)?;
                self.line(format!("{ty} dt_a{index} = {};", self.count(param, unit)));
            }
            Role::LengthPointerOf { param, unit } => {
                self.argument(param)?;
                self.line(format!("{} dt_o{index} = {};", pointee(&ty), self.count(param, unit)));
            }
            Role::BufferOut { capacity, .. } => {
                let elements = match &capacity {
                    Capacity::Caller => literal::number(input),
                    Capacity::Elements { size } => {
                        parameters(size).into_iter().try_for_each(|it| self.argument(it))?;
                        number(self.function, size)
                    }
                };
                let size = format!("sizeof({})", pointee(&ty));
                self.line(format!("int64_t dt_n{index} = dt_bytes({elements}, {size});"));
                let refuse = self.refuse(index);
                self.line(format!("if (dt_n{index} < 0) {refuse}"));
                self.line(format!("void *dt_a{index} = calloc(1, dt_n{index} == 0 ? 1 : dt_n{index});"));
            }
            Role::ValueOut { .. } => self.line(format!("{} dt_o{index} = {{0}};", pointee(&ty))),
            Role::ValueInOut { .. } => {
                self.line(format!("{} dt_o{index} = {};", pointee(&ty), literal::number(input)));
            }
            _ => {}
        }
        Ok(())
    }

    /// A buffer's length in what its length parameter counts.
    fn count(&self, buffer: usize, unit: Unit) -> String {
        match unit {
            Unit::Bytes => format!("dt_n{buffer}"),
            Unit::Elements => {
                format!("dt_n{buffer} / sizeof({})", pointee(&spell(&self.param(buffer).ty)))
            }
        }
    }

    fn refuse(&self, index: usize) -> String {
        format!("{{ dt_say(\"refused\", {}); return; }}", text(&self.param(index).name))
    }

    /// Buffers shorter than what the function will read are for the contained side to refuse.
    fn short_buffers(&mut self) {
        for index in 0..self.function.params.len() {
            if let Role::BufferIn { length: Some(length), .. }
            | Role::BufferInOut { length: Some(length), .. } = &self.param(index).role.value
            {
                let needed = number(self.function, length);
                let size = format!("sizeof({})", pointee(&spell(&self.param(index).ty)));
                let needed = format!("dt_bytes({needed}, {size})");
                let short = format!("{needed} < 0 || dt_a{index} != NULL && (int64_t)dt_n{index} < {needed}");
                let refuse = self.refuse(index);
                self.line(format!("if ({short}) {refuse}"));
            }
        }
    }

    fn call(&mut self) {
        let args: Vec<String> = (0..self.function.params.len())
            .map(|index| match &self.param(index).role.value {
                Role::Fixed { c } => c.clone(),
                Role::ValueOut { .. } | Role::ValueInOut { .. } | Role::LengthPointerOf { .. } => {
                    format!("&dt_o{index}")
                }
                _ => format!("dt_a{index}"),
            })
            .collect();
        let call = format!("({})({})", self.function.name, args.join(", "));
        let void = self.function.result_type.kind == Type::Void;
        self.line("errno = 0;");
        self.line(if void { format!("{call};") } else { format!("__auto_type dt_r = {call};") });
        self.line("int dt_e = errno;");
        self.failure();
        self.line("dt_put(\"{\\\"returned\\\":\");");
        self.returned();
        self.line("dt_put(\",\\\"outs\\\":[\");");
        let mut first = true;
        for index in 0..self.function.params.len() {
            if self.param(index).role.value.is_result() {
                let comma = if std::mem::take(&mut first) { "" } else { "," };
                let name = format!("{comma}[\"{}\",", self.param(index).name);
                self.line(format!("dt_put({});", text(&name)));
                self.out(index);
                self.line("dt_put(\"]\");");
            }
        }
        self.line("dt_put(\"]}\");");
        self.line("dt_done();");
    }

    fn failure(&mut self) {
        let Some(rule) = self.function.error.as_ref().map(|rule| rule.value.clone()) else { return };
        let failed = match &rule.fails {
            Fails::Nonzero => "dt_r != 0".into(),
            Fails::Zero => "dt_r == 0".into(),
            Fails::Negative => "dt_r < 0".into(),
            Fails::Null => "dt_r == NULL".into(),
            Fails::When { condition } => format!("{} != 0", number(self.function, condition)),
        };
        self.line(format!("if ({failed}) {{"));
        self.line("dt_put(\"{\\\"failed\\\":{\\\"message\\\":\");");
        match &rule.message {
            None => self.line("dt_put(\"null\");"),
            Some(Expr::Param { index }) => {
                let buffer = matches!(self.param(*index).role.value, Role::BufferOut { .. });
                match buffer {
                    true => self.line(format!(
                        "dt_put_data(\"data\", dt_a{index}, strnlen(dt_a{index}, dt_n{index}));"
                    )),
                    false => self.line(format!(
                        "dt_put_text(\"data\", {});",
                        plain(self.function, &Expr::Param { index: *index })
                    )),
                }
            }
            Some(message) => {
                self.line(format!("dt_put_text(\"data\", {});", plain(self.function, message)));
            }
        }
        self.line("dt_put(\",\\\"code\\\":\");");
        match &rule.code {
            Some(code) => self.line(format!("dt_put_signed((int64_t)({}));", number(self.function, code))),
            None if self.function.result_type.is_scalar() => self.line("dt_put_signed((int64_t)dt_r);"),
            None => self.line("dt_put(\"0\");"),
        }
        self.line("dt_put(\",\\\"errno\\\":\"); dt_put_signed(dt_e); dt_put(\"}}\");");
        self.release();
        self.line("dt_done(); return;");
        self.line("}");
    }

    fn returned(&mut self) {
        match self.function.result.value.clone() {
            ResultRole::Value => self.scalar("dt_r", &self.function.result_type.clone()),
            ResultRole::Text { encoding, nullable, .. } => {
                if !nullable {
                    self.line("if (dt_r == NULL) dt_lied();");
                }
                let kind = kind(encoding);
                self.line(format!("dt_put_text(\"{kind}\", dt_r);"));
                self.release();
            }
            ResultRole::Buffer { length, .. } => {
                let size = format!("sizeof({})", pointee(&spell(&self.function.result_type)));
                let length = format!("dt_bytes({}, {size})", number(self.function, &length));
                self.line(format!("dt_put_data(\"data\", dt_r, dt_r == NULL ? 0 : {length});"));
                self.release();
            }
            _ => self.line("dt_put(\"null\");"),
        }
    }

    /// Gives returned memory back that is the caller's.
    fn release(&mut self) {
        if let ResultRole::Text { ownership, .. } | ResultRole::Buffer { ownership, .. } =
            &self.function.result.value
            && let Ownership::Owned { release } = ownership
        {
            self.line(format!("if (dt_r != NULL) {release}((void *)dt_r);"));
        }
    }

    fn scalar(&mut self, value: &str, ty: &CType) {
        self.line(match ty.kind {
            Type::Float { .. } => format!("dt_put_float({value});"),
            _ => format!("DT_INT({value});"),
        });
    }

    fn out(&mut self, index: usize) {
        let param = self.param(index);
        let pointed = pointee(&spell(&param.ty));
        let result = match &param.role.value {
            Role::ValueOut { .. } | Role::ValueInOut { .. } => {
                let ty = param.ty.pointee().map_or(&param.ty, |(ty, _)| ty).clone();
                return self.scalar(&format!("dt_o{index}"), &ty);
            }
            Role::BufferOut { result, .. } | Role::BufferInOut { result, .. } => result.clone(),
            _ => return self.line("dt_put(\"null\");"),
        };
        let size = format!("sizeof({pointed})");
        let filled = match &result {
            ResultLength::Full => format!("dt_n{index}"),
            ResultLength::Pointer { param } => {
                let unit = match self.param(*param).role.value {
                    Role::LengthPointerOf { unit: Unit::Bytes, .. } => "1",
                    _ => &size,
                };
                format!("dt_bytes(dt_o{param}, {unit})")
            }
            ResultLength::Returned => format!("(dt_r < 0 ? 0 : dt_bytes(dt_r, {size}))"),
            ResultLength::Text => format!("strnlen(dt_a{index}, dt_n{index})"),
            ResultLength::Elements { size: elements } => {
                format!("dt_bytes({}, {size})", number(self.function, elements))
            }
        };
        let filled = format!("(dt_a{index} == NULL ? 0 : {filled})");
        self.line(format!("int64_t dt_f{index} = {filled};"));
        self.line(format!("if (dt_f{index} < 0 || dt_f{index} > (int64_t)dt_n{index}) dt_lied();"));
        self.line(format!("dt_put_data(\"data\", dt_a{index}, dt_f{index});"));
    }
}

fn kind(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Utf8 { "text" } else { "data" }
}

/// The type as C understands it behind the headers, for a declaration of any form.
fn spell(ty: &CType) -> String {
    let nameless = |text: &&str| !["unnamed", "anonymous", " at "].iter().any(|mark| text.contains(mark));
    let found = [ty.written.as_str(), ty.canonical.as_str()].into_iter().find(nameless);
    format!("__typeof__({})", found.unwrap_or("int"))
}

/// What a pointer type points to, without its qualifiers where that is a number.
fn pointee(ty: &str) -> String {
    format!("__typeof__(*({ty})0)")
}
