//! Whatever references a worker writes: what is copied was granted, no more of it than a call may return, and all else is a
//! typed error.

use std::sync::Arc;

use hotcell_shm::{Access, Buffers, ForkGuard, HostChannel, Mapping, Seals, SegmentFile, SharedBuf, Window};
use proptest::prelude::*;

use super::*;
use crate::rt::{Package, SandboxLines};

static PACKAGE: Package = Package {
    runtime: 1,
    library: "test",
    fingerprint: [0; 32],
    reentrant: false,
    functions: &[],
    handles: &[],
    sandbox: SandboxLines::DEFAULT,
    guard: crate::rt::Guard::None,
    shim: &[],
};

/// Bytes of the window, which is segment 2.
const WINDOW: usize = 4096;

/// Where the results of the first slot start.
const BLOCK: u64 = (wire::LANES_OFFSET + wire::LANE_HEAD + wire::RESULT_OFFSET) as u64;

/// A call whose results are read, with what a worker has written.
struct Scene {
    lane: HostLane,
    arena: Arena,
    window: Mapping,
    slot: Mapping,
}

fn scene() -> Scene {
    let host = HostChannel::create(1, 7, 1).unwrap();
    let mut lane = host.lane(0);
    lane.open_call();
    let slot = host.files().1.map(Access::ReadWrite).unwrap();
    let (file, window) = SegmentFile::create(WINDOW, Seals::Reply).unwrap();
    let mut arena = Arena::default();
    arena.add_window(Window::new(2, window, &Arc::new(ForkGuard::new().unwrap())), false);
    Scene { lane, arena, window: file.map(Access::ReadWrite).unwrap(), slot }
}

/// Reads as replies do, and notes what was wrong.
struct Reader<'a> {
    scene: &'a Scene,
    limit: u64,
    copied: u64,
    bad: Vec<Bad>,
    context: Context,
}

impl Reader<'_> {
    fn new(scene: &Scene, limit: u64) -> Reader<'_> {
        let context =
            Context { package: &PACKAGE, function: "f", call_id: 1, generation: 1, call_site: None };
        Reader { scene, limit, copied: 0, bad: Vec::new(), context }
    }

    fn granted(&mut self) -> Granted<'_> {
        let memory = Some((&self.scene.lane, &self.scene.arena));
        Granted { memory, pool: None, lent: &[], fixed: 16, limit: self.limit, copied: &mut self.copied }
    }
}

impl Reads for Reader<'_> {
    fn fetch(&mut self, from: Reference) -> Result<Option<Vec<u8>>> {
        self.granted().copy(from).map_err(|bad| self.bad(bad))
    }

    fn bad(&mut self, bad: Bad) -> Error {
        self.bad.push(bad);
        let fault = Fault { kind: ErrorKind::ProtocolViolation, cause: Cause::None, message: String::new() };
        self.context.error(fault, Executed::Yes, String::new())
    }

    fn context(&self) -> &Context {
        &self.context
    }
}

/// References, many of which are good, or nearly.
fn reference() -> impl Strategy<Value = Reference> {
    let near = |end: u64| (-2..3i64).prop_map(move |by| end.wrapping_add_signed(by));
    let window = WINDOW as u64;
    let offset =
        prop_oneof![0..window, near(window), near(BLOCK), near(BLOCK + 16), near(BLOCK + 1040), any::<u64>()];
    let length = prop_oneof![4 => 0..300u64, 2 => near(window), 1 => near(u64::MAX), 1 => any::<u64>()];
    let segment = prop_oneof![4 => Just(2u64), 3 => Just(1), 1 => 0..70u64];
    let place = prop_oneof![
        6 => (segment, offset).prop_map(|(segment, offset)| {
            segment << wire::PLACE_SEGMENT_SHIFT | offset & ((1 << wire::PLACE_SEGMENT_SHIFT) - 1)
        }),
        1 => Just(wire::PLACE_NULL),
        1 => any::<u64>(),
    ];
    (place, length).prop_map(|(place, length)| Reference { place: Place::from_raw(place), length })
}

/// What a reference must come to, counted or not.
enum Expected {
    Null,
    Lie,
    Outside,
    Data,
}

fn expected(from: Reference) -> Expected {
    let (offset, end) = (from.place.offset(), u128::from(from.place.offset()) + u128::from(from.length));
    match from.place.segment() {
        _ if from.place.is_null() => Expected::Null,
        _ if from.length == wire::LENGTH_IMPOSSIBLE => Expected::Lie,
        1 if offset >= BLOCK + 16 && end <= u128::from(BLOCK) + wire::MAX_RESULT as u128 => Expected::Data,
        2 if end <= WINDOW as u128 => Expected::Data,
        _ => Expected::Outside,
    }
}

