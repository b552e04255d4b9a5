//! Figures of Python: contained calls, and the same by ctypes, cffi and multiprocessing.

use std::process::Command;

use super::{Means, Place, Programs, Sample, each, sample};
use crate::plan::{Bench, Figure, Probe, Samples, Stop};

const CTYPES: Means = Means { name: "python.ctypes", command: |it| it.python("direct_ctypes.py") };
const CFFI: Means = Means { name: "python.cffi", command: |it| it.python("direct_cffi.py") };
const PROCESSES: Means = Means { name: "python.multiprocessing", command: |it| it.python("processes.py") };
const CONTAINED: Means = Means {
    name: "python.contained",
    command: |it| {
        it.folder()?.python_package()?;
        it.python("contained.py")
    },
};

const ADD: &[&str] = &["python.ctypes.add"];
const CRC32: &[&str] = &["python.ctypes.crc32.1k"];

/// Every probe with its figures.
pub(crate) const PROBES: &[Probe] = &[
    each(|it| direct(it, &CTYPES, "add", 500), &[Figure::plain("python.ctypes.add")]),
    each(|it| direct(it, &CTYPES, "crc32.1k", 100), &[Figure::plain("python.ctypes.crc32.1k")]),
    each(|it| direct(it, &CTYPES, "callback", 1), &[Figure::plain("python.ctypes.callback")]),
    each(|it| direct(it, &CFFI, "add", 500), &[Figure::plain("python.cffi.add")]),
    each(|it| direct(it, &CFFI, "crc32.1k", 100), &[Figure::plain("python.cffi.crc32.1k")]),
    each(|it| direct(it, &CFFI, "callback", 1), &[Figure::plain("python.cffi.callback")]),
    each(
        |it| contained(it, Place::TwoCores, "add", 500, 3),
        &[
            Figure::plain("python.contained.add").over(ADD).bar(0.9),
            Figure::plain("python.contained.add.by-cffi").over(&["python.cffi.add"]).bar(3.0),
            Figure::plain("python.contained.add.by-spin").over(&["raw.spin"]),
        ],
    ),
    each(
        |it| contained(it, Place::TwoCores, "crc32.1k", 100, 2),
        &[
            Figure::plain("python.contained.crc32.1k").over(CRC32).bar(1.4),
            Figure::plain("python.contained.crc32.1k.by-cffi").over(&["python.cffi.crc32.1k"]),
        ],
    ),
    each(
        |it| contained(it, Place::TwoCores, "callback", 1, 2),
        &[
            Figure::plain("python.contained.callback").over(&["python.ctypes.callback"]),
            Figure::plain("python.contained.callback.by-cffi").over(&["python.cffi.callback"]),
        ],
    ),
    each(
        |it| contained(it, Place::TwoCores, "map.add", 1, 1),
        &[Figure::plain("python.contained.map.10000.add").over(ADD).bar(0.1)],
    ),
    each(
        |it| contained(it, Place::TwoCores, "map.crc32.1k", 1, 1),
        &[Figure::plain("python.contained.map.10000.crc32.1k").over(CRC32)],
    ),
    each(|it| processes(it, "pipe.add"), &[Figure::plain("python.multiprocessing.pipe.add")]),
    each(|it| processes(it, "pipe.crc32.1k"), &[Figure::plain("python.multiprocessing.pipe.crc32.1k")]),
    each(|it| processes(it, "pool.add"), &[Figure::plain("python.multiprocessing.pool.add")]),
    each(|it| processes(it, "pool.crc32.1k"), &[Figure::plain("python.multiprocessing.pool.crc32.1k")]),
    each(
        |it| contained(it, Place::Anywhere, "add", 100, 2),
        &[
            Figure::plain("python.contained.add.default-mode")
                .over(&["python.multiprocessing.pipe.add"])
                .bar(1.0 / 100.0),
            Figure::plain("python.contained.add.default-mode.by-pool")
                .over(&["python.multiprocessing.pool.add"])
                .bar(1.0 / 400.0),
        ],
    ),
    each(
        |it| contained(it, Place::Anywhere, "crc32.1k", 100, 2),
        &[
            Figure::plain("python.contained.crc32.1k.default-mode")
                .over(&["python.multiprocessing.pipe.crc32.1k"]),
            Figure::plain("python.contained.crc32.1k.default-mode.by-pool")
                .over(&["python.multiprocessing.pool.crc32.1k"]),
        ],
    ),
];

fn direct(bench: &mut Bench, means: &Means, figure: &'static str, calls: u32) -> Samples {
    sample(bench, means, &Sample { figure, place: Place::Near, blocks: 40, calls }, 1)
}

fn contained(bench: &mut Bench, place: Place, figure: &'static str, calls: u32, figures: usize) -> Samples {
    let blocks = if place == Place::Anywhere { u32::MAX } else { 40 };
    sample(bench, &CONTAINED, &Sample { figure, place, blocks, calls }, figures)
}

fn processes(bench: &mut Bench, figure: &'static str) -> Samples {
    sample(bench, &PROCESSES, &Sample { figure, place: Place::Anywhere, blocks: u32::MAX, calls: 8 }, 1)
}

impl Programs {
    /// What runs one of the programs.
    fn python(&mut self, file: &str) -> Result<Command, Stop> {
        let interpreter = self.toolchains.python.clone().unwrap_or_else(|| "python3".into());
        let folder = self.folder()?;
        let mut command = Command::new(interpreter);
        command.arg(folder.path("python").join(file)).arg(folder.library()).arg(env!("CARGO_PKG_VERSION"));
        Ok(command)
    }
}
