//! Functions of the C interface that take text.

use std::ptr::null_mut;

use ha::{
    ha_command_check, ha_configuration, ha_configuration_free, ha_configuration_new, ha_configuration_read,
    ha_configuration_read_datacenter_json, ha_configuration_set_guest, ha_configuration_write, ha_error, ha_error_free,
    ha_lrm_status, ha_lrm_status_free, ha_lrm_status_from_json, ha_manager_status, ha_manager_status_free,
    ha_manager_status_from_json, ha_manager_status_to_json, ha_status, ha_text, ha_text_free,
};

/// The first byte says which file the rest is for where there are several.
pub(crate) fn texts(data: &[u8]) {
    let Some((file, data)) = data.split_first() else { return };
    configuration(i32::from(*file % 8), data);
    manager_status(data);
    lrm_status(data);
    command(data);
}

/// Frees an error, and checks that there is one exactly where a call failed.
fn settle(status: ha_status, error: &mut *mut ha_error) {
    assert!(status != ha_status::HA_ERROR_PANIC, "a panic inside of the C interface");
    assert!(status != ha_status::HA_OK || error.is_null());
    if !error.is_null() {
        ha_error_free(*error);
        *error = null_mut();
    }
}

fn configuration(file: i32, data: &[u8]) {
    let mut error: *mut ha_error = null_mut();
    let mut configuration: *mut ha_configuration = null_mut();
    let (bytes, length) = (data.as_ptr().cast(), data.len());
    let mut written = ha_text { data: null_mut(), length: 0 };
    // SAFETY: every pointer is to something that lives longer than its call, with the length that goes with it.
    unsafe {
        settle(ha_configuration_new(&raw mut configuration, &raw mut error), &mut error);
        settle(ha_configuration_read(configuration, file, bytes, length, &raw mut error), &mut error);
        settle(ha_configuration_read_datacenter_json(configuration, bytes, length, &raw mut error), &mut error);
        settle(ha_configuration_set_guest(configuration, bytes, length, bytes, length, &raw mut error), &mut error);
        settle(ha_configuration_write(configuration, file, &raw mut written, &raw mut error), &mut error);
        ha_text_free(&raw mut written);
    }
    ha_configuration_free(configuration);
}

fn manager_status(data: &[u8]) {
    let mut error: *mut ha_error = null_mut();
    let mut record: *mut ha_manager_status = null_mut();
    let mut json = ha_text { data: null_mut(), length: 0 };
    // SAFETY: as above.
    unsafe {
        let status = ha_manager_status_from_json(data.as_ptr().cast(), data.len(), &raw mut record, &raw mut error);
        settle(status, &mut error);
        settle(ha_manager_status_to_json(record, &raw mut json, &raw mut error), &mut error);
        ha_text_free(&raw mut json);
    }
    ha_manager_status_free(record);
}

fn lrm_status(data: &[u8]) {
    let mut error: *mut ha_error = null_mut();
    let mut record: *mut ha_lrm_status = null_mut();
    // SAFETY: as above.
    let status = unsafe { ha_lrm_status_from_json(data.as_ptr().cast(), data.len(), &raw mut record, &raw mut error) };
    settle(status, &mut error);
    ha_lrm_status_free(record);
}

fn command(data: &[u8]) {
    let mut error: *mut ha_error = null_mut();
    let mut plain = ha_text { data: null_mut(), length: 0 };
    // SAFETY: as above.
    unsafe {
        let status = ha_command_check(data.as_ptr().cast(), data.len(), &raw mut plain, &raw mut error);
        settle(status, &mut error);
        ha_text_free(&raw mut plain);
    }
}
