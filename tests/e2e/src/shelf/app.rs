//! Uses the package of shelf as an application would.

use hotcell::{Cause, ErrorKind, Output};
use shelf_hotcell::{Corner, Library, Shelf, ShelfBox, Size, Stream, Tape, constants};

fn open() -> Library {
    let library = std::env::var_os("SHELF").expect("where the library is");
    let options = hotcell::Options { libraries: vec![library.into()], ..Default::default() };
    Library::open_with(options).expect("a worker")
}

fn main() {
    let library = open();
    objects(&library);
    drops(&library);
    errors(&library);
    callbacks(&library);
    kept_callbacks(&library);
    structures(&library);
    texts(&library);
    failures(&library);
    streams(&library);
    long_structures(&library);
    truths_and_rows(&library);
    crashes(&library);
    println!("all is well");
}

fn objects(library: &Library) {
    let shelf = library.shelf_open("books").unwrap();
    assert_eq!(shelf.name().unwrap(), "books");
    let first = shelf.box_new(Size::SMALL).unwrap();
    assert_eq!(first.label().unwrap(), None);
    first.add(3).unwrap();
    first.add(4).unwrap();
    assert_eq!(first.sum().unwrap(), 7);
    // A label is lent: the same each time.
    let label = first.label().unwrap().expect("a label");
    assert_eq!(label, first.label().unwrap().expect("a label"));
    assert_eq!(label.length().unwrap(), 2);
    let clone = first.clone();
    assert_eq!(clone, first);
    // Closing under an open box is refused; what was given away is stale.
    let refused = shelf.clone().close().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
    shelf.put(first).unwrap();
    assert_eq!(shelf.total().unwrap(), 7);
    assert_eq!(clone.sum().unwrap_err().kind(), ErrorKind::StaleHandle);
    assert_eq!(label.length().unwrap_err().kind(), ErrorKind::StaleHandle);
    assert_eq!(library.alive().unwrap(), 2);
    shelf.close().unwrap();
    assert_eq!(library.alive().unwrap(), 0);
    // What was not taken over is released by whoever has it.
    let tiny = library.shelf_open("tiny").unwrap();
    let box_ = tiny.box_new(Size::SMALL).unwrap();
    let kept = box_.clone();
    assert_eq!(tiny.put(box_).unwrap_err().kind(), ErrorKind::LibraryError);
    assert_eq!((kept.sum().unwrap(), library.alive().unwrap()), (0, 2));
    drop(kept);
    assert_eq!(library.alive().unwrap(), 1);
    drop(tiny);
    // Another worker's objects are not this one's.
    let other = open();
    let foreign = other.shelf_open("foreign").unwrap();
    let here = library.shelf_open("here").unwrap();
    let error = here.put(foreign.box_new(Size::SMALL).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownHandle, "{error}");
}

fn drops(library: &Library) {
    let shelf = library.shelf_open("drops").unwrap();
    let boxes: Vec<_> = (0..10).map(|_| shelf.box_new(Size::LARGE).unwrap()).collect();
    // A child keeps its parent.
    drop(shelf);
    assert_eq!(library.alive().unwrap(), 11);
    assert_eq!(boxes[9].sum().unwrap(), 0);
    drop(boxes);
    assert_eq!(library.alive().unwrap(), 0);
}

fn errors(library: &Library) {
    let error = library.shelf_open("broken").unwrap_err();
    let Cause::Library { code, symbol, message, .. } = error.cause() else { panic!("{error}") };
    assert_eq!((*code, *symbol), (i64::from(constants::BROKEN), Some("SHELF_BROKEN")));
    assert_eq!(message.as_deref(), Some("the shelf is broken"));
    // The shelf that was there all the same is closed.
    assert_eq!(library.alive().unwrap(), 0);
    let shelf = library.shelf_open("full").unwrap();
    let small = shelf.box_new(Size::SMALL).unwrap();
    small.add(1).unwrap();
    small.add(1).unwrap();
    assert!(small.add(1).unwrap_err().to_string().contains("SHELF_FULL"));
}

fn callbacks(library: &Library) {
    let shelf = library.shelf_open("calls").unwrap();
    let large = shelf.box_new(Size::LARGE).unwrap();
    (0..100).for_each(|number| large.add(number).unwrap());
    let mut seen = Vec::new();
    let result = large.each(|number, text, names| {
        seen.push((number, text.to_owned(), names.to_vec()));
        Ok(i32::from(number == 42) * 7)
    });
    assert_eq!(result.unwrap(), 7);
    assert_eq!(seen.len(), 43);
    let texts = vec![Some("number 42".to_owned()), None, Some("calls".to_owned())];
    assert_eq!(seen[42], (42, "number 42".to_owned(), texts));
    // A panic comes out where the call was made; the session goes on.
    let raise = || large.each(|_, _, _| panic!("of its own"));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(raise));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"of its own"));
    assert_eq!(large.sum().unwrap(), 4950);
}

