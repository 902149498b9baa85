//! `ha web --play`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ha_core::event::Severity;
use ha_web::{
    access::{Access, AccessError, PasswordHash, Role, User, UserName, random_bytes},
    play::Play,
    server::{Options, Report},
    stage::Direction,
};
use serde_json::json;

use super::{
    Failure,
    serve::{WebArguments, until_asked_to_end},
};

/// Who may look and reach in.
const USER: &str = "play@local";

/// Plays the scenario in a folder and serves it, until the process is asked to end. Nothing is left of it then.
pub(super) fn play(folder: &Path, arguments: &WebArguments) -> Result<(), Failure> {
    let place = Place::new().map_err(Failure::failed)?;
    let play = Play::begin(folder, &place.0.join("store")).map_err(Failure::failed)?;
    let log = arguments.log()?;
    play.stage().direct(&Direction { paused: Some(false), ..Direction::default() }).map_err(Failure::Failed)?;
    let password = let_in(&play).map_err(Failure::failed)?;
    log.report(&Report {
        severity: Severity::Info,
        event: "web_plays",
        fields: json!({"scenario": folder, "user": USER, "password": password}),
        text: &format!("plays {}; log in as {USER} with the password {password}", folder.display()),
    });
    let options = Options { log, stage: Some(play.stage()), ..Options::default() };
    until_asked_to_end(play.store(), None, options, arguments)
}

/// Makes a user who may do all, and gives the password.
fn let_in(play: &Play) -> Result<String, AccessError> {
    let bytes = random_bytes::<8>().map_err(AccessError::Random)?;
    let password: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = PasswordHash::of(&password).map_err(AccessError::Random)?;
    let user = User::new(Role::Admin, hash, String::new());
    let name = UserName::new(USER);
    Access::edit(&*play.store(), |access| {
        let name = name.clone()?;
        drop(access.users.insert(name, user.clone()));
        Ok::<_, ha_web::access::BadName>(())
    })?
    .map_err(|error| AccessError::Random(io::Error::other(error)))?;
    Ok(password)
}

/// A directory that goes with the play.
struct Place(PathBuf);

impl Place {
    fn new() -> io::Result<Self> {
        let name: String = random_bytes::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let directory = std::env::temp_dir().join(format!("ha-play-{name}"));
        fs::create_dir(&directory)?;
        Ok(Self(directory))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
