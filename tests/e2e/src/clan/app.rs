//! Uses the package of clan as an application would, on several threads: it aborts where two are inside one clan at once.

use clan_hotcell::Library;

fn main() {
    let library = std::env::var_os("CLAN").expect("where the library is");
    let options = hotcell::Options { libraries: vec![library.into()], callers: 3, ..Default::default() };
    let library = Library::open_with(options).expect("a worker");
    let clans = [0; 4].map(|_| library.new().unwrap());
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (library, clans) = (&library, &clans);
            scope.spawn(move || {
                for turn in 0..50 {
                    let [one, other] = [0, 1].map(|more| &clans[(number + turn + more) % 4]);
                    assert!(library.use_all(&[one, other]).unwrap() > 0);
                    one.clan_use().unwrap();
                    one.use_both(other).unwrap();
                }
            });
        }
    });
    assert_eq!(library.use_all(&[]).unwrap(), 0);
    println!("all is well");
}
