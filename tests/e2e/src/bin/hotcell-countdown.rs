//! Runs a host and counts the system calls of it or of one of its workers, as ptrace sees them; or ends it with SIGKILL at one of them. Then
//! waits until nothing is left that descends from the host, and says what it saw.
//!
//!     hotcell-countdown count VICTIM HOST WORDS…
//!     hotcell-countdown before|after VICTIM CALL TIME HOST WORDS…
//!
//! A victim is `host`, `worker-0` for the worker that serves when the scenario begins, or for the first to be started in it, `worker-1` for the
//! next, and so `keeper-0`: the process that removes a directory behind its host. Where the first word for the host is `served` its supervisor is another process,
//! `server-0`, which it has started.
//! `before mmap 3` ends it where it is about to make its third `mmap`, which is not made; `after` where it has returned from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::ptr;
use std::time::Instant;

use hotcell_sandbox::Syscall;
use serde_json::{Value, json};

/// System calls that no kernel has: the host tells where its scenario begins, and where it is over.
const BEGINS: u64 = 0x7fff_0001;
const IS_OVER: u64 = 0x7fff_0002;

/// What it exits with where nobody may trace.
const NOT_ALLOWED: i32 = 77;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (end, victim, host) = match words.as_slice() {
        ["count", victim, host @ ..] => (None, *victim, host),
        [when @ ("before" | "after"), victim, call, time, host @ ..] => {
            let time = time.parse().expect("which time");
            (Some(End { call: (*call).to_owned(), time, after: *when == "after" }), *victim, host)
        }
        other => panic!("what is {other:?}?"),
    };
    let [program, words @ ..] = host else { panic!("a host") };
    // What its host leaves behind is this process's to wait for, and no other's.
    // SAFETY: no memory is involved.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    let mut command = Command::new(program);
    command.args(words).stdout(Stdio::piped());
    // SAFETY: between fork and exec the child makes one system call, which may be made there.
    unsafe {
        command.pre_exec(|| match trace(libc::PTRACE_TRACEME, 0, 0) {
            true => Ok(()),
            false => Err(io::Error::last_os_error()),
        });
    }
    let mut child = match command.spawn() {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => std::process::exit(NOT_ALLOWED),
        spawned => spawned.expect("the host can be started"),
    };
    let host = child.id().cast_signed();
    let mut tracer = Tracer::new(host, victim.to_owned(), end, words.first() == Some(&"served"));
    tracer.run();
    let mut said = String::new();
    // Nobody has the other end any more.
    child.stdout.take().map(|mut output| output.read_to_string(&mut said));
    println!("{}", tracer.account(&said));
}

/// Where the victim is ended.
struct End {
    call: String,
    time: u32,
    after: bool,
}

/// What a process has done since the scenario began.
#[derive(Default)]
struct Process {
    /// How often it has made each system call.
    calls: BTreeMap<u64, u32>,
    /// The calls, in order.
    steps: Vec<u64>,
}

struct Tracer {
    host: i32,
    victim: String,
    end: Option<End>,
    /// Living processes by number.
    processes: BTreeMap<i32, Process>,
    /// The steps of the victim, when it has ended.
    counted: Vec<u64>,
    /// Threads, and the process of each.
    threads: BTreeMap<i32, i32>,
    /// Workers in the order in which they were born, but for those that had ended when the scenario began.
    workers: Vec<i32>,
    /// So for keepers, and for those that the host has started besides.
    keepers: Vec<i32>,
    servers: Vec<i32>,
    /// Whether its supervisor is another process.
    is_served: bool,
    /// All processes that there were.
    seen: Vec<i32>,
    begun: bool,
    over: bool,
    /// The thread that is to be ended when it has returned.
    returning: Option<i32>,
    /// Who was ended, when, and by which signal.
    ended: Option<(i32, Instant)>,
    signal: Option<i32>,
    status: Option<i32>,
    /// How long it took until nothing was left.
    took: Option<u128>,
    /// Memory that was shared then.
    files: BTreeSet<String>,
}

