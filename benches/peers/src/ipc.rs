//! `ipc-channel`: two typed channels, as its documentation sets them up.

use anyhow::{Context, Result, ensure};
use ipc_channel::ipc::{IpcOneShotServer, IpcReceiver, IpcSender, channel};
use serde::{Deserialize, Serialize};

use crate::clock::Plan;
use crate::server::{Start, ready};
use crate::work::{Operation, add, crc32, data};
use crate::{Outcome, timed};

#[derive(Serialize, Deserialize)]
enum Request {
    Add {
        a: i32,
        b: i32,
    },
    Crc32 {
        crc: u32,
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
    },
}

#[derive(Serialize, Deserialize)]
enum Reply {
    Sum(i32),
    Crc(u32),
}

/// What the server sends first: the two ends that are the client's.
type Ends = (IpcSender<Request>, IpcReceiver<Reply>);

pub(crate) fn measure(operation: Operation, plan: &Plan, start: &Start<'_>) -> Result<Outcome> {
    let (once, name) = IpcOneShotServer::<Ends>::new().context("making a channel")?;
    let _server = start.at(&name)?;
    let (_, (requests, replies)) = once.accept().context("waiting for the server's channels")?;
    let (data, mut number) = (data(), 0);
    let expected = crc32(0, &data);
    timed(plan, || {
        number += 1;
        let request = match operation {
            Operation::Add => Request::Add { a: number, b: 1 },
            Operation::Crc32 => Request::Crc32 { crc: 0, data: data.to_vec() },
        };
        requests.send(request).context("sending a request")?;
        match replies.recv().context("receiving a reply")? {
            Reply::Sum(sum) => ensure!(sum == number + 1, "a wrong sum"),
            Reply::Crc(crc) => ensure!(crc == expected, "a wrong CRC"),
        }
        Ok(())
    })
}

pub(crate) fn serve(_: Operation, address: &str) -> Result<()> {
    let (to_client, from_server) = channel().context("making a channel")?;
    let (to_server, from_client) = channel().context("making a channel")?;
    let first = IpcSender::<Ends>::connect(address.to_owned()).context("connecting")?;
    first.send((to_server, from_server)).context("sending the channels")?;
    ready()?;
    // Until the client has gone.
    while let Ok(request) = from_client.recv() {
        let reply = match request {
            Request::Add { a, b } => Reply::Sum(add(a, b)),
            Request::Crc32 { crc, data } => Reply::Crc(crc32(crc, &data)),
        };
        to_client.send(reply).context("sending a reply")?;
    }
    Ok(())
}
