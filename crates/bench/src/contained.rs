//! The measured library in a worker.

pub(crate) mod awaited;
pub(crate) mod batches;
pub(crate) mod buffers;
pub(crate) mod calls;
pub(crate) mod faults;
pub(crate) mod idle;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod pipelines;
pub(crate) mod places;
pub(crate) mod rare;
pub(crate) mod wall;

use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use hotcell::{Options, Waiting};
use hotcell_measured::Measured;

use crate::machine::{Pinned, pin_process};
use crate::plan::{Bench, Samples, Stop};
use crate::statistics::Blocks;

/// How long calls go on before they are measured: until both sides run where they stay.
const WARM: Duration = Duration::from_millis(20);

/// How long the end of a worker is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A worker of its own for each sample: none is measured beside another, and luck with where its memory lies is
/// thrown anew.
pub(crate) struct Subject {
    /// `None` only while it is dropped.
    library: Option<Measured>,
    /// The worker's process id.
    pub(crate) worker: u32,
}

impl Subject {
    /// As it is opened by default: a lane for each CPU, and the default mode of waiting.
    pub(crate) fn open(bench: &Bench) -> Result<Subject, Stop> {
        Subject::open_with(bench, Options::default())
    }

    /// One call at a time, and both sides poll for longer than anything that is measured this way takes.
    pub(crate) fn polling(bench: &Bench) -> Result<Subject, Stop> {
        Subject::open_with(bench, Options { waiting: Waiting::Latency, callers: 1, ..Options::default() })
    }

    pub(crate) fn open_with(bench: &Bench, options: Options) -> Result<Subject, Stop> {
        let file = format!("/proc/self/fd/{}", bench.library.as_raw_fd());
        let library = Measured::open_with(Options { libraries: vec![file.into()], ..options })?;
        let worker = library.session().worker_pid();
        let worker = worker.ok_or_else(|| Stop::LeftOut("the worker has ended between calls".into()))?;
        Ok(Subject { library: Some(library), worker })
    }

    pub(crate) fn library(&self) -> &Measured {
        self.library.as_ref().expect("only dropping takes it")
    }

    /// Calls until both sides are warm.
    pub(crate) fn warm_up(&self) -> hotcell::Result<()> {
        let started = Instant::now();
        while started.elapsed() < WARM {
            self.library().add(1, 2)?;
        }
        Ok(())
    }
}

impl Drop for Subject {
    /// What is measured next has the machine for itself: the worker has gone.
    fn drop(&mut self) {
        drop(self.library.take());
        let (folder, started) = (format!("/proc/{}", self.worker), Instant::now());
        while Path::new(&folder).exists() && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Nanoseconds of a call, both sides polling on cores of their own, in the block in the middle.
fn typical(
    bench: &Bench,
    blocks: u32,
    calls: u32,
    call: impl FnMut(&Measured, i32) -> hotcell::Result<()>,
) -> Samples {
    let subject = Subject::polling(bench)?;
    each_on(bench, &subject, blocks, calls, call)
}

/// The same of a worker that is there.
fn each_on(
    bench: &Bench,
    subject: &Subject,
    blocks: u32,
    calls: u32,
    mut call: impl FnMut(&Measured, i32) -> hotcell::Result<()>,
) -> Samples {
    let refused = Stop::refused("pinning");
    let far = bench.far()?;
    let _pinned = Pinned::thread(bench.cpus.near).map_err(&refused)?;
    pin_process(subject.worker, far).map_err(&refused)?;
    subject.warm_up()?;
    call(subject.library(), 0)?;
    let mut at = 0;
    let blocks = Blocks::of(bench.extent(blocks), calls, || {
        at += 1;
        call(subject.library(), at)
    })?;
    Ok(vec![blocks.median()])
}
