//! What is looked at to tell whether there is enough of everything.

use std::time::Duration;

use warren_resilience::HysteresisSettings;

use crate::{App, AppError, jobs::manage::delay};

/// Something that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Seconds that the oldest job that may begin has waited. Places for jobs grow and shrink by it.
    QueueDelay,
    /// The fullest pool of connections: used and waited for, as a part of what there may be.
    PoolSaturation,
    /// Passwords that are being hashed or wait for it, as a part of those that may be at once.
    HashingSaturation,
    /// Seconds that 95 of 100 requests stay below.
    RequestTime,
    /// Memory of this process, as a part of the host's.
    Memory,
    /// Devices that are online, for each gateway that is.
    GatewayLoad,
}

/// A signal as it is now.
#[derive(Debug, Clone)]
pub struct SignalView {
    pub signal: Signal,
    /// What was measured last; none before the first look.
    pub value: Option<f64>,
    /// From here on there is too little, and up to here too much.
    pub high: f64,
    pub low: f64,
    /// Places for [`Signal::QueueDelay`]; 1 for an alert of the others, and 0 without.
    pub level: u32,
    /// Why the level is as it is.
    pub reason: String,
}

impl Signal {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::QueueDelay,
        Self::PoolSaturation,
        Self::HashingSaturation,
        Self::RequestTime,
        Self::Memory,
        Self::GatewayLoad,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueDelay => "queue_delay",
            Self::PoolSaturation => "pool_saturation",
            Self::HashingSaturation => "hashing_saturation",
            Self::RequestTime => "request_time",
            Self::Memory => "memory",
            Self::GatewayLoad => "gateway_load",
        }
    }

    /// Whether this host acts on it by itself; the others are told to the operator.
    pub const fn moves_places(self) -> bool {
        matches!(self, Self::QueueDelay)
    }

    /// When there is too little and when too much.
    pub(super) fn settings(self, (places_min, places_max): (u32, u32)) -> HysteresisSettings {
        let (high, low) = match self {
            Self::QueueDelay => (5.0, 0.5),
            Self::PoolSaturation | Self::HashingSaturation => (1.5, 0.7),
            Self::RequestTime => (1.0, 0.3),
            Self::Memory => (0.8, 0.6),
            Self::GatewayLoad => (4000.0, 3000.0),
        };
        let alert = HysteresisSettings {
            high,
            low,
            raise_after: Duration::from_secs(30),
            lower_after: Duration::from_secs(120),
            cool_down: Duration::from_secs(60),
            gap_max: Duration::from_secs(10),
            step_up: 1,
            step_down: 1,
            min: 0,
            max: 1,
        };
        if !self.moves_places() {
            return alert;
        }
        HysteresisSettings {
            raise_after: Duration::from_secs(5),
            cool_down: Duration::from_secs(15),
            step_up: 4,
            step_down: 2,
            min: places_min,
            max: places_max,
            ..alert
        }
    }

    /// Measures it; none where there is nothing to measure.
    pub(super) async fn measure(self, app: &App) -> Result<Option<f64>, AppError> {
        Ok(match self {
            Self::QueueDelay => {
                let due = app.system().jobs().longest_ready().await?;
                Some(delay(due, app.clock().now()).as_secs_f64())
            }
            Self::PoolSaturation => {
                let status = app.databases().status();
                let pools = status.databases.iter().flat_map(|database| &database.pools);
                pools
                    .filter(|pool| pool.now.connections_max > 0)
                    .map(|pool| f64::from(pool.now.active + pool.now.waiting) / f64::from(pool.now.connections_max))
                    .reduce(f64::max)
            }
            Self::HashingSaturation => Some(app.hashing().saturation()),
            Self::RequestTime => app.metrics().request_p95().map(|p95| p95.as_secs_f64()),
            Self::Memory => memory_part(),
            Self::GatewayLoad => {
                let (online, gateways) = (app.live().online_of_all(app.clock().now()), app.hub().online());
                (gateways > 0).then(|| online as f64 / gateways as f64)
            }
        })
    }
}

/// What this process has of the host's memory (proc(5)).
fn memory_part() -> Option<f64> {
    let read = |path: &str, field: &str| -> Option<f64> {
        let text = std::fs::read_to_string(path).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    };
    Some(read("/proc/self/status", "VmRSS:")? / read("/proc/meminfo", "MemTotal:")?)
}
