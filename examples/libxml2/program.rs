//! libxml2 at work: a list is read as a whole, asked and changed; another is read piece by piece; a third one is damaged.
//! `cargo dev examples libxml2`
#![forbid(unsafe_code)]

use xml2_hotcell::Xml2;
use xml2_hotcell::constants::{PARSE_NOBLANKS, PARSE_NOERROR};

const BOOKS: &str = r#"<books>
  <book isbn="0131103628"><title>The C Programming Language</title><pages>272</pages></book>
  <book isbn="0201835959"><title>The Mythical Man-Month</title><pages>336</pages></book>
</books>"#;

fn main() -> hotcell::Result<()> {
    let xml = Xml2::open()?;
    let books = xml.read_memory(BOOKS.as_bytes(), Some("books.xml"), None, PARSE_NOBLANKS)?;

    let context = books.x_path_new_context()?.expect("there is memory for a context");
    let pages = context.x_path_eval("sum(//pages)")?.x_path_cast_to_number()?;
    println!("{pages} pages");
    let title = context.x_path_eval("//book[pages > 300]/title")?.x_path_cast_to_string()?;
    println!("the long one: {}", title.unwrap_or_default());

    let root = books.get_root_element()?.expect("a document that was read has a root");
    let mut next = root.first_element_child()?;
    while let Some(book) = next {
        let isbn = book.get_prop("isbn")?.unwrap_or_default();
        println!("{} at {}", isbn, book.get_node_path()?.unwrap_or_default());
        next = book.next_element_sibling()?;
    }

    let new =
        root.new_text_child("book", Some("Books & their prices < 10"))?.expect("there is memory for a node");
    new.set_prop("isbn", "none")?;
    print!("{}", String::from_utf8_lossy(&books.dump_memory()?.mem.unwrap_or_default()));

    // A reader holds no more than a piece, and what it lends is there until it goes on.
    let reader = xml.reader_for_memory(BOOKS.as_bytes(), None, None, PARSE_NOBLANKS)?;
    let mut lent = None;
    while reader.read()? == 1 {
        if reader.const_name()?.as_deref() == Some("title") && reader.depth()? == 2 {
            if let Some(text) = reader.read_string()? {
                println!("read: {text}");
            }
            lent = reader.current_node()?;
        }
    }
    match lent.map(|node| node.get_content()) {
        Some(Err(error)) => println!("a node of before: {}", error.kind()),
        _ => println!("a node of before is still there"),
    }

    if xml.read_memory(b"<books><book></books>", Some("damaged.xml"), None, PARSE_NOERROR).is_err() {
        let error = xml.get_last_error()?.expect("what went wrong is kept");
        let text = error.message.unwrap_or_default();
        println!("line {}: {}", error.line, String::from_utf8_lossy(&text).trim_end());
    }
    Ok(())
}
