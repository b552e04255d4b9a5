//! Entries that are added by columns: what comes of each is what comes of it by itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::rt::{Columns, Rows};
use hotcell::{Done, ErrorKind, Executed, Options, Result, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

const HEADER: &str = "
#include <stdint.h>
/* Half of an even number; -1 of any other. */
int halve(int number);
/* A structure with padding: two arguments of other sizes. */
double blend(double a, uint8_t share, int16_t add);
int16_t answer(void);
int divide(int number, int by);
";

const CODE: &str = r#"
#include "rows.h"
int halve(int number) { return number % 2 != 0 ? -1 : number / 2; }
double blend(double a, uint8_t share, int16_t add) { return a * share + add; }
int16_t answer(void) { return 42; }
int divide(int number, int by) { return number / by; }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "rows"
headers = ["rows.h"]
link = ["rows"]
function.halve.error = { fails = "negative" }
"#;

struct Library {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Library {
    fn open() -> Library {
        let (folder, bound) = bind("rows", HEADER, CODE, CONTRACT);
        Library { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    fn index(&self, name: &str) -> u16 {
        let functions = &self.bound.interface.functions;
        functions.iter().position(|function| function.name == name).unwrap() as u16
    }

    /// Runs a batch of these rows alone.
    fn run(&self, name: &str, rows: usize, put: impl FnOnce(&mut Columns<'_>)) -> Result<(Rows, Done)> {
        let mut batch = self.session.batch();
        let sent = batch.rows(self.index(name), rows, put)?;
        assert_eq!(batch.len(), rows);
        Ok((sent, batch.run()?))
    }
}

fn bytes(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> Vec<i32> {
    bytes.as_chunks().0.iter().map(|number| i32::from_ne_bytes(*number)).collect()
}

#[test]
fn rows_are_calls() {
    let library = Library::open();
    let given: Vec<i32> = (0..1000).map(|at| 2 * at).collect();
    let (rows, mut done) =
        library.run("halve", given.len(), |columns| columns.put::<4>(0, &bytes(&given))).unwrap();
    let mut taken = vec![];
    done.take_column::<4>(&rows, 0, &mut taken).unwrap();
    assert_eq!(numbers(&taken), (0..1000).collect::<Vec<_>>());
    assert_eq!(library.session.stats().functions[usize::from(library.index("halve"))].calls, 1000);

    // Sizes that leave gaps, and a number that is the same in all rows. The arguments lie by their sizes.
    let function = &library.bound.interface.functions[usize::from(library.index("blend"))];
    let fields: Vec<u32> = function.layout.args.fields.iter().map(|field| field.offset).collect();
    let at = |param: usize| fields[param] as usize;
    let wide: Vec<u8> = [1.5f64, -2.0, 1e9].iter().flat_map(|it| it.to_ne_bytes()).collect();
    let (rows, mut done) = library
        .run("blend", 3, |columns| {
            columns.put::<8>(at(0), &wide);
            columns.put_same(at(1), [(-7i16).to_ne_bytes()[0], (-7i16).to_ne_bytes()[1]]);
            columns.put::<1>(at(2), &[2, 200]);
        })
        .unwrap();
    let mut taken = vec![9];
    done.take_column::<8>(&rows, 0, &mut taken).unwrap();
    let taken: Vec<f64> = taken[1..].as_chunks().0.iter().map(|it| f64::from_ne_bytes(*it)).collect();
    assert_eq!(taken, [-4.0, -407.0, -7.0], "the last row was given no share: it is zero");

    // Without arguments, without rows, and beside entries.
    let (rows, mut done) = library.run("answer", 3, |_| ()).unwrap();
    let mut taken = vec![];
    done.take_column::<2>(&rows, 0, &mut taken).unwrap();
    assert_eq!(taken, [42, 0, 42, 0, 42, 0]);
    let (rows, mut done) = library.run("answer", 0, |_| ()).unwrap();
    done.take_column::<2>(&rows, 0, &mut taken).unwrap();
    assert_eq!(taken.len(), 6);
    let mut batch = library.session.batch();
    let mut before = batch.entry(library.index("divide")).unwrap();
    before.put_i32(0, 7);
    before.put_i32(4, 2);
    let before = before.values(|values| values.get_i32(0));
    let first =
        batch.rows(library.index("halve"), 2, |columns| columns.put::<4>(0, &bytes(&[8, 6]))).unwrap();
    let second = batch.rows(library.index("halve"), 1, |columns| columns.put::<4>(0, &bytes(&[4]))).unwrap();
    let mut done = batch.run().unwrap();
    let mut taken = vec![];
    done.take_column::<4>(&second, 0, &mut taken).unwrap();
    done.take_column::<4>(&first, 0, &mut taken).unwrap();
    assert_eq!((done.take(before).unwrap(), numbers(&taken)), (3, vec![2, 4, 3]));
}

#[test]
fn the_first_row_that_failed_is_told() {
    let library = Library::open();
    let mut batch = library.session.batch();
    let halve = library.index("halve");
    let good = batch.rows(halve, 3, |columns| columns.put::<4>(0, &bytes(&[2, 4, 6]))).unwrap();
    let bad = batch.rows(halve, 4, |columns| columns.put::<4>(0, &bytes(&[2, 4, 5, 7]))).unwrap();
    let behind = batch.rows(halve, 1, |columns| columns.put::<4>(0, &bytes(&[10]))).unwrap();
    let mut done = batch.run().unwrap();
    let mut taken = vec![];
    let failed = done.take_column::<4>(&bad, 0, &mut taken).unwrap_err();
    assert_eq!((failed.row, failed.error.kind()), (2, ErrorKind::LibraryError));
    assert_eq!((failed.error.function(), failed.error.executed()), ("halve", Executed::Yes));
    assert_eq!(numbers(&taken), [1, 2], "those in front of it are there");
    done.take_column::<4>(&good, 0, &mut taken).unwrap();
    done.take_column::<4>(&behind, 0, &mut taken).unwrap();
    assert_eq!(numbers(&taken), [1, 2, 1, 2, 3, 5]);

    // A crash: the row that crashed is not known before it, and all others are lost.
    let (rows, mut done) =
        library.run("divide", 3, |columns| columns.put::<4>(0, &bytes(&[1, 2, 3]))).unwrap();
    let failed = done.take_column::<4>(&rows, 0, &mut vec![]).unwrap_err();
    assert_eq!((failed.row, failed.error.kind()), (0, ErrorKind::Crashed));
    assert!(done.fault().is_some_and(|fault| fault.kind() == ErrorKind::Crashed));
}

#[test]
fn what_cannot_be_added_leaves_the_batch_as_it_was() {
    let library = Library::open();
    let halve = library.index("halve");
    let mut batch = library.session.batch();
    let error = batch.rows(1000, 1, |_| ()).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No));
    for rows in [65_537, usize::MAX] {
        let error = batch.rows(halve, rows, |_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.message().contains("65536 entries"), "{error}");
    }
    // What was put when it panicked is no other entry's.
    let panics = std::panic::AssertUnwindSafe(|| {
        batch.rows(halve, 2, |columns| {
            columns.put::<4>(0, &bytes(&[2, 2]));
            panic!("as it is");
        })
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert!(batch.is_empty());
    let rows = batch.rows(halve, 2, |columns| columns.put::<4>(0, &bytes(&[8]))).unwrap();
    let mut done = batch.run().unwrap();
    let mut taken = vec![];
    done.take_column::<4>(&rows, 0, &mut taken).unwrap();
    assert_eq!(numbers(&taken), [4, 0]);
}
