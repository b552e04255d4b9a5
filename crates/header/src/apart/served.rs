//! The process that reads, from its own side.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::iter;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::abort;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Resource, Rlimit, Signal, getpid, getppid, getrlimit, kill_process, setrlimit};

use super::limits::{Limits, STACK};
use super::wire::{self, Answered, Asked, Hello, LONGEST, Reply, Request};
use crate::error::{Error, ErrorKind};
use crate::parser;

/// How often it is looked whether the caller is there, where its end closes nothing: a child that it forked has the connection too.
const LOOK: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Reads for who started this process, who speaks to it both ways through its standard output, until that ends. Standard input is free: a
/// header may be there.
///
/// # Errors
///
/// When this process cannot be restricted, or cannot speak.
pub fn serve() -> io::Result<()> {
    let caller = getppid();
    let stack = stack(&[Resource::As, Resource::Data].map(|resource| getrlimit(resource).current));
    restrict()?;
    let stack =
        parser::start_with(stack).ok_or_else(|| io::Error::other("the parser's thread cannot be started"))?;
    let hello = Hello { stack: stack as u64, ..Hello::own() };
    io::stdout().write_all(&wire::line(&hello))?;
    io::stdout().flush()?;
    let (sender, requests) = mpsc::channel();
    // Without it nobody would answer.
    let answers = move || catch_unwind(AssertUnwindSafe(|| answer(&requests))).unwrap_or_else(|_| abort());
    thread::Builder::new().name("hotcell-answers".into()).spawn(answers)?;
    let mut input = BufReader::new(File::from(io::stdout().as_fd().try_clone_to_owned()?));
    loop {
        wait(caller)?;
        // A line comes as a whole, or is the last.
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            end();
        }
        if sender.send(line).is_err() {
            return Ok(());
        }
    }
}

/// Waits until there is something to read, or nobody to read for.
fn wait(caller: Option<Pid>) -> io::Result<()> {
    let stdout = io::stdout();
    loop {
        let mut places = [PollFd::new(&stdout, PollFlags::IN)];
        match poll(&mut places, Some(&LOOK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if getppid() != caller {
            end();
        }
    }
}

/// Ends at once, whatever the parser does: what runs at an orderly end would meet it.
fn end() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

fn answer(requests: &mpsc::Receiver<Vec<u8>>) {
    // What every job needs is found while the caller does something else, by the C compiler among others, which may write.
    let _ = parser::describe();
    let closed = lower(Resource::Fsize, 0);
    for request in requests {
        let (number, request) = match serde_json::from_slice(&request) {
            Ok(Asked { number, request }) => (number, Ok(request)),
            // No request has this number, and no reply to it is taken for another's.
            Err(error) => (0, Err(format!("the job cannot be read: {error}"))),
        };
        let reply = match request {
            _ if closed.is_err() => {
                Err(Error::new(ErrorKind::ParserFailed, "writing files cannot be forbidden"))
            }
            Ok(Request::Parse(job)) => parser::run(&job).map(Reply::Api),
            Ok(Request::Describe) => parser::describe().map(Reply::Parser),
            Err(why) => Err(Error::new(ErrorKind::InvalidJob, why)),
        };
        let reply = reply.unwrap_or_else(Reply::Error);
        let mut line = wire::line(&Answered { number, reply });
        if line.len() > LONGEST {
            // More than is read of it: the caller says how much that is.
            line.truncate(LONGEST + 1);
        }
        let mut stdout = io::stdout();
        if stdout.write_all(&line).and_then(|()| stdout.flush()).is_err() {
            end();
        }
    }
}

/// How large the stack may be with these limits of memory: libclang itself and what it reads need the most of it. Such limits count what is
/// reserved, too.
fn stack(limits: &[Option<u64>]) -> usize {
    let room =
        limits.iter().flatten().min().map_or(STACK, |limit| usize::try_from(limit / 4).unwrap_or(STACK));
    let halves = iter::successors(Some(STACK), |size| Some(size / 2));
    { halves }.find(|size| *size <= room.max(parser::STACK)).unwrap_or(parser::STACK)
}

/// Nothing is left of a crash, and memory has an end though the caller were stopped.
fn restrict() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    // Not 0, with which a program that takes dumps through a pipe is started all the same: see core(5).
    lower(Resource::Core, 1)?;
    lower(Resource::Data, Limits::of_environment().unwrap_or_default().data())?;
    // Where memory runs out, it is this process that goes. Not everywhere may that be said.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

fn lower(resource: Resource, most: u64) -> rustix::io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(resource);
    let least = |limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
    setrlimit(resource, Rlimit { current: least(current), maximum: least(maximum) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_leave_room_for_what_is_read() {
        assert_eq!(stack(&[None, None]), STACK);
        assert_eq!(stack(&[Some(8 << 30), None]), STACK);
        assert_eq!(stack(&[Some(8 << 30), Some(900 << 20)]), 128 << 20);
        assert_eq!(stack(&[Some(1 << 20)]), 64 << 20);
    }
}
