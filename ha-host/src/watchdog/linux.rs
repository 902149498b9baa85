//! The watchdog device of Linux.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::fd::AsRawFd,
    path::Path,
    process::Command,
    time::Duration,
};

use super::Device;

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceInfo {
    /// Its name.
    pub identity: String,
    /// Whether its timeout can be set.
    pub sets_timeout: bool,
    /// Whether it can be disarmed by a last `V`.
    pub closes_by_magic: bool,
}

/// The calls of the kernel's watchdog interface, so that tests can answer in the kernel's place.
pub trait DeviceCalls {
    /// `WDIOC_GETSUPPORT`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    fn info(&self, device: &File) -> io::Result<DeviceInfo>;

    /// `WDIOC_SETTIMEOUT`. Gives the timeout that the device really has then, in seconds.
    ///
    /// # Errors
    ///
    /// The kernel's.
    fn set_timeout(&self, device: &File, seconds: i32) -> io::Result<i32>;

    /// `WDIOC_KEEPALIVE`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    fn keep_alive(&self, device: &File) -> io::Result<()>;
}

/// The kernel's own calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ioctls;

#[expect(unsafe_code, reason = "ioctls have no safe form")]
mod kernel {
    use super::{DeviceCalls, DeviceInfo, Ioctls};
    use std::{fs::File, io, os::fd::AsRawFd};

    const SETS_TIMEOUT: u32 = 0x0080;
    const CLOSES_BY_MAGIC: u32 = 0x0100;

    /// `struct watchdog_info` of `linux/watchdog.h`.
    #[repr(C)]
    #[derive(Default)]
    pub(super) struct WatchdogInfo {
        options: u32,
        firmware_version: u32,
        identity: [u8; 32],
    }

    nix::ioctl_read!(get_support, b'W', 0, WatchdogInfo);
    nix::ioctl_readwrite!(set_timeout, b'W', 6, i32);
    nix::ioctl_read!(keep_alive, b'W', 5, i32);

    impl DeviceCalls for Ioctls {
        fn info(&self, device: &File) -> io::Result<DeviceInfo> {
            let mut info = WatchdogInfo::default();
            // SAFETY: the descriptor is open, and the kernel fills in a structure of just this form.
            unsafe { get_support(device.as_raw_fd(), &raw mut info) }?;
            let name = info.identity.iter().take_while(|byte| **byte != 0).copied().collect::<Vec<u8>>();
            Ok(DeviceInfo {
                identity: String::from_utf8_lossy(&name).into_owned(),
                sets_timeout: info.options & SETS_TIMEOUT != 0,
                closes_by_magic: info.options & CLOSES_BY_MAGIC != 0,
            })
        }

        fn set_timeout(&self, device: &File, seconds: i32) -> io::Result<i32> {
            let mut timeout = seconds;
            // SAFETY: the descriptor is open, and the kernel reads and writes one int.
            unsafe { set_timeout(device.as_raw_fd(), &raw mut timeout) }?;
            Ok(timeout)
        }

        fn keep_alive(&self, device: &File) -> io::Result<()> {
            let mut unused = 0;
            // SAFETY: the descriptor is open, and the kernel leaves the int alone.
            unsafe { keep_alive(device.as_raw_fd(), &raw mut unused) }?;
            Ok(())
        }
    }
}

/// A watchdog device, `/dev/watchdog`: opening it arms it.
///
/// Dropping it does not disarm it: the kernel goes on counting, as it should if this process dies.
#[derive(Debug)]
pub struct LinuxDevice<C> {
    file: File,
    calls: C,
    info: DeviceInfo,
}

impl<C: DeviceCalls> LinuxDevice<C> {
    /// Opens and so arms the device, with this timeout.
    ///
    /// # Errors
    ///
    /// If it can't be opened, or does not take the timeout: a longer one would not be safe. It is disarmed again then, if
    /// that can be done.
    pub fn open(path: &Path, timeout: Duration, calls: C) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        let info = calls.info(&file).unwrap_or_default();
        let mut device = Self { file, calls, info };
        if let Err(error) = device.set_timeout(timeout) {
            device.close()?;
            return Err(error);
        }
        Ok(device)
    }

    /// What the device says of itself.
    #[must_use]
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        let seconds = i32::try_from(timeout.as_secs()).unwrap_or(i32::MAX).max(1);
        let taken = self.calls.set_timeout(&self.file, seconds)?;
        if taken > seconds {
            let message = format!("the device has a timeout of {taken} s, and {seconds} s were asked for");
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        self.calls.keep_alive(&self.file)
    }
}

