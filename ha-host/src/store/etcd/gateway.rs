//! Questions to an etcd cluster: to one of its members at a time, by its JSON gateway.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use ha_core::time::Instant;
use serde::{Serialize, de::DeserializeOwned};
use ureq::{Agent, config::Config};

use super::{
    EtcdAddress, EtcdLogin, StoreError,
    address::{is_host_and_port, is_loopback},
    fault::{self, Fault, FaultKind},
    tls,
    wire::{Answer, Login, Members, Nothing, Token},
};
use crate::os::clock;

/// What it means that a question gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// It only reads: another member can be asked.
    Read,
    /// It may have been carried out, unless it certainly was not.
    Write,
}

/// An etcd cluster. Its connections are kept.
pub(super) struct Gateway {
    agent: Agent,
    address: EtcdAddress,
    patience: Duration,
    state: Mutex<State>,
}

/// What was found out about the cluster.
struct State {
    /// Those who are asked, the one that answered last first.
    members: Vec<Member>,
    /// The cluster that all of them must belong to.
    cluster: Option<String>,
    /// The highest revision that was seen: etcd never goes back.
    revision: i64,
    /// If it did.
    gone_back: Option<Fault>,
    /// Of the user.
    token: Option<String>,
    /// Whether it had no space for a change.
    is_full: bool,
}

#[derive(Debug, Clone)]
struct Member {
    endpoint: String,
    /// Named in the address, and not by another member.
    is_given: bool,
    /// When it was last asked for its cluster; not since it failed.
    checked: Option<Instant>,
}

/// In which no member answered.
struct Round {
    faults: Vec<Fault>,
    /// Whether it makes no sense to ask again.
    is_final: bool,
}

/// Until when a question must be answered.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    connected: Instant,
    answered: Instant,
}

const RANGE: &str = "/v3/kv/range";
const TRANSACTION: &str = "/v3/kv/txn";
const MEMBERS: &str = "/v3/cluster/member/list";
const AUTHENTICATE: &str = "/v3/auth/authenticate";

/// Questions about keys, whose answers carry the present revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Range,
    Transaction,
}

impl Question {
    const fn path(self) -> &'static str {
        match self {
            Self::Range => RANGE,
            Self::Transaction => TRANSACTION,
        }
    }

    const fn call(self) -> Call {
        match self {
            Self::Range => Call::Read,
            Self::Transaction => Call::Write,
        }
    }
}

impl Gateway {
    /// A shorter wait would take a write that goes to a slow disk for a failure.
    const SHORTEST_PATIENCE: Duration = Duration::from_millis(500);
    /// Between two rounds of questions.
    const PAUSE: Duration = Duration::from_millis(50);
    /// How often a member is asked who else there is.
    const CHECK_INTERVAL: Duration = Duration::from_secs(60);

    /// Nobody is asked yet.
    pub(super) fn new(address: &EtcdAddress, patience: Duration) -> Result<Self, StoreError> {
        let mut config = Config::builder()
            .http_status_as_error(false)
            // What goes to etcd goes nowhere else, whatever the environment or an answer says.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_age(Self::CHECK_INTERVAL);
        if let Some(settings) = &address.tls {
            config = config.tls_config(tls::config(settings)?);
        }
        if let Some(login) = &address.login {
            password(login)?;
        }
        let member = |endpoint: &String| Member { endpoint: endpoint.clone(), is_given: true, checked: None };
        let members = address.endpoints.iter().map(member).collect();
        Ok(Self {
            agent: config.build().into(),
            address: address.clone(),
            patience: patience.max(Self::SHORTEST_PATIENCE),
            state: Mutex::new(State {
                members,
                cluster: None,
                revision: 0,
                gone_back: None,
                token: None,
                is_full: false,
            }),
        })
    }

