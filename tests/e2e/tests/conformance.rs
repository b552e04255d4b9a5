//! The conformance grid, run by name in Rust: clients/conformance/README.md says what a runner does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotcell::dynamic::{self, KeptFunction, Outcome, Value};
use hotcell::rt::Handle;
use hotcell::{Error, ErrorKind, Executed, Session};
use hotcell_bind::{Bound, Job, Source};
use hotcell_e2e::cli::Folder;
use hotcell_model::interface::{CallbackScope, Role};
use serde_json::{Map, Value as Json};

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/conformance")
}

fn bind(folder: &Folder) -> Bound {
    let grid = conformance().join("grid");
    let library = folder.path().join("libgrid.so");
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-shared", "-fPIC", "-Wl,-soname,libgrid.so", "-o"]).arg(&library);
    let status = cc.arg(grid.join("grid.c")).arg("-lm").status().unwrap();
    assert!(status.success(), "the library is not compiled");
    let job = Job {
        source: Source::Contract(grid.join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![folder.path().to_owned()],
    };
    hotcell_bind::bind(&job).unwrap_or_else(|error| panic!("the grid is not bound: {error}"))
}

/// The steps of a case, with what they have saved.
struct Case<'a> {
    bound: &'a Bound,
    session: &'a Session,
    name: String,
    saved: BTreeMap<String, Value>,
    noted: Arc<Mutex<Vec<i128>>>,
    sunk: Vec<u8>,
}

/// What the callback `fail` fails with.
const FAILED: &str = "this one fails, as it was asked to";

