//! The cluster in figures, and whether it is healthy: for programs that look after it.

use std::process::ExitCode;

use ha_host::desk::{Glance, Measured, MetricsFormat, counted, metrics as text, tolerance};

use super::{
    Failure,
    context::{Context, complain, say},
};
use std::io::Write;

/// Says it as Prometheus reads it.
pub(super) fn metrics(context: &Context) -> Result<ExitCode, Failure> {
    let present = context.present()?;
    let glance = Glance::new(&present, &context.node()?, None);
    // Without a history the rest is as true as with it.
    let counted = counted(&*context.store).ok();
    let tolerance = tolerance(&present, usize::MAX);
    let measured = Measured { present: &present, glance: &glance, tolerance: &tolerance, counted: counted.as_ref() };
    write!(anstream::stdout(), "{}", text(measured, MetricsFormat::Prometheus))?;
    Ok(ExitCode::SUCCESS)
}

/// Says in a line how the cluster is, and by the exit code.
pub(super) fn health(context: impl Fn() -> Result<Context, Failure>) -> Result<ExitCode, Failure> {
    let look = || -> Result<Glance, Failure> {
        let context = context()?;
        Ok(Glance::new(&context.present()?, &context.node()?, None))
    };
    match look() {
        Ok(glance) => {
            say(format_args!("{}: {}", glance.health.as_str(), glance.summary))?;
            glance.problems.iter().try_for_each(say)?;
            Ok(ExitCode::from(glance.health.exit_code()))
        }
        // Without the store nothing is known, and nobody can decide anything.
        Err(Failure::Failed(message)) => {
            complain(&message);
            Ok(ExitCode::from(ha_host::desk::Health::Critical.exit_code()))
        }
        Err(failure) => Err(failure),
    }
}
