//! Namespaces of the real kernel; these tests need root.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use super::*;

fn exists(name: &str) -> bool {
    Path::new(FOLDER).join(name).exists()
}

#[test]
fn clients_reach_the_host_and_nobody_reaches_beyond_their_own_network() {
    let site = Site::with_clients(2).unwrap();
    for client in &site.clients {
        for address in [Site::HOST_IPV4, Site::HOST_IPV6] {
            client.run(&format!("ping -c 1 -W 2 {address}")).unwrap();
        }
        for address in [Site::SERVER_IPV4, Site::SERVER_IPV6] {
            client.run(&format!("ping -c 1 -W 1 {address}")).unwrap_err();
        }
    }
    for address in [Site::SERVER_IPV4, Site::SERVER_IPV6] {
        site.host.run(&format!("ping -c 1 -W 2 {address}")).unwrap();
    }
}

#[test]
fn a_socket_opened_inside_serves_from_there() {
    let site = Site::with_clients(1).unwrap();
    let listener = site.host.enter(|| TcpListener::bind((Site::HOST_IPV4, 80)).unwrap()).unwrap();
    let served = thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello").unwrap());
    let mut stream = site.clients[0].enter(|| TcpStream::connect((Site::HOST_IPV4, 80)).unwrap()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    served.join().unwrap();
    assert_eq!(text, "hello");
    assert!(TcpStream::connect_timeout(&"192.0.2.1:80".parse().unwrap(), Duration::from_millis(200)).is_err());
}

#[test]
fn a_panic_removes_the_namespace_and_what_runs_in_it() {
    let (told, names) = std::sync::mpsc::channel();
    let test = thread::spawn(move || {
        let namespace = Namespace::create("panic").unwrap();
        // A program that nobody holds.
        let mut stray = namespace.command("sleep").arg("600").spawn().unwrap();
        namespace.run("true").unwrap();
        told.send((namespace.name().to_owned(), stray.id())).unwrap();
        drop(thread::spawn(move || stray.wait()));
        panic!("on purpose");
    });
    test.join().unwrap_err();
    let (name, stray) = names.recv().unwrap();
    assert!(!exists(&name));
    let give_up_at = Instant::now() + Duration::from_secs(2);
    while Path::new(&format!("/proc/{stray}")).exists() {
        assert!(Instant::now() < give_up_at, "process {stray} still runs");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_a_killed_test_left_is_swept_and_what_a_living_one_holds_is_not() {
    let held = Namespace::create("held").unwrap();
    // No process has this id and this time of start: the first process's id, started long after boot.
    let left = format!("warren-test-1-99999999999-left-{}", std::process::id());
    ip(&["netns", "add", &left]).unwrap();
    let next = Namespace::create("next").unwrap();
    assert!(exists(held.name()) && exists(next.name()));
    assert!(!exists(&left));
}

#[test]
fn a_failing_program_says_where_and_why() {
    let namespace = Namespace::create("failing").unwrap();
    let error = format!("{:#}", namespace.run("ip link show nothing").unwrap_err());
    assert!(error.contains(namespace.name()) && error.contains("ip link show nothing"), "{error}");
    assert!(error.contains("does not exist"), "{error}");
}

#[test]
fn a_background_program_is_waited_for_and_interrupted() {
    let namespace = Namespace::create("ping").unwrap();
    let mut ping = namespace.spawn("ping -i 0.05 ::1").unwrap();
    ping.wait_for("icmp_seq=3", Duration::from_secs(5)).unwrap();
    assert!(ping.wait_for("never", Duration::from_millis(50)).unwrap_err().to_string().contains("icmp_seq=3"));
    let log = ping.interrupt(Duration::from_secs(5)).unwrap();
    assert!(log.contains(" 0% packet loss"), "{log}");
}
