//! The table of all figures, in the order of the report. A new one is a row here.

use crate::contained::{
    awaited, batches, buffers, calls, faults, idle, load, memory, pipelines, places, rare, wall,
};
use crate::plan::{Figure, Probe, When};
use crate::{direct, raw};

use When::{EachRound, Once};

const SPIN: &[&str] = &["raw.spin"];
const MALLOC: &[&str] = &["direct.malloc"];
const CRC32: &[&str] = &["direct.crc32.1k"];
const ONE_CORE: &[&str] = &["raw.futex.one-core"];

/// Every probe with its figures.
pub(crate) const PROBES: &[Probe] = &[
    each(raw::spin, &[Figure::plain("raw.spin")]),
    each(raw::move_1k, &[Figure::plain("raw.move.1k")]),
    each(raw::move_4k, &[Figure::plain("raw.move.4k").over(SPIN)]),
    each(raw::move_1m, &[Figure::plain("raw.move.1m")]),
    each(raw::exchange_1m, &[Figure::plain("raw.exchange.1m")]),
    each(raw::move_64m, &[Figure::plain("raw.move.64m")]),
    each(raw::exchange_64m, &[Figure::plain("raw.exchange.64m")]),
    each(raw::futex_two_cores, &[Figure::plain("raw.futex.two-cores").over(SPIN)]),
    each(raw::futex_one_core, &[Figure::plain("raw.futex.one-core").over(SPIN)]),
    each(raw::futex_every_1ms, &[Figure::plain("raw.futex.one-core.every-1ms").over(ONE_CORE)]),
    each(raw::yield_one_core, &[Figure::plain("raw.yield.one-core").over(SPIN)]),
    each(raw::memcpy_1m, &[Figure::plain("raw.memcpy.1m")]),
    each(raw::memcpy_64m, &[Figure::plain("raw.memcpy.64m")]),
    each(direct::add, &[Figure::plain("direct.add")]),
    each(direct::crc32_1k, &[Figure::plain("direct.crc32.1k")]),
    each(direct::crc32_256k, &[Figure::plain("direct.crc32.256k")]),
    each(direct::string, &[Figure::plain("direct.string")]),
    each(direct::structure, &[Figure::plain("direct.struct")]),
    each(direct::callback, &[Figure::plain("direct.callback")]),
    each(direct::sum_1m, &[Figure::plain("direct.sum.1m")]),
    each(direct::invert_1m, &[Figure::plain("direct.invert.1m")]),
    each(direct::sum_64m, &[Figure::plain("direct.sum.64m")]),
    each(direct::malloc, &[Figure::plain("direct.malloc")]),
    each(direct::invert_64m, &[Figure::plain("direct.invert.64m")]),
    each(calls::add, &[Figure::plain("contained.add").over(SPIN).beside(&["direct.add"]).bar(1.3)]),
    each(
        calls::add_by_default,
        &[Figure::plain("contained.add.default-mode").over(SPIN).beside(&["direct.add"])],
    ),
    each(
        calls::crc32_1k,
        &[Figure::plain("contained.crc32.1k").over(&["raw.move.1k"]).less(CRC32).beside(CRC32).bar(1.3)],
    ),
    each(
        calls::crc32_1k_by_default,
        &[Figure::plain("contained.crc32.1k.default-mode").over(&["raw.move.1k"]).less(CRC32).beside(CRC32)],
    ),
    each(calls::string, &[Figure::plain("contained.string").over(SPIN).beside(&["direct.string"])]),
    each(calls::structure, &[Figure::plain("contained.struct").over(SPIN).beside(&["direct.struct"])]),
    each(
        calls::callback,
        &[Figure::plain("contained.callback").over(SPIN).beside(&["direct.callback"]).bar(1.3)],
    ),
    each(
        buffers::sum_1m,
        &[Figure::plain("contained.sum.1m.copied")
            .beside(&["direct.sum.1m"])
            .over(&["direct.sum.1m", "raw.move.1m"])
            .less(&["raw.memcpy.1m"])
            .bar(1.05)],
    ),
    each(
        buffers::invert_1m,
        &[Figure::plain("contained.invert.1m.copied")
            .beside(&["direct.invert.1m"])
            .over(&["direct.invert.1m", "raw.exchange.1m"])
            .less(&["raw.memcpy.1m", "raw.memcpy.1m"])
            .bar(1.05)],
    ),
    each(
        buffers::sum_64m,
        &[Figure::plain("contained.sum.64m.copied")
            .beside(&["direct.sum.64m"])
            .over(&["direct.sum.64m", "raw.move.64m"])
            .less(&["raw.memcpy.64m"])],
    ),
    each(
        buffers::invert_64m,
        &[Figure::plain("contained.invert.64m.copied")
            .beside(&["direct.invert.64m"])
            .over(&["direct.invert.64m", "raw.exchange.64m"])
            .less(&["raw.memcpy.64m", "raw.memcpy.64m"])],
    ),
    each(
        buffers::sum_1m_in_place,
        &[Figure::plain("contained.sum.1m.in-place")
            .over(&["direct.sum.1m", "raw.move.1m"])
            .beside(&["direct.sum.1m"])
            .bar(1.05)],
    ),
    each(
        buffers::invert_1m_in_place,
        &[Figure::plain("contained.invert.1m.in-place")
            .over(&["direct.invert.1m", "raw.exchange.1m"])
            .beside(&["direct.invert.1m"])
            .bar(1.05)],
    ),
    each(
        buffers::sum_64m_in_place,
        &[Figure::plain("contained.sum.64m.in-place")
            .over(&["direct.sum.64m", "raw.move.64m"])
            .beside(&["direct.sum.64m"])
            .bar(1.05)],
    ),
    each(
        buffers::invert_64m_in_place,
        &[Figure::plain("contained.invert.64m.in-place")
            .over(&["direct.invert.64m", "raw.exchange.64m"])
            .beside(&["direct.invert.64m"])
            .bar(1.05)],
    ),
    each(buffers::made_1k, &[Figure::plain("host.buffer.1k").bar(50.0)]),
    each(buffers::made_4k, &[Figure::plain("host.buffer.4k").bar(50.0)]),
    each(buffers::made_64k, &[Figure::plain("host.buffer.64k").bar(50.0)]),
    each(batches::of_8, &[Figure::plain("contained.batch.8").over(SPIN).beside(&["direct.add"])]),
    each(batches::of_64, &[Figure::plain("contained.batch.64").over(SPIN).beside(&["direct.add"]).bar(0.15)]),
    each(batches::of_1024, &[Figure::plain("contained.batch.1024").over(SPIN).beside(&["direct.add"])]),
    each(pipelines::of_2, &[Figure::plain("contained.pipeline.2").over(SPIN).beside(&["direct.add"])]),
    each(pipelines::of_4, &[Figure::plain("contained.pipeline.4").over(SPIN).beside(&["direct.add"])]),
    each(pipelines::of_8, &[Figure::plain("contained.pipeline.8").over(SPIN).beside(&["direct.add"])]),
    each(memory::malloc, &[Figure::plain("contained.malloc").over(MALLOC)]),
    each(memory::malloc_sampled, &[Figure::plain("contained.malloc.sampled").over(MALLOC)]),
    each(memory::malloc_all, &[Figure::plain("contained.malloc.all").over(MALLOC)]),
    each(calls::callers_1, &[Figure::plain("contained.callers.1").over(SPIN)]),
    each(calls::callers_2, &[Figure::plain("contained.callers.2").over(SPIN)]),
    each(calls::callers_4, &[Figure::plain("contained.callers.4").over(SPIN)]),
    each(calls::callers_16, &[Figure::plain("contained.callers.16").over(SPIN)]),
    each(calls::callers_2_on_lanes, &[Figure::plain("contained.callers.2.on-lanes").over(SPIN)]),
    each(calls::callers_4_on_lanes, &[Figure::plain("contained.callers.4.on-lanes").over(SPIN)]),
    each(calls::callers_16_on_lanes, &[Figure::plain("contained.callers.16.on-lanes").over(SPIN)]),
    each(calls::work_in_turn, &[Figure::plain("contained.work.in-turn").over(&["direct.crc32.256k"])]),
    each(calls::work_at_once, &[Figure::plain("contained.work.at-once").over(&["contained.work.in-turn"])]),
    each(
        places::parked,
        &[
            Figure::plain("contained.parked.two-cores").over(&["raw.futex.two-cores"]).bar(1.15),
            Figure::of("contained.parked.waits.caller", "per call").bar(1.0),
            Figure::of("contained.parked.waits.worker", "per call").bar(1.0),
            Figure::of("contained.parked.wakes.caller", "per call").bar(1.0),
            Figure::of("contained.parked.wakes.worker", "per call").bar(1.0),
        ],
    ),
    each(awaited::add, &[Figure::plain("contained.awaited.add").over(SPIN)]),
    each(
        awaited::parked,
        &[Figure::plain("contained.awaited.parked.two-cores").over(&["raw.futex.two-cores"])],
    ),
    each(places::one_core, &[Figure::plain("contained.one-core").over(ONE_CORE).bar(1.5)]),
    each(
        places::one_core_crc32_1k,
        &[Figure::plain("contained.one-core.crc32.1k").over(ONE_CORE).less(CRC32).beside(CRC32)],
    ),
    each(
        rare::one_core_every_1ms,
        &[Figure::plain("contained.one-core.every-1ms").over(&["raw.futex.one-core.every-1ms"])],
    ),
    each(
        rare::one_core_every_1ms_crc32_1k,
        &[Figure::plain("contained.one-core.every-1ms.crc32.1k")
            .over(&["raw.futex.one-core.every-1ms"])
            .less(CRC32)],
    ),
    each(
        rare::every_1ms,
        &[
            Figure::plain("contained.every-1ms").over(ONE_CORE).bar(2.0),
            Figure::of("contained.every-1ms.worker-cpu", "%").bar(2.0),
        ],
    ),
    each(
        rare::every_1ms_like_for_like,
        &[Figure::plain("contained.every-1ms.like-for-like").over(&["raw.futex.one-core.every-1ms"])],
    ),
    each(
        rare::every_100ms,
        &[
            Figure::plain("contained.every-100ms").over(ONE_CORE),
            Figure::of("contained.every-100ms.worker-cpu", "%"),
        ],
    ),
    each(
        load::one_hog,
        &[
            Figure::plain("raw.spin.1-hog.p50"),
            Figure::plain("raw.spin.1-hog.mean"),
            Figure::plain("contained.1-hog.p50").over(&["raw.spin.1-hog.p50"]).bar(1.5),
            Figure::plain("contained.1-hog.mean").over(&["raw.spin.1-hog.mean"]).bar(2.0),
        ],
    ),
    each(
        load::two_hogs,
        &[
            Figure::plain("raw.spin.2-hogs.p50"),
            Figure::plain("raw.spin.2-hogs.mean"),
            Figure::plain("contained.2-hogs.p50").over(&["raw.spin.2-hogs.p50"]).bar(1.5),
            Figure::plain("contained.2-hogs.mean").over(&["raw.spin.2-hogs.mean"]).bar(2.0),
        ],
    ),
    each(idle::cold_start, &[Figure::of("worker.cold-start", "ms").bar(5.0)]),
    each(idle::warm_spare, &[Figure::of("worker.warm-spare", "ms").bar(0.5)]),
    each(
        faults::crash,
        &[Figure::of("fault.crash", "ms").bar(5.0), Figure::of("fault.crash.next-call", "ms").bar(1.0)],
    ),
    each(faults::hang, &[Figure::of("fault.hang.beyond-deadline", "ms").bar(50.0)]),
    each(faults::refused, &[Figure::of("breaker.refused", "µs").bar(10.0)]),
    each(
        wall::start,
        &[Figure::of("wall.start.without", "ms"), Figure::of("wall.start.beyond", "ms").bar(1.0)],
    ),
    each(
        wall::pass,
        &[
            Figure::plain("wall.pass.without"),
            Figure::plain("wall.pass").over(&["wall.pass.without"]).bar(1.05),
        ],
    ),
    each(
        wall::floor,
        &[Figure::plain("wall.floor.without"), Figure::plain("wall.floor").over(&["wall.floor.without"])],
    ),
    each(
        wall::ask,
        &[Figure::plain("wall.ask.without"), Figure::plain("wall.ask").over(&["wall.ask.without"])],
    ),
    each(
        wall::compare,
        &[
            Figure::plain("wall.compare.without"),
            Figure::plain("wall.compare").over(&["wall.compare.without"]),
        ],
    ),
    each(idle::memory, &[Figure::of("worker.idle.pss", "KiB").bar(3072.0)]),
    Probe { figures: &[Figure::of("idle.cpu-10s", "ticks").bar(1.0)], run: idle::cpu, when: Once },
];

const fn each(run: fn(&mut crate::plan::Bench) -> crate::plan::Samples, figures: &'static [Figure]) -> Probe {
    Probe { figures, run, when: EachRound }
}
