//! `ha web`.

use std::{
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use ha_core::{event::Severity, id::NodeName};
use ha_host::{os::systemd, store::SharedStore};
use ha_web::{
    notify::{Sender, SenderSettings},
    server::{Address, Bound, Log, LogFormat, Options, Report, Security, Tls, Web, serve as begin},
};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Failure,
    notify::{PATIENCE_AT_END, own_node, types},
};

/// Where and how to serve.
#[derive(Debug, Args)]
pub(super) struct WebArguments {
    /// Where to listen: 'HOST:PORT' or 'unix:PATH'. Port 0 takes a free one. May be given several times.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8006")]
    listen: Vec<Address>,
    /// Speak TLS by a certificate that is made at the first start and kept in this directory, with its key.
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["tls_certificate", "tls_key", "plain"])]
    tls_self_signed: Option<PathBuf>,
    /// Speak TLS by the certificate in this file, with those that vouch for it.
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "plain")]
    tls_certificate: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Speak without TLS, on loopback addresses and unix sockets only.
    #[arg(long)]
    plain: bool,
    /// Give '/metrics' to everybody.
    #[arg(long)]
    open_metrics: bool,
    /// Notify nobody. Without this, targets of 'ha notify' are told while this node is the master.
    #[arg(long)]
    no_notify: bool,
    /// Show no real cluster but the scenario in this folder, in a time of its own, to whoever logs in as it says. Its time passes
    /// faster, slower or not at all, and things happen in it, as people say on the page.
    #[arg(long, value_name = "FOLDER")]
    play: Option<PathBuf>,
    /// The form of what it says: sentences, or an object a line.
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    log: String,
}

impl WebArguments {
    /// The scenario that is shown instead of a cluster.
    pub(super) fn play(&self) -> Option<&Path> {
        self.play.as_deref()
    }

    fn security(&self) -> Result<Security, Failure> {
        match (&self.tls_self_signed, &self.tls_certificate, &self.tls_key) {
            (Some(directory), ..) => Ok(Security::SelfSigned(directory.clone())),
            (None, Some(certificate), Some(key)) => {
                Ok(Security::Files { certificate: certificate.clone(), key: key.clone() })
            }
            _ if self.plain || self.listen.iter().all(|address| matches!(address, Address::Unix(_))) => {
                Ok(Security::Plain)
            }
            _ => Err(Failure::Usage(
                "say how to protect it: --tls-self-signed DIRECTORY, --tls-certificate FILE --tls-key FILE, or --plain on loopback"
                    .into(),
            )),
        }
    }

    /// Where the server reports.
    pub(super) fn log(&self) -> Result<Log, Failure> {
        let format = LogFormat::named(&self.log, std::io::stdout().as_raw_fd()).map_err(Failure::Usage)?;
        Log::start(std::io::stdout(), format).map_err(Failure::failed)
    }

    /// The names for which the certificate will be good.
    fn names(&self) -> Vec<String> {
        let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let mut names: Vec<String> = Vec::new();
        let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let listened = self.listen.iter().filter_map(Address::host).map(str::to_owned);
        for name in host.into_iter().chain(own).chain(listened) {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// `notified_by` is the same store once more, for what notifies.
pub(super) fn serve(
    (store, notified_by): (Arc<dyn SharedStore>, Arc<dyn SharedStore>),
    node: Option<NodeName>,
    arguments: &WebArguments,
) -> Result<(), Failure> {
    let log = arguments.log()?;
    let own = own_node(&*store, node.clone()).filter(|_| !arguments.no_notify);
    let sender = own.map(|own| Sender::start(SenderSettings::new(notified_by, types(), own, log.clone())));
    let sender = sender.transpose().map_err(Failure::failed)?;
    let options = Options { log, ..Options::default() };
    let served = until_asked_to_end(store, node, options, arguments);
    if let Some(sender) = sender {
        sender.stop(PATIENCE_AT_END);
    }
    served
}

/// Serves what is in a store until the process is asked to end.
pub(super) fn until_asked_to_end(
    store: Arc<dyn SharedStore>,
    node: Option<NodeName>,
    options: Options,
    arguments: &WebArguments,
) -> Result<(), Failure> {
    let tls = arguments.security()?.prepare(&arguments.names()).map_err(Failure::failed)?;
    let options = Options { has_open_metrics: arguments.open_metrics, ..options };
    // Hanging calls of the store are bounded by the server; a few threads are for the system's own calls.
    let threads = options.bounds.calls.saturating_add(16);
    let log = options.log.clone();
    let web = Web::with(store, node, options);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(threads)
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    let served = runtime.block_on(run(&web, arguments, tls.as_ref(), &log));
    // A thread that hangs in the store does not hold up the end.
    runtime.shutdown_background();
    served
}

async fn run(web: &Web, arguments: &WebArguments, tls: Option<&Tls>, log: &Log) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    let mut bound = Vec::new();
    for address in &arguments.listen {
        bound.extend(address.bind(tls.is_some()).await.map_err(Failure::failed)?);
    }
    for one in &bound {
        announce(one, tls, log);
    }
    let urls: Vec<String> = bound.iter().map(|one| url(one, tls)).collect();
    let running = begin(web, bound, tls);
    systemd::ready(&format!("listening on {}", urls.join(", ")));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    systemd::stopping("ends");
    running.stop().await;
    Ok(())
}

fn is_encrypted(bound: &Bound, tls: Option<&Tls>) -> bool {
    tls.is_some() && matches!(bound, Bound::Tcp(_))
}

fn url(bound: &Bound, tls: Option<&Tls>) -> String {
    bound.url(is_encrypted(bound, tls))
}

fn announce(bound: &Bound, tls: Option<&Tls>, log: &Log) {
    let url = url(bound, tls);
    let fingerprint = tls.map(|tls| tls.fingerprint.as_str()).filter(|_| is_encrypted(bound, tls));
    let by = fingerprint.map(|fingerprint| format!(", certificate SHA-256 {fingerprint}"));
    log.report(&Report {
        severity: Severity::Info,
        event: "web_listening",
        fields: json!({"url": url, "fingerprint": fingerprint}),
        text: &format!("listening on {url}{}", by.unwrap_or_default()),
    });
}
