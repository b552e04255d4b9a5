//! The only unsafe code here: functions that Python calls by vectorcall, memory that it lends, and its lock.
//!
//! The type of functions is made by hand, since no macro makes one whose objects hold what to call. Everything else stands on what
//! this module promises to be safe.

pub(crate) mod buffer;
pub(crate) mod ends;

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyDict, PyString, PyTuple, PyType};
use pyo3::{Borrowed, ffi};

use crate::ending;
use crate::function::Function;

/// How Python calls an object that has a place for such a pointer.
type Vectorcall = unsafe extern "C" fn(
    *mut ffi::PyObject,
    *const *mut ffi::PyObject,
    usize,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// Says that objects of a type have such a place: part of the stable interface since 3.12, and the same number before.
const HAVE_VECTORCALL: c_uint = 1 << 11;
/// Says that an object that is found in a class may be called with the object before its arguments, unbound.
const METHOD_DESCRIPTOR: c_uint = 1 << 17;
/// In the number of arguments: the place before the first may be written.
const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);
/// The kind of a member that is a `Py_ssize_t`, and that it cannot be written.
const T_PYSSIZET: c_int = 19;
const READONLY: c_int = 1;

/// A function as Python has it.
#[repr(C)]
struct Object {
    base: ffi::PyObject,
    vectorcall: Vectorcall,
    /// From `Box::into_raw`; never null, and freed with the object.
    function: *mut Function,
}

/// The arguments of a call, borrowed of the caller for its time.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a, 'py> {
    py: Python<'py>,
    all: &'a [*mut ffi::PyObject],
    positional: usize,
    names: Option<Borrowed<'a, 'py, PyTuple>>,
}

impl<'a, 'py> Arguments<'a, 'py> {
    /// How many have no name.
    pub(crate) fn positional(&self) -> usize {
        self.positional
    }

    /// One of those.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Borrowed<'a, 'py, PyAny> {
        // SAFETY: `all` is of objects that are owned for `'a`. `Arguments` are only made in `vectorcall`, whose caller owns them until it
        // returns, and in `with_arguments`, which owns them itself; both pass them to what is to take them for any `'a`, so that nothing
        // of them can be kept.
        unsafe { Borrowed::from_ptr(self.py, self.all[index]) }
    }

    /// Those that have a name.
    pub(crate) fn names(&self) -> Option<Borrowed<'a, 'py, PyTuple>> {
        self.names
    }

    /// The value of a name, by the position of that.
    pub(crate) fn named(&self, position: usize) -> Borrowed<'a, 'py, PyAny> {
        self.get(self.positional + position)
    }
}

/// Makes a function of Python.
pub(crate) fn function_object(py: Python<'_>, function: Function) -> PyResult<Py<PyAny>> {
    let ty = function_type(py, function.is_unbound())?;
    // SAFETY: the type was made below, with room for an `Object`, and has no other allocator than the default one. The object that
    // comes is new, and nobody else has it before its two fields are written.
    unsafe {
        let object = ffi::PyType_GenericAlloc(ty.as_ptr().cast(), 0);
        if object.is_null() {
            return Err(PyErr::fetch(py));
        }
        let own = object.cast::<Object>();
        ptr::addr_of_mut!((*own).vectorcall).write(vectorcall);
        ptr::addr_of_mut!((*own).function).write(Box::into_raw(Box::new(function)));
        Ok(Bound::from_owned_ptr(py, object).unbind())
    }
}

/// The function behind an object, if it is one.
pub(crate) fn function_of<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a Function> {
    let (py, own) = (object.py(), object.get_type());
    let known = [false, true].into_iter().any(|binds| function_type(py, binds).is_ok_and(|ty| own.is(ty)));
    // SAFETY: an object of exactly one of these types was made by `function_object`: nobody can make another, for the types are final
    // and have no `tp_new`. The function lives as long as the object, which is borrowed for `'a`.
    known.then(|| unsafe { &*(*object.as_ptr().cast::<Object>()).function })
}