fn kept_callbacks(library: &Library) {
    let shelf = library.shelf_open("watched").unwrap();
    let (sender, seen) = std::sync::mpsc::channel();
    let more = move |shelf: &Shelf, first: Option<&ShelfBox>, all: &[ShelfBox]| {
        // Objects are lent for the time of the callback; calls on them are nested in the one that runs it.
        let sums: Vec<_> = all.iter().map(|box_| box_.sum().unwrap()).collect();
        let name = shelf.name().unwrap();
        sender.send((name, first.cloned(), sums)).unwrap();
        Ok(1000)
    };
    shelf.watch(Some(Box::new(more))).unwrap();
    assert_eq!(shelf.total().unwrap(), 1000);
    assert_eq!(seen.recv().unwrap(), ("watched".to_owned(), None, vec![]));
    for number in [5, 6] {
        let box_ = shelf.box_new(Size::SMALL).unwrap();
        box_.add(number).unwrap();
        shelf.put(box_).unwrap();
    }
    assert_eq!(shelf.total().unwrap(), 1011);
    let (_, first, sums) = seen.recv().unwrap();
    assert_eq!(sums, [6, 5]);
    assert_eq!(first.expect("a box").sum().unwrap_err().kind(), ErrorKind::StaleHandle);
    // NULL ends it for the library; the closure goes with its shelf.
    shelf.watch(None).unwrap();
    assert_eq!(shelf.total().unwrap(), 11);
    shelf.close().unwrap();
    assert!(seen.recv().is_err());
}

fn structures(library: &Library) {
    let shelf = library.shelf_open("metre").unwrap();
    let mut measure = shelf.measure_of().unwrap();
    assert_eq!(measure.corner, Corner { x: 1.5, y: -2.5 });
    assert_eq!((measure.sides, measure.unit.as_str()), ([1, 2, 3], "metre"));
    assert_eq!(format!("{:?}", measure.size), "LARGE");
    library.measure_double(&mut measure).unwrap();
    assert_eq!((measure.corner.y, measure.sides[2]), (-5.0, 6));
    assert_eq!(measure.unit, "doubled");
    let origin = Corner::default();
    let corner = Corner { x: 3.0, y: 4.0 };
    assert_eq!(library.corner_distance(&corner, Some(&origin)).unwrap(), 25.0);
    assert_eq!(library.corner_distance(&corner, Some(&corner)).unwrap(), 0.0);
    assert_eq!(library.corner_distance(&corner, None).unwrap(), 25.0);
}

fn texts(library: &Library) {
    let joined = library.join(&["one ", "", "zwölf"]).unwrap();
    assert_eq!((joined.returned, joined.out.as_deref()), (3, Some("one zwölf")));
    assert_eq!(library.join(&[] as &[String]).unwrap().out, None);
    let number = library.number("12 apples").unwrap();
    assert_eq!((number.returned, number.end), (12, Some(2)));
    assert_eq!(library.number("apples").unwrap().end, None);
    let turned = library.turn("zwölf Äpfel").unwrap();
    assert_eq!((turned.returned.as_str(), turned.blank), ("lefpÄ flöwz", Some(6)));
    let turned = library.turn("").unwrap();
    assert_eq!((turned.returned.as_str(), turned.blank), ("", None));
    // The halves of a letter the wrong way round.
    assert_eq!(library.turn("🦀").unwrap_err().kind(), ErrorKind::BadEncoding);
    assert_eq!(library.turn("a\0b").unwrap_err().kind(), ErrorKind::InvalidArgument);
    let words = library.words("zwölf  Äpfel").unwrap();
    let expect = ["zwölf", "", "Äpfel"].map(|word| Some(word.to_owned()).filter(|word| !word.is_empty()));
    assert_eq!((words.words, words.count), (Some(expect.to_vec()), 3));
    assert_eq!(library.words("").unwrap().words, None);
    assert_eq!(library.sizes().unwrap(), ["small", "groß"]);
    assert_eq!(library.squares(4).unwrap().out, Some(vec![0, 1, 4, 9]));
    assert_eq!(library.squares(0).unwrap().out, None);
}

fn failures(library: &Library) {
    let digits = library.digits("-123").unwrap();
    assert_eq!((digits.value, digits.negative, digits.end), (123, true, Some(4)));
    assert_eq!((digits.digits.as_slice(), digits.complaint), (&[1, 2, 3][..], None));
    let int = |number| Output::Int(number);
    let text = |text: &str| Output::Text(text.to_owned());
    let error = library.digits("-12a").unwrap_err();
    assert_eq!((error.kind(), error.symbol()), (ErrorKind::LibraryError, Some("SHELF_BROKEN")));
    let outputs: Vec<(&str, Output)> =
        error.outputs().iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let expect = [
        ("end", int(3)),
        ("value", int(12)),
        ("negative", Output::Bool(true)),
        ("digits", Output::List(vec![int(1), int(2)])),
        ("count", int(2)),
        ("why", text("no digit")),
        ("complaint", text("what is that?")),
    ];
    assert_eq!(outputs, expect);
    assert_eq!(error.output_of("end"), Some(&int(3)));
    assert_eq!(error.to_json()["outputs"]["digits"].to_string(), "[1,2]");
    assert!(format!("{error:#}").contains("\n  why: \"no digit\"\n"), "{error:#}");
    // A text that is not in its encoding, and a length that is none, hide nothing else.
    let error = library.digits("?").unwrap_err();
    assert_eq!(error.output_of("complaint"), Some(&Output::Bytes(b"what\xff".to_vec())));
    let error = library.digits("1!").unwrap_err();
    assert_eq!(error.output_of("digits"), Some(&Output::List(vec![])));
    assert_eq!(error.output_of("count"), Some(&int(1000)));

    let shelf = library.shelf_open("metre").unwrap();
    let mut measure = shelf.measure_of().unwrap();
    measure.unit = "mile".into();
    assert_eq!(library.measure_cut(&mut measure).unwrap_err().kind(), ErrorKind::LibraryError);
    assert_eq!((measure.sides, measure.unit.as_str()), ([1, 1, 1], "mile"));
}

