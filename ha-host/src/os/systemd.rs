//! What systemd is told of a daemon whose unit has `Type=notify`. Elsewhere there is nobody to tell.

use sd_notify::NotifyState;

/// By what a process finds whom to tell, which is not meant for those that it starts.
pub(crate) const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";

/// The daemon is at work; `status` is shown by `systemctl status`.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
}

/// The daemon comes to its end.
pub fn stopping(status: &str) {
    tell(&[NotifyState::Stopping, NotifyState::Status(&one_line(status))]);
}

fn tell(states: &[NotifyState<'_>]) {
    // A status that nobody hears changes nothing.
    let _ = sd_notify::notify(states);
}

/// A line would end the status, and what comes after it would be taken for something else.
fn one_line(status: &str) -> String {
    status.replace(['\n', '\r'], " ")
}

/// What a daemon says of how it is, told when it changes.
#[derive(Debug, Default)]
pub struct StatusLine(String);

impl StatusLine {
    /// Says how it is.
    pub fn say(&mut self, status: String) {
        if self.0 != status {
            tell(&[NotifyState::Status(&one_line(&status))]);
            self.0 = status;
        }
    }
}
