//! What one may, by the names that clients know.

use serde_json::{Map, Value, json};

use super::bit;
use crate::{
    access::{PRIVILEGES, Role},
    call::Call,
    wire::{Answer, Fault},
};

/// The privileges of a role, as an object.
pub(super) fn privileges(role: Role) -> Value {
    let granted = PRIVILEGES.iter().filter(|privilege| role.has(**privilege));
    Value::Object(granted.map(|privilege| (privilege.as_str().to_owned(), bit(true))).collect::<Map<_, _>>())
}

pub(super) fn permissions(call: &Call<'_>) -> Result<Answer, Fault> {
    let who = call.caller.name.split('!').next().unwrap_or_default();
    if call.parameters.get("userid").is_some_and(|user| user != who && user != call.caller.name) {
        return Err(Fault::parameter("userid", "bad_value", "only one's own permissions can be asked for"));
    }
    let path = call.parameters.get("path").unwrap_or("/");
    Ok(json!({path: privileges(call.caller.role)}).into())
}

/// What a login says of what one may.
pub(crate) fn capabilities(role: Role) -> Value {
    let privileges = privileges(role);
    json!({"access": {}, "dc": privileges, "nodes": privileges, "storage": {}, "sdn": {}, "mapping": {}, "vms": privileges})
}
