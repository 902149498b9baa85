//! Properties of services, groups and rules for programs.

use serde_json::{Value, json};

/// The text of a property as JSON has it: numbers and truth values as such, all others as texts.
///
/// ```
/// use ha_host::desk::property_value;
///
/// assert_eq!(property_value("max_restart", "3"), 3);
/// assert_eq!(property_value("failback", "0"), false);
/// assert_eq!(property_value("comment", "3"), "3");
/// ```
#[must_use]
pub fn property_value(key: &str, text: &str) -> Value {
    match key {
        "max_restart" | "max_relocate" | "priority" | "failback-delay" | "failure-timeout" | "delay" | "timeout"
        | "probe-interval" | "probe-timeout" | "probe-failures" | "ready-timeout" => {
            text.parse::<u32>().map_or_else(|_| json!(text), |number| json!(number))
        }
        "failback" | "auto-rebalance" | "restricted" | "nofailback" | "strict" | "disable" => json!(text == "1"),
        _ => json!(text),
    }
}
