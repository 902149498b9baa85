//! Where the random choices of a history come from.

use fastrand::Rng;

/// The streams of random numbers of a seed, one for each matter: drawing for a new one changes nothing that is
/// drawn for the others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams(pub(super) u64);

impl Streams {
    /// The stream of a matter, by its name.
    pub(super) fn of(self, matter: &str) -> Rng {
        // FNV-1a, which is the same everywhere and for ever.
        let bytes = self.0.to_le_bytes().into_iter().chain(matter.bytes());
        let hash = bytes
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Rng::with_seed(hash)
    }
}
