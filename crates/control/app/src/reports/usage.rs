//! What passed through the tunnels of an organisation.
//!
//! Gateways count since each device was enrolled; how much of it fell into a period is the difference to an earlier report. Without
//! one, the totals since enrolment are told, and said to be that.

use std::{
    collections::{HashMap, VecDeque},
    io::Write,
};

use warren_auth::permission::Oversee;
use warren_model::{AccountId, DeviceId, NetworkId, Timestamp, page::PageRequest};

use super::{Lines, Request, TOP_MAX, page::ReportPage, shown, tops::Tops, unless_stopped};
use crate::{
    AppError, Inside,
    devices::{self, DeviceView, Filter},
    exports::lines::show,
    records::{
        Interrupted, Progress,
        csv::{Column, Columns, Content, Rows, Table},
    },
};

/// The table of an earlier usage report, from which this one counts on.
#[derive(Debug, Clone)]
pub struct EarlierReport {
    /// When it was made.
    pub made_at: Timestamp,
    pub table: Content,
}

/// What the numbers of a report count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// What passed since that report was made.
    SinceReport(Timestamp),
    /// What passed since each device was enrolled.
    SinceEnrolment,
}

/// What passed through some tunnels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub devices: u64,
    /// Bytes that the devices sent.
    pub received_bytes: u64,
    /// Bytes sent to the devices.
    pub sent_bytes: u64,
}

impl Traffic {
    const fn total(&self) -> u64 {
        self.received_bytes.saturating_add(self.sent_bytes)
    }
    fn add(&mut self, other: &Self) {
        self.devices += other.devices;
        self.received_bytes = self.received_bytes.saturating_add(other.received_bytes);
        self.sent_bytes = self.sent_bytes.saturating_add(other.sent_bytes);
    }
}

/// A usage report; its table was written while it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    pub request: Request,
    pub organisation: String,
    pub made_at: Timestamp,
    pub basis: Basis,
    pub total: Traffic,
    /// Devices that held a session in the period.
    pub active_devices: u64,
    /// Devices that were enrolled in the period.
    pub enrolled_devices: u64,
    /// By network, the most first.
    pub networks: Vec<(String, Traffic)>,
    /// Those with the most, and how many people have devices besides.
    pub people: (Vec<(String, Traffic)>, u64),
    /// Those with the most: device, owner and network; and how many devices there are besides.
    pub devices: (Vec<([String; 3], Traffic)>, u64),
}

const COLUMNS: &[&str] = &[
    "device_id",
    "device",
    "owner",
    "owner_name",
    "network",
    "state",
    "counted_since",
    "received_bytes",
    "sent_bytes",
    "total_received_bytes",
    "total_sent_bytes",
    "last_handshake_at",
];