/// The type of functions, or that of those which are bound to an object when they are found in its class.
fn function_type(py: Python<'_>, binds: bool) -> PyResult<&Bound<'_, PyType>> {
    static TYPES: [PyOnceLock<Py<PyType>>; 2] = [PyOnceLock::new(), PyOnceLock::new()];
    TYPES[usize::from(binds)].get_or_try_init(py, || make_type(py, binds)).map(|ty| ty.bind(py))
}

fn make_type(py: Python<'_>, binds: bool) -> PyResult<Py<PyType>> {
    let member = |name: *const c_char| ffi::PyMemberDef {
        name,
        type_code: T_PYSSIZET,
        offset: std::mem::offset_of!(Object, vectorcall) as ffi::Py_ssize_t,
        flags: READONLY,
        doc: ptr::null(),
    };
    // The type refers to its members, its methods, and to what it gets, for as long as it lives, which is until the process ends.
    let members: &'static mut [ffi::PyMemberDef] =
        Box::leak(Box::new([member(c"__vectorcalloffset__".as_ptr()), ffi::PyMemberDef::default()]));
    // `help` asks for it where no type is asked.
    let own_doc = ffi::PyGetSetDef { name: c"__doc__".as_ptr(), get: Some(doc), ..Default::default() };
    let gets: &'static mut [ffi::PyGetSetDef] = Box::leak(Box::new([own_doc, ffi::PyGetSetDef::default()]));
    let method = |name: *const c_char, run: ffi::PyCFunction, flags| ffi::PyMethodDef {
        ml_name: name,
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: run },
        ml_flags: flags,
        ml_doc: ptr::null(),
    };
    let methods: &'static mut [ffi::PyMethodDef] = Box::leak(Box::new([
        method(c"__reduce__".as_ptr(), reduce, ffi::METH_NOARGS),
        // A copy is the function itself, as of any other of Python.
        method(c"__copy__".as_ptr(), copy, ffi::METH_NOARGS),
        method(c"__deepcopy__".as_ptr(), copy, ffi::METH_O),
        ffi::PyMethodDef::zeroed(),
    ]));
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    let mut slots = vec![
        slot(ffi::Py_tp_dealloc, dealloc as unsafe extern "C" fn(_) as *mut c_void),
        // As of a tuple, nothing is cleared: no cycle is made of functions alone.
        slot(ffi::Py_tp_traverse, traverse as unsafe extern "C" fn(_, _, _) -> _ as *mut c_void),
        slot(ffi::Py_tp_call, call as unsafe extern "C" fn(_, _, _) -> _ as *mut c_void),
        slot(ffi::Py_tp_repr, repr as unsafe extern "C" fn(_) -> _ as *mut c_void),
        slot(ffi::Py_tp_getattro, getattro as unsafe extern "C" fn(_, _) -> _ as *mut c_void),
        slot(ffi::Py_tp_methods, methods.as_mut_ptr().cast()),
        slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
        slot(ffi::Py_tp_getset, gets.as_mut_ptr().cast()),
    ];
    let found: unsafe extern "C" fn(_, _, _) -> _ = if binds { bind } else { itself };
    slots.push(slot(ffi::Py_tp_descr_get, found as *mut c_void));
    slots.push(slot(0, ptr::null_mut()));
    let mut spec = ffi::PyType_Spec {
        name: if binds { c"hotcell.Method" } else { c"hotcell.Function" }.as_ptr(),
        basicsize: size_of::<Object>() as c_int,
        itemsize: 0,
        flags: (ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION)
            as c_uint
            | HAVE_VECTORCALL
            | if binds { METHOD_DESCRIPTOR } else { 0 },
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the specification and its slots are copied by this call, but for what is leaked above, and the name, which is
    // a constant. Each slot has a function of the signature that its number asks for.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&mut spec)) }
        .and_then(|ty| ty.cast_into::<PyType>().map_err(PyErr::from))
        .map(Bound::unbind)
}

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: Python frees an object once, with its lock, when nobody has it; its function is its own. An object of a heap type holds
    // a reference to its type.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        ffi::PyObject_GC_UnTrack(object.cast());
        let mut function = Box::from_raw((*object.cast::<Object>()).function);
        let session = function.session.take();
        attached(|_| drop(function));
        if session.is_some() {
            let_go(session);
        }
        ffi::PyObject_GC_Del(object.cast());
        ffi::Py_DecRef(ty.cast());
    }
}

unsafe extern "C" fn traverse(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: Python calls this with an object of the type, and with its lock; none but references that the object owns are visited,
    // and no count is changed. A function that is not written yet is null, as the allocator leaves it.
    unsafe {
        let stopped = visit(ffi::Py_TYPE(object).cast(), argument);
        let own = (*object.cast::<Object>()).function.as_ref().and_then(|function| function.own.as_ref());
        match own {
            Some(own) if stopped == 0 => visit(own.as_ptr(), argument),
            _ => stopped,
        }
    }
}

unsafe extern "C" fn vectorcall(
    object: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let positional = count & !ARGUMENTS_OFFSET;
    // SAFETY: the object is a function of this module, for only those have this pointer.
    let plain = unsafe { (*(*object.cast::<Object>()).function).is_plain() };
    guarded(plain, |py| {
        // SAFETY: by the protocol of vectorcall `names` is a tuple or null, and behind `arguments` are as many objects as `positional`
        // says and as `names` has. The object is as above.
        let (function, all, names) = unsafe {
            let names = Borrowed::from_ptr_or_opt(py, names).map(|names| names.cast_unchecked::<PyTuple>());
            let all = positional + names.map_or(0, |names| names.len());
            let all = if all == 0 { &[] } else { std::slice::from_raw_parts(arguments, all) };
            (&*(*object.cast::<Object>()).function, all, names)
        };
        function.call(py, Arguments { py, all, positional, names })
    })
}

