//! The wall of a worker as the host makes it, and as it travels: filters, paths and ports.
//!
//! All of it is made by the host, so that a worker needs to understand no policy. It travels in a sealed memory file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::filter::{self, Instruction, Program};
use crate::policy::{Architecture, Policy, WrongRule};
use crate::profile::Sandbox;
use crate::tables::HARMLESS;
use crate::view::{self, Access, Sight};

/// Everything that a worker puts up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub(crate) load: Program,
    pub(crate) serve: Program,
    /// Paths whose use is refused instead of ending the call.
    pub(crate) refused: Vec<String>,
    pub(crate) load_view: Vec<Sight>,
    pub(crate) serve_view: Vec<Sight>,
    pub(crate) connect: Vec<u16>,
    pub(crate) bind: Vec<u16>,
    /// Whether paths must be judged by the kernel, and ports.
    pub(crate) needs_paths: bool,
    /// Whether it must judge besides who shortens a file.
    pub(crate) needs_lengths: bool,
    pub(crate) needs_ports: bool,
    /// Whether the host is asked about calls, instead of any rule of paths and ports.
    pub(crate) is_traced: bool,
}

impl Plan {
    /// The plan for this machine. `environment` is the worker's.
    pub fn new(sandbox: &Sandbox, environment: &[(String, String)]) -> Result<Plan, WrongRule> {
        let compile = |policy: &Policy| filter::compile(policy, Architecture::NATIVE);
        let harmless = HARMLESS.iter().map(|&path| path.to_owned());
        let serve = Policy::serve(sandbox)?;
        Ok(Plan {
            load: compile(&Policy::load(sandbox)?),
            serve: compile(&serve),
            refused: harmless.chain(sandbox.refuse.iter().cloned()).collect(),
            load_view: view::of_load(sandbox, environment),
            serve_view: view::of_serve(sandbox),
            connect: sandbox.connect.clone(),
            bind: sandbox.bind.clone(),
            needs_paths: sandbox.has_files() || serve.opens_paths(),
            needs_lengths: serve.shortens(),
            needs_ports: sandbox.has_network() || serve.opens_ports(),
            is_traced: false,
        })
    }

    /// The plan for a worker that is traced: what is denied in every profile, and the host is asked about the rest.
    pub fn of_trace() -> Plan {
        let compile = |policy: &Policy| filter::compile(policy, Architecture::NATIVE);
        let (load, serve) = (compile(&Policy::always()), compile(&Policy::asking()));
        Plan { load, serve, is_traced: true, ..Plan::default() }
    }

    /// Paths whose use is refused instead of ending the call; `*` at the end stands for anything.
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// As it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for program in [&self.load, &self.serve] {
            count(&mut out, program.instructions.len());
            for Instruction { code, yes, no, value } in &program.instructions {
                out.extend(code.to_le_bytes());
                out.extend([*yes, *no]);
                out.extend(value.to_le_bytes());
            }
            count(&mut out, program.pids.len());
            program.pids.iter().for_each(|place| out.extend(place.to_le_bytes()));
        }
        count(&mut out, self.refused.len());
        self.refused.iter().for_each(|path| text(&mut out, path.as_bytes()));
        for view in [&self.load_view, &self.serve_view] {
            count(&mut out, view.len());
            for Sight { path, access, optional, is_resolved } in view {
                count(&mut out, *access as usize);
                count(&mut out, usize::from(*optional));
                count(&mut out, usize::from(*is_resolved));
                text(&mut out, path.as_os_str().as_bytes());
            }
        }
        for ports in [&self.connect, &self.bind] {
            count(&mut out, ports.len());
            ports.iter().for_each(|&port| count(&mut out, port.into()));
        }
        count(&mut out, self.needs_paths.into());
        count(&mut out, self.needs_lengths.into());
        count(&mut out, self.needs_ports.into());
        count(&mut out, self.is_traced.into());
        out
    }

    /// What [`Plan::encode`] wrote; none if it is something else.
    pub fn decode(bytes: &[u8]) -> Option<Plan> {
        let mut rest = Rest(bytes);
        let load = rest.program()?;
        let serve = rest.program()?;
        let refused = rest.list(|rest| String::from_utf8(rest.text()?.to_vec()).ok())?;
        let load_view = rest.list(Rest::sight)?;
        let serve_view = rest.list(Rest::sight)?;
        let port = |rest: &mut Rest<'_>| u16::try_from(rest.number()?).ok();
        let (connect, bind) = (rest.list(port)?, rest.list(port)?);
        let (needs_paths, needs_lengths) = (rest.flag()?, rest.flag()?);
        let (needs_ports, is_traced) = (rest.flag()?, rest.flag()?);
        let plan = Plan {
            load,
            serve,
            refused,
            load_view,
            serve_view,
            connect,
            bind,
            needs_paths,
            needs_lengths,
            needs_ports,
            is_traced,
        };
        rest.0.is_empty().then_some(plan)
    }
}

