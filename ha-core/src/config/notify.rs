//! `notify.cfg`: who is told of what happens, and how.
//!
//! ```text
//! webhook: chat
//!         url https://chat.example/hooks/ha
//!         secret-file /etc/ha/notify/chat.secret
//!         severity error
//!
//! smtp: mail
//!         server mail.example:587
//!         from ha@example.org
//!         to admin@example.org
//! ```
//!
//! Secrets stand in files of their own, which this file names.

use alloc::{string::String, vec, vec::Vec};

use super::{
    Comment, Digest, Kept, OrderedMap, Parsed, ProblemKind, ValueError,
    file::{self, Section},
    shell_words,
    value::{self, Value, ValueReader},
};
use crate::{
    event::Severity,
    id::{ServiceId, ServiceTypes, TargetId},
    text_enum::text_enum,
};

/// The content of `notify.cfg`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NotifyConfig {
    /// The targets in the order of the file.
    pub targets: OrderedMap<TargetId, NotifyTarget>,
    /// The digest of the file that this was read from.
    pub digest: Digest,
    /// What else the file holds: see [`Kept`].
    pub kept: Kept<TargetId>,
}

impl NotifyConfig {
    /// Reads `notify.cfg`.
    pub fn read(text: &[u8], types: &ServiceTypes) -> Parsed<Self> {
        let file = file::read(text, ValueReader::of_file(types));
        Parsed {
            config: Self { targets: file.sections, digest: file.digest, kept: file.kept },
            problems: file.problems,
        }
    }

    /// The file's bytes. Whatever was not UTF-8 when it was read is not either when it is written.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        file::write(&self.targets, &self.kept)
    }
}

/// Somebody, or something, that is told of what happens.
#[derive(Debug, Clone, PartialEq)]
pub struct NotifyTarget {
    /// Its name.
    pub id: TargetId,
    /// How it is told.
    pub way: NotifyWay,
    /// Only what matters at least so much.
    pub severity: Option<Severity>,
    /// Only events of these names; of all names if there is none. As the file has it, separated by commas.
    pub events: Option<String>,
    /// Only what is about these services; about everything if there is none.
    pub services: Option<Vec<ServiceId>>,
    /// Whether it is told nothing for now.
    pub disable: Option<bool>,
    /// A person's remark.
    pub comment: Option<Comment>,
}

/// How a target is told. Files are named by absolute paths, and are read on the node that tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyWay {
    /// A program is run, and gets a JSON object on its standard input.
    Command {
        /// The program with its arguments, as a shell splits words; no shell runs it.
        program: String,
    },
    /// A JSON object, or what a template makes of it, is posted.
    Webhook {
        /// Where to.
        url: String,
        /// The file with the secret by which the receiver knows the sender.
        secret_file: Option<String>,
        /// The file with the body, with `{{FIELD}}` for what is put in.
        template_file: Option<String>,
        /// The file with the certificates that vouch for the receiver; by default those of the system.
        ca_file: Option<String>,
    },
    /// A mail is sent.
    Smtp {
        /// The mail server: `HOST:PORT`.
        server: String,
        /// Who sends.
        from: String,
        /// Who gets it, separated by commas.
        to: String,
        /// How the connection is protected.
        security: Option<SmtpSecurity>,
        /// By which name to log in.
        user: Option<String>,
        /// The file with the password for that.
        password_file: Option<String>,
        /// The file with the certificates that vouch for the server; by default those of the system.
        ca_file: Option<String>,
    },
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SmtpSecurity {
    /// By TLS, once the server was asked for it, which it must grant.
    StartTls,
    /// By TLS from the beginning.
    Tls,
    /// Not at all: for a server on the same machine.
    None,
}

text_enum! {
    SmtpSecurity: "a way to protect a connection",
    StartTls = "starttls",
    Tls = "tls",
    None = "none",
}

impl NotifyTarget {
    /// The severity from which on it is told: by default `warning`.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or(Severity::Warning)
    }

    /// Whether it is told nothing for now.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disable.unwrap_or(false)
    }

    /// The names of the events that it is told of; of all if there is none.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        value::items(self.events.as_deref().unwrap_or_default())
    }

    /// The words of its kind: `command`, `webhook` or `smtp`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.way {
            NotifyWay::Command { .. } => COMMAND,
            NotifyWay::Webhook { .. } => WEBHOOK,
            NotifyWay::Smtp { .. } => SMTP,
        }
    }
}