impl Case<'_> {
    fn value(&self, json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Json::Object(fields) => self.named(fields),
            Json::Number(_) => panic!("{}: numbers are written as texts", self.name),
        }
    }

    fn named(&self, fields: &Map<String, Json>) -> Value {
        let times = fields.get("times").and_then(Json::as_u64).unwrap_or(1) as usize;
        let text = |key: &str| fields[key].as_str().unwrap().to_owned();
        let key = fields.keys().next().unwrap().as_str();
        match key {
            "int" => Value::Int(text(key).parse().unwrap()),
            "float" => Value::Float(text(key).parse().unwrap()),
            "bytes" => {
                let hex = text(key);
                let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                Value::Bytes((0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>().repeat(times))
            }
            "repeat" => Value::Text(text(key).repeat(times)),
            "object" => self.saved[&text(key)].clone(),
            "struct" => {
                let fields = fields["fields"].as_object().unwrap();
                Value::Struct(fields.iter().map(|(name, value)| (name.clone(), self.value(value))).collect())
            }
            other => panic!("{}: an unknown value `{other}`", self.name),
        }
    }

    /// Calls a function. A callback among its arguments is the one of this name.
    fn call(&mut self, step: &Json) -> (Result<Outcome, Error>, Vec<Value>) {
        let name = step["call"].as_str().unwrap();
        let function = self.bound.interface.function(name);
        let function = function.unwrap_or_else(|| panic!("{}: no function `{name}`", self.name));
        let shown = function.1.params.iter().filter(|param| param.role.value.is_argument());
        let mut own = BTreeMap::new();
        let mut args: Vec<Value> = Vec::new();
        for (at, json) in step["args"].as_array().unwrap().iter().enumerate() {
            let Some(callback) = json.get("callback") else {
                args.push(self.value(json));
                continue;
            };
            let param = shown.clone().nth(at).unwrap();
            let name = callback.as_str().unwrap().to_owned();
            own.insert(param.name.clone(), name.clone());
            let role = &param.role.value;
            let Role::Callback { callback, .. } = role else { panic!("{}: no callback", self.name) };
            args.push(match callback.scope {
                CallbackScope::Call => Value::Callback,
                CallbackScope::Handle { .. } => Value::Kept(self.kept(&name)),
            });
        }
        let (session, mut source, sunk) = (self.session, 0..10u8, &mut self.sunk);
        let mut run = |param: &str, given: &[(String, Value)]| {
            let number = match &given[0].1 {
                Value::Int(number) => *number,
                Value::Bytes(data) if own[param] == "sink" => {
                    sunk.extend(data);
                    return Ok(Value::Int(data.len() as i128));
                }
                _ => -1,
            };
            match own[param].as_str() {
                "source" => Ok(Value::Bytes(source.by_ref().take(number as usize).collect())),
                "double" => Ok(Value::Int(2 * number)),
                "fail" => Err(FAILED.to_owned()),
                "nested" => {
                    let add = self.bound.interface.function("grid_add").unwrap();
                    let args = [Value::Int(number), Value::Int(1)];
                    let made = dynamic::call(session, &self.bound.interface, add, &args);
                    made.map(|outcome| outcome.returned.unwrap()).map_err(|error| error.to_string())
                }
                other => Err(format!("an unknown callback `{other}`")),
            }
        };
        (dynamic::call_with(session, &self.bound.interface, function, &args, &mut run), args)
    }

    fn kept(&self, name: &str) -> KeptFunction {
        let noted = Arc::clone(&self.noted);
        let fails = name == "fail";
        assert!(fails || name == "note", "{}: `{name}` is not kept", self.name);
        KeptFunction::new(move |given| {
            let Value::Int(number) = given[0].1 else { return Err("no number".to_owned()) };
            if fails {
                return Err(FAILED.to_owned());
            }
            noted.lock().unwrap().push(number);
            Ok(Value::Null)
        })
    }

    fn step(&mut self, step: &Json) {
        match step.get("restore") {
            Some(name) => self.restore(name.as_str().unwrap(), step.get("error")),
            None => self.call_of(step),
        }
        for (name, times) in step.get("restored").and_then(Json::as_object).into_iter().flatten() {
            assert_eq!(u64::from(self.object(name).restored()), times.as_u64().unwrap(), "{}", self.name);
        }
    }

    fn object(&self, name: &str) -> &Handle {
        let Value::Handle(handle) = &self.saved[name] else { panic!("{}: `{name}` is no object", self.name) };
        handle
    }

    fn restore(&self, name: &str, fails: Option<&Json>) {
        match (self.object(name).restore(), fails) {
            (made, Some(expected)) => self.check_error(&made.expect_err(&self.name), expected),
            (made, None) => made.unwrap_or_else(|error| panic!("{}: {error}", self.name)),
        }
    }

    fn call_of(&mut self, step: &Json) {
        let (made, _) = self.call(step);
        if step.get("refused").is_some() {
            let error = made.expect_err(&self.name);
            assert_eq!(error.executed(), Executed::No, "{}: {error}", self.name);
            return;
        }
        if step.get("failed").is_some() {
            let error = made.expect_err(&self.name);
            assert_eq!(error.kind(), ErrorKind::CallbackFailed, "{}: {error}", self.name);
            assert!(error.message().contains(FAILED), "{}: {error}", self.name);
            return;
        }
        if let Some(expected) = step.get("error") {
            return self.check_error(&made.expect_err(&self.name), expected);
        }
        let outcome = made.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let changed = |name: &str| step.get("changed").is_some_and(|changed| changed.get(name).is_some());
        let outs = outcome.outs.iter().filter(|(name, _)| !changed(name)).map(|(_, value)| value);
        let results: Vec<&Value> = outcome.returned.iter().chain(outs).collect();
        if let Some(name) = step.get("save") {
            assert_eq!(results.len(), 1, "{}", self.name);
            self.saved.insert(name.as_str().unwrap().to_owned(), results[0].clone());
        }
        if let Some(expected) = step.get("returns").and_then(Json::as_array) {
            assert_eq!(results.len(), expected.len(), "{}: {results:?}", self.name);
            for (result, expected) in results.iter().zip(expected) {
                assert!(same(result, &self.value(expected)), "{}: {result:?}, not {expected}", self.name);
            }
        }
        for (name, expected) in step.get("changed").and_then(Json::as_object).into_iter().flatten() {
            let (_, value) = outcome.outs.iter().find(|(out, _)| out == name).unwrap();
            assert!(same(value, &self.value(expected)), "{}: {value:?}, not {expected}", self.name);
        }
        if let Some(expected) = step.get("sunk") {
            assert_eq!(Value::Bytes(self.sunk.clone()), self.value(expected), "{}", self.name);
        }
        if let Some(expected) = step.get("noted").and_then(Json::as_array) {
            let noted = self.noted.lock().unwrap().iter().map(|number| Value::Int(*number)).collect();
            let expected = expected.iter().map(|value| self.value(value)).collect();
            assert!(same(&Value::List(noted), &Value::List(expected)), "{}", self.name);
        }
    }

    fn check_error(&self, error: &Error, expected: &Json) {
        let json = error.to_json();
        assert_eq!(json["kind"], expected["kind"], "{}: {error}", self.name);
        for key in ["executed", "fault"] {
            if let Some(wanted) = expected.get(key) {
                assert_eq!(&json[key], wanted, "{}: {key}: {error}", self.name);
            }
        }
        for (key, wanted) in expected.get("cause").and_then(Json::as_object).into_iter().flatten() {
            assert_eq!(&json["cause"][key], wanted, "{}: {key}: {error}", self.name);
        }
    }
}

