//! Round-trip times as ping sums them up.

use std::time::Duration;

/// Round-trip times: the least, the mean, the largest, and how far they spread.
#[derive(Clone, Debug, Default)]
pub struct Times {
    count: u64,
    /// Sums in microseconds, and of their squares.
    sum: f64,
    squares: f64,
    least: Option<Duration>,
    most: Option<Duration>,
}

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        let micros = time.as_secs_f64() * 1e6;
        self.count += 1;
        self.sum += micros;
        self.squares += micros * micros;
        self.least = Some(self.least.map_or(time, |least| least.min(time)));
        self.most = Some(self.most.map_or(time, |most| most.max(time)));
    }

    /// The least; `None` before there is one.
    #[must_use]
    pub fn least(&self) -> Option<Duration> {
        self.least
    }

    /// The largest.
    #[must_use]
    pub fn most(&self) -> Option<Duration> {
        self.most
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_secs_f64(self.sum / self.count as f64 / 1e6))
    }

    /// The standard deviation, which ping calls mdev: the root of the mean square less the squared mean.
    #[must_use]
    pub fn deviation(&self) -> Option<Duration> {
        let count = (self.count > 0).then_some(self.count as f64)?;
        let mean = self.sum / count;
        let variance = (self.squares / count - mean * mean).max(0.0);
        Some(Duration::from_secs_f64(variance.sqrt() / 1e6))
    }

    /// ping's last line; `None` before there is a time.
    #[must_use]
    pub fn as_ping(&self) -> Option<String> {
        let all = [self.least()?, self.mean()?, self.most()?, self.deviation()?].map(milliseconds);
        Some(format!("rtt min/avg/max/mdev = {} ms", all.join("/")))
    }
}

/// A time in milliseconds with three decimals, as ping has it in its statistics.
#[must_use]
pub fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_ping() {
        let mut times = Times::default();
        assert_eq!(times.as_ping(), None);
        for micros in [20, 40, 60] {
            times.add(Duration::from_micros(micros));
        }
        // 20, 40 and 60 µs: the squares' mean is 1866.7, less 1600 is 266.7, its root 16.3.
        assert_eq!(times.as_ping().as_deref(), Some("rtt min/avg/max/mdev = 0.020/0.040/0.060/0.016 ms"));
    }
}
