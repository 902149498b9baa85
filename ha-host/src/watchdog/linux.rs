//! The watchdog device of Linux.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
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
    /// Whether it is disarmed by a last `V`, and by nothing else.
    pub closes_by_magic: bool,
}

/// What the system says of a device, which is not opened for it: that would arm it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceFacts {
    /// Its name.
    pub identity: Option<String>,
    /// Its driver.
    pub driver: Option<String>,
    /// Whether nothing disarms it once it is armed.
    pub nowayout: Option<bool>,
}

/// The identity of the device that the kernel counts itself.
const SOFTDOG: &str = "Software Watchdog";

impl DeviceFacts {
    /// Whether it is what an operator insists on: 'hardware' for any that does not depend on the kernel, its identity or the first
    /// word of that, or its driver.
    #[must_use]
    pub fn is(&self, wanted: &str) -> bool {
        let identity = self.identity.as_deref().unwrap_or_default();
        if wanted.eq_ignore_ascii_case("hardware") {
            return !identity.is_empty() && !self.is_softdog();
        }
        let softdog = self.is_softdog().then_some("softdog");
        let names = [Some(identity), identity.split(' ').next(), self.driver.as_deref(), softdog];
        names.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(wanted))
    }

    /// Whether it dies with the kernel that it watches.
    #[must_use]
    pub fn is_softdog(&self) -> bool {
        self.identity.as_deref() == Some(SOFTDOG) || self.driver.as_deref() == Some("softdog")
    }
}

impl fmt::Display for DeviceFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.identity.as_deref().unwrap_or("a device without a name"))?;
        self.driver.as_ref().map_or(Ok(()), |driver| write!(f, " (driver {driver})"))
    }
}

/// The calls of the kernel's watchdog interface, so that tests can answer instead of the kernel.
pub trait DeviceCalls {
    /// What `/sys` says of the device at this path; nothing where it says nothing.
    fn facts(&self, path: &Path) -> DeviceFacts;

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

    /// `WDIOC_SETOPTIONS`: off and on again.
    ///
    /// # Errors
    ///
    /// The kernel's.
    fn restart(&self, device: &File) -> io::Result<()>;

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
    use super::{DeviceCalls, DeviceFacts, DeviceInfo, Ioctls};
    use std::{fs::File, io, os::fd::AsRawFd, path::Path};

    const SETS_TIMEOUT: u32 = 0x0080;
    const CLOSES_BY_MAGIC: u32 = 0x0100;
    const OFF_AND_ON: i32 = 0x0001 | 0x0002;

    /// `struct watchdog_info` of `linux/watchdog.h`.
    #[repr(C)]
    #[derive(Default)]
    pub(super) struct WatchdogInfo {
        options: u32,
        firmware_version: u32,
        identity: [u8; 32],
    }

    nix::ioctl_read!(get_support, b'W', 0, WatchdogInfo);
    nix::ioctl_read!(set_options, b'W', 4, i32);
    nix::ioctl_readwrite!(set_timeout, b'W', 6, i32);
    nix::ioctl_read!(keep_alive, b'W', 5, i32);

    impl DeviceCalls for Ioctls {
        fn facts(&self, path: &Path) -> DeviceFacts {
            super::facts(path).unwrap_or_default()
        }

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

        fn restart(&self, device: &File) -> io::Result<()> {
            let mut options = OFF_AND_ON;
            // SAFETY: the descriptor is open, and the kernel reads one int.
            unsafe { set_options(device.as_raw_fd(), &raw mut options) }?;
            Ok(())
        }

        fn keep_alive(&self, device: &File) -> io::Result<()> {
            let mut unused = 0;
            // SAFETY: the descriptor is open, and the kernel leaves the int alone.
            unsafe { keep_alive(device.as_raw_fd(), &raw mut unused) }?;
            Ok(())
        }
    }
}

