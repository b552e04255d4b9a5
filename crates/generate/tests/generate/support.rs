//! Interfaces by hand.

use hotcell_model::evidence::Fact;
use hotcell_model::expr::{Expr, Op};
use hotcell_model::fingerprint::Fingerprint;
use hotcell_model::interface::{
    Capacity, Encoding, ErrorRule, FORMAT, Fails, Function, Interface, Ownership, Param, ResultLength,
    ResultRole, Role, Source, Threads, Unit,
};
use hotcell_model::layout::{Block, Layout};
use hotcell_model::types::{CType, Target, Type};

/// A type from its canonical spelling.
pub(crate) fn c(text: &str) -> CType {
    let kind = if let Some(pointee) = text.trim_end_matches("const").strip_suffix('*') {
        let pointee = pointee.trim_end();
        let constant = pointee.ends_with("const") || pointee.starts_with("const ") && !pointee.ends_with('*');
        Type::Pointer { pointee: Box::new(c(pointee)), constant }
    } else {
        let int = |bits, signed| Type::Int { bits, signed };
        match text.trim_start_matches("const ") {
            "void" => Type::Void,
            "_Bool" => Type::Bool,
            "char" => Type::Char,
            "signed char" => int(8, true),
            "unsigned char" => int(8, false),
            "short" => int(16, true),
            "unsigned short" => int(16, false),
            "int" => int(32, true),
            "unsigned int" => int(32, false),
            "long" | "long long" => int(64, true),
            "unsigned long" | "unsigned long long" => int(64, false),
            "float" => Type::Float { bits: 32 },
            "double" => Type::Float { bits: 64 },
            "enum fx_color" => Type::Enum { name: "fx_color".into(), bits: 32, signed: false },
            "enum fx_sign" => Type::Enum { name: "fx_sign".into(), bits: 32, signed: true },
            "enum cl_kind" => Type::Enum { name: "cl_kind".into(), bits: 32, signed: false },
            "enum rc_style" => Type::Enum { name: "rc_style".into(), bits: 32, signed: false },
            "fx_mode" => Type::Enum { name: "fx_mode".into(), bits: 32, signed: false },
            other => match other.strip_prefix("struct ") {
                Some(name) => Type::Record { name: name.into() },
                None => panic!("the tests do not know `{other}`"),
            },
        }
    };
    CType { written: text.into(), canonical: text.into(), kind }
}

/// A parameter.
pub(crate) fn p(name: &str, ty: &str, role: Role) -> Param {
    Param { name: name.into(), ty: c(ty), role: Fact::proven(role) }
}

/// A function with its layout; the result is a value, or nothing for `void`.
pub(crate) fn f(result: &str, name: &str, params: Vec<Param>) -> Function {
    let role = if result == "void" { ResultRole::Void } else { ResultRole::Value };
    Function {
        name: name.into(),
        doc: None,
        signature: signature(result, name, &params),
        params,
        result: Fact::proven(role),
        result_type: c(result),
        error: None,
        deadline_ms: None,
        idempotent: false,
        noreturn: false,
        inline: false,
        requires: None,
        cancel: None,
        keeps: Vec::new(),
        layout: Layout::default(),
        fingerprint: Fingerprint::default(),
    }
}

fn signature(result: &str, name: &str, params: &[Param]) -> String {
    let gap = |ty: &str| if ty.ends_with('*') { "" } else { " " };
    let param = |p: &Param| format!("{}{}{}", p.ty.written, gap(&p.ty.written), p.name);
    let params: Vec<String> = params.iter().map(param).collect();
    let params = if params.is_empty() { "void".into() } else { params.join(", ") };
    format!("{result}{}{name}({params})", gap(result))
}

/// What the tests say about a function behind its parameters.
pub(crate) trait With {
    fn result(self, role: ResultRole) -> Self;
    fn fails(self, fails: Fails) -> Self;
    fn message(self, message: Expr) -> Self;
    fn code(self, code: Expr) -> Self;
    fn doc(self, text: &str) -> Self;
}

impl With for Function {
    fn result(mut self, role: ResultRole) -> Self {
        self.result = Fact::decided(role, 1);
        self
    }