impl<C: DeviceCalls> Device for LinuxDevice<C> {
    fn feed(&mut self) -> io::Result<()> {
        self.calls.keep_alive(&self.file)
    }

    fn close(&mut self) -> io::Result<()> {
        // The kernel takes a close after this byte as meant. The descriptor stays open until this is dropped.
        self.file.write_all(b"V")?;
        let _ = self.file.as_raw_fd();
        Ok(())
    }
}

/// The kernel module that an environment file names, as a line `WATCHDOG_MODULE=name`; `softdog` if it names none.
#[must_use]
pub fn module_of(environment: &str) -> &str {
    let lines = environment.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let module = lines.filter_map(|line| line.strip_prefix("WATCHDOG_MODULE=")).next_back();
    module.map_or("softdog", |module| module.trim().trim_matches(['"', '\'']))
}

/// Loads the kernel module that an environment file names, if the device is not there yet.
///
/// # Errors
///
/// If the environment file is there and can't be read, the module's name makes no sense, or `modprobe` fails.
pub fn load_module(device: &Path, environment_file: &Path) -> io::Result<()> {
    if device.exists() {
        return Ok(());
    }
    let environment = match fs::read_to_string(environment_file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let module = module_of(&environment);
    if module.is_empty() || !module.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        let message = format!("'{module}' in {} is no kernel module", environment_file.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let status = Command::new("modprobe").args(["-q", module]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("modprobe {module}: {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, rc::Rc};

    /// Answers like a kernel whose device takes at most `longest` and at least `shortest` seconds.
    #[derive(Debug, Clone)]
    struct Fake {
        shortest: i32,
        fails_to_feed: bool,
        calls: Rc<RefCell<Vec<String>>>,
    }

    impl DeviceCalls for Fake {
        fn info(&self, _: &File) -> io::Result<DeviceInfo> {
            Ok(DeviceInfo { identity: "fake".into(), sets_timeout: true, closes_by_magic: true })
        }

        fn set_timeout(&self, _: &File, seconds: i32) -> io::Result<i32> {
            self.calls.borrow_mut().push(format!("timeout {seconds}"));
            Ok(seconds.max(self.shortest))
        }

        fn keep_alive(&self, _: &File) -> io::Result<()> {
            self.calls.borrow_mut().push("feed".into());
            if self.fails_to_feed { Err(io::Error::other("no device")) } else { Ok(()) }
        }
    }

    fn with_file(test: impl FnOnce(&Path)) {
        let path = std::env::temp_dir().join(format!("ha-wd-{}-{:?}", std::process::id(), std::thread::current().id()));
        fs::write(&path, "").unwrap();
        test(&path);
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn it_is_told_its_timeout_fed_and_closed_by_the_magic_byte() {
        with_file(|path| {
            let fake = Fake { shortest: 1, fails_to_feed: false, calls: Rc::default() };
            let mut device = LinuxDevice::open(path, Duration::from_secs(10), fake.clone()).unwrap();
            device.feed().unwrap();
            assert_eq!(fs::read(path).unwrap(), b"", "nothing but V may be written");
            device.close().unwrap();
            assert_eq!(*fake.calls.borrow(), ["timeout 10", "feed", "feed"]);
            assert_eq!(fs::read(path).unwrap(), b"V");
        });
    }

    #[test]
    fn a_device_that_takes_longer_than_it_was_told_is_refused_and_closed() {
        with_file(|path| {
            let fake = Fake { shortest: 60, fails_to_feed: false, calls: Rc::default() };
            let error = LinuxDevice::open(path, Duration::from_secs(10), fake).unwrap_err();
            assert!(error.to_string().contains("60 s"), "{error}");
            assert_eq!(fs::read(path).unwrap(), b"V");
        });
    }

    #[test]
    fn the_module_is_what_the_last_line_says() {
        assert_eq!(module_of(""), "softdog");
        assert_eq!(module_of("# WATCHDOG_MODULE=no\nWATCHDOG_MODULE=iTCO_wdt\n"), "iTCO_wdt");
        assert_eq!(module_of("WATCHDOG_MODULE=a\nWATCHDOG_MODULE=\"b\"\n"), "b");
    }
}
