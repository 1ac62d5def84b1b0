//! The guard over a scripted kernel, and over the real one's loopback (no privilege is needed).

use super::*;
use crate::error::NextStep;
use crate::sys::scripted::{Call as Made, Fails, PORT, Scripted};
use crate::sys::{Control, Queue, system};

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

/// The kernel's word on the last rule of a batch that was opened as socket `socket`.
fn answers_the_batch(kernel: &Scripted, socket: usize, errno: Errno) {
    // The fifth message of six: behind the beginning, the table, the chain, and the first rule.
    let mut message = [0; 36];
    message[0..4].copy_from_slice(&36u32.to_ne_bytes());
    message[4..6].copy_from_slice(&2u16.to_ne_bytes());
    message[8..12].copy_from_slice(&5u32.to_ne_bytes());
    message[16..20].copy_from_slice(&(-errno.raw()).to_ne_bytes());
    kernel.arrive(socket, Queue::Data, &message, Address::Netlink { port: 0, groups: 0 }, Control::default());
}

#[test]
fn without_tcp_md5_the_next_rung_that_covers_every_peer_stands() {
    let (scripted, kernel) = scripted();
    scripted.fail(Fails::Option(SocketOption::TCP_MD5SIG_EXT), Errno::ENOPROTOOPT);
    let guard = Guard::tcp(&kernel, addr("192.0.2.1:0")).unwrap();
    assert_eq!(guard.rung(), Rung::DropFilter);
    let calls = scripted.calls();
    let at = |wanted: &Made| calls.iter().position(|call| call == wanted);
    let filtered = at(&Made::AttachFilter { socket: 0, program: drop_filter::DROP_ALL.to_vec() });
    assert!(filtered.is_some() && filtered < at(&Made::Listen { socket: 0, backlog: 0 }), "{calls:?}");
}

#[test]
fn the_ttl_serves_where_nothing_better_is_allowed() {
    for (local, option) in
        [("192.0.2.1:80", SocketOption::IP_MINTTL), ("[2001:db8::1]:80", SocketOption::IPV6_MINHOPCOUNT)]
    {
        let (scripted, kernel) = scripted();
        scripted.fail(Fails::Option(SocketOption::TCP_MD5SIG_EXT), Errno::ENOPROTOOPT);
        scripted.fail(Fails::AttachFilter, Errno::EPERM);
        answers_the_batch(&scripted, 1, Errno::EPERM);
        let guard = Guard::tcp(&kernel, addr(local)).unwrap();
        assert_eq!(guard.rung(), Rung::MinTtl);
        assert!(!guard.rung().covers_every_peer());
        let value = 255i32.to_ne_bytes().to_vec();
        let calls = scripted.calls();
        assert!(calls.contains(&Made::SetOption { socket: 0, option, value }), "{calls:?}");
        assert!(calls.contains(&Made::Listen { socket: 0, backlog: 0 }), "{calls:?}");
    }
}

#[test]
fn a_table_of_ours_stands_where_no_listener_does_and_takes_the_port_alone() {
    let (scripted, kernel) = scripted();
    scripted.fail(Fails::Option(SocketOption::TCP_MD5SIG_EXT), Errno::ENOPROTOOPT);
    scripted.fail(Fails::Option(SocketOption::IP_MINTTL), Errno::ENOPROTOOPT);
    scripted.fail(Fails::AttachFilter, Errno::EPERM);
    answers_the_batch(&scripted, 1, Errno::from_raw(0));
    let guard = Guard::tcp(&kernel, addr("192.0.2.1:80")).unwrap();
    assert_eq!((guard.rung(), guard.local(), guard.dropped()), (Rung::NftOwner, addr("192.0.2.1:80"), None));
    let calls = scripted.calls();
    assert!(!calls.iter().any(|call| matches!(call, Made::Listen { .. })), "{calls:?}");
    let shares = |call: &&Made| matches!(call, Made::SetOption { option: SocketOption::SO_REUSEADDR, .. });
    assert_eq!(calls.iter().filter(shares).count(), 1, "the second time it is bound without sharing");
    let batch = &scripted.sent()[0];
    for part in [&b"bitwise\0"[..], b"payload\0", &[192, 0, 2, 1], &(-300i32).to_be_bytes(), b"filter\0"] {
        assert!(batch.windows(part.len()).any(|window| window == part), "{part:?}");
    }
}

#[test]
fn where_nothing_works_each_rung_is_named_with_what_the_kernel_said() {
    let (scripted, kernel) = scripted();
    scripted.fail(Fails::Option(SocketOption::TCP_MD5SIG_EXT), Errno::ENOPROTOOPT);
    scripted.fail(Fails::Option(SocketOption::IP_MINTTL), Errno::ENOPROTOOPT);
    scripted.fail(Fails::AttachFilter, Errno::EPERM);
    answers_the_batch(&scripted, 1, Errno::EPERM);
    let error = Guard::tcp(&kernel, addr("192.0.2.1:80")).unwrap_err();
    let text = "no guard; md5-listener: setsockopt(TCP_MD5SIG_EXT): ENOPROTOOPT, 192.0.2.1:80 (use-other-way); \
                min-ttl: setsockopt(IP_MINTTL): ENOPROTOOPT, 192.0.2.1:80 (use-other-way); \
                drop-filter: setsockopt(SO_ATTACH_FILTER): EPERM, 192.0.2.1:80 (grant-net-admin); \
                nft-owner: NFT_MSG_NEWTABLE: EPERM, 192.0.2.1:80 (grant-net-admin)";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_rung_that_is_named_is_the_only_one_tried() {
    let local = addr("192.0.2.1:80");
    let rows = [
        (Rung::Md5Listener, Fails::Option(SocketOption::TCP_MD5SIG_EXT), Errno::ENOPROTOOPT),
        (Rung::MinTtl, Fails::Option(SocketOption::IP_MINTTL), Errno::ENOPROTOOPT),
        (Rung::DropFilter, Fails::AttachFilter, Errno::EPERM),
    ];
    for (rung, what, errno) in rows {
        let (scripted, kernel) = scripted();
        assert_eq!(Guard::tcp_by(&kernel, local, rung).unwrap().rung(), rung);
        scripted.fail(what, errno);
        let refused = Guard::tcp_by(&kernel, local, rung).unwrap_err();
        let GuardError::Unavailable { tried } = refused else { panic!("{refused:?}") };
        assert_eq!(tried.iter().map(|(rung, error)| (*rung, error.errno)).collect::<Vec<_>>(), [(rung, errno)]);
    }
    for rung in [Rung::OwnAddress, Rung::UdpPort] {
        let (_, kernel) = scripted();
        assert_eq!(Guard::tcp_by(&kernel, local, rung).unwrap_err(), GuardError::NotOfAPort { rung });
    }
    assert_eq!(Rung::LADDER.map(|rung| Rung::with_code(rung.code())), Rung::LADDER.map(Some));
    assert_eq!(Rung::with_code("udp-port"), None);
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