unsafe extern "C" fn call(
    object: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    named: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guarded(false, |py| {
        // SAFETY: Python calls this with a tuple, and with a dictionary or null.
        let (arguments, named) = unsafe {
            let named = Borrowed::from_ptr_or_opt(py, named).map(|named| named.cast_unchecked::<PyDict>());
            (Borrowed::from_ptr(py, arguments).cast_unchecked::<PyTuple>(), named)
        };
        // SAFETY: as of `vectorcall`.
        let function = unsafe { &*(*object.cast::<Object>()).function };
        with_arguments(&arguments, named.as_deref(), |given| function.call(py, given))
    })
}

/// Arguments of a tuple and a dictionary, which hold them meanwhile.
pub(crate) fn with_arguments<R>(
    arguments: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
    run: impl FnOnce(Arguments<'_, '_>) -> PyResult<R>,
) -> PyResult<R> {
    let py = arguments.py();
    let mut all: Vec<Bound<'_, PyAny>> = arguments.iter().collect();
    let positional = all.len();
    let mut names = Vec::new();
    for (name, value) in named.into_iter().flat_map(|named| named.iter()) {
        names.push(name);
        all.push(value);
    }
    let names = PyTuple::new(py, names)?;
    let pointers: Vec<*mut ffi::PyObject> = all.iter().map(|it| it.as_ptr()).collect();
    let names = (!names.is_empty()).then(|| names.as_borrowed());
    let done = run(Arguments { py, all: &pointers, positional, names });
    drop(all);
    done
}

unsafe extern "C" fn repr(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    guarded(false, |py| {
        // SAFETY: Python calls this with an object of the type.
        let function = unsafe { &*(*object.cast::<Object>()).function };
        Ok(function.repr().into_pyobject(py)?.into_any().unbind())
    })
}

unsafe extern "C" fn doc(object: *mut ffi::PyObject, _closure: *mut c_void) -> *mut ffi::PyObject {
    guarded(false, |py| {
        // SAFETY: as of `repr`.
        let function = unsafe { &*(*object.cast::<Object>()).function };
        Ok(PyString::new(py, &function.plan.doc).into_any().unbind())
    })
}

unsafe extern "C" fn reduce(object: *mut ffi::PyObject, _nothing: *mut ffi::PyObject) -> *mut ffi::PyObject {
    guarded(false, |py| {
        // SAFETY: Python calls a method of the type with an object of it.
        let function = unsafe { &*(*object.cast::<Object>()).function };
        function.reduced(py)
    })
}

unsafe extern "C" fn copy(object: *mut ffi::PyObject, _memo: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as of `itself`.
    unsafe { ffi::Py_NewRef(object) }
}

unsafe extern "C" fn getattro(object: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    guarded(false, |py| {
        // SAFETY: Python calls this with an object of the type, and a name.
        let (own, wanted) = unsafe { (Borrowed::from_ptr(py, object), Borrowed::from_ptr(py, name)) };
        // SAFETY: as above.
        let function = unsafe { &*(*object.cast::<Object>()).function };
        // Half of a pair of surrogates is no name of anything here.
        let found = wanted.extract::<String>().map_or(Ok(None), |name| function.attribute(&own, &name));
        match found? {
            Some(found) => Ok(found),
            // SAFETY: as above; a new object or null comes back.
            None => unsafe {
                Bound::from_owned_ptr_or_err(py, ffi::PyObject_GenericGetAttr(object, name))
                    .map(Bound::unbind)
            },
        }
    })
}

/// Any other is what it is, wherever it is found. That it may be asked makes it a routine for `help`.
unsafe extern "C" fn itself(
    object: *mut ffi::PyObject,
    _instance: *mut ffi::PyObject,
    _class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: Python calls this with an object of the type, and with its lock. What comes back is a reference of its own.
    unsafe { ffi::Py_NewRef(object) }
}

/// A function that is found through an object of its class is bound to that.
unsafe extern "C" fn bind(
    object: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    _class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guarded(false, |py| {
        // SAFETY: Python calls this with an object of the type, and another or null.
        let (own, instance) =
            unsafe { (Borrowed::from_ptr(py, object), Borrowed::from_ptr_or_opt(py, instance)) };
        match instance.filter(|instance| !instance.is_none()) {
            Some(instance) => crate::function::bound(&own, &instance),
            None => Ok((*own).clone().unbind()),
        }
    })
}

