//! `PCAP_DIR=folder`: what every host of the lab saw during a scenario, in a capture called like it.

use std::{env, fs, io, path::PathBuf};

use wirewright_capture::{Direction, Interface, LinkType, Record, Writer};
use wirewright_lab::{Lab, Recorded, Recorder};
use wirewright_link::Direction as Way;

/// Begins to record if that was asked for.
///
/// # Errors
/// Where the folder cannot be written, or the lab cannot be watched.
pub(crate) fn begin(lab: &Lab, scenario: &str) -> Result<Option<Recorder>, String> {
    let Some(folder) = env::var_os("PCAP_DIR").map(PathBuf::from) else { return Ok(None) };
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let path = folder.join(format!("{}.pcapng", scenario.replace("::", ".")));
    let file = fs::File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut writer = Writer::pcapng(file, scenario).map_err(|error| error.to_string())?;
    let hosts = lab.shape().hosts();
    for host in &hosts {
        let interface = Interface::new(lab.shape().view(*host), LinkType::ETHERNET);
        writer.add_interface(&interface).map_err(|error| error.to_string())?;
    }
    let recorder = lab.record(move |frame: Recorded| {
        let index = hosts.iter().position(|host| *host == frame.port.host).unwrap_or_default();
        let way = if frame.direction == Way::Outgoing { Direction::Out } else { Direction::In };
        let record = Record::new(index, frame.wall, &frame.bytes).comment(frame.port.interface).direction(way);
        writer.write(&record).and_then(|()| writer.flush()).map_err(|error| io::Error::other(error.to_string()))
    });
    recorder.map(Some).map_err(|error| format!("{error:?}"))
}
