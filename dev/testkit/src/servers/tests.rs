//! Debian's MariaDB and PostgreSQL, started for real.

use std::{fs, net::TcpListener, process::Stdio};

use super::{of_this_run::meet, *};

const GONE_WITHIN: Duration = Duration::from_secs(10);

/// What a server leaves behind if it leaves anything.
struct Traces {
    process: String,
    folder: std::path::PathBuf,
    port: u16,
}

impl Traces {
    fn of(server: &DatabaseServer) -> Self {
        Self::in_folder(server.guardian.folder(), server.port())
    }

    fn in_folder(folder: &Path, port: u16) -> Self {
        let process = fs::read_to_string(folder.join("process")).unwrap().trim().to_owned();
        Self { process: format!("/proc/{process}/exe"), folder: folder.to_owned(), port }
    }

    fn server_runs(&self) -> bool {
        fs::read_link(&self.process).is_ok() || TcpListener::bind(("127.0.0.1", self.port)).is_err()
    }

    fn wait_until_gone(&self) {
        wait_until(|| !self.server_runs() && !self.folder.exists());
    }
}

fn wait_until(condition: impl Fn() -> bool) {
    let give_up_at = Instant::now() + GONE_WITHIN;
    while !condition() {
        assert!(Instant::now() < give_up_at, "not within {GONE_WITHIN:?}");
        thread::sleep(LOOK_EVERY);
    }
}

/// Makes a table of one column, in a schema that either server has a word for.
fn make_table(server: &DatabaseServer) {
    let schema = match server.kind() {
        ServerKind::MariaDb => "CREATE DATABASE warren_kept;",
        ServerKind::PostgreSql => "CREATE SCHEMA warren_kept;",
    };
    server.ask(&format!("{schema} CREATE TABLE warren_kept.rows (value INTEGER)")).unwrap();
}

fn insert(server: &DatabaseServer, value: u32) {
    server.ask(&format!("INSERT INTO warren_kept.rows VALUES ({value})")).unwrap();
}

fn values(server: &DatabaseServer) -> String {
    server.ask("SELECT value FROM warren_kept.rows ORDER BY value").unwrap().replace('\n', " ")
}

#[test]
fn a_server_keeps_its_data_and_its_port_when_it_is_killed_or_stopped() {
    for kind in ServerKind::ALL {
        for durability in [Durability::Fast, Durability::Real] {
            let settings = Settings { durability, connections_max: 40, ..Settings::default() };
            let server = DatabaseServer::start_with(kind, &settings).unwrap();
            let url = server.url("warren");
            make_table(&server);
            insert(&server, 1);
            server.kill().unwrap();
            server.ask("SELECT 1").unwrap_err();
            server.restart().unwrap();
            insert(&server, 2);
            server.stop().unwrap();
            server.ask("SELECT 1").unwrap_err();
            server.restart().unwrap();
            insert(&server, 3);
            server.restart().unwrap();
            assert_eq!(values(&server), "1 2 3", "{kind}");
            assert_eq!(server.url("warren"), url);
            let connections_max = match kind {
                ServerKind::MariaDb => "SELECT @@max_connections",
                ServerKind::PostgreSql => "SHOW max_connections",
            };
            assert_eq!(server.ask(connections_max).unwrap(), "40");
            assert!(server.log().contains("ready"), "{}", server.log());
        }
    }
}

#[test]
fn a_replica_follows_is_held_back_and_follows_again() {
    for kind in ServerKind::ALL {
        let primary = DatabaseServer::start(kind).unwrap();
        make_table(&primary);
        insert(&primary, 1);
        let replica = primary.start_replica().unwrap();
        assert_eq!(values(&replica), "1", "what was there before the replica");

        replica.pause_replay().unwrap();
        insert(&primary, 2);
        thread::sleep(Duration::from_millis(300));
        assert_eq!(values(&replica), "1", "held back");
        replica.resume_replay().unwrap();
        replica.catch_up_with(&primary).unwrap();
        assert_eq!(values(&replica), "1 2");

        primary.kill().unwrap();
        assert_eq!(values(&replica), "1 2", "it outlives its primary");
        primary.restart().unwrap();
        insert(&primary, 3);
        replica.catch_up_with(&primary).unwrap();
        assert_eq!(values(&replica), "1 2 3");
    }
}

