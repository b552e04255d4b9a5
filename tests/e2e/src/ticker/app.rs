//! Uses the package of ticker as an application would.

use std::sync::mpsc::channel;

use hotcell::ErrorKind;
use ticker_hotcell::Library;

fn open() -> Library {
    let library = std::env::var_os("TICKER").expect("where the library is");
    let options = hotcell::Options { libraries: vec![library.into()], ..Default::default() };
    Library::open_with(options).expect("a worker")
}

fn main() {
    let library = open();
    ticks(&library);
    data(&library);
    failures(&library);
    ends(&library);
    println!("all is well");
}

fn ticks(library: &Library) {
    let ticker = library.new().unwrap();
    let (sender, ticks) = channel();
    let tick = move |number, thread| {
        sender.send((number, thread, std::thread::current().id()))?;
        Ok(number * 2)
    };
    ticker.on_tick(tick).unwrap();
    ticker.start(2, 50, 100, 0).unwrap();
    let mut next = [0; 2];
    for _ in 0..100 {
        let (number, thread, id) = ticks.recv().unwrap();
        assert_eq!(number, next[thread as usize]);
        assert_ne!(id, std::thread::current().id());
        next[thread as usize] += 1;
    }
    ticker.wait().unwrap();
    assert_eq!((ticker.ticks().unwrap(), ticker.sum().unwrap()), (100, 2 * 2 * (0..50).sum::<i64>()));
    assert_eq!(ticker.tick_here(4).unwrap(), 8);
    assert_eq!(ticks.recv().unwrap(), (4, -1, std::thread::current().id()));
}

fn data(library: &Library) {
    let ticker = library.new().unwrap();
    ticker
        .on_data(|text, data| {
            assert!(text == "even" || text == "odd");
            Ok(data.iter().map(|&byte| i32::from(byte)).sum())
        })
        .unwrap();
    assert_eq!(ticker.send(5, 2).unwrap(), 10 + 15);
}

fn failures(library: &Library) {
    let ticker = library.new().unwrap();
    ticker.on_tick(|number, _| if number == 1 { Err("enough".into()) } else { Ok(5) }).unwrap();
    ticker.run(1, 3).unwrap();
    let error = ticker.sum().unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::CallbackFailed, "enough"));
    assert_eq!(ticker.sum().unwrap(), 5 - 1 + 5);
}

fn ends(library: &Library) {
    let ticker = library.new().unwrap();
    let (sender, ticks) = channel();
    ticker.on_tick(move |number, _| Ok(sender.send(number).map(|()| number)?)).unwrap();
    ticker.start(1, 3, 0, 0).unwrap();
    // The library waits for its thread; the closure goes when the object has.
    ticker.free().unwrap();
    assert_eq!(ticks.iter().collect::<Vec<_>>(), [0, 1, 2]);
}