fn streams(library: &Library) {
    let alive = library.alive().unwrap();
    let mut stream = Stream::new(library);
    let error = stream.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(stream.start(-1).unwrap_err().to_string().contains("SHELF_BROKEN"));
    stream.start(1).unwrap();
    assert_eq!(library.alive().unwrap(), alive + 1);
    // What is there does not begin again: what it holds would be lost.
    let error = stream.start(1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.message().contains("is there already: end it first"), "{error}");
    assert_eq!(library.alive().unwrap(), alive + 1);
    stream.next_in = vec![2, 4, 6];
    stream.avail_out = 2;
    stream.run().unwrap();
    assert_eq!((stream.next_in.as_slice(), stream.next_out.as_slice()), (&[6][..], &[3, 5][..]));
    assert_eq!((stream.avail_out, stream.total), (0, 2));
    stream.avail_out = 100;
    stream.run().unwrap();
    assert_eq!((stream.next_in.len(), stream.next_out.as_slice()), (0, &[7][..]));
    assert_eq!((stream.avail_out, stream.total), (99, 3));
    // What a failed call did is there all the same: nothing is lost, and nothing comes twice.
    stream.next_in = vec![2, 255, 4];
    stream.avail_out = 5;
    let error = stream.run().unwrap_err();
    assert_eq!(error.symbol(), Some("SHELF_BROKEN"), "{error}");
    assert_eq!((stream.next_in.as_slice(), stream.next_out.as_slice()), (&[4][..], &[3][..]));
    assert_eq!((stream.avail_out, stream.total), (4, 4));
    stream.run().unwrap();
    assert_eq!((stream.next_in.len(), stream.next_out.as_slice()), (0, &[5][..]));
    // So it is when a callback fails.
    stream.next_in = vec![7, 8, 9];
    let visit = |byte| if byte == 8 { panic!("an eight") } else { Ok(0) };
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stream.visit(visit)));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"an eight"));
    assert_eq!(stream.next_in, [9]);
    stream.end().unwrap();
    assert_eq!(library.alive().unwrap(), alive);
    // Dropped, it is ended all the same.
    let mut stream = Stream::new(library);
    stream.start(1).unwrap();
    drop(stream);
    assert_eq!(library.alive().unwrap(), alive);
}

fn long_structures(library: &Library) {
    let alive = library.alive().unwrap();
    let mut tape = Tape::new(library);
    assert_eq!(tape.start(3).unwrap_err().kind(), ErrorKind::LibraryError);
    assert_eq!((tape.data[69_999], library.session().generation()), (7, 1));
    tape.start(0).unwrap();
    assert_eq!(library.alive().unwrap(), alive + 1);
    drop(tape);
    assert_eq!(library.alive().unwrap(), alive);
}

fn truths_and_rows(library: &Library) {
    let flip = library.flip(&[true, false, true]).unwrap();
    assert_eq!((flip.returned, flip.turned), (2, vec![false, true, false]));
    let row = |n| library.row(n).unwrap().returned;
    assert_eq!((row(2), row(0), row(-1)), (Some(vec![3, 4]), Some(vec![]), None));
    assert_eq!(library.full_row(2).unwrap().returned, [3, 4]);
}

fn crashes(library: &Library) {
    let error = library.full_row(-1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
    assert!(error.message().contains("promises data"), "{error}");
    let shelf = library.shelf_open("lost").unwrap();
    let box_ = shelf.box_new(Size::LARGE).unwrap();
    box_.add(1).unwrap();
    let error = box_.each(|_, _, _| Ok(std::process::id().cast_signed().min(1))).map(drop);
    assert!(error.is_ok());
    let pid = library.session().worker_pid().expect("a worker");
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.expect("kill").success());
    // Whichever call notices: the shelf went with its worker, and the library is there again.
    let error = shelf.total().unwrap_err();
    assert!(error.is_fault() || error.kind() == ErrorKind::StaleHandle, "{error}");
    assert_eq!(shelf.total().unwrap_err().kind(), ErrorKind::StaleHandle);
    drop((shelf, box_));
    assert_eq!(library.alive().unwrap(), 0);
}
