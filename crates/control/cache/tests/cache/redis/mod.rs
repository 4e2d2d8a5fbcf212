//! Several processes and one Redis, which works or does not.

mod faults;
mod invalidation;
mod outages;
mod process;
mod promise;
mod proxy;
mod values;