#[test]
fn the_user_warren_makes_databases_and_looks_but_is_no_superuser_and_a_replica_lets_it_only_read() {
    for kind in ServerKind::ALL {
        let primary = DatabaseServer::start(kind).unwrap();
        let (looks, refused) = match kind {
            ServerKind::MariaDb => (
                "SHOW FULL PROCESSLIST; SHOW ALL SLAVES STATUS; SHOW MASTER STATUS; \
                 SELECT COUNT(*) FROM performance_schema.threads",
                ["SET GLOBAL max_connections = 10", "CREATE DATABASE other", "SHUTDOWN"],
            ),
            ServerKind::PostgreSql => (
                "SELECT * FROM pg_stat_activity; SELECT * FROM pg_stat_replication",
                ["ALTER SYSTEM SET max_connections = 10", "CREATE ROLE other", "SELECT pg_reload_conf()"],
            ),
        };
        let replica = primary.start_replica().unwrap();
        primary.warren.ask("CREATE DATABASE warren_one").unwrap();
        for server in [&primary, &replica] {
            server.warren.ask(looks).unwrap();
            for statement in refused {
                server.warren.ask(statement).unwrap_err();
            }
        }
        let error = replica.warren.ask("CREATE DATABASE warren_two").unwrap_err().to_string();
        assert!(error.contains("read-only"), "{error}");
        let stranger = Address { password: "guessed".to_owned(), ..primary.warren.clone() };
        stranger.ask("SELECT 1").unwrap_err();
    }
}

#[test]
fn nothing_is_left_of_a_server_whether_it_runs_or_was_killed() {
    for kind in ServerKind::ALL {
        let running = DatabaseServer::start(kind).unwrap();
        let traces = Traces::of(&running);
        assert!(traces.server_runs() && traces.folder.exists());
        drop(running);
        assert!(!traces.server_runs() && !traces.folder.exists());

        let killed = DatabaseServer::start(kind).unwrap();
        let traces = Traces::of(&killed);
        killed.kill().unwrap();
        assert!(!traces.server_runs());
        drop(killed);
        assert!(!traces.folder.exists());
    }
}

#[test]
fn a_server_does_not_outlive_its_guardian() {
    for kind in ServerKind::ALL {
        let server = DatabaseServer::start(kind).unwrap();
        let traces = Traces::of(&server);
        server.guardian.kill();
        wait_until(|| !traces.server_runs());
        fs::remove_dir_all(&traces.folder).unwrap();
    }
}

#[test]
fn those_who_meet_use_one_server_which_ends_soon_after_the_last_of_them() {
    thread::scope(|scope| {
        for kind in ServerKind::ALL {
            scope.spawn(move || meet_and_part(kind));
        }
    });
}

fn meet_and_part(kind: ServerKind) {
    let meeting = tempfile::tempdir().unwrap();
    let place = meeting.path().join("server");
    let servers: Vec<ServerOfThisRun> = thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| meet(kind, &place, 1).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let urls: Vec<String> = servers.iter().map(|server| server.url("warren")).collect();
    assert!(urls.iter().all(|url| *url == urls[0]), "{urls:?}");

    let told = fs::read_to_string(&place).unwrap();
    let traces = Traces::in_folder(Path::new(told.lines().next().unwrap()), servers[0].warren.port);
    // Longer than it would stay unused.
    thread::sleep(Duration::from_secs(3));
    servers[0].warren.ask("SELECT 1").unwrap();
    drop(servers);
    traces.wait_until_gone();

    let next = meet(kind, &place, 1).unwrap();
    assert_ne!(next.url("warren"), urls[0]);
    next.warren.ask("SELECT 1").unwrap();
}

#[test]
fn databases_of_a_test_are_gone_with_the_value_whoever_is_connected() {
    for kind in ServerKind::ALL {
        let server = of_this_run(kind).unwrap();
        let (one, other) = (FreshDatabases::of_this_run(kind).unwrap(), FreshDatabases::of_this_run(kind).unwrap());
        let system = one.prefix().to_owned();
        let tenant = format!("{system}_0199");
        for name in [&system, &tenant, &other.prefix().to_owned()] {
            server.warren.ask(&format!("CREATE DATABASE {name}")).unwrap();
        }
        assert_eq!(one.names().unwrap(), [system.clone(), tenant.clone()]);
        assert!(one.url().ends_with(&system) && one.url() == server.url(&system));

        // A client in the middle of a statement that would take a minute.
        let (mut client, statement) = match kind {
            ServerKind::MariaDb => (mariadb::client(&server.warren), format!("USE {tenant}; SELECT SLEEP(60);")),
            ServerKind::PostgreSql => (postgres::client(&server.warren), format!("\\c {tenant}\nSELECT pg_sleep(60);")),
        };
        let mut connected = client.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut connected.stdin.take().unwrap(), statement.as_bytes()).unwrap();
        let count = match kind {
            ServerKind::MariaDb => format!("SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{tenant}'"),
            ServerKind::PostgreSql => format!("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{tenant}'"),
        };
        wait_until(|| server.warren.ask(&count).unwrap() == "1");

        drop(one);
        assert_eq!(other.names().unwrap(), [other.prefix()]);
        assert!(!connected.wait().unwrap().success());
        let all = match kind {
            ServerKind::MariaDb => mariadb::list("warren_t"),
            ServerKind::PostgreSql => postgres::list("warren_t"),
        };
        assert!(!server.warren.ask(&all).unwrap().contains(&system));
    }
}
