//! Structures of every kind, as an application uses them.

use hotcell::ErrorKind;
use records_hotcell::{Card, Entry, Flags, Job, Label, Matrix, Named, Point, Records};

fn main() -> hotcell::Result<()> {
    let records = Records::open()?;

    let mut flags = Flags { kind: 5, level: -3, big: 1 << 39, ..Flags::default() };
    assert_eq!(records.flags_turn(&mut flags)?, -3);
    assert_eq!((flags.kind, flags.level, flags.on, flags.big), (2, 1, true, (1 << 39) - 1));
    let error = records.flags_sum(&Flags { kind: 8, ..Flags::default() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");

    let mut entry = Entry { number: 7, high: 4095, ..records.entry_make(3)? };
    assert_eq!((entry.more[1].x, entry.low), (3, 5));
    assert_eq!(records.entry_turn(&mut entry)?, 7);
    assert_eq!((entry.at.x, entry.more[1].y, entry.high), (3, 0.5, 4095));

    let mut matrix = Matrix { m: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], ..Matrix::default() };
    matrix.corners[2].x = 9;
    assert_eq!(records.matrix_turn(&mut matrix)?, 9);
    assert_eq!((matrix.m, matrix.corners[1].x), ([1.0, 6.0, 3.0, 4.0, 5.0, 2.0], 9));

    let points = [Point { x: 2, y: 0.5 }, Point { x: 3, y: 1.0 }, Point { x: 4, y: 2.0 }];
    assert_eq!(records.points_blend(&points, &[1.0, 10.0, 100.0])?, 432.0);
    assert_eq!(records.points_maybe(None)?, -1);
    assert_eq!(records.points_scale(&points, 10)?.iter().map(|it| it.x).collect::<Vec<_>>(), [20, 40]);
    assert_eq!(records.points_fill(4)?.points.len(), 2);
    assert_eq!(records.points_corners(6)?.corners.len(), 4);
    assert_eq!(records.points_table()?.returned[2], Point { x: 5, y: 6.0 });
    assert!(records.points_make(7)?.returned.is_none());
    let named = Named { name: Some("four".into()), at: Point { x: 1, y: 0.0 } };
    assert_eq!(records.points_names(&[named.clone(), named])?, (2 * 3 + 5) * 3 + 5);

    let (one, two) = (records.node_new(1)?.unwrap(), records.node_new(20)?.unwrap());
    assert_eq!(records.nodes_sum(&[&one, &two])?, (2 * 3 + 1) * 3 + 20);
    assert_eq!(records.nodes_maybe(None)?, -1);

    assert_eq!(records.card_length(&Card { name: "Größe".into(), raw: b"ab".to_vec(), number: 1 })?, 72);
    assert_eq!(records.card_make(0)?.name, "twelve chars");
    let label = records.label_make(0)?;
    assert_eq!((label.name.as_str(), label.kind.as_str(), label.raw), ("", "ab", b"xyz".to_vec()));
    let label = Label { name: "sixsix".into(), kind: "four".into(), raw: b"raw".to_vec() };
    let whole = b"sixsixfourraw".iter().fold(0, |sum, &byte| (sum * 31 + i64::from(byte)) % 1_000_000_007);
    assert_eq!(records.label_sum(&label)?, whole);
    let outline = records.outline_get(2)?;
    assert_eq!((outline.points.len(), outline.lengths), (2, vec![7, 0, 65535, 9]));
    assert_eq!(outline.tags, ["first", "", "dritte"]);
    assert_eq!(outline.names, [Some("a".to_owned()), None, Some("c".to_owned())]);
    assert_eq!(outline.card.unwrap().name, "card");
    let mut job = Job { place: Some(Point { x: 3, y: 0.0 }), ..Job::default() };
    assert_eq!((records.job_run(&mut job)?, job.place.unwrap().x), (3, 5));

    println!("all is well");
    Ok(())
}
