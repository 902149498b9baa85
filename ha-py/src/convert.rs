//! Values on their way between Python and Rust.

use std::{
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ha_core::{
    id::{IdError, NodeName, ServiceId},
    status::Timestamp,
    time::{Instant, Now},
};
use pyo3::{
    inspect::PyStaticExpr,
    prelude::*,
    sync::PyOnceLock,
    type_hint_identifier, type_hint_subscript, type_hint_union,
    types::{PyDelta, PyDict, PyFloat, PyString},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{python::attribute, raise};

const STR: PyStaticExpr = type_hint_identifier!("builtins", "str");
const FLOAT: PyStaticExpr = type_hint_identifier!("builtins", "float");

/// A small enum that is an enum of `pyha.words` in Python.
pub(crate) trait Word: Copy + Sized + 'static {
    const MODULE: &'static str;
    const CLASS: &'static str;
    fn text(self) -> &'static str;
    fn read(text: &str) -> Result<Self, String>;
    /// Holds the members of the Python class, by their texts.
    fn members() -> &'static PyOnceLock<Py<PyDict>>;
}

/// Tells which class of Python has the words of an enum.
macro_rules! words {
    ($module:literal: $($type:ty = $class:literal),+ $(,)?) => {
        $(impl $crate::convert::Word for $type {
            const MODULE: &'static str = $module;
            const CLASS: &'static str = $class;

            fn text(self) -> &'static str {
                self.as_str()
            }

            fn read(text: &str) -> Result<Self, String> {
                <$type as ::std::str::FromStr>::from_str(text).map_err(|error: ::ha_core::UnknownWord| error.to_string())
            }

            fn members() -> &'static ::pyo3::sync::PyOnceLock<::pyo3::Py<::pyo3::types::PyDict>> {
                static MEMBERS: ::pyo3::sync::PyOnceLock<::pyo3::Py<::pyo3::types::PyDict>> = ::pyo3::sync::PyOnceLock::new();
                &MEMBERS
            }
        })+
    };
}

pub(crate) use words;

/// The same for enums that don't know their words.
macro_rules! plain_words {
    ($module:literal: $($type:ty = $class:literal { $($variant:ident = $text:literal),+ $(,)? })+) => {
        $(impl $crate::convert::Word for $type {
            const MODULE: &'static str = $module;
            const CLASS: &'static str = $class;

            fn text(self) -> &'static str {
                match self {
                    $(<$type>::$variant => $text,)+
                }
            }

            fn read(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(<$type>::$variant),)+
                    _ => Err(format!("'{text}' is none of {}", [$($text),+].join(", "))),
                }
            }

            fn members() -> &'static ::pyo3::sync::PyOnceLock<::pyo3::Py<::pyo3::types::PyDict>> {
                static MEMBERS: ::pyo3::sync::PyOnceLock<::pyo3::Py<::pyo3::types::PyDict>> = ::pyo3::sync::PyOnceLock::new();
                &MEMBERS
            }
        })+
    };
}

pub(crate) use plain_words;

/// A word: an enum member in Python; its text is taken as well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct W<T>(pub(crate) T);

impl<'py, T: Word> IntoPyObject<'py> for W<T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    const OUTPUT_TYPE: PyStaticExpr = type_hint_identifier!(T::MODULE, T::CLASS);

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let members = T::members().get_or_try_init(py, || {
            let members = PyDict::new(py);
            for member in attribute(py, T::MODULE, T::CLASS)?.try_iter()? {
                let member = member?;
                members.set_item(member.getattr("value")?, member)?;
            }
            Ok::<_, PyErr>(members.unbind())
        })?;
        let member = members.bind(py).get_item(self.0.text())?;
        member.ok_or_else(|| raise::invalid(py, &format!("{} has no '{}'", T::CLASS, self.0.text())))
    }
}

impl<'a, 'py, T: Word> FromPyObject<'a, 'py> for W<T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(type_hint_identifier!(T::MODULE, T::CLASS), STR);

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let text = object.cast::<PyString>()?;
        T::read(&text.to_cow()?).map(Self).map_err(|message| raise::invalid(object.py(), &message))
    }
}

/// A name that is checked when it comes from Python.
#[derive(Debug, Clone)]
pub(crate) struct Name<T>(pub(crate) T);

pub(crate) type Sid = Name<ServiceId>;
pub(crate) type Node = Name<NodeName>;

