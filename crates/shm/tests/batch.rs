//! Entries of a batch: what is packed is what comes out, and nothing is read outside of what is there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell_protocol::Place;
use hotcell_protocol::wire;
use hotcell_shm::batch::{BatchHead, Entries, Packed, Replies, args_size, block_size};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// An entry as a caller puts it: its arguments, and data with zeros behind.
#[derive(Debug, Clone)]
struct Put {
    function: u16,
    args: Vec<u64>,
    data: Vec<(Vec<u8>, usize)>,
    given_up: bool,
    skipped: bool,
}

fn puts() -> impl Strategy<Value = Vec<Put>> {
    let data = proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..200), 0..3usize), 0..4);
    let args = proptest::collection::vec(any::<u64>(), 0..6);
    let put = (any::<u16>(), args, data, any::<bool>(), any::<bool>());
    let put = put.prop_map(|(function, args, data, given_up, skipped)| Put {
        function,
        args,
        data,
        given_up,
        skipped,
    });
    proptest::collection::vec(put, 0..40)
}

/// Bytes in memory that is aligned as a segment is.
fn aligned(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_ne_bytes(word)
    });
    words.collect()
}

fn copied(from: *const u8, length: usize) -> Vec<u8> {
    // SAFETY: callers ask for bytes of the memory that they have packed, which they hold.
    unsafe { std::slice::from_raw_parts(from, length) }.to_vec()
}

/// The parts one behind the other, as they lie in a segment, and what the host says of them.
fn laid_out(packed: &mut Packed, heads: &[(u16, bool)]) -> (Vec<u64>, BatchHead) {
    let count = heads.len();
    let parts = packed.parts(heads.iter().copied());
    assert!(parts.iter().all(|part| part.len().is_multiple_of(8)));
    let (data, whole) = (parts[0].len() + parts[1].len(), parts.concat());
    let (data, length) = (data as u64, whole.len() as u64);
    let head = BatchHead { count: count as u32, replies_length: 0, place: Place::NULL, data, length };
    (aligned(&whole), head)
}

/// The entries there.
fn entries(memory: &mut [u64], head: &BatchHead) -> Option<Entries> {
    // SAFETY: callers hold the memory for as long as they use what comes of this, and say no more than there is.
    unsafe { Entries::new(memory.as_mut_ptr().cast(), head) }
}

proptest! {
    #[test]
    fn what_is_packed_comes_out(puts in puts(), again in puts()) {
        let mut packed = Packed::with_capacity(64);
        for puts in [&puts, &again] {
            check(&mut packed, puts)?;
            packed.clear();
        }
    }

    #[test]
    fn whatever_is_there_is_not_left(
        mut memory in proptest::collection::vec(any::<u64>(), 0..60),
        numbers in any::<[u16; 4]>(),
        sizes in proptest::collection::vec(0..60u32, 1..40),
    ) {
        let bytes = 8 * memory.len() as u64;
        let [count, data, length, _] = numbers.map(|number| u64::from(number) % (bytes + 20));
        let length = length.min(bytes);
        let head = BatchHead { count: count as u32, replies_length: 0, place: Place::NULL, data, length };
        let base = memory.as_ptr().addr();
        let Some(mut entries) = entries(&mut memory, &head) else {
            prop_assert!((4 * count).next_multiple_of(8) > data || data > length);
            return Ok(());
        };
        let (at, behind) = entries.data();
        prop_assert_eq!(((at.addr() - base) as u64, behind), (data, length - data));
        let mut end = (4 * count).next_multiple_of(8);
        let mut turns = 0;
        for size in sizes.iter().cycle().take(100) {
            turns += u64::from(entries.turn().is_some());
            let Some(args) = entries.args(args_size(*size as usize)) else { break };
            prop_assert_eq!((args.addr() - base) as u64, end);
            end += u64::from(size.next_multiple_of(8));
            prop_assert!(end <= data);
        }
        prop_assert!(turns <= count);
    }

    #[test]
    fn replies_have_room_for_a_name(result_size in 0..wire::MAX_RESULT, count in 1..wire::MAX_BATCH) {
        let size = block_size(result_size);
        prop_assert!(size.is_multiple_of(8) && size >= 8 && size >= result_size && size < 9 + result_size);
        let layout = Replies::of(count);
        prop_assert_eq!(layout.states(), 8 * count as usize);
        prop_assert!(layout.blocks().is_multiple_of(8));
        prop_assert!((layout.states() + count as usize..layout.states() + count as usize + 8).contains(&layout.blocks()));
    }
}

