//! The settings as the recorded scenarios hold them: JSON, with fractions instead of percentages.

use alloc::string::{String, ToString};

use serde_json::Value;

use super::{DatacenterConfig, DatacenterSetting, ImbalanceScale, SchedulerConfig, Unit, ValueError};

/// Why a JSON text is no settings of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// Something that should be an object is none.
    #[error("'{0}' is not an object: expected '{{…}}'")]
    NotAnObject(&'static str),
    /// A setting that is neither text nor number nor boolean.
    #[error("'{0}' is a list or an object: expected a text, a number or a boolean")]
    NotAValue(DatacenterSetting),
    /// A setting with a value that it does not take.
    #[error("'{setting}': {error}")]
    BadValue {
        /// The setting.
        setting: DatacenterSetting,
        /// What is wrong with its value.
        error: ValueError,
    },
}

impl JsonError {
    /// A stable name for this kind of error, for other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "syntax",
            Self::NotAnObject(_) => "not_an_object",
            Self::NotAValue(_) => "not_a_value",
            Self::BadValue { .. } => "bad_value",
        }
    }
}

impl DatacenterConfig {
    /// Reads settings as the recorded scenarios hold them.
    ///
    /// Threshold and margin are fractions and are compared with the plain coefficient of variation. Numbers may be texts;
    /// booleans may be `1`, `0`, `true` and `false`. Keys that the core does not know are passed over.
    ///
    /// ```
    /// use ha_core::config::DatacenterConfig;
    ///
    /// let config = DatacenterConfig::from_json(r#"{"crs": {"ha": "static", "ha-auto-rebalance-threshold": "0.5"}}"#)?;
    /// assert_eq!(config.scheduler.threshold, 0.5);
    /// # Ok::<(), ha_core::config::datacenter::JsonError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or a setting has a value that it does not take.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        let text = text.trim_start_matches(['\u{feff}', '\0']);
        let json: Value = serde_json::from_str(text).map_err(|error| JsonError::Syntax(error.to_string()))?;
        let scheduler = SchedulerConfig { scale: ImbalanceScale::Plain, ..SchedulerConfig::default() };
        let mut config = Self { scheduler, ..Self::default() };
        let top = json.as_object().ok_or(JsonError::NotAnObject("the text"))?;
        for setting in DatacenterSetting::ALL.iter().copied() {
            let (line, item) = setting.keys();
            let value = match (top.get(line), item) {
                (Some(properties), Some(item)) => properties.as_object().ok_or(JsonError::NotAnObject(line))?.get(item),
                (value, _) => value,
            };
            if let Some(text) = value.map(|value| text_of(value, setting)).transpose()?.flatten() {
                let assigned = setting.assign(&mut config, &text, Unit::Fraction);
                assigned.map_err(|error| JsonError::BadValue { setting, error })?;
            }
        }
        Ok(config)
    }
}

/// A JSON value as the text that stands for it in the file; `None` for `null`.
fn text_of(value: &Value, setting: DatacenterSetting) -> Result<Option<String>, JsonError> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(if *value { "1" } else { "0" }.into())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Array(_) | Value::Object(_) => Err(JsonError::NotAValue(setting)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BalanceMethod, SchedulerMode, ShutdownPolicy};
    use super::*;

    #[test]
    fn the_recorded_form_is_read() {
        let config = DatacenterConfig::from_json(
            r#"{"ha": {"shutdown_policy": "migrate"}, "other": [1], "crs": {"ha": "dynamic", "ha-auto-rebalance": 1,
               "ha-rebalance-on-start": true, "ha-auto-rebalance-method": "topsis",
               "ha-auto-rebalance-hold-duration": "0", "ha-auto-rebalance-margin": 0.25}}"#,
        )
        .unwrap();
        assert_eq!(config.shutdown_policy, ShutdownPolicy::Migrate);
        let expected = SchedulerConfig {
            mode: SchedulerMode::Dynamic,
            rebalance_on_start: true,
            auto_rebalance: true,
            threshold: 0.3,
            method: BalanceMethod::Topsis,
            hold_duration: 0,
            margin: 0.25,
            scale: ImbalanceScale::Plain,
        };
        assert_eq!(config.scheduler, expected);
    }

    #[test]
    fn every_kind_of_error_is_told() {
        for (text, code) in [
            ("{", "syntax"),
            ("[]", "not_an_object"),
            (r#"{"ha": "migrate"}"#, "not_an_object"),
            (r#"{"ha": {"shutdown_policy": []}}"#, "not_a_value"),
            (r#"{"crs": {"ha-auto-rebalance-margin": -1}}"#, "bad_value"),
            (r#"{"max_workers": 0}"#, "bad_value"),
        ] {
            assert_eq!(DatacenterConfig::from_json(text).unwrap_err().code(), code, "{text}");
        }
    }
}
