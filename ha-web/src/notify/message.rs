//! What a target is told, in the forms in which targets take it.

use ha_core::{
    history::{Entry, Notice},
    status::UtcTime,
};
use serde_json::{Value, json};

use crate::own::rfc3339_ms;

/// What a target is told of one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    fields: Value,
    notice: Notice,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template names '{{{{{0}}}}}', which there is not: there are {fields}", fields = FIELDS.join(", "))]
pub struct BadTemplate(String);

/// What a template can name.
const FIELDS: [&str; 11] =
    ["id", "cluster", "event", "severity", "time", "since", "node", "sid", "what", "ha_does", "person_does"];

impl Message {
    /// What is told of an entry. `cluster` is the cluster's id.
    #[must_use]
    pub fn of(entry: &Entry, cluster: Option<&str>) -> Self {
        let notice = Notice::of(entry);
        let fields = json!({
            "id": notice.id,
            "position": notice.position,
            "cluster": cluster,
            "event": notice.event,
            "severity": notice.severity,
            "time": rfc3339_ms(entry.time_ms),
            "since": rfc3339_ms(notice.since_ms),
            "node": notice.node,
            "sid": notice.sid,
            "what": notice.what,
            "ha_does": notice.ha_does,
            "person_does": notice.person_does,
            "entry": entry,
        });
        Self { fields, notice }
    }

    /// Its id, that of the entry.
    #[must_use]
    pub fn id(&self) -> String {
        self.notice.id.to_string()
    }

    /// As JSON, in one line.
    #[must_use]
    pub fn json(&self) -> String {
        self.fields.to_string()
    }

    /// As a template has it: `{{NAME}}` is the field of that name, escaped as within a text of JSON.
    ///
    /// # Errors
    ///
    /// If the template names a field that does not exist.
    pub fn by_template(&self, template: &str) -> Result<String, BadTemplate> {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else { break };
            out.push_str(before);
            out.push_str(&self.escaped(name.trim())?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn escaped(&self, name: &str) -> Result<String, BadTemplate> {
        let value = self.fields.get(name).filter(|_| FIELDS.contains(&name));
        let value = value.ok_or_else(|| BadTemplate(name.to_owned()))?;
        if value.is_null() {
            return Ok(String::new());
        }
        let written = value.to_string();
        let text = value.is_string().then(|| written.get(1..written.len().saturating_sub(1))).flatten();
        Ok(text.unwrap_or(&written).to_owned())
    }

    /// A line that says it in short.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("[HA {}] {}", self.notice.severity, self.notice.what)
    }

    /// What a person reads.
    #[must_use]
    pub fn text(&self) -> String {
        let Notice { what, node, sid, since_ms, ha_does, person_does, id, .. } = &self.notice;
        let service = sid.as_ref().map_or_else(String::new, |sid| format!(", about {sid}"));
        let since = UtcTime(since_ms.div_euclid(1000));
        format!(
            "What:   {what}\nWhere:  {node}{service}\nSince:  {since}\nHA:     {ha_does}\nTo do:  {person_does}\n(entry {id}: 'ha history explain {id}')\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use ha_core::{
        event::Event,
        history::{EntryId, Source, What},
        id::NodeName,
    };

    use super::*;

    fn message(what: What) -> Message {
        let node = NodeName::new("node1").unwrap();
        let entry = Entry::new(EntryId::of_node(&node, 1, 17), 1_795_983_430_250, node, Source::Crm, what);
        Message::of(&entry, Some("c1"))
    }

    #[test]
    fn a_template_is_filled_in_and_stays_json() {
        let hostile = message(What::message("a \"quoted\" line\nand {{id}} another"));
        let body = hostile.by_template(r#"{"text": "{{severity}}: {{ what }}", "sid": "{{sid}}"}"#).unwrap();
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read["text"], "info: a \"quoted\" line\nand {{id}} another");
        assert_eq!(read["sid"], "");
        assert_eq!(hostile.by_template("{{moon}}"), Err(BadTemplate("moon".into())));
        assert_eq!(hostile.by_template("{{entry}}"), Err(BadTemplate("entry".into())), "that is no text");
        assert_eq!(hostile.by_template("{{id").unwrap(), "{{id");
    }

    #[test]
    fn a_text_says_what_where_since_when_and_what_to_do() {
        let node3 = NodeName::new("node3").unwrap();
        let lost = message(Event::NotifyFenceStarted { node: node3 }.into());
        let text = lost.text();
        for part in
            ["What:   ", "Where:  node1", "Since:  2026-11-29 20:17:10 UTC", "HA:     HA makes sure", "To do:  "]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(lost.subject().starts_with("[HA error] "), "{}", lost.subject());
        let read: Value = serde_json::from_str(&lost.json()).unwrap();
        assert_eq!((&read["id"], &read["cluster"]), (&json!("node1.1.17"), &json!("c1")));
        assert_eq!(read["time"], "2026-11-29T20:17:10.250Z");
    }
}