/// Runs what Python asks for: an error is raised, and a panic is one. What is plain drops no object of Python, and so need not be
/// told apart from what other threads drop.
fn guarded(plain: bool, run: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>>) -> *mut ffi::PyObject {
    let guarded = |py: Python<'_>| {
        let done = catch_unwind(AssertUnwindSafe(|| run(py)));
        let panicked = |_| Err(PySystemError::new_err("hotcell has panicked: this is a bug in it"));
        match done.unwrap_or_else(panicked) {
            Ok(object) => object.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    };
    match plain {
        // SAFETY: Python called, and so this thread has its lock.
        true => guarded(unsafe { Python::assume_attached() }),
        false => attached(guarded),
    }
}

/// Runs something in a function that Python calls, which has its lock.
fn attached<R>(run: impl FnOnce(Python<'_>) -> R) -> R {
    let mut run = Some(run);
    let done = Python::try_attach(|py| run.take().map(|run| run(py))).flatten();
    match (done, run) {
        (Some(done), _) => done,
        (None, Some(run)) => {
            // SAFETY: Python called, and so this thread has its lock; only that the interpreter is ending keeps it from being taken once
            // more.
            run(unsafe { Python::assume_attached() })
        }
        (None, None) => unreachable!("what was run is done"),
    }
}

/// Drops what belongs to the runtime, where Python lets go of an object: without its lock, for that may take as long as the library
/// wants.
pub(crate) fn let_go<T>(held: T) {
    let mut held = Some(held);
    Python::try_attach(|py| aside(py, || drop(held.take())));
    // Where the interpreter is ending there is no other thread to wait.
    drop(held);
}

/// What an object lends, if it lends anything. Where it does not, no exception is made only to be dropped.
pub(crate) fn buffer_of(object: &Bound<'_, PyAny>) -> Option<PyUntypedBuffer> {
    // SAFETY: the object is there for the call, which only looks at its type; a `Bound` says that this thread has the lock.
    let lends = unsafe { ffi::PyObject_CheckBuffer(object.as_ptr()) } == 1;
    if lends { PyUntypedBuffer::get(object).ok() } else { None }
}

/// The bytes of a buffer that Python lends, which lie one behind the other.
pub(crate) fn contents(buffer: &PyUntypedBuffer) -> &[u8] {
    debug_assert!(buffer.is_c_contiguous());
    if buffer.len_bytes() == 0 {
        return &[];
    }
    // SAFETY: the buffer is C-contiguous, and is lent until it is dropped. Of Python's own code nobody writes there while this thread has
    // the lock. Who writes without it (another process, NumPy in another thread) races with a copy of bytes, of which every value is
    // valid and none is judged: what is judged, truth values, is looked at in the copy.
    unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast(), buffer.len_bytes()) }
}

/// Writes into the first bytes of a buffer that Python lends for that. False where they are more than it has.
pub(crate) fn fill(buffer: &PyUntypedBuffer, data: &[u8]) -> bool {
    if buffer.readonly() || !buffer.is_c_contiguous() || data.len() > buffer.len_bytes() {
        return false;
    }
    // SAFETY: the buffer is writable, contiguous and long enough, and is lent until it is dropped. `data` is memory of this module.
    unsafe { ptr::copy_nonoverlapping(data.as_ptr(), buffer.buf_ptr().cast(), data.len()) };
    true
}

/// What is run without the lock, on the thread that let go of it.
struct Here<T>(T);

// SAFETY: `Python::detach` runs what it is given on this thread, before it returns. What the bound is to prevent is that objects of
// Python are used without its lock: what runs here waits for a worker, and takes the lock before it touches one.
unsafe impl<T> Send for Here<T> {}

impl<T> Here<T> {
    fn take(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Runs something without the lock of Python. It must not touch what belongs to Python without taking the lock.
pub(crate) fn aside<R>(py: Python<'_>, run: impl FnOnce() -> R) -> R {
    let mut here = Here((Some(run), None));
    py.detach(|| {
        let (run, result) = here.take();
        if let Some(run) = run.take() {
            *result = Some(run());
        }
    });
    here.0.1.expect("what is given to be run is run")
}

/// Gives back to Python what a signal raised and nobody can be told here: an interrupt comes once more, anything else is reported.
pub(crate) fn raise_later(raised: PyErr) {
    // Where the interpreter is ending nobody is interrupted.
    ending::attach(|py| match raised.is_instance_of::<PyKeyboardInterrupt>(py) {
        // SAFETY: it may be called at any time, and notes that the signal has come.
        true => unsafe { ffi::PyErr_SetInterrupt() },
        false => raised.write_unraisable(py, None),
    });
}

/// Runs the handlers of signals that came, and raises what they raise.
pub(crate) fn raise_signals(py: Python<'_>) -> PyResult<()> {
    py.check_signals()
}