impl Tracer {
    fn new(host: i32, victim: String, end: Option<End>, is_served: bool) -> Tracer {
        Tracer {
            host,
            victim,
            end,
            processes: BTreeMap::new(),
            counted: Vec::new(),
            threads: BTreeMap::new(),
            workers: Vec::new(),
            keepers: Vec::new(),
            servers: Vec::new(),
            is_served,
            seen: Vec::new(),
            begun: false,
            over: false,
            returning: None,
            ended: None,
            signal: None,
            status: None,
            took: None,
            files: BTreeSet::new(),
        }
    }

    /// Until nothing is left that descends from the host.
    fn run(&mut self) {
        let mut status = 0;
        loop {
            // SAFETY: the status is a place to write to.
            let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
            if thread < 0 {
                assert_eq!(io::Error::last_os_error().raw_os_error(), Some(libc::ECHILD));
                self.took = self.ended.map(|(_, at)| at.elapsed().as_millis());
                return;
            }
            if libc::WIFSTOPPED(status) {
                self.stopped(thread, status);
            } else {
                self.gone(thread, status);
            }
        }
    }

    fn gone(&mut self, thread: i32, status: i32) {
        self.threads.remove(&thread);
        let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
        if self.ended.is_some_and(|(process, _)| process == thread) {
            self.signal = signal;
        }
        if thread == self.host {
            self.status = Some(signal.map_or_else(|| libc::WEXITSTATUS(status), |signal| 128 + signal));
        }
        if let Some(process) = self.processes.remove(&thread)
            && self.is_victim(thread)
        {
            self.counted = process.steps;
        }
    }

    fn stopped(&mut self, thread: i32, status: i32) {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        let is_new = !self.threads.contains_key(&thread);
        if is_new {
            self.born(thread);
        }
        if signal == libc::SIGTRAP | 0x80 {
            self.called(thread);
            return match self.over && self.threads.get(&thread) == Some(&self.host) {
                // What it does now is of no interest.
                true => _ = trace(libc::PTRACE_CONT, thread, 0),
                false => go_on(thread, 0),
            };
        }
        if event != 0 {
            return go_on(thread, 0);
        }
        // The host stops as it begins, and each new thread; other signals are the program's own.
        let begins = is_new && matches!(signal, libc::SIGSTOP | libc::SIGTRAP);
        go_on(thread, if begins { 0 } else { signal });
    }

    fn born(&mut self, thread: i32) {
        if self.threads.is_empty() {
            // What descends from it inherits them. Should this program end before it, so does all of that.
            let options = libc::PTRACE_O_TRACESYSGOOD
                | libc::PTRACE_O_TRACECLONE
                | libc::PTRACE_O_TRACEFORK
                | libc::PTRACE_O_TRACEVFORK
                | libc::PTRACE_O_TRACEEXEC
                | libc::PTRACE_O_EXITKILL;
            assert!(trace(libc::PTRACE_SETOPTIONS, thread, options.into()), "the host can be traced");
        }
        let process = status_of(thread, "Tgid:").and_then(|process| process.parse().ok()).unwrap_or(thread);
        self.threads.insert(thread, process);
        if process == thread {
            // Until it executes its program it has the name of the thread that made it.
            let is_of_host = status_of(thread, "PPid:") == Some(self.host.to_string());
            match status_of(thread, "Name:") {
                Some(name) if name == "hotcell-spawner" => self.workers.push(thread),
                _ if thread == self.host => {}
                _ if self.is_served && is_of_host => self.servers.push(thread),
                _ => self.keepers.push(thread),
            }
            self.seen.push(thread);
            self.processes.insert(thread, Process::default());
        }
    }

    fn is_victim(&self, process: i32) -> bool {
        let Some((kind, number)) = self.victim.split_once('-') else { return process == self.host };
        let some = match kind {
            "worker" => &self.workers,
            "server" => &self.servers,
            _ => &self.keepers,
        };
        self.begun && number.parse().is_ok_and(|number: usize| some.get(number) == Some(&process))
    }

