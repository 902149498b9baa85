//! The event stream (Server-Sent Events): what happens in the cluster, as it happens, to be taken up again where it was left.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures_util::stream;
use ha_core::history::Entry;
use ha_host::history::Filter;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};

use super::{
    Web,
    authenticate::{Sent, Unknown},
    exchange::{Whole, unavailable, with_headers},
    feed::{Known, News, StatusNews},
};
use crate::{
    access::Caller,
    call::Call,
    own,
    route::Route,
    wire::{Fault, FaultClass, Parameters},
};

/// What somebody wants to hear.
#[derive(Debug)]
pub(super) struct Wanted {
    filter: Filter,
    /// After which entry; without it from now on.
    after: Option<u64>,
    /// Whether the status is wanted too.
    status: bool,
}

impl Wanted {
    /// What a call asks for.
    pub(super) fn of(call: &Call<'_>, headers: &HeaderMap) -> Result<Self, Fault> {
        // A browser that connects again says by the header what it has heard.
        let heard = headers.get("last-event-id").and_then(|value| value.to_str().ok());
        let heard = heard.filter(|text| !text.is_empty());
        let (name, text) = match heard {
            Some(text) => ("Last-Event-ID", Some(text)),
            None => ("after", call.parameters.get("after")),
        };
        let number = |text: &str| text.trim().parse::<u64>();
        let after = text.map(number).transpose().map_err(|_| {
            Fault::parameter(name, "bad_value", "it is no id of an event, which are whole numbers from 0")
        })?;
        Ok(Self { filter: own::filter(call)?, after, status: call.parameters.truth("status").unwrap_or(false) })
    }
}

/// Somebody who listens.
struct Listener {
    web: Web,
    route: &'static Route,
    whole: Arc<Whole>,
    sent: Sent,
    caller: Caller,
    news: News<Known>,
    /// If it is wanted.
    status: Option<News<StatusNews>>,
    is_over: watch::Receiver<bool>,
    filter: Filter,
    /// The last entry that was told or was not wanted; without it nothing was told yet.
    last: Option<u64>,
    access_version: Option<u64>,
    /// When it was looked last whether it may still listen.
    looked: Instant,
    /// The digest of the status that was told last.
    known_status: Option<String>,
    _place: OwnedSemaphorePermit,
}

/// Why there may be something to tell.
enum Cause {
    Time,
    Status(Arc<StatusNews>),
    History,
}

impl Web {
    /// Begins to tell somebody what happens.
    pub(super) fn tell_events(
        &self,
        route: &'static Route,
        whole: Arc<Whole>,
        (sent, caller): (Sent, Caller),
        wanted: Wanted,
    ) -> Result<Response, Fault> {
        let Ok(place) = self.inner.streams.clone().try_acquire_owned() else {
            return Err(unavailable("there are too many event streams"));
        };
        let listener = Listener {
            web: self.clone(),
            route,
            whole,
            sent,
            caller,
            news: self.inner.history.listen(self),
            status: wanted.status.then(|| self.inner.status.listen(self)),
            is_over: self.inner.is_over.subscribe(),
            filter: wanted.filter,
            last: wanted.after,
            access_version: None,
            looked: Instant::now(),
            known_status: None,
            _place: place,
        };
        let blocks = stream::unfold(listener, |mut listener| async move {
            let blocks = listener.next().await?;
            Some((Ok::<Bytes, Infallible>(blocks), listener))
        });
        let mut response = with_headers(Response::new(Body::from_stream(blocks)), "text/event-stream");
        // Proxies that collect an answer before they pass it on are asked not to.
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
        Ok(response)
    }
}

