//! What a resource agent says of itself.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
    time::Duration,
};

use ha_core::similar::{did_you_mean, similar};
use roxmltree::{Document, Node, ParsingOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::output::output_within;

/// The name of a resource agent: `PROVIDER:TYPE`, such as `heartbeat:IPaddr2`.
///
/// ```
/// use ha_host::agents::OcfName;
///
/// let name: OcfName = "heartbeat:IPaddr2".parse()?;
/// assert_eq!((name.provider(), name.resource_type()), ("heartbeat", "IPaddr2"));
/// assert!("heartbeat:../IPaddr2".parse::<OcfName>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OcfName {
    provider: String,
    resource_type: String,
}

impl OcfName {
    /// Who has made it.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// What it runs.
    #[must_use]
    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    pub(super) fn program(&self, root: &Path) -> PathBuf {
        root.join("resource.d").join(&self.provider).join(&self.resource_type)
    }
}

impl FromStr for OcfName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_word = |word: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !word.is_empty() && !word.starts_with('.') && word.bytes().all(fits)
        };
        match text.split_once(':') {
            Some((provider, resource_type)) if is_word(provider) && is_word(resource_type) => {
                Ok(Self { provider: provider.to_owned(), resource_type: resource_type.to_owned() })
            }
            _ => {
                Err(format!("'{text}' names no resource agent: expected 'PROVIDER:TYPE', such as 'heartbeat:IPaddr2'"))
            }
        }
    }
}

impl TryFrom<String> for OcfName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<OcfName> for String {
    fn from(name: OcfName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for OcfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider, self.resource_type)
    }
}

/// The resource agents below a root, by name: what can be run there.
#[must_use]
pub fn installed(root: &Path) -> Vec<OcfName> {
    use std::os::unix::fs::PermissionsExt;
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
    let is_program =
        |path: &Path| fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    let mut names: Vec<OcfName> = entries(&root.join("resource.d"))
        .flat_map(|provider| entries(&provider.path()).map(move |agent| (provider.file_name(), agent)))
        .filter(|(_, agent)| is_program(&agent.path()))
        .filter_map(|(provider, agent)| format!("{}:{}", provider.to_str()?, agent.file_name().to_str()?).parse().ok())
        .collect();
    names.sort();
    names
}

/// What a resource agent says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OcfDescription {
    /// What it is, in a line.
    pub title: String,
    /// The same at length.
    pub text: String,
    /// What it is given.
    pub parameters: Vec<OcfParameter>,
    /// What it can do.
    pub actions: Vec<OcfAction>,
}

/// A parameter of a resource agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OcfParameter {
    /// Its name.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// The same at length.
    pub text: String,
    /// `string`, `integer`, `boolean`, `time` and the like, as the agent has it.
    #[serde(rename = "type")]
    pub value_type: String,
    /// What it is where it is not given.
    pub default: Option<String>,
    /// Whether it must be given.
    pub required: bool,
}

/// What a resource agent can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OcfAction {
    /// Its name.
    pub name: String,
    /// For how many seconds the agent wants it to be waited for at least.
    pub timeout_s: Option<u32>,
    /// How many seconds apart it wants to be asked.
    pub interval_s: Option<u32>,
}

impl OcfDescription {
    /// How many seconds it may take to be asked for.
    pub(super) const TIMEOUT_S: u32 = 10;

    /// Asks a resource agent below `root`.
    ///
    /// # Errors
    ///
    /// If it is not there, or does not say; in words.
    pub fn of(name: &OcfName, root: &Path) -> Result<Self, String> {
        let program = name.program(root);
        if !program.is_file() {
            let names: Vec<String> = installed(root).iter().map(ToString::to_string).collect();
            let hint = did_you_mean(similar(&name.to_string(), names.iter().map(String::as_str)));
            return Err(format!("there is no resource agent '{name}' on this node ({}){hint}", program.display()));
        }
        let mut command = Command::new(&program);
        command.arg("meta-data").current_dir("/").env("OCF_ROOT", root);
        let output = output_within(&mut command, Duration::from_secs(Self::TIMEOUT_S.into()))
            .map_err(|error| format!("'{name}' does not describe itself: {error}"))?;
        if !output.status.success() {
            return Err(format!("'{name}' does not describe itself: {}", output.status));
        }
        Self::read(&String::from_utf8_lossy(&output.stdout))
            .map_err(|error| format!("'{name}' describes itself badly: {error}"))
    }

