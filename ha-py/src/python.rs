//! What is on Python's side: attributes of its modules, and objects of its classes.

use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};

/// The attribute `name` of a Python module of this package.
pub(crate) fn attribute<'py>(py: Python<'py>, module: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(module)?.getattr(name)
}

/// A new object of a class, from keyword arguments.
pub(crate) fn construct<'py>(class: &Bound<'py, PyAny>, arguments: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    class.call(PyTuple::empty(class.py()), Some(arguments))
}
