//! The guard over a scripted kernel, and over the real one's loopback (no privilege is needed).

use super::*;
use crate::error::NextStep;
use crate::sys::scripted::{Call as Made, Fails, PORT, Scripted};
use crate::sys::system;

fn scripted() -> (Arc<Scripted>, Arc<dyn Kernel>) {
    let kernel = Arc::new(Scripted::new());
    (kernel.clone(), kernel)
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn the_key_is_for_any_peer_of_the_family_and_nobody_is_queued() {
    for (local, family, prefix_at) in [("192.0.2.1:0", libc::AF_INET, 129), ("[2001:db8::1]:0", libc::AF_INET6, 129)] {
        let (scripted, kernel) = scripted();
        let guard = Guard::tcp(&kernel, addr(local)).unwrap();
        assert_eq!((guard.port(), guard.rung()), (PORT, Rung::Md5Listener));
        let calls = scripted.calls();
        let key = calls.iter().find_map(|call| match call {
            Made::SetOption { option: SocketOption::TCP_MD5SIG_EXT, value, .. } => Some(value.clone()),
            _ => None,
        });
        let key = key.unwrap();
        assert_eq!(i32::from(u16::from_ne_bytes([key[0], key[1]])), family);
        assert_eq!((key[128], key[prefix_at]), (1, 0));
        assert!(key[136..152].iter().all(|byte| *byte != 0) && key[152..].iter().all(|byte| *byte == 0));
        assert!(calls.contains(&Made::Listen { socket: 0, backlog: 0 }));
        let v6_only = |call: &Made| matches!(call, Made::SetOption { option: SocketOption::IPV6_V6ONLY, .. });
        assert_eq!(calls.iter().any(v6_only), family == libc::AF_INET6);
    }
}

#[test]
fn what_stands_in_the_way_is_told_apart() {
    let local = addr("192.0.2.1:80");
    let (scripted, kernel) = scripted();
    scripted.fail(Fails::Bind, Errno::EADDRINUSE);
    let Err(GuardError::Port(error)) = Guard::tcp(&kernel, local) else { panic!("guarded") };
    assert_eq!((error.next, error.address), (NextStep::ChoosePort, Some(local)));
    scripted.fail(Fails::Bind, Errno::EACCES);
    let Err(GuardError::Port(error)) = Guard::udp(&kernel, local) else { panic!("guarded") };
    assert_eq!(error.next, NextStep::ChooseHighPort);
    scripted.fail(Fails::Bind, Errno::EADDRNOTAVAIL);
    let want = GuardError::AddressNotLocal { address: local.ip() };
    assert_eq!(Guard::tcp(&kernel, local).unwrap_err(), want);
    scripted.fail(Fails::Listen, Errno::EADDRINUSE);
    assert!(matches!(Guard::tcp(&kernel, local), Err(GuardError::Port(_))));
}

#[test]
fn a_kernel_without_tcp_md5_is_named_with_what_it_said() {
    let (scripted, kernel) = scripted();
    scripted.fail(Fails::Option(SocketOption::TCP_MD5SIG_EXT), Errno::ENOPROTOOPT);
    let error = Guard::tcp(&kernel, addr("192.0.2.1:0")).unwrap_err();
    let text = "no guard; md5-listener: setsockopt(TCP_MD5SIG_EXT): ENOPROTOOPT, 192.0.2.1 (use-other-way)";
    assert_eq!(error.to_string(), text);
}

#[test]
fn the_real_kernel_reserves_the_port_for_as_long_as_the_guard_lives() {
    let kernel = system();
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let guard = match Guard::tcp(&kernel, addr(local)) {
            Ok(guard) => guard,
            // A kernel without TCP-MD5 or without IPv6 has to say so.
            Err(GuardError::Unavailable { .. } | GuardError::AddressNotLocal { .. }) => continue,
            Err(other) => panic!("{other}"),
        };
        assert_ne!(guard.port(), 0);
        let Err(GuardError::Port(error)) = Guard::tcp(&kernel, guard.local()) else { panic!("guarded twice") };
        assert_eq!(error.next, NextStep::ChoosePort);
        let again = guard.local();
        drop(guard);
        assert_eq!(Guard::tcp(&kernel, again).unwrap().local(), again);
    }
}

#[test]
fn udp_and_tcp_do_not_share_a_port_space() {
    let kernel = system();
    let udp = Guard::udp(&kernel, addr("127.0.0.1:0")).unwrap();
    assert_eq!(udp.rung(), Rung::UdpPort);
    assert!(matches!(Guard::udp(&kernel, udp.local()), Err(GuardError::Port(_))));
}

#[test]
fn it_counts_what_the_kernel_dropped_at_it() {
    let kernel = system();
    let Ok(guard) = Guard::tcp(&kernel, addr("127.0.0.1:0")) else { return };
    assert_eq!(guard.dropped(), Some(0));
    let tried = std::net::TcpStream::connect_timeout(&guard.local(), core::time::Duration::from_millis(50));
    assert_eq!(tried.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert!(guard.dropped() >= Some(1), "{:?}", guard.dropped());
}
