//! The arguments of edits: properties in the forms that are natural in Python.

use pyo3::{
    exceptions::PyTypeError,
    inspect::PyStaticExpr,
    prelude::*,
    type_hint_identifier, type_hint_union,
    types::{PyBool, PyDict, PyInt, PyMapping, PyString},
};

/// Properties to set: a mapping, or pairs in an order.
#[derive(Debug, Default)]
pub(crate) struct Properties(pub(crate) Vec<(String, String)>);

impl<'a, 'py> FromPyObject<'a, 'py> for Properties {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(
        type_hint_identifier!("pyha.typing", "PropertyMapping"),
        type_hint_identifier!("pyha.typing", "PropertyPairs")
    );

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let pairs = match object.cast::<PyMapping>() {
            Ok(mapping) => mapping.items()?.try_iter()?,
            Err(_) => object.try_iter()?,
        };
        let pair = |item: PyResult<Bound<'py, PyAny>>| {
            let (key, value): (String, Bound<'py, PyAny>) = item?.extract()?;
            Ok((key, text_of(&value)?))
        };
        pairs.map(pair).collect::<PyResult<_>>().map(Self)
    }
}

impl Properties {
    /// With keyword arguments after them.
    pub(crate) fn and(mut self, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        for (key, value) in keywords.into_iter().flatten() {
            self.0.push((key.extract()?, text_of(&value)?));
        }
        Ok(self)
    }

    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
}

/// The text of a property's value, as a person types it.
fn text_of(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_cow()?.into_owned());
    }
    if let Ok(boolean) = value.cast::<PyBool>() {
        return Ok(if boolean.is_true() { "1" } else { "0" }.to_owned());
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(value.str()?.to_string());
    }
    if let Ok(mapping) = value.cast::<PyMapping>() {
        let item = |item: Bound<'_, PyAny>| {
            let (key, value): (String, Bound<'_, PyAny>) = item.extract()?;
            Ok(format!("{key}:{}", text_of(&value)?))
        };
        let items = mapping.items()?.iter().map(item).collect::<PyResult<Vec<_>>>()?;
        return Ok(items.join(","));
    }
    let Ok(items) = value.try_iter() else {
        let found = value.get_type().name()?.to_string();
        let message = format!("a property is a text, a number, a boolean, a list, or a mapping, not a {found}");
        return Err(PyTypeError::new_err(message));
    };
    let texts = items.map(|item| text_of(&item?)).collect::<PyResult<Vec<_>>>()?;
    Ok(texts.join(","))
}