fn count(out: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("a plan has no four billion of anything");
    out.extend(number.to_le_bytes());
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    count(out, bytes.len());
    out.extend(bytes);
}

/// What is left to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    fn flag(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(length as usize)
    }

    fn list<T>(&mut self, read: impl Fn(&mut Rest<'a>) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| read(self)).collect()
    }

    fn instruction(&mut self) -> Option<Instruction> {
        let [code, code_high, yes, no, value @ ..]: [u8; 8] = *self.take(8)?.first_chunk()?;
        Some(Instruction {
            code: u16::from_le_bytes([code, code_high]),
            yes,
            no,
            value: u32::from_le_bytes(value),
        })
    }

    fn program(&mut self) -> Option<Program> {
        let instructions = self.list(Rest::instruction)?;
        let pids = self.list(Rest::number)?;
        let fits = pids.iter().all(|&place| (place as usize) < instructions.len());
        fits.then_some(Program { instructions, pids })
    }

    fn sight(&mut self) -> Option<Sight> {
        let access = match self.number()? {
            0 => Access::Read,
            1 => Access::Write,
            _ => return None,
        };
        let (optional, is_resolved) = (self.flag()?, self.flag()?);
        let path = PathBuf::from(OsStr::from_bytes(self.text()?));
        Some(Sight { path, access, optional, is_resolved })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    /// A call that the kernel's rules judge is not allowed where there are none: it would reach everything.
    #[test]
    fn calls_that_are_judged_by_path_or_port_need_rules_of_them() {
        for (allow, expect) in [
            ("memfd_create", (false, false)),
            ("newfstatat", (false, false)),
            ("openat", (true, false)),
            ("openat(arg2 == 0x80000)", (true, false)),
            ("openat2", (true, false)),
            ("unlink", (true, false)),
            ("truncate", (true, false)),
            ("socket", (false, true)),
            ("socket(arg0 == 10)", (false, true)),
            ("socket(arg0 == 2 && arg1 == 0x80001 && arg2 == 0)", (false, true)),
            ("socket(arg0 == 10 && arg1 == 0x801)", (false, true)),
            ("socket(arg1 == 0x80801 && arg2 == 6)", (false, true)),
            ("socket(arg0:64 == 0x100000002)", (false, true)),
            ("socket(arg0 == 2 && arg5 == 7)", (false, true)),
            ("socket(arg0 == 1)", (false, false)),
            ("socket(arg0 == 2 && arg1 & 0xf == 2)", (false, false)),
        ] {
            let sandbox = Sandbox { allow: vec![allow.into()], ..Sandbox::of(Profile::Custom) };
            let plan = Plan::new(&sandbox, &[]).unwrap();
            assert_eq!((plan.needs_paths, plan.needs_ports), expect, "{allow}");
            assert_eq!(plan.needs_lengths, ["truncate", "openat2"].contains(&allow), "{allow}");
        }
    }

    #[test]
    fn plans_travel_whole_or_not_at_all() {
        let sandbox = Sandbox {
            read: vec!["/etc/hosts".into()],
            write: vec!["/var/tmp".into()],
            connect: vec![443, 65535],
            bind: vec![0],
            allow: vec!["memfd_create(arg1 == 1)".into()],
            refuse: vec!["/etc/xml/*".into()],
            ..Sandbox::of(Profile::Custom)
        };
        let plan = Plan::new(&sandbox, &[]).unwrap();
        let bytes = plan.encode();
        assert_eq!(Plan::decode(&bytes), Some(plan));
        for length in 0..bytes.len() {
            assert_eq!(Plan::decode(&bytes[..length]), None, "{length}");
        }
        assert_eq!(Plan::decode(&[&bytes[..], &[0]].concat()), None);
        let traced = Plan::of_trace();
        assert_eq!(Plan::decode(&traced.encode()), Some(traced));
    }
}
