//! libcurl at work: a file is fetched by its URL, whole, in parts and not at all, URLs are taken apart, and a form is made.
//! `cargo dev examples curl`
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use curl_hotcell::{Curl, CurluPart, Library, constants};
use hotcell::{Options, Profile, Sandbox};

const STORY: &str =
    "Once upon a time a library ran in a cell of its own, and whoever called it slept well.\n";

fn main() -> hotcell::Result<()> {
    let folder = std::env::temp_dir().join(format!("curl-example-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder can be made");
    fs::write(folder.join("a story.txt"), STORY.repeat(1000)).expect("a file can be written there");
    let done = work(&folder);
    let _ = fs::remove_dir_all(&folder);
    done
}

fn work(folder: &Path) -> hotcell::Result<()> {
    // libcurl may read this folder, and reach nothing else. A pair of sockets wakes a transfer that waits.
    let (read, allow) = (vec![folder.to_owned()], vec!["socketpair(arg0 == 1)".to_owned()]);
    let sandbox = Sandbox { read, allow, ..Sandbox::of(Profile::Custom) };
    let library = Library::open_with(Options { sandbox: Some(sandbox), ..Options::default() })?;

    let url = file_url(&library, folder, "a story.txt")?;
    let transfer = library.easy_init()?;
    transfer.easy_setopt_text_url(Some(&url))?;
    let whole = fetch(&transfer)?;
    let size = transfer.easy_getinfo_large_size_download_t()?;
    println!("fetched {size} bytes, all of them: {}", whole == STORY.repeat(1000).as_bytes());
    let text = |text: Option<String>| text.unwrap_or_else(|| "nothing".into());
    println!("by {}", text(transfer.easy_getinfo_text_scheme()?));

    transfer.easy_setopt_text_range(Some("5-15"))?;
    println!("a part: {}", String::from_utf8_lossy(&fetch(&transfer)?));

    // The application stops a transfer: what its callback returns is not what it was given.
    transfer.easy_setopt_text_range(None)?;
    transfer.easy_on_write(|_, _| Ok(0))?;
    report("a transfer that is not wanted", transfer.easy_perform());

    // What fails says so by its name.
    transfer.easy_setopt_text_url(Some(&file_url(&library, folder, "no story.txt")?))?;
    report("a file that is not there", transfer.easy_perform());
    transfer.easy_setopt_text_protocols_str(Some("https"))?;
    report("a protocol that is not wanted", transfer.easy_perform());
    transfer.easy_setopt_text_url(Some("nothing://at all"))?;
    report("an address of nothing", transfer.easy_perform());

    // Addresses are taken apart and put together.
    let address = library.url()?;
    address.url_set(CurluPart::URL, Some("https://anna:secret@[::1]:8443/a/../shelf?book=7#page"), 0)?;
    for part in [CurluPart::HOST, CurluPart::PORT, CurluPart::PATH, CurluPart::QUERY, CurluPart::USER] {
        println!("{part:?}: {}", text(address.url_get(part, 0)?));
    }
    address.url_set(CurluPart::QUERY, Some("author=Čapek"), constants::CURLU_URLENCODE as u32)?;
    address.url_set(CurluPart::USER, None, 0)?;
    println!("changed: {}", text(address.url_get(CurluPart::URL, 0)?));
    match address.url_set(CurluPart::PORT, Some("70000"), 0) {
        Ok(()) => println!("a port"),
        Err(error) => println!("a port that does not exist: {error}"),
    }

    let escaped = text(library.easy_escape(None, "a & b")?);
    let back = library.easy_unescape(None, &escaped)?.returned.unwrap_or_default();
    println!("{escaped} is {}", String::from_utf8_lossy(&back));

    // A form belongs to its transfer, and lists that a transfer was given go with it.
    let form = transfer.mime_init()?;
    let part = form.addpart()?;
    part.mime_name(Some("story"))?;
    part.mime_data(STORY.as_bytes())?;
    part.mime_headers(Some(library.slist_begin("X-Shelf: 7")?))?;
    transfer.easy_setopt_mimepost(Some(&form))?;
    let headers = library.slist_begin("Accept: text/plain")?.append("X-Reader: Anna")?;
    println!(
        "the second header: {}",
        text(match headers.behind()? {
            Some(second) => second.text()?,
            None => None,
        })
    );
    transfer.easy_setopt_list_httpheader(Some(&headers))?;
    // The transfer goes on reading them: they are released behind it.
    drop(headers);
    form.free()?;
    transfer.easy_cleanup()
}

/// The address of a file.
fn file_url(library: &Library, folder: &Path, name: &str) -> hotcell::Result<String> {
    let address = library.url()?;
    address.url_set(CurluPart::SCHEME, Some("file"), 0)?;
    let path = folder.join(name);
    address.url_set(CurluPart::PATH, path.to_str(), constants::CURLU_URLENCODE as u32)?;
    Ok(address.url_get(CurluPart::URL, 0)?.unwrap_or_default())
}

/// What a transfer fetches.
fn fetch(transfer: &Curl) -> hotcell::Result<Vec<u8>> {
    let fetched = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&fetched);
    transfer.easy_on_write(move |data, _| {
        into.lock().unwrap_or_else(PoisonError::into_inner).extend(data);
        Ok(data.len() as u64)
    })?;
    transfer.easy_perform()?;
    let fetched = fetched.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(fetched.clone())
}

fn report(what: &str, done: hotcell::Result<()>) {
    match done {
        Ok(()) => println!("{what}: done"),
        Err(error) => println!("{what}: {error}"),
    }
}
