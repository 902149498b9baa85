//! Status codes, and why a call failed.

/// What a function says of its outcome. Positive is well, negative is an error, 0 is never used.
///
/// Numbers keep their meaning for ever; new ones may come. Compare with HA_OK, and treat what you do not know as an error
/// if it is negative.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_status {
    /// Done.
    HA_OK = 1,
    /// Done, and the answer is that there is none: no such property is set, no node is left for the service.
    HA_NONE = 2,
    /// An argument is not what it should be: NULL where something is needed, text that is not UTF-8, a number that stands
    /// for nothing.
    HA_ERROR_ARGUMENT = -1,
    /// A handle that was freed, was lent to a callback that has returned, is of another type, or never was a handle.
    HA_ERROR_HANDLE = -2,
    /// A handle that is in use: by the call that this callback is inside of, or by another thread.
    HA_ERROR_BUSY = -3,
    /// A bug of this library struck, now or in an earlier call with this handle. See "After a bug" in the introduction: stop
    /// feeding the watchdog.
    HA_ERROR_PANIC = -4,
    /// A name (of a service, node, rule, …) that is not valid.
    HA_ERROR_NAME = -5,
    /// A text that is not what it should be: a status record, a command line, JSON, a file of a configuration.
    HA_ERROR_CONTENT = -6,
    /// There is no such thing: no such service, section, index.
    HA_ERROR_NOT_FOUND = -7,
    /// An edit was refused. Nothing was changed.
    HA_ERROR_EDIT = -8,
    /// Timings that are not safe together.
    HA_ERROR_TIMINGS = -9,
    /// A file or folder that can't be read.
    HA_ERROR_READ = -10,
    /// Something can't be done in the present state.
    HA_ERROR_STATE = -11,
    /// Something ran out: handles.
    HA_ERROR_LIMIT = -12,
}

/// Why a call failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: ha_status,
    pub(crate) message: String,
    pub(crate) kind: String,
    pub(crate) line: usize,
    pub(crate) section: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) details: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: ha_status, message: impl ToString) -> Self {
        let kind = String::new();
        Self { status, message: message.to_string(), kind, line: 0, section: None, field: None, details: None }
    }

    pub(crate) fn argument(message: impl ToString) -> Self {
        Self::new(ha_status::HA_ERROR_ARGUMENT, message)
    }

    pub(crate) fn name(error: &ha_core::id::IdError) -> Self {
        Self::new(ha_status::HA_ERROR_NAME, error)
    }

    pub(crate) fn content(message: impl ToString) -> Self {
        Self::new(ha_status::HA_ERROR_CONTENT, message)
    }

    pub(crate) fn not_found(message: impl ToString) -> Self {
        Self::new(ha_status::HA_ERROR_NOT_FOUND, message)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn kind(self, kind: impl ToString) -> Self {
        Self { kind: kind.to_string(), ..self }
    }

    pub(crate) fn line(self, line: usize) -> Self {
        Self { line, ..self }
    }

    pub(crate) fn field(self, field: Option<impl ToString>) -> Self {
        Self { field: field.map(|field| field.to_string()), ..self }
    }

    pub(crate) fn section(self, section: Option<impl ToString>) -> Self {
        Self { section: section.map(|section| section.to_string()), ..self }
    }

    pub(crate) fn details(self, details: Option<impl ToString>) -> Self {
        Self { details: details.map(|details| details.to_string()), ..self }
    }

    /// As JSON, the way that problems of files are told.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({
            "line": self.line,
            "section": self.section,
            "property": self.field,
            "code": self.kind,
            "message": self.message,
        });
        let details = self.details.as_ref().and_then(|details| serde_json::from_str(details).ok());
        if let (Some(object), Some(serde_json::Value::Object(details))) = (json.as_object_mut(), details) {
            object.extend(details);
        }
        json
    }
}
