//! A web server in a namespace, and requests to it from another.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use warren_testkit::namespaces::Namespace;

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\ninside";
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Answers each request at `address` with the word “inside”, until the test ends.
pub fn serve(namespace: &Namespace, address: &str) -> anyhow::Result<()> {
    let address: SocketAddr = address.parse()?;
    let listener = namespace.enter(|| TcpListener::bind(address))??;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(ANSWER_WITHIN));
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(ANSWER.as_bytes());
        }
    });
    Ok(())
}

/// What `address` answers to a request from `namespace`.
pub fn request(namespace: &Namespace, address: &str) -> anyhow::Result<String> {
    let address: SocketAddr = address.parse()?;
    // The socket stays in the namespace of the thread that opens it.
    let mut stream = namespace.enter(|| TcpStream::connect_timeout(&address, ANSWER_WITHIN))??;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: server\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
