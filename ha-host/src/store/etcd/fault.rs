//! Why etcd gives no answer, in words that say what to do.

use std::{error::Error, io, time::Duration};

use rustls::{AlertDescription, CertificateError};
use ureq::Timeout;

use super::{EtcdAddress, StoreError, wire::Refusal};

/// Why a member of etcd did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The member, as `HOST:PORT`.
    pub(super) endpoint: String,
    pub(super) kind: FaultKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Nobody is there, or the network does not lead there.
    Unreachable(String),
    /// There is no such host.
    UnknownHost,
    /// There was no connection within this time.
    NoConnection(Duration),
    /// There was a connection, and no answer within this time.
    Silent(Duration),
    /// The connection ended before the answer did.
    BrokenOff(String),
    /// The member is up and hears of no leader.
    NoLeader,
    /// The member says that it can't right now.
    Busy(String),
    /// Whoever is there is no etcd, or has its JSON gateway off.
    GatewayOff,
    /// What came is no answer of etcd.
    Unintelligible(String),
    /// It belongs to another etcd cluster than the members before.
    OtherCluster,
    /// It has less in it than it had before.
    GoneBack { from: i64, to: i64 },
    /// It speaks TLS.
    IsEncrypted,
    /// It does not speak TLS.
    IsPlain,
    /// Its certificate is signed by somebody unknown.
    UnknownAuthority,
    /// Its certificate is for another name.
    WrongName,
    /// Its certificate is over, or not valid yet.
    NotValidNow,
    /// It wants a certificate of this program, or another one.
    ClientRefused(String),
    /// Other faults of the encryption.
    Encryption(String),
    /// A password must not go there.
    PasswordInPlain,
    /// The password can't be read, and why.
    NoPassword(String),
    /// It wants to know a user.
    NoUser,
    /// It takes a client certificate for a user, which its gateway can't.
    NamedCertificate,
    /// It does not know the user, or the password is wrong.
    WrongPassword,
    /// The user may not do this.
    Denied,
    /// Its token has ended; it can have another one.
    TokenEnded,
    /// It keeps no users; whoever reaches it may do all.
    NoAuth,
    /// It has used up its space.
    NoSpace,
    /// The question is larger than it takes.
    TooLarge,
    /// It understood, and won't.
    Refused(String),
}

impl FaultKind {
    /// Whether another member would say the same.
    pub(super) const fn is_of_the_cluster(&self) -> bool {
        match self {
            Self::NoUser
            | Self::NamedCertificate
            | Self::WrongPassword
            | Self::Denied
            | Self::GoneBack { .. }
            | Self::NoPassword(_)
            | Self::NoSpace
            | Self::TooLarge
            | Self::Refused(_) => true,
            Self::Unreachable(_)
            | Self::UnknownHost
            | Self::NoConnection(_)
            | Self::Silent(_)
            | Self::BrokenOff(_)
            | Self::NoLeader
            | Self::Busy(_)
            | Self::GatewayOff
            | Self::Unintelligible(_)
            | Self::OtherCluster
            | Self::IsEncrypted
            | Self::IsPlain
            | Self::UnknownAuthority
            | Self::WrongName
            | Self::NotValidNow
            | Self::ClientRefused(_)
            | Self::Encryption(_)
            | Self::PasswordInPlain
            | Self::TokenEnded
            | Self::NoAuth => false,
        }
    }

    /// Whether a change that was asked for may have been made all the same.
    pub(super) const fn may_be_done(&self) -> bool {
        matches!(
            self,
            Self::Silent(_) | Self::BrokenOff(_) | Self::Busy(_) | Self::Unintelligible(_) | Self::Refused(_)
        )
    }

    /// Whether it may be otherwise in a moment, without anybody doing anything about it.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::UnknownHost
            | Self::NoConnection(_)
            | Self::Silent(_)
            | Self::BrokenOff(_)
            | Self::NoLeader
            | Self::Busy(_)
            | Self::TokenEnded
            | Self::NoSpace => true,
            Self::GatewayOff
            | Self::Unintelligible(_)
            | Self::OtherCluster
            | Self::GoneBack { .. }
            | Self::IsEncrypted
            | Self::IsPlain
            | Self::UnknownAuthority
            | Self::WrongName
            | Self::NotValidNow
            | Self::ClientRefused(_)
            | Self::Encryption(_)
            | Self::PasswordInPlain
            | Self::NoPassword(_)
            | Self::NoUser
            | Self::NamedCertificate
            | Self::WrongPassword
            | Self::Denied
            | Self::NoAuth
            | Self::TooLarge
            | Self::Refused(_) => false,
        }
    }
}

