//! stand-in
use core::time::Duration;
/// .
#[derive(Debug, Clone, Default)]
pub struct Timings;
#[allow(missing_docs)]
impl Timings {
    pub fn gone_node_forgotten_after(&self) -> Duration {
        Duration::from_secs(3600)
    }
    pub fn fence_delay(&self) -> Duration {
        Duration::from_secs(60)
    }
    pub fn round_time(&self) -> Duration {
        Duration::from_secs(10)
    }
    pub fn waiting_loop(&self) -> Duration {
        Duration::from_secs(5)
    }
    pub fn lock_retry_window(&self) -> Duration {
        Duration::from_secs(5)
    }
    pub fn lock_retry_interval(&self) -> Duration {
        Duration::from_secs(1)
    }
    pub fn worker_turn(&self) -> Duration {
        Duration::from_secs(8)
    }
    pub fn worker_interval(&self) -> Duration {
        Duration::from_secs(1)
    }
    pub fn feed_budget(&self) -> Duration {
        Duration::from_secs(45)
    }
    pub fn restart_give_up(&self) -> Duration {
        Duration::from_secs(90)
    }
    pub fn master_idle_rounds(&self) -> u32 {
        90
    }
    pub fn lrm_idle_rounds(&self) -> u32 {
        60
    }
}
