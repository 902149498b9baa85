//! Why this daemon is asked to stop: is the whole node going down?

use std::{io, path::Path, thread, time::Duration};

use ha_core::{event::Severity, lrm::StopRequest, time::Instant};

use super::log::LogSource;
use crate::agents::Systemctl;

/// What a request to stop means, by what systemd is about to do.
///
/// # Errors
///
/// If systemd does not say. Then it is not known: the node may be about to lose its power, and services must be stopped before.
pub fn stop_request(systemctl: &impl Systemctl) -> io::Result<StopRequest> {
    const PATIENCE: Duration = Duration::from_secs(2);
    let jobs = systemctl.run(&["list-jobs", "--no-legend", "--plain"], PATIENCE)?;
    let starts = |targets: &[&str]| jobs.split_ascii_whitespace().any(|word| targets.contains(&word));
    Ok(if starts(&["reboot.target", "kexec.target", "soft-reboot.target"]) {
        StopRequest::NodeReboot
    } else if starts(&["poweroff.target", "halt.target", "exit.target"]) {
        StopRequest::NodeShutdown
    } else {
        StopRequest::Restart
    })
}

/// A request to stop, as far as it is understood by now.
///
/// Systemd is asked again where it did not answer, and goes on being asked while a restart takes its time: the node may go down
/// meanwhile, and what is frozen for a restart would be killed with it. Nobody sends another signal for that.
#[derive(Debug)]
pub(super) struct Stopping<S> {
    systemctl: S,
    /// Whether there is a systemd that could answer.
    is_booted: bool,
    asked: Option<StopRequest>,
    next_look: Option<Instant>,
    complained: bool,
}

impl<S: Systemctl> Stopping<S> {
    const LOOK_INTERVAL: Duration = Duration::from_secs(1);

    /// Nobody has asked yet.
    pub(super) fn new(systemctl: S) -> Self {
        let is_booted = Path::new("/run/systemd/system").is_dir();
        Self { systemctl, is_booted, asked: None, next_look: None, complained: false }
    }

    /// A signal has come.
    pub(super) fn begin(&mut self, now: Instant) {
        self.next_look = Some(now);
    }

    /// What must be asked of the LRM now, if that is new.
    pub(super) fn look(&mut self, now: Instant, log: &LogSource) -> Option<StopRequest> {
        self.next_look.filter(|look| now >= *look)?;
        self.next_look = Some(now.after(Self::LOOK_INTERVAL));
        let found = match self.ask() {
            Ok(found) => found,
            Err(error) => {
                if !std::mem::replace(&mut self.complained, true) {
                    let text = format!("systemd does not say whether the node goes down, and is asked again: {error}");
                    log.message(Severity::Warning, text);
                }
                return None;
            }
        };
        let is_new = self.asked.is_none_or(|asked| asked == StopRequest::Restart && found != asked);
        if !is_new {
            return None;
        }
        self.asked = Some(found);
        log.message(Severity::Notice, format!("asked to stop ({})", word(found)));
        Some(found)
    }

    /// Where no systemd runs only this daemon can be meant, once systemd was asked a few times in vain.
    fn ask(&self) -> io::Result<StopRequest> {
        const TIMES: usize = 3;
        const PAUSE: Duration = Duration::from_millis(100);
        if self.is_booted {
            return stop_request(&self.systemctl);
        }
        for _ in 1..TIMES {
            match stop_request(&self.systemctl) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(PAUSE),
                answer => return Ok(answer.unwrap_or(StopRequest::Restart)),
            }
        }
        Ok(stop_request(&self.systemctl).unwrap_or(StopRequest::Restart))
    }
}

fn word(request: StopRequest) -> &'static str {
    match request {
        StopRequest::Restart => "this daemon alone",
        StopRequest::NodeReboot => "the node reboots",
        StopRequest::NodeShutdown => "the node shuts down",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    use ha_core::id::NodeName;

    use crate::node::log::{Log, LogFormat};

    /// Answers with these, one after the other; nothing is an answer that does not come.
    struct Jobs(RefCell<Vec<Option<&'static str>>>);

    impl Jobs {
        fn new(answers: &[Option<&'static str>]) -> Self {
            Self(RefCell::new(answers.iter().rev().copied().collect()))
        }
    }

    impl Systemctl for Jobs {
        fn run(&self, _: &[&str], _: Duration) -> io::Result<String> {
            let answer = self.0.borrow_mut().pop().expect("it was asked too often");
            answer.map(str::to_owned).ok_or_else(|| io::ErrorKind::TimedOut.into())
        }
    }

    const RESTART: &str = "171 ha-node.service restart running";
    const POWER_OFF: &str = "170 poweroff.target start waiting";

    #[test]
    fn the_target_says_what_becomes_of_the_node() {
        let of = |jobs| stop_request(&Jobs::new(&[Some(jobs)])).unwrap();
        assert_eq!(of("171 ha-node.service stop running\n170 reboot.target start waiting"), StopRequest::NodeReboot);
        assert_eq!(of(POWER_OFF), StopRequest::NodeShutdown);
        assert_eq!(of(RESTART), StopRequest::Restart);
        assert!(stop_request(&Jobs::new(&[None])).is_err(), "what is not known is no restart");
    }

    fn stopping(is_booted: bool, answers: &[Option<&'static str>]) -> Stopping<Jobs> {
        Stopping { is_booted, ..Stopping::new(Jobs::new(answers)) }
    }

    fn look(stopping: &mut Stopping<Jobs>, second: u64) -> Option<StopRequest> {
        let log = Log::start(io::sink(), LogFormat::Text).unwrap();
        stopping.look(Instant::from_secs(second), &log.source(&NodeName::new("node1").unwrap(), "node"))
    }

    #[test]
    fn what_is_not_known_is_asked_again_and_a_restart_becomes_more_when_the_node_goes_down() {
        let answers = [None, None, Some(RESTART), None, Some(RESTART), Some(POWER_OFF), Some(RESTART)];
        let mut stopping = stopping(true, &answers);
        assert_eq!(look(&mut stopping, 1), None, "nobody has asked");
        stopping.begin(Instant::from_secs(2));
        let found: Vec<Option<StopRequest>> = (2..9).map(|second| look(&mut stopping, second)).collect();
        let (restart, down) = (Some(StopRequest::Restart), Some(StopRequest::NodeShutdown));
        assert_eq!(found, [None, None, restart, None, None, down, None]);
    }

    #[test]
    fn where_there_is_no_systemd_this_daemon_alone_is_meant() {
        let mut without = stopping(false, &[None, None, None]);
        without.begin(Instant::from_secs(1));
        assert_eq!(look(&mut without, 1), Some(StopRequest::Restart));
        let mut late = stopping(false, &[None, Some(POWER_OFF)]);
        late.begin(Instant::from_secs(1));
        assert_eq!(look(&mut late, 1), Some(StopRequest::NodeShutdown));
    }
}
