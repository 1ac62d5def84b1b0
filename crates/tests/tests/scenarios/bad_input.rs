//! What bad input gets: the whole text, the exit code, an empty standard output; that its remedies work: `remedies.rs`.
//!
//! The cases are `bad_input.txt`: a command after `$ `, its exit code in brackets (`[1 out]` where something is also on
//! standard output), then standard error, to the letter. `BLESS=1` writes the file anew from what happens; whoever does that
//! reads the difference as a user would.

use std::path::{Path, PathBuf};
use std::{env, fmt::Write as _, fs};

use wirewright_tests::{
    Folder, Ground, Limit, Need, Outcome, Output, Program, Scenario, binary, ensure, workspace_root,
};

use crate::remedies::remedies_in;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("bad_input::{name}"), Ground::Plain, move |_| run())
            .needs(Need::Namespaces)
            .tools(&["ip", "nft", "nc", "getent"])
    };
    vec![
        lab("each_text_is_whole_and_standard_output_empty", texts),
        Scenario::new("bad_input::without_privilege_each_way_out_works", Ground::Root, |_| privilege())
            .tools(&["setpriv", "setcap", "sudo", "unshare", "ip", "nc"]),
    ]
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) command: String,
    pub(crate) code: i32,
    /// Standard output is not empty.
    pub(crate) out: bool,
    pub(crate) text: String,
}

fn file() -> PathBuf {
    workspace_root().join("crates/tests/tests/scenarios/bad_input.txt")
}

pub(crate) fn cases() -> Result<Vec<Case>, String> {
    cases_of(&file())
}

pub(crate) fn cases_of(file: &Path) -> Result<Vec<Case>, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let blocks = text.split("\n$ ").skip(1);
    blocks.map(|block| read_case(block).ok_or_else(|| format!("not a case: $ {block}"))).collect()
}

fn read_case(block: &str) -> Option<Case> {
    let mut lines = block.lines();
    let command = lines.next()?.to_owned();
    let head = lines.next()?.strip_prefix('[')?.strip_suffix(']')?;
    let (code, out) = head.strip_suffix(" out").map_or((head, false), |code| (code, true));
    let text: Vec<&str> = lines.collect();
    Some(Case { command, code: code.parse().ok()?, out, text: text.join("\n").trim_end().to_owned() })
}

/// A folder in which `ww` is a command and the files of the cases lie.
pub(crate) struct Place {
    pub(crate) folder: Folder,
}

impl Place {
    pub(crate) fn new() -> Result<Self, String> {
        let folder = Folder::new().map_err(|error| error.to_string())?;
        let place = Self { folder };
        let commands = place.folder.file("bin");
        fs::create_dir(&commands).map_err(|error| error.to_string())?;
        fs::copy(binary(), commands.join("ww")).map_err(|error| error.to_string())?;
        let whole = place.run("ww build -w whole.pcapng tcp 192.0.2.2:80 S src=192.0.2.1 hex=00112233")?.success()?;
        drop(whole);
        let bytes = fs::read(place.folder.file("whole.pcapng")).map_err(|error| error.to_string())?;
        let most = bytes.len() - 10;
        place.folder.write("cut.pcapng", &bytes[..most]).map_err(|error| error.to_string())?;
        Ok(place)
    }

    pub(crate) fn ww(&self) -> String {
        self.folder.file("bin/ww").display().to_string()
    }

    pub(crate) fn path(&self) -> String {
        let system = env::var("PATH").unwrap_or_default();
        format!("{}:/usr/sbin:/sbin:{system}", self.folder.file("bin").display())
    }

    pub(crate) fn run(&self, command: &str) -> Result<Output, String> {
        self.program(&["sh", "-c", command]).run()
    }

    pub(crate) fn program(&self, words: &[&str]) -> Program {
        Program::new(words[0])
            .args(&words[1..])
            .folder(self.folder.path())
            .env("PATH", self.path())
            .env("LC_ALL", "C.UTF-8")
            .env("LANG", "C.UTF-8")
            .env("COLUMNS", "80")
            .limit(Limit::seconds(30))
    }

