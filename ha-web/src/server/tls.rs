//! Certificates and keys.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ha_host::os::files::{self, Durability};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// How a server is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// By a certificate that is made, and kept in a directory.
    SelfSigned(PathBuf),
    /// By a certificate and a key in files.
    Files {
        /// The certificate, with those that vouch for it.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// Not at all.
    Plain,
}

/// Why a server can't be protected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read or written.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// No certificate can be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The certificate and the key are of no use.
    #[error("the certificate and its key can't be used: {0}")]
    Use(#[from] rustls::Error),
}

/// What a server speaks TLS with, and how people know it.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The settings.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate: its bytes in hexadecimal, separated by colons.
    pub fingerprint: String,
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    let path = path.display().to_string();
    move |error| TlsError::File { path, problem: error.to_string() }
}

impl Security {
    /// What to speak TLS with; nothing if it is not protected. `names` are those by which the server will be reached.
    ///
    /// # Errors
    ///
    /// If certificate and key can't be read, made or used.
    pub fn prepare(&self, names: &[String]) -> Result<Option<Tls>, TlsError> {
        let (certificate, key) = match self {
            Self::Plain => return Ok(None),
            Self::Files { certificate, key } => (certificate.clone(), key.clone()),
            Self::SelfSigned(directory) => self_signed(directory, names)?,
        };
        Ok(Some(load(&certificate, &key)?))
    }
}

/// The certificate and the key in a directory, made if they are not there.
fn self_signed(directory: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    files::make_private_directory(directory).map_err(file(directory))?;
    let mut parameters = CertificateParams::new(names.to_vec())?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, names.first().map_or("ha-web", String::as_str));
    parameters.distinguished_name = name;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let pair = KeyPair::generate()?;
    let made = parameters.self_signed(&pair)?;
    // The key first: a certificate without a key is made again.
    files::replace_private(&key, pair.serialize_pem().as_bytes(), "new", Durability::Disk).map_err(file(&key))?;
    files::replace(&certificate, made.pem().as_bytes(), "new", Durability::Disk).map_err(file(&certificate))?;
    Ok((certificate, key))
}

fn load(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
    let bad = |path: &Path, problem: &str| TlsError::File { path: path.display().to_string(), problem: problem.into() };
    let text = fs::read(certificate).map_err(file(certificate))?;
    let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| bad(certificate, &error.to_string()))?;
    let first = chain.first().ok_or_else(|| bad(certificate, "there is no certificate in it"))?;
    let fingerprint = fingerprint(first);
    let text = fs::read(key).map_err(file(key))?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| bad(key, &error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // The reason phrase carries the message, which HTTP/2 does not have.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls { config: Arc::new(config), fingerprint })
}

fn fingerprint(certificate: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    let bytes: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_kept() {
        let directory = std::env::temp_dir().join(format!("ha-web-tls-{}", std::process::id()));
        let security = Security::SelfSigned(directory.clone());
        let names = ["node1".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let first = security.prepare(&names).unwrap().unwrap();
        let again = security.prepare(&names).unwrap().unwrap();
        assert_eq!(first.fingerprint, again.fingerprint);
        assert_eq!(first.fingerprint.len(), 32 * 3 - 1);
        assert_eq!(first.config.alpn_protocols, [b"http/1.1".to_vec()]);
        let mode = fs::metadata(directory.join("key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(&directory).unwrap();
    }
}
