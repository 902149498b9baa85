//! Targets that get mail.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ha_core::{
    config::{NotifyWay, notify::SmtpSecurity},
    status::UtcTime,
};
use ha_host::os::clock;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};

use super::{
    Failed, Message,
    secret::secret,
    trust::{certificates, words, words_of_stream},
};

/// How long one answer may take, and how long all of it.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(40);
/// How much of an answer is read.
const LONGEST_LINE: u64 = 4096;
const MOST_LINES: usize = 100;
/// How many messages one mail tells in full.
const MOST_IN_FULL: usize = 20;

/// Sends messages, at least one, in one mail.
pub(super) fn send(way: &NotifyWay, messages: &[Message]) -> Result<(), Failed> {
    let NotifyWay::Smtp { server, from, to, security, user, password_file, ca_file } = way else {
        return Err(Failed::later("it is no mail server".into()));
    };
    let security = security.unwrap_or(SmtpSecurity::StartTls);
    let (host, _) = server.rsplit_once(':').unwrap_or((server, ""));
    let tcp = connect(server)?;
    let is_near = tcp.peer_addr().is_ok_and(|address| address.ip().is_loopback());
    if security == SmtpSecurity::None && !is_near {
        return Err(Failed::later("'security none' is for a mail server on this machine alone".into()));
    }
    let mut session = match security {
        SmtpSecurity::Tls => {
            let mut session = Session::new(encrypted(tcp, host, ca_file.as_deref())?);
            session.expect(220)?;
            session
        }
        SmtpSecurity::StartTls | SmtpSecurity::None => {
            let mut session = Session::new(Box::new(tcp.try_clone().map_err(of_network)?));
            session.expect(220)?;
            if security == SmtpSecurity::StartTls {
                session.greet()?;
                session.ask("STARTTLS", 220)?;
                // What the server said before must not be trusted.
                session = Session::new(encrypted(tcp, host, ca_file.as_deref())?);
            }
            session
        }
    };
    session.greet()?;
    if let (Some(user), Some(path)) = (user, password_file) {
        let mut plain = format!("\0{user}\0").into_bytes();
        plain.extend(secret(path)?);
        session.ask(&format!("AUTH PLAIN {}", STANDARD.encode(plain)), 235)?;
    }
    session.ask(&format!("MAIL FROM:<{from}>"), 250)?;
    for address in addresses(to) {
        session.ask(&format!("RCPT TO:<{address}>"), 250)?;
    }
    session.ask("DATA", 354)?;
    session.write(&mail(from, to, messages))?;
    session.ask("\r\n.", 250)?;
    // It is sent, whatever comes of this.
    let _ = session.ask("QUIT", 221);
    Ok(())
}

fn addresses(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ';', ' ', '\t']).filter(|address| !address.is_empty())
}

/// The mail, with its header. Its body is encoded, so that no line of it can be taken for the end.
fn mail(from: &str, to: &str, messages: &[Message]) -> String {
    let to: Vec<&str> = addresses(to).collect();
    let first = messages.first();
    let more = match messages.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count.saturating_sub(1)),
    };
    let subject = first.map(Message::subject).unwrap_or_default() + &more;
    let id = first.map(Message::id).unwrap_or_default().replace('@', ".");
    let texts: Vec<String> = messages.iter().take(MOST_IN_FULL).map(Message::text).collect();
    let mut text = texts.join("\n");
    if messages.len() > MOST_IN_FULL {
        let left = messages.iter().skip(MOST_IN_FULL).map(Message::subject);
        text += &format!("\nAlso:\n{}\n", left.collect::<Vec<_>>().join("\n"));
    }
    let encoded = STANDARD.encode(text);
    let lines: Vec<&str> = (0..encoded.len())
        .step_by(76)
        .filter_map(|at| encoded.get(at..encoded.len().min(at.saturating_add(76))))
        .collect();
    format!(
        "Date: {}\r\nFrom: {from}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{id}@ha>\r\nAuto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        date(clock::wall()),
        to.join(",\r\n "),
        header_text(&subject),
        lines.join("\r\n"),
    )
}

