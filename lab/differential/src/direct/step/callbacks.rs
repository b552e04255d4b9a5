//! Functions that the library calls: they write down what they are told and answer what the case says.

use std::fmt::Write as _;
use std::io;

use hotcell_model::interface::{Callback, CallbackParam, CallbackRole, Encoding, Unit};
use hotcell_model::types::{CType, Type};

use super::Body;
use crate::direct::literal::text;
use crate::direct::types::{element_size, spell};
use crate::plan::{Answer, FILLED};

impl Body<'_> {
    /// The name of the function passed for a parameter.
    pub(super) fn callback(&self, index: usize) -> String {
        format!("{}_callback_{index}", self.name)
    }

    pub(super) fn write_callback(
        &mut self,
        index: usize,
        callback: &Callback,
        answer: &Answer,
    ) -> io::Result<()> {
        let params = callback.params.iter().enumerate();
        let params: Vec<String> = params.map(|(at, it)| format!("{} dt_p{at}", spell(&it.ty))).collect();
        let params = if params.is_empty() { "void".into() } else { params.join(", ") };
        let name = self.callback(index);
        // The function asked about is the one that called back.
        let mut lines = vec!["int dt_before = errno;".to_owned()];
        lines.extend(self.lend(callback, answer));
        lines.push("dt_tell();".to_owned());
        let mut first = true;
        for (at, param) in callback.params.iter().enumerate() {
            match param.role {
                CallbackRole::LengthOf { .. } => continue,
                // What was registered comes back, or nothing that follows would be true.
                CallbackRole::UserData => lines.push(format!("if (dt_p{at} != &dt_user) abort();")),
                _ => {
                    if !std::mem::take(&mut first) {
                        lines.push("dt_put(\",\");".into());
                    }
                    lines.push(told(at, param, answer));
                }
            }
        }
        if !answer.steps.is_empty() {
            let comma = if first { "" } else { "," };
            lines.extend(self.calls(&name, answer, comma)?);
        }
        lines.push("dt_put(\"]\");".into());
        let lent = answer.lent.iter().flat_map(|it| &it.1);
        lines.extend(lent.map(|number| format!("dt_take_back({number});")));
        lines.extend(callback.params.iter().enumerate().filter_map(|(at, param)| fills(at, param, answer)));
        lines.push("errno = dt_before;".into());
        if callback.result.kind != Type::Void {
            lines.push(format!("return {};", answer.returns));
        }
        let result = spell(&callback.result);
        let body = lines.join("\n    ");
        // A String takes everything.
        let _ = write!(self.before, "static {result} {name}({params})\n{{\n    {body}\n}}\n\n");
        Ok(())
    }

    /// Statements that give the objects of a callback their numbers.
    fn lend(&self, callback: &Callback, answer: &Answer) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, param) in callback.params.iter().enumerate() {
            for (position, number) in answer.lent(at).iter().enumerate() {
                let (handle, object) = match &param.role {
                    CallbackRole::Handle { handle, .. } => (handle, format!("dt_p{at}")),
                    CallbackRole::Handles { handle, length } => {
                        let there = format!("{position} < dt_p{length}");
                        (handle, format!("{there} ? dt_p{at}[{position}] : NULL"))
                    }
                    _ => continue,
                };
                let ty = self.type_number(handle);
                lines.push(format!("dt_lend({number}, {ty}, {object});"));
            }
        }
        lines
    }

    /// Statements that make the calls of a callback and write what came of them; the functions go before.
    fn calls(&mut self, name: &str, answer: &Answer, comma: &str) -> io::Result<Vec<String>> {
        let mut lines = vec![format!("dt_put({});", text(&format!("{comma}{{\"did\":[")))];
        lines.push("int dt_outer = dt_begin_calls();".into());
        for (position, step) in answer.steps.iter().enumerate() {
            let name = format!("{name}_{position}");
            let step_text = super::write(self.interface, step, &name, self.pool)?;
            let body = step_text.body.join("\n    ");
            self.before.push_str(&step_text.before);
            let _ = write!(self.before, "static void {name}(void)\n{{\n    {body}\n}}\n\n");
            let comma = if position > 0 { "," } else { "" };
            let called = &self.interface.functions[usize::from(step.function)].name;
            lines.push(format!("dt_put({});", text(&format!("{comma}[\"{called}\","))));
            lines.push(format!("{name}();"));
            lines.push("dt_put(\"]\");".into());
        }
        lines.push("dt_end_calls(dt_outer);".into());
        lines.push("dt_put(\"]}\");".into());
        Ok(lines)
    }
}

