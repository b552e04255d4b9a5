//! What is left of a call that failed: the library's error, with what the call gave all the same.

use std::any::Any;
use std::borrow::Cow;
use std::io;
use std::panic::resume_unwind;

use hotcell_protocol::{ErrorKind, Executed};

use super::reading::{Bad, Reads};
use super::{Element, Kind, Latin1, OutputField, OutputKind, Reply, TextKind, Utf8, Utf16, Utf32};
use crate::error::{Cause, Error, Output, Result};
use crate::fault::Fault;
use crate::session::Live;

/// Elements of a list that come with an error: more is more than anybody looks at.
const MOST_OUTPUTS: usize = 1 << 20;

/// Why a call that came back is no success.
#[derive(Debug)]
pub(super) enum Failure {
    /// The library's own error, or the application's in a callback.
    Error(Error),
    /// A panic in a callback.
    Panic(Box<dyn Any + Send>),
}

impl Reply<'_> {
    /// That the call did not fail. Where it did, this is its failure, once; a panic of a callback goes on.
    ///
    /// What is there after a failure, as structures that stay in the worker, is read before.
    #[inline]
    pub fn succeeded(&mut self) -> Result<()> {
        match self.call.failure.take() {
            None => Ok(()),
            Some(Failure::Error(error)) => Err(error),
            Some(Failure::Panic(panic)) => resume_unwind(panic),
        }
    }

    /// Whether the call failed, and [`Reply::succeeded`] has not said so yet.
    #[cfg(feature = "dynamic")]
    pub(crate) fn has_failed(&self) -> bool {
        self.call.failure.is_some()
    }

    /// Adds to what comes with the failure: `order` says where it belongs.
    #[cfg(feature = "dynamic")]
    pub(crate) fn add_outputs(&mut self, outputs: Vec<(String, Output)>, order: impl Fn(&str) -> usize) {
        if let Some(Failure::Error(error)) = &mut self.call.failure {
            error.add_outputs(outputs, order);
        }
    }

    /// The library's own failure, from the returned value, the message and what else is there.
    pub(super) fn library_error(&mut self, errno: i32) -> Result<Error> {
        let function = self.function();
        let code = match (function.code, function.returned) {
            (Some(offset), _) => Some(self.get_i64(usize::from(offset))),
            (None, Some(field)) => {
                Some(field.kind.code(self.bytes(usize::from(field.offset), field.kind.size())))
            }
            (None, None) => None,
        };
        let message = match function.message.map(|offset| self.opt_buffer(usize::from(offset))) {
            None => None,
            Some(text) => text?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        };
        let named = |code| function.symbols.binary_search_by_key(&code, |(code, _)| *code).ok();
        let symbol = code.and_then(named).map(|index| function.symbols[index].1);
        let told = message.as_deref().map(shortened);
        let text = match (code, symbol, &told) {
            (Some(code), Some(symbol), Some(message)) => format!("{symbol}: {message} (code {code})"),
            (Some(code), Some(symbol), None) => format!("{symbol} (code {code})"),
            (Some(code), None, Some(message)) => format!("{message} (code {code})"),
            (Some(code), None, None) => format!("code {code}"),
            (None, _, Some(message)) => message.clone().into_owned(),
            (None, _, None) if errno != 0 => io::Error::from_raw_os_error(errno).to_string(),
            (None, _, None) => "it gave no reason".into(),
        };
        let code = code.unwrap_or(0);
        let cause = Cause::Library { code, symbol, message, errno };
        let fault = Fault { kind: ErrorKind::LibraryError, cause, message: text };
        let mut outputs = Vec::with_capacity(function.outputs.len());
        for output in function.outputs {
            outputs.push((output.name.to_owned(), self.output(output)?));
        }
        let live = &mut self.call.turn.live;
        let refused = live.as_mut().and_then(Live::new_refusals);
        let shortage = live.as_mut().and_then(Live::new_shortage);
        let error = self.context().error(fault, Executed::Yes, String::new());
        let mut error = error.with_refused(refused).with_shortage(shortage);
        error.add_outputs(outputs, |_| 0);
        Ok(error)
    }

    fn output(&mut self, output: &OutputField) -> Result<Output> {
        let offset = usize::from(output.offset);
        Ok(match output.kind {
            OutputKind::Bool => Output::Bool(self.get_u8(offset) != 0),
            OutputKind::Number(kind) => number(kind, self.bytes(offset, kind.size())),
            OutputKind::Text => self.opt_buffer(offset)?.map_or(Output::Null, text::<Utf8>),
            OutputKind::WideText => self.opt_buffer(offset)?.map_or(Output::Null, text::<Utf16>),
            OutputKind::Utf32Text => self.opt_buffer(offset)?.map_or(Output::Null, text::<Utf32>),
            OutputKind::Latin1Text => self.opt_buffer(offset)?.map_or(Output::Null, text::<Latin1>),
            OutputKind::Bytes => self.opt_buffer(offset)?.map_or(Output::Null, Output::Bytes),
            OutputKind::Elements(kind) => self.list(offset, kind.size(), |bytes| number(kind, bytes))?,
            OutputKind::Texts => self.texts(offset, text::<Utf8>)?,
            OutputKind::WideTexts => self.texts(offset, text::<Utf16>)?,
            OutputKind::Utf32Texts => self.texts(offset, text::<Utf32>)?,
            OutputKind::Latin1Texts => self.texts(offset, text::<Latin1>)?,
            OutputKind::ByteTexts => self.texts(offset, Output::Bytes)?,
            OutputKind::Bools => self.list(offset, 1, |bytes| Output::Bool(bytes != [0]))?,
            OutputKind::Offset { of, size } => {
                let most = self.argument_length(of) / u64::from(size.max(1));
                let place = self.offset(offset, usize::try_from(most).unwrap_or(usize::MAX))?;
                place.map_or(Output::Null, |distance| Output::Int(distance as i128))
            }
        })
    }

    fn texts(&mut self, offset: usize, read: impl Fn(Vec<u8>) -> Output) -> Result<Output> {
        let Some(texts) = self.read_opt_texts(self.reference(offset))? else { return Ok(Output::Null) };
        if texts.len() > MOST_OUTPUTS {
            return Err(self.bad(Bad::TooMuch));
        }
        Ok(Output::List(texts.into_iter().map(|text| text.map_or(Output::Null, &read)).collect()))
    }

    fn list(&mut self, offset: usize, size: usize, read: impl Fn(&[u8]) -> Output) -> Result<Output> {
        let Some(bytes) = self.opt_buffer(offset)? else { return Ok(Output::Null) };
        self.whole(bytes.len(), size)?;
        // An output is many times as big here as in the worker's memory.
        let count = bytes.len() / size;
        let mut list = Vec::new();
        if count > MOST_OUTPUTS || list.try_reserve_exact(count).is_err() {
            return Err(self.bad(Bad::TooMuch));
        }
        list.extend(bytes.chunks_exact(size).map(read));
        Ok(Output::List(list))
    }
}

/// A text, or the bytes of what is none.
fn text<K: TextKind<Text = String>>(bytes: Vec<u8>) -> Output {
    match K::read(bytes.clone()) {
        Ok(text) => Output::Text(text),
        Err(_) => Output::Bytes(bytes),
    }
}

fn number(kind: Kind, bytes: &[u8]) -> Output {
    match kind {
        Kind::F32 => Output::Float(f32::read(bytes).into()),
        Kind::F64 => Output::Float(f64::read(bytes)),
        Kind::U64 => Output::Int(u64::read(bytes).into()),
        other => Output::Int(other.code(bytes).into()),
    }
}

/// A library's message in a sentence: as much of it as anybody reads. All of it is in the cause.
fn shortened(message: &str) -> Cow<'_, str> {
    const MOST: usize = 4096;
    match message.char_indices().nth(MOST) {
        None => message.into(),
        Some((end, _)) => format!("{} … ({} bytes)", &message[..end], message.len()).into(),
    }
}
