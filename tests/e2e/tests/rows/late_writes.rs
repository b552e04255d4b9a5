//! Threads that write after their call: what a caller has stays, and what comes is at most wrong.

use hotcell::Options;
use hotcell_e2e::basin::Basin;
use hotcell_e2e::process::wait_until;

const BIG: usize = 1 << 18;

fn expected(seed: u8) -> Vec<u8> {
    (0..BIG).map(|index| (index as u8).wrapping_add(seed)).collect()
}

#[test]
fn what_was_returned_stays_whatever_is_written_later() {
    let basin = Basin::open(Options::default()).unwrap();
    // The memory of this result is the library's to write into, at any time from now on.
    let held = basin.keep(BIG, 7).unwrap();
    let copied = held.to_vec();
    assert_eq!(copied, expected(7));
    basin.haunt(true).unwrap();
    wait_until("it writes nothing", || basin.rounds().unwrap() > 3);
    assert_eq!(copied, expected(7), "a copy is the caller's");
    // What stays in shared memory is what the library says at the time.
    wait_until("what is held is as it was", || held.to_vec().iter().all(|&byte| byte == 0xee));
    drop(held);
    let data = expected(3);
    let sum = data.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    for round in 0..200u32 {
        let seed = round as u8;
        // Results may come to lie where it writes: then they say what it wrote. Their number does not change.
        let result = basin.fill(BIG, seed).unwrap();
        assert_eq!(result.len(), BIG);
        let may_be = |(byte, expect): (&u8, &u8)| byte == expect || *byte == 0xee;
        assert!(result.iter().zip(&expected(seed)).all(may_be), "{round}");
        // What it is given lies where it cannot write.
        assert_eq!(basin.sum(&data).unwrap(), sum, "{round}");
    }
    assert_eq!(copied, expected(7));
    basin.haunt(false).unwrap();
    wait_until("it writes on", || basin.rounds().unwrap() == 0);
    assert_eq!(basin.fill(BIG, 9).unwrap(), expected(9));
    assert_eq!(basin.session.generation(), 1, "nobody was harmed");
}
