//! From exec to the first call: hello, segments, library, welcome.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hotcell_protocol::wire::{self, Event, Guard, Hello, Packet, Welcome, WorkerState};
use hotcell_sandbox::{Ending, LACKED, Level, Plan, Profile, Wall};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::{
    Access, EventFd, Seals, SegmentFile, SegmentTable, WorkerChannel, heap_length, heap_stack,
};

use crate::cancels::Cancels;
use crate::handles::SharedHandles;
use crate::library::Library;
use crate::report::{Failure, REPORTED};
use crate::serve::Worker;
use crate::threads::Threads;
use crate::{control, cpus, crash, denial, dispatcher, heap, state};

/// Where the host puts the control socket.
const CONTROL: i32 = 3;

/// Where the worker keeps it: out of the way of a library that closes or reuses low descriptors.
const CONTROL_MOVED: i32 = 100;

/// What this worker can do, whatever library it has.
const CAPABILITIES: u64 = wire::capabilities::NEED_SPACE
    | wire::capabilities::CALLBACKS
    | wire::capabilities::HANDLES
    | wire::capabilities::BATCH
    | wire::capabilities::DISPATCHER
    | wire::capabilities::SANDBOX
    | wire::capabilities::HEAP
    | wire::capabilities::LANES
    | wire::capabilities::EVENTFD
    | wire::capabilities::ABANDONED
    | wire::capabilities::STATE
    | wire::capabilities::OBJECTS
    | wire::capabilities::HEALTH
    | wire::capabilities::STACK;

/// Segments of the process, for the shim; the serving and the control thread share it.
static SEGMENTS: SegmentTable = SegmentTable::new();

/// Brings the worker up. `Err` is the exit status, after the host was told why.
pub(crate) fn start() -> Result<&'static Worker, i32> {
    // SAFETY: the host starts every worker with its control socket as this descriptor, and nothing in this
    // process knows of it yet.
    let given = unsafe { OwnedFd::from_raw_fd(CONTROL) };
    // Fewer descriptors than that may be allowed; then any will do.
    let moved = rustix::io::fcntl_dupfd_cloexec(&given, CONTROL_MOVED)
        .or_else(|_| rustix::io::fcntl_dupfd_cloexec(&given, 0))
        .map_err(|_| REPORTED)?;
    drop(given);
    let socket = Arc::new(ControlSocket::from_fd(moved));
    load(&socket).map_err(|failure| {
        failure.send(&socket);
        failure.status
    })
}

fn load(socket: &Arc<ControlSocket>) -> Result<&'static Worker, Failure> {
    let system = |what| move |error: io::Error| Failure::system(Event::LaunchFailed, what, &error);
    hotcell_sandbox::enter_load().map_err(system("load phase"))?;
    let (hello, mut descriptors) = receive_hello(socket)?;
    let profile =
        Profile::from_raw(hello.profile).ok_or_else(|| violation("the hello names an unknown profile"))?;
    let plan = match profile {
        Profile::Basic => None,
        _ => Some(descriptors.pop().ok_or_else(|| violation("a descriptor is missing from the hello"))?),
    };
    let counts = match hello.capabilities & wire::capabilities::HEAP {
        0 => None,
        _ => Some(descriptors.pop().ok_or_else(|| violation("a descriptor is missing from the hello"))?),
    };
    let mut descriptors = descriptors.into_iter();
    let mut next = || descriptors.next().ok_or_else(|| violation("a descriptor is missing from the hello"));
    let request = adopt(next()?, hello.request_length, Seals::Request)?;
    let reply = adopt(next()?, hello.reply_length, Seals::Reply)?;
    let channel = WorkerChannel::open(&request, &reply, &SEGMENTS)
        .map_err(|errno| system("open the channel")(errno.into()))?;
    // They are mapped. A library that had them could map them as code, which is then written here and by the host.
    drop((request, reply));
    cpus::prepare();
    cpus::count(plan.is_some());
    crash::install(channel.crash_record());
    denial::install(channel.denial_records());
    if let Some(counts) = counts {
        let settings = heap_settings(&hello, counts)?;
        if keeps_stack(&hello) {
            crash::keep_stack(settings.segment.base().wrapping_add(heap_stack(hello.functions)));
        }
        heap::install(settings).map_err(system("guarded memory"))?;
    }
    let shim = next()?;
    let mut libraries: Vec<OwnedFd> = descriptors.collect();
    let mut eventfds = libraries.split_off(usize::from(hello.libraries));
    join(eventfds.split_off(usize::from(hello.eventfds)))?;
    let channel = channel.with_eventfds(adopt_eventfds(eventfds)?);
    let wall = match plan {
        None => None,
        Some(plan) => {
            let plan = read_plan(plan)?;
            denial::prepare(&plan);
            let ending = Ending::of_this_process().map_err(|error| {
                let what = "ask what a filter around the host ends";
                Failure { status: LACKED, ..Failure::system(Event::LaunchFailed, what, &error) }
            })?;
            Some(Wall::load(&plan, &libraries, ending).map_err(system("sandbox"))?)
        }
    };
    heap::name_files(libraries.iter().chain([&shim]));
    let library = Library::load(&shim, &libraries, &hello)?;
    library.check_abi()?;
    library.initialise()?;
    crash::note_exits();
    let level = match wall {
        None => Level::measure().map_err(system("serve phase"))?,
        Some(wall) => {
            denial::serves();
            denial::while_trying(|| wall.serve()).map_err(system("sandbox"))?
        }
    };
    let stops = if library.attend().is_some() { wire::capabilities::CANCEL } else { 0 };
    let capabilities = (CAPABILITIES | stops) & hello.capabilities;
    if capabilities & wire::capabilities::HEALTH != 0 {
        // In the sandbox in which calls are made, and before what they are to find is noted.
        denial::while_checking(|| library.check_health())?;
    }
    state::remember(&channel, capabilities);
    let several = capabilities & wire::capabilities::LANES != 0;
    let most_objects = match capabilities & wire::capabilities::OBJECTS {
        0 => wire::MAX_HANDLES,
        _ => channel.most_objects().min(wire::MAX_HANDLES),
    };
    let lanes = if several { channel.callers() as usize } else { 1 };
    // Whether or not the host will stop calls: their entries note that they are under way.
    let cancels = Cancels::new(library.attend(), lanes);
    let (functions, channel) = (library.functions(), Arc::new(channel));
    let worker: &'static Worker = Box::leak(Box::new(Worker {
        handles: SharedHandles::new(lanes, most_objects),
        channel,
        library,
        segments: &SEGMENTS,
        socket: Arc::clone(socket),
        stopping: Arc::new(AtomicBool::new(false)),
        capabilities,
        spin: u64::from(hello.spin_ns),
        threads: Threads::default(),
        cancels,
    }));
    control::start(worker).map_err(system("start the control thread"))?;
    worker.channel.set_state(WorkerState::Serving);
    if capabilities & wire::capabilities::DISPATCHER != 0 {
        dispatcher::open(&worker.channel, &SEGMENTS, socket, &worker.stopping);
    }
    let fingerprint = hello.fingerprint;
    let welcome = Welcome { capabilities, level: level.bits(), functions, fingerprint };
    socket
        .send(Packet::Welcome, &welcome.encode(), &[])
        .map_err(|errno| system("send the welcome")(errno.into()))?;
    Ok(worker)
}