    /// Reads what a resource agent gives for `meta-data`.
    ///
    /// # Errors
    ///
    /// If it is no XML; in words.
    pub fn read(xml: &str) -> Result<Self, String> {
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        let document = Document::parse_with_options(xml, options).map_err(|error| error.to_string())?;
        let root = document.root_element();
        let listed = |list: &'static str, item: &'static str| {
            root.children()
                .filter(move |node| node.has_tag_name(list))
                .flat_map(move |list| list.children().filter(move |node| node.has_tag_name(item)))
        };
        Ok(Self {
            title: said(root, "shortdesc"),
            text: said(root, "longdesc"),
            parameters: listed("parameters", "parameter").filter_map(parameter).collect(),
            actions: listed("actions", "action").filter_map(action).collect(),
        })
    }

    /// Whether it is for services in several roles.
    #[must_use]
    pub fn is_promotable(&self) -> bool {
        self.actions.iter().any(|action| action.name == "promote")
    }

    /// What is wrong with parameters, a sentence each.
    #[must_use]
    pub fn complaints(&self, given: &BTreeMap<String, String>) -> Vec<String> {
        let names = || self.parameters.iter().map(|parameter| parameter.name.as_str());
        let unknown = given.keys().filter(|name| names().all(|known| known != name.as_str()));
        let unknown =
            unknown.map(|name| format!("there is no parameter '{name}'{}", did_you_mean(similar(name, names()))));
        let is_given = |name: &String| given.get(name).is_some_and(|value| !value.is_empty());
        let missing = self.parameters.iter().filter(|parameter| parameter.required && !is_given(&parameter.name));
        let missing =
            missing.map(|parameter| format!("parameter '{}' is missing: {}", parameter.name, parameter.title));
        let promotable =
            self.is_promotable().then(|| "it is for services in several roles, which are not looked after".to_owned());
        unknown.chain(missing).chain(promotable).collect()
    }

    /// A definition of a guest to fill in: what must be given is empty, and the timeouts are those that the agent wants.
    #[must_use]
    pub fn definition(&self, name: &OcfName) -> Value {
        let required = self.parameters.iter().filter(|parameter| parameter.required);
        let parameters: BTreeMap<&str, &str> =
            required.map(|parameter| (&*parameter.name, parameter.default.as_deref().unwrap_or(""))).collect();
        let timeout =
            |name: &str| self.actions.iter().find(|action| action.name == name).and_then(|action| action.timeout_s);
        let timeouts: BTreeMap<&str, u32> =
            ["start", "stop", "monitor"].into_iter().filter_map(|name| Some((name, timeout(name)?))).collect();
        json!({"agent": name, "parameters": parameters, "timeouts": timeouts})
    }
}

/// The text of the first child with a name, without the blanks around it.
fn said(node: Node<'_, '_>, name: &str) -> String {
    let child = node.children().find(|child| child.has_tag_name(name));
    child.and_then(|child| child.text()).unwrap_or_default().trim().to_owned()
}

fn parameter(node: Node<'_, '_>) -> Option<OcfParameter> {
    let content = node.children().find(|child| child.has_tag_name("content"));
    let of_content = |name| content.and_then(|content| content.attribute(name));
    Some(OcfParameter {
        name: node.attribute("name")?.to_owned(),
        title: said(node, "shortdesc"),
        text: said(node, "longdesc"),
        value_type: of_content("type").unwrap_or("string").to_owned(),
        default: of_content("default").filter(|default| !default.is_empty()).map(str::to_owned),
        required: matches!(node.attribute("required"), Some("1" | "true" | "yes")),
    })
}

