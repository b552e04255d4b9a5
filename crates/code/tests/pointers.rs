//! What is said of functions of which the truth is known, and of what they make, compiled in several ways.

use std::path::Path;
use std::process::Command;

use hotcell_code::{Code, Extent, Gone, Made, Use};

const SOURCE: &str = include_str!("pointers.c");

/// What functions make.
const MADE: &str = include_str!("made.c");

/// Ways to compile, of which each leads to other code.
const WAYS: &[&[&str]] = &[
    &["-O0"],
    &["-Og", "-fno-plt"],
    &["-O1", "-fcf-protection"],
    &["-O2", "-Wl,-z,now"],
    &["-O2", "-fno-omit-frame-pointer", "-fstack-protector-all"],
    &["-O3", "-mavx2"],
    &["-Os", "-Wl,-Bsymbolic"],
];

fn compiled(folder: &Path, text: &str, flags: &[&str]) -> Code {
    let library = folder.join("libpointers.so");
    let source = folder.join("pointers.c");
    std::fs::write(&source, text).expect("the source is written");
    let mut compiler = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    compiler.args(["-shared", "-fPIC", "-w"]).args(flags).arg(&source).arg("-o").arg(&library);
    let output = compiler.output().expect("the compiler runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Code::new(&std::fs::read(&library).expect("the library is read")).expect("it is a library for x86-64")
}

/// Each function whose name begins so, in each way.
fn each(prefix: &str, judge: impl Fn(&str, &Use) -> bool) {
    each_in(SOURCE, prefix, |name, code| {
        let found = code.argument(name, 0).expect("the function is exported");
        judge(name, &found).then_some(()).ok_or_else(|| Box::new(found))
    });
}

/// The same of what is asked of the code itself.
fn each_in<Found: std::fmt::Debug>(
    source: &str,
    prefix: &str,
    judge: impl Fn(&str, &Code) -> Result<(), Found>,
) {
    let before = source.split('(').filter_map(|before| before.rsplit([' ', '*']).next());
    let names: Vec<&str> = before.filter(|word| word.starts_with(prefix)).collect();
    assert!(!names.is_empty());
    for flags in WAYS {
        let folder = tempfile::tempdir().expect("a folder");
        let code = compiled(folder.path(), source, flags);
        // Without optimization a jump by a table is another one for each compiler, and memory is held against NULL, which is not followed.
        let judged = |name: &&&str| {
            let optimized = [
                "ended_behind",
                "ended_by_another",
                "ended_by_printing",
                "new_around_itself",
                "new_of_what_is_found",
                "over_beside_calls",
                "over_in_one_case",
                "shared_lazily",
            ];
            !optimized.contains(name) || !flags.contains(&"-O0")
        };
        for name in names.iter().filter(judged) {
            judge(name, &code).unwrap_or_else(|found| panic!("{name} with {flags:?}: {found:?}"));
        }
    }
}

#[test]
fn what_is_kept_is_never_said_to_be_over() {
    // What returns nothing may leave the pointer where a result would be.
    each("kept_", |name, found| {
        found.gone.is_some() || name == "kept_returned" && found.returned.is_pointer()
    });
}

#[test]
fn what_is_read_out_of_something_and_kept_is_told() {
    each("shared_", |name, found| {
        found.inner_gone.is_some() || name == "shared_byte_by_byte" && found.in_parts
    });
}

#[test]
fn what_is_released_on_any_way_is_told() {
    each("freed_", |_, found| found.released || matches!(found.gone, Some(Gone::Lost(_))));
    each("emptied", |_, found| found.inner_released);
}

#[test]
fn what_is_released_is_told_also_when_it_is_out_of_sight() {
    let told = |expected: bool| {
        move |name: &str, code: &Code| {
            let found = code.frees(name, 0);
            (found == expected).then_some(()).ok_or(found)
        }
    };
    // By a call that the processor computes `realloc` goes unseen, as does what is behind a table.
    for freed in
        ["freed_always", "freed_at_times", "freed_by_callee", "freed_when", "freed_behind_a_computed"]
    {
        each_in(SOURCE, freed, told(true));
    }
    for other in ["parts_freed", "over_", "kept_in_global"] {
        each_in(SOURCE, other, told(false));
    }
}

#[test]
fn memory_that_nobody_else_has_is_told_from_what_is_known_elsewhere() {
    let told = |expected: bool| {
        move |name: &str, code: &Code| {
            let found = code.makes(name).expect("the function is exported");
            (found.is_new() == expected).then_some(()).ok_or(found)
        }
    };
    each_in(MADE, "new_", told(true));
    each_in(MADE, "known_", told(false));
}

#[test]
fn new_texts_are_told_from_letters_without_an_end_and_from_what_is_shared() {
    let told = |expected: Made| {
        move |name: &str, code: &Code| {
            let found = code.makes(name).expect("the function is exported");
            (found == expected).then_some(()).ok_or(found)
        }
    };
    each_in(MADE, "ended_", told(Made::Text));
    each_in(MADE, "without_an_end", told(Made::Memory));
    each_in(MADE, "shared_lazily", told(Made::Shared));
}

#[test]
fn how_much_is_written_is_not_what_half_of_a_number_says() {
    each("filled_", |_, found| {
        matches!(found.written, Extent::Anywhere | Extent::Within(0, 255)) || found.gone.is_some()
    });
}

#[test]
fn what_is_written_each_time_is_told_from_what_may_be() {
    each("over_written", |_, found| found.fills(4) && !found.fills(5));
    each("over_pair_of_numbers", |_, found| found.fills(16));
    each("over_always", |_, found| found.fills(4));
    each("over_part", |_, found| !found.fills(24));
    each("over_sometimes", |_, found| !found.fills(4));
}

#[test]
fn that_it_matters_where_memory_lies_is_told() {
    each("placed_", |_, found| found.placed || found.gone.is_some());
}

#[test]
fn what_is_over_with_the_call_is_found() {
    each("over_", |_, found| {
        // A function that returns nothing leaves behind what it has last worked with.
        found.gone.is_none() && !found.released && !found.placed && found.is_used()
    });
}

#[test]
fn how_much_is_touched_is_found() {
    let extents = [
        ("over_read", Extent::Within(0, 4), Extent::Nothing),
        ("over_written", Extent::Nothing, Extent::Within(0, 4)),
        ("over_both", Extent::Within(0, 4), Extent::Within(0, 4)),
        ("over_sum", Extent::Anywhere, Extent::Nothing),
        ("over_pair_of_numbers", Extent::Nothing, Extent::Within(0, 16)),
        ("over_text", Extent::Anywhere, Extent::Nothing),
        ("over_by_callee", Extent::Within(0, 4), Extent::Nothing),
        ("over_cleared", Extent::Nothing, Extent::Within(0, 12)),
        ("over_in_one_case", Extent::Within(0, 28), Extent::Nothing),
    ];
    each("over_", |name, found| {
        let expected = extents.iter().find(|(function, ..)| *function == name);
        expected.is_none_or(|(_, read, written)| (found.read, found.written) == (*read, *written))
    });
}

#[test]
fn a_text_is_what_is_read_up_to_a_nul_from_its_beginning() {
    let texts = ["over_text", "over_copied", "over_file", "over_text_by_callee"];
    each("over_", |name, found| found.is_text() == texts.contains(&name));
    each("counted_", |_, found| !found.is_text());
}

#[test]
fn what_only_reads_is_told_from_what_writes_anywhere() {
    each("quiet_", |_, found| found.only_reads() && found.gone.is_none());
    each("noted_", |_, found| !found.only_reads() || found.gone.is_some());
}

#[test]
fn a_library_that_is_damaged_has_answers_or_none() {
    let folder = tempfile::tempdir().expect("a folder");
    compiled(folder.path(), SOURCE, &["-O2"]);
    let whole = std::fs::read(folder.path().join("libpointers.so")).expect("the library is read");
    let before = SOURCE.split('(').filter_map(|before| before.rsplit([' ', '*']).next());
    let names: Vec<&str> = before.filter(|word| word.contains('_')).collect();
    let mut random = fastrand::Rng::with_seed(7);
    let mut answers = 0;
    for _ in 0..400 {
        let mut damaged = whole.clone();
        for _ in 0..random.usize(1..40) {
            let place = random.usize(..damaged.len());
            damaged[place] = random.u8(..);
        }
        if random.u8(..8) == 0 {
            damaged.truncate(random.usize(..damaged.len()));
        }
        let Some(code) = Code::new(&damaged) else { continue };
        let found = names.iter().flat_map(|name| (0..3).map(move |argument| (name, argument)));
        let made = names.iter().filter(|name| code.makes(name).is_some_and(Made::is_new)).count();
        answers += made + found.filter(|(name, argument)| code.argument(name, *argument).is_some()).count();
    }
    assert!(answers > 0);
}

#[test]
fn a_function_that_nothing_is_known_of_has_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let code = compiled(folder.path(), SOURCE, &["-O2"]);
    assert_eq!(code.argument("nothing", 0), None);
    assert!(!code.argument("over_read", 3).expect("the function is exported").is_used());
    assert!(Code::new(b"\x7fELF").is_none());
}