/// What `/sys` says of a watchdog device.
fn facts(path: &Path) -> Option<DeviceFacts> {
    /// `/dev/watchdog` is another name of the first one.
    const OLD_NAME: (u64, u64) = (10, 130);
    let metadata = fs::metadata(path).ok().filter(|metadata| metadata.file_type().is_char_device())?;
    let number = metadata.rdev();
    let number = (nix::sys::stat::major(number), nix::sys::stat::minor(number));
    let directory = match number {
        OLD_NAME => PathBuf::from("/sys/class/watchdog/watchdog0"),
        (major, minor) => PathBuf::from(format!("/sys/dev/char/{major}:{minor}")),
    };
    let text = |name: &str| Some(fs::read_to_string(directory.join(name)).ok()?.trim().to_owned());
    let driver = fs::canonicalize(directory.join("device/driver")).ok();
    Some(DeviceFacts {
        identity: text("identity"),
        driver: driver.and_then(|driver| Some(driver.file_name()?.to_str()?.to_owned())),
        nowayout: text("nowayout").map(|text| text != "0"),
    })
}

/// A watchdog device, `/dev/watchdog`: opening it arms it.
///
/// Dropping it does not disarm it: the kernel goes on counting, as it should if this process dies.
#[derive(Debug)]
pub struct LinuxDevice<C> {
    file: File,
    calls: C,
    facts: DeviceFacts,
    timeout: Duration,
}

impl<C: DeviceCalls> LinuxDevice<C> {
    /// Opens and so arms the device, with this timeout. Where something is `required` of it, nothing else is opened: see
    /// [`DeviceFacts::is`].
    ///
    /// # Errors
    ///
    /// If it can't be opened, is not what is required, does not take the timeout (a longer one would not be safe), or is disarmed
    /// whenever its file is closed, so that it would not outlast this process. It is disarmed again then, if that can be done.
    pub fn open(path: &Path, timeout: Duration, required: Option<&str>, calls: C) -> io::Result<Self> {
        let mut facts = calls.facts(path);
        if facts.identity.is_some() {
            is_required(&facts, required)?;
        }
        let file = OpenOptions::new().write(true).open(path)?;
        let info = calls.info(&file);
        if let Ok(info) = &info {
            facts.identity.get_or_insert_with(|| info.identity.clone());
        }
        let mut device = Self { file, calls, facts, timeout };
        let usable = info
            .and_then(|info| is_required(&device.facts, required).and_then(|()| device.outlasts_its_user(&info)))
            .and_then(|()| device.set_timeout());
        if let Err(error) = usable {
            let _ = device.file.write_all(b"V");
            return Err(error);
        }
        Ok(device)
    }

    /// What is known of it.
    #[must_use]
    pub fn facts(&self) -> &DeviceFacts {
        &self.facts
    }

    fn outlasts_its_user(&self, info: &DeviceInfo) -> io::Result<()> {
        if info.closes_by_magic || self.facts.nowayout == Some(true) {
            return Ok(());
        }
        let message = format!(
            "{} is disarmed whenever its file is closed, also by the death of this process, and then guards nothing: load its driver \
            with nowayout=1, or use another device",
            self.facts
        );
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    fn set_timeout(&mut self) -> io::Result<()> {
        let seconds = i32::try_from(self.timeout.as_secs()).unwrap_or(i32::MAX);
        let unsupported = |message| Err(io::Error::new(io::ErrorKind::Unsupported, message));
        if seconds < 1 {
            let asked = self.timeout.as_secs_f64();
            return unsupported(format!("a device counts in seconds, and {asked} s were asked for"));
        }
        let taken = self.calls.set_timeout(&self.file, seconds)?;
        if taken > seconds {
            return unsupported(format!("the device has a timeout of {taken} s, and {seconds} s were asked for"));
        }
        self.calls.keep_alive(&self.file)
    }
}

fn is_required(facts: &DeviceFacts, required: Option<&str>) -> io::Result<()> {
    match required {
        Some(required) if !facts.is(required) => {
            let message = format!("it is {facts}, and '{required}' is required");
            Err(io::Error::new(io::ErrorKind::Unsupported, message))
        }
        Some(_) | None => Ok(()),
    }
}

impl<C: DeviceCalls> Device for LinuxDevice<C> {
    fn describe(&self) -> String {
        self.facts.to_string()
    }

