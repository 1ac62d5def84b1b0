//! Ladders of made-up conversations: what a line says, at every width, in ASCII, with hostile numbers.

use std::time::Duration;

use wirewright_craft::{Context, parse};
use wirewright_inspect::First;
use wirewright_inspect::flow::{Flows, Mark, SeenFrame};
use wirewright_render::{Catalogue, Lang, Style, columns, ladder};
use wirewright_units::UnixTime;

/// A conversation with a loss, in the packet language; `>` leaves the left end. Microseconds pass before each.
const TALK: &[(u64, &str)] = &[
    (0, "> S seq=1000 win=64240 mss=1460 sack ts=1:0 nop wscale=7"),
    (120, "< SA seq=5000 ack=1001 win=65160 mss=1460 sack ts=9:1 nop wscale=7"),
    (40, "> A seq=1001 ack=5001 win=502 nop nop ts=2:9"),
    (900, "> PA seq=1001 ack=5001 win=502 nop nop ts=2:9 data='GET / HTTP/1.0'"),
    (150, "< A seq=5001 ack=1015 win=509 nop nop ts=9:2 zero=100"),
    (10, "< A seq=5201 ack=1015 win=509 nop nop ts=9:2 zero=100"),
    (30, "> A seq=1015 ack=5101 win=502 nop nop ts=2:9"),
    (30, "> A seq=1015 ack=5101 win=502 nop nop ts=2:9 nop nop sack=5201:5301"),
    (200_000, "< A seq=5101 ack=1015 win=509 nop nop ts=9:2 zero=100"),
    (60, "> A seq=1015 ack=5301 win=0"),
    (2_000_000, "< FA seq=5301 ack=1015 win=509 nop nop ts=9:2"),
    (50, "> R seq=1015 win=0"),
];

fn flows(v6: bool, talk: &[(u64, &str)]) -> Flows {
    let mut flows = Flows::new();
    let mut now = UnixTime::from_parts(1_000, 0);
    for (number, (micros, line)) in (1..).zip(talk) {
        let (way, words) = line.split_once(' ').unwrap();
        let (from, to, sport, dport) = if way == ">" { (1, 2, 40_000, 80) } else { (2, 1, 80, 40_000) };
        let (ip, net) = if v6 { ("ip6", "2001:db8::") } else { ("ip", "192.0.2.") };
        let packet = format!("{ip} {net}{to} src={net}{from} / tcp :{dport} sport={sport} {words}");
        let built = parse(&packet).unwrap().build(&Context::default()).unwrap();
        now = now + Duration::from_micros(*micros);
        assert!(flows.add(&SeenFrame { number, view: 0, at: now, bytes: &built.bytes, first: First::Ip }));
    }
    flows
}

fn drawn(flows: &Flows, style: &Style) -> String {
    ladder(&flows.flows()[0], style, Catalogue::get(Lang::En))
}