/// Reports the usage of the organisation's devices, and writes a line for each into `table`. None when it was stopped. Takes memory
/// for each person who has devices. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]; [`AppError::Unusable`] when `earlier` is no usage report.
pub async fn usage(
    inside: &Inside<'_>,
    request: &Request,
    earlier: Option<EarlierReport>,
    table: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<Option<UsageReport>, AppError> {
    unless_stopped(collect(inside, request, earlier, table, progress).await)
}

async fn collect(
    inside: &Inside<'_>,
    request: &Request,
    earlier: Option<EarlierReport>,
    table: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<UsageReport, Interrupted> {
    inside.authorise(Oversee)?;
    let basis = earlier.as_ref().map_or(Basis::SinceEnrolment, |earlier| Basis::SinceReport(earlier.made_at));
    let mut earlier = match earlier {
        Some(earlier) => Some(Earlier::open(earlier.table).await?),
        None => None,
    };
    let mut lines = Lines::begin(table, COLUMNS)?;
    let mut sums = Sums::new();
    let counts = inside.tenant.devices().counts(inside.app().clock().now()).await?;
    let expected = counts.active + counts.disabled + counts.expired + counts.revoked;
    let mut page_request = PageRequest::first_of_most();
    loop {
        let page = devices::page(inside, Filter::default(), &page_request).await?;
        let emails = devices::emails_of_owners(inside, &page.items).await?;
        for view in &page.items {
            let before = match &mut earlier {
                Some(earlier) => earlier.of(view.device.id).await?.unwrap_or_default(),
                None => (0, 0),
            };
            let traffic = since(before, view);
            sums.add(view, traffic, request);
            let email = emails.get(&view.device.owner).cloned().unwrap_or_default();
            lines.line(line(view, email, traffic, basis))?;
        }
        progress.say(sums.total.devices, expected.max(sums.total.devices))?;
        let Some(cursor) = page.next_cursor else { break };
        page_request = crate::exports::next(&cursor)?;
    }
    lines.end()?;
    Ok(sums.end(inside, request, basis))
}

/// What passed since `before`.
fn since((received, sent): (u64, u64), view: &DeviceView) -> Traffic {
    Traffic {
        devices: 1,
        received_bytes: view.usage.received_bytes.saturating_sub(received),
        sent_bytes: view.usage.sent_bytes.saturating_sub(sent),
    }
}

fn line(view: &DeviceView, email: String, traffic: Traffic, basis: Basis) -> [String; 12] {
    let enrolled_at = view.device.created_at;
    let counted_since = match basis {
        Basis::SinceReport(at) => at.max(enrolled_at),
        Basis::SinceEnrolment => enrolled_at,
    };
    [
        view.device.id.to_string(),
        view.device.name.to_string(),
        email,
        view.owner_name.to_string(),
        view.network_name.to_string(),
        view.state.as_str().to_owned(),
        show(counted_since),
        traffic.received_bytes.to_string(),
        traffic.sent_bytes.to_string(),
        view.usage.received_bytes.to_string(),
        view.usage.sent_bytes.to_string(),
        view.usage.last_handshake_at.map(show).unwrap_or_default(),
    ]
}

/// What was summed up so far.
struct Sums {
    total: Traffic,
    active_devices: u64,
    enrolled_devices: u64,
    networks: HashMap<NetworkId, (String, Traffic)>,
    people: HashMap<AccountId, (String, Traffic)>,
    devices: Tops<([String; 3], Traffic)>,
}

impl Sums {
    fn new() -> Self {
        let (networks, people, devices) = (HashMap::new(), HashMap::new(), Tops::new(TOP_MAX));
        Self { total: Traffic::default(), active_devices: 0, enrolled_devices: 0, networks, people, devices }
    }

    fn add(&mut self, view: &DeviceView, traffic: Traffic, request: &Request) {
        let is_in_period = |at: Option<Timestamp>| at.is_some_and(|at| request.period.contains(at));
        self.total.add(&traffic);
        // A session that goes on after the period was there in it, if the device was.
        let handshake = view.usage.last_handshake_at;
        let is_later = handshake.is_some_and(|at| at >= request.period.to());
        let is_active = is_in_period(handshake) || is_later && traffic.total() > 0;
        self.active_devices += u64::from(is_active && view.device.created_at < request.period.to());
        self.enrolled_devices += u64::from(is_in_period(Some(view.device.created_at)));
        let (network, owner) = (view.network_name.to_string(), view.owner_name.to_string());
        self.networks
            .entry(view.device.network)
            .or_insert_with(|| (network.clone(), Traffic::default()))
            .1
            .add(&traffic);
        self.people.entry(view.device.owner).or_insert_with(|| (owner.clone(), Traffic::default())).1.add(&traffic);
        self.devices.add(traffic.total(), ([view.device.name.to_string(), owner, network], traffic));
    }

    fn end(self, inside: &Inside<'_>, request: &Request, basis: Basis) -> UsageReport {
        let mut networks = Tops::new(self.networks.len());
        self.networks.into_values().for_each(|network| networks.add(network.1.total(), network));
        let mut people = Tops::new(TOP_MAX);
        let mut all: Vec<_> = self.people.into_iter().collect();
        // The same order each time, also among equals.
        all.sort_unstable_by_key(|(account, _)| *account);
        all.into_iter().for_each(|(_, person)| people.add(person.1.total(), person));
        UsageReport {
            request: request.clone(),
            organisation: inside.organisation.name.to_string(),
            made_at: inside.app().clock().now(),
            basis,
            total: self.total,
            active_devices: self.active_devices,
            enrolled_devices: self.enrolled_devices,
            networks: networks.end().0,
            people: people.end(),
            devices: self.devices.end(),
        }
    }
}

impl UsageReport {
    /// The report as a page.
    ///
    /// # Errors
    /// [`AppError::Internal`]
    pub fn html(&self) -> Result<String, AppError> {
        let language = self.request.language;
        let traffic = |of: &Traffic| {
            [
                shown::bytes(of.received_bytes, language),
                shown::bytes(of.sent_bytes, language),
                shown::bytes(of.total(), language),
            ]
        };
        let named = |(name, of): &(String, Traffic)| {
            let count = shown::number(of.devices, language);
            [name.clone(), count].into_iter().chain(traffic(of)).collect::<Vec<_>>()
        };
        let device =
            |(names, of): &([String; 3], Traffic)| names.iter().cloned().chain(traffic(of)).collect::<Vec<_>>();
        let page = ReportPage::new(&self.request, "report-usage", self.organisation.clone(), self.made_at);
        let page = match self.basis {
            Basis::SinceReport(at) => page.note("report-usage-since", &[("at", self.request.zone.show(at))]),
            Basis::SinceEnrolment => page.note("report-usage-since-enrolment", &[]),
        };
        let [received, sent, total] = traffic(&self.total);
        let amounts = ["report-received", "report-sent", "report-total"];
        let named_heads = |first| [first, "report-devices", amounts[0], amounts[1], amounts[2]];
        let device_heads = ["report-device", "report-owner", "report-network", amounts[0], amounts[1], amounts[2]];
        page.figure("report-total", total)
            .figure("report-received", received)
            .figure("report-sent", sent)
            .figure("report-devices", shown::number(self.total.devices, language))
            .figure("report-devices-active", shown::number(self.active_devices, language))
            .figure("report-devices-enrolled", shown::number(self.enrolled_devices, language))
            .list("report-by-network", &named_heads("report-network"), 1, self.networks.iter().map(named).collect(), 0)
            .list(
                "report-by-person",
                &named_heads("report-person"),
                1,
                self.people.0.iter().map(named).collect(),
                self.people.1,
            )
            .list("report-by-device", &device_heads, 3, self.devices.0.iter().map(device).collect(), self.devices.1)
            .html()
    }
}

/// The counters of an earlier report, in the order of devices, as both have it.
struct Earlier {
    columns: Columns,
    rows: Option<Rows>,
    waiting: VecDeque<(DeviceId, (u64, u64))>,
}

const EARLIER: &[Column] = &[
    Column::required("device_id", &[]),
    Column::required("total_received_bytes", &[]),
    Column::required("total_sent_bytes", &[]),
];
/// Lines of an earlier report that are read at once.
const CHUNK_LINES: usize = 1000;

impl Earlier {
    async fn open(content: Content) -> Result<Self, AppError> {
        let opening = tokio::task::spawn_blocking(move || {
            let table = Table::open(&content, EARLIER)?;
            let rows = table.rows()?;
            Ok::<_, AppError>((table.columns, rows))
        });
        let (columns, rows) = opening.await.map_err(|error| AppError::Internal(Box::new(error)))??;
        Ok(Self { columns, rows: Some(rows), waiting: VecDeque::new() })
    }

    /// What the device had; devices are asked for in order.
    async fn of(&mut self, device: DeviceId) -> Result<Option<(u64, u64)>, AppError> {
        loop {
            match self.waiting.front().copied() {
                Some((id, _)) if id < device => drop(self.waiting.pop_front()),
                Some((id, counters)) => return Ok((id == device).then_some(counters)),
                None if !self.read().await? => return Ok(None),
                None => {}
            }
        }
    }

    async fn read(&mut self) -> Result<bool, AppError> {
        let Some(mut rows) = self.rows.take() else { return Ok(false) };
        let reading = tokio::task::spawn_blocking(move || Ok::<_, AppError>((rows.some(CHUNK_LINES)?, rows)));
        let (read, rows) = reading.await.map_err(|error| AppError::Internal(Box::new(error)))??;
        if read.is_empty() {
            return Ok(false);
        }
        self.rows = Some(rows);
        for row in read.into_iter().flatten() {
            let cell = |at| self.columns.cell(&row, at);
            if let (Ok(id), Ok(received), Ok(sent)) = (cell(0).parse(), cell(1).parse(), cell(2).parse()) {
                self.waiting.push_back((id, (received, sent)));
            }
        }
        Ok(true)
    }
}