impl NotifyWay {
    /// The words of a command; none of another way. There is at least one.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Command { program } => shell_words::split(program).unwrap_or_default(),
            Self::Webhook { .. } | Self::Smtp { .. } => Vec::new(),
        }
    }
}

/// The properties of targets, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotifyProperty {
    /// [`NotifyWay::Command`]
    Program,
    /// [`NotifyWay::Webhook`]
    Url,
    /// [`NotifyWay::Webhook`]
    SecretFile,
    /// [`NotifyWay::Webhook`]
    TemplateFile,
    /// [`NotifyWay::Smtp`]
    Server,
    /// [`NotifyWay::Smtp`]
    From,
    /// [`NotifyWay::Smtp`]
    To,
    /// [`NotifyWay::Smtp`]
    Security,
    /// [`NotifyWay::Smtp`]
    User,
    /// [`NotifyWay::Smtp`]
    PasswordFile,
    /// [`NotifyWay::Webhook`] and [`NotifyWay::Smtp`]
    CaFile,
    /// [`NotifyTarget::severity`]
    Severity,
    /// [`NotifyTarget::events`]
    Events,
    /// [`NotifyTarget::services`]
    Services,
    /// [`NotifyTarget::disable`]
    Disable,
    /// [`NotifyTarget::comment`]
    Comment,
}

text_enum! {
    NotifyProperty: "a property of a target",
    Program = "program",
    Url = "url",
    SecretFile = "secret-file",
    TemplateFile = "template-file",
    Server = "server",
    From = "from",
    To = "to",
    Security = "security",
    User = "user",
    PasswordFile = "password-file",
    CaFile = "ca-file",
    Severity = "severity",
    Events = "events",
    Services = "services",
    Disable = "disable",
    Comment = "comment",
}

const COMMAND: &str = "command";
const WEBHOOK: &str = "webhook";
const SMTP: &str = "smtp";

use NotifyProperty as P;

const OF_COMMAND: &[P] = &[P::Program, P::Severity, P::Events, P::Services, P::Disable, P::Comment];
const OF_WEBHOOK: &[P] =
    &[P::Url, P::SecretFile, P::TemplateFile, P::CaFile, P::Severity, P::Events, P::Services, P::Disable, P::Comment];
const OF_SMTP: &[P] = &[
    P::Server,
    P::From,
    P::To,
    P::Security,
    P::User,
    P::PasswordFile,
    P::CaFile,
    P::Severity,
    P::Events,
    P::Services,
    P::Disable,
    P::Comment,
];

/// The properties of a target's own section type.
fn of_type(section_type: &str) -> Option<(&'static str, &'static [P])> {
    [(COMMAND, OF_COMMAND), (WEBHOOK, OF_WEBHOOK), (SMTP, OF_SMTP)].into_iter().find(|(name, _)| *name == section_type)
}

/// A target while it is read.
#[derive(Default)]
struct Texts {
    program: Option<String>,
    url: Option<String>,
    secret_file: Option<String>,
    template_file: Option<String>,
    server: Option<String>,
    from: Option<String>,
    to: Option<String>,
    security: Option<SmtpSecurity>,
    user: Option<String>,
    password_file: Option<String>,
    ca_file: Option<String>,
    severity: Option<Severity>,
    events: Option<String>,
    services: Option<Vec<ServiceId>>,
    disable: Option<bool>,
    comment: Option<Comment>,
}

/// A target while it is read or edited.
pub(crate) struct NotifyDraft {
    id: TargetId,
    section_type: &'static str,
    properties: &'static [P],
    texts: Texts,
}

fn file_name(text: &str) -> Result<Option<String>, ValueError> {
    value::text_that(text, |text| text.starts_with('/'), "an absolute path").map(Some)
}

fn program(text: &str) -> Result<Option<String>, ValueError> {
    let is_good = |text: &str| {
        shell_words::split(text).is_ok_and(|words| words.iter().take(1).any(|first| first.starts_with('/')))
    };
    value::text_that(text, is_good, "the absolute path of a program, with its arguments").map(Some)
}

