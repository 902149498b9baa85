//! Questions to etcd and its answers, as its JSON gateway has them: numbers of 64 bits are strings, keys and values are base64,
//! and what is empty is left out.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes, in base64.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&base64::display::Base64Display::new(&self.0, &STANDARD))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes in base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                STANDARD.decode(text).map(Bytes).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A whole number, as a string or as it is.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number<'a> {
        Number(i64),
        Text(#[serde(borrow)] std::borrow::Cow<'a, str>),
    }
    match Number::deserialize(deserializer)? {
        Number::Number(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(de::Error::custom),
    }
}

/// What comes with every answer.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Header {
    /// Names the etcd cluster; empty in what is not an answer of etcd.
    #[serde(default)]
    pub(super) cluster_id: String,
    /// Names the member that answers.
    #[serde(default)]
    pub(super) member_id: String,
    /// Grows with every change of any key.
    #[serde(default, deserialize_with = "number")]
    pub(super) revision: i64,
}

/// An answer with its header.
pub(super) trait Answer: de::DeserializeOwned {
    fn header(&self) -> &Header;
}

macro_rules! answers {
    ($($name:ident),*) => {
        $(impl Answer for $name {
            fn header(&self) -> &Header {
                &self.header
            }
        })*
    };
}

answers!(Values, Written);

/// Asks for a key, or for all from it to before another one.
#[derive(Debug, Serialize)]
pub(super) struct Range {
    pub(super) key: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) range_end: Option<Bytes>,
}

impl Range {
    /// All keys that begin so.
    pub(super) fn prefix(prefix: &str) -> Self {
        let mut end = prefix.as_bytes().to_vec();
        // The next key that does not begin so: the last byte that can be one more is. Text has no byte 0xff.
        if let Some(last) = end.last_mut() {
            *last = last.saturating_add(1);
        }
        Self { key: Bytes(prefix.into()), range_end: Some(Bytes(end)) }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Values {
    #[serde(default)]
    pub(super) header: Header,
    #[serde(default)]
    pub(super) kvs: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pair {
    pub(super) key: Bytes,
    #[serde(default)]
    pub(super) value: Bytes,
    #[serde(default, deserialize_with = "number")]
    pub(super) mod_revision: i64,
}

/// Makes changes if all comparisons hold.
#[derive(Debug, Serialize)]
pub(super) struct Transaction {
    pub(super) compare: Vec<Compare>,
    pub(super) success: Vec<Operation>,
}

#[derive(Debug, Serialize)]
pub(super) struct Compare {
    key: Bytes,
    #[serde(flatten)]
    target: Target,
}

#[derive(Debug, Serialize)]
#[serde(tag = "target")]
enum Target {
    #[serde(rename = "MOD")]
    Revision {
        #[serde(serialize_with = "text")]
        mod_revision: i64,
    },
    #[serde(rename = "VALUE")]
    Value { value: Bytes },
}

fn text<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

impl Compare {
    /// Whether a key was last changed at this revision; 0 if it is not there.
    pub(super) fn revision(key: &str, mod_revision: i64) -> Self {
        Self { key: Bytes(key.into()), target: Target::Revision { mod_revision } }
    }

    /// Whether a key has this value.
    pub(super) fn value(key: &str, value: &[u8]) -> Self {
        Self { key: Bytes(key.into()), target: Target::Value { value: Bytes(value.into()) } }
    }
}

#[derive(Debug, Serialize)]
pub(super) enum Operation {
    #[serde(rename = "request_put")]
    Put(Put),
    #[serde(rename = "request_delete_range")]
    Delete { key: Bytes },
}

#[derive(Debug, Serialize)]
pub(super) struct Put {
    pub(super) key: Bytes,
    pub(super) value: Bytes,
}

/// The answer to a change.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    pub(super) header: Header,
    /// Of a transaction: whether all comparisons held.
    #[serde(default)]
    pub(super) succeeded: bool,
}

/// A question without fields.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

#[derive(Debug, Deserialize)]
pub(super) struct Members {
    #[serde(default)]
    pub(super) header: Header,
    #[serde(default)]
    pub(super) members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    #[serde(default, rename = "clientURLs")]
    pub(super) client_urls: Vec<String>,
    /// It answers no questions yet.
    #[serde(default, rename = "isLearner")]
    pub(super) is_learner: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Login<'a> {
    pub(super) name: &'a str,
    pub(super) password: &'a str,
}

#[derive(Debug, Deserialize)]
pub(super) struct Token {
    #[serde(default)]
    pub(super) token: String,
}

/// How a member is.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Status {
    #[serde(default)]
    pub(super) header: Header,
    /// The member that leads, as it is named in headers.
    #[serde(default)]
    pub(super) leader: String,
    /// Bytes of its file.
    #[serde(default, rename = "dbSize", deserialize_with = "number")]
    pub(super) size: i64,
    /// Those that are in use.
    #[serde(default, rename = "dbSizeInUse", deserialize_with = "number")]
    pub(super) in_use: i64,
    /// How large its file may become; from etcd 3.6 on.
    #[serde(default, rename = "dbSizeQuota", deserialize_with = "number")]
    pub(super) quota: i64,
}

/// Forgets what keys were before a revision.
#[derive(Debug, Serialize)]
pub(super) struct Compaction {
    #[serde(serialize_with = "text")]
    pub(super) revision: i64,
    /// Whether the answer waits until that is done.
    pub(super) physical: bool,
}

/// What is done about an alarm.
#[derive(Debug, Serialize)]
pub(super) struct AlarmQuestion<'a> {
    pub(super) action: &'a str,
    #[serde(rename = "memberID", skip_serializing_if = "Option::is_none")]
    pub(super) member: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alarm: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Alarms {
    #[serde(default)]
    pub(super) alarms: Vec<Alarm>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Alarm {
    #[serde(default, rename = "memberID")]
    pub(super) member: String,
    #[serde(default)]
    pub(super) alarm: String,
}

/// An answer in which nothing is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

/// What is in an answer that is none. It need not be JSON.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) message: String,
    /// As gRPC numbers them.
    #[serde(default)]
    pub(super) code: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_have_the_form_of_the_gateway() {
        let transaction = Transaction {
            compare: vec![Compare::revision("k", 7), Compare::value("k", b"v")],
            success: vec![
                Operation::Put(Put { key: Bytes(b"k".into()), value: Bytes(b"w".into()) }),
                Operation::Delete { key: Bytes(b"l".into()) },
            ],
        };
        let expected = serde_json::json!({
            "compare": [
                {"key": "aw==", "target": "MOD", "mod_revision": "7"},
                {"key": "aw==", "target": "VALUE", "value": "dg=="},
            ],
            "success": [
                {"request_put": {"key": "aw==", "value": "dw=="}},
                {"request_delete_range": {"key": "bA=="}},
            ],
        });
        assert_eq!(serde_json::to_value(transaction).unwrap(), expected);
        let range = serde_json::to_value(Range::prefix("a/")).unwrap();
        assert_eq!(range, serde_json::json!({"key": "YS8=", "range_end": "YTA="}));
        let answer =
            r#"{"header": {"cluster_id": "9", "revision": "12"}, "kvs": [{"key": "aw==", "mod_revision": 3}]}"#;
        let values: Values = serde_json::from_str(answer).unwrap();
        assert_eq!((values.header.revision, values.kvs[0].mod_revision), (12, 3));
        assert_eq!((&*values.kvs[0].key.0, &*values.kvs[0].value.0), (&b"k"[..], &b""[..]));
        assert!(serde_json::from_str::<Values>(r#"{"kvs": [{"key": "?"}]}"#).is_err());
    }
}
