//! The parameters of a request: what there may be, and what was sent.

use std::collections::BTreeMap;

use ha_core::{config::Digest, id::NodeName};

use super::fault::{Fault, ParameterFault};

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A truth value, in any spelling that the configuration files know.
    Boolean,
    /// A whole number from 0.
    Number,
    /// Texts, separated by commas.
    List,
    /// A service, with its type or without.
    Sid,
    /// A node.
    Node,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A parameter that a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Whether it must be given.
    pub is_required: bool,
    /// What it is for.
    pub about: &'static str,
}

impl Parameter {
    /// A parameter that may be left out.
    #[must_use]
    pub const fn may(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, is_required: false, about }
    }

    /// A parameter that must be given.
    #[must_use]
    pub const fn must(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, is_required: true, about }
    }

    /// The value as the rest of the program reads it, or what is wrong with it.
    fn read(&self, text: &str) -> Result<String, String> {
        match self.kind {
            Kind::Boolean => truth(text).map(|value| String::from(if value { "1" } else { "0" })),
            Kind::Number => match text.trim().parse::<u32>() {
                Ok(number) => Ok(number.to_string()),
                Err(_) => Err(format!("'{text}' is not a whole number from 0 to {}", u32::MAX)),
            },
            Kind::Node => NodeName::new(text).map(|node| node.to_string()).map_err(|error| error.to_string()),
            Kind::Word(words) if !words.contains(&text) => Err(format!("'{text}' is not one of: {}", words.join(", "))),
            Kind::Text | Kind::List | Kind::Sid | Kind::Word(_) => Ok(text.to_owned()),
        }
    }
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Ok(true),
        "0" | "off" | "no" | "false" => Ok(false),
        _ => Err(format!("'{text}' is not a boolean: expected 1, on, yes or true, or 0, off, no or false")),
    }
}

/// The parameters that were sent, each as its call takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    values: BTreeMap<&'static str, String>,
}

impl Parameters {
    /// Checks what was sent.
    ///
    /// # Errors
    ///
    /// Names all that is missing, unknown, malformed, or given twice with different values.
    pub fn check(takes: &[Parameter], sent: &[(String, String)]) -> Result<Self, Fault> {
        let mut values: BTreeMap<&'static str, String> = BTreeMap::new();
        let mut faults = Vec::new();
        let mut note = |parameter: &str, code, message: String| {
            let fault = ParameterFault { parameter: parameter.into(), code, message };
            if !faults.iter().any(|noted: &ParameterFault| noted.parameter == fault.parameter) {
                faults.push(fault);
            }
        };
        for (name, text) in sent {
            let Some(parameter) = takes.iter().find(|parameter| parameter.name == name) else {
                note(name, "unknown_property", "there is no such parameter".into());
                continue;
            };
            match (parameter.read(text), values.get_mut(parameter.name)) {
                (Err(problem), _) => note(name, "bad_value", problem),
                (Ok(value), None) => drop(values.insert(parameter.name, value)),
                // A list may be sent as its items.
                (Ok(value), Some(list)) if parameter.kind == Kind::List => {
                    list.push(',');
                    list.push_str(&value);
                }
                (Ok(value), Some(first)) if *first == value => {}
                (Ok(_), Some(_)) => note(name, "given_twice", "it is given twice, with different values".into()),
            }
        }
        for parameter in takes.iter().filter(|parameter| parameter.is_required) {
            if !sent.iter().any(|(name, _)| name == parameter.name) {
                note(parameter.name, "missing", "it is required".into());
            }
        }
        if faults.is_empty() { Ok(Self { values }) } else { Err(Fault::parameters(faults)) }
    }

    /// A value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A truth value.
    #[must_use]
    pub fn truth(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value == "1")
    }

    /// The items of a list.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        let items = self.get(name).unwrap_or_default().split([',', ';', ' ']);
        items.map(str::trim).filter(|item| !item.is_empty())
    }

    /// A digest.
    ///
    /// # Errors
    ///
    /// If it is not one.
    pub fn digest(&self) -> Result<Option<Digest>, Fault> {
        let digest = self.get("digest").filter(|text| !text.is_empty()).map(str::parse);
        digest
            .transpose()
            .map_err(|error: ha_core::config::BadDigest| Fault::parameter("digest", "bad_value", error.to_string()))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
