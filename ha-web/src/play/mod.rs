//! `ha web --play`: a virtual cluster in a time of its own, behind the same API and page as a real one.
//!
//! [`Play`] lets the time of a scenario pass, and keeps a store in which the cluster's configuration, records and history stand as
//! those of a real one would: whatever reads a store shows it, and what people change there, or command, reaches the virtual cluster.

mod mirror;

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant as Moment},
};

use ha_core::time::{Instant, Now};
use ha_host::{
    os::clock::Clock,
    store::{ClusterSettings, FileStore, SharedStore, StoreError},
};
use ha_sim::scenario::{IsHunted, LiveScenario, Scenario, ScenarioError};
use serde_json::{Value, json};

use crate::stage::{Direction, FASTEST, LONGEST_LEAP_S, Stage};
use mirror::Mirror;

/// How often the virtual cluster is brought up to the present.
const TICK: Duration = Duration::from_millis(100);

/// Why nothing can be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// The folder holds no scenario that can be read.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// It is no scenario for people.
    #[error(transparent)]
    Hunted(#[from] IsHunted),
    /// The store of the play can't be made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file can't be read, or no thread begun.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A scenario that is played. Its time stands still once it is dropped.
#[derive(Debug)]
pub struct Play {
    stage: Arc<Theatre>,
    store: Arc<FileStore>,
    thread: Option<JoinHandle<()>>,
}

impl Play {
    /// A play of the scenario in a folder, in a new store in `directory`, at its beginning. Its time stands still until somebody says
    /// otherwise.
    ///
    /// # Errors
    ///
    /// If there is no scenario, or the store can't be made.
    pub fn begin(folder: &Path, directory: &Path) -> Result<Self, PlayError> {
        let scenario = Scenario::read(folder)?;
        let fence = match fs::read(folder.join("fence.cfg")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read?),
        };
        let (name, title) = (scenario.name.clone(), scenario.title.clone());
        let mut live = LiveScenario::new(scenario)?;
        live.cluster_mut().keep_reasons();
        let nodes = live.cluster().world().nodes.keys().cloned().collect();
        let settings = ClusterSettings { nodes, timings: *live.cluster().timings() };
        let store = Arc::new(FileStore::create(directory, &settings)?);
        let mut mirror = Mirror::new(store.clone(), fence)?;
        mirror.show(live.cluster())?;
        let stage = Arc::new(Theatre {
            name,
            title,
            rate: AtomicU32::new(1),
            is_paused: AtomicBool::new(true),
            is_over: AtomicBool::new(false),
            wall_ms: AtomicI64::new(wall_ms(&live)),
            scene: Mutex::new(Scene { live, mirror, broken: None }),
        });
        let played = stage.clone();
        let thread = thread::Builder::new().name("play".into()).spawn(move || played.go_on())?;
        Ok(Self { stage, store, thread: Some(thread) })
    }

    /// The store that shows it.
    #[must_use]
    pub fn store(&self) -> Arc<dyn SharedStore> {
        self.store.clone()
    }

    /// Lets time pass at once, however fast or slow it passes otherwise: the same time gives the same play.
    ///
    /// # Errors
    ///
    /// If the play has come to its end: why.
    pub fn pass(&self, time: Duration) -> Result<(), String> {
        self.stage.turn(time);
        self.stage.scene().broken.clone().map_or(Ok(()), Err)
    }

    /// The play, for a server.
    #[must_use]
    pub fn stage(&self) -> Arc<dyn Stage> {
        self.stage.clone()
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        self.stage.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread that lets time pass shares with those who look and direct.
#[derive(Debug)]
struct Theatre {
    name: String,
    title: String,
    rate: AtomicU32,
    is_paused: AtomicBool,
    is_over: AtomicBool,
    /// The wall clock of the virtual cluster.
    wall_ms: AtomicI64,
    scene: Mutex<Scene>,
}

#[derive(Debug)]
struct Scene {
    live: LiveScenario,
    mirror: Mirror,
    /// Why it does not go on.
    broken: Option<String>,
}

fn wall_ms(live: &LiveScenario) -> i64 {
    let now = live.cluster().now();
    let fraction = now.instant.since_start().subsec_millis();
    now.wall.saturating_mul(1000).saturating_add(fraction.into())
}

impl Theatre {
    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass until the play is over.
    fn go_on(&self) {
        let mut last = Moment::now();
        while !self.is_over.load(Ordering::Relaxed) {
            thread::sleep(TICK);
            let passed = last.elapsed();
            last = Moment::now();
            // A machine that slept, or was busy, does not make the cluster jump.
            let passed = passed.min(TICK.saturating_mul(10)).saturating_mul(self.rate());
            self.turn(passed);
        }
    }

    /// Takes over what people have changed, lets some time pass, and shows what came of it.
    fn turn(&self, passed: Duration) {
        let mut scene = self.scene();
        let Scene { live, mirror, broken } = &mut *scene;
        if broken.is_some() {
            return;
        }
        let to = live.cluster().now().instant.after(passed);
        let turned = mirror.take_in(live).map_err(|error| error.to_string());
        let turned = turned.and_then(|()| live.advance(to).map_err(|error| error.to_string()));
        let shown = mirror.show(live.cluster()).map_err(|error| error.to_string());
        *broken = turned.and(shown).err();
        self.wall_ms.store(wall_ms(live), Ordering::Relaxed);
    }
}

impl Theatre {
    /// Lets time pass at once up to a second of the cluster.
    fn leap(&self, to_s: u32) -> Result<(), String> {
        let now = self.scene().live.cluster().now().instant.since_start();
        let to = Duration::from_secs(to_s.into());
        let leap = to.checked_sub(now).ok_or_else(|| format!("it is later already: {:.0} s", now.as_secs_f64()))?;
        if leap > Duration::from_secs(LONGEST_LEAP_S.into()) {
            return Err(format!("no more than {LONGEST_LEAP_S} s pass at once"));
        }
        self.turn(leap);
        self.scene().broken.clone().map_or(Ok(()), |broken| Err(format!("the play has ended: {broken}")))
    }
}

impl Clock for Theatre {
    fn now(&self) -> Now {
        let wall_ms = self.wall_ms();
        let instant = self.scene().live.cluster().now().instant;
        Now { instant, wall: wall_ms.div_euclid(1000) }
    }

    fn wall_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::Relaxed)
    }
}

