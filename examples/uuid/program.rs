//! libuuid at work: names become UUIDs that anybody else computes too, random ones are told apart, and what is none is refused.
//! `cargo dev examples uuid`
#![forbid(unsafe_code)]

use uuid_hotcell::Uuid;
use uuid_hotcell::constants::{TYPE_DCE_RANDOM, VARIANT_DCE};

/// The name space of domain names, of RFC 4122.
const DOMAINS: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

fn main() -> hotcell::Result<()> {
    let uuid = Uuid::open()?;
    let domains = uuid.parse(DOMAINS)?;
    println!("{DOMAINS}: type {}, {} s since 1970", uuid.uuid_type(&domains)?, uuid.time(&domains)?.returned);
    for name in ["www.example.com", "例え.テスト"] {
        let (md5, sha1) =
            (uuid.generate_md5(&domains, name.as_bytes())?, uuid.generate_sha1(&domains, name.as_bytes())?);
        println!("{name}: {} {}", text(&uuid.unparse_lower(&md5)?), text(&uuid.unparse_upper(&sha1)?));
        println!("different: {}, by type: {}", uuid.compare(&md5, &sha1)? != 0, uuid.uuid_type(&sha1)?);
    }

    // Random ones differ, are of the type that says so, and survive being text.
    let mut made = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let random = uuid.generate_random()?;
        let again = uuid.parse(&text(&uuid.unparse(&random)?))?;
        let right = uuid.uuid_type(&random)? == TYPE_DCE_RANDOM && uuid.variant(&random)? == VARIANT_DCE;
        if right && again == random && uuid.is_null(&random)? == 0 {
            made.insert(random);
        }
    }
    println!("{} random ones", made.len());

    match uuid.parse("6ba7b810-9dad-11d1-80b4-00c04fd430cg") {
        Ok(_) => println!("taken for a UUID"),
        Err(error) => println!("{error}"),
    }
    // One that is too short would be read beyond its end: it does not get that far.
    match uuid.is_null(&domains[..15]) {
        Ok(_) => println!("taken for a UUID"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
