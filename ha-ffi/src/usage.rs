//! The figures of nodes and services.

use std::ffi::c_char;

use ha_core::host::{HostFigures, NodeFigures, ServiceFigures};

use crate::{
    boundary::{self, Call, call},
    error::ha_error,
    failure::ha_status,
    handles::{self, Handle},
};

/// The figures of nodes and services, for the schedulers that look at them.
pub struct ha_usage {
    _private: [u8; 0],
}

impl Handle for HostFigures {
    const NAME: &'static str = "ha_usage";
}

/// Makes an empty usage.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_usage_new(usage: *mut *mut ha_usage, error: *mut *mut ha_error) -> ha_status {
    call!(error, |call| { call.new_handle(usage, HostFigures::default()) })
}

/// Frees a usage. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_usage_free(usage: *mut ha_usage) -> ha_status {
    boundary::free::<_, HostFigures>(usage)
}

/// Tells the size of a node (cores, bytes of memory) and how much of it is in use, measured.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_usage_set_node(
    usage: *mut ha_usage,
    node: *const c_char,
    node_length: usize,
    max_cpu: f64,
    max_memory: u64,
    cpu: f64,
    memory: u64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let size = NodeFigures { max_cpu, max_memory, cpu, memory };
        handles::take::<_, HostFigures>(usage)?.nodes.insert(node, size);
        Call::done()
    })
}

/// Tells the size of a service (cores, 0 for no limit; bytes of memory) and how much it uses, measured.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_usage_set_service(
    usage: *mut ha_usage,
    sid: *const c_char,
    sid_length: usize,
    max_cpu: f64,
    max_memory: u64,
    cpu: f64,
    memory: u64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let size = ServiceFigures { max_cpu, max_memory, cpu, memory };
        handles::take::<_, HostFigures>(usage)?.services.insert(sid, size);
        Call::done()
    })
}
