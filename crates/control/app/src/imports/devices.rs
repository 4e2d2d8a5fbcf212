//! Devices as lines of a table.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use warren_auth::permission::Oversee;
use warren_model::{AccountId, DeviceId, DeviceName, Email, Invalid, Network, NetworkId, Person, PublicKey};
use warren_storage::{Devices as StoredDevices, Repeatability, Source, TransactionOptions};

use super::{
    DEVICES_TOGETHER_MAX,
    course::{CHUNK_LINES, Halt, Imported, Scope, Verdict},
    moment,
    people::people_by_email,
    result::Words,
    seen::Seen,
};
use crate::{
    AppError, Contradiction, Inside, Thing,
    devices::{Enrolment, Present, Wanted},
    records::{
        LineError, LineProblem,
        csv::{Column, Columns, Row},
    },
};

/// The columns of devices. The network may be absent where there is one only.
pub(super) const COLUMNS: &[Column] = &[
    Column::required("name", &["device", "device name", "Gerät", "Gerätename"]),
    Column::required("owner", &["owner email", "email", "mail", "Besitzer", "Besitzerin", "E-Mail-Adresse"]),
    Column::optional("network", &["network name", "Netz", "Netzwerk"]),
    Column::required("public_key", &["key", "Schlüssel", "öffentlicher Schlüssel"]),
    Column::optional("expires", &["expires at", "expiry", "valid until", "läuft ab", "Ablauf", "gültig bis"]),
];
const NAME: usize = 0;
const OWNER: usize = 1;
const NETWORK: usize = 2;
const PUBLIC_KEY: usize = 3;
const EXPIRES: usize = 4;

/// How long all devices together may take.
const TOGETHER_TAKES_MAX: Duration = Duration::from_secs(600);
/// Networks that a message lists.
const NETWORKS_NAMED_MAX: usize = 10;

/// What is known while devices are imported.
pub(super) struct Devices {
    networks: Vec<Network>,
    /// Free places of the networks that were looked at.
    free: HashMap<NetworkId, u64>,
    seen: Seen,
}

impl Devices {
    /// Admins may.
    pub async fn permit(inside: &Inside<'_>) -> Result<Self, AppError> {
        inside.authorise(Oversee)?;
        let networks = inside.tenant.networks().all().await?;
        Ok(Self { networks, free: HashMap::new(), seen: Seen::default() })
    }

    /// The network that a cell names.
    fn network(&self, name: &str) -> Result<&Network, LineProblem> {
        match (name, &self.networks[..]) {
            ("", [only]) => Ok(only),
            ("", [_, _, ..]) => Err(Invalid::Empty.into()),
            _ => self.networks.iter().find(|network| network.settings.name.as_str() == name).ok_or_else(|| {
                let names = self.networks.iter().take(NETWORKS_NAMED_MAX).map(|network| network.settings.name.as_str());
                let more = if self.networks.len() > NETWORKS_NAMED_MAX { ", …" } else { "" };
                LineProblem::UnknownNetwork { known: names.collect::<Vec<_>>().join(", ") + more }
            }),
        }
    }

    fn line(
        &mut self,
        inside: &Inside<'_>,
        columns: &Columns,
        row: &Row,
        owners: &HashMap<Email, Person>,
    ) -> Result<Enrolment, LineError> {
        let wrong = |column, problem: LineProblem| columns.error(row, column, problem);
        let name: DeviceName =
            columns.cell(row, NAME).parse().map_err(|invalid: Invalid| wrong(NAME, invalid.into()))?;
        let network = self.network(columns.cell(row, NETWORK)).map_err(|problem| wrong(NETWORK, problem))?;
        let network = network.id;
        let owner: Email = columns.cell(row, OWNER).parse().map_err(|invalid: Invalid| wrong(OWNER, invalid.into()))?;
        let owner = owners.get(&owner).ok_or_else(|| wrong(OWNER, LineProblem::UnknownOwner))?;
        let public_key: PublicKey = match columns.cell(row, PUBLIC_KEY) {
            "" => return Err(wrong(PUBLIC_KEY, LineProblem::KeyMissing)),
            key => key.parse().map_err(|invalid: Invalid| wrong(PUBLIC_KEY, invalid.into()))?,
        };
        let expires_at = match columns.cell(row, EXPIRES) {
            "" => None,
            text => Some(moment::parse(text).map_err(|problem| wrong(EXPIRES, problem))?),
        };
        if let Some(line) = self.seen.earlier(&[network.uuid().as_bytes(), public_key.as_bytes()], row.line) {
            return Err(wrong(PUBLIC_KEY, LineProblem::Repeated { line }));
        }
        let wanted = Wanted { name, network, public_key, expires_at };
        Enrolment::prepare(inside, owner, wanted, None)
            .map_err(|error| wrong(EXPIRES, LineProblem::of(error).unwrap_or(LineProblem::Moment)))
    }