impl Listener {
    /// What must be told next; nothing when it is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let look_again = self.looked.checked_add(self.web.inner.bounds.silence)?;
            let cause = tokio::select! {
                _ = self.is_over.wait_for(|is_over| *is_over) => return None,
                () = sleep_until(look_again) => Cause::Time,
                news = next_of(&mut self.status) => Cause::Status(news?),
                changed = self.news.changed() => {
                    changed.ok()?;
                    Cause::History
                }
            };
            match cause {
                Cause::Time => {
                    // Tickets and tokens expire, however much there is to tell.
                    self.looked = Instant::now();
                    return self.still_may().await.then(|| self.still_here().into());
                }
                // Whoever listens again is told then what there is no room for now.
                Cause::Status(news) if self.known_status.as_ref() != Some(&news.digest) => {
                    return self.status_of(&news);
                }
                Cause::Status(_) => continue,
                Cause::History => {}
            }
            let Some(known) = self.news.borrow_and_update().clone() else { continue };
            let version = self.access_version.replace(known.access_version);
            if version.is_some_and(|version| version != known.access_version) && !self.still_may().await {
                return None;
            }
            let blocks = self.news_of(&known).await?;
            if !blocks.is_empty() {
                return self.web.inner.unsent.hold(blocks.into_bytes());
            }
        }
    }

    /// What this one has to be told of the status.
    fn status_of(&mut self, news: &StatusNews) -> Option<Bytes> {
        let known = self.known_status.replace(news.digest.clone());
        news.to(known.as_deref(), &self.web.inner.unsent)
    }

    /// A comment; the id says to a client where it is, also if nothing that it wants has happened.
    fn still_here(&self) -> String {
        self.last.map_or_else(|| ":\n\n".into(), |last| format!(":\nid: {last}\n\n"))
    }

    async fn news_of(&mut self, known: &Known) -> Option<String> {
        let is_new = self.last.is_none();
        let last = *self.last.get_or_insert(known.end);
        if is_new {
            return Some(self.still_here());
        }
        if known.end < last && self.is_kept(last).await {
            // Another server has told more than this one has read by now.
            return Some(String::new());
        }
        self.last = Some(known.end);
        if !known.reaches_back_to(last) {
            return self.reset(known.end).await;
        }
        Some(known.after(last).filter(|entry| self.filter.takes(entry)).map(block_of).collect())
    }

    /// Whether the history in the store reaches this far.
    async fn is_kept(&self, position: u64) -> bool {
        let store = self.web.inner.site.desk.store().clone();
        let end = self.web.wait_for_store(move || store.history_end()).await;
        end.is_some_and(|end| end.is_ok_and(|end| position <= end))
    }

    /// Whoever has missed something gets the whole status. Where there is none the stream is over: whoever takes it up again is told then.
    async fn reset(&self, end: u64) -> Option<String> {
        let (web, caller) = (self.web.clone(), self.caller.clone());
        let status = move || {
            let call = Call::new(&web.inner.site, &caller, Vec::new(), Parameters::default());
            own::status(&call).ok().map(|answer| answer.data)
        };
        let status = self.web.wait_for_store(status).await??;
        Some(block(Some(end), "reset", &status))
    }

    /// Whether the listener may still listen: tokens and users are removed, and tickets expire.
    async fn still_may(&self) -> bool {
        let (web, route, whole, sent) = (self.web.clone(), self.route, self.whole.clone(), self.sent.clone());
        let looked = self.web.wait_for_store(move || web.caller(route, &whole, &sent));
        match looked.await {
            // A store that does not answer, or fails, says nothing against anybody.
            None => true,
            Some(Err(Unknown::Other(fault))) => fault.class == FaultClass::Unavailable,
            Some(caller) => caller.is_ok(),
        }
    }
}

/// The next news, if there may be any.
async fn next_of<T>(news: &mut Option<News<T>>) -> Option<Arc<T>> {
    let Some(news) = news else { return std::future::pending().await };
    loop {
        news.changed().await.ok()?;
        if let Some(next) = news.borrow_and_update().clone() {
            return Some(next);
        }
    }
}

fn block_of(entry: &Arc<Entry>) -> String {
    block(Some(entry.position.unwrap_or(0)), &entry.what.name(), &own::object(entry))
}

/// An event as it is sent. JSON has no line ends in it. What is no entry of the history has no id.
pub(super) fn block(id: Option<u64>, name: &str, data: &Value) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    let name: String = name.chars().filter(|character| !character.is_control()).collect();
    format!("{id}event: {name}\ndata: {data}\n\n")
}
