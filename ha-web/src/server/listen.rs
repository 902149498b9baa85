//! Where a server listens.

use std::{
    fs::{self, Permissions},
    io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    str::FromStr,
};

use tokio::net::{TcpListener, UnixListener, UnixStream, lookup_host};

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `HOST:PORT`; port 0 takes a free one.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// `unix:PATH`.
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err("'unix:' needs a path".into()) } else { Ok(Self::Unix(path.into())) };
        }
        let bad = || format!("'{text}' is no address: expected HOST:PORT or unix:PATH");
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().map_err(|_| bad())?;
        if host.is_empty() { Err(bad()) } else { Ok(Self::Tcp { host: host.into(), port }) }
    }
}

/// Why a server can't listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address can't be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// Everybody in between could read along.
    #[error("{0} is not a loopback address: --plain would send secrets unencrypted; use TLS")]
    Plain(SocketAddr),
}

/// What a server listens on.
#[derive(Debug)]
pub enum Bound {
    /// A port.
    Tcp(TcpListener),
    /// A socket of this machine.
    Unix(UnixListener, PathBuf),
}

impl Address {
    /// Begins to listen, on each of the addresses that a name has. `is_encrypted`: whether it will be by TLS.
    ///
    /// # Errors
    ///
    /// If it can't be had, or if it would be unencrypted where others can read along.
    pub async fn bind(&self, is_encrypted: bool) -> Result<Vec<Bound>, ListenError> {
        match self {
            Self::Unix(path) => Ok(vec![Bound::Unix(bind_unix(path).await?, path.clone())]),
            Self::Tcp { host, port } => {
                let error = |source| ListenError::Listen { address: format!("{host}:{port}"), source };
                let mut bound = Vec::new();
                for address in lookup_host((host.as_str(), *port)).await.map_err(error)? {
                    if !is_encrypted && !address.ip().is_loopback() {
                        return Err(ListenError::Plain(address));
                    }
                    // A name may stand for an address of a family that this machine does not have.
                    match TcpListener::bind(address).await {
                        Ok(listener) => bound.push(Bound::Tcp(listener)),
                        Err(_) if !bound.is_empty() => {}
                        Err(source) => return Err(ListenError::Listen { address: address.to_string(), source }),
                    }
                    if *port == 0 {
                        break;
                    }
                }
                match bound.is_empty() {
                    true => Err(error(io::ErrorKind::AddrNotAvailable.into())),
                    false => Ok(bound),
                }
            }
        }
    }

    /// The name or the address by which a certificate should be good.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Tcp { host, .. } => {
                let is_any = host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
                (!is_any).then_some(host.as_str())
            }
            Self::Unix(_) => None,
        }
    }
}

async fn bind_unix(path: &Path) -> Result<UnixListener, ListenError> {
    let error = |source| ListenError::Listen { address: format!("unix:{}", path.display()), source };
    let is_socket = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    // Nobody listens on what a killed server left behind.
    if is_socket && UnixStream::connect(path).await.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        fs::remove_file(path).map_err(error)?;
    }
    let listener = UnixListener::bind(path).map_err(error)?;
    fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(error)?;
    Ok(listener)
}

impl Bound {
    /// Where it listens, as a client writes it.
    #[must_use]
    pub fn url(&self, is_encrypted: bool) -> String {
        let scheme = if is_encrypted { "https" } else { "http" };
        match self {
            Self::Tcp(listener) => {
                let address = listener.local_addr().map(|address| address.to_string());
                format!("{scheme}://{}", address.unwrap_or_default())
            }
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let tcp = |host: &str, port| Address::Tcp { host: host.into(), port };
        assert_eq!("127.0.0.1:8006".parse(), Ok(tcp("127.0.0.1", 8006)));
        assert_eq!("[::1]:0".parse(), Ok(tcp("::1", 0)));
        assert_eq!("unix:/run/ha/web".parse(), Ok(Address::Unix("/run/ha/web".into())));
        for bad in ["", "8006", ":8006", "host:", "host:70000", "unix:"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
