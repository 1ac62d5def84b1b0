//! Any lines and any segments, in any order: nothing panics, and the numbers of a conversation never contradict each other.
#![no_main]

use core::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use wirewright_craft::{Context, parse};
use wirewright_hand::conversation::Conversation;
use wirewright_hand::{Instant, SeqNum};

/// Lines typed, segments of the peer in words, and bytes as they come, one after another.
type Input<'a> = (bool, u32, Vec<(u8, &'a str, &'a [u8])>);

fuzz_target!(|input: Input<'_>| {
    let (client, start, acts) = input;
    let (local, remote) = ((IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 50_000), (Ipv4Addr::new(192, 0, 2, 2).into(), 80));
    let iss = SeqNum::new(start);
    let mut conversation = match client {
        true => Conversation::client(local, remote, iss),
        false => Conversation::server(iss),
    };
    for (n, (kind, line, bytes)) in acts.into_iter().enumerate() {
        let now = Instant::from_millis(n as u64);
        match kind % 3 {
            0 => {
                let packet = conversation.typed(now, line).ok().and_then(|packet| packet.build(&Context::default()).ok());
                if let Some(packet) = packet {
                    conversation.handle_sent(now, &packet.bytes);
                }
            }
            1 => {
                let line = format!("tcp 192.0.2.1:50000 src=192.0.2.2 sport=80 {line}");
                let packet = parse(&line).ok().and_then(|packet| packet.build(&Context::default()).ok());
                if let Some(packet) = packet {
                    conversation.handle_received(now, &packet.bytes);
                }
            }
            _ => {
                conversation.handle_received(now, bytes);
            }
        }
        conversation.check_invariants();
        let _ = (conversation.choices(), conversation.next_towards_end(), conversation.handle_silence(now));
    }
});
