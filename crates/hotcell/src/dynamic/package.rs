//! An interface as a package.

use hotcell_model::interface::{
    Encoding, Function as ModelFunction, GuardWord, Input as ModelInput, Interface, Left, LeftKind,
    Ownership, Repeated as ModelRepeated, ResultRole, Role, SandboxLines as ModelSandboxLines,
    SandboxProfile, SandboxRequire, StatePart as ModelStatePart, Threads,
};
use hotcell_model::layout::{Carries, WireKind};

use crate::options::Options;
use crate::rt::{
    self, Field, Function, Guard, HandleType, Input, Kind, OutputField, OutputKind, OwnedField, Package,
    Profile, RecycleLines, Release, Repeated, Require, Restore, SandboxLines, ThreadRules,
};
use crate::state::StatePart;

/// Bytes of an image that is only a handle.
const HANDLE_ALONE: u32 = 8;

/// Makes a package of an interface and its compiled shim. It lives until the process ends, as the packages
/// that are compiled in do: load an interface once, not for every call. It is to be opened with its [`thread_rules`].
pub fn package(interface: &Interface, shim: Vec<u8>) -> &'static Package {
    let functions: Vec<Function> = interface.functions.iter().map(|it| function(interface, it)).collect();
    let handles: Vec<HandleType> = interface.handles.keys().map(|name| handle(interface, name)).collect();
    Box::leak(Box::new(Package {
        runtime: 1,
        library: interface.library.clone().leak(),
        fingerprint: interface.fingerprint.0,
        reentrant: interface.threads == Threads::Reentrant && !interface.has_thread_rules(),
        functions: functions.leak(),
        handles: handles.leak(),
        sandbox: sandbox(&interface.sandbox),
        guard: match interface.guard {
            GuardWord::None => Guard::None,
            GuardWord::Sampled => Guard::Sampled,
            GuardWord::All => Guard::All,
        },
        shim: shim.leak(),
    }))
}

/// What an interface says of threads where several may be inside the library, but not everywhere: for
/// [`crate::Session::open_by`]. It lives until the process ends.
pub fn thread_rules(interface: &Interface) -> Option<&'static ThreadRules> {
    let per_handle = interface.threads == Threads::PerHandle;
    interface.has_thread_rules().then(|| {
        let bound = interface.affine_handles().leak();
        &*Box::leak(Box::new(ThreadRules { per_handle, bound }))
    })
}

/// What an interface says of worn workers: for the options of its sessions.
pub fn recycle(interface: &Interface) -> RecycleLines {
    let lines = &interface.recycle;
    RecycleLines {
        calls: lines.calls,
        age_ms: lines.age_ms,
        memory: lines.memory,
        memory_for_ms: lines.memory_for_ms,
        descriptors: lines.descriptors,
        threads: lines.threads,
        leaked: lines.leaked,
        patience_ms: lines.patience_ms,
        probe_ms: lines.probe_ms,
    }
}

/// Options of a session, with what an interface says of how often calls are made. What they say themselves holds.
pub fn trying(interface: &Interface, options: Options) -> Options {
    match interface.tries {
        Some(tries) => rt::trying(options, tries),
        None => options,
    }
}

/// Options of a session, with what an interface says that the library may leave changed. What they say themselves holds.
pub fn leaving(interface: &Interface, options: Options) -> Options {
    let parts: Vec<StatePart> = interface
        .leaves
        .iter()
        .map(|part| match part {
            ModelStatePart::Locale => StatePart::Locale,
            ModelStatePart::Handlers => StatePart::Handlers,
            ModelStatePart::Mask => StatePart::Mask,
            ModelStatePart::Timers => StatePart::Timers,
            ModelStatePart::Directory => StatePart::Directory,
            ModelStatePart::Umask => StatePart::Umask,
            ModelStatePart::Environment => StatePart::Environment,
            ModelStatePart::Arithmetic => StatePart::Arithmetic,
        })
        .collect();
    rt::leaving(options, &parts)
}

