//! What the demonstration shows, step by step.

use std::{io::IsTerminal, path::Path, process::ExitCode, time::Duration};

use anstyle::{AnsiColor, Style};
use ha_core::{
    event::Event,
    id::{NodeName, ServiceId},
    time::Instant,
    timing::Timings,
};
use ha_host::{os::clock, store::ClusterSettings, watchdog::RESET_EXIT_CODE};

use super::{
    cluster::Cluster,
    disk::{Entry, judge},
    page::{Page, wait_for_person},
};
use crate::{context::Failure, daemon::named_timings};

/// Nothing here takes longer unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Services with the node that they begin on, and whether that is their home, where they return to.
const SERVICES: [(&str, &str, bool); 5] = [
    ("proc:disk1", "node1", true),
    ("proc:disk2", "node2", true),
    ("proc:disk3", "node3", true),
    ("proc:disk4", "node2", false),
    ("proc:disk5", "node3", false),
];

/// A failover that was measured.
struct Failover {
    what: String,
    service: ServiceId,
    from: String,
    to: String,
    took: Duration,
    bound: Duration,
}

struct Story {
    cluster: Cluster,
    timings: Timings,
    began: Instant,
    failovers: Vec<Failover>,
    complaints: Vec<String>,
}

fn node(name: &str) -> Result<NodeName, Failure> {
    Ok(NodeName::new(name)?)
}

fn sid(name: &str) -> Result<ServiceId, Failure> {
    Ok(ServiceId::new(name)?)
}

/// Tells the whole story. The exit code says whether all was as it should be.
pub(super) fn tell(directory: Option<&Path>, in_etcd: bool, web: Option<&str>) -> Result<ExitCode, Failure> {
    let timings = named_timings("fast")?;
    let settings = ClusterSettings { nodes: vec![node("node1")?, node("node2")?, node("node3")?], timings };
    let mut services = Vec::new();
    for (name, home, _) in SERVICES {
        services.push((sid(name)?, node(home)?));
    }
    let cluster = Cluster::new(directory, in_etcd, &settings, &services)?;
    let mut story = Story { cluster, timings, began: clock::instant(), failovers: Vec::new(), complaints: Vec::new() };
    story.begin()?;
    let page = web.map(|listen| Page::serve(&mut story.cluster, listen)).transpose()?;
    if let Some(page) = &page {
        story.heading("Look at it in a browser");
        anstream::println!("  {}", page.text());
        story.wait_for_person("Press Enter, and it begins to fail.")?;
    }
    story.kill_a_node()?;
    story.lose_an_etcd_member()?;
    story.freeze_a_node()?;
    story.regain_the_etcd_member()?;
    story.maintain_a_node()?;
    story.move_a_service()?;
    if page.is_some() {
        story.wait_for_person("Press Enter to end it.")?;
    }
    drop(page);
    story.conclude()
}

impl Story {
    fn heading(&self, text: &str) {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        anstream::println!("\n{style}{text}{style:#}");
    }

    fn tell(&self, text: impl std::fmt::Display) {
        let elapsed = clock::instant().since(self.began).as_secs_f64();
        anstream::println!("  {elapsed:5.1} s  {text}");
    }

    /// Tells what the nodes themselves say, as far as it is part of the story.
    fn tell_events(&mut self) {
        for (source, event) in self.cluster.new_events() {
            if is_part_of_the_story(&event) {
                self.tell(format_args!("{source}: {event}"));
            }
        }
    }

    /// Waits until who looks at the page has seen enough, if somebody does.
    fn wait_for_person(&mut self, text: &str) -> Result<(), Failure> {
        if std::io::stdin().is_terminal() {
            anstream::println!("  {text}");
        }
        wait_for_person(&mut self.cluster)
    }

    fn complain(&mut self, text: String) {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        anstream::println!("  {style}WRONG: {text}{style:#}");
        self.complaints.push(text);
    }

