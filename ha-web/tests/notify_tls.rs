//! Notifications over TLS: to a receiver whose certificate an authority of one's own vouches for, and to none that can't prove who it is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
    thread,
};

use common::Cluster;
use ha_host::store::SideFile;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// An authority that vouches for certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// What a server of this name needs.
    fn vouch(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Arc<ServerConfig> {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }

    /// The file that a target names.
    fn file(&self, cluster: &Cluster, name: &str) -> String {
        let path = cluster.directory.join(name);
        fs::write(&path, self.0.pem()).unwrap();
        path.display().to_string()
    }
}

/// What somebody sent, as far as it got.
type Said = Arc<Mutex<Vec<String>>>;

fn encrypted(tcp: TcpStream, config: &Arc<ServerConfig>) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), tcp)
}

/// Somebody who takes requests over HTTPS. Gives the port.
fn web_server(config: Arc<ServerConfig>) -> (u16, Said) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = Said::default();
    let kept = said.clone();
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut stream = BufReader::new(encrypted(tcp.unwrap(), &config));
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).is_ok_and(|count| count > 0) {}
            let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok();
            let Some(length) = head.lines().find_map(length) else { continue };
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            kept.lock().unwrap().push(String::from_utf8(body).unwrap());
            stream.get_mut().write_all(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            stream.get_mut().conn.send_close_notify();
            let _ = stream.get_mut().flush();
        }
    });
    (port, said)
}

/// How a mail server is spoken to by TLS.
#[derive(Clone)]
enum MailServer {
    AtOnce(Arc<ServerConfig>),
    StartTls(Arc<ServerConfig>),
    Never,
}

/// Takes mails. What was said without TLS is apart from what was said by it.
fn mail_server(how: MailServer) -> (u16, Said, Said) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (plain, by_tls) = (Said::default(), Said::default());
    let kept = (plain.clone(), by_tls.clone());
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let tcp = tcp.unwrap();
            if let MailServer::AtOnce(config) = &how {
                speak(encrypted(tcp, config), &kept.1, "220 here\r\n", false);
                continue;
            }
            let wants_tls =
                speak(tcp.try_clone().unwrap(), &kept.0, "220 here\r\n", matches!(how, MailServer::StartTls(_)));
            if let (true, MailServer::StartTls(config)) = (wants_tls, &how) {
                speak(encrypted(tcp, config), &kept.1, "", false);
            }
        }
    });
    (port, plain, by_tls)
}

/// Goes on until the other end has said all, or wants to go on by TLS.
fn speak(stream: impl Read + Write, kept: &Said, greeting: &str, has_tls: bool) -> bool {
    let mut stream = BufReader::new(stream);
    if stream.get_mut().write_all(greeting.as_bytes()).is_err() {
        return false;
    }
    let mut is_data = false;
    loop {
        let mut line = String::new();
        if !stream.read_line(&mut line).is_ok_and(|count| count > 0) {
            return false;
        }
        let line = line.trim_end();
        kept.lock().unwrap().push(line.to_owned());
        let answer = match line {
            "." if is_data => {
                is_data = false;
                "250 taken"
            }
            _ if is_data => continue,
            "STARTTLS" if has_tls => "220 go on",
            "STARTTLS" => "502 no such command",
            "DATA" => {
                is_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            line if line.starts_with("AUTH ") => "235 welcome",
            _ => "250 ok",
        };
        let sent = stream.get_mut().write_all(format!("{answer}\r\n").as_bytes());
        if sent.and_then(|()| stream.get_mut().flush()).is_err() || line == "QUIT" {
            return false;
        }
        if line == "STARTTLS" && has_tls {
            return true;
        }
    }
}

/// Has a target told, as `ha notify test` does. Gives what that says.
fn tell(cluster: &Cluster, target: &str) -> String {
    cluster.store.edit_side_file(SideFile::NotifyConfig, &mut |_| Some(target.as_bytes().to_vec())).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ha-web"));
    command.args(["notify", "test"]).env("HA_NODE", "node1");
    command.env("HA_STORE", format!("file:{}", cluster.directory.display()));
    command.env("HA_STATE_DIR", cluster.directory.join("state"));
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!said.is_empty() && output.status.success() == said.contains(": told"), "{said}{complaint}");
    said
}

