//! The plan of a packet that leaves in fragments.

use alloc::vec::Vec;

use super::{Need, Note, Plan, Refused, Wishes, guard_need, plan};
use crate::facts::Facts;
use crate::outgoing::Outgoing;

/// Says what would happen to the fragments of `whole`, each by itself. What the answer needs, which only the whole shows, is
/// among the needs of the first plan, and notes are on that alone.
///
/// # Errors
/// As [`plan`], of the first fragment that no way carries.
pub fn plan_fragments(
    whole: &Outgoing<'_>,
    fragments: &[Outgoing<'_>],
    wishes: &Wishes,
    facts: &Facts,
) -> Result<Vec<Plan>, Refused> {
    let plans = fragments.iter().map(|fragment| plan(fragment, wishes, facts));
    let mut plans = plans.collect::<Result<Vec<_>, _>>()?;
    // What is to be said of one fragment is to be said of all.
    for later in plans.iter_mut().skip(1) {
        later.notes.clear();
    }
    let is_set = fragments.iter().any(|it| it.ip().is_some_and(|ip| !ip.is_v6() && ip.dont_fragment));
    if let (Some(first), true) = (plans.first_mut(), is_set) {
        first.notes.push(Note::DontFragmentSet);
    }
    if let (Some(first), Some(need)) = (plans.first_mut(), guard_need(whole, facts)) {
        first.needs.retain(|need| !matches!(need, Need::Guard { .. }));
        first.needs.push(need);
    }
    Ok(plans)
}
