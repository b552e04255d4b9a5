//! What programs print is read, and samples are judged.

use super::*;

#[test]
fn what_hotcell_prints_is_read() {
    let report = |figures: &str, left_out: &str| {
        format!(
            r#"{{"machine": {{"cpu": "a CPU", "cpus": 2, "caller_on": 0, "peer_on": 1, "virtual": true,
                "kernel": "6.1", "hotcell": "0.1.0", "architecture": "x"}},
                "figures": [{figures}], "left_out": [{left_out}]}}"#
        )
    };
    let figures = r#"{"id": "raw", "median": 1}, {"id": "b", "median": 2.5}, {"id": "a", "median": 7}"#;
    let (machine, sample) = read_contained(&report(figures, ""), ["a", "b"]).unwrap();
    assert_eq!((sample, machine.peer_on, machine.cpus), (Ok([7.0, 2.5]), Some(1), 2));
    // A baseline that cannot be had is no reason.
    let other = r#"{"id": "raw", "reason": "one CPU"}"#;
    assert_eq!(read_contained(&report(figures, other), ["a", "b"]).unwrap().1, Ok([7.0, 2.5]));
    let own = r#"{"id": "b", "reason": "one CPU"}"#;
    assert_eq!(read_contained(&report("", own), ["a", "b"]).unwrap().1, Err("one CPU".to_owned()));
    assert!(read_contained(&report(figures, ""), ["a", "c"]).is_err());
}

#[test]
fn what_the_peers_print_is_read() {
    assert_eq!(read_peer(r#"{"add": 5.5, "crc32.1k": 7}"#).unwrap(), Ok([5.5, 7.0]));
    assert_eq!(read_peer(r#"{"left_out": "no python"}"#).unwrap(), Err("no python".to_owned()));
    for wrong in ["", "{}", r#"{"add": 5.5}"#, r#"{"add": 0, "crc32.1k": 7}"#] {
        assert!(read_peer(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_ratio_is_the_median_of_steady_rounds() {
    let check = |rounds: &[(f64, f64, f64)], expect| assert_eq!(ratio(rounds.to_vec()), expect, "{rounds:?}");
    check(&[(1.0, 100.0, 1.0)], Some(100.0));
    check(&[(1.0, 120.0, 1.4)], Some(100.0));
    check(&[(1.0, 100.0, 1.0), (1.0, 900.0, 2.0), (2.0, 220.0, 2.0), (1.0, 90.0, 1.0)], Some(100.0));
    check(&[(1.0, 300.0, 2.0)], Some(200.0));
    check(&[], None);
}

/// A section of which every round found the same.
fn samples_of(
    section: &'static Section,
    own: f64,
    peer: f64,
) -> HashMap<(&'static str, &'static str), Samples> {
    let sample = |value| [value, 10.0 * value];
    let round = (sample(own), sample(peer), sample(own));
    section.peers.iter().map(|it| ((section.place, it.name), vec![round; 3])).collect()
}

#[test]
fn a_bar_is_on_how_much_longer_a_peer_takes() {
    let section = SECTIONS.iter().find(|it| it.peers.iter().any(|peer| peer.bar == Some(100.0))).unwrap();
    for (peer, missed) in [(101.0, 0), (99.0, 3)] {
        let sections = vec![judge(section, &samples_of(section, 1.0, peer)).unwrap()];
        let rows = &sections[0].rows;
        assert_eq!((rows.len(), rows[0].label), (section.peers.len() + 1, "Hotcell"));
        assert_eq!((rows[0].calls[0].median, rows[0].calls[0].ratio, rows[0].ok()), (1.0, None, None));
        assert_eq!((rows[1].calls[1].median, rows[1].calls[1].ratio), (10.0 * peer, Some(peer)));
        let found =
            Found { machine: Machine::default(), load: None, rounds: 3, sections, left_out: Vec::new() };
        assert_eq!(found.missed().len(), missed, "{:?}", found.missed());
    }
    assert!(judge(section, &HashMap::new()).is_none());
}

#[test]
fn what_is_left_out_is_said_once() {
    let mut left_out = Vec::new();
    for _ in 0..3 {
        note(&mut left_out, "a peer".to_owned(), "no python".to_owned());
    }
    assert_eq!(left_out, [("a peer".to_owned(), "no python".to_owned())]);
}
