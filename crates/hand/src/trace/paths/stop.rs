//! When to stop: how many flows make it unlikely that a further interface was missed.

/// How sure the search is, behind each interface, that it found all next ones, if each gets as many flows as another.
pub const CONFIDENCE_PERCENT: u8 = 95;

/// So many interfaces at most are reckoned with: more flows than [`super::FLOWS_MAX`] would be needed.
const INTERFACES_MAX: usize = 32;

/// How many flows rule out, with [`CONFIDENCE_PERCENT`], that there are more than `found` interfaces: 6 for 1, 11 for 2, 16 for 3.
///
/// If there were one more, all equally likely, so many flows would have missed one of them in at most 5 of 100 cases.
#[must_use]
pub fn flows_enough(found: u16) -> u16 {
    ENOUGH[usize::from(found).clamp(1, INTERFACES_MAX - 1)]
}

/// [`flows_enough`] for each number of interfaces.
const ENOUGH: [u16; INTERFACES_MAX] = {
    let (mut table, mut found) = ([0; INTERFACES_MAX], 1);
    while found < INTERFACES_MAX {
        table[found] = flows_that_meet(found + 1);
        found += 1;
    }
    table
};

/// How many flows meet all of so many interfaces, each as likely as another, but for the chance of an error.
const fn flows_that_meet(all: usize) -> u16 {
    let may_miss = (100 - CONFIDENCE_PERCENT) as f64 / 100.0;
    // How likely it is that so many of them were met, flow by flow.
    let mut met = [0.0_f64; INTERFACES_MAX + 1];
    met[0] = 1.0;
    let mut flows = 0;
    while 1.0 - met[all] > may_miss {
        let mut count = all;
        while count > 0 {
            let (same, new) = (count as f64 / all as f64, (all + 1 - count) as f64 / all as f64);
            met[count] = met[count] * same + met[count - 1] * new;
            count -= 1;
        }
        met[0] = 0.0;
        flows += 1;
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stopping_points_are_those_of_the_algorithm() {
        // Augustin, Friedman, Teixeira: Multipath tracing with Paris traceroute, table 1, 95 %.
        let published = [6, 11, 16, 21, 27, 33, 38, 44, 51, 57, 63, 70, 76, 83, 90];
        assert!((1..).zip(published).all(|(found, flows)| flows_enough(found) == flows));
        assert_eq!(flows_enough(0), 6);
        let all: std::vec::Vec<u16> = (1..100).map(flows_enough).collect();
        assert!(all.is_sorted() && *all.last().unwrap() < 256, "{all:?}");
        assert!((1..=21).all(|found| flows_enough(found) <= super::super::FLOWS_MAX + 3), "{all:?}");
    }
}
