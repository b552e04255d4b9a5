//! JSON behind its length, over a Unix socket: what is written by hand where a library is put into a process of its own.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clock::Plan;
use crate::server::{Start, ready};
use crate::work::{Operation, add, crc32, data};
use crate::{Outcome, timed};

/// The client in Python.
const PYTHON: &str = include_str!("json/client.py");

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Add {
        a: i32,
        b: i32,
    },
    Crc32 {
        crc: u32,
        /// In base64.
        data: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Sum(i32),
    Crc(u32),
}

/// A client in Rust.
pub(crate) fn rust(operation: Operation, plan: &Plan, start: &Start<'_>) -> Result<Outcome> {
    let folder = tempfile::tempdir().context("making a folder for the socket")?;
    let address = folder.path().join("socket");
    let _server = start.at(&text(&address)?)?;
    let mut connection = Connection::new(UnixStream::connect(&address).context("connecting")?)?;
    let (data, mut number) = (data(), 0);
    let expected = crc32(0, &data);
    timed(plan, || {
        number += 1;
        let right = match operation {
            Operation::Add => {
                let reply = connection.call(&Request::Add { a: number, b: 1 })?;
                matches!(reply, Reply::Sum(sum) if sum == number + 1)
            }
            Operation::Crc32 => {
                let data = BASE64_STANDARD.encode(data);
                let reply = connection.call(&Request::Crc32 { crc: 0, data })?;
                matches!(reply, Reply::Crc(crc) if crc == expected)
            }
        };
        ensure!(right, "a wrong reply");
        Ok(())
    })
}

/// A client in Python, in a process of its own.
pub(crate) fn python(operation: Operation, plan: &Plan, start: &Start<'_>) -> Result<Outcome> {
    let folder = tempfile::tempdir().context("making a folder for the socket")?;
    let address = text(&folder.path().join("socket"))?;
    let _server = start.at(&address)?;
    let data = data();
    let plan = json!({
        "address": address,
        "operation": operation.name(),
        "data": BASE64_STANDARD.encode(data),
        "expected": crc32(0, &data),
        "pause": plan.pause.map(|it| it.as_secs_f64()),
        "calls": plan.calls,
        "warm": plan.warm.as_secs_f64(),
        "time": plan.time.as_secs_f64(),
        "paused_calls": plan.paused_calls,
    });
    let output = Command::new("python3").args(["-I", "-c", PYTHON, &plan.to_string()]).output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Outcome::LeftOut("there is no `python3`".into()));
        }
        output => output.context("starting python3")?,
    };
    if !output.status.success() {
        bail!("the client in Python: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let value =
        printed.trim().parse().with_context(|| format!("the client in Python printed `{printed}`"))?;
    Ok(Outcome::Nanoseconds(value))
}

/// A thread for each connection.
pub(crate) fn serve(_: Operation, address: &str) -> Result<()> {
    let listener = UnixListener::bind(address).context("listening")?;
    ready()?;
    for stream in listener.incoming() {
        let mut connection = Connection::new(stream.context("accepting")?)?;
        std::thread::spawn(move || while connection.answer().is_ok() {});
    }
    Ok(())
}

struct Connection {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

impl Connection {
    fn new(stream: UnixStream) -> Result<Connection> {
        let writer = stream.try_clone().context("a second descriptor for the socket")?;
        Ok(Connection { reader: BufReader::new(stream), writer })
    }

    fn call(&mut self, request: &Request) -> Result<Reply> {
        self.write(request)?;
        self.read()
    }

    fn answer(&mut self) -> Result<()> {
        let reply = match self.read()? {
            Request::Add { a, b } => Reply::Sum(add(a, b)),
            Request::Crc32 { crc, data } => {
                let data = BASE64_STANDARD.decode(data).context("decoding base64")?;
                Reply::Crc(crc32(crc, &data))
            }
        };
        self.write(&reply)
    }

    fn read<T: for<'a> Deserialize<'a>>(&mut self) -> Result<T> {
        let mut length = [0; 4];
        self.reader.read_exact(&mut length).context("reading a length")?;
        let mut message = vec![0; u32::from_be_bytes(length) as usize];
        self.reader.read_exact(&mut message).context("reading a message")?;
        serde_json::from_slice(&message).context("parsing a message")
    }

    /// One system call for length and message.
    fn write(&mut self, message: &impl Serialize) -> Result<()> {
        let mut buffer = vec![0; 4];
        serde_json::to_writer(&mut buffer, message).context("making a message")?;
        let length = u32::try_from(buffer.len() - 4).context("a long message")?;
        buffer[..4].copy_from_slice(&length.to_be_bytes());
        self.writer.write_all(&buffer).context("writing a message")
    }
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).context("the temporary folder has a name that is no text")
}
