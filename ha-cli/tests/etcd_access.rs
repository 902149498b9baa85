//! The way to etcd: encryption, certificates, users, and what is said where one of them is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use common::{etcd::Etcd, has, skip, wait_for};
use ha_host::store::{StoreAddress, StoreError};
use serde_json::{Value, json};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

const PATIENCE: Duration = Duration::from_secs(5);

/// Certificates and keys, all in one directory as `NAME.pem` and `NAME.key`.
struct Certificates(PathBuf);

impl Certificates {
    fn make(directory: &Path) -> Self {
        let certificates = Self(directory.join("tls"));
        fs::create_dir_all(&certificates.0).unwrap();
        certificates.authority("ca");
        certificates.authority("stranger");
        certificates.sign("server", "ca", "/CN=server", "subjectAltName=IP:127.0.0.1");
        certificates.sign("client", "ca", "/O=ha", "extendedKeyUsage=clientAuth");
        certificates.sign("named", "ca", "/CN=ha", "extendedKeyUsage=clientAuth");
        certificates.sign("strange", "stranger", "/O=ha", "extendedKeyUsage=clientAuth");
        certificates
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn openssl(&self, words: &str) {
        let words: Vec<String> = words
            .split(' ')
            .map(|word| word.strip_prefix('@').map_or_else(|| word.to_owned(), |name| self.file(name)))
            .collect();
        let output = Command::new("openssl").args(words).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn key(&self, name: &str) {
        self.openssl(&format!("ecparam -name prime256v1 -genkey -noout -out @{name}.key"));
        fs::set_permissions(self.file(&format!("{name}.key")), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn authority(&self, name: &str) {
        self.key(name);
        self.openssl(&format!("req -x509 -new -key @{name}.key -subj /CN={name} -days 30 -out @{name}.pem"));
    }

    fn sign(&self, name: &str, authority: &str, subject: &str, extension: &str) {
        self.key(name);
        fs::write(self.file("extension"), extension).unwrap();
        self.openssl(&format!("req -new -key @{name}.key -subj {subject} -out @{name}.csr"));
        self.openssl(&format!(
            "x509 -req -in @{name}.csr -CA @{authority}.pem -CAkey @{authority}.key -CAcreateserial -days 30 \
             -extfile @extension -out @{name}.pem"
        ));
    }

    /// The options that name a client certificate.
    fn client(&self, name: &str) -> String {
        format!("cert={},key={}", self.file(&format!("{name}.pem")), self.file(&format!("{name}.key")))
    }
}

/// A member that speaks TLS and asks for certificates, and knows the users `root` and `ha`, the latter for `ha/test/`.
struct Guarded {
    etcd: Etcd,
    certificates: Certificates,
}

impl Guarded {
    fn start(name: &str) -> Option<Self> {
        if !has("openssl") {
            skip("there is no openssl here");
            return None;
        }
        let mut etcd = Etcd::prepare(name, 1)?;
        let certificates = Certificates::make(&etcd.sandbox.directory);
        let option = |name: &str, file: &str| format!("--{name}={}", certificates.file(file));
        etcd.scheme = "https";
        etcd.more = vec![
            option("cert-file", "server.pem"),
            option("key-file", "server.key"),
            option("trusted-ca-file", "ca.pem"),
            "--client-cert-auth".into(),
        ];
        etcd.run(0);
        fs::write(certificates.file("password"), "secret\n").unwrap();
        fs::set_permissions(certificates.file("password"), fs::Permissions::from_mode(0o600)).unwrap();
        let guarded = Self { etcd, certificates };
        wait_for("etcd is up", 20, || guarded.manage("auth/role/list", &json!({})).is_some());
        for (path, question) in [
            ("auth/user/add", json!({"name": "root", "password": "root"})),
            ("auth/role/add", json!({"name": "root"})),
            ("auth/user/grant", json!({"user": "root", "role": "root"})),
            ("auth/user/add", json!({"name": "ha", "password": "secret"})),
            ("auth/role/add", json!({"name": "ha"})),
            // From `ha/test/` to before `ha/test0`.
            (
                "auth/role/grant",
                json!({"name": "ha", "perm": {
                "permType": "READWRITE", "key": "aGEvdGVzdC8=", "range_end": "aGEvdGVzdDA="}}),
            ),
            ("auth/user/grant", json!({"user": "ha", "role": "ha"})),
            ("auth/enable", json!({})),
        ] {
            assert!(guarded.manage(path, &question).is_some(), "{path}");
        }
        Some(guarded)
    }

    /// Asks etcd as its administrator would, before there are users.
    fn manage(&self, path: &str, question: &Value) -> Option<()> {
        let read = |name: &str| fs::read(self.certificates.file(name)).unwrap();
        let certificate = |name: &str| Certificate::from_pem(&read(name)).unwrap();
        let key = PrivateKey::from_pem(&read("client.key")).unwrap();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&[certificate("ca.pem")]))
            .client_cert(Some(ClientCert::new_with_certs(&[certificate("client.pem")], key)))
            .build();
        let agent = ureq::Agent::config_builder().tls_config(tls).proxy(None);
        let agent = agent.timeout_global(Some(PATIENCE)).build().new_agent();
        let url = format!("https://{}/v3/{path}", self.etcd.endpoint(0));
        agent.post(url).send(question.to_string()).ok().map(drop)
    }

    fn address(&self, host: &str, prefix: &str, options: &str) -> String {
        let endpoint = self.etcd.endpoint(0).replace("127.0.0.1", host);
        format!("etcd+https://{endpoint}/{prefix}?{options}")
    }

    fn login(&self, password: &str) -> String {
        format!("user=ha,password-file={}", self.certificates.file(password))
    }

    /// All that is needed, as it should be.
    fn options(&self) -> String {
        format!(
            "ca={},{},{}",
            self.certificates.file("ca.pem"),
            self.certificates.client("client"),
            self.login("password")
        )
    }
}

fn refusal(address: &str) -> String {
    let error = address.parse::<StoreAddress>().unwrap().open(PATIENCE).unwrap_err();
    // A daemon does not wait for it to pass.
    assert!(matches!(error, StoreError::EtcdRefused(_)), "{error:?}");
    error.to_string()
}

#[test]
fn encryption_certificates_and_users_let_in_who_has_them() {
    let Some(mut guarded) = Guarded::start("etcd-guarded") else { return };
    guarded.etcd.sandbox.address = guarded.address("127.0.0.1", "ha/test", &guarded.options());
    guarded.etcd.sandbox.ok(&["init", "--nodes", "node1", "--timings", "fast"]);
    guarded.etcd.sandbox.ok(&["status"]);
    let store = guarded.etcd.open();
    store.append_command("a").unwrap();
    store.upkeep(&|| true).unwrap();
    assert!(store.problems().unwrap().is_empty());
    // It forgets the tokens that it has given.
    guarded.etcd.kill(0);
    guarded.etcd.run(0);
    wait_for("it lets in again who was in", 20, || store.take_commands().is_ok_and(|taken| taken == ["a"]));
}

#[test]
fn what_is_wrong_on_the_way_to_etcd_is_said_with_a_remedy() {
    let Some(guarded) = Guarded::start("etcd-wrong") else { return };
    let Guarded { etcd, certificates } = &guarded;
    fs::write(certificates.file("wrong"), "guessed\n").unwrap();
    fs::set_permissions(certificates.file("wrong"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(certificates.file("open"), "secret\n").unwrap();
    fs::set_permissions(certificates.file("open"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(certificates.file("empty"), "").unwrap();
    let ca = format!("ca={}", certificates.file("ca.pem"));
    let client = |name: &str| certificates.client(name);
    let near = |options: &str| guarded.address("127.0.0.1", "ha/test", options);
    let login = guarded.login("password");
    let other_key = format!("cert={},key={}", certificates.file("client.pem"), certificates.file("named.key"));
    for (address, says, remedy) in [
        (near(&format!("ca={}", certificates.file("stranger.pem"))), "signed by somebody unknown", "as ca=FILE"),
        (guarded.address("localhost", "ha/test", &ca), "a certificate for another name", "subjectAltName"),
        (near(&ca), "it asks for a certificate", "cert=FILE,key=FILE"),
        (near(&format!("{ca},{}", client("strange"))), "does not take this program's certificate", "--trusted-ca-file"),
        (near(&format!("{ca},{}", client("client"))), "asks for a user", "user=NAME,password-file=FILE"),
        (near(&format!("{ca},{},{login}", client("named"))), "a client certificate with a common name", "without a CN"),
        (
            near(&format!("{ca},{},{}", client("client"), guarded.login("wrong"))),
            "does not take user and password",
            "another password than etcd does",
        ),
        (
            guarded.address("127.0.0.1", "ha/other", &guarded.options()),
            "denies permission",
            "etcdctl role grant-permission ROLE --prefix=true readwrite ha/other/",
        ),
        (near(&format!("{ca},{},{}", client("client"), guarded.login("open"))), "open to everybody", "chmod 600"),
        (near(&format!("{ca},{other_key}")), "it is not the key of the certificate in", "client.pem"),
        (near(&format!("ca={}", certificates.file("empty"))), "can't be used", "there is no certificate in it"),
        (format!("etcd://{}/ha/test", etcd.endpoint(0)), "speaks TLS", "etcd+https://"),
    ] {
        let error = address.parse::<StoreAddress>().unwrap().open(PATIENCE).unwrap_err();
        // A daemon does not wait for it to pass.
        assert!(matches!(error, StoreError::EtcdRefused(_)), "{address}: {error:?}");
        let message = error.to_string();
        assert!(message.contains(says) && message.contains(remedy), "{address}: {message}");
    }
    let error = near(&format!("ca={}", certificates.file("none.pem"))).parse::<StoreAddress>().unwrap();
    assert!(error.open(PATIENCE).unwrap_err().to_string().contains("none.pem: No such file"));
}

#[test]
fn a_member_without_encryption_or_gateway_is_told_from_one_that_is_down() {
    let Some(mut etcd) = Etcd::start("etcd-plain", 1, &["node1"]) else { return };
    let certificates = Certificates::make(&etcd.sandbox.directory);
    let encrypted = format!("etcd+https://{}/ha/test?ca={}", etcd.endpoint(0), certificates.file("ca.pem"));
    let message = refusal(&encrypted);
    assert!(message.contains("does not speak TLS") && message.contains("with etcd://"), "{message}");
    // It keeps no users: whoever names one gets in as everybody does.
    fs::write(certificates.file("password"), "secret\n").unwrap();
    fs::set_permissions(certificates.file("password"), fs::Permissions::from_mode(0o600)).unwrap();
    let login = format!("?user=ha,password-file={}", certificates.file("password"));
    let with_user = format!("{}{login}", etcd.sandbox.address).parse::<StoreAddress>().unwrap();
    with_user.open(PATIENCE).unwrap();

    etcd.kill(0);
    let lines: Vec<String> = etcd.options(0).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let file = etcd.sandbox.directory.join("etcd.yaml");
    fs::write(&file, lines.join("\n")).unwrap();
    etcd.run_with(0, &[format!("--config-file={}", file.display())]);
    wait_for("it is up", 20, || matches!(etcd.address().open(PATIENCE), Err(StoreError::EtcdRefused(_))));
    let message = refusal(&etcd.sandbox.address);
    assert!(message.contains("no JSON gateway") && message.contains("enable-grpc-gateway: true"), "{message}");
}