    fn feed(&mut self) -> io::Result<()> {
        self.calls.keep_alive(&self.file)
    }

    /// A driver that does nothing for a machine that sleeps leaves the device off after that, and feeding does not turn it on.
    fn rearm(&mut self) -> io::Result<()> {
        self.calls.restart(&self.file).map_err(|error| {
            let guards = "the machine has slept, and may not be guarded any more";
            io::Error::new(error.kind(), format!("it can't be armed again ({error}): {guards}"))
        })?;
        self.set_timeout()
    }

    fn hasten(&mut self) -> io::Result<()> {
        self.calls.set_timeout(&self.file, 1).map(drop)
    }

    fn close(&mut self) -> io::Result<()> {
        if self.facts.nowayout == Some(true) {
            return Err(io::Error::other(
                "its driver has nowayout: nothing disarms it, and it resets this node when it runs out",
            ));
        }
        // The kernel takes a close after this byte as meant. The descriptor stays open until this is dropped.
        self.file.write_all(b"V")
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
    if status.success() {
        return Ok(());
    }
    let advice = "a unit without CAP_SYS_MODULE can't load it: name it in a file of /etc/modules-load.d";
    Err(io::Error::other(format!("modprobe {module}: {status}; {advice}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, rc::Rc};

    /// Answers like a kernel with a device that takes at least `shortest` seconds.
    #[derive(Debug, Clone)]
    struct Fake {
        shortest: i32,
        closes_by_magic: bool,
        facts: DeviceFacts,
        calls: Rc<RefCell<Vec<String>>>,
    }

    impl Default for Fake {
        fn default() -> Self {
            Self { shortest: 1, closes_by_magic: true, facts: DeviceFacts::default(), calls: Rc::default() }
        }
    }

    impl DeviceCalls for Fake {
        fn facts(&self, _: &Path) -> DeviceFacts {
            self.facts.clone()
        }

        fn info(&self, _: &File) -> io::Result<DeviceInfo> {
            self.calls.borrow_mut().push("opened".into());
            let closes_by_magic = self.closes_by_magic;
            Ok(DeviceInfo { identity: "fake".into(), sets_timeout: true, closes_by_magic })
        }

        fn set_timeout(&self, _: &File, seconds: i32) -> io::Result<i32> {
            self.calls.borrow_mut().push(format!("timeout {seconds}"));
            Ok(seconds.max(self.shortest))
        }

        fn restart(&self, _: &File) -> io::Result<()> {
            self.calls.borrow_mut().push("restart".into());
            Ok(())
        }

        fn keep_alive(&self, _: &File) -> io::Result<()> {
            self.calls.borrow_mut().push("feed".into());
            Ok(())
        }
    }

    const TEN: Duration = Duration::from_secs(10);

    fn with_file(test: impl FnOnce(&Path)) {
        let path = std::env::temp_dir().join(format!("ha-wd-{}-{:?}", std::process::id(), std::thread::current().id()));
        fs::write(&path, "").unwrap();
        test(&path);
        fs::remove_file(&path).unwrap();
    }

    /// What a device that is not used is told at the end, and why it is not used.
    fn refused(fake: &Fake, required: Option<&str>, timeout: Duration) -> (String, String) {
        let mut told = None;
        with_file(|path| {
            let error = LinuxDevice::open(path, timeout, required, fake.clone()).unwrap_err();
            told = Some((error.to_string(), fs::read_to_string(path).unwrap()));
        });
        told.unwrap()
    }

    #[test]
    fn it_is_told_its_timeout_fed_and_closed_by_the_magic_byte() {
        with_file(|path| {
            let fake = Fake::default();
            let mut device = LinuxDevice::open(path, TEN, None, fake.clone()).unwrap();
            device.feed().unwrap();
            device.rearm().unwrap();
            device.hasten().unwrap();
            assert_eq!(fs::read(path).unwrap(), b"", "nothing but V may be written");
            device.close().unwrap();
            let calls = ["opened", "timeout 10", "feed", "feed", "restart", "timeout 10", "feed", "timeout 1"];
            assert_eq!(*fake.calls.borrow(), calls);
            assert_eq!(fs::read(path).unwrap(), b"V");
        });
    }

    /// It counts in whole seconds: a longer time than was asked for would let the lock pass on before the reset.
    #[test]
    fn a_timeout_between_two_seconds_is_the_shorter_one() {
        with_file(|path| {
            let fake = Fake::default();
            drop(LinuxDevice::open(path, Duration::from_millis(2500), None, fake.clone()).unwrap());
            assert_eq!(*fake.calls.borrow(), ["opened", "timeout 2", "feed"]);
        });
        let (why, written) = refused(&Fake { shortest: 3, ..Fake::default() }, None, Duration::from_millis(2500));
        assert!(why.contains("3 s") && written == "V", "{why}");
    }

    #[test]
    fn a_device_that_takes_longer_than_it_was_told_is_refused_and_closed() {
        let (why, written) = refused(&Fake { shortest: 60, ..Fake::default() }, None, TEN);
        assert!(why.contains("60 s") && written == "V", "{why}");
        let (why, written) = refused(&Fake::default(), None, Duration::from_millis(999));
        assert!(why.contains("0.999 s") && written == "V", "{why}");
    }

    #[test]
    fn a_device_that_is_disarmed_by_any_close_is_used_only_with_nowayout() {
        let careless = |nowayout| Fake {
            closes_by_magic: false,
            facts: DeviceFacts { nowayout, ..DeviceFacts::default() },
            ..Fake::default()
        };
        for nowayout in [None, Some(false)] {
            let (why, written) = refused(&careless(nowayout), None, TEN);
            assert!(why.contains("'fake' is disarmed whenever") && written == "V", "{why}");
        }
        with_file(|path| {
            let mut device = LinuxDevice::open(path, TEN, None, careless(Some(true))).unwrap();
            let error = device.close().unwrap_err();
            assert!(error.to_string().contains("nowayout"), "{error}");
        });
    }

    #[test]
    fn a_device_that_is_not_the_required_one_is_not_even_opened() {
        let facts = |identity: &str, driver: Option<&str>| DeviceFacts {
            identity: Some(identity.into()),
            driver: driver.map(str::to_owned),
            nowayout: Some(false),
        };
        let soft = Fake { facts: facts(SOFTDOG, None), ..Fake::default() };
        for required in ["hardware", "i6300esb"] {
            let (why, _) = refused(&soft, Some(required), TEN);
            assert!(why.contains("'Software Watchdog'") && why.contains(required), "{why}");
        }
        assert!(soft.calls.borrow().is_empty(), "opening it would arm it");
        for required in ["hardware", "i6300esb", "i6300ESB timer"] {
            assert!(facts("i6300ESB timer", None).is(required), "{required}");
        }
        assert!(facts("a timer", Some("i6300esb")).is("i6300esb") && facts(SOFTDOG, None).is("softdog"));
        assert!(!facts("", None).is("hardware"), "it may be anything");
        // Where the system says nothing before, the device does.
        let (why, written) = refused(&Fake::default(), Some("i6300esb"), TEN);
        assert!(why.contains("'fake'") && written == "V", "{why}");
        with_file(|path| drop(LinuxDevice::open(path, TEN, Some("fake"), Fake::default()).unwrap()));
    }

    #[test]
    fn the_module_is_what_the_last_line_says() {
        assert_eq!(module_of(""), "softdog");
        assert_eq!(module_of("# WATCHDOG_MODULE=no\nWATCHDOG_MODULE=iTCO_wdt\n"), "iTCO_wdt");
        assert_eq!(module_of("WATCHDOG_MODULE=a\nWATCHDOG_MODULE=\"b\"\n"), "b");
    }
}
