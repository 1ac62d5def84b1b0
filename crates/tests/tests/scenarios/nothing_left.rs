//! The tour leaves the machine as it found it, also when it is killed.

use std::{thread, time::Duration};

use wirewright_sim::Dice;
use wirewright_tests::{Folder, Ground, Limit, Machine, Mark, Outcome, Scenario, Tshark, ensure, fail, wait_for, ww};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("nothing_left::the_tour_leaves_no_trace", Ground::Plain, |_| tour())
            .tools(&["ip", "nft", "tshark"]),
        Scenario::new("nothing_left::a_killed_tour_leaves_no_trace", Ground::Plain, |_| killed()).tools(&["ip", "nft"]),
    ]
}

const SEED: u64 = 9;
const KILLS: usize = 20;
const TOUR_MILLISECONDS: u64 = 2000;

/// A parent's death reaches the last descendant by a chain of signals, each within a moment.
const END_LIMIT: Limit = Limit::seconds(5);

fn tour() -> Outcome {
    let folder = Folder::new()?;
    let mark = Mark::new("tour");
    let before = Machine::look()?;
    let output = ww().arg("demo").folder(folder.path()).env(Mark::VARIABLE, mark.value()).run()?.success()?;
    check_clean(&before, &mark)?;
    ensure!(output.text().lines().count() > 20, "the tour says little:\n{output}");
    let frames = Tshark::read(&folder.file("demo.pcapng")).frames()?;
    ensure!(!frames.is_empty(), "demo.pcapng is empty");
    let malformed = Tshark::read(&folder.file("demo.pcapng")).only("_ws.malformed").frames()?;
    ensure!(malformed.is_empty(), "{} malformed frames in demo.pcapng", malformed.len());
    Ok(())
}

fn killed() -> Outcome {
    let mut dice = Dice::new(SEED);
    let before = Machine::look()?;
    for number in 0..KILLS {
        let folder = Folder::new()?;
        let mark = Mark::new(&format!("kill-{number}"));
        let moment = Duration::from_millis(dice.below(TOUR_MILLISECONDS));
        let mut child = ww().arg("demo").folder(folder.path()).env(Mark::VARIABLE, mark.value()).start()?;
        thread::sleep(moment);
        child.kill()?;
        child.wait()?;
        check_clean(&before, &mark)
            .map_err(|why| format!("killed after {moment:?} (seed {SEED}, kill {number}): {why}"))?;
    }
    println!("{KILLS} kills");
    Ok(())
}

fn check_clean(before: &Machine, mark: &Mark) -> Outcome {
    let ended = wait_for("the end of the last descendant", END_LIMIT, || mark.processes().is_empty().then_some(()));
    if let Err(late) = ended {
        fail!("{late}; still there:\n{}", mark.processes().join("\n"));
    }
    match Machine::look()?.changes_since(before) {
        Some(changes) => fail!("something stayed behind:\n{changes}"),
        None => Ok(()),
    }
}
