//! How an exception is raised: those of `pyha.errors` by their names, and Python's own for files.

use pyo3::{
    exceptions::PyOSError,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::python::attribute;

/// An exception of a class, with attributes.
pub(crate) fn exception(
    py: Python<'_>,
    class: &str,
    message: &str,
    attributes: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>,
) -> PyErr {
    let make = || {
        let keywords = PyDict::new(py);
        attributes(&keywords)?;
        let class = attribute(py, "pyha.errors", class)?;
        class.call(PyTuple::new(py, [message])?, Some(&keywords))
    };
    match make() {
        Ok(value) => PyErr::from_value(value),
        Err(error) => error,
    }
}

/// One that has only a message.
pub(crate) fn plain(py: Python<'_>, class: &str, message: &str) -> PyErr {
    exception(py, class, message, |_| Ok(()))
}

/// A value that is not possible.
pub(crate) fn invalid(py: Python<'_>, message: &str) -> PyErr {
    plain(py, "InvalidValueError", message)
}

/// What a host answered that is no answer.
pub(crate) fn answer(py: Python<'_>, message: &str) -> PyErr {
    plain(py, "AnswerError", message)
}

pub(crate) fn in_use(py: Python<'_>) -> PyErr {
    plain(py, "InUseError", "it is being used already: by another thread, or by the call that called this host")
}

pub(crate) fn lost(py: Python<'_>) -> PyErr {
    plain(py, "InUseError", "an earlier call ended in the middle: it can't be used any more")
}

/// A file that can't be read or written: the `OSError` that Python would raise.
pub(crate) fn io(error: &std::io::Error, path: &std::path::Path) -> PyErr {
    match error.raw_os_error() {
        Some(number) => PyOSError::new_err((number, error_text(error), path.display().to_string())),
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}

fn error_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.clone(), |(text, _)| text.to_owned())
}