    /// Takes a free place of a network from those that are left.
    async fn take_place(&mut self, inside: &Inside<'_>, id: NetworkId) -> Result<bool, AppError> {
        if !self.free.contains_key(&id) {
            let network = self.networks.iter().find(|network| network.id == id);
            let capacity = network.map_or(0, |network| u64::from(network.settings.prefixes.capacity()));
            let held = inside.tenant.networks().count_devices(id).await?;
            self.free.insert(id, capacity.saturating_sub(held));
        }
        let free = self.free.entry(id).or_default();
        let is_left = *free > 0;
        *free = free.saturating_sub(1);
        Ok(is_left)
    }
}

impl Imported for Devices {
    type Line = Enrolment;
    const COLUMNS: &'static [Column] = COLUMNS;
    const MORE: [&'static str; 2] = ["device_id", "addresses"];
    const TOGETHER_MAX: u64 = DEVICES_TOGETHER_MAX;
    const PLANNED: Words =
        Words { created: "result-would-enrol", renewed: "result-there", there: "result-there", bad: "result-bad" };
    const DONE: Words =
        Words { created: "result-enrolled", renewed: "result-there", there: "result-there", bad: "result-bad" };

    async fn resolve(
        &mut self,
        inside: &Inside<'_>,
        columns: &Columns,
        rows: &[Row],
    ) -> Result<Vec<Result<Enrolment, LineError>>, AppError> {
        let emails: HashSet<Email> = rows.iter().filter_map(|row| columns.cell(row, OWNER).parse().ok()).collect();
        let owners = people_by_email(inside, emails.into_iter().collect()).await?;
        Ok(rows.iter().map(|row| self.line(inside, columns, row, &owners)).collect())
    }

    async fn look(
        &mut self,
        inside: &Inside<'_>,
        columns: &Columns,
        lines: &[(&Row, &Enrolment)],
    ) -> Result<Vec<Verdict>, AppError> {
        let holders = holders(&inside.tenant.devices(), lines).await?;
        let mut verdicts = Vec::with_capacity(lines.len());
        for (row, enrolment) in lines {
            let network = enrolment.wanted.network;
            let is_network_key = {
                let key = enrolment.wanted.public_key;
                self.networks.iter().any(|here| here.id == network && here.public_key == key)
            };
            verdicts.push(match holders.get(&(network, enrolment.wanted.public_key)) {
                Some(holder) => there(columns, row, enrolment, holder),
                None if is_network_key => taken(columns, row),
                None if self.take_place(inside, network).await? => Verdict::Created(Default::default()),
                None => Verdict::Bad(columns.error(
                    row,
                    NETWORK,
                    LineProblem::Contradiction(Contradiction::AddressesExhausted),
                )),
            });
        }
        Ok(verdicts)
    }

    async fn carry_out(
        &self,
        inside: &Inside<'_>,
        columns: &Columns,
        lines: &[(&Row, &Enrolment)],
        scope: Scope<'_>,
    ) -> Result<Vec<Verdict>, Halt> {
        let usual = TransactionOptions { repeatability: Repeatability::Idempotent, ..TransactionOptions::in_turn() };
        let options = match scope {
            Scope::EachAlone => usual,
            Scope::Together(_) => TransactionOptions { time_limit: TOGETHER_TAKES_MAX, ..usual },
        };
        let work = inside.cx.work();
        let carried = inside.tenant.with_transaction(&work, options, async |tx| -> Result<Vec<Verdict>, Halt> {
            let mut verdicts = Vec::with_capacity(lines.len());
            for some in lines.chunks(CHUNK_LINES) {
                scope.step(verdicts.len())?;
                let holders = holders(&tx.devices(), some).await?;
                let owners: HashSet<AccountId> = some.iter().map(|(_, enrolment)| enrolment.owner()).collect();
                let present = Present::of(inside, tx, &owners.into_iter().collect::<Vec<_>>()).await?;
                for (row, enrolment) in some {
                    if let Some(holder) = holders.get(&(enrolment.wanted.network, enrolment.wanted.public_key)) {
                        verdicts.push(there(columns, row, enrolment, holder));
                        continue;
                    }
                    let enrolled = match scope {
                        Scope::EachAlone => tx.nested(async |tx| enrolment.carry_out(inside, tx, &present).await).await,
                        Scope::Together(_) => enrolment.carry_out(inside, tx, &present).await,
                    };
                    verdicts.push(match enrolled {
                        Ok((_, device)) => {
                            let addresses =
                                device.addresses.map(|addresses| addresses.iter().map(|a| a.to_string()).collect());
                            Verdict::Created([device.id.to_string(), addresses.unwrap_or_else(Vec::new).join(" ")])
                        }
                        Err(error) => Verdict::Bad(refused(columns, row, error)?),
                    });
                    if let (Scope::Together(_), Some(Verdict::Bad(error))) = (scope, verdicts.last()) {
                        return Err(Halt::Bad(vec![error.clone()]));
                    }
                }
            }
            Ok(verdicts)
        });
        carried.await
    }
}

/// A device that holds a key already.
#[derive(Debug, Clone)]
struct Holder {
    id: DeviceId,
    name: DeviceName,
    is_of: AccountId,
}

/// Which devices hold the keys of `lines`, by network and key.
async fn holders<C: Source>(
    devices: &StoredDevices<'_, C>,
    lines: &[(&Row, &Enrolment)],
) -> Result<HashMap<(NetworkId, PublicKey), Holder>, AppError> {
    let mut keys: HashMap<NetworkId, Vec<PublicKey>> = HashMap::new();
    for (_, enrolment) in lines {
        keys.entry(enrolment.wanted.network).or_default().push(enrolment.wanted.public_key);
    }
    let mut holders = HashMap::new();
    for (network, keys) in keys {
        for device in devices.holding(network, &keys).await? {
            let holder = Holder { id: device.id, name: device.name, is_of: device.owner };
            holders.insert((network, device.public_key), holder);
        }
    }
    Ok(holders)
}

/// What it means for a line that a device holds its key: it is that device, or another one.
fn there(columns: &Columns, row: &Row, enrolment: &Enrolment, holder: &Holder) -> Verdict {
    let more = [holder.id.to_string(), String::new()];
    if holder.id == enrolment.id {
        // Enrolled by an attempt whose end nobody heard of.
        Verdict::Created(more)
    } else if holder.is_of == enrolment.owner() && holder.name == enrolment.wanted.name {
        Verdict::There(more)
    } else {
        taken(columns, row)
    }
}

fn taken(columns: &Columns, row: &Row) -> Verdict {
    Verdict::Bad(columns.error(row, PUBLIC_KEY, LineProblem::Contradiction(Contradiction::PublicKeyTaken)))
}

/// The line's error that a refusal means, in the column that it is about.
fn refused(columns: &Columns, row: &Row, error: AppError) -> Result<LineError, AppError> {
    let problem = LineProblem::of(error)?;
    let column = match &problem {
        LineProblem::Contradiction(Contradiction::PublicKeyTaken) => PUBLIC_KEY,
        LineProblem::NotFound(Thing::Person) => OWNER,
        _ => NETWORK,
    };
    Ok(columns.error(row, column, problem))
}