    fn fails(mut self, fails: Fails) -> Self {
        self.error = Some(Fact::decided(
            ErrorRule { fails, told_by: None, message: None, code: None, symbols: None },
            1,
        ));
        self
    }

    fn message(mut self, message: Expr) -> Self {
        self.error.as_mut().expect("an error rule comes first").value.message = Some(message);
        self
    }

    fn code(mut self, code: Expr) -> Self {
        self.error.as_mut().expect("an error rule comes first").value.code = Some(code);
        self
    }

    fn doc(mut self, text: &str) -> Self {
        self.doc = Some(text.into());
        self
    }
}

/// An interface with layouts and fingerprints as the contract crate would fill them in.
pub(crate) fn interface(library: &str, header: &str, soname: &str, functions: Vec<Function>) -> Interface {
    let mut interface = Interface {
        format: FORMAT,
        library: library.into(),
        target: Target { triple: "x86_64-pc-linux-gnu".into(), pointer_bits: 64, char_signed: true },
        source: Source { headers: vec![header.into()], ..Source::default() },
        link: vec![soname.into()],
        threads: Threads::default(),
        functions,
        init: Vec::new(),
        shutdown: Vec::new(),
        health: Vec::new(),
        abi: Vec::new(),
        any_layout: false,
        sandbox: Default::default(),
        guard: Default::default(),
        recycle: Default::default(),
        tries: None,
        leaves: Default::default(),
        handles: Default::default(),
        structs: Default::default(),
        symbols: Default::default(),
        records: Default::default(),
        enums: Default::default(),
        constants: Default::default(),
        left_out: Vec::new(),
        fingerprint: Fingerprint::default(),
    };
    refresh(&mut interface);
    interface
}

/// Computes layouts and fingerprints anew.
pub(crate) fn refresh(interface: &mut Interface) {
    for function in &mut interface.functions {
        for param in &mut function.params {
            if let Role::Callback { callback, .. } = &mut param.role.value {
                callback.args = Block::of_callback(&callback.params, &interface.target).unwrap();
            }
        }
        let rule = function.error.as_ref().map(|fact| &fact.value);
        let (params, result) = (&function.params, &function.result.value);
        function.layout = Layout::of(params, result, &function.result_type, rule, &interface.target).unwrap();
        function.fingerprint = Fingerprint::of_function(function);
    }
    interface.fingerprint = Fingerprint::of_interface(interface);
}

pub(crate) fn value() -> Role {
    Role::Value
}

pub(crate) fn text(nullable: bool) -> Role {
    Role::Text { encoding: Encoding::Utf8, nullable }
}

pub(crate) fn buffer(nullable: bool) -> Role {
    Role::BufferIn { nullable, length: None }
}

pub(crate) fn buffer_of(length: Expr) -> Role {
    Role::BufferIn { nullable: false, length: Some(length) }
}

pub(crate) fn inout(result: ResultLength) -> Role {
    Role::BufferInOut { nullable: true, length: None, result, valid_on_error: false }
}

pub(crate) fn out(capacity: Capacity, result: ResultLength) -> Role {
    Role::BufferOut { capacity, result, valid_on_error: false }
}

pub(crate) fn sized(size: Expr) -> Capacity {
    Capacity::Elements { size }
}

pub(crate) fn length_of(param: usize) -> Role {
    Role::LengthOf { param, unit: Unit::Elements }
}

pub(crate) fn capacity_of(param: usize) -> Role {
    Role::CapacityOf { param, unit: Unit::Elements }
}

pub(crate) fn length_pointer_of(param: usize) -> Role {
    Role::LengthPointerOf { param, unit: Unit::Elements }
}

pub(crate) fn text_result(nullable: bool, release: Option<&str>) -> ResultRole {
    let ownership = match release {
        Some(release) => Ownership::Owned { release: release.into() },
        None => Ownership::Library,
    };
    ResultRole::Text { encoding: Encoding::Utf8, length: None, nullable, ownership }
}

pub(crate) fn param(index: usize) -> Expr {
    Expr::Param { index }
}

pub(crate) fn int(value: i128) -> Expr {
    Expr::Int { value }
}

pub(crate) fn call(function: &str, args: Vec<Expr>) -> Expr {
    Expr::Call { function: function.into(), args }
}

pub(crate) fn binary(left: Expr, op: Op, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}
