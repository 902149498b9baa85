//! Where a store in etcd is, and how it is reached.

use std::path::PathBuf;

/// Where a store in etcd is, who may be asked for it, and how a program makes itself known there.
///
/// As text it is `etcd://HOST:PORT,HOST:PORT/PREFIX`, or `etcd+https://HOST:PORT,HOST:PORT/PREFIX?ca=FILE` with TLS. After
/// the `?` come options, separated by commas: `ca`, `cert` and `key`, `user` and `password-file`. No secret is part of an
/// address: it names the files, by absolute paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdAddress {
    /// Members that are asked, as `HOST:PORT`. The others are found through them.
    pub endpoints: Vec<String>,
    /// What the keys of the cluster begin with.
    pub prefix: String,
    /// How the connections are encrypted, if they are.
    pub tls: Option<EtcdTls>,
    /// As whom etcd is asked, if it asks for that.
    pub login: Option<EtcdLogin>,
}

/// How connections to etcd are encrypted. All files are PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdTls {
    /// Certificates of those who sign the certificates of etcd's members.
    pub ca: PathBuf,
    /// The certificate, with those that lead to its signer, and the key of this program, where etcd asks for them.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// As whom etcd is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdLogin {
    /// The user.
    pub user: String,
    /// The file with the password, whose first line it is.
    pub password_file: PathBuf,
}

impl EtcdAddress {
    /// The prefix of a cluster that is named by no other.
    const USUAL_PREFIX: &str = "ha";

    /// Reads what follows `etcd://` or `etcd+https://`. Nothing if it has not that form at all; the inner error says what is
    /// wrong with an option.
    pub(in crate::store) fn read(text: &str, is_encrypted: bool) -> Option<Result<Self, String>> {
        let (place, options) = text.split_once('?').map_or((text, None), |(place, options)| (place, Some(options)));
        let (hosts, prefix) = place.split_once('/').unwrap_or((place, Self::USUAL_PREFIX));
        let endpoints: Vec<String> = hosts.split(',').map(str::to_owned).collect();
        if prefix.trim_matches('/').is_empty() || endpoints.iter().any(|endpoint| !is_host_and_port(endpoint)) {
            return None;
        }
        let address = |options: Options| {
            let (tls, login) = options.judge(is_encrypted, &endpoints)?;
            Ok(Self { endpoints, prefix: prefix.into(), tls, login })
        };
        Some(Options::read(options).and_then(address))
    }
}

/// The options of an address as they are written there.
#[derive(Default)]
struct Options {
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
}

impl Options {
    fn read(text: Option<&str>) -> Result<Self, String> {
        let mut options = Self::default();
        let Some(text) = text else { return Ok(options) };
        for option in text.split(',') {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let file = || match value.starts_with('/') {
                true => Ok(PathBuf::from(value)),
                false => Err(format!("'{name}' names a file by its absolute path, and '{value}' is none")),
            };
            let is_new = match name {
                "ca" => options.ca.replace(file()?).is_none(),
                "cert" => options.cert.replace(file()?).is_none(),
                "key" => options.key.replace(file()?).is_none(),
                "password-file" => options.password_file.replace(file()?).is_none(),
                "user" if value.is_empty() => return Err("'user' names nobody".into()),
                "user" => options.user.replace(value.into()).is_none(),
                _ => {
                    return Err(format!(
                        "'{name}' is no option: the options are ca, cert, key, user and password-file"
                    ));
                }
            };
            if !is_new {
                return Err(format!("'{name}' is given twice"));
            }
        }
        Ok(options)
    }

    fn judge(self, is_encrypted: bool, endpoints: &[String]) -> Result<(Option<EtcdTls>, Option<EtcdLogin>), String> {
        let client = match (self.cert, self.key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err("'cert' and 'key' go together".into()),
        };
        let login = match (self.user, self.password_file) {
            (Some(user), Some(password_file)) => Some(EtcdLogin { user, password_file }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err("'user' and 'password-file' go together".into()),
        };
        if !is_encrypted {
            if self.ca.is_some() || client.is_some() {
                return Err("'ca', 'cert' and 'key' are of use with etcd+https:// only".into());
            }
            if let (Some(_), Some(far)) = (&login, endpoints.iter().find(|endpoint| !is_loopback(endpoint))) {
                return Err(format!("a password does not go to {far} unencrypted: use etcd+https:// with ca=FILE"));
            }
            return Ok((None, login));
        }
        let ca = self.ca.ok_or("etcd+https:// needs ca=FILE, the certificate of who signs those of etcd's members")?;
        Ok((Some(EtcdTls { ca, client }), login))
    }
}

/// Whether it is a name or a number of a host with a port.
pub(super) fn is_host_and_port(endpoint: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    endpoint.rsplit_once(':').is_some_and(|(host, port)| {
        let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(number) => number.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(is_usual),
        };
        is_host && port.parse::<u16>().is_ok()
    })
}

/// Whether what is sent to an endpoint stays on this machine.
pub(super) fn is_loopback(endpoint: &str) -> bool {
    let host = endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
