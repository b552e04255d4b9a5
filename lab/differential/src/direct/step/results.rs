//! The statements behind a call: whether it failed, and everything that came back.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Encoding, Fails, Ownership, ResultLength, ResultRole, Role, Unit};
use hotcell_model::types::CType;

use super::Body;
use super::callbacks::{kind, put_text, scalar};
use crate::direct::expression::{number, plain};
use crate::direct::types::{element_size, spell};

impl Body<'_> {
    pub(super) fn results(&mut self) {
        self.failure();
        self.takes(true);
        for index in 0..self.function.params.len() {
            if let (Role::Handle { invalidates: true, .. }, Some(number)) =
                (&self.param(index).role.value, self.object(index))
            {
                self.line(format!("dt_invalidate({number});"));
            }
        }
        self.put("{\"returned\":");
        self.returned();
        self.put(",\"outs\":[");
        let mut first = true;
        for index in 0..self.function.params.len() {
            if self.param(index).role.value.is_result() {
                let comma = if std::mem::take(&mut first) { "" } else { "," };
                self.put(&format!("{comma}[\"{}\",", self.param(index).name));
                self.out(index);
                self.put("]");
            }
        }
        self.put("]}");
        self.line("dt_close();");
    }

    fn failure(&mut self) {
        let Some(rule) = self.function.error.as_ref().map(|rule| &rule.value) else { return };
        let failed = match &rule.fails {
            Fails::Nonzero => "dt_r != 0".into(),
            Fails::Zero => "dt_r == 0".into(),
            Fails::Negative => "dt_r < 0".into(),
            Fails::Null => "dt_r == NULL".into(),
            Fails::When { condition } => format!("{} != 0", number(self.function, condition)),
        };
        match self.function.jumps(&self.interface.handles).is_empty() {
            true => self.line(format!("if ({failed}) {{")),
            false => self.line(format!("if (dt_jumped || {failed}) {{")),
        }
        self.put("{\"failed\":{\"code\":");
        match &rule.code {
            Some(code) => self.line(format!("int64_t dt_c = {};", number(self.function, code))),
            None if self.function.result_type.is_scalar() => self.line("int64_t dt_c = dt_r;"),
            None => self.line("int64_t dt_c = 0;"),
        }
        self.line("dt_put_signed(dt_c);");
        self.put(",\"symbol\":");
        self.symbol(rule.symbols.as_deref());
        self.put(",\"message\":");
        match rule.told_by {
            Some(index) => {
                self.line(format!("if (dt_o{index} != NULL) dt_put_text(\"data\", dt_o{index}); else {{"));
                self.message(rule.message.as_ref());
                self.line("}");
            }
            None => self.message(rule.message.as_ref()),
        }
        self.put(",\"errno\":");
        self.line("dt_put_signed(dt_e);");
        self.put(",\"outs\":[");
        let left = (0..self.function.params.len()).filter(|index| is_left(&self.param(*index).role.value));
        for (position, index) in left.collect::<Vec<_>>().into_iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            self.put(&format!("{comma}[\"{}\",", self.param(index).name));
            self.left(index);
            self.put("]");
        }
        self.put("]}}");
        for index in 0..self.function.params.len() {
            self.leave(index);
        }
        if let Fails::Nonzero = rule.fails {
            self.release();
        }
        self.line("dt_close(); return;");
        self.line("}");
    }

    /// What a failed call left in a parameter. Memory that is the caller's goes back afterwards.
    fn left(&mut self, index: usize) {
        match &self.param(index).role.value {
            Role::TextOut { encoding, .. } => {
                self.line(format!("dt_put_text({}, dt_o{index});", kind(*encoding)));
            }
            Role::TextsOut { length, encoding, .. } => {
                self.texts_out(&format!("dt_o{index}"), Some(length), *encoding);
            }
            Role::DataOut { length, .. } => self.data_out(index, length),
            Role::BufferOut { result, .. } | Role::BufferInOut { result, .. } => {
                self.filled(index, result);
                let told = format!("dt_f{index} >= 0 && dt_f{index} <= (int64_t)dt_n{index}");
                let bytes = format!("({told} ? dt_f{index} : 0)");
                match self.param(index).structures() {
                    Some(record) => self.structures_out(record, &format!("dt_a{index}"), &bytes),
                    None => self.line(format!("dt_put_data(\"data\", dt_a{index}, {bytes});")),
                }
            }
            // Its end comes with what else ends.
            Role::Resident { record, .. } => self.resident_out(index, record, false),
            _ => self.out(index),
        }
    }

    fn symbol(&mut self, set: Option<&str>) {
        let number = set.and_then(|set| self.interface.symbols.keys().position(|key| key == set));
        match number {
            Some(number) => self.line(format!("dt_put(dt_symbols_{number}(dt_c));")),
            None => self.put("null"),
        }
    }

    fn message(&mut self, message: Option<&Expr>) {
        let Some(message) = message else { return self.put("null") };
        let value = plain(self.function, message);
        if let Expr::Param { index } = message
            && let Role::BufferOut { .. } | Role::BufferInOut { .. } = self.param(*index).role.value
        {
            return self.line(format!("dt_put_data(\"data\", {value}, strnlen({value}, dt_n{index}));"));
        }
        self.line(format!("dt_put_text(\"data\", {value});"));
    }

    /// After a failure: what came out all the same and is the caller's goes back.
    fn leave(&mut self, index: usize) {
        match &self.param(index).role.value {
            Role::TextOut { ownership, valid_on_error: true, .. }
            | Role::TextsOut { ownership, valid_on_error: true, .. }
            | Role::DataOut { ownership, valid_on_error: true, .. }
            | Role::HandleOut { ownership, valid_on_error: true, .. } => {
                if let Ownership::Owned { release } = ownership {
                    self.line(format!("if (dt_o{index} != NULL) {release}((void *)dt_o{index});"));
                }
            }
            // An object that did not begin is none.
            Role::Resident { starts: Some(_), .. } => {
                if let Some(number) = self.object(index) {
                    self.line(format!(
                        "if (dt_b{index}) {{ dt_end({number}); dt_objects[{number}].pointer = NULL; }}"
                    ));
                }
            }
            Role::Resident { consumed: true, .. } => {
                if let Some(number) = self.object(index) {
                    self.line(format!("dt_end({number});"));
                }
            }
            _ => {}
        }
    }

    fn returned(&mut self) {
        let function = self.function;
        match &function.result.value {
            ResultRole::Value => self.line(scalar("dt_r", &function.result_type)),
            ResultRole::Text { encoding, nullable, length, .. } => {
                if !nullable {
                    self.line("if (dt_r == NULL) dt_lied();");
                }
                match length {
                    Some(length) => {
                        let length = format!("dt_bytes({}, 1)", number(function, length));
                        self.line(match encoding {
                            Encoding::Utf16 => format!("dt_put_text16(dt_r, dt_r == NULL ? 0 : {length});"),
                            Encoding::Utf32 | Encoding::Latin1 => {
                                let unit = encoding.unit();
                                format!("dt_put_letters(dt_r, {unit}, dt_r == NULL ? 0 : {length});")
                            }
                            _ => {
                                let kind = kind(*encoding);
                                format!("dt_put_data({kind}, dt_r, dt_r == NULL ? 0 : {length});")
                            }
                        });
                    }
                    None => self.line(put_text(*encoding, "dt_r")),
                }
                self.release();
            }
            ResultRole::Texts { length, encoding, nullable, .. } => {
                if !nullable {
                    self.line("if (dt_r == NULL) dt_lied();");
                }
                self.texts_out("dt_r", length.as_ref(), *encoding);
                self.release();
            }
            ResultRole::Buffer { length, nullable, .. } => {
                if !nullable {
                    self.line("if (dt_r == NULL) dt_lied();");
                }
                let size = element_size(&function.result_type);
                let length = format!("dt_bytes({}, {size})", number(function, length));
                match function.returned_structures() {
                    Some(record) => {
                        self.line(format!("int64_t dt_f = dt_r == NULL ? 0 : {length};"));
                        self.line("if (dt_f < 0) dt_lied();");
                        self.structures_out(record, "dt_r", "dt_f");
                    }
                    None => {
                        let length = format!("dt_r == NULL ? 0 : {length}");
                        self.line(format!("dt_put_data(\"data\", dt_r, {length});"));
                    }
                }
                self.release();
            }
            ResultRole::Handle { handle, ownership, parent, nullable } => {
                if !nullable {
                    self.line("if (dt_r == NULL) dt_lied();");
                }
                self.hand_out(None, "dt_r", handle, ownership, *parent);
            }
            ResultRole::Struct { record, .. } => {
                let pointer = function.result_type.pointee().is_some();
                match pointer {
                    true => {
                        self.line("if (dt_r == NULL) dt_put(\"null\"); else {");
                        self.fields_out(record, "(*dt_r)", None, &[]);
                        self.line("}");
                        self.release();
                    }
                    false => self.fields_out(record, "dt_r", None, &[]),
                }
            }
            ResultRole::Void | ResultRole::Status | ResultRole::LengthOf { .. } => self.put("null"),
        }
    }

    fn hand_out(
        &mut self,
        place: Option<usize>,
        value: &str,
        handle: &str,
        ownership: &Ownership,
        parent: Option<usize>,
    ) {
        let Some(&number) = self.gives.get(&place) else { return self.put("null") };
        let parent = parent.and_then(|index| self.object(index)).map_or("-1".to_owned(), |it| it.to_string());
        let owned = u8::from(matches!(ownership, Ownership::Owned { .. }));
        let ty = self.type_number(handle);
        self.line(format!("dt_hand_out({number}, {ty}, {value}, {parent}, {owned});"));
    }

    /// Gives returned memory back that is the caller's.
    fn release(&mut self) {
        if let ResultRole::Text { ownership, .. }
        | ResultRole::Texts { ownership, .. }
        | ResultRole::Buffer { ownership, .. }
        | ResultRole::Struct { ownership, .. } = &self.function.result.value
            && let Ownership::Owned { release } = ownership
        {
            self.line(format!("if (dt_r != NULL) {release}((void *)dt_r);"));
        }
    }

    fn out(&mut self, index: usize) {
        let param = self.param(index);
        let value = format!("dt_o{index}");
        match &param.role.value {
            Role::ValueOut { .. } | Role::ValueInOut { .. } => {
                let ty: &CType = param.ty.pointee().map_or(&param.ty, |(ty, _)| ty);
                self.line(scalar(&value, ty));
            }
            Role::BufferOut { result, .. } | Role::BufferInOut { result, .. } => {
                self.buffer_out(index, result)
            }
            Role::TextOut { encoding, ownership, .. } => {
                self.line(put_text(*encoding, &value));
                self.give_back(&value, ownership);
            }
            Role::TextsOut { length, encoding, ownership, .. } => {
                self.texts_out(&value, Some(length), *encoding);
                self.give_back(&value, ownership);
            }
            Role::DataOut { length, ownership, .. } => {
                self.data_out(index, length);
                self.give_back(&value, ownership);
            }
            Role::OffsetOut { param: of, .. } => {
                let start = format!("(({})dt_a{of})", spell(&self.param(*of).ty));
                let encoding = match self.param(*of).role.value {
                    Role::Text { encoding, .. } => encoding,
                    _ => Encoding::Bytes,
                };
                let (wide, unit) = (encoding.is_converted(), encoding.unit());
                let size = if wide { unit.to_string() } else { element_size(&self.param(*of).ty) };
                let moved = format!("((char *){value} - (char *){start})");
                let inside = format!("{moved} >= 0 && {moved} <= (int64_t)dt_n{of}");
                self.line(format!("if ({value} != NULL && !({inside})) dt_lied();"));
                let put = match encoding {
                    Encoding::Utf16 => format!("dt_put_place16({start}, "),
                    Encoding::Utf32 | Encoding::Latin1 => format!("dt_put_place_letters({start}, {unit}, "),
                    Encoding::Utf8 | Encoding::Bytes => "dt_put_signed(".to_owned(),
                };
                self.line(format!(
                    "if ({value} == NULL) dt_put(\"null\"); else {put}{moved} / (int64_t){size});"
                ));
            }
            Role::HandleOut { handle, ownership, parent, .. } => {
                self.hand_out(Some(index), &value, handle, ownership, *parent);
            }
            Role::Struct { record, .. } => self.structure_out(index, record),
            Role::Resident { record, consumed, .. } => self.resident_out(index, record, *consumed),
            _ => self.put("null"),
        }
    }

    /// Writes the texts of an array.
    fn texts_out(&mut self, array: &str, length: Option<&Expr>, encoding: Encoding) {
        let end = match length {
            Some(length) => {
                let count = number(self.function, length);
                self.line(format!(
                    "{{ __int128 dt_k = {array} == NULL ? 0 : {count}; if (dt_k < 0) dt_lied();"
                ));
                "dt_i < dt_k".to_owned()
            }
            None => {
                self.line("{");
                format!("{array}[dt_i] != NULL")
            }
        };
        self.line(format!("if ({array} == NULL) dt_put(\"null\"); else {{ dt_put(\"[\");"));
        let put = put_text(encoding, &format!("{array}[dt_i]"));
        self.line(format!(
            "for (int64_t dt_i = 0; {end}; dt_i++) {{ dt_put(dt_i > 0 ? \",\" : \"\"); {put} }}"
        ));
        self.line("dt_put(\"]\"); } }");
    }

    fn data_out(&mut self, index: usize, length: &Expr) {
        let size = self.param(index).ty.pointee().map_or("1".into(), |(pointer, _)| element_size(pointer));
        let length = format!("dt_bytes({}, {size})", number(self.function, length));
        self.line(format!("dt_put_data(\"data\", dt_o{index}, dt_o{index} == NULL ? 0 : {length});"));
    }

    fn give_back(&mut self, value: &str, ownership: &Ownership) {
        if let Ownership::Owned { release } = ownership {
            self.line(format!("if ({value} != NULL) {release}((void *){value});"));
        }
    }

    fn buffer_out(&mut self, index: usize, result: &ResultLength) {
        self.filled(index, result);
        self.line(format!("if (dt_f{index} < 0 || dt_f{index} > (int64_t)dt_n{index}) dt_lied();"));
        match self.param(index).structures() {
            Some(record) => self.structures_out(record, &format!("dt_a{index}"), &format!("dt_f{index}")),
            None => self.line(format!("dt_put_data(\"data\", dt_a{index}, dt_f{index});")),
        }
    }

    /// The bytes that a buffer is said to hold.
    fn filled(&mut self, index: usize, result: &ResultLength) {
        let size = element_size(&self.param(index).ty);
        let filled = match result {
            ResultLength::Full => format!("dt_n{index}"),
            ResultLength::Pointer { param } => {
                let unit = match self.param(*param).role.value {
                    Role::LengthPointerOf { unit: Unit::Bytes, .. } => "1",
                    _ => &size,
                };
                format!("dt_bytes(dt_o{param}, {unit})")
            }
            // A negative number is a length only where the caller sees it.
            ResultLength::Returned if self.function.result.value == ResultRole::Value => {
                format!("(dt_r < 0 ? 0 : dt_bytes(dt_r, {size}))")
            }
            ResultLength::Returned => format!("dt_bytes(dt_r, {size})"),
            ResultLength::Text => format!("strnlen(dt_a{index}, dt_n{index})"),
            ResultLength::Elements { size: elements } => {
                format!("dt_bytes({}, {size})", number(self.function, elements))
            }
        };
        self.line(format!("int64_t dt_f{index} = dt_a{index} == NULL ? 0 : {filled};"));
    }
}

/// Whether a parameter means something when the call failed, beside objects.
fn is_left(role: &Role) -> bool {
    match role {
        Role::ValueOut { valid_on_error }
        | Role::ValueInOut { valid_on_error }
        | Role::BufferOut { valid_on_error, .. }
        | Role::BufferInOut { valid_on_error, .. }
        | Role::TextOut { valid_on_error, .. }
        | Role::TextsOut { valid_on_error, .. }
        | Role::DataOut { valid_on_error, .. }
        | Role::OffsetOut { valid_on_error, .. } => *valid_on_error,
        other => other.stays_after_failure(),
    }
}
