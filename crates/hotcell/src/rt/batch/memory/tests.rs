//! A batch has the memory of the one before, and nothing of what was in it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

/// Two numbers in, and one out.
static FUNCTIONS: [Function; 1] = [Function {
    name: "add",
    args_size: 8,
    result_size: 4,
    deadline_ms: 0,
    idempotent: false,
    inputs: &[],
    lets_go: false,
    returned: None,
    code: None,
    message: None,
    symbols: &[],
    owned: &[],
    outputs: &[],
}];

fn add(memory: &mut Memory, bytes: &[u8]) -> u64 {
    assert!(memory.begin(0, Location::caller()));
    memory.packed.put(0, [7; 8]);
    memory.packed.add(bytes, 1).unwrap();
    memory.input += bytes.len() as u64;
    memory.add(Outcome::Values)
}

fn where_it_is(memory: &Memory) -> (*const Memory, *const Pending) {
    (std::ptr::from_ref(memory), memory.pending.as_ptr())
}

#[test]
fn the_next_batch_has_the_memory_and_nothing_in_it() {
    let spare = Arc::new(Spare::default());
    let mut first = spare.take(&FUNCTIONS);
    let (place, number) = (where_it_is(&first), first.number);
    let mut other = spare.take(&FUNCTIONS);
    assert_ne!(where_it_is(&other), place, "a batch that is made meanwhile has its own");
    for entry in 0..60 {
        assert_eq!(add(&mut first, b"data") & ((1 << ENTRY_BITS) - 1), entry);
    }
    first.replies.extend([1; 100]);
    first.failures.extend([2; 100]);
    let slot = first.columns.add::<i32>(|_| Ok(1));
    assert!(first.begin(0, Location::caller()), "and one that is given up");
    drop(first);
    let mut second = spare.take(&FUNCTIONS);
    assert_eq!(where_it_is(&second), place, "entries cost no memory but the first batch's");
    assert_ne!(second.number, number);
    assert!(second.replies.is_empty() && second.failures.is_empty() && second.failed.is_empty());
    assert_eq!((second.added, second.input, second.blocks), (0, 0, 0));
    assert_eq!(second.columns.add::<i32>(|_| Ok(2)), slot);
    add(&mut second, b"x");
    add(&mut other, b"x");
    let heads = || [(0, false)].into_iter();
    assert_eq!(second.packed.parts(heads()), other.packed.parts(heads()), "no bytes of before either");
}

#[test]
fn what_was_given_up_is_forgotten() {
    let spare = Arc::new(Spare::default());
    let mut memory = spare.take(&FUNCTIONS);
    let first = add(&mut memory, b"one");
    assert!(memory.begin(0, Location::caller()));
    memory.packed.add(b"given up", 0).unwrap();
    memory.lengths.push((0, 8));
    memory.input += 8;
    assert_eq!(add(&mut memory, b"two"), first + 1);
    assert_eq!((memory.added, memory.pending.len(), memory.input), (2, 2, 6));
    assert!(memory.lengths.is_empty());
    assert!(!memory.begin(1, Location::caller()), "there is no such function");
    assert_eq!(memory.added, 2);
}

#[test]
fn much_memory_is_not_kept() {
    let spare = Arc::new(Spare::default());
    let mut memory = spare.take(&FUNCTIONS);
    for _ in 0..20_000 {
        add(&mut memory, b"");
    }
    drop(memory);
    assert!(spare.0.lock().is_none());
    drop(spare.take(&FUNCTIONS));
    assert!(spare.0.lock().is_some());
}
