//! `resources.cfg`: the services that are managed, and what is asked for each.

use alloc::{format, string::ToString, sync::Arc, vec::Vec};

use super::{
    Comment, Digest, Kept, OrderedMap, Parsed, ProblemKind, ValueError,
    file::{self, Section},
    value::{self, Value, ValueReader},
};
use crate::{
    id::{GroupId, ServiceId, ServiceTypes},
    text_enum::text_enum,
};

/// What a person asks for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RequestedState {
    /// Keep it running, recover it when its node fails.
    #[default]
    Started,
    /// Keep it stopped, but still move it off a failed node.
    Stopped,
    /// Keep it stopped and leave it where it is. The only way out of the state `error`.
    Disabled,
    /// Act as if it were not managed at all.
    Ignored,
}

text_enum! {
    RequestedState: "a requested state",
    Started = "started" | "enabled",
    Stopped = "stopped",
    Disabled = "disabled",
    Ignored = "ignored",
}

#[doc(no_inline)]
pub use super::probe::{OnFailure, Probe, ProbeTarget};

/// The highest priority of a resource.
pub const MAX_PRIORITY: u32 = 1000;

/// One managed service. Properties that the file does not set are `None`; the methods of the same name give the
/// value that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The service.
    pub sid: ServiceId,
    /// What is asked for.
    pub state: Option<RequestedState>,
    /// The HA group, from before groups became rules.
    pub group: Option<GroupId>,
    /// Failed starts that are retried on the same node.
    pub max_restart: Option<u32>,
    /// Other nodes that are tried after that.
    pub max_relocate: Option<u32>,
    /// Whether it moves to a node of higher priority when one comes online.
    pub failback: Option<bool>,
    /// For how many seconds a node of higher priority must have been well before it goes back there, at least 1.
    pub failback_delay: Option<u32>,
    /// Whether automatic balancing may move it, and what must stay together with it.
    pub auto_rebalance: Option<bool>,
    /// After how many seconds without another one failed starts count no more, at least 1.
    pub failure_timeout: Option<u32>,
    /// How much it matters beside others, from 0 to [`MAX_PRIORITY`].
    pub priority: Option<u32>,
    /// How it is seen whether it is ready once it runs.
    pub probe: Option<Probe>,
    /// Seconds from one probe to the next, at least 1.
    pub probe_interval: Option<u32>,
    /// Seconds that one probe may take, at least 1.
    pub probe_timeout: Option<u32>,
    /// How many probes must fail one after another before it is no longer ready, at least 1.
    pub probe_failures: Option<u32>,
    /// Seconds that it may take to be ready after its start, at least 1.
    pub ready_timeout: Option<u32>,
    /// What follows when it is not ready in time, or no longer.
    pub on_failure: Option<OnFailure>,
    /// A person's remark.
    pub comment: Option<Comment>,
}

impl Resource {
    /// A resource with nothing but its name set.
    #[must_use]
    pub fn new(sid: ServiceId) -> Self {
        Self {
            sid,
            state: None,
            group: None,
            max_restart: None,
            max_relocate: None,
            failback: None,
            failback_delay: None,
            auto_rebalance: None,
            failure_timeout: None,
            priority: None,
            probe: None,
            probe_interval: None,
            probe_timeout: None,
            probe_failures: None,
            ready_timeout: None,
            on_failure: None,
            comment: None,
        }
    }

    /// The text of a property, as an edit takes it; `None` if it is not set.
    ///
    /// ```
    /// use ha_core::config::resources::{Resource, ResourceProperty};
    ///
    /// let mut resource = Resource::new("vm:100".parse()?);
    /// assert_eq!(resource.text(ResourceProperty::MaxRestart), None);
    /// resource.max_restart = Some(3);
    /// assert_eq!(resource.text(ResourceProperty::MaxRestart).as_deref(), Some("3"));
    /// # Ok::<(), ha_core::id::IdError>(())
    /// ```
    #[must_use]
    pub fn text(&self, property: ResourceProperty) -> Option<alloc::string::String> {
        self.value(property).map(|value| value.to_string())
    }

    /// What is asked for; by default `started`.
    #[must_use]
    pub fn state(&self) -> RequestedState {
        self.state.unwrap_or_default()
    }

    /// Failed starts that are retried on the same node; by default 1.
    #[must_use]
    pub fn max_restart(&self) -> u32 {
        self.max_restart.unwrap_or(1)
    }

    /// Other nodes that are tried after that; by default 1.
    #[must_use]
    pub fn max_relocate(&self) -> u32 {
        self.max_relocate.unwrap_or(1)
    }

    /// Whether it moves to a node of higher priority when one comes online; by default it does.
    #[must_use]
    pub fn failback(&self) -> bool {
        self.failback.unwrap_or(true)
    }

    /// For how many seconds a node of higher priority must have been online since it came back before the service goes back there; by
    /// default it goes at once. With each failure of that node within an hour of its return the delay doubles, up to an hour.
    #[must_use]
    pub fn failback_delay(&self) -> Option<u32> {
        self.failback_delay
    }

