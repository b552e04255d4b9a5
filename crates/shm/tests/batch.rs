//! Entries of a batch: what is packed is what comes out, and nothing is read outside of what is there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, batch_entry};
use hotcell_shm::batch::{Entries, Packed, reply_size};
use proptest::prelude::*;

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

proptest! {
    #[test]
    fn what_is_packed_comes_out(puts in puts()) {
        let mut packed = Packed::with_capacity(64);
        let mut places: Vec<Vec<Place>> = Vec::new();
        for put in &puts {
            packed.open(put.function, 8 * put.args.len()).unwrap();
            for (at, number) in put.args.iter().enumerate() {
                packed.put(8 * at, number.to_ne_bytes());
            }
            let added = put.data.iter().map(|(data, tail)| packed.add(data, *tail).unwrap());
            places.push(added.collect());
            if !put.given_up {
                let start = packed.close();
                if put.skipped {
                    packed.skip(start);
                }
            }
        }
        let memory = aligned(packed.bytes());
        prop_assert_eq!(memory.len() * 8, packed.bytes().len());
        let base = memory.as_ptr().cast::<u8>();
        // SAFETY: the memory is there until the end of the test.
        let mut entries = unsafe { Entries::new(base, packed.bytes().len() as u64) };
        for (put, places) in puts.iter().zip(&places).filter(|(put, _)| !put.given_up) {
            let entry = entries.next().unwrap();
            prop_assert_eq!((entry.function, entry.skip), (put.function, put.skipped));
            prop_assert!(entry.length as usize >= 8 * put.args.len());
            let args = put.args.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<u8>>();
            prop_assert_eq!(copied(entry.args, args.len()), args);
            for ((data, tail), place) in put.data.iter().zip(places) {
                prop_assert_eq!(place.segment(), wire::SEGMENT_BATCH);
                prop_assert!(place.offset().is_multiple_of(8));
                let end = entry.args.addr() - base.addr() + entry.length as usize;
                prop_assert!(place.offset() as usize + data.len() + tail <= end);
                let there = copied(base.wrapping_add(place.offset() as usize), data.len() + tail);
                prop_assert_eq!(&there[..data.len()], &data[..]);
                prop_assert!(there[data.len()..].iter().all(|&byte| byte == 0));
            }
        }
        prop_assert!(entries.next().is_none() && entries.is_empty());
    }

    #[test]
    fn whatever_is_there_is_not_left(bytes in proptest::collection::vec(any::<u8>(), 0..400), small in any::<bool>()) {
        let mut memory = aligned(&bytes);
        if small {
            // Sizes as entries have them: their high half is zero, and they are multiples of 8 now and then.
            memory.iter_mut().for_each(|word| *word &= 0x0000_0078_0001_FFFF);
        }
        let base = memory.as_ptr().cast::<u8>();
        // SAFETY: the memory is there until the end of the test.
        let entries = unsafe { Entries::new(base, 8 * memory.len() as u64) };
        let mut end = 0;
        for entry in entries {
            prop_assert_eq!(entry.args.addr() - base.addr(), end + batch_entry::SIZE);
            end += batch_entry::SIZE + entry.length as usize;
            prop_assert!(end <= 8 * memory.len());
        }
    }

    #[test]
    fn replies_have_room_for_a_name(result_size in 0..wire::MAX_RESULT) {
        let size = reply_size(result_size);
        prop_assert!(size.is_multiple_of(8) && size >= 16 && size >= 8 + result_size && size < 24 + result_size);
    }
}

#[test]
fn the_replies_of_the_largest_batch_are_counted_in_32_bits() {
    let largest = u64::from(wire::MAX_BATCH) * reply_size(wire::MAX_RESULT) as u64;
    assert!(u32::try_from(largest).is_ok());
}

#[test]
fn a_base_that_is_not_aligned_has_no_entries() {
    let memory = [0x0010_0000_0000_0003_u64; 4];
    // SAFETY: the memory is there until the end of the test.
    let mut entries = unsafe { Entries::new(memory.as_ptr().cast::<u8>().wrapping_add(4), 16) };
    assert!(entries.next().is_none());
}

#[test]
fn an_entry_is_refused_when_it_is_too_long_though_there_is_memory_for_it() {
    // The memory is never touched.
    let mut packed = Packed::with_capacity((4 << 30) + 4096);
    packed.open(1, 8).unwrap();
    assert_eq!(packed.add(&[], 1 << 32).unwrap_err(), hotcell_shm::batch::TooLong);
    packed.add(b"short", 0).unwrap();
    packed.close();
    assert_eq!(packed.bytes().len(), batch_entry::SIZE + 16);
}
