//! Our streams against our listeners, in this process, without any network.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use wirewright_net::{Breaker, InProcess, StreamError};

const SOON: Duration = Duration::from_secs(10);

fn pair(v6: bool) -> (InProcess, wirewright_net::TcpListener) {
    let (client, server) = if v6 { ("2001:db8::1", "[2001:db8::2]:7") } else { ("192.0.2.1", "192.0.2.2:7") };
    InProcess::pair(client.parse().unwrap(), server.parse().unwrap(), [[1; 32], [2; 32]]).unwrap()
}

#[test]
fn a_stream_goes_there_and_back_and_ends() {
    for v6 in [false, true] {
        let (network, listener) = pair(v6);
        let server = std::thread::spawn(move || {
            let (mut stream, peer) = listener.accept_timeout(SOON).unwrap();
            assert_eq!(peer, stream.peer_addr().unwrap());
            stream.set_read_timeout(Some(SOON)).unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(&all).unwrap();
        });
        let mut stream = network.connect(SOON).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let data: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        stream.write_all(&data).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream.write(b"more").unwrap_err().kind(), ErrorKind::NotConnected);
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        assert!(back == data, "{} bytes came back, or others", back.len());
        server.join().unwrap();
    }
}

#[test]
fn waiting_has_an_end() {
    let (network, listener) = pair(false);
    let stream = network.connect(SOON).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let error = (&stream).read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(stream.set_read_timeout(Some(Duration::ZERO)).is_err());
    drop(listener.accept_timeout(SOON).unwrap());
    assert_eq!(listener.accept_timeout(Duration::from_millis(20)).unwrap_err().kind(), ErrorKind::TimedOut);
    // The other end has gone, and said so.
    stream.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!((&stream).read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_breaker_ends_what_is_open_and_what_would_be() {
    let (network, listener) = pair(false);
    let breaker = Breaker::new();
    let stream = network.connect_breakable(SOON, &breaker).unwrap();
    let (accepted, _) = listener.accept_timeout(SOON).unwrap();
    accepted.set_read_timeout(Some(SOON)).unwrap();
    let reader = std::thread::spawn(move || (&accepted).read(&mut [0; 8]).unwrap_err().kind());
    breaker.abort();
    assert_eq!(reader.join().unwrap(), ErrorKind::ConnectionReset);
    assert_eq!((&stream).read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
    let error = network.connect_breakable(SOON, &breaker).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert_eq!(listener.accept_timeout(Duration::from_millis(20)).unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn a_breaker_ends_a_stream_that_was_dropped_and_still_waits() {
    let (network, listener) = pair(true);
    let breaker = Breaker::new();
    let stream = network.connect_breakable(SOON, &breaker).unwrap();
    let (accepted, _) = listener.accept_timeout(SOON).unwrap();
    accepted.set_read_timeout(Some(SOON)).unwrap();
    // Our FIN arrives; the peer keeps its own, so that both handles of the client's engine wait.
    let dropped = std::thread::spawn(move || drop((stream, network)));
    assert_eq!((&accepted).read(&mut [0; 8]).unwrap(), 0);
    breaker.abort();
    dropped.join().unwrap();
    // More than there is room for: it waits, until the reset comes.
    accepted.set_write_timeout(Some(SOON)).unwrap();
    let ended = (&accepted).write_all(&vec![0; 16 << 20]).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn an_abort_reaches_the_other_end() {
    let (network, listener) = pair(true);
    let stream = network.connect(SOON).unwrap();
    let (accepted, _) = listener.accept_timeout(SOON).unwrap();
    accepted.set_read_timeout(Some(SOON)).unwrap();
    stream.abort();
    let error = (&accepted).read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(StreamError::of(&error).map(StreamError::code), Some("reset-by-peer"));
}
