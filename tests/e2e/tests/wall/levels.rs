//! The level in force is measured, told, and can be demanded.

use hotcell::{Level, Profile, Require, Sandbox};
use hotcell_e2e::wall::{Attacks, as_every_user};

#[test]
fn the_level_is_what_was_tried() {
    as_every_user("levels::the_level_is_what_was_tried", || {
        let attacks = Attacks::new();
        let level = |sandbox: &Sandbox| attacks.open(sandbox.clone(), &[]).unwrap().session.level();
        let compute = level(&Sandbox::of(Profile::Compute));
        assert_eq!(compute.missing(Level::strict(&Sandbox::of(Profile::Compute))), [""; 0]);
        let files = Sandbox { read: vec!["/etc".into()], ..Sandbox::of(Profile::Files) };
        // The root directory is not among the files.
        let missing = level(&files).missing(compute);
        assert!(missing.iter().all(|&it| it == "own-namespaces"), "{missing:?}");
        let network = Sandbox { connect: vec![1], ..Sandbox::of(Profile::Network) };
        assert_eq!(level(&network).missing(compute), ["no-network"]);
        // Without a wall, nothing of it: also where the system forbids some of it to everybody.
        let basic = level(&Sandbox::of(Profile::Basic));
        assert_eq!(
            basic.names(),
            ["no-new-privileges", "no-core-dumps", "own-session", "limited-descriptors"]
        );
    });
}

#[test]
fn a_level_can_be_demanded() {
    as_every_user("levels::a_level_can_be_demanded", || {
        let attacks = Attacks::new();
        let files = Sandbox { read: vec!["/etc".into()], ..Sandbox::of(Profile::Files) };
        let network = Sandbox { connect: vec![1], ..Sandbox::of(Profile::Network) };
        for sandbox in [Sandbox::of(Profile::Compute), files, network, Sandbox::of(Profile::Custom)] {
            let sandbox = Sandbox { require: Require::Strict, ..sandbox };
            attacks.open(sandbox, &[]).unwrap().serves();
        }
    });
}