/// What an interface says of objects that are made anew, for [`rt::restoring`]. It lives until the process ends.
pub fn restores(interface: &Interface) -> &'static [Restore] {
    let repeated = |all: Vec<ModelRepeated>| -> &'static [Repeated] {
        all.into_iter().map(repeated).collect::<Vec<_>>().leak()
    };
    let restores = interface.handles.iter().filter_map(|(name, handle)| {
        let (by, configure) = interface.repeated(name)?;
        let (kind, times) = (interface.handle_number(name)?, handle.restore.as_ref()?.times);
        Some(Restore { kind, by: repeated(by), configure: repeated(configure), times })
    });
    restores.collect::<Vec<_>>().leak()
}

fn repeated(it: ModelRepeated) -> Repeated {
    let inputs =
        |all: Vec<ModelInput>| -> &'static [Input] { all.into_iter().map(input).collect::<Vec<_>>().leak() };
    Repeated {
        function: it.function,
        object: it.object as u16,
        parent: it.parent.map(|(offset, kind)| (offset as u16, kind)),
        inputs: inputs(it.inputs),
        key: inputs(it.key),
    }
}

fn sandbox(lines: &ModelSandboxLines) -> SandboxLines {
    fn leaked(list: &[String]) -> &'static [&'static str] {
        list.iter().map(|text| &*text.clone().leak()).collect::<Vec<_>>().leak()
    }
    SandboxLines {
        profile: match lines.profile {
            SandboxProfile::Basic => Profile::Basic,
            SandboxProfile::Compute => Profile::Compute,
            SandboxProfile::Files => Profile::Files,
            SandboxProfile::Network => Profile::Network,
            SandboxProfile::Custom => Profile::Custom,
        },
        read: leaked(&lines.read),
        write: leaked(&lines.write),
        connect: lines.connect.clone().leak(),
        bind: lines.bind.clone().leak(),
        allow: leaked(&lines.allow),
        refuse: leaked(&lines.refuse),
        load: leaked(&lines.load),
        write_xor_execute: lines.write_xor_execute,
        require: match lines.require {
            SandboxRequire::Offered => Require::Offered,
            SandboxRequire::Strict => Require::Strict,
            SandboxRequire::Namespaces => Require::Namespaces,
        },
    }
}

fn function(interface: &Interface, function: &ModelFunction) -> Function {
    let result = &function.layout.result;
    let symbols = function.error.as_ref().and_then(|rule| rule.value.symbols.as_ref());
    let symbols = symbols.and_then(|set| interface.symbols.get(set)).into_iter().flatten();
    let symbols = symbols.map(|(code, name)| (*code, &*name.clone().leak()));
    let returned = function.returned_number();
    Function {
        name: function.name.clone().leak(),
        args_size: function.layout.args.size as u16,
        result_size: result.size as u16,
        deadline_ms: function.deadline_ms.unwrap_or(0),
        idempotent: function.is_repeatable(),
        inputs: function.inputs().into_iter().map(input).collect::<Vec<_>>().leak(),
        lets_go: function.lets_go(),
        returned: returned
            .and_then(|field| Some(Field { offset: field.offset as u16, kind: kind(field.kind)? })),
        code: result.field(Carries::Code).map(|field| field.offset as u16),
        message: result.field(Carries::Message).map(|field| field.offset as u16),
        symbols: symbols.collect::<Vec<_>>().leak(),
        owned: owned(interface, function).leak(),
        outputs: outputs(interface, function).leak(),
    }
}

fn input(input: ModelInput) -> Input {
    match input {
        ModelInput::Numbers { offset, bytes } => Input::Numbers(offset as u16, bytes as u16),
        ModelInput::Room { offset } => Input::Room(offset as u16),
        ModelInput::Presence { offset } => Input::Presence(offset as u16),
        ModelInput::Objects { offset } => Input::Objects(offset as u16),
        ModelInput::Data { offset } => Input::Data(offset as u16),
        ModelInput::References { offset } => Input::References(offset as u16),
        ModelInput::Images { offset, handle } => Input::Images(offset as u16, handle as u16),
    }
}