fn webhook(port: u16, ca_file: &str) -> String {
    format!("webhook: hook\n\turl https://localhost:{port}/hook\n\tca-file {ca_file}\n\n")
}

#[test]
fn a_webhook_is_told_over_https_if_it_can_prove_who_it_is() {
    let cluster = Cluster::new();
    let (own, other) = (Authority::new("own"), Authority::new("other"));
    let (own_file, other_file) = (own.file(&cluster, "own.pem"), other.file(&cluster, "other.pem"));
    let (port, said) = web_server(own.vouch("localhost", |_| {}));
    assert_eq!(tell(&cluster, &webhook(port, &own_file)), "hook: told\n");
    assert!(said.lock().unwrap()[0].contains("this is a test of notifications"));

    let refused = |port: u16, ca_file: &str, why: &str| {
        let told = tell(&cluster, &webhook(port, ca_file));
        assert!(told.starts_with("hook: failed: it is not trusted: ") && told.contains(why), "{told}");
    };
    refused(port, &other_file, "Name the file of who does as 'ca-file'");
    let (elsewhere, to_elsewhere) = web_server(own.vouch("elsewhere.example", |_| {}));
    refused(elsewhere, &own_file, "its certificate is for another name");
    let (old, to_old) = web_server(own.vouch("localhost", |parameters| {
        parameters.not_before = date_time_ymd(2001, 1, 1);
        parameters.not_after = date_time_ymd(2002, 1, 1);
    }));
    refused(old, &own_file, "its certificate has expired");
    assert_eq!(said.lock().unwrap().len(), 1, "nothing was told to whom is not trusted");
    assert!(to_elsewhere.lock().unwrap().is_empty() && to_old.lock().unwrap().is_empty());
}

fn mail(cluster: &Cluster, port: u16, security: &str, ca_file: &str) -> String {
    let password = cluster.directory.join("mail.password");
    fs::write(&password, "open sesame").unwrap();
    fs::set_permissions(&password, PermissionsExt::from_mode(0o600)).unwrap();
    let login = format!("\tuser ha\n\tpassword-file {}\n", password.display());
    let ends = "\tfrom ha@a.example\n\tto x@b.example\n";
    format!("smtp: mail\n\tserver localhost:{port}\n{ends}\tsecurity {security}\n\tca-file {ca_file}\n{login}\n")
}

fn has_login(said: &Said) -> bool {
    said.lock().unwrap().iter().any(|line| line.starts_with("AUTH "))
}

#[test]
fn a_mail_server_hears_the_password_by_tls_alone_and_only_if_it_can_prove_who_it_is() {
    let cluster = Cluster::new();
    let (own, other) = (Authority::new("own"), Authority::new("other"));
    let (own_file, other_file) = (own.file(&cluster, "own.pem"), other.file(&cluster, "other.pem"));
    let config = own.vouch("localhost", |_| {});
    for (security, how) in
        [("starttls", MailServer::StartTls(config.clone())), ("tls", MailServer::AtOnce(config.clone()))]
    {
        let (port, plain, by_tls) = mail_server(how);
        assert_eq!(tell(&cluster, &mail(&cluster, port, security, &own_file)), "mail: told\n", "{security}");
        assert!(has_login(&by_tls) && !has_login(&plain), "{security}: {plain:?}");
        assert!(by_tls.lock().unwrap().contains(&"RCPT TO:<x@b.example>".to_owned()));
        by_tls.lock().unwrap().clear();

        let told = tell(&cluster, &mail(&cluster, port, security, &other_file));
        assert!(told.starts_with("mail: failed: the mail server is not trusted: nobody known vouches"), "{told}");
        assert!(!has_login(&by_tls) && !has_login(&plain), "{security}: the password was said");
    }
    let (port, plain, _) = mail_server(MailServer::Never);
    let told = tell(&cluster, &mail(&cluster, port, "starttls", &own_file));
    assert!(told.contains("502 no such command"), "{told}");
    assert!(!has_login(&plain), "the password was said so that anybody could hear it");
    assert!(plain.lock().unwrap().iter().all(|line| !line.starts_with("MAIL ")), "{plain:?}");
}
