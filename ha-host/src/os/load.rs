//! The size of this machine, and how much of it is in use.

use std::{fs, sync::OnceLock, thread};

/// Cores and memory of this machine, measured from one call to the next.
#[derive(Debug, Clone, Default)]
pub struct NodeLoad {
    busy_ticks: u64,
    all_ticks: u64,
    busy_share: f64,
}

impl NodeLoad {
    /// Measures what was used since the last call.
    pub fn measure(&mut self) {
        let Some((busy, all)) = fs::read_to_string("/proc/stat").ok().and_then(|text| ticks(&text)) else { return };
        let elapsed = all.saturating_sub(self.all_ticks);
        if elapsed > 0 {
            self.busy_share = busy.saturating_sub(self.busy_ticks) as f64 / elapsed as f64;
        }
        (self.busy_ticks, self.all_ticks) = (busy, all);
    }

    /// Cores, and how many of them are in use.
    #[must_use]
    pub fn cpu(&self) -> (f64, f64) {
        let cores = cores();
        (cores, cores * self.busy_share)
    }

    /// Bytes of memory, and how many of them are in use.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let all = kilobytes(&text, "MemTotal:").saturating_mul(1024);
        (all, all.saturating_sub(kilobytes(&text, "MemAvailable:").saturating_mul(1024)))
    }
}

/// Asked once: the answer takes a dozen files to be read, and stays the same.
fn cores() -> f64 {
    static CORES: OnceLock<f64> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, |cores| cores.get()) as f64)
}

/// Busy ticks and all ticks, of all cores together.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).take(8).collect();
    let all: u64 = ticks.iter().sum();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some((all - idle, all))
}

fn kilobytes(meminfo: &str, key: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_for_disks_are_not_busy() {
        assert_eq!(ticks("cpu  10 1 4 80 5 0 0 0 0 0\ncpu0 1"), Some((15, 100)));
        assert_eq!(ticks("intr 1"), None);
        assert_eq!(kilobytes("MemTotal:  2048 kB\nMemAvailable: 1 kB\n", "MemTotal:"), 2048);
    }
}
