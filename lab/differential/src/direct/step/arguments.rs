//! The statements before a call. What a parameter stands on is written before it.

use std::io;
use std::sync::Arc;

use hotcell_model::interface::{Capacity, Encoding, Param, Role, Unit};

use super::Body;
use crate::direct::expression::{number, parameters};
use crate::direct::literal::{self, text};
use crate::direct::types::{element_size, pointee, spell};
use crate::plan::Input;

impl Body<'_> {
    pub(super) fn arguments(&mut self) -> io::Result<()> {
        for index in 0..self.function.params.len() {
            if let Some(number) = self.object(index) {
                // Where an object begins there is none: one that is there, or has ended, does not begin again.
                self.line(match self.begins(index) {
                    true => format!(
                        "if (dt_objects[{number}].pointer != NULL) \
                         {{ if (dt_usable({number})) dt_say(\"refused\", \"\"); return; }}"
                    ),
                    false => format!("if (!dt_usable({number})) return;"),
                });
            }
        }
        (0..self.function.params.len()).try_for_each(|index| self.argument(index))?;
        self.short_buffers();
        if let Some(requires) = &self.function.requires {
            let holds = number(self.function, &requires.condition);
            self.line(format!("if (!{holds}) {{ dt_say(\"refused\", \"\"); return; }}"));
        }
        for index in 0..self.function.params.len() {
            let given = match self.param(index).role.value {
                Role::Handle { consumed, .. } | Role::Resident { consumed, .. } => consumed,
                _ => false,
            };
            if let (true, Some(number)) = (given, self.object(index)) {
                self.line(format!("if (!dt_givable({number})) return;"));
                // What goes must not be passed a second time, nor anything that goes with it.
                let others = (0..self.function.params.len()).filter(|other| *other != index);
                let others: Vec<usize> = others.flat_map(|other| self.objects(other)).collect();
                for other in others {
                    self.line(format!(
                        "if (dt_goes_with({other}, {number})) {{ dt_say(\"refused\", \"\"); return; }}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether an object begins with this call.
    fn begins(&self, index: usize) -> bool {
        matches!(self.param(index).role.value, Role::Resident { starts: Some(_), .. })
    }

    fn argument(&mut self, index: usize) -> io::Result<()> {
        if std::mem::replace(&mut self.done[index], true) {
            return Ok(());
        }
        let param: &Param = self.param(index);
        let (ty, input) = (spell(&param.ty), self.input(index));
        match &param.role.value {
            Role::Value => self.line(format!("{ty} dt_a{index} = {};", literal::number(input))),
            Role::Text { encoding, .. } => {
                let (memory, length) = self.text(input, *encoding)?;
                self.line(format!("void *dt_a{index} = {memory};"));
                self.line(format!("size_t dt_n{index} = {length};"));
            }
            Role::BufferIn { .. } | Role::BufferInOut { .. } if param.structures().is_some() => {
                self.structures(index, param.structures().unwrap_or_default())?;
            }
            Role::BufferIn { .. } | Role::BufferInOut { .. } => {
                let memory = self.memory(input)?;
                self.line(format!("void *dt_a{index} = {memory};"));
                self.line(format!("size_t dt_n{index} = {};", input.bytes().map_or(0, |data| data.len())));
            }
            Role::LengthOf { param, unit } | Role::CapacityOf { param, unit } => {
                self.argument(*param)?;
                self.line(format!("{ty} dt_a{index} = {};", self.count(*param, *unit)));
            }
            Role::LengthPointerOf { param: buffer, unit } => {
                self.argument(*buffer)?;
                let pointee = pointee(&param.ty);
                self.line(format!("{pointee} dt_o{index} = {};", self.count(*buffer, *unit)));
            }
            Role::BufferOut { capacity, .. } => {
                let elements = match capacity {
                    Capacity::Caller => literal::number(input),
                    Capacity::Elements { size } => {
                        parameters(size).into_iter().try_for_each(|it| self.argument(it))?;
                        number(self.function, size)
                    }
                };
                let size = element_size(&param.ty);
                self.line(format!("int64_t dt_n{index} = dt_bytes({elements}, {size});"));
                let refuse = self.refuse(index);
                self.line(format!("if (dt_n{index} < 0) {refuse}"));
                self.line(format!("void *dt_a{index} = calloc(1, dt_n{index} == 0 ? 1 : dt_n{index});"));
            }
            Role::ValueOut { .. } => self.line(format!("{} dt_o{index} = {{0}};", pointee(&param.ty))),
            Role::ValueInOut { .. } => {
                self.line(format!("{} dt_o{index} = {};", pointee(&param.ty), literal::number(input)));
            }
            Role::TextsOut { .. } => self.line(format!("{} dt_o{index} = NULL;", pointee(&param.ty))),
            Role::TextOut { .. } | Role::DataOut { .. } | Role::OffsetOut { .. } | Role::HandleOut { .. } => {
                self.line(format!("{} dt_o{index} = NULL;", pointee(&param.ty)));
            }
            Role::Texts { encoding, .. } => self.texts(index, *encoding)?,
            Role::Handle { .. } => {
                let object = self.object(index).map(|number| format!("dt_objects[{number}].pointer"));
                self.line(format!("void *dt_a{index} = {};", object.unwrap_or("NULL".into())));
            }
            Role::Handles { .. } => self.handles(index),
            Role::Struct { record, .. } => self.structure(index, record)?,
            Role::Resident { record, .. } => self.resident(index, record)?,
            Role::Callback { callback, .. } => {
                if let Input::Callback(answer) = input {
                    self.write_callback(index, callback, answer)?;
                }
            }
            Role::Fixed { .. } | Role::UserData { .. } => {}
        }
        Ok(())
    }

    /// An expression for fresh memory with the bytes of a buffer.
    pub(super) fn memory(&mut self, input: &Input) -> io::Result<String> {
        match input.bytes() {
            Some(data) => self.pool.memory(data, 0),
            None => Ok("NULL".into()),
        }
    }

    /// An expression for fresh memory with a text, and its bytes without the NUL.
    pub(super) fn text(&mut self, input: &Input, encoding: Encoding) -> io::Result<(String, usize)> {
        let Some(data) = input.bytes() else { return Ok(("NULL".into(), 0)) };
        let data = match encoding {
            Encoding::Utf16 => {
                let units = String::from_utf8_lossy(data).encode_utf16().collect::<Vec<u16>>();
                units.into_iter().flat_map(u16::to_le_bytes).collect()
            }
            Encoding::Utf32 => {
                let text = String::from_utf8_lossy(data);
                text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect()
            }
            Encoding::Latin1 => {
                let text = String::from_utf8_lossy(data);
                text.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect()
            }
            Encoding::Utf8 | Encoding::Bytes => Arc::clone(data),
        };
        Ok((self.pool.memory(&data, encoding.unit())?, data.len()))
    }

    fn texts(&mut self, index: usize, encoding: Encoding) -> io::Result<()> {
        let Input::List(texts) = self.input(index) else {
            self.line(format!("void *dt_a{index} = NULL; size_t dt_n{index} = 0;"));
            return Ok(());
        };
        let mut list = String::new();
        for text in texts {
            list.push_str(&self.text(text, encoding)?.0);
            list.push_str(", ");
        }
        self.line(format!("char *dt_t{index}[] = {{{list}NULL}};"));
        self.line(format!("void *dt_a{index} = dt_t{index}; size_t dt_n{index} = {};", texts.len()));
        Ok(())
    }

    /// The objects that are passed for a parameter.
    fn objects(&self, index: usize) -> Vec<usize> {
        let of = |input: &Input| match input {
            Input::Object(number) | Input::Resident(number, _) => Some(*number),
            _ => None,
        };
        match self.input(index) {
            Input::List(list) => list.iter().filter_map(of).collect(),
            input => of(input).into_iter().collect(),
        }
    }

    /// Objects one behind the other.
    fn handles(&mut self, index: usize) {
        if !matches!(self.input(index), Input::List(_)) {
            self.line(format!("void *dt_a{index} = NULL; size_t dt_n{index} = 0;"));
            return;
        }
        let objects = self.objects(index);
        for number in &objects {
            self.line(format!("if (!dt_usable({number})) return;"));
        }
        let list: String = objects.iter().map(|it| format!("dt_objects[{it}].pointer, ")).collect();
        self.line(format!("void *dt_t{index}[] = {{{list}NULL}};"));
        self.line(format!("void *dt_a{index} = dt_t{index}; size_t dt_n{index} = {};", objects.len()));
    }

    /// A buffer's length in what its length parameter counts.
    fn count(&self, buffer: usize, unit: Unit) -> String {
        match (&self.param(buffer).role.value, unit) {
            (Role::Texts { .. } | Role::Handles { .. }, _) | (_, Unit::Bytes) => format!("dt_n{buffer}"),
            (Role::Text { encoding, .. }, Unit::Elements) => format!("dt_n{buffer} / {}", encoding.unit()),
            _ => format!("dt_n{buffer} / {}", element_size(&self.param(buffer).ty)),
        }
    }

    fn refuse(&self, index: usize) -> String {
        format!("{{ dt_say(\"refused\", {}); return; }}", text(&self.param(index).name))
    }

    /// Buffers shorter than what the function will read, and lists of another length, are for the contained side to refuse.
    fn short_buffers(&mut self) {
        for index in 0..self.function.params.len() {
            if let Role::BufferIn { length: Some(length), .. }
            | Role::BufferInOut { length: Some(length), .. } = &self.param(index).role.value
            {
                let size = element_size(&self.param(index).ty);
                let needed = format!("dt_bytes({}, {size})", number(self.function, length));
                let short = format!("{needed} < 0 || dt_a{index} != NULL && (int64_t)dt_n{index} < {needed}");
                let refuse = self.refuse(index);
                self.line(format!("if ({short}) {refuse}"));
            }
            // Of two lists that belong together, each is as long as the other.
            if let Role::Texts { length: Some(length), .. } = &self.param(index).role.value {
                let (needed, refuse) = (number(self.function, length), self.refuse(index));
                self.line(format!("if (dt_a{index} != NULL && (int64_t)dt_n{index} != {needed}) {refuse}"));
            }
        }
    }
}
