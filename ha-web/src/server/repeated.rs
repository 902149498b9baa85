//! Commands that are sent again by a client that did not hear the answer are done once.

use std::{collections::BTreeMap, time::Duration};

use ha_core::time::Instant;

use crate::wire::{Answer, Fault, Parameters};

/// What was answered to commands that name a key.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    answers: BTreeMap<String, Done>,
}

#[derive(Debug)]
struct Done {
    at: Instant,
    parameters: Parameters,
    /// Nothing as long as it is under way.
    answer: Option<Answer>,
}

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(3600);
/// How many are kept.
const MOST: usize = 1000;

impl Repeated {
    /// The answer that was given before; nothing if this is the first time, which is under way from now on.
    pub(super) fn begin(&mut self, key: &str, parameters: &Parameters, now: Instant) -> Result<Option<Answer>, Fault> {
        self.answers.retain(|_, done| now.since(done.at) < KEPT);
        let conflict = |text: &str| Err(Fault::conflict("idempotency_key", text));
        match self.answers.get(key) {
            Some(done) if done.parameters != *parameters => {
                conflict("this Idempotency-Key was sent with another command")
            }
            Some(Done { answer: None, .. }) => conflict("the command with this Idempotency-Key is under way"),
            Some(Done { answer: Some(answer), .. }) => Ok(Some(answer.clone())),
            None if self.answers.len() >= MOST => conflict("there are too many commands with an Idempotency-Key"),
            None => {
                let done = Done { at: now, parameters: parameters.clone(), answer: None };
                self.answers.insert(key.to_owned(), done);
                Ok(None)
            }
        }
    }

    /// Keeps what was done; what was refused may be tried again.
    pub(super) fn end(&mut self, key: &str, answer: Option<&Answer>) {
        match (self.answers.get_mut(key), answer) {
            (Some(done), Some(answer)) => done.answer = Some(answer.clone()),
            (_, None) => drop(self.answers.remove(key)),
            (None, Some(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_that_is_sent_again_is_done_once() {
        let mut repeated = Repeated::default();
        let (none, now) = (Parameters::default(), Instant::from_secs(0));
        assert_eq!(repeated.begin("a", &none, now), Ok(None));
        assert!(repeated.begin("a", &none, now).is_err(), "it is under way");
        repeated.end("a", Some(&json!(1).into()));
        assert_eq!(repeated.begin("a", &none, now), Ok(Some(json!(1).into())));
        assert_eq!(repeated.begin("b", &none, now), Ok(None));
        repeated.end("b", None);
        assert_eq!(repeated.begin("b", &none, now), Ok(None), "what was refused may be tried again");
        assert_eq!(repeated.begin("a", &none, Instant::from_secs(3600)), Ok(None), "nothing is kept for ever");
    }
}