impl<'a, 'py, T: FromStr<Err = IdError>> FromPyObject<'a, 'py> for Name<T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = STR;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let text = object.cast::<PyString>()?;
        text.to_cow()?.parse().map(Self).map_err(|error: IdError| raise::invalid(object.py(), &error.to_string()))
    }
}

impl<'py, T: AsRef<str>> IntoPyObject<'py> for Name<T> {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = std::convert::Infallible;

    const OUTPUT_TYPE: PyStaticExpr = STR;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(PyString::new(py, self.0.as_ref()))
    }
}

/// Something that is iterated and given as any iterable.
#[derive(Debug, Clone)]
pub(crate) struct Items<T>(pub(crate) Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, 'py, T: for<'b> FromPyObject<'b, 'py>> FromPyObject<'a, 'py> for Items<T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_subscript!(
        type_hint_identifier!("collections.abc", "Iterable"),
        <T as FromPyObject<'a, 'py>>::INPUT_TYPE
    );

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            let message = "expected several names, such as a list of them, not one text";
            return Err(pyo3::exceptions::PyTypeError::new_err(message));
        }
        let items = object.try_iter()?.map(|item| item.and_then(|item| item.extract().map_err(Into::into)));
        items.collect::<PyResult<_>>().map(Self)
    }
}

/// Seconds, or a `timedelta`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'a, 'py> FromPyObject<'a, 'py> for Seconds {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(FLOAT, type_hint_identifier!("datetime", "timedelta"));

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyDelta>() {
            let refused = |_| raise::invalid(object.py(), "a time must not be negative");
            return object.extract().map(Self).map_err(refused);
        }
        let seconds: f64 = object.extract()?;
        seconds_to_duration(object.py(), seconds).map(Self)
    }
}

/// Rounded to nanoseconds, as clocks have them.
fn seconds_to_duration(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| raise::invalid(py, &format!("{seconds} is not a time: expected seconds that are not negative")))
}

/// A moment: seconds on a monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Instant);

impl<'a, 'py> FromPyObject<'a, 'py> for Moment {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = Seconds::INPUT_TYPE;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        object.extract::<Seconds>().map(|Seconds(time)| Self(Instant::after_start(time)))
    }
}

impl<'py> IntoPyObject<'py> for Moment {
    type Target = PyFloat;
    type Output = Bound<'py, PyFloat>;
    type Error = std::convert::Infallible;

    const OUTPUT_TYPE: PyStaticExpr = FLOAT;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        self.0.since_start().as_secs_f64().into_pyobject(py)
    }
}

/// The clock of the calls where none is given.
///
/// It goes on while the machine is suspended, where there is such a clock: a lease passes meanwhile too.
pub(crate) fn clock(py: Python<'_>) -> PyResult<f64> {
    let time = py.import("time")?;
    match time.getattr_opt("CLOCK_BOOTTIME")? {
        Some(clock) => time.call_method1("clock_gettime", (clock,))?.extract(),
        None => time.call_method0("monotonic")?.extract(),
    }
}

/// The time of a call: as given, or by the clocks of this process.
pub(crate) fn now(py: Python<'_>, monotonic: Option<Moment>, wall: Option<f64>) -> PyResult<Now> {
    let instant = match monotonic {
        Some(Moment(instant)) => instant,
        None => Instant::after_start(seconds_to_duration(py, clock(py)?)?),
    };
    let wall = match wall {
        #[allow(clippy::cast_possible_truncation, reason = "a float that is no time becomes the nearest one")]
        Some(seconds) => seconds.floor() as Timestamp,
        None => {
            let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp::try_from(elapsed.as_secs()).unwrap_or(Timestamp::MAX)
        }
    };
    Ok(Now { instant, wall })
}

/// A value that is plain data, with a class in Python.
pub(crate) trait Data {
    const MODULE: &'static str;
    const CLASS: &'static str;
    fn data(&self) -> serde_json::Result<String>;
}

macro_rules! data {
    ($module:literal: $($type:ty = $class:literal),+ $(,)?) => {
        $(impl $crate::convert::Data for $type {
            const MODULE: &'static str = $module;
            const CLASS: &'static str = $class;

            fn data(&self) -> serde_json::Result<String> {
                serde_json::to_string(self)
            }
        })+
    };
}
pub(crate) use data;

