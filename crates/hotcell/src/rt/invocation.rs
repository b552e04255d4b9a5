//! A call of the library into the application: the arguments of a callback.

use hotcell_protocol::{ErrorKind, Executed};

use super::Element;
use super::reading::{Bad, Granted, Reads, Reference, data, numbers};
use crate::error::{Cause, Error, Result};
use crate::fault::{self, Fault};
use crate::session::{Context, Live};

/// The arguments of a callback, at the offsets of its argument block. Everything is copied and checked, as results are;
/// an error of a method here is to be returned from the callback.
#[derive(Debug)]
pub struct Invocation<'a> {
    live: &'a Live,
    context: Context,
    /// Bytes of the call's result block that are no data.
    fixed: usize,
    limit: u64,
    copied: u64,
    block: &'a [u8],
    /// What is wrong with what the worker said here.
    bad: Option<Bad>,
}

impl<'a> Invocation<'a> {
    pub(super) fn new(
        live: &'a Live,
        context: Context,
        fixed: usize,
        limit: u64,
        block: &'a [u8],
    ) -> Invocation<'a> {
        Invocation { live, context, fixed, limit, copied: 0, block, bad: None }
    }

    numbers!();
    data!();

    /// The UTF-8 texts a reference points to; a null reference is none, and a text that is NULL an error.
    pub fn texts(&mut self, offset: usize) -> Result<Vec<String>> {
        let texts = self.opt_texts(offset)?;
        texts.into_iter().map(|text| self.promised(text)).collect()
    }

    /// The UTF-8 texts a reference points to, some of which may be NULL; a null reference is none.
    pub fn opt_texts(&mut self, offset: usize) -> Result<Vec<Option<String>>> {
        let texts = self.opt_texts_bytes(offset)?;
        texts.into_iter().map(|text| text.map(|bytes| self.utf8(bytes)).transpose()).collect()
    }

    /// The bytes of the texts a reference points to; a null reference is none, and a text that is NULL an error.
    pub fn texts_bytes(&mut self, offset: usize) -> Result<Vec<Vec<u8>>> {
        let texts = self.opt_texts_bytes(offset)?;
        texts.into_iter().map(|text| self.promised(text)).collect()
    }

    /// The bytes of the texts a reference points to, some of which may be NULL; a null reference is none.
    pub fn opt_texts_bytes(&mut self, offset: usize) -> Result<Vec<Option<Vec<u8>>>> {
        self.read_texts(self.reference(offset))
    }

    /// The error of a callback that cannot do what it was called for.
    pub fn failed(&self, message: impl Into<String>) -> Error {
        let fault = Fault { kind: ErrorKind::CallbackFailed, cause: Cause::None, message: message.into() };
        self.context.error(fault, Executed::Maybe, String::new())
    }

    pub(super) fn into_bad(self) -> Option<Bad> {
        self.bad
    }

    pub(crate) fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        &self.block[offset..offset + length]
    }

    pub(crate) fn reference(&self, offset: usize) -> Reference {
        Reference::read(self.bytes(offset, super::reading::REFERENCE))
    }
}

impl Reads for Invocation<'_> {
    fn fetch(&mut self, from: Reference) -> Result<Option<Vec<u8>>> {
        let Invocation { live, fixed, limit, copied, .. } = self;
        let mut granted = Granted { live: Some(live), fixed: *fixed, limit: *limit, copied };
        granted.copy(from).map_err(|bad| self.bad(bad))
    }

    /// The worker is judged when the callback has returned.
    fn bad(&mut self, bad: Bad) -> Error {
        self.bad.get_or_insert(bad);
        let (kind, message) = match bad {
            Bad::Violation(rule) => {
                return self.context.error(fault::violation(rule), Executed::Maybe, String::new());
            }
            Bad::TooMuch => return self.context.too_much_output(self.limit, Executed::Maybe),
            Bad::Lie(text) => (ErrorKind::InvalidReply, text.to_owned()),
            Bad::Lost => return self.context.error(fault::lost(), Executed::Maybe, String::new()),
        };
        self.context.error(Fault { kind, cause: Cause::None, message }, Executed::Maybe, String::new())
    }

    fn context(&self) -> &Context {
        &self.context
    }
}