fn told(at: usize, param: &CallbackParam, answer: &Answer) -> String {
    match &param.role {
        CallbackRole::Value => scalar(&format!("dt_p{at}"), &param.ty),
        CallbackRole::Text { encoding, .. } => put_text(*encoding, &format!("dt_p{at}")),
        CallbackRole::Buffer { length, unit } => {
            let size = if *unit == Unit::Bytes { "1".into() } else { element_size(&param.ty) };
            format!("dt_put_data(\"data\", dt_p{at}, dt_bytes(dt_p{length}, {size}));")
        }
        CallbackRole::Room { .. } => format!("DT_INT({});", room(param)),
        CallbackRole::Texts { length, encoding, .. } => {
            let put = put_text(*encoding, &format!("dt_p{at}[dt_i]"));
            let text = format!("dt_put(dt_i > 0 ? \",\" : \"\"); {put}");
            let goes_on = match length {
                Some(length) => format!("dt_i < dt_p{length}"),
                None => format!("dt_p{at}[dt_i] != NULL"),
            };
            let each = format!("for (int dt_i = 0; dt_p{at} != NULL && {goes_on}; dt_i++) {{ {text} }}");
            format!("dt_put(\"[\"); {each} dt_put(\"]\");")
        }
        CallbackRole::Handle { .. } => match answer.lent(at) {
            [number, ..] => format!("dt_told_object({number});"),
            [] => "dt_put(\"null\");".into(),
        },
        CallbackRole::Handles { length, .. } => format!("dt_put_signed(dt_p{length});"),
        CallbackRole::LengthOf { .. } | CallbackRole::UserData => String::new(),
    }
}

/// How many elements there is room for.
fn room(param: &CallbackParam) -> String {
    match &param.role {
        CallbackRole::Room { capacity, unit: Unit::Bytes, .. } => {
            format!("(dt_p{capacity} / {})", element_size(&param.ty))
        }
        CallbackRole::Room { capacity, .. } => format!("dt_p{capacity}"),
        _ => "0".into(),
    }
}

/// What fills memory: as many as are returned, where that is told, or all.
fn fills(at: usize, param: &CallbackParam, answer: &Answer) -> Option<String> {
    let CallbackRole::Room { returned, .. } = param.role else { return None };
    let (element, constant) = param.ty.pointee()?;
    let to = match element.is_byte() && !constant {
        true => format!("((unsigned char *)dt_p{at})"),
        false => format!("dt_p{at}"),
    };
    let (count, room) = (answer.returns, room(param));
    let end = match returned {
        true => format!("({count} >= 0 && {count} <= (long long){room} ? {count} : 0)"),
        false => format!("(long long){room}"),
    };
    Some(format!("for (long long dt_i = 0; dt_i < {end}; dt_i++) {{ {to}[dt_i] = {FILLED}; }}"))
}

/// Writes a number.
pub(super) fn scalar(value: &str, ty: &CType) -> String {
    match ty.kind {
        Type::Float { .. } => format!("dt_put_float({value});"),
        _ => format!("DT_INT({value});"),
    }
}

/// Writes a text that a NUL ends.
pub(super) fn put_text(encoding: Encoding, value: &str) -> String {
    match encoding {
        Encoding::Utf16 => format!("dt_put_text16({value}, -1);"),
        Encoding::Utf32 | Encoding::Latin1 => format!("dt_put_letters({value}, {}, -1);", encoding.unit()),
        _ => format!("dt_put_text({}, {value});", kind(encoding)),
    }
}

/// The word before a text, quoted: what must be UTF-8 is told from what need not.
pub(super) fn kind(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Utf8 { "\"text\"" } else { "\"data\"" }
}
