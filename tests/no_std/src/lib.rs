//! A program without the standard library, with a panic handler of its own.
//!
//! A program has one panic handler, and std brings one. So this compiles only if neither `ha-core` nor anything that it is
//! built from links std: then it can reach no file, socket, clock, thread or environment, but through its host.
#![no_std]

pub use ha_core;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
