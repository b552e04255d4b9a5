fn main() {
    let mut args = std::env::args().skip(1);
    let data = std::fs::read(args.next().unwrap()).unwrap();
    let code = hotcell_code::Code::new(&data).expect("code");
    let t = std::time::Instant::now();
    for name in args {
        for i in 0..6 {
            let u = code.argument(&name, i);
            match u { None => println!("{name}: not there"), Some(u) => println!("{name} {i}: gone={:x?} inner={:x?} rel={}{} r={:?} w={:?} iw={} ret={:?}", u.gone, u.inner_gone, u.released as u8, u.inner_released as u8, u.read, u.written, u.inner_written, u.returned) }
        }
    }
    eprintln!("{:?}", t.elapsed());
}