/// A text in a header: plain words as they are, all else encoded, in lines that are short enough.
fn header_text(text: &str) -> String {
    const LONGEST: usize = 300;
    let text: String =
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(LONGEST).collect();
    if text.len() <= 60 && text.is_ascii() && !text.contains("=?") {
        return text;
    }
    let mut words = vec![String::new()];
    for character in text.chars() {
        if words.last().is_some_and(|word| word.len().saturating_add(character.len_utf8()) > 42) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    let encoded: Vec<String> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    encoded.join("\r\n ")
}

/// As mail has it: `29 Nov 2026 20:17:10 +0000`.
fn date(time: i64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = UtcTime(time).to_string();
    let mut parts = text.split([' ', '-']);
    let (year, month, day, clock) = (parts.next(), parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?));
    format!(
        "{} {} {} {} +0000",
        day.unwrap_or_default(),
        month.copied().unwrap_or_default(),
        year.unwrap_or_default(),
        clock.unwrap_or_default()
    )
}

fn of_network(error: std::io::Error) -> Failed {
    if let Some(words) = words_of_stream(&error) {
        return Failed::later(format!("the mail server {words}"));
    }
    let is_late = matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
    Failed::later(match is_late {
        true => format!("the mail server has not answered within {} s", PATIENCE.as_secs()),
        false => format!("the mail server can't be reached: {error}"),
    })
}

fn connect(server: &str) -> Result<TcpStream, Failed> {
    let mut last = None;
    for address in server.to_socket_addrs().map_err(of_network)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).map_err(of_network)?;
                stream.set_write_timeout(Some(PATIENCE)).map_err(of_network)?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| Failed::later(format!("'{server}' has no address")), of_network))
}

fn encrypted(tcp: TcpStream, host: &str, ca_file: Option<&str>) -> Result<Box<dyn Stream>, Failed> {
    let failed = |error: rustls::Error| Failed::later(format!("the mail server {}", words(&error)));
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(ca_file)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(failed)?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let name = name.map_err(|_| Failed::later(format!("'{host}' is no name of a server")))?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(failed)?;
    Ok(Box::new(StreamOwned::new(connection, tcp)))
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// A conversation with a mail server.
struct Session {
    stream: BufReader<Box<dyn Stream>>,
    began: Instant,
}

impl Session {
    fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream: BufReader::new(stream), began: Instant::now() }
    }

    fn greet(&mut self) -> Result<(), Failed> {
        let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let is_plain = |name: &String| !name.is_empty() && !name.contains(char::is_whitespace);
        self.ask(&format!("EHLO {}", host.filter(is_plain).unwrap_or_else(|| "localhost".into())), 250)
    }

    fn ask(&mut self, line: &str, expected: u16) -> Result<(), Failed> {
        self.write(&format!("{line}\r\n"))?;
        self.expect(expected)
    }

    fn write(&mut self, text: &str) -> Result<(), Failed> {
        let stream = self.stream.get_mut();
        stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).map_err(of_network)
    }

    /// Reads an answer, which may have several lines.
    fn expect(&mut self, expected: u16) -> Result<(), Failed> {
        for _ in 0..MOST_LINES {
            if self.began.elapsed() > PATIENCE_FOR_ALL {
                return Err(Failed::later(format!(
                    "the mail server takes longer than {} s",
                    PATIENCE_FOR_ALL.as_secs()
                )));
            }
            let mut line = Vec::new();
            self.stream.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(of_network)?;
            let line = String::from_utf8_lossy(&line);
            let Some((code, rest)) = line.split_at_checked(3) else {
                return Err(Failed::later("the mail server has ended the conversation".into()));
            };
            if rest.starts_with('-') {
                continue;
            }
            return match code.parse::<u16>() {
                // The first two digits say what kind of answer it is: 251 is as good as 250.
                Ok(code) if code / 10 == expected / 10 => Ok(()),
                // Wrong credentials and the like may be mended; a mail that is not wanted will never be.
                Ok(550..=554) => Err(Failed::refused(format!("the mail server refuses it: {}", shown(&line)))),
                Ok(_) => Err(Failed::later(format!("the mail server says: {}", shown(&line)))),
                Err(_) => Err(Failed::later("what answers is no mail server".into())),
            };
        }
        Err(Failed::later("what answers is no mail server".into()))
    }
}

/// What a server has said, so that it can be shown.
fn shown(line: &str) -> String {
    line.trim().chars().filter(|character| !character.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_any_text_in_short_lines() {
        assert_eq!(header_text("[HA error] vm:100"), "[HA error] vm:100");
        let long = header_text(&"ä\r\nBcc: eve@example.org ".repeat(20));
        assert!(long.split("\r\n ").all(|word| word.len() <= 75 && word.starts_with("=?UTF-8?B?")), "{long}");
        assert!(!long.contains("eve"));
        assert_eq!(date(1_795_983_430), "29 Nov 2026 20:17:10 +0000");
    }
}
