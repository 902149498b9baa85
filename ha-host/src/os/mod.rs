//! The ground: what the operating system gives.

pub mod cgroup;
pub mod clock;
pub mod files;
pub mod load;
pub mod process;
pub mod signals;
pub mod systemd;
