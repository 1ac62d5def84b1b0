//! No allocation per segment in steady state: counted by the allocator itself.
//!
//! A binary of its own, because an allocator counts for all that run beside it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use wirewright_tcp::{Config, Connection, InitialNumbers, IpMeta, Listener, Next, Ports, Segment};
use wirewright_units::Instant;

#[path = "../src/allocator.rs"]
mod allocator;

use allocator::Counting;

#[global_allocator]
static COUNTING: Counting = Counting::new();

/// Frames on their way, in buffers that are used again.
#[derive(Default)]
struct Wire {
    flying: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
}

impl Wire {
    /// Takes what the engine sends, cut into segments.
    fn take(&mut self, now: Instant, from: &mut Connection) {
        while let Some(out) = from.poll_transmit(now) {
            for segment in out.segments() {
                let mut frame = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(2048));
                frame.resize(segment.total_len(), 0);
                segment.emit(&mut frame);
                self.flying.push_back(frame);
            }
        }
    }

    /// Brings everything over; where `overtakes`, every second pair in the wrong order, and one frame in 97 never.
    fn bring(&mut self, now: Instant, to: &mut Connection, overtakes: bool, count: &mut u64) {
        while let Some(mut frame) = self.flying.pop_front() {
            *count += 1;
            if overtakes
                && (*count).is_multiple_of(4)
                && let Some(next) = self.flying.pop_front()
            {
                self.flying.push_front(frame);
                frame = next;
            }
            if !overtakes || !(*count).is_multiple_of(97) {
                let seg = Segment::parse(&frame, IpMeta::default()).expect("our own frame");
                let _ = to.handle_segment(now, &seg);
            }
            self.spare.push(frame);
        }
    }
}

fn established(now: Instant, config: &Arc<Config>) -> [Connection; 2] {
    let mut listener = Listener::new(config.clone());
    let ports = Ports { local: 40_000, remote: 80 };
    let mut client = Connection::open(now, config.clone(), ports, InitialNumbers::default());
    let mut frame = vec![0; 100];
    let len = client.poll_transmit(now).expect("a SYN").emit(&mut frame);
    let syn = Segment::parse(&frame[..len], IpMeta::default()).expect("a SYN");
    let (_, Next::Answer(mut half_open)) = listener.handle_segment(now, &syn, InitialNumbers::default()) else {
        panic!("not answered");
    };
    let len = half_open.poll_transmit(now).expect("a SYN,ACK").emit(&mut frame);
    let _ = client.handle_segment(now, &Segment::parse(&frame[..len], IpMeta::default()).expect("a SYN,ACK"));
    let len = client.poll_transmit(now).expect("an ACK").emit(&mut frame);
    let ack = Segment::parse(&frame[..len], IpMeta::default()).expect("an ACK");
    let (_, Next::Promote(server)) = half_open.handle_segment(now, &ack) else { panic!("not promoted") };
    [client, server]
}

/// Sends `total` bytes each way and returns how many segments that took.
fn exchange(now: &mut Instant, ends: &mut [Connection; 2], wires: &mut [Wire; 2], total: u64, overtakes: bool) -> u64 {
    let (mut written, mut read, mut count) = ([0; 2], [0; 2], 0);
    let chunk = [7; 8192];
    let mut buf = [0; 16_384];
    while read != [total; 2] {
        *now += Duration::from_millis(1);
        for end in 0..2 {
            let left = usize::try_from(total - written[end]).expect("a small test").min(chunk.len());
            written[end] += ends[end].write(*now, &chunk[..left]).expect("open") as u64;
            if ends[end].poll_timeout().is_some_and(|at| at <= *now) {
                let _ = ends[end].handle_timeout(*now);
            }
            wires[end].take(*now, &mut ends[end]);
            wires[end].bring(*now, &mut ends[1 - end], overtakes, &mut count);
            while let Ok(Some(got)) = ends[1 - end].read(*now, &mut buf) {
                read[1 - end] += got as u64;
            }
            while ends[end].poll_event().is_some() {}
        }
    }
    count
}

#[test]
fn a_segment_in_steady_state_allocates_nothing() {
    let mut now = Instant::from_millis(1);
    let config = Arc::new(Config::IPV4);
    let mut ends = established(now, &config);
    let mut wires = [Wire::default(), Wire::default()];
    for overtakes in [false, true] {
        // Rings and wires grow to their size.
        exchange(&mut now, &mut ends, &mut wires, 8_000_000, overtakes);
        let before = COUNTING.count();
        let segments = exchange(&mut now, &mut ends, &mut wires, 8_000_000, overtakes);
        let allocations = COUNTING.count() - before;
        assert!(segments > 10_000, "{segments}");
        assert_eq!(allocations, 0, "in {segments} segments, overtaken and lost: {overtakes}");
    }
}
