//! By whose certificates the other end is trusted.

use std::path::Path;

use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{Failed, secret::file};

/// Where systems keep the certificates that they trust.
const OF_SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

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