    /// Waits for something, and tells what happens meanwhile.
    fn wait_for<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&mut Cluster) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let end = clock::instant().after(PATIENCE);
        loop {
            let left = end.since(clock::instant());
            // In short stretches, to tell in time.
            let stretch = Duration::from_millis(200).min(left);
            let stretch_end = clock::instant().after(stretch);
            let found = self.cluster.wait_for(what, PATIENCE, |cluster| {
                let found = look(cluster)?;
                Ok((found.is_some() || clock::instant() >= stretch_end).then_some(found))
            })?;
            self.tell_events();
            match found {
                Some(found) => return Ok(found),
                None if left.is_zero() => {
                    return Err(Failure::Failed(format!("waited {} s in vain: {what}", PATIENCE.as_secs())));
                }
                None => {}
            }
        }
    }

    /// Waits until a service has written on a node since a moment.
    fn wait_for_writer(&mut self, name: &str, on: &str, since: Instant) -> Result<Entry, Failure> {
        let sid = sid(name)?;
        self.wait_for(&format!("{name} runs on {on}"), |cluster| {
            Ok(cluster.last_write(&sid).filter(|entry| entry.node == on && entry.at > since))
        })
    }

    /// Waits until all services of a node, written last by these writers, are written elsewhere.
    fn wait_for_takeover(
        &mut self,
        what: &str,
        last: &[(ServiceId, Entry)],
        failed_at: Instant,
    ) -> Result<(), Failure> {
        let bound = self.timings.recovery().longest;
        for (sid, old) in last {
            let new = self.wait_for(&format!("{sid} runs elsewhere"), |cluster| {
                Ok(cluster.last_write(sid).filter(|entry| entry.writer != old.writer))
            })?;
            let first = first_write(&self.cluster, sid, &new)?;
            let took = first.at.since(failed_at);
            self.tell(format_args!("{sid} runs on {} after {:.1} s", first.node, took.as_secs_f64()));
            if took > bound {
                self.complain(format!("{sid} took longer than {:.1} s", bound.as_secs_f64()));
            }
            if first.node == old.node {
                self.complain(format!("{sid} was not moved away from {}", old.node));
            }
            self.failovers.push(Failover {
                what: what.to_owned(),
                service: sid.clone(),
                from: old.node.clone(),
                to: first.node,
                took,
                bound,
            });
        }
        Ok(())
    }

    /// The services that run on a node, with their last writes.
    fn services_on(&self, node: &str) -> Result<Vec<(ServiceId, Entry)>, Failure> {
        let mut services = Vec::new();
        for (name, ..) in SERVICES {
            let sid = sid(name)?;
            let entry = self.cluster.last_write(&sid).filter(|entry| entry.node == node);
            services.extend(entry.map(|entry| (sid, entry)));
        }
        Ok(services)
    }

    fn show_status(&self) -> Result<(), Failure> {
        for line in self.cluster.ha(&["status"])?.lines() {
            anstream::println!("           {line}");
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Failure> {
        let recovery = self.timings.recovery();
        anstream::println!(
            "Three nodes, each a group of processes with a watchdog of its own, share {}.\n\
            Each service writes to a disk that notices a second writer.\n\
            After a failure a service runs elsewhere within {:.1} s, say the timings.",
            if self.cluster.etcd.is_some() { "an etcd of three members" } else { "a directory" },
            recovery.longest.as_secs_f64()
        );
        self.heading("A cluster begins");
        for (name, home, returns) in SERVICES {
            if returns {
                let rule = format!("home-of-{}", sid(name)?.name());
                let arguments = ["rules", "add", "node-affinity", &rule, "--resources", name, "--nodes", home];
                self.cluster.ha(&arguments)?;
            }
        }
        let together = ["--resources", "proc:disk2,proc:disk4", "--affinity", "positive"];
        self.cluster.ha(&[&["rules", "add", "resource-affinity", "two-and-four"][..], &together].concat())?;

        self.cluster.power_on(&node("node1")?)?;
        let first = node("node1")?;
        self.wait_for("node1 is master", |cluster| {
            Ok(cluster.manager_status().filter(|status| status.master_node.as_ref() == Some(&first)).map(drop))
        })?;
        self.cluster.power_on(&node("node2")?)?;
        self.cluster.power_on(&node("node3")?)?;
        for (name, home, _) in SERVICES {
            self.wait_for_writer(name, home, self.began)?;
        }
        self.wait_until_settled()?;
        self.show_status()
    }

    /// Waits until the master knows that every service runs, and where it writes, and that its node's lock proves that it is down.
    fn wait_until_settled(&mut self) -> Result<(), Failure> {
        self.wait_for("all services are started", |cluster| {
            let guarded = cluster.manager_status().filter(|status| status.unguarded.is_empty());
            let Some(status) = guarded else { return Ok(None) };
            let confirmed = |name: &str| {
                let sid = ServiceId::new(name).ok()?;
                let entry = status.services.get(&sid)?;
                let writes = cluster.last_write(&sid)?;
                let confirmed = matches!(entry.state, ha_core::status::ServiceState::Started { confirmed: true });
                (confirmed && entry.command.is_none() && entry.node == writes.node.as_str()).then_some(())
            };
            Ok(SERVICES.iter().all(|(name, ..)| confirmed(name).is_some()).then_some(()))
        })
    }

    fn kill_a_node(&mut self) -> Result<(), Failure> {
        self.heading("The power of node2 is cut");
        let victim = node("node2")?;
        let last = self.services_on("node2")?;
        let failed_at = self.cluster.cut_power(&victim)?;
        self.tell("all processes of node2 are killed");
        self.wait_for_takeover("node2 killed", &last, failed_at)?;

        self.heading("node2 is switched on again");
        let since = clock::instant();
        self.cluster.power_on(&victim)?;
        self.wait_for_writer("proc:disk2", "node2", since)?;
        self.wait_for_writer("proc:disk4", "node2", since)?;
        self.tell("proc:disk2 is back at its home, and proc:disk4 came along");
        self.wait_until_settled()
    }

    fn lose_an_etcd_member(&mut self) -> Result<(), Failure> {
        const WATCHED_FOR: Duration = Duration::from_secs(3);
        let Some(etcd) = &mut self.cluster.etcd else { return Ok(()) };
        etcd.kill(0)?;
        self.heading("A member of etcd is killed");
        let writers = |cluster: &Cluster| -> Result<Vec<Option<String>>, Failure> {
            SERVICES.iter().map(|(name, ..)| Ok(cluster.last_write(&sid(name)?).map(|entry| entry.writer))).collect()
        };
        let before = writers(&self.cluster)?;
        let end = clock::instant().after(WATCHED_FOR);
        self.wait_for("time passes", |_| Ok((clock::instant() >= end).then_some(())))?;
        if writers(&self.cluster)? == before {
            self.tell("no service noticed");
        } else {
            self.complain("a service was moved, though etcd had a quorum".into());
        }
        Ok(())
    }

    fn regain_the_etcd_member(&mut self) -> Result<(), Failure> {
        match &mut self.cluster.etcd {
            Some(etcd) => etcd.run(0),
            None => Ok(()),
        }
    }

    fn freeze_a_node(&mut self) -> Result<(), Failure> {
        self.heading("The daemon of node3 freezes, while its services go on");
        let victim = node("node3")?;
        let frozen_at = self.cluster.freeze_daemon(&victim)?;
        let status = self.wait_for("the watchdog resets node3", |cluster| cluster.ended(&node("node3")?))?;
        let reset_at = clock::instant();
        let last = self.services_on("node3")?;
        self.tell(format_args!("node3 was reset after {:.1} s", reset_at.since(frozen_at).as_secs_f64()));
        if status.code() != Some(RESET_EXIT_CODE) {
            self.complain(format!("node3 ended otherwise than by its watchdog: {status}"));
        }
        if last.is_empty() {
            self.complain("a service of node3 was started elsewhere before the reset".into());
        }
        for (sid, entry) in &last {
            let went_on = entry.at.since(frozen_at);
            self.tell(format_args!("{sid} wrote on node3 for {:.1} s after the freeze", went_on.as_secs_f64()));
        }
        self.wait_for_takeover("node3 frozen", &last, frozen_at)?;

        self.heading("node3 is switched on again");
        let since = clock::instant();
        self.cluster.power_on(&victim)?;
        self.wait_for_writer("proc:disk3", "node3", since)?;
        self.tell("proc:disk3 is back at its home");
        self.wait_until_settled()
    }

    fn maintain_a_node(&mut self) -> Result<(), Failure> {
        self.heading("node1 goes into maintenance, and out of it");
        let since = clock::instant();
        let said = self.cluster.ha(&["crm-command", "node-maintenance", "enable", "node1"])?;
        said.lines().for_each(|line| self.tell(line));
        let disk1 = sid("proc:disk1")?;
        self.wait_for("proc:disk1 leaves node1", |cluster| {
            Ok(cluster.last_write(&disk1).filter(|entry| entry.node != "node1").map(drop))
        })?;
        self.tell("no service runs on node1; it is still the master");
        let said = self.cluster.ha(&["crm-command", "node-maintenance", "disable", "node1"])?;
        said.lines().for_each(|line| self.tell(line));
        self.wait_for_writer("proc:disk1", "node1", since.max(clock::instant()))?;
        self.tell("proc:disk1 is back");
        self.wait_until_settled()
    }

    fn move_a_service(&mut self) -> Result<(), Failure> {
        let disk5 = sid("proc:disk5")?;
        let here = self.cluster.last_write(&disk5).map(|entry| entry.node).unwrap_or_default();
        let target = if here == "node2" { "node3" } else { "node2" };
        self.heading(&format!("proc:disk5 is moved by hand to {target}"));
        let since = clock::instant();
        let said = self.cluster.ha(&["relocate", "proc:disk5", target])?;
        said.lines().for_each(|line| self.tell(line));
        let entry = self.wait_for_writer("proc:disk5", target, since)?;
        self.tell(format_args!("it runs on {target} after {:.1} s", entry.at.since(since).as_secs_f64()));
        self.wait_until_settled()
    }

    fn conclude(mut self) -> Result<ExitCode, Failure> {
        self.heading("Failovers");
        anstream::println!("  {:<14} {:<11} {:<14} {:>8} {:>9}", "failure", "service", "moved", "took", "at most");
        for failover in &self.failovers {
            let Failover { what, service, from, to, took, bound } = failover;
            let moved = format!("{from} > {to}");
            let (took, bound) = (took.as_secs_f64(), bound.as_secs_f64());
            anstream::println!("  {what:<14} {service:<11} {moved:<14} {took:>6.1} s {bound:>7.1} s");
        }
        self.heading("Disks");
        anstream::println!(
            "  {:<11} {:>7} {:>10} {:>13} {:>11}",
            "service",
            "writes",
            "takeovers",
            "second writes",
            "lost writes"
        );
        for (name, ..) in SERVICES {
            let verdict = judge(&self.cluster.disk(&sid(name)?))?;
            anstream::println!(
                "  {name:<11} {:>7} {:>10} {:>13} {:>11}",
                verdict.writes,
                verdict.takeovers,
                verdict.second_writes,
                verdict.lost_writes
            );
            if !verdict.is_clean() {
                self.complain(format!("the disk of {name} was not written as it should"));
            }
        }
        let elapsed = clock::instant().since(self.began).as_secs_f64();
        if self.complaints.is_empty() {
            let style = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
            anstream::println!(
                "\n{style}No second writer, no lost write, every failover within its bound.{style:#} ({elapsed:.0} s)"
            );
            return Ok(ExitCode::SUCCESS);
        }
        Err(Failure::Failed(format!("not as it should be: {}", self.complaints.join("; "))))
    }
}

/// The first write of the writer of this entry.
fn first_write(cluster: &Cluster, sid: &ServiceId, entry: &Entry) -> Result<Entry, Failure> {
    let text = std::fs::read_to_string(cluster.disk(sid))?;
    let entries = text.lines().rev().filter_map(|line| line.parse::<Entry>().ok());
    let first = entries.take_while(|other| other.writer == entry.writer).last();
    Ok(first.unwrap_or_else(|| entry.clone()))
}

fn is_part_of_the_story(event: &Event) -> bool {
    matches!(
        event,
        Event::NodeState { .. }
            | Event::NotifyFenceStarted { .. }
            | Event::FenceAcknowledged { .. }
            | Event::ServiceRecovered { .. }
            | Event::ServiceMove { .. }
            | Event::MaintenanceReturn { .. }
            | Event::HostCallFailed { .. }
            | Event::WatchdogFeedTooLate
    )
}
