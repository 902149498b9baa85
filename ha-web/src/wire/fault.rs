//! Why a request was not answered with what it asked for.

use ha_core::config::{
    EditError,
    edit::{FaultKind, PropertyFault},
};
use ha_host::{
    desk::{NameError, Refusal},
    store::StoreError,
};

/// What kind of thing went wrong. Each part of the interface has a status of its own for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// The request is not as it must be; the faults say where.
    Malformed,
    /// Nobody is known by these credentials.
    Unauthenticated,
    /// The caller may not.
    Forbidden,
    /// There is nothing of this name.
    NotFound,
    /// There is no such path, or not by this method.
    NoSuchCall,
    /// The state of things forbids it.
    Conflict,
    /// It was changed by somebody else in the meantime.
    Changed,
    /// The body is too large.
    TooLarge,
    /// Too many wrong credentials.
    TooMany,
    /// The store gives no answer.
    Unavailable,
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterFault {
    /// The parameter.
    pub parameter: String,
    /// A stable word for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

/// Why a request was not answered with what it asked for. Nothing was changed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of thing went wrong.
    pub class: FaultClass,
    /// A stable word for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// The parameters at fault.
    pub parameters: Vec<ParameterFault>,
    /// After how many seconds it may be tried again, where that is known.
    pub retry_after_s: Option<u64>,
}

/// What every message about parameters begins with.
const PARAMETERS: &str = "Parameter verification failed.";

impl Fault {
    /// A fault of a class.
    #[must_use]
    pub fn new(class: FaultClass, code: &'static str, message: impl Into<String>) -> Self {
        Self { class, code, message: message.into(), parameters: Vec::new(), retry_after_s: None }
    }

    /// A fault of one parameter.
    #[must_use]
    pub fn parameter(parameter: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::parameters(vec![ParameterFault { parameter: parameter.into(), code, message: message.into() }])
    }

    /// Faults of parameters.
    #[must_use]
    pub fn parameters(parameters: Vec<ParameterFault>) -> Self {
        let mut fault = Self::new(FaultClass::Malformed, "bad_parameters", PARAMETERS);
        fault.parameters = parameters;
        fault
    }

    /// The state of things forbids it.
    #[must_use]
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(FaultClass::Conflict, code, message)
    }

    /// There is no such thing. `what` is what clients know it by: "resource", "ha group", "ha rule".
    #[must_use]
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(FaultClass::NotFound, "not_found", format!("no such {what} '{id}'"))
    }

    /// The caller lacks a privilege.
    #[must_use]
    pub fn lacks(privilege: &str) -> Self {
        Self::new(FaultClass::Forbidden, "forbidden", format!("Permission check failed (/, {privilege})"))
    }

    /// There is no such path, or not by this method.
    #[must_use]
    pub fn no_such_call(method: &str, path: &str) -> Self {
        Self::new(FaultClass::NoSuchCall, "no_such_call", format!("Method '{method} {path}' not implemented"))
    }

    /// An edit was refused. `id` is the parameter that names what is edited.
    #[must_use]
    pub fn of_edit(error: &EditError, id: &'static str) -> Self {
        let kind = |what: &'static str| match what {
            "resource" => "resource",
            "group" => "ha group",
            _ => "ha rule",
        };
        match error {
            EditError::DigestMismatch { file, .. } => Self::new(
                FaultClass::Changed,
                "digest_mismatch",
                format!("detected modified configuration - {file} was changed in the meantime: read it, and try again"),
            ),
            EditError::BadId(problem) => Self::parameter(id, "bad_id", problem.to_string()),
            EditError::BadRuleType(problem) => Self::parameter("type", "bad_rule_type", problem.to_string()),
            EditError::AlreadyExists { what, id } => {
                Self::conflict("already_exists", format!("{} '{id}' already exists", kind(what)))
            }
            EditError::NotFound { what, id, .. } => Self::not_found(kind(what), id),
            EditError::GroupInUse { .. } => Self::conflict("group_in_use", error.to_string()),
            EditError::BadProperties(faults) => {
                if let [only] = &faults[..]
                    && matches!(only.kind, FaultKind::ServiceInError)
                {
                    return Self::conflict("service_in_error", only.to_string());
                }
                let fault = |fault: &PropertyFault| ParameterFault {
                    parameter: fault.property.clone(),
                    code: fault.kind.code(),
                    message: fault.kind.to_string(),
                };
                Self::parameters(faults.iter().map(fault).collect())
            }
            other => Self::conflict(other.code(), other.to_string()),
        }
    }

    /// A text names no service.
    #[must_use]
    pub fn of_name(error: &NameError) -> Self {
        Self::parameter("sid", "bad_id", error.to_string())
    }

    /// A command would not do what it says.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal) -> Self {
        Self::conflict("refused", refusal.to_string())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        // A file that can't be understood stays so until somebody mends it; all else is the store's trouble.
        if matches!(error, StoreError::Unreadable { .. }) {
            return Self::conflict("unreadable", error.to_string());
        }
        Self::new(FaultClass::Unavailable, "store_unavailable", error.to_string())
    }
}
