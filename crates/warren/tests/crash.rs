//! `kill -9` in the middle of work: the next start is clean, and nothing that was acknowledged is gone.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use warren_testkit::installation::Installation;

const ROUNDS: u64 = 3;
const WRITERS: usize = 3;

#[test]
fn what_was_acknowledged_survives_kill_9() -> anyhow::Result<()> {
    let mut installation = Installation::start()?;
    let mut first = installation.first_use()?;
    let organisation = first.organisation.clone();
    // A network needs a gateway to stand on; nobody has to run it.
    installation.managed(&["gateways", "create", "far", "vpn.example.org"])?;
    let network = first.operator.create_network(&organisation, "Office", "10.20.0.0/16", &[])?;

    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let (enrolled, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        thread::scope(|scope| -> anyhow::Result<()> {
            for writer in 0..WRITERS {
                let session = installation.browse()?;
                session.sign_in()?;
                let (enrolled, stop, network, organisation) = (&enrolled, &stop, &network, &organisation);
                scope.spawn(move || {
                    for number in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let name = format!("r{round}w{writer}n{number}");
                        match session.enrol(organisation, network, &name) {
                            Ok(made) => enrolled.lock().unwrap().push(made.device.id),
                            // The server is gone: that is the point.
                            Err(_) => return,
                        }
                    }
                });
            }
            // At least one was acknowledged, and others are on their way.
            while enrolled.lock().unwrap().len() < 5 {
                thread::sleep(Duration::from_millis(5));
            }
            thread::sleep(Duration::from_millis(37 * (round + 1)));
            installation.kill()?;
            stop.store(true, Ordering::Relaxed);
            Ok(())
        })?;
        acknowledged.extend(enrolled.into_inner()?);

        installation.start_again()?;
        first.operator.follow(&installation);
        let devices = first.operator.devices(&organisation)?;
        let found: BTreeSet<_> = devices.iter().map(|device| device.id).collect();
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "acknowledged and gone after round {round}: {lost:?}");
        let addresses: BTreeSet<_> = devices.iter().filter_map(|device| device.ipv4.clone()).collect();
        assert_eq!(addresses.len(), devices.len(), "two devices share an address");
        // Every device that is there left its trace.
        let entries = installation.managed(&["activity", "--action", "device.enrolled", "--limit", "10000"])?;
        assert!(
            entries.lines().count() > devices.len(),
            "{} devices, {} lines",
            devices.len(),
            entries.lines().count()
        );
    }
    Ok(())
}
