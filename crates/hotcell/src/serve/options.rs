//! The options of a session as JSON: the members of [`Options`](crate::Options) by their names, times in milliseconds with `_ms` behind
//! theirs. What is left out is as there; a name that is not there is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use hotcell_protocol::wire::Guard;
use hotcell_sandbox::{Limits, Profile, Require, Sandbox};
use hotcell_supervisor::Worker;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::options::{Options, Waiting};
use crate::quarantine::{Quarantine, QuarantineRule};
use crate::recycle::Recycle;
use crate::restart::Restart;
use crate::retries::Retries;
use crate::state::StatePart;
use crate::watch::Watch;

/// Workers that a session may have kept ready.
const SPARES: u32 = 64;

/// The longest time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Reads options, as clients of `hotcell serve` say them: docs/reference/serve.md. What is left out is the default.
///
/// # Errors
///
/// What is wrong, with its name.
pub fn read(value: &Value) -> Result<Options, String> {
    let read = match value {
        Value::Null => Ok(Said::default()),
        value => Said::deserialize(value),
    };
    let options = read.map(Options::from).map_err(|error| match to_blame(value) {
        Some(name) => format!("options: {name}: {error}"),
        None => format!("options: {error}"),
    })?;
    let most = |name, has: u32, most: u32| match has {
        has if has > most => Err(format!("options: {name}: {has} are more than {most}")),
        _ => Ok(()),
    };
    most("spares", options.spares, SPARES)?;
    most("callers", options.callers, Worker::MOST_CALLERS)?;
    Ok(options)
}

/// The member without which all is well; of a table of them, the one in that.
fn to_blame(value: &Value) -> Option<String> {
    let is_well = |value: &Value| Said::deserialize(value).is_ok();
    let without = |value: &Value, name: &str| {
        let mut rest = value.clone();
        rest.as_object_mut()?.remove(name)?;
        Some(rest)
    };
    for (name, member) in value.as_object()? {
        if !is_well(&without(value, name)?) {
            continue;
        }
        for inner in member.as_object().into_iter().flat_map(|members| members.keys()) {
            let mut rest = value.clone();
            rest[name.as_str()] = without(member, inner)?;
            if is_well(&rest) {
                return Some(format!("{name}.{inner}"));
            }
        }
        return Some(name.clone());
    }
    None
}

/// Writes options, as a server tells them to its client.
pub fn write(options: &Options) -> Value {
    serde_json::to_value(Said::from(options)).expect("its members are numbers, texts and lists")
}

/// A time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ms(Duration);

impl Serialize for Ms {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0.as_millis()) {
            Ok(whole) if self.0.subsec_nanos().is_multiple_of(1_000_000) => to.serialize_u64(whole),
            _ => to.serialize_f64(self.0.as_secs_f64() * 1e3),
        }
    }
}