/// Off this machine nothing is said unencrypted.
fn url(text: &str) -> Result<Option<String>, ValueError> {
    let host_of = |scheme: &str| {
        let rest = text.strip_prefix(scheme)?;
        rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty() && !host.contains('@'))
    };
    let is_near = |host: &str| is_loopback(host.strip_suffix(']').map_or_else(|| without_port(host), |_| host));
    let is_good =
        |text: &str| !text.contains(' ') && (host_of("https://").is_some() || host_of("http://").is_some_and(is_near));
    value::text_that(
        text,
        is_good,
        "an address such as https://host/path, without a user; http:// is for this machine alone",
    )
    .map(Some)
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(host, _)| host)
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "[::1]")
        || host.parse::<core::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn server(text: &str) -> Result<Option<String>, ValueError> {
    let is_good = |text: &str| {
        text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains(['/', ' ', '@']) && port.parse::<core::num::NonZeroU16>().is_ok()
        })
    };
    value::text_that(text, is_good, "a mail server such as mail.example:587").map(Some)
}

fn is_address(text: &str) -> bool {
    let is_plain = |part: &str| !part.is_empty() && !part.contains([' ', '<', '>', '@', ',', ';', '"']);
    text.split_once('@').is_some_and(|(name, host)| is_plain(name) && is_plain(host))
}

fn addresses(text: &str) -> Result<Option<String>, ValueError> {
    let is_good = |text: &str| value::items(text).next().is_some() && value::items(text).all(is_address);
    value::text_that(text, is_good, "a list of mail addresses such as admin@example.org").map(Some)
}

fn events(text: &str) -> Result<Option<String>, ValueError> {
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_good = |text: &str| value::items(text).next().is_some() && value::items(text).all(is_name);
    value::text_that(text, is_good, "a list of events such as node_state,service_recovered").map(Some)
}

fn user(text: &str) -> Result<Option<String>, ValueError> {
    value::text_that(text, |text| !text.is_empty(), "a name").map(Some)
}

impl Section for NotifyTarget {
    type Id = TargetId;
    type Property = NotifyProperty;
    type Draft = NotifyDraft;

    fn open(section_type: &str, id: &str, _: &ValueReader<'_>) -> Result<NotifyDraft, ProblemKind> {
        let (section_type, properties) = of_type(section_type).ok_or_else(|| ProblemKind::UnknownSectionType {
            found: value::excerpt(section_type.as_bytes()),
            expected: "'command', 'webhook' or 'smtp'".into(),
        })?;
        let id = value::id(id).map_err(ProblemKind::BadSectionId)?;
        Ok(NotifyDraft { id, section_type, properties, texts: Texts::default() })
    }

    fn id(draft: &NotifyDraft) -> &TargetId {
        &draft.id
    }

