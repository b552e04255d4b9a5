//! What a package's contract says of the sandbox.

use hotcell_sandbox::{Profile, Require, Sandbox};

/// The contract's key `sandbox`: see [`Sandbox`], where each field is told.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields are those of `Sandbox`")]
pub struct SandboxLines {
    pub profile: Profile,
    pub read: &'static [&'static str],
    pub write: &'static [&'static str],
    pub connect: &'static [u16],
    pub bind: &'static [u16],
    pub allow: &'static [&'static str],
    pub refuse: &'static [&'static str],
    pub load: &'static [&'static str],
    pub write_xor_execute: bool,
    pub require: Require,
}

impl SandboxLines {
    /// Of a contract that says nothing.
    pub const DEFAULT: SandboxLines = SandboxLines {
        profile: Profile::Compute,
        read: &[],
        write: &[],
        connect: &[],
        bind: &[],
        allow: &[],
        refuse: &[],
        load: &[],
        write_xor_execute: false,
        require: Require::Offered,
    };

    /// As a session takes it.
    pub fn sandbox(&self) -> Sandbox {
        fn owned<T: From<&'static str>>(list: &[&'static str]) -> Vec<T> {
            list.iter().map(|&text| T::from(text)).collect()
        }
        Sandbox {
            profile: self.profile,
            read: owned(self.read),
            write: owned(self.write),
            connect: self.connect.to_vec(),
            bind: self.bind.to_vec(),
            allow: owned(self.allow),
            refuse: owned(self.refuse),
            load: owned(self.load),
            write_xor_execute: self.write_xor_execute,
            require: self.require,
        }
    }
}
