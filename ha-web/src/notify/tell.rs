//! Telling one target.

use ha_core::config::{NotifyTarget, NotifyWay};

use super::{Message, command, smtp, webhook};

/// Why a target was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failed {
    /// Why, for people. Nothing secret is in it.
    pub why: String,
    /// Whether the target has refused it, and would do so again.
    pub is_refused: bool,
}

impl Failed {
    /// It may work another time.
    #[must_use]
    pub fn later(why: String) -> Self {
        Self { why, is_refused: false }
    }

    /// The target does not want it.
    #[must_use]
    pub fn refused(why: String) -> Self {
        Self { why, is_refused: true }
    }
}

/// Tells a target. It waits until that is done, for a bounded time. Gives how many of the messages it was told, from the first on,
/// and why it was not told the one after these.
#[must_use]
pub fn tell(target: &NotifyTarget, messages: &[Message]) -> (usize, Option<Failed>) {
    let each = |tell: &dyn Fn(&Message) -> Result<(), Failed>| {
        for (told, message) in messages.iter().enumerate() {
            if let Err(failed) = tell(message) {
                return (told, Some(failed));
            }
        }
        (messages.len(), None)
    };
    match &target.way {
        NotifyWay::Command { .. } => each(&|message| command::run(&target.way.words(), message)),
        NotifyWay::Webhook { url, secret_file, template_file, ca_file } => {
            let files = webhook::Files {
                secret: secret_file.as_deref(),
                template: template_file.as_deref(),
                ca: ca_file.as_deref(),
            };
            each(&|message| webhook::post(url, &files, message))
        }
        // One mail says it all: nobody wants a hundred at once.
        NotifyWay::Smtp { .. } => match smtp::send(&target.way, messages) {
            Ok(()) => (messages.len(), None),
            Err(failed) => (0, Some(failed)),
        },
    }
}