    fn properties_of(draft: &NotifyDraft) -> &'static [P] {
        draft.properties
    }

    fn key(property: P) -> &'static str {
        property.as_str()
    }

    fn assign(draft: &mut NotifyDraft, property: P, text: &str, values: &ValueReader<'_>) -> Result<(), ValueError> {
        let texts = &mut draft.texts;
        match property {
            P::Program => texts.program = program(text)?,
            P::Url => texts.url = url(text)?,
            P::SecretFile => texts.secret_file = file_name(text)?,
            P::TemplateFile => texts.template_file = file_name(text)?,
            P::Server => texts.server = server(text)?,
            P::From => {
                texts.from = value::text_that(text, is_address, "a mail address such as ha@example.org").map(Some)?
            }
            P::To => texts.to = addresses(text)?,
            P::Security => texts.security = Some(value::word(text)?),
            P::User => texts.user = user(text)?,
            P::PasswordFile => texts.password_file = file_name(text)?,
            P::CaFile => texts.ca_file = file_name(text)?,
            P::Severity => texts.severity = Some(value::word(text)?),
            P::Events => texts.events = events(text)?,
            P::Services => texts.services = Some(values.sids(text)?),
            P::Disable => texts.disable = Some(value::boolean(text)?),
            P::Comment => texts.comment = value::plain_comment(text)?,
        }
        Ok(())
    }

    fn clear(draft: &mut NotifyDraft, property: P) {
        let texts = &mut draft.texts;
        match property {
            P::Program => texts.program = None,
            P::Url => texts.url = None,
            P::SecretFile => texts.secret_file = None,
            P::TemplateFile => texts.template_file = None,
            P::Server => texts.server = None,
            P::From => texts.from = None,
            P::To => texts.to = None,
            P::Security => texts.security = None,
            P::User => texts.user = None,
            P::PasswordFile => texts.password_file = None,
            P::CaFile => texts.ca_file = None,
            P::Severity => texts.severity = None,
            P::Events => texts.events = None,
            P::Services => texts.services = None,
            P::Disable => texts.disable = None,
            P::Comment => texts.comment = None,
        }
    }

    fn finish(draft: NotifyDraft) -> Result<Self, Vec<P>> {
        let NotifyDraft { id, section_type, texts, .. } = draft;
        let Texts { severity, events, services, disable, comment, ca_file, .. } = texts;
        let way = match section_type {
            COMMAND => NotifyWay::Command { program: texts.program.ok_or_else(|| vec![P::Program])? },
            WEBHOOK => NotifyWay::Webhook {
                url: texts.url.ok_or_else(|| vec![P::Url])?,
                secret_file: texts.secret_file,
                template_file: texts.template_file,
                ca_file,
            },
            _ => {
                let is_half = texts.user.is_some() != texts.password_file.is_some();
                let (Some(server), Some(from), Some(to), false) = (&texts.server, &texts.from, &texts.to, is_half)
                else {
                    let needed = [
                        (P::Server, texts.server.is_none()),
                        (P::From, texts.from.is_none()),
                        (P::To, texts.to.is_none()),
                        (P::User, is_half && texts.user.is_none()),
                        (P::PasswordFile, is_half && texts.password_file.is_none()),
                    ];
                    return Err(needed
                        .into_iter()
                        .filter_map(|(property, misses)| misses.then_some(property))
                        .collect());
                };
                NotifyWay::Smtp {
                    server: server.clone(),
                    from: from.clone(),
                    to: to.clone(),
                    security: texts.security,
                    user: texts.user,
                    password_file: texts.password_file,
                    ca_file,
                }
            }
        };
        Ok(Self { id, way, severity, events, services, disable, comment })
    }

    fn draft(&self) -> NotifyDraft {
        let Self { id, way, severity, events, services, disable, comment } = self.clone();
        let texts = Texts { severity, events, services, disable, comment, ..Texts::default() };
        let texts = match way {
            NotifyWay::Command { program } => Texts { program: Some(program), ..texts },
            NotifyWay::Webhook { url, secret_file, template_file, ca_file } => {
                Texts { url: Some(url), secret_file, template_file, ca_file, ..texts }
            }
            NotifyWay::Smtp { server, from, to, security, user, password_file, ca_file } => {
                let [server, from, to] = [server, from, to].map(Some);
                Texts { server, from, to, security, user, password_file, ca_file, ..texts }
            }
        };
        NotifyDraft { id, section_type: self.kind(), properties: self.properties(), texts }
    }

    fn header(&self) -> (&str, &str) {
        (self.kind(), self.id.as_str())
    }

    fn properties(&self) -> &'static [P] {
        match self.way {
            NotifyWay::Command { .. } => OF_COMMAND,
            NotifyWay::Webhook { .. } => OF_WEBHOOK,
            NotifyWay::Smtp { .. } => OF_SMTP,
        }
    }

    fn value(&self, property: P) -> Option<Value<'_>> {
        let text = |text: &'static str| Some(Value::Word(text));
        match property {
            P::Severity => return self.severity.and_then(|severity| text(severity.as_str())),
            P::Services => return self.services.as_deref().map(Value::Sids),
            P::Disable => return self.disable.map(Value::Boolean),
            P::Comment => return self.comment.as_deref().map(Value::PlainComment),
            P::Events => return self.events.as_deref().map(Value::Word),
            P::Program | P::Url | P::SecretFile | P::TemplateFile | P::CaFile => {}
            P::Server | P::From | P::To | P::Security | P::User | P::PasswordFile => {}
        }
        let found: Option<&str> = match (&self.way, property) {
            (NotifyWay::Command { program }, P::Program) => Some(program),
            (NotifyWay::Webhook { url, .. }, P::Url) => Some(url),
            (NotifyWay::Webhook { secret_file, .. }, P::SecretFile) => secret_file.as_deref(),
            (NotifyWay::Webhook { template_file, .. }, P::TemplateFile) => template_file.as_deref(),
            (NotifyWay::Webhook { ca_file, .. } | NotifyWay::Smtp { ca_file, .. }, P::CaFile) => ca_file.as_deref(),
            (NotifyWay::Smtp { server, .. }, P::Server) => Some(server),
            (NotifyWay::Smtp { from, .. }, P::From) => Some(from),
            (NotifyWay::Smtp { to, .. }, P::To) => Some(to),
            (NotifyWay::Smtp { security, .. }, P::Security) => security.map(|security| security.as_str()),
            (NotifyWay::Smtp { user, .. }, P::User) => user.as_deref(),
            (NotifyWay::Smtp { password_file, .. }, P::PasswordFile) => password_file.as_deref(),
            _ => None,
        };
        found.map(Value::Word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn read(text: &str) -> Parsed<NotifyConfig> {
        NotifyConfig::read(text.as_bytes(), &ServiceTypes::default())
    }

    const GOOD: &str = "webhook: chat\n\turl https://chat.example/x\n\tsecret-file /etc/ha/s\n\tseverity error\n\n\
        smtp: mail\n\tserver mail.example:587\n\tfrom ha@a.example\n\tto a@b.example,c@d.example\n\tservices vm:100\n\n\
        command: run\n\tprogram /bin/logger -t 'HA says'\n\tevents node_state\n\n";

    #[test]
    fn a_file_is_written_as_it_was_read_with_what_is_unknown() {
        let parsed = read(GOOD);
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.config.targets.len(), 3);
        let [chat, mail, run] = [0, 1, 2].map(|at| &parsed.config.targets[at]);
        assert_eq!((chat.kind(), chat.severity(), mail.severity()), ("webhook", Severity::Error, Severity::Warning));
        assert_eq!(run.way.words(), ["/bin/logger", "-t", "HA says"]);
        assert_eq!(run.events().collect::<Vec<_>>(), ["node_state"]);
        assert_eq!(String::from_utf8(parsed.config.write()).unwrap(), GOOD);
        let odd = "# mine\ncommand: run\n\tprogram /bin/true\n\tcolour blue\n\npigeon: post\n\tfeather 1\n\n";
        let parsed = read(odd);
        assert_eq!(parsed.problems.len(), 2, "{:?}", parsed.problems);
        assert_eq!(String::from_utf8(parsed.config.write()).unwrap(), odd);
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let one = |text: &str| -> Vec<String> { read(text).problems.iter().map(ToString::to_string).collect() };
        for (text, says) in [
            ("webhook: a1\n\turl http://far.example/\n", "http:// is for this machine alone"),
            ("webhook: a1\n\turl https://user:pw@far.example/\n", "without a user"),
            ("webhook: a1\n\tsecret-file secret\n", "an absolute path"),
            ("command: a1\n\tprogram logger\n", "absolute path of a program"),
            ("command: a1\n\tprogram /bin/sh -c 'x\n", "absolute path of a program"),
            ("command: a1\n\turl https://a/\n", "url"),
            ("smtp: a1\n\tserver mail\n", "a mail server"),
            ("smtp: a1\n\tto nobody\n", "mail addresses"),
            ("smtp: a1\n\tfrom a@b\n\tto c@d\n\tserver e:25\n\tuser u\n", "password-file"),
            ("command: a1\n\tseverity loud\n", "loud"),
            ("command: a1\n\tevents Node State\n", "list of events"),
        ] {
            let told = one(text);
            assert!(told.iter().any(|problem| problem.contains(says)), "{text}: {told:?}");
        }
        for url in ["http://127.0.0.1:8080/x", "http://localhost/", "http://[::1]:80/", "https://a.example"] {
            assert_eq!(one(&alloc::format!("webhook: a1\n\turl {url}\n\n")), [""; 0], "{url}");
        }
        assert_eq!(one("webhook: a1\n\turl http://127.0.0.1.evil.example/\n").len(), 2, "and the url is missing");
    }
}
