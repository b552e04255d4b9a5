//! gRPC by tonic, over a Unix socket: generated code, tokio's runtime as `#[tokio::main]` makes it, nothing tuned.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

use self::generated::calls_client::CallsClient;
use self::generated::calls_server::{Calls, CallsServer};
use self::generated::{Check, Data, Numbers, Sum};
use crate::Outcome;
use crate::clock::{Clock, Plan};
use crate::server::{Start, ready};
use crate::work::{Operation, add, crc32, data};

/// What `proto/calls.proto` becomes.
mod generated {
    tonic::include_proto!("peers");
}

/// Calls that are under way at once.
const IN_FLIGHT: usize = 32;

/// One call after the other.
pub(crate) fn one(operation: Operation, plan: &Plan, start: &Start<'_>) -> Result<Outcome> {
    with_client(start, async |client| {
        let mut caller = Caller::new(operation, client);
        let mut clock = Clock::new(plan);
        while let Some(step) = clock.next() {
            if let Some(pause) = step.pause {
                tokio::time::sleep(pause).await;
            }
            clock.start();
            for _ in 0..step.calls {
                caller.call().await?;
            }
            clock.stop();
        }
        Ok(clock.median())
    })
}

/// Many tasks that share a connection: the time of all, by the number of calls.
pub(crate) fn in_flight(operation: Operation, plan: &Plan, start: &Start<'_>) -> Result<Outcome> {
    with_client(start, async |client| {
        let (calls, mut tasks) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
        for _ in 0..IN_FLIGHT {
            let (mut caller, calls) = (Caller::new(operation, client.clone()), Arc::clone(&calls));
            tasks.spawn(async move {
                loop {
                    if let Err(error) = caller.call().await {
                        return error;
                    }
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        tokio::time::sleep(plan.warm).await;
        let (before, started) = (calls.load(Ordering::Relaxed), Instant::now());
        tokio::time::sleep(plan.time).await;
        let (made, elapsed) = (calls.load(Ordering::Relaxed) - before, started.elapsed());
        match tasks.try_join_next() {
            Some(failed) => Err(failed.context("a task that calls")?),
            None => Ok(elapsed.as_nanos() as f64 / made as f64),
        }
    })
}

pub(crate) fn serve(_: Operation, address: &str) -> Result<()> {
    Runtime::new().context("starting tokio")?.block_on(async {
        let listener = UnixListener::bind(address).context("listening")?;
        let server = Server::builder().add_service(CallsServer::new(Library));
        ready()?;
        server.serve_with_incoming(UnixListenerStream::new(listener)).await.context("serving")
    })
}

fn with_client<F: Future<Output = Result<f64>>>(
    start: &Start<'_>,
    measure: impl FnOnce(CallsClient<Channel>) -> F,
) -> Result<Outcome> {
    let folder = tempfile::tempdir().context("making a folder for the socket")?;
    let address = folder.path().join("socket");
    let address = address.to_str().context("the temporary folder has a name that is no text")?;
    let _server = start.at(address)?;
    Runtime::new().context("starting tokio")?.block_on(async {
        let client = CallsClient::connect(format!("unix://{address}")).await.context("connecting")?;
        measure(client).await.map(Outcome::Nanoseconds)
    })
}

/// One that calls again and again.
struct Caller {
    operation: Operation,
    client: CallsClient<Channel>,
    data: Vec<u8>,
    expected: u32,
    number: i32,
}

impl Caller {
    fn new(operation: Operation, client: CallsClient<Channel>) -> Caller {
        let data = data().to_vec();
        Caller { operation, client, expected: crc32(0, &data), data, number: 0 }
    }

    async fn call(&mut self) -> Result<()> {
        self.number = self.number.wrapping_add(1);
        match self.operation {
            Operation::Add => {
                let reply = self.client.add(Request::new(Numbers { a: self.number, b: 1 })).await?;
                ensure!(reply.into_inner().sum == add(self.number, 1), "a wrong sum");
            }
            Operation::Crc32 => {
                let data = self.data.clone();
                let reply = self.client.crc32(Request::new(Data { crc: 0, data })).await?;
                ensure!(reply.into_inner().crc == self.expected, "a wrong CRC");
            }
        }
        Ok(())
    }
}

/// The service.
struct Library;

#[tonic::async_trait]
impl Calls for Library {
    async fn add(&self, request: Request<Numbers>) -> Result<Response<Sum>, Status> {
        let Numbers { a, b } = request.into_inner();
        Ok(Response::new(Sum { sum: add(a, b) }))
    }

    async fn crc32(&self, request: Request<Data>) -> Result<Response<Check>, Status> {
        let Data { crc, data } = request.into_inner();
        Ok(Response::new(Check { crc: crc32(crc, &data) }))
    }
}
