//! What is told to those who listen: looked for once for all of them, and only while somebody does.

mod history;
mod status;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

use super::Web;
use crate::call::Site;

pub(super) use history::Known;
pub(super) use status::StatusNews;

/// Something that is told as it changes.
pub(super) trait Told: Send + Sync + Sized + 'static {
    /// How often it is looked for: what has happened is told within a second.
    const LOOK_INTERVAL: Duration;

    /// What is to be told after this. Nothing if nothing has changed, or if it can't be read now: whoever listens is kept waiting then,
    /// and loses nothing.
    fn after(before: Option<&Self>, site: &Site) -> Option<Self>;
}

/// What is told, once it was read for the first time.
pub(super) type News<T> = watch::Receiver<Option<Arc<T>>>;

/// Where those who listen meet.
#[derive(Debug)]
pub(super) struct Feed<T> {
    /// While somebody listens.
    news: Mutex<Option<watch::Sender<Option<Arc<T>>>>>,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self { news: Mutex::default() }
    }
}

impl<T: Told> Feed<T> {
    /// What costs much is looked for less often: at most so much of a processor is spent on it, one part in. Waiting for a store that
    /// hangs costs nothing.
    const SHARE: u32 = 8;

    /// Begins to listen.
    pub(super) fn listen(self: &Arc<Self>, web: &Web) -> News<T> {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*news {
            let mut receiver = sender.subscribe();
            // What is known already is news to whoever begins to listen.
            receiver.mark_changed();
            return receiver;
        }
        let (sender, receiver) = watch::channel(None);
        *news = Some(sender);
        tokio::spawn(self.clone().look_on(web.clone()));
        receiver
    }

    /// Looks for what is new, until nobody listens any more.
    async fn look_on(self: Arc<Self>, web: Web) {
        let mut known: Option<Arc<T>> = None;
        while self.has_listeners() {
            let look = {
                let (web, before) = (web.clone(), known.clone());
                move || {
                    let began = processor_time();
                    let next = T::after(before.as_deref(), &web.inner.site);
                    (next, processor_time().saturating_sub(began))
                }
            };
            let (next, cost) = tokio::task::spawn_blocking(look).await.unwrap_or_default();
            if let Some(next) = next {
                let next = Arc::new(next);
                known = Some(next.clone());
                self.tell(next);
            }
            tokio::time::sleep(T::LOOK_INTERVAL.max(cost.saturating_mul(Self::SHARE))).await;
        }
    }

    fn tell(&self, news: Arc<T>) {
        if let Some(sender) = &*self.news.lock().unwrap_or_else(PoisonError::into_inner) {
            sender.send_replace(Some(news));
        }
    }

    /// Whether anybody listens. If nobody does any more, nobody can join either: the next listener begins again.
    fn has_listeners(&self) -> bool {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let has_listeners = news.as_ref().is_some_and(|sender| sender.receiver_count() > 0);
        if !has_listeners {
            *news = None;
        }
        has_listeners
    }
}

/// What this thread has taken of a processor so far.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