/// The objects in a function's result block that callers own.
fn owned(interface: &Interface, function: &ModelFunction) -> Vec<OwnedField> {
    let field = |carries, handle: &str, image, by: Option<&String>| {
        let offset = function.layout.result.field(carries)?.offset as u16;
        let own = interface.handles.get(handle)?.release.as_ref();
        let release = by.filter(|by| own != Some(*by)).and_then(|by| release(interface, by));
        Some(OwnedField { offset, kind: interface.handle_number(handle)?, image, release })
    };
    let returned = match &function.result.value {
        ResultRole::Handle { handle, ownership: Ownership::Owned { release }, .. } => {
            field(Carries::Returned, handle, 0, Some(release))
        }
        _ => None,
    };
    let params = function.params.iter().enumerate().filter_map(|(index, param)| {
        let carries = Carries::Param { index };
        match &param.role.value {
            Role::HandleOut { handle, ownership: Ownership::Owned { release }, .. } => {
                field(carries, handle, 0, Some(release))
            }
            Role::Resident { record, starts: Some(start), .. } => {
                let image = interface.structs.get(record)?.size;
                field(carries, record, image, start.release.as_ref())
            }
            _ => None,
        }
    });
    params.chain(returned).collect()
}

/// What comes with the error of a failed call.
fn outputs(interface: &Interface, function: &ModelFunction) -> Vec<OutputField> {
    let field = |left: Left| {
        let kind = match left.kind {
            LeftKind::Bool => OutputKind::Bool,
            LeftKind::Number(number) => OutputKind::Number(kind(number)?),
            LeftKind::Text => OutputKind::Text,
            LeftKind::Converted(Encoding::Utf32) => OutputKind::Utf32Text,
            LeftKind::Converted(Encoding::Latin1) => OutputKind::Latin1Text,
            LeftKind::Converted(_) => OutputKind::WideText,
            LeftKind::Bytes => OutputKind::Bytes,
            LeftKind::Texts(Encoding::Utf8) => OutputKind::Texts,
            LeftKind::Texts(Encoding::Utf16) => OutputKind::WideTexts,
            LeftKind::Texts(Encoding::Utf32) => OutputKind::Utf32Texts,
            LeftKind::Texts(Encoding::Latin1) => OutputKind::Latin1Texts,
            LeftKind::Texts(Encoding::Bytes) => OutputKind::ByteTexts,
            LeftKind::Bools => OutputKind::Bools,
            LeftKind::Elements(number) => OutputKind::Elements(kind(number)?),
            LeftKind::Offset { of, size } => OutputKind::Offset { of: of as u16, size: size as u16 },
        };
        let name = function.params[left.param].name.clone().leak();
        Some(OutputField { name, offset: left.offset as u16, kind })
    };
    function.left(&interface.target).into_iter().filter_map(field).collect()
}

fn handle(interface: &Interface, name: &str) -> HandleType {
    let by = interface.handles.get(name).and_then(|it| it.release.as_ref());
    HandleType { name: name.to_owned().leak(), release: by.and_then(|by| release(interface, by)) }
}

/// A call of the function of this name for the object it consumes.
fn release(interface: &Interface, name: &str) -> Option<Release> {
    let (index, function) = interface.function(name)?;
    let consumed = function.params.iter().enumerate().find_map(|(position, param)| match param.role.value {
        Role::Handle { consumed: true, .. } => Some((position, 0)),
        Role::Resident { consumed: true, .. } => Some((position, HANDLE_ALONE)),
        _ => None,
    });
    let (position, image) = consumed?;
    let field = function.layout.args.field(Carries::Param { index: position })?;
    Some(Release { function: index, offset: field.offset as u16, image })
}

fn kind(kind: WireKind) -> Option<Kind> {
    match kind {
        WireKind::U8 => Some(Kind::U8),
        WireKind::U16 => Some(Kind::U16),
        WireKind::U32 => Some(Kind::U32),
        WireKind::U64 => Some(Kind::U64),
        WireKind::I8 => Some(Kind::I8),
        WireKind::I16 => Some(Kind::I16),
        WireKind::I32 => Some(Kind::I32),
        WireKind::I64 => Some(Kind::I64),
        WireKind::F32 => Some(Kind::F32),
        WireKind::F64 => Some(Kind::F64),
        WireKind::Reference => None,
    }
}
