//! Functions that the library calls: they write down what they are told and answer what the case says.

use std::fmt::Write as _;

use hotcell_model::interface::{Callback, CallbackParam, CallbackRole, Encoding, Unit};
use hotcell_model::types::{CType, Type};

use super::Body;
use crate::direct::types::{element_size, spell};

impl Body<'_> {
    /// The name of the function passed for a parameter.
    pub(super) fn callback(&self, index: usize) -> String {
        format!("{}_callback_{index}", self.name)
    }

    pub(super) fn write_callback(&mut self, index: usize, callback: &Callback, answer: i64) {
        let params = callback.params.iter().enumerate();
        let params: Vec<String> = params.map(|(at, it)| format!("{} dt_p{at}", spell(&it.ty))).collect();
        let params = if params.is_empty() { "void".into() } else { params.join(", ") };
        let name = self.callback(index);
        let mut lines = vec!["dt_tell();".to_owned()];
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
                    lines.push(told(at, param));
                }
            }
        }
        lines.push("dt_put(\"]\");".into());
        if callback.result.kind != Type::Void {
            lines.push(format!("return {answer};"));
        }
        let result = spell(&callback.result);
        let body = lines.join("\n    ");
        // A String takes everything.
        let _ = write!(self.before, "static {result} {name}({params})\n{{\n    {body}\n}}\n\n");
    }
}

fn told(at: usize, param: &CallbackParam) -> String {
    match &param.role {
        CallbackRole::Value => scalar(&format!("dt_p{at}"), &param.ty),
        CallbackRole::Text { encoding, .. } => put_text(*encoding, &format!("dt_p{at}")),
        CallbackRole::Buffer { length, unit } => {
            let size = if *unit == Unit::Bytes { "1".into() } else { element_size(&param.ty) };
            format!("dt_put_data(\"data\", dt_p{at}, dt_bytes(dt_p{length}, {size}));")
        }
        CallbackRole::Texts { length, encoding, .. } => {
            let put = put_text(*encoding, &format!("dt_p{at}[dt_i]"));
            let text = format!("dt_put(dt_i > 0 ? \",\" : \"\"); {put}");
            let each =
                format!("for (int dt_i = 0; dt_p{at} != NULL && dt_i < dt_p{length}; dt_i++) {{ {text} }}");
            format!("dt_put(\"[\"); {each} dt_put(\"]\");")
        }
        // What is lent for the time of the callback has no number.
        CallbackRole::Handle { .. } => format!("dt_put(dt_p{at} == NULL ? \"null\" : \"\\\"object\\\"\");"),
        CallbackRole::Handles { length, .. } => format!("dt_put_signed(dt_p{length});"),
        CallbackRole::LengthOf { .. } | CallbackRole::UserData => String::new(),
    }
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
        _ => format!("dt_put_text({}, {value});", kind(encoding)),
    }
}

/// The word before a text, quoted: what must be UTF-8 is told from what need not.
pub(super) fn kind(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Utf8 { "\"text\"" } else { "\"data\"" }
}