    /// Asks one member after the other until one answers.
    pub(super) fn ask<A: Answer>(&self, question: Question, content: &impl Serialize) -> Result<A, StoreError> {
        let body = serde_json::to_vec(content).map_err(|error| StoreError::Etcd(error.to_string()))?;
        let end = clock::instant().after(self.patience);
        let revision = {
            let state = self.state();
            if let Some(fault) = &state.gone_back {
                return Err(fault::describe(std::slice::from_ref(fault), &self.address));
            }
            state.revision
        };
        let mut faults = Vec::new();
        loop {
            match self.ask_around::<A>(question, &body, end) {
                Ok((endpoint, answer)) => {
                    self.note(&endpoint, revision, answer.header().revision)?;
                    return Ok(answer);
                }
                Err(round) => {
                    let is_over = round.is_final;
                    // One that had time for nobody, or not for all, says less than the one before.
                    if faults.is_empty() || is_over || round.faults.len() >= faults.len() {
                        faults = round.faults;
                    }
                    if is_over || end.since(clock::instant()) <= Self::PAUSE {
                        return Err(fault::describe(&faults, &self.address));
                    }
                }
            }
            // While its members elect a leader all of them say that they have none.
            thread::sleep(Self::PAUSE);
        }
    }

    /// Asks each member once, until one answers. Gives that one with its answer.
    fn ask_around<A: Answer>(&self, question: Question, body: &[u8], end: Instant) -> Result<(String, A), Round> {
        let members = self.state().members.clone();
        let count = members.len();
        let mut faults = Vec::new();
        for (index, member) in members.into_iter().enumerate() {
            let Some(deadline) = Deadline::share(question.call(), end, count - index) else { break };
            match self.ask_member(&member, question.path(), body, deadline) {
                Ok(answer) => return Ok((member.endpoint, answer)),
                Err(kind) => {
                    self.put_last(&member.endpoint);
                    self.state().is_full |= kind == FaultKind::NoSpace;
                    let is_final = kind.is_of_the_cluster() || question.call() == Call::Write && kind.may_be_done();
                    let fault = Fault { endpoint: member.endpoint, kind };
                    if is_final {
                        return Err(Round { faults: vec![fault], is_final });
                    }
                    faults.push(fault);
                }
            }
        }
        let may_pass = faults.iter().any(|fault| fault.kind.may_pass());
        Err(Round { faults, is_final: !may_pass })
    }

    /// Takes note of an answer. `before` is the highest revision that had been seen when the question was asked: what is
    /// answered with a lower one is not where it was.
    fn note(&self, endpoint: &str, before: i64, revision: i64) -> Result<(), StoreError> {
        let mut state = self.state();
        if revision < before {
            let kind = FaultKind::GoneBack { from: before, to: revision };
            let fault = Fault { endpoint: endpoint.into(), kind };
            let error = fault::describe(std::slice::from_ref(&fault), &self.address);
            state.gone_back = Some(fault);
            return Err(error);
        }
        state.revision = state.revision.max(revision);
        if let Some(place) = state.members.iter().position(|member| member.endpoint == endpoint) {
            let member = state.members.remove(place);
            state.members.insert(0, member);
        }
        Ok(())
    }

    fn put_last(&self, endpoint: &str) {
        let mut state = self.state();
        if let Some(place) = state.members.iter().position(|member| member.endpoint == endpoint) {
            let member = state.members.remove(place);
            state.members.push(Member { checked: None, ..member });
        }
    }

    fn ask_member<A: Answer>(
        &self,
        member: &Member,
        path: &str,
        body: &[u8],
        deadline: Deadline,
    ) -> Result<A, FaultKind> {
        let now = clock::instant();
        if member.checked.is_none_or(|checked| now.since(checked) >= Self::CHECK_INTERVAL) {
            self.check(&member.endpoint, deadline).map_err(|kind| self.understand(&member.endpoint, kind, deadline))?;
        }
        let answer: A = self.post_as_user(&member.endpoint, path, body, deadline)?;
        match &self.state().cluster {
            Some(cluster) if *cluster != answer.header().cluster_id => Err(FaultKind::OtherCluster),
            Some(_) | None => Ok(answer),
        }
    }

    /// With a new token where the old one has ended.
    fn post_as_user<A: DeserializeOwned>(
        &self,
        endpoint: &str,
        path: &str,
        body: &[u8],
        deadline: Deadline,
    ) -> Result<A, FaultKind> {
        let token = self.token(endpoint, deadline)?;
        match self.post(endpoint, path, body, token.as_deref(), deadline) {
            Err(FaultKind::TokenEnded) if token.is_some() => {
                self.state().token = None;
                let token = self.token(endpoint, deadline)?;
                self.post(endpoint, path, body, token.as_deref(), deadline)
            }
            answer => answer,
        }
    }