    /// Whether automatic balancing may move it, and what must stay together with it; by default it may.
    #[must_use]
    pub fn auto_rebalance(&self) -> bool {
        self.auto_rebalance.unwrap_or(true)
    }

    /// After how many seconds without another one failed starts count no more, and a service that is in `error` for them is tried
    /// again; by default they count until one succeeds, and a service in `error` stays so.
    #[must_use]
    pub fn failure_timeout(&self) -> Option<u32> {
        self.failure_timeout
    }

    /// How much it matters beside others, from 0 to [`MAX_PRIORITY`]; by default 0. What has more of it is placed, started and moved
    /// before the rest, and stopped after it.
    #[must_use]
    pub fn priority(&self) -> u32 {
        self.priority.unwrap_or(0)
    }

    /// Seconds from one probe to the next; by default 10. They are made by the LRM once in its rounds, so that it takes up to one
    /// round longer.
    #[must_use]
    pub fn probe_interval(&self) -> u32 {
        self.probe_interval.unwrap_or(10)
    }

    /// Seconds that one probe may take; by default 5. One that takes longer has failed.
    #[must_use]
    pub fn probe_timeout(&self) -> u32 {
        self.probe_timeout.unwrap_or(5)
    }

    /// How many probes must fail one after another before a service that was ready is no longer; by default 3.
    #[must_use]
    pub fn probe_failures(&self) -> u32 {
        self.probe_failures.unwrap_or(3)
    }

    /// Seconds that it may take to be ready after its start; by default 300. Until then it is starting, and probes that fail say
    /// nothing.
    #[must_use]
    pub fn ready_timeout(&self) -> u32 {
        self.ready_timeout.unwrap_or(300)
    }

    /// What follows when it is not ready in time, or no longer; by default it is reported.
    #[must_use]
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure.unwrap_or_default()
    }
}

/// The content of `resources.cfg`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResourcesConfig {
    /// The resources in the order of the file.
    pub resources: OrderedMap<ServiceId, Resource>,
    /// The digest of the file that this was read from.
    pub digest: Digest,
    /// What else the file holds: see [`Kept`].
    pub kept: Kept<ServiceId>,
}

impl ResourcesConfig {
    /// Reads `resources.cfg`.
    pub fn read(text: &[u8], types: &ServiceTypes) -> Parsed<Self> {
        let file = file::read(text, ValueReader::of_file(types));
        Parsed {
            config: Self { resources: file.sections, digest: file.digest, kept: file.kept },
            problems: file.problems,
        }
    }

    /// Whether two readings of the file are the same.
    pub(crate) fn is_same(one: &Arc<Self>, other: &Arc<Self>) -> bool {
        super::same(one, other, |config| config.digest)
    }

    /// The file's bytes. Whatever was not UTF-8 when it was read is not either when it is written.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        file::write(&self.resources, &self.kept)
    }
}

/// The properties of a resource, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceProperty {
    /// [`Resource::comment`]
    Comment,
    /// [`Resource::auto_rebalance`]
    AutoRebalance,
    /// [`Resource::failback`]
    Failback,
    /// [`Resource::failback_delay`]
    FailbackDelay,
    /// [`Resource::failure_timeout`]
    FailureTimeout,
    /// [`Resource::group`]
    Group,
    /// [`Resource::max_relocate`]
    MaxRelocate,
    /// [`Resource::max_restart`]
    MaxRestart,
    /// [`Resource::on_failure`]
    OnFailure,
    /// [`Resource::priority`]
    Priority,
    /// [`Resource::probe`]
    Probe,
    /// [`Resource::probe_failures`]
    ProbeFailures,
    /// [`Resource::probe_interval`]
    ProbeInterval,
    /// [`Resource::probe_timeout`]
    ProbeTimeout,
    /// [`Resource::ready_timeout`]
    ReadyTimeout,
    /// [`Resource::state`]
    State,
}

text_enum! {
    ResourceProperty: "a property of a resource",
    Comment = "comment",
    AutoRebalance = "auto-rebalance",
    Failback = "failback",
    FailbackDelay = "failback-delay",
    FailureTimeout = "failure-timeout",
    Group = "group",
    MaxRelocate = "max_relocate",
    MaxRestart = "max_restart",
    OnFailure = "on-failure",
    Priority = "priority",
    Probe = "probe",
    ProbeFailures = "probe-failures",
    ProbeInterval = "probe-interval",
    ProbeTimeout = "probe-timeout",
    ReadyTimeout = "ready-timeout",
    State = "state",
}

impl Section for Resource {
    type Id = ServiceId;
    type Property = ResourceProperty;
    type Draft = Self;

    fn open(section_type: &str, id: &str, values: &ValueReader<'_>) -> Result<Self, ProblemKind> {
        if !values.types.knows(section_type) {
            return Err(ProblemKind::UnknownSectionType {
                found: value::excerpt(section_type.as_bytes()),
                expected: format!("one of: {}", values.types.names().collect::<Vec<_>>().join(", ")),
            });
        }
        values
            .types
            .join(section_type, id)
            .map(Self::new)
            .map_err(|error| ProblemKind::BadSectionId(value::shortened(error)))
    }

