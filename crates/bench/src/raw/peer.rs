//! Two processes that send each other lines, as fast as they can.
//!
//! The peer is this program once more. It sleeps until it is given an order, goes to the CPU that the order names,
//! answers every ping until one says that it is the last, and sleeps again. It ends with the process that started it.

use std::convert::Infallible;
use std::hint::black_box;
use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::waiting::{Sleeping, Spinning, Waiting, Yielding};
use crate::machine::pin;
use crate::statistics::{Blocks, Extent};
use crate::sys::memory::{Line, Memory, Way};

/// How both sides wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// They poll.
    Spin,
    /// They poll, and give the core away in between.
    Yield,
    /// They sleep at once, and are woken.
    Futex,
}

/// What the peer is to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) manner: Manner,
    /// Bytes that the caller writes and the peer reads, in each trip.
    pub(crate) there: usize,
    /// And the other way round.
    pub(crate) back: usize,
    /// Where the peer is to run; `None` wherever it may.
    pub(crate) cpu: Option<usize>,
}

/// The other process.
pub(crate) struct Peer {
    memory: Memory,
    process: Child,
}

/// Pings between an order and the last one.
pub(crate) struct Conversation<'a> {
    memory: &'a Memory,
    order: Order,
    /// The commit word of the last trip.
    trip: u32,
}

/// First word of a ping: others follow, or the peer sleeps behind it.
const MORE: u64 = 0;
const LAST: u64 = 1;

/// A CPU in an order that names none.
const ANY: u64 = u64::MAX;

impl Peer {
    /// Starts this program again, with what makes it call [`serve`].
    pub(crate) fn start(arguments: &[&str]) -> io::Result<Peer> {
        let (memory, file) = Memory::create()?;
        memory.board().starter.store(std::process::id(), Ordering::Relaxed);
        let mut command = Command::new("/proc/self/exe");
        let process = command.args(arguments).stdin(file).stdout(Stdio::null()).spawn()?;
        Ok(Peer { memory, process })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Gives the peer an order, and waits until it runs. One conversation at a time.
    pub(crate) fn talk(&mut self, order: Order) -> io::Result<Conversation<'_>> {
        let board = self.memory.board();
        write(&board.order, order.encode());
        let number = board.order.commit.load(Ordering::Relaxed).wrapping_add(1);
        Sleeping::publish(&board.order.commit, number);
        // Partner: the release of `ready` in `serve`.
        while board.ready.commit.load(Ordering::Acquire) != number {
            if self.process.try_wait()?.is_some() {
                return Err(io::Error::other("the peer of the raw limits has ended"));
            }
            std::thread::yield_now();
        }
        let trip = board.pong.commit.load(Ordering::Relaxed);
        Ok(Conversation { memory: &self.memory, order, trip })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended with a signal that was sent to both.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Order {
    fn encode(self) -> [u64; 7] {
        let cpu = self.cpu.map_or(ANY, |cpu| cpu as u64);
        [self.manner as u64, self.there as u64, self.back as u64, cpu, 0, 0, 0]
    }

    fn decode(words: [u64; 7]) -> Order {
        let manners = [Manner::Spin, Manner::Yield, Manner::Futex];
        let manner = manners.into_iter().find(|it| *it as u64 == words[0]).unwrap_or(Manner::Futex);
        let cpu = (words[3] != ANY).then_some(words[3] as usize);
        Order { manner, there: words[1] as usize, back: words[2] as usize, cpu }
    }
}

impl Conversation<'_> {
    /// Blocks of so many trips.
    pub(crate) fn run(&mut self, extent: Extent, trips: u32) -> Blocks {
        match self.order.manner {
            Manner::Spin => self.run_as::<Spinning>(extent, trips),
            Manner::Yield => self.run_as::<Yielding>(extent, trips),
            Manner::Futex => self.run_as::<Sleeping>(extent, trips),
        }
    }

    fn run_as<W: Waiting>(&mut self, extent: Extent, trips: u32) -> Blocks {
        let trip = || {
            self.trip::<W>(MORE);
            Ok::<(), Infallible>(())
        };
        match Blocks::of(extent, trips, trip) {
            Ok(blocks) => blocks,
        }
    }

    #[inline(always)]
    fn trip<W: Waiting>(&mut self, word: u64) {
        let (board, order) = (self.memory.board(), self.order);
        self.trip = self.trip.wrapping_add(1);
        if order.there > 0 {
            self.memory.fill(Way::There, order.there, self.trip as u8);
        }
        write(&board.ping, [word, 2, 3, 4, 5, 6, 7]);
        W::publish(&board.ping.commit, self.trip);
        W::until(&board.pong.commit, self.trip);
        black_box(read(&board.pong));
        if order.back > 0 {
            black_box(self.memory.sum(Way::Back, order.back));
        }
    }
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        match self.order.manner {
            Manner::Spin => self.trip::<Spinning>(LAST),
            Manner::Yield => self.trip::<Yielding>(LAST),
            Manner::Futex => self.trip::<Sleeping>(LAST),
        }
    }
}

/// What the peer does: it is started with the memory as its standard input.
///
/// # Errors
///
/// When standard input is no such memory, or an order names a CPU that cannot be had.
pub fn serve() -> io::Result<()> {
    let memory = Memory::map(io::stdin())?;
    let board = memory.board();
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if parent != Some(board.starter.load(Ordering::Relaxed)) {
        return Ok(()); // It had ended before.
    }
    let anywhere: CpuSet = sched_getaffinity(None)?;
    for number in (1..=u32::MAX).cycle() {
        Sleeping::until(&board.order.commit, number);
        let order = Order::decode(read(&board.order));
        match order.cpu {
            Some(cpu) => pin(cpu)?,
            None => sched_setaffinity(None, &anywhere)?,
        }
        let trip = board.pong.commit.load(Ordering::Relaxed);
        // Partner: the acquire in `talk`.
        board.ready.commit.store(number, Ordering::Release);
        match order.manner {
            Manner::Spin => answer::<Spinning>(&memory, order, trip),
            Manner::Yield => answer::<Yielding>(&memory, order, trip),
            Manner::Futex => answer::<Sleeping>(&memory, order, trip),
        }
    }
    Ok(())
}

fn answer<W: Waiting>(memory: &Memory, order: Order, mut trip: u32) {
    let board = memory.board();
    loop {
        trip = trip.wrapping_add(1);
        W::until(&board.ping.commit, trip);
        let ping = read(&board.ping);
        if order.there > 0 {
            black_box(memory.sum(Way::There, order.there));
        }
        if order.back > 0 {
            memory.fill(Way::Back, order.back, trip as u8);
        }
        write(&board.pong, ping);
        W::publish(&board.pong.commit, trip);
        if ping[0] == LAST {
            return;
        }
    }
}

/// The payload of a message, whose commit word was seen.
#[inline(always)]
fn read(line: &Line) -> [u64; 7] {
    std::array::from_fn(|at| line.payload[at].load(Ordering::Relaxed))
}

/// The payload of a message, whose commit word is stored next.
#[inline(always)]
fn write(line: &Line, payload: [u64; 7]) {
    line.payload.iter().zip(payload).for_each(|(word, value)| word.store(value, Ordering::Relaxed));
}