    /// A thread enters a system call, or leaves it.
    fn called(&mut self, thread: i32) {
        let process = self.threads.get(&thread).copied().unwrap_or(thread);
        let Some(number) = entered(thread) else {
            if self.returning == Some(thread) {
                self.end(process);
            }
            return;
        };
        match number {
            BEGINS => return self.begin(),
            IS_OVER => {
                self.over = true;
                return;
            }
            _ => {}
        }
        let Some(known) = self.processes.get_mut(&process) else { return };
        if !self.begun || self.over && process == self.host {
            return;
        }
        let time = known.calls.entry(number).or_default();
        *time += 1;
        known.steps.push(number);
        let time = *time;
        let wanted = self.end.as_ref().filter(|end| end.time == time && end.call == call(number));
        let Some(after) = wanted.map(|end| end.after) else { return };
        if self.ended.is_some() || self.returning.is_some() || !self.is_victim(process) {
            return;
        }
        match after {
            true => self.returning = Some(thread),
            false => self.end(process),
        }
    }

    fn begin(&mut self) {
        self.begun = true;
        let processes = &self.processes;
        self.workers.retain(|worker| processes.contains_key(worker));
        self.keepers.retain(|keeper| processes.contains_key(keeper));
        self.servers.retain(|server| processes.contains_key(server));
    }

    /// Ends the victim, of which a thread stands still.
    fn end(&mut self, process: i32) {
        self.returning = None;
        self.files = self.processes.keys().copied().flat_map(shared).collect();
        self.ended = Some((process, Instant::now()));
        // SAFETY: a process that is traced, and so is not gone: the number is its.
        unsafe { libc::kill(process, libc::SIGKILL) };
    }

    /// What it saw, as JSON.
    fn account(&self, said: &str) -> Value {
        let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
        let has_name = |process: &i32| sockets.contains(&format!("hotcell-watch/{process}/"));
        let steps: Vec<_> = self.counted.iter().map(|&number| call(number)).collect();
        json!({
            "steps": if self.end.is_none() { steps } else { Vec::new() },
            "ended": self.ended.is_some(),
            "signal": self.signal,
            "host": self.status,
            "said": serde_json::from_str::<Value>(said).unwrap_or(Value::Null),
            "name": self.seen.iter().any(has_name),
            "shared": self.files.len(),
            "files": still_open(&self.files),
            "took_ms": self.took.map(|took| u64::try_from(took).unwrap_or(u64::MAX)),
        })
    }
}

/// Lets a thread go on to its next system call.
fn go_on(thread: i32, signal: i32) {
    trace(libc::PTRACE_SYSCALL, thread, signal.into());
}

/// Whether it was done. What was killed meanwhile does not hear of it.
fn trace(request: libc::c_uint, thread: i32, data: libc::c_long) -> bool {
    // SAFETY: no such request of this program reads or writes memory of its own.
    unsafe { libc::ptrace(request, thread, ptr::null_mut::<u8>(), data) >= 0 }
}

/// The number of the system call that a thread is about to make; `None` where it has made it.
fn entered(thread: i32) -> Option<u64> {
    // SAFETY: zero is a value of all its fields.
    let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes no more than the size that it is given, to a place of that size.
    let got = unsafe {
        libc::ptrace(
            libc::PTRACE_GET_SYSCALL_INFO,
            thread,
            size_of::<libc::ptrace_syscall_info>(),
            &raw mut info,
        )
    };
    if got <= 0 || info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    // SAFETY: the kernel says that it has written this of the parts.
    Some(unsafe { info.u.entry.nr })
}

fn call(number: u64) -> String {
    let known = u32::try_from(number).ok().and_then(Syscall::of_number);
    known.map_or_else(|| number.to_string(), |call| call.name.to_owned())
}

fn status_of(thread: i32, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix(field))?.trim().to_owned())
}

/// Memory of Hotcell's that a process has mapped or open, by device and number.
fn shared(process: i32) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
    for line in maps.lines().filter(|line| line.contains("/memfd:hotcell-")) {
        // Addresses, rights, offset, device, number, name.
        files.extend(line.split_whitespace().nth(4).map(str::to_owned));
    }
    for entry in fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten() {
        let is_ours = fs::read_link(entry.path())
            .is_ok_and(|path| path.to_string_lossy().starts_with("/memfd:hotcell-"));
        files.extend(fs::metadata(entry.path()).ok().filter(|_| is_ours).map(|file| file.ino().to_string()));
    }
    files
}

/// Which of them any process has.
fn still_open(files: &BTreeSet<String>) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    processes.flat_map(shared).filter(|file| files.contains(file)).collect()
}
