//! Targets that take an HTTP request.

use std::{sync::Arc, time::Duration};

use ring::hmac;
use rustls::crypto::ring as provider;
use ureq::{
    Agent,
    config::Config,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{
    Failed, Message,
    secret::{file, secret},
    trust::{certificates, words as words_of_tls, words_of_stream},
};

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The files that a target names.
pub(super) struct Files<'a> {
    pub(super) secret: Option<&'a str>,
    pub(super) template: Option<&'a str>,
    pub(super) ca: Option<&'a str>,
}

/// Posts a message. The answer must be one of the 200s.
pub(super) fn post(url: &str, files: &Files<'_>, message: &Message) -> Result<(), Failed> {
    let body = match files.template {
        Some(path) => {
            let template = String::from_utf8(file(path)?);
            let template = template.map_err(|_| Failed::later(format!("{path} is not UTF-8")))?;
            message.by_template(&template).map_err(|error| Failed::later(format!("{path}: {error}")))?
        }
        None => message.json(),
    };
    let mut request = agent(url, files.ca)?
        .post(url)
        .content_type("application/json")
        .header("HA-Notification-Id", message.id())
        .header("User-Agent", concat!("ha/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = files.secret {
        request = request.header("HA-Signature", signature(&secret(path)?, body.as_bytes()));
    }
    let answer = request.send(body).map_err(|error| Failed::later(words(&error)))?;
    match answer.status().as_u16() {
        200..=299 => Ok(()),
        // It may be otherwise later on.
        status @ (408 | 425 | 429) => Err(Failed::later(format!("it answers with status {status}"))),
        status @ 400..=499 => Err(Failed::refused(format!("it refuses it, with status {status}"))),
        status => Err(Failed::later(format!("it answers with status {status}"))),
    }
}

/// By this a receiver knows that a body comes from somebody who has the secret.
fn signature(secret: &[u8], body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

fn agent(url: &str, ca_file: Option<&str>) -> Result<Agent, Failed> {
    let config = Config::builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // What is signed is for that address alone.
        .max_redirects(0)
        .proxy(None);
    if !url.starts_with("https://") {
        return Ok(config.build().into());
    }
    let trusted: Vec<Certificate<'_>> =
        certificates(ca_file)?.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(provider::default_provider()))
        .root_certs(RootCerts::new_with_certs(&trusted))
        .build();
    Ok(config.tls_config(tls).build().into())
}

/// What went wrong, without the address: that may hold a secret.
#[allow(clippy::wildcard_enum_match_arm, reason = "the errors of others that matter here")]
fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("it has not answered within {} s", PATIENCE.as_secs()),
        ureq::Error::HostNotFound => "its name is not known".into(),
        ureq::Error::Io(error) => match words_of_stream(error) {
            Some(words) => format!("it {words}"),
            None => format!("it can't be reached: {error}"),
        },
        ureq::Error::Rustls(error) => format!("it {}", words_of_tls(error)),
        ureq::Error::ConnectionFailed => "it can't be reached".into(),
        _ => "it does not speak HTTP as it should".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
