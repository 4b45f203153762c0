// SPDX-License-Identifier: MIT
//! counter.c in Rust. A panic must not leave a callback: `panic=abort` makes it a crash, which the
//! shim takes for what it is.
//!
//!     rustc --edition 2021 --crate-type cdylib -C panic=abort -o counter_rs.so counter.rs

use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int, c_void};

const HOOK_ABI: u32 = 1;
const PRIORITY_DEFAULT: i32 = 100;
const SCOPE_FAMILY: u32 = 0;
const PHASE_RUNNING: u32 = 0;
const LEVEL_INFO: c_int = 2;
const EINVAL: c_int = 22;

/// As in shim/fluxshim.h.
#[repr(C)]
pub struct FluxEvent {
    size: u32,
    phase: u32,
    connections_left: u64,
    elapsed_ms: u64,
    remaining_ms: u64,
    shutdown_ms: u64,
}

/// As in shim/fluxshim.h.
#[repr(C)]
pub struct FluxHook {
    abi: u32,
    size: u32,
    name: *const c_char,
    priority: i32,
    scope: u32,
    init: Option<unsafe extern "C" fn(*const c_char, *mut *mut c_void) -> c_int>,
    restore: Option<unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int>,
    event: Option<unsafe extern "C" fn(*mut c_void, *const FluxEvent)>,
    cleanup: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
    save: Option<unsafe extern "C" fn(*mut c_void, *mut c_char, u64) -> i64>,
}

// Nobody writes it, and its pointers are to constants.
unsafe impl Sync for FluxHook {}

extern "C" {
    fn flux_log(level: c_int, text: *const c_char);
}

struct Counter {
    starts: u32,
}

impl Counter {
    fn restore(&mut self, state: &str) -> Option<()> {
        let number = state.split(':').nth(1)?;
        self.starts = number.trim().strip_suffix('}')?.trim().parse().ok()?;
        Some(())
    }

    fn text(&self) -> CString {
        CString::new(format!("{{\"starts\":{}}}", self.starts)).expect("no NUL in it")
    }
}

unsafe fn counter_of<'a>(instance: *mut c_void) -> &'a mut Counter {
    &mut *instance.cast::<Counter>()
}

unsafe extern "C" fn init(_config: *const c_char, ret_instance: *mut *mut c_void) -> c_int {
    *ret_instance = Box::into_raw(Box::new(Counter { starts: 0 })).cast();
    0
}

unsafe extern "C" fn restore(instance: *mut c_void, state: *const c_char) -> c_int {
    let state = CStr::from_ptr(state).to_str().unwrap_or_default();
    counter_of(instance).restore(state).map_or(EINVAL, |()| 0)
}

unsafe extern "C" fn event(instance: *mut c_void, event: *const FluxEvent) {
    if (*event).phase == PHASE_RUNNING {
        counter_of(instance).starts += 1;
    }
}

unsafe extern "C" fn cleanup(instance: *mut c_void) -> c_int {
    let mut line = b"at the end ".to_vec();
    line.extend_from_slice(counter_of(instance).text().as_bytes());
    if let Ok(line) = CString::new(line) {
        flux_log(LEVEL_INFO, line.as_ptr());
    }
    0
}

unsafe extern "C" fn save(instance: *mut c_void, buffer: *mut c_char, size: u64) -> i64 {
    let text = counter_of(instance).text();
    let bytes = text.as_bytes_with_nul();
    if bytes.len() as u64 <= size {
        buffer.copy_from_nonoverlapping(bytes.as_ptr().cast(), bytes.len());
    }
    bytes.len() as i64 - 1
}

#[no_mangle]
#[allow(non_upper_case_globals)] // the name is the ABI's
pub static flux_hook: FluxHook = FluxHook {
    abi: HOOK_ABI,
    size: std::mem::size_of::<FluxHook>() as u32,
    name: b"counter_rs\0".as_ptr().cast(),
    priority: PRIORITY_DEFAULT,
    scope: SCOPE_FAMILY,
    init: Some(init),
    restore: Some(restore),
    event: Some(event),
    cleanup: Some(cleanup),
    save: Some(save),
};
