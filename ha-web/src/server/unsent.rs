//! Large answers that clients have not taken yet: however slowly they are taken, they fill no more memory than that.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much room there is for them.
#[derive(Debug)]
pub(super) struct Unsent {
    room: Arc<Semaphore>,
}

/// One of them. It gives its room back when nobody needs it any more.
struct Held {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Unsent {
    /// What has no more bytes is bounded by the number of connections.
    const SMALL: usize = 64 * 1024;
    /// Of a permit, since there are not so many of them.
    const UNIT: usize = 1024;

    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(bytes.div_ceil(Self::UNIT).min(Semaphore::MAX_PERMITS))) }
    }

    /// What is to be sent, unless there is no room for it now. There always is for what is small.
    pub(super) fn hold(&self, bytes: Vec<u8>) -> Option<Bytes> {
        if bytes.len() <= Self::SMALL {
            return Some(bytes.into());
        }
        let units = u32::try_from(bytes.len().div_ceil(Self::UNIT)).ok()?;
        let room = self.room.clone().try_acquire_many_owned(units).ok()?;
        Some(Bytes::from_owner(Held { bytes, _room: room }))
    }
}