impl Stage for Theatre {
    fn rate(&self) -> u32 {
        if self.is_paused.load(Ordering::Relaxed) { 0 } else { self.rate.load(Ordering::Relaxed) }
    }

    fn look(&self) -> Value {
        let scene = self.scene();
        let cluster = scene.live.cluster();
        let nodes: Vec<Value> = cluster
            .world()
            .nodes
            .iter()
            .map(|(name, node)| {
                json!({"node": name, "power": node.power, "network": node.network, "store": !node.store_fails})
            })
            .collect();
        let next = scene.live.next_step().map(|(at, text)| json!({"at_s": seconds(at), "action": text}));
        json!({
            "name": self.name,
            "title": self.title,
            "rate": self.rate.load(Ordering::Relaxed),
            "fastest": FASTEST,
            "paused": self.is_paused.load(Ordering::Relaxed),
            "time_s": seconds(cluster.now().instant),
            "end_s": seconds(scene.live.end()),
            "next": next,
            "nodes": nodes,
            "broken": scene.broken,
        })
    }

    fn direct(&self, direction: &Direction) -> Result<(), String> {
        if let Some(to) = direction.to_s {
            self.leap(to)?;
        }
        if let Some(action) = &direction.action {
            let mut scene = self.scene();
            let Scene { live, mirror, broken } = &mut *scene;
            if let Some(broken) = broken {
                return Err(format!("the play has ended: {broken}"));
            }
            live.act(action).map_err(|error| error.to_string())?;
            mirror.show(live.cluster()).map_err(|error| error.to_string())?;
        }
        if let Some(rate) = direction.rate {
            self.rate.store(rate, Ordering::Relaxed);
        }
        if let Some(paused) = direction.paused {
            self.is_paused.store(paused, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn seconds(instant: Instant) -> f64 {
    instant.since_start().as_secs_f64()
}