/// Packs these, and takes them apart.
fn check(packed: &mut Packed, puts: &[Put]) -> Result<(), TestCaseError> {
    let mut places: Vec<Vec<Place>> = Vec::new();
    let mut heads = Vec::new();
    for put in puts {
        packed.open(8 * put.args.len() as u16).unwrap();
        for (at, number) in put.args.iter().enumerate() {
            packed.put(8 * at, number.to_ne_bytes());
        }
        let added = put.data.iter().map(|(data, tail)| packed.add(data, *tail).unwrap());
        places.push(added.collect());
        if put.given_up {
            packed.give_up();
        } else {
            packed.close();
            heads.push((put.function, put.skipped));
        }
    }
    let (mut memory, head) = laid_out(packed, &heads);
    let mut entries = entries(&mut memory, &head).unwrap();
    let (data, length) = entries.data();
    let mut free = 0;
    for (put, places) in puts.iter().zip(&places).filter(|(put, _)| !put.given_up) {
        prop_assert_eq!(entries.turn(), Some((put.function, put.skipped)));
        let block = entries.args(8 * put.args.len()).unwrap();
        let args = put.args.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<u8>>();
        prop_assert_eq!(copied(block, args.len()), args);
        for ((bytes, tail), place) in put.data.iter().zip(places) {
            prop_assert_eq!(place.segment(), wire::SEGMENT_BATCH);
            prop_assert!(
                place.offset().is_multiple_of(8) && place.offset() >= free,
                "it overlaps what was before"
            );
            free = place.offset() + (bytes.len() + tail) as u64;
            prop_assert!(free <= length);
            let there = copied(data.wrapping_add(place.offset() as usize), bytes.len() + tail);
            prop_assert_eq!(&there[..bytes.len()], &bytes[..]);
            prop_assert!(there[bytes.len()..].iter().all(|&byte| byte == 0));
        }
    }
    prop_assert!(entries.turn().is_none() && entries.is_empty());
    Ok(())
}

#[test]
fn the_replies_of_the_largest_batch_are_counted_in_32_bits() {
    let blocks = u64::from(wire::MAX_BATCH) * block_size(wire::MAX_RESULT) as u64;
    assert!(u32::try_from(blocks + Replies::of(wire::MAX_BATCH).blocks() as u64).is_ok());
}

#[test]
fn arguments_are_zero_until_they_are_put() {
    let mut packed = Packed::with_capacity(64);
    packed.open(16).unwrap();
    packed.put(0, [1; 16]);
    packed.add(&[2; 30], 0).unwrap();
    packed.close();
    packed.clear();
    packed.open(8).unwrap();
    packed.put(0, [3; 8]);
    packed.add(&[3; 9], 0).unwrap();
    packed.give_up();
    packed.open(13).unwrap();
    packed.add(&[], 20).unwrap();
    packed.close();
    let parts = packed.parts([(2, false)].into_iter());
    assert_eq!(parts, [&[2, 0, 0, 0, 0, 0, 0, 0][..], &[0; 16], &[0; 24]]);
}

#[test]
fn what_does_not_lie_as_it_should_has_no_entries() {
    let mut memory = [0_u64; 4];
    let head = BatchHead { count: 2, replies_length: 0, place: Place::NULL, data: 16, length: 24 };
    assert!(entries(&mut memory, &head).is_some());
    for wrong in [
        BatchHead { count: 5, ..head },
        BatchHead { data: 32, ..head },
        BatchHead { count: u32::MAX, ..head },
        BatchHead { data: u64::MAX, ..head },
    ] {
        assert!(entries(&mut memory, &wrong).is_none(), "{wrong:?}");
    }
    // SAFETY: the memory is there until the end of the test.
    let odd = unsafe { Entries::new(memory.as_mut_ptr().cast::<u8>().wrapping_add(4), &head) };
    assert!(odd.is_none());
}