    /// What a person reads, without what differs from machine to machine.
    fn text_of(&self, output: &Output) -> String {
        output.stderr.trim_end().replace(&self.ww(), "{ww}")
    }
}

fn texts() -> Outcome {
    compare(&Place::new()?, &file()).map(drop)
}

/// Runs the cases of a file and compares them with what it says, or writes it anew; how many there are, none of them with
/// anything but its exit code to show for itself.
pub(crate) fn compare(place: &Place, file: &Path) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let mut differences = String::new();
    let cases = cases_of(file)?;
    let mut found = fs::read_to_string(file)?.lines().next().unwrap_or_default().to_owned() + "\n";
    for case in &cases {
        let output = place.run(&case.command)?;
        let is = Case {
            command: case.command.clone(),
            code: output.code,
            out: !output.stdout.is_empty(),
            text: place.text_of(&output),
        };
        let block = shown(&is);
        if is != *case {
            write!(differences, "expected{}is{block}", shown(case))?;
        }
        found.push_str(&block);
    }
    if env::var_os("BLESS").is_some() {
        fs::write(file, found)?;
    } else {
        ensure!(differences.is_empty(), "{differences}");
    }
    println!("{} cases", cases.len());
    Ok(cases.len())
}

fn shown(case: &Case) -> String {
    let out = if case.out { " out" } else { "" };
    format!("\n$ {}\n[{}{out}]\n{}\n", case.command, case.code, case.text)
}

/// What a plain user reads who asks on the real network, with the column of the remarks closed up.
const NOT_PERMITTED: &str = "\
ww: not permitted: a raw socket needs CAP_NET_RAW
    once       sudo {ww} ask tcp 192.0.2.2:80 S
    for good   sudo setcap cap_net_raw+ep {ww}   (again after each build)
    without    ww lab ask tcp server:80 S   (the practice network)";

/// A network of its own, in which 192.0.2.2 is this host and somebody listens on port 80.
const WORLD: &str = "ip link set lo up && ip address add 192.0.2.2/32 dev lo && { nc -l -k -p 80 >/dev/null 2>&1 & server=$!; sleep 0.2; ";

fn privilege() -> Outcome {
    let place = Place::new()?;
    let user = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    let asked = format!("{user} ww ask tcp 192.0.2.2:80 S");
    let inside = |command: &str| -> Result<Output, String> {
        let script = format!("{WORLD} {command}; code=$?; kill $server; exit $code; }}");
        place.program(&["unshare", "--net", "sh", "-c", &script]).run()
    };
    let refused = inside(&asked)?.expect_code(3)?;
    ensure!(refused.stdout.is_empty(), "standard output is not empty:\n{refused}");
    let text = closed_up(&place.text_of(&refused));
    ensure!(text == NOT_PERMITTED, "{text}\ninstead of\n{NOT_PERMITTED}");
    let remedies = remedies_in(&text);
    let [(_, once), (_, for_good), (_, without)] = &remedies[..] else {
        return Err(format!("three ways out, not {text}").into());
    };
    let real = |remedy: &str| remedy.replace("{ww}", &place.ww());
    inside(&real(once))?.success()?;
    place.program(&["sh", "-c", &format!("{user} {without}")]).run()?.success()?;
    place.run(&real(for_good))?.success()?;
    inside(&asked)?.success()?;
    let refused = inside(&format!("{user} ww guard 127.0.0.1:81 -- true"))?.expect_code(3)?;
    let text = place.text_of(&refused);
    ensure!(text == LOW_PORT, "{text}\ninstead of\n{LOW_PORT}");
    let remedies = remedies_in(&text);
    inside(&real(&remedies.first().ok_or("no way out")?.1))?.success()?;
    Ok(())
}

/// And who guards a low port.
const LOW_PORT: &str = "\
ww: 127.0.0.1:81: ports below 1024 need CAP_NET_BIND_SERVICE here
    once   sudo {ww} guard 127.0.0.1:81 -- true
    or     a port from 1024 on";

/// The remarks of a text stand in one column behind paths of any length: three spaces here.
fn closed_up(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once("   (") {
        Some((command, remark)) => format!("{}   ({remark}", command.trim_end()),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
