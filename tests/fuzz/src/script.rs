//! An input read as choices, one after the other. Behind its end all choices are the first.

/// What is left of an input.
#[derive(Debug, Clone)]
pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Script<'a> {
        Script(input)
    }

    /// Whether all of it was read.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// So many bytes, or as many as are left.
    pub(crate) fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn number<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let taken = self.take(N);
        bytes[..taken.len()].copy_from_slice(taken);
        bytes
    }

    pub(crate) fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.number())
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.number())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.number())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.number())
    }

    /// A number below this, which is 256 at most.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.u8()) % bound
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A number that is often one of these, or close to it.
    pub(crate) fn near(&mut self, choices: &[u64]) -> u64 {
        match self.u8() {
            255 => self.u64(),
            254 => u64::from(self.u16()),
            choice => {
                let choice = usize::from(choice);
                let by = [0, 1, u64::MAX, 8][choice / choices.len() % 4];
                choices[choice % choices.len()].wrapping_add(by)
            }
        }
    }
}