pub(crate) fn receive_hello(socket: &ControlSocket) -> Result<(Hello, Vec<OwnedFd>), Failure> {
    let packet = socket.receive_from_host().map_err(|error| violation(&error.to_string()))?;
    let packet = packet.ok_or_else(|| violation("the host is gone"))?;
    let body = packet.body.first_chunk().ok_or_else(|| violation("the hello is too short"))?;
    if packet.kind != Packet::Hello {
        return Err(violation("the first packet is no hello"));
    }
    let hello = Hello::decode(body);
    let plans = usize::from(hello.profile != Profile::Basic as u32);
    let heaps = usize::from(hello.capabilities & wire::capabilities::HEAP != 0);
    let lists = [hello.libraries, hello.eventfds, hello.groups].map(usize::from);
    let behind = lists.iter().sum::<usize>() + heaps + plans;
    if packet.descriptors.len() != 3 + behind {
        return Err(violation("the hello announces other descriptors than it carries"));
    }
    Ok((hello, packet.descriptors))
}

/// Whether the host has room for the stack in which the worker ends.
fn keeps_stack(hello: &Hello) -> bool {
    hello.capabilities & wire::capabilities::STACK != 0
}

/// What the hello says of the library's memory.
fn heap_settings(hello: &Hello, counts: OwnedFd) -> Result<heap::Settings, Failure> {
    let length = if keeps_stack(hello) { heap_length } else { heap_stack }(hello.functions);
    let segment = adopt(counts, length as u64, Seals::Reply)?;
    let segment = segment.map(Access::ReadWrite);
    let segment = segment
        .map_err(|errno| Failure::system(Event::LaunchFailed, "map the heap segment", &errno.into()))?;
    let guard = Guard::from_raw(hello.guard).ok_or_else(|| violation("the hello names an unknown guard"))?;
    Ok(heap::Settings {
        segment,
        functions: hello.functions,
        limit: hello.memory,
        guard,
        sample: hello.sample,
    })
}

fn read_plan(file: OwnedFd) -> Result<Plan, Failure> {
    let read = || {
        let file = File::from(file);
        let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(0)];
        // Not from where it stands: that is shared with the host, and with workers that read the same file.
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    };
    let bytes =
        read().map_err(|error| Failure::system(Event::LaunchFailed, "read the sandbox's plan", &error))?;
    Plan::decode(&bytes).ok_or_else(|| violation("the sandbox's plan cannot be read"))
}

fn adopt(fd: OwnedFd, length: u64, seals: Seals) -> Result<SegmentFile, Failure> {
    SegmentFile::adopt(fd, length, seals)
        .map_err(|errno| Failure::system(Event::LaunchFailed, "adopt a segment", &errno.into()))
}

/// Takes the eventfds of the lanes, before there is a library that could be in the way.
fn adopt_eventfds(given: Vec<OwnedFd>) -> Result<Vec<EventFd>, Failure> {
    let adopted = given.into_iter().map(|fd| EventFd::adopt(fd, CONTROL_MOVED));
    adopted
        .collect::<Result<_, _>>()
        .map_err(|errno| Failure::system(Event::LaunchFailed, "adopt an eventfd", &errno.into()))
}

/// Joins the control groups whose files of members these are.
fn join(groups: Vec<OwnedFd>) -> Result<(), Failure> {
    for group in groups {
        // 0 is who writes it.
        rustix::io::write(&group, b"0").map_err(|errno| {
            let file = std::fs::read_link(format!("/proc/self/fd/{}", group.as_raw_fd())).unwrap_or_default();
            let directory = file.parent().unwrap_or(&file).display();
            Failure::system(
                Event::GroupRefused,
                &format!("join the control group {directory}"),
                &errno.into(),
            )
        })?;
    }
    Ok(())
}

fn violation(text: &str) -> Failure {
    Failure::new(Event::HostViolation, text)
}