/// Whether two values are the same: of fractions that are no numbers, both.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => one == other || one.is_nan() && other.is_nan(),
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Struct(one), Value::Struct(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    other.iter().any(|(other, theirs)| name == other && same(value, theirs))
                })
        }
        _ => one == other,
    }
}

#[test]
fn every_case_of_the_grid_holds_in_rust() {
    let folder = Folder::new();
    let bound = bind(&folder);
    let session = bound.open(hotcell::Options::default()).unwrap();
    let mut files: Vec<PathBuf> =
        fs::read_dir(conformance().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut passed = String::new();
    for file in files {
        let group: Json = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(group["format"], 1, "{}", file.display());
        let name = group["group"].as_str().unwrap();
        for case in group["cases"].as_array().unwrap() {
            let case_name = case["name"].as_str().unwrap();
            let mut running = Case {
                bound: &bound,
                session: &session,
                name: format!("{name}: {case_name}"),
                saved: BTreeMap::new(),
                noted: Arc::default(),
                sunk: Vec::new(),
            };
            case["steps"].as_array().unwrap().iter().for_each(|step| running.step(step));
            passed.push_str(&format!("{name}\t{case_name}\n"));
        }
    }
    assert!(passed.lines().count() > 50, "only these ran:\n{passed}");
    if let Some(file) = std::env::var_os("HOTCELL_CONFORMANCE") {
        let mut out = fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
        out.write_all(passed.as_bytes()).unwrap();
    }
}

/// What clients of languages with a lock stand on.
#[test]
fn a_call_begins_at_once_or_not_at_all_and_is_given_up_when_asked() {
    let folder = Folder::new();
    let bound = bind(&folder);
    let session = bound.open(hotcell::Options::default()).unwrap();
    let function = |name: &str| bound.interface.function(name).unwrap();
    let add =
        || dynamic::call(&session, &bound.interface, function("grid_add"), &[Value::Int(1), Value::Int(2)]);

    let held = session.call_at_once(function("grid_nothing").0, false).expect("nobody else has the worker");
    assert!(session.call_at_once(function("grid_nothing").0, false).is_none(), "it would have to wait");
    drop(held);
    let (mut let_go, mut asked) = (0, 0);
    let call = session.call_at_once(function("grid_nothing").0, false).unwrap();
    let aside = |wait: &mut dyn FnMut()| {
        let_go += 1;
        wait();
    };
    let reply = call.settle_aside(Duration::from_secs(5), aside, &mut || true, &mut []).unwrap();
    drop(reply);
    // Where nobody polls, nobody is patient either.
    let alone = hotcell_shm::usable_cpus().is_some_and(|cpus| cpus < 2);
    assert_eq!(let_go, u32::from(alone), "the reply came while the caller was patient");

    let hang = function("grid_hang");
    let mut none = |_: &str, _: &[(String, Value)]| Err("there is no callback".to_owned());
    let mut gives_up = || {
        asked += 1;
        asked > 1
    };
    let within = session.within(Duration::from_secs(60));
    let error =
        dynamic::call_asking(&within, &bound.interface, hang, &[], &mut none, &mut gives_up).unwrap_err();
    assert_eq!((error.kind(), asked), (ErrorKind::Cancelled, 2), "{error}");
    assert_eq!(add().unwrap().returned, Some(Value::Int(3)));
}
