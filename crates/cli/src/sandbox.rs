//! The sandbox of a call, from the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotcell::{Profile, Require, Sandbox};

/// What the library may do.
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// What the library may do, instead of what its contract says [default of contracts: compute]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) sandbox: Option<ProfileName>,
    /// Let it read this file or directory
    #[arg(long, value_name = "PATH", requires = "sandbox")]
    pub(crate) read: Vec<PathBuf>,
    /// Let it read and change this file or directory
    #[arg(long, value_name = "PATH", requires = "sandbox")]
    pub(crate) write: Vec<PathBuf>,
    /// Let it connect to this TCP port
    #[arg(long, value_name = "PORT", requires = "sandbox")]
    pub(crate) connect: Vec<u16>,
    /// Let it listen at this TCP port
    #[arg(long, value_name = "PORT", requires = "sandbox")]
    pub(crate) bind: Vec<u16>,
    /// Let it make this system call: `CALL`, or `CALL(arg0 == 1 && arg1 & 0xf == 2)`
    #[arg(long, value_name = "CALL", requires = "sandbox")]
    pub(crate) allow: Vec<String>,
    /// Let it execute no memory that it can write
    #[arg(long, requires = "sandbox")]
    pub(crate) write_xor_execute: bool,
    /// Do not load it unless every restriction is in force
    #[arg(long, requires = "sandbox")]
    pub(crate) strict: bool,
}

/// A profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileName {
    /// Memory, threads and time
    Compute,
    /// Besides, what --read and --write name
    Files,
    /// Besides, what --connect and --bind name
    Network,
    /// All that is named, --allow too
    Custom,
    /// No wall: for libraries that are trusted
    Basic,
}

impl SandboxArgs {
    /// The sandbox that was asked for; none where the contract's is to hold.
    pub(crate) fn sandbox(&self) -> Result<Option<Sandbox>, String> {
        let Some(profile) = self.sandbox else { return Ok(None) };
        let profile = match profile {
            ProfileName::Compute => Profile::Compute,
            ProfileName::Files => Profile::Files,
            ProfileName::Network => Profile::Network,
            ProfileName::Custom => Profile::Custom,
            ProfileName::Basic => Profile::Basic,
        };
        let absolute = |paths: &[PathBuf]| {
            let absolute = |path: &PathBuf| {
                std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
            };
            paths.iter().map(absolute).collect::<Result<Vec<_>, _>>()
        };
        Ok(Some(Sandbox {
            read: absolute(&self.read)?,
            write: absolute(&self.write)?,
            connect: self.connect.clone(),
            bind: self.bind.clone(),
            allow: self.allow.clone(),
            write_xor_execute: self.write_xor_execute,
            require: if self.strict { Require::Strict } else { Require::Offered },
            ..Sandbox::of(profile)
        }))
    }
}
