//! The table of all peers: where each is measured, what it is held against, and the bars.

/// Peers that are measured in the same way, and what Hotcell has for it.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// What the peers' program calls it.
    pub(crate) place: &'static str,
    /// Figures of `hotcell bench`, one for each of [`OPERATIONS`].
    pub(crate) contained: [&'static str; 2],
    pub(crate) peers: &'static [Peer],
}

/// Another way of calling.
pub(crate) struct Peer {
    /// What the peers' program calls it.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// The least that a call of two numbers must take, as a multiple of a contained one. The CRC has none: most of
    /// it is the function's own time, whoever calls it.
    pub(crate) bar: Option<f64>,
}

/// What is called: names of the peers' program, and titles.
pub(crate) const OPERATIONS: [(&str, &str); 2] = [("add", "add(int, int)"), ("crc32.1k", "CRC-32 of 1 KiB")];

const ICEORYX2: Peer = plain("iceoryx2.event", "iceoryx2, events");
const IPC_CHANNEL: Peer = plain("ipc-channel", "ipc-channel");
const JSON_RUST: Peer = plain("json.rust", "JSON, Rust client");
const JSON_PYTHON: Peer = plain("json.python", "JSON, Python client");
const GRPC: Peer = plain("grpc", "gRPC");

pub(crate) const SECTIONS: &[Section] = &[
    Section {
        title: "Back to back, both sides polling on two cores",
        place: "two-cores",
        contained: ["contained.add", "contained.crc32.1k"],
        peers: &[plain("iceoryx2.polling", "iceoryx2, polling").bar(5.0)],
    },
    Section {
        title: "Back to back, default settings of each, nothing pinned",
        place: "anywhere",
        contained: ["contained.add.default-mode", "contained.crc32.1k.default-mode"],
        peers: &[
            plain("wasmtime", "Wasmtime, in process"),
            ICEORYX2,
            IPC_CHANNEL,
            JSON_RUST.bar(100.0),
            JSON_PYTHON.bar(100.0),
            GRPC.bar(100.0),
            plain("grpc.32-in-flight", "gRPC, 32 in flight"),
        ],
    },
    Section {
        title: "Back to back, both sides on one core: one sleeps while the other works",
        place: "one-core",
        contained: ["contained.one-core", "contained.one-core.crc32.1k"],
        peers: ON_ONE_CORE,
    },
    Section {
        title: "A call every millisecond, both sides on one core: everyone sleeps in between",
        place: "one-core.every-1ms",
        contained: ["contained.one-core.every-1ms", "contained.one-core.every-1ms.crc32.1k"],
        peers: ON_ONE_CORE,
    },
];

const ON_ONE_CORE: &[Peer] =
    &[ICEORYX2, IPC_CHANNEL, JSON_RUST.bar(5.0), JSON_PYTHON.bar(5.0), GRPC.bar(5.0)];

const fn plain(name: &'static str, label: &'static str) -> Peer {
    Peer { name, label, bar: None }
}

impl Peer {
    const fn bar(self, bar: f64) -> Peer {
        Peer { bar: Some(bar), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_programs_know_what_is_asked_of_them() {
        let figures = include_str!("../../../crates/bench/src/figures.rs");
        let peers = include_str!("../../../benches/peers/src/main.rs");
        let places = include_str!("../../../benches/peers/src/place.rs");
        let operations = include_str!("../../../benches/peers/src/work.rs");
        let has = |text: &str, name: &str| assert!(text.contains(&format!("\"{name}\"")), "{name}");
        for section in SECTIONS {
            has(places, section.place);
            section.contained.iter().for_each(|id| has(figures, id));
            section.peers.iter().for_each(|peer| has(peers, peer.name));
        }
        OPERATIONS.iter().for_each(|(name, _)| has(operations, name));
    }
}
