//! The reply, through which callbacks hand back more than a number.

use std::{collections::BTreeMap, ffi::c_char, sync::Arc, time::Duration};

use ha_core::{
    host::{Configuration as Configured, HostFigures, JobId, UnmanagedGuest},
    id::NodeName,
    status::{ExitCode, LrmStatus, ManagerStatus},
};

use crate::{
    answer::ha_answer,
    boundary::{Call, call},
    configuration::{Configuration, ha_configuration},
    failure::{Failure, ha_status},
    handles::{self, Handle},
    lrm_status::{self, ha_lrm_status},
    manager_status::{self, ha_manager_status},
    records::unreadable,
    usage::ha_usage,
};

/// Through which a callback hands back what does not fit into a number. It holds until the callback returns. If something that is handed
/// back is refused, the callback has failed, whatever it answers.
pub struct ha_reply {
    _private: [u8; 0],
}

/// What a callback has handed back. Behind a `ha_reply`.
#[derive(Default)]
pub(crate) struct Reply {
    pub(crate) error: Option<String>,
    /// Why something that was handed back was refused: then the answer must not be trusted, whatever it says.
    pub(crate) refused: Option<String>,
    pub(crate) texts: Vec<String>,
    pub(crate) json: Option<String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) members: BTreeMap<NodeName, bool>,
    pub(crate) manager_status: Option<Arc<ManagerStatus>>,
    pub(crate) lrm_status: Option<Arc<LrmStatus>>,
    pub(crate) configuration: Option<Configured>,
    pub(crate) unmanaged: Vec<UnmanagedGuest>,
    pub(crate) usage: Option<HostFigures>,
    pub(crate) jobs: Vec<(JobId, ExitCode)>,
    pub(crate) exit_code: Option<ExitCode>,
    pub(crate) seconds: Option<Duration>,
}

impl Handle for Reply {
    const NAME: &'static str = "ha_reply";
}

impl Reply {
    /// Whether a record or a text was handed back.
    pub(crate) fn has_something(&self) -> bool {
        !self.texts.is_empty() || self.json.is_some() || self.manager_status.is_some() || self.lrm_status.is_some()
    }

    /// The manager status that was handed back.
    pub(crate) fn take_manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, Failure> {
        match &self.json {
            Some(json) => ManagerStatus::from_json(json).map(|read| Some(Arc::new(read))).map_err(|e| unreadable(&e)),
            None => Ok(self.manager_status.take()),
        }
    }

    /// The LRM status that was handed back.
    pub(crate) fn take_lrm_status(&mut self) -> Result<Option<Arc<LrmStatus>>, Failure> {
        match &self.json {
            Some(json) => LrmStatus::from_json(json).map(|read| Some(Arc::new(read))).map_err(|e| unreadable(&e)),
            None => Ok(self.lrm_status.take()),
        }
    }
}

/// Hands something back. What is refused fails the callback: what it wanted to say has not arrived.
fn hand_back(reply: *mut ha_reply, add: impl FnOnce(&mut Reply) -> Result<(), Failure>) -> Result<ha_status, Failure> {
    let mut reply = handles::take::<_, Reply>(reply)?;
    match add(&mut reply) {
        Ok(()) => Call::done(),
        Err(failure) => {
            reply.refused.get_or_insert_with(|| failure.message().to_owned());
            Err(failure)
        }
    }
}

/// 1 or 0. Everything else is refused: what is not a clear yes is not a no that a node could be fenced for.
fn yes_or_no(what: &str, number: i32) -> Result<bool, Failure> {
    match number {
        1 => Ok(true),
        0 => Ok(false),
        other => Err(Failure::argument(format!("{what} has to be 1 or 0, not {other}"))),
    }
}

/// Says why the call fails. Answer HA_ANSWER_FAILED then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_error(reply: *mut ha_reply, message: *const c_char, length: usize) -> ha_status {
    call!(std::ptr::null_mut(), |call| {
        let message = String::from_utf8_lossy(call.bytes(message, length)?).into_owned();
        handles::take::<_, Reply>(reply)?.error = Some(message);
        Call::done()
    })
}

/// Hands back a text. For a list, call it once for each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_text(reply: *mut ha_reply, text: *const c_char, length: usize) -> ha_status {
    call!(std::ptr::null_mut(), |call| {
        hand_back(reply, |reply| {
            reply.texts.push(call.text(text, length)?.to_owned());
            Ok(())
        })
    })
}

