//! Unions, as an application uses them.

use hotcell::ErrorKind;
use unions_hotcell::{Event, EventData, Kind, LateData, PacketUnion, Point, Unions, Value, ValueIs};

fn main() -> hotcell::Result<()> {
    let unions = Unions::open()?;

    let number = Value { kind: Kind::NUMBER, is: ValueIs::Number(41), after: 5 };
    assert_eq!(unions.value_hash(&number)?, 1_000_000 + 5 + 41);
    let mut value = Value { kind: Kind::SPOT, is: ValueIs::At(Point { x: 3, y: 0.5 }), after: 1 };
    assert_eq!(unions.value_hash(&value)?, 4_000_000 + 1 + 3);
    assert_eq!(unions.value_turn(&mut value)?, 4);
    assert_eq!((value.is.clone(), value.after), (ValueIs::Name("twelve chars".into()), 1));
    value.is = ValueIs::Name("short".into());
    assert_eq!(unions.value_hash(&value)?, 5_000_000 + 1 + 50);
    assert_eq!(unions.value_make(6)?.is, ValueIs::Word(Some("Größe".into())));
    assert_eq!(unions.value_make(7)?.is, ValueIs::Color([1, 2, 255]));
    // What does not travel is none, and none goes with what says none.
    assert_eq!(unions.value_make(8)?.is, ValueIs::Other);
    assert_eq!(unions.value_hash(&Value::default())?, 0);
    for wrong in [ValueIs::Real(1.0), ValueIs::Other] {
        let error = unions.value_hash(&Value { is: wrong, ..number.clone() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains("value.is has the member that kind says"), "{error}");
    }
    let made = unions.values_fill(4)?;
    let members: Vec<ValueIs> = made.into_iter().map(|value| value.is).collect();
    let at = Point { x: 3, y: 2.5 };
    assert_eq!(members, [ValueIs::Other, ValueIs::Number(42), ValueIs::Real(0.125), ValueIs::At(at)]);

    let mut packet = unions.packet_make(1)?;
    assert_eq!((packet.length, packet.hops, packet.union.clone()), (-300, 255, PacketUnion::Big(-5_000_000_000)));
    unions.packet_turn(&mut packet)?;
    assert_eq!((packet.type_, packet.union), (2, PacketUnion::At(Point { x: 77, y: -0.5 })));

    let events = [Event { events: 1, data: EventData::U64(1 << 40) }, Event::default()];
    assert_eq!(unions.events_sum(&events)?, 3 * (1 + (1 << 40)));
    assert_eq!(unions.events_wait(2)?[1].data, EventData::U64((1 << 32) + 5));
    assert_eq!(unions.late_make(-1)?.data, LateData::Fd(-12));
    assert_eq!(unions.late_make(3)?.data, LateData::U32(4_000_000_000));

    println!("all is well");
    Ok(())
}