    fn id(draft: &Self) -> &ServiceId {
        &draft.sid
    }

    fn properties_of(_: &Self) -> &'static [ResourceProperty] {
        ResourceProperty::ALL
    }

    fn key(property: ResourceProperty) -> &'static str {
        property.as_str()
    }

    fn assign(draft: &mut Self, property: ResourceProperty, text: &str, _: &ValueReader<'_>) -> Result<(), ValueError> {
        match property {
            ResourceProperty::Comment => draft.comment = value::plain_comment(text)?,
            ResourceProperty::AutoRebalance => draft.auto_rebalance = Some(value::boolean(text)?),
            ResourceProperty::Failback => draft.failback = Some(value::boolean(text)?),
            ResourceProperty::FailbackDelay => draft.failback_delay = Some(value::integer(text, 1)?),
            ResourceProperty::FailureTimeout => draft.failure_timeout = Some(value::integer(text, 1)?),
            ResourceProperty::Group => draft.group = Some(value::id(text)?),
            ResourceProperty::MaxRelocate => draft.max_relocate = Some(value::integer(text, 0)?),
            ResourceProperty::MaxRestart => draft.max_restart = Some(value::integer(text, 0)?),
            ResourceProperty::OnFailure => draft.on_failure = Some(value::word(text)?),
            ResourceProperty::Priority => draft.priority = Some(value::integer_within(text, 0, MAX_PRIORITY)?),
            ResourceProperty::Probe => draft.probe = Some(text.parse()?),
            ResourceProperty::ProbeFailures => draft.probe_failures = Some(value::integer(text, 1)?),
            ResourceProperty::ProbeInterval => draft.probe_interval = Some(value::integer(text, 1)?),
            ResourceProperty::ProbeTimeout => draft.probe_timeout = Some(value::integer(text, 1)?),
            ResourceProperty::ReadyTimeout => draft.ready_timeout = Some(value::integer(text, 1)?),
            ResourceProperty::State => draft.state = Some(value::word(text)?),
        }
        Ok(())
    }

    fn clear(draft: &mut Self, property: ResourceProperty) {
        match property {
            ResourceProperty::Comment => draft.comment = None,
            ResourceProperty::AutoRebalance => draft.auto_rebalance = None,
            ResourceProperty::Failback => draft.failback = None,
            ResourceProperty::FailbackDelay => draft.failback_delay = None,
            ResourceProperty::FailureTimeout => draft.failure_timeout = None,
            ResourceProperty::Group => draft.group = None,
            ResourceProperty::MaxRelocate => draft.max_relocate = None,
            ResourceProperty::MaxRestart => draft.max_restart = None,
            ResourceProperty::OnFailure => draft.on_failure = None,
            ResourceProperty::Priority => draft.priority = None,
            ResourceProperty::Probe => draft.probe = None,
            ResourceProperty::ProbeFailures => draft.probe_failures = None,
            ResourceProperty::ProbeInterval => draft.probe_interval = None,
            ResourceProperty::ProbeTimeout => draft.probe_timeout = None,
            ResourceProperty::ReadyTimeout => draft.ready_timeout = None,
            ResourceProperty::State => draft.state = None,
        }
    }

    fn finish(draft: Self) -> Result<Self, Vec<ResourceProperty>> {
        Ok(draft)
    }

    fn draft(&self) -> Self {
        self.clone()
    }

    fn header(&self) -> (&str, &str) {
        (self.sid.service_type(), self.sid.name())
    }

    fn properties(&self) -> &'static [ResourceProperty] {
        ResourceProperty::ALL
    }

    fn value(&self, property: ResourceProperty) -> Option<Value<'_>> {
        match property {
            ResourceProperty::Comment => self.comment.as_deref().map(Value::PlainComment),
            ResourceProperty::AutoRebalance => self.auto_rebalance.map(Value::Boolean),
            ResourceProperty::Failback => self.failback.map(Value::Boolean),
            ResourceProperty::FailbackDelay => self.failback_delay.map(Value::Integer),
            ResourceProperty::FailureTimeout => self.failure_timeout.map(Value::Integer),
            ResourceProperty::Group => self.group.as_ref().map(|group| Value::Word(group.as_str())),
            ResourceProperty::MaxRelocate => self.max_relocate.map(Value::Integer),
            ResourceProperty::MaxRestart => self.max_restart.map(Value::Integer),
            ResourceProperty::OnFailure => self.on_failure.map(|word| Value::Word(word.as_str())),
            ResourceProperty::Priority => self.priority.map(Value::Integer),
            ResourceProperty::Probe => self.probe.as_ref().map(|probe| Value::Word(probe.as_str())),
            ResourceProperty::ProbeFailures => self.probe_failures.map(Value::Integer),
            ResourceProperty::ProbeInterval => self.probe_interval.map(Value::Integer),
            ResourceProperty::ProbeTimeout => self.probe_timeout.map(Value::Integer),
            ResourceProperty::ReadyTimeout => self.ready_timeout.map(Value::Integer),
            ResourceProperty::State => self.state.map(|state| Value::Word(state.as_str())),
        }
    }
}