/// Hands back a record as JSON: that of read_manager_status or read_lrm_status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_json(reply: *mut ha_reply, json: *const c_char, length: usize) -> ha_status {
    call!(std::ptr::null_mut(), |call| {
        hand_back(reply, |reply| {
            reply.json = Some(call.text(json, length)?.to_owned());
            Ok(())
        })
    })
}

/// Hands back bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_bytes(reply: *mut ha_reply, bytes: *const c_char, length: usize) -> ha_status {
    call!(std::ptr::null_mut(), |call| {
        hand_back(reply, |reply| {
            reply.bytes = call.bytes(bytes, length)?.to_owned();
            Ok(())
        })
    })
}

/// Hands back a member of the cluster. online: 1 if it is in this node's quorate partition, 0 if not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_member(
    reply: *mut ha_reply,
    node: *const c_char,
    node_length: usize,
    online: i32,
) -> ha_status {
    call!(std::ptr::null_mut(), |call| {
        hand_back(reply, |reply| {
            reply.members.insert(call.node(node, node_length)?, yes_or_no("online", online)?);
            Ok(())
        })
    })
}

/// Hands back a manager status. The handle stays the caller's; the record is shared, not copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_manager_status(reply: *mut ha_reply, status: *const ha_manager_status) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        hand_back(reply, |reply| {
            reply.manager_status = Some(manager_status::read(status)?.keep());
            Ok(())
        })
    })
}

/// Hands back an LRM status. The handle stays the caller's; the record is shared, not copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_lrm_status(reply: *mut ha_reply, status: *const ha_lrm_status) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        hand_back(reply, |reply| {
            reply.lrm_status = Some(lrm_status::read(status)?.keep());
            Ok(())
        })
    })
}

/// Hands back the configuration. The handle stays the caller's; its parts are shared, not copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_configuration(
    reply: *mut ha_reply,
    configuration: *const ha_configuration,
) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        hand_back(reply, |reply| {
            reply.configuration = Some(handles::read::<_, Configuration>(configuration)?.shared());
            Ok(())
        })
    })
}

/// Hands back a guest that HA does not manage. running: 1 if it runs, 0 if not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_unmanaged(
    reply: *mut ha_reply,
    sid: *const c_char,
    sid_length: usize,
    node: *const c_char,
    node_length: usize,
    running: i32,
) -> ha_status {
    call!(std::ptr::null_mut(), |call| {
        hand_back(reply, |reply| {
            let (sid, node) = (call.sid(sid, sid_length)?, call.node(node, node_length)?);
            reply.unmanaged.push(UnmanagedGuest { sid, node, running: yes_or_no("running", running)? });
            Ok(())
        })
    })
}

/// Hands back figures. The handle stays the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_usage(reply: *mut ha_reply, usage: *const ha_usage) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        hand_back(reply, |reply| {
            reply.usage = Some(handles::read::<_, HostFigures>(usage)?.clone());
            Ok(())
        })
    })
}

/// Hands back a time in seconds, 0 or more, for job_time_limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_seconds(reply: *mut ha_reply, seconds: f64) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        hand_back(reply, |reply| {
            let time = Duration::try_from_secs_f64(seconds);
            reply.seconds = Some(time.map_err(|_| Failure::argument(format!("{seconds} is no time in seconds")))?);
            Ok(())
        })
    })
}

/// How a job ended, from C. An exit code of 0 alone is no success: it may be there by accident.
fn ended(worked: i32, exit_code: i32) -> ExitCode {
    match ExitCode(exit_code) {
        ExitCode::SUCCESS if worked != ha_answer::HA_ANSWER_YES as i32 => ExitCode::ERROR,
        ExitCode::SUCCESS => ExitCode::SUCCESS,
        failure => failure,
    }
}

/// Hands back the end of a job, for finished_jobs. exit_code: see ha_exit_code.
///
/// worked: HA_ANSWER_YES if it worked, HA_ANSWER_NO if not. HA_EXIT_SUCCESS, which is 0, counts only together with HA_ANSWER_YES;
/// with everything else it is taken for HA_EXIT_ERROR, since a 0 is easily there by accident, and a move that is taken for
/// done could make a service run twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_job(reply: *mut ha_reply, id: u64, worked: i32, exit_code: i32) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::take::<_, Reply>(reply)?.jobs.push((JobId(id), ended(worked, exit_code)));
        Call::done()
    })
}

/// Hands back how a job ended that start_job has carried out at once. worked and exit_code: see ha_reply_job().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_reply_exit_code(reply: *mut ha_reply, worked: i32, exit_code: i32) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::take::<_, Reply>(reply)?.exit_code = Some(ended(worked, exit_code));
        Call::done()
    })
}
