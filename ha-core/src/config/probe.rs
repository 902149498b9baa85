//! Probes: how it is seen whether a service that runs is ready, too.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use super::{
    shell_words,
    value::{ValueError, excerpt},
};
use crate::text_enum::text_enum;

/// What a text must be to name a probe.
const EXPECTED: &str = "a probe: expected 'agent', 'tcp:PORT', 'tcp:HOST:PORT', 'http://HOST[:PORT][/PATH]' or \
                        'exec:NAME [ARGUMENT]...', where NAME is a program in the directory of probes, without '/'";

/// How it is seen whether a service is ready, as it is configured: its text, and what that asks for.
///
/// ```
/// use ha_core::config::resources::{Probe, ProbeTarget};
///
/// let probe: Probe = "tcp:5432".parse()?;
/// assert_eq!(*probe.target(), ProbeTarget::Tcp { host: None, port: 5432 });
/// assert_eq!(probe.as_str(), "tcp:5432");
/// assert!("exec:/bin/sh -c true".parse::<Probe>().is_err(), "only what lies in the directory of probes");
/// # Ok::<(), ha_core::config::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Probe {
    text: String,
    target: ProbeTarget,
}

/// What a probe asks, and whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProbeTarget {
    /// The agent of the service.
    Agent,
    /// Whether a TCP connection can be made.
    Tcp {
        /// The name or number of whom to connect to; `None` is the node itself.
        host: Option<String>,
        /// The port, at least 1.
        port: u16,
    },
    /// Whether a GET of this URL is answered with a status from 200 to 399.
    Http(String),
    /// Whether a program succeeds: exit code 0.
    Exec {
        /// The name of the program in the directory of probes of the node.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// What follows when a service that runs fails its probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum OnFailure {
    /// It is shown and reported.
    #[default]
    Report,
    /// It is stopped and started again on its node, as one that has ended by itself.
    Restart,
    /// It is stopped and started on another node, as one whose start has failed.
    Relocate,
}

text_enum! {
    OnFailure: "what follows a failed probe",
    Report = "report",
    Restart = "restart",
    Relocate = "relocate",
}

impl Probe {
    /// The text, as in the file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it asks, and whom.
    #[must_use]
    pub fn target(&self) -> &ProbeTarget {
        &self.target
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Probe {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = || ValueError::Form { found: excerpt(text.as_bytes()), expected: EXPECTED };
        if text.chars().any(char::is_control) {
            return Err(error());
        }
        let target = target_of(text).ok_or_else(error)?;
        Ok(Self { text: text.into(), target })
    }
}

fn target_of(text: &str) -> Option<ProbeTarget> {
    if text == "agent" {
        return Some(ProbeTarget::Agent);
    }
    if text.starts_with("http://") {
        return http(text);
    }
    let (kind, rest) = text.split_once(':')?;
    match kind {
        "tcp" => tcp(rest),
        "exec" => exec(rest),
        _ => None,
    }
}

fn tcp(rest: &str) -> Option<ProbeTarget> {
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (Some(host), port),
        None => (None, rest),
    };
    let host = host.map(host_name).map_or(Some(None), |host| host.map(Some))?;
    Some(ProbeTarget::Tcp { host, port: port_number(port)? })
}

/// A name or number of a host; one of IPv6 stands in brackets, which are left out.
fn host_name(text: &str) -> Option<String> {
    let in_brackets = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_good = match in_brackets {
        Some(number) => number.parse::<core::net::Ipv6Addr>().is_ok(),
        None => {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        }
    };
    is_good.then(|| in_brackets.unwrap_or(text).into())
}

fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok().filter(|port| *port > 0) } else { None }
}

fn http(url: &str) -> Option<ProbeTarget> {
    let rest = url.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let after_brackets = authority.rfind(']').map_or(authority, |at| authority.get(at..).unwrap_or_default());
    let has_port = after_brackets.contains(':');
    let host = if has_port {
        let (host, port) = authority.rsplit_once(':')?;
        port_number(port)?;
        host
    } else {
        authority
    };
    host_name(host)?;
    path.bytes().all(|byte| byte.is_ascii_graphic()).then(|| ProbeTarget::Http(url.into()))
}

fn exec(rest: &str) -> Option<ProbeTarget> {
    let mut words = shell_words::split(rest).ok()?.into_iter();
    let program = words.next()?;
    let is_name = !program.contains('/') && !program.starts_with('.');
    is_name.then(|| ProbeTarget::Exec { program, arguments: words.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_probe_asks_is_read_from_its_text() {
        let tcp = |host: Option<&str>, port| ProbeTarget::Tcp { host: host.map(Into::into), port };
        let exec = |program: &str, arguments: &[&str]| ProbeTarget::Exec {
            program: program.into(),
            arguments: arguments.iter().map(|word| (*word).into()).collect(),
        };
        let probes = [
            ("agent", ProbeTarget::Agent),
            ("tcp:22", tcp(None, 22)),
            ("tcp:db.example.org:5432", tcp(Some("db.example.org"), 5432)),
            ("tcp:[fe80::1]:5432", tcp(Some("fe80::1"), 5432)),
            ("http://[::1]:80/a?b=c", ProbeTarget::Http("http://[::1]:80/a?b=c".into())),
            ("http://localhost", ProbeTarget::Http("http://localhost".into())),
            ("exec:pg-ready --host 'a b'", exec("pg-ready", &["--host", "a b"])),
        ];
        for (text, target) in probes {
            let probe: Probe = text.parse().unwrap();
            assert_eq!((probe.target(), probe.as_str()), (&target, text));
        }
    }

    #[test]
    fn what_is_no_probe_is_refused() {
        let wrong = [
            "",
            "Agent",
            "agent:",
            "tcp",
            "tcp:",
            "tcp:0",
            "tcp:65536",
            "tcp:+1",
            "tcp::22",
            "tcp:a b:22",
            "tcp:[::g]:1",
            "tcp:::1:22",
            "http:",
            "http://",
            "http:///path",
            "http://a:b/",
            "http://a b/",
            "http://a/\u{e9}",
            "https://localhost/",
            "exec:",
            "exec:/bin/true",
            "exec:../true",
            "exec:a 'b",
            "exec:a\nb",
            "udp:53",
        ];
        for text in wrong {
            assert!(text.parse::<Probe>().is_err(), "{text:?} was taken");
        }
    }
}