/// How a person makes room in an etcd that is full.
pub(super) const MAKE_ROOM: &str =
    "'etcdctl compact REVISION', then 'etcdctl defrag' for each member, then 'etcdctl alarm disarm'";

/// What an answer that is none means. It need not be JSON.
pub(super) fn of_answer(status: u16, body: &[u8]) -> FaultKind {
    let text = String::from_utf8_lossy(body);
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let message = if refusal.message.is_empty() { text.trim() } else { &refusal.message };
    let message: String = message.lines().next().unwrap_or_default().chars().take(200).collect();
    let says = |part: &str| message.contains(part);
    if says("HTTP request to an HTTPS server") {
        FaultKind::IsEncrypted
    } else if status == 404 {
        FaultKind::GatewayOff
    } else if says("no leader") || says("not supported for learner") {
        FaultKind::NoLeader
    } else if says("database space exceeded") {
        FaultKind::NoSpace
    } else if says("request is too large") || says("message larger than max") {
        FaultKind::TooLarge
    } else if says("CommonName of client sending a request against gateway") {
        FaultKind::NamedCertificate
    } else if says("user name is empty") {
        FaultKind::NoUser
    } else if says("authentication failed") || says("user name not found") {
        FaultKind::WrongPassword
    } else if says("authentication is not enabled") {
        FaultKind::NoAuth
    } else if says("permission denied") {
        FaultKind::Denied
    } else if status == 401 || says("invalid auth token") || says("revision of auth store is old") {
        FaultKind::TokenEnded
    } else if matches!(refusal.code, 1 | 2 | 4 | 8 | 14) || status >= 500 || status == 429 {
        // Cancelled, unknown, too late, exhausted, unavailable.
        FaultKind::Busy(message)
    } else if refusal.message.is_empty() {
        FaultKind::Unintelligible(format!("it answers with the HTTP status {status}"))
    } else {
        FaultKind::Refused(message)
    }
}

/// What it means that there was no answer at all.
#[allow(clippy::wildcard_enum_match_arm, reason = "the errors of others that matter here")]
pub(super) fn of_failure(error: &ureq::Error, waited: Duration) -> FaultKind {
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => FaultKind::NoConnection(waited),
        ureq::Error::Timeout(_) => FaultKind::Silent(waited),
        ureq::Error::HostNotFound => FaultKind::UnknownHost,
        ureq::Error::Rustls(error) => of_encryption(error),
        ureq::Error::Io(error) => of_io(error),
        ureq::Error::Protocol(error) => FaultKind::Unintelligible(format!("it does not speak HTTP ({error})")),
        error => FaultKind::BrokenOff(cause(error)),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the errors of others that matter here")]
fn of_io(error: &io::Error) -> FaultKind {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(error) = inner {
        return of_encryption(error);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => FaultKind::Unreachable(plain(error)),
        // It has no kind of its own.
        _ if error.to_string().contains("failed to lookup address") => FaultKind::UnknownHost,
        _ => FaultKind::BrokenOff(plain(error)),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the errors of others that matter here")]
fn of_encryption(error: &rustls::Error) -> FaultKind {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => FaultKind::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => FaultKind::WrongName,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => FaultKind::NotValidNow,
            error => FaultKind::Encryption(error.to_string()),
        },
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied => {
                FaultKind::ClientRefused(format!("it does not take this program's certificate ({})", words(*alert)))
            }
            alert => FaultKind::Encryption(format!("it ends the handshake with '{}'", words(*alert))),
        },
        rustls::Error::InvalidMessage(_) => FaultKind::IsPlain,
        error => FaultKind::Encryption(error.to_string()),
    }
}

/// The name of an alert, such as `BadCertificate`, as words.
fn words(alert: AlertDescription) -> String {
    let mut words = String::new();
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && words.ends_with(|last: char| last.is_ascii_lowercase()) {
            words.push(' ');
        }
        words.push(letter);
    }
    words.to_lowercase()
}

/// The error at the bottom of it all, which says most.
fn cause(error: &dyn Error) -> String {
    let mut bottom = error;
    while let Some(source) = bottom.source() {
        bottom = source;
    }
    bottom.to_string()
}