impl<'de> Deserialize<'de> for Ms {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Ms, D::Error> {
        let number = serde_json::Number::deserialize(from)?;
        let time = match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => Some(Duration::from_millis(whole)),
            (None, Some(part)) => Duration::try_from_secs_f64(part / 1e3).ok(),
            (None, None) => None,
        };
        let time = time.ok_or_else(|| D::Error::custom(format!("{number} is no time in milliseconds")))?;
        match time > LONGEST {
            true => Err(D::Error::custom(format!("{number} milliseconds are more than a year"))),
            false => Ok(Ms(time)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Said {
    deadline_ms: Ms,
    cancel_grace_ms: Ms,
    start_deadline_ms: Ms,
    worker: Option<PathBuf>,
    libraries: Vec<PathBuf>,
    environment: BTreeMap<String, String>,
    directory: PathBuf,
    sandbox: Option<SaidSandbox>,
    guard: Option<SaidGuard>,
    leaves: Option<Vec<SaidPart>>,
    limits: SaidLimits,
    control_groups: Vec<PathBuf>,
    max_input: u64,
    max_output: u64,
    max_objects: u32,
    max_callbacks: u64,
    max_callback_rate: u64,
    waiting: SaidWaiting,
    callers: u32,
    spares: u32,
    recycle: Option<SaidRecycle>,
    restart: SaidRestart,
    retries: Option<SaidRetries>,
    quarantine: SaidQuarantine,
    watch: Option<SaidWatch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SaidGuard {
    None,
    Sampled,
    All,
}

impl From<SaidGuard> for Guard {
    fn from(said: SaidGuard) -> Self {
        match said {
            SaidGuard::None => Guard::None,
            SaidGuard::Sampled => Guard::Sampled,
            SaidGuard::All => Guard::All,
        }
    }
}

impl From<Guard> for SaidGuard {
    fn from(it: Guard) -> Self {
        match it {
            Guard::None => SaidGuard::None,
            Guard::Sampled => SaidGuard::Sampled,
            Guard::All => SaidGuard::All,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SaidPart {
    Locale,
    Handlers,
    Mask,
    Timers,
    Directory,
    Umask,
    Environment,
    Arithmetic,
}

impl From<SaidPart> for StatePart {
    fn from(said: SaidPart) -> Self {
        match said {
            SaidPart::Locale => StatePart::Locale,
            SaidPart::Handlers => StatePart::Handlers,
            SaidPart::Mask => StatePart::Mask,
            SaidPart::Timers => StatePart::Timers,
            SaidPart::Directory => StatePart::Directory,
            SaidPart::Umask => StatePart::Umask,
            SaidPart::Environment => StatePart::Environment,
            SaidPart::Arithmetic => StatePart::Arithmetic,
        }
    }
}

impl From<StatePart> for SaidPart {
    fn from(it: StatePart) -> Self {
        match it {
            StatePart::Locale => SaidPart::Locale,
            StatePart::Handlers => SaidPart::Handlers,
            StatePart::Mask => SaidPart::Mask,
            StatePart::Timers => SaidPart::Timers,
            StatePart::Directory => SaidPart::Directory,
            StatePart::Umask => SaidPart::Umask,
            StatePart::Environment => SaidPart::Environment,
            StatePart::Arithmetic => SaidPart::Arithmetic,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SaidWaiting {
    Latency,
    Balanced,
    Economy,
}

impl From<SaidWaiting> for Waiting {
    fn from(said: SaidWaiting) -> Self {
        match said {
            SaidWaiting::Latency => Waiting::Latency,
            SaidWaiting::Balanced => Waiting::Balanced,
            SaidWaiting::Economy => Waiting::Economy,
        }
    }
}

impl From<Waiting> for SaidWaiting {
    fn from(it: Waiting) -> Self {
        match it {
            Waiting::Latency => SaidWaiting::Latency,
            Waiting::Balanced => SaidWaiting::Balanced,
            Waiting::Economy => SaidWaiting::Economy,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SaidWatch {
    Off,
    Look,
    Reload,
}

impl From<SaidWatch> for Watch {
    fn from(said: SaidWatch) -> Self {
        match said {
            SaidWatch::Off => Watch::Off,
            SaidWatch::Look => Watch::Look,
            SaidWatch::Reload => Watch::Reload,
        }
    }
}

impl From<Watch> for SaidWatch {
    fn from(it: Watch) -> Self {
        match it {
            Watch::Off => SaidWatch::Off,
            Watch::Look => SaidWatch::Look,
            Watch::Reload => SaidWatch::Reload,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SaidLimits {
    descriptors: u64,
    stack: u64,
    data: Option<u64>,
    address_space: Option<u64>,
    cpu_ms: Option<Ms>,
    threads: Option<u64>,
    memory: Option<u64>,
    temporary: Option<u64>,
}

impl From<SaidLimits> for Limits {
    fn from(said: SaidLimits) -> Self {
        Limits {
            descriptors: said.descriptors,
            stack: said.stack,
            data: said.data,
            address_space: said.address_space,
            cpu: said.cpu_ms.map(|time| time.0),
            threads: said.threads,
            memory: said.memory,
            temporary: said.temporary,
        }
    }
}

impl From<Limits> for SaidLimits {
    fn from(it: Limits) -> Self {
        SaidLimits {
            descriptors: it.descriptors,
            stack: it.stack,
            data: it.data,
            address_space: it.address_space,
            cpu_ms: it.cpu.map(Ms),
            threads: it.threads,
            memory: it.memory,
            temporary: it.temporary,
        }
    }
}

impl Default for SaidLimits {
    fn default() -> Self {
        Limits::default().into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SaidRecycle {
    every_ms: Ms,
    calls: Option<u64>,
    age_ms: Option<Ms>,
    memory: Option<u64>,
    memory_for_ms: Ms,
    descriptors: Option<u64>,
    threads: Option<u64>,
    leaked: Option<u64>,
    patience_ms: Option<Ms>,
    probe_ms: Option<Ms>,
}

impl From<SaidRecycle> for Recycle {
    fn from(said: SaidRecycle) -> Self {
        Recycle {
            every: said.every_ms.0,
            calls: said.calls,
            age: said.age_ms.map(|time| time.0),
            memory: said.memory,
            memory_for: said.memory_for_ms.0,
            descriptors: said.descriptors,
            threads: said.threads,
            leaked: said.leaked,
            patience: said.patience_ms.map(|time| time.0),
            probe: said.probe_ms.map(|time| time.0),
        }
    }
}

impl From<Recycle> for SaidRecycle {
    fn from(it: Recycle) -> Self {
        SaidRecycle {
            every_ms: Ms(it.every),
            calls: it.calls,
            age_ms: it.age.map(Ms),
            memory: it.memory,
            memory_for_ms: Ms(it.memory_for),
            descriptors: it.descriptors,
            threads: it.threads,
            leaked: it.leaked,
            patience_ms: it.patience.map(Ms),
            probe_ms: it.probe.map(Ms),
        }
    }
}

impl Default for SaidRecycle {
    fn default() -> Self {
        Recycle::default().into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SaidRestart {
    faults: u32,
    within_ms: Ms,
    pause_ms: Ms,
    longest_pause_ms: Ms,
}

impl From<SaidRestart> for Restart {
    fn from(said: SaidRestart) -> Self {
        Restart {
            faults: said.faults,
            within: said.within_ms.0,
            pause: said.pause_ms.0,
            longest_pause: said.longest_pause_ms.0,
        }
    }
}

impl From<Restart> for SaidRestart {
    fn from(it: Restart) -> Self {
        SaidRestart {
            faults: it.faults,
            within_ms: Ms(it.within),
            pause_ms: Ms(it.pause),
            longest_pause_ms: Ms(it.longest_pause),
        }
    }
}

impl Default for SaidRestart {
    fn default() -> Self {
        Restart::default().into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SaidRetries {
    tries: u32,
    starts: u32,
    pause_ms: Ms,
    longest_pause_ms: Ms,
    breaker: bool,
}

impl From<SaidRetries> for Retries {
    fn from(said: SaidRetries) -> Self {
        Retries {
            tries: said.tries,
            starts: said.starts,
            pause: said.pause_ms.0,
            longest_pause: said.longest_pause_ms.0,
            breaker: said.breaker,
        }
    }
}

impl From<Retries> for SaidRetries {
    fn from(it: Retries) -> Self {
        SaidRetries {
            tries: it.tries,
            starts: it.starts,
            pause_ms: Ms(it.pause),
            longest_pause_ms: Ms(it.longest_pause),
            breaker: it.breaker,
        }
    }
}

impl Default for SaidRetries {
    fn default() -> Self {
        Retries::default().into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SaidQuarantine {
    crashes: u32,
    within_ms: Ms,
    lasts_ms: Ms,
    most: usize,
}

impl From<SaidQuarantine> for QuarantineRule {
    fn from(said: SaidQuarantine) -> Self {
        QuarantineRule {
            crashes: said.crashes,
            within: said.within_ms.0,
            lasts: said.lasts_ms.0,
            most: said.most,
        }
    }
}

impl From<QuarantineRule> for SaidQuarantine {
    fn from(it: QuarantineRule) -> Self {
        SaidQuarantine {
            crashes: it.crashes,
            within_ms: Ms(it.within),
            lasts_ms: Ms(it.lasts),
            most: it.most,
        }
    }
}

impl Default for SaidQuarantine {
    fn default() -> Self {
        QuarantineRule::default().into()
    }
}

/// As in a contract: the name of a profile, or what it names besides.
#[derive(Debug, Clone, PartialEq)]
struct SaidSandbox(Sandbox);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SandboxTable {
    profile: String,
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    connect: Vec<u16>,
    bind: Vec<u16>,
    allow: Vec<String>,
    refuse: Vec<String>,
    load: Vec<PathBuf>,
    write_xor_execute: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    require: Option<String>,
}

impl<'de> Deserialize<'de> for SaidSandbox {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let table = match Value::deserialize(from)? {
            Value::String(profile) => SandboxTable { profile, ..SandboxTable::default() },
            table => SandboxTable::deserialize(table).map_err(D::Error::custom)?,
        };
        let wrong = |what: &str, word: &str| D::Error::custom(format!("`{word}` is no {what}"));
        let profile = Profile::from_name(&table.profile).ok_or_else(|| {
            let known = Profile::ALL.map(|profile| format!("`{}`", profile.name())).join(", ");
            D::Error::custom(match table.profile.as_str() {
                "" => format!("the table has no `profile`; those are {known}"),
                other => format!("`{other}` is no `profile`; those are {known}"),
            })
        })?;
        let require = match table.require.as_deref() {
            None => Require::Offered,
            Some(word) => Require::from_name(word).ok_or_else(|| wrong("`require`", word))?,
        };
        let SandboxTable { read, write, connect, bind, allow, refuse, load, write_xor_execute, .. } = table;
        let sandbox =
            Sandbox { profile, read, write, connect, bind, allow, refuse, load, write_xor_execute, require };
        Ok(SaidSandbox(sandbox))
    }
}

impl Serialize for SaidSandbox {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Sandbox { profile, read, write, connect, bind, allow, refuse, load, write_xor_execute, require } =
            self.0.clone();
        let profile = profile.name().to_owned();
        let require = require.name().map(str::to_owned);
        let table = SandboxTable {
            profile,
            read,
            write,
            connect,
            bind,
            allow,
            refuse,
            load,
            write_xor_execute,
            require,
        };
        table.serialize(to)
    }
}

impl Default for Said {
    fn default() -> Said {
        Said::from(&Options::default())
    }
}

impl From<Said> for Options {
    fn from(said: Said) -> Options {
        Options {
            deadline: said.deadline_ms.0,
            cancel_grace: said.cancel_grace_ms.0,
            start_deadline: said.start_deadline_ms.0,
            worker: said.worker,
            libraries: said.libraries,
            environment: said.environment.into_iter().collect(),
            directory: said.directory,
            sandbox: said.sandbox.map(|sandbox| sandbox.0),
            guard: said.guard.map(Guard::from),
            leaves: said.leaves.map(|parts| parts.into_iter().map(StatePart::from).collect()),
            limits: said.limits.into(),
            control_groups: said.control_groups,
            max_input: said.max_input,
            max_output: said.max_output,
            max_objects: said.max_objects,
            max_callbacks: said.max_callbacks,
            max_callback_rate: said.max_callback_rate,
            waiting: said.waiting.into(),
            callers: said.callers,
            spares: said.spares,
            recycle: said.recycle.map(Recycle::from),
            restart: said.restart.into(),
            retries: said.retries.map(Retries::from),
            // Objects are the client's: so is what becomes of them.
            restores: None,
            quarantine: Quarantine::new(said.quarantine.into()),
            watch: said.watch.map(Watch::from),
        }
    }
}

impl From<&Options> for Said {
    fn from(it: &Options) -> Said {
        let parts = |parts: &Vec<StatePart>| parts.iter().map(|part| SaidPart::from(*part)).collect();
        Said {
            deadline_ms: Ms(it.deadline),
            cancel_grace_ms: Ms(it.cancel_grace),
            start_deadline_ms: Ms(it.start_deadline),
            worker: it.worker.clone(),
            libraries: it.libraries.clone(),
            environment: it.environment.iter().cloned().collect(),
            directory: it.directory.clone(),
            sandbox: it.sandbox.clone().map(SaidSandbox),
            guard: it.guard.map(SaidGuard::from),
            leaves: it.leaves.as_ref().map(parts),
            limits: it.limits.into(),
            control_groups: it.control_groups.clone(),
            max_input: it.max_input,
            max_output: it.max_output,
            max_objects: it.max_objects,
            max_callbacks: it.max_callbacks,
            max_callback_rate: it.max_callback_rate,
            waiting: it.waiting.into(),
            callers: it.callers,
            spares: it.spares,
            recycle: it.recycle.clone().map(SaidRecycle::from),
            restart: it.restart.into(),
            retries: it.retries.map(SaidRetries::from),
            quarantine: it.quarantine.rule().into(),
            watch: it.watch.map(SaidWatch::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_out_is_as_in_rust() {
        let defaults = format!("{:?}", Options::default());
        let debug = |options: Options| {
            format!("{:?}", Options { quarantine: Options::default().quarantine, ..options })
        };
        assert_eq!(debug(read(&Value::Null).unwrap()), defaults);
        assert_eq!(debug(read(&json!({})).unwrap()), defaults);
        let limits = read(&json!({ "limits": { "threads": 7 } })).unwrap().limits;
        assert_eq!(limits, Limits { threads: Some(7), ..Limits::default() });
        let none = read(&json!({ "limits": { "temporary": null } })).unwrap().limits;
        assert_eq!(none.temporary, None, "null is no limit");
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let said = json!({
            "deadline_ms": 0.25, "cancel_grace_ms": 7, "worker": "/opt/hotcell-worker", "libraries": ["/a.so"],
            "environment": { "A": "1" }, "directory": "/tmp", "guard": "sampled", "leaves": ["locale", "umask"],
            "sandbox": { "profile": "files", "read": ["/usr/share"], "require": "strict" },
            "limits": { "cpu_ms": 2000, "data": 1 }, "waiting": "economy", "callers": 3, "spares": 2,
            "recycle": { "calls": 5, "probe_ms": null }, "restart": { "faults": 0 }, "retries": { "tries": 1 },
            "quarantine": { "crashes": 9 }, "watch": "look", "max_objects": 77, "control_groups": ["/sys/fs/cgroup/a"],
        });
        let options = read(&said).unwrap();
        assert_eq!(options.deadline, Duration::from_micros(250));
        assert_eq!(options.limits.cpu, Some(Duration::from_secs(2)));
        assert_eq!(options.leaves, Some(vec![StatePart::Locale, StatePart::Umask]));
        assert_eq!((options.guard, options.waiting), (Some(Guard::Sampled), Waiting::Economy));
        let recycle = options.recycle.clone().unwrap();
        assert_eq!((recycle.calls, recycle.probe, recycle.every), (Some(5), None, Recycle::default().every));
        let sandbox = options.sandbox.clone().unwrap();
        assert_eq!((sandbox.profile, sandbox.require), (Profile::Files, Require::Strict));
        assert_eq!(sandbox.read, [PathBuf::from("/usr/share")]);
        let written = write(&options);
        assert_eq!(write(&read(&written).unwrap()), written);
        for (name, value) in said.as_object().unwrap() {
            if !value.is_object() {
                assert_eq!(&written[name], value, "{name}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_by_its_name() {
        for (said, expect) in [
            (json!({ "deadlin_ms": 1 }), "unknown field `deadlin_ms`"),
            (json!({ "limits": { "cpus": 1 } }), "unknown field `cpus`"),
            (
                json!({ "sandbox": "open" }),
                "sandbox: `open` is no `profile`; those are `basic`, `compute`, `files`",
            ),
            (json!({ "sandbox": { "profile": "files", "reed": [] } }), "unknown field `reed`"),
            (json!({ "sandbox": { "profile": "files", "require": "all" } }), "`all` is no `require`"),
            (json!({ "deadline_ms": -1 }), "-1 is no time in milliseconds"),
            (json!({ "deadline_ms": u64::MAX }), "are more than a year"),
            (json!({ "restart": { "pause_ms": 1u64 << 63 } }), "are more than a year"),
            (json!({ "recycle": { "every_ms": 31_536_000_001u64 } }), "are more than a year"),
            (json!({ "spares": 65 }), "spares: 65 are more than 64"),
            (json!({ "callers": 64 }), "callers: 64 are more than 63"),
            (json!({ "leaves": ["moon"] }), "unknown variant `moon`"),
            (json!({ "spares": 1.5 }), "options: spares: invalid type: floating point `1.5`"),
            (
                json!({ "spares": 1, "limits": { "memory": "1G", "threads": 3 } }),
                "options: limits.memory: invalid type",
            ),
            (
                json!({ "sandbox": { "profile": "files", "read": "/etc" } }),
                "options: sandbox.read: invalid type",
            ),
            (
                json!({ "sandbox": { "read": ["/etc"] } }),
                "options: sandbox: the table has no `profile`; those are",
            ),
            (
                json!({ "sandbox": { "profile": "files", "require": "all" } }),
                "options: sandbox.require: `all`",
            ),
            (json!(7), "expected struct"),
        ] {
            let wrong = read(&said).unwrap_err();
            assert!(wrong.starts_with("options: ") && wrong.contains(expect), "{said}: {wrong}");
        }
        assert_eq!(read(&json!({ "sandbox": "basic" })).unwrap().sandbox, Some(Sandbox::of(Profile::Basic)));
    }
}
