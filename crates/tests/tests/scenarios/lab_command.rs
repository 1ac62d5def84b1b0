//! `ww lab`: its recording, its exit codes.

use wirewright_tests::{Folder, Ground, Need, Outcome, Program, Scenario, Tshark, binary, ensure, ww};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("lab_command::{name}"), Ground::Plain, move |_| run())
            .needs(Need::Namespaces)
            .tools(&["tshark"])
    };
    vec![
        scenario("a_recording_holds_the_packet_as_it_left_and_as_it_arrived", left_and_arrived),
        scenario("a_recording_on_standard_output_feeds_tshark_live", live),
        scenario("a_command_ends_the_lab_with_its_own_code", own_code),
    ]
}

fn left_and_arrived() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("all.pcapng");
    let path = path.to_string_lossy();
    ww().args(["lab", "-w", &path, "ask", "tcp", "server:80", "S", "seq=7"]).run()?.success()?;
    let rows = Tshark::read(path.as_ref().as_ref()).only("tcp.seq_raw == 7 && tcp.flags == 2").fields(&[
        "frame.interface_name",
        "ip.ttl",
        "tcp.checksum.status",
        "ip.checksum.status",
    ])?;
    let expected = [
        ["client eth0", "64", "1", "1"],
        ["router eth0 eth1", "64", "1", "1"],
        ["router eth0 eth1", "63", "1", "1"],
        ["server eth0", "63", "1", "1"],
    ];
    ensure!(rows == expected, "{rows:?}");
    Ok(())
}

/// What `ww` says goes beside the capture, not into it.
fn live() -> Outcome {
    let line =
        "\"$0\" lab -w - ask tcp server:80 S seq=7 | tshark -n -l -i - -Y tcp -T fields -e tcp.flags.str 2>/dev/null";
    let output = Program::new("sh").args(["-c".as_ref(), line.as_ref(), binary().as_os_str()]).run()?.success()?;
    let text = output.text();
    ensure!(text.lines().count() == 12, "four views of S, SA and R were expected\n{output}");
    ensure!(output.stderr.contains("sent ") && output.stderr.contains("answer "), "{output}");
    Ok(())
}

fn own_code() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("all.pcapng");
    let path = path.to_string_lossy();
    let command = "exec 3<>/dev/tcp/server/80; printf 'GET /echo/it HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3; exit 9";
    let output = ww().args(["lab", "-w", &path, "--", "bash", "-c", command]).run()?.expect_code(9)?;
    ensure!(output.text().contains("asked the server of the lab for /echo/it"), "{output}");
    let ends = Tshark::read(path.as_ref().as_ref()).only("tcp.flags.fin == 1").fields(&["frame.interface_name"])?;
    ensure!(ends.iter().any(|row| row[0] == "client eth0"), "the end of the conversation is missing: {ends:?}");
    Ok(())
}
