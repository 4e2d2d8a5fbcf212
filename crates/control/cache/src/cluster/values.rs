//! Values on Redis, and the leases by which one process loads for all.

use std::time::Duration;

use super::{
    Cluster,
    line::Open,
    names::ValueName,
    scripts::{Answer, Unreadable},
    trouble::Trouble,
    word,
};
use crate::{
    grounds::Grounds,
    key::{CacheKey, Scope},
    tag::Mark,
};

/// What one value may take on Redis; larger ones stay in memory.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;
/// How long a process may take to load for the others, who wait no longer for it. One that dies costs them as much.
pub const LEASE_FOR: Duration = Duration::from_secs(3);

/// A value or its absence, as it is kept on Redis.
#[derive(Debug)]
pub(crate) struct SharedValue {
    /// None for an absence.
    pub body: Option<Vec<u8>>,
    pub marks: Box<[Mark]>,
    /// Since it was read.
    pub age: Duration,
    /// From when it was read.
    pub fresh: Duration,
    pub kept: Duration,
}

/// The right to load for the others, and to put what was loaded where they find it.
#[derive(Debug)]
pub(crate) struct Lease {
    open: Open,
    name: ValueName,
    token: String,
    /// The count of invalidations on Redis before the load.
    begun: u64,
}

/// What Redis says to who wants a value.
#[derive(Debug)]
pub(crate) enum Asked {
    Value(SharedValue, Lease),
    /// Load it; what is there may be served if that fails.
    Load(Lease, Option<SharedValue>),
    /// Somebody loads it, for so long at most.
    Wait(Duration),
}

impl Cluster {
    /// Where a value is.
    pub fn value_name<K: CacheKey>(&self, cache: &str, version: u32, scope: Scope, key: &K) -> ValueName {
        self.names.value(cache, version, scope, key)
    }

    /// Asks for a value; none when Redis cannot be asked or trusted.
    pub async fn ask(&self, grounds: &Grounds, name: &ValueName) -> Option<Asked> {
        if !self.may_ask(grounds) {
            return None;
        }
        let open = self.line.open()?;
        let token = word(&*self.random);
        let mut script = self.scripts.ask.prepare_invoke();
        script.key(&self.names.common).key(&name.value).key(&name.lease);
        script.arg(&*open.epoch).arg(&token).arg(LEASE_FOR.as_millis() as u64);
        let result = self.line.ask(&open, &script).await;
        let asked = result.and_then(|answer| read(answer, open, name, token).map_err(|Unreadable| Trouble::Unreadable));
        asked.inspect_err(|trouble| tracing::debug!(%trouble, "a value could not be asked for")).ok()
    }

    /// Puts a value where the others find it, unless it was given up meanwhile, and ends the lease.
    pub async fn fill(&self, lease: Lease, value: &SharedValue) {
        let Lease { open, name, token, begun } = lease;
        let marks: Vec<String> = value.marks.iter().map(|Mark(mark)| format!("{mark:016x}")).collect();
        let (kind, body) = match &value.body {
            Some(body) => ("value", body.as_slice()),
            None => ("absent", &[][..]),
        };
        let mut script = self.scripts.fill.prepare_invoke();
        script.key(&self.names.common).key(&name.value).key(&name.lease);
        script.arg(&*open.epoch).arg(&token).arg(begun).arg(marks.join(" ")).arg(body).arg(kind);
        for span in [value.fresh, value.kept, value.age] {
            // A life of nothing would be refused.
            script.arg((span.as_millis() as u64).max(1));
        }
        if let Err(trouble) = self.line.ask(&open, &script).await {
            tracing::debug!(%trouble, "a value could not be kept on Redis");
        }
    }

    /// Ends a lease without a value.
    pub async fn release(&self, lease: Lease) {
        let Lease { open, name, token, .. } = lease;
        let mut script = self.scripts.fill.prepare_invoke();
        script.key(&self.names.common).key(&name.value).key(&name.lease).arg(&*open.epoch).arg(&token);
        if let Err(trouble) = self.line.ask(&open, &script).await {
            tracing::debug!(%trouble, "a lease could not be ended before its time");
        }
    }
}

fn read(mut answer: Answer, open: Open, name: &ValueName, token: String) -> Result<Asked, Unreadable> {
    let lease = |token, begun| Lease { open: open.clone(), name: name.clone(), token, begun };
    match answer.word.as_str() {
        "value" => {
            let begun = answer.number()?;
            // Without a token: nobody is kept from loading it.
            Ok(Asked::Value(read_value(&mut answer)?, lease(String::new(), begun)))
        }
        "load" => {
            let begun = answer.number()?;
            if answer.is_over() {
                return Ok(Asked::Load(lease(token, begun), None));
            }
            answer.number()?;
            Ok(Asked::Load(lease(token, begun), Some(read_value(&mut answer)?)))
        }
        "wait" => Ok(Asked::Wait(Duration::from_millis(answer.number().unwrap_or(0)))),
        _ => Err(Unreadable),
    }
}

fn read_value(answer: &mut Answer) -> Result<SharedValue, Unreadable> {
    let (kind, body, marks) = (answer.text()?, answer.bytes()?, answer.text()?);
    let mut span = || answer.number().map(Duration::from_millis);
    let (age, fresh, kept) = (span()?, span()?, span()?);
    let body = match kind.as_str() {
        "value" => Some(body),
        "absent" => None,
        _ => return Err(Unreadable),
    };
    let marks = marks.split_ascii_whitespace().map(|mark| u64::from_str_radix(mark, 16).map(Mark));
    let marks = marks.collect::<Result<Vec<_>, _>>().map_err(|_| Unreadable)?.into_boxed_slice();
    Ok(SharedValue { body, marks, age, fresh, kept })
}
