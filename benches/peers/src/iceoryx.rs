//! iceoryx2's request-response: both sides polling, and both woken by its events.

use std::fmt::Debug;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::prelude::*;

use crate::clock::Plan;
use crate::server::{Start, ready_until_told};
use crate::work::{BYTES, Operation, add, crc32, data};
use crate::{Outcome, timed};

type Shared = ipc::Service;
type Numbers = [i32; 2];
type Data = [u8; BYTES];

/// Calls in a block of those that poll.
const BLOCK: u32 = 100;

/// How long a server that waits does not look whether it is to end.
const PATIENCE: Duration = Duration::from_millis(100);

pub(crate) fn polling(operation: Operation, plan: &Plan, start: &Start<'_>) -> Result<Outcome> {
    measure(operation, &plan.blocks_of(BLOCK), start, false)
}

pub(crate) fn event(operation: Operation, plan: &Plan, start: &Start<'_>) -> Result<Outcome> {
    measure(operation, plan, start, true)
}

pub(crate) fn serve_polling(operation: Operation, address: &str) -> Result<()> {
    serve(operation, address, false)
}

pub(crate) fn serve_event(operation: Operation, address: &str) -> Result<()> {
    serve(operation, address, true)
}

fn measure(operation: Operation, plan: &Plan, start: &Start<'_>, events: bool) -> Result<Outcome> {
    set_log_level(LogLevel::Error);
    let address = format!("hotcell-peers-{}", std::process::id());
    let _server = start.at(&address)?;
    match operation {
        Operation::Add => {
            let mut number = 0;
            let request = || {
                number += 1;
                ([number, 1], number + 1)
            };
            call::<Numbers, i32>(plan, &address, events, request)
        }
        Operation::Crc32 => {
            let data = data();
            let expected = crc32(0, &data);
            call::<Data, u32>(plan, &address, events, || (data, expected))
        }
    }
}

fn serve(operation: Operation, address: &str, events: bool) -> Result<()> {
    set_log_level(LogLevel::Error);
    match operation {
        Operation::Add => answer::<Numbers, i32>(address, events, |&[a, b]| add(a, b)),
        Operation::Crc32 => answer::<Data, u32>(address, events, |data| crc32(0, data)),
    }
}

/// Calls with what `request` gives, which is a request and the right reply.
fn call<Q, P>(
    plan: &Plan,
    address: &str,
    events: bool,
    mut request: impl FnMut() -> (Q, P),
) -> Result<Outcome>
where
    Q: ZeroCopySend + Debug + 'static,
    P: ZeroCopySend + Debug + PartialEq + 'static,
{
    let node = NodeBuilder::new().create::<Shared>().context("a node")?;
    let name = ServiceName::new(address).context("a service's name")?;
    let service = node.service_builder(&name).request_response::<Q, P>().open().context("a service")?;
    let client = service.client_builder().create().context("a client")?;
    let wake = if events { Some(Wake::of_client(&node, address)?) } else { None };
    timed(plan, || {
        let (payload, expected) = request();
        let request = client.loan_uninit().context("a request's memory")?.write_payload(payload);
        let pending = request.send().context("sending a request")?;
        if let Some(wake) = &wake {
            wake.notifier.notify().context("waking the server")?;
        }
        let reply = loop {
            if let Some(reply) = pending.receive().context("receiving a reply")? {
                break reply;
            }
            match &wake {
                Some(wake) => drop(wake.listener.blocking_wait(|_| ()).context("waiting for a reply")?),
                None => std::hint::spin_loop(),
            }
        };
        ensure!(*reply == expected, "a wrong reply");
        Ok(())
    })
}

fn answer<Q, P>(address: &str, events: bool, work: fn(&Q) -> P) -> Result<()>
where
    Q: ZeroCopySend + Debug + 'static,
    P: ZeroCopySend + Debug + 'static,
{
    let node = NodeBuilder::new().create::<Shared>().context("a node")?;
    let name = ServiceName::new(address).context("a service's name")?;
    let service = node.service_builder(&name).request_response::<Q, P>().create().context("a service")?;
    let server = service.server_builder().create().context("a server")?;
    let answer = || -> Result<bool> {
        let Some(request) = server.receive().context("receiving a request")? else { return Ok(false) };
        let reply = request.loan_uninit().context("a reply's memory")?.write_payload(work(&request));
        reply.send().context("sending a reply")?;
        Ok(true)
    };
    if !events {
        let told = ready_until_told()?;
        while !told.load(Ordering::Relaxed) {
            if !answer()? {
                std::hint::spin_loop();
            }
        }
        return Ok(());
    }
    let wake = Wake::of_server(&node, address)?;
    let waitset = WaitSetBuilder::new().create::<Shared>().context("a waitset")?;
    let _guard = waitset.attach_notification(&wake.listener).context("attaching a listener")?;
    let told = ready_until_told()?;
    while !told.load(Ordering::Relaxed) {
        let mut outcome = Ok(());
        let on_event = || -> Result<()> {
            wake.listener.try_wait(|_| ()).context("taking a notification")?;
            while answer()? {
                wake.notifier.notify().context("waking the client")?;
            }
            Ok(())
        };
        let progress = |_| {
            outcome = on_event();
            CallbackProgression::Continue
        };
        waitset.wait_and_process_once_with_timeout(progress, PATIENCE).context("waiting for requests")?;
        outcome?;
    }
    Ok(())
}

/// How a side is woken, and wakes the other.
struct Wake {
    notifier: Notifier<Shared>,
    listener: Listener<Shared>,
}

impl Wake {
    fn of_client(node: &Node<Shared>, address: &str) -> Result<Wake> {
        Wake::new(node, &format!("{address}-requests"), &format!("{address}-replies"))
    }

    fn of_server(node: &Node<Shared>, address: &str) -> Result<Wake> {
        Wake::new(node, &format!("{address}-replies"), &format!("{address}-requests"))
    }

    fn new(node: &Node<Shared>, there: &str, here: &str) -> Result<Wake> {
        let event = |name: &str| -> Result<_> {
            let name = ServiceName::new(name).context("an event's name")?;
            node.service_builder(&name).event().open_or_create().context("an event")
        };
        let notifier = event(there)?.notifier_builder().create().context("a notifier")?;
        let listener = event(here)?.listener_builder().create().context("a listener")?;
        Ok(Wake { notifier, listener })
    }
}
