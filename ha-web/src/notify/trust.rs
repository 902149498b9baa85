//! By whose certificates the other end is trusted.

use std::path::Path;

use rustls::{
    CertificateError,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{Failed, secret::file};

/// Where systems keep the certificates that they trust.
const OF_SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Why one that speaks TLS is not spoken to, to go on after its name.
#[allow(clippy::wildcard_enum_match_arm, reason = "the errors of others that people can do something about")]
pub(super) fn words(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(why) = error else { return format!("can't be spoken to by TLS: {error}") };
    match why {
        CertificateError::UnknownIssuer => {
            "is not trusted: nobody known vouches for its certificate. Name the file of who does as 'ca-file'".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is not trusted: its certificate is for another name".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "is not trusted: its certificate has expired, by the clock of this node".into()
        }
        _ => format!("is not trusted: {error}"),
    }
}

/// The same where it is what went wrong with a stream.
pub(super) fn words_of_stream(error: &std::io::Error) -> Option<String> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).map(words)
}

/// The certificates of a file, by default those of the system.
pub(super) fn certificates(ca_file: Option<&str>) -> Result<Vec<CertificateDer<'static>>, Failed> {
    let of_system = || OF_SYSTEM.into_iter().find(|path| Path::new(path).exists());
    let Some(path) = ca_file.or_else(of_system) else {
        return Err(Failed::later(
            "this system has no certificates to trust: install 'ca-certificates', or name a 'ca-file'".into(),
        ));
    };
    let text = file(path)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect();
    if certificates.is_empty() {
        Err(Failed::later(format!("there is no certificate in {path}")))
    } else {
        Ok(certificates)
    }
}