    /// Whether a member belongs to the cluster. It names the others as well.
    fn check(&self, endpoint: &str, deadline: Deadline) -> Result<(), FaultKind> {
        let question = serde_json::to_vec(&Nothing {}).unwrap_or_default();
        let answer: Members = self.post_as_user(endpoint, MEMBERS, &question, deadline)?;
        let mut state = self.state();
        let id = answer.header.cluster_id;
        if id.is_empty() {
            return Err(FaultKind::Unintelligible("it does not name its cluster".into()));
        }
        if state.cluster.get_or_insert_with(|| id.clone()) != &id {
            return Err(FaultKind::OtherCluster);
        }
        let others = answer.members.iter().filter(|member| !member.is_learner);
        let others: Vec<&str> =
            others.flat_map(|member| &member.client_urls).filter_map(|url| self.endpoint_of(url)).collect();
        state.members.retain(|member| member.is_given || others.contains(&member.endpoint.as_str()));
        for other in others {
            if state.members.iter().all(|member| member.endpoint != other) {
                state.members.push(Member { endpoint: other.into(), is_given: false, checked: None });
            }
        }
        if let Some(member) = state.members.iter_mut().find(|member| member.endpoint == endpoint) {
            member.checked = Some(clock::instant());
        }
        Ok(())
    }

    /// What it means that a member was not spoken to at all, where that needs another look.
    fn understand(&self, endpoint: &str, kind: FaultKind, deadline: Deadline) -> FaultKind {
        let tls = self.address.tls.as_ref();
        if matches!(kind, FaultKind::ClientRefused(_)) && tls.is_some_and(|tls| tls.client.is_none()) {
            return FaultKind::ClientRefused("it asks for a certificate".into());
        }
        if !matches!(kind, FaultKind::BrokenOff(_)) {
            return kind;
        }
        // Whoever is spoken to in the other way may say nothing.
        let other_way = if tls.is_some() { "http://" } else { "https://" };
        match self.probe(other_way, endpoint, deadline) {
            Ok(()) => FaultKind::IsPlain,
            Err(FaultKind::UnknownAuthority | FaultKind::ClientRefused(_)) => FaultKind::IsEncrypted,
            Err(_) => kind,
        }
    }

    /// Sees how an endpoint is spoken to, by a question without a secret.
    fn probe(&self, scheme: &str, endpoint: &str, deadline: Deadline) -> Result<(), FaultKind> {
        let began = clock::instant();
        let agent: Agent = Config::builder().proxy(None).tls_config(tls::trusting_nobody()).build().into();
        let request = agent.get(format!("{scheme}{endpoint}/version")).config();
        let answer = request.timeout_global(Some(deadline.left())).build().call();
        answer.map(drop).map_err(|error| fault::of_failure(&error, clock::instant().since(began)))
    }

