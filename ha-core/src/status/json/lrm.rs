//! The LRM status in JSON.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserializer, Serialize, Serializer, ser::SerializeMap};
use smol_str::SmolStr;

use super::{
    read::{self, Missing, Path, Readable, Record, deserialize_records, fields},
    write,
};
use crate::{
    config::OrderedMap,
    id::{ServiceId, Uid},
    status::{
        ExitCode, JobResult, LrmMode, LrmState, LrmStatus, Readiness, ServiceNote, StateName, Timestamp, UnknownFields,
        Writer,
    },
};

deserialize_records!(LrmStatus, JobResult, Writer, ServiceNote);

fields! {
    LrmField, LrmDraft:
    State = "state" in state: LrmState,
    Mode = "mode" in mode: LrmMode,
    Timestamp = "timestamp" in timestamp: Timestamp,
    Writer = "writer" in writer: Writer,
    Results = "results" in results: OrderedMap<Uid, JobResult>,
    Services = "services" in services: BTreeMap<ServiceId, ServiceNote>,
}

impl Record for LrmStatus {
    type Draft = LrmDraft;

    const EXPECTED: &'static str = "an object, the LRM status";

    fn build(draft: LrmDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        Ok(Self {
            state: draft.state.value.unwrap_or_default(),
            mode: draft.mode.value.unwrap_or_default(),
            timestamp: draft.timestamp.value,
            writer: draft.writer.value,
            results: draft.results.value.unwrap_or_default(),
            services: draft.services.value.unwrap_or_default(),
            unknown,
        })
    }
}

impl Serialize for LrmStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::field(&mut map, LrmField::State, &self.state)?;
        write::field(&mut map, LrmField::Mode, &self.mode)?;
        write::optional(&mut map, LrmField::Timestamp, self.timestamp.as_ref())?;
        write::optional(&mut map, LrmField::Writer, self.writer.as_ref())?;
        write::field(&mut map, LrmField::Results, &Results(&self.results))?;
        let services = (!self.services.is_empty()).then_some(&self.services);
        write::optional(&mut map, LrmField::Services, services)?;
        write::unknown::<LrmField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

impl Readable for OrderedMap<Uid, JobResult> {
    const EXPECTED: &'static str = "an object with the unique ids of requests";

    fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error> {
        let mut results = Self::default();
        let add = |uid, result| read::append_new(&mut results, uid, result);
        let read = read::read_entries(deserializer, path, Self::EXPECTED, add)?;
        Ok(read.map(|()| results))
    }
}

/// Results in the order of their UIDs.
struct Results<'a>(&'a OrderedMap<Uid, JobResult>);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut results: Vec<_> = self.0.iter().collect();
        results.sort_unstable_by_key(|(uid, _)| *uid);
        serializer.collect_map(results)
    }
}

fields! {
    WriterField, WriterDraft:
    Machine = "machine" in machine: SmolStr,
    Boot = "boot" in boot: SmolStr,
}

impl Record for Writer {
    type Draft = WriterDraft;

    const EXPECTED: &'static str = "an object, who wrote the record";

    fn build(draft: WriterDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let WriterDraft { machine, boot } = draft;
        Ok(Self {
            machine: machine.value.ok_or(Missing::new(WriterField::Machine, "expected the id of a machine"))?,
            boot: boot.value.ok_or(Missing::new(WriterField::Boot, "expected the id of the machine's boot"))?,
            unknown,
        })
    }
}

impl Serialize for Writer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::field(&mut map, WriterField::Machine, &self.machine)?;
        write::field(&mut map, WriterField::Boot, &self.boot)?;
        write::unknown::<WriterField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

fields! {
    ResultField, ResultDraft:
    Sid = "sid" in sid: ServiceId,
    State = "state" in state: SmolStr,
    ExitCode = "exit_code" in exit_code: ExitCode,
}

impl Record for JobResult {
    type Draft = ResultDraft;

    const EXPECTED: &'static str = "an object, the result of a job";

    fn build(draft: ResultDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let ResultDraft { sid, state, exit_code } = draft;
        Ok(Self {
            sid: sid.value.ok_or(Missing::new(ResultField::Sid, "expected the service that the job was for"))?,
            state: state.value.ok_or(Missing::new(ResultField::State, "expected the command that was carried out"))?,
            exit_code: exit_code.value.ok_or(Missing::new(ResultField::ExitCode, "expected the job's exit code"))?,
            unknown,
        })
    }
}

impl Serialize for JobResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::field(&mut map, ResultField::Sid, &self.sid)?;
        write::field(&mut map, ResultField::State, &self.state)?;
        write::field(&mut map, ResultField::ExitCode, &self.exit_code.0)?;
        write::unknown::<ResultField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

fields! {
    NoteField, NoteDraft:
    Lock = "lock" in lock: String,
    LockedSince = "locked_since" in locked_since: Timestamp,
    Hangs = "hangs" in hangs: StateName,
    HangsSince = "hangs_since" in hangs_since: Timestamp,
    Asks = "asks" in asks: Uid,
    Restarts = "restarts" in restarts: u64,
    RestartTimes = "restart_times" in restart_times: Vec<Timestamp>,
    NextRestart = "next_restart" in next_restart: Timestamp,
    Readiness = "readiness" in readiness: Readiness,
    ReadinessSince = "readiness_since" in readiness_since: Timestamp,
    NotReady = "not_ready" in not_ready: String,
}

impl Record for ServiceNote {
    type Draft = NoteDraft;

    const EXPECTED: &'static str = "an object, what is said of a service";

    fn build(draft: NoteDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        Ok(Self {
            lock: draft.lock.value,
            locked_since: draft.locked_since.value,
            hangs: draft.hangs.value,
            hangs_since: draft.hangs_since.value,
            asks: draft.asks.value,
            restarts: draft.restarts.value.unwrap_or_default(),
            restart_times: draft.restart_times.value.unwrap_or_default(),
            next_restart: draft.next_restart.value,
            readiness: draft.readiness.value,
            readiness_since: draft.readiness_since.value,
            not_ready: draft.not_ready.value,
            unknown,
        })
    }
}

impl Serialize for ServiceNote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::optional(&mut map, NoteField::Lock, self.lock.as_ref())?;
        write::optional(&mut map, NoteField::LockedSince, self.locked_since.as_ref())?;
        write::optional(&mut map, NoteField::Hangs, self.hangs.as_ref())?;
        write::optional(&mut map, NoteField::HangsSince, self.hangs_since.as_ref())?;
        write::optional(&mut map, NoteField::Asks, self.asks.as_ref())?;
        write::optional(&mut map, NoteField::Restarts, (self.restarts > 0).then_some(&self.restarts))?;
        let restart_times = (!self.restart_times.is_empty()).then_some(&self.restart_times);
        write::optional(&mut map, NoteField::RestartTimes, restart_times)?;
        write::optional(&mut map, NoteField::NextRestart, self.next_restart.as_ref())?;
        write::optional(&mut map, NoteField::Readiness, self.readiness.as_ref())?;
        write::optional(&mut map, NoteField::ReadinessSince, self.readiness_since.as_ref())?;
        write::optional(&mut map, NoteField::NotReady, self.not_ready.as_ref())?;
        write::unknown::<NoteField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}
