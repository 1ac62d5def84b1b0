//! Our streams against our listeners, in this process, without any network.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use wirewright_net::{Breaker, InProcess, StreamError};
use wirewright_units::ByteCount;

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

/// Who waits is called by whatever comes: were one call lost, the sender's time-out would have to help, and would lower
/// ssthresh (RFC 5681 §3.1).
#[test]
fn nothing_that_comes_has_to_be_sent_again() {
    let (network, listener) = pair(false);
    let mut stream = network.connect(SOON).unwrap();
    let (mut accepted, _) = listener.accept_timeout(SOON).unwrap();
    for end in [&stream, &accepted] {
        end.set_read_timeout(Some(SOON)).unwrap();
    }
    let begun = [&stream, &accepted].map(|end| end.status().unwrap().ssthresh);
    let answerer = std::thread::spawn(move || {
        let mut byte = [0];
        while accepted.read(&mut byte).unwrap() == 1 {
            // The engine's thread takes the lead now and then, and gives it back.
            if byte[0] % 16 == 0 {
                std::thread::sleep(Duration::from_millis(3));
            }
            accepted.write_all(&byte).unwrap();
        }
        accepted.status().unwrap().ssthresh
    });
    for round in 0..500_u16 {
        let byte = [round.to_be_bytes()[1]];
        stream.write_all(&byte).unwrap();
        let mut back = [0];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, byte);
    }
    let ended = stream.status().unwrap().ssthresh;
    drop(stream);
    assert_eq!([ended, answerer.join().unwrap()], begun);
}

/// An acknowledgment that is due later is sent by the engine's own thread, though a user took the text and went away.
#[test]
fn what_is_due_after_a_call_does_not_wait_for_the_next() {
    for _ in 0..6 {
        let (network, listener) = pair(true);
        let mut stream = network.connect(SOON).unwrap();
        let (mut accepted, _) = listener.accept_timeout(SOON).unwrap();
        accepted.set_read_timeout(Some(SOON)).unwrap();
        let begun = stream.status().unwrap().ssthresh;
        // The engine's thread waits for the wire, and then a user beside it.
        std::thread::sleep(Duration::from_millis(5));
        let reader = std::thread::spawn(move || {
            let mut byte = [0];
            accepted.read_exact(&mut byte).unwrap();
            accepted
        });
        std::thread::sleep(Duration::from_millis(2));
        stream.write_all(&[7]).unwrap();
        let accepted = reader.join().unwrap();
        while stream.status().unwrap().in_flight != ByteCount::ZERO {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(stream.status().unwrap().ssthresh, begun, "the acknowledgment came after the time-out");
        drop((stream, accepted));
    }
}