fn action(node: Node<'_, '_>) -> Option<OcfAction> {
    let time = |name| node.attribute(name).and_then(seconds);
    Some(OcfAction {
        name: node.attribute("name")?.to_owned(),
        timeout_s: time("timeout"),
        interval_s: time("interval"),
    })
}

/// A time with its unit; without one it is seconds. Parts of a second count as a whole one.
fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: u32 = number.parse().ok()?;
    match unit.trim() {
        "" | "s" | "sec" => Some(number),
        "ms" | "msec" => Some(number.div_ceil(1000)),
        "m" | "min" => number.checked_mul(60),
        "h" | "hr" => number.checked_mul(3600),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="db" version="1.0">
<shortdesc lang="en">A database</shortdesc>
<longdesc lang="en">
Runs a database &amp; more.
</longdesc>
<parameters>
<parameter name="data" unique="1" required="1"><shortdesc>Where its files are</shortdesc><content type="string" default=""/></parameter>
<parameter name="port"><longdesc>On which it listens.</longdesc><content type="integer" default="5432"/></parameter>
</parameters>
<actions>
<action name="start" timeout="90s"/><action name="stop" timeout="2min"/><action name="monitor" timeout="20" interval="10s" depth="0"/>
<action name="meta-data" timeout="500ms"/>
</actions>
</resource-agent>"#;

    #[test]
    fn what_an_agent_says_of_itself_is_understood() {
        let described = OcfDescription::read(XML).unwrap();
        assert_eq!((&*described.title, &*described.text), ("A database", "Runs a database & more."));
        let [data, port] = &described.parameters[..] else { panic!("{described:?}") };
        assert!(data.required && !port.required);
        assert_eq!((data.default.as_deref(), port.default.as_deref()), (None, Some("5432")));
        assert_eq!((&*port.value_type, &*port.text), ("integer", "On which it listens."));
        let times: Vec<_> = described.actions.iter().map(|action| (action.timeout_s, action.interval_s)).collect();
        assert_eq!(times, [(Some(90), None), (Some(120), None), (Some(20), Some(10)), (Some(1), None)]);
        assert!(!described.is_promotable());
        assert!(OcfDescription::read("<resource-agent").is_err());
    }

    #[test]
    fn parameters_that_it_does_not_have_and_missing_ones_are_told() {
        let described = OcfDescription::read(XML).unwrap();
        let given = |pairs: &[(&str, &str)]| {
            described.complaints(&pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
        };
        assert!(given(&[("data", "/srv/db"), ("port", "1")]).is_empty());
        assert_eq!(
            given(&[("prot", "1"), ("data", "")]),
            ["there is no parameter 'prot'; did you mean 'port'?", "parameter 'data' is missing: Where its files are"]
        );
        let promotable = XML.replace("name=\"meta-data\"", "name=\"promote\"");
        let described = OcfDescription::read(&promotable).unwrap();
        assert_eq!(described.complaints(&BTreeMap::from([("data".into(), "x".into())])).len(), 1);
    }

    #[test]
    fn a_definition_begins_with_what_must_be_given_and_the_times_that_the_agent_wants() {
        let name = "own:db".parse().unwrap();
        let expected = json!({
            "agent": "own:db",
            "parameters": {"data": ""},
            "timeouts": {"start": 90, "stop": 120, "monitor": 20}
        });
        assert_eq!(OcfDescription::read(XML).unwrap().definition(&name), expected);
    }

    #[test]
    fn only_a_name_that_stays_below_the_root_is_one() {
        for wrong in ["", "IPaddr2", "heartbeat:", ":IPaddr2", "heartbeat:../x", "heartbeat:a/b", "..:x", "a:b:c"] {
            assert!(wrong.parse::<OcfName>().is_err(), "{wrong}");
        }
    }
}