/// As a person says it, without the number of the error.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// What to say where no member did what all were asked for.
pub(super) fn describe(faults: &[Fault], address: &EtcdAddress) -> StoreError {
    let shown = |fault: &Fault| format!("{} {}", fault.endpoint, fault.kind.what());
    let list = faults.iter().map(shown).collect::<Vec<_>>().join("; ");
    let is_down = |fault: &Fault| {
        matches!(fault.kind, FaultKind::Unreachable(_) | FaultKind::UnknownHost | FaultKind::NoConnection(_))
    };
    if faults.is_empty() {
        return StoreError::Etcd("there was no time left to ask anybody".into());
    }
    if faults.iter().any(|fault| fault.kind == FaultKind::NoLeader) {
        return StoreError::Etcd(format!(
            "it has no quorum: {list}. Nothing is read or written until more than half of its members run: start those that \
             are down ('systemctl start etcd')"
        ));
    }
    if faults.iter().all(is_down) {
        return StoreError::Etcd(format!(
            "no member can be reached: {list}. Does etcd run there, and are these the addresses of its clients?"
        ));
    }
    let may_pass = faults.iter().any(|fault| fault.kind.may_pass());
    // What a person has to do something about says more than what may pass.
    let worst = faults.iter().find(|fault| !fault.kind.may_pass()).or(faults.first());
    let remedy = worst.and_then(|fault| fault.kind.remedy(address)).map(|remedy| format!(": {remedy}"));
    let message = format!("{list}{}", remedy.unwrap_or_default());
    if may_pass { StoreError::Etcd(message) } else { StoreError::EtcdRefused(message) }
}

impl FaultKind {
    /// What the member did, to go on after its name.
    pub(super) fn what(&self) -> String {
        let seconds = |time: &Duration| format!("{:.1} s", time.as_secs_f64());
        match self {
            Self::Unreachable(why) => format!("can't be reached ({why})"),
            Self::UnknownHost => "is the name of no host that is known".into(),
            Self::NoConnection(waited) => format!("takes no connection within {}", seconds(waited)),
            Self::Silent(waited) => format!("gives no answer within {}", seconds(waited)),
            Self::BrokenOff(why) => format!("broke the connection off ({why})"),
            Self::NoLeader => "is up and knows no leader".into(),
            Self::Busy(why) => format!("can't right now ({why})"),
            Self::GatewayOff => "has no JSON gateway".into(),
            Self::Unintelligible(why) => format!("is no etcd, or none that is understood: {why}"),
            Self::OtherCluster => "belongs to another etcd cluster than the members that answered before".into(),
            Self::GoneBack { from, to } => format!("has gone back from revision {from} to {to}"),
            Self::IsEncrypted => "speaks TLS".into(),
            Self::IsPlain => "does not speak TLS".into(),
            Self::UnknownAuthority => "has a certificate that is signed by somebody unknown".into(),
            Self::WrongName => "has a certificate for another name".into(),
            Self::NotValidNow => "has a certificate that is not valid at this time".into(),
            Self::ClientRefused(why) => format!("refuses this program: {why}"),
            Self::Encryption(why) => format!("can't be spoken to by TLS: {why}"),
            Self::PasswordInPlain => "would get the password unencrypted".into(),
            Self::NoPassword(why) => format!("is not asked without its password: {why}"),
            Self::NoUser => "asks for a user".into(),
            Self::NamedCertificate => "refuses a client certificate with a common name".into(),
            Self::WrongPassword => "does not take user and password".into(),
            Self::Denied => "denies permission".into(),
            Self::TokenEnded => "takes no token that it has just given".into(),
            Self::NoAuth => "keeps no users".into(),
            Self::NoSpace => "has used up its space (alarm NOSPACE)".into(),
            Self::TooLarge => "does not take so much in one request".into(),
            Self::Refused(why) => format!("refuses: {why}"),
        }
    }