    /// The endpoint that a member names for its clients, if it is of use here: one of the same kind, and none of this machine
    /// unless all are there, since on another machine that name means another etcd.
    fn endpoint_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        let endpoint = url.strip_prefix(self.scheme())?.trim_end_matches('/');
        let is_near = self.address.endpoints.iter().all(|endpoint| is_loopback(endpoint));
        (is_host_and_port(endpoint) && (is_near || !is_loopback(endpoint))).then_some(endpoint)
    }

    /// The token of the user, if there is one.
    fn token(&self, endpoint: &str, deadline: Deadline) -> Result<Option<String>, FaultKind> {
        let Some(login) = &self.address.login else { return Ok(None) };
        if self.address.tls.is_none() && !is_loopback(endpoint) {
            return Err(FaultKind::PasswordInPlain);
        }
        if let Some(token) = &self.state().token {
            return Ok(Some(token.clone()));
        }
        let password = password(login).map_err(|error| FaultKind::NoPassword(error.to_string()))?;
        let question = serde_json::to_vec(&Login { name: &login.user, password: &password }).unwrap_or_default();
        match self.post::<Token>(endpoint, AUTHENTICATE, &question, None, deadline) {
            Ok(answer) if answer.token.is_empty() => Ok(None),
            Ok(answer) => {
                self.state().token = Some(answer.token.clone());
                Ok(Some(answer.token))
            }
            // Whoever reaches it may do all: no token is needed.
            Err(FaultKind::NoAuth) => Ok(None),
            Err(kind) => Err(kind),
        }
    }

    fn post<A: DeserializeOwned>(
        &self,
        endpoint: &str,
        path: &str,
        body: &[u8],
        token: Option<&str>,
        deadline: Deadline,
    ) -> Result<A, FaultKind> {
        /// No answer is as large; etcd itself takes 8 GB at most.
        const LARGEST_ANSWER: u64 = 1 << 30;
        let began = clock::instant();
        let left = deadline.left();
        let request = self.agent.post(format!("{}{endpoint}{path}", self.scheme()));
        let request = request.config().timeout_global(Some(left));
        let mut request = request
            .timeout_connect(Some(deadline.connected.since(began).clamp(Duration::from_millis(1), left)))
            .build();
        // So that a member without a leader says so at once.
        request = request.content_type("application/json").header("Grpc-Metadata-hasleader", "true");
        if let Some(token) = token {
            request = request.header("Authorization", token);
        }
        let failed = |error: ureq::Error| fault::of_failure(&error, clock::instant().since(began));
        let mut answer = request.send(body).map_err(failed)?;
        let content = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec().map_err(failed)?;
        if answer.status().as_u16() != 200 {
            return Err(fault::of_answer(answer.status().as_u16(), &content));
        }
        serde_json::from_slice(&content).map_err(|error| FaultKind::Unintelligible(error.to_string()))
    }

    /// Asks one member, and nobody else. For what each member does for itself.
    pub(super) fn ask_one<A: DeserializeOwned>(
        &self,
        endpoint: &str,
        path: &str,
        content: &impl Serialize,
        patience: Duration,
    ) -> Result<A, FaultKind> {
        let body = serde_json::to_vec(content).map_err(|error| FaultKind::Refused(error.to_string()))?;
        let end = clock::instant().after(patience);
        let deadline = Deadline { connected: end, answered: end };
        self.post_as_user(endpoint, path, &body, deadline).map_err(|kind| self.understand(endpoint, kind, deadline))
    }

    /// What a member measures about itself, for machines that watch it; nothing if it does not say.
    pub(super) fn metrics(&self, endpoint: &str, patience: Duration) -> Option<String> {
        let request = self.agent.get(format!("{}{endpoint}/metrics", self.scheme())).config();
        let mut answer = request.timeout_global(Some(patience)).build().call().ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        (answer.status().as_u16() == 200).then_some(text)
    }

    /// Members that are known, the one that answered last first.
    pub(super) fn endpoints(&self) -> Vec<String> {
        self.state().members.iter().map(|member| member.endpoint.clone()).collect()
    }

    /// The address that it is known by.
    pub(super) const fn address(&self) -> &EtcdAddress {
        &self.address
    }

    /// The highest revision that was seen.
    pub(super) fn revision(&self) -> i64 {
        self.state().revision
    }

    /// Whether a change was refused for want of space since this was last asked.
    pub(super) fn was_full(&self) -> bool {
        std::mem::take(&mut self.state().is_full)
    }

    const fn scheme(&self) -> &'static str {
        if self.address.tls.is_some() { "https://" } else { "http://" }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As its file has it now: it may be changed while daemons run.
fn password(login: &EtcdLogin) -> Result<String, StoreError> {
    let text = tls::read_secret(&login.password_file)?;
    let text = String::from_utf8_lossy(&text);
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        let file = login.password_file.display();
        return Err(StoreError::EtcdRefused(format!("{file} holds no password: it is the first line")));
    }
    Ok(password.to_owned())
}

impl Deadline {
    /// What one member gets of the time, where so many are left to be asked: half, and the last one all. Who writes waits for
    /// the answer to the end, since nobody else can be asked then.
    fn share(call: Call, end: Instant, left: usize) -> Option<Self> {
        let now = clock::instant();
        let time = end.since(now);
        let share = if left > 1 { time / 2 } else { time };
        let connected = now.after(share);
        let answered = match call {
            Call::Read => connected,
            Call::Write => end,
        };
        (!time.is_zero()).then_some(Self { connected, answered })
    }

    /// Until the answer must be there. Never nothing, which would be no limit.
    fn left(self) -> Duration {
        self.answered.since(clock::instant()).max(Duration::from_millis(1))
    }
}
