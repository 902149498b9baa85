//! Encrypted connections to etcd: what they need, checked before the first one is made.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::{EtcdTls, StoreError};

/// The settings of the connections.
pub(super) fn config(tls: &EtcdTls) -> Result<TlsConfig, StoreError> {
    let provider = Arc::new(ring::default_provider());
    let authorities = certificates(&tls.ca)?;
    let mut usable = RootCertStore::empty();
    usable.add_parsable_certificates(authorities.iter().map(|authority| CertificateDer::from(authority.der())));
    if usable.is_empty() {
        return Err(refused(&tls.ca, "there is no certificate in it that can sign others"));
    }
    let client = tls.client.as_ref().map(|(cert, key)| client(cert, key, &provider)).transpose()?;
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::new_with_certs(&authorities))
        .client_cert(client)
        .build())
}

/// Settings with which no connection is made: just to see whether somebody speaks TLS.
pub(super) fn trusting_nobody() -> TlsConfig {
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&[]))
        .build()
}

fn client(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<ClientCert, StoreError> {
    let chain = certificates(cert)?;
    let text = read_secret(key)?;
    let no_key = || refused(key, "there is no private key in it, or one with a password");
    let private = PrivateKey::from_pem(&text).map_err(|_| no_key())?;
    let signing = PrivateKeyDer::from_pem_slice(&text).map_err(|_| no_key())?;
    let signing = provider.key_provider.load_private_key(signing);
    let signing = signing.map_err(|_| refused(key, "its private key is of no kind that can be used"))?;
    let ders = chain.iter().map(|certificate| CertificateDer::from(certificate.der()).into_owned()).collect();
    match CertifiedKey::new(ders, signing).keys_match() {
        // Where it can't be told, etcd will tell.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(_) => return Err(refused(key, &format!("it is not the key of the certificate in {}", cert.display()))),
    }
    Ok(ClientCert::new_with_certs(&chain, private))
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, StoreError> {
    let text = fs::read(path).map_err(StoreError::file("read", path))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|_| refused(path, "it is damaged, or not in PEM form"))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() { Err(refused(path, "there is no certificate in it")) } else { Ok(certificates) }
}

/// A file that nobody else may read.
pub(super) fn read_secret(path: &Path) -> Result<Vec<u8>, StoreError> {
    let metadata = fs::metadata(path).map_err(StoreError::file("read", path))?;
    if metadata.permissions().mode() & 0o007 != 0 {
        let path = path.display();
        return Err(StoreError::EtcdRefused(format!(
            "{path} is open to everybody on this machine: 'chmod 600 {path}'"
        )));
    }
    fs::read(path).map_err(StoreError::file("read", path))
}

fn refused(path: &Path, why: &str) -> StoreError {
    StoreError::EtcdRefused(format!("{} can't be used: {why}", path.display()))
}