    /// What to do about it, if that can be said.
    fn remedy(&self, address: &EtcdAddress) -> Option<String> {
        let user = address.login.as_ref().map(|login| login.user.as_str()).unwrap_or_default();
        let password =
            address.login.as_ref().map(|login| login.password_file.display().to_string()).unwrap_or_default();
        let ca = address.tls.as_ref().map(|tls| tls.ca.display().to_string()).unwrap_or_default();
        let prefix = &address.prefix;
        Some(match self {
            Self::GatewayOff => {
                "an etcd that is started by a configuration file needs 'enable-grpc-gateway: true' in it".into()
            }
            Self::OtherCluster => "name only members of one etcd cluster in the store's address".into(),
            Self::GoneBack { .. } => {
                "it was restored from a backup, or lost data, and locks in it prove nothing now. Stop the HA daemons on all \
                 nodes, or let their watchdogs reset them, and start them again"
                    .into()
            }
            Self::IsEncrypted => "begin the store's address with etcd+https://".into(),
            Self::IsPlain => "begin the store's address with etcd://, or have etcd listen on https".into(),
            Self::UnknownAuthority => format!("name the certificate of its signer as ca=FILE; it is none of those in {ca}"),
            Self::WrongName => "use the name or number that its certificate has (subjectAltName) in the address".into(),
            Self::NotValidNow => "renew it, or set the clock of this machine right".into(),
            Self::ClientRefused(_) => {
                "name a certificate that its --trusted-ca-file knows, and its key, as cert=FILE,key=FILE".into()
            }
            Self::PasswordInPlain => "begin the store's address with etcd+https://".into(),
            Self::NoUser => "name one in the store's address: user=NAME,password-file=FILE".into(),
            Self::NamedCertificate => {
                "with its authentication on, its JSON gateway takes certificates without a CN only, and \
                 user=NAME,password-file=FILE"
                    .into()
            }
            Self::WrongPassword => format!("there is no user '{user}', or {password} holds another password than etcd does"),
            Self::Denied => format!(
                "user '{user}' needs a role that may read and write all below '{prefix}/' \
                 ('etcdctl role grant-permission ROLE --prefix=true readwrite {prefix}/')"
            ),
            Self::NoSpace => format!("it refuses every change until there is room: {MAKE_ROOM}"),
            Self::TooLarge => "start etcd with a larger --max-request-bytes".into(),
            Self::Unreachable(_)
            | Self::UnknownHost
            | Self::NoConnection(_)
            | Self::Silent(_)
            | Self::BrokenOff(_)
            | Self::NoLeader
            | Self::Busy(_)
            | Self::Unintelligible(_)
            | Self::Encryption(_)
            | Self::NoPassword(_)
            | Self::TokenEnded
            | Self::NoAuth
            | Self::Refused(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_are_none_are_told_apart_whatever_their_form() {
        let json = |message: &str, code: i64| format!(r#"{{"error": "x", "message": "{message}", "code": {code}}}"#);
        for (status, body, expected) in [
            (404, "Not Found\n".to_owned(), FaultKind::GatewayOff),
            (400, "Client sent an HTTP request to an HTTPS server.\n".into(), FaultKind::IsEncrypted),
            (
                400,
                "CommonName of client sending a request against gateway will be ignored and not used as expected\n"
                    .into(),
                FaultKind::NamedCertificate,
            ),
            (503, json("etcdserver: no leader", 14), FaultKind::NoLeader),
            (429, json("etcdserver: mvcc: database space exceeded", 8), FaultKind::NoSpace),
            (400, json("etcdserver: request is too large", 3), FaultKind::TooLarge),
            (400, json("etcdserver: user name is empty", 3), FaultKind::NoUser),
            (400, json("etcdserver: authentication failed, invalid user ID or password", 3), FaultKind::WrongPassword),
            (412, json("etcdserver: authentication is not enabled", 9), FaultKind::NoAuth),
            (403, json("etcdserver: permission denied", 7), FaultKind::Denied),
            (500, json("auth: permission denied", 2), FaultKind::Denied),
            (401, json("etcdserver: invalid auth token", 16), FaultKind::TokenEnded),
            (400, json("etcdserver: revision of auth store is old", 3), FaultKind::TokenEnded),
            (503, json("etcdserver: request timed out", 14), FaultKind::Busy("etcdserver: request timed out".into())),
            (502, "<html>\n<b>".into(), FaultKind::Busy("<html>".into())),
            (302, String::new(), FaultKind::Unintelligible("it answers with the HTTP status 302".into())),
            (400, json("no such thing", 3), FaultKind::Refused("no such thing".into())),
        ] {
            assert_eq!(of_answer(status, body.as_bytes()), expected, "{body}");
        }
        assert_eq!(words(AlertDescription::UnknownCA), "unknown ca");
        assert_eq!(words(AlertDescription::BadCertificate), "bad certificate");
    }

    #[test]
    fn a_change_is_tried_elsewhere_only_if_it_was_not_made() {
        let plain = FaultKind::Busy("x".into());
        for kind in [plain, FaultKind::Silent(Duration::ZERO), FaultKind::BrokenOff("x".into())] {
            assert!(kind.may_be_done(), "{kind:?}");
        }
        for kind in [FaultKind::NoLeader, FaultKind::Unreachable("x".into()), FaultKind::NoConnection(Duration::ZERO)] {
            assert!(!kind.may_be_done(), "{kind:?}");
        }
    }
}