#[test]
fn a_ladder_of_eighty_columns() {
    let style = Style { unicode: true, ..Style::PLAIN };
    let expected = "\
192.0.2.1:40000 → 192.0.2.2:80
                                                           left       right
      0 → S   0 win 64240 mss=1460 wscale=7 sack ts        SYN-SENT   SYN-RECV
 120 us ← SA  0:1 win 65160 mss=1460 wscale=7 sack ts      ESTAB      SYN-RECV
  40 us → A   1:1 win 64256                                ESTAB      ESTAB
 900 us → PA  1:1 14 B win 64256                           ESTAB      ESTAB
 150 us ← A   1:15 100 B win 65152                         ESTAB      ESTAB
  10 us ← A   201:15 100 B win 65152 [gap before it]       ESTAB      ESTAB
  30 us → A   15:101 win 64256                             ESTAB      ESTAB
  30 us → A   15:101 win 64256 [duplicate ACK]             ESTAB      ESTAB
              sack=201:301
 200 ms ← A   101:15 100 B win 65152 [retransmitted]       ESTAB      ESTAB
  60 us → A   15:301 win 0 [zero window] no-ts             ESTAB      ESTAB
 2.00 s ← FA  301:15 win 65152                             CLOSE-WAIT FIN-WAIT-1
  50 us → R   15                                           CLOSED     CLOSED";
    assert_eq!(drawn(&flows(false, TALK), &style), expected);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for v6 in [false, true] {
        let flows = flows(v6, TALK);
        for width in 40..=130 {
            for unicode in [false, true] {
                let text = drawn(&flows, &Style { color: false, unicode, width });
                for line in text.lines() {
                    assert!(columns(line) <= width, "{width}: {line}\n{text}");
                    assert_eq!(line, line.trim_end(), "{width}");
                }
                assert!(unicode || text.is_ascii(), "{text}");
                let times = text
                    .lines()
                    .filter(|line| {
                        line.contains(" ms ") || line.contains(" us ") || line.contains(" s ") || line.contains("   0 ")
                    })
                    .count();
                assert!(times >= TALK.len(), "{text}");
            }
        }
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let flows = flows(true, TALK);
    for width in [40, 63, 64, 80, 120] {
        let plain = drawn(&flows, &Style { color: false, unicode: true, width });
        let colored = drawn(&flows, &Style { color: true, unicode: true, width });
        let mut stripped = String::new();
        let mut rest = colored.as_str();
        while let Some((before, behind)) = rest.split_once("\x1b[") {
            stripped.push_str(before);
            rest = behind.split_once('m').unwrap().1;
        }
        stripped.push_str(rest);
        assert_eq!(stripped, plain);
        assert!(colored.contains("\x1b[1;31m[retransmitted]"), "{colored}");
    }
}

#[test]
fn options_and_marks_are_told_when_they_say_something() {
    let text = drawn(&flows(false, TALK), &Style { width: 200, ..Style::PLAIN });
    let line = |number: usize| text.lines().nth(number + 2).unwrap();
    assert!(line(0).contains("S   0 win 64240 mss=1460 wscale=7 sack ts "), "{text}");
    assert!(line(2).contains("A   1:1 win 64256  "), "{text}");
    assert!(line(3).contains("PA  1:1 14 B win 64256  "), "{text}");
    assert!(line(5).contains("[gap before it]"), "{text}");
    assert!(line(7).contains("[duplicate ACK] sack=201:301"), "{text}");
    assert!(line(8).starts_with(" 200 ms in  A   101:15 100 B win 65152 [retransmitted]"), "{text}");
    assert!(line(9).contains("win 0 [zero window] no-ts"), "{text}");
    assert!(line(10).starts_with(" 2.00 s in  FA  301:15"), "{text}");
    assert!(line(10).ends_with("CLOSE-WAIT   FIN-WAIT-1"), "{text}");
    assert!(line(11).ends_with("CLOSED       CLOSED"), "{text}");
}

#[test]
fn without_columns_of_their_own_states_are_told_when_they_change() {
    let text = drawn(&flows(false, TALK), &Style { width: 50, ..Style::PLAIN });
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(text.matches("ESTABLISHED, ESTABLISHED").count(), 1, "{text}");
    assert!(text.contains("SYN-SENT, SYN-RECEIVED"), "{text}");
}

#[test]
fn random_segments_are_drawn_in_any_width() {
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let letters = ["SFRPAUEW", "none", "A", "SA", "R", "FA"];
    let lines: Vec<(u64, String)> = (0..300)
        .map(|_| {
            let way = if random() % 2 == 0 { ">" } else { "<" };
            let flags = letters[random() as usize % letters.len()];
            let (seq, ack, win) = (random() as u32, random() as u32, random() as u16);
            let (left, right, scale) = (random() as u32, random() as u32, random() as u8);
            let line = format!(
                "{way} {flags} seq={seq} ack={ack} win={win} wscale={scale} sack={left}:{right} ts={left}:{right}"
            );
            (random() % 4_000_000_000, line)
        })
        .collect();
    let lines: Vec<(u64, &str)> = lines.iter().map(|(micros, line)| (*micros, line.as_str())).collect();
    let flows = flows(true, &lines);
    let mut marks = std::collections::BTreeSet::new();
    for flow in flows.flows() {
        marks.extend(flow.segments.iter().flat_map(|segment| segment.marks.iter().copied()));
        for width in [40, 41, 64, 80, 100] {
            let text = ladder(flow, &Style { width, ..Style::PLAIN }, Catalogue::get(Lang::En));
            assert!(text.lines().all(|line| columns(line) <= width), "{width}\n{text}");
        }
    }
    assert!(marks.contains(&Mark::Gap) && marks.contains(&Mark::Retransmitted), "{marks:?}");
}
