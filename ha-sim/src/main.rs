//! stand-in
use std::path::Path;
fn main() {
    let (mut ok, mut bad) = (0, 0);
    for f in std::env::args().skip(1) {
        let name = Path::new(&f).file_name().unwrap().to_string_lossy().to_string();
        match ha_sim::recorded::check(Path::new(&f)) {
            Ok(ha_sim::recorded::Outcome::Same) => {
                println!("ok {name}");
                ok += 1
            }
            Ok(ha_sim::recorded::Outcome::Differs { event, expected, got }) => {
                println!(
                    "FAILED {name}: event {event}: expected {}, got {}",
                    expected.map_or("nothing".into(), |e| e.to_string()),
                    got.map_or("nothing".into(), |e| e.to_string())
                );
                bad += 1
            }
            Err(e) => {
                println!("FAILED {name}: {e}");
                bad += 1
            }
        }
    }
    println!("{ok} passed, {bad} failed");
}