proptest! {
    #[test]
    fn what_is_read_was_granted_and_is_no_more_than_the_limit(
        references in prop::collection::vec((reference(), any::<bool>()), 1..20),
        limit in prop_oneof![0..3000u64, Just(1 << 30)],
    ) {
        let scene = scene();
        for at in 0..WINDOW {
            scene.window.store(at, at as u8);
        }
        let mut reader = Reader::new(&scene, limit);
        let mut counted = 0u64;
        for (from, holds) in references {
            let read = match holds {
                true => reader.granted().hold(from).map(|held| held.map(|held| held.to_vec())),
                false => reader.granted().copy(from),
            };
            match (expected(from), read) {
                (Expected::Null, Ok(None)) | (Expected::Lie, Err(Bad::Lie(_))) => {}
                (Expected::Outside, Err(Bad::Violation(_))) => {}
                (Expected::Data, read) => {
                    counted = counted.saturating_add(from.length);
                    match read {
                        Ok(Some(data)) => {
                            prop_assert!(counted <= limit && data.len() as u64 == from.length);
                            let mut there = (from.place.offset() as usize..).map(|at| at as u8);
                            let in_window = from.place.segment() == 2;
                            prop_assert!(!in_window || data.iter().all(|byte| there.next() == Some(*byte)));
                        }
                        Err(Bad::TooMuch) => prop_assert!(counted > limit),
                        other => prop_assert!(false, "{from:?}: {other:?}"),
                    }
                }
                (_, other) => prop_assert!(false, "{from:?}: {other:?}"),
            }
        }
        let mut none = 0;
        let mut gone = Granted { memory: None, pool: None, lent: &[], fixed: 0, limit, copied: &mut none };
        let lost = gone.copy(Reference { place: Place::new(2, 0), length: 1 });
        prop_assert!(matches!(lost, Err(Bad::Lost)));
    }

    #[test]
    fn lists_of_references_are_no_more_than_the_limit(
        references in prop::collection::vec(reference(), 1..60),
        length in prop_oneof![4 => Just(None), 1 => (0..1200u64).prop_map(Some)],
        limit in 0..6000u64,
    ) {
        let scene = scene();
        for (at, from) in references.iter().enumerate() {
            scene.window.copy_in(at * REFERENCE, &Reference::bytes(from.place, from.length));
        }
        let bytes = length.unwrap_or((references.len() * REFERENCE) as u64);
        let list = Reference { place: Place::new(2, 0), length: bytes };
        let mut reader = Reader::new(&scene, limit);
        match reader.read_opt_texts(list) {
            Ok(texts) => {
                let texts = texts.unwrap();
                let all: usize = texts.iter().flatten().map(Vec::len).sum();
                prop_assert!(bytes + all as u64 <= limit && texts.len() as u64 == bytes / REFERENCE as u64);
                prop_assert!(reader.bad.is_empty());
            }
            Err(_) => prop_assert_eq!(reader.bad.len(), 1),
        }
        let mut reader = Reader::new(&scene, limit);
        match reader.read_opt_elements::<u32>(list) {
            Ok(numbers) => prop_assert_eq!(numbers.unwrap().len() as u64 * 4, bytes),
            Err(_) => prop_assert!(!bytes.is_multiple_of(4) || bytes > limit),
        }
    }

    #[test]
    fn a_reference_is_read_as_it_was_written(place: u64, length: u64) {
        let read = Reference::read(&Reference::bytes(Place::from_raw(place), length));
        prop_assert_eq!((read.place.raw(), read.length), (place, length));
    }
}

#[test]
fn what_lies_in_the_slot_is_copied_when_it_is_to_be_held() {
    let scene = scene();
    scene.slot.store(BLOCK as usize + 16, 7u8);
    let mut copied = 0;
    let memory = Some((&scene.lane, &scene.arena));
    let mut granted = Granted { memory, pool: None, lent: &[], fixed: 16, limit: 8, copied: &mut copied };
    let held = granted.hold(Reference { place: Place::new(1, BLOCK + 16), length: 1 }).unwrap().unwrap();
    scene.slot.store(BLOCK as usize + 16, 8u8);
    assert_eq!((held.to_vec(), copied), (vec![7], 1));
}

#[test]
fn what_is_filled_lies_in_what_was_lent() {
    let scene = scene();
    let buffers = Buffers::new(&Arc::new(ForkGuard::new().unwrap()));
    let mut buffer = buffers.allocate_shared(4096, 1).unwrap();
    buffer.fill(5);
    let lent = buffers.lend::<()>(&buffer, 1, |_| Ok(Some(9))).unwrap().unwrap();
    let place = lent.place();
    let lent = [lent];
    let memory = Some((&scene.lane, &scene.arena));
    let fill = |place: Place, length: u64, buffer: &mut SharedBuf| {
        let mut copied = 0;
        let mut granted =
            Granted { memory, pool: None, lent: &lent, fixed: 16, limit: 8192, copied: &mut copied };
        granted.fill(Reference { place, length }, buffer)
    };
    for length in [0, 1, 4096] {
        assert!(matches!(fill(place, length, &mut buffer), Ok(filled) if filled as u64 == length));
    }
    let behind = Place::new(9, place.offset() + 64);
    for (place, length) in
        [(place, 4097), (behind, 1), (Place::new(2, 0), 1), (Place::NULL, 0), (Place::new(3, 0), 1)]
    {
        assert!(matches!(fill(place, length, &mut buffer), Err(Bad::Violation(_))), "{place:?} {length}");
    }
    assert!(matches!(fill(place, wire::LENGTH_IMPOSSIBLE, &mut buffer), Err(Bad::Lie(_))));
    // One that could not be lent gets a copy, of no more than it has room for.
    let mut other = SharedBuf::copied(vec![0; 100]);
    scene.window.copy_in(0, &[3; 101]);
    assert!(matches!(fill(Place::new(2, 0), 60, &mut other), Ok(60)));
    assert_eq!(other.to_vec(), [[3; 60].as_slice(), &[0; 40]].concat());
    assert!(matches!(fill(Place::new(2, 0), 101, &mut other), Err(Bad::Violation(_))));
    assert!(buffer.view().iter().all(|byte| byte == 5));
}
