//! cJSON, called in this process.

use std::ffi::{CStr, CString, c_char, c_double, c_int, c_void};
use std::ptr::NonNull;

/// `cJSON`, of which nothing is looked at.
#[repr(C)]
struct Item {
    _opaque: [u8; 0],
}

#[link(name = "cjson")]
unsafe extern "C" {
    fn cJSON_ParseWithLength(value: *const c_char, buffer_length: usize) -> *mut Item;
    fn cJSON_Delete(item: *mut Item);
    fn cJSON_GetArrayItem(array: *const Item, index: c_int) -> *mut Item;
    fn cJSON_GetObjectItem(object: *const Item, string: *const c_char) -> *mut Item;
    fn cJSON_CreateNumber(num: c_double) -> *mut Item;
    fn cJSON_ReplaceItemInObject(object: *mut Item, string: *const c_char, newitem: *mut Item) -> c_int;
    fn cJSON_PrintUnformatted(item: *const Item) -> *mut c_char;
    fn cJSON_free(object: *mut c_void);
}

/// A tree that `cJSON_ParseWithLength` made, until it is dropped.
pub struct Document(NonNull<Item>);

impl Document {
    /// `cJSON_ParseWithLength`; nothing when the text is not JSON.
    pub fn parse(text: &str) -> Option<Document> {
        // SAFETY: the pointer and the length are those of one text, which is only read.
        NonNull::new(unsafe { cJSON_ParseWithLength(text.as_ptr().cast(), text.len()) }).map(Document)
    }

    /// `cJSON_ReplaceItemInObject` in the object at `index` of the array `list`; whether there is all that.
    pub fn replace_number(&mut self, list: &CStr, index: i32, name: &CStr, number: f64) -> bool {
        // SAFETY: the tree is alive; a child that is not there is null, which the next function answers with null.
        let object =
            unsafe { cJSON_GetArrayItem(cJSON_GetObjectItem(self.0.as_ptr(), list.as_ptr()), index) };
        // SAFETY: only a number is passed.
        let item = unsafe { cJSON_CreateNumber(number) };
        // SAFETY: `object` is null, which is refused, or a part of the tree that nobody else holds; `item` is new.
        let replaced = unsafe { cJSON_ReplaceItemInObject(object, name.as_ptr(), item) } != 0;
        if !replaced {
            // SAFETY: what was not put into a tree is still this function's.
            unsafe { cJSON_Delete(item) };
        }
        replaced
    }

    /// `cJSON_PrintUnformatted`; nothing when there is no memory.
    pub fn print(&self) -> Option<CString> {
        // SAFETY: the tree is alive, and only read.
        let text = NonNull::new(unsafe { cJSON_PrintUnformatted(self.0.as_ptr()) })?;
        // SAFETY: what was printed is a terminated text, and this function's.
        let copy = unsafe { CStr::from_ptr(text.as_ptr()) }.to_owned();
        // SAFETY: it is released once, and with the function that goes with its allocator.
        unsafe { cJSON_free(text.as_ptr().cast()) };
        Some(copy)
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        // SAFETY: the tree is this value's, and nothing that was lent from it is left.
        unsafe { cJSON_Delete(self.0.as_ptr()) };
    }
}
