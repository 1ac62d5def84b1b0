//! Random command lines: no panic, no hang, nothing but printable characters in an error.
//!
//! `LINES=200000 cargo test -p wirewright-craft --release --test random_lines` runs as many as one likes.

use wirewright_craft::{Context, parse, parse_words, pasted};

/// How many lines the suite tries.
const LINES: usize = 1_000;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

const WORDS: &str = "tcp udp ip ip6 icmp icmp6 arp eth vlan raw hopopt route frag dstopt dns gre vxlan igmp / / / + S SA . none SYN,ACK :80 :http ::1 \
     2001:db8::1 192.0.2.2 192.0.2.2:80 [::1]:80 host host:80 ttl=3 tos=ef src=192.0.2.1 dst=host sum=bad sum=swap+odd len=+4 \
     doff=15 ver=6 mss=1 tfo tfo=0102 uto=1:5 md5=0x1 sack sack=1:2 ts=1:0 nop eol opt=254:00 opts=02 data=x hex=00 zero=3 rand=3 stdin file=x type=echo \
     type=3 code=port id=1 seq=2 mtu=9 df mf evil df=0 echo reply ip.ttl=3 eth.dst=02:00:00:00:00:01 trailer=00 1..9 22,80 \
     192.0.2.0/24 rand inc:1:2 sprot=1 --ttl -S wind=5 target=2001:db8::1 slla=02:00:00:00:00:01 prefix=64:1:1:0:1:2:2001:db8:: \
     02:00:00:00:00:01 ra ns na redirect managed vid=5 op=2 key=5 k k=0 c seq=1 vni=7 query report3 leave group=239.1.1.1 qrv=2 nsrc=+1 source=192.0.2.7 \
     record=4:224.0.0.251 record=allow:232.1.1.1,192.0.2.7,0x00010203 mldquery mld2report record=2:ff02::fb nrec=9 ' '' # \\ \" = == : :: . .. - -- ' é 한 \u{202e} \u{1b}[0m";

/// Beginnings that can be gone on from.
const BEGINNINGS: [&str; 9] = [
    "",
    "tcp 192.0.2.2:80",
    "udp ::1 :53",
    "icmp 192.0.2.2",
    "ip 192.0.2.2 / tcp :80",
    "eth / ip ::1",
    "gre 192.0.2.2",
    "vxlan 192.0.2.2 / ip 198.51.100.2",
    "igmp 224.0.0.22",
];

fn line(random: &mut Random, words: &[&str]) -> Vec<String> {
    let beginning = BEGINNINGS[random.below(BEGINNINGS.len())].split_whitespace().map(String::from);
    let count = random.below(7);
    beginning
        .chain((0..count).map(|_| {
            let word = words[random.below(words.len())];
            mutated(random, word)
        }))
        .collect()
}

/// The word, in one of six cases with something changed in it.
fn mutated(random: &mut Random, word: &str) -> String {
    let mut word: Vec<char> = word.chars().collect();
    if random.below(6) == 0 {
        let at = random.below(word.len() + 1);
        match random.below(4) {
            0 if at < word.len() => drop(word.remove(at)),
            1 => word.insert(at, char::from((random.next() % 95 + 32) as u8)),
            2 if at + 1 < word.len() => word.swap(at, at + 1),
            _ => word.insert(at, char::from_u32(random.next() as u32 % 0x3000).unwrap_or('x')),
        }
    }
    word.into_iter().collect()
}

#[test]
fn random_command_lines_never_panic() {
    let count = std::env::var("LINES").ok().and_then(|lines| lines.parse().ok()).unwrap_or(LINES);
    let words: Vec<&str> = WORDS.split(' ').filter(|word| !word.is_empty()).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut read, mut built) = (0, 0);
    for _ in 0..count {
        let line = line(&mut random, &words);
        for result in [parse_words(&line), parse(&line.join(" "))] {
            match result {
                Ok(packet) => {
                    read += 1;
                    built += usize::from(packet.build(&Context::default()).is_ok());
                    let _printed = packet.to_string();
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.chars().all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}')), "{text:?}");
                }
            }
        }
        let _pasted = pasted::read(line.join("\n").as_bytes());
    }
    println!("{count} lines, {read} read, {built} built");
    assert!(read > count / 100 && built > 0, "the lines are no test: {read} of {count} can be read");
}