/// Data whose form for Python is made by a function.
macro_rules! data_by {
    ($($type:ty = $module:literal $class:literal by $make:expr;)+) => {
        $(impl $crate::convert::Data for $type {
            const MODULE: &'static str = $module;
            const CLASS: &'static str = $class;

            fn data(&self) -> serde_json::Result<String> {
                let make: fn(&$type) -> serde_json::Value = $make;
                serde_json::to_string(&make(self))
            }
        })+
    };
}
pub(crate) use data_by;

data! {
    "pyha":
    ha_core::event::Event = "Event",
}

data! {
    "pyha.records":
    ha_core::config::DatacenterConfig = "DatacenterConfig",
    ha_core::placement::Explanation = "Explanation",
    ha_core::placement::Counterfactual = "Counterfactual",
    ha_core::placement::Recovery = "Recovery",
    ha_core::placement::SituationFinding = "SituationFinding",
    ha_core::placement::Balance = "Balance",
    ha_core::timing::TimingSettings = "TimingSettings",
}

/// Data on its way to Python.
#[derive(Debug)]
pub(crate) struct Out<T>(pub(crate) T);

impl<'py, T: Data> IntoPyObject<'py> for Out<T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    const OUTPUT_TYPE: PyStaticExpr = type_hint_identifier!(T::MODULE, T::CLASS);

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load::<T>(py, &self.0.data().map_err(|error| raise::invalid(py, &error.to_string()))?)
    }
}

/// Several values of one kind, made in one go.
#[derive(Debug)]
pub(crate) struct OutAll<T>(pub(crate) Vec<T>);

impl<'py, T: Data> IntoPyObject<'py> for OutAll<T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    const OUTPUT_TYPE: PyStaticExpr =
        type_hint_subscript!(type_hint_identifier!("builtins", "list"), type_hint_identifier!(T::MODULE, T::CLASS));

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut text = String::from("[");
        for (position, item) in self.0.iter().enumerate() {
            if position > 0 {
                text.push(',');
            }
            text.push_str(&item.data().map_err(|error| raise::invalid(py, &error.to_string()))?);
        }
        text.push(']');
        load::<T>(py, &text)
    }
}

fn load<'py, T: Data>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOAD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let load = LOAD.get_or_try_init(py, || attribute(py, "pyha._data", "load").map(Bound::unbind))?;
    load.bind(py).call1((format!("{}.{}", T::MODULE, T::CLASS), text))
}

/// Data from Python: an object of its class.
#[derive(Debug)]
pub(crate) struct In<T>(pub(crate) T);

impl<'a, 'py, T: Data + DeserializeOwned> FromPyObject<'a, 'py> for In<T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_identifier!(T::MODULE, T::CLASS);

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let class = attribute(py, T::MODULE, T::CLASS)?;
        if !object.is_instance(&class)? {
            let found = object.get_type().name()?;
            return Err(pyo3::exceptions::PyTypeError::new_err(format!("expected a {}, not a {found}", T::CLASS)));
        }
        from_data(&object.to_owned()).map(Self)
    }
}

/// Reads plain data from a Python object.
pub(crate) fn from_data<T: DeserializeOwned>(object: &Bound<'_, PyAny>) -> PyResult<T> {
    let py = object.py();
    let text: String = attribute(py, "pyha._data", "dump")?.call1((object,))?.extract()?;
    serde_json::from_str(&text).map_err(|error| raise::invalid(py, &error.to_string()))
}

/// A Python value of plain data: dicts, lists, numbers, texts.
pub(crate) fn plain<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value).map_err(|error| raise::invalid(py, &error.to_string()))?;
    attribute(py, "json", "loads")?.call1((text,))
}

/// Data as JSON has it, as an argument: its text.
#[derive(Debug)]
pub(crate) struct JsonArg(pub(crate) String);

impl<'a, 'py> FromPyObject<'a, 'py> for JsonArg {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_subscript!(
        type_hint_identifier!("collections.abc", "Mapping"),
        STR,
        type_hint_identifier!("builtins", "object")
    );

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        attribute(object.py(), "pyha._data", "dump")?.call1((object,))?.extract().map(Self)
    }
}

/// A path that is given as text or as any path object.
pub(crate) type PathArg = std::path::PathBuf;

/// Text or bytes of a file.
#[derive(Debug)]
pub(crate) struct Text(pub(crate) Vec<u8>);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(STR, type_hint_identifier!("builtins", "bytes"));

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Self(text.to_cow()?.as_bytes().to_vec()));
        }
        Ok(Self(object.cast::<pyo3::types::PyBytes>()?.as_bytes().to_vec()))
    }
}
