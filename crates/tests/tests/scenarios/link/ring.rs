//! The receive ring: nothing is lost while it has room, what finds none is counted, tags come back.

use wirewright_link::{PacketConfig, PacketRing, PacketSocket, Receive, Transmit};
use wirewright_tests::{Limit, Outcome, World, ensure, wait_for};

use super::tools::{CLIENT, Fallible, ROUTER, kernel, tap};

/// The EtherType for local experiments (IEEE 802): no kernel does anything with it.
const EXPERIMENT: [u8; 2] = [0x88, 0xb5];
/// More than the buffer of a socket holds of such frames by far, fewer than the ring's slots.
const BURST: u32 = 3000;
/// The ring's slots.
const SLOTS: usize = 4096;
/// So many reports a kernel sends at most in the test's time.
const REPORTS: usize = 8;
/// More than the slots.
const FLOOD: u32 = 6000;

fn frame(number: u32, tag: &[u8]) -> Vec<u8> {
    let number = number.to_be_bytes();
    [&ROUTER.mac[..], &CLIENT.mac, tag, &EXPERIMENT, &number, &[0xaa; 1000]].concat()
}

fn send(sender: &mut PacketSocket, numbers: impl Iterator<Item = u32>) -> Fallible<()> {
    for number in numbers {
        sender.send(&Transmit::packet(&frame(number, &[])))?;
    }
    Ok(())
}

/// The numbers of the experiment's frames that come, until `count` are there.
fn numbers(ring: &mut PacketRing, count: usize) -> Fallible<Vec<u32>> {
    let mut came = Vec::new();
    wait_for("the frames in the ring", Limit::seconds(5), || {
        while let Some(frame) = ring.try_next(|frame| frame.on_the_wire()) {
            if frame.get(12..14) == Some(&EXPERIMENT) {
                came.extend(frame.get(14..).and_then(<[u8]>::first_chunk).map(|number| u32::from_be_bytes(*number)));
            }
        }
        (came.len() >= count).then_some(())
    })
    .map_err(|late| format!("{late}: {} of {count}", came.len()))?;
    Ok(came)
}

fn open(world: &World) -> Fallible<PacketRing> {
    Ok(world.lab().on(ROUTER.host, || PacketRing::open(kernel(), ROUTER.index, Receive::Incoming, SLOTS))??)
}

pub(super) fn a_burst_is_kept_in_order_and_a_flood_is_counted(world: &World) -> Outcome {
    let mut ring = open(world)?;
    let mut sender = tap(world, CLIENT, &PacketConfig::default())?;
    send(&mut sender, 0..BURST)?;
    ensure!(numbers(&mut ring, BURST as usize)? == (0..BURST).collect::<Vec<_>>(), "lost, or out of order");
    ensure!(ring.statistics()?.dropped == 0, "frames were dropped");

    send(&mut sender, 0..FLOOD)?;
    let dropped = ring.statistics()?.dropped;
    ensure!((1000..FLOOD).contains(&dropped), "{dropped} dropped");
    let kept = FLOOD - dropped;
    let stayed = numbers(&mut ring, kept as usize)?;
    ensure!(stayed.iter().copied().eq(0..stayed.len() as u32), "the first ones stay");
    // A multicast report of the client's kernel may be among the dropped.
    ensure!(stayed.len() < kept as usize + REPORTS, "{} stayed, {dropped} of {FLOOD} were dropped", stayed.len());

    send(&mut sender, [7, 8].into_iter())?;
    ensure!(numbers(&mut ring, 2)? == [7, 8], "it goes on afterwards");
    Ok(())
}

pub(super) fn a_tag_comes_back(world: &World) -> Outcome {
    let mut ring = open(world)?;
    let mut sender = tap(world, CLIENT, &PacketConfig::default())?;
    let tagged = frame(1, &[0x81, 0x00, 0x20, 0x05]);
    sender.send(&Transmit::packet(&tagged))?;
    let mut others = Vec::new();
    wait_for("the tagged frame", Limit::seconds(5), || {
        others.extend(ring.try_next(|frame| frame.on_the_wire()));
        others.last().is_some_and(|frame| *frame == tagged).then_some(())
    })
    .map_err(|late| format!("{late}: {others:02x?}"))?;
    Ok(())
}
