//! Why this daemon is asked to stop: is the whole node going down?

use std::time::Duration;

use ha_core::lrm::StopRequest;

use crate::agent::Systemctl;

/// What a request to stop means, by what systemd is about to do. Where systemd does not say, the daemon alone is restarted.
#[must_use]
pub fn stop_request(systemctl: &impl Systemctl) -> StopRequest {
    const PATIENCE: Duration = Duration::from_secs(2);
    let jobs = systemctl.run(&["list-jobs", "--no-legend", "--plain"], PATIENCE).unwrap_or_default();
    let starts = |targets: &[&str]| jobs.split_ascii_whitespace().any(|word| targets.contains(&word));
    if starts(&["reboot.target", "kexec.target", "soft-reboot.target"]) {
        StopRequest::NodeReboot
    } else if starts(&["poweroff.target", "halt.target"]) {
        StopRequest::NodeShutdown
    } else {
        StopRequest::Restart
    }
}

pub(super) fn word(request: StopRequest) -> &'static str {
    match request {
        StopRequest::Restart => "this daemon alone",
        StopRequest::NodeReboot => "the node reboots",
        StopRequest::NodeShutdown => "the node shuts down",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    struct Jobs(Option<&'static str>);

    impl Systemctl for Jobs {
        fn run(&self, _: &[&str], _: Duration) -> io::Result<String> {
            self.0.map(str::to_owned).ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn the_target_says_what_becomes_of_the_node() {
        let of = |jobs| stop_request(&Jobs(jobs));
        assert_eq!(
            of(Some("171 ha-node.service stop running\n170 reboot.target start waiting")),
            StopRequest::NodeReboot
        );
        assert_eq!(of(Some("170 poweroff.target start waiting")), StopRequest::NodeShutdown);
        assert_eq!(of(Some("171 ha-node.service restart running")), StopRequest::Restart);
        assert_eq!(of(None), StopRequest::Restart);
    }
}
